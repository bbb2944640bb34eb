package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/tickets"
)

// checkStall is how long the check of the store may say nothing. A store of any size may be looked through; one whose
// check does not get on is damaged.
const checkStall = 60 * time.Second

// checkStoreCommand is the process that looks through a store before the daemon opens it. A line on standard output says
// that it gets on; what is wrong stands on standard error.
func (a *app) checkStoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check-store DIR", Short: "the process that looks through a store before it is opened", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(_ *cobra.Command, p []string) error {
			return tickets.CheckStore(p[0], func() { fmt.Fprintln(a.out, "on") })
		},
	}
}

// checkStore looks through the store in another process, which is ended when it does not get on.
func (a *app) checkStore(state string) error {
	self, err := os.Executable()
	if err != nil {
		return nil // nothing says that the store is damaged; opening it looks at the beginning at least
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, self, "check-store", state)
	cmd.Args[0] = os.Args[0]
	return watchCheck(cmd, state, checkStall, cancel)
}

var errStall = errors.New("the check does not get on")

// watchCheck runs the check and ends it when it says nothing for too long.
func watchCheck(cmd *exec.Cmd, state string, stall time.Duration, cancel context.CancelCauseFunc) error {
	damaged := func(why string) error {
		return fmt.Errorf("the store in %s is damaged (%s): nothing was changed; restore a backup with supportd restore FILE --yes", state, why)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil // there is no room for another process, say: no reason to be down
	}
	stalled := make(chan struct{})
	watch := time.AfterFunc(stall, func() { close(stalled); cancel(errStall) })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		watch.Reset(stall)
	}
	_, _ = io.Copy(io.Discard, out) // until it ends, whatever it writes
	err = cmd.Wait()
	watch.Stop()
	select {
	case <-stalled:
		return damaged(fmt.Sprintf("its check said nothing for %s", stall))
	default:
	}
	message := strings.TrimPrefix(strings.TrimSpace(said.String()), "supportd: ")
	switch {
	case err == nil:
		return nil
	case cmd.ProcessState.ExitCode() == exitNoRun && message != "" && !strings.Contains(message, "\n"):
		return errors.New(message)
	}
	return damaged("its check ended with " + err.Error())
}
