package mailin_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// The tests of this file hold for any IMAP server. They run on the embedded one, and on a real Dovecot where one is
// installed; with SUPPORTD_REAL_SERVERS=1 a missing one fails them.

// imapServer is what these tests need of a server. Its one user is testUser.
type imapServer interface {
	config() mailin.Config
	// secure changes a configuration to TLS of that mode.
	secure(c mailin.Config, mode mailin.TLSMode) mailin.Config
	deliver(t *testing.T, raw []byte)
	messages(t *testing.T, folder string) []imaptest.Message
	createFolder(t *testing.T, name string)
	dropSessions(t *testing.T)
	renumber(t *testing.T)
}

// onServers runs a test on every server there is.
func onServers(t *testing.T, test func(t *testing.T, s imapServer)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, newEmbedded(t)) })
	ok, err := imaptest.Available()
	switch {
	case ok:
		t.Run("dovecot", func(t *testing.T) { test(t, newDovecot(t, imaptest.DovecotOptions{})) })
	case os.Getenv("SUPPORTD_REAL_SERVERS") == "1":
		t.Error(err)
	default:
		t.Log(err)
	}
}

// embedded is an imaptest.Server in cleartext, with two further ones for TLS.
type embedded struct {
	plain, implicit, start *imaptest.Server
	ca                     map[mailin.TLSMode]string
}

func newEmbedded(t *testing.T) *embedded {
	t.Helper()
	e := &embedded{
		plain:    startServer(t, imaptest.Options{}),
		implicit: startServer(t, imaptest.Options{TLS: true}),
		start:    startServer(t, imaptest.Options{StartTLS: true}),
		ca:       map[mailin.TLSMode]string{},
	}
	for mode, s := range map[mailin.TLSMode]*imaptest.Server{mailin.TLSImplicit: e.implicit, mailin.TLSStart: e.start} {
		e.ca[mode] = filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(e.ca[mode], s.CA(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func (e *embedded) config() mailin.Config { return config(e.plain.Port()) }

func (e *embedded) secure(c mailin.Config, mode mailin.TLSMode) mailin.Config {
	c.TLS, c.CAFile, c.Port = mode, e.ca[mode], e.implicit.Port()
	if mode == mailin.TLSStart {
		c.Port = e.start.Port()
	}
	return c
}

func (e *embedded) deliver(t *testing.T, raw []byte) {
	t.Helper()
	for _, s := range []*imaptest.Server{e.plain, e.implicit, e.start} {
		if _, err := s.Append(testUser, "INBOX", raw, nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
}

func (e *embedded) messages(t *testing.T, folder string) []imaptest.Message {
	t.Helper()
	list, err := e.plain.Messages(testUser, folder)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (e *embedded) createFolder(t *testing.T, name string) {
	t.Helper()
	if err := e.plain.CreateFolder(testUser, name, ""); err != nil {
		t.Fatal(err)
	}
}

func (e *embedded) dropSessions(*testing.T) { e.plain.DropConnections() }

func (e *embedded) renumber(t *testing.T) {
	t.Helper()
	if err := e.plain.Renumber(testUser, "INBOX"); err != nil {
		t.Fatal(err)
	}
}

// realDovecot is a Dovecot of our own.
type realDovecot struct{ *imaptest.Dovecot }

func newDovecot(t *testing.T, o imaptest.DovecotOptions) realDovecot {
	t.Helper()
	o.Password = testPassword
	d, err := imaptest.StartDovecot(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(d.Log())
		}
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return realDovecot{d}
}

func (d realDovecot) config() mailin.Config { return config(port(d.Addr())) }

func (d realDovecot) secure(c mailin.Config, mode mailin.TLSMode) mailin.Config {
	c.TLS, c.CAFile, c.Port = mode, d.CAFile(), port(d.TLSAddr())
	if mode == mailin.TLSStart {
		c.Port = port(d.Addr())
	}
	return c
}

// port is the port of an address that a server gave, or 0, which nobody listens on.
func port(addr string) int {
	_, p, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(p)
	return n
}

func (d realDovecot) deliver(t *testing.T, raw []byte) {
	t.Helper()
	if err := d.Deliver(testUser, raw, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func (d realDovecot) messages(t *testing.T, folder string) []imaptest.Message {
	t.Helper()
	stored, err := d.Messages(testUser, folder)
	if err != nil {
		t.Fatal(err)
	}
	var list []imaptest.Message
	for _, s := range stored {
		list = append(list, imaptest.Message{UID: s.UID, Flags: s.Flags, Arrived: s.Arrived, Raw: s.Raw})
	}
	return list
}

func (d realDovecot) createFolder(t *testing.T, name string) {
	t.Helper()
	if err := d.CreateFolder(testUser, name); err != nil {
		t.Fatal(err)
	}
}

func (d realDovecot) dropSessions(t *testing.T) {
	t.Helper()
	if _, err := d.EndSessions(); err != nil {
		t.Fatal(err)
	}
}

func (d realDovecot) renumber(t *testing.T) {
	t.Helper()
	if err := d.SetUIDValidity(testUser, "INBOX", 4711); err != nil {
		t.Fatal(err)
	}
	d.dropSessions(t)
}

func realPoller(s imapServer, d *desk) *mailin.Poller {
	// With a poll interval of an hour, only IDLE can tell of new mail in time.
	c := s.config()
	c.Poll = time.Hour
	return &mailin.Poller{Mailbox: c, To: d, Read: simpleRead, Timing: fast()}
}

// S-003: reading leaves no trace: no mail is marked as read.
func TestServerBacklogThenIdle(t *testing.T) {
	onServers(t, func(t *testing.T, s imapServer) {
		for i := 1; i <= 500; i++ {
			s.deliver(t, mail(i))
		}
		d := newDesk()
		run(t, realPoller(s, d))
		start := time.Now()
		list := d.waitFor(t, "backlog", count(500))
		t.Logf("500 mails after %s", time.Since(start).Round(time.Millisecond))
		last := uint32(0)
		got := map[string]bool{}
		for _, k := range list {
			if k.Source.UID <= last || k.Result != tickets.Created {
				t.Fatalf("%v after UID %d: %s", k.Source, last, k.Result)
			}
			last = k.Source.UID
			got[string(k.Raw)] = true
		}
		for i := 1; i <= 500; i++ {
			if !got[string(mail(i))] {
				t.Errorf("mail %d did not come, or not as it was sent", i)
			}
		}
		for i := 501; i <= 505; i++ {
			start := time.Now()
			s.deliver(t, mail(i))
			d.waitFor(t, "new mail", count(i))
			t.Logf("new mail settled after %s", time.Since(start).Round(time.Millisecond))
		}
		if n := len(s.messages(t, "INBOX")); n != 505 {
			t.Errorf("%d mails are left in INBOX, want 505: nothing was asked to be moved", n)
		}
		for _, m := range s.messages(t, "INBOX") {
			if slices.ContainsFunc(m.Flags, func(f string) bool { return strings.EqualFold(f, `\Seen`) }) {
				t.Fatalf("UID %d was marked as read", m.UID)
			}
		}
	})
}

// A session may end at any moment: while a backlog is read, and in IDLE. Every mail is settled once.
func TestServerDropsSessions(t *testing.T) {
	onServers(t, func(t *testing.T, s imapServer) {
		for i := 1; i <= 300; i++ {
			s.deliver(t, mail(i))
		}
		d := newDesk()
		first := make(chan struct{}, 1)
		d.onCommit = func(tickets.Batch) {
			select {
			case first <- struct{}{}:
			default:
			}
		}
		p := realPoller(s, d)
		run(t, p)
		<-first
		s.dropSessions(t)
		d.waitFor(t, "backlog", count(300))
		for i := 301; i <= 303; i++ {
			s.dropSessions(t)
			s.deliver(t, mail(i))
			d.waitFor(t, "mail after a drop", count(i))
		}
		list := d.list()
		if len(list) != 303 {
			t.Errorf("%d messages were settled, want 303", len(list))
		}
		for _, k := range list {
			if k.Result != tickets.Created {
				t.Errorf("%v: %s", k.Source, k.Result)
			}
		}
	})
}

// S-005: a new UIDVALIDITY brings all mail again, and its content tells that it is known.
func TestServerRenumbers(t *testing.T) {
	onServers(t, func(t *testing.T, s imapServer) {
		for i := 1; i <= 20; i++ {
			s.deliver(t, mail(i))
		}
		d := newDesk()
		run(t, realPoller(s, d))
		d.waitFor(t, "first pass", count(20))
		s.renumber(t)
		s.deliver(t, mail(21))
		list := d.waitFor(t, "second pass", count(41))
		results := map[tickets.Result]int{}
		for _, k := range list {
			results[k.Result]++
		}
		if results[tickets.Created] != 21 || results[tickets.Duplicate] != 20 {
			t.Errorf("results %v, want 21 created and 20 duplicates", results)
		}
	})
}

func TestServerMove(t *testing.T) {
	onServers(t, func(t *testing.T, s imapServer) {
		s.createFolder(t, "Done")
		for i := 1; i <= 30; i++ {
			s.deliver(t, mail(i))
		}
		d := newDesk()
		p := realPoller(s, d)
		p.Mailbox.After, p.Mailbox.MoveTo = mailin.AfterMove, "Done"
		run(t, p)
		d.waitFor(t, "backlog", count(30))
		eventually(t, "all mail in Done", func() bool { return len(s.messages(t, "Done")) == 30 })
		if left := s.messages(t, "INBOX"); len(left) != 0 {
			t.Errorf("%d mails are left in INBOX", len(left))
		}
		var moved [][]byte
		for _, m := range s.messages(t, "Done") {
			moved = append(moved, m.Raw)
		}
		for i := 1; i <= 30; i++ {
			if !slices.ContainsFunc(moved, func(raw []byte) bool { return bytes.Equal(raw, mail(i)) }) {
				t.Errorf("mail %d is not in Done as it was sent", i)
			}
		}
	})
}

func TestServerFlag(t *testing.T) {
	onServers(t, func(t *testing.T, s imapServer) {
		s.deliver(t, mail(1))
		d := newDesk()
		p := realPoller(s, d)
		p.Mailbox.After = mailin.AfterFlag
		run(t, p)
		eventually(t, "the keyword", func() bool {
			list := s.messages(t, "INBOX")
			return len(list) == 1 && slices.ContainsFunc(list[0].Flags, func(f string) bool { return strings.EqualFold(f, mailin.DefaultKeyword) })
		})
	})
}

// S-147: TLS both ways with the server's own authority, and no connection without it.
func TestServerTLS(t *testing.T) {
	onServers(t, func(t *testing.T, s imapServer) {
		s.deliver(t, mail(1))
		for _, mode := range []mailin.TLSMode{mailin.TLSImplicit, mailin.TLSStart} {
			d := newDesk()
			p := realPoller(s, d)
			p.Mailbox = s.secure(p.Mailbox, mode)
			stop := run(t, p)
			d.waitFor(t, string(mode), count(1))
			stop()

			stranger := p.Mailbox
			stranger.CAFile = ""
			if _, err := mailin.Probe(t.Context(), stranger); err == nil || strings.Contains(err.Error(), testPassword) {
				t.Errorf("%s without ca_file: %v, want a refusal", mode, err)
			}
		}
	})
}

func TestServerProbe(t *testing.T) {
	onServers(t, func(t *testing.T, s imapServer) {
		s.deliver(t, mail(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := s.secure(s.config(), mailin.TLSImplicit)
		if _, err := mailin.Probe(ctx, c); err != nil {
			t.Errorf("probe: %v", err)
		}
		c.Folder = "INBOXX"
		if _, err := mailin.Probe(ctx, c); err == nil || !strings.Contains(err.Error(), "INBOX") {
			t.Errorf("probe of a missing folder: %v", err)
		}
		c = s.config()
		c.Password = func() (string, error) { return "wrong", nil }
		if _, err := mailin.Probe(ctx, c); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("probe with a wrong password: %v", err)
		}
		if list := s.messages(t, "INBOX"); len(list) != 1 || len(list[0].Flags) > 1 {
			t.Errorf("after probes INBOX holds %+v", list)
		}
	})
}

// Dovecot is stopped hard and comes back; and it may put idling connections to sleep in another process.
func TestDovecotCrashAndHibernation(t *testing.T) {
	if ok, err := imaptest.Available(); !ok {
		if os.Getenv("SUPPORTD_REAL_SERVERS") == "1" {
			t.Error(err)
		}
		t.Log(err)
		return
	}
	s := newDovecot(t, imaptest.DovecotOptions{Hibernate: true})
	d := newDesk()
	p := realPoller(s, d)
	p.Mailbox.Poll = 2 * time.Second // a mail in the moment of the hand-over to imap-hibernate does not wake IDLE
	run(t, p)
	for i := 1; i <= 3; i++ {
		s.deliver(t, mail(i))
		d.waitFor(t, "mail", count(i))
	}
	if err := s.Crash(); err != nil {
		t.Fatal(err)
	}
	s.deliver(t, mail(4))
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	d.waitFor(t, "mail after a crash", count(4))
	if list := d.list(); len(list) != 4 {
		t.Errorf("%d messages were settled, want 4: %s", len(list), describe(list))
	}
}
