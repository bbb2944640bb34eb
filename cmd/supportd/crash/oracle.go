//go:build linux && crash

package crash

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"

	"supportd/tickets"
)

// Life is one run of the desk, from its start to its end.
type Life struct {
	Killed bool // by SIGKILL: what it did last may be lost
}

// Oracle judges a desk at rest: everything is settled, nothing waits to be sent.
type Oracle struct {
	Sent   []*Sent
	Handed []Handed
	Lives  []Life // by the number of the life, from 1
	State  Snapshot
	Copies int // of mails that the desk sent, each to be seen once in the folder for sent mail
}

// Count is what the summary of a run tells.
type Count struct {
	Mails, Tickets, Handed, Copies int
}

// Judge lists what is wrong. The numbers in its messages are those of the promises O1 to O12 in docs/reliability.md.
func (o *Oracle) Judge() (wrong []string, n Count) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, f := range o.State.faults() { // O7 O8 O9
		say("O7 %s", f)
	}
	if len(wrong) > 0 {
		return wrong, n
	}
	n = Count{Mails: len(o.Sent), Tickets: len(o.State.Tickets), Handed: len(o.Handed)}
	o.intake(say)
	n.Copies = o.copies(say)
	o.outbox(say)
	o.people(say)
	o.tickets(say)
	o.solved(say)
	return wrong, n
}

type sayer func(format string, args ...any)

// intake: O1, every mail ends in exactly one place, and in the right one.
func (o *Oracle) intake(say sayer) {
	rows := map[string][]MessageView{}
	for _, m := range o.State.Messages {
		rows[m.Serial] = append(rows[m.Serial], m)
		if m.Serial == "" {
			say("O1 the record of %s is of no mail that was sent: %s %s, %s", m.Source, m.Result, m.Absent, m.Why)
		}
	}
	duplicates := uint64(0)
	ticketOf := map[string]tickets.TicketID{}
	for _, s := range o.Sent {
		if s.Kind == KindDuplicate {
			duplicates++
			continue
		}
		if n := len(rows[s.Serial]); n != 1 {
			say("O1 mail %s (%s) stands in %d records", s.Serial, s.Kind, n)
			continue
		}
		m := rows[s.Serial][0]
		ticketOf[s.Serial] = m.Ticket
		want := map[Kind][]tickets.Result{
			KindNew: {tickets.Created}, KindSameID: {tickets.Created}, KindReply: {tickets.Appended}, KindAgent: {tickets.Appended},
			KindOversize: {tickets.Quarantined}, KindAuto: {tickets.Filed, tickets.Quarantined},
		}[s.Kind]
		if want != nil && m.Result != want[0] && m.Result != want[len(want)-1] {
			say("O1 mail %s (%s) is %s: %s", s.Serial, s.Kind, m.Result, m.Why)
		}
		if (s.Kind == KindReply || s.Kind == KindAgent) && m.Ticket != ticketOf[s.Parent] {
			say("O1 mail %s (%s) is in ticket %d, the mail it answers in %d", s.Serial, s.Kind, m.Ticket, ticketOf[s.Parent])
		}
	}
	b := o.State.Doctor.Books
	if b.Seen != uint64(len(o.Sent)+o.Copies) || b.Duplicates != duplicates {
		say("O1 %d mails were sent, %d of them duplicates; the books say %+v", len(o.Sent), duplicates, b)
	}
}

// key names a mail of the desk: one recipient, one Message-ID.
type key struct{ recipient, id string }

// copies: O4, all copies of a mail are the same; O5, a further copy has a reason.
func (o *Oracle) copies(say sayer) (extra int) {
	last := map[key]Handed{}
	for _, h := range o.Handed {
		k := key{h.Recipient, h.MessageID}
		before, again := last[k]
		last[k] = h
		if !again {
			continue
		}
		extra++
		if before.SHA256 != h.SHA256 {
			say("O4 the copies of %s to %s differ", h.MessageID, h.Recipient)
		}
		reason := before.Code == 0 || before.Code/100 != 2 || before.Broken && !before.Confirmed || o.Lives[before.Life].Killed && before.Life < h.Life
		if !reason {
			say("O5 %s to %s was sent again in life %d although life %d had heard %d for it and ended well", h.MessageID, h.Recipient, h.Life, before.Life, before.Code)
		}
	}
	return extra
}

// outbox: O2, every mail of the outbox was taken by the server; O3, nothing else was.
func (o *Oracle) outbox(say sayer) {
	taken, seen := map[key]bool{}, map[key]tickets.Digest{}
	for _, h := range o.Handed {
		k := key{h.Recipient, h.MessageID}
		seen[k] = h.SHA256
		taken[k] = taken[k] || h.Code/100 == 2
	}
	known := map[key]bool{}
	for _, m := range o.State.Outbox {
		k := key{strings.ToLower(m.Recipient), m.MessageID}
		if known[k] {
			say("O3 the outbox has %s to %s twice", m.MessageID, m.Recipient)
		}
		known[k] = true
		switch {
		case m.State != tickets.Sent:
			say("O2 mail %d (%s to %s) is %s", m.ID, m.Template, m.Recipient, m.State)
		case !taken[k]:
			say("O2 mail %d (%s to %s) counts as sent, and the server never took it", m.ID, m.Template, m.Recipient)
		case seen[k] != m.SHA256:
			say("O4 mail %d (%s to %s) was sent with other octets than were decided", m.ID, m.Template, m.Recipient)
		}
	}
	for k := range seen {
		if !known[k] {
			say("O3 %s to %s was sent, and is not in the outbox", k.id, k.recipient)
		}
	}
}

// marks are what the oracle looks for in mails: ticket numbers, and the words of agents.
var marks = regexp.MustCompile(`NW-\d{4}-\d{6}|(?:ANTWORT|GELOEST|INTERN)s\d{5}`)

// people: O2 and O3 once more, without the desk's own word: who has to get what, and nothing else.
func (o *Oracle) people(say sayer) {
	mails := map[string]map[string]bool{} // recipient → Message-IDs
	says := map[[2]string]map[string]bool{}
	for i := range o.Handed {
		h := &o.Handed[i]
		if mails[h.Recipient] == nil {
			mails[h.Recipient] = map[string]bool{}
		}
		if mails[h.Recipient][h.MessageID] {
			continue // a copy
		}
		mails[h.Recipient][h.MessageID] = true
		for _, word := range marks.FindAllString(h.Subject+"\n"+string(h.text()), -1) {
			k := [2]string{h.Recipient, word}
			if says[k] == nil {
				says[k] = map[string]bool{}
			}
			says[k][h.MessageID] = true
		}
	}
	told := func(who, word string) int { return len(says[[2]string{who, word}]) }
	number := o.numbers()
	answers := map[string][]*Sent{} // by the serial of the customer's mail
	for _, s := range o.Sent {
		if s.Kind == KindAgent {
			answers[s.Parent] = append(answers[s.Parent], s)
		}
	}
	for _, s := range o.Sent {
		switch s.Kind {
		case KindAuto, KindOversize, KindStranger:
			if len(mails[s.From]) > 0 {
				say("O3 %s was written to because of mail %s (%s)", s.From, s.Serial, s.Kind)
			}
		case KindNew, KindSameID:
			public := 0
			for _, a := range answers[s.Serial] {
				if a.Public != "" {
					public++
					if n := told(s.From, a.Public); n != 1 {
						say("O2 answer %s reached %s in %d mails", a.Public, s.From, n)
					}
				}
			}
			if n := len(mails[s.From]); n != 1+public {
				say("O2 %s got %d mails; one acknowledgement and %d answers are due", s.From, n, public)
			}
			for _, who := range append(agents(), s.From) {
				if told(who, number[s.Serial]) == 0 {
					say("O2 %s was not told of ticket %s (mail %s)", who, number[s.Serial], s.Serial)
				}
			}
		}
	}
	for k := range says {
		if strings.HasPrefix(k[1], "INTERN") && !strings.HasSuffix(k[0], "@nordwind.example") {
			say("P5 %s was sent the note %s", k[0], k[1])
		}
	}
}

// numbers are the ticket numbers of the mails, by serial.
func (o *Oracle) numbers() map[string]string {
	of := map[tickets.TicketID]string{}
	for _, t := range o.State.Tickets {
		of[t.ID] = t.Number
	}
	numbers := map[string]string{}
	for _, m := range o.State.Messages {
		numbers[m.Serial] = of[m.Ticket]
	}
	return numbers
}

// text is all that a mail says, decoded.
func (h *Handed) text() []byte {
	m, err := mail.ReadMessage(bytes.NewReader(h.Raw))
	if err != nil {
		return h.Raw
	}
	return decoded(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
}

func decoded(kind, encoding string, r io.Reader) []byte {
	media, params, err := mime.ParseMediaType(kind)
	if err == nil && strings.HasPrefix(media, "multipart/") {
		var all []byte
		for parts := multipart.NewReader(r, params["boundary"]); ; {
			p, err := parts.NextRawPart()
			if err != nil {
				return all
			}
			all = append(all, decoded(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)...)
		}
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		r = quotedprintable.NewReader(r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil
	}
	return b
}

// solved: what the last mail to a ticket brought about is what the ticket is.
func (o *Oracle) solved(say sayer) {
	last := map[string]*Sent{} // by the serial of the ticket's first mail
	for _, s := range o.Sent {
		if s.Kind == KindReply || s.Kind == KindAgent && s.Private == "" {
			last[s.Parent] = s
		}
	}
	states := map[tickets.TicketID]tickets.State{}
	for _, t := range o.State.Tickets {
		states[t.ID] = t.State
	}
	for _, m := range o.State.Messages {
		if s := last[m.Serial]; s != nil && s.Solves && states[m.Ticket] != tickets.StateSolved {
			say("O1 mail %s solved the ticket of %s, which is %s", s.Serial, m.Serial, states[m.Ticket])
		}
	}
}

// tickets: O6, numbers are unique and entries in order; O12, each step of a clock is told once.
func (o *Oracle) tickets(say sayer) {
	numbers := map[string]bool{}
	notices := map[tickets.TicketID]map[string]int{} // of reached steps, by recipient
	for _, m := range o.State.Outbox {
		if m.Template == tickets.TemplateEscalation {
			if notices[m.Ticket] == nil {
				notices[m.Ticket] = map[string]int{}
			}
			notices[m.Ticket][m.Recipient]++
		}
	}
	for _, t := range o.State.Tickets {
		if numbers[t.Number] {
			say("O6 the number %s was given twice", t.Number)
		}
		numbers[t.Number] = true
		for i := 1; i < len(t.Times); i++ {
			if t.Times[i].Before(t.Times[i-1]) {
				say("O6 the entries of %s are out of order", t.Number)
			}
		}
		told := map[string]bool{}
		for _, step := range t.Steps {
			if told[step] {
				say("O12 ticket %s: %q was told twice", t.Number, step)
			}
			told[step] = true
		}
		for who, n := range notices[t.ID] {
			if n != len(t.Steps) {
				say("O12 ticket %s: %d steps were told, %s got %d notices", t.Number, len(t.Steps), who, n)
			}
		}
	}
}
