package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
)

// Commands that ask the running daemon over its socket, or open the store themselves when none runs.

// stateDir is where the store is: --state, or what the configuration says, read leniently so that a fault elsewhere in
// the file does not keep people from looking in.
func (a *app) stateDir() (string, error) {
	if a.state != "" {
		return a.state, nil
	}
	if _, err := os.Stat(a.config); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: the file does not exist; name the configuration with -c FILE, or the state directory with --state DIR", a.config)
	}
	return config.StateDir(a.config), nil
}

// ask puts a question to the daemon, or to the store when no daemon runs.
func (a *app) ask(ctx context.Context, name string, args, out any) error {
	dir, err := a.stateDir()
	if err != nil {
		return err
	}
	err = askDaemon(ctx, socketPath(dir), name, args, out)
	if !errors.Is(err, errNotRunning) {
		return err
	}
	if name == "status" || name == "reload" {
		return fmt.Errorf("no supportd runs on %s; start it with supportd run", dir)
	}
	return a.askStore(ctx, dir, name, args, out)
}

// askStore opens the store for one question.
func (a *app) askStore(ctx context.Context, dir, name string, args, out any) (err error) {
	if _, err := os.Stat(filepath.Join(dir, "desk.db")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no desk in %s yet; supportd run makes one", dir)
	}
	store, err := tickets.OpenStore(dir, tickets.Options{Now: a.now, Random: rand.Reader})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c, rules, err := a.rulesOrNone()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	o := &operator{desk: newDesk(store, rules, a.now, slog.New(slog.DiscardHandler)), config: c}
	v, err := operations()[name](o, ctx, raw)
	if err != nil {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// rulesOrNone are the rules of the configuration; with --state and no readable file, looking works without any.
func (a *app) rulesOrNone() (*config.Config, *tickets.Rules, error) {
	c, findings := config.Load(a.config)
	err := findings.Err()
	if err == nil {
		rules, err := buildRules(c)
		return c, rules, err
	}
	if a.state != "" {
		return nil, &tickets.Rules{Calendar: tickets.AroundTheClock{}}, nil
	}
	return nil, nil, err
}

func newTable(w io.Writer, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(header)
	return t
}

func (a *app) ticketCommand() *cobra.Command {
	var args ticketArgs
	list := &cobra.Command{
		Use: "list", Short: "list the tickets that are not closed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.ticketList(cmd.Context(), "ticket.list", args) },
	}
	list.Flags().BoolVar(&args.All, "all", false, "closed tickets too")
	list.Flags().IntVar(&args.Limit, "limit", 0, "at most so many; 0: all")
	show := &cobra.Command{
		Use: "show NUMBER", Short: "show one ticket with everything that happened", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, p []string) error { return a.ticketShow(cmd.Context(), p[0]) },
	}
	search := &cobra.Command{
		Use: "search WORD…", Short: "find tickets that have all the words", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, p []string) error {
			return a.ticketList(cmd.Context(), "ticket.search", ticketArgs{Query: strings.Join(p, " ")})
		},
	}
	return group("ticket", "list, show and search tickets", list, show, search)
}

func (a *app) ticketList(ctx context.Context, op string, args ticketArgs) error {
	var list []ticketView
	if err := a.ask(ctx, op, args, &list); err != nil {
		return err
	}
	return a.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "no tickets")
			return
		}
		t := newTable(w, "Number", "State", "Requester", "Subject", "Assignee", "Updated")
		for _, v := range list {
			t.AppendRow(table.Row{v.Number, v.State, printable(v.Requester), clip(printable(v.Subject), 50), cmp.Or(v.Assignee, v.Team), local(v.Updated)})
		}
		t.Render()
	})
}

func (a *app) ticketShow(ctx context.Context, number string) error {
	var v ticketView
	if err := a.ask(ctx, "ticket.show", ticketArgs{Number: number}, &v); err != nil {
		return err
	}
	return a.print(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s  %s\n", v.Number, v.State, printable(v.Subject))
		fmt.Fprintf(w, "requester %s · team %s · assignee %s · language %s · created %s\n",
			printable(v.Requester), v.Team, cmp.Or(v.Assignee, "nobody"), v.Language, local(v.Created))
		for _, c := range v.Clocks {
			fmt.Fprintf(w, "%s %s, due %s\n", c.Kind, c.State, local(c.Due))
		}
		for _, e := range v.Entries {
			fmt.Fprintf(w, "\n%s  %s  by %s%s\n", local(e.At), e.Kind, e.Actor, prefixed("  ", printable(e.Detail)))
			for _, c := range e.Changes {
				if c.Field == "state" || c.Field == "assignee" {
					fmt.Fprintf(w, "    %s: %s → %s\n", c.Field, cmp.Or(c.Before, "–"), cmp.Or(c.After, "–"))
				}
			}
			if e.Text != "" {
				for line := range strings.SplitSeq(strings.TrimSpace(e.Text), "\n") {
					fmt.Fprintf(w, "    | %s\n", printable(line))
				}
			}
		}
	})
}

func (a *app) outboxCommand() *cobra.Command {
	var args idArgs
	list := &cobra.Command{
		Use: "list", Short: "list the mails that are not delivered", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.mailList(cmd.Context(), "outbox.list", args, "the outbox is empty")
		},
	}
	list.Flags().BoolVar(&args.All, "all", false, "delivered mails too")
	var all bool
	retry := &cobra.Command{
		Use: "retry ID", Short: "try a mail again now", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, p []string) error {
			id, err := oneID(p, all)
			if err != nil {
				return err
			}
			return a.change(cmd.Context(), "outbox.retry", idArgs{ID: id, All: all}, "to be tried again")
		},
	}
	retry.Flags().BoolVar(&all, "all", false, "every mail that was deferred or given up")
	return group("outbox", "look at the mails that the desk owes", list, retry)
}

func (a *app) quarantineCommand() *cobra.Command {
	by := "the command line"
	if u := os.Getenv("USER"); u != "" {
		by = u + " at the command line"
	}
	list := &cobra.Command{
		Use: "list", Short: "list the mails that are held, with the reason", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.mailList(cmd.Context(), "quarantine.list", idArgs{}, "nothing is held")
		},
	}
	settle := func(use, short, op, what string) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, p []string) error {
			id, err := oneID(p, false)
			if err != nil {
				return err
			}
			return a.change(cmd.Context(), op, idArgs{ID: id, By: by}, what)
		}}
	}
	return group("quarantine", "look at the mails that are held, release or drop them",
		list, settle("release ID", "let a held mail in", "quarantine.release", "released"),
		settle("drop ID", "file a held mail without a ticket", "quarantine.drop", "dropped"))
}

func oneID(p []string, all bool) (uint64, error) {
	if all && len(p) == 0 {
		return 0, nil
	}
	if len(p) != 1 || all {
		return 0, errors.New("give one ID, as the list shows it, or --all")
	}
	id, err := strconv.ParseUint(p[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no ID: the list shows them as numbers", p[0])
	}
	return id, nil
}

func (a *app) mailList(ctx context.Context, op string, args idArgs, none string) error {
	var list []mailView
	if err := a.ask(ctx, op, args, &list); err != nil {
		return err
	}
	return a.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, none)
			return
		}
		t := newTable(w, "ID", "Who", "Subject", "Ticket", "Since", "Attempts", "Reason")
		for _, m := range list {
			if m.State == string(tickets.Held) {
				m.Reason = "held after a restore, until supportd restore --release"
			}
			t.AppendRow(table.Row{m.ID, printable(cmp.Or(m.To, m.From)), clip(printable(m.Subject), 40), m.Ticket, local(m.Since), m.Attempts, clip(printable(m.Reason), 70)})
		}
		t.Render()
	})
}

func (a *app) change(ctx context.Context, op string, args idArgs, what string) error {
	var d done
	if err := a.ask(ctx, op, args, &d); err != nil {
		return err
	}
	return a.print(d, func(w io.Writer) {
		fmt.Fprintf(w, "%d %s%s%s\n", d.Done, what, prefixed(": ", d.Result), prefixed(" ", d.Ticket))
	})
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "recompute every invariant of the store", Args: cobra.NoArgs,
		Long: "doctor checks that the books balance, that every ticket is what its entries add up to, that every index and every raw\nmessage is right. It changes nothing. Exit code 1 when it found a problem.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var d tickets.Diagnosis
			if err := a.ask(cmd.Context(), "doctor", noArgs{}, &d); err != nil {
				return err
			}
			d.Problems = orEmpty(d.Problems)
			err := a.print(d, func(w io.Writer) {
				b := d.Books
				fmt.Fprintf(w, "%d seen = %d created + %d appended + %d duplicates + %d quarantined + %d filed + %d failed\n",
					b.Seen, b.Created, b.Appended, b.Duplicates, b.Quarantined, b.Filed, b.Failed)
				for _, p := range d.Problems {
					fmt.Fprintln(w, "problem: "+printable(p))
				}
				if d.OK {
					fmt.Fprintln(w, "no problems")
				}
			})
			if err == nil && !d.OK {
				return exitCode(exitFound)
			}
			return err
		},
	}
}

func (a *app) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "write a consistent copy of the desk while it works", Args: cobra.ExactArgs(1),
		Long: "backup writes tickets, mails, keys and outbox into one tar file. It holds everybody's mail: keep it as safe as the mailbox.",
		RunE: func(cmd *cobra.Command, p []string) error {
			file, err := filepath.Abs(p[0])
			if err != nil {
				return err
			}
			var r tickets.BackupReport
			if err := a.ask(cmd.Context(), "backup", backupArgs{File: file}, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d tickets, mail of %d months, %.1f MB\n", r.File, r.Tickets, r.Months, float64(r.Bytes)/1e6)
			})
		},
	}
}

func (a *app) restoreCommand() *cobra.Command {
	var yes, release bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "put a backup in the place of the desk", Args: cobra.MaximumNArgs(1),
		Long: "restore replaces the desk by a backup; what stood there is moved aside. The daemon must not run. Mails that the backup\nstill owes may have been sent since, so they are held: look with supportd outbox list, then supportd restore --release.",
		RunE: func(cmd *cobra.Command, p []string) error {
			if release {
				return a.change(cmd.Context(), "outbox.release", idArgs{}, "mails released")
			}
			if len(p) != 1 {
				return errors.New("restore wants the backup's file, or --release")
			}
			dir, err := a.stateDir()
			switch {
			case err != nil:
				return err
			case !yes:
				return fmt.Errorf("this replaces the desk in %s by %s; say --yes to do it", dir, p[0])
			}
			replaced, err := tickets.Restore(dir, p[0], a.now())
			if err != nil {
				return err
			}
			return a.print(map[string]string{"state": dir, "replaced": replaced}, func(w io.Writer) {
				fmt.Fprintf(w, "restored into %s; what stood there is in %s\nThe outbox is held: supportd outbox list shows it, supportd restore --release lets it go.\n", dir, replaced)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "really do it")
	cmd.Flags().BoolVar(&release, "release", false, "send what the restored desk owes")
	return cmd
}

func (a *app) reloadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "make the running daemon load its configuration anew", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out map[string]string
			if err := a.ask(cmd.Context(), "reload", noArgs{}, &out); err != nil {
				return err
			}
			return a.print(out, func(w io.Writer) { fmt.Fprintln(w, "configuration "+out["config_rev"]+" is in force") })
		},
	}
}

func (a *app) statusCommand() *cobra.Command {
	var ready bool
	cmd := &cobra.Command{
		Use: "status", Short: "say how the running daemon is doing", Args: cobra.NoArgs,
		Long: "status shows mailboxes, outbox, tickets and books. Exit code 1 when a mailbox is not connected. With --ready it says in\none line whether the desk works, and ends with 0 or 1: for supervisors and containers.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var v statusView
			err := a.ask(cmd.Context(), "status", noArgs{}, &v)
			if ready {
				return a.ready(v, err)
			}
			if err != nil {
				return err
			}
			err = a.print(v, func(w io.Writer) { writeStatus(w, v) })
			if err == nil && !v.Ready {
				return exitCode(exitFound)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&ready, "ready", false, "only say whether the desk works")
	return cmd
}

// ready answers status --ready.
func (a *app) ready(v statusView, err error) error {
	text := "ready"
	switch {
	case err != nil:
		text = "not ready: " + err.Error()
	case !v.Ready:
		text = "not ready: " + notReady(v)
	}
	if err := a.print(struct {
		Ready bool `json:"ready"`
	}{text == "ready"}, func(w io.Writer) { fmt.Fprintln(w, text) }); err != nil {
		return err
	}
	if text != "ready" {
		return exitCode(exitFound)
	}
	return nil
}

func writeStatus(w io.Writer, v statusView) {
	for _, t := range v.Troubles {
		told := "the admin is not told yet"
		if !t.Told.IsZero() {
			told = fmt.Sprintf("the admin was told %s ago", ago(t.Told))
		}
		fmt.Fprintf(w, "wrong: %s, for %s%s (%s)\n", t.Key, ago(t.Since), prefixed(" – ", t.Reason), told)
	}
	for _, m := range v.Mailboxes {
		state := "connected"
		if !m.Connected {
			state = "not connected"
		}
		looked := "not looked at yet"
		if !m.LastPoll.IsZero() {
			looked = fmt.Sprintf("up to UID %d, looked at %s ago", m.LastUID, ago(m.LastPoll))
		}
		fmt.Fprintf(w, "mailbox %s: %s%s, %s\n", m.Name, state, prefixed(" – ", m.Error), looked)
	}
	for _, f := range v.Folders {
		fmt.Fprintln(w, f)
	}
	for _, m := range v.Mirrors {
		fmt.Fprintln(w, m)
	}
	for _, s := range v.Servers {
		fmt.Fprintf(w, "smtp server %s: %s\n", s.Name, cmp.Or(s.Error, "fine"))
	}
	for _, a := range v.Accounts {
		fmt.Fprintf(w, "access tokens of %s: %s\n", a.Name, cmp.Or(a.Error, "fine"))
	}
	fmt.Fprintf(w, "outbox: %d waiting, %d to be tried again, %d given up\n", v.Outbox.Due, v.Outbox.Deferred, v.Outbox.Failed)
	fmt.Fprintf(w, "tickets:")
	for _, s := range tickets.States() {
		fmt.Fprintf(w, " %d %s", v.Tickets[string(s)], s)
	}
	fmt.Fprintf(w, "; %d mails held\n", v.Held)
	if !v.Learnt.Trained.IsZero() || v.Learnt.Since > 0 {
		fmt.Fprint(w, "categories: ")
		writeLearnt(w, v.Learnt)
	}
	fmt.Fprintf(w, "configuration %s, running for %s\n", v.ConfigRev, ago(v.Started))
	if v.ReloadErr != "" {
		fmt.Fprintf(w, "the last reload was refused: %s\n", v.ReloadErr)
	}
}

// ── text for terminals ──

// printable takes out what could steer a terminal, fake a line or turn one around (S-144, S-146).
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, s)
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func local(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
