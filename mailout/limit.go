package mailout

import (
	"time"

	"supportd/tickets"
)

// limiter lets at most so many mails through in any minute, and gives each of the others the instant when it is its
// turn. The zero limiter lets everything through.
type limiter struct {
	slots    []time.Time // of the last mails, a ring
	at       int
	reserved map[tickets.OutgoingID]time.Time
	told     bool
}

func newLimiter(perMinute int) *limiter {
	if perMinute < 0 {
		return &limiter{}
	}
	if perMinute == 0 {
		perMinute = DefaultAutoPerMinute
	}
	return &limiter{slots: make([]time.Time, perMinute), reserved: make(map[tickets.OutgoingID]time.Time)}
}

// take returns when a mail may go: now, or later. Asked again for the same mail it gives the same answer, until that
// instant has come.
func (l *limiter) take(id tickets.OutgoingID, now time.Time) time.Time {
	if len(l.slots) == 0 {
		return now
	}
	if slot, ok := l.reserved[id]; ok {
		if !slot.After(now) {
			delete(l.reserved, id)
		}
		return slot
	}
	newest := l.slots[(l.at+len(l.slots)-1)%len(l.slots)]
	if newest.Add(time.Minute).Before(now) {
		clear(l.reserved) // of mails that never came back
		l.told = false
	}
	slot := l.slots[l.at].Add(time.Minute)
	if slot.Before(now) {
		slot = now
	}
	l.slots[l.at] = slot
	l.at = (l.at + 1) % len(l.slots)
	if slot.After(now) {
		l.reserved[id] = slot
	}
	return slot
}

// holding reports whether mails wait for their turn.
func (l *limiter) holding() bool { return len(l.reserved) > 0 }

// tripped returns the limit, and true once each time it is reached.
func (l *limiter) tripped() (int, bool) {
	if !l.holding() || l.told {
		return len(l.slots), false
	}
	l.told = true
	return len(l.slots), true
}
