package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStoryTwoDesks: S-168. Two desks, each with a store of its own, run on one mailbox: every mail becomes one ticket and
// gets one answer. The desk that does not read says why, and goes on when it is told to; then the other one stops.
func TestStoryTwoDesks(t *testing.T) {
	everywhere(t, func(t *testing.T, a *world) {
		b := newWorld(t, a.mailServers)
		for _, w := range []*world{a, b} {
			w.configure("admin: anna@nordwind.example\n")
			w.awaits = func(statusView) bool { return true } // both at the same moment
			w.start()
		}
		view := func(w *world) statusView {
			v, err := w.daemon.status()
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		a.await("one of the desks to read, and the other not to", func() bool {
			va, vb := view(a), view(b)
			return va.Ready != vb.Ready && va.Mailboxes[0].Claimed != vb.Mailboxes[0].Claimed
		})
		reader, other := a, b
		if view(b).Ready {
			reader, other = b, a
		}
		write := func(from, to int) {
			t.Helper()
			for i := from; i <= to; i++ {
				for _, who := range []string{sabine, john} {
					raw := fmt.Sprintf("Return-Path: <%s>\r\nFrom: %s\r\nTo: %s\r\nMessage-ID: <%d.%s>\r\nDate: %s\r\nSubject: Frage %d\r\n\r\nDas ist Frage %d von %s.\r\n",
						who, who, deskAddress, i, who, time.Now().Format(time.RFC1123Z), i, i, who)
					if err := a.put("hilfe", []byte(raw), time.Now()); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		tickets := func(w *world) int { return view(w).Tickets["new"] + view(w).Tickets["assigned"] }
		answered := func(n int) {
			t.Helper()
			a.await(fmt.Sprintf("%d answers to each", n), func() bool {
				return tickets(a)+tickets(b) >= 2*n && a.unread("sabine") >= n && a.unread("john") >= n && view(a).Outbox.Due+view(b).Outbox.Due == 0
			})
			if got := tickets(a) + tickets(b); got != 2*n {
				t.Errorf("%d tickets for %d mails", got, 2*n)
			}
			for _, who := range []string{"sabine", "john"} {
				if got := a.unread(who); got != n {
					t.Errorf("%s got %d answers to %d mails", who, got, n)
				}
			}
		}
		write(1, 5)
		answered(5)
		if n := tickets(other); n != 0 {
			t.Errorf("the desk that does not read has %d tickets", n)
		}
		if e := view(other).Mailboxes[0].Error; !strings.Contains(e, filepath.Base(reader.dir)+"/state, since") || !strings.HasSuffix(e, "supportd claim support") {
			t.Errorf("it says %q", e)
		}
		if err := other.daemon.lookAfter(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.await("the admin to be told", func() bool {
			list, err := a.inbox("anna")
			return err == nil && strings.Contains(string(list[len(list)-1]), "supportd claim") || strings.Contains(other.log.String(), "supportd claim")
		})

		if _, err := (&operator{desk: other.daemon.desk, daemon: other.daemon}).claim(t.Context(), claimArgs{}); err != nil {
			t.Fatal(err)
		}
		a.await("the other desk to read", func() bool { return view(other).Ready })
		write(6, 8)
		answered(8)
		a.await("the first desk to stop reading", func() bool { return view(reader).Mailboxes[0].Claimed })
		if n := tickets(other); n != 6 {
			t.Errorf("the desk that took the mailbox over has %d tickets, want 6", n)
		}
	})
}
