package mailin_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// TestCommitFirst: S-001. While the store refuses, nothing is touched on the server; the process ends, and a new one
// settles each message once.
func TestCommitFirst(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if err := s.CreateFolder(testUser, "Done", ""); err != nil {
		t.Fatal(err)
	}
	appendMails(t, s, 1, 5)
	d := newDesk()
	tried := make(chan struct{}, 100)
	d.fail = tickets.ErrFull
	p := newPoller(s.Port(), d)
	p.Mailbox.After, p.Mailbox.MoveTo = mailin.AfterMove, "Done"
	p.Read = func(raw []byte, at time.Time) *tickets.Message {
		select {
		case tried <- struct{}{}:
		default:
		}
		return simpleRead(raw, at)
	}
	stop := run(t, p)
	for range 10 { // at least two rounds
		<-tried
	}
	stop()
	if list := messages(t, s, "INBOX"); len(list) != 5 || len(list[0].Flags) != 0 {
		t.Fatalf("inbox was changed before anything was stored: %d messages, flags %v", len(list), list[0].Flags)
	}
	d.mu.Lock()
	d.fail = nil
	d.mu.Unlock()
	p = newPoller(s.Port(), d)
	p.Mailbox.After, p.Mailbox.MoveTo = mailin.AfterMove, "Done"
	run(t, p)
	d.waitFor(t, "messages", count(5))
	eventually(t, "all moved", func() bool { return len(messages(t, s, "Done")) == 5 })
	if n := len(d.list()); n != 5 {
		t.Errorf("settled %d, want 5", n)
	}
}

// TestCrashBeforeMove: the process ends between commit and move; the next one moves what is settled.
func TestCrashBeforeMove(t *testing.T) {
	for _, o := range []imaptest.Options{{}, {NoMove: true}} {
		s := startServer(t, o)
		if err := s.CreateFolder(testUser, "Done", ""); err != nil {
			t.Fatal(err)
		}
		appendMails(t, s, 1, 3)
		d := newDesk()
		stop := run(t, newPoller(s.Port(), d)) // leaves them
		d.waitFor(t, "messages", count(3))
		stop()
		p := newPoller(s.Port(), d)
		p.Mailbox.After, p.Mailbox.MoveTo = mailin.AfterMove, "Done"
		run(t, p)
		eventually(t, "moved", func() bool { return len(messages(t, s, "Done")) == 3 && len(messages(t, s, "INBOX")) == 0 })
		if n := len(d.list()); n != 3 {
			t.Errorf("settled %d, want 3", n)
		}
	}
}

// TestFiling: S-023 and rule 1. What servers with fewer capabilities get; a foreign \Deleted mail survives everywhere.
func TestFiling(t *testing.T) {
	for _, c := range []struct {
		name        string
		o           imaptest.Options
		after       mailin.After
		target      bool
		inbox, done int
		flagged     bool
	}{
		{"move", imaptest.Options{}, mailin.AfterMove, true, 1, 2, false},
		{"uidplus only", imaptest.Options{NoMove: true}, mailin.AfterMove, true, 1, 2, false},
		{"neither", imaptest.Options{NoMove: true, NoPlus: true}, mailin.AfterMove, true, 3, 0, true},
		{"flag", imaptest.Options{}, mailin.AfterFlag, true, 3, 0, true},
		{"no target", imaptest.Options{}, mailin.AfterMove, false, 3, 0, false},
		{"no target, uidplus only", imaptest.Options{NoMove: true}, mailin.AfterMove, false, 3, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t, c.o)
			if c.target {
				if err := s.CreateFolder(testUser, "Done", ""); err != nil {
					t.Fatal(err)
				}
			}
			old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			if _, err := s.Append(testUser, "INBOX", mail(1), []string{`\Deleted`}, old); err != nil {
				t.Fatal(err)
			}
			appendMails(t, s, 2, 3)
			d := newDesk()
			p := newPoller(s.Port(), d)
			p.Mailbox.After, p.Mailbox.MoveTo = c.after, "Done"
			stop := run(t, p)
			d.waitFor(t, "messages", count(3))
			eventually(t, "filed", func() bool {
				if c.flagged {
					return slices.Contains(messages(t, s, "INBOX")[2].Flags, mailin.DefaultKeyword)
				}
				return !c.target && strings.Contains(p.Status().Error, "No such mailbox") || c.target && len(messages(t, s, "INBOX")) == c.inbox
			})
			stop()
			list := messages(t, s, "INBOX")
			if len(list) != c.inbox || list[0].UID != 1 || !slices.Equal(list[0].Flags, []string{`\Deleted`}) {
				t.Errorf("inbox %v, first flags %v", uidsOf(list), list[0].Flags)
			}
			if c.target && len(messages(t, s, "Done")) != c.done {
				t.Errorf("moved %d, want %d", len(messages(t, s, "Done")), c.done)
			}
			if n := s.Counts().PlainExpunges; n != 0 {
				t.Errorf("%d plain EXPUNGEs", n)
			}
		})
	}
}

// TestLostMoveAnswer: S-024. The answer to MOVE is lost again and again; every message ends in one place, settled once.
func TestLostMoveAnswer(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if err := s.CreateFolder(testUser, "Done", ""); err != nil {
		t.Fatal(err)
	}
	const n = 400
	s.SetFaults(imaptest.Faults{CutMoves: n / 2})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Timing.BackoffMin = time.Millisecond
	p.Mailbox.After, p.Mailbox.MoveTo = mailin.AfterMove, "Done"
	run(t, p)
	for i := 1; i <= n; i++ {
		appendMails(t, s, i, i)
		d.waitFor(t, "mail", count(i))
	}
	eventually(t, "all moved", func() bool { return len(messages(t, s, "Done")) == n && len(messages(t, s, "INBOX")) == 0 })
	if got := len(d.list()); got != n {
		t.Errorf("settled %d, want %d", got, n)
	}
}
