//go:build linux && crash

package crash

import (
	"bytes"
	"crypto/sha256"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"time"

	"supportd/tickets"
)

// Handed is one mail whose final dot was passed on to the SMTP server, as the wire saw it.
type Handed struct {
	Life      int // of the desk: how often it had been started
	Recipient string
	MessageID string
	Subject   string
	ReplyTo   string
	SHA256    tickets.Digest // of the mail without dot-stuffing
	Raw       []byte
	Code      int  // of the server's reply that was passed back; 0: none was
	Confirmed bool // the desk went on after the reply, so it has read it
	Broken    bool // the proxy broke the connection before that
	At        time.Time
}

// Post collects what a desk hands to its SMTP server. Its methods may be called from any goroutine.
type Post struct {
	Life func() int // the number of the desk's life now

	mu     sync.Mutex
	handed []*Handed
}

// Handed returns copies of all mails so far, in the order of their final dots.
func (p *Post) Handed() []Handed {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Handed, len(p.handed))
	for i, h := range p.handed {
		list[i] = *h
	}
	return list
}

// Watch is a Proxy's Watch for SMTP without TLS.
func (p *Post) Watch(int) Watcher {
	return &smtpWatch{post: p, life: p.Life(), waiting: []string{"greeting"}}
}

// smtpWatch follows one SMTP session, with pipelining (RFC 2920): commands wait in a row for their replies.
type smtpWatch struct {
	post    *Post
	life    int
	waiting []string
	up      []byte // what the client said and is not looked at yet
	down    []byte
	rcpt    string
	data    bool    // the client is sending a mail
	last    *Handed // the mail that ended last
}

// Passed implements Watcher.
func (w *smtpWatch) Passed(d Direction, b []byte) {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if d == Up {
		if w.last != nil && w.last.Code != 0 {
			w.last.Confirmed = true
		}
		w.up = append(w.up, b...)
		w.readUp()
		return
	}
	w.down = append(w.down, b...)
	for {
		line, rest, ok := bytes.Cut(w.down, []byte("\r\n"))
		if !ok {
			return
		}
		w.down = rest
		if len(line) >= 4 && line[3] == '-' || len(w.waiting) == 0 {
			continue
		}
		w.reply(string(line))
	}
}

// Ended implements Watcher.
func (w *smtpWatch) Ended(cut bool) {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if w.last == nil || w.last.Confirmed {
		return
	}
	w.last.Broken = cut
	if len(w.down) >= 3 && len(w.waiting) > 0 && w.waiting[0] == "." {
		w.reply(string(w.down)) // the code of a reply that was cut off says all there is to know
	}
}

func (w *smtpWatch) readUp() {
	for {
		if w.data {
			end := bytes.Index(w.up, []byte("\r\n.\r\n"))
			if end < 0 {
				return
			}
			w.handOver(w.up[:end+2])
			w.up, w.data = w.up[end+5:], false
			continue
		}
		line, rest, ok := bytes.Cut(w.up, []byte("\r\n"))
		if !ok {
			return
		}
		// After DATA nothing comes before its reply (RFC 2920 §3.1), so what follows is looked at then.
		w.up = rest
		verb, _, _ := strings.Cut(strings.ToUpper(string(line)), " ")
		if to, ok := strings.CutPrefix(strings.ToUpper(string(line)), "RCPT TO:<"); ok {
			w.rcpt = strings.ToLower(to[:max(0, strings.IndexByte(to, '>'))])
		}
		w.waiting = append(w.waiting, verb)
	}
}

func (w *smtpWatch) reply(line string) {
	verb := w.waiting[0]
	w.waiting = w.waiting[1:]
	code, err := strconv.Atoi(line[:min(3, len(line))])
	if err != nil {
		return
	}
	switch verb {
	case "DATA":
		if w.data = code == 354; w.data {
			w.readUp()
		}
	case ".":
		w.last.Code = code
	}
}

// handOver notes a mail whose dot has passed.
func (w *smtpWatch) handOver(stuffed []byte) {
	raw := bytes.ReplaceAll(append([]byte("\r\n"), stuffed...), []byte("\r\n.."), []byte("\r\n."))[2:]
	h := &Handed{Life: w.life, Recipient: w.rcpt, Raw: raw, SHA256: sha256.Sum256(raw), At: time.Now()}
	if m, err := mail.ReadMessage(bytes.NewReader(raw)); err == nil {
		h.MessageID = strings.Trim(m.Header.Get("Message-ID"), "<>")
		h.Subject = m.Header.Get("Subject")
		h.ReplyTo = m.Header.Get("Reply-To")
	}
	w.last = h
	w.post.handed = append(w.post.handed, h)
	w.waiting = append(w.waiting, ".")
}
