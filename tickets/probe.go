package tickets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Test mails that the desk's owner sends through the desk's own servers to its own mailbox. Their Message-IDs are signed
// like all of the desk's: a desk that meets one files it as its own, and makes no ticket of it.

const (
	PurposeProbe   Purpose = 6 // a test mail's recipient: the server delivers to name+anything
	PurposeIDProbe         = purposeID | PurposeProbe
)

// Probe is what a test mail is recognised by.
type Probe struct {
	Token     string // for an address name+token@domain
	MessageID string // without angle brackets
}

// NewProbe signs a test mail of a domain. random makes its Message-ID one of its own.
func (k *Keyring) NewProbe(domain string, random io.Reader) (Probe, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Probe{}, fmt.Errorf("make a test mail: %w", err)
	}
	n := binary.BigEndian.Uint64(b[:])
	t := Token{Purpose: PurposeIDProbe, Principal: uint32(n >> 40), Outgoing: OutgoingID(n & (1<<40 - 1))}
	return Probe{
		Token:     k.Sign(Token{Purpose: PurposeProbe, Principal: t.Principal}),
		MessageID: k.Sign(t) + "@" + domain,
	}, nil
}

// ReadKeys reads the keyring of a state directory without opening the store; nil when there is no desk in dir yet.
func ReadKeys(dir string) (*Keyring, error) {
	if _, err := os.Stat(filepath.Join(dir, keyFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return readKeys(dir)
}

// FreeBytes is what an unprivileged process may still write where dir is, or is going to be.
func FreeBytes(dir string) (uint64, error) {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			return freeBytes(dir)
		}
		dir = filepath.Dir(dir)
	}
}
