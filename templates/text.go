package templates

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The text form is made in two steps. The template writes blocks between marks; layText then wraps and joins them. The
// marks are control characters, which neither sources nor cleaned data can hold.
//
//	markOpen KIND first-indent markSep content markClose
const (
	markOpen  = '\x01'
	markSep   = '\x02'
	markClose = '\x03'
	markTick  = '\x04' // written at each turn of a range; see bounded
)

// Kinds of blocks.
const (
	blockParagraph = 'P'
	blockHeading   = 'H' // the next block follows without a blank line
	blockItem      = 'I' // of a list: joined to the item before
	blockNumber    = 'N' // of a numbered list, counted here
	blockFact      = 'F' // label, markSep, value
	blockVerbatim  = 'V' // lines that stay as they are
)

// columns is the width of our own text.
const columns = 72

type block struct {
	kind   byte
	indent string
	body   string
}

// layText turns marked blocks into the text that is sent: one blank line between blocks, lists and facts in one piece.
func layText(marked string) string {
	blocks := splitBlocks(marked)
	var b strings.Builder
	b.Grow(len(marked) + 64)
	number := 0
	for i, bl := range blocks {
		if i > 0 {
			b.WriteByte('\n')
			if !tight(blocks[i-1], bl) {
				b.WriteByte('\n')
			}
		}
		if bl.kind != blockNumber {
			number = 0
		}
		switch bl.kind {
		case blockVerbatim:
			b.WriteString(bl.body)
		case blockItem:
			wrap(&b, bl.indent+"- ", bl.indent+"  ", bl.body)
		case blockNumber:
			number++
			first := bl.indent + strconv.Itoa(number) + ". "
			wrap(&b, first, strings.Repeat(" ", len(first)), bl.body)
		case blockFact:
			label, value, _ := strings.Cut(bl.body, string(markSep))
			pad := strings.Repeat(" ", max(0, labelWidth(blocks, i)-displayWidth(label)))
			first := label + ": " + pad
			wrap(&b, first, strings.Repeat(" ", displayWidth(first)), value)
		default:
			wrap(&b, bl.indent, bl.indent, guard(bl.body))
		}
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// guard quotes a paragraph that begins with a value that reads like a command: our own words never do.
func guard(body string) string {
	if body = strings.TrimLeft(body, " "); body != "" && strings.IndexByte("#/!", firstByte(body)) >= 0 {
		return "> " + body
	}
	return body
}

func tight(a, b block) bool {
	list := func(k byte) bool { return k == blockItem || k == blockNumber }
	return a.kind == blockHeading || list(a.kind) && list(b.kind) || a.kind == blockFact && b.kind == blockFact
}

// labelWidth is the width of the widest label among the facts around i.
func labelWidth(blocks []block, i int) int {
	for i > 0 && blocks[i-1].kind == blockFact {
		i--
	}
	w := 0
	for ; i < len(blocks) && blocks[i].kind == blockFact; i++ {
		label, _, _ := strings.Cut(blocks[i].body, string(markSep))
		w = max(w, displayWidth(label))
	}
	return w
}

// splitBlocks reads the marks. What stands between blocks is white space of the template. Blocks without content are
// left out.
func splitBlocks(marked string) []block {
	blocks := make([]block, 0, 16)
	for {
		i := strings.IndexByte(marked, markOpen)
		if i < 0 || i+1 >= len(marked) {
			return blocks
		}
		marked = marked[i+1:]
		end := strings.IndexByte(marked, markClose)
		if end < 0 {
			return blocks
		}
		kind := marked[0]
		indent, body, ok := strings.Cut(marked[1:end], string(markSep))
		marked = marked[end+1:]
		if !ok {
			continue
		}
		if kind == blockVerbatim {
			body = strings.TrimSuffix(body, "\n")
		}
		if strings.TrimSpace(strings.TrimSuffix(body, string(markSep))) != "" {
			blocks = append(blocks, block{kind, indent, body})
		}
	}
}

// wrap writes body in lines of at most 72 columns; a newline in it stays one. No line begins with a word that reads
// like a command, a quote or a mark: such a word stays on the line of the word before it.
func wrap(b *strings.Builder, first, rest, body string) {
	indent := first
	for n, line := range strings.Split(body, "\n") {
		if n > 0 {
			b.WriteByte('\n')
			indent = rest
		}
		b.WriteString(indent)
		at, empty, inside := displayWidth(indent), true, 0
		for word := range strings.FieldsSeq(line) {
			w := displayWidth(word)
			switch {
			case empty:
			case at+1+w > columns && strings.IndexByte("#/!>|-*=.", firstByte(word)) < 0:
				b.WriteString(strings.Repeat(string(isolateClose), inside)) // a line ends what it began
				b.WriteByte('\n')
				b.WriteString(rest)
				b.WriteString(strings.Repeat(string(isolateOpen), inside))
				at = displayWidth(rest)
			default:
				b.WriteByte(' ')
				at++
			}
			b.WriteString(word)
			at += w
			empty = false
			if w < len(word) {
				inside = max(0, inside+opens(word))
			}
		}
	}
}

// displayWidth counts columns: East Asian wide characters take two.
func displayWidth(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			n++
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if isIsolate(r) {
			continue
		}
		n++
		if wide(r) {
			n++
		}
	}
	return n
}

// wide reports the blocks of East Asian wide characters and emoji.
func wide(r rune) bool {
	return r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff ||
		r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd)
}
