package smtptest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
)

// Options say how a Server behaves. The zero value takes every mail, without TLS and without accounts.
type Options struct {
	// Accounts maps users to passwords. When there are any, MAIL is refused before a login (AUTH PLAIN or LOGIN).
	Accounts map[string]string
	// Certificate turns TLS on; without Implicit it is offered by STARTTLS.
	Certificate *tls.Certificate
	Implicit    bool

	// Token, when set, makes the server take access tokens by XOAUTH2 and OAUTHBEARER, and refuse MAIL before a login: it
	// tells whose a token is, "*" for everybody's. A session whose token is no longer good is refused MAIL as well.
	Token    func(token string) (user string, ok bool)
	NoBearer bool // without OAUTHBEARER, as large providers are

	SMTPUTF8 bool  // offer it (RFC 6531)
	DSN      bool  // offer it (RFC 3461)
	MaxSize  int64 // octets; 0 means no limit

	// Deliver, when set, is called for each recipient of a mail before the server answers for it. An error is answered
	// with 451.
	Deliver func(from, to string, data []byte) error
	// Fault is asked at every step what is to go wrong there; nil means nothing ever does. It is called by several
	// goroutines.
	Fault func(Step) Fault
	// Forget makes the server count mails without keeping them.
	Forget bool

	Listener net.Listener // where to accept; nil listens on a free port of 127.0.0.1
	Log      *slog.Logger // nil is silent
}

// Mail is one mail that a Server took.
type Mail struct {
	From      string // "" is the null reverse-path
	To        []string
	Data      []byte
	User      string // who had logged in
	TLS       bool
	UTF8      bool     // MAIL carried SMTPUTF8
	Size      int64    // of MAIL's SIZE parameter; 0 without one
	Notify    []string // of RCPT's NOTIFY parameter
	Connected int      // number of the connection it came by, counted from 1
}

// Server is a running SMTP server. Close it when done.
type Server struct {
	options  Options
	listener net.Listener
	smtp     *gosmtp.Server
	done     chan struct{} // closed by Close
	closing  sync.Once
	served   chan struct{} // closed when the accepting goroutine has ended

	mu       sync.Mutex
	mails    []Mail
	count    int
	connects int
	logins   int
	steps    map[string]int
	came     chan struct{} // closed and replaced whenever a mail has come
}

// NewServer starts a server.
func NewServer(o Options) (*Server, error) {
	l := o.Listener
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("listen for smtp: %w", err)
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{options: o, listener: l, done: make(chan struct{}), served: make(chan struct{}), steps: make(map[string]int), came: make(chan struct{})}
	s.smtp = gosmtp.NewServer(gosmtp.BackendFunc(s.newSession))
	s.smtp.Domain = "smtptest.example"
	s.smtp.AllowInsecureAuth = true
	s.smtp.EnableSMTPUTF8 = o.SMTPUTF8
	s.smtp.EnableDSN = o.DSN
	s.smtp.MaxMessageBytes = o.MaxSize
	s.smtp.ErrorLog = errorLog{o.Log}
	var accept net.Listener = &listener{Listener: l, server: s}
	if o.Certificate != nil {
		config := &tls.Config{Certificates: []tls.Certificate{*o.Certificate}, MinVersion: tls.VersionTLS12}
		if o.Implicit {
			accept = tls.NewListener(accept, config)
		} else {
			s.smtp.TLSConfig = config
		}
	}
	go func() {
		defer close(s.served)
		if err := s.smtp.Serve(accept); err != nil {
			o.Log.Error("smtp test server stopped", "err", err)
		}
	}()
	return s, nil
}

// Addr is where the server listens, host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close ends the server and all its connections. Only the first call does anything.
func (s *Server) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.done)
		err = s.smtp.Close()
		// go-smtp does not know the listener yet when it is closed at once; closing twice does no harm.
		_ = s.listener.Close()
		<-s.served
	})
	return err
}

// Mails returns what was taken so far.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Count returns how many mails were taken so far.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Connects returns how many connections were accepted so far.
func (s *Server) Connects() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connects
}

// Logins returns how many logins were tried so far.
func (s *Server) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// Wait returns the mails once there are at least n, or the error of ctx.
func (s *Server) Wait(ctx context.Context, n int) ([]Mail, error) {
	for {
		s.mu.Lock()
		mails, count, came := slices.Clone(s.mails), s.count, s.came
		s.mu.Unlock()
		if count >= n {
			return mails, nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return mails, fmt.Errorf("wait for %d mails, have %d: %w", n, count, ctx.Err())
		}
	}
}

// keep stores a mail and wakes those who wait for it.
func (s *Server) keep(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if !s.options.Forget {
		s.mails = append(s.mails, m)
	}
	close(s.came)
	s.came = make(chan struct{})
}

func (s *Server) newSession(c *gosmtp.Conn) (gosmtp.Session, error) {
	sess := &session{server: s}
	raw := c.Conn()
	if t, ok := raw.(*tls.Conn); ok {
		raw, sess.tls = t.NetConn(), true
	}
	sess.conn, _ = raw.(*conn)
	if err := sess.fault(Hello, ""); err != nil {
		return nil, err
	}
	return sess, nil
}

// session is one connection's state.
type session struct {
	server *Server
	conn   *conn
	tls    bool
	user   string
	token  string // that the user logged in with
	mail   Mail
}

// AuthMechanisms implements gosmtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	var list []string
	if len(s.server.options.Accounts) > 0 {
		list = append(list, "PLAIN", "LOGIN")
	}
	return append(list, s.tokenMechanisms()...)
}

// Auth implements gosmtp.AuthSession.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	s.server.mu.Lock()
	s.server.logins++
	s.server.mu.Unlock()
	if err := s.fault(Auth, ""); err != nil {
		return nil, err
	}
	switch mechanism {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, user, password string) error { return s.login(user, password) }), nil
	case "LOGIN":
		return &loginServer{login: s.login}, nil
	}
	if slices.Contains(s.tokenMechanisms(), mechanism) {
		return &tokenServer{check: s.byToken}, nil
	}
	return nil, gosmtp.ErrAuthUnknownMechanism
}

func (s *session) login(user, password string) error {
	if want, ok := s.server.options.Accounts[user]; !ok || want != password {
		return gosmtp.ErrAuthFailed
	}
	s.user = user
	return nil
}

// loginServer is the server's side of AUTH LOGIN, which is no standard.
type loginServer struct {
	login func(user, password string) error
	user  string
	step  int
}

// Next implements sasl.Server.
func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.login(l.user, string(response))
}

// Mail implements gosmtp.Session.
func (s *session) Mail(from string, o *gosmtp.MailOptions) error {
	if s.server.options.Token != nil && s.token != "" {
		if _, ok := s.server.options.Token(s.token); !ok {
			return &gosmtp.SMTPError{Code: 530, EnhancedCode: gosmtp.EnhancedCode{5, 7, 0}, Message: "The token has ended"}
		}
	}
	if len(s.AuthMechanisms()) > 0 && s.user == "" {
		return &gosmtp.SMTPError{Code: 530, EnhancedCode: gosmtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	s.mail.From = from
	if err := s.fault(MailFrom, ""); err != nil {
		return err
	}
	s.mail.UTF8, s.mail.Size = o.UTF8, o.Size
	return nil
}

// Rcpt implements gosmtp.Session.
func (s *session) Rcpt(to string, o *gosmtp.RcptOptions) error {
	if err := s.fault(RcptTo, to); err != nil {
		return err
	}
	s.mail.To = append(s.mail.To, to)
	for _, n := range o.Notify {
		s.mail.Notify = append(s.mail.Notify, string(n))
	}
	return nil
}

// Data implements gosmtp.Session.
func (s *session) Data(r io.Reader) error {
	if err := s.fault(Body, strings.Join(s.mail.To, ",")); err != nil {
		return err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := s.mail
	m.Data, m.User, m.TLS = data, s.user, s.tls
	if s.conn != nil {
		m.Connected = s.conn.number
	}
	f := s.ask(End, strings.Join(m.To, ","))
	if f.Code < 400 && f.Drop != DropBefore || f.Keep {
		if s.server.options.Deliver != nil {
			for _, to := range m.To {
				if err := s.server.options.Deliver(m.From, to, data); err != nil {
					s.server.options.Log.Warn("smtp test delivery failed", "err", err)
					return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "delivery failed"}
				}
			}
		}
		s.server.keep(m)
	}
	return s.apply(f)
}

// Reset implements gosmtp.Session.
func (s *session) Reset() { s.mail = Mail{} }

// Logout implements gosmtp.Session.
func (s *session) Logout() error { return nil }

// errorLog passes what go-smtp has to say on to slog.
type errorLog struct{ log *slog.Logger }

// Printf implements gosmtp.Logger.
func (l errorLog) Printf(format string, v ...any) {
	l.log.Debug("smtp test server", "detail", fmt.Sprintf(format, v...))
}

// Println implements gosmtp.Logger.
func (l errorLog) Println(v ...any) {
	l.log.Debug("smtp test server", "detail", strings.TrimSpace(fmt.Sprintln(v...)))
}

// wait lets d pass, unless the server is closed first.
func (s *Server) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
	}
}
