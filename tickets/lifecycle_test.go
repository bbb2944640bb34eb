package tickets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/tickets/clock"
)

// The table has a cell for every event in every state, and what is no state is one of the words that next knows.
func TestTableIsTotal(t *testing.T) {
	if len(transitions) != 33 || len(row{}) != len(States()) {
		t.Errorf("%d events and %d states in the table", len(transitions), len(row{}))
	}
	known := map[State]bool{stays: true, audited: true, refused: true, forwarded: true, previous: true, impossible: true}
	for _, s := range States() {
		known[s] = true
	}
	for e := range transitions {
		for _, s := range States() {
			if to := cell(s, e); !known[to] {
				t.Errorf("%s in %s leads to %q", e, s, to)
			}
			for _, before := range append(States(), "") {
				after, allowed := next(s, before, e)
				if !allowed && after != s {
					t.Errorf("%s is refused in %s and leads to %s", e, s, after)
				}
				if allowed && !slices.Contains(States(), after) {
					t.Errorf("%s in %s, before %q, leads to %q", e, s, before, after)
				}
			}
		}
	}
	for _, s := range []State{"", "unheard of"} {
		if _, ok := next(s, "", eventCustomer); ok {
			t.Errorf("state %q is moved", s)
		}
	}
	if _, ok := next(StateOpen, "", "unheard of"); ok {
		t.Error("an unknown event is allowed")
	}
}

// What must hold whatever the table says in a cell: no mail of a customer is refused where a person could still act,
// only people and the close timer end a life, and a tombstone is left by #unmerge alone.
func TestTableKeepsItsPromises(t *testing.T) {
	for _, s := range States() {
		for _, e := range []event{eventCustomer, eventThanks, eventConfirm, eventAutomatic, eventBounce, eventNote, eventVendorMail} {
			if n := cell(s, e); n == refused || n == impossible {
				t.Errorf("%s is %s in %s", e, n, s)
			}
		}
		if n, _ := next(s, "", eventCustomer); s == StateSolved && n != StateOpen {
			t.Errorf("a customer's answer leaves a solved ticket %s", n)
		}
		if n, _ := next(s, "", eventAutomatic); n != s {
			t.Errorf("an automatic mail moves %s to %s (S-069)", s, n)
		}
	}
	for e := range transitions {
		if n, _ := next(StateMerged, StateOpen, e); n != StateMerged && e != eventUnmerge {
			t.Errorf("%s moves a merged ticket to %s", e, n)
		}
		for _, s := range States() {
			if n, ok := next(s, StateOpen, e); ok && n == StateClosed && s != StateClosed && e != eventClose && e != eventConfirm && e != eventUnmerge {
				t.Errorf("%s closes a ticket that is %s", e, s)
			}
		}
	}
}

// solved makes a solved ticket and returns it with the last answer to the customer and a notice to anna.
func solved(k *kit) (TicketID, delivered, delivered) {
	k.Helper()
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(k, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#solve\nNeuer Toner."))
	answer := mailTo(k, k.afterUndo(), kunde, TemplateAgentReply)
	k.expectState(id, StateSolved)
	return id, answer, notice
}

// Within the window an answer reopens, to the second; after it there is a new ticket that says which it follows.
func TestReopenWindow(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, closed := range []bool{false, true} {
			k := newKit(t)
			if !closed {
				k.rules.CloseAfter = 0
			}
			id, answer, _ := solved(k)
			since := k.ticket(id).SolvedAt
			k.clock.move(since.Add(k.rules.ReopenWithin).Sub(k.clock.Now()))
			if late {
				k.clock.move(time.Nanosecond)
			}
			k.tick()
			if s := k.ticket(id).State; (s == StateClosed) != closed {
				t.Fatalf("the ticket is %s", s)
			}
			k.deliver()
			out := k.receive(k.reply(answer, kunde, "Es geht wieder nicht."))
			if !late {
				k.expect(out, Appended, id)
				k.expectState(id, StateOpen)
			} else {
				k.expect(out, Created, id+1)
				mailTo(t, k.deliver(), kunde, TemplateAckFollowUp)
				if tk := k.ticket(out.Ticket); tk.FollowUpOf != id || k.ticket(id).State.Live() {
					t.Errorf("%+v", tk)
				}
			}
			k.healthy()
		}
	}
}

// S38: a ticket that is reopened too often is left alone for the day; people are still told. A large team's many
// notices must not hide the reopenings.
func TestReopenLimit(t *testing.T) {
	k := newKit(t, func(r *Rules) {
		team := r.Teams["first"]
		for i := range 12 {
			a := fmt.Sprintf("agent%d@staff.example", i)
			r.Agents[a] = Agent{Address: a, Name: "Agent " + itoa(i)}
			team.Members = append(team.Members, a)
		}
		r.Teams["first"] = team
	})
	id, answer, notice := solved(k)
	reopened := 0
	for i := range 9 {
		k.clock.move(time.Hour)
		k.expect(k.receive(k.reply(answer, kunde, "Geht nicht "+itoa(i))), Appended, id)
		if k.ticket(id).State == StateOpen {
			reopened++
		}
		if len(k.deliver()) == 0 {
			t.Errorf("nobody was told of mail %d", i)
		}
		k.receive(k.reply(notice, anna, "#release", func(m *Message) { m.Text = itoa(i) }))
		k.receive(k.reply(notice, anna, "#solve\nDoch "+itoa(i)))
		k.afterUndo()
		k.receive(k.reply(notice, anna, "#release", func(m *Message) { m.Text = "again" + itoa(i) }))
	}
	if reopened != k.rules.Limits.ReopensPerDay {
		t.Errorf("reopened %d times, want %d", reopened, k.rules.Limits.ReopensPerDay)
	}
	k.clock.move(25 * time.Hour)
	k.receive(k.reply(answer, kunde, "Am nächsten Tag"))
	k.expectState(id, StateOpen)
	k.healthy()
}

func TestCloseTimer(t *testing.T) {
	k := newKit(t)
	id, _, notice := solved(k)
	k.clock.move(k.rules.CloseAfter - time.Minute)
	k.tick()
	k.expectState(id, StateSolved)
	k.clock.move(time.Minute)
	k.tick()
	k.expectState(id, StateClosed)
	if tk := k.ticket(id); tk.ClosedAt.IsZero() {
		t.Errorf("%+v", tk)
	}
	n := k.ticket(id).Entries
	k.clock.move(1000 * time.Hour)
	k.tick()
	k.reopen()
	k.tick()
	if k.ticket(id).Entries != n {
		t.Error("a closed ticket was closed again")
	}
	// An answer to a closed ticket is refused; a note is not; #reopen opens it.
	k.receive(k.reply(notice, anna, "Nachtrag"))
	mailTo(t, k.deliver(), anna, TemplateRefused)
	k.receive(k.reply(notice, anna, "#note Nachtrag"))
	k.expectState(id, StateClosed)
	k.receive(k.reply(notice, anna, "#reopen"))
	k.expectState(id, StateOpen)
	k.healthy()
}

// A reopened ticket is not closed by the timer of its first solution.
func TestStaleCloseTimer(t *testing.T) {
	k := newKit(t)
	id, answer, notice := solved(k)
	k.clock.move(6 * 24 * time.Hour)
	k.receive(k.reply(answer, kunde, "Geht nicht"))
	k.receive(k.reply(notice, anna, "#solve\nJetzt aber"))
	again := k.clock.Now()
	k.clock.move(2 * 24 * time.Hour)
	k.tick()
	k.expectState(id, StateSolved)
	k.clock.move(again.Add(k.rules.CloseAfter).Sub(k.clock.Now()))
	k.tick()
	k.expectState(id, StateClosed)
	k.healthy()
}

// fired counts the entries of each clock step.
func (k *kit) fired(id TicketID) map[string]int {
	n := map[string]int{}
	for _, e := range k.entries(id) {
		if e.Kind != EntryClock {
			continue
		}
		for _, what := range strings.Split(e.Detail, "; ") { // what fell due together is one entry
			if !strings.HasPrefix(what, "nobody is ") {
				n[what]++
			}
		}
	}
	return n
}

// S-171, S-172, S-173: each step fires once, in time or late, over restarts and jumps of the clock in both directions.
func TestClockStepsFireOnce_S171_S172_S173(t *testing.T) {
	for _, c := range []struct {
		name string
		jump []time.Duration
	}{
		{"minute by minute", steady(30*60, time.Minute)},
		{"hours", steady(40, time.Hour)},
		{"three days down", []time.Duration{72 * time.Hour}},
		{"a year", []time.Duration{365 * 24 * time.Hour, time.Hour}},
		{"back and forth", []time.Duration{3*time.Hour + time.Minute, -2 * time.Hour, 3 * time.Hour, -4 * time.Hour, 30 * time.Hour, -24 * time.Hour, 48 * time.Hour}},
		{"a year back", []time.Duration{4*time.Hour + time.Minute, -365 * 24 * time.Hour, time.Hour, 366 * 24 * time.Hour, 48 * time.Hour}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			id, _ := k.opened(kunde, "Drucker", "kaputt")
			var sent []delivered
			for i, d := range c.jump {
				k.clock.move(d)
				if i%100 == 0 {
					k.reopen()
				}
				k.tick()
				k.tick()
				if k.clock.Now().Sub(k.ticket(id).Created) < time.Hour*48 {
					sent = append(sent, k.deliver()...)
				}
			}
			sent = append(sent, k.deliver()...)
			want := map[string]int{"first_response: 75 %": 1, "first_response: 100 %": 1, "resolve: 50 %": 1, "resolve: 150 %": 1}
			got := k.fired(id)
			if c.name == "minute by minute" { // 30 hours: the last step is not due
				delete(want, "resolve: 150 %")
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("fired %v, want %v", got, want)
			}
			// 75 %: anna, ben, the copy; 100 %: lea; 50 %: nobody is assigned, so the team; 150 %: admin.
			// What fell due while the desk was down is one mail to each.
			notices := map[string]int{"minute by minute": 7, "three days down": 5, "a year": 5, "a year back": 8}
			if n, want := len(sent), cmp.Or(notices[c.name], 8); n != want {
				t.Errorf("%d notices, want %d: %s", n, want, summary(sent))
			}
			k.healthy()
		})
	}
}

func steady(n int, d time.Duration) []time.Duration {
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = d
	}
	return list
}

// An answered ticket has no first response to be late with.
func TestStepsOfStoppedClocksDoNotFire(t *testing.T) {
	k := newKit(t)
	id, _, _ := solved(k)
	k.clock.move(72 * time.Hour)
	k.tick()
	if f := k.fired(id); len(f) > 0 {
		t.Errorf("fired %v", f)
	}
	for _, c := range k.ticket(id).Clocks {
		if c.State(k.clock.Now()) != "met" {
			t.Errorf("%+v is %s", c, c.State(k.clock.Now()))
		}
	}
}

// The resolve clock stands while the customer has to act, and runs on from what was left (S22).
func TestResolveClockPauses(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	start := k.clock.Now()
	due := start.Add(24 * time.Hour)
	check := func(wantDue time.Time, state string) {
		t.Helper()
		c, ok := k.ticket(id).clock(clock.Resolve, nil)
		if !ok || !c.Due.Equal(wantDue) || c.State(k.clock.Now()) != state {
			t.Errorf("%+v is %s, want %s until %s", c, c.State(k.clock.Now()), state, wantDue)
		}
	}
	check(due, "running")
	k.clock.move(2 * time.Hour)
	k.receive(k.reply(notice, anna, "#wait\nWelcher?"))
	check(due, "paused")
	answer := mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	waited := 50*time.Hour + k.rules.Undo
	k.clock.move(50 * time.Hour)
	k.tick()
	if f := k.fired(id); len(f) > 0 {
		t.Errorf("a standing clock fired %v", f)
	}
	k.receive(k.reply(answer, kunde, "Der im Flur."))
	due = due.Add(waited)
	check(due, "running")
	// Solved and reopened: the time in between does not count, either.
	k.clock.move(time.Hour)
	k.receive(k.reply(notice, anna, "#solve\nToner"))
	check(due, "met")
	k.clock.move(24 * time.Hour)
	k.receive(k.reply(answer, kunde, "Geht nicht"))
	due = due.Add(24 * time.Hour)
	check(due, "running")
	// Several changes in one mail.
	k.clock.move(time.Hour)
	k.receive(k.reply(notice, anna, "#wait #solve\nToner"))
	check(due, "met")
	k.clock.move(time.Hour)
	k.receive(k.reply(notice, anna, "#reopen #solve\nToner"))
	check(due, "met") // reopened and solved in one mail: nothing ran in between
	k.receive(k.reply(notice, anna, "#reopen"))
	due = due.Add(time.Hour)
	check(due, "running")
	k.receive(k.reply(notice, anna, "#solve #reopen\nToner"))
	k.expectState(id, StateOpen)
	check(due, "running")
	k.clock.move(due.Sub(k.clock.Now()) - 12*time.Hour)
	k.tick()
	if f := k.fired(id); f["resolve: 50 %"] != 1 {
		t.Errorf("fired %v", f)
	}
	k.clock.move(13 * time.Hour)
	check(due, "missed")
	k.healthy()
}

// A timer row that belongs to no ticket, or to a damaged one, stops no other timer.
func TestTimersOfMissingAndDamagedTickets_S163(t *testing.T) {
	k := newKit(t)
	broken, _ := k.opened(kunde, "Kaputt", "x")
	whole, _ := k.opened(kunde, "Ganz", "x")
	k.update(func(tx *Tx) error {
		at := k.clock.Now()
		for _, kind := range []string{"close", "step first_response 75", "step", "nonsense", ""} {
			key := append(append(timeKey(at), key64(4711)...), kind...)
			if err := tx.btx.Bucket(bucketTimers).Put(key, nil); err != nil {
				return err
			}
		}
		b := tx.btx.Bucket(bucketTickets)
		v := append([]byte{}, b.Get(key64(uint64(broken)))...)
		v[len(v)-3] ^= 1
		return b.Put(key64(uint64(broken)), v)
	})
	k.clock.move(5 * time.Hour)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := k.desk.Tick(ctx); err != nil {
		t.Errorf("tick: %v", err)
	}
	if f := k.fired(whole); f["first_response: 75 %"] != 1 {
		t.Errorf("fired %v", f)
	}
	d, err := k.store.Doctor(context.Background())
	if err != nil || d.OK || !strings.Contains(strings.Join(d.Problems, "\n"), "damaged") {
		t.Errorf("doctor: %+v, %v", d, err)
	}
}

func (k *kit) update(fn func(*Tx) error) {
	k.Helper()
	if err := k.store.Update(context.Background(), fn); err != nil {
		k.Fatalf("update: %v", err)
	}
}

// Instants beyond what 64 bits of nanoseconds hold do not come due at once.
func TestTimeKeysKeepTheirOrder(t *testing.T) {
	order := []time.Time{{}, time.Unix(0, 0), time.Unix(0, 1), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i := 1; i < len(order); i++ {
		if a, b := string(timeKey(order[i-1])), string(timeKey(order[i])); a > b {
			t.Errorf("%s sorts behind %s", order[i-1], order[i])
		}
	}
	for _, at := range order[1:5] {
		if !keyTime(timeKey(at)).Equal(at) {
			t.Errorf("%s comes back as %s", at, keyTime(timeKey(at)))
		}
	}
}

// A damaged row of the outbox keeps no other mail back, and doctor names it.
func TestDamagedOutboxRow_S051_S163(t *testing.T) {
	k := newKit(t)
	k.receive(k.mail(kunde, "Drucker", "x"))
	k.update(func(tx *Tx) error {
		b := tx.btx.Bucket(bucketOutbox)
		key, v := b.Cursor().First()
		v = append([]byte{}, v...)
		v[9] ^= 4
		return b.Put(key, v)
	})
	if sent := k.deliver(); len(sent) != 3 {
		t.Errorf("sent %s", summary(sent))
	}
	d, err := k.store.Doctor(context.Background())
	if err != nil || d.OK || !strings.Contains(strings.Join(d.Problems, "\n"), "outbox") {
		t.Errorf("doctor: %+v, %v", d, err)
	}
}

// A reload that shortens close_after counts for tickets that are solved already.
func TestRescheduleAfterReload(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "druckt nicht")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#solve\nPatrone getauscht."))
	rules := *k.desk.Rules()
	rules.CloseAfter = time.Hour
	k.desk.SetRules(&rules)
	if err := k.desk.Reschedule(context.Background()); err != nil {
		t.Fatal(err)
	}
	k.clock.move(2 * time.Hour)
	k.tick()
	if s := k.ticket(id).State; s != StateClosed {
		t.Errorf("two hours later, with close_after of one, the ticket is %s", s)
	}
	k.healthy()
}
