package config

import (
	"fmt"
	"time"

	"supportd/tickets/calendar"
)

// holidaysFile reads the calendar file that a key names. Its faults are reported with their lines in it.
func (r *resolver) holidaysFile(key opt[string]) []calendar.Dated {
	if key.val == "" {
		return nil
	}
	data, ok := r.file(key.at, key.val, maxText, false)
	if !ok {
		return nil
	}
	days, faults := calendar.ReadICS(key.val, data)
	for _, f := range faults {
		r.report("E11", place{line: f.Line, col: 1, file: r.path(key.val)}, f.Fix, "%s", f.What)
	}
	return days
}

// holidaysNotice is how long before the last day of a calendar file check begins to warn.
const holidaysNotice = 90 // days

// HolidaysEnding warns of calendar files whose last day is near or over (W31): after it the desk would promise work on
// holidays. Holidays that come back for ever do not end.
func (c *Config) HolidaysEnding(now time.Time) Findings {
	var list Findings
	for _, cal := range c.Calendars {
		last, ends := calendar.LastDay(cal.Dated)
		if !ends || !now.In(cal.Zone).AddDate(0, 0, holidaysNotice).After(time.Date(last.Year, last.Month, last.Day, 0, 0, 0, 0, cal.Zone)) {
			continue
		}
		list = append(list, Finding{File: c.Path, Code: "W31", Path: "calendars." + cal.Name + ".holidays_ics", Warning: true,
			What: fmt.Sprintf("the last holiday in %s is that of %s: later ones are counted as working days", cal.File, last), Fix: "fetch a newer file"})
	}
	return list
}
