package classify

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// template is a text with {{.name}} in it, where name is a named group of a regex or a field.
type template struct {
	parts []templatePart
}

type templatePart struct {
	text string // as it is, when name is ""
	name string
	slot slot // -1 for a named group
}

var hole = regexp.MustCompile(`\{\{-?\s*\.([A-Za-z_][A-Za-z0-9_.]*)\s*-?\}\}`)

// template compiles a text. Named groups come from when; fields have to be decided before a phase.
func (cp *compiler) template(source string, when *node, before phase, path string) template {
	var t template
	groups := map[string]bool{}
	if when != nil {
		when.walk(func(n *node) {
			if n.op == opRegex {
				for _, g := range n.pat.groups {
					groups[g] = true
				}
			}
		})
	}
	rest := source
	for {
		at := hole.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		name := rest[at[2]:at[3]]
		p := templatePart{name: name, slot: -1}
		if !groups[name] {
			field, ok := cp.names[strings.ToLower(name)]
			switch {
			case !ok:
				cp.lint("E12", path, "{{.%s}} is neither a named group of a regex in when nor a field", name)
			case cp.fields[field].phase >= before:
				cp.lint("E08", path, "{{.%s}} is decided later, in %s", name, cp.fields[field].phase)
			default:
				p.slot = field
			}
		}
		t.parts = append(t.parts, templatePart{text: rest[:at[0]]}, p)
		rest = rest[at[1]:]
	}
	if strings.Contains(rest, "{{") {
		cp.lint("E12", path, "%s", fmt.Sprintf("%q is not of the form {{.name}}", rest[strings.Index(rest, "{{"):]))
	}
	t.parts = append(t.parts, templatePart{text: rest})
	return t
}

// unused reports named groups of a condition that a template leaves unused: a slip in one of the two names.
func (cp *compiler) unused(when *node, t template, path string) {
	if when == nil {
		return
	}
	when.walk(func(n *node) {
		if n.op != opRegex {
			return
		}
		for _, g := range n.pat.groups {
			if !slices.ContainsFunc(t.parts, func(p templatePart) bool { return p.name == g && p.slot < 0 }) {
				cp.lint("E12", path, "the named group %q of the regex is used by nothing; write {{.%s}} where it belongs, or (?:…) instead", g, g)
			}
		}
	})
}

// fill returns the text; a missing value leaves nothing behind.
func (t template) fill(s *state) string {
	if len(t.parts) == 1 {
		return t.parts[0].text
	}
	var b strings.Builder
	for _, p := range t.parts {
		switch {
		case p.name == "":
			b.WriteString(p.text)
		case p.slot < 0:
			b.WriteString(s.captures[p.name])
		default:
			b.WriteString(s.values[p.slot].text)
		}
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	if len(text) > maxFilled {
		text = strings.ToValidUTF8(text[:maxFilled], "")
	}
	return text
}

// maxFilled bounds what comes of a template, in octets.
const maxFilled = 500
