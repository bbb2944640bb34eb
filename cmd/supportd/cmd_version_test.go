package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	out, errs, code := program(t, nil, "version", "--json")
	var b build
	if err := json.Unmarshal([]byte(out), &b); err != nil || code != exitFine || b.Version == "" || b.Go != runtime.Version() || b.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%d, %v: %+v %s", code, err, b, errs)
	}
	if out, _, _ := program(t, nil, "version"); !strings.HasPrefix(out, "supportd "+b.Version+"\n") {
		t.Errorf("%s", out)
	}
}

// Every command has a manual page that names its flags, and that the formatter takes without a warning where it is
// installed.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if out, errs, code := program(t, nil, "man", dir); code != exitFine {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	pages := manPages((&app{}).root())
	if len(pages) < 30 {
		t.Errorf("only %d pages", len(pages))
	}
	for name, page := range pages {
		there, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(there) != string(page) {
			t.Errorf("%s: %v", name, err)
		}
	}
	check := string(pages["supportd-check.1"])
	for _, want := range []string{".TH SUPPORTD\\-CHECK 1", "\\-\\-online", "\\-c, \\-\\-config", ".SH EXIT STATUS", "supportd check \\-\\-online \\-\\-wait 5m"} {
		if !strings.Contains(check, want) {
			t.Errorf("supportd-check.1 does not hold %q:\n%s", want, check)
		}
	}
	for name, page := range pages { // a line that begins with a dot is a request
		for line := range strings.Lines(string(page)) {
			if strings.HasPrefix(line, ".") && !regexp.MustCompile(`^\.(TH|SH|TP|B|BR|PP|nf|fi)\b`).MatchString(line) {
				t.Errorf("%s: unknown request %q", name, line)
			}
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Log("groff is not installed: the pages are checked by their lines only")
		return
	}
	for name := range pages {
		if out, err := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z", filepath.Join(dir, name)).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// Completions for each shell name the commands.
func TestCompletions(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		out, errs, code := program(t, nil, "completion", shell)
		if code != exitFine || !strings.Contains(out, "supportd") {
			t.Errorf("%s: %d %s", shell, code, errs)
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // the others are checked by the shells of those who use them
		}
		cmd := exec.Command(path, "-n")
		cmd.Stdin = strings.NewReader(out)
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%s does not read its completion: %v\n%s", shell, err, said)
		}
	}
	out, _, _ := program(t, nil, "__complete", "ser")
	if !strings.Contains(out, "service\t") {
		t.Errorf("ser is completed to:\n%s", out)
	}
}
