package tickets

import (
	"strings"
	"time"
)

// decidePast is the desk's judgement about a message from before it: what it joins or opens, and nothing else. It is a
// function of its arguments.
func decidePast(k *Known, run Import, p *PastMail, r *Rules, now time.Time) Decision {
	d := &pastDecider{
		decider: &decider{k: k, in: &p.Incoming, m: p.Message, r: r, now: now}, run: run, at: p.Arrived.UTC(),
	}
	d.out.Verdict = p.Verdict
	if k.Ticket != nil {
		d.out.Ticket = k.Ticket.clone()
	}
	d.decide()
	d.out.Reasons = append(append([]Reason{}, d.out.Verdict.Reasons...), d.out.Reasons...)
	if len(d.out.Entries) == 0 {
		d.out.Ticket = nil
	}
	return d.out
}

type pastDecider struct {
	*decider
	run Import
	at  time.Time // when it was written
}

func (d *pastDecider) decide() {
	if d.m == nil {
		d.end(Failed, "it cannot be read")
		return
	}
	if dup := d.k.Duplicate; dup != nil {
		d.end(Duplicate, "the same mail was settled before as "+dup.Source.String())
		return
	}
	_, agent := d.r.agent(d.m.Author)
	ours := agent || d.r.isOwn(d.m.Author)
	customer, outside := d.outsider()
	t := d.out.Ticket
	switch v := &d.out.Verdict; {
	case d.k.Own:
		d.end(Filed, "past mail: this desk sent it")
	case v.Kind != KindHuman:
		d.machine()
	case v.Quarantine != "" && !ours:
		d.end(Filed, "past mail: "+v.Quarantine)
	case t != nil && (t.imported() || ours || d.m.Author != "" && t.participant(d.m.Author)):
		d.reason("thread", t.Number, "by its "+d.k.By)
		d.join(ours, outside)
	case ours && !outside:
		d.end(Filed, "past mail: from the desk's people to the desk's people")
	default:
		d.open(ours, customer)
	}
}

// imported reports whether an import made the ticket, and nobody has worked on it since.
func (t *Ticket) imported() bool {
	for _, tag := range t.Tags {
		if tag == tagImported {
			return t.State == StateClosed
		}
	}
	return false
}

// machine settles what no person wrote: it stands with its ticket, if it has one, and makes none.
func (d *pastDecider) machine() {
	kind := strings.ReplaceAll(string(d.out.Verdict.Kind), "_", " ")
	if t := d.out.Ticket; t != nil && t.imported() {
		d.entry(Entry{Kind: EntryAutomatic, Actor: Actor{Kind: ActorSystem}, From: d.from().Mail, Text: d.m.Reply, Detail: "past mail: " + kind})
	}
	d.end(Filed, "past mail that no person wrote: "+kind)
}

// outsider is the customer of a message: its first recipient who is neither the desk nor one of its people.
func (d *pastDecider) outsider() (Address, bool) {
	for _, list := range [][]Address{d.m.To, d.m.Cc} {
		for _, a := range list {
			if _, agent := d.r.agent(a.Mail); !agent && !d.r.isOwn(a.Mail) && checkAddress(a.Mail) == nil {
				return a, true
			}
		}
	}
	return Address{}, false
}

// open makes a closed ticket of the first message of a thread.
func (d *pastDecider) open(ours bool, customer Address) {
	v := d.out.Verdict
	t := &Ticket{ID: d.k.NextID}
	d.out.Ticket, d.out.New = t, true
	team := d.r.Teams[v.Team]
	if team.Name == "" {
		team = d.r.Teams[d.r.DefaultTeam]
	}
	requester := customer
	if !ours {
		if requester = d.from(); d.m.Author != "" {
			requester.Mail = d.m.Author
		}
	}
	if d.run.Category != "" {
		d.out.Verdict.Category = Category{Name: d.run.Category, Kind: v.Category.Kind}
		d.reason("category", d.run.Category, "the import says so")
	}
	e := Entry{Kind: EntryCreated, Actor: d.writer(ours), Reasons: v.Reasons, Detail: "imported", Changes: []Change{
		{Field: fieldNumber, After: d.k.Brand.number(d.at.In(d.zone()), d.k.NextCount)},
		{Field: fieldState, After: string(StateClosed)},
		{Field: fieldSubject, After: subjectOrDefault(d.m.Subject)},
		{Field: fieldLanguage, After: d.r.language(v.Language)},
		{Field: fieldMailbox, After: d.run.Mailbox},
		{Field: fieldRequester, After: formatJSON(requester)},
		{Field: fieldVerified, After: formatBool(v.Auth == AuthPass && !ours)},
		{Field: fieldTeam, After: team.Name},
		{Field: fieldTier, After: formatInt(team.Tier)},
	}}
	d.out.Verdict.Alert, d.out.Verdict.Watchers, d.out.Verdict.Checklists = nil, nil, nil
	d.out.Verdict.Tags = union(v.Tags, []string{tagImported})
	e.Changes = append(e.Changes, d.decided()...)
	t.set(&e.Changes, fieldResolutionCode, d.run.ClosedAs)
	d.write(e)
	d.say(ours, true)
	d.end(Created, t.Number)
}

// join adds a message to the ticket that it belongs to.
func (d *pastDecider) join(ours, outside bool) {
	d.say(ours, outside)
	d.end(Appended, "on "+d.out.Ticket.Number+", by its "+d.k.By)
}

// say adds the text of the message. On a ticket of an import it moves the end of it; on another it changes nothing.
func (d *pastDecider) say(ours, outside bool) {
	t := d.out.Ticket
	e := Entry{Kind: EntryReceived, Actor: d.writer(ours), From: d.from().Mail, Text: d.m.NewText(), MessageID: d.m.ID,
		Verified: d.out.Verdict.Auth == AuthPass, Attached: d.m.Attachments}
	for _, a := range append(append([]Address{}, d.m.To...), d.m.Cc...) {
		e.To = append(e.To, a.Mail)
	}
	switch {
	case ours && outside:
		e.Kind = EntryAnswered
	case ours:
		e.Kind = EntryNoted
	}
	if !t.imported() {
		e.Detail = "past mail, written on " + d.at.Format("2006-01-02 15:04")
		d.entry(e)
		return
	}
	switch {
	case e.Kind == EntryAnswered:
		t.set(&e.Changes, fieldLastPublic, e.Text)
		t.set(&e.Changes, fieldResolution, e.Text)
		if a, ok := d.r.agent(d.m.Author); ok {
			t.set(&e.Changes, fieldAssignee, a.Address)
			t.set(&e.Changes, fieldOwner, firstNonEmpty(t.Owner, a.Address))
		}
	case e.Kind == EntryReceived && strings.EqualFold(d.from().Mail, t.Requester.Mail):
		t.set(&e.Changes, fieldLastCustomer, e.Text)
	}
	t.set(&e.Changes, fieldSolvedAt, formatTime(d.when()))
	t.set(&e.Changes, fieldClosedAt, formatTime(d.when()))
	if d.m.ID != "" && e.Kind != EntryNoted {
		e.Changes = append(e.Changes, Change{Field: fieldThread, After: strings.ToLower(t.Requester.Mail) + " " + d.m.ID})
	}
	d.write(e)
}

func (d *pastDecider) writer(ours bool) Actor {
	if ours {
		return Actor{Kind: ActorAgent, Name: strings.ToLower(d.from().Mail)}
	}
	return Actor{Kind: ActorCustomer, Name: d.from().Mail}
}

// when is the instant of the message on its ticket: entries stand in the order of time.
func (d *pastDecider) when() time.Time {
	if t := d.out.Ticket; t.Updated.After(d.at) {
		return t.Updated
	}
	return d.at
}

// write appends an entry that happened when the message was written.
func (d *pastDecider) write(e Entry) {
	now := d.now
	d.now = d.when()
	d.entry(e)
	d.now = now
}
