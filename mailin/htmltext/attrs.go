package htmltext

import (
	"bytes"
	"strconv"

	"golang.org/x/net/html"
)

// attrs is what matters of an element's attributes.
type attrs struct {
	href, alt string
	in        Container // told by class and id
	cite      bool      // a block quote that quotes: type=cite, or a border on its left
	hidden    bool
	tight     bool // a paragraph without margin: one line, not a paragraph
	pre       bool
	start     int // of a numbered list; 0 when absent
}

func readAttrs(z *html.Tokenizer, more bool) attrs {
	var a attrs
	for more {
		var key, val []byte
		key, val, more = z.TagAttr()
		switch string(key) {
		case "href":
			a.href = string(val)
		case "alt":
			a.alt = string(val)
		case "type":
			a.cite = a.cite || bytes.EqualFold(val, []byte("cite"))
		case "hidden":
			a.hidden = true
		case "start":
			a.start, _ = strconv.Atoi(string(val))
		case "style":
			a.style(val)
		case "class", "id":
			a.names(val)
		case "data-signatureblock", "data-signature":
			a.in |= Signature
		}
	}
	return a
}

// names reads the class or the id, by which clients mark their containers.
func (a *attrs) names(val []byte) {
	for name := range bytes.FieldsSeq(val) {
		switch string(name) {
		case "gmail_quote", "gmail_quote_container", "yahoo_quoted", "protonmail_quote", "tutanota_quote", "zmail_extra",
			"moz-forward-container", "mail-quote-collapse", "ox-quote", "WordSection1-quoted", "gmx-quote", "edisonMailQuote":
			a.in |= Quoted
		case "gmail_attr", "moz-cite-prefix", "moz-email-headers-table", "divRplyFwdMsg", "x_divRplyFwdMsg",
			"OutlookMessageHeader", "mail-quote-header", "yahoo_quoted_header", "appendonsend":
			a.in |= Intro
		case "gmail_signature", "moz-signature", "protonmail_signature_block", "Signature", "x_Signature",
			"ms-outlook-mobile-signature", "AppleMailSignature", "x_AppleMailSignature", "ms-outlook-ios-signature",
			"signature_old", "io-ox-signature", "composer_signature", "yahoo-signature", "gmx-signature", "lineBreakAtBeginningOfSignature":
			a.in |= Signature
		case "MsoNormal", "MsoListParagraph", "MsoPlainText", "MsoNoSpacing":
			a.tight = true
		}
		// Yahoo numbers its ids: yahoo_quoted_0123456789.
		if bytes.HasPrefix(name, []byte("yahoo_quoted_")) {
			a.in |= Quoted
		}
	}
}

// maxStyle is how much of a style is looked at.
const maxStyle = 2000

// style reads what a style says about visibility and margins.
func (a *attrs) style(val []byte) {
	for decl := range bytes.SplitSeq(val[:min(len(val), maxStyle)], []byte(";")) {
		name, value, ok := bytes.Cut(decl, []byte(":"))
		if !ok {
			continue
		}
		name, value = lower(bytes.TrimSpace(name)), lower(bytes.TrimSpace(value))
		switch string(name) {
		case "display":
			a.hidden = a.hidden || bytes.HasPrefix(value, []byte("none"))
		case "visibility":
			a.hidden = a.hidden || bytes.HasPrefix(value, []byte("hidden"))
		case "mso-hide":
			a.hidden = a.hidden || bytes.HasPrefix(value, []byte("all"))
		case "font-size", "max-height", "opacity":
			a.hidden = a.hidden || isZero(value)
		case "border-left", "border-left-width":
			a.cite = a.cite || !isZero(value) && !bytes.HasPrefix(value, []byte("none"))
		case "white-space":
			a.pre = bytes.HasPrefix(value, []byte("pre"))
		case "margin", "margin-top", "margin-bottom":
			a.tight = a.tight || isZero(value)
		}
	}
}

// lower turns ASCII capitals into small letters, in place: the tokenizer's buffer is ours until its next token.
func lower(b []byte) []byte {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

// isZero reports whether a length is nothing: 0, 0px, 0.0em, 0 !important, and "0 auto" for the vertical margin.
func isZero(v []byte) bool {
	i := 0
	for i < len(v) && (v[i] == '0' || v[i] == '.') {
		i++
	}
	return i > 0 && (i == len(v) || v[i] < '0' || v[i] > '9')
}

// apply returns the state inside an element.
func (r *reader) apply(t tag, a attrs) state {
	st := r.st
	st.hidden = st.hidden || a.hidden && r.hide
	st.pre = st.pre || t == tagPre || a.pre
	if t == tagBlockquote {
		if a.cite {
			st.quote++
		} else {
			st.indent++
		}
		a.in &^= Quoted // Gmail gives its indented paragraphs the class of its quotes
	}
	st.in |= a.in
	return st
}
