package tickets

import (
	"slices"
	"strings"

	"supportd/tickets/command"
)

// A ticket that an agent opens for somebody: after a phone call, or with a mail that came to the agent's own address.

// newCase is what is known of a ticket that an agent opens.
type newCase struct {
	subject string // "": the mail's own
	text    string // the customer's matter
	note    string // for the team only
	tell    bool   // the requester is told
	summary bool   // and shown the text
	own     bool   // the agent is the requester
}

// openFor opens a ticket in somebody's name: `#for Kim Krause <kim@customer.example>`.
func (m *agentMail) openFor(to string) {
	who, ok := m.customer(to)
	if !ok {
		return
	}
	m.open(who, newCase{text: m.text.Public, note: m.text.Note, tell: !m.has("noreply"), summary: m.text.Public != ""})
}

// openForwarded opens a ticket for the sender of a forwarded mail. Nobody vouches for that address: only #fwd writes to
// it, and never to one that no person reads.
func (m *agentMail) openForwarded(sender Address) {
	f := m.m.Forwarded
	note := strings.TrimSpace(m.text.Public + m.text.Note)
	m.open(sender, newCase{subject: cleanSubject(f.Subject), text: f.Text, note: note, tell: m.has("fwd") && !m.has("noreply") && !unread(sender.Mail)})
}

// unread reports whether an address says of itself that nobody reads it.
func unread(mail string) bool {
	local, _, _ := cutAddress(mail)
	local = strings.NewReplacer("-", "", "_", "", ".", "").Replace(local)
	for _, s := range []string{"noreply", "donotreply", "nepasrepondre", "mailerdaemon", "postmaster", "bounce"} {
		if strings.HasPrefix(local, s) {
			return true
		}
	}
	return false
}

// customer reads whom a ticket is for; ok is false when the mail is refused.
func (m *agentMail) customer(to string) (Address, bool) {
	op := &operation{decider: m.decider, agent: m.agent, apart: true}
	a, ok := op.address(command.Command{Word: "for"}, to)
	if !ok {
		m.refuse(*op.refused)
	}
	return a, ok
}

// whileOpening are the commands that a ticket can be opened with, beside those about the new mail itself.
var whileOpening = append([]string{"solve", "cc", "noreply"}, staysInside...)

// staysInside are the commands that change a ticket and send nothing to anybody outside, nor need the mail they answer.
var staysInside = []string{"take", "assign", "queue", "note", "quiet", "watch", "mute", "cat", "ci", "impact", "urgency", "priority", "tag", "untag", "subject", "due", "snooze", "hold", "time", "sla", "lang"}

// open opens the ticket and carries out the other commands of the mail on it.
func (m *agentMail) open(who Address, o newCase) {
	for _, c := range m.text.Commands {
		if newMail()[c.Word] == nil && !slices.Contains(whileOpening, c.Word) {
			m.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#" + c.Word, "other": "#for"}})
			return
		}
	}
	if o.text == "" && o.note == "" {
		m.refuse(Line{Key: "refused.needs_text", Args: map[string]string{"word": "#for"}})
		return
	}
	if args, ok := m.named("at"); ok && !m.began(args) {
		return
	}
	m.speakFor(who, o)
	m.decider.open(nil)
	t := m.out.Ticket
	by := "opened by " + m.agent.Address
	if o.own {
		by = ""
	}
	for i := range m.out.Entries {
		m.out.Entries[i].Detail = by
	}
	op := &operation{decider: m.decider, agent: m.agent, text: m.text, t: t, apart: true,
		entry: Entry{Actor: Actor{Kind: ActorAgent, Name: m.agent.Address}, From: m.agent.Address, MessageID: m.in.Message.ID}}
	if !m.carryOut(op, o) {
		m.refuse(*op.refused)
		return
	}
	if o.tell {
		m.tellRequester(op, o)
	}
	op.did("did.opened", map[string]string{"number": t.Number, "who": who.Mail})
	op.lines = append(op.lines[len(op.lines)-1:], op.lines[:len(op.lines)-1]...)
	if !m.has("quiet") {
		op.tell([]string{strings.ToLower(m.agent.Address)}, TemplateReceipt, PurposeNote, false, func(v *InternalView) {
			v.Mode = "command"
			v.Lines, v.Sent, v.SentTo = op.lines, op.sent, op.sentTo
			v.Text, v.TextFrom, v.Attachments, v.Warnings = "", "", nil, nil
			v.Commands = []string{"#note", "#requester ADDRESS", "#help"}
		})
		op.lastMailIsReceipt()
	}
}

// began sets the instant at which the clocks start.
func (m *agentMail) began(args string) bool {
	at, err := command.ParsePast(args, m.now, m.zone())
	if err != nil {
		key := "when"
		if e, ok := err.(*command.WhenError); ok {
			key = e.Key
		}
		m.refuse(Line{Key: "refused." + key, Args: map[string]string{"word": "#at", "text": oneLine(args)}})
		return false
	}
	in := *m.in
	in.Arrived = at
	m.in = &in
	return true
}

// speakFor makes the message the one that the requester would have written, for the decision and the notices only: what is
// stored is the agent's mail.
func (m *agentMail) speakFor(who Address, o newCase) {
	c := *m.m
	c.From, c.Author, c.ReturnPath, c.ID = []Address{who}, strings.ToLower(who.Mail), "", ""
	c.Reply, c.Text, c.HTML, c.Quoted, c.Signature, c.Forwarded = o.text, o.text, "", "", "", nil
	c.InReplyTo, c.References, c.Cc = nil, nil, nil
	if o.subject != "" {
		c.Subject = o.subject
	}
	if cleanSubject(c.Subject) == "" {
		first, _, _ := strings.Cut(strings.TrimSpace(firstNonEmpty(o.text, o.note)), "\n")
		c.Subject = excerpt(first)
	}
	m.m = &c
	v := m.r.Classifier.Classify(&c, m.k.hints(m.in))
	v.Kind, v.Quarantine, v.Alert, v.AutoAnswer, v.Bounce = KindHuman, "", nil, "", nil
	if v.Auth = AuthNone; o.own {
		v.Auth = AuthPass
	}
	m.out.Verdict = v
}

// carryOut carries the mail's other commands out on the new ticket, as one entry.
func (m *agentMail) carryOut(op *operation, o newCase) bool {
	e := &op.entry
	if o.note != "" {
		e.Kind, e.Text = EntryNoted, o.note
	}
	channel, _ := m.named("channel")
	channel = map[string]string{"": "", "telefon": "phone", "vorort": "onsite", "mail": ""}[strings.ToLower(strings.ReplaceAll(channel, "-", ""))] + channelOf(channel)
	if m.has("call") {
		channel = "phone"
	}
	op.t.set(&e.Changes, fieldChannel, channel)
	if m.has("solve") {
		op.t.set(&e.Changes, fieldLastPublic, o.text) // what was said on the phone is the answer
	}
	for _, c := range m.text.Commands {
		if !op.do(c) {
			return false
		}
	}
	if e.Kind == "" && len(e.Changes) == 0 {
		return true
	}
	if e.Kind == "" {
		e.Kind = EntryChanged
	}
	op.write()
	op.tellOthers(false)
	return true
}

func channelOf(word string) string {
	if word = strings.ToLower(word); slices.Contains([]string{"phone", "chat", "onsite"}, word) {
		return word
	}
	return ""
}

// tellRequester acknowledges the ticket to whom it was opened for, once the time to undo is over.
func (m *agentMail) tellRequester(op *operation, o newCase) {
	t := op.t
	view := m.publicView(t)
	if _, secret := op.leaks(o.text); o.summary && !secret {
		view.Text = op.forCustomer(o.text)
	}
	n := len(m.out.Mails)
	m.toCustomer(TemplateAckPhone, view)
	if len(m.out.Mails) == n {
		return
	}
	m.out.Mails[n].NotBefore = m.now.Add(m.r.Undo)
	op.sent, op.sentTo = view.Text, []string{t.Requester.Mail}
	op.did("did.acknowledged", map[string]string{"to": t.Requester.Mail})
}
