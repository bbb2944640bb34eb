package smtptest_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailout/smtptest"
)

func start(t *testing.T, o smtptest.Options) *smtptest.Server {
	t.Helper()
	s, err := smtptest.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

const body = "Subject: x\r\n\r\n.dot\r\n"

func code(err error) int {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}

// What is sent is kept, passed on to each recipient, and waited for.
func TestServerDelivers(t *testing.T) {
	var mu sync.Mutex
	var delivered []string
	s := start(t, smtptest.Options{Deliver: func(from, to string, data []byte) error {
		mu.Lock()
		defer mu.Unlock()
		if to == "full@x.example" {
			return errors.New("mailbox full")
		}
		delivered = append(delivered, from+">"+to+":"+string(data))
		return nil
	}})
	if err := smtp.SendMail(s.Addr(), nil, "a@x.example", []string{"b@x.example", "c@x.example"}, []byte(body)); err != nil {
		t.Fatal(err)
	}
	mails, err := s.Wait(t.Context(), 1)
	if err != nil || len(mails) != 1 || string(mails[0].Data) != body || len(mails[0].To) != 2 {
		t.Errorf("%v, %v", mails, err)
	}
	if err := smtp.SendMail(s.Addr(), nil, "a@x.example", []string{"full@x.example"}, []byte(body)); code(err) != 451 {
		t.Errorf("a failed delivery was answered with %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := "a@x.example>b@x.example:" + body; len(delivered) != 2 || delivered[0] != want {
		t.Errorf("%q", delivered)
	}
}

func TestServerFaults(t *testing.T) {
	for _, verb := range []string{smtptest.Connect, smtptest.Hello, smtptest.MailFrom, smtptest.RcptTo, smtptest.Body, smtptest.End} {
		for _, c := range []int{421, 451, 550} {
			s := start(t, smtptest.Options{Fault: smtptest.Refuse(verb, c)})
			err := smtp.SendMail(s.Addr(), nil, "a@x.example", []string{"b@x.example"}, []byte(body))
			// A refused EHLO is followed by HELO, which is answered in another way.
			if got := code(err); got != c && verb != smtptest.Hello || err == nil || s.Count() != 0 {
				t.Errorf("%d at %s: %v, %d mails", c, verb, err, s.Count())
			}
		}
	}
	for _, verb := range []string{smtptest.Connect, smtptest.Hello, smtptest.MailFrom, smtptest.RcptTo, smtptest.End} {
		for keep, want := range map[bool]int{false: 0, true: 1} {
			s := start(t, smtptest.Options{Fault: func(st smtptest.Step) smtptest.Fault {
				if st.Verb == verb {
					return smtptest.Fault{Drop: smtptest.DropBefore, Keep: keep}
				}
				return smtptest.Fault{}
			}})
			err := smtp.SendMail(s.Addr(), nil, "a@x.example", []string{"b@x.example"}, []byte(body))
			if verb != smtptest.End {
				want = 0
			}
			if err == nil || code(err) != 0 || s.Count() != want {
				t.Errorf("dropped at %s, keep %v: %v, %d mails", verb, keep, err, s.Count())
			}
		}
	}
}

func TestServerGreylist(t *testing.T) {
	s := start(t, smtptest.Options{Fault: smtptest.Greylist(2)})
	for try, want := range []int{450, 450, 0} {
		err := smtp.SendMail(s.Addr(), nil, "a@x.example", []string{"b@x.example"}, []byte(body))
		if got := code(err); got != want || want == 0 && err != nil {
			t.Errorf("try %d: %v, want %d", try, err, want)
		}
	}
}

func TestServerAccountsAndTLS(t *testing.T) {
	cert, pem, err := smtptest.NewCertificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate")
	}
	s := start(t, smtptest.Options{Certificate: cert, Accounts: map[string]string{"desk": "secret"}})
	for password, want := range map[string]int{"wrong": 535, "secret": 0} {
		c, err := smtp.Dial(s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.StartTLS(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
		if err := c.Mail("a@x.example"); code(err) != 530 {
			t.Errorf("MAIL before the login: %v", err)
		}
		err = c.Auth(smtp.PlainAuth("", "desk", password, "127.0.0.1"))
		if got := code(err); got != want || want == 0 && err != nil {
			t.Errorf("password %s: %v", password, err)
		}
		c.Close()
	}
	if s.Logins() != 2 || s.Connects() != 2 {
		t.Errorf("%d logins, %d connections", s.Logins(), s.Connects())
	}
}

// A script says what it is told to and hears what it is told.
func TestScript(t *testing.T) {
	s, err := smtptest.NewScript(nil, "> 220 hi", "< EHLO", `> 250-hi\r\n250 PIPELINING`, "< MAIL", "> 550 no", "hang")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("a@x.example"); code(err) != 550 {
		t.Errorf("MAIL: %v", err)
	}
	c.Close()
	if !s.Drained(t.Context()) || s.Connects() != 1 || !strings.HasPrefix(s.Heard()[1], "MAIL FROM:<a@x.example>") {
		t.Errorf("heard %q over %d connections", s.Heard(), s.Connects())
	}
}
