package smtptest

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	gosmtp "github.com/emersion/go-smtp"
)

// Verbs of a Step, in the order of a session.
const (
	Connect  = "CONNECT" // the greeting
	Hello    = "EHLO"
	Auth     = "AUTH"
	MailFrom = "MAIL"
	RcptTo   = "RCPT"
	Body     = "BODY" // after the server's 354, before the mail is read
	End      = "END"  // the final dot
)

// Step is a place in a session where something can go wrong.
type Step struct {
	Verb  string
	From  string // reverse-path, from MAIL on
	To    string // recipient, from RCPT on
	Count int    // how often this verb has come with this recipient, this time included
}

// Drop says when a connection is cut.
type Drop int

// When the connection is cut: never, in place of the reply, or right after it.
const (
	DropNever Drop = iota
	DropBefore
	DropAfter
)

// Fault is what goes wrong at a Step. The zero value is nothing.
type Fault struct {
	Delay time.Duration // before anything else
	Code  int           // of the reply; 0 is the usual reply
	Text  string        // of the reply
	Drop  Drop
	Keep  bool // at End: the mail is kept although the client does not hear so
}

// Refuse returns a Fault function that answers one verb with a code, for all recipients, every time.
func Refuse(verb string, code int) func(Step) Fault {
	return func(s Step) Fault {
		if s.Verb == verb {
			return Fault{Code: code}
		}
		return Fault{}
	}
}

// Greylist returns a Fault function that answers 450 to the first n tries of each recipient.
func Greylist(n int) func(Step) Fault {
	return func(s Step) Fault {
		if s.Verb == RcptTo && s.Count <= n {
			return Fault{Code: 450, Text: "greylisted, come back later"}
		}
		return Fault{}
	}
}

// ask finds out what goes wrong here, and lets the delay pass.
func (s *Server) ask(verb, from, to string) Fault {
	s.mu.Lock()
	s.steps[verb+" "+to]++
	step := Step{Verb: verb, From: from, To: to, Count: s.steps[verb+" "+to]}
	s.mu.Unlock()
	if s.options.Fault == nil {
		return Fault{}
	}
	f := s.options.Fault(step)
	if f.Delay > 0 {
		s.wait(f.Delay)
	}
	return f
}

func (s *session) ask(verb, to string) Fault { return s.server.ask(verb, s.mail.From, to) }

// fault asks, and does what was said.
func (s *session) fault(verb, to string) error { return s.apply(s.ask(verb, to)) }

func (s *session) apply(f Fault) error {
	switch {
	case f.Drop == DropBefore:
		s.conn.Close()
		return net.ErrClosed
	case f.Drop == DropAfter:
		s.conn.last.Store(true)
	}
	if f.Code < 400 {
		return nil
	}
	text := f.Text
	if text == "" {
		text = fmt.Sprintf("fault %d", f.Code)
	}
	return &gosmtp.SMTPError{Code: f.Code, EnhancedCode: gosmtp.EnhancedCode{f.Code / 100, 0, 0}, Message: text}
}

// listener numbers the connections and spoils greetings.
type listener struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.server.mu.Lock()
		l.server.connects++
		number := l.server.connects
		l.server.mu.Unlock()
		f := l.server.ask(Connect, "", "")
		if f.Code >= 400 {
			// What cannot be written is not heard either: the client sees a lost connection.
			_, _ = fmt.Fprintf(c, "%d not now\r\n", f.Code)
		}
		if f.Code >= 400 || f.Drop != DropNever {
			c.Close()
			continue
		}
		return &conn{Conn: c, number: number}, nil
	}
}

// conn is a connection that can be told to end with the next reply.
type conn struct {
	net.Conn
	number int
	last   atomic.Bool
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if c.last.Load() {
		c.Conn.Close()
	}
	return n, err
}
