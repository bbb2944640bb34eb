package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"supportd/cmd/supportd/setup/dnstest"
	"supportd/tickets"
)

const plainMail = "From: Kim <kim@kunde.example>\r\nTo: hilfe@desk.example\r\nSubject: Drucker\r\n" +
	"Message-ID: <1@kunde.example>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nEr druckt nicht.\r\n\r\n\r\n"

// testKey is a key that is the same every time; what it signs proves nothing outside tests.
func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func record(k ed25519.PrivateKey) string {
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
}

// signed is a mail with a signature by the library, changed as change wants.
func signed(t *testing.T, mail string, k crypto.Signer, change func(*msgauth.SignOptions)) string {
	t.Helper()
	o := &msgauth.SignOptions{Domain: "kunde.example", Selector: "s1", Signer: k,
		HeaderCanonicalization: msgauth.CanonicalizationRelaxed, BodyCanonicalization: msgauth.CanonicalizationRelaxed}
	if change != nil {
		change(o)
	}
	var out bytes.Buffer
	if err := msgauth.Sign(&out, strings.NewReader(mail), o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// keyring is a name service in memory that counts what it is asked.
type keyring struct {
	mu    sync.Mutex
	texts map[string]string
	err   error
	asked int
}

func (k *keyring) lookup(_ context.Context, name string) ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked++
	if k.err != nil {
		return nil, k.err
	}
	if text, ok := k.texts[name]; ok {
		return []string{text}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// weakRSA is a key record whose key has so many bits.
func weakRSA(t *testing.T, bits uint) string {
	t.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// TestCheck holds which signatures prove something (S-185).
func TestCheck(t *testing.T) {
	key := testKey(1)
	ring := map[string]string{
		"s1._domainkey.kunde.example":   record(key),
		"weak._domainkey.kunde.example": weakRSA(t, 512),
		"test._domainkey.kunde.example": record(key) + "; t=y:s",
		"gone._domainkey.kunde.example": "v=DKIM1; k=ed25519; p=",
		"big._domainkey.kunde.example":  record(key) + "; n=" + strings.Repeat("x", maxRecord),
		"mail._domainkey.evil.example":  record(testKey(2)),
	}
	clean := signed(t, plainMail, key, nil)
	bodyLength := strings.Replace(clean, " s=s1;", " s=s1; l=5;", 1)
	if bodyLength == clean {
		t.Fatal("the signature has no s= where this test looks for it")
	}
	for _, tt := range []struct {
		name, mail string
		want       tickets.SignatureResult
		why        string
	}{
		{"clean", clean, tickets.SignaturePass, ""},
		{"clean, from a file with LF", strings.ReplaceAll(clean, "\r\n", "\n"), tickets.SignaturePass, ""},
		{"empty lines at the end are not signed", strings.TrimRight(clean, "\r\n") + "\r\n", tickets.SignaturePass, ""},
		{"text appended", clean + "#solve\r\n", tickets.SignatureInvalid, "body hash"},
		{"S-185 a body length, and text appended", bodyLength + "#solve\r\n", tickets.SignatureInvalid, "body length"},
		{"subject changed", strings.Replace(clean, "Drucker", "Geld", 1), tickets.SignatureInvalid, "did not verify"},
		{"From changed", strings.Replace(clean, "kim@kunde", "eva@kunde", 1), tickets.SignatureInvalid, "did not verify"},
		{"S-185 From not signed", strings.Replace(clean, "h=From:", "h=Froh:", 1), tickets.SignatureInvalid, "From field not signed"},
		{"S-185 a key of 512 bits", strings.NewReplacer("s=s1", "s=weak", "a=ed25519", "a=rsa").Replace(clean), tickets.SignatureInvalid, "too short"},
		{"SHA-1", strings.Replace(clean, "-sha256", "-sha1", 1), tickets.SignatureInvalid, "too weak"},
		{"a key for trying out", signed(t, plainMail, key, func(o *msgauth.SignOptions) { o.Selector = "test" }), tickets.SignatureInvalid, "t=y"},
		{"a revoked key", signed(t, plainMail, key, func(o *msgauth.SignOptions) { o.Selector = "gone" }), tickets.SignatureInvalid, "revoked"},
		{"no key", signed(t, plainMail, key, func(o *msgauth.SignOptions) { o.Selector = "none" }), tickets.SignatureInvalid, "there is none"},
		{"a record without end", signed(t, plainMail, key, func(o *msgauth.SignOptions) { o.Selector = "big" }), tickets.SignatureInvalid, "more than 4096"},
		{"expired", signed(t, plainMail, key, func(o *msgauth.SignOptions) { o.Expiration = time.Unix(1e9, 0) }), tickets.SignatureInvalid, "expired"},
		{"another domain's", signed(t, plainMail, testKey(2), func(o *msgauth.SignOptions) { o.Domain, o.Selector = "evil.example", "mail" }), tickets.SignaturePass, ""},
		{"no tags", "DKIM-Signature: x\r\n" + plainMail, tickets.SignatureInvalid, "malformed"},
		{"an empty field", "DKIM-Signature:\r\n" + plainMail, tickets.SignatureInvalid, ""},
		{"a header without end", "DKIM-Signature: v=1", tickets.SignatureInvalid, "cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &Verifier{LookupTXT: (&keyring{texts: ring}).lookup, Now: time.Now}
			got := v.Check(t.Context(), []byte(tt.mail))
			if len(got) != 1 || got[0].Result != tt.want || !strings.Contains(got[0].Why, tt.why) || (got[0].Why == "") != (tt.want == tickets.SignaturePass) {
				t.Errorf("%+v, want one %s because of %q", got, tt.want, tt.why)
			}
		})
	}
	t.Run("S-185 50 signatures", func(t *testing.T) {
		ring := &keyring{texts: ring}
		v := &Verifier{LookupTXT: ring.lookup, Now: time.Now}
		field := clean[:strings.Index(clean, "From: ")]
		many := v.Check(t.Context(), []byte(strings.Repeat(strings.Replace(field, "s=s1", "s=none", 1), 49)+clean))
		if len(many) != 1 || many[0].Result != tickets.SignatureInvalid || ring.asked > MaxSignatures {
			t.Errorf("%+v after %d questions", many, ring.asked)
		}
	})
	t.Run("two signatures, topmost first", func(t *testing.T) {
		v := &Verifier{LookupTXT: (&keyring{texts: ring}).lookup, Now: time.Now}
		both := signed(t, clean, testKey(2), func(o *msgauth.SignOptions) { o.Domain, o.Selector = "evil.example", "mail" })
		got := v.Check(t.Context(), []byte(both))
		if len(got) != 2 || got[0].Domain != "evil.example" || got[1].Domain != "kunde.example" || got[1].Result != tickets.SignaturePass {
			t.Errorf("%+v", got)
		}
	})
	if got := (&Verifier{LookupTXT: (&keyring{}).lookup, Now: time.Now}).Check(t.Context(), []byte(plainMail)); got != nil {
		t.Errorf("a mail without signatures: %+v", got)
	}
}

// TestCheckKeys holds that keys are remembered, and that a name service which does not answer means "unknown" and costs no
// time for long.
func TestCheckKeys(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	ring := &keyring{texts: map[string]string{"s1._domainkey.kunde.example": record(testKey(1))}}
	v := &Verifier{LookupTXT: ring.lookup, Now: func() time.Time { return now }}
	mail := []byte(signed(t, plainMail, testKey(1), nil))
	check := func(what string, want tickets.SignatureResult, asked int) {
		t.Helper()
		got := v.Check(t.Context(), mail)
		if len(got) != 1 || got[0].Result != want || ring.asked != asked {
			t.Errorf("%s: %+v after %d questions, want %s after %d", what, got, ring.asked, want, asked)
		}
	}
	check("the first", tickets.SignaturePass, 1)
	check("again", tickets.SignaturePass, 1)
	ring.err = errors.New("server misbehaving")
	check("remembered while nobody answers", tickets.SignaturePass, 1)
	now = now.Add(keepKey)
	check("forgotten", tickets.SignatureUnknown, 2)
	check("asked a minute ago at most", tickets.SignatureUnknown, 2)
	now = now.Add(keepUnknown)
	check("asked once more", tickets.SignatureUnknown, 3)
	now = now.Add(keepUnknown)
	check("the third time", tickets.SignatureUnknown, 4)
	if _, err := v.lookup(t.Context(), "other._domainkey.kunde.example"); err == nil || ring.asked != 4 {
		t.Errorf("while it rests: %v after %d questions", err, ring.asked)
	}
	ring.err = nil
	now = now.Add(keepUnknown)
	check("it answers again", tickets.SignaturePass, 5)
}

// TestCheckNameService asks a real name server, one that answers and one that does not.
func TestCheckNameService(t *testing.T) {
	dns, err := dnstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()
	dns.TXT("s1._domainkey.kunde.example", record(testKey(1)))
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", dns.Addr())
	}}
	lookup := func(ctx context.Context, name string) ([]string, error) { return r.LookupTXT(ctx, name+".") }
	mail := []byte(signed(t, plainMail, testKey(1), nil))
	v := &Verifier{LookupTXT: lookup, Now: time.Now}
	if got := v.Check(t.Context(), mail); len(got) != 1 || got[0].Result != tickets.SignaturePass {
		t.Errorf("%+v", got)
	}
	if got := v.Check(t.Context(), []byte(signed(t, plainMail, testKey(1), func(o *msgauth.SignOptions) { o.Selector = "s2" }))); len(got) != 1 || got[0].Result != tickets.SignatureInvalid {
		t.Errorf("a name that is not there: %+v", got)
	}
	dns.SetSilent(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // stands for the limit: a name service that never answers
	if got := (&Verifier{LookupTXT: lookup, Now: time.Now}).Check(ctx, mail); len(got) != 1 || got[0].Result != tickets.SignatureUnknown {
		t.Errorf("no answer: %+v", got)
	}
}

// FuzzCheck holds that whatever comes neither stops the mailbox nor passes without the key.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(plainMail))
	f.Add([]byte("DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=; b=\r\n" + plainMail))
	f.Add([]byte("DKIM-Signature: v=1; a=ed25519-sha256; d=a.example; s=s; h=from:; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA; c=simple\r\nFrom: a\r\n\r\n"))
	var asked atomic.Int64
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := &Verifier{Now: time.Now, LookupTXT: func(context.Context, string) ([]string, error) {
			if asked.Add(1)%3 == 0 {
				return nil, errors.New("no answer")
			}
			return []string{record(testKey(9))}, nil
		}}
		for _, s := range v.Check(context.Background(), raw) {
			if s.Result == tickets.SignaturePass {
				t.Errorf("passes: %q", raw)
			}
		}
	})
}
