package tickets

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Whatever an agent gets about a ticket is one conversation in their client: notices, receipts, reminders and what other
// agents bring about. Subjects hold the requester's words and the number, and the team can be filtered by.
func TestOneConversationPerTicket(t *testing.T) {
	k := newKit(t)
	id, all := k.opened(kunde, "Drucker", "Er druckt nicht.")
	number := k.ticket(id).Number
	seen := func(more []delivered) []delivered { all = append(all, more...); return more }
	notice := mailTo(t, all, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#take\n#note\nIch schaue nach."))
	receipt := mailTo(t, seen(k.deliver()), anna, TemplateReceipt)
	k.receive(k.reply(receipt, anna, "#prio P2 eilig"))
	seen(k.deliver())
	k.receive(k.reply(mailTo(t, all, kunde, TemplateAckNew), kunde, "Immer noch nicht."))
	seen(k.deliver())
	k.receive(k.reply(notice, anna, "#nosuchword"))
	seen(k.deliver())
	k.clock.move(13 * time.Hour)
	k.tick()
	seen(k.deliver())

	templates := map[string]bool{}
	var thread []string
	for _, d := range to(all, anna) {
		templates[d.Template] = true
		l := d.Letter
		if !slices.Equal(l.References, thread) || len(thread) > 0 && l.InReplyTo != thread[len(thread)-1] {
			t.Errorf("%s refers to %q and answers %q; what Anna has is %q", d.Template, l.References, l.InReplyTo, thread)
		}
		if l.ListID != "first.desk.desk.example" || l.Ticket != number {
			t.Errorf("%s has the List-Id %q and is about %q", d.Template, l.ListID, l.Ticket)
		}
		if !strings.Contains(d.Subject, number) {
			t.Errorf("%s has the subject %q", d.Template, d.Subject)
		}
		thread = append(thread, l.MessageID)
	}
	for _, want := range []string{TemplateTicketToTeam, TemplateReceipt, TemplateCustomerReplied, TemplateRefused, TemplateEscalation} {
		if !templates[want] {
			t.Errorf("no %s was looked at", want)
		}
	}
	for _, d := range outside(all) {
		if d.Letter.ListID != "" {
			t.Errorf("a customer gets the List-Id %q", d.Letter.ListID)
		}
	}
}
