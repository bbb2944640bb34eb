package parse

import (
	"bytes"
	"slices"
	"strings"

	"supportd/mailin/htmltext"
)

// This file deals with text that comes wrapped: in S/MIME, in PGP, in Outlook's winmail.dat, in uuencode, or as a part
// of another type than text/plain and text/html.

// expand opens the wrappers below n: the content of an S/MIME signature and of a winmail.dat takes the wrapper's
// place. Encryption is noted.
func (b *builder) expand(n *node, w *walker) {
	if n.typ == "multipart/encrypted" {
		b.isEncrypted(n)
	}
	for _, kid := range n.kids {
		b.expand(kid, w)
	}
	if n.multipart() || n.opaque {
		return
	}
	name := strings.ToLower(n.rawName())
	switch {
	case smimeType(n.typ) || n.typ == "application/octet-stream" && strings.HasSuffix(name, ".p7m"):
		b.expandSMIME(n, w)
	case n.typ == "application/ms-tnef" || n.typ == "application/vnd.ms-tnef" || name == "winmail.dat":
		b.expandTNEF(n)
	}
}

func (b *builder) isEncrypted(n *node) {
	b.encrypted = true
	b.defect(n.where(), "encrypted: it can only be read with the recipient's key")
}

func (b *builder) expandSMIME(n *node, w *walker) {
	data, _ := decodeTransfer(n.body, n.encoding)
	content, kind := openSMIME(data)
	switch kind {
	case smimeEncrypted:
		b.isEncrypted(n)
	case smimeCompressed:
		b.defect(n.where(), "compressed S/MIME: not opened")
	case smimeSigned:
		if len(content) == 0 || w.parts >= maxParts {
			return
		}
		inner := walker{raw: content, defect: b.defect, parts: w.parts}
		path := "1"
		if n.path != "" {
			path = n.path + ".1"
		}
		kid, _ := inner.part(0, path, "text/plain", false)
		w.parts = inner.parts
		n.typ, n.kids = "multipart/mixed", []*node{kid}
	case smimeUnknown, smimeCertificates:
	}
}

func (b *builder) expandTNEF(n *node) {
	data, _ := decodeTransfer(n.body, n.encoding)
	t, err := decodeTNEF(data)
	if err != nil {
		b.defect(n.where(), err.Error())
	}
	text, html := t.body()
	if text != "" {
		b.spare = append(b.spare, spare{text, "winmail.dat: there is no other text"})
	} else if html != "" {
		b.spare = append(b.spare, spare{htmltext.Text(html), "winmail.dat: there is no other text"})
	}
	t.files = slices.DeleteFunc(t.files, func(f tnefFile) bool { return f.name == "" && len(f.data) == 0 })
	if len(t.files) == 0 {
		return // what was opened holds no files: the wrapper itself stays attached
	}
	for _, f := range t.files {
		typ := f.typ
		if typ == "" {
			typ = "application/octet-stream"
		}
		kid := &node{path: n.path, typ: typ, disposition: "attachment", dispParams: map[string]string{"filename": f.name}, body: f.data}
		if f.cid != "" {
			kid.header.fields = []field{{name: "Content-ID", value: oneLine(f.cid)}}
		}
		n.kids = append(n.kids, kid)
	}
	n.typ = "multipart/mixed"
}

// body gives the body of a winmail.dat as text or as HTML.
func (t *tnef) body() (text, html string) {
	if strings.TrimSpace(t.text) != "" {
		return normaliseLines(t.text), ""
	}
	if len(t.html) > 0 {
		declared := metaCharset(t.html)
		if declared == "" {
			declared = codePage(t.page)
		}
		return "", normaliseLines(decodeCharset(t.html[:min(len(t.html), maxText)], declared, true).text)
	}
	if len(t.rtf) > 0 {
		s, isHTML := rtfText(t.rtf)
		if isHTML {
			return "", normaliseLines(s)
		}
		return normaliseLines(s), ""
	}
	return "", ""
}

// openPGP shows what is readable of a PGP message inside text.
func (b *builder) openPGP(n *node, text string) string {
	if !strings.Contains(text, "-----BEGIN PGP ") {
		return text
	}
	if strings.Contains(text, "-----BEGIN PGP MESSAGE-----") {
		b.isEncrypted(n)
	}
	return openPGPText(text)
}

// inlineFiles takes uuencoded files out of a text and attaches them.
func (b *builder) inlineFiles(n *node, text string) string {
	if !strings.Contains(text, "begin ") {
		return text
	}
	raw := []byte(text)
	var out strings.Builder
	pos := 0
	for range maxAttachments {
		start := uuBegin(raw, pos)
		if start < 0 {
			break
		}
		data, name, after, ok := decodeUU(raw[start:])
		if !ok {
			_, next := cutLine(raw, start)
			out.Write(raw[pos:next])
			pos = next
			continue
		}
		out.Write(raw[pos:start])
		pos = start + after
		b.other = append(b.other, &node{
			path: n.path, typ: "application/octet-stream", disposition: "attachment",
			dispParams: map[string]string{"filename": name}, body: data,
		})
	}
	out.Write(raw[pos:])
	return out.String()
}

// textFile keeps the text of a part that is attached, in case that there is no other text.
func (b *builder) textFile(n *node, data []byte) {
	if len(b.spare) > 10 || n.disposition == "attachment" && n.typ != "text/calendar" {
		return
	}
	switch n.typ {
	case "text/calendar":
		text := decodeCharset(data[:min(len(data), maxMachineData)], n.params["charset"], true).text
		if t := calendarText(text); t != "" {
			b.spare = append(b.spare, spare{t, "text/calendar: there is no other text"})
		}
	case "text/enriched", "text/richtext":
		if t := enrichedText(decodeCharset(data[:min(len(data), maxText)], n.params["charset"], true).text); t != "" {
			b.spare = append(b.spare, spare{t, n.typ + ": there is no other text"})
		}
	}
}

// fillFallback shows the best of what is left when the message has no text of its own.
func (b *builder) fillFallback() {
	if strings.TrimSpace(b.m.Text) != "" || len(b.spare) == 0 {
		return
	}
	b.m.Text, b.m.TextFrom = b.spare[0].text, b.spare[0].from
}

// enrichedText makes plain text of text/enriched (RFC 1896): commands go, single line ends are spaces, "<<" is "<".
func enrichedText(s string) string {
	var out bytes.Buffer
	s = normaliseLines(s)
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '<' && strings.HasPrefix(s[i:], "<<"):
			out.WriteByte('<')
			i += 2
		case c == '<':
			end := strings.IndexByte(s[i:min(len(s), i+70)], '>')
			if end < 0 {
				out.WriteByte(c)
				i++
				continue
			}
			cmd := s[i : i+end+1]
			i += end + 1
			if strings.EqualFold(cmd, "<param>") {
				i += paramEnd(s[i:min(len(s), i+1000)])
			}
		case c == '\n':
			n := 1
			for i+n < len(s) && s[i+n] == '\n' {
				n++
			}
			if n == 1 {
				out.WriteByte(' ')
			} else {
				out.Write(bytes.Repeat([]byte("\n"), n-1))
			}
			i += n
		default:
			out.WriteByte(c)
			i++
		}
	}
	return strings.TrimSpace(out.String())
}

// paramEnd returns the place after "</param>", or 0 when it does not occur.
func paramEnd(s string) int {
	const end = "</param>"
	for at := 0; ; at++ {
		i := strings.Index(s[at:], "</")
		if i < 0 || len(s)-at-i < len(end) {
			return 0
		}
		if at += i; strings.EqualFold(s[at:at+len(end)], end) {
			return at + len(end)
		}
	}
}
