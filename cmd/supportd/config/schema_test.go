package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"supportd/classify"
	"supportd/tickets"
)

// TestSchemaIsUpToDate holds that the schema is made from the key table. Run with -update to make it anew.
func TestSchemaIsUpToDate(t *testing.T) {
	made, err := json.MarshalIndent(makeSchema(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	made = append(made, '\n')
	for _, path := range []string{"supportd.schema.json", "../../../docs/supportd.schema.json"} {
		hold(t, path, made)
	}
}

// hold compares a generated file with what was made, or writes it with -update.
func hold(t *testing.T, path string, made []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, made) {
		t.Errorf("%s differs from the key table; run go test ./cmd/supportd/config -update", path)
	}
}

// makeSchema writes the key table as a JSON Schema.
func makeSchema() *jsonschema.Schema {
	defs := jsonschema.Definitions{}
	root := sectionSchema(reflect.TypeFor[fileKeys](), defs)
	// One form or the other, and both of its halves.
	root.AllOf = []*jsonschema.Schema{
		{AnyOf: []*jsonschema.Schema{{Required: []string{"mailbox", "from"}}, {Required: []string{"mailboxes", "brands"}}}},
		{AnyOf: []*jsonschema.Schema{{Required: []string{"team"}}, {Required: []string{"teams"}}}}}
	root.Version = "https://json-schema.org/draft/2020-12/schema"
	root.Title = "supportd configuration"
	root.Description = "The configuration file of supportd."
	root.Definitions = defs
	return root
}

// sectionSchema is the schema of a struct of the key table.
func sectionSchema(t reflect.Type, defs jsonschema.Definitions) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	fields := keysOf(t)
	for _, f := range fields {
		p := fieldSchema(f, defs)
		p.Description = f.tag.Get("doc")
		if f.tag.Get("required") != "" {
			s.Required = append(s.Required, f.key)
		}
		s.Properties.Set(f.key, p)
	}
	if _, login := s.Properties.Get("password"); login {
		s.DependentRequired = map[string][]string{"password": {"user"}, "password_file": {"user"}}
		s.Not = &jsonschema.Schema{Required: []string{"password", "password_file"}}
	}
	switch t {
	case reflect.TypeFor[conditionKeys]():
		fieldProperties(s, defs)
		s.MinProperties = new(uint64(1))
	case reflect.TypeFor[scopedMatchKeys](), reflect.TypeFor[fieldTestKeys](), reflect.TypeFor[additionsKeys]():
		s.MinProperties = new(uint64(1))
	}
	return s
}

// fieldProperties adds the fields of the classifier to the schema of a condition.
func fieldProperties(s *jsonschema.Schema, defs jsonschema.Definitions) {
	long := definition(reflect.TypeFor[fieldTestKeys](), defs)
	for _, f := range classify.Fields() {
		p := &jsonschema.Schema{AnyOf: append(oneOrMany(fieldValueSchema(f)).AnyOf, long)}
		p.Description = f.Doc
		s.Properties.Set(f.Name, p)
	}
	s.PatternProperties = map[string]*jsonschema.Schema{`^header\.[!-9;-~]+$`: {AnyOf: append(oneOrMany(fieldValueSchema(classify.Field{Kind: classify.FieldText})).AnyOf, long)}}
}

// fieldValueSchema is what a field is compared with.
func fieldValueSchema(f classify.Field) *jsonschema.Schema {
	if words := vocabulary(f.Name); len(words) > 0 {
		p := &jsonschema.Schema{Type: "string"}
		for _, w := range words {
			p.Enum = append(p.Enum, w)
		}
		return p
	}
	switch f.Kind {
	case classify.FieldYesNo:
		return &jsonschema.Schema{Type: "boolean"}
	case classify.FieldNumber:
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "number"}, {Type: "string", Pattern: comparisonPattern}}}
	case classify.FieldAddress:
		return &jsonschema.Schema{Type: "string", Pattern: kinds["address"].pattern}
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: `\S`}, {Type: "number"}, {Type: "boolean"}}}
}

func fieldSchema(f field, defs jsonschema.Definitions) *jsonschema.Schema {
	switch v := reflect.New(f.typ).Interface().(type) {
	case *laterKeys, *laterCondition:
		return &jsonschema.Schema{}
	case *hoursKeys:
		week := &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.FalseSchema, PatternProperties: map[string]*jsonschema.Schema{
			`^([Mm]o|[Tt]u|[Ww]e|[Tt]h|[Ff]r|[Ss]a|[Ss]u|[Dd]i|[Mm]i|[Dd]o|[Ss]o)(-(mo|tu|we|th|fr|sa|su|di|mi|do|so))?$`: intervalsSchema()}}
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Const: "24/7"}, week}}
	case *daysKeys:
		return &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.FalseSchema, PatternProperties: map[string]*jsonschema.Schema{
			`^(\d{4}-)?\d{2}-\d{2}(\.\.(\d{4}-)?\d{2}-\d{2})?$`: intervalsSchema()}}
	case *remindKeys:
		who := &jsonschema.Schema{Type: "string", Pattern: personPattern}
		return &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.FalseSchema, PatternProperties: map[string]*jsonschema.Schema{
			`^\d{1,3}%$`: oneOrMany(who)}}
	case *labelsKeys:
		return &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.FalseSchema, PatternProperties: map[string]*jsonschema.Schema{
			kinds["language"].pattern: {Type: "string", Pattern: `\S`}}}
	case *questionsKeys:
		asked := &jsonschema.Schema{Type: "string"}
		for _, q := range tickets.Questions() {
			asked.Enum = append(asked.Enum, q)
		}
		return &jsonschema.Schema{Type: "object", AdditionalProperties: oneOrMany(asked)}
	case *weightsKeys:
		return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "number", Minimum: json.Number(fmt.Sprint(-maxWeight)), Maximum: json.Number(fmt.Sprint(maxWeight)),
			Not: &jsonschema.Schema{Const: 0}}}
	case interface{ elem() (reflect.Type, string) }:
		inner, suffix := v.elem()
		if _, leaf := reflect.New(inner).Interface().(value); leaf {
			return &jsonschema.Schema{Type: "object", AdditionalProperties: fieldSchema(field{typ: inner}, defs), MinProperties: new(uint64(1)),
				PropertyNames: &jsonschema.Schema{Enum: []any{"P1", "P2", "P3", "P4", "P5"}}}
		}
		ref := definition(inner, defs)
		switch suffix {
		case "":
			return ref
		case "[]":
			if f.tag.Get("one") != "" {
				return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{ref, {Type: "array", Items: ref, MinItems: new(uint64(1))}}}
			}
			return &jsonschema.Schema{Type: "array", Items: ref, MinItems: new(uint64(1))}
		}
		return &jsonschema.Schema{Type: "object", AdditionalProperties: ref, MinProperties: new(uint64(1)),
			PropertyNames: &jsonschema.Schema{Pattern: namePattern}}
	case value:
		s := scalarSchema(f)
		if strings.HasPrefix(f.typ.Name(), "many[") {
			if f.tag.Get("one") != "" {
				return oneOrMany(s)
			}
			return &jsonschema.Schema{Type: "array", Items: s, MinItems: new(uint64(1)), UniqueItems: true}
		}
		return s
	}
	ref := definition(f.typ, defs)
	switch f.tag.Get("short") {
	case "server":
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: kinds["server"].pattern}, ref}}
	case "all":
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: kinds["target"].pattern}, ref}}
	case "answers":
		inner := definition(reflect.TypeFor[answerKeys](), defs)
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "array", Items: inner, MinItems: new(uint64(1))}, ref}}
	}
	return &jsonschema.Schema{AllOf: []*jsonschema.Schema{ref}}
}

// definition puts a section among the definitions once, and refers to it.
func definition(t reflect.Type, defs jsonschema.Definitions) *jsonschema.Schema {
	name := strings.TrimSuffix(t.Name(), "Keys")
	if _, known := defs[name]; !known {
		defs[name] = &jsonschema.Schema{} // a section can stand in itself
		*defs[name] = *sectionSchema(t, defs)
	}
	return &jsonschema.Schema{Ref: "#/$defs/" + name}
}

func scalarSchema(f field) *jsonschema.Schema {
	k := kinds[f.tag.Get("kind")]
	s := &jsonschema.Schema{Type: k.schema, Pattern: k.pattern}
	if s.Type == "" {
		s.Type = "string"
	}
	switch f.tag.Get("kind") {
	case "enum":
		for v := range strings.FieldsSeq(f.tag.Get("values")) {
			s.Enum = append(s.Enum, v)
		}
	case "header":
		for _, v := range verdictFields {
			s.Enum = append(s.Enum, v)
		}
	case "region":
		for _, v := range regions {
			s.Enum = append(s.Enum, v)
		}
	case "int", "number":
		s.Minimum, s.Maximum = json.Number(f.tag.Get("min")), json.Number(f.tag.Get("max"))
		if f.key == "version" {
			s.Const = FormatVersion
		}
	case "duration": // 0 is the one duration without a unit
		s.Type, s.AnyOf, s.Pattern = "", []*jsonschema.Schema{{Type: "string", Pattern: k.pattern}, {Const: 0}}, ""
	}
	if def := f.tag.Get("default"); def != "" {
		s.Default = def
		var v any
		if s.Type != "string" && yaml.Unmarshal([]byte(def), &v) == nil {
			s.Default = v
		}
	}
	return s
}

func oneOrMany(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "array", Items: s, MinItems: new(uint64(1)), UniqueItems: true}}}
}

func intervalsSchema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Const: "closed"},
		oneOrMany(&jsonschema.Schema{Type: "string", Pattern: `^\d{2}:\d{2} ?- ?\d{2}:\d{2}$`})}}
}

// schemaCheck compiles the schema that is shipped; what it returns checks a YAML file against it.
func schemaCheck(t *testing.T) func(data []byte) error {
	t.Helper()
	doc, err := validator.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	if err := c.AddResource("supportd.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("supportd.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(data []byte) error {
		var v any
		if err := yaml.Unmarshal(data, &v); err != nil {
			return fmt.Errorf("not YAML: %w", err)
		}
		// Through JSON, so that the validator sees the types that it knows.
		j, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("no JSON: %w", err)
		}
		inst, err := validator.UnmarshalJSON(bytes.NewReader(j))
		if err != nil {
			return fmt.Errorf("no JSON: %w", err)
		}
		return s.Validate(inst)
	}
}

func TestSchemaAcceptsExamples(t *testing.T) {
	validate := schemaCheck(t)
	t.Chdir(examples(t))
	warned, err := filepath.Glob("warn-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(good(t), warned...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaFlagsFaults holds that an editor shows every fault that lies in one value or key. The faults that it cannot
// see need other files or other keys; they are listed, so that the list does not grow unseen.
func TestSchemaFlagsFaults(t *testing.T) {
	validate := schemaCheck(t)
	t.Chdir(examples(t))
	unseen := map[string]bool{}
	for name := range strings.FieldsSeq(unseenBySchema) {
		unseen["bad-"+name+".yaml"] = true
	}
	bad, err := filepath.Glob("bad-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range bad {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if flagged := validate(data) != nil; flagged == unseen[name] {
			t.Errorf("%s: flagged by the schema: %t", name, flagged)
		}
	}
}

const unseenBySchema = `
answer-capture answer-condition calendar-which category-default category-signals cmdb-cells customers-cells derive-ci derive-last derive-later match-expr
matrix-monotone people-cells people-column-missing people-columns people-empty people-encoding people-file people-member-twice
people-quote route-overlaps route-shadowed route-team route-unreachable
admin-missing admin-own-address agent-from answer-folder answer-no-file answer-regex-all answer-regex-size answer-regex answer-twice
brand-dangling brand-others-address brand-unused brand-which ca-file calendar-name duration-too-long
duration-too-short environment-elsewhere from-elsewhere hours-backwards hours-day-twice hours-empty hours-none hours-overlap hours-unquoted
language-not-among merge-key mixed-forms mixed-mailboxes move-to-idle move-to-missing move-to-same name-twice
path-home remind-lead same-address same-folder secret-env-unset secret-file-empty secret-file-folder secret-file-lines
secret-file-missing secret-file-near secret-file-open secret-missing state-file tag team-calendar team-nobody
team-own-address team-twice templates-missing tier-none tls-none zone-abbreviation zone
oauth-key oauth-missing oauth-other oauth-password oauth-useless
handover-item vendor-cells holidays-file customers-level
sent actions
`
