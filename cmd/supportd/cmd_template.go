package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"supportd/classify"
	"supportd/cmd/supportd/config"
	"supportd/mailout"
	"supportd/templates"
	"supportd/tickets"
)

// The texts that the desk sends, looked at without a ticket: rendered with made-up data, as they would leave.

// templateLine is one text in the list.
type templateLine struct {
	Name     string `json:"name"`
	Audience string `json:"audience"` // public or internal
	Language string `json:"language"`
	From     string `json:"from"` // the file; "built-in …" for one of the program's
}

func (a *app) templateCommand() *cobra.Command {
	var f templateFlags
	preview := &cobra.Command{
		Use: "preview NAME", Short: "show a text with made-up data", Args: cobra.ExactArgs(1),
		Long: "preview renders one of the desk's texts, or a standard answer as answer/NAME, with made-up data: the subject and the\n" +
			"text form, or with --html the page for a browser. --sparse fills in as little as a ticket can have.",
		Example: "  supportd template preview ack-new --language en\n  supportd template preview ticket-to-team --html > notice.html",
		RunE:    func(_ *cobra.Command, args []string) error { return a.templatePreview(args[0], f) },
	}
	preview.Flags().BoolVar(&f.html, "html", false, "the page for a browser")
	preview.Flags().BoolVar(&f.sparse, "sparse", false, "with as little as a ticket can have")
	send := &cobra.Command{
		Use: "send-test NAME", Short: "send a text with made-up data to yourself", Args: cobra.ExactArgs(1),
		Long: "send-test sends one of the desk's texts with made-up data over the brand's SMTP server, to see how it looks in a mail\n" +
			"program. It may go to people of the desk only; answers to it lead nowhere.",
		Example: "  supportd template send-test ack-new --to me@nordwind.example",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.templateSend(cmd.Context(), args[0], f) },
	}
	send.Flags().StringVar(&f.to, "to", "", "address of one of the desk's people")
	if err := send.MarkFlagRequired("to"); err != nil {
		panic(err) // the flag is made above
	}
	list := &cobra.Command{
		Use: "list", Short: "list the texts, and where each comes from", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.templateList(f) },
	}
	lint := &cobra.Command{
		Use: "lint", Short: "look for what customers should not have to read", Args: cobra.NoArgs,
		Long: "lint lists what is wrong with the tone of the texts for customers: words that promise nothing, words of the house,\n" +
			"exclamation marks, long sentences, no salutation or no next step. Exit code 1 when it finds something.",
		RunE: func(*cobra.Command, []string) error { return a.templateLint(f) },
	}
	cmd := group("template", "look at the texts the desk sends", list, preview, lint, send)
	cmd.PersistentFlags().StringVar(&f.language, "language", "", "language of the text; the desk's first one when it is left out")
	cmd.PersistentFlags().StringVar(&f.brand, "brand", "", "brand whose texts are meant; needed when there are several")
	return cmd
}

type templateFlags struct {
	language, brand, to string
	html, sparse        bool
}

// texts loads the texts of a brand; without a configuration file, the built-in ones.
func (a *app) texts(f templateFlags) (*templates.Set, *config.Config, *config.Brand, error) {
	c, findings := config.Load(a.config)
	if findings.Unreadable() && a.config == defaultConfig {
		set, err := templates.Load(nil, templates.Options{})
		return set, nil, nil, err
	}
	if err := findings.Err(); err != nil {
		return nil, nil, nil, err
	}
	var names []string
	for _, b := range c.Brands {
		names = append(names, b.Name)
	}
	i := slices.Index(names, f.brand)
	switch {
	case f.brand == "" && len(names) == 1:
		i = 0
	case f.brand == "":
		return nil, nil, nil, fmt.Errorf("%s: there are several brands; add --brand with one of %s", a.config, strings.Join(names, ", "))
	case i < 0:
		return nil, nil, nil, fmt.Errorf("%s: there is no brand %q; there are %s", a.config, f.brand, strings.Join(names, ", "))
	}
	renderer, err := buildRenderer(c)
	if err != nil {
		return nil, nil, nil, err
	}
	b := c.Brands[i]
	return renderer.of(b.From.Mail), c, &b, nil
}

func (a *app) templateList(f templateFlags) error {
	set, _, _, err := a.texts(f)
	if err != nil {
		return err
	}
	lines := []templateLine{}
	for _, s := range set.Sources() {
		if f.language == "" || s.Language == f.language {
			lines = append(lines, templateLine{s.Name, s.Audience, s.Language, s.File})
		}
	}
	return a.print(lines, func(w io.Writer) {
		for _, l := range lines {
			fmt.Fprintf(w, "%-22s %-3s %-9s %s\n", l.Name, l.Language, l.Audience, l.From)
		}
	})
}

// sample renders a text with made-up data.
func sample(set *templates.Set, name string, f templateFlags) (tickets.Rendered, string, error) {
	lang := set.Language(f.language)
	if f.language != "" && lang != f.language {
		return tickets.Rendered{}, "", fmt.Errorf("the desk does not write in %q; there are %s", f.language, strings.Join(set.Languages(), ", "))
	}
	r, err := set.Sample(name, lang, !f.sparse)
	return r, lang, err
}

func (a *app) templatePreview(name string, f templateFlags) error {
	set, _, _, err := a.texts(f)
	if err != nil {
		return err
	}
	r, _, err := sample(set, name, f)
	if err != nil {
		return err
	}
	if f.html && r.HTML == "" {
		return fmt.Errorf("%s is plain text only: automatic answers have no HTML form (RFC 3834)", name)
	}
	return a.print(map[string]string{"subject": r.Subject, "text": r.Text, "html": r.HTML}, func(w io.Writer) {
		if f.html {
			fmt.Fprint(w, r.HTML)
			return
		}
		fmt.Fprintf(w, "Subject: %s\n\n%s", r.Subject, r.Text)
	})
}

func (a *app) templateLint(f templateFlags) error {
	set, _, _, err := a.texts(f)
	if err != nil {
		return err
	}
	found := append([]string{}, set.Warnings()...)
	found = append(found, set.Lint()...)
	if err := a.print(found, func(w io.Writer) {
		for _, line := range found {
			fmt.Fprintln(w, line)
		}
		if len(found) == 0 {
			fmt.Fprintf(w, "%d texts in %s: nothing to find fault with\n", len(set.Names())+len(set.Answers()), strings.Join(set.Languages(), ", "))
		}
	}); err != nil {
		return err
	}
	if len(found) > 0 {
		return exitCode(exitFound)
	}
	return nil
}

func (a *app) templateSend(ctx context.Context, name string, f templateFlags) error {
	set, c, b, err := a.texts(f)
	if err != nil {
		return err
	}
	if c == nil {
		return errors.New("send-test needs a configuration: it says over which server; add -c FILE")
	}
	to, err := mail.ParseAddress(f.to)
	if err != nil {
		return fmt.Errorf("--to %q is no address", f.to)
	}
	if !staff(c, to.Address) {
		return fmt.Errorf("--to %s: made-up texts go to people of the desk only (people, members of teams, admin)", to.Address)
	}
	r, lang, err := sample(set, name, f)
	if err != nil {
		return err
	}
	keys, err := tickets.ReadKeys(c.State)
	if err == nil && keys == nil {
		keys, err = tickets.NewKeyring(a.now(), rand.Reader)
	}
	if err != nil {
		return err
	}
	probe, err := keys.NewProbe(domainOf(b.From.Mail), rand.Reader) // if it comes back, it makes no ticket
	if err != nil {
		return err
	}
	raw, err := composer(c).Compose(tickets.Letter{Class: tickets.ClassNotice, From: b.From, To: []tickets.Address{{Mail: to.Address}},
		Subject: r.Subject, MessageID: probe.MessageID, Date: a.now(), Language: lang, Template: name, ConfigRev: c.Rev, Text: r.Text, HTML: r.HTML})
	if err != nil {
		return err
	}
	tokens := newAccounts(c.State, a.now, slog.New(slog.DiscardHandler))
	tokens.prepare(c)
	if err := mailout.Try(ctx, brandServer(*b, tokens), b.From.Mail, to.Address, raw); err != nil {
		return err
	}
	return a.print(map[string]string{"template": name, "to": to.Address, "message_id": probe.MessageID}, func(w io.Writer) {
		fmt.Fprintf(w, "%s is on its way to %s\n", name, to.Address)
	})
}

// staff reports whether an address is one of the desk's people.
func staff(c *config.Config, address string) bool {
	same := func(other string) bool { return strings.EqualFold(other, address) }
	if same(c.Admin.Mail) || slices.ContainsFunc(c.People, func(p classify.Person) bool { return same(p.Mail) }) {
		return true
	}
	return slices.ContainsFunc(c.Teams, func(t config.Team) bool {
		return same(t.Lead.Mail) || slices.ContainsFunc(t.Members, func(m tickets.Address) bool { return same(m.Mail) })
	})
}
