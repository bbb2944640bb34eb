package parse

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding"
)

// rtfPrefill is the text that LZFu's window starts with (MS-OXRTFCP 2.1.2.1).
const rtfPrefill = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

// decompressRTF undoes LZFu (MS-OXRTFCP). It gives what it could read: at most maxText octets, and never more than
// eighteen for each two that came in.
func decompressRTF(b []byte) []byte {
	if len(b) < 16 {
		return nil
	}
	size := binary.LittleEndian.Uint32(b[4:])
	magic := binary.LittleEndian.Uint32(b[8:])
	b = b[16:]
	if magic == 0x414c454d { // "MELA": not compressed
		return b[:min(uint64(len(b)), uint64(size))]
	}
	if magic != 0x75465a4c { // "LZFu"
		return nil
	}
	limit := int(min(uint64(size), maxText))
	var window [4096]byte
	pos := copy(window[:], rtfPrefill)
	out := make([]byte, 0, min(limit, 4*len(b)))
	put := func(c byte) {
		window[pos] = c
		pos = (pos + 1) & 4095
		out = append(out, c)
	}
	for len(b) > 0 && len(out) < limit {
		flags := b[0]
		b = b[1:]
		for bit := 0; bit < 8 && len(out) < limit; bit++ {
			if flags>>bit&1 == 0 {
				if len(b) == 0 {
					return out
				}
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return out
			}
			from, n := int(b[0])<<4|int(b[1])>>4, int(b[1]&15)+2
			b = b[2:]
			if from == pos {
				return out
			}
			for i := range n {
				put(window[(from+i)&4095])
			}
		}
	}
	return out
}

// rtfText reads the text of an RTF document. HTML that Outlook wrapped in RTF (MS-OXRTFEX) comes out as HTML.
func rtfText(rtf []byte) (text string, isHTML bool) {
	p := rtfReader{b: rtf, page: "windows-1252", uc: 1}
	head := string(rtf[:min(len(rtf), 1024)])
	p.html = strings.Contains(head, "\\fromhtml")
	p.run()
	return p.out.String(), p.html
}

const maxRTFDepth = 1000

type rtfReader struct {
	b     []byte
	pos   int
	html  bool
	out   strings.Builder
	page  string
	enc   encoding.Encoding
	uc    int // how many octets follow a Unicode character for old readers
	skip  int // of those, still to be passed
	stack []rtfState
	state rtfState
	bytes []byte   // 8-bit text that is still to be decoded
	units []uint16 // UTF-16 that is still to be decoded
	over  int      // groups beyond maxRTFDepth
}

type rtfState struct {
	ignore  bool // a destination that holds no text
	htmlTag bool // inside \htmltag: HTML as it was
	htmlRTF bool // between \htmlrtf and \htmlrtf0: only for RTF readers
	uc      int
}

func (p *rtfReader) run() {
	p.state.uc = 1
	for p.pos < len(p.b) && p.out.Len() < maxText {
		c := p.b[p.pos]
		p.pos++
		switch c {
		case '{':
			p.flush()
			if len(p.stack) >= maxRTFDepth {
				p.over++
				continue
			}
			p.stack = append(p.stack, p.state)
			if p.pos+1 < len(p.b) && p.b[p.pos] == '\\' && p.b[p.pos+1] == '*' {
				p.state.ignore = true
			}
		case '}':
			p.flush()
			if p.over > 0 {
				p.over--
			} else if n := len(p.stack); n > 0 {
				p.state, p.stack = p.stack[n-1], p.stack[:n-1]
			}
		case '\\':
			p.control()
		case '\r', '\n':
		default:
			p.octet(c)
		}
	}
	p.flush()
}

// control reads a control word or symbol.
func (p *rtfReader) control() {
	if p.pos >= len(p.b) {
		return
	}
	c := p.b[p.pos]
	if !isLetter(c) || c >= 0x80 {
		p.pos++
		switch c {
		case '\'':
			if p.pos+1 < len(p.b) && hexValue(p.b[p.pos]) >= 0 && hexValue(p.b[p.pos+1]) >= 0 {
				p.octet(byte(hexValue(p.b[p.pos])<<4 | hexValue(p.b[p.pos+1])))
				p.pos += 2
			}
		case '\\', '{', '}':
			p.octet(c)
		case '~':
			p.write("\u00a0")
		case '_':
			p.write("-")
		case '\r', '\n':
			p.write("\n")
		}
		return
	}
	start := p.pos
	for p.pos < len(p.b) && isLetter(p.b[p.pos]) && p.b[p.pos] < 0x80 && p.pos < start+32 {
		p.pos++
	}
	word := string(p.b[start:p.pos])
	neg, num, digits := false, 0, 0
	if p.pos < len(p.b) && p.b[p.pos] == '-' {
		neg = true
		p.pos++
	}
	for ; p.pos < len(p.b) && p.b[p.pos] >= '0' && p.b[p.pos] <= '9' && digits < 9; digits++ {
		num = num*10 + int(p.b[p.pos]-'0')
		p.pos++
	}
	if neg {
		num = -num
	}
	if p.pos < len(p.b) && p.b[p.pos] == ' ' {
		p.pos++
	}
	p.word(word, num, digits > 0)
}

func (p *rtfReader) word(word string, num int, hasNum bool) {
	switch word {
	case "u":
		if p.visible() {
			p.flushBytes()
			p.units = append(p.units, uint16(num))
		}
		p.skip = p.state.uc
		return
	case "uc":
		p.state.uc = max(0, min(num, 16))
	case "ansicpg":
		p.flush()
		p.page, p.enc = codePage(num), nil
	case "htmlrtf":
		p.flush()
		p.state.htmlRTF = !hasNum || num != 0
	case "htmltag":
		p.state.ignore, p.state.htmlTag = false, true
	case "mhtmltag", "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "generator", "filetbl", "listtable",
		"listoverridetable", "themedata", "datastore", "fldinst", "xmlnstbl", "rsidtbl", "pntext", "bkmkstart", "bkmkend":
		p.state.ignore, p.state.htmlTag = true, false
	case "par", "line", "sect", "page", "row":
		p.write("\n")
	case "tab", "cell":
		p.write("\t")
	case "lquote":
		p.write("\u2018")
	case "rquote":
		p.write("\u2019")
	case "ldblquote":
		p.write("\u201c")
	case "rdblquote":
		p.write("\u201d")
	case "bullet":
		p.write("\u2022")
	case "endash":
		p.write("\u2013")
	case "emdash":
		p.write("\u2014")
	case "bin":
		p.pos = min(len(p.b), p.pos+max(0, num))
	}
}

// visible tells whether text is kept where the reader stands.
func (p *rtfReader) visible() bool { return !p.state.ignore && !p.state.htmlRTF }

func (p *rtfReader) octet(c byte) {
	if p.skip > 0 {
		p.skip--
		return
	}
	if p.visible() {
		p.flushUnits()
		p.bytes = append(p.bytes, c)
	}
}

func (p *rtfReader) write(s string) {
	if p.visible() && (!p.html || s != "\n" && s != "\t" || !p.state.htmlTag) {
		p.flush()
		p.out.WriteString(s)
	}
}

func (p *rtfReader) flush() {
	p.flushUnits()
	p.flushBytes()
	p.skip = 0
}

func (p *rtfReader) flushUnits() {
	if len(p.units) > 0 {
		p.out.WriteString(string(utf16.Decode(p.units)))
		p.units = p.units[:0]
	}
}

func (p *rtfReader) flushBytes() {
	if len(p.bytes) > 0 {
		if isASCII(p.bytes) {
			p.out.Write(p.bytes)
		} else {
			if p.enc == nil {
				p.enc = lookupCharset(p.page)
			}
			p.out.WriteString(convert(p.enc, p.bytes))
		}
		p.bytes = p.bytes[:0]
	}
}
