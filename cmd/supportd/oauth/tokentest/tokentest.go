// Package tokentest is a token server on a port of its own on 127.0.0.1, for tests: it issues, expires, rotates and takes
// back tokens, and can be told to misbehave. Mail servers of tests ask it who a token belongs to, by a call or by
// introspection (RFC 7662). It keeps nothing on disk.
package tokentest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options say how a Server behaves. The zero value issues tokens for an hour.
type Options struct {
	Life        time.Duration    // of access tokens; default 1 h
	RefreshLife time.Duration    // told of refresh tokens, and obeyed; 0: they do not end
	Rotate      bool             // every refresh token is good for one use, and brings the next
	Now         func() time.Time // nil: time.Now
	Listener    net.Listener     // nil: a free port of 127.0.0.1
}

// Faults is what the token endpoint does wrong. The zero value is none.
type Faults struct {
	Status     int           // in place of an answer
	Error      string        // error code of a refusal (RFC 6749 §5.2), with Status or 400
	Detail     string        // its description
	Body       string        // sent as it is, with Status or 200
	RetryAfter string        // field of the answer
	Delay      time.Duration // before the answer; the asker may go away
	Audience   string        // of the tokens; mail servers take only ""
	Times      int           // how often all this happens; 0: until it is changed
}

// Counts is what a Server has seen.
type Counts struct {
	Tokens         int // requests at the token endpoint
	Issued         int // access tokens given out
	Introspections int
}

// Server is a running token server. All its methods may be called at any time, by any goroutine.
type Server struct {
	opts     Options
	listener net.Listener
	http     *http.Server
	served   chan struct{}
	done     chan struct{}
	key      *rsa.PrivateKey // of the service account

	mu      sync.Mutex
	clients map[string]string // ID → secret
	access  map[string]*access
	refresh map[string]*refresh
	devices map[string]*device
	codes   map[string]code
	faults  Faults
	counts  Counts
	denied  bool
	serial  int
}

type access struct {
	user     string
	audience string
	until    time.Time
}

type refresh struct {
	user  string
	used  bool
	until time.Time // zero: it does not end
}

type device struct {
	code, user string
	denied     bool
	until      time.Time
}

type code struct{ user, challenge, redirect string }

// NewServer starts a server. Close ends it.
func NewServer(o Options) (*Server, error) {
	if o.Life == 0 {
		o.Life = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{opts: o, listener: o.Listener, served: make(chan struct{}), done: make(chan struct{}),
		clients: map[string]string{}, access: map[string]*access{}, refresh: map[string]*refresh{}, devices: map[string]*device{}, codes: map[string]code{}}
	var err error
	if s.listener == nil {
		if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("start token server: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.serveToken)
	mux.HandleFunc("POST /device", s.serveDevice)
	mux.HandleFunc("GET /authorize", s.serveAuthorize)
	mux.HandleFunc("/introspect", s.serveIntrospect)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(s.listener) // ends with Close
	}()
	return s, nil
}

// Close ends the server and all its connections.
func (s *Server) Close() error {
	s.mu.Lock()
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	s.mu.Unlock()
	err := s.http.Close()
	<-s.served
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Addr is host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// TokenURL is the token endpoint.
func (s *Server) TokenURL() string { return "http://" + s.Addr() + "/token" }

// DeviceURL is the device authorization endpoint.
func (s *Server) DeviceURL() string { return "http://" + s.Addr() + "/device" }

// AuthURL is the page on which people agree; it agrees for them at once.
func (s *Server) AuthURL() string { return "http://" + s.Addr() + "/authorize" }

// IntrospectURL tells who a token belongs to.
func (s *Server) IntrospectURL() string { return "http://" + s.Addr() + "/introspect" }

// AddClient makes a client known; an empty secret is a public client.
func (s *Server) AddClient(id, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[id] = secret
}

// ServiceKey makes the key file of a service account that may speak for everybody.
func (s *Server) ServiceKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a service account: %w", err)
	}
	s.mu.Lock()
	s.key = key
	s.mu.Unlock()
	return json.MarshalIndent(map[string]string{"type": "service_account", "client_email": serviceEmail, "private_key_id": "key-1",
		"private_key": keyPEM(key), "token_uri": s.TokenURL()}, "", "  ")
}

const serviceEmail = "desk@project.example"

// Agree makes a refresh token, as if the user had agreed.
func (s *Server) Agree(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newRefresh(user)
}

// Approve lets the user agree to a device that shows this code, or turns it down when user is "".
func (s *Server) Approve(userCode, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if d.code == userCode {
			d.user, d.denied = user, user == ""
			return nil
		}
	}
	return fmt.Errorf("no device shows the code %q", userCode)
}

// Deny makes AuthURL turn everybody down, or no longer.
func (s *Server) Deny(deny bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = deny
}

// User tells whose token this is; ok is false when it is not good, or not good for mail servers.
func (s *Server) User(token string) (user string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.access[token]
	if a == nil || a.audience != "" || !s.opts.Now().Before(a.until) {
		return "", false
	}
	return a.user, true
}

// RevokeAccess takes back every access token; refresh tokens stay good.
func (s *Server) RevokeAccess() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// Revoke takes back all that users agreed to, access and refresh tokens.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
	clear(s.refresh)
}

// SetFaults changes what the token endpoint does wrong from now on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Counts tells what the server has seen since it started.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// newToken makes an access token; the caller holds mu.
func (s *Server) newToken(user, audience string) string {
	s.counts.Issued++
	t := "at-" + rand.Text()
	s.access[t] = &access{user: user, audience: audience, until: s.opts.Now().Add(s.opts.Life)}
	return t
}

// newRefresh makes a refresh token; the caller holds mu.
func (s *Server) newRefresh(user string) string {
	t := "rt-" + rand.Text()
	r := &refresh{user: user}
	if s.opts.RefreshLife > 0 {
		r.until = s.opts.Now().Add(s.opts.RefreshLife)
	}
	s.refresh[t] = r
	return t
}
