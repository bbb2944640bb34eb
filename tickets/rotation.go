package tickets

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Changing the keys that sign reply addresses and Message-IDs. A new key signs from now on; the old ones verify what they
// signed for as long as somebody says, so that answers to mails of before still find their tickets.

const maxKeys = 16 // a token has four bits for the number of its key

// KeyView is what may be shown of a key.
type KeyView struct {
	ID      byte      `json:"id"`
	Created time.Time `json:"created"`
	Signs   bool      `json:"signs"`          // the newest: it signs what leaves
	Until   time.Time `json:"until,omitzero"` // what it signed is known until then; zero: for good
}

// KeyViews lists the keys, oldest first.
func (s *Store) KeyViews() []KeyView {
	list := []KeyView{}
	keys := s.keys.all()
	for i, k := range keys {
		list = append(list, KeyView{ID: k.ID, Created: k.Created, Signs: i == len(keys)-1, Until: k.Until})
	}
	return list
}

// AddKey makes a key that signs from now on. What the other keys signed is known for keep longer, or for as long as was
// said before.
func (s *Store) AddKey(now time.Time, keep time.Duration, random io.Reader) (KeyView, error) {
	fresh, err := NewKeyring(now, random)
	if err != nil {
		return KeyView{}, err
	}
	key := fresh.Keys[0]
	err = s.changeKeys(func(keys []Key) ([]Key, error) {
		id, ok := freeKeyID(keys)
		if !ok {
			return nil, fmt.Errorf("there are %d keys, and no room for another: revoke one first", maxKeys)
		}
		key.ID = id
		until := now.Add(keep).UTC()
		for i := range keys {
			if keys[i].Until.IsZero() || keys[i].Until.After(until) {
				keys[i].Until = until
			}
		}
		return append(keys, key), nil
	})
	return KeyView{ID: key.ID, Created: key.Created, Signs: true}, err
}

// RevokeKey takes a key away at once: what it signed is not known any more.
func (s *Store) RevokeKey(id byte) error {
	return s.changeKeys(func(keys []Key) ([]Key, error) {
		i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
		switch {
		case i < 0:
			return nil, fmt.Errorf("there is no key %d", id)
		case i == len(keys)-1:
			return nil, fmt.Errorf("key %d signs what leaves: make another one first, with supportd key add", id)
		}
		return slices.Delete(keys, i, i+1), nil
	})
}

// RetireKeys takes away the keys whose time is over, and returns how many.
func (s *Store) RetireKeys(now time.Time) (int, error) {
	before := s.keys.all()
	left := livingKeys(before, now)
	if len(left) == len(before) {
		return 0, nil
	}
	return len(before) - len(left), s.changeKeys(func(keys []Key) ([]Key, error) { return livingKeys(keys, now), nil })
}

// livingKeys are those whose time is not over. The newest always is one.
func livingKeys(keys []Key, now time.Time) []Key {
	var left []Key
	for i, k := range keys {
		if i == len(keys)-1 || k.Until.IsZero() || now.Before(k.Until) {
			left = append(left, k)
		}
	}
	return left
}

// freeKeyID is the next number that no key has.
func freeKeyID(keys []Key) (byte, bool) {
	last := keys[len(keys)-1].ID
	for n := range byte(maxKeys) {
		id := (last + 1 + n) % maxKeys
		if !slices.ContainsFunc(keys, func(k Key) bool { return k.ID == id }) {
			return id, true
		}
	}
	return 0, false
}

// changeKeys writes the keys as change makes them, and then goes by them.
func (s *Store) changeKeys(change func([]Key) ([]Key, error)) error {
	s.rotating.Lock()
	defer s.rotating.Unlock()
	keys, err := change(s.keys.all())
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return errors.New("a desk needs a key")
	}
	if err := (&Keyring{Keys: keys}).write(s.dir); err != nil {
		return err
	}
	s.keys.set(keys)
	return nil
}
