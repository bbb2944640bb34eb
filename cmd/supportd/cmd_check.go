package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/mailout"
)

func (a *app) checkCommand() *cobra.Command {
	var online, strict bool
	cmd := &cobra.Command{
		Use: "check", Short: "check the configuration, and with --online the servers", Args: cobra.NoArgs,
		Long: "check names every fault of the configuration with its place. With --online it also logs in to every server and says\nwhat it can do; nothing is sent or changed. Exit code 0: fine, 1: findings, 2: the file could not be read.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context(), online, strict) },
	}
	cmd.Flags().BoolVar(&online, "online", false, "log in to the servers as well")
	cmd.Flags().BoolVar(&strict, "strict", false, "warnings count as findings")
	return cmd
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

func (a *app) check(ctx context.Context, online, strict bool) error {
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
	}
	if c != nil {
		r.Findings = append(r.Findings, sinceInTheFuture(a.config, c, a.now())...)
		r.Findings = append(r.Findings, contractsEnding(a.config, c, a.now())...)
	}
	if c != nil && online {
		a.probe(ctx, c, &r)
	}
	r.OK = r.Findings.Errors() == 0 && (!strict || len(r.Findings) == 0) && r.faultyServers() == 0
	if err := a.print(r, func(w io.Writer) { writeCheck(w, r, c, a.now()) }); err != nil {
		return err
	}
	if !r.OK {
		return exitCode(exitFound)
	}
	return nil
}

// probe logs in everywhere, one server after the other, and sends nothing.
func (a *app) probe(ctx context.Context, c *config.Config, r *checkReport) {
	const limit = 30 * time.Second
	for _, m := range c.Mailboxes {
		ctx, cancel := context.WithTimeout(ctx, limit)
		report, err := mailin.Probe(ctx, mailboxConfig(m))
		cancel()
		p := mailboxProbe{Name: m.Name, Report: &report}
		if err != nil {
			p.Error = err.Error()
		}
		r.Mailboxes = append(r.Mailboxes, p)
	}
	for _, b := range c.Brands {
		ctx, cancel := context.WithTimeout(ctx, limit)
		report, err := mailout.Probe(ctx, serverConfig(b))
		cancel()
		p := serverProbe{Name: b.Name, Report: &report}
		if err != nil {
			p.Error = err.Error()
		}
		r.Servers = append(r.Servers, p)
	}
}

func writeCheck(w io.Writer, r checkReport, c *config.Config, now time.Time) {
	for _, f := range r.Findings {
		fmt.Fprintln(w, f)
	}
	for _, m := range r.Mailboxes {
		if m.Error != "" {
			fmt.Fprintln(w, "✗ "+m.Error)
			continue
		}
		p := m.Report
		fmt.Fprintf(w, "✓ %s: logged in, %d messages%s\n", p.Where, p.Messages, certificate(p.TLS, p.CertExpires, now))
		fmt.Fprintf(w, "  new mail is told at once (IDLE): %s · MOVE: %s · UIDPLUS: %s · keywords: %s\n", yesNo(p.Idle), yesNo(p.Move), yesNo(p.UIDPlus), p.Keywords)
		for _, problem := range p.Problems {
			fmt.Fprintln(w, "✗ "+problem)
		}
	}
	for _, s := range r.Servers {
		if s.Error != "" {
			fmt.Fprintln(w, "✗ "+s.Error)
			continue
		}
		p := s.Report
		login := "no login wanted"
		if p.LoggedIn {
			login = "logged in"
		}
		fmt.Fprintf(w, "✓ smtp server %q at %s: %s%s\n", p.Server, p.Addr, login, certificate(p.TLS, p.NotAfter, now))
	}
	if c != nil {
		fmt.Fprintf(w, "%s rev %s: %s, %s, %s\n", r.Config, c.Rev, count(len(c.Mailboxes), "mailbox", "mailboxes"), count(len(c.Teams), "team", "teams"), count(len(c.Brands), "brand", "brands"))
	}
	for _, remark := range r.Remarks {
		fmt.Fprintln(w, "  "+remark)
	}
	errs := r.Findings.Errors()
	fmt.Fprintf(w, "%s, %s", count(errs, "error", "errors"), count(len(r.Findings)-errs, "warning", "warnings"))
	if n := r.faultyServers(); n > 0 {
		fmt.Fprintf(w, ", %s with faults", count(n, "server", "servers"))
	}
	fmt.Fprintln(w)
}

// faultyServers is how many servers a probe found something wrong with.
func (r checkReport) faultyServers() int {
	n := 0
	for _, m := range r.Mailboxes {
		if m.Error != "" || len(m.Report.Problems) > 0 {
			n++
		}
	}
	for _, s := range r.Servers {
		if s.Error != "" {
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

func (a *app) initCommand() *cobra.Command {
	var o config.InitOptions
	cmd := &cobra.Command{
		Use: "init", Short: "write a commented configuration for a mailbox", Args: cobra.NoArgs,
		Long:    "init writes the configuration file (-c, supportd.yaml) with a comment at every line, an empty file for the password\nand the schema that lets editors complete and check it. It never overwrites a file.",
		Example: `  supportd init --address "Nordwind Service <hilfe@nordwind.example>" --team anna@nordwind.example,ben@nordwind.example --language de`,
		RunE:    func(*cobra.Command, []string) error { return a.init(o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.Address, "address", "", "what customers write to, with or without a display name")
	f.StringSliceVar(&o.Team, "team", nil, "addresses of the people who answer")
	f.StringVar(&o.IMAP, "imap", "", "host or host:port (default imap.DOMAIN)")
	f.StringVar(&o.SMTP, "smtp", "", "host or host:port (default smtp.DOMAIN)")
	f.StringVar(&o.User, "user", "", "login name (default: the address)")
	f.StringVar(&o.TLS, "tls", "", "implicit, starttls or none (default implicit)")
	f.StringVar(&o.Language, "language", "", "de or en (default en)")
	f.StringVar(&o.Timezone, "timezone", "", "such as Europe/Berlin")
	f.StringVar(&o.TrustAuth, "trust-auth", "", "the mail server's name in Authentication-Results (default: the IMAP host)")
	f.BoolVar(&o.Trusted, "trusted", false, "only people who logged in can write to the mailbox")
	return cmd
}

func (a *app) init(o config.InitOptions) error {
	if o.Address == "" || len(o.Team) == 0 {
		return errors.New("init wants --address (what customers write to) and --team (who answers); see supportd init --help")
	}
	dir := filepath.Dir(a.config)
	o.PasswordFile = "mailbox.pw"
	text, err := config.InitFile(o)
	if err != nil {
		return err
	}
	password := filepath.Join(dir, o.PasswordFile)
	if err := writeNew(a.config, text, 0o644); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and is left as it is; move it away, or name another with -c", a.config)
	} else if err != nil {
		return err
	}
	if err := writeNew(password, nil, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := writeNew(filepath.Join(dir, "supportd.schema.json"), config.Schema(), 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	fmt.Fprintf(a.out, "wrote %s\n\nnext:\n  1. put the mailbox's password into %s\n  2. supportd check --online -c %s\n  3. supportd run -c %s\n", a.config, password, a.config, a.config)
	return nil
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
