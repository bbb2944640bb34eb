package classify

import (
	"testing"

	"supportd/tickets"
)

func TestAutoAnswer(t *testing.T) {
	answers := []Answer{
		{Name: "hours", Match: Match{Text: Text{Words: []string{"Öffnungszeiten", "opening hours"}}}},
		{Name: "password", Match: Match{Subject: Text{Words: []string{"Passwort", "password"}}, Body: Text{Contains: []string{"vergess", "forgot"}}}},
		{Name: "order", Match: Match{Subject: Text{Regex: `(?i)\border\s+[0-9]{6}\b`}}},
		{Name: "street", Match: Match{Text: Text{Words: []string{"Straße"}}}},
	}
	k := newClassifier(t, Config{Answers: answers})
	for _, tt := range []struct {
		subject, text, want string
	}{
		{"Frage", "Wie sind Ihre Öffnungszeiten?", "hours"},
		{"Frage", "Wie sind Ihre OEFFNUNGSZEITEN?", "hours"},
		{"Frage", "Wie sind Ihre O\u0308ffnungszeiten?", "hours"},
		{"Opening-hours?", "Hi", "hours"},
		{"What are the opening", "hours of the shop?", ""},
		{"Frage", "Die Ladenöffnungszeiten bitte", ""},
		{"Passwort", "Ich habe es vergessen", "password"},
		{"Passwort", "Ich will es ändern", ""},
		{"Frage", "Passwort vergessen", ""},
		{"Order 123456 is late", "", "order"},
		{"Order 1234567 is late", "", ""},
		{"In welcher STRASSE?", "", "street"},
		{"Drucker", "geht nicht", ""},
	} {
		m := letter(t, "Return-Path: <anna@kunde.example>\nFrom: anna@kunde.example\nSubject: "+tt.subject+"\n", tt.text)
		if v := k.Classify(m, tickets.Hints{}); v.AutoAnswer != tt.want {
			t.Errorf("%q, %q: answer %q, want %q", tt.subject, tt.text, v.AutoAnswer, tt.want)
		}
	}
}

// TestAutoAnswerStaysBack holds that no rule's text goes to a ticket somebody works on, to quoted words, or to a mail
// that must not be answered.
func TestAutoAnswerStaysBack(t *testing.T) {
	k := newClassifier(t, Config{Answers: []Answer{{Name: "hours", Match: Match{Text: Text{Words: []string{"hours"}}}}}})
	m := letter(t, customer, "What hours?")
	if v := k.Classify(m, tickets.Hints{OnTicket: true}); v.AutoAnswer != "" {
		t.Errorf("answer %q to a message on a ticket", v.AutoAnswer)
	}
	if v := k.Classify(letter(t, customer+"Precedence: bulk\n", "What hours?"), tickets.Hints{}); v.AutoAnswer != "" {
		t.Errorf("answer %q to bulk mail", v.AutoAnswer)
	}
	m.Reply = "Thanks"
	if v := k.Classify(m, tickets.Hints{}); v.AutoAnswer != "" {
		t.Errorf("answer %q to quoted words", v.AutoAnswer)
	}
}

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"  Drucker-Problem!  ": "drucker problem",
		"Größe":                "groesse",
		"ＡＢＣ①":                 "abc1",
		"Straße":               "strasse",
		"a\u0308":              "ae",
		"...":                  "",
		"éé":                   "éé",
	} {
		if got := normalise(in); got != want {
			t.Errorf("normalise(%q) = %q, want %q", in, got, want)
		}
	}
}
