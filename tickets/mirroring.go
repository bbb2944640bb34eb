package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What is owed to a mailbox whose messages show the state of their tickets. A change of a ticket owes it in its own
// transaction; however often the ticket changes, it is owed once, and what is wanted is read from the ticket when the work
// begins. The work is done later, by whoever has the mailbox open; nothing waits for it.

// bucketMirror has mailbox, 0, ticket ID → mirrorRecord.
var bucketMirror = []byte("mirror")

// metaMirror begins, before the name of a mailbox, where its mirrorSettings stand in bucketMeta. There are none of a mailbox
// that is not mirrored: then nothing is owed to it.
const metaMirror = "mirror:"

type mirrorRecord struct {
	Change   uint64    `json:"change"` // another one with each change of the ticket
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	Reason   string    `json:"reason,omitempty"` // why the last attempt failed
}

func mirrorKey(mailbox string, id TicketID) []byte {
	return append(append([]byte(mailbox), 0), key64(uint64(id))...)
}

// mirrors are the mailboxes that are mirrored.
func (tx *Tx) mirrors() (map[string]*mirrorSettings, error) {
	if tx.mirrored != nil {
		return tx.mirrored, nil
	}
	all := map[string]*mirrorSettings{}
	err := tx.each(bucketMeta, []byte(metaMirror), func(k, v []byte) (bool, error) {
		s := &mirrorSettings{}
		if err := json.Unmarshal(v, s); err != nil {
			return false, fmt.Errorf("%w: %s: %w", errDamaged, k, err)
		}
		all[strings.TrimPrefix(string(k), metaMirror)] = s
		return true, nil
	})
	if err == nil {
		tx.mirrored = all
	}
	return all, err
}

// oweMirror notes that what shows of a ticket in the mailboxes may have changed.
func (tx *Tx) oweMirror(id TicketID) error {
	mirrors, err := tx.mirrors()
	if err != nil || len(mirrors) == 0 {
		return err
	}
	for _, mailbox := range slices.Sorted(maps.Keys(mirrors)) {
		n, err := tx.btx.Bucket(bucketMirror).NextSequence()
		if err == nil {
			err = tx.put(bucketMirror, mirrorKey(mailbox, id), mirrorRecord{Change: n})
		}
		if err != nil {
			return err
		}
	}
	if tx.store != nil {
		tx.onCommit(func() { kick(tx.store.errands) })
	}
	return nil
}

// SetMirrors makes the mailboxes mirrored that the rules say. Where that has changed, what is wanted of every ticket that is
// not closed is owed; what a mailbox is owed that is not mirrored any more is dropped. What stands at messages stays.
func (d *Desk) SetMirrors(ctx context.Context) error {
	want := map[string][]byte{}
	r := d.Rules()
	for name := range r.Mailboxes {
		if s := r.mirrorOf(name); s != nil {
			b, err := json.Marshal(s)
			if err != nil {
				return err
			}
			want[name] = b
		}
	}
	same := true
	err := d.Store.View(func(tx *Tx) error {
		have := 0
		err := tx.each(bucketMeta, []byte(metaMirror), func(k, v []byte) (bool, error) {
			have++
			same = same && bytes.Equal(v, want[strings.TrimPrefix(string(k), metaMirror)])
			return true, nil
		})
		same = same && have == len(want)
		return err
	})
	if err != nil || same {
		return err
	}
	return d.Store.Update(ctx, func(tx *Tx) error { return tx.setMirrors(want) })
}

func (tx *Tx) setMirrors(want map[string][]byte) error {
	before, err := tx.mirrors()
	if err != nil {
		return err
	}
	meta := tx.btx.Bucket(bucketMeta)
	for mailbox := range before {
		if want[mailbox] == nil {
			if err := errors.Join(meta.Delete([]byte(metaMirror+mailbox)), tx.dropMirror(mailbox)); err != nil {
				return err
			}
		}
	}
	for mailbox, settings := range want {
		if err := meta.Put([]byte(metaMirror+mailbox), settings); err != nil {
			return err
		}
	}
	tx.mirrored = nil
	return tx.Tickets(false, func(t *Ticket) (bool, error) { return true, tx.oweMirror(t.ID) })
}

// dropMirror drops what is owed to a mailbox.
func (tx *Tx) dropMirror(mailbox string) error {
	var keys [][]byte
	err := tx.each(bucketMirror, append([]byte(mailbox), 0), func(k, _ []byte) (bool, error) {
		keys = append(keys, bytes.Clone(k))
		return true, nil
	})
	for _, k := range keys {
		err = errors.Join(err, tx.btx.Bucket(bucketMirror).Delete(k))
	}
	return err
}

// forgetMirror drops what is owed of a ticket that is removed. What stands at its messages in the mailbox stays: the desk
// touches them no more.
func (tx *Tx) forgetMirror(id TicketID) error {
	mirrors, err := tx.mirrors()
	for mailbox := range mirrors {
		err = errors.Join(err, tx.btx.Bucket(bucketMirror).Delete(mirrorKey(mailbox, id)))
	}
	return err
}

// Mirroring is what is to stand at the messages of one ticket.
type Mirroring struct {
	Ticket TicketID
	Change uint64 // which change of the ticket it is of
	Prefix string // of the keywords that are the desk's to take away
	MirrorWish
	Home     string   // where a message goes that stands in one of Folders and is to stand in none; "": the folder that is followed
	Folders  []string // all that messages are moved to
	Messages []Mirrored
}

// Mirrored is a message, as far as the desk needs to know it to find it in its mailbox.
type Mirrored struct {
	Message uint64 // its key
	Stand
	MessageID string
	Identity  Digest
	Answered  bool // it is to be marked so
}

// Mirrorings returns what is owed to a mailbox and due, of up to limit tickets, and notes the attempt: the next one is later,
// should nothing more be heard of this one. A long ticket is read beside the transactions that write.
func (d *Desk) Mirrorings(ctx context.Context, mailbox string, limit int) ([]Mirroring, error) {
	var found []Mirroring
	err := d.Store.View(func(tx *Tx) error {
		mirrors, err := tx.mirrors()
		settings := mirrors[mailbox]
		if err != nil || settings == nil {
			return err
		}
		rows, err := tx.mirrorRows(mailbox, d.Now(), limit)
		for i := 0; err == nil && i < len(rows); i++ {
			var m Mirroring
			m, err = tx.mirroring(settings, mailbox, rows[i].id)
			m.Change, m.Messages = rows[i].Change, slices.DeleteFunc(m.Messages, m.stands)
			found = append(found, m)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var list []Mirroring
	err = d.Store.Update(ctx, func(tx *Tx) error {
		list = nil
		now := d.Now().UTC()
		for _, m := range found {
			row, same, err := tx.mirrorRow(mailbox, m)
			switch {
			case err == nil && same && len(m.Messages) == 0:
				err = tx.btx.Bucket(bucketMirror).Delete(mirrorKey(mailbox, m.Ticket))
			case err == nil && same: // else it has changed meanwhile, and is due again
				list = append(list, m)
				row.Attempts++
				row.Next = now.Add(copyPause(row.Attempts))
				err = tx.put(bucketMirror, mirrorKey(mailbox, m.Ticket), row.mirrorRecord)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// stands reports whether what is wanted was put at a message before, and nothing is known to have changed since.
func (m *Mirroring) stands(one Mirrored) bool {
	return one.Put != nil && one.Put.equal(m.MirrorWish) && (one.Put.Answered || !one.Answered) && one.To == nil && one.Seen == (Spot{}) && !one.Lost
}

type mirrorRow struct {
	id TicketID
	mirrorRecord
}

// mirrorRows returns up to limit rows of a mailbox that are due; 0 is no limit, and a zero time means all.
func (tx *Tx) mirrorRows(mailbox string, now time.Time, limit int) ([]mirrorRow, error) {
	var rows []mirrorRow
	prefix := append([]byte(mailbox), 0)
	err := tx.each(bucketMirror, prefix, func(k, v []byte) (bool, error) {
		row := mirrorRow{id: TicketID(binary.BigEndian.Uint64(k[len(prefix):]))}
		if err := decodeRecord(v, &row.mirrorRecord); err != nil {
			return false, fmt.Errorf("what mailbox %q is to show of ticket %d: %w", mailbox, row.id, err)
		}
		if now.IsZero() || !row.Next.After(now) {
			rows = append(rows, row)
		}
		return limit == 0 || len(rows) < limit, nil
	})
	return rows, err
}

// mirroring is what is to stand at the messages of a ticket, and of those that it took in. It has no messages when there is
// nothing to do in this mailbox.
func (tx *Tx) mirroring(s *mirrorSettings, mailbox string, id TicketID) (Mirroring, error) {
	m := Mirroring{Ticket: id, Prefix: s.Prefix, Home: s.Home}
	t, err := tx.Ticket(id)
	if errors.Is(err, ErrNotFound) {
		return m, nil // erased meanwhile
	}
	if err != nil {
		return m, err
	}
	taker, err := tx.taker(t)
	if err != nil {
		return m, err
	}
	m.MirrorWish = s.wish(taker)
	for _, f := range s.Folders {
		m.Folders = append(m.Folders, f.Folder)
	}
	var answers []time.Time
	if taker.ID != t.ID {
		entries, err := tx.Entries(taker.ID)
		if err == nil {
			answers, err = tx.answersAmong(taker, entries)
		}
		if err != nil {
			return m, err
		}
	}
	return m, tx.collectMirrored(&m, s, mailbox, t, answers, maxMerged, map[uint64]bool{})
}

// collectMirrored adds the messages of a ticket that came in by a mailbox, and of those that it took in. answers are those of
// tickets that took this one in; met are the messages that were looked at.
func (tx *Tx) collectMirrored(m *Mirroring, s *mirrorSettings, mailbox string, t *Ticket, answers []time.Time, depth int, met map[uint64]bool) error {
	entries, err := tx.Entries(t.ID)
	if err != nil {
		return err
	}
	own, err := tx.answersAmong(t, entries)
	if err != nil {
		return err
	}
	last := slices.MaxFunc(append(append([]time.Time{{}}, answers...), own...), time.Time.Compare)
	answers = append(slices.Clone(answers), own...)
	for _, e := range entries {
		if e.Message == 0 || met[e.Message] {
			continue
		}
		met[e.Message] = true
		stored, err := tx.Stored(e.Message)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if stored.Source.Mailbox != mailbox || stored.Ticket != t.ID || stored.Result != Created && stored.Result != Appended || stored.Identity.IsZero() {
			continue
		}
		one := Mirrored{Message: stored.Key, MessageID: stored.MessageID, Identity: stored.Identity}
		if one.Stand, err = tx.stand(stored); err != nil {
			return err
		}
		if one.Lost && one.Seen == (Spot{}) {
			continue // left where somebody put it
		}
		one.Answered = s.Answered && e.Kind == EntryReceived && !last.Before(e.At)
		m.Messages = append(m.Messages, one)
	}
	for _, number := range t.MergedFrom {
		source, err := tx.TicketByNumber(number)
		if errors.Is(err, ErrNotFound) || err == nil && (source.MergedInto != t.ID || depth == 0) {
			continue
		}
		if err != nil {
			return err
		}
		if err := tx.collectMirrored(m, s, mailbox, source, answers, depth-1, met); err != nil {
			return err
		}
	}
	return nil
}

// answersAmong is when people answered a ticket publicly. An answer counts once it has left: until then it can be taken back.
func (tx *Tx) answersAmong(t *Ticket, entries []Entry) ([]time.Time, error) {
	var answers []time.Time
	for i, e := range entries {
		if e.Kind != EntryAnswered || e.Actor.Kind != ActorAgent {
			continue
		}
		left, err := tx.hasLeft(t, e, entries[i+1:])
		if err != nil {
			return nil, err
		}
		if left {
			answers = append(answers, e.At)
		}
	}
	return answers, nil
}

// hasLeft reports whether an answer was sent to who takes part in the ticket: none of its mails waits or was taken back.
func (tx *Tx) hasLeft(t *Ticket, answer Entry, after []Entry) (bool, error) {
	for _, e := range after {
		if e.Kind != EntryQueued || e.Cause != answer.Cause || e.Outgoing == 0 || !slices.ContainsFunc(e.To, t.participant) {
			continue
		}
		o, err := tx.Outgoing(e.Outgoing)
		if errors.Is(err, ErrNotFound) {
			continue // long ago
		}
		if err != nil || o.State != Sent {
			return false, err
		}
	}
	return true, nil
}

// MirrorDone notes that what was wanted of a ticket stands in the mailbox. If the ticket has changed since, that is owed still.
func (d *Desk) MirrorDone(ctx context.Context, mailbox string, m Mirroring) error {
	return d.Store.Update(ctx, func(tx *Tx) error {
		row, ok, err := tx.mirrorRow(mailbox, m)
		if err != nil || !ok {
			return err
		}
		return tx.btx.Bucket(bucketMirror).Delete(mirrorKey(mailbox, row.id))
	})
}

// MirrorFailed notes why what was wanted of a ticket does not stand in the mailbox; it is tried again.
func (d *Desk) MirrorFailed(ctx context.Context, mailbox string, m Mirroring, reason string) error {
	return d.Store.Update(ctx, func(tx *Tx) error {
		row, ok, err := tx.mirrorRow(mailbox, m)
		if err != nil || !ok {
			return err
		}
		row.Reason = oneLine(reason)
		return tx.put(bucketMirror, mirrorKey(mailbox, row.id), row.mirrorRecord)
	})
}

// mirrorRow is the row of a ticket, unless the ticket has changed since.
func (tx *Tx) mirrorRow(mailbox string, m Mirroring) (mirrorRow, bool, error) {
	row := mirrorRow{id: m.Ticket}
	ok, err := tx.get(bucketMirror, mirrorKey(mailbox, m.Ticket), &row.mirrorRecord)
	return row, ok && row.Change == m.Change, err
}

// MirrorWaiting is what is owed to a mailbox.
type MirrorWaiting struct {
	Tickets int    // of which something is to be put at their messages
	Reason  string // why the oldest of those that failed did
	Lost    int    // messages that somebody moved or deleted, and that are left alone
}

// MirrorWaiting counts what is owed to a mailbox.
func (tx *Tx) MirrorWaiting(mailbox string) MirrorWaiting {
	var w MirrorWaiting
	rows, err := tx.mirrorRows(mailbox, time.Time{}, 0)
	if err != nil {
		w.Reason = err.Error()
	}
	w.Tickets, w.Lost = len(rows), int(tx.counter(countLostMails+mailbox))
	for _, row := range rows {
		if w.Reason == "" {
			w.Reason = row.Reason
		}
	}
	return w
}
