package tickets

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// S-169: backups that are made while mail comes in restore to desks that doctor accepts, and that hold what the backup says.
func TestBackupUnderLoad_S169(t *testing.T) {
	k := newKit(t)
	ctx, cancel := context.WithCancel(context.Background())
	var batches []Batch
	for i := range 400 {
		m := k.mail(kunde, "Nummer "+itoa(i), strings.Repeat("x", 500))
		if i%7 == 6 {
			batches = append(batches, batches[i-1]) // settled before
			batches[i].Messages[0].Source.UID = uint32(i + 1)
		}
		batches = append(batches, batchOf(Incoming{Source: Source{"support", testValidity, uint32(i + 1)}, Arrived: k.clock.Now(), Raw: rawOf(m), Message: m}))
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, b := range batches {
			if _, err := k.desk.Receive(context.Background(), b); err != nil || ctx.Err() != nil {
				return
			}
		}
	})
	dir := t.TempDir()
	for i := range 8 {
		file := filepath.Join(dir, itoa(i)+".tar")
		report, err := k.store.Backup(ctx, file, k.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Size() != report.Bytes || info.Mode().Perm() != 0o600 {
			t.Errorf("%+v, %v, %v", report, info, err)
		}
		target := filepath.Join(dir, "state"+itoa(i))
		if _, err := Restore(target, file, k.clock.Now()); err != nil {
			t.Fatal(err)
		}
		s, err := OpenStore(target, k.options())
		if err != nil {
			t.Fatal(err)
		}
		healthy(t, s)
		if err := s.View(func(tx *Tx) error {
			if n := tx.counter("tickets"); n != report.Tickets {
				t.Errorf("%d tickets, the report says %d", n, report.Tickets)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	cancel()
	wg.Wait()
	k.healthy()
}

// S-034: after a restore nothing leaves until it is released, what the mailbox still has is read again, and nothing that
// was numbered since the backup is numbered so again.
func TestRestore_S034(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "vor der Sicherung", "x")
	k.receive(k.mail(kunde, "nicht mehr verschickt", "y"))
	file := filepath.Join(t.TempDir(), "backup.tar")
	if _, err := k.store.Backup(context.Background(), file, k.clock.Now()); err != nil {
		t.Fatal(err)
	}
	k.deliver()
	lost, lostMails := k.opened("verloren@customer.example", "nach der Sicherung", "z")
	number := k.ticket(lost).Number
	ids := map[string]bool{}
	for _, d := range append(sent, lostMails...) {
		ids[d.MessageID] = true
	}
	k.store.Close()
	replaced, err := Restore(k.dir, file, k.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(replaced, deskFile)); err != nil {
		t.Errorf("the old desk is not in %s: %v", replaced, err)
	}
	k.open()
	k.place(testValidity)
	k.healthy()
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("sent before the release: %s", summary(sent))
	}
	// An agent's answer to the notice about the lost ticket must not reach whoever gets a ticket now.
	other := k.receive(k.mail(kollegin, "ganz anderes", "w"))
	if other.Result != Created || other.Ticket <= lost || k.ticket(other.Ticket).Number == number {
		t.Errorf("%+v, number %s, the lost ticket was %d, %s", other, k.ticket(other.Ticket).Number, lost, number)
	}
	out := k.receive(k.reply(mailTo(t, lostMails, anna, TemplateTicketToTeam), anna, "CANARY nur für den Verlorenen"))
	if out.Ticket == other.Ticket {
		t.Errorf("%+v", out)
	}
	n, err := k.desk.ReleaseOutbox(context.Background())
	if err != nil || n == 0 {
		t.Errorf("released %d, %v", n, err)
	}
	k.clock.move(time.Minute)
	after := k.deliver()
	if len(after) < n {
		t.Errorf("%d of %d released mails left", len(after), n)
	}
	for _, d := range after {
		if d.Recipient == kollegin {
			absentFrom(t, []delivered{d}, "CANARY")
		}
		if d.Ticket == other.Ticket && ids[d.MessageID] {
			t.Errorf("Message-ID %s is used again", d.MessageID)
		}
	}
	// What was given up as lost comes in again from the mailbox.
	if out := k.receive(k.mail("verloren@customer.example", "nach der Sicherung", "noch einmal")); out.Result != Created {
		t.Errorf("%+v", out)
	}
	if len(k.deliver()) == 0 {
		t.Error("nothing leaves after the release")
	}
	k.healthy()
}

func TestRestoreRefuses(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "Drucker", "x")
	dir := t.TempDir()
	good := filepath.Join(dir, "good.tar")
	if _, err := k.store.Backup(context.Background(), good, k.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := k.store.Backup(context.Background(), "relative.tar", k.clock.Now()); err == nil {
		t.Error("a relative path was taken")
	}
	if _, err := k.store.Backup(context.Background(), filepath.Join(dir, "none", "x.tar"), k.clock.Now()); err == nil {
		t.Error("a folder that is not there was taken")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := k.store.Backup(ctx, filepath.Join(dir, "cancelled.tar"), k.clock.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".backup-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	k.store.Close()
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "half": whole[:len(whole)/2], "start": whole[:1000],
		"evil path":    tarOf(t, map[string]string{"../evil": "x", deskFile: "x", keyFile: "{}"}),
		"evil archive": tarOf(t, map[string]string{"mail/../../evil.db": "x"}), "folder": tarOf(t, map[string]string{"mail/a/b.db": "x"}),
		"no keys": tarOf(t, map[string]string{deskFile: "x"}), "no desk": tarOf(t, map[string]string{keyFile: "{}"}),
		"garbage inside": tarOf(t, map[string]string{deskFile: strings.Repeat("x", 100000), keyFile: "{}"}),
		"damaged desk":   bytes.Replace(whole, []byte("\xed\xda\x0c\xed"), []byte("\xed\xda\x0c\xee"), 2),
	} {
		file := filepath.Join(dir, name+".tar")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(k.dir, file, k.clock.Now()); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Restore(k.dir, filepath.Join(dir, "missing.tar"), k.clock.Now()); err == nil {
		t.Error("a missing file was restored")
	}
	if left, _ := filepath.Glob(filepath.Join(k.dir, ".restore-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	k.open()
	k.expectState(id, StateNew)
	k.healthy()
}

func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		if err := errors.Join(w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}), write(w, content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(w io.Writer, s string) error {
	_, err := io.WriteString(w, s)
	return err
}

// What owes after a restore stays held one by one until it is tried on purpose.
func TestRetryOfAHeldMail(t *testing.T) {
	k := newKit(t)
	k.receive(k.mail(kunde, "Drucker", "x"))
	file := filepath.Join(t.TempDir(), "b.tar")
	if _, err := k.store.Backup(context.Background(), file, k.clock.Now()); err != nil {
		t.Fatal(err)
	}
	k.store.Close()
	if _, err := Restore(k.dir, file, k.clock.Now()); err != nil {
		t.Fatal(err)
	}
	k.open()
	var first Outgoing
	if err := k.store.View(func(tx *Tx) error {
		all, err := tx.Outbox(false)
		first = all[0]
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := k.desk.RetryOutgoing(context.Background(), first.ID); err != nil {
		t.Fatal(err)
	}
	if sent := k.deliver(); len(sent) != 1 || sent[0].ID != first.ID {
		t.Errorf("sent %s", summary(sent))
	}
	k.healthy()
}
