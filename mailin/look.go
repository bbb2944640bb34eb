package mailin

import (
	"context"
	"sync"
)

// looks counts the rounds of a Poller, for those who wait for one. Its zero value is ready.
type looks struct {
	mu    sync.Mutex
	begun uint64        // rounds
	ended uint64        // the last round that ended well
	next  chan struct{} // closed when one has
	ask   chan struct{} // holds one: somebody waits for a round
}

func (l *looks) asked() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ask == nil {
		l.ask = make(chan struct{}, 1)
	}
	return l.ask
}

func (l *looks) begin() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun++
	return l.begun
}

func (l *looks) end(round uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = round
	if l.next != nil {
		close(l.next)
		l.next = nil
	}
}

// after is how many rounds have begun.
func (l *looks) after() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun
}

// done reports whether a round that is later than that has ended well; else it gives what is closed at the next end.
func (l *looks) done(round uint64) (bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended > round {
		return true, nil
	}
	if l.next == nil {
		l.next = make(chan struct{})
	}
	return false, l.next
}

// Look has the mailbox looked at, and returns nil once all that was in it when Look was called is settled or a hole. It
// does not hasten a connection that is waited for: the error is that of ctx.
func (p *Poller) Look(ctx context.Context) error {
	round := p.looks.after()
	ask := p.looks.asked()
	for {
		done, next := p.looks.done(round)
		if done {
			return nil
		}
		select {
		case ask <- struct{}{}:
		default:
		}
		select {
		case <-next:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
