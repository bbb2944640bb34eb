package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/mailout"
	"supportd/tickets"
)

// The desk's own health. Every minute the daemon looks at what can be wrong: vitals are what it sees, healthChecks is
// what follows from them, without looking at anything itself, and the desk decides who is told and keeps what was told.

const (
	healthPause     = time.Minute
	healthSettle    = 2 * time.Minute // a server has to work for so long before it is told to work again
	staleAfter      = time.Hour       // a refused configuration file is told of after that
	certificateLook = 12 * time.Hour  // how often a server's certificate is looked at
	certificateSoon = time.Hour       // the same for one that is known to end soon
)

// vitals is what one look at the desk saw.
type vitals struct {
	now          time.Time
	status       statusView
	servers      []mailout.ServerStatus
	silences     map[string]tickets.Silence // by mailbox; of those that are connected
	certificates map[string]time.Time       // ends, by what they belong to: imap support, smtp nordwind
	overdue      int
	overdueSince time.Time
	givenUp      uint64
	free, floor  uint64 // octets
	freeKnown    bool
}

// runHealth looks after the desk until ctx ends.
func (d *Daemon) runHealth(ctx context.Context) error {
	t := time.NewTicker(healthPause)
	defer t.Stop()
	for {
		if err := d.lookAfter(ctx); err != nil && ctx.Err() == nil {
			d.log.Error("the desk's health could not be looked at", "err", err)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// lookAfter looks once, and lets the desk tell what has begun or ended.
func (d *Daemon) lookAfter(ctx context.Context) error {
	d.certificates.look.Lock()
	defer d.certificates.look.Unlock()
	c := d.config.Load()
	d.lookAtCertificates(ctx, c)
	if n, err := d.desk.Store.RetireKeys(d.options.Now()); err != nil {
		return err
	} else if n > 0 {
		d.log.Info("keys have ended", "keys", n)
	}
	v, err := d.vitals(c)
	if err != nil {
		return err
	}
	return d.desk.Health(ctx, healthChecks(c, v))
}

// vitals asks everybody; nothing is connected to.
func (d *Daemon) vitals(c *config.Config) (vitals, error) {
	v := vitals{now: d.options.Now(), silences: map[string]tickets.Silence{}, certificates: d.certificates.ends(), floor: uint64(c.DiskFloor)}
	var err error
	if v.status, err = d.status(); err != nil {
		return v, err
	}
	d.mu.Lock()
	sender := d.sender
	d.mu.Unlock()
	if sender != nil {
		v.servers = sender.Status().Servers
	}
	if free, err := d.desk.Store.FreeBytes(); err == nil {
		v.free, v.freeKnown = free, true
	}
	return v, d.desk.Store.View(func(tx *tickets.Tx) (err error) {
		v.givenUp = tx.GivenUp()
		for _, m := range v.status.Mailboxes {
			if m.Connected {
				v.silences[m.Name] = tx.Silence(m.Name, d.desk.Rules(), v.now)
			}
		}
		v.overdue, v.overdueSince, err = tx.Overdue(v.now.Add(-c.Health.OutboxAfter))
		return err
	})
}

// healthChecks says what follows from what was seen.
func healthChecks(c *config.Config, v vitals) []tickets.HealthCheck {
	var list []tickets.HealthCheck
	wrongServers := false
	for _, m := range v.status.Mailboxes {
		list = append(list, mailboxCheck(c, v, m))
		if s, ok := v.silences[m.Name]; ok && c.Health.TellOfSilence {
			list = append(list, tickets.HealthCheck{Key: "silence " + m.Name, State: wrongIf(s.Unusual), Since: s.Since,
				Line: line("health.silence", "mailbox", m.Name, "usual", strconv.Itoa(s.Usual)), Over: line("health.silence_over", "mailbox", m.Name)})
		} else if c.Health.TellOfSilence {
			list = append(list, tickets.HealthCheck{Key: "silence " + m.Name}) // nothing is known while it is not connected
		}
	}
	for _, f := range v.status.Folders {
		list = append(list, folderCheck(c, v, f))
	}
	for _, s := range v.servers {
		check := serverCheck(c, v, s)
		wrongServers = wrongServers || check.State == tickets.HealthWrong
		list = append(list, check)
	}
	for _, a := range v.status.Accounts {
		list = append(list, tokenCheck(c, a))
		if !a.ConsentEnds.IsZero() {
			list = append(list, expiryCheck(c, v.now, "consent "+a.Name, a.ConsentEnds, line("health.consent", "account", a.Name, "login", a.Login), line("health.consent_ok", "account", a.Name)))
		}
	}
	seen := map[string]bool{}
	for _, u := range accountUses(c) {
		if id := u.account().ID(); !u.how.SecretExpires.IsZero() && !seen[id] {
			seen[id] = true
			list = append(list, expiryCheck(c, v.now, "secret "+u.name, u.how.SecretExpires, line("health.secret", "account", u.name), line("health.secret_ok", "account", u.name)))
		}
	}
	for what, ends := range v.certificates {
		list = append(list, expiryCheck(c, v.now, "certificate "+what, ends, line("health.certificate", "server", what), line("health.certificate_ok", "server", what)))
	}
	list = append(list, outboxChecks(v, wrongServers)...)
	if v.freeKnown {
		list = append(list, tickets.HealthCheck{Key: "disk", State: wrongIf(v.free < v.floor), Settle: healthSettle,
			Line: line("health.disk_low", "path", c.State, "free", strconv.FormatUint(v.free, 10), "floor", strconv.FormatUint(v.floor, 10)),
			Over: line("health.disk_ok", "path", c.State, "free", strconv.FormatUint(v.free, 10))})
	}
	reason, _, _ := strings.Cut(v.status.ReloadErr, "\n")
	list = append(list, tickets.HealthCheck{Key: "configuration", State: wrongIf(v.status.ReloadErr != ""), After: staleAfter,
		Line: line("health.config_stale", "file", c.Path, "reason", reason), Over: line("health.config_ok", "file", c.Path)})
	slices.SortStableFunc(list, func(a, b tickets.HealthCheck) int { return strings.Compare(a.Key, b.Key) })
	return list
}

func mailboxCheck(c *config.Config, v vitals, m mailboxView) tickets.HealthCheck {
	check := tickets.HealthCheck{Key: "mailbox " + m.Name, Since: m.Since, After: c.Health.PollFailure, Settle: healthSettle,
		Line: line("health.mailbox_down", "mailbox", m.Name, "reason", m.Error), Over: line("health.mailbox_up", "mailbox", m.Name)}
	switch {
	case m.Claimed:
		check.State, check.After = tickets.HealthWrong, 0 // time does not help
		check.Line = line("health.mailbox_claimed", "mailbox", m.Name, "reason", m.Error)
	case m.Connected:
		check.State = tickets.HealthFine
	case m.Error != "" && !v.ofTokens(m.Error):
		check.State = tickets.HealthWrong
	}
	return check
}

func serverCheck(c *config.Config, v vitals, s mailout.ServerStatus) tickets.HealthCheck {
	check := tickets.HealthCheck{Key: "smtp " + s.Name, Since: s.Since, After: c.Health.PollFailure, Settle: healthSettle, Server: s.Name,
		Line: line("health.smtp_down", "server", s.Name, "reason", s.LastError, "count", strconv.Itoa(v.status.Outbox.Due+v.status.Outbox.Deferred)),
		Over: line("health.smtp_up", "server", s.Name)}
	switch {
	case s.LastError != "":
		check.State = tickets.HealthWrong
		if v.ofTokens(s.LastError) {
			check.After = math.MaxInt64 // told as the account's trouble; yet no mail is to go by this server
		}
	case s.Connected:
		check.State = tickets.HealthFine
	}
	return check
}

// ofTokens reports whether what a server could not be used for is that there are no access tokens: that is told once, of
// the account, and not of each server.
func (v vitals) ofTokens(reason string) bool {
	return slices.ContainsFunc(v.status.Accounts, func(a accountView) bool { return a.Error != "" && strings.Contains(reason, a.Error) })
}

func tokenCheck(c *config.Config, a accountView) tickets.HealthCheck {
	check := tickets.HealthCheck{Key: "tokens of " + a.Name, Since: a.Since, After: c.Health.PollFailure, Settle: healthSettle,
		Line: line("health.token", "account", a.Name, "reason", a.Error), Over: line("health.token_ok", "account", a.Name)}
	switch {
	case a.Error != "":
		check.State = tickets.HealthWrong
		if a.NeedsPerson {
			check.After = 0 // time does not help
		}
	case !a.Expires.IsZero():
		check.State = tickets.HealthFine
	}
	return check
}

// expiryCheck is about something that ends on a day.
func expiryCheck(c *config.Config, now time.Time, key string, ends time.Time, wrong, over tickets.Line) tickets.HealthCheck {
	grade := tickets.ExpiryGrade(ends, now, c.Health.WarnBefore)
	days := max(0, int(math.Ceil(ends.Sub(now).Hours()/24)))
	wrong.Args["days"], wrong.Args["until"] = strconv.Itoa(days), ends.UTC().Format(time.RFC3339)
	return tickets.HealthCheck{Key: key, State: wrongIf(grade > 0), Grade: grade, Line: wrong, Over: over}
}

// outboxChecks are about mails that do not leave. While a server cannot be used that is told already.
func outboxChecks(v vitals, wrongServers bool) []tickets.HealthCheck {
	late := tickets.HealthCheck{Key: "outbox", State: wrongIf(v.overdue > 0), Since: v.overdueSince, Settle: healthSettle,
		Line: line("health.outbox", "count", strconv.Itoa(v.overdue)), Over: line("health.outbox_ok")}
	if wrongServers {
		late.State = tickets.HealthUnknown
	}
	return []tickets.HealthCheck{late, {Key: "given up", State: wrongIf(v.givenUp > 0), Counts: true, Grade: int(v.givenUp), Line: line("health.given_up")}}
}

func wrongIf(wrong bool) tickets.HealthState {
	if wrong {
		return tickets.HealthWrong
	}
	return tickets.HealthFine
}

func line(key string, args ...string) tickets.Line {
	l := tickets.Line{Key: key, Args: map[string]string{}}
	for i := 0; i+1 < len(args); i += 2 {
		l.Args[args[i]] = args[i+1]
	}
	return l
}

// ── certificates ──

// certificateBook remembers when the servers' certificates end.
type certificateBook struct {
	look sync.Mutex // held during a look at the desk's health
	seen map[string]certificateEnd
}

type certificateEnd struct {
	looked time.Time
	ends   time.Time // zero: not known
}

// ends are the ends that are known.
func (b *certificateBook) ends() map[string]time.Time {
	m := map[string]time.Time{}
	for what, e := range b.seen {
		if !e.ends.IsZero() {
			m[what] = e.ends
		}
	}
	return m
}

// due reports whether a certificate is to be looked at again.
func (b *certificateBook) due(what string, now time.Time, warn time.Duration) bool {
	e, ok := b.seen[what]
	pause := certificateLook
	if !e.ends.IsZero() && tickets.ExpiryGrade(e.ends, now, warn) > 0 {
		pause = certificateSoon
	}
	return !ok || now.Sub(e.looked) >= pause
}

// lookAtCertificates connects to the servers that work, now and then: a connection that stands shows the certificate of
// the day when it was opened. Nothing is sent, and nobody logs in.
func (d *Daemon) lookAtCertificates(ctx context.Context, c *config.Config) {
	seen := map[string]certificateEnd{}
	look := func(what string, usable bool, ask func(context.Context) (time.Time, error)) {
		now := d.options.Now()
		seen[what] = d.certificates.seen[what]
		if !usable || !d.certificates.due(what, now, c.Health.WarnBefore) {
			if _, known := d.certificates.seen[what]; !known {
				delete(seen, what)
			}
			return
		}
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		ends, err := ask(ctx)
		if err != nil {
			d.log.Debug("certificate not seen", "server", what, "err", err)
			ends = seen[what].ends
		}
		seen[what] = certificateEnd{looked: now, ends: ends}
	}
	v, err := d.status()
	if err != nil {
		return // whoever asks next hears it
	}
	for _, m := range c.Mailboxes {
		usable := m.TLS != config.TLSNone && slices.ContainsFunc(v.Mailboxes, func(s mailboxView) bool { return s.Name == m.Name && s.Connected })
		look(fmt.Sprintf("imap %s (%s)", m.Name, m.Host), usable, func(ctx context.Context) (time.Time, error) {
			return mailin.Certificate(ctx, mailboxConfig(m, d.tokens))
		})
	}
	for name, s := range serverConfigs(c, d.tokens) {
		usable := s.TLS != mailout.TLSNone && !slices.ContainsFunc(v.Servers, func(w serverView) bool { return w.Name == name && w.Error != "" })
		look(fmt.Sprintf("smtp %s (%s)", name, s.Host), usable, func(ctx context.Context) (time.Time, error) { return mailout.Certificate(ctx, s) })
	}
	d.certificates.seen = seen
}
