package mailout

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"supportd/tickets"
)

// Composer turns letters into mails. The zero value is ready; it may be used by several goroutines.
type Composer struct {
	// Reserved are names that only the desk may bear, such as its own. Display names of recipients that hold one of
	// them are left out (S-112).
	Reserved []string
	// Sign puts signatures above a mail that an address sends, as of a time (RFC 6376); nil: nothing is signed. The same mail
	// has to give the same octets.
	Sign func(from string, raw []byte, at time.Time) ([]byte, error)
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
	raw, err := c.appendHeader(into(l), l)
	if err != nil {
		return nil, err
	}
	if len(l.Attached) > 0 {
		raw = append(raw, "Content-Type: multipart/mixed;\r\n boundary=\""+outer+"\"\r\n\r\n--"+outer+"\r\n"...)
	}
	raw = appendTexts(raw, l, inner)
	if len(l.Attached) > 0 {
		raw = appendFiles(raw, outer, l.Attached)
	}
	if err := checkBytes(raw); err != nil || c.Sign == nil {
		return raw, err
	}
	if raw, err = c.Sign(l.From.Mail, raw, l.Date); err != nil {
		return nil, err
	}
	return raw, checkBytes(raw)
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

// appendHeader writes all fields but those about the body.
func (c *Composer) appendHeader(b []byte, l tickets.Letter) ([]byte, error) {
	field := func(name, value string) { b = appendField(b, name, value) }
	staff := l.Class == tickets.ClassNotice || l.Class == tickets.ClassReceipt
	submitted, suppress := automatic(l.Class)
	field("Auto-Submitted", submitted)
	field("Content-Language", languageTag(l.Language))
	field("Date", dateOf(l.Date))
	if l.Important {
		field("Importance", "high")
	}
	if validMsgID(l.InReplyTo) {
		field("In-Reply-To", "<"+l.InReplyTo+">")
	}
	if id := token(l.ListID); id != "" && (l.Class == tickets.ClassNotice || l.Class == tickets.ClassReceipt) {
		field("List-Id", "<"+id+">")
	}
	field("MIME-Version", "1.0")
	field("Message-ID", "<"+l.MessageID+">")
	if l.Bulk && l.Class == tickets.ClassNotice {
		field("Precedence", "bulk")
	}
	if ids := references(l.References, l.MessageID); len(ids) > 0 {
		field("References", "<"+strings.Join(ids, "> <")+">")
	}
	field("Subject", encodeText(cleanSubject(l.Subject, maxSubject)))
	field("X-Auto-Response-Suppress", suppress)
	if staff { // only they see which template and configuration a mail came from
		field("X-Desk-Rev", token(l.ConfigRev))
		field("X-Desk-Template", token(l.Template))
	}
	field("X-Desk-Ticket", token(l.Ticket))
	lists := []struct {
		field     string
		addresses []tickets.Address
		reserved  []string
	}{{"From", []tickets.Address{l.From}, nil}, {"To", l.To, c.Reserved}, {"Cc", l.Cc, c.Reserved}, {"Reply-To", []tickets.Address{l.ReplyTo}, nil}}
	for _, list := range lists {
		if list.field == "Reply-To" && l.ReplyTo == (tickets.Address{}) {
			continue
		}
		var values []string
		for _, a := range list.addresses {
			v, err := headerAddress(a, list.reserved)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", list.field, err)
			}
			values = append(values, v.String())
		}
		field(list.field, strings.Join(values, ", "))
	}
	return b, nil
}

// automatic are the fields that tell other machines not to answer a mail of a class; "" where a person wrote it.
func automatic(c tickets.Class) (submitted, suppress string) {
	switch c {
	case tickets.ClassAuto, tickets.ClassReceipt:
		return "auto-replied", "All"
	case tickets.ClassNotice:
		return "auto-generated", "OOF, AutoReply"
	}
	return "", ""
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
	bare := bytes.Count(raw, []byte{'\r'}) != bytes.Count(raw, []byte{'\n'}) // else a CR stands only where a LF follows
	for n := 1; len(raw) > 0; n++ {
		end := bytes.IndexByte(raw, '\n')
		line := raw[:max(end-1, 0)]
		if end < 1 || raw[end-1] != '\r' || bare && bytes.IndexByte(line, '\r') >= 0 {
			return fmt.Errorf("line %d of the mail has a CR or LF on its own", n)
		}
		if len(line) > maxLine {
			return fmt.Errorf("line %d of the mail has %d octets, more than %d", n, len(line), maxLine)
		}
		raw = raw[end+1:]
	}
	return nil
}
