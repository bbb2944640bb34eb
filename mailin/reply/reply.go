// Package reply finds what is new in a mail: it parts the new text from what is quoted, from the signature and from a
// mail that is forwarded inside the text. It does not decode messages and knows nothing of header fields; it works on
// lines, in time linear in their number, and when it is unsure it calls more of the text new.
//
// The rules, in the order in which they are tried:
//
//   - Our own marker line cuts everything below it.
//   - What stands below "-----Original Message-----", a block of header lines or "On …, Ada wrote:" is quoted.
//   - Text below a quote that was introduced is the new text, and the quote is not (bottom posting).
//   - Answers between quoted lines keep those lines, so that one sees what is answered. The lines that introduce a
//     quote are never kept: they may hold an address that gives rights.
//   - A quote that nothing introduces and that stands above the text was put there on purpose, and stays.
//   - The signature is what stands below a delimiter, what phones and companies add, and, at the very end of a mail,
//     a closing with a name. Above a quote a closing with a name stays, unless telephone numbers or the like follow.
package reply

import (
	"strings"

	"supportd/mailin/htmltext"
	"supportd/tickets"
)

// Parts is the text of a mail, taken apart.
type Parts struct {
	Reply     string // the new text; "" only if there is no text, or all of it is forwarded
	Quoted    string // what was taken for a quote, with what introduced it
	Signature string // what was taken for a signature, a disclaimer or an advertisement

	// Forwarded is the mail that this one forwards in its text; nil when nothing says that it does.
	Forwarded *tickets.Forwarded
	// Original is the mail whose header block stands above the quote, nil without one. Some clients write the same
	// block for answers and for forwarded mail; IsForward of the subject tells which.
	Original *tickets.Forwarded
}

// Split takes the text of a message apart. html is the HTML part that text was made from or stands beside, "" when
// there is none; it is asked where the text alone leaves open what is quoted.
func Split(text, html string) Parts {
	switch {
	case html == "":
		return Text(text)
	case strings.TrimSpace(text) == "":
		return HTML(html)
	case !htmltext.Marked(html):
		return Text(text)
	}
	lines := htmlLines(html)
	if sameText(text, lines) {
		return split(lines)
	}
	parts := Text(text)
	if parts.Quoted != "" || parts.Forwarded != nil || !contained(lines) {
		return parts
	}
	// The text has no mark of a quote, the HTML has. If the text starts with what is new in the HTML, it ends there.
	if fresh := split(lines); fresh.Quoted != "" && fresh.Reply != "" {
		if n, ok := prefixEnd(text, fresh.Reply); ok {
			return Parts{Reply: strings.TrimSpace(text[:n]), Quoted: strings.TrimSpace(text[n:]),
				Signature: fresh.Signature, Original: fresh.Original, Forwarded: fresh.Forwarded}
		}
	}
	return parts
}

// Text takes a plain text body apart.
func Text(body string) Parts { return split(textLines(body)) }

// HTML takes an HTML body apart.
func HTML(body string) Parts { return split(htmlLines(body)) }

// IsForward reports whether a subject says that the mail is forwarded: "Fwd: …", "WG: …", "TR: …".
func IsForward(subject string) bool {
	i := strings.IndexAny(subject, ":：")
	return i > 0 && words.prefixes[fold(subject[:i])]
}

// contained reports whether a client has marked where the quote is.
func contained(lines []line) bool {
	for _, l := range lines {
		if l.in&(htmltext.Quoted|htmltext.Intro) != 0 || l.depth > 0 {
			return true
		}
	}
	return false
}

// sameText reports whether a text was made from these lines.
func sameText(text string, lines []line) bool {
	for _, l := range lines {
		var own string
		own, text, _ = strings.Cut(text, "\n")
		if trim(own) != trim(l.raw) {
			return false
		}
	}
	return strings.TrimSpace(text) == ""
}

// prefixEnd finds how much of text has the same characters as prefix, white space not counted.
func prefixEnd(text, prefix string) (int, bool) {
	want := strings.Join(strings.Fields(prefix), "")
	for i, r := range text {
		if want == "" {
			return i, true
		}
		switch rest, ok := strings.CutPrefix(want, string(r)); {
		case ok:
			want = rest
		case r != ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\u00A0':
			return 0, false
		}
	}
	return len(text), want == ""
}
