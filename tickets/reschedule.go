package tickets

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// metaTimers holds the revision of the rules by which the timers were written last.
var metaTimers = []byte("timers")

// timersForm changes when a new version of the program writes other timers by the same rules.
const timersForm = "2 "

// Rearm writes the timers anew if the rules, or what the program makes of them, are not those by which they were written.
// A desk calls it when it starts.
func (d *Desk) Rearm(ctx context.Context) error {
	same := false
	err := d.Store.View(func(tx *Tx) error {
		same = string(tx.btx.Bucket(bucketMeta).Get(metaTimers)) == timersForm+d.Rules().Rev
		return nil
	})
	if err != nil || same {
		return err
	}
	return d.Reschedule(ctx)
}

// Reschedule writes the timers of every ticket that is not closed anew: the rules have changed, and what a ticket waits
// for may stand elsewhere now.
func (d *Desk) Reschedule(ctx context.Context) error {
	r := d.Rules()
	for after, done := TicketID(0), false; !done; {
		rows, last, err := d.missingTimers(r, after)
		if err != nil {
			return fmt.Errorf("reschedule: %w", err)
		}
		after, done = last, last == 0
		err = d.Store.Update(ctx, func(tx *Tx) error {
			for _, row := range rows {
				if err := tx.btx.Bucket(bucketTimers).Put(row, []byte{}); err != nil {
					return err
				}
			}
			if done {
				return tx.btx.Bucket(bucketMeta).Put(metaTimers, []byte(timersForm+r.Rev))
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reschedule: %w", err)
		}
	}
	kick(d.tick)
	return nil
}

// missingTimers lists the rows that the next tickets behind one need and do not have, and the last of these tickets; 0
// when there are no more. A row that is written although the ticket has changed since does no harm: it is dropped when
// its time comes.
func (d *Desk) missingTimers(r *Rules, after TicketID) (rows [][]byte, last TicketID, err error) {
	const perTransaction = 10_000
	now := d.Now().UTC()
	err = d.Store.View(func(tx *Tx) error {
		there := tx.btx.Bucket(bucketTimers)
		c := tx.btx.Bucket(bucketLive).Cursor()
		k, _ := c.Seek(key64(uint64(after) + 1))
		n := 0
		for ; k != nil && n < perTransaction; n++ {
			last = TicketID(binary.BigEndian.Uint64(k))
			t, err := tx.Ticket(last)
			switch {
			case errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged):
				d.Log.Error("timers not written", "ticket", last, "err", err)
			case err != nil:
				return err
			default:
				for _, tm := range timers(t, r, now) {
					if key := tm.key(t.ID); there.Get(key) == nil {
						rows = append(rows, key)
					}
				}
			}
			k, _ = c.Next()
		}
		if k == nil {
			last = 0
		}
		return nil
	})
	return rows, last, err
}
