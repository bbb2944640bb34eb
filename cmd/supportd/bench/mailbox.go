package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// The stages that read a mailbox.

// poller follows the mailbox for a receiver.
func (r *run) poller(to mailin.Receiver, wake <-chan struct{}) *mailin.Poller {
	return &mailin.Poller{Mailbox: r.setup.Mailbox, To: to, Read: mailin.Parse, Wake: wake}
}

// follow runs a poller until the function returns.
func follow(ctx context.Context, p *mailin.Poller, while func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan error, 1)
	go func() {
		err := p.Run(ctx)
		if err != nil {
			cancel(err)
		}
		ended <- err
	}()
	err := while(ctx)
	cancel(nil)
	return errors.Join(err, <-ended)
}

// caughtUp waits until a mailbox was read to its end.
func caughtUp(ctx context.Context, p *mailin.Poller) error {
	return until(ctx, func() (bool, error) {
		s := p.Status()
		if s.Error != "" {
			return false, errors.New(s.Error)
		}
		return !s.LastPoll.IsZero(), nil
	})
}

// fetch reads the mailbox for nobody: nothing is parsed, decided or stored.
func (r *run) fetch(ctx context.Context) error {
	sink := &sink{next: 1}
	p := r.poller(sink, nil)
	p.Read = func(raw []byte, _ time.Time) *tickets.Message { return &tickets.Message{Size: int64(len(raw))} }
	s, err := r.measure(ctx, "fetch", "messages", r.Messages, func(ctx context.Context) error {
		return follow(ctx, p, func(ctx context.Context) error { return caughtUp(ctx, p) })
	})
	s.Count = sink.seen
	return err
}

// intake reads the mailbox into an empty desk: everything but sending.
func (r *run) intake(ctx context.Context) error {
	desk, err := r.newDesk("intake")
	if err != nil {
		return err
	}
	s, err := r.measure(ctx, "intake", "messages", r.Messages, func(ctx context.Context) error { return Catch(ctx, desk, r.setup.Mailbox) })
	b, berr := books(desk)
	s.Count = int(b.Seen)
	s.Note = fmt.Sprintf("%d tickets", b.Created)
	return errors.Join(err, berr, desk.Store.Close(), remove(filepath.Join(r.dir, "intake")))
}

// whole reads the mailbox, decides, stores and sends, all at the same time, until nothing is left to do.
func (r *run) whole(ctx context.Context) error {
	desk, err := r.filled(ctx)
	if err != nil {
		return err
	}
	start, err := books(desk)
	if err != nil {
		return errors.Join(err, desk.Store.Close())
	}
	s, err := r.measure(ctx, "whole", "messages", r.Messages, func(ctx context.Context) error {
		sending, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- r.sender(desk).Run(sending) }()
		p := r.poller(desk, nil)
		err := follow(ctx, p, func(ctx context.Context) error { return caughtUp(ctx, p) })
		if err == nil {
			err = until(ctx, func() (bool, error) { n, err := waiting(desk); return n == 0, err })
		}
		stop()
		return errors.Join(err, <-ended)
	})
	end, berr := books(desk)
	s.Count = int(end.Seen - start.Seen)
	s.Note = fmt.Sprintf("%d tickets made, and every mail that they call for sent", end.Created-start.Created)
	return errors.Join(err, berr, desk.Store.Close())
}

func books(desk *tickets.Desk) (b tickets.Books, err error) {
	err = desk.Store.View(func(tx *tickets.Tx) error { b = tx.Books(); return nil })
	return b, err
}

const startRounds = 11

// start opens the store, and follows a mailbox that was read, until it was looked at for the first time.
func (r *run) start(ctx context.Context) error {
	desk, err := r.filled(ctx)
	if err != nil {
		return err
	}
	if err := desk.Store.Close(); err != nil {
		return err
	}
	var took []time.Duration
	s, err := r.measure(ctx, "start", "starts", startRounds, func(ctx context.Context) error {
		for range startRounds {
			began := time.Now()
			desk, err := r.newDesk(deskName)
			if err != nil {
				return err
			}
			p := r.poller(settledDesk{desk}, nil)
			err = follow(ctx, p, func(ctx context.Context) error { return caughtUp(ctx, p) })
			took = append(took, time.Since(began))
			if err := errors.Join(err, desk.Store.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	s.quantiles(took)
	s.Note = "store opened, mailbox looked at; 5 ms of it from waiting for the answer"
	return err
}

// settledDesk is a desk that has settled all there is: starting is to be measured, not reading.
type settledDesk struct{ *tickets.Desk }

func (d settledDesk) Place(ctx context.Context, mailbox string, uidValidity uint32) (tickets.Place, error) {
	p, err := d.Desk.Place(ctx, mailbox, uidValidity)
	p.Next = beyond
	return p, err
}

func (d settledDesk) Settled(_ context.Context, _ string, _ uint32, uids []uint32) ([]tickets.Settled, error) {
	return allSettled(uids), nil
}

// beyond is a UID that no mailbox of a benchmark reaches.
const beyond = 1 << 31

func allSettled(uids []uint32) []tickets.Settled {
	list := make([]tickets.Settled, len(uids))
	for i, uid := range uids {
		list[i] = tickets.Settled{UID: uid, Result: tickets.Filed}
	}
	return list
}

const polls = 500

// poll looks at a mailbox with nothing new in it: once for what it costs, and once through a proxy that counts.
func (r *run) poll(ctx context.Context) error {
	var trips int64
	counted := r.setup.Mailbox
	host, port, err := net.SplitHostPort(r.servers.imap.addr())
	if err != nil {
		return err
	}
	counted.Host = host
	if counted.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	err = r.polling(ctx, counted, func(poll func() error) error {
		before := r.servers.imap.trips.Load()
		for range polls {
			if err := poll(); err != nil {
				return err
			}
		}
		trips = r.servers.imap.trips.Load() - before
		return nil
	})
	if err != nil {
		return err
	}
	return r.polling(ctx, r.setup.Mailbox, func(poll func() error) error {
		s, err := r.measure(ctx, "poll", "polls", polls, func(context.Context) error {
			for range polls {
				if err := poll(); err != nil {
					return err
				}
			}
			return nil
		})
		s.Trips = float64(trips) / polls
		s.Note = fmt.Sprintf("nothing new in %d messages; the trips are: end IDLE, look, begin IDLE", r.Messages)
		return err
	})
}

// polling follows a mailbox that was read, and gives a function that has it looked at once.
func (r *run) polling(ctx context.Context, box mailin.Config, while func(poll func() error) error) error {
	wake := make(chan struct{})
	p := r.poller(&sink{next: beyond}, wake)
	p.Mailbox = box
	return follow(ctx, p, func(ctx context.Context) error {
		if err := caughtUp(ctx, p); err != nil {
			return err
		}
		poll := func() error { // is heard when the round before has ended
			select {
			case wake <- struct{}{}:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return errors.Join(poll(), while(poll))
	})
}

const arrivals = 200

// arrival is the time from a mail's being in the mailbox to its being durable in the store of an idle desk.
func (r *run) arrival(ctx context.Context) error {
	if r.servers.out == nil || r.IMAP != "" {
		r.say("arrival needs the own IMAP server: left out")
		return nil
	}
	desk, err := r.newDesk("arrival")
	if err != nil {
		return err
	}
	stored := make(chan struct{}, arrivals)
	p := r.poller(notify{desk, stored}, nil)
	p.Mailbox.Since = time.Now()
	var took []time.Duration
	err = follow(ctx, p, func(ctx context.Context) error {
		if err := caughtUp(ctx, p); err != nil {
			return err
		}
		s, err := r.measure(ctx, "arrival", "messages", arrivals, func(ctx context.Context) error {
			for range arrivals {
				began := time.Now()
				if err := r.servers.deliver(); err != nil {
					return err
				}
				select {
				case <-stored:
					took = append(took, time.Since(began))
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return nil
		})
		s.quantiles(took)
		s.Note = "from its delivery to the end of the transaction; IDLE"
		return err
	})
	return errors.Join(err, desk.Store.Close(), remove(filepath.Join(r.dir, "arrival")))
}

// notify tells when new mail is durable.
type notify struct {
	*tickets.Desk
	stored chan<- struct{}
}

func (n notify) Receive(ctx context.Context, b tickets.Batch) ([]tickets.Outcome, error) {
	out, err := n.Desk.Receive(ctx, b)
	for _, in := range b.Messages {
		if err == nil && in.Absent == tickets.Present {
			n.stored <- struct{}{}
		}
	}
	return out, err
}

// sink is a receiver that keeps nothing.
type sink struct {
	mu   sync.Mutex
	next uint32
	seen int
}

func (s *sink) Place(_ context.Context, _ string, uidValidity uint32) (tickets.Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tickets.Place{UIDValidity: uidValidity, Next: s.next, Started: mailTime().AddDate(-1, 0, 0)}, nil
}

func (s *sink) Receive(_ context.Context, b tickets.Batch) ([]tickets.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen += len(b.Messages)
	if b.Through != 0 {
		s.next = b.Through + 1
	}
	return make([]tickets.Outcome, len(b.Messages)), nil
}

func (s *sink) Settled(_ context.Context, _ string, _ uint32, uids []uint32) ([]tickets.Settled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []uint32
	for _, uid := range uids {
		if uid < s.next {
			list = append(list, uid)
		}
	}
	return allSettled(list), nil
}

func (s *sink) Missed(context.Context, tickets.Source, string) (tickets.Hole, error) {
	return tickets.Hole{}, errors.New("the server did not hand out a message")
}
