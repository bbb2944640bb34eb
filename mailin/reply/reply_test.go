package reply

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supportd/tickets"
)

// fixture is a file of testdata: a comment that says what it teaches, then named sections.
func fixture(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	name := "#"
	for l := range strings.Lines(string(b)) {
		if strings.HasPrefix(l, "== ") && strings.HasSuffix(l, " ==\n") {
			name = strings.Trim(l, "= \n")
			sections[name] = ""
			continue
		}
		sections[name] += l
	}
	return sections
}

// TestLessons reads every fixture: one body, and what stands in it.
func TestLessons(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 80 {
		t.Fatalf("found %d fixtures (%v), want at least 80", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want := fixture(t, file)
			got := Text(want["text"])
			if html, ok := want["html"]; ok {
				got = HTML(html)
			}
			lesson := strings.TrimSpace(want["#"])
			same(t, lesson, "reply", got.Reply, want["reply"])
			if s, ok := want["quoted"]; ok {
				same(t, lesson, "quoted", got.Quoted, s)
			}
			if s, ok := want["signature"]; ok {
				same(t, lesson, "signature", got.Signature, s)
			}
			if s, ok := want["original"]; ok {
				sameMail(t, lesson, got.Original, s)
			}
			if s, ok := want["forwarded"]; ok {
				sameMail(t, lesson, got.Forwarded, s)
			} else if got.Forwarded != nil {
				t.Errorf("%s\nforwarded: got %+v, want none", lesson, got.Forwarded)
			}
		})
	}
}

func same(t *testing.T, lesson, what, got, want string) {
	t.Helper()
	if clean := func(s string) string {
		lines := strings.Split(strings.TrimSpace(s), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		return strings.Join(lines, "\n")
	}; clean(got) != clean(want) {
		t.Errorf("%s\n%s:\n%s\n--- want:\n%s", lesson, what, got, want)
	}
}

// sameMail compares a mail inside a mail with its section: "from:", "subject:" and "date:" lines, then the text. What
// the section does not say is not compared.
func sameMail(t *testing.T, lesson string, got *tickets.Forwarded, want string) {
	t.Helper()
	if got == nil {
		t.Errorf("%s\nfound no mail inside, want:\n%s", lesson, want)
		return
	}
	for line := range strings.Lines(want) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "from":
			from := strings.TrimSpace(got.From.Name + " <" + got.From.Mail + ">")
			same(t, lesson, key, strings.TrimSuffix(from, " <>"), value)
		case "subject":
			same(t, lesson, key, got.Subject, value)
		case "date":
			layout := "2006-01-02 15:04:05 -0700"[:len(value)]
			same(t, lesson, key, got.Date.Format(layout), value)
		default:
			same(t, lesson, "text", got.Text, line)
		}
	}
}
