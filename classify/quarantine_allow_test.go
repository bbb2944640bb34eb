package classify

import (
	"testing"

	"supportd/tickets"
)

// Those whom the admin allows are not held for a filter's score, if they are authenticated; for everything else they are.
func TestAllowedSenders(t *testing.T) {
	c := Config{ScoreAtLeast: 6, AuthservID: []string{"mx.desk.example"}, Customers: []Customer{{Organisation: "Kunde AG", Domains: []string{"kunde.example"}}},
		Allow: Allow{Customers: true, Domains: []string{"staff.example"}, Addresses: []string{"Support@vendor.example"}}}
	k := newClassifier(t, c)
	for _, tt := range []struct {
		from, domain, auth, spam string
		held                     bool
	}{
		{"a@kunde.example", "kunde.example", "pass", "X-Spam-Score: 9", false},
		{"a@kunde.example", "kunde.example", "none", "X-Spam-Score: 9", true},
		{"b@mail.staff.example", "mail.staff.example", "pass", "X-Spam-Score: 9", false},
		{"support@vendor.example", "vendor.example", "pass", "X-Spam-Score: 9", false},
		{"other@vendor.example", "vendor.example", "pass", "X-Spam-Score: 9", true},
		{"x@notstaff.example", "notstaff.example", "pass", "X-Spam-Score: 9", true},
		{"a@kunde.example", "kunde.example", "pass", "X-Virus-Flag: YES", true},
	} {
		m := letter(t, "Authentication-Results: mx.desk.example; dmarc="+tt.auth+" header.from="+tt.domain+"\n"+tt.spam+"\nFrom: "+tt.from+"\nSubject: x\n", "text")
		if v := k.Classify(m, tickets.Hints{}); (v.Quarantine != "") != tt.held {
			t.Errorf("%s (%s), %s: %q", tt.from, tt.auth, tt.spam, v.Quarantine)
		}
	}
}

// says is a SpamScorer of one opinion.
type says float64

func (s says) Unwanted(string) (float64, []Evidence) { return float64(s), []Evidence{{"jackpot", 2}} }

// The desk's own opinion holds what begins something new, and nothing else; without a bound it holds nothing, and it drops nothing.
func TestOwnOpinionOfSpam(t *testing.T) {
	text := func(header string) *tickets.Message {
		return letter(t, header+"From: x@y.example\nSubject: x\n", "text")
	}
	c := Config{Spam: says(0.995), SpamAtLeast: 0.99, AuthservID: []string{"mx.desk.example"}, Allow: Allow{Domains: []string{"y.example"}}}
	k := newClassifier(t, c)
	if v := k.Classify(text(""), tickets.Hints{}); v.Quarantine != "reads like spam (0.995, from 0.99 on mail is held): jackpot" {
		t.Errorf("held because %q", v.Quarantine)
	}
	for name, v := range map[string]tickets.Verdict{
		"on a ticket": k.Classify(text(""), tickets.Hints{OnTicket: true}),
		"allowed":     k.Classify(text("Authentication-Results: mx.desk.example; dmarc=pass header.from=y.example\n"), tickets.Hints{}),
		"unsure":      newClassifier(t, Config{Spam: says(0.98), SpamAtLeast: 0.99}).Classify(text(""), tickets.Hints{}),
		"no bound":    newClassifier(t, Config{Spam: says(1)}).Classify(text(""), tickets.Hints{}),
	} {
		if v.Quarantine != "" {
			t.Errorf("%s: held because %q", name, v.Quarantine)
		}
	}
	if v := k.Classify(text("X-Spam-Flag: YES\n"), tickets.Hints{}); v.Quarantine != "marked as spam (X-Spam-Flag)" {
		t.Errorf("the server's word comes first: %q", v.Quarantine)
	}
}
