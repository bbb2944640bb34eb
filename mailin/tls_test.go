package mailin_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
)

// caFile writes a server's root certificate to a file.
func caFile(t testing.TB, s *imaptest.Server) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, s.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func probe(t testing.TB, cfg mailin.Config) (mailin.ProbeReport, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return mailin.Probe(ctx, cfg)
}

// TestTLS: S-147. Both ways of TLS work with the root that ca_file names; what cannot be verified is refused before the
// password is sent, in words that say what to do.
func TestTLS(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     imaptest.Options
		mode  mailin.TLSMode
		host  string
		trust bool
		want  string // in the error; "" for none
	}{
		{"implicit", imaptest.Options{TLS: true}, mailin.TLSImplicit, "127.0.0.1", true, ""},
		{"implicit by name", imaptest.Options{TLS: true}, mailin.TLSImplicit, "localhost", true, ""},
		{"starttls", imaptest.Options{StartTLS: true}, mailin.TLSStart, "localhost", true, ""},
		{"unknown root", imaptest.Options{TLS: true}, mailin.TLSImplicit, "localhost", false, "name its root in ca_file"},
		{"unknown root, starttls", imaptest.Options{StartTLS: true}, mailin.TLSStart, "localhost", false, "name its root in ca_file"},
		{"wrong name", imaptest.Options{TLS: true, CertHosts: []string{"imap.example.org"}}, mailin.TLSImplicit, "localhost", true, `not for "localhost" but for imap.example.org`},
		{"expired", imaptest.Options{TLS: true, CertUntil: time.Now().AddDate(0, 0, -3)}, mailin.TLSImplicit, "localhost", true, "renew it"},
		{"no TLS there", imaptest.Options{}, mailin.TLSImplicit, "localhost", false, "does not speak TLS on this port"},
		{"no STARTTLS there", imaptest.Options{}, mailin.TLSStart, "localhost", false, "refuses STARTTLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t, c.o)
			appendMails(t, s, 1, 2)
			cfg := config(s.Port())
			cfg.Host, cfg.TLS = c.host, c.mode
			if c.trust {
				cfg.CAFile = caFile(t, s)
			}
			r, err := probe(t, cfg)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `mailbox "support" at `) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v, want %q", err, c.want)
				}
				if n := s.Counts().Logins; n != 0 {
					t.Errorf("%d logins", n)
				}
				return
			}
			if err != nil || r.TLS != "TLS 1.3" || r.Messages != 2 || time.Until(r.CertExpires) < 300*24*time.Hour {
				t.Errorf("report %+v, %v", r, err)
			}
			d := newDesk()
			p := newPoller(s.Port(), d)
			p.Mailbox.Host, p.Mailbox.TLS, p.Mailbox.CAFile = cfg.Host, cfg.TLS, cfg.CAFile
			run(t, p)
			d.waitFor(t, "messages over TLS", count(2))
		})
	}
}

// TestOldTLS: S-147. TLS 1.1 is not spoken.
func TestOldTLS(t *testing.T) {
	s := startServer(t, imaptest.Options{TLS: true})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	versions := make(chan []uint16, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		tls.Server(conn, &tls.Config{MaxVersion: tls.VersionTLS11, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			versions <- h.SupportedVersions
			return nil, errors.New("seen enough")
		}}).Handshake()
	}()
	cfg := config(ln.Addr().(*net.TCPAddr).Port)
	cfg.TLS, cfg.CAFile = mailin.TLSImplicit, caFile(t, s)
	if _, err := probe(t, cfg); err == nil {
		t.Error("no error")
	}
	if v := <-versions; slices.Min(v) < tls.VersionTLS12 {
		t.Errorf("offers %x", v)
	}
}

// TestCleartextTraps: S-148, S-149, S-150, S-152. Whatever a server or somebody in between says in the clear, neither user
// nor password is sent there.
func TestCleartextTraps(t *testing.T) {
	for _, c := range []struct {
		name, greeting, answer string // answer: to STARTTLS
		mode                   mailin.TLSMode
		caps                   string
		want                   string
	}{
		{"S-148 stripped", "* OK [CAPABILITY IMAP4rev1] ready", "%s BAD unknown command", mailin.TLSStart, "IMAP4rev1", "refuses STARTTLS"},
		{"S-149 preauth, starttls", "* PREAUTH welcome", "%s OK", mailin.TLSStart, "", "PREAUTH"},
		{"S-149 preauth, none", "* PREAUTH welcome", "", mailin.TLSNone, "", "PREAUTH"},
		{"S-150 injected", "* OK ready", "%s OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN", mailin.TLSStart, "", "in the clear after STARTTLS"},
		{"S-152 login disabled", "* OK ready", "", mailin.TLSNone, "IMAP4rev1 LOGINDISABLED AUTH=PLAIN", "LOGINDISABLED"},
		{"BYE", "* BYE go away", "", mailin.TLSStart, "", "go away"},
		{"not IMAP", "220 smtp.example.org ESMTP", "", mailin.TLSStart, "", "does not speak IMAP"},
		{"no answer to STARTTLS", "* OK ready", "* OK %s hm" + strings.Repeat("\r\n* OK hm", 30), mailin.TLSStart, "", "STARTTLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startScript(t, &imaptest.Script{Greeting: c.greeting, Caps: c.caps, Handle: func(conn *imaptest.ScriptConn, tag, command string) bool {
				if command == "STARTTLS" {
					conn.Send("%s", strings.Replace(c.answer, "%s", tag, 1))
					return true
				}
				return false
			}})
			cfg := config(s.Port())
			cfg.TLS = c.mode
			_, err := probe(t, cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			for _, command := range s.Commands() {
				if strings.Contains(command, testUser) || strings.HasPrefix(command, "AUTH") || strings.HasPrefix(command, "LOGIN") {
					t.Errorf("sent %q in the clear", command)
				}
			}
		})
	}
}

// TestCapabilitiesAfterTLS: S-151. What was announced in the clear counts for nothing.
func TestCapabilitiesAfterTLS(t *testing.T) {
	s := startServer(t, imaptest.Options{StartTLS: true, NoMove: true})
	// In between somebody adds to the greeting; all else passes.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		server, err := net.Dial("tcp", s.Addr())
		if err != nil {
			return
		}
		defer server.Close()
		io.WriteString(conn, "* OK [CAPABILITY IMAP4rev2 MOVE XEVIL LOGINDISABLED] hello\r\n* 3 EXISTS\r\n* LIST () \"/\" Evil\r\n")
		skipLine(server)
		go io.Copy(server, conn)
		io.Copy(conn, server)
	}()
	cfg := config(ln.Addr().(*net.TCPAddr).Port)
	cfg.Host, cfg.TLS, cfg.CAFile = "localhost", mailin.TLSStart, caFile(t, s)
	r, err := probe(t, cfg)
	if err != nil || r.Move || !r.UIDPlus || !slices.Equal(r.Folders, []string{"INBOX"}) {
		t.Errorf("report %+v, %v", r, err)
	}
}

// skipLine reads up to a line end, octet by octet.
func skipLine(r io.Reader) {
	for b := make([]byte, 1); b[0] != '\n'; {
		if _, err := r.Read(b); err != nil {
			return
		}
	}
}

// TestCleartextOnlyOnLoopback: tls: none is refused to any other host, before anything is dialled.
func TestCleartextOnlyOnLoopback(t *testing.T) {
	cfg := config(143)
	cfg.Host = "imap.example.org"
	if _, err := probe(t, cfg); err == nil || !strings.Contains(err.Error(), "loopback addresses only") {
		t.Errorf("Probe: %v", err)
	}
	p := newPoller(143, newDesk())
	p.Mailbox = cfg
	if err := p.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "loopback addresses only") {
		t.Errorf("Run: %v", err)
	}
}

// TestProbe: what check --online tells.
func TestProbe(t *testing.T) {
	s := startServer(t, imaptest.Options{NoMove: true, NoPlus: true, NoIdle: true})
	for _, name := range []string{"Archive", "Support"} {
		if err := s.CreateFolder(testUser, name, ""); err != nil {
			t.Fatal(err)
		}
	}
	appendMails(t, s, 1, 4)
	cfg := config(s.Port())
	cfg.After, cfg.MoveTo = mailin.AfterMove, "Archiv"
	r, err := probe(t, cfg)
	if err != nil || r.Idle || r.Move || r.UIDPlus || r.Messages != 4 || !slices.Equal(r.Folders, []string{"Archive", "INBOX", "Support"}) {
		t.Errorf("report %+v, %v", r, err)
	}
	if len(r.Problems) != 2 || !strings.Contains(r.Problems[0], `or write "Archive"`) || !strings.Contains(r.Problems[1], "flagged, not moved") {
		t.Errorf("problems %q", r.Problems)
	}
	if f := messages(t, s, "INBOX")[0].Flags; len(f) != 0 {
		t.Errorf("flags were changed: %v", f)
	}

	for _, c := range []struct {
		change func(*mailin.Config)
		want   string
	}{
		{func(c *mailin.Config) { c.Password = func() (string, error) { return "wrong-" + testPassword, nil } }, "check user and password"},
		{func(c *mailin.Config) { c.Password = func() (string, error) { return "", os.ErrNotExist } }, "get password"},
		{func(c *mailin.Config) { c.Folder = "Suport" }, `there is "Support"`},
		{func(c *mailin.Config) { c.Port = 1 }, "connection refused"},
		{func(c *mailin.Config) { c.CAFile, c.TLS = "/nonexistent/ca.pem", mailin.TLSImplicit }, "read ca_file"},
		{func(c *mailin.Config) { c.After, c.MoveTo = mailin.AfterMove, "inbox"; c.MoveTo = "INBOX" }, "choose another"},
		{func(c *mailin.Config) { c.TLS = "sometimes" }, "write implicit, starttls or none"},
		{func(c *mailin.Config) { c.After = "delete" }, "write leave, flag or move"},
		{func(c *mailin.Config) { c.After = mailin.AfterMove; c.MoveTo = "" }, "needs move_to"},
		{func(c *mailin.Config) { c.User = "" }, "needs a user"},
		{func(c *mailin.Config) { c.Host = "" }, "needs a name and a host"},
	} {
		cfg := config(s.Port())
		c.change(&cfg)
		_, err := probe(t, cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), testPassword) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	cfg.Password = func() (string, error) { return "wrong", nil }
	if _, err := probe(t, cfg); !mailin.IsLoginRefused(err) {
		t.Errorf("IsLoginRefused(%v) is false", err)
	}
}
