package tickets

import (
	"encoding/json"
	"reflect"
	"time"

	"supportd/tickets/handover"
	"supportd/tickets/redact"
)

// What a ticket remembers of being handed on. Each list is one field that changes as a whole, kept as JSON.

// Names of those fields.
const (
	fieldHandovers = "handovers"
	fieldHanding   = "handing"
	fieldConsults  = "consults"
	fieldVendors   = "vendor_cases"
)

// Handover is one time that another team got a ticket.
type Handover struct {
	From     string          `json:"from"` // team
	To       string          `json:"to"`   // team
	TierFrom int             `json:"tier_from"`
	TierTo   int             `json:"tier_to"`
	By       string          `json:"by"` // an agent's address; "" for a timer
	At       time.Time       `json:"at"`
	Packet   handover.Packet `json:"packet"`
	Complete bool            `json:"complete_first_try"`
	Gaps     []string        `json:"gaps,omitempty"`   // fields that were missing when it went
	Forced   string          `json:"forced,omitempty"` // why it went although they were

	AcceptedBy string    `json:"accepted_by,omitempty"`
	AcceptedAt time.Time `json:"accepted_at,omitzero"`
	Rating     int       `json:"rating,omitempty"` // of the packet, 1 to 3 (best)
	ReturnedBy string    `json:"returned_by,omitempty"`
	ReturnedAt time.Time `json:"returned_at,omitzero"`
	Returned   string    `json:"returned,omitempty"` // the reason
}

// Handing is a handover whose packet lacks something.
type Handing struct {
	To       string          `json:"to"` // team
	By       string          `json:"by"` // an agent's address; "" for a timer
	Packet   handover.Packet `json:"packet"`
	Items    []string        `json:"items,omitempty"` // configuration items that were offered, from 1
	Attempts int             `json:"attempts"`        // how often it was tried
	Passed   bool            `json:"passed,omitempty"`
}

// Consult is a question to another team or person that stays inside.
type Consult struct {
	To         string    `json:"to"` // a team, or an agent's address
	By         string    `json:"by"`
	Question   string    `json:"question"`
	At         time.Time `json:"at"`
	AnsweredBy string    `json:"answered_by,omitempty"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
}

// VendorCase is what a third party has to do with a ticket.
type VendorCase struct {
	Vendor     string    `json:"vendor"`              // its name in the configuration
	Reference  string    `json:"reference,omitempty"` // their number for it, as read from their mail
	By         string    `json:"by"`                  // who asked
	SentAt     time.Time `json:"sent_at,omitzero"`    // of the last request
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	Sent       int       `json:"sent,omitempty"` // how many requests went out

	Draft    *VendorView    `json:"draft,omitempty"` // what #ok sends
	Redacted []redact.Found `json:"redacted,omitempty"`
}

// packField writes what p points to; what is empty is "".
func packField(p any) string {
	v := reflect.ValueOf(p).Elem()
	if v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 {
		return ""
	}
	return formatJSON(p)
}

// unpackField reads what packField wrote.
func unpackField(p any, s string) error {
	reflect.ValueOf(p).Elem().SetZero()
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), p)
}

// handovers are those after the changes that are not applied yet; the copy may be changed.
func (t *Ticket) handovers(pending []Change) []Handover {
	var list []Handover
	unpackField(&list, t.value(fieldHandovers, pending)) // only what packField wrote
	return list
}

func (t *Ticket) vendorCases(pending []Change) []VendorCase {
	var list []VendorCase
	unpackField(&list, t.value(fieldVendors, pending)) // only what packField wrote
	return list
}

func (t *Ticket) consults(pending []Change) []Consult {
	var list []Consult
	unpackField(&list, t.value(fieldConsults, pending)) // only what packField wrote
	return list
}

// lastHandover is the one by which the ticket came to its team, or nil.
func (t *Ticket) lastHandover() *Handover {
	if n := len(t.Handovers); n > 0 && t.Handovers[n-1].To == t.Team && t.Handovers[n-1].ReturnedAt.IsZero() {
		return &t.Handovers[n-1]
	}
	return nil
}
