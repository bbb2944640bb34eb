package tickets

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHomeOfAStore: S-168. A copy of a state directory at another path or on another machine is refused, and said to be
// one; what stays the desk's own is not, and an order settles it.
func TestHomeOfAStore(t *testing.T) {
	base := home{Host: "desk1", Path: "/var/lib/supportd", File: 17}
	for _, c := range []struct {
		what   string
		here   home
		copied bool
	}{
		{"the same", base, false},
		{"a volume in another container", home{"c0ffee", "/var/lib/supportd", 17}, false},
		{"renamed on its file system", home{"desk1", "/srv/desk", 17}, false},
		{"put back from a copy", home{"desk1", "/var/lib/supportd", 99}, false},
		{"a copy beside it", home{"desk1", "/srv/copy", 99}, true},
		{"a copy on another machine", home{"desk2", "/var/lib/supportd", 99}, true},
		{"a system that does not tell", home{"desk2", "/srv/copy", 0}, false},
	} {
		if got := base.copiedTo(c.here); got != c.copied {
			t.Errorf("%s: copied %v, want %v", c.what, got, c.copied)
		}
	}

	k := newKit(t)
	ctx := t.Context()
	if err := k.store.AtHome(ctx, "desk1"); err != nil {
		t.Fatal(err)
	}
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(k.store.Dir())); err != nil {
		t.Fatal(err)
	}
	s, err := OpenStore(copied, Options{Now: k.clock.Now, Random: testRandom(1)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.AtHome(ctx, "desk1"); err == nil || !strings.Contains(err.Error(), "is a copy of "+k.store.Dir()) || !strings.Contains(err.Error(), "supportd claim") {
		t.Errorf("a copy: %v", err)
	}
	if err := s.Move(ctx, "desk1"); err != nil {
		t.Fatal(err)
	}
	if err := s.AtHome(ctx, "desk1"); err != nil {
		t.Errorf("after the order: %v", err)
	}
}

// TestClaimsOfARestoredDesk: what the replaced desk said in its mailboxes, the restored one knows; an order to take a
// mailbox ends when it is carried out.
func TestClaimsOfARestoredDesk(t *testing.T) {
	k := newKit(t)
	ctx := t.Context()
	for _, token := range []string{"a", "b", "c", "d", "e"} {
		if err := k.desk.Claiming(ctx, "support", token); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "desk.tar")
	if _, err := k.store.Backup(ctx, file, k.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := k.desk.Claiming(ctx, "support", "f"); err != nil {
		t.Fatal(err)
	}
	if err := k.desk.TakeMailboxes(ctx, []string{"support"}); err != nil {
		t.Fatal(err)
	}
	if c, err := k.desk.Claim(ctx, "support"); err != nil || !c.Take || c.Knows("a") || !c.Knows("c") || !c.Knows("f") {
		t.Errorf("before: %+v, %v", c, err)
	}
	if err := k.desk.Claimed(ctx, "support"); err != nil {
		t.Fatal(err)
	}
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(k.store.Dir(), file, k.clock.Now()); err != nil {
		t.Fatal(err)
	}
	s, err := OpenStore(k.store.Dir(), Options{Now: k.clock.Now, Random: testRandom(1)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := NewDesk(s, k.desk.Rules(), k.clock.Now, k.desk.Log)
	if c, err := d.Claim(ctx, "support"); err != nil || c.Take || !slices.Contains(c.Tokens, "f") || !c.Knows("b") {
		t.Errorf("restored: %+v, %v", c, err)
	}
}
