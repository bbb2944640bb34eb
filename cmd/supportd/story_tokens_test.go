package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/cmd/supportd/oauth/tokentest"
	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/mailout"
	"supportd/mailout/smtptest"
)

// Stories of mailboxes that are opened with access tokens, on embedded servers, and on a real Dovecot that asks the token
// server about each token (RFC 7662), with a Postfix that asks Dovecot.

func newTokenServer(t *testing.T, o tokentest.Options) *tokentest.Server {
	t.Helper()
	s, err := tokentest.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.AddClient("desk", "")
	return s
}

// tokenWorlds are servers that take tokens of s from the desk, and no password for its mailbox.
func tokenWorlds(t *testing.T, s *tokentest.Server) map[string]func(*testing.T) mailServers {
	kinds := worlds(t)
	kinds["embedded"] = func(t *testing.T) mailServers {
		e := &memoryServers{token: s.User}
		var err error
		if e.imap, err = imaptest.NewServer(imaptest.Options{Token: s.User, NoPassword: true}); err != nil {
			t.Fatal(err)
		}
		for _, user := range everybody() {
			e.imap.AddUser(user, "secret")
		}
		if err := e.startSMTP(); err != nil {
			t.Fatal(err)
		}
		return e
	}
	if _, real := kinds["dovecot and postfix"]; real {
		kinds["dovecot and postfix"] = func(t *testing.T) mailServers { return startRealTokens(t, s, "xoauth2 oauthbearer") }
	}
	return kinds
}

// startRealTokens is a Dovecot that asks s about tokens, and a Postfix that lets nobody send without a login.
func startRealTokens(t *testing.T, s *tokentest.Server, mechanisms string) *realServers {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "oauth2.conf")
	text := "introspection_mode = post\nintrospection_url = " + s.IntrospectURL() + "\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := imaptest.StartDovecot(imaptest.DovecotOptions{Settings: []string{
		"auth_mechanisms = plain login " + mechanisms,
		"service anvil {", "unix_listener anvil-auth-penalty {", "mode = 0", "}", "}", // refusals are not made slower and slower
		"passdb {", "driver = oauth2", "mechanisms = " + mechanisms, "args = " + conf, "}",
	}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := smtptest.StartPostfix(smtptest.PostfixOptions{Mailboxes: everybody(), MailDir: d.MailDir(), AuthSocket: d.AuthSocket()})
	if err != nil {
		d.Stop()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("dovecot:\n%s\npostfix:\n%s", d.Log(), p.Log())
		}
	})
	return &realServers{imap: d, smtp: p}
}

// Each mechanism by itself, as real servers speak it: a good token opens the mailbox and the way out, one that was taken
// back or is somebody else's is refused in words, at once.
func TestTokensOnRealServers(t *testing.T) {
	if _, real := worlds(t)["dovecot and postfix"]; !real {
		t.Log("dovecot and postfix are not installed here")
		return
	}
	s := newTokenServer(t, tokentest.Options{})
	token := func(user string) string {
		t.Helper()
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"desk"}, "refresh_token": {s.Agree(user)}}
		resp, err := http.PostForm(s.TokenURL(), form)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var answer struct {
			Token string `json:"access_token"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer.Token
	}
	for _, mechanism := range []string{"xoauth2", "oauthbearer"} {
		t.Run(mechanism, func(t *testing.T) {
			servers := startRealTokens(t, s, mechanism)
			t.Cleanup(servers.close)
			probe := func(token string) (in, out error) {
				t.Helper()
				give := func(context.Context, string) (string, error) { return token, nil }
				host, port := splitAddr(t, servers.imapAddr())
				_, in = mailin.Probe(t.Context(), mailin.Config{Name: "support", Host: host, Port: port, TLS: mailin.TLSNone, User: "hilfe", Token: give})
				host, port = splitAddr(t, servers.smtpAddr())
				_, out = mailout.Probe(t.Context(), mailout.Server{Name: "default", Host: host, Port: port, TLS: mailout.TLSNone, User: "hilfe", Token: give})
				return in, out
			}
			good := token("hilfe")
			if in, out := probe(good); in != nil || out != nil {
				t.Errorf("a good token: %v; %v", in, out)
			}
			s.RevokeAccess()
			for name, bad := range map[string]string{"taken back": good, "another's": token("sabine")} {
				in, out := probe(bad)
				if !mailin.IsLoginRefused(in) || !strings.Contains(in.Error(), "the token is refused") || strings.Contains(in.Error(), bad) {
					t.Errorf("%s: %v", name, in)
				}
				if out == nil || !strings.Contains(out.Error(), "the token for \"hilfe\" was refused") || strings.Contains(out.Error(), bad) {
					t.Errorf("%s: %v", name, out)
				}
			}
		})
	}
}

func splitAddr(t *testing.T, addr string) (string, int) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return host, n
}

// Tokens that are for somebody else's audience are refused although they are fresh: the mailbox waits, is told of by one
// mail, and goes on by itself once the tokens are right.
func TestStoryTokenAudience(t *testing.T) {
	s := newTokenServer(t, tokentest.Options{})
	s.AddClient("robot", "canary-s3cret")
	h := newHealthWorld(t, imaptest.Options{Token: s.User, NoPassword: true}, nil)
	h.write("client.pw", "canary-s3cret\n", 0o600)
	h.settings(fmt.Sprintf("  tls: none\n  oauth2: {provider: other, client_id: robot, client_secret_file: client.pw, token_url: %q}\n", s.TokenURL()), "")
	s.SetFaults(tokentest.Faults{Audience: "somebody else"})
	h.awaits = func(v statusView) bool { return strings.Contains(v.Mailboxes[0].Error, "the token is refused") }
	h.start()
	h.look(0)
	h.look(11 * time.Minute)
	h.told("Das Postfach support ist seit", "the token is refused", "check user, scopes")
	h.look(24 * time.Hour)
	h.untold()
	if n := s.Counts().Tokens; n > 6 {
		t.Errorf("%d tokens were asked for", n)
	}
	s.SetFaults(tokentest.Faults{})
	if err := h.daemon.wake(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.await("the mailbox to be followed", func() bool { v, err := h.daemon.status(); return err == nil && v.Ready })
	h.look(0)
	h.look(healthSettle)
	h.told("ist wieder erreichbar")
	if strings.Contains(h.log.String(), "canary") {
		t.Error("the client's secret stands in the log")
	}
}

// loginOutput is what supportd login prints; who reads it types the code that stands there.
type loginOutput struct {
	mu   sync.Mutex
	b    bytes.Buffer
	read func(code string)
}

var codePattern = regexp.MustCompile(`type  (\S+)`)

func (o *loginOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if m := codePattern.FindSubmatch(p); m != nil {
		o.read(string(m[1]))
	}
	return o.b.Write(p)
}

// logIn runs supportd login, with a person who agrees.
func (w *world) logIn(s *tokentest.Server) {
	w.t.Helper()
	var errs bytes.Buffer
	out := &loginOutput{read: func(code string) {
		if err := s.Approve(code, "hilfe"); err != nil {
			w.t.Error(err)
		}
	}}
	if code := execute(context.Background(), []string{"login", "-c", w.config}, streams{out: out, err: &errs}); code != exitFine {
		w.t.Fatalf("supportd login: exit code %d\n%s%s", code, out.b.String(), errs.String())
	}
	if !strings.Contains(out.b.String(), `logged in: mailbox "support" may now use the account hilfe`) || strings.Contains(out.b.String(), "rt-") {
		w.t.Errorf("supportd login says:\n%s", out.b.String())
	}
}

// A mailbox by device code, from the first start on: nobody has logged in; somebody does; tokens end in the middle of
// sessions; the token server is down for a while; the consent is taken back, and given again. No mail is lost or taken
// twice, nothing is started anew, and no token stands in the log (S-176). S-021
func TestStoryTokens(t *testing.T) {
	s := newTokenServer(t, tokentest.Options{Rotate: true})
	for name, start := range tokenWorlds(t, s) {
		t.Run(name, func(t *testing.T) { storyTokens(t, s, newWorld(t, start(t))) })
	}
}

func storyTokens(t *testing.T, s *tokentest.Server, w *world) {
	w.login = fmt.Sprintf("since: 2020-01-01, oauth2: {provider: other, client_id: desk, token_url: %q, device_url: %q, scopes: [mail]}", s.TokenURL(), s.DeviceURL())
	w.configure("")
	w.awaits = func(v statusView) bool { return strings.Contains(v.Mailboxes[0].Error, "supportd login support") }
	w.start()
	mails := 0
	// Two customers take turns: one who writes anew after each of three acknowledgements looks like a machine.
	customer := func() (address, user string) {
		if mails%2 == 0 {
			return john, "john"
		}
		return sabine, "sabine"
	}
	arrives := func(what string) {
		t.Helper()
		mails++
		from, _ := customer()
		if err := w.put("hilfe", customerMail(from, what, "Text zu "+what), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	answered := func(what string) {
		t.Helper()
		_, user := customer()
		if ack := w.next(user); !strings.Contains(ack.subject(), what) {
			t.Errorf("acknowledged %q, want %q", ack.subject(), what)
		}
		w.settled(uint64(mails))
	}
	trouble := func(want string) {
		t.Helper()
		w.await("the trouble to stand in the status", func() bool {
			v, err := w.daemon.status()
			return err == nil && !v.Ready && strings.Contains(v.Mailboxes[0].Error, want) && v.Accounts[0].Error != ""
		})
	}

	arrives("before the login")
	w.logIn(s)
	answered("before the login")

	s.RevokeAccess() // what a token's end looks like from outside
	if err := w.dropIMAP(); err != nil {
		t.Fatal(err)
	}
	arrives("after the token's end")
	answered("after the token's end")

	s.SetFaults(tokentest.Faults{Status: 500})
	s.RevokeAccess()
	if err := w.dropIMAP(); err != nil {
		t.Fatal(err)
	}
	arrives("without a token server")
	trouble("the token server answers 500")
	s.SetFaults(tokentest.Faults{})
	answered("without a token server")

	s.Revoke()
	if err := w.dropIMAP(); err != nil {
		t.Fatal(err)
	}
	arrives("without consent")
	trouble("the consent has ended or was taken back")
	v, err := w.daemon.status()
	if err != nil || !v.Accounts[0].NeedsPerson || v.Accounts[0].Login != "support" {
		t.Errorf("status %+v, %v", v.Accounts, err)
	}
	w.logIn(s)
	answered("without consent")

	if n := w.unread("sabine") + w.unread("john"); n != 0 {
		t.Errorf("%d mails too many", n)
	}
	w.healthy()
	for _, secret := range []string{"rt-", "at-"} {
		if regexp.MustCompile(secret + `[A-Z2-7]{26}`).MatchString(w.log.String()) {
			t.Errorf("a secret %s… stands in the log", secret)
		}
	}
}
