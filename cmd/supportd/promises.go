package main

import (
	"time"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
	"supportd/tickets/clock"
)

// buildPromises are the promised times, and who is told on the way.
func buildPromises(r *tickets.Rules, c *config.Config) {
	r.SLA, r.DefaultLevel, r.Levels = tickets.DefaultSLA(), config.ShortLevel, map[string]tickets.Level{}
	times, steps := map[clock.Kind]time.Duration{}, map[clock.Kind][]tickets.Step{}
	var remind []tickets.Step
	for _, s := range c.Remind {
		remind = append(remind, tickets.Step{Percent: s.Percent, Notify: s.Notify})
	}
	for _, t := range []struct {
		kind clock.Kind
		d    time.Duration
	}{{clock.FirstResponse, c.FirstResponse}, {clock.Resolve, c.Resolve}} {
		if t.d > 0 {
			times[t.kind], steps[t.kind] = t.d, remind
		}
	}
	r.Levels[config.ShortLevel] = tickets.Level{Name: config.ShortLevel, Targets: map[string]tickets.Targets{"": {Times: times}}}
	r.Escalations = []tickets.Escalation{{Name: "default", Steps: steps}}
}
