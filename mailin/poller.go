package mailin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"

	"supportd/tickets"
)

// Timing holds the waits of a Poller. Zero values take the default.
type Timing struct {
	BackoffMin time.Duration // before the first reconnect; default 1 s; doubles, with jitter
	BackoffMax time.Duration // default 5 min
	Busy       time.Duration // least wait after the server said that it is busy; default 30 s
	Login      time.Duration // least wait after a refused login; default 5 min, so that no account gets locked
	Step       time.Duration // limit for the answer to one command; default 60 s
	Reconcile  time.Duration // how often the whole mailbox is compared with the store; default 1 h
	Retry      time.Duration // first wait before a message that could not be had is tried again; default 30 s; grows
	TakeOver   time.Duration // between taking a mailbox from another desk and reading it: so long the other may still be at a batch; default 1 min
	GiveUp     time.Duration // such a message is settled as failed at the fifth attempt or after this, whichever is later; default 10 min
}

func (t Timing) withDefaults() Timing {
	t.BackoffMin = cmp.Or(t.BackoffMin, time.Second)
	t.BackoffMax = cmp.Or(t.BackoffMax, 5*time.Minute)
	t.Busy = cmp.Or(t.Busy, 30*time.Second)
	t.Login = cmp.Or(t.Login, 5*time.Minute)
	t.Step = cmp.Or(t.Step, time.Minute)
	t.Reconcile = cmp.Or(t.Reconcile, time.Hour)
	t.Retry = cmp.Or(t.Retry, 30*time.Second)
	t.TakeOver = cmp.Or(t.TakeOver, time.Minute)
	t.GiveUp = cmp.Or(t.GiveUp, 10*time.Minute)
	return t
}

// giveUpAttempts is how often a message is tried before it is settled as one that cannot be had (S-010).
const giveUpAttempts = 5

// Poller follows one mailbox: connect, catch up, IDLE until something comes or the poll interval is over, and again.
// Mailbox, To and Read are required. The fields must not change once Run was called.
type Poller struct {
	Mailbox Config
	To      Receiver
	// Read turns the octets of a message into what they say; mailin.Parse. It may be called from several goroutines,
	// and may panic: the message is then handed over with what is left of it.
	Read func(raw []byte, arrived time.Time) *tickets.Message

	// Check checks the signatures of a message as it came. It may be called from several goroutines, and is over within
	// seconds whatever the name service does. nil: nobody checks them.
	Check func(ctx context.Context, raw []byte, m *tickets.Message) []tickets.Signature

	// Claims keeps what this desk has said in the mailbox, so that no second desk reads it; nil: nobody says anything there.
	Claims  Claims
	ClaimAs string    // whose claims they are, for people: machine and state directory
	Random  io.Reader // for the tokens of claims; required with Claims

	Log    *slog.Logger              // nil: silent
	Now    func() time.Time          // nil: time.Now
	Rand   func() float64            // jitter, in [0,1); nil: none
	Wake   <-chan struct{}           // look at the mailbox now, and do not wait before connecting again; may be nil
	After  func(time.Duration) Alarm // nil: real timers
	Timing Timing

	Workers  int   // messages read at a time; default: one per processor, at most 4
	InFlight int64 // octets of messages that are held at a time; default 8 MiB

	mu     sync.Mutex
	status Status
	looks  looks
}

// Alarm is a timer. Stop ends it early.
type Alarm struct {
	C    <-chan time.Time
	Stop func()
}

// Status says how a Poller is doing.
type Status struct {
	Name      string
	Connected bool
	Since     time.Time // when Connected became what it is
	LastPoll  time.Time // when the mailbox was last looked at, to the end
	LastUID   uint32    // every message up to it is settled or waits to be tried again
	Waiting   int       // messages that could not be had yet
	Error     string    // why it is not connected, or what it cannot do; one line
	Claimed   bool      // another desk reads the mailbox, and this one does not
}

// Status is a snapshot; it may be asked for at any time.
func (p *Poller) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status
	s.Name = p.Mailbox.Name
	return s
}

func (p *Poller) setStatus(change func(*Status)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.status.Connected
	change(&p.status)
	if was != p.status.Connected || p.status.Since.IsZero() {
		p.status.Since = p.Now()
	}
}

// Run follows the mailbox until ctx ends, and then returns nil. Whatever goes wrong with the server or the Receiver is
// logged, shown in Status and tried again; only tickets.ErrStopped, and a configuration that cannot work, end it with
// an error.
func (p *Poller) Run(ctx context.Context) error {
	box, timing := p.Mailbox.withDefaults(), p.Timing.withDefaults()
	if err := box.check(); err != nil {
		return fmt.Errorf("mailbox %q: %w", box.Name, err)
	}
	p.fill()
	p.setStatus(func(*Status) {})
	f := &follower{
		Poller: p, box: box, timing: timing,
		holes: map[uint32]*hole{}, broke: map[uint32]int{}, unknown: map[uint32]bool{},
	}
	failures, last := 0, ""
	for {
		started := p.Now()
		f.progress = false
		err := f.follow(ctx)
		if ctx.Err() != nil {
			p.setStatus(func(s *Status) { s.Connected = false })
			return nil
		}
		if errors.Is(err, tickets.ErrStopped) {
			return err
		}
		if f.progress || p.Now().Sub(started) >= time.Minute {
			failures = 0
		}
		failures++
		text := inWords(err, box)
		var claimed *claimedError
		p.setStatus(func(s *Status) { s.Connected, s.Error, s.Claimed = false, text, errors.As(err, &claimed) })
		wait := pause(timing, p.Rand, err, failures)
		// A trouble that goes on is told once.
		level := slog.LevelWarn
		switch {
		case text == last && !f.progress:
			level = slog.LevelDebug
		case claimed != nil:
			level = slog.LevelError
		}
		last = text
		p.Log.Log(ctx, level, "mailbox connection ended", "mailbox", p.Mailbox.Name, "err", text, "retry_in", wait.Round(time.Millisecond))
		if !p.sleep(ctx, wait) {
			return nil
		}
	}
}

func (p *Poller) fill() {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Rand == nil {
		p.Rand = func() float64 { return 0.5 }
	}
	if p.After == nil {
		p.After = func(d time.Duration) Alarm {
			t := time.NewTimer(d)
			return Alarm{C: t.C, Stop: func() { t.Stop() }}
		}
	}
	if p.Workers == 0 {
		p.Workers = min(4, runtime.GOMAXPROCS(0))
	}
	if p.InFlight == 0 {
		p.InFlight = 8 << 20
	}
}

// pause is how long to wait before the next connection: doubling up to the maximum, half of it random, so that many
// mailboxes of one server do not come back at once. Servers that are busy, and those that refuse the login, get more time.
func pause(t Timing, random func() float64, err error, failures int) time.Duration {
	d := t.BackoffMax
	if failures < 30 {
		d = min(d, t.BackoffMin<<(failures-1))
	}
	d = time.Duration(float64(d) * (0.5 + random()/2))
	var claimed *claimedError
	var rest *restError
	switch {
	case errors.As(err, &rest):
		d = t.TakeOver // at once when it is asked for again before: it says the same
	case errors.As(err, &claimed):
		d = t.Busy
	case errors.Is(err, errLogin) || needsPerson(err):
		d = max(d, t.Login+time.Duration(float64(t.Login)*random()/10))
	case isBusy(err, failures):
		d = max(d, t.Busy+time.Duration(float64(t.Busy)*random()/2))
	}
	return d
}

// isBusy reports whether the server asked to be left alone for a while: BYE for a greeting, or again and again, or a code
// of RFC 5530 that says so. One BYE may be a restart.
func isBusy(err error, failures int) bool {
	var bye *byeError
	if errors.As(err, &bye) {
		return failures > 1
	}
	var status *imap.Error
	if !errors.As(err, &status) {
		return false
	}
	switch status.Code {
	case imap.ResponseCodeLimit, imap.ResponseCodeUnavailable, imap.ResponseCodeInUse:
		return true
	}
	return status.Type == imap.StatusResponseTypeBye
}

// sleep waits, at most until somebody wants the mailbox looked at, and reports whether ctx goes on.
func (p *Poller) sleep(ctx context.Context, d time.Duration) bool {
	a := p.After(d)
	defer a.Stop()
	select {
	case <-a.C:
		return true
	case <-p.Wake:
		return true
	case <-ctx.Done():
		return false
	}
}
