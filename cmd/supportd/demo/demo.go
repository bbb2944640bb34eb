// Package demo shows a whole desk on one machine with nothing installed: mail servers on 127.0.0.1, customers and
// agents with mailboxes, the real daemon between them, and a web page on which a newcomer looks into every mailbox and
// writes mails of their own. It is no test double of the desk and decides nothing: every mail goes over SMTP and IMAP,
// and what it tells is read from the store and the mailboxes.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"supportd/tickets"
)

// Desk is the daemon that the demo runs.
type Desk interface {
	Run(context.Context) error // until the context is done; releases the store
	Ready() bool               // the mailbox is followed
	Store() *tickets.Store
}

// Demo is one run of the demo.
type Demo struct {
	// Open makes the desk of a configuration file without starting it. Required.
	Open   func(config string, log *slog.Logger) (Desk, error)
	Out    io.Writer        // where the story is told; required
	Color  bool             // Out is a terminal
	Now    func() time.Time // required
	Random io.Reader        // makes the secret that the page's forms carry; required
	Dir    string           // keep everything in this folder, new or empty; "": a temporary folder that is removed
	Listen string           // of the page; "": a free port of 127.0.0.1
	Once   bool             // play the story, say what happened, end
	Undo   time.Duration    // how long answers wait; 0: two seconds
	Ready  func(url string) // called when the story is over and the page waits for people; may be nil
}

// ErrWrong says that the story did not go as it must.
var ErrWrong = errors.New("something is not as it must be")

// run is a Demo under way.
type run struct {
	*Demo
	started time.Time
	dir     string
	config  string
	office  *postOffice
	client  *client
	reader  *reader
	desk    Desk
	tale    *tale
	first   time.Duration // from the start to the first ticket
}

// Run sets everything up, plays the story, and without Once goes on until ctx is done. The error wraps ErrWrong when the
// story did not go as it must.
func (d *Demo) Run(ctx context.Context) (err error) {
	r := &run{Demo: d, started: d.Now()}
	if err := r.makeDir(); err != nil {
		return err
	}
	if d.Dir == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	}
	r.tale = newTale(d.Out, d.Color, d.Now, r.started)
	if r.office, err = openPostOffice(d.Now, r.tale); err != nil {
		return err
	}
	defer r.office.close()
	r.client, r.reader = &client{office: r.office, now: d.Now}, newReader(r.office)
	if err := r.configure(); err != nil {
		return err
	}
	if r.desk, err = d.Open(r.config, slog.New(r.tale.log())); err != nil {
		return err
	}
	r.tale.setStore(r.desk.Store())
	return r.withDesk(ctx)
}

// withDesk runs the desk, and beside it everything else; when one ends, so do the others.
func (r *run) withDesk(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	desk, watch := make(chan error, 1), make(chan struct{})
	go func() {
		err := r.desk.Run(ctx)
		if err != nil {
			cancel(fmt.Errorf("the desk ended: %w", err))
		}
		desk <- err
	}()
	go func() { defer close(watch); r.tale.watch(ctx) }()
	err := r.perform(ctx)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause // the desk's end is why the rest failed
	}
	r.tale.setStore(nil)
	cancel(nil)
	<-watch
	if e := <-desk; e != nil && err == nil {
		err = e
	}
	if parent.Err() != nil && !errors.Is(err, ErrWrong) && errors.Is(err, context.Canceled) {
		return nil // told to stop in the middle of the story
	}
	return err
}

// perform plays the story and judges it; without Once it then waits for people.
func (r *run) perform(ctx context.Context) error {
	var p *page
	if !r.Once {
		var err error
		if p, err = r.openPage(ctx); err != nil {
			return err
		}
		defer p.close()
		r.tale.say("Look over everybody's shoulder: %s", p.url())
	}
	if err := r.play(ctx); err != nil {
		return err
	}
	if err := r.conclude(ctx); err != nil {
		return err
	}
	if r.Once {
		return nil
	}
	r.invite(p.url())
	if r.Demo.Ready != nil {
		r.Demo.Ready(p.url())
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-p.ended:
		return err
	}
}

// makeDir makes the folder of the desk. One that has something in it is refused: the mailboxes of the demo live in
// memory, so that a desk which remembers others would not fit them.
func (r *run) makeDir() (err error) {
	if r.Dir == "" {
		r.dir, err = os.MkdirTemp("", "supportd-demo-")
		return err
	}
	if r.dir, err = filepath.Abs(r.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	switch entries, err := os.ReadDir(r.dir); {
	case err != nil:
		return fmt.Errorf("--dir: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("--dir %s: there is something in it; name a new or an empty folder", r.Dir)
	}
	return nil
}

// undo is how long an agent's answer waits.
func (r *run) undo() time.Duration {
	if r.Undo == 0 {
		return 2 * time.Second
	}
	return r.Undo
}

// configure writes the configuration, which is an ordinary one.
func (r *run) configure() error {
	text := fmt.Sprintf(`# The desk of supportd demo. Without TLS, because its servers are on this machine.
version: 1
mailbox:
  imap: %s
  smtp: %s
  user: %s
  password_file: %s.pw
  tls: none
  trusted: true   # only people with an account can write here
from: %s <%s>
languages: [en, de]
timezone: Europe/Berlin
first_response: 4h
team: [%s <%s>, %s <%s>]
undo: %s
`, r.office.imap.Addr(), r.office.smtp.Addr(), theDesk().User, theDesk().User, theDesk().Name, deskAddress,
		anna().Name, anna().Address, ben().Name, ben().Address, r.undo())
	if err := os.WriteFile(filepath.Join(r.dir, theDesk().User+".pw"), []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	r.config = filepath.Join(r.dir, "supportd.yaml")
	return os.WriteFile(r.config, []byte(text), 0o600)
}
