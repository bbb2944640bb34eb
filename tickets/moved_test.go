package tickets

import (
	"context"
	"strings"
	"testing"
	"time"
)

// withMoves makes folders in which moving is an action, named after it; in MeinsAnna Anna acts.
func withMoves(r *Rules) {
	for folder, f := range map[string]FolderAction{
		"solve": {Do: MoveSolve}, "spam": {Do: MoveSpam}, "not_spam": {Do: MoveNotSpam}, "second": {Do: MoveTeam, Team: "second"},
		"MeinsAnna": {Do: MoveTake, Agent: anna}, "AnnaSolves": {Do: MoveSolve, Agent: anna},
	} {
		f.Mailbox, f.Folder = "support", folder
		r.Mailboxes[MovedTo("support", folder)] = Intake{Brand: "nordwind", Action: &f}
	}
}

// moveInto is a person who moves a message into a folder; each time it gets another UID there.
func (k *kit) moveInto(folder string, m *Message) Outcome {
	k.Helper()
	ctx, mailbox := context.Background(), MovedTo("support", folder)
	moved := MovedIntake{k.desk}
	k.uid++
	if err := moved.Begin(ctx, mailbox, testValidity, k.uid); err != nil {
		k.Fatal(err)
	}
	in := Incoming{Source: Source{mailbox, testValidity, k.uid}, Arrived: k.clock.Now(), Raw: rawOf(m), Message: m}
	out, err := moved.Receive(ctx, batchOf(in))
	if err != nil {
		k.Fatalf("moved into %s: %v", folder, err)
	}
	again, err := moved.Receive(ctx, batchOf(in)) // the answer was lost
	if err != nil || again[0].Result != out[0].Result {
		k.Fatalf("the same once more: %+v, %v", again, err)
	}
	return out[0]
}

// TestMoved: moving a message changes its ticket, each time that a person does it; it is told inside, and no customer gets
// a mail.
func TestMoved(t *testing.T) {
	k := newKit(t, withMoves)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	mails := k.deliver()
	notice := mailTo(t, mails, anna, TemplateTicketToTeam)

	k.expect(k.moveInto("MeinsAnna", question), Duplicate, id)
	if got := k.ticket(id); got.Assignee != anna || got.State != StateOpen {
		t.Errorf("after take: %s, assignee %q", got.State, got.Assignee)
	}
	var told []delivered
	for _, d := range k.deliver() {
		if d.Template == TemplateEscalation {
			told = append(told, d)
		}
		if d.Recipient == anna {
			t.Error("Anna is told what she did")
		}
	}
	if len(told) == 0 || linesOf(t, told[0])[0].Key != "moved.into" {
		t.Errorf("nobody is told: %s", summary(told))
	}
	// Solving needs a solution: without any it is refused, and Anna is told why.
	before := k.ticket(id).State
	k.expect(k.moveInto("solve", question), Duplicate, id)
	refusal := mailTo(t, k.deliver(), anna, TemplateRefused)
	if lines := linesOf(t, refusal); len(lines) != 2 || lines[1].Key != "refused.needs_resolution" {
		t.Errorf("refusal %+v", lines)
	}
	if k.ticket(id).State != before || !hasRefusal(k.entries(id)) {
		t.Errorf("ticket is %s, entries %+v", k.ticket(id).State, k.entries(id))
	}
	k.expect(k.receive(k.reply(notice, anna, "Bitte neu starten.")), Appended, id)
	k.afterUndo()
	k.expect(k.moveInto("AnnaSolves", question), Duplicate, id)
	k.expectState(id, StateSolved)
	if all := outside(k.afterUndo()); len(all) != 0 {
		t.Errorf("customers got mails: %s", summary(all))
	}
	entries := k.ticket(id).Entries
	k.expect(k.moveInto("AnnaSolves", question), Duplicate, id) // it is so already
	if n := k.ticket(id).Entries; n != entries {
		t.Errorf("%d entries for what is so already", n-entries)
	}
	k.healthy()
}

func hasRefusal(entries []Entry) bool {
	for _, e := range entries {
		if e.Kind == EntryRefused && strings.Contains(e.Detail, `moved into "solve"`) && e.Actor.Name == "mailbox support" {
			return true
		}
	}
	return false
}

// TestMovedBackAndForth: every move by a person acts.
func TestMovedBackAndForth(t *testing.T) {
	k := newKit(t, withMoves)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	for range 3 {
		k.moveInto("second", question)
		if got := k.ticket(id); got.Team != "second" || got.Assignee != "" {
			t.Fatalf("team %s, assignee %q", got.Team, got.Assignee)
		}
		k.moveInto("MeinsAnna", question)
		if got := k.ticket(id); got.Assignee != anna {
			t.Fatalf("assignee %q, want Anna", got.Assignee)
		}
	}
	k.expect(k.moveInto("spam", k.mail(kunde, "Drucker", "Er druckt wieder.")), Filed, 0) // the desk never saw it
	k.healthy()
}

// TestMovedSpam: a ticket goes into quarantine and comes back; a held mail is let in or dropped.
func TestMovedSpam(t *testing.T) {
	k := newKit(t, withMoves)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	k.moveInto("spam", question)
	k.expectState(id, StateQuarantined)
	k.moveInto("not_spam", question)
	k.expectState(id, StateNew)
	entries := k.ticket(id).Entries
	k.moveInto("not_spam", question)
	if n := k.ticket(id).Entries; n != entries {
		t.Error("not_spam of what is no spam changed the ticket")
	}
	suspect := k.mail(stranger, "Gewinn", "Sie haben gewonnen.", with(fieldQuarantine, "it looks like spam"))
	wrong := k.mail(stranger, "Anfrage", "Eine Frage.", with(fieldQuarantine, "it looks like spam"))
	k.expect(k.receive(suspect), Quarantined, 0)
	k.expect(k.receive(wrong), Quarantined, 0)
	k.moveInto("solve", suspect)
	if n := len(k.held()); n != 2 {
		t.Errorf("%d mails are held, want 2: solve is no word about a held mail", n)
	}
	k.moveInto("spam", suspect)
	k.moveInto("not_spam", wrong)
	if n := len(k.held()); n != 0 {
		t.Errorf("%d mails are still held", n)
	}
	if n := k.ticketCount(); n != 2 {
		t.Errorf("%d tickets, want 2: the mail that was let in has one", n)
	}
	k.healthy()
}

// TestMovedBegin: what stood in a folder before the desk knew it means nothing, nor does it when the folder is numbered
// anew.
func TestMovedBegin(t *testing.T) {
	k := newKit(t, withMoves)
	ctx, mailbox := context.Background(), MovedTo("support", "solve")
	moved := MovedIntake{k.desk}
	for _, c := range []struct{ validity, next, want uint32 }{{7, 1, 1}, {7, 5, 1}, {8, 9, 9}, {8, 12, 9}} {
		if err := moved.Begin(ctx, mailbox, c.validity, c.next); err != nil {
			t.Fatal(err)
		}
		p, err := moved.Place(ctx, mailbox, c.validity)
		if err != nil || p.Next != c.want || p.UIDValidity != c.validity {
			t.Errorf("UIDVALIDITY %d, next %d: place %+v, %v, want %d", c.validity, c.next, p, err, c.want)
		}
	}
}

// TestMovedPoison: a move that cannot be carried out stops no other.
func TestMovedPoison(t *testing.T) {
	k := newKit(t, withMoves)
	bad, good := k.mail(kunde, "Drucker", "Er druckt nicht."), k.mail(kunde, "Telefon", "Es klingelt nicht.")
	lost, id := k.receive(bad).Ticket, k.receive(good).Ticket
	err := k.store.Update(context.Background(), func(tx *Tx) error { return tx.btx.Bucket(bucketTickets).Delete(key64(uint64(lost))) })
	if err != nil {
		t.Fatal(err)
	}
	var in []Incoming
	mailbox := MovedTo("support", "spam")
	moved := MovedIntake{k.desk}
	if err := moved.Begin(context.Background(), mailbox, testValidity, k.uid+1); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Message{bad, good} {
		one := k.incoming(m)
		one.Source.Mailbox = mailbox
		in = append(in, one)
	}
	out, err := moved.Receive(context.Background(), batchOf(in...))
	if err != nil || out[0].Result != Filed || !strings.Contains(out[0].Why, "cannot be carried out") || out[1].Ticket != id {
		t.Fatalf("outcomes %+v, %v", out, err)
	}
	k.expectState(id, StateQuarantined)
	if p, err := moved.Place(context.Background(), mailbox, testValidity); err != nil || p.Next != k.uid+1 {
		t.Errorf("place %+v, %v: it did not move on", p, err)
	}
	if b := k.books(); b.Balance() != 0 {
		t.Errorf("books %+v", b)
	}
}

// #undo takes back what a move did to the ticket, and nothing that was before it; the receipt says that the mail stays.
func TestUndoMove_S201(t *testing.T) {
	k := newKit(t, withMoves)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	notice := mailTo(t, k.deliver(), anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#tag rot"))
	k.deliver()
	before := k.ticket(id)
	undo := func(who string) Line {
		t.Helper()
		k.clock.move(time.Minute)
		k.receive(k.reply(notice, who, "#undo", func(m *Message) { m.Text = itoa(k.made) }))
		return linesOf(t, mailTo(t, k.afterUndo(), who, TemplateReceipt))[0]
	}
	for folder, changed := range map[string]func(*Ticket) bool{
		"second":    func(t *Ticket) bool { return t.Team == "second" },
		"MeinsAnna": func(t *Ticket) bool { return t.Assignee == anna },
		"spam":      func(t *Ticket) bool { return t.State == StateQuarantined },
	} {
		k.moveInto(folder, question)
		if !changed(k.ticket(id)) {
			t.Fatalf("%s did nothing: %+v", folder, k.ticket(id))
		}
		k.deliver()
		if line := undo(anna); line.Key != "did.undo_move" || line.Args["folder"] != folder {
			t.Errorf("the receipt of %s says %+v", folder, line)
		}
		after := k.ticket(id)
		if after.State != before.State || after.Team != before.Team || after.Assignee != before.Assignee || strings.Join(after.Tags, " ") != "rot" {
			t.Errorf("after %s was taken back: %s, team %s, assignee %q, tags %q", folder, after.State, after.Team, after.Assignee, after.Tags)
		}
	}
	// What Anna's folder did is hers alone to take back.
	k.moveInto("MeinsAnna", question)
	mails := k.deliver()
	k.receive(k.reply(mailTo(t, mails, ben, TemplateEscalation), ben, "#undo"))
	mailTo(t, k.afterUndo(), ben, TemplateRefused)
	if a := k.ticket(id).Assignee; a != anna {
		t.Errorf("assigned to %q", a)
	}
	k.healthy()
}
