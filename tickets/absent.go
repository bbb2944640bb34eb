package tickets

import (
	"slices"
	"strings"
	"time"

	"supportd/tickets/absence"
	"supportd/tickets/command"
)

// Absences of agents (Leave). They are known from an agent's own out-of-office note to a mail of the desk, or by #absent, and
// stand in the store, not in the configuration. While somebody is absent, what would go to them goes to their team.

var bucketLeaves = []byte("leaves") // lower-case address → Leave

// Leave is that an agent is away.
type Leave struct {
	Agent string    `json:"agent"` // lower-case address
	Until time.Time `json:"until"` // they are back from then on
	Since time.Time `json:"since"` // when the desk learned of it
	By    string    `json:"by"`    // note, or command
}

// absences returns who is absent now.
func (tx *Tx) leaves(now time.Time) (map[string]Leave, error) {
	var all map[string]Leave
	err := tx.each(bucketLeaves, nil, func(k, v []byte) (bool, error) {
		var a Leave
		if err := decodeRecord(v, &a); err != nil {
			return false, err
		}
		if a.Until.After(now) {
			if all == nil {
				all = map[string]Leave{}
			}
			all[string(k)] = a
		}
		return true, nil
	})
	return all, err
}

// keepLeave writes what was learned of an agent's absence. One that goes on began when the desk learned of it first; one that
// is over stays until its agent has been told what happened meanwhile (overLeave).
func (tx *Tx) keepLeave(a Leave, now time.Time) error {
	key := []byte(strings.ToLower(a.Agent))
	var before Leave
	if _, err := tx.get(bucketLeaves, key, &before); err != nil {
		return err
	}
	if away := before.Until.After(now); away {
		a.Since = before.Since
	} else if !a.Until.After(now) {
		return nil // back, and was not away
	}
	if a.Until.Before(now) {
		a.Until = now
	}
	return tx.put(bucketLeaves, key, a)
}

// Leaves lists who is absent now, by address.
func (tx *Tx) Leaves(now time.Time) ([]Leave, error) {
	all, err := tx.leaves(now)
	var list []Leave
	for _, a := range all {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b Leave) int { return strings.Compare(a.Agent, b.Agent) })
	return list, err
}

// away reports whether an agent is absent, also by what this very mail says.
func (d *decider) away(address string) bool {
	address = strings.ToLower(address)
	if a := d.out.Leave; a != nil && a.Agent == address {
		return a.Until.After(d.now)
	}
	return d.k.Absent[address].Until.After(d.now)
}

// present leaves out who is absent, unless nobody would be left: then somebody is told all the same.
func (d *decider) present(to []string) []string {
	here := slices.DeleteFunc(slices.Clone(to), d.away)
	if slices.ContainsFunc(here, func(a string) bool { _, ok := d.r.agent(a); return ok }) {
		return here
	}
	return to
}

// noteLeave reads an agent's own automatic reply to a mail of the desk: until when somebody else has to be asked.
func (d *decider) noteLeave() (Leave, bool) {
	o := d.k.About
	agent, ok := d.r.agent(d.m.Author)
	if !ok || d.out.Verdict.Auth == AuthFail {
		return Leave{}, false
	}
	bound := o != nil && strings.EqualFold(o.Recipient, agent.Address) || d.k.TokenOwner != "" && strings.EqualFold(d.k.TokenOwner, agent.Address)
	if !bound {
		return Leave{}, false // anybody can write in an agent's name; nobody else has that address
	}
	until, ok := absence.Until(d.m.Subject+"\n"+d.m.NewText(), d.now, d.zone())
	if !ok {
		return Leave{}, false
	}
	return Leave{Agent: strings.ToLower(agent.Address), Until: until.UTC(), Since: d.now, By: "note"}, true
}

// absent is #absent until DATE: the sender is away, whatever the ticket is.
func (op *operation) absent(c command.Command) bool {
	until, ok := absence.Until("bis "+c.Args, op.now, op.zone())
	if !ok {
		until, ok = absence.Until(c.Args, op.now, op.zone())
	}
	if !ok {
		var err error
		if until, err = command.ParseWhen(c.Args, op.now, op.zone(), op.r.Calendar); err != nil {
			return op.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#absent", "usage": "#absent until 24.12."}})
		}
	}
	op.out.Leave = &Leave{Agent: strings.ToLower(op.agent.Address), Until: until.UTC(), Since: op.now, By: "command"}
	return op.done("did.absent", map[string]string{"until": formatTime(until)})
}

// back is #back: the sender is there again.
func (op *operation) back(command.Command) bool {
	op.out.Leave = &Leave{Agent: strings.ToLower(op.agent.Address), Since: op.now, By: "command"}
	return op.done("did.back", nil)
}

// tellAbsent tells the lead, once for each absence, that a customer's mail of an absent assignee went to the team.
func (d *decider) tellAbsent(e *Entry) {
	t := d.out.Ticket
	who := strings.ToLower(t.Assignee)
	if who == "" || !d.away(who) {
		return
	}
	until := d.k.Absent[who].Until
	told := who + " " + formatTime(until)
	if t.value(fieldAbsenceTold, e.Changes) == told {
		return
	}
	t.set(&e.Changes, fieldAbsenceTold, told)
	d.after = append(d.after, func() {
		d.tell(d.leadOf(t.Team), TemplateAssigneeAbsent, PurposeNote, false, func(v *InternalView) {
			v.Lines = []Line{{Key: "absent.assignee", Args: map[string]string{"who": who, "until": formatTime(until), "team": t.Team}}}
			v.Commands = []string{"#assign NAME", "#take", "#note"}
		})
	})
}
