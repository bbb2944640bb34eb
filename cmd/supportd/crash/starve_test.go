//go:build linux && crash

package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// limitFiles sets how many descriptors a process may have; those it has it keeps. It returns what the limit was.
func limitFiles(pid int, most uint64) (before syscall.Rlimit, err error) {
	limit := func(fresh *syscall.Rlimit, old *syscall.Rlimit) error {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_NOFILE, uintptr(unsafe.Pointer(fresh)), uintptr(unsafe.Pointer(old)), 0, 0)
		if errno != 0 {
			return fmt.Errorf("limit the descriptors of process %d: %w", pid, errno)
		}
		return nil
	}
	if err := limit(nil, &before); err != nil {
		return before, err
	}
	return before, limit(&syscall.Rlimit{Cur: min(most, before.Max), Max: before.Max}, nil)
}

// The desk runs out of descriptors again and again, sooner or later in what it does: it stays up, and when there are
// some again, it goes on by itself.
// S-161
func TestDescriptorsRunOut(t *testing.T) {
	t.Parallel()
	random, seed := seeded(t)
	r := embeddedRig(t, RigOptions{Dir: stateRoot(t), Rand: random, FirstResponse: 3})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if err := r.feed(2); err != nil {
		t.Fatal(err)
	}
	const rounds = 8
	pid := r.Desk.cmd.Process.Pid
	for round := range rounds {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			t.Fatal(err)
		}
		before, err := limitFiles(pid, uint64(random.IntN(len(open))))
		if err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 {
			r.imap.Reset() // it has to connect anew, and cannot
			r.smtp.Reset()
		}
		for range 3 {
			if err := r.Put(); err != nil {
				t.Fatal(err)
			}
		}
		pause(1500 * time.Millisecond)
		select {
		case <-r.Desk.Done():
			t.Fatalf("seed %d, round %d: the desk ended: %s\n%s", seed, round, r.Desk.cmd.ProcessState, r.Desk.tail())
		default:
		}
		if _, err := limitFiles(pid, before.Cur); err != nil {
			t.Fatal(err)
		}
		if err := r.Rest(time.Minute); err != nil {
			t.Fatalf("seed %d, round %d: %v", seed, round, err)
		}
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Desk.Log(), "too many open files") {
		t.Error("the desk never ran out of descriptors: this test proves nothing")
	}
	wrong, n, err := r.Judge()
	if err != nil {
		t.Fatal(err)
	}
	complain(t, wrong)
	report(t, "without descriptors %d times, %d mails into %d tickets, %d mails out with %d further copies, in one life of the desk; seed %d",
		rounds, n.Mails, n.Tickets, n.Handed, n.Copies, seed)
}

// A file system that is read-only when the desk starts: it ends at once, says so, and has changed nothing; once it can be
// written to, the desk goes on.
// S-160
func TestReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	dir, ok := smallDisk(t, "size=64m")
	if !ok {
		return
	}
	r := embeddedRig(t, RigOptions{Dir: dir, Rand: rand.New(rand.NewPCG(6, 6))})
	r.Mail.Plain = true
	const rounds = 5
	for range rounds {
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
		if err := r.feed(2); err != nil {
			t.Fatal(err)
		}
		if err := r.Stop(); err != nil {
			t.Fatal(err)
		}
		remount(t, dir, syscall.MS_RDONLY)
		if err := r.Put(); err != nil {
			t.Fatal(err)
		}
		if state := run(t, r.Desk, nil, "run"); state.ExitCode() != 2 || !strings.Contains(r.Desk.Log(), "read-only file system") {
			t.Errorf("on a read-only file system the desk ended with %s\n%s", state, r.Desk.Log())
		}
		remount(t, dir, 0)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if err := r.feed(1); err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	wrong, n, err := r.Judge()
	if err != nil {
		t.Fatal(err)
	}
	complain(t, wrong)
	report(t, "read-only at %d starts, each refused; %d mails into %d tickets", rounds, n.Mails, n.Tickets)
}

func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size=64m"); err != nil {
		t.Fatalf("mount %s anew: %v", dir, err)
	}
}
