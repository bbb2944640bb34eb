package tickets

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

// A full disk is told from a broken one, also where bbolt hands the reason on as text only: a file that cannot grow.
// S-158
func TestFullDiskIsNoWriteError(t *testing.T) {
	full := &fs.PathError{Op: "truncate", Path: "desk.db", Err: syscall.ENOSPC}
	for err, want := range map[error]bool{
		full: true,
		fmt.Errorf("file resize error: %s", full):                        true,
		&fs.PathError{Op: "write", Path: "desk.db", Err: syscall.EDQUOT}: true,
		&fs.PathError{Op: "write", Path: "desk.db", Err: syscall.EIO}:    false,
		errors.New("no space left on device, says somebody"):             false,
	} {
		if isFull(err) != want {
			t.Errorf("isFull(%q) = %t", err, !want)
		}
	}
}
