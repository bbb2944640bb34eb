package tickets

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// application is one decision on its way into the store.
type application struct {
	tx    *Tx
	r     *Rules
	in    *Incoming
	known *Known
	dec   Decision
	now   time.Time

	stored *Stored // the message's record; nil for what was never fetched
	ticket *Ticket
	files  []File // the message's attachments, once they were asked for
	opened bool   // files was filled
}

// apply writes what was decided about an incoming message: its record, its ticket, the mails it calls for, and how its
// UID ended.
func (d *Desk) apply(a *application, ref RawRef) (Outcome, error) {
	out := Outcome{Result: a.dec.Result, Why: a.dec.Why}
	record := settledRecord{Result: a.dec.Result, Absent: a.in.Absent}
	switch {
	case a.dec.Result == Duplicate:
		record.Message = a.known.Duplicate.Key
		out.Ticket = a.known.Duplicate.Ticket
		if err := a.tx.sighted(a.known.Duplicate, a.in.Source.Mailbox, Spot{UIDValidity: a.in.Source.UIDValidity, UID: a.in.Source.UID}); err != nil {
			return out, err
		}
	case a.known.Intake.Sent && a.dec.Result == Filed:
		// The settled row is the record: of what concerns no ticket nothing is kept.
	case a.in.Absent == TooOld:
		// The settled row is the record: a first run may pass over a hundred thousand.
	default:
		if err := a.storeMessage(ref); err != nil {
			return out, err
		}
		record.Message = a.stored.Key
		if err := d.carryOut(a); err != nil {
			return out, err
		}
		out.Ticket = a.stored.Ticket
	}
	return out, a.tx.settle(a.in.Source, record)
}

// storeMessage makes the record of a message, which writeTicket writes.
func (a *application) storeMessage(ref RawRef) error {
	s := &Stored{
		Source: a.in.Source, Raw: ref, Arrived: a.in.Arrived.UTC(), Stored: a.now, Size: a.in.Size, Absent: a.in.Absent,
		Result: a.dec.Result, Why: a.dec.Why, Kind: a.dec.Verdict.Kind, Reasons: a.dec.Reasons, Rev: a.r.Rev,
	}
	if m := a.in.Message; m != nil {
		s.MessageID, s.Subject, s.Identity, s.Signatures = m.ID, m.Subject, m.Identity, m.Signatures
		if len(m.From) > 0 {
			s.From = m.From[0]
		}
	}
	a.stored = s
	var err error
	if s.Key, err = a.tx.btx.Bucket(bucketMessages).NextSequence(); err != nil {
		return err
	}
	if s.Identity.IsZero() || s.Absent != Present && s.Absent != Oversize {
		return nil
	}
	return a.tx.btx.Bucket(bucketIdentities).Put(s.Identity[:], key64(s.Key))
}

// carryOut writes the tickets, holds and mails of a decision whose message is stored.
func (d *Desk) carryOut(a *application) error {
	if err := a.writeTicket(); err != nil {
		return err
	}
	if a.dec.Hold != "" {
		h := HeldMail{Message: a.stored.Key, Ticket: a.stored.Ticket, From: a.stored.From.Mail, Subject: a.stored.Subject,
			Reason: a.dec.Hold, Since: a.now, Final: a.dec.Final}
		if err := a.tx.hold(&h); err != nil {
			return err
		}
		for i := range a.dec.Mails {
			if v := a.dec.Mails[i].Internal; v != nil && a.dec.Mails[i].Template == TemplateHeld {
				v.Commands = []string{fmt.Sprintf("#admit %d", h.ID), fmt.Sprintf("#reject %d", h.ID)}
				for _, l := range v.Lines {
					l.Args["id"] = strconv.FormatUint(h.ID, 10)
				}
			}
		}
	}
	for _, id := range a.dec.Cancel {
		o, err := a.tx.Outgoing(id)
		if err != nil {
			return err
		}
		if err := a.tx.finish(o, Cancelled, a.now); err != nil {
			return err
		}
	}
	for _, m := range a.dec.Mails {
		if err := d.owe(a, m); err != nil {
			return err
		}
	}
	if a.ticket != nil {
		if err := a.tx.schedule(a.ticket, a.r, a.now); err != nil {
			return err
		}
	}
	d.corrected(a)
	if err := errors.Join(a.indexReferences(), a.rememberSent()); err != nil {
		return err
	}
	if a.dec.Wish != nil {
		if err := a.tx.keepWish(*a.dec.Wish); err != nil {
			return err
		}
	}
	if a.dec.Leave != nil {
		if err := a.tx.keepLeave(*a.dec.Leave, a.now); err != nil {
			return err
		}
	}
	if err := d.carryOutBeside(a); err != nil {
		return err
	}
	a.tx.onCommit(func() { d.wakeSender(); kick(d.tick) })
	if err := d.settleHeld(a); err != nil {
		return err
	}
	return a.tx.writePending()
}

// writeTicket appends the decision's entries, and writes the message's record.
func (a *application) writeTicket() error {
	switch t := a.known.Ticket; {
	case a.dec.Ticket == nil:
	case a.dec.New || t != nil && len(a.dec.Entries) > 0:
		if err := a.writeEntries(); err != nil {
			return err
		}
		a.stored.Ticket = a.ticket.ID
	case t != nil:
		a.stored.Ticket = t.ID
	}
	return a.tx.put(bucketMessages, key64(a.stored.Key), a.stored)
}

// writeEntries appends the decision's entries to its ticket, which may be a new one.
func (a *application) writeEntries() error {
	t := a.known.Ticket
	if a.dec.New {
		if _, err := a.tx.add("tickets", 1); err != nil {
			return err
		}
		if _, err := a.tx.add("numbers", 1); err != nil {
			return err
		}
		t = &Ticket{ID: a.known.NextID}
	}
	before := *t
	for _, e := range a.dec.Entries {
		if err := a.append(t, e); err != nil {
			return err
		}
	}
	a.ticket = t
	if a.dec.New {
		return a.index(t)
	}
	return a.tx.moveRequester(&before, t)
}

// append writes one entry, with what caused it.
func (a *application) append(t *Ticket, e Entry) error {
	e.Cause = a.cause()
	if a.stored != nil && (e.Kind == EntryReceived || e.Kind == EntryVendor || e.Kind == EntryAnswered || e.Kind == EntryNoted || e.Kind == EntryAutomatic || e.Kind == EntryBounced || e.Kind == EntryRefused || e.Kind == EntryHeld) {
		e.Message = a.stored.Key
	}
	return a.tx.append(t, e)
}

func (a *application) cause() string {
	switch {
	case a.stored != nil:
		return fmt.Sprintf("message %d", a.stored.Key)
	case a.in != nil && strings.HasPrefix(a.in.Source.Mailbox, movedPrefix):
		return moveCause + a.in.Source.String()
	}
	return ""
}

// index makes a new ticket findable.
func (a *application) index(t *Ticket) error {
	if err := a.tx.btx.Bucket(bucketNumbers).Put([]byte(t.Number), key64(uint64(t.ID))); err != nil {
		return err
	}
	if checkAddress(t.Requester.Mail) != nil {
		return nil // nobody writes from there again
	}
	key := append(append([]byte(strings.ToLower(t.Requester.Mail)), 0), key64(uint64(t.ID))...)
	return a.tx.btx.Bucket(bucketRequesters).Put(key, []byte{})
}
