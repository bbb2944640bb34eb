package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// deskName is the folder of the store that the stages share.
const deskName = "desk"

// filled opens the shared desk. What an earlier run left in it counts as what was stored before. Else, the first time, it stores as many messages as Fill says, as the desk itself does: read,
// decided about, and with the mails that they call for, which count as sent.
func (r *run) filled(ctx context.Context) (*tickets.Desk, error) {
	desk, err := r.newDesk(deskName)
	if err != nil {
		return nil, err
	}
	b, err := books(desk)
	switch {
	case err != nil || r.opened:
	case b.Seen > 0:
		r.kept, r.result.Fill = b.Seen, int(b.Seen)
	case r.Fill > 0:
		err = r.fill(ctx, desk)
	}
	r.opened = true
	if err != nil {
		return nil, errors.Join(err, desk.Store.Close())
	}
	return desk, nil
}

// fill stores short mails.
func (r *run) fill(ctx context.Context, desk *tickets.Desk) error {
	g := NewGenerator(r.Seed+2, deskAddress, mailTime())
	g.Small = true
	began := time.Now()
	for done := 0; done < r.Fill; {
		var in []tickets.Incoming
		for len(in) < 4*batch && done < r.Fill {
			m := g.Next()
			done++
			in = append(in, tickets.Incoming{
				Source:  tickets.Source{Mailbox: r.setup.Mailbox.Name, UIDValidity: validity, UID: uint32(done)},
				Arrived: m.At, Size: int64(len(m.Raw)), Raw: m.Raw, Message: mailin.Parse(m.Raw, m.At),
			})
		}
		if err := r.receive(ctx, desk, in); err != nil {
			return err
		}
		if err := settleOutbox(ctx, desk); err != nil {
			return err
		}
		if done%50_000 < 4*batch {
			r.say("%d of %d stored, %.0f/s", done, r.Fill, float64(done)/time.Since(began).Seconds())
		}
	}
	return nil
}

// settleOutbox records that everything that is due was sent.
func settleOutbox(ctx context.Context, desk *tickets.Desk) error {
	for {
		now := time.Now()
		due, _, err := desk.Due(ctx, now, 4*batch)
		if err != nil || len(due) == 0 {
			return err
		}
		var tried []tickets.Attempt
		var ended []tickets.Delivery
		for _, o := range due {
			tried = append(tried, tickets.Attempt{ID: o.ID, At: now, Next: now.Add(time.Hour)})
			ended = append(ended, tickets.Delivery{ID: o.ID, At: now, Result: tickets.ResultSent})
		}
		if err := errors.Join(desk.Attempt(ctx, tried), desk.Settle(ctx, ended)); err != nil {
			return err
		}
	}
}

const lookups = 20_000

// lookup finds tickets by their numbers, and by the Message-IDs of mails that the desk sent about them. Each is asked for
// twice, and the second time counts: the first brings the page into memory.
func (r *run) lookup(ctx context.Context) error {
	desk, err := r.filled(ctx)
	if err != nil {
		return err
	}
	defer desk.Store.Close()
	b, err := books(desk)
	if err != nil {
		return err
	}
	if b.Created == 0 {
		return errors.New("there is no ticket; run the stage store too, or fill the store")
	}
	random := rand.New(rand.NewPCG(r.Seed, 5))
	var numbers, ids []string
	err = desk.Store.View(func(tx *tickets.Tx) error {
		for range min(lookups, int(b.Created)) {
			t, err := tx.Ticket(tickets.TicketID(1 + random.Uint64N(b.Created)))
			if err != nil {
				return err
			}
			numbers = append(numbers, t.Number)
			if id := ownID(desk, t); id != "" {
				ids = append(ids, id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	byNumber := func(tx *tickets.Tx, number string) error { _, err := tx.TicketByNumber(number); return err }
	byID := func(tx *tickets.Tx, id string) error {
		local, _, _ := strings.Cut(id, "@")
		token, err := desk.Store.Keys().Verify(local)
		if err == nil {
			_, err = tx.Ticket(token.Ticket)
		}
		return err
	}
	return errors.Join(r.look(ctx, desk, "number", numbers, byNumber), r.look(ctx, desk, "message-id", ids, byID))
}

// ownID is the Message-ID of a mail that the desk sent about a ticket, or "".
func ownID(desk *tickets.Desk, t *tickets.Ticket) string {
	for _, thread := range t.Thread {
		for _, id := range thread {
			local, _, _ := strings.Cut(id, "@")
			if _, err := desk.Store.Keys().Verify(local); err == nil {
				return id
			}
		}
	}
	return ""
}

func (r *run) look(ctx context.Context, desk *tickets.Desk, by string, keys []string, find func(*tickets.Tx, string) error) error {
	var took []time.Duration
	s, err := r.measure(ctx, "lookup by "+by, "look-ups", 2*len(keys), func(context.Context) error {
		for i := range 2 * len(keys) {
			began := time.Now()
			if err := desk.Store.View(func(tx *tickets.Tx) error { return find(tx, keys[i/2]) }); err != nil {
				return err
			}
			if i%2 == 1 {
				took = append(took, time.Since(began))
			}
		}
		return nil
	})
	s.quantiles(took)
	return err
}

func remove(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}
