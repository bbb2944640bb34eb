package tickets

import (
	"strings"
	"testing"
)

func TestQuotesOf(t *testing.T) {
	said := []string{"Frage eins: wann öffnen Sie?\n\nFrage zwei: was kostet\ndie Tür?"}
	for name, c := range map[string]struct{ text, want string }{
		"nothing quoted":               {"Um acht Uhr.\n\n\nGruß", "Um acht Uhr.\n\n\nGruß"},
		"the agent's own lines with >": {"Bitte eingeben:\n\n> ipconfig /all\n", "Bitte eingeben:\n\n> ipconfig /all\n"},
		"between the lines of a notice": {
			"> Ihre Antwort geht an den Kunden.\n> --- oberhalb ---\n>\n> > Frage eins: wann öffnen Sie?\n\nUm acht.\n\n> > Frage zwei: was\n>> kostet die Tür?\n\n300 Euro.\n\n" +
				"> Das Ticket:\n> Bearbeitung: anna@staff.example\n>\n> Zuletzt:\n> - ben@staff.example: GEHEIM\n\nGruß",
			"> Frage eins: wann öffnen Sie?\n\nUm acht.\n\n> Frage zwei: was\n> kostet die Tür?\n\n300 Euro.\n\nGruß",
		},
	} {
		if got := quotesOf(c.text, said); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, c.want)
		}
	}
}

// S-100, P5: an agent who answers between the lines of a notice, and once more at its end, quotes notes and colleagues.
func TestInlineAnswersQuoteNoNotice_S100(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Fragen", "Frage eins?\nFrage zwei?")
	m := k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna,
		"> > Frage eins?\n\nJa.\n\n> > Frage zwei?\n\nNein.\n\n> Zuletzt:\n> - "+ben+": CANARY der Kunde ist schwierig\n\nGruß")
	k.expect(k.receive(m), Appended, id)
	out := outside(k.afterUndo())
	absentFrom(t, out, "CANARY")
	absentFrom(t, out, ben)
	if answer := mailTo(t, out, kunde, TemplateAgentReply).Letter.Text; !strings.Contains(answer, `Frage eins?\n\nJa.`) {
		t.Errorf("the answer: %s", answer)
	}
	k.healthy()
}

// The notice of a participant's mail has the participant's name, never the requester's.
func TestNoticeNamesWhoWrote(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice, ack := mailTo(t, sent, anna, TemplateTicketToTeam), mailTo(t, sent, kunde, TemplateAckNew)
	k.expect(k.receive(k.reply(ack, kollegin, "Bei mir auch.", func(m *Message) { m.From[0].Name = "Kim Kollegin" })), Quarantined, id)
	k.deliver()
	k.expect(k.receive(k.reply(notice, anna, "#admit 1")), Appended, id)
	if name := mailTo(t, k.afterUndo(), anna, TemplateCustomerReplied).Letter.From.Name; !strings.HasPrefix(name, "Kim Kollegin (") {
		t.Errorf("the notice is from %q", name)
	}
	k.healthy()
}

// An empty reply, with the notice quoted as clients do or with a signature only, goes to nobody.
func TestEmptyRepliesSayNothing_S100(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"quote":               {"> Ihre Antwort geht an den Kunden.\n>\n> CANARY", true},
		"introduced quote":    {"Am 22.11.26 um 01:05 schrieb K (Huber Service)\n<d@desk.example>:\n\n> CANARY\n>> kaputt", true},
		"signature":           {"--\nAnna", true},
		"text":                {"Neu starten.", false},
		"text below a quote":  {"Am 22.11.26 schrieb K:\n> kaputt\n\nNeu starten.", false},
		"text above a quote":  {"Neu starten.\n\n> kaputt", false},
		"the agent's command": {"Bitte eingeben:\n> ipconfig", false},
		"nothing":             {"", false},
	} {
		if got := nothingNew(c.text); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if !c.want {
			continue
		}
		k := newKit(t)
		id, sent := k.opened(kunde, "Drucker", "kaputt")
		k.expect(k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, c.text)), Appended, id)
		sent = k.afterUndo()
		mailTo(t, sent, anna, TemplateRefused)
		if out := outside(sent); len(out) > 0 {
			t.Errorf("%s went out: %s", name, summary(out))
		}
	}
}

// S-105: an answer that carries a line of a note, or a reply address, is refused whole: the client quoted the notice
// without any mark.
func TestLeakIsRefused(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "druckt nicht")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#note\nDer Kunde hat die Wartung seit drei Monaten nicht bezahlt."))
	k.deliver()
	for _, text := range []string{
		"Guten Tag,\nwir kommen morgen.\n\nZuletzt\nDer Kunde hat die Wartung seit drei   Monaten nicht bezahlt.",
		"Bitte an " + notice.Letter.ReplyTo.Mail + " schreiben.",
	} {
		k.receive(k.reply(notice, anna, text))
		all := k.afterUndo()
		absentFrom(t, to(all, kunde), "Wartung")
		if n := len(to(all, kunde)); n != 0 {
			t.Errorf("%d mails to the customer after %q", n, text)
		}
		mailTo(t, all, anna, TemplateRefused)
	}
	k.receive(k.reply(notice, anna, "Wir kommen morgen."))
	if len(to(k.afterUndo(), kunde)) != 1 {
		t.Error("an answer without a leak does not leave")
	}
	k.expectState(id, StateOpen)
}
