package clock

import (
	"slices"
	"time"
)

// maxSegments bounds what is kept of one clock; beyond, the oldest pauses are folded into the time around them.
const maxSegments = 64

// Pause makes it stand still. A clock that does so, or has ended, stays as it is.
func (c Clock) Pause(h Hours, at time.Time) Clock {
	if !c.Running() {
		return c
	}
	c = c.close(h, at)
	c.Segments = append(c.Segments, Segment{From: c.last().To, Paused: true})
	return c.derived(h, at)
}

// Resume lets it run on, also after it was stopped: what was used up before counts.
func (c Clock) Resume(h Hours, at time.Time) Clock {
	switch {
	case c.Running() || len(c.Segments) == 0:
		return c
	case c.Stopped():
		c = c.settled(h)
		at = later(at, c.Stop)
		c.Stop, c.Why = time.Time{}, ""
		c.Segments = append(c.Segments, Segment{From: at})
	default:
		c = c.close(h, at)
		c.Segments = append(c.Segments, Segment{From: c.last().To})
	}
	return c.folded().derived(h, at)
}

// End stops it.
func (c Clock) End(h Hours, at time.Time, why string) Clock {
	if c.Stopped() || len(c.Segments) == 0 {
		return c
	}
	c = c.close(h, at).derived(h, at)
	c.Stop, c.Why = c.last().To, why
	return c
}

// Restart is a clock of the same kind that begins anew: its steps may happen again.
func (c Clock) Restart(h Hours, at time.Time) Clock {
	epoch := c.Epoch + 1
	c.Epoch, c.Steps, c.Stop, c.Why, c.Grace, c.Given, c.Inherited = epoch, nil, time.Time{}, "", 0, 0, false
	c.Breached, c.Acked = time.Time{}, time.Time{}
	return New(c, h, at)
}

// Promise is what a clock is measured by.
type Promise struct {
	Target   time.Duration
	Calendar string
	Level    string
	Priority string
	Rev      string
}

// Retarget measures it by another promise, from its start: what was used up and the pauses stay, counted in the new
// promise's working time. A deadline that comes nearer leaves at least grace percent of the new target. A clock that was
// broken stays broken.
func (c Clock) Retarget(h Hours, p Promise, newHours Hours, grace int, now time.Time) Clock {
	c = c.settled(h)
	before := c.Deadline(h, now)
	if c.Running() && c.Target > 0 && now.After(before) {
		c.Breached = earliest(c.Breached, before)
	}
	c.Target, c.Calendar, c.Level, c.Priority, c.Rev, c.Grace = p.Target, p.Calendar, p.Level, p.Priority, p.Rev, 0
	if h != newHours {
		c.Given = 0
		c.Segments = slices.Clone(c.Segments)
		for i, s := range c.Segments {
			if !s.To.IsZero() {
				c.Segments[i].Used = newHours.Between(s.From, s.To)
			}
		}
	}
	if c.Target > 0 && !c.Stopped() && c.Breached.IsZero() {
		nearer := before.IsZero() || c.When(newHours, c.Allowed(), now).Before(before)
		least := c.Target / 100 * time.Duration(grace)
		if left := c.Allowed() - c.Used(newHours, now); nearer && left < least {
			c.Grace = least - left
		}
	}
	return c.derived(newHours, now)
}

// Extend allows so much more from now on, or from the deadline while that lies ahead. Its steps may happen again.
func (c Clock) Extend(h Hours, d time.Duration, now time.Time) Clock {
	c = c.settled(h)
	if left := c.Allowed() - c.Used(h, now); left < 0 {
		c.Given -= left
	}
	c.Given, c.Steps, c.Acked = c.Given+d, nil, time.Time{}
	return c.derived(h, now)
}

// Graced reports whether its deadline is later than its target says, because the target was made shorter.
func (c Clock) Graced() bool { return c.Grace > 0 }

// Backdate makes it begin earlier, with the time in between used up.
func (c Clock) Backdate(h Hours, start time.Time) Clock {
	if len(c.Segments) == 0 || !start.Before(c.Start()) {
		return c
	}
	c = c.settled(h)
	c.Segments = slices.Clone(c.Segments)
	first := &c.Segments[0]
	first.From = start.UTC()
	if !first.To.IsZero() {
		first.Used = h.Between(first.From, first.To)
	}
	return c.derived(h, c.last().From)
}

// close ends the open segment and counts it. An instant before its begin counts as its begin.
func (c Clock) close(h Hours, at time.Time) Clock {
	c = c.settled(h)
	c.Segments = slices.Clone(c.Segments)
	s := &c.Segments[len(c.Segments)-1]
	s.To = later(at, s.From)
	s.Used = h.Between(s.From, s.To)
	if due := c.When(h, c.Allowed(), s.To); !s.Paused && c.Target > 0 && s.To.After(due) {
		c.Breached = earliest(c.Breached, due)
	}
	return c
}

// derived writes the deadline down.
func (c Clock) derived(h Hours, now time.Time) Clock {
	c.Due = c.Deadline(h, now).UTC()
	if c.Target <= 0 {
		c.Due = time.Time{}
	}
	return c
}

// folded keeps the number of segments within bounds: the oldest pause and what ran after it join what ran before.
func (c Clock) folded() Clock {
	for len(c.Segments) > maxSegments {
		i := 1
		if c.Segments[1].Paused {
			i = 2
		}
		joined := c.Segments[i]
		joined.From, joined.Used = c.Segments[0].From, joined.Used+c.Segments[0].Used
		c.Segments = append([]Segment{joined}, c.Segments[i+1:]...)
	}
	return c
}

// settled gives a clock of an earlier version, of which only the deadline is known, what its deadline follows from.
func (c Clock) settled(h Hours) Clock {
	if !c.Inherited {
		return c
	}
	c.Inherited = false
	c.Segments = slices.Clone(c.Segments)
	for i, s := range c.Segments {
		if !s.To.IsZero() {
			c.Segments[i].Used = h.Between(s.From, s.To)
		}
	}
	first := c.Segments[0]
	at := first.To
	if at.IsZero() {
		at = first.From
	}
	c.Given = first.Used + h.Between(at, c.Due) - c.Target
	if at.After(c.Due) {
		c.Breached = c.Due
	}
	return c
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a.UTC()
	}
	return b.UTC()
}

// earliest is the earlier of two instants, of which the first may be unknown.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b.UTC()
	}
	return a.UTC()
}
