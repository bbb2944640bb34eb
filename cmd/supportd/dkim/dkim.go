// Package dkim checks the DKIM signatures of mails that came in, and signs mails that go out (RFC 6376, RFC 8463). It does
// not judge whether a signer may speak for an author, and keeps no keys: those are given.
package dkim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"supportd/tickets"
)

// MaxSignatures is how many signatures a mail may bear; of one that bears more, none is looked at (S-185).
const MaxSignatures = 5

// Bounds of what is asked of the name service.
const (
	lookupLimit = 5 * time.Second  // for all keys of a mail together
	keepKey     = time.Hour        // a key that was found
	keepNoKey   = 5 * time.Minute  // that there is none
	keepUnknown = time.Minute      // that it could not be told
	restAfter   = 3                // lookups in a row that fail, until nobody is asked for restFor
	restFor     = 30 * time.Second // then every key is unknown at once, and mail is not held up
	maxKeys     = 4096             // kept at a time
	maxRecord   = 4096             // octets of a key record; RSA keys of 16384 bits have fewer
)

// Verifier checks signatures. Keys are looked up within a few seconds, and remembered for an hour at most. It is safe for
// use by several goroutines.
type Verifier struct {
	// LookupTXT returns the texts at a name, each whole. It is required. An error whose DNSError says that there is no such
	// name means that there is no key, any other that it cannot be told now.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	Now       func() time.Time // required

	mu     sync.Mutex
	keys   map[string]answer
	failed int // lookups in a row
	rest   time.Time
}

// answer is what the name service said.
type answer struct {
	texts []string
	err   error
	until time.Time
}

// unknownKey is an error that may be gone a little later.
type unknownKey struct{ cause string }

func (e unknownKey) Error() string   { return e.cause }
func (e unknownKey) Timeout() bool   { return true }
func (e unknownKey) Temporary() bool { return true }

var _ net.Error = unknownKey{}

// Check checks the signatures of a mail over its octets as they came, the topmost first. It is nil for a mail that bears
// none. What counts as none: signatures with a body length (l=), with SHA-1 or RSA keys under 1024 bits (RFC 8301), that
// do not cover From, that have expired, whose key is for trying things out only (t=y), and all of a mail with too many.
func (v *Verifier) Check(ctx context.Context, raw []byte) (found []tickets.Signature) {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // a mail that somebody made to be misread must not stop the mailbox
			found = []tickets.Signature{{Result: tickets.SignatureInvalid, Why: "the signatures cannot be read"}}
		}
	}()
	checked, err := msgauth.VerifyWithOptions(bytes.NewReader(wireForm(raw)), &msgauth.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return v.lookup(ctx, name) },
		MaxVerifications: MaxSignatures,
	})
	switch {
	case errors.Is(err, msgauth.ErrTooManySignatures):
		return []tickets.Signature{{Result: tickets.SignatureInvalid, Why: fmt.Sprintf("it bears more than %d signatures", MaxSignatures)}}
	case err != nil:
		return []tickets.Signature{{Result: tickets.SignatureInvalid, Why: "the mail cannot be read: " + words(err)}}
	}
	for _, c := range checked {
		s := tickets.Signature{Domain: strings.ToLower(c.Domain), Result: tickets.SignaturePass}
		switch {
		case c.Err == nil:
		case msgauth.IsTempFail(c.Err):
			s.Result, s.Why = tickets.SignatureUnknown, words(c.Err)
		default:
			s.Result, s.Why = tickets.SignatureInvalid, words(c.Err)
		}
		found = append(found, s)
	}
	return found
}

// wireForm gives a mail from a file the line ends that it has on the wire; one that has them is left as it is.
func wireForm(raw []byte) []byte {
	if bytes.Contains(raw, []byte("\r\n")) {
		return raw
	}
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}

// words is an error of the library, without its name.
func words(err error) string {
	text := strings.ToValidUTF8(strings.TrimPrefix(err.Error(), "dkim: "), "?")
	return text[:min(len(text), 200)]
}

// lookup asks for a key, unless it is known.
func (v *Verifier) lookup(ctx context.Context, name string) ([]string, error) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	now := v.Now()
	v.mu.Lock()
	a, known := v.keys[name]
	resting := now.Before(v.rest)
	v.mu.Unlock()
	switch {
	case known && now.Before(a.until):
		return a.texts, a.err
	case resting:
		return nil, unknownKey{"the name service has not answered for a while"}
	}
	a = ask(ctx, v.LookupTXT, name)
	v.mu.Lock()
	defer v.mu.Unlock()
	keep := keepKey
	switch a.err.(type) {
	case nil:
		v.failed = 0
	case unknownKey:
		keep = keepUnknown
		if v.failed++; v.failed >= restAfter {
			v.failed, v.rest = 0, now.Add(restFor)
		}
	default:
		keep, v.failed = keepNoKey, 0
	}
	a.until = now.Add(keep)
	if v.keys == nil || len(v.keys) >= maxKeys {
		v.keys = map[string]answer{}
	}
	v.keys[name] = a
	return a.texts, a.err
}

// ask asks the name service.
func ask(ctx context.Context, lookup func(context.Context, string) ([]string, error), name string) answer {
	texts, err := lookup(ctx, name)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return answer{err: errors.New("there is none at " + name)}
	case err != nil:
		return answer{err: unknownKey{err.Error()}}
	}
	for _, t := range texts {
		switch {
		case len(t) > maxRecord:
			return answer{err: fmt.Errorf("the record at %s has more than %d octets", name, maxRecord)}
		case strings.Contains(":"+Tag(t, "t")+":", ":y:"):
			return answer{err: fmt.Errorf("the key at %s is for trying things out only (t=y)", name)} // RFC 6376 §3.6.1
		}
	}
	return answer{texts: texts}
}

// Tag is a value of a list such as "v=DKIM1; p=…" (RFC 6376 §3.2), without white space; "" when it is not there.
func Tag(list, name string) string {
	for part := range strings.SplitSeq(list, ";") {
		key, value, ok := strings.Cut(part, "=")
		if ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return ""
}
