package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supportd/tickets"
)

// Messages of files have numbers in the order of their dates; a date that cannot be believed gives way to what else is
// known, and reading from a number on gives the same messages.
func TestPastFiles(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	long := strings.Repeat("y", 200<<10)
	write := func(name, text string, changed time.Time) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	write("Inbox", "From a@x Mon Nov 23 10:00:00 2020\nSubject: third\nDate: Mon, 23 Nov 2020 10:00:00 +0000\n\n"+long+"\nFrom here it goes on.\n>From quoted\n\n"+
		"From b@x Sun Mar  1 10:01:00 2015\nSubject: second\nDate: Feb 30\n\nx\n", now)
	write("box/cur/1", "Subject: first\r\nDate: Thu, 01 Jan 2004 00:00:00 +0000\r\n\r\nx", now)
	write("box/.Sub/new/2", "Subject: fourth\nDate: Thu, 01 Jan 2099 00:00:00 +0000\n\nx", now.Add(-time.Hour))
	write("box/dovecot.index", "no mail", now)
	write("box/tmp/3", "Subject: half", now)
	var want = []string{"first", "second", "third", "fourth"}
	for from := uint32(1); from <= 4; from++ {
		p := &pastFiles{paths: []string{dir}, now: now}
		var source tickets.Digest
		next := from
		err := p.read(context.Background(), func(s tickets.Digest, n int) (uint32, error) {
			if source = s; n != 4 {
				t.Fatalf("%d messages", n)
			}
			return from, nil
		}, func(number uint32, at time.Time, raw []byte, why string) error {
			if number != next || !strings.HasPrefix(string(raw), "Subject: "+want[number-1]) || at.After(now) || why != "" {
				t.Errorf("message %d (%s) is %.60q", number, at, raw)
			}
			if number == 3 && !strings.HasSuffix(string(raw), "\nFrom here it goes on.\nFrom quoted\n") {
				t.Errorf("message 3 ends with %q", raw[len(raw)-60:])
			}
			next++
			return nil
		})
		if err != nil || next != 5 || source.IsZero() {
			t.Errorf("from %d: up to %d, %v", from, next, err)
		}
	}
}

// BenchmarkImport is an import of an mbox with threads of four mails, from the file to the closed ticket.
func BenchmarkImport(b *testing.B) {
	const mails = 4000
	dir := b.TempDir()
	var mbox strings.Builder
	for i := range mails {
		fmt.Fprintf(&mbox, "From k@c.example Mon Nov 23 10:00:00 2020\nMessage-ID: <m%d@c.example>\nFrom: Kunde %d <kunde%d@c.example>\nTo: hilfe@nordwind.example\nSubject: Thema %d\nDate: %s\n",
			i, i/4, i/4, i/4, time.Date(2020, 1, 1, 0, i, 0, 0, time.UTC).Format(time.RFC1123Z))
		if i%4 > 0 {
			fmt.Fprintf(&mbox, "References: <m%d@c.example>\n", i/4*4)
		}
		fmt.Fprintf(&mbox, "\nText Nummer %d. %s\n\n", i, strings.Repeat("Noch ein Satz dazu.\n", 60))
	}
	if err := os.WriteFile(filepath.Join(dir, "old.mbox"), []byte(mbox.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("x"), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		state := b.TempDir()
		config := "version: 1\nmailbox: {imap: \"127.0.0.1:1\", smtp: \"127.0.0.1:1\", user: x, password_file: pw, tls: none}\n" +
			"from: Nordwind <hilfe@nordwind.example>\nteam: [anna@nordwind.example]\nstate: " + filepath.Join(state, "state") + "\n"
		path := filepath.Join(dir, "desk.yaml")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			b.Fatal(err)
		}
		var out, errs strings.Builder
		if code := execute(b.Context(), []string{"import", "-c", path, filepath.Join(dir, "old.mbox")}, streams{out: &out, err: &errs}); code != 0 {
			b.Fatalf("exit code %d: %s", code, errs.String())
		}
		if !strings.Contains(out.String(), "1000 tickets, 3000 messages on tickets") {
			b.Fatal(out.String())
		}
	}
	b.ReportMetric(float64(mails*b.N)/b.Elapsed().Seconds(), "messages/s")
}
