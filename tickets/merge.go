package tickets

import (
	"slices"
	"strconv"
	"strings"

	"supportd/tickets/command"
)

// Structure: tickets that become one, that belong together, and one that becomes two. Two customers are never merged
// into one thread (S39): each would get the other's mail.

// structure has the commands about several tickets.
func structure() map[string]handler {
	return map[string]handler{
		"merge":     func(op *operation, c command.Command) bool { return op.merge(c, true) },
		"duplicate": func(op *operation, c command.Command) bool { return op.merge(c, false) },
		"unmerge":   (*operation).unmerge,
		"link":      (*operation).link,
		"split":     (*operation).split,
		"spam":      (*operation).spam,
	}
}

// maxMerged bounds how far a chain of merged tickets is followed.
const maxMerged = 10

// taker follows a merged ticket to the one that took it in.
func (tx *Tx) taker(t *Ticket) (*Ticket, error) {
	for range maxMerged {
		if t.State != StateMerged || t.MergedInto == 0 {
			return t, nil
		}
		next, err := tx.Ticket(t.MergedInto)
		if err != nil {
			return nil, err
		}
		t = next
	}
	return t, nil
}

// knowNamed looks up the tickets that commands of a mail name.
func (tx *Tx) knowNamed(k *Known, c command.Command) error {
	number := ticketRef(c.Args)
	if number == "" {
		return nil
	}
	t, err := tx.TicketByNumber(number)
	if err != nil {
		return nil // there is none: the command says so
	}
	if k.Named == nil {
		k.Named = map[string]*Ticket{}
	}
	k.Named[number] = t
	return nil
}

// ticketRef is the number of a ticket as people write it: NW-2026-000042, in brackets, or with a # before it.
func ticketRef(s string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	return strings.ToUpper(strings.Trim(word, "[]#"))
}

// named is the ticket that a command names; nil when there is none, and the mail is refused then.
func (op *operation) named(c command.Command) *Ticket {
	t := op.k.Named[ticketRef(c.Args)]
	if t == nil {
		op.refuse(Line{Key: "refused.ticket", Args: map[string]string{"number": oneLine(c.Args)}})
		return nil
	}
	again := slices.ContainsFunc(op.out.Beside, func(b Beside) bool { return b.Ticket.ID == t.ID })
	if t.ID == op.t.ID || again {
		op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#" + c.Word, "other": t.Number}})
		return nil
	}
	return t
}

// merge makes this ticket part of another of the same requester. Without must, tickets of different requesters are
// linked instead.
func (op *operation) merge(c command.Command, must bool) bool {
	into := op.named(c)
	if into == nil {
		return false
	}
	if !strings.EqualFold(into.Requester.Mail, op.t.Requester.Mail) {
		if must {
			return op.refuse(Line{Key: "refused.merge", Args: map[string]string{"number": into.Number}})
		}
		return op.linkTo(into)
	}
	if !into.State.Live() {
		return op.refuse(Line{Key: "refused.merge_state", Args: map[string]string{"number": into.Number, "state": string(into.State)}})
	}
	if op.answer {
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#" + c.Word, "other": "text"}})
	}
	if op.t.State == StateClosed && !op.leads() {
		return op.refuseState(c.Word)
	}
	op.t.set(&op.entry.Changes, fieldMergedInto, formatInt(int(into.ID)))
	if !op.transit(c, eventMerge, Line{OK: true, Key: "did.merge", Args: map[string]string{"number": into.Number}}) {
		return false
	}
	op.entry.Detail = "into " + into.Number
	b := op.beside(into)
	t := b.out.Ticket
	e := Entry{Kind: EntryChanged, Actor: op.entry.Actor, Detail: "#merge: took in " + op.t.Number}
	t.set(&e.Changes, fieldMergedFrom, strings.Join(union(t.MergedFrom, []string{op.t.Number}), " "))
	t.set(&e.Changes, fieldTags, strings.Join(union(t.Tags, op.t.Tags), " "))
	t.set(&e.Changes, fieldWatchers, strings.Join(union(t.Watchers, op.t.Watchers), " "))
	if op.t.Updated.After(t.Created) && op.t.LastCustomer != "" && op.t.Created.After(t.Created) {
		t.set(&e.Changes, fieldLastCustomer, op.t.LastCustomer)
	}
	// References that stand in the clients of the other one's people hold the threads together there, too.
	for _, address := range sorted(mapKeys(op.t.Thread)) {
		for _, id := range op.t.Thread[address] {
			e.Changes = append(e.Changes, Change{Field: fieldThread, After: address + " " + id})
		}
	}
	op.r.mergeClocks(t, &e, op.t)
	b.entry(e)
	b.tell(slices.DeleteFunc(b.audience(), func(a string) bool { return strings.EqualFold(a, op.agent.Address) }), TemplateCustomerReplied, PurposeAnswer, false,
		func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt, v.Attachments, v.Warnings = op.t.LastCustomer, op.t.Requester.Mail, op.t.Created, nil, nil
			v.Hints = append(v.Hints, op.t.Number)
		})
	view := b.publicView(t)
	view.FollowUpOf = op.t.Number
	b.toCustomer(TemplateMerged, view)
	op.keep(b)
	return true
}

func mapKeys[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// leads reports whether the agent leads a team.
func (op *operation) leads() bool {
	for _, t := range op.r.Teams {
		if strings.EqualFold(t.Lead, op.agent.Address) {
			return true
		}
	}
	return false
}

// unmerge makes a merged ticket what it was before. It is asked for in a mail about that ticket, or about the one that
// took it in, with its number.
func (op *operation) unmerge(c command.Command) bool {
	source := op.k.Via
	if c.Args != "" {
		if source = op.named(c); source == nil {
			return false
		}
	}
	if source == nil || source.State != StateMerged || source.MergedInto != op.t.ID {
		return op.refuse(Line{Key: "refused.unmerge", Args: map[string]string{"number": op.t.Number}})
	}
	b := op.beside(source)
	t := b.out.Ticket
	e := Entry{Kind: EntryChanged, Actor: op.entry.Actor, Detail: "#unmerge: apart from " + op.t.Number + " again"}
	t.set(&e.Changes, fieldMergedInto, "")
	if !b.move(t, &e, eventUnmerge) {
		return op.refuseState(c.Word)
	}
	b.entry(e)
	op.keep(b)
	left := slices.DeleteFunc(slices.Clone(op.t.MergedFrom), func(n string) bool { return n == source.Number })
	op.t.set(&op.entry.Changes, fieldMergedFrom, strings.Join(left, " "))
	op.lines = append(op.lines, Line{OK: true, Key: "did.unmerge", Args: map[string]string{"number": source.Number}})
	return true
}

// link notes on two tickets that they belong together.
func (op *operation) link(c command.Command) bool {
	other := op.named(c)
	return other != nil && op.linkTo(other)
}

func (op *operation) linkTo(other *Ticket) bool {
	op.t.set(&op.entry.Changes, fieldLinks, strings.Join(union(op.t.Links, []string{other.Number}), " "))
	b := op.beside(other)
	e := Entry{Kind: EntryChanged, Actor: op.entry.Actor, Detail: "#link " + op.t.Number}
	b.out.Ticket.set(&e.Changes, fieldLinks, strings.Join(union(other.Links, []string{op.t.Number}), " "))
	if len(e.Changes) > 0 {
		b.entry(e)
		op.keep(b)
	}
	op.lines = append(op.lines, Line{OK: true, Key: "did.link", Args: map[string]string{"number": other.Number}})
	return true
}

// split opens a ticket of its own for the customer's last message.
func (op *operation) split(c command.Command) bool {
	if op.answer || len(op.out.Beside) > 0 {
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#split", "other": "text"}})
	}
	if op.t.LastCustomer == "" || !op.t.State.Live() {
		return op.refuseState(c.Word)
	}
	old := op.t
	b := op.beside(nil)
	t := &Ticket{ID: op.k.NextID}
	b.out.Ticket, b.out.New, b.k.Ticket = t, true, nil
	subject := firstNonEmpty(cleanSubject(c.Args), old.Subject)
	e := Entry{Kind: EntryCreated, Actor: op.entry.Actor, Detail: "#split off " + old.Number, Changes: []Change{
		{Field: fieldNumber, After: op.k.Brand.number(op.now.In(op.zone()), op.k.NextCount)},
		{Field: fieldState, After: string(StateNew)},
		{Field: fieldSubject, After: subject},
		{Field: fieldLanguage, After: old.Language},
		{Field: fieldMailbox, After: old.Mailbox},
		{Field: fieldRequester, After: formatJSON(old.Requester)},
		{Field: fieldVerified, After: formatBool(old.Verified)},
		{Field: fieldTeam, After: old.Team},
		{Field: fieldTier, After: formatInt(old.Tier)},
		{Field: fieldLinks, After: old.Number},
		{Field: fieldLastCustomer, After: old.LastCustomer},
	}}
	for _, c := range []Change{
		{Field: fieldCategory, After: old.Category}, {Field: fieldCI, After: old.CI}, {Field: fieldService, After: old.Service}, {Field: fieldImpact, After: old.Impact},
		{Field: fieldUrgency, After: old.Urgency}, {Field: fieldPriority, After: old.Priority}, {Field: fieldOrganisation, After: old.Organisation},
		{Field: fieldServiceLevel, After: old.ServiceLevel},
	} {
		if c.After != "" {
			e.Changes = append(e.Changes, c)
		}
	}
	b.out.Ticket = t
	b.entry(e)
	b.tell(b.team(), TemplateTicketToTeam, PurposeAnswer, false, func(v *InternalView) {
		v.Text, v.TextFrom, v.TextAt, v.Attachments, v.Warnings = old.LastCustomer, old.Requester.Mail, op.now, nil, nil
		v.Hints = append(v.Hints, old.Number)
	})
	op.keep(b)
	op.t.set(&op.entry.Changes, fieldLinks, strings.Join(union(op.t.Links, []string{t.Number}), " "))
	op.lines = append(op.lines, Line{OK: true, Key: "did.split", Args: map[string]string{"number": t.Number}})
	return true
}

// spam sets the ticket aside; #release brings it back.
func (op *operation) spam(c command.Command) bool {
	if op.answer {
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#spam", "other": "text"}})
	}
	return op.transit(c, eventSpam, Line{OK: true, Key: "did.spam"})
}

// bindsOthers reports whether a change concerns a second ticket, which #undo does not see.
func (c Change) bindsOthers() bool {
	return c.Field == fieldMergedInto || c.Field == fieldMergedFrom || c.Field == fieldLinks
}

func parseID(s string) (TicketID, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return TicketID(n), err
}
