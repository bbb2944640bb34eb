package templates

import (
	"strings"
	"testing"

	"supportd/tickets/handover"
)

// What the form calls a field, a word or a way out is understood when people answer with it, in every language.
func TestFormIsUnderstood(t *testing.T) {
	s := mustLoad(t)
	rules := handover.Default(true)
	for _, lang := range []string{"de", "en"} {
		p := s.phrases[lang]
		for _, f := range rules.Fields {
			value, want := "some words", "some words"
			if len(f.OneOf) > 0 {
				value, want = p.word("choice", f.OneOf[len(f.OneOf)-1]), f.OneOf[len(f.OneOf)-1]
			}
			got, _ := rules.Read(p.label(f.Name)+": "+value, nil, nil, nil)
			v := got[f.Name]
			if v.Text != want && strings.Join(v.Items, "") != want {
				t.Errorf("%s: %s: %s is read as %+v", lang, p.label(f.Name), value, got)
			}
			if f.Or == "" {
				continue
			}
			if got, _ := rules.Read(p.label(f.Name)+": "+p.word("escape", f.Or)+": because", nil, nil, nil); got[f.Name].Escape != f.Or {
				t.Errorf("%s: %s is read as %+v", lang, p.word("escape", f.Or), got)
			}
			for _, word := range f.OneOf {
				if got, _ := rules.Read(p.label(f.Name)+": "+p.word("choice", word), nil, nil, nil); got[f.Name].Text != word {
					t.Errorf("%s: %s is read as %+v", lang, word, got)
				}
			}
		}
	}
}

// A form as it is quoted by a client and filled in between its lines says what was filled in, and nothing else.
func TestFormFilledIn(t *testing.T) {
	s := mustLoad(t)
	rules := handover.Default(true)
	known := func(name string) (string, bool) { return strings.ToUpper(name), strings.EqualFold(name, "FW-0012") }
	gaps := rules.Check(2, handover.Packet{}, known)
	for _, lang := range []string{"de", "en"} {
		var quoted strings.Builder
		for _, line := range s.phrases[lang].form(rules.Form(2, handover.Packet{}, gaps, []string{"FW-0012"})) {
			quoted.WriteString("> " + line + "\n")
		}
		if got, _ := rules.Read(quoted.String(), gaps, []string{"FW-0012"}, known); len(got) != 0 {
			t.Errorf("%s: an empty form is read as %+v", lang, got)
		}
		filled := strings.Replace(quoted.String(), "CI: …", "CI: 1", 1)
		if got, _ := rules.Read(filled, gaps, []string{"FW-0012"}, known); len(got) != 1 || got[handover.CI].Text != "FW-0012" {
			t.Errorf("%s: the form is read as %+v", lang, got)
		}
	}
}
