package templates

import (
	"strings"
	"testing"
	"testing/fstest"

	"supportd/tickets"
)

func answersOf(files map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

// A standard answer is Markdown with variables; the agent's words stand above it, and what every answer has below it.
func TestStandardAnswers(t *testing.T) {
	_, err := Load(nil, Options{Strict: true, Answers: answersOf(map[string]string{
		"vpn.de.md":   "---\ntitle: VPN einrichten\nsolve: yes\nattach: vpn.pdf\n---\n{{.greeting}}\n\nso geht das VPN:\n\n1. Programm starten\n2. **Anmelden**\n",
		"vpn.en.md":   "---\ntitle: Set up the VPN\nsolve: yes\n---\n{{.greeting}}\n\nthis is how the VPN works.\n",
		"vpn.pdf":     "%PDF",
		"hours.md":    "Wir haben von 8 bis 17 Uhr geöffnet.\n",
		"README.md":   "not an answer",
		"own.en.md":   "Before {{template \"said\" .text}} after\n",
		"dir/some.md": "not read",
	})})
	if err == nil {
		t.Fatal("an answer that breaks its paragraph is taken")
	}
	if !strings.Contains(err.Error(), "own.en.md:1") {
		t.Errorf("the error lacks the place: %v", err)
	}
	s, err := Load(nil, Options{Strict: true, Answers: answersOf(map[string]string{
		"vpn.de.md": "---\ntitle: VPN einrichten\nsolve: yes\nattach: vpn.pdf\n---\n{{.greeting}}\n\nso geht das VPN:\n\n1. Programm starten\n2. Anmelden\n",
		"vpn.en.md": "---\ntitle: Set up the VPN\nsolve: yes\n---\n{{.greeting}}\n\nthis is how the VPN works.\n",
		"vpn.pdf":   "%PDF",
		"hours.md":  "Wir haben von 8 bis 17 Uhr geöffnet.\n",
	})})
	if err != nil {
		t.Fatal(err)
	}
	list := s.Answers()
	if len(list) != 2 || list[0].Name != "hours" || list[1].Name != "vpn" || !list[1].Solve || list[1].Title["de"] != "VPN einrichten" || len(list[1].Files) != 1 {
		t.Errorf("%+v", list)
	}
	if w := strings.Join(s.Warnings(), "\n"); !strings.Contains(w, `hours is missing in language "en"`) {
		t.Errorf("warnings: %s", w)
	}
	v := SamplePublic("de", true)
	v.Text = "Guten Tag, **hier** {{.number}} ist es:"
	r, err := s.Public(tickets.TemplateStandard+"vpn", v)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Guten Tag, **hier** {{.number}} ist es:", "1. Programm starten", "Jan Petersen", "Fehler 79"} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, r.Text)
		}
	}
	if !strings.Contains(r.HTML, "<ol") || strings.Contains(r.HTML, "<strong>hier") {
		t.Errorf("the HTML form: %s", r.HTML)
	}
	bare, err := s.Public(tickets.TemplateStandard+"vpn"+tickets.TemplateStandardText, v)
	if err != nil || strings.Contains(bare.Text, "Fehler 79") || !strings.Contains(bare.Text, "1. Programm starten") {
		t.Errorf("%v, the answer alone: %s", err, bare.Text)
	}
	if r, err = s.Public(tickets.TemplateStandard+"hours", SamplePublic("en", true)); err != nil || !strings.Contains(r.Text, "8 bis 17") {
		t.Errorf("%v: %s", err, r.Text)
	}
	for _, name := range []string{"answer/", "answer/vp", "answer/nothing"} {
		if _, err := s.Public(name, v); err == nil {
			t.Errorf("%s is rendered", name)
		}
	}
}

func TestFaultyAnswers(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"staff variable": {"a.md", "{{.team}}\n", "a.md:1"},
		"unknown key":    {"a.md", "---\ntitel: x\n---\ny\n", `a.md:2: unknown key "titel"`},
		"solve":          {"a.md", "---\nsolve: maybe\n---\ny\n", "a.md:2: solve"},
		"no end":         {"a.md", "---\ntitle: x\n", "a.md:1: the front matter has no end"},
		"empty":          {"a.md", "---\ntitle: x\n---\n\n", "a.md:4: the answer is empty"},
		"no file":        {"a.md", "---\nattach: b.pdf\n---\ny\n", `there is no file "b.pdf"`},
		"file above":     {"a.md", "---\nattach: ../b.pdf\n---\ny\n", "a.md:2: attach"},
		"blank in name":  {"a b.md", "y\n", "no blanks"},
		"broken":         {"a.de.md", "x\n\n{{if .agent}}\n", "a.de.md:4: unexpected EOF"},
	} {
		_, err := Load(nil, Options{Answers: answersOf(map[string]string{c.file: c.text})})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
