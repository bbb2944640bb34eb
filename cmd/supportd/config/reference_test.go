package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"supportd/classify"
)

// TestReferenceIsUpToDate holds docs/config.md to the key table. Run with -update to make it anew.
func TestReferenceIsUpToDate(t *testing.T) {
	example, err := os.ReadFile(filepath.Join(testdata, "short.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(example), "version:") // without the comments on where it lies
	hold(t, "../../../docs/config.md", []byte(makeReference("version:"+body)))
}

// TestEveryKeyIsDocumented holds that each key of the table has words, stands in the reference, and stands in an
// example that loads.
func TestEveryKeyIsDocumented(t *testing.T) {
	reference, err := os.ReadFile("../../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, name := range []string{"short.yaml", "smallest.yaml", "loopback.yaml", "oauth.yaml", "full.yaml", "desk.yaml", "promises.yaml", "spam.yaml", "dkim.yaml", "signed.yaml", "warn-retention.yaml", "burst.yaml", "warn-later.yaml", "../nordwind/supportd.yaml"} {
		data, err := os.ReadFile(filepath.Join(testdata, name))
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Load(data, &doc); err != nil {
			t.Fatal(err)
		}
		keysUsed(doc.Content[0], reflect.TypeFor[fileKeys](), used)
	}
	total := 0
	walkKeys(reflect.TypeFor[fileKeys](), "", func(path string, f field) {
		total++
		if f.tag.Get("doc") == "" {
			t.Errorf("%s: has no doc", path)
		}
		if !strings.Contains(string(reference), "| `"+f.key+"` |") {
			t.Errorf("%s: is not in docs/config.md", path)
		}
	})
	for _, s := range sections() {
		for _, f := range keysOf(s.typ) {
			if id := s.typ.Name() + "." + f.key; !used[id] && s.typ != reflect.TypeFor[shortMailboxKeys]() {
				t.Errorf("%s of %s: is in none of the examples", f.key, s.title)
			}
		}
	}
	if total < 80 {
		t.Errorf("walked %d keys, want all of them", total)
	}
}

// keysUsed notes the keys of a file by the struct of the table that they belong to.
func keysUsed(n *yaml.Node, t reflect.Type, used map[string]bool) {
	fields := keysOf(t)
	if n.Kind == yaml.SequenceNode {
		for _, c := range n.Content {
			keysUsed(c, t, used)
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if _, isField := fieldNamed(n.Content[i].Value); isField && t == reflect.TypeFor[conditionKeys]() && n.Content[i+1].Kind == yaml.MappingNode {
			keysUsed(n.Content[i+1], reflect.TypeFor[fieldTestKeys](), used)
		}
		for _, f := range fields {
			if f.key != n.Content[i].Value {
				continue
			}
			used[t.Name()+"."+f.key] = true
			inner, suffix := sectionIn(f.typ)
			below := n.Content[i+1]
			switch {
			case inner == nil || below.Kind == yaml.ScalarNode:
			case suffix == ".NAME":
				for j := 1; j < len(below.Content); j += 2 {
					keysUsed(below.Content[j], inner, used)
				}
			case f.tag.Get("short") != "" && below.Kind == yaml.SequenceNode:
			default:
				keysUsed(below, inner, used)
			}
		}
	}
}

// sectionDoc is one table of the reference.
type sectionDoc struct {
	title string
	typ   reflect.Type
}

// sections lists the structs of the key table, each once, with the first path that leads to it.
func sections() []sectionDoc {
	all := []sectionDoc{{"Top level", reflect.TypeFor[fileKeys]()}}
	walkKeys(reflect.TypeFor[fileKeys](), "", func(path string, f field) {
		inner, suffix := sectionIn(f.typ)
		if inner == nil || slices.ContainsFunc(all, func(s sectionDoc) bool { return s.typ == inner }) {
			return
		}
		all = append(all, sectionDoc{"`" + path + suffix + "`", inner})
	})
	return append(all, sectionDoc{"The long form of a condition on a field", reflect.TypeFor[fieldTestKeys]()})
}

// makeReference writes docs/config.md.
func makeReference(example string) string {
	var b strings.Builder
	b.WriteString("# The configuration file\n\n" +
		"This page is made from the program's own table of keys.\n\n" +
		"One YAML file says everything. `supportd init` writes one, `supportd check` says what is wrong with it, all at once\n" +
		"and with line and column, and `supportd config expand` prints what supportd reads in it, with every default.\n" +
		"Unknown keys are errors. Passwords never stand in it. Editors complete and check it by its first line:\n\n" +
		"```yaml\n# yaml-language-server: $schema=supportd.schema.json\n```\n\n" +
		"## The short form\n\nOne mailbox and one team:\n\n```yaml\n" + example + "```\n\n" +
		"`mailbox` and `from` stand for `mailboxes` and `brands` with one entry each, `team` for `teams`, `hours` and\n" +
		"`holidays` for `calendars`, `language`, `languages` and `timezone` for `organisation`. A key of the short form and\n" +
		"what it stands for cannot both be given; apart from that the forms mix.\n\n" +
		"## Values\n\n" +
		"| | |\n| --- | --- |\n" +
		"| duration | `30s`, `5m`, `4h`, `7d`, `1h30m`; of real time |\n" +
		"| target | `30s`, `15m`, `4h`; of working time, so there are no days: three 8-hour days are `24h` |\n" +
		"| size | `200MB`, `64kB`, `1GB` (powers of 1000), `25MiB` (powers of 1024) |\n" +
		"| address | `name@domain` or `Name <name@domain>` |\n" +
		"| server | `host` or `host:port`; IPv6 as `[::1]:993` |\n" +
		"| path | of a file or folder, relative to the folder of the configuration |\n" +
		"| person | an id of `organisation.people`, or an address of the staff |\n" +
		"| time of day | in quotes: `\"08:00-17:00\"`, up to `\"24:00\"` |\n\n" +
		"The tables `people`, `customers` and `cmdb` are CSV files as spreadsheets write them: UTF-8, separated by commas,\n" +
		"semicolons or tabs, with the names of the columns in the first row, in any order. Several values in a cell are separated\n" +
		"by `;`. `check` looks at every cell.\n\n" +
		"| table | columns that must be there | further columns |\n| --- | --- | --- |\n" + tablesReference() + "\n" +
		"A list of one may go without brackets where the table says so. Anchors and aliases work, merge keys do not.\n")
	for _, s := range sections() {
		fmt.Fprintf(&b, "\n## %s\n\n| key | value | default | meaning | example |\n| --- | --- | --- | --- | --- |\n", s.title)
		for _, f := range keysOf(s.typ) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.key, valueWords(f), code(f.tag.Get("default")), escaped(meaning(f)), code(f.tag.Get("example")))
		}
		if s.typ == reflect.TypeFor[conditionKeys]() {
			b.WriteString(conditionsReference())
		}
	}
	return b.String()
}

// tablesReference lists the columns of the tables.
func tablesReference() string {
	var b strings.Builder
	for _, t := range []struct {
		name    string
		columns tableColumns
	}{{"people", peopleColumns()}, {"customers", customerColumns()}, {"cmdb", itemColumns()}} {
		fmt.Fprintf(&b, "| `%s` | `%s` | `%s` |\n", t.name, strings.Join(t.columns.required, "`, `"), strings.Join(t.columns.optional, "`, `"))
	}
	return b.String()
}

// conditionsReference says what conditions are, and which fields they can look at.
func conditionsReference() string {
	var b strings.Builder
	b.WriteString("\nA condition holds when all of its keys hold; of a list, one value is enough. A field that is missing equals nothing\n" +
		"and fits only `{exists: false}`. Beside the keys above, each of these fields is a key, with a value, a list of values, or\n" +
		"a map as below. Numbers are compared by `6`, `\">=6\"`, `\"<2\"`. A condition sees what an earlier phase decided.\n\n" +
		"| field | value | decided in | meaning |\n| --- | --- | --- | --- |\n")
	kinds := map[classify.FieldKind]string{classify.FieldValue: "value", classify.FieldYesNo: "true, false", classify.FieldNumber: "number", classify.FieldAddress: "address", classify.FieldText: "text"}
	for _, f := range classify.Fields() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, kinds[f.Kind], f.Phase, escaped(f.Doc))
	}
	b.WriteString("| `header.NAME` | text | intake | the header field of that name |\n")
	return b.String()
}

// meaning is a key's doc, with its bounds and whether it must be there.
func meaning(f field) string {
	doc := f.tag.Get("doc")
	if f.tag.Get("required") != "" {
		doc += " Required."
	}
	lo, hi := f.tag.Get("min"), f.tag.Get("max")
	switch {
	case lo != "" && hi != "":
		doc += " From " + lo + " to " + hi + "."
	case lo != "":
		doc += " At least " + lo + "."
	case hi != "":
		doc += " At most " + hi + "."
	}
	return doc
}

// valueWords says what a key holds.
func valueWords(f field) string {
	if inner, suffix := sectionIn(f.typ); inner != nil {
		if f.tag.Get("one") != "" {
			return "keys, or a list of such"
		}
		return map[string]string{"": "keys", "[]": "list", ".NAME": "keys by name"}[suffix]
	}
	kind := f.tag.Get("kind")
	words := map[string]string{"enum": strings.Join(strings.Fields(f.tag.Get("values")), ", "), "int": "number", "bool": "true, false",
		"listen": "address:port", "zone": "time zone", "env": "`${NAME}`", "prose": "text", "header": "field", "rate": "number/time", "period": "days, months, years", "clock": "time of day", "recipient": "person or word", "": "see the meaning"}
	word, ok := words[kind]
	if !ok {
		word = kind
	}
	if strings.HasPrefix(f.typ.Name(), "many[") {
		if word = "list: " + word; f.tag.Get("one") != "" {
			word = strings.Replace(word, "list: ", "one or a list: ", 1)
		}
	}
	return word
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

func escaped(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
