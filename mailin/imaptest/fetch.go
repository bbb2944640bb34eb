package imaptest

import (
	"bufio"
	"bytes"
	"io"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-message/textproto"
)

// picked is a message as it was when a command looked at it.
type picked struct {
	m     *message
	seq   uint32 // as the client counts; 0 when it has not heard of it yet
	raw   []byte
	flags []imap.Flag
}

// pick finds the messages of a set and applies change to each; the caller holds mu.
func (s *session) pick(set imap.NumSet, change func(seq uint32, m *message)) []picked {
	var list []picked
	last := uint32(s.box.next) - 1
	if n := len(s.box.messages); n > 0 {
		last = uint32(s.box.messages[n-1].uid)
	}
	for i, m := range s.box.messages {
		seq := s.view.EncodeSeqNum(uint32(i) + 1)
		var ok bool
		switch set := set.(type) {
		case imap.UIDSet:
			ok = containsUID(set, uint32(m.uid), last)
		case imap.SeqSet:
			ok = containsSeq(set, seq, uint32(len(s.box.messages)))
		}
		if !ok || seq == 0 || s.srv.faults.hidden(m.uid) {
			continue
		}
		if change != nil {
			change(uint32(i)+1, m)
		}
		list = append(list, picked{m: m, seq: seq, raw: m.raw, flags: m.flagList()})
	}
	return list
}

// containsUID resolves * to the last UID; n:* holds it always (RFC 9051 §6.4.8).
func containsUID(set imap.UIDSet, uid, last uint32) bool {
	return slices.ContainsFunc(set, func(r imap.UIDRange) bool { return inRange(uint32(r.Start), uint32(r.Stop), uid, last) })
}

func containsSeq(set imap.SeqSet, seq, last uint32) bool {
	return slices.ContainsFunc(set, func(r imap.SeqRange) bool { return inRange(r.Start, r.Stop, seq, last) })
}

func inRange(start, stop, n, last uint32) bool {
	if start == 0 {
		start = last
	}
	if stop == 0 {
		stop = last
	}
	return min(start, stop) <= n && n <= max(start, stop)
}

// Fetch implements imapserver.Session.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	seen := slices.ContainsFunc(o.BodySection, func(b *imap.FetchItemBodySection) bool { return !b.Peek }) ||
		slices.ContainsFunc(o.BinarySection, func(b *imap.FetchItemBinarySection) bool { return !b.Peek })
	s.srv.mu.Lock()
	list := s.pick(set, func(seq uint32, m *message) {
		if seen && !m.hasFlag(imap.FlagSeen) {
			m.setFlag(imap.FlagSeen)
			s.box.tracker.QueueMessageFlags(seq, m.uid, m.flagList(), nil)
			s.box.wake()
		}
	})
	s.srv.counts.Fetches++
	s.srv.counts.Bodies += len(o.BodySection) * len(list)
	refused := s.srv.faults.refused()
	s.srv.mu.Unlock()
	for _, p := range list {
		if text, ok := refused[uint32(p.m.uid)]; ok && len(o.BodySection) > 0 {
			return no("", text)
		}
		if err := writeMessage(w.CreateMessage(p.seq), p, o); err != nil {
			return err
		}
	}
	return nil
}

// writeMessage writes one response. It is closed in any case: until then nothing else can be written to the connection.
func writeMessage(w *imapserver.FetchResponseWriter, p picked, o *imap.FetchOptions) error {
	err := writeItems(w, p, o)
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return err
}

func writeItems(w *imapserver.FetchResponseWriter, p picked, o *imap.FetchOptions) error {
	w.WriteUID(p.m.uid)
	if o.Flags {
		w.WriteFlags(p.flags)
	}
	if o.InternalDate {
		w.WriteInternalDate(p.m.arrived)
	}
	if o.RFC822Size {
		w.WriteRFC822Size(int64(len(p.raw)))
	}
	if o.Envelope {
		var envelope *imap.Envelope
		if h, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(p.raw))); err == nil {
			envelope = imapserver.ExtractEnvelope(h)
		}
		w.WriteEnvelope(envelope)
	}
	if o.BodyStructure != nil {
		w.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(p.raw)))
	}
	for _, b := range o.BodySection {
		data := p.raw
		if len(b.Part) > 0 || b.Specifier != imap.PartSpecifierNone || b.Partial != nil {
			data = imapserver.ExtractBodySection(bytes.NewReader(p.raw), b)
		}
		if err := writeLiteral(w.WriteBodySection(b, int64(len(data))), data); err != nil {
			return err
		}
	}
	for _, b := range o.BinarySection {
		data := imapserver.ExtractBinarySection(bytes.NewReader(p.raw), b)
		if err := writeLiteral(w.WriteBinarySection(b, int64(len(data))), data); err != nil {
			return err
		}
	}
	for _, b := range o.BinarySectionSize {
		w.WriteBinarySectionSize(b, imapserver.ExtractBinarySectionSize(bytes.NewReader(p.raw), b))
	}
	return nil
}

func writeLiteral(w io.WriteCloser, data []byte) error {
	_, err := w.Write(data)
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return err
}
