package mailout

import (
	"context"
	"fmt"
	"net"
	"time"

	"supportd/tickets"
)

// Refusal is a server's no, or not now, to one mail.
type Refusal struct {
	Server    string // name in the configuration
	Addr      string // host:port
	Recipient string
	Detail    string // the server's words, on one line
	Later     bool   // the server may take it at another time
	Sender    bool   // it is the sender that the server does not take
}

// Error gives one plain line.
func (e *Refusal) Error() string {
	what := "the mail to " + e.Recipient + " was refused"
	switch {
	case e.Sender:
		what = "the sender was refused"
	case e.Later:
		what = "the mail to " + e.Recipient + " was put off"
	}
	return fmt.Sprintf("smtp server %q at %s: %s: %s", e.Server, e.Addr, what, e.Detail)
}

// Try hands one mail to the server, once and outside of any outbox: for mails that the operator sends to see whether the
// server takes them. The envelope sender is "<>", as of the desk's automatic answers, unless from is given. The error is
// a *ServerError, a *Refusal, or says that it is not known whether the mail was taken.
func Try(ctx context.Context, server Server, from, to string, raw []byte) error {
	server, err := server.withDefaults()
	if err != nil {
		return err
	}
	if err := checkBytes(raw); err != nil {
		return fmt.Errorf("send a mail to %s: %w", to, err)
	}
	for _, t := range []*time.Duration{&server.Timeouts.Mail, &server.Timeouts.Rcpt, &server.Timeouts.Data, &server.Timeouts.End} {
		*t = min(*t, time.Minute) // somebody waits for it
	}
	s, err := connect(ctx, server, new(net.Dialer).DialContext, "")
	if err != nil {
		return err
	}
	defer s.quit()
	o := s.send(&tickets.Outgoing{Class: tickets.ClassNotice, EnvelopeFrom: from, Recipient: to, Bytes: raw})
	switch o.result {
	case tickets.ResultSent:
		return nil
	case tickets.ResultAmbiguous:
		return fmt.Errorf("smtp server %q at %s: %s", server.Name, server.addr(), o.detail)
	}
	return &Refusal{Server: server.Name, Addr: server.addr(), Recipient: to, Detail: o.detail,
		Later: o.result == tickets.ResultTemporary, Sender: o.sender || o.login}
}
