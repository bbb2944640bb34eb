package tickets

import (
	"slices"
	"testing"
	"time"
)

// How many people in an hour are a burst, by how many are usual.
func TestWhenItIsABurst(t *testing.T) {
	for _, c := range []struct {
		usual float64
		least int
	}{{0.05, 3}, {0.15, 4}, {0.4, 6}, {2, 10}} {
		for n := range 20 {
			if got := (Burst{People: n, Expected: c.usual}).unusual(); got != (n >= c.least) {
				t.Errorf("%d people where %.2f are usual: %t, want it from %d on", n, c.usual, got, c.least)
			}
		}
	}
}

// Three people within an hour where nobody ever writes are a major incident, told once; who comes later is told of it beside their
// ticket. Addresses that nobody vouches for, one person many times, and what is usual at that hour are none. S-070
func TestBurstIsAMajorIncident_S070(t *testing.T) {
	burst := func(r *Rules) {
		printerRules(r)
		r.Major = MajorIncident{Burst: true, Manager: lea, Updates: 30 * time.Minute}
	}
	write := func(k *kit, n int, change ...func(*Message)) []delivered {
		k.receive(k.mail("p"+itoa(n)+"@customer.example", "Drucker "+itoa(n), "Er druckt nicht "+itoa(n), change...))
		return k.deliver()
	}
	declared := func(k *kit, sent []delivered) bool { return len(k.sentTo(sent, TemplateMajorIncident)) > 0 }

	k := newKit(t, burst)
	for n := range 2 {
		if declared(k, write(k, n)) {
			t.Fatalf("declared at %d people", n+1)
		}
		k.clock.move(10 * time.Minute)
	}
	sent := write(k, 3)
	v := viewOf(t, mailTo(t, sent, lea, TemplateMajorIncident))
	if !slices.ContainsFunc(v.Lines, func(l Line) bool { return l.Key == "major.burst" && l.Args["count"] == "3" }) {
		t.Errorf("the notice: %+v", v.Lines)
	}
	led := v.Number
	k.clock.move(5 * time.Minute)
	sent = write(k, 4)
	if declared(k, sent) {
		t.Errorf("declared twice")
	}
	if v := viewOf(t, mailTo(t, sent, anna, TemplateTicketToTeam)); !slices.ContainsFunc(v.Suggestions, func(l Line) bool {
		return l.Key == "suggest.major" && l.Args["number"] == led
	}) {
		t.Errorf("beside the fourth ticket: %+v", v.Suggestions)
	}
	k.healthy()

	k = newKit(t, burst)
	for n := range 6 {
		if declared(k, write(k, n, unauthenticated)) || declared(k, write(k, 100)) {
			t.Errorf("declared for addresses that nobody vouches for, or for one person")
		}
	}

	// All in one batch, as after an outage of the mail server.
	k = newKit(t, burst)
	k.receiveAll(k.incoming(k.mail("a@customer.example", "Drucker", "eins")), k.incoming(k.mail("b@customer.example", "Drucker", "zwei")), k.incoming(k.mail("c@customer.example", "Drucker", "drei")))
	if !declared(k, k.deliver()) {
		t.Errorf("not declared for three people in one batch")
	}

	// Every Monday at nine some write: that is usual.
	k = newKit(t, burst)
	for week := range 8 {
		for n := range 3 {
			if declared(k, write(k, 10*week+n)) && week > 0 {
				t.Errorf("declared in week %d, at %d people", week, n+1)
			}
		}
		if week == 0 { // the first was led, and is over
			k.update(func(tx *Tx) error {
				return tx.Tickets(false, func(t *Ticket) (bool, error) {
					t.State = StateSolved
					return true, tx.putTicket(t)
				})
			})
		}
		k.clock.move(7 * 24 * time.Hour)
	}
}
