package tickets

import (
	"slices"
	"strings"
	"time"

	"supportd/tickets/clock"
	"supportd/tickets/command"
)

// Acknowledging an escalation: whoever was told and does something is not told again, until the next part of the time
// is used up. No promise moves by it (S32).

// clockCommands has the commands that answer an escalation.
func clockCommands() map[string]handler {
	return map[string]handler{"ack": (*operation).acknowledge, "more": (*operation).more}
}

// told reports whether a person was told of a clock's steps since somebody last acted on them; of acceptance the whole
// team was told when it got the ticket.
func (r *Rules) told(t *Ticket, c Clock, person string, now time.Time) bool {
	if !c.Running() || c.Target <= 0 {
		return false
	}
	if c.Kind == clock.Accept && c.Acked.IsZero() && slices.Contains(r.Teams[c.Team].Members, strings.ToLower(person)) {
		return true
	}
	d := &decider{k: &Known{Ticket: t}, in: &Incoming{Arrived: now}, r: r, now: now}
	d.out.Ticket = t
	set, steps := r.steps(t, c.Kind)
	for _, s := range steps {
		fired := c.Fired(stepName(set, s))
		if fired.Times > 0 && fired.At.After(c.Acked) && slices.Contains(d.recipients(s.Notify), strings.ToLower(person)) {
			return true
		}
	}
	return false
}

// acknowledge is #ack. That the agent acts is all that it takes; without anything to acknowledge it says so.
func (op *operation) acknowledge(c command.Command) bool {
	if !op.live(c) {
		return false
	}
	if !slices.ContainsFunc(op.t.Clocks, func(k Clock) bool { return op.r.told(op.t, k, op.agent.Address, op.now) }) {
		return op.refuse(Line{Key: "refused.ack", Args: map[string]string{"word": "#ack"}})
	}
	return op.did("did.ack", nil)
}

// longestMore bounds what #more can add at once.
const longestMore = 40 * time.Hour

// more is #more 30m REASON: the team's time for the ticket grows, and its steps may happen again.
func (op *operation) more(c command.Command) bool {
	if !op.live(c) {
		return false
	}
	first, reason, _ := strings.Cut(strings.TrimSpace(c.Args), " ")
	d, ok := command.ParseSpent(first)
	if !ok || d <= 0 || d > longestMore || strings.TrimSpace(reason) == "" {
		return op.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#more", "usage": "#more 30m REASON"}})
	}
	box, have := op.t.clock(clock.TimeBox, op.entry.Changes)
	if !have || box.Stopped() || box.Target <= 0 {
		return op.refuse(Line{Key: "refused.more", Args: map[string]string{"word": "#more"}})
	}
	before := formatJSON(box)
	box = box.Extend(op.r.Hours(box), d, op.now)
	op.entry.Changes = append(op.entry.Changes, Change{Field: fieldClock, Before: before, After: formatJSON(box)})
	return op.did("did.more", map[string]string{"age": d.String(), "due": formatTime(box.Due)})
}
