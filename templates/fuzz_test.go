package templates

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"supportd/tickets"
)

// FuzzTemplate: any template file is refused or renders any text, in bounded time and size, and never shows marks of
// the layout or unescaped HTML of the data.
func FuzzTemplate(f *testing.F) {
	for _, body := range []string{
		"{{.greeting}}\n\n{{template \"said\" .text}}\n", "{{range .text}}\n- {{.}}\n{{end}}\n", "# {{.subject}}\n\n1. a\n2. b\n\n> c\n",
		"{{if .agent}}x{{else}}y{{end}} {{range $i, $l := .quote}}{{$i}}{{$l}}{{end}}", "[{{.desk}}](mailto:{{.desk_address}})", "{{- /* c */ -}} `{{.number}}`",
		"{{with .subject}}{{.}}{{end}}\\\n**b** _e_ &amp; \\*", "{{range .text}}{{range $.quote}}{{end}}{{end}}", "```\n{{.number}}\n```\n", "{{\"}}\"}}",
	} {
		f.Add(body, "<b>{{.}}</b>\n#solve")
	}
	s := mustLoad(f)
	f.Fuzz(func(t *testing.T, body, data string) {
		if len(body) > 4<<10 || len(data) > 4<<10 {
			return
		}
		start := time.Now()
		c, err := compile(sourceFile{file: "de/solved.md", lang: "de", base: "solved.md",
			text: "---\nsubject: {{.subject}}\naudience: public\nhtml: yes\n---\n" + strings.ReplaceAll(body, "\x04", "")}, &s.look)
		if err != nil {
			return
		}
		v := nastyPublic("de", data)
		sp, _ := specOf(tickets.TemplateSolved)
		r, err := c.execute(s.publicData(sp, nil, "de", v), maxOutput, time.Now)
		if err != nil {
			return
		}
		if strings.ContainsAny(r.Text+r.HTML+r.Subject, "\x01\x02\x03\x04\x00") && !strings.ContainsAny(body, "\x00\x01\x02\x03") {
			t.Errorf("marks are left over: %q", r.Text)
		}
		if strings.Contains(r.HTML, "<script") {
			t.Errorf("data became HTML: %s", r.HTML)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// FuzzLoad: any override is refused with an error or loads; it never panics.
func FuzzLoad(f *testing.F) {
	f.Add("de/ack-new.md", front+"x")
	f.Add("de/phrases.txt", "did.note = [a {x}]")
	f.Add("xx/held.md", "---\nsubject: {{.subject}}\naudience: internal\nhtml: yes\n---\n{{template \"marker\" .marker}}\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 4<<10 {
			return
		}
		tree := fstest.MapFS{name: {Data: []byte(text)}}
		s, err := Load(tree, Options{Languages: []string{"de", "en", "xx"}})
		if err == nil && len(s.Names()) != len(specs()) {
			t.Error("a set without all templates")
		}
	})
}

// FuzzClean: cleaned values hold nothing that marks blocks, ends lines or hides.
func FuzzClean(f *testing.F) {
	for _, s := range nasty() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := cleanLine(s)
		if strings.ContainsAny(line, "\x00\x01\x02\x03\x04\r\n\t\u202e\u2028") || line != strings.TrimSpace(line) || cleanLine(line) != line {
			t.Errorf("cleanLine(%q) = %q", s, line)
		}
		for _, l := range cleanText(s) {
			if strings.ContainsAny(l, "\x00\x01\x02\x03\x04\r\n\u202e\u2028") {
				t.Errorf("cleanText(%q) has the line %q", s, l)
			}
		}
	})
}

func BenchmarkAckNew(b *testing.B) {
	s := mustLoad(b)
	v := SamplePublic("de", true)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Public(tickets.TemplateAckNew, v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTicketToTeam(b *testing.B) {
	s := mustLoad(b)
	v := SampleInternal(tickets.TemplateTicketToTeam, "de", true)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Internal(tickets.TemplateTicketToTeam, v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(nil, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
