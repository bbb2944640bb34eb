package mailin

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"supportd/tickets"
)

// Mirror is where a Keeper gets what is to stand at the messages in a mailbox, so that every mail client shows the state of
// their tickets: flags, keywords, and folders.
type Mirror interface {
	// Mirrorings returns what is owed of up to limit tickets and due. Each call counts as an attempt at what it returns.
	Mirrorings(ctx context.Context, mailbox string, limit int) ([]tickets.Mirroring, error)
	// NoteStands keeps where messages stand, and where they are about to be moved to.
	NoteStands(ctx context.Context, mailbox string, notes []tickets.StandNote) error
	// MirrorDone says that what was wanted of a ticket stands there.
	MirrorDone(ctx context.Context, mailbox string, m tickets.Mirroring) error
	// MirrorFailed says why it does not.
	MirrorFailed(ctx context.Context, mailbox string, m tickets.Mirroring, reason string) error
}

const (
	mirrorsAtOnce = 50 // tickets
	mirrorBatches = 20 // in one round; the other folders are looked at in between
)

// MirrorStatus says how a Keeper's Mirror is doing.
type MirrorStatus struct {
	Error  string   // why nothing can be put at messages now; one line
	Cannot []string // what the server cannot do, and is not done; one line each
}

// MirrorStatus is a snapshot; it may be asked for at any time.
func (k *Keeper) MirrorStatus() MirrorStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	return MirrorStatus{Error: k.mirrored.Error, Cannot: slices.Clone(k.mirrored.Cannot)}
}

func (k *Keeper) setMirrorError(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mirrored.Error = text
}

// tellCannot says once what the server cannot do.
func (r *keeping) tellCannot(what string) {
	r.mu.Lock()
	told := slices.Contains(r.mirrored.Cannot, what)
	if !told {
		r.mirrored.Cannot = append(r.mirrored.Cannot, what)
	}
	r.mu.Unlock()
	if !told {
		r.own.Log.Warn("tickets are not shown whole in the mailbox", "mailbox", r.box.Name, "err", what)
	}
}

// mirroring is one portion of what is owed.
type mirroring struct {
	*keeping
	list  []tickets.Mirroring
	mails []*mirrorMail
	at    openFolder
}

// mirrorMail is one message on its way.
type mirrorMail struct {
	tickets.Mirrored
	of    *tickets.Mirroring
	from  tickets.Spot  // where it was believed to stand
	looks []look        // where it may stand; the first is looked at next
	left  *tickets.Spot // what is to be removed, now that its copy stands elsewhere
	flags []imap.Flag   // that it has
	moved bool
	ended bool
	why   error // it failed
}

// look is a place to look for a message: at its UID, or by its Message-ID and content from that UID on.
type look struct {
	tickets.Spot
	search bool
}

// mirror puts at messages what is owed. What the server refuses is tried again later; only a lost connection, and an error
// of Mirror, are errors. It reports whether there is more to do.
func (r *keeping) mirror(ctx context.Context) (more bool, err error) {
	if r.Mirror == nil {
		return false, nil
	}
	for range mirrorBatches {
		list, err := r.Mirror.Mirrorings(ctx, r.box.Name, mirrorsAtOnce)
		if err != nil {
			return false, err
		}
		if len(list) == 0 {
			r.setMirrorError("")
			return false, nil
		}
		m := &mirroring{keeping: r, list: list}
		for i := range m.list {
			for _, mail := range m.list[i].Messages {
				m.mails = append(m.mails, m.begin(&m.list[i], mail))
			}
		}
		if err := m.run(ctx); err != nil {
			return false, err
		}
		if err := m.report(ctx); err != nil {
			return false, err
		}
	}
	return true, ctx.Err()
}

// begin says where a message may stand, likeliest first. What was moved away by somebody is not looked for elsewhere.
func (m *mirroring) begin(of *tickets.Mirroring, mail tickets.Mirrored) *mirrorMail {
	w := &mirrorMail{Mirrored: mail, of: of, from: mail.At}
	if mail.To != nil {
		w.looks = append(w.looks, look{*mail.To, true})
	}
	if !mail.Lost {
		w.looks = append(w.looks, look{mail.At, false})
	}
	if m.Mailbox.After == AfterMove && mail.At.Folder == "" && !mail.Lost {
		w.looks = append(w.looks, look{tickets.Spot{Folder: m.Mailbox.MoveTo}, true})
	}
	if mail.Seen != (tickets.Spot{}) {
		w.looks = append(w.looks, look{mail.Seen, false})
	}
	return w
}

// name is a folder's name on the server.
func (m *mirroring) name(folder string) string { return cmp.Or(folder, m.box.Folder) }

// spot names a place as the desk keeps it.
func (m *mirroring) spot(folder string, uidValidity, uid uint32) tickets.Spot {
	if folder == m.box.Folder {
		folder = ""
	}
	return tickets.Spot{Folder: folder, UIDValidity: uidValidity, UID: uid}
}

// waiting are the folders that something is to be done in.
func (m *mirroring) waiting() map[string][]*mirrorMail {
	folders := map[string][]*mirrorMail{}
	for _, w := range m.mails {
		if w.ended {
			continue
		}
		name := ""
		if w.left != nil {
			name = m.name(w.left.Folder)
		} else {
			name = m.name(w.looks[0].Folder)
		}
		folders[name] = append(folders[name], w)
	}
	return folders
}

// run goes from folder to folder until every message is settled, one way or the other.
func (m *mirroring) run(ctx context.Context) error {
	for {
		folders := m.waiting()
		if len(folders) == 0 {
			return nil
		}
		name := m.at.name
		if folders[name] == nil {
			name = slices.Sorted(maps.Keys(folders))[0]
		}
		if err := m.inFolder(ctx, name, folders[name]); err != nil {
			return err
		}
	}
}

// inFolder does everything that is to be done in one folder now.
func (m *mirroring) inFolder(ctx context.Context, name string, mails []*mirrorMail) error {
	if err := m.open(ctx, name); err != nil {
		if !saidNo(err) {
			return err
		}
		for _, w := range mails {
			if w.left == nil && len(w.looks) > 1 {
				w.looks = w.looks[1:] // a folder that is gone, or was renamed
				continue
			}
			w.fail(err)
		}
		return nil
	}
	found, err := m.find(ctx, mails)
	if err != nil {
		return err
	}
	if err := m.put(ctx, found); err != nil {
		return err
	}
	if err := m.moveAll(ctx, found); err != nil {
		return err
	}
	return m.note(ctx, mails)
}

// fail ends the work at a message: it is tried again later.
func (w *mirrorMail) fail(err error) { w.ended, w.why = true, err }

// note keeps where the messages stand that are settled.
func (m *mirroring) note(ctx context.Context, mails []*mirrorMail) error {
	var notes []tickets.StandNote
	for _, w := range mails {
		if !w.ended || w.why != nil {
			continue
		}
		if !w.Lost {
			w.To, w.Put = nil, &tickets.Put{MirrorWish: w.of.MirrorWish, Answered: w.Answered}
		}
		notes = append(notes, tickets.StandNote{Message: w.Message, Stand: w.Stand, Looked: true})
	}
	if err := m.Mirror.NoteStands(ctx, m.box.Name, notes); err != nil {
		return fmt.Errorf("note where messages stand: %w", err)
	}
	return nil
}

// report says how it went with each ticket.
func (m *mirroring) report(ctx context.Context) error {
	for i := range m.list {
		var why error
		for _, w := range m.mails {
			if w.of == &m.list[i] && w.why != nil {
				why = w.why
			}
		}
		var err error
		if why == nil {
			err = m.Mirror.MirrorDone(ctx, m.box.Name, m.list[i])
		} else {
			text := inWords(why, m.box)
			level := slog.LevelWarn
			if text == m.refusal { // a refusal that goes on is told once
				level = slog.LevelDebug
			}
			m.refusal = text
			m.own.Log.Log(ctx, level, "ticket not shown in the mailbox", "mailbox", m.box.Name, "ticket", m.list[i].Ticket, "err", text)
			err = m.Mirror.MirrorFailed(ctx, m.box.Name, m.list[i], text)
		}
		if err != nil {
			return fmt.Errorf("note what stands in the mailbox: %w", err)
		}
	}
	return nil
}

// hasFlag compares as servers do.
func hasFlag(list []imap.Flag, flag imap.Flag) bool {
	return slices.ContainsFunc(list, func(f imap.Flag) bool { return strings.EqualFold(string(f), string(flag)) })
}
