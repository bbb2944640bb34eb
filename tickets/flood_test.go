package tickets

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// S-070: thousands of mails within ten minutes, of one sender or of as many, whom nobody vouches for. What they cause stays
// within the limits, everything is kept, and an authenticated customer in the middle of it is answered and told of as ever.
func TestMailBomb_S070(t *testing.T) {
	bombs := 1500
	if s := os.Getenv("SUPPORTD_FLOOD"); s != "" { // how many, in steps of 500: docs/reliability.md
		n, err := strconv.Atoi(s)
		if err != nil || n < 500 || n%500 != 0 {
			t.Fatalf("SUPPORTD_FLOOD=%s: it wants a multiple of 500", s)
		}
		bombs = n
	}
	for name, sender := range map[string]func(int) string{
		"one sender":   func(int) string { return "eve@evil.example" },
		"many senders": func(n int) string { return "eve" + itoa(n) + "@evil" + itoa(n%97) + ".example" },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			var sent []delivered
			most := 0 // mails that stood before the customer's, at a customer's mail
			customers := 0
			began, waits := time.Now(), []time.Duration{} // real time, to be told
			for n := 0; n < bombs; n += 50 {
				var batch []Incoming
				for i := range 50 {
					batch = append(batch, k.incoming(k.mail(sender(n+i), "Gewinn "+itoa(n+i), strings.Repeat("wort"+itoa(n+i)+" ", 5), unauthenticated)))
				}
				k.receiveAll(batch...)
				if n%500 == 0 {
					customers++
					from, asked := "kunde"+itoa(n)+"@customer.example", time.Now()
					if out := k.receive(k.mail(from, "Anliegen", "Bitte um Rückruf "+itoa(n))); out.Result != Created {
						t.Errorf("the customer: %+v", out)
					}
					waits = append(waits, time.Since(asked))
					now := k.deliver()
					mailTo(t, now, from, TemplateAckNew)
					before := 0
					for _, d := range now {
						if d.Recipient == from {
							break
						}
						before++
					}
					most = max(most, before)
					sent = append(sent, now...)
				}
				k.clock.move(10 * time.Minute * 50 / time.Duration(bombs))
			}
			sent = append(sent, k.deliver()...)
			acks, notices, told, alerts := 0, 0, 0, 0
			for _, d := range sent {
				switch {
				case d.Template == TemplateAckGeneric:
					acks++
				case d.Recipient == anna && d.Template == TemplateTicketToTeam:
					notices++
				case d.Recipient == anna && d.Template == TemplateHealth:
					told++
				case d.Template == TemplateHealth && d.Recipient == admin:
					alerts++
				}
			}
			b := k.books()
			t.Logf("taken in within %s; a customer's mail in between within %s at first, %s in the middle, %s at most",
				time.Since(began).Round(time.Millisecond), waits[0].Round(time.Microsecond), slices.Sorted(slices.Values(waits))[len(waits)/2].Round(time.Microsecond), slices.Max(waits).Round(time.Microsecond))
			t.Logf("%d mails: %d tickets, %d joined; %d acknowledgements, %d notices to an agent, who was told %d times of the rest; %d alerts; at most %d mails before a customer's",
				b.Seen, b.Created, b.Appended, acks, notices, told, alerts, most)
			l := k.rules.Limits
			if acks > l.UnprovenPerHour || notices > l.NoticesToOne+customers || b.Seen != uint64(bombs+customers) || b.Balance() != 0 {
				t.Error("more than the limits, or mail is missing")
			}
			if name == "one sender" && (b.Created > uint64(l.TicketsPerHour+customers) || acks > l.AnswersPerHour || alerts != 1) {
				t.Errorf("%d tickets, %d acknowledgements, %d alerts", b.Created, acks, alerts)
			}
			if name == "many senders" && (b.Created != uint64(bombs+customers) || told != 1) {
				t.Errorf("%d tickets; the agent was told %d times", b.Created, told)
			}
			k.clock.move(2 * time.Hour)
			if out := k.receive(k.mail("neu@person.example", "Frage", "Wann haben Sie offen?", unauthenticated)); out.Result != Created || len(outside(k.deliver())) != 1 {
				t.Errorf("after the flood: %+v", out)
			}
			k.healthy()
		})
	}
}
