package parse

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Bounds of a header block. A mail may exceed them: what is over is left out and said in a Defect.
const (
	maxHeaderBytes = 1 << 20   // of one header block (S-123)
	maxFields      = 10_000    // of one header block (S-122, S-129)
	maxValueBytes  = 256 << 10 // of one unfolded field
	maxNameBytes   = 256       // of a field's name
)

// oddity is a set of things that are unusual about one field. Identity fails closed on most of them.
type oddity uint8

const (
	oddSpaceColon oddity = 1 << iota // white space between name and colon (obsolete, RFC 5322 §4.5)
	oddCR                            // a carriage return that ends no line
	oddNUL
	oddEmptyFirst // nothing on the first line, the value starts in a fold
	oddFold       // folded
	oddEightBit   // bytes over 127
	oddGuessed    // those bytes are no UTF-8: their charset was guessed
	oddCut        // longer than maxValueBytes
)

// field is one header field: unfolded, not decoded, valid UTF-8 without CR, LF and NUL.
type field struct {
	name, value string
	odd         oddity
}

// header is a header block, taken apart.
type header struct {
	fields  []field
	body    int // offset of the first octet after the header block
	defects []string
	// repaired says that lines were left out or put right: another reader may see other fields than this one.
	repaired bool
}

// get returns the topmost field of that name (lower case), or nil.
func (h *header) get(name string) *field {
	for i := range h.fields {
		if len(h.fields[i].name) == len(name) && strings.EqualFold(h.fields[i].name, name) {
			return &h.fields[i]
		}
	}
	return nil
}

// last returns the undermost field of that name (lower case), or nil.
func (h *header) last(name string) *field {
	for i := len(h.fields) - 1; i >= 0; i-- {
		if len(h.fields[i].name) == len(name) && strings.EqualFold(h.fields[i].name, name) {
			return &h.fields[i]
		}
	}
	return nil
}

// count tells how many fields have that name (lower case).
func (h *header) count(name string) int {
	n := 0
	for i := range h.fields {
		if len(h.fields[i].name) == len(name) && strings.EqualFold(h.fields[i].name, name) {
			n++
		}
	}
	return n
}

// value returns the topmost value of that name, or "".
func (h *header) value(name string) string {
	if f := h.get(name); f != nil {
		return f.value
	}
	return ""
}

// span is one field's place in the block: name, colon and end of its last line.
type span struct{ start, name, colon, end int }

// splitHeader takes the header block at the start of b apart; b may have CRLF or LF line ends, also mixed. It accepts
// what servers let through: mbox lines, leading folds, lines without a colon, a missing blank line. stop, when not
// nil, recognises the delimiter lines that end a part which has no blank line. It reads each octet a bounded number of
// times.
func splitHeader(b []byte, top bool, stop func(line []byte) bool) header {
	s := headerScan{b: b, stop: stop, max: maxHeaderBytes}
	s.run(top)
	text := string(b[:s.kept])
	h := header{body: s.body, defects: s.defects, repaired: s.repaired || s.over, fields: make([]field, 0, len(s.spans))}
	for _, sp := range s.spans {
		h.fields = append(h.fields, readField(text, sp))
	}
	return h
}

type headerScan struct {
	b       []byte
	stop    func(line []byte) bool
	max     int
	spans   []span
	kept    int // end of the last kept field
	body    int
	defects []string
	over    bool
	skip    bool // the last line was left out: so are its folds

	repaired bool
}

func (s *headerScan) defect(what string) {
	if len(s.defects) < 20 {
		s.defects = append(s.defects, what)
	}
}

// line returns the line at pos without its end, and where the next one starts.
func (s *headerScan) line(pos int) (line []byte, next int) {
	i := bytes.IndexByte(s.b[pos:], '\n')
	if i < 0 {
		line, next = s.b[pos:], len(s.b)
	} else {
		line, next = s.b[pos:pos+i], pos+i+1
	}
	for len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line, next
}

func (s *headerScan) run(top bool) {
	pos := 0
	if top {
		pos = s.skipLead()
	}
	for pos < len(s.b) {
		line, next := s.line(pos)
		if len(line) == 0 {
			s.body = next
			return
		}
		if s.stop != nil && line[0] == '-' && s.stop(line) {
			s.body = pos
			s.defect("the header ends without a blank line")
			return
		}
		if isBlank(line[0]) && (len(s.spans) > 0 || s.skip) { // a fold, or the end
			if len(bytes.TrimLeft(line, " \t")) == 0 && s.blankEndsHeader(next) {
				s.defect("the line that ends the header is not empty")
				s.body = next
				return
			}
			if !s.skip {
				s.extend(pos + len(line))
			}
			pos = next
			continue
		}
		name, colon := fieldLine(line)
		if colon >= 0 {
			s.skip = false
			s.add(span{start: pos, name: pos + name, colon: pos + colon, end: pos + len(line)})
			pos = next
			continue
		}
		if s.looseParam(line) {
			s.extend(pos + len(line))
			pos = next
			continue
		}
		s.skip = true
		if !brokenField(line) && !s.headerGoesOn(next) {
			if len(s.spans) > 0 {
				s.defect("no blank line between header and body")
			}
			s.body = pos
			return
		}
		if !mboxLine(line) || pos > 0 {
			s.repaired = true
		}
		if !mboxLine(line) {
			s.defect("a header line that is no field was left out: " + quoteStart(line))
		}
		pos = next
	}
	s.body = len(s.b)
}

// skipLead passes blank and mbox lines in front of the first field.
func (s *headerScan) skipLead() int {
	pos := 0
	for range 100 {
		if pos >= len(s.b) {
			return 0
		}
		line, next := s.line(pos)
		if len(bytes.TrimSpace(line)) > 0 {
			break
		}
		pos = next
	}
	if pos == 0 {
		return 0
	}
	line, _ := s.line(pos)
	if name, colon := fieldLine(line); colon < 0 || !knownField(line[:name]) {
		return 0
	}
	s.defect("blank lines before the header")
	s.repaired = true
	return pos
}

// looseParam tells whether a line is a parameter of the field before it, whose fold lost its white space.
func (s *headerScan) looseParam(line []byte) bool {
	if len(s.spans) == 0 || s.skip || s.over || s.b[s.spans[len(s.spans)-1].end-1] != ';' {
		return false
	}
	i := 0
	for i < len(line) && i < 40 && isToken(line[i]) {
		i++
	}
	if i == 0 || i >= len(line) || line[i] != '=' {
		return false
	}
	s.defect("a folded parameter without white space in front: " + quoteStart(line))
	return true
}

// headerGoesOn tells whether the header goes on after a line that is no field.
func (s *headerScan) headerGoesOn(next int) bool {
	if next >= len(s.b) {
		return false
	}
	line, _ := s.line(next)
	if len(line) == 0 {
		return len(s.spans) > 0
	}
	if isBlank(line[0]) && len(s.spans) > 0 {
		return false
	}
	name, colon := fieldLine(line)
	return colon >= 0 && knownField(line[:name])
}

// blankEndsHeader tells whether a line of white space alone was meant as the end of the header: it is no fold when
// the next line is not a field.
func (s *headerScan) blankEndsHeader(next int) bool {
	if next >= len(s.b) {
		return true
	}
	line, _ := s.line(next)
	if len(line) == 0 || isBlank(line[0]) {
		return false
	}
	name, colon := fieldLine(line)
	return colon < 0 || !knownField(line[:name])
}

func (s *headerScan) add(sp span) {
	if s.over = s.over || len(s.spans) >= maxFields || sp.end > s.max; s.over {
		s.overflow()
		return
	}
	s.spans = append(s.spans, sp)
	s.kept = sp.end
}

func (s *headerScan) extend(end int) {
	if s.over = s.over || end > s.max; s.over {
		s.overflow()
		return
	}
	s.spans[len(s.spans)-1].end = end
	s.kept = end
}

func (s *headerScan) overflow() {
	const what = "the header is over 1 MiB or 10,000 fields: the rest of it is left out"
	if n := len(s.defects); n == 0 || s.defects[n-1] != what {
		s.defects = append(s.defects, what)
	}
}

// fieldLine finds name and colon of a field's first line: name is the length of the name, colon is -1 when the line
// is no field.
func fieldLine(line []byte) (name, colon int) {
	i := 0
	for i < len(line) && i < maxNameBytes && line[i] > ' ' && line[i] < 0x7f && line[i] != ':' {
		i++
	}
	name = i
	for i < len(line) && i < maxNameBytes+16 && isBlank(line[i]) {
		i++
	}
	if name == 0 || i >= len(line) || line[i] != ':' {
		return 0, -1
	}
	return name, i
}

// knownField tells whether a name is one of mail's own, so that a line of text such as "Note: …" is not taken for a
// field where a header is in doubt.
func knownField(name []byte) bool {
	if len(name) > 40 {
		return false
	}
	switch n := strings.ToLower(string(name)); n {
	case "from", "to", "cc", "bcc", "subject", "date", "sender", "reply-to", "message-id", "in-reply-to", "references",
		"mime-version", "received", "return-path", "delivered-to", "status", "dkim-signature", "authentication-results",
		"auto-submitted", "precedence", "user-agent", "importance", "priority", "comments", "keywords", "envelope-to",
		"errors-to", "organization", "thread-topic", "thread-index":
		return true
	default:
		for _, prefix := range []string{"content-", "x-", "list-", "resent-", "arc-", "disposition-", "received-", "original-"} {
			if strings.HasPrefix(n, prefix) {
				return true
			}
		}
	}
	return false
}

// brokenField tells whether a line starts like one of mail's own fields and has a colon, but white space or 8-bit
// octets in its name.
func brokenField(line []byte) bool {
	i := bytes.IndexAny(line[:min(len(line), 40)], " \t:/")
	return i > 0 && line[i] != ':' && knownField(line[:i+1]) && bytes.IndexByte(line[:min(len(line), 998)], ':') > 0 && !bytes.HasPrefix(line, []byte("From "))
}

// mboxLine recognises the line that separates mails in a mailbox file (RFC 4155).
func mboxLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

// readField unfolds (RFC 5322 §2.2.3) and cleans one field. Non-ASCII bytes are left for repairCharset.
func readField(text string, sp span) field {
	f := field{name: text[sp.start:sp.name]}
	if sp.colon > sp.name {
		f.odd |= oddSpaceColon
	}
	v := text[sp.colon+1 : sp.end]
	first := v
	if i := strings.IndexByte(v, '\n'); i >= 0 {
		f.odd |= oddFold
		first = v[:i]
	}
	if f.odd&oddFold != 0 && strings.Trim(first, " \t\r") == "" {
		f.odd |= oddEmptyFirst
	}
	v = strings.Trim(v, " \t\r\n")
	clean := true
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' && c != '\t' || c >= 0x7f {
			if clean = false; c == 0 {
				f.odd |= oddNUL
			} else if c >= 0x80 {
				f.odd |= oddEightBit
			}
		}
	}
	if !clean {
		v = unfold(v, &f.odd)
	}
	if len(v) > maxValueBytes {
		f.odd |= oddCut
		v = cutString(v, maxValueBytes)
	}
	f.value = v
	return f
}

// unfold joins the lines of a value and drops its NUL octets; a carriage return inside a line becomes a space, so
// that nothing can be made to look like a field of its own (S-132).
func unfold(v string, odd *oddity) string {
	var b strings.Builder
	b.Grow(len(v))
	for i := 0; i < len(v); i++ {
		switch c := v[i]; c {
		case '\n':
			for i+1 < len(v) && v[i+1] == '\t' {
				b.WriteByte(' ')
				i++
			}
		case '\r':
			if i+1 < len(v) && (v[i+1] == '\n' || v[i+1] == '\r') {
				continue
			}
			*odd |= oddCR
			b.WriteByte(' ')
		case 0:
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// repairCharset makes all values valid UTF-8. hint is the charset that the mail's own body declares; mails with raw
// 8-bit headers mostly use it there too.
func (h *header) repairCharset(hint string) {
	for i := range h.fields {
		f := &h.fields[i]
		if f.odd&oddEightBit != 0 && !utf8.ValidString(f.value) {
			f.odd |= oddGuessed
			f.value = oneLine(decodeCharset([]byte(f.value), hint, false).text)
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// oneLine turns control characters into spaces: nothing that was decoded from a header may carry CR, LF or NUL.
func oneLine(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f || s[i] == 0xc2 || s[i] == 0xe2 {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r == 0 {
			return -1
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// cutString shortens s to at most n octets, on a character's boundary.
func cutString(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// quoteStart shows the start of a line in a defect, with nothing in it that could do harm.
func quoteStart(line []byte) string {
	if len(line) > 40 {
		line = line[:40]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, string(line))
}
