package mailin

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
)

// Limits on what a server may send. The IMAP client has none of its own: it buffers a line whole, and a response nested
// deeply enough ends the process.
const (
	maxStatusLine  = 64 << 10   // OK, NO, BAD, BYE, PREAUTH and continuation lines
	maxDataLine    = 16 << 20   // other responses, without bodies; SEARCH over two million UIDs fits
	maxStepData    = 64 << 20   // everything but bodies that one command may bring
	maxNesting     = 100        // parentheses
	maxTextLiteral = 64 << 10   // literals that are no message body
	maxHead        = 512        // octets of a line that are kept to be looked at
	noticeBye      = "* BYE "   // the server's last words
	noticeSticky   = "UIDNOTST" // [UIDNOTSTICKY], RFC 9051 §7.1
)

var errFlood = errors.New("the server sent more than any answer needs")

// wire is the connection under the IMAP client. It looks at what the server sends, line by line, and ends the
// connection when a limit is passed; message bodies pass untouched. It also keeps what the client drops: the text of
// BYE, and UIDNOTSTICKY.
type wire struct {
	net.Conn
	pre []byte // read before anything from Conn

	head    []byte // start of the current line
	words   int    // complete words seen in head, at most 2
	status  bool   // the line is for people: no literals, no strings
	quoted  bool
	escaped bool
	depth   int
	line    int // octets of the response so far, without bodies
	tail    [2]byte
	digits  int   // how far a literal's {n}CRLF has been read: 0 no, 1 in the number, 2 after }, 3 after CR
	number  int64 // the number
	body    bool  // that literal is a BODY[…]
	skip    int64 // octets of the literal that are still to come

	mu        sync.Mutex
	step      int64 // octets since the command began, without bodies
	bye       string
	notSticky bool
}

// Read reads from the connection, and fails for good once a limit is passed.
func (w *wire) Read(b []byte) (int, error) {
	if len(w.pre) > 0 {
		n := copy(b, w.pre)
		w.pre = w.pre[n:]
		return n, nil
	}
	n, err := w.Conn.Read(b)
	if serr := w.scan(b[:n]); serr != nil {
		w.Conn.Close()
		return 0, serr
	}
	return n, err
}

// begin starts a new command's count.
func (w *wire) begin() {
	w.mu.Lock()
	w.step = 0
	w.mu.Unlock()
}

// goodbye is the text of the server's BYE, or "".
func (w *wire) goodbye() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bye
}

// uidsNotSticky reports whether the server said that its UIDs do not last.
func (w *wire) uidsNotSticky() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.notSticky
}

func (w *wire) scan(b []byte) error {
	counted := int64(0)
	for len(b) > 0 {
		if w.skip > 0 {
			n := min(w.skip, int64(len(b)))
			w.skip -= n
			b = b[n:]
			continue
		}
		c := b[0]
		b = b[1:]
		counted++
		if err := w.octet(c); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step += counted
	if w.step > maxStepData {
		return fmt.Errorf("read answer of %d octets: %w", w.step, errFlood)
	}
	return nil
}

// octet takes one octet that is not part of a literal.
func (w *wire) octet(c byte) error {
	w.line++
	if len(w.head) < maxHead {
		w.head = append(w.head, c)
		if c == ' ' && w.words < 2 {
			w.words++
			w.status = w.status || isStatus(w.head, w.words)
		}
	}
	limit := maxDataLine
	if w.status || w.words < 2 {
		limit = maxStatusLine
	}
	if w.line > limit {
		return fmt.Errorf("read line of %d octets: %w", w.line, errFlood)
	}
	if c == '\n' {
		return w.endLine()
	}
	if w.status {
		return nil
	}
	if w.quoted {
		switch {
		case w.escaped:
			w.escaped = false
		case c == '\\':
			w.escaped = true
		case c == '"':
			w.quoted = false
		}
		return nil
	}
	switch {
	case c == '"':
		w.quoted = true
	case c == '(':
		if w.depth++; w.depth > maxNesting {
			return fmt.Errorf("read answer nested %d deep: %w", w.depth, errFlood)
		}
	case c == ')':
		w.depth--
	}
	w.literal(c)
	w.tail[0], w.tail[1] = w.tail[1], c
	return nil
}

// literal follows {n}CRLF (RFC 9051 §4.3).
func (w *wire) literal(c byte) {
	switch {
	case c == '{':
		w.digits, w.number = 1, 0
		// Only BODY[…] {n} and BODY[…]<0> {n} end so.
		w.body = w.tail[1] == ' ' && (w.tail[0] == ']' || w.tail[0] == '>')
	case w.digits == 1 && c >= '0' && c <= '9':
		if w.number = w.number*10 + int64(c-'0'); w.number > 1<<40 {
			w.number = 1 << 40
		}
	case w.digits == 1 && c == '}':
		w.digits = 2
	case w.digits == 2 && c == '\r':
		w.digits = 3
	default:
		w.digits = 0
	}
}

func (w *wire) endLine() error {
	if w.quoted {
		return errors.New("read answer: line break inside a quoted string")
	}
	if w.digits >= 2 && !w.status {
		if !w.body {
			if w.line += int(min(w.number, maxDataLine)); w.number > maxTextLiteral || w.line > maxDataLine {
				return fmt.Errorf("read literal of %d octets that is no body: %w", w.number, errFlood)
			}
		}
		w.skip, w.digits = w.number, 0
		return nil
	}
	w.notice()
	w.head, w.words, w.status = w.head[:0], 0, false
	w.depth, w.line, w.digits = 0, 0, 0
	return nil
}

// notice keeps what the client drops.
func (w *wire) notice() {
	if !w.status {
		return
	}
	bye := bytes.HasPrefix(w.head, []byte(noticeBye))
	sticky := bytes.Contains(w.head, []byte(noticeSticky))
	if !bye && !sticky {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if bye {
		w.bye = oneLine(string(w.head[len(noticeBye):]))
	}
	w.notSticky = w.notSticky || sticky
}

// isStatus reports whether a line that starts with head, which holds n whole words, is a status or a continuation.
func isStatus(head []byte, n int) bool {
	if n == 1 {
		return len(head) == 2 && head[0] == '+'
	}
	_, second, _ := bytes.Cut(head[:len(head)-1], []byte(" "))
	switch strings.ToUpper(string(second)) {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		return true
	}
	return false
}

// oneLine makes a server's words fit for a log line.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
