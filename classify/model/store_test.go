package model

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
)

func marshal(t testing.TB, m *Model) []byte {
	t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStored holds that a stored model is the same model, corrections included.
func TestStored(t *testing.T) {
	for name, m := range map[string]*Model{
		"examples": mustTrain(t, Options{Seed: 4, Floor: 0.6}, desk(12, 1), deskSignals(), nil, nil),
		"signals":  mustTrain(t, Options{}, nil, deskSignals(), nil, nil),
	} {
		for range 2 {
			b := marshal(t, m)
			n, err := Decode(b)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if string(marshal(t, n)) != string(b) {
				t.Errorf("%s: storing it again gives other bytes", name)
			}
			for _, e := range append(desk(10, 2), Example{"", "Heizung kalt"}, Example{"", ""}) {
				if a, b := m.Classify(e.Text), n.Classify(e.Text); !reflect.DeepEqual(a, b) {
					t.Fatalf("%s: %q: %+v became %+v", name, e.Text, a, b)
				}
			}
			if m.Score() != n.Score() || !reflect.DeepEqual(m.Categories(), n.Categories()) {
				t.Errorf("%s: score or categories have changed", name)
			}
			if err := n.Learn(Example{"building.heating", "Heizung kalt"}); err != nil {
				t.Fatal(err)
			}
			m = n
		}
	}
}

// TestDamagedStore holds that no damage goes unseen, wherever it is.
func TestDamagedStore(t *testing.T) {
	const seed = 23
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	b := marshal(t, mustTrain(t, Options{}, desk(5, 1), deskSignals(), nil, nil))
	refuse := func(what string, b []byte) {
		t.Helper()
		if _, err := Decode(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refuse("nothing", nil)
	refuse("a text", []byte("hello"))
	for range 200 {
		c := append([]byte(nil), b...)
		at := rng.IntN(len(c))
		if len(magic) <= at && at < len(magic)+4 {
			continue // the version, below
		}
		c[at] ^= 1 << rng.IntN(8)
		refuse("a bit", c)
		refuse("cut", b[:rng.IntN(len(b))])
	}
	refuse("longer", append(append([]byte(nil), b...), 0))
	c := append([]byte(nil), b...)
	c[len(magic)]++
	if _, err := Decode(c); err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("another version: %v", err)
	}
}

// FuzzDecode holds that bytes whose checksum fits but whose parts do not are refused or at least harmless.
func FuzzDecode(f *testing.F) {
	for _, m := range []*Model{
		mustTrain(f, Options{MaxBytes: 2000}, desk(2, 1), deskSignals(), nil, nil),
		mustTrain(f, Options{}, nil, deskSignals(), nil, nil),
	} {
		if err := m.Learn(Example{"new", "something else"}); err != nil {
			f.Fatal(err)
		}
		f.Add(marshal(f, m)[headLength:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := decode(body)
		if err != nil {
			return
		}
		m.Classify("Der Drucker druckt nicht, something else")
		if err := m.Learn(Example{"new", "Der Drucker"}); err != nil && !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
		if _, err := m.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzClassify holds that no text breaks a model, and that equal texts are judged equal.
func FuzzClassify(f *testing.F) {
	m := mustTrain(f, Options{}, desk(5, 1), deskSignals(), nil, nil)
	for _, s := range []string{"", "Der Drucker", "ORA-00942", "Gro\u0308ße", "\xff\x00", "a\u0300\u0301\u0302", "ẞ", "\u0130"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := m.Classify(s)
		if p.Best == "" || !(p.Probability >= 0 && p.Probability <= 1) || !(p.Scope >= 0 && p.Scope <= 1) || len(p.Evidence) > maxEvidence {
			t.Fatalf("%q: %+v", s, p)
		}
		if q := m.Classify(s); !reflect.DeepEqual(p, q) {
			t.Fatalf("%q: %+v, then %+v", s, p, q)
		}
	})
}
