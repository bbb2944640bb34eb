package service

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func example() Service {
	return Service{Program: "/usr/bin/supportd", Config: "/etc/supportd/supportd.yaml", Secrets: []Secret{{"mailbox.pw", "/etc/supportd/mailbox.pw"}}}
}

// S-197: non-root, no core dumps, and everything taken away that the desk does not need.
func TestUnitIsHardened_S197(t *testing.T) {
	b, err := example().File(Unit)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	for _, want := range []string{"Type=notify", "User=supportd", "ExecStart=/usr/bin/supportd run -c /etc/supportd/supportd.yaml", "LimitCORE=0", "UMask=0077",
		"StateDirectoryMode=0700", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "LoadCredential=mailbox.pw:/etc/supportd/mailbox.pw", "WatchdogSec=2min"} {
		if !slices.Contains(lines, want) {
			t.Errorf("the unit has no line %s", want)
		}
	}
	for _, path := range []string{"supportd", "/opt/my desk/supportd", "/opt/100%/supportd", "/opt/a\nUser=root"} {
		s := example()
		s.Program = path
		if _, err := s.File(Unit); err == nil {
			t.Errorf("the program %q gets into a unit file", path)
		}
	}
}

// What systemd itself says of the unit, where its tools are installed.
func TestUnitBySystemd_S197(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not installed: the unit is checked by its lines only")
		return
	}
	program, err := os.Executable() // it only has to be there
	if err != nil {
		t.Fatal(err)
	}
	s := example()
	s.Program = program
	b, err := s.File(Unit)
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "supportd.service")
	if err := os.WriteFile(unit, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "supportd.service:") {
		t.Errorf("verify: %v\n%s", err, out)
	}
	out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	if err != nil && strings.Contains(string(out), "unrecognized option") {
		t.Log("this systemd-analyze cannot judge files")
		return
	}
	m := regexp.MustCompile(`Overall exposure level for supportd.service: ([0-9.]+)`).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("security: %v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(string(m[1]), 64); err != nil || level > 2 {
		t.Errorf("exposure level %s, want at most 2 of 10", m[1])
	}
	t.Logf("exposure level %s of 10", m[1])
}

func TestInstallAndRemove(t *testing.T) {
	root := t.TempDir()
	written, err := example().Install(root)
	if err != nil || len(written) != 3 {
		t.Fatalf("install: %v, %v", written, err)
	}
	again := example()
	again.Config = "/etc/supportd/other.yaml"
	if _, err := again.Install(root); err != nil {
		t.Fatalf("install over its own files: %v", err)
	}
	unit := filepath.Join(root, places()[Unit])
	if b, err := os.ReadFile(unit); err != nil || !strings.Contains(string(b), "other.yaml") {
		t.Errorf("the unit is not the new one: %v\n%s", err, b)
	}
	if err := os.WriteFile(unit, []byte("[Service]\nExecStart=/somebody/elses\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if written, err := example().Install(root); err == nil || len(written) > 0 {
		t.Errorf("somebody else's unit was replaced: %v", written)
	}
	if _, err := Remove(root); err == nil {
		t.Error("somebody else's unit was removed")
	}
	if err := os.Remove(unit); err != nil {
		t.Fatal(err)
	}
	if _, err := example().Install(root); err != nil {
		t.Fatal(err)
	}
	removed, err := Remove(root)
	if err != nil || len(removed) != 3 {
		t.Errorf("remove: %v, %v", removed, err)
	}
	if removed, err := Remove(root); err != nil || len(removed) != 0 {
		t.Errorf("remove once more: %v, %v", removed, err)
	}
}

// listen is a supervisor's socket.
func listen(t *testing.T) (path string, next func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // short: a socket's path has to be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return path, func() string {
		buf := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("nothing is told: %v", err)
		}
		return string(buf[:n])
	}
}

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestSupervisorIsTold(t *testing.T) {
	path, next := listen(t)
	s := NewSupervisor(environment("NOTIFY_SOCKET", path, "WATCHDOG_USEC", "20000", "WATCHDOG_PID", "42"), 42)
	if err := s.Tell("READY=1", "STATUS=follows 1 mailbox"); err != nil || next() != "READY=1\nSTATUS=follows 1 mailbox" {
		t.Errorf("ready: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	sick := make(chan bool, 1)
	go func() {
		ended <- s.Run(ctx, func(context.Context) error {
			select {
			case <-sick:
				return errors.New("the store\ndoes not answer")
			default:
				return nil
			}
		})
	}()
	if got := next(); got != "WATCHDOG=1" {
		t.Errorf("alive: %q", got)
	}
	sick <- true
	for got := next(); got != "STATUS=not well: the store does not answer"; got = next() {
		if got != "WATCHDOG=1" {
			t.Fatalf("not alive: %q", got)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNoSupervisor(t *testing.T) {
	for name, s := range map[string]Supervisor{
		"none":              NewSupervisor(environment(), 42),
		"watches another":   NewSupervisor(environment("NOTIFY_SOCKET", "", "WATCHDOG_USEC", "20000", "WATCHDOG_PID", "43"), 42),
		"watchdog nonsense": NewSupervisor(environment("WATCHDOG_USEC", "soon"), 42),
	} {
		if err := s.Tell("READY=1"); err != nil || s.Listens() {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Run(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := NewSupervisor(environment("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone")), 42)
	if err := s.Tell("READY=1"); err == nil {
		t.Error("a socket that is not there takes what it is told")
	}
}
