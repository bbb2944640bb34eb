package tickets

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

// past makes imported mail of messages, numbered from first on, each an hour after the one before.
func (k *kit) past(run Import, first uint32, mails ...*Message) []PastMail {
	var list []PastMail
	for i, m := range mails {
		n := first + uint32(i)
		list = append(list, PastMail{
			Incoming: Incoming{Source: run.SourceOf(n), Arrived: m.Date, Size: m.Size, Raw: rawOf(m), Message: m},
			Verdict:  fakeClassifier{}.Classify(m, Hints{}),
		})
	}
	return list
}

// old is a mail of long ago.
func (k *kit) old(from, subject, text string, at time.Time, refers ...*Message) *Message {
	return k.mail(from, subject, text, func(m *Message) {
		m.Date = at
		for _, r := range refers {
			m.References = append(m.References, r.ID)
			m.InReplyTo = []string{r.ID}
		}
	})
}

func (k *kit) startImport(name string, change ...func(*Import)) Import {
	k.Helper()
	want := Import{Mailbox: "support", Source: sha256.Sum256([]byte(name)), ClosedAs: "imported"}
	for _, c := range change {
		c(&want)
	}
	run, err := k.desk.StartImport(context.Background(), want)
	if err != nil {
		k.Fatal(err)
	}
	return run
}

func (k *kit) importAll(run Import, mails ...PastMail) []Outcome {
	k.Helper()
	out, err := k.desk.Import(context.Background(), run, mails, mails[len(mails)-1].Source.UID)
	if err != nil {
		k.Fatal(err)
	}
	return out
}

func TestImportedThreadIsAClosedTicket(t *testing.T) {
	k := newKit(t)
	start := time.Date(2019, 5, 3, 8, 0, 0, 0, time.UTC)
	q := k.old(kunde, "Drucker", "Der Drucker brennt.", start)
	a := k.old(deskAddress, "AW: Drucker", "Bitte löschen.", start.Add(time.Hour), q)
	a.To = []Address{{Mail: kunde}}
	n := k.old(anna, "WG: Drucker", "Das wird teuer.", start.Add(2*time.Hour), a)
	n.To = []Address{{Mail: ben}}
	c := k.old(kollegin, "AW: Drucker", "Danke euch.", start.Add(40*24*time.Hour), a)
	run := k.startImport("a")
	out := k.importAll(run, k.past(run, 1, q, a, n, c)...)
	k.expect(out[0], Created, 1)
	for _, o := range out[1:] {
		k.expect(o, Appended, 1)
	}
	ticket := k.ticket(1)
	if ticket.State != StateClosed || ticket.Number != "NW-2019-000001" || !ticket.Created.Equal(start) || !ticket.ClosedAt.Equal(c.Date) ||
		ticket.Requester.Mail != kunde || ticket.LastPublic != "Bitte löschen." || ticket.Resolution != "Bitte löschen." || ticket.LastCustomer != "Der Drucker brennt." ||
		len(ticket.Clocks) != 0 || fmt.Sprint(ticket.Tags) != "[imported]" {
		t.Errorf("ticket %+v", ticket)
	}
	var kinds []EntryKind
	for _, e := range k.entries(1) {
		kinds = append(kinds, e.Kind)
	}
	if got := fmt.Sprint(kinds); got != "[created received answered noted received]" {
		t.Errorf("entries %s", got)
	}
	months, err := k.store.mail.months()
	if err != nil || fmt.Sprint(months) != "[2019-05 2019-06]" {
		t.Errorf("months %v, %v", months, err)
	}
	k.clock.move(365 * 24 * time.Hour)
	k.tick()
	if sent := k.deliver(); len(sent) != 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.healthy()
}

// What was imported is a duplicate when it is imported again, and when the mailbox shows it; and the other way round.
func TestImportKnowsWhatIsThere_S030(t *testing.T) {
	k := newKit(t)
	at := k.clock.Now().Add(-48 * time.Hour)
	q := k.old(kunde, "Eins", "x", at)
	live := k.mail(stranger, "Zwei", "y")
	k.receive(live)
	run := k.startImport("a")
	out := k.importAll(run, k.past(run, 1, q, live)...)
	k.expect(out[0], Created, 2)
	k.expect(out[1], Duplicate, 1)
	if err := k.desk.FinishImport(context.Background(), run.ID); err != nil {
		t.Fatal(err)
	}
	again := k.startImport("a")
	if again.ID == run.ID || again.Next != 1 {
		t.Errorf("a finished import goes on: %+v", again)
	}
	out = k.importAll(again, k.past(again, 1, q, live)...)
	k.expect(out[0], Duplicate, 2)
	k.expect(out[1], Duplicate, 1)
	k.expect(k.receive(q), Duplicate, 2)
	if b := k.books(); b.Seen != 6 || b.Created != 2 || b.Duplicates != 4 {
		t.Errorf("books %+v", b)
	}
	k.healthy()
}

// Past mail joins a ticket of today only when its author takes part in it: a reference proves nothing (S-089).
func TestImportIntoTicketsThatAreThere_S089(t *testing.T) {
	k := newKit(t)
	live := k.mail(kunde, "Heute", "x")
	id := k.receive(live).Ticket
	mails := k.deliver()
	before := k.ticket(id)
	at := k.clock.Now().Add(-24 * time.Hour)
	mine := k.old(kunde, "Gestern", "dazu", at, live)
	theirs := k.old(stranger, "Gestern", "ich auch", at, live)
	own := k.reply(mailTo(t, mails, kunde, TemplateAckNew), kunde, "AW")
	run := k.startImport("a")
	out := k.importAll(run, k.past(run, 1, mine, theirs, own)...)
	k.expect(out[0], Appended, id)
	k.expect(out[1], Created, 2)
	k.expect(out[2], Appended, id)
	after := k.ticket(id)
	if after.State != before.State || after.LastCustomer != before.LastCustomer || fmt.Sprint(after.Clocks) != fmt.Sprint(before.Clocks) || fmt.Sprint(after.Thread) != fmt.Sprint(before.Thread) {
		t.Errorf("the ticket changed:\n%+v\n%+v", before, after)
	}
	if sent := k.deliver(); len(sent) != 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.healthy()
}

func TestImportFilesWhatNoPersonWrote(t *testing.T) {
	k := newKit(t)
	at := k.clock.Now().Add(-24 * time.Hour)
	q := k.old(kunde, "Eins", "x", at)
	away := k.old(kunde, "Abwesend", "bin weg", at.Add(time.Hour), q)
	autoReply(away)
	spam := k.old(stranger, "Gewinn", "Sie haben", at)
	with(fieldQuarantine, "it looks like spam")(spam)
	inside := k.old(anna, "Kantine", "Mittag?", at)
	inside.To = []Address{{Mail: ben}}
	outbound := k.old(anna, "Ihr Angebot", "anbei", at)
	outbound.To = []Address{{Name: "Kundin", Mail: kollegin}}
	run := k.startImport("a")
	out := k.importAll(run, k.past(run, 1, q, away, spam, inside, outbound)...)
	for i, want := range []Result{Created, Filed, Filed, Filed, Created} {
		if out[i].Result != want {
			t.Errorf("message %d is %s (%s), want %s", i+1, out[i].Result, out[i].Why, want)
		}
	}
	if r := k.ticket(2).Requester; r.Mail != kollegin {
		t.Errorf("the customer of an answer without a question is %+v", r)
	}
	if got := len(k.held()); got != 0 {
		t.Errorf("%d mails are held", got)
	}
	k.healthy()
}

// An import that was cut short goes on under its number; a rehearsal keeps nothing; a mail that cannot be read
// stops no other.
func TestImportGoesOn_S139(t *testing.T) {
	k := newKit(t)
	ctx := context.Background()
	at := k.clock.Now().Add(-24 * time.Hour)
	one, two, three := k.old(kunde, "Eins", "x", at), k.old(kunde, "Zwei", "x", at), k.old(kunde, "Drei", "x", at)
	run := k.startImport("a", func(i *Import) { i.Category = "drucker" })
	batch := []PastMail{k.past(run, 1, one, two, three)[0]}
	var seen []Outcome
	err := k.desk.RehearseImport(ctx, run, func() ([]PastMail, error) { b := batch; batch = nil; return b, nil }, func(o []Outcome) { seen = append(seen, o...) })
	if err != nil || len(seen) != 1 || seen[0].Result != Created || k.books().Seen != 0 {
		t.Fatalf("rehearsal: %v, %+v, %+v", err, seen, k.books())
	}
	k.importAll(run, k.past(run, 1, one)...)
	k.reopen()
	again := k.startImport("a")
	if again.ID != run.ID || again.Next != 2 || again.Category != "drucker" {
		t.Fatalf("goes on as %+v", again)
	}
	mails := k.past(again, 1, one, two, three)
	mails[1].Message, mails[1].Raw = nil, nil
	out := k.importAll(again, mails...)
	if out[0].Result != Created || out[1].Result != Failed || out[2].Result != Created {
		t.Errorf("%+v", out)
	}
	if got := k.ticket(1).Category; got != "drucker" {
		t.Errorf("category %q", got)
	}
	if b := k.books(); b.Seen != 3 || b.Balance() != 0 {
		t.Errorf("books %+v", b)
	}
	k.healthy()
}
