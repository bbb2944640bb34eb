package tickets

import (
	"fmt"
	"slices"
	"time"

	"supportd/tickets/clock"
)

// Scenario is a ticket that exists only to see what its clocks would do.
type Scenario struct {
	At       time.Time // when it comes in
	Level    string
	Priority string
	Team     string // "": none, so that nothing is agreed between teams
	Events   []Happening
}

// Happening is one thing that happens to it.
type Happening struct {
	At   time.Time
	What string // see Happenings
	Arg  string // of escalate: the team; of vendor: the third party; of priority and level: the new one
}

// Happenings lists what can happen in a scenario.
func Happenings() []string {
	return []string{"reply", "reply+wait", "customer", "thanks", "note", "take", "escalate", "return", "priority", "level", "vendor", "vendor_reply", "solve", "close", "reopen"}
}

// Moment is what a scenario's ticket was before and after something happened, or a step fell due.
type Moment struct {
	At      time.Time
	What    string // as in Happening; "new" for the first, "step" for steps
	Arg     string
	Before  *Ticket // nil for the first
	Ticket  *Ticket
	Fired   []FiredStep
	Refused bool // the life cycle does not allow it; nothing has changed
}

// FiredStep is a step that fell due.
type FiredStep struct {
	Kind    clock.Kind
	Set     string
	Percent int
	Notify  []string // as configured
	Do      string
}

// Simulate lets a scenario happen. Clocks, steps and life cycle are those of the desk.
func Simulate(r *Rules, s Scenario) ([]Moment, error) {
	sim := simulation{r: r}
	team := r.Teams[s.Team]
	if s.Team != "" && team.Name == "" {
		return nil, fmt.Errorf("there is no team %q", s.Team)
	}
	if _, ok := r.Levels[s.Level]; !ok && s.Level != "" {
		return nil, fmt.Errorf("there is no service level %q", s.Level)
	}
	e := Entry{Kind: EntryCreated, Actor: Actor{Kind: ActorCustomer}, Changes: []Change{{Field: fieldState, After: string(StateNew)},
		{Field: fieldPriority, After: s.Priority}, {Field: fieldServiceLevel, After: s.Level}, {Field: fieldTeam, After: s.Team}, {Field: fieldTier, After: formatInt(team.Tier)}}}
	sim.happen(s.At, "new", "", func(d *decider) bool {
		d.out.Ticket = &Ticket{ID: 1}
		d.entry(e)
		return true
	})
	for _, h := range s.Events {
		if h.At.Before(sim.now) {
			return nil, fmt.Errorf("%s stands behind %s: write the events in their order", h.At.Format(time.DateTime), sim.now.Format(time.DateTime))
		}
		sim.until(h.At)
		if err := sim.event(h); err != nil {
			return nil, err
		}
	}
	return sim.moments, nil
}

type simulation struct {
	r       *Rules
	now     time.Time
	ticket  *Ticket
	moments []Moment
}

// happen decides something about the ticket, and keeps what became of it; steps that are due by it at once belong to it.
func (s *simulation) happen(at time.Time, what, arg string, do func(*decider) bool) {
	s.now = at
	d := &decider{k: &Known{Ticket: s.ticket}, in: &Incoming{Arrived: at}, r: s.r, now: at}
	if s.ticket != nil {
		d.out.Ticket = s.ticket.clone()
	}
	m := Moment{At: at, What: what, Arg: arg, Before: s.ticket, Refused: !do(d)}
	if !m.Refused {
		m.Fired = s.fire(d)
		s.ticket = d.out.Ticket
	}
	m.Ticket = s.ticket
	s.moments = append(s.moments, m)
}

// fire lets all steps happen that are due.
func (s *simulation) fire(d *decider) (all []FiredStep) {
	for _, c := range d.out.Ticket.Clocks {
		for _, f := range s.r.due(d.out.Ticket, c, d.now) {
			all = append(all, FiredStep{Kind: c.Kind, Set: f.set.Name, Percent: f.step.Percent, Notify: f.step.Notify, Do: f.step.Do})
		}
	}
	if len(all) > 0 {
		d.escalate()
	}
	return all
}

// until lets the steps happen that fall due before an instant.
func (s *simulation) until(at time.Time) {
	for {
		var next time.Time
		for _, c := range s.ticket.Clocks {
			if step := s.r.nextStep(s.ticket, c, s.now); !step.IsZero() && (next.IsZero() || step.Before(next)) {
				next = step
			}
		}
		if next.IsZero() || !next.Before(at) {
			return
		}
		s.happen(latest(next, s.now), "step", "", func(*decider) bool { return true })
		if len(s.moments[len(s.moments)-1].Fired) == 0 {
			return // nothing that could be due is: no scenario may run for ever
		}
	}
}

// event lets one thing happen.
func (s *simulation) event(h Happening) error {
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorAgent, Name: "assignee"}, Detail: "#" + h.What}
	var ev event
	t := s.ticket
	set := func(field, after string) { t.set(&e.Changes, field, after) }
	switch h.What {
	case "reply", "reply+wait":
		e.Kind, ev = EntryAnswered, eventReply
		if h.What == "reply+wait" {
			ev = eventWait
		}
		set(fieldLastPublic, "an answer")
		set(fieldAssignee, "assignee")
	case "customer", "thanks":
		e.Kind, e.Actor.Kind, ev = EntryReceived, ActorCustomer, eventCustomer
		if h.What == "thanks" {
			ev = eventThanks
		}
	case "note":
		e.Kind, ev = EntryNoted, eventNote
	case "take":
		ev = eventTake
		set(fieldAssignee, "assignee")
	case "escalate", "return":
		team, ok := s.r.Teams[h.Arg]
		if !ok {
			return fmt.Errorf("%s %s: there is no such team", h.What, h.Arg)
		}
		set(fieldTeam, team.Name)
		set(fieldTier, formatInt(team.Tier))
		if ev = eventReturn; h.What == "escalate" {
			ev = eventEscalate
			set(fieldAssignee, "")
		}
	case "priority":
		ev = eventRecompute
		set(fieldPriority, h.Arg)
	case "level":
		if _, ok := s.r.Levels[h.Arg]; !ok {
			return fmt.Errorf("level %s: there is no such service level", h.Arg)
		}
		ev = eventRecompute
		set(fieldServiceLevel, h.Arg)
	case "vendor":
		if _, ok := s.r.Vendors[h.Arg]; !ok {
			return fmt.Errorf("vendor %s: there is no such third party", h.Arg)
		}
		ev = eventVendor
	default:
		i := slices.Index(Happenings(), h.What)
		if i < 0 {
			return fmt.Errorf("%q cannot happen to a ticket", h.What)
		}
		ev = map[string]event{"vendor_reply": eventVendorMail, "solve": eventSolve, "close": eventClose, "reopen": eventReopen}[h.What]
	}
	s.happen(h.At, h.What, h.Arg, func(d *decider) bool {
		if !d.move(d.out.Ticket, &e, ev) {
			return false
		}
		if h.What == "vendor" {
			d.startVendorClock(d.out.Ticket, &e, s.r.Vendors[h.Arg])
		}
		d.entry(e)
		return true
	})
	return nil
}
