package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gossip is a mail server that refuses every login and repeats what it was told.
func gossip(t *testing.T, greeting string, answer func(line string, read func() string) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			fmt.Fprintf(c, "%s\r\n", greeting)
			in := bufio.NewScanner(c)
			read := func() string { in.Scan(); return in.Text() }
			for in.Scan() {
				if _, err := fmt.Fprintf(c, "%s\r\n", answer(in.Text(), func() string { fmt.Fprint(c, "+ \r\n"); return read() })); err != nil {
					break
				}
			}
			c.Close()
		}
	}()
	return l.Addr().String()
}

func gossipIMAP(line string, more func() string) string {
	tag, rest, _ := strings.Cut(line, " ")
	switch {
	case strings.HasPrefix(rest, "CAPABILITY"):
		return "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2\r\n" + tag + " OK done"
	case rest == "AUTHENTICATE PLAIN":
		return tag + " NO [AUTHENTICATIONFAILED] nobody is " + more()
	case strings.HasPrefix(rest, "LOGOUT"):
		return "* BYE\r\n" + tag + " OK done"
	}
	return tag + " NO [AUTHENTICATIONFAILED] nobody is " + rest
}

func gossipSMTP(line string, more func() string) string {
	switch {
	case strings.HasPrefix(line, "EHLO"):
		return "250-gossip\r\n250 AUTH PLAIN LOGIN"
	case strings.HasPrefix(line, "QUIT"):
		return "221 bye"
	}
	return "535 5.7.8 nobody is " + line
}

// gossipTokens is a token server that refuses every client and repeats what it was told, in clear and as it was written.
func gossipTokens(t *testing.T) (address string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form, err := url.QueryUnescape(string(body))
		if err != nil {
			t.Error(err)
		}
		user, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		if err := json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client",
			"error_description": fmt.Sprintf("nobody is %s %s %s %s %s", user, secret, r.Header.Get("Authorization"), body, form)}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/token"
}

// Whatever goes wrong, no password, key or token stands in what the program says: in its log at its most talkative, in the
// answers of commands, on the status page; not even when a server repeats the login that it refuses.
// S-176
func TestSecretsStandInNoOutput_S176(t *testing.T) {
	const mailbox, relay, refresh, client = "kanari-p4sswort-postfach", "kanari-p4sswort-relais", "kanari-auffrischung", "kanari-klient/geheimnis="
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, startEmbedded(t))
	t.Setenv("CANARY_RELAY", relay)
	t.Setenv("CANARY_CLIENT", client)
	tokens := gossipTokens(t)
	w.write("hilfe.pw", mailbox+"\n", 0o600)
	w.write("dkim.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), 0o600)
	w.write("supportd.yaml", fmt.Sprintf(`version: 1
organisation: {name: Nordwind, timezone: Europe/Berlin, languages: [de, en]}
mailboxes:
  hilfe: {imap: %q, user: hilfe, password_file: hilfe.pw, tls: none, poll: 1s, brand: b, addresses: [hilfe@nordwind.example]}
  info: {imap: %q, user: info, tls: none, poll: 1s, brand: b, addresses: [info@nordwind.example], oauth2: {provider: other, client_id: robot, client_secret: "${CANARY_CLIENT}", token_url: %q}}
brands:
  b: {from: Nordwind <hilfe@nordwind.example>, ticket_prefix: NW, dkim: {selector: s1, key_file: dkim.pem}, smtp: {server: %q, tls: none, user: hilfe, password: "${CANARY_RELAY}"}}
teams: {first: {tier: 1, members: [anna@nordwind.example]}}
`, gossip(t, "* OK gossip", gossipIMAP), gossip(t, "* OK gossip", gossipIMAP), tokens, gossip(t, "220 gossip", gossipSMTP)), 0o600)
	said := map[string]string{}
	w.awaits = func(v statusView) bool {
		return len(v.Mailboxes) == 2 && v.Mailboxes[0].Error != "" && v.Mailboxes[1].Error != ""
	}
	w.start()
	// What logs in again and again is in no backup: it stays on the machine where somebody agreed.
	if err := os.MkdirAll(filepath.Join(w.dir, "state", "oauth"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.write(filepath.Join("state", "oauth", "hilfe.json"), `{"refresh_token":"`+refresh+`"}`, 0o600)
	mail := filepath.Join(w.dir, "mail.eml")
	if err := os.WriteFile(mail, []byte("From: a@b.example\r\nTo: hilfe@nordwind.example\r\nSubject: Drucker\r\n\r\nText\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"status"}, {"status", "--json"}, {"check"}, {"check", "--json"}, {"check", "--online"}, {"check", "--online", "--json"}, {"doctor", "--json"},
		{"config", "show"}, {"explain", mail}, {"explain", "--json", mail}, {"outbox", "list"}, {"reload"}, {"config", "history"},
		{"backup", filepath.Join(w.dir, "backup.tar")}, {"template", "send-test", "--to", "a@b.example"},
	} {
		out, errs, _ := program(t, nil, append(args, "-c", w.config)...)
		said[strings.Join(args, " ")] = out + errs
		if out+errs == "" {
			t.Errorf("%v says nothing", args)
		}
	}
	for _, path := range []string{"/", "/metrics", "/healthz"} {
		page := httptest.NewRecorder()
		w.daemon.statusPage().ServeHTTP(page, httptest.NewRequest("GET", path, nil))
		said[path] = page.Body.String()
	}
	// A file that can be read by everybody, a key that is none, a name that is nowhere: what is told of them.
	for name, spoil := range map[string]func() error{
		"readable": func() error { return os.Chmod(filepath.Join(w.dir, "hilfe.pw"), 0o644) },
		"no key": func() error {
			return os.WriteFile(filepath.Join(w.dir, "dkim.pem"), []byte("-----BEGIN PRIVATE KEY-----\n"+base64.StdEncoding.EncodeToString([]byte(mailbox))+"\n"), 0o600)
		},
		"broken": func() error {
			return os.WriteFile(w.config, []byte("version: 1\nmailboxes: {hilfe: {password: "+mailbox+"}}\n"), 0o600)
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"check"}, {"reload"}, {"config", "show"}} {
			out, errs, _ := program(t, nil, append(args, "-c", w.config)...)
			said[name+": "+strings.Join(args, " ")] = out + errs
		}
	}
	w.stopDesk()
	said["log"] = w.log.String()
	if !strings.Contains(said["log"], "nobody is") && !strings.Contains(said["status"], "nobody is") {
		t.Errorf("the server's words were not told at all: this test proves nothing\n%s", said["log"])
	}
	if !strings.Contains(said["log"]+said["status"], "invalid_client") {
		t.Errorf("the token server's words were not told at all: this test proves nothing\n%s", said["log"])
	}
	backup, err := os.ReadFile(filepath.Join(w.dir, "backup.tar"))
	if err != nil {
		t.Fatal(err)
	}
	said["backup"] = string(backup)
	for where, text := range said {
		for _, secret := range []string{mailbox, relay, refresh, client, base64.StdEncoding.EncodeToString(der)[24:48]} {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("\x00hilfe\x00" + secret)), fmt.Sprintf("%x", secret), url.QueryEscape(secret)} {
				if i := strings.Index(text, form); i >= 0 {
					t.Errorf("%s shows %q: …%s…", where, form, text[max(0, i-200):min(len(text), i+len(form)+20)])
				}
			}
		}
	}
}
