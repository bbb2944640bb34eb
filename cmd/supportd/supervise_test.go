package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supportd/mailin/imaptest"
)

// The process tells its supervisor that it is ready, alive and stopping, and ends within ten seconds of SIGTERM although
// its SMTP server does not answer.
func TestServiceStartsLivesAndStops(t *testing.T) {
	dir, err := os.MkdirTemp("", "sd") // short: a socket's path has to be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "notify")
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()

	mute, err := net.Listen("tcp", "127.0.0.1:0") // connections are taken by the system, and nobody speaks
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	imap, err := imaptest.NewServer(imaptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer imap.Close()
	imap.AddUser("hilfe", "secret")

	credentials := filepath.Join(dir, "credentials")
	if err := os.Mkdir(credentials, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string, mode os.FileMode) {
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(credentials, "mailbox.pw"), "secret\n", 0o440) // as systemd hands it over
	config := filepath.Join(dir, "supportd.yaml")
	write(config, fmt.Sprintf("version: 1\nmailbox: {imap: %s, smtp: %s, user: hilfe, password_file: mailbox.pw, tls: none, trusted: true}\n"+
		"from: hilfe@nordwind.example\nteam: [anna@nordwind.example]\nundo: 0s\n", imap.Addr(), mute.Addr()), 0o644)

	cmd := exec.Command("supportd", "run", "-c", config)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=400000", "CREDENTIALS_DIRECTORY="+credentials, "GORACE=atexit_sleep_ms=0")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended already when all is well

	await := func(what string) {
		t.Helper()
		buf := make([]byte, 4096)
		for {
			if err := told.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			n, err := told.Read(buf)
			if err != nil {
				t.Fatalf("%s is not told: %v", what, err)
			}
			if strings.Contains(string(buf[:n]), what) {
				return
			}
		}
	}
	await("READY=1")
	await("WATCHDOG=1")
	if _, err := imap.Append("hilfe", "INBOX", []byte("From: kunde@kunde.example\r\nTo: hilfe@nordwind.example\r\nMessage-ID: <a@kunde.example>\r\nSubject: Frage\r\n\r\nEine Frage.\r\n"), nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	conn, err := mute.Accept() // a delivery is under way now
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	await("STOPPING=1")
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) || err != nil {
			t.Errorf("run: %v\n%s", err, log.String())
		}
	case <-time.After(time.Minute):
		t.Error("it still runs ten seconds after it was told to stop")
	}
}

// status --ready is for supervisors and containers: 0 when the desk works, 1 otherwise, also when none runs.
func TestStatusReady(t *testing.T) {
	dir := t.TempDir()
	out, _, code := program(t, nil, "status", "--ready", "--state", dir)
	if code != exitFound || !strings.HasPrefix(out, "not ready: no supportd runs on ") {
		t.Errorf("%d, %s", code, out)
	}
	if out, _, code = program(t, nil, "status", "--ready", "--json", "--state", dir); code != exitFound || !strings.Contains(out, `"ready": false`) {
		t.Errorf("%d, %s", code, out)
	}
}
