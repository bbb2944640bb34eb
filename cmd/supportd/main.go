// Command supportd turns a mailbox into a support desk: it follows IMAP mailboxes, keeps tickets, and answers and
// notifies over SMTP. This package is the program and its operator: one file to configure it, one process to run, one
// socket to ask. What a desk does is decided in the packages it wires together.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	code := execute(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, hangup: hangup})
	stop()
	os.Exit(code)
}
