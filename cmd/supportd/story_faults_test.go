package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// SMTP down and up: what the desk owes waits, and arrives once, with the bytes and the Message-ID it had from the start.
// S-035 S-036 S-043
func TestStorySMTPDownAndUp(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.start()
		w.mailFrom(sabine, deskAddress, "Subject: Der erste\n\nAlles noch da.\n")
		w.next("sabine")
		w.next("anna")
		w.next("ben")
		if err := w.stopSMTP(); err != nil {
			t.Fatal(err)
		}
		if err := w.put("hilfe", customerMail(john, "Printer on fire", "Hello, the printer is on fire."), time.Time{}); err != nil {
			t.Fatal(err)
		}
		w.await("three mails to wait", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Books.Created == 2 && v.Outbox.Due+v.Outbox.Deferred == 3
		})
		if err := w.startSMTP(); err != nil {
			t.Fatal(err)
		}
		ack := w.next("john")
		if !strings.Contains(ack.Header.Get("Auto-Submitted"), "auto-replied") {
			t.Errorf("not the acknowledgement: %q", ack.subject())
		}
		w.next("anna")
		w.next("ben")
		w.settled(2)
		for _, user := range []string{"john", "anna", "ben"} {
			if n := w.unread(user); n != 0 {
				t.Errorf("%s got %d copies too many", user, n)
			}
		}
		w.healthy()
	})
}

// customerMail is a mail as a mail server has delivered it.
func customerMail(from, subject, text string) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf(`Return-Path: <%s>
Received: from client by mx.nordwind.example; %s
From: <%s>
To: <%s>
Subject: %s
Date: %s
Message-ID: <%x@customer.example>
Content-Type: text/plain; charset=utf-8

%s
`, from, time.Now().Format(time.RFC1123Z), from, deskAddress, subject, time.Now().Format(time.RFC1123Z), subject, text), "\n", "\r\n"))
}

// IMAP sessions cut, again and again: every message becomes exactly one ticket.
// S-017 S-020
func TestStoryIMAPCut(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.start()
		const n = 12
		for i := range n {
			if err := w.put("hilfe", customerMail(sabine, fmt.Sprintf("Meldung %d", i), strings.Repeat("Text. ", 2000)), time.Time{}); err != nil {
				t.Fatal(err)
			}
			if i%4 == 3 {
				if err := w.dropIMAP(); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.await("all tickets", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Books.Created == n
		})
		w.settled(n)
		w.healthy()
	})
}

// IMAP cut in the middle of a literal: nothing of the cut message is kept, and the next try brings it whole.
// S-017
func TestStoryCutLiteral(t *testing.T) {
	s := startEmbedded(t).(*memoryServers)
	w := newWorld(t, s)
	s.imap.SetFaults(imaptest.Faults{CutLiteral: 3000, Cuts: 3})
	w.start()
	raw := customerMail(sabine, "Lang", strings.Repeat("Zeile mit Text.\r\n", 1000))
	if err := w.put("hilfe", raw, time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.await("the ticket", func() bool {
		v, err := w.daemon.status()
		return err == nil && v.Books.Created == 1
	})
	stored := storedRaw(t, w, 1)
	if !bytes.Equal(stored, raw) {
		t.Errorf("stored %d bytes, sent %d", len(stored), len(raw))
	}
	w.healthy()
}

func storedRaw(t *testing.T, w *world, key uint64) []byte {
	t.Helper()
	var m *tickets.Stored
	err := w.daemon.desk.Store.View(func(tx *tickets.Tx) (err error) { m, err = tx.Stored(key); return err })
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.daemon.desk.Raw(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A new UIDVALIDITY: known mail is recognised by its content, new mail becomes a ticket, nobody is answered twice.
// S-005
func TestStoryNewUIDValidity(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.start()
		const n = 3 // more in a row, each after an acknowledgement, would look like a machine
		for i := range n {
			if err := w.put("hilfe", customerMail(sabine, fmt.Sprintf("Meldung %d", i), "Text"), time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		w.settled(n)
		w.await("the acknowledgements", func() bool { return w.unread("sabine") == n })
		w.stopDesk()
		if err := w.newUIDValidity("hilfe"); err != nil {
			t.Fatal(err)
		}
		if err := w.put("hilfe", customerMail(sabine, "Neu", "Text"), time.Time{}); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.await("everything to be looked at again", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Books.Seen == 2*n+1 && v.Outbox.Due == 0
		})
		if v, err := w.daemon.status(); err != nil || v.Books.Created != n+1 || v.Books.Duplicates != n {
			t.Errorf("books after the change: %+v, %v", v.Books, err)
		}
		if got := w.unread("sabine"); got > n+1 {
			t.Errorf("the customer has %d acknowledgements for %d mails", got, n+1)
		}
		if log := w.log.String(); strings.Count(log, "uidvalidity changed") != 1 {
			t.Errorf("the change is logged %d times, want once", strings.Count(log, "uidvalidity changed"))
		}
		w.healthy()
	})
}

// First run on a mailbox with old mail: none of it is answered.
// S-026
func TestStoryOldMail(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		old := time.Now().Add(-48 * time.Hour)
		for i := range 20 {
			if err := w.put("hilfe", customerMail(sabine, fmt.Sprintf("Alt %d", i), "Text"), old); err != nil {
				t.Fatal(err)
			}
		}
		w.start()
		w.settled(20)
		v, err := w.daemon.status()
		if err != nil || v.Books.Filed != 20 || v.Books.Created != 0 {
			t.Errorf("books: %+v, %v", v.Books, err)
		}
		if n := w.unread("sabine"); n != 0 {
			t.Errorf("%d answers to old mail", n)
		}
		w.healthy()
	})
}

// kill -9 of the whole program while mail comes in, again and again: no mail is lost, none makes two tickets, and each
// acknowledgement arrives.
// S-001 S-033 S-035
func TestStoryKill(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		binary := buildProgram(t)
		const n = 24
		sent := 0
		for kill := range 6 {
			p := exec.Command(binary, "run", "-c", w.config)
			var out bytes.Buffer
			p.Stderr = &out
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			for range n / 6 {
				from := fmt.Sprintf("kunde%d@muster.example", sent)
				if err := w.put("hilfe", customerMail(from, fmt.Sprintf("Meldung %d", sent), "Text"), time.Now().Add(time.Minute)); err != nil {
					t.Fatal(err)
				}
				sent++
			}
			// Each round is killed a little later in its work.
			wait := time.NewTimer(time.Duration(60+90*kill) * time.Millisecond)
			<-wait.C
			if err := p.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = p.Wait() // it was killed: that is the error
		}
		w.start()
		w.await("all tickets", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Books.Created == n && v.Outbox.Due == 0 && v.Outbox.Deferred == 0
		})
		v, err := w.daemon.status()
		if err != nil || v.Books.Seen != n {
			t.Errorf("books: %+v, %v", v.Books, err)
		}
		w.healthy()
	})
}

// buildProgram builds supportd once for a test.
func buildProgram(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "supportd")
	cmd := exec.Command("go", "build", "-o", binary, ".")
	cmd.Env = os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// One dead mailbox never delays another.
func TestStoryDeadMailbox(t *testing.T) {
	s := startEmbedded(t)
	w := newWorld(t, s)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := dead.Addr().String()
	dead.Close()
	w.write("supportd.yaml", fmt.Sprintf(`version: 1
organisation: {name: Nordwind, timezone: Europe/Berlin, languages: [de, en]}
mailboxes:
  works: {imap: %q, user: hilfe, password_file: hilfe.pw, tls: none, trusted: true, brand: nordwind, addresses: [%s]}
  dead: {imap: %q, user: hilfe, password_file: hilfe.pw, tls: none, trusted: true, brand: nordwind, addresses: [tot@nordwind.example]}
brands:
  nordwind: {from: Nordwind Service <%s>, smtp: {server: %q, tls: none}, ticket_prefix: NW}
teams:
  desk: {tier: 1, members: [%s]}
`, w.imapAddr(), deskAddress, addr, deskAddress, w.smtpAddr(), anna), 0o600)
	d, err := NewDaemon(w.config, Options{Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	w.daemon = d
	w.mailFrom(sabine, deskAddress, "Subject: Geht das?\n\nJa.\n")
	if ack := w.next("sabine"); !strings.Contains(ack.subject(), "NW-") {
		t.Errorf("subject %q", ack.subject())
	}
	v, err := d.status()
	if err != nil || v.Ready || len(v.Mailboxes) != 2 || !strings.Contains(v.Mailboxes[0].Error, "127.0.0.1") {
		t.Errorf("status does not show the dead mailbox: %+v, %v", v.Mailboxes, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
