package command

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"supportd/tickets/calendar"
)

// office is open Monday to Friday from eight to five in Berlin, and closed on the holidays of Bavaria.
func office(t testing.TB) (Hours, *time.Location) {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	week := map[time.Weekday][]calendar.Interval{}
	for day := time.Monday; day <= time.Friday; day++ {
		week[day] = []calendar.Interval{{From: 8 * 60, To: 17 * 60}}
	}
	c, err := calendar.New(calendar.Schedule{Name: "office", Zone: zone, Hours: week, Holidays: []string{"DE-BY"}})
	if err != nil {
		t.Fatal(err)
	}
	return c, zone
}

func TestParseWhen(t *testing.T) {
	hours, zone := office(t)
	now := time.Date(2026, time.November, 26, 15, 30, 12, 345, zone) // a Thursday
	for _, c := range []struct{ text, want string }{
		// Working time.
		{"2h", "2026-11-27 08:30"}, {"1h", "2026-11-26 16:30"}, {"90m", "2026-11-26 17:00"}, {"30 min", "2026-11-26 16:00"}, {"1h30m", "2026-11-26 17:00"},
		{"1h 30m", "2026-11-26 17:00"}, {"in 2 hours", "2026-11-27 08:30"}, {"in 2 Stunden", "2026-11-27 08:30"}, {"in einer Stunde", "2026-11-26 16:30"},
		{"eine halbe Stunde", "2026-11-26 16:00"}, {"half an hour", "2026-11-26 16:00"}, {"1,5h", "2026-11-26 17:00"}, {"1.5 h", "2026-11-26 17:00"}, {"20h", "2026-12-01 08:30"},
		{"in one hour and 30 minutes", "2026-11-26 17:00"}, {"2 Std.", "2026-11-27 08:30"},
		// Days of the calendar.
		{"1d", "2026-11-27 15:30"}, {"2d", "2026-11-30 08:00"}, {"in 2 days", "2026-11-30 08:00"}, {"in zwei Tagen", "2026-11-30 08:00"}, {"in 1 week", "2026-12-03 15:30"}, {"1w", "2026-12-03 15:30"},
		{"in zwei Wochen", "2026-12-10 15:30"}, {"1 month", "2026-12-28 08:00"}, {"in 3 Monaten", "2027-02-26 15:30"}, {"2 working days", "2026-11-30 15:30"},
		{"2 Arbeitstage", "2026-11-30 15:30"}, {"in 3 business days", "2026-12-01 15:30"}, {"1 Werktag", "2026-11-27 15:30"}, {"3 workdays", "2026-12-01 15:30"},
		// Days by name.
		{"tomorrow", "2026-11-27 08:00"}, {"morgen", "2026-11-27 08:00"}, {"tomorrow 9:00", "2026-11-27 09:00"}, {"morgen 9:00", "2026-11-27 09:00"}, {"morgen um 9 Uhr", "2026-11-27 09:00"},
		{"Morgen, 14:15 Uhr", "2026-11-27 14:15"}, {"morgen früh", "2026-11-27 08:00"}, {"tomorrow morning", "2026-11-27 08:00"}, {"tomorrow noon", "2026-11-27 12:00"}, {"morgen Mittag", "2026-11-27 12:00"},
		{"tomorrow at 5pm", "2026-11-27 17:00"}, {"tomorrow 5 p.m.", "2026-11-27 17:00"}, {"tomorrow 9am", "2026-11-27 09:00"}, {"morgen 9", "2026-11-27 09:00"},
		{"übermorgen", "2026-11-30 08:00"}, {"day after tomorrow 10:00", "2026-11-28 10:00"}, {"today", "2026-11-26 17:00"}, {"heute", "2026-11-26 17:00"}, {"heute 16 Uhr", "2026-11-26 16:00"},
		{"Feierabend", "2026-11-26 17:00"}, {"heute Feierabend", "2026-11-26 17:00"}, {"morgen Feierabend", "2026-11-27 17:00"}, {"fri eod", "2026-11-27 17:00"},
		{"fri", "2026-11-27 08:00"}, {"Freitag", "2026-11-27 08:00"}, {"freitag 14:30", "2026-11-27 14:30"}, {"Fr. 9:00", "2026-11-27 09:00"}, {"monday", "2026-11-30 08:00"}, {"Mo 10 Uhr", "2026-11-30 10:00"},
		{"thursday", "2026-12-03 08:00"}, {"Donnerstag 16:00", "2026-11-26 16:00"}, {"Donnerstag 15:00", "2026-12-03 15:00"}, {"next friday", "2026-11-27 08:00"}, {"nächsten Dienstag", "2026-12-01 08:00"},
		{"saturday", "2026-11-30 08:00"}, {"saturday 11:00", "2026-11-28 11:00"}, {"sunday 9 am", "2026-11-29 09:00"}, {"next week", "2026-11-30 08:00"}, {"nächste Woche", "2026-11-30 08:00"},
		{"nächsten Monat", "2026-12-01 08:00"}, {"next month", "2026-12-01 08:00"},
		// Dates.
		{"2026-12-02", "2026-12-02 08:00"}, {"2026-12-02 14:00", "2026-12-02 14:00"}, {"2026-12-02T14:00", "2026-12-02 14:00"}, {"until 2026-12-02", "2026-12-02 08:00"}, {"bis 2.12.", "2026-12-02 08:00"},
		{"24.12. 14:00", "2026-12-24 14:00"}, {"24.12.", "2026-12-24 08:00"}, {"24.12.2027", "2027-12-24 08:00"}, {"24.12.27", "2027-12-24 08:00"}, {"24. 12. 14 Uhr", "2026-12-24 14:00"},
		{"25.12.", "2026-12-28 08:00"}, {"2.1.", "2027-01-04 08:00"}, {"26.11.", "2027-11-26 08:00"}, {"26.11. 16:00", "2026-11-26 16:00"}, {"1.2.", "2027-02-01 08:00"},
		{"24. Dezember", "2026-12-24 08:00"}, {"24 Dec", "2026-12-24 08:00"}, {"Dec 24", "2026-12-24 08:00"}, {"December 24th, 2pm", "2026-12-24 14:00"}, {"24. Dez. 2027 um 10:00 Uhr", "2027-12-24 10:00"},
		{"Dec 24, 2027 10:00", "2027-12-24 10:00"}, {"Mi, 2.12., 14:00", "2026-12-02 14:00"}, {"Mittwoch, 2. Dezember 2026, 14:00 Uhr", "2026-12-02 14:00"}, {"29.2.", "2028-02-29 08:00"},
		{"by friday", "2026-11-27 08:00"}, {"am Freitag um 9:00 Uhr", "2026-11-27 09:00"},
		// Times of day.
		{"16:00", "2026-11-26 16:00"}, {"9:00", "2026-11-27 09:00"}, {"9 Uhr", "2026-11-27 09:00"}, {"at 9am", "2026-11-27 09:00"}, {"um 16.45 Uhr", "2026-11-26 16:45"}, {"noon", "2026-11-27 12:00"},
		{"12am", "2026-11-27 00:00"}, {"12pm", "2026-11-27 12:00"}, {"24:00", "2026-11-27 00:00"},
		// What is no time, is over, or too far.
		{"", ""}, {"soon", ""}, {"bald", ""}, {"9", ""}, {"2", ""}, {"h", ""}, {"in", ""}, {"tomorrow tomorrow", ""}, {"9:00 10:00", ""}, {"25:00", ""}, {"9:60", ""}, {"13pm", ""}, {"31.2.", ""}, {"32.1.", ""},
		{"1.13.", ""}, {"2026-02-30", ""}, {"11/12", ""}, {"11/12/2026", ""}, {"morgen vielleicht", ""}, {"2 fortnights", ""}, {"-2h", ""}, {"1.5 days", ""}, {"2h tomorrow", ""}, {"14.30", ""},
		{strings.Repeat("9", 400), ""}, {strings.Repeat("in ", 50), ""}, {"2h 3", ""}, {"the", ""},
		{"2026-11-01", "past"}, {"heute 9:00", "past"}, {"2025-12-24", "past"}, {"2030-01-01", "far"}, {"999999d", "far"}, {"99999h", "far"}, {"4000 weeks", "far"}, {"999999999h", ""},
	} {
		got, err := ParseWhen(c.text, now, zone, hours)
		var e *WhenError
		switch {
		case err == nil:
			if s := got.Format("2006-01-02 15:04"); s != c.want {
				t.Errorf("%q is %s, want %q", c.text, s, c.want)
			}
			if got.Location() != zone || got.Second() != 0 {
				t.Errorf("%q is %s", c.text, got)
			}
		case !errors.As(err, &e) || e.Text != c.text || err.Error() == "":
			t.Errorf("%q: %v", c.text, err)
		case strings.TrimPrefix(strings.TrimPrefix(e.Key, "when"), "_") != c.want:
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

// Where every hour counts, and over the changes of the clocks.
func TestParseWhenZones(t *testing.T) {
	_, zone := office(t)
	always := everyHour{}
	at := func(s string) time.Time {
		got, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct{ now, text, want string }{
		{"2026-11-26 23:30", "2h", "2026-11-27T01:30:00+01:00"}, {"2026-11-26 23:30", "tomorrow", "2026-11-27T09:00:00+01:00"}, {"2026-11-26 15:00", "today", "2026-11-26T17:00:00+01:00"},
		{"2026-11-26 23:30", "2d", "2026-11-28T23:30:00+01:00"}, {"2026-03-28 12:00", "tomorrow 2:30", "2026-03-29T03:00:00+02:00"}, {"2026-03-28 12:00", "1d", "2026-03-29T12:00:00+02:00"},
		{"2026-10-24 12:00", "tomorrow 2:30", "2026-10-25T02:30:00+02:00"}, {"2026-10-24 12:00", "1d", "2026-10-25T12:00:00+01:00"}, {"2026-01-31 10:00", "1 month", "2026-02-28T10:00:00+01:00"},
		{"2026-12-31 10:00", "1.1. 10:00", "2027-01-01T10:00:00+01:00"},
	} {
		got, err := ParseWhen(c.text, at(c.now), zone, always)
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("%s, %q: %s (%v), want %s", c.now, c.text, got.Format(time.RFC3339), err, c.want)
		}
	}
	if got, err := ParseWhen("16:00", time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), nil, always); err != nil || got.Format(time.RFC3339) != "2026-11-26T16:00:00Z" {
		t.Errorf("without a zone: %s (%v)", got, err)
	}
}

type everyHour struct{}

func (everyHour) Add(start time.Time, d time.Duration) time.Time { return start.Add(d) }
func (everyHour) Between(from, to time.Time) time.Duration       { return to.Sub(from) }

// FuzzParseWhen holds: no panic, and what is read lies ahead, not too far, in the zone, to the minute.
func FuzzParseWhen(f *testing.F) {
	hours, zone := office(f)
	for _, s := range []string{"2h", "morgen 9:00", "fri", "in 2 days", "24.12. 14:00", "2026-11-02", "eine halbe Stunde", "Mi, 2. Dezember 2026, 14:00 Uhr", "1h30m", "day after tomorrow", "29.2.", "24:00", "3 business days", "9 p.m."} {
		f.Add(s, int64(1795703412))
	}
	f.Fuzz(func(t *testing.T, s string, at int64) {
		now := time.Unix(at%(1<<32), 0)
		got, err := ParseWhen(s, now, zone, hours)
		if err != nil {
			return
		}
		if !got.After(now) || got.Sub(now) > farthest || got.Second() != 0 || got.Location() != zone {
			t.Fatalf("%q at %s is %s", s, now, got)
		}
	})
}
