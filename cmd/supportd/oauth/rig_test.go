package oauth

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/cmd/supportd/oauth/tokentest"
)

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type rig struct {
	*tokentest.Server
	t     *testing.T
	clock *clock
	dir   string
	log   strings.Builder
}

func newRig(t *testing.T, o tokentest.Options) *rig {
	t.Helper()
	r := &rig{t: t, clock: newClock(), dir: filepath.Join(t.TempDir(), "oauth")}
	o.Now = r.clock.now
	var err error
	if r.Server, err = tokentest.NewServer(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		if strings.Contains(r.log.String(), testSecret) || strings.Contains(r.log.String(), "rt-") || strings.Contains(r.log.String(), "at-") {
			t.Errorf("a secret stands in the log:\n%s", r.log.String())
		}
	})
	r.AddClient("desk", testSecret)
	return r
}

// account is one of the test's token server.
func (r *rig) account(g Grant) Account {
	a := Account{Name: `mailbox "support"`, Login: "support", User: testUser, Grant: g, ClientID: "desk", Secret: testSecret,
		TokenURL: r.TokenURL(), DeviceURL: r.DeviceURL(), AuthURL: r.AuthURL(), Scopes: []string{"mail"}}
	if g == ServiceAccount {
		var err error
		if a.Key, err = r.ServiceKey(); err != nil {
			r.t.Fatal(err)
		}
		a.TokenURL = ""
	}
	return a
}

func (r *rig) source(a Account) *Source {
	r.t.Helper()
	s, err := NewSource(a, Options{Dir: r.dir, Now: r.clock.now, Limit: 5 * time.Second, Log: slog.New(slog.NewTextHandler(&r.log, nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// must gives a token that the mail server would take.
func (r *rig) must(s *Source, refused string) string {
	r.t.Helper()
	token, err := s.Token(r.t.Context(), refused)
	if err != nil {
		r.t.Fatal(err)
	}
	if user, ok := r.User(token); !ok || user != testUser && user != "*" {
		r.t.Errorf("a token of %q, good: %v", user, ok)
	}
	return token
}
