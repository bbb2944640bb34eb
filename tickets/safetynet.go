package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The safety net catches tickets that no clock catches: those that nobody has, that nobody touches, and that wait for
// nothing.

// SafetyNet says what is caught. Times are working time of the ticket's team; 0 catches nothing.
type SafetyNet struct {
	Unowned   Catch // nobody has it
	Untouched Catch // nobody has done anything
	// NoNextStep: once a day, tickets that nobody has and in which no clock runs.
	NoNextStep bool
}

// Catch is one mesh of the net.
type Catch struct {
	After  time.Duration
	Notify []string
}

// DefaultSafetyNet is what holds when nothing is said.
func DefaultSafetyNet() SafetyNet {
	return SafetyNet{Unowned: Catch{2 * time.Hour, []string{"team_lead"}}, Untouched: Catch{40 * time.Hour, []string{"assignee", "team_lead"}}, NoNextStep: true}
}

// The meshes, as they are named in timers and on the ticket.
const (
	safetyUnowned   = "unowned"
	safetyUntouched = "untouched"
	safetyNextStep  = "no_next_step"
)

// mesh is one thing that a ticket may be caught by.
type mesh struct {
	name   string
	since  time.Time // what is wrong is so since then
	at     time.Time // when somebody is told
	notify []string
}

// meshes lists what a ticket will be caught by if nothing happens.
func (r *Rules) meshes(t *Ticket, now time.Time) []mesh {
	if t.State != StateNew && t.State != StateOpen && t.State != StateHandedOver {
		return nil
	}
	var list []mesh
	h := r.teamHours(t.Team)
	net := r.SafetyNet
	idle := latest(t.Touched, t.Created)
	free := latest(t.StateSince, t.FreeSince)
	if t.Assignee == "" && net.Unowned.After > 0 {
		list = append(list, mesh{safetyUnowned, free, h.Add(free, net.Unowned.After), net.Unowned.Notify})
	}
	if net.Untouched.After > 0 {
		list = append(list, mesh{safetyUntouched, idle, h.Add(idle, net.Untouched.After), net.Untouched.Notify})
	}
	if t.Assignee == "" && net.NoNextStep && !slices.ContainsFunc(t.Clocks, func(c Clock) bool { return c.Running() && c.Target > 0 }) {
		since := free
		if told, ok := t.Caught[safetyNextStep]; ok && !told.Before(since) {
			since = told
		}
		list = append(list, mesh{safetyNextStep, since, opening(h, since.Add(24*time.Hour)), []string{"team_lead"}})
	}
	return slices.DeleteFunc(list, func(m mesh) bool {
		told, ok := t.Caught[m.name]
		return ok && m.name != safetyNextStep && !told.Before(m.since)
	})
}

func safetyTimers(t *Ticket, r *Rules, now time.Time) (list []timer) {
	for _, m := range r.meshes(t, now) {
		list = append(list, timer{m.at.UTC(), "safety " + m.name})
	}
	return list
}

// safety tells people of a ticket that was caught, once for each time that it comes to be so.
func (d *decider) safety(kind string) {
	t := d.out.Ticket
	name := strings.TrimPrefix(kind, "safety ")
	for _, m := range d.r.meshes(t, d.now) {
		if m.name != name || m.at.After(d.now) {
			continue
		}
		e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorTimer, Name: name}, Detail: fmt.Sprintf("safety net: %s since %s", m.name, m.since.UTC().Format(time.RFC3339))}
		t.set(&e.Changes, fieldCaught, m.name+" "+formatTime(d.now))
		told := notices{}
		line := Line{Key: "clock." + m.name, Args: map[string]string{"age": d.now.Sub(m.since).Round(time.Minute).String()}}
		for _, who := range m.notify {
			found, instead := d.resolve(who)
			if instead != "" {
				e.Detail += fmt.Sprintf("; nobody is %s: %s is told", who, instead)
			}
			told.add(found, line, false)
		}
		e.To = told.people()
		d.entry(e)
		if m.name == safetyNextStep {
			d.gather(told)
			continue
		}
		d.sendAs(TemplateSafety, told)
	}
}

// gather puts notices off for a moment, so that those about other tickets join them.
func (d *decider) gather(list notices) {
	for _, n := range list {
		d.out.Postponed = append(d.out.Postponed, Postponed{To: n.to, At: latest(d.now, d.r.opens(n.to, d.now)), Ticket: d.out.Ticket.ID, Lines: n.lines})
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
