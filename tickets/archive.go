package tickets

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

const mailDir = "mail"

// archive keeps the raw messages, one bbolt file a month, addressed by their SHA-256. Messages are appended under
// ascending numbers, so that a write touches one end of the tree; an index leads from hash to number. A month that is
// over is never written again.
type archive struct {
	dir string

	mu    sync.Mutex
	month string
	db    *bolt.DB // of month
}

var (
	bucketRaw  = []byte("raw")  // number → raw message
	bucketHash = []byte("hash") // SHA-256 → number
)

// RawRef says where the raw bytes of a message are.
type RawRef struct {
	Month  string `json:"month,omitempty"` // "2026-11"; "" when there are none
	SHA256 Digest `json:"sha256,omitzero"`
}

// put stores messages durably and returns their places. It is called before the transaction that refers to them.
func (a *archive) put(now time.Time, raws [][]byte) (refs []RawRef, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer guard(func(v any) { refs, err = nil, fmt.Errorf("write mail archive: %w: %v", errDamaged, v) })()
	month := now.UTC().Format("2006-01")
	if err := a.open(month); err != nil {
		return nil, err
	}
	Failpoint("archive.begin")
	refs = make([]RawRef, len(raws))
	err = a.db.Update(func(btx *bolt.Tx) error {
		raw, hash := btx.Bucket(bucketRaw), btx.Bucket(bucketHash)
		raw.FillPercent = 0.9 // keys only ascend
		for i, b := range raws {
			if b == nil {
				continue
			}
			sum := Digest(sha256.Sum256(b))
			refs[i] = RawRef{Month: month, SHA256: sum}
			if hash.Get(sum[:]) != nil {
				continue
			}
			n, err := raw.NextSequence()
			if err != nil {
				return err
			}
			if err := raw.Put(key64(n), b); err != nil {
				return err
			}
			if err := hash.Put(sum[:], key64(n)); err != nil {
				return err
			}
		}
		Failpoint("archive.filled")
		return nil
	})
	Failpoint("archive.kept")
	if err == nil {
		releasePages(a.db)
	}
	return refs, err
}

// open makes month the one that is written to. The caller holds mu.
func (a *archive) open(month string) error {
	if a.db != nil && a.month == month {
		return nil
	}
	if a.db != nil {
		err := a.db.Close()
		a.db = nil
		if err != nil {
			return fmt.Errorf("close mail archive %s: %w", a.month, err)
		}
	}
	path := a.path(month)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createArchive(path); err != nil {
			return fmt.Errorf("create mail archive %s: %w", path, err)
		}
	}
	db, err := openArchive(path, false)
	if err != nil {
		return err
	}
	a.month, a.db = month, db
	return nil
}

// createArchive makes the file aside and renames it into place, as createStore does.
func createArchive(path string) error {
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bolt.Open(temp, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return err
	}
	err = db.Update(func(btx *bolt.Tx) error {
		for _, name := range [][]byte{bucketRaw, bucketHash} {
			if _, err := btx.CreateBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
	err = errors.Join(err, db.Close())
	Failpoint("archive.made")
	if err == nil {
		err = os.Rename(temp, path)
	}
	Failpoint("archive.renamed")
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

func openArchive(path string, readOnly bool) (db *bolt.DB, err error) {
	defer guard(func(v any) {
		db, err = nil, fmt.Errorf("mail archive %s is damaged (%v): restore it from a backup", path, v)
	})()
	o := &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType, ReadOnly: readOnly}
	if !readOnly {
		o.InitialMmapSize = 1 << 30
	}
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		return nil, fmt.Errorf("mail archive %s is empty: restore it from a backup", path)
	}
	db, err = bolt.Open(path, 0o600, o)
	if err != nil {
		return nil, fmt.Errorf("open mail archive %s: %w", path, plainCause(err))
	}
	err = db.View(func(btx *bolt.Tx) error {
		if btx.Bucket(bucketRaw) == nil || btx.Bucket(bucketHash) == nil {
			return fmt.Errorf("mail archive %s is damaged (it is none): restore it from a backup", path)
		}
		return nil
	})
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func (a *archive) path(month string) string { return filepath.Join(a.dir, month+".db") }

// get returns the raw bytes of a message, after checking that they are the ones that were stored.
func (a *archive) get(ref RawRef) (raw []byte, err error) {
	if ref.Month == "" {
		return nil, fmt.Errorf("raw message: %w", ErrNotFound)
	}
	err = a.view(ref.Month, func(db *bolt.DB) error {
		raw, err = getRaw(db, ref)
		return err
	})
	return raw, err
}

// verify reads messages of a month and reports those that are missing or not what was stored.
func (a *archive) verify(month string, refs []RawRef) []string {
	var problems []string
	err := a.view(month, func(db *bolt.DB) error {
		for _, ref := range refs {
			if _, err := getRaw(db, ref); err != nil && len(problems) < maxProblems {
				problems = append(problems, err.Error())
			}
		}
		return nil
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}

// view opens a month for reading, unless it is open, and turns memory faults into errors.
func (a *archive) view(month string, fn func(*bolt.DB) error) (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	db := a.db
	if db == nil || a.month != month {
		if db, err = openArchive(a.path(month), true); err != nil {
			return err
		}
		defer db.Close()
	}
	defer guard(func(v any) { err = fmt.Errorf("read mail archive %s: %v", month, v) })()
	return fn(db)
}

func getRaw(db *bolt.DB, ref RawRef) (raw []byte, err error) {
	err = db.View(func(btx *bolt.Tx) error {
		n := btx.Bucket(bucketHash).Get(ref.SHA256[:])
		if n == nil {
			return fmt.Errorf("raw message %s in archive %s: %w", ref.SHA256, ref.Month, ErrNotFound)
		}
		raw = bytes.Clone(btx.Bucket(bucketRaw).Get(n))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if Digest(sha256.Sum256(raw)) != ref.SHA256 {
		return nil, fmt.Errorf("raw message %s in archive %s: %w", ref.SHA256, ref.Month, errDamaged)
	}
	return raw, nil
}

// months lists the archives, oldest first.
func (a *archive) months() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(a.dir, "*.db"))
	if err != nil {
		return nil, err
	}
	var months []string
	for _, p := range paths {
		months = append(months, strings.TrimSuffix(filepath.Base(p), ".db"))
	}
	sort.Strings(months)
	return months, nil
}

// Close releases the archive that is open.
func (a *archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.db == nil {
		return nil
	}
	err := a.db.Close()
	a.db = nil
	return err
}

func key64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
