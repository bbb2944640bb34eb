package tickets

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// S-162: whatever octet of desk.db is another one, and wherever it is cut, the check before a start ends, and says either
// that all is well or what to do. It changes nothing.
func TestCheckBeforeStart_S162(t *testing.T) {
	const seed, rounds = 162, 300
	rnd := rand.New(rand.NewPCG(seed, 0))
	k := newKit(t)
	for i := range 30 {
		k.opened(kunde, "Nummer "+itoa(i), strings.Repeat("Text der Nummer "+itoa(i), 20))
	}
	if err := compactStore(k); err != nil { // small, and without free pages
		t.Fatal(err)
	}
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := CheckStore(k.dir, nil); err != nil {
		t.Fatalf("a sound store that was closed in order: %v", err)
	}
	whole, err := os.ReadFile(filepath.Join(k.dir, deskFile))
	if err != nil {
		t.Fatal(err)
	}
	used := len(whole)
	for used > 4096 && whole[used-1] == 0 {
		used--
	}
	dir, found, ticks := t.TempDir(), 0, 0
	path := filepath.Join(dir, deskFile)
	check := func(b []byte) error {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		err := CheckStore(dir, func() { ticks++ })
		after, readErr := os.ReadFile(path)
		if readErr != nil || string(after) != string(b) {
			t.Fatalf("seed %d: the check changed the store (%v)", seed, readErr)
		}
		if err != nil && (!strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "supportd restore FILE --yes") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("seed %d: it says %v", seed, err)
		}
		return err
	}
	if err := check(whole); err != nil {
		t.Errorf("a sound store after a crash: %v", err)
	}
	for range rounds {
		b := append([]byte{}, whole...)
		b[rnd.IntN(used)] ^= 1 << rnd.IntN(8)
		if check(b) != nil {
			found++
		}
	}
	for range 20 {
		if check(whole[:rnd.IntN(used)]) == nil {
			t.Errorf("seed %d: a store that is cut passes", seed)
		}
	}
	if found == 0 {
		t.Errorf("seed %d: none of %d damages was found", seed, rounds)
	}
	t.Logf("seed %d: %d of %d flipped bits were found before the start; checksums find the others when they are read", seed, found, rounds)
}

// Without a store there is nothing to check, and while one is in use its owner has it.
func TestCheckBeforeStartWithoutAStore(t *testing.T) {
	if err := CheckStore(t.TempDir(), nil); err != nil {
		t.Error(err)
	}
	k := newKit(t)
	if err := CheckStore(k.dir, nil); err != nil {
		t.Error(err)
	}
}

func compactStore(k *kit) error {
	ctx := context.Background()
	err := k.store.Update(ctx, func(tx *Tx) error { return tx.rewriteLater(nil) })
	if err == nil {
		_, err = k.store.Rewrite(ctx)
	}
	if err != nil {
		return err
	}
	k.reopen()
	k.store.db.AllocSize = 1 << 16 // what is written next does not make it large again
	return nil
}
