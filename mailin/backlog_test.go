package mailin_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// TestBacklogMemory: S-025. What is held of a backlog is bounded by InFlight, not by the backlog.
func TestBacklogMemory(t *testing.T) {
	const n, size, inFlight = 3000, 20 << 10, 1 << 20
	s := startServer(t, imaptest.Options{})
	filler := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz\r\n"), size/38)
	for i := 1; i <= n; i++ {
		if _, err := s.Append(testUser, "INBOX", append(mail(i), filler...), nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	var before, m runtime.MemStats
	runtime.ReadMemStats(&before)
	r := &counting{desk: newDesk()}
	var peak, held, most atomic.Int64
	r.receive = func(b tickets.Batch) {
		for _, in := range b.Messages {
			held.Add(-int64(len(in.Raw)))
		}
		if r.batches.Load()%16 == 0 {
			runtime.GC() // what is in use, and not what waits to be collected
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), int64(m.HeapInuse)))
		}
	}
	p := newPoller(s.Port(), nil)
	p.To, p.InFlight = r, inFlight
	p.Read = func(raw []byte, _ time.Time) *tickets.Message {
		most.Store(max(most.Load(), held.Add(int64(len(raw)))))
		return &tickets.Message{Size: int64(len(raw))}
	}
	run(t, p)
	eventually(t, "all settled", func() bool { return r.settled.Load() == n })
	grown := peak.Load() - int64(before.HeapInuse)
	t.Logf("%d messages, %d MiB: heap grew by %d KiB, held at most %d KiB", n, n*size>>20, grown>>10, most.Load()>>10)
	if grown > 8<<20 {
		t.Errorf("heap in use grew by %d MiB", grown>>20)
	}
	if most.Load() > inFlight+size {
		t.Errorf("held %d KiB, allowed are %d", most.Load()>>10, inFlight>>10)
	}
}

// counting is a Receiver that keeps only numbers.
type counting struct {
	*desk
	receive          func(tickets.Batch)
	settled, batches atomic.Int64
}

func (c *counting) Receive(_ context.Context, b tickets.Batch) ([]tickets.Outcome, error) {
	if c.receive != nil {
		c.receive(b)
	}
	c.settled.Add(int64(len(b.Messages)))
	c.batches.Add(1)
	return make([]tickets.Outcome, len(b.Messages)), nil
}

// TestBacklogKilled: S-025, S-001. However often the process ends, what is settled stays, and in the end every message
// is there once.
func TestBacklogKilled(t *testing.T) {
	const n = 2000
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, n)
	d := newDesk()
	last := 0
	for kills := 0; len(d.list()) < n && kills < 100; kills++ {
		stop := run(t, newPoller(s.Port(), d))
		list := d.waitFor(t, "progress", count(min(n, last+50)))
		stop()
		if len(list) < last {
			t.Fatalf("settled went from %d to %d", last, len(list))
		}
		last = len(d.list())
	}
	wantAll(t, d.list(), n)
}

// TestOutages: the connection drops at random moments while mail comes in.
func TestOutages(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Timing.BackoffMax = 5 * time.Millisecond
	run(t, p)
	const n = 400
	for i := 1; i <= n; i++ {
		appendMails(t, s, i, i)
		if i%20 == 0 {
			s.DropConnections()
		}
	}
	wantAll(t, d.waitFor(t, "all", count(n)), n)
}

// TestNothingRunsAfter: when Run has returned, nothing of it is left, whatever it was doing.
func TestNothingRunsAfter(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	body := strings.Repeat("x", 200<<10)
	for i := 1; i <= 100; i++ {
		if _, err := s.Append(testUser, "INBOX", append(mail(i), body...), nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	before := runtime.NumGoroutine()
	for i := range 20 {
		d := newDesk()
		stop := run(t, newPoller(s.Port(), d))
		d.waitFor(t, "start", count(i))
		stop()
	}
	eventually(t, fmt.Sprintf("goroutines back to %d", before), func() bool { return runtime.NumGoroutine() <= before+1 })
}

// BenchmarkDrain reads a backlog of 2,000 mails of 1.2 KB from the server in memory.
func BenchmarkDrain(b *testing.B) {
	const n = 2000
	s := startServer(b, imaptest.Options{})
	for i := 1; i <= n; i++ {
		if _, err := s.Append(testUser, "INBOX", append(mail(i), bytes.Repeat([]byte("text of a mail\r\n"), 70)...), nil, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		read func([]byte, time.Time) *tickets.Message
	}{{"unread", func(raw []byte, _ time.Time) *tickets.Message { return &tickets.Message{} }}, {"parsed", mailin.Parse}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				done := make(chan struct{})
				r := &counting{desk: newDesk()}
				r.receive = func(batch tickets.Batch) {
					if r.settled.Load()+int64(len(batch.Messages)) == n {
						close(done)
					}
				}
				p := newPoller(s.Port(), nil)
				p.To, p.Read = r, c.read
				stop := run(b, p)
				<-done
				stop()
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkLatency is from Append on the server to the call of Receive, in a quiet mailbox.
func BenchmarkLatency(b *testing.B) {
	s := startServer(b, imaptest.Options{})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Poll = time.Hour
	run(b, p)
	worst := time.Duration(0)
	i := 0
	for b.Loop() {
		i++
		start := time.Now()
		appendMails(b, s, i, i)
		d.waitFor(b, "mail", count(i))
		worst = max(worst, time.Since(start))
	}
	b.ReportMetric(float64(worst.Microseconds()), "worst-µs")
}
