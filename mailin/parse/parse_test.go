package parse

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"

	"supportd/tickets"
)

// TestIdentity: the same mail by two ways is one mail, another text is another (S-030, S-031): trace fields, line ends,
// folds and blank lines at the end do not count, everything that was written does.
func TestIdentity(t *testing.T) {
	const mail = "From: Petra <petra@kunde.example>\nSubject: Rechnung 17\nDate: Sat, 21 Nov 2026 09:12:40 +0100\nMessage-ID: <a@kunde.example>\n\nGuten Tag\n"
	id := Message([]byte(mail)).Identity
	for name, same := range map[string]string{
		"CRLF":            strings.ReplaceAll(mail, "\n", "\r\n"),
		"trace fields":    "Received: from a by b; Sat, 21 Nov 2026 09:12:41 +0100\nDelivered-To: x@y.example\nX-Spam: no\n" + mail,
		"blank lines":     mail + "\n\r\n \n",
		"folded subject":  strings.Replace(mail, "Rechnung 17", "Rechnung\n 17", 1),
		"order of fields": "Message-ID: <a@kunde.example>\n" + strings.Replace(mail, "Message-ID: <a@kunde.example>\n", "", 1),
	} {
		if got := Message([]byte(same)).Identity; got != id {
			t.Errorf("%s: another identity", name)
		}
	}
	seen := map[tickets.Digest]string{id: "the mail itself"}
	for name, other := range map[string]string{
		"body":       strings.Replace(mail, "Guten Tag", "Guten Abend", 1),
		"subject":    strings.Replace(mail, "17", "18", 1),
		"sender":     strings.Replace(mail, "petra@", "anna@", 1),
		"date":       strings.Replace(mail, "09:12", "09:13", 1),
		"message-id": strings.Replace(mail, "<a@", "<b@", 1),
		"moved text": strings.Replace(strings.Replace(mail, "Rechnung 17", "Rechnung", 1), "Guten Tag", "17Guten Tag", 1),
	} {
		got := Message([]byte(other)).Identity
		if have, twice := seen[got]; twice {
			t.Errorf("another %s: the identity of %s", name, have)
		}
		seen[got] = name
	}
}

// TestFiles: the data of every attachment, in the order of the list, also inside S/MIME and winmail.dat.
func TestFiles(t *testing.T) {
	for _, name := range []string{"mime-mixed", "mime-smime-signed-ber", "mime-tnef-file", "mime-uu-inline", "mime-forward"} {
		raw, err := os.ReadFile(filepath.Join(mailDir, name+".eml"))
		if err != nil {
			t.Fatal(err)
		}
		m, files := Message(raw), Files(raw)
		if len(m.Attachments) == 0 || len(files) != len(m.Attachments) {
			t.Fatalf("%s: %d files of %d attachments", name, len(files), len(m.Attachments))
		}
		for i, a := range m.Attachments {
			if sum := tickets.Digest(sha256.Sum256(files[i].Data)); sum != a.SHA256 || files[i].Name != a.Name {
				t.Errorf("%s: %s: %d octets of %s; want %d", name, a.Name, len(files[i].Data), files[i].Name, a.Size)
			}
		}
	}
}

// TestAgreesWithGoMessage: on mails by the rules, texts and file sizes are those of go-message.
func TestAgreesWithGoMessage(t *testing.T) {
	for _, name := range []string{"hdr-plain", "hdr-lf", "mime-alternative", "mime-mixed", "mime-mixed-alternative", "mime-base64", "mime-qp",
		"mime-signed", "mime-boundary-prefix", "chs-latin9", "chs-koi8r", "chs-jis", "chs-sjis", "chs-gb18030", "att-2231", "att-inline-image"} {
		raw, err := os.ReadFile(filepath.Join(mailDir, name+".eml"))
		if err != nil {
			t.Fatal(err)
		}
		text, sizes, err := goMessageParts(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m := Message(raw)
		var have []int64
		for _, a := range m.Attachments {
			have = append(have, a.Size)
		}
		if fmt.Sprint(have) != fmt.Sprint(sizes) {
			t.Errorf("%s: attachments of %v octets, go-message: %v", name, have, sizes)
		}
		if a, b := strings.Fields(m.Text), strings.Fields(text); strings.Join(a, " ") != strings.Join(b, " ") {
			t.Errorf("%s: text %q, go-message: %q", name, m.Text, text)
		}
	}
}

func goMessageParts(raw []byte) (text string, sizes []int64, err error) {
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		return "", nil, fmt.Errorf("read: %w", err)
	}
	err = e.Walk(func(_ []int, part *message.Entity, err error) error {
		if err != nil || part.MultipartReader() != nil {
			return err
		}
		body, err := io.ReadAll(part.Body)
		typ, _, _ := part.Header.ContentType()
		switch typ {
		case "text/plain", "":
			text += string(body) + "\n"
		case "text/html":
		default:
			sizes = append(sizes, int64(len(body)))
		}
		return err
	})
	return text, sizes, err
}

// TestAuthor has the forms that spoofing uses (S-071, S-076, S-077, S-088): none of them gives the name it pretends to.
func TestAuthor(t *testing.T) {
	const agent = "agent@corp.example"
	for _, from := range []string{
		"From: agent@corp.example(<evil@x.example>)\n", "From: agent@corp.example (a) <evil@x.example>\n", "From: \"agent@corp.example\" <evil@x.example>\n",
		"From: <agent@corp.example>, <evil@x.example>\n", "From: <agent@corp.example> <evil@x.example>\n", "From: evil@x.example\nFrom: agent@corp.example\n",
		"From: agent@corp.example\nFrom: evil@x.example\n", "From : agent@corp.example\n", "From:\n agent@corp.example\n", " From: agent@corp.example\nX-A: b\n",
		"From: agent@corp.example\x00@x.example\n", "From: =?utf-8?q?agent=40corp=2Eexample?=\n", "From: =?utf-8?q?=3Cagent=40corp=2Eexample=3E?= <evil@x.example>\n",
		"From: <@x.example:agent@corp.example>\n", "From: x: agent@corp.example;\n", "From: \"agent\"@corp.example\n", "From: agent@[192.0.2.1]\n",
		"From: agent@corp.example\\,evil@x.example\n", "From: <agent@corp.example>evil@x.example\n", "From: agent@corp.example;evil@x.example\n",
		"From: \xf0agent@corp.example\n", "From: a <agent@corp.example\n", "From: agent@corp.example\rX: y\n", "From: agent @corp.example\n",
		"From: agent@corp.example.\n", "From: \u0430gent@corp.example\n", "From: agent@corp\u0435.example\n", "From: agent@corp.example <evil@x.example>\n",
		"From\x00: evil@x.example\nFrom: agent@corp.example\n", "From evil: x\nX-A: b\nX-B c: d\nFrom: agent@corp.example\n",
		"garbage\nFrom: agent@corp.example\n", strings.Repeat("A: b\n", 10_000) + "From: agent@corp.example\n",
		"From: agent@corp.example\n" + strings.Repeat("A: b\n", 10_000) + "From: evil@x.example\n",
	} {
		for _, end := range []string{"\n", "\r\n"} {
			raw := strings.ReplaceAll(from, "\n", end) + end + "x"
			if m := Message([]byte(raw)); m.Author == agent {
				t.Errorf("%q is taken for the agent", raw)
			}
		}
	}
	for from, want := range map[string]string{
		"From: agent@corp.example\n": agent, "from:Agent <agent@CORP.example>\n": agent, "From: \"A, B\" <agent@corp.example>\n": agent,
		"From: =?utf-8?q?J=C3=BCrgen?=\n <agent@corp.example>\n": agent, "From: Agent <agent@corp.example>\nX-From: x\n": agent,
		"From: a+b@corp.example\n": "a+b@corp.example", "From: info@m\u00fcller.example\n": "info@xn--mller-kva.example",
	} {
		if m := Message([]byte(from + "\nx")); m.Author != want {
			t.Errorf("%q: author %q, want %q", from, m.Author, want)
		}
	}
}

// TestDecompressRTF uses the examples of MS-OXRTFCP §3.
func TestDecompressRTF(t *testing.T) {
	for in, want := range map[string]string{
		"2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af320" + "68656c09002062770" + "5b06c647d0a800fa0": "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
		"1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0":                                                 "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}",
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(decompressRTF(b)); got != want {
			t.Errorf("have %q, want %q", got, want)
		}
	}
}

// TestDates has the forms of RFC 5322 §3.3, §4.3 and what else is written into Date fields.
func TestDates(t *testing.T) {
	const want = "2026-11-21T08:12:40Z"
	for _, v := range []string{
		"Sat, 21 Nov 2026 09:12:40 +0100", "Sat,21 Nov 2026 09:12:40 +0100", "sat, 21 nov 2026 09:12:40 +0100", "21 Nov 2026 08:12:40 GMT",
		"Sat, 21 Nov 26 08:12:40 UT", "Sat, 21 Nov 126 08:12:40 Z", "Sat, 21 Nov 2026 03:12:40 EST", "2026-11-21 09:12:40 +01:00", "2026-11-21T08:12:40.000Z",
		"20261121T081240Z", "Sat Nov 21 08:12:40 2026", "Sat Nov 21 09:12:40 CET 2026", "Sa, 21 Nov 2026 09:12:40 +0100 (Mitteleurop\u00e4ische Zeit)",
		"Saturday, November 21, 2026 8:12:40 AM", "21.11.2026 08:12:40", "11/21/2026 08:12:40", "21/11/2026 08:12:40", "Sat, 21-Nov-2026 08:12:40 GMT",
		"Sat, 21 Nov 2026 (heute) 09:12:40 +0100", "Samstag, 21. November 2026 09:12:40 MEZ", "Sat, 21 Nov 2026 09.12.40 +0100", "Sat, 21 Nov 2026 09:12:40 +0100 +0100",
	} {
		if got := parseDate(v).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%q: %s, want %s", v, got, want)
		}
	}
	for _, v := range []string{"", "gestern", "Sat, 31 Jun 2026 09:12:40 +0100", "Sat, 21 Nov 2026 29:12:40 +0100", "12:00", "21 Foo 2026 09:12:40", "1 1 1 1 1", "Nov 2026"} {
		if got := parseDate(v); !got.IsZero() {
			t.Errorf("%q: %v, want none", v, got)
		}
	}
}

// TestParallel reads hostile mails eight at a time (S-122 to S-131, each eight times over).
func TestParallel(t *testing.T) {
	var wg sync.WaitGroup
	n := 32 << 10
	if raceEnabled {
		n = 8 << 10
	}
	for range 8 {
		wg.Go(func() {
			for _, g := range generators() {
				if p := promised(Message([]byte(g.make(n)))); p != "" {
					t.Errorf("%s: %s", g.name, p)
				}
			}
		})
	}
	wg.Wait()
}

// TestCaps: what is beyond the caps of S-123, S-124, S-125 and S-129 is left out and said.
func TestCaps(t *testing.T) {
	for name, c := range map[string]struct{ raw, defect string }{
		"S-122 fields":    {fill("A: b\n", 1<<20) + "\n", "the header is over 1 MiB or 10,000 fields"},
		"S-123 header":    {"Subject: a\n" + folded("X-A", "b", 4<<20), "the header is over 1 MiB or 10,000 fields"},
		"S-123 subject":   {fieldOf("Subject", fill("a", 1<<19)), "over 256 KiB"},
		"S-124 addresses": {folded("To", "a@b.example,", 200<<10), "more than 1,000 addresses"},
		"S-125 parts":     {part("multipart/mixed; boundary=b", fill("--b\n\nHallo\n", 1<<20)), "more than 1,000 parts"},
		"S-125 depth":     {generatorNamed(t, "S-125 nested multiparts").make(1 << 16), "more than 50 multiparts"},
	} {
		m := Message([]byte(c.raw))
		found := false
		for _, d := range m.Defects {
			found = found || strings.Contains(d.What, c.defect)
		}
		if !found {
			t.Errorf("%s: nothing is said about it: %v", name, m.Defects)
		}
	}
	if n := len(Message([]byte(folded("References", "<abc@firma.example>", 200<<10))).References); n != maxIDs {
		t.Errorf("S-129: %d references, want %d", n, maxIDs)
	}
}

func generatorNamed(t *testing.T, name string) generator {
	t.Helper()
	for _, g := range generators() {
		if g.name == name {
			return g
		}
	}
	t.Fatalf("no generator %q", name)
	return generator{}
}
