package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"supportd/cmd/supportd/oauth/tokentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testSecret = "canary-s3cret"
	testUser   = "hilfe@nordwind.example"
)

// A token is asked for once, kept until shortly before its end, and replaced at once when the mail server refuses it.
func TestTokenLife(t *testing.T) {
	for _, g := range []Grant{ClientCredentials, ServiceAccount, Device} {
		t.Run(string(g), func(t *testing.T) {
			r := newRig(t, tokentest.Options{})
			a := r.account(g)
			if g.Delegated() {
				if err := folder(r.dir).write(a, kept{Refresh: r.Agree(testUser)}); err != nil {
					t.Fatal(err)
				}
			}
			s := r.source(a)
			first := r.must(s, "")
			r.clock.pass(57 * time.Minute)
			if again := r.must(s, ""); again != first {
				t.Error("another token although the first is good")
			}
			r.clock.pass(90 * time.Second)
			second := r.must(s, "")
			if second == first {
				t.Error("the same token 90 s before its end")
			}
			if again := r.must(s, first); again != second {
				t.Error("another token because one was refused that nobody uses any more")
			}
			r.RevokeAccess()
			if third := r.must(s, second); third == second {
				t.Error("the refused token again")
			}
			if n := r.Counts().Tokens; n != 3 {
				t.Errorf("%d requests, want 3", n)
			}
			if st := s.Status(); st.Error != "" || !st.Expires.Equal(r.clock.now().Add(time.Hour)) {
				t.Errorf("status %+v", st)
			}
		})
	}
}

// Many ask at once: the token server is asked once.
func TestTokenShared(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	s := r.source(r.account(ClientCredentials))
	stale := r.must(s, "")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := s.Token(context.Background(), stale); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := r.Counts().Tokens; n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// A rotated refresh token is on the disk before anybody uses what came with it, readable for the owner only (S-178), and
// the one before is never used again.
func TestRotation(t *testing.T) {
	r := newRig(t, tokentest.Options{Rotate: true, RefreshLife: 90 * 24 * time.Hour})
	a := r.account(Device)
	first := r.Agree(testUser)
	if err := folder(r.dir).write(a, kept{Refresh: first, Agreed: r.clock.now()}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{first: true}
	s := r.source(a)
	for range 5 {
		r.must(s, "")
		k, ok, err := folder(r.dir).read(a)
		if err != nil || !ok || seen[k.Refresh] || !k.Agreed.Equal(newClock().t) {
			t.Fatalf("kept %+v, %v", k, err)
		}
		if want := r.clock.now().Add(90 * 24 * time.Hour); !k.Ends.Equal(want) || !s.Status().Consent.Equal(want) {
			t.Errorf("ends %s and %s, want %s", k.Ends, s.Status().Consent, want)
		}
		seen[k.Refresh] = true
		r.clock.pass(time.Hour)
		s = r.source(a) // a restart
	}
	info, err := os.Stat(folder(r.dir).path(a))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if dir, err := os.Stat(r.dir); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("folder mode %v, %v", dir.Mode(), err)
	}
}

// Two processes, such as the desk and a check beside it, share rotated refresh tokens: none of them uses one twice.
func TestRotationShared(t *testing.T) {
	r := newRig(t, tokentest.Options{Rotate: true})
	a := r.account(Device)
	if err := folder(r.dir).write(a, kept{Refresh: r.Agree(testUser)}); err != nil {
		t.Fatal(err)
	}
	r.SetFaults(tokentest.Faults{Delay: 5 * time.Millisecond})
	var wg sync.WaitGroup
	for range 5 {
		s, err := NewSource(a, Options{Dir: r.dir, Now: r.clock.now})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if _, err := s.Token(context.Background(), ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A refresh token that cannot be written is not lost: nothing is given out until it is on the disk, and the next call
// writes it without asking the token server again.
func TestRotationOnFullDisk(t *testing.T) {
	r := newRig(t, tokentest.Options{Rotate: true})
	a := r.account(Device)
	if err := folder(r.dir).write(a, kept{Refresh: r.Agree(testUser)}); err != nil {
		t.Fatal(err)
	}
	s := r.source(a)
	file := folder(r.dir).path(a)
	secret, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// A folder in the place of the file: what is renamed onto it fails for every user.
	block := func() {
		if err := errors.Join(os.Remove(file), os.MkdirAll(filepath.Join(file, "x"), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	before := s.keep
	g, err := s.fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	block()
	if err := s.got(g); err == nil || !strings.Contains(err.Error(), "cannot be kept") {
		t.Fatalf("error %v", err)
	}
	if _, err := s.Token(t.Context(), ""); err == nil {
		t.Error("a token although its refresh token is not kept")
	}
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	r.must(s, "")
	if k, ok, err := before.read(a); err != nil || !ok || k.Refresh == "" || strings.Contains(string(secret), k.Refresh) {
		t.Errorf("kept %v, %v: not the new one", ok, err)
	}
}

// What a token server can answer, and what people are told: always where, what, and what to do; never a secret, although
// servers echo them; and whether time can help.
func TestTroubles(t *testing.T) {
	for _, c := range []struct {
		name   string
		grant  Grant
		faults tokentest.Faults
		want   []string
		final  bool
	}{
		{"wrong secret", ClientCredentials, tokentest.Faults{}, []string{"invalid_client", "it may have ended", "***"}, true},
		{"500", ClientCredentials, tokentest.Faults{Status: 500}, []string{"answers 500"}, false},
		{"429", ClientCredentials, tokentest.Faults{Status: 429, RetryAfter: "120"}, []string{"answers 429"}, false},
		{"404", ClientCredentials, tokentest.Faults{Status: 404}, []string{"answers 404", "check token_url"}, true},
		{"garbage", ClientCredentials, tokentest.Faults{Body: "<html>hello</html>"}, []string{"no answer of a token server"}, false},
		{"empty", ClientCredentials, tokentest.Faults{Body: "{}"}, []string{"missing access_token"}, false},
		{"broken off", ClientCredentials, tokentest.Faults{Body: `{"access_token": "at-`}, []string{"no answer of a token server"}, false},
		{"header in the token", ClientCredentials, tokentest.Faults{Body: `{"access_token":"a\r\nb","token_type":"Bearer"}`}, []string{"not one that a mail server can be shown"}, false},
		{"MAC token", ClientCredentials, tokentest.Faults{Body: `{"access_token":"a","token_type":"mac"}`}, []string{`type "MAC"`}, false},
		{"redirect", ClientCredentials, tokentest.Faults{Status: 302}, []string{"answers 302"}, false},
		{"consent gone", Device, tokentest.Faults{Error: "invalid_grant", Detail: "AADSTS700082: the token has\r\nexpired"}, []string{"the consent has ended", "AADSTS700082: the token has expired", "run supportd login support"}, true},
		{"user gone", ServiceAccount, tokentest.Faults{Error: "invalid_grant", Detail: "Invalid email or User ID"}, []string{"check that the user exists"}, true},
		{"not allowed", ServiceAccount, tokentest.Faults{Error: "unauthorized_client"}, []string{"whole domain"}, true},
		{"scope", ClientCredentials, tokentest.Faults{Error: "invalid_scope"}, []string{"check tenant, scopes"}, true},
		{"long", ClientCredentials, tokentest.Faults{Error: "server_error", Detail: strings.Repeat("x", 5000)}, []string{"xxx…"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, tokentest.Options{})
			a := r.account(c.grant)
			if c.name == "wrong secret" {
				a.Secret = "canary-wrong"
			}
			if c.grant.Delegated() {
				if err := folder(r.dir).write(a, kept{Refresh: r.Agree(testUser)}); err != nil {
					t.Fatal(err)
				}
			}
			r.SetFaults(c.faults)
			s := r.source(a)
			_, err := s.Token(t.Context(), "")
			var e *Error
			if !errors.As(err, &e) || e.Permanent() != c.final {
				t.Fatalf("error %v, final %v", err, e != nil && e.Final)
			}
			for _, want := range append(c.want, `oauth2 of mailbox "support" at `+r.Addr()) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
			if strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), "canary") || len(err.Error()) > 700 {
				t.Errorf("error %q", err)
			}
			if st := s.Status(); st.Error != err.Error() || st.Permanent != c.final || !st.Since.Equal(r.clock.now()) {
				t.Errorf("status %+v", st)
			}
			r.SetFaults(tokentest.Faults{})
			if c.name == "429" {
				asked := r.Counts().Tokens
				r.clock.pass(119 * time.Second)
				if _, err := s.Token(t.Context(), ""); err == nil || r.Counts().Tokens != asked {
					t.Errorf("asked again before the 2 min were over: %v", err)
				}
				r.clock.pass(2 * time.Second)
			}
			if c.name == "wrong secret" {
				return
			}
			r.must(s, "")
			if st := s.Status(); st.Error != "" || !st.Since.IsZero() {
				t.Errorf("status after it was over: %+v", st)
			}
		})
	}
}

// A token server that is down, or does not answer, leaves a token that is good for a while yet in use.
func TestTokenServerDownNearTheEnd(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	s := r.source(r.account(ClientCredentials))
	first := r.must(s, "")
	r.SetFaults(tokentest.Faults{Status: 503, RetryAfter: "600"})
	r.clock.pass(59 * time.Minute)
	for range 2 {
		if token, err := s.Token(t.Context(), ""); err != nil || token != first {
			t.Errorf("token %v, %v", token == first, err)
		}
	}
	if s.Status().Error == "" {
		t.Error("the trouble is not in the status")
	}
	r.clock.pass(time.Minute)
	if _, err := s.Token(t.Context(), ""); err == nil {
		t.Error("a token after its end")
	}
}

// The asker's own end is no trouble of the token server, and a slow one is given up in time.
func TestSlowTokenServer(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	r.SetFaults(tokentest.Faults{Delay: time.Hour})
	s, err := NewSource(r.account(ClientCredentials), Options{Now: r.clock.now, Limit: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Token(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("error %v", err)
	}
	s = r.source(r.account(ClientCredentials))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := s.Token(ctx, ""); ended <- err }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || s.Status().Error != "" {
		t.Errorf("%v, status %+v", err, s.Status())
	}
}

// A closed port, and a name that leads nowhere.
func TestNoTokenServer(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	a := r.account(ClientCredentials)
	r.Close()
	if _, err := r.source(a).Token(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
}

// Secrets go over TLS only, but to this machine; certificates are checked; redirects are not followed.
func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		url string
		ok  bool
	}{
		{"https://login.example.org/token", true}, {"http://127.0.0.1:8080/token", true}, {"http://localhost/token", true}, {"http://[::1]:8080/token", true},
		{"http://login.example.org/token", false}, {"http://127.0.0.1.example.org/", false}, {"ftp://localhost/", false}, {"login.example.org", false},
		{"https://user:pw@login.example.org/", false}, {"https:///token", false}, {"", false}, {"https://login.example.org/#x", false},
	} {
		if err := CheckEndpoint(c.url); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.url, err)
		}
	}
	var asked []string
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/token", http.StatusTemporaryRedirect)
			return
		}
		user, secret, _ := r.BasicAuth()
		if user != "desk" || secret != url.QueryEscape("a:b/c d") {
			t.Errorf("client %q %q", user, secret)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"good","token_type":"bearer","expires_in":3600}`)
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	srv.StartTLS()
	defer srv.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	a := Account{Name: "x", User: testUser, Grant: ClientCredentials, ClientID: "desk", Secret: "a:b/c d", SecretInHeader: true, TokenURL: srv.URL + "/token"}
	token := func(a Account) (string, error) {
		s, err := NewSource(a, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s.Token(t.Context(), "")
	}
	if _, err := token(a); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	a.CAFile = ca
	if got, err := token(a); err != nil || got != "good" {
		t.Errorf("token %q, %v", got, err)
	}
	a.TokenURL = srv.URL + "/moved"
	if _, err := token(a); err == nil || len(asked) != 2 {
		t.Errorf("a redirect: %v, asked %v", err, asked)
	}
}

// What of an account cannot work is said before anything is asked.
func TestAccountCheck(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	for name, change := range map[string]func(*Account){
		"no grant": func(a *Account) { a.Grant = "password" }, "the user is missing": func(a *Account) { a.User = "" },
		"client_id": func(a *Account) { a.ClientID = "" }, "secret is missing": func(a *Account) { a.Secret = "" },
		"token_url": func(a *Account) { a.TokenURL = "http://login.example.org/" }, "key is missing": func(a *Account) { a.Grant = ServiceAccount },
		"no key of a service account": func(a *Account) { a.Grant, a.Key = ServiceAccount, []byte(`{"type":"authorized_user"}`) },
		"is not the JSON file":        func(a *Account) { a.Grant, a.Key = ServiceAccount, []byte("-----BEGIN") },
		"token_uri": func(a *Account) {
			a.Grant, a.TokenURL, a.Key = ServiceAccount, "", []byte(`{"type":"service_account","client_email":"a","private_key":"b","token_uri":"http://x.example"}`)
		},
		"device_url": func(a *Account) { a.Grant, a.DeviceURL = Device, "" },
		"auth_url":   func(a *Account) { a.Grant, a.AuthURL = Consent, "" },
		"ca_file":    func(a *Account) { a.CAFile = "absent.pem" },
	} {
		a := r.account(ClientCredentials)
		change(&a)
		if _, err := NewSource(a, Options{}); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(name, "no grant")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is kept is refused when others can read it, when it is damaged, and when it is of a newer version.
func TestKeptFile(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	a := r.account(Device)
	s := r.source(a)
	if _, err := s.Token(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "nobody has logged in yet; run supportd login support") {
		t.Errorf("error %v", err)
	}
	if err := folder(r.dir).write(a, kept{Refresh: r.Agree(testUser)}); err != nil {
		t.Fatal(err)
	}
	path := folder(r.dir).path(a)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var newer map[string]any
	if err := json.Unmarshal(good, &newer); err != nil {
		t.Fatal(err)
	}
	newer["version"] = 2
	next, err := json.Marshal(newer)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func() error{
		"chmod 600":  func() error { return os.Chmod(path, 0o640) },
		"is damaged": func() error { return os.WriteFile(path, good[:len(good)/2], 0o600) },
		"version 2":  func() error { return os.WriteFile(path, next, 0o600) },
	} {
		if err := errors.Join(os.WriteFile(path, good, 0o600), os.Chmod(path, 0o600), change()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Token(t.Context(), ""); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "rt-") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := errors.Join(os.WriteFile(path, good, 0o600), os.Chmod(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.must(s, "")
}

// The ID is the same for whoever uses the account, and safe as a file name.
func TestAccountID(t *testing.T) {
	a := Account{User: "Hilfe+x/..\\@Nordwind.Example", Grant: Device, ClientID: "c", TokenURL: "https://x.example"}
	b := a
	b.Name, b.User = "smtp", strings.ToLower(a.User)
	if a.ID() != b.ID() || strings.ContainsAny(a.ID(), "/\\ ") || strings.HasPrefix(a.ID(), ".") {
		t.Errorf("%q %q", a.ID(), b.ID())
	}
	b.ClientID = "d"
	if a.ID() == b.ID() {
		t.Error("another client, same ID")
	}
}

// S-176: whatever a token server repeats, and wherever its words are cut, no part of a secret stands in what is told of it.
func TestWhatTokenServersRepeat_S176(t *testing.T) {
	const secret, refresh = "canary/s3cret=with+signs", "canary-refresh-0123456789"
	hide := hiding([]string{secret, refresh, "abc"})
	basic := base64.StdEncoding.EncodeToString([]byte("robot:" + url.QueryEscape(secret)))
	jwt := "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJyb2JvdEBub3Jkd2luZC5leGFtcGxlIn0.c2lnbmF0dXJlLW9mLXNvbWUtbGVuZ3Ro"
	for _, said := range []string{secret, url.QueryEscape(secret), "Basic " + basic, "client_secret=" + url.QueryEscape(secret) + "&refresh_token=" + refresh, "assertion=" + jwt, "abc " + refresh} {
		for pad := range 220 {
			got := clip(hide(strings.Repeat("x ", pad) + said))
			for _, part := range []string{"canary", "s3cret", basic[:16], basic[8:20], jwt[:20], "c2lnbmF0"} {
				if strings.Contains(got, part) {
					t.Fatalf("%q is told as %q", said, got)
				}
			}
		}
	}
	if got := hide("AADSTS7000222: the client secret keys for app 'abc-0815' are expired. Trace ID: 6f1d2c1e-8f5a-4d2b-9c3e-aa11bb22cc33"); !strings.Contains(got, "6f1d2c1e") || !strings.Contains(got, "abc-0815") {
		t.Errorf("too much is hidden: %q", got)
	}
}
