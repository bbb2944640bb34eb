package tickets

import (
	"slices"
	"strings"
	"testing"
)

// What a mail says is not asked, in German and in English; what cannot be told counts as not said.
func TestWhatAMailSays(t *testing.T) {
	for _, c := range []struct{ name, says, not string }{
		{"device", "Notebook NB-0042 startet nicht", "Mein Notebook startet nicht"},
		{"error_text", "Es erscheint „Verbindung zum Server verloren“.", "Es kommt eine Fehlermeldung."},
		{"error_text", "It fails with error 0x80070035", "It fails with an error"},
		{"location", "Der Drucker im Raum 2.14 ist leer", "Der Drucker ist leer"},
		{"location", "We are on the second floor", "We cannot print"},
		{"since_when", "Seit gestern geht nichts", "Es geht nichts"},
		{"since_when", "It stopped this morning", "It has stopped"},
		{"version", "Kontor Version 4.2 stürzt ab", "Kontor stürzt ab"},
		{"version", "We run release 12", "We run the latest"},
		{"steps", "Wenn ich auf Buchen klicke, stürzt es ab", "Es stürzt ab"},
		{"affected", "Alle im Büro sind betroffen", "Das VPN geht nicht"},
		{"affected", "Only me, it seems", "The VPN is down"},
		{"deadline", "Bitte bis Freitag", "Bitte einrichten"},
		{"deadline", "We need it by Monday", "We need it"},
		{"phone", "Rufen Sie an:\n+49 40 123456-78", "Rufen Sie an"},
	} {
		q := questions[slices.IndexFunc(questions, func(q question) bool { return q.name == c.name })]
		if !q.given(&Message{Reply: c.says}) {
			t.Errorf("%s is asked, though the mail says %q", c.name, c.says)
		}
		if q.given(&Message{Reply: c.not}) {
			t.Errorf("%s is not asked, though the mail says only %q", c.name, c.not)
		}
	}
	picture := &Message{Reply: "Siehe Bild", Attachments: []Attachment{{Name: "schirm.png", Type: "image/png"}}}
	r := &Rules{Questions: map[string][]string{"x": {"screenshot", "error_text"}, "y": Questions()}}
	if got := r.missing("x", picture); len(got) != 0 {
		t.Errorf("asked for %v beside a picture", got)
	}
	if got := r.missing("x", &Message{Reply: "Logo", Attachments: []Attachment{{Name: "logo.png", Type: "image/png", Inline: true}}}); len(got) != 2 {
		t.Errorf("a logo counts as a picture of the screen: %v", got)
	}
	if got := r.missing("y", &Message{Reply: "Hilfe"}); len(got) != maxAsked {
		t.Errorf("asked for %v at once", got)
	}
}

// An acknowledgement asks for what is missing, once: not in what follows, not of who may be forged, and not beside an automatic
// answer. The team is told what was asked, and the answer is a mail on the ticket like any other. S-065
func TestAcknowledgementAsks_S065(t *testing.T) {
	ask := func(r *Rules) {
		printerRules(r)
		r.Questions = map[string][]string{"hardware.printer": {"device", "error_text", "location"}}
	}
	k := newKit(t, ask)
	id, sent := k.opened(kunde, "Drucker im Empfang", "Er druckt nicht.")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	if !strings.Contains(ack.Letter.Text, `"Questions":["device","error_text"]`) {
		t.Errorf("the acknowledgement: %s", ack.Letter.Text)
	}
	if v := viewOf(t, mailTo(t, sent, anna, TemplateTicketToTeam)); !slices.ContainsFunc(v.Suggestions, func(l Line) bool {
		return l.Key == "suggest.asked" && l.Args["asked"] == "device, error_text"
	}) {
		t.Errorf("the team is not told what was asked: %+v", v.Suggestions)
	}
	k.expect(k.receive(k.reply(ack, kunde, "1. PR-0231\n2. Papierstau")), Appended, id)
	mailTo(t, k.deliver(), anna, TemplateCustomerReplied)
	if last := k.ticket(id).LastCustomer; last != "1. PR-0231\n2. Papierstau" {
		t.Errorf("the answer on the ticket: %q", last)
	}
	k.expect(k.receive(k.reply(ack, kunde, "Noch etwas: Er steht im Empfang.")), Appended, id)
	if out := outside(k.deliver()); len(out) > 0 {
		t.Errorf("the customer got %s", summary(out))
	}
	k.healthy()

	for name, change := range map[string]func(*Message){"forged or not, nobody knows": unauthenticated, "automatic answer": with(fieldAutoAnswer, "vpn")} {
		k := newKit(t, ask)
		k.receive(k.mail(kunde, "Drucker", "Er druckt nicht.", change))
		if d := outside(k.deliver())[0]; !strings.Contains(d.Letter.Text, `"Questions":null`) {
			t.Errorf("%s: %s asks: %s", name, d.Template, d.Letter.Text)
		}
	}
}
