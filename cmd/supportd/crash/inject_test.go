//go:build linux && crash

package crash

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// System calls fail while mail comes in: write and sync errors end the desk and nothing is written after them, a full
// disk only holds it up, and after a clean start everything is as if nothing had happened.
// S-156 S-157 S-158 S-160 S-161
func TestSyscallErrors(t *testing.T) {
	t.Parallel()
	if !traceable(t) {
		return
	}
	random, seed := seeded(t)
	p, root := built(t), stateRoot(t)
	var mu sync.Mutex
	hits, exits, full, tried, wrong := 0, 0, 0, 0, 0
	const lastSyncs = 8
	kinds := map[string]int{}
	var workers sync.WaitGroup
	for range 5 {
		workers.Go(func() {
			for {
				mu.Lock()
				// A thread that makes too few calls is never hit: such a run counts for nothing, and there must not be too many.
				if hits >= *errorsFlag || tried >= 4**errorsFlag || t.Failed() {
					mu.Unlock()
					return
				}
				i := Injections(random)
				if tried < lastSyncs { // a commit that fails at its very end, which chance meets rarely
					i = Injection{Call: "fdatasync", Error: "EDQUOT", Nth: 5 + tried}
				}
				dir := filepath.Join(root, strconv.Itoa(tried))
				tried++
				mu.Unlock()
				err := os.Mkdir(dir, 0o700)
				var out Injected
				if err == nil {
					out, err = Inject(p, dir, i)
				}
				mu.Lock()
				if err != nil {
					t.Errorf("%s: %v", i, err)
				}
				if len(out.Wrong) > 0 {
					wrong++
				}
				for _, w := range out.Wrong {
					t.Errorf("%s: %s", i, w)
				}
				if out.Hit {
					hits++
					kinds[i.Call]++
					if out.Exited {
						exits++
					} else if i.Full() {
						full++
					}
				}
				mu.Unlock()
				os.RemoveAll(dir)
			}
		})
	}
	workers.Wait()
	if hits < *errorsFlag {
		t.Errorf("only %d of %d runs met their error", hits, tried)
	}
	report(t, "%d failing calls %v: %d ended the desk, %d were a full disk that it outlived, the rest harmless; %d wrong; seed %d",
		hits, kinds, exits, full, wrong, seed)
}

// A disk that fills up and gets room again, twenty times: the desk stays up, shows what it has, takes nothing in that it
// cannot keep, and goes on by itself.
// S-158 S-159
func TestDiskFillsAndEmpties(t *testing.T) {
	t.Parallel()
	dir, ok := smallDisk(t, "size=48m")
	if !ok {
		return
	}
	r := embeddedRig(t, RigOptions{Dir: dir, Rand: rand.New(rand.NewPCG(5, 5))})
	r.Mail.Plain = true
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if err := r.feed(1); err != nil {
		t.Fatal(err)
	}
	const rounds = 20
	for range rounds {
		ballast := filepath.Join(dir, "ballast")
		fill(t, ballast)
		if err := r.Put(); err != nil {
			t.Fatal(err)
		}
		before := len(r.Mail.Sent()) - 1
		err := r.Desk.Await(bounded(), "the desk to say that the disk is full", func(s Status) bool {
			return len(s.Mailboxes) == 1 && s.Mailboxes[0].Error != "" && s.Books.Seen == uint64(before)
		})
		if err != nil {
			t.Fatal(err)
		}
		var list []struct{ Number string }
		if err := r.Desk.Ask(bounded(), "ticket.list", map[string]bool{"all": true}, &list); err != nil || len(list) != before {
			t.Fatalf("on a full disk %d of %d tickets are listed: %v", len(list), before, err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if err := r.Rest(time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	wrong, n, err := r.Judge()
	if err != nil {
		t.Fatal(err)
	}
	complain(t, wrong)
	report(t, "filled and freed %d times, %d mails into %d tickets, in one life of the desk", rounds, n.Mails, n.Tickets)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
}
