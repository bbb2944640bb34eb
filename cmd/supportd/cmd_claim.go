package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
)

// claimCommand says that this desk goes on.
func (a *app) claimCommand() *cobra.Command {
	return &cobra.Command{
		Use: "claim [MAILBOX...]", Short: "take mailboxes over from another desk",
		Long: "Two desks on one mailbox would both answer. So a desk that finds that another reads its mailbox does not read it, and one\n" +
			"whose state directory is a copy does not start. Stop the other desk for good; then claim says that this one goes on, with\n" +
			"the mailboxes named, or with all of them. A running daemon does it at once, else the next start does. Where another desk\n" +
			"had the mailbox, reading begins a minute later, so that it can end what it is at.",
		RunE: func(cmd *cobra.Command, p []string) error {
			var c claimed
			if err := a.ask(cmd.Context(), "claim", claimArgs{Mailboxes: p}, &c); err != nil {
				return err
			}
			return a.print(c, func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", strings.Join(c.Mailboxes, ", "), c.Result) })
		},
	}
}

type claimArgs struct {
	Mailboxes []string `json:"mailboxes"` // none: all
}

// claimed says which mailboxes are taken, and when.
type claimed struct {
	Mailboxes []string `json:"mailboxes"`
	Result    string   `json:"result"`
}

// claim orders the desk to take mailboxes, and makes its state directory its home.
func (o *operator) claim(ctx context.Context, a claimArgs) (claimed, error) {
	c := o.config
	if o.daemon != nil {
		c = o.daemon.config.Load()
	}
	if c == nil {
		return claimed{}, errors.New("claim wants the configuration, with its mailboxes: name it with -c")
	}
	all := mailboxNames(c)
	for _, name := range a.Mailboxes {
		if !slices.Contains(all, name) {
			return claimed{}, fmt.Errorf("there is no mailbox %q in %s: there is %s", name, c.Path, strings.Join(all, ", "))
		}
	}
	out := claimed{Mailboxes: a.Mailboxes, Result: "the next start takes it over"}
	if len(a.Mailboxes) == 0 {
		out.Mailboxes = all
	}
	host, err := os.Hostname()
	if err != nil {
		return claimed{}, err
	}
	if err := o.desk.Store.Move(ctx, host); err != nil {
		return claimed{}, err
	}
	if err := o.desk.TakeMailboxes(ctx, out.Mailboxes); err != nil {
		return claimed{}, err
	}
	if o.daemon != nil {
		out.Result = "taken over as soon as the server is reached"
		return out, o.daemon.wake(ctx)
	}
	return out, nil
}

// settleIn makes the state directory the store's home, and names the place: this machine and the directory. It fails for
// one that was copied from elsewhere.
func settleIn(store *tickets.Store) (string, error) {
	host, err := os.Hostname()
	if err == nil {
		err = store.AtHome(context.Background(), host)
	}
	if err != nil {
		return "", err
	}
	dir, err := filepath.Abs(store.Dir())
	return host + ":" + dir, err
}

func mailboxNames(c *config.Config) []string {
	var names []string
	for _, m := range c.Mailboxes {
		names = append(names, m.Name)
	}
	return names
}
