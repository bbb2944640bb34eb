package tickets

import (
	"context"
	"testing"
	"time"
)

func withCopies(r *Rules) {
	r.Mailboxes["support"] = Intake{Brand: "nordwind", MaxSize: 25 << 20, Copies: true}
}

func (k *kit) copies() []SentCopy {
	k.Helper()
	list, err := k.desk.Copies(context.Background(), "support", 10)
	if err != nil {
		k.Fatal(err)
	}
	return list
}

func (k *kit) copiesWaiting() CopiesWaiting {
	k.Helper()
	var w CopiesWaiting
	if err := k.store.View(func(tx *Tx) error { w = tx.CopiesWaiting("support"); return nil }); err != nil {
		k.Fatal(err)
	}
	return w
}

// TestSentCopies: each mail to somebody outside is copied once, with the bytes that were sent, whoever else gets it; what
// staff get is not. A copy that could not be made waits, and is there after a restart.
func TestSentCopies(t *testing.T) {
	k := newKit(t, withCopies)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.", func(m *Message) { m.Cc = []Address{{Mail: kollegin}} })
	id := k.receive(question).Ticket
	mails := k.deliver()
	list := k.copies()
	ack := to(mails, kunde)[0]
	if len(list) != 1 || list[0].MessageID != ack.Letter.MessageID || string(list[0].Bytes) != string(ack.Bytes) || !list[0].Sent.Equal(k.clock.Now()) {
		t.Fatalf("copies %v, want that of the acknowledgement", list)
	}
	select {
	case <-k.desk.Errands():
	default:
		t.Error("nobody was told of the copy")
	}
	if again := k.copies(); len(again) != 0 {
		t.Errorf("%d copies are due again at once", len(again))
	}
	ctx := context.Background()
	if err := k.desk.CopyFailed(ctx, "support", list[0].ID, "over\nquota"); err != nil {
		t.Fatal(err)
	}
	k.healthy()
	k.reopen()
	if w := k.copiesWaiting(); w.Waiting != 1 || w.Reason != "over quota" {
		t.Errorf("waiting %+v", w)
	}
	for pause := 15 * time.Second; pause <= 4*time.Minute; pause *= 2 {
		k.clock.move(pause - time.Second)
		if list := k.copies(); len(list) != 0 {
			t.Fatalf("due again before %s", pause)
		}
		k.clock.move(time.Second)
		if list = k.copies(); len(list) != 1 {
			t.Fatalf("%d copies after %s, want 1", len(list), pause)
		}
	}
	if err := k.desk.Copied(ctx, "support", list[0].ID); err != nil {
		t.Fatal(err)
	}
	k.clock.move(24 * time.Hour)
	if list := k.copies(); len(list) != 0 || k.copiesWaiting().Waiting != 0 {
		t.Errorf("%d copies after it was made", len(list))
	}

	// An answer with somebody in copy is one mail.
	notice := mailTo(t, mails, anna, TemplateTicketToTeam)
	k.expect(k.receive(k.reply(notice, anna, "Bitte neu starten.")), Appended, id)
	sent := outside(k.afterUndo())
	if list := k.copies(); len(sent) != 2 || len(list) != 1 || list[0].MessageID != sent[0].Letter.MessageID {
		t.Errorf("%d mails sent, copies %v", len(sent), list)
	}
	if err := k.desk.ForgetCopies(ctx, "support"); err != nil || k.copiesWaiting().Waiting != 0 {
		t.Errorf("copies left, %v", err)
	}
	k.healthy()
}

// TestNoCopies: without being asked the desk keeps none.
func TestNoCopies(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "Drucker", "Er druckt nicht.")
	if n := k.copiesWaiting().Waiting; n != 0 {
		t.Errorf("%d copies", n)
	}
	if err := k.desk.ForgetCopies(context.Background(), "support"); err != nil {
		t.Error(err)
	}
	k.healthy()
}
