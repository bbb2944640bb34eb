package tickets

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The layout of desk.db. Buckets are flat; keys are big-endian so that their order is the order of numbers and times.
var (
	bucketMeta       = []byte("meta")       // schema, created, counters by name
	bucketTickets    = []byte("tickets")    // ticket ID → Ticket
	bucketNumbers    = []byte("numbers")    // ticket number → ticket ID
	bucketLive       = []byte("live")       // ticket ID, of tickets that are not closed
	bucketEntries    = []byte("entries")    // ticket ID, seq → Entry
	bucketMessages   = []byte("messages")   // message key → Stored
	bucketSources    = []byte("sources")    // mailbox, 0, UIDVALIDITY, UID → settledRecord
	bucketPlaces     = []byte("places")     // mailbox → placeRecord
	bucketIdentities = []byte("identities") // identity → message key
	bucketRequesters = []byte("requesters") // address, 0, ticket ID
	bucketPrincipals = []byte("principals") // address → number, and "#" number → address
	bucketOutbox     = []byte("outbox")     // outgoing ID → Outgoing
	bucketBytes      = []byte("bytes")      // outgoing ID → the mail without its spans, until it is settled
	bucketDue        = []byte("due")        // time, outgoing ID
	bucketTimers     = []byte("timers")     // time, ticket ID, kind
	bucketAnswers    = []byte("answers")    // address, 0, time: automatic answers sent, for the caps
	bucketHeld       = []byte("held")       // held ID → HeldMail
	bucketHealth     = []byte("health")     // key → Trouble
	bucketArrivals   = []byte("arrivals")   // mailbox, 0, hour since 1970 → number of messages
	bucketLog        = []byte("log")        // seq → LogEntry: what concerns no ticket
)

var allBuckets = [][]byte{bucketMeta, bucketTickets, bucketNumbers, bucketLive, bucketEntries, bucketMessages, bucketSources,
	bucketPlaces, bucketIdentities, bucketRequesters, bucketPrincipals, bucketOutbox, bucketBytes, bucketDue, bucketTimers,
	bucketAnswers, bucketHeld, bucketLog, bucketAlerts, bucketImports, bucketThreads, bucketPostponed, bucketHealth, bucketArrivals,
	bucketReferences, bucketLeaves, bucketCopies, bucketMirror, bucketStands}

// Tx is a transaction on the store: a consistent view, and in Update the only way to change anything.
type Tx struct {
	btx      *bolt.Tx
	store    *Store
	writable bool
	after    []func()
	making   *making   // mails that are made beside the decisions; nil: each where it is owed
	pending  *Ticket   // a ticket that is to be written: one decision changes it several times
	touched  []*Ticket // that were written
	paces    map[string]*pace
	mirrored map[string]*mirrorSettings // by mailbox; nil: not read yet
}

// changed keeps the index of similar tickets up to date, once this transaction is durable.
func (tx *Tx) changed(t *Ticket) {
	if n := len(tx.touched); n > 0 && tx.touched[n-1] == t {
		return
	}
	if tx.touched = append(tx.touched, t); len(tx.touched) == 1 {
		tx.onCommit(func() {
			for _, t := range tx.touched {
				tx.store.alike.note(t)
			}
		})
	}
}

// onCommit runs f once everything of this transaction is durable.
func (tx *Tx) onCommit(f func()) { tx.after = append(tx.after, f) }

func (tx *Tx) get(bucket, key []byte, v any) (bool, error) {
	b := tx.btx.Bucket(bucket).Get(key)
	if b == nil {
		return false, nil
	}
	if err := decodeRecord(b, v); err != nil {
		return false, fmt.Errorf("%s %x: %w", bucket, key, err)
	}
	return true, nil
}

func (tx *Tx) put(bucket, key []byte, v any) error {
	b, err := encodeRecord(v)
	if err != nil {
		return fmt.Errorf("%s %x: %w", bucket, key, err)
	}
	return tx.btx.Bucket(bucket).Put(key, b)
}

// each calls fn for every key with the prefix, in order, until fn returns false.
func (tx *Tx) each(bucket, prefix []byte, fn func(k, v []byte) (bool, error)) error {
	c := tx.btx.Bucket(bucket).Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		more, err := fn(k, v)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// ── counters ──

// add changes a counter and returns its new value.
func (tx *Tx) add(counter string, n uint64) (uint64, error) {
	value := tx.counter(counter) + n
	return value, tx.btx.Bucket(bucketMeta).Put([]byte("count:"+counter), key64(value))
}

func (tx *Tx) counter(name string) uint64 {
	if b := tx.btx.Bucket(bucketMeta).Get([]byte("count:" + name)); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// countChange moves one from a counter to another; "" is none.
func (tx *Tx) countChange(prefix, before, after string) error {
	if before != "" {
		if _, err := tx.add(prefix+before, ^uint64(0)); err != nil { // one less
			return err
		}
	}
	if after == "" {
		return nil
	}
	_, err := tx.add(prefix+after, 1)
	return err
}

// StateCounts is how many tickets are in each state; it costs the same however many there are.
func (tx *Tx) StateCounts() map[State]int {
	counts := map[State]int{}
	for _, s := range States() {
		counts[s] = int(tx.counter("state:" + string(s)))
	}
	return counts
}

// ── tickets ──

// Ticket returns a ticket, or ErrNotFound.
func (tx *Tx) Ticket(id TicketID) (*Ticket, error) {
	if tx.pending != nil && tx.pending.ID == id {
		if err := tx.writePending(); err != nil {
			return nil, err
		}
	}
	var t Ticket
	ok, err := tx.get(bucketTickets, key64(uint64(id)), &t)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("ticket %d: %w", id, ErrNotFound)
	}
	if t.ID != id {
		return nil, inAnothersPlace(id, t.ID)
	}
	return &t, nil
}

// TicketByNumber finds a ticket by its number in any case, with or without brackets, or by its bare ID.
func (tx *Tx) TicketByNumber(number string) (*Ticket, error) {
	clean := strings.ToUpper(strings.Trim(strings.TrimSpace(number), "[]#"))
	if b := tx.btx.Bucket(bucketNumbers).Get([]byte(clean)); len(b) == 8 {
		return tx.Ticket(TicketID(binary.BigEndian.Uint64(b)))
	}
	var id uint64
	if _, err := fmt.Sscanf(clean, "%d", &id); err == nil && fmt.Sprint(id) == clean {
		return tx.Ticket(TicketID(id))
	}
	return nil, fmt.Errorf("ticket %q: %w", number, ErrNotFound)
}

// putTicket stores a ticket and what finds it. It is written once, however often it changes, when another one is stored or
// the decision ends; Ticket and Tickets see to it that nobody reads what is out of date.
func (tx *Tx) putTicket(t *Ticket) error {
	if tx.pending != nil && tx.pending.ID != t.ID {
		if err := tx.writePending(); err != nil {
			return err
		}
	}
	tx.pending = t
	return nil
}

// writePending writes the ticket that waits to be written.
func (tx *Tx) writePending() error {
	t := tx.pending
	if t == nil {
		return nil
	}
	tx.pending = nil
	key := key64(uint64(t.ID))
	if err := tx.put(bucketTickets, key, t); err != nil {
		return err
	}
	if err := tx.indexAlert(t); err != nil {
		return err
	}
	tx.changed(t)
	live := tx.btx.Bucket(bucketLive)
	if t.State == StateClosed {
		return live.Delete(key)
	}
	return live.Put(key, []byte{})
}

// Tickets calls fn for the tickets, newest first, until it returns false: those that are not closed, or all.
func (tx *Tx) Tickets(all bool, fn func(*Ticket) (bool, error)) error {
	if err := tx.writePending(); err != nil {
		return err
	}
	bucket := bucketLive
	if all {
		bucket = bucketTickets
	}
	c := tx.btx.Bucket(bucket).Cursor()
	for k, _ := c.Last(); k != nil; k, _ = c.Prev() {
		t, err := tx.Ticket(TicketID(binary.BigEndian.Uint64(k)))
		if err != nil {
			return err
		}
		if more, err := fn(t); err != nil || !more {
			return err
		}
	}
	return nil
}

// ── entries ──

func entryKey(id TicketID, seq uint64) []byte { return append(key64(uint64(id)), key64(seq)...) }

// Entries returns all entries of a ticket, oldest first.
func (tx *Tx) Entries(id TicketID) ([]Entry, error) {
	var entries []Entry
	err := tx.each(bucketEntries, key64(uint64(id)), func(k, v []byte) (bool, error) {
		var e Entry
		if err := decodeRecord(v, &e); err != nil {
			return false, fmt.Errorf("entries of ticket %d: %w", id, err)
		}
		if !bytes.Equal(k, entryKey(e.Ticket, e.Seq)) {
			return false, fmt.Errorf("entries of ticket %d: %w: entry %d stands in another's place", id, errDamaged, e.Seq)
		}
		entries = append(entries, e)
		return true, nil
	})
	return entries, err
}

// lastEntries returns up to n entries, newest first.
func (tx *Tx) lastEntries(id TicketID, n int) ([]Entry, error) {
	prefix := key64(uint64(id))
	c := tx.btx.Bucket(bucketEntries).Cursor()
	var found []Entry
	k, v := c.Seek(entryKey(id, ^uint64(0)))
	if k == nil {
		k, v = c.Last()
	} else if !bytes.HasPrefix(k, prefix) {
		k, v = c.Prev()
	}
	for ; k != nil && len(found) < n && bytes.HasPrefix(k, prefix); k, v = c.Prev() {
		var e Entry
		if err := decodeRecord(v, &e); err != nil {
			return nil, fmt.Errorf("entries of ticket %d: %w", id, err)
		}
		found = append(found, e)
	}
	return found, nil
}

// append adds an entry to a ticket: the entry's changes are applied to t, and both are stored.
func (tx *Tx) append(t *Ticket, e Entry) error {
	e.Ticket, e.Seq = t.ID, t.Entries+1
	before, shown := t.State, t.face()
	if err := t.apply(e); err != nil {
		return fmt.Errorf("ticket %s: %w", t.Number, err)
	}
	if before != t.State {
		if err := tx.countChange("state:", string(before), string(t.State)); err != nil {
			return err
		}
	}
	if e.Message != 0 || e.Kind == EntryAnswered || shown != t.face() {
		if err := tx.oweMirror(t.ID); err != nil {
			return err
		}
	}
	var last []byte
	if e.Seq > 1 {
		last = entryKey(t.ID, e.Seq-1)
	}
	if err := tx.putLinked(bucketEntries, entryKey(t.ID, e.Seq), last, e); err != nil {
		return err
	}
	return tx.putTicket(t)
}

// ── principals ──

// principal returns the number of an address, for tokens; it makes one when create is set.
func (tx *Tx) principal(address string, create bool) (uint32, error) {
	address = strings.ToLower(address)
	b := tx.btx.Bucket(bucketPrincipals)
	if v := b.Get([]byte(address)); len(v) == 8 {
		return uint32(binary.BigEndian.Uint64(v)), nil
	}
	if !create {
		return 0, nil
	}
	n, err := tx.add("principals", 1)
	if err != nil {
		return 0, err
	}
	if n >= 1<<24 {
		return 0, fmt.Errorf("more than %d correspondents: the store needs a new version of its tokens", 1<<24)
	}
	if err := b.Put([]byte(address), key64(n)); err != nil {
		return 0, err
	}
	return uint32(n), b.Put(append([]byte("#"), key64(n)...), []byte(address))
}

// address returns whose number it is, or "".
func (tx *Tx) address(principal uint32) string {
	return string(tx.btx.Bucket(bucketPrincipals).Get(append([]byte("#"), key64(uint64(principal))...)))
}

// ── automatic answers, counted for the caps ──

// answersSince counts the automatic answers sent to an address since then.
func (tx *Tx) answersSince(address string, since time.Time) (int, error) {
	prefix := append([]byte(strings.ToLower(address)), 0)
	c := tx.btx.Bucket(bucketAnswers).Cursor()
	n := 0
	for k, _ := c.Seek(append(append([]byte{}, prefix...), timeKey(since)...)); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		n++
	}
	return n, nil
}

func (tx *Tx) countAnswer(address string, at time.Time, id OutgoingID) error {
	key := append(append([]byte(strings.ToLower(address)), 0), timeKey(at)...)
	return tx.btx.Bucket(bucketAnswers).Put(append(key, key64(uint64(id))...), []byte{})
}

// timeKey orders as time does, from 1970 to 2262; what lies outside counts as the nearer end.
func timeKey(t time.Time) []byte {
	switch {
	case t.Before(time.Unix(0, 0)):
		return key64(0)
	case t.After(time.Unix(0, math.MaxInt64)):
		return key64(math.MaxInt64)
	}
	return key64(uint64(t.UnixNano()))
}

func keyTime(k []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(k))).UTC() }
