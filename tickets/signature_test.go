package tickets

import (
	"encoding/json"
	"strings"
	"testing"
)

// The signature of whoever answers goes out in the customer's language; who has none in it is named as ever.
func TestSignatureInTheCustomersLanguage(t *testing.T) {
	k := newKit(t, func(r *Rules) {
		a := r.Agents[anna]
		a.Signature = map[string]string{"de": "Anna A.\nNetzwerk"}
		r.Agents[anna] = a
	})
	for language, want := range map[string]string{"de": "Anna A.\nNetzwerk", "en": ""} {
		from := language + "@customer.example"
		out := k.receive(k.mail(from, "Drucker "+language, "Er druckt nicht: "+language, func(m *Message) { m.Language.Code = language }))
		notice := mailTo(t, k.deliver(), anna, TemplateTicketToTeam)
		k.receive(k.reply(notice, anna, "Bitte neu starten."))
		k.receive(k.reply(notice, anna, "#solve"))
		mails := k.afterUndo()
		for _, template := range []string{TemplateAgentReply, TemplateSolved} {
			v := publicViewOf(t, mails, from, template)
			if v.Signature != want || v.Agent != "Anna Agentin" {
				t.Errorf("%s in %s is signed %q by %q, want %q", template, language, v.Signature, v.Agent, want)
			}
		}
		if text := k.ticket(out.Ticket).LastPublic; strings.Contains(text, "Netzwerk") {
			t.Errorf("the signature became a part of the answer: %q", text)
		}
	}
}

func publicViewOf(t *testing.T, all []delivered, address, template string) (v PublicView) {
	t.Helper()
	if err := json.Unmarshal([]byte(mailTo(t, all, address, template).Letter.Text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
