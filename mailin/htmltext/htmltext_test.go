package htmltext

import (
	"os"
	"strings"
	"testing"
)

func TestTry(t *testing.T) {
	for _, f := range []string{"talon/fixtures/html_replies/ms_outlook_2007.html", "talon/fixtures/html_replies/windows_mail.html", "talon/fixtures/html_replies/mail_ru.html", "talon/fixtures/html_replies/gmail.html", "quotequail/inline/27_test_quote_html.html"} {
		b, _ := os.ReadFile("/work/shared/corpora/" + f)
		t.Logf("=== %s\n%s", f, Text(string(b)))
	}
	t.Log(Text(`<table><tr><th>A<th>B<tr><td><p>x</p><td>y</table><ul><li>one<li>two<ol><li>a<li>b</ol></ul><blockquote type=cite>q<blockquote type=cite>qq</blockquote></blockquote>see <a href="https://x.example/y">here</a> <div style="display:none">pre</div>`))
}
func BenchmarkText(b *testing.B) {
	s := strings.Repeat(`<div style="margin:0px;font-family:Arial"><p class="MsoNormal"><span style="color:black">Hello there this is some text with <b>bold</b> &amp; more.<br></span></p></div>`+"\n", 5000)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		Text(s)
	}
}
