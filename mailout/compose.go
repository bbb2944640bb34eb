package mailout

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"supportd/tickets"
)

// Composer turns letters into mails. The zero value is ready; it may be used by several goroutines.
type Composer struct {
	// Reserved are names that only the desk may bear, such as its own. Display names of recipients that hold one of
	// them are left out (S-112).
	Reserved []string
}

var _ tickets.Composer = (*Composer)(nil)

// maxLine is the longest line of a mail in octets, without its CRLF (RFC 5322 §2.1.1).
const maxLine = 998

// Compose returns the mail for a letter: CRLF line ends, 7-bit unless an address itself is not, no line over 998
// octets. The same letter gives the same bytes. HTML is left out of automatic answers, which are text/plain (RFC 3834
// §3.2), and attachments are refused there.
//
// What stands in the header depends on the class (RFC 3834 §3.1.7, §5): answers by people carry no Auto-Submitted;
// automatic answers and receipts are "auto-replied"; notices are "auto-generated".
func (c *Composer) Compose(l tickets.Letter) ([]byte, error) {
	raw, err := c.compose(l)
	if err != nil {
		return nil, fmt.Errorf("compose mail %q: %w", l.MessageID, err)
	}
	return raw, nil
}

func (c *Composer) compose(l tickets.Letter) ([]byte, error) {
	if err := checkLetter(l); err != nil {
		return nil, err
	}
	inner, outer := boundaries(l)
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP), gomail.WithCharset(gomail.CharsetUTF8),
		gomail.WithBoundary(inner))
	m.SetDateWithValue(l.Date)
	m.SetMessageIDWithValue(l.MessageID)
	if err := c.setHeader(m, l); err != nil {
		return nil, err
	}
	m.SetBodyWriter(gomail.TypeTextPlain, writer(bodyText(l.Text)))
	if l.HTML != "" && l.Class != tickets.ClassAuto {
		m.AddAlternativeWriter(gomail.TypeTextHTML, writer(bodyText(l.HTML)))
	}
	var buf bytes.Buffer
	buf.Grow(4<<10 + (len(l.Text)+len(l.HTML))*5/4)
	if _, err := m.WriteTo(&buf); err != nil {
		return nil, err
	}
	raw := bytes.Replace(buf.Bytes(), []byte(" boundary="+inner+"\r\n"), []byte(` boundary="`+inner+"\"\r\n"), 1)
	if len(l.Attached) > 0 {
		var err error
		if raw, err = withFiles(raw, outer, l.Attached); err != nil {
			return nil, err
		}
	}
	if err := checkBytes(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// writer gives the library a body without a copy of it.
func writer(s string) func(io.Writer) (int64, error) {
	return func(w io.Writer) (int64, error) {
		n, err := io.WriteString(w, s)
		return int64(n), err
	}
}

// checkLetter refuses letters that no mail can be made of.
func checkLetter(l tickets.Letter) error {
	switch {
	case !slices.Contains([]tickets.Class{tickets.ClassAnswer, tickets.ClassAuto, tickets.ClassNotice, tickets.ClassReceipt}, l.Class):
		return fmt.Errorf("unknown class %q", l.Class)
	case !validMsgID(l.MessageID):
		return errors.New("the Message-ID is missing or not valid")
	case l.Date.IsZero():
		return errors.New("the date is missing")
	case len(l.To) == 0:
		return errors.New("there is no recipient")
	case l.Class == tickets.ClassAuto && len(l.Attached) > 0:
		return errors.New("an automatic answer carries no attachments (RFC 3834 §3.2)")
	}
	return nil
}

// setHeader sets all fields but Date, Message-ID and those of MIME.
func (c *Composer) setHeader(m *gomail.Msg, l tickets.Letter) error {
	lists := []struct {
		field     gomail.AddrHeader
		addresses []tickets.Address
		reserved  []string
	}{
		{gomail.HeaderFrom, []tickets.Address{l.From}, nil},
		{gomail.HeaderTo, l.To, c.Reserved},
		{gomail.HeaderCc, l.Cc, c.Reserved},
		{gomail.HeaderReplyTo, []tickets.Address{l.ReplyTo}, nil},
	}
	for _, list := range lists {
		if len(list.addresses) == 0 || list.field == gomail.HeaderReplyTo && l.ReplyTo == (tickets.Address{}) {
			continue
		}
		var values []*mail.Address
		for _, a := range list.addresses {
			v, err := headerAddress(a, list.reserved)
			if err != nil {
				return fmt.Errorf("%s: %w", list.field, err)
			}
			values = append(values, v)
		}
		m.SetAddrHeaderFromMailAddress(list.field, values...)
	}
	m.SetGenHeader(gomail.HeaderSubject, encodeText(cleanText(l.Subject, maxSubject)))
	if validMsgID(l.InReplyTo) {
		m.SetGenHeader(gomail.HeaderInReplyTo, "<"+l.InReplyTo+">")
	}
	if ids := references(l.References, l.MessageID); len(ids) > 0 {
		m.SetGenHeader(gomail.HeaderReferences, "<"+strings.Join(ids, "> <")+">")
	}
	if tag := languageTag(l.Language); tag != "" {
		m.SetGenHeader("Content-Language", tag)
	}
	if l.Important {
		m.SetGenHeader(gomail.HeaderImportance, "high")
	}
	setClass(m, l)
	return nil
}

// setClass sets the fields that say what kind of mail it is. Only staff see which template and configuration a mail
// came from.
func setClass(m *gomail.Msg, l tickets.Letter) {
	switch l.Class {
	case tickets.ClassAnswer:
	case tickets.ClassAuto, tickets.ClassReceipt:
		m.SetGenHeader("Auto-Submitted", "auto-replied")
		m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	case tickets.ClassNotice:
		m.SetGenHeader("Auto-Submitted", "auto-generated")
		m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "OOF, AutoReply")
		if id := token(l.ListID); id != "" {
			m.SetGenHeader("List-Id", "<"+id+">")
		}
	}
	if v := token(l.Ticket); v != "" {
		m.SetGenHeader("X-Desk-Ticket", v)
	}
	if l.Class == tickets.ClassNotice || l.Class == tickets.ClassReceipt {
		if v := token(l.Template); v != "" {
			m.SetGenHeader("X-Desk-Template", v)
		}
		if v := token(l.ConfigRev); v != "" {
			m.SetGenHeader("X-Desk-Rev", v)
		}
	}
}

// bodyText makes a text valid UTF-8 whose lines all end in LF, which becomes CRLF when the part is written. It does not
// leave lone CRs to the quoted-printable writer of the standard library, which loses the next LF when an encoded octet
// follows one.
func bodyText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.Contains(s, "\r") {
		s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	}
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}

// checkBytes reports why bytes must not go over the wire as they are: line ends other than CRLF, lines over 998
// octets, NUL (RFC 5322 §2.1.1, RFC 5321 §2.3.8).
func checkBytes(raw []byte) error {
	if len(raw) == 0 {
		return errors.New("the mail is empty")
	}
	if !bytes.HasSuffix(raw, []byte("\r\n")) {
		return errors.New("the last line of the mail has no CRLF")
	}
	if bytes.IndexByte(raw, 0) >= 0 {
		return errors.New("the mail holds a NUL")
	}
	for n := 1; len(raw) > 0; n++ {
		end := bytes.IndexByte(raw, '\n')
		line := raw[:max(end-1, 0)]
		if end < 1 || raw[end-1] != '\r' || bytes.IndexByte(line, '\r') >= 0 {
			return fmt.Errorf("line %d of the mail has a CR or LF on its own", n)
		}
		if len(line) > maxLine {
			return fmt.Errorf("line %d of the mail has %d octets, more than %d", n, len(line), maxLine)
		}
		raw = raw[end+1:]
	}
	return nil
}
