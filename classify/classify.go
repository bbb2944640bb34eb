// Package classify decides what a message is, who vouches for its author, whether it may be answered automatically and
// where it goes, and says why. Same input, same verdict: it does no I/O, reads no clock and keeps nothing between two
// messages. It does not thread, store or send; limits on how often one may be answered, and whether an address is the
// desk's own or an agent's, are the desk's to know.
package classify

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"supportd/tickets"
)

// maxReceived is how many Received fields a mail may have (S-063); Postfix stops at the same number.
const maxReceived = 50

// Classifier decides by one configuration. It is safe for use by several goroutines.
type Classifier struct {
	config   Config
	authserv []string
	hosts    []string
	answers  []answerRule
}

var _ tickets.Classifier = (*Classifier)(nil)

// New checks the configuration; the error names every problem.
func New(c Config) (*Classifier, error) {
	k := &Classifier{config: c}
	var errs []error
	if len(c.Languages) == 0 {
		errs = append(errs, errors.New("check languages: at least one is needed"))
	}
	for _, l := range c.Languages {
		if len(l) != 2 || strings.ToLower(l) != l {
			errs = append(errs, fmt.Errorf("check languages: %q is no ISO 639-1 code such as \"de\"", l))
		}
	}
	for _, id := range c.AuthservID {
		id = strings.ToLower(strings.TrimSpace(id))
		if id == "" || strings.ContainsAny(id, " \t;") {
			errs = append(errs, fmt.Errorf("check trusted authserv-id %q: want a host name such as \"mx.example.org\"", id))
			continue
		}
		k.authserv = append(k.authserv, id)
	}
	k.hosts = k.authserv
	if len(c.TrustedHosts) > 0 {
		k.hosts = nil
	}
	for _, h := range c.TrustedHosts {
		h = strings.ToLower(strings.Trim(strings.TrimSpace(h), "."))
		if h == "" {
			errs = append(errs, errors.New("check trusted_hosts: empty host name"))
			continue
		}
		k.hosts = append(k.hosts, h)
	}
	if c.ScoreAtLeast < 0 {
		errs = append(errs, fmt.Errorf("check spam score %v: want a positive number, or 0 to leave scores alone", c.ScoreAtLeast))
	}
	for _, a := range c.Answers {
		rule, err := compileAnswer(a)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		k.answers = append(k.answers, rule)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return k, nil
}

// Classify decides in fixed phases; each reads only what earlier ones decided. Every value has its reason.
func (k *Classifier) Classify(m *tickets.Message, h tickets.Hints) tickets.Verdict {
	v := tickets.Verdict{}
	k.kind(m, &v)
	k.auth(m, h, &v)
	k.quarantine(m, &v)
	k.noAnswer(m, &v)
	k.language(m, h, &v)
	k.route(h, &v)
	k.answer(m, h, &v)
	return v
}

// because records the reason for a value.
func because(v *tickets.Verdict, what, value, why string) {
	v.Reasons = append(v.Reasons, tickets.Reason{What: what, Value: value, Why: why})
}

// route says which team gets a new ticket.
func (k *Classifier) route(h tickets.Hints, v *tickets.Verdict) {
	v.Team = k.config.Team
	if h.OnTicket {
		because(v, "team", v.Team, "for a new ticket only: the message continues one")
		return
	}
	because(v, "team", v.Team, "the desk's team for new tickets")
}

// shortText is how many letters a text needs for its language to be told with some confidence; below it, less
// confidence is asked for only when the language is one that the desk expects.
const shortText = 80

// Floors of confidence for taking the language that was read from the text.
const (
	languageFloor      = 0.6
	languageFloorShort = 0.4
)

// language decides in which language to answer: that of the text when it is sure enough, else the ticket's, else the
// default.
func (k *Classifier) language(m *tickets.Message, h tickets.Hints, v *tickets.Verdict) {
	floor := languageFloor
	if len(m.Reply) < shortText {
		floor = languageFloorShort
	}
	def := k.config.Languages[0]
	code := m.Language.Code
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
