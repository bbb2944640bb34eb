package mailin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// ProbeReport is what a server said when it was asked without being changed.
type ProbeReport struct {
	Where       string // mailbox "support" at imap.example.org:993
	TLS         string // such as "TLS 1.3"; "" without
	CertExpires time.Time
	Idle        bool // new mail is told at once (RFC 2177); without it the mailbox is polled
	Move        bool // RFC 6851
	UIDPlus     bool // RFC 4315
	SpecialUse  bool // RFC 6154
	// Keywords is "yes", "no", or "unknown": many servers tell only who opens the folder for writing.
	Keywords string
	Messages uint32   // in the folder
	Folders  []string // all of them, sorted
	Junk     string   // the folder for junk (RFC 6154); "" when the server names none

	QuotaUsed, QuotaLimit int64 // octets (RFC 9208); 0 when the server tells none

	Problems []string // what will not work, one line each, with what to do
}

// certSoon is how long before its end a certificate is reported.
const certSoon = 21 * 24 * time.Hour

// Probe connects, logs in and looks at the folder, read-only. Nothing is changed or sent. The error is one plain line:
// what is wrong, where, and what to do; ctx limits all of it.
func Probe(ctx context.Context, cfg Config) (ProbeReport, error) {
	cfg = cfg.withDefaults()
	report := ProbeReport{Where: cfg.where(), Keywords: "unknown"}
	if err := cfg.check(); err != nil {
		return report, fmt.Errorf("%s: %w", cfg.where(), err)
	}
	err := probe(ctx, cfg, &report)
	if err != nil {
		return report, &plainError{text: inWords(err, cfg), err: err}
	}
	return report, nil
}

// plainError says in plain words what err says in technical ones.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.err }

func probe(ctx context.Context, cfg Config, r *ProbeReport) error {
	l, err := dial(ctx, cfg, 15*time.Second)
	if err != nil {
		return err
	}
	defer l.close()
	if conn, ok := l.wire.Conn.(*tls.Conn); ok {
		r.TLS, r.CertExpires = tls.VersionName(conn.ConnectionState().Version), l.cert.NotAfter
		if left := time.Until(l.cert.NotAfter); left < certSoon {
			r.Problems = append(r.Problems, fmt.Sprintf("the server's certificate ends in %d days: have it renewed", int(left.Hours()/24)))
		}
	}
	r.Idle, r.Move = l.caps.Has(imap.CapIdle), l.caps.Has(imap.CapMove)
	r.UIDPlus, r.SpecialUse = l.caps.Has(imap.CapUIDPlus), l.caps.Has(imap.CapSpecialUse)
	if err := l.listFolders(ctx, r); err != nil {
		return err
	}
	var sd *imap.SelectData
	err = l.step(ctx, func() error {
		var err error
		sd, err = l.c.Select(cfg.Folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err != nil {
		return &folderError{folder: cfg.Folder, nearest: nearest(cfg.Folder, r.Folders), err: err}
	}
	r.Messages = sd.NumMessages
	if err := l.quota(ctx, cfg.Folder, r); err != nil {
		return err
	}
	if sd.UIDValidity == 0 || l.wire.uidsNotSticky() {
		r.Problems = append(r.Problems, "the server's message numbers do not last: every connection reads the whole folder again")
	}
	if len(sd.PermanentFlags) > 0 {
		r.Keywords = "no"
		if slices.Contains(sd.PermanentFlags, imap.FlagWildcard) {
			r.Keywords = "yes"
		}
	}
	r.Problems = append(r.Problems, filingProblems(cfg, r)...)
	folders, err := l.folderProblems(ctx, cfg, r)
	if err != nil {
		return err
	}
	r.Problems = append(r.Problems, folders...)
	return l.step(ctx, func() error { return l.c.Logout().Wait() })
}

// filingProblems says what of After will not work.
func filingProblems(cfg Config, r *ProbeReport) []string {
	var list []string
	if cfg.After == AfterMove {
		list = appendMissing(list, "move_to", cfg.MoveTo, r)
		if !r.Move && !r.UIDPlus {
			list = append(list, "after: the server can neither MOVE nor expunge single messages (UIDPLUS): messages will be flagged, not moved")
		}
	}
	flags := cfg.After == AfterFlag || cfg.After == AfterMove && !r.Move && !r.UIDPlus
	if flags && r.Keywords == "no" {
		list = append(list, "after: the server keeps no keywords: messages will stay as they are")
	}
	return list
}

func (l *link) listFolders(ctx context.Context, r *ProbeReport) error {
	return l.step(ctx, func() error {
		cmd := l.c.List("", "*", nil)
		for d := cmd.Next(); d != nil; d = cmd.Next() {
			if !slices.Contains(d.Attrs, imap.MailboxAttrNoSelect) {
				r.Folders = append(r.Folders, d.Mailbox)
			}
			if slices.Contains(d.Attrs, imap.MailboxAttrJunk) {
				r.Junk = d.Mailbox
			}
		}
		if err := cmd.Close(); err != nil {
			return fmt.Errorf("list folders: %w", err)
		}
		slices.Sort(r.Folders)
		return nil
	})
}

// nearest is the name that differs least from want, or "" when none is like it.
func nearest(want string, names []string) string {
	best, distance := "", max(2, len(want)/3)+1
	for _, name := range names {
		if d := editDistance(strings.ToLower(want), strings.ToLower(name)); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// editDistance counts the octets to insert, delete or replace (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// IsLoginRefused reports whether err of Probe says that user or password are wrong.
func IsLoginRefused(err error) bool { return errors.Is(err, errLogin) }
