package reply

import (
	"strings"
	"time"

	"supportd/tickets"
)

// forwards fills in what is known about the mail that is forwarded or answered.
func (s *scan) forwards(p *Parts) {
	h := s.header
	if h == nil && !s.forward {
		return
	}
	body := s.lines[len(s.lines):]
	if h != nil {
		body = s.lines[h.end:]
	} else {
		for _, seg := range s.segments {
			if seg.quote && (seg.rest || seg.strong) {
				body = seg.lines
			}
		}
	}
	f := &tickets.Forwarded{Text: forwardedText(body)}
	if h != nil {
		f.From = parseAddress(h.fields[labelFrom])
		f.Subject = strings.Join(strings.Fields(h.fields[labelSubject]), " ")
		f.Date = parseDate(h.date())
		p.Original = f
	}
	if s.forward || h != nil && p.Reply == "" && p.Signature == "" {
		p.Forwarded = f
	}
}

// forwardedText is the text of a mail below its header block, without the quote marks that all of it carries. When the
// block is quoted, the text ends with the quote.
func forwardedText(lines []line) string {
	lines = trimBlank(lines)
	for len(lines) > 0 && lines[0].blank() {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return ""
	}
	depth := lines[0].depth
	if depth == 0 {
		return join(lines)
	}
	var b strings.Builder
	for i, l := range lines {
		if l.depth < depth {
			if l.blank() && i+1 < len(lines) && lines[i+1].depth >= depth {
				b.WriteByte('\n')
				continue
			}
			break
		}
		b.WriteString(peel(l.raw, depth))
		b.WriteByte('\n')
	}
	return strings.Trim(b.String(), "\n ")
}

// peel takes a number of quote marks off a line.
func peel(s string, depth int) string {
	for range depth {
		s = strings.TrimLeft(s, " \t")
		if s = strings.TrimPrefix(s, ">"); strings.HasPrefix(s, " >") {
			s = s[1:]
		}
	}
	return strings.TrimPrefix(s, " ")
}

// parseAddress reads the value of a From line as clients write it: "Ada <ada@example.org>", "Ada [mailto:…]",
// "ada@example.org (Ada)", "'ada@example.org'".
func parseAddress(s string) tickets.Address {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return tickets.Address{Name: cleanName(s)}
	}
	start := strings.LastIndexAny(s[:at], " <>[]()\"',;:\t") + 1
	end := at + 1
	for end < len(s) && strings.IndexByte(" <>[]()\"',;:\t", s[end]) < 0 {
		end++
	}
	name := s[:start]
	if i := strings.IndexAny(name, "<["); i >= 0 {
		name = name[:i]
	}
	if cleanName(name) == "" {
		name = strings.Trim(s[end:], " >])")
		if i := strings.IndexAny(name, "<["); i >= 0 {
			name = name[:i]
		}
	}
	return tickets.Address{Name: cleanName(name), Mail: s[start:end]}
}

func cleanName(s string) string {
	return strings.Join(strings.Fields(strings.Trim(s, " \t\"'<>[]()*;,")), " ")
}

// parseDate reads a date as clients of many languages write it: the day, the month as a word or a number, the year,
// the time of day and the zone when it is given as an offset. It is zero when the text has no full date. The zone is
// UTC when it is not given.
func parseDate(s string) time.Time {
	var d dateReader
	for token := range strings.FieldsFuncSeq(fold(s), func(r rune) bool {
		return r == ' ' || r == ',' || r == '(' || r == ')' || r == '"'
	}) {
		d.token(token)
	}
	return d.time()
}
