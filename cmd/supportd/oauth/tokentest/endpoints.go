package tokentest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// refusal is an answer of RFC 6749 §5.2.
type refusal struct {
	status int
	code   string
	detail string
}

func reply(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the asker has gone: nobody to tell
}

// misbehave does what Faults say, and reports whether the request is answered by that. It also tells the audience of
// tokens.
func (s *Server) misbehave(w http.ResponseWriter, r *http.Request) (answered bool, audience string) {
	s.mu.Lock()
	f := s.faults
	if f.Times == 1 {
		s.faults = Faults{}
	} else if f.Times > 1 {
		s.faults.Times--
	}
	s.mu.Unlock()
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
		case <-s.done:
		}
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	switch {
	case f.Error != "":
		reply(w, max(f.Status, http.StatusBadRequest), map[string]string{"error": f.Error, "error_description": f.Detail})
	case f.Body != "":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(max(f.Status, http.StatusOK))
		_, _ = w.Write([]byte(f.Body))
	case f.Status != 0:
		w.WriteHeader(f.Status)
	default:
		return false, f.Audience
	}
	return true, f.Audience
}

// serveToken is the token endpoint.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.counts.Tokens++
	s.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	answered, audience := s.misbehave(w, r)
	if answered {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, no := s.grant(r, audience)
	if no != nil {
		reply(w, no.status, map[string]string{"error": no.code, "error_description": no.detail})
		return
	}
	reply(w, http.StatusOK, answer)
}

func invalidGrant(detail string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_grant", detail}
}

// grant decides about a request; the caller holds mu.
func (s *Server) grant(r *http.Request, audience string) (map[string]any, *refusal) {
	grant := r.PostForm.Get("grant_type")
	if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		user, err := s.assertion(r.PostForm.Get("assertion"))
		if err != nil {
			return nil, invalidGrant(err.Error())
		}
		return s.answer(user, "", audience), nil
	}
	client, secret, header := r.BasicAuth()
	if !header {
		client, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	} else if u, err := url.QueryUnescape(secret); err == nil {
		secret = u
	}
	want, known := s.clients[client]
	if !known || want != "" && want != secret {
		return nil, &refusal{http.StatusUnauthorized, "invalid_client", "the secret " + secret + " is not the client's"}
	}
	switch grant {
	case "client_credentials":
		return s.answer("*", "", audience), nil
	case "refresh_token":
		old := s.refresh[r.PostForm.Get("refresh_token")]
		if old == nil || old.used || !old.until.IsZero() && !s.opts.Now().Before(old.until) {
			return nil, invalidGrant("the refresh token " + r.PostForm.Get("refresh_token") + " is not good")
		}
		next := ""
		if s.opts.Rotate {
			old.used = true
			next = s.newRefresh(old.user)
		}
		return s.answer(old.user, next, audience), nil
	case "urn:ietf:params:oauth:grant-type:device_code":
		d := s.devices[r.PostForm.Get("device_code")]
		switch {
		case d == nil || !s.opts.Now().Before(d.until):
			return nil, &refusal{http.StatusBadRequest, "expired_token", ""}
		case d.denied:
			return nil, &refusal{http.StatusBadRequest, "access_denied", ""}
		case d.user == "":
			return nil, &refusal{http.StatusBadRequest, "authorization_pending", ""}
		}
		return s.answer(d.user, s.newRefresh(d.user), audience), nil
	case "authorization_code":
		c, ok := s.codes[r.PostForm.Get("code")]
		delete(s.codes, r.PostForm.Get("code"))
		proof := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if !ok || c.redirect != r.PostForm.Get("redirect_uri") || c.challenge != base64.RawURLEncoding.EncodeToString(proof[:]) {
			return nil, invalidGrant("the code is not good, or not for this client")
		}
		return s.answer(c.user, s.newRefresh(c.user), audience), nil
	}
	return nil, &refusal{http.StatusBadRequest, "unsupported_grant_type", ""}
}

// answer issues tokens; the caller holds mu.
func (s *Server) answer(user, refresh, audience string) map[string]any {
	a := map[string]any{"access_token": s.newToken(user, audience), "token_type": "Bearer", "expires_in": int(s.opts.Life.Seconds())}
	if refresh != "" {
		a["refresh_token"] = refresh
		if s.opts.RefreshLife > 0 {
			a["refresh_token_expires_in"] = int(s.opts.RefreshLife.Seconds())
		}
	}
	return a
}

// assertion checks a signed assertion (RFC 7523 §3) and returns whom it speaks for; the caller holds mu.
func (s *Server) assertion(text string) (string, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || s.key == nil {
		return "", fmt.Errorf("no assertion, or no service account")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		return "", err
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", err
	}
	var c struct {
		Iss, Sub, Aud, Scope string
		Exp                  int64
	}
	if err := json.Unmarshal(claims, &c); err != nil {
		return "", err
	}
	if c.Iss != serviceEmail || c.Aud != s.TokenURL() || c.Scope == "" || c.Sub == "" || time.Unix(c.Exp, 0).Before(time.Now()) {
		return "", fmt.Errorf("the assertion is for somebody or something else")
	}
	return c.Sub, nil
}

// serveDevice is the device authorization endpoint (RFC 8628 §3.1).
func (s *Server) serveDevice(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.clients[r.FormValue("client_id")]; !known {
		reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	s.serial++
	d := &device{code: fmt.Sprintf("WDJB-%04d", s.serial), until: s.opts.Now().Add(15 * time.Minute)}
	id := rand.Text()
	s.devices[id] = d
	reply(w, http.StatusOK, map[string]any{"device_code": id, "user_code": d.code, "verification_uri": "http://" + s.Addr() + "/device-login", "expires_in": 900, "interval": 1})
}

// serveAuthorize agrees for the user that login_hint names, and sends the browser back.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if _, known := s.clients[q.Get("client_id")]; !known || err != nil || q.Get("code_challenge_method") != "S256" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	if s.denied {
		answer.Set("error", "access_denied")
	} else {
		id := rand.Text()
		s.codes[id] = code{user: q.Get("login_hint"), challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri")}
		answer.Set("code", id)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// serveIntrospect tells a mail server about a token (RFC 7662). A token of a client's own is good for every user, and
// says so by naming the one that the address asks for: /introspect?user=NAME.
func (s *Server) serveIntrospect(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	s.mu.Lock()
	s.counts.Introspections++
	s.mu.Unlock()
	user, ok := s.User(r.Form.Get("token"))
	if !ok {
		reply(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	if user == "*" {
		user = r.Form.Get("user")
	}
	reply(w, http.StatusOK, map[string]any{"active": true, "username": user, "scope": "mail"})
}

func keyPEM(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}
