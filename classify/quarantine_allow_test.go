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
