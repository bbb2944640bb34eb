package main

import (
	"testing"
	"time"
)

// The night's work is done once a night, also where the clock is changed.
func TestNextNight(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[string]string{
		"2026-11-22T01:00:00Z": "2026-11-22T02:00:00Z", "2026-11-22T02:00:00Z": "2026-11-23T02:00:00Z",
		"2026-03-28T12:00:00Z": "2026-03-29T01:00:00Z", "2026-10-24T12:00:00Z": "2026-10-25T02:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := nextNight(at, berlin).UTC().Format(time.RFC3339); got != want {
			t.Errorf("after %s: %s, want %s", now, got, want)
		}
	}
}
