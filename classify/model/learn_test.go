package model

import (
	"errors"
	"math"
	"testing"
	"time"
)

// TestCorrectionCountsAtOnce holds that what an agent corrected is judged right the next time, and so is what is like it,
// and that the rest stays as it was.
func TestCorrectionCountsAtOnce(t *testing.T) {
	for name, m := range map[string]*Model{
		"examples":             mustTrain(t, Options{}, desk(40, 1), nil, nil, nil),
		"signals and examples": mustTrain(t, Options{}, desk(5, 1), deskSignals(), nil, nil),
		"signals":              mustTrain(t, Options{}, nil, deskSignals(), nil, nil),
	} {
		t.Run(name, func(t *testing.T) {
			test := desk(50, 2)
			var sure []Example // what the model knows before
			for _, e := range test {
				if p := m.Classify(e.Text); p.Known && p.Best == e.Label {
					sure = append(sure, e)
				}
			}
			for _, e := range []Example{
				{"network.vpn", "Mein Passwort für den Tunnel ist falsch, das Zertifikat fehlt"},
				{"hardware.printer", "Der Plotter im Keller brummt"},
				{"building.heating", "Die Klimaanlage tropft auf den Schreibtisch"},
			} {
				if err := m.Learn(e); err != nil {
					t.Fatal(err)
				}
				if p := m.Classify(e.Text); p.Best != e.Label || !p.Known {
					t.Errorf("%q was corrected to %s and is judged %+v", e.Text, e.Label, p)
				}
			}
			if p := m.Classify("Plotter brummt schon wieder"); p.Best != "hardware.printer" {
				t.Errorf("a text like a corrected one: %+v", p)
			}
			if p := m.Classify("Klimaanlage tropft"); p.Best != "building.heating" || len(p.Evidence) == 0 {
				t.Errorf("a text like one of a new category: %+v", p)
			}
			if after := Evaluate(m, sure, time.Now).Accuracy; len(sure) < 50 || after < 0.98 {
				t.Errorf("after three corrections %.3f of %d texts are right that were before", after, len(sure))
			}
			if _, since := m.Examples(); since != 3 {
				t.Errorf("%d examples learnt since the training", since)
			}
		})
	}
}

// TestLearnFollowsTheDesk feeds one correction after the other: each text is judged before it is learnt.
func TestLearnFollowsTheDesk(t *testing.T) {
	m := mustTrain(t, Options{}, nil, deskSignals(), nil, nil)
	stream := desk(50, 8)
	var right [2]int
	for i, e := range stream {
		if m.Classify(e.Text).Best == e.Label {
			right[2*i/len(stream)]++
		}
		if err := m.Learn(e); err != nil {
			t.Fatal(err)
		}
	}
	first, second := float64(right[0])/150, float64(right[1])/150
	if second < 0.9 || second < first {
		t.Errorf("accuracy of the first half %.3f, of the second %.3f", first, second)
	}
}

func TestLearnWhatIsNone(t *testing.T) {
	m := mustTrain(t, Options{}, desk(40, 1), nil, nil, nil)
	const text = "Hallo, der Drucker druckt nicht mehr Danke!"
	if p := m.Classify(text); !p.Known {
		t.Fatalf("the text has to be known before: %+v", p)
	}
	if err := m.Learn(Example{"oos", text}); err != nil {
		t.Fatal(err)
	}
	if p := m.Classify(text); p.Known {
		t.Errorf("still known: %+v", p)
	}
	if p := m.Classify("Guten Morgen, Papierstau seit heute im Laserdrucker"); p.Best != "hardware.printer" {
		t.Errorf("a printer is now %+v", p)
	}
}

// TestLearnChangesNothingWithoutNeed holds that a model that was right stays as it is.
func TestLearnChangesNothingWithoutNeed(t *testing.T) {
	m := mustTrain(t, Options{}, desk(40, 1), nil, nil, nil)
	const text = "Hallo, Papierstau im Drucker, er druckt nicht mehr"
	before := m.Classify(text)
	if !before.Known || before.Probability < sureEnough {
		t.Fatalf("the model has to be sure before: %+v", before)
	}
	if err := m.Learn(Example{"hardware.printer", text}); err != nil {
		t.Fatal(err)
	}
	if after := m.Classify(text); after.Probability != before.Probability || m.late.cells != 0 {
		t.Errorf("%+v became %+v, %d changes", before, after, m.late.cells)
	}
}

func TestLearnRefuses(t *testing.T) {
	m := mustTrain(t, Options{}, desk(5, 1), nil, nil, nil)
	for _, e := range []Example{{"", "x"}, {"a", ""}, {"a", "?!"}} {
		if m.Learn(e) == nil {
			t.Errorf("%+v: no error", e)
		}
	}
	m.late.cells = maxLate + 1
	if err := m.Learn(Example{"a", "b"}); !errors.Is(err, ErrFull) {
		t.Errorf("a full model says %v", err)
	}
}

func TestSpam(t *testing.T) {
	fresh, err := TrainSpam(Options{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, words := fresh.Score("You have won! Claim your prize at our online casino, free spins, act now"); p < 0.99 || len(words) == 0 {
		t.Errorf("crude spam: %.3f %v", p, words)
	}
	for _, text := range []string{"", "Der Drucker druckt nicht", "We lost an inheritance case file, strictly confidential", "Wie viel kostet abnehmen? Nur heute frei"} {
		if p, _ := fresh.Score(text); p > 0.7 {
			t.Errorf("%q: %.3f", text, p)
		}
	}
	var spam, wanted []string
	for i, e := range desk(30, 1) {
		wanted = append(wanted, e.Text)
		spam = append(spam, []string{
			"Ihr Paket wartet, Zollgebühr jetzt bezahlen", "Your mailbox is full, verify here", "Neue Sprachnachricht, hier anhören",
			"Unpaid toll, settle the fee now", "Paket konnte nicht zugestellt werden, Gebühr offen",
		}[i%5]+" "+e.Text[:3])
	}
	s, err := TrainSpam(Options{}, spam, wanted)
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := s.Score("Ihr Paket: Gebühr jetzt bezahlen"); p < 0.9 {
		t.Errorf("spam as seen before: %.3f", p)
	}
	const mail = "Paket mit Toner für den Drucker ist da, Gebühr bezahlt"
	if err := s.Learn(mail, false); err != nil {
		t.Fatal(err)
	}
	if p, _ := s.Score(mail); p > 0.5 || math.IsNaN(p) {
		t.Errorf("a released mail is still spam: %.3f", p)
	}
}
