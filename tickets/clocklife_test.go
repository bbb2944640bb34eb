package tickets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"supportd/tickets/clock"
)

// clockRules have every kind of clock, by priority, team and working time.
func clockRules(t testing.TB) *Rules {
	r := testRules()
	office := officeHours(t)
	r.Calendar, r.Calendars = office, map[string]Calendar{"office": office, "always": AroundTheClock{}}
	times := func(n time.Duration) map[clock.Kind]time.Duration {
		return map[clock.Kind]time.Duration{clock.FirstResponse: n * time.Hour, clock.NextResponse: 2 * n * time.Hour, clock.Update: 3 * n * time.Hour, clock.Resolve: 8 * n * time.Hour}
	}
	r.Levels = map[string]Level{
		"standard": {Name: "standard", Calendar: "office", Targets: map[string]Targets{
			"P1": {Calendar: "always", Times: times(1)}, "P2": {Times: times(2)}, "P3": {Times: times(4)}, "P4": {Times: map[clock.Kind]time.Duration{clock.FirstResponse: 8 * time.Hour}}}},
		"gold": {Name: "gold", Calendar: "office", Targets: map[string]Targets{"P1": {Calendar: "always", Times: times(1)}, "P2": {Times: times(1)}, "P3": {Times: times(2)}, "P4": {Times: times(4)}}},
	}
	steps := []Step{{Percent: 0, Notify: []string{"watchers"}}, {Percent: 50, Notify: []string{"assignee"}}, {Percent: 80, Notify: []string{"team_lead"}}, {Percent: 100, Notify: []string{"team", "admin"}, Repeat: time.Hour, Max: 2}, {Percent: 250, Notify: []string{"admin"}}}
	all := map[clock.Kind][]Step{}
	for _, k := range clock.Kinds() {
		all[k] = steps
	}
	r.Escalations = []Escalation{{Name: "critical", Match: func(t *Ticket) bool { return t.Priority == "P1" }, Send: true,
		Steps: map[clock.Kind][]Step{clock.Resolve: {{Percent: 25, Notify: []string{"admin"}}, {Percent: 100, Notify: []string{"admin"}, Repeat: 30 * time.Minute, Max: 3}}}},
		{Name: "default", Steps: all}}
	for name, team := range r.Teams {
		team.OLA = OLA{Accept: map[string]time.Duration{"": time.Hour, "P1": 10 * time.Minute}, TimeBox: map[string]time.Duration{"": 4 * time.Hour, "P1": 15 * time.Minute}}
		team.Hours = office
		r.Teams[name] = team
	}
	r.SLA.PauseOn = []State{StateWaitingCustomer, StateScheduled}
	return r
}

// clockLife is a random life of one ticket without a store: entries as they are stored, decided by the functions that the
// desk uses.
type clockLife struct {
	testing.TB
	r       *Rules
	random  *rand.Rand
	now     time.Time
	t       *Ticket
	entries []Entry
	fired   map[string]int // kind, epoch, step → how often
}

func (l *clockLife) decide(do func(*decider)) {
	d := &decider{k: &Known{Ticket: l.t}, in: &Incoming{Arrived: l.now.Add(-time.Duration(l.random.IntN(120)) * time.Second)}, r: l.r, now: l.now}
	if l.t != nil {
		d.out.Ticket = l.t.clone()
	}
	do(d)
	l.t = d.out.Ticket
	l.entries = append(l.entries, d.out.Entries...)
}

func (l *clockLife) event() {
	teams, priorities, levels := []string{"first", "second"}, []string{"P1", "P2", "P3", "P4", ""}, []string{"", "gold", "standard"}
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorAgent, Name: []string{anna, ben, lea}[l.random.IntN(3)]}}
	all := []event{eventCustomer, eventThanks, eventReply, eventWait, eventNote, eventTake, eventRelease, eventEscalate, eventReturn, eventVendor, eventVendorMail,
		eventSchedule, eventSolve, eventClose, eventReopen, eventMerge, eventUnmerge, eventSpam, eventAdmit, eventRecompute, eventAlarmUntouched, eventSilence, eventDate}
	ev := all[l.random.IntN(len(all))]
	l.decide(func(d *decider) {
		t := d.out.Ticket
		switch ev {
		case eventCustomer, eventThanks:
			e.Kind, e.Actor = EntryReceived, Actor{Kind: ActorCustomer, Name: kunde}
		case eventReply, eventWait:
			e.Kind = EntryAnswered
			t.set(&e.Changes, fieldLastPublic, "x")
			t.set(&e.Changes, fieldAssignee, e.Actor.Name)
		case eventNote:
			e.Kind = EntryNoted
		case eventTake:
			t.set(&e.Changes, fieldAssignee, e.Actor.Name)
		case eventEscalate, eventReturn:
			t.set(&e.Changes, fieldTeam, teams[l.random.IntN(2)])
			t.set(&e.Changes, fieldAssignee, "")
		case eventRecompute:
			t.set(&e.Changes, fieldPriority, priorities[l.random.IntN(5)])
			if l.random.IntN(4) == 0 {
				t.set(&e.Changes, fieldServiceLevel, levels[l.random.IntN(3)])
			}
		case eventRelease:
			t.set(&e.Changes, fieldAssignee, "")
		}
		if !d.move(t, &e, ev) {
			return
		}
		if ev == eventVendor {
			d.startVendorClock(t, &e, Vendor{Name: "acme", Respond: 3 * time.Hour})
		}
		d.entry(e)
	})
}

// tick looks at the timers as the desk does, and counts what fired.
func (l *clockLife) tick() {
	before := l.t
	l.decide(func(d *decider) { d.escalate() })
	for _, c := range l.t.Clocks {
		old, _ := before.clock(c.Kind, nil)
		for _, s := range c.Steps {
			if n := s.Times - old.Fired(s.Name).Times; n > 0 {
				l.fired[fmt.Sprintf("%s/%d/%s/%d", c.Kind, c.Epoch, s.Name, s.Times)]++
			}
		}
		if due := l.r.due(l.t, c, l.now); len(due) > 0 {
			l.Fatalf("%s: still due at %s: %+v", c.Kind, l.now, due)
		}
		if next := l.r.nextStep(l.t, c, l.now); !next.IsZero() && !next.After(l.now) {
			l.Fatalf("%s: the next step is not after now: the timer would never rest", c.Kind)
		}
	}
}

// S-171, S-172, S-173: whatever happens to a ticket, in whatever order, with restarts and jumps of the clock, its entries
// give the same ticket and clocks; every step fires at most once in an epoch; nothing that is due is left; what is used up
// follows from the segments, and what a table of states says holds.
func TestRandomLivesOfClocks_S171_S172_S173(t *testing.T) {
	const seed = 3141
	lives := 2500 // SUPPORTD_CLOCK_LIVES sets another number
	if n, err := strconv.Atoi(os.Getenv("SUPPORTD_CLOCK_LIVES")); err == nil {
		lives = n
	}
	r := clockRules(t)
	steps := 0
	for life := range lives {
		l := &clockLife{TB: t, r: r, random: rand.New(rand.NewPCG(seed, uint64(life))), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), fired: map[string]int{}}
		l.decide(func(d *decider) {
			d.out.Ticket = &Ticket{ID: 1}
			d.entry(Entry{Kind: EntryCreated, Actor: Actor{Kind: ActorCustomer}, Changes: []Change{{Field: fieldState, After: string(StateNew)}, {Field: fieldTeam, After: "first"},
				{Field: fieldPriority, After: []string{"P1", "P2", "P3", "P4"}[l.random.IntN(4)]}}})
		})
		for range 4 + l.random.IntN(16) {
			steps++
			l.now = l.now.Add([]time.Duration{time.Minute, 20 * time.Minute, 2 * time.Hour, 16 * time.Hour, 70 * time.Hour, -time.Hour, -48 * time.Hour}[l.random.IntN(7)])
			l.event()
			if l.random.IntN(2) == 0 {
				l.tick()
			}
			l.hold(seed, life)
		}
		if again, err := Replay(l.entries); err != nil || !sameTicket(l.t, again) {
			t.Fatalf("seed %d, life %d: the entries give another ticket: %v", seed, life, err)
		}
	}
	t.Logf("seed %d: %d lives, %d events", seed, lives, steps)
}

func (l *clockLife) hold(seed, life int) {
	for step, n := range l.fired {
		if n > 1 {
			l.Fatalf("seed %d, life %d: %s fired %d times", seed, life, step, n)
		}
	}
	for _, c := range l.t.Clocks {
		var want []string
		switch inState(l.t.State, c.Kind, l.r.SLA) {
		case ends:
			want = []string{"stopped"}
		case pause:
			want = []string{"stopped", "paused"}
		case runs:
			if want = []string{"running"}; c.Kind == clock.FirstResponse {
				want = append(want, "stopped")
			}
		case keep:
			continue
		}
		have := "running"
		if c.Stopped() {
			have = "stopped"
		} else if c.Paused() {
			have = "paused"
		}
		if !slices.Contains(want, have) && (c.Kind.SLA() || l.r.agreed(c.Kind, l.t.Team, l.t.Priority) > 0) {
			l.Fatalf("seed %d, life %d: %s is %s in %s, want %s\n%+v", seed, life, c.Kind, have, l.t.State, strings.Join(want, " or "), c)
		}
	}
}

// What is due is listed as it will happen, and a look changes nothing.
func TestUpcoming(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "Drucker", "kaputt")
	list, err := k.desk.Upcoming(context.Background(), k.clock.Now().Add(24*time.Hour), 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprintf("%s %s %s %s", c.At.Sub(k.clock.Now()).Round(time.Minute), c.What, c.Template, c.To))
	}
	want := []string{"3h0m0s first_response: 75 % escalation " + anna, "3h0m0s first_response: 75 % escalation " + ben, "3h0m0s first_response: 75 % escalation " + teamCopy}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if len(k.fired(id)) != 0 {
		t.Error("looking at what is due fired it")
	}
}

// Running clocks keep their targets when the configuration changes, until somebody rebases them on purpose (S25).
func TestRebase(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "Drucker", "kaputt")
	before, _ := k.ticket(id).clock(clock.Resolve, nil)
	other := *k.rules
	other.Rev = "rev2"
	other.Levels = map[string]Level{"standard": {Name: "standard", Targets: map[string]Targets{"": {Times: map[clock.Kind]time.Duration{clock.FirstResponse: 4 * time.Hour, clock.Resolve: 48 * time.Hour}}}}}
	k.desk.SetRules(&other)
	k.clock.move(time.Hour)
	if err := k.desk.Rearm(context.Background()); err != nil {
		t.Fatal(err)
	}
	k.tick()
	if c, _ := k.ticket(id).clock(clock.Resolve, nil); !c.Due.Equal(before.Due) || c.Target != 24*time.Hour {
		t.Errorf("a running clock follows the configuration: %+v", c)
	}
	for _, apply := range []bool{false, true} {
		list, err := k.desk.Rebase(context.Background(), apply, "test")
		if err != nil || len(list) != 1 || list[0].Before != 24*time.Hour || list[0].After != 48*time.Hour || !list[0].DueWill.Equal(before.Due.Add(24*time.Hour)) {
			t.Fatalf("apply %t: %+v, %v", apply, list, err)
		}
		if c, _ := k.ticket(id).clock(clock.Resolve, nil); apply != c.Due.Equal(before.Due.Add(24*time.Hour)) {
			t.Errorf("apply %t: %+v", apply, c)
		}
	}
	if list, err := k.desk.Rebase(context.Background(), true, "test"); err != nil || len(list) != 0 {
		t.Errorf("once more: %+v, %v", list, err)
	}
	entries := k.entries(id)
	if e := entries[len(entries)-1]; e.Actor.Kind != ActorAdmin || e.Detail != "sla rebase to rev2" {
		t.Errorf("%+v", e)
	}
	k.healthy()
	k.waits()
}

// Clocks that a program of the second schema stored keep their deadlines, and go on by the rules of now.
func TestMigrationOfClocks(t *testing.T) {
	k := newKit(t)
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	k.dir = t.TempDir()
	if err := os.Chmod(k.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unpack(unzipped(t, "testdata/schema-2.tar.gz"), k.dir); err != nil {
		t.Fatal(err)
	}
	k.open()
	inherited := 0
	viewed(t, k.store, func(tx *Tx) error {
		return tx.Tickets(true, func(tk *Ticket) (bool, error) {
			for _, c := range tk.Clocks {
				if !c.Inherited || len(c.Segments) == 0 || c.Due.IsZero() || !k.rules.Deadline(c, k.clock.Now()).Equal(c.Due) {
					t.Errorf("ticket %s: %+v", tk.Number, c)
				}
				inherited++
			}
			return true, nil
		})
	})
	if inherited < 2 {
		t.Fatalf("%d clocks in the old store, want some", inherited)
	}
	if err := k.desk.Rearm(context.Background()); err != nil {
		t.Fatal(err)
	}
	k.clock.move(365 * 24 * time.Hour)
	k.tick()
	k.deliver()
	k.healthy()
	k.waits()
}
