package parse

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// decodeTransfer undoes a content transfer encoding (RFC 2045 §6). It returns what could be read, and what was wrong.
// Octets of the identity encodings are returned as they are, without a copy.
func decodeTransfer(b []byte, encoding string) (data []byte, defect string) {
	switch transferName(encoding) {
	case "", "7bit", "8bit", "binary":
		return b, ""
	case "base64":
		data, defect = decodeBase64(b)
		if len(data) == 0 && len(bytes.TrimSpace(b)) > 0 {
			return b, "said to be base64, and is not: shown as it stands"
		}
		return data, defect
	case "quoted-printable":
		return decodeQuotedPrintable(b)
	case "uuencode":
		if data, _, _, ok := decodeUU(b); ok {
			return data, ""
		}
		return b, "said to be uuencoded, and is not: kept as it stands"
	}
	return b, "unknown transfer encoding " + quoteStart([]byte(encoding)) + ": kept as it stands"
}

func transferName(encoding string) string {
	if i := strings.IndexAny(encoding, ";( \t"); i >= 0 {
		encoding = encoding[:i]
	}
	switch e := strings.ToLower(strings.Trim(encoding, " \t\"'.,")); e {
	case "base64", "b64", "base-64", "base_64":
		return "base64"
	case "quoted-printable", "qp", "quoted_printable", "quotedprintable", "quoted-printeable":
		return "quoted-printable"
	case "x-uuencode", "uuencode", "x-uue", "uue", "x-uu":
		return "uuencode"
	case "7", "7bit", "7-bit", "7bits", "us-ascii":
		return "7bit"
	case "8", "8bit", "8-bit", "8bits", "utf-8", "none", "identity", "text":
		return "8bit"
	default:
		return e
	}
}

// decodeBase64 reads base64. Well-formed input takes the fast way; otherwise lines that cannot be base64 end it (a
// list server's footer), stray octets are passed over, and padding in the middle starts anew.
func decodeBase64(b []byte) (data []byte, defect string) {
	buf := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	if n, err := base64.StdEncoding.Decode(buf, b); err == nil {
		return buf[:n], ""
	}
	trimmed := bytes.TrimRight(b, " \t\r\n")
	out := buf[:0]
	bits, n, junk, padded := uint32(0), 0, 0, false
	for len(trimmed) > 0 {
		line := trimmed
		if i := bytes.IndexByte(trimmed, '\n'); i >= 0 {
			line, trimmed = trimmed[:i], trimmed[i+1:]
		} else {
			trimmed = nil
		}
		if len(out) > 0 && padded && notBase64(line) {
			return out, "text after the end of the base64 was left out"
		}
		for _, c := range line {
			v := base64Value(c)
			switch {
			case v >= 0:
				bits, n = bits<<6|uint32(v), n+6
				if padded = false; n >= 8 {
					n -= 8
					out = append(out, byte(bits>>n))
				}
			case c == '=':
				bits, n, padded = 0, 0, true
			case c != ' ' && c != '\t' && c != '\r':
				junk++
			}
		}
	}
	if junk > 0 {
		return out, "broken base64: stray characters were passed over"
	}
	if !padded && n > 0 {
		return out, "the base64 ends too early"
	}
	return out, ""
}

// notBase64 tells whether a line is text rather than damaged base64.
func notBase64(line []byte) bool {
	line = bytes.TrimSpace(line)
	bad := 0
	for _, c := range line {
		if base64Value(c) < 0 && c != '=' {
			bad++
		}
	}
	return bad > 0
}

func base64Value(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

// decodeQuotedPrintable reads quoted-printable (RFC 2045 §6.7). A "=" that starts no escape stays as it is.
func decodeQuotedPrintable(b []byte) (data []byte, defect string) {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		i := bytes.IndexAny(b, "=\n")
		if i < 0 {
			out = append(out, b...)
			break
		}
		out = append(out, b[:i]...)
		if b[i] == '\n' {
			// White space at the end of a line was added on the way.
			end := len(out)
			cr := end > 0 && out[end-1] == '\r'
			if cr {
				end--
			}
			for end > 0 && isBlank(out[end-1]) {
				end--
			}
			out = out[:end]
			if cr {
				out = append(out, '\r')
			}
			out = append(out, '\n')
			b = b[i+1:]
			continue
		}
		if i+2 < len(b) && hexValue(b[i+1]) >= 0 && hexValue(b[i+2]) >= 0 {
			out = append(out, byte(hexValue(b[i+1])<<4|hexValue(b[i+2])))
			b = b[i+3:]
			continue
		}
		if n := softBreak(b[i+1:]); n > 0 || i+1 == len(b) {
			b = b[i+1+n:]
			continue
		}
		out = append(out, '=')
		defect = "broken quoted-printable: a \"=\" that starts no escape was kept"
		b = b[i+1:]
	}
	return out, defect
}

// softBreak returns the length of a soft line break's rest: white space and a line end.
func softBreak(b []byte) int {
	i := 0
	for i < len(b) && i < 80 && (isBlank(b[i]) || b[i] == '\r') {
		i++
	}
	if i < len(b) && b[i] == '\n' {
		return i + 1
	}
	if i == len(b) {
		return i
	}
	return 0
}

// decodeUU reads the first uuencoded file in b: its data, its name, and the place after it.
func decodeUU(b []byte) (data []byte, name string, after int, ok bool) {
	start := uuBegin(b, 0)
	if start < 0 {
		return nil, "", 0, false
	}
	pos := start
	line, next := cutLine(b, pos)
	name = string(bytes.TrimSpace(line[min(len(line), len("begin 644 ")):]))
	for pos = next; pos < len(b); pos = next {
		line, next = cutLine(b, pos)
		if bytes.Equal(bytes.TrimSpace(line), []byte("end")) {
			return data, name, next, true
		}
		n, good := uuLine(line)
		if !good {
			return data, name, pos, len(data) > 0
		}
		data = append(data, n...)
	}
	return data, name, len(b), len(data) > 0
}

// uuBegin finds the line "begin 644 name" at or after pos, or -1.
func uuBegin(b []byte, pos int) int {
	for pos < len(b) {
		line, next := cutLine(b, pos)
		if len(line) > 10 && len(line) < 300 && bytes.HasPrefix(line, []byte("begin ")) && line[9] == ' ' &&
			line[6] >= '0' && line[6] <= '7' && line[7] >= '0' && line[7] <= '7' && line[8] >= '0' && line[8] <= '7' {
			return pos
		}
		pos = next
	}
	return -1
}

func uuLine(line []byte) ([]byte, bool) {
	if len(line) == 0 {
		return nil, false
	}
	want := int(line[0]-' ') & 0x3f
	if line[0] < ' ' || line[0] > '`' {
		return nil, false
	}
	out := make([]byte, 0, want+3)
	for i := 1; len(out) < want; i += 4 {
		var q [4]byte
		for j := range q {
			q[j] = 0
			if i+j < len(line) {
				if line[i+j] < ' ' || line[i+j] > '`' {
					return nil, false
				}
				q[j] = (line[i+j] - ' ') & 0x3f
			} else if i >= len(line) {
				return nil, false
			}
		}
		out = append(out, q[0]<<2|q[1]>>4, q[1]<<4|q[2]>>2, q[2]<<6|q[3])
	}
	return out[:want], true
}

// cutLine returns the line at pos without its end, and where the next one starts.
func cutLine(b []byte, pos int) (line []byte, next int) {
	i := bytes.IndexByte(b[pos:], '\n')
	if i < 0 {
		return b[pos:], len(b)
	}
	return bytes.TrimSuffix(b[pos:pos+i], []byte("\r")), pos + i + 1
}
