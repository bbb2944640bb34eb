package mailin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"supportd/tickets"
)

// Guard reads mails, and keeps one that ends the process, or takes for ever, from doing so again and again (S-137, S-138).
// Before a mail is read, a file says so; what stands there when the process begins was being read when the last one ended.
// Such a mail is read alone from then on, and after three times not at all: it is handed over with its first octets as
// text, to be held. A panic needs none of this: it ends only the reading of its mail.
//
// The file is not synced: it has to outlast the process, and not the power.
type Guard struct {
	dir    string
	parse  func([]byte, time.Time) *tickets.Message
	limit  time.Duration
	log    *slog.Logger
	slots  chan int
	file   *os.File
	ended  func(error) // is told when so many mails hang that only a new process helps
	alone  sync.RWMutex
	mu     sync.Mutex
	counts map[string]int // how often the process ended while a mail was read, by its mark
	hanging,
	allowed int
}

// GuardOptions are what a Guard may be told beside its directory. Zero values take the default.
type GuardOptions struct {
	Parse func([]byte, time.Time) *tickets.Message // default Parse
	Limit time.Duration                            // for one mail; default 20 s
	Log   *slog.Logger                             // nil: silent
	Ended func(error)                              // called when a third mail hangs; nil: nobody is told
}

const (
	guardFile     = "reading"       // which mails are being read: slots of fixed size
	guardCounts   = "reading.json"  // mails during which the process ended, and how often
	guardSlots    = 64              // mails read at a time, over all mailboxes; more wait
	guardSlot     = 2 * sha256.Size // octets: a mark in hex
	guardAttempts = 3               // after so many ends of the process a mail is not read again (Mailman does the same)
	guardHanging  = 2               // mails that may hang; with one more the process has to end
	guardStart    = 4 << 10         // octets of a mail that its mark is made of, beside its length
	guardLimit    = 20 * time.Second
)

// OpenGuard reads in a state directory what was being read when the last process ended.
func OpenGuard(dir string, o GuardOptions) (*Guard, error) {
	g := &Guard{dir: dir, parse: o.Parse, limit: o.Limit, log: o.Log, ended: o.Ended, slots: make(chan int, guardSlots), counts: map[string]int{}, allowed: guardHanging}
	if g.parse == nil {
		g.parse = Parse
	}
	if g.limit == 0 {
		g.limit = guardLimit
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	for i := range guardSlots {
		g.slots <- i
	}
	b, err := os.ReadFile(filepath.Join(dir, guardCounts))
	if err == nil {
		err = json.Unmarshal(b, &g.counts)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.log.Warn("mails that ended the process are not known", "file", guardCounts, "err", err)
		g.counts = map[string]int{}
	}
	path := filepath.Join(dir, guardFile)
	if b, err = os.ReadFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read which mails were being read: %w", err)
	}
	seen := false
	for len(b) >= guardSlot {
		if mark := string(bytes.TrimRight(b[:guardSlot], "\x00 ")); mark != "" {
			g.counts[mark]++
			seen = true
		}
		b = b[guardSlot:]
	}
	if seen {
		g.log.Warn("the process ended while mails were read", "mails", len(g.counts))
		if err := g.save(); err != nil {
			return nil, err
		}
	}
	if g.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return nil, fmt.Errorf("note which mails are read: %w", err)
	}
	return g, nil
}

// Close ends the notes. What is being read stays noted.
func (g *Guard) Close() error { return g.file.Close() }

// Read turns a mail into what it says, like Parse. Message.Poison says so when the mail is not to be read.
func (g *Guard) Read(raw []byte, arrived time.Time) *tickets.Message {
	mark := markOf(raw)
	g.mu.Lock()
	n := g.counts[mark]
	g.mu.Unlock()
	switch {
	case n >= guardAttempts:
		return poisoned(raw, fmt.Sprintf("the process ended %d times while it was read", n))
	case n > 0:
		g.alone.Lock()
		defer g.alone.Unlock()
	default:
		g.alone.RLock()
		defer g.alone.RUnlock()
	}
	slot := <-g.slots
	g.note(slot, mark)
	m, hangs := g.within(raw, arrived)
	if hangs {
		return g.hung(raw, mark) // its slot stays noted
	}
	g.note(slot, "")
	g.slots <- slot
	if n > 0 {
		g.forget(mark)
	}
	return m
}

// note writes a mark into a slot, or takes it out. What cannot be written guards nothing, and stops nothing.
func (g *Guard) note(slot int, mark string) {
	var b [guardSlot]byte
	copy(b[:], mark)
	if _, err := g.file.WriteAt(b[:], int64(slot*guardSlot)); err != nil {
		g.log.Debug("not noted which mail is read", "err", err)
	}
}

// within reads a mail, for as long as one may take.
func (g *Guard) within(raw []byte, arrived time.Time) (m *tickets.Message, hangs bool) {
	done := make(chan *tickets.Message, 1)
	go func() { done <- read(g.parse, raw, arrived) }()
	t := time.NewTimer(g.limit)
	defer t.Stop()
	select {
	case m = <-done:
		return m, false
	case <-t.C:
		return nil, true
	}
}

// hung sets a mail aside whose reading does not end. Nothing can end the goroutine but the end of the process.
func (g *Guard) hung(raw []byte, mark string) *tickets.Message {
	g.mu.Lock()
	g.counts[mark] = guardAttempts
	g.hanging++
	over := g.hanging > g.allowed
	g.mu.Unlock()
	g.log.Error("a mail takes too long to be read and is set aside", "octets", len(raw), "limit", g.limit)
	if err := g.save(); err != nil {
		g.log.Warn("not kept which mail takes too long", "err", err)
	}
	if over && g.ended != nil {
		g.ended(fmt.Errorf("%d mails take longer than %s to be read; they are held, and supportd has to start anew to be rid of them", g.hanging, g.limit))
	}
	return poisoned(raw, fmt.Sprintf("it takes longer than %s to be read", g.limit))
}

// forget takes a mail off the list that was read well after all.
func (g *Guard) forget(mark string) {
	g.mu.Lock()
	delete(g.counts, mark)
	g.mu.Unlock()
	if err := g.save(); err != nil {
		g.log.Warn("not kept which mails are read well again", "err", err)
	}
}

// save writes the list, by a temporary file.
func (g *Guard) save() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, err := json.Marshal(g.counts)
	if err != nil {
		return fmt.Errorf("keep which mails ended the process: %w", err)
	}
	tmp := filepath.Join(g.dir, guardCounts+".tmp")
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep which mails ended the process: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(g.dir, guardCounts)); err != nil {
		return fmt.Errorf("keep which mails ended the process: %w", err)
	}
	return nil
}

// markOf tells mails apart: by their beginning, which has the Message-ID and the trace, and their length.
func markOf(raw []byte) string {
	h := sha256.New()
	h.Write(raw[:min(len(raw), guardStart)])
	fmt.Fprint(h, len(raw))
	return hex.EncodeToString(h.Sum(nil))
}

// poisoned is a mail that is not read: what can be seen without that, and why.
func poisoned(raw []byte, why string) *tickets.Message {
	m := &tickets.Message{
		Text: plainText(raw), TextFrom: "the raw message: it is not read", Identity: sha256.Sum256(raw), Size: int64(len(raw)), Poison: why,
		Defects: []tickets.Defect{{Where: "message", What: "it is not read, but shown as it came: " + why}},
	}
	m.Reply = m.Text
	for line := range strings.Lines(m.Text[:min(len(m.Text), guardStart)]) { // for the list of held mail only: it gives no right
		if subject, ok := strings.CutPrefix(line, "Subject:"); ok {
			m.Subject = strings.TrimSpace(subject)
			break
		}
	}
	return m
}
