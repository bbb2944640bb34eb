package tickets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// descriptor is the number of the open file with that path.
func descriptor(t *testing.T, path string) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == path {
			var n int
			if _, err := fmt.Sscan(e.Name(), &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s is not open", path)
	return 0
}

// S-156, S-160: a file that turns unwritable while it is open, of either kind, stops the store for good, although the
// next write would succeed.
func TestUnwritableFile_S156_S160(t *testing.T) {
	for _, name := range []string{deskFile, filepath.Join(mailDir, "2026-03.db")} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			k := newKit(t)
			k.opened(kunde, "vorher", "x")
			before := k.books()
			path := filepath.Join(k.dir, name)
			fd := descriptor(t, path)
			saved, err := syscall.Dup(fd)
			if err != nil {
				t.Fatal(err)
			}
			readOnly, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Dup3(int(readOnly.Fd()), fd, syscall.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			in := k.incoming(k.mail(kunde, "während", "y"))
			_, err = k.desk.Receive(context.Background(), batchOf(in))
			if !errors.Is(err, ErrStopped) {
				t.Errorf("err %v", err)
			}
			if err := errors.Join(syscall.Dup3(saved, fd, syscall.O_CLOEXEC), syscall.Close(saved), readOnly.Close()); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := k.desk.Receive(context.Background(), batchOf(in)); !errors.Is(err, ErrStopped) {
					t.Errorf("afterwards: %v", err)
				}
			}
			select {
			case <-k.store.Failed():
			default:
				t.Error("nobody is told")
			}
			if b := k.books(); b != before {
				t.Errorf("books %+v, before %+v", b, before)
			}
			if err := k.store.Err(); err == nil || strings.Contains(err.Error(), "%!") {
				t.Errorf("Err: %v", err)
			}
			k.reopen()
			k.receiveAll(in)
			k.healthy()
			if n := k.ticketCount(); n != 2 {
				t.Errorf("%d tickets", n)
			}
		})
	}
}
