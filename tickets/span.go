package tickets

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// A notice carries on the customer's attachments as they came, and each agent gets one. Their octets stand in the archive
// of raw messages already, so the outbox keeps of such a mail its own octets and where the others are. Put together they
// are the octets that were composed, which the mail's digest proves each time.

// Span is a part of an outgoing mail that stands in a raw message.
type Span struct {
	At   int    `json:"at"`   // where it begins in the mail
	Len  int    `json:"len"`  // octets
	Raw  RawRef `json:"raw"`  // the message
	From int    `json:"from"` // where it begins in the message
}

// minSpan is below how many octets a part is kept with the mail: finding it would cost more.
const minSpan = 4 << 10

// composedMail is a mail as the outbox keeps it.
type composedMail struct {
	own   []byte // without what the spans name
	spans []Span
	size  int    // of the whole
	sum   Digest // of the whole
	room  []byte // in which it was composed, when nothing of it is needed any more
}

// maxRoom is how much room is kept for the next mail.
const maxRoom = 1 << 20

// cutSpans takes out of a mail the attachments that stand in a raw message. Without a place in the archive nothing is taken out.
func cutSpans(mail []byte, attached []File, raw []byte, ref RawRef) composedMail {
	p := composedMail{own: mail, size: len(mail), sum: sha256.Sum256(mail)}
	if ref.Month == "" {
		return p
	}
	var own []byte
	at := 0
	for _, f := range attached {
		from, ok := offsetIn(raw, f.Base64)
		if !ok || len(f.Base64) < minSpan {
			continue
		}
		i := indexLong(mail[at:], f.Base64)
		if i < 0 {
			continue
		}
		own = append(own, mail[at:at+i]...)
		p.spans = append(p.spans, Span{At: at + i, Len: len(f.Base64), Raw: ref, From: from})
		at += i + len(f.Base64)
	}
	if len(p.spans) > 0 {
		p.own = append(own, mail[at:]...)
		if cap(mail) <= maxRoom {
			p.room = mail[:0]
		}
	}
	return p
}

// offsetIn tells where in whole the slice part of it begins; ok is false when it is a slice of something else.
func offsetIn(whole, part []byte) (offset int, ok bool) {
	offset = cap(whole) - cap(part)
	if len(part) == 0 || offset < 0 || offset+len(part) > len(whole) || &whole[offset] != &part[0] {
		return 0, false
	}
	return offset, true
}

// indexLong is bytes.Index for parts of many octets.
func indexLong(b, part []byte) int {
	for at := 0; ; at++ {
		i := bytes.Index(b[at:], part[:32])
		if i < 0 {
			return -1
		}
		if at += i; bytes.HasPrefix(b[at:], part) {
			return at
		}
	}
}

// whole puts a mail together from its own octets and what stands in raw messages. The result is proved by its digest;
// errDamaged says that it is not what was composed.
func (a *archive) whole(o *Outgoing, own []byte) ([]byte, error) {
	mail := own
	if len(o.Spans) > 0 {
		mail = make([]byte, 0, o.Size)
		for _, s := range o.Spans {
			n := s.At - len(mail)
			if n < 0 || n > len(own) {
				return nil, fmt.Errorf("mail %d in the outbox: %w", o.ID, errDamaged)
			}
			mail, own = append(mail, own[:n]...), own[n:]
			var err error
			if mail, err = a.appendPart(mail, s); err != nil {
				return nil, fmt.Errorf("mail %d in the outbox: %w", o.ID, err)
			}
		}
		mail = append(mail, own...)
	}
	if Digest(sha256.Sum256(mail)) != o.SHA256 {
		return nil, fmt.Errorf("mail %d in the outbox: %w", o.ID, errDamaged)
	}
	return mail, nil
}

// appendPart appends what a span names.
func (a *archive) appendPart(b []byte, s Span) ([]byte, error) {
	err := a.view(s.Raw.Month, func(db *bolt.DB) error {
		return db.View(func(btx *bolt.Tx) error {
			n := btx.Bucket(bucketHash).Get(s.Raw.SHA256[:])
			if n == nil {
				return fmt.Errorf("raw message %s in archive %s: %w", s.Raw.SHA256, s.Raw.Month, ErrNotFound)
			}
			raw := btx.Bucket(bucketRaw).Get(n)
			if s.From < 0 || s.Len < 0 || s.From > len(raw) || s.Len > len(raw)-s.From {
				return fmt.Errorf("raw message %s in archive %s: %w", s.Raw.SHA256, s.Raw.Month, errDamaged)
			}
			b = append(b, raw[s.From:s.From+s.Len]...)
			return nil
		})
	})
	return b, err
}

// outgoingMail is the octets of a mail in the outbox, whole. It returns nil when there are none any more.
func (tx *Tx) outgoingMail(o *Outgoing) ([]byte, error) {
	own := tx.btx.Bucket(bucketBytes).Get(key64(uint64(o.ID)))
	if own == nil {
		return nil, nil
	}
	return tx.store.mail.whole(o, own)
}

// wholeRow is a row of the mails' octets, whole as far as it can be put together.
func (tx *Tx) wholeRow(key, own []byte) []byte {
	o, err := tx.Outgoing(OutgoingID(binary.BigEndian.Uint64(key)))
	if err != nil {
		return own
	}
	if mail, err := tx.store.mail.whole(o, own); err == nil {
		return mail
	}
	return own
}

// detach writes out, of the mails that are not settled, what stands in raw messages that are about to go. A mail that
// cannot be put together any more stays as it is: doctor names it.
func (tx *Tx) detach(drop map[string][]Digest) error {
	going := map[RawRef]bool{}
	for month, list := range drop {
		for _, d := range list {
			going[RawRef{Month: month, SHA256: d}] = true
		}
	}
	if len(going) == 0 {
		return nil
	}
	var ids []OutgoingID
	err := tx.each(bucketBytes, nil, func(k, _ []byte) (bool, error) {
		ids = append(ids, OutgoingID(binary.BigEndian.Uint64(k)))
		return true, nil
	})
	for i := 0; err == nil && i < len(ids); i++ {
		err = tx.detachOne(ids[i], going)
	}
	return err
}

func (tx *Tx) detachOne(id OutgoingID, going map[RawRef]bool) error {
	o, err := tx.Outgoing(id)
	if errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged) {
		return nil
	} else if err != nil {
		return err
	}
	for _, s := range o.Spans {
		if !going[s.Raw] {
			continue
		}
		mail, err := tx.outgoingMail(o)
		if err != nil {
			return nil
		}
		o.Spans = nil
		return errors.Join(tx.btx.Bucket(bucketBytes).Put(key64(uint64(id)), mail), tx.putOutgoing(o))
	}
	return nil
}
