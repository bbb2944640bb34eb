package tickets

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// mirror checks what is owed to mailboxes that show the state of tickets: it is of tickets that are there, and wherever
// something else stands at a message than its ticket wants, it is owed.
func (c *checkup) mirror() error {
	mirrors, err := c.tx.mirrors()
	if err != nil {
		return err
	}
	err = c.tx.each(bucketMirror, nil, func(k, v []byte) (bool, error) {
		mailbox, id, ok := bytes.Cut(k, []byte{0})
		var row mirrorRecord
		switch {
		case !ok || len(id) != 8:
			c.found("what a mailbox is to show (%x) cannot be read", k)
		case decodeRecord(v, &row) != nil:
			c.found("what mailbox %q is to show of ticket %d cannot be read", mailbox, binary.BigEndian.Uint64(id))
		case mirrors[string(mailbox)] == nil:
			c.found("mailbox %q is to show ticket %d, and shows none", mailbox, binary.BigEndian.Uint64(id))
		case c.tx.btx.Bucket(bucketTickets).Get(id) == nil:
			c.found("mailbox %q is to show ticket %d, which is not there", mailbox, binary.BigEndian.Uint64(id))
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	lost := map[string]uint64{}
	err = c.tx.each(bucketStands, nil, func(k, v []byte) (bool, error) {
		var s Stand
		if err := decodeRecord(v, &s); err != nil || len(k) != 8 {
			c.found("where message %x stands: %v", k, err)
			return true, nil
		}
		m, err := c.tx.Stored(binary.BigEndian.Uint64(k))
		if errors.Is(err, ErrNotFound) {
			c.found("it is kept where message %x stands, which is not there", k)
		}
		if err != nil {
			return true, nil // found before
		}
		if s.Lost {
			lost[m.Source.Mailbox]++
		} else if settings := mirrors[m.Source.Mailbox]; settings != nil && s.Put != nil {
			c.shown(settings, m, s)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.tx.each(bucketMeta, []byte("count:"+countLostMails), func(k, v []byte) (bool, error) {
		mailbox := string(k[len("count:"+countLostMails):])
		if n := binary.BigEndian.Uint64(v); n != lost[mailbox] {
			c.found("%d messages of mailbox %q are not where they were, the count says %d", lost[mailbox], mailbox, n)
		}
		return true, nil
	})
}

// shown checks that what was put at a message is what its ticket wants, or that this is owed. Tickets that were closed when
// the wishes changed are not looked at again.
func (c *checkup) shown(settings *mirrorSettings, m *Stored, s Stand) {
	t, err := c.tx.Ticket(m.Ticket)
	if err != nil {
		return // found before
	}
	taker, err := c.tx.taker(t)
	if err != nil || taker.State == StateClosed || settings.wish(taker).equal(s.Put.MirrorWish) {
		return
	}
	for _, id := range []TicketID{t.ID, taker.ID} {
		if c.tx.btx.Bucket(bucketMirror).Get(mirrorKey(m.Source.Mailbox, id)) != nil {
			return
		}
	}
	c.found("message %d of ticket %s does not show in mailbox %q what the ticket is, and nothing says that it is to", m.Key, t.Number, m.Source.Mailbox)
}
