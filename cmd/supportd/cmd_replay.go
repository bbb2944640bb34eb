package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"supportd/mailin"
	"supportd/tickets"
)

func (a *app) diffCommand() *cobra.Command {
	var since, only string
	cmd := &cobra.Command{
		Use: "diff [OLD] NEW", Aliases: []string{"replay"}, Short: "put the stored mail through two configurations", Args: cobra.RangeArgs(1, 2),
		Long: "diff decides about every stored mail twice and says what would have moved: teams, categories, priorities, deadlines, automatic\n" +
			"mails, and how often each configuration agrees with the agents' last word. OLD and NEW are files, or folders with a\n" +
			"supportd.yaml; without OLD it is the configuration that -c names. It is also called replay. Same mail, same answer;\n" +
			"nothing is sent or stored. Exit code 1 when something would change.",
		Example: "  supportd diff --since 30d supportd.yaml next/supportd.yaml\n  supportd diff --only category next",
		RunE: func(cmd *cobra.Command, p []string) error {
			old, fresh := a.config, p[len(p)-1]
			if len(p) == 2 {
				old = p[0]
			}
			from, err := parseSince(since, a.now())
			if err != nil {
				return fmt.Errorf("--since %w", err)
			}
			return a.diff(cmd.Context(), old, fresh, from, only)
		},
	}
	cmd.Flags().StringVar(&since, "since", "90d", "only mail stored since: 90d, 36h, a date such as 2026-11-01, or all")
	cmd.Flags().StringVar(&only, "only", "", "list every message that differs in this: "+strings.Join(diffSections(), ", "))
	return cmd
}

// diffSections are the parts of the answer that --only lists in full.
func diffSections() []string {
	return []string{"result", "team", "route", "category", "priority", "deadlines", "mails", "rules"}
}

// parseSince reads how far back to look; the zero time is for ever.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "all" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q: write 90d, 36h, 2026-11-01 or all", text)
}

func (a *app) diff(ctx context.Context, oldPath, newPath string, since time.Time, only string) error {
	if only != "" && !slices.Contains(diffSections(), only) {
		return fmt.Errorf("--only %q: there are %s", only, strings.Join(diffSections(), ", "))
	}
	old, err := newJudge(oldPath)
	if err != nil {
		return err
	}
	fresh, err := newJudge(newPath)
	if err != nil {
		return err
	}
	if _, err := os.Stat(a.config); errors.Is(err, fs.ErrNotExist) {
		a.config = old.config.Path
	}
	r := &replay{old: old, fresh: fresh}
	if err := r.run(ctx, func(fn func([]tickets.Past) error) error { return a.history(ctx, since, fn) }); err != nil {
		return err
	}
	report := r.report(since)
	if err := a.print(report, func(w io.Writer) { writeDiff(w, report, only) }); err != nil {
		return err
	}
	if report.Changed > 0 {
		return exitCode(exitFound)
	}
	return nil
}

// ── reading ──

// historyArgs ask for a page of stored messages.
type historyArgs struct {
	From  uint64    `json:"from"`
	Since time.Time `json:"since"`
}

func (o *operator) history(_ context.Context, args historyArgs) (tickets.HistoryPage, error) {
	return o.desk.Store.History(args.From, args.Since)
}

// history hands the stored messages on, page by page: from the running daemon, or from the store when none runs.
func (a *app) history(ctx context.Context, since time.Time, fn func([]tickets.Past) error) (err error) {
	dir, err := a.stateDir()
	if err != nil {
		return err
	}
	page := func(from uint64) (p tickets.HistoryPage, err error) {
		err = askDaemon(ctx, socketPath(dir), "history", historyArgs{From: from, Since: since}, &p)
		return p, err
	}
	p, err := page(1)
	if errors.Is(err, errNotRunning) {
		if _, err := os.Stat(filepath.Join(dir, "desk.db")); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no desk in %s yet; supportd run makes one", dir)
		}
		store, err := tickets.OpenStore(dir, tickets.Options{Now: a.now, Random: rand.Reader})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		page = func(from uint64) (tickets.HistoryPage, error) { return store.History(from, since) }
		if p, err = page(1); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	for {
		if err := fn(p.Messages); err != nil || p.Next == 0 {
			return err
		}
		if p, err = page(p.Next); err != nil {
			return err
		}
	}
}

// ── deciding ──

// replay decides about messages by two configurations.
type replay struct {
	old, fresh *judge
	twice      []twice
}

// twice is what two configurations make of one message. Decisions are not kept: of 20,000 messages they would fill the
// memory.
type twice struct {
	key       uint64
	messageID string
	ended     *tickets.Ended
	skipped   string // why it was not decided about
	opened    bool   // the old one makes a ticket of it
	category  [2]string
	team      [2]string
	differ    []disagreement
	mails     [2]map[string]int
}

// run decides about everything that read hands over, several messages at a time.
func (r *replay) run(ctx context.Context, read func(func([]tickets.Past) error) error) error {
	workers := runtime.GOMAXPROCS(0)
	todo := make(chan tickets.Past, 4*workers)
	parts := make([][]twice, workers)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(todo)
		return read(func(page []tickets.Past) error {
			for _, p := range page {
				select {
				case todo <- p:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return nil
		})
	})
	for i := range parts {
		g.Go(func() error {
			for p := range todo {
				parts[i] = append(parts[i], r.decide(&p))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.twice = slices.Concat(parts...)
	slices.SortFunc(r.twice, func(a, b twice) int { return cmp.Compare(a.key, b.key) })
	return nil
}

// Why a message is not decided about.
const (
	skipAgent      = "agents"     // answers and commands: they were given once
	skipAbsent     = "absent"     // never fetched
	skipUnreadable = "unreadable" // its raw bytes are gone
)

func (r *replay) decide(p *tickets.Past) (t twice) {
	t = twice{key: p.Stored.Key, messageID: p.Stored.MessageID, ended: p.Ended}
	defer func() {
		if recover() != nil { // a mail that the daemon would hold as one that cannot be processed
			t.skipped, t.differ = skipUnreadable, nil
		}
	}()
	switch {
	case p.Agent:
		t.skipped = skipAgent
	case p.Unreadable != "":
		t.skipped = skipUnreadable
	case p.Raw == nil:
		t.skipped = skipAbsent
	}
	if t.skipped != "" {
		return t
	}
	m := mailin.Parse(p.Raw, p.Stored.Arrived)
	a, b := r.old.past(p, m), r.fresh.past(p, m)
	t.opened = a.New
	t.category = [2]string{a.Verdict.Category.Name, b.Verdict.Category.Name}
	t.team = [2]string{newTicket(a.Decision).Team, newTicket(b.Decision).Team}
	t.differ = compareDecisions(a.Decision, b.Decision)
	t.mails = [2]map[string]int{automaticMails(a.Decision), automaticMails(b.Decision)}
	return t
}
