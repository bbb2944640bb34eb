package mailin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"supportd/tickets"
)

// follower is what a Poller remembers from one connection to the next. Nothing in it is needed to be right: all of it
// can be lost, and is when the process ends.
type follower struct {
	*Poller
	*link // nil between connections

	box    Config // Mailbox and Timing with their defaults
	timing Timing
	since  time.Time
	noIdle bool                                                      // the server announces IDLE and refuses it
	begin  func(ctx context.Context, uidValidity, next uint32) error // of a Followed; may be nil

	validity  uint32 // UIDVALIDITY under which messages are handed over
	synthetic bool   // made up here, because the server's cannot be relied on
	next      uint32 // every listed UID below is settled or a hole; 0: all are
	holes     map[uint32]*hole

	broke   map[uint32]int  // how often the connection broke at a message
	unknown map[uint32]bool // messages whose description breaks the connection
	blind   int             // how often a description of many broke it

	last     lastRead
	liar     bool // the server changes messages under their UID
	progress bool // something was settled on this connection
	compared time.Time

	done       []uint32 // settled, and not yet moved or flagged
	filing     bool     // the folder can be changed
	filingTold string

	claim claiming
}

// hole is a message that is listed and could not be had.
type hole struct {
	attempts int
	due      time.Time
}

// lastRead is the start of the message that was settled last. If it looks different later, the server breaks the rule
// that a UID names one message for ever (RFC 9051 §2.3.1.1).
type lastRead struct {
	validity, uid uint32
	n             int
	sum           [sha256.Size]byte
}

const lastReadSize = 2048

// follow is one connection, from dialling to its end. It returns nil only when ctx has ended.
func (f *follower) follow(ctx context.Context) error {
	l, err := dial(ctx, f.box, f.timing.Step)
	if err != nil {
		return err
	}
	f.link = l
	defer l.close()
	if err := f.open(ctx); err != nil {
		return err
	}
	f.Log.Info("mailbox connected", "mailbox", f.box.Name, "uidvalidity", f.validity, "next", f.next)
	f.compared = time.Time{}
	for {
		select {
		case <-l.news: // what comes from here on is seen by the next round
		default:
		}
		err := f.round(ctx)
		if errors.Is(err, errClaims) {
			f.compared = time.Time{} // nothing was filed of what is settled
			if err = f.open(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		if err := f.wait(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			f.logout(ctx)
			return nil
		}
	}
}

// open selects the folder and finds the place in it, once no other desk reads it.
func (f *follower) open(ctx context.Context) error {
	if err := f.own(ctx); err != nil {
		return err
	}
	var sd *imap.SelectData
	err := f.step(ctx, func() error {
		var err error
		// Read-only where nothing will be changed: not even \Recent is touched then.
		sd, err = f.c.Select(f.box.Folder, &imap.SelectOptions{ReadOnly: f.box.After == AfterLeave}).Wait()
		return err
	})
	if err != nil {
		return &folderError{folder: f.box.Folder, err: err}
	}
	f.setStatus(func(s *Status) { s.Connected, s.Error, s.Claimed = true, "", false })
	f.filing, f.done, f.noIdle = f.canFile(sd), nil, false
	validity, synthetic := sd.UIDValidity, false
	if validity == 0 || f.wire.uidsNotSticky() || f.liar {
		// UIDs do not outlive the connection here: a number of our own makes the desk go by content alone.
		validity, synthetic = uint32(f.Now().Unix()), true
		if validity <= f.validity {
			validity = f.validity + 1
		}
		f.Log.Warn("mailbox has no lasting uids, known mail is told by content", "mailbox", f.box.Name)
	}
	if err := f.beginAt(ctx, validity, uint32(sd.UIDNext)); err != nil {
		return err
	}
	place, err := f.To.Place(ctx, f.box.Name, validity)
	if err != nil {
		return fmt.Errorf("find the place in the mailbox: %w", err)
	}
	tickets.Failpoint("follow.placed")
	if f.validity != validity {
		clear(f.holes)
		clear(f.broke)
		clear(f.unknown)
	}
	f.validity, f.synthetic, f.liar = validity, synthetic, false
	f.next = max(place.Next, 1)
	if f.since = f.box.Since; f.since.IsZero() && f.begin == nil {
		f.since = place.Started
	}
	f.since = f.since.Truncate(time.Second) // INTERNALDATE knows no fractions
	if f.since.After(f.Now()) {
		f.Log.Warn("mail is passed over until the time in since", "mailbox", f.box.Name, "since", f.since)
	}
	for uid, h := range place.Holes {
		if f.holes[uid] == nil {
			f.holes[uid] = &hole{attempts: h.Attempts}
		}
	}
	for uid := range f.holes {
		if _, ok := place.Holes[uid]; !ok {
			delete(f.holes, uid)
		}
	}
	return nil
}

// beginAt tells whoever wants to know where a folder begins that may be new. A server that does not tell the next UID
// lists all of them.
func (f *follower) beginAt(ctx context.Context, validity, next uint32) error {
	if f.begin == nil {
		return nil
	}
	if next == 0 {
		uids, err := f.search(ctx, &imap.SearchCriteria{})
		if err != nil {
			return err
		}
		if next = 1; len(uids) > 0 {
			next = uids[len(uids)-1] + 1
		}
	}
	if err := f.begin(ctx, validity, next); err != nil {
		return fmt.Errorf("find the place in the folder: %w", err)
	}
	return nil
}

// round reads what is new, tries again what could not be had, and moves or flags what is settled.
func (f *follower) round(ctx context.Context) error {
	number := f.looks.begin()
	if err := f.keepOwn(ctx); err != nil {
		return err
	}
	if f.Now().Sub(f.compared) >= f.timing.Reconcile {
		if err := f.compare(ctx); err != nil {
			return err
		}
		f.compared = f.Now()
	} else if err := f.latest(ctx); err != nil {
		return err
	}
	if err := f.retryHoles(ctx); err != nil {
		return err
	}
	if err := f.file(ctx); err != nil {
		return err
	}
	f.blind = 0 // everything listed is settled or a hole: what broke the connection is not asked for again
	now := f.Now()
	f.setStatus(func(s *Status) { s.LastPoll, s.Waiting = now, len(f.holes) })
	f.looks.end(number)
	return nil
}

// latest reads the messages from next on.
func (f *follower) latest(ctx context.Context) error {
	if f.next == 0 {
		return nil
	}
	if !f.canIdle() {
		// Servers may keep new messages from us until a command lets them tell (RFC 9051 §5.2).
		if err := f.step(ctx, func() error { return f.c.Noop().Wait() }); err != nil {
			return fmt.Errorf("poll: %w", err)
		}
	}
	var set imap.UIDSet
	set.AddRange(imap.UID(f.next), 0)
	if f.blind > 1 {
		uids, err := f.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{set}})
		if err != nil {
			return err
		}
		uids = slices.DeleteFunc(uids, func(uid uint32) bool { return uid < f.next })
		return f.readUIDs(ctx, uids)
	}
	items, err := f.describe(ctx, set)
	if err != nil {
		if f.lost(err) {
			f.blind++
		}
		return err
	}
	// n:* names the last message even when it is older than n (RFC 9051 §6.4.8).
	items = slices.DeleteFunc(items, func(it item) bool { return it.uid < f.next })
	return f.readItems(ctx, items)
}

// compare lists the whole folder and reads whatever the store does not have: what was hidden, what came late under a
// lower UID, and everything after a change of UIDVALIDITY. It also finds what is settled and was not moved or flagged,
// because the process or the connection ended before.
func (f *follower) compare(ctx context.Context) error {
	if err := f.checkLast(ctx); err != nil {
		return err
	}
	listed, err := f.search(ctx, &imap.SearchCriteria{})
	if err != nil {
		return err
	}
	missing, present, err := f.sift(ctx, listed)
	if err != nil {
		return err
	}
	if err := f.unfiled(ctx, present); err != nil {
		return err
	}
	missing = slices.DeleteFunc(missing, func(uid uint32) bool {
		return f.holes[uid] != nil || f.begin != nil && uid < f.next // what was there before is none of ours
	})
	if err := f.readUIDs(ctx, missing); err != nil {
		return err
	}
	return f.settledThrough(ctx, listed)
}

// settledThrough moves the place on when everything listed is settled or a hole, and the last of it was before.
func (f *follower) settledThrough(ctx context.Context, listed []uint32) error {
	if len(listed) == 0 || f.next == 0 || listed[len(listed)-1] < f.next {
		return nil
	}
	last := listed[len(listed)-1]
	b := tickets.Batch{Mailbox: f.box.Name, UIDValidity: f.validity, Through: last}
	if _, err := f.To.Receive(ctx, b); err != nil {
		return fmt.Errorf("move the place on: %w", err)
	}
	f.next = last + 1
	f.setStatus(func(s *Status) { s.LastUID = last })
	return nil
}

// sift splits UIDs into those that are not settled, and those that are and whose text the desk has.
func (f *follower) sift(ctx context.Context, listed []uint32) (missing, present []uint32, err error) {
	for part := range slices.Chunk(listed, 5000) {
		settled, err := f.To.Settled(ctx, f.box.Name, f.validity, part)
		if err != nil {
			return nil, nil, fmt.Errorf("compare the mailbox with the store: %w", err)
		}
		known := make(map[uint32]tickets.Absence, len(settled))
		for _, s := range settled {
			known[s.UID] = s.Absent
		}
		for _, uid := range part {
			switch absent, ok := known[uid]; {
			case !ok:
				missing = append(missing, uid)
			case absent == tickets.Present:
				present = append(present, uid)
			}
		}
	}
	return missing, present, nil
}

// readUIDs reads messages of which only the UID is known.
func (f *follower) readUIDs(ctx context.Context, uids []uint32) error {
	size := 2000
	if f.blind > 1 {
		size = 1
	}
	for part := range slices.Chunk(uids, size) {
		items, err := f.describeAll(ctx, part)
		if err != nil {
			return err
		}
		if err := f.readItems(ctx, items); err != nil {
			return err
		}
	}
	return nil
}

// describeAll describes every UID, in order; those the server says nothing about stay unknown.
func (f *follower) describeAll(ctx context.Context, uids []uint32) ([]item, error) {
	var found []item
	ask := slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return f.unknown[uid] })
	for _, set := range uidRuns(ask, 2000) {
		items, err := f.describe(ctx, set)
		if err != nil {
			if f.lost(err) {
				f.blind++
				if len(uids) == 1 && f.blind > 1 { // once may be the network: without its arrival a message may pass for an old one
					f.unknown[uids[0]] = true
				}
			}
			return nil, err
		}
		found = append(found, items...)
	}
	all := make([]item, 0, len(uids))
	for _, uid := range uids {
		i, ok := slices.BinarySearchFunc(found, uid, func(it item, uid uint32) int { return int(int64(it.uid) - int64(uid)) })
		if ok {
			all = append(all, found[i])
		} else {
			all = append(all, item{uid: uid})
		}
	}
	return all, nil
}

// lost reports whether err is the end of the connection by the server or by what it sent, and not by us.
func (f *follower) lost(err error) bool {
	var status *imap.Error
	return err != nil && !errors.As(err, &status) && !errors.Is(err, context.Canceled)
}

// checkLast looks whether the message that was settled last is still the same (S-007).
func (f *follower) checkLast(ctx context.Context) error {
	last := f.last
	if last.uid == 0 || last.validity != f.validity || f.synthetic {
		return nil
	}
	var start []byte
	err := f.bodies(ctx, imap.UIDSetNum(imap.UID(last.uid)), int64(last.n), lastReadSize,
		func(uint32, int64) (bool, error) { return true, nil },
		func(b body) { start = b.raw })
	if errors.Is(err, errCut) {
		f.last = lastRead{} // a server that cannot give a part of a message: not asked again
	}
	var no *imap.Error
	if err != nil && !errors.As(err, &no) {
		return err
	}
	if len(start) < last.n || sha256.Sum256(start[:last.n]) == last.sum {
		return nil
	}
	f.Log.Error("server changed a message under its uid, mailbox is read anew by content",
		"mailbox", f.box.Name, "uid", last.uid, "uidvalidity", last.validity)
	f.liar, f.last = true, lastRead{}
	return errLiar
}

var errLiar = errors.New("the server changed a message under its UID (RFC 9051 §2.3.1.1): the mailbox is read anew")

// wait returns when the mailbox should be looked at again, or when ctx has ended.
func (f *follower) wait(ctx context.Context) error {
	d := f.box.Poll
	for _, h := range f.holes {
		d = min(d, max(h.due.Sub(f.Now()), time.Millisecond))
	}
	if !f.canIdle() {
		a := f.After(d)
		defer a.Stop()
		return f.await(ctx, a)
	}
	a := f.After(min(d, f.box.Idle))
	defer a.Stop()
	var idle interface {
		Close() error
		Wait() error
	}
	err := f.step(ctx, func() error {
		cmd, err := f.c.Idle()
		idle = cmd
		return err
	})
	var refused *imap.Error
	if errors.As(err, &refused) {
		f.Log.Warn("server announces IDLE and refuses it, mailbox is polled", "mailbox", f.box.Name)
		f.noIdle = true
		return f.await(ctx, a)
	}
	if err != nil {
		return ignoreEnd(ctx, fmt.Errorf("idle: %w", err))
	}
	if err := f.await(ctx, a); err != nil {
		return err
	}
	// Ending IDLE has to work even when ctx has ended, so that LOGOUT can follow; a dead server is not waited for then.
	endCtx := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		endCtx, cancel = context.WithTimeout(endCtx, time.Second)
		defer cancel()
	}
	err = f.step(endCtx, func() error {
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
	if err != nil {
		return ignoreEnd(ctx, fmt.Errorf("end idle: %w", err))
	}
	return nil
}

func (f *follower) canIdle() bool { return f.caps.Has(imap.CapIdle) && !f.noIdle }

// ignoreEnd is nil when the process is told to stop anyway.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// await waits for the alarm, for news, for a nudge, or for the end of ctx; an ended connection is an error.
func (f *follower) await(ctx context.Context, a Alarm) error {
	select {
	case <-a.C:
	case <-f.news:
	case <-f.Wake:
	case <-f.looks.asked():
	case <-ctx.Done():
	case <-f.c.Closed():
		return f.explain(ctx, errors.New("the server closed the connection"))
	}
	return nil
}

// logout ends the connection politely; the server is not waited for longer than a second.
func (f *follower) logout(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(time.Second, f.limit))
	defer cancel()
	if err := f.step(ctx, func() error { return f.c.Logout().Wait() }); err != nil {
		f.Log.Debug("logout failed", "mailbox", f.box.Name, "err", err)
	}
}
