package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Timers: what a ticket has to do at an instant. They are derived from the ticket: a row that does not match what the
// ticket asks for when it comes due is stale and dropped, so nothing has to be taken back when a clock moves.

type timer struct {
	at   time.Time
	kind string // "close", or "step first_response 75"
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
	for _, c := range t.Clocks {
		if !c.Stop.IsZero() || !c.Paused.IsZero() {
			continue
		}
		for _, step := range r.steps(c.Kind) {
			if slices.Contains(c.Fired, step.Percent) {
				continue
			}
			list = append(list, timer{stepTime(r.Calendar, c, step.Percent, now), fmt.Sprintf("step %s %d", c.Kind, step.Percent)})
		}
	}
	return list
}

// stepTime is when a share of the target will be used up, if the clock runs on.
func stepTime(cal Calendar, c Clock, percent int, now time.Time) time.Time {
	after := c.Target * time.Duration(percent-100) / 100
	if after >= 0 {
		return cal.Add(c.Due, after)
	}
	left := time.Duration(0)
	if now.Before(c.Due) {
		left = cal.Between(now, c.Due)
	}
	if left <= -after {
		return now // passed already: it fires at once
	}
	return cal.Add(now, left+after)
}

func (r *Rules) steps(clock string) []Step {
	for _, t := range r.Targets {
		if t.Clock == clock {
			return t.Steps
		}
	}
	return nil
}

// schedule writes the rows of the ticket's timers.
func (tx *Tx) schedule(t *Ticket, r *Rules, now time.Time) error {
	for _, tm := range timers(t, r, now) {
		key := append(append(timeKey(tm.at), key64(uint64(t.ID))...), tm.kind...)
		if err := tx.btx.Bucket(bucketTimers).Put(key, []byte{}); err != nil {
			return err
		}
	}
	return nil
}

// Reschedule writes the timers of every ticket that is not closed anew: the rules have changed, and what a ticket waits
// for may stand elsewhere now.
func (d *Desk) Reschedule(ctx context.Context) error {
	const perTransaction = 500
	var after, last TicketID
	for done := false; !done; after = last {
		err := d.Store.Update(ctx, func(tx *Tx) error {
			c := tx.btx.Bucket(bucketLive).Cursor()
			k, _ := c.Seek(key64(uint64(after) + 1))
			for n := 0; k != nil && n < perTransaction; n++ {
				last = TicketID(binary.BigEndian.Uint64(k))
				t, err := tx.Ticket(last)
				if err != nil {
					return err
				}
				if err := tx.schedule(t, d.Rules(), d.Now().UTC()); err != nil {
					return err
				}
				k, _ = c.Next()
			}
			done = k == nil
			tx.onCommit(func() { kick(d.tick) })
			return nil
		})
		if err != nil {
			return fmt.Errorf("reschedule: %w", err)
		}
	}
	return nil
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
	t, err := tx.Ticket(id)
	if errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged) {
		d.Log.Error("timer dropped", "ticket", id, "timer", kind, "err", err)
		return nil // the other tickets' timers go on
	} else if err != nil {
		return err
	}
	r := d.Rules()
	dr := &decider{k: &Known{Ticket: t, Brand: r.brandOf(t.Mailbox)}, in: &Incoming{Arrived: now}, r: r, now: now}
	dr.out.Ticket = t.clone()
	if dr.k.Recent, err = tx.lastEntries(id, 6); err != nil {
		return err
	}
	switch {
	case !t.State.onStage(): // nobody waits for what is set aside
	case kind == "close":
		dr.closeSolved(at)
	case kind == "silence":
		dr.silence()
	case strings.HasPrefix(kind, "remind "):
		dr.remind(kind)
	case strings.HasPrefix(kind, "step "):
		dr.clockStep(kind)
	}
	if len(dr.out.Entries) == 0 {
		return tx.schedule(t, r, now) // the row was stale: what the ticket waits for now may stand elsewhere
	}
	Failpoint("tick.fired")
	a := &application{tx: tx, r: r, in: dr.in, known: dr.k, dec: dr.out, now: now}
	return d.carryOutTimer(a)
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
	a.tx.onCommit(d.wakeSender)
	return a.tx.schedule(t, a.r, a.now)
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

// clockStep tells people that a share of a promised time is used up: once per clock and step.
func (d *decider) clockStep(kind string) {
	var clock string
	fields := strings.Fields(kind)
	if len(fields) != 3 {
		return
	}
	clock = fields[1]
	percent, err := strconv.Atoi(fields[2])
	if err != nil {
		return
	}
	t := d.out.Ticket
	for _, c := range t.Clocks {
		if c.Kind != clock || !c.Stop.IsZero() || !c.Paused.IsZero() || slices.Contains(c.Fired, percent) {
			continue
		}
		if stepTime(d.r.Calendar, c, percent, d.now).After(d.now) {
			continue // the clock moved since: its new row stands
		}
		e := Entry{Kind: EntryClock, Actor: Actor{Kind: ActorTimer, Name: clock}, Detail: fmt.Sprintf("%s: %d %%", clock, percent)}
		changeClock(t, &e, clock, func(c *Clock) bool { c.Fired = append(slices.Clone(c.Fired), percent); return true })
		d.entry(e)
		line := Line{Key: "clock.warning", Args: map[string]string{"clock": clock, "percent": strconv.Itoa(percent),
			"left": d.r.Calendar.Between(d.now, c.Due).Round(time.Minute).String(), "due": formatTime(c.Due)}}
		if !d.now.Before(c.Due) {
			line = Line{Key: "clock.breach", Args: map[string]string{"clock": clock, "due": formatTime(c.Due),
				"over": d.r.Calendar.Between(c.Due, d.now).Round(time.Minute).String()}}
		}
		d.tell(d.recipients(d.stepNotify(clock, percent)), TemplateEscalation, PurposeAnswer, false, func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt = t.LastCustomer, t.Requester.Mail, t.Created
			v.Lines = []Line{line}
		})
	}
}

// recipients resolves names when a step fires (S30). Who cannot be resolved is replaced by the next higher.
func (d *decider) recipients(names []string) []string {
	t := d.out.Ticket
	lead := d.r.Teams[t.Team].Lead
	var to []string
	for _, name := range names {
		var found []string
		switch name {
		case "assignee":
			found = d.audience()
		case "owner":
			if found = []string{strings.ToLower(t.Owner)}; t.Owner == "" {
				found = d.audience()
			}
		case "team":
			found = d.team()
		case "team_lead":
			if found = []string{lead}; lead == "" {
				found = d.team()
			}
		case "admin":
			if found = []string{strings.ToLower(d.r.Admin)}; d.r.Admin == "" {
				found = d.team()
			}
		default:
			found = []string{strings.ToLower(name)}
		}
		for _, a := range found {
			if !slices.Contains(to, a) {
				to = append(to, a)
			}
		}
	}
	return to
}

func (d *decider) stepNotify(clock string, percent int) []string {
	for _, s := range d.r.steps(clock) {
		if s.Percent == percent {
			return s.Notify
		}
	}
	return nil
}
