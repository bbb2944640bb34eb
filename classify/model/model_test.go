package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSignals holds that without any example the admin's signals decide, by their rule: enough for one category, and
// clearly more than for any other; each signal once; umlauts, compounds and endings understood.
func TestSignals(t *testing.T) {
	m := mustTrain(t, Options{}, nil, deskSignals(), nil, nil)
	for _, tt := range []struct {
		text, want string // "": not known
	}{
		{"Mein PASSWORT geht nicht", "access.password"},
		{"login", ""},
		{"login login login login", ""},
		{"Konto gesperrt beim Login", "access.password"},
		{"Der Laserdrucker steht im Flur", "hardware.printer"},
		{"Die Druckern gehen alle nicht", "hardware.printer"},
		{"Druckerproblem", "hardware.printer"},
		{"Papierstau: VPN", ""}, // 3 against 4
		{"paper, jam", "hardware.printer"},
		{"jam on paper", ""},
		{"Landkarte, Plan, Lan", ""},
		{"kein  Netz!", "network.wlan"},
		{"ORA-00942: table or view does not exist", "database"},
		{"In der STRASSE", "database"},
		{"In der Stra\u00dfe", "database"},
		{"GROESSE der Pakete", "network.vpn"},
		{"Gro\u0308\u00dfe der Pakete", "network.vpn"},
		{"Guten Tag", ""},
		{"", ""},
	} {
		p := m.Classify(tt.text)
		if p.Known != (tt.want != "") || p.Known && p.Best != tt.want {
			t.Errorf("%q: %s, known %v, probability %.2f; want %q", tt.text, p.Best, p.Known, p.Probability, tt.want)
		}
	}
	p := m.Classify("Passwort gesperrt, auch am Drucker")
	if p.RunnerUp != "hardware.printer" || p.Probability <= p.RunnerUpProbability || len(p.Evidence) < 2 ||
		p.Evidence[0] != (Term{"passwort", 3}) || p.Evidence[1] != (Term{"gesperrt", 2}) {
		t.Errorf("evidence and runner-up are %+v", p)
	}
}

func TestLearnsADesk(t *testing.T) {
	m := mustTrain(t, Options{}, desk(40, 1), nil, nil, nil)
	r := Evaluate(m, desk(100, 2), time.Now)
	if r.Accuracy < 0.97 || r.ECE > 0.05 || r.Coverage < 0.9 || r.Covered < 0.98 {
		t.Errorf("accuracy %.3f, ECE %.3f, coverage %.3f, covered %.3f", r.Accuracy, r.ECE, r.Coverage, r.Covered)
	}
	if s := m.Score(); s.Texts != 240 || math.Abs(s.Accuracy-r.Accuracy) > 0.05 {
		t.Errorf("cross-validated score %+v, and on other texts %.3f", s, r.Accuracy)
	}
	for text, want := range map[string]string{
		"Kein Ausdruck, Tonerkartusche tauschen": "hardware.printer", // a compound of a word that was only seen in English
		"Paswort vergesen":                       "access.password",  // misspelt
		"Rechnungsläufe abschliessen":            "app.invoice",
		"RECHNUNGSLAEUFE ABSCHLIEẞEN":            "app.invoice",
	} {
		if p := m.Classify(text); p.Best != want {
			t.Errorf("%q: %s (%.2f), want %s", text, p.Best, p.Probability, want)
		}
	}
	p := m.Classify("Hallo, ich brauche Hilfe: Papierstau im Drucker")
	var words []string
	for _, e := range p.Evidence[:2] {
		words = append(words, e.Text)
	}
	if got := strings.Join(words, " "); got != "papierstau drucker" && got != "drucker papierstau" {
		t.Errorf("the evidence is %+v", p.Evidence)
	}
}

// TestOutside holds that texts from elsewhere are not known, though nobody showed the model any.
func TestOutside(t *testing.T) {
	m := mustTrain(t, Options{}, append(desk(40, 1), Example{"oos", "what is the weather like"}), nil, nil, nil)
	test := desk(50, 3)
	for _, s := range []string{
		"how tall is the eiffel tower", "Wie wird das Wetter am Wochenende in Rom?", "recipe for pancakes with blueberries",
		"who won the football match yesterday", "Spiel mir ein Lied von Brahms", "set a timer for ten minutes",
		"convert five miles into kilometres", "Kino heute Abend mit Freunden", "what is the weather like", "zzz qqq xxx",
	} {
		test = append(test, Example{"out_of_scope", s})
	}
	r := Evaluate(m, test, time.Now)
	if r.Outside != 10 || r.Recall < 0.9 || r.AUROC < 0.98 {
		t.Errorf("of %d texts from outside %.2f are not known, AUROC %.3f", r.Outside, r.Recall, r.AUROC)
	}
	for _, c := range m.Categories() {
		if c == "oos" {
			t.Error("oos became a category")
		}
	}
}

// TestNoLeak holds that the cross-validated score cannot be had by looking: with labels drawn by lot it is that of a guess.
func TestNoLeak(t *testing.T) {
	for _, n := range []int{200, 1500} {
		m := mustTrain(t, Options{}, noise(n, 4, 5), nil, nil, nil)
		s := m.Score()
		if limit := 0.25 + 3*math.Sqrt(0.25*0.75/float64(s.Texts)); s.Accuracy > limit {
			t.Errorf("%d examples without meaning: cross-validated accuracy %.3f is above %.3f", n, s.Accuracy, limit)
		}
		if s.ECE > 0.12 {
			t.Errorf("%d examples without meaning: ECE %.3f", n, s.ECE)
		}
	}
}

// TestEqualTextsStayTogether holds that a text that was sent ten times does not judge itself.
func TestEqualTextsStayTogether(t *testing.T) {
	var examples []Example
	for i, e := range noise(60, 3, 6) {
		for range 10 {
			examples = append(examples, Example{e.Label, strings.ToUpper(e.Text[:1]) + e.Text[1:] + strings.Repeat("!", i%3)})
		}
	}
	if s := mustTrain(t, Options{}, examples, nil, nil, nil).Score(); s.Accuracy > 0.6 {
		t.Errorf("each of 60 texts without meaning ten times: cross-validated accuracy %.3f", s.Accuracy)
	}
}

// TestUnlabelled holds that names and texts without labels help where examples are few.
func TestUnlabelled(t *testing.T) {
	var few []Example
	count := map[string]int{}
	for _, e := range desk(40, 1) {
		if count[e.Label]++; count[e.Label] <= 2 {
			few = append(few, e)
		}
	}
	var loose []string
	for _, e := range desk(50, 4) {
		loose = append(loose, e.Text)
	}
	names := map[string][]string{"hardware.printer": {"Drucker", "Printer"}, "access.password": {"Passwort", "Password and login"}, "network.vpn": {"VPN"},
		"software.install": {"Software"}, "app.invoice": {"Rechnungen", "Invoices"}, "security.phishing": {"Phishing"}}
	test := desk(100, 2)
	plain := Evaluate(mustTrain(t, Options{}, few, nil, nil, nil), test, time.Now).Accuracy
	helped := Evaluate(mustTrain(t, Options{}, few, nil, names, loose), test, time.Now).Accuracy
	if helped < plain+0.05 {
		t.Errorf("two examples each: accuracy %.3f, with names and unlabelled texts %.3f", plain, helped)
	}
}

// TestSignalsAndExamples holds that signals still speak when there are examples, for a category that has none as well.
func TestSignalsAndExamples(t *testing.T) {
	priors := map[string]map[string]float64{"building.heating": {"heizung": 4, "radiator": 4}, "hardware.printer": {"drucker": 3}}
	m := mustTrain(t, Options{}, desk(20, 1), priors, nil, nil)
	if p := m.Classify("Die Heizung im Büro, Radiator ist kalt"); p.Best != "building.heating" {
		t.Errorf("a category with signals alone: %+v", p)
	}
	if r := Evaluate(m, desk(50, 2), time.Now); r.Accuracy < 0.95 {
		t.Errorf("accuracy %.3f", r.Accuracy)
	}
}

func TestSameInputSameModel(t *testing.T) {
	var first []byte
	for _, workers := range []int{1, 4} {
		b, err := mustTrain(t, Options{Seed: 3, Workers: workers}, desk(6, 1), deskSignals(), nil, []string{"Drucker kaputt", "VPN geht nicht"}).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		} else if string(first) != string(b) {
			t.Error("the number of goroutines changed the model")
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	for name, train := range map[string]func() error{
		"nothing":      func() error { _, err := Train(Options{}, nil, nil, nil, nil); return err },
		"only ignored": func() error { _, err := Train(Options{}, []Example{{"oos", "x"}}, nil, nil, nil); return err },
		"empty signal": func() error {
			_, err := Train(Options{}, nil, map[string]map[string]float64{"a": {"!!": 1}}, nil, nil)
			return err
		},
		"weight": func() error {
			_, err := Train(Options{}, nil, map[string]map[string]float64{"a": {"b": math.NaN()}}, nil, nil)
			return err
		},
		"floor": func() error { _, err := Train(Options{Floor: 2}, desk(1, 1), nil, nil, nil); return err },
	} {
		if train() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestOddInputs trains on what desks have on their worst days.
func TestOddInputs(t *testing.T) {
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft ", 5000)
	for name, examples := range map[string][]Example{
		"one category":   {{"a", "x y"}, {"a", "y z"}},
		"one example":    {{"a", "x y"}},
		"two, no words":  {{"a", ""}, {"b", "..."}},
		"same text, two": {{"a", "x y"}, {"b", "x y"}},
		"long":           {{"a", long}, {"b", "kurz"}, {"a", long + "x"}},
		"one long word":  {{"a", strings.Repeat("ab", 3000)}, {"b", "\xff\xfe broken"}},
		"other scripts":  {{"a", "принтер не печатает"}, {"b", "打印机坏了"}, {"a", "принтер сломан"}},
	} {
		m := mustTrain(t, Options{}, examples, nil, nil, nil)
		for _, e := range append(examples, Example{"", "völlig anderes"}) {
			p := m.Classify(e.Text)
			if p.Best == "" || math.IsNaN(p.Probability) || p.Probability < 0 || p.Probability > 1 || p.Probability < p.RunnerUpProbability {
				t.Errorf("%s: %.20q gives %+v", name, e.Text, p)
			}
		}
		if b, err := m.MarshalBinary(); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if _, err := Decode(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSizeIsBounded holds that more words than fit are left out, the rarest first, and the rest still serves.
func TestSizeIsBounded(t *testing.T) {
	m := mustTrain(t, Options{MaxBytes: 60_000}, desk(40, 1), nil, nil, nil)
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 80_000 {
		t.Errorf("%d bytes", len(b))
	}
	if r := Evaluate(m, desk(50, 2), time.Now); r.Accuracy < 0.9 {
		t.Errorf("accuracy %.3f with %d n-grams", r.Accuracy, len(m.hash))
	}
}

// TestMultiply holds the eightfold multiplication against one weight at a time.
func TestMultiply(t *testing.T) {
	const seed = 17
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		classes, grams := 1+rng.IntN(40), 1+rng.IntN(300)
		w := weights{stride: stride(classes), cell: make([]byte, stride(classes)*grams), bias: make([]float32, classes)}
		s := &scratch{}
		for n := range grams {
			w.scale = append(w.scale, rng.Float32())
			s.rows = append(s.rows, int32(n))
			s.values = append(s.values, rng.Float32())
		}
		for i := range w.cell {
			w.cell[i] = byte(1 + rng.IntN(255))
		}
		out := make([]float32, classes)
		w.multiply(s, out)
		for k := range out {
			var want, size float64
			for n, v := range s.values {
				x := float64(v * w.at(int32(n), k))
				want += x
				size += math.Abs(x)
			}
			// A value is rounded to 1/255 of the greatest.
			if off := math.Abs(float64(out[k]) - want); off > 127.0/255*math.Sqrt(float64(grams))*2+1e-3*size {
				t.Fatalf("%d categories, %d n-grams: score %f, want %f", classes, grams, out[k], want)
			}
		}
	}
}

// TestMostGrams holds that the sums cannot overflow: the longest text, the greatest weights.
func TestMostGrams(t *testing.T) {
	grams := maxText * (maxLetters + 2)
	w := weights{stride: 8, cell: make([]byte, 8*grams), bias: make([]float32, 8)}
	s := &scratch{}
	for n := range grams {
		w.scale = append(w.scale, 1)
		s.rows, s.values = append(s.rows, int32(n)), append(s.values, 1)
	}
	for i := range w.cell {
		w.cell[i] = 255
	}
	out := make([]float32, 8)
	w.multiply(s, out)
	for k, v := range out {
		if want := float64(127 * grams); math.Abs(float64(v)-want) > want/1000 {
			t.Errorf("category %d: %f, want %f", k, v, want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	m := mustTrain(t, Options{}, desk(10, 1), deskSignals(), nil, nil)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 50 {
				if p := m.Classify(fmt.Sprintf("Der Drucker %d in Raum %d druckt nicht", i, g)); p.Best == "" {
					t.Error("no category")
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 20 {
			if err := m.Learn(Example{"building.heating", fmt.Sprintf("Heizung %d ist kalt", i)}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for range 5 {
			if _, err := m.MarshalBinary(); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}
