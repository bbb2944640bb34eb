package tickets

import (
	"time"

	"supportd/tickets/handover"
)

// Class is the kind of a mail that the desk sends; it decides the header fields that say so (domain.md §6.1).
type Class string

const (
	ClassAnswer  Class = "answer"  // H1: a person's answer to a customer; no Auto-Submitted
	ClassAuto    Class = "auto"    // H2: an automatic answer to one mail; envelope <>, text/plain (RFC 3834)
	ClassNotice  Class = "notice"  // H3: notices to staff, reminders, reports
	ClassReceipt Class = "receipt" // H4: the answer to a command mail
)

// Letter is a mail to be composed: everything in it is final but its bytes. All addresses are checked (S-053) when the
// letter is enqueued.
type Letter struct {
	Class      Class
	From       Address
	To         []Address
	Cc         []Address
	ReplyTo    Address // zero: none
	Subject    string
	MessageID  string // without angle brackets
	InReplyTo  string // without angle brackets; "" for none
	References []string
	Date       time.Time
	Language   string
	ListID     string // "network.desk.example"; staff mails only
	Important  bool
	Bulk       bool   // a mail that nobody waits for, such as a daily list
	Ticket     string // ticket number for X-Desk-Ticket; "" when there is none
	Template   string
	ConfigRev  string
	Text       string
	HTML       string // "": text/plain only
	Attached   []File
	// Room may be used for the octets of the mail; what stands in it is of no worth. nil: there is none.
	Room []byte
}

// File is an attachment of a Letter.
type File struct {
	Name string
	Type string
	Data []byte
	// Base64 is the data as it goes into a mail, when it came so: lines of base64 alone, of at most 998 octets, with CRLF
	// between them. Data may be nil then.
	Base64 []byte
}

// Composer turns a letter into the bytes that go over the wire: CRLF line ends, no line over 998 octets. Same letter,
// same bytes.
type Composer interface {
	Compose(Letter) ([]byte, error)
}

// Rendered is a text in its two forms, from the same source.
type Rendered struct {
	Subject string
	Text    string
	HTML    string // "" where the template is text only
}

// Renderer renders the desk's templates. The methods take different views on purpose: what PublicView does not hold can
// never reach a customer, nor what VendorView does not hold a third party (P5).
type Renderer interface {
	Public(template string, v PublicView) (Rendered, error)
	Internal(template string, v InternalView) (Rendered, error)
	Vendor(template string, v VendorView) (Rendered, error)
}

// Templates that the desk asks for by name. Public ones take a PublicView, internal ones an InternalView.
const (
	TemplateAckNew      = "ack-new"          // T01, public
	TemplateAckFollowUp = "ack-followup-new" // T02, public
	TemplateAckPhone    = "ack-phone"        // T03, public: an agent opened the ticket in the requester's name
	TemplateAckGeneric  = "ack-generic"      // to an unauthenticated sender: number only, none of their text (S-065), public
	TemplateAgentReply  = "agent-reply"      // T04, public
	TemplateStandard    = "answer/"          // T09, public: begins the name of a standard answer
	// TemplateStandardText ends that name where the answer alone is wanted, without signature and quotes.
	TemplateStandardText = "/text"
	TemplateSolved       = "solved"      // T16, public
	TemplateAutoAnswer   = "auto-answer" // T08, public
	TemplateAppointment  = "appointment" // T12, T13, public: a date was set or moved
	TemplateMerged       = "merged-info" // T19b, public: two requests became one
	TemplateStatus       = "status"      // T10, public: how things stand
	TemplateReminder     = "reminder"    // T06, public: a question is still open
	TemplateNoResponse   = "no-response" // T07, public: solved for lack of an answer

	TemplateAppointmentNow = "appointment-now" // internal: the date has come
	TemplateHandedOver     = "handed-over"     // T14, public: another team has it now
	TemplateWithVendor     = "with-vendor"     // T15, public: a third party was asked

	TemplateVendorRequest = "vendor-request" // T26, to a third party

	TemplateHandoverGaps     = "handover-incomplete"  // T20, internal: what the packet lacks
	TemplateHandoverAsked    = "handover-asked-after" // T21, internal: the same, though it has gone already
	TemplateHandoverPacket   = "handover-packet"      // T22, internal: to the team that gets the ticket
	TemplateHandoverAccepted = "handover-accepted"    // T23, internal: to the owner
	TemplateHandoverReturned = "handover-returned"    // T23, internal: to the owner
	TemplateHandoverDispute  = "handover-dispute"     // internal: to both leads
	TemplateConsultQuestion  = "consult-question"     // T24, internal
	TemplateConsultAnswer    = "consult-answer"       // T24, internal
	TemplateLearnBack        = "learn-back"           // T25, internal: how the next tier solved it
	TemplateVendorDraft      = "vendor-draft"         // T27, internal: what #ok sends
	TemplateVendorReplied    = "vendor-replied"       // internal: a third party wrote
	TemplateAssigneeAbsent   = "assignee-absent"      // T35, internal: to the lead

	TemplateTicketToTeam    = "ticket-to-team"   // T30, internal
	TemplateCustomerReplied = "customer-replied" // T31, internal
	TemplateReceipt         = "command-receipt"  // T32, internal
	TemplateRefused         = "command-error"    // T32, internal
	TemplateEscalation      = "escalation"       // T33, internal: a clock reached one of its steps
	TemplatePersonal        = "personal-digest"  // T36, internal: what an agent has to do today
	TemplateLead            = "lead-digest"      // T37, internal: what a lead has to look at
	TemplateMany            = "more-tickets"     // T30, T31, internal: of several tickets, when there are very many notices
	TemplateGathered        = "gathered"         // T33, internal: notices that waited for the reader's working time, of several tickets
	TemplateTimeBox         = "time-box"         // T34, internal: a team's time for a ticket is over
	TemplateSafety          = "safety-net"       // T35, internal: nobody has, or nobody touches, a ticket
	TemplateMajorIncident   = "major-incident"   // T60, internal: a ticket that concerns many
	TemplateUndelivered     = "undelivered"      // T35, internal: a mail of ours bounced or was given up
	TemplateHeld            = "held"             // T35, internal: a mail waits for someone's decision
	TemplateNote            = "note"             // an internal note was written, internal
	TemplateAssigned        = "assigned"         // the ticket was given to the reader, internal
	TemplateHealth          = "health"           // T54, internal, to the admin; Lines say what and what to do
)

// PublicView is all that a customer may ever be shown. It has no field for notes, staff addresses or other tickets.
type PublicView struct {
	Language    string
	Desk        string // the desk's name, such as "Nordwind Service"
	DeskAddress string
	Number      string // ticket number
	Subject     string // the requester's own subject, without tags
	Requester   string // display name; "" when unknown
	Agent       string // name of the person who answers; "" in automatic mails
	Signature   string // of that person, in Language; "": their name and the desk's stand
	Text        string // the answer's new text (agent-reply, solved, auto-answer)
	Quote       string // the requester's last text, shown below the answer
	QuoteFrom   string // whose text that is
	QuoteAt     time.Time
	PromisedBy  time.Time // zero: nothing is promised
	ReopenUntil time.Time
	Appointment time.Time // the agreed date; zero: there is none
	State       State     // of the ticket; "" where it does not matter
	AnswerBy    time.Time // until when the desk waits for an answer; zero: for as long as it takes
	FollowUpOf  string    // number of the closed ticket before this one
	Questions   []string  // names of what the requester is asked, see Questions
	Zone        *time.Location
}

// VendorView is all that a third party may ever be shown. It has no field for customers, staff addresses or notes; its
// texts have been through the redaction that the configuration asks for.
type VendorView struct {
	Language     string   `json:"language"`
	Desk         string   `json:"desk"`
	DeskAddress  string   `json:"desk_address"`
	Number       string   `json:"number"`              // ticket number
	Reference    string   `json:"reference,omitempty"` // their own number; "" while it is unknown
	Contract     string   `json:"contract,omitempty"`  //
	Subject      string   `json:"subject"`             // without who the customer is
	Agent        string   `json:"agent"`               // name of the person who asks
	Text         string   `json:"text,omitempty"`      // what that person wrote for them
	Item         string   `json:"item,omitempty"`      // configuration item
	Description  string   `json:"description,omitempty"`
	Diagnosis    string   `json:"diagnosis,omitempty"`
	Steps        []string `json:"steps,omitempty"` // what was tried
	Reproduction []string `json:"reproduction,omitempty"`
}

// InternalView is what staff are shown.
type InternalView struct {
	Language      string
	Desk          string
	DeskAddress   string
	Number        string
	Subject       string
	State         State
	Team          string
	Tier          int
	Priority      string // with its name in the reader's language
	PriorityBy    string // who has set it by hand; "" when nobody has
	PriorityWhy   string // their reason
	Category      string // as people read it
	Item          string // configuration item; "" for none
	Checklist     string // what is to be done, Markdown
	Assignee      string
	Requester     Address
	Organisation  string   // the requester's; "" when unknown
	VIP           bool     // the customers' table says so of the requester
	Phone         string   // as the requester's signature has it; "" when unknown
	Speaks        string   // language of answers to the requester, ISO 639-1
	Level         string   // service level; "" when there is none
	Copies        []string // who gets answers beside the requester
	Verified      bool     // the sender of Text was authenticated
	ReplyIsPublic bool     // what a plain reply to this mail does: true goes to the customer, false stays inside
	Mode          string   // why ReplyIsPublic is false, or "" ("command", "note", "no right")
	Text          string   // the new text that the mail is about: the customer's, a note's, the refused mail's
	TextFrom      string
	TextAt        time.Time
	Quoted        string // the part of the mail that was taken for a quote, when it matters
	Attachments   []Attachment
	Warnings      []string // about the mail: defects, dangerous attachments, unverified sender
	Deadlines     []Deadline
	Listed        []Listed       // tickets, in notices about several
	Groups        []Group        // tickets below headings, in overviews
	Count         int            // of the tickets in all groups, where a number is wanted
	Similar       []Listed       // tickets that read like this one
	Suggestions   []Line         // what may be done with it
	Recent        []RecentEntry  // newest first
	Lines         []Line         // of a receipt, a refusal or a notice about a problem
	Form          []handover.Row // a handover's packet, as far as it is known
	Sent          string         // exactly what the customer was sent, in receipts
	SentTo        []string
	Commands      []string // the most useful commands, as one types them
	Lookalike     Lookalike
	Hints         []string // such as: "may belong to NW-2026-000012"
	Restricted    bool     // the reader may not see what the ticket says: most of this is empty
	Zone          *time.Location
}

// Deadline is a promise and when it falls due.
type Deadline struct {
	Clock string // first_response, resolve, …
	Due   time.Time
	Over  bool
}

// Listed is a ticket in a notice about several, and what is to be said of it.
type Listed struct {
	Number   string
	Subject  string
	State    State
	Priority string
	Assignee string
	Lines    []Line
	Reply    string // the address by which the reader answers this ticket; "" for none
	// Restricted says that the reader may not see what the ticket says.
	Restricted bool
}

// RecentEntry is one line of a ticket's history, for people.
type RecentEntry struct {
	At   time.Time
	Who  string
	What string
}

// Line is one thing that was done, refused or found.
type Line struct {
	OK   bool
	Key  string            // names the text, translated by the templates, e.g. "did.solve"
	Args map[string]string // what stands in that text
}
