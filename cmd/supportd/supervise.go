package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"supportd/cmd/supportd/service"
)

// supervised tells the supervisor of the process, when there is one: that the desk is ready, that it lives, and that it
// stops.
func supervised(ctx context.Context, log *slog.Logger) func(*Daemon) {
	s := service.NewSupervisor(os.Getenv, os.Getpid())
	if !s.Listens() {
		return nil
	}
	tell := func(assignments ...string) {
		if err := s.Tell(assignments...); err != nil {
			log.Warn("supervisor cannot be told", "err", err)
		}
	}
	return func(d *Daemon) {
		tell("READY=1", fmt.Sprintf("STATUS=follows %s", count(len(d.config.Load().Mailboxes), "mailbox", "mailboxes")))
		context.AfterFunc(ctx, func() { tell("STOPPING=1", "STATUS=stops") })
		d.start(func() error {
			if err := s.Run(ctx, d.alive); err != nil {
				log.Warn("supervisor cannot be told", "err", err)
			}
			return nil
		})
	}
}

// alive looks whether the workers and the store still answer.
func (d *Daemon) alive(ctx context.Context) error {
	answer := make(chan error, 1)
	go func() {
		_, err := d.status()
		answer <- errors.Join(err, d.desk.Store.Err())
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return errors.New("the store does not answer")
	}
}
