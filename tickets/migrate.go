package tickets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// migrations lead from one schema to the next. The list is only ever appended to: migrations[i] leads from schema i+1
// to schema i+2.
var migrations = []func(*bolt.Tx) error{
	// 2: alerts of monitoring systems join the ticket of the one before.
	func(btx *bolt.Tx) error {
		_, err := btx.CreateBucketIfNotExists(bucketAlerts)
		return err
	},
	// 3: entries and log are chains.
	linkChains,
	// 4: imports of past mail.
	addImports,
	// 5: clocks are kept as segments, and notices can wait. Clocks of the form before are read as they stand.
	func(btx *bolt.Tx) error {
		_, err := btx.CreateBucketIfNotExists(bucketPostponed)
		return err
	},
	// 6: the desk's own health, and when mail comes.
	func(btx *bolt.Tx) error {
		_, err := btx.CreateBucketIfNotExists(bucketHealth)
		_, err2 := btx.CreateBucketIfNotExists(bucketArrivals)
		return errors.Join(err, err2)
	},
	// 7: numbers of third parties, and who is absent.
	func(btx *bolt.Tx) error {
		_, err := btx.CreateBucketIfNotExists(bucketReferences)
		if err == nil {
			_, err = btx.CreateBucketIfNotExists(bucketLeaves)
		}
		return err
	},
	// 8: copies of sent mails that are owed.
	func(btx *bolt.Tx) error {
		_, err := btx.CreateBucketIfNotExists(bucketCopies)
		return err
	},
	// 9: a ticket that went to another requester stands no more among those of the one before.
	dropFormerRequesters,
	// 10: mails of the outbox name what of them stands in raw messages. Those of before are whole; an older program would
	// take the others for damaged.
	func(*bolt.Tx) error { return nil },
	// 11: what is owed to mailboxes that show the state of tickets, and where messages stand in them.
	func(btx *bolt.Tx) error {
		_, err := btx.CreateBucketIfNotExists(bucketMirror)
		_, err2 := btx.CreateBucketIfNotExists(bucketStands)
		return errors.Join(err, err2)
	},
}

// dropFormerRequesters takes the rows out of the list of requesters that are of nobody's ticket, or of somebody else's.
func dropFormerRequesters(btx *bolt.Tx) error {
	tx := &Tx{btx: btx, writable: true}
	var stale [][]byte
	err := tx.each(bucketRequesters, nil, func(k, _ []byte) (bool, error) {
		t, err := tx.Ticket(TicketID(binary.BigEndian.Uint64(k[len(k)-8:])))
		if errors.Is(err, ErrNotFound) || err == nil && !bytes.Equal(k, requesterKey(t)) {
			stale = append(stale, bytes.Clone(k))
			err = nil
		}
		return err == nil, err
	})
	for i := 0; err == nil && i < len(stale); i++ {
		err = btx.Bucket(bucketRequesters).Delete(stale[i])
	}
	return err
}

var keySchema = []byte("schema")

// schemaVersion is the schema that this program reads and writes.
func schemaVersion() uint64 { return uint64(len(migrations)) + 1 }

func initBuckets(btx *bolt.Tx, now time.Time) error {
	for _, name := range allBuckets {
		if _, err := btx.CreateBucket(name); err != nil {
			return err
		}
	}
	meta := btx.Bucket(bucketMeta)
	return errors.Join(
		meta.Put(keySchema, key64(schemaVersion())),
		meta.Put([]byte("created"), []byte(now.UTC().Format(time.RFC3339))))
}

// migrate brings an older store up to date, and refuses a newer one.
func migrate(db *bolt.DB, path string) (err error) {
	defer guard(func(v any) {
		err = fmt.Errorf("%s is damaged (%v): nothing was changed; restore a backup with supportd restore FILE --yes", path, v)
	})()
	var have uint64
	err = db.View(func(btx *bolt.Tx) error {
		b := btx.Bucket(bucketMeta).Get(keySchema)
		if len(b) != 8 || binary.BigEndian.Uint64(b) == 0 {
			return fmt.Errorf("%s is damaged (no schema number): nothing was changed; restore a backup", path)
		}
		if have = binary.BigEndian.Uint64(b); have > schemaVersion() {
			return fmt.Errorf("%s was written by a newer supportd (schema %d; this one knows up to %d): nothing was changed; run that version, or restore a backup from before the upgrade",
				path, have, schemaVersion())
		}
		return nil
	})
	if err != nil || have == schemaVersion() {
		return err
	}
	return db.Update(func(btx *bolt.Tx) error {
		for i := have; i < schemaVersion(); i++ {
			if err := migrations[i-1](btx); err != nil {
				return fmt.Errorf("upgrade %s from schema %d: %w; nothing was changed", path, i, err)
			}
		}
		return btx.Bucket(bucketMeta).Put(keySchema, key64(schemaVersion()))
	})
}
