//go:build linux && crash

package crash

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"supportd/mailin/imaptest"
	"supportd/mailout/smtptest"
)

// Servers is where mail comes from and goes to: embedded servers, or a real Dovecot and a real Postfix. Every user's
// password is "secret".
type Servers interface {
	Name() string
	IMAP() string
	SMTP() string
	Put(user string, raw []byte) error // into an INBOX; it arrives a minute from now, so that no desk takes it for old
	BreakIMAP() error                  // ends what serves the sessions
	StopSMTP() error
	StartSMTP() error
	Close() error
}

// arrival is in the future: a message that is older than the desk's first look at a mailbox is none of its business.
func arrival() time.Time { return time.Now().Add(time.Minute) }

type embedded struct {
	imap *imaptest.Server
	smtp *smtptest.Server
	addr string
}

// StartEmbedded starts servers in this process, with a mailbox for each user.
func StartEmbedded(o imaptest.Options, users ...string) (Servers, error) {
	e := &embedded{}
	var err error
	if e.imap, err = imaptest.NewServer(o); err != nil {
		return nil, err
	}
	for _, u := range users {
		e.imap.AddUser(u, "secret")
		if err := e.imap.CreateFolder(u, "Done", ""); err != nil {
			e.imap.Close()
			return nil, err
		}
	}
	if err := e.StartSMTP(); err != nil {
		e.imap.Close()
		return nil, err
	}
	return e, nil
}

func (e *embedded) Name() string     { return "embedded" }
func (e *embedded) IMAP() string     { return e.imap.Addr() }
func (e *embedded) SMTP() string     { return e.addr }
func (e *embedded) BreakIMAP() error { e.imap.DropConnections(); return nil }
func (e *embedded) StopSMTP() error  { return e.smtp.Close() }
func (e *embedded) Close() error     { return errors.Join(e.smtp.Close(), e.imap.Close()) }

func (e *embedded) Put(user string, raw []byte) error {
	_, err := e.imap.Append(user, "INBOX", raw, nil, arrival())
	return err
}

func (e *embedded) StartSMTP() (err error) {
	o := smtptest.Options{Forget: true}
	if e.addr != "" {
		if o.Listener, err = net.Listen("tcp", e.addr); err != nil {
			return err
		}
	}
	if e.smtp, err = smtptest.NewServer(o); err == nil && e.addr == "" {
		e.addr = e.smtp.Addr() // and stays: the proxies read it at any time
	}
	return err
}

type installed struct {
	imap *imaptest.Dovecot
	smtp *smtptest.Postfix
}

// Installed reports whether StartInstalled can work here; the error says what is missing.
func Installed() error {
	_, imapErr := imaptest.Available()
	_, smtpErr := smtptest.Available()
	return errors.Join(imapErr, smtpErr)
}

// StartInstalled starts a Dovecot and a Postfix of our own. Postfix throws away what it takes: the wire was watched.
func StartInstalled() (Servers, error) {
	d, err := imaptest.StartDovecot(imaptest.DovecotOptions{})
	if err != nil {
		return nil, err
	}
	p, err := smtptest.StartPostfix(smtptest.PostfixOptions{})
	if err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return &installed{imap: d, smtp: p}, nil
}

func (r *installed) Name() string     { return "dovecot and postfix" }
func (r *installed) IMAP() string     { return r.imap.Addr() }
func (r *installed) SMTP() string     { return r.smtp.Addr() }
func (r *installed) BreakIMAP() error { _, err := r.imap.KillSessions(); return err }
func (r *installed) StopSMTP() error  { return r.smtp.Crash() }
func (r *installed) StartSMTP() error { return r.smtp.Resume() }
func (r *installed) Close() error     { return errors.Join(r.smtp.Stop(), r.imap.Stop()) }

func (r *installed) Put(user string, raw []byte) error { return r.imap.Deliver(user, raw, arrival()) }

// Mailbox is one mailbox of a desk, with a brand of its own.
type Mailbox struct {
	Name       string
	User       string
	IMAP, SMTP string
	After      string // leave, flag, move
	Copies     bool   // of what is sent, to the folder Done
	Mirror     bool   // messages show their tickets, and those of new ones move to the folder Done
	One        bool   // one connection to the SMTP server at a time
}

// Address is what people write to.
func (m Mailbox) Address() string { return m.Name + "@nordwind.example" }

// agents get the desk's notices.
func agents() []string { return []string{"anna@nordwind.example", "ben@nordwind.example"} }

// Configuration is a supportd.yaml for the mailboxes. The team is agents; the first response is due after so many
// seconds, 0 promises nothing.
func Configuration(boxes []Mailbox, firstResponse int) string {
	var b strings.Builder
	b.WriteString("version: 1\norganisation: {name: Nordwind, timezone: Europe/Berlin, languages: [de, en]}\nundo: 0s\nnotices: {together: false}\ndisk_floor: 1MB\nmailboxes:\n")
	for _, m := range boxes {
		after := "after: " + m.After
		if m.After == "move" {
			after += ", move_to: Done"
		}
		if m.Copies {
			after += ", sent: Done, sent_copies: true"
		}
		if m.Mirror {
			after += ", mirror: {answered: true, keywords: [state], folders: [{folder: Done, state: new}]}"
		}
		fmt.Fprintf(&b, "  %s: {imap: %q, user: %s, password_file: pw, tls: none, trusted: true, poll: 1s, max_size: 64kB, brand: %s, addresses: [%s], %s}\n",
			m.Name, m.IMAP, m.User, m.Name, m.Address(), after)
	}
	b.WriteString("brands:\n")
	for _, m := range boxes {
		connections := 4
		if m.One {
			connections = 1
		}
		fmt.Fprintf(&b, "  %s: {from: Nordwind Service <%s>, ticket_prefix: NW, smtp: {server: %q, tls: none, retry: [1s], connections: %d}}\n",
			m.Name, m.Address(), m.SMTP, connections)
	}
	fmt.Fprintf(&b, "teams:\n  desk: {tier: 1, members: [%s]}\n", strings.Join(agents(), ", "))
	if firstResponse > 0 {
		fmt.Fprintf(&b, "first_response: %ds\nremind: {100%%: team}\n", firstResponse)
	}
	return b.String()
}
