package tickets

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"supportd/tickets/clock"
)

// TicketID is a ticket's key in the store. People see Ticket.Number.
type TicketID uint64

// String is the ID in decimal.
func (id TicketID) String() string { return strconv.FormatUint(uint64(id), 10) }

// State is where a ticket stands in its life (domain.md §4.1).
type State string

const (
	StateNew             State = "new"              // in a team's queue, no human has touched it
	StateOpen            State = "open"             // someone works on it
	StateHandedOver      State = "handed_over"      // with all they need to know in another team's queue, not accepted yet
	StateWaitingCustomer State = "waiting_customer" // a public question was sent
	StateWaitingVendor   State = "waiting_vendor"   // a third party has it
	StateScheduled       State = "scheduled"        // a date was agreed
	StateSolved          State = "solved"           // a resolution was sent and may be disputed
	StateClosed          State = "closed"           // final
	StateMerged          State = "merged"           // a tombstone: another ticket has taken it in
	StateQuarantined     State = "quarantined"      // spam or suspect; no customer sees it
)

// States lists all states, in the order of a life.
func States() []State {
	return []State{StateNew, StateOpen, StateHandedOver, StateWaitingCustomer, StateWaitingVendor, StateScheduled,
		StateSolved, StateClosed, StateMerged, StateQuarantined}
}

// Live reports whether someone still has to do something.
func (s State) Live() bool {
	switch s {
	case StateNew, StateOpen, StateHandedOver, StateWaitingCustomer, StateWaitingVendor, StateScheduled:
		return true
	}
	return false
}

// Ticket is the current state of one conversation. It is what its entries add up to: Replay gives the same value.
type Ticket struct {
	ID       TicketID `json:"id"`
	Number   string   `json:"number"` // such as NW-2026-000042
	State    State    `json:"state"`
	Subject  string   `json:"subject"` // the requester's, never rewritten
	Language string   `json:"language"`
	Mailbox  string   `json:"mailbox"` // where it came in

	Requester    Address   `json:"requester"`
	Verified     bool      `json:"verified"`               // the requester's first mail was authenticated
	Participants []Address `json:"participants,omitempty"` // get answers in copy, and may write
	Copies       []string  `json:"copies,omitempty"`       // get answers in copy, no more: what they write is held

	Team     string `json:"team"`
	Tier     int    `json:"tier"`
	Owner    string `json:"owner,omitempty"`    // who answers for it: an agent's address or ""
	Assignee string `json:"assignee,omitempty"` // who works on it: an agent's address or ""

	Category string   `json:"category,omitempty"`
	Priority string   `json:"priority,omitempty"`
	Impact   string   `json:"impact,omitempty"`
	Urgency  string   `json:"urgency,omitempty"`
	Tags     []string `json:"tags,omitempty"`

	Given    []string  `json:"given,omitempty"`    // names of the fields above and of ci that a person has decided
	Override *Override `json:"override,omitempty"` // of the priority

	CI           string   `json:"ci,omitempty"` // configuration item
	Service      string   `json:"service,omitempty"`
	Organisation string   `json:"organisation,omitempty"` // the customer
	ServiceLevel string   `json:"service_level,omitempty"`
	Watchers     []string `json:"watchers,omitempty"` // lower-case addresses
	Muted        []string `json:"muted,omitempty"`    // agents who want no notices about it; lower-case addresses
	Checklists   []string `json:"checklists,omitempty"`

	Alert *AlertState `json:"alert,omitempty"` // of a ticket about alerts

	Created    time.Time `json:"created"`
	StateSince time.Time `json:"state_since"`
	Updated    time.Time `json:"updated"`
	SolvedAt   time.Time `json:"solved_at,omitzero"`
	ClosedAt   time.Time `json:"closed_at,omitzero"`
	Reopened   int       `json:"reopened,omitempty"`
	FollowUpOf TicketID  `json:"follow_up_of,omitempty"`
	MergedInto TicketID  `json:"merged_into,omitempty"` // the ticket that took this one in
	MergedFrom []string  `json:"merged_from,omitempty"` // numbers of the tickets it took in
	Links      []string  `json:"links,omitempty"`       // numbers of tickets that belong to it
	// StateBefore is what a merged or quarantined ticket was before, and becomes again.
	StateBefore State  `json:"state_before,omitempty"`
	Confirmed   bool   `json:"confirmed,omitempty"`  // the requester said thanks for the solution
	Resolution  string `json:"resolution,omitempty"` // what solved it

	// ResolutionCode is how it ended, in one word, when that was nobody's answer: no_response, duplicate, ….
	ResolutionCode string `json:"resolution_code,omitempty"`

	ScheduledAt time.Time `json:"scheduled_at,omitzero"` // the agreed date
	Agreed      bool      `json:"agreed,omitempty"`      // the customer said yes to it

	AskedAt     time.Time `json:"asked_at,omitzero"`     // when the customer was asked what the ticket waits for
	Reminded    int       `json:"reminded,omitempty"`    // how often the customer was reminded of that
	RemindAfter time.Time `json:"remind_after,omitzero"` // the customer is away until then

	Channel   string    `json:"channel,omitempty"`    // how it came in: phone, chat, onsite; "" for mail
	Due       time.Time `json:"due,omitzero"`         // whoever works on it is reminded then
	Snoozed   time.Time `json:"snoozed,omitzero"`     // SnoozedBy gets it back then
	SnoozedBy string    `json:"snoozed_by,omitempty"` // an agent's address
	Spent     string    `json:"spent,omitempty"`      // working time that agents noted, such as 1h15m0s

	LastPublic   string `json:"last_public,omitempty"`   // the last answer the requester was sent
	LastCustomer string `json:"last_customer,omitempty"` // the new text of the requester's last mail

	// Thread holds, for each person who gets mail about this ticket (lower-case address), the Message-IDs that stand in
	// their client, oldest first; References are made from it.
	Thread map[string][]string `json:"thread,omitempty"`

	Handovers     []Handover   `json:"handovers,omitempty"`
	Handing       *Handing     `json:"handing,omitempty"` // a handover that waits for what it lacks; nil for none
	Disagreed     int          `json:"disagreed,omitempty"`
	Consults      []Consult    `json:"consults,omitempty"`
	VendorCases   []VendorCase `json:"vendor_cases,omitempty"`
	Level1Capable bool         `json:"level1_capable,omitempty"` // whoever solved it says that tier 1 can do it next time
	AbsenceTold   string       `json:"absence_told,omitempty"`   // of whose absence, and until when, the lead was told

	Clocks []Clock `json:"clocks,omitempty"`

	Touched   time.Time            `json:"touched,omitzero"`    // when a person last did something with it
	FreeSince time.Time            `json:"free_since,omitzero"` // when it last lost its assignee
	Caught    map[string]time.Time `json:"caught,omitempty"`    // what the safety net last told of it, and when

	Entries uint64 `json:"entries"` // how many entries it is made of
}

// clone copies a ticket with everything in it, so that a decision can try entries out without touching what it knows.
func (t *Ticket) clone() *Ticket {
	c := *t
	c.Participants, c.Tags, c.Clocks = slices.Clone(t.Participants), slices.Clone(t.Tags), slices.Clone(t.Clocks)
	c.Given = slices.Clone(t.Given)
	c.MergedFrom, c.Links = slices.Clone(t.MergedFrom), slices.Clone(t.Links)
	c.Muted, c.Copies = slices.Clone(t.Muted), slices.Clone(t.Copies)
	c.Watchers, c.Checklists = slices.Clone(t.Watchers), slices.Clone(t.Checklists)
	c.Thread, c.Caught = maps.Clone(t.Thread), maps.Clone(t.Caught)
	c.Handovers, c.Consults, c.VendorCases = slices.Clone(t.Handovers), slices.Clone(t.Consults), slices.Clone(t.VendorCases)
	for address, ids := range c.Thread {
		c.Thread[address] = slices.Clone(ids)
	}
	return &c
}

// Clock is a promise that is running or was kept or broken.
type Clock = clock.Clock
