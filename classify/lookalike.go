package classify

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"

	"supportd/tickets"
)

// Domains that are easily mistaken for one that the desk knows: its own and its people's, and its customers'. Whoever writes
// from such a one may be perfectly authenticated – as themselves. It is a remark for people, and decides nothing (S-187).

// shortName is how long a name has to be before one wrong letter, or another ending, makes it suspicious: short names have
// too many neighbours.
const shortName = 5

// lookalikes finds the known domain that another one is mistaken for. Domains are those that organisations register.
type lookalikes struct {
	known     map[string]bool
	skeletons map[string]string     // of the whole domain, to it
	dashed    map[string]string     // "corp-example" to corp.example
	names     map[string]string     // of the desk's own: the part before the suffix, to the domain
	spelt     map[spelling][]string // domains by what one wrong letter leaves alone
}

// spelling is what domains that differ by one letter have in common.
type spelling struct {
	suffix string
	length int // of the name
}

// newLookalikes knows the desk's own domains, and others.
func newLookalikes(own, others []string) *lookalikes {
	l := &lookalikes{known: map[string]bool{}, skeletons: map[string]string{}, dashed: map[string]string{}, names: map[string]string{}, spelt: map[spelling][]string{}}
	for i, list := range [][]string{own, others} {
		for _, d := range list {
			d = organisation(d)
			name, suffix := nameOf(d)
			if d == "" || l.known[d] {
				continue
			}
			l.known[d] = true
			keep(l.skeletons, skeleton(d), d)
			keep(l.dashed, strings.ReplaceAll(d, ".", "-"), d)
			if len(name) < shortName {
				continue
			}
			if i == 0 {
				keep(l.names, name, d)
			}
			s := spelling{suffix, len(name)}
			l.spelt[s] = append(l.spelt[s], d)
		}
	}
	return l
}

// keep lets the first one stand.
func keep(m map[string]string, key, value string) {
	if _, there := m[key]; !there {
		m[key] = value
	}
}

// find returns the known domain that a domain is mistaken for, and why; "" for none, and for one that is known itself.
func (l *lookalikes) find(domain string) (like, why string) {
	d := organisation(domain)
	if d == "" || l.known[d] || tickets.SharedDomain(d) {
		return "", ""
	}
	if like := l.skeletons[skeleton(d)]; like != "" {
		return like, "it is written with letters that look the same"
	}
	name, suffix := nameOf(d)
	if like := l.dashed[name]; like != "" {
		return like, "it has a dash where the other has a dot"
	}
	if like := l.names[name]; like != "" {
		return like, "it is the same name with another ending"
	}
	for length := len(name) - 1; length <= len(name)+1; length++ {
		for _, like := range l.spelt[spelling{suffix, length}] {
			if other, _ := nameOf(like); oneEdit(name, other) {
				return like, "one letter is another, is missing, or changed places"
			}
		}
	}
	for part := range strings.SplitSeq(name, "-") {
		if like := l.names[part]; like != "" && part != name {
			return like, "it is the same name with more beside it"
		}
	}
	return "", ""
}

// organisation is the domain that was registered, in lower case and A-labels; "" for what is none.
func organisation(domain string) string {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if !isASCII(domain) {
		ascii, err := idna.ToASCII(domain)
		if err != nil {
			return ""
		}
		domain = ascii
	}
	d, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return ""
	}
	return d
}

// nameOf is what somebody chose of a registered domain, and the suffix below which they did.
func nameOf(d string) (name, suffix string) {
	name, suffix, _ = strings.Cut(d, ".")
	return name, suffix
}

// oneEdit reports whether one letter that is another, is missing or too many, or two neighbours that changed places make one
// name of the other.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// twins are letters of other scripts, and digits, by the Latin letter that they look like.
var twins = map[rune]rune{
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'ӏ': 'l', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p',
	'ԛ': 'q', 'ѕ': 's', 'т': 't', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x', 'у': 'y', 'г': 'r', 'п': 'n',
	'α': 'a', 'ε': 'e', 'η': 'n', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'ω': 'w',
	'օ': 'o', 'ս': 'u', 'հ': 'h', 'ո': 'n', 'ı': 'i', 'ł': 'l', 'ø': 'o', 'đ': 'd', 'ħ': 'h', 'ɡ': 'g', 'ɑ': 'a', 'ʏ': 'y',
	'0': 'o', '1': 'l', '3': 'e', '5': 's', 'i': 'l', '|': 'l',
}

// skeleton is how a domain looks: two with the same skeleton can be told apart by few. Marks above and below letters fall
// away, as do differences between letters that look alike.
func skeleton(d string) string {
	if u, err := idna.Punycode.ToUnicode(d); err == nil {
		d = u
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ReplaceAll(strings.ToLower(d), "ß", "ss")) {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		if twin, ok := twins[r]; ok {
			r = twin
		}
		if r == 'i' {
			r = 'l'
		}
		b.WriteRune(r)
	}
	return strings.NewReplacer("rn", "m", "vv", "w").Replace(b.String())
}

// lookalike notes that the author's domain is easily mistaken for one that the desk knows.
func (k *Classifier) lookalike(m *tickets.Message, v *tickets.Verdict) {
	from := m.Author
	if from == "" && len(m.From) > 0 {
		from = m.From[0].Mail
	}
	_, domain, ok := cutLast(from, "@")
	if !ok {
		return
	}
	like, why := k.lookalikes.find(domain)
	if like == "" {
		return
	}
	v.Lookalike = tickets.Lookalike{Domain: organisation(domain), Like: like}
	because(v, "looks_like", like, fmt.Sprintf("the sender's domain %s is easily mistaken for it: %s", v.Lookalike.Domain, why))
}
