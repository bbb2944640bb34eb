package classify

import (
	"strings"
	"testing"

	"supportd/tickets"
)

// TestLoginCodes holds which mails are kept from everybody because they hand out a code or a link to get in by, also when
// they come to the reply address of a ticket (S-189).
func TestLoginCodes(t *testing.T) {
	k := newClassifier(t, Config{})
	for _, tt := range []struct {
		name, from, subject, text string
		want                      bool
	}{
		{"a code", "noreply@service.example", "Your verification code is 123456", "It is valid for ten minutes.", true},
		{"a code in the text", "no-reply@service.example", "Welcome", "Your one-time password: 481 516", true},
		{"a code with letters", "security@service.example", "Sign in", "Use the login code G-482911.", true},
		{"a link", "accounts@service.example", "Please confirm your email address", "https://service.example/c?t=abc", true},
		{"a password to be set anew", "donotreply+77@service.example", "Reset your password", "Password reset: https://service.example/r", true},
		{"German", "nicht-antworten@dienst.example", "Ihr Bestätigungscode", "Er lautet 4711.", true},
		{"a German link", "noreply@dienst.example", "Willkommen", "Bitte bestätigen Sie Ihre E-Mail-Adresse: https://dienst.example/x", true},
		{"a customer who gets no code", "kim@kunde.example", "Your verification code is 123456", "I get this every day. Why?", false},
		{"no code in it", "noreply@service.example", "Your verification code", "has expired. Ask for another one.", false},
		{"an order", "noreply@shop.example", "Your order 4711", "We sent it: https://shop.example/o", false},
		{"a notice", "notifications@service.example", "Rechnung 2026-11", "Die Rechnung über 1200 EUR liegt bereit.", false},
		{"a name that only begins so", "identification@kunde.example", "access code", "1234", false},
		{"a sender that cannot be told", "nobody", "Your verification code is 123456", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := letter(t, "From: "+tt.from+"\nReturn-Path: <bounce@service.example>\nSubject: "+tt.subject+"\n", tt.text)
			for _, h := range []tickets.Hints{{}, {OnTicket: true, Ticket: &tickets.Ticket{}}} {
				v := k.Classify(m, h)
				if held := strings.HasPrefix(v.Quarantine, "a code or link"); held != tt.want {
					t.Errorf("held %t (%q), want %t", held, v.Quarantine, tt.want)
				}
				if strings.Contains(v.Quarantine, "123456") {
					t.Error("the reason has the code")
				}
			}
		})
	}
}
