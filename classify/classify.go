// Package classify decides what a message is, who vouches for its author, what it is about and how urgent that is, where
// it goes and whether it may be answered automatically, and says why; it also proves what can be proved about the rules
// for that before any message comes. Same input, same verdict: it does no I/O, reads no clock and keeps nothing between
// two messages. It does not thread, store or send; limits on how often one may be answered, and whether an address is the
// desk's own or an agent's, are the desk's to know.
package classify

import (
	"fmt"
	"regexp"
	"slices"

	"supportd/classify/alert"
	"supportd/tickets"
)

// maxReceived is how many Received fields a mail may have (S-063); Postfix stops at the same number.
const maxReceived = 50

// kindHuman is a person's mail.
const kindHuman = tickets.KindHuman

// Classifier decides by one configuration. It is safe for use by several goroutines.
type Classifier struct {
	config     Config
	authserv   []string
	hosts      []string
	phrases    phrases
	tables     tables
	categories categories
	derive     struct{ ci, impact, urgency []derivation }
	root       *route
	onNew      additions
	onReply    additions
	answers    []answerRule
	lookalikes *lookalikes
}

var _ tickets.Classifier = (*Classifier)(nil)

// New checks the configuration; the error names every problem. What Lint finds beyond that is not looked for.
func New(c Config) (*Classifier, error) {
	k, cp := compile(c)
	if err := cp.err(); err != nil {
		return nil, err
	}
	return k, nil
}

// compile makes a Classifier, which is of use only when the compiler has found no error.
func compile(c Config) (*Classifier, *compiler) {
	k := &Classifier{config: c}
	cp := newCompiler(&k.config, &k.phrases)
	cp.languages()
	k.authserv, k.hosts = cp.hosts()
	if c.ScoreAtLeast < 0 {
		cp.lint("E03", "spam.quarantine.score_at_least", "spam score %v: want a positive number, or 0 to leave scores alone", c.ScoreAtLeast)
	}
	k.tables = cp.tables()
	k.categories = cp.categories()
	k.derive.ci = cp.derive(c.Derive.CI, "ci", phaseCI, nil)
	k.derive.impact = cp.derive(c.Derive.Impact, "impact", phaseImpact, levels)
	k.derive.urgency = cp.derive(c.Derive.Urgency, "urgency", phaseUrgency, levels)
	cp.matrix()
	k.root = cp.routes()
	k.onNew, k.onReply = cp.rules(onNewTicket), cp.rules(onCustomerReply)
	k.answers = cp.answers()
	var customers []string
	for _, row := range c.Customers {
		customers = append(customers, row.Domains...)
	}
	k.lookalikes = newLookalikes(c.Domains, customers)
	return k, cp
}

// Classify decides in fixed phases; each reads only what earlier ones decided (S5). Every value has its reason.
// A message on a ticket is never categorised or routed again: only rules for replies are applied (S6).
func (k *Classifier) Classify(m *tickets.Message, h tickets.Hints) tickets.Verdict {
	v := tickets.Verdict{}
	k.kind(m, &v)
	k.monitored(m, h, &v)
	k.auth(m, h, &v)
	k.lookalike(m, &v)
	k.quarantine(m, &v)
	k.opinion(m, h, &v)
	k.noAnswer(m, &v)
	k.language(m, h, &v)
	s := &state{k: k, m: m, v: &v, given: h.Given, explain: h.Explain}
	k.alert(m, &v)
	s.intake(h)
	if h.OnTicket {
		v.Team = k.root.team
		s.because("team", v.Team, "for a new ticket only: the message continues one", "")
		s.ofTicket(h.Ticket)
		if v.Kind == tickets.KindHuman {
			s.apply(k.onReply)
		}
		return v
	}
	s.category()
	s.derived()
	s.priority()
	s.route()
	s.apply(k.onNew)
	s.answer()
	return v
}

// because records the reason for a value.
func because(v *tickets.Verdict, what, value, why string) {
	v.Reasons = append(v.Reasons, tickets.Reason{What: what, Value: value, Why: why})
}

// monitored makes an alert of what came to a mailbox for alerts: monitoring systems mark their mail as automatic or
// bulk, if they mark it at all.
func (k *Classifier) monitored(m *tickets.Message, h tickets.Hints, v *tickets.Verdict) {
	mb := k.tables.mailboxes[h.Mailbox]
	if mb == nil || !mb.Monitoring {
		return
	}
	switch v.Kind {
	case tickets.KindAutoReply:
		if awaySubject(m) {
			return
		}
	case tickets.KindHuman, tickets.KindList:
	default:
		return
	}
	decide(v, tickets.KindMonitoring, "it came to a mailbox for monitoring")
}

// alert reads what a monitoring mail says.
func (k *Classifier) alert(m *tickets.Message, v *tickets.Verdict) {
	if v.Kind != tickets.KindMonitoring {
		return
	}
	a, ok := alert.Read(m)
	if !ok {
		return
	}
	v.Alert = &tickets.Alert{System: a.System, Host: a.Host, Service: a.Service, State: a.State,
		Problem: a.Event == alert.Problem, Notice: a.Event == alert.Notice}
	because(v, "monitoring", a.System, fmt.Sprintf("a %s of %q on %q: %s", a.Event, a.Service, a.Host, a.State))
}

// shortText is how many octets a text needs for its language to be told with some confidence; below it, less
// confidence is asked for the language that is expected anyway: the ticket's, else the default.
const shortText = 80

// Floors of confidence for taking the language that was read from the text.
const (
	languageFloor      = 0.6
	languageFloorShort = 0.4
)

// language decides in which language to answer: that of the text when it is sure enough, else the ticket's, else the
// default.
func (k *Classifier) language(m *tickets.Message, h tickets.Hints, v *tickets.Verdict) {
	def, code := k.config.Languages[0], m.Language.Code
	expected := def
	if slices.Contains(k.config.Languages, h.Language) {
		expected = h.Language
	}
	floor := languageFloor
	if len(m.Reply) < shortText && code == expected {
		floor = languageFloorShort
	}
	known := slices.Contains(k.config.Languages, code)
	switch {
	case known && m.Language.Confidence >= floor:
		v.Language = code
		because(v, "language", code, fmt.Sprintf("read from the text, confidence %.2f", m.Language.Confidence))
	case slices.Contains(k.config.Languages, h.Language):
		v.Language = h.Language
		because(v, "language", h.Language, "the language of the ticket; "+undecided(m, known, floor))
	default:
		v.Language = def
		because(v, "language", def, "the default; "+undecided(m, known, floor))
	}
}

func undecided(m *tickets.Message, known bool, floor float64) string {
	switch {
	case m.Language.Code == "":
		return "the text does not tell its language"
	case !known:
		return fmt.Sprintf("the text reads like %q, which is none of the desk's languages", m.Language.Code)
	}
	return fmt.Sprintf("the text reads like %q with confidence %.2f, below %.2f", m.Language.Code, m.Language.Confidence, floor)
}

var scoreNumber = regexp.MustCompile(`-?[0-9]{1,4}(?:\.[0-9]{1,4})?`)
