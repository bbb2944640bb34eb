package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The outbox: every mail the desk owes is decided, rendered and stored in the transaction of its cause. mailout asks
// for what is due, records each attempt before it makes it, and reports how it ended.

func dueKey(at time.Time, id OutgoingID) []byte { return append(timeKey(at), key64(uint64(id))...) }

// nextOutgoing reserves the ID of a mail.
func (tx *Tx) nextOutgoing() (OutgoingID, error) {
	n, err := tx.btx.Bucket(bucketOutbox).NextSequence()
	return OutgoingID(n), err
}

// enqueue stores a mail that is owed.
func (tx *Tx) enqueue(o Outgoing, mail composedMail) error {
	if err := checkAddress(o.Recipient); err != nil {
		return fmt.Errorf("enqueue mail: recipient: %w", err)
	}
	if o.EnvelopeFrom != "" {
		if err := checkAddress(o.EnvelopeFrom); err != nil {
			return fmt.Errorf("enqueue mail: envelope sender: %w", err)
		}
	}
	o.State, o.Size, o.SHA256, o.Spans = Queued, mail.size, mail.sum, mail.spans
	o.Next = o.Created
	if o.NotBefore.After(o.Next) {
		o.Next = o.NotBefore
	}
	if tx.counter("restored") > 0 {
		o.State = Held
	} else if err := tx.btx.Bucket(bucketDue).Put(dueKey(o.Next, o.ID), []byte{}); err != nil {
		return err
	}
	if err := tx.btx.Bucket(bucketBytes).Put(key64(uint64(o.ID)), mail.own); err != nil {
		return err
	}
	return tx.putOutgoing(&o)
}

// putOutgoing stores the record of a mail and counts its state.
func (tx *Tx) putOutgoing(o *Outgoing) error {
	if o.counted != o.State {
		if err := tx.countChange("outbox:", string(o.counted), string(o.State)); err != nil {
			return err
		}
		o.counted = o.State
	}
	return tx.put(bucketOutbox, key64(uint64(o.ID)), o)
}

// OutboxStats is how many mails wait, and since when.
type OutboxStats struct {
	Waiting  int // for their first attempt or the end of one
	Deferred int
	GivenUp  int
	Held     int
	Oldest   time.Time // when the oldest scheduled mail was due; zero when there is none
}

// OutboxStats counts the outbox; it costs the same however much is in it.
func (tx *Tx) OutboxStats() (OutboxStats, error) {
	count := func(s DeliveryState) int { return int(tx.counter("outbox:" + string(s))) }
	st := OutboxStats{Waiting: count(Queued) + count(Sending), Deferred: count(Deferred), GivenUp: count(GivenUp), Held: count(Held)}
	if k, _ := tx.btx.Bucket(bucketDue).Cursor().First(); k != nil {
		st.Oldest = keyTime(k[:8])
	}
	return st, nil
}

// checkAddress refuses what must never reach an SMTP command line (S-053).
func checkAddress(a string) error {
	if strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) {
		return fmt.Errorf("%q has a character that no address may have", a)
	}
	if _, _, ok := cutAddress(a); !ok || len(a) > 254 {
		return fmt.Errorf("%q is no address", a)
	}
	return nil
}

// Outgoing returns one mail of the outbox, without its bytes.
func (tx *Tx) Outgoing(id OutgoingID) (*Outgoing, error) {
	if tx.making != nil && tx.making.holds(id) {
		if err := tx.putMade(); err != nil {
			return nil, err
		}
	}
	var o Outgoing
	ok, err := tx.get(bucketOutbox, key64(uint64(id)), &o)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("mail %d in the outbox: %w", id, ErrNotFound)
	}
	o.counted = o.State
	return &o, nil
}

// Outbox returns the mails that are not delivered, oldest first; all of them when all is set.
func (tx *Tx) Outbox(all bool) ([]Outgoing, error) {
	var found []Outgoing
	err := tx.each(bucketOutbox, nil, func(k, v []byte) (bool, error) {
		var o Outgoing
		if err := decodeRecord(v, &o); err != nil {
			return false, fmt.Errorf("outbox %x: %w", k, err)
		}
		o.counted = o.State
		if all || o.State != Sent && o.State != Cancelled {
			found = append(found, o)
		}
		return true, nil
	})
	return found, err
}

// reschedule moves a mail to another time, or takes it off the schedule when at is zero.
func (tx *Tx) reschedule(o *Outgoing, at time.Time) error {
	due := tx.btx.Bucket(bucketDue)
	if err := due.Delete(dueKey(o.Next, o.ID)); err != nil {
		return err
	}
	o.Next = at
	if !at.IsZero() {
		if err := due.Put(dueKey(at, o.ID), []byte{}); err != nil {
			return err
		}
	}
	return tx.putOutgoing(o)
}

// finish takes a mail off the schedule for good. Its bytes go: the record and the ticket's entry stay.
func (tx *Tx) finish(o *Outgoing, state DeliveryState, at time.Time) error {
	o.State, o.SettledAt = state, at.UTC()
	if err := tx.reschedule(o, time.Time{}); err != nil {
		return err
	}
	if state == GivenUp {
		return nil // outbox retry needs them
	}
	return tx.btx.Bucket(bucketBytes).Delete(key64(uint64(o.ID)))
}

// maxDueBytes bounds what one call of Due brings into memory; one mail comes whatever its size.
const maxDueBytes = 8 << 20

// Due returns up to limit mails whose time has come, with their bytes, oldest first, and the instant when the next one
// will be due (zero: none). A mail whose bytes are damaged comes without any.
func (d *Desk) Due(_ context.Context, now time.Time, limit int) ([]Outgoing, time.Time, error) {
	var mails []Outgoing
	var next time.Time
	total := 0
	err := d.Store.View(func(tx *Tx) error {
		c := tx.btx.Bucket(bucketDue).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			at := keyTime(k[:8])
			if at.After(now) || len(mails) == limit || total > maxDueBytes {
				next = at
				return nil
			}
			o, err := tx.Outgoing(OutgoingID(binary.BigEndian.Uint64(k[8:])))
			if errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged) {
				d.Log.Error("mail passed over", "outgoing", binary.BigEndian.Uint64(k[8:]), "err", err)
				continue // the others go on (S-051); doctor names it
			} else if err != nil {
				return err
			}
			o.Bytes = bytes.Clone(tx.btx.Bucket(bucketBytes).Get(key64(uint64(o.ID))))
			total += o.Size
			mails = append(mails, *o)
		}
		return nil
	})
	if err != nil {
		return nil, next, err
	}
	return d.putTogether(mails), next, nil
}

// putTogether makes mails whole. One whose octets are damaged comes without any: it is given up, the others go on
// (S-051). One whose raw message cannot be read now is passed over.
func (d *Desk) putTogether(mails []Outgoing) []Outgoing {
	ready := mails[:0]
	for _, o := range mails {
		mail, err := d.Store.mail.whole(&o, o.Bytes)
		if errors.Is(err, ErrNotFound) { // its raw message was removed since: then the outbox has all of it
			err = d.Store.View(func(tx *Tx) error {
				now, err := tx.Outgoing(o.ID)
				if err == nil {
					o = *now
					mail, err = tx.outgoingMail(now)
					mail = bytes.Clone(mail)
				}
				return err
			})
		}
		if err != nil && !errors.Is(err, errDamaged) && !errors.Is(err, ErrNotFound) {
			d.Log.Error("mail passed over", "outgoing", o.ID, "err", err)
			continue
		}
		if o.Bytes = mail; err != nil {
			o.Bytes = nil
		}
		ready = append(ready, o)
	}
	return ready
}

// Attempt records that these deliveries are about to be tried; nothing is sent before it returns nil.
func (d *Desk) Attempt(ctx context.Context, attempts []Attempt) error {
	Failpoint("attempt.begin")
	return d.Store.Update(ctx, func(tx *Tx) error {
		for _, a := range attempts {
			o, err := tx.Outgoing(a.ID)
			if err != nil {
				return err
			}
			if o.State != Queued && o.State != Deferred && o.State != Sending {
				return fmt.Errorf("mail %d in the outbox is %s", o.ID, o.State)
			}
			if o.State == Sending {
				o.InDoubt++ // the attempt before ended with the process
			}
			o.State = Sending
			o.Attempts++
			if err := tx.reschedule(o, a.Next); err != nil {
				return err
			}
		}
		return nil
	})
}

// Settle records how deliveries ended. What was given up becomes an entry on the ticket and a notice to the team.
func (d *Desk) Settle(ctx context.Context, deliveries []Delivery) error {
	Failpoint("settle.begin")
	return d.Store.Update(ctx, func(tx *Tx) error {
		for _, dl := range deliveries {
			o, err := tx.Outgoing(dl.ID)
			if err != nil {
				return err
			}
			if err := d.settleOne(tx, o, dl); err != nil {
				return fmt.Errorf("mail %d in the outbox: %w", o.ID, err)
			}
		}
		return nil
	})
}

func (d *Desk) settleOne(tx *Tx, o *Outgoing, dl Delivery) error {
	if o.State == Sent || o.State == GivenUp || o.State == Cancelled {
		return nil // told twice
	}
	o.LastError = dl.Detail
	switch {
	case dl.Result == ResultSent:
		o.LastError = ""
		if _, err := tx.add("sent", 1); err != nil {
			return err
		}
		Failpoint("settle.sent")
		return d.finishSent(tx, o, dl.At)
	case dl.Result == ResultUntried:
		o.State = Queued
		if o.Attempts--; o.Attempts > 0 {
			o.State = Deferred
		}
		return tx.reschedule(o, dl.Next)
	case dl.Result == ResultPermanent, dl.GiveUp:
		if _, err := tx.add("given_up", 1); err != nil {
			return err
		}
		if o.Template != TemplateHealth {
			if _, err := tx.add(counterLost, 1); err != nil {
				return err
			}
		}
		if err := tx.finish(o, GivenUp, dl.At); err != nil {
			return err
		}
		return d.undelivered(tx, *o, dl)
	case dl.Result == ResultAmbiguous:
		o.InDoubt++
	}
	o.State = Deferred
	return tx.reschedule(o, dl.Next)
}

// RetryOutgoing makes a mail due now that waits or was given up.
func (d *Desk) RetryOutgoing(ctx context.Context, id OutgoingID) error {
	err := d.Store.Update(ctx, func(tx *Tx) error {
		o, err := tx.Outgoing(id)
		if err != nil {
			return err
		}
		if o.State == Sent || o.State == Cancelled {
			return fmt.Errorf("mail %d is %s: there is nothing to retry", id, o.State)
		}
		if o.State == GivenUp {
			o.Created = d.Now().UTC() // the time for trying starts anew
		}
		o.State = Deferred
		return tx.reschedule(o, d.Now().UTC())
	})
	if err == nil {
		d.wakeSender()
	}
	return err
}

// Hasten makes every mail due now that only waits because its server could not be used: the servers' configuration
// has changed.
func (d *Desk) Hasten(ctx context.Context) error {
	err := d.Store.Update(ctx, func(tx *Tx) error {
		now := d.Now().UTC()
		mails, err := tx.scheduled()
		for _, o := range mails {
			if o.State != Sending && !o.NotBefore.After(now) && o.Next.After(now) {
				if err := tx.reschedule(&o, now); err != nil {
					return err
				}
			}
		}
		return err
	})
	d.wakeSender()
	return err
}

// scheduled returns the mails that stand in the schedule.
func (tx *Tx) scheduled() ([]Outgoing, error) {
	var list []Outgoing
	err := tx.each(bucketDue, nil, func(k, _ []byte) (bool, error) {
		o, err := tx.Outgoing(OutgoingID(binary.BigEndian.Uint64(k[8:])))
		if err == nil {
			list = append(list, *o)
		}
		return true, err
	})
	return list, err
}

// undelivered notes on the ticket that a mail was given up, and tells the team when it was for the customer. A notice
// to staff that cannot be delivered makes no further notice.
func (d *Desk) undelivered(tx *Tx, o Outgoing, dl Delivery) error {
	d.Log.Error("mail given up", "outgoing", o.ID, "ticket", o.Ticket, "template", o.Template) // why stands on the ticket: servers name the customer (S-177)
	if o.Ticket == 0 {
		return tx.log(dl.At, "mail.given_up", fmt.Sprintf("%q to %s: %s", o.Template, o.Recipient, dl.Detail))
	}
	t, err := tx.Ticket(o.Ticket)
	if err != nil {
		return err
	}
	r, now := d.Rules(), d.Now().UTC()
	dr := &decider{k: &Known{Ticket: t, Brand: r.brandOf(t.Mailbox)}, in: &Incoming{Arrived: now}, r: r, now: now}
	dr.out.Ticket = t.clone()
	detail := fmt.Sprintf("%q to %s was given up after %d attempts: %s", o.Template, o.Recipient, o.Attempts, oneLine(dl.Detail))
	dr.entry(Entry{Kind: EntryDelivery, Actor: Actor{Kind: ActorSystem}, Outgoing: o.ID, Template: o.Template, Detail: detail})
	if t.outside(r, o.Recipient) {
		dr.tellTeam(TemplateUndelivered, PurposeNote, func(v *InternalView) {
			v.Text, v.TextFrom = t.LastPublic, ""
			key := "undelivered.gave_up"
			if dl.Result == ResultPermanent {
				key = "undelivered.refused"
			}
			v.Lines = []Line{{Key: key, Args: map[string]string{"to": o.Recipient, "attempts": strconv.Itoa(o.Attempts),
				"since": formatTime(o.Created), "reason": oneLine(dl.Detail)}}, {Key: "undelivered.what_now", Args: map[string]string{"to": o.Recipient}}}
		})
	}
	return d.carryOutTimer(&application{tx: tx, r: r, in: dr.in, known: dr.k, dec: dr.out, now: now})
}
