package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"supportd/cmd/supportd/oauth"
)

// Every provider and grant becomes an account that can be asked for tokens; what is not said follows from what is. The
// secrets are in it, and in no dump (S-176).
func TestOAuthAccounts(t *testing.T) {
	t.Chdir(examples(t))
	c, findings := load(t, "oauth.yaml")
	if c == nil {
		t.Fatal(said(findings))
	}
	accounts := map[string]*OAuth2{"smtp nordwind": c.Brands[0].SMTP.OAuth2, "smtp suedwind": c.Brands[1].SMTP.OAuth2, "health": c.Health.SMTP.OAuth2}
	for _, m := range c.Mailboxes {
		accounts[m.Name] = m.OAuth2
	}
	for name, want := range map[string]struct {
		grant    oauth.Grant
		tokenURL string
		secret   string
		scope    string
	}{
		"service":       {oauth.ClientCredentials, "https://login.microsoftonline.com/nordwind.onmicrosoft.com/oauth2/v2.0/token", "not-a-real-secret", "https://outlook.office365.com/.default"},
		"shared":        {oauth.Device, "https://login.microsoftonline.com/nordwind.onmicrosoft.com/oauth2/v2.0/token", "", "offline_access"},
		"hilfe":         {oauth.ServiceAccount, "", "", "https://mail.google.com/"},
		"info":          {oauth.Consent, "https://oauth2.googleapis.com/token", "canary-env-0a77", "https://mail.google.com/"},
		"smtp nordwind": {oauth.ClientCredentials, "https://login.microsoftonline.com/nordwind.onmicrosoft.com/oauth2/v2.0/token", "not-a-real-secret", "https://outlook.office365.com/.default"},
		"smtp suedwind": {oauth.Device, "https://login.suedwind.example/token", "", "offline_access"},
		"health":        {oauth.Consent, "https://login.elsewhere.example/token", "", "smtp"},
	} {
		a := accounts[name].Account(name, name, "u@nordwind.example")
		if a.Grant != want.grant || a.TokenURL != want.tokenURL || a.Secret != want.secret || !slices.Contains(a.Scopes, want.scope) {
			t.Errorf("%s: %+v", name, a)
		}
		if _, err := oauth.NewSource(a, oauth.Options{Dir: t.TempDir()}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	box, smtp := accounts["service"].Account("a", "a", "u@x.example"), accounts["smtp nordwind"].Account("b", "b", "U@x.example")
	if box.ID() != smtp.ID() {
		t.Error("the same account has two IDs")
	}
	if got := c.Mailboxes[0].OAuth2.SecretExpires; got.Format("2006-01-02 15:04 MST") != "2027-01-31 00:00 CET" {
		t.Errorf("the secret ends %s", got)
	}
	full, err := Expand(c)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(c.Mailboxes)
	if err != nil {
		t.Fatal(err)
	}
	for _, dump := range []string{string(full), string(asJSON), fmt.Sprintf("%+v %#v", *c.Mailboxes[2].OAuth2, *c.Mailboxes[3].OAuth2)} {
		for _, canary := range []string{"not-a-real-secret", "canary-env-0a77", "not a real key"} {
			if strings.Contains(dump, canary) {
				t.Errorf("%q stands in a dump", canary)
			}
		}
	}
}

// The short form's oauth2 is for both servers, unless smtp has a login of its own.
func TestOAuthShortForm(t *testing.T) {
	t.Chdir(examples(t))
	const form = "version: 1\nmailbox: {imap: imap.huber.example, user: hilfe@huber.example, smtp: %s, oauth2: {provider: google, service_account_file: service-account.pw}, trusted: true}\n" +
		"from: hilfe@huber.example\nteam: [max@huber.example]\n"
	c, findings := parse("x.yaml", fmt.Appendf(nil, form, "smtp.huber.example"), ".", environment)
	if c == nil || c.Brands[0].SMTP.OAuth2 != c.Mailboxes[0].OAuth2 || c.Brands[0].SMTP.User != "hilfe@huber.example" {
		t.Errorf("%+v\n%s", c, said(findings))
	}
	c, findings = parse("x.yaml", fmt.Appendf(nil, form, "{server: smtp.huber.example, user: u, password_file: hilfe.pw}"), ".", environment)
	if c == nil || c.Brands[0].SMTP.OAuth2 != nil || c.Brands[0].SMTP.User != "u" {
		t.Errorf("%+v\n%s", c, said(findings))
	}
}
