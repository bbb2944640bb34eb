package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"supportd/tickets"
)

// personArgs say whom something is about.
type personArgs struct {
	Address string   `json:"address"`
	Names   []string `json:"names,omitempty"`
	Yes     bool     `json:"yes,omitempty"`
}

func (o *operator) erase(ctx context.Context, a personArgs) (tickets.Erasure, error) {
	return o.desk.Erase(ctx, tickets.Person{Address: a.Address, Names: a.Names}, rand.Reader, !a.Yes)
}

func (a *app) eraseCommand() *cobra.Command {
	var args personArgs
	var certificate string
	cmd := &cobra.Command{
		Use: "erase ADDRESS", Short: "erase a person from everything that is stored", Args: cobra.ExactArgs(1),
		Long: "erase removes a customer's tickets and mails, and takes their address, their full name and what they wrote out of the tickets\n" +
			"of others; raw mail of others that speaks of them goes, its text stays without them. Afterwards the files are written anew, so\n" +
			"that nothing is left on free pages. Without --yes it says what would go, and changes nothing.\n" +
			"Backups are not touched: erase once more after a restore. What is in pictures and office files of others is not found.",
		Example: "  supportd erase s.krause@muster.example\n  supportd erase s.krause@muster.example --name Bine --yes --certificate erased.json",
		RunE: func(cmd *cobra.Command, p []string) error {
			args.Address = p[0]
			return a.erase(cmd.Context(), args, certificate)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&args.Yes, "yes", false, "really do it")
	f.StringArrayVar(&args.Names, "name", nil, "another name of the person to look for; full names that stand with the address are known")
	f.StringVar(&certificate, "certificate", "", "write what was done into this file, as JSON; it names nobody")
	return cmd
}

func (a *app) erase(ctx context.Context, args personArgs, certificate string) error {
	if certificate != "" && !args.Yes {
		return errors.New("--certificate: there is nothing to certify without --yes")
	}
	for _, n := range args.Names {
		if len(strings.TrimSpace(n)) < 3 {
			return fmt.Errorf("--name %q: names of less than three letters would be found everywhere", n)
		}
	}
	var e tickets.Erasure
	if err := a.ask(ctx, "erase", args, &e); err != nil {
		return err
	}
	if certificate != "" {
		if err := writeCertificate(certificate, e); err != nil {
			return err
		}
	}
	if err := a.print(e, func(w io.Writer) { writeErasure(w, args.Address, e) }); err != nil {
		return err
	}
	if len(e.Left) > 0 || e.Waiting > 0 {
		return exitCode(exitFound)
	}
	return nil
}

func writeCertificate(path string, e tickets.Erasure) error {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the certificate: %w; the person is erased: %s", err, b)
	}
	return nil
}

func writeErasure(w io.Writer, address string, e tickets.Erasure) {
	if e.Preview {
		fmt.Fprintf(w, "What is stored about %s:\n", printable(address))
		if len(e.Names) > 0 {
			fmt.Fprintf(w, "  names that are looked for: %s\n", printable(strings.Join(e.Names, "; ")))
		}
		fmt.Fprintf(w, "  %d tickets to be removed: %s\n", e.Removed.Tickets, firstOf(strings.Join(e.Tickets, ", "), "–"))
		fmt.Fprintf(w, "  %d mails on other tickets or on none to be removed, %d of them held\n", e.Removed.Messages, e.Removed.Held)
		fmt.Fprintf(w, "  %d raw mails of others that speak of them to be removed; the text on the ticket stays without them\n", e.Removed.Raw)
		fmt.Fprintf(w, "  %d other records to be removed or blackened\n", e.Removed.Redacted)
		fmt.Fprintln(w, "Nothing was changed; say --yes to do it. There is no way back but a backup, and backups are to be dealt with, too.")
		return
	}
	r := e.Removed
	fmt.Fprintf(w, "Erased: %d tickets with %d entries, %d mails, %d raw mails, %d outgoing mails, %d rows of indexes; %d records of others blackened\n",
		r.Tickets, r.Entries, r.Messages, r.Raw, r.Outgoing, r.Rows, r.Redacted)
	for _, f := range e.Rewritten {
		fmt.Fprintf(w, "  %s written anew: %d bytes, before %d\n", f.Name, f.After, f.Before)
	}
	fmt.Fprintf(w, "  subject %s (SHA-256 of the salt %s, a line feed and the address in lower case)\n", e.Subject, e.Salt)
	if e.Waiting > 0 {
		fmt.Fprintf(w, "%d mails to others wait in the outbox and speak of the person: erase once more when they have left\n", e.Waiting)
	}
	for _, name := range e.Left {
		fmt.Fprintf(w, "still found in %s of the state directory: delete it when it is not needed any more\n", filepath.Clean(name))
	}
}
