package templates

import (
	"strings"
	"unicode/utf8"
)

// Text that runs from right to left, in lines of ours. What follows a Hebrew or Arabic name in a line, a number or a
// bracket, would be shown on its other side. Each value from outside that holds such characters is therefore isolated: it
// stands between U+2068 and U+2069, in whose direction nothing outside takes part (UAX #9, 3.1.2). Everything else stays as
// it is. Whole texts, such as a quote, need none of that: each of their lines is a line of its own.
const (
	isolateOpen  = '\u2068' // FIRST STRONG ISOLATE
	isolateClose = '\u2069' // POP DIRECTIONAL ISOLATE
)

// isolated is a one-line value as it may stand in a line of ours. The value has to be clean already.
func isolated(s string) string {
	if !strings.ContainsFunc(s, rightToLeft) {
		return s
	}
	return string(isolateOpen) + closed(s) + string(isolateClose)
}

// shown is a value from outside on one line, cut after n runes and isolated.
func shown(s string, n int) string { return isolated(clip(cleanLine(s), n)) }

// rightToLeft reports the blocks of the characters that turn around what stands beside them: those that are written from
// right to left, and the digits of Arabic.
func rightToLeft(r rune) bool {
	return r >= 0x590 && (r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfefc || r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff)
}

// closed ends what a cut has left open, and leaves out ends without a beginning.
func closed(s string) string {
	depth := 0
	if !strings.ContainsFunc(s, isIsolate) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch r {
		case isolateOpen:
			depth++
		case isolateClose:
			if depth == 0 {
				return -1
			}
			depth--
		}
		return r
	}, s)
	return s + strings.Repeat(string(isolateClose), depth)
}

// levelled lets each line end the isolates that it begins, and the next one begin them again.
func levelled(lines []string) []string {
	inside := 0
	for i, line := range lines {
		begun := inside
		inside = max(0, inside+opens(line))
		lines[i] = strings.Repeat(string(isolateOpen), begun) + line + strings.Repeat(string(isolateClose), inside)
	}
	return lines
}

func isIsolate(r rune) bool { return r == isolateOpen || r == isolateClose }

// opens is how many isolates a word begins more than it ends.
func opens(word string) int {
	return strings.Count(word, string(isolateOpen)) - strings.Count(word, string(isolateClose))
}

// firstByte is what a word or line begins with for its reader; 0 when it is empty.
func firstByte(s string) byte {
	for strings.HasPrefix(s, string(isolateOpen)) {
		s = s[utf8.RuneLen(isolateOpen):]
	}
	if s == "" {
		return 0
	}
	return s[0]
}

// oneSubject makes one line of a rendered subject, whose values are clean already.
func oneSubject(s string) string {
	if !strings.ContainsFunc(s, isIsolate) {
		return clipSubject(cleanLine(s))
	}
	return clipSubject(strings.Join(strings.Fields(s), " "))
}
