package mailout

import (
	"slices"
	"strings"
	"time"

	"supportd/tickets"
)

// Status is how sending goes.
type Status struct {
	Servers  []ServerStatus `json:"servers"`   // by name
	InFlight int            `json:"in_flight"` // mails on their way
	AutoHeld int            `json:"auto_held"` // automatic answers that wait because there were too many in a minute

	// Counted since Run began.
	Sent      uint64 `json:"sent"`
	Deferred  uint64 `json:"deferred"`
	Failed    uint64 `json:"failed"`
	Ambiguous uint64 `json:"ambiguous"`
}

// ServerStatus is how one server does.
type ServerStatus struct {
	Name         string    `json:"name"`
	Connected    bool      `json:"connected"`              // the last contact was good
	Since        time.Time `json:"since"`                  // of the present state
	LastError    string    `json:"last_error,omitempty"`   // why mails are held back; "" when none are
	BackoffUntil time.Time `json:"backoff_until,omitzero"` // when the server, or a sender it refused, is tried again
}

// Status returns how things are now. It may be called at any time, by any goroutine.
func (s *Sender) Status() Status {
	s.mu.Lock()
	st, relays := s.status, s.relays
	s.mu.Unlock()
	for _, r := range relays {
		st.Servers = append(st.Servers, r.status())
	}
	slices.SortFunc(st.Servers, func(a, b ServerStatus) int { return strings.Compare(a.Name, b.Name) })
	return st
}

func (r *relay) status() ServerStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := ServerStatus{Name: r.server.Name, Connected: r.up, Since: r.since, LastError: r.state.last, BackoffUntil: r.state.until}
	if st.LastError == "" {
		for _, p := range r.held {
			st.LastError, st.BackoffUntil = p.last, p.until
		}
	}
	return st
}

// count keeps the books of what was recorded.
func (s *Sender) count(dl tickets.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case dl.Result == tickets.ResultSent:
		s.status.Sent++
	case dl.Result == tickets.ResultPermanent, dl.GiveUp:
		s.status.Failed++
	case dl.Result == tickets.ResultTemporary:
		s.status.Deferred++
	}
	if dl.Result == tickets.ResultAmbiguous {
		s.status.Ambiguous++
	}
}

// publish shows what the dispatcher knows.
func (d *dispatcher) publish() {
	d.sender.mu.Lock()
	defer d.sender.mu.Unlock()
	d.sender.status.InFlight = len(d.flying)
	d.sender.status.AutoHeld = len(d.limit.reserved)
}
