package main

import (
	"context"
	"fmt"

	"supportd/mailin"
	"supportd/tickets"
)

// What the messages in a mailbox show of their tickets: flags, keywords and folders.

// mirrorView is how that is doing in one mailbox.
type mirrorView struct {
	Mailbox string   `json:"mailbox"`
	Waiting int      `json:"waiting"` // tickets of which something is still to be shown
	Reason  string   `json:"reason"`  // why the last attempt at one failed
	Lost    int      `json:"lost"`    // messages that somebody moved or deleted, and that are left alone
	Error   string   `json:"error"`   // why nothing can be done now
	Cannot  []string `json:"cannot"`  // what the server cannot do, and is not done
}

// String is a line of supportd status, and one more for each thing that the server cannot do.
func (m mirrorView) String() string {
	text := fmt.Sprintf("tickets shown in mailbox %s: %s waiting%s", m.Mailbox, count(m.Waiting, "ticket", "tickets"), prefixed(" – ", firstOf(m.Error, m.Reason)))
	if m.Lost > 0 {
		text += fmt.Sprintf(", %s moved away by somebody", count(m.Lost, "mail", "mails"))
	}
	for _, c := range m.Cannot {
		text += "\n  " + c
	}
	return text
}

// mirrors is how a mailbox's mirror is doing, when it has one.
func (w *worker) mirrors() []mirrorView {
	if w.keeper == nil || w.keeper.Mirror == nil {
		return nil
	}
	s := w.keeper.MirrorStatus()
	return []mirrorView{{Mailbox: w.config.Name, Error: s.Error, Cannot: append([]string{}, s.Cannot...)}}
}

// countMirrors fills in what is owed to mailboxes.
func (v *statusView) countMirrors(tx *tickets.Tx) {
	for i := range v.Mirrors {
		m := &v.Mirrors[i]
		w := tx.MirrorWaiting(m.Mailbox)
		m.Waiting, m.Reason, m.Lost = w.Tickets, w.Reason, w.Lost
	}
}

// readersMirror has a mailbox show the tickets of the desk that reads it: one that another desk reads is not touched.
type readersMirror struct {
	*tickets.Desk
	inbox *mailin.Poller
}

// Mirrorings implements mailin.Mirror.
func (m readersMirror) Mirrorings(ctx context.Context, mailbox string, limit int) ([]tickets.Mirroring, error) {
	if !m.inbox.Status().Connected {
		return nil, nil
	}
	return m.Desk.Mirrorings(ctx, mailbox, limit)
}

// setMirrors has mailboxes show what the configuration says.
func (d *Daemon) setMirrors(ctx context.Context) {
	if err := d.desk.SetMirrors(ctx); err != nil {
		d.log.Error("mailboxes show of their tickets what the configuration before said; a restart tries again", "err", err)
	}
}
