package tickets

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
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

	mu      sync.Mutex
	changed sync.Cond             // a month is used by one less; with mu
	open    map[string]*monthFile // by month
	current string                // the month that was written to last: it stays open
	busy    string                // the month that is being rewritten: nobody gets it
}

// monthFile is an open file of the archive. Those who use it share it, so that a copy of a month, which takes long, keeps
// nobody from writing to it.
type monthFile struct {
	db       *bolt.DB
	writable bool
	users    int
}

func newArchive(dir string) *archive {
	a := &archive{dir: dir, open: map[string]*monthFile{}}
	a.changed.L = &a.mu
	return a
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

// put stores messages in the archive of the month of at, durably, and returns their places. It is called before the
// transaction that refers to them.
func (a *archive) put(at time.Time, raws [][]byte) (refs []RawRef, err error) {
	defer guard(func(v any) { refs, err = nil, fmt.Errorf("write mail archive: %w: %v", errDamaged, v) })()
	month := at.UTC().Format("2006-01")
	m, err := a.acquire(month, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.release(month, m)) }()
	Failpoint("archive.begin")
	refs = make([]RawRef, len(raws))
	err = m.db.Update(func(btx *bolt.Tx) error {
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
		releasePages(m.db)
	}
	return refs, err
}

// acquire opens a month, or shares it with those who have it open; release has to follow. The month that is written to
// last stays open.
func (a *archive) acquire(month string, write bool) (*monthFile, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		m := a.open[month]
		switch {
		case a.busy == month, m != nil && write && !m.writable && m.users > 0:
			a.changed.Wait()
			continue
		case m != nil && write && !m.writable:
			if err := a.shut(month, m); err != nil {
				return nil, err
			}
			continue
		case m == nil:
			db, err := a.openMonth(month, write)
			if err != nil {
				return nil, err
			}
			m = &monthFile{db: db, writable: write}
			a.open[month] = m
		}
		m.users++
		if !write || a.current == month {
			return m, nil
		}
		last := a.current
		a.current = month
		if before := a.open[last]; before != nil && before.users == 0 {
			if err := a.shut(last, before); err != nil {
				m.users--
				return nil, err
			}
		}
		return m, nil
	}
}

// release ends the use of a month.
func (a *archive) release(month string, m *monthFile) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	m.users--
	a.changed.Broadcast()
	if m.users > 0 || a.current == month && m.writable {
		return nil
	}
	return a.shut(month, m)
}

// shut closes a month that nobody uses. The caller holds mu.
func (a *archive) shut(month string, m *monthFile) error {
	delete(a.open, month)
	if err := m.db.Close(); err != nil {
		return fmt.Errorf("close mail archive %s: %w", month, err)
	}
	return nil
}

// alone runs fn while nobody has the month open: for rewriting its file. Who asks for it meanwhile waits.
func (a *archive) alone(month string, fn func(path string) error) error {
	a.mu.Lock()
	for a.busy != "" || a.open[month] != nil && a.open[month].users > 0 {
		a.changed.Wait()
	}
	var err error
	if m := a.open[month]; m != nil {
		err = a.shut(month, m)
	}
	a.busy = month
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.busy = ""
		a.changed.Broadcast()
		a.mu.Unlock()
	}()
	if err != nil {
		return err
	}
	return fn(a.path(month))
}

// openMonth opens the file of a month, and makes it when it is to be written and not there.
func (a *archive) openMonth(month string, write bool) (*bolt.DB, error) {
	path := a.path(month)
	if !write {
		return openArchive(path, true)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createArchive(path); err != nil {
			return nil, fmt.Errorf("create mail archive %s: %w", path, err)
		}
	}
	return openArchive(path, false)
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
	if info, err := os.Stat(path); err == nil {
		if info.Size() == 0 {
			return nil, fmt.Errorf("mail archive %s is empty: restore it from a backup", path)
		}
		if !readOnly {
			// Room to grow: a copy that reads meanwhile would block the writer as soon as the map has to be larger.
			o.InitialMmapSize = mapRoom(info.Size())
		}
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

// view opens a month for reading and turns memory faults into errors. Writers of the month go on meanwhile.
func (a *archive) view(month string, fn func(*bolt.DB) error) (err error) {
	m, err := a.acquire(month, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.release(month, m)) }()
	defer guard(func(v any) { err = fmt.Errorf("read mail archive %s: %v", month, v) })()
	return fn(m.db)
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

// Close releases the archives. Nobody uses them any more.
func (a *archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for month, m := range a.open {
		errs = append(errs, a.shut(month, m))
	}
	return errors.Join(errs...)
}

// mapRoom is how much memory a file that grows is mapped into: addresses only, no memory is taken. Far fewer than a
// process of 64 bits has.
func mapRoom(size int64) int {
	const room = 1 << 30
	if size > math.MaxInt-room {
		return room
	}
	return int(size) + room
}

func key64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
