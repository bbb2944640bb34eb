// Package parse reads the bytes of one mail into a tickets.Message: header, structure, charsets, text, attachments,
// parts for programs, and a mail that is attached to be forwarded. It refuses nothing, is bounded in time and memory
// whatever it is given, and says in Defects what was wrong.
//
// It does not tell new text from quoted text, does not detect languages, and does not judge what a mail is or who sent
// it.
package parse

import (
	"bytes"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"supportd/tickets"
)

// Bounds of what is kept of one message.
const (
	maxText        = 8 << 20 // octets of text, and of HTML
	maxDefects     = 50
	maxAttachments = 1000
	maxMachine     = 100       // parts for programs
	maxMachineData = 256 << 10 // octets of one of them
	maxNested      = 2         // mails inside each other that are read
)

// Message reads one mail. It never fails: what cannot be read is left out or shown raw, and stands in Defects.
// Machine data may share memory with raw, which must not be changed afterwards.
//
// It leaves Reply, Quoted, Signature and Language empty, and Forwarded too unless a mail is attached.
func Message(raw []byte) *tickets.Message {
	return read(raw, 0)
}

// read reads a mail that stands inside as many others as nested says.
func read(raw []byte, nested int) *tickets.Message {
	m := &tickets.Message{Size: int64(len(raw))}
	b := builder{m: m, nested: nested}
	b.read(raw)
	return m
}

// Files takes the attachments out of a mail, decoded, in the order of Message.Attachments.
func Files(raw []byte) []tickets.File {
	b := builder{m: &tickets.Message{}, collect: true}
	b.read(raw)
	return b.files
}

func (b *builder) read(raw []byte) {
	crOnly := bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') >= 0
	if crOnly {
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
		b.defect("message", "its lines end in CR alone")
	}
	w := walker{raw: raw, defect: b.defect}
	root, _ := w.part(0, "", "text/plain", true)
	root.header.repaired = root.header.repaired || crOnly
	b.header(&root.header, charsetHint(root))
	b.body(root, &w)
	b.m.Identity = identity(&root.header, raw[root.header.body:])
}

// charsetHint is what raw 8-bit header text is most likely written in.
func charsetHint(n *node) string {
	for n.multipart() {
		n = n.kids[0]
	}
	return n.params["charset"]
}

// builder fills a Message from its parts.
type builder struct {
	m         *tickets.Message
	nested    int
	text      []*node // parts that make up the text, in order
	html      []*node // parts that make up its HTML form, in order
	other     []*node // all others
	spare     []spare // what can stand in for a text, best first
	encrypted bool
	collect   bool
	files     []tickets.File // the attachments with their data, when collect is set
}

// spare is text that is shown when there is no other.
type spare struct{ text, from string }

// defect notes what is wrong, once.
func (b *builder) defect(where, what string) {
	if len(b.m.Defects) >= maxDefects {
		return
	}
	d := tickets.Defect{Where: where, What: what}
	for _, have := range b.m.Defects {
		if have == d {
			return
		}
	}
	b.m.Defects = append(b.m.Defects, d)
}

// header fills in what stands in the header.
func (b *builder) header(h *header, hint string) {
	m := b.m
	h.repairCharset(hint)
	m.Fields = make([]tickets.Field, len(h.fields))
	for i, f := range h.fields {
		m.Fields[i] = tickets.Field{Name: f.name, Value: f.value}
		b.oddField(f)
	}
	if ids := msgIDs(h.value("message-id")); len(ids) > 0 {
		m.ID = ids[0]
	}
	m.InReplyTo = msgIDs(h.value("in-reply-to"))
	m.References = msgIDs(h.value("references"))
	m.From = b.addresses(h, "from", hint)
	m.Sender = b.addresses(h, "sender", hint)
	m.ReplyTo = b.addresses(h, "reply-to", hint)
	m.To = b.addresses(h, "to", hint)
	m.Cc = b.addresses(h, "cc", hint)
	m.Author = author(h)
	m.ReturnPath = returnPath(h)
	m.Subject = b.subject(h.value("subject"), hint)
	if v := h.value("date"); v != "" {
		if m.Date = parseDate(v); m.Date.IsZero() {
			b.defect("Date", "cannot be read")
		}
	}
	for _, once := range []string{"From", "Subject", "Date", "Message-ID", "To", "Cc", "Reply-To", "Sender", "References",
		"In-Reply-To", "Content-Type", "Content-Transfer-Encoding"} {
		if h.count(strings.ToLower(once)) > 1 {
			b.defect(once, "stands there more than once")
		}
	}
	if m.Author == "" && len(m.From) > 0 {
		b.defect("From", "does not name one mailbox for certain: nobody is identified by it")
	}
}

// oddField notes the oddities of one field that are wrong rather than merely unusual.
func (b *builder) oddField(f field) {
	if f.odd&(oddCR|oddNUL|oddGuessed|oddCut|oddSpaceColon) == 0 {
		return
	}
	name := f.name
	if f.odd&oddCR != 0 {
		b.defect(name, "a carriage return stands inside a line")
	}
	if f.odd&oddNUL != 0 {
		b.defect(name, "a NUL stands in it")
	}
	if f.odd&oddGuessed != 0 {
		b.defect(name, "raw 8-bit text: its charset was guessed")
	}
	if f.odd&oddCut != 0 {
		b.defect(name, "over 256 KiB: cut")
	}
	if f.odd&oddSpaceColon != 0 {
		b.defect(name, "white space in front of the colon")
	}
}

// addresses reads all fields of one name as one list.
func (b *builder) addresses(h *header, name, hint string) []tickets.Address {
	var list []tickets.Address
	for _, f := range h.fields {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			list = append(list, addresses(f.value, hint)...)
		}
		if len(list) > maxAddresses {
			b.defect(f.name, "more than 1,000 addresses: the rest is left out")
			list = list[:maxAddresses]
			break
		}
	}
	for i, a := range list {
		if clean := withoutBidi(a.Name); clean != a.Name {
			b.defect(h.get(name).name, "characters that change the direction of writing were removed")
			list[i].Name = clean
		}
		if _, domain, _ := strings.Cut(a.Mail, "@"); mixedScripts(domain) {
			b.defect(h.get(name).name, "the domain "+aLabel(domain)+" mixes alphabets")
		}
	}
	return list
}

// mixedScripts tells whether a label of a domain has Latin letters beside look-alikes of another alphabet (S-144).
func mixedScripts(domain string) bool {
	if strings.Contains(strings.ToLower(domain), "xn--") {
		if u, err := idna.ToUnicode(domain); err == nil {
			domain = u
		}
	}
	for label := range strings.SplitSeq(domain, ".") {
		latin, other := false, false
		for _, r := range label {
			latin = latin || unicode.Is(unicode.Latin, r)
			other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee)
		}
		if latin && other {
			return true
		}
	}
	return false
}

// aLabel shows a domain so that no character of it can be mistaken.
func aLabel(domain string) string {
	if a, err := idna.ToASCII(domain); err == nil {
		return a
	}
	return quoteStart([]byte(domain))
}

// subject decodes a Subject, without the characters that turn writing around (S-144).
func (b *builder) subject(value, hint string) string {
	s := strings.TrimSpace(decodeWords(value, hint))
	if clean := withoutBidi(s); clean != s {
		b.defect("Subject", "characters that change the direction of writing were removed")
		s = clean
	}
	return s
}
