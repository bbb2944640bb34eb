package tickets

import (
	"strings"
	"time"
)

// Notices that come back. An agent whose mailbox takes no mail learns of no ticket, and does not know it: the admin is told, once a
// day for each agent. Where the admin's own mail comes back, nobody is left to be told by mail: the ticket says it.

// bouncedMark counts, with an agent's address behind it, what the admin was told of their mailbox.
const bouncedMark = "bounced@"

// knowStaffBounce says whether the admin was told today that mail to the agent, whom a report is about, comes back.
func (tx *Tx) knowStaffBounce(k *Known, r *Rules, now time.Time) error {
	if k.About == nil {
		return nil
	}
	if _, ok := r.agent(k.About.Recipient); !ok {
		return nil
	}
	n, err := tx.answersSince(bouncedMark+k.About.Recipient, now.Add(-24*time.Hour))
	k.StaffTold = n > 0
	return err
}

// staffBounced tells the admin that an agent does not get the desk's mail.
func (d *decider) staffBounced(b *Bounce, o *Outgoing) {
	agent, ok := d.r.agent(o.Recipient)
	if !ok || b.Delayed || d.k.StaffTold || strings.EqualFold(agent.Address, d.r.Admin) {
		return
	}
	before := len(d.out.Mails)
	d.health("health.staff_bounced", map[string]string{"to": agent.Address, "status": b.Status, "reason": oneLine(b.Diagnostic)})
	if n := len(d.out.Mails); n > before {
		d.out.Mails[n-1].CountAs = bouncedMark + o.Recipient
	}
}
