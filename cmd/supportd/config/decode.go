package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Bounds on what a file may make the decoder do (S-118). Values are counted after aliases are followed, which is what
// an alias bomb multiplies: beyond those that the file itself holds there may be maxAliased.
const (
	maxAliased  = 5_000
	maxFindings = 200
	maxWarnings = 100 // of the findings; they must not crowd out errors
	maxPath     = 120
	maxDepth    = 1000 // octets of a path
)

// place is where a key or value stands.
type place struct {
	path string
	line int
	col  int
	file string // "" for the configuration file itself, else a table that it names
}

// key is the place of a key below p that is not there: p's own line and column.
func (p place) key(name string) place {
	if p.path != "" {
		name = p.path + "." + name
	}
	return place{path: name, line: p.line, col: p.col}
}

// item is the place of the i-th item of a list at p.
func (p place) item(i int, n *yaml.Node) place {
	return place{path: p.path + "[" + strconv.Itoa(i) + "]", line: n.Line, col: n.Column}
}

// under reports whether p stands at that path or below it.
func (p place) under(path string) bool {
	rest, ok := strings.CutPrefix(p.path, path)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// section is embedded by every struct of the key table: where it stands, and whether it was given.
type section struct {
	at    place
	given bool
}

func (s *section) mark(at place, given bool) { s.at, s.given = at, given }

// opt is a single value. Absent ones carry their default, if they have one, and the place of the section around them.
type opt[T any] struct {
	at    place
	given bool
	val   T
}

// many is a list of single values.
type many[T any] struct {
	at    place
	given bool
	items []opt[T]
}

// vals are the bare values.
func (m many[T]) vals() []T {
	var vs []T
	for _, it := range m.items {
		vs = append(vs, it.val)
	}
	return vs
}

// list is a list of sections.
type list[T any] struct {
	at    place
	given bool
	items []T
}

// entry is one section of a named, with the name it has there.
type entry[T any] struct {
	name string
	at   place
	keys T
}

// named is a map of sections whose names the admin chooses, in the order of the file.
type named[T any] struct {
	at      place
	given   bool
	entries []entry[T]
}

// boxed is a section that may hold its own kind.
type boxed[T any] struct {
	at    place
	given bool
	keys  *T
}

// value is what a key of the table can hold. read takes what is given, absent the default.
type value interface {
	read(d *decoder, n *yaml.Node, at place, tag reflect.StructTag)
	absent(d *decoder, at place, tag reflect.StructTag)
}

// decoder fills the key table from YAML nodes and reports everything that does not fit.
type decoder struct {
	name     string   // of the file
	included []string // the further files, as findings name them
	findings Findings
	broken   []string // paths of what could not be read at all: nothing more is said about them
	fields   map[reflect.Type]sectionKeys
	warnings int                 // how many there are, also those that are not told
	homes    map[string][]string // paths of keys by their name; nil until somebody asks
	values   int
	limit    int
	stopped  bool
}

// sectionKeys is what the table says about a section.
type sectionKeys struct {
	fields  []field
	scalars []string
	open    []int // index of the field that takes all other keys; nil for none
}

// open takes keys that the table does not name. It reports false for those that it does not know either.
type open interface {
	take(d *decoder, n *yaml.Node, at place, name string) bool
	names() []string
}

// keys is what the table says about a section, remembered.
func (d *decoder) keys(t reflect.Type) sectionKeys {
	k, ok := d.fields[t]
	if !ok {
		k.fields = keysOf(t)
		for i := range t.NumField() {
			f := t.Field(i)
			k.scalars = append(k.scalars, strings.Fields(f.Tag.Get("scalar"))...)
			if f.Tag.Get("open") != "" {
				k.open = []int{i}
			}
		}
		if d.fields == nil {
			d.fields = map[reflect.Type]sectionKeys{}
		}
		d.fields[t] = k
	}
	return k
}

// count is the number of nodes in a document, aliases not followed.
func count(n *yaml.Node) int {
	total := 1
	for _, c := range n.Content {
		total += count(c)
	}
	return total
}

// report adds a finding, unless there are too many already or it only follows from another one.
func (d *decoder) report(code string, at place, fix, format string, args ...any) {
	if len(d.findings) >= maxFindings {
		d.stopped = true
		return
	}
	if at.path != "" && at.file == "" && slices.ContainsFunc(d.broken, at.under) {
		return
	}
	if r := []rune(at.path); len(r) > maxPath {
		at.path = string(r[:maxPath]) + "..."
	}
	if at = d.inFile(at); at.file == "" {
		at.file = d.name
	}
	d.findings = append(d.findings, Finding{File: at.file, Line: at.line, Col: at.col, Code: code,
		Path: at.path, What: fmt.Sprintf(format, args...), Fix: fix})
}

// unread reports a value that could not be read at all.
func (d *decoder) unread(at place, fix, format string, args ...any) {
	d.report("", at, fix, format, args...)
	d.broken = append(d.broken, at.path)
}

// enter follows aliases and keeps the count of values. ok is false when n is not to be read.
func (d *decoder) enter(n *yaml.Node, at place) (*yaml.Node, bool) {
	d.values++
	if d.stopped {
		return nil, false
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case len(at.path) > maxDepth:
		d.stopped = true
		d.report("", at, "this is hardly a configuration; is the name right?", "the file is nested too deeply")
		return nil, false
	case d.values > d.limit:
		d.stopped = true
		d.report("", at, "write the values out", "the file repeats too much through aliases")
		return nil, false
	case n.Style&yaml.TaggedStyle != 0:
		d.report("", at, "delete it", "the tag %s is not understood here", clip(n.Tag))
		return nil, false
	}
	return n, true
}

// mapping reads the pairs of a map, once the keys are known to be plain texts that stand there only once.
func (d *decoder) mapping(n *yaml.Node, at place, wants string, each func(name string, at place, n *yaml.Node)) {
	n, ok := d.enter(n, at)
	if !ok {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.unread(at, "", "wants %s, got %s", wants, describe(n))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content) && !d.stopped; i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		kat := at.key(clip(k.Value))
		kat.line, kat.col = k.Line, k.Column
		if at.line != 0 && n.Line < at.line && n.Line/fileLines == at.line/fileLines { // reached through an alias: say where it is used
			kat.line, kat.col = at.line, at.col
		}
		switch tag := k.ShortTag(); {
		case k.Kind != yaml.ScalarNode:
			d.report("", kat, "", "wants a word as key, got %s", describe(k))
			continue
		case tag == "!!merge":
			d.report("E01", kat, "write the keys out", "merge keys (<<) are not supported")
			continue
		case k.Value == "" || tag != "!!str":
			fix := "put it in quotes if it is meant"
			if strings.HasPrefix(wants, percentMap) {
				fix = "write such as 75%"
			}
			d.report("", kat, fix, "wants a word as key, got %s", describe(k))
			continue
		}
		if line, twice := first[k.Value]; twice {
			d.report("E02", kat, "keep one of them", "stands here a second time, after %s", d.told(line, kat))
			continue
		}
		first[k.Value] = k.Line
		each(k.Value, kat, v)
	}
}

// structure fills the struct v from n; nil stands for a section that is not there.
func (d *decoder) structure(n *yaml.Node, at place, v reflect.Value) {
	if s, ok := v.Addr().Interface().(interface{ mark(place, bool) }); ok {
		s.mark(at, n != nil)
	}
	keys := d.keys(v.Type())
	seen := map[string]bool{}
	if n != nil {
		d.mapping(n, at, "a map of keys", func(name string, kat place, kn *yaml.Node) {
			i := slices.IndexFunc(keys.fields, func(f field) bool { return f.key == name })
			if i < 0 {
				d.otherKey(name, kn, kat, at, v, keys)
				return
			}
			seen[name] = true
			d.field(kn, kat, v.FieldByIndex(keys.fields[i].index), keys.fields[i].tag)
		})
	}
	for _, f := range keys.fields {
		if seen[f.key] {
			continue
		}
		if n != nil && f.tag.Get("required") != "" && !d.stopped {
			fix := ""
			if ex := f.tag.Get("example"); ex != "" {
				fix = "write " + f.key + ": " + ex
			}
			d.report(f.tag.Get("code"), at.key(f.key), fix, "is missing")
		}
		d.field(nil, at.key(f.key), v.FieldByIndex(f.index), f.tag)
	}
}

// otherKey takes or refuses a key that no field of the section v has.
func (d *decoder) otherKey(name string, n *yaml.Node, kat, at place, v reflect.Value, keys sectionKeys) {
	var more []string
	if keys.open != nil {
		o := v.FieldByIndex(keys.open).Addr().Interface().(open)
		if o.take(d, n, kat, name) {
			return
		}
		more = o.names()
	}
	switch {
	case slices.Contains(keys.scalars, name):
		d.report("E14", kat, "let derive, priorities or routes decide it", "a rule can add tags, watchers, checklists and notices, and set nothing, so that the order of rules cannot matter")
	default:
		fix, meant := "", ""
		if len(d.findings) < maxFindings {
			fix, meant = d.unknownHint(name, keys.fields, more)
		}
		d.report("E01", kat, fix, "unknown key")
		if meant != "" && at.path != "" {
			d.broken = append(d.broken, at.path+"."+meant)
		} else if meant != "" {
			d.broken = append(d.broken, meant)
		}
	}
}

// field reads one key's value, or notes that it is absent when n is nil.
func (d *decoder) field(n *yaml.Node, at place, v reflect.Value, tag reflect.StructTag) {
	if n != nil && isNull(n) {
		d.unread(at, "give it a value or delete the key", "has no value")
		n = nil
	}
	if leaf, ok := v.Addr().Interface().(value); ok {
		if n == nil {
			leaf.absent(d, at, tag)
		} else {
			leaf.read(d, n, at, tag)
		}
		return
	}
	if short := tag.Get("short"); n != nil && short != "" && kindOf(n) != yaml.MappingNode {
		n = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: short, Line: at.line, Column: at.col}, n}}
	}
	d.structure(n, at, v)
}

// kindOf is the kind of n, or of what it is an alias of.
func kindOf(n *yaml.Node) yaml.Kind {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias.Kind
	}
	return n.Kind
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// describe says in plain words what a node is.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map of keys"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!null":
			return "nothing"
		case "!!bool":
			return "the truth value " + clip(n.Value)
		case "!!int", "!!float":
			return "the number " + clip(n.Value)
		case "!!timestamp":
			return "the date " + clip(n.Value)
		}
		return fmt.Sprintf("%q", clip(n.Value))
	}
	return "something else"
}

// clip shortens what is repeated from the file in a message.
func clip(s string) string {
	r := []rune(s)
	if len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}

// field is one key of a section.
type field struct {
	key   string
	index []int
	typ   reflect.Type
	tag   reflect.StructTag
}

// keysOf lists the keys of a struct of the key table, those of embedded structs in their place.
func keysOf(t reflect.Type) (fields []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, in := range keysOf(f.Type) {
				in.index = append([]int{i}, in.index...)
				fields = append(fields, in)
			}
			continue
		}
		if key := f.Tag.Get("key"); key != "" {
			fields = append(fields, field{key: key, index: []int{i}, typ: f.Type, tag: f.Tag})
		}
	}
	return fields
}

// unknownHint says what may have been meant by an unknown key: one of the same section, or the place where a key of
// that very name belongs. meant is the key of the same section, or "".
func (d *decoder) unknownHint(name string, fields []field, more []string) (fix, meant string) {
	names := slices.Clone(more)
	for _, f := range fields {
		names = append(names, f.key)
	}
	if near := nearest(name, names); near != "" {
		return "did you mean \"" + near + "\"?", near
	}
	if d.homes == nil {
		d.homes = map[string][]string{}
		walkKeys(reflect.TypeFor[fileKeys](), "", func(p string, f field) {
			d.homes[f.key] = append(d.homes[f.key], "`"+p+"`")
		})
	}
	if homes := d.homes[name]; len(homes) > 0 {
		return "it belongs to " + strings.Join(homes[:min(2, len(homes))], " or "), ""
	}
	return didYouMean(name, names), ""
}

// walkKeys calls each for every key below t, with its whole path. A section that stands in itself is walked once.
func walkKeys(t reflect.Type, path string, each func(path string, f field)) {
	walkBelow(t, path, []reflect.Type{t}, each)
}

func walkBelow(t reflect.Type, path string, above []reflect.Type, each func(path string, f field)) {
	fields := keysOf(t)
	for _, f := range fields {
		p := strings.TrimPrefix(path+"."+f.key, ".")
		each(p, f)
		if inner, suffix := sectionIn(f.typ); inner != nil && !slices.Contains(above, inner) {
			walkBelow(inner, p+suffix, append(slices.Clone(above), inner), each)
		}
	}
}

// sectionIn finds the struct of the key table that values of t hold, and what stands between their paths.
func sectionIn(t reflect.Type) (inner reflect.Type, suffix string) {
	if e, ok := reflect.New(t).Interface().(interface{ elem() (reflect.Type, string) }); ok {
		t, suffix = e.elem()
	}
	if _, leaf := reflect.New(t).Interface().(value); leaf {
		return nil, ""
	}
	return t, suffix
}

func (*list[T]) elem() (reflect.Type, string)  { return reflect.TypeFor[T](), "[]" }
func (*named[T]) elem() (reflect.Type, string) { return reflect.TypeFor[T](), ".NAME" }
func (*boxed[T]) elem() (reflect.Type, string) { return reflect.TypeFor[T](), "" }
