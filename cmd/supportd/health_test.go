package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"supportd/cmd/supportd/oauth/tokentest"
	"supportd/mailin/imaptest"
	"supportd/mailout/smtptest"
)

// healthWorld is a desk on embedded servers whose clock the test moves, and whose admin is nobody of the team. A second
// SMTP server is there for when the first is not.
type healthWorld struct {
	*world
	servers *memoryServers
	second  *smtptest.Server
	ahead   atomic.Int64 // of the real time
	fault   atomic.Pointer[func(smtptest.Step) smtptest.Fault]
}

const admin = "ben@nordwind.example"

// newHealthWorld starts the servers; imap says what the IMAP server can do.
func newHealthWorld(t *testing.T, imap imaptest.Options, token func(string) (string, bool)) *healthWorld {
	t.Helper()
	h := &healthWorld{servers: &memoryServers{token: token}}
	var err error
	if h.servers.imap, err = imaptest.NewServer(imap); err != nil {
		t.Fatal(err)
	}
	for _, user := range everybody() {
		h.servers.imap.AddUser(user, "secret")
	}
	h.servers.fault = func(s smtptest.Step) smtptest.Fault {
		if f := h.fault.Load(); f != nil {
			return (*f)(s)
		}
		return smtptest.Fault{}
	}
	if err := h.servers.startSMTP(); err != nil {
		t.Fatal(err)
	}
	if h.second, err = smtptest.NewServer(smtptest.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.second.Close() })
	h.world = newWorld(t, h.servers)
	h.world.now = func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }
	h.settings("", "")
	return h
}

// settings writes the configuration: more lines of the mailbox, and more lines of the file.
func (h *healthWorld) settings(mailbox, more string) {
	h.t.Helper()
	if mailbox == "" {
		mailbox = "  password_file: hilfe.pw\n  tls: none\n"
	}
	h.write("supportd.yaml", fmt.Sprintf(`version: 1
mailbox:
  imap: %q
  user: hilfe
  trusted: true
  since: 2020-01-01
%s  smtp: {server: %q, tls: none, retry: [1s], give_up: 5d}
from: Nordwind Service <%s>
language: de
languages: [de, en]
timezone: Europe/Berlin
team: [Anna Berg <%s>]
admin: %s
undo: 0s
%s`, h.imapAddr(), mailbox, h.smtpAddr(), deskAddress, anna, admin, more), 0o600)
}

// look moves the clock and lets the desk look at its health.
func (h *healthWorld) look(after time.Duration) {
	h.t.Helper()
	h.ahead.Add(int64(after))
	if err := h.daemon.lookAfter(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// told waits for the next mail about health and fails unless all the words stand in it.
func (h *healthWorld) told(words ...string) letter {
	h.t.Helper()
	l := h.next("ben")
	h.says(l, words...)
	h.empty()
	return l
}

func (h *healthWorld) says(l letter, words ...string) {
	h.t.Helper()
	if l.Header.Get("X-Desk-Template") != "health" {
		h.t.Errorf("a mail of template %q", l.Header.Get("X-Desk-Template"))
	}
	flat := strings.Join(strings.Fields(l.text), " ")
	for _, w := range words {
		if !strings.Contains(flat, w) {
			h.t.Errorf("%q is missing in:\n%s", w, l.text)
		}
	}
}

// untold fails when the admin got more mails than were looked at.
func (h *healthWorld) untold() {
	h.t.Helper()
	h.empty()
	if n := h.unread("ben"); n != 0 {
		h.t.Errorf("%d mails about health too many: %s", n, h.next("ben").text)
	}
}

// empty waits until no mail waits to be sent for the first time, and what was sent is known to be.
func (h *healthWorld) empty() {
	h.t.Helper()
	h.await("the outbox to be empty", func() bool {
		v, err := h.daemon.status()
		return err == nil && v.Outbox.Due == 0
	})
}

// A mailbox that cannot be used is told of after ten minutes, once, also over a restart, and when it works again. It
// stands in the status, the page and the metrics meanwhile. S-209
func TestHealthMailbox(t *testing.T) {
	h := newHealthWorld(t, imaptest.Options{}, nil)
	h.start()
	h.look(0)
	h.servers.imap.SetFaults(imaptest.Faults{RefuseLogin: "not today"})
	h.servers.imap.DropConnections()
	h.await("the mailbox to fail", func() bool {
		v, err := h.daemon.status()
		return err == nil && strings.Contains(v.Mailboxes[0].Error, "not today")
	})
	h.look(0)
	h.look(9 * time.Minute)
	h.untold()
	h.look(2 * time.Minute)
	h.told("Das Postfach support ist seit", "not today", "gehen nicht verloren")
	v, err := h.daemon.status()
	if err != nil || len(v.Troubles) != 1 || v.Troubles[0].Kind != "mailbox_down" || v.Troubles[0].Told.IsZero() {
		t.Errorf("status: %+v, %v", v.Troubles, err)
	}
	h.look(24 * time.Hour)
	h.stopDesk()
	h.awaits = func(v statusView) bool { return v.Mailboxes[0].Error != "" }
	h.start()
	h.look(time.Minute)
	h.look(time.Hour)
	h.untold()

	h.servers.imap.SetFaults(imaptest.Faults{})
	if err := h.daemon.wake(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.await("the mailbox to work", func() bool { v, err := h.daemon.status(); return err == nil && v.Ready })
	h.look(0)
	h.look(healthSettle)
	h.told("Das Postfach support ist wieder erreichbar")
	h.look(time.Hour)
	h.untold()
	h.healthy()
}

// While the brand's server cannot be used the second one takes the mail about that, and only that; what customers get
// waits. When the server is back that is told by it.
func TestHealthSecondWay(t *testing.T) {
	h := newHealthWorld(t, imaptest.Options{}, nil)
	h.settings("", fmt.Sprintf("health: {smtp: {server: %q, tls: none}}\n", h.second.Addr()))
	h.start()
	if err := h.stopSMTP(); err != nil {
		t.Fatal(err)
	}
	if err := h.put("hilfe", customerMail(sabine, "Wartet", "Text"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	h.await("the server to fail", func() bool { v, err := h.daemon.status(); return err == nil && v.Servers[1].Error != "" })
	h.look(0)
	h.look(11 * time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	mails, err := h.second.Wait(ctx, 1)
	if err != nil || len(mails) != 1 || mails[0].To[0] != admin {
		t.Fatalf("on the second server: %+v, %v", mails, err)
	}
	h.says(h.read(mails[0].Data), "Der Mailausgang default ist seit", "2 E-Mails warten")
	if err := h.startSMTP(); err != nil {
		t.Fatal(err)
	}
	if err := h.daemon.wake(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.next("sabine")
	h.next("anna")
	h.await("the server to work", func() bool { v, err := h.daemon.status(); return err == nil && v.Servers[1].Error == "" })
	h.look(0)
	h.look(healthSettle)
	h.told("Der Mailausgang default ist wieder erreichbar")
	if n := h.second.Count(); n != 1 {
		t.Errorf("%d mails on the second server, want 1", n)
	}
}

// Mails that wait for too long, and mails that were given up.
func TestHealthOutbox(t *testing.T) {
	h := newHealthWorld(t, imaptest.Options{}, nil)
	h.start()
	refuse := func(code int) func(smtptest.Step) smtptest.Fault {
		return func(s smtptest.Step) smtptest.Fault {
			if s.Verb == smtptest.RcptTo && s.To == sabine {
				return smtptest.Fault{Code: code}
			}
			return smtptest.Fault{}
		}
	}
	later, never := refuse(450), refuse(550)
	h.fault.Store(&later)
	if err := h.put("hilfe", customerMail(sabine, "Wartet", "Text"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	h.next("anna")
	h.await("the acknowledgement to be put off", func() bool { v, err := h.daemon.status(); return err == nil && v.Outbox.Deferred == 1 })
	h.look(59 * time.Minute)
	h.untold()
	h.look(2 * time.Minute)
	h.told("1 E-Mails warten seit")
	h.fault.Store(&never)
	h.await("it to be given up", func() bool {
		if err := h.daemon.wake(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, err := h.daemon.status()
		return err == nil && v.Outbox.Failed == 1
	})
	h.look(0)
	h.told("1 E-Mails wurden aufgegeben", "supportd outbox retry")
	h.look(healthSettle)
	h.told("Die wartenden E-Mails sind hinausgegangen")
	h.look(48 * time.Hour)
	h.untold()
}

// A full disk is told of at once, a refused configuration after an hour (S3 of the configuration); both when they are over.
func TestHealthDiskAndConfiguration(t *testing.T) {
	h := newHealthWorld(t, imaptest.Options{}, nil)
	h.start()
	reload := func(more string) error { h.settings("", more); return h.daemon.Reload() }
	if err := reload("disk_floor: 1000000GB\n"); err != nil {
		t.Fatal(err)
	}
	h.look(0)
	h.told("nur noch", "werden nicht angenommen")
	if err := reload("disk_floor: 1MB\n"); err != nil {
		t.Fatal(err)
	}
	h.look(0)
	h.look(healthSettle)
	h.told("ist wieder Platz")

	if err := reload("discfloor: 1MB\n"); err == nil {
		t.Fatal("a faulty configuration was taken")
	}
	h.look(0)
	h.look(59 * time.Minute)
	h.untold()
	h.look(2 * time.Minute)
	h.told("supportd.yaml gilt seit", "discfloor", "Nach einem Neustart liefe nichts")
	if err := reload(""); err != nil {
		t.Fatal(err)
	}
	h.look(0)
	h.told("gilt wieder")
	h.look(time.Hour)
	h.untold()
}

// A server's certificate that ends is told of ahead, at half of that and on the last day; a new one is told, too.
func TestHealthCertificate(t *testing.T) {
	h := newHealthWorld(t, imaptest.Options{TLS: true, CertUntil: time.Now().Add(20 * 24 * time.Hour)}, nil)
	if err := os.WriteFile(filepath.Join(h.dir, "ca.pem"), h.servers.imap.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	h.settings("  password_file: hilfe.pw\n  ca_file: ca.pem\n", "")
	h.start()
	const day = 24 * time.Hour
	h.look(0)
	h.untold()
	h.look(6*day + time.Hour)
	h.told("Das Zertifikat von imap support (127.0.0.1) endet in 14 Tagen")
	h.look(5 * day)
	h.untold()
	h.look(2 * day)
	h.told("endet in 7 Tagen")
	h.look(6 * day)
	h.told("endet in 1 Tagen")
	h.look(time.Hour)
	h.untold()
	h.ahead.Store(0) // as good as a new certificate
	h.look(0)
	h.told("Das Zertifikat von imap support (127.0.0.1) ist erneuert")
}

// A mailbox that gets nothing at an hour at which it got mail in each of the past weeks.
func TestHealthSilence(t *testing.T) {
	h := newHealthWorld(t, imaptest.Options{}, nil)
	h.start()
	now := time.Now()
	for week := 1; week <= 5; week++ {
		for i := range 10 { // over 29 hours, so that a change of the clocks that swallows one takes little away
			if err := h.put("hilfe", customerMail(fmt.Sprintf("c%d@muster.example", i), fmt.Sprintf("Woche %d, Mail %d", week, i), "Text"), now.Add(-time.Duration(week*7*24+3*i+2)*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.settled(50)
	h.look(0)
	h.told("Im Postfach support kam seit", "Üblich sind um diese Zeit etwa")
	h.look(time.Hour)
	h.untold()
	if err := h.put("hilfe", customerMail(sabine, "Wieder da", "Text"), h.now()); err != nil {
		t.Fatal(err)
	}
	h.settled(51)
	h.look(0)
	h.told("Im Postfach support kommt wieder etwas an")
}

// Access tokens: a consent that is taken back is told once, for both servers together, by the second way; so are the ends
// of the consent and of the client's secret, days ahead.
func TestHealthTokens(t *testing.T) {
	s := newTokenServer(t, tokentest.Options{RefreshLife: 90 * 24 * time.Hour})
	s.AddClient("secretive", "canary-s3cret")
	h := newHealthWorld(t, imaptest.Options{Token: s.User, NoPassword: true}, s.User)
	h.write("client.pw", "canary-s3cret\n", 0o600)
	oauth := fmt.Sprintf("  tls: none\n  oauth2: {provider: other, client_id: desk, token_url: %q, device_url: %q, scopes: [mail]}\n", s.TokenURL(), s.DeviceURL())
	health := fmt.Sprintf(`health:
  smtp:
    server: %q
    tls: none
    user: x
    oauth2: {provider: other, client_id: secretive, client_secret_file: client.pw, client_secret_expires: %s, token_url: %q}
`, h.second.Addr(), time.Now().Add(100*24*time.Hour).Format(time.DateOnly), s.TokenURL())
	h.settings(oauth, health)
	h.awaits = func(v statusView) bool { return v.Mailboxes[0].Error != "" }
	h.start()
	told := 0
	// by is the next mail by the second way. A mail that was owed before it was known that the first way is closed is
	// moved at the next look.
	by := func() letter {
		t.Helper()
		h.await("a mail by the second way", func() bool { h.look(0); return h.second.Count() > told })
		told++
		return h.read(h.second.Mails()[told-1].Data)
	}
	again := func() {
		t.Helper()
		h.logIn(s)
		h.await("the mailbox to be followed", func() bool { v, err := h.daemon.status(); return err == nil && v.Ready })
		h.look(0)
		h.look(healthSettle)
		h.told("gibt es wieder Zugangstoken")
	}
	h.says(by(), `mailbox "support"`, "nobody has logged in yet")
	again()

	s.Revoke()
	h.servers.imap.DropConnections()
	if err := h.put("hilfe", customerMail(sabine, "Wartet", "Text"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	h.await("the mailbox to fail", func() bool {
		v, err := h.daemon.status()
		return err == nil && !v.Ready && strings.Contains(v.Mailboxes[0].Error, "the consent has ended")
	})
	h.says(by(), `mailbox "support"`, "keine Zugangstoken", "supportd login support", "geht nichts verloren")
	h.look(time.Hour)
	h.look(time.Hour)
	if n := h.second.Count(); n != told {
		t.Errorf("%d mails about one trouble", n-told+1)
	}
	again()
	h.next("sabine")
	h.look(80 * 24 * time.Hour)
	h.told(`Die Zustimmung für mailbox "support" endet in 10 Tagen`, "supportd login support")
	h.look(7 * 24 * time.Hour)
	h.told("Die Zustimmung", "Das Client-Geheimnis für smtp server of health endet in 13 Tagen")
	if strings.Contains(h.log.String(), "canary") {
		t.Error("the client's secret stands in the log")
	}
}
