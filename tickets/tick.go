package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// Timers: what a ticket has to do at an instant. They are derived from the ticket: a row that does not match what the
// ticket asks for when it comes due is stale and dropped, so nothing has to be taken back when a clock moves.

type timer struct {
	at   time.Time
	kind string // such as "close" or "clock"
}

// timers lists what the ticket is waiting for.
func timers(t *Ticket, r *Rules, now time.Time) []timer {
	var list []timer
	if !t.State.onStage() {
		return nil // nobody waits for what is set aside
	}
	if t.State == StateSolved && r.CloseAfter > 0 {
		list = append(list, timer{t.SolvedAt.Add(r.CloseAfter), "close"})
	}
	list = append(list, waitingTimers(t, r)...)
	list = append(list, returnTimers(t)...)
	list = append(list, appointmentTimer(t)...)
	var next time.Time
	for _, c := range t.Clocks {
		if at := r.nextStep(t, c, now); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if !next.IsZero() {
		list = append(list, timer{next, timerClock})
	}
	return append(list, safetyTimers(t, r, now)...)
}

// timerClock is the kind of the row that says when the next step of one of a ticket's clocks is due.
const timerClock = "clock"

// schedule writes the rows of the ticket's timers.
func (tx *Tx) schedule(t *Ticket, r *Rules, now time.Time) error {
	for _, tm := range timers(t, r, now) {
		if err := tx.btx.Bucket(bucketTimers).Put(tm.key(t.ID), []byte{}); err != nil {
			return err
		}
	}
	return nil
}

func (tm timer) key(id TicketID) []byte {
	return append(append(timeKey(tm.at), key64(uint64(id))...), tm.kind...)
}

// Tick does what is due and returns when the next thing will be (zero: nothing). What fell due while the desk was down
// is done now, each thing once.
func (d *Desk) Tick(ctx context.Context) (time.Time, error) {
	const perTransaction = 100
	for {
		now := d.Now().UTC()
		var next time.Time
		n := 0
		due := false
		err := d.Store.View(func(tx *Tx) error {
			k, _ := tx.btx.Bucket(bucketTimers).Cursor().First()
			if k != nil {
				next = keyTime(k[:8])
				due = !next.After(now)
			}
			return nil
		})
		if err != nil || !due {
			return next, err
		}
		Failpoint("tick.due")
		err = d.Store.Update(ctx, func(tx *Tx) error {
			n = 0
			c := tx.btx.Bucket(bucketTimers).Cursor()
			var keys [][]byte
			for k, _ := c.First(); k != nil && n < perTransaction && !keyTime(k[:8]).After(now); k, _ = c.Next() {
				keys = append(keys, bytes.Clone(k))
				n++
			}
			for _, k := range keys {
				if err := tx.btx.Bucket(bucketTimers).Delete(k); err != nil {
					return err
				}
				if err := d.fire(tx, k, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return now, err
		}
	}
}

// fire does what one timer row asks for, if the ticket still does.
func (d *Desk) fire(tx *Tx, key []byte, now time.Time) error {
	at, id, kind := keyTime(key[:8]), TicketID(binary.BigEndian.Uint64(key[8:16])), string(key[16:])
	if kind == timerPostponed {
		return d.sendPostponed(tx, now)
	}
	if kind == timerDaily || kind == timerHeldList {
		return d.sendDaily(tx, now)
	}
	t, err := tx.Ticket(id)
	if errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged) {
		d.Log.Error("timer dropped", "ticket", id, "timer", kind, "err", err)
		return nil // the other tickets' timers go on
	} else if err != nil {
		return err
	}
	r := d.Rules()
	dr, err := d.timerDecider(tx, t, now)
	if err != nil {
		return err
	}
	dr.onTimer(kind, at)
	if len(dr.out.Entries) == 0 {
		return tx.schedule(t, r, now) // the row was stale: what the ticket waits for now may stand elsewhere
	}
	Failpoint("tick.fired")
	a := &application{tx: tx, r: r, in: dr.in, known: dr.k, dec: dr.out, now: now}
	return d.carryOutTimer(a)
}

// onTimer decides what a timer of the ticket asks for. A row whose reason is gone decides nothing.
func (d *decider) onTimer(kind string, at time.Time) {
	switch {
	case !d.out.Ticket.State.onStage(): // nobody waits for what is set aside
	case kind == "close":
		d.closeSolved(at)
	case kind == "snoozed", kind == "due":
		d.comeBack(kind)
	case kind == "date":
		d.dateReached()
	case kind == "silence":
		d.silence()
	case strings.HasPrefix(kind, "remind "):
		d.remind(kind)
	case kind == timerClock:
		d.escalate()
	case strings.HasPrefix(kind, "safety "):
		d.safety(kind)
	}
}

// carryOutTimer writes what a timer decided; no message caused it.
func (d *Desk) carryOutTimer(a *application) error {
	t := a.known.Ticket
	for _, e := range a.dec.Entries {
		if err := a.append(t, e); err != nil {
			return err
		}
	}
	a.ticket = t
	for _, m := range a.dec.Mails {
		if err := d.owe(a, m); err != nil {
			return err
		}
	}
	for _, n := range a.dec.Postponed {
		if err := a.tx.postpone(n); err != nil {
			return err
		}
	}
	a.tx.onCommit(d.wakeSender)
	if err := a.tx.schedule(t, a.r, a.now); err != nil {
		return err
	}
	return a.tx.writePending()
}

// closeSolved closes a ticket that stayed solved.
func (d *decider) closeSolved(at time.Time) {
	t := d.out.Ticket
	if t.State != StateSolved || t.SolvedAt.Add(d.r.CloseAfter).After(d.now) {
		return
	}
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorTimer, Name: "close"}, Detail: "closed: nobody objected for " + days(d.r.CloseAfter)}
	d.move(t, &e, eventClose)
	d.entry(e)
}
