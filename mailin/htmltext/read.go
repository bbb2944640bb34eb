package htmltext

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// element is an open element that may have changed the state.
type element struct {
	tag  atom.Atom
	prev state
}

// reader walks the tokens of a body. It keeps its own short list of open elements instead of building a tree, so that
// no nesting can cost more than its own size.
type reader struct {
	w     writer
	st    state
	stack []element
	held  map[atom.Atom]int // open inline elements on the stack, by tag
	open  map[atom.Atom]int // open elements on the stack, by tag
	hide  bool              // leave hidden text out
	tight bool              // the last paragraph that was started has no margin

	target []byte // of the open link
	linkAt int    // where its text starts in w.buf
	linkOn bool
}

func read(body string, hide bool) []Line {
	r := reader{hide: hide, held: map[atom.Atom]int{}, open: map[atom.Atom]int{}}
	r.w.buf = make([]byte, 0, len(body)/2)
	z := html.NewTokenizer(strings.NewReader(body))
	for skip := atom.Atom(0); ; {
		switch z.Next() {
		case html.ErrorToken:
			return r.w.result()
		case html.TextToken:
			if skip == 0 && !r.st.hidden {
				r.w.text(z.Text(), r.st)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			tag := atom.Lookup(name)
			if rawText(tag) {
				skip = tag
				continue
			}
			skip = 0
			r.start(tag, z, more)
		case html.EndTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			skip = 0
			r.end(tag)
		}
	}
}

// rawText reports whether the tokenizer gives the content of an element as one text that is not for readers.
func rawText(tag atom.Atom) bool {
	switch tag {
	case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Xmp, atom.Iframe, atom.Noembed, atom.Noframes:
		return true
	}
	return false
}

// blockTag reports whether an element is a block: its start and its end break the line.
func blockTag(tag atom.Atom) bool {
	switch tag {
	case atom.Div, atom.P, atom.Table, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr, atom.Td, atom.Th, atom.Blockquote,
		atom.Ul, atom.Ol, atom.Li, atom.Pre, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Center,
		atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Aside, atom.Nav, atom.Dl, atom.Dt, atom.Dd,
		atom.Address, atom.Form, atom.Fieldset, atom.Body, atom.Html, atom.Figure, atom.Caption, atom.Details, atom.Summary:
		return true
	}
	return false
}

func (r *reader) start(tag atom.Atom, z *html.Tokenizer, more bool) {
	switch tag {
	case atom.Br:
		if !r.st.hidden {
			r.w.lineBreak(r.st)
		}
		return
	case atom.Hr:
		a := readAttrs(z, more)
		r.w.cellGap = false
		if !r.st.hidden && !a.hidden {
			r.w.rule(r.st)
		}
		return
	case atom.Img:
		r.image(readAttrs(z, more))
		return
	case atom.A:
		r.link(z, more)
		return
	case 0, atom.Meta, atom.Link, atom.Input, atom.Base, atom.Area, atom.Col, atom.Embed, atom.Source, atom.Wbr, atom.Param:
		return
	}
	a := readAttrs(z, more)
	if !blockTag(tag) {
		if st := r.apply(tag, a); st != r.st || r.held[tag] > 0 {
			r.held[tag]++
			r.push(tag, st)
		}
		return
	}
	r.closeImplied(tag)
	st := r.apply(tag, a)
	if !st.hidden {
		r.startBlock(tag, a)
	}
	if tag != atom.P || st != r.st {
		r.push(tag, st)
	}
}

// closeImplied ends the elements that a start tag ends (HTML §13.1.2.4), as far as mail needs it.
func (r *reader) closeImplied(tag atom.Atom) {
	for n := len(r.stack); n > 0; n = len(r.stack) {
		top := r.stack[n-1].tag
		switch {
		case top == atom.P,
			top == atom.Li && tag == atom.Li,
			(top == atom.Td || top == atom.Th) && (tag == atom.Td || tag == atom.Th || tag == atom.Tr),
			top == atom.Tr && tag == atom.Tr:
			r.pop()
		default:
			return
		}
	}
}

func (r *reader) startBlock(tag atom.Atom, a attrs) {
	w := &r.w
	switch tag {
	case atom.Tr:
		w.startRow()
	case atom.Td, atom.Th:
		w.startCell()
	case atom.Table:
		w.block(false)
		w.inRow = false
	case atom.Ul, atom.Ol:
		w.block(len(w.lists) == 0)
		n := -1
		if tag == atom.Ol {
			n = max(a.start-1, 0)
		}
		w.lists = append(w.lists, n)
		w.item = false
	case atom.Li:
		w.block(false)
		w.item = true
	case atom.P:
		r.tight = a.tight
		w.block(!a.tight)
	case atom.Pre, atom.Blockquote, atom.Dl, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.block(true)
	default:
		w.block(false)
	}
}

func (r *reader) push(tag atom.Atom, st state) {
	r.stack = append(r.stack, element{tag, r.st})
	r.open[tag]++
	r.st = st
}

func (r *reader) pop() element {
	e := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	r.open[e.tag]--
	if !blockTag(e.tag) {
		r.held[e.tag]--
	}
	if (e.tag == atom.Ul || e.tag == atom.Ol) && len(r.w.lists) > 0 && !r.st.hidden {
		r.w.lists = r.w.lists[:len(r.w.lists)-1]
		r.w.item = false
	}
	r.st = e.prev
	return e
}

// inlineReach bounds how far an inline end tag looks for its start.
const inlineReach = 64

func (r *reader) end(tag atom.Atom) {
	switch {
	case tag == atom.A:
		r.endLink()
	case tag == 0:
	case !blockTag(tag):
		if r.held[tag] == 0 {
			return
		}
		for i := len(r.stack) - 1; i >= 0 && i > len(r.stack)-inlineReach; i-- {
			if r.stack[i].tag == tag {
				for len(r.stack) > i {
					r.pop()
				}
				return
			}
			if blockTag(r.stack[i].tag) {
				return
			}
		}
	default:
		r.endBlock(tag)
	}
}

func (r *reader) endBlock(tag atom.Atom) {
	if !r.st.hidden {
		switch tag {
		case atom.Td, atom.Th:
			// The next cell decides whether the line goes on.
		case atom.Tr:
			r.w.endRow()
		case atom.P:
			r.w.block(!r.tight)
		case atom.Pre, atom.Blockquote, atom.Dl, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
			r.w.block(true)
		case atom.Ul, atom.Ol:
			r.w.block(len(r.w.lists) <= 1)
		default:
			r.w.block(false)
		}
	}
	if r.open[tag] == 0 {
		return
	}
	for len(r.stack) > 0 {
		if r.pop().tag == tag {
			return
		}
	}
}

// image shows what stands for an image that no one sees: its alternative text.
func (r *reader) image(a attrs) {
	alt := strings.TrimSpace(a.alt)
	if alt == "" || r.st.hidden || a.hidden || len(alt) > 200 {
		return
	}
	if alt[0] >= 0x80 && len(alt) <= 16 { // an emoji
		r.w.text([]byte(alt), r.st)
		return
	}
	r.w.text([]byte("["+alt+"]"), r.st)
}

func (r *reader) link(z *html.Tokenizer, more bool) {
	a := readAttrs(z, more)
	r.endLink()
	if r.st.hidden {
		return
	}
	r.target, r.linkAt, r.linkOn = append(r.target[:0], a.href...), len(r.w.buf), true
}

// endLink shows the target of a link behind its text, unless the text already says it.
func (r *reader) endLink() {
	if !r.linkOn {
		return
	}
	r.linkOn = false
	target := bytes.TrimSpace(r.target)
	if r.st.hidden || !r.w.open || r.linkAt >= len(r.w.buf) || len(target) > maxTarget {
		return
	}
	text := bytes.TrimSpace(r.w.buf[max(r.linkAt, r.w.from):])
	if len(text) == 0 {
		return
	}
	if addr, ok := cutPrefixFold(target, "mailto:"); ok {
		addr, _, _ = bytes.Cut(addr, []byte("?"))
		if len(addr) == 0 || bytes.IndexByte(text, '@') >= 0 {
			return
		}
		target = addr
	} else if !hasPrefixFold(target, "http://") && !hasPrefixFold(target, "https://") || sameTarget(text, target) {
		return
	}
	r.w.space = true
	r.w.write([]byte("<"), r.st)
	r.w.buf = append(r.w.buf, target...)
	r.w.buf = append(r.w.buf, '>')
}

// sameTarget reports whether a link's text is its target, but for the scheme and a final slash.
func sameTarget(text, target []byte) bool {
	return bytes.EqualFold(bareTarget(text), bareTarget(target)) || bytes.Contains(text, target)
}

func bareTarget(b []byte) []byte {
	for _, scheme := range []string{"http://", "https://"} {
		if rest, ok := cutPrefixFold(b, scheme); ok {
			b = rest
			break
		}
	}
	if rest, ok := cutPrefixFold(b, "www."); ok {
		b = rest
	}
	return bytes.TrimSuffix(b, []byte("/"))
}

func hasPrefixFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && strings.EqualFold(string(b[:len(prefix)]), prefix)
}

func cutPrefixFold(b []byte, prefix string) ([]byte, bool) {
	if hasPrefixFold(b, prefix) {
		return b[len(prefix):], true
	}
	return b, false
}
