package parse

import (
	"sort"
	"strconv"
	"strings"
)

const (
	maxParams   = 64  // of one field
	maxSegments = 128 // of one parameter (RFC 2231 §3; S-126)
)

// structured reads a Content-Type or Content-Disposition value: the token in front, lower case, and its parameters,
// names lower case. It takes unquoted values with spaces, quotes without end, comments, RFC 2231 continuations in any
// order, encoded-words and raw text. Of two parameters with one name the first counts.
func structured(value, hint string) (token string, params map[string]string) {
	p := paramScan{s: value}
	token = strings.ToLower(strings.TrimSpace(p.until(";")))
	if i := strings.IndexAny(token, " \t,\"="); i >= 0 {
		// "text/plain charset=utf-8": the semicolon was forgotten.
		if rest := value[:min(len(value), p.pos)]; strings.Contains(rest, "=") {
			p.pos = i + 1
		}
		token = token[:i]
	}
	var parts map[string][]segment
	for n := 0; n < maxParams+maxSegments && p.pos < len(p.s); n++ {
		name, val, ok := p.param()
		if !ok {
			continue
		}
		name = strings.ToLower(name)
		base, seg, segmented := segmentName(name)
		if segmented {
			if parts == nil {
				parts = make(map[string][]segment)
			}
			if seg.value = val; len(parts[base]) < maxSegments {
				parts[base] = append(parts[base], seg)
			}
			continue
		}
		if params == nil {
			params = make(map[string]string)
		}
		if _, twice := params[name]; !twice && len(params) < maxParams {
			params[name] = decodeWords(val, hint)
		}
	}
	for base, segs := range parts {
		if params == nil {
			params = make(map[string]string)
		}
		// The extended form was written by someone who knows charsets: it goes before the plain one.
		if v := joinSegments(segs, hint); v != "" {
			params[base] = oneLine(v)
		}
	}
	return token, params
}

// paramScan reads parameters one after the other.
type paramScan struct {
	s   string
	pos int
}

// until returns what stands in front of the next octet of stop, without comments, and moves past it.
func (p *paramScan) until(stop string) string {
	var b strings.Builder
	for p.pos < len(p.s) {
		c := p.s[p.pos]
		if c == '(' && p.comment() {
			continue
		}
		p.pos++
		if strings.IndexByte(stop, c) >= 0 {
			break
		}
		b.WriteByte(c)
	}
	return b.String()
}

// comment passes a comment (RFC 5322 §3.2.2) that is closed before the value ends.
func (p *paramScan) comment() bool {
	depth := 0
	for i := p.pos; i < len(p.s) && i < p.pos+1000; i++ {
		switch p.s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.pos = i + 1
				return true
			}
		}
	}
	return false
}

func (p *paramScan) param() (name, value string, ok bool) {
	for p.pos < len(p.s) && (isBlank(p.s[p.pos]) || p.s[p.pos] == ';' || p.s[p.pos] == ',') {
		p.pos++
	}
	start := p.pos
	for p.pos < len(p.s) && p.s[p.pos] != '=' && p.s[p.pos] != ';' {
		p.pos++
	}
	name = strings.TrimSpace(p.s[start:p.pos])
	if p.pos >= len(p.s) || p.s[p.pos] == ';' {
		return "", "", false
	}
	p.pos++
	for p.pos < len(p.s) && isBlank(p.s[p.pos]) {
		p.pos++
	}
	if p.pos < len(p.s) && p.s[p.pos] == '(' && p.comment() {
		for p.pos < len(p.s) && isBlank(p.s[p.pos]) {
			p.pos++
		}
	}
	if p.pos < len(p.s) && p.s[p.pos] == '"' {
		return name, p.quoted(), name != ""
	}
	value = strings.TrimSpace(p.unquoted())
	return name, value, name != ""
}

// quoted reads a quoted-string. A backslash quotes only a quote or a backslash: in file names it is a path.
func (p *paramScan) quoted() string {
	var b strings.Builder
	p.pos++
	for p.pos < len(p.s) {
		c := p.s[p.pos]
		p.pos++
		if c == '\\' && p.pos < len(p.s) && (p.s[p.pos] == '"' || p.s[p.pos] == '\\') {
			b.WriteByte(p.s[p.pos])
			p.pos++
			continue
		}
		if c == '"' {
			break
		}
		b.WriteByte(c)
	}
	for p.pos < len(p.s) && p.s[p.pos] != ';' && !startsParam(p.s[p.pos:]) {
		p.pos++
	}
	return b.String()
}

// unquoted reads up to a semicolon, or up to a comment after white space.
func (p *paramScan) unquoted() string {
	start := p.pos
	for p.pos < len(p.s) && p.s[p.pos] != ';' {
		if p.s[p.pos] == '(' && p.pos > start && isBlank(p.s[p.pos-1]) {
			if at := p.pos; p.comment() {
				v := p.s[start:at]
				if rest := strings.TrimLeft(p.s[p.pos:], " \t"); rest == "" || rest[0] == ';' {
					return v
				}
			}
			if p.pos >= len(p.s) {
				break
			}
		}
		if isBlank(p.s[p.pos]) && startsParam(p.s[p.pos:]) {
			break
		}
		p.pos++
	}
	return p.s[start:p.pos]
}

// startsParam tells whether white space is followed by one of the parameters that mail programs write: the semicolon
// in front of it was forgotten.
func startsParam(s string) bool {
	if !isBlank(s[0]) {
		return false
	}
	s = strings.TrimLeft(s[:min(len(s), 40)], " \t")
	for _, name := range []string{"charset=", "boundary=", "name=", "filename=", "format=", "delsp=", "method="} {
		if len(s) > len(name) && strings.EqualFold(s[:len(name)], name) {
			return true
		}
	}
	return false
}

// segment is one piece of a parameter that was cut in pieces or encoded (RFC 2231 §3, §4).
type segment struct {
	number  int
	encoded bool
	value   string
}

// segmentName takes apart "filename*0*", "filename*0" and "filename*".
func segmentName(name string) (base string, seg segment, ok bool) {
	base, rest, found := strings.Cut(name, "*")
	if !found || base == "" {
		return "", seg, false
	}
	if rest == "" {
		return base, segment{encoded: true}, true
	}
	if digits, enc := strings.CutSuffix(rest, "*"); enc {
		seg.encoded, rest = true, digits
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 {
		return "", seg, false
	}
	seg.number = n
	return base, seg, true
}

// joinSegments puts the pieces in order, up to the first gap, and decodes them.
func joinSegments(segs []segment, hint string) string {
	sort.SliceStable(segs, func(i, j int) bool { return segs[i].number < segs[j].number })
	charset := ""
	var raw []byte
	for i, seg := range segs {
		if i > 0 && seg.number != segs[i-1].number+1 {
			if seg.number == segs[i-1].number {
				continue
			}
			break
		}
		v := seg.value
		if seg.encoded {
			if i == 0 {
				if a, rest, ok := strings.Cut(v, "'"); ok {
					if _, text, ok := strings.Cut(rest, "'"); ok {
						charset, v = a, text
					}
				}
			}
			raw = appendPercent(raw, v)
			continue
		}
		raw = append(raw, v...)
	}
	if charset == "" {
		return decodeWords(decodeCharset(raw, hint, false).text, hint)
	}
	return decodeCharset(raw, charset, false).text
}

func appendPercent(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexValue(s[i+1]) >= 0 && hexValue(s[i+2]) >= 0 {
			dst = append(dst, byte(hexValue(s[i+1])<<4|hexValue(s[i+2])))
			i += 2
			continue
		}
		dst = append(dst, s[i])
	}
	return dst
}
