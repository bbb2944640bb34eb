package classify

import (
	"slices"
	"strings"
)

// What can be said about all mails that satisfy a condition. A world is a set of mails, written down as what each field
// can still be and which words are certainly there or not; assuming a condition narrows it. Proofs about routes are
// made of that: sound in that a contradiction is one, and complete where fields and words are all there is.

// truth is what a world says about a condition.
type truth int8

const (
	unknown truth = iota
	yes
	no
)

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// possible is what a field with one value can still be.
type possible struct {
	in      []string // sorted; nil: anything
	out     []string // sorted
	missing bool     // it may be missing
	present bool     // it may be there
	under   string   // of addresses: the domain that it is under
	span    span     // of numbers
}

func (p possible) empty() bool { return !p.missing && !p.present }

// can reports whether the field can have the value.
func (p possible) can(v string) bool {
	return p.present && (p.in == nil || slices.Contains(p.in, v)) && !slices.Contains(p.out, v) &&
		(p.under == "" || underDomain(v, p.under))
}

// within narrows to values of a list.
func (p possible) within(list []string) possible {
	q := p
	q.missing, q.in, q.out = false, nil, nil
	for _, v := range list {
		if p.can(v) && !slices.Contains(q.in, v) {
			q.in = append(q.in, v)
		}
	}
	slices.Sort(q.in)
	q.present = len(q.in) > 0
	return q
}

// without narrows to values that are not in a list.
func (p possible) without(list []string) possible {
	q := p
	if p.in != nil {
		q.in = slices.DeleteFunc(slices.Clone(p.in), func(v string) bool { return slices.Contains(list, v) })
		q.present = p.present && len(q.in) > 0
		return q
	}
	q.out = set(slices.Concat(p.out, list))
	return q
}

// A claim is one thing that is certain about a text, or about a test that is not looked into.
type claim struct {
	op    op
	scope scope // inSubject or inBody; inField for the field of name
	name  string
	value string
	node  *node // for regexes and expressions
}

// world is a set of mails.
type world struct {
	fields [slots]possible
	has    []claim
	hasNot []claim
	theory *theory
}

// narrow drops what the tables exclude after a field has changed; it reports whether anything is left.
func (w *world) narrow(changed slot) bool {
	if w.fields[changed].empty() {
		return false
	}
	for i := range w.theory.links {
		l := &w.theory.links[i]
		if slices.Contains(l.slots, changed) && !w.link(l) {
			return false
		}
	}
	return true
}

// link narrows the fields of one link to the rows that are left.
func (w *world) link(l *link) bool {
	if l.open && w.outside(l) {
		return true // nothing can be said of what is in no table
	}
	left := w.rows(l)
	for i, at := range l.slots {
		var values []string
		missing := false
		for _, row := range left {
			if row[i] == "" {
				missing = true
			} else {
				values = append(values, row[i])
			}
		}
		p := w.fields[at]
		q := p.within(values)
		q.missing = missing && p.missing
		w.fields[at] = q
	}
	return len(left) > 0
}

// rows lists the rows of a link that are possible.
func (w *world) rows(l *link) (left [][]string) {
	for _, row := range l.rows {
		if w.admits(l.slots, row) {
			left = append(left, row)
		}
	}
	return left
}

func (w *world) admits(at []slot, row []string) bool {
	for i, s := range at {
		p := w.fields[s]
		if row[i] == "" && !p.missing || row[i] != "" && !p.can(row[i]) {
			return false
		}
	}
	return true
}

// outside reports whether the first field may be something that the table does not have; then the others are missing.
func (w *world) outside(l *link) bool {
	for _, at := range l.slots[1:] {
		if !w.fields[at].missing {
			return false
		}
	}
	p := w.fields[l.slots[0]]
	if p.missing || p.present && p.in == nil {
		return true
	}
	return slices.ContainsFunc(p.in, func(v string) bool {
		return !slices.ContainsFunc(l.rows, func(row []string) bool { return row[0] == v })
	})
}

// maxWorlds bounds how many cases a condition is taken apart into.
const maxWorlds = 256

// assume returns worlds that together hold all mails of w for which the condition is as wanted. ok is false when there
// are too many of them.
func (w *world) assume(n *node, want bool) (list []*world, ok bool) {
	switch {
	case n.op == opNot:
		return w.assume(n.kids[0], !want)
	case n.op == opAll && want || n.op == opAny && !want:
		list = []*world{w}
		for _, kid := range n.kids {
			var next []*world
			for _, one := range list {
				some, ok := one.assume(kid, want)
				if next = append(next, some...); !ok || len(next) > maxWorlds {
					return nil, false
				}
			}
			list = next
		}
		return list, true
	case n.op == opAll || n.op == opAny:
		for _, kid := range n.kids {
			some, ok := w.assume(kid, want)
			if list = append(list, some...); !ok || len(list) > maxWorlds {
				return nil, false
			}
		}
		return list, true
	}
	switch says := w.says(n); {
	case says == unknown:
		return w.leaf(n, want), true
	case (says == yes) == want:
		return []*world{w}, true
	}
	return nil, true
}

// claiming returns the world with more claims, unless they contradict it.
func (w *world) claiming(has, hasNot []claim) []*world {
	c := *w
	c.has, c.hasNot = slices.Concat(w.has, has), slices.Concat(w.hasNot, hasNot)
	if c.contradicts() {
		return nil
	}
	return []*world{&c}
}

// becoming returns the world in which a field is what is given, unless that leaves no mail.
func (w *world) becoming(at slot, p possible) []*world {
	c := *w
	c.fields[at] = p
	if !c.narrow(at) || c.contradicts() {
		return nil
	}
	return []*world{&c}
}

// leaf assumes a condition that has no parts.
func (w *world) leaf(n *node, want bool) (list []*world) {
	if n.plain(w.theory) {
		return w.field(n, want)
	}
	if !want {
		return w.claiming(nil, n.claims())
	}
	for _, m := range n.claims() {
		list = append(list, w.claiming([]claim{m}, nil)...)
	}
	return list
}

// plain reports whether a leaf is about the value of a field that has one value at most, so that possible describes it.
func (n *node) plain(t *theory) bool {
	return n.scope == inField && n.header == "" && !t.fields[n.slot].many &&
		(n.op == opIs || n.op == opExists || n.op == opNumber || n.op == opDomain)
}

func (w *world) field(n *node, want bool) (list []*world) {
	p := w.fields[n.slot]
	become := func(q possible) {
		list = append(list, w.becoming(n.slot, q)...)
	}
	switch {
	case n.op == opIs && want:
		become(p.within(n.values))
	case n.op == opIs:
		become(p.without(n.values))
	case n.op == opExists:
		p.missing, p.present = p.missing && !want, p.present && want
		become(p)
	case n.op == opDomain && want:
		for _, d := range n.values {
			q := p
			if q.missing = false; q.in != nil {
				q = q.within(slices.DeleteFunc(slices.Clone(q.in), func(v string) bool { return !underDomain(v, d) }))
			} else if q.under == "" || isUnder(d, q.under) {
				q.under = d
			} else if !isUnder(q.under, d) {
				continue
			}
			become(q)
		}
	case n.op == opDomain:
		// Which addresses are left is not written down; a claim keeps the contradiction.
		list = w.claiming(nil, n.claims())
	case n.op == opNumber && want:
		for _, r := range n.ranges {
			q := p
			q.missing, q.span = false, p.span.and(r)
			q.present = p.present && !q.span.none()
			become(q)
		}
	default:
		rest := []span{p.span}
		for _, r := range n.ranges {
			var next []span
			for _, s := range rest {
				next = append(next, s.and(span{low: -infinity, high: r.low, highOpen: !r.lowOpen}), s.and(span{low: r.high, high: infinity, lowOpen: !r.highOpen}))
			}
			rest = next
		}
		if p.missing {
			q := p
			q.present = false
			become(q)
		}
		for _, s := range rest {
			q := p
			q.missing, q.span = false, s
			q.present = p.present && !s.none()
			become(q)
		}
	}
	return list
}

// isUnder reports whether a domain is another or below it.
func isUnder(domain, above string) bool {
	return domain == above || strings.HasSuffix(domain, "."+above)
}

func (r span) and(o span) span {
	if o.low > r.low || o.low == r.low && o.lowOpen {
		r.low, r.lowOpen = o.low, o.lowOpen
	}
	if o.high < r.high || o.high == r.high && o.highOpen {
		r.high, r.highOpen = o.high, o.highOpen
	}
	return r
}

func (r span) none() bool {
	return r.low > r.high || r.low == r.high && (r.lowOpen || r.highOpen) || r.high == -infinity || r.low == infinity
}

// claims lists what a leaf asks of a text; one of them is enough for it to hold.
func (n *node) claims() (list []claim) {
	scopes := []scope{n.scope}
	if n.scope == inEither {
		scopes = []scope{inSubject, inBody}
	}
	switch n.op {
	case opRegex, opExpr, opExists:
		m := claim{op: n.op, scope: n.scope, name: n.name(), node: n}
		if len(n.shown) > 0 {
			m.value = n.shown[0]
		}
		return []claim{m}
	}
	for _, s := range scopes {
		for _, v := range n.values {
			m := claim{op: n.op, scope: s, value: v, node: n}
			if s == inField {
				m.name = n.name()
			}
			list = append(list, m)
		}
	}
	return list
}

// implies reports whether what one claim says makes another one true.
func (m claim) implies(o claim) bool {
	if m.scope != o.scope || m.name != o.name {
		return false
	}
	switch {
	case o.op == opExists && m.scope == inField:
		return true
	case o.op == opWords && m.op == opWords:
		return hasWords(m.value, o.value)
	case o.op == opContains && (m.op == opWords || m.op == opContains):
		return strings.Contains(m.value, o.value)
	case o.op == opDomain && m.op == opDomain:
		return isUnder(m.value, o.value)
	case o.op == opDomain && m.op == opIs:
		return underDomain(m.value, o.value)
	}
	return m.op == o.op && m.value == o.value
}

// contradicts reports whether something is certainly there and certainly not.
func (w *world) contradicts() bool {
	for _, not := range w.hasNot {
		if slices.ContainsFunc(w.has, func(m claim) bool { return m.implies(not) }) {
			return true
		}
		if not.op == opDomain && not.scope == inField && not.node.header == "" && !w.theory.fields[not.node.slot].many {
			p := w.fields[not.node.slot]
			if p.under != "" && isUnder(p.under, not.value) && !p.missing ||
				p.in != nil && !p.missing && !slices.ContainsFunc(p.in, func(v string) bool { return !underDomain(v, not.value) }) {
				return true
			}
		}
	}
	return false
}

// says tells whether the condition holds for all mails of the world, for none, or neither is certain.
func (w *world) says(n *node) truth {
	switch n.op {
	case opNot:
		return w.says(n.kids[0]).not()
	case opAll, opAny:
		stop, all := no, yes
		if n.op == opAny {
			stop, all = yes, no
		}
		for _, kid := range n.kids {
			switch w.says(kid) {
			case stop:
				return stop
			case unknown:
				all = unknown
			}
		}
		return all
	}
	if n.plain(w.theory) {
		return w.saysField(n)
	}
	none := true
	for _, m := range n.claims() {
		if slices.ContainsFunc(w.has, func(h claim) bool { return h.implies(m) }) {
			return yes
		}
		if !slices.ContainsFunc(w.hasNot, func(h claim) bool { return m.implies(h) }) {
			none = false
		}
	}
	if none {
		return no
	}
	return unknown
}

func (w *world) saysField(n *node) truth {
	p := w.fields[n.slot]
	if !p.present {
		return no
	}
	all, some := !p.missing, false
	switch n.op {
	case opExists:
		some = true
	case opIs:
		some = slices.ContainsFunc(n.values, p.can)
		all = all && p.in != nil && !slices.ContainsFunc(p.in, func(v string) bool { return p.can(v) && !slices.Contains(n.values, v) })
	case opDomain:
		under := func(v string) bool {
			return slices.ContainsFunc(n.values, func(d string) bool { return underDomain(v, d) })
		}
		switch {
		case p.in != nil:
			some = slices.ContainsFunc(p.in, under)
			all = all && !slices.ContainsFunc(p.in, func(v string) bool { return !under(v) })
		case p.under != "":
			some = slices.ContainsFunc(n.values, func(d string) bool { return isUnder(p.under, d) || isUnder(d, p.under) })
			all = all && slices.ContainsFunc(n.values, func(d string) bool { return isUnder(p.under, d) })
		default:
			some, all = true, false
		}
	case opNumber:
		some = slices.ContainsFunc(n.ranges, func(r span) bool { return !p.span.and(r).none() })
		all = all && slices.ContainsFunc(n.ranges, func(r span) bool { return p.span.and(r) == p.span })
	}
	switch {
	case all:
		return yes
	case !some:
		return no
	}
	return unknown
}
