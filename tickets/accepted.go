package tickets

import (
	"slices"
	"strconv"
	"strings"

	"supportd/tickets/command"
)

// What the team does with a ticket that it was handed: it accepts it and says how good the packet was, or gives it back
// once, with a reason. When they disagree a second time their leads decide (domain.md S36).

// member reports whether an agent is of a team, or leads it.
func (t Team) member(address string) bool {
	return slices.ContainsFunc(t.Members, func(m string) bool { return strings.EqualFold(m, address) }) || strings.EqualFold(t.Lead, address)
}

// mayWork refuses people of other teams as long as the team that a ticket was handed to has not accepted it.
func (op *operation) mayWork(who string) bool {
	if State(op.t.value(fieldState, op.entry.Changes)) != StateHandedOver || op.r.Teams[op.t.Team].member(who) {
		return true
	}
	return op.refuse(Line{Key: "refused.not_member", Args: map[string]string{"team": op.t.Team, "who": who}})
}

// replying is the event of an answer to the customer: of a ticket that was handed over only its team answers.
func (op *operation) replying() event {
	if op.t.State == StateHandedOver && !op.r.Teams[op.t.Team].member(op.agent.Address) {
		return eventReplyOutside
	}
	return eventReply
}

// solving is the event of #solve: of a ticket that nobody has accepted yet, only its owner's.
func (op *operation) solving() event {
	if strings.EqualFold(op.t.Owner, op.agent.Address) {
		return eventSolveOwner
	}
	return eventSolve
}

// accept is #accept [1-3]: it takes the ticket and says how good the packet was. Whoever has it can say so later.
func (op *operation) accept(c command.Command) bool {
	rating := 0
	if c.Args != "" {
		var err error
		if rating, err = strconv.Atoi(strings.TrimSpace(c.Args)); err != nil || rating < 1 || rating > 3 {
			return op.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#accept", "usage": "#accept 1|2|3"}})
		}
	}
	if rating == 0 && op.t.lastHandover() == nil { // elsewhere "accept" is another word for "take"
		return op.take(command.Command{Word: "take", Line: c.Line})
	}
	if op.t.lastHandover() == nil {
		return op.refuse(Line{Key: "refused.not_handed", Args: map[string]string{"word": "#accept"}})
	}
	op.rating = rating
	if rating > 0 && op.t.State != StateHandedOver && op.r.Teams[op.t.Team].member(op.agent.Address) {
		op.rate()
		return true
	}
	return op.take(command.Command{Word: "take", Line: c.Line})
}

// rate notes how good the packet was.
func (op *operation) rate() {
	list := op.t.handovers(op.entry.Changes)
	list[len(list)-1].Rating = op.rating
	op.t.set(&op.entry.Changes, fieldHandovers, formatJSON(list))
	op.done("did.rated", map[string]string{"rating": strconv.Itoa(op.rating)})
}

// settleHandover notes who has accepted the ticket, by whatever command or answer, and tells its owner.
func (op *operation) settleHandover() {
	e := &op.entry
	if op.k.Ticket == nil || op.k.Ticket.State != StateHandedOver || State(op.t.value(fieldState, e.Changes)) == StateHandedOver || op.t.lastHandover() == nil {
		return
	}
	who := op.t.value(fieldAssignee, e.Changes)
	list := op.t.handovers(e.Changes)
	last := &list[len(list)-1]
	if who == "" || !last.ReturnedAt.IsZero() || !last.AcceptedAt.IsZero() {
		return
	}
	last.AcceptedBy, last.AcceptedAt, last.Rating = who, op.now, op.rating
	op.t.set(&e.Changes, fieldHandovers, formatJSON(list))
	if !op.r.Handover.OwnerStays {
		op.t.set(&e.Changes, fieldOwner, who)
	}
	line := Line{Key: "handover.accepted", Args: map[string]string{"who": who, "team": op.t.Team}}
	if op.rating > 0 {
		line.Args["rating"] = strconv.Itoa(op.rating)
	}
	op.later = append(op.later, func() { op.tellOwner(TemplateHandoverAccepted, PurposeNote, []Line{line}, nil) })
}

// tellOwner tells whoever answers for the ticket, unless they did it themselves.
func (op *operation) tellOwner(template string, purpose Purpose, lines []Line, fill func(*InternalView)) {
	owner := strings.ToLower(op.t.Owner)
	if owner == "" || strings.EqualFold(owner, op.agent.Address) {
		return
	}
	op.tell([]string{owner}, template, purpose, false, func(v *InternalView) {
		v.Text, v.TextFrom, v.Attachments, v.Warnings = "", "", nil, nil
		v.Lines = lines
		if fill != nil {
			fill(v)
		}
	})
}

// giveBack is #return REASON: the ticket goes back to the team that handed it over, and to its owner.
func (op *operation) giveBack(c command.Command) bool {
	reason := firstNonEmpty(oneLine(c.Args), oneLine(op.noteText()))
	h := op.t.lastHandover()
	switch {
	case h == nil:
		return op.refuse(Line{Key: "refused.not_handed", Args: map[string]string{"word": "#return"}})
	case !op.r.Teams[op.t.Team].member(op.agent.Address):
		return op.refuse(Line{Key: "refused.not_member", Args: map[string]string{"team": op.t.Team, "who": op.agent.Address}})
	case reason == "" && op.r.Handover.Return.NeedsReason:
		return op.refuse(Line{Key: "refused.reason", Args: map[string]string{"word": "#return"}})
	case cell(op.t.State, eventReturn) == refused:
		return op.refuseState("return")
	}
	if op.r.Handover.Return.Once && slices.ContainsFunc(op.t.Handovers, func(o Handover) bool { return o.To == op.t.Team && !o.ReturnedAt.IsZero() }) {
		return op.disagree(reason)
	}
	if !op.move(op.t, &op.entry, eventReturn) {
		return op.refuseState("return")
	}
	list := op.t.handovers(op.entry.Changes)
	last := &list[len(list)-1]
	last.ReturnedBy, last.ReturnedAt, last.Returned = op.agent.Address, op.now, reason
	to := op.t.Owner
	if _, ok := op.r.agent(to); !ok {
		to = last.By
	}
	if _, ok := op.r.agent(to); !ok {
		to = ""
	}
	e, team := &op.entry, op.t.Team
	op.t.set(&e.Changes, fieldHandovers, formatJSON(list))
	op.t.set(&e.Changes, fieldHanding, "")
	op.t.set(&e.Changes, fieldTeam, last.From)
	op.t.set(&e.Changes, fieldTier, formatInt(last.TierFrom))
	op.t.set(&e.Changes, fieldAssignee, to)
	op.done("did.return", map[string]string{"team": last.From})
	line := Line{Key: "handover.returned", Args: map[string]string{"who": op.agent.Address, "team": team, "reason": reason}}
	op.later = append(op.later, func() {
		told := op.audience()
		op.tell(told, TemplateHandoverReturned, op.t.noticePurpose(), false, func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt = op.t.LastCustomer, op.t.Requester.Mail, op.t.Created
			v.Attachments, v.Warnings = nil, nil
			v.Lines = []Line{line}
			v.Commands = []string{"#escalate " + team, "#ask " + team, "#solve"}
		})
	})
	return true
}

// noteText is the text of the mail when it stays inside.
func (op *operation) noteText() string {
	if op.entry.Kind == EntryNoted {
		return op.entry.Text
	}
	return ""
}

// disagree stops the ping-pong: the second time a team wants to give a ticket back, both leads get its history, once, and
// it stays where it is.
func (op *operation) disagree(reason string) bool {
	if op.t.Disagreed > 0 || !op.r.Handover.Return.TellLeads {
		return op.refuse(Line{Key: "refused.returned_before", Args: map[string]string{"team": op.t.Team}})
	}
	op.t.set(&op.entry.Changes, fieldDisagreed, formatInt(op.t.Disagreed+1))
	from, team := op.t.lastHandover().From, op.t.Team
	leads := union(op.leadOf(from), op.leadOf(team))
	op.done("did.leads_told", map[string]string{"who": strings.Join(leads, ", ")})
	lines := []Line{{Key: "dispute.intro", Args: map[string]string{"team": team, "who": op.agent.Address, "reason": reason, "from": from}}}
	for _, h := range op.t.Handovers {
		lines = append(lines, Line{Key: "dispute.handed", Args: map[string]string{"at": formatTime(h.At), "who": h.By, "from": h.From, "to": h.To,
			"reason": firstNonEmpty(h.Forced, h.Packet["reason"].Text)}})
		if !h.ReturnedAt.IsZero() {
			lines = append(lines, Line{Key: "dispute.returned", Args: map[string]string{"at": formatTime(h.ReturnedAt), "who": h.ReturnedBy, "team": h.To, "reason": h.Returned}})
		}
	}
	op.later = append(op.later, func() {
		op.tell(leads, TemplateHandoverDispute, PurposeNote, false, func(v *InternalView) {
			v.Text, v.TextFrom, v.Attachments, v.Warnings = "", "", nil, nil
			v.Lines = append(lines, Line{Key: "dispute.decide"})
			v.Commands = []string{"#assign NAME", "#ask " + from, "#escalate TEAM REASON"}
		})
	})
	return true
}

// leadOf is who leads a team; without one, whoever is above.
func (d *decider) leadOf(team string) []string {
	for _, address := range []string{d.r.Teams[team].Lead, d.r.ServiceManager, strings.ToLower(d.r.Admin)} {
		if address != "" {
			return []string{address}
		}
	}
	return d.team()
}

// learnBack tells the owner how a higher tier has solved the ticket: that is how the first tier learns.
func (op *operation) learnBack() {
	t := op.t
	if op.k.Ticket == nil || op.k.Ticket.State == StateSolved || t.State != StateSolved || t.Tier < 2 || len(t.Handovers) == 0 {
		return
	}
	lines := []Line{{Key: "learn.solved", Args: map[string]string{"who": op.agent.Address, "team": t.Team}}}
	if t.Level1Capable {
		lines = append(lines, Line{Key: "learn.t1able"})
	}
	packet := t.Handovers[len(t.Handovers)-1].Packet
	op.tellOwner(TemplateLearnBack, PurposeNote, lines, func(v *InternalView) {
		v.Text, v.TextFrom, v.TextAt = t.Resolution, op.agent.Address, op.now
		v.Form = op.r.Handover.Form(t.Tier, packet, nil, nil)
		v.Commands = []string{"#note", "#show"}
	})
}
