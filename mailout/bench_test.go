package mailout

import (
	"context"
	"fmt"
	"testing"
	"time"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// endless is an outbox that costs next to nothing: the same mail, so many times.
type endless struct {
	mail tickets.Outgoing
	left int
}

// Due implements Outbox.
func (e *endless) Due(_ context.Context, _ time.Time, limit int) (due []tickets.Outgoing, next time.Time, err error) {
	for i := range min(limit, e.left) {
		e.mail.ID = tickets.OutgoingID(e.left - i)
		due = append(due, e.mail)
	}
	return due, next, nil
}

// Attempt implements Outbox.
func (e *endless) Attempt(_ context.Context, a []tickets.Attempt) error {
	e.left -= len(a)
	return nil
}

// Settle implements Outbox.
func (e *endless) Settle(context.Context, []tickets.Delivery) error { return nil }

// BenchmarkSend is the way of a mail from the outbox (in memory) to a server on the loopback interface and back.
func BenchmarkSend(b *testing.B) {
	for _, connections := range []int{1, 4} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			srv := newServer(b, smtptest.Options{Forget: true})
			server := at(b, srv.Addr())
			server.Connections = connections
			s := sender(nil, server)
			s.Outbox = &endless{mail: outgoing(b, tickets.ClassAuto, "c@customer.example", 1), left: b.N}
			s.AutoPerMinute = -1
			b.ResetTimer()
			run(b, s)
			if _, err := srv.Wait(b.Context(), b.N); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkWake is the time from the wake-up until an idle sender's server has the mail.
func BenchmarkWake(b *testing.B) {
	srv := newServer(b, smtptest.Options{Forget: true})
	box := newBox(b)
	m := outgoing(b, tickets.ClassAnswer, "c@customer.example", 1)
	wake := make(chan struct{})
	s := sender(box, at(b, srv.Addr()))
	s.Wake = wake
	run(b, s)
	n := 0
	for b.Loop() {
		box.add(m)
		wake <- struct{}{}
		if _, err := srv.Wait(b.Context(), n+1); err != nil {
			b.Fatal(err)
		}
		n++
		b.StopTimer()
		box.waitFor(b, tickets.Sent, n)
		b.StartTimer()
	}
}

// BenchmarkCompose is the making of one acknowledgement, and of one answer with HTML and a file.
func BenchmarkCompose(b *testing.B) {
	plain := letter(tickets.ClassAuto)
	rich := letter(tickets.ClassAnswer)
	rich.HTML = "<p>Wir kümmern uns darum.</p>"
	rich.Attached = []tickets.File{{Name: "Übersicht.pdf", Type: "application/pdf", Data: make([]byte, 100<<10)}}
	for name, l := range map[string]tickets.Letter{"plain": plain, "rich": rich} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				compose(b, l)
			}
		})
	}
}

// BenchmarkBacklog is how long a page of mails takes to be put aside while the server is down.
func BenchmarkBacklog(b *testing.B) {
	box := newBox(b)
	for range b.N {
		box.add(outgoing(b, tickets.ClassAnswer, "c@customer.example", 1))
	}
	server := Server{Host: "127.0.0.1", Port: 1, TLS: TLSNone, Backoff: []time.Duration{time.Hour}}
	b.ResetTimer()
	run(b, sender(box, server))
	box.waitFor(b, tickets.Deferred, b.N)
}
