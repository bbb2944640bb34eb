package htmltext

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// element is an open element that may have changed the state.
type element struct {
	tag  tag
	prev state
}

// reader walks the tokens of a body. It keeps its own short list of open elements instead of building a tree, so that
// no nesting can cost more than its own size.
type reader struct {
	w     writer
	st    state
	stack []element
	held  [tagCount]int // open inline elements on the stack, by tag
	open  [tagCount]int // open elements on the stack, by tag
	hide  bool          // leave hidden text out
	tight bool          // the last paragraph that was started has no margin

	target []byte // of the open link
	linkAt int    // where its text starts in w.buf
	linkOn bool
}

func read(body string, hide bool) []Line {
	r := reader{hide: hide}
	r.w.buf = make([]byte, 0, len(body)/2)
	z := html.NewTokenizer(strings.NewReader(body))
	for skip := false; ; {
		switch z.Next() {
		case html.ErrorToken:
			return r.w.result()
		case html.TextToken:
			if !skip && !r.st.hidden {
				r.w.text(z.Text(), r.st)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			t := tagOf(name)
			if t.raw() {
				skip = true
				continue
			}
			skip = false
			r.start(t, z, more)
		case html.EndTagToken:
			name, _ := z.TagName()
			t := tagOf(name)
			skip = false
			r.end(t)
		}
	}
}

func (r *reader) start(t tag, z *html.Tokenizer, more bool) {
	switch t {
	case tagBr:
		if !r.st.hidden {
			r.w.lineBreak(r.st)
		}
		return
	case tagHr:
		a := readAttrs(z, more)
		r.w.cellGap = false
		if !r.st.hidden && !a.hidden {
			r.w.rule(r.st)
		}
		return
	case tagImg:
		r.image(readAttrs(z, more))
		return
	case tagA:
		r.link(z, more)
		return
	case tagUnknown:
		return
	}
	a := readAttrs(z, more)
	if !t.block() {
		if st := r.apply(t, a); st != r.st || r.held[t] > 0 {
			r.held[t]++
			r.push(t, st)
		}
		return
	}
	r.closeImplied(t)
	st := r.apply(t, a)
	if !st.hidden {
		r.startBlock(t, a)
	}
	if t != tagP || st != r.st {
		r.push(t, st)
	}
}

// closeImplied ends the elements that a start tag ends (HTML §13.1.2.4), as far as mail needs it.
func (r *reader) closeImplied(t tag) {
	for n := len(r.stack); n > 0; n = len(r.stack) {
		top := r.stack[n-1].tag
		switch {
		case top == tagP,
			top == tagLi && t == tagLi,
			(top == tagTd || top == tagTh) && (t == tagTd || t == tagTh || t == tagTr),
			top == tagTr && t == tagTr:
			r.pop()
		default:
			return
		}
	}
}

func (r *reader) startBlock(t tag, a attrs) {
	w := &r.w
	switch t {
	case tagTr:
		w.startRow()
	case tagTd, tagTh:
		w.startCell()
	case tagTable:
		w.block(false)
		w.inRow = false
	case tagUl, tagOl:
		w.block(len(w.lists) == 0)
		n := -1
		if t == tagOl {
			n = max(a.start-1, 0)
		}
		w.lists = append(w.lists, n)
		w.item = false
	case tagLi:
		w.block(false)
		w.item = true
	case tagP:
		r.tight = a.tight
		w.block(!a.tight)
	case tagPre, tagBlockquote, tagDl, tagH1, tagH2, tagH3, tagH4, tagH5, tagH6:
		w.block(true)
	default:
		w.block(false)
	}
}

func (r *reader) push(t tag, st state) {
	r.stack = append(r.stack, element{t, r.st})
	r.open[t]++
	r.st = st
}

func (r *reader) pop() element {
	e := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	r.open[e.tag]--
	if !e.tag.block() {
		r.held[e.tag]--
	}
	if (e.tag == tagUl || e.tag == tagOl) && len(r.w.lists) > 0 && !r.st.hidden {
		r.w.lists = r.w.lists[:len(r.w.lists)-1]
		r.w.item = false
	}
	r.st = e.prev
	return e
}

// inlineReach bounds how far an inline end tag looks for its start.
const inlineReach = 64

func (r *reader) end(t tag) {
	switch {
	case t == tagA:
		r.endLink()
	case t == tagUnknown:
	case !t.block():
		if r.held[t] == 0 {
			return
		}
		for i := len(r.stack) - 1; i >= 0 && i > len(r.stack)-inlineReach; i-- {
			if r.stack[i].tag == t {
				for len(r.stack) > i {
					r.pop()
				}
				return
			}
			if r.stack[i].tag.block() {
				return
			}
		}
	default:
		r.endBlock(t)
	}
}

func (r *reader) endBlock(t tag) {
	if !r.st.hidden {
		switch t {
		case tagTd, tagTh:
			// The next cell decides whether the line goes on.
		case tagTr:
			r.w.endRow()
		case tagP:
			r.w.block(!r.tight)
		case tagPre, tagBlockquote, tagDl, tagH1, tagH2, tagH3, tagH4, tagH5, tagH6:
			r.w.block(true)
		case tagUl, tagOl:
			r.w.block(len(r.w.lists) <= 1)
		default:
			r.w.block(false)
		}
	}
	if r.open[t] == 0 {
		return
	}
	for len(r.stack) > 0 {
		if r.pop().tag == t {
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
