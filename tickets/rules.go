package tickets

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"supportd/tickets/handover"
)

// Rules is one revision of the configuration, as the desk obeys it. It is never changed: a reload swaps the whole.
type Rules struct {
	Rev         string // of the files it was read from
	Zone        *time.Location
	Languages   []string // the first is the default
	Brands      map[string]Brand
	Mailboxes   map[string]Intake
	Teams       map[string]Team
	Agents      map[string]Agent // by lower-case address
	DefaultTeam string
	Admin       string // address for health notices; "" for none
	// HealthServer is a second way out for health notices; "" for none.
	HealthServer string

	Retention    Retention     // how long things are kept
	CloseAfter   time.Duration // solved → closed
	ReopenWithin time.Duration // after that an answer becomes a follow-up ticket
	Waiting      Waiting       // for customers' answers
	Duplicates   Duplicates    // of mails
	ThanksReopen bool          // a reply that says thanks and nothing more opens the ticket again
	Undo         time.Duration // how long an answer waits before it leaves
	Limits       Limits
	Calendar     Calendar            // working time where nothing else is said
	Calendars    map[string]Calendar // by name
	Levels       map[string]Level    // what is promised, by name
	DefaultLevel string              // of customers who have none of their own
	SLA          SLA
	Escalations  []Escalation // the first that fits is taken, for each kind of clock
	OnCall       map[string]OnCall
	SafetyNet    SafetyNet
	Overviews    Overviews
	Notices      Notices
	Major        MajorIncident
	Standard     map[string]*StandardAnswer // what agents send with #send, by name
	Answers      map[string]Answer          // configured automatic answers, by name
	Help         Help                       // bounds them
	Questions    map[string][]string        // category → what acknowledgements ask when a mail does not say it

	Handover       handover.Rules
	SecondTier     map[string]string // category → team that #escalate means when it names none
	Items          map[string]Item   // configuration items, by lower-case ID; empty: there is no table of them
	Vendors        map[string]Vendor // third parties, by name
	VendorRemind   []Step            // at a share of Vendor.Respond
	Redact         []string          // what requests to third parties go without, beside the customer's name and address
	ServiceManager string            // lower-case address; "" for none
	Spam           SpamPolicy
	Unvouched      bool // nothing in the configuration can authenticate a sender, but for mailboxes that are trusted

	Categories    []CategoryChoice
	PriorityNames map[string]map[string]string // priority → language → name for people
	Checklists    map[string]string            // what a checklist that rules add says, by its name

	Marks      Marks // of the desk's notices
	Classifier Classifier
	Renderer   Renderer
	Composer   Composer
}

// Brand is an identity the desk speaks as.
type Brand struct {
	Name      string // key in the configuration
	Desk      string // display name, such as "Nordwind Service"
	From      Address
	AgentName func(Agent) string // display name of an agent's answers; nil: the one of From
	Server    string             // name of the SMTP server
	Prefix    string             // of ticket numbers
	// Plus says that mail to local+anything@domain reaches the mailbox. Without it replies are matched by Message-ID.
	Plus bool
}

// Intake is what the desk knows about a watched mailbox.
type Intake struct {
	Brand      string
	Monitoring bool          // what comes in are alerts: they make tickets and get no answer
	Trusted    bool          // reachable for authenticated users only
	MaxSize    int64         // octets; of larger mail only a prefix is read
	Copies     bool          // what is sent about its tickets is copied to the folder for sent mail
	Mirror     *Mirror       // what its messages show of their tickets; nil: nothing
	Action     *FolderAction // it is a folder in which moving is an action, see MovedTo; nil: it is not
	Sent       bool          // it is the folder for sent mail of a mailbox, see SentOf
}

// Team is a group of agents of one tier.
type Team struct {
	Name    string
	Tier    int
	Lead    string         // lower-case address; "" for none
	Address string         // gets a copy of notices, without a right to answer; "" for none
	Members []string       // lower-case addresses
	Skills  []string       // lower case
	Hours   Calendar       // nil: Rules.Calendar
	HoursOf string         // the names of its calendars, for people
	Zone    *time.Location // of its calendar; nil: Rules.Zone
	OLA     OLA
	OnCall  string // name of who is called when nobody works; "" for none
	// Restricted says that nobody else sees what its tickets say, see sees.
	Restricted bool
}

// Agent is a person who may answer customers.
type Agent struct {
	Address  string
	Name     string
	Language string
	// Signature stands below their answers to customers, by language, in place of their name and the desk's; none in a language:
	// those stand.
	Signature map[string]string
}

// Item is a configuration item that can be named on a ticket.
type Item struct {
	ID     string // as it is written
	Name   string // for people
	Team   string // that answers for it; "" when unknown
	Vendor string // name of the third party behind it; "" for none
}

// Vendor is a third party that agents can ask for help, and that helps by contract.
type Vendor struct {
	Name      string
	To        Address
	Contract  string // "" when requests name none
	Language  string
	Calendar  Calendar
	Respond   time.Duration  // working time in which it answers; 0: nothing was agreed
	Reference *regexp.Regexp // its group is their number for a case; nil when they have none
	Skills    []string       // lower case: what it is asked for
}

// Limits are the caps on what the desk does by itself.
type Limits struct {
	AnswersPerHour int // automatic answers to one address (S-058)
	AnswersPerDay  int
	ReopensPerDay  int // of one ticket; beyond that it is frozen (S38)
	NoticesPerHour int // about held mail, to one team

	// Of senders who are not authenticated (S-070); 0 for no limit.
	TicketsPerHour  int // of one of them, unless the admin has set a limit for all; further mails join the newest
	UnprovenPerHour int // acknowledgements to all of them
	NoticesToOne    int // notices an hour to one of the staff about their tickets
}

// DefaultLimits are those of S-058, S-070 and S38.
func DefaultLimits() Limits {
	return Limits{AnswersPerHour: 5, AnswersPerDay: 20, ReopensPerDay: 5, NoticesPerHour: 20,
		TicketsPerHour: 20, UnprovenPerHour: 300, NoticesToOne: 200}
}

// Calendar is working time.
type Calendar interface {
	// Add returns the instant at which d of working time have passed since start. The exact end of an interval
	// belongs to it.
	Add(start time.Time, d time.Duration) time.Time
	// Between returns the working time from one instant to a later one.
	Between(from, to time.Time) time.Duration
}

// AroundTheClock is the calendar in which every hour is a working hour.
type AroundTheClock struct{}

// Add implements Calendar.
func (AroundTheClock) Add(start time.Time, d time.Duration) time.Time { return start.Add(d) }

// Between implements Calendar.
func (AroundTheClock) Between(from, to time.Time) time.Duration { return to.Sub(from) }

// Answer is a configured automatic answer.
type Answer struct {
	Name    string
	Subject string
	Text    map[string]string // language → Markdown-free text
	Solves  bool              // the ticket is solved by it, until the customer answers
}

// brandOf returns the brand that a mailbox speaks for.
func (r *Rules) brandOf(mailbox string) Brand {
	if in, ok := r.Mailboxes[watched(mailbox)]; ok {
		return r.Brands[in.Brand]
	}
	for _, name := range slices.Sorted(maps.Keys(r.Brands)) {
		return r.Brands[name] // the mailbox is gone from the configuration: always the same brand stands in
	}
	return Brand{}
}

// agent returns the agent with that address.
func (r *Rules) agent(address string) (Agent, bool) {
	if address == "" {
		return Agent{}, false
	}
	a, ok := r.Agents[strings.ToLower(address)]
	return a, ok
}

// isOwn reports whether an address is one the desk itself speaks or reads as, also with a token in it.
func (r *Rules) isOwn(address string) bool {
	local, domain, ok := cutAddress(address)
	if !ok {
		return false
	}
	base, _, _ := strings.Cut(local, "+")
	for _, b := range r.Brands {
		l, d, _ := cutAddress(b.From.Mail)
		if d == domain && (l == local || b.Plus && l == base) {
			return true
		}
	}
	return false
}

// tokenIn returns what stands between + and @ in an address of ours, or "".
func (r *Rules) tokenIn(address string) string {
	local, domain, ok := cutAddress(address)
	if !ok {
		return ""
	}
	for _, b := range r.Brands {
		l, d, _ := cutAddress(b.From.Mail)
		if rest, found := strings.CutPrefix(local, l+"+"); found && d == domain {
			return rest
		}
	}
	return ""
}

// number makes the number of the n-th ticket.
func (b Brand) number(now time.Time, n uint64) string {
	prefix := b.Prefix
	if prefix == "" {
		prefix = "T"
	}
	return fmt.Sprintf("%s-%d-%06d", prefix, now.Year(), n)
}

// withToken puts a token into the brand's address.
func (b Brand) withToken(token string) string {
	local, domain, ok := cutAddress(b.From.Mail)
	if !ok || !b.Plus {
		return b.From.Mail
	}
	return local + "+" + token + "@" + domain
}

func (b Brand) domain() string {
	_, domain, _ := cutAddress(b.From.Mail)
	return domain
}

// cutAddress splits an address into its parts, lower case.
func cutAddress(address string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 {
		return "", "", false
	}
	return strings.ToLower(address[:at]), strings.ToLower(address[at+1:]), true
}

// language picks the language for a person: theirs when they are an agent with one, else the ticket's, else the default.
func (r *Rules) language(want ...string) string {
	for _, l := range want {
		for _, have := range r.Languages {
			if l == have {
				return l
			}
		}
	}
	if len(r.Languages) > 0 {
		return r.Languages[0]
	}
	return "en"
}

// findAgent returns the agents that a name may mean: address, name, or the beginning of either. Who is named in full is
// meant alone.
func (r *Rules) findAgent(name string) (matches []Agent) {
	want := strings.ToLower(strings.TrimSpace(name))
	if a, ok := r.Agents[want]; ok {
		return []Agent{a}
	}
	var exact []Agent
	for _, a := range r.Agents {
		local, _, _ := cutAddress(a.Address)
		full := strings.ToLower(a.Name)
		if local == want || full == want {
			exact = append(exact, a)
		}
		if strings.HasPrefix(local, want) || strings.HasPrefix(full, want) || hasWordPrefix(full, want) {
			matches = append(matches, a)
		}
	}
	if len(exact) == 1 {
		return exact
	}
	return matches
}

func hasWordPrefix(full, want string) bool {
	for _, w := range strings.Fields(full) {
		if strings.HasPrefix(w, want) {
			return true
		}
	}
	return false
}
