package absence

import (
	"testing"
	"time"
)

func TestUntil(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, zone) // a Wednesday
	for text, want := range map[string]string{
		// German
		"Ich bin bis 12.12. nicht im Büro.":                              "2026-12-13",
		"Ich bin bis zum 12.12.2026 abwesend.":                           "2026-12-13",
		"Ich bin bis einschließlich Freitag, den 11. Dezember abwesend.": "2026-12-12",
		"Vom 30.11. bis 04.12. bin ich im Urlaub.":                       "2026-12-05",
		"Abwesend: 30.11.26 - 04.12.26":                                  "2026-12-05",
		"Ich bin ab dem 14.12. wieder erreichbar.":                       "2026-12-14",
		"Am 14. Dezember bin ich wieder für Sie da.":                     "2026-12-14",
		"Ich bin am 7.12. zurück.":                                       "2026-12-07",
		"Ich bin zurück am Montag, 30.11.":                               "2026-11-30",
		"Zurück am 1. Dezember":                                          "2026-12-01",
		"Ich bin bis 2. Januar im Urlaub.":                               "2027-01-03",
		"bis Freitag":                                                    "2026-11-28",
		"Ich bin morgen wieder erreichbar.":                              "",
		"Ich bin ab morgen wieder da.":                                   "2026-11-26",
		"Ich bin bis 4.12. weg und ab 7.12. wieder erreichbar.":          "2026-12-07",
		"Ich bin ab 1.12. abwesend.":                                     "",
		"Ich bin ab 1.12. nicht erreichbar, wieder ab 9.12.":             "2026-12-09",
		"Ich war bis 12.11. im Urlaub.":                                  "",
		"Ihre Mail vom 24.11.2026 ist angekommen.":                       "",
		"Ich bin vom Tisch. Rufen Sie 040 12.12.12 an.":                  "",
		"Am 24.12. und 31.12. ist unser Büro geschlossen.":               "",
		"Ich bin bis auf weiteres abwesend.":                             "",
		"":                                                               "",
		// English
		"I am out of the office until December 12.":  "2026-12-13",
		"I am out of office until Dec 12th, 2026.":   "2026-12-13",
		"I'm away until 12 December":                 "2026-12-13",
		"Out of office from Dec 1 to Dec 12":         "2026-12-13",
		"I will be away through Friday, 4 December.": "2026-12-05",
		"I will be back on Monday, 30 November.":     "2026-11-30",
		"I return to the office on December 7.":      "2026-12-07",
		"Returning 7 Dec":                            "2026-12-07",
		"On 7 December I will be back.":              "2026-12-07",
		"I am on leave from 1 December.":             "",
		"back on Monday":                             "2026-11-30",
		"until 2026-12-24":                           "2026-12-25",
		"until 12/24/2026":                           "2026-12-25",
		"until 24/12":                                "2026-12-25",
		"until 11/12":                                "",
		"until 2036-01-01":                           "",
		"until 31.02.":                               "",
		"I am out until January 4":                   "2027-01-05",
		"I have been with the company since 1 May and may 2 people help? until soon.": "",
	} {
		got, ok := Until(text, now, zone)
		is := ""
		if ok {
			is = got.Format(time.DateOnly)
			if h, m, _ := got.Clock(); h+m != 0 {
				t.Errorf("%q ends at %s, want a midnight", text, got)
			}
		}
		if is != want {
			t.Errorf("%q\n is   %q\n want %q", text, is, want)
		}
	}
}

// FuzzUntil holds: whatever is written, an end is a midnight ahead, within a year.
func FuzzUntil(f *testing.F) {
	for _, s := range []string{"bis 12.12.", "until Dec 12", "zurück am 1. Mai", "12.12. - 13.12.", "back on friday", "99.99.9999", "bis"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if end, ok := Until(s, now, time.UTC); ok && (!end.After(now) || end.Sub(now) > longest || end.Hour() != 0) {
			t.Fatalf("%q ends at %s", s, end)
		}
	})
}
