package mailout

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"

	"supportd/tickets"
)

// Attachments are most of a mail's octets. They are written here, once and straight into a buffer of the mail's size:
// the library encodes them through several buffers that grow.

// boundaries are those of the texts and of the mail with its attachments. They follow from the letter, whose Message-ID
// is its own, and begin with "=_", which no quoted-printable or base64 body can hold (RFC 2045 §6.7): no part can hold
// its own boundary (S-113).
func boundaries(l tickets.Letter) (texts, files string) {
	digest := sha256.Sum256([]byte("boundary of " + l.MessageID))
	name := hex.EncodeToString(digest[:16])
	return "=_0_" + name, "=_1_" + name
}

// lineOctets is how many octets stand on a line of base64 of 76 characters (RFC 2045 §6.8).
const lineOctets = 57

// withFiles makes one mail of a mail of text and the files that go with it.
func withFiles(raw []byte, boundary string, files []tickets.File) ([]byte, error) {
	outside, inside, body, err := splitHeader(raw)
	if err != nil {
		return nil, err
	}
	heads := make([]string, len(files))
	size := len(raw) + 4*len(boundary) + 200
	for i, f := range files {
		heads[i] = "\r\n--" + boundary + "\r\nContent-Disposition: " + disposition(fileName(f.Name)) +
			"\r\nContent-Transfer-Encoding: base64\r\nContent-Type: " + mediaType(f.Type) + "\r\n\r\n"
		size += len(heads[i]) + len(f.Base64)
		if f.Base64 == nil {
			size += base64.StdEncoding.EncodedLen(len(f.Data)) + 2*(len(f.Data)/lineOctets+1)
		}
	}
	mail := make([]byte, 0, size)
	mail = append(mail, outside...)
	mail = append(mail, "Content-Type: multipart/mixed;\r\n boundary=\""+boundary+"\"\r\n\r\n--"+boundary+"\r\n"...)
	mail = append(mail, inside...)
	mail = append(mail, "\r\n"...)
	mail = append(mail, body...)
	for i, f := range files {
		mail = append(mail, heads[i]...)
		if f.Base64 != nil {
			mail = append(mail, f.Base64...)
			continue
		}
		for data := f.Data; len(data) > 0; {
			n := min(lineOctets, len(data))
			mail = base64.StdEncoding.AppendEncode(mail, data[:n])
			mail = append(mail, "\r\n"...)
			data = data[n:]
		}
	}
	return append(mail, "\r\n--"+boundary+"--\r\n"...), nil
}

// splitHeader takes the header of a mail apart: the fields about the mail, and those about its body.
func splitHeader(raw []byte) (mail, content, body []byte, err error) {
	ours := false
	for rest := raw; ; {
		i := bytes.Index(rest, []byte("\r\n"))
		if i < 0 {
			return nil, nil, nil, errors.New("the mail has no end of its header")
		}
		line := rest[:i+2]
		rest = rest[i+2:]
		if i == 0 {
			return mail, content, rest, nil
		}
		if line[0] != ' ' && line[0] != '\t' {
			ours = bytes.HasPrefix(line, []byte("Content-Type: ")) || bytes.HasPrefix(line, []byte("Content-Transfer-Encoding: "))
		}
		if ours {
			content = append(content, line...)
		} else {
			mail = append(mail, line...)
		}
	}
}
