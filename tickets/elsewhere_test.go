package tickets

import (
	"fmt"
	"strings"
	"testing"
)

// P5: what stands on somebody else's ticket, or in an old note, does not leave in an answer because an agent pasted it;
// the refusal names the ticket, and #post sends it all the same.
func TestPastedFromElsewhereIsRefused_S100(t *testing.T) {
	const (
		theirs  = "Unser Server im Keller ist seit gestern nicht mehr erreichbar, und die Lohnabrechnung steht deswegen still."
		note    = "Der Kunde hat die letzten drei Rechnungen nicht bezahlt und bekommt vorerst keinen Techniker mehr geschickt."
		phrase  = "Für Rückfragen stehen wir Ihnen selbstverständlich jederzeit gerne telefonisch und per Mail zur Verfügung."
		shout   = "Wir haben heute Nacht die Anlage im gesamten Haus wegen der Wartung der Stadtwerke abgeschaltet."
		already = "Bitte nehmen Sie das Gerät einmal ganz vom Strom, warten Sie zehn Sekunden und schalten Sie es wieder ein."
	)
	k := newKit(t, func(r *Rules) {
		r.Marks = Marks{Sentences: []string{"Ihre Antwort geht an den Kunden"}, Labels: []string{"Bearbeitung", "Priorität", "Team", "Status"}}
	})
	other, sent := k.opened("max@eins.example", "Server", theirs+"\n\n"+shout)
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#note\n"+note))
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, already+"\n\n"+phrase))
	k.opened("eva@zwei.example", "Strom", shout)
	k.afterUndo()
	id, sent := k.opened(kunde, "Drucker", "Der Drucker im Flur druckt seit heute früh nur noch leere Seiten, können Sie bitte einmal nachsehen?")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	number := k.ticket(other).Number
	for _, c := range []struct{ name, text, key, number string }{
		{"another customer's words", "Guten Tag,\n\n" + theirs + "\n\nGruß", "refused.elsewhere", number},
		{"wrapped anew", "Guten Tag,\n" + strings.ReplaceAll(theirs, " ist ", "\nist ") + "\nGruß", "refused.elsewhere", number},
		{"in quotes and capitals", "Dort steht: „" + strings.ToUpper(theirs) + "“", "refused.elsewhere", number},
		{"another ticket's note", "Es gilt: " + note, "refused.elsewhere", number},
		{"the first line of a notice", "Ihre Antwort geht an den Kunden (max@eins.example).\n\nDas Gerät kommt morgen.", "refused.notice", ""},
		{"the table of a notice", "Bitte sehr:\nStatus:      in Arbeit\nTeam:   Technik\nPriorität: P2", "refused.notice", ""},
		{"the table of a notice in HTML", "Status\tin Arbeit\n*Team*\nPriorität\tP2\nTeam\tTechnik", "refused.notice", ""},
	} {
		k.expect(k.receive(k.reply(notice, anna, c.text)), Appended, id)
		sent := k.afterUndo()
		if out := outside(sent); len(out) > 0 {
			t.Errorf("%s went out: %s", c.name, summary(out))
		}
		lines := linesOf(t, mailTo(t, sent, anna, TemplateRefused))
		if len(lines) != 1 || lines[0].Key != c.key || lines[0].Args["number"] != c.number || lines[0].Args["suggestion"] != "#post" {
			t.Errorf("%s: %+v", c.name, lines)
		}
	}
	for _, c := range []struct{ name, text string }{
		{"the desk's own phrase", "Das Gerät kommt morgen.\n\n" + phrase},
		{"what another customer was answered", already},
		{"the customer's own words", "> Der Drucker im Flur druckt seit heute früh nur noch leere Seiten, können Sie bitte einmal nachsehen?\n\nDas tun wir."},
		{"what several customers say", "Es ist so: " + shout},
		{"a few words in common", "Unser Server im Keller ist seit gestern wieder erreichbar."},
		{"one label", "Status: Das Gerät kommt morgen.\nTeam: Technik"},
	} {
		k.expect(k.receive(k.reply(notice, anna, c.text)), Appended, id)
		if out := outside(k.afterUndo()); len(out) != 1 {
			t.Errorf("%s was kept back: %s", c.name, summary(out))
		}
	}
	// Between the lines of the notice the desk's own words are left out, as ever.
	k.receive(k.reply(notice, anna, "> Ihre Antwort geht an den Kunden (x).\n> > Der Drucker im Flur druckt seit heute früh nur noch leere Seiten,\n\nIst das Papier leer?\n\n> Status: in Arbeit\n> Team: a\n> Priorität: P3"))
	if out := outside(k.afterUndo()); len(out) != 1 || strings.Contains(string(out[0].Bytes), "Team: a") {
		t.Errorf("an answer between the lines: %s", summary(out))
	}
	k.receive(k.reply(notice, anna, theirs))
	refusal := mailTo(t, k.afterUndo(), anna, TemplateRefused)
	k.receive(k.reply(refusal, anna, "#post"))
	if out := outside(k.afterUndo()); len(out) != 1 {
		t.Errorf("#post does not send it: %s", summary(out))
	}
	k.healthy()
}

// An old note of the same ticket is one too, and so is what a summary of a call says.
func TestPastedFromOldNotesAndInSummaries_S105(t *testing.T) {
	const note = "Der Kunde hat die letzten drei Rechnungen nicht bezahlt und bekommt vorerst keinen Techniker mehr geschickt."
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.did(notice, anna, "#note\n"+note)
	for i := range 20 {
		k.did(notice, anna, fmt.Sprintf("#note\nPunkt %d", i))
	}
	k.expect(k.receive(k.reply(notice, anna, "Guten Tag, "+strings.ReplaceAll(note, "nicht bezahlt", "nicht\nbezahlt"))), Appended, id)
	all := k.afterUndo()
	if lines := linesOf(t, mailTo(t, all, anna, TemplateRefused)); len(outside(all)) > 0 || lines[0].Key != "refused.leak" {
		t.Errorf("%+v; %s", lines, summary(outside(all)))
	}
	k.did(notice, anna, "#note\n"+note)
	_, _, sent = k.asks(anna, "Anruf", "#for "+kollegin+"\n"+note)
	if out := outside(sent); len(out) != 1 || strings.Contains(string(out[0].Bytes), "Rechnungen") {
		t.Errorf("the summary of a call holds a note: %s", summary(out))
	}
	k.healthy()
}

// What an answer costs on a desk with many tickets.
func BenchmarkElsewhere(b *testing.B) {
	k := newKit(b)
	for i := range 300 {
		k.opened(fmt.Sprintf("kunde%d@eins.example", i), "Betreff", strings.Repeat(fmt.Sprintf("Das %d ist ein Satz mit einigen Wörtern über Gerät %d und sonst nichts. ", i, i*7), 20))
	}
	m := k.mail(anna, "Antwort", strings.Repeat("Bitte schalten Sie das Gerät aus, warten Sie etwas und schalten Sie es dann wieder ein. ", 8))
	for b.Loop() {
		if err := k.store.View(func(tx *Tx) error { return tx.knowElsewhere(&Known{}, k.desk.Rules(), m) }); err != nil {
			b.Fatal(err)
		}
	}
}
