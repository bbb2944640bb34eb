package main

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// memoryAim is what the garbage collector keeps the process below when it can: a backlog of large mails would
// otherwise let it grow to twice what is in use. GOMEMLIMIT overrides it.
const memoryAim = 96 << 20

func (a *app) runCommand() *cobra.Command {
	var init bool
	var shadow string
	cmd := &cobra.Command{
		Use: "run", Short: "run the desk until it is told to stop", Args: cobra.NoArgs,
		Long: "run follows the mailboxes and sends what the desk owes, until SIGINT or SIGTERM. SIGHUP reloads the configuration;\nso does a change of the file. A supervisor that listens (systemd, Type=notify) is told when the desk is ready, that it is\nalive, and when it stops.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := a.logger()
			if err != nil {
				return err
			}
			if os.Getenv("GOMEMLIMIT") == "" {
				debug.SetMemoryLimit(memoryAim)
			}
			ctx := cmd.Context()
			d, err := NewDaemon(a.config, Options{Log: log, Init: init, Shadow: shadow, Ready: supervised(ctx, log), Check: a.checkStore})
			if err != nil {
				return err
			}
			go func() {
				for {
					select {
					case <-ctx.Done():
						return
					case _, ok := <-a.hangup:
						if !ok {
							return
						}
						_ = d.Reload() // logged and shown by Reload
					}
				}
			}()
			return d.Run(ctx)
		},
	}
	cmd.Flags().BoolVar(&init, "init", false, "start with an empty store although the state directory has traces of one")
	cmd.Flags().StringVar(&shadow, "shadow", "", "decide about live mail by this configuration too, a file or a folder, and log where it differs")
	return cmd
}
