package config

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"levels", "a:\n    b:\n        c: 1\n        d: 2   \ne: 3", "a:\n  b:\n    c: 1\n    d: 2\ne: 3\n"},
		{"lists", "a:\n- b\n-   c: 1\n    d: 2\n", "a:\n  - b\n  - c: 1\n    d: 2\n"},
		{"lists in lists", "a:\n - - b\n   - c\n - d\n", "a:\n  - - b\n    - c\n  - d\n"},
		{"a dash alone", "a:\n-\n    b: 1\n", "a:\n  -\n    b: 1\n"},
		{"empty lines", "\n\n\na: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"},
		{"comments", "# top\na:\n    # of b\n    b: 1 # beside\n\n    # of c\n    c: 2\n# end\n", "# top\na:\n  # of b\n  b: 1 # beside\n\n  # of c\n  c: 2\n# end\n"},
		{"brackets keep their place", "a:\n    b: {c: 1,\n        d: 2}\n", "a:\n  b: {c: 1,\n      d: 2}\n"},
		{"texts", "a:\n    b: |\n        one  \n          two\n\n\n        three\n    c: 1\n", "a:\n  b: |\n      one  \n        two\n\n\n      three\n  c: 1\n"},
		{"Windows", "\uFEFFa:\r\n    b: 1\r\n", "a:\n  b: 1\n"},
	} {
		got, err := Format([]byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.want)
		}
	}
	for in, want := range map[string]string{
		"":                          "the file holds nothing",
		"# only this\n":             "the file holds nothing",
		"a: [b\n":                   "a list that began with [ is not closed",
		"a:\n    b: 'x\n  --- y'\n": "cannot be changed without changing what it means",
	} {
		got, err := Format([]byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v, want an error about %q", in, got, err, want)
		}
	}
}

// TestFormatChangesNoExample holds that every example that is YAML means the same afterwards, and that a second time
// changes nothing. Those without faults are laid out well already.
func TestFormatChangesNoExample(t *testing.T) {
	t.Chdir(examples(t))
	all, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	formatted := 0
	for _, e := range all {
		if !strings.HasSuffix(e.Name(), ".yaml") {
			continue
		}
		data, err := os.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		once, err := Format(data)
		var doc yaml.Node
		if isYAML := yaml.Load(data, &doc) == nil; (err == nil) != isYAML {
			t.Errorf("%s: %v", e.Name(), err)
			continue
		} else if !isYAML {
			continue
		}
		formatted++
		twice, err := Format(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s: a second time changes it: %v", e.Name(), err)
		}
		if !strings.HasPrefix(e.Name(), "bad-") && !bytes.Equal(once, data) {
			t.Errorf("%s: is laid out otherwise:\n%s", e.Name(), once)
		}
	}
	if formatted < 100 {
		t.Errorf("%d examples were formatted, want at least 100", formatted)
	}
}

// FuzzFormat holds that formatting changes the layout only: of what it takes, the YAML is the same, and a second time
// changes nothing.
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{"a:\n    b: |\n        x\n# c\nd:\n- e\n-   f: 1\n", "{a: [1,\n2]}\n", "a: 'x\n\n  y'\n", "- - a\n  - b\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := Format(data)
		if err != nil {
			return
		}
		var a, b yaml.Node
		if yaml.Load(data, &a) != nil || yaml.Load(once, &b) != nil || !sameNode(&a, &b) {
			t.Fatalf("%q became %q", data, once)
		}
		if twice, err := Format(once); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("a second time changes %q to %q: %v", once, twice, err)
		}
	})
}
