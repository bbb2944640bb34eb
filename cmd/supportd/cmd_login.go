package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/oauth"
)

func (a *app) loginCommand() *cobra.Command {
	var port int
	cmd := &cobra.Command{
		Use: "login [MAILBOX]", Short: "agree once to a login by access tokens (oauth2: grant device or consent)", Args: cobra.MaximumNArgs(1),
		Long: "login asks the provider for the right to read and send a mailbox's mail: you open a page, type a code or agree, and\n" +
			"the refresh token that comes back is kept in the state directory, readable for its owner only. Run it as the user\n" +
			"that supportd runs as. A running supportd goes on by itself; nothing has to be started anew. MAILBOX is the mailbox's\n" +
			"name, or smtp:BRAND for a brand's server with an account of its own; it may be left out when there is only one.",
		Example: "  supportd login support",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.login(cmd.Context(), strings.Join(args, ""), port)
		},
	}
	cmd.Flags().IntVar(&port, "port", 0, "where the browser comes back to after consent (default: any free port)")
	return cmd
}

// login runs the flow of one account.
func (a *app) login(ctx context.Context, name string, port int) error {
	c, findings := config.Load(a.config)
	if err := findings.Err(); err != nil {
		return err
	}
	use, err := chooseLogin(c, name)
	if err != nil {
		return err
	}
	all := newAccounts(c.State, a.now, slog.New(slog.DiscardHandler))
	source, err := all.source(use)
	if err != nil {
		return err
	}
	o := oauth.LoginOptions{Port: port, Show: func(p oauth.Prompt) { a.showPrompt(use, p) }}
	if use.how.Grant == oauth.Consent {
		o.Pasted = a.lines()
	}
	if err := source.Login(ctx, o); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "logged in: %s may now use the account %s\n", use.name, use.user)
	if s := source.Status(); !s.Consent.IsZero() {
		fmt.Fprintf(a.out, "this ends on %s; supportd tells the admin before\n", s.Consent.In(c.Zone).Format(time.DateOnly))
	}
	var woken struct{}
	if err := askDaemon(ctx, socketPath(c.State), "wake", struct{}{}, &woken); err != nil && !errors.Is(err, errNotRunning) {
		return fmt.Errorf("the login is kept, but the running supportd was not told: %w", err)
	}
	fmt.Fprintf(a.out, "next: supportd check --online -c %s\n", a.config)
	return nil
}

// chooseLogin finds the login that a name means.
func chooseLogin(c *config.Config, name string) (accountUse, error) {
	var names []string
	var found []accountUse
	seen := map[string]bool{}
	for _, u := range accountUses(c) {
		if u.login == name && !u.how.Grant.Delegated() {
			return u, fmt.Errorf("%s: with grant %s nobody has to log in; see supportd check --online", name, u.how.Grant)
		}
		if !u.how.Grant.Delegated() || seen[u.account().ID()] && u.login != name {
			continue
		}
		seen[u.account().ID()] = true
		names = append(names, u.login)
		if name == "" || u.login == name {
			found = append(found, u)
		}
	}
	switch {
	case len(names) == 0:
		return accountUse{}, fmt.Errorf("%s: no login needs a person: none has oauth2 with grant device or consent", c.Path)
	case len(found) == 1:
		return found[0], nil
	case name == "":
		return accountUse{}, fmt.Errorf("say which one: %s", strings.Join(names, ", "))
	}
	return accountUse{}, fmt.Errorf("there is no login %q that needs a person; there are %s", name, strings.Join(names, ", "))
}

func (a *app) showPrompt(use accountUse, p oauth.Prompt) {
	fmt.Fprintf(a.out, "log in as %s:\n\n  open  %s\n", use.user, p.URL)
	switch {
	case p.Code != "":
		fmt.Fprintf(a.out, "  type  %s\n", p.Code)
	default:
		fmt.Fprintln(a.out, "\nIf the browser is on another machine it ends at a page that cannot be opened: paste that page's address here.")
	}
	if !p.Until.IsZero() {
		fmt.Fprintf(a.out, "  until %s\n", p.Until.Local().Format(time.TimeOnly))
	}
	fmt.Fprintln(a.out)
}

// lines are what a person types. Reading ends with the process: a terminal cannot be told to stop.
func (a *app) lines() <-chan string {
	if a.in == nil {
		return nil
	}
	c := make(chan string)
	go func() {
		defer close(c)
		for in := bufio.NewScanner(io.LimitReader(a.in, 1<<16)); in.Scan(); {
			if line := strings.TrimSpace(in.Text()); line != "" {
				c <- line
			}
		}
	}()
	return c
}
