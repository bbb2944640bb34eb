package tickets

import "strconv"

// poisonous holds a mail that ended the process, or took for ever, when it was read (S-137, S-138), and tells the admin. Its
// few octets of text are nobody's word for anything: once let in it opens a ticket, and is answered by nobody but a person.
func (d *decider) poisonous() bool {
	if d.m.Poison == "" || d.k.Duplicate != nil || d.k.Admitted {
		return false
	}
	d.hold("it cannot be read: "+d.m.Poison, "")
	d.health("health.unreadable", map[string]string{
		"mailbox": d.in.Source.Mailbox, "uid": strconv.FormatUint(uint64(d.in.Source.UID), 10), "reason": d.m.Poison})
	return true
}
