package config

import (
	"time"

	"supportd/tickets"
)

// What is promised, and who is told on the way.

// ServiceLevel is what one kind of customer is promised.
type ServiceLevel struct {
	Name     string
	Calendar string           // whose hours count
	Targets  []PriorityTarget // from P1 to P5; priorities without any are left out
}

// PriorityTarget is what is promised for one priority.
type PriorityTarget struct {
	Priority string
	Calendar string // "" for that of the level
	Times    Times
}

// Times are by kind of clock: first_response, next_response, update, resolve. Those that are not promised are 0.
type Times struct {
	FirstResponse time.Duration
	NextResponse  time.Duration
	Update        time.Duration
	Resolve       time.Duration
}

// SLA says how promises meet what happens.
type SLA struct {
	PauseOn      []string // states
	UpgradeGrace int      // percent
	WarnCustomer bool
}

// OLA is what a team promises the others, by priority; "" for those that are not named.
type OLA struct {
	Accept  map[string]time.Duration
	TimeBox map[string]time.Duration
}

// Escalation is a set of steps for some tickets.
type Escalation struct {
	Name  string
	Match TicketMatch       // the zero value is for every ticket
	Steps map[string][]Step // by kind of clock
	Send  bool              // people are told outside their working time too
}

// TicketMatch says which tickets are meant: all keys that are given must hold, and one value of each.
type TicketMatch struct {
	Priority     []string
	Impact       []string
	Urgency      []string
	ServiceLevel []string
	Team         []string
	Category     []string
	Tag          []string
}

// IsZero reports whether every ticket is meant.
func (m TicketMatch) IsZero() bool {
	return len(m.Priority)+len(m.Impact)+len(m.Urgency)+len(m.ServiceLevel)+len(m.Team)+len(m.Category)+len(m.Tag) == 0
}

// OnCall is who is called when nobody works.
type OnCall struct {
	Name    string
	Rotate  string // daily, weekly or never
	From    time.Time
	Members []tickets.Address
	AlsoTo  string // a further address, with {{.Person.Mobile}}; "" for none
}

// SafetyNet says what is caught when no clock catches it. After is working time; 0 catches nothing.
type SafetyNet struct {
	Unowned    Catch
	Untouched  Catch
	NoNextStep bool
}

// Catch is one mesh of the net.
type Catch struct {
	After  time.Duration
	Notify []string
}

// MajorIncident says which new tickets concern so many that they are led.
type MajorIncident struct {
	Any     []TicketMatch // one of them; none: there is no such thing
	Burst   bool          // and those about which several people write at a time
	Manager tickets.Address
	Updates time.Duration
}
