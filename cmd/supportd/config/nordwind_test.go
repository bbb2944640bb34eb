package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// nordwind is a copy of the desk of forty people, its passwords readable for the owner only.
func nordwind(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../../testdata/nordwind")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"service.pw", "kontor.pw", "alerts.pw"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "supportd.yaml")
}

// The whole language in one file loads. What this version does not do yet is named, each thing once, and stops nothing.
func TestDeskOfFortyLoads(t *testing.T) {
	c, findings := Load(nordwind(t))
	if findings.Errors() != 0 || c == nil {
		t.Fatalf("got errors:\n%s", said(findings))
	}
	for _, path := range []string{"knowledge", "feedback", "trends", "scheduled_checks", "reports", "cost_per_hour", "privacy",
		"auto_answers.answers[0].send", "auto_answers.answers[1].send", "auto_answers.answers[1].match.open_problem"} {
		named := 0
		for _, f := range findings {
			if f.Path == path && f.Warning && strings.Contains(f.What, " yet") {
				named++
			}
		}
		if named != 1 {
			t.Errorf("%s is named %d times, want once", path, named)
		}
	}
	if len(c.People) != 40 || len(c.Teams) != 9 || len(c.Calendars) != 8 || len(c.Levels) != 3 || len(c.Categories) != 12 || len(c.Vendors) != 3 || len(c.Answers) != 0 {
		t.Errorf("loaded %d people, %d teams, %d calendars, %d levels, %d categories, %d vendors, %d answers", len(c.People), len(c.Teams), len(c.Calendars),
			len(c.Levels), len(c.Categories), len(c.Vendors), len(c.Answers))
	}
	uk := c.Calendars[slices.IndexFunc(c.Calendars, func(k Calendar) bool { return k.Name == "contract-uk" })]
	if len(uk.Dated) != 4 {
		t.Errorf("days of uk.ics: %v", uk.Dated)
	}
}
