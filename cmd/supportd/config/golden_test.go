package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadExamples holds what is said about each bad-*.yaml and warn-*.yaml: exactly the comment lines at its top, up to
// the first line that is no comment, no more and no less. Run with -update to rewrite them.
//
// S-118 (strict fields, no duplicate keys), S-119 (file:line), S-120 (patterns), S-147 (TLS), S-176 (secrets).
func TestBadExamples(t *testing.T) {
	source, err := filepath.Abs(testdata)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(examples(t))
	var names []string
	for _, pattern := range []string{"bad-*.yaml", "warn-*.yaml"} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, matches...)
	}
	if len(names) < 60 {
		t.Fatalf("there are %d examples of faults, want at least 60", len(names))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want, rest := splitGolden(data)
			if *update {
				want = rewrite(t, name, rest, filepath.Join(source, name))
			}
			c, findings := load(t, name)
			if got := said(findings); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if isBad := strings.HasPrefix(name, "bad-"); isBad != (findings.Errors() > 0) || isBad != (c == nil) || len(findings) == 0 {
				t.Errorf("%d findings, %d errors, configuration usable: %t", len(findings), findings.Errors(), c != nil)
			}
		})
	}
}

// splitGolden takes the comment lines off the top of an example.
func splitGolden(data []byte) (want string, rest []byte) {
	for len(data) > 0 && data[0] == '#' {
		line, tail, _ := bytes.Cut(data, []byte("\n"))
		want += strings.TrimPrefix(strings.TrimPrefix(string(line), "#"), " ") + "\n"
		data = tail
	}
	return want, data
}

func said(findings Findings) string {
	var b strings.Builder
	for _, f := range findings {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

// rewrite puts what is said about rest in comments above it. These move rest down, which changes the line numbers in
// them, so it is done until nothing changes.
func rewrite(t *testing.T, name string, rest []byte, to string) string {
	t.Helper()
	want := ""
	for range 5 {
		var b bytes.Buffer
		for line := range strings.Lines(want) {
			b.WriteString("# " + line)
		}
		b.Write(rest)
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		_, findings := load(t, name)
		if got := said(findings); got == want {
			if err := os.WriteFile(to, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			return want
		}
		_, findings = load(t, name)
		want = said(findings)
	}
	t.Fatal("the comments do not settle")
	return ""
}
