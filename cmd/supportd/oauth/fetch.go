package oauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/oauth2/jwt"

	"supportd/tickets/redact"
)

// Error says why there is no token, in one plain line without secrets.
type Error struct {
	Account string
	Host    string // of the token server; "" when it is not about one
	What    string
	Hint    string        // what to do; "" when time may help
	Final   bool          // trying again will not help before somebody has done something
	After   time.Duration // how long the token server asks to be left alone
	Err     error
}

// Error gives the line: oauth2 of ACCOUNT at HOST: what: hint.
func (e *Error) Error() string {
	text := "oauth2 of " + e.Account
	if e.Host != "" {
		text += " at " + e.Host
	}
	text += ": " + e.What
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Permanent reports whether somebody has to do something before there can be a token.
func (e *Error) Permanent() bool { return e.Final }

// serviceKey is what the key file of a service account says.
type serviceKey struct {
	Type     string `json:"type"`
	Email    string `json:"client_email"`
	KeyID    string `json:"private_key_id"`
	Key      string `json:"private_key"`
	TokenURI string `json:"token_uri"`
}

// readServiceKey reads and checks the key of a service account.
func readServiceKey(a Account) (serviceKey, error) {
	var k serviceKey
	if err := json.Unmarshal(a.Key, &k); err != nil {
		return k, errors.New("the service account's key is not the JSON file that the provider gave out")
	}
	if k.Type != "service_account" || k.Email == "" || k.Key == "" {
		return k, errors.New("the JSON file is no key of a service account: it needs type service_account, client_email and private_key")
	}
	if a.TokenURL != "" {
		k.TokenURI = a.TokenURL
	}
	if err := CheckEndpoint(k.TokenURI); err != nil {
		return k, fmt.Errorf("token_uri: %w", err)
	}
	return k, nil
}

func (s *Source) tokenURL() string { return cmp.Or(s.key.TokenURI, s.account.TokenURL) }

// config is the account in the words of the library.
func (s *Source) config() *oauth2.Config {
	a := s.account
	return &oauth2.Config{ClientID: a.ClientID, ClientSecret: a.Secret, Scopes: a.Scopes,
		Endpoint: oauth2.Endpoint{TokenURL: a.TokenURL, DeviceAuthURL: a.DeviceURL, AuthURL: a.AuthURL, AuthStyle: a.style()}}
}

func (a Account) style() oauth2.AuthStyle {
	if a.SecretInHeader && a.Secret != "" {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}

// fetch asks the token server for a new token.
func (s *Source) fetch(ctx context.Context) (granted, error) {
	a := s.account
	ctx = context.WithValue(ctx, oauth2.HTTPClient, s.http)
	var t *oauth2.Token
	var err error
	var old string
	switch a.Grant {
	case ClientCredentials:
		c := clientcredentials.Config{ClientID: a.ClientID, ClientSecret: a.Secret, TokenURL: a.TokenURL, Scopes: a.Scopes, AuthStyle: a.style()}
		t, err = c.Token(ctx)
	case ServiceAccount:
		c := jwt.Config{Email: s.key.Email, PrivateKey: []byte(s.key.Key), PrivateKeyID: s.key.KeyID, Subject: a.User, Scopes: a.Scopes, TokenURL: s.key.TokenURI}
		t, err = c.TokenSource(ctx).Token()
	default:
		k, ok, readErr := s.keep.read(a)
		if readErr != nil {
			return granted{}, &Error{Account: a.Name, What: readErr.Error(), Final: true, Err: readErr}
		}
		if !ok {
			return granted{}, &Error{Account: a.Name, What: "nobody has logged in yet", Hint: "run supportd login " + a.Login, Final: true}
		}
		old = k.Refresh
		s.mu.Lock()
		s.status.Consent = k.Ends // another process may have logged in
		s.mu.Unlock()
		t, err = s.config().TokenSource(ctx, &oauth2.Token{RefreshToken: old}).Token()
	}
	if err != nil {
		return granted{}, s.explain(err, old)
	}
	return s.granted(t, old)
}

// granted reads an answer of the token server. The library counts from the real clock; what counts here is ours.
func (s *Source) granted(t *oauth2.Token, old string) (granted, error) {
	if strings.ContainsFunc(t.AccessToken, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || len(t.AccessToken) > 64<<10 {
		return granted{}, s.explain(errors.New("the token is not one that a mail server can be shown (RFC 6750 §2.1)"), old)
	}
	if typ := t.Type(); !strings.EqualFold(typ, "Bearer") {
		return granted{}, s.explain(fmt.Errorf("the token is of type %q, and mail servers take Bearer", clip(typ)), old)
	}
	g := granted{token: t.AccessToken}
	if !t.Expiry.IsZero() {
		g.until = s.opts.Now().Add(time.Until(t.Expiry).Round(time.Second))
	}
	if t.RefreshToken != "" && t.RefreshToken != old {
		g.refresh = t.RefreshToken
	}
	if life := seconds(t.Extra("refresh_token_expires_in")); life > 0 {
		g.ends, g.refresh = s.opts.Now().Add(life).UTC(), cmp.Or(g.refresh, t.RefreshToken)
	}
	return g, nil
}

func seconds(v any) time.Duration {
	switch n := v.(type) {
	case float64:
		return time.Duration(n) * time.Second
	case int64:
		return time.Duration(n) * time.Second
	case string:
		f, err := strconv.ParseInt(n, 10, 64)
		if err == nil {
			return time.Duration(f) * time.Second
		}
	}
	return 0
}

// explain says in plain words why a request failed. secrets are words of the request that must not come back in it.
func (s *Source) explain(err error, secrets ...string) error {
	e := &Error{Account: s.account.Name, Host: host(s.tokenURL())} // without err: it may hold what the server echoed
	var answer *oauth2.RetrieveError
	var dns *net.DNSError
	var timeout net.Error
	hide := hiding(append(secrets, s.account.Secret))
	switch {
	case errors.As(err, &answer):
		s.explainAnswer(e, answer, hide)
	case errors.As(err, &dns):
		e.What = "the name cannot be looked up: check the network and the address"
	case errors.As(err, &timeout) && timeout.Timeout():
		e.What = "no answer in time: check the network and the firewall"
	default:
		e.What = plainCause(err, hide)
	}
	return e
}

// assertion is what a signed request looks like (RFC 7523, RFC 7519 §3): whoever has one can send it again for a while.
var assertion = regexp.MustCompile(`[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}`)

// hiding returns a function that takes secrets out of what a server says, as they are, as they stand in a request (RFC 6749
// §2.3.1, appendix B), and in base64. It has to be asked before a text is cut: what is left of a secret is one, too.
func hiding(secrets []string) func(string) string {
	var forms []string
	for _, secret := range secrets {
		if len(secret) >= 4 {
			forms = append(forms, secret, url.QueryEscape(secret), url.PathEscape(secret))
		}
	}
	return func(text string) string {
		const most = 8 << 10
		text = redact.Login(text[:min(len(text), most)], forms...)
		return assertion.ReplaceAllString(text, "***")
	}
}

// plainCause leaves out the address and the words of the libraries around a cause.
func plainCause(err error, hide func(string) string) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	text := hide(strings.TrimPrefix(oneLine(err.Error()), "oauth2: "))
	if rest, ok := strings.CutPrefix(text, "cannot parse json: "); ok {
		return "the answer is no answer of a token server (" + clip(rest) + "): check token_url"
	}
	return text
}

// explainAnswer reads a refusal (RFC 6749 §5.2).
func (s *Source) explainAnswer(e *Error, answer *oauth2.RetrieveError, hide func(string) string) {
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
		e.After = retryAfter(answer.Response.Header, s.opts.Now())
	}
	if answer.ErrorCode == "" { // the library reads them for some grants only
		var body struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
		}
		if json.Unmarshal(answer.Body, &body) == nil {
			answer = &oauth2.RetrieveError{ErrorCode: body.Code, ErrorDescription: body.Description}
		}
	}
	e.What = fmt.Sprintf("the token server answers %d", status)
	if answer.ErrorCode != "" {
		e.What = clip(hide(answer.ErrorCode))
		if answer.ErrorDescription != "" {
			e.What += fmt.Sprintf(" (%s)", clip(hide(answer.ErrorDescription)))
		}
	}
	s.hint(e, answer.ErrorCode, status)
	if (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && e.After == 0 {
		e.After = 30 * time.Second
	}
}

// hint says what to do about a refusal, and whether time can help.
func (s *Source) hint(e *Error, code string, status int) {
	login := "run supportd login " + s.account.Login
	switch code {
	case "invalid_client", "unauthorized_client":
		e.Final, e.Hint = true, "check client_id and the client's secret: it may have ended"
		if s.account.Grant == ServiceAccount {
			e.Hint = "allow the service account's client the scope for the whole domain, and check the key"
		}
	case "invalid_grant", "interaction_required", "consent_required", "login_required", "expired_token":
		e.Final = true
		switch {
		case s.account.Grant.Delegated():
			e.What = "the consent has ended or was taken back: " + e.What
			e.Hint = login
		case s.account.Grant == ServiceAccount:
			e.Hint = "check that the user exists, that the service account may speak for the whole domain, and this machine's clock"
		}
	case "access_denied", "authorization_declined":
		e.Final, e.Hint = true, login+" again, and agree"
	case "invalid_scope", "invalid_request", "unsupported_grant_type", "invalid_resource", "invalid_target":
		e.Final, e.Hint = true, "check tenant, scopes and grant"
	case "temporarily_unavailable", "server_error", "slow_down":
	default:
		if e.Final = status/100 == 4 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout; e.Final {
			e.Hint = "check token_url, tenant and client_id"
		}
	}
}

// retryAfter reads how long the server wants to be left alone (RFC 9110 §10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n > 0 {
		return time.Duration(min(n, 86400)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// clip makes one short line of what a server says.
func clip(s string) string {
	s = oneLine(s)
	if r := []rune(s); len(r) > 200 {
		return string(r[:199]) + "…"
	}
	return s
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
