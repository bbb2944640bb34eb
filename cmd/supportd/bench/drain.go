package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"supportd/mailin"
	"supportd/mailout"
	"supportd/tickets"
)

// Drained is what a program that did one half of a desk's work once took, from its start.
type Drained struct {
	Count      int     `json:"count"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakAnon   float64 `json:"peak_rss_mb"` // RssAnon; 0 where the system does not tell
}

// Watch begins to look at this process; the function that it returns says what it took.
func Watch(ctx context.Context) func(count int) Drained {
	peak, began := watchMemory(ctx), time.Now()
	return func(count int) Drained {
		return Drained{Count: count, Seconds: time.Since(began).Seconds(), CPUSeconds: cpuTime().Seconds(), PeakAnon: peak()}
	}
}

// Catch reads a mailbox into a desk until nothing more is there.
func Catch(ctx context.Context, desk *tickets.Desk, box mailin.Config) error {
	p := &mailin.Poller{Mailbox: box, To: desk, Read: mailin.Parse, Log: desk.Log}
	return follow(ctx, p, func(ctx context.Context) error { return caughtUp(ctx, p) })
}

// Settled counts the messages that a desk has settled.
func Settled(desk *tickets.Desk, err error) (int, error) {
	b, berr := books(desk)
	return int(b.Seen), errors.Join(err, berr)
}

// Empty sends everything that is due, and counts it.
func Empty(ctx context.Context, desk *tickets.Desk, servers map[string]mailout.Server) (int, error) {
	n, err := waiting(desk)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	s := &mailout.Sender{Outbox: desk, Servers: servers, Wake: desk.Wake(), Log: desk.Log, AutoPerMinute: -1}
	go func() { ended <- s.Run(ctx) }()
	err = until(ctx, func() (bool, error) { n, err := waiting(desk); return n == 0, err })
	cancel()
	return n, errors.Join(err, <-ended)
}

// WriteMails writes made-up mails into a folder, one a file, or into a maildir.
func WriteMails(dir string, messages int, seed uint64, maildir bool) error {
	into := dir
	if maildir {
		into = filepath.Join(dir, "cur")
		for _, sub := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
				return err
			}
		}
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	g := NewGenerator(seed, deskAddress, mailTime())
	for i := range messages {
		m := g.Next()
		name := fmt.Sprintf("%06d.eml", i)
		if maildir {
			name = fmt.Sprintf("%d.M%06d.bench:2,", m.At.Unix(), i)
		}
		path := filepath.Join(into, name)
		if err := os.WriteFile(path, m.Raw, 0o600); err != nil {
			return err
		}
		if err := os.Chtimes(path, m.At, m.At); err != nil {
			return err
		}
	}
	return nil
}
