package tickets

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"supportd/tickets/clock"
)

// Clocks follow what happens to a ticket; nobody starts or stops them by hand. What each state does to each kind is the
// table below (domain.md §4.1); what people do beside it (an answer, a customer's message, another priority or team) is
// read from the entry.

// effect is what a state does to a clock.
type effect byte

const (
	keep  effect = iota // as it was before
	runs                // it runs, and begins if it has not
	pause               // it stands still
	ends                // it is over
)

// inState says what each state does to the clocks of a ticket.
func inState(s State, k clock.Kind, sla SLA) effect {
	if k == clock.Resolve && s.Live() && slices.Contains(sla.PauseOn, s) {
		return pause
	}
	column := slices.Index(clock.Kinds(), k)
	if row, ok := stateClocks[s]; ok && column >= 0 {
		return row[column]
	}
	return keep
}

// stateClocks has a row for each state, in the order of clock.Kinds: first_response, next_response, update, resolve,
// accept, time_box, vendor.
var stateClocks = map[State][7]effect{
	StateNew:             {runs, keep, runs, runs, runs, runs, ends},
	StateOpen:            {keep, keep, runs, runs, ends, runs, ends},
	StateHandedOver:      {keep, keep, runs, runs, runs, ends, ends},
	StateWaitingCustomer: {ends, ends, pause, runs, ends, pause, ends},
	StateWaitingVendor:   {keep, keep, runs, runs, ends, pause, keep},
	StateScheduled:       {keep, keep, pause, runs, ends, pause, ends},
	StateSolved:          {ends, ends, ends, ends, ends, ends, ends},
	StateClosed:          {ends, ends, ends, ends, ends, ends, ends},
	StateMerged:          {ends, ends, ends, ends, ends, ends, ends},
	StateQuarantined:     {ends, ends, ends, ends, ends, ends, ends},
}

// answered is why a clock ends that waits for a person's answer; the others name the state that ends them.
const answered = "answered"

// following is one entry on its way to a ticket, as the clocks see it.
type following struct {
	r    *Rules
	t    *Ticket
	e    *Entry
	at   time.Time // when it happened: a message's arrival
	now  time.Time
	from State
	to   State

	team, priority, level string
	human                 bool // a person answered the customer
	customer              bool // the customer wrote, and somebody has to answer
}

// followClocks adds to an entry what it does to the clocks of its ticket. at is when the thing happened: the arrival of
// a message, however late it is read (S17, S23).
func (r *Rules) followClocks(t *Ticket, e *Entry, at, now time.Time) {
	f := following{
		r: r, t: t, e: e, at: at, now: now, from: t.State, to: State(t.value(fieldState, e.Changes)),
		team: t.value(fieldTeam, e.Changes), priority: t.value(fieldPriority, e.Changes), level: t.value(fieldServiceLevel, e.Changes),
	}
	if e.Kind != EntryReceived && e.Kind != EntryCreated || f.at.After(now) || f.at.IsZero() {
		f.at = now
	}
	f.human = e.Kind == EntryAnswered && e.Actor.Kind == ActorAgent
	f.customer = e.Kind == EntryReceived && e.Actor.Kind == ActorCustomer && e.Detail != detailStatus && f.to.Live()
	f.touch()
	for _, k := range clock.Kinds() {
		c, have := t.clock(k, e.Changes)
		after, has := f.clock(k, c, have)
		if !has {
			continue
		}
		if f.e.Actor.Kind == ActorAgent && after.Epoch == c.Epoch && r.told(t, after, f.e.Actor.Name, now) {
			after.Acked = now.UTC()
		}
		before := ""
		if have {
			before = formatJSON(c)
		}
		if text := formatJSON(after); text != before {
			e.Changes = append(e.Changes, Change{Field: fieldClock, Before: before, After: text})
		}
	}
}

// touch notes that a person did something, and that the ticket has lost its assignee.
func (f *following) touch() {
	if k := f.e.Actor.Kind; k == ActorAgent || k == ActorCustomer && f.e.Kind != EntryAutomatic && f.e.Kind != EntryHeld {
		f.t.set(&f.e.Changes, fieldTouched, formatTime(f.now))
	}
	if f.t.Assignee != "" && f.t.value(fieldAssignee, f.e.Changes) == "" {
		f.t.set(&f.e.Changes, fieldFreeSince, formatTime(f.now))
	}
}

// clock is what becomes of one clock; ok is false while there is none.
func (f *following) clock(k clock.Kind, c Clock, have bool) (after Clock, ok bool) {
	does := inState(f.to, k, f.r.SLA)
	if k == clock.Resolve && f.to == StateScheduled && f.t.value(fieldAgreed, f.e.Changes) != "" {
		does = pause // the customer has said yes to the date (S22)
	}
	if k == clock.Vendor {
		return f.vendor(c, have, does)
	}
	if !k.SLA() {
		return f.ofTeam(k, c, have, does)
	}
	if c.Inherited {
		c.Level, c.Priority = f.t.ServiceLevel, f.t.Priority
	}
	promised := f.e.Kind != EntryCreated && (f.t.ServiceLevel != f.level || f.t.Priority != f.priority)
	if have && f.to.Live() && (c.Level != f.level || c.Priority != f.priority) {
		c = f.retarget(c)
	}
	switch {
	case k == clock.NextResponse && f.customer && !f.awaitsFirst() && (!have || c.Stopped()):
		c, have = f.begin(k, c, have, f.at)
	case k == clock.Update && f.human && does != ends && have:
		c, have = f.begin(k, c, have, f.now)
	case f.human && (k == clock.FirstResponse || k == clock.NextResponse):
		return f.end(c, have, answered)
	case does == runs && (!have && f.e.Kind == EntryCreated || f.from == StateQuarantined):
		c, have = f.begin(k, c, have, f.at)
	case does == runs && !have && promised:
		c, have = f.beginLate(k)
	}
	if !have {
		return c, false
	}
	h := f.r.Hours(c)
	switch does {
	case runs:
		if k != clock.FirstResponse || c.Why != answered {
			c = f.resume(c, h)
		}
	case keep:
		if c.Why == string(StateMerged) {
			c = f.resume(c, h)
		}
	case pause:
		if !c.Stopped() {
			c = c.Pause(h, f.now)
		}
	case ends:
		return f.end(c, true, string(f.to))
	}
	return c, true
}

// resume lets a clock run on. The time to the next news begins anew after a solution; that to the solution goes on.
func (f *following) resume(c Clock, h Calendar) Clock {
	if c.Kind == clock.Update && c.Stopped() {
		c, _ = f.begin(c.Kind, c, true, f.at)
		return c
	}
	return c.Resume(h, f.at)
}

// awaitsFirst reports whether nobody has answered at all yet: until then the time to the first answer is counted.
func (f *following) awaitsFirst() bool {
	c, ok := f.t.clock(clock.FirstResponse, f.e.Changes)
	return ok && !c.Stopped()
}

// begin starts a clock, or starts it anew, by what is promised now.
func (f *following) begin(k clock.Kind, c Clock, have bool, at time.Time) (Clock, bool) {
	if !f.r.level(f.level).counts(k) {
		return c, have
	}
	p := f.r.promise(k, f.level, f.priority)
	c.Kind, c.Target, c.Calendar, c.Level, c.Priority, c.Rev = k, p.Target, p.Calendar, p.Level, p.Priority, p.Rev
	h := f.r.Hours(c)
	if have {
		return c.Restart(h, at), true
	}
	return clock.New(c, h, at), true
}

// beginLate starts a clock that another priority or level brings with it: from the ticket's creation, like the others.
func (f *following) beginLate(k clock.Kind) (Clock, bool) {
	if !f.r.level(f.level).counts(k) || k == clock.FirstResponse && f.t.LastPublic != "" {
		return Clock{}, false
	}
	c := clock.New(Clock{Kind: k}, f.r.calendar(""), f.t.Created)
	return f.retarget(c), true
}

// end stops a clock that runs or is paused.
func (f *following) end(c Clock, have bool, why string) (Clock, bool) {
	if !have {
		return c, false
	}
	return c.End(f.r.Hours(c), f.now, why), true
}

// retarget measures a clock by what another priority or service level promises (S24).
func (f *following) retarget(c Clock) Clock {
	p := f.r.promise(c.Kind, f.level, f.priority)
	if c.Stopped() && (c.Why == answered || c.Kind == clock.NextResponse || c.Kind == clock.Update) {
		return c // it is over, or begins anew
	}
	return c.Retarget(f.r.Hours(c), p, f.r.calendar(p.Calendar), f.r.SLA.UpgradeGrace, f.now)
}

// ofTeam is what becomes of a clock of the ticket's team: another team's begins anew.
func (f *following) ofTeam(k clock.Kind, c Clock, have bool, does effect) (Clock, bool) {
	if does == runs && (!have || c.Team != f.team || k == clock.Accept && c.Stopped()) {
		return f.beginTeam(k, c, have)
	}
	if !have {
		return c, false
	}
	h := f.r.Hours(c)
	switch does {
	case runs:
		if c.Priority != f.priority {
			c = c.Retarget(h, clock.Promise{Target: f.r.agreed(k, f.team, f.priority), Calendar: c.Calendar, Priority: f.priority, Rev: f.r.Rev},
				h, f.r.SLA.UpgradeGrace, f.now)
		}
		return c.Resume(h, f.at), true
	case pause:
		if !c.Stopped() {
			c = c.Pause(h, f.now)
		}
	case ends:
		return f.end(c, true, string(f.to))
	}
	return c, true
}

func (f *following) beginTeam(k clock.Kind, c Clock, have bool) (Clock, bool) {
	target := f.r.agreed(k, f.team, f.priority)
	if target <= 0 {
		if !have {
			return c, false
		}
		return f.end(c, true, "another team")
	}
	h := f.r.teamHours(f.team)
	c.Kind, c.Target, c.Team, c.Calendar, c.Priority, c.Rev = k, target, f.team, f.r.Teams[f.team].HoursOf, f.priority, f.r.Rev
	if have {
		return c.Restart(h, f.at), true
	}
	return clock.New(c, h, f.at), true
}

// vendor is what becomes of a third party's clock, which begins when a case is sent to it.
func (f *following) vendor(c Clock, have bool, does effect) (Clock, bool) {
	if have && does == ends {
		return f.end(c, true, string(f.to))
	}
	return c, have
}

// startVendorClock begins the time in which a third party owes an answer. One that nothing was agreed with has none.
func (d *decider) startVendorClock(t *Ticket, e *Entry, v Vendor) {
	c, have := t.clock(clock.Vendor, e.Changes)
	if v.Respond <= 0 {
		return
	}
	before := ""
	if have {
		before = formatJSON(c)
	}
	c.Kind, c.Target, c.Team, c.Priority, c.Rev = clock.Vendor, v.Respond, v.Name, t.value(fieldPriority, e.Changes), d.r.Rev
	h := d.r.Hours(c)
	if have {
		c = c.Restart(h, d.now)
	} else {
		c = clock.New(c, h, d.now)
	}
	e.Changes = append(e.Changes, Change{Field: fieldClock, Before: before, After: formatJSON(c)})
}

// mergeClocks gives a ticket the earliest start of both when it takes another one in (S26).
func (r *Rules) mergeClocks(t *Ticket, e *Entry, source *Ticket) {
	for _, k := range clock.Kinds() {
		c, have := t.clock(k, e.Changes)
		other, had := source.clock(k, nil)
		if !k.SLA() || k == clock.Update || !have || !had || c.Stopped() {
			continue
		}
		before := formatJSON(c)
		if text := formatJSON(c.Backdate(r.Hours(c), other.Start())); text != before {
			e.Changes = append(e.Changes, Change{Field: fieldClock, Before: before, After: text})
		}
	}
}

// clock is the clock of a kind after the changes that are not applied yet: one mail may pause it and let it run on.
func (t *Ticket) clock(kind clock.Kind, pending []Change) (Clock, bool) {
	for _, p := range slices.Backward(pending) {
		if p.Field != fieldClock || !strings.Contains(p.After, string(kind)) {
			continue // what does not name the kind need not be read
		}
		var c Clock
		if json.Unmarshal([]byte(p.After), &c) == nil && c.Kind == kind {
			return c, true
		}
	}
	for _, c := range t.Clocks {
		if c.Kind == kind {
			return c, true
		}
	}
	return Clock{}, false
}
