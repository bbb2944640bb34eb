package parse

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"

	"supportd/tickets"
)

// identity digests what a sender wrote: Message-ID, From, Date, Subject and the body, without the trace fields that
// each way adds. White space in the fields, line ends and blank lines at the end do not count: servers change them.
// Each piece goes in with its length, so that none can be moved into the next.
func identity(h *header, body []byte) tickets.Digest {
	sum := sha256.New()
	var size [8]byte
	for _, name := range []string{"message-id", "from", "date", "subject"} {
		v := strings.Join(strings.Fields(h.value(name)), " ")
		binary.BigEndian.PutUint64(size[:], uint64(len(v)))
		sum.Write(size[:])
		sum.Write([]byte(v))
	}
	body = bytes.TrimRight(body, " \t\r\n")
	n := writeLines(sum, body)
	binary.BigEndian.PutUint64(size[:], n)
	sum.Write(size[:])
	var d tickets.Digest
	sum.Sum(d[:0])
	return d
}

// writeLines writes body with CRLF and lone CR as LF, and returns how many octets that were.
func writeLines(sum hash.Hash, body []byte) uint64 {
	if bytes.IndexByte(body, '\r') < 0 {
		sum.Write(body)
		return uint64(len(body))
	}
	buf := make([]byte, 0, min(4<<10, len(body)))
	total := uint64(0)
	for len(body) > 0 {
		i := bytes.IndexByte(body, '\r')
		piece, ended := body, false
		if i >= 0 {
			piece, ended = body[:i], true
			if body = body[i+1:]; len(body) > 0 && body[0] == '\n' {
				body = body[1:]
			}
		} else {
			body = nil
		}
		total += uint64(len(piece))
		if len(buf)+len(piece)+1 > cap(buf) {
			sum.Write(buf)
			buf = buf[:0]
		}
		if len(piece) >= cap(buf) {
			sum.Write(piece)
		} else {
			buf = append(buf, piece...)
		}
		if ended {
			buf = append(buf, '\n')
			total++
		}
	}
	sum.Write(buf)
	return total
}
