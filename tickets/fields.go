package tickets

import (
	"maps"
	"slices"
	"strings"

	"supportd/tickets/command"
)

// Agents put right what the desk decided: #cat, #ci, #impact, #urgency, #prio, and #reroute, which decides anew. Values that
// a person has given stand: nothing that is derived ever replaces them (S10). What follows from a change is worked out once
// for the whole mail, by the same classifier that decided about the ticket (S6, S15).

// Override is a priority that a person has set against the matrix (S14).
type Override struct {
	Priority string `json:"priority"`
	By       string `json:"by"` // the agent's address
	Reason   string `json:"reason,omitempty"`
}

// CategoryChoice is a category as people choose and read it.
type CategoryChoice struct {
	Name   string
	Labels map[string]string // language → name for people
}

// Correction is a category that an agent gave to a ticket.
type Correction struct {
	Ticket   TicketID
	Category string
	Message  *Message // the one that opened the ticket; nil when it cannot be read
}

// fields has the commands that put right what the desk decided.
func fields() map[string]handler {
	return map[string]handler{
		"cat":      (*operation).setCategory,
		"ci":       (*operation).setItem,
		"impact":   (*operation).setLevel,
		"urgency":  (*operation).setLevel,
		"priority": (*operation).setPriority,
		"reroute":  (*operation).reroute,
	}
}

// level is what people mean by a word for impact or urgency; "" when it is none.
func level(word string) string {
	switch strings.ToLower(word) {
	case "high", "hoch", "1":
		return "high"
	case "medium", "mittel", "normal", "2":
		return "medium"
	case "low", "niedrig", "gering", "3":
		return "low"
	}
	return ""
}

// edit is what an agent's mail puts right on a ticket.
type edit struct {
	given    []string // fields that the mail gives a value, in its order
	override *Override
	dropped  bool // the override is to go
	reroute  bool
}

func (e *edit) any() bool { return len(e.given) > 0 || e.override != nil || e.dropped || e.reroute }

// editable refuses to put anything right on a ticket that is final.
func (op *operation) editable(c command.Command) bool {
	return op.move(op.t, &op.entry, eventRecompute) || op.refuseState(c.Word)
}

// give sets a field to a person's value and tells so.
func (op *operation) give(field, value string) bool {
	e := &op.entry
	from := op.t.value(field, e.Changes)
	op.t.set(&e.Changes, field, value)
	if !slices.Contains(op.edit.given, field) {
		op.edit.given = append(op.edit.given, field)
	}
	op.t.set(&e.Changes, fieldGiven, strings.Join(union(strings.Fields(op.t.value(fieldGiven, e.Changes)), []string{field}), " "))
	op.lines = append(op.lines, Line{OK: true, Key: "did." + field, Args: map[string]string{"from": from, "to": value}})
	return true
}

// setCategory is #cat: what the ticket is about, as a person sees it. The desk learns from it.
func (op *operation) setCategory(c command.Command) bool {
	var list []choice
	for _, k := range op.r.Categories {
		one := choice{value: k.Name, names: []string{k.Name}}
		for _, label := range k.Labels {
			one.names = append(one.names, label)
		}
		list = append(list, one)
	}
	name, ok := op.choose(c, list)
	return ok && op.editable(c) && op.give(fieldCategory, name)
}

// setItem is #ci. Without a table of items every name is taken; with one, "unknown" stands for none of them.
func (op *operation) setItem(c command.Command) bool {
	name := oneLine(c.Args)
	if len(op.r.Items) > 0 && !strings.EqualFold(name, "unknown") {
		var list []choice
		for _, id := range slices.Sorted(maps.Keys(op.r.Items)) {
			i := op.r.Items[id]
			list = append(list, choice{value: i.ID, names: []string{i.ID, i.Name}})
		}
		var ok bool
		if name, ok = op.choose(c, list); !ok {
			return false
		}
	}
	return op.editable(c) && op.give(fieldCI, name)
}

// setLevel is #impact and #urgency.
func (op *operation) setLevel(c command.Command) bool {
	value := level(c.Args)
	if value == "" {
		return op.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#" + c.Word, "usage": "#" + c.Word + " high|medium|low"}})
	}
	return op.editable(c) && op.give(c.Word, value)
}

// commonNames are what other desks call the priorities.
var commonNames = map[string][]string{"P1": {"urgent", "critical", "dringend", "kritisch"}, "P2": {"high", "important", "hoch", "wichtig"},
	"P3": {"normal", "medium", "mittel"}, "P4": {"low", "minor", "niedrig", "gering"}, "P5": {"wishlist", "planning"}}

// setPriority is #priority: a priority against the matrix, with a reason that every notice names, or `auto` to take the matrix's
// again (S14).
func (op *operation) setPriority(c command.Command) bool {
	word, reason, _ := strings.Cut(oneLine(c.Args), " ")
	if !op.editable(c) {
		return false
	}
	if strings.EqualFold(word, "auto") {
		if op.t.value(fieldOverride, op.entry.Changes) == "" {
			return op.refuse(Line{Key: "refused.no_override"})
		}
		op.t.set(&op.entry.Changes, fieldOverride, "")
		op.edit.override, op.edit.dropped = nil, true
		return true
	}
	list := make([]choice, 0, 5)
	for _, p := range []string{"P1", "P2", "P3", "P4", "P5"} {
		one := choice{value: p, names: []string{p, p[1:]}}
		for _, name := range op.r.PriorityNames[p] {
			one.names = append(one.names, name)
		}
		one.names = append(one.names, commonNames[p]...)
		list = append(list, one)
	}
	p, ok := op.choose(command.Command{Word: c.Word, Args: word}, list)
	if !ok {
		return false
	}
	from := op.t.value(fieldPriority, op.entry.Changes)
	op.edit.override = &Override{Priority: p, By: op.agent.Address, Reason: strings.TrimSpace(reason)}
	op.t.set(&op.entry.Changes, fieldPriority, p)
	op.t.set(&op.entry.Changes, fieldOverride, formatJSON(op.edit.override))
	op.lines = append(op.lines, Line{OK: true, Key: "did.priority", Args: map[string]string{"from": from, "to": p}})
	return true
}

// reroute is #reroute: the desk decides anew about the mail that opened the ticket. What people have given stays.
func (op *operation) reroute(c command.Command) bool {
	op.edit.reroute = true
	return op.editable(c)
}

// choice is something that can be named.
type choice struct {
	value string
	names []string
}

// choose finds what a command names: by a whole name, else by the beginning of one or of its last part, when that fits one
// alone.
func (op *operation) choose(c command.Command, list []choice) (string, bool) {
	want := strings.ToLower(oneLine(c.Args))
	var exact, begin, values []string
	for _, one := range list {
		for _, name := range one.names {
			name = strings.ToLower(name)
			_, last, _ := strings.Cut(name, ".")
			switch {
			case name == want:
				exact = union(exact, []string{one.value})
			case strings.HasPrefix(name, want), last != "" && strings.HasPrefix(last, want):
				begin = union(begin, []string{one.value})
			}
		}
		values = append(values, one.value)
	}
	found := exact
	if len(found) == 0 {
		found = begin
	}
	args := map[string]string{"name": oneLine(c.Args), "word": "#" + c.Word}
	switch len(found) {
	case 1:
		return found[0], true
	case 0:
		args["candidates"] = strings.Join(values[:min(len(values), 30)], ", ")
		return "", op.refuse(Line{Key: "refused.choice", Args: args})
	}
	args["candidates"] = strings.Join(found, ", ")
	return "", op.refuse(Line{Key: "refused.ambiguous", Args: args})
}

// recalculate works out what follows from the edits: the items' facts, the priority, what rules add, and after #reroute all
// else that the classifier decides.
func (op *operation) recalculate() {
	if !op.edit.any() {
		return
	}
	e, t := &op.entry, op.t
	before := op.r.Classifier.Classify(op.origin(), op.anew(op.current(nil)))
	var free []string // what no person has given may follow
	switch {
	case op.edit.reroute:
		free = []string{fieldCategory, fieldCI, fieldImpact, fieldUrgency}
	case slices.Contains(op.edit.given, fieldCI):
		free = []string{fieldImpact, fieldUrgency}
	}
	given := strings.Fields(t.value(fieldGiven, e.Changes))
	free = slices.DeleteFunc(free, func(f string) bool { return slices.Contains(given, f) })
	after := op.r.Classifier.Classify(op.origin(), op.anew(op.current(e.Changes).without(free)))
	derived := []Change{{Field: fieldCategory, After: after.Category.Name}, {Field: fieldCI, After: after.CI},
		{Field: fieldImpact, After: after.Impact}, {Field: fieldUrgency, After: after.Urgency}}
	for _, c := range derived {
		if from := t.value(c.Field, e.Changes); slices.Contains(free, c.Field) && c.After != "" && c.After != from {
			t.set(&e.Changes, c.Field, c.After)
			op.lines = append(op.lines, Line{OK: true, Key: "did." + c.Field, Args: map[string]string{"from": from, "to": c.After}})
		}
	}
	if t.value(fieldCI, e.Changes) != t.CI {
		t.set(&e.Changes, fieldService, after.Service)
	}
	op.reprioritise(after)
	if op.edit.reroute {
		op.toTeam(after)
	}
	op.addedBy(before, after)
	for _, r := range after.Reasons {
		if slices.ContainsFunc(e.Changes, func(c Change) bool {
			return c.Field == r.What && c.After == r.Value || c.Field == fieldTeam && r.What == "route"
		}) {
			e.Reasons = append(e.Reasons, r)
		}
	}
}

// reprioritise takes the matrix's priority, unless a person has set another one; then the receipt says what it would be.
func (op *operation) reprioritise(v Verdict) {
	e, t := &op.entry, op.t
	from := t.value(fieldPriority, e.Changes)
	if o := t.value(fieldOverride, e.Changes); o != "" {
		if op.edit.override == nil && v.Priority != "" && v.Priority != from {
			op.lines = append(op.lines, Line{OK: true, Key: "did.override_stays", Args: map[string]string{"priority": from, "other": v.Priority}})
		}
		return
	}
	if v.Priority != "" && v.Priority != from {
		t.set(&e.Changes, fieldPriority, v.Priority)
		op.lines = append(op.lines, Line{OK: true, Key: "did.priority", Args: map[string]string{"from": from, "to": v.Priority}})
	} else if op.edit.dropped {
		op.lines = append(op.lines, Line{OK: true, Key: "did.priority_auto", Args: map[string]string{"priority": from}})
	}
}

// toTeam gives the ticket to the team that the routes lead to. Its people are told as of a new one.
func (op *operation) toTeam(v Verdict) {
	e, t := &op.entry, op.t
	team, ok := op.r.Teams[v.Team]
	if !ok || team.Name == t.Team {
		op.lines = append(op.lines, Line{OK: true, Key: "did.reroute_stays", Args: map[string]string{"team": t.Team}})
		return
	}
	t.set(&e.Changes, fieldTeam, team.Name)
	t.set(&e.Changes, fieldTier, formatInt(team.Tier))
	t.set(&e.Changes, fieldAssignee, "")
	op.lines = append(op.lines, Line{OK: true, Key: "did.team", Args: map[string]string{"team": team.Name}})
	op.ask = append(op.ask, askTeam)
}

// addedBy adds what rules say of the ticket as it is now, and remembers whom they want to be told that they did not before.
func (op *operation) addedBy(before, after Verdict) {
	op.addFrom(&after, &op.entry)
	for _, address := range op.recipients(after.Notify) {
		if !slices.Contains(op.recipients(before.Notify), address) {
			op.ask = append(op.ask, askFor("notify "+address))
		}
	}
	for _, address := range after.Watchers {
		if !slices.Contains(op.t.Watchers, address) {
			op.ask = append(op.ask, askFor("notify "+address))
		}
	}
}

const askTeam askFor = "team"

// tellEdited tells those whom the edits concern, once the entry is written.
func (op *operation) tellEdited() {
	if !op.edit.any() {
		return
	}
	told := []string{strings.ToLower(op.agent.Address)}
	tell := func(to []string, purpose Purpose) {
		for _, address := range to {
			if address = strings.ToLower(address); !slices.Contains(told, address) {
				told = append(told, address)
				op.tell([]string{address}, TemplateTicketToTeam, purpose, false, func(v *InternalView) {
					v.Text, v.TextFrom, v.TextAt, v.Verified = op.t.LastCustomer, op.t.Requester.Mail, op.t.Created, op.t.Verified
					v.Attachments, v.Warnings = nil, nil
				})
			}
		}
	}
	for _, ask := range op.ask {
		if ask == askTeam {
			tell(op.team(), op.t.noticePurpose())
		}
		if to, ok := strings.CutPrefix(string(ask), "notify "); ok {
			tell([]string{to}, PurposeNote)
		}
	}
}

// current is what the ticket says, as values that stand, after changes that are not applied yet.
func (op *operation) current(pending []Change) Given {
	value := func(field string) string { return op.t.value(field, pending) }
	return Given{Category: value(fieldCategory), CI: value(fieldCI), Impact: value(fieldImpact), Urgency: value(fieldUrgency)}
}

// without lets fields be derived again.
func (g Given) without(fields []string) Given {
	for name, value := range map[string]*string{fieldCategory: &g.Category, fieldCI: &g.CI, fieldImpact: &g.Impact, fieldUrgency: &g.Urgency} {
		if slices.Contains(fields, name) {
			*value = ""
		}
	}
	return g
}

// anew is what the classifier may know of the mail that opened the ticket.
func (op *operation) anew(g Given) Hints {
	return Hints{Mailbox: op.t.Mailbox, Trusted: op.r.Mailboxes[op.t.Mailbox].Trusted, Given: g}
}

// origin is the mail that opened the ticket; when it cannot be read any more, what the ticket says of it.
func (op *operation) origin() *Message {
	if op.k.Origin != nil {
		return op.k.Origin
	}
	m := &Message{Subject: op.t.Subject, Reply: op.t.LastCustomer, Text: op.t.LastCustomer, From: []Address{op.t.Requester},
		Language: Language{Code: op.t.Language, Confidence: 1}}
	if op.t.Verified {
		m.Author = strings.ToLower(op.t.Requester.Mail)
	}
	return m
}

// edits reports whether an agent's text has a command for which the mail that opened the ticket is wanted.
func edits(text string) bool {
	return slices.ContainsFunc(command.Parse(strings.TrimSpace(text)).Commands, func(c command.Command) bool {
		return fields()[c.Word] != nil
	})
}

// knowOrigin reads the mail that opened the ticket, when commands of an agent's mail need it.
func (d *Desk) knowOrigin(tx *Tx, r *Rules, k *Known, in *Incoming) error {
	if k.Ticket == nil || in.Message == nil || d.Read == nil {
		return nil
	}
	if _, ok := r.agent(in.Message.Author); !ok || !edits(in.Message.Reply) {
		return nil
	}
	var err error
	k.Origin, err = d.Origin(tx, k.Ticket.ID)
	return err
}

// Origin reads the mail that opened a ticket again; nil when it is gone or cannot be read.
func (d *Desk) Origin(tx *Tx, id TicketID) (*Message, error) {
	list, err := tx.TicketMessages(id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	raw, err := d.Raw(&list[0])
	if err != nil {
		d.Log.Warn("a ticket's first mail cannot be read", "ticket", id, "err", err)
		return nil, nil
	}
	m := d.Read(raw, list[0].Arrived)
	m.Signatures = list[0].Signatures
	return m, nil
}

// corrected tells, once the decision is durable, which category an agent gave the ticket.
func (d *Desk) corrected(a *application) {
	if d.Corrected == nil || a.ticket == nil {
		return
	}
	for _, e := range a.dec.Entries {
		for _, c := range e.Changes {
			if e.Actor.Kind == ActorAgent && c.Field == fieldCategory && c.After != "" && slices.Contains(a.ticket.Given, fieldCategory) {
				fix := Correction{Ticket: a.ticket.ID, Category: c.After, Message: a.known.Origin}
				a.tx.onCommit(func() { d.Corrected(fix) })
			}
		}
	}
}

// nameFields says in the reader's language what the desk and people have decided about a ticket.
func (r *Rules) nameFields(v *InternalView, t *Ticket) {
	if name := r.PriorityNames[t.Priority][v.Language]; name != "" {
		v.Priority = t.Priority + " " + name
	}
	v.PriorityBy, v.PriorityWhy = t.overrideOf()
	v.Category = r.categoryName(t.Category, v.Language)
	if t.CI != "unknown" {
		v.Item = t.CI
		for _, i := range r.Items {
			if strings.EqualFold(i.ID, t.CI) && i.Name != "" {
				v.Item = i.ID + " " + i.Name
			}
		}
	}
	var lists []string
	for _, name := range t.Checklists {
		lists = append(lists, firstNonEmpty(r.Checklists[name], name))
	}
	v.Checklist = strings.Join(lists, "\n\n")
}

// overrideOf is what a notice says of a priority that a person has set, in front of which the priority stands.
func (t *Ticket) overrideOf() (by, reason string) {
	if t.Override == nil || t.Override.Priority != t.Priority {
		return "", ""
	}
	return t.Override.By, t.Override.Reason
}
