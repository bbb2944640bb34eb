package model

import (
	"math"
	"testing"
	"time"
)

func TestScoreOf(t *testing.T) {
	s := scoreOf([]outcome{
		{want: 0, got: 0, probability: 0.95, loss: 0.1},
		{want: 0, got: 1, probability: 0.55, loss: 1.1},
		{want: 1, got: 1, probability: 0.95, loss: 0.1},
		{want: 2, got: 1, probability: 0.75, loss: 2.3},
	})
	// F1: 0 is 2·1/(2+1), 1 is 2·1/(1+3), 2 is 0.
	want := Score{Texts: 4, Accuracy: 0.5, MacroF1: (2.0/3 + 0.5 + 0) / 3, LogLoss: 0.9, ECE: (0.1 + 0.55 + 0.75) / 4}
	for _, v := range [][2]float64{{s.Accuracy, want.Accuracy}, {s.MacroF1, want.MacroF1}, {s.LogLoss, want.LogLoss}, {s.ECE, want.ECE}} {
		if math.Abs(v[0]-v[1]) > 1e-9 {
			t.Errorf("%+v, want %+v", s, want)
		}
	}
	if s := scoreOf(nil); s != (Score{}) {
		t.Errorf("score of nothing: %+v", s)
	}
}

func TestAUROC(t *testing.T) {
	for _, tt := range []struct {
		high, low []float64
		want      float64
	}{
		{[]float64{3, 4}, []float64{1, 2}, 1},
		{[]float64{1, 2}, []float64{3, 4}, 0},
		{[]float64{1, 1}, []float64{1, 1, 1}, 0.5},
		{[]float64{1, 3}, []float64{2, 3}, (0 + 0 + 1 + 0.5) / 4},
	} {
		if got := auroc(tt.high, tt.low); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%v over %v: %f, want %f", tt.high, tt.low, got, tt.want)
		}
	}
}

// TestCompare holds when a new model takes the place of an old one.
func TestCompare(t *testing.T) {
	good, more := desk(15, 1), desk(20, 2)
	old := mustTrain(t, Options{}, good, nil, nil, nil)
	all := append(append([]Example(nil), good...), more...)
	next := mustTrain(t, Options{}, all, nil, nil, nil)
	c := Compare(old, next, all)
	if !c.Replace || c.Texts < 150 || c.New < c.Old || c.OldScore != old.Score() || c.NewScore != next.Score() {
		t.Errorf("a better model: %+v", c)
	}

	// Half of the labels shuffled: what is trained on that is worse, and the figures say so on the true examples.
	wrong := append([]Example(nil), all...)
	for i := 0; i+1 < len(wrong); i += 2 {
		wrong[i].Label = wrong[(i+7)%len(wrong)].Label
	}
	bad := mustTrain(t, Options{}, wrong, nil, nil, nil)
	if c := Compare(next, bad, all); c.Replace || c.New >= c.Old || c.Why == "" {
		t.Errorf("a worse model: %+v", c)
	}

	if c := Compare(nil, next, all); !c.Replace {
		t.Errorf("no model before: %+v", c)
	}
	other := mustTrain(t, Options{}, append(all, Example{"building", "Heizung"}), nil, nil, nil)
	if c := Compare(next, other, all); !c.Replace {
		t.Errorf("other categories: %+v", c)
	}
	if c := Compare(next, next, nil); !c.Replace || c.Texts != 0 {
		t.Errorf("nothing to compare by: %+v", c)
	}
}

// TestCompareTakesTheFirstWord holds that a text which the old model learnt as a correction is counted as it judged it before.
func TestCompareTakesTheFirstWord(t *testing.T) {
	base := desk(12, 1)
	old := mustTrain(t, Options{}, base, nil, nil, nil)
	var fresh []Example
	for _, text := range []string{"Der Plotter im Keller brummt", "Plotter: Rolle leer", "Plotter im Keller ohne Tinte", "Unser Plotter, Rolle klemmt"} {
		e := Example{"network.vpn", text} // new knowledge, against what the words say
		if old.Classify(text).Best == e.Label {
			t.Fatalf("%q is right before it is learnt", text)
		}
		fresh = append(fresh, e)
	}
	for _, e := range fresh {
		if err := old.Learn(e); err != nil {
			t.Fatal(err)
		}
	}
	if old.Classify(fresh[0].Text).Best != "network.vpn" {
		t.Fatal("the correction was not learnt")
	}
	next := mustTrain(t, Options{}, append(append([]Example(nil), base...), fresh...), nil, nil, nil)
	c := Compare(old, next, fresh)
	if c.Texts != len(fresh) || c.Old == 1 {
		t.Errorf("%+v: the old model is counted as right on all it was told", c)
	}
}

func TestEvaluateWithoutOutside(t *testing.T) {
	m := mustTrain(t, Options{}, desk(10, 1), nil, nil, nil)
	r := Evaluate(m, desk(10, 2), time.Now)
	if !math.IsNaN(r.Recall) || !math.IsNaN(r.AUROC) || r.Outside != 0 || r.Texts != 60 || r.Took <= 0 {
		t.Errorf("%+v", r)
	}
	if r := Evaluate(m, []Example{{"oos", "x"}}, time.Now); r.Texts != 0 || r.Outside != 1 {
		t.Errorf("only outside: %+v", r)
	}
}
