package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supportd/classify/model"
)

// examplesFile writes a file of examples: n of each of two categories, and outside texts.
func examplesFile(t *testing.T, name string, n int, outside ...string) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	put := func(label, text string) {
		if err := e.Encode(model.Example{Label: label, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	labels := [2]string{"hardware.printer", "network.vpn"}
	for i := range n {
		what := [2]string{
			[]string{"Der Drucker druckt nicht", "Papierstau im Drucker", "printer paper jam", "Toner ist leer"}[i%4],
			[]string{"VPN verbindet nicht", "Der Tunnel bricht ab", "vpn cannot connect", "Einwahl von zuhause"}[i%4],
		}
		for k, text := range what {
			put(labels[k], fmt.Sprintf("%s, Zimmer %d, Haus %d", text, 100+i, i%7))
		}
	}
	for _, text := range outside {
		put("oos", text)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(b.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEval(t *testing.T) {
	train := examplesFile(t, "train.jsonl", 30, "tell me a joke")
	test := examplesFile(t, "test.jsonl", 10, "wie wird das wetter", "what is the capital of peru", "play some jazz")
	loose := filepath.Join(t.TempDir(), "loose.jsonl")
	if err := os.WriteFile(loose, []byte("{\"text\":\"Drucker zieht kein Papier\"}\nVPN Tunnel weg\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := program(t, nil, "eval", "--train", train, "--test", test, "--unlabelled", loose, "--json")
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"accuracy", "macro_f1", "ece", "coverage", "train_seconds", "micros_per_message", "model_bytes", "oos_recall", "oos_auroc"} {
		if _, ok := got[name].(float64); !ok {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	if got["accuracy"] != 1.0 || got["oos_recall"] != 1.0 || got["oos_auroc"] != 1.0 || got["oos"] != 3.0 || got["categories"] != 2.0 {
		t.Errorf("figures: %v", got)
	}
	text, errs, code := program(t, nil, "eval", "--train", train, "--test", test)
	if code != exitFine || !strings.Contains(text, "accuracy   100.0 %") || !strings.Contains(text, "AUROC 1.000") {
		t.Errorf("exit %d, %s%s", code, text, errs)
	}
}

// TestTrainKeepsTheBetter holds that a model is written, used, and replaced only by one that is not worse.
func TestTrainKeepsTheBetter(t *testing.T) {
	train := examplesFile(t, "train.jsonl", 30)
	test := examplesFile(t, "test.jsonl", 10)
	file := filepath.Join(t.TempDir(), "desk.model")
	run := func(want int, args ...string) (string, string) {
		t.Helper()
		out, errs, code := program(t, nil, args...)
		if code != want {
			t.Fatalf("%v: exit %d, want %d: %s%s", args, code, want, out, errs)
		}
		return out, errs
	}
	run(exitFine, "train", "--train", train, "--out", file)
	run(exitFine, "train", "--train", train, "--out", file)
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := run(exitFine, "eval", "--model", file, "--test", test, "--json")
	if !strings.Contains(out, `"accuracy": 1,`) || !strings.Contains(out, `"train_seconds": null`) || !strings.Contains(out, `"oos_recall": null`) {
		t.Errorf("the stored model: %s", out)
	}

	// Too few to learn from: what two say of the others is where they sit.
	worse := filepath.Join(t.TempDir(), "worse.jsonl")
	few := `{"label":"hardware.printer","text":"Toner ist leer, Haus acht, Flur links"}
{"label":"hardware.printer","text":"printer paper jam, Hof zwei, Tor rechts"}
{"label":"network.vpn","text":"Einwahl von zuhause, Hof zwei, Tor rechts"}
{"label":"network.vpn","text":"vpn cannot connect, Haus acht, Flur links"}
`
	if err := os.WriteFile(worse, []byte(few), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ = run(exitFound, "train", "--train", worse, "--out", file, "--json")
	var answer trained
	if err := json.Unmarshal([]byte(out), &answer); err != nil || answer.Comparison.Replace || answer.Comparison.Texts == 0 {
		t.Errorf("%v: %s", err, out)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != string(first) {
		t.Errorf("the model that was there has changed (%v)", err)
	}
	run(exitFine, "train", "--train", worse, "--out", file, "--force")
	if now, err := os.ReadFile(file); err != nil || string(now) == string(first) {
		t.Errorf("--force did not replace the model (%v)", err)
	}

	if err := os.WriteFile(file, first[:len(first)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := run(exitNoRun, "train", "--train", train, "--out", file); !strings.Contains(errs, "damaged") {
		t.Errorf("a damaged model: %s", errs)
	}
}

func TestEvalSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	good := examplesFile(t, "good.jsonl", 2)
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"--test FILE", []string{"eval", "--train", good}},
		{"--train FILE or --model FILE", []string{"eval", "--test", good}},
		{"no such file", []string{"eval", "--train", filepath.Join(dir, "none"), "--test", good}},
		{"broken.jsonl:2: ", []string{"eval", "--train", good, "--test", write("broken.jsonl", "{\"label\":\"a\",\"text\":\"b\"}\nx\n")}},
		{"no \"label\"", []string{"eval", "--train", write("nolabel.jsonl", "{\"text\":\"b\"}\n"), "--test", good}},
		{"there is no example in it", []string{"eval", "--train", write("empty.jsonl", "\n"), "--test", good}},
		{"--out FILE", []string{"train", "--train", good}},
		{"damaged", []string{"eval", "--model", good, "--test", good}},
	} {
		out, errs, code := program(t, nil, tt.args...)
		if code != exitNoRun || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d, %s%s; want %q", tt.args, code, out, errs, tt.want)
		}
	}
}
