package parse

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"supportd/mailin/htmltext"
)

// body chooses the parts that are the text of the message and makes attachments of the others.
func (b *builder) body(root *node, w *walker) {
	b.expand(root, w)
	b.structure([]*node{root}, "multipart/mixed", false, &b.text, &b.html)
	b.fillText()
	for _, n := range b.other {
		b.attach(n)
	}
	b.fillFallback()
}

// structure sorts parts the way RFC 8621 §4.1.4 does: what is shown in line is text, the rest is attached. A nil list
// takes nothing.
func (b *builder) structure(nodes []*node, within string, alternative bool, text, html *[]*node) {
	textBefore, htmlBefore := length(text), length(html)
	for i, n := range nodes {
		if n.multipart() {
			b.structure(inOrder(n), n.typ, alternative || n.typ == "multipart/alternative", text, html)
			continue
		}
		if !n.inlineText(i == 0, within) {
			b.other = append(b.other, n)
			continue
		}
		isHTML := n.typ == "text/html"
		if within == "multipart/alternative" {
			if isHTML {
				add(html, n)
			} else {
				add(text, n)
			}
			continue
		}
		if alternative {
			if isHTML {
				text = nil
			} else {
				html = nil
			}
		}
		add(text, n)
		add(html, n)
		if text == nil && html == nil {
			b.other = append(b.other, n)
		}
	}
	if within == "multipart/alternative" && text != nil && html != nil {
		// Only one of the two forms was found: it serves as both.
		if len(*text) == textBefore && len(*html) > htmlBefore {
			*text = append(*text, (*html)[htmlBefore:]...)
		} else if len(*html) == htmlBefore && len(*text) > textBefore {
			*html = append(*html, (*text)[textBefore:]...)
		}
	}
}

// inOrder gives a multipart's parts, the root of a multipart/related first (RFC 2387 §3.2).
func inOrder(n *node) []*node {
	start := strings.Trim(n.params["start"], "<> ")
	if n.typ != "multipart/related" || start == "" {
		return n.kids
	}
	for i, kid := range n.kids {
		if i > 0 && strings.Trim(kid.header.value("content-id"), "<> ") == start {
			kids := append([]*node{kid}, n.kids[:i]...)
			return append(kids, n.kids[i+1:]...)
		}
	}
	return n.kids
}

func length(list *[]*node) int {
	if list == nil {
		return 0
	}
	return len(*list)
}

func add(list *[]*node, n *node) {
	if list != nil {
		*list = append(*list, n)
	}
}

// inlineText tells whether a part is text to be shown, not a file.
func (n *node) inlineText(first bool, within string) bool {
	if n.opaque {
		// A multipart whose boundary does not occur is shown as text.
		return strings.HasPrefix(n.typ, "multipart/") && n.path == ""
	}
	if n.typ != "text/plain" && n.typ != "text/html" || n.disposition == "attachment" {
		return false
	}
	return first || within != "multipart/related" && n.rawName() == ""
}

// rawName is the file name that a part gives itself, not yet safe.
func (n *node) rawName() string {
	if name := n.dispParams["filename"]; name != "" {
		return name
	}
	return n.params["name"]
}

// fillText sets Text, TextFrom and HTML.
func (b *builder) fillText() {
	var html strings.Builder
	for _, n := range b.html {
		if n.typ == "text/html" && html.Len() < maxText {
			html.WriteString(b.partText(n))
		}
	}
	b.m.HTML = html.String()
	var text strings.Builder
	plain, rich := 0, 0
	for _, n := range b.text {
		if text.Len() >= maxText {
			break
		}
		t := b.partText(n)
		switch blank := strings.TrimSpace(t) == ""; {
		case n.typ == "text/html":
			rich++
			t = htmltext.Text(t)
		case !blank || plain == 0 && len(b.text) == 1:
			plain++
		}
		if text.Len() > 0 && t != "" && !strings.HasSuffix(text.String()[max(0, text.Len()-1):], "\n") {
			text.WriteByte('\n')
		}
		text.WriteString(t)
	}
	b.m.Text, b.m.TextFrom = text.String(), textFrom(plain, rich)
	if plain == 0 && rich == 0 && b.encrypted {
		b.m.TextFrom = "nothing: the message is encrypted"
	}
	if b.m.HTML != "" && rich == 0 {
		if why := poorText(b.m.Text); why != "" {
			if t := htmltext.Text(b.m.HTML); strings.TrimSpace(t) != "" {
				b.m.Text, b.m.TextFrom = t, "text/html: "+why
			}
		}
	}
}

func textFrom(plain, rich int) string {
	switch {
	case plain > 0 && rich > 0:
		return "parts of text/plain and text/html together"
	case plain > 1:
		return fmt.Sprintf("%d parts of text/plain", plain)
	case plain == 1:
		return "text/plain"
	case rich > 0:
		return "text/html: there is no text part"
	}
	return "nothing: there is no text"
}

// poorText tells why a text part is not what the sender wrote, or "".
func poorText(text string) string {
	t := strings.TrimSpace(text)
	if t == "" {
		return "the text part is empty"
	}
	if len(t) < 2000 {
		head := strings.ToLower(t[:min(len(t), 100)])
		if strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html") {
			return "the text part is HTML"
		}
	}
	if len(t) < 400 {
		low := strings.ToLower(t)
		for _, phrase := range []string{
			"does not support html", "doesn't support html", "does not display html", "cannot display html", "not html-capable",
			"html email client", "this is an html email", "this message is in html", "html-enabled", "view this email in html",
			"unterstützt kein html", "kein html darstellen", "html-format angezeigt", "html-fähig", "html-nachricht",
		} {
			if strings.Contains(low, phrase) {
				return "the text part only says that there is HTML"
			}
		}
	}
	return ""
}

// partText decodes a text part: UTF-8, lines ended by LF, without NUL.
func (b *builder) partText(n *node) string {
	if !n.done {
		n.text, n.done = b.decodeText(n), true
	}
	return n.text
}

func (b *builder) decodeText(n *node) string {
	data, defect := decodeTransfer(n.body, n.encoding)
	if defect != "" {
		b.defect(n.where(), defect)
	}
	if len(data) > maxText {
		data = data[:maxText]
		b.defect(n.where(), "text over 8 MiB: cut")
	}
	declared := n.params["charset"]
	if declared == "" && n.typ == "text/html" {
		declared = metaCharset(data)
	}
	if declared == "" && n.hint != "" && !utf8.Valid(data) {
		declared = n.hint
	}
	d := decodeCharset(data, declared, true)
	if d.guessed {
		if declared == "" {
			b.defect(n.where(), "no charset is named: read as "+d.charset)
		} else if d.charset == normaliseCharset(declared) {
			b.defect(n.where(), "damaged "+d.charset+": unreadable octets were replaced")
		} else {
			b.defect(n.where(), "is not in the charset it names ("+quoteStart([]byte(declared))+"): read as "+d.charset)
		}
	}
	t := normaliseLines(d.text)
	if n.typ != "text/plain" {
		return t
	}
	t = b.inlineFiles(n, b.openPGP(n, t))
	if strings.EqualFold(n.params["format"], "flowed") {
		t = unflow(t, strings.EqualFold(n.params["delsp"], "yes"))
	}
	return t
}

// normaliseLines makes LF the only line end and drops NUL.
func normaliseLines(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	s = strings.TrimPrefix(s, "\uFEFF")
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\r\n", "\n") // a server added CR to line ends that had one
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.ReplaceAll(s, "\r", "\n")
}

// metaCharset finds the charset that HTML names for itself in its first 2 KiB.
func metaCharset(data []byte) string {
	head := bytes.ToLower(data[:min(len(data), 2048)])
	i := bytes.Index(head, []byte("<meta"))
	for i >= 0 {
		tag := head[i:]
		if end := bytes.IndexByte(tag, '>'); end >= 0 {
			tag = tag[:end]
		}
		if j := bytes.Index(tag, []byte("charset=")); j >= 0 {
			name := bytes.TrimLeft(tag[j+len("charset="):], "\"' ")
			if end := bytes.IndexAny(name, "\"' ;>/"); end >= 0 {
				name = name[:end]
			}
			return string(name)
		}
		next := bytes.Index(head[i+5:], []byte("<meta"))
		if next < 0 {
			break
		}
		i += 5 + next
	}
	return ""
}
