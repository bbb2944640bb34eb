package templates

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"supportd/tickets"
)

// Pages are read as a browser reads them: into a tree, with the style that each text ends up with, in light and in dark.

// node is an element of a page, or a text when tag is empty.
type node struct {
	tag      string
	attrs    map[string]string
	text     string
	parent   *node
	children []*node
}

// readPage reads a page. Ours are written so that nothing has to be guessed: every element that is opened is closed.
func readPage(page string) (*node, error) {
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta", "br", "hr", "img", "wbr"}, xml.HTMLEntity
	root := &node{tag: "#page"}
	at := root
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && at == root:
			return root, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("<%s> is not closed", at.tag)
		case err != nil:
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{tag: token.Name.Local, attrs: map[string]string{}, parent: at}
			for _, a := range token.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			at.children = append(at.children, n)
			at = n
		case xml.EndElement:
			if token.Name.Local != at.tag {
				return nil, fmt.Errorf("</%s> stands where <%s> is open", token.Name.Local, at.tag)
			}
			at = at.parent
		case xml.CharData:
			at.children = append(at.children, &node{text: string(token), parent: at})
		}
	}
}

// all lists the elements below n that have one of the tags, in the order in which they are read out.
func (n *node) all(tags ...string) []*node {
	var found []*node
	for _, c := range n.children {
		if slices.Contains(tags, c.tag) {
			found = append(found, c)
		}
		found = append(found, c.all(tags...)...)
	}
	return found
}

// words is what is read out of an element.
func (n *node) words() string {
	var b strings.Builder
	var walk func(*node)
	walk = func(n *node) {
		b.WriteString(n.text)
		for _, c := range n.children {
			walk(c)
		}
		if slices.Contains([]string{"p", "li", "tr", "th", "td", "div", "blockquote", "h1", "h2", "h3", "br"}, n.tag) {
			b.WriteByte(' ')
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (n *node) above(tag string) (count int) {
	for p := n.parent; p != nil; p = p.parent {
		if p.tag == tag {
			count++
		}
	}
	return count
}

// declarations reads a style: its colours, and sizes in pixels.
func declarations(style string) map[string]string {
	found := map[string]string{}
	for one := range strings.SplitSeq(style, ";") {
		if name, value, ok := strings.Cut(one, ":"); ok {
			found[strings.TrimSpace(name)] = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		}
	}
	return found
}

// style is what is in force for an element's text. The rules for dark are by class and important; what they do not name
// stays as it is in light, and that is what this has to find out.
func (n *node) style(rules map[string]map[string]string) map[string]string {
	in := map[string]string{}
	if n.parent != nil {
		in = n.parent.style(rules)
	}
	own := declarations(n.attrs["style"])
	for class := range strings.FieldsSeq(n.attrs["class"]) {
		for k, v := range rules[class] {
			own[k] = v
		}
	}
	for _, name := range []string{"color", "background-color", "font-size", "line-height"} { // a background shows through
		if own[name] != "" {
			in[name] = own[name]
		}
	}
	return in
}

// everything are pages with all that can stand in them: each text with its sample, and an answer with every Markdown.
func everything(t *testing.T) map[string]tickets.Rendered {
	t.Helper()
	const answer = "{{.greeting}}\n\n# Überschrift\n\nEin *Wort*, **fett**, `#befehl`, [die Anleitung](https://service.example/vpn) und [Mail](mailto:service@nordwind.example).\n\n" +
		"## Zweite\n\n1. eins\n2. zwei\n\n- drei\n\n### Dritte\n\n> Zitat\n\n---\n\nBis {{.promised_by}}.\n"
	s, err := Load(nil, Options{Answers: answersOf(map[string]string{"all.de.md": answer, "all.en.md": answer})})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]tickets.Rendered{}
	for _, src := range s.Sources() {
		for _, full := range []bool{true, false} {
			r, err := s.Sample(src.Name, src.Language, full)
			if err != nil {
				t.Fatal(err)
			}
			if r.HTML != "" {
				found[fmt.Sprintf("%s/%s full %v", src.Language, src.Name, full)] = r
			}
		}
	}
	return found
}

var darkRules = regexp.MustCompile(`(?s)@media \(prefers-color-scheme: dark\) \{\n(.*?)\n\}\n`)

// WCAG 2.2, 1.4.3: every text has a contrast of at least 4.5:1 with what is behind it, as far as the rules that are in
// force for it say, in light and in dark; its letters have 16 pixels or more, and its lines half as much again.
func TestEveryTextIsReadable(t *testing.T) {
	least, used := map[string]float64{"light": 21, "dark": 21}, map[string]bool{}
	for name, r := range everything(t) {
		page, err := readPage(r.HTML)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m := darkRules.FindStringSubmatch(r.HTML)
		if m == nil {
			t.Fatalf("%s has no rules for dark", name)
		}
		dark := map[string]map[string]string{}
		for _, rule := range rulePattern.FindAllStringSubmatch(m[1], -1) {
			dark[rule[1]] = declarations(rule[2])
		}
		texts := 0
		var walk func(*node)
		walk = func(n *node) {
			for class := range strings.FieldsSeq(n.attrs["class"]) {
				used[class] = true
				if dark[class] == nil {
					t.Errorf("%s: the class %s has no rule for dark", name, class)
				}
			}
			if n.tag == "" && strings.TrimSpace(n.text) != "" {
				texts++
				for scheme, rules := range map[string]map[string]map[string]string{"light": nil, "dark": dark} {
					style := n.parent.style(rules)
					c := contrast(style["color"], style["background-color"])
					least[scheme] = math.Min(least[scheme], c)
					if c < 4.5 {
						t.Errorf("%s: contrast %.2f:1 in %s: %s on %s for %q", name, c, scheme, style["color"], style["background-color"], n.text)
					}
					size, err1 := strconv.Atoi(strings.TrimSuffix(style["font-size"], "px"))
					height, err2 := strconv.Atoi(strings.TrimSuffix(style["line-height"], "px"))
					if err1 != nil || err2 != nil || size < 16 || 2*height < 3*size {
						t.Errorf("%s: letters of %s in lines of %s for %q", name, style["font-size"], style["line-height"], n.text)
					}
				}
			}
			for _, c := range n.children {
				walk(c)
			}
		}
		walk(page.all("body")[0])
		if texts == 0 {
			t.Errorf("%s: no text was found", name)
		}
	}
	for _, class := range []string{"page", "quiet", "said", "banner", "link", "code", "cell"} {
		if !used[class] {
			t.Errorf("nothing has the class %s: its rule for dark is not tried", class)
		}
	}
	t.Logf("least contrast: %.1f:1 in light, %.1f:1 in dark", least["light"], least["dark"])
}

// The structure that screen readers go by (domain: accessibility): language, one first line, lists, headings in order,
// data in tables with heads, layout marked as such, links that say where they lead, no picture without words.
func TestEveryPageHasStructure(t *testing.T) {
	for name, r := range everything(t) {
		page, err := readPage(r.HTML)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lang, _, _ := strings.Cut(name, "/")
		if h := page.all("html"); len(h) != 1 || h[0].attrs["lang"] != lang || h[0].attrs["dir"] != "ltr" {
			t.Errorf("%s: the page has no language or another one", name)
		}
		if h := page.all("title"); len(h) != 1 || h[0].words() == "" {
			t.Errorf("%s: the page has no title", name)
		}
		body := page.all("body")[0]
		content := body.all("td")[0]
		var first *node
		for _, c := range content.children {
			if c.tag != "" && first == nil {
				first = c
			} else if c.tag == "" && strings.TrimSpace(c.text) != "" {
				t.Errorf("%s: %q stands in no paragraph", name, c.text)
			}
		}
		if first == nil || first.tag != "p" && first.tag != "div" || first.words() == "" {
			t.Errorf("%s: the first thing is no line of text: %+v", name, first)
		}
		for _, table := range body.all("table") {
			switch heads := table.all("th"); {
			case table.attrs["role"] == "presentation":
				if table.above("table") > 1 {
					t.Errorf("%s: a table for layout inside another", name)
				}
			case len(heads) == 0 || len(heads) != len(table.all("tr")):
				t.Errorf("%s: a table of %d lines with %d heads", name, len(table.all("tr")), len(heads))
			default:
				for _, th := range heads {
					if th.attrs["scope"] != "row" || th.words() == "" {
						t.Errorf("%s: a head of a line without scope or words", name)
					}
				}
			}
			if table.attrs["width"] == "" || table.above("table") > 1 {
				t.Errorf("%s: a table without width, or too deep for Outlook", name)
			}
		}
		depth := 2
		for _, h := range body.all("h1", "h2", "h3") {
			level := int(h.tag[1] - '0')
			if level > depth+1 || h.words() == "" {
				t.Errorf("%s: a heading of level %d below one of level %d: %q", name, level, depth, h.words())
			}
			depth = level
		}
		for _, list := range body.all("ul", "ol") {
			for _, c := range list.children {
				if c.tag != "li" && strings.TrimSpace(c.text) != "" {
					t.Errorf("%s: %q in a list is no entry", name, c.text)
				}
			}
		}
		for _, a := range body.all("a") {
			if words := a.words(); len(words) < 3 || slices.Contains([]string{"hier", "here", "link", "click here", "mehr"}, strings.ToLower(words)) {
				t.Errorf("%s: a link that says %q", name, words)
			}
			if to := a.attrs["href"]; !strings.HasPrefix(to, "https://") && !strings.HasPrefix(to, "mailto:") {
				t.Errorf("%s: a link to %q", name, to)
			}
		}
		for _, img := range body.all("img") {
			if img.attrs["alt"] == "" || !strings.HasPrefix(img.attrs["src"], "cid:") {
				t.Errorf("%s: a picture without words, or from outside: %v", name, img.attrs)
			}
		}
		for _, n := range append(body.all("script", "iframe", "form", "object", "link", "input", "svg"), page.all("link", "base")...) {
			t.Errorf("%s holds <%s>", name, n.tag)
		}
	}
}

var (
	figures  = regexp.MustCompile(`[0-9]+(?:[.:,][0-9]+)*`)
	commands = regexp.MustCompile(`#[a-zöäüß]+`)
)

// Whoever reads the text form misses nothing: it has every number and date, every command, and where every link leads.
func TestTextHasAllOfThePage(t *testing.T) {
	seen := 0
	for name, r := range everything(t) {
		page, err := readPage(r.HTML)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body := page.all("body")[0]
		want := append(figures.FindAllString(body.words(), -1), commands.FindAllString(body.words(), -1)...)
		for _, a := range body.all("a") {
			want = append(want, strings.TrimPrefix(a.attrs["href"], "mailto:"))
		}
		count := map[string]int{}
		for _, w := range want {
			if count[w]++; strings.Count(r.Text, w) < count[w] {
				t.Errorf("%s: the page has %q, the text lacks it (%d of them):\n%s", name, w, count[w], r.Text)
			}
		}
		seen += len(want)
		lang, _, _ := strings.Cut(name, "/")
		sample := SamplePublic(lang, true) // an answer's own lines stay as they were written
		for line := range strings.SplitSeq(r.Text, "\n") {
			if displayWidth(line) > columns && strings.Contains(line, " ") && !strings.Contains(sample.Text, strings.TrimPrefix(line, "> ")) {
				t.Errorf("%s: a line of %d columns: %s", name, displayWidth(line), line)
			}
		}
	}
	if seen < 500 {
		t.Errorf("only %d figures, commands and links were looked for", seen)
	}
}

// Gmail cuts what is longer than 102 KB, and a mail that grows over maxOutput is not made at all: neither happens to a
// notice or to a customer's mail, however long what people wrote is.
func TestLongTextsAreShortened(t *testing.T) {
	s := mustLoad(t)
	for what, long := range map[string]string{"marks": strings.Repeat(strings.Repeat("&", 3000)+"\n", 100), "short lines": strings.Repeat("'\n", 5_000),
		"one line": strings.Repeat("\"x ", 50_000), "wide letters": strings.Repeat(strings.Repeat("語", 1500)+"\n", 60)} {
		for _, name := range s.Names() {
			var r tickets.Rendered
			var err error
			switch sp, _ := specOf(name); sp.audience {
			case audiencePublic:
				v := SamplePublic("de", true)
				v.Quote, v.Subject, v.Requester, v.Agent = long, long, long, long
				r, err = s.Public(name, v)
			case audienceVendor:
				v := SampleVendor("de", true)
				v.Description, v.Diagnosis = long, long
				r, err = s.Vendor(name, v)
			default:
				v := SampleInternal(name, "de", true)
				v.Text, v.Quoted, v.Sent, v.Checklist, v.Subject, v.Requester.Name = long, long, long, long, long, long
				v.Recent = slices.Repeat([]tickets.RecentEntry{{At: v.TextAt, Who: "Kim", What: long}}, 6)
				v.Attachments = slices.Repeat([]tickets.Attachment{{Name: strings.Repeat("x", 300), Size: 1 << 30}}, 200)
				v.Copies = slices.Repeat([]string{"kim.krause@customer.example"}, 200)
				r, err = s.Internal(name, v)
			}
			if err != nil {
				t.Fatalf("%s with %s: %v", name, what, err)
			}
			if len(r.HTML) > 102_000 || len(r.Text) > 102_000 {
				t.Errorf("%s with %s has %d octets of text and %d of HTML", name, what, len(r.Text), len(r.HTML))
			}
			if name == tickets.TemplateTicketToTeam && !strings.Contains(r.Text, "(gekürzt: ") && what != "one line" {
				t.Errorf("%s with %s does not say that it is shortened", name, what)
			}
		}
	}
}

// The measure itself: black on white is 21:1.
func TestContrastIsMeasured(t *testing.T) {
	if c := contrast("#000000", "#ffffff"); math.Abs(c-21) > 0.01 {
		t.Errorf("contrast of black and white is %f", c)
	}
}

func TestFirstSentence(t *testing.T) {
	for text, want := range map[string]string{"80 % – Lösung: noch 1:36 h, fällig Mo 30.11. 16:40": "80 % – Lösung: noch 1:36 h, fällig Mo 30.11. 16:40", "Das ist zu. Nun auf.": "Das ist zu",
		"": "", ".": ".", "Kurz.": "Kurz."} {
		if got := firstSentence(text); got != want {
			t.Errorf("%q begins with the sentence %q, want %q", text, got, want)
		}
	}
}

func TestLabelOfAnyLetter(t *testing.T) {
	p := mustLoad(t).phrases["de"]
	if got := p.label("übergabe_an"); got != "Übergabe_an" {
		t.Errorf("a field is called %q", got)
	}
}
