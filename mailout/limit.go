package mailout

import (
	"time"

	"supportd/tickets"
)

// limiter lets at most so many mails through in any minute, and gives each of the others the instant when it is its
// turn. The zero limiter lets everything through.
type limiter struct {
	slots    []time.Time // of the last mails, a ring: when it was to be their turn
	at       int
	left     []time.Time                 // a ring too: when they left, which is later where more had their turn than could go
	next     int                         // of left
	late     map[tickets.OutgoingID]bool // whose turn was, and who wait for one of these to be a minute ago
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
	return &limiter{slots: make([]time.Time, perMinute), left: make([]time.Time, perMinute), reserved: make(map[tickets.OutgoingID]time.Time), late: make(map[tickets.OutgoingID]bool)}
}

// take returns when a mail may go: now, or later. Asked again for the same mail it gives the same answer, until that
// instant has come.
func (l *limiter) take(id tickets.OutgoingID, now time.Time) time.Time {
	if len(l.slots) == 0 {
		return now
	}
	if slot, ok := l.reserved[id]; ok {
		if slot.After(now) {
			return slot
		}
		return l.leave(id, now)
	}
	newest := l.slots[(l.at+len(l.slots)-1)%len(l.slots)]
	if newest.Add(time.Minute).Before(now) {
		clear(l.reserved) // of mails that never came back
		clear(l.late)
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
		return slot
	}
	return l.leave(id, now)
}

// leave lets a mail go whose turn it is, unless so many have left within the minute, since their turn was before.
func (l *limiter) leave(id tickets.OutgoingID, now time.Time) time.Time {
	delete(l.late, id)
	if l.left[l.next].Add(time.Minute).After(now) {
		// Each of those who wait gets an instant of its own, so that they are not put off one after the other.
		free := l.left[(l.next+min(len(l.late), len(l.left)-1))%len(l.left)].Add(time.Minute)
		l.reserved[id], l.late[id] = free, true
		return free
	}
	delete(l.reserved, id)
	l.left[l.next] = now
	l.next = (l.next + 1) % len(l.left)
	return now
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
