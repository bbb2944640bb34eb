package tickets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Key signs tokens. A key that was taken out of the file revokes every token it signed.
type Key struct {
	ID      byte      `json:"id"` // 0 to 15, stands in the token
	Created time.Time `json:"created"`
	Secret  []byte    `json:"secret"`         // 32 random bytes
	Until   time.Time `json:"until,omitzero"` // what it signed is known until then; zero: for good
}

// Keyring holds the keys of a desk: the newest signs, all verify.
type Keyring struct {
	Keys []Key `json:"keys"` // oldest first

	mu sync.RWMutex // over Keys, once a desk goes by them
}

func (k *Keyring) newest() Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.Keys[len(k.Keys)-1]
}

// all is a copy of the keys.
func (k *Keyring) all() []Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return slices.Clone(k.Keys)
}

func (k *Keyring) set(keys []Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.Keys = keys
}

func (k *Keyring) byID(id byte) (Key, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, key := range k.Keys {
		if key.ID == id {
			return key, true
		}
	}
	return Key{}, false
}

// NewKeyring makes a keyring with one fresh key.
func NewKeyring(now time.Time, random io.Reader) (*Keyring, error) {
	secret := make([]byte, 32)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return &Keyring{Keys: []Key{{ID: 1, Created: now.UTC(), Secret: secret}}}, nil
}

const keyFile = "keys.json"

// readKeys reads the keyring of a state directory.
func readKeys(dir string) (*Keyring, error) {
	path := filepath.Join(dir, keyFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: without it no reply can be matched to its ticket; put it back from a backup", path)
	} else if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	var k Keyring
	if err := json.Unmarshal(b, &k); err != nil || len(k.Keys) == 0 {
		return nil, fmt.Errorf("%s is damaged: put it back from a backup", path)
	}
	for _, key := range k.Keys {
		if len(key.Secret) < 32 || key.ID > 15 {
			return nil, fmt.Errorf("%s is damaged (key %d): put it back from a backup", path, key.ID)
		}
	}
	return &k, nil
}

// write stores the keyring durably, readable by the owner only.
func (k *Keyring) write(dir string) error {
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return writeFileSync(filepath.Join(dir, keyFile), append(b, '\n'))
}

// writeFileSync replaces a file: temporary file, fsync, rename, fsync of the directory.
func writeFileSync(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
