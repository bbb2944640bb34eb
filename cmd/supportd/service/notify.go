package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Supervisor is systemd, as a service of Type=notify sees it (sd_notify(3)). The zero value is one that does not listen.
type Supervisor struct {
	socket   string
	watchdog time.Duration // 0: nobody waits for signs of life
}

// NewSupervisor finds the supervisor in the environment. pid is this process's: WATCHDOG_PID may name another one.
func NewSupervisor(getenv func(string) string, pid int) Supervisor {
	s := Supervisor{socket: getenv("NOTIFY_SOCKET")}
	micros, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if owner := getenv("WATCHDOG_PID"); err == nil && micros > 0 && (owner == "" || owner == strconv.Itoa(pid)) {
		s.watchdog = time.Duration(micros) * time.Microsecond
	}
	return s
}

// Listens reports whether there is anybody to tell.
func (s Supervisor) Listens() bool { return s.socket != "" }

// Tell sends assignments such as "READY=1". Without a supervisor it does nothing.
func (s Supervisor) Tell(assignments ...string) error {
	if s.socket == "" {
		return nil
	}
	address := s.socket
	if strings.HasPrefix(address, "@") {
		address = "\x00" + address[1:] // an abstract socket (unix(7))
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell the supervisor: %w", err)
	}
	_, err = conn.Write([]byte(strings.Join(assignments, "\n")))
	if err = errors.Join(err, conn.Close()); err != nil {
		return fmt.Errorf("tell the supervisor: %w", err)
	}
	return nil
}

// Run tells the supervisor that the process is alive, twice in each period that it asks for, as long as alive says so.
// It ends with ctx; without a watchdog at once.
func (s Supervisor) Run(ctx context.Context, alive func(context.Context) error) error {
	if s.socket == "" || s.watchdog == 0 {
		return nil
	}
	period := s.watchdog / 2
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		asked, cancel := context.WithTimeout(ctx, period)
		err := alive(asked)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			err = s.Tell("STATUS=not well: " + oneLine(err.Error())) // and no sign of life: systemd starts it anew
		default:
			err = s.Tell("WATCHDOG=1")
		}
		if err != nil {
			return err
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
