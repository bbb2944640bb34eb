package tickets

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// TestChangeOfKeys: S-079. A new key signs; what the old one signed is known for as long as was said, also after a restart,
// and not a moment longer. A revoked key ends at once. Nobody who reads meanwhile is disturbed.
func TestChangeOfKeys(t *testing.T) {
	k := newKit(t)
	token := Token{Purpose: PurposeCustomer, Ticket: 7, Principal: 3}
	old := k.store.Keys().Sign(token)
	known := func(s string) bool { _, err := k.store.Keys().Verify(s); return err == nil }

	var reading sync.WaitGroup
	stop := make(chan struct{})
	reading.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				k.store.Keys().Verify(k.store.Keys().Sign(token))
			}
		}
	})
	now := k.clock.Now()
	if err := k.store.RevokeKey(1); err == nil || !strings.Contains(err.Error(), "key add") {
		t.Errorf("the only key was revoked: %v", err)
	}
	second, err := k.store.AddKey(now, 48*time.Hour, testRandom(2))
	if err != nil || second.ID != 2 {
		t.Fatalf("%+v, %v", second, err)
	}
	close(stop)
	reading.Wait()
	fresh := k.store.Keys().Sign(token)
	if fresh == old || !known(old) || !known(fresh) {
		t.Error("after the change: the new key does not sign, or one of the two is not known")
	}
	third, err := k.store.AddKey(now.Add(time.Hour), 24*time.Hour, testRandom(3))
	if err != nil || third.ID != 3 {
		t.Fatalf("%+v, %v", third, err)
	}
	// The first said 48 hours, the second change 24: what is sooner counts.
	for _, v := range k.store.KeyViews()[:2] {
		if want := now.Add(25 * time.Hour); !v.Until.Equal(want) {
			t.Errorf("key %d is known until %s, want %s", v.ID, v.Until, want)
		}
	}
	k.reopen()
	if !known(old) || !known(fresh) {
		t.Error("a restart forgot a key")
	}
	if err := k.store.RevokeKey(2); err != nil {
		t.Fatal(err)
	}
	if !known(old) || known(fresh) {
		t.Error("after key 2 was revoked: key 1 has to be known, and key 2 not")
	}
	if n, err := k.store.RetireKeys(now.Add(25*time.Hour - time.Second)); n != 0 || err != nil {
		t.Errorf("%d keys ended before their time, %v", n, err)
	}
	if n, err := k.store.RetireKeys(now.Add(25 * time.Hour)); n != 1 || err != nil || known(old) {
		t.Errorf("%d keys ended, %v; the old one is known: %v", n, err, known(old))
	}
	for range maxKeys - 1 {
		if _, err := k.store.AddKey(now, time.Hour, testRandom(4)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.store.AddKey(now, time.Hour, testRandom(5)); err == nil {
		t.Error("a key more than tokens can name was made")
	}
	k.clock.move(2 * time.Hour)
	k.reopen() // a desk that was down does not know what ended meanwhile
	if n := len(k.store.KeyViews()); n != 1 {
		t.Errorf("%d keys after all but one have ended, want 1", n)
	}
}
