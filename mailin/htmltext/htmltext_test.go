package htmltext

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"paragraphs", "<p>One</p><p>Two<br>lines</p>Three", "One\n\nTwo\nlines\n\nThree"},
		{"divs are lines", "<div>One</div><div>Two</div><div><br></div><div>Three</div>", "One\nTwo\n\nThree"},
		{"Word paragraphs are lines", `<p class=MsoNormal>One<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Two</p>`, "One\n\nTwo"},
		{"white space", " <b> One</b>\n\t two &nbsp;  three ", "One two   three"},
		{"entities", "a &lt;b&gt; &amp; &quot;c&quot; &#8364; &auml;", `a <b> & "c" € ä`},
		{"quotes", `new<blockquote type="cite">old<blockquote type=cite>older<br>still</blockquote></blockquote>`, "new\n\n> old\n>\n>> older\n>> still"},
		{"a border quotes", `<blockquote style="margin:0 0 0 .8ex; border-left:1px solid #ccc">old</blockquote>new`, "> old\n\nnew"},
		{"other block quotes indent", `a<blockquote style="border:none">b</blockquote>c`, "a\n\n    b\n\nc"},
		{"lists", "<ul><li>one<li>two<ol start=3><li>a</li><li>b</li></ol></li></ul>end", "- one\n- two\n  3. a\n  4. b\n\nend"},
		{"a paragraph in an item", "<ul><li><p>one</p></li><li><p>two</p></li></ul>", "- one\n\n- two"},
		{"links", `see <a href="https://x.example/y">here</a>, <a href="https://x.example/">x.example</a>`, "see here <https://x.example/y>, x.example"},
		{"mail links", `<a href="mailto:ada@x.example?subject=hi">Ada</a> <a href="mailto:bo@x.example">bo@x.example</a>`, "Ada <ada@x.example> bo@x.example"},
		{"other links", `<a href="javascript:alert(1)">one</a> <a href="#top">two</a> <a href="https://x.example"><img src="cid:1"></a>`, "one two"},
		{"tables", "<table><tr><th>Device<th>Room</tr><tr><td>P-1</td><td><p>2.14</p></td></tr></table>after", "Device | Room\nP-1 | 2.14\n\nafter"},
		{"cells with lines", "<table><tr><td>a<br>b</td><td>c</td></tr></table>", "a\nb\nc"},
		{"empty cells", "<table><tr><td></td><td>a</td><td> </td><td>b</td></tr></table>", "a | b"},
		{"preformatted", "<pre>if x {\n\treturn\n}</pre>", "if x {\n return\n}"},
		{"rule", "a<hr>b", "a\n----------\nb"},
		{"headings", "<h1>Title</h1>text", "Title\n\ntext"},
		{"images", `<img alt="😀"> <img alt="Screenshot"> <img src=x>`, "😀 [Screenshot]"},
		{"not for readers", "<head><title>t</title><style>p{}</style></head><script>x()</script><!-- c -->text<textarea>y</textarea>", "text"},
		{"Word comments", "<!--[if gte mso 9]><xml><o:x>no</o:x></xml><![endif]-->yes", "yes"},
		{"preview text", `<div style="display:none;max-height:0">preview</div>body`, "body"},
		{"preview text, other ways", `<span style="font-size:0px">a</span><p style="mso-hide:all">b</p><div hidden>c<div>d</div></div><div style="OPACITY: 0.0;">e</div>body`, "body"},
		{"small is not hidden", `<span style="font-size:0.8em;opacity:0.9;max-height:05px">body</span>`, "body"},
		{"padding of preview text", "a&#847;&zwnj;&nbsp;&#847;&zwnj;&#8203;b&shy;c", "a bc"},
		{"all hidden is shown", `<div style="display:none">all there is</div>`, "all there is"},
		{"hidden and never closed", `<div><span style="display:none">x</div>body`, "body"},
		{"wrong nesting", "<b><div>one</b></div><i>two</p></div></td>three", "one\ntwo\n\nthree"},
		{"no tags", "just text\nhere", "just text here"},
		{"empty", "", ""},
		{"only blanks", "<p>&nbsp;</p><br><div></div>", ""},
		{"at most two blank lines", "a<br><br><br><br><br>b", "a\n\n\nb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Text(c.html); got != c.want {
				t.Errorf("%s\ngot:\n%q\nwant:\n%q", c.html, got, c.want)
			}
		})
	}
}

func TestContainers(t *testing.T) {
	lines := Lines(`<div>new</div><div class="gmail_quote x"><div class=gmail_attr>Ada wrote:</div><blockquote type=cite>old</blockquote></div>` +
		`<div id=Signature>Bo</div><hr><div id="yahoo_quoted_123">x</div>`)
	want := []Line{
		{Text: "new"},
		{Text: "Ada wrote:", In: Quoted | Intro},
		{Text: "", In: Quoted | Intro},
		{Text: "old", Quote: 1, In: Quoted},
		{Text: ""},
		{Text: "Bo", In: Signature},
		{Text: ruleText, In: Rule},
		{Text: "x", In: Quoted},
	}
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d: %+v", len(lines), len(want), lines)
	}
	for i, l := range lines {
		if l.Text != want[i].Text || l.Quote != want[i].Quote || l.Text != "" && l.In != want[i].In {
			t.Errorf("line %d: got %+v, want %+v", i, l, want[i])
		}
	}
}

// generators make bodies of about n octets that are hard on parsers.
var generators = map[string]func(n int) string{
	"nested div":        func(n int) string { return strings.Repeat("<div>", n/5) + "x" },
	"nested span":       func(n int) string { return strings.Repeat("<span style=display:none>", n/25) + "x" },
	"nested blockquote": func(n int) string { return strings.Repeat("<blockquote type=cite>x", n/23) },
	"nested list":       func(n int) string { return strings.Repeat("<ul><li>x", n/9) },
	"nested table":      func(n int) string { return strings.Repeat("<table><tr><td>x", n/16) },
	"nested font":       func(n int) string { return strings.Repeat("<font hidden>", n/26) + strings.Repeat("</b></span>", n/22) },
	"font under div": func(n int) string {
		return "<font hidden>" + strings.Repeat("<span hidden>", n/26) + strings.Repeat("</font>", n/14)
	},
	"end tags":          func(n int) string { return strings.Repeat("</div></p></td>", n/15) },
	"wrong end tags":    func(n int) string { return strings.Repeat("<div><p hidden></td>", n/20) },
	"one attribute":     func(n int) string { return `<a href="` + strings.Repeat("x", n) + `">y</a>` },
	"many attributes":   func(n int) string { return "<div " + strings.Repeat("a=1 ", n/4) + ">x" },
	"many styles":       func(n int) string { return `<div style="` + strings.Repeat("a:b;", n/4) + `">x` },
	"many classes":      func(n int) string { return `<div class="` + strings.Repeat("abc ", n/4) + `">x` },
	"open comment":      func(n int) string { return "<!--" + strings.Repeat("-", n) },
	"open comments":     func(n int) string { return strings.Repeat("<!--", n/4) },
	"open script":       func(n int) string { return "<script>" + strings.Repeat("</scrip", n/7) },
	"open tags":         func(n int) string { return strings.Repeat("<", n) },
	"open declarations": func(n int) string { return strings.Repeat("<![CDATA[", n/9) },
	"entities":          func(n int) string { return strings.Repeat("&amp", n/4) },
	"unknown entities":  func(n int) string { return strings.Repeat("&xxxxxxxx", n/9) },
	"ampersands":        func(n int) string { return strings.Repeat("&", n) },
	"breaks":            func(n int) string { return strings.Repeat("<br>", n/4) + "x" },
	"cells":             func(n int) string { return "<table><tr>" + strings.Repeat("<td>x", n/5) },
	"cells with blocks": func(n int) string { return "<table><tr>" + strings.Repeat("<td><p>x</p>", n/12) },
	"empty cells":       func(n int) string { return "<table><tr>x" + strings.Repeat("<td>", n/4) },
	"S-135 links":       func(n int) string { return strings.Repeat("<a href=https://x.example/>y", n/28) },
	"S-135 one link":    func(n int) string { return "<a href=https://x.example/>" + strings.Repeat("y ", n/2) },
	"S-135 open link":   func(n int) string { return strings.Repeat("yyyyyyyyyyyyyyyyyyy<a href=http://z>", n/36) + "</a>" },
	"white space":       func(n int) string { return "a" + strings.Repeat(" ", n) + "b" },
	"unbreakable space": func(n int) string { return strings.Repeat("\u00A0", n/2) + "b" },
	"quoted empty lines": func(n int) string {
		return strings.Repeat("<blockquote type=cite>", n/44) + strings.Repeat("x<br>", n/10)
	},
	"preformatted":        func(n int) string { return "<pre>" + strings.Repeat("\n", n) },
	"quote in cells":      func(n int) string { return strings.Repeat("<td><blockquote type=cite>x</td>", n/32) },
	"hidden in quotation": func(n int) string { return strings.Repeat("<blockquote hidden></blockquote>", n/32) },
}

// S-134, S-136: twice the body takes about twice the time, for bodies made to be hard, and a million nested tags or an
// attribute of ten megabytes are no exception.
func TestLinear(t *testing.T) {
	for name, generate := range generators {
		t.Run(name, func(t *testing.T) {
			checkLinear(t, generate(1<<15), generate(1<<19))
		})
	}
	for name, generate := range map[string]func(n int) string{
		"a million nested tags":        func(n int) string { return strings.Repeat("<div>", n) + strings.Repeat("</div>", n) },
		"an attribute of ten megabyte": func(n int) string { return `<p title="` + strings.Repeat("x", n*10) + `">y` },
	} {
		t.Run(name, func(t *testing.T) { checkLinear(t, generate(62_500), generate(1_000_000)) })
	}
}

// checkLinear fails when a body that is sixteen times as large takes more than 64 times as long, again and again. A
// quadratic step would take 256 times as long; the rest, and the many tries, are for a busy machine.
func checkLinear(t *testing.T, body, larger string) {
	t.Helper()
	var small, large time.Duration
	for range 12 {
		if small, large = timed(body), timed(larger); large <= 64*max(small, time.Millisecond) {
			return
		}
	}
	t.Errorf("%d KiB took %v, %d KiB took %v", len(body)>>10, small, len(larger)>>10, large)
}

func timed(body string) time.Duration {
	started := time.Now()
	Text(body)
	return time.Since(started)
}

// What is shown is never much more than what was sent.
func TestBounded(t *testing.T) {
	for name, generate := range generators {
		body := generate(1 << 16)
		if got := Text(body); len(got) > 8*len(body)+100 {
			t.Errorf("%s: %d octets of text from %d octets of HTML", name, len(got), len(body))
		}
	}
}

func TestRandomTags(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	pieces := []string{"<div>", "</div>", "<p>", "</p>", "<td>", "<tr>", "</tr>", "<table>", "</table>", "<ul>", "</ul>", "<ol>", "<li>", "x ", "<br>",
		"<blockquote type=cite>", "</blockquote>", "<span hidden>", "</span>", "<pre>", "</pre>", "\n", "&nbsp;", "<a href=http://y>", "</a>", "<hr>"}
	for range 2000 {
		var b strings.Builder
		marks := 0
		for range random.IntN(60) {
			p := pieces[random.IntN(len(pieces))]
			if p == "x " {
				marks++
			}
			b.WriteString(p)
		}
		body := strings.ReplaceAll(b.String(), "<span hidden>", "<span>")
		if got := strings.Count(Text(body), "x"); got != marks {
			t.Fatalf("%s\nshows %d of %d pieces of text:\n%s", body, got, marks, Text(body))
		}
		Text(b.String())
	}
}

func FuzzHTMLToText(f *testing.F) {
	for _, generate := range generators {
		f.Add(generate(100))
	}
	f.Add("<table><tr><td>a<td><p>b</table><ul><li>x</ul>")
	f.Fuzz(func(t *testing.T, body string) {
		lines := Lines(body)
		for i, l := range lines {
			if strings.ContainsAny(l.Text, "\n\r") || l.Quote < 0 || l.Indent < 0 {
				t.Errorf("line %d of %q: %+v", i, body, l)
			}
		}
		if text := Text(body); utf8.ValidString(body) && !utf8.ValidString(text) {
			t.Errorf("%q gives invalid text %q", body, text)
		}
	})
}

func BenchmarkText(b *testing.B) {
	body := "<html><head><style>p{margin:0}</style></head><body>" + strings.Repeat(`<div style="margin:0px;font-family:Arial">`+
		`<p class="MsoNormal"><span style="color:black">Hello there, this is some text with <b>bold</b> &amp; more.<br></span></p></div>`+"\n", 5000)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Text(body)
	}
}
