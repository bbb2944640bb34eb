package tickets

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkReceive takes in new mail in batches of 64, each mail of 4 kB with an acknowledgement and three notices.
func BenchmarkReceive(b *testing.B) {
	k := newKit(b)
	k.rules.Limits.AnswersPerHour, k.rules.Limits.AnswersPerDay = 1<<30, 1<<30
	const batch = 64
	text := fmt.Sprintf("%4000d", 1)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		in := make([]Incoming, 0, batch)
		for range batch {
			n++
			in = append(in, k.incoming(k.mail(fmt.Sprintf("k%d@customer.example", n%1000), "Nummer "+itoa(n), text)))
		}
		b.StartTimer()
		k.receiveAll(in...)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkTickNothingDue asks for due timers while 100,000 tickets wait with theirs.
func BenchmarkTickNothingDue(b *testing.B) {
	k := newKit(b)
	const tickets = 100_000
	for i := range tickets / 1000 {
		k.update(func(tx *Tx) error {
			for j := range 1000 {
				at := k.clock.Now().Add(time.Hour + time.Duration(i*1000+j)*time.Second)
				key := append(append(timeKey(at), key64(uint64(i*1000+j+1))...), "step first_response 75"...)
				if err := tx.btx.Bucket(bucketTimers).Put(key, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		next, err := k.desk.Tick(context.Background())
		if err != nil || !next.After(k.clock.Now()) {
			b.Fatalf("next %s, %v", next, err)
		}
	}
}

// BenchmarkDue asks for the next 50 of 10,000 waiting mails.
func BenchmarkDue(b *testing.B) {
	k := newKit(b)
	k.update(func(tx *Tx) error {
		for range 10_000 {
			id, err := tx.nextOutgoing()
			if err != nil {
				return err
			}
			if err := tx.enqueue(Outgoing{ID: id, Recipient: kunde, Created: k.clock.Now()}, make([]byte, 3000)); err != nil {
				return err
			}
		}
		return nil
	})
	b.ReportAllocs()
	for b.Loop() {
		mails, _, err := k.desk.Due(context.Background(), k.clock.Now(), 50)
		if err != nil || len(mails) != 50 {
			b.Fatalf("%d mails, %v", len(mails), err)
		}
	}
}

// BenchmarkDecide is the decision about a new mail alone.
func BenchmarkDecide(b *testing.B) {
	k := newKit(b)
	in := k.incoming(k.mail(kunde, "Drucker", "kaputt"))
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(Unknown(k.rules, "support"), &in, k.rules, k.clock.Now()); d.Result != Created {
			b.Fatal(d.Why)
		}
	}
}
