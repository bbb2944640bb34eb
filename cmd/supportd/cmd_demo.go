package main

import (
	"crypto/rand"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/demo"
	"supportd/tickets"
)

func (a *app) demoCommand() *cobra.Command {
	d := &demo.Demo{Open: openDemoDesk, Out: a.out, Color: terminal(a.out), Now: a.now, Random: rand.Reader}
	cmd := &cobra.Command{
		Use: "demo", Short: "try a whole desk on this machine, with sample mails", Args: cobra.NoArgs,
		Long: `demo starts mail servers for two customers, two agents and the desk on 127.0.0.1, runs the desk, and lets them write
to each other. It tells what happens, and serves a page with everybody's mailbox, where you write as the customer and
answer as the agent. Nothing is installed and nothing leaves the machine; Ctrl-C ends it and removes everything.`,
		Example: "  supportd demo\n  supportd demo --once",
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := d.Run(cmd.Context())
			if errors.Is(err, demo.ErrWrong) {
				cmd.PrintErrln("supportd demo:", err)
				return exitCode(exitFound)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVar(&d.Once, "once", false, "play the sample mails, say what came of them, end; exit code 1 when it is not as it must be")
	f.StringVar(&d.Dir, "dir", "", "keep configuration and store in this folder, which must be new or empty")
	f.StringVar(&d.Listen, "listen", "127.0.0.1:0", "address of the page, on this machine; port 0 is a free one")
	return cmd
}

// demoDesk is the daemon as the demo knows it.
type demoDesk struct{ *Daemon }

func openDemoDesk(config string, log *slog.Logger) (demo.Desk, error) {
	d, err := NewDaemon(config, Options{Log: log})
	if err != nil {
		return nil, err
	}
	return demoDesk{d}, nil
}

// Ready implements demo.Desk.
func (d demoDesk) Ready() bool {
	v, err := d.status()
	return err == nil && v.Ready && len(v.Mailboxes) > 0
}

// Store implements demo.Desk.
func (d demoDesk) Store() *tickets.Store { return d.desk.Store }
