package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRulesYAML reads any bytes as a configuration (S-118): no panic, a configuration exactly when there is no error,
// findings in order and within bounds, and a full form that means the same.
func FuzzRulesYAML(f *testing.F) {
	dir := examples(f)
	seeds, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, findings := parse("fuzz.yaml", data, dir, environment)
		if (c == nil) != (findings.Errors() > 0) {
			t.Fatalf("configuration: %t, errors: %d", c != nil, findings.Errors())
		}
		for i, finding := range findings {
			if finding.What == "" || len(finding.String()) > 4096 || i > 0 && finding.File == findings[i-1].File && finding.Line > 0 && finding.Line < findings[i-1].Line {
				t.Fatalf("finding %d of %d: %+v", i, len(findings), finding)
			}
		}
		if c == nil {
			return
		}
		full, err := Expand(c)
		if err != nil {
			t.Fatal(err)
		}
		again, findings := parse("full.yaml", full, dir, environment)
		if diff := cmp.Diff(c, again, same); diff != "" {
			t.Fatalf("the full form means something else (-want +got):\n%s\n%s%s", diff, said(findings), full)
		}
	})
}
