package demo

import (
	"bytes"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"time"

	"supportd/mailin/imaptest"
	"supportd/mailout/smtptest"
)

// postOffice is the mail provider of the demo: an SMTP server that takes mail from those who log in, and an IMAP server
// where everybody reads theirs. Both listen on 127.0.0.1 only; nothing leaves the machine.
type postOffice struct {
	imap  *imaptest.Server
	smtp  *smtptest.Server
	now   func() time.Time
	watch onlooker
}

// onlooker is told of each mail.
type onlooker interface {
	delivering(from, to, user string, data []byte) // before it lies in a mailbox; user is "" when nobody has the address
	delivered()                                    // and after
}

const (
	inbox = "INBOX"
	sent  = "Sent"
)

// openPostOffice starts both servers with an account for everybody.
func openPostOffice(now func() time.Time, watch onlooker) (*postOffice, error) {
	p := &postOffice{now: now, watch: watch}
	var err error
	if p.imap, err = imaptest.NewServer(imaptest.Options{}); err != nil {
		return nil, err
	}
	accounts := map[string]string{outside: password}
	for _, who := range everybody() {
		accounts[who.User] = password
		p.imap.AddUser(who.User, password)
		if err := p.imap.CreateFolder(who.User, sent, `\Sent`); err != nil {
			p.imap.Close()
			return nil, err
		}
	}
	if p.smtp, err = smtptest.NewServer(smtptest.Options{Accounts: accounts, Deliver: p.deliver, Forget: true}); err != nil {
		p.imap.Close()
		return nil, err
	}
	return p, nil
}

func (p *postOffice) close() {
	_ = p.smtp.Close() // the listeners end with the process at the latest
	_ = p.imap.Close()
}

// deliver puts a mail into a mailbox as a mail server does: with its trace on top (RFC 5321 §4.4). What nobody here can
// get is returned to its envelope sender; automatic mail has none, and is dropped (RFC 5321 §4.5.5).
func (p *postOffice) deliver(from, to string, data []byte) error {
	who, ok := owner(to)
	if !ok {
		p.watch.delivering(from, to, "", data)
		if from == "" {
			return nil
		}
		return p.deliver("", from, p.report(from, to, data))
	}
	p.watch.delivering(from, to, who.User, data)
	head := fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\nReceived: from [127.0.0.1] by mail.nordwind.example with ESMTPA\r\n\tfor <%s>; %s\r\n",
		from, to, to, p.now().Format(time.RFC1123Z))
	_, err := p.imap.Append(who.User, inbox, append([]byte(head), data...), nil, p.now())
	p.watch.delivered()
	return err
}

// report is the delivery status notification (RFC 3464) about a mail that nobody can get.
func (p *postOffice) report(from, to string, data []byte) []byte {
	header, _, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	text := fmt.Sprintf(`From: Mail Delivery System <MAILER-DAEMON@mail.nordwind.example>
To: <%s>
Subject: Undelivered Mail Returned to Sender
Date: %s
Message-ID: <%d.dsn@mail.nordwind.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_report"

--=_report
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.nordwind.example.

Your message could not be delivered to one or more recipients.

<%s>: host mail.nordwind.example said: 550 5.1.1 <%s>: Recipient
    address rejected: User unknown

--=_report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.nordwind.example

Final-Recipient: rfc822; %s
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <%s>: Recipient address rejected: User unknown

--=_report
Content-Type: text/rfc822-headers

%s

--=_report--
`, from, p.now().Format(time.RFC1123Z), p.now().UnixNano(), to, to, to, to, strings.ReplaceAll(string(header), "\r\n", "\n"))
	return []byte(strings.ReplaceAll(text, "\n", "\r\n"))
}

// send hands a mail to the SMTP server as a mail client does, and keeps a copy in the sender's Sent folder.
func (p *postOffice) send(user, envelopeFrom, to string, raw []byte) error {
	host, _, err := net.SplitHostPort(p.smtp.Addr())
	if err != nil {
		return err
	}
	if err := smtp.SendMail(p.smtp.Addr(), smtp.PlainAuth("", user, password, host), envelopeFrom, []string{to}, raw); err != nil {
		return fmt.Errorf("send mail from %s to %s: %w", envelopeFrom, to, err)
	}
	if user == outside {
		return nil
	}
	_, err = p.imap.Append(user, sent, raw, []string{`\Seen`}, p.now())
	return err
}
