package main

import (
	"bytes"
	"fmt"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"supportd/mailin"
	"supportd/mailout"
	"supportd/templates"
	"supportd/tickets"
)

// nastyTickets are what people write into every field that they have a say in.
func nastyTickets() map[string]string {
	return map[string]string{
		"header":    "x\r\nBcc: evil@evil.example\r\nSubject: other\r\n\r\nbody",
		"word":      "=?utf-8?q?a=0D=0ABcc:_evil=40evil.example?= =?utf-8?b?AAAA?=",
		"html":      `</td></table><script>alert(1)</script><img src=https://track.example/p.gif onerror=x>`,
		"template":  "{{.text}} {{template \"layout\" .}} }}{{end}}",
		"bidi":      "\u202egnp.exe\u202c \u2067abc\u2069 \u200f\u200e\ufeff",
		"rtl":       "שלום עולם (3) مرحبا 12:30",
		"open":      "\u2068\u2068שלום\u202b (3)",
		"stray":     "\u2069\u2069שלום\u202c (3)",
		"name":      strings.Repeat("Maximiliane-Ä. ", 34),
		"emoji":     strings.Repeat("👩‍👩‍👧‍👦🏳️‍🌈", 40),
		"control":   "a\x00b\x01c\x02d\x03e\x04f\x1b[2Jg\x7fh\u0085i\u2028j",
		"unbroken":  strings.Repeat("w", 12_000),
		"wide":      strings.Repeat("語", 4_000),
		"broken":    "\xff\xfe\xc3\x28\xed\xa0\x80",
		"dots":      ".\r\n..\r\n.\n\nFrom x\n-- \n",
		"empty":     "",
		"blanks":    " \t\r\n\u00a0\u3000",
		"boundary":  "--=_\n------=_Part\nContent-Type: text/html\n\n<b>x</b>",
		"addresses": `"support@desk.example" <evil@evil.example>, evil2@evil.example`,
	}
}

// nastyLetter is a text of the desk about a ticket that has the input in every field.
func nastyLetter(set *templates.Set, s templates.Source, in string) (tickets.Letter, error) {
	at := time.Date(2026, 11, 27, 15, 4, 0, 0, time.UTC)
	var r tickets.Rendered
	var err error
	l := tickets.Letter{Class: tickets.ClassNotice, From: tickets.Address{Name: in, Mail: "desk@desk.example"}, To: []tickets.Address{{Name: in, Mail: "to@to.example"}},
		ReplyTo: tickets.Address{Name: in, Mail: "desk+token@desk.example"}, MessageID: "one@desk.example", InReplyTo: in, References: []string{in, "two@to.example"}, Date: at, Language: s.Language,
		ListID: "list.desk.example", Ticket: "NW-1", Template: s.Name, ConfigRev: "0a1b"}
	switch s.Audience {
	case "public":
		v := templates.SamplePublic(s.Language, true)
		v.Desk, v.Number, v.Subject, v.Requester, v.Agent, v.Text, v.Quote, v.QuoteFrom, v.FollowUpOf = in, in, in, in, in, in, in, in, in
		l.Class = tickets.ClassAnswer
		r, err = set.Public(s.Name, v)
	case "vendor":
		v := templates.SampleVendor(s.Language, true)
		v.Desk, v.Number, v.Subject, v.Reference, v.Contract, v.Agent, v.Text, v.Item, v.Description, v.Diagnosis, v.Steps, v.Reproduction = in, in, in, in, in, in, in, in, in, in, []string{in}, []string{in}
		l.Class = tickets.ClassAnswer
		r, err = set.Vendor(s.Name, v)
	default:
		v := templates.SampleInternal(s.Name, s.Language, true)
		v.Desk, v.Number, v.Subject, v.Team, v.Priority, v.PriorityBy, v.PriorityWhy, v.Category, v.Item, v.Checklist, v.Assignee = in, in, in, in, in, in, in, in, in, in, in
		v.Requester, v.Text, v.TextFrom, v.Quoted, v.Sent, v.SentTo, v.Hints, v.Copies, v.Warnings = tickets.Address{Name: in, Mail: in}, in, in, in, in, []string{in}, []string{in}, []string{in}, []string{in}
		v.Recent, v.Attachments = []tickets.RecentEntry{{At: at, Who: in, What: in}}, []tickets.Attachment{{Name: in, Type: in}}
		for i := range v.Lines {
			for k := range v.Lines[i].Args {
				v.Lines[i].Args[k] = in
			}
		}
		r, err = set.Internal(s.Name, v)
	}
	if r.HTML != "" {
		l.Attached = []tickets.File{{Name: in, Type: "text/plain", Data: []byte(in)}}
	} else {
		l.Class = tickets.ClassAuto
	}
	l.Subject, l.Text, l.HTML = r.Subject, r.Text, r.HTML
	return l, err
}

// S-109, S-112, S-114, S-116, S-144: whatever stands in a ticket, every mail about it has the header fields of any other and
// no more, lines that every server takes, and parts that are read as they were written.
func TestNastyTicketsInEveryMail_S109_S112_S114_S116_S144(t *testing.T) {
	set, err := templates.Load(nil, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	composer := &mailout.Composer{Reserved: []string{"Nordwind Service"}}
	fields := func(l tickets.Letter, allowed []string) []string {
		t.Helper()
		raw, err := composer.Compose(l)
		if err != nil {
			t.Fatalf("%s: %v", l.Template, err)
		}
		head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
				t.Errorf("%s: a line of %d octets: %.80q", l.Template, len(line), line)
			}
		}
		for _, c := range head {
			if c >= 0x80 || c < ' ' && c != '\r' && c != '\n' && c != '\t' {
				t.Errorf("%s: the header holds %#x", l.Template, c)
				break
			}
		}
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", l.Template, err)
		}
		var names []string
		for name, values := range m.Header {
			names = append(names, name)
			decoded, err := new(mime.WordDecoder).DecodeHeader(values[0])
			if len(values) != 1 || err != nil || strings.ContainsFunc(decoded, func(r rune) bool {
				return r != '\t' && (unicode.IsControl(r) || strings.ContainsRune("\u202b\u202c\u202e\u2067\u200f\ufeff", r))
			}) {
				t.Errorf("%s: %s is %q: %v", l.Template, name, values, err)
			}
			if opened, ended := strings.Count(decoded, "\u2068"), strings.Count(decoded, "\u2069"); opened != ended || name != "Subject" && opened > 0 {
				t.Errorf("%s: %s leaves a direction open: %q", l.Template, name, decoded)
			}
			if len(allowed) > 0 && !slices.Contains(allowed, name) {
				t.Errorf("%s: a field %s that no other mail has", l.Template, name)
			}
		}
		if from, err := m.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != "desk@desk.example" || strings.Contains(from[0].Name, "@") {
			t.Errorf("%s: from %v: %v", l.Template, from, err)
		}
		if to, err := m.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != "to@to.example" {
			t.Errorf("%s: to %v: %v", l.Template, to, err)
		}
		read := mailin.Parse(raw, l.Date)
		words := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got, want := words(read.Text), words(l.Text); got != want {
			t.Errorf("%s: the text is read as\n%.300q, want\n%.300q", l.Template, got, want)
		}
		sent := strings.NewReplacer("\u2068", "", "\u2069", "").Replace(l.Subject) // who reads a subject of anybody drops these
		if got := strings.Join(strings.Fields(read.Subject), " "); got != strings.Join(strings.Fields(sent), " ") {
			t.Errorf("%s: the subject is read as %q, want %q", l.Template, got, l.Subject)
		}
		if n := len(read.Attachments); n != len(l.Attached) {
			t.Errorf("%s: %d attachments, want %d", l.Template, n, len(l.Attached))
		}
		return names
	}
	for _, s := range set.Sources() {
		plain, err := nastyLetter(set, s, "Ein Wort")
		if err != nil {
			t.Fatal(err)
		}
		plain.InReplyTo = "two@to.example"
		usual := fields(plain, nil)
		for what, in := range nastyTickets() {
			l, err := nastyLetter(set, s, in)
			if err != nil {
				t.Fatalf("%s in %s with %s: %v", s.Name, s.Language, what, err)
			}
			l.Template = fmt.Sprintf("%s.%s.%s", s.Name, s.Language, what)
			fields(l, usual)
			if strings.TrimSpace(l.Subject) == "" || strings.TrimSpace(l.Text) == "" {
				t.Errorf("%s in %s with %s: an empty subject or text", s.Name, s.Language, what)
			}
		}
	}
}
