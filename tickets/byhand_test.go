package tickets

import (
	"context"
	"strings"
	"testing"
	"time"

	"supportd/tickets/clock"
)

// withSent makes the rules follow the folder for sent mail.
func withSent(r *Rules) {
	r.Mailboxes[SentOf("support")] = Intake{Brand: "nordwind", MaxSize: 25 << 20, Sent: true}
}

// byHand is a mail that somebody sent from the desk's mailbox with another client.
func (k *kit) byHand(to, subject, text string, change ...func(*Message)) *Message {
	return k.mail(deskAddress, subject, text, append([]func(*Message){func(m *Message) {
		m.To, m.ReturnPath = []Address{{Mail: to}}, ""
	}}, change...)...)
}

// findSent hands over what stands in the folder for sent mail.
func (k *kit) findSent(list ...*Message) []Outcome {
	k.Helper()
	if _, err := k.desk.Place(context.Background(), SentOf("support"), testValidity); err != nil {
		k.Fatal(err)
	}
	var in []Incoming
	for _, m := range list {
		one := k.incoming(m)
		one.Source.Mailbox = SentOf("support")
		in = append(in, one)
	}
	return k.receiveAll(in...)
}

func answering(ids ...string) func(*Message) {
	return func(m *Message) { m.InReplyTo, m.References = ids[:1], ids }
}

// TestAnsweredByHand: an answer that was sent with another client counts as an agent's, and brings no mail about.
func TestAnsweredByHand(t *testing.T) {
	k := newKit(t, withSent)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	k.deliver()
	k.clock.move(2 * time.Hour)
	reply := k.byHand(kunde, "Re: Drucker", "Bitte neu starten.", answering(question.ID))
	in := k.incoming(reply)
	in.Source.Mailbox = SentOf("support")
	if _, err := k.desk.Place(context.Background(), SentOf("support"), testValidity); err != nil {
		t.Fatal(err)
	}
	sentAt := k.clock.Now()
	k.clock.move(4 * time.Hour) // the desk was down meanwhile
	k.expect(k.receiveAll(in)[0], Appended, id)
	if all := k.deliver(); len(all) != 0 {
		t.Errorf("mails went out: %s", summary(all))
	}
	ticket := k.ticket(id)
	if ticket.State != StateOpen || ticket.LastPublic != "Bitte neu starten." || ticket.Assignee != "" {
		t.Errorf("ticket is %s, last public %q, assignee %q", ticket.State, ticket.LastPublic, ticket.Assignee)
	}
	c, ok := ticket.clock(clock.FirstResponse, nil)
	if !ok || !c.Stop.Equal(sentAt) || !c.Breached.IsZero() {
		t.Errorf("first_response stopped at %s (breached %s), want %s: when it was sent", c.Stop, c.Breached, sentAt)
	}
	entries := k.entries(id)
	e := entries[len(entries)-1]
	if e.Kind != EntryAnswered || e.Actor != (Actor{Kind: ActorAgent, Name: "mailbox support"}) || e.Message == 0 {
		t.Errorf("entry %+v", e)
	}
	// The folder is numbered anew: it is the same mail.
	k.expect(k.findSent(reply)[0], Duplicate, id)
	k.healthy()
}

// TestByHandWho: the agent whom a mail sent by hand names is who answered.
func TestByHandWho(t *testing.T) {
	for name, change := range map[string]func(*Message){
		"from":   func(m *Message) { m.From = []Address{{Mail: anna}} },
		"sender": func(m *Message) { m.Sender = []Address{{Mail: "Anna@Staff.example"}} },
		"field":  with("X-Authenticated-Sender", "<"+anna+">"),
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, withSent)
			id, mails := k.opened(kunde, "Drucker", "Er druckt nicht.")
			ack := to(mails, kunde)[0]
			k.expect(k.findSent(k.byHand(kunde, "Re: Drucker", "Neu starten.", answering(ack.Letter.MessageID), change))[0], Appended, id)
			if ticket := k.ticket(id); ticket.Assignee != anna || ticket.Owner != anna {
				t.Errorf("assignee %q, owner %q, want anna", ticket.Assignee, ticket.Owner)
			}
			k.healthy()
		})
	}
}

// TestByHandLeftAlone: what is no answer to a customer of a ticket changes none, and nothing of it is ever answered.
func TestByHandLeftAlone(t *testing.T) {
	k := newKit(t, withSent)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	mails := k.deliver()
	own := k.byHand(kunde, "Re: Drucker", "Kopie", func(m *Message) { m.ID = to(mails, kunde)[0].Letter.MessageID })
	number := k.ticket(id).Number
	before := k.ticket(id).Entries
	outs := k.findSent(
		own,
		k.byHand(stranger, "Angebot", "Privat."),
		k.byHand(kunde, "Urlaub", "Bin weg.", answering(question.ID), with("Auto-Submitted", "auto-replied")),
	)
	for i, out := range outs {
		k.expect(out, Filed, 0)
		if out.Why == "" {
			t.Errorf("mail %d: no reason", i)
		}
	}
	if n := k.ticket(id).Entries; n != before {
		t.Errorf("%d entries, want %d", n, before)
	}
	// Forwarded to somebody who takes no part: a note, and the promise to the customer stands.
	k.expect(k.findSent(k.byHand(stranger, "Fwd: Drucker ["+number+"]", "Schau mal."))[0], Appended, id)
	entries := k.entries(id)
	if e := entries[len(entries)-1]; e.Kind != EntryNoted || !strings.Contains(e.Detail, "nobody who takes part") {
		t.Errorf("entry %+v", e)
	}
	if c, _ := k.ticket(id).clock(clock.FirstResponse, nil); c.Stopped() {
		t.Error("first_response stopped by a mail that no customer got")
	}
	k.expectState(id, StateNew)
	if all := k.deliver(); len(all) != 0 {
		t.Errorf("mails went out: %s", summary(all))
	}
	k.healthy()
}

// TestByHandThreads: S-089. The customer's answer to a mail that was sent by hand joins its ticket when the customer is
// authenticated, and nobody else's does.
func TestByHandThreads(t *testing.T) {
	k := newKit(t, withSent)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	reply := k.byHand(kunde, "Re: Drucker", "Neu starten.", answering(question.ID))
	k.expect(k.findSent(reply)[0], Appended, id)
	k.expect(k.receive(k.mail(kunde, "Re: Drucker", "Geht wieder nicht.", answering(reply.ID))), Appended, id)
	for _, m := range []*Message{
		k.mail(stranger, "Re: Drucker", "Was kostet das?", answering(reply.ID)),
		k.mail(kunde, "Aw: ganz anderes", "Gelogen.", answering(reply.ID), unauthenticated),
	} {
		if out := k.receive(m); out.Ticket == id {
			t.Errorf("%s joined the ticket: %s", m.Author, out.Why)
		}
	}
	k.healthy()
}

// TestByHandInCopy: a mail that was sent by hand and comes in as well counts once, whichever is seen first.
func TestByHandInCopy(t *testing.T) {
	for _, inboxFirst := range []bool{true, false} {
		k := newKit(t, withSent)
		question := k.mail(kunde, "Drucker", "Er druckt nicht.")
		id := k.receive(question).Ticket
		reply := k.byHand(kunde, "Re: Drucker", "Neu starten.", answering(question.ID), func(m *Message) { m.Cc = []Address{{Mail: deskAddress}} })
		k.deliver()
		if inboxFirst {
			if out := k.receive(reply); out.Result != Quarantined {
				t.Errorf("in copy: %s (%s)", out.Result, out.Why)
			}
		}
		k.expect(k.findSent(reply)[0], Appended, id)
		if !inboxFirst {
			k.expect(k.receive(reply), Duplicate, id)
		}
		k.expectState(id, StateOpen)
		if all := outside(k.deliver()); len(all) != 0 {
			t.Errorf("mails went out: %s", summary(all))
		}
		k.healthy()
	}
}
