package parse

import (
	"bytes"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// seedMails adds the mails of the project as seeds.
func seedMails(f *testing.F) {
	files, err := filepath.Glob("../../testdata/mail/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, g := range generators() {
		f.Add([]byte(g.make(200)))
	}
}

// FuzzMIMEWalk: no panic, the promises hold, and reading again gives the same (S-125, S-131, S-139).
func FuzzMIMEWalk(f *testing.F) {
	seedMails(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Message(raw)
		if p := promised(m); p != "" {
			t.Error(p)
		}
		if len(m.Text) > 8*len(raw)+4096 {
			t.Errorf("%d octets of text from %d", len(m.Text), len(raw))
		}
		if again := Message(raw); again.Identity != m.Identity || again.Text != m.Text {
			t.Error("the second reading differs from the first")
		}
		w := walker{raw: raw, defect: func(string, string) {}}
		root, _ := w.part(0, "", "text/plain", true)
		if n := countParts(root); n > maxParts+2 {
			t.Errorf("%d parts", n)
		}
	})
}

func countParts(n *node) int {
	sum := 1
	for _, kid := range n.kids {
		sum += countParts(kid)
	}
	return sum
}

// FuzzHeaderSplit: no well-formed field is lost, and nothing but white space is left over (S-132).
func FuzzHeaderSplit(f *testing.F) {
	f.Add([]byte("From: a@b.example\r\nSubject: x\r\n y\r\n\r\nHallo"))
	f.Add([]byte("A: x\ry\nFrom: a@b.example\n\n"))
	f.Add([]byte("From x\n\nSubject : a\nX-A b: c\n d\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h := splitHeader(raw, true, nil)
		h.repairCharset("")
		if h.body < 0 || h.body > len(raw) {
			t.Fatalf("body at %d of %d", h.body, len(raw))
		}
		for _, f := range h.fields {
			if f.name == "" || strings.ContainsAny(f.name, " \t:\r\n") || strings.ContainsAny(f.value, "\r\n\x00") || !utf8.ValidString(f.value) {
				t.Errorf("field %q: %q", f.name, f.value)
			}
		}
		if len(raw) > 10_000 || bytes.ContainsAny(raw, "\r") {
			return
		}
		// Lines that are fields by the letter are all there, in order.
		seen := 0
		for line := range bytes.Lines(raw[:h.body]) {
			if name, colon := fieldLine(bytes.TrimRight(line, "\n")); colon > 0 && seen < len(h.fields) && h.fields[seen].name == string(line[:name]) {
				seen++
			}
		}
		if seen != len(h.fields) {
			t.Errorf("%d of %d fields stand in the header in their order", seen, len(h.fields))
		}
	})
}

// FuzzAddressList: identity fails closed. Where it names somebody, the standard library reads the same one mailbox, and
// so does the lenient reader (S-076, S-077).
func FuzzAddressList(f *testing.F) {
	for _, v := range []string{"a@b.example", `"A, B" <a@b.example>`, "agent@corp.example(<evil@x.example>)", "a@b.example, c@d.example",
		"G: a@b.example;", "=?utf-8?q?a?= <a@b.example>", "<@x:a@b.example>", `"a b"@c.example`, "a@b.example <c@d.example>", "A (b) <c@d.example>"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		raw := "From: " + v + "\n\n"
		h := splitHeader([]byte(raw), true, nil)
		h.repairCharset("")
		who := author(&h)
		list := addresses(h.value("from"), "")
		for _, a := range list {
			if strings.ContainsAny(a.Name+a.Mail, "\r\n\x00") || !utf8.ValidString(a.Name+a.Mail) {
				t.Errorf("address %q", a)
			}
		}
		if who == "" {
			return
		}
		std, err := mail.ParseAddressList(h.value("from"))
		if err != nil || len(std) != 1 || len(list) != 1 || list[0].Mail != std[0].Address {
			t.Errorf("%q is taken for %q; the standard library reads %v (%v), the lenient reader %v", v, who, std, err, list)
		}
	})
}

// FuzzEncodedWord: nothing decoded carries CR, LF or NUL, and it is UTF-8 (S-109, S-127).
func FuzzEncodedWord(f *testing.F) {
	for _, v := range []string{"=?utf-8?q?a=0D=0ABcc:_x=40y?=", "=?utf-8?b?w7w=?=", "=?a?", "=?x?q?=?=?=", "a =?iso-8859-1?Q?=FC?= b"} {
		f.Add(v, "")
	}
	f.Fuzz(func(t *testing.T, v, hint string) {
		if got := decodeWords(v, hint); strings.ContainsAny(got, "\r\n\x00") || utf8.ValidString(v) && !utf8.ValidString(got) {
			t.Errorf("%q gives %q", v, got)
		}
	})
}

// FuzzParam2231: parameters are one line of UTF-8, and few (S-126).
func FuzzParam2231(f *testing.F) {
	for _, v := range []string{"text/plain; name*0*=utf-8''a%20; name*1=b", `attachment; filename="a;b"`, "text/plain charset=utf-8", "a/b; c=\"d"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		h := splitHeader([]byte("Content-Type: "+v+"\n\n"), true, nil)
		h.repairCharset("")
		typ, params := structured(h.value("content-type"), "")
		if strings.ContainsAny(typ, "\r\n\x00 ") || len(params) > maxParams+maxSegments {
			t.Errorf("type %q, %d parameters", typ, len(params))
		}
		for name, p := range params {
			if strings.ContainsAny(name+p, "\r\n\x00") || !utf8.ValidString(p) {
				t.Errorf("parameter %q: %q", name, p)
			}
		}
	})
}

// FuzzCharset: the text is UTF-8 and at most four times as long (S-130).
func FuzzCharset(f *testing.F) {
	for _, name := range []string{"", "utf-8", "utf-7", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "utf-16", "utf-16le", "big5", "gb2312", "shift_jis",
		"windows-1252", "iso-8859-1", "x-foo", "koi8-r", "macintosh", "ibm437"} {
		f.Add([]byte("Gr\xc3\xbc\xc3\x9fe \xfc\xdf +AGE- ~{<:~} \x1b$B$\"\x1b(B \x0e0!\x0f"), name)
	}
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		d := decodeCharset(b, name, true)
		if !utf8.ValidString(d.text) || len(d.text) > 4*len(b)+16 {
			t.Errorf("%d octets in %q give %d: valid %v", len(b), name, len(d.text), utf8.ValidString(d.text))
		}
	})
}

// FuzzFilename: safe names are safe, and stay as they are (S-142).
func FuzzFilename(f *testing.F) {
	for _, v := range []string{"../../x", "\u202e.htaccess", "a\u202egpj.exe", "CON", "con.txt", "a/b\\c", strings.Repeat("x", 300) + ".pdf", " . ", "LPT1", "0\u2000.", ".\u3000a"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		name := SafeName(v)
		if p := unsafeName(name); p != "" {
			t.Error(p)
		}
		if again := SafeName(name); again != name {
			t.Errorf("%q becomes %q and then %q", v, name, again)
		}
	})
}

// FuzzFlowed: unflow neither loses nor adds anything but white space and quote marks.
func FuzzFlowed(f *testing.F) {
	f.Add("a \nb\n> c \n> d\n-- \ne", false)
	f.Add(">> a \n> b \n\nc", true)
	f.Fuzz(func(t *testing.T, text string, delSp bool) {
		text = strings.ToValidUTF8(text, "?") // as decoded texts are
		keep := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r == ' ' || r == '\n' || r == '>' {
					return -1
				}
				return r
			}, s)
		}
		if got := unflow(text, delSp); keep(got) != keep(text) {
			t.Errorf("%q gives %q", text, got)
		}
	})
}

// FuzzTNEF: a damaged winmail.dat neither panics nor grows (S-133).
func FuzzTNEF(f *testing.F) {
	f.Add([]byte("\x78\x9f\x3e\x22\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tn, _ := decodeTNEF(b)
		sum := len(tn.text) + len(tn.html)
		for _, file := range tn.files {
			sum += len(file.data)
		}
		if sum > 8*len(b)+1024 || len(tn.files) > maxTNEFFiles || len(tn.rtf) > 18*len(b) {
			t.Errorf("%d octets and %d files from %d", sum, len(tn.files), len(b))
		}
		text, _ := rtfText(tn.rtf)
		if !utf8.ValidString(text) {
			t.Errorf("RTF text %q", text)
		}
		text, _ = rtfText(b)
		if !utf8.ValidString(text) {
			t.Errorf("RTF text %q", text)
		}
	})
}

// FuzzSMIME: any octets may stand where a signature should (S-131).
func FuzzSMIME(f *testing.F) {
	f.Add([]byte("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if content, _ := openSMIME(b); len(content) > len(b) {
			t.Errorf("%d octets from %d", len(content), len(b))
		}
	})
}

// FuzzDate: never a panic, and never a time far from any mail.
func FuzzDate(f *testing.F) {
	for _, v := range []string{"Sat, 21 Nov 2026 09:12:40 +0100", "2026-11-21T09:12:40Z", "21.11.2026 09:12", "Sa, 21. Nov. 2026 09:12:40 MEZ"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if d := parseDate(v); !d.IsZero() && (d.UTC().Year() < 1969 || d.UTC().Year() > 2201) {
			t.Errorf("%q gives %v", v, d)
		}
	})
}
