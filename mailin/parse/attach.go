package parse

import (
	"bytes"
	"crypto/sha256"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"supportd/tickets"
)

const maxFileName = 150 // octets (S-142)

// attach makes an attachment of a part, and fills Machine and Forwarded from those that are meant for programs or are
// mails.
func (b *builder) attach(n *node) {
	data, defect := decodeTransfer(n.body, n.encoding)
	if defect != "" {
		b.defect(n.where(), defect)
	}
	if machineType(n.typ) {
		b.machine(n, data)
	}
	b.textFile(n, data)
	subject := ""
	if n.typ == "message/rfc822" || n.typ == "message/global" {
		subject = b.forwarded(n, data)
	}
	before := len(b.m.Attachments)
	b.file(n, data, subject)
	if len(b.m.Attachments) > before && defect == "" && transferName(n.encoding) == "base64" {
		b.m.Attachments[before].Base64 = plainBase64(n.body)
	}
}

// maxLine is the longest line of a mail in octets, without its CRLF (RFC 5322 §2.1.1).
const maxLine = 998

// plainBase64 returns a body of base64 that was decoded without a fault, when its lines can stand in another mail as
// they are, and otherwise nil.
func plainBase64(body []byte) []byte {
	body = bytes.TrimRight(body, "\r\n")
	for rest := body; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			i = len(rest) + 1 // the last line has no end
		} else if i == 0 || rest[i-1] != '\r' {
			return nil
		}
		if i-1 > maxLine || bytes.IndexByte(rest[:i-1], '\r') >= 0 {
			return nil
		}
		if i > len(rest) {
			return body
		}
		rest = rest[i+1:]
	}
}

// file adds an attachment.
func (b *builder) file(n *node, data []byte, subject string) {
	if len(b.m.Attachments) >= maxAttachments {
		b.defect(n.where(), "more than 1,000 attachments: the rest is left out")
		return
	}
	a := tickets.Attachment{
		Type:      trueType(n.typ, n.rawName(), data),
		Size:      int64(len(data)),
		Inline:    n.disposition == "inline" || n.disposition == "" && n.header.value("content-id") != "",
		SHA256:    sha256.Sum256(data),
		ContentID: strings.Trim(oneLine(n.header.value("content-id")), "<> "),
	}
	name := n.rawName()
	if name == "" && subject != "" {
		name = cutString(subject, 100) + ".eml"
	}
	if a.Name = SafeName(name); name == "" {
		a.Name = "attachment-" + strconv.Itoa(len(b.m.Attachments)+1) + extension(a.Type)
	}
	if hidden := withoutInvisible(name); hidden != name {
		b.defect(n.where(), "invisible characters in the file name were removed")
	}
	a.Dangerous = dangerous(a.Name, name, a.Type, data)
	if a.Dangerous {
		b.defect(n.where(), "a program or script is attached: "+a.Name)
	}
	if b.collect {
		b.files = append(b.files, tickets.File{Name: a.Name, Type: a.Type, Data: bytes.Clone(data)})
	}
	b.m.Attachments = append(b.m.Attachments, a)
}

// forwarded fills Forwarded from the first attached mail, and returns that mail's subject.
func (b *builder) forwarded(n *node, data []byte) (subject string) {
	if b.nested+1 >= maxNested {
		return ""
	}
	inner := read(data, b.nested+1)
	if b.m.Forwarded == nil && b.nested == 0 && !b.report() {
		f := &tickets.Forwarded{Subject: inner.Subject, Date: inner.Date, Text: inner.Text}
		if len(inner.From) > 0 {
			f.From = inner.From[0]
		}
		b.m.Forwarded = f
	}
	return inner.Subject
}

// report tells whether the message is a report to a program, whose attached mail is not forwarded by anybody.
func (b *builder) report() bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(b.m.FirstField("Content-Type"))), "multipart/report")
}

// SafeName makes a name that may be shown and saved under (S-142): no control, invisible or direction characters, no
// path, no leading dot, no device name, at most 150 octets with its extension kept, never empty.
func SafeName(name string) string {
	name = withoutInvisible(strings.ToValidUTF8(name, ""))
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	name = strings.TrimFunc(name, dotOrBlank)
	if name == "" {
		return "attachment"
	}
	stem, _, _ := strings.Cut(name, ".")
	switch u := strings.ToUpper(strings.TrimSpace(stem)); {
	case u == "CON", u == "PRN", u == "AUX", u == "NUL", u == "CONIN$", u == "CONOUT$",
		(strings.HasPrefix(u, "COM") || strings.HasPrefix(u, "LPT")) && utf8.RuneCountInString(u) == 4 && strings.ContainsAny(u[3:], "0123456789¹²³"):
		name = "_" + name
	}
	if len(name) > maxFileName {
		ext := path.Ext(name)
		if len(ext) > 20 {
			ext = ""
		}
		name = strings.TrimRightFunc(cutString(name, maxFileName-len(ext)), dotOrBlank) + ext
	}
	return name
}

// dotOrBlank reports what no file name begins or ends with: dots and blanks of every kind.
func dotOrBlank(r rune) bool { return r == '.' || unicode.IsSpace(r) }

// withoutInvisible drops characters that show nothing or change how others show: controls, zero-width characters,
// and those that turn the direction of writing.
func withoutInvisible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == '\u115f' || r == '\u1160' || r == '\u3164' || r >= 0xfe00 && r <= 0xfe0e {
			return -1
		}
		return r
	}, s)
}

// withoutBidi drops the characters that turn the direction of writing around.
func withoutBidi(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, s)
}

// machineType lists the media types that are read by programs.
func machineType(typ string) bool {
	switch typ {
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
		"message/global-disposition-notification", "message/feedback-report", "message/rfc822", "message/global",
		"text/rfc822-headers", "message/global-headers", "text/calendar":
		return true
	}
	return false
}

// machine adds a part for programs.
func (b *builder) machine(n *node, data []byte) {
	if len(b.m.Machine) >= maxMachine {
		return
	}
	if strings.HasPrefix(n.typ, "text/") {
		data = []byte(decodeCharset(data[:min(len(data), maxMachineData)], n.params["charset"], true).text)
	}
	b.m.Machine = append(b.m.Machine, tickets.MachinePart{
		Type: n.typ, Params: n.params, Data: data[:min(len(data), maxMachineData):min(len(data), maxMachineData)],
	})
}
