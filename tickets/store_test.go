package tickets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// S-165, S-178: a new store is private and whole, and opens again.
func TestCreateAndOpen_S165_S178(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "Drucker", "x")
	err := filepath.WalkDir(k.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	k.reopen()
	if k.ticketCount() != 1 {
		t.Error("the ticket is gone")
	}
	k.healthy()
	if err := os.Chmod(k.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	k.reopen()
	if info, err := os.Stat(k.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// S-167: a second instance fails in less than a second, and says why; the first goes on.
func TestSecondInstance_S167(t *testing.T) {
	k := newKit(t)
	start := time.Now()
	s, err := OpenStore(k.dir, k.options())
	if err == nil {
		s.Close()
		t.Fatal("two have it open")
	}
	if d := time.Since(start); d > time.Second || !strings.Contains(err.Error(), "in use by another supportd") {
		t.Errorf("after %v: %v", d, err)
	}
	if _, err := Restore(k.dir, filepath.Join(k.dir, "none"), k.clock.Now()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("restore into a store that is open: %v", err)
	}
	k.opened(kunde, "Drucker", "x")
}

func TestRefusedDirectories_S160_S164(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(k *kit, dir string) error
		want  string
	}{
		{"S-164 no desk.db beside archives", func(_ *kit, dir string) error { return os.Remove(filepath.Join(dir, deskFile)) }, "run --init"},
		{"S-164 no desk.db after a restore that was cut short", func(_ *kit, dir string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, "replaced-20260302-090000"), 0o700), os.RemoveAll(filepath.Join(dir, mailDir)), os.Remove(filepath.Join(dir, deskFile)))
		}, "run --init"},
		{"no keys", func(_ *kit, dir string) error { return os.Remove(filepath.Join(dir, keyFile)) }, "keys.json is missing"},
		{"damaged keys", func(_ *kit, dir string) error { return os.WriteFile(filepath.Join(dir, keyFile), []byte("{}"), 0o600) }, "damaged"},
		{"short key", func(_ *kit, dir string) error {
			return os.WriteFile(filepath.Join(dir, keyFile), []byte(`{"keys":[{"id":1,"secret":"YWJj"}]}`), 0o600)
		}, "damaged"},
		{"empty desk.db", func(_ *kit, dir string) error { return os.Truncate(filepath.Join(dir, deskFile), 0) }, "restore"},
		{"half a desk.db", func(_ *kit, dir string) error { return os.Truncate(filepath.Join(dir, deskFile), 10000) }, "damaged"},
		{"something else", func(_ *kit, dir string) error {
			return os.WriteFile(filepath.Join(dir, deskFile), bytes.Repeat([]byte("nonsense"), 10000), 0o600)
		}, "damaged"},
		{"another bbolt file", func(_ *kit, dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, deskFile)), createArchive(filepath.Join(dir, deskFile)))
		}, "not a desk"},
		{"newer schema", func(_ *kit, dir string) error { return setSchema(dir, key64(schemaVersion()+1)) }, "newer supportd"},
		{"schema 0", func(_ *kit, dir string) error { return setSchema(dir, key64(0)) }, "damaged"},
		{"no schema", func(_ *kit, dir string) error { return setSchema(dir, []byte("x")) }, "damaged"},
		{"desk.db is a directory", func(_ *kit, dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, deskFile)), os.Mkdir(filepath.Join(dir, deskFile), 0o700))
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			k.opened(kunde, "Drucker", "x")
			k.store.Close()
			if err := c.spoil(k, k.dir); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(filepath.Join(k.dir, deskFile))
			s, err := OpenStore(k.dir, k.options())
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nlacks %q", err, c.want)
			}
			if after, _ := os.ReadFile(filepath.Join(k.dir, deskFile)); !bytes.Equal(before, after) {
				t.Error("desk.db was changed")
			}
		})
	}
	t.Run("a file", func(t *testing.T) {
		p := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenStore(p, Options{Now: time.Now, Random: testRandom(1)}); err == nil {
			t.Error("a file was taken for a directory")
		}
	})
}

func setSchema(dir string, v []byte) error {
	db, err := bolt.Open(filepath.Join(dir, deskFile), 0o600, nil)
	if err != nil {
		return err
	}
	return errors.Join(db.Update(func(btx *bolt.Tx) error { return btx.Bucket(bucketMeta).Put(keySchema, v) }), db.Close())
}

// On purpose an empty desk is started beside old archives.
func TestInitOnPurpose_S164(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "Drucker", "x")
	k.store.Close()
	if err := os.Remove(filepath.Join(k.dir, deskFile)); err != nil {
		t.Fatal(err)
	}
	o := k.options()
	o.Init = true
	s, err := OpenStore(k.dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	healthy(t, s)
}

// A first start that was cut short is taken up again.
func TestFirstStartCutShort_S165(t *testing.T) {
	for _, left := range []string{deskFile + ".new", "mail/2026-03.db.new", keyFile, ".tmp-123"} {
		dir := t.TempDir()
		clock := &fakeClock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
		if left == keyFile {
			ring, err := NewKeyring(clock.now, testRandom(3))
			if err != nil {
				t.Fatal(err)
			}
			if err := ring.write(dir); err != nil {
				t.Fatal(err)
			}
		} else {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, left)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, left), []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		k := &kit{TB: t, dir: dir, clock: clock, rules: testRules(), files: map[string][]File{}}
		k.open()
		k.place(testValidity)
		k.opened(kunde, "Drucker", "x")
		k.healthy()
		k.store.Close()
	}
}

// Jobs that fail or panic take nobody with them.
func TestGroupCommit(t *testing.T) {
	k := newKit(t)
	var wg sync.WaitGroup
	var runs atomic.Int64
	boom := errors.New("boom")
	for g := range 40 {
		wg.Go(func() {
			for i := range 10 {
				key := fmt.Appendf(nil, "%d/%d", g, i)
				err := k.store.Update(context.Background(), func(tx *Tx) error {
					runs.Add(1)
					if err := tx.btx.Bucket(bucketAnswers).Put(key, nil); err != nil {
						return err
					}
					switch {
					case g == 3 && i%2 == 0:
						return boom
					case g == 5 && i%3 == 0:
						panic("the job was asked to panic")
					}
					return nil
				})
				switch {
				case g == 3 && i%2 == 0:
					if !errors.Is(err, boom) {
						t.Errorf("%s: %v", key, err)
					}
				case g == 5 && i%3 == 0:
					if err == nil || !strings.Contains(err.Error(), "internal error") {
						t.Errorf("%s: %v", key, err)
					}
				case err != nil:
					t.Errorf("%s: %v", key, err)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	err := k.store.View(func(tx *Tx) error {
		return tx.each(bucketAnswers, nil, func(key, _ []byte) (bool, error) {
			if strings.HasPrefix(string(key), "3/") && (key[2]-'0')%2 == 0 {
				t.Errorf("%s was kept", key)
			}
			n++
			return true, nil
		})
	})
	if err != nil || n != 400-5-4 {
		t.Errorf("%d keys, %v", n, err)
	}
	t.Logf("400 jobs ran %d times", runs.Load())
	if err := k.store.Err(); err != nil {
		t.Errorf("the store stopped: %v", err)
	}
	k.healthy()
}

func TestUpdateAfterClose(t *testing.T) {
	k := newKit(t)
	k.store.Close()
	for range 50 {
		if err := k.store.Update(context.Background(), func(*Tx) error { return nil }); err == nil {
			t.Fatal("an update after Close succeeded")
		}
	}
	if _, err := k.desk.Receive(context.Background(), batchOf(k.incoming(k.mail(kunde, "x", "y")))); err == nil {
		t.Error("a message was taken after Close")
	}
	if err := k.store.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestCancelledUpdate(t *testing.T) {
	k := newKit(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in := k.incoming(k.mail(kunde, "x", "y"))
	for range 20 {
		out, err := k.desk.Receive(ctx, batchOf(in))
		if err == nil && out[0].Result != Created {
			t.Errorf("%+v", out)
		}
	}
	k.receiveAll(in)
	k.healthy()
}

// Many mailboxes, senders and timers at once, with -race.
func TestConcurrentUse(t *testing.T) {
	k := newKit(t)
	ctx := context.Background()
	var wg sync.WaitGroup
	k.rules.Mailboxes["other"] = k.rules.Mailboxes["support"]
	for g, box := range []string{"support", "other"} {
		if _, err := k.desk.Place(ctx, box, testValidity); err != nil {
			t.Fatal(err)
		}
		var batches []Batch
		for i := range 20 {
			m := k.mail(kunde, fmt.Sprintf("%s %d", box, i), "x")
			batches = append(batches, batchOf(Incoming{Source: Source{box, testValidity, uint32(i + 1)}, Arrived: k.clock.Now(), Raw: rawOf(m), Message: m}))
		}
		wg.Go(func() {
			for _, b := range batches {
				if _, err := k.desk.Receive(ctx, b); err != nil {
					t.Errorf("%d: %v", g, err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			k.clock.move(time.Hour)
			if _, err := k.desk.Tick(ctx); err != nil {
				t.Error(err)
			}
			if d, err := k.store.Doctor(ctx); err != nil || !d.OK {
				t.Errorf("doctor: %+v, %v", d, err)
			}
		}
	})
	wg.Go(func() {
		for range 20 {
			r := *k.rules
			k.desk.SetRules(&r)
			k.deliver()
		}
	})
	wg.Wait()
	k.healthy()
	if k.ticketCount() != 40 {
		t.Errorf("%d tickets", k.ticketCount())
	}
}

// S-158, S-159: a full disk changes nothing, leaves reading alive, and work goes on once there is room.
func TestFullDisk_S158(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "vorher", "x")
	k.store.db.MaxSize = 1 // what is there already is larger: bbolt refuses to grow
	big := k.mail(kunde, "groß", strings.Repeat("voll ", 1<<20))
	in := k.incoming(big)
	before := k.books()
	for range 3 {
		if _, err := k.desk.Receive(context.Background(), batchOf(in)); !errors.Is(err, ErrFull) || errors.Is(err, ErrStopped) {
			t.Fatalf("err %v", err)
		}
	}
	if k.books() != before || k.store.Err() != nil {
		t.Errorf("books %+v before %+v, err %v", k.books(), before, k.store.Err())
	}
	k.healthy()
	k.store.db.MaxSize = 0
	k.receiveAll(in)
	k.healthy()
	k.reopen()
	k.healthy()
}

func TestDiskFloor_S159(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "x")
	k.store.SetDiskFloor(1 << 62)
	_, err := k.desk.Receive(context.Background(), batchOf(k.incoming(k.mail(kunde, "voll", "y"))))
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "disk_floor") {
		t.Fatalf("err %v", err)
	}
	// What is owed still leaves, and timers still work.
	k.clock.move(5 * time.Hour)
	k.tick()
	if len(k.deliver()) == 0 || len(sent) == 0 || len(k.fired(id)) == 0 {
		t.Error("the desk stands still")
	}
	k.store.SetDiskFloor(0)
	k.opened(kunde, "wieder Platz", "y")
	k.healthy()
}
