// Package dnstest is a small name server in memory, on a port of its own on 127.0.0.1, for tests. It answers what it was
// told and "no such name" to everything else; it asks nobody.
package dnstest

import (
	"fmt"
	"net"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Server is a running name server.
type Server struct {
	conn net.PacketConn
	done chan struct{}

	mu      sync.Mutex
	records map[string][]dnsmessage.ResourceBody // by lower-case name with its final dot
	asked   []string
	silent  bool
}

// NewServer starts a name server. Close ends it.
func NewServer() (*Server, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start name server: %w", err)
	}
	s := &Server{conn: conn, done: make(chan struct{}), records: map[string][]dnsmessage.ResourceBody{}}
	go s.serve()
	return s, nil
}

// Addr is where it is asked, as host:port.
func (s *Server) Addr() string { return s.conn.LocalAddr().String() }

// Close ends the server.
func (s *Server) Close() error {
	err := s.conn.Close()
	<-s.done
	return err
}

// SetSilent makes the server answer nothing any more, or answer again.
func (s *Server) SetSilent(silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = silent
}

// Asked lists the names that were asked for, each as often as it was.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// TXT adds a record; long texts are cut into strings as the format wants it.
func (s *Server) TXT(name, text string) {
	var parts []string
	for len(text) > 255 {
		parts, text = append(parts, text[:255]), text[255:]
	}
	s.add(name, &dnsmessage.TXTResource{TXT: append(parts, text)})
}

// MX adds a record.
func (s *Server) MX(name, host string) error {
	target, err := dnsmessage.NewName(absolute(host))
	if err != nil {
		return fmt.Errorf("mx %q: %w", host, err)
	}
	s.add(name, &dnsmessage.MXResource{Pref: 10, MX: target})
	return nil
}

// SRV adds a record; name begins with service and protocol, as in _imaps._tcp.huber.example.
func (s *Server) SRV(name, host string, port uint16) error {
	target, err := dnsmessage.NewName(absolute(host))
	if err != nil {
		return fmt.Errorf("srv %q: %w", host, err)
	}
	s.add(name, &dnsmessage.SRVResource{Priority: 0, Weight: 1, Port: port, Target: target})
	return nil
}

// A adds an address of version 4.
func (s *Server) A(name string, ip [4]byte) { s.add(name, &dnsmessage.AResource{A: ip}) }

func (s *Server) add(name string, body dnsmessage.ResourceBody) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name = absolute(name)
	s.records[name] = append(s.records[name], body)
}

func absolute(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }

func (s *Server) serve() {
	defer close(s.done)
	buf := make([]byte, 4096)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := s.answer(buf[:n]); reply != nil {
			_, _ = s.conn.WriteTo(reply, from) // who asks asks again
		}
	}
}

// answer is nil for what is no question, and when the server is silent.
func (s *Server) answer(query []byte) []byte {
	var q dnsmessage.Message
	if q.Unpack(query) != nil || len(q.Questions) != 1 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	question := q.Questions[0]
	name := absolute(question.Name.String())
	s.asked = append(s.asked, name)
	if s.silent {
		return nil
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.ID, Response: true, Authoritative: true, RecursionDesired: q.RecursionDesired, RecursionAvailable: true},
		Questions: q.Questions,
	}
	there, known := s.records[name]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, body := range there {
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 60}, Body: body}
		if typeOf(body) == question.Type {
			m.Answers = append(m.Answers, r)
		}
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func typeOf(body dnsmessage.ResourceBody) dnsmessage.Type {
	switch body.(type) {
	case *dnsmessage.TXTResource:
		return dnsmessage.TypeTXT
	case *dnsmessage.MXResource:
		return dnsmessage.TypeMX
	case *dnsmessage.SRVResource:
		return dnsmessage.TypeSRV
	}
	return dnsmessage.TypeA
}
