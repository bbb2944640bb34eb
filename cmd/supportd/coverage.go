package main

import (
	"fmt"
	"slices"

	"supportd/cmd/supportd/config"
	"supportd/tickets/calendar"
)

// promisedUnstaffed warns of calendars in which promises to customers are counted while no team works and nobody is on call
// (W21): deadlines pass there and nobody is at their desk. It compares ordinary weeks; single holidays that only one of two
// calendars keeps are for supportd calendar to show.
func promisedUnstaffed(file string, c *config.Config, year int) config.Findings {
	if slices.ContainsFunc(c.Teams, func(t config.Team) bool { return t.OnCall != "" }) {
		return nil
	}
	var list config.Findings
	for _, cal := range c.Calendars {
		i := slices.IndexFunc(c.Levels, func(l config.ServiceLevel) bool { return countsIn(l, cal.Name) })
		if i < 0 {
			continue
		}
		hours, err := uncovered(c, cal, year, ordinaryWeeks)
		if err != nil {
			continue // buildRules has said so
		}
		if weekly := hours * 7 / 365; weekly >= 0.5 {
			list = append(list, config.Finding{File: file, Code: "W21", Path: "calendars." + cal.Name, Warning: true,
				What: fmt.Sprintf("the service level %s counts in it, and in %.0f hours of its week no team works and nobody is on call", c.Levels[i].Name, weekly),
				Fix:  "promise in the hours of the teams, or name on_call in a team"})
		}
	}
	return list
}

// countsIn reports whether a level counts any target in a calendar.
func countsIn(l config.ServiceLevel, name string) bool {
	return slices.ContainsFunc(l.Targets, func(t config.PriorityTarget) bool {
		return t.Calendar == name || t.Calendar == "" && l.Calendar == name
	})
}

// ordinaryWeeks is a calendar without its holidays and exceptions.
func ordinaryWeeks(c config.Calendar) calendar.Schedule {
	s := schedule(c)
	s.Holidays, s.Dated, s.Days = nil, nil, nil
	return s
}
