package tickets

import (
	"strings"
	"testing"
	"time"
)

// waits is a kit with a ticket that waits for its customer, and what the customer was asked.
func waits(t *testing.T) (k *kit, id TicketID, question delivered) {
	k = newKit(t, func(r *Rules) {
		r.Waiting = Waiting{Remind: []time.Duration{20 * time.Hour, 50 * time.Hour}, After: 80 * time.Hour}
	})
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#wait\nWelcher Drucker ist es?"))
	question = mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	k.expectState(id, StateWaitingCustomer)
	return k, id, question
}

// toKunde are the mails to the customer, by template.
func toKunde(sent []delivered) string {
	var list []string
	for _, m := range sent {
		if m.Recipient == kunde {
			list = append(list, m.Template)
		}
	}
	return strings.Join(list, " ")
}

// A customer who does not answer is reminded at the times of the rules, and then the ticket is solved; an answer opens it.
func TestSilentCustomer(t *testing.T) {
	k, id, _ := waits(t)
	asked := k.ticket(id).AskedAt
	for _, step := range []struct {
		after time.Duration
		mails string
		state State
	}{
		{20*time.Hour - time.Second, "", StateWaitingCustomer},
		{20 * time.Hour, TemplateReminder, StateWaitingCustomer},
		{21 * time.Hour, "", StateWaitingCustomer},
		{50 * time.Hour, TemplateReminder, StateWaitingCustomer},
		{80*time.Hour - time.Second, "", StateWaitingCustomer},
		{80 * time.Hour, TemplateNoResponse, StateSolved},
		{90 * time.Hour, "", StateSolved},
	} {
		k.clock.move(asked.Add(step.after).Sub(k.clock.Now()))
		k.reopen() // timers outlive a restart
		k.tick()
		k.tick()
		sent := k.deliver()
		if got := toKunde(sent); got != step.mails {
			t.Errorf("after %s: the customer got %q, want %q", step.after, got, step.mails)
		}
		if step.mails == TemplateReminder && !strings.Contains(mailTo(t, sent, kunde, TemplateReminder).Letter.Text, "Welcher Drucker ist es?") {
			t.Errorf("after %s: the reminder does not repeat the question", step.after)
		}
		k.expectState(id, step.state)
	}
	if tk := k.ticket(id); tk.ResolutionCode != resolutionNoResponse || tk.Reminded != 2 {
		t.Errorf("%+v", tk)
	}
	k.healthy()
}

// A desk that was down while everything fell due sends the last word only.
func TestSilenceAfterDowntime(t *testing.T) {
	k, id, _ := waits(t)
	k.clock.move(60 * time.Hour)
	k.tick()
	if got := toKunde(k.deliver()); got != TemplateReminder {
		t.Errorf("after two missed reminders the customer got %q", got)
	}
	if n := k.ticket(id).Reminded; n != 2 {
		t.Errorf("reminded %d times, want 2 counted", n)
	}
	k.clock.move(300 * time.Hour)
	k.tick()
	if got := toKunde(k.deliver()); got != TemplateNoResponse {
		t.Errorf("the customer got %q", got)
	}
	k.expectState(id, StateSolved)
	k.healthy()
}

// An answer ends the waiting; what was due for it never comes. A new question starts anew.
func TestAnswerEndsReminders(t *testing.T) {
	k, id, question := waits(t)
	k.clock.move(30 * time.Hour)
	k.tick()
	k.deliver()
	k.receive(k.reply(question, kunde, "Der im Flur."))
	k.expectState(id, StateOpen)
	told := mailTo(t, k.deliver(), anna, TemplateCustomerReplied)
	k.clock.move(300 * time.Hour)
	k.tick()
	if got := toKunde(k.deliver()); got != "" {
		t.Errorf("the customer got %q", got)
	}
	k.receive(k.reply(told, anna, "#wait\nWelche Etage?"))
	k.afterUndo()
	k.clock.move(20 * time.Hour)
	k.tick()
	if got := toKunde(k.deliver()); got != TemplateReminder || k.ticket(id).Reminded != 1 {
		t.Errorf("the customer got %q, reminder %d", got, k.ticket(id).Reminded)
	}
	k.healthy()
}

// S23: an automatic responder that says until when the customer is away moves the reminders, not the state.
func TestAwayCustomerIsRemindedLater(t *testing.T) {
	k, id, question := waits(t)
	back := k.clock.Now().AddDate(0, 0, 10)
	k.receive(k.reply(question, kunde, "Ich bin bis "+back.Format("02.01.2006")+" im Urlaub.", autoReply))
	k.expectState(id, StateWaitingCustomer)
	after := k.ticket(id).RemindAfter
	if after.Before(back) || after.After(back.AddDate(0, 0, 2)) {
		t.Fatalf("back on %s: reminders wait until %s", back, after)
	}
	k.clock.move(9 * 24 * time.Hour)
	k.tick()
	if got := toKunde(k.deliver()); got != "" {
		t.Errorf("while away the customer got %q", got)
	}
	k.clock.move(after.Add(20 * time.Hour).Sub(k.clock.Now()))
	k.tick()
	if got := toKunde(k.deliver()); got != TemplateReminder {
		t.Errorf("back again the customer got %q", got)
	}
	k.healthy()
}
