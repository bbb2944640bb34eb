package mailout

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// box is an Outbox in memory that holds its caller to the rules.
type box struct {
	t    testing.TB
	mu   sync.Mutex
	rows map[tickets.OutgoingID]*tickets.Outgoing
	// attempts and ends are what was recorded of each mail.
	attempts map[tickets.OutgoingID][]tickets.Attempt
	ends     map[tickets.OutgoingID][]tickets.Delivery
	settled  []int // how many deliveries each commit had
	handed   int   // mails that Due has returned
	bubble   bool  // the time is not real
	fail     func(op string) error
	changed  chan struct{}
}

func newBox(t testing.TB, mails ...tickets.Outgoing) *box {
	b := &box{t: t, rows: make(map[tickets.OutgoingID]*tickets.Outgoing), attempts: make(map[tickets.OutgoingID][]tickets.Attempt),
		ends: make(map[tickets.OutgoingID][]tickets.Delivery), changed: make(chan struct{})}
	b.add(mails...)
	return b
}

func (b *box) add(mails ...tickets.Outgoing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range mails {
		m.ID = tickets.OutgoingID(len(b.rows) + 1)
		m.State = tickets.Queued
		b.rows[m.ID] = &m
	}
}

func (b *box) do(op string, f func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(op); err != nil {
			return err
		}
	}
	defer func() {
		close(b.changed)
		b.changed = make(chan struct{})
	}()
	return f()
}

// Due implements Outbox.
func (b *box) Due(_ context.Context, now time.Time, limit int) (due []tickets.Outgoing, next time.Time, err error) {
	err = b.do("due", func() error {
		var all []*tickets.Outgoing
		for _, m := range b.rows {
			if m.State == tickets.Queued || m.State == tickets.Deferred || m.State == tickets.Sending {
				all = append(all, m)
			}
		}
		slices.SortFunc(all, func(x, y *tickets.Outgoing) int { return cmp.Or(x.Next.Compare(y.Next), cmp.Compare(x.ID, y.ID)) })
		for _, m := range all {
			if m.Next.After(now) || len(due) == limit {
				next = m.Next
				return nil
			}
			due = append(due, *m)
			b.handed++
		}
		return nil
	})
	return due, next, err
}

// Attempt implements Outbox.
func (b *box) Attempt(_ context.Context, attempts []tickets.Attempt) error {
	return b.do("attempt", func() error {
		for _, a := range attempts {
			m := b.rows[a.ID]
			if m == nil || m.State == tickets.Sent || m.State == tickets.GivenUp {
				b.t.Errorf("attempt at mail %d, which is %v", a.ID, m)
				return errors.New("not to be sent")
			}
			if m.State == tickets.Sending {
				m.InDoubt++
			}
			m.State, m.Next, m.Attempts = tickets.Sending, a.Next, m.Attempts+1
			b.attempts[a.ID] = append(b.attempts[a.ID], a)
		}
		return nil
	})
}

// Settle implements Outbox.
func (b *box) Settle(_ context.Context, ends []tickets.Delivery) error {
	return b.do("settle", func() error {
		b.settled = append(b.settled, len(ends))
		for _, d := range ends {
			m := b.rows[d.ID]
			if m.State != tickets.Sending {
				b.t.Errorf("mail %d was settled as %s, but it is %s", d.ID, d.Result, m.State)
			}
			b.ends[d.ID] = append(b.ends[d.ID], d)
			m.LastError, m.Next, m.State = d.Detail, d.Next, tickets.Deferred
			switch {
			case d.Result == tickets.ResultSent:
				m.State = tickets.Sent
			case d.Result == tickets.ResultPermanent, d.GiveUp:
				m.State = tickets.GivenUp
			case d.Result == tickets.ResultUntried:
				m.Attempts--
			case d.Result == tickets.ResultAmbiguous:
				m.InDoubt++
			}
			if m.State == tickets.Deferred && m.Next.Before(d.At) {
				b.t.Errorf("mail %d: next attempt %v lies before %v", d.ID, m.Next, d.At)
			}
		}
		return nil
	})
}

// count returns how many mails are in a state.
func (b *box) count(state tickets.DeliveryState) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, m := range b.rows {
		if m.State == state {
			n++
		}
	}
	return n
}

func (b *box) get(id tickets.OutgoingID) (tickets.Outgoing, []tickets.Delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.rows[id], slices.Clone(b.ends[id])
}

// wait returns when the condition holds, which has 20 s. In a bubble, where the time is not real, it has 20 days.
func (b *box) wait(t testing.TB, what string, cond func() bool) {
	t.Helper()
	limit := 20 * time.Second
	if b.bubble {
		limit = 20 * 24 * time.Hour
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		if cond() {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			b.mu.Lock()
			defer b.mu.Unlock()
			t.Fatalf("waited in vain for: %s; have %v", what, b.ends)
		}
	}
}

// waitFor waits until n mails are in a state.
func (b *box) waitFor(t testing.TB, state tickets.DeliveryState, n int) {
	t.Helper()
	b.wait(t, fmt.Sprintf("%d mails %s", n, state), func() bool { return b.count(state) >= n })
}

// logs collects what is logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// outgoing makes a mail for the outbox.
func outgoing(t testing.TB, class tickets.Class, to string, n int) tickets.Outgoing {
	t.Helper()
	l := letter(class)
	l.To = []tickets.Address{{Mail: to}}
	l.MessageID = fmt.Sprintf("m%d@desk.example", n)
	m := tickets.Outgoing{Class: class, Server: "default", EnvelopeFrom: "bounce+t@desk.example", Recipient: to, MessageID: l.MessageID,
		Created: time.Now(), Bytes: compose(t, l)}
	if class == tickets.ClassAuto {
		m.EnvelopeFrom = ""
	}
	m.Size = len(m.Bytes)
	return m
}

// many makes mails to different people.
func many(t testing.TB, class tickets.Class, n int) []tickets.Outgoing {
	t.Helper()
	var mails []tickets.Outgoing
	for i := range n {
		mails = append(mails, outgoing(t, class, fmt.Sprintf("c%d@customer.example", i), i))
	}
	return mails
}

// at returns the configuration for a server at addr.
func at(t testing.TB, addr string) Server {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return Server{Name: "default", Host: host, Port: n, TLS: TLSNone}
}

// newServer starts a server for the time of a test.
func newServer(t testing.TB, o smtptest.Options) *smtptest.Server {
	t.Helper()
	s, err := smtptest.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// newScript starts a scripted server for the time of a test.
func newScript(t testing.TB, lines ...string) *smtptest.Script {
	t.Helper()
	s, err := smtptest.NewScript(nil, lines...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// run starts a sender and returns a function that ends it.
func run(t testing.TB, s *Sender) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// sender makes a sender for one server.
func sender(b *box, server Server) *Sender {
	return &Sender{Outbox: b, Servers: map[string]Server{"default": server}, Wake: make(chan struct{}), Rand: func() float64 { return 0 }}
}

// pipes is a network in memory, for tests whose time is not real.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once

	mu      sync.Mutex
	refused bool
	dials   int
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25} }

func (p *pipes) refuse(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = yes
}

func (p *pipes) dialed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}

// dial is a dialer.
func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.mu.Lock()
	p.dials++
	refused := p.refused
	p.mu.Unlock()
	if refused {
		return nil, errors.New("connection refused")
	}
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
	case <-ctx.Done():
	}
	return nil, io.ErrClosedPipe
}

// pem writes a file for Server.CAFile.
func pemFile(t testing.TB, pem []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
