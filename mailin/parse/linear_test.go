package parse

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// generator makes a mail of about n octets that is meant to be slow to read.
type generator struct {
	name string
	make func(n int) string
}

// fill repeats a piece to about n octets.
func fill(piece string, n int) string { return strings.Repeat(piece, n/len(piece)+1) }

// field puts a value into a header of its own.
func fieldOf(name, value string) string { return name + ": " + value + "\n\nHallo\n" }

// folded makes a long value of lines that a server would let pass.
func folded(name, piece string, n int) string {
	return name + ":" + strings.Repeat("\n "+piece, n/(len(piece)+2)+1) + "\n\nHallo\n"
}

func part(typ, body string) string {
	return "Content-Type: " + typ + "\n\n" + body
}

func generators() []generator {
	return slices.Concat(headerGenerators(), partGenerators(), textGenerators())
}

// headerGenerators aim at the header.
func headerGenerators() []generator {
	return []generator{
		{"S-122 header lines", func(n int) string { return fill("A: b\n", n) + "\nHallo\n" }},
		{"S-122 empty header lines", func(n int) string { return fill("A:\n", n) + "\n" }},
		{"header folds", func(n int) string { return "Subject: x" + fill("\n y", n) + "\n\n" }},
		{"header folds of white space", func(n int) string { return "Subject: x" + fill("\n  ", n) + "\n\n" }},
		{"header lines without a colon", func(n int) string { return "From: a@b.example\n" + fill("garbage\nX-A: b\n", n) + "\n" }},
		{"header broken fields", func(n int) string { return "From: a@b.example\n" + fill("X-A b: c\n d\n", n) + "\n" }},
		{"header without a line end", func(n int) string { return fill("A", n) }},
		{"header of colons", func(n int) string { return fill(":", n) }},
		{"header of NUL", func(n int) string { return "Subject: " + fill("\x00", n) + "\n\n" }},
		{"S-132 header of CR", func(n int) string { return "Subject: a" + fill("\rb", n) + "\n\n" }},
		{"CR alone", func(n int) string { return fill("Subject: a\r", n) }},
		{"mbox lines", func(n int) string { return fill("From x\n", n) }},
		{"blank lines", func(n int) string { return fill("\n", n) }},
		{"S-123 long subject", func(n int) string { return fieldOf("Subject", fill("Rechnung ", n)) }},
		{"S-123 long folded subject", func(n int) string { return folded("Subject", "Rechnung", n) }},
		{"S-124 addresses", func(n int) string { return folded("To", "kunde@firma.example,", n) }},
		{"S-124 addresses with names", func(n int) string { return folded("Cc", `"Kunde, A" <a@firma.example>,`, n) }},
		{"address commas", func(n int) string { return folded("To", ",,,,,,,,,,", n) }},
		{"address open brackets", func(n int) string { return fieldOf("From", fill("<", n)) }},
		{"address bracket commas", func(n int) string { return fieldOf("From", fill("<a,", n)) }},
		{"address quotes in brackets", func(n int) string { return fieldOf("From", fill("<\"", n)) }},
		{"address names with commas", func(n int) string { return fieldOf("From", fill("a, ", n)+"<b@c>") }},
		{"address groups", func(n int) string { return fieldOf("To", fill("a:;", n)) }},
		{"address colons", func(n int) string { return fieldOf("To", fill("a@b:", n)) }},
		{"S-128 nested comments", func(n int) string { return fieldOf("From", fill("(", n)+"a@b") }},
		{"S-128 comments", func(n int) string { return fieldOf("From", fill("(a)", n)+"a@b") }},
		{"S-128 quotes", func(n int) string { return fieldOf("From", fill("\"", n)+"a@b") }},
		{"S-128 backslashes", func(n int) string { return fieldOf("From", "\""+fill("\\", n)) }},
		{"S-128 domain literals", func(n int) string { return fieldOf("From", "a@"+fill("[", n)) }},
		{"S-127 =?a?", func(n int) string { return fieldOf("Subject", fill("=?a?", n)) }},
		{"S-127 encoded-words", func(n int) string { return folded("Subject", "=?utf-8?q?=C3=BC?=", n) }},
		{"S-127 encoded-words without end", func(n int) string { return fieldOf("Subject", fill("=?a?q?b ", n)) }},
		{"S-127 encoded-words of unknown charsets", func(n int) string { return folded("Subject", "=?x-foo?b?w7zDvA==?= =?x-bar?q?=FC?=", n) }},
		{"S-127 open encoded-words", func(n int) string { return fieldOf("Subject", fill("=?utf-8?b?a", n)) }},
		{"S-127 words in addresses", func(n int) string { return folded("To", "=?utf-8?q?=C3=BC?= <a@b.example>,", n) }},
		{"S-129 references", func(n int) string { return folded("References", "<abc@firma.example>", n) }},
		{"S-129 references without brackets", func(n int) string { return folded("References", "abc@firma.example", n) }},
		{"S-129 references that never close", func(n int) string { return fieldOf("References", fill("<a", n)) }},
		{"S-129 message-id comments", func(n int) string { return fieldOf("Message-ID", fill("(", n)) }},
		{"S-129 received", func(n int) string { return fill("Received: from a by b; Sat, 21 Nov 2026 10:00:00 +0100\n", n) + "\n" }},
		{"raw 8-bit fields", func(n int) string { return fill("X-A: Gr\xf6\xdfe \xfc\xfc\xfc\xfc\n", n) + "\n" }},
		{"date", func(n int) string { return fieldOf("Date", fill("1 ", n)) }},
		{"date comments", func(n int) string { return fieldOf("Date", fill("(", n)) }},
	}
}

// partGenerators aim at parameters and structure.
func partGenerators() []generator {
	return []generator{
		{"parameters", func(n int) string { return part("text/plain; "+fill("a=b;", n), "Hallo") }},
		{"parameters without values", func(n int) string { return part("text/plain"+fill(";", n), "Hallo") }},
		{"parameter quotes", func(n int) string { return part("text/plain; name=\""+fill("\\\"", n), "Hallo") }},
		{"parameter comments", func(n int) string { return part("text/plain; name=a "+fill("(", n), "Hallo") }},
		{"parameter spaces", func(n int) string { return part("text/plain; name=a"+fill(" ", n)+"b", "Hallo") }},
		{"S-126 segments", func(n int) string {
			var b strings.Builder
			for i := 0; b.Len() < n; i++ {
				fmt.Fprintf(&b, ";\n name*%d*=a%%C3%%BC", i)
			}
			return part("text/plain"+b.String(), "Hallo")
		}},
		{"S-125 nested multiparts", func(n int) string {
			var b strings.Builder
			for i := 0; b.Len() < n; i++ {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
			}
			return b.String()
		}},
		{"S-125 parts", func(n int) string { return part("multipart/mixed; boundary=b", fill("--b\n\nHallo\n", n)) }},
		{"S-125 empty parts", func(n int) string { return part("multipart/mixed; boundary=b", fill("--b\n", n)) }},
		{"S-131 almost boundaries", func(n int) string { return part("multipart/mixed; boundary=b", fill("--c\n", n)) }},
		{"S-131 dashes", func(n int) string { return part("multipart/mixed; boundary=b", fill("--", n)) }},
		{"S-131 closed again and again", func(n int) string { return part("multipart/mixed; boundary=b", "--b\n\nHallo\n"+fill("--b--\n", n)) }},
		{"S-131 nested equal boundaries", func(n int) string {
			return part("multipart/mixed; boundary=b", fill("--b\nContent-Type: multipart/mixed; boundary=b\n\n", n))
		}},
		{"S-131 4 KiB boundary", func(n int) string {
			b := strings.Repeat("x", 4096)
			return part("multipart/mixed; boundary="+b, fill("--"+b+"y\n", n))
		}},
		{"S-131 no boundary parameter", func(n int) string { return part("multipart/mixed", fill("--abcdef\n", n)) }},
		{"attached mails", func(n int) string {
			return part("multipart/mixed; boundary=b", fill("--b\nContent-Type: message/rfc822\n\nSubject: a\n\nHallo\n", n))
		}},
		{"nested attached mails", func(n int) string { return fill("Content-Type: message/rfc822\n\n", n) }},
	}
}

// textGenerators aim at encodings, charsets and what text comes wrapped in.
func textGenerators() []generator {
	return []generator{
		{"S-131 base64 junk", func(n int) string { return "Content-Transfer-Encoding: base64\n\n" + fill("SGF*sbG8=!\n", n) }},
		{"S-131 base64 padding", func(n int) string { return "Content-Transfer-Encoding: base64\n\n" + fill("=", n) }},
		{"S-131 quoted-printable equals", func(n int) string { return "Content-Transfer-Encoding: quoted-printable\n\n" + fill("=", n) }},
		{"S-131 quoted-printable spaces", func(n int) string { return "Content-Transfer-Encoding: quoted-printable\n\n" + fill("= ", n) }},
		{"S-131 quoted-printable space runs", func(n int) string { return "Content-Transfer-Encoding: quoted-printable\n\n" + fill(" ", n) + "\n" }},
		{"S-131 uuencode", func(n int) string {
			return "Content-Transfer-Encoding: x-uuencode\n\n" + fill("begin 644 a\n#86)C\n", n)
		}},
		{"uuencode in text", func(n int) string { return "Subject: a\n\n" + fill("begin 644 a\n#86)C\nend\n", n) }},
		{"uuencode begins", func(n int) string { return "Subject: a\n\n" + fill("begin 644 a\n", n) }},
		{"S-130 utf-7", func(n int) string { return part("text/plain; charset=utf-7", fill("+", n)) }},
		{"S-130 utf-7 run", func(n int) string { return part("text/plain; charset=utf-7", "+"+fill("AGE", n)) }},
		{"S-130 iso-2022-jp", func(n int) string { return part("text/plain; charset=iso-2022-jp", fill("\x1b$B$\"\x1b(B", n)) }},
		{"S-130 iso-2022-kr", func(n int) string { return part("text/plain; charset=iso-2022-kr", fill("\x0e0!\x0f", n)) }},
		{"S-130 hz", func(n int) string { return part("text/plain; charset=hz-gb-2312", fill("~{<:~}", n)) }},
		{"S-130 utf-16 odd", func(n int) string { return part("text/plain; charset=utf-16", "\xff\xfe"+fill("a\x00", n)+"a") }},
		{"S-130 overlong", func(n int) string { return part("text/plain; charset=utf-8", fill("\xc0\xaf", n)) }},
		{"S-130 guessed", func(n int) string {
			return part("text/plain; charset=x-foo", fill("Gr\xf6\xdfe und \xdcberweisung ", n))
		}},
		{"S-135 addresses of pages", func(n int) string { return part("text/plain", fill("https://x.example/a?b=c ", n)) }},
		{"S-135 an address of a page without an end", func(n int) string { return part("text/plain", "http://"+fill("a.b/%20", n)) }},
		{"S-135 links of a page", func(n int) string { return part("text/html", fill("<a href=\"https://x.example/\">x</a> ", n)) }},
		{"S-135 beginnings of addresses", func(n int) string { return part("text/plain", fill("http://http://", n)) }},
		{"flowed", func(n int) string { return part("text/plain; format=flowed", fill("> a \n", n)) }},
		{"flowed quotes", func(n int) string { return part("text/plain; format=flowed", fill(">", n)) }},
		{"pgp", func(n int) string { return "Subject: a\n\n" + fill("-----BEGIN PGP SIGNED MESSAGE-----\n", n) }},
		{"calendar", func(n int) string {
			return part("text/calendar", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:a"+fill("\n b", n)+"\nEND:VEVENT\n")
		}},
		{"enriched", func(n int) string { return part("text/enriched", fill("<param>", n)) }},
		{"S-134 html tags", func(n int) string { return part("text/html", fill("<b>", n)) }},
		{"S-134 html attribute", func(n int) string { return part("text/html", "<a title=\""+fill("a", n)+"\">x</a>") }},
		{"html metas", func(n int) string { return part("text/html", fill("<meta ", n)) }},
		{"S-133 tnef attributes", func(n int) string {
			return tnefMail(strings.Repeat("\x01\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00", n/15))
		}},
		{"S-133 tnef rtf", func(n int) string {
			return tnefMail(tnefBody(append([]byte(lzfuHeader(1<<30)), bytes.Repeat([]byte{0xff, 0, 0xf, 0, 0xf, 0, 0xf, 0, 0xf, 0, 0xf, 0, 0xf, 0, 0xf, 0, 0xf}, n/25)...)))
		}},
		{"smime nested", func(n int) string {
			return "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: binary\n\n" + fill("\x30\x80", n)
		}},
		{"one long line", func(n int) string { return "Subject: a\n\n" + fill("a", n) }},
		{"invisible subject", func(n int) string { return fieldOf("Subject", fill("\u202e", n)) }},
		{"S-139 random octets", func(n int) string {
			r := rand.New(rand.NewPCG(1, 2))
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			return string(b)
		}},
	}
}

// tnefMail wraps TNEF attributes in a mail.
func tnefMail(attributes string) string {
	data := append(binary.LittleEndian.AppendUint32(nil, tnefSignature), 0, 0)
	data = append(data, attributes...)
	return "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" +
		base64.StdEncoding.EncodeToString(data) + "\n"
}

// tnefBody is the attribute that holds an RTF body.
func tnefBody(rtf []byte) string {
	var v []byte
	v = binary.LittleEndian.AppendUint32(v, 1)
	v = binary.LittleEndian.AppendUint16(v, 0x0102)
	v = binary.LittleEndian.AppendUint16(v, propRTFCompressed)
	v = binary.LittleEndian.AppendUint32(v, 1)
	v = binary.LittleEndian.AppendUint32(v, uint32(len(rtf)))
	v = append(v, rtf...)
	a := []byte{1}
	a = binary.LittleEndian.AppendUint32(a, attMsgProps)
	a = binary.LittleEndian.AppendUint32(a, uint32(len(v)))
	a = append(a, v...)
	return string(a) + "\x00\x00"
}

func lzfuHeader(size uint32) string {
	b := binary.LittleEndian.AppendUint32(nil, 0)
	b = binary.LittleEndian.AppendUint32(b, size)
	b = append(b, "LZFu"...)
	return string(append(b, 0, 0, 0, 0))
}

// growth measures how much more processor time f takes for twice the input: the least of up to most tries,
// because the collector can only make a try slower.
func growth(f func(n int), n, most int) (ratio float64, longest time.Duration) {
	measure := func(n, tries int) time.Duration {
		best := time.Duration(1 << 62)
		for range tries {
			start := cpuTime()
			f(n)
			best = min(best, cpuTime()-start)
		}
		return best
	}
	for tries := 1; ; tries *= 2 {
		one, two := measure(n, tries), measure(2*n, tries)
		// Below four milliseconds the collector is all that is measured.
		ratio, longest = float64(two)/float64(max(one, 4*time.Millisecond)), two
		if ratio <= 2.5 || tries >= most {
			return ratio, longest
		}
	}
}

// TestLinear is the gate of S-136, with the inputs of S-122 to S-134: twice the mail takes at most 2.5 times as long,
// and none takes a second.
func TestLinear(t *testing.T) {
	n, limit := 2<<20, time.Second
	if raceEnabled {
		n, limit = 96<<10, 5*time.Second
	}
	list := generators()
	if len(list) < 40 {
		t.Fatalf("%d generators: want at least 40", len(list))
	}
	for _, g := range list {
		t.Run(g.name, func(t *testing.T) {
			inputs := map[int][]byte{n: []byte(g.make(n)), 2 * n: []byte(g.make(2 * n))}
			var text int
			ratio, longest := growth(func(n int) { text = len(Message(inputs[n]).Text) }, n, 16)
			t.Logf("%d octets in %v, growth %.2f, %d octets of text", 2*n, longest, ratio, text)
			if ratio > 2.5 {
				t.Errorf("twice the input takes %.2f times as long", ratio)
			}
			if longest > limit {
				t.Errorf("%d octets take %v", 2*n, longest)
			}
		})
	}
}

// TestLinearFindsQuadratic holds that the gate of S-136 is able to fail.
func TestLinearFindsQuadratic(t *testing.T) {
	sum := 0
	ratio, _ := growth(func(n int) {
		for i := range n {
			for j := range n {
				sum += i ^ j
			}
		}
	}, 4096, 2)
	if ratio <= 2.5 {
		t.Errorf("a quadratic function passed the gate with %.2f (%d)", ratio, sum)
	}
}

// TestBounds holds the memory bound of S-122 to S-134 and the promises about every string of a Message.
func TestBounds(t *testing.T) {
	n := 1 << 20
	if raceEnabled {
		n = 64 << 10
	}
	for _, g := range generators() {
		t.Run(g.name, func(t *testing.T) {
			raw := []byte(g.make(n))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			m := Message(raw)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 100<<20 {
				t.Errorf("allocates %d MiB for a mail of 1 MiB", used>>20)
			}
			if problem := promised(m); problem != "" {
				t.Error(problem)
			}
			if !utf8.Valid([]byte(m.Text)) || len(m.Text) > 4*len(raw)+4096 {
				t.Errorf("text of %d octets from %d", len(m.Text), len(raw))
			}
		})
	}
}
