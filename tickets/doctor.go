package tickets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"sort"

	bolt "go.etcd.io/bbolt"
)

// Books is the balance of P6: seen = created + appended + duplicates + quarantined + filed + failed.
type Books struct {
	Seen        uint64 `json:"seen"`
	Created     uint64 `json:"created"`
	Appended    uint64 `json:"appended"`
	Duplicates  uint64 `json:"duplicates"`
	Quarantined uint64 `json:"quarantined"`
	Filed       uint64 `json:"filed"`
	Failed      uint64 `json:"failed"`
}

// Balance is what is missing on one side; 0 when the books balance.
func (b Books) Balance() int64 {
	return int64(b.Seen) - int64(b.Created+b.Appended+b.Duplicates+b.Quarantined+b.Filed+b.Failed)
}

// Books returns the running totals.
func (tx *Tx) Books() Books {
	count := func(r Result) uint64 { return tx.counter("result:" + string(r)) }
	return Books{Seen: tx.counter("seen"), Created: count(Created), Appended: count(Appended), Duplicates: count(Duplicate),
		Quarantined: count(Quarantined), Filed: count(Filed), Failed: count(Failed)}
}

// Diagnosis is what doctor found.
type Diagnosis struct {
	OK       bool     `json:"ok"`
	Books    Books    `json:"books"`
	Problems []string `json:"problems"`
}

// maxProblems bounds the list: a damaged store would fill the screen.
const maxProblems = 100

type checkup struct {
	alive    func() // is told that the check gets on; nil: nobody
	tx       *Tx
	problems []string
}

func (c *checkup) found(format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, fmt.Sprintf(format, args...))
	}
}

// Doctor recomputes every invariant from the rows: the books, each ticket from its entries, the audit trail, each
// index, each raw message's hash. It changes nothing.
func (s *Store) Doctor(_ context.Context) (Diagnosis, error) {
	var d Diagnosis
	c := &checkup{}
	sound, err := s.pagesAreSound(c)
	if err != nil {
		return d, err
	}
	err = s.View(func(tx *Tx) error {
		c.tx = tx
		d.Books = tx.Books()
		if sound { // else the rest would stumble over the same pages
			if err := c.rows(); err != nil {
				return err
			}
		}
		d.Problems, d.OK = c.problems, len(c.problems) == 0
		return nil
	})
	return d, err
}

// rows checks everything that stands in the store.
func (c *checkup) rows() error {
	for _, check := range []func() error{c.books, c.tickets, c.chains, c.messages, c.outbox, c.held, c.indexes} {
		if err := check(); err != nil {
			if !errors.Is(err, errDamaged) {
				return err
			}
			c.found("%v", err)
		}
	}
	return nil
}

// pagesAreSound checks the pages of desk.db. It keeps writers out meanwhile, in a transaction that is rolled back:
// bbolt's own check reads the list of free pages, which a writer changes.
func (s *Store) pagesAreSound(c *checkup) (sound bool, err error) {
	db, release := s.reader()
	defer release()
	btx, err := db.Begin(true)
	if err != nil {
		return false, fmt.Errorf("check %s: %w", deskFile, err)
	}
	defer btx.Rollback()
	c.tx = &Tx{btx: btx, store: s}
	before := len(c.problems)
	if err := c.pages(); err != nil {
		if !errors.Is(err, errDamaged) {
			return false, err
		}
		c.found("%v", err)
	}
	return len(c.problems) == before, nil
}

// pages lets bbolt check its own structure. bbolt does so in a goroutine of its own, where a memory fault would end the
// process: everything is read here first, with faults turned into panics.
func (c *checkup) pages() (err error) {
	defer guard(func(v any) { err = fmt.Errorf("%w: desk.db: %v", errDamaged, v) })()
	if err := c.pageHeaders(); err != nil {
		return err
	}
	if err := c.trees(); err != nil {
		return err
	}
	err = c.tx.btx.ForEach(func(name []byte, b *bolt.Bucket) error {
		seek := b.Cursor()
		octets, rows := 0, 0
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return fmt.Errorf("%w: desk.db: bucket %q holds a bucket", errDamaged, name)
			}
			if found, _ := seek.Seek(k); !bytes.Equal(found, k) { // reads the keys of the branches, too
				return fmt.Errorf("%w: desk.db: bucket %q: key %x cannot be found", errDamaged, name, k)
			}
			for _, o := range v {
				octets += int(o)
			}
			if rows++; rows%10000 == 0 {
				c.tick()
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, name := range allBuckets {
		if c.tx.btx.Bucket(name) == nil && c.ofThisSchema() {
			return fmt.Errorf("%w: desk.db: bucket %q is missing", errDamaged, name)
		}
	}
	for err := range c.tx.btx.Check(bolt.WithKVStringer(keyStart{})) { // the channel must be drained
		c.found("desk.db: %v", err)
	}
	return nil
}

// keyStart shows the beginning of a key: a damaged page may claim that one reaches beyond the file.
type keyStart struct{}

func (keyStart) KeyToString(k []byte) string   { return fmt.Sprintf("%x", k[:min(len(k), 8)]) }
func (keyStart) ValueToString(v []byte) string { return fmt.Sprintf("%d bytes", len(v)) }

// pageHeaders looks at the header of every page in use: bbolt believes what it says about the page's length.
func (c *checkup) pageHeaders() error {
	end := int(c.tx.btx.Size()) / c.tx.btx.DB().Info().PageSize
	for id := 0; id < end; {
		p, err := c.tx.btx.Page(id)
		switch {
		case err != nil:
			return fmt.Errorf("%w: desk.db: page %d: %w", errDamaged, id, err)
		case p == nil:
			return fmt.Errorf("%w: desk.db: page %d is missing", errDamaged, id)
		case p.Type == "free":
			id++
			continue
		case p.Type != "meta" && p.Type != "freelist" && p.Type != "branch" && p.Type != "leaf" || p.OverflowCount > end-id-1:
			return fmt.Errorf("%w: desk.db: page %d of type %q claims %d more", errDamaged, id, p.Type, p.OverflowCount)
		}
		id += 1 + p.OverflowCount
	}
	return nil
}

func (c *checkup) books() error {
	counts, err := c.tx.countSources()
	if err != nil {
		return err
	}
	b := c.tx.Books()
	if n := b.Balance(); n != 0 {
		c.found("the books do not balance: %d messages seen are accounted for %+d too few", b.Seen, n)
	}
	var total uint64
	for _, r := range []Result{Created, Appended, Duplicate, Quarantined, Filed, Failed} {
		total += counts[r]
		if have := c.tx.counter("result:" + string(r)); have != counts[r] {
			c.found("the books say %d %s, the mailboxes' records %d", have, r, counts[r])
		}
	}
	if total != b.Seen {
		c.found("the books say %d seen, the mailboxes' records %d", b.Seen, total)
	}
	return nil
}

func (c *checkup) tickets() error {
	n := uint64(0)
	err := c.tx.Tickets(true, func(t *Ticket) (bool, error) {
		n++
		entries, err := c.tx.Entries(t.ID)
		if err != nil {
			return false, err
		}
		again, err := Replay(entries)
		if err != nil {
			c.found("ticket %s: its entries cannot be replayed: %v", t.Number, err)
			return true, nil
		}
		if !sameTicket(t, again) {
			c.found("ticket %s is not what its %d entries add up to", t.Number, len(entries))
		}
		if b := c.tx.btx.Bucket(bucketNumbers).Get([]byte(t.Number)); len(b) != 8 || TicketID(binary.BigEndian.Uint64(b)) != t.ID {
			c.found("ticket %s cannot be found by its number", t.Number)
		}
		if checkAddress(t.Requester.Mail) == nil && c.tx.btx.Bucket(bucketRequesters).Get(requesterKey(t)) == nil {
			c.found("ticket %s cannot be found by its requester", t.Number)
		}
		if live := c.tx.btx.Bucket(bucketLive).Get(key64(uint64(t.ID))) != nil; live != (t.State != StateClosed) {
			c.found("ticket %s is %s, and the list of open tickets says otherwise", t.Number, t.State)
		}
		return true, nil
	})
	if made, gone := c.tx.counter("tickets"), c.tx.counter(countRemoved); err == nil && n+gone != made {
		c.found("%d tickets are stored, %d were created and %d of them removed", n, made, gone)
	}
	return err
}

// sameTicket compares by value; stored times have lost their monotonic part and location.
func sameTicket(a, b *Ticket) bool {
	x, err1 := encodeRecord(a)
	y, err2 := encodeRecord(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}

func (c *checkup) messages() error {
	months := map[string][]RawRef{}
	err := c.tx.each(bucketMessages, nil, func(k, v []byte) (bool, error) {
		var m Stored
		if err := decodeRecord(v, &m); err != nil {
			c.found("message %d: %v", binary.BigEndian.Uint64(k), err)
			return true, nil
		}
		if m.Key != binary.BigEndian.Uint64(k) {
			c.found("message %d stands in the place of %d", m.Key, binary.BigEndian.Uint64(k))
		}
		if m.Raw.Month != "" {
			months[m.Raw.Month] = append(months[m.Raw.Month], m.Raw)
		} else if m.Absent == Present && m.Result != Failed && !m.Erased {
			c.found("message %d (%s) has no raw message", m.Key, m.Source)
		}
		if m.Ticket != 0 {
			if _, err := c.tx.Ticket(m.Ticket); err != nil {
				c.found("message %d belongs to ticket %d: %v", m.Key, m.Ticket, err)
			}
		}
		if r, ok, err := c.tx.settledAs(m.Source); err != nil || !ok || r.Message != m.Key || r.Result != m.Result {
			c.found("message %d (%s) is %s, the mailbox's record says otherwise", m.Key, m.Source, m.Result)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	names := make([]string, 0, len(months))
	for month := range months {
		names = append(names, month)
	}
	sort.Strings(names)
	for _, month := range names {
		for _, problem := range c.tx.store.mail.verify(month, months[month]) {
			c.found("%s", problem)
		}
	}
	return nil
}

func (c *checkup) outbox() error {
	due := map[OutgoingID]int{}
	err := c.tx.each(bucketDue, nil, func(k, _ []byte) (bool, error) {
		due[OutgoingID(binary.BigEndian.Uint64(k[8:]))]++
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.tx.each(bucketOutbox, nil, func(k, v []byte) (bool, error) {
		var o Outgoing
		if err := decodeRecord(v, &o); err != nil {
			c.found("mail %d in the outbox: %v", binary.BigEndian.Uint64(k), err)
			return true, nil
		}
		if uint64(o.ID) != binary.BigEndian.Uint64(k) {
			c.found("mail %d in the outbox stands in the place of %d", o.ID, binary.BigEndian.Uint64(k))
		}
		waiting := o.State == Queued || o.State == Sending || o.State == Deferred
		if waiting != (due[o.ID] == 1) {
			c.found("mail %d in the outbox is %s and stands %d times in the schedule", o.ID, o.State, due[o.ID])
		}
		switch mail, err := c.tx.outgoingMail(&o); {
		case errors.Is(err, errDamaged):
			c.found("mail %d in the outbox: its bytes are not what was stored", o.ID)
		case err != nil:
			c.found("%v", err)
		case mail == nil && (waiting || o.State == Held):
			c.found("mail %d in the outbox is %s and has no bytes", o.ID, o.State)
		}
		return true, nil
	})
}

func (c *checkup) held() error {
	all, err := c.tx.HeldMails()
	if err != nil {
		return err
	}
	for _, h := range all {
		m, err := c.tx.Stored(h.Message)
		if err != nil {
			c.found("held mail %d: %v", h.ID, err)
		} else if m.Result != Quarantined {
			c.found("held mail %d is %s", h.ID, m.Result)
		}
	}
	if n := c.tx.counter("result:" + string(Quarantined)); n != uint64(len(all)) {
		c.found("%d mails are held, the books say %d", len(all), n)
	}
	return nil
}
