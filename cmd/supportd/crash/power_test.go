//go:build linux && crash

package crash

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"supportd/mailin/imaptest"
)

// traceable reports whether system calls can be traced. Where everything has to be there, they must.
func traceable(t *testing.T) bool {
	t.Helper()
	err := StraceAvailable()
	if err != nil && os.Getenv("SUPPORTD_REAL_SERVERS") == "1" {
		t.Fatalf("SUPPORTD_REAL_SERVERS=1, but %v", err)
	}
	if err != nil {
		report(t, "nothing was tried: %v", err)
	}
	return err == nil
}

// The power fails at any moment of a desk's life, on a disk that keeps what was synced and anything of the rest: from its
// first start on the desk is there, sound, and knows what it had told anybody. A disk that ignores syncs of files has to
// be found out.
// S-155 S-157 S-165 S-166
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	if !traceable(t) {
		return
	}
	random, seed := seeded(t)
	recording := recordDesk(t)
	commits, syncs := recording.Syncs("state/desk.db")
	if commits < 10 || syncs < 2*commits {
		t.Errorf("S-155 %d commits to desk.db with %d syncs", commits, syncs)
	}
	e := &Explorer{Recording: recording, Rand: random}
	if e.Cuts() < 100 {
		t.Fatalf("only %d moments were recorded", e.Cuts())
	}
	differences, err := e.Same()
	if err != nil || len(differences) > 0 {
		t.Fatalf("the recording does not lead to what is on the disk: %v %v", differences, err)
	}
	scratch := stateRoot(t)
	began := time.Now()
	found, err := Explore(e, *statesFlag, scratch, built(t).Inspect, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range found {
		if i < 5 {
			t.Errorf("cut %d of %d, choice %d: %v", f.Cut, e.Cuts(), f.Choice, f.Wrong)
		}
	}
	took := time.Since(began)
	control := &Explorer{Recording: recording, Rand: random, NoSync: true}
	lying, err := Explore(control, max(*statesFlag/20, 100), scratch, built(t).Inspect, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(lying) == 0 {
		t.Error("a disk that ignores syncs was not found out: this test proves nothing")
	}
	report(t, "%d states at %d moments in %s, %d wrong; control without syncs: %d of %d wrong; %d commits, %d syncs; seed %d",
		*statesFlag, e.Cuts(), took.Round(time.Second), len(found), len(lying), max(*statesFlag/20, 100), commits, syncs, seed)
}

// recordDesk records a desk from its first start on: customers and agents write, a backup is made, it is started again.
func recordDesk(t *testing.T) *Recording {
	t.Helper()
	servers, err := StartEmbedded(imaptest.Options{}, deskUser)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRig(RigOptions{Programs: built(t), Servers: servers, Dir: stateRoot(t), Rand: rand.New(rand.NewPCG(7, 7)), After: "flag"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	recording, err := NewRecording(r.Desk.Dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Desk.Binary = built(t).Release
	for life, mails := range [][]int{{1, 3, 6}, {5, 1}} {
		trace := filepath.Join(t.TempDir(), "trace")
		r.Desk.Wrap = TraceWrap(trace)
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
		for _, n := range mails {
			for range n {
				if err := r.Put(); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Rest(time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if life == 0 {
			if err := r.Desk.Ask(t.Context(), "backup", map[string]string{"file": filepath.Join(r.Desk.Dir, "backup.tar")}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := recording.Read(trace); err != nil {
			t.Fatal(err)
		}
	}
	return recording
}

// The power fails at any moment of a restore: the desk is the old one, the restored one, or refused, and never empty;
// once the restore has ended, it is the restored one.
// S-034 S-164
func TestPowerLossInRestore(t *testing.T) {
	t.Parallel()
	if !traceable(t) {
		return
	}
	random, seed := seeded(t)
	r, backup := deskWithBackup(t)
	recording, err := NewRecording(r.Desk.Dir)
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	d := &Desk{Binary: built(t).Release, Dir: r.Desk.Dir, Wrap: TraceWrap(trace)}
	if err := d.Run(nil, "restore", backup, "--yes", "--state", d.State()); err != nil {
		t.Fatal(err)
	}
	if state, err := d.Wait(t.Context()); err != nil || !state.Success() {
		t.Fatalf("restore: %v %v\n%s", state, err, d.tail())
	}
	if err := recording.Read(trace); err != nil {
		t.Fatal(err)
	}
	e := &Explorer{Recording: recording, Rand: random}
	var refused atomic.Int64
	states := max(*statesFlag/10, 2*e.Cuts())
	found, err := Explore(e, states, stateRoot(t), built(t).Inspect, func(s *State, found Snapshot) []string {
		switch {
		case found.OpenError != "" && !s.Whole:
			refused.Add(1)
			return nil
		case found.OpenError == "" && len(found.Tickets) != 3:
			return []string{"the desk has lost its tickets"}
		}
		return found.faults()
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range found {
		if i < 5 {
			t.Errorf("cut %d of %d, choice %d: %v", f.Cut, e.Cuts(), f.Choice, f.Wrong)
		}
	}
	report(t, "%d states at %d moments, %d refused with a message, %d wrong; seed %d", states, e.Cuts(), refused.Load(), len(found), seed)
}
