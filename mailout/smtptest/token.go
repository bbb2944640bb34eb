package smtptest

import (
	"strings"

	gosmtp "github.com/emersion/go-smtp"
)

// tokenMechanisms are those that take a token.
func (s *session) tokenMechanisms() []string {
	switch {
	case s.server.options.Token == nil:
		return nil
	case s.server.options.NoBearer:
		return []string{"XOAUTH2"}
	}
	return []string{"XOAUTH2", "OAUTHBEARER"}
}

// byToken logs in with a token, and reports whether it was taken.
func (s *session) byToken(name, token string) bool {
	whose, ok := s.server.options.Token(token)
	if !ok || whose != "*" && whose != name {
		return false
	}
	s.user, s.token = name, token
	return true
}

// tokenServer is the server's side of OAUTHBEARER and XOAUTH2: a refusal is told in a challenge first, and the client has
// to answer that before it hears no.
type tokenServer struct {
	check   func(name, token string) bool
	refused bool
}

// Next implements sasl.Server.
func (t *tokenServer) Next(response []byte) ([]byte, bool, error) {
	switch {
	case t.refused:
		return nil, true, gosmtp.ErrAuthFailed
	case response == nil:
		return []byte{}, false, nil // no initial response: ask for it
	}
	var name, token string
	for field := range strings.SplitSeq(string(response), "\x01") {
		key, value, _ := strings.Cut(field, "=")
		switch {
		case key == "user":
			name = value
		case key == "n,a": // RFC 7628 §3.1
			name = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(strings.TrimSuffix(value, ","))
		case key == "auth":
			token = strings.TrimPrefix(value, "Bearer ")
		}
	}
	if t.check(name, token) {
		return nil, true, nil
	}
	t.refused = true
	return []byte(`{"status":"401","schemes":"bearer","scope":"mail"}`), false, nil
}
