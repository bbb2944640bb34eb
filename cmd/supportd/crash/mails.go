//go:build linux && crash

package crash

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"
)

// Kind is what a generated mail is, and so what has to become of it.
type Kind string

// Kinds of generated mails, and how many of a hundred each is.
const (
	KindNew       Kind = "new"       // 60: a ticket, one acknowledgement, a notice to each agent
	KindReply     Kind = "reply"     // 20: part of the ticket that the acknowledgement names
	KindDuplicate Kind = "duplicate" // 5: the same octets under another UID: nothing
	KindSameID    Kind = "same id"   // 5: the Message-ID of another mail, and another content: a ticket of its own
	KindAuto      Kind = "auto"      // 3: an automatic answer or a delivery report: no ticket, no answer
	KindHostile   Kind = "hostile"   // 3: settled somehow, once
	KindAgent     Kind = "agent"     // 2: an agent answers, takes notes or solves, by mail
	KindOversize  Kind = "oversize"  // 2: held
	KindStranger  Kind = "stranger"  // only when asked for: held
)

// Sent is one mail that the generator has put into the mailbox.
type Sent struct {
	Serial  string
	Kind    Kind
	From    string
	Raw     []byte
	ID      string // Message-ID
	Parent  string // serial of the mail whose ticket it belongs to; of a duplicate its original's
	Public  string // a word of an agent's answer: the customer has to see it
	Private string // a word of an agent's note: no customer may ever see it
	Solves  bool
}

// Generator makes mails. The same seed makes the same choices, but for what depends on the answers that have come.
type Generator struct {
	Rand    *rand.Rand
	Address string // of the desk
	Post    *Post  // where the answers can be seen
	Plain   bool   // only new mails

	sent []*Sent
}

// Sent lists all mails so far.
func (g *Generator) Sent() []*Sent { return g.sent }

// Next makes the next mail.
func (g *Generator) Next() *Sent {
	s := &Sent{Serial: fmt.Sprintf("s%05d", len(g.sent)+1), Kind: g.kind()}
	s.ID = fmt.Sprintf("%s.%x@customer.example", s.Serial, g.Rand.Uint32())
	s.From = fmt.Sprintf("kunde%s@customer.example", s.Serial)
	done := false
	switch s.Kind {
	case KindReply:
		done = g.reply(s)
	case KindAgent:
		done = g.agent(s)
	case KindDuplicate, KindSameID:
		done = g.again(s)
	case KindAuto:
		done = true
		s.Raw = g.automatic(s)
	case KindHostile:
		done = true
		s.Raw = g.hostile(s)
	case KindOversize:
		done = true
		s.Raw = g.mail(s, g.Address, "Sehr groß", "", strings.Repeat("Zeile um Zeile um Zeile.\r\n", 4000))
	}
	if !done {
		s.Kind = KindNew
		s.Raw = g.mail(s, g.Address, "Meldung "+s.Serial, "", "Guten Tag,\r\n\r\nder Drucker druckt nicht.\r\n\r\nMit freundlichen Grüßen\r\n"+s.Serial)
	}
	g.sent = append(g.sent, s)
	return s
}

func (g *Generator) kind() Kind {
	if g.Plain {
		return KindNew
	}
	n := g.Rand.IntN(100)
	for _, k := range []struct {
		kind Kind
		of   int
	}{{KindNew, 60}, {KindReply, 20}, {KindDuplicate, 5}, {KindSameID, 5}, {KindAuto, 3}, {KindHostile, 3}, {KindAgent, 2}} {
		if n -= k.of; n < 0 {
			return k.kind
		}
	}
	return KindOversize
}

// mail writes a mail as a mail server has delivered it. more are further header lines.
func (g *Generator) mail(s *Sent, to, subject, more, text string) []byte {
	now := time.Now().Format(time.RFC1123Z)
	return []byte(fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\nReceived: from client by mx.nordwind.example; %s\r\n", s.From, to, now) +
		fmt.Sprintf("X-Oracle: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s>\r\n%s", s.Serial, s.From, to,
			encodeSubject(subject), now, s.ID, more) +
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text + "\r\n")
}

func encodeSubject(s string) string {
	return strings.NewReplacer("ß", "ss", "ü", "ue", "ö", "oe", "ä", "ae").Replace(s)
}

var addressPattern = regexp.MustCompile(`[^\s<>"]+@[^\s<>"]+`)

// reply answers an acknowledgement that has come.
func (g *Generator) reply(s *Sent) bool {
	for _, h := range g.shuffled() {
		parent := g.customer(h.Recipient)
		if parent == nil {
			continue
		}
		s.From, s.Parent = parent.From, parent.Serial
		s.Raw = g.mail(s, addressPattern.FindString(h.ReplyTo), "Re: "+h.Subject, fmt.Sprintf("In-Reply-To: <%s>\r\nReferences: <%s>\r\n", h.MessageID, h.MessageID),
			"Noch etwas: "+s.Serial+" ist neu.")
		return true
	}
	return false
}

// Stranger makes a mail by somebody who got hold of a customer's reply address.
func (g *Generator) Stranger() (*Sent, error) {
	for _, h := range g.shuffled() {
		if g.customer(h.Recipient) != nil {
			s := &Sent{Serial: fmt.Sprintf("s%05d", len(g.sent)+1), Kind: KindStranger, From: "fremd@elsewhere.example"}
			s.ID = s.Serial + "@elsewhere.example"
			s.Raw = g.mail(s, addressPattern.FindString(h.ReplyTo), "Re: "+h.Subject, "", "Was ist da los? "+s.Serial)
			g.sent = append(g.sent, s)
			return s, nil
		}
	}
	return nil, errors.New("no acknowledgement has come yet")
}

// customer finds the new mail that an address had sent.
func (g *Generator) customer(address string) *Sent {
	for _, s := range g.sent {
		if strings.EqualFold(s.From, address) && (s.Kind == KindNew || s.Kind == KindSameID) {
			return s
		}
	}
	return nil
}

// agent answers a notice that has come, as an agent does.
func (g *Generator) agent(s *Sent) bool {
	for _, h := range g.shuffled() {
		// The notice shows the mail that it is about. Only an answer to the first one surely goes to the customer: receipts
		// and notes are answered by notes.
		serial := meldung.FindSubmatch(h.Raw)
		if serial == nil || !strings.HasSuffix(h.Recipient, "@nordwind.example") || !g.first(h, serial[0]) {
			continue
		}
		s.From, s.Parent = h.Recipient, string(serial[1])
		text := ""
		switch g.Rand.IntN(3) {
		case 0:
			s.Public = "ANTWORT" + s.Serial
			text = "Bitte versuchen Sie einmal " + s.Public + " und melden Sie sich dann wieder."
		case 1:
			s.Private = "INTERN" + s.Serial
			text = "#note " + s.Private + " ist nur für uns."
		case 2:
			s.Public, s.Solves = "GELOEST"+s.Serial, true
			text = "#solve\r\nDie Ursache war " + s.Public + ", sie ist behoben."
		}
		s.Raw = g.mail(s, addressPattern.FindString(h.ReplyTo), "Re: "+h.Subject, fmt.Sprintf("In-Reply-To: <%s>\r\n", h.MessageID), text)
		return true
	}
	return false
}

var meldung = regexp.MustCompile(`Meldung (s\d{5})`)

// first reports whether a mail is the first one to its recipient that says so.
func (g *Generator) first(h Handed, words []byte) bool {
	for _, other := range g.Post.Handed() {
		if other.Recipient == h.Recipient && bytes.Contains(other.Raw, words) {
			return other.MessageID == h.MessageID
		}
	}
	return false
}

// again sends a new mail once more: as it was, or with another content.
func (g *Generator) again(s *Sent) bool {
	for _, i := range g.Rand.Perm(len(g.sent)) {
		old := g.sent[i]
		if old.Kind != KindNew {
			continue
		}
		s.Parent = old.Serial
		if s.Kind == KindDuplicate {
			s.From, s.ID, s.Raw = old.From, old.ID, old.Raw
			return true
		}
		s.ID = old.ID
		s.Raw = g.mail(s, g.Address, "Meldung "+s.Serial, "", "Ein ganz anderer Text mit derselben Nummer: "+s.Serial)
		return true
	}
	return false
}

func (g *Generator) automatic(s *Sent) []byte {
	if g.Rand.IntN(2) == 0 {
		return g.mail(s, g.Address, "Abwesend", "Auto-Submitted: auto-replied\r\n", "Ich bin nicht da.")
	}
	s.From = "mailer-daemon@customer.example"
	head := string(g.mail(s, g.Address, "Undelivered Mail Returned to Sender", "Auto-Submitted: auto-replied\r\n", ""))
	head, _, _ = strings.Cut(head, "MIME-Version")
	return []byte(strings.Replace(head, "Return-Path: <mailer-daemon@customer.example>", "Return-Path: <>", 1) +
		"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nNot delivered.\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.example\r\n\r\nFinal-Recipient: rfc822; x@customer.example\r\n" +
		"Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n")
}

func (g *Generator) hostile(s *Sent) []byte {
	start := "X-Oracle: " + s.Serial + "\r\n"
	switch g.Rand.IntN(5) {
	case 0:
		return []byte(start + "From: a@b.example\r\nFrom: c@d.example\r\nSubject: =?utf-8?q?a=0D=0ABcc:_x=40y.example?=\r\n\r\nzwei Absender " + s.Serial)
	case 1:
		return []byte(start + "Subject: \x00\x01\xff\r\n\r\n\xff\xfe\x00Text\r\n" + s.Serial)
	case 2:
		return []byte(start + "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n", 200) + s.Serial)
	case 3:
		return []byte(start + "From: <" + strings.Repeat("a", 300) + "@x.example>\r\nMessage-ID: <a b c>\r\nDate: Feb 30\r\n\r\n.\r\n..\r\n" + s.Serial)
	}
	return []byte(start + "From: support <" + g.Address + ">\r\nTo: " + g.Address + "\r\nSubject: von uns an uns\r\n\r\nSchleife " + s.Serial)
}

// shuffled are the mails of the desk that were taken by the server, in any order.
func (g *Generator) shuffled() []Handed {
	var taken []Handed
	for _, h := range g.Post.Handed() {
		if h.Code/100 == 2 && h.ReplyTo != "" {
			taken = append(taken, h)
		}
	}
	g.Rand.Shuffle(len(taken), func(i, j int) { taken[i], taken[j] = taken[j], taken[i] })
	return taken
}
