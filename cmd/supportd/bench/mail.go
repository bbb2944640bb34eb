package bench

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// Mail is one mail that was made up.
type Mail struct {
	Raw  []byte // with CRLF
	Kind string // mail, forward, auto-reply, bounce, newsletter, broken
	At   time.Time
}

// Generator makes mails as a support mailbox holds them, the same ones for the same seed: half of them plain, the others
// with HTML; two in five answer an earlier mail; one in five has attachments; automatic answers, bounces, newsletters and
// broken mails among them; German and English, in eight charsets and all transfer encodings. Their sizes have a median
// near 9 kB, one in ten is over 100 kB, one in a thousand has 5 MB.
type Generator struct {
	random  *rand.Rand
	to      string
	start   time.Time
	made    int
	threads []conversation
	junk    []byte // what attachments are cut from: nothing in it can be compressed
	// Small leaves out attachments and keeps texts short.
	Small bool
}

// conversation is what an answer continues.
type conversation struct {
	from    person
	subject string
	german  bool
	ids     []string
}

type person struct{ name, address string }

// NewGenerator makes mails to an address, the first one sent at start and the others a few seconds apart.
func NewGenerator(seed uint64, to string, start time.Time) *Generator {
	g := &Generator{random: rand.New(rand.NewPCG(seed, 47)), to: to, start: start, junk: make([]byte, 1<<20)}
	for i := range g.junk {
		g.junk[i] = byte(g.random.Uint32())
	}
	return g
}

// Next makes one more mail.
func (g *Generator) Next() Mail {
	d := draft{g: g, kind: g.kind(), at: g.start.Add(time.Duration(g.made) * 37 * time.Second), german: g.chance(0.6)}
	g.made++
	d.from = g.person()
	d.subject = fmt.Sprintf(pick(g, d.words().subjects), g.random.IntN(100000))
	d.id = fmt.Sprintf("%016x.%d@%s", g.random.Uint64(), g.made, domain(d.from.address))
	if (d.kind == "mail" || d.kind == "forward") && len(g.threads) > 0 && g.chance(0.44) {
		d.answer(&g.threads[max(0, len(g.threads)-1-int(g.random.ExpFloat64()*400))])
	} else if d.kind == "mail" || d.kind == "forward" || d.kind == "broken" {
		g.threads = append(g.threads, conversation{d.from, d.subject, d.german, []string{d.id}})
	}
	return Mail{Raw: d.mail(), Kind: d.kind, At: d.at}
}

func (g *Generator) kind() string {
	switch n := g.random.Float64(); {
	case n < 0.03:
		return "auto-reply"
	case n < 0.06:
		return "bounce"
	case n < 0.08:
		return "newsletter"
	case n < 0.09:
		return "forward"
	case n < 0.095:
		return "broken"
	}
	return "mail"
}

func (g *Generator) chance(p float64) bool { return g.random.Float64() < p }

func pick[T any](g *Generator, list []T) T { return list[g.random.IntN(len(list))] }

// size draws from a log-normal distribution.
func (g *Generator) size(mu, sigma, low, high float64) int {
	return int(min(high, max(low, math.Exp(mu+sigma*g.random.NormFloat64()))))
}

func (g *Generator) person() person {
	first, last := pick(g, firstNames), pick(g, lastNames)
	local := strings.ToLower(first + "." + last)
	local = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "é", "e", "ø", "o").Replace(local)
	return person{first + " " + last, fmt.Sprintf("%s%d@%s", local, g.random.IntN(4000), pick(g, domains))}
}

func domain(address string) string { return address[strings.IndexByte(address, '@')+1:] }

// draft is one mail on its way.
type draft struct {
	g          *Generator
	kind       string
	at         time.Time
	german     bool
	from       person
	subject    string
	id         string
	inReplyTo  string
	references []string
	charset    string
	text       string
}

func (d *draft) words() *vocabulary {
	if d.german {
		return germanWords()
	}
	return englishWords()
}

// answer makes the draft continue a conversation. Some clients leave out one or both of the fields that say so.
func (d *draft) answer(c *conversation) {
	d.from, d.german = c.from, c.german
	d.subject = pick(d.g, []string{"Re: ", "RE: ", "AW: ", "Aw: ", "Antwort: "}) + c.subject
	d.inReplyTo, d.references = c.ids[len(c.ids)-1], c.ids[max(0, len(c.ids)-8):]
	switch n := d.g.random.Float64(); {
	case n < 0.10:
		d.inReplyTo = ""
	case n < 0.18:
		d.references = nil
	case n < 0.25:
		d.inReplyTo, d.references = "", nil
	}
	c.ids = append(c.ids, d.id)
}

// sentences makes text of about so many octets.
func (d *draft) sentences(n int) string {
	words := d.words().words
	var b strings.Builder
	for b.Len() < n {
		for range 2 + d.g.random.IntN(5) {
			line := 0
			for i := range 5 + d.g.random.IntN(13) {
				w := pick(d.g, words)
				if line += len(w) + 1; line > 74 {
					b.WriteByte('\n')
					line = len(w)
				} else if i > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(w)
			}
			b.WriteString(pick(d.g, []string{".\n", "!\n", "?\n"}))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (d *draft) mail() []byte {
	length := d.g.size(7.0, 0.9, 20, 60000)
	if d.g.Small {
		length = 200
	}
	d.charset = d.g.charset(d.german)
	d.text = d.sentences(length)
	if d.inReplyTo != "" || d.references != nil {
		d.text += "\n" + fmt.Sprintf(d.words().wrote, d.from.name) + "\n" + quoted(d.sentences(int(float64(length)*pick(d.g, []float64{0.5, 1, 2}))))
	}
	d.text += fmt.Sprintf("\n-- \n%s\nTel. +49 30 %07d\n", d.from.name, d.g.random.IntN(1e7))
	var b bytes.Buffer
	body := d.body()
	if d.kind == "broken" {
		body = d.damage(body)
	}
	d.header(&b)
	b.WriteString(body)
	return bytes.ReplaceAll(bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

func quoted(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("> " + line)
	}
	return b.String()
}

// charset draws one; rare ones are as rare as in mail.
func (g *Generator) charset(german bool) string {
	list := []string{"utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "iso-8859-1", "windows-1252", "iso-8859-15", "us-ascii"}
	if !german && g.chance(0.06) {
		list = []string{"iso-2022-jp", "koi8-r", "gb18030"}
	}
	return pick(g, list)
}

// header writes the fields about the mail: the way it came, and who wrote it.
func (d *draft) header(b *bytes.Buffer) {
	g, dom := d.g, domain(d.from.address)
	field := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	sender := d.from.address
	if d.kind == "bounce" {
		sender = ""
	}
	field("Return-Path: <%s>", sender)
	if g.chance(0.6) {
		field("Authentication-Results: mx.test.example; dkim=pass header.d=%s;\n\tspf=pass smtp.mailfrom=%s; dmarc=pass", dom, d.from.address)
	}
	if g.chance(0.7) {
		field("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s1;\n\th=from:to:subject:date:message-id;\n\tbh=%s;\n\tb=%s\n\t %s",
			dom, g.secret(32), g.secret(48), g.secret(48))
	}
	for hop := range 1 + g.random.IntN(5) {
		field("Received: from mail%d.%s (mail%d.%s [192.0.2.%d])\n\tby mx%d.test.example (Postfix) with ESMTPS id %X\n\tfor <%s>; %s",
			hop, dom, hop, dom, g.random.IntN(255), hop, g.random.Uint32(), g.to, d.at.Format(time.RFC1123Z))
	}
	if g.chance(0.4) {
		field("X-Filter-Report: v=1;score=%d;", g.random.IntN(100))
		for range 4 + g.random.IntN(12) {
			field("\t%s", g.secret(54))
		}
	}
	field("Date: %s", d.at.Format(time.RFC1123Z))
	if d.kind == "bounce" {
		field("From: Mail Delivery System <MAILER-DAEMON@%s>", dom)
		d.subject = "Undelivered Mail Returned to Sender"
	} else {
		field("From: %s <%s>", mime.QEncoding.Encode("utf-8", d.from.name), d.from.address)
	}
	field("To: %s", pick(g, []string{g.to, "Support <" + g.to + ">", `"Kundendienst" <` + g.to + ">"}))
	field("Message-ID: <%s>", d.id)
	if g.chance(0.15) {
		field("Cc: %s", g.person().address)
	}
	if d.inReplyTo != "" {
		field("In-Reply-To: <%s>", d.inReplyTo)
	}
	if d.references != nil {
		field("References: <%s>", strings.Join(d.references, ">\n <"))
	}
	switch d.kind {
	case "bounce":
		field("Auto-Submitted: auto-replied")
	case "auto-reply":
		field("Auto-Submitted: auto-replied\nPrecedence: bulk")
		d.subject = "Automatische Antwort: " + d.subject
	case "newsletter":
		field("List-Id: <news.%s>\nList-Unsubscribe: <https://news.%s/%d>\nPrecedence: bulk", dom, dom, g.made)
	}
	if g.chance(0.3) {
		field("X-Mailer: %s", pick(g, []string{"Apple Mail (2.3774)", "Thunderbird", "iPhone Mail (21F90)"}))
	}
	field("MIME-Version: 1.0\nSubject: %s", mime.BEncoding.Encode("utf-8", d.subject))
}

// secret is n random octets in base64.
func (g *Generator) secret(n int) string {
	at := g.random.IntN(len(g.junk) - n)
	return base64.StdEncoding.EncodeToString(g.junk[at : at+n])
}

// part writes a text as the body of a part, with its fields.
func (d *draft) part(subtype, text, charset string) string {
	data := []byte(text)
	if charset != "utf-8" && charset != "us-ascii" {
		if e, err := htmlindex.Get(charset); err == nil {
			if coded, err := e.NewEncoder().Bytes(data); err == nil {
				data = coded
			} else {
				charset = "utf-8" // the text has what the charset has not
			}
		}
	}
	ascii := bytes.IndexFunc(data, func(r rune) bool { return r >= 0x80 }) < 0
	if charset == "us-ascii" && !ascii {
		charset = "utf-8"
	}
	var encoding, body string
	switch n := d.g.random.Float64(); {
	case charset == "iso-2022-jp", ascii && n < 0.5:
		encoding, body = "7bit", string(data)
	case n < 0.15:
		encoding, body = "base64", lined(data)
	case n < 0.35:
		encoding, body = "8bit", string(data)
	default:
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		_, _ = w.Write(data) // a strings.Builder takes all
		_ = w.Close()
		encoding, body = "quoted-printable", b.String()
	}
	return fmt.Sprintf("Content-Type: text/%s; charset=%s\nContent-Transfer-Encoding: %s\n\n%s", subtype, charset, encoding, body)
}

// lined is base64 in lines of 76.
func lined(data []byte) string {
	all := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	b.Grow(len(all) + len(all)/76 + 1)
	for len(all) > 0 {
		n := min(76, len(all))
		b.WriteString(all[:n])
		b.WriteByte('\n')
		all = all[n:]
	}
	return b.String()
}
