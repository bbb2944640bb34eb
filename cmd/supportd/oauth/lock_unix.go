//go:build unix

package oauth

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps other processes from using the refresh tokens of a folder until unlock is called: a check beside the running
// desk must not use up the token that the desk is about to use.
func (f folder) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, fmt.Errorf("lock the refresh tokens: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(string(f), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the refresh tokens: %w", err)
	}
	locked := make(chan error, 1)
	go func() { locked <- syscall.Flock(int(file.Fd()), syscall.LOCK_EX) }()
	select {
	case err = <-locked:
	case <-ctx.Done():
		// The other process ends its request within its own limit; what waits for it goes then.
		go func() { <-locked; file.Close() }()
		return nil, ctx.Err()
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock the refresh tokens: %w", err)
	}
	return func() { file.Close() }, nil
}
