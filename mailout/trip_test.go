package mailout

import (
	"errors"
	"strings"
	"testing"

	"supportd/mailout/smtptest"
)

var tryMail = []byte("From: desk@desk.example\r\nTo: a@b.example\r\n\r\ntext\r\n")

func TestTry(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	if err := Try(t.Context(), at(t, srv.Addr()), "", "a@b.example", tryMail); err != nil || srv.Count() != 1 {
		t.Fatalf("%v, %d mails", err, srv.Count())
	}
	if err := Try(t.Context(), at(t, srv.Addr()), "", "a@b.example", []byte("no line end")); err == nil || srv.Count() != 1 {
		t.Errorf("a mail without CRLF: %v", err)
	}
	for name, c := range map[string]struct {
		lines         []string
		want          string
		later, sender bool
	}{
		"recipient": {[]string{"> 250 ok", "< RCPT", "> 550 5.1.1 nobody here"}, "the mail to a@b.example was refused: 550 5.1.1 nobody here", false, false},
		"later":     {[]string{"> 250 ok", "< RCPT", "> 450 4.2.0 greylisted"}, "the mail to a@b.example was put off: 450 4.2.0 greylisted", true, false},
		"sender":    {[]string{"> 553 5.7.1 <> not allowed"}, "the sender was refused: 553 5.7.1 <> not allowed", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, append([]string{"> 220 x", "< EHLO", "> 250 x", "< MAIL FROM:<>"}, c.lines...)...)
			err := Try(t.Context(), at(t, s.Addr()), "", "a@b.example", tryMail)
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Later != c.later || refusal.Sender != c.sender || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("%v (%+v), want %s", err, refusal, c.want)
			}
		})
	}
}
