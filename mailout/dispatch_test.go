package mailout

import (
	"sync"
	"testing"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// Each mail that is asked for is put together and proved: of a backlog each one is asked for once, and many results are
// recorded at a time.
func TestSendAsksForEachMailOnce(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	b := newBox(t, many(t, tickets.ClassNotice, 500)...)
	run(t, sender(b, at(t, srv.Addr())))
	b.waitFor(t, tickets.Sent, 500)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.handed != 500 {
		t.Errorf("%d mails were asked for, to send 500", b.handed)
	}
	recorded := 0
	for _, n := range b.settled {
		recorded += n
	}
	if recorded != 500 || len(b.settled) > 250 {
		t.Errorf("%d results in %d commits", recorded, len(b.settled))
	}
}

// A mail goes although all those before it, as many as may be on their way, wait for one of their ticket that does not end.
func TestSendPassesMailsThatWait(t *testing.T) {
	var once sync.Once
	passed := make(chan struct{})
	srv := newServer(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
		if s.Verb != smtptest.End {
			return smtptest.Fault{}
		}
		switch s.To {
		case "last@customer.example":
			once.Do(func() { close(passed) })
		case "c@customer.example":
			select {
			case <-passed:
			case <-t.Context().Done():
			}
		}
		return smtptest.Fault{}
	}})
	server := at(t, srv.Addr())
	server.Connections = 2
	b := newBox(t, outgoing(t, tickets.ClassAnswer, "first@customer.example", 0)) // shows that the server can be used
	waiting := windowFactor*server.Connections + beside/2
	for i := range waiting {
		m := outgoing(t, tickets.ClassAnswer, "c@customer.example", 1+i)
		m.Ticket = 7
		b.add(m)
	}
	b.add(outgoing(t, tickets.ClassAnswer, "last@customer.example", 1+waiting))
	run(t, sender(b, server))
	b.waitFor(t, tickets.Sent, waiting+2)
}
