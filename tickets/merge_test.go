package tickets

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Two tickets of one person become one: whatever comes to the first goes to the second from then on, and #unmerge
// makes the first what it was.
func TestMergeAndUnmerge(t *testing.T) {
	k := newKit(t)
	first, sent := k.opened(kunde, "Drucker", "kaputt")
	notice, ack := mailTo(t, sent, anna, TemplateTicketToTeam), mailTo(t, sent, kunde, TemplateAckNew)
	k.clock.move(time.Hour)
	second, _ := k.opened(kunde, "Drucker nochmal", "immer noch kaputt")
	into := k.ticket(second)

	k.expect(k.receive(k.reply(notice, anna, "#merge "+into.Number)), Appended, first)
	tk := k.ticket(first)
	if tk.State != StateMerged || tk.MergedInto != second || tk.StateBefore != StateNew {
		t.Errorf("%+v", tk)
	}
	if into = k.ticket(second); !slices.Equal(into.MergedFrom, []string{tk.Number}) {
		t.Errorf("%+v", into)
	}
	told := k.afterUndo()
	mailTo(t, told, kunde, TemplateMerged)
	mailTo(t, told, anna, TemplateReceipt)

	k.expect(k.receive(k.reply(ack, kunde, "Gibt es etwas Neues?")), Appended, second)
	mailTo(t, k.deliver(), ben, TemplateCustomerReplied)
	// An agent's old reply address leads to the same place.
	k.expect(k.receive(k.reply(notice, anna, "#take")), Appended, second)
	if k.ticket(second).Assignee != anna {
		t.Errorf("%+v", k.ticket(second))
	}
	k.deliver()
	k.receive(k.reply(notice, anna, "#undo"))
	k.receive(k.reply(notice, anna, "#merge "+tk.Number, func(m *Message) { m.Text = "again" }))
	mailTo(t, k.deliver(), anna, TemplateRefused) // merged already

	k.expect(k.receive(k.reply(notice, anna, "#unmerge")), Appended, second)
	if tk = k.ticket(first); tk.State != StateNew || tk.MergedInto != 0 || tk.StateBefore != "" {
		t.Errorf("%+v", tk)
	}
	k.deliver()
	k.expect(k.receive(k.reply(ack, kunde, "Und jetzt?")), Appended, first)
	k.deliver()
	k.receive(k.reply(notice, anna, "#unmerge", func(m *Message) { m.Text = "once more" }))
	mailTo(t, k.deliver(), anna, TemplateRefused)
	k.healthy()
}

// Tickets of two persons are never merged; #duplicate links them instead.
func TestTwoCustomersAreNeverMerged(t *testing.T) {
	k := newKit(t)
	first, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	second, _ := k.opened("fremd@other.example", "Drucker", "auch kaputt")
	number := k.ticket(second).Number
	before := k.ticket(second).Entries
	k.receive(k.reply(notice, anna, "#merge "+number))
	mailTo(t, k.deliver(), anna, TemplateRefused)
	if k.ticket(first).State != StateNew || k.ticket(second).Entries != before {
		t.Error("something was done")
	}
	k.receive(k.reply(notice, anna, "#duplicate "+number))
	mailTo(t, k.deliver(), anna, TemplateReceipt)
	a, b := k.ticket(first), k.ticket(second)
	if !slices.Equal(a.Links, []string{b.Number}) || !slices.Equal(b.Links, []string{a.Number}) || a.State != StateNew {
		t.Errorf("%v, %v", a.Links, b.Links)
	}
	k.receive(k.reply(notice, anna, "#undo"))
	mailTo(t, k.deliver(), anna, TemplateRefused)
	for _, nonsense := range []string{"#merge", "#merge nothing", "#merge " + a.Number, "#merge " + number + " #link " + number, "#link " + number + "\nEin Text", "#merge " + number + "\nEin Text"} {
		before := k.ticket(second).Entries
		k.receive(k.reply(notice, anna, nonsense))
		if nonsense[:5] != "#link" {
			mailTo(t, k.deliver(), anna, TemplateRefused)
			if k.ticket(second).Entries != before {
				t.Errorf("%q did something", nonsense)
			}
		}
		k.afterUndo()
	}
	k.healthy()
}

func TestSplit(t *testing.T) {
	k := newKit(t)
	first, sent := k.opened(kunde, "Drucker", "kaputt")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	k.receive(k.reply(ack, kunde, "Außerdem geht mein Telefon nicht."))
	notice := mailTo(t, k.deliver(), anna, TemplateCustomerReplied)
	k.expect(k.receive(k.reply(notice, anna, "#split Telefon geht nicht")), Appended, first)
	second := k.ticket(first + 1)
	if second.Subject != "Telefon geht nicht" || second.Requester.Mail != kunde || second.LastCustomer != "Außerdem geht mein Telefon nicht." ||
		second.State != StateNew || len(second.Clocks) == 0 {
		t.Errorf("%+v", second)
	}
	told := k.deliver()
	if n := mailTo(t, told, ben, TemplateTicketToTeam); n.Ticket != second.ID || !strings.Contains(n.Letter.Text, "Telefon") {
		t.Errorf("%+v", n)
	}
	mailTo(t, told, anna, TemplateReceipt)
	third, _ := k.opened(kunde, "Maus", "klemmt")
	if third != second.ID+1 || k.ticket(third).Number == second.Number {
		t.Errorf("ticket %d after %d", third, second.ID)
	}
	k.healthy()
}

// A ticket set aside as spam bothers nobody, until somebody brings it back.
func TestSpamAndBack(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Gewinn", "Sie haben gewonnen")
	notice, ack := mailTo(t, sent, anna, TemplateTicketToTeam), mailTo(t, sent, kunde, TemplateAckNew)
	k.receive(k.reply(notice, anna, "#spam"))
	k.expectState(id, StateQuarantined)
	k.deliver()
	k.expect(k.receive(k.reply(ack, kunde, "Jetzt zugreifen")), Appended, id)
	k.expectState(id, StateQuarantined)
	k.clock.move(100 * time.Hour)
	k.tick()
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("sent %s", summary(sent))
	}
	k.receive(k.reply(notice, anna, "#release"))
	k.expectState(id, StateNew)
	k.healthy()
}

// A customer's single word is understood; a sentence is for people.
func TestCustomersWords(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	k.clock.move(time.Hour)
	k.expect(k.receive(k.reply(ack, kunde, "Status")), Appended, id)
	answer := k.deliver()
	if got := toKunde(answer); got != TemplateStatus || len(answer) != 1 {
		t.Fatalf("sent %s", summary(answer))
	}
	if tk := k.ticket(id); tk.LastCustomer != "kaputt" || tk.State != StateNew {
		t.Errorf("%+v", tk)
	}
	k.receive(k.reply(ack, kunde, "Wie ist der Status?"))
	mailTo(t, k.deliver(), ben, TemplateCustomerReplied)
	// An automatic mail of that word, and one that nobody vouches for, are no questions.
	k.receive(k.reply(ack, kunde, "status", with(fieldNoAnswer, "automatic")))
	k.receive(k.reply(ack, kunde, "STATUS", unauthenticated))
	if got := toKunde(k.deliver()); got != "" {
		t.Errorf("the customer got %q", got)
	}
	for range 10 {
		k.receive(k.reply(ack, kunde, "Status?", func(m *Message) { m.Text = "x" }))
	}
	k.deliver()

	k.receive(k.reply(ack, kunde, "Gelöst!"))
	tk := k.ticket(id)
	if tk.State != StateSolved || !tk.Confirmed || tk.ResolutionCode != "customer" {
		t.Errorf("%+v", tk)
	}
	mailTo(t, k.deliver(), ben, TemplateCustomerReplied)
	k.receive(k.reply(ack, kunde, "erledigt", func(m *Message) { m.Text = "y" }))
	k.expectState(id, StateClosed)
	k.healthy()
}
