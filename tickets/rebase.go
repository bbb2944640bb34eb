package tickets

import (
	"context"
	"fmt"
	"time"

	"supportd/tickets/clock"
)

// Rebased is a clock that another revision of the configuration measures otherwise.
type Rebased struct {
	Ticket  string        `json:"ticket"`
	Kind    clock.Kind    `json:"kind"`
	Rev     string        `json:"rev"` // that its target was taken from
	Before  time.Duration `json:"target_before"`
	After   time.Duration `json:"target_after"` // 0: nothing is promised any more
	DueWas  time.Time     `json:"due_before"`
	DueWill time.Time     `json:"due_after,omitzero"`
}

// Rebase lists the running clocks whose promise is another one by the rules in force than by those they began under; with
// apply it changes them, each ticket with an entry that says who wanted it (S25). Without it clocks keep what they began with.
func (d *Desk) Rebase(ctx context.Context, apply bool, by string) ([]Rebased, error) {
	list := []Rebased{}
	r, now := d.Rules(), d.Now().UTC()
	work := func(tx *Tx) error {
		list = list[:0]
		var tickets []*Ticket
		err := tx.Tickets(false, func(t *Ticket) (bool, error) {
			tickets = append(tickets, t)
			return true, nil
		})
		if err != nil {
			return err
		}
		for _, t := range tickets {
			found, changes := r.rebase(t, now)
			list = append(list, found...)
			if len(changes) == 0 || !apply {
				continue
			}
			e := Entry{At: now, Rev: r.Rev, Kind: EntryClock, Actor: Actor{Kind: ActorAdmin, Name: by}, Detail: "sla rebase to " + r.Rev, Changes: changes}
			if err := tx.append(t, e); err != nil {
				return err
			}
			if err := tx.schedule(t, r, now); err != nil {
				return err
			}
		}
		return nil
	}
	if !apply {
		return list, d.Store.View(work)
	}
	if err := d.Store.Update(ctx, work); err != nil {
		return nil, fmt.Errorf("rebase: %w", err)
	}
	kick(d.tick)
	return list, nil
}

// rebase measures a ticket's clocks by the rules.
func (r *Rules) rebase(t *Ticket, now time.Time) (list []Rebased, changes []Change) {
	for _, c := range t.Clocks {
		if c.Stopped() || c.Kind == clock.Vendor {
			continue
		}
		p := r.promise(c.Kind, t.ServiceLevel, t.Priority)
		h, newHours := r.Hours(c), r.calendar(p.Calendar)
		if !c.Kind.SLA() {
			p = clock.Promise{Target: r.agreed(c.Kind, c.Team, t.Priority), Calendar: r.Teams[c.Team].HoursOf, Priority: t.Priority, Rev: r.Rev}
			newHours = h
		}
		if p.Target == c.Target && p.Calendar == c.Calendar {
			continue
		}
		after := c.Retarget(h, p, newHours, r.SLA.UpgradeGrace, now)
		list = append(list, Rebased{Ticket: t.Number, Kind: c.Kind, Rev: c.Rev, Before: c.Target, After: p.Target, DueWas: c.Deadline(h, now), DueWill: after.Due})
		changes = append(changes, Change{Field: fieldClock, Before: formatJSON(c), After: formatJSON(after)})
	}
	return list, changes
}
