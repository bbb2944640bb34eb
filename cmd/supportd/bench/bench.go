// Package bench measures how fast a desk is: it makes its own mail, runs each stage of the way of a message by itself and
// then the whole way, and says what each message costs in time, processor time and memory. Servers run in a process of
// their own, so that what they need is not counted. It decides nothing about mail, and asserts nothing about time.
package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"supportd/mailin"
	"supportd/mailout"
	"supportd/tickets"
)

// Setup is what a configuration makes of the rooms.
type Setup struct {
	Rules   *tickets.Rules
	Mailbox mailin.Config
	Servers map[string]mailout.Server
}

// Bench is one run. The servers, given or its own, are on this machine.
type Bench struct {
	// Open reads a configuration file. Required.
	Open func(config string) (Setup, error)
	// Program starts this program again, to be the servers. Required unless IMAP and SMTP are given.
	Program func(args ...string) ([]string, error)
	Out     io.Writer // where the table goes; required
	Say     io.Writer // progress; nil: nowhere

	Messages int           // how many
	Fill     int           // messages that are stored before anything is measured
	Seed     uint64        // of the mail
	Stages   []string      // which; empty: all
	Latency  time.Duration // of the way to the servers, there and back
	Dir      string        // for the store: new, empty, or kept from an earlier run; "": a temporary folder that is removed
	IMAP     string        // host:port of an IMAP server without TLS; "": an own one
	SMTP     string        // host:port of an SMTP server without TLS; "": an own one
	User     string        // of the IMAP server; its mailbox has the mail already
	Password string
	Team     []string // who is told of new tickets; empty: one agent
}

// StageNames are all stages, in the order in which they run.
func StageNames() []string {
	return []string{"generate", "parse", "classify", "compose", "store", "send", "fetch", "intake", "whole", "start", "poll", "arrival", "lookup"}
}

const (
	deskAddress = "support@bench.example"
	agent       = "anna@bench.example"
	ownUser     = "bench"
	ownPassword = "secret"
	validity    = 4_000_000_001 // UIDVALIDITY of mail that no server hands out: none has this one
	batch       = 256           // messages that are settled at a time
)

// run is a Bench under way.
type run struct {
	*Bench
	dir     string
	opened  bool   // the shared desk, before
	kept    uint64 // messages that an earlier run left in it
	mails   []Mail
	parsed  []*tickets.Message
	setup   Setup
	servers *servers
	result  Result
}

// Run measures and returns what came out.
func (b *Bench) Run(ctx context.Context) (res Result, err error) {
	for _, s := range b.Stages {
		if !slices.Contains(StageNames(), s) {
			return res, fmt.Errorf("--stages: there is no %q; there are %s", s, strings.Join(StageNames(), ", "))
		}
	}
	if b.Messages < 1 || b.Messages > 1e6 {
		return res, fmt.Errorf("--messages %d: name a number from 1 to 1000000", b.Messages)
	}
	if b.Fill < 0 {
		return res, fmt.Errorf("--fill %d: name 0 or more", b.Fill)
	}
	r := &run{Bench: b, result: Result{
		Version: 1, Go: runtime.Version(), Machine: machine(), Messages: b.Messages, Fill: b.Fill, Seed: b.Seed,
		LatencyMS: float64(b.Latency.Microseconds()) / 1000,
	}}
	if err := r.makeDir(); err != nil {
		return res, err
	}
	if b.Dir == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	}
	if err := r.startServers(ctx); err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, r.servers.stop()) }()
	if r.setup, err = b.Open(r.config()); err != nil {
		return res, err
	}
	stages := map[string]func(context.Context) error{
		"generate": r.generate, "parse": r.parse, "classify": r.classify, "compose": r.compose, "store": r.storeStage, "send": r.send,
		"fetch": r.fetch, "intake": r.intake, "whole": r.whole, "start": r.start, "poll": r.poll, "arrival": r.arrival, "lookup": r.lookup,
	}
	for _, name := range StageNames() {
		if len(b.Stages) > 0 && !slices.Contains(b.Stages, name) {
			continue
		}
		r.say("%s …", name)
		if err := stages[name](ctx); err != nil {
			return r.result, fmt.Errorf("stage %s: %w", name, err)
		}
	}
	return r.result, nil
}

func (r *run) say(format string, args ...any) {
	if r.Say != nil {
		fmt.Fprintf(r.Say, "bench: "+format+"\n", args...)
	}
}

func (r *run) makeDir() (err error) {
	if r.Dir == "" {
		r.dir, err = os.MkdirTemp("", "supportd-bench-")
		return err
	}
	if r.dir, err = filepath.Abs(r.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	list, err := os.ReadDir(r.dir)
	if err != nil || len(list) == 0 {
		return err
	}
	if _, err := os.Stat(filepath.Join(r.dir, deskName)); err != nil {
		return fmt.Errorf("--dir %s: name a new or an empty folder, or one that an earlier bench kept", r.Dir)
	}
	if r.Fill > 0 {
		return fmt.Errorf("--dir %s: an earlier bench has filled it, leave --fill out", r.Dir)
	}
	return nil
}

func (r *run) config() string { return filepath.Join(r.dir, "supportd.yaml") }

// configure writes the configuration, which is an ordinary one.
func (r *run) configure(imap, smtp, user, password string) error {
	team := r.Team
	if len(team) == 0 {
		team = []string{agent}
	}
	text := fmt.Sprintf(`version: 1
mailbox: {imap: %q, smtp: %q, user: %q, password_file: bench.pw, tls: none, trusted: true, since: 2020-01-01}
from: Support <%s>
languages: [de, en]
notices: {together: false}
first_response: 4h
resolve: 24h
team: [%s]
`, imap, smtp, user, deskAddress, strings.Join(team, ", "))
	if err := os.WriteFile(filepath.Join(r.dir, "bench.pw"), []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(r.config(), []byte(text), 0o600)
}

// need makes the mails, unless that was done.
func (r *run) need() {
	if r.mails != nil {
		return
	}
	g := NewGenerator(r.Seed, deskAddress, mailTime())
	for range r.Messages {
		r.mails = append(r.mails, g.Next())
	}
}

// mailTime is when the first mail was sent: a fixed time makes the same mail every day.
func mailTime() time.Time { return time.Date(2026, 1, 12, 8, 0, 0, 0, time.UTC) }

// newDesk opens a desk on a store of its own; some stages share one by its name.
func (r *run) newDesk(name string) (*tickets.Desk, error) {
	store, err := tickets.OpenStore(filepath.Join(r.dir, name), tickets.Options{Now: time.Now, Random: rand.Reader})
	if err != nil {
		return nil, err
	}
	desk := tickets.NewDesk(store, r.setup.Rules, time.Now, slog.New(slog.DiscardHandler))
	desk.Read, desk.Files = mailin.Parse, mailin.Files
	return desk, nil
}

// machine says what this ran on.
func machine() string {
	name := ""
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				name = ", " + strings.TrimSpace(v)
				break
			}
		}
	}
	return fmt.Sprintf("%s/%s, %d processors%s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), name)
}
