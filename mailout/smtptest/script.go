package smtptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
)

// Script is a server that says what it is told to, right or wrong. Each connection runs the lines in order:
//
//	> text     send the text and CRLF; \r, \n and \t are replaced, and nothing is added after a trailing \c
//	< word     read a line and go on; a line that does not begin with word ends the connection
//	data       read up to the final dot
//	tls        do a TLS handshake with the certificate
//	flood N    send N octets of "250-" continuation lines
//	hang       neither read nor write until the other side or Close ends the connection
//	close      end the connection
//	again N    go back N lines, for ever
type Script struct {
	listener net.Listener
	lines    []string
	cert     *tls.Certificate
	wg       sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	closed   bool
	heard    []string
	connects int
	changed  chan struct{} // closed and replaced whenever a line has come or a connection has ended
}

// NewScript starts a scripted server on a free port of 127.0.0.1. cert may be nil when the script has no "tls".
func NewScript(cert *tls.Certificate, lines ...string) (*Script, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for smtp: %w", err)
	}
	s := &Script{listener: l, lines: lines, cert: cert, conns: make(map[net.Conn]bool), changed: make(chan struct{})}
	s.wg.Go(s.accept)
	return s, nil
}

// Addr is where the server listens, host:port.
func (s *Script) Addr() string { return s.listener.Addr().String() }

// Heard returns the lines that came, over all connections, without their CRLF.
func (s *Script) Heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...)
}

// Connects returns how many connections were accepted so far.
func (s *Script) Connects() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connects
}

// Wait returns once n lines have come, or with the error of ctx.
func (s *Script) Wait(ctx context.Context, n int) error {
	return s.until(ctx, func() bool { return len(s.heard) >= n })
}

// Drained reports whether all connections have ended before ctx has.
func (s *Script) Drained(ctx context.Context) bool {
	return s.until(ctx, func() bool { return len(s.conns) == 0 }) == nil
}

func (s *Script) until(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		ok, changed := cond(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell wakes those who wait; the lock is held.
func (s *Script) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Close ends the server and waits for its connections to end.
func (s *Script) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

func (s *Script) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.connects++
		if s.closed {
			c.Close()
		}
		s.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.run(c)
			s.mu.Lock()
			delete(s.conns, c)
			s.tell()
			s.mu.Unlock()
			c.Close()
		})
	}
}

// run plays the script to one connection.
func (s *Script) run(raw net.Conn) {
	c, r := raw, bufio.NewReader(raw)
	for i := 0; i < len(s.lines); i++ {
		verb, arg, _ := strings.Cut(s.lines[i], " ")
		var err error
		switch verb {
		case ">":
			err = say(c, arg)
		case "<":
			err = s.expect(r, arg)
		case "data":
			err = s.data(r)
		case "tls":
			t := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*s.cert}, MinVersion: tls.VersionTLS12})
			err = t.Handshake()
			c, r = t, bufio.NewReader(t)
		case "flood":
			err = flood(c, arg)
		case "hang":
			for err == nil {
				_, err = r.ReadByte()
			}
		case "close":
			return
		case "again":
			n := 0
			if _, err = fmt.Sscan(arg, &n); err == nil {
				i -= n + 1
			}
		default:
			err = fmt.Errorf("unknown line %q in the script", s.lines[i])
		}
		if err != nil {
			return
		}
	}
}

func say(c net.Conn, text string) error {
	text = strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\t`, "\t").Replace(text)
	text, open := strings.CutSuffix(text, `\c`)
	if !open {
		text += "\r\n"
	}
	_, err := c.Write([]byte(text))
	return err
}

func (s *Script) expect(r *bufio.Reader, word string) error {
	line, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	line = strings.TrimRight(line, "\r\n")
	s.mu.Lock()
	s.heard = append(s.heard, line)
	s.tell()
	s.mu.Unlock()
	if !strings.HasPrefix(line, word) {
		return fmt.Errorf("heard %q, not %q", line, word)
	}
	return nil
}

func (s *Script) data(r *bufio.Reader) error {
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return err
		}
	}
}

func flood(c net.Conn, arg string) error {
	n := 0
	if _, err := fmt.Sscan(arg, &n); err != nil {
		return err
	}
	chunk := []byte(strings.Repeat("250-x\r\n", 1000))
	for ; n > 0; n -= len(chunk) {
		if _, err := c.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}
