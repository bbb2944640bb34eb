package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Copies of what left the house, for the folder for sent mail. The copy is owed from the transaction that notes the mail
// as sent, and kept until a mail client of the desk says that it stands in the folder. Sending never waits for it.

// bucketCopies has mailbox, 0, outgoing ID → copyRecord. The bytes stay in bucketBytes meanwhile.
var bucketCopies = []byte("copies")

type copyRecord struct {
	MessageID string    `json:"message_id"`
	Sent      time.Time `json:"sent"`
	Attempts  int       `json:"attempts,omitempty"`
	Next      time.Time `json:"next,omitzero"`
	Reason    string    `json:"reason,omitempty"` // why the last attempt failed
}

// SentCopy is a copy of a mail that is to be put into the folder for sent mail.
type SentCopy struct {
	ID        OutgoingID
	MessageID string // without angle brackets
	Sent      time.Time
	Bytes     []byte
}

func copyKey(mailbox string, id OutgoingID) []byte {
	return append(append([]byte(mailbox), 0), key64(uint64(id))...)
}

// copyTo is the mailbox whose folder for sent mail gets a copy of a mail, or "": only mail about tickets to somebody
// outside is copied.
func (d *Desk) copyTo(tx *Tx, o *Outgoing) (string, error) {
	r := d.Rules()
	if o.Ticket == 0 || !r.wantsCopies() {
		return "", nil
	}
	t, err := tx.Ticket(o.Ticket)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil || !r.Mailboxes[t.Mailbox].Copies || !t.outside(r, o.Recipient) {
		return "", err
	}
	return t.Mailbox, nil
}

// wantsCopies reports whether any mailbox does.
func (r *Rules) wantsCopies() bool {
	for _, in := range r.Mailboxes {
		if in.Copies {
			return true
		}
	}
	return false
}

// finishSent notes that a mail was sent, and owes its copy. Recipients of the same mail have one together.
func (d *Desk) finishSent(tx *Tx, o *Outgoing, at time.Time) error {
	mailbox, err := d.copyTo(tx, o)
	if err != nil {
		return err
	}
	var mail []byte // its own octets: what of it stands in raw messages stays there
	if mailbox != "" {
		mail = bytes.Clone(tx.btx.Bucket(bucketBytes).Get(key64(uint64(o.ID))))
	}
	if err := tx.finish(o, Sent, at); err != nil {
		return err
	}
	if o.Ticket != 0 && o.Class == ClassAnswer {
		if err := tx.oweMirror(o.Ticket); err != nil {
			return err
		}
	}
	if mail == nil {
		return nil
	}
	if before, err := tx.Outgoing(o.ID - 1); err == nil && before.MessageID == o.MessageID && before.State == Sent {
		return nil
	}
	if err := tx.btx.Bucket(bucketBytes).Put(key64(uint64(o.ID)), mail); err != nil {
		return err
	}
	tx.onCommit(func() { kick(tx.store.errands) })
	return tx.put(bucketCopies, copyKey(mailbox, o.ID), copyRecord{MessageID: o.MessageID, Sent: at.UTC()})
}

// Errands receives after every commit that left something to do in the folders of a mailbox.
func (d *Desk) Errands() <-chan struct{} { return d.Store.errands }

// Copies returns up to limit copies that are owed to a mailbox and due, oldest first, and notes the attempt: the next one
// is later, should nothing more be heard of this one.
func (d *Desk) Copies(ctx context.Context, mailbox string, limit int) ([]SentCopy, error) {
	due, err := d.copiesDue(mailbox)
	if err != nil || !due {
		return nil, err
	}
	var list []SentCopy
	err = d.Store.Update(ctx, func(tx *Tx) error {
		list = nil
		now := d.Now().UTC()
		rows, err := tx.copies(mailbox, func(c copyRecord) bool { return !c.Next.After(now) }, limit)
		for _, row := range rows {
			mail, err := tx.copied(row.id)
			if err != nil {
				return err
			}
			if mail == nil { // erased meanwhile
				if err := tx.dropCopy(mailbox, row.id); err != nil {
					return err
				}
				continue
			}
			row.Attempts++
			row.Next = now.Add(copyPause(row.Attempts))
			if err := tx.put(bucketCopies, copyKey(mailbox, row.id), row.copyRecord); err != nil {
				return err
			}
			list = append(list, SentCopy{ID: row.id, MessageID: row.MessageID, Sent: row.Sent, Bytes: mail})
		}
		return err
	})
	return list, err
}

// copied is the octets of a mail whose copy is owed; nil when there is none any more, or none that can be read.
func (tx *Tx) copied(id OutgoingID) ([]byte, error) {
	o, err := tx.Outgoing(id)
	var mail []byte
	if err == nil {
		mail, err = tx.outgoingMail(o)
	}
	if errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged) {
		return nil, nil
	}
	return bytes.Clone(mail), err
}

// copyPause is how long after an attempt the next one is.
func copyPause(attempts int) time.Duration {
	return min(15*time.Second<<min(attempts-1, 10), time.Hour)
}

// Copied notes that a copy stands in the folder.
func (d *Desk) Copied(ctx context.Context, mailbox string, id OutgoingID) error {
	Failpoint("copied.begin")
	return d.Store.Update(ctx, func(tx *Tx) error { return tx.dropCopy(mailbox, id) })
}

// CopyFailed notes why a copy could not be put into the folder; it is tried again.
func (d *Desk) CopyFailed(ctx context.Context, mailbox string, id OutgoingID, reason string) error {
	return d.Store.Update(ctx, func(tx *Tx) error {
		var c copyRecord
		ok, err := tx.get(bucketCopies, copyKey(mailbox, id), &c)
		if err != nil || !ok {
			return err
		}
		c.Reason = oneLine(reason)
		return tx.put(bucketCopies, copyKey(mailbox, id), c)
	})
}

// ForgetCopies drops the copies that are owed to a mailbox: it wants none any more.
func (d *Desk) ForgetCopies(ctx context.Context, mailbox string) error {
	any := false
	err := d.Store.View(func(tx *Tx) error { any = tx.CopiesWaiting(mailbox).Waiting > 0; return nil })
	if err != nil || !any {
		return err
	}
	return d.Store.Update(ctx, func(tx *Tx) error {
		rows, err := tx.copies(mailbox, func(copyRecord) bool { return true }, 0)
		for _, row := range rows {
			err = errors.Join(err, tx.dropCopy(mailbox, row.id))
		}
		return err
	})
}

// CopiesWaiting is how many copies are owed to a mailbox, and why the oldest of those that failed did.
type CopiesWaiting struct {
	Waiting int
	Reason  string
}

// CopiesWaiting counts the copies that are owed to a mailbox.
func (tx *Tx) CopiesWaiting(mailbox string) CopiesWaiting {
	var w CopiesWaiting
	rows, err := tx.copies(mailbox, func(copyRecord) bool { return true }, 0)
	if err != nil {
		w.Reason = err.Error()
	}
	w.Waiting = len(rows)
	for _, row := range rows {
		if w.Reason == "" {
			w.Reason = row.Reason
		}
	}
	return w
}

// copiesDue reports whether there is a copy to be made, without a transaction that writes.
func (d *Desk) copiesDue(mailbox string) (due bool, err error) {
	err = d.Store.View(func(tx *Tx) error {
		now := d.Now()
		rows, err := tx.copies(mailbox, func(c copyRecord) bool { return !c.Next.After(now) }, 1)
		due = len(rows) > 0
		return err
	})
	return due, err
}

type copyRow struct {
	id OutgoingID
	copyRecord
}

// copies returns up to limit rows of a mailbox that want says, oldest first; 0 is no limit.
func (tx *Tx) copies(mailbox string, want func(copyRecord) bool, limit int) ([]copyRow, error) {
	var rows []copyRow
	prefix := append([]byte(mailbox), 0)
	err := tx.each(bucketCopies, prefix, func(k, v []byte) (bool, error) {
		row := copyRow{id: OutgoingID(binary.BigEndian.Uint64(k[len(prefix):]))}
		if err := decodeRecord(v, &row.copyRecord); err != nil {
			return false, fmt.Errorf("copy of mail %d in the outbox: %w", row.id, err)
		}
		if want(row.copyRecord) {
			rows = append(rows, row)
		}
		return limit == 0 || len(rows) < limit, nil
	})
	return rows, err
}

func (tx *Tx) dropCopy(mailbox string, id OutgoingID) error {
	if err := tx.btx.Bucket(bucketCopies).Delete(copyKey(mailbox, id)); err != nil {
		return err
	}
	return tx.btx.Bucket(bucketBytes).Delete(key64(uint64(id)))
}
