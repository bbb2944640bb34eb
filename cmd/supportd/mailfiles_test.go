package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An mbox is taken apart mail by mail; "From " inside a text does not begin one.
func TestMbox(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "old.mbox")
	long := strings.Repeat("x", 200<<10)
	text := "From a@x Mon Nov 23 10:00:00 2026\nSubject: one\n\nFirst.\n>From here on it is text.\nFrom there too.\n\n" +
		"From b@x Mon Nov 23 10:01:00 2026\nSubject: two\n\n" + long + "\n>>From quoted twice\n\n" +
		"From c@x Mon Nov 23 10:02:00 2026\nSubject: three\n\nLast, without a line end"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		path + ":1": "Subject: one\n\nFirst.\nFrom here on it is text.\nFrom there too.\n",
		path + ":2": "Subject: two\n\n" + long + "\n>From quoted twice\n",
		path + ":3": "Subject: three\n\nLast, without a line end",
	}
	var order []string
	a := &app{}
	err := a.eachMail([]string{dir}, func(name string, raw []byte) error {
		order = append(order, name)
		if string(raw) != want[name] {
			t.Errorf("%s is %.80q, want %.80q", name, raw, want[name])
		}
		return nil
	})
	if err != nil || len(order) != 3 {
		t.Errorf("%d mails, %v", len(order), err)
	}
}

// A path that is not there is an error that names it, before anything is read.
func TestMailFilesMissing(t *testing.T) {
	a := &app{}
	err := a.eachMail([]string{"no-such-folder"}, func(string, []byte) error { t.Error("called"); return nil })
	if err == nil || !strings.Contains(err.Error(), "no-such-folder") {
		t.Errorf("error %v", err)
	}
}
