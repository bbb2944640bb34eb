package config

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"os"
	"time"

	"supportd/cmd/supportd/oauth"
)

// OAuth2 is how to get access tokens for a login.
type OAuth2 struct {
	Provider      string // microsoft, google or other
	Grant         oauth.Grant
	Tenant        string // of microsoft
	ClientID      string
	Secret        Secret    // zero for a public client
	SecretExpires time.Time // zero: not told
	Key           Secret    // of a service account: the JSON file
	TokenURL      string    // "" for the provider's; so are the next two
	DeviceURL     string
	AuthURL       string
	Scopes        []string // nil for the provider's
	CAFile        string
}

// Account is what gets the tokens. name is what messages call it, login what supportd login does.
func (o *OAuth2) Account(name, login, user string) oauth.Account {
	a := oauth.Account{Name: name, Login: login, User: user, Grant: o.Grant, ClientID: o.ClientID, Secret: o.Secret.Reveal(),
		TokenURL: o.TokenURL, DeviceURL: o.DeviceURL, AuthURL: o.AuthURL, Scopes: o.Scopes, CAFile: o.CAFile}
	if o.Grant == oauth.ServiceAccount {
		a.Key = []byte(o.Key.Reveal())
	}
	switch o.Provider {
	case "microsoft":
		return oauth.Microsoft(a, o.Tenant)
	case "google":
		return oauth.Google(a)
	}
	a.SecretInHeader = true
	return a
}

// parseSecretEnv is parseEnv in words that fit a client's secret.
func parseSecretEnv(s string) (any, error) {
	v, err := parseEnv(s)
	if err != nil {
		return nil, &fault{code: "E15", what: "a client's secret stands in the file", fix: "put it in a file of its own and write client_secret_file: FILE, or write ${NAME} for an environment variable"}
	}
	return v, nil
}

func parseEndpoint(s string) (any, error) {
	if err := oauth.CheckEndpoint(s); err != nil {
		return nil, &fault{what: err.Error()}
	}
	return s, nil
}

// oauth2 settles how to get access tokens.
func (r *resolver) oauth2(k oauthKeys, user opt[string]) *OAuth2 {
	o := &OAuth2{Provider: k.Provider.val, Tenant: k.Tenant.val, ClientID: k.ClientID.val, TokenURL: k.TokenURL.val,
		DeviceURL: k.DeviceURL.val, AuthURL: k.AuthURL.val, Scopes: r.unique(k.Scopes.items, func(s string) string { return s })}
	secret := k.Secret.given || k.SecretEnv.given
	if o.Grant = oauth.Grant(k.Grant.val); !k.Grant.given {
		o.Grant = defaultGrant(k, secret)
	}
	o.Secret = r.secretOf(k.Secret, k.SecretEnv, "client_secret")
	if k.Expires.val != "" {
		o.SecretExpires, _ = time.ParseInLocation(time.DateOnly, k.Expires.val, r.cfg.Zone) // its kind has checked it
		if at, err := time.Parse(time.RFC3339, k.Expires.val); err == nil {
			o.SecretExpires = at
		}
		if !secret {
			r.report("", k.Expires.at, "delete it", "has no effect, as there is no client secret")
		}
	}
	if k.Account.given && k.Account.val != "" {
		o.Key = r.serviceKey(k.Account)
	}
	if k.CAFile.given && k.CAFile.val != "" {
		o.CAFile = r.path(k.CAFile.val)
		if data, ok := r.file(k.CAFile.at, k.CAFile.val, maxFile, false); ok && !x509.NewCertPool().AppendCertsFromPEM(data) {
			r.report("", k.CAFile.at, "it begins with -----BEGIN CERTIFICATE-----", "%s holds no certificate", o.CAFile)
		}
	}
	if !user.given {
		r.report("", k.at.sibling("user"), "write user: and the mailbox's address", "is missing: a token is for an account")
	}
	if o.Provider != "" { // else a finding says so already
		r.needed(k, o, secret)
	}
	return o
}

// defaultGrant is the way that fits what is given.
func defaultGrant(k oauthKeys, secret bool) oauth.Grant {
	switch google := k.Provider.val == "google"; {
	case k.Account.given:
		return oauth.ServiceAccount
	case secret && !google && !k.DeviceURL.given && !k.AuthURL.given:
		return oauth.ClientCredentials
	case google || k.AuthURL.given && !k.DeviceURL.given:
		return oauth.Consent
	}
	return oauth.Device
}

// needed reports what the grant needs and does not have, and what it has no use for.
func (r *resolver) needed(k oauthKeys, o *OAuth2, secret bool) {
	own := o.Provider == "other"
	for _, n := range []struct {
		name, fix string
		at        place
		given     bool
		needed    bool
		useless   bool
	}{
		{"tenant", "write tenant: and the directory's domain", k.Tenant.at, k.Tenant.given, o.Provider == "microsoft" && !k.TokenURL.given, o.Provider == "google" || own},
		{"client_id", "write client_id: ID", k.ClientID.at, k.ClientID.given, o.Grant != oauth.ServiceAccount, false},
		{"client_secret_file", "write client_secret_file: FILE", k.Secret.at.or(k.SecretEnv.at, k.SecretEnv.given), secret, o.Grant == oauth.ClientCredentials, o.Grant == oauth.ServiceAccount},
		{"service_account_file", "write service_account_file: FILE", k.Account.at, k.Account.given, o.Grant == oauth.ServiceAccount, o.Grant != oauth.ServiceAccount},
		{"token_url", "write token_url: https://…", k.TokenURL.at, k.TokenURL.given, own && o.Grant != oauth.ServiceAccount, false},
		{"device_url", "write device_url: https://…", k.DeviceURL.at, k.DeviceURL.given, o.Provider != "microsoft" && o.Grant == oauth.Device, o.Grant != oauth.Device},
		{"auth_url", "write auth_url: https://…", k.AuthURL.at, k.AuthURL.given, own && o.Grant == oauth.Consent, o.Grant != oauth.Consent},
		{"scopes", "write scopes: [SCOPE]", k.Scopes.at, k.Scopes.given, own && o.Grant != oauth.ClientCredentials, false},
	} {
		switch {
		case n.needed && !n.given:
			r.report("", k.at.key(n.name), n.fix, "is missing, as provider is %s and grant is %s", o.Provider, o.Grant)
		case n.useless && n.given:
			r.report("", n.at, "delete it, or choose another grant", "has no effect, as provider is %s and grant is %s", o.Provider, o.Grant)
		}
	}
}

// maxServiceKey bounds a service account's file.
const maxServiceKey = 16 << 10

// serviceKey reads the key of a service account.
func (r *resolver) serviceKey(k opt[string]) Secret {
	if r.getenv == nil {
		return Secret{}
	}
	data, ok := r.file(k.at, k.val, maxServiceKey, true)
	if !ok {
		return Secret{}
	}
	p := r.path(k.val)
	var probe struct {
		Type  string `json:"type"`
		Email string `json:"client_email"`
		Key   string `json:"private_key"`
	}
	switch info, err := os.Stat(p); {
	case err == nil && info.Mode().Perm()&0o077 != 0:
		r.report("", k.at, "run chmod 600 "+p, "%s can be read or changed by other users (mode %04o)", p, info.Mode().Perm())
		return Secret{}
	case json.Unmarshal(bytes.TrimSpace(data), &probe) != nil || probe.Type != "service_account" || probe.Email == "" || probe.Key == "":
		r.report("", k.at, "take the JSON file that the provider gave out when the key was made", "%s is no key of a service account", p)
		return Secret{}
	}
	return Secret{value: string(data), file: k.val}
}
