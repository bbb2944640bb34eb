package tickets

import (
	"slices"
	"strings"

	"supportd/tickets/command"
)

// Questions to colleagues: the ticket stays where it is, and what they answer stays inside. Answers come to an address
// for forms; what they answer is told by the mail that they refer to.

// consult is #ask TEAM|PERSON QUESTION; the question may stand below as well.
func (op *operation) consult(c command.Command) bool {
	team, rest, ok := op.teamIn(c.Args)
	if !ok {
		return false
	}
	var to []string
	who := team.Name
	if team.Name != "" {
		to = op.present(teamAddresses(team))
	} else {
		person, after, ok := op.personIn(c.Args)
		if !ok {
			return false
		}
		to, who, rest = []string{strings.ToLower(person.Address)}, person.Address, after
	}
	to = slices.DeleteFunc(to, func(a string) bool { return strings.EqualFold(a, op.agent.Address) })
	question := strings.TrimSpace(strings.TrimSpace(rest) + "\n" + op.noteText())
	switch {
	case question == "":
		return op.refuse(Line{Key: "refused.needs_text", Args: map[string]string{"word": "#ask"}})
	case len(to) == 0:
		return op.refuse(Line{Key: "refused.person", Args: map[string]string{"name": who, "suggestion": ""}})
	case !op.move(op.t, &op.entry, eventAsk):
		return op.refuseState("ask")
	}
	if op.entry.Kind != EntryNoted {
		op.entry.Kind, op.entry.Text = EntryNoted, question
	}
	list := append(op.t.consults(op.entry.Changes), Consult{To: who, By: strings.ToLower(op.agent.Address), Question: cutRunes(question, 2000), At: op.now})
	op.t.set(&op.entry.Changes, fieldConsults, formatJSON(list))
	op.done("did.asked", map[string]string{"to": who})
	line := Line{Key: "consult.question", Args: map[string]string{"who": op.agent.Address}}
	op.later = append(op.later, func() {
		op.tell(to, TemplateConsultQuestion, PurposeForm, true, func(v *InternalView) {
			v.Mode, v.ReplyIsPublic = "consult", false
			v.Text, v.TextFrom, v.TextAt, v.Verified = question, op.agent.Address, op.now, true
			v.Quoted = op.t.LastCustomer
			v.Lines = []Line{line}
			v.Commands = []string{"#show", "#help"}
		})
	})
	return true
}

// personIn finds the agent that a command's arguments begin with: a quoted name, an address, or the first words that mean
// one person.
func (op *operation) personIn(args string) (Agent, string, bool) {
	if quoted, ok := strings.CutPrefix(args, `"`); ok {
		if name, rest, ok := strings.Cut(quoted, `"`); ok {
			args = name + "\n" + rest
		}
	}
	words := strings.Fields(args)
	var several []string
	for n := min(3, len(words)); n > 0; n-- {
		name := strings.Trim(strings.Join(words[:n], " "), ":,")
		switch found := op.r.findAgent(name); len(found) {
		case 0:
		case 1:
			return found[0], strings.TrimLeft(strings.Join(words[n:], " "), " :,"), true
		default:
			if several == nil {
				for _, a := range found {
					several = append(several, a.Address)
				}
			}
		}
	}
	first := ""
	if len(words) > 0 {
		first = words[0]
	}
	if len(several) > 0 {
		op.refuse(Line{Key: "refused.ambiguous", Args: map[string]string{"name": first, "candidates": strings.Join(sorted(several), ", ")}})
	} else {
		op.refuse(Line{Key: "refused.ask_whom", Args: map[string]string{"name": first}})
	}
	return Agent{}, "", false
}

func cutRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// form takes a mail without commands for the answer to a form or a question of the desk, when it came to the address of
// one. false means that the mail was refused.
func (op *operation) form() bool {
	if op.k.Token.Purpose&^purposeID != PurposeForm || len(op.text.Commands) > 0 {
		return true
	}
	asked := ""
	if o := op.k.About; o != nil && o.Ticket == op.t.ID {
		asked = o.Template
	}
	if asked != TemplateConsultQuestion && op.t.Handing != nil && (asked != "" || op.openConsult() < 0) {
		return op.fillIn()
	}
	if i := op.openConsult(); i >= 0 {
		op.answerConsult(i)
	}
	return true
}

// openConsult is the newest question that the sender, or a team of theirs, was asked; -1 for none.
func (op *operation) openConsult() int {
	for i := len(op.t.Consults) - 1; i >= 0; i-- {
		c := op.t.Consults[i]
		if strings.EqualFold(c.To, op.agent.Address) || op.r.Teams[c.To].member(op.agent.Address) {
			return i
		}
	}
	return -1
}

// answerConsult keeps the answer as a note and sends it to whoever asked.
func (op *operation) answerConsult(i int) {
	list := op.t.consults(op.entry.Changes)
	one := &list[i]
	if one.AnsweredBy == "" {
		one.AnsweredBy, one.AnsweredAt = strings.ToLower(op.agent.Address), op.now
		op.t.set(&op.entry.Changes, fieldConsults, formatJSON(list))
	}
	op.entry.Detail = "answer to a question"
	by, question := one.By, one.Question
	op.wanted = true
	op.done("did.answered", map[string]string{"to": by})
	text := op.entry.Text
	op.later = append(op.later, func() {
		op.tell([]string{by}, TemplateConsultAnswer, PurposeNote, true, func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt, v.Verified = text, op.agent.Address, op.now, true
			v.Quoted = question
			v.Lines = []Line{{Key: "consult.answer", Args: map[string]string{"who": op.agent.Address}}}
		})
	})
}

// fillIn completes a handover with the lines of an answer to its form.
func (op *operation) fillIn() bool {
	w := op.t.Handing
	h := handOff{to: op.r.Teams[w.To], by: op.agent.Address, packet: w.Packet.Clone(), items: w.Items, before: w.Attempts}
	if h.to.Name == "" || !w.Passed && h.to.Name == op.t.Team {
		return true // the team is gone since, or has the ticket: the text is a note
	}
	got := op.readPacket(&h)
	op.wanted = true
	echo := Line{OK: len(got) > 0, Key: "handover.understood", Args: map[string]string{"fields": strings.Join(got, ", ")}}
	if len(got) == 0 {
		echo = Line{Key: "handover.nothing_understood"}
	}
	op.lines = append(op.lines, echo)
	switch {
	case w.Passed:
		op.complete(h)
	case op.passes(h):
		return op.handOver(command.Command{Word: "escalate"}, h)
	default:
		if !op.move(op.t, &op.entry, eventGaps) {
			return op.refuseState("escalate")
		}
		op.setHanding(h, false)
		op.formed, op.wanted = true, false
		op.later = append(op.later, func() { op.tellGaps(TemplateHandoverGaps, h, []Line{echo}) })
	}
	return true
}

// complete adds to a packet that has gone already, and tells whoever works on the ticket.
func (op *operation) complete(h handOff) {
	e := &op.entry
	if list := op.t.handovers(e.Changes); len(list) > 0 {
		last := &list[len(list)-1]
		last.Packet = h.packet
		op.t.set(&e.Changes, fieldHandovers, formatJSON(list))
	}
	if len(h.gaps) == 0 {
		op.t.set(&e.Changes, fieldHanding, "")
	} else {
		op.setHanding(h, true)
	}
	op.takeLevels(h.packet)
	lines := []Line{{Key: "handover.added", Args: map[string]string{"who": op.agent.Address}}}
	op.later = append(op.later, func() {
		op.tell(op.audience(), TemplateHandoverPacket, op.t.noticePurpose(), true, func(v *InternalView) {
			v.Text, v.TextFrom, v.Lines = "", "", lines
			v.Form = op.r.Handover.Form(h.to.Tier, h.packet, h.gaps, nil)
		})
	})
}

// proposeHandover is what a time box asks for when it is over: whoever is told gets the packet as far as it is known, and
// hands the ticket over by an answer (T34). It reports false when there is nobody to hand it to.
func (d *decider) proposeHandover(e *Entry, told notices) bool {
	h, ok := d.byTimer()
	if !ok || d.out.Ticket.Handing != nil || len(told) == 0 {
		return false
	}
	h.before = -1 // nobody has tried it yet
	d.setHandingOf(d.out.Ticket, e, h, false)
	e.Detail = "a handover to " + h.to.Name + " was proposed"
	d.after = append(d.after, func() {
		for _, n := range told {
			d.tellForm([]string{n.to}, TemplateTimeBox, h, append(slices.Clone(n.lines), Line{Key: "handover.proposed", Args: map[string]string{"team": h.to.Name}}))
		}
	})
	return true
}

// handOverByTimer hands the ticket over by itself; what the packet lacks is asked beside.
func (d *decider) handOverByTimer(e *Entry) bool {
	h, ok := d.byTimer()
	if !ok {
		return false
	}
	h.gaps = d.r.Handover.Check(h.to.Tier, h.packet, d.r.known())
	asked := d.audience()
	if !d.handOverTo(d.out.Ticket, e, h) {
		return false
	}
	e.Detail = "handed over to " + h.to.Name
	if len(h.gaps) > 0 {
		d.setHandingOf(d.out.Ticket, e, h, true)
	}
	d.after = append(d.after, func() {
		d.tellHandedOver(h, d.now)
		if len(h.gaps) > 0 {
			d.tellForm(asked, TemplateHandoverAsked, h, []Line{{Key: "handover.by_timer", Args: map[string]string{"team": h.to.Name}}})
		}
	})
	return true
}

// byTimer prepares a handover to the team that is meant when none is named.
func (d *decider) byTimer() (handOff, bool) {
	t := d.out.Ticket
	to, ok := d.nextTeam(t.Tier + 1)
	if !ok || to.Tier < 2 {
		return handOff{}, false
	}
	h := handOff{to: to, packet: d.packet(t, nil), items: d.offered(t, to.Name)}
	h.gaps = d.r.Handover.Check(to.Tier, h.packet, d.r.known())
	return h, true
}

// teamOfOwner is the team of the first tier that the ticket's owner is of, or the default team.
func (d *decider) teamOfOwner() string {
	owner := strings.ToLower(d.out.Ticket.Owner)
	for _, name := range sortedTeams(d.r) {
		if tm := d.r.Teams[name]; tm.Tier == 1 && owner != "" && slices.Contains(tm.Members, owner) {
			return name
		}
	}
	return d.r.DefaultTeam
}

// returnToOwner gives a ticket that nobody accepts back to the team that handed it over. It reports false when it was
// not handed over.
func (d *decider) returnToOwner(e *Entry) bool {
	t := d.out.Ticket
	if t.State != StateHandedOver || !d.move(t, e, eventReturn) {
		return false
	}
	from := d.teamOfOwner()
	list := t.handovers(e.Changes)
	if n := len(list); t.lastHandover() != nil {
		list[n-1].ReturnedBy, list[n-1].ReturnedAt, list[n-1].Returned = ActorTimer, d.now, "nobody accepted it in time"
		from = list[n-1].From
		t.set(&e.Changes, fieldHandovers, formatJSON(list))
	}
	team, owner := t.Team, t.Owner
	e.Detail = "nobody of " + team + " has accepted it: back to " + from
	if _, ok := d.r.agent(owner); !ok {
		owner = ""
	}
	t.set(&e.Changes, fieldHanding, "")
	t.set(&e.Changes, fieldTeam, from)
	t.set(&e.Changes, fieldTier, formatInt(d.r.Teams[from].Tier))
	t.set(&e.Changes, fieldAssignee, owner)
	d.after = append(d.after, func() {
		d.tell(d.audience(), TemplateHandoverReturned, t.noticePurpose(), false, func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt = t.LastCustomer, t.Requester.Mail, t.Created
			v.Lines = []Line{{Key: "handover.not_accepted", Args: map[string]string{"team": team}}}
			v.Commands = []string{"#escalate " + team, "#ask " + team, "#solve"}
		})
	})
	return true
}
