package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Every whole message of the corpora, delivered into the mailbox: each ends somewhere, the books balance, nothing
// crashes, the doctor finds nothing. Runs when SUPPORTD_CORPORA names the folder; the material is not part of the
// repository.
func TestStoryCorpora(t *testing.T) {
	dir := os.Getenv("SUPPORTD_CORPORA")
	if dir == "" {
		t.Log("SUPPORTD_CORPORA is not set: not asked for")
		return
	}
	files := wholeMessages(t, dir)
	everywhere(t, func(t *testing.T, w *world) {
		w.start()
		began := time.Now()
		distinct := map[string]bool{}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.put("hilfe", raw, time.Time{}); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			distinct[string(raw)] = true
		}
		w.settled(uint64(len(files)))
		v, err := w.daemon.status()
		if err != nil {
			t.Fatal(err)
		}
		if v.Books.Balance() != 0 || v.Books.Seen != uint64(len(files)) || v.Books.Failed != 0 {
			t.Errorf("books: %+v for %d messages", v.Books, len(files))
		}
		t.Logf("%d messages (%d distinct) in %s: %+v", len(files), len(distinct), time.Since(began).Round(time.Millisecond), v.Books)
		w.healthy()
	})
}

// wholeMessages lists the messages that the index of the corpora names.
func wholeMessages(t *testing.T, dir string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "index.dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var files []string
	seen := map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var row struct{ File, Input string }
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		if row.Input == "rfc822" && !seen[row.File] {
			seen[row.File] = true
			files = append(files, filepath.Join(dir, row.File))
		}
	}
	if err := lines.Err(); err != nil || len(files) < 500 {
		t.Fatalf("%d whole messages in the index, %v", len(files), err)
	}
	return files
}
