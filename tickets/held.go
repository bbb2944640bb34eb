package tickets

import (
	"context"
	"fmt"
	"slices"

	"supportd/tickets/command"
)

// settleHeld carries out what a command says about a held mail.
func (d *Desk) settleHeld(a *application) error {
	by := ""
	if len(a.dec.Entries) > 0 {
		by = a.dec.Entries[0].Actor.Name
	} else if len(a.dec.Admit)+len(a.dec.Reject) > 0 && a.in.Message != nil {
		by = a.in.Message.Author // who answered the list of what is held
	}
	for _, id := range a.dec.Admit {
		if _, err := d.admit(a.tx, a.r, id, by); err != nil {
			return err
		}
	}
	for _, id := range a.dec.Reject {
		if err := d.reject(a.tx, id, by); err != nil {
			return err
		}
	}
	return nil
}

// Release lets a held mail in: it goes the way it would have gone, as if it had not been held.
func (d *Desk) Release(ctx context.Context, id uint64, by string) (Outcome, error) {
	var out Outcome
	err := d.Store.Update(ctx, func(tx *Tx) (err error) {
		out, err = d.admit(tx, d.Rules(), id, by)
		return err
	})
	return out, err
}

// Drop takes a held mail off the list for good; its raw bytes stay in the archive.
func (d *Desk) Drop(ctx context.Context, id uint64, by string) error {
	return d.Store.Update(ctx, func(tx *Tx) error { return d.reject(tx, id, by) })
}

// admit decides about a held message anew, this time with a person's word for it.
func (d *Desk) admit(tx *Tx, r *Rules, id uint64, by string) (Outcome, error) {
	h, err := tx.HeldMail(id)
	if err != nil {
		return Outcome{}, err
	}
	stored, err := tx.Stored(h.Message)
	if err != nil {
		return Outcome{}, err
	}
	raw, err := d.Raw(stored)
	if err != nil {
		return Outcome{}, fmt.Errorf("release held mail %d: %w", id, err)
	}
	in := &Incoming{Source: stored.Source, Arrived: stored.Arrived, Size: stored.Size, Raw: raw, Message: d.Read(raw, stored.Arrived)}
	in.Message.Signatures = stored.Signatures
	now := d.Now().UTC()
	known, err := tx.know(r, in, now)
	if err != nil {
		return Outcome{}, err
	}
	known.Admitted, known.AdmittedBy = true, by
	if known.Ticket == nil && h.Ticket != 0 {
		t, err := tx.Ticket(h.Ticket)
		if err != nil {
			return Outcome{}, err
		}
		if err := tx.knowTicket(known, t, now); err != nil {
			return Outcome{}, err
		}
	}
	dec := Decide(known, in, r, now)
	if dec.Result == Quarantined {
		return Outcome{}, fmt.Errorf("held mail %d cannot be released: %s", id, dec.Hold)
	}
	before := stored.Result
	stored.Result, stored.Why, stored.Reasons, stored.Kind = dec.Result, "released by "+by+": "+dec.Why, dec.Reasons, dec.Verdict.Kind
	a := &application{tx: tx, r: r, in: in, known: known, dec: dec, now: now, stored: stored}
	Failpoint("release.decided")
	if err := tx.put(bucketMessages, key64(stored.Key), stored); err != nil {
		return Outcome{}, err
	}
	if err := d.carryOut(a); err != nil {
		return Outcome{}, err
	}
	return Outcome{Result: dec.Result, Ticket: stored.Ticket, Why: stored.Why}, tx.unhold(h, stored, before)
}

// reject drops a held mail: it is filed, with who said so.
func (d *Desk) reject(tx *Tx, id uint64, by string) error {
	h, err := tx.HeldMail(id)
	if err != nil {
		return err
	}
	stored, err := tx.Stored(h.Message)
	if err != nil {
		return err
	}
	before := stored.Result
	stored.Result, stored.Why = Filed, "dropped by "+by+"; it was held because "+h.Reason
	if err := tx.put(bucketMessages, key64(stored.Key), stored); err != nil {
		return err
	}
	return tx.unhold(h, stored, before)
}

// unhold takes a mail off the list and books its message anew: it is still settled once.
func (tx *Tx) unhold(h *HeldMail, s *Stored, before Result) error {
	if err := tx.btx.Bucket(bucketHeld).Delete(key64(h.ID)); err != nil {
		return err
	}
	r, ok, err := tx.settledAs(s.Source)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%s: %w", s.Source, ErrNotFound)
	}
	r.Result = s.Result
	if err := tx.put(bucketSources, sourceKey(s.Source), r); err != nil {
		return err
	}
	return tx.countChange("result:", string(before), string(s.Result))
}

// held settles a held mail of this ticket.
func (op *operation) held(c command.Command, what *[]uint64, key string) bool {
	h := op.k.Held[heldID(c)]
	if h == nil || h.Ticket != op.t.ID || h.Final && what == &op.out.Admit {
		return op.refuse(Line{Key: "refused.id", Args: map[string]string{"id": c.Args}})
	}
	if slices.Contains(op.out.Admit, h.ID) || slices.Contains(op.out.Reject, h.ID) {
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#admit " + c.Args, "other": "#reject " + c.Args}})
	}
	if agent, ok := op.r.agent(h.From); ok && what == &op.out.Admit && !op.t.participant(agent.Address) {
		key = "did.admit_note" // a person's word lets the text in; it does not send it to the customer
	}
	*what = append(*what, h.ID)
	op.lines = append(op.lines, Line{OK: true, Key: key, Args: map[string]string{"id": c.Args, "from": h.From, "number": op.t.Number}})
	return true
}
