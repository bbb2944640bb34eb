package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite goldens and generated files")

const testdata = "../../../testdata/config"

// environment is what the examples' ${NAME} stand for.
func environment(name string) (string, bool) {
	v, ok := map[string]string{"SUPPORT_PASSWORD": "canary-env-7f3a", "KONTOR_PASSWORD": "canary-env-91bc", "CLIENT_SECRET": "canary-env-0a77"}[name]
	return v, ok
}

// examples copies testdata/config to a new directory, with the modes that password files need and git does not keep,
// and makes it the working directory.
func examples(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(testdata)); err != nil {
		t.Fatal(err)
	}
	secrets, err := filepath.Glob(filepath.Join(dir, "*.pw"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range secrets {
		mode := os.FileMode(0o600)
		if filepath.Base(name) == "open.pw" {
			mode = 0o644
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load reads one of the examples as Load does, with the test's environment.
func load(t testing.TB, name string) (*Config, Findings) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return parse(name, data, filepath.Dir(name), environment)
}

// good lists the examples that have no fault.
func good(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range all {
		if !strings.HasPrefix(n, "bad-") && !strings.HasPrefix(n, "warn-") {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		t.Fatal("there are no examples")
	}
	return names
}

func TestExamplesAreFine(t *testing.T) {
	t.Chdir(examples(t))
	for _, name := range good(t) {
		c, findings := load(t, name)
		for _, f := range findings {
			t.Error(f)
		}
		if c == nil {
			t.Errorf("%s: there is no configuration", name)
		}
	}
}

// Tools that decide about mail read no secret: neither a missing file nor a missing variable stops them, and the revision is
// the same.
func TestLoadForTools(t *testing.T) {
	t.Chdir(examples(t))
	t.Setenv("KONTOR_PASSWORD", "x")
	whole, findings := Load("desk.yaml")
	if whole == nil {
		t.Fatal(findings)
	}
	os.Unsetenv("KONTOR_PASSWORD") // t.Setenv puts it back
	for _, name := range []string{"service.pw", "alerts.pw"} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if c, _ := Load("desk.yaml"); c != nil {
		t.Error("Load does without secrets")
	}
	c, findings := LoadForTools("desk.yaml")
	if c == nil || c.Rev != whole.Rev || c.Mailboxes[0].Password.Reveal() != "" {
		t.Errorf("%v, %v", c, findings)
	}
	if c, findings := LoadForTools("no-such.yaml"); c != nil || !findings.Unreadable() {
		t.Errorf("%v", findings)
	}
}
