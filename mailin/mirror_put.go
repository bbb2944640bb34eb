package mailin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"supportd/tickets"
)

// put sets and takes away flags of messages of the open folder. Only \Answered and what begins with the desk's own prefix is
// ever touched, and \Answered is never taken away: a person may have set it.
func (m *mirroring) put(ctx context.Context, mails []*mirrorMail) error {
	// Messages that get the same are changed together.
	together := map[string]*flagChange{}
	for _, w := range mails {
		c := m.changeOf(w)
		key := fmt.Sprintf("%q %q", c.away, c.set)
		if together[key] == nil {
			together[key] = c
		}
		together[key].mails = append(together[key].mails, w)
	}
	for _, key := range slices.Sorted(maps.Keys(together)) {
		c := together[key]
		if err := m.storeFlags(ctx, c.mails, imap.StoreFlagsDel, c.away); err != nil {
			return err
		}
		if err := m.storeFlags(ctx, c.mails, imap.StoreFlagsAdd, c.set); err != nil {
			return err
		}
	}
	return nil
}

// flagChange is what becomes of the flags of messages.
type flagChange struct {
	away, set []imap.Flag
	mails     []*mirrorMail
}

func (m *mirroring) changeOf(w *mirrorMail) *flagChange {
	c := &flagChange{}
	var want []imap.Flag
	for _, k := range w.of.Keywords {
		want = append(want, imap.Flag(k))
	}
	for _, f := range w.flags {
		if hasPrefixFold(string(f), w.of.Prefix) && !hasFlag(want, f) {
			c.away = append(c.away, f)
		}
	}
	slices.Sort(c.away)
	if w.Answered {
		want = append(want, imap.FlagAnswered)
	}
	for _, f := range want {
		switch {
		case hasFlag(w.flags, f):
		case !m.at.can(f):
			m.cannotKeep(f)
		default:
			c.set = append(c.set, f)
		}
	}
	return c
}

func (m *mirroring) cannotKeep(f imap.Flag) {
	what := "the server keeps no keywords: messages go without"
	if f == imap.FlagAnswered {
		what = `the server does not keep \Answered: messages go without`
	}
	m.tellCannot(what)
}

func hasPrefixFold(s, prefix string) bool {
	return prefix != "" && len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// storeFlags changes the same flags of messages; what the server refuses fails them.
func (m *mirroring) storeFlags(ctx context.Context, mails []*mirrorMail, op imap.StoreFlagsOp, flags []imap.Flag) error {
	if len(flags) == 0 {
		return nil
	}
	for _, set := range uidRuns(uidsOfMails(mails), 500) {
		tickets.Failpoint("mirror.flags")
		err := m.link.step(ctx, func() error {
			return m.link.c.Store(set, &imap.StoreFlags{Op: op, Silent: true, Flags: flags}, nil).Close()
		})
		if err == nil {
			continue
		}
		err = fmt.Errorf("change flags in folder %q: %w", m.at.name, err)
		if !saidNo(err) {
			return err
		}
		for _, w := range mails {
			w.fail(err)
		}
	}
	return nil
}

func uidsOfMails(mails []*mirrorMail) []uint32 {
	uids := make([]uint32, 0, len(mails))
	for _, w := range mails {
		uids = append(uids, w.At.UID)
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

// target is the folder that a message of the open folder is to stand in. Who is to stand in none leaves only the folders that
// messages are moved to.
func (m *mirroring) target(w *mirrorMail) string {
	switch {
	case w.of.Folder != "":
		return w.of.Folder
	case slices.Contains(w.of.Folders, m.at.name):
		return m.name(w.of.Home)
	}
	return m.at.name
}

// moveAll moves those messages of the open folder that are to stand in another one. The others are settled.
func (m *mirroring) moveAll(ctx context.Context, mails []*mirrorMail) error {
	moves := map[string][]*mirrorMail{}
	for _, w := range mails {
		to := m.target(w)
		switch {
		case w.ended:
		case to == m.at.name, hasFlag(w.flags, imap.FlagDeleted): // that is somebody's wish
			w.ended = true
		case w.moved:
			w.fail(fmt.Errorf("move a message to folder %q: the server said yes, and did not do it", to))
		case !m.link.caps.Has(imap.CapMove) && !m.link.caps.Has(imap.CapUIDPlus):
			m.tellCannot("the server can neither MOVE nor expunge single messages (UIDPLUS): messages stay in their folder")
			w.ended = true
		default:
			moves[to] = append(moves[to], w)
		}
	}
	for _, to := range slices.Sorted(maps.Keys(moves)) {
		for part := range slices.Chunk(moves[to], 100) {
			if err := m.moveTo(ctx, to, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveTo moves messages. That it is about to is kept first: whatever ends in between, they are looked for in both folders,
// and the desk knows its own move from that of a person.
func (m *mirroring) moveTo(ctx context.Context, to string, mails []*mirrorMail) error {
	var status *imap.StatusData
	err := m.link.step(ctx, func() (err error) {
		status, err = m.link.c.Status(to, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
		return err
	})
	if err != nil {
		return m.failed(mails, &folderError{folder: to, err: err})
	}
	notes := make([]tickets.StandNote, 0, len(mails))
	for _, w := range mails {
		aim := m.spot(to, status.UIDValidity, uint32(status.UIDNext))
		w.To = &aim
		notes = append(notes, tickets.StandNote{Message: w.Message, Stand: w.Stand})
	}
	if err := m.Mirror.NoteStands(ctx, m.box.Name, notes); err != nil {
		return fmt.Errorf("note where messages are moved to: %w", err)
	}
	tickets.Failpoint("mirror.intended")
	var uids imap.UIDSet
	for _, uid := range uidsOfMails(mails) {
		uids.AddNum(imap.UID(uid))
	}
	validity, where, err := m.link.moveSet(ctx, uids, to)
	tickets.Failpoint("mirror.moved")
	if err != nil {
		return m.failed(mails, fmt.Errorf("move messages to folder %q: %w", to, err))
	}
	for _, w := range mails {
		w.moved = true
		if uid := where[w.At.UID]; uid != 0 {
			w.settle(m.spot(to, validity, uid))
			w.ended = true
			continue
		}
		w.looks = []look{{*w.To, true}, {w.At, false}}
	}
	return nil
}

// failed ends the work at messages for now, unless the connection has ended.
func (m *mirroring) failed(mails []*mirrorMail, err error) error {
	if !saidNo(err) {
		return err
	}
	for _, w := range mails {
		w.fail(err)
	}
	return nil
}

// moveSet moves messages of the open folder, each of which is in at least one folder at any time, and tells their new UIDs as
// far as the server does (COPYUID).
func (l *link) moveSet(ctx context.Context, set imap.UIDSet, to string) (validity uint32, where map[uint32]uint32, err error) {
	if l.caps.Has(imap.CapMove) {
		err = l.step(ctx, func() error {
			data, err := l.c.Move(set, to).Wait()
			if err == nil && data != nil {
				from, okFrom := data.SourceUIDs.(imap.UIDSet)
				dest, okDest := data.DestUIDs.(imap.UIDSet)
				if okFrom && okDest {
					validity, where = data.UIDValidity, pairUIDs(from, dest)
				}
			}
			return err
		})
		return validity, where, err
	}
	err = l.step(ctx, func() error {
		data, err := l.c.Copy(set, to).Wait()
		if err == nil && data != nil {
			validity, where = data.UIDValidity, pairUIDs(data.SourceUIDs, data.DestUIDs)
		}
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	tickets.Failpoint("mirror.copied")
	return validity, where, l.expunge(ctx, set)
}

// expunge removes messages of the open folder, and no others. It takes UIDPLUS.
func (l *link) expunge(ctx context.Context, set imap.UIDSet) error {
	err := l.step(ctx, func() error {
		return l.c.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
	})
	if err != nil {
		return err
	}
	tickets.Failpoint("mirror.marked")
	return l.step(ctx, func() error { return l.c.UIDExpunge(set).Close() })
}

// remove takes away what a move left behind that was a copy first: its content was found where it was to go.
func (m *mirroring) remove(ctx context.Context, w *mirrorMail) error {
	w.left.Folder = m.name(w.left.Folder)
	if w.left.UIDValidity == m.at.validity && m.at.validity != 0 {
		err := m.link.expunge(ctx, imap.UIDSetNum(imap.UID(w.left.UID)))
		var no *imap.Error
		if err != nil && (!errors.As(err, &no) || !saidNo(err)) {
			return err
		}
		if err != nil {
			w.fail(fmt.Errorf("remove what was moved from folder %q: %w", m.at.name, err))
			return nil
		}
	}
	// Where it was found it is looked at once more, for its flags.
	w.looks, w.left, w.To, w.from = []look{{w.At, false}}, nil, nil, w.At
	return nil
}

// maxPaired bounds what a server can make us expand.
const maxPaired = 1000

// pairUIDs reads COPYUID (RFC 4315 §3): the n-th of one set became the n-th of the other.
func pairUIDs(from, to imap.UIDSet) map[uint32]uint32 {
	a, b := listUIDs(from), listUIDs(to)
	if len(a) != len(b) {
		return nil
	}
	pairs := map[uint32]uint32{}
	for i, uid := range a {
		pairs[uid] = b[i]
	}
	return pairs
}

func listUIDs(set imap.UIDSet) []uint32 {
	var list []uint32
	for _, r := range set {
		if r.Start == 0 || r.Stop < r.Start || int64(r.Stop)-int64(r.Start)+int64(len(list)) >= maxPaired {
			return nil
		}
		for uid := int64(r.Start); uid <= int64(r.Stop); uid++ {
			list = append(list, uint32(uid))
		}
	}
	return list
}
