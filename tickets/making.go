package tickets

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// Rendering and composing the mails that are owed is most of the work of an intake, and needs nothing of the store.
// While a batch is received it goes on beside the decisions about the messages that follow; before the transaction ends
// every mail stands in the outbox with its final bytes.

// making is what one transaction has under way.
type making struct {
	rooms chan []byte // one for each mail that may be made at a time, for its octets; empty at first
	group sync.WaitGroup
	mails []*made // in the order in which they were owed
}

// made is a mail that is being made, and the rows that wait for it.
type made struct {
	rows    []Outgoing
	done    chan struct{}
	subject string
	mail    composedMail
	err     error
}

// errNotMade: a mail of the batch could not be made. What is owed instead is decided one message after the other, so the
// batch is taken once more, and each mail is made where it is owed.
var errNotMade = errors.New("a mail could not be made")

func newMaking() *making {
	k := &making{rooms: make(chan []byte, runtime.GOMAXPROCS(0))}
	for range cap(k.rooms) {
		k.rooms <- nil
	}
	return k
}

// start makes a mail beside what follows. compose may use the room it is given for the octets of the mail, and leaves in
// the composed mail what of it can be used again.
func (k *making) start(rows []Outgoing, compose func(room []byte) (Letter, composedMail, error)) {
	m := &made{rows: rows, done: make(chan struct{})}
	k.mails = append(k.mails, m)
	k.group.Go(func() {
		defer close(m.done)
		room := <-k.rooms
		defer func() { k.rooms <- room }()
		var l Letter
		l, m.mail, m.err = compose(room)
		m.subject = l.Subject
		room, m.mail.room = m.mail.room, nil
	})
}

// holds reports whether a mail of the outbox is still to be put there.
func (k *making) holds(id OutgoingID) bool {
	for _, m := range k.mails {
		for _, o := range m.rows {
			if o.ID == id {
				return true
			}
		}
	}
	return false
}

// putMade puts the mails that were owed so far into the outbox.
func (tx *Tx) putMade() error {
	if tx.making == nil {
		return nil
	}
	mails := tx.making.mails
	tx.making.mails = nil
	for _, m := range mails {
		<-m.done
		if m.err != nil {
			return fmt.Errorf("%w: %w", errNotMade, m.err)
		}
		for _, o := range m.rows {
			o.Subject = m.subject
			if err := tx.enqueue(o, m.mail); err != nil {
				return err
			}
		}
	}
	return nil
}

// endMaking returns when nothing is under way any more.
func (tx *Tx) endMaking() {
	tx.making.group.Wait()
	tx.making = nil
}
