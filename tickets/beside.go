package tickets

// Beside is what a decision does to a ticket other than its own, in the same transaction.
type Beside struct {
	Ticket  *Ticket // as it is afterwards
	New     bool    // it did not exist before
	Entries []Entry
	Mails   []Mail // about that ticket
}

// beside makes a decider for another ticket that the same message concerns. What it decides counts once it is handed to
// keep. A nil ticket is one that is to be opened.
func (d *decider) beside(t *Ticket) *decider {
	k := *d.k
	k.Ticket, k.Recent, k.Suggestion, k.Undo = t, nil, nil, nil
	if t != nil {
		k.Brand = d.r.brandOf(t.Mailbox)
	}
	b := &decider{k: &k, in: d.in, m: d.m, r: d.r, now: d.now}
	b.out.Verdict = d.out.Verdict
	if t != nil {
		b.out.Ticket = t.clone()
	}
	return b
}

// keep adds to the decision what was decided beside it.
func (d *decider) keep(b *decider) {
	if len(b.out.Entries) > 0 {
		d.out.Beside = append(d.out.Beside, Beside{Ticket: b.out.Ticket, New: b.out.New, Entries: b.out.Entries, Mails: b.out.Mails})
	}
}

// carryOutBeside writes what a decision does to other tickets.
func (d *Desk) carryOutBeside(a *application) error {
	for _, b := range a.dec.Beside {
		var t *Ticket
		var err error
		if !b.New {
			if t, err = a.tx.Ticket(b.Ticket.ID); err != nil {
				return err
			}
		}
		known := *a.known
		known.Ticket, known.NextID = t, b.Ticket.ID
		other := &application{tx: a.tx, r: a.r, in: a.in, known: &known, now: a.now, stored: a.stored,
			dec: Decision{Ticket: b.Ticket, New: b.New, Entries: b.Entries, Mails: b.Mails}}
		if err := other.writeEntries(); err != nil {
			return err
		}
		for _, m := range b.Mails {
			if err := d.owe(other, m); err != nil {
				return err
			}
		}
		if err := a.tx.schedule(other.ticket, a.r, a.now); err != nil {
			return err
		}
	}
	return nil
}
