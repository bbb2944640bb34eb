package tickets

import (
	"strings"
	"testing"
	"time"
)

const peerAck = "Guten Tag, vielen Dank für Ihre Nachricht. Ihre Anfrage wurde unter der Nummer 4711 registriert, wir melden uns in Kürze."

// S-061: mail of nearly the same text that follows automatic answers joins the second ticket of its kind, once told to the
// admin; what a person may have sent does not.
func TestAnsweredByAMachine_S061(t *testing.T) {
	attached := func(m *Message) { m.Attachments = []Attachment{{Name: "beleg.pdf", Type: "application/pdf", Size: 9}} }
	for _, c := range []struct {
		name   string
		text   func(n int) string
		gap    time.Duration
		change []func(*Message)
		joins  bool
	}{
		{"the same text with another number", func(n int) string { return strings.Replace(peerAck, "4711", itoa(4711+n), 1) }, time.Minute, nil, true},
		{"an hour between", func(int) string { return peerAck }, time.Hour, nil, true},
		{"unauthenticated", func(int) string { return peerAck }, time.Minute, []func(*Message){unauthenticated}, true},
		{"few words", func(int) string { return "Siehe Anhang. Gruß, Sabine" }, time.Minute, nil, false},
		{"files", func(int) string { return peerAck }, time.Minute, []func(*Message){attached}, false},
		{"other words", func(n int) string {
			return strings.Repeat("Das Gerät "+strings.Repeat("x", n+1)+" geht nicht mehr, bitte prüfen Sie das. ", 1) + strings.Repeat("y", n)
		}, time.Minute, nil, false},
		{"too long after the answer", func(int) string { return peerAck }, 3 * time.Hour, nil, false},
		{"before the answer", func(int) string { return peerAck }, 0, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			var results []string
			alerts := 0
			for n := range 5 {
				m := k.mail("desk@peer.example", "Ticket "+itoa(n), c.text(n), c.change...)
				results = append(results, string(k.receive(m).Result))
				for _, d := range k.deliver() {
					if d.Template == TemplateHealth {
						alerts++
					}
				}
				k.clock.move(c.gap)
			}
			got := strings.Join(results, " ")
			if want := "created created appended appended appended"; (got == want) != c.joins || (alerts == 1) != c.joins {
				t.Errorf("%s, %d alerts; want joined %t", got, alerts, c.joins)
			}
			k.healthy()
		})
	}
}

// S-061: after three automatic answers that each brought a mail within minutes there is no fourth, until there is a pause;
// for a day there is none to who was found to be a machine, whatever it writes.
func TestPaceOfAnswers_S061(t *testing.T) {
	k := newKit(t)
	answered := func(from, text string) bool {
		if out := k.receive(k.mail(from, text, text)); out.Result != Created {
			t.Fatalf("%q: %+v", text, out)
		}
		return len(outside(k.deliver())) == 1
	}
	for n, want := range []bool{true, true, true, false, false} {
		if got := answered(kunde, "Frage "+strings.Repeat("x", n)); got != want {
			t.Errorf("mail %d answered %t, want %t", n+1, got, want)
		}
		k.clock.move(time.Minute)
	}
	k.clock.move(10 * time.Minute)
	if !answered(kunde, "nach einer Pause") {
		t.Error("no answer after a pause")
	}
	for range 3 {
		k.receive(k.mail("desk@peer.example", "Ticket", peerAck))
		k.deliver()
		k.clock.move(30 * time.Minute)
	}
	if answered("desk@peer.example", "etwas ganz anderes") {
		t.Error("a machine got an answer")
	}
	k.clock.move(24 * time.Hour)
	if !answered("desk@peer.example", "am nächsten Tag") {
		t.Error("no answer on the next day")
	}
	k.healthy()
}
