package classify

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What a node of a compiled condition asks.
type op uint8

const (
	opAll      op = iota // every kid holds
	opAny                // a kid holds
	opNot                // the kid does not hold
	opIs                 // the field is one of values
	opNumber             // the field is in one of ranges
	opDomain             // the field is an address of one of values
	opExists             // the field is there
	opWords              // the text has one of values as whole words
	opContains           // the text has one of values anywhere
	opRegex              // the text matches
	opExpr               // the expression is true
)

// Where a text is looked for.
type scope uint8

const (
	inEither scope = iota
	inSubject
	inBody
	inField // the field of the node
)

func (s scope) String() string { return [...]string{"", "subject ", "text ", ""}[s] }

// node is a compiled condition.
type node struct {
	op     op
	kids   []*node
	scope  scope
	slot   slot
	header string   // name of a header field; the slot means nothing then
	values []string // as they are compared
	shown  []string // as they are written
	ids    []int    // of values among the phrases
	ranges []span
	pat    *pattern
	code   *expression
	cost   int
	reads  phase // the latest phase that it looks at
}

// span is a range of numbers.
type span struct {
	low, high         float64
	lowOpen, highOpen bool
}

func (r span) has(n float64) bool {
	return (n > r.low || n == r.low && !r.lowOpen) && (n < r.high || n == r.high && !r.highOpen)
}

// compiler turns a Config into what a Classifier runs on, and notes everything that is wrong with it.
type compiler struct {
	config  *Config
	phrases *phrases
	fields  [slots]fieldInfo
	names   map[string]slot
	lints   []Lint
}

func newCompiler(c *Config, p *phrases) *compiler {
	cp := &compiler{config: c, phrases: p, fields: fieldTable(), names: otherNames()}
	for i, f := range cp.fields {
		cp.names[f.name] = slot(i)
	}
	return cp
}

func (cp *compiler) lint(code, path, format string, args ...any) {
	cp.lints = append(cp.lints, Lint{Code: code, Path: path, What: fmt.Sprintf(format, args...)})
}

// err joins the findings that keep the configuration from being used.
func (cp *compiler) err() error {
	var errs []error
	for _, l := range cp.lints {
		if strings.HasPrefix(l.Code, "E") {
			errs = append(errs, fmt.Errorf("check %s: %s (%s)", l.Path, l.What, l.Code))
		}
	}
	return errors.Join(errs...)
}

// match compiles a condition of which everything it looks at has to be decided before a phase.
func (cp *compiler) match(m *Match, path string, before phase) *node {
	n := cp.all(m, path)
	if n == nil {
		return nil
	}
	if n.reads >= before {
		cp.lint("E08", path, "it looks at %s, which is decided later, in %s; %s can only look at what is decided before", strings.Join(cp.lateNames(n, before), ", "), n.reads, before)
	}
	return n
}

// lateNames names what a condition looks at too early.
func (cp *compiler) lateNames(n *node, before phase) []string {
	var list []string
	n.walk(func(leaf *node) {
		if leaf.reads < before || len(leaf.kids) > 0 {
			return
		}
		if leaf.op == opExpr {
			list = append(list, "a value of "+leaf.reads.String())
		} else {
			list = append(list, cp.fields[leaf.slot].name)
		}
	})
	return list
}

// walk visits the condition and everything below it.
func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, kid := range n.kids {
		kid.walk(visit)
	}
}

func (cp *compiler) all(m *Match, path string) *node {
	n := &node{op: opAll}
	for i := range m.Fields {
		cp.field(n, &m.Fields[i], path)
	}
	for _, t := range []struct {
		text  *Text
		scope scope
	}{{&m.Subject, inSubject}, {&m.Body, inBody}, {&m.Text, inEither}} {
		cp.text(n, t.text, node{scope: t.scope}, path)
	}
	if len(m.Any) > 0 {
		kid := &node{op: opAny}
		for i := range m.Any {
			kid.kids = append(kid.kids, cp.all(&m.Any[i], fmt.Sprintf("%s.any[%d]", path, i)))
		}
		n.kids = append(n.kids, kid.settle())
	}
	for i := range m.All {
		n.kids = append(n.kids, cp.all(&m.All[i], fmt.Sprintf("%s.all[%d]", path, i)))
	}
	if m.Not != nil {
		kid := &node{op: opNot, kids: []*node{cp.all(m.Not, path+".not")}}
		n.kids = append(n.kids, kid.settle())
	}
	if m.Expr != "" {
		code, err := compileExpression(m.Expr)
		if err != nil {
			cp.lint("E12", path+".expr", "read expr: %v", err)
		} else {
			n.kids = append(n.kids, &node{op: opExpr, code: code, shown: []string{m.Expr}, reads: code.reads, cost: 40})
		}
	}
	if m.empty() {
		cp.lint("E06", path, "has an empty match, which would fit every mail; leave match out to match always, or write what it has to say")
	}
	if len(n.kids) == 1 {
		return n.kids[0]
	}
	return n.settle()
}

func (m *Match) empty() bool {
	return m.Subject.empty() && m.Body.empty() && m.Text.empty() && len(m.Fields) == 0 && len(m.Any) == 0 && len(m.All) == 0 &&
		m.Not == nil && m.Expr == ""
}

func (t Text) empty() bool { return len(t.Words) == 0 && len(t.Contains) == 0 && t.Regex == "" }

// settle orders the kids by what they cost, the cheap ones first, and sums up.
func (n *node) settle() *node {
	slices.SortStableFunc(n.kids, func(a, b *node) int { return a.cost - b.cost })
	for _, kid := range n.kids {
		n.cost += kid.cost
		n.reads = max(n.reads, kid.reads)
	}
	return n
}

// add appends a leaf.
func (n *node) add(leaf node) { n.kids = append(n.kids, &leaf) }

// field compiles a condition on one field into leaves of n.
func (cp *compiler) field(n *node, f *FieldMatch, path string) {
	name := strings.TrimSpace(f.Field)
	leaf := node{slot: -1, scope: inField}
	path += "." + name
	if header, ok := strings.CutPrefix(name, headerPrefix); ok && header != "" {
		leaf.header = header
	} else if at, ok := cp.names[strings.ToLower(name)]; ok {
		leaf.slot, leaf.reads = at, cp.fields[at].phase
	} else {
		cp.lint("E01", path, "there is no field %q%s", name, cp.near(name))
		return
	}
	if len(f.Values) == 0 && len(f.Domain) == 0 && len(f.Address) == 0 && f.Text.empty() && f.Exists == nil {
		cp.lint("E06", path, "says nothing about %s; write a value, or exists: true", name)
	}
	leaf.cost = 1
	cp.values(n, leaf, f.Values, path)
	if len(f.Domain) > 0 {
		l := leaf
		l.op, l.shown = opDomain, f.Domain
		for _, d := range f.Domain {
			d = strings.ToLower(strings.Trim(strings.TrimSpace(d), "@."))
			if d == "" || strings.ContainsAny(d, "@ ") {
				cp.lint("E12", path+".domain", "%q is no domain such as \"example.org\"", d)
			}
			l.values = append(l.values, d)
		}
		n.add(l)
	}
	if len(f.Address) > 0 {
		cp.values(n, leaf, f.Address, path+".address")
	}
	if f.Exists != nil {
		l := leaf
		l.op = opExists
		if *f.Exists {
			n.add(l)
		} else {
			n.kids = append(n.kids, (&node{op: opNot, kids: []*node{&l}}).settle())
		}
	}
	cp.text(n, &f.Text, leaf, path)
}

// near suggests the name that was meant.
func (cp *compiler) near(name string) string {
	for i := range cp.fields {
		have := cp.fields[i].name
		if _, last, ok := strings.Cut(have, "."); ok && strings.EqualFold(last, name) || strings.EqualFold(strings.ReplaceAll(have, "_", ""), strings.NewReplacer("_", "", "-", "").Replace(name)) {
			return fmt.Sprintf("; did you mean %s?", have)
		}
	}
	return ""
}

// values compiles the list of what a field may be.
func (cp *compiler) values(n *node, leaf node, values []string, path string) {
	if len(values) == 0 {
		return
	}
	leaf.shown = values
	kind := FieldText
	if leaf.header == "" {
		kind = cp.fields[leaf.slot].kind
	}
	leaf.op = opIs
	for _, v := range values {
		key := strings.ToLower(strings.TrimSpace(v))
		switch kind {
		case FieldNumber:
			leaf.op = opNumber
			r, err := readSpan(key)
			if err != nil {
				cp.lint("E12", path, "%v", err)
				continue
			}
			leaf.ranges = append(leaf.ranges, r)
		case FieldYesNo:
			switch key {
			case "true", "yes":
				key = "true"
			case "false", "no":
				key = "false"
			default:
				cp.lint("E12", path, "%q is neither true nor false", v)
			}
		}
		if key == "" {
			cp.lint("E12", path, "an empty value fits nothing; write exists: false for a missing one")
		}
		leaf.values = append(leaf.values, key)
	}
	n.add(leaf)
}

// readSpan reads "6", ">=6", "<2.5".
func readSpan(s string) (span, error) {
	rest := strings.TrimLeft(s, "<>=")
	sign := s[:len(s)-len(rest)]
	n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
	if err != nil || n-n != 0 {
		return span{}, fmt.Errorf("%q is no number, or comparison such as \">=6\"", s)
	}
	switch sign {
	case "", "=", "==":
		return span{low: n, high: n}, nil
	case ">=":
		return span{low: n, high: infinity}, nil
	case ">":
		return span{low: n, high: infinity, lowOpen: true}, nil
	case "<=":
		return span{low: -infinity, high: n}, nil
	case "<":
		return span{low: -infinity, high: n, highOpen: true}, nil
	}
	return span{}, fmt.Errorf("%q is no comparison; use >=, >, <=, < or =", s)
}

// text compiles conditions on a text into leaves of n. leaf says where the text is.
func (cp *compiler) text(n *node, t *Text, leaf node, path string) {
	path += strings.TrimSpace("." + leaf.scope.String())
	path = strings.TrimSuffix(path, ".")
	for _, part := range []struct {
		op    op
		name  string
		list  []string
		cost  int
		field int // what it costs on a field
	}{{opWords, "words", t.Words, 2, 6}, {opContains, "contains", t.Contains, 8, 6}} {
		if len(part.list) == 0 {
			continue
		}
		l := leaf
		l.op, l.shown, l.cost = part.op, part.list, part.cost
		if l.scope == inField {
			l.cost = part.field
		}
		for _, w := range part.list {
			key := normalise(w)
			if key == "" {
				cp.lint("E12", path+"."+part.name, "%q has no letter or digit to look for", w)
				continue
			}
			l.values = append(l.values, key)
			if part.op == opWords {
				l.ids = append(l.ids, cp.phrases.add(key))
			}
		}
		n.add(l)
	}
	if t.Regex == "" {
		return
	}
	pat, err := compilePattern(t.Regex)
	if err != nil {
		cp.lint("E12", path+".regex", "read regex: %v", err)
		return
	}
	l := leaf
	l.op, l.pat, l.shown, l.cost = opRegex, pat, []string{t.Regex}, 60
	n.add(l)
}
