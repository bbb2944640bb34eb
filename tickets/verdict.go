package tickets

import "time"

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
	// Place is where the configuration says so: "derive.impact[1]", "matrix[high][high]", the name of a route or rule.
	Place string `json:"place,omitempty"`
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
	Language   string // ISO 639-1, one of the desk's languages
	Lookalike  Lookalike
	Customer   Customer
	Alert      *Alert // what a monitoring mail says; nil for other mail, and for alerts that cannot be read

	// What follows is decided for a new ticket; for a message on a ticket it is empty, and only additive rules for
	// replies are applied.

	Category  Category
	CI        string   // configuration item; "" when none is derived
	DependsOn []string // the items that CI needs to work, all the way down
	Service   string   // of CI
	Impact    string   // high, medium, low; "" when nothing derives it
	Urgency   string   // high, medium, low; "" when nothing derives it
	Priority  string   // "" when there is no matrix
	Route     []string // names from the root down
	Team      string   // name of the team that gets a new ticket
	Tier      int      // that team's; 0 when the classifier does not know the team

	Tags       []string // without duplicates, in order of the alphabet, like all that rules add
	Watchers   []string // lower-case addresses
	Checklists []string
	Notify     []string // team, team_lead, … or an address
	Rules      []string // names of the additive rules that applied

	Reasons []Reason
}

// Lookalike says that a domain is easily mistaken for another one. The zero value says nothing.
type Lookalike struct {
	Domain string // the sender's, lower case, A-labels
	Like   string // the one that the desk knows, its own or a customer's
}

// Customer is whom the author belongs to, by the customers' table. The zero value is an unknown one.
type Customer struct {
	Organisation string `json:"organisation,omitempty"`
	ServiceLevel string `json:"service_level,omitempty"`
	Region       string `json:"region,omitempty"`
	Brand        string `json:"brand,omitempty"`
	Contact      string `json:"contact,omitempty"`
	VIP          bool   `json:"vip,omitempty"`
}

// Category is what a message is about.
type Category struct {
	Name          string     `json:"name"`
	Kind          string     `json:"kind,omitempty"`        // incident or service_request
	Tier2         string     `json:"tier2,omitempty"`       // team that gets it when it is escalated
	Probability   float64    `json:"probability,omitempty"` // 0 when whoever decided gives none
	Score         float64    `json:"score"`
	RunnerUp      string     `json:"runner_up,omitempty"`
	RunnerUpScore float64    `json:"runner_up_score,omitempty"`
	Evidence      []Evidence `json:"evidence"` // what weighed most, heaviest first
}

// Evidence is a word or phrase of the message that spoke for its category.
type Evidence struct {
	Text   string  `json:"text"`
	Weight float64 `json:"weight"`
}

// Alert is what a monitoring mail says.
type Alert struct {
	System  string // icinga, zabbix, checkmk, alertmanager, uptime_kuma, monit
	Host    string // lower case
	Service string // "" when it is about the host itself
	Problem bool   // false: it is a recovery, or Notice
	Notice  bool   // neither: an acknowledgement, a downtime, the start or end of flapping
	State   string // in the system's own word, such as CRITICAL
	Key     string // alerts with the same key are about the same thing
	// Window is how long an alert joins the ticket of the one before it.
	Window time.Duration
	// NoteOnly: a recovery is only noted, and solves nothing.
	NoteOnly bool
}

// Hints is what a Classifier may know beyond the message.
type Hints struct {
	Mailbox  string // name of the mailbox it was read from
	Trusted  bool   // the mailbox is declared to be reachable for authenticated users only
	OnTicket bool   // the message continues a ticket
	Language string // language of that ticket, or ""
	// Ticket is that ticket, for rules on replies; it is not changed. It may be nil.
	Ticket *Ticket
	// Given is what people have decided for the ticket that is classified anew.
	Given Given
	// Explain asks for reasons against what was not chosen too; what is decided is the same.
	Explain bool
}

// Given are values that a person has decided, "" where nobody has: a Classifier takes them as they are, and derives the
// rest from them (S10).
type Given struct {
	Category string
	CI       string
	Impact   string
	Urgency  string
}

// byPerson is why a given value stands.
const byPerson = "a person has decided so"

// Why is the reason for a given value.
func (Given) Why() string { return byPerson }

// Classifier decides what a message is; same input, same verdict; no I/O.
type Classifier interface {
	Classify(m *Message, h Hints) Verdict
}
