package tickets

import (
	"strings"
	"testing"
)

// A standard answer goes to the customer with one line, below the agent's own words, and may solve the ticket.
func TestSendStandardAnswer(t *testing.T) {
	k := newKit(t, func(r *Rules) {
		r.Standard = map[string]*StandardAnswer{
			"vpn-setup": {Name: "vpn-setup", Solve: true, Files: []File{{Name: "vpn.pdf", Type: "application/pdf", Data: []byte("PDF")}}},
			"vpn-reset": {Name: "vpn-reset"}, "hours": {Name: "hours"},
		}
	})
	id, sent := k.opened(kunde, "VPN", "geht nicht")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, wrong := range []string{"#send", "#send nothing", "#send vpn", "#note #send hours\nNOTE", "#send hours #send vpn-reset", "#send hours #schedule 2h"} {
		k.receive(k.reply(notice, anna, wrong))
		refused := k.deliver()
		mailTo(t, refused, anna, TemplateRefused)
		if toKunde(refused) != "" {
			t.Errorf("%q: the customer got %s", wrong, toKunde(refused))
		}
		k.expectState(id, StateNew)
	}
	k.receive(k.reply(notice, anna, "#send HOU\nGuten Tag, hier unsere Zeiten:"))
	told := k.afterUndo()
	mail := mailTo(t, told, kunde, TemplateStandard+"hours")
	mailTo(t, told, anna, TemplateReceipt)
	if !strings.Contains(mail.Letter.Text, "hier unsere Zeiten") || mail.Class != ClassAnswer || strings.Contains(mail.Letter.Text, "#send") {
		t.Errorf("%+v", mail.Letter)
	}
	k.expectState(id, StateOpen)
	if tk := k.ticket(id); tk.LastPublic == "" || tk.Assignee != anna {
		t.Errorf("%+v", tk)
	}
	k.receive(k.reply(notice, anna, "#solve #send vpn-s"))
	mail = mailTo(t, k.afterUndo(), kunde, TemplateStandard+"vpn-setup")
	if len(mail.Letter.Attached) != 1 || mail.Letter.Attached[0].Name != "vpn.pdf" {
		t.Errorf("files %v", mail.Letter.Attached)
	}
	k.expectState(id, StateSolved)
	used := 0
	for _, e := range k.entries(id) {
		if e.Kind == EntryAnswered && strings.HasPrefix(e.Template, TemplateStandard) {
			used++
		}
	}
	if used != 2 {
		t.Errorf("%d uses are recorded", used)
	}
	k.receive(k.reply(notice, anna, "#reopen"))
	k.receive(k.reply(notice, anna, "#send vpn-setup"))
	k.expectState(id, StateSolved)
	k.receive(k.reply(notice, anna, "#undo"))
	k.expectState(id, StateOpen)
	if got := toKunde(k.afterUndo()); got != "" {
		t.Errorf("after #undo the customer got %s", got)
	}
	k.healthy()
}
