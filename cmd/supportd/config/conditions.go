package config

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"supportd/classify"
)

// Conditions may look at every field that the classifier knows: the keys for them are not in the key table but in the
// classifier's.

// headerPrefix begins the names of header fields in conditions.
const headerPrefix = "header."

// fieldTest is what a condition wants of one field.
type fieldTest struct {
	at     place
	field  classify.Field
	values []opt[string]
	long   fieldTestKeys
}

// fieldTests are what a condition wants of fields.
type fieldTests struct{ tests []fieldTest }

// fieldNamed finds a field of the classifier.
func fieldNamed(name string) (classify.Field, bool) {
	if rest, ok := strings.CutPrefix(name, headerPrefix); ok && isHeaderName(rest) {
		return classify.Field{Name: name, Kind: classify.FieldText, Many: true}, true
	}
	for _, f := range classify.Fields() {
		if f.Name == name {
			return f, true
		}
	}
	return classify.Field{}, false
}

// isHeaderName checks the name of a header field (RFC 5322 §3.6.8).
func isHeaderName(s string) bool {
	return s != "" && len(s) <= 60 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })
}

func (*fieldTests) names() []string {
	var names []string
	for _, f := range classify.Fields() {
		names = append(names, f.Name)
	}
	return names
}

// take reads field: value, field: [values] and field: {the long form}.
func (f *fieldTests) take(d *decoder, n *yaml.Node, at place, name string) bool {
	switch name {
	case "domain", "address", "exists":
		d.report("E01", at, "write from: {"+name+": …}", "belongs below the field that it is about")
		return true
	}
	field, ok := fieldNamed(name)
	if !ok {
		prefix := name + "."
		if i := slices.IndexFunc(f.names(), func(s string) bool { return strings.HasPrefix(s, prefix) }); i >= 0 {
			d.report("E01", at, "write one key with a dot, such as "+f.names()[i], "is a group of fields")
			return true
		}
		return false
	}
	t := fieldTest{at: at, field: field}
	n, ok = d.enter(n, at)
	switch {
	case !ok:
		return true
	case isNull(n):
		d.unread(at, "give it a value or delete the key", "has no value")
		return true
	case n.Kind == yaml.MappingNode:
		d.structure(n, at, reflect.ValueOf(&t.long).Elem())
		d.longForm(&t)
	case n.Kind == yaml.SequenceNode:
		if len(n.Content) == 0 {
			d.report("", at, "name at least one or delete the key", "is an empty list")
		}
		for i, item := range n.Content {
			iat := at.item(i, item)
			if item, ok := d.enter(item, iat); ok {
				t.add(d, item, iat)
			}
		}
	default:
		t.add(d, n, at)
	}
	f.tests = append(f.tests, t)
	return true
}

// comparison is what a number is compared with.
var comparison = regexp.MustCompile(comparisonPattern)

const comparisonPattern = `^(>=|<=|>|<|=)? ?-?\d{1,12}(\.\d{1,6})?$`

// add takes one value, which has to be of the field's kind.
func (t *fieldTest) add(d *decoder, n *yaml.Node, at place) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.report("", at, "", "wants one value or a list of them, got %s", describe(n))
		return
	}
	text := n.Value
	switch t.field.Kind {
	case classify.FieldYesNo:
		if n.ShortTag() != "!!bool" {
			d.report("", at, "", "wants true or false, got %s", describe(n))
			return
		}
	case classify.FieldNumber:
		if !comparison.MatchString(text) {
			d.report("", at, "", "wants a number or a comparison such as \">=6\", got %s", describe(n))
			return
		}
	case classify.FieldAddress:
		a, err := parseAddress(text)
		if err != nil {
			fix := "write name@domain"
			if _, err := parseDomain(text); err == nil {
				fix = "write {domain: " + text + "} for all of a domain"
			}
			d.report("", at, fix, "%q is not a mail address", clip(text))
			return
		}
		text = bare(a)
	default:
		if _, err := parseText(text); err != nil {
			d.report("", at, "write {exists: false} for a field that is missing", "%s", err)
			return
		}
	}
	t.values = append(t.values, opt[string]{at: at, given: true, val: text})
}

// longForm refuses what the long form asks of a field that has no such thing.
func (d *decoder) longForm(t *fieldTest) {
	k := t.long
	before := d.findingsBelow(t.at)
	for _, key := range []struct {
		at    place
		given bool
		kind  classify.FieldKind
	}{{k.Domain.at, k.Domain.given, classify.FieldAddress}, {k.Address.at, k.Address.given, classify.FieldAddress},
		{k.Words.at, k.Words.given, classify.FieldText}, {k.Contains.at, k.Contains.given, classify.FieldText},
		{k.Regex.at, k.Regex.given, classify.FieldText}} {
		if key.given && key.kind != t.field.Kind {
			d.report("", key.at, "write "+t.field.Name+": VALUE, or {exists: true}", "%s is no %s", t.field.Name, map[classify.FieldKind]string{classify.FieldAddress: "address", classify.FieldText: "text"}[key.kind])
		}
	}
	if !k.Domain.given && !k.Address.given && !k.Words.given && !k.Contains.given && !k.Regex.given && !k.Exists.given && before == d.findingsBelow(t.at) && before == 0 {
		d.report("", t.at, "write exists: true, or the value itself", "is empty and says nothing")
	}
}

// vocabulary are the words of fields that can hold no others.
func vocabulary(field string) []string {
	words := map[string]string{
		"impact": levels, "urgency": levels, "priority": "P1 P2 P3 P4 P5", "kind": "incident service_request",
		"sender_kind": "human auto_reply bounce feedback_report list monitoring report own", "mail.importance": levelsOfMail,
		"mail.alert_state": "problem recovery", "auth": "pass fail none",
	}
	return strings.Fields(words[field])
}

const levelsOfMail = "high normal low"

// match settles a condition. It is nil when there is none.
func (r *resolver) match(k *conditionKeys) *classify.Match {
	if !k.given {
		return nil
	}
	m := &classify.Match{Text: r.text(k.at, k.textMatchKeys), Subject: r.scoped(k.Subject), Body: r.scoped(k.Body), Expr: k.Expr.val}
	for i := range k.Any.items {
		m.Any = append(m.Any, *r.match(&k.Any.items[i]))
	}
	for i := range k.All.items {
		m.All = append(m.All, *r.match(&k.All.items[i]))
	}
	if k.Not.keys != nil {
		m.Not = r.match(k.Not.keys)
	}
	for _, t := range k.Fields.tests {
		r.known(t)
		f := classify.FieldMatch{Field: t.field.Name, Text: r.text(t.at, t.long.textMatchKeys)}
		for _, v := range t.values {
			f.Values = append(f.Values, v.val)
		}
		f.Domain = t.long.Domain.vals()
		for _, a := range t.long.Address.vals() {
			f.Address = append(f.Address, bare(a))
		}
		if t.long.Exists.given {
			f.Exists = &t.long.Exists.val
		}
		m.Fields = append(m.Fields, f)
	}
	if k.Problem.given {
		m.All = append(m.All, classify.Match{Expr: "false"})
	}
	if empty(m) && r.findingsBelow(k.at) == 0 {
		r.report("", k.at, "write words: [WORD], subject: {words: [WORD]}, mailbox: NAME or the like", "is empty and would say nothing about a mail")
	}
	return m
}

// empty reports whether a condition asks for nothing.
func empty(m *classify.Match) bool { return reflect.DeepEqual(*m, classify.Match{}) }

func (r *resolver) scoped(k scopedMatchKeys) classify.Text {
	t := r.text(k.at, k.textMatchKeys)
	if k.given && reflect.DeepEqual(t, classify.Text{}) && r.findingsBelow(k.at) == 0 {
		r.report("", k.at, "write words: [WORD] in it", "is empty and says nothing")
	}
	return t
}

// text settles what a text has to contain. Several regular expressions become one.
func (r *resolver) text(at place, k textMatchKeys) classify.Text {
	t := classify.Text{Words: k.Words.vals(), Contains: k.Contains.vals()}
	var all []string
	for _, re := range k.Regex.vals() {
		all = append(all, re.String())
	}
	if len(all) == 1 {
		t.Regex = all[0]
	} else if len(all) > 1 {
		t.Regex = "(?:" + strings.Join(all, ")|(?:") + ")"
		if _, err := parseRegex(t.Regex); err != nil {
			r.report("E12", at.key("regex"), "write them as any: [{regex: …}, {regex: …}]", "together these %s", strings.TrimPrefix(err.Error(), "is "))
		}
	}
	return t
}

// known checks the values of a field against what there is.
func (r *resolver) known(t fieldTest) {
	names, all := r.namesOf(t.field.Name)
	if !all && len(names) == 0 {
		return
	}
	for _, v := range t.values {
		if slices.ContainsFunc(names, func(s string) bool { return strings.EqualFold(s, v.val) }) {
			continue
		}
		if words := vocabulary(t.field.Name); len(words) > 0 {
			r.report("", v.at, suggest(v.val, words), "wants %s, got %q", orList(words), clip(v.val))
		} else if all {
			r.report("E03", v.at, didYouMean(v.val, names), "there is no %s %q", thing(t.field.Name), clip(v.val))
		} else {
			r.warn("W27", v.at, didYouMean(v.val, names), "no %s has %s %q, so this never matches", tableOf(t.field.Name), thing(t.field.Name), clip(v.val))
		}
	}
}

// suggest is the nearest word, for a message that lists them all.
func suggest(word string, words []string) string {
	if near := nearest(word, words); near != "" {
		return "did you mean \"" + near + "\"?"
	}
	return ""
}

// thing is what a field holds, for messages.
func thing(field string) string {
	switch field {
	case "team", "person.team", "ci.owner_team":
		return "team"
	case "brand", "customer.brand":
		return "brand"
	case "ci":
		return "configuration item"
	case "person.id":
		return "person"
	}
	_, last, dotted := strings.Cut(field, ".")
	if !dotted {
		last = field
	}
	return strings.ReplaceAll(last, "_", " ")
}

// tableOf is the rows in which a field's values stand, for messages.
func tableOf(field string) string {
	switch {
	case strings.HasPrefix(field, "customer.") || field == "service_level":
		return "customer"
	case strings.HasPrefix(field, "person."):
		return "person"
	}
	return "configuration item"
}

// namesOf lists the values that a field can have. all says that there can be no others; else they are those that stand
// in a table today.
func (r *resolver) namesOf(field string) (names []string, all bool) {
	c := r.cfg
	if words := vocabulary(field); len(words) > 0 {
		return words, true
	}
	switch field {
	case "mailbox":
		return namesIn(c.Mailboxes, func(m Mailbox) string { return m.Name }), true
	case "brand", "customer.brand":
		return namesIn(c.Brands, func(b Brand) string { return b.Name }), true
	case "team", "person.team", "ci.owner_team":
		return namesIn(c.Teams, func(t Team) string { return t.Name }), true
	case "category":
		return namesIn(c.Categories, func(k classify.Category) string { return k.Name }), true
	case "language":
		return c.Languages, true
	case "route":
		return routeNames(c.Routes), true
	}
	return r.inTables(field), field == "ci" && len(c.CMDB) > 0
}

// inTables lists the values of a column.
func (r *resolver) inTables(field string) []string {
	c := r.cfg
	customer := map[string]func(classify.Customer) string{
		"customer.organisation": func(k classify.Customer) string { return k.Organisation },
		"customer.region":       func(k classify.Customer) string { return k.Region },
		"service_level":         func(k classify.Customer) string { return k.ServiceLevel },
	}
	item := map[string]func(classify.CI) string{
		"ci": func(i classify.CI) string { return i.ID }, "ci.name": func(i classify.CI) string { return i.Name },
		"ci.service": func(i classify.CI) string { return i.Service }, "service": func(i classify.CI) string { return i.Service },
		"ci.criticality": func(i classify.CI) string { return i.Criticality }, "ci.vendor": func(i classify.CI) string { return i.Vendor },
		"ci.location": func(i classify.CI) string { return i.Location },
	}
	person := map[string]func(classify.Person) string{
		"person.id": func(p classify.Person) string { return p.ID }, "person.role": func(p classify.Person) string { return p.Role },
	}
	var names []string
	switch {
	case customer[field] != nil:
		names = namesIn(c.Customers, customer[field])
	case item[field] != nil:
		names = namesIn(c.CMDB, item[field])
		if field == "ci" && len(names) > 0 {
			names = append(names, unknownCI)
		}
	case person[field] != nil:
		names = namesIn(c.People, person[field])
	}
	return names
}

// namesIn collects a text of each item, once, without empty ones.
func namesIn[T any](items []T, name func(T) string) []string {
	var names []string
	seen := map[string]bool{"": true}
	for _, it := range items {
		if n := name(it); !seen[n] {
			seen[n] = true
			names = append(names, n)
		}
	}
	return names
}

func routeNames(root classify.Route) []string {
	names := []string{root.Name}
	for _, child := range root.Routes {
		names = append(names, routeNames(child)...)
	}
	return names
}

// captures lists the named groups of a condition's regular expressions.
func captures(k *conditionKeys) map[string]place {
	all := map[string]place{}
	note := func(t textMatchKeys) {
		for _, re := range t.Regex.items {
			if re.val == nil {
				continue
			}
			for _, name := range re.val.SubexpNames() {
				if name != "" {
					all[name] = re.at
				}
			}
		}
	}
	note(k.textMatchKeys)
	note(k.Subject.textMatchKeys)
	note(k.Body.textMatchKeys)
	for _, t := range k.Fields.tests {
		note(t.long.textMatchKeys)
	}
	for _, inner := range [][]conditionKeys{k.Any.items, k.All.items} {
		for i := range inner {
			for name, at := range captures(&inner[i]) {
				all[name] = at
			}
		}
	}
	return all
}

// labelsKeys are a name by language.
type labelsKeys struct {
	at     place
	given  bool
	labels map[string]string
}

func (k *labelsKeys) read(d *decoder, n *yaml.Node, at place, _ reflect.StructTag) {
	k.at, k.given, k.labels = at, true, map[string]string{}
	d.mapping(n, at, "names by language such as {de: Drucker, en: Printer}", func(name string, kat place, kn *yaml.Node) {
		if _, err := parseLanguage(name); err != nil {
			d.report("", kat, "write such as de", "%q is not a language code", clip(name))
			return
		}
		if v, ok := d.scalar(kn, kat, `kind:"text"`); ok {
			k.labels[name] = v.(string)
		}
	})
}

func (k *labelsKeys) absent(_ *decoder, at place, _ reflect.StructTag) { k.at = at }

// weightsKeys are words and what they weigh.
type weightsKeys struct {
	at      place
	given   bool
	weights map[string]float64
}

// maxWeight bounds what a word can weigh.
const maxWeight = 100

func (k *weightsKeys) read(d *decoder, n *yaml.Node, at place, _ reflect.StructTag) {
	k.at, k.given, k.weights = at, true, map[string]float64{}
	d.mapping(n, at, "words with their weights such as {vpn: 4, tunnel: 1}", func(name string, kat place, kn *yaml.Node) {
		if _, err := parseText(name); err != nil {
			d.report("", kat, "write a word", "%s", err)
			return
		}
		v, ok := d.scalar(kn, kat, `kind:"number"`)
		if !ok {
			return
		}
		if w := v.(float64); w == 0 || math.Abs(w) > maxWeight {
			d.report("", kat, "", "a weight is a number from -100 to 100, and not 0, got %v", w)
			return
		}
		k.weights[name] = v.(float64)
	})
}

func (k *weightsKeys) absent(_ *decoder, at place, _ reflect.StructTag) { k.at = at }
