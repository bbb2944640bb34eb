package templates

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// A segment is a part of a body: Markdown, or a line of its own that holds nothing but control actions.
type segment struct {
	control bool
	text    string // with tokens
	line    int    // of the file
}

// segments cuts a body at the lines that hold control actions only. Those lines stand between blocks of Markdown in
// both forms of the text.
func segments(body string, firstLine int, actions []action) []segment {
	var segs []segment
	var md []string
	start := firstLine
	flush := func(next int) {
		if strings.TrimSpace(strings.Join(md, "\n")) != "" {
			segs = append(segs, segment{text: strings.Join(md, "\n"), line: start})
		}
		md, start = nil, next
	}
	line := firstLine
	for l := range strings.SplitSeq(body, "\n") {
		span := 1
		for _, i := range tokensIn(l) {
			span += strings.Count(actions[i].source, "\n")
		}
		if controlOnly(l, actions) {
			flush(line + span)
			segs = append(segs, segment{control: true, text: strings.TrimSpace(l), line: line})
		} else {
			md = append(md, l)
		}
		line += span
	}
	flush(line)
	return segs
}

func controlOnly(line string, actions []action) bool {
	if strings.TrimSpace(tokenPattern.ReplaceAllString(line, "")) != "" {
		return false
	}
	tokens := tokensIn(line)
	for _, i := range tokens {
		if actions[i].keyword == "" {
			return false
		}
	}
	return len(tokens) > 0
}

// forms are the two templates that one body becomes.
type forms struct {
	html string
	text string
}

// convert turns a body into an HTML template and a text template that hold the same words.
func convert(src source, l *look) (forms, error) {
	body, actions, err := cutActions(src.body, src.bodyLine)
	if err != nil {
		return forms{}, fmt.Errorf("%s: %w", src.file, err)
	}
	inHTML := slices.Clone(actions) // oneList changes some of them
	md := goldmark.New()
	var html, plain strings.Builder
	segs := segments(body, src.bodyLine, actions)
	for i, seg := range segs {
		if seg.control {
			html.WriteString(seg.text + "\n")
			plain.WriteString(seg.text)
			continue
		}
		markdown := []byte(seg.text)
		doc := md.Parser().Parse(text.NewReader(markdown))
		w := &plainWriter{src: markdown, actions: actions}
		w.blocks(doc, "")
		if w.err != nil {
			return forms{}, fmt.Errorf("%s:%d: %w", src.file, seg.line+bytes.Count(markdown[:w.at], []byte("\n")), w.err)
		}
		plain.WriteString(w.out.String())
		var h bytes.Buffer
		if err := md.Renderer().Render(&h, markdown, doc); err != nil {
			return forms{}, fmt.Errorf("%s:%d: %w", src.file, seg.line, err)
		}
		piece := l.styleTags(h.String())
		if list, ok := doc.FirstChild().(*ast.List); ok && list.NextSibling() == nil && i > 0 && i+1 < len(segs) {
			piece = oneList(piece, segs[i-1], segs[i+1], inHTML)
		}
		html.WriteString(piece)
	}
	return forms{html: restore(html.String(), inHTML), text: restore(plain.String(), actions)}, nil
}

// oneList makes a range over a list one list: without it each turn would begin a list of its own, and screen readers
// would read out "list with one entry" every time. The opening tag moves before the range, the closing one behind it.
func oneList(list string, before, after segment, actions []action) string {
	open, end := tokensIn(before.text), tokensIn(after.text)
	if !before.control || !after.control || len(open) != 1 || len(end) != 1 ||
		actions[open[0]].keyword != "range" || actions[end[0]].keyword != "end" {
		return list
	}
	i, j := strings.Index(list, ">")+1, strings.LastIndex(list, "</")
	over := strings.Trim(actions[open[0]].source, "{} -")
	over = strings.TrimSpace(strings.TrimPrefix(over, "range"))
	if _, value, ok := strings.Cut(over, ":="); ok {
		over = value
	}
	actions[open[0]].source = "{{if " + over + "}}" + list[:i] + actions[open[0]].source
	actions[end[0]].source += list[j:] + "{{end}}"
	return list[i:j]
}

// plainWriter writes the text form of a Markdown tree as marked blocks.
type plainWriter struct {
	src     []byte
	actions []action
	out     strings.Builder
	err     error
	at      int // where in src err is
}

func (w *plainWriter) fail(n ast.Node, format string, args ...any) {
	if w.err != nil {
		return
	}
	w.err = fmt.Errorf(format, args...)
	for ; n != nil; n = n.Parent() {
		if n.Type() != ast.TypeInline && n.Lines() != nil && n.Lines().Len() > 0 {
			w.at = n.Lines().At(0).Start
			return
		}
	}
}

func (w *plainWriter) block(kind byte, indent, body string) {
	w.out.WriteByte(markOpen)
	w.out.WriteByte(kind)
	w.out.WriteString(indent)
	w.out.WriteByte(markSep)
	w.out.WriteString(body)
	w.out.WriteByte(markClose)
}

func (w *plainWriter) blocks(parent ast.Node, indent string) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Paragraph, *ast.TextBlock:
			w.block(blockParagraph, indent, w.inline(n))
		case *ast.Heading:
			w.block(blockHeading, indent, strings.TrimRight(w.inline(n), ":")+":")
		case *ast.List:
			w.list(n, indent)
		case *ast.Blockquote:
			w.blocks(n, indent+"> ")
		case *ast.ThematicBreak:
			w.block(blockParagraph, indent, "* * *")
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			var lines []string
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				lines = append(lines, indent+"  "+strings.TrimRight(string(line.Value(w.src)), "\n"))
			}
			w.block(blockVerbatim, "", strings.Join(lines, "\n"))
		case *ast.HTMLBlock:
			w.fail(n, "holds HTML: a template is Markdown, its HTML is made from it")
		default:
			w.fail(n, "holds a kind of Markdown that is not supported here: %s", n.Kind())
		}
	}
}

func (w *plainWriter) list(l *ast.List, indent string) {
	kind := byte(blockItem)
	if l.IsOrdered() {
		kind = blockNumber
	}
	for item := l.FirstChild(); item != nil; item = item.NextSibling() {
		first := item.FirstChild()
		if first == nil {
			continue
		}
		w.block(kind, indent, w.inline(first))
		for n := first.NextSibling(); n != nil; n = n.NextSibling() {
			if sub, ok := n.(*ast.List); ok {
				w.list(sub, indent+"  ")
				continue
			}
			w.block(blockParagraph, indent+"  ", w.inline(n))
		}
	}
}

// inline gives the words of a block on one line.
func (w *plainWriter) inline(block ast.Node) string {
	var b strings.Builder
	w.spans(&b, block)
	s := b.String()
	if !balanced(s, w.actions) {
		w.fail(block, "an if, range or with has to end in the paragraph in which it begins, or to stand on lines of its own")
	}
	for _, i := range tokensIn(s) {
		if w.actions[i].keyword == "template" {
			w.fail(block, "%s has to stand on a line of its own", w.actions[i].source)
		}
	}
	return s
}

func (w *plainWriter) spans(b *strings.Builder, parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.WriteString(literal(n.Value(w.src)))
			if n.HardLineBreak() {
				b.WriteByte('\n')
			} else if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.CodeSpan:
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				if t, ok := c.(*ast.Text); ok {
					b.Write(t.Value(w.src))
				}
			}
		case *ast.Emphasis:
			w.spans(b, n)
		case *ast.Link:
			w.link(b, n)
		case *ast.AutoLink:
			b.Write(n.Label(w.src))
		case *ast.Image:
			w.fail(n, "holds an image: mails of the desk load nothing")
		case *ast.RawHTML:
			w.fail(n, "holds HTML: a template is Markdown, its HTML is made from it")
		default:
			w.fail(n, "holds a kind of Markdown that is not supported here: %s", n.Kind())
		}
	}
}

func (w *plainWriter) link(b *strings.Builder, n *ast.Link) {
	target := string(n.Destination)
	if !strings.HasPrefix(target, "mailto:") && !strings.HasPrefix(target, "https://") {
		w.fail(n, "links to %q: only https:// and mailto: are allowed", restore(target, w.actions))
	}
	var words strings.Builder
	w.spans(&words, n)
	shown := strings.TrimPrefix(target, "mailto:")
	b.WriteString(words.String())
	if w.sameWords(words.String(), shown) {
		return
	}
	b.WriteString(" <" + shown + ">")
}

// sameWords compares two texts with tokens by what the tokens stand for.
func (w *plainWriter) sameWords(a, b string) bool {
	return restore(a, w.actions) == restore(b, w.actions)
}

// literal resolves the escapes and entities of a Markdown text.
func literal(raw []byte) string {
	return string(util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(raw))))
}
