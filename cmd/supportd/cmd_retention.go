package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"supportd/tickets"
)

type retentionArgs struct {
	Apply bool `json:"apply,omitempty"`
}

func (o *operator) retention(ctx context.Context, a retentionArgs) (tickets.RetentionReport, error) {
	return o.desk.Retain(ctx, !a.Apply)
}

func (a *app) retentionCommand() *cobra.Command {
	var args retentionArgs
	cmd := &cobra.Command{
		Use: "retention", Short: "say what was kept long enough, or remove it", Args: cobra.NoArgs,
		Long: "retention says what of tickets, spam, attachments and the desk's log was kept for longer than the configuration's retention\n" +
			"asks for. With --apply it goes: tickets are pseudonymised or deleted, and the files are written anew. Tickets in legal_hold stay.\n" +
			"With retention.apply: daily the daemon does the same every night.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r tickets.RetentionReport
			if err := a.ask(cmd.Context(), "retention", args, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { writeRetention(w, r) })
		},
	}
	cmd.Flags().BoolVar(&args.Apply, "apply", false, "really remove it")
	return cmd
}

func writeRetention(w io.Writer, r tickets.RetentionReport) {
	if r.Total() == 0 {
		fmt.Fprintf(w, "nothing was kept long enough to go%s\n", onHold(r))
		return
	}
	verb := "removed"
	if r.Preview {
		verb = "to be removed"
	}
	count := func(n int, what string) {
		if n > 0 {
			fmt.Fprintf(w, "%6d %s %s\n", n, what, verb)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Pseudonymised)) {
		fmt.Fprintf(w, "%6d tickets of category %s %s\n", r.Pseudonymised[name], firstOf(name, "–"), map[bool]string{true: "to be pseudonymised", false: "pseudonymised"}[r.Preview])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Deleted)) {
		count(r.Deleted[name], "tickets of category "+firstOf(name, "–"))
	}
	count(r.SetAside, "tickets that were set aside as spam")
	count(r.Spam, "mails that were held or filed without a ticket")
	count(r.Attachments, "raw mails with attachments")
	count(r.Log, "details of the desk's log")
	if r.Preview {
		fmt.Fprintf(w, "Nothing was changed%s; supportd retention --apply does it.\n", onHold(r))
		return
	}
	for _, f := range r.Rewritten {
		fmt.Fprintf(w, "%s written anew: %d bytes, before %d\n", f.Name, f.After, f.Before)
	}
}

func onHold(r tickets.RetentionReport) string {
	if r.Hold == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d tickets are in legal_hold)", r.Hold)
}

// nightHour is when the daemon removes what was kept long enough, in the desk's zone.
const nightHour = 3

// nextNight is the next time to do what is done every night.
func nextNight(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	at := time.Date(local.Year(), local.Month(), local.Day(), nightHour, 0, 0, 0, zone)
	if !at.After(now) {
		at = time.Date(local.Year(), local.Month(), local.Day()+1, nightHour, 0, 0, 0, zone)
	}
	return at
}

// runRetention removes every night what was kept long enough, when the configuration says so.
func (d *Daemon) runRetention(ctx context.Context) error {
	const longest = time.Hour // wall clocks get set
	zone := d.config.Load().Zone
	next := nextNight(d.options.Now(), zone)
	for {
		timer := time.NewTimer(min(max(next.Sub(d.options.Now()), 0), longest))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if now := d.options.Now(); now.Before(next) {
			continue
		}
		next = nextNight(d.options.Now(), d.config.Load().Zone)
		d.retainNightly(ctx)
	}
}

// retainNightly is one night's work.
func (d *Daemon) retainNightly(ctx context.Context) {
	if !d.config.Load().Retention.Daily {
		return
	}
	r, err := d.desk.Retain(ctx, false)
	switch {
	case ctx.Err() != nil, errors.Is(err, tickets.ErrStopped):
	case err != nil:
		d.log.Error("retention failed; it is tried again tomorrow", "err", err)
	case r.Total() > 0:
		d.log.Info("retention", "removed", r.Total(), "tickets", len(r.Tickets), "hold", r.Hold)
	}
}
