package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// build is what the program says of itself.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from files that were not committed
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "say which version this is, and what it was built from", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := build{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					switch s.Key {
					case "vcs.revision":
						b.Commit = s.Value
					case "vcs.modified":
						b.Modified = s.Value == "true"
					}
				}
			}
			return a.print(b, func(w io.Writer) {
				fmt.Fprintf(w, "supportd %s\n%s %s\n", b.Version, b.Go, b.Platform)
				if b.Commit != "" {
					fmt.Fprintf(w, "commit %s\n", b.Commit)
				}
			})
		},
	}
}

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "write the manual pages into a folder", Args: cobra.ExactArgs(1),
		Long:    "man writes a manual page (section 1) for the program and for each of its commands into DIR, which is made when it is not\nthere. Packages have them; for a program that was built by hand, put them below a folder of manpath.",
		Example: "  supportd man /usr/local/share/man/man1",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("man: %w", err)
			}
			for name, page := range manPages(cmd.Root()) {
				if err := os.WriteFile(filepath.Join(args[0], name), page, 0o644); err != nil {
					return fmt.Errorf("man: %w", err)
				}
			}
			return nil
		},
	}
}

// manPages are the manual pages of a command and all below it, by file name.
func manPages(cmd *cobra.Command) map[string][]byte {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	cmd.InitDefaultHelpCmd() // what cobra would only add when a command line is run
	if !cmd.HasParent() {
		cmd.InitDefaultCompletionCmd()
	}
	pages := map[string][]byte{manName(cmd) + ".1": manPage(cmd)}
	for _, sub := range manSubs(cmd) {
		for name, page := range manPages(sub) {
			pages[name] = page
		}
	}
	return pages
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func manSubs(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() })
}

// manPage writes one page in the macros of man(7).
func manPage(cmd *cobra.Command) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"supportd\" \"supportd\"\n", roff(strings.ToUpper(manName(cmd))))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n", roff(manName(cmd)), roff(cmd.Short), roff(cmd.UseLine()))
	b.WriteString(".SH DESCRIPTION\n" + roffText(firstOf(cmd.Long, asSentence(cmd.Short))))
	if subs := manSubs(cmd); len(subs) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range subs {
			fmt.Fprintf(&b, ".TP\n.BR %s (1)\n%s\n", roff(manName(sub)), roff(sub.Short))
		}
	}
	for _, part := range []struct {
		title string
		flags *pflag.FlagSet
	}{{"OPTIONS", cmd.NonInheritedFlags()}, {"OPTIONS OF EVERY COMMAND", cmd.InheritedFlags()}} {
		if !part.flags.HasAvailableFlags() {
			continue
		}
		b.WriteString(".SH " + part.title + "\n")
		part.flags.VisitAll(func(f *pflag.Flag) { b.WriteString(roffFlag(f)) })
	}
	if cmd.Example != "" {
		b.WriteString(".SH EXAMPLES\n.nf\n" + roffText(strings.TrimPrefix(strings.ReplaceAll(cmd.Example, "\n  ", "\n"), "  ")) + ".fi\n")
	}
	b.WriteString(".SH EXIT STATUS\n0: fine. 1: it ran and found something. 2: it could not run.\n")
	if cmd.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", roff(manName(cmd.Parent())))
	}
	return []byte(b.String())
}

func asSentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

func roffFlag(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	value := ""
	if f.Value.Type() != "bool" {
		value = " \\fI" + roff(strings.ToUpper(strings.TrimSuffix(f.Value.Type(), "Slice"))) + "\\fR"
	}
	text := roff(f.Usage)
	if d := f.DefValue; d != "" && d != "false" && d != "[]" && d != "0" {
		text += " (default " + roff(d) + ")"
	}
	return ".TP\n\\fB" + roff(name) + "\\fR" + value + "\n" + text + "\n"
}

// roff writes a text so that troff shows it as it is.
func roff(s string) string {
	var b strings.Builder
	for _, r := range strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(s) {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	s = b.String()
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return s
}

// roffText keeps paragraphs and line ends.
func roffText(s string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		if line == "" {
			b.WriteString(".PP\n")
			continue
		}
		b.WriteString(roff(line) + "\n")
	}
	return b.String()
}
