package tickets

import (
	"strings"
	"testing"
	"time"

	"supportd/tickets/clock"
)

// An appointment goes to the customer as a text and as a calendar entry; when the date comes the ticket is open again.
func TestAppointment(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Bildschirm; flackert, oft", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	day := k.clock.Now().AddDate(0, 0, 3).Format(time.DateOnly)
	k.receive(k.reply(notice, anna, "#schedule "+day+" 14:00\nIch komme vorbei und tausche ihn."))
	tk := k.ticket(id)
	if tk.State != StateScheduled || tk.ScheduledAt.Format("2006-01-02 15:04") != day+" 14:00" || tk.Assignee != anna {
		t.Fatalf("%+v", tk)
	}
	told := k.afterUndo()
	mailTo(t, told, anna, TemplateReceipt)
	mail := mailTo(t, told, kunde, TemplateAppointment)
	if toKunde(told) != TemplateAppointment || len(mail.Letter.Attached) != 1 || !strings.Contains(mail.Letter.Text, "tausche ihn") {
		t.Fatalf("the customer got %s, with %d files", toKunde(told), len(mail.Letter.Attached))
	}
	entry := string(mail.Letter.Attached[0].Data)
	for _, want := range []string{"METHOD:PUBLISH\r\n", "DTSTART:" + tk.ScheduledAt.Format("20060102T150405Z") + "\r\n", `SUMMARY:Bildschirm\; flackert\, oft [NW-`, "END:VCALENDAR\r\n"} {
		if !strings.Contains(entry, want) {
			t.Errorf("the calendar entry lacks %q:\n%s", want, entry)
		}
	}
	k.receive(k.reply(mail, kunde, "Ja!"))
	if tk = k.ticket(id); !tk.Agreed || tk.State != StateScheduled || tk.LastCustomer != "kaputt" {
		t.Errorf("%+v", tk)
	}
	mailTo(t, k.deliver(), anna, TemplateCustomerReplied)
	if c, ok := tk.clock(clock.Resolve, nil); !ok || c.State(k.clock.Now()) != "paused" {
		t.Errorf("with an agreed date the promised time is %s", c.State(k.clock.Now()))
	}
	// Moved: the customer has not agreed to the new date.
	later := k.clock.Now().AddDate(0, 0, 5).Format(time.DateOnly)
	k.receive(k.reply(notice, anna, "#termin "+later+" 9:00"))
	if tk = k.ticket(id); tk.Agreed || tk.ScheduledAt.Format(time.DateOnly) != later {
		t.Errorf("%+v", tk)
	}
	if c, _ := tk.clock(clock.Resolve, nil); c.State(k.clock.Now()) != "running" {
		t.Errorf("with a date that nobody agreed to the promised time is %s", c.State(k.clock.Now()))
	}
	k.afterUndo()
	k.clock.move(tk.ScheduledAt.Sub(k.clock.Now()) - time.Second)
	k.tick()
	k.expectState(id, StateScheduled)
	k.clock.move(time.Second)
	k.reopen()
	k.tick()
	k.tick()
	k.expectState(id, StateOpen)
	mailTo(t, k.deliver(), anna, TemplateAppointmentNow)
	k.healthy()
}

// A customer who writes more than yes to an appointment is read by a person; a date that is none is refused.
func TestAppointmentIsNotAgreed(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Bildschirm", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, wrong := range []string{"#schedule", "#schedule irgendwann", "#schedule 2020-01-01", "#note #schedule morgen 9:00\nintern"} {
		k.receive(k.reply(notice, anna, wrong))
		mailTo(t, k.deliver(), anna, TemplateRefused)
		k.expectState(id, StateNew)
	}
	k.receive(k.reply(notice, anna, "#schedule morgen 14:00"))
	mail := mailTo(t, k.afterUndo(), kunde, TemplateAppointment)
	k.receive(k.reply(mail, kunde, "Ja, aber lieber am Freitag."))
	k.expectState(id, StateOpen)
	k.healthy()
}

func TestFolded(t *testing.T) {
	long := "SUMMARY:" + strings.Repeat("äöü", 60)
	got := folded(long)
	for _, line := range strings.Split(got, "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line of %d octets", len(line))
		}
	}
	if strings.ReplaceAll(got, "\r\n ", "") != long {
		t.Errorf("folded to %q", got)
	}
}
