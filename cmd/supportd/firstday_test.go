package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"supportd/cmd/supportd/setup/dnstest"
	"supportd/mailin/imaptest"
	"supportd/mailout/smtptest"
)

// The first day: an empty folder, the program and nothing else. init finds the servers, check --online lets a mail go
// round, run answers a customer. It is played on servers in memory, and on a real Dovecot and a real Postfix with TLS and
// logins, whose names come from SRV records.
func TestFirstDay(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		w := newMemoryWorld(t)
		playFirstDay(t, w, "--imap", w.imap.Addr(), "--smtp", w.smtp.Addr(), "--tls", "none")
	})
	_, imapErr := imaptest.Available()
	_, smtpErr := smtptest.Available()
	switch err := errors.Join(imapErr, smtpErr); {
	case err == nil:
		t.Run("dovecot and postfix", func(t *testing.T) {
			w := newRealWorld(t)
			names := startNames(t)
			for service, addr := range map[string]string{"_imap._tcp.desk.example": w.imap.Addr(), "_submission._tcp.desk.example": w.smtp.Addr()} {
				_, port, err := net.SplitHostPort(addr)
				if err != nil {
					t.Fatal(err)
				}
				n, err := strconv.ParseUint(port, 10, 16)
				if err != nil {
					t.Fatal(err)
				}
				if err := names.SRV(service, "localhost", uint16(n)); err != nil {
					t.Fatal(err)
				}
			}
			playFirstDay(t, w, "--ca-file", w.imap.CAFile(), "--resolver", names.Addr())
		})
	case os.Getenv("SUPPORTD_REAL_SERVERS") == "1":
		t.Error(err)
	default:
		t.Log(err)
	}
}

func startNames(t *testing.T) *dnstest.Server {
	t.Helper()
	names, err := dnstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { names.Close() })
	names.TXT("desk.example", "v=spf1 -all")
	return names
}

func playFirstDay(t *testing.T, w mailWorld, where ...string) {
	dir := t.TempDir()
	names := startNames(t)
	supportd := func(stdin string, args ...string) (string, error) {
		cmd := exec.Command("supportd", args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "LC_ALL=C", "TZ=UTC")
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), storyPassword) {
			t.Errorf("supportd %s shows the password", args[0])
		}
		return string(out), err
	}
	out, err := supportd(storyPassword+"\n", append([]string{"init", "--address", "Desk <" + storyDesk + ">", "--team", storyAgent, "--trusted", "--password-stdin"}, where...)...)
	if err != nil || !strings.Contains(out, "logged in as "+storyDesk) || !strings.Contains(out, "1. supportd check --online") {
		t.Fatalf("init: %v\n%s", err, out)
	}
	if info, err := os.Stat(filepath.Join(dir, "mailbox.pw")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info, err)
	}
	check := func(when string) {
		t.Helper()
		out, err := supportd("", "check", "--online", "--resolver", names.Addr(), "--wait", "30s")
		for _, line := range []string{"came back after", "the server's clock and ours agree", "mail to support+… arrives here", "; online: 0 faults"} {
			if !strings.Contains(out, line) {
				t.Errorf("check %s does not say %q", when, line)
			}
		}
		if err != nil || t.Failed() {
			t.Fatalf("check %s: %v\n%s", when, err, out)
		}
		t.Logf("check %s:\n%s", when, out)
	}
	check("before the first start")
	if n := len(w.inbox(t, storyDesk)); n != 0 {
		t.Errorf("%d test mails are left", n)
	}

	var log lockedBuffer
	run := exec.Command("supportd", "run")
	run.Dir, run.Stderr, run.Env = dir, &log, append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		err := errors.Join(run.Process.Signal(os.Interrupt), run.Wait())
		if err != nil || t.Failed() {
			t.Errorf("run: %v\n%s", err, log.String())
		}
	}()
	awaitReady(t, supportd)
	w.send(t, storyCustomer, storyDesk, letterOf(storyCustomer, storyDesk, "Printer", "<k1@kunde.example>", "", "The printer is out of paper.\r\n"))
	ack := waitMail(t, w, storyCustomer, 1)
	if !strings.Contains(ack.Header.Get("Subject"), "Printer") {
		t.Errorf("acknowledgement %q", ack.Header.Get("Subject"))
	}
	check("beside the running desk")
	if out, err := supportd("", "doctor", "--json"); err != nil || !strings.Contains(out, `"created": 1`) || !strings.Contains(out, `"filed": 2`) || !strings.Contains(out, `"quarantined": 0`) || !strings.Contains(out, `"failed": 0`) {
		t.Errorf("doctor: %v\n%s", err, out)
	}
}

// awaitReady asks the desk until it says that it works.
func awaitReady(t *testing.T, supportd func(stdin string, args ...string) (string, error)) {
	t.Helper()
	var last bytes.Buffer
	for range 200 { // each asks in a process of its own
		out, err := supportd("", "status", "--ready")
		if err == nil {
			return
		}
		last.Reset()
		last.WriteString(out)
	}
	t.Fatalf("the desk does not become ready: %s", last.String())
}
