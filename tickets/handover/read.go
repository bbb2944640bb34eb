package handover

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Read takes an agent's lines for the fields of the form: lines such as "reason: knowledge", list items for the list that
// is named above them or missing, the number of one of the items offered, and, when one thing only is missing, the whole
// text for that. gaps is what is missing, items are the configuration items offered, from 1. It returns what it
// understood, by field, and the lines that it did not.
func (r Rules) Read(text string, gaps []Gap, items []string, known Known) (Packet, string) {
	in := reader{rules: r, gaps: gaps, offered: items, known: known, got: Packet{}}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		in.line(line)
	}
	rest := strings.TrimSpace(strings.Join(in.rest, "\n"))
	if len(in.got) == 0 && rest != "" && len(gaps) == 1 {
		if f, ok := r.Field(gaps[0].Field); ok {
			for _, line := range in.rest {
				in.put(f, line)
			}
			rest = ""
		}
	}
	return in.got, rest
}

type reader struct {
	rules   Rules
	gaps    []Gap
	offered []string
	known   Known
	got     Packet
	current *Field // whose value goes on
	rest    []string
}

// gapMark stands before the lines of the form that are to be filled in; clients put their own marks of quoting before it.
const gapMark = ">>>"

var (
	listItem   = regexp.MustCompile(`^(?:[-*•–]|\d{1,2}[.)])\s+(.+)$`)
	bareNumber = regexp.MustCompile(`^#?(\d{1,2})[.)]?$`)
	labelled   = regexp.MustCompile(`^([\p{L}][\p{L}\p{N}_ /-]{0,30}?)\s*:\s*(.*)$`)
	nextLabel  = regexp.MustCompile(`\s{2,}([\p{L}][\p{L}\p{N}_-]{1,30}):\s`)
)

// line reads one line. A quoted line is the form's own, unless it is one that was to be filled in.
func (in *reader) line(line string) {
	if line = strings.TrimSpace(line); line == "|" {
		return // an empty line within a value
	}
	line = strings.TrimSpace(strings.TrimPrefix(line, "| ")) // the form's mark of a value that goes on
	if strings.HasPrefix(line, ">") {
		_, filled, ok := strings.Cut(line, gapMark)
		if line = strings.TrimSpace(filled); !ok {
			in.current = nil
			return
		}
	}
	if blankForm(line) {
		in.current = nil
		if line == "" && len(in.rest) > 0 {
			in.rest = append(in.rest, "")
		}
		return
	}
	if in.label(line) {
		return
	}
	if m := listItem.FindStringSubmatch(line); m != nil {
		if f, ok := in.list(); ok {
			in.put(f, m[1])
			return
		}
	}
	if in.current != nil {
		in.put(*in.current, line)
		return
	}
	if !in.alone(line) {
		in.rest = append(in.rest, line)
	}
}

// blankForm reports whether a line says nothing: empty, or the form's own dots.
func blankForm(line string) bool {
	return strings.Trim(line, "-–>…. \t") == "" || strings.HasPrefix(strings.TrimLeft(line, "- "), "… ->")
}

// label reads "field: value", also several of them on one line, two blanks apart.
func (in *reader) label(line string) bool {
	m := labelled.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	f, ok := in.rules.named(m[1])
	if !ok {
		return false
	}
	value := m[2]
	for _, at := range nextLabel.FindAllStringSubmatchIndex(value, -1) {
		if _, another := in.rules.named(value[at[2]:at[3]]); another {
			in.label(strings.TrimSpace(value[at[0]:]))
			value = value[:at[0]]
			break
		}
	}
	in.current = &f
	if value = strings.TrimSpace(value); !blankForm(value) {
		if m := listItem.FindStringSubmatch(value); m != nil && f.List() {
			value = m[1]
		}
		in.put(f, value)
		if len(f.OneOf) > 0 || f.In != "" {
			in.current = nil // it has its one value
		}
	}
	return true
}

// list is the list that an item belongs to: the one named above it, or the first that is missing.
func (in *reader) list() (Field, bool) {
	if in.current != nil && in.current.List() {
		return *in.current, true
	}
	for _, g := range in.gaps {
		if f, ok := in.rules.Field(g.Field); ok && f.List() {
			return f, true
		}
	}
	return Field{}, false
}

// put adds a value to what was understood.
func (in *reader) put(f Field, s string) {
	s = strings.TrimSpace(s)
	v := in.got[f.Name]
	if e, ok := f.escaped(s); ok && v.IsZero() {
		in.got[f.Name] = e
		return
	}
	switch {
	case s == "":
	case f.List():
		if m := listItem.FindStringSubmatch(s); m != nil {
			s = m[1]
		}
		v.Items = append(v.Items, s)
	case len(f.OneOf) > 0:
		if word, ok := f.choose(strings.Trim(s, ".")); ok {
			s = word
		} else if word, _ := in.rules.Choose(f.Name, s); word != "" {
			s = word
		}
		v.Text = s
	case f.In == InCMDB:
		v.Text = in.item(s)
	case v.Text != "":
		v.Text += "\n" + s
	default:
		v.Text = s
	}
	if !v.IsZero() {
		in.got[f.Name] = v
	}
}

// item is the configuration item that is meant by a number of those offered, or by its name, also within a sentence.
func (in *reader) item(s string) string {
	if m := bareNumber.FindStringSubmatch(s); m != nil {
		if n, _ := strconv.Atoi(m[1]); n >= 1 && n <= len(in.offered) {
			return in.offered[n-1]
		}
	}
	if in.known == nil {
		return s
	}
	if id, ok := in.known(s); ok {
		return id
	}
	for word := range strings.FieldsSeq(s) {
		if id, ok := in.known(strings.Trim(word, ".,;:()\"'")); ok {
			return id
		}
	}
	return s
}

// alone reads a line that no label introduces and that can mean one missing field only: a number of the items offered, an
// item's name, or a word that one field allows.
func (in *reader) alone(line string) bool {
	for _, g := range in.gaps {
		f, ok := in.rules.Field(g.Field)
		if !ok || !in.got[f.Name].IsZero() {
			continue
		}
		if f.In == InCMDB && in.offersItem(line) {
			in.put(f, line)
			return true
		}
		if _, ok := f.choose(strings.Trim(line, ".")); ok && !slices.ContainsFunc(in.gaps, func(o Gap) bool { return in.alsoAllows(o, f, line) }) {
			in.put(f, line)
			return true
		}
	}
	return false
}

func (in *reader) offersItem(line string) bool {
	if m := bareNumber.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n >= 1 && n <= len(in.offered)
	}
	if in.known == nil {
		return false
	}
	_, ok := in.known(line)
	return ok
}

// alsoAllows reports whether another missing field allows the word too: then nobody knows which one is meant.
func (in *reader) alsoAllows(g Gap, than Field, line string) bool {
	f, ok := in.rules.Field(g.Field)
	if !ok || f.Name == than.Name || !in.got[f.Name].IsZero() {
		return false
	}
	_, ok = f.choose(strings.Trim(line, "."))
	return ok
}
