package tickets

import (
	"context"
	"fmt"
	"testing"
	"time"

	"supportd/tickets/clock"
)

// BenchmarkReceive takes in new mail in batches of 64, each mail of 4 kB with an acknowledgement and three notices.
func BenchmarkReceive(b *testing.B) {
	k := newKit(b)
	k.rules.Limits.AnswersPerHour, k.rules.Limits.AnswersPerDay = 1<<30, 1<<30
	const batch = 64
	text := fmt.Sprintf("%4000d", 1)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		in := make([]Incoming, 0, batch)
		for range batch {
			n++
			in = append(in, k.incoming(k.mail(fmt.Sprintf("k%d@customer.example", n%1000), "Nummer "+itoa(n), text)))
		}
		b.StartTimer()
		k.receiveAll(in...)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
}

// manyOpen is a desk of open tickets with four clocks each, their timers written.
func manyOpen(b *testing.B, tickets int) *kit {
	k := newKit(b, func(r *Rules) {
		steps := []Step{{Percent: 50, Notify: []string{"team"}}, {Percent: 100, Notify: []string{"team_lead"}}}
		r.Levels["standard"] = Level{Name: "standard", Targets: map[string]Targets{"": {Times: map[clock.Kind]time.Duration{
			clock.FirstResponse: 100 * time.Hour, clock.NextResponse: 100 * time.Hour, clock.Update: 200 * time.Hour, clock.Resolve: 400 * time.Hour}}}}
		r.Escalations = []Escalation{{Name: "default", Steps: map[clock.Kind][]Step{
			clock.FirstResponse: steps, clock.NextResponse: steps, clock.Update: steps, clock.Resolve: steps, clock.Accept: steps}}}
		r.Calendar = officeHours(b)
		team := r.Teams["first"]
		team.OLA.Accept = map[string]time.Duration{"": 50 * time.Hour}
		r.Teams["first"] = team
		r.SafetyNet = SafetyNet{Untouched: Catch{After: 400 * time.Hour, Notify: []string{"team_lead"}}}
	})
	const perTransaction = 2000
	for first := 1; first <= tickets; first += perTransaction {
		k.update(func(tx *Tx) error {
			for id := first; id < first+perTransaction && id <= tickets; id++ {
				now := k.clock.Now().Add(time.Duration(id) * time.Second)
				d := &decider{k: &Known{}, in: &Incoming{Arrived: now}, r: k.rules, now: now}
				d.out.Ticket = &Ticket{ID: TicketID(id)}
				d.entry(Entry{Kind: EntryCreated, Actor: Actor{Kind: ActorCustomer, Name: kunde}, Changes: []Change{
					{Field: fieldNumber, After: fmt.Sprintf("NW-2026-%06d", id)}, {Field: fieldState, After: string(StateNew)}, {Field: fieldSubject, After: "Drucker im Flur druckt nicht"},
					{Field: fieldTeam, After: "first"}, {Field: fieldRequester, After: formatJSON(Address{Name: "Kim Kunde", Mail: kunde})}, {Field: fieldLastCustomer, After: fmt.Sprintf("%400d", id)}}})
				t := &Ticket{ID: TicketID(id)}
				if err := tx.append(t, d.out.Entries[0]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := k.desk.Reschedule(context.Background()); err != nil {
		b.Fatal(err)
	}
	return k
}

// BenchmarkTickNothingDue asks for due timers while 100,000 open tickets with four clocks wait for theirs.
func BenchmarkTickNothingDue(b *testing.B) {
	k := manyOpen(b, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		next, err := k.desk.Tick(context.Background())
		if err != nil || !next.After(k.clock.Now()) {
			b.Fatalf("next %s, %v", next, err)
		}
	}
}

// BenchmarkRearm is what a start costs the timers of 100,000 open tickets with four clocks: when nothing has changed, and
// when the configuration has.
func BenchmarkRearm(b *testing.B) {
	k := manyOpen(b, 100_000)
	b.Run("same rules", func(b *testing.B) {
		for b.Loop() {
			if err := k.desk.Rearm(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("other rules", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			other := *k.rules
			other.Rev = fmt.Sprintf("rev%d", n+1)
			k.desk.SetRules(&other)
			if err := k.desk.Rearm(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDue asks for the next 50 of 10,000 waiting mails.
func BenchmarkDue(b *testing.B) {
	k := newKit(b)
	k.update(func(tx *Tx) error {
		for range 10_000 {
			id, err := tx.nextOutgoing()
			if err != nil {
				return err
			}
			if err := tx.enqueue(Outgoing{ID: id, Recipient: kunde, Created: k.clock.Now()}, composedMail{own: make([]byte, 3000)}); err != nil {
				return err
			}
		}
		return nil
	})
	b.ReportAllocs()
	for b.Loop() {
		mails, _, err := k.desk.Due(context.Background(), k.clock.Now(), 50)
		if err != nil || len(mails) != 50 {
			b.Fatalf("%d mails, %v", len(mails), err)
		}
	}
}

// BenchmarkDecide is the decision about a new mail alone.
func BenchmarkDecide(b *testing.B) {
	k := newKit(b)
	in := k.incoming(k.mail(kunde, "Drucker", "kaputt"))
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(Unknown(k.rules, "support"), &in, k.rules, k.clock.Now()); d.Result != Created {
			b.Fatal(d.Why)
		}
	}
}
