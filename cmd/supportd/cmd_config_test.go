package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

func TestConfigHistory(t *testing.T) {
	rules, err := buildRules(deskConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store, err := tickets.OpenStore(filepath.Join(t.TempDir(), "state"), tickets.Options{Now: clock, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	o := &operator{desk: newDesk(store, rules, clock, slog.New(slog.DiscardHandler))}
	if list, err := o.configHistory(context.Background(), noArgs{}); err != nil || len(list) != 0 {
		t.Fatalf("an empty desk: got %+v, %v", list, err)
	}
	if _, err := o.desk.Place(context.Background(), "service", 1); err != nil {
		t.Fatal(err)
	}
	arrive := func(uid uint32) {
		t.Helper()
		raw := []byte("From: a@sachs.example\nTo: service@nordwind.example\nSubject: VPN " + string(rune('A'+uid)) + "\nMessage-ID: <" + string(rune('a'+uid)) + "@sachs.example>\n\nDer VPN Tunnel bricht ab.\n")
		in := tickets.Incoming{Source: tickets.Source{Mailbox: "service", UIDValidity: 1, UID: uid}, Arrived: now, Size: int64(len(raw)), Raw: raw, Message: mailin.Parse(raw, now)}
		outcomes, err := o.desk.Receive(context.Background(), tickets.Batch{Mailbox: "service", UIDValidity: 1, Messages: []tickets.Incoming{in}, Through: uid})
		if err != nil || outcomes[0].Result != tickets.Created {
			t.Fatalf("message %d: %+v, %v", uid, outcomes, err)
		}
	}
	arrive(1)
	now = now.Add(time.Hour)
	arrive(2)
	changed := *rules
	changed.Rev = "0badcafe"
	o.desk.SetRules(&changed)
	now = now.Add(time.Hour)
	arrive(3)
	list, err := o.configHistory(context.Background(), noArgs{})
	if err != nil || len(list) != 2 {
		t.Fatalf("got %+v, %v; want two revisions", list, err)
	}
	newest, first := list[0], list[1]
	if newest.Rev != "0badcafe" || !newest.Now || newest.Tickets != 1 || newest.Entries < 1 {
		t.Errorf("the newest is %+v", newest)
	}
	if first.Rev != rules.Rev || first.Now || first.Tickets != 2 || first.Last.Sub(first.First) != time.Hour {
		t.Errorf("the first is %+v", first)
	}
}

// TestFormatWritesSafely holds that config fmt -w keeps the file's mode and follows a link.
func TestFormatWritesSafely(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "supportd.yaml")
	if err := os.WriteFile(file, []byte("a:\n    b: 1   \n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.yaml", link); err != nil {
		t.Fatal(err)
	}
	a := &app{config: link}
	if err := a.configFormat(true, false); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != "a:\n  b: 1\n" {
		t.Errorf("got %q, %v", got, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
	if target, err := os.Readlink(link); err != nil || target != "real.yaml" {
		t.Errorf("the link is gone: %q, %v", target, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".supportd-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
