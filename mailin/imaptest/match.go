package imaptest

import (
	"bufio"
	"bytes"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-message/textproto"
)

// Search implements imapserver.Session.
func (s *session) Search(kind imapserver.NumKind, c *imap.SearchCriteria, _ *imap.SearchOptions) (*imap.SearchData, error) {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	var data imap.SearchData
	var seqs imap.SeqSet
	var uids imap.UIDSet
	for _, p := range s.pick(imap.SeqSet{{Start: 1, Stop: 0}}, nil) {
		if !s.matches(p, c) {
			continue
		}
		n := uint32(p.m.uid)
		if kind == imapserver.NumKindSeq {
			n = p.seq
		}
		seqs.AddNum(p.seq)
		uids.AddNum(p.m.uid)
		if data.Count == 0 || n < data.Min {
			data.Min = n
		}
		data.Max = max(data.Max, n)
		data.Count++
	}
	data.All = uids
	if kind == imapserver.NumKindSeq {
		data.All = seqs
	}
	return &data, nil
}

// matches decides about one message; the caller holds mu.
func (s *session) matches(p picked, c *imap.SearchCriteria) bool {
	last := uint32(0)
	if n := len(s.box.messages); n > 0 {
		last = uint32(s.box.messages[n-1].uid)
	}
	for _, set := range c.SeqNum {
		if !containsSeq(set, p.seq, uint32(len(s.box.messages))) {
			return false
		}
	}
	for _, set := range c.UID {
		if !containsUID(set, uint32(p.m.uid), last) {
			return false
		}
	}
	for _, flag := range c.Flag {
		if !p.m.hasFlag(flag) {
			return false
		}
	}
	for _, flag := range c.NotFlag {
		if p.m.hasFlag(flag) {
			return false
		}
	}
	if c.Larger != 0 && int64(len(p.raw)) <= c.Larger || c.Smaller != 0 && int64(len(p.raw)) >= c.Smaller {
		return false
	}
	if !between(p.m.arrived, c.Since, c.Before) || !matchesText(p.raw, c) {
		return false
	}
	for i := range c.Not {
		if s.matches(p, &c.Not[i]) {
			return false
		}
	}
	for i := range c.Or {
		if !s.matches(p, &c.Or[i][0]) && !s.matches(p, &c.Or[i][1]) {
			return false
		}
	}
	return true
}

// between compares days, as SINCE and BEFORE do.
func between(t, since, before time.Time) bool {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return (since.IsZero() || !day.Before(since)) && (before.IsZero() || day.Before(before))
}

// matchesText decides about the criteria that need the message read.
func matchesText(raw []byte, c *imap.SearchCriteria) bool {
	if len(c.Header)+len(c.Body)+len(c.Text) == 0 && c.SentSince.IsZero() && c.SentBefore.IsZero() {
		return true
	}
	br := bufio.NewReader(bytes.NewReader(raw))
	fields, err := textproto.ReadHeader(br)
	if err != nil {
		return false
	}
	header := mail.Header{}
	header.Header.Header = fields
	if !c.SentSince.IsZero() || !c.SentBefore.IsZero() {
		sent, err := header.Date()
		if err != nil || !between(sent, c.SentSince, c.SentBefore) {
			return false
		}
	}
	for _, want := range c.Header {
		found := false
		for f := fields.FieldsByKey(want.Key); f.Next(); {
			found = found || containsFold(f.Value(), want.Value)
		}
		if !found {
			return false
		}
	}
	whole := string(raw)
	for _, want := range c.Text {
		if !containsFold(whole, want) {
			return false
		}
	}
	_, text, _ := strings.Cut(whole, "\r\n\r\n")
	for _, want := range c.Body {
		if !containsFold(text, want) {
			return false
		}
	}
	return true
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
