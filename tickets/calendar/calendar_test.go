package calendar

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/google/go-cmp/cmp"

	"supportd/tickets"
)

var _ tickets.Calendar = (*Calendar)(nil)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// hours reads "08:00-12:00 13:00-17:00".
func hours(t testing.TB, s string) []Interval {
	t.Helper()
	var all []Interval
	for f := range strings.FieldsSeq(s) {
		from, to, _ := strings.Cut(f, "-")
		all = append(all, Interval{minutes(t, from), minutes(t, to)})
	}
	return all
}

func minutes(t testing.TB, s string) int {
	t.Helper()
	if s == "24:00" {
		return 24 * 60
	}
	x, err := time.Parse("15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return x.Hour()*60 + x.Minute()
}

// workdays are the same hours from Monday to Friday.
func workdays(t testing.TB, s string) map[time.Weekday][]Interval {
	t.Helper()
	week := map[time.Weekday][]Interval{}
	for d := time.Monday; d <= time.Friday; d++ {
		week[d] = hours(t, s)
	}
	return week
}

func always(t testing.TB) map[time.Weekday][]Interval {
	t.Helper()
	week := workdays(t, "00:00-24:00")
	week[time.Saturday], week[time.Sunday] = week[time.Monday], week[time.Monday]
	return week
}

func newCalendar(t testing.TB, schedules ...Schedule) *Calendar {
	t.Helper()
	c, err := New(schedules...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t testing.TB, loc *time.Location, s string) time.Time {
	t.Helper()
	if strings.HasSuffix(s, "Z") {
		x, err := time.Parse("2006-01-02 15:04Z", s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	x, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestVectors holds deadlines that were worked out by hand, over weekends, holidays and changes of the clocks.
func TestVectors(t *testing.T) {
	berlin, london := zone(t, "Europe/Berlin"), zone(t, "Europe/London")
	day := func(hours string, regions ...string) Schedule {
		return Schedule{Zone: berlin, Hours: workdays(t, hours), Holidays: regions}
	}
	christmasEve := day("07:00-19:00", "DE-HH")
	christmasEve.Days = []Override{{From: "12-24", To: "12-24", Hours: hours(t, "07:00-12:00")}}
	allDay := Schedule{Zone: berlin, Hours: always(t)}
	uk := Schedule{Zone: london, Hours: workdays(t, "09:00-17:30")}

	for _, v := range []struct {
		name     string
		schedule Schedule
		start    string
		target   string
		due      string
	}{
		{"V1", day("08:00-18:00", "DE-BY"), "2026-11-27 16:40", "4h", "2026-11-30 10:40"},
		{"V2", day("08:00-18:00", "DE-BY"), "2026-11-28 11:00", "2h", "2026-11-30 10:00"},
		{"V3", christmasEve, "2026-12-24 11:10", "8h", "2026-12-28 14:10"},
		{"V4 a Sunday of 23 hours", allDay, "2027-03-27 22:00", "8h", "2027-03-28 07:00"},
		{"V5 a Sunday of 25 hours", allDay, "2026-10-24 22:00", "8h", "2026-10-25 05:00"},
		{"V6 Epiphany in Bavaria", day("08:00-18:00", "DE-BY"), "2027-01-05 17:00", "3h", "2027-01-07 10:00"},
		{"V6 none in Berlin", day("08:00-18:00", "DE-BE"), "2027-01-05 17:00", "3h", "2027-01-06 10:00"},
		{"V7 Assumption where it is kept", day("08:00-17:00", "DE-BY-KATH"), "2028-08-14 16:30", "1h", "2028-08-16 08:30"},
		{"V7 and where not", day("08:00-17:00", "DE-BY"), "2028-08-14 16:30", "1h", "2028-08-15 08:30"},
		{"V8 over noon", day("08:00-12:00 13:00-17:00", "DE-NW"), "2026-11-24 11:30", "1h", "2026-11-24 13:30"},
		{"V8 the end belongs to the interval", day("08:00-12:00 13:00-17:00", "DE-NW"), "2026-11-24 11:30", "30m", "2026-11-24 12:00"},
		{"V9 17:45 in Berlin is 16:45 in London", uk, "2026-11-24 16:45", "4h", "2026-11-25 12:15"},
		{"V9 after hours", uk, "2026-11-24 17:45", "4h", "2026-11-25 13:00"},
		{"V11", day("08:00-18:00", "DE"), "2026-12-23 16:10", "8h", "2026-12-24 14:10"},
		{"V11", day("08:00-18:00", "DE"), "2026-12-23 16:10", "40h", "2026-12-30 16:10"},
	} {
		t.Run(v.name, func(t *testing.T) {
			c := newCalendar(t, v.schedule)
			d, err := time.ParseDuration(v.target)
			if err != nil {
				t.Fatal(err)
			}
			start, want := at(t, v.schedule.Zone, v.start), at(t, v.schedule.Zone, v.due)
			got := c.Add(start, d)
			if !got.Equal(want) || got.Location() != v.schedule.Zone {
				t.Errorf("Add(%s, %s) = %s, want %s", start, d, got, want)
			}
			if back := c.Between(start, got); back != d {
				t.Errorf("Between(%s, %s) = %s, want %s", start, got, back, d)
			}
		})
	}
	if got := at(t, london, "2026-11-25 12:15").In(berlin).Format("15:04"); got != "13:15" {
		t.Errorf("V9 is %s in Berlin, want 13:15", got)
	}
}

// TestDST counts a whole night or day over changes of the clocks. S-170
func TestDST(t *testing.T) {
	night := map[time.Weekday][]Interval{time.Saturday: hours(t, "22:00-24:00"), time.Sunday: hours(t, "00:00-06:00")}
	sunday := func(s string) map[time.Weekday][]Interval {
		return map[time.Weekday][]Interval{time.Sunday: hours(t, s)}
	}
	for _, v := range []struct {
		name, zone string
		week       map[time.Weekday][]Interval
		from, to   string // local, or with a Z
		want       time.Duration
	}{
		{"V10 Berlin, spring", "Europe/Berlin", night, "2027-03-27 12:00", "2027-03-28 12:00", 7 * time.Hour},
		{"V10 Berlin, autumn", "Europe/Berlin", night, "2026-10-24 12:00", "2026-10-25 12:00", 9 * time.Hour},
		{"Berlin, spring 2026", "Europe/Berlin", always(t), "2026-03-29 00:00", "2026-03-30 00:00", 23 * time.Hour},
		{"Berlin, autumn 2026", "Europe/Berlin", always(t), "2026-10-25 00:00", "2026-10-26 00:00", 25 * time.Hour},
		{"a begin that is skipped is the end of the gap", "Europe/Berlin", sunday("02:30-04:00"), "2026-03-29 00:00", "2026-03-30 00:00", time.Hour},
		{"an end that is skipped as well", "Europe/Berlin", sunday("01:00-02:30"), "2026-03-29 00:00", "2026-03-30 00:00", time.Hour},
		{"nothing is left of hours inside the gap", "Europe/Berlin", sunday("02:10-02:50"), "2026-03-29 00:00", "2026-03-30 00:00", 0},
		{"a begin that comes twice is the first", "Europe/Berlin", sunday("02:30-04:00"), "2026-10-25 00:00", "2026-10-26 00:00", 150 * time.Minute},
		{"an end that comes twice is the second", "Europe/Berlin", sunday("01:00-02:30"), "2026-10-25 00:00", "2026-10-26 00:00", 150 * time.Minute},
		{"both", "Europe/Berlin", sunday("02:15-02:45"), "2026-10-25 00:00", "2026-10-26 00:00", 90 * time.Minute},
		{"no time counts twice where intervals meet", "Europe/Berlin", sunday("01:00-02:30 02:30-04:00"), "2026-10-25 00:00", "2026-10-26 00:00", 4 * time.Hour},
		{"Lord Howe goes back by half an hour", "Australia/Lord_Howe", night, "2026-04-04 12:00", "2026-04-05 12:00", 8*time.Hour + 30*time.Minute},
		{"Lord Howe goes forward by half an hour", "Australia/Lord_Howe", night, "2026-10-03 12:00", "2026-10-04 12:00", 7*time.Hour + 30*time.Minute},
		{"Lord Howe, inside what comes twice", "Australia/Lord_Howe", sunday("01:30-02:00"), "2026-04-05 00:00", "2026-04-06 00:00", time.Hour},
		{"Apia has no 30 December 2011", "Pacific/Apia", always(t), "2011-12-29 00:00", "2012-01-01 00:00", 48 * time.Hour},
		{"Apia, hours of the Friday that was not", "Pacific/Apia", map[time.Weekday][]Interval{time.Friday: hours(t, "08:00-16:00")}, "2011-12-26 00:00", "2012-01-02 00:00", 0},
		{"Apia, a week of workdays without Friday", "Pacific/Apia", workdays(t, "08:00-16:00"), "2011-12-26 00:00", "2012-01-02 00:00", 32 * time.Hour},
		{"Kwajalein has no 21 August 1993", "Pacific/Kwajalein", always(t), "1993-08-20 00:00", "1993-08-23 00:00", 48 * time.Hour},
		{"Havana skips midnight", "America/Havana", always(t), "2026-03-07 12:00", "2026-03-08 12:00", 23 * time.Hour},
		{"Havana has midnight twice", "America/Havana", always(t), "2026-10-31 12:00", "2026-11-01 12:00", 25 * time.Hour},
		{"a zone without changes", "UTC", always(t), "2026-03-29 00:00", "2026-03-30 00:00", 24 * time.Hour},
	} {
		t.Run(v.name, func(t *testing.T) {
			loc := zone(t, v.zone)
			c := newCalendar(t, Schedule{Zone: loc, Hours: v.week})
			if got := c.Between(at(t, loc, v.from), at(t, loc, v.to)); got != v.want {
				t.Errorf("%s to %s counts %s, want %s", v.from, v.to, got, v.want)
			}
		})
	}
}

// TestPeriods holds that periods contain the instant they are asked for and have one offset, also far in the future: the
// last day of a leap year lies outside its own bounds in the standard library from 2040 on. S-170
func TestPeriods(t *testing.T) {
	for _, name := range zones {
		l := local{zone: zone(t, name)}
		for x := begin(2031).Unix(); x < begin(2062).Unix(); x += 11 * 60 * 60 {
			l.period(x)
			if x < l.from || x >= l.to {
				t.Fatalf("%s: the period %d to %d does not contain %d", name, l.from, l.to, x)
			}
			if _, off := time.Unix(x, 0).In(l.zone).Zone(); int64(off) != l.off {
				t.Fatalf("%s: at %d the offset is %d, want %d", name, x, l.off, off)
			}
		}
	}
	c := newCalendar(t, Schedule{Zone: zone(t, "Europe/Berlin"), Hours: always(t)})
	for year := 2036; year < 2050; year++ {
		if got, want := c.Between(begin(year), begin(year+1)), begin(year+1).Sub(begin(year)); got != want {
			t.Errorf("%d has %s around the clock, want %s", year, got, want)
		}
	}
}

// TestWeekBeforeApiaSkipped finds a deadline over the day that was not: 16:00 on Thursday is followed by Monday. S-170
func TestWeekBeforeApiaSkipped(t *testing.T) {
	apia := zone(t, "Pacific/Apia")
	c := newCalendar(t, Schedule{Zone: apia, Hours: workdays(t, "08:00-16:00")})
	if got, want := c.Add(at(t, apia, "2011-12-29 15:00"), 2*time.Hour), at(t, apia, "2012-01-02 09:00"); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOverridesWin(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	c := newCalendar(t, Schedule{Name: "desk", Zone: berlin, Hours: workdays(t, "08:00-18:00"), Holidays: []string{"DE", "DE-BY"}, Days: []Override{
		{From: "2026-12-28", To: "2027-01-03"},                                             // closed
		{From: "2026-12-30", To: "2026-12-30", Hours: hours(t, "09:00-10:00")},             // a day inside it
		{From: "12-24", To: "12-24", Hours: hours(t, "08:00-12:00")},                       // every year
		{From: "2027-12-24", To: "2027-12-24"},                                             // and not in 2027
		{From: "10-03", To: "10-03", Hours: hours(t, "10:00-11:00")},                       // a holiday that is worked
		{From: "07-20", To: "07-30", Hours: hours(t, "08:00-09:00")},                       // every year, and
		{From: "07-22", To: "07-23", Hours: hours(t, "08:00-10:00")},                       // a shorter one in it, and
		{From: "07-22", To: "07-22", Hours: hours(t, "08:00-11:00")},                       // a day
		{From: "07-22", To: "07-22", Hours: hours(t, "08:00-12:00")},                       // which is said again
		{From: "02-29", To: "02-29", Hours: hours(t, "08:00-08:30")},                       // in leap years
		{From: "11-30", To: "02-01", Hours: hours(t, "08:00-13:00 14:00-18:00")},           // over the new year
		{From: "2026-06-06", To: "2026-06-06", Hours: hours(t, "00:00-24:00")},             // a Saturday
		{From: "2026-06-07", To: "2026-06-07", Hours: hours(t, "12:00-13:00 00:00-01:00")}, // in any order
	}})
	for _, v := range []struct {
		day  string
		want time.Duration
	}{
		{"2026-12-24", 4 * time.Hour}, {"2027-12-24", 0}, {"2026-12-25", 9 * time.Hour}, {"2026-12-29", 0}, {"2026-12-30", time.Hour},
		{"2027-01-03", 0}, {"2027-01-04", 9 * time.Hour}, {"2027-02-01", 9 * time.Hour}, {"2027-02-02", 10 * time.Hour},
		{"2026-10-03", time.Hour}, {"2026-07-20", time.Hour}, {"2026-07-23", 2 * time.Hour}, {"2026-07-22", 4 * time.Hour},
		{"2026-07-31", 10 * time.Hour}, {"2028-02-29", 30 * time.Minute}, {"2027-03-01", 10 * time.Hour},
		{"2026-06-04", 0}, {"2026-06-06", 24 * time.Hour}, {"2026-06-07", 2 * time.Hour}, {"2026-06-08", 10 * time.Hour},
	} {
		from := at(t, berlin, v.day+" 00:00")
		if got := c.Between(from, from.AddDate(0, 0, 1)); got != v.want {
			t.Errorf("%s has %s of working time, want %s", v.day, got, v.want)
		}
	}
}

func TestUnionCountsNoHourTwice(t *testing.T) {
	berlin, london := zone(t, "Europe/Berlin"), zone(t, "Europe/London")
	early := Schedule{Name: "early", Zone: berlin, Hours: workdays(t, "07:00-13:00"), Holidays: []string{"DE-HH"}}
	late := Schedule{Name: "late", Zone: berlin, Hours: workdays(t, "12:00-19:00"), Holidays: []string{"DE-SN"}}
	uk := Schedule{Name: "uk", Zone: london, Hours: workdays(t, "09:00-17:30"), Holidays: []string{"GB-ENG"}}
	both := newCalendar(t, early, late)
	for _, v := range []struct {
		day  string
		want time.Duration
	}{
		{"2026-11-24", 12 * time.Hour}, // together
		{"2026-11-18", 6 * time.Hour},  // Buß- und Bettag in Saxony
		{"2026-05-01", 0},              // both at home
	} {
		from := at(t, berlin, v.day+" 00:00")
		if got := both.Between(from, from.AddDate(0, 0, 1)); got != v.want {
			t.Errorf("%s has %s, want %s", v.day, got, v.want)
		}
	}
	// 17:30 in London is 18:30 in Berlin.
	world := newCalendar(t, early, uk)
	if got, want := world.Add(at(t, berlin, "2026-11-24 18:00"), time.Hour), at(t, berlin, "2026-11-25 07:30"); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSpecial(t *testing.T) {
	c := newCalendar(t, Schedule{Name: "desk", Zone: time.UTC, Hours: workdays(t, "08:00-18:00"), Holidays: []string{"CH-ZH", "CH"}, Days: []Override{
		{From: "12-24", To: "12-24", Hours: hours(t, "08:00-12:00")},
		{From: "2026-12-26", To: "2026-12-27", Hours: hours(t, "10:00-11:00")},
	}})
	var got []string
	for _, d := range c.Special(2026) {
		if d.Date.Month < time.August {
			continue
		}
		line := d.Date.String() + " " + d.Date.Weekday().String()[:3]
		for _, h := range d.Holidays {
			line += " " + h.Name + " " + h.Region
		}
		line += " [" + d.Override + "]"
		for _, h := range d.Hours {
			line += " " + h.String()
		}
		got = append(got, line)
	}
	want := []string{
		"2026-08-01 Sat Bundesfeier CH []",
		"2026-12-24 Thu [12-24] 08:00-12:00",
		"2026-12-25 Fri Weihnachten CH []",
		"2026-12-26 Sat Stephanstag CH-ZH [2026-12-26..2026-12-27] 10:00-11:00",
		"2026-12-27 Sun [2026-12-26..2026-12-27] 10:00-11:00",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEdges(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	c := newCalendar(t, Schedule{Zone: berlin, Hours: workdays(t, "08:00-18:00")})
	start := at(t, berlin, "2026-11-28 11:00")
	for _, d := range []time.Duration{0, -time.Hour} {
		if got := c.Add(start, d); !got.Equal(start) {
			t.Errorf("Add(%s) = %s, want the start", d, got)
		}
	}
	monday := at(t, berlin, "2026-11-30 09:00")
	if got := c.Between(monday, start); got != -time.Hour {
		t.Errorf("backwards: %s, want -1h", got)
	}
	if got, want := c.Add(start, time.Nanosecond), at(t, berlin, "2026-11-30 08:00").Add(1); !got.Equal(want) {
		t.Errorf("a nanosecond: %s, want %s", got, want)
	}
	if got := c.Between(monday, monday); got != 0 {
		t.Errorf("no time at all counts %s", got)
	}
	// 2027 has 261 workdays.
	if got, want := c.Between(at(t, berlin, "2027-01-01 00:00"), at(t, berlin, "2028-01-01 00:00")), 2610*time.Hour; got != want {
		t.Errorf("2027 has %s, want %s", got, want)
	}
}

// TestEveryTimeHasAnAnswer asks about times that no clock shows. Nothing may take long or go wrong.
func TestEveryTimeHasAnAnswer(t *testing.T) {
	c := newCalendar(t, Schedule{Zone: zone(t, "Europe/Berlin"), Hours: map[time.Weekday][]Interval{time.Monday: {{540, 541}}}})
	if got := c.Between(time.Time{}, at(t, time.UTC, "2026-11-24 00:00")); got != math.MaxInt64 {
		t.Errorf("since the year 1: %s", got)
	}
	far := c.Add(at(t, time.UTC, "2026-11-24 00:00"), math.MaxInt64)
	if far.Year() < lastYear || far.Year() > lastYear+400 {
		t.Errorf("the longest time of all ends in %d", far.Year())
	}
	if got := c.Between(far, far.AddDate(1000, 0, 0)); got != math.MaxInt64 {
		t.Errorf("a thousand years: %s", got)
	}
	if got := c.Add(time.Time{}, time.Hour); !got.Equal(time.Time{}.Add(time.Hour)) {
		t.Errorf("an hour in the year 1 ends at %s", got)
	}
}

func TestNewRefuses(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	week := workdays(t, "08:00-18:00")
	for _, v := range []struct {
		schedule Schedule
		want     []string
	}{
		{Schedule{Hours: week}, []string{`calendar "desk": it has no time zone`}},
		{Schedule{Zone: berlin}, []string{"no working time"}},
		{Schedule{Zone: berlin, Hours: week, Days: []Override{{From: "01-01", To: "12-31"}}}, []string{"no working time"}},
		{Schedule{Zone: berlin, Days: []Override{{From: "2026-11-24", To: "2026-11-24", Hours: []Interval{{0, 60}}}}}, []string{"no working time"}},
		{Schedule{Zone: berlin, Holidays: []string{"DE-BB"}, Days: []Override{{From: "01-02", To: "12-31"}}, Hours: always(t)}, []string{"no working time"}},
		{Schedule{Zone: berlin, Hours: map[time.Weekday][]Interval{1: {{480, 480}}}}, []string{"08:00-08:00 of monday"}},
		{Schedule{Zone: berlin, Hours: map[time.Weekday][]Interval{1: {{1320, 360}}}}, []string{"22:00-06:00 of monday"}},
		{Schedule{Zone: berlin, Hours: map[time.Weekday][]Interval{1: {{0, 1441}}}}, []string{"between 00:00 and 24:00"}},
		{Schedule{Zone: berlin, Hours: map[time.Weekday][]Interval{1: {{-1, 60}}}}, []string{"between 00:00 and 24:00"}},
		{Schedule{Zone: berlin, Hours: map[time.Weekday][]Interval{7: {{0, 60}}}}, []string{"7 is not a day of the week"}},
		{Schedule{Zone: berlin, Hours: week, Holidays: []string{"DE-XX"}}, []string{`"DE-XX" is not a holiday region: known are DE, DE-BW`}},
		{Schedule{Zone: berlin, Hours: week, Days: []Override{{From: "12-24", To: "2026-12-26"}}}, []string{`"12-24..2026-12-26" is neither`}},
		{Schedule{Zone: berlin, Hours: week, Days: []Override{{From: "2026-02-29", To: "2026-02-29"}}}, []string{`"2026-02-29" is neither`}},
		{Schedule{Zone: berlin, Hours: week, Days: []Override{{From: "2026-12-24", To: "2026-12-23"}}}, []string{"ends before it begins"}},
		{Schedule{Zone: berlin, Hours: week, Days: []Override{{}}}, []string{"neither a day"}},
		{Schedule{Holidays: []string{"de"}, Days: []Override{{From: "x", To: "x"}}}, []string{"no time zone", `"de" is not`, `"x" is neither`}},
	} {
		v.schedule.Name = "desk"
		c, err := New(Schedule{Zone: berlin, Hours: week}, v.schedule)
		if c != nil || err == nil {
			t.Errorf("%+v was taken", v.schedule)
			continue
		}
		for _, want := range v.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: the error says %q, want %q in it", v.schedule, err, want)
			}
		}
	}
	if _, err := New(); err == nil {
		t.Error("a union of nothing was taken")
	}
}

// TestRareHoursAreFound holds that a calendar with hours every few years only still has deadlines.
func TestRareHoursAreFound(t *testing.T) {
	c := newCalendar(t, Schedule{Zone: time.UTC, Days: []Override{{From: "02-29", To: "02-29", Hours: []Interval{{600, 660}}}}})
	if got, want := c.Add(at(t, time.UTC, "2026-11-24 00:00"), 2*time.Hour), at(t, time.UTC, "2032-02-29 11:00"); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSchedulesAreCopied holds that a Calendar does not change with what it was made from.
func TestSchedulesAreCopied(t *testing.T) {
	week := workdays(t, "08:00-18:00")
	days := []Override{{From: "2026-11-25", To: "2026-11-25", Hours: hours(t, "08:00-09:00")}}
	c := newCalendar(t, Schedule{Zone: time.UTC, Hours: week, Days: days})
	week[time.Tuesday][0] = Interval{0, 1}
	days[0].Hours[0] = Interval{0, 1}
	c.Special(2026)[0].Hours[0] = Interval{0, 1}
	if got := c.Between(at(t, time.UTC, "2026-11-24 00:00"), at(t, time.UTC, "2026-11-26 00:00")); got != 11*time.Hour {
		t.Errorf("got %s, want 11h", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	c := newCalendar(t, Schedule{Zone: berlin, Hours: workdays(t, "08:00-18:00"), Holidays: []string{"DE"}})
	start := at(t, berlin, "2026-12-23 16:10")
	got := make([]time.Time, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = c.Add(start, 4000*time.Hour) })
	}
	wg.Wait()
	if slices.ContainsFunc(got, func(x time.Time) bool { return !x.Equal(got[0]) }) {
		t.Errorf("different answers: %v", got)
	}
}
