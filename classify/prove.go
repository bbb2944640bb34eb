package classify

import (
	"fmt"
	"slices"
	"strings"
)

// Lint finds what is wrong with a configuration, beyond what New refuses: routes that can never be entered, with a mail
// that proves it, and such that depend on their order.
func (c Config) Lint() []Lint {
	k, cp := compile(c)
	if cp.err() != nil {
		return cp.lints
	}
	p := &prover{k: k, compiler: cp, theory: newTheory(k), left: maxWork}
	p.satisfiable()
	p.tree(k.root, []*world{&p.theory.start}, nil)
	return cp.lints
}

// prover looks for proofs about the routes of a configuration.
type prover struct {
	*compiler
	k      *Classifier
	theory *theory
	left   int // of maxWork
}

// maxWork bounds all proofs about one configuration together, in conditions that are looked at: about two seconds. What cannot
// be proved within it is not told as proved.
const maxWork = 2_000_000

// spend takes n off what is left, and reports whether there was that much.
func (p *prover) spend(n int) bool {
	p.left -= n
	return p.left >= 0
}

// satisfiable reports conditions outside of the tree that no mail can satisfy.
func (p *prover) satisfiable() {
	check := func(n *node, path, what string) {
		if n == nil {
			return
		}
		if worlds, ok := p.theory.start.assume(n, true); ok && len(worlds) == 0 {
			p.lint("E06", path, "%s can never match: %s", what, n.describe())
		}
	}
	for i, list := range [][]derivation{p.k.derive.ci, p.k.derive.impact, p.k.derive.urgency} {
		field := [...]string{"ci", "impact", "urgency"}[i]
		for i, d := range list {
			check(d.when, fmt.Sprintf("derive.%s[%d].when", field, i), "the entry")
		}
	}
	for _, a := range p.k.onNew.list {
		if a.match.reads < phaseRoute {
			check(a.match, a.place+".match", fmt.Sprintf("rule %q", a.name))
		}
	}
	for i, a := range p.k.answers {
		if a.match.reads < phaseRoute {
			check(a.match, fmt.Sprintf("auto_answers.answers[%d].match", i), fmt.Sprintf("answer %q", a.name))
		}
	}
}

// tree goes through the children of a route. worlds hold all mails that get to it, and some that one of the routes
// above takes.
func (p *prover) tree(r *route, worlds []*world, above []*route) {
	for i, kid := range r.kids {
		earlier := slices.Concat(above, r.kids[:i])
		var inside []*world
		certain := true
		for _, w := range worlds {
			some, ok := w.assume(kid.match, true)
			inside = append(inside, some...)
			certain = certain && ok
		}
		if len(inside) > maxWorlds {
			inside, certain = inside[:maxWorlds], false
		}
		opaque := kid.match.opaque()
		switch {
		case certain && len(inside) == 0:
			p.never(r, kid)
			continue
		case certain && p.shadowed(kid, earlier, inside):
			continue
		case !certain || p.left < 0 || opaque != "" && len(r.kids) > 1:
			if opaque == "" {
				opaque = "so many cases"
			}
			p.lint("W23", kid.path, "route %q has %s: whether another route shadows it cannot be proved; try both on stored mail", kid.name, opaque)
		}
		p.overlap(kid, earlier, len(above), inside)
		p.tree(kid, inside, earlier)
	}
}

// never reports a route that contradicts itself or its parents.
func (p *prover) never(parent, kid *route) {
	if alone, ok := p.theory.start.assume(kid.match, true); ok && len(alone) == 0 {
		p.lint("E06", kid.path, "route %q can never match: no mail has %s", kid.name, kid.match.describe())
		return
	}
	p.lint("E06", kid.path, "route %q can never match: it stands below %q, whose mail has %s, and wants %s", kid.name, parent.name, parent.match.describe(), kid.match.describe())
}

// opaque names what in a condition cannot be looked into, or "".
func (n *node) opaque() (what string) {
	n.walk(func(leaf *node) {
		switch leaf.op {
		case opRegex:
			what = "a regex"
		case opExpr:
			what = "an expr"
		}
	})
	return what
}

// shadowed reports a route whose mail earlier siblings take, all of it.
func (p *prover) shadowed(kid *route, earlier []*route, inside []*world) bool {
	if len(earlier) == 0 {
		return false
	}
	takers := map[*route]bool{}
	budget := maxCases
	for _, w := range inside {
		if !p.covered(w, kid, earlier, earlier, takers, &budget) {
			return false
		}
	}
	var names []string
	for _, r := range earlier {
		if takers[r] {
			names = append(names, fmt.Sprintf("%q", r.name))
		}
	}
	p.lints = append(p.lints, Lint{Code: "E05", Path: kid.path, Example: p.shadowExample(kid, earlier, inside),
		What: fmt.Sprintf("route %q is never entered: all mail that it matches is taken by %s above it; put it first, or leave it out", kid.name, strings.Join(names, " and "))})
	return true
}

// shadowExample is a mail that both the route and an earlier one match.
func (p *prover) shadowExample(kid *route, earlier []*route, inside []*world) string {
	for _, w := range inside {
		for _, r := range earlier {
			both, _ := w.assume(r.match, true)
			for _, one := range both {
				if s, says := one.example(p.k); r.match.holds(s) && kid.match.holds(s) {
					return says
				}
			}
		}
	}
	return ""
}

// maxCases bounds how many cases a proof may have.
const maxCases = 300

// covered reports whether every mail of the world is taken by an earlier route: proved, or not. Only those of left can
// still take any.
func (p *prover) covered(w *world, kid *route, earlier, left []*route, takers map[*route]bool, budget *int) bool {
	if *budget--; *budget < 0 || !p.spend(len(left)*(1+(len(w.has)+len(w.hasNot))/4)) {
		return false
	}
	var open []*route
	for _, r := range left {
		switch w.says(r.match) {
		case yes:
			takers[r] = true
			return true
		case unknown:
			open = append(open, r)
		}
	}
	if len(open) == 0 {
		return false
	}
	if s, _ := w.example(p.k); kid.match.holds(s) && !slices.ContainsFunc(earlier, func(r *route) bool { return r.match.holds(s) }) {
		return false // a mail that gets through
	}
	leaf := w.undecided(open[0].match)
	if leaf == nil {
		return false
	}
	for _, want := range []bool{true, false} {
		cases, ok := w.assume(leaf, want)
		if !ok {
			return false
		}
		for _, c := range cases {
			if !p.covered(c, kid, earlier, open, takers, budget) {
				return false
			}
		}
	}
	return true
}

// undecided returns a part of the condition without parts of its own of which the world knows nothing.
func (w *world) undecided(n *node) *node {
	if len(n.kids) == 0 {
		if w.says(n) == unknown {
			return n
		}
		return nil
	}
	for _, kid := range n.kids {
		if leaf := w.undecided(kid); leaf != nil {
			return leaf
		}
	}
	return nil
}

// overlap warns of the nearest earlier sibling that matches some of the same mail, if it matters which comes first. The
// siblings are those from index first on.
func (p *prover) overlap(kid *route, earlier []*route, first int, inside []*world) {
	for i := len(earlier) - 1; i >= first; i-- {
		other := earlier[i]
		if slices.Contains(kid.from.Overlaps, other.name) || slices.Contains(other.from.Overlaps, kid.name) || sameEnd(kid, other) {
			continue
		}
		says, ok := p.both(kid, other, earlier[:i], inside)
		if !ok {
			continue
		}
		p.lints = append(p.lints, Lint{Code: "W22", Path: kid.path, Example: says,
			What: fmt.Sprintf("route %q and the earlier route %q overlap: mail that both match goes to %s; if that is meant, say so with overlaps: [%s]",
				kid.name, other.name, other.team, other.name)})
		return
	}
}

// sameEnd reports whether it makes no difference which of two routes is entered.
func sameEnd(a, b *route) bool {
	return a.team == b.team && len(a.kids) == 0 && len(b.kids) == 0 && a.from.Dedup == nil && b.from.Dedup == nil
}

// both looks for a mail that two routes match and none above them.
func (p *prover) both(kid, other *route, above []*route, inside []*world) (string, bool) {
	for _, w := range inside {
		cases, _ := w.assume(other.match, true)
		for _, c := range cases {
			if !p.spend(1 + len(above)) {
				return "", false
			}
			for _, one := range p.besides(c, above) {
				s, says := one.example(p.k)
				if kid.match.holds(s) && other.match.holds(s) && !slices.ContainsFunc(above, func(r *route) bool { return r.match.holds(s) }) {
					return says, true
				}
			}
		}
	}
	return "", false
}

// besides narrows a world to mail that none of the routes match, as far as that is cheap.
func (p *prover) besides(w *world, routes []*route) []*world {
	list := []*world{w}
	for _, r := range routes {
		var next []*world
		for _, one := range list {
			if one.says(r.match) == no {
				next = append(next, one)
				continue
			}
			if s, _ := one.example(p.k); !r.match.holds(s) {
				next = append(next, one)
				continue
			}
			some, _ := one.assume(r.match, false)
			next = append(next, some...)
		}
		if list = next; len(list) > 16 {
			list = list[:16]
		}
	}
	return list
}
