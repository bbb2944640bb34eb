package htmltext

import (
	"strings"
	"testing"
)

// Where Marked says no, no line has a mark.
func TestMarked(t *testing.T) {
	for body, want := range map[string]bool{
		"<p>hello</p>":                         false,
		"<div class=text>three words</div>":    false,
		"a <BlockQuote>b</BlockQuote>":         true,
		"<div class=gmail_quote>x</div>":       true,
		"<div id=yahoo_quoted_12>x</div>":      true,
		"<div class=edisonMailQuote>x</div>":   true,
		"<div class=moz-cite-prefix>x</div>":   true,
		"<div id=x_divRplyFwdMsg>x</div>":      true,
		"<div data-signatureblock>x</div>":     true,
		"<div class=Signature>x</div>":         true,
		"a<HR>b":                               true,
		"threshold":                            false,
		"<div class='gmail&#95;quote'>x</div>": true,
		"":                                     false,
		"q":                                    false,
		strings.Repeat("q", 1000) + "uot" + "e" + "tail": true,
	} {
		have := Marked(body)
		if have != want {
			t.Errorf("%.40q is marked: %v, want %v", body, have, want)
		}
		for _, l := range Lines(body) {
			if !have && (l.In != 0 || l.Quote > 0 || l.Indent > 0) {
				t.Errorf("%.40q is said to have no mark, and has %+v", body, l)
			}
		}
	}
}

func FuzzMarked(f *testing.F) {
	for _, s := range []string{"<blockquote type=cite>x", "<div class=gmail_quote>x</div>", "<hr>", "<p class='a &quot;'>x</p>", "<div class=\"&#x67;mail_quote\">x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if Marked(body) {
			return
		}
		for _, l := range Lines(body) {
			if l.In != 0 || l.Quote > 0 || l.Indent > 0 {
				t.Fatalf("%q is said to have no mark, and has %+v", body, l)
			}
		}
	})
}
