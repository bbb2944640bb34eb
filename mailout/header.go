package mailout

import (
	"encoding/base64"
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"supportd/tickets"
)

const (
	maxSubject  = 250 // runes; longer ones are cut
	maxName     = 78  // runes of a display name
	maxToken    = 128 // octets of an X-Desk-* value
	maxMsgID    = 250 // octets of a msg-id without its brackets
	maxFileName = 120 // runes
	lastIDs     = 20  // msg-ids kept of References beside the first (S-110)
	wordOctets  = 42  // octets of text in one encoded-word, which then stays below 75 characters (RFC 2047 §2)
	plainWord   = 60  // longest word that is left as it is
)

// cleanText makes s fit for one line of a header: valid UTF-8, no control, direction-changing or invisible characters, white
// space collapsed to single blanks, at most limit runes (S-109).
func cleanText(s string, limit int) string { return cleaned(s, limit, misleads) }

// cleanSubject does the same, but for isolates that are closed: they keep a part that is written from right to left from
// turning around what stands beside it (UAX #9), and are made by the texts of the desk only.
func cleanSubject(s string, limit int) string {
	if !strings.ContainsRune(s, isolateOpen) {
		return cleanText(s, limit)
	}
	depth := 0
	s = cleaned(s, limit, func(r rune) bool {
		switch r {
		case isolateOpen:
			depth++
			return false
		case isolateClose:
			if depth--; depth < 0 {
				depth = 0
				return true
			}
			return false
		}
		return misleads(r)
	})
	open := strings.Count(s, string(isolateOpen)) - strings.Count(s, string(isolateClose))
	return s + strings.Repeat(string(isolateClose), max(0, open))
}

const (
	isolateOpen  = '\u2068' // FIRST STRONG ISOLATE
	isolateClose = '\u2069' // POP DIRECTIONAL ISOLATE
)

// cleaned leaves out what drop reports, beside what stands on no line.
func cleaned(s string, limit int, drop func(rune) bool) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	n, blank := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' || unicode.IsControl(r):
			blank = true
			continue
		case drop(r):
			continue
		}
		if blank && n > 0 {
			if n++; n > limit {
				break
			}
			b.WriteByte(' ')
		}
		blank = false
		if n++; n > limit {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// misleads reports whether r changes the order in which its neighbours are shown, or is not shown at all. The joiners that
// scripts and emoji need stay.
func misleads(r rune) bool {
	return r == '\uFEFF' || r == '\u200B' || r == '\u2060' || r == '\u00AD' || r >= 0xE0000 && r <= 0xE007F ||
		r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' || r == '\u200E' || r == '\u200F' || r == '\u061C'
}

// encodeText writes unstructured text for a header (RFC 2047). Text that an encoded-word could be mistaken for, and
// words too long to fold, are encoded as well, so that what a reader decodes is exactly s.
func encodeText(s string) string {
	if plainText(s) {
		return s
	}
	var words []string
	for s != "" {
		n := 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			if n+size > wordOctets {
				break
			}
			n += size
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

// plainText reports whether s needs no encoding and can be folded at its blanks.
func plainText(s string) bool {
	if strings.Contains(s, "=?") {
		return false
	}
	for word := range strings.SplitSeq(s, " ") {
		if len(word) > plainWord {
			return false
		}
		for i := range len(word) {
			if word[i] <= ' ' || word[i] > '~' {
				return false
			}
		}
	}
	return true
}

// token keeps the characters of a short machine-readable value: letters, digits and a few marks.
func token(s string) string {
	s = strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' && r != '"' && r != '<' && r != '>' && r != '\\' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), maxToken)]
}

// languageTag returns s if it can stand in Content-Language (RFC 5646), else "".
func languageTag(s string) string {
	if len(s) < 2 || len(s) > 35 {
		return ""
	}
	for i := range len(s) {
		if c := s[i] | 0x20; s[i] != '-' && (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') {
			return ""
		}
	}
	return s
}

// validMsgID reports whether id, without angle brackets, can be emitted as a msg-id (RFC 5322 §3.6.4).
func validMsgID(id string) bool {
	at := strings.IndexByte(id, '@')
	if at <= 0 || at == len(id)-1 || len(id) > maxMsgID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || strings.IndexByte(`<>(),;\"`, c) >= 0 {
			return false
		}
	}
	return strings.Count(id, "@") == 1
}

// references chooses the msg-ids for References: valid ones, each once, the first and the last twenty (S-110).
func references(ids []string, own string) []string {
	seen := map[string]bool{own: true}
	var out []string
	// The last place of an id counts, so that the parent stays last.
	for i := len(ids) - 1; i >= 0; i-- {
		if id := ids[i]; validMsgID(id) && !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	if len(out) > lastIDs+1 {
		out = append(out[:1], out[len(out)-lastIDs:]...)
	}
	return out
}

// checkAddress reports why an address must not stand in an envelope or a header (S-053): it has to be local@domain
// without control characters, blanks and angle brackets, and within the lengths of RFC 5321 §4.5.3.1.
func checkAddress(a string) error {
	if a == "" {
		return fmt.Errorf("address is empty")
	}
	if !utf8.ValidString(a) {
		return fmt.Errorf("address %q is not valid UTF-8", a)
	}
	for _, r := range a {
		if unicode.IsControl(r) || unicode.IsSpace(r) || misleads(r) || r == '<' || r == '>' {
			return fmt.Errorf("address %q holds a character that is not allowed there", a)
		}
	}
	at := strings.LastIndexByte(a, '@')
	if at <= 0 || at == len(a)-1 {
		return fmt.Errorf("address %q is not of the form local@domain", a)
	}
	local, domain := a[:at], a[at+1:]
	if len(local) > 64 || len(domain) > 255 || len(a) > 254 {
		return fmt.Errorf("address %q is too long", a)
	}
	if strings.HasPrefix(local, `"`) {
		if _, ok := unquote(local); !ok {
			return fmt.Errorf("address %q is not quoted properly", a)
		}
	} else if strings.ContainsAny(local, `()[]:;@\,"`) {
		return fmt.Errorf("address %q holds a character that is not allowed there", a)
	}
	if literal := strings.HasPrefix(domain, "["); literal != strings.HasSuffix(domain, "]") ||
		strings.ContainsAny(strings.Trim(domain, "[]"), `()[]@\,;"'/%!`) || !literal && strings.ContainsAny(domain, ":") {
		return fmt.Errorf("address %q has no proper domain", a)
	}
	return nil
}

// unquote returns the local part that a quoted-string stands for.
func unquote(local string) (string, bool) {
	if len(local) < 3 || local[len(local)-1] != '"' {
		return "", false
	}
	var b strings.Builder
	body := local[1 : len(local)-1]
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			return "", false
		case '\\':
			if i++; i == len(body) {
				return "", false
			}
		}
		b.WriteByte(body[i])
	}
	return b.String(), true
}

// path writes an address as it stands between the angle brackets of MAIL and RCPT: a local part that is no dot-string
// is quoted (RFC 5321 §4.1.2). The address must have passed checkAddress.
func path(a string) string {
	a = plainDomain(a)
	at := strings.LastIndexByte(a, '@')
	if local := a[:at]; local[0] != '"' && (local[0] == '.' || local[at-1] == '.' || strings.Contains(local, "..")) {
		return `"` + local + `"` + a[at:]
	}
	return a
}

// ascii reports whether s is 7-bit.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// headerAddress returns an address for From, To, Cc or Reply-To. A display name that could be taken for an address, or
// that one of reserved can be read in, is left out: the reader then sees the address itself (S-112).
func headerAddress(a tickets.Address, reserved []string) (*mail.Address, error) {
	if err := checkAddress(a.Mail); err != nil {
		return nil, err
	}
	a.Mail = plainDomain(a.Mail)
	at := strings.LastIndexByte(a.Mail, '@')
	local := a.Mail[:at]
	if strings.HasPrefix(local, `"`) {
		local, _ = unquote(local)
	}
	name := cleanText(a.Name, maxName)
	if misleading(name, reserved) {
		name = ""
	}
	// Some readers decode encoded-words even inside quotes.
	name = strings.ReplaceAll(name, "=?", "= ?")
	if !ascii(name) {
		// net/mail leaves backslashes as they are in encoded-words, where they must not stand (RFC 2047 §5).
		name = strings.ReplaceAll(name, `\`, "/")
	}
	return &mail.Address{Name: name, Address: local + a.Mail[at:]}, nil
}

// plainDomain writes the domain of an address in A-labels when it needs nothing else to be ASCII, so that any server takes it
// (RFC 5891 §5). An address whose local part is not ASCII goes to servers that take such addresses only, as it is.
func plainDomain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || ascii(address) || !ascii(address[:at]) {
		return address
	}
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return address
	}
	return address[:at+1] + domain
}

// misleading reports whether a display name pretends to be an address or one of the desk's own names.
func misleading(name string, reserved []string) bool {
	if strings.ContainsAny(name, "@\uFF20\uFE6B<>") {
		return true
	}
	folded := fold(name)
	for _, r := range reserved {
		if r = fold(r); r != "" && strings.Contains(folded, r) {
			return true
		}
	}
	return false
}

// fold makes names comparable: lower case, letters and digits only.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// fileName makes the name of an attachment safe: no folders, no control characters, never empty.
func fileName(s string) string {
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, cleanText(s, maxFileName))
	if s = strings.Trim(s, ". "); s == "" {
		return "attachment"
	}
	return s
}

// disposition writes the Content-Disposition of an attachment: a plain file name for every reader, and the true one in
// the extended, split form where it is not ASCII or too long for a line (RFC 2231 §3, §4.1).
func disposition(name string) string {
	if ascii(name) && len(name) <= plainWord {
		return "attachment;\r\n filename=\"" + name + `"`
	}
	var b strings.Builder
	b.WriteString("attachment")
	segment, part := "UTF-8''", 0
	flush := func() {
		fmt.Fprintf(&b, ";\r\n filename*%d*=%s", part, segment)
		segment, part = "", part+1
	}
	for i := range len(name) {
		c := name[i]
		escaped := string(rune(c))
		if c >= utf8.RuneSelf || c <= ' ' || strings.IndexByte(`*'%()<>@,;:\"/[]?=`, c) >= 0 {
			escaped = fmt.Sprintf("%%%02X", c)
		}
		if len(segment)+len(escaped) > plainWord {
			flush()
		}
		segment += escaped
	}
	flush()
	return b.String()
}

// mediaType returns the Content-Type of an attachment. Types that may not be base64 (RFC 2046 §5) and anything
// unreadable become application/octet-stream.
func mediaType(s string) string {
	t, _, err := mime.ParseMediaType(s)
	if err != nil || !strings.Contains(t, "/") || strings.HasPrefix(t, "message/") || strings.HasPrefix(t, "multipart/") {
		return "application/octet-stream"
	}
	if t = token(t); len(t) > plainWord {
		return "application/octet-stream"
	}
	return t
}
