package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailin/imaptest"
	"supportd/mailout/smtptest"
)

// The story of this file is played on servers in memory, and on a real Dovecot behind a real Postfix where they are
// installed; with SUPPORTD_REAL_SERVERS=1 missing ones fail it.

const (
	storyDesk     = "support@desk.example"
	storyAgent    = "anna@desk.example"
	storyCustomer = "kunde@kunde.example"
	storyPassword = "canary-Pa55word"
)

// mailWorld is the servers of one company and its customers.
type mailWorld interface {
	// mailboxKeys are the lines of the configuration that reach the desk's mailbox.
	mailboxKeys(t *testing.T, dir string) string
	send(t *testing.T, from, to string, raw []byte)
	inbox(t *testing.T, user string) [][]byte
	// interrupt ends all connections; the servers are back when it returns.
	interrupt(t *testing.T)
}

func TestStoryOnServers(t *testing.T) {
	t.Run("in memory", func(t *testing.T) { playStory(t, newMemoryWorld(t)) })
	_, imapErr := imaptest.Available()
	_, smtpErr := smtptest.Available()
	switch err := errors.Join(imapErr, smtpErr); {
	case err == nil:
		t.Run("dovecot and postfix", func(t *testing.T) { playStory(t, newRealWorld(t)) })
	case os.Getenv("SUPPORTD_REAL_SERVERS") == "1":
		t.Error(err)
	default:
		t.Log(err)
	}
}

// playStory: a customer writes, gets an acknowledgement, an agent answers from the mail client, the customer replies;
// all with TLS and logins where the servers have them, and with an interruption in between.
func playStory(t *testing.T, w mailWorld) {
	startDesk(t, w)
	w.send(t, storyCustomer, storyDesk, letterOf(storyCustomer, storyDesk, "Drucker druckt nicht", "<k1@kunde.example>", "", "Guten Tag,\r\n\r\nder Drucker im Erdgeschoss druckt nicht.\r\n"))
	ack := waitMail(t, w, storyCustomer, 1)
	if ack.Header.Get("Auto-Submitted") != "auto-replied" || ack.Header.Get("In-Reply-To") != "<k1@kunde.example>" {
		t.Errorf("acknowledgement with header %v", ack.Header)
	}
	notice := waitMail(t, w, storyAgent, 1)
	replyTo, err := notice.Header.AddressList("Reply-To")
	if err != nil || len(replyTo) != 1 || !strings.HasPrefix(replyTo[0].Address, "support+") {
		t.Fatalf("Reply-To of the notice: %v, %v", replyTo, err)
	}

	w.interrupt(t)
	w.send(t, storyAgent, replyTo[0].Address, letterOf(storyAgent, replyTo[0].Address, "Re: "+notice.Header.Get("Subject"), "<a1@desk.example>",
		notice.Header.Get("Message-Id"), "Bitte schalten Sie ihn einmal aus und ein.\r\n"))
	answer := waitMail(t, w, storyCustomer, 2)
	from, err := answer.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Address != storyDesk {
		t.Errorf("answer from %v, %v; want %s", from, err, storyDesk)
	}
	body := new(bytes.Buffer)
	if _, err := body.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(body.String(), "Bitte schalten Sie ihn einmal aus und ein.") || strings.Contains(body.String(), storyAgent) {
		t.Errorf("answer:\n%s", body)
	}
	w.send(t, storyCustomer, storyDesk, letterOf(storyCustomer, storyDesk, "Re: Drucker druckt nicht", "<k2@kunde.example>",
		answer.Header.Get("Message-Id"), "Danke, er druckt wieder.\r\n"))
	again := waitMail(t, w, storyAgent, 2)
	if !strings.Contains(again.Header.Get("Subject"), "Drucker druckt nicht") {
		t.Errorf("the customer's reply was told as %q", again.Header.Get("Subject"))
	}
	if n := len(w.inbox(t, storyCustomer)); n != 2 {
		t.Errorf("the customer has %d mails, want 2", n)
	}

	for i := range 5 {
		start := time.Now()
		n := len(w.inbox(t, storyAgent))
		from := fmt.Sprintf("k%d@kunde.example", i)
		w.send(t, from, storyDesk, letterOf(from, storyDesk, "Frage", fmt.Sprintf("<q%d@kunde.example>", i), "", "Eine Frage.\r\n"))
		waitMail(t, w, storyAgent, n+1)
		t.Logf("from a customer's mail to the agent's notice: %s", time.Since(start).Round(time.Millisecond))
	}
}

// startDesk runs a daemon on the servers until the test ends.
func startDesk(t *testing.T, w mailWorld) {
	t.Helper()
	dir := t.TempDir()
	conf := "version: 1\nmailbox:\n" + w.mailboxKeys(t, dir) + "  user: " + storyDesk + "\n  password_file: desk.pw\n  trusted: true\n" +
		"from: Desk <" + storyDesk + ">\nteam: [" + storyAgent + "]\nlanguage: de\ntimezone: Europe/Berlin\nundo: 0s\n"
	path := filepath.Join(dir, "supportd.yaml")
	err := errors.Join(os.WriteFile(filepath.Join(dir, "desk.pw"), []byte(storyPassword+"\n"), 0o600), os.WriteFile(path, []byte(conf), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	ready := make(chan struct{})
	d, err := NewDaemon(path, Options{
		Log:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Ready: func(*Daemon) { close(ready) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if strings.Contains(log.String(), storyPassword) {
			t.Error("the log has the password in it")
		}
		if t.Failed() {
			t.Logf("the desk's log:\n%s", log.String())
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("run: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the desk is not ready after a minute")
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func letterOf(from, to, subject, id, inReplyTo, text string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: %s\r\nDate: %s\r\n", from, to, subject, id, time.Now().Format(time.RFC1123Z))
	if inReplyTo != "" {
		fmt.Fprintf(&b, "In-Reply-To: %s\r\nReferences: %s\r\n", inReplyTo, inReplyTo)
	}
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text)
	return b.Bytes()
}

// waitMail returns a user's nth mail when it has come.
func waitMail(t *testing.T, w mailWorld, user string, n int) *mail.Message {
	t.Helper()
	end, tick := time.After(time.Minute), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for {
		mails := w.inbox(t, user)
		if len(mails) >= n {
			m, err := mail.ReadMessage(bytes.NewReader(mails[n-1]))
			if err != nil {
				t.Fatalf("mail %d of %s: %v", n, user, err)
			}
			return m
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s has %d mails after a minute, want %d", user, len(mails), n)
		}
	}
}

// memoryWorld is an IMAP and an SMTP server in memory; the SMTP server puts mails into the mailboxes.
type memoryWorld struct {
	imap *imaptest.Server
	smtp *smtptest.Server
}

func newMemoryWorld(t *testing.T) *memoryWorld {
	t.Helper()
	s, err := imaptest.NewServer(imaptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, user := range []string{storyDesk, storyAgent, storyCustomer} {
		s.AddUser(user, storyPassword)
	}
	w := &memoryWorld{imap: s}
	w.smtp, err = smtptest.NewServer(smtptest.Options{
		Accounts: map[string]string{storyDesk: storyPassword, storyAgent: storyPassword},
		Deliver:  w.deliver,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.smtp.Close() })
	return w
}

// deliver puts a mail into the mailbox of the address without its extension; others are thrown away.
func (w *memoryWorld) deliver(from, to string, data []byte) error {
	local, domain, _ := strings.Cut(to, "@")
	local, _, _ = strings.Cut(local, "+")
	user := local + "@" + domain
	if user != storyDesk && user != storyAgent && user != storyCustomer {
		return nil
	}
	_, err := w.imap.Append(user, "INBOX", append(fmt.Appendf(nil, "Return-Path: <%s>\r\n", from), data...), nil, time.Now())
	return err
}

func (w *memoryWorld) mailboxKeys(*testing.T, string) string {
	return fmt.Sprintf("  imap: %s\n  smtp: %s\n  tls: none\n", w.imap.Addr(), w.smtp.Addr())
}

func (w *memoryWorld) send(t *testing.T, from, to string, raw []byte) {
	t.Helper()
	if err := w.deliver(from, to, raw); err != nil {
		t.Fatal(err)
	}
}

func (w *memoryWorld) inbox(t *testing.T, user string) [][]byte {
	t.Helper()
	list, err := w.imap.Messages(user, "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	var raws [][]byte
	for _, m := range list {
		raws = append(raws, m.Raw)
	}
	return raws
}

func (w *memoryWorld) interrupt(*testing.T) { w.imap.DropConnections() }

// realWorld is a Postfix that delivers into the mailboxes of a Dovecot, and asks it for logins.
type realWorld struct {
	imap *imaptest.Dovecot
	smtp *smtptest.Postfix
}

func newRealWorld(t *testing.T) *realWorld {
	t.Helper()
	d, err := imaptest.StartDovecot(imaptest.DovecotOptions{Password: storyPassword})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	boxes := map[string]string{}
	for _, user := range []string{storyDesk, storyAgent, storyCustomer} {
		boxes[user] = user
	}
	p, err := smtptest.StartPostfix(smtptest.PostfixOptions{
		Mailboxes: boxes, MailDir: d.MailDir(), AuthSocket: d.AuthSocket(), Certificate: d.CAFile(), Key: d.KeyFile(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("dovecot:\n%s\npostfix:\n%s", d.Log(), p.Log())
		}
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &realWorld{d, p}
}

func (w *realWorld) mailboxKeys(t *testing.T, dir string) string {
	t.Helper()
	ca, err := os.ReadFile(w.imap.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("  imap: %s\n  smtp: %s\n  tls: starttls\n  ca_file: ca.pem\n", w.imap.Addr(), w.smtp.Addr())
}

// send speaks without TLS, which smtp.SendMail does not when it is on offer.
func (w *realWorld) send(t *testing.T, from, to string, raw []byte) {
	t.Helper()
	c, err := smtp.Dial(w.smtp.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	data, err := func() (io.WriteCloser, error) {
		if err := errors.Join(c.Auth(loginPlain{from}), c.Mail(from), c.Rcpt(to)); err != nil {
			return nil, err
		}
		return c.Data()
	}()
	if err != nil {
		t.Fatal(err)
	}
	_, err = data.Write(raw)
	if err := errors.Join(err, data.Close(), c.Quit()); err != nil {
		t.Fatal(err)
	}
}

// loginPlain logs in without looking at the connection: it goes no further than this machine.
type loginPlain struct{ user string }

// Start implements smtp.Auth.
func (l loginPlain) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + l.user + "\x00" + storyPassword), nil
}

// Next implements smtp.Auth.
func (loginPlain) Next([]byte, bool) ([]byte, error) { return nil, nil }

func (w *realWorld) inbox(t *testing.T, user string) [][]byte {
	t.Helper()
	raws, err := w.smtp.Delivered(user)
	if err != nil {
		t.Fatal(err)
	}
	return raws
}

func (w *realWorld) interrupt(t *testing.T) {
	t.Helper()
	err := errors.Join(w.imap.Crash(), w.smtp.Pause(), w.imap.Restart(), w.smtp.Resume())
	if err != nil {
		t.Fatal(err)
	}
}
