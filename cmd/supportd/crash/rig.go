//go:build linux && crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// deskUser is whose mailbox the desk of a Rig follows.
const deskUser = "hilfe"

// Rig is a desk between two proxies, mail servers behind them, and a generator of mail. One goroutine uses it.
type Rig struct {
	Servers  Servers
	Desk     *Desk
	Mail     *Generator
	Post     *Post
	Inspects *Checker

	imap, smtp *Proxy
	life       atomic.Int64
	lives      []Life // from 1
	box        Mailbox
	promise    time.Duration // of a first response
}

// RigOptions say how a Rig is made.
type RigOptions struct {
	Programs      *Programs
	Servers       Servers
	Dir           string // empty, for the desk
	Rand          *rand.Rand
	After         string // what the desk does with settled mails on the server
	Copies        bool   // of what is sent go to the folder for sent mail
	Mirror        bool   // messages show their tickets
	FirstResponse int    // seconds; 0 promises nothing
	Listen        string // address of the status page; "" has none
}

// NewRig makes a rig; its desk does not run yet. Close ends it and the servers.
func NewRig(o RigOptions) (*Rig, error) {
	r := &Rig{Servers: o.Servers, lives: make([]Life, 1), promise: time.Duration(o.FirstResponse) * time.Second}
	r.Post = &Post{Life: func() int { return int(r.life.Load()) }}
	r.imap = &Proxy{Target: o.Servers.IMAP}
	r.smtp = &Proxy{Target: o.Servers.SMTP, Watch: r.Post.Watch}
	if err := r.imap.Start(); err != nil {
		return nil, err
	}
	if err := r.smtp.Start(); err != nil {
		r.imap.Close()
		return nil, err
	}
	r.box = Mailbox{Name: deskUser, User: deskUser, IMAP: r.imap.Addr(), SMTP: r.smtp.Addr(), After: o.After, Copies: o.Copies, Mirror: o.Mirror}
	r.Desk = &Desk{Binary: o.Programs.Failing, Dir: o.Dir}
	r.Mail = &Generator{Rand: o.Rand, Address: r.box.Address(), Post: r.Post}
	r.Inspects = &Checker{Binary: o.Programs.Inspect, Limit: 30 * time.Second}
	text := Configuration([]Mailbox{r.box}, o.FirstResponse)
	if o.Listen != "" {
		text += fmt.Sprintf("listen: %q\n", o.Listen)
	}
	return r, errors.Join(
		os.WriteFile(filepath.Join(o.Dir, "pw"), []byte("secret\n"), 0o600),
		os.WriteFile(r.Desk.Config(), []byte(text), 0o600))
}

// Close ends everything.
func (r *Rig) Close() error {
	err := r.Desk.Kill()
	r.Inspects.Close()
	r.imap.Close()
	r.smtp.Close()
	return errors.Join(err, r.Servers.Close())
}

// Start starts the desk's next life.
func (r *Rig) Start(env ...string) error {
	r.life.Add(1)
	r.lives = append(r.lives, Life{})
	return r.Desk.Start(env...)
}

// Put generates a mail and puts it into the mailbox.
func (r *Rig) Put() error { return r.Servers.Put(deskUser, r.Mail.Next().Raw) }

// PutHeld puts a stranger's answer to an acknowledgement into the mailbox: it is held until somebody admits it.
func (r *Rig) PutHeld() error {
	s, err := r.Mail.Stranger()
	if err != nil {
		return err
	}
	return r.Servers.Put(deskUser, s.Raw)
}

// Kill ends the life of the desk at once, if it has not ended by itself.
func (r *Rig) Kill() error {
	r.lives[len(r.lives)-1].Killed = true
	return r.Desk.Kill()
}

// Stop ends the life of the desk as a service manager does.
func (r *Rig) Stop() error { return r.Desk.Stop(20 * time.Second) }

// Rest waits until everything that was put in is settled, no promised time runs out any more, and all that is owed is
// sent. It fails when nothing gets on for as long as the limit: how fast that is says more about the machine than about the
// desk.
func (r *Rig) Rest(limit time.Duration) error {
	for coming := r.promise > 0; coming; {
		if err := r.settled(limit); err != nil {
			return err
		}
		var list []struct{ Ticket string }
		if err := r.Desk.Ask(bounded(), "due", map[string]any{"within": r.promise + 10*time.Second, "limit": 1}, &list); err != nil {
			return err
		}
		if coming = len(list) > 0; coming {
			pause(200 * time.Millisecond)
		}
	}
	return r.settled(limit)
}

func (r *Rig) settled(limit time.Duration) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	stuck := time.AfterFunc(limit, func() { cancel(fmt.Errorf("nothing got on for %s", limit)) })
	defer stuck.Stop()
	want := uint64(len(r.Mail.Sent()) + r.copies())
	quiet, before := 0, ""
	return r.Desk.Await(ctx, fmt.Sprintf("%d mails to be settled and the outbox to be empty", want), func(s Status) bool {
		if now := fmt.Sprint(s.Books, s.Outbox); now != before {
			before = now
			stuck.Reset(limit)
		}
		if s.Books.Seen != want || s.Outbox.Due+s.Outbox.Deferred+s.Outbox.Failed != 0 {
			quiet = 0
			return false
		}
		quiet++
		return quiet > 3
	})
}

// copies is how many copies of sent mails the desk has to find in the folder for sent mail: one of each acknowledgement.
func (r *Rig) copies() int {
	if !r.box.Copies {
		return 0
	}
	return len(r.Mail.Sent())
}

// Judge inspects the desk, which must not run, and lists what is wrong.
func (r *Rig) Judge() ([]string, Count, error) {
	s, err := r.Inspects.Check(r.Desk.State())
	if err != nil {
		return nil, Count{}, err
	}
	wrong, n := (&Oracle{Sent: r.Mail.Sent(), Handed: r.Post.Handed(), Lives: r.lives, State: s, Copies: r.copies()}).Judge()
	return wrong, n, nil
}

// Fault is what a KillLoop did in one life.
type Fault string

// Faults of a KillLoop.
const (
	FaultPoint   Fault = "failpoint"
	FaultKill    Fault = "kill"
	FaultTerm    Fault = "term"
	FaultFreeze  Fault = "freeze" // SIGSTOP for a second, then SIGKILL
	FaultIMAP    Fault = "imap"   // the server's sessions end, then SIGKILL
	FaultSMTP    Fault = "smtp"   // the server ends and comes back, then SIGKILL
	FaultNetwork Fault = "reset"  // the proxies reset all connections, then SIGKILL
)

// KillLoop starts the desk and takes it down again, while mail comes in.
type KillLoop struct {
	Rig    *Rig
	Rand   *rand.Rand
	Points []string // the failpoints that a running desk can come by

	Kills   int           // done so far, by any means but SIGTERM
	Faults  map[Fault]int // done so far
	Slowest time.Duration // from a start to the first look at the mailbox
}

func (k *KillLoop) choose() Fault {
	n := k.Rand.IntN(100)
	for _, f := range []struct {
		fault Fault
		of    int
	}{{FaultPoint, 50}, {FaultKill, 26}, {FaultTerm, 5}, {FaultFreeze, 4}, {FaultIMAP, 5}, {FaultSMTP, 5}} {
		if n -= f.of; n < 0 {
			return f.fault
		}
	}
	return FaultNetwork
}

// Once is one life of the desk. mails come in while it lives.
func (k *KillLoop) Once(mails int) error {
	fault := k.choose()
	var env []string
	wait := time.Duration(20+k.Rand.IntN(1480)) * time.Millisecond
	if fault == FaultPoint {
		point := k.Points[k.Rand.IntN(len(k.Points))]
		env = append(env, fmt.Sprintf("SUPPORTD_FAIL_AT=%s:%d", point, 1+k.Rand.IntN(6)))
		wait = 1500 * time.Millisecond
	}
	began := time.Now()
	if err := k.Rig.Start(env...); err != nil {
		return err
	}
	if k.Faults == nil {
		k.Faults = map[Fault]int{}
	}
	k.Faults[fault]++
	end := time.NewTimer(wait)
	defer end.Stop()
	next := time.NewTicker(max(wait/time.Duration(mails+1), time.Millisecond))
	defer next.Stop()
	looked := false
	for put := 0; ; {
		select {
		case <-next.C:
			var s Status
			if !looked && k.Rig.Desk.Ask(context.Background(), "status", struct{}{}, &s) == nil && s.Ready {
				looked = true
				k.Slowest = max(k.Slowest, time.Since(began))
			}
			if put < mails {
				put++
				if err := k.Rig.Put(); err != nil {
					return err
				}
			}
		case <-k.Rig.Desk.Done():
			if fault != FaultPoint {
				return fmt.Errorf("the desk ended by itself: %s\n%s", k.Rig.Desk.cmd.ProcessState, k.Rig.Desk.tail())
			}
			k.Kills++
			return k.Rig.Kill()
		case <-end.C:
			return k.take(fault)
		}
	}
}

// take takes the desk down.
func (k *KillLoop) take(fault Fault) error {
	r := k.Rig
	var err error
	switch fault {
	case FaultTerm:
		if err := r.Stop(); err != nil && !r.Desk.unborn() {
			return err
		}
		return nil
	case FaultFreeze:
		err = r.Desk.Signal(syscall.SIGSTOP)
		pause(time.Second)
	case FaultIMAP:
		err = r.Servers.BreakIMAP()
		pause(300 * time.Millisecond)
	case FaultSMTP:
		err = errors.Join(r.Servers.StopSMTP(), r.Servers.StartSMTP())
		pause(300 * time.Millisecond)
	case FaultNetwork:
		r.imap.Reset()
		r.smtp.Reset()
		pause(300 * time.Millisecond)
	}
	k.Kills++
	return errors.Join(err, r.Kill())
}

// pause lets a fault have its effect; nothing depends on how long it is.
func pause(d time.Duration) {
	t := time.NewTimer(d)
	<-t.C
}

// bounded is a context for one question to a desk; it ends by itself.
func bounded() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	context.AfterFunc(ctx, cancel)
	return ctx
}
