package tickets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// S-163: a bit that flips inside a value is noticed, with the bucket and the key.
func TestRecordChecksums_S163(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "Drucker", "x")
	for _, bucket := range [][]byte{bucketTickets, bucketEntries, bucketMessages, bucketSources, bucketPlaces, bucketOutbox} {
		t.Run(string(bucket), func(t *testing.T) {
			seed := uint64(len(bucket))
			rnd := rand.New(rand.NewPCG(seed, 1))
			var key, whole []byte
			k.update(func(tx *Tx) error {
				kk, v := tx.btx.Bucket(bucket).Cursor().First()
				key, whole = bytes.Clone(kk), bytes.Clone(v)
				return nil
			})
			for range 20 {
				bad := bytes.Clone(whole)
				i := rnd.IntN(len(bad) * 8)
				bad[i/8] ^= 1 << (i % 8)
				var v any
				if err := decodeRecord(bad, &v); !errors.Is(err, errDamaged) {
					t.Errorf("seed %d: bit %d: %v", seed, i, err)
				}
			}
			for n := range 6 {
				var v any
				if err := decodeRecord(whole[:n], &v); !errors.Is(err, errDamaged) {
					t.Errorf("%d bytes: %v", n, err)
				}
			}
			bad := bytes.Clone(whole)
			bad[len(bad)/2] ^= 1
			k.update(func(tx *Tx) error { return tx.btx.Bucket(bucket).Put(key, bad) })
			d, err := k.store.Doctor(context.Background())
			if bucket := string(bucket); bucket != "places" && (err != nil || d.OK) {
				t.Errorf("doctor: %+v, %v", d, err)
			}
			k.update(func(tx *Tx) error { return tx.btx.Bucket(bucket).Put(key, whole) })
			k.healthy()
		})
	}
}

// An archive that is damaged or gone is noticed by doctor, and reading from it is an error, never a panic.
func TestDamagedArchive_S162(t *testing.T) {
	k := newKit(t)
	k.receive(k.mail(kunde, "Drucker", strings.Repeat("MARKER ", 2000)))
	k.store.Close()
	path := filepath.Join(k.dir, mailDir, "2026-03.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func() error{
		"one letter": func() error {
			return os.WriteFile(path, bytes.Replace(whole, []byte("MARKER"), []byte("MARKEN"), 1), 0o600)
		},
		"truncated": func() error { return os.WriteFile(path, whole[:16384], 0o600) },
		"empty":     func() error { return os.WriteFile(path, nil, 0o600) },
		"gone":      func() error { return os.Remove(path) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		k.open()
		d, err := k.store.Doctor(context.Background())
		if err != nil || d.OK {
			t.Errorf("%s: doctor %+v, %v", name, d, err)
		}
		var m *Stored
		if err := k.store.View(func(tx *Tx) (err error) { m, err = tx.Stored(1); return err }); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if _, err := k.desk.Raw(m); err == nil {
			t.Errorf("%s: the raw message was read", name)
		}
		k.store.Close()
	}
}

// S-162: whatever bytes change in desk.db, it is refused, or doctor finds it, or nothing that counts is different.
func TestRandomDamage_S162(t *testing.T) {
	k := newKit(t)
	for i := range 6 {
		_, sent := k.opened(kunde, "Drucker "+itoa(i), "x")
		k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#solve\nfertig"))
	}
	for range 3 { // so that the transaction before the last holds the same
		k.update(func(tx *Tx) error { return tx.log(k.clock.Now(), "test", "x") })
	}
	want := dump(t, k.store)
	k.store.Close()
	path := filepath.Join(k.dir, deskFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	used := int(usedSize(t, path))
	whole = whole[:max(used, 1<<16)]
	const seed, rounds = 162, 1000
	rnd := rand.New(rand.NewPCG(seed, 0))
	var refused, found, harmless int
	for round := range rounds {
		bad := bytes.Clone(whole)
		switch rnd.IntN(5) {
		case 0:
			bad = bad[:rnd.IntN(len(bad))]
		case 1: // a page of zeros
			at := rnd.IntN(used/4096) * 4096
			clear(bad[at : at+4096])
		case 2: // a page that stands where another belongs
			from, to := rnd.IntN(used/4096)*4096, rnd.IntN(used/4096)*4096
			copy(bad[to:to+4096], bad[from:from+4096])
		default:
			for range 1 + rnd.IntN(8) {
				i := rnd.IntN(used * 8)
				bad[i/8] ^= 1 << (i % 8)
			}
		}
		// A file of its own each time: what bbolt had open when it panicked stays locked until the process ends.
		if err := errors.Join(os.Remove(path), os.WriteFile(path, bad, 0o600)); err != nil {
			t.Fatal(err)
		}
		s, err := OpenStore(k.dir, k.options())
		if err != nil {
			if refused++; !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore") {
				t.Errorf("seed %d round %d: %v does not say what to do", seed, round, err)
			}
			continue
		}
		d, err := s.Doctor(context.Background())
		switch {
		case err != nil || !d.OK:
			found++
		default:
			if got := dump(t, s); got != want {
				t.Errorf("seed %d round %d: doctor finds nothing, and the store holds something else", seed, round)
			}
			harmless++
		}
		s.Close()
	}
	t.Logf("seed %d: of %d damaged files %d were refused, %d found by doctor, %d hold what they held", seed, rounds, refused, found, harmless)
	if refused == 0 || found == 0 {
		t.Errorf("refused %d, found %d: the test damages nothing", refused, found)
	}
}

// usedSize is how far a bbolt file is in use.
func usedSize(t *testing.T, path string) (n int64) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(btx *bolt.Tx) error { n = btx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// dump is everything that counts, as text.
func dump(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	err := s.View(func(tx *Tx) error {
		for _, bucket := range [][]byte{bucketTickets, bucketEntries, bucketMessages, bucketSources, bucketOutbox, bucketHeld, bucketBytes} {
			if err := tx.each(bucket, nil, func(k, v []byte) (bool, error) {
				fmt.Fprintf(&b, "%s %x %s\n", bucket, k, v)
				return true, nil
			}); err != nil {
				return err
			}
		}
		fmt.Fprintf(&b, "%+v", tx.Books())
		return nil
	})
	if err != nil {
		t.Errorf("dump: %v", err)
	}
	return b.String()
}
