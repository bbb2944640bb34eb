package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// newTicket opens a ticket for a message, acknowledges it when that is allowed, and tells the team.
func (d *decider) newTicket() {
	if d.out.Verdict.Auth == AuthFail && !d.k.Admitted {
		d.out.Ticket = nil
		d.hold("the sender is forged, says the mail server (dmarc=fail)", "")
		return
	}
	d.open(nil)
	d.acknowledge(TemplateAckNew)
}

// followUp opens a ticket for an answer that came too late for the old one.
func (d *decider) followUp() {
	old := d.out.Ticket
	d.open(old)
	d.acknowledge(TemplateAckFollowUp)
}

// open makes the ticket and its first entries.
func (d *decider) open(old *Ticket) {
	d.classifyAsNew()
	v := d.out.Verdict
	t := &Ticket{ID: d.k.NextID}
	d.out.Ticket, d.out.New = t, true
	team := d.r.Teams[v.Team]
	if team.Name == "" {
		team = d.r.Teams[d.r.DefaultTeam]
	}
	requester := d.from()
	if d.m.Author != "" {
		requester.Mail = d.m.Author
	}
	e := Entry{Kind: EntryCreated, Actor: d.sender(), Reasons: v.Reasons, Changes: []Change{
		{Field: fieldNumber, After: d.k.Brand.number(d.now.In(d.zone()), d.k.NextCount)},
		{Field: fieldState, After: string(StateNew)},
		{Field: fieldSubject, After: subjectOrDefault(d.m.Subject)},
		{Field: fieldLanguage, After: d.r.language(v.Language)},
		{Field: fieldMailbox, After: d.in.Source.Mailbox},
		{Field: fieldRequester, After: formatJSON(requester)},
		{Field: fieldVerified, After: formatBool(v.Auth == AuthPass)},
		{Field: fieldTeam, After: team.Name},
		{Field: fieldTier, After: formatInt(team.Tier)},
	}}
	e.Changes = append(e.Changes, d.decided()...)
	if old != nil {
		e.Changes = append(e.Changes, Change{Field: fieldFollowUpOf, After: formatInt(int(old.ID))})
		e.Detail = "follows " + old.Number
	}
	d.entry(e)
	d.entry(d.received())
	d.reason("team", team.Name, "of the verdict")
	d.end(Created, t.Number)
	if !d.silenced() && !d.settledByHelp() {
		d.tellNewTicket()
		d.declareMajor()
	}
}

// decided lists the fields of a new ticket that the classifier decided.
func (d *decider) decided() (changes []Change) {
	v := &d.out.Verdict
	alert := ""
	if a := v.Alert; a != nil && a.Problem {
		alert = formatJSON(AlertState{Key: a.Key, Problem: true, Last: d.now})
	}
	checklists := ""
	if len(v.Checklists) > 0 {
		checklists = formatJSON(v.Checklists)
	}
	for _, c := range []Change{
		{Field: fieldCategory, After: v.Category.Name}, {Field: fieldCI, After: v.CI}, {Field: fieldService, After: v.Service},
		{Field: fieldImpact, After: v.Impact}, {Field: fieldUrgency, After: v.Urgency}, {Field: fieldPriority, After: v.Priority},
		{Field: fieldOrganisation, After: v.Customer.Organisation}, {Field: fieldServiceLevel, After: v.Customer.ServiceLevel},
		{Field: fieldTags, After: strings.Join(v.Tags, " ")}, {Field: fieldWatchers, After: strings.Join(v.Watchers, " ")},
		{Field: fieldChecklists, After: checklists}, {Field: fieldAlert, After: alert},
	} {
		if c.After != "" {
			changes = append(changes, c)
		}
	}
	return changes
}

// additions adds what rules for replies add to the ticket.
func (d *decider) additions(e *Entry) { d.addFrom(&d.out.Verdict, e) }

// addFrom adds what the rules of a verdict add to the ticket.
func (d *decider) addFrom(v *Verdict, e *Entry) {
	t := d.out.Ticket
	if len(v.Rules) == 0 {
		return
	}
	t.set(&e.Changes, fieldTags, strings.Join(union(t.Tags, v.Tags), " "))
	t.set(&e.Changes, fieldWatchers, strings.Join(union(t.Watchers, v.Watchers), " "))
	if len(v.Checklists) > 0 {
		t.set(&e.Changes, fieldChecklists, formatJSON(union(t.Checklists, v.Checklists)))
	}
	for _, r := range v.Reasons {
		if r.What == "rule" {
			e.Reasons = append(e.Reasons, r)
		}
	}
}

// union is a list with what another one has beyond it.
func union(list, more []string) []string {
	list = slices.Clone(list)
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func subjectOrDefault(s string) string {
	if c := cleanSubject(s); c != "" {
		return c
	}
	return "(ohne Betreff / no subject)"
}

// acknowledge answers a new ticket once, when RFC 3834 and the caps allow it.
func (d *decider) acknowledge(template string) {
	why := d.noAnswer()
	if why != "" {
		d.reason("answer", "none", why)
		return
	}
	t, v := d.out.Ticket, d.out.Verdict
	view, to := d.publicView(t), Address{Name: t.Requester.Name, Mail: d.m.ReturnPath}
	if old := d.k.Ticket; old != nil && template == TemplateAckFollowUp {
		view.FollowUpOf = old.Number
	}
	switch {
	case v.Auth != AuthPass:
		// Whoever may be forged gets nothing of the mail back (S-065).
		template = TemplateAckGeneric
		view = PublicView{Language: view.Language, Desk: view.Desk, DeskAddress: view.DeskAddress, Number: view.Number,
			PromisedBy: view.PromisedBy, Zone: view.Zone}
		to.Name = ""
		d.reason("answer", template, "the sender is not authenticated: number only, none of their text")
	case template == TemplateAckNew && d.help() != nil:
		a := d.help()
		template = TemplateAutoAnswer
		view.Text = pickLanguage(a.Text, view.Language)
		d.reason("answer", template, "automatic answer "+a.Name)
		if d.settledByHelp() {
			d.settleByHelp(a, view.Text)
			view.PromisedBy, view.ReopenUntil = time.Time{}, d.now.Add(d.r.ReopenWithin)
		}
	case template == TemplateAckNew && v.AutoAnswer != "":
		d.reason("answer", template, "an acknowledgement only: "+firstNonEmpty(d.tooMuchHelp(), "there is no automatic answer "+v.AutoAnswer))
	default:
		d.reason("answer", template, "a person's mail opened a ticket")
		if view.Questions = d.asks(); len(view.Questions) > 0 {
			d.reason("questions", strings.Join(view.Questions, ", "), "the mail does not say it (questions."+t.Category+")")
		}
	}
	d.out.Mails = append(d.out.Mails, Mail{
		To: to, Class: ClassAuto, Template: template, Public: &view,
		Purpose: PurposeCustomer, CountAs: d.m.ReturnPath,
	})
}

func pickLanguage(texts map[string]string, language string) string {
	if s, ok := texts[language]; ok {
		return s
	}
	return texts[""]
}

// noAnswer says why no automatic answer goes out, or "".
func (d *decider) noAnswer() string {
	if d.k.RefersAuto && d.out.Verdict.NoAnswer == "" && d.out.Verdict.Auth != AuthFail {
		return "it refers to an automatic mail of this desk"
	}
	return d.neverAnswer()
}

// neverAnswer says why not even a question to the desk itself is answered by itself, or "".
func (d *decider) neverAnswer() string {
	l := d.r.Limits
	switch {
	case d.out.Verdict.NoAnswer != "":
		return d.out.Verdict.NoAnswer
	case d.out.Verdict.Auth == AuthFail:
		return "its author is forged: an answer would reach somebody who wrote nothing" // S-064
	case d.m.ReturnPath == "" || d.m.ReturnPath == "<>":
		return "it has no return path"
	case d.r.isOwn(d.m.ReturnPath):
		return "its return path is one of the desk's own addresses"
	case !sameOrganisation(d.m.ReturnPath, d.m.Author):
		return "its return path does not belong to its author"
	case d.overUnproven() != "":
		return d.overUnproven()
	case d.looped() != "":
		return d.looped()
	case d.k.AnswersHour >= l.AnswersPerHour:
		return fmt.Sprintf("%s got %d automatic answers in the last hour", d.m.ReturnPath, d.k.AnswersHour)
	case d.k.AnswersDay >= l.AnswersPerDay:
		return fmt.Sprintf("%s got %d automatic answers in the last 24 hours", d.m.ReturnPath, d.k.AnswersDay)
	}
	return ""
}

// sameOrganisation reports whether the return path is the author's, or of the same domain or one below it: automatic
// answers go nowhere else (RFC 3834 §4, S-057).
func sameOrganisation(returnPath, author string) bool {
	_, a, ok1 := cutAddress(returnPath)
	_, b, ok2 := cutAddress(author)
	return ok1 && ok2 && (a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a))
}

func (d *decider) zone() *time.Location { return d.r.zone() }

func (r *Rules) zone() *time.Location {
	if r.Zone != nil {
		return r.Zone
	}
	return time.UTC
}
