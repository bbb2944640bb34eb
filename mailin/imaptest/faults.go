package imaptest

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"sync"

	"github.com/emersion/go-imap/v2"
)

// Faults is what a server does wrong. The zero value is none.
type Faults struct {
	RefuseCreate string            // every CREATE is answered NO with this text
	Bye          string            // the greeting is BYE with this text
	RefuseLogin  string            // every login is refused with this text
	Refuse       map[uint32]string // a FETCH of a body of these UIDs is answered NO with this text
	Hide         []uint32          // these UIDs are left out of all answers
	CutLiteral   int               // the connection ends after so many octets of the next body
	Cuts         int               // how often CutLiteral happens
	CutWrites    int               // the connection ends in place of the n-th time that the server says something; 0: never
	ReadOnly     string            // every STORE, COPY and MOVE is refused with this text
	CutMoves     int               // the connection ends after the next so many MOVEs, which are done, without an answer
}

// Counts is what a server has seen.
type Counts struct {
	Connections   int
	Logins        int
	Fetches       int
	Bodies        int
	PlainExpunges int // EXPUNGE without UIDs
	CutWrites     int // connections that Faults.CutWrites ended
}

// SetFaults changes what the server does wrong from now on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Refuse, f.Hide = maps.Clone(f.Refuse), slices.Clone(f.Hide)
	s.faults = f
}

// Counts tells what the server has seen since it started.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

func (f *Faults) hidden(uid imap.UID) bool { return slices.Contains(f.Hide, uint32(uid)) }

func (f *Faults) refused() map[uint32]string { return maps.Clone(f.Refuse) }

// cutMove reports whether this MOVE ends without an answer.
func (f *Faults) cutMove() bool {
	if f.CutMoves == 0 {
		return false
	}
	f.CutMoves--
	return true
}

// DropConnections ends all connections, as a restart of the server would.
func (s *Server) DropConnections() {
	s.mu.Lock()
	conns := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
}

// Renumber gives a folder a new UIDVALIDITY and its messages the UIDs from 1, as a restored backup would; connections
// are ended.
func (s *Server) Renumber(user, name string) error {
	s.mu.Lock()
	f, err := s.folder(user, name)
	if err == nil {
		u := s.users[user]
		u.validity++
		fresh := newFolder(f.name, u.validity)
		fresh.use = f.use
		for _, m := range f.messages {
			fresh.append(m.raw, m.flagList(), m.arrived)
		}
		u.folders[f.name] = fresh
	}
	s.mu.Unlock()
	s.DropConnections()
	return err
}

// Swap puts another message under a UID that is in use, which no server may do (RFC 9051 §2.3.1.1).
func (s *Server) Swap(user, name string, uid uint32, raw []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.folder(user, name)
	if err != nil {
		return err
	}
	for _, m := range f.messages {
		if m.uid == imap.UID(uid) {
			m.raw = raw
			return nil
		}
	}
	return fmt.Errorf("folder %q has no UID %d", name, uid)
}

// faultyListener hands out connections that can be cut.
type faultyListener struct {
	net.Listener
	srv *Server
}

// Accept implements net.Listener.
func (l faultyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	fc := &conn{Conn: c, srv: l.srv}
	l.srv.mu.Lock()
	l.srv.conns[fc] = struct{}{}
	l.srv.mu.Unlock()
	return fc, nil
}

// conn is a connection that can be cut inside a body, and that hides IDLE where the server is to be without it.
type conn struct {
	net.Conn
	srv    *Server
	once   sync.Once
	recent []byte // the end of what was written, where a literal may begin
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.srv.mu.Lock()
		delete(c.srv.conns, c)
		c.srv.mu.Unlock()
	})
	return c.Conn.Close()
}

var literalStart = regexp.MustCompile(`BODY\[\][^\r\n]*\{[0-9]+\}\r\n`)

// Write implements net.Conn. A body that is to be cut ends the connection at the octet asked for.
func (c *conn) Write(b []byte) (int, error) {
	if c.srv.opts.NoIdle && bytes.Contains(b, []byte("CAPABILITY")) {
		if _, err := c.Conn.Write(bytes.Replace(b, []byte(" IDLE"), nil, 1)); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	if c.cutWrite() {
		c.Close()
		return 0, net.ErrClosed
	}
	end, cut := c.cut(b)
	if !cut {
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(b[:end])
	if err == nil {
		err = net.ErrClosed
	}
	c.Close()
	return n, err
}

// cutWrite reports whether the connection ends now.
func (c *conn) cutWrite() bool {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	f := &c.srv.faults
	if f.CutWrites == 0 {
		return false
	}
	if f.CutWrites--; f.CutWrites > 0 {
		return false
	}
	c.srv.counts.CutWrites++
	return true
}

// cut says where in b the connection ends.
func (c *conn) cut(b []byte) (int, bool) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	f := &c.srv.faults
	if f.Cuts == 0 {
		return 0, false
	}
	window := append(c.recent, b...)
	at := literalStart.FindIndex(window)
	if at == nil {
		c.recent = bytes.Clone(window[max(0, len(window)-100):])
		return 0, false
	}
	end := at[1] - len(c.recent) + f.CutLiteral
	if end > len(b) {
		c.recent = bytes.Clone(window) // until the octet comes
		return 0, false
	}
	f.Cuts--
	c.recent = nil
	return max(end, 0), true
}
