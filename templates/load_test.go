package templates

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"supportd/tickets"
)

func mustLoad(t testing.TB) *Set {
	t.Helper()
	s, err := Load(nil, Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	if w := s.Warnings(); len(w) > 0 {
		t.Errorf("the built-in texts are not complete: %q", w)
	}
	return s
}

func TestNames(t *testing.T) {
	s := mustLoad(t)
	// Each name that the desk asks for has a file of that name in each language, and there is no other file.
	var want []string
	for _, lang := range []string{"de", "en"} {
		files, err := fs.Glob(builtin, "default/"+lang+"/*.md")
		if err != nil || len(files) < 16 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		want = nil
		for _, f := range files {
			if name := strings.TrimSuffix(path.Base(f), ".md"); !strings.HasPrefix(name, "_") {
				want = append(want, name)
			}
		}
	}
	slices.Sort(want)
	if got := s.Names(); !slices.Equal(got, want) {
		t.Errorf("names are %q, want %q", got, want)
	}
	if got := s.Languages(); !slices.Equal(got, []string{"de", "en"}) {
		t.Errorf("languages are %q", got)
	}
	if got := s.Language("fr") + s.Language("en") + s.Language(""); got != "deende" {
		t.Errorf("French, English and no language are rendered in %s", got)
	}
}

// faultsOf gives the error that Load would give for the files of a tree, without compiling the built-in ones as well.
func faultsOf(tree fs.FS) error {
	files, err := readTree(tree, "")
	if err != nil {
		return err
	}
	s := &Set{opts: Options{Languages: []string{"de", "en"}}, texts: map[string]map[string]*compiled{}, phrases: map[string]*phrases{}}
	return errors.Join(append(s.loadPhrases(files), s.compileAll(files)...)...)
}

const front = "---\nsubject: x [{{.number}}]\naudience: public\nhtml: no\n---\n"

// Every fault is told with its file and line and in plain words (S-117).
func TestFaultsAreToldWithTheirPlace_S117(t *testing.T) {
	staff := strings.Replace(front, "public", "internal", 1)
	marker := "{{template \"marker\" .marker}}\n"
	cases := []struct{ file, text, want string }{
		{"de/ack-new.md", "hello", "de/ack-new.md:1: has no front matter"},
		{"de/ack-new.md", "---\nsubject: x\n", "de/ack-new.md:1: the front matter has no end"},
		{"de/ack-new.md", "---\nsubjekt: x\naudience: public\nhtml: no\n---\nx", `de/ack-new.md:2: unknown key "subjekt"; did you mean "subject"?`},
		{"de/ack-new.md", "---\nsubject: x\naudience: all\nhtml: no\n---\nx", `de/ack-new.md:3: audience is "all": write public, internal or vendor`},
		{"de/ack-new.md", "---\nsubject: x\naudience: public\nhtml: perhaps\n---\nx", `de/ack-new.md:4: html is "perhaps": write yes or no`},
		{"de/ack-new.md", "---\nsubject: x\nsubject: y\naudience: public\nhtml: no\n---\nx", "de/ack-new.md:3: subject stands there twice"},
		{"de/ack-new.md", "---\nsubject:\naudience: public\nhtml: no\n---\nx", "de/ack-new.md:2: subject is empty"},
		{"de/ack-new.md", "---\naudience: public\nno colon\n---\nx", "de/ack-new.md:3: wants a line such as subject: …"},
		{"de/ack-new.md", "---\naudience: public\n---\nx", "de/ack-new.md:1: subject is missing from the front matter"},
		{"de/ack-new.md", staff + "x", "de/ack-new.md:1: audience is internal, but ack-new is always public"},
		{"de/ack-new.md", strings.Replace(front, "html: no", "html: yes", 1) + "x", "de/ack-new.md:1: html is yes, but automatic answers are plain text"},
		{"de/ack-nwe.md", front + "x", `de/ack-nwe.md: no template has that name; did you mean "ack-new.md"?`},
		{"de/ack-new.md", front + "a\nb {{.nubmer}}", `de/ack-new.md:7: unknown variable .nubmer; did you mean "number"?`},
		{"de/ack-new.md", strings.Replace(front, ".number", ".numbr", 1) + "x", `de/ack-new.md:2: unknown variable .numbr; did you mean "number"?`},
		{"de/ack-new.md", front + "a\n{{if .number}}", "de/ack-new.md:7: unexpected EOF"},
		{"de/ack-new.md", front + "a {{.number", "de/ack-new.md:6: unclosed action"},
		{"de/ack-new.md", front + "a\n\n{{prinft 1}}", "de/ack-new.md:8: function prinft is unknown here"},
		{"de/ack-new.md", front + "a\n\n{{.text}}", "de/ack-new.md:8: .text is a list: show it with range"},
		{"de/ack-new.md", front + "{{range .number}}x{{end}}", "de/ack-new.md:6: .number is no list"},
		{"de/ack-new.md", front + "{{template \"qoute\" .text}}", `de/ack-new.md:6: there is no block "qoute"; did you mean "quote"?`},
		{"de/ack-new.md", front + "{{template \"quote\" .number}}", `de/ack-new.md:6: the block "quote" cannot show .number`},
		{"de/ack-new.md", front + "{{template \"quote\"}}", `de/ack-new.md:6: the block "quote" lacks what it shows`},
		{"de/ack-new.md", front + "x {{template \"quote\" .text}}", `de/ack-new.md:6: {{template "quote" .text}} has to stand on a line of its own`},
		{"de/ack-new.md", front + "x {{if .number}}y\n\nz{{end}}", "de/ack-new.md:6: an if, range or with has to end in the paragraph"},
		{"de/ack-new.md", front + "x\n\n<b>bold</b>", "de/ack-new.md:8: holds HTML"},
		{"de/ack-new.md", front + "x\n\n<div>\nbold\n</div>", "de/ack-new.md:8: holds HTML"},
		{"de/ack-new.md", front + "x\n\n![logo](https://example.org/logo.png)", "de/ack-new.md:8: holds an image"},
		{"de/ack-new.md", front + "[x](javascript:alert)", `de/ack-new.md:6: links to "javascript:alert"`},
		{"de/ack-new.md", front + "[x]({{.subject}})", `de/ack-new.md:6: links to "{{.subject}}"`},
		{"de/ack-new.md", front + "zqa00000q", `de/ack-new.md: holds the letters "zqa"`},
		{"de/ack-new.md", front + "{{if eq .text .number}}x{{end}}", "de/ack-new.md:6: eq compares a list: .text"},
		{"de/ack-new.md", front + "{{range .text}}{{.number}}{{end}}", "de/ack-new.md:6: unknown variable .number: inside range and with"},
		{"de/ack-new.md", front + "a\u202eb", "de/ack-new.md:6: holds control or invisible characters"},
		{"de/ack-new.md", front + "a\x01b", "de/ack-new.md:6: holds control or invisible characters"},
		{"de/ack-new.md", front + "a\xffb", "de/ack-new.md:1: holds control or invisible characters, or is not UTF-8"},
		{"de/note.md", staff + "x", "de/note.md:6: lacks the line above which people answer"},
		{"de/note.md", staff + marker + "{{range .deadlines}}{{.deu}}{{end}}", `de/note.md:7: unknown variable .deu; did you mean "due"?`},
		{"de/phrases.txt", "did.slove = x", `de/phrases.txt:1: unknown phrase "did.slove"; did you mean "did.solve"?`},
		{"de/phrases.txt", "# x\nno equals", "de/phrases.txt:2: wants a line such as did.solve = …"},
		{"de/phrases.txt", "did.note = x\ndid.note = y", "de/phrases.txt:2: did.note stands there twice"},
		{"de/phrases.txt", "did.reply = an {too}", `de/phrases.txt:1: unknown argument {too}; did you mean "to"?`},
		{"de/phrases.txt", "did.reply = an {to", `de/phrases.txt:1: "{" has no "}"`},
		{"de/phrases.txt", "did.reply = an to}", `de/phrases.txt:1: "}" stands there without its beginning`},
		{"de/phrases.txt", "did.reply = [a [b] c]", "de/phrases.txt:1: optional parts do not stand inside each other"},
		{"de/phrases.txt", "time.months = a, b", "de/phrases.txt:1: time.months has 2 entries, wanted are 12"},
		{"notes.txt", "x", "notes.txt: stands beside the languages"},
	}
	for _, c := range cases {
		err := faultsOf(fstest.MapFS{c.file: {Data: []byte(c.text)}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %.60q:\n got %v\nwant %s", c.file, strings.TrimPrefix(c.text, front), err, c.want)
		}
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := Load(fstest.MapFS{
		"de/ack-new.md": {Data: []byte(front + "{{.a1}}\n{{.a2}}")}, "en/solved.md": {Data: []byte("x")}, "de/phrases.txt": {Data: []byte("x = y")},
	}, Options{})
	for _, want := range []string{"de/ack-new.md:6", "de/ack-new.md:7", "en/solved.md:1", "de/phrases.txt:1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s: %v", want, err)
		}
	}
	_, err = Load(override("de/ack-new.md", "public", "{{if .promised_by}}x{{end}}"), Options{})
	if err == nil || !strings.Contains(err.Error(), "de/ack-new.md: the text is empty") {
		t.Errorf("a template that says nothing without a promise: %v", err)
	}
	if _, err := Load(nil, Options{AddressForm: map[string]string{"de": "ihr"}}); err == nil || !strings.Contains(err.Error(), `address form "ihr"`) {
		t.Errorf("an unknown address form: %v", err)
	}
}

func TestOverrides(t *testing.T) {
	tree := fstest.MapFS{
		"de/ack-new.md":  {Data: []byte("\ufeff" + strings.ReplaceAll(front, "\n", "\r\n") + "Moin {{.requester}},\r\n\r\n[Hilfe](https://help.example/{{.number}}) oder [{{.desk_address}}](mailto:{{.desk_address}}) \\*.\r\n\r\n1. eins\r\n2. zwei\r\n   - drei\r\n\r\n> zitiert\r\n\r\n---\r\n\r\n    code\r\n")},
		"de/phrases.txt": {Data: []byte("did.note = Notiert.\n")},
		"de/.hidden":     {Data: []byte("x")},
		"de/ack-new.md~": {Data: []byte("x")},
		"README.md":      {Data: []byte("x")},
	}
	s, err := Load(tree, Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Public(tickets.TemplateAckNew, SamplePublic("de", true))
	if err != nil {
		t.Fatal(err)
	}
	want := "Moin Kim Krause,\n\nHilfe <https://help.example/NW-2026-004711> oder\nservice@nordwind.example *.\n\n" +
		"1. eins\n2. zwei\n  - drei\n\n> zitiert\n\n* * *\n\n  code\n"
	if r.Text != want {
		t.Errorf("the text is\n%s\nwant\n%s", r.Text, want)
	}
	v := SampleInternal(tickets.TemplateReceipt, "de", true)
	v.Lines = []tickets.Line{{OK: true, Key: "did.note"}}
	if r, err = s.Internal(tickets.TemplateReceipt, v); err != nil || !strings.Contains(r.Text, "- Erledigt: Notiert.\n") {
		t.Errorf("the phrase is not the one laid over: %v\n%s", err, r.Text)
	}
}

// A further language is a folder. What it lacks is taken from another one, with a warning.
func TestAFurtherLanguage(t *testing.T) {
	tree := fstest.MapFS{
		"nl/ack-new.md":  {Data: []byte(front + "Goedendag {{.requester}}, tot {{.promised_by}}.")},
		"nl/phrases.txt": {Data: []byte("time.weekdays = zondag, maandag, dinsdag, woensdag, donderdag, vrijdag, zaterdag\n")},
	}
	s, err := Load(tree, Options{Languages: []string{"nl", "en", "fr"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Languages(); !slices.Equal(got, []string{"nl", "en"}) {
		t.Errorf("languages are %q", got)
	}
	r, err := s.Public(tickets.TemplateAckNew, SamplePublic("nl", true))
	if want := "Goedendag Kim Krause, tot maandag 30 November, 10:40 (CET).\n"; err != nil || r.Text != want {
		t.Errorf("the Dutch text is %q, %v; want %q", r.Text, err, want)
	}
	r, err = s.Internal(tickets.TemplateNote, SampleInternal(tickets.TemplateNote, "nl", true))
	if err != nil || !strings.Contains(r.HTML, `<html lang="en"`) {
		t.Errorf("the stand-in says that it is Dutch: %v", err)
	}
	all := strings.Join(s.Warnings(), "\n")
	for _, want := range []string{`template note is missing in language "nl": the one in "en" stands in`, `phrases are missing in language "nl"`,
		`no templates in language "fr"`} {
		if !strings.Contains(all, want) {
			t.Errorf("the warnings lack %q:\n%s", want, all)
		}
	}
	if strings.Contains(all, "template ack-new") {
		t.Errorf("a warning about what is there:\n%s", all)
	}
}

func TestOneLanguage(t *testing.T) {
	for _, lang := range []string{"de", "en"} {
		s, err := Load(nil, Options{Languages: []string{lang}, Strict: true})
		if err != nil || len(s.Warnings()) > 0 || !slices.Equal(s.Languages(), []string{lang}) {
			t.Errorf("%s alone: %v, %q", lang, err, s.Warnings())
		}
	}
}

// Both languages have a text for every key, and it shows the same arguments.
func TestPhrasesAreComplete(t *testing.T) {
	s := mustLoad(t)
	for _, k := range phraseKeys() {
		used := map[string][]string{}
		for _, lang := range []string{"de", "en"} {
			ph, ok := s.phrases[lang].texts[k.Key]
			if !ok || ph.source == "" && !strings.HasPrefix(k.Key, "time.zones") {
				t.Errorf("%s has no text in %s", k.Key, lang)
			}
			for _, a := range k.Args {
				if strings.Contains(ph.source, "{"+a+"}") {
					used[lang] = append(used[lang], a)
				}
			}
		}
		if !strings.HasPrefix(k.Key, "time.") && !slices.Equal(used["de"], used["en"]) {
			t.Errorf("%s shows %q in German and %q in English", k.Key, used["de"], used["en"])
		}
		if k.Doc == "" {
			t.Errorf("%s is not documented", k.Key)
		}
	}
}

// Every key that the desk names as a literal has a text, and its arguments are known.
func TestTheDesksKeysHaveTexts(t *testing.T) {
	known := map[string]LineKey{}
	for _, k := range (*Set)(nil).LineKeys() {
		known[k.Key] = k
	}
	found := 0
	root := filepath.Join("..", "tickets")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil // a file that does not compile is the compiler's to report
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			key, err := strconv.Unquote(lit.Value)
			if group, rest, ok := strings.Cut(key, "."); err == nil && ok && rest != "" && !strings.ContainsAny(rest, " .%") &&
				slices.Contains([]string{"did", "refused", "held", "undelivered", "health", "clock"}, group) {
				found++
				if _, ok := known[key]; !ok {
					t.Errorf("%s uses the key %q, which has no text%s", path, key, suggest(key, lineKeyNames()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d keys found", found)
}

func TestLines(t *testing.T) {
	s := mustLoad(t)
	cases := []struct {
		line   tickets.Line
		de, en string
	}{
		{tickets.Line{Key: "refused.unknown", Args: map[string]string{"word": "#slove", "suggestion": "#solve"}},
			"Den Befehl #slove gibt es nicht. Meinten Sie #solve?", "There is no command #slove. Did you mean #solve?"},
		{tickets.Line{Key: "refused.unknown", Args: map[string]string{"word": "#xyzzy"}}, "Den Befehl #xyzzy gibt es nicht.", "There is no command #xyzzy."},
		{tickets.Line{Key: "did.reply", Args: map[string]string{"to": "a@example.org"}},
			"Antwort an a@example.org geschickt.", "Reply sent to a@example.org."},
		{tickets.Line{Key: "did.reply_later", Args: map[string]string{"to": "a@example.org", "until": "2026-11-30T09:40:07Z"}},
			"Antwort an a@example.org geht hinaus: Mo 30.11. 10:40:07. Bis dahin nimmt #undo sie zurück.",
			"The reply to a@example.org leaves: Mon 30 Nov 10:40:07 CET. Until then #undo takes it back."},
		{tickets.Line{Key: "did.next", Args: map[string]string{"clock": "resolve", "due": "2026-11-30T09:40:00Z"}},
			"Als Nächstes fällig: Lösung, Mo 30.11. 10:40.", "Due next: Resolution, Mon 30 Nov 10:40 CET."},
		{tickets.Line{Key: "clock.untouched", Args: map[string]string{"age": "26h5m0s"}},
			"Seit 26:05 h hat niemand das Ticket angefasst.", "Nobody has touched the ticket for 26:05 h."},
		{tickets.Line{Key: "health.disk_low", Args: map[string]string{"path": "/srv", "free": "123456789", "floor": "200000000"}},
			"Auf /srv sind nur noch 123,5 MB frei (Grenze: 200,0 MB). Neue E-Mails werden nicht angenommen und bleiben auf dem Server. Bitte schaffen Sie Platz.",
			"Only 123.5 MB are free on /srv (limit: 200.0 MB). New mails are not taken in and stay on the server. Please make room."},
		{tickets.Line{Key: "undelivered.bounced", Args: map[string]string{"to": "a@example.org", "reason": "no such\r\nuser."}},
			"Die E-Mail an a@example.org kam zurück. Der Server sagt: no such user.", "The mail to a@example.org came back. The server says: no such user."},
		{tickets.Line{Key: "refused.state", Args: map[string]string{"word": "#wait", "state": "closed"}},
			"#wait geht nicht, solange das Ticket den Status „geschlossen“ hat.", "#wait is not possible while the ticket is closed."},
	}
	for _, c := range cases {
		for lang, want := range map[string]string{"de": c.de, "en": c.en} {
			if got, err := s.phrases[lang].line(c.line, sampleZone()); err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", c.line.Key, got, err, want)
			}
		}
	}
}

// An unknown key is an error where faults are looked for, and readable where mail has to go out.
func TestUnknownLineKey(t *testing.T) {
	v := SampleInternal(tickets.TemplateReceipt, "en", true)
	v.Lines = []tickets.Line{{OK: true, Key: "did.slove", Args: map[string]string{"b": "2", "a": "{{.}}"}}, {Key: "x.y"}}
	if _, err := mustLoad(t).Internal(tickets.TemplateReceipt, v); err == nil || !strings.Contains(err.Error(), `unknown line key`) {
		t.Errorf("a strict set renders it: %v", err)
	}
	s, err := Load(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Internal(tickets.TemplateReceipt, v)
	if err != nil || !strings.Contains(r.Text, "- Done: did.slove (a: {{.}}, b: 2)\n- Not done: x.y\n") {
		t.Errorf("%v\n%s", err, r.Text)
	}
}

func TestMoments(t *testing.T) {
	s := mustLoad(t)
	at := time.Date(2026, 3, 1, 8, 5, 0, 0, time.UTC)
	cases := []struct {
		lang, form string
		zone       *time.Location
		want       string
	}{
		{"de", "long", time.FixedZone("CET", 3600), "Sonntag, 1. März, 09:05 Uhr"},
		{"de", "long", nil, "Sonntag, 1. März, 08:05 Uhr (UTC)"},
		{"de", "dated", time.FixedZone("CEST", 7200), "Sonntag, 1. März 2026, 10:05 Uhr"},
		{"de", "short", time.FixedZone("CET", 3600), "So 1.3. 09:05"},
		{"en", "long", time.FixedZone("CET", 3600), "Sunday 1 March, 09:05 (CET)"},
		{"en", "dated", time.FixedZone("+0530", 19800), "Sunday 1 March 2026, 13:35 (UTC+0530)"},
		{"en", "short", time.FixedZone("GMT", 0), "Sun 1 Mar 08:05 GMT"},
	}
	for _, c := range cases {
		if got := s.phrases[c.lang].moment(at, c.zone, c.form); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.form, c.lang, got, c.want)
		}
	}
	if got := s.phrases["de"].moment(time.Time{}, nil, "long"); got != "" {
		t.Errorf("no time is %q", got)
	}
	for d, want := range map[time.Duration]string{10 * time.Second: "10 s", 90 * time.Second: "2 min", 96 * time.Minute: "1:36 h", -3 * time.Hour: "3:00 h"} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1,0 KB", 999_949: "999,9 KB", 999_951: "1,0 MB", 25_000_000: "25,0 MB", 5e12: "5000,0 GB"} {
		if got := s.phrases["de"].size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestVariablesAreDocumented(t *testing.T) {
	for _, v := range mustLoad(t).Variables() {
		if v.Doc == "" || v.Kind == "" || !strings.HasPrefix(v.Name, ".") {
			t.Errorf("%+v is not documented", v)
		}
	}
}
