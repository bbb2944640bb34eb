package config

import (
	"slices"
	"time"
)

// kindKeys are the steps of a set, by kind of clock, in the order of the reference.
func (k *escalationKeys) kinds() []entry[list[stepKeys]] {
	return []entry[list[stepKeys]]{{"first_response", k.FirstResponse.at, k.FirstResponse}, {"next_response", k.NextResponse.at, k.NextResponse},
		{"update", k.Update.at, k.Update}, {"resolve", k.Resolve.at, k.Resolve}, {"accept", k.Accept.at, k.Accept},
		{"time_box", k.TimeBox.at, k.TimeBox}, {"vendor", k.Vendor.at, k.Vendor}}
}

// escalations settles who is told on the way to a deadline.
func (r *resolver) escalations(k *fileKeys) {
	if !k.Escalations.given {
		r.remind(k)
		return
	}
	if k.Remind.given {
		r.report("E02", k.Remind.at, "keep one; supportd config expand prints the full form", "says the same as escalations, which is given too")
	}
	for _, e := range k.Escalations.entries {
		set := Escalation{Name: e.name, Match: r.ticketMatch(e.keys.Match.ticketMatchKeys), Steps: map[string][]Step{}, Send: e.keys.OutsideHours.val == "send"}
		onlyAssignee, any := true, false
		for _, kind := range e.keys.kinds() {
			if !kind.keys.given {
				continue
			}
			var alone bool
			set.Steps[kind.name], alone = r.steps(kind)
			any, onlyAssignee = true, onlyAssignee && alone
			r.neverFires(e, kind)
		}
		switch {
		case !any && r.findingsBelow(e.at) == 0:
			r.report("", e.at, "write resolve: [{at: 100%, notify: team_lead}], or delete it", "has no steps")
		case any && onlyAssignee && r.findingsBelow(e.at) == 0:
			r.warn("W26", e.at, "let a late step go to team or team_lead", "every step goes to the assignee alone: when that person is away, nobody is told")
		}
		if e.name == DefaultSet && !set.Match.IsZero() {
			r.report("E13", e.keys.Match.at, "call the set something else, or delete match", "the set called default is for every ticket that no other set fits")
		}
		if e.name != DefaultSet && set.Match.IsZero() && r.findingsBelow(e.at) == 0 {
			r.report("E13", e.at, "write match: {priority: P1}, or call it default", "does not say which tickets it is for")
		}
		r.cfg.Escalations = append(r.cfg.Escalations, set)
	}
	// The default is tried last, wherever it stands.
	slices.SortStableFunc(r.cfg.Escalations, func(a, b Escalation) int {
		switch {
		case a.Name == b.Name:
			return 0
		case a.Name == DefaultSet:
			return 1
		case b.Name == DefaultSet:
			return -1
		}
		return 0
	})
}

// steps settles the steps on the way of one kind of clock. alone reports whether all of them go to the assignee only.
func (r *resolver) steps(kind entry[list[stepKeys]]) (all []Step, alone bool) {
	alone = true
	last := -1
	for _, s := range kind.keys.items {
		step := Step{Percent: s.At.val, Notify: r.notified(s.Notify), Do: s.Do.val, Repeat: s.Repeat.val, Max: s.Max.val}
		ola := kind.name == "accept" || kind.name == "time_box"
		switch {
		case s.At.given && r.findingsBelow(s.At.at) == 0 && step.Percent <= last:
			r.report("E13", s.At.at, "write the steps by rising percentage, each once", "%d%% stands behind %d%%", step.Percent, last)
		case step.Do != "" && !ola:
			r.report("E13", s.Do.at, "do it at a step of accept or time_box", "%s belongs to what teams have agreed, not to %s", step.Do, kind.name)
		case step.Do == "" && !s.Notify.given && r.findingsBelow(s.at) == 0:
			r.report("", s.at, "write notify: team, or do: propose_handover", "nothing happens at this step")
		case s.Max.given && !s.Repeat.given:
			r.report("", s.Max.at, "write repeat: 4h beside it, or delete it", "nothing is repeated")
		}
		if step.Repeat > 0 && !s.Max.given {
			step.Max = 3
		}
		last = max(last, step.Percent)
		alone = alone && len(step.Notify) == 1 && step.Notify[0] == "assignee"
		all = append(all, step)
	}
	return all, alone
}

// neverFires reports steps on the way to what nobody promised, or that hand over where there is nobody further up.
func (r *resolver) neverFires(set entry[escalationKeys], kind entry[list[stepKeys]]) {
	if !r.promised(kind.name) {
		r.warn("W32", kind.at, "promise it in service_levels, or in ola or respond, or delete the steps", "nobody has promised %s: these steps never happen", kind.name)
	}
	for _, s := range kind.keys.items {
		if s.Do.val != "handover" && s.Do.val != "propose_handover" {
			continue
		}
		for _, t := range r.cfg.Teams {
			named := set.keys.Match.Team
			if t.Tier < 3 || len(t.OLA.TimeBox) == 0 && len(named.items) == 0 {
				continue
			}
			if len(named.items) == 0 || slices.Contains(named.vals(), t.Name) {
				r.report("E13", s.Do.at, "leave the team out of match, or take time_box out of its ola", "team %s is of tier 3: there is nobody to hand its tickets over to", t.Name)
			}
		}
	}
}

// promised reports whether anybody has promised something of that kind.
func (r *resolver) promised(kind string) bool {
	c := r.cfg
	switch kind {
	case "accept":
		return slices.ContainsFunc(c.Teams, func(t Team) bool { return len(t.OLA.Accept) > 0 })
	case "time_box":
		return slices.ContainsFunc(c.Teams, func(t Team) bool { return len(t.OLA.TimeBox) > 0 })
	case "vendor":
		return slices.ContainsFunc(c.Vendors, func(v Vendor) bool { return v.Respond > 0 })
	}
	return slices.ContainsFunc(c.Levels, func(l ServiceLevel) bool {
		return slices.ContainsFunc(l.Targets, func(t PriorityTarget) bool { return t.Times.of(kind) > 0 })
	})
}

// of is the time of one kind of clock.
func (t Times) of(kind string) time.Duration {
	return map[string]time.Duration{"first_response": t.FirstResponse, "next_response": t.NextResponse, "update": t.Update, "resolve": t.Resolve}[kind]
}

// notified settles who is told; each has to be somebody of this desk.
func (r *resolver) notified(k many[string]) []string {
	var all []string
	for _, who := range k.items {
		name, ok := r.staff(who)
		switch {
		case !ok:
			continue
		case name == "team_lead" && !slices.ContainsFunc(r.cfg.Teams, func(t Team) bool { return t.Lead.Mail != "" }):
			r.report("E03", who.at, "name one in teams.NAME.lead, or write team", "no team has a lead")
		case name == "service_manager" && r.cfg.ServiceManager.Mail == "":
			r.report("E03", who.at, "name one in service_manager, or write team_lead", "there is no service manager")
		case name == "on_call" && !slices.ContainsFunc(r.cfg.Teams, func(t Team) bool { return t.OnCall != "" }):
			r.report("E03", who.at, "name one in teams.NAME.on_call, or write team_lead", "no team has anybody on call")
		case slices.Contains(all, name):
			r.report("E02", who.at, "keep one of them", "%q stands here twice", name)
		}
		all = append(all, name)
	}
	return all
}

// remind makes the set of steps of the short form, for all that is promised.
func (r *resolver) remind(k *fileKeys) {
	var steps []Step
	onlyAssignee := k.Remind.given && r.findingsBelow(k.Remind.at) == 0
	for _, s := range k.Remind.steps {
		steps = append(steps, Step{Percent: s.percent, Notify: r.notified(many[string]{items: s.notify})})
		for _, who := range s.notify {
			onlyAssignee = onlyAssignee && who.val == "assignee"
		}
	}
	if onlyAssignee && len(k.Remind.steps) > 0 {
		r.warn("W26", k.Remind.at, "let a late step go to team", "every reminder goes to the assignee alone: when that person is away, nobody is told")
	}
	if k.Remind.given && !k.FirstResponse.given && !k.Resolve.given && !k.ServiceLevels.given {
		r.warn("", k.Remind.at, "write first_response: 4h or resolve: 24h, or delete remind", "there is no target to be reminded of")
	}
	set := Escalation{Name: DefaultSet, Steps: map[string][]Step{}}
	for _, kind := range []string{"first_response", "next_response", "update", "resolve"} {
		if r.promised(kind) {
			set.Steps[kind] = steps
		}
	}
	if r.promised("accept") {
		set.Steps["accept"] = []Step{{Percent: 100, Notify: []string{"team"}}, {Percent: 200, Notify: []string{"team_lead"}}}
	}
	if r.promised("time_box") {
		set.Steps["time_box"] = []Step{{Percent: 100, Notify: []string{"assignee"}, Do: "propose_handover"}}
	}
	if len(set.Steps) > 0 {
		r.cfg.Escalations = []Escalation{set}
	}
}
