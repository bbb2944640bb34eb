package mailout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"supportd/tickets"
)

// Outbox is where a Sender finds what is due, and records what it does about it. Its methods are called by one
// goroutine.
type Outbox interface {
	// Due returns up to limit mails whose time has come, with their bytes, oldest first, and the instant when the next one
	// will be due (zero: none). A mail of which an attempt was recorded is not due again before that attempt's Next.
	Due(ctx context.Context, now time.Time, limit int) ([]tickets.Outgoing, time.Time, error)
	// Attempt records that these deliveries are about to be tried; nothing is sent before it returns nil. It records all or
	// none.
	Attempt(ctx context.Context, attempts []tickets.Attempt) error
	// Settle records how deliveries ended. Every one of them was an Attempt before.
	Settle(ctx context.Context, deliveries []tickets.Delivery) error
}

// DefaultAutoPerMinute is how many automatic answers leave in a minute when nothing else is said.
const DefaultAutoPerMinute = 300

// Sender hands the mails of an Outbox to SMTP servers: one transaction for each recipient, several at a time, over
// connections that are kept for a while. Two mails of one ticket to one recipient never overtake each other while both
// are on their way; one that is put off is overtaken.
//
// Every mail is delivered at least once. It is delivered twice only when the connection or the process ends between the
// end of the mail and the record of the server's reply (RFC 1047); both copies then have the same bytes.
type Sender struct {
	Outbox  Outbox            // required
	Servers map[string]Server // by the name that Outgoing.Server has

	Wake <-chan struct{}  // says that something may be due; nil is never
	Now  func() time.Time // nil is time.Now; a change of it is noticed at the next Wake, or within a minute
	Rand func() float64   // in [0,1), to spread what would happen at once; nil is the runtime's
	Log  *slog.Logger     // nil is silent

	// AutoPerMinute bounds the automatic answers (tickets.ClassAuto) of any 60 seconds, over all servers, so that a loop
	// that got past all other guards stays small (S-052). What people wrote is never held back. 0 is
	// DefaultAutoPerMinute; below 0 there is no bound.
	AutoPerMinute int
	// Grace is how long transactions that are under way may take when Run is to end. Default: 5 s.
	Grace time.Duration
	// Dial opens connections; nil is a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu     sync.Mutex
	relays map[string]*relay
	status Status
}

func (s *Sender) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Sender) rand() float64 {
	if s.Rand == nil {
		return rand.Float64()
	}
	return s.Rand()
}

func (s *Sender) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// Run sends until ctx ends, and returns nil then: no further mail is begun, those under way get Grace, and all is
// recorded. It returns an error when a server is configured in a way that cannot work, or when the outbox has stopped for
// good (tickets.ErrStopped); other errors of the outbox are logged and tried again.
func (s *Sender) Run(ctx context.Context) error {
	d := &dispatcher{
		sender: s, log: s.log(), relays: make(map[string]*relay), jobs: make(map[string]chan *tickets.Outgoing),
		flying: make(map[tickets.OutgoingID]flight), nudge: make(chan struct{}, 1), limit: newLimiter(s.AutoPerMinute),
	}
	dial := s.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	room := 0
	for name, server := range s.Servers {
		server.Name = name
		server, err := server.withDefaults()
		if err != nil {
			return err
		}
		r := newRelay(server, s, dial, d.nudge)
		d.relays[name] = r
		d.jobs[name] = make(chan *tickets.Outgoing, windowFactor*server.Connections)
		room += cap(d.jobs[name])
	}
	d.ended = make(chan tickets.Delivery, room)
	s.mu.Lock()
	s.relays = d.relays
	s.mu.Unlock()
	return d.run(ctx)
}

// run starts the workers, dispatches, and ends everything it started.
func (d *dispatcher) run(ctx context.Context) error {
	hard, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	tending, stopTending := context.WithCancel(hard)
	defer stopTending()
	var workers, tenders sync.WaitGroup
	for name, r := range d.relays {
		for range r.server.Connections {
			workers.Go(func() { d.work(ctx, hard, r, d.jobs[name]) })
		}
		tenders.Go(func() { r.tend(tending) })
	}

	err := d.loop(ctx)

	for _, jobs := range d.jobs {
		close(jobs)
	}
	grace := d.sender.Grace
	set(&grace, 5*time.Second)
	abort := time.AfterFunc(grace, stop)
	workers.Wait()
	abort.Stop()
	stopTending()
	tenders.Wait()
	for _, r := range d.relays {
		r.leave()
	}
	d.collect()
	if last := d.settle(); last != nil {
		return errors.Join(err, fmt.Errorf("record %d deliveries that ended, their mails may be sent again: %w", len(d.unsettled), last))
	}
	return err
}

// work delivers what it is given. Once ctx has ended nothing more is begun.
func (d *dispatcher) work(ctx, hard context.Context, r *relay, jobs <-chan *tickets.Outgoing) {
	for m := range jobs {
		if ctx.Err() != nil {
			d.ended <- r.delivery(m, outcome{result: tickets.ResultUntried, detail: "the program was stopped"}, time.Time{})
			continue
		}
		d.ended <- r.deliver(hard, m)
	}
}
