package tickets

import (
	"slices"
	"strings"
	"testing"
)

func withCc(list ...string) func(*Message) {
	return func(m *Message) {
		for _, a := range list {
			m.Cc = append(m.Cc, Address{Mail: a})
		}
	}
}

// S-093: whom a customer brings along gets the answers to come, and nothing of what was before. Colleagues may write as
// well; what others write is held.
func TestPeopleBroughtAlong_S093(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt CANARYbefore")
	notice, ack := mailTo(t, sent, anna, TemplateTicketToTeam), mailTo(t, sent, kunde, TemplateAckNew)
	k.did(notice, anna, "CANARYanswer früher")
	k.did(notice, anna, "#note CANARYnote")
	k.receive(k.reply(ack, kunde, "Bitte auch an die beiden.", withCc(kollegin, stranger, ben, deskAddress, "no-reply@machine.example", "nobody", kunde)))
	sent = k.deliver()
	tk := k.ticket(id)
	if len(tk.Participants) != 1 || tk.Participants[0].Mail != kollegin || strings.Join(tk.Copies, " ") != stranger || tk.Requester.Mail != kunde {
		t.Fatalf("%+v", tk)
	}
	if len(outside(sent)) > 0 {
		t.Errorf("sent %s", summary(sent))
	}
	_, sent = k.did(notice, anna, "An alle drei.")
	for _, who := range []string{kunde, kollegin, stranger} {
		mailTo(t, sent, who, TemplateAgentReply)
	}
	absentFrom(t, append(to(sent, kollegin), to(sent, stranger)...), "CANARY")
	k.expect(k.receive(k.reply(mailTo(t, sent, stranger, TemplateAgentReply), stranger, "Ich auch.")), Quarantined, id) // S-091
	k.expect(k.receive(k.reply(mailTo(t, sent, kollegin, TemplateAgentReply), kollegin, "Danke, ich melde mich.")), Appended, id)
	// The agent takes them off again.
	k.did(notice, anna, "#cc -"+stranger+" -"+kollegin)
	_, sent = k.did(notice, anna, "Nur noch an Sie.")
	if out := outside(sent); len(out) != 1 || out[0].Recipient != kunde {
		t.Errorf("sent %s", summary(out))
	}
	k.healthy()
}

// S-106: those who take part in a ticket see each other; whoever only gets copies is seen by nobody and sees nobody. What a
// person gets by mail later still comes to them in one thread.
func TestCopiesSeeNobody_S106(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice, ack := mailTo(t, sent, anna, TemplateTicketToTeam), mailTo(t, sent, kunde, TemplateAckNew)
	k.receive(k.reply(ack, kunde, "Bitte auch an diese drei.", withCc(kollegin, stranger, "zweite@other.example")))
	k.deliver()
	people := []string{kunde, kollegin, stranger, "zweite@other.example"}
	check := func(sent []delivered) {
		t.Helper()
		out := outside(sent)
		if len(out) != len(people) {
			t.Fatalf("sent %s", summary(out))
		}
		for _, m := range out {
			for _, other := range people {
				takesPart := func(a string) bool { return a == kunde || a == kollegin }
				named := slices.ContainsFunc(append(m.Letter.To, m.Letter.Cc...), func(a Address) bool { return a.Mail == other })
				shown := named || other != kunde && strings.Contains(string(m.Bytes), other) // whose request it is stands in its salutation
				if want := other == m.Recipient || takesPart(m.Recipient) && takesPart(other); shown && !want {
					t.Errorf("the mail to %s names %s: %s", m.Recipient, other, m.Bytes)
				} else if want && !named {
					t.Errorf("the mail to %s is not addressed to %s", m.Recipient, other)
				}
			}
		}
	}
	_, first := k.did(notice, anna, "Bitte schalten Sie ihn aus und wieder ein.")
	check(first)
	_, second := k.did(notice, anna, "Und nun die Klappe auf.")
	check(second)
	for _, who := range people {
		before, after := mailTo(t, first, who, TemplateAgentReply), mailTo(t, second, who, TemplateAgentReply)
		if !slices.Contains(after.Letter.References, before.Letter.MessageID) {
			t.Errorf("%s has two threads: %v lacks %s", who, after.Letter.References, before.Letter.MessageID)
		}
	}
	_, sent = k.did(notice, anna, "#nocc\nNur an Sie.")
	if out := outside(sent); len(out) != 1 || out[0].Recipient != kunde {
		t.Errorf("sent %s", summary(out))
	}
	if tk := k.ticket(id); len(tk.Copies) != 2 {
		t.Errorf("%+v", tk)
	}
	k.healthy()
}

// S-091, S-092: a mail that nobody vouches for brings nobody along, nor does one of a stranger; nobody is anybody's
// colleague by a provider's domain, and there is an end to it.
func TestNobodyElseBringsPeopleAlong_S091_S092(t *testing.T) {
	k := newKit(t)
	out := k.receive(k.mail(kunde, "Drucker", "kaputt", unauthenticated, withCc(kollegin, stranger)))
	if tk := k.ticket(out.Ticket); len(tk.inCopy()) > 0 {
		t.Errorf("an unauthenticated mail: %+v", tk.inCopy())
	}
	sent := k.deliver()
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "Welcher Drucker?"))
	answer := mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	k.receive(k.reply(answer, kunde, "Der im Flur.", unauthenticated, withCc(stranger)))
	k.receive(k.reply(answer, stranger, "Ich will mitlesen.", withCc(kollegin)))
	k.receive(k.reply(answer, kunde, "Gefälscht.", forged, withCc(stranger)))
	if tk := k.ticket(out.Ticket); len(tk.inCopy()) > 0 {
		t.Errorf("brought along: %+v", tk.inCopy())
	}
	id, _ := k.opened("kim@gmail.com", "Telefon", "stumm")
	k.receive(k.mail("kim@gmail.com", "Fax", "stumm, und zwar anders", withCc("eve@gmail.com")))
	if tk := k.ticket(id + 1); len(tk.Participants) > 0 || strings.Join(tk.Copies, " ") != "eve@gmail.com" {
		t.Errorf("%+v", tk)
	}
	var many []string
	for i := range 100 {
		many = append(many, "p"+itoa(i)+"@customer.example")
	}
	last := k.receive(k.mail(kunde, "Rundmail", "an alle hundert", withCc(many...)))
	if n := len(k.ticket(last.Ticket).inCopy()); n != maxPeople {
		t.Errorf("%d people", n)
	}
	k.healthy()
}
