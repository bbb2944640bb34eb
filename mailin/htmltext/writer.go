package htmltext

import (
	"strconv"
	"unicode/utf8"
)

// state is what holds for the text at one place of the document.
type state struct {
	quote  int32
	indent int32
	in     Container
	hidden bool
	pre    bool
}

// span is one finished line in writer.buf.
type span struct {
	from, to int
	state    state
}

// writer collects lines in one buffer.
type writer struct {
	buf   []byte
	lines []span

	from  int   // where the open line starts in buf
	open  bool  // the open line exists, even if it has no text
	at    state // of the open line, taken when it was opened
	space bool  // white space is owed before the next text
	blank bool  // a blank line is owed before the next line

	lists []int // of each open list: items so far, or -1 when it is not numbered
	item  bool  // the next line starts a list item

	row     int  // how many lines were finished when the open table row started
	inRow   bool // a table row is open
	cellGap bool // a column mark is owed before the next text
}

// text adds character data.
func (w *writer) text(s []byte, st state) {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\n' && st.pre:
			w.lineBreak(st)
			i++
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			if st.pre && c != '\r' {
				w.begin(st)
				w.buf = append(w.buf, ' ')
			} else {
				w.space = true
			}
			i++
		case c < utf8.RuneSelf:
			j := i + 1
			for j < len(s) && s[j] > ' ' && s[j] < utf8.RuneSelf {
				j++
			}
			w.write(s[i:j], st)
			i = j
		default:
			r, n := utf8.DecodeRune(s[i:])
			w.rune(r, s[i:i+n], st)
			i += n
		}
	}
}

// rune adds one character that is not ASCII.
func (w *writer) rune(r rune, s []byte, st state) {
	switch r {
	case 0x200B, 0xFEFF, 0x034F, 0x00AD, 0x2060:
		// Widthless: used to pad preview lines and to break long words.
	case 0x200C:
		// Persian needs it inside words; mailings pad preview lines with it.
		if n := len(w.buf); w.open && !w.space && n > w.from && w.buf[n-1] >= utf8.RuneSelf {
			w.write(s, st)
		}
	case 0x00A0, 0x2007, 0x202F:
		w.begin(st)
		w.flushSpace()
		w.buf = append(w.buf, ' ')
	case utf8.RuneError:
		w.write([]byte("\uFFFD"), st)
	default:
		w.write(s, st)
	}
}

// write adds text without white space.
func (w *writer) write(s []byte, st state) {
	w.begin(st)
	w.flushSpace()
	w.buf = append(w.buf, s...)
}

func (w *writer) flushSpace() {
	if w.cellGap {
		if len(w.buf) > w.from {
			w.buf = append(w.buf, " | "...)
		}
		w.cellGap, w.space = false, false
	}
	if w.space {
		if len(w.buf) > w.from {
			w.buf = append(w.buf, ' ')
		}
		w.space = false
	}
}

// begin opens a line if none is open.
func (w *writer) begin(st state) {
	if w.open {
		return
	}
	if w.blank && len(w.lines) > 0 {
		w.blankLine(st)
	}
	w.blank, w.open, w.space, w.at = false, true, false, st
	w.from = len(w.buf)
	w.margin(st)
}

// margin writes the indentation and the mark of a list item.
func (w *writer) margin(st state) {
	for range min(st.indent, maxIndent) {
		w.buf = append(w.buf, "    "...)
	}
	if len(w.lists) == 0 {
		return
	}
	for range min(len(w.lists), maxIndent) - 1 {
		w.buf = append(w.buf, "  "...)
	}
	if !w.item {
		w.buf = append(w.buf, "  "...)
		return
	}
	w.item = false
	n := &w.lists[len(w.lists)-1]
	if *n < 0 {
		w.buf = append(w.buf, "- "...)
		return
	}
	*n++
	w.buf = strconv.AppendInt(w.buf, int64(*n), 10)
	w.buf = append(w.buf, ". "...)
}

// endLine finishes the open line, if there is one.
func (w *writer) endLine() {
	w.space = false
	if !w.open {
		return
	}
	w.open, w.cellGap = false, false
	to := len(w.buf)
	for to > w.from && w.buf[to-1] == ' ' {
		to--
	}
	if to == w.from {
		w.blankLine(w.at)
		return
	}
	w.lines = append(w.lines, span{w.from, to, w.at})
}

// lineBreak is what <br> does: it ends the open line, or makes an empty one.
func (w *writer) lineBreak(st state) {
	if w.open {
		w.endLine()
		return
	}
	w.blankLine(st)
	w.blank = false
}

// blankLine adds an empty line, at most two in a row and none at the start.
func (w *writer) blankLine(st state) {
	n := len(w.lines)
	if n == 0 || n >= 2 && w.lines[n-1].empty() && w.lines[n-2].empty() {
		return
	}
	if p := w.lines[n-1].state; st.quote > p.quote {
		st = p // the gap before a quote is not quoted
	}
	w.lines = append(w.lines, span{len(w.buf), len(w.buf), st})
}

// block is what the start or the end of a block does. A block at the very start of a cell keeps the row on its line.
func (w *writer) block(paragraph bool) {
	if w.cellGap {
		return
	}
	w.endLine()
	if paragraph && len(w.lines) > 0 && !w.lines[len(w.lines)-1].empty() {
		w.blank = true
	}
}

// rule adds a line for <hr>.
func (w *writer) rule(st state) {
	w.endLine()
	st.in |= Rule
	w.begin(st)
	w.buf = append(w.buf, ruleText...)
	w.endLine()
}

// startRow and startCell keep the cells of a table row on one line as long as each of them is one line.
func (w *writer) startRow() {
	w.cellGap = false
	w.endLine()
	w.row, w.inRow = len(w.lines), true
}

func (w *writer) startCell() {
	if !w.inRow {
		w.startRow()
		return
	}
	first, n := w.row, len(w.lines)
	for first < n && w.lines[first].empty() {
		first++
	}
	switch {
	case w.open && first == n:
		w.cellGap = true
	case !w.open && first == n-1:
		// The cell before was one line in a block of its own: open that line again.
		last := w.lines[first]
		w.lines = w.lines[:first]
		w.from, w.open, w.at, w.cellGap, w.blank = last.from, true, last.state, true, false
		w.buf = w.buf[:last.to]
	default:
		w.endLine()
	}
}

func (w *writer) endRow() {
	w.cellGap = false
	w.endLine()
	w.inRow = false
}

func (s span) empty() bool { return s.from == s.to }

// result cuts the buffer into lines.
func (w *writer) result() []Line {
	w.cellGap = false
	w.endLine()
	n := len(w.lines)
	for n > 0 && w.lines[n-1].empty() {
		n--
	}
	if n == 0 {
		return nil
	}
	all := string(w.buf)
	lines := make([]Line, n)
	for i, s := range w.lines[:n] {
		lines[i] = Line{Text: all[s.from:s.to], Quote: int(s.state.quote), Indent: int(s.state.indent), In: s.state.in}
	}
	return lines
}
