package mailin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

// PastFolder reads a folder from its beginning, once, and leaves everything in it as it is: for mail from before the
// desk.
type PastFolder struct {
	Mailbox Config
	Folder  string // "": that of Mailbox
	// Found is told the folder's UIDVALIDITY and how many messages there are, before the first one, and says from which UID on
	// to read.
	Found func(uidValidity uint32, messages int) (from uint32, err error)
	// Take gets the messages in the order of their UIDs. raw is nil for one that is larger than max_size, or that the
	// server does not hand out; why says so.
	Take func(uid uint32, arrived time.Time, raw []byte, why string) error
}

// Run reads the folder. The error is one plain line: what is wrong, where, and what to do.
func (p *PastFolder) Run(ctx context.Context) error {
	cfg := p.Mailbox.withDefaults()
	if p.Folder != "" {
		cfg.Folder = p.Folder
	}
	if err := cfg.check(); err != nil {
		return fmt.Errorf("%s: %w", cfg.where(), err)
	}
	var stop *takeError
	err := p.read(ctx, cfg)
	if errors.As(err, &stop) {
		return stop.err
	}
	if err != nil {
		return &plainError{text: inWords(err, cfg), err: err}
	}
	return nil
}

// takeError is an error of the caller's own function: it is none of the server's.
type takeError struct{ err error }

func (e *takeError) Error() string { return e.err.Error() }
func (e *takeError) Unwrap() error { return e.err }

// pastRun is how many messages are asked for at a time.
const pastRun = 100

func (p *PastFolder) read(ctx context.Context, cfg Config) error {
	l, err := dial(ctx, cfg, time.Minute)
	if err != nil {
		return err
	}
	defer l.close()
	var sd *imap.SelectData
	err = l.step(ctx, func() error {
		sd, err = l.c.Select(cfg.Folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err != nil {
		return &folderError{folder: cfg.Folder, err: err}
	}
	uids, err := l.search(ctx, &imap.SearchCriteria{})
	if err != nil {
		return err
	}
	from, err := p.Found(sd.UIDValidity, len(uids))
	if err != nil {
		return &takeError{err}
	}
	uids = slices.DeleteFunc(uids, func(uid uint32) bool { return uid < from })
	for _, set := range uidRuns(uids, pastRun) {
		if err := p.readRun(ctx, l, cfg, set); err != nil {
			return err
		}
	}
	return l.step(ctx, func() error { return l.c.Logout().Wait() })
}

// readRun reads messages and hands them over in the order of their UIDs.
func (p *PastFolder) readRun(ctx context.Context, l *link, cfg Config, set imap.UIDSet) error {
	items, err := l.describe(ctx, set)
	if err != nil {
		return err
	}
	small := imap.UIDSet{}
	for _, it := range items {
		if it.size <= cfg.MaxSize {
			small.AddNum(imap.UID(it.uid))
		}
	}
	raws := map[uint32][]byte{}
	if len(small) > 0 {
		admit := func(uint32, int64) (bool, error) { return true, nil }
		err = l.bodies(ctx, small, 0, 2*cfg.MaxSize, admit, func(b body) { raws[b.uid] = b.raw })
		if err != nil {
			return err
		}
	}
	for _, it := range items {
		why := ""
		switch {
		case it.size > cfg.MaxSize:
			why = fmt.Sprintf("it is larger than max_size (%.4g MB)", float64(cfg.MaxSize)/1e6)
		case raws[it.uid] == nil:
			why = "the server does not hand it out"
		}
		if err := p.Take(it.uid, it.arrived, raws[it.uid], why); err != nil {
			return &takeError{err}
		}
	}
	return nil
}
