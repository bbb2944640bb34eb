package tickets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// removal takes tickets and messages out of the store, in one transaction, with everything that belongs to them. Of a
// message a row without content stays: its UID is settled and the books balance, and when the server shows the same mail
// again, it is known and makes no ticket (S-181).
type removal struct {
	tx       *Tx
	rules    *Rules
	why      string // stands at the messages
	tickets  map[TicketID]bool
	messages map[uint64]bool // of tickets that stay, or of none
	outgoing map[OutgoingID]bool
	mailsOf  map[TicketID]bool // tickets that stay, and whose outgoing mails go
	persons  map[string]bool   // lower-case addresses that may be nobody's any more

	done  Removed
	drop  map[string][]Digest // raw messages, by month
	clear []uint64            // messages that lose their raw bytes only
}

// Removed counts what went.
type Removed struct {
	Tickets  int `json:"tickets"`
	Entries  int `json:"entries"`
	Messages int `json:"messages"`
	Raw      int `json:"raw_messages"`
	Outgoing int `json:"outgoing"`
	Held     int `json:"held"`
	Redacted int `json:"redacted"` // records of others that keep their place and lost what was looked for
	Rows     int `json:"index_rows"`
}

func newRemoval(tx *Tx, r *Rules, why string) *removal {
	return &removal{tx: tx, rules: r, why: why, tickets: map[TicketID]bool{}, messages: map[uint64]bool{}, outgoing: map[OutgoingID]bool{},
		mailsOf: map[TicketID]bool{}, persons: map[string]bool{}, drop: map[string][]Digest{}}
}

// countRemoved is the counter of tickets that were made and are gone.
const countRemoved = "removed"

// carryOut removes what was named. The files are to be rewritten afterwards.
func (r *removal) carryOut() error {
	for _, step := range []func() error{r.allTickets, r.allOutgoing, r.allHeld, r.allMessages, r.allTimers, r.allThreads, r.allPersons} {
		if err := step(); err != nil {
			return err
		}
	}
	return r.tx.rewriteLater(r.drop)
}

func (r *removal) allTickets() error {
	for id := range r.tickets {
		t, err := r.tx.Ticket(id)
		if err != nil {
			return err
		}
		if err := r.ticket(t); err != nil {
			return fmt.Errorf("remove ticket %s: %w", t.Number, err)
		}
	}
	return nil
}

// people remembers who took part in a ticket.
func (r *removal) people(t *Ticket) {
	for address := range t.Thread {
		r.persons[strings.ToLower(address)] = true
	}
	for _, a := range append([]Address{t.Requester}, t.Participants...) {
		r.persons[strings.ToLower(a.Mail)] = true
	}
}

// allPersons forgets the numbers of people who have no ticket any more. Reply addresses of the desk's own people name
// them, so those stay.
func (r *removal) allPersons() error {
	b := r.tx.btx.Bucket(bucketPrincipals)
	for address := range r.persons {
		if _, agent := r.rules.agent(address); agent || address == "" {
			continue
		}
		has := false
		err := r.tx.each(bucketRequesters, append([]byte(address), 0), func(_, _ []byte) (bool, error) { has = true; return false, nil })
		if err != nil {
			return err
		}
		n := bytes.Clone(b.Get([]byte(address)))
		if has || n == nil {
			continue
		}
		if err := errors.Join(b.Delete([]byte(address)), b.Delete(append([]byte("#"), n...))); err != nil {
			return err
		}
		r.done.Rows += 2
	}
	return nil
}

func (r *removal) ticket(t *Ticket) error {
	r.people(t)
	key := key64(uint64(t.ID))
	var entries [][]byte
	redacted := uint64(0)
	if err := r.tx.writePending(); err != nil {
		return err // what is written later would bring the ticket back
	}
	err := r.tx.each(bucketEntries, key, func(k, v []byte) (bool, error) {
		entries = append(entries, bytes.Clone(k))
		if _, l, err := payloadOf(v); err == nil && l.redacted {
			redacted++
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	b := r.tx.btx.Bucket(bucketEntries)
	for _, k := range entries {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	r.done.Tickets, r.done.Entries = r.done.Tickets+1, r.done.Entries+len(entries)
	alerts := r.tx.btx.Bucket(bucketAlerts)
	if t.Alert != nil {
		k := alertKey(t.Requester.Mail, t.Alert.Key)
		if have := alerts.Get(k); bytes.Equal(have, key) {
			err = alerts.Delete(k)
		}
	}
	_, removed := r.tx.add(countRemoved, 1)
	_, fewer := r.tx.add(countRedacted, -redacted)
	requester := append(append([]byte(strings.ToLower(t.Requester.Mail)), 0), key...)
	return errors.Join(err, removed, fewer, r.tx.countChange("state:", string(t.State), ""), r.tx.forgetMirror(t.ID),
		alerts.Delete(append(outageKey(t.CI), key...)),
		r.tx.btx.Bucket(bucketRequesters).Delete(requester),
		r.tx.btx.Bucket(bucketNumbers).Delete([]byte(t.Number)),
		r.tx.btx.Bucket(bucketLive).Delete(key),
		r.tx.btx.Bucket(bucketTickets).Delete(key))
}

// allOutgoing removes the mails about the tickets, and those that were named.
func (r *removal) allOutgoing() error {
	var gone []Outgoing
	err := r.tx.each(bucketOutbox, nil, func(k, v []byte) (bool, error) {
		var o Outgoing
		if err := decodeRecord(v, &o); err != nil {
			return false, fmt.Errorf("outbox %x: %w", k, err)
		}
		if r.outgoing[o.ID] || o.Ticket != 0 && (r.tickets[o.Ticket] || r.mailsOf[o.Ticket]) {
			gone = append(gone, o)
		}
		return true, nil
	})
	for i := 0; err == nil && i < len(gone); i++ {
		o, key := &gone[i], key64(uint64(gone[i].ID))
		err = errors.Join(r.tx.countChange("outbox:", string(o.State), ""),
			r.tx.btx.Bucket(bucketDue).Delete(dueKey(o.Next, o.ID)),
			r.tx.btx.Bucket(bucketBytes).Delete(key),
			r.tx.btx.Bucket(bucketOutbox).Delete(key))
		r.done.Outgoing++
	}
	return err
}

// allHeld takes the messages off the list of what is held.
func (r *removal) allHeld() error {
	held, err := r.tx.HeldMails()
	for i := 0; err == nil && i < len(held); i++ {
		h := &held[i]
		if !r.messages[h.Message] && !(h.Ticket != 0 && r.tickets[h.Ticket]) {
			continue
		}
		var m *Stored
		if m, err = r.tx.Stored(h.Message); err != nil {
			return err
		}
		r.messages[h.Message] = true
		before := m.Result
		m.Result = Filed
		r.done.Held++
		err = errors.Join(r.tx.put(bucketMessages, key64(m.Key), m), r.tx.unhold(h, m, before))
	}
	return err
}

// allMessages empties the rows of the messages. A raw message that another row refers to stays.
func (r *removal) allMessages() error {
	var gone []Stored
	bare := map[uint64]bool{}
	for _, key := range r.clear {
		bare[key] = true
	}
	needed := map[Digest]bool{}
	err := r.tx.each(bucketMessages, nil, func(k, v []byte) (bool, error) {
		var m Stored
		if err := decodeRecord(v, &m); err != nil {
			return false, fmt.Errorf("message %x: %w", k, err)
		}
		if r.messages[m.Key] || m.Ticket != 0 && r.tickets[m.Ticket] || bare[m.Key] {
			gone = append(gone, m)
		} else if m.Raw.Month != "" {
			needed[m.Raw.SHA256] = true
		}
		return true, nil
	})
	for i := range gone {
		if m := &gone[i]; m.Raw.Month != "" && !needed[m.Raw.SHA256] {
			r.drop[m.Raw.Month] = append(r.drop[m.Raw.Month], m.Raw.SHA256)
			r.done.Raw++
		}
	}
	if err == nil {
		err = r.tx.detach(r.drop)
	}
	for i := 0; err == nil && i < len(gone); i++ {
		m := &gone[i]
		if bare[m.Key] && !r.messages[m.Key] && !r.tickets[m.Ticket] {
			m.Raw, m.Erased = RawRef{}, true
		} else {
			r.done.Messages++
			if err = r.tx.dropStand(m); err != nil {
				return err
			}
			*m = m.emptied(r.why, r.tickets[m.Ticket])
		}
		err = r.tx.put(bucketMessages, key64(m.Key), m)
	}
	return err
}

// emptied is what stays of a message that was erased.
func (m *Stored) emptied(why string, withTicket bool) Stored {
	e := Stored{Key: m.Key, Source: m.Source, Stored: m.Stored, Result: m.Result, Absent: m.Absent, Ticket: m.Ticket, Identity: m.Identity,
		Kind: m.Kind, Why: why, Erased: true}
	if withTicket {
		e.Ticket = 0
	}
	return e
}

// allTimers removes what the tickets were waiting for.
func (r *removal) allTimers() error {
	return r.deleteWhere(bucketTimers, func(k, _ []byte) bool {
		return len(k) >= 16 && r.tickets[TicketID(binary.BigEndian.Uint64(k[8:16]))]
	})
}

// allThreads removes what imports know of the tickets.
func (r *removal) allThreads() error {
	return r.deleteWhere(bucketThreads, func(_, v []byte) bool {
		return len(v) == 8 && r.tickets[TicketID(binary.BigEndian.Uint64(v))]
	})
}

// deleteWhere deletes the rows of a bucket that fn reports.
func (r *removal) deleteWhere(bucket []byte, fn func(k, v []byte) bool) error {
	var keys [][]byte
	err := r.tx.each(bucket, nil, func(k, v []byte) (bool, error) {
		if fn(k, v) {
			keys = append(keys, bytes.Clone(k))
		}
		return true, nil
	})
	for i := 0; err == nil && i < len(keys); i++ {
		err = r.tx.btx.Bucket(bucket).Delete(keys[i])
		r.done.Rows++
	}
	return err
}

// rewriteEntries gives entries of a ticket another content, in place, and makes the ticket anew from them. change
// reports whether it changed the entry.
func (tx *Tx) rewriteEntries(id TicketID, change func(*Entry) (bool, error)) (changed int, err error) {
	entries, err := tx.Entries(id)
	if err != nil {
		return 0, err
	}
	for i := range entries {
		touched, err := change(&entries[i])
		if err != nil {
			return changed, err
		}
		if !touched {
			continue
		}
		changed++
		if err := tx.redact(bucketEntries, entryKey(id, entries[i].Seq), entries[i]); err != nil {
			return changed, err
		}
	}
	if changed == 0 {
		return 0, nil
	}
	old, err := tx.Ticket(id)
	if err != nil {
		return changed, err
	}
	t, err := Replay(entries)
	if err != nil {
		return changed, fmt.Errorf("ticket %d: %w", id, err)
	}
	return changed, errors.Join(tx.moveRequester(old, t), tx.putTicket(t))
}

// moveRequester keeps a ticket findable by its requester, whose address may have changed.
func (tx *Tx) moveRequester(old, t *Ticket) error {
	if strings.EqualFold(old.Requester.Mail, t.Requester.Mail) {
		return nil
	}
	b := tx.btx.Bucket(bucketRequesters)
	if err := b.Delete(append(append([]byte(strings.ToLower(old.Requester.Mail)), 0), key64(uint64(t.ID))...)); err != nil || checkAddress(t.Requester.Mail) != nil {
		return err
	}
	return b.Put(append(append([]byte(strings.ToLower(t.Requester.Mail)), 0), key64(uint64(t.ID))...), []byte{})
}

// logRemoval writes into the desk's log what was removed and why: numbers, never content.
func (tx *Tx) logRemoval(now time.Time, what, detail string, r Removed) error {
	var parts []string
	for name, n := range map[string]int{"tickets": r.Tickets, "entries": r.Entries, "messages": r.Messages, "raw messages": r.Raw,
		"outgoing mails": r.Outgoing, "held mails": r.Held, "redacted records": r.Redacted, "index rows": r.Rows} {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, name))
		}
	}
	slices.Sort(parts)
	return tx.log(now, what, strings.TrimSpace(detail+": "+strings.Join(parts, ", ")))
}
