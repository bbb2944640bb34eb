package mailout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"supportd/tickets"
)

const (
	windowFactor = 12                   // mails on their way for each connection: one sent, the others waiting for no commit
	page         = 64                   // mails asked for at once when many may have to be put aside
	beside       = 8                    // mails asked for beyond the room, when those first asked for have to wait for others
	together     = 3                    // a result waits for others, until this share of the mails on their way has ended: a third
	linger       = 5 * time.Millisecond // the longest that a result waits for others to be recorded with
	longest      = time.Minute          // the longest wait, so that a clock that jumps is noticed
	unknownPause = 5 * time.Minute      // for mails whose server is not configured
	busyPause    = 10 * time.Second     // for mails of a busy server that stand before those of an idle one
)

// dispatcher moves mails from the outbox to the relays and the results back. Its fields belong to one goroutine.
type dispatcher struct {
	sender *Sender
	log    *slog.Logger
	relays map[string]*relay
	jobs   map[string]chan *tickets.Outgoing
	ended  chan tickets.Delivery // has room for all that can be on their way
	nudge  chan struct{}
	limit  *limiter

	flying    map[tickets.OutgoingID]flight
	unsettled []tickets.Delivery // ended, not recorded
	failures  int                // of the outbox, in a row
}

// flight is a mail on its way.
type flight struct {
	relay *relay
	order order
	next  time.Time // of its Attempt
}

// order is what mails share that must not overtake each other.
type order struct {
	ticket    tickets.TicketID
	recipient string
}

// loop dispatches until ctx ends or the outbox has stopped.
func (d *dispatcher) loop(ctx context.Context) error {
	for ctx.Err() == nil {
		d.collect()
		next, err := d.turn(ctx)
		d.publish()
		switch {
		case err == nil:
			d.failures = 0
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, tickets.ErrStopped):
			return err
		default:
			// The first time may be due to a mail that was taken back in between: the next look does not find it.
			pause := min(longest, time.Second<<min(d.failures, 6)) * time.Duration(min(d.failures, 1))
			d.failures++
			d.log.Error("outbox failed, trying again", "err", err, "pause", pause)
			next = d.sender.now().Add(pause)
		}
		d.wait(ctx, next, err == nil)
	}
	return nil
}

// turn records what has ended and begins what is due. It returns when the next mail will be due; zero when something
// else will happen first.
func (d *dispatcher) turn(ctx context.Context) (time.Time, error) {
	if err := d.settle(); err != nil {
		return time.Time{}, err
	}
	var soonest time.Time
	more := 0 // asked for beyond the room: each mail that is had for nothing was put together and proved for nothing
	for {
		now := d.sender.now()
		limit := d.want(now)
		if limit == 0 {
			return time.Time{}, nil
		}
		limit += more
		due, next, err := d.sender.Outbox.Due(ctx, now, limit)
		if err != nil {
			return time.Time{}, fmt.Errorf("ask for due mails: %w", err)
		}
		p := d.plan(due, now)
		if len(p.attempts) == 0 {
			switch {
			case len(due) < limit:
				return earlier(soonest, next), nil
			case more > 0:
				return soonest, nil // all of them wait for mails on their way
			}
			more = beside
			continue
		}
		if err := d.begin(ctx, p); err != nil {
			return time.Time{}, err
		}
		for _, dl := range p.aside {
			soonest = earlier(soonest, dl.Next)
		}
		if len(due) < limit {
			return earlier(soonest, next), nil
		}
	}
}

// wait returns when there is something to do. Results are not looked at while the outbox fails: there is nowhere to
// record them.
func (d *dispatcher) wait(ctx context.Context, next time.Time, results bool) {
	pause := longest
	if !next.IsZero() {
		pause = max(0, min(pause, next.Sub(d.sender.now())))
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	ended, wake, nudge := d.ended, d.sender.Wake, d.nudge
	if !results {
		ended, wake, nudge = nil, nil, nil
	}
	select {
	case dl := <-ended:
		d.unsettled = append(d.unsettled, dl)
		d.gather(ctx)
	case <-wake:
	case <-nudge:
	case <-t.C:
	case <-ctx.Done():
	}
}

// gather takes the results that follow one soon: to record each by itself would take longer than to send a mail. The
// workers have enough to do meanwhile; when they have not, or nothing comes, what is there is recorded.
func (d *dispatcher) gather(ctx context.Context) {
	t := time.NewTimer(linger)
	defer t.Stop()
	for together*len(d.unsettled) < len(d.flying) {
		select {
		case dl := <-d.ended:
			d.unsettled = append(d.unsettled, dl)
		case <-t.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// collect takes the results that are there.
func (d *dispatcher) collect() {
	for {
		select {
		case dl := <-d.ended:
			d.unsettled = append(d.unsettled, dl)
		default:
			return
		}
	}
}

// settle records what has ended, also when the program is about to end: what is not recorded is sent again.
func (d *dispatcher) settle() error {
	if len(d.unsettled) == 0 {
		return nil
	}
	if err := d.sender.Outbox.Settle(context.Background(), d.unsettled); err != nil {
		return fmt.Errorf("record deliveries: %w", err)
	}
	tickets.Failpoint("send.recorded")
	for _, dl := range d.unsettled {
		delete(d.flying, dl.ID)
		d.sender.count(dl)
	}
	d.unsettled = nil
	return nil
}

// want returns how many mails to ask for; 0 when none could be begun.
func (d *dispatcher) want(now time.Time) int {
	free, holding := 0, false
	for _, r := range d.relays {
		free += d.room(r)
		holding = holding || r.holding()
	}
	if free == 0 && !holding && len(d.relays) > 0 {
		return 0
	}
	limit := free
	for _, f := range d.flying {
		if !f.next.After(now) {
			limit++ // due again, although it is still on its way
		}
	}
	if holding || d.limit.holding() || len(d.relays) != 1 {
		limit = max(limit, page)
	}
	return limit
}

func (d *dispatcher) room(r *relay) int {
	n := r.window()
	for _, f := range d.flying {
		if f.relay == r {
			n--
		}
	}
	return max(0, n)
}

// plan is what to do about a page of due mails. All of them are recorded as attempts first, so that whoever keeps the
// outbox need not tell those put aside from those that failed.
type plan struct {
	attempts []tickets.Attempt
	start    []*tickets.Outgoing
	flights  []flight           // of start
	aside    []tickets.Delivery // not to be tried now, or ever
}

func (d *dispatcher) plan(due []tickets.Outgoing, now time.Time) plan {
	var p plan
	free := make(map[*relay]int)
	idle := false
	for _, r := range d.relays {
		free[r] = d.room(r)
		idle = idle || free[r] > 0
	}
	taken := make(map[order]bool)
	for _, f := range d.flying {
		taken[f.order] = true
	}
	for i := range due {
		m := &due[i]
		if _, ok := d.flying[m.ID]; ok {
			continue
		}
		r, o := d.relays[m.Server], order{m.Ticket, m.Recipient}
		dl := d.aside(m, r, now)
		switch {
		case dl != nil:
		case m.Ticket != 0 && taken[o]:
			continue
		case free[r] == 0 && idle && len(due) >= page:
			dl = &tickets.Delivery{Result: tickets.ResultUntried, Next: now.Add(busyPause), Detail: "waits for other mails"}
		case free[r] == 0:
			continue
		case m.Class == tickets.ClassAuto:
			dl = d.overLimit(m, now)
		}
		a := tickets.Attempt{ID: m.ID, At: now, Next: now.Add(unknownPause)}
		if dl != nil {
			dl.ID, dl.At = m.ID, now
			p.aside = append(p.aside, *dl)
		} else {
			a.Next = now.Add(after(r.server.Retry, m.Attempts))
			free[r]--
			taken[o] = true
			p.start = append(p.start, m)
			p.flights = append(p.flights, flight{relay: r, order: o, next: a.Next})
		}
		p.attempts = append(p.attempts, a)
	}
	return p
}

// aside says why a mail is not to be tried now; nil when it is.
func (d *dispatcher) aside(m *tickets.Outgoing, r *relay, now time.Time) *tickets.Delivery {
	if err := checkOutgoing(m); err != nil {
		return &tickets.Delivery{Result: tickets.ResultPermanent, Detail: oneLine(err.Error())}
	}
	if r == nil {
		return &tickets.Delivery{Result: tickets.ResultUntried, Next: now.Add(unknownPause),
			Detail: fmt.Sprintf("there is no smtp server %q in the configuration", m.Server)}
	}
	if until, why := r.heldUntil(m.EnvelopeFrom); !until.IsZero() {
		return &tickets.Delivery{Result: tickets.ResultUntried, Next: until, Detail: why}
	}
	return nil
}

// overLimit puts an automatic answer aside when there are too many of them.
func (d *dispatcher) overLimit(m *tickets.Outgoing, now time.Time) *tickets.Delivery {
	until := d.limit.take(m.ID, now)
	if !until.After(now) {
		return nil
	}
	return &tickets.Delivery{Result: tickets.ResultUntried, Next: until, Detail: "too much automatic mail in this minute"}
}

// begin records a plan and carries it out.
func (d *dispatcher) begin(ctx context.Context, p plan) error {
	if err := d.sender.Outbox.Attempt(ctx, p.attempts); err != nil {
		return fmt.Errorf("record attempts: %w", err)
	}
	tickets.Failpoint("send.planned")
	for i, m := range p.start {
		d.flying[m.ID] = p.flights[i]
		d.jobs[m.Server] <- m
	}
	d.tell(p)
	d.unsettled = append(d.unsettled, p.aside...)
	return d.settle()
}

// tell logs what an operator has to know of the mails that were put aside.
func (d *dispatcher) tell(p plan) {
	for _, dl := range p.aside {
		if dl.Result == tickets.ResultPermanent {
			d.log.Error("mail cannot be sent", "outgoing", dl.ID)
		}
	}
	if n, tripped := d.limit.tripped(); tripped {
		d.log.Warn("automatic mail has reached its limit, more of it is held back", "per_minute", n)
	}
}

// checkOutgoing reports why a mail cannot be sent at all.
func checkOutgoing(m *tickets.Outgoing) error {
	if m.EnvelopeFrom != "" {
		if err := checkAddress(m.EnvelopeFrom); err != nil {
			return fmt.Errorf("envelope sender: %w", err)
		}
	}
	if err := checkAddress(m.Recipient); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	return checkBytes(m.Bytes)
}

// earlier returns the earlier instant; zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
