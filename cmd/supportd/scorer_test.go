package main

import (
	"testing"

	"supportd/classify"
	"supportd/tickets"
)

// Examples in the configuration decide where no signal helps; a text like none of them is left to people.
func TestExamplesAreLearnt(t *testing.T) {
	cc := classify.Config{Languages: []string{"de", "en"}, Team: "desk", Categories: []classify.Category{
		{Name: "network.vpn", Signals: map[string]float64{"vpn": 4}, Examples: []string{
			"Die Einwahl von zu Hause bricht nach einer Minute ab", "Tunnel lässt sich nicht aufbauen", "Fernzugriff geht nicht, Zeitüberschreitung beim Verbinden",
			"cannot reach the tunnel from home", "remote access drops every minute"}},
		{Name: "hardware.printer", Signals: map[string]float64{"drucker": 3, "printer": 3}, Examples: []string{
			"Papierstau im zweiten Stock", "es kommen nur leere Seiten heraus", "Toner ist leer, bitte neuen schicken",
			"paper jam on the second floor", "pages come out blank"}},
		{Name: "other", Default: true},
	}}
	scorer, err := configScorer(cc, t.TempDir())
	if err != nil || scorer == nil {
		t.Fatalf("no scorer: %v", err)
	}
	cc.Scorer = scorer
	c, err := classify.New(cc)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Seit heute früh bricht meine Einwahl von zu Hause dauernd ab.": "network.vpn",
		"Aus dem Gerät kommen leere Seiten, der Toner ist neu.":         "hardware.printer",
	} {
		m := &tickets.Message{From: []tickets.Address{{Mail: "k@x.example"}}, Author: "k@x.example", Text: text, Reply: text}
		if v := c.Classify(m, tickets.Hints{}); v.Category.Name != want {
			t.Errorf("%q is %q, want %q", text, v.Category.Name, want)
		}
	}
	if s, err := configScorer(classify.Config{Categories: []classify.Category{{Name: "a", Signals: map[string]float64{"x": 3}}, {Name: "b", Signals: map[string]float64{"y": 3}}}}, t.TempDir()); s != nil || err != nil {
		t.Errorf("with signals alone the signals decide: %v, %v", s, err)
	}
}
