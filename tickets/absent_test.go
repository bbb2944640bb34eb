package tickets

import (
	"testing"
	"time"
)

// An agent's own out-of-office note with a date sends their work to the team; the lead is told once.
func TestOutOfOfficeNote_S087(t *testing.T) {
	k := newKit(t, tiered)
	id, sent := k.opened(kunde, "VPN", words20)
	notice, ack := mailTo(t, sent, anna, TemplateTicketToTeam), mailTo(t, sent, kunde, TemplateAckNew)
	k.receive(k.reply(notice, anna, "#take"))
	receipt := mailTo(t, k.afterUndo(), anna, TemplateReceipt)
	k.expect(k.receive(k.reply(receipt, anna, "Ich bin bis 06.03. nicht im Büro.", autoReply)), Filed, id)
	if out := k.deliver(); len(out) != 0 {
		t.Errorf("S-087: the note made mails: %s", summary(out))
	}
	k.receive(k.reply(ack, kunde, "Geht es voran?"))
	out := k.deliver()
	mailTo(t, out, ben, TemplateCustomerReplied)
	mailTo(t, out, lea, TemplateAssigneeAbsent)
	if n := len(to(out, anna)); n != 0 {
		t.Errorf("anna is away and got %d mails", n)
	}
	k.receive(k.reply(ack, kunde, "Noch etwas."))
	if n := len(to(k.deliver(), lea)); n != 0 {
		t.Errorf("the lead is told %d times more", n)
	}
	if tk := k.ticket(id); tk.Assignee != anna {
		t.Errorf("the assignee is %q", tk.Assignee)
	}
	// New work goes to those who are there.
	_, sent = k.opened(kollegin, "Drucker", "kaputt")
	if n := len(to(sent, anna)); n != 0 {
		t.Errorf("anna is away and got %d mails of new work", n)
	}
	k.clock.move(5 * 24 * time.Hour) // Saturday, 7 March
	k.receive(k.reply(ack, kunde, "Und jetzt?"))
	mailTo(t, k.deliver(), anna, TemplateCustomerReplied)
	k.healthy()
}

// Nobody else can send an agent away: not with the agent's name, nor with a forged note.
func TestOnlyTheAgentIsAway(t *testing.T) {
	k := newKit(t, tiered)
	_, sent := k.opened(kunde, "VPN", words20)
	notice, ack := mailTo(t, sent, anna, TemplateTicketToTeam), mailTo(t, sent, kunde, TemplateAckNew)
	const text = "Ich bin bis 06.03. nicht im Büro."
	k.receive(k.mail(anna, "Abwesend", text, autoReply))             // to no mail of ours
	k.receive(k.reply(notice, anna, text, autoReply, forged))        //
	k.receive(k.reply(notice, stranger, text, autoReply))            // not from the agent
	k.receive(k.reply(ack, kunde, text, autoReply))                  // a customer's
	k.receive(k.reply(notice, anna, "Ich bin abwesend.", autoReply)) // without a date
	if away := k.leaves(); len(away) != 0 {
		t.Errorf("away: %+v", away)
	}
	k.healthy()
}

// #absent and #back say it by command, from any mail of the desk.
func TestAbsentAndBack(t *testing.T) {
	k := newKit(t, tiered)
	_, sent := k.opened(kunde, "VPN", words20)
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for text, want := range map[string]string{"#absent until 06.03.": "2026-03-07", "#absent bis Freitag": "2026-03-07", "#abwesend 6. März": "2026-03-07"} {
		k.receive(k.reply(notice, anna, text))
		mailTo(t, k.afterUndo(), anna, TemplateReceipt)
		away := k.leaves()
		if len(away) != 1 || away[0].Agent != anna || away[0].Until.Format(time.DateOnly) != want || away[0].By != "command" {
			t.Errorf("%q: %+v", text, away)
		}
	}
	k.receive(k.reply(notice, anna, "#absent irgendwann"))
	mailTo(t, k.afterUndo(), anna, TemplateRefused)
	k.receive(k.reply(notice, anna, "#back"))
	if away := k.leaves(); len(away) != 0 {
		t.Errorf("away: %+v", away)
	}
	k.healthy()
}

// When everybody is away, somebody is told all the same.
func TestEverybodyAway(t *testing.T) {
	k := newKit(t, tiered)
	_, sent := k.opened(kunde, "VPN", words20)
	for _, who := range []string{anna, ben} {
		k.receive(k.reply(mailTo(t, sent, who, TemplateTicketToTeam), who, "#absent until 06.03."))
	}
	k.afterUndo()
	_, sent = k.opened(kollegin, "Drucker", "kaputt")
	mailTo(t, sent, anna, TemplateTicketToTeam)
	mailTo(t, sent, ben, TemplateTicketToTeam)
	k.healthy()
}

func (k *kit) leaves() (list []Leave) {
	k.Helper()
	if err := k.store.View(func(tx *Tx) (err error) { list, err = tx.Leaves(k.clock.Now()); return err }); err != nil {
		k.Fatal(err)
	}
	return list
}
