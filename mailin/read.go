package mailin

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"

	"supportd/tickets"
)

// Limits of one FETCH of bodies, and of one batch for the Receiver.
const (
	fetchMessages = 200
	fetchBytes    = 6 << 20
	batchMessages = 256
	batchBytes    = 4 << 20
)

// readItems reads messages, given in UID order, and hands them over in that order. There is never more than one FETCH
// under way: servers interleave the answers of several, which the client cannot bear. While one is read, the messages
// before it are parsed and settled.
func (f *follower) readItems(ctx context.Context, items []item) error {
	if len(items) == 0 {
		return nil
	}
	q := f.startQueue(ctx, true)
	err := f.readInto(q, items)
	if qerr := q.finish(); qerr != nil {
		return qerr
	}
	f.done = append(f.done, q.takeSettled()...)
	return err
}

func (f *follower) readInto(q *queue, items []item) error {
	for len(items) > 0 {
		n := f.portion(items)
		if err := f.readPortion(q, items[:n]); err != nil {
			return err
		}
		items = items[n:]
		// Between two FETCHes, and never while one is half read: the answer would be stuck behind the bodies.
		f.done = append(f.done, q.takeSettled()...)
		if err := f.file(q.ctx); err != nil {
			return err
		}
	}
	return nil
}

// portion says how many of the items go into one FETCH. Those that need care go alone.
func (f *follower) portion(items []item) int {
	if f.alone(items[0]) {
		return 1
	}
	size, limit := int64(0), min(fetchBytes, f.InFlight/2)
	for i, it := range items {
		if i == fetchMessages || f.alone(it) {
			return i
		}
		if !f.tooOld(it) {
			size += it.size
		}
		if size > limit && i > 0 {
			return i
		}
	}
	return len(items)
}

func (f *follower) alone(it item) bool {
	return !it.known || it.size > f.box.MaxSize || f.broke[it.uid] > 0
}

func (f *follower) tooOld(it item) bool { return !it.arrived.IsZero() && it.arrived.Before(f.since) }

// readPortion reads the messages of one FETCH and fills their slots.
func (f *follower) readPortion(q *queue, items []item) error {
	slots := make([]*slot, len(items))
	var fetch imap.UIDSet
	for i, it := range items {
		slots[i] = newSlot(f.source(it.uid), it)
		switch {
		case f.tooOld(it):
			slots[i].fill(tickets.TooOld, nil)
		case f.broke[it.uid] > 1:
			slots[i].miss("the connection broke each time it was read", false)
		default:
			fetch.AddNum(imap.UID(it.uid))
		}
		if err := q.push(slots[i]); err != nil {
			return err
		}
	}
	if len(fetch) == 0 {
		return nil
	}
	if err := f.stillOwn(q.ctx); err != nil {
		return err
	}
	partial := int64(0)
	if len(items) == 1 && items[0].size > f.box.MaxSize {
		partial = prefixSize
	}
	reason, err := f.fetchInto(q, slots, fetch, partial)
	if err != nil {
		f.missBroken(q, slots, err)
		return err
	}
	for _, s := range slots {
		if s.filled {
			continue
		}
		if len(items) > 1 {
			// A server may leave out one message, or refuse all for the sake of one.
			if reason, err = f.fetchInto(q, []*slot{s}, imap.UIDSetNum(imap.UID(s.uid())), 0); err != nil {
				return err
			}
		}
		if s.filled {
			continue
		}
		gone, err := f.gone(q.ctx, s.uid())
		if err != nil {
			return err
		}
		s.miss(reason, gone)
	}
	return nil
}

// fetchInto runs one FETCH and fills the slots of what comes. It says why the rest did not come.
func (f *follower) fetchInto(q *queue, slots []*slot, set imap.UIDSet, partial int64) (reason string, err error) {
	byUID := make(map[uint32]*slot, len(slots))
	for _, s := range slots {
		if !s.filled {
			byUID[s.uid()] = s
		}
	}
	first := 0 // the first slot that is not filled
	admit := func(uid uint32, size int64) (bool, error) {
		s := byUID[uid]
		if s == nil || s.filled {
			return false, nil
		}
		for first < len(slots) && slots[first].filled {
			first++
		}
		// To wait for room is safe only where everything before it can be settled meanwhile.
		if slots[first] != s {
			return q.room.try(s, size), nil
		}
		return true, q.room.take(q.ctx, s, size)
	}
	limit := f.box.MaxSize + f.box.MaxSize/16 + 64<<10 // RFC822.SIZE and octets differ by line ends on some servers
	if partial > 0 {
		limit = partial
	}
	err = f.bodies(q.ctx, set, partial, limit, admit, func(b body) {
		s := byUID[b.uid]
		delete(f.broke, b.uid)
		if b.cut || partial > 0 {
			s.fill(tickets.Oversize, b.raw[:min(len(b.raw), prefixSize)])
		} else {
			s.fill(tickets.Present, b.raw)
		}
		q.parse(s)
	})
	var no *imap.Error
	var broken *brokenAt
	switch {
	case err == nil:
		return "the server left it out of its answer, or sent it empty", nil
	case errors.As(err, &no):
		return fmt.Sprintf("the server says %q", oneLine(no.Text)), nil
	case errors.Is(err, errCut) || !f.lost(err) || q.ctx.Err() != nil:
		return "", err
	case errors.As(err, &broken):
		uid := broken.uid
		for _, s := range slots {
			if uid == 0 && !s.filled {
				uid = s.uid()
			}
		}
		f.broke[uid]++
	}
	return "", err
}

// gone asks whether the server still lists the message.
func (f *follower) gone(ctx context.Context, uid uint32) (bool, error) {
	uids, err := f.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{imap.UIDSetNum(imap.UID(uid))}})
	var no *imap.Error
	if errors.As(err, &no) {
		return false, nil // a server that cannot tell
	}
	return err == nil && len(uids) == 0, err
}

// retryHoles tries the messages again that could not be had and are due, each in a FETCH of its own, after everything
// that can be had.
func (f *follower) retryHoles(ctx context.Context) error {
	now := f.Now()
	var due []uint32
	for uid, h := range f.holes {
		if !h.due.After(now) {
			due = append(due, uid)
		}
	}
	if len(due) == 0 {
		return nil
	}
	q := f.startQueue(ctx, false)
	err := f.retryInto(q, due)
	if qerr := q.finish(); qerr != nil {
		return qerr
	}
	f.done = append(f.done, q.takeSettled()...)
	return err
}

func (f *follower) retryInto(q *queue, due []uint32) error {
	for _, uid := range sorted(due) {
		delete(f.broke, uid)
		items, err := f.describeAll(q.ctx, []uint32{uid})
		if err != nil {
			s := newSlot(f.source(uid), item{uid: uid})
			if err := q.push(s); err != nil {
				return err
			}
			f.missBroken(q, []*slot{s}, err)
			return err
		}
		if err := f.readPortion(q, items); err != nil {
			return err
		}
	}
	return nil
}

// missBroken counts a broken connection as one more failed attempt at a message that is being retried, so that it does
// not break one connection after the other for ever.
func (f *follower) missBroken(q *queue, slots []*slot, err error) {
	if q.advance || !f.lost(err) || errors.Is(err, errCut) || q.ctx.Err() != nil {
		return
	}
	for _, s := range slots {
		if !s.filled {
			s.miss("the connection broke: "+oneLine(err.Error()), false)
		}
	}
}

func (f *follower) source(uid uint32) tickets.Source {
	return tickets.Source{Mailbox: f.box.Name, UIDValidity: f.validity, UID: uid}
}
