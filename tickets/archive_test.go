package tickets

import (
	"context"
	"fmt"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// S-169: a copy of a month that takes long keeps nobody from writing to it, also over the turn of the month, and the
// file is closed when the last one is through with it.
func TestCopyingAMonthStopsNoIntake_S169(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "vorher", "x")
	begun, end, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- k.store.mail.view("2026-03", func(db *bolt.DB) error {
			return db.View(func(*bolt.Tx) error {
				close(begun)
				<-end
				return nil
			})
		})
	}()
	<-begun
	for i := range 3 {
		k.opened(kunde, fmt.Sprintf("dabei %d", i), "y")
	}
	k.clock.move(31 * 24 * time.Hour)
	k.opened(kunde, "im April", "z")
	if got := len(k.store.mail.open); got != 2 {
		t.Errorf("%d months are open while one is copied, want 2", got)
	}
	close(end)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := len(k.store.mail.open); got != 1 || k.store.mail.open["2026-04"] == nil {
		t.Errorf("%d months are open after the copy", got)
	}
	k.opened(kunde, "danach", "z")
	healthy(t, k.store)
}

// A month is rewritten while nobody has it open; who asks for it meanwhile waits and gets the new file.
func TestMonthIsRewrittenAlone(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "eins", "x")
	a := k.store.mail
	inside, arrived := make(chan struct{}), make(chan error)
	err := a.alone("2026-03", func(string) error {
		go func() {
			close(inside)
			_, err := a.put(k.clock.Now(), [][]byte{[]byte("more")})
			arrived <- err
		}()
		<-inside
		if a.open["2026-03"] != nil {
			t.Error("the month is open while it is rewritten")
		}
		select {
		case err := <-arrived:
			t.Errorf("the month was written to meanwhile: %v", err)
		default:
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-arrived; err != nil {
		t.Fatal(err)
	}
	if _, err := k.store.Backup(context.Background(), k.dir+"/b.tar", k.clock.Now()); err != nil {
		t.Fatal(err)
	}
	healthy(t, k.store)
}
