package tickets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	sabine     = "Sabine.Krause@muster.example"
	sabineName = "Sabine Krause"
	sabineLine = "Der Drucker im dritten Stock riecht nach Lavendel und summt."
)

func bySabine(m *Message) {
	m.From = []Address{{Name: sabineName, Mail: sabine}}
	m.ID = "sabines-own-" + m.ID
}

// sabinesDesk is a desk on which a person has left traces in every place there is.
func sabinesDesk(t testing.TB) (k *kit, own, others TicketID, first *Message) {
	k = newKit(t)
	address := strings.ToLower(sabine)
	first = k.mail(address, "Drucker", sabineLine+"\nViele Grüße\n"+sabineName, bySabine)
	own = k.receive(first).Ticket
	sent := k.deliver()
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "Bitte lüften."))
	k.afterUndo()
	others, sent = k.opened(kollegin, "Auch der Drucker", "Sabine hat recht.\n> "+sabineLine+"\nFragt "+strings.ToUpper(sabine)+" oder Krause, Sabine.")
	// She writes on her colleague's ticket, is held, let in, and takes part from then on.
	ack := mailTo(t, sent, kollegin, TemplateAckNew)
	k.receive(k.reply(ack, address, "Ja, Lavendel. Das kann ich nur bestätigen, ganz bestimmt.", bySabine))
	if _, err := k.desk.Release(context.Background(), k.held()[0].ID, "the test"); err != nil {
		t.Fatal(err)
	}
	k.receive(k.reply(ack, address, "Und noch etwas von mir, wieder mit Lavendel im Text.", bySabine))
	spam := k.mail(address, "Gewinn", "Hier wirbt Sabine Krause für sich selbst.", bySabine, with(fieldQuarantine, "it looks like spam"))
	k.receive(spam)
	if err := k.store.Update(context.Background(), func(tx *Tx) error {
		return tx.log(k.clock.Now(), "mail.given_up", "to "+sabine+": no such mailbox")
	}); err != nil {
		t.Fatal(err)
	}
	k.opened(stranger, "Etwas anderes", "Das hat mit ihr nichts zu tun. Grüße an josabine.krause@muster.example und Sabine Krausemann.")
	k.receive(k.mail(kunde, "Offen", "Diese Antwort wartet noch im Ausgang."))
	k.healthy()
	return k, own, others, first
}

// traceless fails the test when any of the texts stands in any file below dir, in any case.
func traceless(t testing.TB, dir string, texts ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b = bytes.ToLower(b)
		for _, text := range texts {
			if i := bytes.Index(b, []byte(strings.ToLower(text))); i >= 0 {
				t.Errorf("%q stands in %s: …%q…", text, filepath.Base(path), b[max(0, i-60):min(len(b), i+100)])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// S-179, S-180: after an erasure nothing of the person stands in any file, free pages included; everybody else's tickets
// are there, the audit trail holds, and the certificate names nobody.
func TestErase_S179_S180(t *testing.T) {
	k, own, others, _ := sabinesDesk(t)
	before := k.books()
	preview, err := k.desk.Erase(context.Background(), Person{Address: sabine}, testRandom(3), true)
	if err != nil {
		t.Fatal(err)
	}
	if !preview.Preview || len(preview.Tickets) != 1 || len(preview.Names) != 1 || preview.Names[0] != sabineName || preview.Removed.Messages != 3 || preview.Removed.Raw != 1 {
		t.Errorf("preview %+v", preview)
	}
	if k.ticket(own).Subject != "Drucker" {
		t.Error("the preview changed something")
	}
	done, err := k.desk.Erase(context.Background(), Person{Address: " " + sabine}, testRandom(3), false)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(done.Salt + "\n" + strings.ToLower(sabine)))
	if done.Subject != hex.EncodeToString(sum[:]) || done.Removed.Tickets != 1 || len(done.Left) != 0 || len(done.Rewritten) != 2 || len(done.Names) != 0 {
		t.Errorf("certificate %+v", done)
	}
	check := func() {
		t.Helper()
		k.healthy()
		if after := k.books(); after.Balance() != 0 || after.Seen != before.Seen {
			t.Errorf("books %+v, before %+v", after, before)
		}
		if _, err := k.recall(own); err == nil {
			t.Error("her ticket is still there")
		}
		left := k.ticket(others)
		if left.Requester.Mail != kollegin || !strings.Contains(left.Subject, "Auch der Drucker") || !strings.HasPrefix(k.entries(others)[1].Text, "Sabine hat recht.\n[erased]\nFragt [erased] oder [erased].") {
			t.Errorf("her colleague's ticket: %+v\n%q", left, k.entries(others)[1].Text)
		}
	}
	check()
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	traceless(t, k.dir, "\x00"+sabine, `"`+sabine, " "+sabine, sabineName+`"`, sabineName+" f", sabineName+`\n`, sabineLine, "Lavendel", "sabines-own-", "Gewinn", "wirbt")
	k.open()
	check()
	viewed(t, k.store, func(tx *Tx) error {
		return tx.each(bucketEntries, nil, func(_, v []byte) (bool, error) {
			if bytes.Contains(v, []byte("Bitte lüften")) {
				t.Error("an answer to her is still there")
			}
			return true, nil
		})
	})
	// Who only has a similar address or name is still there.
	if text := k.entries(others + 1)[1].Text; !strings.Contains(text, "josabine.krause@muster.example und Sabine Krausemann") {
		t.Errorf("somebody else was erased: %q", text)
	}
	if sent := k.deliver(); len(to(sent, kunde)) != 1 {
		t.Errorf("the mail that waited: %s", summary(sent))
	}
}

func (k *kit) recall(id TicketID) (t *Ticket, err error) {
	err = k.store.View(func(tx *Tx) error { t, err = tx.Ticket(id); return err })
	return t, err
}

// S-181: erased mail that is still on the server is not taken in again, under other numbers either; a reply to an erased
// ticket opens a new one (S-098).
func TestErasedMailStaysOut_S181_S098(t *testing.T) {
	k := newKit(t)
	m := k.mail(strings.ToLower(sabine), "Drucker", sabineLine, bySabine)
	id := k.receive(m).Ticket
	ack := mailTo(t, k.deliver(), strings.ToLower(sabine), TemplateAckNew)
	if _, err := k.desk.Erase(context.Background(), Person{Address: sabine}, testRandom(3), false); err != nil {
		t.Fatal(err)
	}
	k.place(testValidity + 1)
	in := k.incoming(m)
	in.Source.UIDValidity++
	k.expect(k.receiveAll(in)[0], Duplicate, 0)
	out := k.receiveAll(Incoming{Source: Source{"support", testValidity + 1, 50}, Arrived: k.clock.Now(), Raw: []byte("{}"), Message: k.reply(ack, strings.ToLower(sabine), "Nochmal")})
	if out[0].Result != Created || out[0].Ticket == id {
		t.Errorf("a reply to an erased ticket is %+v", out[0])
	}
	k.healthy()
}

// Nobody of the desk can be erased, and no nonsense either.
func TestEraseRefuses(t *testing.T) {
	k := newKit(t)
	for address, want := range map[string]string{anna: "only customers", deskAddress: "only customers", "nonsense": "no address", "a b@c.example": "character"} {
		if _, err := k.desk.Erase(context.Background(), Person{Address: address}, testRandom(3), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}

// A process that ends between the records and the files leaves it to the next start; what was half written goes.
func TestEraseIsFinishedAtTheNextStart_S179(t *testing.T) {
	k, _, _, _ := sabinesDesk(t)
	h := &hunt{desk: k.desk, address: strings.ToLower(sabine)}
	e := Erasure{At: k.clock.Now()}
	if err := k.desk.eraseRows(context.Background(), h, &e); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(k.dir, deskFile+compactSuffix)
	if err := os.WriteFile(half, []byte(sabineName+`"`), 0o600); err != nil {
		t.Fatal(err)
	}
	k.reopen()
	k.healthy()
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	traceless(t, k.dir, `"`+sabine, sabineName+`"`, sabineLine, "Lavendel")
	k.open()
}

// Work goes on while the files are rewritten: readers keep the file they have, and what is written meanwhile is there.
func TestRewriteWhileWorking(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "Eins", "x")
	begun, end := make(chan struct{}), make(chan struct{})
	read := make(chan error)
	go func() {
		read <- k.store.View(func(tx *Tx) error {
			close(begun)
			<-end
			_, err := tx.Ticket(id)
			return err
		})
	}()
	<-begun
	ctx := context.Background()
	if err := k.store.Update(ctx, func(tx *Tx) error { return tx.rewriteLater(nil) }); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := k.store.Rewrite(ctx); err != nil {
			t.Fatal(err)
		}
		k.opened(kunde, "Nummer "+itoa(i), "Text "+itoa(i))
	}
	k.clock.move(time.Hour)
	close(end)
	if err := <-read; err != nil {
		t.Error(err)
	}
	k.reopen()
	k.healthy()
	if n := k.ticketCount(); n != 4 {
		t.Errorf("%d tickets", n)
	}
}
