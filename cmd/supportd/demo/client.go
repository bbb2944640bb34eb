package demo

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync/atomic"
	"time"

	"supportd/tickets"
)

// client writes mails as people's mail programs do. It knows nothing of the desk: what it answers to is what stands in
// the mail.
type client struct {
	office *postOffice
	now    func() time.Time
	serial atomic.Int64
}

// draft is a mail to be written.
type draft struct {
	User     string // the account it is sent with
	From     string // as it stands in the mail
	Sender   string // envelope sender; "-" is none: an automatic mail
	To       string
	Subject  string
	Text     string
	Header   [][2]string // more header fields
	Attached []tickets.File
}

// write composes and sends a mail.
func (c *client) write(d draft) error {
	from, err := mail.ParseAddress(d.From)
	if err != nil {
		return fmt.Errorf("sender %q: %w", d.From, err)
	}
	to, err := mail.ParseAddress(d.To)
	if err != nil {
		return fmt.Errorf("recipient %q: %w", d.To, err)
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	header := [][2]string{
		{"From", from.String()}, {"To", to.String()}, {"Subject", mime.QEncoding.Encode("utf-8", d.Subject)},
		{"Date", c.now().Format(time.RFC1123Z)},
		{"Message-ID", fmt.Sprintf("<%d.%d@%s>", c.now().UnixNano(), c.serial.Add(1), domain)},
		{"MIME-Version", "1.0"},
	}
	raw, err := compose(append(header, d.Header...), d.Text, d.Attached)
	if err != nil {
		return err
	}
	sender := from.Address
	switch d.Sender {
	case "":
	case "-":
		sender = ""
	default:
		sender = d.Sender
	}
	return c.office.send(d.User, sender, to.Address, raw)
}

// letter is a mail that lies in a mailbox.
type letter struct {
	User, Folder string
	UID          uint32
	Arrived      time.Time
	Raw          []byte
	*tickets.Message
}

// answerTo is where an answer to the mail goes: its Reply-To, else its From.
func (l letter) answerTo() string {
	for _, a := range append(append([]tickets.Address{}, l.ReplyTo...), l.From...) {
		if a.Mail != "" {
			return a.Mail
		}
	}
	return ""
}

// answer writes a reply: above the quoted mail, to its Reply-To, with In-Reply-To and References (RFC 5322 §3.6.4).
func (c *client) answer(who person, l letter, text string) error {
	return c.answerAs(draft{User: who.User, From: who.String()}, who.Speaks == "German", l, text)
}

// answerAs is answer for a sender who need not be one of us.
func (c *client) answerAs(d draft, german bool, l letter, text string) error {
	to := l.answerTo()
	if to == "" {
		return fmt.Errorf("the mail %q has nobody to answer to", l.Subject)
	}
	from := to
	if len(l.From) > 0 {
		from = (&mail.Address{Name: l.From[0].Name, Address: l.From[0].Mail}).String()
	}
	attribution := fmt.Sprintf("On %s, %s wrote:", l.Date.Format("Mon, 2 Jan 2006 at 15:04"), from)
	if german {
		attribution = fmt.Sprintf("Am %s schrieb %s:", l.Date.Format("02.01.2006 um 15:04"), from)
	}
	var b strings.Builder
	b.WriteString(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n") + "\n\n" + attribution + "\n")
	for line := range strings.SplitSeq(strings.TrimSpace(l.Text), "\n") {
		b.WriteString(strings.TrimRight("> "+line, " \r") + "\n")
	}
	d.To, d.Text = to, b.String()
	if d.Subject == "" {
		d.Subject = l.Subject
		if !strings.HasPrefix(strings.ToLower(d.Subject), "re:") {
			d.Subject = "Re: " + d.Subject
		}
	}
	d.Header = append(d.Header, threading(l)...)
	return c.write(d)
}

// threading are the fields that say which mail is answered.
func threading(l letter) [][2]string {
	if l.ID == "" {
		return nil
	}
	var references []string
	for _, id := range append(append([]string{}, l.References...), l.ID) {
		references = append(references, "<"+id+">")
	}
	return [][2]string{{"In-Reply-To", "<" + l.ID + ">"}, {"References", strings.Join(references, "\r\n ")}}
}

// compose makes the bytes of a mail of one text and its attachments.
func compose(header [][2]string, text string, attached []tickets.File) ([]byte, error) {
	var b bytes.Buffer
	for _, f := range header {
		fmt.Fprintf(&b, "%s: %s\r\n", f[0], f[1])
	}
	const boundary = "=_demo_part"
	if len(attached) > 0 {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n--%s\r\n", boundary, boundary)
	}
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	q := quotedprintable.NewWriter(&b)
	if _, err := q.Write([]byte(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"))); err != nil {
		return nil, err
	}
	if err := q.Close(); err != nil {
		return nil, err
	}
	for _, f := range attached {
		fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: %s\r\nContent-Disposition: %s\r\nContent-Transfer-Encoding: base64\r\n\r\n", boundary,
			f.Type, mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
		data := base64.StdEncoding.EncodeToString(f.Data)
		for len(data) > 76 {
			b.WriteString(data[:76] + "\r\n")
			data = data[76:]
		}
		b.WriteString(data)
	}
	if len(attached) > 0 {
		fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	}
	return b.Bytes(), nil
}
