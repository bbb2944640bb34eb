package main

import (
	"os"
	"path/filepath"
	"testing"
)

// explain says about a mail to the desk of forty what it is, who gets it, by when, and who is told; held in a golden file
// that -update rewrites.
func TestExplainOnTheDeskOfForty(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/nordwind")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"service.pw", "kontor.pw", "alerts.pw"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, errs, code := program(t, nil, "explain", "-c", configOf(dir), "--at", "2026-11-27 16:40:12", filepath.Join(dir, "fixtures", "vpn-leipzig.eml"))
	if code != exitFine {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	golden := filepath.Join("..", "..", "testdata", "nordwind", "fixtures", "vpn-leipzig.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
