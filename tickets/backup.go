package tickets

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	bolt "go.etcd.io/bbolt"
)

// A backup is a tar file with desk.db, keys.json and mail/*.db. desk.db is copied first and the archives after it: raw
// mail is written before the rows that refer to it, so every row of the copy finds its message.

// BackupReport says what a backup holds.
type BackupReport struct {
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`
	Tickets uint64 `json:"tickets"`
	Months  int    `json:"months"`
}

// Backup writes a consistent copy of the whole desk into file while work goes on. The file appears when it is complete;
// an older one of that name is replaced. It holds everybody's mail and the keys: only its owner may read it.
func (s *Store) Backup(ctx context.Context, file string, now time.Time) (BackupReport, error) {
	r := BackupReport{File: file}
	if !filepath.IsAbs(file) {
		return r, fmt.Errorf("backup to %q: the path must be absolute, because the daemon writes it", file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".backup-*")
	if err != nil {
		return r, fmt.Errorf("backup to %s: %w", file, plainCause(err))
	}
	defer os.Remove(f.Name())
	w := tar.NewWriter(f)
	err = s.writeBackup(ctx, w, now, &r)
	err = errors.Join(err, w.Close(), f.Sync())
	if info, statErr := f.Stat(); statErr == nil {
		r.Bytes = info.Size()
	}
	err = errors.Join(err, f.Close())
	Failpoint("backup.written")
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	Failpoint("backup.renamed")
	if err == nil {
		err = syncDir(filepath.Dir(file))
	}
	if err != nil {
		return r, fmt.Errorf("backup to %s: %w", file, plainCause(err))
	}
	return r, nil
}

func (s *Store) writeBackup(ctx context.Context, w *tar.Writer, now time.Time, r *BackupReport) error {
	err := s.View(func(tx *Tx) error {
		r.Tickets = tx.counter("tickets")
		return writeSnapshot(w, deskFile, tx.btx, now)
	})
	if err != nil {
		return err
	}
	Failpoint("backup.desk")
	keys, err := os.ReadFile(filepath.Join(s.dir, keyFile))
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: keyFile, Mode: 0o600, Size: int64(len(keys)), ModTime: now}); err != nil {
		return err
	}
	if _, err := w.Write(keys); err != nil {
		return err
	}
	months, err := s.mail.months()
	if err != nil {
		return err
	}
	for _, month := range months {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := s.mail.view(month, func(db *bolt.DB) error {
			return db.View(func(btx *bolt.Tx) error {
				return writeSnapshot(w, mailDir+"/"+month+".db", btx, now)
			})
		})
		if err != nil {
			return err
		}
		r.Months++
	}
	return nil
}

func writeSnapshot(w *tar.Writer, name string, btx *bolt.Tx, now time.Time) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: btx.Size(), ModTime: now}); err != nil {
		return err
	}
	_, err := btx.WriteTo(w)
	return err
}

// Restore puts a backup in the place of the desk in dir. What stood there is moved into a folder beside it, whose name
// is returned. The outbox of the restored desk is held until ReleaseOutbox: what it owes may have been sent since. No
// ticket number above the backup's is used again.
func Restore(dir, file string, now time.Time) (replaced string, err error) {
	if err := makeDir(dir); err != nil {
		return "", fmt.Errorf("state directory %s: %w", dir, plainCause(err))
	}
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return "", fmt.Errorf("state directory %s is in use: stop supportd before a restore", dir)
	}
	defer lock.Unlock()
	fresh, err := os.MkdirTemp(dir, ".restore-*")
	if err != nil {
		return "", fmt.Errorf("restore into %s: %w", dir, plainCause(err))
	}
	defer os.RemoveAll(fresh)
	if err := unpack(file, fresh); err != nil {
		return "", fmt.Errorf("restore %s: %w; nothing was changed", file, err)
	}
	Failpoint("restore.unpacked")
	last, claims := lastKnown(dir)
	if err := prepareRestored(fresh, last, claims); err != nil {
		return "", fmt.Errorf("restore %s: %w; nothing was changed", file, err)
	}
	// What is moved into place must not lose its names with the power.
	if err := errors.Join(syncDir(filepath.Join(fresh, mailDir)), syncDir(fresh)); err != nil {
		return "", fmt.Errorf("restore %s: %w; nothing was changed", file, plainCause(err))
	}
	Failpoint("restore.prepared")
	return swapIn(dir, fresh, now)
}

// numbers is how far a desk has come in everything that it numbers and that is known outside: ticket numbers, and the
// tickets, people and mails that reply addresses and Message-IDs name.
type numbers struct{ numbers, tickets, principals, outgoing uint64 }

func (tx *Tx) numbers() numbers {
	return numbers{tx.counter("numbers"), tx.counter("tickets") + tx.counter("skipped"), tx.counter("principals"), tx.btx.Bucket(bucketOutbox).Sequence()}
}

// skipTo makes the desk go on behind the given numbers.
func (tx *Tx) skipTo(last numbers) error {
	have := tx.numbers()
	for counter, n := range map[string]uint64{
		"numbers": max(last.numbers, have.numbers) - have.numbers, "skipped": max(last.tickets, have.tickets) - have.tickets,
		"principals": max(last.principals, have.principals) - have.principals,
	} {
		if _, err := tx.add(counter, n); err != nil {
			return err
		}
	}
	return tx.btx.Bucket(bucketOutbox).SetSequence(max(last.outgoing, have.outgoing))
}

// lastKnown is how far the desk had come that is being replaced, and its claims, as far as it can still be read.
func lastKnown(dir string) (n numbers, claims map[string]Claim) {
	db, err := openChecked(filepath.Join(dir, deskFile))
	if err != nil {
		return numbers{}, nil
	}
	defer db.Close()
	defer guard(func(any) { n, claims = numbers{}, nil })()
	_ = db.View(func(btx *bolt.Tx) (err error) {
		tx := &Tx{btx: btx}
		n = tx.numbers()
		claims, err = tx.claims()
		return err
	})
	return n, claims
}

// numbersSkipped is how far the numbers jump when the replaced desk cannot say how far they had come.
const numbersSkipped = 1000

// prepareRestored checks the unpacked desk, holds its outbox and moves its numbers on: an address of a ticket that is
// lost must never lead to another one.
func prepareRestored(fresh string, last numbers, claims map[string]Claim) error {
	if _, err := readKeys(fresh); err != nil {
		return err
	}
	db, err := openChecked(filepath.Join(fresh, deskFile))
	if err != nil {
		return err
	}
	err = migrate(db, deskFile)
	if err == nil {
		err = db.Update(func(btx *bolt.Tx) error {
			tx := &Tx{btx: btx, writable: true}
			if have := tx.numbers(); last.numbers < have.numbers || last.numbers == 0 {
				last = numbers{have.numbers + numbersSkipped, have.tickets + numbersSkipped, have.principals + numbersSkipped, have.outgoing + 100*numbersSkipped}
			}
			if err := tx.skipTo(last); err != nil {
				return err
			}
			if _, err := tx.add("restored", 1); err != nil {
				return err
			}
			// The restore was ordered here: the desk is at home where it was put.
			if err := errors.Join(tx.keepClaims(claims), btx.Bucket(bucketMeta).Delete(keyHome)); err != nil {
				return err
			}
			return tx.holdOutbox()
		})
	}
	return errors.Join(err, db.Close())
}

// holdOutbox takes every mail off the schedule.
func (tx *Tx) holdOutbox() error {
	mails, err := tx.Outbox(false)
	if err != nil {
		return err
	}
	for _, o := range mails {
		if o.State == GivenUp || o.State == Held {
			continue
		}
		o.State = Held
		if err := tx.reschedule(&o, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// ReleaseOutbox lets the mails go that a restore holds, and returns how many.
func (d *Desk) ReleaseOutbox(ctx context.Context) (int, error) {
	n := 0
	err := d.Store.Update(ctx, func(tx *Tx) error {
		n = 0
		mails, err := tx.Outbox(false)
		if err != nil {
			return err
		}
		for _, o := range mails {
			if o.State != Held {
				continue
			}
			n++
			o.State = Queued
			if err := tx.reschedule(&o, d.Now().UTC()); err != nil {
				return err
			}
		}
		tx.onCommit(d.wakeSender)
		return tx.btx.Bucket(bucketMeta).Delete([]byte("count:restored"))
	})
	return n, err
}

// unpack takes a backup apart. It takes only the names that a backup has.
func unpack(file, dir string) error {
	f, err := os.Open(file)
	if err != nil {
		return plainCause(err)
	}
	defer f.Close()
	if err := os.Mkdir(filepath.Join(dir, mailDir), 0o700); err != nil {
		return err
	}
	found := map[string]bool{}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.New("this is not a supportd backup, or it is damaged")
		}
		month, isMail := strings.CutPrefix(h.Name, mailDir+"/")
		if h.Name != deskFile && h.Name != keyFile && (!isMail || strings.ContainsAny(month, `/\`)) {
			return fmt.Errorf("this is not a supportd backup: it holds %q", h.Name)
		}
		found[h.Name] = true
		if err := unpackFile(filepath.Join(dir, filepath.FromSlash(h.Name)), r); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	if !found[deskFile] || !found[keyFile] {
		return errors.New("this is not a supportd backup, or it is cut short: desk.db or keys.json is missing")
	}
	return nil
}

func unpackFile(path string, r io.Reader) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return plainCause(err)
	}
	_, err = io.Copy(out, r)
	return errors.Join(err, out.Sync(), out.Close())
}

// replacedPrefix begins the names of the folders that hold what a restore replaced.
const replacedPrefix = "replaced-"

// swapIn moves the old files aside and the new ones into their place. desk.db goes first and comes last, and each step
// is durable before the next: what is cut short in between, also by a power loss, has none, and is refused at the next
// start.
func swapIn(dir, fresh string, now time.Time) (replaced string, err error) {
	if replaced, err = makeReplaced(dir, now); err != nil {
		return "", fmt.Errorf("restore into %s: %w", dir, plainCause(err))
	}
	failed := func(err error) (string, error) {
		return replaced, fmt.Errorf("restore into %s: %w; the old desk is in %s", dir, plainCause(err), replaced)
	}
	for _, name := range []string{deskFile, keyFile, mailDir} {
		if err := moveDurably(filepath.Join(dir, name), filepath.Join(replaced, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed(err)
		}
		Failpoint("restore.aside")
	}
	for _, name := range []string{mailDir, keyFile, deskFile} {
		if err := moveDurably(filepath.Join(fresh, name), filepath.Join(dir, name)); err != nil {
			return failed(err)
		}
		Failpoint("restore.placed")
	}
	return replaced, nil
}

// makeReplaced makes the folder for what a restore replaces. Two restores may fall into one second.
func makeReplaced(dir string, now time.Time) (string, error) {
	path := filepath.Join(dir, replacedPrefix+now.UTC().Format("20060102-150405"))
	err := os.Mkdir(path, 0o700)
	for n := 2; errors.Is(err, fs.ErrExist) && n < 100; n++ {
		path = filepath.Join(dir, fmt.Sprintf("%s%s-%d", replacedPrefix, now.UTC().Format("20060102-150405"), n))
		err = os.Mkdir(path, 0o700)
	}
	if err != nil {
		return "", err
	}
	return path, syncDir(dir)
}

// moveDurably renames and syncs both folders.
func moveDurably(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return errors.Join(syncDir(filepath.Dir(to)), syncDir(filepath.Dir(from)))
}
