package tickets

import (
	"os"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// releasePages gives back the pages of a database that reading has mapped in (madvise(2), MADV_DONTNEED): they stay in
// the system's cache and count no longer as memory of the process. On a shared mapping of a file nothing is lost: the
// next read maps the page again. That it may fail costs memory only. Only the goroutine that writes to the database
// calls it, after a write: a write may move the mapping.
func releasePages(db *bolt.DB) {
	info, err := os.Stat(db.Path())
	if err != nil || info.Size() == 0 {
		return
	}
	page := int64(os.Getpagesize())
	length := (info.Size() + page - 1) / page * page
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, db.Info().Data, uintptr(length), syscall.MADV_DONTNEED)
}
