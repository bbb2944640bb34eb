package mailin_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
)

// TestReconnectPace: S-020. A server that closes at once is not asked more often than the backoff says.
func TestReconnectPace(t *testing.T) {
	for _, c := range []struct {
		name, greeting string
		most           int
	}{{"closes", "* OK", 40}, {"busy", "* BYE too many connections", 15}} {
		s := startScript(t, &imaptest.Script{Greeting: c.greeting, Handle: func(conn *imaptest.ScriptConn, _, _ string) bool {
			conn.Close()
			return true
		}})
		clock := newFakeTime(10 * time.Minute)
		p := newPoller(s.Port(), newDesk())
		p.Timing = mailin.Timing{}
		p.Now, p.After, p.Rand = clock.now, clock.after, rand.New(rand.NewPCG(1, 2)).Float64
		stop := run(t, p)
		<-clock.over
		stop()
		if n := s.Connections(); n > c.most || n < 3 {
			t.Errorf("%s: %d connections in 10 min: %v", c.name, n, clock.waits)
		}
	}
}

// TestLoginPace: S-021. A refused login is tried at most every 5 min, and told once.
func TestLoginPace(t *testing.T) {
	s := startScript(t, &imaptest.Script{Handle: func(c *imaptest.ScriptConn, tag, command string) bool {
		if !strings.HasPrefix(command, "LOGIN") {
			return false
		}
		c.Send("%s NO [AUTHENTICATIONFAILED] no", tag)
		return true
	}})
	clock := newFakeTime(time.Hour)
	var log logLines
	p := newPoller(s.Port(), newDesk())
	p.Timing = mailin.Timing{}
	p.Now, p.After, p.Log = clock.now, clock.after, log.logger()
	stop := run(t, p)
	<-clock.over
	stop()
	logins := 0
	for _, c := range s.Commands() {
		if strings.HasPrefix(c, "LOGIN") {
			logins++
		}
	}
	if logins > 12 || logins < 2 {
		t.Errorf("%d logins in 1 h", logins)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("told %d times, want 1", n)
	}
	// S-176: the password stands nowhere but on the wire.
	if log.has(testPassword) || strings.Contains(p.Status().Error, testPassword) {
		t.Error("the password stands in the log or the status")
	}
	if !strings.Contains(p.Status().Error, `mailbox "support" at 127.0.0.1:`) || !strings.Contains(p.Status().Error, "check user and password") {
		t.Errorf("status: %s", p.Status().Error)
	}
}

// TestIdleRefused: a server that announces IDLE and refuses it is polled.
func TestIdleRefused(t *testing.T) {
	s := startScript(t, &imaptest.Script{Handle: func(c *imaptest.ScriptConn, tag, command string) bool {
		if command != "IDLE" {
			return false
		}
		c.Send("%s BAD what", tag)
		return true
	}})
	s.SetMails(scriptMails(1)...)
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Poll = 10 * time.Millisecond
	run(t, p)
	d.waitFor(t, "first", count(1))
	s.SetMails(scriptMails(2)...)
	d.waitFor(t, "second", count(2))
	if s.Connections() != 1 {
		t.Errorf("%d connections, want 1", s.Connections())
	}
}

// TestEndsPolitely: Run ends during IDLE with LOGOUT, and during anything else at once.
func TestEndsPolitely(t *testing.T) {
	s := startScript(t, &imaptest.Script{})
	s.SetMails(scriptMails(1)...)
	d := newDesk()
	ctx, cancel := context.WithCancel(context.Background())
	p := newPoller(s.Port(), d)
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	d.waitFor(t, "mail", count(1))
	eventually(t, "idle", func() bool { return slices.Contains(s.Commands(), "IDLE") })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if c := s.Commands(); c[len(c)-1] != "LOGOUT" {
		t.Errorf("last command %q", c[len(c)-1])
	}
}
