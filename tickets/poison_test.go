package tickets

import (
	"context"
	"testing"
)

// S-137, S-138, S-139: a mail that must not be read is held with its reason and its octets, the admin is told, nobody is
// answered, the mails beside it are settled; let in, it is a ticket without any answer.
func TestMailThatMustNotBeRead_S137_S138_S139(t *testing.T) {
	k := newKit(t)
	bad := k.mail("", "DEADLY", "Subject: DEADLY", func(m *Message) {
		m.From, m.Author, m.ReturnPath, m.Poison = nil, "", "", "the process ended 3 times while it was read"
	})
	outs := k.receiveAll(k.incoming(k.mail(kunde, "eins", "x")), k.incoming(bad), k.incoming(k.mail(kollegin, "zwei", "y")))
	if outs[0].Result != Created || outs[1].Result != Quarantined || outs[2].Result != Created {
		t.Fatalf("%+v", outs)
	}
	sent := k.deliver()
	mailTo(t, sent, admin, TemplateHealth)
	if n := len(outside(sent)); n != 2 {
		t.Errorf("sent outside: %s", summary(outside(sent)))
	}
	held := k.held()
	if len(held) != 1 || held[0].Reason != "it cannot be read: "+bad.Poison || held[0].Subject != "DEADLY" {
		t.Fatalf("held: %+v", held)
	}
	out, err := k.desk.Release(context.Background(), held[0].ID, admin)
	if err != nil || out.Result != Created {
		t.Fatalf("release: %+v, %v", out, err)
	}
	if sent := outside(k.deliver()); len(sent) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.healthy()
}

// S-193: a complaint by the provider of somebody who was written to is noted on the ticket when the mail that it returns is one
// of ours; what it claims beyond that counts for nothing. One about no mail of ours changes nothing, and none is answered.
func TestComplaint_S193(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "x")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	complaint := func(messageID string) *Message {
		return k.mail("fbl@provider.example", "complaint about message from 192.0.2.1 "+messageID, "abuse", with(fieldKind, string(KindFeedbackReport)), func(m *Message) {
			m.Machine = []MachinePart{
				{Type: "message/feedback-report", Data: []byte("Feedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\nOriginal-Rcpt-To: " + stranger + "\r\n")},
				{Type: "message/rfc822", Data: []byte("From: x\r\nMessage-ID: <" + messageID + ">\r\n\r\n")},
			}
		})
	}
	before := len(k.entries(id))
	for _, forged := range []string{"x@elsewhere.example", "NW-2026-000001@desk.example"} {
		if out := k.receive(complaint(forged)); out.Result != Filed || out.Ticket != 0 {
			t.Errorf("%s: %+v", forged, out)
		}
	}
	if n := len(k.entries(id)); n != before {
		t.Errorf("a forged complaint made %d entries", n-before)
	}
	if out := k.receive(complaint(ack.Letter.MessageID)); out.Result != Filed || out.Ticket != id {
		t.Errorf("%+v", out)
	}
	entries := k.entries(id)
	if e := entries[len(entries)-1]; len(entries) != before+1 || e.Kind != EntryAutomatic || e.From != "fbl@provider.example" {
		t.Errorf("%d entries, the last is %+v", len(entries), e)
	}
	if tk := k.ticket(id); tk.State != StateNew || len(tk.Participants) != 0 {
		t.Errorf("ticket %+v", tk)
	}
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.healthy()
}
