package mailin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
)

// Logins by token. After any failed exchange the connection is of no more use: the library leaves the exchange half done
// when a mechanism gives an error, so these never do, and answer what the server wants to hear before it says no.

// refusedToken is an access token that the server did not take. Its text never shows the token.
type refusedToken struct {
	token string
	said  string // by the server
}

// Error says what the server said.
func (e *refusedToken) Error() string {
	return fmt.Sprintf("the token is refused, the server says %q", e.said)
}

// Unwrap makes it a refused login.
func (e *refusedToken) Unwrap() error { return errLogin }

// tokenError is that there is no token to log in with.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return "no token: " + e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// needsPerson reports whether trying again soon cannot help, as far as whoever gives the tokens knows.
func needsPerson(err error) bool {
	var token *tokenError
	var p interface{ Permanent() bool }
	return errors.As(err, &token) && errors.As(token.err, &p) && p.Permanent()
}

// byToken gets a token and the exchange that shows it to the server: OAUTHBEARER where that is offered, as it is the
// standard, else XOAUTH2, which is all that some large providers know.
func (l *link) byToken(ctx context.Context, refused string) (string, sasl.Client, error) {
	bearer, xoauth2 := l.caps.Has(imap.AuthCap("OAUTHBEARER")), l.caps.Has(imap.AuthCap("XOAUTH2"))
	if !bearer && !xoauth2 {
		return "", nil, fmt.Errorf("%w: the server takes no tokens (neither OAUTHBEARER nor XOAUTH2)", errLogin)
	}
	token, err := l.cfg.Token(ctx, refused)
	if err != nil {
		return "", nil, &tokenError{err}
	}
	if bearer {
		name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(l.cfg.User) // RFC 5801 §4
		return token, &tokenExchange{mechanism: "OAUTHBEARER", rest: []byte{1}, initial: []byte("n,a=" + name + ",\x01host=" + strings.TrimSuffix(l.cfg.Host, ".") +
			"\x01port=" + strconv.Itoa(l.cfg.Port) + "\x01auth=Bearer " + token + "\x01\x01")}, nil
	}
	return token, &tokenExchange{mechanism: "XOAUTH2", rest: []byte{}, initial: []byte("user=" + l.cfg.User + "\x01auth=Bearer " + token + "\x01\x01")}, nil
}

// tokenExchange is one initial response, and what is said to the details of a refusal: one octet by RFC 7628 §3.2.3,
// nothing in XOAUTH2, which no RFC describes.
type tokenExchange struct {
	mechanism string
	initial   []byte
	rest      []byte
}

// Start implements sasl.Client.
func (x *tokenExchange) Start() (string, []byte, error) { return x.mechanism, x.initial, nil }

// Next implements sasl.Client.
func (x *tokenExchange) Next([]byte) ([]byte, error) { return x.rest, nil }
