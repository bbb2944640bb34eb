package mailin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"supportd/tickets"
)

const (
	maxListed   = 5 << 20 // messages of one folder that a listing may name
	bodyTimeout = 5 * time.Minute
	firstAlloc  = 8 << 20 // what a message is believed to need before it has come
	prefixSize  = 256 << 10
)

// item is what the server says about a message before its body is read.
type item struct {
	uid     uint32
	arrived time.Time // INTERNALDATE; zero when not known
	size    int64     // RFC822.SIZE; 0 when not known
	known   bool      // the server answered for this UID
}

// errCut says that a body was larger than allowed, or than its message may be; the connection is closed.
var errCut = errors.New("body cut off")

// brokenAt is a connection that ended while, or just before, the body of uid was read.
type brokenAt struct {
	uid uint32
	err error
}

func (e *brokenAt) Error() string { return fmt.Sprintf("read UID %d: %v", e.uid, e.err) }
func (e *brokenAt) Unwrap() error { return e.err }

// search runs UID SEARCH and gives the UIDs in order, each once.
func (l *link) search(ctx context.Context, criteria *imap.SearchCriteria) ([]uint32, error) {
	var uids []uint32
	err := l.step(ctx, func() error {
		data, err := l.c.UIDSearch(criteria, nil).Wait()
		if err != nil {
			return err
		}
		set, ok := data.All.(imap.UIDSet)
		if !ok {
			return nil
		}
		// AllUIDs would expand 1:4294967295 without a thought.
		for _, r := range set {
			if r.Start == 0 || r.Stop < r.Start || int64(r.Stop)-int64(r.Start)+int64(len(uids)) >= maxListed {
				return fmt.Errorf("read answer to SEARCH: more than %d messages: %w", maxListed, errFlood)
			}
			for uid := int64(r.Start); uid <= int64(r.Stop); uid++ {
				uids = append(uids, uint32(uid))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// describe asks for INTERNALDATE and RFC822.SIZE. Answers come back sorted by UID; who did not answer is not in them.
// ENVELOPE and BODYSTRUCTURE are never asked for: one malformed value of theirs ends the connection.
func (l *link) describe(ctx context.Context, set imap.UIDSet) ([]item, error) {
	var items []item
	err := l.step(ctx, func() error {
		cmd := l.c.Fetch(set, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true})
		return l.consume(cmd, func(m *imapclient.FetchMessageData) error {
			it := item{known: true}
			for d := m.Next(); d != nil; d = m.Next() {
				switch d := d.(type) {
				case imapclient.FetchItemDataUID:
					it.uid = uint32(d.UID)
				case imapclient.FetchItemDataInternalDate:
					it.arrived = d.Time
				case imapclient.FetchItemDataRFC822Size:
					it.size = d.Size
				case imapclient.FetchItemDataBodySection:
					if err := l.discard(d.Literal); err != nil {
						return err
					}
				}
			}
			if len(items) >= maxListed {
				return fmt.Errorf("read descriptions: more than %d messages: %w", maxListed, errFlood)
			}
			if it.uid != 0 {
				items = append(items, it)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("describe messages: %w", err)
	}
	slices.SortFunc(items, func(a, b item) int { return int(int64(a.uid) - int64(b.uid)) })
	return items, nil
}

// consume reads a FETCH to its end. After an error of take the connection is closed and the command abandoned: reading
// on after a broken literal would race with the client's own reader.
func (l *link) consume(cmd *imapclient.FetchCommand, take func(*imapclient.FetchMessageData) error) error {
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		if err := take(m); err != nil {
			l.raw.Close()
			if !errors.Is(err, errLiteral) {
				l.drain(cmd, m)
			}
			return err
		}
	}
	return cmd.Close()
}

// errLiteral marks an error that came out of a literal: the command must not be touched any more.
var errLiteral = errors.New("literal ended early")

// drain reads off what the client's reader holds, so that it can end; up to the first literal that breaks.
func (l *link) drain(cmd *imapclient.FetchCommand, m *imapclient.FetchMessageData) {
	for ; m != nil; m = cmd.Next() {
		for d := m.Next(); d != nil; d = m.Next() {
			if s, ok := d.(imapclient.FetchItemDataBodySection); ok && l.discard(s.Literal) != nil {
				return
			}
		}
	}
}

// discard reads a literal to its end, so that the client can go on.
func (l *link) discard(lit imap.LiteralReader) error {
	if lit == nil {
		return nil
	}
	n, err := io.Copy(io.Discard, lit)
	if err == nil && n != lit.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("%w after %d of %d octets: %w", errLiteral, n, lit.Size(), err)
	}
	return nil
}

// read reads a literal whole into a buffer of its size. Of one larger than limit only the first prefixSize octets are
// read; then the connection is closed and the error is errCut. A short literal is an error, never a message (S-017).
func (l *link) read(lit imap.LiteralReader, limit int64) ([]byte, error) {
	size := lit.Size()
	want := size
	if size > limit {
		want = prefixSize
	}
	buf := make([]byte, 0, min(want, firstAlloc))
	for int64(len(buf)) < want {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(want, 2*int64(cap(buf))))
			copy(grown, buf)
			buf = grown
		}
		n, err := lit.Read(buf[len(buf):min(cap(buf), int(want))])
		buf = buf[:len(buf)+n]
		if err != nil && int64(len(buf)) < want {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("%w after %d of %d octets: %w", errLiteral, len(buf), size, err)
		}
	}
	if want < size {
		l.raw.Close()
		l.discard(lit) // whatever was buffered; the reader goes on from here and ends
		return buf, fmt.Errorf("%w: %w", errLiteral, errCut)
	}
	if err := l.discard(rest{lit, size}); err != nil {
		return nil, err
	}
	return buf, nil
}

// rest is a literal of which size octets have been read: its end has to be seen before the client goes on.
type rest struct {
	imap.LiteralReader
	size int64
}

func (r rest) Size() int64 { return 0 }

// body is one message as it came.
type body struct {
	uid uint32
	raw []byte // never empty
	cut bool   // larger than limit: raw is a prefix
}

// bodies reads whole messages, in whatever order the server sends them. admit is called before a body is read and may
// wait; when it says false the body is thrown away, as if the server had not sent it. A body that is cut off ends the
// connection, after take has had it. What the server did not send is not an error here.
func (l *link) bodies(ctx context.Context, set imap.UIDSet, partial, limit int64, admit func(uid uint32, size int64) (bool, error), take func(body)) error {
	section := &imap.FetchItemBodySection{Peek: true}
	if partial > 0 {
		section.Partial = &imap.SectionPartial{Size: partial}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { l.raw.Close() })()
	// The limit is on each message, and not on the time that admit waits.
	watch := time.AfterFunc(l.limit, func() { cancel(errNoAnswer) })
	defer watch.Stop()
	l.wire.begin()

	var reading uint32
	cmd := l.c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	err := l.consume(cmd, func(m *imapclient.FetchMessageData) error {
		var uid uint32
		got := false
		for d := m.Next(); d != nil; d = m.Next() {
			switch d := d.(type) {
			case imapclient.FetchItemDataUID:
				uid = uint32(d.UID)
			case imapclient.FetchItemDataBodySection:
				if d.Literal == nil {
					continue // NIL
				}
				reading = uid
				watch.Stop()
				ok := false
				if uid != 0 && !got && d.Literal.Size() > 0 {
					var err error
					if ok, err = admit(uid, min(d.Literal.Size(), limit)); err != nil {
						return err
					}
				}
				watch.Reset(min(bodyTimeout, 5*l.limit))
				if !ok {
					if d.Literal.Size() > limit {
						return fmt.Errorf("read UID %d: %w", uid, errFlood)
					}
					if err := l.discard(d.Literal); err != nil {
						return err
					}
					continue
				}
				raw, err := l.read(d.Literal, limit)
				if err != nil && !errors.Is(err, errCut) {
					return err
				}
				tickets.Failpoint("fetch.body")
				got = true
				take(body{uid: uid, raw: raw, cut: err != nil})
				if err != nil {
					return err
				}
			}
		}
		reading = 0
		watch.Reset(l.limit)
		l.wire.begin()
		return nil
	})
	var no *imap.Error
	if err == nil || errors.As(err, &no) {
		return err
	}
	return &brokenAt{uid: reading, err: l.explain(ctx, err)}
}

// uidRuns cuts sorted UIDs into sets of at most n UIDs and 500 ranges: real servers take command lines of 8 KB.
func uidRuns(uids []uint32, n int) []imap.UIDSet {
	var runs []imap.UIDSet
	var set imap.UIDSet
	count := 0
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
		if count++; count >= n || len(set) >= 500 {
			runs, set, count = append(runs, set), nil, 0
		}
	}
	if count > 0 {
		runs = append(runs, set)
	}
	return runs
}
