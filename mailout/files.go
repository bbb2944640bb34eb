package mailout

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"supportd/tickets"
)

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

// appendFiles writes the attachments and the end of the mail.
func appendFiles(b []byte, boundary string, files []tickets.File) []byte {
	for _, f := range files {
		b = append(b, "\r\n--"+boundary+"\r\nContent-Disposition: "+disposition(fileName(f.Name))+
			"\r\nContent-Transfer-Encoding: base64\r\nContent-Type: "+mediaType(f.Type)+"\r\n\r\n"...)
		if f.Base64 != nil {
			b = append(b, f.Base64...)
			continue
		}
		for data := f.Data; len(data) > 0; {
			n := min(lineOctets, len(data))
			b = base64.StdEncoding.AppendEncode(b, data[:n])
			b = append(b, "\r\n"...)
			data = data[n:]
		}
	}
	return append(b, "\r\n--"+boundary+"--\r\n"...)
}
