package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/bench"
	"supportd/cmd/supportd/config"
)

func (a *app) benchCommand() *cobra.Command {
	b := &bench.Bench{Open: openBench, Out: a.out}
	var save, baseline, passwordFile string
	var profile profiles
	cmd := &cobra.Command{
		Use: "bench", Short: "measure how fast this machine runs a desk", Args: cobra.NoArgs,
		Long: `bench makes its own mail, runs each stage of the way of a message by itself and then the whole way, and prints how many
messages a second each takes, and how much processor time and memory. Its mail servers run in a process of their own on
127.0.0.1; --imap and --smtp name others on this machine. Nothing leaves the machine. The stages are generate, parse,
classify, compose, store (decide and store), send, fetch, intake (all but send), whole, start, poll, arrival and lookup.

--save keeps the figures, and --baseline compares a later run with them. --fill stores so many messages first, through
the same code, to see how a desk does that has seen much.`,
		Example: "  supportd bench\n  supportd bench --messages 20000 --save before.json\n  supportd bench --messages 20000 --baseline before.json\n  supportd bench --fill 100000 --stages store,start,lookup",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if terminal(a.err) {
				b.Say = a.err
			}
			b.Program = func(args ...string) ([]string, error) {
				self, err := os.Executable()
				return append([]string{self}, args...), err
			}
			if passwordFile != "" {
				text, err := os.ReadFile(passwordFile)
				if err != nil {
					return fmt.Errorf("--password-file: %w", err)
				}
				b.Password = strings.TrimRight(string(text), "\r\n")
			}
			var old *bench.Result
			if baseline != "" {
				r, err := bench.Load(baseline)
				if err != nil {
					return fmt.Errorf("--baseline: %w", err)
				}
				old = &r
			}
			return profile.of(func() error {
				r, err := b.Run(cmd.Context())
				if err != nil {
					return err
				}
				if save != "" {
					if err := r.Save(save); err != nil {
						return fmt.Errorf("--save: %w", err)
					}
				}
				return a.print(r, func(w io.Writer) { r.Write(w, old) })
			})
		},
	}
	f := cmd.Flags()
	f.IntVar(&b.Messages, "messages", 2000, "how many messages")
	f.IntVar(&b.Fill, "fill", 0, "messages that are stored before anything is measured")
	f.Uint64Var(&b.Seed, "seed", 1, "other mails for another number")
	f.StringSliceVar(&b.Stages, "stages", nil, "only these, such as parse,store")
	f.DurationVar(&b.Latency, "latency", 0, "make the way to the servers and back this long, such as 40ms")
	f.StringVar(&b.Dir, "dir", "", "keep the store in this folder, which is new, empty, or has what an earlier bench kept, as if --fill had stored it")
	f.StringVar(&b.IMAP, "imap", "", "host:port of an IMAP server on this machine, without TLS, whose mailbox has the mail")
	f.StringVar(&b.User, "user", "", "user of the IMAP server")
	f.StringVar(&passwordFile, "password-file", "", "file with the password of the IMAP server")
	f.StringVar(&b.SMTP, "smtp", "", "host:port of an SMTP server on this machine, without TLS, that throws away what it gets")
	f.StringVar(&save, "save", "", "write the figures into this file")
	f.StringVar(&baseline, "baseline", "", "compare with the figures in this file")
	profile.flags(cmd)
	cmd.AddCommand(a.benchServersCommand(), a.benchMailsCommand(), a.benchDrainCommand("intake"), a.benchDrainCommand("outbox"))
	return cmd
}

// openBench reads a configuration for a benchmark.
func openBench(path string) (bench.Setup, error) {
	c, findings := config.Load(path)
	if err := findings.Err(); err != nil {
		return bench.Setup{}, err
	}
	rules, err := buildRules(c)
	tokens := newAccounts(c.State, time.Now, slog.New(slog.DiscardHandler))
	return bench.Setup{Rules: rules, Mailbox: mailboxConfig(c.Mailboxes[0], tokens), Servers: serverConfigs(c, tokens)}, err
}

// profiles are what is written for go tool pprof; "" is none.
type profiles struct{ cpu, allocs string }

func (p *profiles) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.cpu, "cpuprofile", "", "write where processor time goes into this file, for go tool pprof")
	cmd.Flags().StringVar(&p.allocs, "allocprofile", "", "write where memory is allocated into this file, for go tool pprof")
}

// of runs f and writes the profiles of it.
func (p *profiles) of(f func() error) error {
	if p.cpu != "" {
		file, err := os.Create(p.cpu)
		if err != nil {
			return fmt.Errorf("--cpuprofile: %w", err)
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return fmt.Errorf("--cpuprofile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	if err := f(); err != nil || p.allocs == "" {
		return err
	}
	file, err := os.Create(p.allocs)
	if err != nil {
		return fmt.Errorf("--allocprofile: %w", err)
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(file, 0), file.Close())
}

func (a *app) benchServersCommand() *cobra.Command {
	var messages int
	var seed uint64
	cmd := &cobra.Command{
		Use: "servers", Short: "the process with the servers of bench", Args: cobra.NoArgs, Hidden: true,
		RunE: func(*cobra.Command, []string) error { return bench.Serve(a.in, a.out, messages, seed) },
	}
	cmd.Flags().IntVar(&messages, "messages", 0, "in the mailbox")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "other mails for another number")
	return cmd
}

func (a *app) benchMailsCommand() *cobra.Command {
	var messages int
	var seed uint64
	var maildir bool
	cmd := &cobra.Command{
		Use: "mails DIR", Short: "write made-up mails, one a file", Args: cobra.ExactArgs(1),
		Long: `mails writes the mails that bench works with into a folder, one a file: sizes, kinds, charsets and encodings are those of
a support mailbox. With --maildir the folder is a maildir, for an IMAP server to hand out.`,
		Example: "  supportd bench mails --messages 2000 /tmp/mails\n  supportd bench mails --maildir /srv/mail/bench",
		RunE: func(_ *cobra.Command, args []string) error {
			return bench.WriteMails(args[0], messages, seed, maildir)
		},
	}
	cmd.Flags().IntVar(&messages, "messages", 2000, "how many")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "other mails for another number")
	cmd.Flags().BoolVar(&maildir, "maildir", false, "make a maildir")
	return cmd
}

// benchDrainCommand makes the two commands that do one half of a desk's work once, as a process whose time can be taken.
func (a *app) benchDrainCommand(what string) *cobra.Command {
	var profile profiles
	cmd := &cobra.Command{Use: what, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return profile.of(func() error { return a.drain(cmd.Context(), what == "intake") })
	}}
	if what == "intake" {
		cmd.Short = "read the mailboxes of a configuration once, and end"
		cmd.Long = `intake reads every mailbox of the configuration to its end, decides, and stores tickets and the mails that are owed, as run
does; then it ends. Nothing is sent. Its time is that of the intake alone, to compare with other programs that read a
mailbox.`
		cmd.Example = "  time supportd bench intake -c bench.yaml"
	} else {
		cmd.Short = "send what a desk owes, and end"
		cmd.Long = `outbox hands every mail that is due to the SMTP servers of the configuration, as run does, but without the bound on
automatic answers in a minute; then it ends. Name servers that throw mail away.`
		cmd.Example = "  time supportd bench outbox -c bench.yaml"
	}
	profile.flags(cmd)
	return cmd
}

// drain does one half of the work that there is, and prints what it took.
func (a *app) drain(ctx context.Context, intake bool) error {
	took := bench.Watch(ctx)
	path, err := filepath.Abs(a.config)
	if err != nil {
		return err
	}
	log, err := a.logger()
	if err != nil {
		return err
	}
	d, err := NewDaemon(path, Options{Log: log})
	if err != nil {
		return err
	}
	c := d.config.Load()
	var done int
	if intake {
		for _, m := range c.Mailboxes {
			if err == nil {
				err = bench.Catch(ctx, d.desk, mailboxConfig(m, d.tokens))
			}
		}
		done, err = bench.Settled(d.desk, err)
	} else {
		done, err = bench.Empty(ctx, d.desk, serverConfigs(c, d.tokens))
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}
	r := took(done)
	return a.print(r, func(w io.Writer) {
		fmt.Fprintf(w, "%d in %.3f s, %.3f s of processor time, at most %.0f MB\n", r.Count, r.Seconds, r.CPUSeconds, r.PeakAnon)
	})
}
