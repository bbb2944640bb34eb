package reply

import (
	"strings"
	"unicode/utf8"

	"supportd/mailin/htmltext"
)

// line is one line of a body.
type line struct {
	raw   string // as it stands in the body, without the line's end
	text  string // without quote marks and surrounding white space
	depth int    // how often it is quoted
	soft  bool   // an HTML block quote that may be a quote or only an indentation
	in    htmltext.Container
}

func (l line) blank() bool { return l.text == "" }

// maxDepth is how deep quotes are told apart.
const maxDepth = 100

// maxIntro is how long a line may be that is looked at as part of a header, an introduction or a signature. Longer
// ones are prose.
const maxIntro = 500

func textLines(body string) []line {
	body = strings.TrimPrefix(body, "\uFEFF")
	lines := make([]line, 0, strings.Count(body, "\n")+1)
	for len(body) > 0 {
		i := strings.IndexAny(body, "\r\n")
		if i < 0 {
			lines = append(lines, textLine(body))
			break
		}
		lines = append(lines, textLine(body[:i]))
		if body[i] == '\r' && i+1 < len(body) && body[i+1] == '\n' {
			i++
		}
		body = body[i+1:]
	}
	unstuff(lines)
	return lines
}

func textLine(raw string) line {
	raw = strings.TrimRight(raw, " \t\u00A0")
	text, depth := unquote(raw)
	return line{raw: raw, text: trim(text), depth: depth}
}

// unquote takes the quote marks off a line: ">", "> >", and "AB>" as some programs write.
func unquote(s string) (string, int) {
	rest := strings.TrimLeft(s, " \t")
	if len(s)-len(rest) > 4 {
		return s, 0
	}
	if n := initials(rest); n > 0 {
		rest = rest[n:]
	}
	if rest == "" || rest[0] != '>' {
		return s, 0
	}
	depth := 0
	for rest != "" && rest[0] == '>' {
		rest = rest[1:]
		depth++
		if len(rest) > 1 && rest[0] == ' ' && rest[1] == '>' {
			rest = rest[1:]
		}
	}
	return rest, min(depth, maxDepth)
}

// initials is the length of the initials before a quote mark, as in "HM> text".
func initials(s string) int {
	n := 0
	for n < len(s) && n < 3 && 'A' <= s[n] && s[n] <= 'Z' {
		n++
	}
	if n > 0 && n < len(s) && s[n] == '>' && (n+1 == len(s) || s[n+1] == ' ' || s[n+1] == '>') {
		return n
	}
	return 0
}

// unstuff sees that ">From" alone is no quote: mailbox files write it for a line that starts with "From".
func unstuff(lines []line) {
	for i, l := range lines {
		if l.depth == 1 && strings.HasPrefix(l.raw, ">From ") &&
			(i == 0 || lines[i-1].depth == 0) && (i+1 == len(lines) || lines[i+1].depth == 0) {
			lines[i] = line{raw: l.raw[1:], text: l.raw[1:]}
		}
	}
}

func htmlLines(body string) []line {
	from := htmltext.Lines(body)
	lines := make([]line, len(from))
	for i, l := range from {
		raw := l.Text
		if l.Quote > 0 {
			raw = strings.TrimRight(strings.Repeat(">", min(l.Quote, maxDepth))+" "+raw, " ")
		}
		lines[i] = line{raw: raw, text: trim(l.Text), depth: min(l.Quote, maxDepth), soft: l.Indent > 0, in: l.In}
	}
	return lines
}

// trim takes white space and invisible characters off both ends.
func trim(s string) string {
	if n := len(s); n > 0 && s[0] > ' ' && s[0] < utf8.RuneSelf && s[n-1] > ' ' && s[n-1] < utf8.RuneSelf {
		return s
	}
	return strings.Trim(s, " \t\u00A0\u200B\u200E\u200F\uFEFF\u3000\v\f")
}

// join makes text of lines, without blank lines at its ends.
func join(lines []line) string {
	lines = trimBlank(lines)
	if len(lines) == 0 {
		return ""
	}
	size := len(lines)
	for _, l := range lines {
		size += len(l.raw)
	}
	var b strings.Builder
	b.Grow(size)
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(l.raw)
	}
	return b.String()
}

func trimBlank(lines []line) []line {
	for len(lines) > 0 && lines[0].blank() && lines[0].depth == 0 {
		lines = lines[1:]
	}
	for n := len(lines); n > 0 && lines[n-1].blank() && lines[n-1].depth == 0; n-- {
		lines = lines[:n-1]
	}
	return lines
}

// next is the index of the first line at or after i that is not blank, or len(lines). A quote mark alone is not blank.
func next(lines []line, i int) int {
	for i < len(lines) && lines[i].blank() && lines[i].depth == 0 {
		i++
	}
	return i
}

// nextText is the index of the first line at or after i that has text, or len(lines).
func nextText(lines []line, i int) int {
	for i < len(lines) && lines[i].blank() {
		i++
	}
	return i
}
