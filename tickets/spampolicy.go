package tickets

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SpamPolicy is what an admin decides about unwanted mail beyond what the classifier holds. The zero value decides nothing.
type SpamPolicy struct {
	// From one sender, so many mails in that time make tickets of their own; further ones join the newest of them. 0: no bound.
	PerSender int
	Within    time.Duration
	// Blocked are endings of files, lower case, without the dot: such attachments are named and never carried on.
	Blocked []string
	// ListTo gets a daily list of what is held, at that time of its day; "" for nobody.
	ListTo string
	ListAt time.Duration
}

// blocked reports whether a file's kind is one that the admin wants nobody to be sent.
func (p SpamPolicy) blocked(name string) bool {
	return slices.Contains(p.Blocked, strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), "."))
}

// marked is a list of attachments with those marked that are blocked.
func (r *Rules) marked(list []Attachment) []Attachment {
	if len(r.Spam.Blocked) == 0 {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		if r.Spam.blocked(list[i].Name) {
			list[i].Blocked, list[i].Dangerous = true, true
		}
	}
	return list
}

// ── many mails of one sender ──

// Flood is what a sender has begun lately, when it is as much as they may.
type Flood struct {
	Tickets int
	Newest  *Ticket
	Within  time.Duration
	Tell    bool // the admin
}

// knowFlood looks whether the author has begun too much lately.
func (tx *Tx) knowFlood(k *Known, r *Rules, m *Message, now time.Time) error {
	p := r.Spam
	if p.PerSender <= 0 || k.bound() || m.Author == "" {
		return nil
	}
	if _, agent := r.agent(m.Author); agent {
		return nil
	}
	recent, err := tx.begun(m.Author, p.PerSender)
	if err != nil || len(recent) < p.PerSender || now.Sub(recent[len(recent)-1].created) > p.Within {
		return err
	}
	newest, err := recent[0].ticket()
	k.Flood = &Flood{Tickets: len(recent), Newest: newest, Within: p.Within}
	return err
}

// flooded lets a mail of somebody who writes too much join their newest ticket, without telling anybody. A forged mail never joins
// what an authenticated one has begun.
func (d *decider) flooded() bool {
	f := d.k.Flood
	if f == nil || d.k.Admitted || d.out.Verdict.Auth == AuthFail || d.out.Verdict.Alert != nil || !f.Newest.State.Live() ||
		f.Newest.Verified != (d.out.Verdict.Auth == AuthPass) {
		return false
	}
	t := f.Newest.clone()
	d.out.Ticket, d.k.Ticket = t, f.Newest
	why := fmt.Sprintf("its sender has begun %d tickets within %s", f.Tickets, f.Within)
	e := d.received()
	e.Detail = "joined: " + why
	d.entry(e)
	d.reason("thread", t.Number, why)
	d.reason("answer", "none", why)
	d.end(Appended, "on "+t.Number+": "+why)
	if f.Tell {
		d.tellFlood(t)
	}
	return true
}

// ── the daily list of what is held ──

// maxHeldListed bounds how many mails the list names.
const maxHeldListed = 30

// sendHeldList owes the list of what is held, when there is anything.
func (d *Desk) sendHeldList(tx *Tx, r *Rules, now time.Time) error {
	held, err := tx.HeldMails()
	if err != nil || len(held) == 0 {
		return err
	}
	lines := []Line{{Key: "held.list", Args: map[string]string{"count": strconv.Itoa(len(held))}}}
	for _, h := range held[max(0, len(held)-maxHeldListed):] {
		if t, err := tx.Ticket(h.Ticket); err == nil && !r.sees(t, r.Spam.ListTo) {
			h.From, h.Subject = "–", "–"
		}
		lines = append(lines, Line{Key: "held.listed", Args: map[string]string{"id": strconv.FormatUint(h.ID, 10), "from": oneLine(h.From),
			"subject": oneLine(h.Subject), "reason": oneLine(h.Reason), "since": formatTime(h.Since)}})
	}
	lines = append(lines, Line{Key: "held.list_what_now", Args: map[string]string{}})
	brand := r.brandOf("")
	m := healthMail(r, brand, lines)
	agent, ok := r.agent(r.Spam.ListTo)
	if !ok {
		agent = Agent{Address: r.Spam.ListTo}
	}
	if ok {
		m.Purpose = PurposeNote // it may be answered
	}
	m.To, m.Internal.Language = Address{Name: agent.Name, Mail: agent.Address}, r.language(agent.Language)
	a := &application{tx: tx, r: r, in: &Incoming{Arrived: now}, known: &Known{Brand: brand}, dec: Decision{Mails: []Mail{m}}, now: now}
	tx.onCommit(d.wakeSender)
	return d.owe(a, m)
}
