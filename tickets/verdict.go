package tickets

// Kind is what sort of mail a message is.
type Kind string

const (
	KindHuman          Kind = "human"
	KindAutoReply      Kind = "auto_reply"      // out of office, read receipts, other desks' acknowledgements
	KindBounce         Kind = "bounce"          // a delivery status notification, standard or not
	KindFeedbackReport Kind = "feedback_report" // ARF (RFC 5965)
	KindList           Kind = "list"            // lists and bulk mail
	KindMonitoring     Kind = "monitoring"
	KindReport         Kind = "report" // other machine reports: successful delivery, DMARC and TLS aggregates
	KindOwn            Kind = "own"    // a mail of this desk that came back
)

// Reason is one step of a decision, in words: which value, and why.
type Reason struct {
	What  string `json:"what"`  // kind, auth, language, team, answer, thread, …
	Value string `json:"value"` // what was decided
	Why   string `json:"why"`
}

// Authentication is what is known about who sent a message (RFC 8601). From alone gives no right.
type Authentication string

const (
	AuthNone Authentication = "none" // nobody trusted vouches for the author
	AuthPass Authentication = "pass" // a trusted check passed, aligned with the author's domain
	AuthFail Authentication = "fail" // a trusted check says that the author is forged (dmarc=fail)
)

// Bounce is what a delivery report says (RFC 3464 and the forms that are no standard).
type Bounce struct {
	Recipients []string `json:"recipients"` // the addresses that were not reached
	Status     string   `json:"status"`     // x.y.z (RFC 3463); "" when it cannot be told
	Hard       bool     `json:"hard"`       // trying again cannot help
	Delayed    bool     `json:"delayed"`    // a warning: the server goes on trying
	Diagnostic string   `json:"diagnostic"` // the server's words
	OriginalID string   `json:"original_id"`
}

// Verdict is what classify decided about a message. Every value has its Reason.
type Verdict struct {
	Kind   Kind
	Auth   Authentication
	Bounce *Bounce // set when Kind is KindBounce
	// NoAnswer says why no automatic answer may go to this message (RFC 3834, S-054…S-068); "" when one may.
	NoAnswer string
	// Quarantine says why the message has to be held; "" when it need not.
	Quarantine string
	// AutoAnswer names the configured automatic answer that fits; "" when none does.
	AutoAnswer string
	Team       string // name of the team that gets a new ticket
	Language   string // ISO 639-1, one of the desk's languages
	Reasons    []Reason
}

// Hints is what a Classifier may know beyond the message.
type Hints struct {
	Mailbox  string // name of the mailbox it was read from
	Trusted  bool   // the mailbox is declared to be reachable for authenticated users only
	OnTicket bool   // the message continues a ticket
	Language string // language of that ticket, or ""
}

// Classifier decides what a message is; same input, same verdict; no I/O.
type Classifier interface {
	Classify(m *Message, h Hints) Verdict
}
