package templates

import (
	"fmt"
	"regexp"
	"strings"
)

// An action is one {{…}} of a template. Markdown never sees it: a token of letters and digits stands in its place,
// which Markdown passes on unchanged wherever it stands, and the action is put back afterwards.
type action struct {
	source  string // {{…}} as written
	keyword string // if, else, end, range, with, template, comment; "" when it shows something
	line    int    // of the file
}

const tokenPrefix = "zqa"

var tokenPattern = regexp.MustCompile(tokenPrefix + `([0-9]{5})q`)

func tokenOf(i int) string { return fmt.Sprintf("%s%05dq", tokenPrefix, i) }

// cutActions replaces the actions of body by tokens.
func cutActions(body string, firstLine int) (string, []action, error) {
	if strings.Contains(body, tokenPrefix) {
		return "", nil, fmt.Errorf("holds the letters %q, which stand for something else here", tokenPrefix)
	}
	var b strings.Builder
	var actions []action
	line := firstLine
	for {
		i := strings.Index(body, "{{")
		if i < 0 {
			b.WriteString(body)
			return b.String(), actions, nil
		}
		b.WriteString(body[:i])
		line += strings.Count(body[:i], "\n")
		body = body[i:]
		n := actionEnd(body)
		if n < 0 {
			return "", nil, fmt.Errorf("line %d: {{ has no }}", line)
		}
		a := action{source: body[:n], line: line}
		inner := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.Trim(a.source, "{}"), "- "), " -"))
		word, _, _ := strings.Cut(inner, " ")
		switch word {
		case "if", "else", "end", "range", "with", "template", "break", "continue":
			a.keyword = word
		default:
			if strings.HasPrefix(inner, "/*") {
				a.keyword = "comment"
			}
		}
		b.WriteString(tokenOf(len(actions)))
		actions = append(actions, a)
		if len(actions) > 9999 {
			return "", nil, fmt.Errorf("line %d: more than 9999 actions in one template", line)
		}
		line += strings.Count(a.source, "\n")
		body = body[n:]
	}
}

// actionEnd gives the length of the action that s begins with, or -1. A }} inside a string or comment does not end it.
func actionEnd(s string) int {
	if rest := strings.TrimLeft(strings.TrimPrefix(s[2:], "-"), " \n\t"); strings.HasPrefix(rest, "/*") {
		if i := strings.Index(s, "*/"); i >= 0 {
			if j := strings.Index(s[i:], "}}"); j >= 0 {
				return i + j + 2
			}
		}
		return -1
	}
	for i := 2; i < len(s); i++ {
		switch s[i] {
		case '"', '\'', '`':
			quote := s[i]
			for i++; i < len(s) && s[i] != quote; i++ {
				if s[i] == '\\' && quote != '`' {
					i++
				}
			}
		case '}':
			if strings.HasPrefix(s[i:], "}}") {
				return i + 2
			}
		}
	}
	return -1
}

// tokensIn gives the indexes of the actions whose tokens stand in s.
func tokensIn(s string) []int {
	var found []int
	for _, m := range tokenPattern.FindAllStringSubmatch(s, -1) {
		n := 0
		for _, c := range m[1] {
			n = n*10 + int(c-'0')
		}
		found = append(found, n)
	}
	return found
}

// restore puts the actions back. Each turn of a range gets a tick, see bounded.
func restore(s string, actions []action) string {
	return tokenPattern.ReplaceAllStringFunc(s, func(t string) string {
		a := actions[tokensIn(t)[0]]
		if a.keyword == "range" {
			return a.source + string(markTick)
		}
		return a.source
	})
}

// balanced reports whether every if, range and with that begins in s also ends there.
func balanced(s string, actions []action) bool {
	depth := 0
	for _, i := range tokensIn(s) {
		switch actions[i].keyword {
		case "if", "range", "with":
			depth++
		case "end":
			depth--
		case "else":
			if depth == 0 {
				return false
			}
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
}
