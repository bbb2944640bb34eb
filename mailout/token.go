package mailout

import (
	"context"
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// refusedToken is an access token that the server did not take. Its text never shows the token.
type refusedToken struct {
	token string
	said  *textproto.Error
}

// Error says what the server said.
func (e *refusedToken) Error() string { return words(e.said) }

// Unwrap gives the server's reply.
func (e *refusedToken) Unwrap() error { return e.said }

// byToken gets a token and shows it to the server: by OAUTHBEARER where that is offered, as it is the standard, else by
// XOAUTH2, which is all that some large providers know.
func (s *session) byToken(ctx context.Context, offered []string, refused string) (smtp.Auth, error) {
	bearer := slices.Contains(offered, "OAUTHBEARER")
	if !bearer && !slices.Contains(offered, "XOAUTH2") {
		return nil, s.server.serverError("the server takes no tokens (OAUTHBEARER, XOAUTH2)", "use password_file, or another server", true, fmt.Errorf("offered: %q", offered))
	}
	token, err := s.server.Token(ctx, refused)
	if err != nil {
		return nil, s.server.serverError("no token for the login", "", false, err)
	}
	s.token = token
	if bearer {
		name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.server.User) // RFC 5801 §4
		return &tokenAuth{mechanism: "OAUTHBEARER", rest: []byte{1}, initial: []byte("n,a=" + name + ",\x01host=" + s.server.Host +
			"\x01port=" + strconv.Itoa(s.server.Port) + "\x01auth=Bearer " + token + "\x01\x01")}, nil
	}
	return &tokenAuth{mechanism: "XOAUTH2", rest: []byte{}, initial: []byte("user=" + s.server.User + "\x01auth=Bearer " + token + "\x01\x01")}, nil
}

// tokenAuth sends one initial response; a challenge after that is the server's way to give details of a refusal, and is
// answered with one octet by RFC 7628 §3.2.3, with nothing in XOAUTH2, so that the refusal itself follows.
type tokenAuth struct {
	mechanism string
	initial   []byte
	rest      []byte
}

// Start implements smtp.Auth.
func (a *tokenAuth) Start(*smtp.ServerInfo) (string, []byte, error) {
	return a.mechanism, a.initial, nil
}

// Next implements smtp.Auth.
func (a *tokenAuth) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	return a.rest, nil
}
