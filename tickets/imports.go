package tickets

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Mail from before the desk becomes closed tickets: threads are kept, nothing is answered or told, no clock runs. It
// goes the way of every message otherwise: archived before the transaction, in the month it was written, settled once
// under a Source of its own, with the key that makes the same mail a duplicate wherever it comes from next.

// tagImported is on every ticket that an import made.
const tagImported = "imported"

// importPrefix begins, before the name of the mailbox, the mailbox of an imported message's Source. The UIDVALIDITY is
// the number of the import.
const importPrefix = "import:"

// Import is one import of past mail, as the store knows it.
type Import struct {
	ID       uint32    `json:"id"`
	Mailbox  string    `json:"mailbox"` // whose brand and rules count
	Source   Digest    `json:"source"`  // of what names the messages and their order
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished,omitzero"`
	Next     uint32    `json:"next"` // every message with a lower number is settled

	Category string `json:"category,omitempty"` // of all tickets; "": what the classifier says
	ClosedAs string `json:"closed_as,omitempty"`
}

// PastMail is one imported message. Arrived is when it was written, as far as that can be told.
type PastMail struct {
	Incoming
	Verdict Verdict // what the classifier says of it as of a new message
}

// The buckets of imports.
var (
	bucketImports = []byte("imports") // import ID → Import
	bucketThreads = []byte("threads") // digest of a Message-ID → ticket ID: what imported mail refers to
)

// StartImport returns the import of that source: the one that was cut short, with the place where it goes on, or a new
// one. What the store holds already is made findable for threads first.
func (d *Desk) StartImport(ctx context.Context, want Import) (Import, error) {
	if err := d.indexThreads(ctx); err != nil {
		return want, err
	}
	err := d.Store.Update(ctx, func(tx *Tx) (err error) {
		want, err = tx.startImport(want, d.Now().UTC())
		return err
	})
	return want, err
}

func (tx *Tx) startImport(want Import, now time.Time) (Import, error) {
	var found *Import
	err := tx.each(bucketImports, nil, func(k, v []byte) (bool, error) {
		var run Import
		if err := decodeRecord(v, &run); err != nil {
			return false, fmt.Errorf("import %x: %w", k, err)
		}
		if run.Source == want.Source && run.Mailbox == want.Mailbox && run.Finished.IsZero() {
			found = &run
		}
		return true, nil
	})
	if err != nil || found != nil {
		if found != nil {
			want = *found
		}
		return want, err
	}
	n, err := tx.btx.Bucket(bucketImports).NextSequence()
	if err != nil {
		return want, err
	}
	want.ID, want.Started, want.Next = uint32(n), now, 1
	return want, tx.put(bucketImports, key64(n), want)
}

// SourceOf is the Source of an imported message.
func (run Import) SourceOf(number uint32) Source {
	return Source{Mailbox: importPrefix + run.Mailbox, UIDValidity: run.ID, UID: number}
}

// Import settles messages of an import, in the order of their numbers; through is the highest number that is settled
// with them. When it returns nil all of it is durable, and the import goes on behind them.
func (d *Desk) Import(ctx context.Context, run Import, mails []PastMail, through uint32) ([]Outcome, error) {
	d.Store.keeping.RLock()
	defer d.Store.keeping.RUnlock()
	refs, err := d.archivePast(mails)
	if err != nil {
		return nil, err
	}
	Failpoint("import.archived")
	outcomes, err := d.importAll(ctx, run, mails, refs, through, "")
	if err == nil || endsWork(ctx, err) {
		return outcomes, err
	}
	d.Log.Error("a message cannot be imported; the batch is taken one by one", "mailbox", run.Mailbox, "err", err)
	outcomes = nil
	for i := range mails {
		out, err := d.importAll(ctx, run, mails[i:i+1], refs[i:i+1], 0, "")
		if err != nil && !endsWork(ctx, err) {
			out, err = d.importAll(ctx, run, mails[i:i+1], refs[i:i+1], 0, oneLine(err.Error()))
		}
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, out...)
	}
	_, err = d.importAll(ctx, run, nil, nil, through, "")
	return outcomes, err
}

// importAll settles messages in one transaction. poison, when set, says why they count as failed without a look at them.
func (d *Desk) importAll(ctx context.Context, run Import, mails []PastMail, refs []RawRef, through uint32, poison string) ([]Outcome, error) {
	var outcomes []Outcome
	err := d.Store.Update(ctx, func(tx *Tx) (err error) {
		if outcomes, err = d.importIn(tx, run, mails, refs, poison); err != nil {
			return err
		}
		Failpoint("import.applied")
		if through == 0 {
			return nil
		}
		var now Import
		if _, err := tx.get(bucketImports, key64(uint64(run.ID)), &now); err != nil {
			return err
		}
		now.Next = max(now.Next, through+1)
		return tx.put(bucketImports, key64(uint64(run.ID)), now)
	})
	return outcomes, err
}

func (d *Desk) importIn(tx *Tx, run Import, mails []PastMail, refs []RawRef, poison string) ([]Outcome, error) {
	outcomes := make([]Outcome, len(mails))
	for i := range mails {
		out, err := d.importOne(tx, run, &mails[i], refs[i], poison)
		if err != nil {
			return nil, fmt.Errorf("import %s: %w", mails[i].Source, err)
		}
		outcomes[i] = out
	}
	return outcomes, nil
}

// FinishImport says that all messages of an import are settled.
func (d *Desk) FinishImport(ctx context.Context, id uint32) error {
	return d.Store.Update(ctx, func(tx *Tx) error {
		var run Import
		if ok, err := tx.get(bucketImports, key64(uint64(id)), &run); err != nil || !ok {
			return errors.Join(err, fmt.Errorf("import %d: %w", id, ErrNotFound))
		}
		run.Finished = d.Now().UTC()
		return errors.Join(tx.put(bucketImports, key64(uint64(id)), run),
			tx.log(run.Finished, "import.finished", fmt.Sprintf("import %d into mailbox %q: %d messages", id, run.Mailbox, run.Next-1)))
	})
}

// RehearseImport says what Import would make of messages, and keeps nothing of it. next hands over batches until it
// returns none.
func (d *Desk) RehearseImport(ctx context.Context, want Import, next func() ([]PastMail, error), each func([]Outcome)) (err error) {
	if err := d.Store.Err(); err != nil {
		return err
	}
	if err := d.indexThreads(ctx); err != nil {
		return err
	}
	s := d.Store
	defer guard(func(v any) { err = fault(v) })()
	db, release := s.reader()
	defer release()
	btx, err := db.Begin(true)
	if err != nil {
		return err
	}
	defer btx.Rollback()
	tx := &Tx{btx: btx, store: s, writable: true}
	run, err := tx.startImport(want, d.Now().UTC())
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		mails, err := next()
		if err != nil || len(mails) == 0 {
			return err
		}
		for i := range mails {
			mails[i].Source = run.SourceOf(mails[i].Source.UID)
		}
		out, err := d.importIn(tx, run, mails, make([]RawRef, len(mails)), "")
		if err != nil {
			return err
		}
		each(out)
	}
	return context.Cause(ctx)
}

// archivePast writes the raw bytes of what is new into the month each was written in.
func (d *Desk) archivePast(mails []PastMail) ([]RawRef, error) {
	b := Batch{Messages: make([]Incoming, len(mails))}
	for i := range mails {
		b.Messages[i] = mails[i].Incoming
	}
	raws, size, err := d.unkept(b)
	if err != nil {
		return nil, err
	}
	refs := make([]RawRef, len(mails))
	if raws == nil {
		return refs, d.Store.Err()
	}
	if err := errors.Join(d.Store.room(size), d.Store.Err()); err != nil {
		return nil, err
	}
	for start := 0; start < len(mails); {
		at := mails[start].Arrived.UTC()
		end := start + 1
		for end < len(mails) && mails[end].Arrived.UTC().Format("2006-01") == at.Format("2006-01") {
			end++
		}
		if slices.ContainsFunc(raws[start:end], func(raw []byte) bool { return raw != nil }) {
			kept, err := d.Store.mail.put(at, raws[start:end])
			if err != nil {
				return nil, fmt.Errorf("keep the raw messages: %w", d.Store.commitError(err))
			}
			copy(refs[start:], kept)
		}
		start = end
	}
	return refs, nil
}

// importOne settles one message inside a transaction.
func (d *Desk) importOne(tx *Tx, run Import, p *PastMail, ref RawRef, poison string) (Outcome, error) {
	if r, ok, err := tx.settledAs(p.Source); err != nil {
		return Outcome{}, err
	} else if ok {
		return tx.outcomeOf(r)
	}
	r, now := d.Rules(), d.Now().UTC()
	if poison != "" {
		dec := Decision{Result: Failed, Why: "it could not be processed: " + poison}
		return d.apply(&application{tx: tx, r: r, in: &p.Incoming, known: Unknown(r, run.Mailbox), dec: dec, now: now}, ref)
	}
	known, err := tx.knowPast(r, run, p)
	if err != nil {
		return Outcome{}, err
	}
	dec := decidePast(known, run, p, r, now)
	a := &application{tx: tx, r: r, in: &p.Incoming, known: known, dec: dec, now: now}
	out, err := d.apply(a, ref)
	if err == nil && a.ticket != nil {
		err = tx.rememberThread(a.ticket.ID, p.Message)
	}
	return out, err
}

// knowPast gathers what the store knows about an imported message.
func (tx *Tx) knowPast(r *Rules, run Import, p *PastMail) (*Known, error) {
	k := Unknown(r, run.Mailbox)
	k.NextID = TicketID(tx.counter("tickets") + tx.counter("skipped") + 1)
	k.NextCount = tx.counter("numbers") + 1
	m := p.Message
	if m == nil {
		return k, nil
	}
	var err error
	if k.Duplicate, err = tx.byIdentity(m.Identity); err != nil {
		return nil, err
	}
	k.Own = tx.signedID(r, m.ID) != nil
	for _, id := range append(referred(m), m.ID) {
		t, err := tx.threadOf(r, id)
		if err != nil {
			return nil, err
		}
		if t != nil {
			k.Ticket, k.By = t, byID
			break
		}
	}
	return k, nil
}

// threadOf returns the ticket that a Message-ID belongs to, or nil.
func (tx *Tx) threadOf(r *Rules, id string) (*Ticket, error) {
	var ticket TicketID
	if token := tx.signedID(r, id); token != nil {
		ticket = token.Ticket
	} else if b := tx.btx.Bucket(bucketThreads).Get(threadKey(id)); len(b) == 8 {
		ticket = TicketID(binary.BigEndian.Uint64(b))
	}
	if ticket == 0 {
		return nil, nil
	}
	t, err := tx.Ticket(ticket)
	if errors.Is(err, ErrNotFound) {
		return nil, nil // erased since
	}
	return t, err
}

// threadKey is a digest: Message-IDs carry addresses and names of hosts.
func threadKey(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:16]
}

// rememberThread makes a ticket findable by a message of it, and by those that the message refers to: the next one may
// refer to the same.
func (tx *Tx) rememberThread(id TicketID, m *Message) error {
	b := tx.btx.Bucket(bucketThreads)
	for i, ref := range append([]string{m.ID}, referred(m)...) {
		if ref == "" || i > 0 && b.Get(threadKey(ref)) != nil {
			continue
		}
		if err := b.Put(threadKey(ref), key64(uint64(id))); err != nil {
			return err
		}
	}
	return nil
}

var keyThreaded = []byte("threaded") // the key of the last message whose Message-ID stands in bucketThreads

// indexThreads makes the messages that came since the last import findable for threads.
func (d *Desk) indexThreads(ctx context.Context) error {
	const perTransaction = 5000
	for done := false; !done; {
		err := d.Store.Update(ctx, func(tx *Tx) error {
			last := tx.btx.Bucket(bucketMeta).Get(keyThreaded)
			c := tx.btx.Bucket(bucketMessages).Cursor()
			k, v := c.First()
			if last != nil {
				if k, v = c.Seek(last); string(k) == string(last) {
					k, v = c.Next()
				}
			}
			for n := 0; k != nil && n < perTransaction; n++ {
				var m Stored
				if err := decodeRecord(v, &m); err != nil {
					return fmt.Errorf("message %x: %w", k, err)
				}
				if m.Ticket != 0 && m.MessageID != "" {
					if err := tx.btx.Bucket(bucketThreads).Put(threadKey(m.MessageID), key64(uint64(m.Ticket))); err != nil {
						return err
					}
				}
				last = k
				k, v = c.Next()
			}
			done = k == nil
			if last == nil {
				return nil
			}
			return tx.btx.Bucket(bucketMeta).Put(keyThreaded, slices.Clone(last))
		})
		if err != nil {
			return fmt.Errorf("find the threads of what is there: %w", err)
		}
	}
	return nil
}

// addImports makes the buckets of imports in an older store.
func addImports(btx *bolt.Tx) error {
	for _, name := range [][]byte{bucketImports, bucketThreads} {
		if _, err := btx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// watched is the mailbox of the configuration that a Source belongs to.
func watched(mailbox string) string { return strings.TrimPrefix(mailbox, importPrefix) }
