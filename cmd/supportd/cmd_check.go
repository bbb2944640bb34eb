package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/setup"
	"supportd/mailin"
	"supportd/mailout"
)

func (a *app) checkCommand() *cobra.Command {
	var o checkFlags
	cmd := &cobra.Command{
		Use: "check", Short: "check the configuration, and with --online the servers", Args: cobra.NoArgs,
		Long: `check names every fault of the configuration with its place.

With --online it also goes the way of a mail, hop by hop: names, certificates, logins, what the servers can do, folders,
free space, and what the domain publishes (SPF, DKIM, DMARC). Then it sends two test mails to the mailbox, one of them
to name+token@domain, waits until they come back, and removes them. A desk that runs on the mailbox makes no tickets of
them. --wait 0 sends nothing.

Exit code 0: fine, 1: findings, 2: the file could not be read.`,
		Example: "  supportd check --online\n  supportd check --online --wait 5m --strict",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.online, "online", false, "try the servers as well, and let a test mail go round")
	f.BoolVar(&o.strict, "strict", false, "warnings count as findings")
	f.DurationVar(&o.wait, "wait", time.Minute, "how long the test mail may take; 0 sends none")
	f.StringVar(&o.resolver, "resolver", "", "ask this name server (host:port) about the domain, not the system's")
	return cmd
}

// checkFlags are what check is told on the command line.
type checkFlags struct {
	online, strict bool
	wait           time.Duration
	resolver       string
}

// checkReport is the machine-readable answer of check.
type checkReport struct {
	OK        bool            `json:"ok"`
	Config    string          `json:"config"`
	Rev       string          `json:"rev,omitempty"`
	Findings  config.Findings `json:"findings"`
	Remarks   []string        `json:"remarks,omitempty"` // what follows from it; nothing has to be done about them
	Mailboxes []mailboxProbe  `json:"mailboxes,omitempty"`
	Servers   []serverProbe   `json:"servers,omitempty"`
	Hops      []hop           `json:"hops,omitempty"`
}

type mailboxProbe struct {
	Name   string              `json:"name"`
	Error  string              `json:"error,omitempty"`
	Report *mailin.ProbeReport `json:"report,omitempty"`
}

type serverProbe struct {
	Name   string               `json:"name"`
	Error  string               `json:"error,omitempty"`
	Report *mailout.ProbeReport `json:"report,omitempty"`
}

func (a *app) check(ctx context.Context, o checkFlags) error {
	c, findings := config.Load(a.config)
	if findings.Unreadable() {
		return findings.Err()
	}
	r := checkReport{Config: a.config, Findings: findings}
	if c != nil {
		r.Rev, r.Remarks = c.Rev, c.Remarks()
		if _, err := buildRules(c); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				r.Findings = append(r.Findings, config.Finding{File: a.config, What: line})
			}
		}
		r.Findings = append(r.Findings, sinceInTheFuture(a.config, c, a.now())...)
		r.Findings = append(r.Findings, loginsEnding(a.config, c, a.now())...)
		r.Findings = append(r.Findings, contractsEnding(a.config, c, a.now())...)
		r.Findings = append(r.Findings, c.HolidaysEnding(a.now())...)
		r.Findings = append(r.Findings, promisedUnstaffed(a.config, c, a.now().Year())...)
	}
	if !a.json {
		for _, f := range r.Findings {
			fmt.Fprintln(a.out, f)
		}
	}
	if c != nil && o.online {
		a.online(c, o, &r).run(ctx)
	}
	r.OK = r.Findings.Errors() == 0 && r.hops(hopFault) == 0 && (!o.strict || len(r.Findings)+r.hops(hopWarning) == 0)
	if err := a.print(r, func(w io.Writer) { writeCheck(w, r, c) }); err != nil {
		return err
	}
	if !r.OK {
		return exitCode(exitFound)
	}
	return nil
}

// online prepares the part of the check that asks servers. People see each hop as it is known.
func (a *app) online(c *config.Config, o checkFlags, r *checkReport) *online {
	told := func(h hop) { fmt.Fprintln(a.out, h) }
	if a.json {
		told = func(hop) {}
	}
	waiting := func(text string) {
		if terminal(a.err) {
			fmt.Fprintln(a.err, text)
		}
	}
	tokens := newAccounts(c.State, a.now, slog.New(slog.DiscardHandler))
	tokens.prepare(c)
	return &online{config: c, tokens: tokens, waiting: waiting, resolver: setup.NameServer(o.resolver), wait: o.wait, now: a.now, random: rand.Reader, told: told,
		follower: deskFollower(c.State), report: r}
}

// deskFollower asks the desk that runs on a state directory how far it has read; nil when none runs.
func deskFollower(state string) func(mailbox string) settledFunc {
	ask := func(ctx context.Context) (v statusView, err error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return v, askDaemon(ctx, socketPath(state), "status", nil, &v)
	}
	if _, err := ask(context.Background()); err != nil {
		return nil
	}
	return func(mailbox string) settledFunc {
		return func(ctx context.Context, uid uint32) bool {
			v, err := ask(ctx)
			return err != nil || slices.ContainsFunc(v.Mailboxes, func(m mailboxView) bool { return m.Name == mailbox && m.LastUID >= uid })
		}
	}
}

// writeCheck writes what follows the findings and the hops.
func writeCheck(w io.Writer, r checkReport, c *config.Config) {
	if c != nil {
		fmt.Fprintf(w, "%s rev %s: %s, %s, %s\n", r.Config, c.Rev, count(len(c.Mailboxes), "mailbox", "mailboxes"), count(len(c.Teams), "team", "teams"), count(len(c.Brands), "brand", "brands"))
	}
	for _, remark := range r.Remarks {
		fmt.Fprintln(w, "  "+remark)
	}
	errs := r.Findings.Errors()
	fmt.Fprintf(w, "%s, %s", count(errs, "error", "errors"), count(len(r.Findings)-errs, "warning", "warnings"))
	if len(r.Hops) > 0 {
		fmt.Fprintf(w, "; online: %s, %s", count(r.hops(hopFault), "fault", "faults"), count(r.hops(hopWarning), "warning", "warnings"))
	}
	fmt.Fprintln(w)
}

// hops counts those in a state.
func (r checkReport) hops(state string) int {
	n := 0
	for _, h := range r.Hops {
		if h.State == state {
			n++
		}
	}
	return n
}

// sinceInTheFuture warns of mailboxes whose new mail would be passed over.
func sinceInTheFuture(file string, c *config.Config, now time.Time) config.Findings {
	var list config.Findings
	for _, m := range c.Mailboxes {
		if m.Since.After(now) {
			list = append(list, config.Finding{File: file, Path: "mailboxes." + m.Name + ".since", Warning: true, Fix: "correct the year",
				What: fmt.Sprintf("%s is in the future: new mail makes no ticket and gets no answer until then", m.Since.Format(time.DateOnly))})
		}
	}
	return list
}

func certificate(tls string, until, now time.Time) string {
	switch {
	case tls == "":
		return ", not encrypted"
	case until.IsZero():
		return ", " + tls
	}
	return fmt.Sprintf(", %s, certificate good for %d days", tls, int(until.Sub(now).Hours()/24))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
