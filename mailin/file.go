package mailin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"supportd/tickets"
)

// canFile reports whether the folder lets us do what After wants, and tells once when it does not.
func (f *follower) canFile(sd *imap.SelectData) bool {
	if f.box.After == AfterLeave || f.moves() {
		return f.box.After != AfterLeave
	}
	for _, flag := range sd.PermanentFlags {
		if flag == imap.FlagWildcard || strings.EqualFold(string(flag), f.box.Keyword) {
			return true
		}
	}
	f.tellFiling("the server keeps no keywords: settled messages stay as they are")
	return false
}

// moves reports whether messages are moved, and not flagged. Without MOVE (RFC 6851) it takes UIDPLUS (RFC 4315): a
// plain EXPUNGE would remove what other people have marked as deleted.
func (f *follower) moves() bool {
	return f.box.After == AfterMove && (f.caps.Has(imap.CapMove) || f.caps.Has(imap.CapUIDPlus))
}

// unfiled adds to the work list the settled messages that are still as they came.
func (f *follower) unfiled(ctx context.Context, present []uint32) error {
	if !f.filing || len(present) == 0 {
		return nil
	}
	criteria := &imap.SearchCriteria{NotFlag: []imap.Flag{imap.Flag(f.box.Keyword)}}
	if f.moves() {
		// What is marked as deleted was copied before, or is somebody's wish.
		criteria.NotFlag = []imap.Flag{imap.FlagDeleted}
	}
	open, err := f.search(ctx, criteria)
	if err != nil {
		return err
	}
	for _, uid := range present {
		if _, ok := slices.BinarySearch(open, uid); ok {
			f.done = append(f.done, uid)
		}
	}
	return nil
}

// file moves or flags what is settled. Its failure changes nothing: a refusal is told and tried again at the next
// comparison; only a lost connection is an error.
func (f *follower) file(ctx context.Context) error {
	uids := sorted(f.done)
	f.done = nil
	if !f.filing {
		return nil
	}
	for _, set := range uidRuns(uids, 500) {
		tickets.Failpoint("file.begin")
		var err error
		if f.moves() {
			err = f.move(ctx, set)
		} else {
			err = f.flag(ctx, set)
		}
		tickets.Failpoint("file.done")
		var no *imap.Error
		if errors.As(err, &no) {
			f.tellFiling(fmt.Sprintf("settled messages stay where they are: the server says %q", oneLine(no.Text)))
			return nil
		}
		if err != nil {
			return fmt.Errorf("file messages: %w", err)
		}
		if f.filingTold != "" {
			f.filingTold = ""
			f.setStatus(func(s *Status) { s.Error = "" })
		}
	}
	return nil
}

// move moves messages, each of which is in at least one folder at any time (RFC 6851 §3.3). Client.Move is not used
// without the capability: its stand-in deletes even when the copy was refused.
func (f *follower) move(ctx context.Context, set imap.UIDSet) error {
	if f.caps.Has(imap.CapMove) {
		return f.step(ctx, func() error {
			_, err := f.c.Move(set, f.box.MoveTo).Wait()
			return err
		})
	}
	err := f.step(ctx, func() error {
		_, err := f.c.Copy(set, f.box.MoveTo).Wait()
		return err
	})
	if err != nil {
		return err
	}
	tickets.Failpoint("file.copied")
	if err := f.store(ctx, set, imap.FlagDeleted); err != nil {
		return err
	}
	tickets.Failpoint("file.marked")
	return f.step(ctx, func() error { return f.c.UIDExpunge(set).Close() })
}

func (f *follower) flag(ctx context.Context, set imap.UIDSet) error {
	return f.store(ctx, set, imap.Flag(f.box.Keyword))
}

func (f *follower) store(ctx context.Context, set imap.UIDSet, flag imap.Flag) error {
	return f.step(ctx, func() error {
		return f.c.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}

// tellFiling says once a connection why messages are not filed, and shows it in the status.
func (f *follower) tellFiling(what string) {
	f.setStatus(func(s *Status) { s.Error = what })
	if f.filingTold == what {
		return
	}
	f.filingTold = what
	f.Log.Warn("messages are not filed", "mailbox", f.box.Name, "after", f.box.After, "move_to", f.box.MoveTo, "err", what)
}
