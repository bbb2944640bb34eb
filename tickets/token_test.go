package tickets

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func testKeyring(t testing.TB) *Keyring {
	t.Helper()
	ring, err := NewKeyring(time.Unix(0, 0), testRandom(7))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

var allPurposes = []Purpose{PurposeAnswer, PurposeNote, PurposeCustomer, PurposeBounce, PurposeCopy, PurposeIDAnswer, PurposeIDNote, PurposeIDCustomer, PurposeIDAuto, PurposeIDCopy}

// S-079: what was signed is read back, in any case of letters, and is fit for the local part of an address.
func TestTokenRoundTrip_S079(t *testing.T) {
	ring := testKeyring(t)
	const seed = 79
	rnd := rand.New(rand.NewPCG(seed, 0))
	seen := map[string]Token{}
	for range 3000 {
		want := Token{Purpose: allPurposes[rnd.IntN(len(allPurposes))], Ticket: TicketID(rnd.Uint64N(1 << 40)), Principal: uint32(rnd.Uint64N(1 << 24))}
		if want.Purpose.long() {
			want.Outgoing = OutgoingID(rnd.Uint64N(1 << 40))
		}
		s := ring.Sign(want)
		if old, ok := seen[s]; ok && old != want {
			t.Fatalf("seed %d: %+v and %+v have the same token", seed, old, want)
		}
		seen[s] = want
		for _, form := range []string{s, strings.ToUpper(s), strings.ToUpper(s[:9]) + s[9:]} {
			if got, err := ring.Verify(form); err != nil || got != want {
				t.Fatalf("seed %d: %q is %+v, %v; want %+v", seed, form, got, err, want)
			}
		}
		if len(s)+len("bounce+") > 64 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("%q is no local part", s)
		}
	}
}

// S-079, S-080: no other spelling, no part, and no change of a token passes.
func TestTokenForgeries_S079_S080(t *testing.T) {
	ring := testKeyring(t)
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	for _, token := range []Token{{Purpose: PurposeAnswer, Ticket: 7, Principal: 3}, {Purpose: PurposeBounce, Ticket: 7, Principal: 3, Outgoing: 12}, {Purpose: PurposeIDNote, Ticket: 1 << 39, Principal: 1<<24 - 1, Outgoing: 9}} {
		s := ring.Sign(token)
		refuse := func(forged, how string) {
			if got, err := ring.Verify(forged); err == nil {
				t.Errorf("%s: %q passes as %+v", how, forged, got)
			}
		}
		for i := range s {
			for _, c := range letters {
				if byte(c) != s[i] {
					refuse(s[:i]+string(c)+s[i+1:], "another letter")
				}
			}
			refuse(s[:i], "truncated")
			refuse(s[:i]+s[i+1:], "a letter less")
			refuse(s[:i]+"a"+s[i:], "a letter more")
			refuse(s[:i]+"\n"+s[i:], "a line break")
			refuse(s[:i]+"\r\n"+s[i:], "a line break")
			refuse(s[:i]+" "+s[i:], "a blank")
		}
		refuse(s+"=", "padding")
		refuse(s+"aaaaaaaa", "longer")
		refuse(s[:8]+strings.Repeat("a", len(s)-8), "no MAC")
	}
	// A Kelvin sign is a k in lower case, and three octets long: with four of them a short token is as long as a long one.
	for n := TicketID(1); ; n++ {
		if s := ring.Sign(Token{Purpose: PurposeAnswer, Ticket: n}); strings.Count(s, "k") >= 4 {
			if got, err := ring.Verify(strings.Replace(s, "k", "\u212a", 4)); err == nil {
				t.Errorf("with Kelvin signs it passes as %+v", got)
			}
			break
		}
	}
	refuseAll := []string{"", "1", "id1", "7", "notify-1-1", strings.Repeat("a", 40), strings.Repeat("a", 48), strings.Repeat("7", 40), "\x00", strings.Repeat("k", 38) + "\u212a", strings.Repeat("\u212a", 4) + strings.Repeat("k", 36)}
	for _, s := range refuseAll {
		if got, err := ring.Verify(s); err == nil {
			t.Errorf("%q passes as %+v", s, got)
		}
	}
}

// A purpose is part of what is signed: a Message-ID never passes for an address, nor one right for another.
func TestTokenPurposesDoNotMix(t *testing.T) {
	ring := testKeyring(t)
	seen := map[string]Purpose{}
	for _, p := range allPurposes {
		s := ring.Sign(Token{Purpose: p, Ticket: 5, Principal: 6, Outgoing: 7})
		if q, ok := seen[s]; ok {
			t.Errorf("%d and %d sign alike", p, q)
		}
		seen[s] = p
		if got, err := ring.Verify(s); err != nil || got.Purpose != p {
			t.Errorf("purpose %d: %+v, %v", p, got, err)
		}
	}
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "x")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	local, _, _ := cutAddress(notice.Letter.MessageID)
	out := k.receive(k.mail(anna, "Hallo", "CANARY", func(m *Message) { m.To = []Address{{Mail: "support+" + local + "@desk.example"}} }))
	if out.Ticket == id {
		t.Errorf("a Message-ID's token in an address: %+v", out)
	}
	address := k.desk.Rules().tokenIn(notice.Letter.ReplyTo.Mail)
	out = k.receive(k.mail(anna, "Hallo", "CANARY", func(m *Message) { m.InReplyTo = []string{address + "@desk.example"} }))
	if out.Ticket == id {
		t.Errorf("an address's token in a Message-ID: %+v", out)
	}
}

// A key that is taken out revokes what it signed; one that is added signs from then on, and the old ones still verify.
func TestKeyRotation(t *testing.T) {
	ring := testKeyring(t)
	token := Token{Purpose: PurposeAnswer, Ticket: 1, Principal: 2}
	old := ring.Sign(token)
	other, err := NewKeyring(time.Unix(1, 0), testRandom(8))
	if err != nil {
		t.Fatal(err)
	}
	second := other.Keys[0]
	if _, err := other.Verify(old); err == nil {
		t.Error("another desk's key verifies")
	}
	second.ID = 2
	ring.Keys = append(ring.Keys, second)
	fresh := ring.Sign(token)
	for _, s := range []string{old, fresh} {
		if got, err := ring.Verify(s); err != nil || got != token {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	if old == fresh {
		t.Error("the new key does not sign")
	}
	ring.Keys = ring.Keys[1:]
	if _, err := ring.Verify(old); err == nil {
		t.Error("the removed key still verifies")
	}
	if _, err := ring.Verify(fresh); err != nil {
		t.Errorf("the new key: %v", err)
	}
}

func FuzzToken(f *testing.F) {
	ring := testKeyring(f)
	for _, p := range allPurposes {
		f.Add(ring.Sign(Token{Purpose: p, Ticket: 1, Principal: 2, Outgoing: 3}))
	}
	f.Add("")
	f.Add("\u212a")
	f.Add(strings.Repeat("a", 48))
	f.Fuzz(func(t *testing.T, s string) {
		token, err := ring.Verify(s)
		if err != nil {
			if token != (Token{}) {
				t.Errorf("%q is refused and gives %+v", s, token)
			}
			return
		}
		if again := ring.Sign(token); !strings.EqualFold(again, s) || !utf8.ValidString(s) || len(again) != len(s) {
			t.Errorf("%q passes and is signed as %q", s, again)
		}
	})
}
