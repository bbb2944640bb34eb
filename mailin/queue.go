package mailin

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"supportd/tickets"
)

// slot is the place of one message in the queue. It is put there before its body is read, so that the order of the
// queue is the order of the UIDs, whatever order the server answers in.
type slot struct {
	in     tickets.Incoming
	filled bool // by the goroutine that reads; never unset
	held   int64
	missed string // why there is no message
	gone   bool   // and the server does not list it any more
	known  bool   // INTERNALDATE is known
	ready  chan struct{}
}

func newSlot(src tickets.Source, it item) *slot {
	return &slot{
		in:    tickets.Incoming{Source: src, Arrived: it.arrived, Size: it.size},
		known: !it.arrived.IsZero(),
		ready: make(chan struct{}),
	}
}

func (s *slot) uid() uint32 { return s.in.Source.UID }

// fill says what came. With raw, the slot is ready only after parse.
func (s *slot) fill(absent tickets.Absence, raw []byte) {
	s.in.Absent, s.in.Raw, s.filled = absent, raw, true
	if raw == nil {
		close(s.ready)
	}
}

// miss says that nothing came.
func (s *slot) miss(reason string, gone bool) {
	s.missed, s.gone, s.filled = reason, gone, true
	close(s.ready)
}

// queue takes messages in UID order, has them parsed, and settles them in that order, as many at a time as are ready.
type queue struct {
	f        *follower
	ctx      context.Context
	cancel   context.CancelCauseFunc
	advance  bool // the place moves on with what is settled
	slots    chan *slot
	raws     chan *slot
	room     *room
	stop     chan struct{} // closed: what is not ready will never be
	parsing  sync.WaitGroup
	settling sync.WaitGroup
	err      error // of the Receiver; read after settling

	mu      sync.Mutex
	settled []uint32
}

func (f *follower) startQueue(ctx context.Context, advance bool) *queue {
	q := &queue{
		f: f, advance: advance,
		slots: make(chan *slot, fetchMessages+batchMessages),
		raws:  make(chan *slot, fetchMessages),
		room:  newRoom(f.InFlight),
		stop:  make(chan struct{}),
	}
	q.ctx, q.cancel = context.WithCancelCause(ctx)
	for range f.Workers {
		q.parsing.Go(func() {
			for s := range q.raws {
				f.parseSlot(q.ctx, s)
			}
		})
	}
	q.settling.Go(q.settle)
	return q
}

// push puts a slot at the end of the queue; it fails when the queue has.
func (q *queue) push(s *slot) error {
	select {
	case q.slots <- s:
		return nil
	case <-q.ctx.Done():
		return context.Cause(q.ctx)
	}
}

func (q *queue) parse(s *slot) { q.raws <- s }

// finish waits until everything that was read is settled, and gives the Receiver's error. Where reading ended early,
// nothing is settled from the first message on that did not come (S-009).
func (q *queue) finish() error {
	close(q.slots)
	close(q.raws)
	q.parsing.Wait()
	close(q.stop)
	q.settling.Wait()
	q.cancel(nil)
	return q.err
}

// takeSettled gives the UIDs that were settled since it was called last, and may be moved or flagged.
func (q *queue) takeSettled() []uint32 {
	q.mu.Lock()
	defer q.mu.Unlock()
	uids := q.settled
	q.settled = nil
	return uids
}

// settle hands over what is ready: at once when nothing more is, and in larger batches when the Receiver is slower than
// the server, so that many messages share one transaction.
func (q *queue) settle() {
	var batch []*slot
	size := int64(0)
	flush := func() bool {
		if len(batch) == 0 {
			return true
		}
		if err := q.commit(batch); err != nil {
			q.err = err
			q.cancel(err)
			return false
		}
		for _, s := range batch {
			q.room.give(s.held)
			s.in = tickets.Incoming{}
		}
		clear(batch)
		batch, size = batch[:0], 0
		return true
	}
	for {
		s, ok := q.nextSlot(len(batch) == 0)
		if s == nil && ok { // nothing is waiting
			if !flush() {
				return
			}
			continue
		}
		if !ok {
			flush()
			return
		}
		if !isReady(s.ready) {
			if !flush() {
				return
			}
			select {
			case <-s.ready:
			case <-q.stop:
				if !isReady(s.ready) {
					return
				}
			}
		}
		batch = append(batch, s)
		if size += int64(len(s.in.Raw)); len(batch) >= batchMessages || size >= batchBytes {
			if !flush() {
				return
			}
		}
	}
}

// nextSlot takes the next slot. When there is none it waits, or gives nil and true; false says that the queue has ended.
func (q *queue) nextSlot(wait bool) (*slot, bool) {
	if wait {
		s, ok := <-q.slots
		return s, ok
	}
	select {
	case s, ok := <-q.slots:
		return s, ok
	default:
		return nil, true
	}
}

func isReady(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// commit records the messages that could not be had and settles the others, in one call.
func (q *queue) commit(slots []*slot) error {
	f := q.f
	b := tickets.Batch{Mailbox: f.box.Name, UIDValidity: f.validity}
	now := f.Now()
	for _, s := range slots {
		if s.missed == "" {
			b.Messages = append(b.Messages, s.in)
			continue
		}
		in, lost, err := q.missed(s, now)
		if err != nil {
			return err
		}
		if lost {
			b.Messages = append(b.Messages, in)
		}
	}
	if last := slots[len(slots)-1].uid(); q.advance && last >= f.next && f.next != 0 {
		b.Through = last
	}
	if len(b.Messages) == 0 && b.Through == 0 {
		return nil
	}
	tickets.Failpoint("queue.batch")
	outcomes, err := f.To.Receive(q.ctx, b)
	if err != nil {
		return fmt.Errorf("store %d messages: %w", len(b.Messages), err)
	}
	tickets.Failpoint("queue.settled")
	q.committed(b, outcomes)
	return nil
}

// missed records a failed attempt. After enough of them over enough time the message is settled as one that cannot be
// had, so that somebody is told (S-010).
func (q *queue) missed(s *slot, now time.Time) (tickets.Incoming, bool, error) {
	f := q.f
	reason := s.missed
	if s.gone {
		reason = "the server does not list it any more"
	}
	h, err := f.To.Missed(q.ctx, s.in.Source, reason)
	if err != nil {
		return tickets.Incoming{}, false, fmt.Errorf("record that UID %d could not be had: %w", s.uid(), err)
	}
	f.Log.Warn("message could not be had", "mailbox", f.box.Name, "uid", s.uid(), "attempts", h.Attempts, "err", reason)
	if h.Attempts < giveUpAttempts || now.Sub(h.Since) < f.timing.GiveUp {
		f.holes[s.uid()] = &hole{attempts: h.Attempts, due: now.Add(retryAfter(f.timing.Retry, h.Attempts))}
		return tickets.Incoming{}, false, nil
	}
	in := s.in
	in.Raw, in.Message, in.Absent, in.Detail = nil, nil, tickets.Unfetchable, reason
	if s.gone {
		in.Absent = tickets.Vanished
	}
	if in.Arrived.IsZero() {
		in.Arrived = now
	}
	return in, true, nil
}

// retryAfter grows so that the fifth attempt comes 21 times first after the first one: 10.5 min for 30 s.
func retryAfter(first time.Duration, attempts int) time.Duration {
	factors := []time.Duration{1, 2, 6, 12}
	return first * factors[min(max(attempts, 1), len(factors))-1]
}

// committed notes what a Receive settled.
func (q *queue) committed(b tickets.Batch, outcomes []tickets.Outcome) {
	f := q.f
	f.progress = f.progress || len(b.Messages) > 0
	f.claim.settled = f.claim.settled || len(b.Messages) > 0
	for _, in := range b.Messages {
		delete(f.holes, in.Source.UID)
		if in.Absent == tickets.Present {
			n := min(len(in.Raw), lastReadSize)
			f.last = lastRead{validity: f.validity, uid: in.Source.UID, n: n, sum: sha256.Sum256(in.Raw[:n])}
		}
	}
	if b.Through != 0 {
		f.next = b.Through + 1 // 0 after the last UID there can be
	}
	f.setStatus(func(s *Status) { s.LastUID, s.Waiting = f.next-1, len(f.holes) })
	f.Log.Debug("messages settled", "mailbox", f.box.Name, "messages", len(b.Messages), "outcomes", len(outcomes), "through", b.Through)
	if f.box.After == AfterLeave {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, in := range b.Messages {
		if in.Absent == tickets.Present {
			q.settled = append(q.settled, in.Source.UID)
		}
	}
}

// parseSlot reads the message of a slot.
func (f *follower) parseSlot(ctx context.Context, s *slot) {
	defer close(s.ready)
	now := f.Now()
	arrived := s.in.Arrived
	if !s.known {
		arrived = now
		s.in.Arrived = now
	}
	m := read(f.Poller.Read, s.in.Raw, arrived)
	tickets.Failpoint("queue.read")
	s.in.Message = m
	if f.Check != nil && s.in.Absent == tickets.Present {
		m.Signatures = f.Check(ctx, s.in.Raw, m)
	}
	if !s.known && !m.Date.IsZero() && m.Date.Before(f.since) {
		// The server does not say when it came. Taking a mail of last year for a new one would answer it.
		s.in.Absent, s.in.Raw, s.in.Message = tickets.TooOld, nil, nil
		s.in.Detail = "the server gave no arrival time; the message is dated " + m.Date.UTC().Format(time.RFC3339)
	}
}

// read calls parse. A message that makes it panic is handed over all the same, with what can be seen without parsing: it
// must not stop the mailbox.
func read(parse func([]byte, time.Time) *tickets.Message, raw []byte, arrived time.Time) (m *tickets.Message) {
	defer func() {
		what := "gave nothing"
		if v := recover(); v != nil {
			what = oneLine(fmt.Sprint(v))
		} else if m != nil {
			return
		}
		m = &tickets.Message{
			Text:     plainText(raw),
			TextFrom: "the raw message: reading it failed",
			Identity: sha256.Sum256(raw),
			Size:     int64(len(raw)),
			Defects:  []tickets.Defect{{Where: "message", What: "reading it failed (" + what + "); shown as it came"}},
		}
		m.Reply = m.Text
	}()
	return parse(raw, arrived)
}

const maxPlainText = 64 << 10

// plainText is the start of raw as UTF-8 without control characters.
func plainText(raw []byte) string {
	raw = raw[:min(len(raw), maxPlainText)]
	text := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		if raw = raw[n:]; r >= ' ' && r != 0x7f || r == '\n' || r == '\t' {
			text = utf8.AppendRune(text, r)
		}
	}
	return string(text)
}

// room bounds the octets of messages that are held at a time. One goroutine takes, any may give.
type room struct {
	mu    sync.Mutex
	size  int64
	free  int64
	given chan struct{} // holds one
}

func newRoom(size int64) *room {
	return &room{size: size, free: size, given: make(chan struct{}, 1)}
}

// try takes room for n octets of a slot if there is any. A message larger than all of the room gets all of it.
func (r *room) try(s *slot, n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = min(n, r.size)
	if n > r.free {
		return false
	}
	r.free -= n
	s.held += n
	return true
}

// take waits for room.
func (r *room) take(ctx context.Context, s *slot, n int64) error {
	for !r.try(s, n) {
		select {
		case <-r.given:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (r *room) give(n int64) {
	r.mu.Lock()
	r.free += n
	r.mu.Unlock()
	select {
	case r.given <- struct{}{}:
	default:
	}
}

func sorted(uids []uint32) []uint32 {
	slices.Sort(uids)
	return uids
}
