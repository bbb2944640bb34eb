package tickets

import (
	"context"
	"errors"
)

// Where messages stand in a mailbox that shows the state of its tickets. Until something else is known, a message stands where
// it came in. What somebody moves or deletes is lost, and left alone, until it comes up in a folder that is followed.

// bucketStands has message key → Stand, of messages that were moved, or at which something was put.
var bucketStands = []byte("stands")

// Spot is a message's place in a mailbox.
type Spot struct {
	Folder      string `json:"folder,omitempty"` // "": the one that is followed
	UIDValidity uint32 `json:"uidvalidity"`
	UID         uint32 `json:"uid"`
}

// Stand is what the desk knows of where a message stands, and what it put there.
type Stand struct {
	At   Spot  `json:"at"`
	Seen Spot  `json:"seen,omitzero"`  // where it came up again, in a folder that is followed
	To   *Spot `json:"to,omitempty"`   // it was about to be moved there; UID is the least that it can have there, 0 if unknown
	Lost bool  `json:"lost,omitempty"` // it was not where it had been: somebody moved or deleted it
	Put  *Put  `json:"put,omitempty"`  // what was put there last
}

// Put is what was put at a message.
type Put struct {
	MirrorWish
	Answered bool `json:"answered,omitempty"`
}

// sighted notes where a message came up again in a folder that is followed.
func (tx *Tx) sighted(m *Stored, mailbox string, at Spot) error {
	if m.Ticket == 0 || m.Source.Mailbox != mailbox {
		return nil
	}
	if mirrors, err := tx.mirrors(); err != nil || mirrors[mailbox] == nil {
		return err
	}
	before, err := tx.stand(m)
	if err != nil || before.At == at && !before.Lost {
		return err
	}
	after := before
	after.Seen = at
	return errors.Join(tx.putStand(m, before, after), tx.oweMirror(m.Ticket))
}

// stand is where a message stands: where it came in, unless something else is known.
func (tx *Tx) stand(m *Stored) (Stand, error) {
	s := Stand{At: Spot{UIDValidity: m.Source.UIDValidity, UID: m.Source.UID}}
	_, err := tx.get(bucketStands, key64(m.Key), &s)
	return s, err
}

// putStand stores where a message stands, and counts those that are lost.
func (tx *Tx) putStand(m *Stored, before, after Stand) error {
	return errors.Join(tx.countLost(m, before, after), tx.put(bucketStands, key64(m.Key), after))
}

// countLostMails begins, before the name of a mailbox, the counter of messages that are lost in it.
const countLostMails = "lost:"

func (tx *Tx) countLost(m *Stored, before, after Stand) error {
	name := func(s Stand) string {
		if !s.Lost {
			return ""
		}
		return m.Source.Mailbox
	}
	if before.Lost == after.Lost {
		return nil
	}
	return tx.countChange(countLostMails, name(before), name(after))
}

// dropStand forgets where a message stands.
func (tx *Tx) dropStand(m *Stored) error {
	before, err := tx.stand(m)
	if err != nil {
		return err
	}
	return errors.Join(tx.countLost(m, before, Stand{}), tx.btx.Bucket(bucketStands).Delete(key64(m.Key)))
}

// StandNote is where a message was found to stand.
type StandNote struct {
	Message uint64
	Stand        // Seen as it was given; it is kept if it is another one now
	Looked  bool // Seen was looked at
}

// NoteStands keeps where messages stand, and where they are about to be moved to.
func (d *Desk) NoteStands(ctx context.Context, mailbox string, notes []StandNote) error {
	if len(notes) == 0 {
		return nil
	}
	Failpoint("mirror.note")
	return d.Store.Update(ctx, func(tx *Tx) error {
		for _, n := range notes {
			m, err := tx.Stored(n.Message)
			if errors.Is(err, ErrNotFound) || err == nil && (m.Ticket == 0 || m.Source.Mailbox != mailbox) {
				continue // erased meanwhile
			}
			if err != nil {
				return err
			}
			now, err := tx.stand(m)
			if err != nil {
				return err
			}
			next := n.Stand
			if next.Seen = now.Seen; n.Looked && now.Seen == n.Seen {
				next.Seen = Spot{}
			}
			if err := tx.putStand(m, now, next); err != nil {
				return err
			}
		}
		return nil
	})
}
