//go:build linux && crash

package crash

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"supportd/mailin/imaptest"
)

// kill -9, at failpoints and at any time, while customers and agents write, servers restart and connections break: no
// mail is lost or settled twice, every mail that is owed arrives, and arrives twice only when there was a reason.
// S-001 S-025 S-033 S-035 S-036 S-037 S-169 S-171
func TestKill(t *testing.T) {
	t.Parallel()
	kinds := map[string]func() (Servers, error){"embedded": func() (Servers, error) { return StartEmbedded(imaptest.Options{}, deskUser) }}
	if err := Installed(); err == nil {
		kinds["dovecot and postfix"] = StartInstalled
	} else if os.Getenv("SUPPORTD_REAL_SERVERS") == "1" {
		t.Fatalf("SUPPORTD_REAL_SERVERS=1, but %v", err)
	}
	for name, start := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers, err := start()
			if err != nil {
				t.Fatal(err)
			}
			killLoop(t, servers, *killsFlag/len(kinds))
		})
	}
}

// killed are the points that a desk with mail to do comes by, each life.
func killed(t *testing.T) []string {
	return slices.DeleteFunc(failpoints(t), func(p string) bool {
		return !regexp.MustCompile(`^(commit|archive|intake|attempt|settle|tick|follow|fetch|queue|file|send|run)\.`).MatchString(p) ||
			slices.Contains([]string{"archive.made", "archive.renamed", "file.copied", "file.marked"}, p)
	})
}

func killLoop(t *testing.T, servers Servers, kills int) {
	random, seed := seeded(t)
	r, err := NewRig(RigOptions{Programs: built(t), Servers: servers, Dir: stateRoot(t), Rand: random, After: "flag", FirstResponse: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	k := &KillLoop{Rig: r, Rand: random, Points: killed(t)}
	var n Count
	place := uint32(0)
	backups := 0
	for k.Kills < kills {
		// In quiet windows everything has to come to rest, and to be right.
		for window := min(kills, k.Kills+50); k.Kills < window; {
			if err := k.Once(6); err != nil {
				t.Fatalf("seed %d, after %d kills: %v", seed, k.Kills, err)
			}
		}
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
		if err := r.Rest(5 * time.Minute); err != nil {
			t.Fatalf("seed %d, after %d kills: %v", seed, k.Kills, err)
		}
		backup := filepath.Join(t.TempDir(), "backup.tar")
		if err := r.Desk.Ask(t.Context(), "backup", map[string]string{"file": backup}, nil); err != nil {
			t.Error(err)
		}
		if err := r.Stop(); err != nil {
			t.Fatal(err)
		}
		wrong, count, err := r.Judge()
		if err != nil {
			t.Fatal(err)
		}
		complain(t, wrong)
		n = count
		restoreElsewhere(t, r, backup)
		backups++
		place = placeAfter(t, r, place)
		if t.Failed() {
			t.Fatalf("seed %d, after %d kills", seed, k.Kills)
		}
	}
	report(t, "%d kills %v, %d mails into %d tickets, %d mails out with %d further copies, 0 lost, %d backups restored, slowest start %s; seed %d",
		k.Kills, k.Faults, n.Mails, n.Tickets, n.Handed, n.Copies, backups, k.Slowest.Round(time.Millisecond), seed)
}

// restoreElsewhere restores a backup into an empty folder: it has to be a sound desk with all its tickets.
func restoreElsewhere(t *testing.T, r *Rig, backup string) {
	t.Helper()
	d := &Desk{Binary: r.Desk.Binary, Dir: t.TempDir()}
	if err := d.Run(nil, "restore", backup, "--yes", "--state", d.State()); err != nil {
		t.Fatal(err)
	}
	state, err := d.Wait(t.Context())
	if err != nil || !state.Success() {
		t.Fatalf("restore: %v %v\n%s", state, err, d.tail())
	}
	s, err := r.Inspects.Check(d.State())
	if err != nil {
		t.Fatal(err)
	}
	complain(t, s.faults())
	now, err := r.Inspects.Check(r.Desk.State())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Tickets) != len(now.Tickets) || len(s.Messages) != len(now.Messages) {
		t.Errorf("the backup has %d tickets and %d messages, the desk %d and %d", len(s.Tickets), len(s.Messages), len(now.Tickets), len(now.Messages))
	}
}

// placeAfter: O8, the place in a mailbox never moves back.
func placeAfter(t *testing.T, r *Rig, before uint32) uint32 {
	t.Helper()
	s, err := r.Inspects.Check(r.Desk.State())
	if err != nil {
		t.Fatal(err)
	}
	p := s.Places[deskUser]
	if p.Next < before || len(p.Holes) > 0 {
		t.Errorf("O8 the place is before UID %d with %d holes, it was before %d", p.Next, len(p.Holes), before)
	}
	return p.Next
}
