package mailin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"supportd/mailin/parse"
)

// Trip looks for test mails of our own in a mailbox and removes them again. It touches nothing else: a message counts as
// ours by its Message-ID alone, which nobody but us can know before it was sent.
type Trip struct {
	Mailbox Config
	IDs     []string // Message-IDs without angle brackets
	Folders []string // looked through beside Mailbox.Folder and MoveTo, such as the one for junk
	// Settled says whether whoever follows the mailbox is done with a message of Mailbox.Folder, so that it may go. nil:
	// nobody follows it.
	Settled func(ctx context.Context, uid uint32) bool
}

// Sighting is a test mail that has arrived.
type Sighting struct {
	ID      string
	Folder  string
	UID     uint32
	Arrived time.Time // by the server's clock (INTERNALDATE), in whole seconds
	Seen    time.Time // by ours
	Header  []byte    // as it lies in the mailbox, with what servers on the way have added
	// Left says why the mail is still in the mailbox; "" when it was removed.
	Left string
}

// lookEvery is the pause between two looks into the mailbox.
const lookEvery = time.Second

// Await returns when all the mails have been seen and removed, or when ctx ends; found is told of each at once. What was
// seen is returned with every error. The error is one plain line.
func (t Trip) Await(ctx context.Context, found func(Sighting)) ([]Sighting, error) {
	t.Mailbox = t.Mailbox.withDefaults()
	l, err := dial(ctx, t.Mailbox, 15*time.Second)
	if err != nil {
		return nil, &plainError{text: inWords(err, t.Mailbox), err: err}
	}
	defer l.close()
	seen := map[string]*Sighting{}
	pause := time.NewTicker(lookEvery)
	defer pause.Stop()
	for {
		err := t.look(ctx, l, seen, found)
		list := t.inOrder(seen)
		switch {
		case ctx.Err() != nil:
			return list, nil
		case err != nil:
			return list, &plainError{text: inWords(err, t.Mailbox), err: err}
		case len(list) == len(t.IDs) && !slices.ContainsFunc(list, func(s Sighting) bool { return s.Left == waitsForDesk }):
			return list, l.step(ctx, func() error { return l.c.Logout().Wait() })
		}
		select {
		case <-ctx.Done():
			return list, nil
		case <-pause.C:
		}
	}
}

// waitsForDesk stands in Left as long as the desk that follows the mailbox has not settled the mail.
const waitsForDesk = "the running desk has not read it yet"

func (t Trip) inOrder(seen map[string]*Sighting) []Sighting {
	var list []Sighting
	for _, id := range t.IDs {
		if s := seen[id]; s != nil {
			list = append(list, *s)
		}
	}
	return list
}

// look goes through the folders once.
func (t Trip) look(ctx context.Context, l *link, seen map[string]*Sighting, found func(Sighting)) error {
	folders := append([]string{t.Mailbox.Folder}, t.Folders...)
	if t.Mailbox.MoveTo != "" {
		folders = append(folders, t.Mailbox.MoveTo)
	}
	slices.Sort(folders[1:])
	for _, folder := range slices.Compact(folders) {
		err := l.step(ctx, func() error {
			_, err := l.c.Select(folder, nil).Wait()
			return err
		})
		if err != nil && folder != t.Mailbox.Folder && ctx.Err() == nil {
			continue // it may have been removed, or be closed to us
		}
		if err != nil {
			return &folderError{folder: folder, err: err}
		}
		for _, id := range t.IDs {
			if err := t.lookFor(ctx, l, folder, id, seen, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookFor notes a mail that is in the selected folder, and removes it when it may go. A desk may move the mail between
// two looks: then it is found again, and removed there.
func (t Trip) lookFor(ctx context.Context, l *link, folder, id string, seen map[string]*Sighting, found func(Sighting)) error {
	if s := seen[id]; s != nil && s.Left != waitsForDesk {
		return nil
	}
	criteria := &imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-Id", Value: id}}}
	if !l.caps.Has(imap.CapUIDPlus) {
		criteria.NotFlag = []imap.Flag{imap.FlagDeleted} // that is all we can do to a mail there
	}
	uids, err := l.search(ctx, criteria)
	if err != nil || len(uids) == 0 {
		return err
	}
	messages, err := l.heads(ctx, uids[:min(len(uids), 10)])
	if err != nil {
		return err
	}
	for _, m := range messages {
		if !hasID(m.header, id) {
			continue // SEARCH compares by substring, and some servers more freely
		}
		s := seen[id]
		if s == nil {
			s = &Sighting{ID: id, Folder: folder, UID: m.uid, Arrived: m.arrived, Seen: time.Now(), Header: m.header}
			seen[id] = s
			found(*s)
		}
		s.Folder, s.UID, s.Left = folder, m.uid, waitsForDesk
		if folder == t.Mailbox.Folder && t.Settled != nil && !t.Settled(ctx, m.uid) {
			continue
		}
		s.Left = "the connection ended before it was removed"
		left, gone, err := l.remove(ctx, m.uid)
		if err != nil {
			return err
		}
		if s.Left = left; left == "" && !gone && t.Settled != nil {
			s.Left = waitsForDesk // it was quicker, and has moved it
		}
	}
	return nil
}

// remove takes one message out of the selected folder; gone says that it was there. Without UIDPLUS it is only marked: a
// plain EXPUNGE would take along what other people have marked.
func (l *link) remove(ctx context.Context, uid uint32) (left string, gone bool, err error) {
	set := imap.UIDSetNum(imap.UID(uid))
	err = l.step(ctx, func() error {
		return l.c.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
	})
	if err == nil && !l.caps.Has(imap.CapUIDPlus) {
		return "the server cannot remove single messages (UIDPLUS): it is marked as deleted", false, nil
	}
	if err == nil {
		err = l.step(ctx, func() error {
			removed, err := l.c.UIDExpunge(set).Collect()
			gone = len(removed) > 0
			return err
		})
	}
	if s := refusal(err); s != "" {
		return s, false, nil
	}
	return "", gone, err
}

// head is what is read of a test mail.
type head struct {
	uid     uint32
	arrived time.Time
	header  []byte
}

func (l *link) heads(ctx context.Context, uids []uint32) ([]head, error) {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	section := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true}
	var list []head
	err := l.step(ctx, func() error {
		messages, err := l.c.Fetch(set, &imap.FetchOptions{UID: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
		for _, m := range messages {
			list = append(list, head{uid: uint32(m.UID), arrived: m.InternalDate, header: headerOf(m)})
		}
		return err
	})
	return list, err
}

func headerOf(m *imapclient.FetchMessageBuffer) []byte {
	for _, s := range m.BodySection {
		return s.Bytes
	}
	return nil
}

// hasID reports whether a header has the Message-ID, and no other.
func hasID(header []byte, id string) bool {
	return strings.EqualFold(parse.Message(slices.Concat(header, []byte("\r\n\r\n"))).ID, id)
}

// quota notes how full the mailbox is, when the server tells (RFC 9208).
func (l *link) quota(ctx context.Context, folder string, r *ProbeReport) error {
	if !l.caps.Has(imap.CapQuota) {
		return nil
	}
	var roots []imapclient.QuotaData
	err := l.step(ctx, func() (err error) {
		roots, err = l.c.GetQuotaRoot(folder).Wait()
		return err
	})
	if refusal(err) != "" {
		return nil // it has the extension and does not use it
	}
	for _, root := range roots {
		if s, ok := root.Resources[imap.QuotaResourceStorage]; ok && s.Limit > 0 && r.QuotaLimit == 0 {
			r.QuotaUsed, r.QuotaLimit = s.Usage<<10, s.Limit<<10
		}
	}
	return err
}

// refusal is what the server says when it answered a command with NO or BAD; "" otherwise.
func refusal(err error) string {
	var status *imap.Error
	if errors.As(err, &status) && status.Type != imap.StatusResponseTypeBye {
		return fmt.Sprintf("the server says %q", oneLine(status.Text))
	}
	return ""
}
