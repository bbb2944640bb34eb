package dkim

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"supportd/tickets"
)

// newSigner signs for desk.example with an RSA key and an Ed25519 key at once, and knows the service that has both.
func newSigner(t *testing.T) (Signer, *keyring) {
	t.Helper()
	text, err := NewKey("rsa")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	s := Signer{{"desk.example", "r1", key}, {"desk.example", "e1", Key{testKey(3)}}}
	ring := &keyring{texts: map[string]string{}}
	for _, one := range s {
		ring.texts[one.Name()] = one.Record()
	}
	return s, ring
}

// TestSign holds that what is signed passes another's check, whatever the mail looks like: the library that checks has no
// part in signing.
func TestSign(t *testing.T) {
	s, ring := newSigner(t)
	v := &Verifier{LookupTXT: ring.lookup, Now: time.Now}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for name, raw := range map[string]string{
		"plain":               plainMail,
		"no body":             "From: a@desk.example\r\n\r\n",
		"only empty lines":    "From: a@desk.example\r\n\r\n\r\n\r\n",
		"no CRLF at its end":  "From: a@desk.example\r\n\r\nx",
		"blanks everywhere":   "From:   a@desk.example  \r\nSubject:a\t b\r\n  c \r\n\t\r\nTo: x@y.example\r\n\r\n \t\r\na  b\t\tc  \r\n \r\n  d\r\n \r\n\r\n",
		"an empty subject":    "From: a@desk.example\r\nSubject:\r\n\r\nx\r\n",
		"8-bit octets":        "From: \"Zoë\" <zoë@desk.example>\r\nSubject: \xff\xfeDrucker\r\n\r\nGrüße \x80\x01\r\n",
		"long lines":          "From: a@desk.example\r\nReferences: " + strings.Repeat("<1@x.example> ", 400) + "\r\n\r\n" + strings.Repeat("x", 9000) + "\r\n",
		"a field twice":       "From: a@desk.example\r\nTo: one@x.example\r\nTo: two@x.example\r\n\r\nx\r\n",
		"a name with a blank": "From : a@desk.example\r\n\r\nx\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			out, err := s.Sign([]byte(raw), at)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(string(out), raw) {
				t.Fatal("the mail itself was changed")
			}
			again, err := s.Sign([]byte(raw), at)
			if err != nil || !bytes.Equal(out, again) {
				t.Errorf("the same mail gives other octets the second time (%v)", err)
			}
			for line := range strings.SplitSeq(strings.TrimSuffix(string(out), raw), "\r\n") {
				if len(line) > 78 {
					t.Errorf("a line of the signature has %d octets: %s", len(line), line)
				}
			}
			mustPass(t, v, out)
		})
	}
	if _, err := s.Sign([]byte("From: a@desk.example"), at); err == nil {
		t.Error("a header without an end was signed")
	}
	if out, err := (Signer{}).Sign([]byte(plainMail), at); err != nil || string(out) != plainMail {
		t.Errorf("without keys: %v %s", err, out)
	}
}

func mustPass(t *testing.T, v *Verifier, raw []byte) {
	t.Helper()
	got := v.Check(t.Context(), raw)
	if len(got) != 2 || got[0].Result != tickets.SignaturePass || got[1].Result != tickets.SignaturePass || got[0].Domain != "desk.example" {
		t.Errorf("%+v for\n%q", got, raw)
	}
}

// TestSignedFieldsCannotBeAdded holds that a second field of a kind that clients show or obey breaks the signature.
func TestSignedFieldsCannotBeAdded(t *testing.T) {
	s, ring := newSigner(t)
	v := &Verifier{LookupTXT: ring.lookup, Now: time.Now}
	out, err := s.Sign([]byte(plainMail), time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	mustPass(t, v, append([]byte("Received: from a by b; now\r\nX-Spam: no\r\n"), out...))
	for _, name := range signedFields {
		for _, got := range v.Check(t.Context(), append([]byte(name+": x\r\n"), out...)) {
			if got.Result != tickets.SignatureInvalid {
				t.Errorf("with another %s: %+v", name, got)
			}
		}
	}
}

// TestSignRandom signs mails of random pieces.
func TestSignRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := mathrand.New(mathrand.NewPCG(seed, 1))
	s, ring := newSigner(t)
	v := &Verifier{LookupTXT: ring.lookup, Now: time.Now}
	pieces := []string{" ", "\t", "\r\n", "\r\n ", "\r\n\t", "a", "bc", ":", ";", "=", "<1@x.example>", "ü", "\xff", "\r\n\r\n", "  "}
	for range 150 {
		var subject, body strings.Builder
		for range r.IntN(12) {
			subject.WriteString(pieces[r.IntN(len(pieces)-2)])
		}
		for range r.IntN(40) {
			body.WriteString(pieces[r.IntN(len(pieces))])
		}
		head := strings.NewReplacer("\r\n ", "\r\n ", "\r\n\t", "\r\n\t", "\r\n", " ").Replace(subject.String())
		out, err := s.Sign(fmt.Appendf(nil, "From: a@desk.example\r\nSubject: x%s.\r\n\r\n%s", head, body.String()), time.Unix(1e9, 0))
		if err != nil {
			t.Fatal(err)
		}
		mustPass(t, v, out)
	}
}

// TestParseKey holds which key files are taken.
func TestParseKey(t *testing.T) {
	rsa2048, err := NewKey("rsa")
	if err != nil {
		t.Fatal(err)
	}
	ed, err := NewKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewKey("dsa"); err == nil {
		t.Error("a key of a kind that signs nothing was made")
	}
	block, _ := pem.Decode(rsa2048)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	old := parsed.(*rsa.PrivateKey)
	file := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	public, err := x509.MarshalPKIXPublicKey(&old.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		text []byte
		kind string // of the key
		want string // in the error
	}{
		{"RSA", rsa2048, "RSA, 2048 bits", ""},
		{"RSA in PKCS #1", file("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(old)), "RSA, 2048 bits", ""},
		{"Ed25519", ed, "Ed25519", ""},
		{"small", file("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small)), "", "1024 bits"},
		{"a curve that mail has no use for", file("PRIVATE KEY", ecDER), "", "signs no mail"},
		{"public", file("PUBLIC KEY", public), "", "public key"},
		{"locked", file("ENCRYPTED PRIVATE KEY", []byte("x")), "", "password"},
		{"broken", file("PRIVATE KEY", []byte("x")), "", "cannot be read"},
		{"no PEM", []byte("secret"), "", "no private key"},
		{"empty", nil, "", "no private key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := ParseKey(tt.text)
			if tt.want == "" && (err != nil || k.Kind() != tt.kind) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestRecord holds what is to be published, and what counts as published.
func TestRecord(t *testing.T) {
	s, _ := newSigner(t)
	zone := s[0].Zone()
	if !strings.HasPrefix(zone, `r1._domainkey.desk.example. IN TXT ( "v=DKIM1; k=rsa; p=`) {
		t.Error(zone)
	}
	var joined strings.Builder
	for i, part := range strings.Split(zone, `"`) {
		if i%2 == 1 {
			joined.WriteString(part)
			if len(part) > 255 {
				t.Errorf("a string has %d octets", len(part))
			}
		}
	}
	if joined.String() != s[0].Record() {
		t.Errorf("%s is not %s", joined.String(), s[0].Record())
	}
	for _, tt := range []struct {
		texts []string
		want  string
	}{
		{[]string{s[0].Record()}, ""},
		{[]string{strings.Replace(s[0].Record(), "p=", "p= ", 1)}, ""},
		{nil, "nothing"},
		{[]string{s[0].Record(), "v=DKIM1"}, "2 records"},
		{[]string{"v=DKIM1; p="}, "revoked"},
		{[]string{s[1].Record()}, "another key"},
		{[]string{s[0].Record() + "; t=y"}, "t=y"},
	} {
		if got := s[0].Published(tt.texts); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%q: %q, want %q", tt.texts, got, tt.want)
		}
	}
	if (Signature{Key: Key{&rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int), E: 3}}}}).Record() == "" {
		t.Error("a key without a record")
	}
}

// BenchmarkSign is what a signature costs a mail of ordinary size.
func BenchmarkSign(b *testing.B) {
	text, err := NewKey("rsa")
	if err != nil {
		b.Fatal(err)
	}
	key, err := ParseKey(text)
	if err != nil {
		b.Fatal(err)
	}
	raw := []byte(plainMail + strings.Repeat("Guten Tag, der Drucker druckt nicht.\r\n", 100))
	for name, k := range map[string]Key{"rsa": key, "ed25519": {testKey(3)}} {
		b.Run(name, func(b *testing.B) {
			s := Signer{{"desk.example", "s", k}}
			for b.Loop() {
				if _, err := s.Sign(raw, time.Unix(1e9, 0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
