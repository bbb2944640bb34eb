package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supportd/tickets"
)

// testdata/schema1.tar.gz is the backup of a desk that a program of the first schema kept: 17 mails, 4 tickets. Every
// later program reads it, restored or in place, and proves that its books balance.
func TestUpgradeOfTheFirstSchema(t *testing.T) {
	dir := t.TempDir()
	backup := filepath.Join(dir, "old.tar")
	unpack(t, "testdata/schema1.tar.gz", backup)
	config := filepath.Join(dir, "supportd.yaml")
	err := errors.Join(os.WriteFile(filepath.Join(dir, "hilfe.pw"), []byte("secret\n"), 0o600),
		os.WriteFile(config, []byte("version: 1\nmailbox: {imap: 127.0.0.1:1, smtp: 127.0.0.1:1, user: hilfe, password_file: hilfe.pw, tls: none, trusted: true}\n"+
			"from: Nordwind Service <hilfe@nordwind.example>\nteam: [jana@nordwind.example]\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if out, errs, code := program(t, nil, "restore", backup, "--yes", "-c", config); code != exitFine {
		t.Fatalf("restore: %d\n%s%s", code, out, errs)
	}
	for _, when := range []string{"the first time", "and again"} { // the upgrade happens when the store is opened
		out, errs, code := program(t, nil, "doctor", "--json", "-c", config)
		var d tickets.Diagnosis
		if err := json.Unmarshal([]byte(out), &d); err != nil || code != exitFine || len(d.Problems) > 0 {
			t.Fatalf("doctor %s: %d, %v\n%s%s", when, code, err, out, errs)
		}
		if d.Books.Seen != 17 || d.Books.Created != 4 || d.Books.Appended != 9 || d.Books.Quarantined != 2 || d.Books.Filed != 2 {
			t.Errorf("books %s: %+v", when, d.Books)
		}
	}
	out, errs, code := program(t, nil, "ticket", "list", "--all", "-c", config)
	if code != exitFine || strings.Count(out, "T-2026-0000") != 4 {
		t.Errorf("tickets: %d\n%s%s", code, out, errs)
	}
	if out, errs, code = program(t, nil, "ticket", "show", "T-2026-000001", "-c", config); code != exitFine || !strings.Contains(out, "Drucker im Empfang") {
		t.Errorf("ticket: %d\n%s%s", code, out, errs)
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
