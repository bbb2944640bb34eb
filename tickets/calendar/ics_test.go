package calendar

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// ics wraps events, given as lines, into a calendar file.
func ics(events ...string) []byte {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
	for _, e := range events {
		b.WriteString("BEGIN:VEVENT\r\n" + strings.ReplaceAll(e, "\n", "\r\n") + "\r\nEND:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return []byte(b.String())
}

// begins lists the days that are taken from 2020 to 2040, at most six of them.
func begins(days []Dated) string {
	var all []string
	for y := 2020; y <= 2040; y++ {
		for _, d := range days {
			for _, n := range d.in(y) {
				all = append(all, dateOf(n).String())
			}
		}
	}
	return strings.Join(all[:min(6, len(all))], " ")
}

func TestReadICS(t *testing.T) {
	for _, c := range []struct{ name, event, want string }{
		{"one day", "DTSTART;VALUE=DATE:20270326\nSUMMARY:Good Friday", "2027-03-26"},
		{"without VALUE", "DTSTART:20270326", "2027-03-26"},
		{"lower case", "dtstart;value=date:20270326", "2027-03-26"},
		{"end is the day after", "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", "2026-12-24 2026-12-25 2026-12-26"},
		{"end on the same day", "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224", "2026-12-24"},
		{"over the new year", "DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270103", "2026-12-31 2027-01-01 2027-01-02"},
		{"duration", "DTSTART;VALUE=DATE:20261224\nDURATION:P2D", "2026-12-24 2026-12-25"},
		{"a week", "DTSTART;VALUE=DATE:20261224\nDURATION:P1W\nRRULE:FREQ=YEARLY;COUNT=1", "2026-12-24 2026-12-25 2026-12-26 2026-12-27 2026-12-28 2026-12-29"},
		{"every year", "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY", "2026-12-25 2027-12-25 2028-12-25 2029-12-25 2030-12-25 2031-12-25"},
		{"its own month", "DTSTART;VALUE=DATE:20361225\nRRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25;WKST=SU", "2036-12-25 2037-12-25 2038-12-25 2039-12-25 2040-12-25"},
		{"every second", "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;INTERVAL=2;COUNT=3", "2026-12-25 2028-12-25 2030-12-25"},
		{"until, with it", "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;UNTIL=20281225", "2026-12-25 2027-12-25 2028-12-25"},
		{"until, before it", "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;UNTIL=20281224T235959Z", "2026-12-25 2027-12-25"},
		{"except", "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=4\nEXDATE;VALUE=DATE:20271225,20281225", "2026-12-25 2029-12-25"},
		{"29 February", "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;COUNT=3", "2024-02-29 2028-02-29 2032-02-29"},
		{"folded", "DTSTART;VALU\n E=DATE:2027\n\t0326", "2027-03-26"},
		{"quoted parameter", "DTSTART;X-A=\"a:b;c\";VALUE=DATE:20270326", "2027-03-26"},
		{"alarm within", "DTSTART;VALUE=DATE:20270326\nBEGIN:VALARM\nDURATION:PT5M\nSUMMARY:no\nEND:VALARM", "2027-03-26"},
	} {
		t.Run(c.name, func(t *testing.T) {
			days, faults := ReadICS("x.ics", ics(c.event))
			if got := begins(days); got != c.want || len(faults) > 0 {
				t.Errorf("got %s %v, want %s", got, faults, c.want)
			}
		})
	}
}

// What is no holiday is passed over, without a word.
func TestReadICSPassesOver(t *testing.T) {
	days, faults := ReadICS("x.ics", ics("DTSTART:20270611T150000Z\nSUMMARY:party", "DTSTART;VALUE=DATE:20270612\nSTATUS:CANCELLED",
		"DTSTART;TZID=Europe/London:20270613T000000\nRRULE:FREQ=WEEKLY;BYDAY=MO", "DTSTART;VALUE=DATE:20270614\nSUMMARY: Real\\, and\n  long\\n one\x07"))
	if got := begins(days); got != "2027-06-14" || len(faults) > 0 || days[0].Name != "Real, and long one" || days[0].Source != "x.ics" {
		t.Errorf("got %+v %v", days, faults)
	}
}

func TestReadICSFaults(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"empty", "", "1: this is no calendar file"},
		{"a web page", "<!DOCTYPE html>\n<p>x</p>\n", `1: the line "<!DOCTYPE html>"`},
		{"a card", "BEGIN:VCARD\nEND:VCARD\n", "1: this is no calendar file"},
		{"cut off", string(ics("DTSTART;VALUE=DATE:20270326"))[:73], "4: the file ends in the middle: END:VEVENT"},
		{"no events", string(ics()), "1: there is no all-day event"},
		{"not UTF-8", "BEGIN:VCALENDAR\nSUMMARY:\xff\n", "2: the file is not UTF-8"},
		{"crossed", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "3: END:VCALENDAR ends what has not begun"},
		{"no such day", string(ics("DTSTART;VALUE=DATE:20270230")), `4: DTSTART is "20270230"`},
		{"no start", string(ics("SUMMARY:x")), "3: the event has no DTSTART"},
		{"backwards", string(ics("DTSTART;VALUE=DATE:20270302\nDTEND;VALUE=DATE:20270301")), `3: the event "" from 2027-03-02 on has -1 days`},
		{"hours", string(ics("DTSTART;VALUE=DATE:20270302\nDURATION:PT8H")), `3: the event "" from 2027-03-02 on has 0 days`},
		{"weekly", string(ics("DTSTART;VALUE=DATE:20270302\nRRULE:FREQ=WEEKLY")), `5: the rule "FREQ=WEEKLY"`},
		{"a moving day", string(ics("DTSTART;VALUE=DATE:20270503\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=1MO")), "5: the rule"},
		{"other month", string(ics("DTSTART;VALUE=DATE:20270503\nRRULE:FREQ=YEARLY;BYMONTH=6")), "5: the rule"},
		{"never", string(ics("DTSTART;VALUE=DATE:20270503\nRRULE:FREQ=YEARLY;COUNT=0")), "5: the rule"},
		{"further days", string(ics("DTSTART;VALUE=DATE:20270503\nRDATE;VALUE=DATE:20270504")), `5: the event "" comes back in a way that is not read: RDATE`},
		{"too many", string(ics(slices.Repeat([]string{"DTSTART:20270503"}, maxEvents+1)...)), fmt.Sprintf("%d: the file has more than", 3+3*maxEvents)},
	} {
		t.Run(c.name, func(t *testing.T) {
			days, faults := ReadICS("x.ics", []byte(c.data))
			if len(faults) == 0 || days != nil {
				t.Fatalf("got %v and no fault", days)
			}
			if got := fmt.Sprintf("%d: %s", faults[0].Line, faults[0].What); !strings.HasPrefix(got, c.want) || faults[0].Fix == "" {
				t.Errorf("got %s (%s), want %s", got, faults[0].Fix, c.want)
			}
		})
	}
}

func TestLastDay(t *testing.T) {
	for _, c := range []struct{ name, events, want string }{
		{"once", "DTSTART:20270326", "2027-03-26 true"},
		{"for ever", "DTSTART:20270326\nRRULE:FREQ=YEARLY", "1970-01-01 false"},
		{"until", "DTSTART:20270326\nDURATION:P2D\nRRULE:FREQ=YEARLY;COUNT=3", "2029-03-27 true"},
	} {
		days, _ := ReadICS("x.ics", ics(c.events))
		last, ends := LastDay(days)
		if got := fmt.Sprint(last, ends); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// A day of a file is closed like a holiday of a region, and an exception wins over both.
func TestCalendarWithDated(t *testing.T) {
	days, faults := ReadICS("uk.ics", ics("DTSTART;VALUE=DATE:20270329\nSUMMARY:Easter Monday", "DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270103\nRRULE:FREQ=YEARLY\nSUMMARY:Turn"))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	hours := []Interval{{9 * 60, 17 * 60}}
	s := Schedule{Name: "uk", Zone: time.UTC, Hours: map[time.Weekday][]Interval{}, Dated: days, Days: []Override{{From: "2027-01-02", To: "2027-01-02", Hours: hours}}}
	for d := time.Sunday; d <= time.Saturday; d++ {
		s.Hours[d] = hours
	}
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]time.Duration{"2027-03-28": 8, "2027-03-29": 0, "2027-03-30": 8, "2026-12-30": 8, "2026-12-31": 0, "2027-01-01": 0, "2027-01-02": 8, "2028-01-02": 0} {
		from, _ := time.Parse(time.DateOnly, day)
		if got := c.Between(from, from.AddDate(0, 0, 1)); got != want*time.Hour {
			t.Errorf("%s: %s of working time, want %d hours", day, got, want)
		}
	}
	special := c.Special(2027)
	if len(special) != 4 || special[0].Date.String() != "2027-01-01" || special[0].Holidays[0] != (Holiday{special[0].Date, "Turn", "uk.ics"}) {
		t.Errorf("got %+v", special)
	}
}

// FuzzReadICS reads any bytes: no panic, days or faults but not both, bounded, and the same when read again.
func FuzzReadICS(f *testing.F) {
	f.Add(ics("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;INTERVAL=2;UNTIL=20301225\nEXDATE;VALUE=DATE:20281225\nSUMMARY:x"))
	f.Add(ics("DTSTART;VALUE=DATE:20240229\nDURATION:P1W\nRRULE:FREQ=YEARLY;COUNT=3", "DTSTART:20270611T150000Z"))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		days, faults := ReadICS("x.ics", data)
		if len(days) > 0 == (len(faults) > 0) || len(days) > maxEvents || len(faults) > maxFaults+2 {
			t.Fatalf("%d days, %d faults", len(days), len(faults))
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.What == "" || len(fault.What) > 800 {
				t.Fatalf("fault %+v", fault)
			}
		}
		for _, d := range days {
			if d.Days < 1 || d.Days > longestSpan || d.Name == "" {
				t.Fatalf("day %+v", d)
			}
			for _, year := range []int{d.From.Year, d.From.Year + 1, lastYear} {
				for _, n := range d.in(year) {
					if dateOf(n).Year != year {
						t.Fatalf("%+v has %s in %d", d, dateOf(n), year)
					}
				}
			}
		}
	})
}
