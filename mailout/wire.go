package mailout

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"time"
	"unicode"
)

// maxReply bounds what a server may send in answer to one step, TLS handshakes included (S-153).
const maxReply = 256 << 10

var errReplyTooLong = errors.New("the server's reply does not end")

// wire is a connection that bounds each step in time and each reply in size.
//
// The reply to STARTTLS is read one octet at a time: what somebody slipped in behind it in clear text then cannot wait
// in a buffer, but meets the TLS handshake, which fails on it (S-150).
type wire struct {
	net.Conn
	left   int
	single bool
}

// step starts the clock for the next exchange.
func (w *wire) step(limit time.Duration) {
	w.left = maxReply
	// A connection that takes no deadline is closed already, which the next read or write tells.
	_ = w.Conn.SetDeadline(time.Now().Add(limit))
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, errReplyTooLong
	}
	if w.single && len(p) > 1 {
		p = p[:1]
	}
	n, err := w.Conn.Read(p)
	w.left -= n
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	w.single = bytes.Equal(p, []byte("STARTTLS\r\n"))
	return w.Conn.Write(p)
}

// oneLine makes foreign words safe to log and to show: one line, no control characters, not long.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) || misleads(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 300 {
		s = string(runes[:300]) + "…"
	}
	return s
}
