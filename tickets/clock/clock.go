// Package clock keeps the time that is used up of a promise: how much is promised, in which working time, when it ran and
// when it stood still. A deadline is derived from these and never edited. It reads no clock of the machine, and knows
// nothing of tickets, states or people.
//
// The rules of a clock:
//
//   - It is a list of segments, each running or paused, the last one open until the clock stops. What is used up is the
//     working time of the running ones.
//   - The working time of a segment is counted when it ends. Hours and holidays that are changed later do not touch it;
//     what lies ahead is counted by the calendar as it is now.
//   - Another target changes none of the segments: a clock never starts anew because of it.
package clock

import (
	"slices"
	"time"
)

// Kind is what a clock counts.
type Kind string

// The kinds: promises to the customer (SLA), agreements between teams (OLA), and what a third party owes (UC).
const (
	FirstResponse Kind = "first_response" // SLA: until a person answers for the first time
	NextResponse  Kind = "next_response"  // SLA: until a person answers what the customer wrote since
	Update        Kind = "update"         // SLA: until the customer hears of it again
	Resolve       Kind = "resolve"        // SLA: until it is solved
	Accept        Kind = "accept"         // OLA: until somebody of the team takes it
	TimeBox       Kind = "time_box"       // OLA: until a team should hand it over
	Vendor        Kind = "vendor"         // UC: until the third party answers
)

// Kinds lists all kinds, in the order in which people are shown them.
func Kinds() []Kind {
	return []Kind{FirstResponse, NextResponse, Update, Resolve, Accept, TimeBox, Vendor}
}

// SLA reports whether it is a promise to the customer.
func (k Kind) SLA() bool {
	return k == FirstResponse || k == NextResponse || k == Update || k == Resolve
}

// Hours is working time.
type Hours interface {
	// Add returns the instant at which d of working time have passed since start.
	Add(start time.Time, d time.Duration) time.Time
	// Between returns the working time from one instant to a later one.
	Between(from, to time.Time) time.Duration
}

// Segment is a part of a clock's life.
type Segment struct {
	From   time.Time     `json:"from"`
	To     time.Time     `json:"to,omitzero"` // zero: it goes on
	Paused bool          `json:"paused,omitempty"`
	Used   time.Duration `json:"used,omitempty"` // working time in it, once it has ended
}

// Step is something that happened at a part of the target. Each happens once, and so do its repeats.
type Step struct {
	Name  string    `json:"name"` // such as default/75
	Times int       `json:"times"`
	At    time.Time `json:"at"` // the last time
}

// Clock is a promise that is running, or was kept or broken. It is a value: every method that changes it returns
// another one.
type Clock struct {
	Kind     Kind          `json:"kind"`
	Target   time.Duration `json:"target"`             // working time; 0: it is counted, and nothing is promised
	Calendar string        `json:"calendar,omitempty"` // name of its working time, for people
	Team     string        `json:"team,omitempty"`     // whose working time it is: of an OLA the team's, of a UC the third party's
	Level    string        `json:"level,omitempty"`    // what the target was taken by
	Priority string        `json:"priority,omitempty"`
	Rev      string        `json:"rev,omitempty"` // configuration that the target was taken from
	Epoch    int           `json:"epoch,omitempty"`
	Segments []Segment     `json:"segments,omitempty"`
	Stop     time.Time     `json:"stop,omitzero"`
	Why      string        `json:"why,omitempty"`   // what stopped it
	Grace    time.Duration `json:"grace,omitempty"` // added to a target that was made shorter
	Given    time.Duration `json:"given,omitempty"` // added for pauses of a clock that has no segments for them
	Breached time.Time     `json:"breached,omitzero"`
	Acked    time.Time     `json:"acked,omitzero"` // somebody who was told has acted
	Steps    []Step        `json:"steps,omitempty"`
	// Due is the deadline as it was derived when the clock last changed, for lists that have no calendar at hand.
	Due time.Time `json:"due,omitzero"`
	// Inherited says that Due was all that an earlier version kept: the rest follows from it when the clock next changes.
	Inherited bool `json:"inherited,omitempty"`
}

// New starts a clock.
func New(c Clock, h Hours, at time.Time) Clock {
	c.Segments = []Segment{{From: at.UTC()}}
	return c.derived(h, at)
}

// Start is when it was started.
func (c Clock) Start() time.Time {
	if len(c.Segments) == 0 {
		return time.Time{}
	}
	return c.Segments[0].From
}

// Stopped reports whether it has ended.
func (c Clock) Stopped() bool { return !c.Stop.IsZero() }

// Paused reports whether it stands still and may run on.
func (c Clock) Paused() bool { return !c.Stopped() && len(c.Segments) > 0 && c.last().Paused }

// Running reports whether time is being used up.
func (c Clock) Running() bool { return !c.Stopped() && len(c.Segments) > 0 && !c.last().Paused }

func (c Clock) last() Segment { return c.Segments[len(c.Segments)-1] }

// Allowed is the working time that may be used up until the deadline.
func (c Clock) Allowed() time.Duration { return c.Target + c.Grace + c.Given }

// Used is the working time that is used up at an instant.
func (c Clock) Used(h Hours, now time.Time) time.Duration {
	c = c.settled(h)
	var used time.Duration
	for _, s := range c.Segments {
		switch {
		case s.Paused:
		case !s.To.IsZero():
			used += s.Used
		case now.After(s.From):
			used += h.Between(s.From, now)
		}
	}
	return used
}

// Waited is the working time in which it stood still, until an instant.
func (c Clock) Waited(h Hours, now time.Time) time.Duration {
	var waited time.Duration
	for _, s := range c.Segments {
		switch {
		case !s.Paused:
		case !s.To.IsZero():
			waited += s.Used
		case now.After(s.From):
			waited += h.Between(s.From, now)
		}
	}
	return waited
}

// Deadline is the instant at which all that is allowed was used up, or would be if it ran on from now. Of a clock
// without a target it is zero.
func (c Clock) Deadline(h Hours, now time.Time) time.Time {
	switch {
	case c.Target <= 0:
		return time.Time{}
	case c.Stopped() || c.Inherited && !c.Paused():
		return c.Due
	}
	return c.When(h, c.Allowed(), now)
}

// When is the instant at which so much was used up, or would be if it ran on from now.
func (c Clock) When(h Hours, used time.Duration, now time.Time) time.Time {
	c = c.settled(h)
	at := c.Start()
	if used <= 0 {
		return at
	}
	for _, s := range c.Segments {
		at = s.From
		switch {
		case s.Paused:
		case s.To.IsZero():
			return h.Add(s.From, used).UTC()
		case s.Used >= used:
			if when := h.Add(s.From, used).UTC(); when.Before(s.To) {
				return when
			}
			return s.To
		default:
			used -= s.Used
		}
	}
	if now.After(at) {
		at = now
	}
	return h.Add(at, used).UTC()
}

// Share is the working time at which so many percent of what is allowed are used up.
func (c Clock) Share(percent int) time.Duration {
	allowed := c.Allowed()
	return allowed/100*time.Duration(percent) + allowed%100*time.Duration(percent)/100
}

// Missed reports whether its deadline passed while it ran.
func (c Clock) Missed(h Hours, now time.Time) bool {
	if c.Target <= 0 {
		return false
	}
	if !c.Breached.IsZero() || c.Stopped() {
		return !c.Breached.IsZero()
	}
	return c.Running() && now.After(c.Deadline(h, now))
}

// State is running, paused, met or missed, as far as it can be told without a calendar.
func (c Clock) State(now time.Time) string {
	switch {
	case !c.Breached.IsZero() || c.Target > 0 && c.Running() && now.After(c.Due):
		return "missed"
	case c.Stopped():
		return "met"
	case c.Paused():
		return "paused"
	}
	return "running"
}

// Fired returns what happened of a step.
func (c Clock) Fired(name string) Step {
	for _, s := range c.Steps {
		if s.Name == name {
			return s
		}
	}
	return Step{Name: name}
}

// Fire notes that a step happened, with its repeats so many times.
func (c Clock) Fire(name string, times int, at time.Time) Clock {
	c.Steps = slices.DeleteFunc(slices.Clone(c.Steps), func(s Step) bool { return s.Name == name })
	c.Steps = append(c.Steps, Step{Name: name, Times: times, At: at.UTC()})
	return c
}
