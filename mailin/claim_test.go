package mailin_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// claims is what a desk knows of its claims, in memory.
type claims struct {
	mu sync.Mutex
	c  tickets.Claim
}

func (k *claims) Claim(context.Context, string) (tickets.Claim, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.c
	c.Tokens = append([]string(nil), c.Tokens...)
	return c, nil
}

func (k *claims) Claiming(_ context.Context, _, token string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c.Tokens = append(k.c.Tokens, token)
	return nil
}

func (k *claims) Claimed(context.Context, string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c.Take = false
	return nil
}

func (k *claims) take() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c.Take = true
}

// copied is what a copy of the desk knows.
func (k *claims) copied() *claims {
	c, _ := k.Claim(context.Background(), "")
	return &claims{c: c}
}

// claimant is a Poller that claims its mailbox as name.
func claimant(port int, d *desk, k *claims, name string) *mailin.Poller {
	p := newPoller(port, d)
	p.Mailbox.Claim = "supportd"
	p.Claims, p.ClaimAs, p.Random = k, name, rand.Reader
	p.Timing.TakeOver = 20 * time.Millisecond
	return p
}

// once fails the test unless every mail of 1 to n was settled by exactly one of the desks, and no two have any.
func once(t *testing.T, n int, desks ...*desk) {
	t.Helper()
	seen := map[string]int{}
	for _, d := range desks {
		for _, k := range d.list() {
			seen[string(k.Raw)]++
		}
	}
	for i := 1; i <= n; i++ {
		if got := seen[string(mail(i))]; got != 1 {
			t.Errorf("mail %d was settled %d times, want once", i, got)
		}
	}
}

// TestTwoDesksAtOnce: S-168. Of two desks with stores of their own that start at the same moment, one reads the mailbox;
// the other says who does, and what to do.
func TestTwoDesksAtOnce(t *testing.T) {
	for round := range 20 {
		s := startServer(t, imaptest.Options{})
		appendMails(t, s, 1, 50)
		a, b := newDesk(), newDesk()
		pa, pb := claimant(s.Port(), a, &claims{}, "left:/var/lib/a"), claimant(s.Port(), b, &claims{}, "right:/var/lib/b")
		stopA, stopB := run(t, pa), run(t, pb)
		eventually(t, "one of them reads, and the other does not", func() bool {
			return pa.Status().Claimed != pb.Status().Claimed && len(a.list())+len(b.list()) >= 50
		})
		appendMails(t, s, 51, 60)
		eventually(t, "later mail", func() bool { return len(a.list())+len(b.list()) >= 60 })
		stopA()
		stopB()
		once(t, 60, a, b)
		loser, winner := pa, "right"
		if len(b.list()) == 0 {
			loser, winner = pb, "left"
		} else if len(a.list()) != 0 {
			t.Fatalf("round %d: both read: %d and %d mails", round, len(a.list()), len(b.list()))
		}
		if e := loser.Status().Error; !strings.Contains(e, winner) || !strings.Contains(e, "supportd claim support") {
			t.Fatalf("the loser says %q", e)
		}
		if list := messages(t, s, "supportd"); len(list) != 1 {
			t.Errorf("%d claims stay in the folder, want one", len(list))
		}
	}
}

// TestRestartOfADesk: a desk goes on from its own claim, also when the process ended before it was noted as made.
func TestRestartOfADesk(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	d, k := newDesk(), &claims{}
	for i := 1; i <= 5; i++ {
		appendMails(t, s, i, i)
		stop := run(t, claimant(s.Port(), d, k, "here"))
		d.waitFor(t, "mail", count(i))
		stop()
		k.c.Tokens = k.c.Tokens[max(0, len(k.c.Tokens)-2):]
		if err := k.Claiming(t.Context(), "support", fmt.Sprintf("%032d", i)); err != nil { // and never made
			t.Fatal(err)
		}
	}
	if list := messages(t, s, "supportd"); len(list) != 1 {
		t.Errorf("%d claims stay in the folder, want one", len(list))
	}
}

// TestCopyOfADesk: S-168. A copy that knows the present claim takes the mailbox, and the desk that it was copied from
// stops reading; one that was made before the last claim does not get it.
func TestCopyOfADesk(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	a, k := newDesk(), &claims{}
	old := &claims{}
	appendMails(t, s, 1, 5)
	pa := claimant(s.Port(), a, k, "original")
	run(t, pa)
	a.waitFor(t, "mail", count(5))

	b := newDesk()
	pb := claimant(s.Port(), b, k.copied(), "copy")
	pb.Mailbox.Since = time.Now().Add(time.Hour) // what was there is settled in the copied store
	run(t, pb)
	eventually(t, "the copy reads", func() bool { return pb.Status().Connected && pb.Status().LastUID == 5 })
	appendMails(t, s, 6, 6)
	eventually(t, "the original noticed", func() bool { return pa.Status().Claimed })
	if e := pa.Status().Error; !strings.Contains(e, "copy") {
		t.Errorf("the original says %q", e)
	}
	if n := len(a.list()); n != 5 {
		t.Errorf("the original settled %d, want the 5 from before", n)
	}
	pc := claimant(s.Port(), newDesk(), old, "older copy")
	run(t, pc)
	eventually(t, "the older copy is refused", func() bool { return pc.Status().Claimed })
}

// TestTakeOver: S-168. By order a desk takes the mailbox from one that runs; of the mail that comes in from then on none is
// settled twice.
func TestTakeOver(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	a, b := newDesk(), newDesk()
	pa := claimant(s.Port(), a, &claims{}, "old machine")
	run(t, pa)
	appendMails(t, s, 1, 20)
	a.waitFor(t, "mail", count(20))
	kb := &claims{}
	pb := claimant(s.Port(), b, kb, "new machine")
	pb.Timing.TakeOver = 2 * time.Second // a busy machine may be at one batch for long
	wake := make(chan struct{}, 1)
	pb.Wake = wake
	b.settleAs(t, a) // the store was moved with all it knew
	run(t, pb)
	eventually(t, "the new one is refused", func() bool { return pb.Status().Claimed })
	kb.take()
	wake <- struct{}{}
	eventually(t, "the new one has the mailbox", func() bool { c, _ := kb.Claim(t.Context(), ""); return !c.Take })
	for i := 21; i <= 120; i++ {
		appendMails(t, s, i, i)
	}
	eventually(t, "all mail", func() bool { return len(a.list())+len(b.list()) >= 120 })
	eventually(t, "the new one reads", func() bool { return pb.Status().Connected })
	appendMails(t, s, 121, 130)
	eventually(t, "later mail", func() bool { return len(a.list())+len(b.list()) >= 130 })
	eventually(t, "the old one noticed", func() bool { return pa.Status().Claimed })
	once(t, 130, a, b)
	if len(b.list()) < 10 {
		t.Errorf("the new one settled %d", len(b.list()))
	}
}

// TestForgedClaims: who can write to the mailbox can keep a desk from it, and the desk says so; by order it goes on. What
// is no claim is none.
func TestForgedClaims(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if err := s.CreateFolder(testUser, "supportd", ""); err != nil {
		t.Fatal(err)
	}
	forge := func(value string) {
		t.Helper()
		if _, err := s.Append(testUser, "supportd", []byte("X-Supportd-Claim: "+value+"\r\n\r\nx\r\n"), nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	token := strings.Repeat("f", 32)
	forge("folder=INBOX&number=1125899906842624&at=2026-11-01T08:00:00Z&token=" + token) // as far as no desk comes
	forge("folder=INBOX&number=-3&at=2026-11-01T08:00:00Z&token=" + token)
	forge("folder=INBOX&number=7&at=yesterday&token=" + token)
	forge("folder=INBOX&number=7&at=2026-11-01T08:00:00Z&token=short")
	forge("folder=Other&number=7&at=2026-11-01T08:00:00Z&token=" + token) // another desk's folder
	forge("%zz;%%%")
	d, k := newDesk(), &claims{}
	p := claimant(s.Port(), d, k, "here")
	wake := make(chan struct{}, 1)
	p.Wake = wake
	run(t, p)
	appendMails(t, s, 1, 3)
	d.waitFor(t, "mail", count(3))
	forge("folder=INBOX&number=1125899906842000&at=2026-11-01T08:00:00Z&by=nobody%0D%0A&token=" + token)
	appendMails(t, s, 4, 4)
	eventually(t, "the desk stops", func() bool { return p.Status().Claimed })
	if e := p.Status().Error; !strings.Contains(e, "nobody") || strings.ContainsAny(e, "\r\n") {
		t.Errorf("it says %q", e)
	}
	if n := len(d.list()); n != 3 {
		t.Errorf("%d mails settled, want the 3 from before", n)
	}
	k.take()
	wake <- struct{}{}
	d.waitFor(t, "mail after the order", count(4))
}

// TestClaimsFolder: the folder is made anew when somebody removes it; where none can be made the mailbox is read all the
// same, and the log says so.
func TestClaimsFolder(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	d := newDesk()
	var log logLines
	p := claimant(s.Port(), d, &claims{}, "here")
	p.Log = log.logger()
	stop := run(t, p)
	appendMails(t, s, 1, 2)
	d.waitFor(t, "mail", count(2))
	if err := s.RemoveFolder(testUser, "supportd"); err != nil {
		t.Fatal(err)
	}
	appendMails(t, s, 3, 4)
	d.waitFor(t, "mail after the folder is gone", count(4))
	if n := len(messages(t, s, "supportd")); n != 1 {
		t.Errorf("%d claims in the new folder, want one", n)
	}
	stop()
	if log.has("cannot be claimed") {
		t.Error("the log says that the mailbox cannot be claimed")
	}

	s = startServer(t, imaptest.Options{})
	s.SetFaults(imaptest.Faults{RefuseCreate: "Permission denied"})
	d = newDesk()
	p = claimant(s.Port(), d, &claims{}, "here")
	p.Log = log.logger()
	run(t, p)
	appendMails(t, s, 1, 2)
	d.waitFor(t, "mail without a claim", count(2))
	if !log.has("cannot be claimed") || !log.has("Permission denied") {
		t.Error("the log does not say that the mailbox cannot be claimed")
	}
}
