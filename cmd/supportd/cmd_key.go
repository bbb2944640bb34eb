package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"supportd/tickets"
)

// keyCommand changes the keys behind reply addresses.
func (a *app) keyCommand() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "show which keys there are, and until when", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var keys []tickets.KeyView
			if err := a.ask(cmd.Context(), "key.list", noArgs{}, &keys); err != nil {
				return err
			}
			return a.print(keys, func(w io.Writer) { writeKeys(w, keys) })
		},
	}
	var days int
	add := &cobra.Command{
		Use: "add", Short: "make a new key, and let the old ones end", Args: cobra.NoArgs,
		Long: "add makes a key that signs reply addresses and Message-IDs from now on. Answers to mails from before find their tickets\n" +
			"for so many days more as --keep says; after that they become new tickets.",
		Example: "  supportd key add --keep 90",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 {
				return errors.New("--keep wants a number of days, at least 1; a key that must not count any more is taken away by supportd key revoke")
			}
			var key tickets.KeyView
			if err := a.ask(cmd.Context(), "key.add", keyArgs{Days: days}, &key); err != nil {
				return err
			}
			return a.print(key, func(w io.Writer) {
				fmt.Fprintf(w, "key %d signs from now on; what the others signed is known for %d days at most\n", key.ID, days)
			})
		},
	}
	add.Flags().IntVar(&days, "keep", 90, "for how many days what the old keys signed is known")
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "take a key away at once", Args: cobra.ExactArgs(1),
		Long: "revoke takes a key away: no reply address and no Message-ID that it signed is known from now on, also of mails that are\n" +
			"still to be sent. Answers to them become new tickets. The key that signs now can be revoked after supportd key add.\n" +
			"A backup from before has the key still: revoke it again after a restore.",
		Example: "  supportd key revoke 1",
		RunE: func(cmd *cobra.Command, p []string) error {
			id, err := strconv.ParseUint(p[0], 10, 8)
			if err != nil {
				return fmt.Errorf("%q is no key: supportd key list shows their numbers", p[0])
			}
			var d done
			if err := a.ask(cmd.Context(), "key.revoke", keyArgs{ID: byte(id)}, &d); err != nil {
				return err
			}
			return a.print(d, func(w io.Writer) { fmt.Fprintf(w, "key %d is revoked\n", id) })
		},
	}
	return group("key", "keys behind reply addresses: change and revoke them", list, add, revoke)
}

func writeKeys(w io.Writer, keys []tickets.KeyView) {
	t := newTable(w, "ID", "Made", "What it does")
	for _, k := range keys {
		does := "signs what leaves"
		switch {
		case !k.Signs && k.Until.IsZero():
			does = "what it signed is known"
		case !k.Signs:
			does = "what it signed is known until " + local(k.Until)
		}
		t.AppendRow(table.Row{k.ID, local(k.Created), does})
	}
	t.Render()
}

type keyArgs struct {
	ID   byte `json:"id,omitempty"`
	Days int  `json:"days,omitempty"`
}

func (o *operator) keyList(context.Context, noArgs) ([]tickets.KeyView, error) {
	return o.desk.Store.KeyViews(), nil
}

func (o *operator) keyAdd(_ context.Context, a keyArgs) (tickets.KeyView, error) {
	return o.desk.Store.AddKey(o.desk.Now(), time.Duration(a.Days)*24*time.Hour, rand.Reader)
}

func (o *operator) keyRevoke(_ context.Context, a keyArgs) (done, error) {
	return done{Done: 1}, o.desk.Store.RevokeKey(a.ID)
}
