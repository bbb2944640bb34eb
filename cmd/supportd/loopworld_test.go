package main

import (
	"bytes"
	"container/heap"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
)

// A post office without any network, on a clock that jumps from one mail to the next: whole days of several desks and
// their correspondents pass in a moment. The desks are whole but for IMAP and SMTP: their mails are parsed, judged,
// stored, rendered and composed as ever.

// post carries mail between desks and correspondents.
type post struct {
	*testing.T
	mu      sync.Mutex
	clock   time.Time
	queue   mailQueue
	serial  int
	desks   map[string]*quietDesk    // by domain
	others  map[string]correspondent // by domain
	between func(m *carried)         // changes each mail on its way; nil: nothing does
	bounds  int                      // carried mails after which something is wrong
	moved   int
	last    time.Time // when a mail was carried last
}

// carried is one mail on its way.
type carried struct {
	at       time.Time
	order    int
	from, to string // of the envelope; from may be ""
	raw      []byte
}

// correspondent is somebody who gets mail; whatever they send goes through the post.
type correspondent func(p *post, m carried)

type mailQueue []carried

func (q mailQueue) Len() int { return len(q) }
func (q mailQueue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q mailQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *mailQueue) Push(x any)   { *q = append(*q, x.(carried)) }
func (q *mailQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

var firstMorning = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func newPost(t *testing.T) *post {
	return &post{T: t, clock: firstMorning, desks: map[string]*quietDesk{}, others: map[string]correspondent{}, bounds: 5000}
}

func (p *post) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock
}

func (p *post) set(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.After(p.clock) {
		p.clock = at
	}
}

// send puts a mail on its way.
func (p *post) send(after time.Duration, from, to string, raw []byte) {
	p.serial++
	heap.Push(&p.queue, carried{p.now().Add(after), p.serial, from, to, raw})
}

// writeMail is a person's or a machine's mail; fields are further header fields, each with its line end.
func (p *post) writeMail(from, to, subject, fields, text string) []byte {
	p.serial++
	id := fmt.Sprintf("Message-ID: <n%d.%d@%s>\r\n", p.serial, p.now().Unix(), homeOf(from))
	if strings.Contains(strings.ToLower(fields), "message-id:") {
		id = ""
	}
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n%s%sMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
		from, to, subject, p.now().Format(time.RFC1123Z), id, fields, strings.ReplaceAll(text, "\n", "\r\n"))
}

func homeOf(address string) string {
	_, domain, _ := strings.Cut(bare(address), "@")
	return strings.ToLower(domain)
}

// run lets time pass, and carries what is due.
func (p *post) run(d time.Duration) {
	p.Helper()
	end := p.now().Add(d)
	for {
		next := end
		if len(p.queue) > 0 && p.queue[0].at.Before(next) {
			next = p.queue[0].at
		}
		for _, k := range p.desks {
			if at := k.tick(); !at.IsZero() && at.Before(next) && at.After(p.now()) {
				next = at
			}
		}
		if len(p.queue) > 0 && p.queue[0].at.Before(next) {
			next = p.queue[0].at // a timer has owed something
		}
		p.set(next)
		if len(p.queue) == 0 || p.queue[0].at.After(p.now()) {
			if !next.Before(end) {
				return
			}
			continue
		}
		m := heap.Pop(&p.queue).(carried)
		if p.moved++; p.moved > p.bounds {
			p.Fatalf("after %s more than %d mails have been carried", p.now().Sub(firstMorning), p.bounds)
		}
		p.last = p.now()
		if p.between != nil {
			p.between(&m)
		}
		switch k, other := p.desks[homeOf(m.to)], p.others[homeOf(m.to)]; {
		case k != nil && k.serves(m.to):
			k.receive(m)
		case other != nil:
			other(p, m)
		}
	}
}

// quietDesk is a desk with the rules of a configuration.
type quietDesk struct {
	*post
	desk    *tickets.Desk
	address string
	mailbox string // its name in the configuration
	vouch   bool   // its mail server says of every mail that its sender is proven
	uid     uint32
	results map[tickets.Result]int
	sent    []sentMail
}

// sentMail is a mail that a desk has sent.
type sentMail struct {
	tickets.Outgoing
	raw []byte
	at  time.Time
}

// vouching are the last lines of a configuration whose mail server tells who is authenticated.
const vouching = "trust_auth_results_from: [mx.desk.example]\n"

// openDesk opens a desk at an address; agents have theirs at staff.DOMAIN.
func (p *post) openDesk(address, more string) *quietDesk {
	p.Helper()
	dir := p.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("secret\n"), 0o600); err != nil {
		p.Fatal(err)
	}
	path := filepath.Join(dir, "supportd.yaml")
	text := fmt.Sprintf(`version: 1
mailbox: {imap: "127.0.0.1:1", smtp: "127.0.0.1:2", user: desk, password_file: pw, tls: none}
from: Desk of %s <%s>
language: de
languages: [de, en]
timezone: Europe/Berlin
team: [Anna Berg <anna@staff.%s>, Ben Cohn <ben@staff.%s>]
undo: 0s
%s`, homeOf(address), address, homeOf(address), homeOf(address), more)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
	c, findings := config.Load(path)
	if err := findings.Err(); err != nil {
		p.Fatal(err)
	}
	rules, err := buildRules(c)
	if err != nil {
		p.Fatal(err)
	}
	store, err := tickets.OpenStore(filepath.Join(dir, "state"), tickets.Options{Now: p.now, Random: rand.Reader, Init: true})
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { store.Close() })
	k := &quietDesk{post: p, desk: newDesk(store, rules, p.now, slog.New(slog.NewTextHandler(io.Discard, nil))), address: address, mailbox: c.Mailboxes[0].Name,
		vouch: strings.Contains(more, "trust_auth_results_from"), results: map[tickets.Result]int{}}
	if _, err := k.desk.Place(context.Background(), c.Mailboxes[0].Name, 1); err != nil {
		p.Fatal(err)
	}
	p.desks[homeOf(address)] = k
	return k
}

func (k *quietDesk) serves(to string) bool {
	local, _, _ := strings.Cut(bare(to), "@")
	local, _, _ = strings.Cut(local, "+")
	own, _, _ := strings.Cut(k.address, "@")
	return strings.EqualFold(local, own)
}

// receive takes a mail in as its mail server and mailin would.
func (k *quietDesk) receive(m carried) tickets.Outcome {
	k.Helper()
	var head strings.Builder
	fmt.Fprintf(&head, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", m.from, m.to)
	if k.vouch {
		from := ""
		if parsed, err := mail.ReadMessage(bytes.NewReader(m.raw)); err == nil {
			from = homeOf(parsed.Header.Get("From"))
		}
		verdict := "pass"
		if homeOf(m.from) != from {
			verdict = "none" // whoever sends for another domain is not vouched for
		}
		fmt.Fprintf(&head, "Authentication-Results: mx.desk.example; dmarc=%s header.from=%s\r\n", verdict, from)
	}
	fmt.Fprintf(&head, "Received: from relay by mx.desk.example; %s\r\n", k.now().Format(time.RFC1123Z))
	return k.take(append([]byte(head.String()), m.raw...))
}

// take takes in the octets of a mail.
func (k *quietDesk) take(raw []byte) tickets.Outcome {
	k.Helper()
	k.uid++
	src := tickets.Source{Mailbox: k.mailbox, UIDValidity: 1, UID: k.uid}
	in := tickets.Incoming{Source: src, Arrived: k.now(), Size: int64(len(raw)), Raw: raw, Message: mailin.Parse(raw, k.now())}
	out, err := k.desk.Receive(context.Background(), tickets.Batch{Mailbox: src.Mailbox, UIDValidity: 1, Messages: []tickets.Incoming{in}, Through: k.uid})
	if err != nil {
		k.Fatal(err)
	}
	k.results[out[0].Result]++
	k.deliver()
	return out[0]
}

// tick does what is due, and says when something is due next.
func (k *quietDesk) tick() time.Time {
	k.Helper()
	next, err := k.desk.Tick(context.Background())
	if err != nil {
		k.Fatal(err)
	}
	if due := k.deliver(); !due.IsZero() && (next.IsZero() || due.Before(next)) {
		next = due
	}
	return next
}

// deliver hands over what the desk owes now.
func (k *quietDesk) deliver() (next time.Time) {
	k.Helper()
	ctx := context.Background()
	for {
		due, at, err := k.desk.Due(ctx, k.now(), 50)
		if err != nil {
			k.Fatal(err)
		}
		if len(due) == 0 {
			return at
		}
		var attempts []tickets.Attempt
		var ends []tickets.Delivery
		for _, o := range due {
			attempts = append(attempts, tickets.Attempt{ID: o.ID, At: k.now(), Next: k.now().Add(time.Hour)})
			ends = append(ends, tickets.Delivery{ID: o.ID, At: k.now(), Result: tickets.ResultSent})
			k.sent = append(k.sent, sentMail{o, o.Bytes, k.now()})
			k.send(5*time.Second, o.EnvelopeFrom, o.Recipient, o.Bytes)
		}
		if err := k.desk.Attempt(ctx, attempts); err != nil {
			k.Fatal(err)
		}
		if err := k.desk.Settle(ctx, ends); err != nil {
			k.Fatal(err)
		}
	}
}

// to are the mails that the desk has sent to a domain.
func (k *quietDesk) to(domain string) (list []sentMail) {
	for _, m := range k.sent {
		if homeOf(m.Recipient) == domain {
			list = append(list, m)
		}
	}
	return list
}

// automatic are those that no person caused.
func automatic(list []sentMail) (n int) {
	for _, m := range list {
		if m.Class != tickets.ClassAnswer {
			n++
		}
	}
	return n
}

// alerts are the mails on the desk's health that have the word.
func (k *quietDesk) alerts(word string) (n int) {
	for _, m := range k.sent {
		if m.Template == tickets.TemplateHealth && strings.Contains(mailin.Parse(m.raw, m.at).Text, word) {
			n++
		}
	}
	return n
}

// sound fails the test when the store does not agree with itself.
func (k *quietDesk) sound() {
	k.Helper()
	d, err := k.desk.Store.Doctor(context.Background())
	if err != nil {
		k.Fatal(err)
	}
	if !d.OK {
		k.Errorf("doctor found:\n%s", strings.Join(d.Problems, "\n"))
	}
}
