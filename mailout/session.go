package mailout

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"supportd/tickets/redact"
)

// dialer opens connections; tests use one without a network.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// session is one connection to a server that has greeted us, is encrypted as configured and has us logged in. It is
// used by one goroutine at a time.
//
// Connecting, EHLO, STARTTLS and AUTH are left to the smtp client. Transactions are written directly: only so the
// commands can go out together (RFC 2920), the null reverse-path works, and it is known where exactly one broke off.
type session struct {
	server Server
	wire   *wire
	client *smtp.Client
	stop   func() bool // ends the watch for the context's end

	pipelining, utf8, dsn bool
	size                  int64 // the largest mail the server takes; 0 when unknown
	sizeParam             bool  // MAIL takes SIZE (RFC 1870)

	loggedIn bool
	token    string // that we logged in with
	used     int    // transactions begun
	dirty    bool   // RSET is due before the next transaction
	lastUsed time.Time
}

// connect opens a session. The error is a *ServerError. When ctx ends, the connection is closed, now or later. refused is a
// token that the server does not take any more; one that it refuses at the login is replaced once.
func connect(ctx context.Context, server Server, dial dialer, refused string) (*session, error) {
	s, err := connectOnce(ctx, server, dial, refused)
	var no *refusedToken
	if errors.As(err, &no) && no.token != refused {
		return connectOnce(ctx, server, dial, no.token)
	}
	return s, err
}

func connectOnce(ctx context.Context, server Server, dial dialer, refused string) (*session, error) {
	config, err := server.tlsConfig()
	if err != nil {
		return nil, server.serverError("cannot set up TLS", "", true, err)
	}
	dialCtx, cancel := context.WithTimeout(ctx, server.Timeouts.Connect)
	defer cancel()
	raw, err := dial(dialCtx, "tcp", server.addr())
	if err != nil {
		return nil, server.serverError("cannot connect", connectHint(err), false, err)
	}
	s := &session{server: server, wire: &wire{Conn: raw}, lastUsed: time.Now()}
	s.stop = context.AfterFunc(ctx, func() { raw.Close() })
	if err := s.open(ctx, config, refused); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// open takes a fresh connection to where mail can be sent.
func (s *session) open(ctx context.Context, config *tls.Config, refused string) error {
	if s.server.TLS == TLSNone && !loopback(s.wire.RemoteAddr()) {
		return s.server.serverError("tls: none is for servers on this machine only", "use tls: implicit or starttls", true, nil)
	}
	var c net.Conn = s.wire
	if s.server.TLS == TLSImplicit {
		s.wire.step(s.server.Timeouts.Greeting)
		t := tls.Client(s.wire, config)
		if err := t.HandshakeContext(ctx); err != nil {
			return s.tlsError(err)
		}
		c = t
	}
	s.wire.step(s.server.Timeouts.Greeting)
	var err error
	if s.client, err = smtp.NewClient(c, s.server.Host); err != nil {
		return s.server.serverError("no proper greeting", "check host, port and tls", false, err)
	}
	if err := s.hello(); err != nil {
		return err
	}
	if s.server.TLS == TLSStart {
		if err := s.startTLS(config); err != nil {
			return err
		}
	}
	s.learn()
	return s.login(ctx, refused)
}

func (s *session) hello() error {
	name := s.server.LocalName
	if name == "" {
		name = literal(s.wire.LocalAddr())
	}
	s.wire.step(s.server.Timeouts.Greeting)
	if err := s.client.Hello(name); err != nil {
		return s.server.serverError("EHLO was refused", "check local_name", false, err)
	}
	return nil
}

// startTLS insists on STARTTLS: a server that does not offer it gets neither a password nor a mail (S-148).
func (s *session) startTLS(config *tls.Config) error {
	if ok, _ := s.client.Extension("STARTTLS"); !ok {
		return s.server.serverError("STARTTLS is not offered", "use tls: implicit if the server has it, and ask its operator", true, nil)
	}
	s.wire.step(s.server.Timeouts.Greeting)
	if err := s.client.StartTLS(config); err != nil {
		return s.tlsError(err)
	}
	return nil
}

func (s *session) tlsError(err error) error {
	var cert *tls.CertificateVerificationError
	var reply *textproto.Error
	switch {
	case errors.As(err, &cert):
		return s.server.serverError("the certificate is not accepted", "check host and ca_file", true, err)
	case errors.As(err, &reply):
		return s.server.serverError("TLS was refused", "ask the server's operator", false, err)
	}
	return s.server.serverError("TLS could not be started", "check port and tls", false, err)
}

// learn notes what the server offers.
func (s *session) learn() {
	s.pipelining, _ = s.client.Extension("PIPELINING")
	s.utf8, _ = s.client.Extension("SMTPUTF8")
	s.dsn, _ = s.client.Extension("DSN")
	var limit string
	s.sizeParam, limit = s.client.Extension("SIZE")
	if n, err := strconv.ParseInt(strings.TrimSpace(limit), 10, 64); err == nil && n > 0 {
		s.size = n
	}
}

// mechanisms returns the login mechanisms that the server offers.
func (s *session) mechanisms() []string {
	_, offered := s.client.Extension("AUTH")
	return strings.Fields(strings.ToUpper(offered))
}

// login logs in, if that is configured. The password is in no error, whatever the server says.
//
// A server on this machine that is spoken to in clear text and offers no login at all is used without one: relays on
// loopback take mail from local processes, and the short form has one user for both servers. Elsewhere a missing offer
// may mean that somebody took it out (S-152).
func (s *session) login(ctx context.Context, refused string) error {
	offered := s.mechanisms()
	if s.server.User == "" || s.server.TLS == TLSNone && len(offered) == 0 {
		return nil
	}
	auth, err := s.auth(ctx, offered, refused)
	if err != nil {
		return err
	}
	s.wire.step(s.server.Timeouts.Greeting)
	if err := s.client.Auth(auth); err != nil {
		var reply *textproto.Error
		if errors.As(err, &reply) {
			reply.Msg = redact.Login(reply.Msg, s.server.Password, s.token)
			if s.token != "" && reply.Code/100 == 5 {
				return s.server.serverError("the token for "+strconv.Quote(s.server.User)+" was refused", "check user, scopes, and that the account may use SMTP",
					true, &refusedToken{token: s.token, said: reply})
			}
			return s.server.serverError("login as "+strconv.Quote(s.server.User)+" was refused", "check user and password_file", reply.Code/100 == 5, reply)
		}
		return s.server.serverError("login failed", "", false, err)
	}
	s.loggedIn = true
	return nil
}

// auth chooses how to log in.
func (s *session) auth(ctx context.Context, offered []string, refused string) (smtp.Auth, error) {
	if s.server.Token != nil {
		return s.byToken(ctx, offered, refused)
	}
	// What goes unencrypted goes to this machine only: open has seen to that.
	clear := s.server.TLS == TLSNone
	switch {
	case slices.Contains(offered, "PLAIN"):
		return smtp.PlainAuth("", s.server.User, s.server.Password, s.server.Host, clear), nil
	case slices.Contains(offered, "LOGIN"):
		return smtp.LoginAuth(s.server.User, s.server.Password, s.server.Host, clear), nil
	}
	return nil, s.server.serverError("no login that this program knows is offered (PLAIN, LOGIN)",
		"remove user if the server needs none, or ask its operator", true, fmt.Errorf("offered: %q", offered))
}

// quit says goodbye and closes. What the server answers does not matter any more.
func (s *session) quit() {
	s.wire.step(s.server.Timeouts.Quit)
	_ = s.client.Quit()
	s.close()
}

// close cuts the connection.
func (s *session) close() {
	s.stop()
	s.wire.Close()
}

// loopback reports whether an address is on this machine; so are connections without a network.
func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return !ok || t.IP.IsLoopback()
}

// literal writes an address for EHLO (RFC 5321 §4.1.3).
func literal(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	switch {
	case !ok:
		return "[127.0.0.1]"
	case t.IP.To4() != nil:
		return "[" + t.IP.String() + "]"
	}
	return "[IPv6:" + t.IP.String() + "]"
}

// replyCode returns the code of the server's reply in err, or 0.
func replyCode(err error) int {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}
