package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// storeRow is one row of the store.
type storeRow struct{ bucket, key []byte }

// hunt finds everything that the store holds of a person.
type hunt struct {
	desk    *Desk
	address string
	names   []string
	traces  *traces

	tickets  map[TicketID]bool
	numbers  []string
	messages map[uint64]bool   // that they wrote, on tickets that stay or on none
	gone     map[uint64]bool   // all messages whose rows will be emptied
	clear    map[uint64]bool   // of others, whose raw bytes speak of them
	seen     map[uint64]bool   // messages whose raw bytes were read, and say nothing
	hints    map[uint64]bool   // of those: messages with short lines of theirs
	near     map[TicketID]bool // of others, where anything of theirs stands: short lines of theirs count there
	rows     []storeRow        // that speak of them otherwise
	waiting  int               // mails to others that are owed and speak of them
	inHold   int               // messages of theirs that are in quarantine
}

// held lists the numbers of their tickets that must be kept.
func (h *hunt) held() []string {
	return slices.DeleteFunc(slices.Clone(h.numbers), func(n string) bool { return !slices.Contains(h.desk.Rules().Retention.Hold, n) })
}

func (h *hunt) empty() bool {
	return len(h.tickets) == 0 && len(h.messages) == 0 && len(h.clear) == 0 && len(h.rows) == 0
}

// expected counts what removing will do.
func (h *hunt) expected() Removed {
	return Removed{Tickets: len(h.tickets), Messages: len(h.messages), Raw: len(h.clear), Redacted: len(h.rows), Held: h.inHold}
}

// search looks through the store once more.
func (h *hunt) search(ctx context.Context) error {
	h.tickets, h.messages, h.gone, h.clear = map[TicketID]bool{}, map[uint64]bool{}, map[uint64]bool{}, map[uint64]bool{}
	h.rows, h.numbers, h.inHold, h.waiting, h.near = nil, nil, 0, 0, map[TicketID]bool{}
	if h.seen == nil {
		h.seen, h.hints, h.traces = map[uint64]bool{}, map[uint64]bool{}, newTraces()
	}
	var own, others []Stored
	err := h.desk.Store.View(func(tx *Tx) (err error) {
		own, others, err = h.findMessages(tx)
		return err
	})
	if err != nil {
		return err
	}
	h.traces.setWords([]string{h.address}, h.names)
	if err := h.learn(ctx, own); err != nil {
		return err
	}
	if err := h.desk.Store.View(h.learnEntries); err != nil {
		return err
	}
	if err := h.readOthers(ctx, others); err != nil {
		return err
	}
	if err := h.desk.Store.View(h.findRows); err != nil {
		return err
	}
	for i := range others {
		if m := &others[i]; h.hints[m.Key] && h.near[m.Ticket] {
			h.clear[m.Key] = true
		}
	}
	return nil
}

// learnEntries takes the words of what the person wrote from the entries of tickets, where the raw message may be gone, and
// leaves out those that several others wrote too.
func (h *hunt) learnEntries(tx *Tx) error {
	entries := func(fn func(who, text string)) error {
		return tx.each(bucketEntries, nil, func(k, v []byte) (bool, error) {
			var e Entry
			if err := decodeRecord(v, &e); err != nil {
				return false, fmt.Errorf("entry %x: %w", k, err)
			}
			if e.Kind == EntryReceived && e.From != "" {
				fn(e.From, e.Text)
			}
			return true, nil
		})
	}
	err := entries(func(who, text string) {
		if strings.EqualFold(who, h.address) {
			h.traces.wrote.add(text)
		}
	})
	if err != nil {
		return err
	}
	others := writers{}
	err = entries(func(who, text string) {
		if !strings.EqualFold(who, h.address) {
			others.note(&h.traces.wrote, who, text)
		}
	})
	h.traces.wrote.withoutPhrases(others)
	return err
}

// findMessages finds the person's tickets and messages, and their names.
func (h *hunt) findMessages(tx *Tx) (own, others []Stored, err error) {
	prefix := append([]byte(h.address), 0)
	err = tx.each(bucketRequesters, prefix, func(k, _ []byte) (bool, error) {
		t, err := tx.Ticket(TicketID(binary.BigEndian.Uint64(k[len(prefix):])))
		if err != nil {
			return false, err
		}
		h.tickets[t.ID] = true
		h.numbers = append(h.numbers, t.Number)
		h.addName(t.Requester.Name)
		return true, nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = tx.each(bucketMessages, nil, func(k, v []byte) (bool, error) {
		var m Stored
		if err := decodeRecord(v, &m); err != nil {
			return false, fmt.Errorf("message %x: %w", k, err)
		}
		mine := strings.EqualFold(m.From.Mail, h.address)
		switch {
		case mine:
			h.addName(m.From.Name)
			own = append(own, m)
			h.gone[m.Key] = true
			if !h.tickets[m.Ticket] {
				h.messages[m.Key] = true
			}
		case h.tickets[m.Ticket]:
			h.gone[m.Key] = true
		case !m.Erased:
			others = append(others, m)
		}
		return true, nil
	})
	if err != nil {
		return nil, nil, err
	}
	held, err := tx.HeldMails()
	for _, m := range held {
		if h.messages[m.Message] || h.tickets[m.Ticket] {
			h.inHold++
		}
	}
	return own, others, err
}

// addName adds a name that stands with the address: a full one, which is nobody's at the desk. Single words are too
// common to be looked for.
func (h *hunt) addName(name string) {
	name = strings.Join(strings.Fields(name), " ")
	if !strings.Contains(name, " ") || len(name) < 6 || strings.Contains(name, "@") || slices.ContainsFunc(h.names, func(n string) bool { return strings.EqualFold(n, name) }) {
		return
	}
	r := h.desk.Rules()
	for _, a := range r.Agents {
		if strings.EqualFold(a.Name, name) {
			return
		}
	}
	for _, b := range r.Brands {
		if strings.EqualFold(b.From.Name, name) || strings.EqualFold(b.Desk, name) {
			return
		}
	}
	h.names = append(h.names, name)
	clear(h.seen) // they are to be read for this one, too
}

// learn takes the lines of what the person wrote from the raw messages.
func (h *hunt) learn(ctx context.Context, own []Stored) error {
	for i := range own {
		m := &own[i]
		h.traces.addID(m.MessageID)
		if m.Raw.Month == "" {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		raw, err := h.desk.Raw(m)
		if errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		if read := h.read(raw, m.Arrived); read != nil {
			h.traces.wrote.add(read.NewText())
		}
	}
	return nil
}

// read parses a message; nil when that cannot be done.
func (h *hunt) read(raw []byte, arrived time.Time) (m *Message) {
	if h.desk.Read == nil {
		return nil
	}
	defer guard(func(any) { m = nil })()
	return h.desk.Read(raw, arrived)
}

// readOthers finds the raw messages of others that speak of the person. Each is read once.
func (h *hunt) readOthers(ctx context.Context, others []Stored) error {
	for i := range others {
		m := &others[i]
		if m.Raw.Month == "" || h.seen[m.Key] {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		raw, err := h.desk.Raw(m)
		if err != nil {
			return err
		}
		var files []File
		if h.desk.Files != nil {
			files = h.files(raw)
		}
		switch h.traces.inMail(raw, h.read(raw, m.Arrived), files) {
		case full:
			h.clear[m.Key] = true
			h.near[m.Ticket] = m.Ticket != 0
			continue
		case short:
			h.hints[m.Key] = true
		}
		h.seen[m.Key] = true
	}
	return nil
}

func (h *hunt) files(raw []byte) (files []File) {
	defer guard(func(any) { files = nil })()
	return h.desk.Files(raw)
}

// findRows finds the rows that speak of the person, beside those of their own tickets and messages.
func (h *hunt) findRows(tx *Tx) error {
	type hint struct {
		row    storeRow
		ticket TicketID
	}
	var hints []hint
	err := tx.eachBucket(func(name []byte) error {
		if bytes.Equal(name, bucketMeta) || bytes.Equal(name, bucketTickets) {
			return nil // numbers; and tickets are made anew from their entries
		}
		return tx.each(name, nil, func(k, v []byte) (bool, error) {
			if bytes.Equal(name, bucketBytes) {
				v = tx.wholeRow(k, v)
			}
			payload := v
			if p, _, err := payloadOf(v); err == nil {
				payload = p
			}
			found := max(h.traces.in(k), h.traces.in(payload))
			if bytes.Equal(name, bucketBytes) && found != full {
				found = max(found, h.traces.inMail(v, h.read(v, time.Time{}), nil))
			}
			if found == nothing || h.goesAnyway(tx, name, k, v) {
				return true, nil
			}
			if bytes.Equal(name, bucketBytes) && !h.isTo(tx, k) {
				if found == full {
					h.waiting++
				}
				return true, nil
			}
			row, ticket := storeRow{bytes.Clone(name), bytes.Clone(k)}, tx.ticketOf(name, k)
			if found == full {
				h.rows = append(h.rows, row)
				h.near[ticket] = ticket != 0
			} else if ticket != 0 {
				hints = append(hints, hint{row, ticket})
			}
			return true, nil
		})
	})
	for _, s := range hints {
		if h.near[s.ticket] {
			h.rows = append(h.rows, s.row)
		}
	}
	return err
}

// isTo reports whether a mail of the outbox goes to the person, or to nobody that is known any more.
func (h *hunt) isTo(tx *Tx, key []byte) bool {
	o, err := tx.Outgoing(OutgoingID(binary.BigEndian.Uint64(key)))
	return err != nil || strings.EqualFold(o.Recipient, h.address)
}

// ticketOf is the ticket that an entry or a mail of the outbox belongs to; 0 for other rows.
func (tx *Tx) ticketOf(bucket, key []byte) TicketID {
	if bytes.Equal(bucket, bucketOutbox) || bytes.Equal(bucket, bucketBytes) {
		if o, err := tx.Outgoing(OutgoingID(binary.BigEndian.Uint64(key))); err == nil {
			return o.Ticket
		}
		return 0
	}
	return ticketOfRow(bucket, key)
}

// goesAnyway reports whether a row goes with a ticket or a message of the person.
func (h *hunt) goesAnyway(tx *Tx, bucket, key, value []byte) bool {
	switch string(bucket) {
	case string(bucketEntries):
		return h.tickets[ticketOfRow(bucket, key)]
	case string(bucketRequesters):
		return len(key) > 8 && h.tickets[TicketID(binary.BigEndian.Uint64(key[len(key)-8:]))]
	case string(bucketMessages):
		return h.gone[binary.BigEndian.Uint64(key)]
	case string(bucketOutbox), string(bucketBytes):
		o, err := tx.Outgoing(OutgoingID(binary.BigEndian.Uint64(key)))
		return err == nil && o.Ticket != 0 && h.tickets[o.Ticket]
	case string(bucketHeld):
		var m HeldMail
		return decodeRecord(value, &m) == nil && (h.gone[m.Message] || m.Ticket != 0 && h.tickets[m.Ticket])
	}
	return false
}

// ticketOfRow is the ticket that a row of entries belongs to.
func ticketOfRow(bucket, key []byte) TicketID {
	if bytes.Equal(bucket, bucketEntries) && len(key) == 16 {
		return TicketID(binary.BigEndian.Uint64(key))
	}
	return 0
}

// eachBucket calls fn for every bucket.
func (tx *Tx) eachBucket(fn func(name []byte) error) error {
	c := tx.btx.Cursor()
	for name, v := c.First(); name != nil; name, v = c.Next() {
		if v != nil {
			continue
		}
		if err := fn(name); err != nil {
			return err
		}
	}
	return nil
}
