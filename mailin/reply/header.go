package reply

import (
	"strings"
	"unicode"
)

// header is a block of header lines that a client put above a mail it quotes or forwards.
type header struct {
	start, end int // lines[start:end]
	fields     [labelOther + 1]string
	known      [labelOther + 1]bool
}

const (
	maxHeader   = 60 // lines of a block that are looked at
	maxFolded   = 4  // further lines of one field
	maxLabel    = 40 // octets of a label
	maxBlockGap = 2  // blank lines inside a block
)

// headerField reads one header line: a known label, a colon, a value. Bold marks and table marks are ignored.
func headerField(text string) (label, string) {
	if len(text) == 0 || len(text) > maxIntro*4 {
		return noLabel, ""
	}
	s := strings.TrimLeft(text, "*_| \t")
	i := colon(s[:min(len(s), maxLabel+len("："))])
	if i <= 0 || i > maxLabel {
		return noLabel, ""
	}
	kind := words.labels[strings.Trim(fold(s[:i]), "*_ |")]
	if kind == noLabel {
		return noLabel, ""
	}
	value := strings.TrimPrefix(strings.TrimPrefix(s[i:], ":"), "：")
	if strings.HasPrefix(value, "//") {
		return noLabel, ""
	}
	return kind, strings.Trim(value, "*_| \t\u00A0;")
}

// colon is where the first colon of s stands, narrow or wide, or -1.
func colon(s string) int {
	i := strings.IndexByte(s, ':')
	if i >= 0 {
		s = s[:i]
	}
	if j := strings.Index(s, "："); j >= 0 {
		return j
	}
	return i
}

// readHeader reads the header block that starts at line i, if one does.
func readHeader(lines []line, i int) (header, bool) {
	h := header{start: i, end: i}
	depth := lines[i].depth
	if kind, _ := headerField(lines[i].text); kind == noLabel || kind == labelOther {
		return h, false
	}
	last, folded, gap := noLabel, 0, 0
	for j := i; j < len(lines) && j < i+maxHeader; j++ {
		l := lines[j]
		if l.depth != depth && !(l.depth > depth && folded < maxFolded && openAngle(h.fields[last])) {
			break
		}
		if l.blank() {
			if gap++; gap > maxBlockGap {
				break
			}
			continue
		}
		kind, value := headerField(l.text)
		switch {
		case kind != noLabel && !(gap > 0 && h.known[kind]):
			if gap > 0 && h.complete() {
				return h, true // a field below a blank line belongs to the text of a finished block
			}
			if !h.known[kind] {
				h.fields[kind], h.known[kind] = value, true
			}
			last, folded = kind, 0
		case gap == 0 && unknownField(l.text):
			folded = maxFolded
		case gap == 0 && last != noLabel && folded < maxFolded && len(l.text) <= maxIntro:
			folded++
			if h.fields[last] != "" {
				h.fields[last] += " "
			}
			h.fields[last] += strings.Trim(l.text, "*| ")
		default:
			return h, h.complete()
		}
		h.end, gap = j+1, 0
	}
	return h, h.complete()
}

// unknownField reports whether a line looks like a header line with a label that is not known.
func unknownField(text string) bool {
	i := strings.Index(text, ": ")
	if i < 1 || i > maxLabel || strings.Count(text[:i], " ") > 1 {
		return false
	}
	for _, r := range text[:i] {
		if !unicode.IsLetter(r) && r != ' ' && r != '-' && r != '*' {
			return false
		}
	}
	return true
}

// openAngle reports whether an address is still open at the end of a line.
func openAngle(s string) bool { return strings.LastIndexByte(s, '<') > strings.LastIndexByte(s, '>') }

// complete reports whether the fields can only be those of a mail. A form that a customer fills in ("From: Berlin,
// To: Rome, Date: 3 May") is none.
func (h *header) complete() bool {
	k, f := &h.known, &h.fields
	from, to := k[labelFrom], k[labelTo]
	when := k[labelDate] || k[labelSent]
	address := strings.Contains(f[labelFrom], "@") || strings.Contains(f[labelTo], "@")
	switch {
	case from && k[labelSubject]:
		return true
	case from && (when || to):
		return address || k[labelSent]
	case when && to:
		return address || k[labelSent] || k[labelSubject]
	case when && k[labelSubject]:
		return k[labelSent] || dateLike(f[labelDate])
	case to && k[labelSubject]:
		return address
	}
	return false
}

// date is the value of the block's date field.
func (h *header) date() string {
	if h.fields[labelSent] != "" {
		return h.fields[labelSent]
	}
	return h.fields[labelDate]
}
