package imaptest

import (
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
)

var _ imapserver.SessionSASL = (*session)(nil)

// AuthenticateMechanisms implements imapserver.SessionSASL.
func (s *session) AuthenticateMechanisms() []string {
	list := []string{"PLAIN"}
	if s.srv.opts.Token != nil && !s.srv.opts.NoBearer {
		list = append(list, "OAUTHBEARER")
	}
	if s.srv.opts.Token != nil {
		list = append(list, "XOAUTH2")
	}
	return list
}

// Authenticate implements imapserver.SessionSASL.
func (s *session) Authenticate(mechanism string) (sasl.Server, error) {
	switch {
	case mechanism == "PLAIN":
		return sasl.NewPlainServer(func(_, name, password string) error { return s.Login(name, password) }), nil
	case s.srv.opts.Token == nil:
	case mechanism == "XOAUTH2", mechanism == "OAUTHBEARER" && !s.srv.opts.NoBearer:
		return &tokenServer{check: s.byToken}, nil
	}
	return nil, no("", "SASL mechanism not supported")
}

// byToken logs in with a token, and reports whether it was taken.
func (s *session) byToken(name, token string) bool {
	s.srv.mu.Lock()
	s.srv.counts.Logins++
	refused := s.srv.faults.RefuseLogin != ""
	u := s.srv.users[name]
	s.srv.mu.Unlock()
	whose, ok := s.srv.opts.Token(token)
	if !ok || refused || u == nil || whose != "*" && whose != name {
		return false
	}
	s.user = u
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
		return nil, true, no(imap.ResponseCodeAuthenticationFailed, "AUTHENTICATE failed.")
	case response == nil:
		return []byte{}, false, nil // no initial response: ask for it
	}
	if name, token := readToken(string(response)); t.check(name, token) {
		return nil, true, nil
	}
	t.refused = true
	return []byte(`{"status":"401","schemes":"bearer","scope":"mail"}`), false, nil
}

// readToken takes user and token out of what either mechanism sends.
func readToken(response string) (name, token string) {
	for field := range strings.SplitSeq(response, "\x01") {
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
	return name, token
}
