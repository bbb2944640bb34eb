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
