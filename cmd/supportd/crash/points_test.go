//go:build linux && crash

package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"supportd/mailin/imaptest"
)

var failpointCall = regexp.MustCompile(`\bFailpoint\("([a-z.]+)"\)`)

// failpoints reads the names of all failpoints from the sources, sorted.
func failpoints(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, room := range []string{"tickets", "mailin", "mailout", "cmd"} {
		err := filepath.WalkDir(filepath.Join("../../..", room), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(p) != ".go" || strings.HasSuffix(p, "_test.go") {
				return err
			}
			text, err := os.ReadFile(p)
			for _, m := range failpointCall.FindAllSubmatch(text, -1) {
				names = append(names, string(m[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(names)
	if n := len(slices.Compact(slices.Clone(names))); n != len(names) || n < 30 {
		t.Fatalf("%d failpoints with %d names: want at least 30, each once", len(names), n)
	}
	return names
}

// shortCut are the failpoints of commands that work on a desk that does not run: the tests …CutShort come by them.
var shortCut = regexp.MustCompile(`^(restore|erase|rewrite|retention|import)\.`)

// sweep is what it takes to come by some of the failpoints.
type sweep struct {
	points        string // expression that the names match
	after         string
	noMove        bool
	copies        bool
	mirror        bool
	firstResponse int
	act           func(r *Rig) error // while the desk runs
}

func sweeps() []sweep {
	return []sweep{
		{points: `^(create|claim|place|follow|fetch|queue|archive|commit|intake|attempt|settle|send|run)\.`, after: "leave"},
		{points: `^file\.(begin|done)$`, after: "move"},
		{points: `^file\.(copied|marked)$`, after: "move", noMove: true},
		{points: `^(copy|copied)\.`, after: "leave", copies: true},
		{points: `^mirror\.(note|flags|intended|moved)$`, after: "leave", mirror: true},
		{points: `^mirror\.(copied|marked)$`, after: "leave", mirror: true, noMove: true},
		{points: `^tick\.`, after: "flag", firstResponse: 1},
		{points: `^missed\.`, after: "leave", act: refused},
		{points: `^release\.`, after: "leave", act: released},
		{points: `^reload\.`, after: "leave", act: reloaded},
		{points: `^backup\.`, after: "leave", act: backedUp},
	}
}

// The program ends at each of its failpoints, as kill -9 would end it there, and after the next start everything is as
// if that had not happened.
// S-001 S-033 S-035 S-157 S-165 S-166 S-175
func TestEveryFailpoint(t *testing.T) {
	t.Parallel()
	programs, names := built(t), failpoints(t)
	tried := 0
	t.Run("points", func(t *testing.T) {
		for _, name := range names {
			if shortCut.MatchString(name) {
				continue
			}
			i := slices.IndexFunc(sweeps(), func(s sweep) bool { return regexp.MustCompile(s.points).MatchString(name) })
			if i < 0 {
				t.Errorf("failpoint %s: no test comes by it", name)
				continue
			}
			tried++
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				sweeps()[i].run(t, programs, name)
			})
		}
	})
	if !t.Failed() {
		report(t, "%d failpoints, the desk died at each and went on as if it had not", tried)
	}
}

func (s sweep) run(t *testing.T, programs *Programs, point string) {
	servers, err := StartEmbedded(imaptest.Options{NoMove: s.noMove}, deskUser)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRig(RigOptions{Programs: programs, Servers: servers, Dir: stateRoot(t), Rand: rand.New(rand.NewPCG(1, 1)), After: s.after, Copies: s.copies, Mirror: s.mirror, FirstResponse: s.firstResponse})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	r.Mail.Plain = true
	for range 3 {
		if err := r.Put(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Start("SUPPORTD_FAIL_AT=" + point); err != nil {
		t.Fatal(err)
	}
	if s.act != nil {
		if err := s.act(r); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	state, err := r.Desk.Wait(ctx)
	if err != nil {
		t.Fatalf("the desk never came by: %v", err)
	}
	if status, ok := state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the desk ended with %s\n%s", state, r.Desk.tail())
	}
	if err := r.Kill(); err != nil { // notes how this life ended
		t.Fatal(err)
	}
	r.Servers.(*embedded).imap.SetFaults(imaptest.Faults{})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if err := r.Rest(time.Minute); err != nil {
		t.Fatal(err)
	}
	if s.mirror {
		shown(t, r)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	wrong, _, err := r.Judge()
	if err != nil {
		t.Fatal(err)
	}
	complain(t, wrong)
}

// shown waits until every mail shows its ticket, in the folder that it belongs to, and stands there once.
func shown(t *testing.T, r *Rig) {
	t.Helper()
	server, want := r.Servers.(*embedded).imap, len(r.Mail.Sent())
	var inbox, done []imaptest.Message
	for deadline := time.Now().Add(2 * time.Minute); ; pause(100 * time.Millisecond) {
		var err, err2 error
		inbox, err = server.Messages(deskUser, "INBOX")
		if done, err2 = server.Messages(deskUser, "Done"); errors.Join(err, err2) != nil {
			t.Fatal(errors.Join(err, err2))
		}
		known := 0
		for _, m := range done {
			if slices.Contains(m.Flags, "$sd-new") {
				known++
			}
		}
		if len(inbox) == 0 && len(done) == want && known == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d mails in INBOX, %d in Done, %d of them show their ticket; want all %d there", len(inbox), len(done), known, want)
		}
	}
}

// refused: the server does not hand out a message.
func refused(r *Rig) error {
	r.Servers.(*embedded).imap.SetFaults(imaptest.Faults{Refuse: map[uint32]string{4: "not now"}})
	return r.Put()
}

// released: a mail that was held is let in.
func released(r *Rig) error {
	if err := r.Rest(time.Minute); err != nil {
		return err
	}
	if err := r.PutHeld(); err != nil {
		return err
	}
	if err := r.Rest(time.Minute); err != nil {
		return err
	}
	var held []struct{ ID uint64 }
	if err := r.Desk.Ask(context.Background(), "quarantine.list", struct{}{}, &held); err != nil {
		return err
	}
	if len(held) != 1 {
		return fmt.Errorf("%d mails are held, want 1", len(held))
	}
	// The desk ends before it answers.
	_ = r.Desk.Ask(context.Background(), "quarantine.release", map[string]uint64{"id": held[0].ID}, nil)
	return nil
}

// reloaded: the configuration changes.
func reloaded(r *Rig) error {
	if err := r.Rest(time.Minute); err != nil {
		return err
	}
	text, err := os.ReadFile(r.Desk.Config())
	if err != nil {
		return err
	}
	changed := strings.Replace(string(text), "poll: 1s", "poll: 2s", 1)
	if err := os.WriteFile(r.Desk.Config(), []byte(changed), 0o600); err != nil {
		return err
	}
	return r.Desk.Signal(syscall.SIGHUP)
}

// backedUp: a backup is written.
func backedUp(r *Rig) error {
	if err := r.Rest(time.Minute); err != nil {
		return err
	}
	// The desk ends before it answers.
	_ = r.Desk.Ask(context.Background(), "backup", map[string]string{"file": filepath.Join(r.Desk.Dir, "backup.tar")}, nil)
	return nil
}

// A restore that ends at any of its failpoints leaves a desk that is the old one, the restored one, or refused; never an
// empty one. Restoring once more brings everything back.
// S-034 S-164 S-169
func TestRestoreCutShort(t *testing.T) {
	t.Parallel()
	r, backup := deskWithBackup(t)
	points := 0
	for _, name := range failpoints(t) {
		for nth := 1; strings.HasPrefix(name, "restore.") && nth <= 3; nth++ {
			d := copied(t, r.Desk)
			if err := d.Run([]string{fmt.Sprintf("SUPPORTD_FAIL_AT=%s:%d", name, nth)}, "restore", backup, "--yes", "--state", d.State()); err != nil {
				t.Fatal(err)
			}
			state, err := d.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if state.Success() && nth > 1 {
				break // it is passed less often
			}
			if status, ok := state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("%s: restore ended with %s\n%s", name, state, d.tail())
			}
			points++
			s, err := r.Inspects.Check(d.State())
			switch {
			case err != nil:
				t.Fatal(err)
			case s.OpenError == "" && len(s.Tickets) == 0:
				t.Errorf("%s %d: the desk is empty", name, nth)
			case s.OpenError == "":
				complain(t, s.faults())
			}
			if err := d.Run(nil, "restore", backup, "--yes", "--state", d.State()); err != nil {
				t.Fatal(err)
			}
			if state, err := d.Wait(t.Context()); err != nil || !state.Success() {
				t.Fatalf("%s %d: restoring again: %v %v\n%s", name, nth, state, err, d.tail())
			}
			again, err := r.Inspects.Check(d.State())
			if err != nil {
				t.Fatal(err)
			}
			complain(t, again.faults())
			if len(again.Tickets) != 3 {
				t.Errorf("%s %d: %d tickets after restoring again, want 3", name, nth, len(again.Tickets))
			}
		}
	}
	if !t.Failed() {
		report(t, "a restore died at %d places; nothing was lost at any", points)
	}
}

// deskWithBackup makes a desk with three tickets, and a backup of it. The desk does not run any more.
func deskWithBackup(t *testing.T) (*Rig, string) {
	t.Helper()
	r := embeddedRig(t, RigOptions{Dir: stateRoot(t), Rand: rand.New(rand.NewPCG(1, 1)), After: "leave"})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	r.Mail.Plain = true
	for range 3 {
		if err := r.Put(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Rest(time.Minute); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup.tar")
	if err := r.Desk.Ask(t.Context(), "backup", map[string]string{"file": backup}, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	return r, backup
}

// The release knows nothing of failpoints: neither the variable nor a name stands in its binary.
// S-199
func TestReleaseHasNoFailpoints(t *testing.T) {
	p := built(t)
	release, err := os.ReadFile(p.Release)
	if err != nil {
		t.Fatal(err)
	}
	failing, err := os.ReadFile(p.Failing)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range append(failpoints(t), "SUPPORTD_FAIL_AT") {
		if bytes.Contains(release, []byte(word)) {
			t.Errorf("the release contains %q", word)
		}
		if !bytes.Contains(failing, []byte(word)) {
			t.Errorf("the build for this test does not contain %q", word)
		}
	}
}
