package config

import (
	"slices"
	"time"
)

// life settles duplicates and reopening.
func (r *resolver) life(k *lifecycleKeys) {
	c := r.cfg
	if k.Duplicates.SameText.Do.val != "nothing" {
		c.SameText = k.Duplicates.SameText.Within.val
	}
	if k.Duplicates.Similar.Do.val != "nothing" {
		c.Similar = k.Duplicates.Similar.Threshold.val
	}
	c.ThanksReopen = !k.Reopen.Thanks.val
	c.ReopenLimit = 5
	if l := k.Reopen.Limit; l.given {
		c.ReopenLimit = l.val.n
		if l.val.per != 24*time.Hour {
			r.report("", l.at, "write NUMBER/24h", "is counted over 24 hours only")
		}
	}
}

// waiting settles what happens while a ticket waits for its customer.
func (r *resolver) waiting(k *waitingKeys) {
	c := r.cfg
	w := Waiting{Remind: k.Remind.vals(), After: k.After.val, Calendar: k.Calendar.val}
	hours := len(c.Calendars) > 0
	if w.Calendar == "" && hours {
		w.Calendar = c.Calendar
	}
	if w.Calendar != "" && !slices.ContainsFunc(c.Calendars, func(cal Calendar) bool { return cal.Name == w.Calendar }) {
		r.report("E03", k.Calendar.at, didYouMean(w.Calendar, c.calendarNames()), "there is no calendar %q", clip(w.Calendar))
	}
	days := 24 * time.Hour
	if hours {
		days = 10 * time.Hour // a working day, nearly
	}
	if !k.Remind.given {
		w.Remind = []time.Duration{2 * days, 5 * days}
	}
	switch {
	case k.Then.val == "nothing":
		w.After = 0
	case w.After == 0:
		w.After = 8 * days
	}
	if !slices.IsSorted(w.Remind) {
		r.report("E13", k.Remind.at, "write the shorter times first", "does not ascend")
	}
	if n := len(w.Remind); n > 0 && w.After > 0 && w.Remind[n-1] >= w.After {
		r.report("E13", k.Remind.at, "remind earlier, or give up later", "asks once more after %s, when the ticket is solved after %s already", written(w.Remind[n-1]), written(w.After))
	}
	c.Waiting = w
}

func (c *Config) calendarNames() []string {
	var names []string
	for _, cal := range c.Calendars {
		names = append(names, cal.Name)
	}
	return names
}
