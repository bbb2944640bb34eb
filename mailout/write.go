package mailout

import (
	"encoding/base64"
	"strings"
	"time"

	"supportd/tickets"
)

// A mail is written once, from its first octet to its last, into a buffer of about its size: most of what the desk
// receives calls for two of them.

// appendField writes a field of the header, folded at its blanks (RFC 5322 §2.2.3). Without a value it writes nothing.
func appendField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	const width = 76
	b = append(append(b, name...), ':')
	room := width - 4 - len(name)
	for first := true; ; first = false {
		word, rest, more := strings.Cut(value, " ")
		if !first {
			room--
		}
		switch {
		case room-len(word) <= 1:
			b = append(b, "\r\n "...)
			room = width - 3
		default:
			b = append(b, ' ')
		}
		b = append(b, word...)
		room -= len(word)
		if !more {
			return append(b, "\r\n"...)
		}
		value = rest
	}
}

// appendTexts writes the fields and the body of what people read: plain text, or both forms of it.
func appendTexts(b []byte, l tickets.Letter, boundary string) []byte {
	if l.HTML == "" || l.Class == tickets.ClassAuto {
		return appendText(b, "text/plain", l.Text)
	}
	b = append(b, "Content-Type: multipart/alternative;\r\n boundary=\""+boundary+"\"\r\n\r\n--"+boundary+"\r\n"...)
	b = appendText(b, "text/plain", l.Text)
	b = append(b, "\r\n--"+boundary+"\r\n"...)
	b = appendText(b, "text/html", l.HTML)
	return append(b, "\r\n--"+boundary+"--\r\n"...)
}

func appendText(b []byte, kind, text string) []byte {
	b = append(b, "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: "+kind+"; charset=UTF-8\r\n\r\n"...)
	return appendQuoted(b, bodyText(text))
}

// lineWidth is the longest line of quoted-printable, without its CRLF (RFC 2045 §6.7).
const lineWidth = 76

// appendQuoted writes a text as quoted-printable: lines end in CRLF, and longer ones are broken. The text has LF alone.
func appendQuoted(b []byte, text string) []byte {
	for text != "" {
		line, rest, more := strings.Cut(text, "\n")
		end := len(line)
		if end > 0 && (line[end-1] == ' ' || line[end-1] == '\t') {
			end-- // a blank there would be lost on the way
		}
		column := 0
		for i := 0; i < end; {
			n := i
			for n < end && asItIs(line[n]) {
				n++
			}
			for i < n {
				if column == lineWidth-1 {
					b = append(b, "=\r\n"...)
					column = 0
				}
				take := min(n-i, lineWidth-1-column)
				b = append(b, line[i:i+take]...)
				column += take
				i += take
			}
			for ; i < end && !asItIs(line[i]); i++ {
				b, column = appendEscaped(b, line[i], column)
			}
		}
		if end < len(line) {
			b, _ = appendEscaped(b, line[end], column)
		}
		if text = rest; more {
			b = append(b, "\r\n"...)
		}
	}
	return b
}

// asItIs reports whether an octet stands for itself, but for a blank at the end of a line.
func asItIs(c byte) bool { return c >= ' ' && c <= '~' && c != '=' || c == '\t' }

func appendEscaped(b []byte, c byte, column int) ([]byte, int) {
	const hex = "0123456789ABCDEF"
	if lineWidth-1-column < 3 {
		b, column = append(b, "=\r\n"...), 0
	}
	return append(b, '=', hex[c>>4], hex[c&15]), column + 3
}

// room is about how many octets a letter makes, and rarely fewer.
func room(l tickets.Letter) int {
	size := 4<<10 + (len(l.Text)+len(l.HTML))*9/8
	for _, f := range l.Attached {
		size += 512 + len(f.Base64)
		if f.Base64 == nil {
			size += base64.StdEncoding.EncodedLen(len(f.Data)) + 2*(len(f.Data)/lineOctets+1)
		}
	}
	return size
}

// into is where a letter is composed: in the room that it brings, when that is large enough.
func into(l tickets.Letter) []byte {
	if n := room(l); cap(l.Room) < n {
		return make([]byte, 0, n)
	}
	return l.Room[:0]
}

// dateOf writes a date as RFC 5322 §3.3 has it.
func dateOf(at time.Time) string { return at.Format(time.RFC1123Z) }
