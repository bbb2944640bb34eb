package tickets

import "time"

// Agents' answers that are held because nothing vouches for any sender: the configuration lacks something, and the admin has to
// know, once a day and mailbox.

// unvouchedMark stands before a mailbox's name: the admin was told of it.
const unvouchedMark = "unvouched:"

// knowUnvouched looks whether the admin was told already that nobody in the mailbox is authenticated.
func (tx *Tx) knowUnvouched(k *Known, r *Rules, in *Incoming, now time.Time) error {
	if !r.Unvouched || k.Intake.Trusted {
		return nil
	}
	n, err := tx.answersSince(unvouchedMark+in.Source.Mailbox, now.Add(-24*time.Hour))
	k.Unvouched = n == 0
	return err
}

// tellUnvouched tells the admin why an agent's mail is held.
func (d *decider) tellUnvouched() {
	n := len(d.out.Mails)
	if !d.k.Unvouched || d.out.Verdict.Auth != AuthNone {
		return
	}
	d.health("health.nobody_authenticated", map[string]string{"mailbox": d.in.Source.Mailbox})
	if len(d.out.Mails) > n {
		d.out.Mails[n].CountAs = unvouchedMark + d.in.Source.Mailbox
	}
}
