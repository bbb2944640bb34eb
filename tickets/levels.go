package tickets

import (
	"time"

	"supportd/tickets/clock"
)

// What is promised: by the desk to the customer (SLA), and by its teams to one another (OLA).

// Level is a service level: what one kind of customer is promised.
type Level struct {
	Name     string
	Calendar string // name of the working time in which it is counted; "": Rules.Calendar
	// Targets are by priority. What stands under "" holds for tickets whose priority has no targets of its own.
	Targets map[string]Targets
}

// Targets are the promised times of one priority. A kind that is not in it is not promised.
type Targets struct {
	Calendar string // "": that of the level
	Times    map[clock.Kind]time.Duration
}

// SLA says how promises meet what happens.
type SLA struct {
	PauseOn      []State // states in which the time to the solution stands still
	UpgradeGrace int     // percent of the new target that a higher priority leaves at least
	// WarnCustomer: acknowledgements say until when somebody will answer.
	WarnCustomer bool
}

// OLA is what a team promises the others, by priority; what stands under "" holds for the rest.
type OLA struct {
	Accept  map[string]time.Duration // until somebody takes a new ticket
	TimeBox map[string]time.Duration // until it should be handed over
}

// DefaultSLA pauses while the customer has to answer, and leaves a quarter of a target that became shorter.
func DefaultSLA() SLA {
	return SLA{PauseOn: []State{StateWaitingCustomer}, UpgradeGrace: 25, WarnCustomer: true}
}

// middlePriority stands in for that of tickets without one.
const middlePriority = "P3"

// level returns the service level of that name, or the default one.
func (r *Rules) level(name string) Level {
	if l, ok := r.Levels[name]; ok && name != "" {
		return l
	}
	return r.Levels[r.DefaultLevel]
}

func (l Level) targets(priority string) Targets {
	if priority == "" {
		if _, ok := l.Targets[""]; !ok {
			priority = middlePriority
		}
	}
	if t, ok := l.Targets[priority]; ok {
		return t
	}
	return l.Targets[""]
}

// counts reports whether the level promises something of that kind, for any priority: then it is counted for all of
// them, so that the time is known when the priority changes.
func (l Level) counts(kind clock.Kind) bool {
	for _, t := range l.Targets {
		if t.Times[kind] > 0 {
			return true
		}
	}
	return false
}

// promise is what a ticket of that level and priority is promised.
func (r *Rules) promise(kind clock.Kind, level, priority string) clock.Promise {
	l := r.level(level)
	t := l.targets(priority)
	p := clock.Promise{Target: t.Times[kind], Calendar: firstNonEmpty(t.Calendar, l.Calendar), Level: level, Priority: priority, Rev: r.Rev}
	return p
}

// agreed is what a team has agreed to; 0 for nothing.
func (r *Rules) agreed(kind clock.Kind, team, priority string) time.Duration {
	times := r.Teams[team].OLA.Accept
	if kind == clock.TimeBox {
		times = r.Teams[team].OLA.TimeBox
	}
	if d, ok := times[priority]; ok {
		return d
	}
	return times[""]
}

// Hours is the working time in which a clock counts. When the configuration has its calendar no more, the desk's own
// stands in.
func (r *Rules) Hours(c Clock) Calendar {
	if v, ok := r.Vendors[c.Team]; ok && c.Kind == clock.Vendor {
		if v.Calendar != nil {
			return v.Calendar
		}
		return r.calendar("")
	}
	if c.Team != "" && !c.Kind.SLA() && c.Kind != clock.Vendor {
		return r.teamHours(c.Team)
	}
	return r.calendar(c.Calendar)
}

func (r *Rules) calendar(name string) Calendar {
	if cal, ok := r.Calendars[name]; ok {
		return cal
	}
	if r.Calendar == nil {
		return AroundTheClock{}
	}
	return r.Calendar
}

func (r *Rules) teamHours(team string) Calendar {
	if h := r.Teams[team].Hours; h != nil {
		return h
	}
	return r.calendar("")
}

// Deadline is when a clock's promise falls due; zero when nothing is promised.
func (r *Rules) Deadline(c Clock, now time.Time) time.Time { return c.Deadline(r.Hours(c), now) }
