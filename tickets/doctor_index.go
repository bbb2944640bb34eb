package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"
)

// What leads to a record has to lead to one that is there, and every record has to be found by what leads to it: a ticket
// that its requester's next mail does not find is as good as lost, and so is one whose timers are gone.

// indexes checks everything that is derived from tickets, messages and mails.
func (c *checkup) indexes() error {
	for _, check := range []func() error{c.ticketRows, c.entryRows, c.sourceRows, c.dueRows, c.principals, c.places, c.mirror} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// requesterKey is where a ticket stands in the list of its requester's.
func requesterKey(t *Ticket) []byte {
	return append(append([]byte(strings.ToLower(t.Requester.Mail)), 0), key64(uint64(t.ID))...)
}

// ticketRows checks the lists of tickets: by number, by requester, of those that are open, and what they wait for.
func (c *checkup) ticketRows() error {
	bucket := func(name []byte) func([]byte) []byte { return c.tx.btx.Bucket(name).Get }
	isTicket := func(id []byte) bool { return bucket(bucketTickets)(id) != nil }
	err := c.tx.each(bucketNumbers, nil, func(k, v []byte) (bool, error) {
		if !isTicket(v) {
			c.found("the number %s leads to ticket %x, which is not there", k, v)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	err = c.tx.each(bucketLive, nil, func(k, _ []byte) (bool, error) {
		if !isTicket(k) {
			c.found("the list of open tickets has ticket %x, which is not there", k)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	err = c.tx.each(bucketRequesters, nil, func(k, _ []byte) (bool, error) {
		if len(k) < 9 || !isTicket(k[len(k)-8:]) {
			c.found("the list of requesters has ticket %x, which is not there", k[max(0, len(k)-8):])
			return true, nil
		}
		t, err := c.tx.Ticket(TicketID(binary.BigEndian.Uint64(k[len(k)-8:])))
		if err == nil && !bytes.Equal(k, requesterKey(t)) {
			c.found("ticket %s stands in the list of somebody who is not its requester", t.Number)
		}
		return true, nil // a ticket that cannot be read was found before
	})
	if err != nil {
		return err
	}
	return c.tx.each(bucketTimers, nil, func(k, _ []byte) (bool, error) {
		switch {
		case len(k) <= 16:
			c.found("a timer %x cannot be read", k)
		case binary.BigEndian.Uint64(k[8:]) != 0 && !isTicket(k[8:16]):
			c.found("a timer (%s) is of ticket %d, which is not there", k[16:], binary.BigEndian.Uint64(k[8:]))
		}
		return true, nil
	})
}

// entryRows checks that no entry is of a ticket that is not there.
func (c *checkup) entryRows() error {
	cursor := c.tx.btx.Bucket(bucketEntries).Cursor()
	for k, _ := cursor.First(); k != nil; {
		if len(k) != 16 {
			c.found("an entry %x stands in no ticket", k)
			k, _ = cursor.Next()
			continue
		}
		id := binary.BigEndian.Uint64(k)
		if c.tx.btx.Bucket(bucketTickets).Get(k[:8]) == nil {
			c.found("there are entries of ticket %d, which is not there", id)
		}
		k, _ = cursor.Seek(key64(id + 1))
	}
	return nil
}

// sourceRows checks that what a mailbox's record leads to is there, and that a message is known when it comes again.
func (c *checkup) sourceRows() error {
	messages := c.tx.btx.Bucket(bucketMessages)
	err := c.tx.each(bucketSources, nil, func(k, v []byte) (bool, error) {
		var r settledRecord
		if err := decodeRecord(v, &r); err != nil {
			c.found("the record of a mailbox %x: %v", k, err)
		} else if r.Message != 0 && messages.Get(key64(r.Message)) == nil {
			c.found("the record of a mailbox leads to message %d, which is not there", r.Message)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	identities := c.tx.btx.Bucket(bucketIdentities)
	err = c.tx.each(bucketIdentities, nil, func(k, v []byte) (bool, error) {
		if messages.Get(v) == nil {
			c.found("what tells copies apart leads to message %x, which is not there", v)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.tx.each(bucketMessages, nil, func(_, v []byte) (bool, error) {
		var m Stored
		if decodeRecord(v, &m) == nil && !m.Identity.IsZero() && (m.Absent == Present || m.Absent == Oversize) && identities.Get(m.Identity[:]) == nil {
			c.found("a copy of message %d would not be known", m.Key)
		}
		return true, nil // what cannot be read was found before
	})
}

// dueRows checks that what is to be sent, and its bytes, are of mails that are there.
func (c *checkup) dueRows() error {
	outbox := c.tx.btx.Bucket(bucketOutbox)
	err := c.tx.each(bucketDue, nil, func(k, _ []byte) (bool, error) {
		if len(k) != 16 || outbox.Get(k[8:]) == nil {
			c.found("the schedule has mail %x, which is not in the outbox", k[min(8, len(k)):])
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.tx.each(bucketBytes, nil, func(k, _ []byte) (bool, error) {
		if outbox.Get(k) == nil {
			c.found("there are bytes of mail %x, which is not in the outbox", k)
		}
		return true, nil
	})
}

// principals checks the numbers that stand for people in reply addresses: each leads to one address, and back.
func (c *checkup) principals() error {
	b := c.tx.btx.Bucket(bucketPrincipals)
	given := c.tx.counter("principals")
	return c.tx.each(bucketPrincipals, nil, func(k, v []byte) (bool, error) {
		back, number := append([]byte("#"), v...), v
		if len(k) == 9 && k[0] == '#' {
			back, number = v, k[1:]
		}
		switch other := b.Get(back); {
		case len(number) != 8 || !bytes.Equal(other, k) && !bytes.Equal(other, number):
			c.found("the number %x and the address that it stands for in reply addresses do not lead to each other", number)
		case binary.BigEndian.Uint64(number) > given:
			c.found("the number %d stands for somebody in reply addresses, %d were given", binary.BigEndian.Uint64(number), given)
		}
		return true, nil
	})
}

// places checks how far each mailbox was read: a message that waits is before that.
func (c *checkup) places() error {
	return c.tx.each(bucketPlaces, nil, func(k, v []byte) (bool, error) {
		var p placeRecord
		if err := decodeRecord(v, &p); err != nil {
			c.found("the place in mailbox %q: %v", k, err)
			return true, nil
		}
		for uid := range p.Holes {
			if uid >= p.Next {
				c.found("mailbox %q was read up to UID %d, and waits for UID %d", k, p.Next-1, uid)
			}
			if _, settled, err := c.tx.settledAs(Source{string(k), p.UIDValidity, uid}); err != nil || settled {
				c.found("mailbox %q waits for UID %d, which is settled", k, uid)
			}
		}
		return true, nil
	})
}

// Doctor is the Store's Doctor, and looks besides whether every ticket has the timers that the rules ask for. It says
// nothing of them while they are written anew for changed rules.
func (d *Desk) Doctor(ctx context.Context) (Diagnosis, error) {
	out, err := d.Store.Doctor(ctx)
	if err != nil || len(out.Problems) >= maxProblems {
		return out, err
	}
	c := &checkup{problems: out.Problems}
	r := d.Rules()
	err = d.Store.View(func(tx *Tx) error {
		if string(tx.btx.Bucket(bucketMeta).Get(metaTimers)) != timersForm+r.Rev {
			return nil
		}
		c.tx = tx
		return c.timers(r, d.Now().UTC())
	})
	out.Problems, out.OK = c.problems, len(c.problems) == 0
	return out, err
}

// timers checks that what each open ticket waits for has a row at that time or before it: a row that comes too early asks
// the ticket again.
func (c *checkup) timers(r *Rules, now time.Time) error {
	type row struct {
		id   TicketID
		kind string
	}
	first := map[row]time.Time{}
	err := c.tx.each(bucketTimers, nil, func(k, _ []byte) (bool, error) {
		if len(k) > 16 {
			of := row{TicketID(binary.BigEndian.Uint64(k[8:])), string(k[16:])}
			if _, earlier := first[of]; !earlier {
				first[of] = keyTime(k[:8])
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.tx.each(bucketLive, nil, func(k, _ []byte) (bool, error) {
		t, err := c.tx.Ticket(TicketID(binary.BigEndian.Uint64(k)))
		if errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged) {
			return true, nil // found before
		}
		if err != nil {
			return false, err
		}
		missing := slices.DeleteFunc(timers(t, r, now), func(tm timer) bool {
			at, ok := first[row{t.ID, tm.kind}]
			return ok && !at.After(tm.at)
		})
		for _, tm := range missing {
			c.found("ticket %s waits for %s (%s), and no timer says so", t.Number, formatTime(tm.at), tm.kind)
		}
		return true, nil
	})
}
