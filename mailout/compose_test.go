package mailout

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/tickets"
)

func letter(class tickets.Class) tickets.Letter {
	return tickets.Letter{
		Class:      class,
		From:       tickets.Address{Name: "Nordwind Service", Mail: "support@desk.example"},
		To:         []tickets.Address{{Name: "Jörg Müller", Mail: "joerg@customer.example"}},
		ReplyTo:    tickets.Address{Mail: "support+abc@desk.example"},
		Subject:    "Drucker druckt nicht – dringend [NW-2026-000042]",
		MessageID:  "t42.3.k7q2@desk.example",
		InReplyTo:  "parent@customer.example",
		References: []string{"root@customer.example", "parent@customer.example"},
		Date:       time.Date(2026, 11, 20, 9, 30, 0, 0, time.FixedZone("CET", 3600)),
		Language:   "de",
		ListID:     "network.desk.example",
		Ticket:     "NW-2026-000042",
		Template:   "T04",
		ConfigRev:  "9f3a",
		Text:       "Guten Tag,\n\nwir kümmern uns.\n",
	}
}

// parse reads a mail with the standard library and fails on anything it does not like.
func parse(t testing.TB, raw []byte) *mail.Message {
	t.Helper()
	if err := checkBytes(raw); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("read back: %v\n%s", err, raw)
	}
	return m
}

func compose(t testing.TB, l tickets.Letter) []byte {
	t.Helper()
	raw, err := new(Composer).Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func decoded(t testing.TB, s string) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type part struct {
	header map[string][]string
	name   string
	body   []byte
}

// leaves returns the parts of a mail that hold content, in order.
func leaves(t testing.TB, contentType, encoding string, body io.Reader) []part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatalf("content type %q: %v", contentType, err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if encoding == "quoted-printable" {
			body = quotedprintable.NewReader(body)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return []part{{body: b, header: map[string][]string{"Content-Type": {contentType}}}}
	}
	var all []part
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		sub := leaves(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
		for i := range sub {
			if len(sub) == 1 {
				sub[i].header, sub[i].name = p.Header, p.FileName()
			}
		}
		all = append(all, sub...)
	}
}

func content(t testing.TB, m *mail.Message) []part {
	t.Helper()
	return leaves(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
}

// The fields that say what kind of mail it is, per class; S-059, S-045, and nothing internal to customers (S-104).
func TestComposeHeaderPerClass(t *testing.T) {
	always := []string{"Content-Language", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "In-Reply-To",
		"Message-Id", "Mime-Version", "References", "Reply-To", "Subject", "To", "X-Desk-Ticket"}
	automatic := []string{"Auto-Submitted", "X-Auto-Response-Suppress"}
	staff := []string{"X-Desk-Rev", "X-Desk-Template", "List-Id"}
	for class, want := range map[tickets.Class]struct {
		fields              []string
		submitted, suppress string
	}{
		tickets.ClassAnswer:  {always, "", ""},
		tickets.ClassAuto:    {slices.Concat(always, automatic), "auto-replied", "All"},
		tickets.ClassNotice:  {slices.Concat(always, automatic, staff), "auto-generated", "OOF, AutoReply"},
		tickets.ClassReceipt: {slices.Concat(always, automatic, staff), "auto-replied", "All"},
	} {
		m := parse(t, compose(t, letter(class)))
		var got []string
		for name, values := range m.Header {
			got = append(got, name)
			if len(values) != 1 {
				t.Errorf("%s: %s stands %d times", class, name, len(values))
			}
		}
		slices.Sort(got)
		slices.Sort(want.fields)
		if !slices.Equal(got, want.fields) {
			t.Errorf("%s: fields\n%v, want\n%v", class, got, want.fields)
		}
		if v := m.Header.Get("Auto-Submitted"); v != want.submitted {
			t.Errorf("%s: Auto-Submitted %q, want %q", class, v, want.submitted)
		}
		if v := m.Header.Get("X-Auto-Response-Suppress"); v != want.suppress {
			t.Errorf("%s: X-Auto-Response-Suppress %q, want %q", class, v, want.suppress)
		}
	}
}

func TestComposeValues(t *testing.T) {
	l := letter(tickets.ClassNotice)
	l.Important = true
	m := parse(t, compose(t, l))
	for name, want := range map[string]string{
		"Message-ID":  "<t42.3.k7q2@desk.example>",
		"In-Reply-To": "<parent@customer.example>",
		"References":  "<root@customer.example> <parent@customer.example>",
		"Date":        "Fri, 20 Nov 2026 09:30:00 +0100",
		"List-Id":     "<network.desk.example>",
		"Importance":  "high",
		"Reply-To":    "<support+abc@desk.example>",
		"Subject":     l.Subject,
	} {
		if got := decoded(t, m.Header.Get(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if from, err := m.Header.AddressList("From"); err != nil || from[0].Name != l.From.Name || from[0].Address != l.From.Mail {
		t.Errorf("From: %v, %v", from, err)
	}
	if to, err := m.Header.AddressList("To"); err != nil || to[0].Name != "Jörg Müller" {
		t.Errorf("To: %v, %v", to, err)
	}
	body := content(t, m)
	if len(body) != 1 || string(body[0].body) != strings.ReplaceAll(l.Text, "\n", "\r\n") {
		t.Errorf("body %q", body)
	}
}

// S-036: the same letter gives the same bytes, also with both multipart levels.
func TestComposeSameLetterSameBytes(t *testing.T) {
	l := letter(tickets.ClassAnswer)
	l.HTML = "<p>wir kümmern uns</p>"
	l.Attached = []tickets.File{{Name: "Übersicht.pdf", Type: "application/pdf", Data: []byte("%PDF")}, {Name: "b.txt", Type: "text/plain", Data: nil}}
	first := compose(t, l)
	for range 20 {
		if again := compose(t, l); !bytes.Equal(first, again) {
			t.Fatalf("bytes differ:\n%s\n----\n%s", first, again)
		}
	}
	for _, size := range []int{10, len(first), 1 << 20} { // what stood in the room before is in no mail
		l.Room = bytes.Repeat([]byte("secret"), size)
		if again := compose(t, l); !bytes.Equal(first, again) {
			t.Fatalf("bytes differ with room for %d", size)
		}
	}
	l.Text += "!"
	if bytes.Equal(first, compose(t, l)) {
		t.Fatal("another text gives the same bytes")
	}
}

// S-113: names in the form of RFC 2231, read back exactly; nested multiparts have boundaries of their own.
func TestComposeAttachments(t *testing.T) {
	names := map[string]string{ // given → read back
		"report.pdf":                 "report.pdf",
		"Übersicht März.pdf":         "Übersicht März.pdf",
		"../../etc/passwd":           "passwd",
		`C:\Users\x\a.txt`:           "a.txt",
		"a\r\nBcc: x@y.example.txt":  "a Bcc_ x@y.example.txt",
		"":                           "attachment",
		`quote".txt`:                 "quote_.txt",
		"100%'*.txt":                 "100%'_.txt",
		strings.Repeat("ü", 100):     strings.Repeat("ü", 100),
		strings.Repeat("long ", 20):  strings.TrimSpace(strings.Repeat("long ", 20)),
		"=?utf-8?q?a=0D=0ABcc:_b?=x": "=_utf-8_q_a=0D=0ABcc__b_=x",
	}
	for given, want := range names {
		l := letter(tickets.ClassAnswer)
		l.HTML = "<p>hi</p>"
		l.Attached = []tickets.File{{Name: given, Type: "text/csv; charset=latin1", Data: []byte("1;2\n")}}
		m := parse(t, compose(t, l))
		parts := content(t, m)
		if len(parts) != 3 {
			t.Fatalf("%q: %d parts, want text, HTML and file", given, len(parts))
		}
		disposition := parts[2].header["Content-Disposition"][0]
		_, params, err := mime.ParseMediaType(disposition)
		if err != nil || params["filename"] != want {
			t.Errorf("%q: read back as %q, want %q (%v)\n%s", given, params["filename"], want, err, disposition)
		}
		if got := parts[2].header["Content-Type"][0]; got != "text/csv" {
			t.Errorf("%q: type %q", given, got)
		}
	}
}

// S-113: a text that holds the mail's own boundary still reads back as one part.
func TestComposeBoundaryInText(t *testing.T) {
	l := letter(tickets.ClassAnswer)
	l.HTML = "<p>x</p>"
	_, params, err := mime.ParseMediaType(parse(t, compose(t, l)).Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	l.Text = "--" + params["boundary"] + "\r\nContent-Type: text/html\r\n\r\n<b>no</b>\r\n--" + params["boundary"] + "--\r\n"
	raw := compose(t, l)
	raw2 := parse(t, raw)
	parts := content(t, raw2)
	if len(parts) != 2 || string(parts[0].body) != l.Text {
		t.Fatalf("%d parts: %q", len(parts), parts)
	}
}

// S-048: dots, lone CR, long lines and "From " come back as they were.
func TestComposeBodySurvives(t *testing.T) {
	for _, text := range []string{
		"a\n.\nb\n", ".\n", "..\r\n.x\n", "one\rtwo\n", "\rü\n", "\r\x00\r\n\r", strings.Repeat("x", 5000) + "\n", strings.Repeat("ü", 5000) + "\n",
		"From here\n>From there\n", "trailing blank \t\n", "no line end", "", "nul \x00 esc \x1b[2J\n", "bad \xff utf-8\n",
	} {
		l := letter(tickets.ClassAuto)
		l.Text = text
		raw := compose(t, l)
		parts := content(t, parse(t, raw))
		want := strings.ToValidUTF8(text, "\uFFFD")
		if !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		want = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(want)
		if len(parts) != 1 || string(parts[0].body) != want {
			t.Errorf("%.40q came back as %.60q", text, parts[0].body)
		}
		if !ascii(string(raw)) {
			t.Errorf("%.40q: the mail is not 7-bit", text)
		}
	}
}

// S-066: automatic answers are text only.
func TestComposeAutomaticIsPlain(t *testing.T) {
	l := letter(tickets.ClassAuto)
	l.HTML = "<b>x</b>"
	m := parse(t, compose(t, l))
	if got := m.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("type %q", got)
	}
	l.Attached = []tickets.File{{Name: "a"}}
	if _, err := new(Composer).Compose(l); err == nil {
		t.Error("an automatic answer with an attachment was composed")
	}
}

// S-109: header values from outside cannot add fields or lines.
func TestComposeNoInjection(t *testing.T) {
	l := letter(tickets.ClassNotice)
	evil := "a\r\nBcc: x@y.example\r\n\r\nbody\x00\u2028\u202E=?utf-8?q?a=0D=0ABcc:_x=40y?="
	l.Subject, l.From.Name, l.To[0].Name = evil, evil, evil
	l.Ticket, l.Template, l.ConfigRev, l.ListID, l.Language = evil, evil, evil, evil, evil
	l.InReplyTo, l.References = evil, []string{evil, "ok@x.example"}
	m := parse(t, compose(t, l))
	if len(m.Header["Subject"]) != 1 || m.Header.Get("Bcc") != "" || m.Header.Get("In-Reply-To") != "" {
		t.Errorf("header %v", m.Header)
	}
	if got, want := decoded(t, m.Header.Get("Subject")), "a Bcc: x@y.example body =?utf-8?q?a=0D=0ABcc:_x=40y?="; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	if got := m.Header.Get("References"); got != "<ok@x.example>" {
		t.Errorf("references %q", got)
	}
}

// S-110: References are valid msg-ids, at most the first and the last twenty, folded.
func TestComposeReferences(t *testing.T) {
	l := letter(tickets.ClassAnswer)
	l.References = []string{strings.Repeat("junk ", 1000), "no-at", "<x@y>", "a@b@c", "ü@x", strings.Repeat("x", 300) + "@y"}
	for i := range 10000 {
		l.References = append(l.References, fmt.Sprintf("%s%d@customer.example", strings.Repeat("i", 60), i))
	}
	raw := compose(t, l)
	ids := strings.Fields(parse(t, raw).Header.Get("References"))
	if len(ids) != 21 || !strings.Contains(ids[0], "i0@") || !strings.Contains(ids[20], "i9999@") || !strings.Contains(ids[1], "i9980@") {
		t.Errorf("%d ids: %v", len(ids), ids)
	}
}

// S-112: display names that pretend to be an address or the desk are left out.
func TestComposeMisleadingNames(t *testing.T) {
	c := &Composer{Reserved: []string{"Nordwind Service"}}
	for name, want := range map[string]string{
		"support@desk.example":  "",
		"support＠desk.example":  "",
		"NORDWIND  -  Service!": "",
		"Nordwind Fan":          "Nordwind Fan",
		"Evil\u202Egnp.exe":     "Evilgnp.exe",
		"=?utf-8?q?x=40y?=":     "= ?utf-8?q?x=40y?=",
		"Ann \"The\" B\\c":      "Ann \"The\" B\\c",
	} {
		l := letter(tickets.ClassAnswer)
		l.To = []tickets.Address{{Name: name, Mail: "evil@x.example"}}
		raw, err := c.Compose(l)
		if err != nil {
			t.Fatal(err)
		}
		m := parse(t, raw)
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Name != want || to[0].Address != "evil@x.example" {
			t.Errorf("%q: shown as %v, want %q (%v)", name, to, want, err)
		}
		if from, err := m.Header.AddressList("From"); err != nil || from[0].Name != "Nordwind Service" {
			t.Errorf("the desk's own name is gone: %v, %v", from, err)
		}
	}
}

func TestComposeRefuses(t *testing.T) {
	for name, change := range map[string]func(*tickets.Letter){
		"no Message-ID": func(l *tickets.Letter) { l.MessageID = "" },
		"no date":       func(l *tickets.Letter) { l.Date = time.Time{} },
		"no recipient":  func(l *tickets.Letter) { l.To = nil },
		"no sender":     func(l *tickets.Letter) { l.From = tickets.Address{} },
		"no class":      func(l *tickets.Letter) { l.Class = "" },
		"S-053 address": func(l *tickets.Letter) { l.Cc = []tickets.Address{{Mail: "a@b>\r\nRCPT TO:<x@y"}} },
	} {
		l := letter(tickets.ClassAnswer)
		change(&l)
		if raw, err := new(Composer).Compose(l); err == nil {
			t.Errorf("%s: composed\n%s", name, raw)
		}
	}
}

// S-053: what may stand in an envelope, and how it is written there.
func TestAddresses(t *testing.T) {
	for a, want := range map[string]string{
		"a@b.example": "a@b.example", "o'neil+x=1@b.example": "o'neil+x=1@b.example", "a@[127.0.0.1]": "a@[127.0.0.1]",
		"a@[IPv6:::1]": "a@[IPv6:::1]", "jürgen@müller.example": "jürgen@müller.example",
		"a..b@c.example": `"a..b"@c.example`, ".a@c.example": `".a"@c.example`, "a.@c.example": `"a."@c.example`,
		`"a@b"@c.example`: `"a@b"@c.example`, `"a\"b"@c.example`: `"a\"b"@c.example`,
	} {
		if err := checkAddress(a); err != nil {
			t.Errorf("%s: %v", a, err)
		} else if got := path(a); got != want {
			t.Errorf("%s: written as %s, want %s", a, got, want)
		}
	}
	for _, a := range []string{
		"", "a", "@b", "a@", "a b@c", "a@b c", "a@b>\r\nRCPT TO:<x@y", "<a@b>", "a\x00@b", "a@b\n", "a@b,c@d", "a,b@c", "a@b@c",
		`"a@b`, `"a"b"@c`, `"a b"@c`, "a@[1", "a@1]", "a@b:25", strings.Repeat("a", 65) + "@b", "a@" + strings.Repeat("b", 255), "a\u202E@b", "a\xff@b",
		"a(c)@b", "a:b@c", `a\b@c`, "a@b(c)", "a@b/c",
	} {
		if checkAddress(a) == nil {
			t.Errorf("%q is let through", a)
		}
	}
}

// FuzzBuildMessage holds S-109 for any input: what is read back has exactly the intended fields, once each, and exactly
// the intended parts.
func FuzzBuildMessage(f *testing.F) {
	f.Add("subject", "name", "file.txt", "id@x", "text\n.\n", "<p>", uint8(0))
	f.Add("=?utf-8?q?a=0D=0ABcc:_x=40y?=", "a\r\nBcc: b", "a\"; x=\"", "a@b>\r\nX: y", "\r\n--=_0", "", uint8(2))
	f.Add("ü \u2028\x00   "+strings.Repeat("x", 2000), "\u202E@", strings.Repeat("ü", 200), "", "a\rb", "\x00", uint8(3))
	f.Add("0", "naY\xfc\xfa\\", "yile.txt", "id@Y", "te\ntxn\x0e", "<\x1b", uint8(0))
	f.Fuzz(func(t *testing.T, subject, name, file, id, text, html string, class uint8) {
		classes := []tickets.Class{tickets.ClassAnswer, tickets.ClassAuto, tickets.ClassNotice, tickets.ClassReceipt}
		l := letter(classes[int(class)%len(classes)])
		l.Subject, l.To[0].Name, l.From.Name, l.Text, l.HTML = subject, name, name, text, html
		l.InReplyTo, l.References, l.Ticket, l.ListID, l.Language = id, []string{id, name}, name, file, name
		parts := 1
		if html != "" && l.Class != tickets.ClassAuto {
			parts++
		}
		if file != "" && l.Class != tickets.ClassAuto {
			l.Attached = []tickets.File{{Name: file, Type: name, Data: []byte(text)}}
			parts++
		}
		m := parse(t, compose(t, l))
		allowed := []string{"Auto-Submitted", "Content-Language", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "In-Reply-To",
			"List-Id", "Message-Id", "Mime-Version", "References", "Reply-To", "Subject", "To", "X-Auto-Response-Suppress",
			"X-Desk-Rev", "X-Desk-Template", "X-Desk-Ticket"}
		for field, values := range m.Header {
			if !slices.Contains(allowed, field) || len(values) != 1 {
				t.Errorf("field %q stands %d times", field, len(values))
			}
		}
		if got, want := decoded(t, m.Header.Get("Subject")), cleanSubject(subject, maxSubject); got != want {
			t.Errorf("subject %q, want %q", got, want)
		}
		for _, field := range []string{"From", "To"} {
			if list, err := m.Header.AddressList(field); err != nil || len(list) != 1 {
				t.Errorf("%s: %v, %v", field, list, err)
			}
		}
		if got := content(t, m); len(got) != parts {
			t.Errorf("%d parts, want %d", len(got), parts)
		}
	})
}

// S-144: of the marks of direction only closed isolates are left in a subject, which the desk's own texts make.
func TestSubjectKeepsClosedIsolates_S144(t *testing.T) {
	for in, want := range map[string]string{
		"Re: \u2068שלום\u2069 [NW-1]":    "Re: \u2068שלום\u2069 [NW-1]",
		"Re: \u2068שלום [NW-1]":          "Re: \u2068שלום [NW-1]\u2069",
		"Re: \u2069\u2069שלום":           "Re: שלום",
		"\u2068\u202eשלום\u2067\u2069 x": "\u2068שלום\u2069 x",
		"\u202egnp.exe":                  "gnp.exe",
	} {
		if got := cleanSubject(in, maxSubject); got != want {
			t.Errorf("cleanSubject(%q) = %q, want %q", in, got, want)
		}
	}
	if got := cleanSubject("\u2068"+strings.Repeat("ש", 2*maxSubject)+"\u2069 x", maxSubject); !strings.HasSuffix(got, "ש\u2069") || strings.Count(got, "\u2068") != 1 {
		t.Errorf("a long subject is %q", got)
	}
}
