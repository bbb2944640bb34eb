//go:build unix

package tickets

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childRole names the variable that makes the test program a process that is killed or starved.
const childRole = "SUPPORTD_TEST_CHILD"

// TestMain lets the test program serve as the process that is killed or starved. No test leaves a goroutine behind.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role))
	}
	goleak.VerifyTestMain(m)
}

// runChild is the other process: "receive DIR" takes mail in until it is killed, "limited DIR" until a file may not grow,
// "import DIR" imports past mail.
func runChild(role string) int {
	name, dir, _ := strings.Cut(role, " ")
	var err error
	switch name {
	case "receive":
		err = childReceive(dir)
	case "import":
		err = childImport(dir)
	case "limited":
		err = childLimited(dir)
	default:
		err = fmt.Errorf("no such role: %q", name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func childDesk(dir string) (*Desk, *fakeClock, error) {
	clock := &fakeClock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	s, err := OpenStore(dir, Options{Now: clock.Now, Random: testRandom(1)})
	if err != nil {
		return nil, nil, err
	}
	d := NewDesk(s, testRules(), clock.Now, quiet())
	d.Read = readTestMessage
	return d, clock, nil
}

// childBatch is the n-th batch of the mailbox; it is the same in every process.
func childBatch(n int, at time.Time) Batch {
	var in []Incoming
	for i := range 4 {
		uid := uint32(n*4 + i + 1)
		m := childMessage(uid)
		in = append(in, Incoming{Source: Source{"support", testValidity, uid}, Arrived: at, Raw: rawOf(m), Message: m})
	}
	return batchOf(in...)
}

func childMessage(uid uint32) *Message {
	k := &kit{clock: &fakeClock{now: time.Unix(1772442000, 0)}, made: int(uid)}
	n := uid
	if uid%9 == 8 {
		n--
		k.made-- // the one before, once more
	}
	return k.mail(fmt.Sprintf("kunde%d@customer.example", n%50), fmt.Sprintf("Nummer %d", n), strings.Repeat("x", int(n%17)*300))
}

// childReceive goes on where the mailbox's place is, delivers now and then, and says how far it is.
func childReceive(dir string) error {
	d, clock, err := childDesk(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	p, err := d.Place(ctx, "support", testValidity)
	if err != nil {
		return err
	}
	for n := int(p.Next-1) / 4; ; n++ {
		if _, err := d.Receive(ctx, childBatch(n, clock.Now())); err != nil {
			return err
		}
		fmt.Println(n)
		if n%3 == 0 {
			if err := childDeliver(ctx, d, clock.Now()); err != nil {
				return err
			}
		}
		clock.move(time.Minute)
		if _, err := d.Tick(ctx); err != nil {
			return err
		}
	}
}

func childDeliver(ctx context.Context, d *Desk, now time.Time) error {
	due, _, err := d.Due(ctx, now, 10)
	if err != nil {
		return err
	}
	var attempts []Attempt
	var ends []Delivery
	for _, o := range due {
		attempts = append(attempts, Attempt{ID: o.ID, At: now, Next: now.Add(time.Minute)})
		ends = append(ends, Delivery{ID: o.ID, At: now, Result: ResultSent})
	}
	if err := d.Attempt(ctx, attempts); err != nil {
		return err
	}
	return d.Settle(ctx, ends)
}

func child(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childRole+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// S-033, S-035: whenever the process is killed, the store opens, doctor accepts it, no batch that was reported is missing,
// and in the end it holds what a desk holds that was never killed.
func TestKilledWhileReceiving_S033_S035(t *testing.T) {
	const seed, kills = 33, 16
	rnd := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	reached := -1
	for round := range kills {
		cmd := child(t, "receive "+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, left := bufio.NewScanner(out), 1+rnd.IntN(12)
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("seed %d round %d: the child said %q", seed, round, lines.Text())
			}
			reached = n
			if left--; left == 0 {
				time.Sleep(time.Duration(rnd.IntN(4000)) * time.Microsecond) // somewhere in the next batch
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("seed %d round %d: the child ended by itself: %v", seed, round, err)
		}
		d, _, err := childDesk(dir)
		if err != nil {
			t.Fatalf("seed %d round %d: %v", seed, round, err)
		}
		healthy(t, d.Store)
		if p, err := d.Place(context.Background(), "support", testValidity); err != nil || int(p.Next) < reached*4+5 {
			t.Errorf("seed %d round %d: batch %d was reported, the place is %+v, %v", seed, round, reached, p, err)
		}
		if err := d.Store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	killed, clock, err := childDesk(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer killed.Store.Close()
	straight, _, err := childDesk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer straight.Store.Close()
	ctx := context.Background()
	if _, err := straight.Place(ctx, "support", testValidity); err != nil {
		t.Fatal(err)
	}
	for n := range reached + 2 {
		for _, d := range []*Desk{killed, straight} {
			if _, err := d.Receive(ctx, childBatch(n, clock.Now())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a, b := outcomeDump(t, killed), outcomeDump(t, straight); a != b {
		t.Errorf("seed %d: killed %d times the desk is not what it is otherwise:\n%s\n%s", seed, kills, a, b)
	}
	t.Logf("seed %d: killed %d times over %d messages", seed, kills, reached*4)
}

// outcomeDump is what does not depend on when things happened.
func outcomeDump(t *testing.T, d *Desk) string {
	t.Helper()
	var b strings.Builder
	err := d.Store.View(func(tx *Tx) error {
		fmt.Fprintf(&b, "%+v\n", tx.Books())
		mails := map[TicketID]int{}
		all, err := tx.Outbox(true)
		if err != nil {
			return err
		}
		for _, o := range all {
			if o.Template == TemplateTicketToTeam {
				mails[o.Ticket]++
			}
		}
		return tx.Tickets(true, func(tk *Ticket) (bool, error) {
			fmt.Fprintf(&b, "%d %s %s %s %s %d\n", tk.ID, tk.Number, tk.State, tk.Requester.Mail, tk.Subject, mails[tk.ID])
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// childLimited takes mail in until the system refuses a write that is not for want of room (EFBIG), and checks from
// there: the store stops, reading goes on, and nothing is ever committed again, also when writing were possible.
func childLimited(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	d, clock, err := childDesk(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if _, err := d.Place(ctx, "support", testValidity); err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	limited := old
	limited.Cur = 300 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		return err
	}
	var done Books
	for n := 0; ; n++ {
		_, err := d.Receive(ctx, childBatch(n, clock.Now()))
		if err == nil {
			if err := d.Store.View(func(tx *Tx) error { done = tx.Books(); return nil }); err != nil {
				return err
			}
			continue
		}
		if !errors.Is(err, ErrStopped) || errors.Is(err, ErrFull) {
			return fmt.Errorf("batch %d: %w, want it to stop the store", n, err)
		}
		break
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	select {
	case <-d.Store.Failed():
	default:
		return errors.New("nobody is told that the store has stopped")
	}
	for range 3 {
		if _, err := d.Receive(ctx, childBatch(1000, clock.Now())); !errors.Is(err, ErrStopped) {
			return fmt.Errorf("after the write error: %v", err)
		}
		if err := d.Store.Update(ctx, func(tx *Tx) error { return tx.log(clock.Now(), "x", "y") }); !errors.Is(err, ErrStopped) {
			return fmt.Errorf("an update after the write error: %v", err)
		}
	}
	var now Books
	if err := d.Store.View(func(tx *Tx) error { now = tx.Books(); return nil }); err != nil || now != done {
		return fmt.Errorf("read %+v after the error, %+v before it, %w", now, done, err)
	}
	fmt.Println(done.Seen)
	return nil
}

// S-156, S-157 (P4): after a write error nothing is committed any more; a restart redoes what was under way, once.
func TestWriteErrorStopsTheStore_S156_S157(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "limited "+dir).Output()
	if err != nil {
		t.Fatalf("the child: %v", err)
	}
	seen, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatalf("the child said %q", out)
	}
	d, clock, err := childDesk(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Store.Close()
	healthy(t, d.Store)
	for n := range seen/4 + 3 {
		if _, err := d.Receive(context.Background(), childBatch(n, clock.Now())); err != nil {
			t.Fatal(err)
		}
	}
	healthy(t, d.Store)
	if err := d.Store.View(func(tx *Tx) error {
		if b := tx.Books(); int(b.Seen) != (seen/4+3)*4 {
			t.Errorf("books %+v after %d messages before the error", b, seen)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
