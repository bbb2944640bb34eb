package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"supportd/tickets/clock"
)

// Hierarchical escalation: who is told, or asked, when a part of a promised time is used up (S27–S33). What is due is
// found by the clock alone, so that it happens once whatever the machine was doing then; who is meant is found when it
// happens.

// Escalation is a set of steps.
type Escalation struct {
	Name string
	// Match reports whether the set is meant for a ticket; nil: for every one.
	Match func(*Ticket) bool
	Steps map[clock.Kind][]Step // ascending; a kind that is not in it is left to the sets behind
	// Send tells people outside their working time too. Otherwise they are told when it begins.
	Send bool
}

// Step is what happens at a share of the target.
type Step struct {
	Percent int
	Notify  []string // assignee, owner, team, team_lead, service_manager, on_call, watchers, admin or an address
	Do      string   // "", return_to_owner, propose_handover or handover
	Repeat  time.Duration
	Max     int // how often it is repeated
}

// What a step can do beside telling people.
const (
	DoReturn   = "return_to_owner"  // the ticket goes back to the team of its owner
	DoPropose  = "propose_handover" // whoever works on it is asked to hand it over
	DoHandOver = "handover"         // it is handed over to the next tier
)

// OnCall is who is called when nobody works.
type OnCall struct {
	Name    string
	Members []string // lower-case addresses, in turn
	From    time.Time
	Every   time.Duration // how long a turn is, of 24-hour days in Zone
	Zone    *time.Location
	// AlsoTo gives a further address for tickets of the highest priority, such as that of a text message; nil or "": none.
	AlsoTo func(address string) string
}

// On returns who is on call at an instant; "" when nobody is.
func (o OnCall) On(at time.Time) string {
	if len(o.Members) == 0 {
		return ""
	}
	days := int(o.Every / (24 * time.Hour))
	if days < 1 || at.Before(o.From) {
		return o.Members[0]
	}
	from, now := o.From.In(o.Zone), at.In(o.Zone)
	turn := 0 // the clock on the wall decides when a turn ends, also over a change to summer time
	if n := int(now.Sub(from)/(24*time.Hour))/days - 1; n > 0 {
		turn = n
	}
	for !from.AddDate(0, 0, (turn+1)*days).After(now) {
		turn++
	}
	return o.Members[turn%len(o.Members)]
}

// steps are those that hold for a ticket's clock, and the set that they are of.
func (r *Rules) steps(t *Ticket, kind clock.Kind) (Escalation, []Step) {
	for _, set := range r.Escalations {
		if steps, ok := set.Steps[kind]; ok && (set.Match == nil || set.Match(t)) {
			return set, steps
		}
	}
	if kind == clock.Vendor {
		return Escalation{Name: "vendor"}, r.VendorRemind
	}
	return Escalation{}, nil
}

func stepName(set Escalation, s Step) string { return set.Name + "/" + strconv.Itoa(s.Percent) }

// stepDue is when a step happens for the n-th time (0: the first), if the clock runs on.
func stepDue(c Clock, h Calendar, s Step, n int, now time.Time) time.Time {
	return c.When(h, c.Share(s.Percent)+time.Duration(n)*s.Repeat, now)
}

// passed is how often a step has happened or should have, by now.
func passed(c Clock, h Calendar, s Step, now time.Time) int {
	if stepDue(c, h, s, 0, now).After(now) {
		return 0
	}
	if s.Repeat <= 0 {
		return 1
	}
	n := int((c.Used(h, now) - c.Share(s.Percent)) / s.Repeat)
	n = max(0, min(n, s.Max))
	for n < s.Max && !stepDue(c, h, s, n+1, now).After(now) {
		n++
	}
	for n > 0 && stepDue(c, h, s, n, now).After(now) {
		n--
	}
	return n + 1
}

// settledBy reports whether a step waits no more: somebody who was told has acted. That ends all steps about acceptance,
// and the repeats of the others (S32).
func settledBy(c Clock, s Step, before clock.Step) bool {
	if c.Acked.IsZero() {
		return false
	}
	return c.Kind == clock.Accept || before.Times > 0 && !before.At.After(c.Acked)
}

// nextStep is when the next step of a running clock happens; zero: none will.
func (r *Rules) nextStep(t *Ticket, c Clock, now time.Time) time.Time {
	if !c.Running() || c.Target <= 0 {
		return time.Time{}
	}
	h := r.Hours(c)
	set, steps := r.steps(t, c.Kind)
	var next time.Time
	for _, s := range steps {
		before := c.Fired(stepName(set, s))
		if before.Times > 0 && (s.Repeat <= 0 || before.Times > s.Max) || settledBy(c, s, before) {
			continue
		}
		if at := stepDue(c, h, s, before.Times, now); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// firing is one step that is due.
type firing struct {
	set   Escalation
	step  Step
	times int
}

// due lists the steps of a clock that should have happened by now and have not.
func (r *Rules) due(t *Ticket, c Clock, now time.Time) []firing {
	if !c.Running() || c.Target <= 0 {
		return nil
	}
	h := r.Hours(c)
	set, steps := r.steps(t, c.Kind)
	var all []firing
	for _, s := range steps {
		before := c.Fired(stepName(set, s))
		if n := passed(c, h, s, now); n > before.Times && !settledBy(c, s, before) {
			all = append(all, firing{set, s, n})
		}
	}
	return all
}

// describe is "resolve: 100 %", with the set that it is of when that is not the usual one.
func (f firing) describe(c Clock) string {
	what := fmt.Sprintf("%s: %d %%", c.Kind, f.step.Percent)
	if f.times > 1 {
		what += fmt.Sprintf(", time %d", f.times)
	}
	if f.set.Name != usualSet {
		what += " (" + f.set.Name + ")"
	}
	return what
}

// usualSet is the set of steps that stands in for all others.
const usualSet = "default"

// escalate does what the clocks of a ticket ask for, all of it at once: whatever fell due since it was last looked at
// is one mail to each person (S-173).
func (d *decider) escalate() {
	t := d.out.Ticket
	e := Entry{Kind: EntryClock, Actor: Actor{Kind: ActorTimer, Name: "clock"}}
	told := notices{}
	var details []string
	var act []string
	for _, c := range t.Clocks {
		fired := d.r.due(t, c, d.now)
		if len(fired) == 0 {
			continue
		}
		before, line := formatJSON(c), d.clockLine(c, fired[len(fired)-1])
		for _, f := range fired {
			c = c.Fire(stepName(f.set, f.step), f.times, d.now)
			details = append(details, f.describe(c))
			for _, name := range f.step.Notify {
				found, instead := d.resolve(name)
				if instead != "" {
					details = append(details, fmt.Sprintf("nobody is %s: %s is told", name, instead))
				}
				told.add(found, line, f.set.Send || name == "on_call")
			}
			if f.step.Do != "" && !slices.Contains(act, f.step.Do) {
				act = append(act, f.step.Do)
			}
		}
		e.Actor.Name = string(c.Kind)
		e.Changes = append(e.Changes, Change{Field: fieldClock, Before: before, After: formatJSON(c)})
	}
	if len(details) == 0 {
		return
	}
	e.Detail, e.To = strings.Join(details, "; "), told.people()
	d.entry(e)
	for _, do := range act {
		told = d.act(do, told)
	}
	d.send(told)
}

// clockLine says how a clock stands.
func (d *decider) clockLine(c Clock, f firing) Line {
	h, due := d.r.Hours(c), d.r.Deadline(c, d.now)
	if !d.now.Before(due) {
		return Line{Key: "clock.breach", Args: map[string]string{"clock": string(c.Kind), "due": formatTime(due),
			"over": h.Between(due, d.now).Round(time.Minute).String()}}
	}
	return Line{Key: "clock.warning", Args: map[string]string{"clock": string(c.Kind), "percent": strconv.Itoa(f.step.Percent),
		"left": h.Between(d.now, due).Round(time.Minute).String(), "due": formatTime(due)}}
}

// resolve says who a recipient is now. When nobody is, the next higher one is taken, and instead says who (S30).
func (d *decider) resolve(name string) (found []string, instead string) {
	ladder := []string{"assignee", "team", "team_lead", "service_manager", "admin"}
	if found = d.recipient(name); len(found) > 0 {
		return found, ""
	}
	for _, higher := range ladder[slices.Index(ladder, name)+1:] {
		if found = d.recipient(higher); len(found) > 0 {
			return found, higher
		}
	}
	return nil, ""
}

// recipient resolves one name; none when nobody is it.
func (d *decider) recipient(name string) []string {
	t := d.out.Ticket
	one := func(address string) []string {
		if address == "" {
			return nil
		}
		return []string{strings.ToLower(address)}
	}
	switch name {
	case "assignee":
		if _, ok := d.r.agent(t.Assignee); ok {
			return one(t.Assignee)
		}
		return nil
	case "owner":
		if _, ok := d.r.agent(t.Owner); ok {
			return one(t.Owner)
		}
		return d.audience()
	case "team":
		return d.team()
	case "team_lead":
		return one(d.r.Teams[t.Team].Lead)
	case "service_manager":
		return one(d.r.ServiceManager)
	case "admin":
		return one(d.r.Admin)
	case "watchers":
		return t.Watchers
	case "on_call":
		return d.onCall()
	}
	return one(name)
}

// onCall is who is called for the ticket's team now, with the further address for what is most urgent.
func (d *decider) onCall() []string {
	o, ok := d.r.OnCall[d.r.Teams[d.out.Ticket.Team].OnCall]
	who := o.On(d.now)
	if !ok || who == "" {
		return nil
	}
	if o.AlsoTo != nil && d.out.Ticket.Priority == topPriority {
		if also := o.AlsoTo(who); also != "" {
			return []string{who, also}
		}
	}
	return []string{who}
}

// recipients resolves names, each person once.
func (d *decider) recipients(names []string) []string {
	var to []string
	for _, name := range names {
		found, _ := d.resolve(name)
		for _, a := range found {
			if !slices.Contains(to, a) {
				to = append(to, a)
			}
		}
	}
	return to
}

// notice is what one person is told of a ticket.
type notice struct {
	to    string
	lines []Line
	now   bool // also outside their working time
}

type notices []notice

func (n *notices) add(people []string, l Line, now bool) {
	for _, p := range people {
		i := slices.IndexFunc(*n, func(o notice) bool { return o.to == p })
		if i < 0 {
			*n = append(*n, notice{to: p})
			i = len(*n) - 1
		}
		one := &(*n)[i]
		one.now = one.now || now
		if !slices.ContainsFunc(one.lines, func(o Line) bool { return formatJSON(o) == formatJSON(l) }) {
			one.lines = append(one.lines, l)
		}
	}
}

func (n notices) people() []string {
	var all []string
	for _, o := range n {
		all = append(all, o.to)
	}
	return all
}

// send tells people how the ticket's clocks stand.
func (d *decider) send(list notices) { d.sendAs(TemplateEscalation, list) }

// sendAs tells people of the ticket: at once, or when their working time begins (S31).
func (d *decider) sendAs(template string, list notices) {
	t := d.out.Ticket
	for _, n := range list {
		if at := d.r.opens(n.to, d.now); !n.now && at.After(d.now) {
			d.out.Postponed = append(d.out.Postponed, Postponed{To: n.to, At: at, Ticket: t.ID, Lines: n.lines})
			continue
		}
		d.tell([]string{n.to}, template, PurposeAnswer, false, func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt = t.LastCustomer, t.Requester.Mail, t.Created
			v.Lines = n.lines
		})
		if t.Priority == topPriority {
			d.out.Mails[len(d.out.Mails)-1].Important = true
		}
	}
}

// opens is when a person next works: now, or the begin of the working time of one of their teams.
func (r *Rules) opens(address string, now time.Time) time.Time {
	var first time.Time
	for _, name := range sortedTeams(r) {
		team := r.Teams[name]
		if !slices.Contains(team.Members, address) && team.Lead != address && team.Address != address {
			continue
		}
		if at := opening(r.teamHours(name), now); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if first.IsZero() {
		return opening(r.calendar(""), now)
	}
	return first
}

// opening is the first instant of working time from now on.
func opening(h Calendar, now time.Time) time.Time {
	return h.Add(now, time.Nanosecond).Add(-time.Nanosecond).UTC()
}

func sortedTeams(r *Rules) []string {
	var names []string
	for name := range r.Teams {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// act does what a step asks for beside telling people, and returns whom to tell still.
func (d *decider) act(do string, told notices) notices {
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorTimer, Name: do}}
	switch do {
	case DoPropose:
		if !d.proposeHandover(&e, told) {
			d.sendAs(TemplateTimeBox, told)
			return nil
		}
		told = nil
	case DoHandOver:
		if !d.handOverByTimer(&e) {
			return told
		}
	case DoReturn:
		if !d.returnToOwner(&e) {
			return told
		}
	default:
		return told
	}
	d.entry(e)
	return told
}
