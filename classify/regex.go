package classify

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// pattern is a regex with what is needed to leave most texts to a plain search: literals of which every match has one.
type pattern struct {
	re     *regexp.Regexp
	needs  []string // as foldLiteral leaves them; nil when nothing can be said
	groups []string // its named groups
}

func compilePattern(source string) (*pattern, error) {
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, err
	}
	p := &pattern{re: re}
	for _, name := range re.SubexpNames() {
		if name != "" {
			p.groups = append(p.groups, name)
		}
	}
	if tree, err := syntax.Parse(source, syntax.Perl); err == nil {
		p.needs = needed(tree.Simplify())
	}
	return p, nil
}

// match reports whether the text matches, and keeps what the named groups caught.
func (p *pattern) match(text string, captures *map[string]string) bool {
	if len(p.groups) == 0 {
		return p.re.MatchString(text)
	}
	at := p.re.FindStringSubmatch(text)
	if at == nil {
		return false
	}
	if *captures == nil {
		*captures = map[string]string{}
	}
	for i, name := range p.re.SubexpNames() {
		if name != "" && at[i] != "" {
			(*captures)[name] = at[i]
		}
	}
	return true
}

// foldLiteral is lower case, and the long s is an s: letters that a case-insensitive regex takes for each other.
func foldLiteral(s string) string {
	s = strings.ToLower(s)
	if strings.ContainsRune(s, 'ſ') {
		s = strings.ReplaceAll(s, "ſ", "s")
	}
	return s
}

// maxNeeds bounds how many literals are searched for before the regex itself is cheaper.
const maxNeeds = 24

// needed returns literals of which any match of the expression contains one, or nil when there are none worth it.
func needed(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return literal(re)
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needed(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if n := needed(sub); better(n, best) {
				best = n
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			n := needed(sub)
			if n == nil {
				return nil
			}
			all = append(all, n...)
		}
		if len(all) <= maxNeeds {
			return all
		}
	}
	return nil
}

// literal returns the longest run of ASCII characters of a literal: other letters may fold in ways that lower case
// does not show.
func literal(re *syntax.Regexp) []string {
	best, run := "", ""
	for _, r := range append(append([]rune{}, re.Rune...), unicode.MaxRune) {
		if r >= ' ' && r < unicode.MaxASCII {
			run += string(unicode.ToLower(r))
			continue
		}
		if len(run) > len(best) {
			best = run
		}
		run = ""
	}
	if len(best) < 2 {
		return nil
	}
	return []string{best}
}

// better reports whether to search for one list of literals rather than for another: longer ones are rarer.
func better(a, b []string) bool {
	if a == nil || b == nil {
		return a != nil
	}
	return shortest(a) > shortest(b)
}

func shortest(list []string) int {
	n := len(list[0])
	for _, s := range list {
		n = min(n, len(s))
	}
	return n
}
