package mailout

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"supportd/tickets"
)

// relay is a server in use: its open connections, and whether it can be used at all.
//
// While a server cannot be used, one connection is tried at the end of each pause, however many mails wait (S-043). A
// sender that the server refuses is held back by itself, so that the others go on.
type relay struct {
	server Server
	dial   dialer
	now    func() time.Time
	spread func() float64 // [0,1)
	log    *slog.Logger
	nudge  chan struct{} // told when the server has become usable

	connecting chan struct{} // holds one token; who has it may connect

	mu    sync.Mutex
	idle  []*session // the one used last stands last
	up    bool       // the last contact was good
	state problem
	held  map[string]*problem // by sender
	stale string              // a token that the server does not take any more; "" for none
	since time.Time           // of up, or of the first failure
	freed chan struct{}       // told when a connection has become idle
}

// problem is a failure that repeats, and when to try again.
type problem struct {
	failures int
	until    time.Time
	last     string
}

func newRelay(server Server, s *Sender, dial dialer, nudge chan struct{}) *relay {
	r := &relay{
		server: server, dial: dial, now: s.now, spread: s.rand, log: s.log().With("server", server.Name), nudge: nudge,
		connecting: make(chan struct{}, 1), held: make(map[string]*problem), since: s.now(), freed: make(chan struct{}, 1),
	}
	r.connecting <- struct{}{}
	return r
}

// senderKey is what mails share whose sender is accepted or refused together: the null reverse-path, or the domain.
func senderKey(from string) string {
	return strings.ToLower(from[strings.LastIndexByte(from, '@')+1:])
}

// heldUntil returns until when mails of this sender have to wait, and why; zero when they need not.
func (r *relay) heldUntil(from string) (time.Time, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if r.state.until.After(now) {
		return r.state.until, r.state.last
	}
	if p := r.held[senderKey(from)]; p != nil && p.until.After(now) {
		return p.until, p.last
	}
	return time.Time{}, ""
}

// holding reports whether any mail has to wait.
func (r *relay) holding() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if r.state.until.After(now) {
		return true
	}
	for _, p := range r.held {
		if p.until.After(now) {
			return true
		}
	}
	return false
}

// window is how many mails may be on their way: enough that no connection waits for the next commit, and a single one
// until the server has shown that it can be used.
func (r *relay) window() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.up {
		return 1
	}
	return windowFactor * r.server.Connections
}

// fail notes that p happened once more and returns when to try again. The first of a row is logged, the rest only
// shown in the status.
func (r *relay) fail(p *problem, err string, config bool) time.Time {
	pause := after(r.server.Backoff, p.failures)
	pause += time.Duration(r.spread() * 0.1 * float64(pause))
	p.failures++
	p.until, p.last = r.now().Add(pause), err
	if p.failures == 1 {
		r.log.Warn("smtp server cannot be used, mails are held back", "err", err, "config", config, "until", p.until)
	} else {
		r.log.Debug("smtp server still cannot be used", "err", err, "failures", p.failures, "until", p.until)
	}
	return p.until
}

// down notes that the server cannot be used.
func (r *relay) down(err string, config bool) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.up {
		r.up, r.since = false, r.now()
	}
	return r.fail(&r.state, err, config)
}

// usable notes a good contact. A session that could be opened is not enough to forget earlier failures: a server may
// greet us and then hang up on every mail.
func (r *relay) usable(proven bool) {
	r.mu.Lock()
	was, failures := r.up, r.state.failures
	r.up = true
	if proven {
		r.state = problem{}
	}
	if !was {
		r.since = r.now()
	}
	r.mu.Unlock()
	if proven && failures > 0 {
		r.log.Info("smtp server is usable again", "failures", failures)
	}
	if !was {
		select {
		case r.nudge <- struct{}{}:
		default:
		}
	}
}

// holdSender notes that the server refuses a sender.
func (r *relay) holdSender(from, detail string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := senderKey(from)
	if r.held[key] == nil {
		r.held[key] = &problem{}
	}
	return r.fail(r.held[key], detail, true)
}

// releaseSender notes that the server takes a sender.
func (r *relay) releaseSender(from string) {
	r.mu.Lock()
	p := r.held[senderKey(from)]
	delete(r.held, senderKey(from))
	r.mu.Unlock()
	if p != nil {
		r.log.Info("smtp server takes the sender again", "failures", p.failures)
	}
}

// take returns an open session: the one used last, or a new one. With fresh, it is always a new one. Only one
// goroutine connects at a time; those who waited for it share its failure.
func (r *relay) take(ctx context.Context, fresh bool) (*session, error) {
	for {
		if s := r.pop(fresh); s != nil {
			return s, nil
		}
		select {
		case <-r.connecting:
			s, err := r.open(ctx, fresh)
			r.connecting <- struct{}{}
			return s, err
		case <-r.freed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *relay) pop(fresh bool) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	if fresh || len(r.idle) == 0 {
		return nil
	}
	s := r.idle[len(r.idle)-1]
	r.idle = r.idle[:len(r.idle)-1]
	return s
}

// open connects, unless that failed while we waited for our turn, or a session has become free.
func (r *relay) open(ctx context.Context, fresh bool) (*session, error) {
	if s := r.pop(fresh); s != nil {
		return s, nil
	}
	r.mu.Lock()
	until, last, stale := r.state.until, r.state.last, r.stale
	r.mu.Unlock()
	if until.After(r.now()) {
		return nil, errors.New(last)
	}
	s, err := connect(ctx, r.server, r.dial, stale)
	if err != nil {
		var server *ServerError
		if ctx.Err() == nil {
			r.down(err.Error(), errors.As(err, &server) && server.Config)
		}
		return nil, err
	}
	tickets.Failpoint("send.connected")
	r.usable(false)
	return s, nil
}

// give puts a session back for others.
func (r *relay) give(s *session) {
	r.mu.Lock()
	r.idle = append(r.idle, s)
	r.mu.Unlock()
	select {
	case r.freed <- struct{}{}:
	default:
	}
}

// deliver tries one mail, and says how that ended. A kept connection that the server has closed in the meantime is no
// failure: the mail then goes by a new one.
func (r *relay) deliver(ctx context.Context, m *tickets.Outgoing) tickets.Delivery {
	renewed := false
	for fresh := false; ; fresh = true {
		s, err := r.take(ctx, fresh)
		if err != nil {
			until, _ := r.heldUntil(m.EnvelopeFrom)
			return r.delivery(m, outcome{result: tickets.ResultUntried, detail: err.Error()}, until)
		}
		kept := s.used > 0
		o := s.send(m)
		if o.login && s.token != "" && !renewed && ctx.Err() == nil {
			// The token has ended in the middle of the session: its connections are of no more use, a fresh token is.
			renewed = true
			r.spoil(s.token)
			s.close()
			r.discard()
			continue
		}
		if o.lost {
			s.close()
			if o.early && kept && ctx.Err() == nil {
				r.discard()
				continue
			}
			if ctx.Err() != nil && o.result == tickets.ResultTemporary && o.code == 0 {
				o.result = tickets.ResultUntried // we broke it off ourselves
			}
		} else {
			r.give(s)
		}
		return r.delivery(m, o, r.conclude(ctx, m, o))
	}
}

// spoil notes that a token is not taken any more.
func (r *relay) spoil(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = token
}

// conclude draws the conclusions from an outcome for the server, and returns when it may be used again.
func (r *relay) conclude(ctx context.Context, m *tickets.Outgoing, o outcome) time.Time {
	switch {
	case o.sender:
		return r.holdSender(m.EnvelopeFrom, r.server.serverError("sender "+angle(m.EnvelopeFrom)+" was refused",
			"check the desk's address and what the login may send as", true, errors.New(o.detail)).Error())
	case o.login:
		return r.down(r.server.serverError("a login is wanted", "check user and password_file", true, errors.New(o.detail)).Error(), true)
	case o.lost && ctx.Err() == nil:
		return r.down(r.server.serverError("the connection broke off", "", false, errors.New(o.detail)).Error(), false)
	case !o.lost:
		r.usable(true)
		r.releaseSender(m.EnvelopeFrom)
	}
	return time.Time{}
}

func angle(from string) string { return "<" + from + ">" }

// delivery says what is to be recorded. server is when the server may be used again; zero when it may now.
func (r *relay) delivery(m *tickets.Outgoing, o outcome, server time.Time) tickets.Delivery {
	now := r.now()
	d := tickets.Delivery{ID: m.ID, At: now, Result: o.result, Detail: o.detail}
	switch o.result {
	case tickets.ResultUntried:
		if d.Next = server; !d.Next.After(now) {
			d.Next = now
		}
	case tickets.ResultTemporary, tickets.ResultAmbiguous:
		last := m.Created.Add(r.server.GiveUp)
		if d.GiveUp = !now.Before(last); d.GiveUp {
			break
		}
		// The last attempt is made at the end of the time, not before it.
		if d.Next = now.Add(after(r.server.Retry, m.Attempts)); d.Next.After(last) {
			d.Next = last
		}
	}
	r.tell(m, o, d)
	return d
}

// tell logs what an operator should see of one mail. The server's words stay out of it: they may name people.
func (r *relay) tell(m *tickets.Outgoing, o outcome, d tickets.Delivery) {
	log := r.log.With("outgoing", m.ID, "code", o.code, "attempt", m.Attempts+1)
	switch {
	case o.result == tickets.ResultAmbiguous:
		log.Warn("no reply to the end of a mail, it may be sent more than once", "next", d.Next)
	case o.result == tickets.ResultPermanent, d.GiveUp:
		log.Warn("mail was given up", "refused", o.result == tickets.ResultPermanent)
	case o.result == tickets.ResultTemporary:
		log.Info("mail was put off", "next", d.Next)
	case o.result == tickets.ResultSent:
		log.Debug("mail was sent")
	}
}

// discard closes all idle sessions without a word: what happened to one of them has happened to all.
func (r *relay) discard() {
	r.mu.Lock()
	idle := r.idle
	r.idle = nil
	r.mu.Unlock()
	for _, s := range idle {
		s.close()
	}
}

// expire ends the sessions that were idle for too long, and returns when to look again.
func (r *relay) expire() time.Duration {
	r.mu.Lock()
	wait := r.server.Idle
	var old, keep []*session
	for _, s := range r.idle {
		if left := r.server.Idle - time.Since(s.lastUsed); left <= 0 {
			old = append(old, s)
		} else {
			keep, wait = append(keep, s), min(wait, left)
		}
	}
	r.idle = keep
	r.mu.Unlock()
	quitAll(old)
	return wait
}

// tend ends idle sessions in time, until ctx ends.
func (r *relay) tend(ctx context.Context) {
	t := time.NewTimer(r.server.Idle)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			t.Reset(r.expire())
		case <-ctx.Done():
			return
		}
	}
}

// leave ends all idle sessions.
func (r *relay) leave() {
	r.mu.Lock()
	idle := r.idle
	r.idle = nil
	r.mu.Unlock()
	quitAll(idle)
}

func quitAll(sessions []*session) {
	var wg sync.WaitGroup
	for _, s := range sessions {
		wg.Go(s.quit)
	}
	wg.Wait()
}
