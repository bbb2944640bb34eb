package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/mailin/imaptest"
	"supportd/mailout/smtptest"
)

// Arrival to acknowledgement on an idle desk with IDLE: the time from the mail's arrival in the mailbox until the SMTP
// server has taken the acknowledgement. One operation is one mail.
//
//	go test ./cmd/supportd -run xxx -bench Acknowledgement -benchtime 200x
func BenchmarkAcknowledgement(b *testing.B) {
	acked := make(chan time.Time, 1)
	imap, addr := benchServers(b, func(_, to string, _ []byte) error {
		if strings.HasPrefix(to, "kunde") {
			acked <- time.Now()
		}
		return nil
	})
	d, ctx := benchDesk(b, imap, addr)
	_ = d
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		raw := customerMail(fmt.Sprintf("kunde%d@muster.example", i), fmt.Sprintf("Meldung %d", i), "Es geht nicht.")
		began := time.Now()
		if _, err := imap.Append("hilfe", "INBOX", raw, nil, time.Time{}); err != nil {
			b.Fatal(err)
		}
		select {
		case at := <-acked:
			took = append(took, at.Sub(began))
		case <-time.After(time.Minute):
			b.Fatal("no acknowledgement within a minute")
		case <-ctx.Done():
			b.Fatal("the desk ended")
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

func benchServers(b *testing.B, deliver func(from, to string, data []byte) error) (*imaptest.Server, string) {
	b.Helper()
	imap, err := imaptest.NewServer(imaptest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { imap.Close() })
	imap.AddUser("hilfe", "secret")
	smtp, err := smtptest.NewServer(smtptest.Options{Deliver: deliver, Forget: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { smtp.Close() })
	return imap, smtp.Addr()
}

// benchConfig writes the shortest configuration that a benchmark needs.
func benchConfig(b *testing.B, imap, smtp string) string {
	b.Helper()
	dir := b.TempDir()
	path := filepath.Join(dir, "supportd.yaml")
	if err := os.WriteFile(filepath.Join(dir, "hilfe.pw"), []byte("secret\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	text := fmt.Sprintf("version: 1\nmailbox: {imap: %q, smtp: %q, user: hilfe, password_file: hilfe.pw, tls: none, trusted: true, since: 2026-01-01}\nfrom: Hilfe <%s>\nteam: [%s]\n", imap, smtp, deskAddress, anna)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func benchDesk(b *testing.B, imap *imaptest.Server, smtp string) (*Daemon, context.Context) {
	b.Helper()
	ready := make(chan struct{})
	d, err := NewDaemon(benchConfig(b, imap.Addr(), smtp), Options{Log: discard(), Ready: func(*Daemon) { close(ready) }})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cancel(d.Run(ctx))
	}()
	b.Cleanup(func() { cancel(nil); <-ended })
	<-ready
	waitFor(b, func() bool { v, err := d.status(); return err == nil && v.Ready })
	return d, ctx
}

func waitFor(b *testing.B, is func() bool) {
	b.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(10 * time.Minute)
	for !is() {
		select {
		case <-look.C:
		case <-deadline:
			b.Fatal("waited ten minutes in vain")
		}
	}
}

// A backlog of 20,000 messages, read by the program as a process of its own: how fast, and in how much memory. The
// servers run in the benchmark's process and do not count.
//
//	go test ./cmd/supportd -run xxx -bench Backlog -benchtime 1x -timeout 30m
func BenchmarkBacklog(b *testing.B) {
	const messages = 20000
	for b.Loop() {
		imap, addr := benchServers(b, nil)
		random := rand.New(rand.NewPCG(1, 2))
		for i := range messages {
			if _, err := imap.Append("hilfe", "INBOX", backlogMail(random, i), nil, time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
		p := startProgram(b, benchConfig(b, imap.Addr(), addr))
		began := time.Now()
		peak := p.watch(func(v statusView) bool { return v.Books.Seen >= messages })
		b.ReportMetric(messages/time.Since(began).Seconds(), "messages/s")
		b.ReportMetric(float64(peak.rss)/1024, "peak-RSS-MiB")
		b.ReportMetric(float64(peak.anon)/1024, "peak-RssAnon-MiB")
		p.stop()
	}
	b.ReportMetric(0, "ns/op")
}

// Memory of an idle desk, as a process of its own.
//
//	go test ./cmd/supportd -run xxx -bench Idle -benchtime 1x
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		imap, addr := benchServers(b, nil)
		p := startProgram(b, benchConfig(b, imap.Addr(), addr))
		peak := p.watch(func(v statusView) bool { return v.Ready })
		b.ReportMetric(float64(peak.rss)/1024, "RSS-MiB")
		b.ReportMetric(float64(peak.anon)/1024, "RssAnon-MiB")
		p.stop()
	}
	b.ReportMetric(0, "ns/op")
}

// backlogMail makes a mail as support mailboxes hold them: most around 8 KB, some with an attachment, a few large.
func backlogMail(random *rand.Rand, i int) []byte {
	words := strings.Fields("Guten Tag der Drucker im zweiten Stock druckt nicht mehr bitte um Hilfe Fehler Anmeldung Passwort Rechnung Server the printer does not work please help login invoice")
	var text strings.Builder
	for range 40 + random.IntN(900) {
		text.WriteString(words[random.IntN(len(words))])
		text.WriteByte(" \n"[min(random.IntN(12)/11, 1)])
	}
	raw := string(customerMail(fmt.Sprintf("kunde%d@muster.example", random.IntN(5000)), fmt.Sprintf("Meldung %d", i), text.String()))
	size := 0
	switch n := random.IntN(1000); {
	case n < 1:
		size = 5 << 20
	case n < 50:
		size = 100<<10 + random.IntN(200<<10)
	case n < 200:
		size = 10 << 10
	}
	if size == 0 {
		return []byte(raw)
	}
	data := make([]byte, size)
	for j := range data {
		data[j] = byte(random.Uint32())
	}
	head, body, _ := strings.Cut(raw, "Content-Type: text/plain; charset=utf-8\r\n\r\n")
	encoded := base64.StdEncoding.EncodeToString(data)
	var lines strings.Builder
	for len(encoded) > 0 {
		n := min(76, len(encoded))
		lines.WriteString(encoded[:n] + "\r\n")
		encoded = encoded[n:]
	}
	return []byte(head + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body +
		"\r\n--x\r\nContent-Type: application/pdf; name=bild.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines.String() + "--x--\r\n")
}

// runningProgram is supportd as a process of its own.
type runningProgram struct {
	b     *testing.B
	cmd   *exec.Cmd
	state string
}

type memory struct{ rss, anon int } // KiB

func startProgram(b *testing.B, config string) *runningProgram {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "supportd")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	p := &runningProgram{b: b, cmd: exec.Command(binary, "run", "-c", config, "--log-level", "error"), state: filepath.Join(filepath.Dir(config), "state")}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.stop)
	return p
}

// watch follows the program's memory until its status is as wanted, and then for a moment longer.
func (p *runningProgram) watch(enough func(statusView) bool) memory {
	var peak memory
	settled := 0
	waitFor(p.b, func() bool {
		now := p.memory()
		peak.rss, peak.anon = max(peak.rss, now.rss), max(peak.anon, now.anon)
		var v statusView
		if err := askDaemon(context.Background(), socketPath(p.state), "status", noArgs{}, &v); err == nil && enough(v) {
			settled++
		}
		return settled > 20
	})
	return peak
}

func (p *runningProgram) memory() (m memory) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.b.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &m.rss)
		_, _ = fmt.Sscanf(line, "RssAnon: %d kB", &m.anon)
	}
	return m
}

func (p *runningProgram) stop() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended already
		_ = p.cmd.Wait()
	}
}
