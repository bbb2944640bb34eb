package tickets

import (
	"testing"
)

// Sentences that are thanks and nothing more: the ticket stays solved.
var thanksOnly = []string{
	"Danke!", "Vielen Dank!", "Danke, das war's.", "Herzlichen Dank für die schnelle Hilfe!", "Super, danke!", "Danke schön", "Dankeschön!",
	"Danke, klappt jetzt.", "Es geht wieder, danke!", "Danke, funktioniert wieder.", "Besten Dank und schönes Wochenende", "Perfekt, vielen Dank!",
	"Merci vielmals", "Dank Ihnen läuft der Drucker.", "Danke, alles gut.", "Prima, danke für die Mühe", "Danke dir!", "DANKE", "Tausend Dank",
	"Hat geklappt, danke", "Danke und Gruß\nKunde",
	"Thanks!", "Thank you!", "Thank you very much for your help.", "Thanks, that worked.", "Great, thanks!", "Many thanks", "Works again, thanks!",
	"Thanks, all good.", "Perfect, thank you so much!", "thx", "Thanks again!", "Thank you, it works now.", "Cheers, that fixed it.", "Awesome, thanks a lot!",
	"Thank you, have a nice day", "Thanks, it is working fine", "Brilliant, thank you", "Thanks for the quick reply!", "Much appreciated, thanks",
	"Thank you again for everything", "THANK YOU",
}

// Sentences that look like thanks and are more: the ticket has to reopen.
var thanksAndMore = []string{
	"Danke, aber es geht noch nicht.", "Danke, leider ohne Erfolg, geht nicht.", "Danke. Wann kommt der Techniker?", "Trotzdem danke", "Danke, nur druckt er jetzt alles doppelt.",
	"Danke, das Problem ist wieder da.", "Danke, der Fehler kommt wieder.", "Danke, jetzt habe ich eine neue Fehlermeldung", "Danke, bitte noch den zweiten Drucker prüfen.",
	"Danke, jedoch fehlt ein Dokument", "Nein danke, das hilft mir nicht.", "Danke für nichts.", "Danke, keine Änderung.", "Es geht nicht.", "Läuft.", "", "Ok",
	"Danke! Könnten Sie mir auch sagen, wie ich das VPN auf meinem zweiten Gerät zu Hause einrichte", "Danke, der Drucker ist kaputt", "Danke. Außer dem Scanner.",
	"Danke, wieder dasselbe", "Danke im Voraus, bitte melden",
	"Thanks, but it still fails.", "Thanks, it doesn't work.", "Thank you. When will it be done?", "Thanks, however the scanner is broken", "Thanks, the error is back",
	"Thanks, not yet.", "No thanks", "Thanks, it happened again", "Thank you, but no.", "Thanks, still waiting", "Thanks, I can't log in", "Thanks, same problem",
	"Thanks, except for the printer", "Thank you, please also check the other one", "Thanks. It isn't fixed", "Works.", "It failed", "Thank you, unfortunately it is slow",
	"Thanks, now I get another error", "Thank you for nothing never worked", "Thanks, yet the fan is loud", "Thanks, won't start",
	"Thanks, cannot print", "Thanks, it didn’t help", "Thanks, and could you tell me how the new telephone in the meeting room on floor three works",
}

func TestThanks(t *testing.T) {
	if len(thanksOnly) < 40 || len(thanksAndMore) < 40 {
		t.Fatalf("%d and %d sentences", len(thanksOnly), len(thanksAndMore))
	}
	for _, s := range thanksOnly {
		if !isThanks(&Message{Reply: s}) {
			t.Errorf("%q is thanks and nothing more", s)
		}
	}
	for _, s := range thanksAndMore {
		if isThanks(&Message{Reply: s}) {
			t.Errorf("%q is more than thanks", s)
		}
	}
	if isThanks(&Message{Reply: "Danke!", Attachments: []Attachment{{Name: "a.pdf"}}}) {
		t.Error("thanks with a file is more than thanks")
	}
	if !isThanks(&Message{Reply: "Danke!", Attachments: []Attachment{{Name: "logo.png", Inline: true}}}) {
		t.Error("thanks with a logo is thanks")
	}
}

func TestThanksDoesNotReopen(t *testing.T) {
	k := newKit(t)
	id, answer, _ := solved(k)
	k.expect(k.receive(k.reply(answer, kunde, "Vielen Dank!")), Appended, id)
	if tk := k.ticket(id); tk.State != StateSolved || !tk.Confirmed || tk.Reopened != 0 {
		t.Errorf("%+v", tk)
	}
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("sent %s", summary(sent))
	}
	k.expect(k.receive(k.reply(answer, kunde, "Danke, aber es geht noch nicht.")), Appended, id)
	if tk := k.ticket(id); tk.State != StateOpen || tk.Confirmed || tk.Reopened != 1 || !tk.SolvedAt.IsZero() {
		t.Errorf("%+v", tk)
	}
	mailTo(t, k.deliver(), anna, TemplateCustomerReplied)
	k.healthy()
}
