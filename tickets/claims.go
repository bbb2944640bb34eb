package tickets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Who reads a mailbox. A desk says in the mailbox itself that it reads it, with a token that nobody else knows
// beforehand; what it said is kept here. A desk that finds a token there that it does not know is not the one that reads
// the mailbox: another has a store of its own, or goes on from a copy of this one.

// claimsKept is how many tokens are kept: the last may not have got into the mailbox when the process ended.
const claimsKept = 4

// Claim is what the desk knows of its own claims to one mailbox.
type Claim struct {
	Tokens []string `json:"tokens,omitempty"` // those it gave itself, newest last
	// Take says that somebody ordered the desk to take the mailbox, whoever reads it.
	Take bool `json:"take,omitempty"`
}

// Knows reports whether the desk gave itself that token.
func (c Claim) Knows(token string) bool { return slices.Contains(c.Tokens, token) }

func claimKey(mailbox string) []byte { return []byte("claim:" + mailbox) }

// Claim returns what the desk knows of its claims to a mailbox.
func (d *Desk) Claim(_ context.Context, mailbox string) (c Claim, err error) {
	err = d.Store.View(func(tx *Tx) error {
		_, err := tx.get(bucketMeta, claimKey(mailbox), &c)
		return err
	})
	return c, err
}

// Claiming keeps a token before it is put into the mailbox: a process that ends in between finds its own there.
func (d *Desk) Claiming(ctx context.Context, mailbox, token string) error {
	return d.changeClaim(ctx, mailbox, func(c *Claim) {
		c.Tokens = append(c.Tokens, token)
		c.Tokens = c.Tokens[max(0, len(c.Tokens)-claimsKept):]
	})
}

// Claimed says that the mailbox is the desk's own: the order to take it is carried out.
func (d *Desk) Claimed(ctx context.Context, mailbox string) error {
	return d.changeClaim(ctx, mailbox, func(c *Claim) { c.Take = false })
}

// TakeMailboxes orders the desk to take the mailboxes, whoever reads them now. It is carried out as soon as each is
// reached.
func (d *Desk) TakeMailboxes(ctx context.Context, mailboxes []string) error {
	for _, m := range mailboxes {
		if err := d.changeClaim(ctx, m, func(c *Claim) { c.Take = true }); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) changeClaim(ctx context.Context, mailbox string, change func(*Claim)) error {
	err := d.Store.Update(ctx, func(tx *Tx) error {
		var c Claim
		if _, err := tx.get(bucketMeta, claimKey(mailbox), &c); err != nil {
			return err
		}
		change(&c)
		return tx.put(bucketMeta, claimKey(mailbox), c)
	})
	if err != nil {
		return fmt.Errorf("note who reads mailbox %q: %w", mailbox, err)
	}
	return nil
}

// claims are those of all mailboxes, by key.
func (tx *Tx) claims() (map[string]Claim, error) {
	m := map[string]Claim{}
	prefix := claimKey("")
	c := tx.btx.Bucket(bucketMeta).Cursor()
	for k, _ := c.Seek(prefix); len(k) >= len(prefix) && string(k[:len(prefix)]) == string(prefix); k, _ = c.Next() {
		var claim Claim
		if _, err := tx.get(bucketMeta, k, &claim); err != nil {
			return nil, err
		}
		m[string(k)] = claim
	}
	return m, nil
}

// keepClaims adds what the replaced desk knew of its claims to what the restored one knows: both are the same desk.
func (tx *Tx) keepClaims(replaced map[string]Claim) error {
	for key, last := range replaced {
		var c Claim
		if _, err := tx.get(bucketMeta, []byte(key), &c); err != nil {
			return err
		}
		for _, token := range last.Tokens {
			if !c.Knows(token) {
				c.Tokens = append(c.Tokens, token)
			}
		}
		c.Tokens = c.Tokens[max(0, len(c.Tokens)-2*claimsKept):]
		if err := tx.put(bucketMeta, []byte(key), c); err != nil {
			return err
		}
	}
	return nil
}

// ── the state directory ──

// HasStore reports whether there is a desk.db in dir.
func HasStore(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, deskFile))
	return err == nil
}

var keyHome = []byte("home")

// home is where a state directory was when the desk last ran from it.
type home struct {
	Host string `json:"host"`
	Path string `json:"path"`
	File uint64 `json:"file,omitempty"` // number of its lock file; 0: the system does not tell
}

// copiedTo reports whether a state directory is a copy of this one: its files are others, and so is its machine or its
// path. A volume that is mounted elsewhere keeps its files, and files that were put back from a copy keep their place.
func (h home) copiedTo(here home) bool {
	return h.File != 0 && here.File != 0 && h.File != here.File && (h.Host != here.Host || h.Path != here.Path)
}

// AtHome fails when the state directory is a copy of one that a desk ran from elsewhere: that desk may still run, and two
// of them would answer the same mail. host is this machine's name. The first start, the one after a restore and the one
// after Move make the directory the desk's home.
func (s *Store) AtHome(ctx context.Context, host string) error {
	return s.settleAt(ctx, host, false)
}

// Move makes the directory the desk's home, wherever it ran before.
func (s *Store) Move(ctx context.Context, host string) error { return s.settleAt(ctx, host, true) }

func (s *Store) settleAt(ctx context.Context, host string, moved bool) error {
	path, err := filepath.Abs(s.dir)
	if err != nil {
		return fmt.Errorf("state directory %s: %w", s.dir, err)
	}
	here := home{Host: host, Path: path}
	if info, err := os.Stat(filepath.Join(s.dir, lockFile)); err == nil {
		here.File = fileNumber(info)
	}
	var was home
	known := false
	err = s.View(func(tx *Tx) (err error) { known, err = tx.get(bucketMeta, keyHome, &was); return err })
	switch {
	case err != nil:
		return err
	case known && was == here:
		return nil
	case known && !moved && was.copiedTo(here):
		return fmt.Errorf("state directory %s is a copy of %s on the machine %q: a desk that runs there would answer the same mail; stop it for good, then say with supportd claim that this one goes on",
			s.dir, was.Path, was.Host)
	}
	return s.Update(ctx, func(tx *Tx) error { return tx.put(bucketMeta, keyHome, here) })
}
