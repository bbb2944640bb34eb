package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/oauth2"
)

// Prompt is what a person has to do to log in.
type Prompt struct {
	URL   string    // the page to open
	Code  string    // what to type there; "" when the page knows already
	Until time.Time // when the attempt ends; zero: not told
}

// LoginOptions of one Login.
type LoginOptions struct {
	Show func(Prompt) // required: tells the person
	// Port on this machine where the browser comes back to after Consent; 0: any free one.
	Port int
	// Pasted brings the address that the browser ended at, from a person whose browser is on another machine; may be nil.
	Pasted <-chan string
}

// Login lets a person agree, and keeps the refresh token. It returns when that is done, refused, or ctx ends.
func (s *Source) Login(ctx context.Context, o LoginOptions) error {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, s.http)
	var t *oauth2.Token
	var err error
	switch s.account.Grant {
	case Device:
		t, err = s.device(ctx, o)
	case Consent:
		t, err = s.consent(ctx, o)
	default:
		return fmt.Errorf("oauth2 of %s: with grant %s nobody has to log in", s.account.Name, s.account.Grant)
	}
	if err != nil {
		return err
	}
	if t.RefreshToken == "" {
		return &Error{Account: s.account.Name, Host: host(s.tokenURL()), Final: true, What: "the token server gave no refresh token",
			Hint: "add the scope that asks for one, such as offline_access"}
	}
	g, err := s.granted(t, "")
	if err != nil {
		return err
	}
	g.agreed = true
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.got(g)
}

// device lets the person type a code on any machine (RFC 8628).
func (s *Source) device(ctx context.Context, o LoginOptions) (*oauth2.Token, error) {
	c := s.config()
	var extra []oauth2.AuthCodeOption
	if c.ClientSecret != "" && !s.account.SecretInHeader {
		extra = append(extra, oauth2.SetAuthURLParam("client_secret", c.ClientSecret))
	}
	da, err := c.DeviceAuth(ctx, extra...)
	if err != nil {
		return nil, s.explain(err)
	}
	if err := CheckEndpoint(cmp.Or(da.VerificationURIComplete, da.VerificationURI)); err != nil {
		return nil, s.explain(fmt.Errorf("the page to log in at: %w", err))
	}
	p := Prompt{URL: da.VerificationURI, Code: da.UserCode}
	if !da.Expiry.IsZero() {
		p.Until = s.opts.Now().Add(time.Until(da.Expiry).Round(time.Second))
	}
	o.Show(p)
	t, err := c.DeviceAccessToken(ctx, da)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, s.explain(errors.New("nobody typed the code in time"))
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, s.explain(err, da.DeviceCode)
	}
	return t, nil
}

// consent lets the person agree in a browser that comes back to a port of this machine (RFC 8252 §7.3), with a proof that
// only we can turn the code into a token (PKCE, RFC 7636).
func (s *Source) consent(ctx context.Context, o LoginOptions) (*oauth2.Token, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("wait for the browser: %w; choose another port with --port", err)
	}
	state, err := s.unguessable()
	if err != nil {
		l.Close()
		return nil, err
	}
	verifier, err := s.unguessable()
	if err != nil {
		l.Close()
		return nil, err
	}
	c := s.config()
	c.RedirectURL = "http://" + l.Addr().String() + "/"
	params := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("login_hint", s.account.User)}
	for name, value := range s.account.AuthParams {
		params = append(params, oauth2.SetAuthURLParam(name, value))
	}

	back := make(chan url.Values, 1)
	page := &http.Server{Handler: returnPage(state, back), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- page.Serve(l) }()
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if page.Shutdown(end) != nil {
			_ = page.Close() // a browser that holds its connection open is no reason to wait
		}
		<-served
	}()
	o.Show(Prompt{URL: c.AuthCodeURL(state, params...)})
	for pasted := o.Pasted; ; {
		var answer url.Values
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case answer = <-back:
		case address, ok := <-pasted:
			if !ok {
				pasted = nil
				continue
			}
			u, err := url.Parse(address)
			if err != nil || !isState(u.Query(), state) {
				return nil, s.explain(errors.New("this is not the address that the browser ended at: it has other values in it"))
			}
			answer = u.Query()
		}
		if code := answer.Get("error"); code != "" {
			return nil, s.explain(&oauth2.RetrieveError{ErrorCode: code, ErrorDescription: answer.Get("error_description")})
		}
		t, err := c.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			return nil, s.explain(err, answer.Get("code"), verifier)
		}
		return t, nil
	}
}

// returnPage is where the browser comes back to. Whoever does not bring the state that we gave out is sent away.
func returnPage(state string, back chan<- url.Values) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Referrer-Policy", "no-referrer")
		q := r.URL.Query()
		if !isState(q, state) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "This is not the login that supportd waits for.\nDies ist nicht die Anmeldung, auf die supportd wartet.\n")
			return
		}
		select {
		case back <- q:
		default: // the page was loaded again
		}
		_, _ = io.WriteString(w, "Thank you. Please look at the terminal; this page can be closed.\nVielen Dank. Bitte sehen Sie im Terminal nach; diese Seite kann geschlossen werden.\n")
	})
	return mux
}

func isState(q url.Values, state string) bool {
	return subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) == 1 && (q.Get("code") != "" || q.Get("error") != "")
}

// unguessable is 256 bits in the letters that a PKCE verifier may have (RFC 7636 §4.1).
func (s *Source) unguessable() (string, error) {
	random := s.opts.Random
	if random == nil {
		random = rand.Reader
	}
	b := make([]byte, 32)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("make an unguessable value: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
