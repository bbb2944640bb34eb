package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// kept is what a file holds for an account: what a person agreed to, and nothing that could be had without them.
type kept struct {
	Version int       `json:"version"`
	User    string    `json:"user"`
	Refresh string    `json:"refresh_token"`
	Got     time.Time `json:"got"`             // when the server gave it out
	Ends    time.Time `json:"ends,omitzero"`   // when it ends, if the server said so
	Agreed  time.Time `json:"agreed,omitzero"` // when the person agreed
}

const keptVersion = 1

// folder is where refresh tokens stand, one file an account, for the owner only.
type folder string

func (f folder) path(a Account) string { return filepath.Join(string(f), a.ID()+".json") }

// read returns what is kept of the account; ok is false when nothing is.
func (f folder) read(a Account) (k kept, ok bool, err error) {
	path := f.path(a)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, false, nil
	} else if err != nil {
		return k, false, fmt.Errorf("read the refresh token: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return k, false, fmt.Errorf("%s can be read or changed by other users (mode %04o): run chmod 600 on it", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return k, false, fmt.Errorf("read the refresh token: %w", err)
	}
	if json.Unmarshal(b, &k) != nil || k.Refresh == "" {
		return k, false, fmt.Errorf("%s is damaged: run supportd login %s", path, a.Login)
	}
	if k.Version != keptVersion {
		return k, false, fmt.Errorf("%s is of version %d, and this supportd reads version %d", path, k.Version, keptVersion)
	}
	return k, true, nil
}

// write replaces what is kept: temporary file, fsync, rename, fsync of the folder. After it returns nil, no loss of power
// brings the token before back.
func (f folder) write(a Account, k kept) (err error) {
	k.Version, k.User = keptVersion, a.User
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the refresh token: %w", err)
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return fmt.Errorf("keep the refresh token: %w", err)
	}
	tmp, err := os.CreateTemp(string(f), ".tmp-*") // mode 0600
	if err != nil {
		return fmt.Errorf("keep the refresh token: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(b, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), f.path(a))
	}
	if err == nil {
		err = syncFolder(string(f))
	}
	if err != nil {
		return fmt.Errorf("keep the refresh token: %w", err)
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
