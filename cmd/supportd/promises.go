package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
	"supportd/tickets/calendar"
	"supportd/tickets/clock"
)

// buildPromises adds to the rules what is promised to customers, what teams have agreed, and who is told on the way.
func buildPromises(r *tickets.Rules, c *config.Config) error {
	r.DefaultLevel, r.Levels = c.DefaultLevel, map[string]tickets.Level{}
	r.SLA = tickets.SLA{UpgradeGrace: c.SLA.UpgradeGrace, WarnCustomer: c.SLA.WarnCustomer}
	for _, s := range c.SLA.PauseOn {
		r.SLA.PauseOn = append(r.SLA.PauseOn, tickets.State(s))
	}
	for _, l := range c.Levels {
		r.Levels[l.Name] = buildLevel(l)
	}
	for _, e := range c.Escalations {
		r.Escalations = append(r.Escalations, buildEscalation(e))
	}
	r.OnCall = buildOnCall(c)
	r.SafetyNet = tickets.SafetyNet{NoNextStep: c.SafetyNet.NoNextStep,
		Unowned:   tickets.Catch{After: c.SafetyNet.Unowned.After, Notify: c.SafetyNet.Unowned.Notify},
		Untouched: tickets.Catch{After: c.SafetyNet.Untouched.After, Notify: c.SafetyNet.Untouched.Notify}}
	if m := c.Major; len(m.Any) > 0 || m.Burst {
		r.Major = tickets.MajorIncident{Manager: strings.ToLower(m.Manager.Mail), Updates: m.Updates, Burst: m.Burst, Match: func(t *tickets.Ticket) bool {
			return slices.ContainsFunc(m.Any, func(one config.TicketMatch) bool { return meant(one, t) })
		}}
	}
	return buildHours(r, c)
}

func buildLevel(l config.ServiceLevel) tickets.Level {
	level := tickets.Level{Name: l.Name, Calendar: l.Calendar, Targets: map[string]tickets.Targets{}}
	for _, t := range l.Targets {
		times := map[clock.Kind]time.Duration{}
		for kind, d := range map[clock.Kind]time.Duration{clock.FirstResponse: t.Times.FirstResponse, clock.NextResponse: t.Times.NextResponse,
			clock.Update: t.Times.Update, clock.Resolve: t.Times.Resolve} {
			if d > 0 {
				times[kind] = d
			}
		}
		level.Targets[t.Priority] = tickets.Targets{Calendar: t.Calendar, Times: times}
	}
	return level
}

func buildEscalation(e config.Escalation) tickets.Escalation {
	set := tickets.Escalation{Name: e.Name, Send: e.Send, Steps: map[clock.Kind][]tickets.Step{}}
	if !e.Match.IsZero() {
		set.Match = func(t *tickets.Ticket) bool { return meant(e.Match, t) }
	}
	for kind, steps := range e.Steps {
		all := []tickets.Step{}
		for _, s := range steps {
			all = append(all, tickets.Step{Percent: s.Percent, Notify: s.Notify, Do: s.Do, Repeat: s.Repeat, Max: s.Max})
		}
		set.Steps[clock.Kind(kind)] = all
	}
	return set
}

// meant reports whether a ticket is meant.
func meant(m config.TicketMatch, t *tickets.Ticket) bool {
	one := func(values []string, have ...string) bool {
		return len(values) == 0 || slices.ContainsFunc(have, func(h string) bool { return slices.Contains(values, h) })
	}
	return one(m.Priority, t.Priority) && one(m.Impact, t.Impact) && one(m.Urgency, t.Urgency) && one(m.ServiceLevel, t.ServiceLevel) &&
		one(m.Team, t.Team) && one(m.Category, t.Category) && one(m.Tag, t.Tags...)
}

func buildOnCall(c *config.Config) map[string]tickets.OnCall {
	mobile := map[string]string{}
	for _, p := range c.People {
		mobile[p.Mail] = p.Mobile
	}
	all := map[string]tickets.OnCall{}
	for _, o := range c.OnCall {
		days := map[string]int{"daily": 1, "weekly": 7}[o.Rotate]
		one := tickets.OnCall{Name: o.Name, From: o.From, Every: time.Duration(days) * 24 * time.Hour, Zone: c.Zone}
		for _, m := range o.Members {
			one.Members = append(one.Members, strings.ToLower(m.Mail))
		}
		if o.AlsoTo != "" {
			one.AlsoTo = func(address string) string {
				if strings.Contains(o.AlsoTo, "{{.Person.Mobile}}") && mobile[address] == "" {
					return ""
				}
				return strings.ReplaceAll(o.AlsoTo, "{{.Person.Mobile}}", mobile[address])
			}
		}
		all[o.Name] = one
	}
	return all
}

// buildHours makes every calendar, and of each team the union of its own. Equal ones are one value, so that a change of
// the target alone counts nothing anew.
func buildHours(r *tickets.Rules, c *config.Config) error {
	r.Calendars = map[string]tickets.Calendar{}
	var wrong []error
	for _, one := range c.Calendars {
		built, err := calendar.New(schedule(one))
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", c.Path, err))
			continue
		}
		r.Calendars[one.Name] = built
	}
	if cal, ok := r.Calendars[c.Calendar]; ok {
		r.Calendar = cal
	}
	for _, t := range c.Teams {
		team := r.Teams[t.Name]
		team.OLA = tickets.OLA{Accept: t.OLA.Accept, TimeBox: t.OLA.TimeBox}
		for _, one := range c.Calendars {
			if len(t.Calendars) > 0 && one.Name == t.Calendars[0] {
				team.Zone = one.Zone
			}
		}
		team.OnCall, team.HoursOf = t.OnCall, strings.Join(t.Calendars, " + ")
		var union []calendar.Schedule
		for _, one := range c.Calendars {
			if slices.Contains(t.Calendars, one.Name) {
				union = append(union, schedule(one))
			}
		}
		if len(t.Calendars) == 1 {
			team.Hours = r.Calendars[t.Calendars[0]]
		} else if len(union) > 0 {
			built, err := calendar.New(union...)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: team %s: %w", c.Path, t.Name, err))
			} else {
				team.Hours = built
			}
		}
		r.Teams[t.Name] = team
	}
	return errors.Join(wrong...)
}
