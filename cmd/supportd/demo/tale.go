package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// tale tells what happens, one plain line a thing, in the order in which it happens: a mail is told of before it lies in
// a mailbox, and what the desk decided before the mails that came of it.
type tale struct {
	out     io.Writer
	color   bool
	now     func() time.Time
	started time.Time
	kicked  chan struct{} // the desk has done something

	mu      sync.Mutex
	store   *tickets.Store
	next    uint64                      // key of the next message record to tell of
	entries map[tickets.TicketID]uint64 // how many entries of each ticket were told
	lines   []line
	changed chan struct{} // closed and replaced with every line, and with every mail that lies in a mailbox
}

// line is one thing that happened.
type line struct {
	At   time.Duration // since the start
	What string        // mail, ticket, desk, held, filed, lost, note
	Text string
}

func newTale(out io.Writer, color bool, now func() time.Time, started time.Time) *tale {
	return &tale{out: out, color: color, now: now, started: started, kicked: make(chan struct{}, 1), next: 1,
		entries: map[tickets.TicketID]uint64{}, changed: make(chan struct{})}
}

// setStore says where to read what the desk did; nil ends the reading.
func (t *tale) setStore(s *tickets.Store) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store = s
}

// say tells something that is in no mailbox and no store.
func (t *tale) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	t.add("note", fmt.Sprintf(format, args...))
}

// news returns the lines so far, and a channel that is closed when there is more to tell or to see.
func (t *tale) news() ([]line, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines[:len(t.lines):len(t.lines)], t.changed
}

// add appends a line and prints it. The caller holds mu.
func (t *tale) add(what, text string) {
	text = strings.Join(strings.Fields(printable(text)), " ")
	l := line{At: t.now().Sub(t.started), What: what, Text: text}
	t.lines = append(t.lines, l)
	t.wake()
	label := fmt.Sprintf("%-6s", what)
	if what == "note" {
		label = "     ·"
	}
	if t.color {
		label = "\x1b[" + colorOf(what) + "m" + label + "\x1b[0m"
		if what == "note" {
			text = "\x1b[1m" + text + "\x1b[0m"
		}
	}
	fmt.Fprintf(t.out, "%6.2fs  %s  %s\n", l.At.Seconds(), label, text)
}

// wake tells those who wait that something is new. The caller holds mu.
func (t *tale) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func colorOf(what string) string {
	switch what {
	case "mail":
		return "36"
	case "ticket":
		return "32"
	case "desk":
		return "34"
	case "held", "lost":
		return "33"
	}
	return "90"
}

// printable replaces what a terminal might obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

// watch looks again whenever the desk has done something, and now and then for what it does without saying so.
func (t *tale) watch(ctx context.Context) {
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.kicked:
		case <-look.C:
		}
		t.mu.Lock()
		t.look()
		t.mu.Unlock()
	}
}

// delivering tells of a mail that is about to lie in somebody's mailbox.
func (t *tale) delivering(sender, to, user string, data []byte) {
	m := mailin.Parse(data, t.now())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	from := "somebody"
	if len(m.From) > 0 {
		from = cmp.Or(m.From[0].Name, m.From[0].Mail)
	}
	files := ""
	if n := len(m.Attachments); n == 1 {
		files = ", with " + m.Attachments[0].Name
	} else if n > 1 {
		files = fmt.Sprintf(", with %d attachments", n)
	}
	what, template := "mail", t.templateOf(m.ID)
	text := fmt.Sprintf("%s writes to %s: %s%s", from, nameOf(to), m.Subject, files)
	if template != "" {
		what, text = "desk", fmt.Sprintf("to %s: %s: %s%s", nameOf(to), inWords(template), m.Subject, files)
	}
	t.add(what, text)
	if user == "" {
		why := "the mail server reports that to the sender"
		if sender == "" {
			why = "it is automatic, so the mail server drops it"
		}
		t.add("lost", fmt.Sprintf("nobody has the address %s; %s", to, why))
	}
}

// delivered wakes those who wait for a mail: it lies in its mailbox now.
func (t *tale) delivered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake()
}

// templateOf tells what a mail of the desk is, by its Message-ID; "" when it is not the desk's. The caller holds mu.
func (t *tale) templateOf(id string) (template string) {
	if t.store == nil || id == "" {
		return ""
	}
	_ = t.store.View(func(tx *tickets.Tx) error { // a tale that cannot be told is no reason to stop a mail
		mails, err := tx.Outbox(true)
		for _, m := range mails {
			if m.MessageID == id {
				template = m.Template
			}
		}
		return err
	})
	return template
}

// inWords is what the desk's mails are for.
func inWords(template string) string {
	words := map[string]string{
		tickets.TemplateAckNew: "acknowledgement", tickets.TemplateAckFollowUp: "acknowledgement of a follow-up", tickets.TemplateAckGeneric: "acknowledgement",
		tickets.TemplateAgentReply: "an agent's answer", tickets.TemplateSolved: "the solution", tickets.TemplateAutoAnswer: "automatic answer",
		tickets.TemplateTicketToTeam: "notice of a new ticket", tickets.TemplateCustomerReplied: "the customer has replied",
		tickets.TemplateReceipt: "receipt of what was done", tickets.TemplateRefused: "nothing was done, and why", tickets.TemplateEscalation: "a deadline is near",
		tickets.TemplateUndelivered: "a mail did not reach the customer", tickets.TemplateHeld: "a held mail wants a decision",
		tickets.TemplateNote: "an internal note", tickets.TemplateAssigned: "the ticket is yours", tickets.TemplateHealth: "about the desk itself",
	}
	return cmp.Or(words[template], template)
}

// look tells what the desk has done since the last look. The caller holds mu.
func (t *tale) look() {
	if t.store == nil {
		return
	}
	err := t.store.View(func(tx *tickets.Tx) error {
		if err := t.lookAtMessages(tx); err != nil {
			return err
		}
		var changed []*tickets.Ticket
		if err := tx.Tickets(true, func(k *tickets.Ticket) (bool, error) {
			if k.Entries > t.entries[k.ID] {
				changed = append(changed, k)
			}
			return true, nil
		}); err != nil {
			return err
		}
		for i := len(changed) - 1; i >= 0; i-- {
			if err := t.lookAtTicket(tx, changed[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && t.store.Err() == nil {
		t.add("note", "the story cannot be told further: "+err.Error())
		t.store = nil
	}
}

// lookAtMessages tells what became of mails that concern no ticket, or join one without changing it.
func (t *tale) lookAtMessages(tx *tickets.Tx) error {
	for {
		m, err := tx.Stored(t.next)
		if err != nil {
			return ignoreMissing(err)
		}
		t.next++
		switch m.Result {
		case tickets.Quarantined:
			t.add("held", fmt.Sprintf("the mail of %s: %s", m.From.Mail, m.Why))
		case tickets.Filed, tickets.Failed:
			t.add("filed", m.Why)
		}
	}
}

// lookAtTicket tells the new entries of a ticket.
func (t *tale) lookAtTicket(tx *tickets.Tx, k *tickets.Ticket) error {
	entries, err := tx.Entries(k.ID)
	if err != nil {
		return err
	}
	for _, e := range entries[t.entries[k.ID]:] {
		if text := tellEntry(k, e); text != "" {
			t.add("ticket", k.Number+" "+text)
		}
	}
	t.entries[k.ID] = k.Entries
	return nil
}

// tellEntry is an entry in words; "" when another line tells it.
func tellEntry(k *tickets.Ticket, e tickets.Entry) string {
	who := nameOf(e.Actor.Name)
	var parts []string
	switch e.Kind {
	case tickets.EntryCreated:
		return fmt.Sprintf("is new: from %s, in %s, for team %s", cmp.Or(k.Requester.Name, k.Requester.Mail), language(k.Language), k.Team)
	case tickets.EntryReceived:
		if e.Seq == 2 {
			return "" // the mail that opened it
		}
		parts = append(parts, "has a new mail of "+who)
	case tickets.EntryAnswered:
		parts = append(parts, "is answered by "+who)
	case tickets.EntryNoted:
		parts = append(parts, "has a note of "+who)
	case tickets.EntryBounced:
		parts = append(parts, "has a mail that came back")
	case tickets.EntryRefused:
		parts = append(parts, "refuses the command of "+who)
	case tickets.EntryChanged:
		parts = append(parts, "is changed by "+strings.TrimSpace(e.Actor.Kind+" "+who))
	case tickets.EntryDelivery:
		parts = append(parts, "has a mail that is not delivered")
	default:
		return ""
	}
	for _, c := range e.Changes {
		switch c.Field {
		case "state":
			parts = append(parts, fmt.Sprintf("%s → %s", inPlain(c.Before), inPlain(c.After)))
		case "assignee":
			parts = append(parts, "now with "+cmp.Or(nameOf(c.After), "nobody"))
		}
	}
	if e.Detail != "" && e.Detail != "reopened" {
		parts = append(parts, e.Detail)
	}
	return strings.Join(parts, "; ")
}

func inPlain(state string) string { return strings.ReplaceAll(state, "_", " ") }

func language(code string) string {
	switch code {
	case "de":
		return "German"
	case "en":
		return "English"
	}
	return code
}

// log is what the desk logs to: its warnings become part of the tale, the rest only says that something was done.
func (t *tale) log() slog.Handler { return taleLog{t, nil} }

type taleLog struct {
	t     *tale
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (l taleLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (l taleLog) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		text := "the desk logs: " + r.Message
		add := func(a slog.Attr) bool { text += " " + a.String(); return true }
		for _, a := range l.attrs {
			add(a)
		}
		r.Attrs(add)
		l.t.mu.Lock()
		l.t.add("note", text)
		l.t.mu.Unlock()
	}
	select {
	case l.t.kicked <- struct{}{}:
	default:
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l taleLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return taleLog{l.t, append(append([]slog.Attr{}, l.attrs...), attrs...)}
}

// WithGroup implements slog.Handler; groups are not shown.
func (l taleLog) WithGroup(string) slog.Handler { return l }

// ignoreMissing turns the end of a list into no error.
func ignoreMissing(err error) error {
	if errors.Is(err, tickets.ErrNotFound) {
		return nil
	}
	return err
}
