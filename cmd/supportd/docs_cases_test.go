package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The page of cases: what an inbox has to stand, and which tests name it.

var namedCase = regexp.MustCompile(`S-(\d{3})(?:(?:…|-| to )S-(\d{3}))?`)

// casesPage lists every case with the files whose tests name it.
func casesPage(t *testing.T) string {
	t.Helper()
	titles, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	held, open := heldCases(t), openCases(t)
	var body strings.Builder
	all, covered := 0, 0
	for line := range strings.Lines(string(titles)) {
		line = strings.TrimSpace(line)
		if area, ok := strings.CutPrefix(line, "## "); ok {
			fmt.Fprintf(&body, "\n## %s\n\n| case | what has to hold | held by |\n| --- | --- | --- |\n", area)
			continue
		}
		id, title, _ := strings.Cut(line, " ")
		if !namedCase.MatchString(id) {
			continue
		}
		all++
		by := "not yet"
		if why := open[id]; why != "" {
			by += ": " + why
		}
		if why, ok := strings.CutPrefix(open[id], "nothing to apply to: "); ok {
			by = "nothing to apply to: " + why
		}
		if files := held[id]; len(files) > 0 {
			covered++
			slices.Sort(files)
			by = strings.Join(slices.Compact(files), "<br>")
			if short := open[id]; strings.HasPrefix(short, "but: ") {
				by += "<br>" + short
			} else if short != "" {
				t.Errorf("%s is named in %v, and testdata/cases_open.txt says why it is not", id, files)
			}
		}
		delete(held, id)
		fmt.Fprintf(&body, "| %s | %s | %s |\n", id, title, by)
	}
	for id, files := range held {
		t.Errorf("%s is named in %v and stands in no list", id, files)
	}
	return fmt.Sprintf("# Cases\n\nThis page is made from the tests. It lists what an inbox on the Internet has to stand, and which tests "+
		"name the case.\nA case that is named is tried at least in one form, not in every form there may be.\n\n**%d of %d cases are named by a test.**\n%s",
		covered, all, body.String())
}

// openCases are those that no test names, with the reason; and those that one names, with "but: " and what is missing.
func openCases(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/cases_open.txt")
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if id, why, ok := strings.Cut(strings.TrimSpace(line), " "); ok && namedCase.MatchString(id) {
			open[id] = why
		}
	}
	return open
}

// overclaims fails when the page names a case or a file that the tests do not bear out. A page that is merely behind the
// tests is not wrong, and is said: it changes with every test that is written.
func overclaims(t *testing.T, there, now string) {
	t.Helper()
	rows := func(page string) map[string][]string {
		m := map[string][]string{}
		for line := range strings.Lines(page) {
			if cells := strings.Split(line, " | "); len(cells) == 3 {
				m[cells[0]+" "+cells[1]] = strings.Split(strings.TrimSuffix(strings.TrimSpace(cells[2]), " |"), "<br>")
			}
		}
		return m
	}
	have := rows(now)
	if len(have) < 210 {
		t.Fatalf("docs/cases.md would have %d rows", len(have))
	}
	for name, files := range rows(there) {
		for _, f := range files {
			if !strings.HasPrefix(f, "not yet") && !strings.HasPrefix(f, "but: ") && !strings.HasPrefix(f, "nothing to apply to: ") && !slices.Contains(have[name], f) {
				t.Errorf("docs/cases.md says that %s holds %s; go test ./cmd/supportd -run Docs -update writes it anew", f, name)
			}
		}
	}
	if there != now {
		t.Log("docs/cases.md is behind the tests; go test ./cmd/supportd -run Docs -update writes it anew")
	}
}

func heldCases(t *testing.T) map[string][]string {
	t.Helper()
	held := map[string][]string{}
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, "docs_test.go") {
			return err
		}
		if !strings.HasSuffix(path, "_test.go") && filepath.Ext(path) != ".txtar" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, top+string(filepath.Separator)))
		for _, m := range namedCase.FindAllStringSubmatch(string(b), -1) {
			from, to := m[1], cmp.Or(m[2], m[1])
			first, err1 := strconv.Atoi(from)
			last, err2 := strconv.Atoi(to)
			if err1 != nil || err2 != nil {
				continue
			}
			for n := first; n <= last; n++ {
				id := fmt.Sprintf("S-%03d", n)
				held[id] = append(held[id], name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return held
}
