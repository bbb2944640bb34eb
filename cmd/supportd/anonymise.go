package main

import (
	"cmp"
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
)

// anonymiser replaces names, addresses, links and numbers, the same by the same. It cannot know every name: a name
// that stands nowhere in the header and after no form of address stays. What the configuration itself holds, such as the
// domains of customers and the names of configuration items, stays too, so that the mail is decided about as before.
type anonymiser struct {
	own      map[string]bool // addresses that stand in the configuration, lower case
	domains  map[string]bool // lower case
	items    map[string]bool // names of configuration items, lower case
	common   map[string]bool // words that decide about categories, lower case
	names    map[string]string
	replaced map[string]string // address, link, number → what stands for it
	count    map[string]int    // of each sort
}

func newAnonymiser(c *config.Config) *anonymiser {
	a := &anonymiser{own: map[string]bool{}, domains: map[string]bool{}, items: map[string]bool{}, common: map[string]bool{},
		names: map[string]string{}, replaced: map[string]string{}, count: map[string]int{}}
	for _, m := range c.Mailboxes {
		for _, address := range m.Addresses {
			a.own[address] = true
		}
	}
	for _, b := range c.Brands {
		a.own[strings.ToLower(b.From.Mail)] = true
	}
	for _, customer := range c.Customers {
		for _, d := range customer.Domains {
			a.domains[strings.ToLower(d)] = true
		}
	}
	for _, ci := range c.CMDB {
		a.items[strings.ToLower(ci.ID)] = true
	}
	for _, category := range c.Categories {
		for signal := range category.Signals {
			for word := range strings.FieldsSeq(strings.ToLower(signal)) {
				a.common[word] = true
			}
		}
	}
	return a
}

// people are names that stand for others.
func people() []string {
	return []string{"Kim Muster", "Robin Beispiel", "Toni Probe", "Alex Vorlage", "Sascha Sample", "Luca Example"}
}

// everybody's mailboxes: their local parts are no names.
var roleWord = regexp.MustCompile(`^(?:info|office|service|support|hilfe|mail|kontakt|contact|team|admin|post|vertrieb|sales|buchhaltung|noreply|no|reply|donotreply|alerts?|monitoring|root|desk|helpdesk)$`)

// learn takes a person's name apart, so that its parts are found in the text.
func (a *anonymiser) learn(display, local string) {
	n := a.count["person"]
	a.count["person"]++
	stand := fmt.Sprintf("Person P%c", 'a'+rune(n%26))
	if all := people(); n < len(all) {
		stand = all[n]
	}
	first, last, _ := strings.Cut(stand, " ")
	parts := nameParts(display)
	if len(parts) == 0 {
		parts = nameParts(strings.NewReplacer(".", " ", "_", " ", "-", " ", "+", " ").Replace(local))
	}
	for i, part := range parts {
		key := strings.ToLower(part)
		if a.common[key] || roleWord.MatchString(key) || a.names[key] != "" {
			continue
		}
		if i == 0 && len(parts) > 1 {
			a.names[key] = first
		} else {
			a.names[key] = last
		}
	}
}

func nameParts(name string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" ,.;()\"'<>@", r) }),
		func(s string) bool { return utf8.RuneCountInString(s) < 3 })
}

// address stands for an address, the same for the same; those of the configuration stay.
func (a *anonymiser) address(mail string) string {
	key := strings.ToLower(strings.Trim(mail, "<> "))
	if key == "" || a.own[key] {
		return key
	}
	if stand, ok := a.replaced[key]; ok {
		return stand
	}
	_, domain, ok := strings.Cut(key, "@")
	if !ok {
		return "unknown"
	}
	a.count["address"]++
	kept := domain
	if !a.knownDomain(domain) {
		kept = a.once(domainMark+domain, "domain", func(n int) string { return fmt.Sprintf("customer-%d.example", n) })
	}
	stand := fmt.Sprintf("person-%d@%s", a.count["address"], kept)
	a.replaced[key] = stand
	return stand
}

func (a *anonymiser) knownDomain(domain string) bool {
	for ok := true; ok; _, domain, ok = strings.Cut(domain, ".") {
		if a.domains[domain] {
			return true
		}
	}
	return false
}

// bareDomains replaces the domains of addresses that were met, where they stand alone: a check of the sender has to name
// the domain that the sender has now.
func (a *anonymiser) bareDomains(s string) string {
	var domains []string
	for text := range a.replaced {
		if domain, ok := strings.CutPrefix(text, domainMark); ok {
			domains = append(domains, domain)
		}
	}
	slices.SortFunc(domains, func(x, y string) int { return cmp.Or(len(y)-len(x), strings.Compare(x, y)) }) // a.b.example before b.example
	for _, domain := range domains {
		alone := regexp.MustCompile(`(?i)(^|[^\p{L}\p{N}.-])` + regexp.QuoteMeta(domain) + `\b`)
		s = alone.ReplaceAllString(s, "${1}"+a.replaced[domainMark+domain])
	}
	return s
}

// domainMark begins the keys of domains among what was replaced.
const domainMark = "domain:"

// once makes what stands for a text when it is met first.
func (a *anonymiser) once(text, sort string, make func(n int) string) string {
	if stand, ok := a.replaced[text]; ok {
		return stand
	}
	a.count[sort]++
	stand := make(a.count[sort])
	a.replaced[text] = stand
	return stand
}

var (
	identifying = regexp.MustCompile(`(?i)(https?://\S+|www\.\S+)|([\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*)|(\b\d{1,3}(?:\.\d{1,3}){3}\b)|([\p{L}]+-\d+)|([\p{L}][\p{L}'’]*)|(\d+)`)
	addressed   = regexp.MustCompile(`(?m)(?:\b(?:Herrn?|Frau|Mr|Mrs|Ms|Dr|Prof)\.?|^\s*(?:Hallo|Hi|Hey|Liebe[rs]?|Dear|Hello|Moin|Guten (?:Tag|Morgen|Abend)))[ \t]+((?:\p{Lu}[\p{L}-]+[ \t]*){1,3})`)
	closing     = regexp.MustCompile(`(?im)^[^\n]{0,40}?\b(?:mit (?:freundlich|best)\S* gr(?:ü|ue)(?:ß|ss)e?n?|(?:viele|beste|liebe|herzliche|freundliche|sch(?:ö|oe)ne) gr(?:ü|ue)(?:ß|ss)e|mfg|(?:best|kind|warm) regards|regards,|yours (?:sincerely|faithfully)|cheers,)`)
)

// minNumber is from how many digits on a number says whose it is: less is a time, an amount, a floor.
const minNumber = 3

// text replaces everything in a text that says who somebody is.
func (a *anonymiser) text(s string) string {
	for _, m := range addressed.FindAllStringSubmatch(s, -1) {
		a.learn(strings.TrimSpace(m[1]), "")
	}
	return identifying.ReplaceAllStringFunc(s, func(found string) string {
		m := identifying.FindStringSubmatch(found)
		switch {
		case m[1] != "":
			return a.once(found, "link", func(n int) string { return fmt.Sprintf("https://link-%d.example/", n) })
		case m[2] != "":
			return a.address(found)
		case m[3] != "":
			return a.once(found, "ip", func(n int) string { return fmt.Sprintf("192.0.2.%d", n%256) })
		case m[4] != "":
			if a.items[strings.ToLower(found)] {
				return found
			}
			name, number, _ := strings.Cut(found, "-")
			return a.word(name) + "-" + a.number(number)
		case m[5] != "":
			return a.word(found)
		}
		return a.number(found)
	})
}

func (a *anonymiser) word(s string) string {
	if stand, ok := a.names[strings.ToLower(s)]; ok {
		return stand
	}
	return s
}

// number stands for a number, with as many digits.
func (a *anonymiser) number(s string) string {
	if len(s) < minNumber {
		return s
	}
	return a.once(s, fmt.Sprintf("number%d", len(s)), func(n int) string {
		stand := fmt.Sprintf("1%0*d", len(s)-1, n)
		return stand[:len(s)]
	})
}

// keptFields are header fields that decide about a mail and say nothing about a person once they went through text.
var keptFields = regexp.MustCompile(`(?i)^(?:authentication-results|auto-submitted|precedence|list-id|list-unsubscribe|importance|x-priority|priority|x-msmail-priority|x-auto-response-suppress|x-spam-[a-z-]+|x-rspamd-[a-z-]+|x-icinga-[a-z-]+|x-zabbix-[a-z-]+)$`)

// mail makes a plain text mail of a message, without its attachments, its quotes, its signature and whoever wrote it.
func (a *anonymiser) mail(m *tickets.Message, number string) []byte {
	for _, list := range [][]tickets.Address{m.From, m.Sender, m.ReplyTo, m.To, m.Cc} {
		for _, p := range list {
			if key := strings.ToLower(p.Mail); !a.own[key] {
				local, _, _ := strings.Cut(key, "@")
				a.learn(p.Name, local)
			}
		}
	}
	from, to, cc := a.list(m.From), a.list(m.To), a.list(m.Cc)
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(value), " ")))
		}
	}
	if m.ReturnPath != "" {
		field("Return-Path", "<"+a.address(m.ReturnPath)+">")
	}
	for _, f := range m.Fields {
		if keptFields.MatchString(f.Name) {
			field(f.Name, a.text(a.bareDomains(f.Value)))
		}
	}
	field("From", from)
	field("To", to)
	field("Cc", cc)
	field("Subject", a.text(m.Subject))
	if !m.Date.IsZero() {
		field("Date", m.Date.Format(time.RFC1123Z))
	}
	field("Message-ID", "<"+strings.ToLower(number)+"@fixture.example>")
	b.WriteString("MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n")
	text := m.NewText()
	if at := closing.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	b.WriteString(strings.TrimSpace(a.text(text)) + "\n")
	return []byte(b.String())
}

// list writes addresses; in angle brackets, which Return-Path and the like are not asked to have.
func (a *anonymiser) list(all []tickets.Address) string {
	var parts []string
	for _, p := range all {
		parts = append(parts, "<"+a.address(p.Mail)+">")
	}
	return strings.Join(parts, ", ")
}
