package classify

import "time"

// Config is what an admin decides about classification. Its parts mirror the configuration file; tables are plain
// lists, so that whoever reads files can fill them.
type Config struct {
	// Languages are the desk's languages (ISO 639-1). The first is the default.
	Languages []string

	// AuthservID are the authserv-ids whose Authentication-Results count (RFC 8601 §2.5). Empty: none does.
	AuthservID []string
	// TrustedHosts are the hosts whose Received fields may stand above a result that counts. Empty: the hosts named
	// like AuthservID.
	TrustedHosts []string

	// Domains are those of the desk and its people. Domains that are easily mistaken for one of them, or for a customer's, are
	// told of.
	Domains []string

	// OwnCheck: the desk checks signatures itself where no such results stand on a mail.
	OwnCheck bool

	// Monitoring are senders of alerts: addresses, or domains written as "@example.org".
	Monitoring []string
	// OwnLists are List-Ids through which customers' mail reaches the desk; their mail is a person's, not a list's.
	OwnLists []string
	// Loop is the value of X-Loop that the desk's own mail carries; "" when it carries none.
	Loop string

	// ScoreAtLeast holds mail whose spam score is that high; 0 leaves scores alone.
	ScoreAtLeast float64
	// ScoreHeaders are the fields that carry a score, such as X-Spam-Score. Empty: the usual ones.
	ScoreHeaders []string

	// Spam gives a second opinion on whether a person's mail is wanted; nil: there is none. From SpamAtLeast on, mail that begins
	// something new is held; 0 leaves the opinion alone. It is never a reason to drop a mail.
	Spam        SpamScorer
	SpamAtLeast float64
	// Allow are those whose authenticated mail is not held for a score.
	Allow Allow

	Mailboxes []Mailbox
	Customers []Customer
	People    []Person
	CMDB      []CI
	Teams     []Team

	Categories []Category
	Threshold  Threshold
	// Scorer tells the category of a text; nil: the signals of Categories do (S9).
	Scorer Scorer

	Derive Derive
	Matrix Matrix

	// Team gets every new ticket that no route sends elsewhere; it is the To of a Routes without one.
	Team string
	// Routes is the root of the tree. Its Match must be nil. The zero Route is a root without children.
	Routes  Route
	Rules   []Rule
	Answers []Answer // automatic answers; the first that fits is given
}

// Allow names senders.
type Allow struct {
	Customers bool     // whoever the customers' table knows
	Domains   []string // and those below them
	Addresses []string
}

// Mailbox is a watched mailbox, as far as decisions look at it.
type Mailbox struct {
	Name       string
	Brand      string
	Monitoring bool // sender_kind: monitoring: what comes in are alerts
}

// Customer is a row of customers.csv: an organisation and what it was promised.
type Customer struct {
	Organisation string
	Domains      []string // of its addresses; a domain stands for those below it too
	Addresses    []string // single addresses, which win over domains
	ServiceLevel string
	Brand        string
	Region       string
	Contact      string
	VIP          bool     // everyone of it
	VIPs         []string // only these addresses of it
}

// Person is a row of people.csv.
type Person struct {
	ID       string
	Name     string
	Mail     string
	Language string
	Teams    []string
	Role     string
	Skills   []string
	Mobile   string // number for text messages
}

// CI is a row of cmdb.csv: a configuration item.
type CI struct {
	ID          string // column ci
	Name        string
	Service     string
	OwnerTeam   string
	Criticality string // such as business_critical
	Vendor      string
	Location    string
	DependsOn   []string // IDs of the items without which it does not work
}

// Team is a team as far as routes need to know it.
type Team struct {
	Name string
	Tier int
}

// Category is what a message can be about.
type Category struct {
	Name    string             // such as network.vpn
	Kind    string             // incident or service_request
	Tier2   string             // team that gets it when it is escalated
	Labels  map[string]string  // language → name for people
	Signals map[string]float64 // words or phrases → weight; each counts once
	// Examples are texts of this category, for a Scorer that learns; signals do not read them.
	Examples []string
	Default  bool // taken when no other category is sure enough
}

// Threshold says when the signals are sure enough of a category. The zero value stands for score 3 and margin 2.
type Threshold struct {
	Score  float64 // at least that much
	Margin float64 // and that much more than the next one
}

// Scorer tells what a text is about. It must be safe for use by several goroutines, and same text, same scores.
type Scorer interface {
	// Score reads subject and new text, with the language that was decided for the message (ISO 639-1).
	Score(text, language string) Scores
}

// SpamScorer tells how probable it is that a text is unwanted, 0 to 1, and what says so. It must be safe for use by several
// goroutines.
type SpamScorer interface {
	Unwanted(text string) (probability float64, evidence []Evidence)
}

// Scores is a Scorer's opinion.
type Scores struct {
	Abstains            bool    // it has learnt nothing: the signals decide
	Best                string  // name of a category; "" for none
	Known               bool    // sure enough; when not, the default category is taken
	Probability         float64 // of Best, 0 to 1; 0 when the scorer gives none
	RunnerUp            string
	RunnerUpProbability float64
	Evidence            []Evidence // what weighed most, heaviest first
	Why                 string     // what the scorer has to say about it, such as "need 3, margin 2"
}

// Evidence is one thing in a text that spoke for a category.
type Evidence struct {
	Text   string
	Weight float64
}

// Derive gives configuration item, impact and urgency, in that order; a condition reads earlier values only.
type Derive struct {
	CI      []Derivation
	Impact  []Derivation // high, medium, low
	Urgency []Derivation // high, medium, low
}

// Derivation is one entry of a list of which the first that matches is taken.
type Derivation struct {
	When *Match // nil: always; allowed, and asked for, in the last entry only
	// Set is the value. {{.name}} stands for a named group of a regex in When, or for a field such as
	// {{.mail.alert_host}}.
	Set string
}

// Matrix is impact → urgency → priority.
type Matrix map[string]map[string]string

// Route is a node of the routing tree. Among its children, in order, the first that matches is entered; the deepest
// node entered decides, and what it leaves unset is its parent's.
type Route struct {
	Name  string
	Match *Match // nil only for the root
	To    string // team; "" is inherited
	Dedup *Dedup // for alerts; nil is inherited
	// Overlaps names earlier siblings that are meant to match some of the same mail.
	Overlaps []string
	Routes   []Route
}

// Dedup says which alerts are one.
type Dedup struct {
	Key      string        // such as "{{.mail.alert_host}}/{{.mail.alert_service}}"; "" stands for that
	Recovery string        // solve or note; "" is solve
	Window   time.Duration // how long an alert joins the one before it; 0 is 24 h
}

// Rule adds to a ticket. All rules that match apply, so their order cannot matter.
type Rule struct {
	Name  string
	On    string // "" or "new_ticket"; "customer_reply"
	Match *Match
	Add   Additions
	// Set is what a rule must not have: names of single values that it tries to set. Lint reports it (E14).
	Set []string
}

// Additions are what a rule may add.
type Additions struct {
	Tags       []string
	Watchers   []string // people: ids or addresses
	Checklists []string
	Notify     []string // team, team_lead, a person
}

// Answer is one automatic answer: its name and what a message has to say to get it.
type Answer struct {
	Name  string
	Match Match
}

// Match is a condition on a message. All that is set has to hold; a list is an OR over its values (S7). The empty
// Match is an error.
type Match struct {
	Subject Text // in the subject
	Body    Text // in the new text
	Text         // in either

	Fields []FieldMatch // other fields; all have to hold
	Any    []Match      // one of them has to hold
	All    []Match      // all of them have to hold
	Not    *Match       // this must not hold
	Expr   string       // an expression (expr-lang) that is true
}

// Text says what a text has to contain. Of all that is set, each has to hold; of each list, one.
type Text struct {
	Words    []string // whole words or phrases
	Contains []string // anywhere, also inside words
	Regex    string   // RE2; matches the text as written; named groups can be used by a Derivation's Set
}

// FieldMatch is a condition on one field. A missing field equals no value and satisfies nothing but Exists: false.
type FieldMatch struct {
	// Field is a name that Fields lists, such as mailbox, category or ci.criticality, or "header." and a header
	// field's name.
	Field string
	// Values are what it may be, any case: "en", "true", or for numbers "6", ">=6", "<2".
	Values []string
	// Domain and Address are for fields that hold addresses: a domain stands for those below it too.
	Domain  []string
	Address []string
	Text          // for fields that hold text
	Exists  *bool // whether it has to be there
}
