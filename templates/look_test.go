package templates

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"supportd/tickets"
)

func brandFiles(layout string) fstest.MapFS {
	return fstest.MapFS{"layout.txt": {Data: []byte(layout)}, "de/footer.txt": {Data: []byte("Kontorsoft GmbH, Am Kai 1, 20457 Hamburg\nAmtsgericht Hamburg, HRB 123456\n")}}
}

// Every mail to people outside has the brand's name and footer once, in both forms; notices have its colours alone.
func TestLook(t *testing.T) {
	s, err := Load(brandFiles("# Kontorsoft\nname = Kontorsoft\nlink = #7A1F5C\nlink.dark = \"#e8a0d0\"\naccent=#8a2068\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w := strings.Join(s.Warnings(), "\n"); w != `footer.txt is missing in language "en": the one in "de" stands in` {
		t.Errorf("warnings: %s", w)
	}
	plain := mustLoad(t)
	for _, lang := range []string{"de", "en"} {
		for _, sp := range specs() {
			r := sampleOf(t, s, sp.name, lang, true)
			want := 1
			if sp.audience == audienceInternal {
				want = 0
			}
			if n := strings.Count(r.Text, "Kontorsoft\nKontorsoft GmbH, Am Kai 1, 20457 Hamburg\nAmtsgericht Hamburg, HRB 123456\n"); n != want {
				t.Errorf("%s in %s has %d footers, want %d:\n%s", sp.name, lang, n, want, r.Text)
			}
			if r.HTML == "" {
				continue
			}
			if n := strings.Count(r.HTML, `<strong class="brand" style="color:#8a2068;">Kontorsoft</strong><br>Kontorsoft GmbH`); n != want {
				t.Errorf("%s in %s: the page has %d footers, want %d", sp.name, lang, n, want)
			}
			if strings.Contains(r.HTML, "#1f5f95") || strings.Contains(r.HTML, "#8ec2ee") || !strings.Contains(r.HTML, ".link { color: #e8a0d0 !important; }") {
				t.Errorf("%s in %s: the page has other colours", sp.name, lang)
			}
			if i, j := strings.Index(r.Text, "HRB"), strings.Index(r.Text, "oberhalb dieser Zeile"); sp.audience == audiencePublic && j >= 0 && i > j {
				t.Errorf("%s: the footer stands below what the customer wrote", sp.name)
			}
			if again := sampleOf(t, plain, sp.name, lang, true); strings.Contains(again.Text+again.HTML, "Kontorsoft") || strings.Contains(again.HTML, "#7a1f5c") {
				t.Errorf("%s: the built-in look has the brand's", sp.name)
			}
		}
	}
}

// A text that places the footer itself has it there, and standard answers have it once, also inside another mail.
func TestFooterIsPlacedOnce(t *testing.T) {
	files := brandFiles("name = Kontorsoft")
	files["de/solved.md"] = &fstest.MapFile{Data: []byte(front + "{{template \"footer\" .footer}}\n\nGelöst.\n")}
	s, err := Load(files, Options{Answers: fstest.MapFS{"vpn.de.md": {Data: []byte("So geht es.\n")}}})
	if err != nil {
		t.Fatal(err)
	}
	if r := sampleOf(t, s, tickets.TemplateSolved, "de", true); strings.Count(r.Text, "HRB") != 1 || strings.Index(r.Text, "HRB") > strings.Index(r.Text, "Gelöst.") {
		t.Errorf("solved:\n%s", r.Text)
	}
	for name, want := range map[string]int{"answer/vpn": 1, "answer/vpn" + answerText: 0} {
		r, err := s.Public(name, SamplePublic("de", true))
		if err != nil || strings.Count(r.Text, "HRB") != want {
			t.Errorf("%s, %v:\n%s", name, err, r.Text)
		}
	}
}

func TestLookFaults(t *testing.T) {
	for layout, want := range map[string]string{
		"x":                           "texts/layout.txt:1: wants a line such as link = #1f5f95",
		"\nlnk = #1f5f95":             `texts/layout.txt:2: unknown key "lnk"; did you mean "link"?`,
		"link = blue":                 `texts/layout.txt:1: link is "blue": a colour is written as # and six digits`,
		"link = #fff":                 `texts/layout.txt:1: link is "#fff"`,
		"name =":                      "texts/layout.txt:1: name wants 1 to 100 characters",
		"name = A\nname = B":          "texts/layout.txt:2: name stands there twice",
		"name = A\nlink = #aaaaaa":    "texts/layout.txt:2: link #aaaaaa on page #fbfbfa has a contrast of 2.2, and people need 4.5",
		"page.dark = #eeeeee":         "texts/layout.txt:1: text.dark #e3e5e8 on page.dark #eeeeee has a contrast of",
		"name = A\x01":                "texts/layout.txt:1: holds control or invisible characters",
		"link = #aaaaaa\ntext = blue": "texts/layout.txt:2: text is \"blue\"",
	} {
		err := lookFaults(brandFiles(layout))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", layout, err, want)
		}
	}
	for footer, want := range map[string]string{
		"a\n#solve": `texts/de/footer.txt:2: begins with "#"`, strings.Repeat("a\n", 13): "texts/de/footer.txt:13: a footer has at most 12 lines",
		"a\n" + strings.Repeat("ä", 201): "texts/de/footer.txt:2: a line of a footer has at most 200 characters",
	} {
		err := lookFaults(fstest.MapFS{"de/footer.txt": {Data: []byte(footer)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q:\n got %v\nwant %s", footer, err, want)
		}
	}
	files := brandFiles("link = blue")
	files["de/ack-new.md"] = &fstest.MapFile{Data: []byte("x")}
	_, err := Load(files, Options{Folder: "texts/"})
	if err == nil || !strings.Contains(err.Error(), "texts/layout.txt:1: link") || !strings.Contains(err.Error(), "texts/de/ack-new.md:1: has no front matter") {
		t.Errorf("several faults: %v", err)
	}
}

func lookFaults(files fstest.MapFS) error {
	read, err := readTree(files, "texts/")
	return errors.Join(append((&Set{}).loadLook(read), err)...)
}

// The colours of the built-in layout are all there, so that each can be another one, and are legible.
func TestLayoutColours(t *testing.T) {
	seen := map[string]bool{}
	source := layoutSource + (&look{paint: strings.NewReplacer()}).styleTags(`<a href="`)
	for _, c := range colours() {
		for _, shade := range []string{c.light, c.dark} {
			if seen[shade] || !isColour(shade) || !strings.Contains(source, shade) {
				t.Errorf("%s: %s stands for another one, or is not in the layout", c.key, shade)
			}
			seen[shade] = true
		}
	}
	shades := map[string][2]string{}
	for _, c := range colours() {
		shades[c.key] = [2]string{c.light, c.dark}
	}
	for _, pair := range legible() {
		for i := range 2 {
			if c := contrast(shades[pair[0]][i], shades[pair[1]][i]); c < leastContrast {
				t.Errorf("%s on %s: %.2f", pair[0], pair[1], c)
			}
		}
	}
}
