package reply

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// A finder says what looking for one phrase after the other says.
func TestFinderFindsWhatContainsFinds(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	text := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abc ü"[random.IntN(6)]
		}
		return string(b)
	}
	found := 0
	for range 20_000 {
		var f finder
		var phrases []string
		for range 1 + random.IntN(4) {
			phrases = append(phrases, text(2+random.IntN(5)))
			f.add(phrases[len(phrases)-1])
		}
		s, want := text(random.IntN(20)), false
		for _, p := range phrases {
			want = want || strings.Contains(s, p)
		}
		if want {
			found++
		}
		if f.in(s) != want {
			t.Fatalf("seed %d: %q in %q: %v, want %v", seed, phrases, s, !want, want)
		}
	}
	if found < 1000 {
		t.Errorf("seed %d: only %d texts had a phrase", seed, found)
	}
	for _, text := range []string{"", "a"} {
		if new(finder).in(text) {
			t.Errorf("nothing is found in %q", text)
		}
	}
}

// The quick look at a line's last word never says no where the whole rule says yes.
func TestLastWordNeverHidesAnIntroduction(t *testing.T) {
	lines := []string{"Ada schrieb", "Ada wrote", "ADA WROTE", "On Monday Ada wrote to", "hat Ada geschrieben", "Ada hat geschrieben", "je napisao", "wrote", "said",
		"Ada a \u200bwrote", "Ada\u00a0wrote", "<a@b.example>wrote", "\"Ada\"wrote", "Ada ha\tscritto", "Ada pisze", "写道", "Ada 写道", "Ada har skrevet", "Ada nothing", "Ada écrit", "Ada a écrit"}
	for word := range words.wrote {
		lines = append(lines, word, "Ada "+word, "Ada  "+strings.ToUpper(word), "x>"+word, word+" ")
	}
	yes := 0
	for _, l := range lines {
		text := strings.TrimRight(l, " *_-")
		if whole := endsWithWrote(fold(text)); whole && !mayEndWithWrote(text) {
			t.Errorf("%q is passed over", l)
		} else if whole {
			yes++
		}
	}
	if yes < 50 {
		t.Errorf("only %d lines end so", yes)
	}
	if mayEndWithWrote("this is what I bought yesterday in your shop") {
		t.Error("every line is looked at")
	}
}
