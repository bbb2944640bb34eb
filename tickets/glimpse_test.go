package tickets

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// What is kept of a sender's tickets never differs from what stands in the store: after changes, after a transaction that
// was rolled back, and when more tickets are looked at than are kept.
func TestGlimpsesAreOfTheRowsAsTheyAre(t *testing.T) {
	k := newKit(t)
	const many = maxGlimpses + 40
	address := func(i int) string { return fmt.Sprintf("c%d@customer.example", i%200) }
	undone := errors.New("undone")
	change := func(subject string, end error) {
		t.Helper()
		err := k.desk.Store.Update(context.Background(), func(tx *Tx) error {
			for i := range many {
				ticket := &Ticket{ID: TicketID(i + 1), State: StateNew, Subject: fmt.Sprint(subject, " ", i), LastCustomer: subject + " says this and that",
					Requester: Address{Mail: address(i)}, Created: k.clock.Now()}
				if err := tx.putTicket(ticket); err != nil {
					return err
				}
				key := append(append([]byte(address(i)), 0), key64(uint64(ticket.ID))...)
				if err := tx.btx.Bucket(bucketRequesters).Put(key, []byte{}); err != nil {
					return err
				}
			}
			checkGlimpses(t, tx, many, subject, address)
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	}
	look := func(subject string) {
		t.Helper()
		if err := k.desk.Store.View(func(tx *Tx) error { checkGlimpses(t, tx, many, subject, address); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change("first", nil)
	look("first")
	change("second", undone)
	look("first")
	change("third", nil)
	look("third")
	if n := len(k.desk.Store.glimpses.byID); n != maxGlimpses {
		t.Errorf("%d are kept, want %d", n, maxGlimpses)
	}
	k.desk.Store.glimpses.forget()
	look("third")
}

// checkGlimpses looks at the tickets of every sender, twice, and compares them with their rows.
func checkGlimpses(t *testing.T, tx *Tx, many int, subject string, address func(int) string) {
	t.Helper()
	for i := range many {
		for range 2 {
			list, err := tx.begun(address(i), 5)
			if err != nil {
				t.Fatal(err)
			}
			for n, g := range list {
				row, err := tx.Ticket(g.id)
				if err != nil {
					t.Fatal(err)
				}
				if n > 0 && g.id >= list[n-1].id || row.Requester.Mail != address(i) {
					t.Fatalf("tickets of %s: %d of %s at place %d", address(i), g.id, row.Requester.Mail, n)
				}
				want := fmt.Sprint(subject, " ", g.id-1)
				if g.subject != want || row.Subject != want || !g.said.same(wordingOf(subject+" says this and that")) {
					t.Fatalf("ticket %d: %q is kept, %q is stored, want %q", g.id, g.subject, row.Subject, want)
				}
			}
		}
	}
}
