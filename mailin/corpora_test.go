package mailin

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
	"unicode"

	"supportd/mailin/reply"
	"supportd/tickets"
)

// corpusRow is a row of the index: one mail and what a reader should find in it.
type corpusRow struct {
	Corpus, Sub, File, Task, Input, DupOf string
	Contested, Conflicts                  any
	Expect                                map[string]json.RawMessage
}

func (r *corpusRow) UnmarshalJSON(b []byte) error {
	var raw struct {
		Corpus, Sub, File, Task, Input string
		Dup                            string                     `json:"dup_of"`
		Contested                      any                        `json:"contested"`
		Conflicts                      any                        `json:"conflicts_with"`
		Expect                         map[string]json.RawMessage `json:"expect"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*r = corpusRow{raw.Corpus, raw.Sub, raw.File, raw.Task, raw.Input, raw.Dup, raw.Contested, raw.Conflicts, raw.Expect}
	return nil
}

// TestCorpora reads a folder of mails with known contents, named by SUPPORTD_CORPORA, and prints how many were read
// right. With SUPPORTD_CORPORA_RESULTS it also writes what was read, one JSON object a line. It fails on a mail that
// takes longer than a second.
func TestCorpora(t *testing.T) {
	dir := os.Getenv("SUPPORTD_CORPORA")
	if dir == "" {
		t.Log("SUPPORTD_CORPORA is not set: nothing was asked for")
		return
	}
	f, err := os.Open(filepath.Join(dir, "index.dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var results *json.Encoder
	if name := os.Getenv("SUPPORTD_CORPORA_RESULTS"); name != "" {
		out, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		results = json.NewEncoder(out)
	}
	right, total := map[string]int{}, map[string]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var row corpusRow
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, row.File))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		m := readRow(row, raw)
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s took %v", row.File, d)
		}
		if results != nil {
			if err := results.Encode(corpusResult(row.File, m)); err != nil {
				t.Fatal(err)
			}
		}
		if row.Contested != nil || row.Conflicts != nil || row.Task != "parse" && row.Task != "charset" {
			continue
		}
		wrong := wrongFields(row, m)
		key := fmt.Sprintf("%s %s %s", row.Task, row.Corpus, row.Sub)
		if total[key]++; len(wrong) == 0 {
			right[key]++
		} else {
			t.Logf("%s: %s", row.File, strings.Join(wrong, "; "))
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	keys := make([]string, 0, len(total))
	for k := range total {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		t.Logf("every field right: %-40s %4d of %4d (%.1f %%)", k, right[k], total[k], 100*float64(right[k])/float64(total[k]))
	}
}

// readRow reads a row's file the way its input says.
func readRow(row corpusRow, raw []byte) *tickets.Message {
	var p reply.Parts
	switch row.Input {
	case "rfc822":
		return Parse(raw, time.Time{})
	case "html":
		p = reply.HTML(string(raw))
	default:
		p = reply.Text(string(raw))
	}
	return &tickets.Message{Reply: p.Reply, Quoted: p.Quoted, Signature: p.Signature}
}

func corpusResult(file string, m *tickets.Message) map[string]any {
	type attachment struct {
		Name string `json:"name"`
		Size int64  `json:"size"`
	}
	list := []attachment{}
	for _, a := range m.Attachments {
		list = append(list, attachment{a.Name, a.Size})
	}
	return map[string]any{
		"file": file, "reply": m.Reply, "signature": m.Signature, "subject": m.Subject, "from": mails(m.From), "to": mails(m.To),
		"text": m.Text, "html": m.HTML, "attachments": list,
	}
}

func mails(list []tickets.Address) []string {
	out := []string{}
	for _, a := range list {
		if a.Mail != "" {
			out = append(out, a.Mail)
		}
	}
	return out
}

// wrongFields names what was read otherwise than the row says. White space does not count.
func wrongFields(row corpusRow, m *tickets.Message) []string {
	var wrong []string
	text := func(name, have string) {
		raw, ok := row.Expect[name]
		if !ok {
			return
		}
		var want string
		if json.Unmarshal(raw, &want) != nil || name == "html" && want == "" {
			return
		}
		if squeeze(have) != squeeze(want) {
			wrong = append(wrong, fmt.Sprintf("%s: have %.150q, want %.150q", name, squeeze(have), squeeze(want)))
		}
	}
	text("subject", m.Subject)
	text("text", m.Text)
	text("html", m.HTML)
	for name, list := range map[string][]tickets.Address{"from": m.From, "to": m.To} {
		var want []struct{ Address string }
		if raw, ok := row.Expect[name]; !ok || json.Unmarshal(raw, &want) != nil || len(want) == 0 {
			continue
		}
		var all []string
		for _, a := range want {
			if a.Address != "" {
				all = append(all, a.Address)
			}
		}
		if have := mails(list); !strings.EqualFold(strings.Join(have, " "), strings.Join(all, " ")) {
			wrong = append(wrong, fmt.Sprintf("%s: have %q, want %q", name, have, all))
		}
	}
	return append(wrong, wrongAttachments(row, m)...)
}

// wrongAttachments compares number, sizes and names.
func wrongAttachments(row corpusRow, m *tickets.Message) []string {
	type file struct {
		Name string
		Size int64
	}
	var want, inline []file
	_ = json.Unmarshal(row.Expect["attachments"], &want)
	_ = json.Unmarshal(row.Expect["inline"], &inline)
	_, listed := row.Expect["attachments"]
	count := len(want) + len(inline)
	if raw, ok := row.Expect["attachment_count"]; ok && json.Unmarshal(raw, &count) == nil {
		listed = true
	}
	var wrong []string
	enriched := len(row.Expect["enriched"]) > 0 && len(m.Attachments) == count+1
	if listed && len(m.Attachments) != count && !enriched {
		wrong = append(wrong, fmt.Sprintf("attachments: have %d, want %d", len(m.Attachments), count))
	}
	sizes, names := map[int64]int{}, map[string]bool{}
	for _, a := range m.Attachments {
		sizes[a.Size]++
		names[a.Name] = true
	}
	for _, w := range append(append([]file{}, want...), inline...) {
		if sizes[w.Size]--; w.Size > 0 && sizes[w.Size] < 0 {
			wrong = append(wrong, fmt.Sprintf("attachment %q: no file has its size %d", w.Name, w.Size))
		}
	}
	for _, w := range want {
		if w.Name != "" && !names[w.Name] {
			wrong = append(wrong, fmt.Sprintf("attachment %q: no file has that name", w.Name))
		}
	}
	return wrong
}

// squeeze leaves white space out.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u200b' {
			return -1
		}
		return r
	}, s)
}
