package bounce

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAddress bounds an address in octets (RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain, one "@").
const maxAddress = 320

// A span is one address found in a text: where it starts and ends, and how it reads.
type span struct {
	start, end int
	addr       string
}

// firstAddress returns the first address in s, or "".
func firstAddress(s string) string {
	found := addresses(s, 1)
	if len(found) == 0 {
		return ""
	}
	return found[0].addr
}

// addresses finds up to limit addresses in s, in order. It works outward from every "@", so its time is linear in the
// length of s: no address is longer than maxAddress.
func addresses(s string, limit int) []span {
	var found []span
	from := 0
	for len(found) < limit {
		at := strings.IndexByte(s[from:], '@')
		if at < 0 {
			break
		}
		at += from
		from = at + 1
		start := localStart(s, at)
		end := domainEnd(s, at+1)
		if start == at || end == at+1 || end-start > maxAddress {
			continue
		}
		domain := s[at+1 : end]
		if !plausibleDomain(domain) {
			continue
		}
		found = append(found, span{start, end, s[start:at] + "@" + domain})
		from = end
	}
	return found
}

// localStart walks back from the "@" over the local part.
func localStart(s string, at int) int {
	if at > 1 && s[at-1] == '"' {
		for i := at - 2; i >= 0 && at-i < 70; i-- {
			if s[i] == '"' {
				if i+2 < at {
					return i
				}
				break
			}
			if s[i] < ' ' || s[i] == 0x7f { // no quoted string holds them (RFC 5321 §4.1.2)
				break
			}
		}
		return at
	}
	i := at
	for i > 0 {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		if !localRune(r) {
			break
		}
		if i -= n; at-i > maxAddress {
			return at // too long for an address, and its end is not one either
		}
	}
	// A mail address neither starts nor ends with a dot, and "mailto:" never gets here: ":" is no local rune.
	for i < at && (s[i] == '.' || s[i] == '\'' || s[i] == '`' || s[i] == '*' && i+1 < at) {
		i++
	}
	// "orcpt=user@host" and the like.
	if eq := strings.LastIndexByte(s[i:at], '='); eq >= 0 {
		switch strings.ToLower(s[i : i+eq]) {
		case "to", "rcpt", "orcpt", "from", "recipient", "user", "address", "email":
			i += eq + 1
		}
	}
	return i
}

func localRune(r rune) bool {
	switch {
	case r == utf8.RuneError:
		return false
	case r < utf8.RuneSelf:
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r)
	}
	// Ideographic punctuation ends an address; letters of other scripts may stand in one (RFC 6532 §3.2).
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// domainEnd walks from the first octet of the domain to the one after its last.
func domainEnd(s string, from int) int {
	if from < len(s) && s[from] == '[' {
		if end := strings.IndexByte(s[from:], ']'); end > 0 && end < 64 && !strings.ContainsFunc(s[from:from+end], unicode.IsControl) {
			return from + end + 1
		}
		return from
	}
	i := from
	for i < len(s) && i-from < 256 {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || !(r == '-' || r == '.' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) {
			break
		}
		i += n
	}
	// A full stop after an address ends the sentence.
	for i > from && (s[i-1] == '.' || s[i-1] == '-' || s[i-1] == '_') {
		i--
	}
	return i
}

func plausibleDomain(d string) bool {
	if d == "" || strings.Contains(d, "..") || d[0] == '.' || d[0] == '-' {
		return false
	}
	return true
}

// complete reports whether an address has a domain that can be sent to: two labels or more.
func complete(addr string) bool {
	at := strings.LastIndexByte(addr, '@')
	return at > 0 && strings.Contains(addr[at+1:], ".")
}

// sameAddress compares without regard to case: only what a server wrote about an address is compared here, and servers
// rewrite the case.
func sameAddress(a, b string) bool { return strings.EqualFold(a, b) }
