package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/oauth/tokentest"
)

// loggedIn fails unless a fresh Source, as after a restart, has a token of the right user.
func (r *rig) loggedIn(a Account) {
	r.t.Helper()
	r.must(r.source(a), "")
	k, ok, err := folder(r.dir).read(a)
	if err != nil || !ok || k.User != testUser || !k.Agreed.Equal(r.clock.now()) {
		r.t.Errorf("kept %v, %s, %v", ok, k.Agreed, err)
	}
}

// A person types the code; the desk has its tokens from then on.
func TestDeviceLogin(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	s := r.source(r.account(Device))
	err := s.Login(t.Context(), LoginOptions{Show: func(p Prompt) {
		if !strings.HasPrefix(p.URL, "http://127.0.0.1:") || p.Code == "" || !p.Until.Equal(r.clock.now().Add(15*time.Minute)) {
			t.Errorf("prompt %+v", p)
		}
		if err := r.Approve(p.Code, testUser); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.loggedIn(r.account(Device))
}

// Who turns the desk down, or goes away, leaves it as it was.
func TestDeviceLoginRefused(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	s := r.source(r.account(Device))
	err := s.Login(t.Context(), LoginOptions{Show: func(p Prompt) {
		if err := r.Approve(p.Code, ""); err != nil {
			t.Error(err)
		}
	}})
	var e *Error
	if !errors.As(err, &e) || !e.Final || !strings.Contains(err.Error(), "and agree") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Login(ctx, LoginOptions{Show: func(Prompt) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, ok, err := folder(r.dir).read(r.account(Device)); ok || err != nil {
		t.Errorf("something is kept: %v, %v", ok, err)
	}
}

// browse opens an address and follows where it leads, as a browser does.
func browse(t *testing.T, address string) (*url.URL, int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(address)
	if err != nil {
		t.Error(err)
		return nil, 0
	}
	resp.Body.Close()
	return resp.Request.URL, resp.StatusCode
}

// A person agrees in a browser on this machine; whoever else calls the port in the meantime is sent away.
func TestConsentLogin(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	a := Google(r.account(Consent))
	s := r.source(a)
	err := s.Login(t.Context(), LoginOptions{Show: func(p Prompt) {
		u, err := url.Parse(p.URL)
		if err != nil || u.Query().Get("access_type") != "offline" || u.Query().Get("login_hint") != testUser || u.Query().Get("code_challenge_method") != "S256" {
			t.Errorf("prompt %+v", p)
		}
		back := u.Query().Get("redirect_uri")
		if _, code := browse(t, back+"?state=forged&code=forged"); code != http.StatusBadRequest {
			t.Errorf("a forged answer got %d", code)
		}
		if _, code := browse(t, p.URL); code != http.StatusOK {
			t.Errorf("the browser got %d", code)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.loggedIn(a)
}

// A browser on another machine: the person pastes the address that it ended at.
func TestConsentPasted(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	a := r.account(Consent)
	pasted := make(chan string, 1)
	err := r.source(a).Login(t.Context(), LoginOptions{Pasted: pasted, Show: func(p Prompt) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := client.Get(p.URL)
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
		pasted <- resp.Header.Get("Location")
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.loggedIn(a)
	pasted <- "http://127.0.0.1:1/?code=x&state=y"
	if err := r.source(a).Login(t.Context(), LoginOptions{Pasted: pasted, Show: func(Prompt) {}}); err == nil || !strings.Contains(err.Error(), "not the address") {
		t.Errorf("another address: %v", err)
	}
}

// Who does not agree is told so.
func TestConsentDenied(t *testing.T) {
	r := newRig(t, tokentest.Options{})
	r.Deny(true)
	err := r.source(r.account(Consent)).Login(t.Context(), LoginOptions{Show: func(p Prompt) { browse(t, p.URL) }})
	if err == nil || !strings.Contains(err.Error(), "access_denied; run supportd login support again, and agree") {
		t.Errorf("error %v", err)
	}
	if err := r.source(r.account(ClientCredentials)).Login(t.Context(), LoginOptions{}); err == nil || !strings.Contains(err.Error(), "nobody has to log in") {
		t.Errorf("error %v", err)
	}
}

// What is the same for everybody at a provider.
func TestProviders(t *testing.T) {
	m := Microsoft(Account{Grant: ClientCredentials}, "contoso.example")
	if m.TokenURL != "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token" || m.Scopes[0] != "https://outlook.office365.com/.default" {
		t.Errorf("%+v", m)
	}
	m = Microsoft(Account{Grant: Device, TokenURL: "https://login.example.org/t"}, "contoso.example")
	if m.TokenURL != "https://login.example.org/t" || !strings.HasSuffix(m.DeviceURL, "/devicecode") || m.Scopes[2] != "offline_access" {
		t.Errorf("%+v", m)
	}
	g := Google(Account{Grant: ServiceAccount})
	if g.TokenURL != "" || g.Scopes[0] != "https://mail.google.com/" {
		t.Errorf("%+v", g)
	}
}
