package mailin_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// desk is a Receiver that keeps in memory what the real one keeps on disk, and by the same rules.
type desk struct {
	mu       sync.Mutex
	boxes    map[string]*deskBox
	content  map[tickets.Digest]bool
	kept     []kept // in the order they were settled
	batches  int
	fail     error         // Receive fails with it
	changed  chan struct{} // holds one
	onCommit func(tickets.Batch)
	bytes    int64
	now      func() time.Time
}

// kept is a message that was settled.
type kept struct {
	tickets.Incoming
	Result tickets.Result
}

type deskBox struct {
	place   tickets.Place
	settled map[tickets.Source]tickets.Settled
}

func newDesk() *desk {
	return &desk{
		boxes: map[string]*deskBox{}, content: map[tickets.Digest]bool{},
		changed: make(chan struct{}, 1), now: time.Now,
	}
}

// settleAs makes the desk know what the other one has settled.
func (d *desk) settleAs(t testing.TB, other *desk) {
	t.Helper()
	other.mu.Lock()
	defer other.mu.Unlock()
	for name, b := range other.boxes {
		c := d.box(name)
		c.place = b.place
		for source, s := range b.settled {
			c.settled[source] = s
		}
	}
	for id := range other.content {
		d.content[id] = true
	}
}

func (d *desk) box(name string) *deskBox {
	if d.boxes[name] == nil {
		d.boxes[name] = &deskBox{
			place:   tickets.Place{Next: 1, Started: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
			settled: map[tickets.Source]tickets.Settled{},
		}
	}
	return d.boxes[name]
}

func (d *desk) Place(_ context.Context, mailbox string, v uint32) (tickets.Place, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.box(mailbox)
	if b.place.UIDValidity != v {
		b.place = tickets.Place{UIDValidity: v, Next: 1, Holes: map[uint32]tickets.Hole{}, Started: b.place.Started}
	}
	p := b.place
	p.Holes = map[uint32]tickets.Hole{}
	for uid, h := range b.place.Holes {
		p.Holes[uid] = h
	}
	return p, nil
}

func (d *desk) Receive(ctx context.Context, b tickets.Batch) ([]tickets.Outcome, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := cmp(ctx.Err(), d.fail); err != nil {
		return nil, err
	}
	if d.onCommit != nil {
		d.onCommit(b)
	}
	box := d.box(b.Mailbox)
	var outcomes []tickets.Outcome
	for _, in := range b.Messages {
		if in.Source.UIDValidity != b.UIDValidity || in.Source.Mailbox != b.Mailbox {
			return nil, fmt.Errorf("%v in a batch of %q %d", in.Source, b.Mailbox, b.UIDValidity)
		}
		if (in.Message == nil) != (in.Raw == nil) {
			return nil, fmt.Errorf("%v: raw and message do not go together", in.Source)
		}
		if s, ok := box.settled[in.Source]; ok {
			outcomes = append(outcomes, tickets.Outcome{Result: s.Result})
			continue
		}
		r := tickets.Created
		switch {
		case in.Absent == tickets.TooOld:
			r = tickets.Filed
		case in.Absent == tickets.Oversize:
			r = tickets.Quarantined
		case in.Absent != tickets.Present:
			r = tickets.Failed
		case d.content[in.Message.Identity]:
			r = tickets.Duplicate
		default:
			d.content[in.Message.Identity] = true
		}
		box.settled[in.Source] = tickets.Settled{UID: in.Source.UID, Result: r, Absent: in.Absent}
		delete(box.place.Holes, in.Source.UID)
		d.bytes += int64(len(in.Raw))
		d.kept = append(d.kept, kept{in, r})
		outcomes = append(outcomes, tickets.Outcome{Result: r})
	}
	if b.Through != 0 {
		box.place.Next = max(box.place.Next, b.Through+1)
	}
	d.batches++
	select {
	case d.changed <- struct{}{}:
	default:
	}
	return outcomes, nil
}

func cmp(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *desk) Settled(_ context.Context, mailbox string, v uint32, uids []uint32) ([]tickets.Settled, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []tickets.Settled
	for _, uid := range uids {
		if s, ok := d.box(mailbox).settled[tickets.Source{Mailbox: mailbox, UIDValidity: v, UID: uid}]; ok {
			list = append(list, s)
		}
	}
	return list, nil
}

func (d *desk) Missed(_ context.Context, src tickets.Source, reason string) (tickets.Hole, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.box(src.Mailbox)
	h := b.place.Holes[src.UID]
	if h.Attempts++; h.Since.IsZero() {
		h.Since = d.now()
	}
	h.Reason = reason
	b.place.Holes[src.UID] = h
	select {
	case d.changed <- struct{}{}:
	default:
	}
	return h, nil
}

func (d *desk) holes(mailbox string) map[uint32]tickets.Hole {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := map[uint32]tickets.Hole{}
	for uid, h := range d.box(mailbox).place.Holes {
		m[uid] = h
	}
	return m
}

// list is a copy of what was settled so far.
func (d *desk) list() []kept {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.kept)
}

// patience is how long nothing may change: how fast the machine is at present is none of the tests' business.
const patience = 3 * time.Minute

// waitFor waits until cond holds of what was settled.
func (d *desk) waitFor(t testing.TB, what string, cond func([]kept) bool) []kept {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		list := d.list()
		if cond(list) {
			return list
		}
		select {
		case <-d.changed:
			limit.Reset(patience)
		case <-limit.C:
			t.Fatalf("%s: nothing changed for %s; settled %d: %s", what, patience, len(list), describe(list))
		}
	}
}

func describe(list []kept) string {
	s := ""
	for _, k := range list[:min(len(list), 30)] {
		s += fmt.Sprintf("%d/%d:%s%s ", k.Source.UIDValidity, k.Source.UID, k.Result, k.Absent)
	}
	return s
}

func count(n int) func([]kept) bool { return func(l []kept) bool { return len(l) >= n } }

// simpleRead stands for mailin.Parse where only identity matters.
func simpleRead(raw []byte, _ time.Time) *tickets.Message {
	return &tickets.Message{Text: string(raw), Identity: sha256.Sum256(raw), Size: int64(len(raw))}
}

func mail(n int) []byte {
	return fmt.Appendf(nil, "From: a@example.org\r\nTo: support@example.net\r\nSubject: Case %d\r\nMessage-ID: <m%d@example.org>\r\n\r\nText %d\r\n", n, n, n)
}

const (
	testUser     = "support@example.net"
	testPassword = "canary-Pa55word"
)

func startServer(t testing.TB, o imaptest.Options) *imaptest.Server {
	t.Helper()
	s, err := imaptest.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.AddUser(testUser, testPassword)
	return s
}

func config(port int) mailin.Config {
	return mailin.Config{
		Name: "support", Host: "127.0.0.1", Port: port, TLS: mailin.TLSNone,
		User: testUser, Password: func() (string, error) { return testPassword, nil },
	}
}

// fast is timing for tests against a real server: short waits, no jitter.
func fast() mailin.Timing {
	return mailin.Timing{
		BackoffMin: 5 * time.Millisecond, BackoffMax: 20 * time.Millisecond, Busy: 10 * time.Millisecond,
		Login: 10 * time.Millisecond, Step: 5 * time.Second, Retry: 10 * time.Millisecond, GiveUp: 50 * time.Millisecond,
	}
}

func newPoller(port int, d *desk) *mailin.Poller {
	return &mailin.Poller{Mailbox: config(port), To: d, Read: simpleRead, Timing: fast()}
}

// run runs a Poller until the test ends or stop is called; an error other than want fails the test.
func run(t testing.TB, p *mailin.Poller) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil && !errors.Is(err, tickets.ErrStopped) {
					t.Errorf("Run: %v", err)
				}
			case <-time.After(time.Minute):
				t.Error("Run did not end")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func appendMails(t testing.TB, s *imaptest.Server, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if _, err := s.Append(testUser, "INBOX", mail(i), nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDrainThenIdle(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 450)
	d := newDesk()
	p := newPoller(s.Port(), d)
	stop := run(t, p)
	list := d.waitFor(t, "backlog", count(450))
	for i, k := range list {
		if k.Source.UID != uint32(i)+1 || string(k.Raw) != string(mail(i+1)) || k.Result != tickets.Created {
			t.Fatalf("message %d: %v %s, %d octets", i, k.Source, k.Result, len(k.Raw))
		}
	}
	for i := 451; i <= 460; i++ {
		appendMails(t, s, i, i)
		d.waitFor(t, "new mail", count(i))
	}
	stop()
	if st := p.Status(); st.LastUID != 460 || st.Connected {
		t.Errorf("status: %+v", st)
	}
}
