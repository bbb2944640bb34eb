package tickets

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// mirrorAll is a mailbox that shows everything there is to show.
func mirrorAll() *Mirror {
	return &Mirror{Answered: true, Prefix: "$sd-", Show: []string{ShowState, ShowTier, ShowTeam, ShowOwner, ShowAssignee, ShowPriority},
		Folders: []MirrorFolder{{State: StateWaitingCustomer, Folder: "Wartet"}, {State: StateSolved, Folder: "Fertig"}, {State: StateOpen, Team: "second", Folder: "Zweite"}}}
}

func withMirror(r *Rules) {
	r.Mailboxes["support"] = Intake{Brand: "nordwind", MaxSize: 25 << 20, Mirror: mirrorAll()}
}

// mirrorKit is a desk with a mailbox that shows the state of its tickets.
func mirrorKit(t *testing.T, change ...func(*Rules)) *kit {
	k := newKit(t, append([]func(*Rules){withMirror}, change...)...)
	if err := k.desk.SetMirrors(context.Background()); err != nil {
		t.Fatal(err)
	}
	return k
}

// mirrorings is what is owed and due.
func (k *kit) mirrorings() []Mirroring {
	k.Helper()
	list, err := k.desk.Mirrorings(context.Background(), "support", 50)
	if err != nil {
		k.Fatal(err)
	}
	return list
}

// carryOutMirror does what is owed, as if the mailbox were there, and returns it by ticket.
func (k *kit) carryOutMirror() map[TicketID]Mirroring {
	k.Helper()
	ctx, all := context.Background(), map[TicketID]Mirroring{}
	for list := k.mirrorings(); len(list) > 0; list = k.mirrorings() {
		for _, m := range list {
			all[m.Ticket] = m
			var notes []StandNote
			for _, one := range m.Messages {
				s := one.Stand
				if s.Lost {
					s.At, s.Lost = s.Seen, false
				}
				s.Put = &Put{MirrorWish: m.MirrorWish, Answered: one.Answered}
				notes = append(notes, StandNote{Message: one.Message, Stand: s, Looked: true})
			}
			if err := k.desk.NoteStands(ctx, "support", notes); err != nil {
				k.Fatal(err)
			}
			if err := k.desk.MirrorDone(ctx, "support", m); err != nil {
				k.Fatal(err)
			}
		}
	}
	return all
}

// mirroring is what a ticket wants, owed or not.
func (k *kit) mirroring(id TicketID) (m Mirroring) {
	k.Helper()
	err := k.store.View(func(tx *Tx) error {
		all, err := tx.mirrors()
		if err == nil {
			m, err = tx.mirroring(all["support"], "support", id)
		}
		return err
	})
	if err != nil {
		k.Fatal(err)
	}
	return m
}

func (k *kit) mirrorWaiting() (w MirrorWaiting) {
	k.Helper()
	if err := k.store.View(func(tx *Tx) error { w = tx.MirrorWaiting("support"); return nil }); err != nil {
		k.Fatal(err)
	}
	return w
}

// wants fails the test unless the ticket wants these keywords, separated by blanks, and this folder.
func (k *kit) wants(m Mirroring, keywords, folder string) {
	k.Helper()
	want := strings.Fields(keywords)
	slices.Sort(want)
	if !slices.Equal(m.Keywords, want) || m.Folder != folder {
		k.Errorf("ticket %d wants %v in %q, want %v in %q", m.Ticket, m.Keywords, m.Folder, want, folder)
	}
}

// TestMirrorWish: what is to stand at the messages of a ticket follows from the ticket alone.
func TestMirrorWish(t *testing.T) {
	s := &mirrorSettings{Mirror: *mirrorAll(), Names: keywordNames([]string{anna, ben, "anna@elsewhere.example", "jörg.groß@staff.example", "@"})}
	for _, c := range []struct {
		ticket   Ticket
		keywords string
		folder   string
	}{
		{Ticket{State: StateNew, Tier: 1, Team: "first"}, "$sd-new $sd-team-first $sd-tier-1", ""},
		{Ticket{State: StateOpen, Tier: 2, Team: "second", Assignee: ben, Owner: "jörg.groß@staff.example", Priority: "P2"},
			"$sd-open $sd-team-second $sd-tier-2 $sd-assignee-ben $sd-owner-joerg.gross $sd-priority-p2", "Zweite"},
		{Ticket{State: StateWaitingCustomer, Team: "Über (uns) %*\\\"]{", Assignee: anna}, "$sd-waiting_customer $sd-team-ueber-uns $sd-assignee-anna-staff.example", "Wartet"},
		{Ticket{State: StateSolved, Owner: "gone@staff.example"}, "$sd-solved $sd-owner-gone-staff.example", "Fertig"},
		{Ticket{State: StateClosed}, "$sd-closed", "Fertig"},
		{Ticket{State: StateScheduled, Team: strings.Repeat("sehr lang ", 20)}, "$sd-scheduled $sd-team-sehr-lang-sehr-lang-sehr-lang-sehr-lang-s", ""},
	} {
		w := s.wish(&c.ticket)
		want := strings.Fields(c.keywords)
		slices.Sort(want)
		if !slices.Equal(w.Keywords, want) || w.Folder != c.folder {
			t.Errorf("%s: wants %v in %q, want %v in %q", c.ticket.State, w.Keywords, w.Folder, want, c.folder)
		}
		for _, word := range w.Keywords {
			if len(word) > maxKeyword || strings.ContainsAny(word, " (){%*\"\\]") {
				t.Errorf("%q is no keyword", word)
			}
		}
	}
	if none := (&mirrorSettings{Mirror: Mirror{Prefix: "x-"}}).wish(&Ticket{State: StateOpen, Tier: 1}); len(none.Keywords) > 0 || none.Folder != "" {
		t.Errorf("nothing is asked for, and %v wanted", none)
	}
}

// TestMirrorFollows: each change of a ticket that can be seen is owed with it, once however often it changes; the answer of a
// person marks the customer's messages before it as answered once it has left, and the automatic acknowledgement does not.
func TestMirrorFollows(t *testing.T) {
	k := mirrorKit(t)
	id, mails := k.opened(kunde, "Drucker", "Er druckt nicht.")
	done := k.carryOutMirror()
	k.wants(done[id], "$sd-new $sd-team-first $sd-tier-1", "")
	if m := done[id].Messages; len(m) != 1 || m[0].Answered || m[0].At != (Spot{UIDValidity: testValidity, UID: k.uid}) {
		t.Fatalf("messages %+v", m)
	}
	k.healthy()
	notice := mailTo(t, mails, anna, TemplateTicketToTeam)
	k.expect(k.receive(k.reply(notice, anna, "#pending\n\nIst er an?")), Appended, id)
	done = k.carryOutMirror()
	k.wants(done[id], "$sd-waiting_customer $sd-team-first $sd-tier-1 $sd-assignee-anna $sd-owner-anna", "Wartet")
	for _, m := range done[id].Messages {
		if m.Answered {
			t.Error("answered before the answer has left")
		}
	}
	if n := k.mirrorWaiting().Tickets; n != 0 {
		t.Errorf("%d tickets are owed after it was done", n)
	}
	k.afterUndo()
	done = k.carryOutMirror()
	if m := done[id].Messages; len(m) != 1 || !m[0].Answered { // at the agent's mail everything stands already
		t.Errorf("after the answer has left: %+v", m)
	}
	k.healthy()

	// A note changes nothing that can be seen, but its own message gets the keywords, too.
	k.expect(k.receive(k.reply(notice, anna, "#note Der wartet auf uns.")), Appended, id)
	if done = k.carryOutMirror(); len(done[id].Messages) != 1 || len(k.mirroring(id).Messages) != 3 {
		t.Errorf("%d messages of %d, want 1 of 3", len(done[id].Messages), len(k.mirroring(id).Messages))
	}
	k.healthy()
}

// TestMirrorUndone: an answer that was taken back answers nothing, and the state is as before.
func TestMirrorUndone(t *testing.T) {
	k := mirrorKit(t)
	id, mails := k.opened(kunde, "Drucker", "Er druckt nicht.")
	before := k.carryOutMirror()[id]
	notice := mailTo(t, mails, anna, TemplateTicketToTeam)
	k.expect(k.receive(k.reply(notice, anna, "#solve\n\nBitte neu starten.")), Appended, id)
	k.expect(k.receive(k.reply(notice, anna, "#undo")), Appended, id)
	k.afterUndo()
	after := k.carryOutMirror()[id]
	k.wants(after, strings.Join(before.Keywords, " "), before.Folder)
	for _, m := range after.Messages {
		if m.Answered {
			t.Error("an answer that was taken back counts")
		}
	}
	k.healthy()
}

// TestMirrorCollapses: a change while the work is under way is owed still; what failed is tried again with pauses, also after a
// restart, and the newest change is tried at once.
func TestMirrorCollapses(t *testing.T) {
	k := mirrorKit(t)
	ctx := context.Background()
	id, mails := k.opened(kunde, "Drucker", "Er druckt nicht.")
	select {
	case <-k.desk.Errands():
	default:
		t.Error("nobody was told")
	}
	first := k.mirrorings()
	if len(first) != 1 || len(k.mirrorings()) != 0 {
		t.Fatalf("%d owed, want 1, and once", len(first))
	}
	notice := mailTo(t, mails, anna, TemplateTicketToTeam)
	k.expect(k.receive(k.reply(notice, anna, "#take")), Appended, id)
	k.expect(k.receive(k.reply(notice, anna, "#priority P1")), Appended, id)
	if err := k.desk.MirrorDone(ctx, "support", first[0]); err != nil {
		t.Fatal(err)
	}
	second := k.mirrorings()
	if len(second) != 1 || !slices.Contains(second[0].Keywords, "$sd-priority-p1") || !slices.Contains(second[0].Keywords, "$sd-assignee-anna") {
		t.Fatalf("after two changes: %+v", second)
	}
	if err := k.desk.MirrorFailed(ctx, "support", second[0], "over\nquota"); err != nil {
		t.Fatal(err)
	}
	k.reopen()
	if w := k.mirrorWaiting(); w.Tickets != 1 || w.Reason != "over quota" {
		t.Errorf("waiting %+v", w)
	}
	k.clock.move(14 * time.Second)
	if n := len(k.mirrorings()); n != 0 {
		t.Error("tried again too soon")
	}
	k.clock.move(time.Second)
	if n := len(k.mirrorings()); n != 1 {
		t.Errorf("%d owed after the pause, want 1", n)
	}
	k.healthy()
}

// TestMirrorMerge: messages of a ticket that another has taken in show the other's state, and their own again after #unmerge.
func TestMirrorMerge(t *testing.T) {
	k := mirrorKit(t)
	a, mails := k.opened(kunde, "Drucker", "Er druckt nicht.")
	b, _ := k.opened(kunde, "Noch einmal der Drucker", "Er druckt immer noch nicht.")
	notice := mailTo(t, mails, anna, TemplateTicketToTeam)
	k.expect(k.receive(k.reply(notice, anna, "#take")), Appended, a)
	k.carryOutMirror()
	k.expect(k.receive(k.reply(notice, anna, "#merge "+k.ticket(b).Number)), Appended, a)
	if k.ticket(a).State != StateMerged && k.ticket(b).State != StateMerged {
		t.Fatal("nothing was merged")
	}
	k.healthy()
	gone, taker := a, b
	if k.ticket(b).State == StateMerged {
		gone, taker = b, a
	}
	done := k.carryOutMirror()
	want := k.mirroring(taker)
	k.wants(done[gone], strings.Join(want.Keywords, " "), want.Folder)
	k.healthy()
	messages := len(want.Messages)
	if !slices.ContainsFunc(want.Messages, func(m Mirrored) bool { return m.Message == done[gone].Messages[0].Message }) {
		t.Errorf("the messages of what was taken in are not among %+v", want.Messages)
	}
	k.expect(k.receive(k.reply(notice, anna, "#solve\n\nBitte neu starten.")), Appended, taker)
	k.afterUndo()
	if done = k.carryOutMirror(); len(done[taker].Messages) < messages || done[taker].Folder != "Fertig" {
		t.Errorf("after solving: %d messages to %q", len(done[taker].Messages), done[taker].Folder)
	}
	k.healthy()
	k.expect(k.receive(k.reply(notice, anna, "#unmerge "+k.ticket(gone).Number)), Appended, taker)
	done = k.carryOutMirror()
	if solved := k.mirroring(taker); slices.Equal(done[gone].Keywords, solved.Keywords) || len(done[gone].Messages) == 0 {
		t.Errorf("apart again, and both want %v", solved.Keywords)
	}
	k.healthy()
}

// TestMirrorSeenAgain: a message that comes up again in a folder that is followed is looked at there; it makes no ticket. One
// that is lost is left alone until then.
func TestMirrorSeenAgain(t *testing.T) {
	k := mirrorKit(t, func(r *Rules) {
		f := FolderAction{Mailbox: "support", Folder: "Meins", Do: MoveTake, Agent: anna}
		r.Mailboxes[MovedTo("support", "Meins")] = Intake{Brand: "nordwind", Action: &f}
	})
	ctx := context.Background()
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	m := k.mirrorings()[0]
	lose := func() {
		t.Helper()
		s := m.Messages[0].Stand
		s.Lost = true
		if err := k.desk.NoteStands(ctx, "support", []StandNote{{Message: m.Messages[0].Message, Stand: s, Looked: true}}); err != nil {
			t.Fatal(err)
		}
		if err := k.desk.MirrorDone(ctx, "support", m); err != nil {
			t.Fatal(err)
		}
	}
	lose()
	if w := k.mirrorWaiting(); w.Tickets != 0 || w.Lost != 1 {
		t.Errorf("waiting %+v", w)
	}
	k.healthy()
	k.expect(k.receive(question), Duplicate, id)
	list := k.mirrorings()
	if len(list) != 1 || len(list[0].Messages) != 1 || list[0].Messages[0].Seen != (Spot{UIDValidity: testValidity, UID: k.uid}) {
		t.Fatalf("seen again: %+v", list)
	}
	m = list[0]
	k.expect(k.moveInto("Meins", question), Duplicate, id) // meanwhile a person moves it once more
	lose()
	list = k.mirrorings()
	if len(list) != 1 || list[0].Messages[0].Seen.Folder != "Meins" || list[0].Messages[0].Seen.UID != k.uid {
		t.Fatalf("seen in a folder with an action: %+v", list)
	}
	k.carryOutMirror()
	k.clock.move(time.Minute)
	k.carryOutMirror()
	if w := k.mirrorWaiting(); w.Tickets != 0 || w.Lost != 0 {
		t.Errorf("waiting %+v", w)
	}
	k.healthy()
}

// TestOwnMoveIsNoAction: what the desk was about to move into a folder is not taken for a person's move, should the folder
// have got an action meanwhile.
func TestOwnMoveIsNoAction(t *testing.T) {
	k := mirrorKit(t, withMoves, withMirror)
	question := k.mail(kunde, "Drucker", "Er druckt nicht.")
	id := k.receive(question).Ticket
	m := k.mirrorings()[0]
	s := m.Messages[0].Stand
	s.To = &Spot{Folder: "second", UIDValidity: 1, UID: 1}
	if err := k.desk.NoteStands(context.Background(), "support", []StandNote{{Message: m.Messages[0].Message, Stand: s}}); err != nil {
		t.Fatal(err)
	}
	k.reopen()
	k.expect(k.moveInto("second", question), Duplicate, id)
	if team := k.ticket(id).Team; team != "first" {
		t.Errorf("the desk's own move gave the ticket to %q", team)
	}
	k.healthy()
}

// TestMirrorSwitched: turned on, the open tickets are owed; turned off, nothing is, and no row is left.
func TestMirrorSwitched(t *testing.T) {
	k := newKit(t)
	ctx := context.Background()
	id, _ := k.opened(kunde, "Drucker", "Er druckt nicht.")
	if w := k.mirrorWaiting(); w.Tickets != 0 {
		t.Errorf("waiting %+v without being asked", w)
	}
	set := func(change func(*Rules)) {
		t.Helper()
		r := testRules()
		change(r)
		k.desk.SetRules(r)
		if err := k.desk.SetMirrors(ctx); err != nil {
			t.Fatal(err)
		}
	}
	set(withMirror)
	if done := k.carryOutMirror(); len(done) != 1 || len(done[id].Messages) != 1 {
		t.Errorf("turned on: %+v", done)
	}
	set(withMirror)
	if n := k.mirrorWaiting().Tickets; n != 0 {
		t.Errorf("%d tickets owed although nothing has changed", n)
	}
	set(func(r *Rules) {
		withMirror(r)
		r.Mailboxes["support"].Mirror.Prefix = "$desk-"
	})
	if n := k.mirrorWaiting().Tickets; n != 1 {
		t.Errorf("%d tickets owed after a change, want 1", n)
	}
	set(func(*Rules) {})
	if n := k.mirrorWaiting().Tickets; n != 0 {
		t.Errorf("%d tickets owed to a mailbox that shows none", n)
	}
	k.opened(stranger, "Anderes", "Und das?")
	if list := k.mirrorings(); len(list) != 0 {
		t.Errorf("owed although turned off: %+v", list)
	}
	k.healthy()
}

// TestMirrorErased: what was erased is owed no more, and nothing of it is kept. S-181
func TestMirrorErased(t *testing.T) {
	k := mirrorKit(t)
	id, _ := k.opened(kunde, "Drucker", "Er druckt nicht.")
	other, _ := k.opened(stranger, "Anderes", "Und das?")
	k.carryOutMirror()
	list := k.mirrorings()
	if len(list) != 0 {
		t.Fatalf("owed: %+v", list)
	}
	err := k.store.Update(context.Background(), func(tx *Tx) error {
		m, err := tx.TicketMessages(id)
		if err != nil {
			return err
		}
		stand, err := tx.stand(&m[0])
		after := stand
		after.Lost = true
		if err == nil {
			err = tx.putStand(&m[0], stand, after)
		}
		if err != nil {
			return err
		}
		return tx.oweMirror(id)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.desk.Erase(context.Background(), Person{Address: kunde}, testRandom(2), false); err != nil {
		t.Fatal(err)
	}
	if w := k.mirrorWaiting(); w.Tickets != 0 || w.Lost != 0 {
		t.Errorf("waiting %+v after the person was erased", w)
	}
	k.healthy()
	stands := 0
	if err := k.store.View(func(tx *Tx) error {
		return tx.each(bucketStands, nil, func(_, _ []byte) (bool, error) { stands++; return true, nil })
	}); err != nil || stands != 1 {
		t.Errorf("%d messages stand somewhere, want that of ticket %d alone (%v)", stands, other, err)
	}
}

// TestMirrorDoctor: what shows something else than the ticket, and is not owed, is found; so is what is owed of nothing.
func TestMirrorDoctor(t *testing.T) {
	k := mirrorKit(t)
	id, _ := k.opened(kunde, "Drucker", "Er druckt nicht.")
	k.carryOutMirror()
	k.healthy()
	err := k.store.Update(context.Background(), func(tx *Tx) error {
		m, err := tx.TicketMessages(id)
		if err != nil {
			return err
		}
		stand, err := tx.stand(&m[0])
		if err != nil {
			return err
		}
		after := stand
		after.Put = &Put{MirrorWish: MirrorWish{Keywords: []string{"$sd-solved"}}}
		if err := tx.putStand(&m[0], stand, after); err != nil {
			return err
		}
		if _, err := tx.add(countLostMails+"support", 1); err != nil {
			return err
		}
		return tx.oweMirror(4711)
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := k.store.Doctor(context.Background())
	all := strings.Join(d.Problems, "\n")
	for _, want := range []string{"does not show in mailbox", "ticket 4711, which is not there", "0 messages of mailbox \"support\" are not where they were"} {
		if err != nil || !strings.Contains(all, want) {
			t.Errorf("doctor does not find %q: %v\n%s", want, err, all)
		}
	}
}
