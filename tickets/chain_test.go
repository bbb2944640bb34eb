package tickets

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// The audit trail of a desk that works holds, and every kind of tampering with it is found, also with a right checksum.
func TestAuditTrail_S180(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "eins", "x")
	other, _ := k.opened(stranger, "zwei", "y")
	k.healthy()
	entries := func(tx *Tx) *bolt.Bucket { return tx.btx.Bucket(bucketEntries) }
	for _, c := range []struct {
		name   string
		want   string
		tamper func(tx *Tx) error
	}{
		{"another text", "its content is not what was written", func(tx *Tx) error {
			v := entries(tx).Get(entryKey(id, 2))
			payload, l, err := payloadOf(v)
			if err != nil {
				return err
			}
			var e Entry
			if err := json.Unmarshal(payload, &e); err != nil {
				return err
			}
			e.Actor.Name = "someone.else@example.org"
			b, err := json.Marshal(e)
			if err != nil {
				return err
			}
			return entries(tx).Put(entryKey(id, 2), encodeLinked(b, l))
		}},
		{"another digest", "does not follow", func(tx *Tx) error {
			payload, l, err := payloadOf(entries(tx).Get(entryKey(id, 1)))
			if err != nil {
				return err
			}
			l.content[0]++
			l.redacted = true
			return entries(tx).Put(entryKey(id, 1), encodeLinked(payload, l))
		}},
		{"taken out of the chain", "no part of the chain", func(tx *Tx) error {
			var e Entry
			if _, err := tx.get(bucketEntries, entryKey(id, 2), &e); err != nil {
				return err
			}
			return tx.put(bucketEntries, entryKey(id, 2), e)
		}},
		{"from another ticket", "does not follow", func(tx *Tx) error {
			return entries(tx).Put(entryKey(id, 2), entries(tx).Get(entryKey(other, 2)))
		}},
		{"redacted without a word", "the books say 0", func(tx *Tx) error {
			payload, l, err := payloadOf(entries(tx).Get(entryKey(id, 2)))
			if err != nil {
				return err
			}
			l.redacted = true
			return entries(tx).Put(entryKey(id, 2), encodeLinked(payload, l))
		}},
		{"a log entry is gone", "breaks at number 2", func(tx *Tx) error {
			if err := tx.log(k.clock.Now(), "a", "b"); err != nil {
				return err
			}
			if err := tx.log(k.clock.Now(), "c", "d"); err != nil {
				return err
			}
			return tx.btx.Bucket(bucketLog).Delete(key64(1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Everything happens in a transaction that is never committed.
			btx, err := k.store.db.Begin(true)
			if err != nil {
				t.Fatal(err)
			}
			defer btx.Rollback()
			check := &checkup{tx: &Tx{btx: btx, store: k.store, writable: true}}
			if err := c.tamper(check.tx); err != nil {
				t.Fatal(err)
			}
			if err := check.chains(); err != nil {
				t.Fatal(err)
			}
			if found := strings.Join(check.problems, "\n"); !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
	k.healthy()
}

// What is redacted goes, and the chain still holds (S-180).
func TestRedactedEntriesKeepTheChain_S180(t *testing.T) {
	k := newKit(t)
	id, _ := k.opened(kunde, "eins", "ein Geheimnis")
	err := k.store.Update(context.Background(), func(tx *Tx) error {
		for seq := uint64(1); seq <= 2; seq++ {
			var e Entry
			if _, err := tx.get(bucketEntries, entryKey(id, seq), &e); err != nil {
				return err
			}
			e.Text = ""
			if err := tx.redact(bucketEntries, entryKey(id, seq), e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	k.healthy()
	viewed(t, k.store, func(tx *Tx) error {
		if got := tx.counter(countRedacted); got != 2 {
			t.Errorf("%d are redacted, want 2", got)
		}
		return nil
	})
}

// A store that a program of the second schema made is opened, gets its chains, and goes on.
func TestMigrationToChains(t *testing.T) {
	k := newKit(t)
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	k.dir = t.TempDir()
	if err := os.Chmod(k.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unpack(unzipped(t, "testdata/schema-2.tar.gz"), k.dir); err != nil {
		t.Fatal(err)
	}
	k.open()
	k.healthy()
	viewed(t, k.store, func(tx *Tx) error {
		if b := tx.btx.Bucket(bucketMeta).Get(keySchema); string(b) != string(key64(schemaVersion())) {
			t.Errorf("schema %x", b)
		}
		first, err := tx.Ticket(1)
		if err != nil || first.Subject != "Drucker brennt" {
			t.Errorf("ticket 1: %+v, %v", first, err)
		}
		_, l, err := payloadOf(tx.btx.Bucket(bucketLog).Get(key64(2)))
		if err != nil || l.link.IsZero() {
			t.Errorf("the log has no links: %v", err)
		}
		return nil
	})
	k.reopen()
	k.uid = 100
	k.opened(kunde, "danach", "geht weiter")
	k.healthy()
}

// unzipped unpacks a file of testdata into a temporary one and returns its path.
func unzipped(t *testing.T, name string) string {
	t.Helper()
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "unzipped")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, z); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func viewed(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.View(fn); err != nil {
		t.Fatal(err)
	}
}
