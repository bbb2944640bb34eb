package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// shadow decides about live mail by a second configuration as well, and says where the two differ. It stands between the
// mailboxes and the desk, hands everything on as it comes, and neither stores nor sends anything of its own (S4).
type shadow struct {
	mailin.Receiver // the desk

	live  *tickets.Desk
	other *tickets.Desk // the same store, the other rules; only asked, never told
	path  string
	log   *slog.Logger

	mu     sync.Mutex
	counts shadowCounts
}

// shadowCounts are what was seen since the start.
type shadowCounts struct {
	Same, Different uint64            // messages
	What            map[string]uint64 // differences, by what differs
}

// newShadow loads the other configuration: a file, or a folder with a supportd.yaml.
func newShadow(path string, live *tickets.Desk, now func() time.Time, log *slog.Logger) (*shadow, error) {
	j, err := newJudge(path)
	if err != nil {
		return nil, err
	}
	return &shadow{Receiver: live, live: live, other: tickets.NewDesk(live.Store, j.rules, now, log), path: path, log: log,
		counts: shadowCounts{What: map[string]uint64{}}}, nil
}

// reload takes the other configuration anew. One that cannot be used changes nothing.
func (s *shadow) reload() {
	j, err := newJudge(s.path)
	if err != nil {
		s.log.Error("shadow configuration refused; the old one stays in use", "config", s.path, "err", err)
		return
	}
	s.other.SetRules(j.rules)
	s.log.Info("shadow configuration loaded", "config", s.path, "rev", j.rules.Rev)
}

// Receive hands a batch to the desk, and tells what the other configuration would have done with each message. What is
// known of a message is looked up before the desk has settled it. Whatever goes wrong with the comparison is logged and
// costs the message nothing.
func (s *shadow) Receive(ctx context.Context, b tickets.Batch) ([]tickets.Outcome, error) {
	found := make([][]disagreement, len(b.Messages))
	compared := make([]bool, len(b.Messages))
	for i := range b.Messages {
		found[i], compared[i] = s.compare(&b.Messages[i])
	}
	out, err := s.Receiver.Receive(ctx, b)
	if err != nil {
		return out, err // it comes again
	}
	for i, differ := range found {
		if compared[i] {
			s.count(differ)
		}
		for _, d := range differ {
			if d.What == "ci" {
				d.Old, d.New = "", "" // may be words of the mail, and those are never logged
			}
			s.log.Info("shadow differs", "mailbox", b.Mailbox, "uid", b.Messages[i].Source.UID, "ticket", out[i].Ticket,
				"what", d.What, "live", d.Old, "shadow", d.New, "rev", s.other.Rules().Rev)
		}
	}
	return out, nil
}

func (s *shadow) compare(in *tickets.Incoming) (differ []disagreement, ok bool) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("message not compared with the shadow configuration", "mailbox", in.Source.Mailbox, "uid", in.Source.UID)
			differ, ok = nil, false
		}
	}()
	if _, follows := s.other.Rules().Mailboxes[in.Source.Mailbox]; !follows {
		return []disagreement{{What: "mailbox", Old: in.Source.Mailbox, New: ""}}, true
	}
	live, err := s.live.Explain(in)
	if err == nil {
		var other tickets.Decision
		if other, err = s.other.Explain(in); err == nil {
			return compareDecisions(live, other), true
		}
	}
	s.log.Error("message not compared with the shadow configuration", "mailbox", in.Source.Mailbox, "uid", in.Source.UID, "err", err)
	return nil, false
}

func (s *shadow) count(differ []disagreement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(differ) == 0 {
		s.counts.Same++
		return
	}
	s.counts.Different++
	for _, d := range differ {
		what, _, _ := strings.Cut(d.What, ":")
		s.counts.What[what]++
	}
}

// seen is a copy of the counts.
func (s *shadow) seen() shadowCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := shadowCounts{Same: s.counts.Same, Different: s.counts.Different, What: map[string]uint64{}}
	for what, n := range s.counts.What {
		c.What[what] = n
	}
	return c
}

// receiver is whom the mailboxes hand their mail to.
func (d *Daemon) receiver() mailin.Receiver {
	if d.shadow != nil {
		return d.shadow
	}
	return d.desk
}
