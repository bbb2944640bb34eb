package tickets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"
)

// Desk is where a message becomes part of a ticket, or not; it is the only writer of the store.
//
// Every decision is made by Decide, a function of (what the store knows, the message, the rules, now); Desk gathers
// the one and applies the other in the same transaction.
type Desk struct {
	Store *Store           // required
	Now   func() time.Time // required
	Log   *slog.Logger     // required
	// Files takes the attachments out of a raw message, with their data, so that answers and notices can carry them on.
	// Nil: none are carried.
	Files func(raw []byte) []File
	// Read parses a raw message again, for mail that is released from quarantine.
	Read func(raw []byte, arrived time.Time) *Message

	// Corrected is told after a commit in which an agent gave a ticket its category, before the next transaction begins: it
	// must be quick. Nil: nobody is.
	Corrected func(Correction)

	rules atomic.Pointer[Rules]
	wake  chan struct{}
	tick  chan struct{}
}

// NewDesk makes a desk that obeys rules.
func NewDesk(s *Store, r *Rules, now func() time.Time, log *slog.Logger) *Desk {
	d := &Desk{Store: s, Now: now, Log: log, wake: make(chan struct{}, 1), tick: make(chan struct{}, 1)}
	d.rules.Store(r)
	return d
}

// Rules returns the revision that is obeyed now.
func (d *Desk) Rules() *Rules { return d.rules.Load() }

// SetRules swaps the rules whole. Decisions under way end under the old ones.
func (d *Desk) SetRules(r *Rules) { d.rules.Store(r) }

// Wake receives after every commit that made a mail due.
func (d *Desk) Wake() <-chan struct{} { return d.wake }

// TimersChanged receives after every commit that set a timer.
func (d *Desk) TimersChanged() <-chan struct{} { return d.tick }

func (d *Desk) wakeSender() { kick(d.wake) }

func kick(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Receive settles messages: when it returns nil, all of it is durable — raw bytes, tickets, entries, owed mails and the
// mailbox's place. When it returns an error nothing happened, and the same call may be made again: what is settled
// already is not done twice. A message that cannot be processed is held and stops no other (S-139).
func (d *Desk) Receive(ctx context.Context, b Batch) ([]Outcome, error) {
	Failpoint("intake.begin")
	if err := d.findSent(ctx, b); err != nil {
		return nil, err
	}
	d.Store.keeping.RLock()
	defer d.Store.keeping.RUnlock()
	refs, err := d.archive(b)
	if err != nil {
		return nil, err
	}
	Failpoint("intake.archived")
	outcomes, err := d.receive(ctx, b, refs, true, "")
	if errors.Is(err, errNotMade) {
		outcomes, err = d.receive(ctx, b, refs, false, "")
	}
	if err != nil && !endsWork(ctx, err) {
		d.Log.Error("a message cannot be processed; the batch is taken one by one", "mailbox", b.Mailbox, "err", err)
		outcomes, err = d.receiveSingly(ctx, b, refs)
	}
	if err != nil {
		return nil, err
	}
	Failpoint("intake.settled")
	for i, out := range outcomes {
		d.Log.Info("message settled", "mailbox", b.Mailbox, "uid", b.Messages[i].Source.UID,
			"result", out.Result, "ticket", out.Ticket, "why", out.Why)
	}
	return outcomes, nil
}

// endsWork reports whether an error is no message's fault: the store or the caller has ended, or the disk is full.
func endsWork(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, ErrStopped) || errors.Is(err, ErrFull) || errors.Is(err, errClosed)
}

// receive settles a batch in one transaction. beside says that mails are made beside the decisions, and not
// each where it is owed. poison, when set, says why the message is held without a look at it.
func (d *Desk) receive(ctx context.Context, b Batch, refs []RawRef, beside bool, poison string) ([]Outcome, error) {
	rules := d.Rules()
	var outcomes []Outcome
	err := d.Store.Update(ctx, func(tx *Tx) error {
		outcomes = make([]Outcome, len(b.Messages))
		if beside {
			tx.making = newMaking()
			defer tx.endMaking()
		}
		now := d.Now().UTC()
		for i := range b.Messages {
			out, err := d.receiveOne(tx, rules, &b.Messages[i], refs[i], now, poison)
			if err != nil {
				return fmt.Errorf("receive %s: %w", b.Messages[i].Source, err)
			}
			outcomes[i] = out
		}
		if err := tx.putMade(); err != nil {
			return err
		}
		Failpoint("intake.applied")
		if err := tx.countArrivals(b, outcomes, d.Now()); err != nil {
			return err
		}
		return tx.advance(b)
	})
	return outcomes, err
}

// receiveSingly settles each message in a transaction of its own, and holds the ones that cannot be processed.
func (d *Desk) receiveSingly(ctx context.Context, b Batch, refs []RawRef) ([]Outcome, error) {
	var outcomes []Outcome
	for i := range b.Messages {
		one := Batch{Mailbox: b.Mailbox, UIDValidity: b.UIDValidity, Messages: b.Messages[i : i+1]}
		out, err := d.receive(ctx, one, refs[i:i+1], false, "")
		if err != nil && !endsWork(ctx, err) {
			d.Log.Error("message held: it cannot be processed", "mailbox", b.Mailbox, "uid", b.Messages[i].Source.UID, "err", err)
			out, err = d.receive(ctx, one, refs[i:i+1], false, "it could not be processed: "+oneLine(err.Error()))
		}
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, out...)
	}
	_, err := d.receive(ctx, Batch{Mailbox: b.Mailbox, UIDValidity: b.UIDValidity, Through: b.Through}, nil, false, "")
	return outcomes, err
}

// archive writes the raw bytes of what is new, before any row refers to them.
func (d *Desk) archive(b Batch) ([]RawRef, error) {
	raws, size, err := d.unkept(b)
	if err != nil {
		return nil, err
	}
	if raws == nil {
		return make([]RawRef, len(b.Messages)), d.Store.Err()
	}
	if err := d.Store.room(size); err != nil {
		return nil, err
	}
	if err := d.Store.Err(); err != nil {
		return nil, err
	}
	refs, err := d.Store.mail.put(d.Now(), raws)
	if err != nil {
		return nil, fmt.Errorf("keep the raw messages: %w", d.Store.commitError(err))
	}
	return refs, nil
}

// unkept returns the raw bytes of the messages that are neither settled nor known by their content, nil for the others,
// and how many octets that is. Without any such message it returns nil.
func (d *Desk) unkept(b Batch) (raws [][]byte, size uint64, err error) {
	sent := d.Rules().Mailboxes[b.Mailbox].Sent
	err = d.Store.View(func(tx *Tx) error {
		for i, in := range b.Messages {
			if in.Raw == nil {
				continue
			}
			if _, ok, err := tx.settledAs(in.Source); err != nil {
				return err
			} else if ok {
				continue
			}
			if sent {
				if concerns, err := d.concernsTicket(tx, in.Message); err != nil {
					return err
				} else if !concerns {
					continue
				}
			} else if in.Message != nil && !in.Message.Identity.IsZero() && tx.btx.Bucket(bucketIdentities).Get(in.Message.Identity[:]) != nil {
				continue // a duplicate: its content is kept already
			}
			if raws == nil {
				raws = make([][]byte, len(b.Messages))
			}
			raws[i] = in.Raw
			size += uint64(len(in.Raw))
		}
		return nil
	})
	return raws, size, err
}

// receiveOne settles one message inside a transaction.
func (d *Desk) receiveOne(tx *Tx, rules *Rules, in *Incoming, ref RawRef, now time.Time, poison string) (Outcome, error) {
	in = in.plausible(now)
	if r, ok, err := tx.settledAs(in.Source); err != nil {
		return Outcome{}, err
	} else if ok {
		return tx.outcomeOf(r)
	}
	if poison != "" {
		k := Unknown(rules, in.Source.Mailbox)
		held := Decision{Result: Quarantined, Why: poison, Hold: poison}
		if rules.Admin != "" {
			held.Mails = []Mail{healthMail(rules, k.Brand, []Line{{Key: "health.unreadable", Args: map[string]string{
				"mailbox": in.Source.Mailbox, "uid": strconv.FormatUint(uint64(in.Source.UID), 10), "reason": poison}}})}
		}
		return d.apply(&application{tx: tx, r: rules, in: in, known: k, dec: held, now: now}, ref)
	}
	known, err := tx.know(rules, in, now)
	if err != nil {
		return Outcome{}, err
	}
	if known.Intake.Sent && ref == (RawRef{}) {
		known.Ticket = nil // it was of no ticket when its content was, or was not, kept
	}
	if err := d.knowOrigin(tx, rules, known, in); err != nil {
		return Outcome{}, err
	}
	decision := Decide(known, in, rules, now)
	Failpoint("intake.decided")
	return d.apply(&application{tx: tx, r: rules, in: in, known: known, dec: decision, now: now}, ref)
}

// plausible is the message with an arrival that can be believed: clocks start there, and a server's wrong idea of the
// time must not start them in the future or before there was any mail (S-174).
func (in *Incoming) plausible(now time.Time) *Incoming {
	if !in.Arrived.After(now) && in.Arrived.Unix() > 0 {
		return in
	}
	c := *in
	c.Arrived = now
	return &c
}

// settledBefore is why a message that was settled is not settled again.
const settledBefore = "settled before"

// outcomeOf repeats what was said of a UID when it was settled.
func (tx *Tx) outcomeOf(r settledRecord) (Outcome, error) {
	out := Outcome{Result: r.Result, Why: settledBefore}
	if r.Message != 0 {
		m, err := tx.Stored(r.Message)
		if err != nil {
			return out, err
		}
		out.Ticket, out.Why = m.Ticket, m.Why
	}
	return out, nil
}

// Explain says what Receive would do with a message, and does nothing.
func (d *Desk) Explain(in *Incoming) (Decision, error) {
	var decision Decision
	rules, now := d.Rules(), d.Now().UTC()
	in = in.plausible(now)
	err := d.Store.View(func(tx *Tx) error {
		known, err := tx.know(rules, in, now)
		if err != nil {
			return err
		}
		if err := d.knowOrigin(tx, rules, known, in); err != nil {
			return err
		}
		decision = Decide(known, in, rules, now)
		return nil
	})
	return decision, err
}
