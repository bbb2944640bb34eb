package config

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"supportd/tickets"
)

// DefaultSet is the set of steps that stands in for all others.
const DefaultSet = "default"

// promises settles what customers are promised, what teams have agreed, and who is told on the way.
func (r *resolver) promises(k *fileKeys) {
	r.sla(k)
	r.onCall(k)
	if k.ServiceLevels.given {
		r.levels(k)
	} else {
		r.shortLevel(k)
	}
	r.olas(k)
	r.escalations(k)
	r.safetyNet(k)
	r.major(k)
}

// sla settles how promises meet what happens.
func (r *resolver) sla(k *fileKeys) {
	s := SLA{PauseOn: r.unique(k.SLA.PauseOn.items, strings.ToLower), UpgradeGrace: k.SLA.UpgradeGrace.val, WarnCustomer: k.SLA.WarnPromise.val}
	if !k.SLA.PauseOn.given {
		s.PauseOn = []string{"waiting_customer"}
	}
	r.cfg.SLA = s
}

// shortLevel makes the one service level of first_response and resolve, and the one set of steps of remind.
func (r *resolver) shortLevel(k *fileKeys) {
	c := r.cfg
	first, resolve := k.FirstResponse.val, k.Resolve.val
	if resolve > 0 && first >= resolve {
		r.warn("W30", k.FirstResponse.at, "promise the first answer earlier than the solution", "is no shorter than resolve")
	}
	if first+resolve == 0 {
		return
	}
	level := ServiceLevel{Name: ShortLevel, Calendar: c.Calendar}
	for _, p := range priorities() {
		level.Targets = append(level.Targets, PriorityTarget{Priority: p, Times: Times{FirstResponse: first, Resolve: resolve}})
	}
	c.Levels, c.DefaultLevel = []ServiceLevel{level}, ShortLevel
}

func priorities() []string { return []string{"P1", "P2", "P3", "P4", "P5"} }

// all are the keys of the targets, with their priorities.
func (k *targetsKeys) all() []entry[targetKeys] {
	return []entry[targetKeys]{{"P1", k.P1.at, k.P1}, {"P2", k.P2.at, k.P2}, {"P3", k.P3.at, k.P3}, {"P4", k.P4.at, k.P4}, {"P5", k.P5.at, k.P5}}
}

// levels settles the service levels, and which of them is the default.
func (r *resolver) levels(k *fileKeys) {
	c := r.cfg
	for _, short := range []struct {
		at    place
		given bool
	}{{k.FirstResponse.at, k.FirstResponse.given}, {k.Resolve.at, k.Resolve.given}} {
		if short.given {
			r.report("E02", short.at, "keep one; supportd config expand prints the full form", "says the same as service_levels, which is given too")
		}
	}
	names := namesIn(k.ServiceLevels.entries, func(e entry[serviceLevelKeys]) string { return e.name })
	done := map[string]ServiceLevel{}
	var settle func(e entry[serviceLevelKeys], path []string) ServiceLevel
	settle = func(e entry[serviceLevelKeys], path []string) ServiceLevel {
		if l, ok := done[e.name]; ok {
			return l
		}
		l := ServiceLevel{Name: e.name, Calendar: c.Calendar}
		if like := e.keys.Like; like.val != "" {
			i := slices.Index(names, like.val)
			switch {
			case i < 0:
				r.report("E03", like.at, didYouMean(like.val, names), "there is no service level %q", clip(like.val))
			case slices.Contains(path, like.val) || like.val == e.name:
				r.report("E03", like.at, "let one of them say what it promises", "the levels %s are each like the other", strings.Join(append(path, e.name), ", "))
			default:
				base := settle(k.ServiceLevels.entries[i], append(slices.Clone(path), e.name))
				l.Calendar, l.Targets = base.Calendar, slices.Clone(base.Targets)
			}
		}
		if e.keys.Calendar.val != "" && r.knownCalendar(e.keys.Calendar) {
			l.Calendar = e.keys.Calendar.val
		}
		for _, p := range e.keys.Targets.all() {
			if p.keys.given {
				l = l.with(r.target(p))
			}
		}
		if len(l.Targets) == 0 && r.findingsBelow(e.at) == 0 {
			r.report("", e.at, "write targets: {P3: {first_response: 8h}}, or like: with the name of another", "promises nothing")
		}
		done[e.name] = l
		return l
	}
	for _, e := range k.ServiceLevels.entries {
		c.Levels = append(c.Levels, settle(e, nil))
	}
	r.defaultLevel(k)
	r.unusedLevels(k)
}

// with is the level with another target for a priority.
func (l ServiceLevel) with(t PriorityTarget) ServiceLevel {
	l.Targets = slices.DeleteFunc(slices.Clone(l.Targets), func(o PriorityTarget) bool { return o.Priority == t.Priority })
	l.Targets = append(l.Targets, t)
	slices.SortFunc(l.Targets, func(a, b PriorityTarget) int { return cmp.Compare(a.Priority, b.Priority) })
	return l
}

// target settles the promises of one priority.
func (r *resolver) target(e entry[targetKeys]) PriorityTarget {
	k := e.keys
	t := PriorityTarget{Priority: e.name, Times: Times{FirstResponse: k.FirstResponse.val, NextResponse: k.NextResponse.val, Update: k.Update.val, Resolve: k.Resolve.val}}
	if k.Calendar.val != "" && r.knownCalendar(k.Calendar) {
		t.Calendar = k.Calendar.val
	}
	if t.Times == (Times{}) && r.findingsBelow(e.at) == 0 {
		r.report("", e.at, "write first_response: 4h, or delete the priority", "promises nothing")
	}
	if t.Times.Resolve > 0 && t.Times.FirstResponse >= t.Times.Resolve {
		r.warn("W30", k.FirstResponse.at, "promise the first answer earlier than the solution", "is no shorter than resolve")
	}
	return t
}

func (r *resolver) knownCalendar(k opt[string]) bool {
	known := r.cfg.calendarNames()
	if !slices.Contains(known, k.val) {
		r.report("E03", k.at, didYouMean(k.val, known), "there is no calendar %q", clip(k.val))
		return false
	}
	return true
}

// defaultLevel finds the level of customers who have none.
func (r *resolver) defaultLevel(k *fileKeys) {
	c := r.cfg
	var named []entry[serviceLevelKeys]
	for _, e := range k.ServiceLevels.entries {
		if e.keys.Default.val {
			named = append(named, e)
		}
	}
	switch {
	case len(named) > 1:
		r.report("E02", named[1].keys.Default.at, "keep one of them", "%s is the default already", named[0].name)
	case len(named) == 1:
		c.DefaultLevel = named[0].name
	case len(c.Levels) == 1:
		c.DefaultLevel = c.Levels[0].Name
	case slices.ContainsFunc(c.Levels, func(l ServiceLevel) bool { return l.Name == ShortLevel }):
		c.DefaultLevel = ShortLevel
	case len(c.Levels) > 0:
		r.report("E03", k.ServiceLevels.at, "write default: true in one of them", "none of the levels is the default, so most customers would have none")
	}
}

// unusedLevels compares the levels with those that customers have.
func (r *resolver) unusedLevels(k *fileKeys) {
	c := r.cfg
	used := map[string]bool{c.DefaultLevel: true}
	for _, customer := range c.Customers {
		used[customer.ServiceLevel] = true
	}
	for _, e := range k.ServiceLevels.entries {
		used[e.keys.Like.val] = true
	}
	for _, e := range k.ServiceLevels.entries {
		if !used[e.name] {
			r.warn("W27", e.at, "give it to a customer in the column service_level, or delete it", "no customer has the service level %s", e.name)
		}
	}
}

// olas settles what the teams have agreed to.
func (r *resolver) olas(k *fileKeys) {
	var names []string
	for _, o := range r.cfg.OnCall {
		names = append(names, o.Name)
	}
	for _, e := range k.Teams.entries {
		i := slices.IndexFunc(r.cfg.Teams, func(t Team) bool { return t.Name == e.name })
		if i < 0 {
			continue
		}
		t := &r.cfg.Teams[i]
		o := e.keys.OLA
		t.OLA.Accept = byPriority(o.Accept, o.AcceptP1, o.AcceptP2, o.AcceptP3, o.AcceptP4, o.AcceptP5)
		t.OLA.TimeBox = byPriority(o.TimeBox.All, o.TimeBox.P1, o.TimeBox.P2, o.TimeBox.P3, o.TimeBox.P4, o.TimeBox.P5)
		t.Restricted = e.keys.Restricted.val
		if who := e.keys.OnCall; who.val != "" {
			if t.OnCall = who.val; !slices.Contains(names, who.val) {
				r.report("E03", who.at, didYouMean(who.val, names), "nobody is called %q in on_call", clip(who.val))
			}
		}
	}
}

// byPriority are the times that are given; those of all priorities stand under "".
func byPriority(all opt[time.Duration], each ...opt[time.Duration]) map[string]time.Duration {
	var times map[string]time.Duration
	for i, o := range append([]opt[time.Duration]{all}, each...) {
		if !o.given || o.val <= 0 {
			continue
		}
		if times == nil {
			times = map[string]time.Duration{}
		}
		times[append([]string{""}, priorities()...)[i]] = o.val
	}
	return times
}

// onCall settles who is called.
func (r *resolver) onCall(k *fileKeys) {
	for _, e := range k.OnCall.entries {
		o := OnCall{Name: e.name, Rotate: e.keys.Rotate.val, AlsoTo: e.keys.AlsoTo.val}
		if from := e.keys.From; from.given {
			o.From = time.Date(from.val.Year(), from.val.Month(), from.val.Day(), from.val.Hour(), from.val.Minute(), 0, 0, r.cfg.Zone)
		} else if len(e.keys.Members.items) > 1 && o.Rotate != "never" {
			r.report("", e.at, "write from: \"2026-11-23 08:00\"", "does not say when the first turn began")
		}
		for _, m := range e.keys.Members.items {
			a, ok := r.person(m)
			switch {
			case !ok:
			case !r.isStaff(bare(a)):
				r.report("E03", m.at, "name one of the staff", "%s is nobody of this desk", bare(a))
			case slices.ContainsFunc(o.Members, func(o tickets.Address) bool { return bare(o) == bare(a) }):
				r.report("E02", m.at, "keep one of them", "%s stands here twice", bare(a))
			case strings.Contains(o.AlsoTo, mobileVariable) && r.mobile(bare(a)) == "":
				r.report("E03", m.at, "write their number into the column mobile of people", "%s has no mobile number", bare(a))
			default:
				o.Members = append(o.Members, a)
			}
		}
		r.cfg.OnCall = append(r.cfg.OnCall, o)
	}
}

func (r *resolver) mobile(address string) string {
	for _, p := range r.cfg.People {
		if p.Mail == address {
			return p.Mobile
		}
	}
	return ""
}

// safetyNet settles what is caught when no clock catches it.
func (r *resolver) safetyNet(k *fileKeys) {
	s, lead := k.SafetyNet, "team_lead"
	if !slices.ContainsFunc(r.cfg.Teams, func(t Team) bool { return t.Lead.Mail != "" }) {
		lead = "team"
	}
	mesh := func(c catchKeys, after time.Duration, notify ...string) Catch {
		if !c.given {
			return Catch{after, notify}
		}
		if to := r.notified(c.Notify); len(to) > 0 {
			return Catch{c.After.val, to}
		}
		return Catch{c.After.val, []string{lead}}
	}
	r.cfg.SafetyNet = SafetyNet{Unowned: mesh(s.Unowned, 2*time.Hour, lead), Untouched: mesh(s.Untouched, 40*time.Hour, "assignee", lead),
		NoNextStep: s.NoNextStep.val == "daily"}
}

// major settles which tickets concern many.
func (r *resolver) major(k *fileKeys) {
	m := k.Major
	if !m.given {
		return
	}
	to := MajorIncident{Updates: m.Updates.val, Manager: r.cfg.ServiceManager}
	if a, ok := r.person(m.Manager); ok && m.Manager.given {
		to.Manager = a
	}
	if one := r.ticketMatch(m.When.ticketMatchKeys); !one.IsZero() {
		to.Any = append(to.Any, one)
	}
	for _, any := range m.When.Any.items {
		one := r.ticketMatch(any.ticketMatchKeys)
		if any.Burst.given && !one.IsZero() {
			r.report("", any.Burst.at, "make it an entry of its own: {burst: true}", "stands beside other conditions: a burst is one by itself")
		}
		if any.Burst.given {
			to.Burst = to.Burst || any.Burst.val
		} else if one.IsZero() {
			r.report("", any.at, "write such as priority: P1", "is an empty condition")
		}
		if !one.IsZero() {
			to.Any = append(to.Any, one)
		}
	}
	if len(to.Any) == 0 && r.findingsBelow(m.When.at) == 0 && !m.When.Any.given {
		r.report("", m.When.at, "write such as priority: P1", "is an empty condition")
	}
	r.cfg.Major = to
}

// ticketMatch settles which tickets are meant; every name has to be known.
func (r *resolver) ticketMatch(k ticketMatchKeys) TicketMatch {
	same := func(s string) string { return s }
	known := func(m many[string], names []string, what string) []string {
		for _, item := range m.items {
			if !slices.Contains(names, item.val) {
				r.report("E03", item.at, didYouMean(item.val, names), "there is no %s %q", what, clip(item.val))
			}
		}
		return r.unique(m.items, same)
	}
	return TicketMatch{
		Priority: r.unique(k.Priority.items, same), Impact: r.unique(k.Impact.items, same), Urgency: r.unique(k.Urgency.items, same),
		ServiceLevel: known(k.ServiceLevel, namesIn(r.cfg.Levels, func(l ServiceLevel) string { return l.Name }), "service level"),
		Team:         known(k.Team, namesIn(r.cfg.Teams, func(t Team) string { return t.Name }), "team"),
		Category:     r.unique(k.Category.items, same), Tag: r.unique(k.Tag.items, same),
	}
}
