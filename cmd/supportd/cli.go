package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes of every command.
const (
	exitFine  = 0
	exitFound = 1 // it ran and found something: errors in a file, a problem in the store
	exitNoRun = 2 // it could not run
)

// streams are where a command reads and writes; tests bring their own.
type streams struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	hangup <-chan os.Signal // reload; nil: none comes
}

// exitCode is an error that only says how to exit: what there is to say was said.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// app is one run of the command line.
type app struct {
	streams
	config   string // -c
	state    string // --state: find the socket without a readable configuration
	json     bool
	logLevel string
	logJSON  bool
	now      func() time.Time
}

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s, now: time.Now}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	var code exitCode
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(s.err, "supportd: "+strings.TrimPrefix(plainUsage(err.Error()), "supportd: "))
	return exitNoRun
}

// plainUsage puts what cobra says about a wrong command on one line.
func plainUsage(message string) string {
	wrong, near, ok := strings.Cut(message, "\n\nDid you mean this?\n")
	switch {
	case !ok && strings.HasPrefix(message, "unknown command"):
		return message + "; supportd help lists the commands"
	case !ok:
		return message
	}
	return wrong + "; did you mean " + strings.Join(strings.Fields(near), ", ") + "?"
}

// explainArguments makes every command say how it is typed when its arguments or flags are wrong.
func explainArguments(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if check(cmd, args) != nil {
				return fmt.Errorf("%s: wrong arguments; write %s", strings.TrimPrefix(cmd.CommandPath(), "supportd "), strings.TrimSuffix(cmd.UseLine(), " [flags]"))
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		explainArguments(sub)
	}
}

// group makes a command that only holds others. Without one of them it fails, and names them.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	var names []string
	for _, s := range subs {
		names = append(names, s.Name())
	}
	cmd := &cobra.Command{Use: use, Short: short, RunE: func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s: say what to do: %s", use, strings.Join(names, ", "))
		}
		return fmt.Errorf("%s: there is no %q; there are %s", use, args[0], strings.Join(names, ", "))
	}}
	cmd.AddCommand(subs...)
	return cmd
}

// defaultConfig is the configuration file unless another is named.
const defaultConfig = "supportd.yaml"

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "supportd",
		Short:         "a support desk that lives in a mailbox",
		Long:          "supportd follows IMAP mailboxes, keeps tickets, and answers customers and notifies agents over SMTP.\nAgents work from their own mail client.\n\nTry it: supportd demo",
		SilenceErrors: true, SilenceUsage: true,
		Version: version(),
	}
	root.SetVersionTemplate("supportd {{.Version}}\n")
	f := root.PersistentFlags()
	f.StringVarP(&a.config, "config", "c", defaultConfig, "configuration file")
	f.StringVar(&a.state, "state", "", "state directory, when the configuration cannot be read")
	f.BoolVar(&a.json, "json", false, "machine-readable answers")
	f.StringVar(&a.logLevel, "log-level", "info", "debug, info, warn or error")
	f.BoolVar(&a.logJSON, "log-json", false, "log as JSON")
	root.AddCommand(a.runCommand(), a.demoCommand(), a.initCommand(), a.loginCommand(), a.checkCommand(), a.configCommand(), a.parseCommand(), a.explainCommand(), a.testCommand(), a.diffCommand(),
		a.ticketCommand(), a.outboxCommand(), a.quarantineCommand(), a.statusCommand(), a.doctorCommand(), a.backupCommand(),
		a.restoreCommand(), a.importCommand(), a.reloadCommand(), a.calendarCommand(), a.clockCommand(), a.dueCommand(), a.slaCommand(), a.evalCommand(), a.trainCommand(), a.serviceCommand(), a.versionCommand(), a.manCommand(), a.benchCommand())
	root.AddCommand(a.eraseCommand(), a.exportCommand(), a.checkStoreCommand(), a.retentionCommand(), a.templateCommand(), a.dkimCommand(), a.claimCommand(), a.keyCommand())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	explainArguments(root)
	return root
}

// version is what the build says of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// logger writes to standard error. Bodies, subjects and secrets are never logged.
func (a *app) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level %q: write debug, info, warn or error", a.logLevel)
	}
	o := &slog.HandlerOptions{Level: level}
	if a.logJSON {
		return slog.New(slog.NewJSONHandler(a.err, o)), nil
	}
	return slog.New(slog.NewTextHandler(a.err, o)), nil
}

// print writes v as JSON when that was asked for, and otherwise what text writes.
func (a *app) print(v any, text func(io.Writer)) error {
	if !a.json {
		text(a.out)
		return nil
	}
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// terminal reports whether a stream is a person's.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
