package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"supportd/mailin/imaptest"
)

// S-178: the socket is for its owner only, and one that a dead process left behind is no obstacle.
func TestSocketRights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "supportd.sock")
	stale, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	if err := askDaemon(t.Context(), path, "status", noArgs{}, nil); !errors.Is(err, errNotRunning) {
		t.Errorf("a stale socket: %v, want that nobody runs", err)
	}
	l, err := listenSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("rights of the socket: %v, %v, want 0600", info.Mode(), err)
	}
}

// A path that the kernel does not take for a socket works when there is a shorter spelling of it, and is refused with
// words when there is none.
func TestSocketLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := listenSocket(socketPath(dir)); err == nil || !strings.Contains(err.Error(), "too long for a unix socket") {
		t.Errorf("%v", err)
	}
	t.Chdir(dir)
	l, err := listenSocket(socketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func get(t *testing.T, h http.Handler, path string) (code int, header http.Header, body string) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	b, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Code, rec.Header(), string(b)
}

// The status page, the health check and the metrics tell counts and states: no address, subject or text of anybody.
// S-197
func TestStatusPage(t *testing.T) {
	s := startEmbedded(t).(*memoryServers)
	w := newWorld(t, s)
	w.start()
	w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, "Subject: Kanarienvogel\n\nWellensittich.\n")
	w.next("sabine")
	w.next("anna")
	w.settled(1)

	page := w.daemon.statusPage()
	code, header, html := get(t, page, "/")
	if code != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		t.Errorf("GET /: %d %s", code, header.Get("Content-Type"))
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy %q lets something in", csp)
	}
	for _, want := range []string{"supportd works", "connected", "They balance", `lang="en"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	code, _, health := get(t, page, "/healthz")
	if code != http.StatusOK || health != "ok\n" {
		t.Errorf("GET /healthz: %d %q", code, health)
	}
	code, _, metrics := get(t, page, "/metrics")
	if code != http.StatusOK {
		t.Errorf("GET /metrics: %d", code)
	}
	for _, want := range []string{
		`supportd_mailbox_connected{mailbox="support"} 1`, `supportd_messages{result="created"} 1`, `supportd_tickets{state="new"} 1`,
		`supportd_deliveries_total{result="sent"} 3`, `supportd_smtp_server_usable{server="default"} 1`, `supportd_config_last_reload_successful 1`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	for where, text := range map[string]string{"the page": html, "the health check": health, "the metrics": metrics} {
		for _, canary := range []string{"@", "Kanarienvogel", "Wellensittich", "Sabine", "Krause", "secret"} {
			if strings.Contains(text, canary) {
				t.Errorf("%s shows %q", where, canary)
			}
		}
	}
	if code, _, _ := get(t, page, "/desk.db"); code != http.StatusNotFound {
		t.Errorf("GET /desk.db: %d", code)
	}

	problems, err := testutil.CollectAndLint(w.daemon.metrics)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("metric %s: %s", p.Metric, p.Text)
	}

	// The server lets nobody in any more: the supervisor is told, and so is everybody who looks.
	s.imap.SetFaults(imaptest.Faults{RefuseLogin: "no"})
	s.imap.DropConnections()
	w.await("the desk to be not ready", func() bool { c, _, _ := get(t, page, "/healthz"); return c == http.StatusServiceUnavailable })
	if _, _, text := get(t, page, "/healthz"); !strings.HasPrefix(text, "not ready: mailbox support: ") {
		t.Errorf("GET /healthz: %q", text)
	}
	if _, _, html = get(t, page, "/"); !strings.Contains(html, "needs attention") || !strings.Contains(html, "not connected") {
		t.Error("the page does not say that a mailbox is not connected")
	}
}

// The page is served where listen: says, and a port that is taken is an error with the way out.
func TestStatusPageListens(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := taken.Addr().String()
	w := newWorld(t, startEmbedded(t))
	w.configure("listen: " + addr + "\n")
	d, err := NewDaemon(w.config, Options{Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "choose another port, or leave listen out") {
		t.Errorf("a port that is taken: %v", err)
	}
	taken.Close()
	w.start()
	resp, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("GET /healthz: %s", resp.Status)
	}
}

// A new file is in force as soon as it is written; a bad one changes nothing and is shown until it is mended. S-119
func TestReloadByFileChange(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.start()
	rev := func() string { return w.daemon.config.Load().Rev }
	status := func() statusView {
		v, err := w.daemon.status()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := rev()
	w.configure("first_response: 4h\n")
	w.await("the new file to be in force", func() bool { return rev() != first })
	second := rev()
	if n := len(w.daemon.desk.Rules().Levels["standard"].Targets["P3"].Times); n != 1 {
		t.Errorf("%d targets in force, want 1", n)
	}

	w.configure("first_response: four\n")
	w.await("the bad file to be refused", func() bool { return status().ReloadErr != "" })
	if v := status(); rev() != second || !v.Ready || !strings.Contains(v.ReloadErr, "supportd.yaml:9:") {
		t.Errorf("after a bad file: rev %s (was %s), ready %v, %q", rev(), second, v.Ready, v.ReloadErr)
	}
	if _, _, metrics := get(t, w.daemon.statusPage(), "/metrics"); !strings.Contains(metrics, "supportd_config_last_reload_successful 0\n") {
		t.Error("the metrics do not show that the file is not in force")
	}

	// Editors write aside and rename.
	aside := filepath.Join(w.dir, "supportd.yaml~")
	good, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(aside, []byte(strings.Replace(string(good), "four", "8h", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, w.config); err != nil {
		t.Fatal(err)
	}
	w.await("the mended file to be in force", func() bool { return status().ReloadErr == "" && rev() != second })
}

// A file that changes while the desk starts, before anything watches it, is in force too. S-119
func TestReloadOfChangeDuringStart(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	d, err := NewDaemon(w.config, Options{Now: w.now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	first := d.config.Load().Rev
	w.configure("first_response: 4h\n")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	w.await("the new file to be in force", func() bool { return d.config.Load().Rev != first })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// SIGHUP reloads, once a signal; the supervisor's way.
func TestReloadByHangup(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	hangup := make(chan os.Signal, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"run", "-c", w.config}, streams{out: io.Discard, err: &w.log, hangup: hangup})
	}()
	ask := func() (v statusView) {
		if askDaemon(t.Context(), socketPath(filepath.Join(w.dir, "state")), "status", noArgs{}, &v) != nil {
			return statusView{}
		}
		return v
	}
	w.await("the desk to be ready", func() bool { return ask().Ready })
	hangup <- os.Interrupt // which signal it is makes no difference to run
	w.await("the reload", func() bool { return !ask().Reloaded.IsZero() })
	cancel()
	if code := <-ended; code != exitFine {
		t.Errorf("exit code %d\n%s", code, w.log.String())
	}
}

// A question that this version does not know, or whose arguments are not what it takes, is answered with words.
func TestSocketQuestions(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.start()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	socket := socketPath(w.daemon.desk.Store.Dir())
	err := askDaemon(ctx, socket, "ticket.paint", noArgs{}, nil)
	if err == nil || !strings.Contains(err.Error(), "it may be of another version than the command") {
		t.Errorf("an unknown question: %v", err)
	}
	err = askDaemon(ctx, socket, "ticket.list", []int{1}, nil)
	if err == nil || !strings.Contains(err.Error(), "arguments") {
		t.Errorf("wrong arguments: %v", err)
	}
}

// S-177 S-178: whatever the desk writes is for its owner only, and the log, even a chatty one, has no text, subject or
// secret in it.
func TestFilesAndLogKeepToThemselves(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.start()
	w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, "Subject: Kanarienvogel\n\nWellensittich.\n")
	notice := w.next("anna")
	w.answer(anna, notice, "#solve\nNymphensittich.")
	w.next("anna")
	w.settled(2)
	backup := filepath.Join(w.dir, "state", "desk.tar")
	if _, errs, code := program(t, nil, "backup", "-c", w.config, backup); code != exitFine {
		t.Fatalf("backup: %s", errs)
	}
	files := 0
	err := filepath.WalkDir(filepath.Join(w.dir, "state"), func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the rights %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 6 {
		t.Errorf("looked at %d files: %v", files, err)
	}
	w.stopDesk()
	for _, canary := range []string{"Kanarienvogel", "Wellensittich", "Nymphensittich", "secret", sabine} {
		if strings.Contains(w.log.String(), canary) {
			t.Errorf("the log has %q:\n%s", canary, w.log.String())
		}
	}
}
