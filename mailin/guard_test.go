package mailin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"supportd/tickets"
)

const guardDir = "SUPPORTD_TEST_GUARD_DIR"

// guardMails are mails of which the third ends the process that reads it.
func guardMails() []string {
	return []string{"Subject: eins\n\nx", "Subject: zwei\n\ny", "Subject: DEADLY\n\nz", "Subject: vier\n\nw"}
}

// S-137: a mail that ends the process while it is read is set aside after three times; the others are read all the while.
func TestDeadlyMail_S137(t *testing.T) {
	if dir := os.Getenv(guardDir); dir != "" {
		readGuarded(t, dir)
		return
	}
	dir := t.TempDir()
	ends := 0
	for range 10 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestDeadlyMail_S137$")
		cmd.Env = append(os.Environ(), guardDir+"="+dir)
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if ends++; !strings.Contains(err.Error(), "killed") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if ends != guardAttempts {
		t.Errorf("the process ended %d times, want %d", ends, guardAttempts)
	}
	b, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	last := string(b)[strings.LastIndex(strings.TrimSuffix(string(b), "\n\n"), "\n\n")+1:]
	for _, want := range []string{"eins ok", "zwei ok", "DEADLY held", "vier ok"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last process did not say %q:\n%s", want, b)
		}
	}
	for _, name := range []string{guardFile, guardCounts} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// readGuarded is the process that is killed.
func readGuarded(t *testing.T, dir string) {
	g, err := OpenGuard(dir, GuardOptions{Parse: func(raw []byte, at time.Time) *tickets.Message {
		if strings.Contains(string(raw), "DEADLY") {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			select {}
		}
		return Parse(raw, at)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	say := func(s string) {
		if _, err := log.WriteString(s + "\n"); err != nil {
			t.Error(err)
		}
	}
	say("")
	for _, raw := range guardMails() {
		m := g.Read([]byte(raw), time.Now())
		if m.Poison != "" {
			say(m.Subject + " held")
		} else {
			say(m.Subject + " ok")
		}
	}
}

// A mail that was being read beside one that ended the process is read alone next time, and is nothing special after that.
func TestInnocentMail(t *testing.T) {
	dir := t.TempDir()
	raw := []byte("Subject: eins\n\nx")
	if err := os.WriteFile(filepath.Join(dir, guardFile), []byte(markOf(raw)), 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := OpenGuard(dir, GuardOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if g.counts[markOf(raw)] != 1 {
		t.Errorf("counts %v", g.counts)
	}
	if m := g.Read(raw, time.Time{}); m.Poison != "" || m.Subject != "eins" || len(g.counts) != 0 {
		t.Errorf("%+v, counts %v", m, g.counts)
	}
}

// S-138: a mail that takes too long is set aside at once, also for the next process; the third that hangs ends this one.
func TestEndlessMail_S138(t *testing.T) {
	dir := t.TempDir()
	release := make(chan struct{})
	defer close(release)
	ended := make(chan error, 1)
	open := func() *Guard {
		g, err := OpenGuard(dir, GuardOptions{Limit: 20 * time.Millisecond, Ended: func(err error) { ended <- err }, Parse: func(raw []byte, at time.Time) *tickets.Message {
			if strings.Contains(string(raw), "ENDLESS") {
				<-release
			}
			return Parse(raw, at)
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { g.Close() })
		return g
	}
	g := open()
	for i, subject := range []string{"ENDLESS one", "ENDLESS two", "ENDLESS three"} {
		m := g.Read([]byte("Subject: "+subject+"\n\nx"), time.Time{})
		if m.Poison == "" || m.Subject != subject {
			t.Errorf("%+v", m)
		}
		if told := len(ended) == 1; told != (i == 2) {
			t.Errorf("after %d mails the process ends: %t", i+1, told)
		}
	}
	if m := g.Read([]byte("Subject: after\n\nx"), time.Time{}); m.Poison != "" || m.Subject != "after" {
		t.Errorf("the next mail: %+v", m)
	}
	if m := open().Read([]byte("Subject: ENDLESS one\n\nx"), time.Time{}); m.Poison == "" {
		t.Error("the next process reads it again")
	}
}
