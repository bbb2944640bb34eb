package mailin_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"

	"supportd/mailin"
	"supportd/mailin/imaptest"
)

// badExchange is a SASL exchange that fails in the middle.
type badExchange struct{}

type badAuth struct{}

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

func (badExchange) Start() (string, []byte, error) { return "XOAUTH2", []byte("token"), nil }

func (badExchange) Next([]byte) ([]byte, error) { return nil, errors.New("token expired") }

// TestBrokenExchange: rule 8. A SASL exchange that fails half way ends the connection; it does not hang.
func TestBrokenExchange(t *testing.T) {
	s := startScript(t, &imaptest.Script{Caps: "IMAP4rev1 AUTH=XOAUTH2 SASL-IR", Handle: func(c *imaptest.ScriptConn, tag, command string) bool {
		if !strings.HasPrefix(command, "AUTHENTICATE") {
			return false
		}
		c.Send("+ eyJzdGF0dXMiOiI0MDAifQ==")
		return true
	}})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Auth = badAuth{}
	run(t, p)
	eventually(t, "second connection", func() bool { return s.Connections() >= 2 })
	if st := p.Status(); !strings.Contains(st.Error, "token expired") {
		t.Errorf("status: %+v", st)
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

func (badAuth) SASL(context.Context) (sasl.Client, error) { return badExchange{}, nil }
