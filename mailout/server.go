package mailout

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"time"
)

// TLS says how a connection is encrypted.
type TLS string

// The ways to encrypt (RFC 8314 §3): from the first octet on, after STARTTLS, or not at all. STARTTLS is never optional:
// without it nothing is sent. None is for servers on the loopback interface only.
const (
	TLSImplicit TLS = "implicit"
	TLSStart    TLS = "starttls"
	TLSNone     TLS = "none"
)

// Server is one SMTP server that takes the desk's mail, as configured. Zero values mean the defaults.
type Server struct {
	Name      string // in the configuration, for messages
	Host      string // required; also the name that the certificate must have
	Port      int    // 465 with implicit TLS, 587 with STARTTLS, 25 without TLS
	TLS       TLS    // TLSImplicit
	User      string // "": no login
	Password  string
	CAFile    string // PEM file of authorities that are trusted beside the system's
	LocalName string // said in EHLO; "": the connection's own address as a literal

	// Token, when set, is used in place of Password: it gives an OAuth2 access token for one login, by OAUTHBEARER (RFC
	// 7628) or XOAUTH2. refused is the token that the server has just refused, "" for none.
	Token func(ctx context.Context, refused string) (string, error)

	// Retry are the pauses between the attempts at one mail; the last one repeats.
	// Default: 1 min, 5 min, 15 min, 1 h, 4 h.
	Retry []time.Duration
	// GiveUp is how long after its creation a mail is tried. Default: 5 days (RFC 5321 §4.5.4.1).
	GiveUp time.Duration
	// Backoff are the pauses before the next connection while the server cannot be used; the last one repeats.
	// Default: 5 s, 15 s, 30 s, 1 min, 2 min, 5 min.
	Backoff []time.Duration

	Connections int           // at most this many at a time. Default: 4
	Idle        time.Duration // how long an unused connection is kept. Default: 1 min
	Timeouts    Timeouts
}

// Timeouts bound each step of a session as a whole, however slowly the other side goes on. Zero values mean those of
// RFC 5321 §4.5.3.2.
type Timeouts struct {
	Connect  time.Duration // of TCP. Default: 1 min
	Greeting time.Duration // and TLS handshake, EHLO and AUTH, each. Default: 5 min
	Mail     time.Duration // Default: 5 min
	Rcpt     time.Duration // Default: 5 min
	Data     time.Duration // the command. Default: 2 min
	Block    time.Duration // each block of 64 KiB of the mail. Default: 3 min
	End      time.Duration // the reply to the final dot. Default: 10 min
	Quit     time.Duration // Default: 2 s
}

// withDefaults fills in what is not set, and reports what cannot work.
func (s Server) withDefaults() (Server, error) {
	switch s.TLS {
	case "":
		s.TLS = TLSImplicit
	case TLSImplicit, TLSStart, TLSNone:
	default:
		return s, fmt.Errorf("smtp server %q: unknown tls %q: use implicit, starttls or none", s.Name, s.TLS)
	}
	if s.Host == "" {
		return s, fmt.Errorf("smtp server %q: the host is missing", s.Name)
	}
	if s.Port == 0 {
		s.Port = map[TLS]int{TLSImplicit: 465, TLSStart: 587, TLSNone: 25}[s.TLS]
	}
	if len(s.Retry) == 0 {
		s.Retry = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour}
	}
	if len(s.Backoff) == 0 {
		s.Backoff = []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}
	}
	set(&s.GiveUp, 5*24*time.Hour)
	set(&s.Idle, time.Minute)
	if s.Connections <= 0 {
		s.Connections = 4
	}
	t := &s.Timeouts
	set(&t.Connect, time.Minute)
	set(&t.Greeting, 5*time.Minute)
	set(&t.Mail, 5*time.Minute)
	set(&t.Rcpt, 5*time.Minute)
	set(&t.Data, 2*time.Minute)
	set(&t.Block, 3*time.Minute)
	set(&t.End, 10*time.Minute)
	set(&t.Quit, 2*time.Second)
	return s, nil
}

func set(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

func (s Server) addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// tlsConfig requires TLS 1.2 and a certificate for the host (RFC 8314 §4.1, S-147).
func (s Server) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	if config.RootCAs, err = x509.SystemCertPool(); err != nil {
		config.RootCAs = x509.NewCertPool() // a machine without any: only ours count
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read ca_file %s: no certificate in PEM form in it", s.CAFile)
	}
	return config, nil
}

// after returns pauses[n], or the last one.
func after(pauses []time.Duration, n int) time.Duration {
	return pauses[max(0, min(n, len(pauses)-1))]
}

// ServerError says why a server cannot be used at all, in one plain line. It is no mail's fault.
type ServerError struct {
	Server string // name in the configuration
	Addr   string // host:port
	What   string // what did not work
	Hint   string // what to do; "" when there is nothing to be done here
	Config bool   // trying again will not help before something is changed
	Err    error
}

// Error gives the line: smtp server "x" at host:port: what: cause: hint.
func (e *ServerError) Error() string {
	text := fmt.Sprintf("smtp server %q at %s: %s", e.Server, e.Addr, e.What)
	if e.Err != nil {
		text += ": " + words(e.Err)
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// words returns the cause in plain words: the server's own when it said any.
func words(err error) string {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return oneLine(strconv.Itoa(reply.Code) + " " + reply.Msg)
	}
	return oneLine(err.Error())
}

// Unwrap returns the cause.
func (e *ServerError) Unwrap() error { return e.Err }

// serverError makes the error for a step that failed; refusals with 5yz count as a matter of configuration.
func (s Server) serverError(what, hint string, config bool, err error) *ServerError {
	return &ServerError{Server: s.Name, Addr: s.addr(), What: what, Hint: hint, Config: config || replyCode(err)/100 == 5, Err: err}
}

// connectHint says what to do about a connection that did not come about.
func connectHint(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "check the host name and the resolver"
	case errors.Is(err, context.DeadlineExceeded):
		return "check host, port and firewall"
	}
	return "check host and port, and that the server is running"
}
