package classify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"supportd/tickets"
)

// A mark is a header field by which a filter in front of the mailbox says that a mail is unwanted.
type mark struct {
	field string
	says  func(value string) bool
	why   string
}

// marks holds back what filters have found already (S-067). A filter's word is only ever taken against a mail, never
// for it: the fields may be forged.
var marks = []mark{
	{"X-Spam-Flag", is("yes", "true"), "marked as spam (X-Spam-Flag)"},
	{"X-Spam-Status", is("yes"), "marked as spam (X-Spam-Status)"},
	{"X-Spam", is("yes", "spam", "true"), "marked as spam (X-Spam)"},
	{"X-Rspamd-Action", is("reject", "add header", "add_header", "rewrite subject", "rewrite_subject", "quarantine"),
		"marked as spam (X-Rspamd-Action)"},
	{"X-Bogosity", is("spam", "yes"), "marked as spam (X-Bogosity)"},
	{"X-DSPAM-Result", is("spam", "blacklisted", "virus"), "marked as spam (X-DSPAM-Result)"},
	{"X-Forefront-Antispam-Report", has("sfv:spm", "sfv:skb", "cat:malw", "cat:phsh", "cat:hphsh", "cat:hspm", "cat:spm"),
		"marked by Exchange Online (X-Forefront-Antispam-Report)"},
	{"X-Microsoft-Antispam-Mailbox-Delivery", has("dest:j"), "put into the junk folder by Exchange Online"},
	{"X-Virus-Status", is("infected", "yes"), "marked as infected (X-Virus-Status)"},
	{"X-Virus-Flag", is("yes"), "marked as infected (X-Virus-Flag)"},
	{"X-Amavis-Alert", is("infected", "banned"), "marked as infected (X-Amavis-Alert)"},
}

// scoreFields are where filters write how bad they think a mail is.
var scoreFields = []string{"X-Spam-Score", "X-Rspamd-Score", "X-Spam-Status"}

func is(words ...string) func(string) bool {
	return func(value string) bool {
		value = strings.ToLower(strings.TrimSpace(value))
		for _, w := range words {
			rest, ok := strings.CutPrefix(value, w)
			if ok && (rest == "" || !isLetter(rest[0])) {
				return true
			}
		}
		return false
	}
}

func has(words ...string) func(string) bool {
	return func(value string) bool {
		value = strings.ToLower(value)
		for _, w := range words {
			if strings.Contains(value, w) {
				return true
			}
		}
		return false
	}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// quarantine decides whether a message has to be held until someone looks at it.
func (k *Classifier) quarantine(m *tickets.Message, v *tickets.Verdict) {
	why := k.held(m, v)
	if why == "" {
		if said := k.filterSays(m); said != "" {
			because(v, "quarantine", "none", "the filter in front of the mailbox says nothing that holds it: "+said)
		}
		return
	}
	v.Quarantine = why
	because(v, "quarantine", "held", why)
}

// filterSays are the verdicts and scores of filters that stand on a message, for those who ask why it was not held.
func (k *Classifier) filterSays(m *tickets.Message) string {
	names := append([]string{}, k.config.ScoreHeaders...)
	for _, mk := range marks {
		names = append(names, mk.field)
	}
	var said []string
	for _, name := range append(names, scoreFields...) {
		value := strings.Join(strings.Fields(m.FirstField(name)), " ")
		const most = 60
		if value == "" || slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, name+": ") }) {
			continue
		}
		if r := []rune(value); len(r) > most {
			value = string(r[:most-1]) + "…"
		}
		said = append(said, name+": "+value)
	}
	return strings.Join(said, "; ")
}

// opinion holds what begins something new and reads like spam, as the desk itself sees it. What the mail server says comes first.
func (k *Classifier) opinion(m *tickets.Message, h tickets.Hints, v *tickets.Verdict) {
	if k.config.Spam == nil || k.config.SpamAtLeast <= 0 || v.Quarantine != "" || h.OnTicket || v.Kind != kindHuman ||
		k.tables.people[m.Author] != nil || k.allowed(m, v) {
		return
	}
	p, evidence := k.config.Spam.Unwanted(cut(m.Subject) + "\n" + cut(m.NewText()))
	if p < k.config.SpamAtLeast {
		return
	}
	var words []string
	for _, e := range evidence {
		words = append(words, e.Text)
	}
	v.Quarantine = fmt.Sprintf("reads like spam (%.3f, from %g on mail is held): %s", p, k.config.SpamAtLeast, strings.Join(words, ", "))
	because(v, "quarantine", "held", v.Quarantine)
}

func (k *Classifier) held(m *tickets.Message, v *tickets.Verdict) string {
	for _, mk := range marks {
		for _, value := range m.Field(mk.field) {
			if mk.says(value) {
				return mk.why
			}
		}
	}
	if why := k.score(m); why != "" && !k.allowed(m, v) {
		return why
	}
	if tooManyHops(m) {
		return fmt.Sprintf("mail loop: %d Received fields, more than %d", len(m.Field("Received")), maxReceived)
	}
	if k.config.Loop != "" {
		for _, value := range m.Field("X-Loop") {
			if strings.EqualFold(strings.TrimSpace(value), k.config.Loop) {
				return "mail loop: it carries this desk's own X-Loop"
			}
		}
	}
	if v.Auth == tickets.AuthFail {
		return "forged: dmarc=fail"
	}
	if v.Kind != tickets.KindMonitoring && loginCode(m) {
		return "a code or link by which some service makes sure that an address is read: nobody is shown it"
	}
	return ""
}

// allowed reports whether a score does not count for an author. Anybody can write a name into From, so only authenticated ones are.
func (k *Classifier) allowed(m *tickets.Message, v *tickets.Verdict) bool {
	if v.Auth != tickets.AuthPass || m.Author == "" {
		return false
	}
	a := k.config.Allow
	if slices.ContainsFunc(a.Addresses, func(s string) bool { return strings.EqualFold(s, m.Author) }) {
		return true
	}
	_, domain, _ := cutLast(strings.ToLower(m.Author), "@")
	if slices.ContainsFunc(a.Domains, func(d string) bool {
		return domain == strings.ToLower(d) || strings.HasSuffix(domain, "."+strings.ToLower(d))
	}) {
		return true
	}
	c, _ := k.tables.customer(m.Author)
	return a.Customers && c != nil
}

// score holds mail with a high spam score, when the configuration says from where on.
func (k *Classifier) score(m *tickets.Message) string {
	if k.config.ScoreAtLeast <= 0 {
		return ""
	}
	fields := k.config.ScoreHeaders
	if len(fields) == 0 {
		fields = scoreFields
	}
	for _, name := range fields {
		for _, value := range m.Field(name) {
			if n, ok := scoreOf(value); ok && n >= k.config.ScoreAtLeast {
				return fmt.Sprintf("spam score %g in %s, from %g on mail is held", n, name, k.config.ScoreAtLeast)
			}
		}
	}
	return ""
}

// scoreOf reads the first number of a field, behind "score=" where there is one.
func scoreOf(value string) (float64, bool) {
	if _, rest, ok := strings.Cut(strings.ToLower(value), "score="); ok {
		value = rest
	}
	n, err := strconv.ParseFloat(scoreNumber.FindString(value[:min(len(value), 200)]), 64)
	return n, err == nil
}
