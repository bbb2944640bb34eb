package mailin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"supportd/tickets/redact"
)

const dialTimeout = 10 * time.Second

// errLogin marks an answer to LOGIN or AUTHENTICATE that a second try would only get again.
var errLogin = errors.New("login refused")

// link is one logged-in connection. One goroutine uses it; only close may be called from elsewhere.
type link struct {
	cfg   Config
	limit time.Duration // for one command
	raw   net.Conn
	wire  *wire
	c     *imapclient.Client
	caps  imap.CapSet
	news  chan struct{} // something happened in the mailbox; holds one
	cert  *x509.Certificate
}

// dial connects, protects the connection as the configuration says, and logs in. limit is for each step. A token that the
// server refuses may have been taken back before its time: it is replaced once, on a new connection.
func dial(ctx context.Context, cfg Config, limit time.Duration) (*link, error) {
	l, err := dialWith(ctx, cfg, limit, "")
	var refused *refusedToken
	if errors.As(err, &refused) {
		return dialWith(ctx, cfg, limit, refused.token)
	}
	return l, err
}

func dialWith(ctx context.Context, cfg Config, limit time.Duration, refused string) (*link, error) {
	l, err := connect(ctx, cfg, limit)
	if err != nil {
		return nil, err
	}
	if err := l.login(ctx, refused); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// connect dials and waits for the greeting. No password has been sent yet.
func connect(ctx context.Context, cfg Config, limit time.Duration) (*link, error) {
	roots, err := cfg.roots()
	if err != nil {
		return nil, err
	}
	d := &net.Dialer{Timeout: min(dialTimeout, limit), KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4,
	}}
	raw, err := d.DialContext(ctx, "tcp", cfg.addr())
	if err != nil {
		return nil, err
	}
	l := &link{cfg: cfg, limit: limit, raw: raw, news: make(chan struct{}, 1)}
	if err := l.step(ctx, func() error { return l.greet(ctx, roots) }); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *link) greet(ctx context.Context, roots *x509.CertPool) error {
	if l.cfg.TLS == TLSNone {
		// The host's name was checked; its address has to be as well.
		if a, ok := l.raw.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			return fmt.Errorf("%s leads to %s: tls: none is allowed to loopback addresses only", l.cfg.Host, l.raw.RemoteAddr())
		}
		l.wire = &wire{Conn: l.raw}
	} else {
		tc := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: strings.TrimSuffix(l.cfg.Host, "."), RootCAs: roots}
		if l.cfg.TLS == TLSStart {
			if err := startTLS(l.raw); err != nil {
				return err
			}
		} else {
			tc.NextProtos = []string{"imap"}
		}
		conn := tls.Client(l.raw, tc)
		if err := conn.HandshakeContext(ctx); err != nil {
			return err
		}
		l.cert = conn.ConnectionState().PeerCertificates[0]
		l.wire = &wire{Conn: conn}
		if l.cfg.TLS == TLSStart {
			// The greeting was read in cleartext and counts for nothing (RFC 9051 §11.3): this one makes the client
			// ask for the capabilities again.
			l.wire.pre = []byte("* OK protected\r\n")
		}
	}
	notify := func() {
		select {
		case l.news <- struct{}{}:
		default:
		}
	}
	l.c = imapclient.New(l.wire, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				notify()
			}
		},
	}})
	if err := l.c.WaitGreeting(); err != nil {
		return err
	}
	if l.cfg.TLS == TLSNone && l.c.State() != imap.ConnStateNotAuthenticated {
		return errors.New("the server says PREAUTH on an unprotected connection (RFC 9051 §7.1.4): refused")
	}
	return nil
}

// startTLS speaks the cleartext start of a STARTTLS connection by hand (RFC 9051 §6.2.1), so that not one octet that was
// sent in the clear is ever taken for part of the protected session.
func startTLS(raw net.Conn) error {
	br := bufio.NewReaderSize(raw, maxHead*8)
	greeting, err := readLine(br)
	if err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	switch rest, _ := bytes.CutPrefix(greeting, []byte("* ")); {
	case bytes.HasPrefix(rest, []byte("PREAUTH")):
		return errors.New("the server says PREAUTH on an unprotected connection (RFC 9051 §7.1.4): refused")
	case bytes.HasPrefix(rest, []byte("BYE")):
		return &imap.Error{Type: imap.StatusResponseTypeBye, Text: oneLine(string(rest[len("BYE"):]))}
	case !bytes.HasPrefix(rest, []byte("OK")):
		return errors.New("the server does not speak IMAP: check host and port")
	}
	if _, err := raw.Write([]byte("S1 STARTTLS\r\n")); err != nil {
		return err
	}
	for range 20 {
		line, err := readLine(br)
		if err != nil {
			return fmt.Errorf("read answer to STARTTLS: %w", err)
		}
		answer, tagged := bytes.CutPrefix(line, []byte("S1 "))
		switch {
		case !tagged:
			continue
		case !bytes.HasPrefix(bytes.ToUpper(answer), []byte("OK")):
			return errors.New("the server refuses STARTTLS: use tls: implicit (port 993)")
		case br.Buffered() > 0:
			return errors.New("the server sent data in the clear after STARTTLS: refused, somebody may be in between")
		}
		return nil
	}
	return errors.New("the server does not answer STARTTLS: use tls: implicit (port 993)")
}

func readLine(br *bufio.Reader) ([]byte, error) {
	line, err := br.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.Clone(line), nil
}

// login gives the password, or a token. It sends nothing where the server forbids it.
func (l *link) login(ctx context.Context, refused string) error {
	if l.c.State() == imap.ConnStateAuthenticated {
		return l.readCaps(ctx) // PREAUTH inside TLS
	}
	if err := l.readCaps(ctx); err != nil {
		return err
	}
	err := l.authenticate(ctx, refused)
	if err != nil {
		return err
	}
	return l.readCaps(ctx)
}

func (l *link) authenticate(ctx context.Context, refused string) error {
	var exchange sasl.Client
	var user, password, token string
	if l.cfg.Token != nil {
		var err error
		if token, exchange, err = l.byToken(ctx, refused); err != nil {
			return err
		}
	} else {
		secret, err := l.cfg.Password()
		if err != nil {
			return fmt.Errorf("get password: %w", err)
		}
		user, password = l.cfg.User, secret
		plain := l.caps.Has(imap.AuthCap("PLAIN"))
		switch disabled := l.caps.Has(imap.CapLoginDisabled); {
		case disabled && (l.cfg.TLS == TLSNone || !plain):
			return fmt.Errorf("the server does not take passwords here (LOGINDISABLED): use TLS: %w", errLogin)
		case plain && (disabled || !isASCII(user+password)):
			exchange = sasl.NewPlainClient("", user, password) // UTF-8 by RFC 4616; LOGIN names no charset
		}
	}
	err := l.step(ctx, func() error {
		if exchange != nil {
			return l.c.Authenticate(exchange)
		}
		return l.c.Login(user, password).Wait()
	})
	var no *imap.Error
	if errors.As(err, &no) {
		no.Text = redact.Login(no.Text, password, token)
		switch no.Code {
		case imap.ResponseCodeUnavailable, imap.ResponseCodeLimit, imap.ResponseCodeInUse, imap.ResponseCodeServerBug:
			return fmt.Errorf("log in: %w", err) // not about the password (RFC 5530)
		}
		if token != "" {
			return &refusedToken{token: token, said: oneLine(no.Text)}
		}
		return fmt.Errorf("%w: the server says %q", errLogin, oneLine(no.Text))
	}
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	return nil
}

func (l *link) readCaps(ctx context.Context) error {
	return l.step(ctx, func() error {
		if l.caps = l.c.Caps(); l.caps == nil {
			return errors.New("the server does not say what it can do (CAPABILITY)")
		}
		return nil
	})
}

// step runs one command. The client has no time-outs of its own between responses: the connection is closed when the
// limit passes or ctx ends, which ends every wait inside.
func (l *link) step(ctx context.Context, command func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.limit, errNoAnswer)
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.raw.Close() })()
	if l.wire != nil {
		l.wire.begin()
	}
	err := command()
	return l.explain(ctx, err)
}

var errNoAnswer = errors.New("no answer from the server in time")

// explain adds to the error of a command why the connection ended, when that is known.
func (l *link) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	var status *imap.Error
	if l.wire == nil || errors.As(err, &status) {
		return err
	}
	if bye := l.wire.goodbye(); bye != "" {
		return &byeError{text: bye, err: err}
	}
	return err
}

// byeError is a connection that the server ended with its reason.
type byeError struct {
	text string
	err  error
}

func (e *byeError) Error() string { return fmt.Sprintf("the server ended the connection: %q", e.text) }
func (e *byeError) Unwrap() error { return e.err }

// close ends the connection and waits until nothing of it runs any more.
func (l *link) close() {
	l.raw.Close()
	if l.c == nil {
		return
	}
	// The reader ends as soon as the socket is closed, unless a literal was left half read, which fetch never does.
	t := time.NewTimer(5 * time.Second)
	defer t.Stop()
	select {
	case <-l.c.Closed():
	case <-t.C:
	}
}

// roots is the set of certificates that are trusted: the system's and CAFile's. nil means the system's.
func (c Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read ca_file %s: there is no PEM certificate in it", c.CAFile)
	}
	return pool, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
