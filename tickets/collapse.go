package tickets

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// When somebody would get very many notices in a short time, the further ones are collected: one mail names all of them. Only
// what comes by itself is collected, new tickets and customers' answers; what is most urgent, escalations, handovers and
// whatever somebody has done always come singly.

// Notices says from when on notices are collected: beyond so many to one reader in that time. 0: never.
type Notices struct {
	AtMost int
	Within time.Duration
}

// pace is what somebody was told lately, singly.
type pace struct {
	Sent  []time.Time `json:"sent"`
	Until time.Time   `json:"until,omitzero"` // what comes before is collected, and told then
}

// headings of the mail about what was collected, by the template that would have gone out.
var headings = map[string]string{TemplateTicketToTeam: "many.new", TemplateCustomerReplied: "many.replied"}

// collected puts a notice to the others that are told together, when its reader has got as many as they may; it reports whether
// it did.
func (a *application) collected(m Mail) (bool, error) {
	n, t := a.r.Notices, a.ticket
	if n.AtMost <= 0 || m.Class != ClassNotice || m.NoTicket || m.Important || t == nil || t.Priority == topPriority || headings[m.Template] == "" {
		return false, nil
	}
	reader := strings.ToLower(m.To.Mail)
	p, err := a.tx.paceOf(reader)
	if err != nil {
		return false, err
	}
	if !p.Until.After(a.now) || p.Until.Sub(a.now) > n.Within { // over, or of a clock that was wrong
		p.Until = time.Time{}
		p.Sent = slices.DeleteFunc(p.Sent, func(at time.Time) bool { return a.now.Sub(at) >= n.Within || at.After(a.now) })
		if len(p.Sent) < n.AtMost {
			p.Sent = append(p.Sent, a.now)
			return false, a.tx.keepPace(reader, p)
		}
		p.Until = a.now.Add(n.Within)
		if err := a.tx.keepPace(reader, p); err != nil {
			return false, err
		}
	}
	return true, a.tx.postpone(Postponed{To: reader, At: p.Until, Ticket: t.ID, Many: m.Template})
}

func paceKey(reader string) []byte { return []byte("pace:" + reader) }

// paceOf reads what a reader was told lately, once in a transaction.
func (tx *Tx) paceOf(reader string) (*pace, error) {
	if p := tx.paces[reader]; p != nil {
		return p, nil
	}
	p := &pace{}
	if _, err := tx.get(bucketMeta, paceKey(reader), p); err != nil {
		return nil, err
	}
	if tx.paces == nil {
		tx.paces = map[string]*pace{}
	}
	tx.paces[reader] = p
	return p, nil
}

func (tx *Tx) keepPace(reader string, p *pace) error { return tx.put(bucketMeta, paceKey(reader), p) }

// tellMany tells one reader of what was collected: each ticket by its name, also when it needs nobody any more. A single one is
// told as ever.
func (d *Desk) tellMany(tx *Tx, reader string, list []Postponed, now time.Time) error {
	r := d.Rules()
	var about []*Ticket
	heading := map[TicketID]string{}
	for _, n := range list {
		t, err := tx.Ticket(n.Ticket)
		if errors.Is(err, ErrNotFound) {
			continue // it was erased
		} else if err != nil {
			return err
		}
		if heading[t.ID] == "" {
			about, heading[t.ID] = append(about, t), n.Many
		}
	}
	if len(about) == 0 {
		return nil
	}
	if t := about[0]; len(about) == 1 {
		dr, err := d.timerDecider(tx, t, now)
		if err != nil {
			return err
		}
		dr.tell([]string{reader}, heading[t.ID], t.noticePurpose(), false, func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt, v.Verified = t.LastCustomer, t.Requester.Mail, t.Updated, t.Verified
		})
		return d.carryOutTimer(&application{tx: tx, r: r, in: dr.in, known: dr.k, dec: dr.out, now: now})
	}
	for part := range slices.Chunk(about, maxTogether) {
		if err := d.tellTogether(tx, r, reader, part, heading, now); err != nil {
			return err
		}
	}
	return nil
}

// maxTogether is how many tickets one mail names; more are told in several.
const maxTogether = 40

// tellTogether owes one reader a mail about several tickets.
func (d *Desk) tellTogether(tx *Tx, r *Rules, reader string, about []*Ticket, heading map[TicketID]string, now time.Time) error {
	agent, known := r.agent(reader)
	if !known {
		agent = Agent{Address: reader}
	}
	brand := r.brandOf(about[0].Mailbox)
	a := &application{tx: tx, r: r, in: &Incoming{Arrived: now}, known: &Known{Brand: brand}, now: now}
	view := &InternalView{Language: r.language(agent.Language), Desk: brand.Desk, DeskAddress: brand.From.Mail, Mode: "command", Zone: r.Zone}
	if !known {
		view.Mode = "no right"
	}
	for _, template := range []string{TemplateTicketToTeam, TemplateCustomerReplied} {
		g := Group{Key: headings[template]}
		for _, t := range about {
			if heading[t.ID] != template {
				continue
			}
			one, err := a.inShort(t, reader)
			if err != nil {
				return err
			}
			g.Tickets = append(g.Tickets, one)
		}
		if len(g.Tickets) > 0 {
			view.Groups = append(view.Groups, g)
		}
	}
	view.Count = len(about)
	tx.onCommit(d.wakeSender)
	return d.owe(a, Mail{To: Address{Name: agent.Name, Mail: reader}, Class: ClassNotice, Template: TemplateMany, Purpose: PurposeCopy, NoTicket: true, Bulk: true, Internal: view})
}

// inShort is a ticket in a list for one reader: from whom, how it begins, and the address by which they answer it.
func (a *application) inShort(t *Ticket, reader string) (Listed, error) {
	reply, err := a.replyOf(t, reader)
	return a.r.listedFor(t, reader, Listed{Number: t.Number, Subject: t.Subject, State: t.State, Priority: t.Priority, Assignee: t.Assignee, Reply: reply, Lines: []Line{
		{Key: "overview.from", Args: map[string]string{"from": firstNonEmpty(t.Requester.Name, t.Requester.Mail)}},
		{Key: "many.begins", Args: map[string]string{"text": excerpt(t.LastCustomer)}}}}), err
}
