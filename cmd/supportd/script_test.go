package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"supportd/cmd/supportd/setup/dnstest"
	"supportd/mailin/imaptest"
)

// The stories in testdata/scripts run the real program, each in a folder and with mail servers of its own. Beside
// testscript's own commands they have these:
//
//	exits CODE COMMAND…       the command ends with exactly this exit code
//	says REGEXP               the last command's standard error is one line, and says this
//	until REGEXP COMMAND…     the command is run again and again until its output says this
//	fill FILE…                $NAMES in the files are replaced by what they stand for
//	deliver USER FILE         a mail arrives in the user's mailbox, as a mail server leaves it there
//	inbox USER REGEXP         waits until a mail that says this is in the user's mailbox; with ! there is none now
//	smtp stop|start           the SMTP server goes away, or comes back on the same port
//	expired                   starts an IMAP server whose certificate has ended: $EXPIRED, trusted by ca.pem
//	newer-store DIR           makes the store one that a later supportd wrote
//	cut FILE BYTES            cuts a file to so many bytes
//
//	dns TYPE NAME VALUE       the name server has this record: txt, mx, or srv with host:port
//	vouch FIELD               the server puts this field above every mail
//	noplus on|off             the server does not deliver name+anything@domain
//	mkfolder USER FOLDER [USE] makes a folder in the user's mailbox, with its use (\Junk)
//	files FOLDER              the server puts mail into this folder from now on
//	empty USER [FOLDER]       the user's folder (INBOX) holds no mail
//
// $IMAP and $SMTP are the servers, $DNS is a name server, $CLOSED is a port where nobody listens.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("..", "..", "testdata", "scripts"),
		Setup: setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": scriptExits, "says": scriptSays, "until": scriptUntil, "fill": scriptFill, "deliver": scriptDeliver,
			"inbox": scriptInbox, "smtp": scriptSMTP, "expired": scriptExpired, "newer-store": scriptNewerStore, "cut": scriptCut,
			"dns": scriptDNS, "vouch": scriptVouch, "mkfolder": scriptMkfolder, "empty": scriptEmpty, "noplus": scriptNoPlus, "files": scriptFiles,
		},
		RequireExplicitExec: true,
	})
}

// TestMain makes the program itself a command of the scripts, and of the examples in the documents. A desk that a test
// starts looks through its store in a process of its own, which is this binary again. No test leaves a goroutine behind.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "check-store" {
		main()
		return
	}
	testscript.Main(leakless{m}, map[string]func(){"supportd": main})
}

// leakless runs tests, and fails when a goroutine is left.
type leakless struct{ tests testscript.TestingM }

// Run implements testscript.TestingM.
func (l leakless) Run() int {
	code := l.tests.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

type scriptServers struct{}
type scriptNames struct{}

// setupScript starts the servers of one script.
func setupScript(env *testscript.Env) error {
	s := &memoryServers{}
	var err error
	if s.imap, err = imaptest.NewServer(imaptest.Options{}); err != nil {
		return err
	}
	for _, user := range everybody() {
		s.imap.AddUser(user, "secret")
	}
	if err := s.startSMTP(); err != nil {
		s.imap.Close()
		return err
	}
	env.Defer(s.close)
	names, err := dnstest.NewServer()
	if err != nil {
		return err
	}
	env.Defer(func() { names.Close() })
	env.Values[scriptNames{}] = names
	env.Setenv("DNS", names.Addr())
	env.Setenv("LANG", "C")
	env.Setenv("LC_ALL", "")
	env.Values[scriptServers{}] = s
	env.Setenv("IMAP", s.imapAddr())
	env.Setenv("SMTP", s.smtpAddr())
	env.Setenv("CLOSED", "127.0.0.1:1") // a port that nobody gets without being root, and no system gives away
	env.Setenv("TZ", "UTC")
	env.Setenv("USER", "tester")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits a second at the end of every process
	return nil
}

func servers(ts *testscript.TestScript) *memoryServers {
	return ts.Value(scriptServers{}).(*memoryServers)
}

func usage(ts *testscript.TestScript, neg bool, ok bool, how string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", how)
	}
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "exits CODE COMMAND…")
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("%s ended with exit code %d, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}

func scriptSays(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "says REGEXP")
	text := ts.ReadFile("stderr")
	if !strings.HasPrefix(text, "supportd: ") || strings.Count(text, "\n") != 1 {
		ts.Fatalf("the error is not one line of supportd:\n%s", text)
	}
	if !matches(ts, args[0], text) {
		ts.Fatalf("the error does not say %s:\n%s", args[0], text)
	}
}

func matches(ts *testscript.TestScript, pattern, text string) bool {
	re, err := regexp.Compile("(?m)" + pattern)
	ts.Check(err)
	return re.MatchString(text)
}

// scriptAwait looks again and again until something is so.
func scriptAwait(ts *testscript.TestScript, what string, is func() bool) {
	deadline := time.After(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline:
			ts.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "until REGEXP COMMAND…")
	scriptAwait(ts, args[0], func() bool {
		_ = ts.Exec(args[1], args[2:]...) // what it says counts
		return matches(ts, args[0], ts.ReadFile("stdout")+ts.ReadFile("stderr"))
	})
}

func scriptFill(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) > 0, "fill FILE…")
	for _, name := range args {
		file := ts.MkAbs(name)
		b, err := os.ReadFile(file)
		ts.Check(err)
		ts.Check(os.WriteFile(file, []byte(os.Expand(string(b), ts.Getenv)), 0o600))
	}
}

func scriptDeliver(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "deliver USER FILE")
	raw := strings.ReplaceAll(ts.ReadFile(args[1]), "\n", "\r\n")
	ts.Check(servers(ts).put(args[0], []byte(raw), time.Time{}))
}

func scriptInbox(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, false, len(args) == 2, "[!] inbox USER REGEXP")
	there := func() bool {
		raws, err := servers(ts).inbox(args[0])
		ts.Check(err)
		return slices.ContainsFunc(raws, func(raw []byte) bool { return matches(ts, args[1], string(raw)) })
	}
	if !neg {
		scriptAwait(ts, "a mail for "+args[0]+" that says "+args[1], there)
	} else if there() {
		ts.Fatalf("a mail for %s says %s", args[0], args[1])
	}
}

func scriptSMTP(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1 && (args[0] == "stop" || args[0] == "start"), "smtp stop|start")
	if args[0] == "stop" {
		ts.Check(servers(ts).stopSMTP())
		return
	}
	ts.Check(servers(ts).startSMTP())
}

func scriptExpired(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "expired")
	s, err := imaptest.NewServer(imaptest.Options{TLS: true, CertUntil: time.Now().Add(-48 * time.Hour)})
	ts.Check(err)
	ts.Defer(func() { s.Close() })
	s.AddUser("hilfe", "secret")
	ts.Setenv("EXPIRED", s.Addr())
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), s.CA(), 0o600))
}

// scriptNewerStore raises the number of the schema. It stands in the file as bbolt lays it out: key and value side by
// side, without a checksum of bbolt's own.
func scriptNewerStore(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "newer-store DIR")
	file := ts.MkAbs(filepath.Join(args[0], "desk.db"))
	b, err := os.ReadFile(file)
	ts.Check(err)
	at := bytes.Index(b, []byte("schema\x00\x00\x00\x00\x00\x00\x00"))
	if at < 0 {
		ts.Fatalf("%s has no schema number", file)
	}
	b = bytes.ReplaceAll(b, b[at:at+14], []byte("schema\x00\x00\x00\x00\x00\x00\x00\x63"))
	ts.Check(os.WriteFile(file, b, 0o600))
}

func scriptCut(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "cut FILE BYTES")
	var n int64
	_, err := fmt.Sscan(args[1], &n)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// program runs supportd in this process and returns what it wrote and its exit code.
func program(t *testing.T, stdin io.Reader, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = execute(t.Context(), args, streams{in: stdin, out: &out, err: &err})
	return out.String(), err.String(), code
}
