package classify

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"supportd/classify/authres"
	"supportd/tickets"
)

// auth decides who vouches for the author. From alone gives no right (S-071): a trusted server has to have checked, and
// what it checked has to belong to the author's organisation (S-074).
func (k *Classifier) auth(m *tickets.Message, h tickets.Hints, v *tickets.Verdict) {
	v.Auth = tickets.AuthNone
	says, why := k.trustedResults(m)
	verdict, found := vouches(says, m.Author)
	if verdict != tickets.AuthFail && k.anyFail(m) {
		verdict, found = tickets.AuthFail, "forged: one of the mail server's fields says dmarc=fail"
	}
	switch {
	case verdict == tickets.AuthFail:
		v.Auth = tickets.AuthFail
		why = found
	case m.Author == "":
		why = "it is not clear who wrote it: there is not exactly one plain address in From"
	case h.Trusted:
		v.Auth = tickets.AuthPass
		why = "the mailbox is declared to take mail of authenticated users only"
	case verdict == tickets.AuthPass:
		v.Auth = tickets.AuthPass
		why = found
	case says != nil:
		why = found
	case k.config.OwnCheck:
		v.Auth, why = signedFor(m)
	}
	because(v, "auth", string(v.Auth), why)
}

// signedFor tells what the desk's own check of the signatures says about an author. A signature counts only where it is of
// the author's own organisation: everybody can sign for themselves (S-074, S-185).
func signedFor(m *tickets.Message) (tickets.Authentication, string) {
	_, domain, _ := cutLast(m.Author, "@")
	if len(m.Signatures) == 0 {
		if m.FirstField("DKIM-Signature") != "" {
			return tickets.AuthNone, "its signature was not checked when it came"
		}
		return tickets.AuthNone, "nobody signed it (DKIM), so nobody vouches for its author"
	}
	why := ""
	for _, s := range m.Signatures {
		own := aligned(s.Domain, domain)
		switch {
		case own && s.Result == tickets.SignaturePass:
			return tickets.AuthPass, "signed by " + s.Domain + " (DKIM, checked by the desk itself)"
		case own && s.Result == tickets.SignatureUnknown:
			why = "signed by " + s.Domain + " (DKIM), and its key could not be looked up: " + s.Why
		case why != "" && !own:
		case s.Result == tickets.SignaturePass:
			why = "signed by " + s.Domain + " (DKIM), which is not the author's organisation"
		case s.Domain == "":
			why = "its signatures (DKIM) prove nothing: " + s.Why
		default:
			why = "the signature of " + s.Domain + " (DKIM) proves nothing: " + s.Why
		}
	}
	return tickets.AuthNone, why
}

// Vouched reports whether the word of a trusted server stands on a message, so that nothing else has to be asked.
func (k *Classifier) Vouched(m *tickets.Message) bool { return k.checked(m) }

// checked reports whether a trusted server's results stand on the message.
func (k *Classifier) checked(m *tickets.Message) bool {
	says, _ := k.trustedResults(m)
	return says != nil
}

// trustedResults finds the results that count: those of the topmost field that bears a configured authserv-id, if it
// stands above the first Received that a foreign host wrote (RFC 8601 §5, §7.1; S-072, S-073). Only one field counts,
// since everything below it may have come with the mail.
func (k *Classifier) trustedResults(m *tickets.Message) (says []authres.Result, why string) {
	if len(k.authserv) == 0 {
		return nil, "no authserv-id is configured, so nobody's Authentication-Results count"
	}
	for _, f := range m.Fields {
		switch {
		case strings.EqualFold(f.Name, "Received"):
			if host, foreign := k.foreign(f.Value); foreign {
				return nil, fmt.Sprintf("no Authentication-Results of %s above the Received of %s, which is not a trusted host", strings.Join(k.authserv, ", "), host)
			}
		case strings.EqualFold(f.Name, "Authentication-Results"):
			parsed, err := authres.Parse(f.Value)
			if err != nil {
				// An unreadable field on top may be ours with something smuggled in: nothing below it can be better.
				if k.mentionsOwnID(f.Value) {
					return nil, "the topmost Authentication-Results cannot be read"
				}
				continue
			}
			if slices.Contains(k.authserv, parsed.ID) {
				if parsed.Results == nil {
					return []authres.Result{}, ""
				}
				return parsed.Results, ""
			}
		}
	}
	return nil, "no Authentication-Results of " + strings.Join(k.authserv, ", ")
}

// anyFail reports whether a field that bears a configured authserv-id, as far up as such fields count, says dmarc=fail. Only
// the topmost vouches for anybody; against a mail each of them speaks: servers with a filter for each method write several.
func (k *Classifier) anyFail(m *tickets.Message) bool {
	if len(k.authserv) == 0 {
		return false
	}
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, "Received") {
			if _, foreign := k.foreign(f.Value); foreign {
				return false
			}
		}
		if !strings.EqualFold(f.Name, "Authentication-Results") {
			continue
		}
		parsed, err := authres.Parse(f.Value)
		if err == nil && slices.Contains(k.authserv, parsed.ID) &&
			slices.ContainsFunc(parsed.Results, func(r authres.Result) bool { return r.Method == "dmarc" && r.Value == "fail" }) {
			return true
		}
	}
	return false
}

func (k *Classifier) mentionsOwnID(value string) bool {
	value = strings.ToLower(value)
	for _, id := range k.authserv {
		if strings.Contains(value, id) {
			return true
		}
	}
	return false
}

// foreign reports whether a Received field was written by a host that is not trusted, and names it. A field without a
// "from" clause notes a step inside one host, as mail from outside always came from somewhere (RFC 5321 §4.4).
func (k *Classifier) foreign(received string) (host string, foreign bool) {
	words := strings.Fields(dropComments(received))
	if len(words) == 0 {
		return "an empty Received field", true
	}
	from := strings.EqualFold(words[0], "from")
	for i, w := range words[:len(words)-1] {
		if strings.EqualFold(w, "by") {
			host = strings.ToLower(strings.Trim(words[i+1], ".;"))
			break
		}
	}
	if host == "" {
		return "an unnamed host", true
	}
	return host, from && !slices.Contains(k.hosts, host)
}

// dropComments replaces comments by blanks; an unclosed one swallows the rest.
func dropComments(s string) string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && depth > 0:
			i++
		case c == '(':
			depth++
			b.WriteByte(' ')
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// vouches tells what results say about an author. Methods, results and properties that are not known here are ignored
// (RFC 8601 §4.1; S-075).
func vouches(says []authres.Result, author string) (tickets.Authentication, string) {
	_, domain, _ := cutLast(author, "@")
	pass := ""
	for _, r := range says {
		switch {
		case r.Method == "dmarc" && r.Value == "fail":
			return tickets.AuthFail, "forged: the mail server says dmarc=fail"
		case r.Value != "pass" || domain == "" || pass != "":
		case r.Method == "dmarc" && aligned(r.Props["header.from"], domain):
			pass = "dmarc=pass for " + domain
		case r.Method == "dkim" && (aligned(r.Props["header.d"], domain) || r.Props["header.d"] == "" && aligned(r.Props["header.i"], domain)):
			pass = "dkim=pass by the author's organisation"
		case r.Method == "spf" && aligned(r.Props["smtp.mailfrom"], domain):
			pass = "spf=pass for the author's organisation"
		}
	}
	if pass != "" {
		return tickets.AuthPass, pass
	}
	return tickets.AuthNone, "the mail server vouches for nothing that belongs to the author's organisation"
}

// aligned reports whether a property's value, a domain or an address, belongs to the organisation of the author's
// domain (RFC 7489 §3.1, relaxed).
func aligned(value, domain string) bool {
	_, d, ok := cutLast(value, "@")
	if !ok {
		d = value
	}
	d = strings.ToLower(strings.TrimSuffix(d, "."))
	if d == "" || !plainDomain(d) {
		return false
	}
	if !isASCII(d) {
		ascii, err := idna.Lookup.ToASCII(d)
		if err != nil {
			return false
		}
		d = ascii
	}
	return sameOrganisation(d, domain)
}

// plainDomain refuses every character that has no business in a domain; in a result it was smuggled in.
func plainDomain(d string) bool {
	for i := range len(d) {
		c := d[i]
		if c < 0x80 && !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return !strings.Contains(d, "..") && d[0] != '.'
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// sameOrganisation reports whether two domains (lower case, A-labels) are registered by the same organisation, as far
// as the public suffix list can tell; domains that are public suffixes themselves only match themselves.
func sameOrganisation(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if a == b {
		return true
	}
	x, err := publicsuffix.EffectiveTLDPlusOne(a)
	if err != nil {
		return false
	}
	y, err := publicsuffix.EffectiveTLDPlusOne(b)
	return err == nil && x == y
}
