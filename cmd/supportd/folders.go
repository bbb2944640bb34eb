package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
)

// The folders of a mailbox beside the one that is followed: mail that was sent by hand, copies of what the desk sent, and
// folders in which moving is an action.

// folderView is how a folder beside the one that a mailbox follows is doing.
type folderView struct {
	Mailbox   string    `json:"mailbox"`
	Folder    string    `json:"folder"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`
	LastPoll  time.Time `json:"last_poll"`
	Error     string    `json:"error"`
	Waiting   int       `json:"waiting"`    // copies of sent mails that it is to get
	CopyError string    `json:"copy_error"` // why the last attempt at one failed

	sent bool // it gets copies of sent mails
}

// String is a line of supportd status.
func (f folderView) String() string {
	state := "read"
	if !f.Connected {
		state = "not read"
	}
	looked := "not looked at yet"
	if !f.LastPoll.IsZero() {
		looked = fmt.Sprintf("looked at %s ago", ago(f.LastPoll))
	}
	text := fmt.Sprintf("folder %s of mailbox %s: %s%s, %s", f.Folder, f.Mailbox, state, prefixed(" – ", f.Error), looked)
	if f.Waiting > 0 {
		text += fmt.Sprintf(", %d copies waiting%s", f.Waiting, prefixed(" – ", f.CopyError))
	}
	return text
}

// keep gives a mailbox what looks after its further folders, when it has any.
func (d *Daemon) keep(w *worker) {
	m := w.config
	var follow []*mailin.Followed
	moved := tickets.MovedIntake{Desk: d.desk}
	for _, move := range m.Moves {
		name := tickets.MovedTo(m.Name, move.Folder)
		follow = append(follow, &mailin.Followed{Name: name, Folder: move.Folder, Read: mailin.Parse, To: moved,
			Begin: func(ctx context.Context, uidValidity, next uint32) error {
				return moved.Begin(ctx, name, uidValidity, next)
			}})
	}
	if m.Sent != "" {
		follow = append(follow, &mailin.Followed{Name: tickets.SentOf(m.Name), Folder: m.Sent, Read: mailin.Parse,
			To: inboxFirst{Receiver: d.receiver(), inbox: w.poller}})
	}
	if len(follow) == 0 && m.Mirror == nil {
		return
	}
	w.stir = make(chan struct{}, 1)
	w.keeper = &mailin.Keeper{Mailbox: mailboxConfig(m, d.tokens), Follow: follow, Wake: w.stir, Log: d.log, Now: d.options.Now,
		Rand: w.poller.Rand, Timing: d.options.Timing}
	if m.SentCopies {
		w.keeper.Copies, w.keeper.Sent = d.desk, m.Sent
	}
	if m.Mirror != nil {
		w.keeper.Mirror, w.keeper.Read = readersMirror{Desk: d.desk, inbox: w.poller}, d.guard.Read
	}
}

// run follows the mailbox and its further folders until ctx ends, or one of the two cannot go on.
func (w *worker) run(ctx context.Context) error {
	if w.keeper == nil {
		return w.poller.Run(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var kept error
	var group sync.WaitGroup
	group.Go(func() {
		defer cancel()
		kept = w.keeper.Run(ctx)
	})
	err := w.poller.Run(ctx)
	cancel()
	group.Wait()
	return errors.Join(err, kept)
}

// folders is how the further folders are doing.
func (w *worker) folders() []folderView {
	if w.keeper == nil {
		return nil
	}
	var list []folderView
	for _, f := range w.keeper.Follow {
		s := f.Status()
		list = append(list, folderView{Mailbox: w.config.Name, Folder: f.Folder, Connected: s.Connected, Since: s.Since, LastPoll: s.LastPoll, Error: s.Error,
			sent: w.keeper.Copies != nil && f.Folder == w.keeper.Sent})
	}
	return list
}

// inboxFirst has the inbox looked at before mail that was sent by hand: what that answers may have come only now, or
// while the desk was down, and has to be a ticket first.
type inboxFirst struct {
	mailin.Receiver
	inbox *mailin.Poller
}

// inboxPatience is how long the inbox is waited for; then the connection is given up, and the folder read again later.
const inboxPatience = time.Minute

var errInboxFirst = errors.New("mail that was sent by hand waits until new mail can be read")

// Receive implements mailin.Receiver.
func (f inboxFirst) Receive(ctx context.Context, b tickets.Batch) ([]tickets.Outcome, error) {
	for _, in := range b.Messages {
		if in.Message == nil {
			continue
		}
		look, cancel := context.WithTimeout(ctx, inboxPatience)
		defer cancel()
		if err := f.inbox.Look(look); err != nil {
			return nil, errInboxFirst
		}
		break
	}
	return f.Receiver.Receive(ctx, b)
}

// runErrands has whoever looks after further folders do what a commit left to do.
func (d *Daemon) runErrands(ctx context.Context) error {
	for {
		select {
		case <-d.desk.Errands():
		case <-ctx.Done():
			return nil
		}
		d.mu.Lock()
		for _, w := range d.pollers {
			select {
			case w.stir <- struct{}{}:
			default:
			}
		}
		d.mu.Unlock()
	}
}

// countCopies fills in the copies that are owed to folders for sent mail.
func (v *statusView) countCopies(tx *tickets.Tx) {
	for i := range v.Folders {
		if f := &v.Folders[i]; f.sent {
			w := tx.CopiesWaiting(f.Mailbox)
			f.Waiting, f.CopyError = w.Waiting, w.Reason
		}
	}
}

// forgetCopies drops what is owed to folders that get no copies any more.
func (d *Daemon) forgetCopies(ctx context.Context, c *config.Config) error {
	for _, m := range c.Mailboxes {
		if m.SentCopies {
			continue
		}
		if err := d.desk.ForgetCopies(ctx, m.Name); err != nil {
			return err
		}
	}
	return nil
}

// folderCheck is whether a further folder can be read.
func folderCheck(c *config.Config, v vitals, f folderView) tickets.HealthCheck {
	name := f.Mailbox + ", " + f.Folder
	check := tickets.HealthCheck{Key: "folder " + name, Since: f.Since, After: c.Health.PollFailure, Settle: healthSettle,
		Line: line("health.mailbox_down", "mailbox", name, "reason", f.Error), Over: line("health.mailbox_up", "mailbox", name)}
	switch {
	case f.Connected:
		check.State = tickets.HealthFine
	case f.Error != "" && !v.ofTokens(f.Error):
		check.State = tickets.HealthWrong
	}
	return check
}
