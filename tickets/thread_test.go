package tickets

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCustomerRepliesInEveryWayOfThreading_S089(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(d delivered) func(*Message)
		joins  bool
	}{
		{"reply address", func(delivered) func(*Message) { return func(m *Message) { m.InReplyTo, m.References = nil, nil } }, true},
		{"reply address in upper case", func(delivered) func(*Message) {
			return func(m *Message) {
				m.InReplyTo, m.References, m.To = nil, nil, []Address{{Mail: strings.ToUpper(m.To[0].Mail)}}
			}
		}, true},
		{"reply address in Delivered-To only", func(d delivered) func(*Message) {
			return func(m *Message) {
				m.InReplyTo, m.References, m.To = nil, nil, nil
				with("Delivered-To", d.Letter.ReplyTo.Mail)(m)
			}
		}, true},
		{"In-Reply-To", func(delivered) func(*Message) {
			return func(m *Message) { m.References, m.To = nil, []Address{{Mail: deskAddress}} }
		}, true},
		{"References", func(delivered) func(*Message) {
			return func(m *Message) { m.InReplyTo, m.To = nil, []Address{{Mail: deskAddress}} }
		}, true},
		{"subject tag, authenticated", func(delivered) func(*Message) {
			return func(m *Message) { m.InReplyTo, m.References, m.To = nil, nil, []Address{{Mail: deskAddress}} }
		}, true},
		{"subject tag, not authenticated", func(delivered) func(*Message) {
			return func(m *Message) {
				m.InReplyTo, m.References, m.To = nil, nil, []Address{{Mail: deskAddress}}
				unauthenticated(m)
			}
		}, false},
		{"S-099 subject alone", func(delivered) func(*Message) {
			return func(m *Message) {
				m.InReplyTo, m.References, m.To, m.Subject = nil, nil, []Address{{Mail: deskAddress}}, "Re: Drucker"
			}
		}, false},
		{"S-079 reply address with a flipped bit", func(delivered) func(*Message) {
			return func(m *Message) {
				m.InReplyTo, m.References, m.Subject = nil, nil, "Re: Drucker"
				b := []byte(m.To[0].Mail)
				i := len("support+") + 20
				b[i] = "ab"[b2i(b[i] == 'a')]
				m.To = []Address{{Mail: string(b)}}
			}
		}, false},
		{"S-097 an id under our domain that we never signed", func(delivered) func(*Message) {
			return func(m *Message) {
				m.References, m.To, m.Subject = nil, []Address{{Mail: deskAddress}}, "Re: Drucker"
				m.InReplyTo = []string{strings.Repeat("a", 48) + "@desk.example"}
			}
		}, false},
		{"S-080 the form of another desk", func(delivered) func(*Message) {
			return func(m *Message) {
				m.References, m.To, m.Subject = nil, []Address{{Mail: "support+id1@desk.example"}}, "Re: Drucker"
				m.InReplyTo = []string{"notify-1-1@desk.example"}
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			id, sent := k.opened(kunde, "Drucker", "kaputt")
			ack := mailTo(t, sent, kunde, TemplateAckNew)
			out := k.receive(k.reply(ack, kunde, "Noch etwas.", c.change(ack)))
			if joined := out.Result == Appended && out.Ticket == id; joined != c.joins {
				t.Errorf("%+v, want joined=%v", out, c.joins)
			}
			if !c.joins && out.Result != Created {
				t.Errorf("%+v, want a ticket of its own", out)
			}
			k.healthy()
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// S-089: a stranger with a number in the subject gets a ticket of their own; agents see the hint.
func TestStrangerWithANumberInTheSubject_S089(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "Drucker", "kaputt")
	number := k.ticket(id).Number
	out := k.receive(k.mail(stranger, "Re: ["+number+"] Drucker", "Ich auch"))
	if out.Result != Created || out.Ticket == id {
		t.Fatalf("%+v", out)
	}
	sent := k.deliver()
	var v InternalView
	if err := json.Unmarshal([]byte(mailTo(t, sent, anna, TemplateTicketToTeam).Letter.Text), &v); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(v.Hints, number) {
		t.Errorf("hints %q lack %s", v.Hints, number)
	}
	absentFrom(t, outside(sent), number)
}

// An automatic mail of nobody in particular must not write on a ticket by its number alone.
func TestAutomaticMailWithANumberInTheSubject_S089(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "Drucker", "kaputt")
	before := k.ticket(id).Entries
	for _, kind := range []Kind{KindAutoReply, KindReport, KindFeedbackReport} {
		m := k.mail(kunde, "Abwesend: ["+k.ticket(id).Number+"] Drucker", "Bin weg "+string(kind), unauthenticated, with(fieldKind, string(kind)))
		if out := k.receive(m); out.Result != Filed || out.Ticket != 0 {
			t.Errorf("%s: %+v, want it filed without a ticket", kind, out)
		}
	}
	if after := k.ticket(id).Entries; after != before {
		t.Errorf("%d entries more", after-before)
	}
}

// S-090, S-091, S-096: a stranger's mail to a leaked address is held; nothing of it goes outside before it is admitted.
func TestStrangerIsHeldAndAdmitted_S090_S096(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	out := k.receive(k.reply(ack, stranger, "CANARYstranger", func(m *Message) { m.Cc = []Address{{Mail: "opfer@elsewhere.example"}} }))
	k.expect(out, Quarantined, id)
	sent = k.deliver()
	if len(outside(sent)) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	notice := mailTo(t, sent, anna, TemplateHeld)
	if p := k.ticket(id).Participants; len(p) > 0 {
		t.Errorf("participants: %v", p)
	}
	out = k.receive(k.reply(notice, anna, "#admit 1"))
	k.expect(out, Appended, id)
	sent = k.deliver()
	mailTo(t, sent, anna, TemplateReceipt)
	if len(k.held()) != 0 {
		t.Errorf("still held: %+v", k.held())
	}
	if p := k.ticket(id).Participants; len(p) != 1 || p[0].Mail != stranger {
		t.Fatalf("participants: %v", p)
	}
	k.healthy()
	// From now on they are part of it: they get the answers, and may write.
	out = k.receive(k.reply(mailTo(t, sent, anna, TemplateCustomerReplied), anna, "Antwort an beide"))
	k.expect(out, Appended, id)
	answers := k.afterUndo()
	mailTo(t, answers, kunde, TemplateAgentReply)
	theirs := mailTo(t, answers, stranger, TemplateAgentReply)
	k.expect(k.receive(k.reply(theirs, stranger, "Danke, geht")), Appended, id)
	k.healthy()
}

func TestHeldMailIsRejected(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, kunde, TemplateAckNew), stranger, "CANARYstranger"))
	notice := mailTo(t, k.deliver(), ben, TemplateHeld)
	k.expect(k.receive(k.reply(notice, ben, "#reject 1")), Appended, id)
	if len(k.held()) != 0 || k.books().Filed != 1 {
		t.Errorf("held %+v, books %+v", k.held(), k.books())
	}
	k.healthy()
}

// S-092: the requester's forged mail changes no participants, and goes to nobody.
func TestSpoofedRequesterWithCc_S092(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	cc := func(m *Message) { m.Cc = []Address{{Mail: "angreifer@elsewhere.example"}} }
	k.expect(k.receive(k.reply(ack, kunde, "gefälscht", forged, cc)), Quarantined, id)
	k.expect(k.receive(k.reply(ack, kunde, "ohne Beweis", unauthenticated, cc)), Appended, id)
	if out := outside(k.deliver()); len(out) > 0 {
		t.Errorf("sent: %s", summary(out))
	}
	if tk := k.ticket(id); len(tk.Participants) > 0 || tk.Requester.Mail != kunde {
		t.Errorf("ticket: %+v", tk)
	}
	entries := k.entries(id)
	if e := lastOf(t, entries, EntryReceived); e.Verified || e.Text != "ohne Beweis" {
		t.Errorf("entry: %+v", e)
	}
	k.healthy()
}

func lastOf(t testing.TB, entries []Entry, kind EntryKind) Entry {
	t.Helper()
	for _, e := range slices.Backward(entries) {
		if e.Kind == kind {
			return e
		}
	}
	t.Fatalf("no entry %q", kind)
	return Entry{}
}

// S-094: a colleague who answers with a valid address does not become the requester.
func TestColleagueDoesNotBecomeRequester_S094(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.expect(k.receive(k.reply(mailTo(t, sent, kunde, TemplateAckNew), kollegin, "Ich antworte für ihn")), Quarantined, id)
	if tk := k.ticket(id); tk.Requester.Mail != kunde || len(tk.Participants) > 0 {
		t.Errorf("ticket: %+v", tk)
	}
}

// S-095: the address of one ticket beside the number of another goes to the address's; the addresses of two are held.
func TestTwoTicketsInOneMail_S095(t *testing.T) {
	k := newKit(t)
	a, sentA := k.opened(kunde, "Drucker", "kaputt")
	b, sentB := k.opened(kunde, "Maus", "kaputt")
	ackA, ackB := mailTo(t, sentA, kunde, TemplateAckNew), mailTo(t, sentB, kunde, TemplateAckNew)
	out := k.receive(k.reply(ackA, kunde, "zu A", func(m *Message) { m.Subject = "Re: [" + k.ticket(b).Number + "] Maus" }))
	k.expect(out, Appended, a)
	out = k.receive(k.reply(ackA, kunde, "zu beiden", func(m *Message) { m.Cc = []Address{ackB.Letter.ReplyTo} }))
	if out.Result != Quarantined {
		t.Errorf("%+v", out)
	}
	k.healthy()
}

// S-098: the address of a ticket that is no longer there makes a new one, and restores nothing.
func TestAddressOfAnErasedTicket_S098(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	ack.Letter.ReplyTo.Mail = "support+" + k.store.keys.Sign(Token{Purpose: PurposeCustomer, Ticket: 4711, Principal: 1}) + "@desk.example"
	ack.Letter.MessageID = k.store.keys.Sign(Token{Purpose: PurposeIDCustomer, Ticket: 4711, Principal: 1, Outgoing: 99}) + "@desk.example"
	out := k.receive(k.reply(ack, kunde, "Noch etwas"))
	if out.Result != Created || out.Ticket != 2 {
		t.Errorf("%+v", out)
	}
	k.healthy()
}

// S-046: a delivery report to a mail's envelope sender is noted on its ticket, tells the team once, and opens nothing.
func TestBounceWithToken_S046(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#wait\nWelcher Drucker?"))
	answer := mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	k.expectState(id, StateWaitingCustomer)
	bounce := func(delayed bool) *Message {
		return k.mail("mailer-daemon@mx.customer.example", "Undelivered Mail", "x"+k.clock.Now().String(), with(fieldKind, string(KindBounce)), func(m *Message) {
			m.ReturnPath = "<>"
			m.To = []Address{{Mail: answer.EnvelopeFrom}}
			b, _ := json.Marshal(Bounce{Recipients: []string{kunde}, Status: "5.1.1", Hard: !delayed, Delayed: delayed, Diagnostic: "no such user"})
			with(fieldBounce, string(b))(m)
		})
	}
	k.expect(k.receive(bounce(true)), Filed, id)
	k.expectState(id, StateWaitingCustomer)
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("a delay was told: %s", summary(sent))
	}
	k.clock.move(time.Minute)
	k.expect(k.receive(bounce(false)), Filed, id)
	k.expectState(id, StateOpen)
	sent = k.deliver()
	mailTo(t, sent, anna, TemplateUndelivered)
	if len(outside(sent)) > 0 || len(sent) != 1 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.clock.move(time.Minute)
	k.expect(k.receive(bounce(false)), Filed, id)
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("told again: %s", summary(sent))
	}
	if n := k.ticketCount(); n != 1 {
		t.Errorf("%d tickets", n)
	}
	k.healthy()
}

// A report that names the mail's Message-ID only is about that mail, too.
func TestBounceWithMessageIDOnly_S046(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "Welcher Drucker?"))
	answer := mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	m := k.mail("mailer-daemon@mx.customer.example", "Undelivered Mail", "x", with(fieldKind, string(KindBounce)), func(m *Message) {
		m.InReplyTo = []string{answer.Letter.MessageID}
		with(fieldBounce, `{"recipients":["kunde@customer.example"],"status":"5.1.1","hard":true}`)(m)
	})
	k.expect(k.receive(m), Filed, id)
	lastOf(t, k.entries(id), EntryBounced)
	k.healthy()
}

// S-047: a report about no mail of ours is held, and changes nothing.
func TestBounceWithoutToken_S047(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "Drucker", "kaputt")
	before := k.ticket(id).Entries
	for i, change := range []func(*Message){
		func(*Message) {},
		func(m *Message) { m.Subject = "Undelivered: [" + k.ticket(id).Number + "] Drucker" },
		func(m *Message) { m.InReplyTo = []string{strings.Repeat("b", 48) + "@desk.example"} },
		func(m *Message) { m.To = []Address{{Mail: "support+" + strings.Repeat("c", 48) + "@desk.example"}} },
	} {
		m := k.mail("mailer-daemon@mx.customer.example", "Undelivered Mail", "x"+itoa(i), with(fieldKind, string(KindBounce)),
			with(fieldBounce, `{"recipients":["kunde@customer.example"],"status":"5.1.1","hard":true}`), change)
		if out := k.receive(m); out.Result != Quarantined {
			t.Errorf("case %d: %+v", i, out)
		}
	}
	if tk := k.ticket(id); tk.Entries != before || tk.State != StateNew {
		t.Errorf("ticket: %+v", tk)
	}
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.healthy()
}

// The address for delivery reports gives a person no right: mail to it is a new ticket.
func TestPersonsMailToTheEnvelopeSender_S080(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, from := range []string{stranger, anna, kunde} {
		out := k.receive(k.mail(from, "Hallo", "x", func(m *Message) { m.To = []Address{{Mail: notice.EnvelopeFrom}} }))
		if out.Result != Created || out.Ticket == id {
			t.Errorf("from %s: %+v", from, out)
		}
	}
	k.healthy()
}

// S-069: automatic replies never reopen, stop a clock, or count as an answer.
func TestAutomaticRepliesChangeNothing_S069(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, text := range []string{"#wait\nWelcher?", "#solve\nNeuer Toner."} {
		k.receive(k.reply(notice, anna, text))
		answer := to(k.afterUndo(), kunde)[0]
		before := k.ticket(id)
		k.expect(k.receive(k.reply(answer, kunde, "Ich bin im Urlaub. "+text, autoReply)), Filed, id)
		after := k.ticket(id)
		if after.State != before.State || after.LastCustomer != before.LastCustomer || formatJSON(after.Clocks) != formatJSON(before.Clocks) {
			t.Errorf("after %q: %+v, before %+v", text, after, before)
		}
		if sent := k.deliver(); len(sent) > 0 {
			t.Errorf("sent: %s", summary(sent))
		}
	}
	// S-087: nor does an agent's absence note reach the customer.
	k.expect(k.receive(k.reply(notice, anna, "Ich bin nicht da", autoReply)), Filed, id)
	if sent := k.afterUndo(); len(sent) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.healthy()
}

// S-171: what was explained is what happens.
func TestExplainSaysWhatReceiveDoes(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	ack, notice := mailTo(t, sent, kunde, TemplateAckNew), mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, m := range []*Message{
		k.mail(kunde, "Neu", "x"), k.reply(ack, kunde, "y"), k.reply(ack, stranger, "z"), k.reply(notice, anna, "#solve\nfertig"),
		k.reply(notice, anna, "#frobnicate"), k.reply(notice, ben, "nicht meins"),
	} {
		in := k.incoming(m)
		dec, err := k.desk.Explain(&in)
		if err != nil {
			t.Fatal(err)
		}
		out := k.receiveAll(in)[0]
		if out.Result != dec.Result || out.Why != dec.Why {
			t.Errorf("explained %s (%s), happened %s (%s)", dec.Result, dec.Why, out.Result, out.Why)
		}
	}
	k.healthy()
}

// A released mail that cannot be let in stays held, and the desk goes on.
func TestReleaseThatIsRefused(t *testing.T) {
	k := newKit(t)
	k.receive(k.mail(deskAddress, "Hallo", "x"))
	if _, err := k.desk.Release(context.Background(), k.held()[0].ID, admin); err == nil {
		t.Error("a mail in the desk's own name was let in")
	}
	if err := k.desk.Drop(context.Background(), k.held()[0].ID, admin); err != nil {
		t.Errorf("drop: %v", err)
	}
	if _, err := k.desk.Release(context.Background(), 1, admin); err == nil {
		t.Error("what was dropped was let in")
	}
	k.healthy()
}

// Without sub-addressing a report is matched by the signed Message-ID of the mail that it returns.
func TestBounceReturnsTheHeader_S046(t *testing.T) {
	k := newKit(t, func(r *Rules) {
		b := r.Brands["nordwind"]
		b.Plus = false
		r.Brands["nordwind"] = b
	})
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#wait\nWelcher Drucker?"))
	answer := mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	for i, typ := range []string{"text/rfc822-headers", "message/rfc822", "message/global-headers"} {
		m := k.mail("mailer-daemon@mx.customer.example", "Undelivered Mail", "x"+itoa(i), with(fieldKind, string(KindBounce)), func(m *Message) {
			m.ReturnPath = "<>"
			m.Machine = []MachinePart{{Type: typ, Data: []byte("From: x\r\nMessage-ID: <" + answer.Letter.MessageID + ">\r\nSubject: y\r\n\r\n")}}
			with(fieldBounce, `{"recipients":["kunde@customer.example"],"status":"5.1.1","hard":true}`)(m)
		})
		k.expect(k.receive(m), Filed, id)
	}
	k.expectState(id, StateOpen)
	lastOf(t, k.entries(id), EntryBounced)
	// A person who forwards a mail of ours as a file does not join its ticket by that.
	m := k.mail(stranger, "Sehen Sie mal", "x", func(m *Message) {
		m.Machine = []MachinePart{{Type: "message/rfc822", Data: []byte("Message-ID: <" + answer.Letter.MessageID + ">\r\n\r\n")}}
	})
	if out := k.receive(m); out.Result != Created || out.Ticket == id {
		t.Errorf("%+v", out)
	}
	k.healthy()
}

// A decision is a function: it changes nothing of what it was given, and is the same again.
func TestDecideChangesNothing(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	ack, notice := mailTo(t, sent, kunde, TemplateAckNew), mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(ack, stranger, "darf ich?"))
	k.receive(k.reply(ack, kunde, "Noch etwas."))
	for _, m := range []*Message{
		k.reply(ack, kunde, "Und noch etwas."), k.reply(ack, stranger, "bitte"), k.reply(notice, anna, "#solve\nfertig"), k.reply(notice, anna, "#admit 1"),
		k.reply(notice, anna, "#wait #solve #reopen\nx"), k.reply(notice, anna, "#frobnicate"), k.mail(kunde, "Re: Drucker", "neu"), k.reply(ack, kunde, "weg", autoReply),
	} {
		in := k.incoming(m)
		err := k.store.View(func(tx *Tx) error {
			known, err := tx.know(k.rules, &in, k.clock.Now())
			if err != nil {
				return err
			}
			ticket, recent, message := formatJSON(known.Ticket), formatJSON(known.Recent), formatJSON(m)
			first := formatJSON(Decide(known, &in, k.rules, k.clock.Now()))
			if formatJSON(known.Ticket) != ticket || formatJSON(known.Recent) != recent || formatJSON(m) != message {
				t.Errorf("%q: what was known is changed", m.Reply)
			}
			again, err := tx.know(k.rules, &in, k.clock.Now())
			if err != nil {
				return err
			}
			if second := formatJSON(Decide(again, &in, k.rules, k.clock.Now())); second != first {
				t.Errorf("%q: decided otherwise the second time\n%s\n%s", m.Reply, first, second)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Ticket numbers carry the year of the desk's own zone; everything that is stored is in UTC.
func TestZones(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Zone = time.FixedZone("CET", 3600) })
	k.clock.move(time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC).Sub(k.clock.Now()))
	k.clock.now = k.clock.now.In(time.FixedZone("far", 9*3600))
	id, _ := k.opened(kunde, "Drucker", "kaputt")
	tk := k.ticket(id)
	if tk.Number != "NW-2027-000001" || !tk.Created.Equal(k.clock.Now()) || tk.Created.Location() != time.UTC {
		t.Errorf("%s, created %s", tk.Number, tk.Created)
	}
	for _, c := range tk.Clocks {
		if c.Start().Location() != time.UTC || c.Due.Location() != time.UTC {
			t.Errorf("%+v", c)
		}
	}
	k.healthy()
}
