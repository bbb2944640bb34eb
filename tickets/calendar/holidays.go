package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Holiday is a public holiday.
type Holiday struct {
	Date   Date
	Name   string // in the region's language
	Region string // the code of the region that keeps it, which may be larger than the one asked about; else its file
}

// Region is a part of the world whose public holidays are known.
type Region struct {
	Code   string // such as DE-BY
	Name   string
	Within string // the larger region whose holidays it keeps as well; "" for none
	Own    []string
	Note   string // what one has to know before naming it; "" for nothing
}

// Regions returns all regions, a larger one before its parts. Own names what each adds to the larger one.
func Regions() []Region {
	var all []Region
	for _, r := range regions {
		public := Region{Code: r.code, Name: r.name, Within: r.within, Note: r.note}
		for _, h := range r.rules {
			text := h.name
			switch {
			case h.first == h.last && h.first > 0:
				text += fmt.Sprintf(" (%d only)", h.first)
			case h.first > 0:
				text += fmt.Sprintf(" (from %d)", h.first)
			}
			if !h.substitute && !slices.Contains(public.Own, text) {
				public.Own = append(public.Own, text)
			}
		}
		all = append(all, public)
	}
	return all
}

// Holidays returns the public holidays of a region in a year by rising date, those of the larger regions around it
// included. The tables are those of the years since 2000; earlier years are counted by the same.
func Holidays(code string, year int) ([]Holiday, error) {
	var all []Holiday
	for within := code; ; {
		i := slices.IndexFunc(regions, func(r region) bool { return r.code == within })
		if i < 0 {
			return nil, fmt.Errorf("%q is not a holiday region: known are %s", code, strings.Join(codes(), ", "))
		}
		r := regions[i]
		var own []Holiday
		for _, h := range r.rules {
			if h.first > 0 && year < h.first || h.last > 0 && year > h.last {
				continue
			}
			if n, ok := h.when(year); ok {
				own = append(own, Holiday{Date: dateOf(n), Name: h.name, Region: r.code})
			}
		}
		// What a larger region keeps as well comes from there.
		all = slices.DeleteFunc(all, func(h Holiday) bool {
			return slices.ContainsFunc(own, func(o Holiday) bool { return o.Date == h.Date && o.Name == h.Name })
		})
		all = append(own, all...)
		if within = r.within; within == "" {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b Holiday) int { return cmp.Compare(a.Date.number(), b.Date.number()) })
	return all, nil
}

func codes() []string {
	var all []string
	for _, r := range regions {
		all = append(all, r.code)
	}
	return all
}

// region is one of the table.
type region struct {
	code, name, within, note string
	rules                    []rule
}

// rule is one holiday of a region.
type rule struct {
	name        string
	when        when
	first, last int  // years; 0: no bound
	substitute  bool // stands for a holiday at a weekend
}

// since limits a rule to a year and those after it.
func (r rule) since(year int) rule { r.first = year; return r }

// only limits a rule to one year.
func (r rule) only(year int) rule { r.first, r.last = year, year; return r }

// when returns the day number of a holiday in a year, and false when there is none in it.
type when func(year int) (int, bool)

func on(name string, w when) rule { return rule{name: name, when: w} }

// fixed is the same date each year.
func fixed(m time.Month, day int) when {
	return func(year int) (int, bool) { return Date{year, m, day}.number(), true }
}

// easter is so many days after Easter Sunday.
func easter(days int) when {
	return func(year int) (int, bool) { return easterSunday(year) + days, true }
}

// easterSunday returns the day number of Easter Sunday in the Gregorian calendar: the Sunday after the first
// ecclesiastical full moon from 21 March on.
func easterSunday(year int) int {
	golden, century := year%19, year/100
	solar := century - century/4   // leap days that the centuries left out
	lunar := (8*century + 13) / 25 // correction of the moon's cycle of 19 years
	epact := (solar - lunar + 19*golden + 15) % 30
	if epact == 29 || epact == 28 && golden > 10 {
		epact-- // two full moons of one cycle never share a date, and none is after 18 April
	}
	moon := Date{year, time.March, 21}.number() + epact
	return moon + 7 - int(weekday(moon))
}

// monday is the n-th Monday of a month, and with -1 the last.
func monday(m time.Month, n int) when {
	return func(year int) (int, bool) {
		if n < 0 {
			last := Date{year, m + 1, 1}.number() - 1
			return last - int(weekday(last)+6)%7, true
		}
		first := Date{year, m, 1}.number()
		return first + int(8-weekday(first))%7 + 7*(n-1), true
	}
}

// wednesdayBefore is the last Wednesday before a date.
func wednesdayBefore(m time.Month, day int) when {
	return func(year int) (int, bool) {
		n := Date{year, m, day}.number() - 1
		return n - int(weekday(n)+4)%7, true
	}
}

// moved is a rule with other dates in some years.
func moved(w when, to ...Date) when {
	return func(year int) (int, bool) {
		for _, d := range to {
			if d.Year == year {
				return d.number(), true
			}
		}
		return w(year)
	}
}

// substitute is the Monday after a date at a weekend.
func substitute(m time.Month, day int) rule {
	return rule{substitute: true, when: func(year int) (int, bool) {
		n := Date{year, m, day}.number()
		switch weekday(n) {
		case time.Saturday:
			return n + 2, true
		case time.Sunday:
			return n + 1, true
		}
		return 0, false
	}}
}

// substituteOfTwo is the day that stands for one of two holidays in a row, when that one is at a weekend: always two days
// later, as the first weekday is taken by the other of the two, or is a Monday after a Saturday.
func substituteOfTwo(m time.Month, day int) rule {
	return rule{substitute: true, when: func(year int) (int, bool) {
		n := Date{year, m, day}.number()
		w := weekday(n)
		return n + 2, w == time.Saturday || w == time.Sunday
	}}
}

// standsFor names a substitute day.
func (r rule) standsFor(name string) rule { r.name = name + " (substitute day)"; return r }
