package tickets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Group commit: whatever is waiting when a transaction begins shares it, so that a backlog is not limited by fsync.
// bbolt's Batch does the same only from 64 callers on, and later.

type job struct {
	fn    func(*Tx) error
	alone func() error // instead of fn: what must not run beside a transaction
	done  chan error
	err   error
}

const maxGroup = 256

func (s *Store) commitLoop() {
	defer close(s.done)
	for {
		select {
		case j := <-s.jobs:
			s.commitGroup(s.group(j))
		case <-s.quit:
			for {
				select {
				case j := <-s.jobs:
					s.commitGroup(s.group(j))
				default:
					return
				}
			}
		}
	}
}

func (s *Store) group(first *job) []*job {
	jobs := []*job{first}
	for len(jobs) < maxGroup && jobs[len(jobs)-1].alone == nil {
		select {
		case j := <-s.jobs:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// commitGroup runs the jobs in one transaction. A job that fails takes its changes with it: the others run again
// without it, on a fresh transaction.
func (s *Store) commitGroup(jobs []*job) {
	if last := jobs[len(jobs)-1]; last.alone != nil {
		jobs = jobs[:len(jobs)-1]
		defer func() {
			err := s.Err()
			if err == nil {
				err = last.alone()
			}
			last.done <- err
		}()
	}
	for len(jobs) > 0 {
		if err := s.Err(); err != nil {
			finish(jobs, err)
			return
		}
		Failpoint("commit.begin")
		var bad *job
		var after []func()
		var id int
		err := s.update(func(btx *bolt.Tx) error {
			id = btx.ID()
			tx := &Tx{btx: btx, store: s, writable: true}
			tx.fillPages()
			for _, j := range jobs {
				if j.err = runJob(j, tx); j.err != nil {
					bad = j
					return j.err
				}
			}
			Failpoint("commit.filled")
			after = tx.after
			return nil
		})
		Failpoint("commit.durable")
		if bad != nil {
			bad.done <- bad.err
			jobs = without(jobs, bad)
			continue
		}
		if isFull(err) && s.inEffect(id) {
			err = s.update(func(*bolt.Tx) error { return nil }) // once this is durable, what went before it is
		}
		if err != nil {
			err = s.commitError(err)
		}
		finish(jobs, err)
		if err == nil {
			Failpoint("commit.told")
			releasePages(s.db)
			for _, f := range after {
				f()
			}
		}
		return
	}
}

// inEffect reports whether a transaction counts although its commit failed: its meta page was written, and only the sync
// after that failed. Whoever is told that nothing happened would find attempts recorded that were never made.
func (s *Store) inEffect(id int) bool {
	var newest int
	err := s.db.View(func(btx *bolt.Tx) error { newest = btx.ID(); return nil })
	return err == nil && newest >= id
}

// fillPages lets pages be filled to where keys only ascend, or nearly so: half of each would stay empty for ever.
func (tx *Tx) fillPages() {
	for _, name := range [][]byte{bucketTickets, bucketEntries, bucketMessages, bucketSources, bucketOutbox, bucketBytes, bucketLog} {
		tx.btx.Bucket(name).FillPercent = 0.9
	}
}

// update is bbolt's, with what a damaged file does to a commit (panics, memory faults) as an error, after which the store
// stops.
func (s *Store) update(fn func(*bolt.Tx) error) (err error) {
	defer guard(func(v any) { err = fmt.Errorf("%w: desk.db: %v", errDamaged, v) })()
	return s.db.Update(fn)
}

// runJob turns a panic into an error of this job alone, so that one poisonous message cannot stop the others. Its
// changes go with the transaction.
func runJob(j *job, tx *Tx) (err error) {
	defer guard(func(v any) { err = fault(v) })()
	if err := j.fn(tx); err != nil {
		return err
	}
	return tx.writePending()
}

func finish(jobs []*job, err error) {
	for _, j := range jobs {
		j.done <- err
	}
}

func without(jobs []*job, bad *job) []*job {
	var rest []*job
	for _, j := range jobs {
		if j != bad {
			rest = append(rest, j)
		}
	}
	return rest
}

// commitError tells a full disk, after which everything is as before and work can go on once there is room, from a
// write or sync error. After the latter nobody knows what the disk holds: Linux marks pages clean whose write failed,
// and a commit that failed at the meta page may be there after all (P4).
func (s *Store) commitError(err error) error {
	if isFull(err) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return s.stop(err)
}

func isFull(err error) bool {
	if errors.Is(err, bolterrors.ErrMaxSizeReached) {
		return true
	}
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		// bbolt passes on as text only why a file could not grow.
		if errors.Is(err, full) || err != nil && strings.HasSuffix(err.Error(), ": "+full.Error()) {
			return true
		}
	}
	return false
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// plainCause strips the operation and path from an error of package os: the caller names the path once.
func plainCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}

// room reports whether there is space for n more bytes above the floor.
func (s *Store) room(n uint64) error {
	floor := s.floor.Load()
	if floor == 0 {
		return nil
	}
	free, err := freeBytes(s.dir)
	if err != nil {
		return nil // a file system that cannot tell is no reason to stop
	}
	if free < floor+n {
		return fmt.Errorf("%w: %d MB are free at %s, disk_floor is %d MB", ErrFull, free/1e6, s.dir, floor/1e6)
	}
	return nil
}

// FreeBytes says how much room the state directory has.
func (s *Store) FreeBytes() (uint64, error) { return freeBytes(s.dir) }
