package tickets

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"supportd/tickets/clock"
)

// Who is told what. Notices go to each person singly, because a reply address is bound to one agent; a team's address
// gets a copy whose reply address gives no right.

// tellNewTicket tells the team of a new ticket.
func (d *decider) tellNewTicket() {
	beside := d.around()
	d.tell(d.audience(), TemplateTicketToTeam, d.out.Ticket.noticePurpose(), true, beside.fill)
	d.tellWatchers(TemplateTicketToTeam, beside.fill)
}

// tellCustomerReplied tells whoever works on the ticket, or its team.
func (d *decider) tellCustomerReplied() {
	beside := d.around()
	d.tell(d.audience(), TemplateCustomerReplied, PurposeAnswer, true, beside.fill)
	d.tellWatchers(TemplateCustomerReplied, beside.fill)
}

// tellWatchers tells those who watch the ticket, and those whom a rule wants to be told, unless they were told anyway.
// Their plain reply stays inside.
func (d *decider) tellWatchers(template string, fill func(*InternalView)) {
	told := d.audience()
	var more []string
	for _, a := range append(slices.Clone(d.out.Ticket.Watchers), d.recipients(d.out.Verdict.Notify)...) {
		if a = strings.ToLower(a); !slices.Contains(told, a) && !slices.Contains(more, a) {
			more = append(more, a)
		}
	}
	d.tell(more, template, PurposeNote, false, fill)
}

// tellTeam sends an internal notice to whoever works on the ticket.
func (d *decider) tellTeam(template string, purpose Purpose, fill func(*InternalView)) {
	d.tell(d.audience(), template, purpose, false, fill)
}

// tellHeld tells the ticket's people, or the default team, that a mail waits for a decision.
func (d *decider) tellHeld(line string) {
	d.tell(d.audience(), TemplateHeld, PurposeNote, false, func(v *InternalView) {
		v.Text, v.TextFrom, v.TextAt = d.m.NewText(), d.from().Mail, d.in.Arrived
		v.Verified = d.out.Verdict.Auth == AuthPass
		v.Lines = []Line{{Key: line, Args: map[string]string{"from": d.from().Mail}}, {Key: "held.what_now", Args: map[string]string{}}}
	})
	if n := len(d.out.Mails); n > 0 {
		d.out.Mails[n-1].CountAs = d.k.Brand.heldCap() // one of them counts: the cap is on occasions
	}
}

// heldCap is the name under which notices about held mail are counted.
func (b Brand) heldCap() string { return "held@" + b.Name }

// audience is the assignee, or everyone of the ticket's team.
func (d *decider) audience() []string {
	if t := d.out.Ticket; t != nil {
		if _, ok := d.r.agent(t.Assignee); ok && !d.away(t.Assignee) {
			return []string{strings.ToLower(t.Assignee)}
		}
	}
	return d.team()
}

// team is everyone of the ticket's team, or of the default team.
func (d *decider) team() []string {
	team := d.r.DefaultTeam
	if t := d.out.Ticket; t != nil {
		if _, ok := d.r.Teams[t.Team]; ok {
			team = t.Team
		}
	}
	tm := d.r.Teams[team]
	if d.out.Ticket != nil {
		tm.Members = d.out.Ticket.hearing(tm.Members)
	}
	return d.present(teamAddresses(tm))
}

// teamAddresses is everyone of a team, and the address that gets copies.
func teamAddresses(tm Team) []string {
	to := slices.Clone(tm.Members)
	if tm.Address != "" && !slices.Contains(to, strings.ToLower(tm.Address)) {
		to = append(to, strings.ToLower(tm.Address))
	}
	return to
}

// tell owes an internal mail to each address. fill completes the view.
func (d *decider) tell(to []string, template string, purpose Purpose, attach bool, fill func(*InternalView)) {
	for _, address := range to {
		p := purpose
		agent, ok := d.r.agent(address)
		if !ok {
			p, agent = PurposeCopy, Agent{Address: address}
		}
		view := d.internalView(agent, p)
		if fill != nil {
			fill(&view)
		}
		d.out.Mails = append(d.out.Mails, Mail{
			To: Address{Name: agent.Name, Mail: agent.Address}, Class: ClassNotice, Template: template, Internal: &view,
			Purpose: p, Attach: attach,
		})
	}
}

// health tells the admin that something needs a person's eye.
func (d *decider) health(key string, args map[string]string) {
	if d.r.Admin == "" {
		return
	}
	d.out.Mails = append(d.out.Mails, healthMail(d.r, d.k.Brand, []Line{{Key: key, Args: args}}))
}

// healthMail is a notice to the admin about the desk itself.
func healthMail(r *Rules, b Brand, lines []Line) Mail {
	agent, _ := r.agent(r.Admin)
	return Mail{
		To: Address{Name: agent.Name, Mail: r.Admin}, Class: ClassNotice, Template: TemplateHealth, Purpose: PurposeCopy, NoTicket: true,
		Internal: &InternalView{Language: r.language(agent.Language), Desk: b.Desk, DeskAddress: b.From.Mail, Lines: lines, Zone: r.Zone},
	}
}

// internalView shows a ticket to one person of the staff.
func (d *decider) internalView(reader Agent, purpose Purpose) InternalView {
	v := InternalView{
		Language: d.r.language(reader.Language), Desk: d.k.Brand.Desk, DeskAddress: d.k.Brand.From.Mail,
		ReplyIsPublic: purpose == PurposeAnswer, Zone: d.zone(),
	}
	switch purpose {
	case PurposeNote:
		v.Mode = "note"
	case PurposeCopy:
		v.Mode = "no right"
	}
	if m := d.m; m != nil {
		v.Text, v.TextFrom, v.TextAt = m.NewText(), d.from().Mail, d.in.Arrived
		v.Attachments = d.r.marked(m.Attachments)
		v.Verified, v.Lookalike = d.out.Verdict.Auth == AuthPass, d.out.Verdict.Lookalike
		for _, a := range v.Attachments {
			if a.Dangerous {
				v.Warnings = append(v.Warnings, a.Name)
			}
		}
	}
	t := d.out.Ticket
	if t == nil {
		if d.m != nil {
			v.Subject = cleanSubject(d.m.Subject)
		}
		return v
	}
	d.fillTicket(&v, t)
	if s := d.k.Suggestion; s != nil {
		v.Hints = append(v.Hints, s.Number)
	}
	return v
}

// fillTicket fills in what the view says of the ticket.
func (d *decider) fillTicket(v *InternalView, t *Ticket) {
	fillTicketView(v, t, d.now)
	d.r.nameFields(v, t)
	for i := len(d.out.Entries) - 1; i >= 0; i-- {
		v.Recent = append(v.Recent, recentEntry(d.out.Entries[i]))
	}
	for _, e := range d.k.Recent {
		if e.Ticket == t.ID {
			v.Recent = append(v.Recent, recentEntry(e))
		}
	}
	v.Recent = slices.DeleteFunc(v.Recent, func(e RecentEntry) bool { return e.What == "" })
	v.Recent = v.Recent[:min(len(v.Recent), 6)]
}

func fillTicketView(v *InternalView, t *Ticket, now time.Time) {
	v.Number, v.Subject, v.State, v.Team, v.Tier = t.Number, t.Subject, t.State, t.Team, t.Tier
	v.Priority, v.Assignee, v.Requester = t.Priority, t.Assignee, t.Requester
	for _, a := range t.inCopy() {
		v.Copies = append(v.Copies, a.Mail)
	}
	for _, c := range t.Clocks {
		if c.Running() && c.Target > 0 {
			v.Deadlines = append(v.Deadlines, Deadline{Clock: string(c.Kind), Due: c.Due, Over: now.After(c.Due)})
		}
	}
	v.Organisation, v.Speaks, v.Level = t.Organisation, t.Language, t.ServiceLevel
	v.Commands = usefulCommands(t)
}

// recentEntry is one line of history; What is "" for entries that tell people nothing.
func recentEntry(e Entry) RecentEntry {
	r := RecentEntry{At: e.At, Who: e.Actor.Name}
	if r.Who == "" {
		r.Who = e.Actor.Kind
	}
	switch e.Kind {
	case EntryReceived, EntryAnswered, EntryNoted, EntryVendor:
		r.What = excerpt(e.Text)
	case EntryChanged:
		if strings.HasPrefix(e.Detail, "#") { // what is no command is in the program's language, not the reader's
			r.What = oneLine(e.Detail)
		}
	}
	return r
}

// maxExcerpt is how many characters of a text are shown as what happened.
const maxExcerpt = 90

// excerpt is the beginning of a text on one line.
func excerpt(s string) string {
	const enough = 4 << 10 // octets, whatever white space is among them
	if len(s) > enough {
		s = strings.ToValidUTF8(s[:enough], "")
	}
	var b strings.Builder
	n := 0
	for word := range strings.FieldsSeq(s) {
		if n > 0 {
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		if n += utf8.RuneCountInString(word); n > maxExcerpt {
			return string([]rune(b.String())[:maxExcerpt-1]) + "…"
		}
	}
	return b.String()
}

// publicView shows the requester their ticket.
func (d *decider) publicView(t *Ticket) PublicView {
	v := PublicView{
		Language: t.Language, Desk: d.k.Brand.Desk, DeskAddress: d.k.Brand.From.Mail, Number: t.Number, Subject: t.Subject,
		Requester: t.Requester.Name, Zone: d.zone(),
	}
	v.Appointment = t.ScheduledAt
	for _, c := range t.Clocks {
		if c.Kind == clock.FirstResponse && c.Running() && d.r.SLA.WarnCustomer {
			v.PromisedBy = d.r.Deadline(c, d.now)
		}
	}
	return v
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

func reversed(list []Entry) []Entry {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}
