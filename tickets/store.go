package tickets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	deskFile = "desk.db"
	lockFile = "lock"
)

// Store keeps the desk in a state directory: desk.db, mail/YYYY-MM.db, keys.json and lock. One process has it open at
// a time. All access goes through typed methods of Tx.
type Store struct {
	dir  string
	db   *bolt.DB
	lock *flock.Flock
	mail *archive
	keys *Keyring

	rotating sync.Mutex // held while keys change

	floor atomic.Uint64 // free bytes below which nothing is taken in any more

	jobs    chan *job
	quit    chan struct{}
	done    chan struct{}
	closing sync.Once

	mu     sync.Mutex
	users  map[*bolt.DB]int // who reads, in db or in one that was replaced
	broken error
	failed chan struct{}

	alike    alike    // of tickets, for people
	glimpses glimpses // of the tickets of who wrote lately

	errands chan struct{} // holds one: something is to be done in the folders of a mailbox

	keeping sync.RWMutex // read: between writing raw messages and the commit that refers to them
}

// Options of OpenStore.
type Options struct {
	Now       func() time.Time // required
	Random    io.Reader        // required: crypto/rand outside of tests
	Init      bool             // start anew although the directory has traces of a store (run --init)
	DiskFloor uint64           // free bytes below which no mail is taken in; 0: no floor
}

// OpenStore opens the store in dir, and creates it when dir is empty or absent. It fails when another process has it,
// when it is damaged, when a newer version wrote it, and when the directory has traces of a store but no desk.db.
func OpenStore(dir string, o Options) (*Store, error) {
	if err := makeDir(filepath.Join(dir, mailDir)); err != nil {
		return nil, fmt.Errorf("state directory %s: %w; it must be writable for this user", dir, plainCause(err))
	}
	if err := checkPrivate(dir); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))
	switch ok, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("state directory %s: %w; it must be writable for this user", dir, plainCause(err))
	case !ok:
		return nil, fmt.Errorf("state directory %s is in use by another supportd; stop that one first, or ask it: supportd status", dir)
	}
	s, err := openLocked(dir, o)
	if err == nil {
		err = removeIfThere(filepath.Join(dir, cleanFile))
	}
	if err != nil {
		lock.Unlock()
		return nil, err
	}
	s.lock = lock
	s.SetDiskFloor(o.DiskFloor)
	go s.commitLoop()
	return s, nil
}

// makeDir makes a folder and those above it that are missing, durably: a state directory whose name is lost with the
// power would look like a first start, and a first start passes over the mail that is there.
func makeDir(dir string) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || parent == dir {
		return err
	}
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func openLocked(dir string, o Options) (*Store, error) {
	path := filepath.Join(dir, deskFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createStore(dir, o); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, plainCause(err))
	}
	keys, err := readKeys(dir)
	if err != nil {
		return nil, err
	}
	keys.set(livingKeys(keys.all(), o.Now()))
	db, err := openChecked(path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: dir, db: db, keys: keys, users: map[*bolt.DB]int{},
		mail: newArchive(filepath.Join(dir, mailDir)),
		jobs: make(chan *job, 1024), quit: make(chan struct{}), done: make(chan struct{}), failed: make(chan struct{}), errands: make(chan struct{}, 1),
	}
	err = migrate(db, path)
	if err == nil {
		err = s.finishRewrite()
	}
	if err != nil {
		s.mail.Close()
		s.db.Close()
		return nil, err
	}
	return s, nil
}

// createStore makes desk.db aside and renames it into place: power loss during the first initialisation of a bbolt
// file can damage it (etcd issue 16596).
func createStore(dir string, o Options) error {
	path := filepath.Join(dir, deskFile)
	for _, trace := range []string{filepath.Join(mailDir, "*.db"), replacedPrefix + "*"} {
		if old, _ := filepath.Glob(filepath.Join(dir, trace)); len(old) > 0 && !o.Init {
			return fmt.Errorf("%s is missing, but %s holds what is left of a desk (%s): restore a backup, or start an empty desk with run --init",
				path, dir, filepath.Base(old[0]))
		}
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); errors.Is(err, fs.ErrNotExist) {
		keys, err := NewKeyring(o.Now(), o.Random)
		if err != nil {
			return err
		}
		if err := keys.write(dir); err != nil {
			return err
		}
		Failpoint("create.keys")
	}
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create %s: %w", path, err)
	}
	db, err := bolt.Open(temp, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return fmt.Errorf("create %s: %w", path, plainCause(err))
	}
	err = db.Update(func(btx *bolt.Tx) error { return initBuckets(btx, o.Now()) })
	err = errors.Join(err, db.Close())
	Failpoint("create.made")
	if err == nil {
		err = os.Rename(temp, path)
	}
	Failpoint("create.renamed")
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", path, plainCause(err))
	}
	return nil
}

// openChecked opens a bbolt file and turns what damage does to it (panics, memory faults of a truncated file) into
// errors that say what to do.
func openChecked(path string) (db *bolt.DB, err error) {
	damaged := func(why any) error {
		return fmt.Errorf("%s is damaged (%v): nothing was changed; restore a backup with supportd restore FILE --yes", path, why)
	}
	defer guard(func(v any) {
		db, err = nil, damaged(v)
	})()
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return nil, damaged("it is empty") // bbolt would make a new one of it
	}
	// InitialMmapSize: with a small map an open read transaction would block the writer as soon as the file grows.
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		Timeout: time.Second, FreelistType: bolt.FreelistMapType, InitialMmapSize: mapRoom(fileSize(path)),
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by another process", path)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist), isReadOnly(err):
		return nil, fmt.Errorf("open %s: %w; it must be readable and writable for this user", path, plainCause(err))
	case err != nil:
		return nil, damaged(err)
	}
	err = db.View(func(btx *bolt.Tx) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() < btx.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), btx.Size())
		}
		if btx.Bucket(bucketMeta) == nil {
			return errors.New("it is not a desk")
		}
		return nil
	})
	if err != nil {
		db.Close()
		return nil, damaged(err)
	}
	return db, nil
}

// fileSize is 0 when it cannot be told.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// guard makes memory faults of this goroutine into panics, and calls on with what was recovered. Use: defer guard(f)().
func guard(on func(any)) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		if v := recover(); v != nil {
			on(v)
		}
	}
}

// checkPrivate refuses a state directory that others can read (S-178).
func checkPrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("state directory %s: %w", dir, plainCause(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("state directory %s is a file", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("state directory %s can be read by others and cannot be closed to them (%w): chmod 700 %s", dir, plainCause(err), dir)
		}
	}
	return nil
}

// Dir is the state directory.
func (s *Store) Dir() string { return s.dir }

// SetDiskFloor says below how many free bytes nothing more is taken in; 0: no floor.
func (s *Store) SetDiskFloor(bytes uint64) { s.floor.Store(bytes) }

// Keys returns the desk's keyring.
func (s *Store) Keys() *Keyring { return s.keys }

// Failed is closed when the store has stopped after a write or sync error (P4).
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err returns why the store stopped, or nil.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// stop marks the store as broken: no later change is committed.
func (s *Store) stop(cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = fmt.Errorf("%w: %w", ErrStopped, cause)
		close(s.failed)
	}
	return s.broken
}

// View runs fn on a consistent snapshot. fn must not keep anything of tx, nor wait for the network in it.
func (s *Store) View(fn func(*Tx) error) (err error) {
	defer guard(func(v any) { err = fmt.Errorf("read %s: %v; run supportd doctor", filepath.Join(s.dir, deskFile), v) })()
	db, release := s.reader()
	defer release()
	return db.View(func(btx *bolt.Tx) error { return fn(&Tx{btx: btx, store: s}) })
}

// reader returns desk.db as it is now. It stays open until release is called, also when it is replaced meanwhile.
func (s *Store) reader() (db *bolt.DB, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	db = s.db
	s.users[db]++
	return db, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.users[db]--; s.users[db] > 0 {
			return
		}
		delete(s.users, db)
		if db != s.db {
			db.Close() // nobody writes to it any more, and it has no name
		}
	}
}

// Update runs fn in a transaction that is durable when Update returns nil. Several callers may share one transaction:
// fn can be run more than once, and must change nothing but tx. When it returns an error, nothing of it is kept.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	return s.submit(ctx, &job{fn: fn, done: make(chan error, 1)})
}

// submit hands a job to the goroutine that commits, and waits for its end.
func (s *Store) submit(ctx context.Context, j *job) error {
	select {
	case s.jobs <- j:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.done:
		return s.closedError()
	}
	select {
	case err := <-j.done:
		return err
	case <-s.done:
		select {
		case err := <-j.done:
			return err
		default:
			return s.closedError()
		}
	}
}

func (s *Store) closedError() error {
	if err := s.Err(); err != nil {
		return err
	}
	return errClosed
}

// errClosed: the store was closed while somebody waited for it.
var errClosed = errors.New("the store is closed")

// Close commits what is under way and releases the state directory.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.quit)
		<-s.done
		err = errors.Join(s.mail.Close(), s.db.Close())
		if err == nil && s.Err() == nil {
			markClosed(s.dir)
		}
		err = errors.Join(err, s.lock.Unlock())
	})
	return err
}
