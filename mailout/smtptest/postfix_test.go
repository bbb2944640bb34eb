package smtptest_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/mailout/smtptest"
)

// postfix starts a real server. Where none is installed the test ends, unless real servers are demanded; that the
// refusal says what to install is checked in both cases.
func postfix(t *testing.T, o smtptest.PostfixOptions) (*smtptest.Postfix, bool) {
	t.Helper()
	if ok, err := smtptest.Available(); !ok {
		if _, serr := smtptest.StartPostfix(o); serr == nil || serr.Error() != err.Error() {
			t.Fatalf("StartPostfix without postfix: %v, want %v", serr, err)
		}
		if os.Getenv("SUPPORTD_REAL_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Log(err)
		return nil, false
	}
	p, err := smtptest.StartPostfix(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.Log())
		}
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p, true
}

func send(addr, to, text string) error {
	return smtp.SendMail(addr, nil, "a@customer.example", []string{to}, []byte("Subject: "+text+"\r\n\r\n"+text+"\r\n"))
}

// delivered waits until n mails lie in the maildir.
func delivered(t *testing.T, p *smtptest.Postfix, maildir string, n int) [][]byte {
	t.Helper()
	end, tick := time.After(time.Minute), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		mails, err := p.Delivered(maildir)
		if err != nil {
			t.Fatal(err)
		}
		if len(mails) >= n {
			return mails
		}
		select {
		case <-end:
			t.Fatalf("%d of %d mails delivered to %s after a minute", len(mails), n, maildir)
		case <-tick.C:
		}
	}
}

func TestPostfixAnswersAndDelivers(t *testing.T) {
	p, ok := postfix(t, smtptest.PostfixOptions{
		Mailboxes: map[string]string{"support@desk.example": "support", "greylist@desk.example": "greylist"},
		Answers: map[string]string{
			"greylist@desk.example": "450 4.2.0 come back later",
			"full@else.example":     "552 5.2.2 mailbox full",
		},
	})
	if !ok {
		return
	}
	start := time.Now()
	if err := send(p.Addr(), "support+token@desk.example", "one"); err != nil {
		t.Fatal(err)
	}
	mails := delivered(t, p, "support", 1)
	t.Logf("delivered %s after the connection was opened", time.Since(start).Round(time.Millisecond))
	if !bytes.Contains(mails[0], []byte("Delivered-To: support+token@desk.example\n")) || !bytes.HasSuffix(mails[0], []byte("\n\none\n")) {
		t.Errorf("delivered %q", mails[0])
	}
	if err := send(p.Addr(), "someone@else.example", "thrown away"); err != nil {
		t.Errorf("mail to another domain: %v", err)
	}
	for to, code := range map[string]int{"greylist@desk.example": 450, "nobody@desk.example": 550, "full@else.example": 552} {
		var reply *textproto.Error
		if err := send(p.Addr(), to, "refused"); !errors.As(err, &reply) || reply.Code != code {
			t.Errorf("mail to %s: %v, want %d", to, err, code)
		}
	}
}

func TestPostfixPauseAndResume(t *testing.T) {
	p, ok := postfix(t, smtptest.PostfixOptions{Mailboxes: map[string]string{"a@desk.example": "a"}})
	if !ok {
		return
	}
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := send(p.Addr(), "a@desk.example", "down"); err == nil {
		t.Fatal("a mail was taken while the server was paused")
	}
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := p.Resume(); err == nil {
		t.Error("a running server was started again")
	}
	if err := send(p.Addr(), "a@desk.example", "up"); err != nil {
		t.Fatal(err)
	}
	delivered(t, p, "a", 1)
	if err := p.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := send(p.Addr(), "a@desk.example", "after a crash"); err != nil {
		t.Fatal(err)
	}
	delivered(t, p, "a", 2)
}

func TestPostfixQueueHoldsWhatCannotBeDelivered(t *testing.T) {
	p, ok := postfix(t, smtptest.PostfixOptions{
		Mailboxes: map[string]string{"a@desk.example": "a"},
		Settings:  []string{"defer_transports = discard"},
	})
	if !ok {
		return
	}
	if err := send(p.Addr(), "b@else.example", "stuck"); err != nil {
		t.Fatal(err)
	}
	end, tick := time.After(time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		q, err := p.Queue()
		if err != nil {
			t.Fatal(err)
		}
		if len(q) == 1 && q[0].Queue == "deferred" {
			if q[0].Sender != "a@customer.example" || q[0].Recipients[0] != "b@else.example" || !strings.Contains(q[0].Reasons[0], "deferred transport") {
				t.Errorf("queue %+v", q)
			}
			return
		}
		select {
		case <-end:
			t.Fatalf("queue %+v after a minute, want one deferred mail", q)
		case <-tick.C:
		}
	}
}

func TestPostfixStartTLS(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	cert, ca, err := smtptest.NewCertificate(now.Add(-time.Hour), now.Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	o := smtptest.PostfixOptions{
		Mailboxes:   map[string]string{"a@desk.example": "a"},
		Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := errors.Join(os.WriteFile(o.Certificate, ca, 0o600), os.WriteFile(o.Key, key, 0o600)); err != nil {
		t.Fatal(err)
	}
	p, ok := postfix(t, o)
	if !ok {
		return
	}
	c, err := smtp.Dial(p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	if err := c.StartTLS(&tls.Config{RootCAs: roots, ServerName: "localhost"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("a@customer.example"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("a@desk.example"); err != nil {
		t.Fatal(err)
	}
}

// starterEnv makes the test below start a Postfix and wait to be killed.
const starterEnv = "SUPPORTD_TEST_STARTER"

func TestPostfixDiesWithItsStarter(t *testing.T) {
	if ok, _ := smtptest.Available(); !ok {
		postfix(t, smtptest.PostfixOptions{})
		return
	}
	if os.Getenv(starterEnv) != "" {
		p, err := smtptest.StartPostfix(smtptest.PostfixOptions{})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("\naddr " + p.Addr() + "\n")
		select {} // the parent kills this process
	}
	// What the killed starter leaves behind has to be removed here.
	dir, err := os.MkdirTemp("", "dies")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPostfixDiesWithItsStarter$")
	cmd.Env = append(os.Environ(), starterEnv+"=1", "TMPDIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer limit.Stop()
	said := ""
	for lines := bufio.NewScanner(out); said == "" && lines.Scan(); {
		if addr, ok := strings.CutPrefix(lines.Text(), "addr "); ok {
			said = addr
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if said == "" {
		t.Fatal("the starter did not say where its server is")
	}
	end, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for running(t, "MAIL_CONFIG="+dir) {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("postfix outlived the process that started it by a minute")
		}
	}
}

// running reports whether a process has something in its environment.
func running(t *testing.T, what string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(f string) bool {
		b, err := os.ReadFile(f)
		return err == nil && bytes.Contains(b, []byte(what))
	})
}
