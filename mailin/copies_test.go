package mailin_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// owed is a queue of copies in memory: what failed is due again when the test says so.
type owed struct {
	mu     sync.Mutex
	due    []tickets.SentCopy
	left   map[tickets.OutgoingID]tickets.SentCopy
	reason string
}

func newOwed(n int) *owed {
	o := &owed{left: map[tickets.OutgoingID]tickets.SentCopy{}}
	for i := 1; i <= n; i++ {
		id, _, _ := strings.Cut(string(mail(i)[bytes.Index(mail(i), []byte("Message-ID: <"))+len("Message-ID: <"):]), ">")
		c := tickets.SentCopy{ID: tickets.OutgoingID(i), MessageID: id, Sent: time.Date(2026, 5, 1, 12, i, 0, 0, time.UTC), Bytes: mail(i)}
		o.due, o.left[c.ID] = append(o.due, c), c
	}
	return o
}

func (o *owed) Copies(_ context.Context, _ string, limit int) ([]tickets.SentCopy, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(limit, len(o.due))
	list := slices.Clone(o.due[:n])
	o.due = o.due[n:]
	return list, nil
}

func (o *owed) Copied(_ context.Context, _ string, id tickets.OutgoingID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.left, id)
	return nil
}

func (o *owed) CopyFailed(_ context.Context, _ string, _ tickets.OutgoingID, reason string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reason = reason
	return nil
}

// again makes everything due that is left.
func (o *owed) again() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.due = nil
	for _, c := range o.left {
		o.due = append(o.due, c)
	}
}

func (o *owed) state() (left int, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.left), o.reason
}

// TestKeeperCopies: copies stand in the folder once, read and with the time when the mail was sent; also when the attempt
// before got so far and nobody heard of it. A folder that is missing, or a server that ends connections, costs nothing but
// time.
func TestKeeperCopies(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	o := newOwed(9)
	k := newKeeper(s)
	k.Copies, k.Sent = o, "Sent"
	keep(t, k)
	eventually(t, "the missing folder to be told", func() bool { _, reason := o.state(); return strings.Contains(reason, `folder "Sent" cannot be opened`) })
	if err := s.CreateFolder(testUser, "Sent", ""); err != nil {
		t.Fatal(err)
	}
	put(t, s, "Sent", 3) // as if an attempt before had got so far
	o.again()
	eventually(t, "all copies", func() bool {
		left, _ := o.state()
		if left > 0 {
			s.DropConnections()
			o.again()
		}
		return left == 0
	})
	seen := map[string]int{}
	for _, m := range messages(t, s, "Sent") {
		seen[string(m.Raw)]++
		if bytes.Equal(m.Raw, mail(3)) {
			continue
		}
		if !slices.Contains(m.Flags, `\Seen`) || m.Arrived.UTC().Hour() != 12 {
			t.Errorf("copy with flags %v, arrived %s", m.Flags, m.Arrived)
		}
	}
	for i := 1; i <= 9; i++ {
		if n := seen[string(mail(i))]; n != 1 {
			t.Errorf("mail %d stands %d times in Sent", i, n)
		}
	}
}
