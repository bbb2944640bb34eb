package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// The people of the stories.
const (
	deskAddress = "hilfe@nordwind.example"
	anna        = "anna@nordwind.example"
	ben         = "ben@nordwind.example"
	sabine      = "s.krause@muster.example"
	john        = "john@contoso.example"
)

func everybody() map[string]string {
	return map[string]string{deskAddress: "hilfe", anna: "anna", ben: "ben", sabine: "sabine", john: "john",
		nora: "nora", otto: "otto", tac: "tac"}
}

// mailServers is a place where mail goes round: embedded servers, or a real Dovecot and a real Postfix.
type mailServers interface {
	smtpAddr() string
	imapAddr() string
	inbox(user string) ([][]byte, error)
	put(user string, raw []byte, arrived time.Time) (err error)
	stopSMTP() error
	startSMTP() error
	dropIMAP() error
	newUIDValidity(user string) error
	close()
}

// worlds are the kinds of servers that stories run on.
func worlds(t *testing.T) map[string]func(*testing.T) mailServers {
	kinds := map[string]func(*testing.T) mailServers{"embedded": startEmbedded}
	imapOK, imapErr := imaptest.Available()
	smtpOK, smtpErr := smtptest.Available()
	switch {
	case imapOK && smtpOK:
		kinds["dovecot and postfix"] = startReal
	case os.Getenv("SUPPORTD_REAL_SERVERS") == "1":
		t.Fatalf("SUPPORTD_REAL_SERVERS=1, but: %v %v", imapErr, smtpErr)
	}
	return kinds
}

// everywhere runs a story on every kind of servers.
func everywhere(t *testing.T, story func(t *testing.T, w *world)) {
	for name, start := range worlds(t) {
		t.Run(name, func(t *testing.T) { story(t, newWorld(t, start(t))) })
	}
}

// ── embedded ──

type memoryServers struct {
	imap *imaptest.Server
	smtp *smtptest.Server
	addr string

	token  func(string) (string, bool) // logs in at the SMTP server; nil: nobody has to
	fault  func(smtptest.Step) smtptest.Fault
	vouch  atomic.Pointer[string] // a field to put above each mail that is delivered
	into   atomic.Pointer[string] // the folder that mail is put into; nil: INBOX
	utf8   bool                   // the SMTP server takes international addresses
	noPlus atomic.Bool            // name+anything is an address like any other
}

func startEmbedded(t *testing.T) mailServers {
	e := &memoryServers{}
	var err error
	if e.imap, err = imaptest.NewServer(imaptest.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, user := range everybody() {
		e.imap.AddUser(user, "secret")
	}
	if err := e.startSMTP(); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *memoryServers) smtpAddr() string { return e.addr }
func (e *memoryServers) imapAddr() string { return e.imap.Addr() }
func (e *memoryServers) dropIMAP() error  { e.imap.DropConnections(); return nil }
func (e *memoryServers) stopSMTP() error  { return e.smtp.Close() }
func (e *memoryServers) newUIDValidity(user string) error {
	return e.imap.Renumber(user, "INBOX")
}

func (e *memoryServers) startSMTP() (err error) {
	o := smtptest.Options{Deliver: e.deliver, Token: e.token, Fault: e.fault, SMTPUTF8: e.utf8}
	if e.addr != "" {
		if o.Listener, err = net.Listen("tcp", e.addr); err != nil {
			return err
		}
	}
	if e.smtp, err = smtptest.NewServer(o); err == nil {
		e.addr = e.smtp.Addr()
	}
	return err
}

// deliver puts a mail into a mailbox as a mail server does.
func (e *memoryServers) deliver(from, to string, data []byte) error {
	local, domain, _ := strings.Cut(strings.ToLower(to), "@")
	base, _, plus := strings.Cut(local, "+")
	user, ok := everybody()[base+"@"+domain]
	ok = ok && !(plus && e.noPlus.Load())
	if !ok {
		return nil // somebody else's mail
	}
	head := fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\nReceived: from client by mx.nordwind.example; %s\r\n", from, to, time.Now().Format(time.RFC1123Z))
	if field := e.vouch.Load(); field != nil {
		head += *field + "\r\n"
	}
	folder := "INBOX"
	if name := e.into.Load(); name != nil {
		folder = *name
	}
	_, err := e.imap.Append(user, folder, append([]byte(head), data...), nil, time.Time{})
	return err
}

func (e *memoryServers) put(user string, raw []byte, arrived time.Time) error {
	_, err := e.imap.Append(user, "INBOX", raw, nil, arrived)
	return err
}

func (e *memoryServers) inbox(user string) ([][]byte, error) {
	list, err := e.imap.Messages(user, "INBOX")
	var raws [][]byte
	for _, m := range list {
		raws = append(raws, m.Raw)
	}
	return raws, err
}

func (e *memoryServers) close() { e.smtp.Close(); e.imap.Close() }

// ── real ──

type realServers struct {
	imap *imaptest.Dovecot
	smtp *smtptest.Postfix
}

func startReal(t *testing.T) mailServers {
	d, err := imaptest.StartDovecot(imaptest.DovecotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := smtptest.StartPostfix(smtptest.PostfixOptions{Mailboxes: everybody(), MailDir: d.MailDir()})
	if err != nil {
		d.Stop()
		t.Fatal(err)
	}
	return &realServers{imap: d, smtp: p}
}

func (r *realServers) smtpAddr() string { return r.smtp.Addr() }
func (r *realServers) imapAddr() string { return r.imap.Addr() }
func (r *realServers) stopSMTP() error  { return r.smtp.Pause() }
func (r *realServers) startSMTP() error { return r.smtp.Resume() }
func (r *realServers) dropIMAP() error  { _, err := r.imap.EndSessions(); return err }
func (r *realServers) close()           { r.smtp.Stop(); r.imap.Stop() }
func (r *realServers) newUIDValidity(user string) error {
	return r.imap.SetUIDValidity(user, "INBOX", 4711)
}

func (r *realServers) put(user string, raw []byte, arrived time.Time) error {
	return r.imap.Deliver(user, raw, arrived)
}

func (r *realServers) inbox(user string) ([][]byte, error) {
	list, err := r.imap.Messages(user, "INBOX")
	var raws [][]byte
	for _, m := range list {
		raws = append(raws, m.Raw)
	}
	return raws, err
}

// ── the world of a story ──

type world struct {
	mailServers
	t      *testing.T
	dir    string
	config string
	login  string                // keys of the mailbox that log in; "" for user and password
	shadow string                // a second configuration to run beside
	now    func() time.Time      // of the desk; nil: the real one
	names  *net.Resolver         // who is asked for keys; nil: nobody has to be
	awaits func(statusView) bool // when the desk has started; nil: its mailboxes are followed
	daemon *Daemon
	stop   context.CancelFunc
	ended  chan error
	log    record
	seen   map[string]int // mails of each inbox that the story has looked at
	serial int
}

func newWorld(t *testing.T, s mailServers) *world {
	w := &world{mailServers: s, t: t, dir: t.TempDir(), seen: map[string]int{}}
	t.Cleanup(s.close)
	w.config = filepath.Join(w.dir, "supportd.yaml")
	w.write("hilfe.pw", "secret\n", 0o600)
	w.configure("")
	return w
}

func (w *world) write(name, text string, mode os.FileMode) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), mode); err != nil {
		w.t.Fatal(err)
	}
}

// configure writes the short form, with more lines at its end.
func (w *world) configure(more string) {
	w.t.Helper()
	w.write("supportd.yaml", fmt.Sprintf(`version: 1
mailbox: {imap: %q, smtp: {server: %q, retry: [1s]}, user: hilfe, %s, tls: none, trusted: true, poll: 10s}
from: Nordwind Service <%s>
language: de
languages: [de, en]
timezone: Europe/Berlin
team: [Anna Berg <%s>, Ben Cohn <%s>]
undo: 0s
%s`, w.imapAddr(), w.smtpAddr(), firstOf(w.login, "password_file: hilfe.pw"), deskAddress, anna, ben, more), 0o600)
}

// reconfigure changes words of the configuration.
func (w *world) reconfigure(before, after string) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil || !strings.Contains(string(text), before) {
		w.t.Fatalf("%q is not in the configuration (%v)", before, err)
	}
	w.write("supportd.yaml", strings.ReplaceAll(string(text), before, after), 0o600)
}

// start runs the desk until the story or stopDesk ends it.
func (w *world) start() {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ready := make(chan struct{})
	d, err := NewDaemon(w.config, Options{Log: log, Now: w.now, Names: w.names, Shadow: w.shadow, Ready: func(*Daemon) { close(ready) }, Timing: mailin.Timing{BackoffMin: 20 * time.Millisecond, BackoffMax: time.Second, Retry: 50 * time.Millisecond, TakeOver: 2 * time.Second}})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.daemon, w.stop, w.ended = d, cancel, make(chan error, 1)
	go func() { w.ended <- d.Run(ctx) }()
	w.t.Cleanup(w.stopDesk)
	select {
	case <-ready:
	case err := <-w.ended:
		w.ended = nil
		w.t.Fatalf("the desk did not start: %v", err)
	}
	w.await("the mailbox to be followed", func() bool {
		v, err := d.status()
		return err == nil && (w.awaits == nil && v.Ready || w.awaits != nil && w.awaits(v))
	})
}

// stopDesk ends the desk and waits for it.
func (w *world) stopDesk() {
	if w.ended == nil {
		return
	}
	w.stop()
	if err := <-w.ended; err != nil {
		w.t.Errorf("the desk ended with: %v", err)
	}
	w.ended = nil
	if w.t.Failed() {
		w.t.Logf("log of the desk:\n%s", w.log.String())
	}
}

// patience is how long a story waits for what has to come; real servers are slow at times.
const patience = 2 * time.Minute

// await waits until something is so. It looks often; nothing depends on how often.
func (w *world) await(what string, is func() bool) {
	w.t.Helper()
	deadline := time.After(patience)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline:
			w.t.Fatalf("waited %s in vain for %s\nlog of the desk:\n%s", patience, what, w.log.String())
		}
	}
}

// ── writing and reading mail ──

// letter is a mail that somebody reads.
type letter struct {
	*mail.Message
	raw  string
	text string
}

// mailFrom hands a mail to the SMTP server as a client does.
func (w *world) mailFrom(from, to, raw string) {
	w.t.Helper()
	w.serial++
	if !strings.Contains(raw, "Message-ID:") {
		raw = fmt.Sprintf("Message-ID: <story-%d-%d@%s>\n", os.Getpid(), w.serial, strings.Split(from, "@")[1]) + raw
	}
	raw = fmt.Sprintf("From: %s\nTo: %s\nDate: %s\nMIME-Version: 1.0\n", from, to, time.Now().Format(time.RFC1123Z)) + raw
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	if err := smtp.SendMail(w.smtpAddr(), nil, bare(from), []string{bare(to)}, []byte(raw)); err != nil {
		w.t.Fatalf("mail from %s to %s: %v", from, to, err)
	}
}

func bare(address string) string {
	if a, err := mail.ParseAddress(address); err == nil {
		return a.Address
	}
	return address
}

// answer replies to a mail as a client does: to its Reply-To, with its text quoted below.
func (w *world) answer(from string, m letter, text string) {
	w.t.Helper()
	to := m.Header.Get("Reply-To")
	if to == "" {
		to = m.Header.Get("From")
	}
	a, err := mail.ParseAddress(to)
	if err != nil {
		w.t.Fatalf("reply address %q: %v", to, err)
	}
	var quoted strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(m.text), "\n") {
		quoted.WriteString("> " + strings.TrimRight(line, "\r") + "\n")
	}
	id := m.Header.Get("Message-ID")
	raw := fmt.Sprintf("Subject: Re: %s\nIn-Reply-To: %s\nReferences: %s\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s\n\nAm Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Nordwind Service <%s>:\n%s",
		m.subject(), id, strings.TrimSpace(m.Header.Get("References")+" "+id), text, a.Address, quoted.String())
	w.mailFrom(from, a.Address, raw)
}

func (l letter) subject() string { return l.Header.Get("Subject") }

// next waits for the next mail in somebody's inbox and reads it.
func (w *world) next(user string) letter {
	w.t.Helper()
	var raws [][]byte
	w.await("a mail for "+user, func() bool {
		var err error
		if raws, err = w.inbox(user); err != nil {
			w.t.Fatal(err)
		}
		return len(raws) > w.seen[user]
	})
	raw := raws[w.seen[user]]
	w.seen[user]++
	return w.read(raw)
}

func (w *world) read(raw []byte) letter {
	w.t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		w.t.Fatalf("read a mail: %v\n%s", err, raw)
	}
	parsed := mailin.Parse(raw, time.Now())
	return letter{Message: m, raw: string(raw), text: parsed.Text}
}

// unread is how many mails wait in an inbox.
func (w *world) unread(user string) int {
	w.t.Helper()
	raws, err := w.inbox(user)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(raws) - w.seen[user]
}

// ── looking at the desk ──

var numberPattern = regexp.MustCompile(`[A-Z]+-\d{4}-\d{6}`)

// ticket returns a ticket as it is now.
func (w *world) ticket(number string) ticketView {
	w.t.Helper()
	o := &operator{desk: w.daemon.desk, daemon: w.daemon}
	v, err := o.ticketShow(context.Background(), ticketArgs{Number: number})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// awaitState waits until a ticket is in a state.
func (w *world) awaitState(number string, s tickets.State) {
	w.t.Helper()
	w.await(number+" to be "+string(s), func() bool { return w.ticket(number).State == string(s) })
}

// settled waits until so many messages are settled, and the outbox is empty.
func (w *world) settled(seen uint64) {
	w.t.Helper()
	w.await(strconv.FormatUint(seen, 10)+" messages to be settled and the outbox to be empty", func() bool {
		v, err := w.daemon.status()
		return err == nil && v.Books.Seen >= seen && v.Outbox.Due == 0
	})
}

// healthy fails the story unless the doctor finds nothing.
func (w *world) healthy() {
	w.t.Helper()
	d, err := w.daemon.desk.Doctor(context.Background())
	if err != nil || !d.OK {
		w.t.Errorf("doctor: %v %+v", err, d)
	}
}

// record is a log that several goroutines write and the story reads.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
