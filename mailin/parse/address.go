package parse

import (
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/mail"
	"golang.org/x/net/idna"

	"supportd/tickets"
)

const maxAddresses = 1000 // of one kind (S-124)

// addresses reads an address list for display: best effort, never an error. Groups are taken apart, names decoded,
// commas in unquoted names put up with. An entry without any address keeps its name and has an empty Mail. It stops at
// one more than maxAddresses.
func addresses(value, hint string) []tickets.Address {
	s := addressScan{s: value, hint: hint}
	for s.pos < len(s.s) && len(s.list) <= maxAddresses {
		s.one()
	}
	return s.list
}

type addressScan struct {
	s, hint string
	pos     int
	list    []tickets.Address
	carry   string // text before a comma that turned out to stand inside a name
	group   bool
}

// one reads up to the next separator and adds what it found.
func (s *addressScan) one() {
	var text, comment strings.Builder
	angle, hasAngle := "", false
	quotedAt := false
	start := s.pos
loop:
	for s.pos < len(s.s) {
		switch c := s.s[s.pos]; c {
		case '"':
			if a := s.quotedLocal(text.String()); a != "" {
				angle, hasAngle = a, true
				continue
			}
			q := s.quoted()
			quotedAt = quotedAt || strings.Contains(q, "@")
			text.WriteString(q)
		case '(':
			comment.WriteString(s.comment())
		case '<':
			if a := s.angle(); a != "" || !hasAngle {
				angle, hasAngle = a, true
			}
			text.WriteByte(' ')
		case ':':
			// The name of a group ends here (RFC 5322 §3.4); inside an address a colon means nothing.
			s.pos++
			if hasAngle || s.group || strings.Contains(text.String(), "@") || strings.EqualFold(strings.TrimSpace(text.String()), "mailto") {
				text.WriteByte(' ')
				continue
			}
			s.group = true
			text.Reset()
			s.carry = ""
		case ';':
			s.pos++
			s.group = false
			break loop
		case ',':
			s.pos++
			if s.inName(text.String(), hasAngle) {
				s.carry += text.String() + ","
				return
			}
			break loop
		default:
			i := s.pos + 1
			for i < len(s.s) && strings.IndexByte(`"(<:;,`, s.s[i]) < 0 {
				i++
			}
			text.WriteString(s.s[s.pos:i])
			s.pos = i
		}
	}
	if s.pos == start {
		s.pos++
	}
	s.add(text.String(), comment.String(), angle, hasAngle, quotedAt)
}

// inName tells whether a comma after text stands inside an unquoted display name: no address before it, and one in
// angle brackets before the next comma.
func (s *addressScan) inName(text string, hasAngle bool) bool {
	if hasAngle || strings.Contains(text, "@") || strings.TrimSpace(text) == "" || len(s.carry) > 200 {
		return false
	}
	rest := s.s[s.pos:min(len(s.s), s.pos+200)]
	end := strings.IndexAny(rest, ",;:")
	if end < 0 {
		end = len(rest)
	}
	open, at := strings.IndexByte(rest[:end], '<'), strings.IndexByte(rest[:end], '@')
	return open > 0 && strings.TrimSpace(rest[:open]) != "" && (at < 0 || at > open)
}

// add turns the pieces of one entry into an address.
func (s *addressScan) add(text, comment, angle string, hasAngle, quotedAt bool) {
	text, s.carry = strings.TrimSpace(s.carry+text), ""
	if hasAngle {
		name := decodeWords(text, s.hint)
		if name == "" {
			name = decodeWords(strings.TrimSpace(comment), s.hint)
		}
		s.append(name, angle)
		return
	}
	if text == "" {
		return
	}
	if !strings.Contains(text, "@") || quotedAt {
		decoded := decodeWords(text, s.hint)
		// The whole of `Name <address>` was quoted or encoded.
		if i := strings.LastIndexByte(decoded, '<'); i >= 0 && strings.Contains(decoded[i:], "@") {
			s.append(strings.TrimSpace(decoded[:i]), strings.Trim(decoded[i:], "<> "))
			return
		}
		if !strings.Contains(decoded, "@") || strings.Contains(decoded, " ") {
			s.append(decoded, "")
			return
		}
		text = decoded
	}
	// Without brackets the word with the "@" is the address, and the rest a name.
	address, name := "", []string{}
	for _, w := range strings.Fields(text) {
		if address == "" && strings.Contains(w, "@") {
			address = strings.Trim(w, "[]'\"")
			continue
		}
		name = append(name, w)
	}
	full := strings.Join(name, " ")
	if full == "" {
		full = strings.TrimSpace(comment)
	}
	s.append(decodeWords(full, s.hint), address)
}

func (s *addressScan) append(name, address string) {
	address = oneLine(strings.TrimSpace(address))
	if i := strings.LastIndexByte(address, ':'); i >= 0 && (address[0] == '@' || strings.EqualFold(address[:i], "mailto")) {
		address = address[i+1:] // a source route (RFC 5322 §4.4), or a link
	}
	if strings.Contains(address, " ") && !strings.HasPrefix(address, "\"") {
		address = strings.ReplaceAll(address, " ", "")
	}
	name = strings.Trim(name, " \t")
	if len(name) > 1 && name[0] == '\'' && name[len(name)-1] == '\'' {
		name = name[1 : len(name)-1]
	}
	if name == "" && address == "" {
		return
	}
	s.list = append(s.list, tickets.Address{Name: name, Mail: address})
}

// quotedLocal reads an address whose local part is quoted, such as "a b"@c.example, at the start of an entry.
func (s *addressScan) quotedLocal(before string) string {
	if strings.TrimSpace(before) != "" {
		return ""
	}
	end := closingQuote(s.s, s.pos)
	if end < 0 || end+1 >= len(s.s) || s.s[end+1] != '@' {
		return ""
	}
	start := s.pos
	s.pos = end + 1
	for s.pos < len(s.s) && strings.IndexByte(" \t\"(<>:;,", s.s[s.pos]) < 0 {
		s.pos++
	}
	return s.s[start:s.pos]
}

// quoted reads a quoted-string, also one without its end.
func (s *addressScan) quoted() string {
	var b strings.Builder
	for s.pos++; s.pos < len(s.s); s.pos++ {
		c := s.s[s.pos]
		if c == '"' {
			s.pos++
			break
		}
		if c == '\\' && s.pos+1 < len(s.s) {
			s.pos++
			c = s.s[s.pos]
		}
		b.WriteByte(c)
	}
	return b.String()
}

// comment reads a comment and returns its text; one without its end goes to the end of the value.
func (s *addressScan) comment() string {
	start, depth := s.pos+1, 0
	for ; s.pos < len(s.s); s.pos++ {
		switch s.s[s.pos] {
		case '\\':
			s.pos++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.pos++
				return s.s[start : s.pos-1]
			}
		}
	}
	s.pos = len(s.s)
	return s.s[min(start, len(s.s)):]
}

// angle reads what stands in angle brackets; without the closing one it ends at a separator.
func (s *addressScan) angle() string {
	start := s.pos + 1
	for i := start; i < len(s.s); i++ {
		switch s.s[i] {
		case '>':
			s.pos = i + 1
			return s.s[start:i]
		case '<':
			start = i + 1
		case '"':
			// A quoted local part may hold anything (RFC 5322 §3.4.1).
			if end := closingQuote(s.s, i); end > 0 {
				i = end
			}
		case ',', ';':
			if strings.IndexByte(s.s[start:i], '@') > 0 {
				s.pos = i
				return s.s[start:i]
			}
		}
	}
	s.pos = len(s.s)
	return s.s[start:]
}

// closingQuote finds the end of a quoted local part, at most 100 octets on.
func closingQuote(s string, open int) int {
	for i := open + 1; i < len(s) && i < open+100; i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == '"' {
			return i
		}
	}
	return -1
}

// author reads the one mailbox that a message is from, for identity: what two readers could read differently gives
// "" (S-076, S-077, S-088). It wants one From field, written as RFC 5322 §3.4 without its obsolete forms: no group, no
// comment, no quoted or non-ASCII local part, nothing encoded around the address, a fold nowhere but in front of the
// angle bracket, and nothing in the header that had to be put right. The domain is given in lower case, as A-labels.
func author(h *header) string {
	f := h.get("from")
	if f == nil || h.count("from") != 1 || h.repaired {
		return ""
	}
	const doubt = oddSpaceColon | oddCR | oddNUL | oddEmptyFirst | oddGuessed | oddCut
	if f.odd&doubt != 0 || f.odd&oddFold != 0 && !strings.Contains(f.value, " <") || len(f.value) > 2000 {
		return ""
	}
	spec, ok := strictMailbox(f.value)
	if !ok {
		return ""
	}
	v := f.value
	if name, _, _ := strings.Cut(v, "<"); strings.TrimSpace(name) == spec {
		v = "<" + spec + ">" // an address that is its own name, unquoted: there is nothing to mistake
	}
	list, err := mail.ParseAddressList(v)
	if err != nil || len(list) != 1 || list[0].Address != spec {
		return ""
	}
	local, domain, ok := strings.Cut(spec, "@")
	if !ok || !dotAtom(local) || len(local) > 64 {
		return ""
	}
	domain, err = idna.Lookup.ToASCII(domain)
	if err != nil || !strings.Contains(domain, ".") && domain != "localhost" {
		return ""
	}
	return local + "@" + strings.ToLower(domain)
}

// strictMailbox reads `name <spec>` or `spec` and nothing else.
func strictMailbox(v string) (spec string, ok bool) {
	open := strings.LastIndexByte(v, '<')
	if open < 0 {
		return v, strings.Count(v, "@") == 1 && !strings.ContainsAny(v, " \t\"(),:;>[]\\")
	}
	spec, rest := v[open+1:], strings.TrimSpace(v[:open])
	if !strings.HasSuffix(spec, ">") {
		return "", false
	}
	spec = spec[:len(spec)-1]
	if strings.ContainsAny(spec, " \t\"(),:;<>[]\\") || strings.Count(spec, "@") != 1 {
		return "", false
	}
	if len(rest) >= 2 && rest[0] == '"' && rest[len(rest)-1] == '"' {
		inner := strings.NewReplacer(`\\`, "", `\"`, "").Replace(rest[1 : len(rest)-1])
		return spec, !strings.ContainsAny(inner, `"\`)
	}
	return spec, rest == spec || !strings.ContainsAny(rest, "\"(),:;<>@[]\\")
}

// dotAtom holds a local part to RFC 5322 §3.2.3.
func dotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) < 0 || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// returnPath reads the topmost Return-Path: "<>" for the null path, "" without the field.
func returnPath(h *header) string {
	f := h.get("return-path")
	if f == nil {
		return ""
	}
	v := strings.TrimSpace(f.value)
	if i := strings.IndexByte(v, '<'); i >= 0 {
		v, _, _ = strings.Cut(v[i+1:], ">")
	}
	if v = strings.TrimSpace(v); v == "" {
		return "<>"
	}
	if at := strings.LastIndexByte(v, '@'); at >= 0 && strings.ContainsFunc(v[at:], func(r rune) bool { return r >= utf8.RuneSelf }) {
		if domain, err := idna.Lookup.ToASCII(v[at+1:]); err == nil {
			return v[:at+1] + domain // so that it can be compared with the author's (RFC 6531 §3.7.1)
		}
	}
	return v
}
