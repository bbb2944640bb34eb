package tickets

import (
	"os"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// releasePages unmaps the file's pages from the process (madvise(2), MADV_DONTNEED). On a shared mapping of a file it
// loses nothing: the next read maps the page again. That it may fail costs memory only.
func releasePages(db *bolt.DB) {
	info, err := os.Stat(db.Path())
	if err != nil || info.Size() == 0 {
		return
	}
	page := int64(os.Getpagesize())
	length := (info.Size() + page - 1) / page * page
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, db.Info().Data, uintptr(length), syscall.MADV_DONTNEED)
}
