package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/oauth"
	"supportd/tickets"
)

// tokenFunc gives an access token for one login; nil where a password is used.
type tokenFunc = func(ctx context.Context, refused string) (string, error)

// accounts are the logins that go by access tokens. Two servers with the same user and client share one source of
// tokens, since a refresh token may be good for one use only.
type accounts struct {
	dir string // of the refresh tokens
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	sources map[string]*oauth.Source // by the account's ID
}

// newAccounts keeps refresh tokens in a folder of the state directory.
func newAccounts(state string, now func() time.Time, log *slog.Logger) *accounts {
	return &accounts{dir: filepath.Join(state, "oauth"), now: now, log: log, sources: map[string]*oauth.Source{}}
}

// accountUse is one login of the configuration that goes by access tokens.
type accountUse struct {
	name  string // mailbox "support"
	login string // what supportd login calls it
	user  string
	how   *config.OAuth2
}

func (u accountUse) account() oauth.Account { return u.how.Account(u.name, u.login, u.user) }

// accountUses lists the logins by access tokens: mailboxes first, so that they give an account its name.
func accountUses(c *config.Config) []accountUse {
	var list []accountUse
	for _, m := range c.Mailboxes {
		list = append(list, mailboxUse(m))
	}
	for _, b := range c.Brands {
		list = append(list, brandUse(b))
	}
	if c.Health.SMTP != nil {
		list = append(list, healthUse(*c.Health.SMTP))
	}
	return slices.DeleteFunc(list, func(u accountUse) bool { return u.how == nil })
}

func mailboxUse(m config.Mailbox) accountUse {
	return accountUse{fmt.Sprintf("mailbox %q", m.Name), m.Name, m.User, m.OAuth2}
}

func brandUse(b config.Brand) accountUse {
	return accountUse{fmt.Sprintf("smtp server %q", b.Name), "smtp:" + b.Name, b.SMTP.User, b.SMTP.OAuth2}
}

func healthUse(s config.SMTP) accountUse {
	return accountUse{"smtp server of health", "smtp:" + healthServer, s.User, s.OAuth2}
}

// token gives the tokens of a login, or nil when it goes by password.
func (a *accounts) token(u accountUse) tokenFunc {
	if u.how == nil {
		return nil
	}
	s, err := a.source(u)
	if err != nil {
		return func(context.Context, string) (string, error) { return "", err }
	}
	return s.Token
}

// source is where the tokens of a login come from: the one that is there already, unless the configuration has changed.
func (a *accounts) source(u accountUse) (*oauth.Source, error) {
	account := u.account()
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.sources[account.ID()]; s != nil && sameAccount(s.Account(), account) {
		return s, nil
	}
	s, err := oauth.NewSource(account, oauth.Options{Dir: a.dir, Now: a.now, Log: a.log})
	if err != nil {
		return nil, err
	}
	a.sources[account.ID()] = s
	return s, nil
}

// sameAccount reports whether two differ in nothing but what they are called.
func sameAccount(a, b oauth.Account) bool {
	a.Name, a.Login = b.Name, b.Login
	return reflect.DeepEqual(a, b)
}

// prepare makes the sources that a configuration needs, in the order in which they give names, and drops the others.
func (a *accounts) prepare(c *config.Config) {
	keep := map[string]bool{}
	for _, u := range accountUses(c) {
		keep[u.account().ID()] = true
		if _, err := a.source(u); err != nil {
			a.log.Error("no access tokens for a login", "account", u.name, "err", err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.sources {
		if !keep[id] {
			delete(a.sources, id)
		}
	}
}

// loginsEnding warns of client secrets and consents that end soon, and of logins to which nobody has agreed yet. Nobody is
// asked: the dates stand in the configuration and in the state directory.
func loginsEnding(file string, c *config.Config, now time.Time) config.Findings {
	var list config.Findings
	warn := func(u accountUse, what, fix string) {
		list = append(list, config.Finding{File: file, Path: "oauth2 of " + u.name, Warning: true, What: what, Fix: fix})
	}
	in := func(ends time.Time) string {
		if !ends.After(now) {
			return "has ended on " + ends.In(c.Zone).Format(time.DateOnly)
		}
		return "ends on " + ends.In(c.Zone).Format(time.DateOnly)
	}
	all, seen := newAccounts(c.State, func() time.Time { return now }, slog.New(slog.DiscardHandler)), map[string]bool{}
	for _, u := range accountUses(c) {
		id := u.account().ID()
		if seen[id] {
			continue
		}
		seen[id] = true
		if ends := u.how.SecretExpires; !ends.IsZero() && tickets.ExpiryGrade(ends, now, c.Health.WarnBefore) > 0 {
			warn(u, "the client's secret "+in(ends), "make a new one at the provider, put it in, and change client_secret_expires")
		}
		s, err := all.source(u)
		if err != nil {
			warn(u, err.Error(), "")
			continue
		}
		switch agreed, err := s.Agreed(); {
		case err != nil:
			warn(u, err.Error(), "")
		case !agreed:
			warn(u, "nobody has logged in yet", "run supportd login "+u.login)
		default:
			if ends := s.Status().Consent; !ends.IsZero() && tickets.ExpiryGrade(ends, now, c.Health.WarnBefore) > 0 {
				warn(u, "the consent "+in(ends), "run supportd login "+u.login)
			}
		}
	}
	return list
}

// status is how every account does, by name.
func (a *accounts) status() []oauth.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []oauth.Status{}
	for _, s := range a.sources {
		list = append(list, s.Status())
	}
	slices.SortFunc(list, func(x, y oauth.Status) int { return strings.Compare(x.Name, y.Name) })
	return list
}
