package config

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// expandPromises adds what is promised, and who is told on the way.
func (c *Config) expandPromises(root *node) {
	if len(c.Levels) > 0 {
		levels := block()
		for _, l := range c.Levels {
			n := block()
			if l.Name == c.DefaultLevel {
				n.add("default", truth(true))
			}
			n.addText("calendar", l.Calendar)
			targets := block()
			for _, t := range l.Targets {
				targets.add(t.Priority, expandTarget(t))
			}
			levels.add(l.Name, n.add("targets", targets))
		}
		root.add("service_levels", levels)
	}
	sla := block()
	sla.addTexts("pause_on", c.SLA.PauseOn)
	sla.add("on_priority_change", text("from_creation")).add("upgrade_grace", text(percent(c.SLA.UpgradeGrace)))
	root.add("sla", sla.add("warn_customer_promise", truth(c.SLA.WarnCustomer)).add("config_change", text("pin")))
	if len(c.OnCall) > 0 {
		all := block()
		for _, o := range c.OnCall {
			n := block().add("rotate", text(o.Rotate))
			if !o.From.IsZero() {
				n.add("from", quoted(o.From.Format("2006-01-02 15:04")))
			}
			members := &node{Kind: yaml.SequenceNode}
			for _, m := range o.Members {
				members.Content = append(members.Content, address(m).yaml())
			}
			n.add("members", members)
			n.addText("also_to", o.AlsoTo)
			all.add(o.Name, n)
		}
		root.add("on_call", all)
	}
	if len(c.Escalations) > 0 {
		sets := block()
		for _, e := range c.Escalations {
			sets.add(e.Name, expandEscalation(e))
		}
		root.add("escalations", sets)
	}
	never := "never"
	if c.SafetyNet.NoNextStep {
		never = "daily"
	}
	root.add("safety_net", block().add("unowned", expandCatch(c.SafetyNet.Unowned)).add("untouched", expandCatch(c.SafetyNet.Untouched)).
		add("no_next_step", text(never)).add("poll_failure", block().add("after", text(written(c.Health.PollFailure))).add("notify", text("admin"))))
	c.expandAgents(root)
	root.add("digests", c.expandDigests()).add("notices", c.expandNotices())
	c.expandMajor(root)
}

func (c *Config) expandMajor(root *node) {
	m := c.Major
	if len(m.Any) == 0 && !m.Burst {
		return
	}
	any := &node{Kind: yaml.SequenceNode}
	for _, one := range m.Any {
		any.Content = append(any.Content, expandTicketMatch(one).yaml())
	}
	if m.Burst {
		burst := block().add("burst", plain("true", "!!bool"))
		burst.Style = yaml.FlowStyle
		any.Content = append(any.Content, burst.yaml())
	}
	n := block().add("when", block().add("any", any))
	if m.Manager.Mail != "" {
		n.add("manager", address(m.Manager))
	}
	root.add("major_incident", n.add("updates", text(written(m.Updates))))
}

func expandTarget(t PriorityTarget) *node {
	n := block()
	n.Style = yaml.FlowStyle
	for _, kind := range []string{"first_response", "next_response", "update", "resolve"} {
		if d := t.Times.of(kind); d > 0 {
			n.add(kind, text(written(d)))
		}
	}
	n.addText("calendar", t.Calendar)
	return n
}

func expandTicketMatch(m TicketMatch) *node {
	n := block()
	n.Style = yaml.FlowStyle
	n.addTexts("priority", m.Priority)
	n.addTexts("impact", m.Impact)
	n.addTexts("urgency", m.Urgency)
	n.addTexts("service_level", m.ServiceLevel)
	n.addTexts("team", m.Team)
	n.addTexts("category", m.Category)
	n.addTexts("tag", m.Tag)
	return n
}

func expandEscalation(e Escalation) *node {
	n := block()
	if !e.Match.IsZero() {
		n.add("match", expandTicketMatch(e.Match))
	}
	for _, kind := range []string{"first_response", "next_response", "update", "resolve", "accept", "time_box", "vendor"} {
		if steps, ok := e.Steps[kind]; ok {
			n.add(kind, expandSteps(steps))
		}
	}
	hours := "defer"
	if e.Send {
		hours = "send"
	}
	return n.add("outside_hours", text(hours))
}

func expandSteps(steps []Step) *node {
	l := &node{Kind: yaml.SequenceNode}
	for _, s := range steps {
		n := block().add("at", text(percent(s.Percent)))
		n.Style = yaml.FlowStyle
		n.addTexts("notify", s.Notify)
		n.addText("do", s.Do)
		if s.Repeat > 0 {
			n.add("repeat", text(written(s.Repeat))).add("max", plain(strconv.Itoa(s.Max), "!!int"))
		}
		l.Content = append(l.Content, n.yaml())
	}
	return l
}

func expandCatch(c Catch) *node {
	n := block().add("after", text(written(c.After)))
	n.Style = yaml.FlowStyle
	n.addTexts("notify", c.Notify)
	return n
}

func percent(n int) string { return strconv.Itoa(n) + "%" }

// expandOLA is what a team has agreed to; nil for nothing.
func expandOLA(o OLA) *node {
	if len(o.Accept)+len(o.TimeBox) == 0 {
		return nil
	}
	n := block()
	n.Style = yaml.FlowStyle
	for _, p := range slices.Sorted(maps.Keys(o.Accept)) {
		key := "accept"
		if p != "" {
			key += "_" + p
		}
		n.add(key, text(written(o.Accept[p])))
	}
	if len(o.TimeBox) > 0 {
		n.add("time_box", expandTimes(o.TimeBox))
	}
	return n
}

func expandTimes(times map[string]time.Duration) *node {
	n := block()
	n.Style = yaml.FlowStyle
	for _, p := range slices.Sorted(maps.Keys(times)) {
		key := p
		if p == "" {
			key = "all"
		}
		n.add(key, text(written(times[p])))
	}
	return n
}
