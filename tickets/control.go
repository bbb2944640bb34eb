package tickets

import (
	"slices"
	"strings"

	"supportd/tickets/command"
)

// Control mail: a new mail of an agent with commands for tickets that it names by number.

// maxControlled is how many tickets one mail may name.
const maxControlled = 20

// knowNumbers looks up the tickets that #ticket and #for name.
func (tx *Tx) knowNumbers(k *Known, c command.Command) error {
	for _, number := range numbersIn(c.Args) {
		if err := tx.knowNamed(k, command.Command{Word: c.Word, Args: number}); err != nil {
			return err
		}
	}
	return nil
}

// numbersIn are the ticket numbers that somebody lists; none when it is an address.
func numbersIn(args string) []string {
	if strings.Contains(args, "@") {
		return nil
	}
	list := strings.FieldsFunc(args, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\t' || r == '\u00a0' })
	return list[:min(len(list), maxControlled+1)]
}

// control carries out a mail's commands on every ticket that it names: on all of them, or on none (S-084).
func (m *agentMail) control() {
	var list []*Ticket
	var rest []command.Command
	for _, c := range m.text.Commands {
		if c.Word != "ticket" && c.Word != "for" {
			rest = append(rest, c)
			continue
		}
		for _, number := range numbersIn(c.Args) {
			t := m.k.Named[ticketRef(number)]
			if t == nil {
				m.refuse(Line{Key: "refused.ticket", Args: map[string]string{"number": oneLine(number)}})
				return
			}
			if !slices.ContainsFunc(list, func(o *Ticket) bool { return o.ID == t.ID }) {
				list = append(list, t)
			}
		}
	}
	switch {
	case len(list) == 0:
		m.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#ticket", "usage": "#ticket NUMBER"}})
		return
	case len(list) > maxControlled:
		m.refuse(Line{Key: "refused.too_many", Args: map[string]string{"word": "#for", "count": formatInt(maxControlled)}})
		return
	}
	if word := m.reaches(rest); word != "" {
		m.offer(list, word)
		return
	}
	var lines []Line
	for _, t := range list {
		done, refused := m.onOne(t, rest)
		if refused != nil {
			m.refuse(*refused)
			return
		}
		lines = append(lines, Line{OK: true, Key: "did.ticket", Args: map[string]string{"number": t.Number, "subject": t.Subject}})
		lines = append(lines, done...)
	}
	m.end(Filed, "an agent's commands for "+numbersOf(list))
	if m.has("quiet") {
		return
	}
	m.tellBack(TemplateReceipt, func(v *InternalView) {
		v.Lines = lines
		v.Commands = []string{"#show NUMBER", "#help"}
	})
}

// reaches names the first thing in a mail that may send something to a customer or a third party, or that needs a mail to
// answer; "" when there is none.
func (m *agentMail) reaches(commands []command.Command) string {
	for _, c := range commands {
		if !slices.Contains(staysInside, c.Word) && c.Word != "release" && c.Word != "reroute" {
			return "#" + c.Word
		}
	}
	if m.text.Public != "" {
		return "text"
	}
	return ""
}

// onOne carries commands out on one ticket beside the mail's own business.
func (m *agentMail) onOne(t *Ticket, commands []command.Command) (done []Line, refused *Line) {
	b := m.beside(t)
	op := &operation{decider: b, agent: m.agent, text: command.Text{Commands: commands, Note: m.text.Note}, t: b.out.Ticket, apart: true}
	op.entry = Entry{Actor: Actor{Kind: ActorAgent, Name: m.agent.Address}, From: m.agent.Address, MessageID: m.m.ID, Verified: true}
	if m.text.Note != "" {
		op.entry.Kind, op.entry.Text = EntryNoted, m.text.Note
	}
	for _, c := range commands {
		if !op.do(c) {
			return nil, op.refused
		}
	}
	if op.entry.Kind == "" && len(op.entry.Changes) == 0 && len(op.lines) == 0 {
		return nil, &Line{Key: "did.nothing", Args: map[string]string{}}
	}
	if op.entry.Kind == "" {
		op.entry.Kind = EntryChanged
	}
	op.write()
	op.tellOthers(m.text.Note != "")
	m.keep(b)
	return op.lines, nil
}

// offer refuses a mail, and sends for each ticket that it names one to answer: what reaches a customer needs the reply
// address that is bound to agent and ticket.
func (m *agentMail) offer(list []*Ticket, word string) {
	m.refuse(Line{Key: "refused.reaches", Args: map[string]string{"word": word}})
	for _, t := range list {
		b := m.beside(t)
		b.entry(Entry{Kind: EntryRefused, Actor: Actor{Kind: ActorAgent, Name: m.agent.Address}, MessageID: m.m.ID, Text: m.newText(),
			Public: command.Body(m.newText()), Detail: "refused.reaches"})
		b.tell([]string{strings.ToLower(m.agent.Address)}, TemplateEscalation, t.noticePurpose(), false, func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt, v.Verified = t.LastCustomer, t.Requester.Mail, t.Updated, t.Verified
			v.Attachments, v.Warnings = nil, nil
			v.Lines = []Line{{Key: "offer.answer_this", Args: map[string]string{"number": t.Number}}}
		})
		m.keep(b)
	}
}

func numbersOf(list []*Ticket) string {
	var numbers []string
	for _, t := range list {
		numbers = append(numbers, t.Number)
	}
	return strings.Join(numbers, ", ")
}
