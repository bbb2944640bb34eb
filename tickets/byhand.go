package tickets

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// Mail that somebody sent from the desk's mailbox by hand, with another client: the desk finds it in the folder for sent
// mail and notes on the ticket that the customer was answered. Nothing is ever sent because of it: no answer, no receipt,
// no notice. Whoever puts mail into that folder has the mailbox's password, so it is believed; what it says is text, and no
// command.

// sentPrefix begins, before the name of the mailbox, the mailbox of the Source of a message that was sent by hand.
const sentPrefix = "sent:"

// SentOf is the mailbox of the Source of what was sent by hand from a mailbox, and its key in Rules.Mailboxes.
func SentOf(mailbox string) string { return sentPrefix + mailbox }

// handKey finds the ticket of a mail that was sent by hand, in bucketThreads.
func handKey(id string) []byte { return threadKey("\x00by hand " + id) }

// knowSent gathers what the store knows about a mail that was sent by hand: the ticket whose mail it answers, by any
// Message-ID of it, else by the number in its subject.
func (tx *Tx) knowSent(k *Known, r *Rules, m *Message) error {
	for _, id := range referred(m) {
		t, err := tx.threadOf(r, id)
		if err == nil && t == nil {
			t, err = tx.handTicket(id)
		}
		if err != nil {
			return err
		}
		if t != nil {
			k.By = byID
			return tx.knowTaker(k, t)
		}
	}
	if n := subjectTag(m.Subject); n != "" {
		t, err := tx.TicketByNumber(n)
		if err == nil {
			k.By = bySubject
			return tx.knowTaker(k, t)
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// knowTaker makes a ticket the one that a message is about, or the one that has taken it in.
func (tx *Tx) knowTaker(k *Known, t *Ticket) (err error) {
	if t.State == StateMerged {
		k.Via = t
		if t, err = tx.taker(t); err != nil {
			return err
		}
	}
	k.Ticket = t
	return nil
}

// handTicket returns the ticket that a mail sent by hand was noted on, or nil.
func (tx *Tx) handTicket(id string) (*Ticket, error) {
	b := tx.btx.Bucket(bucketThreads).Get(handKey(id))
	if len(b) != 8 {
		return nil, nil
	}
	t, err := tx.Ticket(TicketID(binary.BigEndian.Uint64(b)))
	if errors.Is(err, ErrNotFound) {
		return nil, nil // erased since
	}
	return t, err
}

// rememberSent makes the ticket findable by the answers to a mail that was sent by hand.
func (a *application) rememberSent() error {
	if !a.known.Intake.Sent || a.ticket == nil || a.stored == nil || a.stored.MessageID == "" {
		return nil
	}
	return a.tx.btx.Bucket(bucketThreads).Put(handKey(a.stored.MessageID), key64(uint64(a.ticket.ID)))
}

// answersByHand finds the ticket of a mail that answers one that was sent by hand. Its Message-ID is not signed, so it
// counts as little as a number in the subject: for an authenticated sender who takes part in the ticket.
func (tx *Tx) answersByHand(k *Known, m *Message) (*Ticket, error) {
	for _, id := range referred(m) {
		t, err := tx.handTicket(id)
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		if k.Suggestion = t; m.Author != "" && t.participant(m.Author) {
			return t, nil
		}
	}
	return nil, nil
}

// findSent makes the Message-IDs of what is stored findable before mail that was sent by hand is looked at.
func (d *Desk) findSent(ctx context.Context, b Batch) error {
	if !d.Rules().Mailboxes[b.Mailbox].Sent || !slices.ContainsFunc(b.Messages, func(in Incoming) bool { return in.Message != nil }) {
		return nil
	}
	return d.indexThreads(ctx)
}

// concernsTicket reports whether a mail that was sent by hand is about a ticket, and not kept yet. What is about none is
// nobody's business: nothing of it is kept.
func (d *Desk) concernsTicket(tx *Tx, m *Message) (bool, error) {
	r := d.Rules()
	if m == nil || tx.signedID(r, m.ID) != nil {
		return false, nil
	}
	before, err := tx.byIdentity(m.Identity)
	if err != nil || before != nil && strings.HasPrefix(before.Source.Mailbox, sentPrefix) {
		return false, err
	}
	var k Known
	err = tx.knowSent(&k, r, m)
	return k.Ticket != nil, err
}

// repeated is the message that this one is another copy of. Mail that was sent by hand may come in as well, in copy: only
// another look at the folder for sent mail makes a copy of it.
func (d *decider) repeated() *Stored {
	dup := d.k.Duplicate
	if dup == nil || d.k.Admitted || d.k.Intake.Sent && !strings.HasPrefix(dup.Source.Mailbox, sentPrefix) {
		return nil
	}
	return dup
}

// sentByHand notes a mail that somebody sent from the mailbox, on the ticket that it is about.
func (d *decider) sentByHand() {
	t := d.out.Ticket
	auto := strings.ToLower(strings.TrimSpace(d.m.FirstField("Auto-Submitted")))
	switch {
	case d.k.Own:
		d.out.Ticket = nil
		d.end(Filed, "a mail of this desk, in the folder for sent mail")
		return
	case t == nil:
		d.end(Filed, "sent from the mailbox by hand, about no ticket")
		return
	case auto != "" && auto != "no":
		d.out.Ticket = nil
		d.end(Filed, "an automatic mail, sent from the mailbox by another program")
		return
	}
	d.reason("thread", t.Number, "by its "+d.k.By)
	who, known := d.handWriter()
	e := Entry{Kind: EntryNoted, Actor: Actor{Kind: ActorAgent, Name: who.Address}, From: d.from().Mail, Text: d.m.NewText(), MessageID: d.m.ID,
		Attached: d.m.Attachments, Verified: true, Detail: "sent from the mailbox by hand"}
	if !known {
		e.Actor.Name = mailboxActor(d.in.Source.Mailbox)
	}
	reached := d.reachedByHand(t)
	for _, to := range append(slices.Clone(d.m.To), d.m.Cc...) {
		e.To = append(e.To, strings.ToLower(to.Mail))
	}
	if len(reached) == 0 {
		e.Detail += ", to nobody who takes part"
		d.entry(e)
		d.end(Appended, "as a note on "+t.Number+": it was sent by hand, to nobody who takes part")
		return
	}
	e.Kind = EntryAnswered
	d.answeredByHand(t, &e, who, known)
	for _, address := range reached {
		if d.m.ID != "" {
			e.Changes = append(e.Changes, Change{Field: fieldThread, After: address + " " + d.m.ID})
		}
	}
	d.happened = d.in.Arrived
	d.entry(e)
	d.end(Appended, "on "+t.Number+", answered from the mailbox by hand")
}

// answeredByHand is what an agent's answer does to the ticket, without the mails.
func (d *decider) answeredByHand(t *Ticket, e *Entry, who Agent, known bool) {
	ev := eventReply
	if t.State == StateHandedOver && !d.r.Teams[t.Team].member(who.Address) {
		ev = eventReplyOutside
	}
	if !d.move(t, e, ev) {
		e.Detail += "; it stays " + string(t.State)
	}
	t.set(&e.Changes, fieldLastPublic, e.Text)
	if known && t.Assignee == "" && t.State.Live() {
		t.set(&e.Changes, fieldAssignee, who.Address)
	}
	if known && t.Owner == "" && t.State.Live() {
		t.set(&e.Changes, fieldOwner, who.Address)
	}
}

// handWriter is the agent whom a mail that was sent by hand names: in From, in Sender, or in the field in which the
// mail server notes who logged in.
func (d *decider) handWriter() (Agent, bool) {
	candidates := slices.Concat(d.m.From, d.m.Sender)
	for _, name := range []string{"X-Authenticated-Sender", "X-Authenticated-User", "X-Sender"} {
		for _, v := range d.m.Field(name) {
			candidates = append(candidates, Address{Mail: strings.Trim(strings.TrimSpace(v), "<>")})
		}
	}
	for _, c := range candidates {
		if a, ok := d.r.agent(c.Mail); ok {
			return a, true
		}
	}
	return Agent{}, false
}

// mailboxActor stands for whoever has a mailbox open.
func mailboxActor(source string) string {
	return "mailbox " + strings.TrimPrefix(source, sentPrefix)
}

// reachedByHand are the people who take part in a ticket and were sent the mail, lower case.
func (d *decider) reachedByHand(t *Ticket) []string {
	var reached []string
	for _, a := range append(slices.Clone(d.m.To), d.m.Cc...) {
		address := strings.ToLower(a.Mail)
		if _, agent := d.r.agent(address); agent && !strings.EqualFold(t.Requester.Mail, address) {
			continue
		}
		if t.participant(address) && !slices.Contains(reached, address) {
			reached = append(reached, address)
		}
	}
	return reached
}
