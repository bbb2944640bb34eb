package imaptest

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Script is a server that says whatever it is told to, right or wrong. The fields must be set before Start and are not
// to be changed after; Handle is called for every command and may replace the ordinary answer.
type Script struct {
	Greeting    string // default: * OK ready
	Caps        string // default: IMAP4rev1 IDLE UIDPLUS MOVE
	UIDValidity string // of the answer to SELECT; default "7"; "none" leaves it out
	// Handle answers a command, or returns false for the ordinary answer. It may be called from several goroutines.
	Handle func(c *ScriptConn, tag, command string) bool

	ln    net.Listener
	wg    sync.WaitGroup
	mu    sync.Mutex
	mails []ScriptMail
	conns map[*ScriptConn]bool
	seen  []string
	count int
}

// ScriptMail is a message of a Script. Empty strings mean the truth.
type ScriptMail struct {
	UID  uint32
	Body string
	Size string // of RFC822.SIZE
	Date string // of INTERNALDATE, without quotes; default "01-Mar-2026 12:00:00 +0000"
}

// ScriptConn is one connection to a Script.
type ScriptConn struct {
	net.Conn
	Number int // 1 for the first
	br     *bufio.Reader
	script *Script
}

// Start listens on 127.0.0.1. Close ends it.
func (s *Script) Start() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start scripted server: %w", err)
	}
	s.ln, s.conns = ln, map[*ScriptConn]bool{}
	s.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.count++
			c := &ScriptConn{Conn: conn, Number: s.count, br: bufio.NewReader(conn), script: s}
			s.conns[c] = true
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(c) })
		}
	})
	return nil
}

// Close ends the server and waits for its connections.
func (s *Script) Close() {
	s.ln.Close()
	s.Drop()
	s.wg.Wait()
}

// Drop ends all connections.
func (s *Script) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Conn.Close()
	}
}

// Port is where it listens.
func (s *Script) Port() int { return s.ln.Addr().(*net.TCPAddr).Port }

// SetMails replaces the messages; no client is told.
func (s *Script) SetMails(mails ...ScriptMail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = slices.Clone(mails)
}

// Mails is what SetMails was given.
func (s *Script) Mails() []ScriptMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Commands lists what was received so far, without tags.
func (s *Script) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Connections is how many there were.
func (s *Script) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *Script) serve(c *ScriptConn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	c.Send("%s", or(s.Greeting, "* OK ready"))
	for {
		tag, command, err := c.Command()
		if err != nil {
			return
		}
		if s.Handle != nil && s.Handle(c, tag, command) {
			continue
		}
		c.Answer(tag, command)
	}
}

// Script is the server of the connection.
func (c *ScriptConn) Script() *Script { return c.script }

// Command reads one command line.
func (c *ScriptConn) Command() (tag, command string, err error) {
	line, err := c.br.ReadString('\n')
	if err != nil {
		return "", "", err
	}
	tag, command, _ = strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	c.script.mu.Lock()
	c.script.seen = append(c.script.seen, command)
	c.script.mu.Unlock()
	return tag, command, nil
}

// Send writes one line. A client that is gone is noticed by the next Command.
func (c *ScriptConn) Send(format string, args ...any) { fmt.Fprintf(c.Conn, format+"\r\n", args...) }

// Answer gives the ordinary answer.
func (c *ScriptConn) Answer(tag, command string) {
	s := c.script
	verb := strings.ToUpper(command)
	switch {
	case strings.HasPrefix(verb, "CAPABILITY"):
		c.Send("* CAPABILITY %s", or(s.Caps, "IMAP4rev1 IDLE UIDPLUS MOVE"))
	case strings.HasPrefix(verb, "SELECT"), strings.HasPrefix(verb, "EXAMINE"):
		c.Send("* %d EXISTS", len(s.Mails()))
		if v := or(s.UIDValidity, "7"); v != "none" {
			c.Send("* OK [UIDVALIDITY %s] valid", v)
		}
		c.Send("* OK [PERMANENTFLAGS (\\*)] all")
	case strings.HasPrefix(verb, "UID SEARCH"):
		c.Send("* SEARCH%s", s.search(strings.TrimPrefix(verb, "UID SEARCH ")))
	case strings.HasPrefix(verb, "UID FETCH"):
		set, items, _ := strings.Cut(strings.TrimPrefix(verb, "UID FETCH "), " ")
		for i, m := range s.Mails() {
			if inSet(set, m.UID) {
				c.Fetch(i+1, m, items)
			}
		}
	case verb == "IDLE":
		c.Send("+ idling")
		if _, err := c.br.ReadString('\n'); err != nil {
			return
		}
	case verb == "LOGOUT":
		c.Send("* BYE")
	}
	c.Send("%s OK done", tag)
}

// Fetch writes the FETCH response for one message; items is what was asked for.
func (c *ScriptConn) Fetch(seq int, m ScriptMail, items string) {
	if !strings.Contains(items, "BODY") {
		c.Send(`* %d FETCH (UID %d FLAGS () INTERNALDATE "%s" RFC822.SIZE %s)`, seq, m.UID,
			or(m.Date, "01-Mar-2026 12:00:00 +0000"), or(m.Size, strconv.Itoa(len(m.Body))))
		return
	}
	body, at := m.Body, ""
	if _, partial, ok := strings.Cut(items, "<0."); ok {
		n, _ := strconv.Atoi(partial[:strings.IndexByte(partial, '>')])
		body, at = body[:min(n, len(body))], "<0>"
	}
	c.Send("* %d FETCH (UID %d BODY[]%s {%d}\r\n%s)", seq, m.UID, at, len(body), body)
}

// search answers the criteria that the poller uses: ALL, flags, and UID sets.
func (s *Script) search(criteria string) string {
	var list strings.Builder
	_, set, limited := strings.Cut(criteria, "UID ")
	for _, m := range s.Mails() {
		if !limited || inSet(set, m.UID) {
			fmt.Fprintf(&list, " %d", m.UID)
		}
	}
	return list.String()
}

// inSet reports whether a UID set such as 1:4,9,12:* holds uid.
func inSet(set string, uid uint32) bool {
	for part := range strings.SplitSeq(set, ",") {
		from, to, isRange := strings.Cut(part, ":")
		low, err := strconv.ParseUint(from, 10, 32)
		if err != nil {
			continue
		}
		high := low
		if isRange && to == "*" {
			high = 1<<32 - 1
		} else if isRange {
			high, _ = strconv.ParseUint(to, 10, 32)
		}
		if uint64(uid) >= low && uint64(uid) <= high {
			return true
		}
	}
	return false
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
