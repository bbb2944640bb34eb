// Package oauth gets the access tokens that mail servers take in place of a password (RFC 6749), and keeps the refresh
// tokens that some of them are made from. It talks to token servers only: how a token is shown to a mail server is not
// its business.
package oauth

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Grant is the way to a token.
type Grant string

// The ways there are. Device and Consent need a person once: they begin with Login.
const (
	ClientCredentials Grant = "client_credentials" // a secret of the program's own (RFC 6749 §4.4)
	ServiceAccount    Grant = "service_account"    // a key that signs for any user of a domain (RFC 7523 §2.1)
	Device            Grant = "device"             // a person types a code into a page (RFC 8628)
	Consent           Grant = "consent"            // a person agrees in a browser (RFC 6749 §4.1, RFC 7636, RFC 8252)
)

// Delegated reports whether a person has to agree once, and a refresh token has to be kept.
func (g Grant) Delegated() bool { return g == Device || g == Consent }

// Account is one account of a mail server, and how to get tokens for it.
type Account struct {
	Name     string // in messages: mailbox "support"
	Login    string // what supportd login calls it; "" when nobody has to log in
	User     string // the account at the mail server
	Grant    Grant
	ClientID string
	Secret   string // "" for a public client
	// SecretInHeader sends client ID and secret in the Authorization field, as RFC 6749 §2.3.1 wants it, rather than in
	// the body, as the large providers do.
	SecretInHeader bool
	Key            []byte // of a ServiceAccount: the JSON file that the provider gave out
	TokenURL       string // of a ServiceAccount, "" for the one that Key names
	DeviceURL      string // for Device
	AuthURL        string // for Consent
	Scopes         []string
	// AuthParams are sent along when a person is asked to agree.
	AuthParams map[string]string
	CAFile     string // PEM file with roots that are trusted beside the system's
}

// ID names the account among others, such as in a file name: the same account of the same client at the same token
// server has the same ID, whoever uses it.
func (a Account) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(a.Grant), a.TokenURL, a.ClientID, strings.ToLower(a.User)}, "\x00")))
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		case r == '@':
			return '_'
		}
		return -1
	}, strings.ToLower(a.User))
	return cmp.Or(slug[:min(len(slug), 60)], "account") + "-" + hex.EncodeToString(sum[:6])
}

// check finds what can be found wrong without a connection.
func (a Account) check() error {
	switch {
	case !slices.Contains([]Grant{ClientCredentials, ServiceAccount, Device, Consent}, a.Grant):
		return fmt.Errorf("there is no grant %q", a.Grant)
	case a.User == "":
		return errors.New("the user is missing")
	case a.ClientID == "" && a.Grant != ServiceAccount:
		return errors.New("the client_id is missing")
	case a.Secret == "" && a.Grant == ClientCredentials:
		return errors.New("the client's secret is missing")
	case len(a.Key) == 0 && a.Grant == ServiceAccount:
		return errors.New("the service account's key is missing")
	}
	for _, e := range []struct {
		name, url string
		needed    bool
	}{{"token_url", a.TokenURL, a.Grant != ServiceAccount}, {"device_url", a.DeviceURL, a.Grant == Device}, {"auth_url", a.AuthURL, a.Grant == Consent}} {
		if e.url == "" && !e.needed {
			continue
		}
		if err := CheckEndpoint(e.url); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// CheckEndpoint refuses addresses that a secret must not be sent to: all but https, and http on this machine.
func CheckEndpoint(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("%q is no address such as https://login.example.org/token", address)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("secrets would cross the network in clear text to %s: it has to begin with https://", u.Host)
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// host is where a request goes, for messages.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}
