package mailin_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
)

// tokens is a source of tokens, and what a server asks about them.
type tokens struct {
	mu      sync.Mutex
	good    string
	next    []string // given out in turn, the last one again and again
	refused []string
	err     error
}

func (s *tokens) token(_ context.Context, refused string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused != "" {
		s.refused = append(s.refused, refused)
		if len(s.next) > 1 && s.next[0] == refused {
			s.next = s.next[1:]
		}
	}
	return s.next[0], s.err
}

func (s *tokens) user(token string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return testUser, token == s.good
}

func (s *tokens) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// permanent is an error after which somebody has to do something.
type permanent struct{ error }

func (permanent) Permanent() bool { return true }

// A mailbox is followed with a token by either mechanism; one that is refused is replaced once, at once.
func TestTokenLogin(t *testing.T) {
	for _, noBearer := range []bool{false, true} {
		src := &tokens{good: "good-token", next: []string{"stale-token", "good-token"}}
		s := startServer(t, imaptest.Options{Token: src.user, NoBearer: noBearer, NoPassword: true})
		appendMails(t, s, 1, 3)
		d := newDesk()
		p := newPoller(s.Port(), d)
		p.Mailbox.Password, p.Mailbox.Token = nil, src.token
		run(t, p)
		d.waitFor(t, "three mails", count(3))
		if n := s.Counts().Logins; n != 2 {
			t.Errorf("%d logins, want one with the stale and one with the fresh token", n)
		}
		src.set(func() {
			if len(src.refused) != 1 || src.refused[0] != "stale-token" {
				t.Errorf("refused: %v", src.refused)
			}
		})
	}
}

// The token ends in the middle of the session: the server hangs up, and the next login goes by a fresh token. Nothing is
// read twice or passed over.
func TestTokenEndsInSession(t *testing.T) {
	src := &tokens{good: "first", next: []string{"first", "second"}}
	s := startServer(t, imaptest.Options{Token: src.user, NoPassword: true})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Password, p.Mailbox.Token = nil, src.token
	run(t, p)
	appendMails(t, s, 1, 2)
	d.waitFor(t, "two mails", count(2))
	src.set(func() { src.good = "second" })
	s.DropConnections()
	appendMails(t, s, 3, 4)
	d.waitFor(t, "four mails", count(4))
}

// S-021 for tokens: a server that refuses every token, and a token server that wants a person, are asked at most every 5
// minutes, told of once, and the token stands in no log and no status (S-176).
func TestTokenPace(t *testing.T) {
	for _, c := range []struct {
		name, want string
		err        error
		most       int
	}{
		{"refused", "the token is refused", nil, 26},
		{"nobody logged in", "no token: nobody has logged in", permanent{errors.New("nobody has logged in")}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := &tokens{good: "another", next: []string{"canary-t0ken"}, err: c.err}
			s := startServer(t, imaptest.Options{Token: src.user, NoPassword: true})
			clock := newFakeTime(time.Hour)
			var log logLines
			p := newPoller(s.Port(), newDesk())
			p.Timing = mailin.Timing{}
			p.Mailbox.Password, p.Mailbox.Token = nil, src.token
			p.Now, p.After, p.Log = clock.now, clock.after, log.logger()
			stop := run(t, p)
			<-clock.over
			stop()
			if n := s.Counts(); n.Logins > c.most || n.Connections < 2 || n.Connections > 26 {
				t.Errorf("%+v in 1 h", n)
			}
			if n := strings.Count(log.String(), "level=WARN"); n != 1 {
				t.Errorf("told %d times, want 1", n)
			}
			if st := p.Status().Error; !strings.Contains(st, c.want) || strings.Contains(st, "canary-t0ken") || log.has("canary-t0ken") {
				t.Errorf("status: %s", st)
			}
		})
	}
}

// A token server that is only down for a while is asked again as soon as a mail server would be.
func TestTokenServerDown(t *testing.T) {
	src := &tokens{good: "good", next: []string{"good"}, err: errors.New("connection refused")}
	s := startServer(t, imaptest.Options{Token: src.user, NoPassword: true})
	appendMails(t, s, 1, 1)
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Password, p.Mailbox.Token = nil, src.token
	run(t, p)
	eventually(t, "the trouble in the status", func() bool { return strings.Contains(p.Status().Error, "no token: connection refused") })
	src.set(func() { src.err = nil })
	d.waitFor(t, "the mail", count(1))
}

// Wake ends the wait after a refused login: somebody has logged in, or put the password right.
func TestWakeEndsTheWait(t *testing.T) {
	src := &tokens{good: "good", next: []string{"bad"}}
	s := startServer(t, imaptest.Options{Token: src.user, NoPassword: true})
	wake := make(chan struct{}, 1)
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Timing.Login = time.Hour
	p.Mailbox.Password, p.Mailbox.Token, p.Wake = nil, src.token, wake
	run(t, p)
	eventually(t, "the refusal", func() bool { return strings.Contains(p.Status().Error, "the token is refused") })
	src.set(func() { src.next = []string{"good"} })
	wake <- struct{}{}
	eventually(t, "a login", func() bool { return p.Status().Connected })
}

// A server that knows neither mechanism gets no token, and a challenge that nothing follows ends the connection.
func TestTokenExchangeTrouble(t *testing.T) {
	src := &tokens{next: []string{"canary-t0ken"}}
	for _, c := range []struct{ name, caps, want string }{
		{"no mechanism", "IMAP4rev1 AUTH=PLAIN", "takes no tokens"},
		{"silence", "IMAP4rev1 AUTH=XOAUTH2 SASL-IR", "no answer in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startScript(t, &imaptest.Script{Caps: c.caps, Handle: func(conn *imaptest.ScriptConn, tag, command string) bool {
				if tag == "=" {
					return true // the empty answer to the challenge: nothing more is said
				}
				if !strings.HasPrefix(command, "AUTHENTICATE") {
					return false
				}
				conn.Send("+ eyJzdGF0dXMiOiI0MDAifQ==")
				return true
			}})
			p := newPoller(s.Port(), newDesk())
			p.Timing.Step = 50 * time.Millisecond
			p.Mailbox.Password, p.Mailbox.Token = nil, src.token
			run(t, p)
			eventually(t, "two connections", func() bool { return s.Connections() >= 2 })
			if st := p.Status().Error; !strings.Contains(st, c.want) {
				t.Errorf("status: %s", st)
			}
			for _, line := range s.Commands() {
				if c.name == "no mechanism" && strings.HasPrefix(line, "AUTHENTICATE") {
					t.Errorf("sent %s", line)
				}
			}
		})
	}
}
