package templates

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths, in runes, up to which values from mails are shown on one line.
const (
	maxName    = 100
	maxSubject = 140 // leaves room for a number and a prefix within maxHeader
	maxHeader  = 200 // a whole subject
	maxValue   = 500
)

// invisible reports characters that are not seen but change what is seen around them: bidirectional controls,
// zero-width characters, soft hyphens, tag characters and the line separators of Unicode (S-144).
func invisible(r rune) bool {
	switch {
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	case r == 0xad, r == 0x61c, r == 0x115f, r == 0x1160, r == 0x180e, r == 0x3164, r == 0xfeff, r == 0xffa0:
		return true
	case r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

// joins reports whether a zero-width joiner or non-joiner between two characters is part of how they are written: in
// emoji sequences, and in the scripts that are spelled with them.
func joins(before, after rune) bool {
	return (pictorial(before) || before == 0xfe0f) && pictorial(after) || shaped(before) && shaped(after)
}

func pictorial(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2190 && r <= 0x2bff && unicode.Is(unicode.So, r) || r == 0x2640 || r == 0x2642
}

func shaped(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya,
		unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Syriac, unicode.Mongolian)
}

// plainASCII reports whether s needs no cleaning at all but for blanks at its ends.
func plainASCII(s string) bool {
	blank := false
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && blank {
			return false
		}
		blank = c == ' '
	}
	return true
}

// cleanLine makes one line of s that shows what it holds: line ends and runs of blanks become one blank, control and
// invisible characters are left out, broken UTF-8 is replaced.
func cleanLine(s string) string {
	if plainASCII(s) {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	scan(s, func(r rune, keep bool) {
		switch {
		case r == '\n' || r == '\t' || unicode.IsSpace(r):
			if n := b.Len(); n > 0 && b.String()[n-1] != ' ' {
				b.WriteByte(' ')
			}
		case keep:
			b.WriteRune(r)
		}
	})
	return strings.TrimSpace(b.String())
}

// cleanText makes lines of s, with the same care and blanks as they are. Blank lines at both ends are left out.
func cleanText(s string) []string {
	if strings.Trim(s, " \t\r\n") == "" {
		return []string{}
	}
	lines := make([]string, 0, strings.Count(s, "\n")+1)
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.TrimSuffix(line, "\r"); shownAsIs(line) {
			lines = append(lines, line)
			continue
		}
		var b strings.Builder
		b.Grow(len(line))
		scan(line, func(r rune, keep bool) {
			switch {
			case r == '\r' || r == '\v' || r == '\f' || r == 0x85 || r == 0x2028 || r == 0x2029:
				b.WriteByte('\n')
			case keep || r == '\t':
				b.WriteRune(r)
			}
		})
		lines = append(lines, strings.Split(b.String(), "\n")...)
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\u00a0")
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// shownAsIs reports whether a line holds printable ASCII and tabs alone.
func shownAsIs(line string) bool {
	for i := range len(line) {
		if c := line[i]; (c < ' ' || c >= 0x7f) && c != '\t' {
			return false
		}
	}
	return true
}

// scan calls f for each character of s and says whether it may be shown.
func scan(s string, f func(r rune, keep bool)) {
	var before rune
	for i, r := range s {
		keep := true
		switch {
		case r >= ' ' && r < 0x7f, r > 0xad && r < 0x300: // most
		case r < ' ' || r >= 0x7f && r < 0xa0:
			keep = false
		case r == 0x200c || r == 0x200d:
			after, _ := utf8.DecodeRuneInString(s[i+3:])
			keep = joins(before, after)
		case invisible(r):
			keep = false
		}
		f(r, keep)
		if keep {
			before = r
		}
	}
}

// clip cuts a line after n runes and says so with an ellipsis.
func clip(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)[:n-1]
	for len(r) > 0 && (unicode.Is(unicode.Mn, r[len(r)-1]) || r[len(r)-1] == 0x200d) {
		r = r[:len(r)-1]
	}
	return strings.TrimRight(string(r), " ") + "…"
}

// clipSubject cuts a subject after 200 runes but keeps the number at its end.
func clipSubject(s string) string {
	if utf8.RuneCountInString(s) <= maxHeader {
		return s
	}
	if i := strings.LastIndex(s, " ["); i > 0 && strings.HasSuffix(s, "]") && utf8.RuneCountInString(s[i:]) < maxHeader/2 {
		return closed(clip(s[:i], maxHeader-utf8.RuneCountInString(s[i:]))) + s[i:]
	}
	return closed(clip(s, maxHeader))
}

// replyPrefixes are the marks that mail clients put before the subject of an answer.
var replyPrefixes = regexp.MustCompile(`(?i)^(?:(?:re|aw|antw|antwort|sv|odp|ynt|回复|答复)(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[::]\s*)+`)

// cleanSubject is the requester's subject on one line, without the marks of answers and without our own tag.
func cleanSubject(s, number string) string {
	s = cleanLine(s)
	if number != "" {
		s = strings.TrimSpace(strings.ReplaceAll(s, "["+number+"]", ""))
	}
	return clip(strings.TrimSpace(replyPrefixes.ReplaceAllString(s, "")), maxSubject)
}

// cleanName is a person's name as it may stand in our sentences. A name that looks like an address or a link says
// nothing about who that is, and is left out (S-112).
func cleanName(s string) string {
	s = harmless(strings.Trim(cleanLine(s), `"' `))
	low := strings.ToLower(s)
	if strings.ContainsAny(s, "@<>{}[]|") || strings.Contains(low, "://") || strings.Contains(low, "www.") {
		return ""
	}
	// "Krause, Kim" is how directories write it, not how one is greeted.
	if last, first, ok := strings.Cut(s, ","); ok && !strings.Contains(first, ",") {
		last, first = strings.TrimSpace(last), strings.TrimSpace(first)
		if last != "" && first != "" && len(strings.Fields(s)) <= 4 {
			s = first + " " + last
		}
	}
	return clip(s, maxName)
}

// harmless takes from the start of a value what would make a line that begins with it read like a command or a quote.
func harmless(s string) string { return strings.TrimLeft(s, "#/!>|-=* ") }
