package tickets

import (
	"fmt"
	"strings"
	"time"
)

// EntryKind is what happened.
type EntryKind string

const (
	EntryCreated   EntryKind = "created"   // the ticket came to be
	EntryReceived  EntryKind = "received"  // a person's mail joined the ticket
	EntryAutomatic EntryKind = "automatic" // an automatic mail belongs to it; for the record only
	EntryAnswered  EntryKind = "answered"  // an agent's public answer
	EntryVendor    EntryKind = "vendor"    // a third party's mail; it stays inside
	EntryNoted     EntryKind = "noted"     // an internal note
	EntryQueued    EntryKind = "queued"    // the desk owes a mail
	EntryDelivery  EntryKind = "delivery"  // a mail could not be delivered, or only in doubt
	EntryBounced   EntryKind = "bounced"   // a delivery report about one of our mails came in
	EntryChanged   EntryKind = "changed"   // a command, a timer or a person changed something
	EntryHeld      EntryKind = "held"      // a mail for this ticket waits for a decision
	EntryRefused   EntryKind = "refused"   // a command mail was refused; nothing of it was done
	EntryClock     EntryKind = "clock"     // a clock started, stopped, paused, or reached a step
)

// Actor kinds.
const (
	ActorCustomer = "customer"
	ActorAgent    = "agent"
	ActorVendor   = "vendor"
	ActorSystem   = "system"
	ActorTimer    = "timer"
	ActorAdmin    = "admin" // at the command line
)

// Actor is who did it.
type Actor struct {
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"` // an address, a timer's name
}

// String is "agent anna@desk.example".
func (a Actor) String() string { return strings.TrimSpace(a.Kind + " " + a.Name) }

// Entry is one thing that happened to a ticket. Entries are only ever appended; applying the Changes of all of them in
// order gives the ticket.
type Entry struct {
	Ticket TicketID  `json:"ticket"`
	Seq    uint64    `json:"seq"` // 1, 2, 3 … within the ticket
	At     time.Time `json:"at"`
	Kind   EntryKind `json:"kind"`
	Actor  Actor     `json:"actor"`
	Cause  string    `json:"cause,omitempty"` // message key, timer or command line that brought it about
	Rev    string    `json:"rev,omitempty"`   // configuration revision

	Message   uint64   `json:"message,omitempty"` // key of the Stored message
	MessageID string   `json:"message_id,omitempty"`
	From      string   `json:"from,omitempty"`
	To        []string `json:"to,omitempty"`
	Text      string   `json:"text,omitempty"` // the new text
	// Public is, of a mail that was refused, the text that was on its way to the customer; #post sends it.
	Public   string       `json:"public,omitempty"`
	Verified bool         `json:"verified,omitempty"`
	Attached []Attachment `json:"attached,omitempty"`
	Outgoing OutgoingID   `json:"outgoing,omitempty"`
	Template string       `json:"template,omitempty"`
	Detail   string       `json:"detail,omitempty"` // in words
	Reasons  []Reason     `json:"reasons,omitempty"`
	Changes  []Change     `json:"changes,omitempty"`
}

// Change is one field of a ticket that got another value.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Replay rebuilds a ticket from its entries.
func Replay(entries []Entry) (*Ticket, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("replay: a ticket has at least one entry")
	}
	t := &Ticket{ID: entries[0].Ticket}
	for _, e := range entries {
		if err := t.apply(e); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// apply makes the ticket what it is after the entry. It is the only place where a ticket changes.
func (t *Ticket) apply(e Entry) error {
	if e.Seq != t.Entries+1 {
		return fmt.Errorf("entry %d follows entry %d", e.Seq, t.Entries)
	}
	t.Entries = e.Seq
	t.Updated = e.At
	if t.Created.IsZero() {
		t.Created = e.At
	}
	for _, c := range e.Changes {
		if err := t.applyChange(c, e.At); err != nil {
			return fmt.Errorf("entry %d: %w", e.Seq, err)
		}
	}
	return nil
}
