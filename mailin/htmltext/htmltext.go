// Package htmltext turns an HTML mail body into lines of text that a person can read: quotes, lists, links, tables and
// preformatted text stay recognisable, hidden text is left out. It renders no layout, fetches nothing, and does not
// decide what is new in a mail: it only says in which of the known clients' containers a line stood.
package htmltext

import "strings"

// Container says what an HTML line stood in, as far as the mail client that wrote it has told.
type Container uint8

const (
	Quoted    Container = 1 << iota // a client's box around the mail that is answered (gmail_quote, yahoo_quoted, …)
	Intro                           // the words that introduce that mail (moz-cite-prefix, gmail_attr, divRplyFwdMsg, …)
	Signature                       // the writer's signature (gmail_signature, moz-signature, …)
	Rule                            // the line is a horizontal rule
)

// Line is one line of text.
type Line struct {
	Text   string    // without quote marks and trailing space; indented where the HTML was
	Quote  int       // how many quoting block quotes stand around it
	Indent int       // how many block quotes stand around it that only indent
	In     Container // what it stood in
}

const (
	maxQuote  = 12  // quote marks shown on one line
	maxIndent = 6   // levels of indentation shown
	maxTarget = 900 // octets of a link's target that are shown
	ruleText  = "----------"
)

// Text returns an HTML body as text, without white space at its ends. Quotes are marked with ">" (RFC 3676 §4.5). It
// takes time linear in the size of the body, for any input.
func Text(body string) string {
	var b strings.Builder
	b.Grow(len(body) / 2)
	for i, l := range Lines(body) {
		if i > 0 {
			b.WriteByte('\n')
		}
		for range min(l.Quote, maxQuote) {
			b.WriteByte('>')
		}
		if l.Quote > 0 && l.Text != "" {
			b.WriteByte(' ')
		}
		b.WriteString(l.Text)
	}
	return b.String()
}

// Lines returns the lines of an HTML body, without blank lines at its ends. When all of a body is hidden, the hidden
// text is shown: a body is never empty because of its style.
func Lines(body string) []Line {
	lines := read(body, true)
	if len(lines) == 0 {
		lines = read(body, false)
	}
	return lines
}
