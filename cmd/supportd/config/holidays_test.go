package config

import (
	"testing"
	"time"
)

// TestHolidaysEnding is W31: a file is warned of from 90 days before its last day on.
func TestHolidaysEnding(t *testing.T) {
	t.Chdir(examples(t))
	c, findings := load(t, "full.yaml")
	if c == nil {
		t.Fatal(said(findings))
	}
	const warning = "full.yaml: warning: calendars.uk.holidays_ics: the last holiday in uk.ics is that of 2027-12-28: later ones are counted as working days; fetch a newer file\n"
	for day, want := range map[string]string{"2026-11-22": "", "2027-09-28": "", "2027-09-29": warning, "2028-06-01": warning} {
		now, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := said(c.HolidaysEnding(now)); got != want {
			t.Errorf("on %s: got %q, want %q", day, got, want)
		}
	}
}
