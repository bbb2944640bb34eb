package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	margin       = 2 * time.Minute  // before its end a token is replaced
	defaultLimit = 30 * time.Second // for one request
	longestPause = 10 * time.Minute // that a token server can ask for
)

// Options of a Source. All may be left out but Dir, when the account's grant is Device or Consent.
type Options struct {
	Dir    string           // folder of the refresh tokens
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // for Login: unguessable values; nil: crypto/rand
	Log    *slog.Logger     // nil: silent
	Limit  time.Duration    // for one request; default 30 s
}

// Source gives the tokens of one account. Its methods may be called by any goroutine; all who use the account have to
// share one Source, because a refresh token may be good for one use only.
type Source struct {
	account Account
	keep    folder
	opts    Options
	http    *http.Client
	key     serviceKey

	turn chan struct{} // holds one: who has it may ask the token server

	mu      sync.Mutex
	token   string
	until   time.Time // of token; zero: until it is refused
	pending *kept     // a refresh token that could not be written yet
	pause   time.Time // the token server is left alone until then
	status  Status
}

// Status is how a Source is doing.
type Status struct {
	Name      string    `json:"name"`
	User      string    `json:"user"`
	Grant     Grant     `json:"grant"`
	Error     string    `json:"error,omitempty"`       // why there is no token; "" when all is well or nothing was asked yet
	Permanent bool      `json:"permanent,omitempty"`   // somebody has to do something
	Since     time.Time `json:"since,omitzero"`        // of Error
	Expires   time.Time `json:"expires,omitzero"`      // of the present token
	Refreshed time.Time `json:"refreshed,omitzero"`    // when it was got
	Consent   time.Time `json:"consent_ends,omitzero"` // when somebody has to log in again, if the server told
	Login     string    `json:"login,omitempty"`       // what supportd login calls it
}

// NewSource makes a Source; it asks nobody yet. The error says what of the account cannot work.
func NewSource(a Account, o Options) (*Source, error) {
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("oauth2 of %s: %w", a.Name, err)
	}
	s := &Source{account: a, keep: folder(o.Dir), opts: o, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	s.status = Status{Name: a.Name, User: a.User, Grant: a.Grant, Login: a.Login}
	if s.opts.Now == nil {
		s.opts.Now = time.Now
	}
	if s.opts.Log == nil {
		s.opts.Log = slog.New(slog.DiscardHandler)
	}
	if s.opts.Limit == 0 {
		s.opts.Limit = defaultLimit
	}
	if a.Grant == ServiceAccount {
		var err error
		if s.key, err = readServiceKey(a); err != nil {
			return nil, fmt.Errorf("oauth2 of %s: %w", a.Name, err)
		}
	}
	var err error
	if s.http, err = client(a.CAFile, s.opts.Limit); err != nil {
		return nil, fmt.Errorf("oauth2 of %s: %w", a.Name, err)
	}
	if a.Grant.Delegated() {
		if k, ok, err := s.keep.read(a); err == nil && ok {
			s.status.Consent = k.Ends
		}
	}
	return s, nil
}

// client speaks TLS 1.2 or newer, follows no redirects, since they would carry secrets to where nobody checked, and gives
// up in time.
func client(caFile string, limit time.Duration) (*http.Client, error) {
	tc := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("read ca_file: %w", err)
		}
		if tc.RootCAs, err = x509.SystemCertPool(); err != nil {
			tc.RootCAs = x509.NewCertPool()
		}
		if !tc.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read ca_file %s: there is no PEM certificate in it", filepath.Base(caFile))
		}
	}
	return &http.Client{
		Timeout:       limit,
		Transport:     &http.Transport{TLSClientConfig: tc, Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// Account is what the Source was made of.
func (s *Source) Account() Account { return s.account }

// Status is a snapshot.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Agreed reports whether there is all that a token needs: where a person has to agree, a refresh token that can be read.
// Nobody is asked.
func (s *Source) Agreed() (bool, error) {
	if !s.account.Grant.Delegated() {
		return true, nil
	}
	_, ok, err := s.keep.read(s.account)
	return ok, err
}

// Token gives a token that is good for a while. refused is one that the mail server has just refused, "" for none: when
// it is the present one, a new one is asked for. The error is one plain line without secrets, of type *Error when the
// token server was asked. One caller asks at a time; the others wait for it and share what it got.
func (s *Source) Token(ctx context.Context, refused string) (string, error) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if err := s.writePending(); err != nil {
		return "", s.failed(err)
	}
	now := s.opts.Now()
	s.mu.Lock()
	token, until, pause, last := s.token, s.until, s.pause, s.status.Error
	s.mu.Unlock()
	switch {
	case token != "" && token != refused && (until.IsZero() || now.Add(margin).Before(until)):
		return token, nil
	case pause.After(now) && token != "" && token != refused && now.Before(until):
		return token, nil
	case pause.After(now):
		return "", errors.New(last)
	}
	unlock, err := s.lock(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	} else if err != nil {
		return "", s.failed(err)
	}
	defer unlock()
	g, err := s.fetch(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err() // the caller gave up: this says nothing about the token server
		}
		err = s.failed(err)
		if token != "" && token != refused && now.Before(until) {
			return token, nil // it was to be replaced ahead of its end, and is good for a while yet
		}
		return "", err
	}
	if err := s.got(g); err != nil {
		return "", s.failed(err)
	}
	return g.token, nil
}

// lock keeps other processes away from what the token is made from, where using it uses it up.
func (s *Source) lock(ctx context.Context) (unlock func(), err error) {
	if !s.account.Grant.Delegated() {
		return func() {}, nil
	}
	return s.keep.lock(ctx)
}

// granted is what a token server gave.
type granted struct {
	token   string
	until   time.Time // zero: not told
	refresh string    // a new refresh token; "" when the old one stays
	ends    time.Time // of refresh
	agreed  bool      // a person has just agreed
}

// got keeps what a token server gave: a new refresh token first, because the old one may be worthless from now on.
func (s *Source) got(g granted) error {
	now := s.opts.Now()
	if g.refresh != "" {
		k := kept{Refresh: g.refresh, Got: now.UTC(), Ends: g.ends}
		if before, ok, err := s.keep.read(s.account); err == nil && ok {
			k.Agreed = before.Agreed
			if k.Ends.IsZero() && !g.agreed {
				k.Ends = before.Ends
			}
		}
		if g.agreed {
			k.Agreed = now.UTC()
		}
		s.mu.Lock()
		s.pending = &k
		s.mu.Unlock()
		if err := s.writePending(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.until, s.pause = g.token, g.until, time.Time{}
	if s.status.Error != "" {
		s.opts.Log.Info("token server gives tokens again", "account", s.account.Name)
	}
	s.status.Error, s.status.Permanent, s.status.Since = "", false, time.Time{}
	s.status.Expires, s.status.Refreshed = g.until, now
	return nil
}

// writePending writes a refresh token that is not on the disk yet.
func (s *Source) writePending() error {
	s.mu.Lock()
	k := s.pending
	s.mu.Unlock()
	if k == nil {
		return nil
	}
	if on, ok, err := s.keep.read(s.account); err == nil && ok && on.Agreed.After(k.Got) {
		k = &on // somebody has logged in since
	}
	if err := s.keep.write(s.account, *k); err != nil {
		return &Error{Account: s.account.Name, What: "a new refresh token cannot be kept: " + err.Error(), Hint: "make room on the disk, and let supportd write to the state directory", Err: err}
	}
	s.mu.Lock()
	s.pending, s.status.Consent = nil, k.Ends
	s.mu.Unlock()
	return nil
}

// failed notes why there is no token; the first of a row is logged.
func (s *Source) failed(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var e *Error
	permanent := errors.As(err, &e) && e.Final
	if e != nil && e.After > 0 {
		s.pause = s.opts.Now().Add(min(e.After, longestPause))
	}
	if s.status.Error == "" {
		s.status.Since = s.opts.Now()
	}
	if s.status.Error != err.Error() {
		s.opts.Log.Warn("no token for a mail server", "account", s.account.Name, "err", err)
	}
	s.status.Error, s.status.Permanent = err.Error(), permanent
	return err
}
