package parse

import (
	"bytes"
	"strconv"
	"strings"
)

// Bounds of a message's structure. What lies beyond them is kept as one opaque part.
const (
	maxDepth = 50   // multiparts inside each other (S-125)
	maxParts = 1000 // of one message (S-125)
)

// node is one part of a message.
type node struct {
	path        string // "1.2": the second part of the first
	header      header
	typ         string // media type, lower case
	params      map[string]string
	disposition string
	dispParams  map[string]string
	encoding    string
	body        []byte // still encoded
	kids        []*node
	opaque      bool   // not taken apart, although it might have parts
	hint        string // a charset that stands on a multipart around it
	text        string // what it says, once done
	done        bool
}

// walker takes the structure of a message apart in one pass over its lines (RFC 2046 §5.1).
type walker struct {
	raw    []byte
	open   []string // boundaries of the multiparts around the current place, innermost last
	hint   string   // the charset that the innermost of them names, against the rules
	parts  int
	defect func(where, what string)
}

// delimiter is a line that ends a part.
type delimiter struct {
	level  int // index of its boundary in walker.open; -1 at the end of the message
	closes bool
	end    int // where the part's body ends: before the line end in front of the delimiter
	next   int // where the line after the delimiter starts
}

// part reads the part that starts at pos and returns the delimiter that ended it.
func (w *walker) part(pos int, path, defaultType string, top bool) (*node, delimiter) {
	w.parts++
	n := &node{path: path, hint: w.hint}
	n.header = splitHeader(w.raw[pos:], top, w.stopsHeader())
	n.describe(defaultType)
	for _, d := range n.header.defects {
		w.defect(n.where(), d)
	}
	start := pos + n.header.body
	if !strings.HasPrefix(n.typ, "multipart/") {
		d := w.nextDelimiter(start)
		n.body = w.raw[start:max(start, d.end)]
		return n, d
	}
	boundary := n.params["boundary"]
	if boundary == "" {
		boundary = guessBoundary(w.raw[start:])
		w.defect(n.where(), "a multipart without a boundary")
	}
	if len(w.open) >= maxDepth || boundary == "" || len(boundary) > 1000 {
		d := w.nextDelimiter(start)
		n.body, n.opaque = w.raw[start:max(start, d.end)], true
		if len(w.open) >= maxDepth {
			w.defect(n.where(), "more than 50 multiparts inside each other: kept as one part")
		}
		return n, d
	}
	return n, w.children(n, start, boundary)
}

// children reads the parts of a multipart whose body starts at start.
func (w *walker) children(n *node, start int, boundary string) delimiter {
	d := w.split(n, start, boundary)
	if len(n.kids) > 0 {
		return d
	}
	w.defect(n.where(), "the boundary of the multipart does not occur")
	if guess := guessBoundary(n.body); guess != "" && guess != boundary {
		if d = w.split(n, start, guess); len(n.kids) > 0 {
			return d
		}
	}
	n.opaque = true
	return d
}

// split reads the parts between the lines of one boundary.
func (w *walker) split(n *node, start int, boundary string) delimiter {
	level, boundary := len(w.open), strings.TrimRight(boundary, " \t")
	outer := w.hint
	w.open = append(w.open, boundary)
	if charset := n.params["charset"]; charset != "" {
		w.hint = charset
	}
	defaultType := "text/plain"
	if n.typ == "multipart/digest" {
		defaultType = "message/rfc822"
	}
	d := w.nextDelimiter(start)
	n.body = w.raw[start:max(start, d.end)] // the preamble
	closed := false
	for d.level == level {
		if d.closes {
			closed = true
			d = w.nextDelimiter(d.next)
			if d.level == level && !d.closes {
				w.defect(n.where(), "parts after the closing boundary")
			}
			continue
		}
		if w.parts >= maxParts {
			w.defect(n.where(), "more than 1,000 parts: the rest is kept as one")
			rest := &node{path: n.path + "." + strconv.Itoa(len(n.kids)+1), typ: "application/octet-stream", opaque: true, body: w.raw[d.next:]}
			n.kids = append(n.kids, rest)
			d = delimiter{level: -1, end: len(w.raw), next: len(w.raw)}
			closed = true
			break
		}
		var kid *node
		path := strconv.Itoa(len(n.kids) + 1)
		if n.path != "" {
			path = n.path + "." + path
		}
		kid, d = w.part(d.next, path, defaultType, false)
		n.kids = append(n.kids, kid)
	}
	w.open, w.hint = w.open[:level], outer
	if len(n.kids) > 0 && !closed {
		w.defect(n.where(), "the closing boundary is missing")
	}
	return d
}

// stopsHeader recognises delimiters while a part's header is read.
func (w *walker) stopsHeader() func([]byte) bool {
	if len(w.open) == 0 {
		return nil
	}
	return func(line []byte) bool {
		level, _ := w.match(line)
		return level >= 0
	}
}

// nextDelimiter finds the next line at or after pos that is a delimiter of an open multipart.
func (w *walker) nextDelimiter(pos int) delimiter {
	if len(w.open) > 0 {
		for at := pos; at < len(w.raw); {
			if !bytes.HasPrefix(w.raw[at:], []byte("--")) {
				i := bytes.Index(w.raw[at:], []byte("\n--"))
				if i < 0 {
					break
				}
				at += i + 1
			}
			line, next := cutLine(w.raw, at)
			if level, closes := w.match(line); level >= 0 {
				end := at
				if end > pos && w.raw[end-1] == '\n' {
					end--
					if end > pos && w.raw[end-1] == '\r' {
						end--
					}
				}
				return delimiter{level: level, closes: closes, end: end, next: next}
			}
			// The next search starts at the end of this line, on its line end.
			at = next
		}
	}
	return delimiter{level: -1, end: len(w.raw), next: len(w.raw)}
}

// minPrefix is the length from which on a boundary may be followed by something else on its line.
const minPrefix = 8

// match tells whose delimiter a line is; the innermost multipart is asked first. The whole line is to be the boundary,
// so that "ab" is not taken for "a". Only when nobody's boundary is the whole line, the start of it will do (RFC 2046
// §5.1.1), and only for a boundary that text does not happen to start with.
func (w *walker) match(line []byte) (level int, closes bool) {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return -1, false
	}
	line = bytes.TrimRight(line[2:], " \t\r")
	for i := len(w.open) - 1; i >= 0; i-- {
		b := w.open[i]
		switch len(line) - len(b) {
		case 0:
			if string(line) == b {
				return i, false
			}
		case 2:
			if line[len(line)-1] == '-' && line[len(line)-2] == '-' && string(line[:len(b)]) == b {
				return i, true
			}
		}
	}
	for i := len(w.open) - 1; i >= 0; i-- {
		if b := w.open[i]; len(b) >= minPrefix && len(line) > len(b) && string(line[:len(b)]) == b {
			return i, bytes.HasPrefix(line[len(b):], []byte("--"))
		}
	}
	return -1, false
}

// guessBoundary takes the first line that looks like a delimiter, when a multipart does not name its boundary.
func guessBoundary(b []byte) string {
	for pos, lines := 0, 0; pos < len(b) && lines < 200; lines++ {
		line, next := cutLine(b, pos)
		if len(line) > 6 && len(line) < 80 && bytes.HasPrefix(line, []byte("--")) && !bytes.ContainsAny(line, " \t") {
			after, _ := cutLine(b, next)
			if name, colon := fieldLine(after); colon > 0 && knownField(after[:name]) {
				return string(line[2:])
			}
		}
		pos = next
	}
	return ""
}

// describe reads the fields that say what a part is. The undermost Content-Type counts: those above were put there
// on the way.
func (n *node) describe(defaultType string) {
	hint := ""
	n.typ = defaultType
	if f := n.header.last("content-type"); f != nil {
		typ, params := structured(f.value, "")
		if n.params = params; strings.Contains(typ, "/") {
			n.typ = typ
		} else if params["name"] != "" {
			n.typ = "application/octet-stream"
		} // else RFC 2045 §5.2: what cannot be read is plain text
		hint = params["charset"]
	}
	n.header.repairCharset(hint)
	if f := n.header.last("content-disposition"); f != nil {
		n.disposition, n.dispParams = structured(f.value, hint)
	}
	if f := n.header.last("content-transfer-encoding"); f != nil {
		n.encoding = f.value
	}
}

// where names the part in a Defect.
func (n *node) where() string {
	if n.path == "" {
		return "message"
	}
	return "part " + n.path
}

// multipart tells whether a part was taken apart.
func (n *node) multipart() bool { return len(n.kids) > 0 }
