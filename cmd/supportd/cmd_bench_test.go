package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/bench"
	"supportd/tickets"
)

// benchProcess runs the servers of bench in this process.
func benchProcess(t *testing.T, messages int) (imap, smtp string) {
	t.Helper()
	in, input := io.Pipe()
	output, out := io.Pipe()
	done := make(chan int)
	go func() {
		done <- execute(context.Background(), []string{"bench", "servers", "--messages", fmt.Sprint(messages)}, streams{in: in, out: out, err: io.Discard})
	}()
	t.Cleanup(func() {
		input.Close()
		if code := <-done; code != exitFine {
			t.Errorf("the servers ended with exit code %d", code)
		}
	})
	lines := bufio.NewScanner(output)
	if !lines.Scan() {
		t.Fatal("the servers say nothing")
	}
	var at struct{ IMAP, SMTP string }
	if err := json.Unmarshal(lines.Bytes(), &at); err != nil {
		t.Fatal(err)
	}
	return at.IMAP, at.SMTP
}

func runBench(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(context.Background(), append([]string{"bench"}, args...), streams{out: &out, err: &errs}); code != exitFine {
		t.Fatalf("bench %s: exit code %d: %s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}

// Every stage runs, a second run compares itself with the first, and the figures are those of the messages there are.
func TestBench(t *testing.T) {
	const messages = 60
	imap, smtp := benchProcess(t, messages)
	dir := t.TempDir()
	pw, saved := filepath.Join(dir, "pw"), filepath.Join(dir, "first.json")
	if err := os.WriteFile(pw, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--imap", imap, "--smtp", smtp, "--user", "bench", "--password-file", pw, "--messages", fmt.Sprint(messages), "--fill", "300"}
	table := runBench(t, append(args, "--save", saved)...)
	first, err := bench.Load(saved)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bench.Stage{}
	for _, s := range first.Stages {
		have[s.Name] = s
		if s.Count == 0 || s.Seconds <= 0 || !strings.Contains(table, s.Name) {
			t.Errorf("stage %s: %+v", s.Name, s)
		}
	}
	for _, name := range []string{"generate", "parse", "classify", "compose", "store", "send", "fetch", "intake", "whole", "start", "poll", "lookup by number", "lookup by message-id"} {
		if _, ok := have[name]; !ok {
			t.Errorf("stage %s did not run:\n%s", name, table)
		}
	}
	for _, name := range []string{"fetch", "intake", "whole", "store"} {
		if have[name].Count != messages {
			t.Errorf("stage %s: %d messages, want %d", name, have[name].Count, messages)
		}
	}
	if trips := have["poll"].Trips; trips < 1 || trips > 3.1 {
		t.Errorf("a poll takes %.2f round trips", trips)
	}
	again := runBench(t, append(args, "--baseline", saved, "--stages", "parse,fetch", "--fill", "0", "--latency", "2ms")...)
	if strings.Count(again, "×") != 6 || !strings.Contains(again, "measured otherwise") {
		t.Errorf("no comparison with the first run:\n%s", again)
	}
}

// What an earlier run kept is what was stored before; the mails of the second are others.
func TestBenchKeptStore(t *testing.T) {
	const messages = 60
	imap, smtp := benchProcess(t, messages)
	dir := t.TempDir()
	pw, saved, kept := filepath.Join(dir, "pw"), filepath.Join(dir, "second.json"), filepath.Join(dir, "kept")
	if err := os.WriteFile(pw, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--imap", imap, "--smtp", smtp, "--user", "bench", "--password-file", pw, "--messages", fmt.Sprint(messages), "--dir", kept}
	runBench(t, append(args, "--stages", "store", "--fill", "300")...)
	runBench(t, append(args, "--stages", "store,lookup", "--save", saved)...)
	second, err := bench.Load(saved)
	if err != nil || second.Fill != 300+messages {
		t.Errorf("%d messages stored before, want %d (%v)", second.Fill, 300+messages, err)
	}
	store, err := tickets.OpenStore(filepath.Join(kept, "desk"), tickets.Options{Now: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var b tickets.Books
	if err := store.View(func(tx *tickets.Tx) error { b = tx.Books(); return nil }); err != nil || b.Seen != 300+2*messages || b.Duplicates > b.Seen/20 {
		t.Errorf("books %+v, %v", b, err)
	}
	var out, errs bytes.Buffer
	if code := execute(context.Background(), append([]string{"bench", "--fill", "1"}, args...), streams{out: &out, err: &errs}); code != exitNoRun || !strings.Contains(errs.String(), "leave --fill out") {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}

// A mailbox is read once and what is owed is sent, by two processes whose time can be taken.
func TestBenchHalves(t *testing.T) {
	const messages = 40
	imap, smtp := benchProcess(t, messages)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("pw", "secret\n")
	config := write("bench.yaml", fmt.Sprintf("version: 1\nmailbox: {imap: %q, smtp: %q, user: bench, password_file: pw, tls: none, trusted: true, since: 2020-01-01}\nfrom: support@bench.example\nteam: [anna@bench.example]\n", imap, smtp))
	for _, half := range []string{"intake", "outbox"} {
		var took bench.Drained
		if err := json.Unmarshal([]byte(runBench(t, half, "-c", config, "--json", "--log-level", "error")), &took); err != nil {
			t.Fatal(err)
		}
		if took.Count == 0 || half == "intake" && took.Count != messages {
			t.Errorf("%s: %+v", half, took)
		}
	}
}

func TestBenchMails(t *testing.T) {
	dir := t.TempDir()
	runBench(t, "mails", "--messages", "20", filepath.Join(dir, "files"))
	runBench(t, "mails", "--messages", "20", "--maildir", filepath.Join(dir, "maildir"))
	for _, folder := range []string{"files", "maildir/cur"} {
		if list, err := os.ReadDir(filepath.Join(dir, folder)); err != nil || len(list) != 20 {
			t.Errorf("%s: %d files, %v", folder, len(list), err)
		}
	}
}

func TestBenchRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--stages nonsense":     `there is no "nonsense"`,
		"--dir " + full:         "a new or an empty folder",
		"--baseline " + full:    "--baseline",
		"--messages 0":          "--messages",
		"--fill -1":             "--fill",
		"--imap mail.example:1": "cross the network in clear text",
	} {
		var out, errs bytes.Buffer
		code := execute(context.Background(), append([]string{"bench", "--smtp", "127.0.0.1:1", "--imap", "127.0.0.1:1", "--user", "x"}, strings.Fields(args)...), streams{out: &out, err: &errs})
		if code != exitNoRun || !strings.Contains(errs.String(), want) {
			t.Errorf("bench %s: exit code %d, %q", args, code, errs.String())
		}
	}
}
