package calendar

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones with all sorts of changes: an hour, half an hour, at midnight, a day left out, none.
var zones = []string{"Europe/Berlin", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana", "America/St_Johns",
	"Africa/Casablanca", "Antarctica/Troll", "Asia/Kolkata", "UTC"}

// drawSchedule makes a schedule in which somebody works on some day of the week.
func drawSchedule(t *rapid.T, name string, minute *rapid.Generator[int]) Schedule {
	loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, name+" zone"))
	if err != nil {
		t.Fatal(err)
	}
	s := Schedule{Name: name, Zone: loc, Hours: map[time.Weekday][]Interval{}}
	drawHours := func(label string, least int) []Interval {
		var all []Interval
		for range rapid.IntRange(least, 3).Draw(t, label) {
			a, b := minute.Draw(t, label), minute.Draw(t, label)
			if a == b {
				a, b = 0, 24*60
			}
			all = append(all, Interval{min(a, b), max(a, b)})
		}
		return all
	}
	for _, day := range rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID).Draw(t, name+" days") {
		s.Hours[time.Weekday(day)] = drawHours(name+" hours", 1)
	}
	// An hour that no change of the clocks touches, so that the schedule is never empty.
	s.Hours[time.Wednesday] = append(s.Hours[time.Wednesday], Interval{12 * 60, 13 * 60})
	s.Holidays = rapid.SliceOfN(rapid.SampledFrom(codes()), 0, 2).Draw(t, name+" holidays")
	for range rapid.IntRange(0, 3).Draw(t, name+" overrides") {
		from := dateOf(rapid.IntRange(20000, 21500).Draw(t, name+" from"))
		to := dateOf(from.number() + rapid.IntRange(0, 20).Draw(t, name+" span"))
		o := Override{From: from.String(), To: to.String(), Hours: drawHours(name+" override", 0)}
		if rapid.Bool().Draw(t, name+" yearly") {
			o.From, o.To = o.From[5:], o.To[5:]
		}
		s.Days = append(s.Days, o)
	}
	return s
}

func drawInstant(t *rapid.T, label string) time.Time {
	// 2024 to 2030, and the days around Apia's jump in 2011.
	second := rapid.OneOf(rapid.Int64Range(1704067200, 1893456000), rapid.Int64Range(1325000000, 1325600000)).Draw(t, label)
	return time.Unix(second, rapid.Int64Range(0, 999_999_999).Draw(t, label+" ns")).UTC()
}

func drawDuration(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.Int64Range(0, int64(400*time.Hour)).Draw(t, label))
}

var anyMinute = rapid.IntRange(0, 24*60)

// TestCalendarLaws holds what is true of every calendar. rapid prints the seed of a failure. S-170
func TestCalendarLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawSchedule(t, "a", anyMinute), drawSchedule(t, "b", anyMinute)
		start, d := drawInstant(t, "start"), drawDuration(t, "d")
		var cs []*Calendar
		for _, schedules := range [][]Schedule{{a}, {b}, {a, b}, {b, a, a}} {
			c, err := New(schedules...)
			if err != nil {
				t.Fatal(err)
			}
			cs = append(cs, c)
			checkLaws(t.Fatalf, c, start, d, drawDuration(t, "more"))
		}
		x, y, both, again := cs[0], cs[1], cs[2], cs[3]
		end := start.Add(d)
		n, m, u := x.Between(start, end), y.Between(start, end), both.Between(start, end)
		if u < max(n, m) || u > n+m || u > d {
			t.Fatalf("in %s the parts count %s and %s, their union %s", d, n, m, u)
		}
		if got := again.Between(start, end); got != u {
			t.Fatalf("the order and number of the parts matter: %s and %s", u, got)
		}
		if both.Add(start, d).After(x.Add(start, d)) {
			t.Fatal("a union is later than one of its parts")
		}
	})
}

// checkLaws holds the laws that Add and Between share.
func checkLaws(fail func(string, ...any), c *Calendar, start time.Time, d, more time.Duration) {
	due := c.Add(start, d)
	switch later := c.Add(start, d+more); {
	case due.Before(start):
		fail("Add(%s, %s) = %s goes back", start, d, due)
	case c.Between(start, due) != d:
		fail("Between(%s, %s) = %s, want %s", start, due, c.Between(start, due), d)
	case later.Before(due) || more > 0 && !later.After(due):
		fail("%s more than %s is due at %s, which is not after %s", more, d, later, due)
	case !c.Add(due, more).Equal(later) && d > 0 && more > 0:
		fail("%s and then %s is due at %s, at once at %s", d, more, c.Add(due, more), later)
	case d > 0 && c.Between(start, due.Add(-1)) == d:
		fail("Add(%s, %s) = %s is not the first instant", start, d, due)
	case c.Add(start.Add(more), d).Before(due):
		fail("what starts %s after %s is due before %s", more, start, due)
	case c.Between(due, start) != -d:
		fail("backwards %s counts %s", d, c.Between(due, start))
	}
}

// TestAgainstTheWallClock compares with a count that looks at the clock on the wall minute by minute. Hours that begin or
// end while a clock is changed are left out: there the two differ on purpose.
func TestAgainstTheWallClock(t *testing.T) {
	calm := rapid.SampledFrom([]int{5 * 60, 6*60 + 7, 8 * 60, 12 * 60, 13*60 + 30, 17 * 60, 20*60 + 59, 22 * 60})
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchedule(t, "a", calm)
		for i := range s.Days {
			s.Days[i].From, s.Days[i].To = s.Days[i].From[len(s.Days[i].From)-5:], s.Days[i].To[len(s.Days[i].To)-5:]
		}
		c, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		start := drawInstant(t, "start").Truncate(time.Minute)
		var want time.Duration
		end := start
		for range rapid.IntRange(0, 3*24*60).Draw(t, "minutes") {
			if onTheWall(s, end.In(s.Zone)) {
				want += time.Minute
			}
			end = end.Add(time.Minute)
		}
		if got := c.Between(start, end); got != want {
			t.Fatalf("%s to %s counts %s, want %s", start.In(s.Zone), end.In(s.Zone), got, want)
		}
	})
}

// onTheWall reports whether s is open in a minute, by yearly exceptions, holidays and the week.
func onTheWall(s Schedule, x time.Time) bool {
	minute := x.Hour()*60 + x.Minute()
	in := func(all []Interval) bool {
		return slices.ContainsFunc(all, func(i Interval) bool { return i.From <= minute && minute < i.To })
	}
	md := x.Format("01-02")
	best, length := -1, 1<<30
	for i, o := range s.Days {
		fits := o.From <= md && md <= o.To
		if o.From > o.To {
			fits = md >= o.From || md <= o.To
		}
		if l := spanLength(o); fits && l <= length {
			best, length = i, l
		}
	}
	if best >= 0 {
		return in(s.Days[best].Hours)
	}
	for _, code := range s.Holidays {
		list, err := Holidays(code, x.Year())
		if err != nil {
			panic(err)
		}
		if slices.ContainsFunc(list, func(h Holiday) bool { return h.Date.String() == x.Format(time.DateOnly) }) {
			return false
		}
	}
	return in(s.Hours[x.Weekday()])
}

// spanLength ranks yearly spans as the package does, month by month.
func spanLength(o Override) int {
	var m1, d1, m2, d2 int
	fmt.Sscanf(o.From+" "+o.To, "%d-%d %d-%d", &m1, &d1, &m2, &d2)
	if n := (m2-m1)*100 + d2 - d1; n >= 0 {
		return n
	}
	return (m2-m1)*100 + d2 - d1 + 1231
}

// FuzzSLACalendar holds the laws for calendars that nobody would write. S-170
func FuzzSLACalendar(f *testing.F) {
	f.Add(uint8(0), uint16(480), uint16(1080), uint8(1), "12-24", "12-26", int64(1795791600), int64(4*time.Hour))
	f.Add(uint8(2), uint16(0), uint16(1440), uint8(0), "2026-10-04", "2026-10-04", int64(1791036000), int64(8*time.Hour))
	f.Add(uint8(3), uint16(1320), uint16(360), uint8(7), "02-29", "02-29", int64(1325160000), int64(time.Nanosecond))
	f.Add(uint8(4), uint16(0), uint16(1), uint8(26), "01-01", "12-31", int64(-62135596800), int64(1)<<62)
	f.Fuzz(func(t *testing.T, z uint8, a, b uint16, r uint8, from, to string, start, d int64) {
		loc, err := time.LoadLocation(zones[int(z)%len(zones)])
		if err != nil {
			t.Fatal(err)
		}
		iv := []Interval{{int(a), int(b)}}
		s := Schedule{Name: "fuzz", Zone: loc, Hours: map[time.Weekday][]Interval{time.Weekday(int(z) % 7): iv, time.Sunday: iv},
			Holidays: []string{codes()[int(r)%len(codes())]}, Days: []Override{{From: from, To: to}}}
		c, err := New(s)
		if err != nil {
			return // said so, and made nothing
		}
		// Instants that a mail can have, up to the year 9999; no longer than 100 years of working time.
		x := time.Unix(start%253402300800, d&0xffff).In(loc)
		want := time.Duration(d) % (100 * 365 * 24 * time.Hour)
		checkLaws(t.Fatalf, c, x, max(0, want), time.Hour)
	})
}

// BenchmarkAdd is one deadline in a year that was counted before. 1h-a-week has it half a year away.
func BenchmarkAdd(b *testing.B) {
	for _, v := range []struct {
		name string
		week map[time.Weekday][]Interval
		d    time.Duration
	}{
		{"workdays", workdays(b, "08:00-12:00 13:00-17:00"), 24 * time.Hour},
		{"always", always(b), 24 * time.Hour},
		{"hour-a-week", map[time.Weekday][]Interval{time.Monday: {{540, 600}}}, 40 * time.Hour},
	} {
		b.Run(v.name, func(b *testing.B) {
			loc := zone(b, "Europe/Berlin")
			c := newCalendar(b, Schedule{Zone: loc, Hours: v.week, Holidays: []string{"DE-BY-KATH"}})
			start := at(b, loc, "2026-11-24 11:30")
			c.Add(start, v.d)
			for b.Loop() {
				c.Add(start, v.d)
			}
		})
	}
}

func BenchmarkBetween(b *testing.B) {
	loc := zone(b, "Europe/Berlin")
	c := newCalendar(b, Schedule{Zone: loc, Hours: workdays(b, "08:00-18:00"), Holidays: []string{"DE-BY"}})
	from, to := at(b, loc, "2026-11-24 11:30"), at(b, loc, "2027-03-01 11:30")
	for b.Loop() {
		c.Between(from, to)
	}
}

// BenchmarkFirstAdd is a deadline in a calendar that was just made, as after a reload.
func BenchmarkFirstAdd(b *testing.B) {
	loc := zone(b, "Europe/Berlin")
	s := Schedule{Zone: loc, Hours: workdays(b, "08:00-12:00 13:00-17:00"), Holidays: []string{"DE-BY-KATH"},
		Days: []Override{{From: "12-24", To: "12-24"}, {From: "2026-12-28", To: "2027-01-01"}}}
	for b.Loop() {
		newCalendar(b, s).Add(time.Unix(1795791600, 0), 24*time.Hour)
	}
}
