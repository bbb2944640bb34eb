package tickets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The check before a start (S-162). What a damaged bbolt file does to the process that opens it can be an endless loop or
// a fault that ends it: so the check runs in a process of its own, which can be given up.

// cleanFile says that the desk was closed in order, and how desk.db was then: such a file is looked at where it begins
// and ends, any other one whole.
const cleanFile = "clean"

// CheckStore looks through desk.db in dir and changes nothing. It calls alive again and again while it gets on. Without a
// store, or while another process has it, there is nothing to say: opening it will.
func CheckStore(dir string, alive func()) (err error) {
	path := filepath.Join(dir, deskFile)
	damaged := func(why any) error {
		return fmt.Errorf("%s is damaged (%v): nothing was changed; restore a backup with supportd restore FILE --yes", path, why)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil
	case info.Size() == 0:
		return damaged("it is empty")
	}
	defer guard(func(v any) { err = damaged(v) })()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 200 * time.Millisecond, ReadOnly: true, PreLoadFreelist: true})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout), errors.Is(err, fs.ErrPermission):
		return nil
	case err != nil:
		return damaged(err)
	}
	defer db.Close()
	c := &checkup{alive: alive}
	err = db.View(func(btx *bolt.Tx) error {
		if info.Size() < btx.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), btx.Size())
		}
		if btx.Bucket(bucketMeta) == nil {
			return errors.New("it is not a desk")
		}
		c.tx = &Tx{btx: btx}
		if closedInOrder(dir, info) {
			return c.ends()
		}
		return c.pages()
	})
	switch {
	case err != nil:
		return damaged(err)
	case len(c.problems) > 0:
		return damaged(c.problems[0])
	}
	return nil
}

// ends reads the first and the last row of every bucket.
func (c *checkup) ends() error {
	return c.tx.btx.ForEach(func(name []byte, b *bolt.Bucket) error {
		for _, row := range []func() ([]byte, []byte){b.Cursor().First, b.Cursor().Last} {
			k, v := row()
			if k == nil || bytes.Equal(name, bucketMeta) || !bytes.Equal(name, bucketTickets) && !bytes.Equal(name, bucketEntries) && !bytes.Equal(name, bucketMessages) {
				continue
			}
			if _, _, err := payloadOf(v); err != nil {
				return fmt.Errorf("%s %x: %w", name, k, err)
			}
		}
		c.tick()
		return nil
	})
}

// tick says that the check gets on.
func (c *checkup) tick() {
	if c.alive != nil {
		c.alive()
	}
}

// ofThisSchema reports whether the store has all buckets that this program knows.
func (c *checkup) ofThisSchema() bool {
	b := c.tx.btx.Bucket(bucketMeta).Get(keySchema)
	return len(b) == 8 && binary.BigEndian.Uint64(b) == schemaVersion()
}

// stamp is what desk.db is known by.
func stamp(info fs.FileInfo) string {
	return fmt.Sprintf("%d bytes, %s\n", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano))
}

// closedInOrder reports whether desk.db is as it was when the desk was closed.
func closedInOrder(dir string, info fs.FileInfo) bool {
	b, err := os.ReadFile(filepath.Join(dir, cleanFile))
	return err == nil && string(b) == stamp(info)
}

// markClosed says that the desk was closed in order. That it cannot be said costs the next start a longer look.
func markClosed(dir string) {
	if info, err := os.Stat(filepath.Join(dir, deskFile)); err == nil {
		_ = os.WriteFile(filepath.Join(dir, cleanFile), []byte(stamp(info)), 0o600)
	}
}
