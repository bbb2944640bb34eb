package tickets

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// S-208: a mail that says nearly what another ticket does comes with that ticket's number. S39: who sends the same text once more within a day has one ticket; another text, another subject, another person or
// another day has its own.
func TestSameTextJoins(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Duplicates = Duplicates{Within: 24 * time.Hour, Similar: 0.8} })
	const text = "Guten Tag, der Drucker im Empfang druckt seit heute Morgen nur noch leere Seiten."
	id, _ := k.opened(kunde, "Drucker", text)
	k.clock.move(time.Hour)
	out := k.receive(k.mail(kunde, "Drucker", "Guten  Tag,\nder Drucker im Empfang druckt seit heute Morgen nur noch leere Seiten!"))
	k.expect(out, Appended, id)
	if got := toKunde(k.deliver()); got != "" {
		t.Errorf("the customer got %q", got)
	}
	other, _ := k.opened("zweite@person.example", "Drucker", text)
	if other == id {
		t.Error("two persons have one ticket")
	}
	if n, _ := k.opened(kunde, "Scanner", text); n == id {
		t.Error("another subject joined")
	}
	n, sent := k.opened(kunde, "Drucker, noch etwas", text+" Und piept.")
	if n == id {
		t.Error("another text joined")
	}
	if text := mailTo(t, sent, anna, TemplateTicketToTeam).Letter.Text; !strings.Contains(text, k.ticket(id).Number) && !strings.Contains(text, k.ticket(id+2).Number) {
		t.Errorf("a similar ticket is not mentioned: %s", text)
	}
	if out := k.receive(k.mail(kunde, "Drucker", text, with(fieldKind, string(KindMonitoring)))); out.Ticket == id {
		t.Error("a machine's mail joined")
	}
	if out := k.receive(k.mail(kunde, "Drucker", text, forged)); out.Result != Quarantined {
		t.Errorf("a forged mail is %s", out.Result)
	}
	k.clock.move(25 * time.Hour)
	if n, _ := k.opened(kunde, "Drucker", text); n == id {
		t.Error("a day later it joined")
	}
	k.healthy()
}

func TestLikeness(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"a b c d", "a b c d", 1}, {"a b c d", "a b c e", 1. / 3}, {"a b", "a b", 0}, {"", "", 0}, {"a b c d e f", "x y z u v w", 0},
		{"Äpfel und Birnen kaufen", "AEPFEL und birnen, kaufen!", 1},
	} {
		if got := wordingOf(c.a).likeness(wordingOf(c.b)); got != c.want {
			t.Errorf("%q and %q: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// Words are told apart as foldText tells them apart, whatever letters they have.
func TestWording(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	letters := []rune("abzAZ09 ,.-'’\n äöüÄÖÜßéÉΣςжЖ漢字🙂\u00a0\u0301")
	for range 2000 {
		text := make([]rune, random.IntN(60))
		for i := range text {
			text[i] = letters[random.IntN(len(letters))]
		}
		want := strings.FieldsFunc(foldText(string(text)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		w := wordingOf(string(text))
		if got := strings.Fields(string(w.words)); !slices.Equal(got, want) || len(w.hashes) != len(want) {
			t.Fatalf("seed %d: %q has the words %q, want %q", seed, string(text), got, want)
		}
	}
	if w := wordingOf(strings.Repeat("wort ", 2*maxLikenessWords)); len(w.hashes) != maxLikenessWords {
		t.Errorf("%d words are compared", len(w.hashes))
	}
}
