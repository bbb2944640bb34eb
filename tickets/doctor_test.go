package tickets

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// S-206: doctor names whatever is broken, one thing at a time: each promise of docs/reliability.md, "What doctor recomputes", is
// broken by hand here.
func TestDoctorFindsWhatIsPlanted_S206(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "eins", "x")
	k.opened(stranger, "zwei", "y")
	k.expect(k.receive(k.mail(kunde, "drei", "z", with(fieldQuarantine, "a test"))), Quarantined, 0)
	k.expect(k.receive(k.mail(kunde, "vier", "nobody was told yet")), Created, 3)
	if err := k.desk.Reschedule(context.Background()); err != nil {
		t.Fatal(err)
	}
	k.healthy()
	k.waits()
	at := func(n uint64) []byte { return key64(n) }
	drop := func(bucket []byte) func(*Tx) error { // the first row
		return func(tx *Tx) error {
			key, _ := tx.btx.Bucket(bucket).Cursor().First()
			return tx.btx.Bucket(bucket).Delete(key)
		}
	}
	add := func(bucket, key, value []byte) func(*Tx) error {
		return func(tx *Tx) error { return tx.btx.Bucket(bucket).Put(key, value) }
	}
	change := func(bucket []byte, old, fresh string) func(*Tx) error { // of the first record, with a right checksum
		return func(tx *Tx) error {
			key, v := tx.btx.Bucket(bucket).Cursor().First()
			payload, _, err := payloadOf(v)
			if err != nil {
				return err
			}
			after := strings.Replace(string(payload), old, fresh, 1)
			if after == string(payload) {
				t.Fatalf("%s: nothing to change in %s", bucket, payload)
			}
			return tx.put(bucket, key, json.RawMessage(after))
		}
	}
	for name, c := range map[string]struct {
		want  string
		plant func(*Tx) error
	}{
		"seen":                 {"do not balance", func(tx *Tx) error { _, err := tx.add("seen", 1); return err }},
		"created":              {"the mailboxes' records", func(tx *Tx) error { _, err := tx.add("result:created", 1); return err }},
		"tickets counted":      {"were created", func(tx *Tx) error { _, err := tx.add("tickets", 1); return err }},
		"held counted":         {"mails are held, the books say", drop(bucketHeld)},
		"state of a ticket":    {"entries add up to", change(bucketTickets, `"subject":"eins"`, `"subject":"acht"`)},
		"entry gone":           {"cannot be replayed", func(tx *Tx) error { return tx.btx.Bucket(bucketEntries).Delete(entryKey(id, 1)) }},
		"entry without ticket": {"which is not there", add(bucketEntries, entryKey(99, 1), []byte("x"))},
		"number":               {"cannot be found by its number", drop(bucketNumbers)},
		"number of nothing":    {"leads to ticket", add(bucketNumbers, []byte("NW-2026-999999"), at(99))},
		"requester":            {"cannot be found by its requester", drop(bucketRequesters)},
		"another requester":    {"who is not its requester", add(bucketRequesters, append([]byte("a@b.example\x00"), at(uint64(id))...), []byte{})},
		"requester of nothing": {"list of requesters", add(bucketRequesters, append([]byte("a@b.example\x00"), at(99)...), []byte{})},
		"open":                 {"the list of open tickets says otherwise", drop(bucketLive)},
		"open and not there":   {"the list of open tickets has", add(bucketLive, at(99), []byte{})},
		"timer":                {"no timer says so", drop(bucketTimers)},
		"timer of nothing":     {"is of ticket 99", add(bucketTimers, timer{time.Unix(1, 0), "close"}.key(99), []byte{})},
		"timer unreadable":     {"cannot be read", add(bucketTimers, []byte("x"), []byte{})},
		"message":              {"which is not there", drop(bucketMessages)},
		"message misplaced":    {"stands in the place of", change(bucketMessages, `"key":1`, `"key":7`)},
		"source":               {"the mailbox's record says otherwise", drop(bucketSources)},
		"raw message":          {"raw message", change(bucketMessages, `"month":"2026-03"`, `"month":""`)},
		"identity":             {"would not be known", drop(bucketIdentities)},
		"identity of nothing":  {"tells copies apart", add(bucketIdentities, make([]byte, 32), at(99))},
		"due":                  {"times in the schedule", drop(bucketDue)},
		"due and not there":    {"not in the outbox", add(bucketDue, append(timeKey(time.Unix(1, 0)), at(999)...), []byte{})},
		"bytes":                {"has no bytes", drop(bucketBytes)},
		"other bytes": {"its bytes are not what was stored", func(tx *Tx) error {
			key, _ := tx.btx.Bucket(bucketBytes).Cursor().First()
			return tx.btx.Bucket(bucketBytes).Put(key, []byte("x"))
		}},
		"bytes of nothing": {"there are bytes of mail", add(bucketBytes, at(999), []byte("x"))},
		"principal":        {"do not lead to each other", func(tx *Tx) error { return tx.btx.Bucket(bucketPrincipals).Delete(append([]byte("#"), at(1)...)) }},
		"principal of nobody": {"were given", func(tx *Tx) error {
			b := tx.btx.Bucket(bucketPrincipals)
			n := binary.BigEndian.AppendUint64(nil, 999)
			if err := b.Put([]byte("x@y.example"), n); err != nil {
				return err
			}
			return b.Put(append([]byte("#"), n...), []byte("x@y.example"))
		}},
		"place": {"and waits for UID", func(tx *Tx) error {
			p, err := tx.place("support")
			if err != nil {
				return err
			}
			p.Holes = map[uint32]Hole{p.Next + 5: {}}
			return tx.put(bucketPlaces, []byte("support"), p)
		}},
		"settled and waited for": {"which is settled", func(tx *Tx) error {
			p, err := tx.place("support")
			if err != nil {
				return err
			}
			p.Holes = map[uint32]Hole{1: {}}
			return tx.put(bucketPlaces, []byte("support"), p)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			btx, err := k.store.db.Begin(true) // never committed
			if err != nil {
				t.Fatal(err)
			}
			defer btx.Rollback()
			check := &checkup{tx: &Tx{btx: btx, store: k.store, writable: true}}
			if err := c.plant(check.tx); err != nil {
				t.Fatal(err)
			}
			if err := check.rows(); err != nil {
				t.Fatal(err)
			}
			if err := check.timers(k.desk.Rules(), k.clock.Now().UTC()); err != nil {
				t.Fatal(err)
			}
			if found := strings.Join(check.problems, "\n"); !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
	k.healthy()
}

// A ticket that goes to another customer stands among that one's, and no more among those of the one before: who is
// erased takes nothing of the other's along, and who had it before can still write.
func TestFormerRequesterLeavesNoRow(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "x")
	k.did(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#requester "+kollegin)
	k.healthy()
	// As a program of an earlier schema left it.
	row := append(append([]byte(kunde), 0), key64(uint64(id))...)
	k.update(func(tx *Tx) error {
		if err := tx.btx.Bucket(bucketMeta).Put(keySchema, key64(7)); err != nil {
			return err
		}
		return tx.btx.Bucket(bucketRequesters).Put(row, []byte{})
	})
	k.reopen()
	k.healthy()
	if _, err := k.desk.Erase(context.Background(), Person{Address: kollegin}, testRandom(9), false); err != nil {
		t.Fatal(err)
	}
	k.healthy()
	k.expect(k.receive(k.mail(kunde, "Noch einmal", "y")), Created, 2)
	k.healthy()
}
