package mailin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"

	"supportd/tickets"
)

// Keeper looks after the folders beside the one that a Poller follows, all of them on one connection of its own: it
// puts copies of sent mails into one, and reads what appears in them. The folder that is listed last is the one whose news it hears at once; the others are
// looked at every poll interval. Mailbox is required; the fields must not change once Run was called.
type Keeper struct {
	Mailbox Config // who logs in where; Folder, After and Since are not used
	Follow  []*Followed
	Copies  Copies // of sent mails, for Sent; nil: none are made
	Sent    string // the folder for them: its name, or its use such as \Sent
	Mirror  Mirror // of tickets' states, at the messages; nil: none is made
	// Read tells the content of a message, by which one is known again; required with Mirror. It may panic.
	Read func(raw []byte, arrived time.Time) *tickets.Message

	Log    *slog.Logger              // nil: silent
	Now    func() time.Time          // nil: time.Now
	Rand   func() float64            // jitter, in [0,1); nil: none
	Wake   <-chan struct{}           // look at everything now; may be nil
	After  func(time.Duration) Alarm // nil: real timers
	Timing Timing

	mu       sync.Mutex
	mirrored MirrorStatus
}

// Followed is one folder that a Keeper reads, message by message and each once, as a Poller does. It changes nothing in
// it. Name, Folder, To and Read are required.
type Followed struct {
	Name   string // as what its messages are handed over: the mailbox of their Source
	Folder string // its name, or its use (RFC 6154) such as \Sent
	To     Receiver
	Read   func(raw []byte, arrived time.Time) *tickets.Message
	// Begin, when set, is told of the folder before its place is asked for, with the UID that the next message will get: of a
	// folder that is new, or numbered anew, it has to put the place there. Messages are then never too old by their date.
	Begin func(ctx context.Context, uidValidity, next uint32) error

	poller atomic.Pointer[Poller] // once Run began
}

// Status is a snapshot of one folder; it may be asked for at any time.
func (d *Followed) Status() Status {
	if p := d.poller.Load(); p != nil {
		return p.Status()
	}
	return Status{Name: d.Name}
}

// Run looks after the folders until ctx ends, and then returns nil. What goes wrong is logged, shown in the folders'
// Status and tried again; only tickets.ErrStopped, and a configuration that cannot work, end it with an error.
func (k *Keeper) Run(ctx context.Context) error {
	box := k.Mailbox.withDefaults()
	box.After, box.MoveTo, box.Since = AfterLeave, "", time.Time{}
	if err := box.check(); err != nil {
		return fmt.Errorf("mailbox %q: %w", box.Name, err)
	}
	// Nothing is read with it: it waits, and keeps the state of the connection.
	own := &Poller{Mailbox: box, Log: k.Log, Now: k.Now, Rand: k.Rand, Wake: k.Wake, After: k.After, Timing: k.Timing}
	own.fill()
	own.setStatus(func(*Status) {})
	r := &keeping{Keeper: k, own: own, box: box, timing: k.Timing.withDefaults()}
	for _, d := range k.Follow {
		r.folders = append(r.folders, d.follower(own, box, r.timing))
	}
	failures, last := 0, ""
	for {
		started := own.Now()
		err := r.connection(ctx)
		if ctx.Err() != nil {
			r.ended("")
			return nil
		}
		if errors.Is(err, tickets.ErrStopped) {
			return err
		}
		if own.Now().Sub(started) >= time.Minute {
			failures = 0
		}
		failures++
		text := inWords(err, box)
		r.ended(text)
		wait := pause(r.timing, own.Rand, err, failures)
		level := slog.LevelWarn
		if text == last { // a trouble that goes on is told once
			level = slog.LevelDebug
		}
		last = text
		own.Log.Log(ctx, level, "connection for further folders ended", "mailbox", box.Name, "err", text, "retry_in", wait.Round(time.Millisecond))
		if !own.sleep(ctx, wait) {
			return nil
		}
	}
}

// follower makes what reads the folder, with its own status.
func (d *Followed) follower(own *Poller, box Config, timing Timing) *follower {
	box.Name, box.Folder = d.Name, d.Folder
	p := &Poller{Mailbox: box, To: d.To, Read: d.Read, Log: own.Log, Now: own.Now, Rand: own.Rand, Wake: own.Wake, After: own.After}
	p.fill()
	p.setStatus(func(*Status) {})
	d.poller.Store(p)
	return &follower{Poller: p, box: box, timing: timing, begin: d.Begin,
		holes: map[uint32]*hole{}, broke: map[uint32]int{}, unknown: map[uint32]bool{}}
}

// keeping is what a Keeper remembers while it runs.
type keeping struct {
	*Keeper
	own     *Poller
	box     Config
	timing  Timing
	folders []*follower
	link    *link
	refusal string // what was last told of the Mirror
}

func (r *keeping) ended(why string) {
	r.setMirrorError(why)
	for _, f := range r.folders {
		f.setStatus(func(s *Status) { s.Connected, s.Error = false, why })
	}
}

// connection is one connection, from dialling to its end. It returns nil only when ctx has ended.
func (r *keeping) connection(ctx context.Context) error {
	l, err := dial(ctx, r.box, r.timing.Step)
	if err != nil {
		return err
	}
	defer l.close()
	r.link = l
	for _, f := range r.folders {
		f.link, f.compared = l, time.Time{}
		if f.box.Folder, err = r.named(ctx, f.Mailbox.Folder); err != nil {
			return err
		}
	}
	for {
		select {
		case <-l.news: // what comes from here on is seen by the next round
		default:
		}
		last, more, err := r.round(ctx)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		if err := r.wait(ctx, last); err != nil {
			return err
		}
		if ctx.Err() != nil {
			if last != nil {
				last.logout(ctx)
			}
			return nil
		}
	}
}

// round reads what is new in every folder, and returns the one that is open afterwards. A folder that cannot be opened
// does not keep the others from being read. It reports whether there is more to do at once.
func (r *keeping) round(ctx context.Context) (open *follower, more bool, err error) {
	if err := r.copy(ctx); err != nil {
		return nil, false, err
	}
	if more, err = r.mirror(ctx); err != nil {
		return nil, false, err
	}
	for _, f := range r.folders {
		err := f.open(ctx)
		var missing *folderError
		if errors.As(err, &missing) && !f.lost(err) {
			text := inWords(err, f.box)
			if f.Status().Error != text {
				f.Log.Warn("folder not read", "mailbox", f.box.Name, "folder", f.box.Folder, "err", text)
			}
			f.setStatus(func(s *Status) { s.Connected, s.Error = false, text })
			open = nil
			continue
		}
		if err != nil {
			return nil, false, err
		}
		if err := f.round(ctx); err != nil {
			return nil, false, err
		}
		open = f
	}
	return open, more, nil
}

// wait returns when the folders should be looked at again, or when ctx has ended.
func (r *keeping) wait(ctx context.Context, open *follower) error {
	if open != nil {
		return open.wait(ctx)
	}
	a := r.own.After(r.box.Poll)
	defer a.Stop()
	select {
	case <-a.C:
	case <-r.own.Wake:
	case <-ctx.Done():
	case <-r.link.c.Closed():
		return r.link.explain(ctx, errors.New("the server closed the connection"))
	}
	return nil
}

// named is the name of a folder that is given by its name or its use. A use that the server has no folder for is left as
// it is: opening it then fails, and says so.
func (r *keeping) named(ctx context.Context, folder string) (string, error) {
	if !strings.HasPrefix(folder, `\`) {
		return folder, nil
	}
	names, err := r.link.foldersFor(ctx, imap.MailboxAttr(folder))
	if err != nil || len(names) == 0 {
		return folder, err
	}
	return names[0], nil
}

// foldersFor lists the folders that the server says are for a use (RFC 6154), sorted.
func (l *link) foldersFor(ctx context.Context, use imap.MailboxAttr) ([]string, error) {
	var names []string
	err := l.step(ctx, func() error {
		cmd := l.c.List("", "*", nil)
		for d := cmd.Next(); d != nil; d = cmd.Next() {
			if slices.ContainsFunc(d.Attrs, func(a imap.MailboxAttr) bool { return strings.EqualFold(string(a), string(use)) }) {
				names = append(names, d.Mailbox)
			}
		}
		return cmd.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("list folders: %w", err)
	}
	slices.Sort(names)
	return names, nil
}
