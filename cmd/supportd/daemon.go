package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/dkim"
	"supportd/mailin"
	"supportd/mailout"
	"supportd/tickets"
)

// Daemon is the running desk: one Poller a mailbox, one Sender, the clock, and the places where people look in. It
// reads no flags, handles no signals and never exits the process.
type Daemon struct {
	path    string
	options Options
	log     *slog.Logger
	desk    *tickets.Desk
	started time.Time
	place   string  // this machine and its state directory, as claims name them
	shadow  *shadow // nil without Options.Shadow
	tokens  *accounts
	guard   *mailin.Guard // reads the mails

	certificates certificateBook
	learner      *learner
	verifier     *dkim.Verifier

	config atomic.Pointer[config.Config]
	reload reloadState

	mu      sync.Mutex
	pollers map[string]*worker // by mailbox name
	sender  *mailout.Sender
	senders *worker

	running context.Context // of Run; workers that a reload starts live as long
	group   sync.WaitGroup
	fatal   chan error
	metrics *metrics
}

// Options of a Daemon.
type Options struct {
	Log    *slog.Logger
	Now    func() time.Time         // nil: time.Now
	Init   bool                     // start anew although the state directory has traces of a store
	Ready  func(*Daemon)            // called once everything runs
	Timing mailin.Timing            // of the Pollers; zero: the defaults
	Check  func(state string) error // looks through the store before it is opened; nil: nobody does
	Shadow string                   // a second configuration to compare live mail with; "": none
	Names  *net.Resolver            // who is asked for the keys of signatures; nil: the system
}

// worker is something that runs until it is told to stop.
type worker struct {
	cancel context.CancelFunc
	done   chan struct{}
	poller *mailin.Poller
	keeper *mailin.Keeper // nil: there are no further folders
	wake   chan struct{}  // of the Poller
	stir   chan struct{}  // of the Keeper
	config config.Mailbox
}

// NewDaemon loads the configuration, opens the store and wires the rooms together. It starts nothing.
func NewDaemon(path string, o Options) (*Daemon, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	c, findings := config.Load(path)
	if err := findings.Err(); err != nil {
		return nil, err
	}
	if o.Check != nil {
		if err := o.Check(c.State); err != nil {
			return nil, err
		}
	}
	learner := newLearner(c.State, o.Now, o.Log)
	rules, learn, err := learner.rules(c)
	if err != nil {
		return nil, err
	}
	anew := o.Init && !tickets.HasStore(c.State)
	store, err := tickets.OpenStore(c.State, tickets.Options{Now: o.Now, Random: rand.Reader, Init: o.Init, DiskFloor: uint64(c.DiskFloor)})
	if err != nil {
		return nil, err
	}
	learner.lessons = store.Lessons
	place, err := settleIn(store)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	d := &Daemon{
		path: path, place: place, options: o, log: o.Log, started: o.Now(), pollers: map[string]*worker{}, fatal: make(chan error, 16),
		desk: newDesk(store, rules, o.Now, o.Log), learner: learner, tokens: newAccounts(c.State, o.Now, o.Log),
		verifier: newVerifier(o.Names, o.Now),
	}
	learn()
	d.desk.Corrected = learner.correct
	if d.guard, err = mailin.OpenGuard(c.State, mailin.GuardOptions{Log: o.Log, Ended: d.end}); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	d.desk.Read = d.guard.Read
	d.config.Store(c)
	d.tokens.prepare(c)
	if anew { // that was an order: whoever read the mailboxes before, this desk does now
		if err := d.desk.TakeMailboxes(context.Background(), mailboxNames(c)); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	if o.Shadow != "" {
		if d.shadow, err = newShadow(o.Shadow, d.desk, o.Now, o.Log); err != nil {
			return nil, errors.Join(fmt.Errorf("--shadow: %w", err), store.Close())
		}
	}
	d.metrics = newMetrics(d)
	return d, nil
}

// newDesk makes a desk that can read raw mail again.
func newDesk(store *tickets.Store, rules *tickets.Rules, now func() time.Time, log *slog.Logger) *tickets.Desk {
	desk := tickets.NewDesk(store, rules, now, log)
	desk.Read = mailin.Parse
	desk.Files = mailin.Files
	return desk
}

// Close releases the store of a daemon that is not run.
func (d *Daemon) Close() error { return errors.Join(d.guard.Close(), d.desk.Store.Close()) }

// Run works until ctx is done, the store fails, or a worker cannot go on. It ends what is under way and closes the
// store; mails that were not sent stay in the outbox.
func (d *Daemon) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer func() {
		cancel(nil)
		d.group.Wait()
		err = errors.Join(err, d.Close())
	}()
	d.running = ctx
	listeners, err := d.listen()
	if err != nil {
		return err
	}
	d.serve(ctx, listeners)
	d.startSender(ctx, d.config.Load())
	for _, m := range d.config.Load().Mailboxes {
		d.startPoller(ctx, m)
	}
	if err := d.forgetCopies(ctx, d.config.Load()); err != nil {
		d.log.Error("copies of sent mail that nobody wants are still owed; a restart tries again", "err", err)
	}
	d.setMirrors(ctx)
	if err := d.desk.ScheduleDaily(ctx); err != nil {
		d.log.Error("the daily mails are not scheduled; a reload tries again", "err", err)
	}
	d.start(func() error { return d.runClock(ctx) })
	d.start(func() error { return d.runRetention(ctx) })
	d.start(func() error { return d.runErrands(ctx) })
	d.start(func() error { return d.watch(ctx) })
	d.start(func() error { return d.runHealth(ctx) })
	d.start(func() error { return d.learner.Run(ctx) })
	tickets.Failpoint("run.started")
	if d.options.Ready != nil {
		d.options.Ready(d)
	}
	d.log.Info("supportd runs", "config", d.path, "rev", d.config.Load().Rev, "mailboxes", len(d.config.Load().Mailboxes))
	select {
	case <-ctx.Done():
		d.log.Info("supportd stops")
		return nil
	case <-d.desk.Store.Failed():
		return fmt.Errorf("state directory %s: %w; nothing more is taken in or sent; check the disk, then start supportd again and run supportd doctor",
			d.desk.Store.Dir(), d.desk.Store.Err())
	case err := <-d.fatal:
		return err
	}
}

// end ends the daemon with an error.
func (d *Daemon) end(err error) {
	select {
	case d.fatal <- err:
	default:
	}
}

// start runs a worker; its error ends the daemon.
func (d *Daemon) start(run func() error) {
	d.group.Go(func() {
		if err := run(); err != nil {
			d.end(err)
		}
	})
}

func (d *Daemon) startPoller(ctx context.Context, m config.Mailbox) {
	ctx, cancel := context.WithCancel(ctx)
	wake := make(chan struct{}, 1)
	w := &worker{cancel: cancel, done: make(chan struct{}), config: m, wake: wake, poller: &mailin.Poller{
		Mailbox: mailboxConfig(m, d.tokens), Wake: wake, To: d.receiver(), Read: d.guard.Read, Check: d.checkSignatures, Log: d.log, Now: d.options.Now, Rand: mathrand.Float64,
		Timing: d.options.Timing, Claims: d.desk, ClaimAs: d.place, Random: rand.Reader,
	}}
	d.keep(w)
	d.mu.Lock()
	d.pollers[m.Name] = w
	d.mu.Unlock()
	d.start(func() error {
		defer close(w.done)
		return w.run(ctx)
	})
}

func (d *Daemon) startSender(ctx context.Context, c *config.Config) {
	ctx, cancel := context.WithCancel(ctx)
	s := &mailout.Sender{Outbox: d.desk, Servers: serverConfigs(c, d.tokens), Wake: d.desk.Wake(), Now: d.options.Now, Log: d.log}
	w := &worker{cancel: cancel, done: make(chan struct{})}
	d.mu.Lock()
	d.sender, d.senders = s, w
	d.mu.Unlock()
	d.start(func() error {
		defer close(w.done)
		return s.Run(ctx)
	})
}

// runClock does what is due: reminders, closing. It sleeps until the next timer, or until one is set.
func (d *Daemon) runClock(ctx context.Context) error {
	const longest = time.Hour // wall clocks get set
	if err := d.desk.Rearm(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, tickets.ErrStopped) {
		d.log.Error("timers are those of the configuration before", "err", err)
	}
	for {
		next, err := d.desk.Tick(ctx)
		switch {
		case ctx.Err() != nil, errors.Is(err, tickets.ErrStopped):
			return nil
		case err != nil:
			d.log.Error("clock stopped for a minute", "err", err)
			next = d.options.Now().Add(time.Minute)
		}
		wait := longest
		if !next.IsZero() {
			wait = min(max(next.Sub(d.options.Now()), 0), longest)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-d.desk.TimersChanged():
		}
		timer.Stop()
	}
}

// Reload loads the configuration anew and swaps it in, whole. When anything in it is wrong nothing changes, and the
// error says what.
func (d *Daemon) Reload() error {
	d.reload.mu.Lock()
	defer d.reload.mu.Unlock()
	c, findings := config.Load(d.path)
	err := findings.Err()
	var rules *tickets.Rules
	var learn func()
	if err == nil {
		rules, learn, err = d.learner.rules(c)
	}
	old := d.config.Load()
	if err == nil {
		err = fixedKeys(old, c)
	}
	d.reload.note(d.options.Now(), err)
	if err != nil {
		d.log.Error("configuration refused; the old one stays in force", "config", d.path, "rev", old.Rev, "err", err)
		return err
	}
	tickets.Failpoint("reload.loaded")
	d.desk.SetRules(rules)
	learn()
	d.desk.Store.SetDiskFloor(uint64(c.DiskFloor))
	d.config.Store(c)
	d.tokens.prepare(c)
	tickets.Failpoint("reload.swapped")
	if err := errors.Join(d.desk.Reschedule(d.running), d.desk.ScheduleDaily(d.running)); err != nil {
		d.log.Error("timers are those of the old configuration", "err", err)
	}
	if err := d.forgetCopies(d.running, c); err != nil {
		d.log.Error("copies of sent mail that nobody wants are still owed; a restart tries again", "err", err)
	}
	d.setMirrors(d.running)
	d.restartChanged(d.running, old, c)
	tickets.Failpoint("reload.done")
	if d.shadow != nil {
		d.shadow.reload()
	}
	d.log.Info("configuration loaded", "config", d.path, "rev", c.Rev, "before", old.Rev)
	return nil
}

// fixedKeys refuses what cannot change while the daemon runs, and says so.
func fixedKeys(old, c *config.Config) error {
	switch {
	case old.State != c.State:
		return fmt.Errorf("%s: state: it cannot change from %s to %s while supportd runs; restart it", c.Path, old.State, c.State)
	case old.Listen != c.Listen:
		return fmt.Errorf("%s: listen: it cannot change from %q to %q while supportd runs; restart it", c.Path, old.Listen, c.Listen)
	}
	return nil
}

// restartChanged starts anew what the change concerns, and nothing else.
func (d *Daemon) restartChanged(ctx context.Context, old, c *config.Config) {
	keep := map[string]bool{}
	for _, m := range c.Mailboxes {
		d.mu.Lock()
		w := d.pollers[m.Name]
		d.mu.Unlock()
		keep[m.Name] = true
		if w != nil && reflect.DeepEqual(w.config, m) {
			continue
		}
		d.stopPoller(m.Name)
		d.startPoller(ctx, m)
	}
	for _, m := range old.Mailboxes {
		if !keep[m.Name] {
			d.stopPoller(m.Name)
		}
	}
	if !reflect.DeepEqual(old.Brands, c.Brands) || !reflect.DeepEqual(old.Health.SMTP, c.Health.SMTP) {
		if err := d.restartSender(ctx); err != nil {
			d.log.Error("waiting mails not hastened", "err", err)
		}
	}
}

func (d *Daemon) stopPoller(name string) {
	d.mu.Lock()
	w := d.pollers[name]
	delete(d.pollers, name)
	d.mu.Unlock()
	if w != nil {
		w.cancel()
		<-w.done
	}
}

// wake lets every mailbox be looked at now, and every server be tried: somebody has put something right.
func (d *Daemon) wake(ctx context.Context) error {
	d.reload.mu.Lock()
	defer d.reload.mu.Unlock()
	d.mu.Lock()
	for _, w := range d.pollers {
		for _, c := range []chan struct{}{w.wake, w.stir} {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
	d.mu.Unlock()
	return d.restartSender(ctx)
}

// restartSender ends the sender, starts one with the present configuration, and makes due what only waits for a server.
func (d *Daemon) restartSender(ctx context.Context) error {
	d.mu.Lock()
	w := d.senders
	d.mu.Unlock()
	if w == nil {
		return nil // it has not begun yet
	}
	w.cancel()
	<-w.done
	d.startSender(d.running, d.config.Load())
	return d.desk.Hasten(ctx)
}

// reloadState remembers how the last reload ended.
type reloadState struct {
	mu   sync.Mutex
	last atomic.Pointer[reloadResult]
}

type reloadResult struct {
	At  time.Time
	Err error
}

func (r *reloadState) note(at time.Time, err error) { r.last.Store(&reloadResult{At: at, Err: err}) }

// listen opens the unix socket and, when the configuration asks for it, the status page.
func (d *Daemon) listen() ([]net.Listener, error) {
	socket, err := listenSocket(socketPath(d.desk.Store.Dir()))
	if err != nil {
		return nil, err
	}
	listeners := []net.Listener{socket}
	if addr := d.config.Load().Listen; addr != "" {
		page, err := net.Listen("tcp", addr)
		if err != nil {
			socket.Close()
			return nil, fmt.Errorf("%s: listen: %w; choose another port, or leave listen out", d.path, err)
		}
		listeners = append(listeners, page)
	}
	return listeners, nil
}
