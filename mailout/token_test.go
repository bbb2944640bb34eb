package mailout

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// tokens is a source of tokens, and what a server asks about them.
type tokens struct {
	mu    sync.Mutex
	good  string
	now   string // given out
	next  string // replaces now when that is refused
	asked int
	err   error
}

func (s *tokens) token(_ context.Context, refused string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if refused == s.now && s.next != "" {
		s.now = s.next
	}
	return s.now, s.err
}

func (s *tokens) user(token string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "desk", token == s.good
}

func (s *tokens) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Mails leave with a token by either mechanism. A refused one is replaced once, at once; so is one that ends in the middle
// of a session, and no mail is lost, put off or sent twice by that.
func TestTokenLogin(t *testing.T) {
	for _, noBearer := range []bool{false, true} {
		src := &tokens{good: "good", now: "stale", next: "good"}
		srv := newServer(t, smtptest.Options{Token: src.user, NoBearer: noBearer})
		server := at(t, srv.Addr())
		server.User, server.Token = "desk", src.token
		box := newBox(t, many(t, tickets.ClassNotice, 2)...)
		wake := make(chan struct{}, 1)
		run(t, &Sender{Outbox: box, Servers: map[string]Server{"default": server}, Wake: wake})
		box.waitFor(t, tickets.Sent, 2)
		src.set(func() { src.good, src.next = "third", "third" })
		box.add(many(t, tickets.ClassNotice, 6)...)
		wake <- struct{}{}
		box.waitFor(t, tickets.Sent, 8)
		for _, m := range srv.Mails() {
			if m.User != "desk" {
				t.Errorf("a mail of %q", m.User)
			}
		}
		if n := srv.Count(); n != 8 {
			t.Errorf("%d mails on the server, want 8", n)
		}
		for id := range tickets.OutgoingID(8) {
			if _, ends := box.get(id + 1); len(ends) != 1 {
				t.Errorf("mail %d: %+v", id+1, ends)
			}
		}
	}
}

// A server that refuses every token, or a source without any, holds the mails back and says why, without the token (S-176).
func TestTokenRefused(t *testing.T) {
	for _, c := range []struct {
		want string
		err  error
	}{{"the token for \"desk\" was refused", nil}, {"no token for the login: the token server is down", errors.New("the token server is down")}} {
		src := &tokens{good: "another", now: "canary-t0ken", err: c.err}
		srv := newServer(t, smtptest.Options{Token: src.user})
		server := at(t, srv.Addr())
		server.User, server.Token, server.Backoff = "desk", src.token, []time.Duration{20 * time.Millisecond}
		box := newBox(t, many(t, tickets.ClassNotice, 1)...)
		var log logs
		s := &Sender{Outbox: box, Servers: map[string]Server{"default": server}, Log: log.logger()}
		run(t, s)
		last := func() string { return s.Status().Servers[0].LastError }
		box.wait(t, "the trouble in the status", func() bool { st := s.Status().Servers; return len(st) == 1 && st[0].LastError != "" })
		if !strings.Contains(last(), c.want) || strings.Contains(last()+log.String(), "canary") {
			t.Errorf("status: %s\nlog: %s", last(), log.String())
		}
		src.set(func() { src.good, src.err = "canary-t0ken", nil })
		box.waitFor(t, tickets.Sent, 1)
	}
}
