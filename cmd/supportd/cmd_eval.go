package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"supportd/classify/model"
)

// Commands that train the classifier on files and measure it. They touch no desk.

// evaluated is what `supportd eval --json` prints; other programs rely on the names. Figures that cannot be told are null.
type evaluated struct {
	Accuracy float64 `json:"accuracy"` // of the texts that belong to a category
	MacroF1  float64 `json:"macro_f1"`
	ECE      float64 `json:"ece"`
	Coverage float64 `json:"coverage"`         // share of them that the model says it knows
	Covered  float64 `json:"covered_accuracy"` // accuracy on that share

	TrainSeconds     *float64 `json:"train_seconds"` // null: the model was read from a file
	MicrosPerMessage float64  `json:"micros_per_message"`
	ModelBytes       int      `json:"model_bytes"`

	OOSRecall *float64 `json:"oos_recall"` // share of the texts that belong to none of which the model says so
	OOSAUROC  *float64 `json:"oos_auroc"`

	Test       int          `json:"test"` // texts
	Outside    int          `json:"oos"`  // of them, those that belong to none
	Categories int          `json:"categories"`
	CrossVal   *model.Score `json:"cross_validation"` // of the training; null when there was too little to hold back
}

// trainFlags say what to train on.
type trainFlags struct {
	train, unlabelled string
	seed              uint64
	floor             float64
}

func (f *trainFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.train, "train", "", `examples, JSON Lines {"label","text"}`)
	cmd.Flags().StringVar(&f.unlabelled, "unlabelled", "", `texts without a label, JSON Lines {"text"} or one a line; they help when examples are few`)
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "of every random choice; same seed, same model")
	cmd.Flags().Float64Var(&f.floor, "floor", 0.5, "probability below which a category is not known")
}

func (a *app) evalCommand() *cobra.Command {
	var f trainFlags
	var test, stored string
	cmd := &cobra.Command{
		Use: "eval", Short: "measure how well the classifier knows categories", Args: cobra.NoArgs,
		Long: "eval says how well the categories can be told apart by what the desk can learn from: signals and examples of the\n" +
			"configuration, and its own tickets, each held back in turn. With files it trains on the examples of one and judges the\n" +
			"texts of another, which it does not learn from. Labels oos and out_of_scope are never trained on; such texts are right\n" +
			"when the model says that it does not know.",
		Example: "  supportd eval\n  supportd eval --train train.jsonl --test test.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.train == "" && test == "" && stored == "" {
				return a.evalDesk(cmd.Context())
			}
			return a.eval(f, test, stored)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&test, "test", "", `texts to judge, JSON Lines {"label","text"}`)
	cmd.Flags().StringVar(&stored, "model", "", "judge with this model, instead of training one")
	return cmd
}

func (a *app) eval(f trainFlags, testFile, stored string) error {
	if testFile == "" || (f.train == "") == (stored == "") {
		return errors.New("eval: say what to judge with --test FILE, and either --train FILE or --model FILE")
	}
	test, err := readExamples(testFile)
	if err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	var out evaluated
	var m *model.Model
	if stored != "" {
		if m, err = readModel(stored); err != nil {
			return fmt.Errorf("eval: %w", err)
		}
	} else {
		var seconds float64
		if m, _, seconds, err = a.trainFrom(f); err != nil {
			return fmt.Errorf("eval: %w", err)
		}
		out.TrainSeconds = &seconds
	}
	bytes, err := m.MarshalBinary()
	if err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	r := model.Evaluate(m, test, a.now)
	out.Accuracy, out.MacroF1, out.ECE, out.Coverage, out.Covered = r.Accuracy, r.MacroF1, r.ECE, r.Coverage, r.Covered
	out.MicrosPerMessage = float64(r.Took.Nanoseconds()) / 1e3 / float64(len(test))
	out.ModelBytes, out.Test, out.Outside, out.Categories = len(bytes), len(test), r.Outside, len(m.Categories())
	out.OOSRecall, out.OOSAUROC = figure(r.Recall), figure(r.AUROC)
	if s := m.Score(); s.Texts > 0 {
		out.CrossVal = &s
	}
	return a.print(out, func(w io.Writer) { out.write(w, r) })
}

// figure is nil for what is no number, which JSON cannot say.
func figure(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func (e evaluated) write(w io.Writer, r model.Report) {
	fmt.Fprintf(w, "accuracy   %5.1f %%   of %d texts, %d categories\n", 100*e.Accuracy, r.Texts, e.Categories)
	fmt.Fprintf(w, "macro F1   %5.1f %%\n", 100*e.MacroF1)
	fmt.Fprintf(w, "known      %5.1f %%   of them; of those %.1f %% are right\n", 100*e.Coverage, 100*e.Covered)
	fmt.Fprintf(w, "ECE        %5.3f     how far probabilities are from what happens\n", e.ECE)
	if e.OOSRecall != nil && e.OOSAUROC != nil {
		fmt.Fprintf(w, "outside    %5.1f %%   of %d texts that belong nowhere are not known (AUROC %.3f)\n", 100**e.OOSRecall, e.Outside, *e.OOSAUROC)
	}
	if e.TrainSeconds != nil {
		fmt.Fprintf(w, "training   %5.1f s\n", *e.TrainSeconds)
	}
	fmt.Fprintf(w, "a message  %5.0f µs\nthe model  %5.1f MB\n", e.MicrosPerMessage, float64(e.ModelBytes)/1e6)
}

// trained is what `supportd train --json` prints.
type trained struct {
	Examples     int              `json:"examples"`
	Categories   int              `json:"categories"`
	TrainSeconds float64          `json:"train_seconds"`
	ModelBytes   int              `json:"model_bytes"`
	Score        model.Score      `json:"cross_validation"`
	Comparison   model.Comparison `json:"comparison"`
}

func (a *app) trainCommand() *cobra.Command {
	var f trainFlags
	var out string
	var force bool
	cmd := &cobra.Command{
		Use: "train", Short: "learn the categories anew", Args: cobra.NoArgs,
		Long: "train learns from signals and examples of the configuration and from the desk's own tickets, as the running desk does\n" +
			"by itself from time to time. With files it makes a model of the examples of one and writes it to another. A model that is\n" +
			"there already is replaced only if the new one is not worse on the examples, each judged by a model that had not seen it;\n" +
			"otherwise the old one stays and the exit code is 1.",
		Example: "  supportd train\n  supportd train --train train.jsonl --out desk.model",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.train == "" && out == "" {
				return a.trainDesk(cmd.Context())
			}
			return a.train(f, out, force)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "where the model is written")
	cmd.Flags().BoolVar(&force, "force", false, "replace the model that is there in any case")
	return cmd
}

func (a *app) train(f trainFlags, path string, force bool) error {
	if f.train == "" || path == "" {
		return errors.New("train: say what to learn from with --train FILE, and where to write with --out FILE")
	}
	var old *model.Model
	if !force {
		var err error
		if old, err = readModel(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("train: %w; --force writes over it", err)
		}
	}
	m, examples, seconds, err := a.trainFrom(f)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	b, err := m.MarshalBinary()
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	count, _ := m.Examples()
	t := trained{
		Examples: count, Categories: len(m.Categories()), TrainSeconds: seconds, ModelBytes: len(b), Score: m.Score(),
		Comparison: model.Compare(old, m, examples),
	}
	if t.Comparison.Replace {
		if err := writeModel(path, b); err != nil {
			return fmt.Errorf("train: write the model: %w", err)
		}
	}
	err = a.print(t, func(w io.Writer) {
		fmt.Fprintf(w, "%d examples, %d categories, %.1f s\n", t.Examples, t.Categories, t.TrainSeconds)
		if s := t.Score; s.Texts > 0 {
			fmt.Fprintf(w, "cross-validated on %d: accuracy %.1f %%, macro F1 %.1f %%, ECE %.3f\n", s.Texts, 100*s.Accuracy, 100*s.MacroF1, s.ECE)
		}
		fmt.Fprintln(w, t.Comparison.Why)
		if t.Comparison.Replace {
			fmt.Fprintf(w, "written to %s (%.1f MB)\n", path, float64(t.ModelBytes)/1e6)
		} else {
			fmt.Fprintf(w, "%s stays as it is; --force replaces it\n", path)
		}
	})
	if err == nil && !t.Comparison.Replace {
		return exitCode(exitFound)
	}
	return err
}

// trainFrom trains on files. The names of the categories are taken to say what they are about.
func (a *app) trainFrom(f trainFlags) (m *model.Model, examples []model.Example, seconds float64, err error) {
	if examples, err = readExamples(f.train); err != nil {
		return nil, nil, 0, err
	}
	var loose []string
	if f.unlabelled != "" {
		if loose, err = readTexts(f.unlabelled); err != nil {
			return nil, nil, 0, err
		}
	}
	o := model.Options{Seed: f.seed, Floor: f.floor}
	names := map[string][]string{}
	for _, e := range examples {
		names[e.Label] = []string{model.SplitName(e.Label)}
	}
	begin := a.now()
	m, err = model.Train(o, examples, nil, names, loose)
	return m, examples, a.now().Sub(begin).Seconds(), err
}

// maxLine is the longest line of a file of examples, in bytes.
const maxLine = 4 << 20

// eachLine calls fn for every line that is not empty; its errors get the place.
func eachLine(path string, fn func([]byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	n := 0
	for s.Scan() {
		n++
		line := bytes.TrimSpace(s.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := fn(line); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", path, n+1, err)
	}
	return nil
}

func readExamples(path string) ([]model.Example, error) {
	var list []model.Example
	err := eachLine(path, func(line []byte) error {
		var e model.Example
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf(`read an example: %w; write one JSON object {"label","text"} on each line`, err)
		}
		if e.Label == "" {
			return errors.New(`read an example: it has no "label"`)
		}
		list = append(list, e)
		return nil
	})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: there is no example in it", path)
	}
	return list, err
}

func readTexts(path string) ([]string, error) {
	var list []string
	err := eachLine(path, func(line []byte) error {
		if line[0] != '{' {
			list = append(list, string(line))
			return nil
		}
		var e model.Example
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf(`read a text: %w; write one JSON object {"text"} on each line, or the bare text`, err)
		}
		list = append(list, e.Text)
		return nil
	})
	return list, err
}

func readModel(path string) (*model.Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > model.MaxStored {
		return nil, fmt.Errorf("%s: it is larger than any model", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := model.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// writeModel writes a file beside the one it then takes the place of: a reader sees the old one or the new one, whole.
func writeModel(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	for _, step := range []func() error{f.Sync, f.Close} {
		if e := step(); err == nil {
			err = e
		}
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
