package mailout

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// secure starts a server with a certificate for the names, and returns the configuration that trusts it.
func secure(t testing.TB, o smtptest.Options, mode TLS, notAfter time.Time, names ...string) (*smtptest.Server, Server) {
	t.Helper()
	cert, pem, err := smtptest.NewCertificate(notAfter.Add(-365*24*time.Hour), notAfter, names...)
	if err != nil {
		t.Fatal(err)
	}
	o.Certificate, o.Implicit = cert, mode == TLSImplicit
	srv := newServer(t, o)
	server := at(t, srv.Addr())
	server.TLS, server.CAFile = mode, pemFile(t, pem)
	return srv, server
}

// S-147: TLS of both kinds works with a certificate for the host, and nothing is sent without one.
func TestTLSCertificates(t *testing.T) {
	year := 365 * 24 * time.Hour
	for _, mode := range []TLS{TLSImplicit, TLSStart} {
		for _, c := range []struct {
			name     string
			notAfter time.Time
			host     string
			trusted  bool
			ok       bool
		}{
			{"good", time.Now().Add(year / 2), "127.0.0.1", true, true},
			{"unknown authority", time.Now().Add(year / 2), "127.0.0.1", false, false},
			{"expired", time.Now().Add(-time.Hour), "127.0.0.1", true, false},
			{"another name", time.Now().Add(year / 2), "mail.other.example", true, false},
		} {
			accounts := map[string]string{"desk": "secret"}
			srv, server := secure(t, smtptest.Options{Accounts: accounts}, mode, c.notAfter, c.host)
			server.User, server.Password = "desk", "secret"
			if !c.trusted {
				server.CAFile = ""
			}
			b := newBox(t, outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
			s := sender(b, server)
			stop := run(t, s)
			if c.ok {
				b.waitFor(t, tickets.Sent, 1)
				if m := srv.Mails()[0]; !m.TLS || m.User != "desk" {
					t.Errorf("%s, %s: TLS %v, user %q", mode, c.name, m.TLS, m.User)
				}
			} else {
				b.wait(t, "a result", func() bool { _, ends := b.get(1); return len(ends) > 0 })
				_, ends := b.get(1)
				if ends[0].Result != tickets.ResultUntried || !strings.Contains(ends[0].Detail, "the certificate is not accepted") ||
					!strings.Contains(ends[0].Detail, "check host and ca_file") {
					t.Errorf("%s, %s: %+v", mode, c.name, ends[0])
				}
				if srv.Count() != 0 || srv.Logins() != 0 {
					t.Errorf("%s, %s: %d mails, %d logins", mode, c.name, srv.Count(), srv.Logins())
				}
			}
			stop()
		}
	}
}

// S-148, S-150, S-151, S-152: a connection that somebody has tampered with sees neither a password nor a mail.
func TestTLSTampering(t *testing.T) {
	cert, pem, err := smtptest.NewCertificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string][]string{
		"S-148 STARTTLS stripped": {"> 220 hi", "< EHLO", `> 250-hi\r\n250 AUTH PLAIN`, "<", "hang"},
		"S-150 injected reply":    {"> 220 hi", "< EHLO", `> 250-hi\r\n250 STARTTLS`, "< STARTTLS", `> 220 go\r\n250-evil\r\n250 AUTH PLAIN`, "tls", "<", "> 250 hi", "hang"},
		"S-151 AUTH only before TLS": {"> 220 hi", "< EHLO", `> 250-hi\r\n250-AUTH PLAIN\r\n250 STARTTLS`, "< STARTTLS", "> 220 go", "tls",
			"< EHLO", "> 250 hi", "<", "hang"},
		"no TLS behind STARTTLS": {"> 220 hi", "< EHLO", `> 250-hi\r\n250 STARTTLS`, "< STARTTLS", "> 220 go", "> 250 hello in clear", "hang"},
	} {
		srv, err := smtptest.NewScript(cert, lines...)
		if err != nil {
			t.Fatal(err)
		}
		server := at(t, srv.Addr())
		server.TLS, server.CAFile, server.User, server.Password = TLSStart, pemFile(t, pem), "desk", "secret"
		if _, err := Probe(t.Context(), server); err == nil {
			t.Errorf("%s: no error", name)
		}
		if !srv.Drained(t.Context()) {
			t.Errorf("%s: the connection stays open", name)
		}
		if heard := strings.Join(srv.Heard(), "\n"); strings.Contains(heard, "AUTH") || strings.Contains(heard, "MAIL") {
			t.Errorf("%s: heard %q", name, heard)
		}
		srv.Close()
	}
}

// elsewhere is a connection that seems to lead to another machine.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }

// S-152 and pitfall 10: without TLS nothing leaves this machine, no password either.
func TestNoTLSOnlyOnLoopback(t *testing.T) {
	srv := newServer(t, smtptest.Options{Accounts: map[string]string{"desk": "secret"}})
	server, err := at(t, srv.Addr()).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	server.User, server.Password = "desk", "secret"
	_, err = connect(t.Context(), server, func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return elsewhere{c}, err
	}, "")
	var se *ServerError
	if !errors.As(err, &se) || !se.Config || !strings.Contains(err.Error(), "tls: none is for servers on this machine only") {
		t.Errorf("error %v", err)
	}
	if srv.Logins() != 0 {
		t.Error("a login was tried")
	}
}

// Pitfall 10: which login is used, and that a token can take the password's place.
func TestLogin(t *testing.T) {
	ok := []string{"> 235 ok", "< QUIT", "> 221 bye"}
	hello := func(mechanisms string, more ...string) []string {
		return append([]string{"> 220 hi", "< EHLO", `> 250-hi\r\n250 AUTH ` + mechanisms}, more...)
	}
	for _, c := range []struct {
		name  string
		lines []string
		token string
		heard string
	}{
		{"PLAIN", hello("LOGIN PLAIN", append([]string{"< AUTH PLAIN"}, ok...)...), "", "AUTH PLAIN AGRlc2sAc2VjcmV0"},
		{"LOGIN", hello("LOGIN", append([]string{"< AUTH LOGIN", "> 334 VXNlcm5hbWU6", "< ZGVzaw==", "> 334 UGFzc3dvcmQ6", "< c2VjcmV0"}, ok...)...), "", "c2VjcmV0"},
		{"token", hello("XOAUTH2", append([]string{"< AUTH XOAUTH2"}, ok...)...), "XOAUTH2", "AUTH XOAUTH2 dXNlcj1kZXNrAWF1dGg9QmVhcmVyIHRva2VuAQE="},
		{"none known", hello("GSSAPI", "< NEVER"), "", ""},
		{"token refused", hello("XOAUTH2", "< AUTH", "> 334 eyJzdGF0dXMiOiI0MDEifQ==", "<", "> 535 5.7.8 no", "< QUIT", "> 221 bye"), "XOAUTH2", ""},
		{"bearer refused", hello("OAUTHBEARER", "< AUTH", "> 334 e30=", "< AQ==", "> 535 5.7.8 no", "< *", "> 500 what", "< QUIT", "> 221 bye"), "OAUTHBEARER", ""},
	} {
		srv := newScript(t, c.lines...)
		server := at(t, srv.Addr())
		server.User, server.Password = "desk", "secret"
		if c.token != "" {
			server.Token = func(context.Context, string) (string, error) { return "token", nil }
		}
		report, err := Probe(t.Context(), server)
		heard := strings.Join(srv.Heard(), "\n")
		if c.heard != "" && (err != nil || !report.LoggedIn || !strings.Contains(heard, c.heard)) {
			t.Errorf("%s: %v, heard %q", c.name, err, heard)
		}
		var se *ServerError
		if c.heard == "" && (!errors.As(err, &se) || !se.Config) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A relay on this machine that offers no login is used without one.
func TestNoLoginOfferedOnLoopback(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	server := at(t, srv.Addr())
	server.User, server.Password = "desk", "secret"
	if report, err := Probe(t.Context(), server); err != nil || report.LoggedIn {
		t.Errorf("%+v, %v", report, err)
	}
	b := newBox(t, outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
	run(t, sender(b, server))
	b.waitFor(t, tickets.Sent, 1)
}

// S-153: floods of reply lines and lines without an end are cut off.
func TestReplyFloods(t *testing.T) {
	for name, lines := range map[string][]string{
		"greeting":      {"flood 100000000"},
		"EHLO":          {"> 220 hi", "< EHLO", "flood 100000000"},
		"endless line":  {"> 220 hi", "< EHLO", `> 250-\c`, "again 1"},
		"no reply code": {"> hello"},
		"odd greeting":  {"> 554 no mail here"},
		"wrong code":    {"> 999 what"},
	} {
		srv := newScript(t, lines...)
		_, err := Probe(t.Context(), at(t, srv.Addr()))
		if err == nil || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 1000 {
			t.Errorf("%s: error %v", name, err)
		}
		if !srv.Drained(t.Context()) {
			t.Errorf("%s: the connection stays open", name)
		}
	}
}

// What comes of servers that do not keep to the protocol. Pitfall 2: without a code nothing is permanent.
func TestSendMisbehaviour(t *testing.T) {
	hello, pipelining := []string{"> 220 hi", "< EHLO", "> 250 hi"}, []string{"> 220 hi", "< EHLO", `> 250-hi\r\n250 PIPELINING`}
	with := func(head []string, more ...string) []string { return append(append([]string(nil), head...), more...) }
	scripts := 0
	for _, c := range []struct {
		name   string
		lines  []string
		result tickets.DeliveryResult
		detail string
	}{
		{"well done", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 251 will forward", "< DATA", "> 354 go", "data", "> 250 ok", "hang"), tickets.ResultSent, "250 ok"},
		{"well done together", with(pipelining, "< MAIL", "< RCPT", "< DATA", "> 250 ok", "> 250 ok", "> 354 go", "data", "> 250 ok", "hang"), tickets.ResultSent, "250 ok"},
		{"EHLO unknown", []string{"> 220 hi", "< EHLO", "> 502 what", "< HELO", "> 250 hi", "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA",
			"> 354 go", "data", "> 250 ok", "hang"}, tickets.ResultSent, "250 ok"},
		{"RSET refused later, 250 stays", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "data", "> 250 ok", "<", "> 500 no"), tickets.ResultSent, ""},
		{"354 then close", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "close"), tickets.ResultAmbiguous, ""},
		{"dot, then close", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "data", "close"), tickets.ResultAmbiguous, "may be sent more than once"},
		{"dot, then nonsense", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "data", "> thanks", "hang"), tickets.ResultAmbiguous, ""},
		{"dot, then 354", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "data", "> 354 more", "hang"), tickets.ResultAmbiguous, "354 more"},
		{"dot, then 421", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "data", "> 421 going down", "close"), tickets.ResultTemporary, "421 going down"},
		{"DATA 554", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 554 no", "hang"), tickets.ResultPermanent, "554 no"},
		{"DATA 451", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 451 later", "hang"), tickets.ResultTemporary, "451 later"},
		{"DATA 250", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 250 ok", "hang"), tickets.ResultTemporary, ""},
		{"MAIL 451", with(hello, "< MAIL", "> 451 later", "hang"), tickets.ResultTemporary, "451 later"},
		{"MAIL 421", with(hello, "< MAIL", "> 421 later", "close"), tickets.ResultTemporary, "421 later"},
		{"MAIL 552", with(hello, "< MAIL", "> 552 too big", "hang"), tickets.ResultPermanent, "552 too big"},
		{"MAIL 5.3.4", with(hello, "< MAIL", "> 554 5.3.4 too big", "hang"), tickets.ResultPermanent, "554 5.3.4 too big"},
		{"MAIL 553", with(hello, "< MAIL", "> 553 not you", "hang"), tickets.ResultUntried, "553 not you"},
		{"RCPT 421", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 421 later", "close"), tickets.ResultTemporary, "421 later"},
		{"RCPT 550 with ESC", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 550-you\x1b[2J\r\n550 are spam", "hang"), tickets.ResultPermanent, "550 you [2J are spam"},
		{"RCPT 550, DATA 354", with(pipelining, "< MAIL", "< RCPT", "< DATA", "> 250 ok", "> 550 who", "> 354 go", "data", "> 554 nobody", "hang"), tickets.ResultPermanent, "550 who"},
		{"RCPT 550, DATA 503", with(pipelining, "< MAIL", "< RCPT", "< DATA", "> 250 ok", "> 550 who", "> 503 no", "hang"), tickets.ResultPermanent, "550 who"},
		{"MAIL 451, all refused", with(pipelining, "< MAIL", "< RCPT", "< DATA", "> 451 later", "> 503 no", "> 503 no", "hang"), tickets.ResultTemporary, "451 later"},
		{"close at once", []string{"close"}, tickets.ResultUntried, "no proper greeting"},
		{"421 greeting", []string{"> 421 busy", "close"}, tickets.ResultUntried, "421 busy"},
		{"greeting in several lines", []string{`> 220-hi\r\n220-be nice\r\n220 go`, "< EHLO", "> 250 hi", "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "data",
			"> 250 ok", "hang"}, tickets.ResultSent, "250 ok"},
		{"RCPT 450, greylisted", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 450 4.2.0 greylisted", "hang"), tickets.ResultTemporary, "450 4.2.0 greylisted"},
		{"RCPT 452, mailbox full", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 452 4.2.2 full", "hang"), tickets.ResultTemporary, "452 4.2.2 full"},
		{"DATA 421", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 421 4.3.2 going down", "close"), tickets.ResultTemporary, "421 4.3.2 going down"},
		{"dot, then 550 in several lines", with(hello, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "data", `> 550-5.7.1 spam\r\n550 5.7.1 surely`, "hang"),
			tickets.ResultPermanent, "550 5.7.1"},
		{"EHLO, then close", []string{"> 220 hi", "< EHLO", "close"}, tickets.ResultUntried, ""},
		{"RCPT, then close", with(hello, "< MAIL", "> 250 ok", "< RCPT", "close"), tickets.ResultTemporary, ""},
		{"flood at RCPT", with(hello, "< MAIL", "> 250 ok", "< RCPT", "flood 100000000"), tickets.ResultTemporary, "connection lost"},
	} {
		scripts++
		srv := newScript(t, c.lines...)
		b := newBox(t, outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
		server := at(t, srv.Addr())
		server.Timeouts.Quit = 10 * time.Millisecond // nobody answers it here
		stop := run(t, sender(b, server))
		b.wait(t, "a result of "+c.name, func() bool { _, ends := b.get(1); return len(ends) > 0 })
		stop()
		if _, ends := b.get(1); ends[0].Result != c.result || !strings.Contains(ends[0].Detail, c.detail) || strings.ContainsAny(ends[0].Detail, "\x1b\r\n") {
			t.Errorf("%s: %s, %q; want %s, %q", c.name, ends[0].Result, ends[0].Detail, c.result, c.detail)
		}
	}
	if t.Logf("%d scripts of misbehaving SMTP servers", scripts); scripts < 25 {
		t.Errorf("%d scripts, want 25", scripts)
	}
}

// After a refusal the connection is used on, behind a RSET.
func TestSendResetAfterRefusal(t *testing.T) {
	srv := newScript(t, "> 220 hi", "< EHLO", "> 250 hi", "< MAIL", "> 250 ok", "< RCPT", "> 550 who",
		"< RSET", "> 250 ok", "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "data", "> 250 ok", "< QUIT", "> 221 bye")
	b := newBox(t, many(t, tickets.ClassAnswer, 2)...)
	server := at(t, srv.Addr())
	server.Connections = 1
	stop := run(t, sender(b, server))
	b.waitFor(t, tickets.Sent, 1)
	stop()
	if b.count(tickets.GivenUp) != 1 || srv.Connects() != 1 || !srv.Drained(t.Context()) {
		t.Errorf("%d refused, %d connections, heard %q", b.count(tickets.GivenUp), srv.Connects(), srv.Heard())
	}
}

// S-048: what arrives at a server that reads by the book is what was composed: one mail, no bare CR or LF.
func FuzzDotStuff(f *testing.F) {
	f.Add("a\r\n.\r\nb\r\n")
	f.Add(".\r\n")
	f.Add("..\r\n.x\r\n\r\n.\r\n.\r\n")
	f.Add(strings.Repeat("x\r\n.", 30000))
	f.Add(strings.Repeat("0123456789abcde\r\n", 4096)[:65534] + "\r\n.y\r\n")
	server := newServer(f, smtptest.Options{})
	config, err := at(f, server.Addr()).withDefaults()
	if err != nil {
		f.Fatal(err)
	}
	s, err := connect(context.Background(), config, new(net.Dialer).DialContext, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.quit)
	f.Fuzz(func(t *testing.T, text string) {
		raw := []byte("Subject: x\r\n\r\n" + text)
		if checkBytes(raw) != nil || !ascii(text) {
			l := letter(tickets.ClassAuto)
			l.Text = text
			raw = compose(t, l)
		}
		before := server.Count()
		if o := s.send(&tickets.Outgoing{Recipient: "c@customer.example", Bytes: raw}); o.result != tickets.ResultSent {
			t.Fatalf("%+v", o)
		}
		mails := server.Mails()
		if len(mails) != before+1 || !bytes.Equal(mails[before].Data, raw) {
			t.Fatalf("%d mails arrived, or another one", len(mails)-before)
		}
	})
}

// FuzzSMTPReply feeds replies to a transaction: it ends, in one of the known ways, and what is kept is one clean line.
func FuzzSMTPReply(f *testing.F) {
	f.Add("250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n")
	f.Add("250-\r\n250 ok\r\n550 5.1.1 \x1b[2J\r\n")
	f.Add("25\r\n")
	f.Add("250 ok\n250 ok\n354\n421 \xff\n")
	f.Fuzz(func(t *testing.T, replies string) {
		client, server := net.Pipe()
		defer server.Close()
		go func() {
			// The other side may hang up before it has heard everything.
			_, _ = io.WriteString(server, "220 hi\r\n250 hi\r\n"+replies)
			server.Close()
		}()
		config, err := Server{Host: "mail.example", TLS: TLSNone}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		s, err := connect(t.Context(), config, func(context.Context, string, string) (net.Conn, error) { return deaf{client}, nil }, "")
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		o := s.send(&tickets.Outgoing{Recipient: "c@customer.example", Bytes: []byte("Subject: x\r\n\r\nx\r\n")})
		switch o.result {
		case tickets.ResultSent, tickets.ResultTemporary, tickets.ResultPermanent, tickets.ResultAmbiguous, tickets.ResultUntried:
		default:
			t.Errorf("ended as %q", o.result)
		}
		if strings.ContainsFunc(o.detail, unicode.IsControl) || !utf8.ValidString(o.detail) || len(o.detail) > 2000 || o.result == tickets.ResultPermanent && o.code/100 != 5 {
			t.Errorf("%+v", o)
		}
	})
}

// deaf is a connection whose other side does not listen.
type deaf struct{ net.Conn }

func (deaf) Write(p []byte) (int, error) { return len(p), nil }

func TestProbe(t *testing.T) {
	now := time.Now()
	srv, server := secure(t, smtptest.Options{Accounts: map[string]string{"desk": "secret"}, SMTPUTF8: true, DSN: true, MaxSize: 1000},
		TLSStart, now.Add(30*24*time.Hour+time.Hour), "127.0.0.1")
	server.User, server.Password = "desk", "secret"
	r, err := Probe(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	if r.TLS != "TLS 1.3" || r.DaysLeft(now) != 30 || !r.LoggedIn || !r.STARTTLS || !r.SMTPUTF8 || !r.DSN || !r.Pipelining || !r.EightBit ||
		r.Size != 1000 || strings.Join(r.Auth, " ") != "PLAIN LOGIN" {
		t.Errorf("report %+v", r)
	}
	if srv.Count() != 0 {
		t.Error("a mail was sent")
	}
	server.Password = "wrong-Canary"
	_, err = Probe(t.Context(), server)
	want := `smtp server "default" at ` + srv.Addr() + `: login as "desk" was refused: 535 5.7.8 Authentication failed; check user and password_file`
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err = Probe(t.Context(), at(t, l.Addr().String())); err == nil || !strings.Contains(err.Error(), "check host and port") {
		t.Errorf("nobody listens: %v", err)
	}
	server.CAFile += ".none"
	if _, err = Probe(t.Context(), server); err == nil || !strings.Contains(err.Error(), "ca_file") {
		t.Errorf("no ca_file: %v", err)
	}
}
