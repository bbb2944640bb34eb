package tickets

import (
	"encoding/json"
	"slices"
	"time"
)

// Clocks of the SLA kind: the promised time to the first answer and to the solution.
const (
	clockFirstResponse = "first_response"
	clockResolve       = "resolve"
)

// startClocks starts the promised times at the message's arrival (S17).
func (d *decider) startClocks(e *Entry) {
	for _, target := range d.r.Targets {
		c := Clock{Kind: target.Clock, Target: target.Duration, Start: d.in.Arrived.UTC(), Due: d.r.Calendar.Add(d.in.Arrived, target.Duration).UTC()}
		e.Changes = append(e.Changes, Change{Field: fieldClock, After: formatJSON(c)})
	}
}

// changeClock changes the clock of a kind within an entry; change reports whether it did anything.
func changeClock(t *Ticket, e *Entry, kind string, change func(*Clock) bool) {
	c, ok := t.clock(kind, e.Changes)
	if !ok {
		return
	}
	before := formatJSON(c)
	if change(&c) {
		e.Changes = append(e.Changes, Change{Field: fieldClock, Before: before, After: formatJSON(c)})
	}
}

// clock is the clock of a kind after the changes that are not applied yet: one mail may pause it and let it run on.
func (t *Ticket) clock(kind string, pending []Change) (Clock, bool) {
	for _, p := range slices.Backward(pending) {
		var c Clock
		if p.Field == fieldClock && json.Unmarshal([]byte(p.After), &c) == nil && c.Kind == kind {
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

// stopClock ends a clock that was not ended.
func stopClock(t *Ticket, e *Entry, kind string, at time.Time) {
	changeClock(t, e, kind, func(c *Clock) bool {
		if !c.Stop.IsZero() {
			return false
		}
		c.Stop = at.UTC()
		return true
	})
}

// pauseClock makes the resolve clock stand while the customer has to act (S22).
func pauseClock(t *Ticket, e *Entry, at time.Time) {
	changeClock(t, e, clockResolve, func(c *Clock) bool {
		if !c.Stop.IsZero() || !c.Paused.IsZero() {
			return false
		}
		c.Paused = at.UTC()
		return true
	})
}

// resumeClock lets the resolve clock run on from what was left when it was paused or provisionally stopped (S22).
func (d *decider) resumeClock(t *Ticket, e *Entry) {
	changeClock(t, e, clockResolve, func(c *Clock) bool {
		since := c.Paused
		if since.IsZero() {
			since = c.Stop
		}
		if since.IsZero() {
			return false
		}
		if since.Before(c.Due) {
			c.Due = d.r.Calendar.Add(d.now, d.r.Calendar.Between(since, c.Due)).UTC()
		}
		c.Paused, c.Stop = time.Time{}, time.Time{}
		return true
	})
}
