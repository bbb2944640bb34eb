package tickets

import (
	"testing"
	"time"
)

// An automatic answer that solves: nobody of the team is told, the customer's next mail opens the ticket again, and the books are
// the same as ever. What is most urgent, unproven or over the bound is for people.
func TestAutomaticAnswerThatSolves(t *testing.T) {
	solves := func(r *Rules) {
		a := r.Answers["vpn"]
		a.Solves = true
		r.Answers["vpn"] = a
	}
	k := newKit(t, solves)
	id := k.receive(k.mail(kunde, "VPN", "Wie geht das VPN?", with(fieldAutoAnswer, "vpn"))).Ticket
	sent := k.deliver()
	if len(sent) != 1 {
		t.Fatalf("sent: %s", summary(sent))
	}
	answer := mailTo(t, sent, kunde, TemplateAutoAnswer)
	k.expectState(id, StateSolved)
	if got := k.ticket(id); got.Resolution != "So geht das VPN." || got.ResolutionCode != "automatic" {
		t.Errorf("resolution %q, code %q", got.Resolution, got.ResolutionCode)
	}
	k.expect(k.receive(k.reply(answer, kunde, "Das hat nicht geholfen.")), Appended, id)
	k.expectState(id, StateOpen)
	mailTo(t, k.deliver(), anna, TemplateCustomerReplied)
	k.healthy()

	for name, change := range map[string]func(*Message){"unauthenticated": unauthenticated, "automatic mail": with(fieldNoAnswer, "bulk")} {
		k := newKit(t, solves)
		id := k.receive(k.mail(kunde, "VPN", "Wie geht das VPN?", with(fieldAutoAnswer, "vpn"), change)).Ticket
		k.expectState(id, StateNew)
		if sent := k.deliver(); len(k.sentTo(sent, TemplateTicketToTeam)) == 0 {
			t.Errorf("%s: nobody of the team was told: %s", name, summary(sent))
		}
	}
	k = newKit(t, solves, func(r *Rules) { r.Major.Match = func(*Ticket) bool { return true } })
	k.expectState(k.receive(k.mail(kunde, "VPN", "Alle ohne VPN", with(fieldAutoAnswer, "vpn"))).Ticket, StateNew)
}

// One sender gets so many automatic answers in a time; after that acknowledgements, until the time is over. S-058
func TestAutomaticAnswersPerSender_S058(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Help = Help{PerSender: 2, Within: 24 * time.Hour} })
	for i, want := range []string{TemplateAutoAnswer, TemplateAutoAnswer, TemplateAckNew, TemplateAckNew} {
		k.receive(k.mail(kunde, "VPN "+itoa(i), "Frage "+itoa(i), with(fieldAutoAnswer, "vpn")))
		mailTo(t, k.deliver(), kunde, want)
		k.clock.move(time.Hour)
	}
	k.receive(k.mail(kollegin, "VPN", "Noch eine Frage", with(fieldAutoAnswer, "vpn")))
	mailTo(t, k.deliver(), kollegin, TemplateAutoAnswer)
	k.clock.move(22 * time.Hour)
	k.receive(k.mail(kunde, "VPN wieder", "Frage am nächsten Tag", with(fieldAutoAnswer, "vpn")))
	mailTo(t, k.deliver(), kunde, TemplateAutoAnswer)
	k.healthy()
}
