package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Stored is what the desk keeps of a message beside its raw bytes: how it ended, and why. Exactly one is made for each
// message that was settled and is not a duplicate (P1).
type Stored struct {
	Key       uint64    `json:"key"`
	Source    Source    `json:"source"`
	Raw       RawRef    `json:"raw,omitzero"`
	MessageID string    `json:"message_id,omitempty"`
	From      Address   `json:"from,omitzero"`
	Subject   string    `json:"subject,omitempty"`
	Arrived   time.Time `json:"arrived"`
	Stored    time.Time `json:"stored"`
	Size      int64     `json:"size"`
	Kind      Kind      `json:"kind,omitempty"`
	Result    Result    `json:"result"`
	Absent    Absence   `json:"absent,omitempty"`
	Ticket    TicketID  `json:"ticket,omitempty"`
	Why       string    `json:"why"`
	Reasons   []Reason  `json:"reasons,omitempty"`
	Rev       string    `json:"rev,omitempty"`
	Identity  Digest    `json:"identity,omitzero"`
	Erased    bool      `json:"erased,omitempty"` // its raw bytes were removed on purpose, and perhaps all else
	// Signatures are what the desk's own check found when the message came: keys change, what was decided must not.
	Signatures []Signature `json:"signatures,omitempty"`
}

// HeldMail is a message in quarantine: kept, shown to nobody outside, until someone releases or drops it.
type HeldMail struct {
	ID      uint64    `json:"id"`
	Message uint64    `json:"message"` // key of its Stored
	Ticket  TicketID  `json:"ticket,omitempty"`
	From    string    `json:"from"`
	Subject string    `json:"subject"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
	Final   bool      `json:"final,omitempty"` // nobody can let it in: it can be dropped only
}

// LogEntry is something that happened and belongs to no ticket.
type LogEntry struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"` // such as mailbox.new_uidvalidity
	Detail string    `json:"detail"`
}

// settledRecord is the row of one UID.
type settledRecord struct {
	Result  Result  `json:"r"`
	Absent  Absence `json:"a,omitempty"`
	Message uint64  `json:"m,omitempty"`
}

type placeRecord struct {
	UIDValidity uint32          `json:"uidvalidity"`
	Next        uint32          `json:"next"`
	Holes       map[uint32]Hole `json:"holes,omitempty"`
	Started     time.Time       `json:"started"`
}

func sourceKey(s Source) []byte {
	k := append([]byte(s.Mailbox), 0)
	k = binary.BigEndian.AppendUint32(k, s.UIDValidity)
	return binary.BigEndian.AppendUint32(k, s.UID)
}

func (tx *Tx) settledAs(s Source) (settledRecord, bool, error) {
	var r settledRecord
	ok, err := tx.get(bucketSources, sourceKey(s), &r)
	return r, ok, err
}

// settle records how a UID ended and counts it. Every UID is settled once.
func (tx *Tx) settle(s Source, r settledRecord) error {
	if err := tx.put(bucketSources, sourceKey(s), r); err != nil {
		return err
	}
	if _, err := tx.add("seen", 1); err != nil {
		return err
	}
	_, err := tx.add("result:"+string(r.Result), 1)
	return err
}

// Stored returns a message record.
func (tx *Tx) Stored(key uint64) (*Stored, error) {
	var m Stored
	ok, err := tx.get(bucketMessages, key64(key), &m)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("message %d: %w", key, ErrNotFound)
	}
	return &m, nil
}

// byIdentity finds the message with the same content, if there is one.
func (tx *Tx) byIdentity(d Digest) (*Stored, error) {
	if d.IsZero() {
		return nil, nil
	}
	b := tx.btx.Bucket(bucketIdentities).Get(d[:])
	if b == nil {
		return nil, nil
	}
	return tx.Stored(binary.BigEndian.Uint64(b))
}

func (tx *Tx) place(mailbox string) (placeRecord, error) {
	var p placeRecord
	_, err := tx.get(bucketPlaces, []byte(mailbox), &p)
	return p, err
}

func (tx *Tx) log(at time.Time, what, detail string) error {
	b := tx.btx.Bucket(bucketLog)
	last, _ := b.Cursor().Last()
	last = bytes.Clone(last)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	return tx.putLinked(bucketLog, key64(n), last, LogEntry{At: at.UTC(), What: what, Detail: detail})
}

// ── held mail ──

func (tx *Tx) hold(h *HeldMail) error {
	n, err := tx.btx.Bucket(bucketHeld).NextSequence()
	if err != nil {
		return err
	}
	h.ID = n
	return tx.put(bucketHeld, key64(n), h)
}

// HeldMail returns one held mail, or ErrNotFound.
func (tx *Tx) HeldMail(id uint64) (*HeldMail, error) {
	var h HeldMail
	ok, err := tx.get(bucketHeld, key64(id), &h)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("held mail %d: %w", id, ErrNotFound)
	}
	return &h, nil
}

// HeldMails returns everything in quarantine, oldest first.
func (tx *Tx) HeldMails() ([]HeldMail, error) {
	var all []HeldMail
	err := tx.each(bucketHeld, nil, func(k, v []byte) (bool, error) {
		var h HeldMail
		if err := decodeRecord(v, &h); err != nil {
			return false, fmt.Errorf("held mail %x: %w", k, err)
		}
		all = append(all, h)
		return true, nil
	})
	return all, err
}

// ── what mailin asks ──

// Place says how far a mailbox has been read. A UIDVALIDITY other than the stored one starts the mailbox anew
// (RFC 4549 §4.1): content identity then tells known mail from new.
func (d *Desk) Place(ctx context.Context, mailbox string, uidValidity uint32) (Place, error) {
	var p placeRecord
	err := d.Store.View(func(tx *Tx) (err error) { p, err = tx.place(mailbox); return err })
	if err == nil && (p.UIDValidity != uidValidity || p.Started.IsZero()) {
		Failpoint("place.begin")
		err = d.Store.Update(ctx, func(tx *Tx) (err error) {
			if p, err = tx.place(mailbox); err != nil {
				return err
			}
			now := d.Now().UTC()
			if p.UIDValidity != 0 && p.UIDValidity != uidValidity {
				detail := fmt.Sprintf("mailbox %q: UIDVALIDITY changed from %d to %d; everything in it is looked at again, known mail is recognised by its content",
					mailbox, p.UIDValidity, uidValidity)
				if err := tx.log(now, "mailbox.new_uidvalidity", detail); err != nil {
					return err
				}
				tx.onCommit(func() {
					d.Log.Warn("uidvalidity changed", "mailbox", mailbox, "before", p.UIDValidity, "after", uidValidity)
				})
			}
			if p.Started.IsZero() {
				p.Started = now
			}
			p = placeRecord{UIDValidity: uidValidity, Next: 1, Started: p.Started}
			return tx.put(bucketPlaces, []byte(mailbox), p)
		})
	}
	return Place(p), err
}

// Settled tells, of the UIDs given, those that are settled, and how.
func (d *Desk) Settled(_ context.Context, mailbox string, uidValidity uint32, uids []uint32) ([]Settled, error) {
	var found []Settled
	err := d.Store.View(func(tx *Tx) error {
		b := tx.btx.Bucket(bucketSources)
		for _, uid := range uids {
			v := b.Get(sourceKey(Source{mailbox, uidValidity, uid}))
			if v == nil {
				continue
			}
			var r settledRecord
			if err := decodeRecord(v, &r); err != nil {
				return fmt.Errorf("%s: %w", Source{mailbox, uidValidity, uid}, err)
			}
			found = append(found, Settled{UID: uid, Result: r.Result, Absent: r.Absent})
		}
		return nil
	})
	return found, err
}

// Missed records one more failed attempt at a message that the server lists.
func (d *Desk) Missed(ctx context.Context, src Source, reason string) (Hole, error) {
	Failpoint("missed.begin")
	var h Hole
	err := d.Store.Update(ctx, func(tx *Tx) error {
		p, err := tx.place(src.Mailbox)
		if err != nil {
			return err
		}
		if p.UIDValidity != src.UIDValidity {
			return fmt.Errorf("%s: the mailbox has UIDVALIDITY %d now", src, p.UIDValidity)
		}
		if p.Holes == nil {
			p.Holes = map[uint32]Hole{}
		}
		h = p.Holes[src.UID]
		if h.Attempts == 0 {
			h.Since = d.Now().UTC()
		}
		h.Attempts++
		h.Reason = reason
		p.Holes[src.UID] = h
		return tx.put(bucketPlaces, []byte(src.Mailbox), p)
	})
	return h, err
}

// advance moves a mailbox's place in the transaction that settled its messages, and closes the holes they were.
func (tx *Tx) advance(b Batch) error {
	p, err := tx.place(b.Mailbox)
	if err != nil {
		return err
	}
	if p.UIDValidity != b.UIDValidity {
		return fmt.Errorf("mailbox %q has UIDVALIDITY %d now, the batch is of %d", b.Mailbox, p.UIDValidity, b.UIDValidity)
	}
	for _, in := range b.Messages {
		delete(p.Holes, in.Source.UID)
	}
	if b.Through >= p.Next && b.Through != ^uint32(0) {
		p.Next = b.Through + 1
	}
	return tx.put(bucketPlaces, []byte(b.Mailbox), p)
}

// Raw returns the raw bytes of a stored message.
func (d *Desk) Raw(m *Stored) ([]byte, error) { return d.Store.mail.get(m.Raw) }

// TicketMessages returns the stored messages of a ticket, oldest first.
func (tx *Tx) TicketMessages(id TicketID) ([]Stored, error) {
	entries, err := tx.Entries(id)
	if err != nil {
		return nil, err
	}
	var all []Stored
	for _, e := range entries {
		if e.Message == 0 {
			continue
		}
		m, err := tx.Stored(e.Message)
		if errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, *m)
	}
	return all, nil
}

// countSources recounts the settled UIDs by result, for doctor.
func (tx *Tx) countSources() (map[Result]uint64, error) {
	counts := map[Result]uint64{}
	err := tx.each(bucketSources, nil, func(k, v []byte) (bool, error) {
		var r settledRecord
		if err := decodeRecord(v, &r); err != nil {
			mailbox, _, _ := bytes.Cut(k, []byte{0})
			return false, fmt.Errorf("a settled message of mailbox %q: %w", mailbox, err)
		}
		counts[r.Result]++
		return true, nil
	})
	return counts, err
}
