package command

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// date is a day of the calendar, as somebody named it.
type date struct {
	year   int // 0: the next one that lies ahead
	month  time.Month
	day    int
	weekly bool // it was named by its weekday
	valid  bool // there is such a day
}

func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date{year: y, month: m, day: d, valid: true}
}

func (d date) plus(days int) date {
	return dateOf(time.Date(d.year, d.month, d.day+days, 12, 0, 0, 0, time.UTC))
}

// plusMonths stays at the end of a month that is shorter.
func (d date) plusMonths(n int) date {
	last := time.Date(d.year, d.month+time.Month(n)+1, 0, 12, 0, 0, 0, time.UTC)
	if d.day >= last.Day() {
		return dateOf(last)
	}
	return dateOf(time.Date(d.year, d.month+time.Month(n), d.day, 12, 0, 0, 0, time.UTC))
}

func (d date) before(o date) bool {
	return d.year < o.year || d.year == o.year && (d.month < o.month || d.month == o.month && d.day < o.day)
}

func (d date) exists(year int) bool {
	return d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= time.Date(year, d.month+1, 0, 12, 0, 0, 0, time.UTC).Day()
}

var (
	isoDate    = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})$`)
	germanDate = regexp.MustCompile(`^(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})?$`)
	ordinal    = regexp.MustCompile(`^(\d{1,2})(\.|st|nd|rd|th)?$`)
	yearWord   = regexp.MustCompile(`^20\d\d$`)
	clockWord  = regexp.MustCompile(`^(\d{1,2})(?:[:.](\d{2}))?(uhr|am|pm)?$`)
)

var dayNames = namesOf(map[int]string{
	0: "sunday sun sonntag so", 1: "monday mon montag mo", 2: "tuesday tue tues dienstag di", 3: "wednesday wed mittwoch mi",
	4: "thursday thu thur thurs donnerstag do", 5: "friday fri freitag fr", 6: "saturday sat samstag sonnabend sa",
})

var monthNames = namesOf(map[int]string{
	1: "january jan januar jänner", 2: "february feb februar", 3: "march mar märz maerz mrz", 4: "april apr", 5: "may mai", 6: "june jun juni",
	7: "july jul juli", 8: "august aug", 9: "september sep sept", 10: "october oct oktober okt", 11: "november nov", 12: "december dec dezember dez",
})

func namesOf(table map[int]string) map[string]int {
	names := map[string]int{}
	for n, list := range table {
		for name := range strings.FieldsSeq(list) {
			names[name] = n
		}
	}
	return names
}

// day reads a day at the begin of the words and returns how many of them it took.
func (w *when) day(words []string) (date, int) {
	first := words[0]
	today := dateOf(w.now)
	second := ""
	if len(words) > 1 {
		second = words[1]
	}
	switch first {
	case "today", "heute":
		return today, 1
	case "tomorrow":
		return today.plus(1), 1
	case "morgen":
		return today.plus(1), 1
	case "übermorgen", "uebermorgen":
		return today.plus(2), 1
	case "day":
		if strings.HasPrefix(strings.Join(words, " "), "day after tomorrow") {
			return today.plus(2), 3
		}
	case "week", "woche":
		monday := today.plus(1)
		for w.weekday(monday) != time.Monday {
			monday = monday.plus(1)
		}
		return monday, 1
	case "month", "monat":
		return date{year: today.year, month: today.month, day: 1}.plusMonths(1), 1
	}
	if wd, ok := dayNames[strings.Trim(first, ".")]; ok {
		d := today
		for int(w.weekday(d)) != wd {
			d = d.plus(1)
		}
		d.weekly = true
		if n := dateAfter(words[1:]); n > 0 { // Montag, 2.11.: the date counts
			written, took := w.day(words[1+n-1:])
			return written, n + took
		}
		return d, 1
	}
	if m := isoDate.FindStringSubmatch(first); m != nil {
		return written(m[1], m[2], m[3]), 1
	}
	if m := germanDate.FindStringSubmatch(first); m != nil {
		return written(m[3], m[2], m[1]), 1
	}
	if m, ok := monthNames[strings.Trim(second, ".")]; ok && ordinal.MatchString(first) { // 24. Dezember, 24 Dec
		return w.withYear(written("", strconv.Itoa(m), ordinal.FindStringSubmatch(first)[1]), words, 2)
	}
	if m, ok := monthNames[strings.Trim(first, ".")]; ok && ordinal.MatchString(second) { // Dec 24
		return w.withYear(written("", strconv.Itoa(m), ordinal.FindStringSubmatch(second)[1]), words, 2)
	}
	return date{}, 0
}

// dateAfter reports where a written date stands behind a weekday: 1 for the next word, 2 behind a comma, 0 for nowhere.
func dateAfter(words []string) int {
	for i, word := range words {
		if i > 2 {
			break
		}
		if isoDate.MatchString(word) || germanDate.MatchString(word) {
			return i + 1
		}
		if i+1 < len(words) && ordinal.MatchString(word) && monthNames[strings.Trim(words[i+1], ".")] > 0 {
			return i + 1
		}
		if _, month := monthNames[strings.Trim(word, ".")]; month {
			return i + 1
		}
		if word != "," && !fillers[word] {
			break
		}
	}
	return 0
}

// withYear takes the year that stands behind a day and its month.
func (w *when) withYear(d date, words []string, n int) (date, int) {
	at := n
	if at < len(words) && words[at] == "," {
		at++
	}
	if at < len(words) && yearWord.MatchString(words[at]) {
		year, err := strconv.Atoi(words[at])
		if err == nil {
			d.year, d.valid = year, d.exists(year)
			return d, at + 1
		}
	}
	return d, n
}

func written(year, month, day string) date {
	y, errYear := strconv.Atoi(year)
	m, errMonth := strconv.Atoi(month)
	n, errDay := strconv.Atoi(day)
	d := date{year: y, month: time.Month(m), day: n}
	if errYear == nil && y < 100 {
		d.year += 2000
	}
	if errMonth == nil && errDay == nil {
		leap := 2024
		if d.year > 0 {
			leap = d.year
		}
		d.valid = d.exists(leap)
	}
	return d
}

// clock reads a time of day, in minutes since midnight. A bare number is one only behind a day.
func (w *when) clock(words []string, behindDay bool) (minutes, n int) {
	switch words[0] {
	case "noon", "mittag", "mittags":
		return 12 * 60, 1
	case "early", "morning", "früh", "frueh", "vormittag", "vormittags":
		if behindDay {
			return begin, 1
		}
	case "afternoon", "nachmittag", "nachmittags":
		if behindDay {
			return 14 * 60, 1
		}
	case "eod", "feierabend":
		return end, 1
	}
	m := clockWord.FindStringSubmatch(words[0])
	if m == nil || m[2] == "" && m[3] == "" && !behindDay || strings.Contains(words[0], ".") && m[3] != "uhr" {
		return 0, 0
	}
	hour, errHour := strconv.Atoi(m[1])
	minute := 0
	if m[2] != "" {
		minute, _ = strconv.Atoi(m[2]) // two digits
	}
	switch {
	case errHour != nil || hour > 24 || minute > 59 || hour == 24 && minute > 0:
		return 0, 0
	case (m[3] == "am" || m[3] == "pm") && (hour == 0 || hour > 12):
		return 0, 0
	case m[3] == "am" && hour == 12:
		hour = 0
	case m[3] == "pm" && hour < 12:
		hour += 12
	}
	return hour*60 + minute, 1
}

// Times of day that follow from the working time.
const (
	begin = -1
	end   = -2
)

// settled is the day that was meant: a weekday that is today's is the next one when its time is over, and a date without
// a year is the next one.
func (w *when) settled(d date, clock int) date {
	over := func(d date) bool {
		if clock < 0 {
			return !dateOf(w.now).before(d)
		}
		return !w.moment(d, clock).After(w.now)
	}
	switch {
	case d.weekly && over(d):
		return d.plus(7)
	case d.year == 0 && d.valid:
		for d.year = w.now.Year(); !d.exists(d.year) || over(d); d.year++ {
			if d.year > w.now.Year()+8 {
				return date{}
			}
		}
	}
	return d
}

// moment is an instant of a day. clock is in minutes since midnight, or begin or end of the working time. Of today it is
// the end in either case: the begin is mostly over.
func (w *when) moment(d date, clock int) time.Time {
	midnight := w.at(d, 0)
	switch {
	case clock >= 0:
		return w.at(d, clock)
	case clock == end || d == dateOf(w.now):
		worked := w.hours.Between(midnight, w.at(d.plus(1), 0))
		if worked <= 0 || worked >= 23*time.Hour {
			return w.at(d, 17*60)
		}
		return w.hours.Add(midnight, worked)
	}
	return w.opening(midnight)
}

// opening is the first instant of working time at or after t. Where every hour is one, midnight becomes nine.
func (w *when) opening(t time.Time) time.Time {
	const tick = time.Second
	at := w.hours.Add(t, tick).Add(-tick)
	if at.Equal(t) && t.Hour() == 0 && t.Minute() == 0 {
		return w.at(dateOf(t), 9*60)
	}
	return at
}

func (w *when) works(d date) bool { return w.hours.Between(w.at(d, 0), w.at(d.plus(1), 0)) > 0 }

func (w *when) weekday(d date) time.Weekday {
	return time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC).Weekday()
}

// at is a time of day in the zone. One that a change of the clocks skips is the first instant after the gap; of one that
// comes twice it is the first.
func (w *when) at(d date, minutes int) time.Time {
	t := time.Date(d.year, d.month, d.day, minutes/60, minutes%60, 0, 0, w.zone)
	if minutes == 24*60 || t.Hour()*60+t.Minute() == minutes {
		if first := t.Add(-time.Hour); first.Hour() == t.Hour() && first.Minute() == t.Minute() {
			return first
		}
		return t
	}
	start, end := t.ZoneBounds()
	if t.Hour()*60+t.Minute() > minutes {
		return start
	}
	return end
}
