package parse

import (
	"bytes"
	"strings"
)

// maxBERDepth bounds the nesting of ASN.1 values that is followed.
const maxBERDepth = 20

// smimeContent is what a PKCS #7 body (RFC 8551) turned out to hold.
type smimeContent int

const (
	smimeUnknown smimeContent = iota
	smimeSigned               // content that is signed, and readable
	smimeEncrypted
	smimeCertificates
	smimeCompressed
)

// smimeType tells by its media type whether a part is wrapped in S/MIME.
func smimeType(typ string) bool {
	return typ == "application/pkcs7-mime" || typ == "application/x-pkcs7-mime"
}

// openSMIME takes the content out of a PKCS #7 signed-data body, in DER or BER. No signature is checked.
func openSMIME(b []byte) (content []byte, kind smimeContent) {
	info, _, ok := readBER(b)
	if !ok || info.tag != 0x30 {
		return nil, smimeUnknown
	}
	oid, rest, ok := readBER(info.body)
	if !ok || oid.tag != 6 {
		return nil, smimeUnknown
	}
	// 1.2.840.113549.1.7.x and 1.2.840.113549.1.9.16.1.x
	switch pkcs7 := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01}; {
	case bytes.Equal(oid.body, append(pkcs7, 7, 2)):
	case bytes.Equal(oid.body, append(pkcs7, 7, 3)), bytes.Equal(oid.body, append(pkcs7, 9, 16, 1, 23)):
		return nil, smimeEncrypted
	case bytes.Equal(oid.body, append(pkcs7, 9, 16, 1, 9)):
		return nil, smimeCompressed
	default:
		return nil, smimeUnknown
	}
	wrapped, _, ok := readBER(rest) // [0] EXPLICIT
	if !ok || wrapped.tag != 0xa0 {
		return nil, smimeUnknown
	}
	signed, _, ok := readBER(wrapped.body)
	if !ok || signed.tag != 0x30 {
		return nil, smimeUnknown
	}
	_, rest, ok1 := readBER(signed.body) // version
	_, rest, ok2 := readBER(rest)        // digest algorithms
	encap, _, ok3 := readBER(rest)
	if !ok1 || !ok2 || !ok3 || encap.tag != 0x30 {
		return nil, smimeUnknown
	}
	_, rest, ok = readBER(encap.body) // content type
	if !ok || len(rest) == 0 {
		return nil, smimeCertificates
	}
	inner, _, ok := readBER(rest)
	if !ok || inner.tag != 0xa0 {
		return nil, smimeCertificates
	}
	octets, _, ok := readBER(inner.body)
	if !ok {
		return nil, smimeUnknown
	}
	return octetString(octets, 0), smimeSigned
}

// ber is one ASN.1 value: its tag octet and its contents.
type ber struct {
	tag  byte
	body []byte
}

// readBER reads one value, with definite or indefinite length, and what follows it.
func readBER(b []byte) (v ber, rest []byte, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return v, nil, false
	}
	if b[1] == 0x80 {
		end, next := berEnd(b[2:])
		return ber{b[0], b[2 : 2+end]}, b[2+next:], true
	}
	n, size := berLength(b[1:])
	if n < 0 {
		return v, nil, false
	}
	v.tag, b = b[0], b[1+n:]
	size = min(size, len(b)) // a value that is cut off is read as far as it goes
	v.body = b[:size]
	return v, b[size:], true
}

// berLength reads a definite length: how many octets it takes, and its value; -1 when it is none.
func berLength(b []byte) (n, size int) {
	if len(b) == 0 {
		return -1, 0
	}
	if b[0] < 0x80 {
		return 1, int(b[0])
	}
	count := int(b[0] & 0x7f)
	if count == 0 || count > 4 || len(b) < 1+count {
		return -1, 0
	}
	for _, c := range b[1 : 1+count] {
		size = size<<8 | int(c)
	}
	return 1 + count, size
}

// berEnd finds the end of a value of indefinite length: where its contents end, and what comes after its end mark. It
// goes through the values inside one by one, and back out at each end mark.
func berEnd(b []byte) (end, next int) {
	open := 1
	for i := 0; i+1 < len(b); {
		if b[i] == 0 && b[i+1] == 0 {
			if open--; open == 0 {
				return i, i + 2
			}
			i += 2
			continue
		}
		if b[i+1] == 0x80 {
			if open++; open > maxBERDepth {
				break
			}
			i += 2
			continue
		}
		n, size := berLength(b[i+1:])
		if n < 0 || size > len(b)-i {
			break
		}
		i += 1 + n + size
	}
	return len(b), len(b)
}

// octetString joins the pieces of an octet string that BER allows to come in pieces.
func octetString(v ber, depth int) []byte {
	if v.tag&0x20 == 0 || depth > maxBERDepth {
		return v.body
	}
	var out []byte
	for rest := v.body; len(rest) > 1; {
		piece, next, ok := readBER(rest)
		if !ok || piece.tag == 0 {
			break
		}
		out = append(out, octetString(piece, depth+1)...)
		rest = next
	}
	return out
}

// openPGPText takes the text out of a cleartext-signed message (RFC 9580 §7): without the frame around it.
func openPGPText(text string) string {
	const head, foot = "-----BEGIN PGP SIGNED MESSAGE-----\n", "\n-----BEGIN PGP SIGNATURE-----"
	start := strings.Index(text, head)
	if start < 0 || start > 0 && text[start-1] != '\n' {
		return text
	}
	body := text[start+len(head):]
	// Armor headers go up to a blank line.
	if i := strings.Index(body, "\n\n"); i >= 0 && i < 500 {
		body = body[i+2:]
	}
	after := ""
	if i := strings.Index(body, foot); i >= 0 {
		rest := body[i+len(foot):]
		const end = "-----END PGP SIGNATURE-----"
		if j := strings.Index(rest, end); j >= 0 {
			after = strings.TrimPrefix(rest[j+len(end):], "\n")
		}
		body = body[:i+1]
	}
	var out strings.Builder
	out.Grow(len(text))
	out.WriteString(text[:start])
	for line := range strings.Lines(body) {
		out.WriteString(strings.TrimPrefix(line, "- "))
	}
	out.WriteString(after)
	return out.String()
}
