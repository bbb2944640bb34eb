package classify

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"

	"supportd/tickets"
)

// example makes one mail of a world, ready for conditions to be tried on, and describes it as "mailbox=books
// language=en". It is a guess that has to be tried: what regexes and expressions say is not looked into.
func (w *world) example(k *Classifier) (*state, string) {
	v := &tickets.Verdict{Kind: kindHuman}
	s := &state{k: k, m: &tickets.Message{}, v: v}
	var says []string
	rows := w.picks()
	for i := range w.fields {
		at := slot(i)
		value, ok := rows[at]
		if ok {
			ok = value != ""
		} else {
			value, ok = w.value(at)
		}
		if !ok {
			if start := w.theory.start.fields[at]; start.missing && start.present && !w.fields[at].present {
				says = append(says, w.theory.fields[at].name+" missing")
			}
			continue
		}
		if w.theory.fields[at].kind == FieldNumber {
			n := w.number(at)
			s.putNumber(at, n, fmt.Sprintf("%g", n))
			value = s.values[at].text
		} else {
			s.put(at, value)
		}
		if w.certain(at) {
			says = append(says, w.theory.fields[at].name+"="+value)
		}
	}
	subject, body := []string{}, []string{}
	many := map[slot][]string{}
	for _, c := range w.has {
		text := c.value
		if c.op == opRegex {
			text = matching(c.node.pat.re.String())
		}
		switch {
		case c.op == opExpr:
			says = append(says, "a mail for which "+c.value)
		case c.scope == inSubject:
			subject = append(subject, text)
		case c.scope == inBody || c.scope == inEither:
			body = append(body, text)
		case c.node.header != "":
			if c.op == opExists {
				text = "x"
			}
			s.m.Fields = append(s.m.Fields, tickets.Field{Name: c.node.header, Value: text})
			says = append(says, fmt.Sprintf("%s%s=%q", headerPrefix, c.node.header, text))
		default:
			switch c.op {
			case opExists:
				text = "x"
			case opDomain:
				text = "someone@" + text
			}
			many[c.node.slot] = append(many[c.node.slot], text)
		}
	}
	for at := slot(0); at < slots; at++ {
		if list := many[at]; list != nil {
			s.putMany(at, list)
			says = append(says, fmt.Sprintf("%s=%s", w.theory.fields[at].name, strings.Join(list, ",")))
		}
	}
	s.m.Subject, s.m.Reply = strings.Join(subject, " and "), strings.Join(body, " and ")
	s.m.Text = s.m.Reply
	if len(subject) > 0 {
		says = append(says, fmt.Sprintf("subject=%q", s.m.Subject))
	}
	if len(body) > 0 {
		says = append(says, fmt.Sprintf("text=%q", s.m.Reply))
	}
	if len(says) == 0 {
		says = []string{"any mail"}
	}
	return s, strings.Join(says, " ")
}

// certain reports whether the world says more of a field than every world does.
func (w *world) certain(at slot) bool {
	p, start := w.fields[at], w.theory.start.fields[at]
	return p.under != "" || p.span != start.span || p.missing != start.missing || len(p.in) != len(start.in)
}

// picks takes a row of each table, so that fields which hang together fit each other.
func (w *world) picks() map[slot]string {
	values := map[slot]string{}
	for i := range w.theory.links {
		l := &w.theory.links[i]
		if l.open && w.outside(l) {
			for _, at := range l.slots[1:] {
				values[at] = ""
			}
			continue
		}
		for _, row := range w.rows(l) {
			for i, at := range l.slots {
				values[at] = row[i]
			}
			break
		}
	}
	return values
}

// value picks what a field is; ok is false when it is missing.
func (w *world) value(at slot) (string, bool) {
	p := w.fields[at]
	switch {
	case !p.present || p.missing:
		return "", false
	case p.in != nil:
		for _, v := range p.in {
			if p.can(v) {
				return v, true
			}
		}
		return "", false
	case p.under != "":
		return "someone@" + p.under, true
	}
	for i := 0; ; i++ {
		v := fmt.Sprintf("x%d", i)
		if w.theory.fields[at].kind == FieldAddress {
			v += "@example.org"
		}
		if !slices.Contains(p.out, v) {
			return v, true
		}
	}
}

// number picks a number of the range that a field can be in.
func (w *world) number(at slot) float64 {
	r := w.fields[at].span
	switch {
	case r.low == -infinity && r.high == infinity:
		return 0
	case r.low == -infinity:
		if r.highOpen {
			return r.high - 1
		}
		return r.high
	case r.high == infinity:
		if r.lowOpen {
			return r.low + 1
		}
		return r.low
	}
	return (r.low + r.high) / 2
}

// matching makes a short text that a regex may match: the first of every choice, the fewest of every repetition. What
// looks around, such as \b, is not heeded.
func matching(source string) string {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	write(&b, re.Simplify())
	return b.String()
}

func write(b *strings.Builder, re *syntax.Regexp) {
	if b.Len() > 1000 {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(printable(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			write(b, sub)
		}
	case syntax.OpCapture, syntax.OpPlus, syntax.OpAlternate:
		write(b, re.Sub[0])
	case syntax.OpRepeat:
		for range re.Min {
			write(b, re.Sub[0])
		}
	}
}

// printable picks a character of a class, a letter or digit if it has one.
func printable(ranges []rune) rune {
	for _, want := range "a0A- " {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= want && want <= ranges[i+1] {
				return want
			}
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1] && r < ranges[i]+100; r++ {
			if r > ' ' && r != 0x7F {
				return r
			}
		}
	}
	return ' '
}
