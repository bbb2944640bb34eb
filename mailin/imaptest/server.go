// Package imaptest is a small IMAP server in memory, on a port of its own on 127.0.0.1, for tests and for the demo. It
// can be told to misbehave. It keeps nothing on disk and is no mail server: mail comes in by Append, or by IMAP.
package imaptest

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Options says what a server can do. The zero value is a server in cleartext that can do everything.
type Options struct {
	TLS      bool // TLS from the first byte
	StartTLS bool // cleartext until STARTTLS, which is required for a login
	NoMove   bool // without MOVE
	NoPlus   bool // without UIDPLUS
	NoIdle   bool // without IDLE

	NoKeywords bool // only the flags of RFC 9051 last: other ones are dropped

	CertHosts []string  // names in the certificate; nil: localhost, 127.0.0.1 and ::1
	CertUntil time.Time // end of the certificate; zero: in a year

	// Token, when set, makes the server take access tokens by OAUTHBEARER and XOAUTH2: it tells whose a token is, "*" for
	// everybody's.
	Token      func(token string) (user string, ok bool)
	NoBearer   bool // without OAUTHBEARER, as large providers are
	NoPassword bool // passwords are refused

	Log *slog.Logger // nil: silent
}

// Server is a running server. All its methods may be called at any time, from any goroutine.
type Server struct {
	opts Options
	ln   net.Listener
	imap *imapserver.Server
	ca   []byte
	done chan struct{}

	mu     sync.Mutex
	users  map[string]*user
	conns  map[*conn]struct{}
	faults Faults
	counts Counts
}

// user is an account. Its folders are guarded by Server.mu.
type user struct {
	name, password string
	folders        map[string]*folder
	validity       uint32 // last UIDVALIDITY given out
}

// Message is a message as the server keeps it.
type Message struct {
	UID     uint32
	Flags   []string // sorted
	Arrived time.Time
	Raw     []byte // must not be changed
}

// NewServer starts a server. Close ends it.
func NewServer(o Options) (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start IMAP server: %w", err)
	}
	s := &Server{
		opts: o, done: make(chan struct{}),
		users: map[string]*user{}, conns: map[*conn]struct{}{},
	}
	if s.opts.Log == nil {
		s.opts.Log = slog.New(slog.DiscardHandler)
	}
	so := &imapserver.Options{
		NewSession:   s.newSession,
		Caps:         o.caps(),
		Logger:       printer{s.opts.Log},
		InsecureAuth: !o.StartTLS,
	}
	var tc *tls.Config
	if o.TLS || o.StartTLS {
		if tc, s.ca, err = certificate(o.CertHosts, o.CertUntil); err != nil {
			ln.Close()
			return nil, fmt.Errorf("start IMAP server: %w", err)
		}
	}
	if o.StartTLS {
		so.TLSConfig = tc
	}
	s.ln = ln
	var listener net.Listener = ln
	if o.TLS {
		listener = tls.NewListener(ln, tc)
	}
	s.imap = imapserver.New(so)
	go func() {
		defer close(s.done)
		if err := s.imap.Serve(faultyListener{listener, s}); err != nil {
			s.opts.Log.Warn("imap server ended", "err", err)
		}
	}()
	return s, nil
}

func (o Options) caps() imap.CapSet {
	if !o.NoMove && !o.NoPlus && !o.NoIdle {
		return imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}, imap.CapSpecialUse: {}}
	}
	// IMAP4rev2 implies all three.
	caps := imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapSpecialUse: {}, imap.CapListStatus: {}, imap.CapListExtended: {}}
	if !o.NoMove {
		caps[imap.CapMove] = struct{}{}
	}
	if !o.NoPlus {
		caps[imap.CapUIDPlus] = struct{}{}
	}
	return caps
}

// printer writes the library's complaints, such as ended connections, to the log.
type printer struct{ log *slog.Logger }

// Printf implements imapserver.Logger.
func (p printer) Printf(format string, args ...any) {
	p.log.Debug("imap server", "msg", fmt.Sprintf(format, args...))
}

// Close ends the server and all connections.
func (s *Server) Close() error {
	err := s.imap.Close()
	s.DropConnections()
	<-s.done
	return err
}

// Addr is the address to connect to, as host:port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Port is the port of Addr.
func (s *Server) Port() int { return s.ln.Addr().(*net.TCPAddr).Port }

// CA is the root certificate to trust, in PEM; nil without TLS.
func (s *Server) CA() []byte { return s.ca }

// AddUser makes an account with an INBOX, or changes its password.
func (s *Server) AddUser(name, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[name]; u != nil {
		u.password = password
		return
	}
	u := &user{name: name, password: password, folders: map[string]*folder{}}
	u.create("INBOX")
	s.users[name] = u
}

func (u *user) create(name string) {
	u.validity++
	u.folders[name] = newFolder(name, u.validity)
}

// folder finds a folder; name is compared as IMAP does. The caller holds mu.
func (s *Server) folder(user, name string) (*folder, error) {
	u := s.users[user]
	if u == nil {
		return nil, fmt.Errorf("there is no user %q", user)
	}
	f := u.folders[canonical(name)]
	if f == nil {
		return nil, fmt.Errorf("user %q has no folder %q", user, name)
	}
	return f, nil
}

func canonical(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return name
}

// CreateFolder makes a folder. use is its special use (RFC 6154) such as \Junk, or "".
func (s *Server) CreateFolder(user, name, use string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[user]
	if u == nil {
		return fmt.Errorf("there is no user %q", user)
	}
	if u.folders[canonical(name)] != nil {
		return fmt.Errorf("user %q has a folder %q", user, name)
	}
	u.create(canonical(name))
	u.folders[canonical(name)].use = use
	return nil
}

// RemoveFolder removes a folder with its messages.
func (s *Server) RemoveFolder(user, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.folder(user, name)
	if err == nil {
		delete(s.users[user].folders, f.name)
	}
	return err
}

// RenameFolder renames a folder; connections that have it open are ended.
func (s *Server) RenameFolder(user, from, to string) error {
	s.mu.Lock()
	f, err := s.folder(user, from)
	if err == nil {
		delete(s.users[user].folders, canonical(from))
		f.name = canonical(to)
		s.users[user].folders[f.name] = f
	}
	s.mu.Unlock()
	s.DropConnections()
	return err
}

// Append puts a message into a folder and gives its UID. A zero at means now.
func (s *Server) Append(user, name string, raw []byte, flags []string, at time.Time) (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.folder(user, name)
	if err != nil {
		return 0, err
	}
	list := make([]imap.Flag, len(flags))
	for i, flag := range flags {
		list[i] = imap.Flag(flag)
	}
	return uint32(f.append(raw, list, at)), nil
}

// Messages lists a folder in the order of its UIDs.
func (s *Server) Messages(user, name string) ([]Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.folder(user, name)
	if err != nil {
		return nil, err
	}
	list := make([]Message, len(f.messages))
	for i, m := range f.messages {
		list[i] = Message{UID: uint32(m.uid), Arrived: m.arrived, Raw: m.raw}
		for _, flag := range m.flagList() {
			list[i].Flags = append(list[i].Flags, string(flag))
		}
	}
	return list, nil
}

// Folders lists the names of a user's folders, sorted.
func (s *Server) Folders(user string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[user]
	if u == nil {
		return nil, fmt.Errorf("there is no user %q", user)
	}
	names := make([]string, 0, len(u.folders))
	for name := range u.folders {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// Remove expunges a message, as another client would.
func (s *Server) Remove(user, name string, uid uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.folder(user, name)
	if err != nil {
		return err
	}
	if n := f.expunge(func(m *message) bool { return m.uid == imap.UID(uid) }); len(n) == 0 {
		return fmt.Errorf("folder %q has no UID %d", name, uid)
	}
	return nil
}

// AddFlags sets flags of a message, as another client would.
func (s *Server) AddFlags(user, name string, uid uint32, flags ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.folder(user, name)
	if err != nil {
		return err
	}
	for i, m := range f.messages {
		if m.uid == imap.UID(uid) {
			for _, flag := range flags {
				m.setFlag(imap.Flag(flag))
			}
			f.tracker.QueueMessageFlags(uint32(i)+1, m.uid, m.flagList(), nil)
			f.wake()
			return nil
		}
	}
	return fmt.Errorf("folder %q has no UID %d", name, uid)
}

// newSession is called for every connection.
func (s *Server) newSession(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Connections++
	if s.faults.Bye != "" {
		return nil, nil, &imap.Error{Type: imap.StatusResponseTypeBye, Text: s.faults.Bye}
	}
	return &session{srv: s}, nil, nil
}

var errNoUser = errors.New("not logged in")

// flagKey is how flags are compared: without regard to case (RFC 9051 §2.3.2).
func flagKey(f imap.Flag) string { return strings.ToLower(string(f)) }

func compareFlags(a, b imap.Flag) int { return cmp.Compare(flagKey(a), flagKey(b)) }
