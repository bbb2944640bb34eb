package tickets

import "time"

// OutgoingID is the key of one mail the desk owes to one recipient.
type OutgoingID uint64

// Delivery states of an Outgoing.
type DeliveryState string

const (
	Queued   DeliveryState = "queued"   // not tried yet
	Sending  DeliveryState = "sending"  // an attempt was recorded; its end is not known
	Deferred DeliveryState = "deferred" // tried, refused for now, tried again at Next
	Sent     DeliveryState = "sent"     // the server took it
	GivenUp  DeliveryState = "failed"   // refused for good, or for too long
	Held     DeliveryState = "held"     // not sent until someone says so (restore)

	Cancelled DeliveryState = "cancelled" // taken back before it left
)

// Outgoing is a mail the desk owes to one recipient. Its bytes are final from the transaction that decided it, and the
// same in every attempt (P2).
type Outgoing struct {
	ID           OutgoingID    `json:"id"`
	Ticket       TicketID      `json:"ticket,omitempty"`
	Class        Class         `json:"class"`
	Template     string        `json:"template"`
	Server       string        `json:"server"`        // name of the SMTP server in the configuration
	EnvelopeFrom string        `json:"envelope_from"` // "" is the null reverse-path <>
	Recipient    string        `json:"recipient"`
	MessageID    string        `json:"message_id"`
	Subject      string        `json:"subject"`
	Created      time.Time     `json:"created"`
	NotBefore    time.Time     `json:"not_before,omitzero"` // the undo window ends here
	State        DeliveryState `json:"state"`
	Attempts     int           `json:"attempts"`
	InDoubt      int           `json:"in_doubt,omitempty"` // attempts whose end is not known: each may have delivered a copy
	Next         time.Time     `json:"next,omitzero"`
	SettledAt    time.Time     `json:"settled_at,omitzero"` // when it was sent or given up
	LastError    string        `json:"last_error,omitempty"`
	Size         int           `json:"size"`
	SHA256       Digest        `json:"sha256"`
	Spans        []Span        `json:"spans,omitempty"` // what of it stands in raw messages, in its order

	Bytes []byte `json:"-"` // filled by Desk.Due

	counted DeliveryState // as which the store counts it; "" when it does not have it yet
}

// Attempt says that a delivery is about to be tried. It is recorded first, so that a crash looks like a failure that
// is already scheduled for later.
type Attempt struct {
	ID   OutgoingID
	At   time.Time
	Next time.Time // when to try again if nothing more is heard of it
}

// DeliveryResult is how an attempt ended.
type DeliveryResult string

const (
	ResultSent      DeliveryResult = "sent"
	ResultTemporary DeliveryResult = "temporary" // try again at Next
	ResultPermanent DeliveryResult = "permanent" // never try again
	ResultAmbiguous DeliveryResult = "ambiguous" // the server may have taken it; try again at Next
	ResultUntried   DeliveryResult = "untried"   // not this mail's fault (no connection, login refused): does not count
)

// Delivery is the end of an Attempt.
type Delivery struct {
	ID     OutgoingID
	At     time.Time
	Result DeliveryResult
	Next   time.Time
	Detail string // the server's words, on one line
	GiveUp bool   // ResultTemporary or ResultAmbiguous, and the time for trying is over
}
