package calendar

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// span is working time without a gap, in seconds since 1970 UTC, its end not included.
type span struct{ from, to int64 }

// year is the working time of a year in UTC. Counting in it is two binary searches, however few hours it has.
type year struct {
	open  []stretch // by rising time, with gaps between them
	total time.Duration
}

// stretch is a span as an offset into its year.
type stretch struct {
	from, to time.Duration
	earlier  time.Duration // working time of the year before it
}

// split returns the year of an instant in UTC, and how far it is into it.
func split(t time.Time) (int, time.Duration) {
	t = t.UTC()
	return t.Year(), t.Sub(begin(t.Year()))
}

// begin is the first instant of a year in UTC.
func begin(n int) time.Time { return time.Date(n, time.January, 1, 0, 0, 0, 0, time.UTC) }

// year returns a year's working time.
func (c *Calendar) year(n int) *year {
	if n < firstYear || n > lastYear {
		whole := begin(n + 1).Sub(begin(n))
		return &year{open: []stretch{{to: whole}}, total: whole}
	}
	if y, ok := c.years.Load(n); ok {
		return y.(*year)
	}
	y, _ := c.years.LoadOrStore(n, c.count(n))
	return y.(*year)
}

// count makes the union of all schedules' working time in a year.
func (c *Calendar) count(n int) *year {
	var all []span
	for _, p := range c.parts {
		all = append(all, p.spans(n)...)
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	y := &year{}
	first, next := begin(n).Unix(), begin(n+1).Unix()
	for _, s := range all {
		s.from, s.to = max(s.from, first), min(s.to, next)
		if s.from >= s.to {
			continue
		}
		from, to := time.Duration(s.from-first)*time.Second, time.Duration(s.to-first)*time.Second
		if last := len(y.open) - 1; last >= 0 && from <= y.open[last].to {
			y.total += max(0, to-y.open[last].to)
			y.open[last].to = max(y.open[last].to, to)
			continue
		}
		y.open = append(y.open, stretch{from: from, to: to, earlier: y.total})
		y.total += to - from
	}
	y.open = slices.Clip(y.open)
	return y
}

// before returns the working time in the year up to an offset.
func (y *year) before(at time.Duration) time.Duration {
	i := sort.Search(len(y.open), func(i int) bool { return y.open[i].from >= at })
	if i == 0 {
		return 0
	}
	s := y.open[i-1]
	return s.earlier + min(at, s.to) - s.from
}

// instant returns the first offset up to which there are d of working time; d is above 0 and at most the total.
func (y *year) instant(d time.Duration) time.Duration {
	i := sort.Search(len(y.open), func(i int) bool { return y.open[i].earlier >= d }) - 1
	return y.open[i].from + d - y.open[i].earlier
}

// spans returns the working time of all days that may touch a year in UTC, in no order and possibly overlapping.
func (p *part) spans(n int) []span {
	holidays := p.holidays(n-1, n+1)
	l := local{zone: p.zone}
	var all []span
	// No zone is more than a day away from UTC.
	for day := (Date{n, time.January, 1}).number() - 2; day < (Date{n + 1, time.January, 1}).number()+2; day++ {
		hours, _ := p.hours(day, holidays)
		for _, i := range hours {
			from, _ := l.instants(int64(day)*secondsPerDay + int64(i.From)*60)
			_, to := l.instants(int64(day)*secondsPerDay + int64(i.To)*60)
			if from < to {
				all = append(all, span{from, to})
			}
		}
	}
	return all
}
