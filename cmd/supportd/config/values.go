package config

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (o *opt[T]) read(d *decoder, n *yaml.Node, at place, tag reflect.StructTag) {
	o.at = at
	if v, ok := d.scalar(n, at, tag); ok {
		o.val, o.given = v.(T), true
		return
	}
	o.absent(d, at, tag)
	o.given = true // something stands there: no further finding is to say that it is missing
}

func (o *opt[T]) absent(_ *decoder, at place, tag reflect.StructTag) {
	o.at = at
	if def := tag.Get("default"); def != "" {
		v, err := kinds[tag.Get("kind")].parse(def)
		if err != nil {
			panic("default of " + at.path + ": " + err.Error()) // the key table itself is wrong; a test reads all of it
		}
		o.val = v.(T)
	}
}

func (m *many[T]) read(d *decoder, n *yaml.Node, at place, tag reflect.StructTag) {
	m.at, m.given = at, true
	kind := kinds[tag.Get("kind")]
	n, ok := d.enter(n, at)
	if !ok {
		return
	}
	if n.Kind != yaml.SequenceNode {
		if tag.Get("one") != "" && n.Kind == yaml.ScalarNode {
			if v, ok := d.scalar(n, at, tag); ok {
				m.items = []opt[T]{{at: at, given: true, val: v.(T)}}
			}
			return
		}
		d.unread(at, "", "wants a list of %s, got %s", kind.plural, describe(n))
		return
	}
	if len(n.Content) == 0 {
		d.report("", at, "name at least one or delete the key", "is an empty list")
	}
	for i, item := range n.Content {
		iat := at.item(i, item)
		if v, ok := d.scalar(item, iat, tag); ok {
			m.items = append(m.items, opt[T]{at: iat, given: true, val: v.(T)})
		}
	}
}

func (m *many[T]) absent(_ *decoder, at place, _ reflect.StructTag) { m.at = at }

func (l *list[T]) read(d *decoder, n *yaml.Node, at place, tag reflect.StructTag) {
	l.at, l.given = at, true
	n, ok := d.enter(n, at)
	if !ok {
		return
	}
	if tag.Get("one") != "" && n.Kind == yaml.MappingNode {
		var keys T
		d.structure(n, at, reflect.ValueOf(&keys).Elem())
		l.items = []T{keys}
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.unread(at, "begin each with a dash", "wants a list, got %s", describe(n))
		return
	}
	if len(n.Content) == 0 {
		d.report("", at, "name at least one or delete the key", "is an empty list")
	}
	for i, item := range n.Content {
		iat := at.item(i, item)
		var keys T
		d.structure(item, iat, reflect.ValueOf(&keys).Elem())
		l.items = append(l.items, keys)
		if d.stopped {
			return
		}
	}
}

func (l *list[T]) absent(_ *decoder, at place, _ reflect.StructTag) { l.at = at }

func (b *boxed[T]) read(d *decoder, n *yaml.Node, at place, _ reflect.StructTag) {
	b.at, b.given, b.keys = at, true, new(T)
	d.structure(n, at, reflect.ValueOf(b.keys).Elem())
}

func (b *boxed[T]) absent(_ *decoder, at place, _ reflect.StructTag) { b.at = at }

func (m *named[T]) read(d *decoder, n *yaml.Node, at place, _ reflect.StructTag) {
	m.at, m.given = at, true
	seen := map[string]string{}
	d.mapping(n, at, "a map of names", func(name string, kat place, kn *yaml.Node) {
		if !isName(name) {
			d.report("", kat, "use letters, digits, dots and dashes, and begin with a letter or digit", "%q cannot be a name", clip(name))
			return
		}
		if other, twice := seen[strings.ToLower(name)]; twice {
			d.report("E02", kat, "give them names that differ in more than case", "looks like %q", other)
			return
		}
		seen[strings.ToLower(name)] = name
		e := entry[T]{name: name, at: kat}
		d.field(kn, kat, reflect.ValueOf(&e.keys).Elem(), "")
		m.entries = append(m.entries, e)
	})
	if len(m.entries) == 0 && d.findingsBelow(at) == 0 {
		d.report("", at, "name at least one", "is empty")
	}
}

func (m *named[T]) absent(_ *decoder, at place, _ reflect.StructTag) { m.at = at }

// scalar reads a single value of the tag's kind; ok is false when it was reported instead.
func (d *decoder) scalar(n *yaml.Node, at place, tag reflect.StructTag) (v any, ok bool) {
	if n, ok = d.enter(n, at); !ok {
		return nil, false
	}
	k := kinds[tag.Get("kind")]
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.report("", at, "", "wants %s, got %s", k.wants, describe(n))
		return nil, false
	}
	if tag.Get("kind") == "enum" {
		return d.enum(n, at, strings.Fields(tag.Get("values")))
	}
	if !k.takes(n) {
		fix := ""
		if k.quote {
			fix = "if it is meant, write it in quotes: \"" + clip(n.Value) + "\""
		}
		d.report("", at, fix, "wants %s, got %s", k.wants, describe(n))
		return nil, false
	}
	v, err := k.parse(n.Value)
	if err != nil {
		f, isFault := err.(*fault)
		if !isFault {
			f = &fault{what: err.Error()}
		}
		d.report(f.code, at, f.fix, "%s", f.what)
		return nil, false
	}
	for _, bound := range []string{"min", "max"} {
		limit := tag.Get(bound)
		if limit == "" {
			continue
		}
		lv, err := k.parse(limit)
		if err != nil {
			panic("bound of " + at.path + ": " + err.Error()) // the key table itself is wrong; a test reads all of it
		}
		if c := compare(v, lv); bound == "min" && c < 0 || bound == "max" && c > 0 {
			word := map[string]string{"min": "at least", "max": "at most"}[bound]
			d.report("", at, "", "wants %s %s, got %s", word, limit, clip(n.Value))
			return nil, false
		}
	}
	return v, true
}

func (d *decoder) enum(n *yaml.Node, at place, values []string) (any, bool) {
	for _, v := range values {
		if n.Value == v && n.ShortTag() == "!!str" {
			return v, true
		}
	}
	fix := ""
	if near := nearest(n.Value, values); near != "" {
		fix = "did you mean \"" + near + "\"?"
	}
	d.report("", at, fix, "wants %s, got %s", orList(values), describe(n))
	return nil, false
}

// orList is "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
