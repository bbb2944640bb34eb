// Package config reads the desk's configuration file, checks all of it, and turns the short and the full form into one
// Config; every fault is a Finding with file, line and column. It starts nothing, opens no connection and decides
// nothing about mail.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"time"
	_ "time/tzdata" // zones must not depend on the machine

	"supportd/classify"
	"supportd/tickets"
	"supportd/tickets/calendar"
	"supportd/tickets/handover"
)

// FormatVersion is the version of the file format that this program reads.
const FormatVersion = 1

// Names that the short form's parts get in the full form.
const (
	ShortMailbox  = "support"
	ShortBrand    = "default"
	ShortTeam     = "support"
	ShortCalendar = "standard"
	ShortLevel    = "standard"
)

// Config is what a configuration file says, short and full form alike, with every default filled in. It is not
// changed after loading.
type Config struct {
	Path  string   // the file, as it was named
	Dir   string   // where relative paths in it start
	Rev   string   // first 8 hex digits of a SHA-256 over all files read but secrets
	Files []string // every file and template folder that was read, to be watched for changes

	Organisation string         // the desk's name, such as "Nordwind Service"
	Zone         *time.Location // of times that people read, and the calendars' default
	Languages    []string       // ISO 639-1; the first is the fallback
	StaffDomains []string       // lower case

	Mailboxes []Mailbox  // in the order of the file
	Brands    []Brand    // in the order of the file
	Teams     []Team     // in the order of the file
	Calendars []Calendar // in the order of the file
	Calendar  string     // the calendar in which targets are counted when nothing else is said
	Intake    string     // the team that gets new tickets when no route says otherwise

	Levels       []ServiceLevel // in the order of the file; none: nothing is promised
	DefaultLevel string         // of customers who have none; "" when there are no levels
	SLA          SLA
	OnCall       []OnCall     // in the order of the file
	Escalations  []Escalation // in the order in which they are tried
	SafetyNet    SafetyNet
	Major        MajorIncident
	Standard     string              // folder of the standard answers; "" for none
	Answers      []Answer            // in the order in which they are tried
	AnswerLimit  Rate                // of them, to one sender
	Questions    map[string][]string // what acknowledgements ask, by category

	People        []classify.Person   // in the order of the table
	Customers     []classify.Customer // in the order of the table
	CMDB          []classify.CI       // in the order of the table
	PeopleFile    string              // "" for none; so are the next two
	CustomersFile string
	CMDBFile      string

	Matrix        classify.Matrix
	PriorityNames map[string]map[string]string // priority to language to name
	Categories    []classify.Category          // in the order of the file
	Threshold     classify.Threshold
	Derive        classify.Derive
	Routes        classify.Route    // its To is Intake
	Rules         []classify.Rule   // in the order of the file; people are named as they stand there
	Checklists    map[string]string // path as written in Rules to text

	Handover       handover.Rules
	Vendors        []Vendor        // in the order of the file
	VendorRemind   []Step          // by rising percentage of the time in which a third party answers
	Redact         []string        // what requests to third parties go without: phone, private_address, credentials
	ServiceManager tickets.Address // zero: nobody

	Waiting      Waiting       // for customers' answers
	SameText     time.Duration // how long a mail with the same text joins the ticket of the first; 0: never
	Similar      float64       // likeness from which a ticket is mentioned; 0: never
	ThanksReopen bool          // a reply that says thanks and nothing more opens the ticket again
	ReopenLimit  int           // reopenings of one ticket in 24 hours
	CloseAfter   time.Duration // from solved to closed
	ReopenWithin time.Duration // after solving, in which a reply opens the ticket again

	Digests Digests
	Notices Notices
	Agents  []Agent // in the order of the file: those for whom something differs

	AuthservIDs  []string // lower case; their Authentication-Results are believed (RFC 8601 §2.5)
	TrustedHosts []string // lower case; hosts whose Received fields are believed
	VerifyDKIM   bool     // the desk checks signatures itself where those say nothing
	ScoreAtLeast float64  // spam score from which a mail is held; 0: no score counts
	Spam         Spam     // what is done about unwanted mail beside that

	Retention Retention

	State     string // the state directory
	Listen    string // host:port of the status page; "" for none
	Undo      time.Duration
	DiskFloor int64 // octets that must stay free
	Admin     tickets.Address
	Health    Health
}

// Health is about the mails on the desk's own health, which go to Admin.
type Health struct {
	SMTP          *SMTP // a second way out; nil for none
	PollFailure   time.Duration
	OutboxAfter   time.Duration
	WarnBefore    time.Duration
	TellOfSilence bool
}

// Waiting is what happens while a ticket waits for its customer. Times are working time since the question.
type Waiting struct {
	Remind   []time.Duration // ascending
	After    time.Duration   // when the ticket is solved; 0: never
	Calendar string          // whose hours count
}

// Notices says when notices are collected: beyond AtMost to one reader in Within; 0: never.
type Notices struct {
	AtMost int
	Within time.Duration
}

// Agent is what differs for one agent.
type Agent struct {
	Who       tickets.Address
	Signature map[string]string // language to lines
}

// Digests are the overviews in the morning.
type Digests struct {
	Personal Digest
	Leads    Digest
}

// Digest is when an overview comes.
type Digest struct {
	On     bool
	At     string   // 07:30
	NotFor []string // names of teams, and lower-case addresses
}

// Spam is the part of the spam policy that the admin decides; the zero value decides nothing.
type Spam struct {
	OwnScore  float64  // probability; 0: the desk has no opinion of its own
	Allow     []string // customers, vendors, staff_domains
	PerSender int      // mails in Within
	Within    time.Duration
	OnExceed  string          // one_ticket
	DigestTo  tickets.Address // zero: nobody
	DigestAt  string          // 08:30
	Blocked   []string        // endings of files, without the dot
}

// TLS modes of a server.
const (
	TLSImplicit = "implicit"
	TLSStartTLS = "starttls"
	TLSNone     = "none"
)

// What happens to a message on the server once it is stored.
const (
	AfterLeave = "leave"
	AfterFlag  = "flag"
	AfterMove  = "move"
)

// Mailbox is one mailbox that is followed.
type Mailbox struct {
	Name       string
	Host       string
	Port       int
	TLS        string // implicit, starttls or none
	CAFile     string // "" for the system's certificates
	User       string
	Password   Secret
	OAuth2     *OAuth2 // set: there is no Password
	Folder     string
	Poll       time.Duration
	After      string    // leave, flag or move
	MoveTo     string    // folder; set exactly when After is move
	Since      time.Time // zero: the first start
	MaxSize    int64     // octets
	Brand      string
	Addresses  []string // what people write to, lower case
	Plus       bool     // mail to name+anything@domain arrives here
	Trusted    bool     // only authenticated users can write to it
	SenderKind string   // "" or monitoring
	Sent       string   // the folder for sent mail, or \Sent; "" when it is not looked at
	SentCopies bool     // into Sent
	Claim      string   // the folder in which the desk notes that it reads the mailbox; "" for none
	Moves      []Move   // folders in which moving is an action

	Mirror *tickets.Mirror // what messages show of their tickets; nil: nothing
}

// Move is a folder in which moving a message is an action.
type Move struct {
	Folder string
	Do     string // take, solve, spam, not_spam or team
	Team   string // exactly when Do is team
	By     string // lower-case address of who acts; "" when nobody can tell
}

// Brand is one face of the desk.
type Brand struct {
	Name         string
	From         tickets.Address
	AgentFrom    string // display name of an agent's answer, a text/template over {{.Agent.Name}} and {{.Agent.FirstName}}; "" for From's
	SMTP         SMTP
	DKIM         []DKIM // all of them sign each mail
	TicketPrefix string
	Templates    string            // folder; "" for the built-in texts
	AddressForm  map[string]string // language to form: de sie or du, en last_name or first_name
}

// SMTP is the server that takes a brand's mails.
type SMTP struct {
	Host        string
	Port        int
	TLS         string // implicit, starttls or none
	CAFile      string
	User        string // "" for no authentication
	Password    Secret
	OAuth2      *OAuth2         // set: there is no Password
	Retry       []time.Duration // the last one repeats
	GiveUp      time.Duration
	Connections int
}

// Team is a group of agents.
type Team struct {
	Name      string
	Tier      int
	Members   []tickets.Address
	Address   string          // gets a copy of every notice; "" for none
	Lead      tickets.Address // zero: nobody
	Calendars []string        // hours are the union of all; never empty
	Skills    []string
	OLA       OLA
	OnCall    string // name of who is called; "" for nobody
	// Restricted says that only the team sees what its tickets say.
	Restricted bool
}

// Vendor is a third party.
type Vendor struct {
	Name      string
	To        tickets.Address
	Contract  string
	Until     string // 2027-02-28; "" for no end
	Language  string
	Calendar  string
	Respond   time.Duration // business time; 0: nothing was agreed
	Reference string        // a pattern with one group; "" for none
	For       []string      // skills of teams
}

// Step is one reminder on the way to a deadline.
type Step struct {
	Percent int      // of the target
	Notify  []string // assignee, owner, team, team_lead, service_manager, on_call, watchers, admin or an address
	Do      string   // "", return_to_owner, propose_handover or handover
	Repeat  time.Duration
	Max     int // how often it is repeated
}

// Calendar says when the desk works.
type Calendar struct {
	Name     string
	Zone     *time.Location
	Hours    map[time.Weekday][]Interval // sorted, without overlap
	Holidays []string                    // region codes such as DE-BY
	File     string                      // with further holidays, as the configuration names it; "" for none
	Dated    []calendar.Dated            // what stands in it
	Days     []Override                  // dated exceptions; they win over holidays, and those over the week
}

// Interval is a span of one day in minutes since its midnight: From 0 to 1439, To up to 1440.
type Interval struct {
	From int
	To   int
}

// String is the interval as it is written: 08:00-17:00.
func (i Interval) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", i.From/60, i.From%60, i.To/60, i.To%60)
}

// Override is what holds on some days instead of the week's hours.
type Override struct {
	From  string     // 12-24 (every year) or 2026-12-24
	To    string     // the last day, in the same form; From for a single day
	Hours []Interval // empty: closed
}

// Answer is an automatic answer.
type Answer struct {
	Name  string
	Match classify.Match
	File  string // where the text stands
	Text  string
	// Solves says that a ticket is solved by it.
	Solves bool
}

// Rate is so many within a time; 0: no bound.
type Rate struct {
	N      int
	Within time.Duration
}

// Secret is a password that no log, error or dump ever shows.
type Secret struct {
	value string
	file  string // path, when it came from a file
	env   string // name, when it came from the environment
}

// NewSecret makes a secret that came from neither file nor environment.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the password itself.
func (s Secret) Reveal() string { return s.value }

// Format writes [secret] for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// LogValue is [secret].
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText writes [secret], for JSON and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Team returns the team of that name.
func (c *Config) Team(name string) (Team, bool) {
	for _, t := range c.Teams {
		if t.Name == name {
			return t, true
		}
	}
	return Team{}, false
}

// Brand returns the brand of that name.
func (c *Config) Brand(name string) (Brand, bool) {
	for _, b := range c.Brands {
		if b.Name == name {
			return b, true
		}
	}
	return Brand{}, false
}
