package mailout

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// The tests of this file hold for any SMTP server. They run on the embedded one, and on a real Postfix where one is
// installed; with SUPPORTD_REAL_SERVERS=1 a missing one fails them.

// smtpServer is what these tests need of a server. It takes mail for customer@desk.example, says 450 to
// greylist@desk.example and 550 to nobody@desk.example, and offers STARTTLS for localhost.
type smtpServer interface {
	addr() string
	// ca is a file with the authority to trust.
	ca() string
	// delivered are the mails that customer@desk.example got, with line ends of LF.
	delivered(t *testing.T) [][]byte
	down(t *testing.T)
	up(t *testing.T)
}

func onServers(t *testing.T, test func(t *testing.T, s smtpServer)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, newEmbedded(t)) })
	ok, err := smtptest.Available()
	switch {
	case ok:
		t.Run("postfix", func(t *testing.T) { test(t, newPostfix(t)) })
	case os.Getenv("SUPPORTD_REAL_SERVERS") == "1":
		t.Error(err)
	default:
		t.Log(err)
	}
}

// authority makes a certificate for localhost, its key and the authority to trust, as files.
func authority(t *testing.T) (o smtptest.Options, certFile, keyFile string) {
	t.Helper()
	cert, ca, err := smtptest.NewCertificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key})
	if err := errors.Join(os.WriteFile(certFile, ca, 0o600), os.WriteFile(keyFile, keyPEM, 0o600)); err != nil {
		t.Fatal(err)
	}
	return smtptest.Options{Certificate: cert}, certFile, keyFile
}

// embedded is an smtptest.Server that can be replaced by another one at the same port.
type embedded struct {
	options smtptest.Options
	server  *smtptest.Server
	at      string
	caFile  string
	before  []smtptest.Mail // of servers that are gone
}

func newEmbedded(t *testing.T) *embedded {
	t.Helper()
	o, ca, _ := authority(t)
	o.Fault = func(s smtptest.Step) smtptest.Fault {
		switch {
		case s.Verb == "RCPT" && s.To == "greylist@desk.example":
			return smtptest.Fault{Code: 450, Text: "come back later"}
		case s.Verb == "RCPT" && s.To == "nobody@desk.example":
			return smtptest.Fault{Code: 550, Text: "no such user"}
		}
		return smtptest.Fault{}
	}
	e := &embedded{options: o, caFile: ca}
	e.up(t)
	t.Cleanup(func() { e.down(t) })
	return e
}

func (e *embedded) addr() string { return e.at }
func (e *embedded) ca() string   { return e.caFile }

func (e *embedded) delivered(*testing.T) [][]byte {
	mails := e.before
	if e.server != nil {
		mails = append(mails[:len(mails):len(mails)], e.server.Mails()...)
	}
	var raws [][]byte
	for _, m := range mails {
		raws = append(raws, bytes.ReplaceAll(m.Data, []byte("\r\n"), []byte("\n")))
	}
	return raws
}

func (e *embedded) down(t *testing.T) {
	t.Helper()
	if e.server == nil {
		return
	}
	e.before = append(e.before, e.server.Mails()...)
	if err := e.server.Close(); err != nil {
		t.Error(err)
	}
	e.server = nil
}

func (e *embedded) up(t *testing.T) {
	t.Helper()
	at := e.at
	if at == "" {
		at = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	o := e.options
	o.Listener = l
	e.at = l.Addr().String()
	if e.server, err = smtptest.NewServer(o); err != nil {
		t.Fatal(err)
	}
}

// realPostfix is a Postfix of our own.
type realPostfix struct {
	*smtptest.Postfix
	caFile string
}

func newPostfix(t *testing.T) realPostfix {
	t.Helper()
	_, cert, key := authority(t)
	p, err := smtptest.StartPostfix(smtptest.PostfixOptions{
		Mailboxes:   map[string]string{"customer@desk.example": "customer"},
		Answers:     map[string]string{"greylist@desk.example": "450 4.2.0 come back later"},
		Certificate: cert, Key: key,
	})
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
	return realPostfix{p, cert}
}

func (p realPostfix) addr() string { return p.Addr() }
func (p realPostfix) ca() string   { return p.caFile }

func (p realPostfix) delivered(t *testing.T) [][]byte {
	t.Helper()
	raws, err := p.Delivered("customer")
	if err != nil {
		t.Fatal(err)
	}
	return raws
}

func (p realPostfix) down(t *testing.T) {
	t.Helper()
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
}

func (p realPostfix) up(t *testing.T) {
	t.Helper()
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
}

// waitDelivered waits until the customer has n mails.
func waitDelivered(t *testing.T, s smtpServer, n int) [][]byte {
	t.Helper()
	end, tick := time.After(time.Minute), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for {
		mails := s.delivered(t)
		if len(mails) >= n {
			return mails
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%d of %d mails delivered after a minute", len(mails), n)
		}
	}
}

func toServer(t *testing.T, s smtpServer) Server {
	t.Helper()
	server := at(t, s.addr())
	server.Host = "localhost"
	server.TLS, server.CAFile = TLSStart, s.ca()
	server.Backoff = []time.Duration{20 * time.Millisecond}
	server.Retry = []time.Duration{50 * time.Millisecond, time.Hour}
	return server
}

// What is accepted arrives as it was composed (S-036); a not-now is tried again, a no is not (S-041).
func TestServerTakesRefusesAndDefers(t *testing.T) {
	onServers(t, func(t *testing.T, s smtpServer) {
		var mails []tickets.Outgoing
		for n, class := range []tickets.Class{tickets.ClassAnswer, tickets.ClassAuto, tickets.ClassNotice, tickets.ClassReceipt} {
			mails = append(mails, outgoing(t, class, "customer@desk.example", n))
		}
		refused, deferred := outgoing(t, tickets.ClassAnswer, "nobody@desk.example", 8), outgoing(t, tickets.ClassAnswer, "greylist@desk.example", 9)
		b := newBox(t, append(mails, refused, deferred)...)
		run(t, sender(b, toServer(t, s)))
		b.waitFor(t, tickets.Sent, len(mails))
		b.waitFor(t, tickets.GivenUp, 1)
		b.wait(t, "two attempts at the deferred mail", func() bool { _, ends := b.get(6); return len(ends) == 2 })

		m, ends := b.get(5)
		if m.State != tickets.GivenUp || len(ends) != 1 || ends[0].Result != tickets.ResultPermanent || !strings.Contains(ends[0].Detail, "550") {
			t.Errorf("refused mail: %s, ends %+v", m.State, ends)
		}
		m, ends = b.get(6)
		if m.State != tickets.Deferred || ends[1].Result != tickets.ResultTemporary || !strings.Contains(ends[1].Detail, "450") {
			t.Errorf("deferred mail: %s, ends %+v", m.State, ends)
		}
		got := waitDelivered(t, s, len(mails))
		if len(got) != len(mails) {
			t.Errorf("%d mails delivered, want %d", len(got), len(mails))
		}
		for _, m := range mails {
			want := bytes.ReplaceAll(m.Bytes, []byte("\r\n"), []byte("\n"))
			found := false
			for _, raw := range got {
				found = found || bytes.HasSuffix(raw, want)
			}
			if !found {
				t.Errorf("%s mail %s did not arrive byte for byte", m.Class, m.MessageID)
			}
		}
	})
}

// While the server is down nothing counts as tried; when it is back everything leaves, once.
func TestServerDownAndUp(t *testing.T) {
	onServers(t, func(t *testing.T, s smtpServer) {
		b := newBox(t, outgoing(t, tickets.ClassAnswer, "customer@desk.example", 0))
		server := toServer(t, s)
		x := sender(b, server)
		wake := make(chan struct{}, 1)
		x.Wake = wake
		run(t, x)
		b.waitFor(t, tickets.Sent, 1)
		s.down(t)
		for n := 1; n <= 20; n++ {
			b.add(outgoing(t, tickets.ClassAnswer, "customer@desk.example", n))
		}
		wake <- struct{}{}
		b.wait(t, "the server is seen to be down", func() bool {
			st := x.Status()
			return len(st.Servers) == 1 && !st.Servers[0].Connected
		})
		s.up(t)
		b.waitFor(t, tickets.Sent, 21)
		got := waitDelivered(t, s, 21)
		seen := map[string]int{}
		for _, raw := range got {
			for line := range strings.Lines(string(raw)) {
				if id, ok := strings.CutPrefix(line, "Message-ID: "); ok {
					seen[strings.TrimSpace(id)]++
				}
			}
		}
		if len(got) != 21 || len(seen) != 21 {
			t.Errorf("%d mails with %d Message-IDs delivered, want 21 of each: %v", len(got), len(seen), seen)
		}
	})
}

// How long one mail takes from Wake to the server's 250, and to the mailbox, is logged.
func TestServerLatency(t *testing.T) {
	onServers(t, func(t *testing.T, s smtpServer) {
		b := newBox(t, outgoing(t, tickets.ClassAnswer, "customer@desk.example", 0))
		x := sender(b, toServer(t, s))
		wake := make(chan struct{}, 1)
		x.Wake = wake
		run(t, x)
		b.waitFor(t, tickets.Sent, 1)
		for n := 1; n <= 5; n++ {
			start := time.Now()
			b.add(outgoing(t, tickets.ClassAnswer, "customer@desk.example", n))
			wake <- struct{}{}
			b.waitFor(t, tickets.Sent, n+1)
			sent := time.Since(start)
			waitDelivered(t, s, n+1)
			t.Logf("sent after %s, delivered after %s", sent.Round(100*time.Microsecond), time.Since(start).Round(100*time.Microsecond))
		}
	})
}

func TestServerProbe(t *testing.T) {
	onServers(t, func(t *testing.T, s smtpServer) {
		server := toServer(t, s)
		report, err := Probe(t.Context(), server)
		if err != nil {
			t.Fatal(err)
		}
		if !report.STARTTLS || !strings.HasPrefix(report.TLS, "TLS 1.") {
			t.Errorf("report %+v", report)
		}
		server.CAFile = ""
		if _, err := Probe(t.Context(), server); err == nil {
			t.Error("an unknown authority was trusted")
		}
		if mails := s.delivered(t); len(mails) != 0 {
			t.Errorf("probing sent %d mails", len(mails))
		}
	})
}
