package tickets

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// Health takes what was found of the desk's own health, keeps what follows from it, and owes the admin a mail about what
// has begun or ended. Mails about health that wait for a server that cannot be used are moved to one that can. When
// nothing changes nothing is written.
func (d *Desk) Health(ctx context.Context, checks []HealthCheck) error {
	now := d.Now().UTC()
	down := map[string]bool{}
	for _, c := range checks {
		if c.Server != "" && c.State == HealthWrong {
			down[c.Server] = true
		}
	}
	var quiet bool
	err := d.Store.View(func(tx *Tx) error {
		open, err := tx.troubles()
		if err != nil {
			return err
		}
		next, say := weigh(open, checks, now)
		stuck, err := tx.stuckNotices(d.Rules(), down)
		quiet = len(say) == 0 && len(stuck) == 0 && reflect.DeepEqual(open, next)
		return err
	})
	if err != nil || quiet {
		return err
	}
	return d.Store.Update(ctx, func(tx *Tx) error {
		r := d.Rules()
		open, err := tx.troubles()
		if err != nil {
			return err
		}
		next, say := weigh(open, checks, now)
		if err := tx.putTroubles(open, next); err != nil {
			return err
		}
		stuck, err := tx.stuckNotices(r, down)
		if err != nil {
			return err
		}
		for _, o := range stuck {
			if err := tx.reschedule(&o, now); err != nil {
				return err
			}
		}
		tx.onCommit(d.wakeSender)
		if len(say) == 0 {
			return nil
		}
		for _, l := range say {
			if err := tx.logHealth(now, l); err != nil {
				return err
			}
		}
		if r.Admin == "" {
			return nil
		}
		b := r.healthBrand(down)
		mail := healthMail(r, b, say)
		for _, l := range say {
			mail.Important = mail.Important || !l.OK
		}
		return d.owe(&application{tx: tx, r: r, in: &Incoming{Arrived: now}, known: &Known{Brand: b}, now: now}, mail)
	})
}

func (tx *Tx) logHealth(now time.Time, l Line) error {
	args, err := json.Marshal(l.Args)
	if err != nil {
		return err
	}
	return tx.log(now, l.Key, string(args))
}

// stuckNotices are the mails about health that wait for a server that cannot be used, with the server that can in its
// place. One of which an attempt may be under way, or in doubt, stays: two servers must not have the same mail.
func (tx *Tx) stuckNotices(r *Rules, down map[string]bool) ([]Outgoing, error) {
	if len(down) == 0 {
		return nil, nil
	}
	b := r.healthBrand(down)
	if down[b.Server] {
		return nil, nil
	}
	list, err := tx.scheduled()
	if err != nil {
		return nil, err
	}
	var stuck []Outgoing
	for _, o := range list {
		if o.Template == TemplateHealth && down[o.Server] && o.State != Sending && o.InDoubt == 0 {
			o.Server = b.Server
			stuck = append(stuck, o)
		}
	}
	return stuck, nil
}

// Troubles returns what is wrong with the desk itself, by key.
func (tx *Tx) Troubles() ([]Trouble, error) {
	var list []Trouble
	err := tx.each(bucketHealth, nil, func(k, v []byte) (bool, error) {
		var t Trouble
		if err := decodeRecord(v, &t); err != nil {
			return false, fmt.Errorf("health %q: %w", k, err)
		}
		list = append(list, t)
		return true, nil
	})
	return list, err
}

func (tx *Tx) troubles() (map[string]Trouble, error) {
	list, err := tx.Troubles()
	open := map[string]Trouble{}
	for _, t := range list {
		open[t.Key] = t
	}
	return open, err
}

func (tx *Tx) putTroubles(open, next map[string]Trouble) error {
	for key := range open {
		if _, ok := next[key]; !ok {
			if err := tx.btx.Bucket(bucketHealth).Delete([]byte(key)); err != nil {
				return err
			}
		}
	}
	for key, t := range next {
		if reflect.DeepEqual(open[key], t) {
			continue
		}
		if err := tx.put(bucketHealth, []byte(key), &t); err != nil {
			return err
		}
	}
	return nil
}

// GivenUp counts the mails that were given up since the store began, but for those about the desk's own health: a notice
// about a notice that did not arrive would not arrive either.
func (tx *Tx) GivenUp() uint64 { return tx.counter(counterLost) }

const counterLost = "lost"

// Overdue counts the mails that should have left before then and did not, and says since when the oldest waits. It looks
// at so many that more would change nothing.
func (tx *Tx) Overdue(then time.Time) (n int, since time.Time, err error) {
	const enough = 2000
	err = tx.each(bucketDue, nil, func(k, _ []byte) (bool, error) {
		o, err := tx.Outgoing(OutgoingID(binary.BigEndian.Uint64(k[8:])))
		if errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged) {
			return true, nil // Due tells of it, doctor names it
		} else if err != nil {
			return false, err
		}
		from := latest(o.Created, o.NotBefore)
		if from.After(then) {
			return true, nil
		}
		if n++; since.IsZero() || from.Before(since) {
			since = from
		}
		return n < enough, nil
	})
	return n, since, err
}
