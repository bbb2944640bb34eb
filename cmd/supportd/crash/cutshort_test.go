//go:build linux && crash

package crash

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// dies runs a command of the program that dies at a failpoint when it comes by for the nth time, on a copy of a desk's
// folder. ok is false when the command came by less often and ended well.
func dies(t *testing.T, of *Desk, point string, nth int, args ...string) (d *Desk, ok bool) {
	t.Helper()
	d = copied(t, of)
	state := run(t, d, []string{fmt.Sprintf("SUPPORTD_FAIL_AT=%s:%d", point, nth)}, args...)
	if state.Success() && nth > 1 {
		return d, false
	}
	if status, is := state.Sys().(syscall.WaitStatus); !is || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%s %d: supportd %s ended with %s\n%s", point, nth, args[0], state, d.tail())
	}
	return d, true
}

// copied is a copy of a desk that does not run.
func copied(t *testing.T, of *Desk) *Desk {
	t.Helper()
	d := &Desk{Binary: of.Binary, Dir: stateRoot(t)}
	err := os.CopyFS(d.Dir, os.DirFS(of.Dir))
	if err == nil {
		err = os.Chmod(filepath.Join(d.Dir, "pw"), 0o600) // rights are not copied
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// run runs a command of the program on the desk's folder to its end.
func run(t *testing.T, d *Desk, env []string, args ...string) *os.ProcessState {
	t.Helper()
	if err := d.Run(env, append(args, "-c", d.Config())...); err != nil {
		t.Fatal(err)
	}
	state, err := d.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// goes is run of a command that has to end well.
func goes(t *testing.T, d *Desk, args ...string) {
	t.Helper()
	if state := run(t, d, nil, args...); !state.Success() {
		t.Fatalf("supportd %s ended with %s\n%s", args[0], state, d.tail())
	}
}

// cutShort calls each for every failpoint of a kind, and for every time that the command comes by. It returns how many
// there were.
func cutShort(t *testing.T, of *Desk, points string, args []string, each func(name string, d *Desk)) int {
	t.Helper()
	died := 0
	for _, name := range failpoints(t) {
		for nth := 1; regexp.MustCompile(points).MatchString(name) && nth <= 3; nth++ {
			d, ok := dies(t, of, name, nth, args...)
			if !ok {
				break
			}
			died++
			each(fmt.Sprintf("%s %d", name, nth), d)
		}
	}
	return died
}

// An erasure that ends at any of its failpoints leaves a sound desk. The next start finishes what had begun: of who was
// erased from the records nothing is left in the files; before that point the erasure has not begun, and can be made again.
// S-179 S-169
func TestEraseCutShort(t *testing.T) {
	t.Parallel()
	r, _ := deskWithBackup(t)
	gone, stays := r.Mail.Sent()[0], r.Mail.Sent()[1]
	args := []string{"erase", gone.From, "--yes"}
	died := cutShort(t, r.Desk, `^(erase|rewrite)\.`, args, func(name string, d *Desk) {
		goes(t, d, "doctor") // the start finishes what had begun
		for _, step := range []string{"after the next start", "erased again"} {
			if files := filesWith(t, d.State(), gone.From, gone.Serial); len(files) > 0 {
				t.Errorf("%s, %s: %s stands in %v", name, step, gone.From, files)
			}
			if files := filesWith(t, d.State(), stays.From); len(files) == 0 {
				t.Errorf("%s, %s: %s is gone, too", name, step, stays.From)
			}
			s, err := r.Inspects.Check(d.State())
			if err != nil {
				t.Fatal(err)
			}
			complain(t, s.faults())
			if len(s.Tickets) != 2 {
				t.Errorf("%s, %s: %d tickets, want 2", name, step, len(s.Tickets))
			}
			goes(t, d, args...)
		}
	})
	if files := filesWith(t, r.Desk.State(), gone.From, gone.Serial); len(files) == 0 {
		t.Errorf("%s stood nowhere: this test proves nothing", gone.From)
	}
	report(t, "an erasure died at %d places; the next start left nothing of the person, and everything of the others", died)
}

// filesWith lists the files in a folder that hold one of the words.
func filesWith(t *testing.T, dir string, words ...string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, w := range words {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(w))) {
				found = append(found, path)
				break
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// An import of past mail that ends at any of its failpoints goes on when it is started again: each mail makes one ticket,
// and nobody is written to.
// S-033 S-166
func TestImportCutShort(t *testing.T) {
	t.Parallel()
	r, _ := deskWithBackup(t)
	var box bytes.Buffer
	const mails = 40
	for i := range mails {
		s := &Sent{Serial: fmt.Sprintf("p%05d", i), From: fmt.Sprintf("frueher%d@customer.example", i), ID: fmt.Sprintf("p%d@customer.example", i)}
		fmt.Fprintf(&box, "From %s Mon Jan  5 10:00:00 2026\n%s\n", s.From, bytes.ReplaceAll(r.Mail.mail(s, r.Mail.Address, "Frueher "+s.Serial, "", "Alter Text"), []byte("\r\n"), []byte("\n")))
	}
	if err := os.WriteFile(filepath.Join(r.Desk.Dir, "past.mbox"), box.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	died := 0
	for _, name := range failpoints(t) {
		if !strings.HasPrefix(name, "import.") {
			continue
		}
		d := copied(t, r.Desk)
		source := filepath.Join(d.Dir, "past.mbox")
		if state := run(t, d, []string{"SUPPORTD_FAIL_AT=" + name}, "import", source); state.Success() {
			t.Errorf("%s: the import ended well", name)
		}
		died++
		if s, err := r.Inspects.Check(d.State()); err != nil {
			t.Fatal(err)
		} else {
			complain(t, s.faults())
		}
		goes(t, d, "import", source)
		s, err := r.Inspects.Check(d.State())
		if err != nil {
			t.Fatal(err)
		}
		complain(t, s.faults())
		serials := map[string]int{}
		for _, m := range s.Messages {
			serials[m.Serial]++
		}
		for i := range mails {
			if n := serials[fmt.Sprintf("p%05d", i)]; n != 1 {
				t.Errorf("%s: past mail %d stands in %d records", name, i, n)
			}
		}
		for _, o := range s.Outbox {
			if strings.HasPrefix(o.Recipient, "frueher") {
				t.Errorf("%s: %s was written to", name, o.Recipient)
			}
		}
		if len(s.Tickets) != 3+mails {
			t.Errorf("%s: %d tickets, want %d", name, len(s.Tickets), 3+mails)
		}
	}
	report(t, "an import died at %d places and went on; %d mails, each in one record", died, mails)
}

// What retention removes, and a run of it that ends before the files are written anew: the next start does that.
// S-198
func TestRetentionCutShort(t *testing.T) {
	t.Parallel()
	r, _ := deskWithBackup(t)
	text, err := os.ReadFile(r.Desk.Config())
	if err == nil {
		err = os.WriteFile(r.Desk.Config(), append(text, "retention: {spam: 30d}\n"...), 0o600)
	}
	old := &Sent{Serial: "alt00001", From: "abwesend@customer.example", ID: "alt1@customer.example"}
	err = errors.Join(err, fileLongAgo(r.Desk.State(), r.Mail.mail(old, r.Mail.Address, "Abwesend", "Auto-Submitted: auto-replied\r\n", "Ich bin nicht da."), time.Now().AddDate(0, -2, 0)))
	if err != nil {
		t.Fatal(err)
	}
	if files := filesWith(t, r.Desk.State(), old.Serial); len(files) == 0 {
		t.Fatal("the old mail stands nowhere: this test proves nothing")
	}
	died := cutShort(t, r.Desk, `^(retention|rewrite)\.`, []string{"retention", "--apply"}, func(name string, d *Desk) {
		goes(t, d, "doctor")
		if files := filesWith(t, d.State(), old.Serial, old.From); len(files) > 0 {
			t.Errorf("%s: what was kept long enough still stands in %v", name, files)
		}
		s, err := r.Inspects.Check(d.State())
		if err != nil {
			t.Fatal(err)
		}
		complain(t, s.faults())
		if len(s.Tickets) != 3 {
			t.Errorf("%s: %d tickets, want 3", name, len(s.Tickets))
		}
	})
	report(t, "retention died at %d places; the next start left nothing of what had to go", died)
}

// fileLongAgo makes a desk that does not run take an automatic mail in, as if it had come at an earlier time: it is filed
// without a ticket.
func fileLongAgo(state string, raw []byte, at time.Time) (err error) {
	then := func() time.Time { return at }
	store, err := tickets.OpenStore(state, tickets.Options{Now: then, Random: rand.Reader})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	rules := &tickets.Rules{Calendar: tickets.AroundTheClock{}, Classifier: automatic{}}
	desk := tickets.NewDesk(store, rules, then, slog.New(slog.DiscardHandler))
	if _, err := desk.Place(context.Background(), "past", 1); err != nil {
		return err
	}
	in := tickets.Incoming{Source: tickets.Source{Mailbox: "past", UIDValidity: 1, UID: 1}, Arrived: at, Size: int64(len(raw)), Raw: raw, Message: mailin.Parse(raw, at)}
	out, err := desk.Receive(context.Background(), tickets.Batch{Mailbox: "past", UIDValidity: 1, Messages: []tickets.Incoming{in}})
	if err == nil && (len(out) != 1 || out[0].Result != tickets.Filed) {
		err = fmt.Errorf("the mail became %+v", out)
	}
	return err
}

// automatic takes every mail for an automatic one.
type automatic struct{}

// Classify implements tickets.Classifier.
func (automatic) Classify(*tickets.Message, tickets.Hints) tickets.Verdict {
	return tickets.Verdict{Kind: tickets.KindAutoReply}
}
