package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"supportd/tickets"
)

// disagreement is one value in which two configurations decide about the same message differently.
type disagreement struct {
	What string `json:"what"` // result, team, route, category, …, due:CLOCK, mail:NAME
	Old  string `json:"old"`
	New  string `json:"new"`
}

// compareDecisions lists in what two decisions about the same message differ, always in the same order.
func compareDecisions(a, b tickets.Decision) []disagreement {
	var list []disagreement
	add := func(what, old, new string) {
		if old != new {
			list = append(list, disagreement{what, old, new})
		}
	}
	add("result", string(a.Result), string(b.Result))
	if a.New || b.New {
		x, y := newTicket(a), newTicket(b)
		add("team", x.Team, y.Team)
		add("route", routeOf(a), routeOf(b))
		add("category", a.Verdict.Category.Name, b.Verdict.Category.Name)
		add("ci", a.Verdict.CI, b.Verdict.CI)
		add("impact", a.Verdict.Impact, b.Verdict.Impact)
		add("urgency", a.Verdict.Urgency, b.Verdict.Urgency)
		add("priority", a.Verdict.Priority, b.Verdict.Priority)
		due, other := deadlines(x), deadlines(y)
		for _, kind := range sortedUnion(due, other) {
			add("due:"+kind, formatDue(due[kind]), formatDue(other[kind]))
		}
	}
	add("rules", strings.Join(a.Verdict.Rules, " "), strings.Join(b.Verdict.Rules, " "))
	sent, other := automaticMails(a), automaticMails(b)
	for _, name := range sortedUnion(sent, other) {
		add("mail:"+name, fmt.Sprint(sent[name]), fmt.Sprint(other[name]))
	}
	return list
}

// newTicket is the ticket that a decision opens; an empty one when it opens none.
func newTicket(d tickets.Decision) *tickets.Ticket {
	if d.New && d.Ticket != nil {
		return d.Ticket
	}
	return &tickets.Ticket{}
}

// routeOf is the name of the deepest route that was entered.
func routeOf(d tickets.Decision) string {
	if n := len(d.Verdict.Route); d.New && n > 0 {
		return d.Verdict.Route[n-1]
	}
	return ""
}

func deadlines(t *tickets.Ticket) map[string]time.Time {
	due := map[string]time.Time{}
	for _, c := range t.Clocks {
		due[string(c.Kind)] = c.Due
	}
	return due
}

func formatDue(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// automaticMails counts what the desk would send by itself, by template; automatic answers go by their own names.
func automaticMails(d tickets.Decision) map[string]int {
	count := map[string]int{}
	for _, m := range d.Mails {
		name := m.Template
		if m.Template == tickets.TemplateAutoAnswer {
			name += " " + d.Verdict.AutoAnswer
		}
		count[name]++
	}
	return count
}

func sortedUnion[V any](a, b map[string]V) []string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}
