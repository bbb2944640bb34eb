package calendar

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Dated is a holiday of a calendar file: one or more whole days, once or every so many years.
type Dated struct {
	Name   string
	Source string // the file it stands in, as the configuration names it
	From   Date   // the first day of the first time
	Days   int    // in a row; 1 to 366
	Every  int    // years from one time to the next; 0: it comes once
	Until  Date   // it does not begin later than this; zero: it comes for ever
	Except []Date // of the days on which it would begin, those on which it does not
}

// Fault is what is wrong with a line of a calendar file.
type Fault struct {
	Line int    // 1 is the first
	What string // is wrong
	Fix  string // what to do
}

// Bounds of a calendar file. Those that people write stay far below them.
const (
	maxEvents   = 5000
	maxFaults   = 20
	maxSummary  = 200 // characters
	longestSpan = 366 // days
)

// ReadICS reads the all-day events of a calendar file (RFC 5545) as holidays, in the order of the file; source is how
// they name it. Of the rest of the format it reads as much as lists of holidays need: folded lines (section 3.1), DTSTART
// with DTEND or DURATION, a yearly RRULE with INTERVAL, COUNT and UNTIL, and EXDATE. Events with a time of day and those
// that were cancelled are no holidays and are passed over. An all-day event that comes back in another way is a fault: to
// leave it out would open a day that is closed.
func ReadICS(source string, data []byte) ([]Dated, []Fault) {
	r := &icsReader{source: source}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		n := 1
		for line := range bytes.Lines(data) {
			if !utf8.Valid(line) {
				break
			}
			n++
		}
		return nil, []Fault{{Line: n, What: "the file is not UTF-8 text", Fix: "save it as UTF-8"}}
	}
	for _, l := range unfold(string(data)) {
		if r.line(l); len(r.faults) >= maxFaults {
			return nil, r.faults
		}
	}
	switch {
	case len(r.faults) > 0:
	case !r.begun:
		r.fault(1, "save it in the format iCalendar, .ics", "this is no calendar file: it does not begin with BEGIN:VCALENDAR")
	case len(r.open) > 0:
		r.fault(r.last, "fetch the file again", "the file ends in the middle: END:%s is missing", r.open[len(r.open)-1])
	case len(r.days) == 0:
		r.fault(1, "name a list of public holidays", "there is no all-day event in the file")
	}
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	return r.days, nil
}

// LastDay returns the last day of holidays that come to an end; false when none does.
func LastDay(days []Dated) (Date, bool) {
	last, found := 0, false
	for _, d := range days {
		begin := d.From
		if d.Every > 0 {
			if begin = d.Until; begin == (Date{}) {
				continue
			}
		}
		if n := begin.number() + d.Days - 1; !found || n > last {
			last, found = n, true
		}
	}
	return dateOf(last), found
}

// in returns the day numbers of a year that the holiday takes.
func (d Dated) in(year int) []int {
	var all []int
	for _, y := range []int{year - 1, year} { // one that begins in December may reach into January
		begin := Date{y, d.From.Month, d.From.Day}
		after := y - d.From.Year
		n := begin.number()
		if after < 0 || after > 0 && (d.Every == 0 || after%d.Every != 0) || dateOf(n) != begin || slices.Contains(d.Except, begin) {
			continue
		}
		if d.Until != (Date{}) && n > d.Until.number() {
			continue
		}
		for ; len(all) < longestSpan && n < begin.number()+d.Days; n++ {
			if dateOf(n).Year == year {
				all = append(all, n)
			}
		}
	}
	return all
}

// contentLine is a line of the format after unfolding: NAME;PARAMETERS:VALUE.
type contentLine struct {
	number int // of its first line in the file
	text   string
}

// unfold joins lines that go on in the next one, which then begins with a blank or tab (RFC 5545 section 3.1).
func unfold(text string) []contentLine {
	var all []contentLine
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "":
		case (line[0] == ' ' || line[0] == '\t') && len(all) > 0:
			all[len(all)-1].text += line[1:]
		default:
			all = append(all, contentLine{n, line})
		}
	}
	return all
}

// property is the name of a line in capitals, its parameters in capitals, and its value. A colon in quotes belongs to
// a parameter.
func (l contentLine) property() (name, params, value string, ok bool) {
	quoted := false
	for i, c := range l.text {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			name, params, _ = strings.Cut(strings.ToUpper(l.text[:i]), ";")
			return name, params, l.text[i+1:], name != ""
		}
	}
	return "", "", "", false
}

// icsReader goes through the lines of a calendar file.
type icsReader struct {
	source string
	begun  bool
	open   []string // components that have begun, from outside in
	last   int      // the line that was read last
	event  *icsEvent
	days   []Dated
	faults []Fault
}

// icsEvent is what is known of a VEVENT so far.
type icsEvent struct {
	line      int
	day       Dated
	end       Date
	duration  contentLine
	rule      contentLine
	odd       contentLine // a property of a way to come back that is not read
	timed     bool        // it has a time of day
	cancelled bool
}

func (r *icsReader) fault(line int, fix, format string, args ...any) {
	r.faults = append(r.faults, Fault{Line: line, What: fmt.Sprintf(format, args...), Fix: fix})
}

// line reads one line.
func (r *icsReader) line(l contentLine) {
	r.last = l.number
	name, params, value, ok := l.property()
	value = strings.TrimSpace(value)
	switch {
	case !ok:
		r.fault(l.number, "fetch the file again", "the line %q is neither NAME:VALUE nor goes on with the line before", shortened(l.text))
	case name == "BEGIN":
		r.begin(l.number, strings.ToUpper(value))
	case len(r.open) == 0:
		r.fault(l.number, "save it in the format iCalendar, .ics", "%s stands outside of a calendar", shortened(name))
	case name == "END":
		r.end(l.number, strings.ToUpper(value))
	case r.event != nil && r.open[len(r.open)-1] == "VEVENT":
		r.read(l, name, params, value)
	}
}

func (r *icsReader) begin(line int, what string) {
	switch {
	case len(r.open) == 0 && what != "VCALENDAR":
		r.fault(line, "save it in the format iCalendar, .ics", "this is no calendar file: it does not begin with BEGIN:VCALENDAR")
	case len(r.open) > 8:
		r.fault(line, "fetch the file again", "the parts of the file stand too deep in each other")
		return
	case what == "VEVENT" && r.event == nil:
		r.event = &icsEvent{line: line, day: Dated{Source: r.source, Days: 1}}
	}
	r.begun, r.open = true, append(r.open, what)
}

func (r *icsReader) end(line int, what string) {
	inner := r.open[len(r.open)-1]
	if inner != what {
		r.fault(line, "fetch the file again", "END:%s ends what has not begun: END:%s is due", shortened(what), shortened(inner))
		return
	}
	r.open = r.open[:len(r.open)-1]
	if what == "VEVENT" && r.event != nil && !slices.Contains(r.open, "VEVENT") {
		r.settle(r.event)
		r.event = nil
	}
}

// read takes a property of an event.
func (r *icsReader) read(l contentLine, name, params, value string) {
	e := r.event
	switch name {
	case "SUMMARY":
		e.day.Name = summary(value)
	case "STATUS":
		e.cancelled = strings.EqualFold(value, "CANCELLED")
	case "DTSTART":
		if len(value) != len("20261224") && !strings.Contains(params, "VALUE=DATE") || strings.Contains(params, "VALUE=DATE-TIME") {
			e.timed = true
			return
		}
		e.day.From, _ = r.date(l.number, name, value)
	case "DTEND":
		if len(value) == len("20261224") {
			e.end, _ = r.date(l.number, name, value)
		}
	case "DURATION":
		e.duration = contentLine{l.number, value}
	case "RRULE":
		if e.rule.text != "" {
			e.odd = contentLine{l.number, "a second RRULE"}
		}
		e.rule = contentLine{l.number, value}
	case "RDATE", "EXRULE", "RECURRENCE-ID":
		e.odd = contentLine{l.number, name}
	case "EXDATE":
		for one := range strings.SplitSeq(value, ",") {
			if len(one) > len("20261224") { // one of an event with a time of day, or that day's beginning
				one = one[:len("20261224")]
			}
			if d, ok := r.date(l.number, name, one); ok {
				e.day.Except = append(e.day.Except, d)
			}
		}
	}
}

// date reads 20261224.
func (r *icsReader) date(line int, what, value string) (Date, bool) {
	t, err := time.Parse("20060102", value)
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		r.fault(line, "write it as 20261224", "%s is %q, which is no day of the years %d to %d", what, shortened(value), firstYear, lastYear)
		return Date{}, false
	}
	y, m, d := t.Date()
	return Date{y, m, d}, true
}

// settle makes a holiday of an event that has ended.
func (r *icsReader) settle(e *icsEvent) {
	if e.timed || e.cancelled {
		return
	}
	before := len(r.faults)
	d := &e.day
	switch {
	case d.From == (Date{}):
		if !slices.ContainsFunc(r.faults, func(f Fault) bool { return f.Line >= e.line }) {
			r.fault(e.line, "write DTSTART;VALUE=DATE:20261224", "the event has no DTSTART")
		}
		return
	case e.end != (Date{}): // DTEND is the first day after it
		d.Days = e.end.number() - d.From.number()
		if d.Days == 0 {
			d.Days = 1 // written by programs that take DTEND for the last day
		}
	case e.duration.text != "":
		d.Days = r.duration(e.duration)
	}
	if d.Days < 1 || d.Days > longestSpan {
		r.fault(e.line, "give it 1 to 366 days", "the event %q from %s on has %d days", shortened(d.Name), d.From, d.Days)
	}
	if e.odd.text != "" {
		r.fault(e.odd.number, "write each day as an event of its own", "the event %q comes back in a way that is not read: %s", shortened(d.Name), e.odd.text)
	}
	if e.rule.text != "" {
		r.rule(e.rule, d)
	}
	if len(r.days) >= maxEvents {
		r.fault(e.line, "is it the right file?", "the file has more than %d all-day events", maxEvents)
	}
	if d.Name == "" {
		d.Name = "holiday"
	}
	if len(r.faults) == before {
		r.days = append(r.days, *d)
	}
}

// duration reads whole days or weeks, such as P1D (section 3.3.6); 0 is neither.
func (r *icsReader) duration(l contentLine) int {
	text := strings.TrimPrefix(strings.ToUpper(l.text), "P")
	if days, ok := strings.CutSuffix(text, "D"); ok {
		n, _ := strconv.ParseUint(days, 10, 16)
		return int(n)
	}
	if weeks, ok := strings.CutSuffix(text, "W"); ok {
		n, _ := strconv.ParseUint(weeks, 10, 12)
		return int(n) * 7
	}
	return 0
}

// rule reads how an event comes back (section 3.3.10).
func (r *icsReader) rule(l contentLine, d *Dated) {
	const fix = "write each day as an event of its own, or a rule with FREQ=YEARLY, INTERVAL, COUNT and UNTIL"
	unread := func() { r.fault(l.number, fix, "the rule %q is not read", shortened(l.text)) }
	d.Every = 1
	yearly, count := false, 0
	for part := range strings.SplitSeq(strings.ToUpper(l.text), ";") {
		name, value, _ := strings.Cut(part, "=")
		n, err := strconv.ParseUint(value, 10, 16)
		number := int(n)
		switch {
		case name == "FREQ" && value == "YEARLY":
			yearly = true
		case name == "INTERVAL" && err == nil && number > 0:
			d.Every = number
		case name == "COUNT" && err == nil && number > 0:
			count = number
		case name == "UNTIL" && len(value) >= len("20261224"):
			d.Until, _ = r.date(l.number, name, value[:len("20261224")])
		case name == "BYMONTH" && err == nil && number == int(d.From.Month), name == "BYMONTHDAY" && err == nil && number == d.From.Day:
		case name == "WKST", part == "": // the begin of weeks says nothing about years
		default:
			unread()
			return
		}
	}
	if !yearly {
		unread()
		return
	}
	if count > 0 {
		d.Until = nth(*d, count)
	}
}

// nth returns the day on which a holiday begins for the n-th time. A 29 February is left out in other years (section
// 3.3.10), and so is not counted there.
func nth(d Dated, n int) Date {
	last := d.From
	for y := d.From.Year + d.Every; n > 1 && y <= lastYear; y += d.Every {
		if next := (Date{y, d.From.Month, d.From.Day}); dateOf(next.number()) == next {
			last = next
			n--
		}
	}
	return last
}

// summary is the name of an event as text of one line (section 3.3.11).
func summary(value string) string {
	value = strings.NewReplacer(`\\`, `\`, `\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";").Replace(value)
	value = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			return -1
		}
		return c
	}, value)
	value = strings.Join(strings.Fields(value), " ")
	if r := []rune(value); len(r) > maxSummary {
		value = string(r[:maxSummary]) + "…"
	}
	return value
}

// shortened keeps messages short.
func shortened(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
