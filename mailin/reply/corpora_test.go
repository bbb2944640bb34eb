package reply

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
)

// corpusRow is one line of the index: a body and what a reader should find in it.
type corpusRow struct {
	File, Corpus, Task, Sub, Input string
	Contested                      any    `json:"contested"`
	Conflicts                      string `json:"conflicts_with"`
	DupOf                          string `json:"dup_of"`
	Split                          string `json:"split"`
	Expect                         map[string]any
}

// TestCorpora scores the package on mail that was collected elsewhere, where SUPPORTD_CORPORA says it is. It fails when
// a share falls below the bar, and prints the shares in any case. SUPPORTD_CORPORA_MISSES=1 prints what was missed.
func TestCorpora(t *testing.T) {
	dir := os.Getenv("SUPPORTD_CORPORA")
	if dir == "" {
		t.Log("SUPPORTD_CORPORA is not set: nothing to score")
		return
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	right, all := map[string]int{}, map[string]int{}
	count := func(key string, ok bool) {
		all[key]++
		if ok {
			right[key]++
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(index))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var row corpusRow
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		if row.Task != "reply" || row.Input == "rfc822" || row.Contested != nil || row.Conflicts != "" || row.Split != "dev" {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, row.File))
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		parts := Text
		if row.Input == "html" {
			parts = HTML
		}
		got := parts(strings.ToValidUTF8(string(body), "\uFFFD"))
		if took := time.Since(started); took > time.Second {
			t.Errorf("%s took %v", row.File, took)
		}
		ok, want := row.score(got)
		if row.DupOf == "" {
			key := "~reply"
			if row.Sub == "signature" || row.Sub == "forward" {
				key = "~" + row.Sub
			}
			count(key, ok)
			if s, has := row.Expect["signature"].(string); has && s != "" {
				count("~signature text", squeeze(got.Signature) == squeeze(s))
			}
		}
		count(row.Corpus+" "+row.Sub, ok)
		if !ok && os.Getenv("SUPPORTD_CORPORA_MISSES") != "" {
			t.Logf("MISS %s dup=%q\n--- got\n%s\n--- want\n%v\n--- sig\n%s", row.File, row.DupOf, head(got.Reply), want, head(got.Signature))
		}
	}
	var keys []string
	for k := range all {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		t.Logf("%-40s %4d/%-4d %5.1f %%", k, right[k], all[k], 100*float64(right[k])/float64(all[k]))
	}
	for key, bar := range map[string]float64{"~reply": 92, "~signature": 85, "~forward": 90} {
		if share := 100 * float64(right[key]) / float64(all[key]); share < bar {
			t.Errorf("%s: %.1f %%, want at least %.0f %%", key, share, bar)
		}
	}
}

func (r *corpusRow) score(got Parts) (ok bool, want any) {
	norm := squeeze
	if r.Expect["compare"] == "nows" {
		norm = func(s string) string { return strings.ReplaceAll(squeeze(s), " ", "") }
	}
	for _, key := range []string{"text_top", "text"} {
		if s, has := r.Expect[key].(string); has {
			return norm(got.Reply) == norm(s), s
		}
	}
	if r.Expect["max_seconds"] != nil {
		return true, nil
	}
	has := func(key string, in bool) bool {
		list, _ := r.Expect[key].([]any)
		for _, x := range list {
			if strings.Contains(squeeze(got.Reply), squeeze(x.(string))) != in {
				return false
			}
		}
		return true
	}
	return has("contains", true) && has("absent", false), r.Expect
}

func squeeze(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("\u00A0", " ", "\u200B", "").Replace(s)), " ")
}

func head(s string) string { return s[:min(len(s), 1200)] }
