package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/dkim"
	"supportd/cmd/supportd/setup"
	"supportd/mailin"
	"supportd/tickets"
)

func (a *app) dkimCommand() *cobra.Command {
	var kind string
	key := &cobra.Command{
		Use: "key FILE", Short: "make a key that signs mails", Args: cobra.ExactArgs(1),
		Long: "key makes a private key and writes it to FILE, readable for its owner only; a file that is there is left alone. Every\n" +
			"receiver can check RSA signatures; Ed25519 ones are shorter and quicker, and not all receivers know them yet. A brand\n" +
			"can sign with both. To change a key, make a new one, name it with a new selector beside the old, publish its record,\n" +
			"take the old one out of the file, and remove the old record a week later.",
		Example: "  supportd dkim key dkim.pem",
		RunE:    func(_ *cobra.Command, args []string) error { return a.dkimKey(args[0], kind) },
	}
	key.Flags().StringVar(&kind, "kind", "rsa", "rsa or ed25519")

	var online bool
	var resolver string
	show := &cobra.Command{
		Use: "show", Short: "say which records to publish for the keys that sign", Args: cobra.NoArgs,
		Long: "show prints, for each key that the configuration signs with, the TXT record to be published in the domain's zone. With\n" +
			"--online it asks the name service whether that is so, and exits with 1 when it is not.",
		Example: "  supportd dkim show --online",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.dkimShow(cmd.Context(), online, resolver)
		},
	}
	show.Flags().BoolVar(&online, "online", false, "compare with what is published")
	show.Flags().StringVar(&resolver, "resolver", "", "ask this name server (host:port), not the system's")

	verify := &cobra.Command{
		Use: "verify MAIL…", Short: "check the signatures of mails", Args: cobra.MinimumNArgs(1),
		Long: "verify checks the signatures of mails in files as spam.verify_dkim does, and says whether one of them is the author's\n" +
			"own. It asks the name service for the keys, and exits with 1 when a mail's author is not proved by any.",
		Example: "  supportd dkim verify mail.eml",
		RunE:    func(cmd *cobra.Command, names []string) error { return a.dkimVerify(cmd.Context(), names, resolver) },
	}
	verify.Flags().StringVar(&resolver, "resolver", "", "ask this name server (host:port), not the system's")
	return group("dkim", "signatures of mails: make keys, publish them, check", key, show, verify)
}

// dkimKey writes a new key to a file that is not there yet.
func (a *app) dkimKey(name, kind string) error {
	text, err := dkim.NewKey(kind)
	if err != nil {
		return fmt.Errorf("--kind: %w", err)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; name another file, as a key in use must not be lost", name)
	} else if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	made, err := dkim.ParseKey(text)
	if err != nil {
		return fmt.Errorf("read the key back: %w", err)
	}
	return a.print(map[string]string{"file": name, "kind": made.Kind()}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s, readable for its owner only\nname it in the configuration:  dkim: {selector: s%d, key_file: %s}\nthen publish what supportd dkim show prints\n", name, made.Kind(), a.now().Year(), name)
	})
}

// shownKey is a record to be published.
type shownKey struct {
	Brand     string `json:"brand"`
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Record    string `json:"record"`
	Zone      string `json:"zone"`                // the record as a line of a zone file
	Published *bool  `json:"published,omitempty"` // with --online
	Problem   string `json:"problem,omitempty"`
}

func (a *app) dkimShow(ctx context.Context, online bool, resolver string) error {
	c, findings := config.Load(a.config)
	if err := findings.Err(); err != nil {
		return err
	}
	keys, good := []shownKey{}, true
	for _, b := range c.Brands {
		for _, s := range b.DKIM {
			k := shownKey{Brand: b.Name, Name: s.Name(), Kind: s.Key.Kind(), Record: s.Record(), Zone: s.Zone()}
			if online {
				texts, err := setup.DKIMRecords(ctx, setup.NameServer(resolver), s.Name())
				if k.Problem = s.Published(texts); err != nil {
					k.Problem = "it cannot be looked up: " + err.Error()
				}
				published := k.Problem == ""
				k.Published, good = &published, good && published
			}
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return fmt.Errorf("%s: no brand has dkim: mails leave without a signature of the desk; supportd dkim key FILE makes a key", a.config)
	}
	err := a.print(keys, func(w io.Writer) {
		for _, k := range keys {
			fmt.Fprintf(w, "; brand %s, %s\n%s\n", k.Brand, k.Kind, k.Zone)
			switch {
			case k.Published == nil:
			case *k.Published:
				fmt.Fprintln(w, "; ✓ published")
			default:
				fmt.Fprintln(w, "; ✗ "+printable(k.Problem))
			}
		}
	})
	if err == nil && !good {
		return exitCode(exitFound)
	}
	return err
}

// verifiedMail is what the signatures of a mail prove.
type verifiedMail struct {
	File       string                 `json:"file"`
	Author     string                 `json:"author"` // "" when it is not clear who wrote it
	Auth       tickets.Authentication `json:"auth"`
	Why        string                 `json:"why"`
	Signatures []tickets.Signature    `json:"signatures"`
}

func (a *app) dkimVerify(ctx context.Context, names []string, resolver string) error {
	k, err := ownCheck()
	if err != nil {
		return err
	}
	v := newVerifier(setup.NameServer(resolver), a.now)
	good := true
	err = a.eachMail(names, func(path string, raw []byte) error {
		m := mailin.Parse(raw, a.now())
		m.Signatures = v.Check(ctx, raw)
		verdict := k.Classify(m, tickets.Hints{})
		r := verifiedMail{File: path, Author: m.Author, Auth: verdict.Auth, Signatures: append([]tickets.Signature{}, m.Signatures...)}
		for _, why := range verdict.Reasons {
			if why.What == "auth" {
				r.Why = why.Why
			}
		}
		good = good && r.Auth == tickets.AuthPass
		return a.print(r, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s: %s: %s\n", printable(path), printable(cmp.Or(r.Author, "no certain author")), r.Auth, printable(r.Why))
			for _, s := range r.Signatures {
				fmt.Fprintln(w, printable(strings.TrimRight(fmt.Sprintf("  %s: %s %s", cmp.Or(s.Domain, "?"), s.Result, s.Why), " ")))
			}
		})
	})
	if err == nil && !good {
		return exitCode(exitFound)
	}
	return err
}
