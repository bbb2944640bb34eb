package tickets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// What is deleted stays in a bbolt file, on pages that are free until something else is written there. So that it is
// gone, the file is written anew without it. What is to be rewritten is recorded in the transaction that deletes:
// when the process ends in between, the next start does the rest before anything else.

// pendingRecord is what has to be rewritten.
type pendingRecord struct {
	Months map[string][]Digest `json:"months,omitempty"` // the raw messages to leave out, by month
	After  uint64              `json:"after,omitempty"`  // the last message when the first of them was deleted
}

var keyPending = []byte("pending")

const compactSuffix = ".compact"

// Compacted says what became of one file.
type Compacted struct {
	Name   string `json:"name"`
	Before int64  `json:"bytes_before"`
	After  int64  `json:"bytes_after"` // 0: nothing is left of it, and the file is gone
}

// rewriteLater records raw messages to be left out, and that desk.db is to be rewritten.
func (tx *Tx) rewriteLater(drop map[string][]Digest) error {
	tx.onCommit(tx.store.alike.forget)
	tx.onCommit(tx.store.glimpses.forget)
	var p pendingRecord
	if _, err := tx.get(bucketMeta, keyPending, &p); err != nil {
		return err
	}
	if p.Months == nil {
		p.Months, p.After = map[string][]Digest{}, tx.btx.Bucket(bucketMessages).Sequence()
	}
	for month, list := range drop {
		p.Months[month] = append(p.Months[month], list...)
	}
	return tx.put(bucketMeta, keyPending, p)
}

// Rewrite carries out what is recorded: nothing of what was deleted is in the files afterwards. Work goes on meanwhile;
// who reads an old file goes on with that one.
func (s *Store) Rewrite(ctx context.Context) ([]Compacted, error) {
	var p pendingRecord
	found := false
	if err := s.View(func(tx *Tx) (err error) { found, err = tx.get(bucketMeta, keyPending, &p); return err }); err != nil || !found {
		return nil, err
	}
	done, err := s.rewriteMonths(p)
	if err != nil {
		return done, err
	}
	Failpoint("rewrite.months")
	desk := Compacted{Name: deskFile}
	j := &job{alone: func() (err error) { desk, err = s.rewriteDesk(); return err }, done: make(chan error, 1)}
	if err := s.submit(ctx, j); err != nil {
		return done, err
	}
	Failpoint("rewrite.desk")
	return append(done, desk), s.Update(ctx, func(tx *Tx) error {
		var now pendingRecord
		if _, err := tx.get(bucketMeta, keyPending, &now); err != nil {
			return err
		}
		for month, list := range p.Months {
			if now.Months[month] = now.Months[month][min(len(list), len(now.Months[month])):]; len(now.Months[month]) == 0 {
				delete(now.Months, month)
			}
		}
		if len(now.Months) > 0 {
			return tx.put(bucketMeta, keyPending, now) // somebody deleted more meanwhile
		}
		return tx.btx.Bucket(bucketMeta).Delete(keyPending)
	})
}

func (s *Store) rewriteMonths(p pendingRecord) ([]Compacted, error) {
	var done []Compacted
	for _, month := range sortedKeys(p.Months) {
		c, err := s.rewriteMonth(month, p)
		if err != nil {
			return done, fmt.Errorf("rewrite mail archive %s: %w", month, plainCause(err))
		}
		done = append(done, c)
	}
	return done, nil
}

// rewriteMonth leaves out what nobody needs any more. The same message may have come once more since it was deleted:
// its raw bytes stood in the archive still, so they were not written again.
func (s *Store) rewriteMonth(month string, p pendingRecord) (Compacted, error) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	again := map[Digest]bool{}
	err := s.View(func(tx *Tx) error {
		c := tx.btx.Bucket(bucketMessages).Cursor()
		for k, v := c.Seek(key64(p.After + 1)); k != nil; k, v = c.Next() {
			var m Stored
			if err := decodeRecord(v, &m); err != nil {
				return fmt.Errorf("message %x: %w", k, err)
			}
			if m.Raw.Month == month {
				again[m.Raw.SHA256] = true
			}
		}
		return nil
	})
	if err != nil {
		return Compacted{}, err
	}
	return s.mail.leaveOut(month, slices.DeleteFunc(slices.Clone(p.Months[month]), func(d Digest) bool { return again[d] }))
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// rewriteDesk puts a copy of desk.db without free pages in its place. It runs in the goroutine that commits, so that
// nothing is written meanwhile. Whoever reads goes on in the old file, which is gone when the last one is through.
func (s *Store) rewriteDesk() (c Compacted, err error) {
	path := filepath.Join(s.dir, deskFile)
	c = Compacted{Name: deskFile, Before: fileSize(path)}
	if err := s.room(uint64(c.Before)); err != nil {
		return c, err
	}
	old, release := s.reader()
	defer release()
	before, err := os.Stat(path)
	if err != nil {
		return c, fmt.Errorf("rewrite %s: %w", path, plainCause(err))
	}
	if err := compactFile(old, path, nil); err != nil {
		err = fmt.Errorf("rewrite %s: %w", path, plainCause(err))
		if now, statErr := os.Stat(path); statErr != nil || !os.SameFile(before, now) {
			return c, s.stop(err) // the file that is open has no name any more: what is written to it would be lost
		}
		return c, err
	}
	db, err := openChecked(path)
	if err != nil {
		return c, s.stop(err) // the same
	}
	s.mu.Lock()
	s.db = db
	s.mu.Unlock()
	c.After = fileSize(path)
	return c, nil
}

// compactFile puts a copy without free pages in the place of a file, durably. Values that leaveOut reports, of one
// bucket and key, are left out.
func compactFile(from *bolt.DB, path string, leaveOut func(bucket, key []byte) bool) error {
	temp := path + compactSuffix
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// One fsync at the end is enough: until the rename nobody sees the file.
	to, err := bolt.Open(temp, 0o600, &bolt.Options{NoFreelistSync: false, NoSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = copyBuckets(from, to, leaveOut)
	err = errors.Join(err, to.Sync(), to.Close())
	Failpoint("rewrite.copied")
	if err == nil {
		err = os.Rename(temp, path)
	}
	Failpoint("rewrite.renamed")
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(err, removeIfThere(temp))
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// copyBuckets copies every bucket in the order of its keys, some megabytes a transaction.
func copyBuckets(from, to *bolt.DB, leaveOut func(bucket, key []byte) bool) error {
	const perTransaction = 8 << 20
	return from.View(func(src *bolt.Tx) error {
		return src.ForEach(func(name []byte, b *bolt.Bucket) error {
			c := b.Cursor()
			k, v := c.First()
			for first := true; first || k != nil; first = false {
				err := to.Update(func(dst *bolt.Tx) error {
					into, err := dst.CreateBucketIfNotExists(name)
					if err != nil {
						return err
					}
					into.FillPercent = 0.9
					for octets := 0; k != nil && octets < perTransaction; k, v = c.Next() {
						if leaveOut != nil && leaveOut(name, k) {
							continue
						}
						if err := into.Put(k, v); err != nil {
							return err
						}
						octets += len(k) + len(v)
					}
					return into.SetSequence(b.Sequence())
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// leaveOut rewrites a month without some messages. A month that nothing is left of loses its file.
func (a *archive) leaveOut(month string, drop []Digest) (c Compacted, err error) {
	c = Compacted{Name: mailDir + "/" + month + ".db"}
	err = a.alone(month, func(path string) (err error) {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil // done already
		}
		c.Before = fileSize(path)
		db, err := openArchive(path, true)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		defer guard(func(v any) { err = fmt.Errorf("%w: %v", errDamaged, v) })()
		keys, left, err := keysOf(db, drop)
		if err != nil {
			return err
		}
		if left == 0 {
			return errors.Join(os.Remove(path), syncDir(filepath.Dir(path)))
		}
		err = compactFile(db, path, func(bucket, key []byte) bool {
			if bytes.Equal(bucket, bucketHash) {
				return keys["h"+string(key)]
			}
			return keys["r"+string(key)]
		})
		c.After = fileSize(path)
		return err
	})
	return c, err
}

// keysOf are the keys of messages in both buckets of an archive, and how many others there are.
func keysOf(db *bolt.DB, drop []Digest) (keys map[string]bool, left int, err error) {
	keys = map[string]bool{}
	err = db.View(func(btx *bolt.Tx) error {
		hash := btx.Bucket(bucketHash)
		found := 0
		for _, d := range drop {
			if n := hash.Get(d[:]); n != nil && !keys["h"+string(d[:])] {
				keys["h"+string(d[:])], keys["r"+string(n)] = true, true
				found++
			}
		}
		left = hash.Stats().KeyN - found
		return nil
	})
	return keys, left, err
}

// finishRewrite does, before the store is used, what a process that ended had begun to rewrite.
func (s *Store) finishRewrite() error {
	for _, name := range []string{filepath.Join(s.dir, deskFile+compactSuffix), filepath.Join(s.dir, mailDir, "*"+compactSuffix)} {
		left, err := filepath.Glob(name)
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := removeIfThere(path); err != nil {
				return err
			}
		}
	}
	var p pendingRecord
	found := false
	err := s.View(func(tx *Tx) (err error) { found, err = tx.get(bucketMeta, keyPending, &p); return err })
	if err != nil || !found {
		return err
	}
	if _, err := s.rewriteMonths(p); err != nil {
		return err
	}
	if _, err := s.rewriteDesk(); err != nil {
		return err
	}
	return s.update(func(btx *bolt.Tx) error { return btx.Bucket(bucketMeta).Delete(keyPending) })
}
