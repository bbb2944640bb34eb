package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// dayEnd is 24:00 in minutes, a real time of day here and not 23:59.
const dayEnd = 24 * 60

// allDay is what 24/7 means for each day.
var allDay = Interval{From: 0, To: dayEnd}

// hoursKeys is a week.
type hoursKeys struct {
	at    place
	given bool
	week  map[time.Weekday][]Interval
}

func (h *hoursKeys) read(d *decoder, n *yaml.Node, at place, _ reflect.StructTag) {
	h.at, h.given, h.week = at, true, map[time.Weekday][]Interval{}
	if n.Kind == yaml.ScalarNode && n.Value == "24/7" {
		h.week = always()
		return
	}
	from := map[time.Weekday]string{}
	d.mapping(n, at, `hours by day such as {mo-fr: "08:00-17:00"}, or 24/7`, func(name string, kat place, kn *yaml.Node) {
		days, ok := weekdays(name)
		if !ok {
			d.report("", kat, "write mo, tu, we, th, fr, sa, su, or mo, di, mi, do, fr, sa, so, or a span such as mo-fr", "%q is not a day of the week", clip(name))
			return
		}
		intervals, ok := d.intervals(kn, kat)
		if !ok {
			return
		}
		for _, day := range days {
			if other, twice := from[day]; twice {
				d.report("E10", kat, "name each day once", "%s has hours already, from %q", strings.ToLower(day.String()), other)
				return
			}
			from[day] = name
			if len(intervals) > 0 {
				h.week[day] = intervals
			}
		}
	})
	if len(h.week) == 0 && d.findingsBelow(at) == 0 {
		d.report("E10", at, "name at least one day with hours", "there is no working time")
	}
}

func (h *hoursKeys) absent(_ *decoder, at place, _ reflect.StructTag) { h.at, h.week = at, always() }

func always() map[time.Weekday][]Interval {
	week := map[time.Weekday][]Interval{}
	for day := time.Sunday; day <= time.Saturday; day++ {
		week[day] = []Interval{allDay}
	}
	return week
}

// findingsBelow counts the errors at a key or below it.
func (d *decoder) findingsBelow(at place) int {
	n := 0
	for _, f := range d.findings {
		if !f.Warning && strings.HasPrefix(f.Path, at.path) {
			n++
		}
	}
	return n
}

// weekdays reads mo, mo-fr and the like, in English and German; spans may run over the end of the week.
func weekdays(s string) ([]time.Weekday, bool) {
	names := map[string]time.Weekday{"mo": 1, "tu": 2, "we": 3, "th": 4, "fr": 5, "sa": 6, "su": 0, "di": 2, "mi": 3, "do": 4, "so": 0}
	from, to, span := strings.Cut(strings.ToLower(s), "-")
	first, ok := names[strings.TrimSpace(from)]
	if !ok || !span {
		return []time.Weekday{first}, ok
	}
	last, ok := names[strings.TrimSpace(to)]
	days := []time.Weekday{first}
	for day := first; ok && day != last; {
		day = (day + 1) % 7
		days = append(days, day)
	}
	return days, ok
}

// intervals reads one interval, a list of them, or closed (no intervals), sorted.
func (d *decoder) intervals(n *yaml.Node, at place) ([]Interval, bool) {
	n, ok := d.enter(n, at)
	if !ok {
		return nil, false
	}
	if n.Kind == yaml.ScalarNode && n.Value == "closed" {
		return nil, true
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	if len(items) == 0 {
		d.report("E10", at, "write closed if nobody works then", "is an empty list")
		return nil, false
	}
	var all []Interval
	for i, item := range items {
		iat := at
		if n.Kind == yaml.SequenceNode {
			iat = at.item(i, item)
		}
		iv, good := d.interval(item, iat)
		if ok = ok && good; !good {
			continue
		}
		for _, other := range all {
			if iv.From < other.To && other.From < iv.To {
				d.report("E10", iat, "keep the one that is right", "%s overlaps %s", iv, other)
				ok = false
			}
		}
		all = append(all, iv)
	}
	slices.SortFunc(all, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	return all, ok
}

func (d *decoder) interval(n *yaml.Node, at place) (Interval, bool) {
	const want = `wants hours such as "08:00-17:00"`
	n, ok := d.enter(n, at)
	if !ok {
		return Interval{}, false
	}
	if n.Kind != yaml.ScalarNode {
		d.report("", at, "", "%s, got %s", want, describe(n))
		return Interval{}, false
	}
	from, to, cut := strings.Cut(n.Value, "-")
	a, okA := minutes(strings.TrimSpace(from))
	b, okB := minutes(strings.TrimSpace(to))
	switch {
	case !cut || !okA || !okB:
		d.report("E10", at, "write both times as hh:mm", "%s, got %s", want, describe(n))
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0:
		d.report("", at, fmt.Sprintf("write \"%s\"", n.Value), "times of day stand in quotes, as YAML reads some of them as numbers")
	case a == b:
		d.report("E10", at, "write \"00:00-24:00\" for the whole day, or closed", "%s is empty", n.Value)
	case a > b:
		d.report("E10", at, "write the part after midnight with the next day", "%s ends before it begins", n.Value)
	default:
		return Interval{From: a, To: b}, true
	}
	return Interval{}, false
}

// minutes reads hh:mm up to 24:00.
func minutes(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	return h*60 + m, m < 60 && h*60+m <= dayEnd
}

// daysKeys are dated exceptions.
type daysKeys struct {
	at    place
	given bool
	days  []Override
}

func (k *daysKeys) read(d *decoder, n *yaml.Node, at place, _ reflect.StructTag) {
	k.at, k.given = at, true
	d.mapping(n, at, `days such as {"12-24": closed}`, func(name string, kat place, kn *yaml.Node) {
		from, to, span := strings.Cut(name, "..")
		if !span {
			to = from
		}
		switch {
		case !isDay(from) || !isDay(to) || len(from) != len(to):
			d.report("E10", kat, `write "12-24" for every year, "2026-12-24" for one, "2026-12-28..2027-01-01" for a span`, "%q is not a day", clip(name))
			return
		case to < from && len(from) == len(time.DateOnly):
			d.report("E10", kat, "write the earlier day first", "%s ends before it begins", name)
			return
		}
		if intervals, ok := d.intervals(kn, kat); ok {
			k.days = append(k.days, Override{From: from, To: to, Hours: intervals})
		}
	})
}

func (k *daysKeys) absent(_ *decoder, at place, _ reflect.StructTag) { k.at = at }

// isDay accepts 2026-12-24 and 12-24.
func isDay(s string) bool {
	if len(s) == len("12-24") {
		s = "2028-" + s // a leap year, so that 02-29 is a day
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// remindKeys says who is told at which part of a target.
type remindKeys struct {
	at    place
	given bool
	steps []remindStep
}

type remindStep struct {
	at      place
	percent int
	notify  []opt[string]
}

// Who can be told of a deadline, beside plain addresses.
var recipients = []string{"assignee", "owner", "team", "team_lead", "service_manager", "on_call", "watchers", "admin"}

// percentMap is what remind wants.
const percentMap = "a map such as {75%: assignee, 100%: team}"

// maxPercent is the largest part of a target at which something can happen.
const maxPercent = 400

func (k *remindKeys) read(d *decoder, n *yaml.Node, at place, _ reflect.StructTag) {
	k.at, k.given = at, true
	seen := map[int]bool{}
	d.mapping(n, at, percentMap, func(name string, kat place, kn *yaml.Node) {
		step := remindStep{at: kat}
		number, isPercent := strings.CutSuffix(name, "%")
		v, err := parseInt(number)
		if err != nil || !isPercent {
			d.report("", kat, "write such as 75%", "%q is not a percentage", clip(name))
			return
		}
		if step.percent = v.(int); step.percent < 0 || step.percent > maxPercent {
			d.report("E13", kat, "write a number from 0% to 400%", "%s of a target is never reached", clip(name))
			return
		}
		if seen[step.percent] {
			d.report("E02", kat, "name everybody in one list", "%d%% stands here twice", step.percent)
			return
		}
		seen[step.percent] = true
		step.notify = d.recipients(kn, kat)
		k.steps = append(k.steps, step)
	})
	slices.SortStableFunc(k.steps, func(a, b remindStep) int { return cmp.Compare(a.percent, b.percent) })
}

func (k *remindKeys) absent(_ *decoder, at place, _ reflect.StructTag) {
	k.at = at
	k.steps = []remindStep{
		{at: at, percent: 75, notify: []opt[string]{{at: at, val: "assignee"}}},
		{at: at, percent: 100, notify: []opt[string]{{at: at, val: "team"}}},
	}
}

// recipients reads one or several words or addresses.
func (d *decoder) recipients(n *yaml.Node, at place) []opt[string] {
	n, ok := d.enter(n, at)
	if !ok {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	if len(items) == 0 {
		d.report("", at, "name at least one or delete the step", "is an empty list")
	}
	var all []opt[string]
	for i, item := range items {
		iat := at
		if n.Kind == yaml.SequenceNode {
			iat = at.item(i, item)
		}
		item, ok := d.enter(item, iat)
		switch {
		case !ok:
		case item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str":
			d.report("", iat, "", "wants %s or an address, got %s", orList(recipients), describe(item))
		case slices.Contains(recipients, item.Value):
			all = append(all, opt[string]{at: iat, given: true, val: item.Value})
		case strings.Contains(item.Value, "@"):
			a, err := parseAddress(item.Value)
			if err != nil {
				d.report("", iat, "write name@domain", "%s", err)
				continue
			}
			all = append(all, opt[string]{at: iat, given: true, val: bare(a)})
		case isName(item.Value) && nearest(item.Value, recipients) == "":
			all = append(all, opt[string]{at: iat, given: true, val: item.Value})
		default:
			d.report("E03", iat, didYouMean(item.Value, recipients), "nobody is called %q", clip(item.Value))
		}
	}
	return all
}
