package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
)

// importArgs say what to import, and as what.
type importArgs struct {
	mailbox, since, category, closedAs string
	dryRun                             bool
}

func (a *app) importCommand() *cobra.Command {
	var args importArgs
	cmd := &cobra.Command{
		Use: "import SOURCE…", Short: "make closed tickets of past mail", Args: cobra.MinimumNArgs(1),
		Long: "import takes mail from before the desk in: as closed tickets that people can look up, and that categories learn from.\n" +
			"Threads are kept, nothing is answered or told, no clock runs. SOURCE is an mbox file, a Maildir, a folder with mail files,\n" +
			"or imap:FOLDER on the mailbox's own server, which is left as it is. Mail that is there already is recognised; an import\n" +
			"that was cut short goes on where it was when it is started again. The daemon must not run meanwhile.",
		Example: "  supportd import --dry-run Archive.mbox\n  supportd import --since 2024-01-01 --category printing ~/Maildir/.Printing\n  supportd import imap:Archive/2025",
		RunE:    func(cmd *cobra.Command, sources []string) error { return a.importMail(cmd.Context(), sources, args) },
	}
	f := cmd.Flags()
	f.StringVar(&args.mailbox, "mailbox", "", "the mailbox of the configuration that the mail belongs to; not needed when there is only one")
	f.StringVar(&args.since, "since", "all", "only mail written since: 90d, a date such as 2024-01-01, or all")
	f.StringVar(&args.category, "category", "", "the category of all tickets that are made, instead of the classifier's")
	f.StringVar(&args.closedAs, "closed-as", "imported", "how the tickets ended, in one word: their resolution code")
	f.BoolVar(&args.dryRun, "dry-run", false, "say what would be made of the mail, and keep nothing")
	return cmd
}

// importResult is what became of an import.
type importResult struct {
	Import     uint32  `json:"import"`
	DryRun     bool    `json:"dry_run"`
	Messages   int     `json:"messages"`    // in the source
	Before     uint32  `json:"done_before"` // settled by a run that was cut short
	Older      int     `json:"older"`       // passed over by --since
	Created    int     `json:"created"`     // tickets
	Appended   int     `json:"appended"`    // to tickets
	Duplicates int     `json:"duplicates"`  // known already
	Filed      int     `json:"filed"`       // no person's mail
	Failed     int     `json:"failed"`      // unreadable, or not handed out
	Seconds    float64 `json:"seconds"`
}

func (a *app) importMail(ctx context.Context, sources []string, args importArgs) (err error) {
	c, findings := config.Load(a.config)
	if err := findings.Err(); err != nil {
		return err
	}
	box, err := importMailbox(c, args.mailbox)
	if err != nil {
		return err
	}
	if err := knownCategory(c, args.category); err != nil {
		return err
	}
	since, err := parseSince(args.since, a.now())
	if err != nil {
		return fmt.Errorf("--since %w", err)
	}
	source, err := a.pastMail(sources, box, newAccounts(c.State, a.now, slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	rules, err := buildRules(c)
	if err != nil {
		return err
	}
	store, err := tickets.OpenStore(c.State, tickets.Options{Now: a.now, Random: rand.Reader, DiskFloor: uint64(c.DiskFloor)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	im := &importer{
		desk: newDesk(store, rules, a.now, slog.New(slog.DiscardHandler)), source: source, since: since, bar: a.importBar, dryRun: args.dryRun,
		run: tickets.Import{Mailbox: box.Name, Category: args.category, ClosedAs: args.closedAs},
	}
	begun := time.Now()
	if err := im.do(ctx); err != nil {
		return err
	}
	im.result.Import, im.result.DryRun, im.result.Seconds = im.run.ID, args.dryRun, time.Since(begun).Seconds()
	return a.print(im.result, func(w io.Writer) { writeImport(w, im.result) })
}

func writeImport(w io.Writer, r importResult) {
	verb := "imported"
	if r.DryRun {
		verb = "would be imported"
	}
	fmt.Fprintf(w, "%d messages %s: %d tickets, %d messages on tickets, %d known already, %d filed, %d failed\n",
		r.Messages-r.Older-int(r.Before), verb, r.Created, r.Appended, r.Duplicates, r.Filed, r.Failed)
	if r.Before > 0 {
		fmt.Fprintf(w, "%d messages were imported before the last run was cut short\n", r.Before)
	}
	if r.Older > 0 {
		fmt.Fprintf(w, "%d older messages were passed over (--since)\n", r.Older)
	}
}

// importMailbox finds the mailbox that past mail belongs to.
func importMailbox(c *config.Config, name string) (config.Mailbox, error) {
	var names []string
	for _, m := range c.Mailboxes {
		if m.Name == name || name == "" && len(c.Mailboxes) == 1 {
			return m, nil
		}
		names = append(names, m.Name)
	}
	if name == "" {
		return config.Mailbox{}, fmt.Errorf("say with --mailbox which of the mailboxes the mail belongs to: %s", strings.Join(names, ", "))
	}
	return config.Mailbox{}, fmt.Errorf("--mailbox %q: there is no such mailbox; there are %s", name, strings.Join(names, ", "))
}

func knownCategory(c *config.Config, name string) error {
	var names []string
	for _, cat := range c.Categories {
		if name == "" || cat.Name == name {
			return nil
		}
		names = append(names, cat.Name)
	}
	if name == "" {
		return nil
	}
	return fmt.Errorf("--category %q: the configuration has no such category; it has %s", name, cmp.Or(strings.Join(names, ", "), "none"))
}

// pastMail is what the sources name: files, or one folder of a server.
func (a *app) pastMail(sources []string, box config.Mailbox, tokens *accounts) (pastMail, error) {
	for _, s := range sources {
		folder, ok := strings.CutPrefix(s, "imap:")
		switch {
		case ok && len(sources) > 1:
			return nil, errors.New("import one imap:FOLDER at a time, and files apart from it")
		case ok && folder == "":
			return nil, errors.New("imap: wants the name of a folder, such as imap:Archive")
		case ok:
			return &pastFolder{mailbox: mailboxConfig(box, tokens), folder: folder, now: a.now()}, nil
		}
	}
	return &pastFiles{paths: sources, now: a.now()}, nil
}

// importBar shows on a terminal how far an import is.
func (a *app) importBar(n int) *progressbar.ProgressBar {
	w := io.Discard
	if terminal(a.err) {
		w = a.err
	}
	return progressbar.NewOptions(n, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("messages"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

// importer brings one source into a desk.
type importer struct {
	desk   *tickets.Desk
	source pastMail
	since  time.Time
	dryRun bool
	run    tickets.Import
	bar    func(n int) *progressbar.ProgressBar
	result importResult

	shown *progressbar.ProgressBar
	ready chan pastBatch
}

// pastBatch is what is settled in one transaction.
type pastBatch struct {
	mails   []tickets.PastMail
	through uint32
	octets  int
	older   int
}

// A batch ends with so many messages or octets, whichever comes first.
const (
	batchMails  = 512
	batchOctets = 16 << 20
)

// do reads and parses in one goroutine and settles in another, so that neither waits for the other.
func (im *importer) do(ctx context.Context) error {
	im.ready = make(chan pastBatch, 1)
	began := make(chan error, 1)
	g, both := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(im.ready)
		defer close(began)
		var b pastBatch
		begin := func(source tickets.Digest, messages int) (uint32, error) {
			err := im.begin(both, source, messages)
			began <- err
			return im.run.Next, err
		}
		take := func(number uint32, at time.Time, raw []byte, why string) error {
			return im.take(both, &b, number, at, raw, why)
		}
		if err := im.source.read(both, begin, take); err != nil {
			return err
		}
		return im.send(both, &b)
	})
	g.Go(func() error {
		if err, ok := <-began; err != nil || !ok {
			return err
		}
		return im.settle(both)
	})
	err := g.Wait()
	if im.shown != nil {
		_ = im.shown.Finish() // a terminal that does not take it is no reason to fail
	}
	if err != nil || im.dryRun {
		return err
	}
	return im.desk.FinishImport(ctx, im.run.ID)
}

func (im *importer) begin(ctx context.Context, source tickets.Digest, messages int) error {
	im.run.Source, im.run.Next = source, 1
	if !im.dryRun {
		run, err := im.desk.StartImport(ctx, im.run)
		if err != nil {
			return err
		}
		im.run = run
	}
	im.result.Messages, im.result.Before = messages, im.run.Next-1
	im.shown = im.bar(messages)
	return nil
}

// take adds a message to the batch.
func (im *importer) take(ctx context.Context, b *pastBatch, number uint32, at time.Time, raw []byte, why string) error {
	b.through = number
	if at.Before(im.since) {
		b.older++
		return nil
	}
	in := tickets.Incoming{Source: im.run.SourceOf(number), Arrived: at, Size: int64(len(raw)), Raw: raw, Detail: why}
	if raw == nil {
		in.Absent = tickets.Unfetchable
	}
	b.mails = append(b.mails, tickets.PastMail{Incoming: in})
	if b.octets += len(raw); len(b.mails) < batchMails && b.octets < batchOctets {
		return nil
	}
	return im.send(ctx, b)
}

// send parses a batch, several messages at a time, and hands it on.
func (im *importer) send(ctx context.Context, b *pastBatch) error {
	var g errgroup.Group
	workers := runtime.GOMAXPROCS(0)
	for part := range slices.Chunk(b.mails, max(1, (len(b.mails)+workers-1)/workers)) {
		g.Go(func() error {
			for i := range part {
				im.read(&part[i])
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	select {
	case im.ready <- *b:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	*b = pastBatch{}
	return nil
}

// read parses a message and asks the classifier. One that makes either of them panic counts as unreadable.
func (im *importer) read(p *tickets.PastMail) {
	defer func() {
		if v := recover(); v != nil {
			p.Message = nil
		}
	}()
	if p.Raw == nil {
		return
	}
	p.Message = mailin.Parse(p.Raw, p.Arrived)
	p.Verdict = im.desk.Rules().Classifier.Classify(p.Message, tickets.Hints{Mailbox: im.run.Mailbox})
}

// settle brings the batches into the desk.
func (im *importer) settle(ctx context.Context) error {
	if im.dryRun {
		next := func() ([]tickets.PastMail, error) {
			for b := range im.ready {
				im.passedOver(b)
				if len(b.mails) > 0 {
					return b.mails, nil
				}
			}
			return nil, nil
		}
		return im.desk.RehearseImport(ctx, im.run, next, im.count)
	}
	for b := range im.ready {
		im.passedOver(b)
		if b.through == 0 {
			continue
		}
		out, err := im.desk.Import(ctx, im.run, b.mails, b.through)
		if err != nil {
			return err
		}
		im.count(out)
	}
	return nil
}

func (im *importer) passedOver(b pastBatch) {
	im.result.Older += b.older
	_ = im.shown.Add(b.older)
}

func (im *importer) count(out []tickets.Outcome) {
	for _, o := range out {
		switch o.Result {
		case tickets.Created:
			im.result.Created++
		case tickets.Appended:
			im.result.Appended++
		case tickets.Duplicate:
			im.result.Duplicates++
		case tickets.Filed:
			im.result.Filed++
		default:
			im.result.Failed++
		}
	}
	_ = im.shown.Add(len(out)) // a terminal that does not take it is no reason to stop
}
