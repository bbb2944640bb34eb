package tickets

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"
)

// The audit trail (domain.md §4.4). The entries of a ticket, and the desk's own log, are chains: each record carries the
// SHA-256 of its content and a link, the SHA-256 of the link before it and of that digest. A record that was changed,
// taken out, put in or moved breaks the chain from there on, and Doctor says so.
//
// What is erased or pseudonymised leaves its digest and its link: the content goes, the chain still holds, and the record
// says that it was redacted. A linked record is: one byte of version, CRC-32C of all that follows, digest, link, the
// payload as JSON.

const (
	recordLinked   = 2 // the payload is what was written
	recordRedacted = 3 // the payload was changed later on purpose: the digest is that of the first one
	linkedHead     = 5 + 2*sha256.Size
)

// linkage is what a linked record carries beside its payload.
type linkage struct {
	content  Digest // of the payload as it was first written
	link     Digest
	redacted bool
}

// nextLink is the link of a record with that content after the one with the link before.
func nextLink(before, content Digest) Digest {
	h := sha256.New()
	h.Write(before[:])
	h.Write(content[:])
	return Digest(h.Sum(nil))
}

func encodeLinked(payload []byte, l linkage) []byte {
	b := make([]byte, linkedHead, linkedHead+len(payload))
	b[0] = recordLinked
	if l.redacted {
		b[0] = recordRedacted
	}
	copy(b[5:], l.content[:])
	copy(b[5+sha256.Size:], l.link[:])
	b = append(b, payload...)
	binary.BigEndian.PutUint32(b[1:5], crc32.Checksum(b[5:], castagnoli))
	return b
}

// payloadOf checks a record and returns its payload, and its linkage when it has one.
func payloadOf(b []byte) (payload []byte, l linkage, err error) {
	switch {
	case len(b) < 5:
		return nil, l, fmt.Errorf("%w: %d bytes are too few", errDamaged, len(b))
	case b[0] == recordVersion:
		payload = b[5:]
	case (b[0] == recordLinked || b[0] == recordRedacted) && len(b) >= linkedHead:
		copy(l.content[:], b[5:])
		copy(l.link[:], b[5+sha256.Size:])
		l.redacted, payload = b[0] == recordRedacted, b[linkedHead:]
	default:
		return nil, l, fmt.Errorf("%w: version %d, want up to %d", errDamaged, b[0], recordRedacted)
	}
	if crc32.Checksum(b[5:], castagnoli) != binary.BigEndian.Uint32(b[1:5]) {
		return nil, l, fmt.Errorf("%w: checksum does not match", errDamaged)
	}
	return payload, l, nil
}

// putLinked adds a record to the end of a chain. before is the key of the last one; nil begins the chain.
func (tx *Tx) putLinked(bucket, key, before []byte, v any) error {
	var last linkage
	if before != nil {
		b := tx.btx.Bucket(bucket).Get(before)
		if b == nil {
			return fmt.Errorf("%s %x: %w: the record before it is missing", bucket, key, errDamaged)
		}
		var err error
		if _, last, err = payloadOf(b); err != nil {
			return fmt.Errorf("%s %x: %w", bucket, before, err)
		}
	}
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s %x: encode record: %w", bucket, key, err)
	}
	l := linkage{content: sha256.Sum256(payload)}
	l.link = nextLink(last.link, l.content)
	return tx.btx.Bucket(bucket).Put(key, encodeLinked(payload, l))
}

// countRedacted is the counter of records that were redacted and are still there.
const countRedacted = "redacted"

// redact gives a record of a chain another content. Its digest and link stay, and it says that it was changed.
func (tx *Tx) redact(bucket, key []byte, v any) error {
	old := tx.btx.Bucket(bucket).Get(key)
	_, l, err := payloadOf(old)
	if err != nil {
		return fmt.Errorf("%s %x: %w", bucket, key, err)
	}
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s %x: encode record: %w", bucket, key, err)
	}
	if !l.redacted {
		if _, err := tx.add(countRedacted, 1); err != nil {
			return err
		}
	}
	l.redacted = true
	return tx.btx.Bucket(bucket).Put(key, encodeLinked(payload, l))
}

// chainStep checks that a record follows the one before it.
func chainStep(before Digest, record []byte) (linkage, error) {
	payload, l, err := payloadOf(record)
	switch {
	case err != nil:
		return l, err
	case record[0] == recordVersion:
		return l, fmt.Errorf("%w: it is no part of the chain", errDamaged)
	case !l.redacted && Digest(sha256.Sum256(payload)) != l.content:
		return l, fmt.Errorf("%w: its content is not what was written", errDamaged)
	case nextLink(before, l.content) != l.link:
		return l, fmt.Errorf("%w: it does not follow the one before it", errDamaged)
	}
	return l, nil
}

// chains checks the audit trail: each ticket's entries, and the desk's log.
func (c *checkup) chains() error {
	var ticket []byte
	var last Digest
	redacted, broken := uint64(0), false
	err := c.tx.each(bucketEntries, nil, func(k, v []byte) (bool, error) {
		if !bytes.Equal(ticket, k[:8]) {
			ticket, last, broken = bytes.Clone(k[:8]), Digest{}, false
		}
		l, err := chainStep(last, v)
		if err != nil && !broken {
			c.found("the audit trail of ticket %d breaks at entry %d: %v", binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[8:]), err)
			broken = true // what comes after it cannot be told
		}
		if l.redacted {
			redacted++
		}
		last = l.link
		return true, nil
	})
	if err != nil {
		return err
	}
	last, broken = Digest{}, false
	err = c.tx.each(bucketLog, nil, func(k, v []byte) (bool, error) {
		l, err := chainStep(last, v)
		if err != nil && !broken {
			c.found("the desk's log breaks at number %d: %v", binary.BigEndian.Uint64(k), err)
			broken = true
		}
		if l.redacted {
			redacted++
		}
		last = l.link
		return true, nil
	})
	if have := c.tx.counter(countRedacted); err == nil && have != redacted {
		c.found("%d records of the audit trail are redacted, the books say %d", redacted, have)
	}
	return err
}

// linkChains makes chains of the entries and the log of an older store.
func linkChains(btx *bolt.Tx) error {
	for _, name := range [][]byte{bucketEntries, bucketLog} {
		b := btx.Bucket(name)
		if b == nil {
			return errors.New("bucket " + string(name) + " is missing")
		}
		var last Digest
		var ticket []byte
		c := b.Cursor()
		for k, v := c.First(); k != nil; {
			if bytes.Equal(name, bucketEntries) && !bytes.Equal(ticket, k[:8]) {
				ticket, last = bytes.Clone(k[:8]), Digest{}
			}
			payload, _, err := payloadOf(v)
			if err != nil {
				return fmt.Errorf("%s %x: %w", name, k, err)
			}
			l := linkage{content: sha256.Sum256(payload)}
			l.link = nextLink(last, l.content)
			last = l.link
			key := bytes.Clone(k)
			if err := b.Put(key, encodeLinked(payload, l)); err != nil {
				return err
			}
			c.Seek(key) // a write moves what the cursor stands on
			k, v = c.Next()
		}
	}
	return nil
}
