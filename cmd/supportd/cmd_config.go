package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
)

func (a *app) configCommand() *cobra.Command {
	var write, check bool
	format := &cobra.Command{
		Use: "fmt", Short: "lay the file out evenly", Args: cobra.NoArgs,
		Long: "fmt prints the configuration file with two blanks for each level, no blanks at the ends of lines and at most one\n" +
			"empty line in a row. Keys, values, comments and their order stay. -w writes it back; --check only says whether the\n" +
			"file is laid out like that: exit code 0 if it is, else 1.",
		RunE: func(*cobra.Command, []string) error { return a.configFormat(write, check) },
	}
	format.Flags().BoolVarP(&write, "write", "w", false, "write the file instead of printing it")
	format.Flags().BoolVar(&check, "check", false, "only say whether anything would change")
	format.MarkFlagsMutuallyExclusive("write", "check")
	return group("config", "look at the configuration", &cobra.Command{
		Use: "expand", Short: "print the full form, with every default", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, findings := config.Load(a.config)
			if err := findings.Err(); err != nil {
				return err
			}
			b, err := config.Expand(c)
			if err != nil {
				return err
			}
			_, err = a.out.Write(b)
			return err
		},
	}, format, &cobra.Command{
		Use: "history", Short: "list the revisions that decided about tickets", Args: cobra.NoArgs,
		Long: "history lists the revisions of the configuration by which the desk has acted on tickets, the newest first: when each\nwas first and last used, and on how much. The texts of earlier revisions are in your version control, not in the desk.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.configHistory(cmd.Context()) },
	}, &cobra.Command{
		Use: "schema", Short: "print the JSON Schema for editors", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(config.Schema())
			return err
		},
	})
}

// configFormat lays out the configuration file.
func (a *app) configFormat(write, check bool) error {
	data, err := os.ReadFile(a.config)
	if err != nil {
		return fmt.Errorf("%s: %w", a.config, errors.Unwrap(err))
	}
	out, err := config.Format(data)
	if err != nil {
		return fmt.Errorf("%s: %w", a.config, err)
	}
	same := bytes.Equal(data, out)
	switch {
	case check && same:
		return nil
	case check:
		fmt.Fprintf(a.out, "%s is laid out otherwise; supportd config fmt -w puts it right\n", a.config)
		return exitCode(exitFound)
	case write && same:
		return nil
	case write:
		return replaceFile(a.config, out)
	}
	_, err = a.out.Write(out)
	return err
}

// replaceFile puts other content in the place of a file, so that readers see the old or the new one and never a part.
// A link is followed, and the file keeps its mode.
func replaceFile(path string, content []byte) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".supportd-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}

// revision is one revision of the configuration, by what the tickets' entries say of it.
type revision struct {
	Rev     string    `json:"rev"`
	Now     bool      `json:"now"` // the one in force
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Tickets int       `json:"tickets"`
	Entries int       `json:"entries"`
}

// configHistory reads off the entries of all tickets by which revisions the desk has acted.
func (o *operator) configHistory(context.Context, noArgs) ([]revision, error) {
	found := map[string]*revision{}
	err := o.desk.Store.View(func(tx *tickets.Tx) error {
		return tx.Tickets(true, func(t *tickets.Ticket) (bool, error) {
			entries, err := tx.Entries(t.ID)
			if err != nil {
				return false, err
			}
			counted := map[string]bool{}
			for _, e := range entries {
				r := found[e.Rev]
				if r == nil {
					r = &revision{Rev: e.Rev, First: e.At, Last: e.At, Now: o.desk.Rules() != nil && o.desk.Rules().Rev == e.Rev}
					found[e.Rev] = r
				}
				r.Entries++
				if !counted[e.Rev] {
					counted[e.Rev] = true
					r.Tickets++
				}
				if e.At.Before(r.First) {
					r.First = e.At
				}
				if e.At.After(r.Last) {
					r.Last = e.At
				}
			}
			return true, nil
		})
	})
	delete(found, "") // what the command line did without a configuration
	list := []revision{}
	for _, r := range found {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b revision) int { return b.First.Compare(a.First) })
	return list, err
}

func (a *app) configHistory(ctx context.Context) error {
	var list []revision
	if err := a.ask(ctx, "config.history", noArgs{}, &list); err != nil {
		return err
	}
	return a.print(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "nothing has happened on any ticket yet")
			return
		}
		t := newTable(w, "Revision", "First used", "Last used", "Tickets", "Entries", "")
		for _, r := range list {
			now := ""
			if r.Now {
				now = "in force"
			}
			t.AppendRow(table.Row{r.Rev, local(r.First), local(r.Last), r.Tickets, r.Entries, now})
		}
		t.Render()
	})
}
