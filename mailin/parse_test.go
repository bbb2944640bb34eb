package mailin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestParse: one mail through all of it: parts, charset, new text, quote, language.
func TestParse(t *testing.T) {
	raw := "From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <j.mueller@kunde.example>\r\nTo: support@nordwind.example\r\nSubject: Re: Lieferung 4711\r\n" +
		"Date: Sat, 21 Nov 2026 09:12:40 +0100\r\nMessage-ID: <a@kunde.example>\r\nIn-Reply-To: <t.1.x@nordwind.example>\r\n" +
		"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		"Guten Tag,\r\n\r\ndie Lieferung ist leider noch nicht angekommen. K=F6nnen Sie bitte nachsehen, wo sie geblieben ist?\r\n\r\n" +
		"> Ihre Lieferung ist unterwegs.\r\n> Nordwind Service\r\n"
	m := Parse([]byte(raw), time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	if m.Author != "j.mueller@kunde.example" || m.From[0].Name != "Jürgen Müller" || m.ID != "a@kunde.example" {
		t.Errorf("author %q, from %v, id %q", m.Author, m.From, m.ID)
	}
	if !strings.Contains(m.Reply, "Können Sie bitte nachsehen") || strings.Contains(m.Reply, "unterwegs") {
		t.Errorf("new text %q", m.Reply)
	}
	if !strings.Contains(m.Quoted, "unterwegs") {
		t.Errorf("quote %q", m.Quoted)
	}
	if m.Language.Code != "de" {
		t.Errorf("language %v", m.Language)
	}
	if len(m.Defects) > 0 {
		t.Errorf("defects %v", m.Defects)
	}
}

// TestParseFuture: a Date after the arrival is said to be wrong; it never drives a clock (S-174).
func TestParseFuture(t *testing.T) {
	raw := []byte("From: a@kunde.example\nDate: Sat, 21 Nov 2026 09:12:40 +0100\n\nHallo\n")
	if m := Parse(raw, time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)); len(m.Defects) != 1 || m.Defects[0].Where != "Date" {
		t.Errorf("defects %v, want one about Date", m.Defects)
	}
	if m := Parse(raw, time.Time{}); len(m.Defects) != 0 {
		t.Errorf("defects %v, want none", m.Defects)
	}
}

// TestParseAll reads every mail in testdata: none panics, each has an identity, and the new text of a mail with text is
// never empty.
func TestParseAll(t *testing.T) {
	files, err := filepath.Glob("../testdata/mail/*.eml")
	if err != nil || len(files) < 150 {
		t.Fatalf("%d mails: %v", len(files), err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := Parse(raw, time.Time{})
		if m.Identity.IsZero() || m.Size != int64(len(raw)) {
			t.Errorf("%s: identity %v, %d octets", name, m.Identity, m.Size)
		}
		if strings.TrimSpace(m.Text) != "" && strings.TrimSpace(m.Reply) == "" && m.Forwarded == nil {
			t.Errorf("%s: no new text in %q", name, m.Text)
		}
	}
}

// BenchmarkParse reads a plain mail with a quote, and one with text and HTML, through all of it.
func BenchmarkParse(b *testing.B) {
	text := strings.Repeat("Guten Tag, die Lieferung 4711 ist bis heute nicht angekommen. Bitte pr=C3=BCfen Sie, wo sie bleibt.\r\n", 15) +
		"\r\nAm 20.11.2026 um 17:00 schrieb Nordwind Service:\r\n" + strings.Repeat("> Ihre Lieferung ist unterwegs und sollte morgen ankommen.\r\n", 15)
	html := "<html><body>" + strings.Repeat("<p>Guten Tag, die Lieferung <b>4711</b> ist bis heute nicht angekommen. Bitte pr=C3=BCfen Sie das.</p>\r\n", 15) +
		"<blockquote type=3D\"cite\">" + strings.Repeat("<p>Ihre Lieferung ist unterwegs.</p>\r\n", 15) + "</blockquote></body></html>\r\n"
	head := "From: =?utf-8?q?J=C3=BCrgen?= <j@kunde.example>\r\nTo: support@nordwind.example\r\nSubject: Re: Lieferung 4711\r\n" +
		"Date: Sat, 21 Nov 2026 09:12:40 +0100\r\nMessage-ID: <a@kunde.example>\r\nReferences: <t.1.x@nordwind.example> <t.2.x@nordwind.example>\r\n"
	part := func(typ, body string) string {
		return "Content-Type: " + typ + "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + body
	}
	for name, raw := range map[string]string{
		"plain": head + part("text/plain", text),
		"html":  head + part("text/html", html),
		"alternative": head + "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" + part("text/plain", text) +
			"\r\n--b\r\n" + part("text/html", html) + "\r\n--b--\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if m := Parse([]byte(raw), time.Time{}); m.Reply == "" {
					b.Fatal("no new text")
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}
