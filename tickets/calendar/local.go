package calendar

import (
	"fmt"
	"time"
)

const secondsPerDay = 24 * 60 * 60

// Date is a day of the Gregorian calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// String is the date in the form 2026-12-24.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// MarshalText is String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("read date %q: %w", b, err)
	}
	d.Year, d.Month, d.Day = t.Date()
	return nil
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return weekday(d.number()) }

// number counts days since 1970-01-01. Days are counted and never taken as 24 hours of real time.
func (d Date) number() int {
	return int(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

func dateOf(n int) Date {
	y, m, d := time.Unix(int64(n)*secondsPerDay, 0).UTC().Date()
	return Date{y, m, d}
}

// weekday of a day number; 1970-01-01 was a Thursday.
func weekday(n int) time.Weekday { return time.Weekday(((n+int(time.Thursday))%7 + 7) % 7) }

// local turns wall clock times of a zone into instants. It remembers the last period between two changes of the clocks,
// as the next question is mostly about the same.
type local struct {
	zone     *time.Location
	known    bool
	from, to int64 // instants between which the zone's offset is off
	off      int64
}

// forever is beyond all instants that are asked for.
const forever = int64(1) << 60

// period makes l know the period around an instant.
func (l *local) period(t int64) {
	if l.known && l.from <= t && t < l.to {
		return
	}
	x := time.Unix(t, 0).In(l.zone)
	start, end := x.ZoneBounds()
	_, off := x.Zone()
	l.known, l.from, l.to, l.off = true, -forever, forever, int64(off)
	if !start.IsZero() {
		l.from = start.Unix()
	}
	if !end.IsZero() {
		l.to = end.Unix()
	}
	// Beyond the zone's table, ZoneBounds takes every year for one of 365 days: the period around the last day of a leap
	// year ends before that day. Its offset is right, and no zone changes its clocks within it.
	if l.to <= t {
		l.to = t - t%secondsPerDay + secondsPerDay
	}
}

// instants returns when the wall clock shows w, in seconds since 1970-01-01 00:00 on that clock: the first time, and the
// last. Of a time that never comes, both are the first instant after the gap.
func (l *local) instants(w int64) (first, last int64) {
	const reach = 26 * 60 * 60 // no offset is as large, nor is any gap
	if l.known && l.from <= w-reach && w+reach < l.to {
		return w - l.off, w - l.off
	}
	found, gap, after := false, false, int64(0)
	for t := w - reach; t <= w+reach; t = l.to {
		l.period(t)
		switch begins, ends := l.from+l.off, l.to+l.off; {
		case begins <= w && w < ends:
			if last = w - l.off; !found {
				first = last
			}
			found = true
		case begins > w && !gap:
			gap, after = true, l.from
		}
	}
	if !found {
		return after, after
	}
	return first, last
}
