package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"supportd/tickets"
)

// dueArgs ask for what timers will do.
type dueArgs struct {
	Within time.Duration `json:"within"`
	Limit  int           `json:"limit"`
}

func (o *operator) due(ctx context.Context, a dueArgs) ([]tickets.Coming, error) {
	return o.desk.Upcoming(ctx, o.desk.Now().Add(a.Within), a.Limit)
}

// rebaseArgs ask for clocks to be measured by the configuration in force.
type rebaseArgs struct {
	Rev   string `json:"rev"`
	Apply bool   `json:"apply"`
}

func (o *operator) rebase(ctx context.Context, a rebaseArgs) ([]tickets.Rebased, error) {
	if rev := o.desk.Rules().Rev; a.Rev != rev {
		return nil, fmt.Errorf("--rev %s: the configuration in force is %s; load the one that you mean, and name it", a.Rev, rev)
	}
	return o.desk.Rebase(ctx, a.Apply, "command line")
}

func (a *app) dueCommand() *cobra.Command {
	args := dueArgs{}
	cmd := &cobra.Command{
		Use: "due", Short: "list what deadlines, reminders and timers will do", Args: cobra.NoArgs,
		Long:    "due lists what will happen by itself, if nothing happens before: each step of an escalation, each reminder, each closing, with who\nis told and by which template. Steps of one ticket that stand behind one another are listed when the first has happened.",
		Example: "  supportd due --within 24h",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if args.Within < 0 {
				return fmt.Errorf("--within %s: write a time such as 24h", args.Within)
			}
			zone := time.UTC
			if c, _, err := a.rulesOrNone(); err == nil && c != nil {
				zone = c.Zone
			}
			var list []tickets.Coming
			if err := a.ask(cmd.Context(), "due", args, &list); err != nil {
				return err
			}
			return a.print(list, func(w io.Writer) {
				if len(list) == 0 {
					fmt.Fprintf(w, "nothing is due within %s\n", shortDuration(args.Within))
					return
				}
				t := newTable(w, "at", "ticket", "what", "to", "template")
				for _, c := range list {
					to := cmp.Or(c.To, "–")
					if !c.Waits.IsZero() {
						to += ", told " + c.Waits.In(zone).Format("Mon 2 Jan 15:04")
					}
					t.AppendRow([]any{c.At.In(zone).Format("Mon 2 Jan 15:04"), c.Ticket, printable(c.What), printable(to), cmp.Or(c.Template, "–")})
				}
				t.Render()
			})
		},
	}
	cmd.Flags().DurationVar(&args.Within, "within", 24*time.Hour, "how far ahead to look")
	cmd.Flags().IntVar(&args.Limit, "limit", 1000, "at most so many timers")
	return cmd
}

func (a *app) slaCommand() *cobra.Command {
	args := rebaseArgs{}
	rebase := &cobra.Command{
		Use: "rebase", Short: "measure running clocks by the configuration in force", Args: cobra.NoArgs,
		Long: "Clocks that run keep the target that they began with when the configuration changes. rebase lists those that the configuration\n" +
			"in force measures otherwise, with their deadlines before and after; with --apply it changes them and notes it on each ticket.",
		Example: "  supportd sla rebase --rev 9f3c1a7e\n  supportd sla rebase --rev 9f3c1a7e --apply",
		RunE: func(cmd *cobra.Command, _ []string) error {
			zone := time.UTC
			if c, _, err := a.rulesOrNone(); err == nil && c != nil {
				zone = c.Zone
			}
			var list []tickets.Rebased
			if err := a.ask(cmd.Context(), "sla.rebase", args, &list); err != nil {
				return err
			}
			return a.print(list, func(w io.Writer) { writeRebased(w, list, args.Apply, zone) })
		},
	}
	rebase.Flags().StringVar(&args.Rev, "rev", "", "the revision of the configuration in force, as check and status print it")
	rebase.Flags().BoolVar(&args.Apply, "apply", false, "change the clocks")
	if err := rebase.MarkFlagRequired("rev"); err != nil {
		panic(err) // the flag stands above
	}
	return group("sla", "promises to customers", rebase)
}

func writeRebased(w io.Writer, list []tickets.Rebased, applied bool, zone *time.Location) {
	if len(list) == 0 {
		fmt.Fprintln(w, "every running clock has the target that the configuration says")
		return
	}
	when := func(t time.Time) string {
		if t.IsZero() {
			return "–"
		}
		return t.In(zone).Format("Mon 2 Jan 15:04")
	}
	t := newTable(w, "ticket", "clock", "target", "due before", "due after")
	for _, r := range list {
		t.AppendRow([]any{r.Ticket, r.Kind, shortDuration(r.Before) + " → " + shortDuration(r.After), when(r.DueWas), when(r.DueWill)})
	}
	t.Render()
	if !applied {
		fmt.Fprintln(w, "nothing was changed; --apply changes these clocks")
	}
}
