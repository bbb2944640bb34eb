//go:build unix

package tickets

import (
	"io/fs"
	"syscall"
)

// fileNumber is the inode of a file: a copy has another one.
func fileNumber(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Ino)
	}
	return 0
}
