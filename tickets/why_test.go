package tickets

import (
	"strings"
	"testing"
)

// #why tells why the desk decided as it did; the answer stays inside.
func TestWhy(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, ask := range []string{"#why", "#warum " + k.ticket(id).Number} {
		k.receive(k.reply(notice, anna, ask))
		answer := k.deliver()
		receipt := mailTo(t, answer, anna, TemplateReceipt)
		if len(answer) != 1 || !strings.Contains(receipt.Letter.Text, "why.reason") || !strings.Contains(receipt.Letter.Text, "the test says so") {
			t.Errorf("%s: sent %s: %s", ask, summary(answer), receipt.Letter.Text)
		}
	}
	k.receive(k.reply(notice, anna, "#why NW-2026-999999"))
	mailTo(t, k.deliver(), anna, TemplateRefused)
	k.healthy()
}

// What one customer wrote is not quoted to the next requester.
func TestNewRequesterSeesNothingOfTheOldOne(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "GEHEIM von früher")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#requester neu@other.example"))
	k.receive(k.reply(notice, anna, "Guten Tag, es geht um Ihren Drucker."))
	for _, m := range k.afterUndo() {
		if m.Recipient == "neu@other.example" && strings.Contains(string(m.Bytes), "GEHEIM") {
			t.Errorf("%s to the new requester quotes the old one: %s", m.Template, m.Letter.Text)
		}
	}
	k.healthy()
}
