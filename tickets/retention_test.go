package tickets

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPeriods(t *testing.T) {
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct {
		p          Period
		start, end string
	}{
		{Period{Months: 36}, "2026-11-22", "2029-11-22"}, {Period{Years: 6}, "2024-02-29", "2030-02-28"}, {Period{Days: 30}, "2026-12-15", "2027-01-14"},
		{Period{Months: 1}, "2026-01-31", "2026-02-28"}, {Period{Months: 13}, "2026-11-30", "2027-12-30"},
	} {
		if got := c.p.After(day(c.start)); !got.Equal(day(c.end)) {
			t.Errorf("%+v after %s is %s, want %s", c.p, c.start, got.Format(time.DateOnly), c.end)
		}
	}
}

// solved brings a ticket to its end.
func (k *kit) solved(id TicketID, told delivered) {
	k.Helper()
	k.receive(k.reply(told, anna, "#solve\nLavendel wurde entfernt."))
	k.afterUndo()
	k.clock.move(k.rules.CloseAfter + time.Minute)
	k.tick()
	if s := k.ticket(id).State; s != StateClosed {
		k.Fatalf("ticket %d is %s", id, s)
	}
}

// retentionDesk has a closed ticket with an attachment, one on hold, one of a category that is kept, an open one, and
// held and filed mail; all of them from March 2026.
func retentionDesk(t testing.TB, change func(*Retention)) (k *kit, closed TicketID) {
	k = newKit(t, func(r *Rules) {
		r.Retention = Retention{Spam: Period{Days: 30}, Tickets: Keep{For: Period{Months: 36}}, Attachments: Period{Months: 18}, Audit: Period{Months: 36},
			Categories: map[string]Keep{"vertrag": {For: Period{Years: 6}, YearEnd: true}}, Hold: []string{"NW-2026-000002"}}
		change(&r.Retention)
	})
	var ids []TicketID
	for i := range 3 {
		m := k.mail(kunde, fmt.Sprintf("Lavendel %d", i), "Es riecht nach Lavendel.", func(m *Message) {
			m.From[0].Name = "Kai Kunde"
			m.Attachments = []Attachment{{Name: "lavendel.png", Type: "image/png", Size: 3}}
		})
		out := k.receive(m)
		told := mailTo(t, k.deliver(), anna, TemplateTicketToTeam)
		k.solved(out.Ticket, told)
		ids = append(ids, out.Ticket)
	}
	err := k.store.Update(context.Background(), func(tx *Tx) error {
		tk, err := tx.Ticket(ids[2])
		if err != nil {
			return err
		}
		e := Entry{At: k.clock.Now(), Kind: EntryChanged, Actor: Actor{Kind: ActorAdmin}}
		tk.set(&e.Changes, fieldCategory, "vertrag")
		if err := tx.append(tk, e); err != nil {
			return err
		}
		return tx.log(k.clock.Now(), "mail.given_up", "to lavendel@customer.example")
	})
	if err != nil {
		t.Fatal(err)
	}
	k.receive(k.mail(stranger, "Gewinn", "Lavendel zu gewinnen", with(fieldQuarantine, "it looks like spam")))
	k.receive(k.mail(stranger, "Abwesend", "Lavendelferien", autoReply))
	k.opened(kollegin, "Offen", "bleibt offen")
	return k, ids[0]
}

func (k *kit) retain(preview bool) RetentionReport {
	k.Helper()
	r, err := k.desk.Retain(context.Background(), preview)
	if err != nil {
		k.Fatal(err)
	}
	k.healthy()
	return r
}

// S-198: what was kept long enough is said, then goes, class by class; the audit trail stays whole; what is open, on hold
// or kept for longer stays.
func TestRetention_S198(t *testing.T) {
	k, closed := retentionDesk(t, func(*Retention) {})
	if r := k.retain(true); r.Total() != 0 {
		t.Errorf("at once: %+v", r)
	}
	k.clock.move(31 * 24 * time.Hour)
	if r := k.retain(true); r.Spam != 2 || r.Total() != 2 || !r.Preview || len(k.held()) != 1 {
		t.Errorf("a month later: %+v", r)
	}
	if r := k.retain(false); r.Spam != 2 || len(k.held()) != 0 || len(r.Rewritten) == 0 {
		t.Errorf("removed after a month: %+v", r)
	}
	k.clock.now = k.clock.Now().AddDate(0, 18, 0)
	if r := k.retain(false); r.Attachments != 1 || r.Total() != 1 {
		t.Errorf("after 18 months: %+v", r)
	}
	if e := k.entries(closed)[1]; e.Text != "Es riecht nach Lavendel." {
		t.Errorf("the text went with the file: %+v", e)
	}
	k.clock.now = k.clock.Now().AddDate(0, 18, 0)
	r := k.retain(true)
	if r.Pseudonymised[""] != 1 || r.Hold != 1 || r.Log == 0 || fmt.Sprint(r.Tickets) != "[NW-2026-000001]" {
		t.Errorf("after 36 months: %+v", r)
	}
	before := k.ticket(closed)
	k.retain(false)
	after := k.ticket(closed)
	if after.Number != before.Number || after.State != StateClosed || !after.ClosedAt.Equal(before.ClosedAt) || after.Team != before.Team || after.Assignee != before.Assignee ||
		fmt.Sprint(after.Clocks) != fmt.Sprint(before.Clocks) || after.Requester.Mail != "" {
		t.Errorf("pseudonymised:\n%+v\nbefore:\n%+v", after, before)
	}
	if r := k.retain(true); r.Total() != 0 {
		t.Errorf("once more: %+v", r)
	}
	// A category's own time counts from the end of the year: 2026 and six years.
	k.clock.now = time.Date(2032, 12, 31, 23, 0, 0, 0, time.UTC)
	if r := k.retain(true); r.Pseudonymised["vertrag"] != 0 {
		t.Errorf("too early: %+v", r)
	}
	k.clock.now = time.Date(2033, 1, 1, 1, 0, 0, 0, time.UTC)
	if r := k.retain(false); r.Pseudonymised["vertrag"] != 1 {
		t.Errorf("after its time: %+v", r)
	}
	k.rules.Retention.Hold = nil
	k.retain(false)
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	traceless(t, k.dir, "Lavendel", kunde, "Kai Kunde")
	k.open()
	k.receive(k.mail(kunde, "Neu", "wieder da"))
	k.healthy()
}

// Tickets go whole when the configuration says so, and ones that were set aside as spam with the spam.
func TestRetentionDeletes_S198(t *testing.T) {
	k, closed := retentionDesk(t, func(r *Retention) { r.Delete = true })
	aside, sent := k.opened(stranger, "Werbung", "Lavendel")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#spam"))
	k.expectState(aside, StateQuarantined)
	k.clock.now = k.clock.Now().AddDate(3, 1, 0)
	r := k.retain(false)
	if r.Deleted[""] != 1 || r.SetAside != 1 || r.Hold != 1 {
		t.Errorf("%+v", r)
	}
	for _, id := range []TicketID{closed, aside} {
		if _, err := k.recall(id); err == nil {
			t.Errorf("ticket %d is still there", id)
		}
	}
	if b := k.books(); b.Balance() != 0 {
		t.Errorf("books %+v", b)
	}
}

// What must be kept is not erased either.
func TestEraseObeysLegalHold(t *testing.T) {
	k, _ := retentionDesk(t, func(*Retention) {})
	_, err := k.desk.Erase(context.Background(), Person{Address: kunde}, testRandom(1), false)
	if err == nil || !strings.Contains(err.Error(), "NW-2026-000002 must be kept") {
		t.Errorf("%v", err)
	}
}
