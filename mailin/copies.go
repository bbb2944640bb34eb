package mailin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"

	"supportd/tickets"
)

// Copies is where a Keeper gets the mails of which the folder for sent mail is to have a copy.
type Copies interface {
	// Copies returns up to limit of them that are due. Each call counts as an attempt at what it returns.
	Copies(ctx context.Context, mailbox string, limit int) ([]tickets.SentCopy, error)
	// Copied says that one stands in the folder.
	Copied(ctx context.Context, mailbox string, id tickets.OutgoingID) error
	// CopyFailed says why one does not.
	CopyFailed(ctx context.Context, mailbox string, id tickets.OutgoingID, reason string) error
}

// copiesAtOnce bounds how many mails are held for being copied.
const copiesAtOnce = 4

// copy puts the copies that are due into the folder for sent mail. What the server refuses is tried again later; only a
// lost connection, and an error of Copies, are errors.
func (r *keeping) copy(ctx context.Context) error {
	if r.Copies == nil {
		return nil
	}
	opened := ""
	for ctx.Err() == nil {
		list, err := r.Copies.Copies(ctx, r.box.Name, copiesAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		if opened == "" {
			if opened, err = r.openSent(ctx); err != nil && !saidNo(err) {
				return err
			}
		}
		for _, c := range list {
			if err == nil {
				err = r.copyOne(ctx, opened, c)
			}
			tickets.Failpoint("copy.done")
			var told error
			if err == nil {
				told = r.Copies.Copied(ctx, r.box.Name, c.ID)
			} else {
				told = r.Copies.CopyFailed(ctx, r.box.Name, c.ID, inWords(err, r.box))
			}
			if told != nil {
				return fmt.Errorf("note the copy of a sent mail: %w", told)
			}
			if err != nil && !saidNo(err) {
				return err
			}
		}
		if err != nil {
			r.own.Log.Warn("sent mail not copied", "mailbox", r.box.Name, "folder", r.Sent, "err", inWords(err, r.box))
			return nil // the server is asked again when the next is due
		}
	}
	return nil
}

// saidNo reports whether the server said no, and the connection goes on.
func saidNo(err error) bool {
	var status *imap.Error
	return errors.As(err, &status) && status.Type != imap.StatusResponseTypeBye
}

// openSent opens the folder for sent mail, read-only, and returns its name.
func (r *keeping) openSent(ctx context.Context) (string, error) {
	name, err := r.named(ctx, r.Sent)
	if err != nil {
		return "", err
	}
	err = r.link.step(ctx, func() error {
		_, err := r.link.c.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err != nil {
		return "", &folderError{folder: name, err: err}
	}
	return name, nil
}

// copyOne puts one mail into the folder that is open, unless it stands there: an attempt before may have got so far, and
// some providers keep copies of what is sent by themselves.
func (r *keeping) copyOne(ctx context.Context, folder string, c tickets.SentCopy) error {
	found, err := r.link.search(ctx, &imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: c.MessageID}}})
	if err != nil || len(found) > 0 {
		return err
	}
	err = r.link.append(ctx, folder, c.Bytes, c.Sent)
	if err != nil {
		return fmt.Errorf("put a copy into %q: %w", folder, err)
	}
	return nil
}

// append adds a message that was read to a folder. The server may refuse before it has the message; the connection
// cannot be used any more then, and what is asked of it next says so.
func (l *link) append(ctx context.Context, folder string, raw []byte, at time.Time) error {
	return l.step(ctx, func() error {
		cmd := l.c.Append(folder, int64(len(raw)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}, Time: at})
		_, err := cmd.Write(raw)
		if closed := cmd.Close(); err == nil {
			err = closed
		}
		if _, waited := cmd.Wait(); waited != nil {
			err = waited
		}
		return err
	})
}
