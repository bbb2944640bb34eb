package imaptest_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"supportd/mailin/imaptest"
)

// dovecot starts a real server. Where none is installed the test ends, unless real servers are demanded; that the
// refusal says what to install is checked in both cases.
func dovecot(t *testing.T, o imaptest.DovecotOptions) (*imaptest.Dovecot, bool) {
	t.Helper()
	if ok, err := imaptest.Available(); !ok {
		if _, serr := imaptest.StartDovecot(o); serr == nil || serr.Error() != err.Error() {
			t.Fatalf("StartDovecot without dovecot: %v, want %v", serr, err)
		}
		if os.Getenv("SUPPORTD_REAL_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Log(err)
		return nil, false
	}
	d, err := imaptest.StartDovecot(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(d.Log())
		}
	})
	return d, true
}

func login(t *testing.T, d *imaptest.Dovecot, user string, o *imapclient.Options) *imapclient.Client {
	t.Helper()
	conn, err := net.Dial("tcp", d.Addr())
	if err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(time.Minute, func() { conn.Close() })
	c := imapclient.New(conn, o)
	t.Cleanup(func() {
		limit.Stop()
		c.Close()
	})
	if err := c.Login(user, d.Password()).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDovecotKeepsWhatIsDelivered(t *testing.T) {
	d, ok := dovecot(t, imaptest.DovecotOptions{})
	if !ok {
		return
	}
	arrived := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	for i, text := range []string{"one", "two"} {
		raw := "Subject: " + text + "\r\n\r\nHello\r\n"
		if err := d.Deliver("support@desk.example", []byte(raw), arrived.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := d.Messages("support@desk.example", "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Fatalf("%d messages, want 2", len(got))
	}
	if want := []byte("Subject: one\r\n\r\nHello\r\n"); !bytes.Equal(got[0].Raw, want) {
		t.Errorf("first message %q, want %q", got[0].Raw, want)
	}
	if !got[1].Arrived.Equal(arrived.Add(time.Minute)) {
		t.Errorf("second message arrived %s, want %s", got[1].Arrived, arrived.Add(time.Minute))
	}
	if err := d.Expunge("support@desk.example", "INBOX", got[0].UID); err != nil {
		t.Fatal(err)
	}
	if err := d.Restart(); err != nil {
		t.Fatal(err)
	}
	left, err := d.Messages("support@desk.example", "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].UID != got[1].UID || left[0].Validity != got[1].Validity {
		t.Errorf("after expunge and restart %+v, want only UID %d", left, got[1].UID)
	}
	if _, err := d.Messages("support@desk.example", "Nowhere"); err == nil {
		t.Error("a folder that does not exist was read")
	}
	if err := d.Deliver("../escape", []byte("x"), time.Time{}); err == nil {
		t.Error("delivered outside the mail folder")
	}
}

func TestDovecotSpecialFoldersAndKeywords(t *testing.T) {
	d, ok := dovecot(t, imaptest.DovecotOptions{Password: "hush"})
	if !ok {
		return
	}
	c := login(t, d, "a", nil)
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, f := range box.PermanentFlags {
		flags = append(flags, string(f))
	}
	if !slices.Contains(flags, `\*`) {
		t.Errorf("permanent flags %v: no new keywords can be made", flags)
	}
	list, err := c.List("", "*", nil).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range list {
		names = append(names, l.Mailbox)
	}
	for _, want := range []string{"Archive", "Drafts", "INBOX", "Sent", "Trash"} {
		if !slices.Contains(names, want) {
			t.Errorf("folders %v: %s is missing", names, want)
		}
	}
}

func TestDovecotTLS(t *testing.T) {
	d, ok := dovecot(t, imaptest.DovecotOptions{})
	if !ok {
		return
	}
	pem, err := os.ReadFile(d.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conf := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	c, err := imapclient.DialTLS(d.TLSAddr(), &imapclient.Options{TLSConfig: conf})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("a", d.Password()).Wait(); err != nil {
		t.Errorf("login over TLS: %v", err)
	}
	s, err := imapclient.DialStartTLS(d.Addr(), &imapclient.Options{TLSConfig: conf})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Login("a", "wrong").Wait(); err == nil {
		t.Error("a wrong password opened the mailbox")
	}
}

func TestDovecotSetUIDValidity(t *testing.T) {
	d, ok := dovecot(t, imaptest.DovecotOptions{})
	if !ok {
		return
	}
	if err := d.Deliver("a", []byte("Subject: x\r\n\r\nx\r\n"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := d.SetUIDValidity("a", "INBOX", 4711); err != nil {
		t.Fatal(err)
	}
	got, err := d.Messages("a", "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Validity != 4711 {
		t.Errorf("got %+v, want one message under UIDVALIDITY 4711", got)
	}
}

// IDLE is woken by a delivery, with and without hibernation; how long it takes is logged, since it is Dovecot's time.
func TestDovecotWakesIdle(t *testing.T) {
	for _, hibernate := range []bool{false, true} {
		d, ok := dovecot(t, imaptest.DovecotOptions{Hibernate: hibernate})
		if !ok {
			return
		}
		exists := make(chan uint32, 10)
		c := login(t, d, "a", &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(m *imapclient.UnilateralDataMailbox) {
				if m.NumMessages != nil {
					exists <- *m.NumMessages
				}
			},
		}})
		if _, err := c.Select("INBOX", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			idle, err := c.Idle()
			if err != nil {
				t.Fatal(err)
			}
			if hibernate {
				// Dovecot needs its second of idling before it hibernates, and says nothing when it does.
				select {
				case <-time.After(1300 * time.Millisecond):
				case n := <-exists:
					t.Fatalf("%d messages exist before one is delivered", n)
				}
			}
			start := time.Now()
			if err := d.Deliver("a", []byte("Subject: x\r\n\r\nx\r\n"), time.Time{}); err != nil {
				t.Fatal(err)
			}
			select {
			case <-exists:
				t.Logf("hibernate %v: woken after %s", hibernate, time.Since(start).Round(time.Millisecond))
			case <-time.After(time.Minute):
				t.Fatalf("hibernate %v: IDLE was not woken", hibernate)
			}
			if err := idle.Close(); err != nil {
				t.Fatal(err)
			}
			if err := idle.Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDovecotKillSessionsAndCrash(t *testing.T) {
	d, ok := dovecot(t, imaptest.DovecotOptions{})
	if !ok {
		return
	}
	first := login(t, d, "a", nil)
	if n, err := d.KillSessions(); err != nil || n != 1 {
		t.Fatalf("KillSessions = %d, %v; want 1 session", n, err)
	}
	closed(t, first, "killed sessions")
	second := login(t, d, "a", nil)
	if err := d.Crash(); err != nil {
		t.Fatal(err)
	}
	closed(t, second, "the server's crash")
	if err := d.Restart(); err != nil {
		t.Fatal(err)
	}
	login(t, d, "a", nil)
}

func closed(t *testing.T, c *imapclient.Client, after string) {
	t.Helper()
	select {
	case <-c.Closed():
	case <-time.After(time.Minute):
		t.Fatalf("the connection is still open after %s", after)
	}
}

// starterEnv makes the test below start a Dovecot and wait to be killed.
const starterEnv = "SUPPORTD_TEST_STARTER"

func TestDovecotDiesWithItsStarter(t *testing.T) {
	if ok, _ := imaptest.Available(); !ok {
		dovecot(t, imaptest.DovecotOptions{})
		return
	}
	if os.Getenv(starterEnv) != "" {
		d, err := imaptest.StartDovecot(imaptest.DovecotOptions{})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("\nmail " + d.MailDir() + "\n")
		select {} // the parent kills this process
	}
	// What the killed starter leaves behind has to be removed here. A name as long as those of t.TempDir does not do:
	// the paths of sockets are limited to 108 octets.
	dir, err := os.MkdirTemp("", "dies")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDovecotDiesWithItsStarter$")
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
	mail := ""
	for buf := make([]byte, 4096); mail == ""; {
		n, err := out.Read(buf)
		for line := range strings.Lines(string(buf[:n])) {
			if m, ok := strings.CutPrefix(strings.TrimSpace(line), "mail "); ok {
				mail = m
			}
		}
		if err != nil {
			break
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if mail == "" {
		t.Fatal("the starter did not say where its mail is")
	}
	title := "dovecot-" + filepath.Base(filepath.Dir(mail)) + "/"
	end, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for running(t, title) {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("dovecot outlived the process that started it by a minute")
		}
	}
}

func running(t *testing.T, title string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(f string) bool {
		b, err := os.ReadFile(f)
		return err == nil && strings.HasPrefix(string(b), title)
	})
}
