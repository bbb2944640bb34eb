package tickets

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Of one sender, further mails than allowed join their newest ticket and nobody is told; other senders are not concerned, nor are
// mails after the time.
func TestFloodJoinsOneTicket(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Spam = SpamPolicy{PerSender: 3, Within: time.Hour} })
	var last TicketID
	for i := range 3 {
		last, _ = k.opened(kunde, "Frage "+strings.Repeat("x", i), "Nummer "+strings.Repeat("y", i))
	}
	out := k.receive(k.mail(kunde, "Noch etwas", "ganz anderes"))
	k.expect(out, Appended, last)
	if sent := k.deliver(); len(sent) != 0 {
		t.Errorf("told: %s", summary(sent))
	}
	entries := k.entries(last)
	if e := entries[len(entries)-1]; e.Kind != EntryReceived || e.Text != "ganz anderes" || !strings.Contains(e.Detail, "3 tickets within 1h0m0s") {
		t.Errorf("%+v", e)
	}
	if out := k.receive(k.mail(kunde, "Gefälscht", "Nummer vier", unauthenticated)); out.Result != Created {
		t.Errorf("S-089 an unauthenticated mail joined an authenticated ticket: %+v", out)
	}
	if out := k.receive(k.mail(stranger, "Hallo", "von anderswo")); out.Result != Created {
		t.Errorf("another sender: %+v", out)
	}
	k.clock.move(2 * time.Hour)
	if out := k.receive(k.mail(kunde, "Später", "am Nachmittag")); out.Result != Created {
		t.Errorf("after the time: %+v", out)
	}
	k.healthy()
}

// S-143: what the admin blocks is named in the notice as not passed on, and goes with no mail.
func TestBlockedAttachments(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Spam = SpamPolicy{Blocked: []string{"lnk", "iso"}} })
	m := k.mail(kunde, "Anhang", "siehe dort", func(m *Message) {
		m.Attachments = []Attachment{{Name: "Rechnung.LNK", Type: "application/octet-stream", Size: 3}, {Name: "bild.png", Type: "image/png", Size: 3}}
		k.files[m.ID] = []File{{Name: "Rechnung.LNK", Data: []byte("lnk")}, {Name: "bild.png", Data: []byte("png")}}
	})
	k.receive(m)
	notice := mailTo(t, k.deliver(), anna, TemplateTicketToTeam)
	if len(notice.Letter.Attached) != 1 || notice.Letter.Attached[0].Name != "bild.png" {
		t.Errorf("carried %+v", notice.Letter.Attached)
	}
	if v := shown(t, notice); len(v.Attachments) != 2 || !slices.Contains(v.Warnings, "Rechnung.LNK") {
		t.Errorf("shown %+v, warnings %q", v.Attachments, v.Warnings)
	}
	k.healthy()
}

// The list of what is held comes once a day at its time, while anything is held, also over a restart and a change of the time.
func TestDailyListOfHeldMail(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Spam = SpamPolicy{ListTo: lea, ListAt: 8*time.Hour + 30*time.Minute} })
	start := func() {
		t.Helper()
		if err := k.desk.ScheduleDaily(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lists := func() (n int) {
		t.Helper()
		k.tick()
		for _, d := range to(k.deliver(), lea) {
			if d.Template == TemplateHealth {
				if v := shown(t, d); v.Lines[0].Key != "held.list" || v.Lines[1].Args["from"] != stranger || v.Language != "de" {
					t.Errorf("%+v", v.Lines)
				}
				n++
			}
		}
		return n
	}
	start()
	k.clock.move(24 * time.Hour) // 09:00 of the next day; nothing was held
	if n := lists(); n != 0 {
		t.Errorf("%d lists of nothing", n)
	}
	k.receive(k.mail(stranger, "Gewinn", "Sie haben gewonnen", with(fieldQuarantine, "marked as spam")))
	start()
	k.reopen()
	start()
	if n := lists(); n != 0 {
		t.Errorf("%d lists before their time", n)
	}
	k.clock.move(24 * time.Hour)
	if n := lists(); n != 1 {
		t.Errorf("%d lists on the next day, want 1", n)
	}
	r := *k.rules
	r.Spam.ListAt = 12 * time.Hour
	k.desk.SetRules(&r)
	start()
	k.clock.move(5 * time.Hour) // after the new time, of a day that had its list
	if n := lists(); n != 0 {
		t.Errorf("%d lists more on the same day", n)
	}
	k.clock.move(22 * time.Hour)
	if n := lists(); n != 1 {
		t.Errorf("%d lists after the change of the time, want 1", n)
	}
	k.healthy()
}
