package mailin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// folderProblems says what of the folders beside the one that is followed will not work.
func (l *link) folderProblems(ctx context.Context, cfg Config, r *ProbeReport) ([]string, error) {
	var list []string
	if strings.HasPrefix(cfg.Sent, `\`) {
		names, err := l.foldersFor(ctx, imap.MailboxAttr(cfg.Sent))
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			list = append(list, fmt.Sprintf("sent: the server does not say which folder is for sent mail (%s): write its name", cfg.Sent))
		}
	} else if cfg.Sent != "" {
		list = appendMissing(list, "sent", cfg.Sent, r)
	}
	for _, folder := range cfg.Acting {
		list = appendMissing(list, "actions", folder, r)
	}
	shown, err := l.mirrorProblems(ctx, cfg, r)
	return append(list, shown...), err
}

// mirrorProblems says what the messages cannot show of their tickets. Which flags last is told only to who opens the folder
// for writing; that changes nothing but \Recent.
func (l *link) mirrorProblems(ctx context.Context, cfg Config, r *ProbeReport) ([]string, error) {
	m := cfg.Mirrored
	if m == nil {
		return nil, nil
	}
	var list []string
	seen := map[string]bool{}
	for _, f := range m.Folders {
		if !seen[f.Folder] {
			list = appendMissing(list, "mirror", f.Folder, r)
		}
		seen[f.Folder] = true
	}
	if len(m.Folders) > 0 && !r.Move && !r.UIDPlus {
		list = append(list, "mirror: the server can neither MOVE nor expunge single messages (UIDPLUS): messages will stay in their folder")
	}
	if len(m.Show) == 0 && !m.Answered {
		return list, nil
	}
	o := &mirroring{keeping: &keeping{link: l}}
	if err := o.open(ctx, cfg.Folder); err != nil {
		if !saidNo(err) {
			return nil, err
		}
		return append(list, fmt.Sprintf("mirror: folder %q cannot be opened for writing: give the account the right to change flags in it", cfg.Folder)), nil
	}
	r.Keywords = "no"
	if o.at.can(imap.FlagWildcard) {
		r.Keywords = "yes"
	}
	if len(m.Show) > 0 && r.Keywords == "no" {
		list = append(list, "mirror: the server keeps no keywords: messages will go without")
	}
	if m.Answered && !o.at.can(imap.FlagAnswered) {
		list = append(list, `mirror: the server does not keep \Answered: messages will go without`)
	}
	return list, nil
}

// appendMissing adds that a folder does not exist.
func appendMissing(list []string, key, folder string, r *ProbeReport) []string {
	if slices.Contains(r.Folders, folder) {
		return list
	}
	s := fmt.Sprintf("%s: there is no folder %q: create it", key, folder)
	if near := nearest(folder, r.Folders); near != "" {
		s += fmt.Sprintf(", or write %q", near)
	}
	return append(list, s)
}
