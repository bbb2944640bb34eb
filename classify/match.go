package classify

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

const infinity = math.MaxFloat64

// holds reports whether the condition is true of what is known so far. What named groups caught stays in s.captures.
func (n *node) holds(s *state) bool {
	switch n.op {
	case opAll:
		for _, kid := range n.kids {
			if !kid.holds(s) {
				return false
			}
		}
		return true
	case opAny:
		for _, kid := range n.kids {
			if kid.holds(s) {
				return true
			}
		}
		return false
	case opNot:
		kept := s.captures
		held := n.kids[0].holds(s)
		s.captures = kept
		return !held
	case opExpr:
		return n.code.holds(s)
	}
	if n.scope == inField {
		return n.fieldHolds(s)
	}
	return n.textHolds(s)
}

func (n *node) textHolds(s *state) bool {
	t := s.text()
	switch n.op {
	case opWords:
		for _, id := range n.ids {
			if n.scope != inBody && t.inSubject.has(id) || n.scope != inSubject && t.inBody.has(id) {
				return true
			}
		}
	case opContains:
		for _, c := range n.values {
			if t.has(c, n.scope) {
				return true
			}
		}
	case opRegex:
		if !t.may(n.pat, n.scope) {
			return false
		}
		switch n.scope {
		case inSubject:
			return n.pat.match(t.subject, &s.captures)
		case inBody:
			return n.pat.match(t.body, &s.captures)
		default:
			return n.pat.match(t.subject+"\n"+t.body, &s.captures)
		}
	}
	return false
}

// value returns what the field of the node holds.
func (n *node) value(s *state) value {
	if n.header == "" {
		return s.values[n.slot]
	}
	v := value{}
	for _, h := range s.m.Field(n.header) {
		v.set = true
		v.keys = append(v.keys, strings.ToLower(strings.TrimSpace(h)))
	}
	v.text = strings.Join(s.m.Field(n.header), ", ")
	return v
}

func (n *node) fieldHolds(s *state) bool {
	if n.header == "" && !s.values[n.slot].set {
		return false
	}
	v := n.value(s)
	if !v.set {
		return false
	}
	switch n.op {
	case opExists:
		return true
	case opNumber:
		return slices.ContainsFunc(n.ranges, func(r span) bool { return r.has(v.num) })
	case opRegex:
		return n.pat.match(v.text, &s.captures)
	}
	for _, have := range v.keys {
		for _, want := range n.values {
			if n.fits(have, want) {
				return true
			}
		}
	}
	return false
}

// fits compares one value of a field, in lower case, with one that is wanted.
func (n *node) fits(have, want string) bool {
	switch n.op {
	case opDomain:
		return underDomain(have, want)
	case opWords:
		return hasWords(normalise(have), want)
	case opContains:
		return strings.Contains(normalise(have), want)
	}
	return have == want
}

// underDomain reports whether an address is of a domain or of one below it.
func underDomain(address, domain string) bool {
	_, of, ok := cutLast(address, "@")
	return ok && (of == domain || strings.HasSuffix(of, domain) && of[len(of)-len(domain)-1] == '.')
}

func hasWords(normal, words string) bool {
	return strings.Contains(" "+normal+" ", " "+words+" ")
}

// name is what the node looks at, for people.
func (n *node) name() string {
	switch {
	case n.header != "":
		return headerPrefix + n.header
	case n.scope == inField:
		return fieldTable()[n.slot].name
	}
	return strings.TrimSpace(n.scope.String())
}

// why says what it was that made a true condition true.
func (n *node) why(s *state) string {
	switch n.op {
	case opAll:
		var list []string
		for _, kid := range n.kids {
			list = append(list, kid.why(s))
		}
		return strings.Join(list, ", ")
	case opAny:
		for _, kid := range n.kids {
			if kid.holds(s) {
				return kid.why(s)
			}
		}
	case opNot:
		return "not: " + n.kids[0].describe()
	case opExpr:
		return "the expression " + n.shown[0]
	case opWords, opContains:
		for i := range n.values {
			one := *n
			one.values, one.ids = n.values[i:i+1], n.ids
			if n.op == opWords {
				one.ids = n.ids[i : i+1]
			}
			if one.holds(s) {
				what := map[op]string{opWords: "word", opContains: "contains"}[n.op]
				return fmt.Sprintf("%s%s %q", n.where(s, &one), what, n.shown[i])
			}
		}
	case opRegex:
		return strings.TrimSpace(n.name() + " matches " + n.shown[0])
	case opExists:
		return n.name() + " is there"
	}
	return n.name() + " = " + oneLine(n.value(s).text)
}

// where says in which part a text that is looked for in either was found.
func (n *node) where(s *state, one *node) string {
	if n.scope == inField {
		return n.name() + " "
	}
	if n.scope != inEither {
		return n.scope.String()
	}
	only := *one
	if only.scope = inSubject; only.holds(s) {
		return inSubject.String()
	}
	return inBody.String()
}

// whyNot says what keeps a condition from being true.
func (n *node) whyNot(s *state) string {
	switch n.op {
	case opAll:
		for _, kid := range n.kids {
			if !kid.holds(s) {
				return kid.whyNot(s)
			}
		}
	case opAny:
		var list []string
		for _, kid := range n.kids {
			list = append(list, kid.whyNot(s))
		}
		return strings.Join(list, "; ")
	case opNot:
		return n.kids[0].why(s) + ", which it must not be"
	case opExpr:
		return "the expression " + n.shown[0] + " is not true"
	case opWords, opContains, opRegex:
		return "not found: " + n.describe()
	case opExists:
		return n.name() + " is missing"
	}
	v := n.value(s)
	if !v.set {
		return fmt.Sprintf("%s is missing, wanted %s", n.name(), strings.Join(n.shown, " or "))
	}
	return fmt.Sprintf("%s = %s, wanted %s", n.name(), oneLine(v.text), strings.Join(n.shown, " or "))
}

// describe writes the condition down.
func (n *node) describe() string {
	var list []string
	for _, kid := range n.kids {
		list = append(list, kid.describe())
	}
	switch n.op {
	case opAll:
		return strings.Join(list, " and ")
	case opAny:
		return "(" + strings.Join(list, " or ") + ")"
	case opNot:
		return "not " + list[0]
	case opWords:
		return strings.TrimSpace(n.name()+" word ") + " " + quoted(n.shown)
	case opContains:
		return strings.TrimSpace(n.name()+" contains ") + " " + quoted(n.shown)
	case opRegex:
		return strings.TrimSpace(n.name() + " matches " + n.shown[0])
	case opExpr:
		return "expr " + n.shown[0]
	case opExists:
		return n.name() + " exists"
	}
	return n.name() + "=" + strings.Join(n.shown, "|")
}

func quoted(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%q", s))
	}
	return strings.Join(out, " or ")
}

// oneLine folds white space and cuts what is long.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return s
}
