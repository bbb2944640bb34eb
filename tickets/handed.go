package tickets

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"supportd/tickets/command"
	"supportd/tickets/handover"
)

// Functional escalation: a team hands a ticket to one that knows more, with a packet that is checked before anybody there
// is bothered (domain.md S34–S36). The owner stays, the assignee goes.

// tiers has the commands that hand a ticket on, to teams, people and third parties.
func tiers() map[string]handler {
	return map[string]handler{
		"escalate":  (*operation).escalate,
		"escalate!": (*operation).escalate,
		"tier":      (*operation).tier,
		"accept":    (*operation).accept,
		"return":    (*operation).giveBack,
		"t1able": func(op *operation, _ command.Command) bool {
			op.t.set(&op.entry.Changes, fieldLevel1, formatBool(true))
			return op.done("did.t1able", nil)
		},
		"ask":    (*operation).consult,
		"vendor": (*operation).vendor,
		"ok":     (*operation).approve,
		"absent": (*operation).absent,
		"back":   (*operation).back,
	}
}

// staysInside reports whether a command of the mail says for whom its text is: not for the customer.
func (op *operation) staysInside() bool {
	return !op.has("reply") && slices.ContainsFunc([]string{"escalate", "escalate!", "tier", "return", "ask", "vendor", "absent"}, op.has)
}

// done adds a line to the receipt.
func (op *operation) done(key string, args map[string]string) bool {
	op.lines = append(op.lines, Line{OK: true, Key: key, Args: args})
	return true
}

// handOff is a ticket on its way to a team.
type handOff struct {
	to     Team
	by     string // an agent's address; "" for a timer
	packet handover.Packet
	gaps   []handover.Gap
	items  []string // configuration items to choose from
	forced string   // why it goes although it lacks something
	before int      // attempts that lacked something
}

// escalate is #escalate [TEAM] [REASON], and #escalate! REASON for a packet that stays incomplete.
func (op *operation) escalate(c command.Command) bool {
	h := handOff{by: op.agent.Address}
	rest, forced := c.Args, c.Word == "escalate!"
	if w := op.t.Handing; w != nil && !w.Passed {
		h.before = w.Attempts
		h.to = op.r.Teams[w.To]
	}
	team, after, ok := op.teamIn(rest)
	if !ok {
		return false
	}
	if team.Name != "" {
		h.to, rest = team, after
	}
	if h.to.Name == "" {
		if h.to, ok = op.nextTeam(op.t.Tier + 1); !ok {
			return op.refuse(Line{Key: "refused.which_team", Args: map[string]string{"word": "#" + c.Word, "candidates": op.higherTeams()}})
		}
	}
	if forced {
		if h.forced = rest; h.forced == "" {
			return op.refuse(Line{Key: "refused.reason", Args: map[string]string{"word": "#escalate!"}})
		}
		if h.before < 2 {
			return op.refuse(Line{Key: "refused.force_early", Args: map[string]string{"word": "#escalate!"}})
		}
	}
	return op.handOn(c, h, rest)
}

// tier is #tier N: the same by the number of the tier.
func (op *operation) tier(c command.Command) bool {
	word, rest, _ := strings.Cut(c.Args, " ")
	n, err := strconv.Atoi(word)
	switch {
	case err != nil || n < 1 || n > 3:
		return op.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#tier", "usage": "#tier 2|3"}})
	case n < op.t.Tier:
		return op.giveBack(command.Command{Word: "return", Args: rest, Line: c.Line})
	}
	to, ok := op.nextTeam(n)
	if !ok {
		return op.refuse(Line{Key: "refused.which_team", Args: map[string]string{"word": "#escalate", "candidates": op.higherTeams()}})
	}
	return op.handOn(c, handOff{to: to, by: op.agent.Address}, rest)
}

// handOn checks the packet and hands the ticket over, or asks for what is missing. args is the reason as it was typed.
func (op *operation) handOn(c command.Command, h handOff, args string) bool {
	switch {
	case h.to.Name == op.t.Team:
		return op.refuse(Line{Key: "refused.same_team", Args: map[string]string{"team": h.to.Name}})
	case h.to.Tier < 2 || h.to.Tier < op.t.Tier:
		return op.refuse(Line{Key: "refused.lower_tier", Args: map[string]string{"team": h.to.Name, "word": "#return"}})
	}
	h.packet, h.items = op.packet(op.t, op.entry.Changes), op.offered(op.t, h.to.Name)
	if word, _ := op.r.Handover.Choose(handover.Reason, args); word != "" {
		h.packet[handover.Reason] = handover.Value{Text: word}
	}
	op.readPacket(&h)
	if h.forced == "" && !op.passes(h) {
		return op.askGaps(c, h)
	}
	return op.handOver(c, h)
}

// readPacket takes the fields that the mail itself has, and the files that go with it.
func (op *operation) readPacket(h *handOff) (understood []string) {
	rules := op.r.Handover
	h.gaps = rules.Check(h.to.Tier, h.packet, op.r.known())
	text := ""
	if op.entry.Kind == EntryNoted {
		text = op.entry.Text
	}
	got, _ := rules.Read(text, h.gaps, h.items, op.r.known())
	for _, f := range rules.Fields {
		if v, ok := got[f.Name]; ok {
			h.packet.Fill(f, v)
			understood = append(understood, f.Name)
		}
		if files := logFiles(op.m.Attachments); f.Attachment && len(files) > 0 {
			v := h.packet[f.Name]
			v.Items, v.Escape = union(v.Items, files), ""
			h.packet[f.Name] = v
			understood = append(understood, f.Name)
		}
	}
	h.gaps = rules.Check(h.to.Tier, h.packet, op.r.known())
	return understood
}

// passes reports whether the packet goes as it is.
func (op *operation) passes(h handOff) bool {
	return len(h.gaps) == 0 || !op.r.Handover.Ask || slices.Contains(op.r.Handover.PassAndAsk, op.t.value(fieldPriority, op.entry.Changes))
}

// askGaps keeps the ticket and asks the agent for what the packet lacks, with all that is known filled in.
func (op *operation) askGaps(c command.Command, h handOff) bool {
	if !op.move(op.t, &op.entry, eventGaps) {
		return op.refuseState(c.Word)
	}
	op.setHanding(h, false)
	op.formed = true
	op.later = append(op.later, func() { op.tellGaps(TemplateHandoverGaps, h, nil) })
	return true
}

func (d *decider) setHandingOf(t *Ticket, e *Entry, h handOff, passed bool) {
	w := Handing{To: h.to.Name, By: h.by, Packet: h.packet, Items: h.items, Attempts: h.before + 1, Passed: passed}
	t.set(&e.Changes, fieldHanding, formatJSON(w))
}

func (op *operation) setHanding(h handOff, passed bool) {
	op.setHandingOf(op.t, &op.entry, h, passed)
}

// tellGaps sends the form: what is missing, what is known, and how to answer.
func (op *operation) tellGaps(template string, h handOff, more []Line) {
	required := len(op.r.Handover.Required(h.to.Tier))
	lines := append([]Line{{Key: "handover.lacks", Args: map[string]string{"team": h.to.Name, "missing": strconv.Itoa(len(h.gaps)), "of": strconv.Itoa(required)}}}, more...)
	if template == TemplateHandoverGaps && h.before+1 >= 2 {
		lines = append(lines, Line{Key: "handover.force", Args: map[string]string{"word": "#escalate!"}})
	}
	op.tellForm([]string{op.agent.Address}, template, h, lines)
	op.lastMailIsReceipt()
}

// tellForm sends a packet that can be answered.
func (d *decider) tellForm(to []string, template string, h handOff, lines []Line) {
	d.tell(to, template, PurposeForm, false, func(v *InternalView) {
		v.Mode, v.ReplyIsPublic = "form", false
		v.Text, v.TextFrom, v.Attachments, v.Warnings = "", "", nil, nil
		v.Lines, v.Form = lines, d.r.Handover.Form(h.to.Tier, h.packet, h.gaps, h.items)
		v.Commands = []string{"#escalate " + h.to.Name, "#ask " + h.to.Name, "#help"}
	})
}

// handOver hands the ticket to the team.
func (op *operation) handOver(c command.Command, h handOff) bool {
	op.takeLevels(h.packet)
	if !op.handOverTo(op.t, &op.entry, h) {
		return op.refuseState(c.Word)
	}
	op.done("did.escalate", map[string]string{"team": h.to.Name, "tier": strconv.Itoa(h.to.Tier)})
	op.later = append(op.later, func() { op.tellHandedOver(h, op.now.Add(op.r.Undo)) })
	if len(h.gaps) > 0 && h.forced == "" {
		op.setHanding(h, true)
		op.later = append(op.later, func() { op.tellGaps(TemplateHandoverAsked, h, nil) })
	}
	return true
}

// takeLevels makes impact, urgency and item of a packet the ticket's own, when a person gave them.
func (op *operation) takeLevels(p handover.Packet) {
	for field, name := range map[string]string{fieldImpact: handover.Impact, fieldUrgency: handover.Urgency, fieldCI: handover.CI} {
		v := p[name]
		if v.From == "" && v.Escape == "" && v.Text != "" && v.Text != op.t.value(field, op.entry.Changes) {
			op.give(field, v.Text)
		}
	}
}

// handOverTo changes the ticket as a handover does; false when its state does not allow one.
func (d *decider) handOverTo(t *Ticket, e *Entry, h handOff) bool {
	if !d.move(t, e, eventEscalate) {
		return false
	}
	reason := h.packet[handover.Reason].Text
	one := Handover{From: t.Team, To: h.to.Name, TierFrom: t.Tier, TierTo: h.to.Tier, By: h.by, At: d.now, Packet: h.packet,
		Complete: len(h.gaps) == 0 && h.before == 0, Forced: h.forced}
	for _, g := range h.gaps {
		one.Gaps = append(one.Gaps, g.Field)
	}
	list := append(t.handovers(e.Changes), one)
	t.set(&e.Changes, fieldHandovers, formatJSON(list))
	t.set(&e.Changes, fieldHanding, "")
	t.set(&e.Changes, fieldTeam, h.to.Name)
	t.set(&e.Changes, fieldTier, formatInt(h.to.Tier))
	owner := firstNonEmpty(t.Owner, firstNonEmpty(t.Assignee, h.by))
	if !d.r.Handover.OwnerStays {
		owner = ""
	}
	t.set(&e.Changes, fieldOwner, owner)
	t.set(&e.Changes, fieldAssignee, "")
	e.Reasons = append(e.Reasons, Reason{What: "handover", Value: h.to.Name, Why: firstNonEmpty(h.forced, reason)})
	return true
}

// tellHandedOver tells the team with the packet and the thread, and the customer once for each tier.
func (d *decider) tellHandedOver(h handOff, customerAt time.Time) {
	t := d.out.Ticket
	line := Line{Key: "handover.from", Args: map[string]string{"who": h.by, "reason": firstNonEmpty(h.forced, h.packet[handover.Reason].Text)}}
	if n := len(t.Handovers); n > 0 {
		line.Args["team"], line.Args["tier"] = t.Handovers[n-1].From, formatInt(t.Handovers[n-1].TierFrom)
	}
	lines := []Line{line}
	if len(h.gaps) > 0 {
		lines = append(lines, Line{Key: "handover.still_lacks", Args: map[string]string{"missing": strconv.Itoa(len(h.gaps))}})
	}
	before := len(d.out.Mails)
	d.tell(d.team(), TemplateHandoverPacket, t.noticePurpose(), true, func(v *InternalView) {
		v.Text, v.TextFrom, v.TextAt, v.Verified = t.LastCustomer, t.Requester.Mail, t.Created, t.Verified
		v.Attachments, v.Warnings = nil, nil
		v.Lines, v.Form = lines, d.r.Handover.Form(h.to.Tier, h.packet, h.gaps, nil)
		v.Commands = []string{"#accept 3", "#take", "#ask " + t.Handovers[len(t.Handovers)-1].From, "#return REASON"}
	})
	for i := before; i < len(d.out.Mails); i++ {
		d.out.Mails[i].Thread = true
	}
	if d.tellsCustomer(t, h.to.Tier) {
		view := d.publicView(t)
		d.toCustomer(TemplateHandedOver, view)
		d.holdBack(TemplateHandedOver, customerAt)
	}
}

// tellsCustomer reports whether the customer is to be told that the ticket has come to a tier: once for each.
func (d *decider) tellsCustomer(t *Ticket, tier int) bool {
	if t.Alert != nil || d.r.Mailboxes[t.Mailbox].Monitoring || tier < 2 {
		return false
	}
	for _, h := range t.Handovers[:max(0, len(t.Handovers)-1)] {
		if h.TierTo >= tier {
			return false
		}
	}
	return true
}

// holdBack lets a mail that was just owed to the customer wait as an agent's answer does, so that #undo can stop it.
func (d *decider) holdBack(template string, until time.Time) {
	if n := len(d.out.Mails); n > 0 && d.out.Mails[n-1].Template == template {
		d.out.Mails[n-1].NotBefore = until
	}
}

// teamIn finds the team, by name or skill, that a command's arguments begin with. No team is no fault; two are.
func (op *operation) teamIn(args string) (team Team, rest string, ok bool) {
	args = strings.TrimSpace(args)
	var found []Team
	longest := 0
	for _, t := range op.r.Teams {
		for _, name := range append([]string{t.Name}, t.Skills...) {
			n := begins(args, name)
			switch {
			case n == 0 || n < longest:
			case n > longest:
				longest, found = n, []Team{t}
			default:
				found = append(found, t)
			}
		}
	}
	if len(found) > 1 { // a skill that several teams have: the team of that name, else the one that may be meant
		found = slices.DeleteFunc(found, func(t Team) bool { return t.Tier < max(2, op.t.Tier) || t.Name == op.t.Team })
	}
	if len(found) > 1 {
		var names []string
		for _, t := range found {
			names = append(names, t.Name)
		}
		op.refuse(Line{Key: "refused.ambiguous", Args: map[string]string{"name": oneLine(args[:longest]), "candidates": strings.Join(sorted(names), ", ")}})
		return Team{}, "", false
	}
	if len(found) == 0 {
		return Team{}, args, true
	}
	return found[0], strings.TrimLeft(args[longest:], " :,–-\""), true
}

// begins is how many octets of the text are the name, as a word of its own, with or without quotes; 0 when it is not.
func begins(text, name string) int {
	quoted := strings.HasPrefix(text, `"`)
	bare := strings.TrimPrefix(text, `"`)
	if len(bare) < len(name) || name == "" || !strings.EqualFold(bare[:len(name)], name) {
		return 0
	}
	if rest := bare[len(name):]; rest != "" && !strings.ContainsRune(" :,\"\t\n?!.", rune(rest[0])) {
		return 0
	}
	n := len(name)
	if quoted {
		n++
	}
	return n
}

// nextTeam is the team of a tier that is meant when none is named: for the second tier the category's, else the only one.
func (d *decider) nextTeam(tier int) (Team, bool) {
	t := d.out.Ticket
	if tier == 2 {
		if team, ok := d.r.Teams[d.r.SecondTier[t.Category]]; ok && team.Name != t.Team {
			return team, true
		}
	}
	var found []Team
	for _, team := range d.r.Teams {
		if team.Tier == tier && team.Name != t.Team {
			found = append(found, team)
		}
	}
	if len(found) != 1 {
		return Team{}, false
	}
	return found[0], true
}

// higherTeams names the teams that a ticket can be handed to.
func (op *operation) higherTeams() string {
	var names []string
	for _, t := range op.r.Teams {
		if t.Tier >= max(2, op.t.Tier) && t.Name != op.t.Team {
			names = append(names, t.Name)
		}
	}
	return strings.Join(sorted(names), ", ")
}
