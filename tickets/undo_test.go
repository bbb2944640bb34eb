package tickets

import (
	"testing"
	"time"
)

// S-201: #undo within the window takes everything back: state, clocks, and the copies of every recipient.
func TestUndo(t *testing.T) {
	for _, text := range []string{"#solve\nCANARY", "#wait\nCANARY", "CANARY", "#take", "#assign ben\nCANARY", "#take #wait\nCANARY"} {
		t.Run(text, func(t *testing.T) {
			k := newKit(t)
			id, sent := k.opened(kunde, "Drucker", "kaputt")
			k.receive(k.reply(mailTo(t, sent, kunde, TemplateAckNew), kollegin, "ich auch"))
			sent = k.deliver()
			k.receive(k.reply(mailTo(t, sent, anna, TemplateHeld), anna, "#admit 1"))
			notice := mailTo(t, k.deliver(), anna, TemplateCustomerReplied)
			before := k.ticket(id)
			k.clock.move(time.Minute)
			k.expect(k.receive(k.reply(notice, anna, text)), Appended, id)
			k.clock.move(k.rules.Undo - time.Second)
			if early := outside(k.deliver()); len(early) > 0 {
				t.Fatalf("sent within the window: %s", summary(early))
			}
			k.expect(k.receive(k.reply(notice, anna, "#undo")), Appended, id)
			k.clock.move(time.Hour)
			sent = k.deliver()
			mailTo(t, sent, anna, TemplateReceipt)
			absentFrom(t, outside(sent), "CANARY")
			after := k.ticket(id)
			if after.State != before.State || after.Assignee != before.Assignee || after.Owner != before.Owner || after.LastPublic != before.LastPublic ||
				after.Resolution != before.Resolution || !after.SolvedAt.Equal(before.SolvedAt) || formatJSON(after.Clocks) != formatJSON(before.Clocks) {
				t.Errorf("after %+v\nbefore %+v", after, before)
			}
			k.healthy()
			// Once only.
			k.receive(k.reply(notice, anna, "#undo", func(m *Message) { m.Text = "again" }))
			mailTo(t, k.deliver(), anna, TemplateRefused)
			k.healthy()
		})
	}
}

func TestUndoTooLate(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#solve\nfertig"))
	mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	k.receive(k.reply(notice, anna, "#undo"))
	mailTo(t, k.deliver(), anna, TemplateRefused)
	k.expectState(id, StateSolved)
	// Somebody else's mail is not taken back, and there may be nothing to take back.
	k.receive(k.reply(mailTo(t, sent, ben, TemplateTicketToTeam), ben, "#undo"))
	mailTo(t, k.deliver(), ben, TemplateRefused)
	k.healthy()
}

// A note is no mail that could be taken back: #undo after it must not take back the answer before it.
func TestUndoAfterNote(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#solve\nfertig"))
	k.receive(k.reply(notice, anna, "#note merken"))
	k.receive(k.reply(notice, anna, "#undo"))
	mailTo(t, k.afterUndo(), anna, TemplateRefused)
	k.expectState(id, StateSolved)
}

// What somebody changed since is not overwritten by taking back what was before it.
func TestUndoKeepsWhatOthersDidSince(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#take"))
	k.receive(k.reply(mailTo(t, sent, ben, TemplateTicketToTeam), ben, "#assign lea"))
	k.receive(k.reply(notice, anna, "#undo"))
	if a := k.ticket(id).Assignee; a != lea {
		t.Errorf("assigned to %q, want %q", a, lea)
	}
	k.healthy()
}
