package mailin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"supportd/tickets"
)

// openFolder is the folder that is open for writing.
type openFolder struct {
	name      string
	validity  uint32      // 0: its UIDs do not last
	permanent []imap.Flag // flags that last there
}

// can reports whether a flag lasts in the folder.
func (o openFolder) can(flag imap.Flag) bool {
	return hasFlag(o.permanent, flag) || !strings.HasPrefix(string(flag), `\`) && slices.Contains(o.permanent, imap.FlagWildcard)
}

// open opens a folder for writing, unless it is open.
func (m *mirroring) open(ctx context.Context, name string) error {
	if m.at.name == name {
		return nil
	}
	m.at = openFolder{}
	err := m.link.step(ctx, func() error {
		sd, err := m.link.c.Select(name, nil).Wait()
		if err == nil {
			m.at = openFolder{name: name, validity: sd.UIDValidity, permanent: sd.PermanentFlags}
			if m.link.wire.uidsNotSticky() {
				m.at.validity = 0
			}
		}
		return err
	})
	if err != nil {
		return &folderError{folder: name, err: err}
	}
	return nil
}

// candidates bounds how many messages are compared with the one that is looked for.
const candidates = 20

// find looks for messages in the open folder. Those that stand elsewhere are looked for there next; those that stand nowhere
// are lost: somebody moved or deleted them, and they are left alone.
func (m *mirroring) find(ctx context.Context, mails []*mirrorMail) (found []*mirrorMail, err error) {
	at := map[*mirrorMail]uint32{}
	var uids []uint32
	var here []*mirrorMail
	for _, w := range mails {
		if w.left != nil {
			if err := m.remove(ctx, w); err != nil {
				return nil, err
			}
			continue
		}
		here = append(here, w)
		l := w.looks[0]
		uid := l.UID
		if l.search || l.UIDValidity != m.at.validity || m.at.validity == 0 {
			if uid, err = m.searchFor(ctx, w, l); err != nil {
				return nil, err
			}
		}
		if uid != 0 {
			at[w] = uid
			uids = append(uids, uid)
		}
	}
	flags, err := m.link.flags(ctx, uids)
	if err != nil {
		return nil, err
	}
	for _, w := range here {
		have, stands := flags[at[w]]
		if !stands {
			w.nextLook()
			continue
		}
		w.flags = have
		if w.settle(m.spot(m.at.name, m.at.validity, at[w])); m.leftBehind(w) {
			from := w.from
			w.left = &from
			continue
		}
		found = append(found, w)
	}
	return found, nil
}

// settle notes where a message was found.
func (w *mirrorMail) settle(at tickets.Spot) { w.At, w.Lost = at, false }

// leftBehind reports whether a message was copied to where it was found, by the desk, and still is to be removed where it
// stood: the process or the connection ended in between.
func (m *mirroring) leftBehind(w *mirrorMail) bool {
	return w.To != nil && !w.moved && m.name(w.To.Folder) == m.at.name && w.from != w.At && !m.link.caps.Has(imap.CapMove) && m.link.caps.Has(imap.CapUIDPlus)
}

// nextLook goes on to the next place; behind the last the message is lost.
func (w *mirrorMail) nextLook() {
	if w.looks = w.looks[1:]; len(w.looks) == 0 {
		w.ended, w.Lost, w.To = true, true, nil
	}
}

// searchFor finds a message in the open folder by its Message-ID and its content; 0 when it is not there.
func (m *mirroring) searchFor(ctx context.Context, w *mirrorMail, l look) (uint32, error) {
	least := uint32(1)
	if l.search && l.UIDValidity == m.at.validity && m.at.validity != 0 {
		least = max(l.UID, 1)
	}
	criteria := &imap.SearchCriteria{}
	if least > 1 {
		var from imap.UIDSet
		from.AddRange(imap.UID(least), 0)
		criteria.UID = []imap.UIDSet{from}
	}
	if w.MessageID != "" {
		criteria.Header = []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: w.MessageID}}
	} else if least == 1 {
		return 0, nil // it could be any
	}
	list, err := m.link.search(ctx, criteria)
	if err != nil {
		return 0, err
	}
	list = slices.DeleteFunc(list, func(uid uint32) bool { return uid < least }) // n:* names the last one always
	for _, uid := range list[:min(len(list), candidates)] {
		same, err := m.isSame(ctx, uid, w.Identity)
		if err != nil || same {
			return uid, err
		}
	}
	return 0, nil
}

// isSame compares the content of a message of the open folder.
func (m *mirroring) isSame(ctx context.Context, uid uint32, want tickets.Digest) (bool, error) {
	set := imap.UIDSetNum(imap.UID(uid))
	items, err := m.link.describe(ctx, set)
	if err != nil || len(items) != 1 {
		return false, err
	}
	partial, limit := int64(0), m.box.MaxSize+m.box.MaxSize/16+64<<10
	if items[0].size > m.box.MaxSize {
		partial, limit = prefixSize, prefixSize
	}
	same := false
	err = m.link.bodies(ctx, set, partial, limit, func(got uint32, _ int64) (bool, error) { return got == uid, nil }, func(b body) {
		same = read(m.Read, b.raw[:min(int64(len(b.raw)), limit)], items[0].arrived).Identity == want
	})
	var no *imap.Error
	if errors.As(err, &no) {
		return false, nil
	}
	return same, err
}

// flags asks for the flags of messages of the open folder; those that are not there are not in the answer.
func (l *link) flags(ctx context.Context, uids []uint32) (map[uint32][]imap.Flag, error) {
	found := map[uint32][]imap.Flag{}
	slices.Sort(uids)
	for _, set := range uidRuns(slices.Compact(uids), 500) {
		err := l.step(ctx, func() error {
			cmd := l.c.Fetch(set, &imap.FetchOptions{UID: true, Flags: true})
			return l.consume(cmd, func(msg *imapclient.FetchMessageData) error {
				var uid uint32
				var flags []imap.Flag
				for d := msg.Next(); d != nil; d = msg.Next() {
					switch d := d.(type) {
					case imapclient.FetchItemDataUID:
						uid = uint32(d.UID)
					case imapclient.FetchItemDataFlags:
						flags = d.Flags
					case imapclient.FetchItemDataBodySection:
						if err := l.discard(d.Literal); err != nil {
							return err
						}
					}
				}
				if set.Contains(imap.UID(uid)) && uid != 0 {
					found[uid] = flags
				}
				return nil
			})
		})
		if err != nil {
			return nil, fmt.Errorf("ask for flags: %w", err)
		}
	}
	return found, nil
}
