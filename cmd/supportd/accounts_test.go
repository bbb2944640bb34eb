package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/oauth"
	"supportd/cmd/supportd/oauth/tokentest"
)

// check warns of logins to which nobody has agreed, and of secrets and consents that end soon, each account once; it asks
// no server about it.
func TestCheckWarnsOfLoginsEnding(t *testing.T) {
	s := newTokenServer(t, tokentest.Options{RefreshLife: 30 * 24 * time.Hour})
	dir := t.TempDir()
	file := filepath.Join(dir, "supportd.yaml")
	conf := func(how string) *config.Config {
		t.Helper()
		text := fmt.Sprintf("version: 1\nmailbox: {imap: imap.huber.example, smtp: smtp.huber.example, user: hilfe, trusted: true, oauth2: {provider: other, client_id: desk, token_url: %q, %s}}\n"+
			"from: hilfe@huber.example\nteam: [max@huber.example]\n", s.TokenURL(), how)
		if err := os.WriteFile(filepath.Join(dir, "client.pw"), []byte("canary-s3cret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, findings := config.Parse(file, []byte(text), dir)
		if c == nil {
			t.Fatal(findings)
		}
		return c
	}
	says := func(c *config.Config, now time.Time, want ...string) {
		t.Helper()
		list := loginsEnding(file, c, now)
		if len(list) != len(want) {
			t.Errorf("%d findings, want %d: %v", len(list), len(want), list)
			return
		}
		for i, f := range list {
			if !f.Warning || !strings.Contains(f.String(), want[i]) {
				t.Errorf("%s\nwant %q in it", f, want[i])
			}
		}
	}
	now := time.Now()
	secret := conf("client_secret_file: client.pw, client_secret_expires: " + now.Add(20*24*time.Hour).Format(time.DateOnly))
	says(secret, now)
	says(secret, now.Add(10*24*time.Hour), "the client's secret ends on")
	says(secret, now.Add(21*24*time.Hour), "the client's secret has ended on")

	device := conf(fmt.Sprintf("device_url: %q, scopes: mail", s.DeviceURL()))
	says(device, now, `oauth2 of mailbox "support": nobody has logged in yet; run supportd login support`)
	source, err := newAccounts(device.State, time.Now, discard()).source(accountUses(device)[0])
	if err != nil {
		t.Fatal(err)
	}
	err = source.Login(t.Context(), oauth.LoginOptions{Show: func(p oauth.Prompt) {
		if err := s.Approve(p.Code, "hilfe"); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	says(device, now)
	says(device, now.Add(20*24*time.Hour), "the consent ends on")
	if s.Counts().Tokens < 1 || s.Counts().Tokens > 2 {
		t.Errorf("%d requests: check asked the token server", s.Counts().Tokens)
	}
}

// supportd login says what it can be asked for, and when nobody has to log in.
func TestChooseLogin(t *testing.T) {
	how := func(g oauth.Grant, client string) *config.OAuth2 {
		return &config.OAuth2{Provider: "other", Grant: g, ClientID: client, TokenURL: "https://login.example.org/token"}
	}
	two := &config.Config{Path: "x.yaml", Mailboxes: []config.Mailbox{{Name: "a", User: "a", OAuth2: how(oauth.Device, "c")}, {Name: "b", User: "b", OAuth2: how(oauth.Consent, "c")}, {Name: "robot", User: "r", OAuth2: how(oauth.ClientCredentials, "c")}},
		Brands: []config.Brand{{Name: "x", SMTP: config.SMTP{User: "a", OAuth2: how(oauth.Device, "c")}}, {Name: "y", SMTP: config.SMTP{User: "other", OAuth2: how(oauth.Device, "c")}}}}
	one := &config.Config{Path: "x.yaml", Mailboxes: two.Mailboxes[:1], Brands: two.Brands[:1]}
	for _, c := range []struct {
		config     *config.Config
		name, want string
	}{
		{one, "", "mailbox \"a\""}, {one, "a", "mailbox \"a\""}, {one, "smtp:x", "smtp server \"x\""}, {two, "b", "mailbox \"b\""}, {two, "smtp:y", "smtp server \"y\""},
		{two, "", "say which one: a, b, smtp:y"}, {two, "zz", "there is no login \"zz\" that needs a person; there are a, b, smtp:y"},
		{two, "robot", "with grant client_credentials nobody has to log in"}, {&config.Config{Path: "x.yaml"}, "", "x.yaml: no login needs a person"},
	} {
		u, err := chooseLogin(c.config, c.name)
		if err == nil && u.name != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %q, %v; want %q", c.name, u.name, err, c.want)
		}
	}
}
