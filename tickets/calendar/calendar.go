// Package calendar counts working time: weekly hours in a time zone, public holidays, dated exceptions, and the union of
// several of these. It reads no clock and no file, and knows nothing of tickets.
//
// The rules of working time:
//
//   - An exception wins over a holiday, a holiday over the week. Of two exceptions on one day, that of a certain year wins
//     over that of every year, then the shorter span, then the later in the list. There are no hours on a holiday.
//   - Hours are what the clock on the wall says. Their begin and end are turned into instants date by date, so the time
//     between them is real: a shift from 22:00 to 06:00 over the change to summer time counts seven hours.
//   - A time of day that a change of the clocks skips is the first instant after the gap. One that comes twice is the
//     first of the two as a begin, and the second as an end.
//   - The end of a day is 24:00. Hours up to it and hours from 00:00 of the next day leave no gap.
package calendar

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Schedule is what is known about the working time of some people.
type Schedule struct {
	Name     string         // in errors and reports
	Zone     *time.Location // required
	Hours    map[time.Weekday][]Interval
	Holidays []string   // codes of regions; see Regions
	Dated    []Dated    // further holidays, of calendar files
	Days     []Override // exceptions
}

// Interval is a span of one day in minutes since its midnight: From 0 to 1439, To above it and up to 1440.
type Interval struct{ From, To int }

// String is the interval as it is written: 08:00-17:00.
func (i Interval) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", i.From/60, i.From%60, i.To/60, i.To%60)
}

// Override is what holds on some days instead of the hours of the week.
type Override struct {
	From  string     // 12-24 (every year) or 2026-12-24
	To    string     // the last day, in the same form; 12-28 to 01-02 runs over the new year
	Hours []Interval // none: closed
}

// Years outside these are never asked for by people. All of their time counts, so that every search ends.
const (
	firstYear = 1970
	lastYear  = 2399
)

// Calendar is the union of schedules: it is open when one of them is. It implements tickets.Calendar and may be used by
// several goroutines.
type Calendar struct {
	parts []*part
	years sync.Map // int → *year, made when first needed
}

// New makes the union of schedules. The error names everything that is wrong with any of them, also one in which there
// is no working time at all.
func New(schedules ...Schedule) (*Calendar, error) {
	if len(schedules) == 0 {
		return nil, errors.New("make calendar: there is no schedule")
	}
	c := &Calendar{}
	var wrong []error
	for _, s := range schedules {
		p, err := compile(s)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("calendar %q: %w", s.Name, err))
		}
		c.parts = append(c.parts, p)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return c, nil
}

// Add returns the first instant at which d of working time have passed since start, in start's location. The end of
// an interval belongs to it: an hour from 11:30 in hours to 12:00 and from 13:00 is over at 13:30, and half an hour at
// 12:00. Without any d, start itself is returned.
func (c *Calendar) Add(start time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return start
	}
	n, at := split(start)
	y := c.year(n)
	gone := y.before(at)
	for d > y.total-gone {
		d -= y.total - gone
		n, gone = n+1, 0
		y = c.year(n)
	}
	return begin(n).Add(y.instant(gone + d)).In(start.Location())
}

// Between returns the working time from one instant to another; it is below zero when to is the earlier one. It ends at
// the largest Duration, some 292 years.
func (c *Calendar) Between(from, to time.Time) time.Duration {
	if to.Before(from) {
		return -c.Between(to, from)
	}
	n, at := split(from)
	last, end := split(to)
	y := c.year(n)
	sum := -y.before(at)
	for n < last {
		if sum > math.MaxInt64-y.total {
			return math.MaxInt64
		}
		sum += y.total
		n++
		y = c.year(n)
	}
	rest := y.before(end)
	if sum > math.MaxInt64-rest {
		return math.MaxInt64
	}
	return sum + rest
}

// Day is one on which not only the week's hours count.
type Day struct {
	Schedule string // name
	Date     Date
	Holidays []Holiday
	Override string     // the exception that holds, such as 12-24 or 2026-12-28..2027-01-01; "" for none
	Hours    []Interval // that are worked; none on a holiday without an exception
}

// Special returns the holidays and the days with exceptions of a year, of each schedule by rising date.
func (c *Calendar) Special(year int) []Day {
	var all []Day
	for _, p := range c.parts {
		holidays := p.holidays(year, year)
		for n := (Date{year, time.January, 1}).number(); n < (Date{year + 1, time.January, 1}).number(); n++ {
			d := Day{Schedule: p.name, Date: dateOf(n), Holidays: holidays[n]}
			var o *override
			if d.Hours, o = p.hours(n, holidays); o != nil {
				d.Override = o.text
			}
			if len(d.Holidays) > 0 || d.Override != "" {
				d.Hours = slices.Clone(d.Hours)
				all = append(all, d)
			}
		}
	}
	return all
}

// part is a schedule as it is counted.
type part struct {
	name    string
	zone    *time.Location
	week    [7][]Interval
	regions []string
	dated   []Dated
	days    []override // the first that fits holds
}

// override is an exception as it is counted.
type override struct {
	yearly   bool
	from, to int // day numbers, or 100 × month + day
	hours    []Interval
	text     string
}

func (o *override) fits(n int, d Date) bool {
	if !o.yearly {
		return o.from <= n && n <= o.to
	}
	md := int(d.Month)*100 + d.Day
	if o.from <= o.to {
		return o.from <= md && md <= o.to
	}
	return o.from <= md || md <= o.to
}

// length orders overrides by the number of their days; of yearly ones it is about that.
func (o *override) length() int {
	if o.from > o.to {
		return o.to + 1231 - o.from
	}
	return o.to - o.from
}

// compile checks a schedule and puts its exceptions into the order in which they are tried.
func compile(s Schedule) (*part, error) {
	p := &part{name: s.Name, zone: s.Zone, regions: s.Holidays, dated: s.Dated}
	var wrong []error
	if p.zone == nil {
		wrong = append(wrong, errors.New("it has no time zone"))
		p.zone = time.UTC
	}
	for day, hours := range s.Hours {
		if day < time.Sunday || day > time.Saturday {
			wrong = append(wrong, fmt.Errorf("%d is not a day of the week", int(day)))
			continue
		}
		wrong = append(wrong, checkHours(strings.ToLower(day.String()), hours))
		p.week[day] = sorted(hours)
	}
	for _, code := range s.Holidays {
		if _, err := Holidays(code, lastYear); err != nil {
			wrong = append(wrong, err)
		}
	}
	for _, d := range slices.Backward(s.Days) {
		o, err := compileOverride(d)
		wrong = append(wrong, err)
		p.days = append(p.days, o)
	}
	slices.SortStableFunc(p.days, func(a, b override) int {
		if a.yearly != b.yearly {
			if a.yearly {
				return 1
			}
			return -1
		}
		return a.length() - b.length()
	})
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	if !p.workable() {
		return nil, errors.New("there is no working time in it, in any year: name hours that no holiday and no exception takes away")
	}
	return p, nil
}

func compileOverride(d Override) (override, error) {
	o := override{yearly: len(d.From) == len("12-24"), hours: sorted(d.Hours), text: d.From}
	if d.To != d.From {
		o.text += ".." + d.To
	}
	from, okFrom := parseDate(d.From)
	to, okTo := parseDate(d.To)
	if !okFrom || !okTo || len(d.From) != len(d.To) {
		return o, fmt.Errorf("%q is neither a day nor a span of days: write 12-24 or 2026-12-24, and the last day in the same form", o.text)
	}
	if o.yearly {
		o.from, o.to = int(from.Month)*100+from.Day, int(to.Month)*100+to.Day
	} else if o.from, o.to = from.number(), to.number(); o.to < o.from {
		return o, fmt.Errorf("%s ends before it begins", o.text)
	}
	return o, checkHours(o.text, d.Hours)
}

// parseDate reads 2026-12-24, and 12-24 as a day of a leap year.
func parseDate(s string) (Date, bool) {
	if len(s) == len("12-24") {
		s = "2028-" + s
	}
	var d Date
	err := d.UnmarshalText([]byte(s))
	return d, err == nil
}

func checkHours(what string, hours []Interval) error {
	for _, i := range hours {
		if i.From < 0 || i.To > 24*60 || i.From >= i.To {
			return fmt.Errorf("hours %s of %s: they have to begin before they end, between 00:00 and 24:00", i, what)
		}
	}
	return nil
}

func sorted(hours []Interval) []Interval {
	return slices.SortedFunc(slices.Values(hours), func(a, b Interval) int { return a.From - b.From })
}

// workable reports whether there is working time in what comes back every year. In 28 years every date falls on every
// day of the week, 29 February included.
func (p *part) workable() bool {
	recurring := *p
	recurring.days = slices.DeleteFunc(slices.Clone(p.days), func(o override) bool { return !o.yearly })
	for y := 2001; y < 2001+28; y++ {
		if len(recurring.spans(y)) > 0 {
			return true
		}
	}
	return false
}

// holidays returns those of some years by day number.
func (p *part) holidays(first, last int) map[int][]Holiday {
	all := map[int][]Holiday{}
	for y := first; y <= last; y++ {
		for _, code := range p.regions {
			list, err := Holidays(code, y)
			if err != nil {
				continue // compile refused it
			}
			for _, h := range list {
				if n := h.Date.number(); !slices.Contains(all[n], h) {
					all[n] = append(all[n], h)
				}
			}
		}
		for _, d := range p.dated {
			h := Holiday{Name: d.Name, Region: d.Source}
			for _, n := range d.in(y) {
				if h.Date = dateOf(n); !slices.Contains(all[n], h) {
					all[n] = append(all[n], h)
				}
			}
		}
	}
	return all
}

// hours returns those of a day, and the exception that they come from, if any.
func (p *part) hours(n int, holidays map[int][]Holiday) ([]Interval, *override) {
	d := dateOf(n)
	for i := range p.days {
		if p.days[i].fits(n, d) {
			return p.days[i].hours, &p.days[i]
		}
	}
	if len(holidays[n]) > 0 {
		return nil, nil
	}
	return p.week[weekday(n)], nil
}
