// Package reply finds what is new in a mail: it parts the new text from what is quoted, from the signature and from an
// inline forwarded mail. It does not decode messages and never drops text: when unsure it calls more of it new.
package reply

import (
	"strings"

	"supportd/mailin/htmltext"
	"supportd/tickets"
)

// Parts is a mail's text, taken apart.
type Parts struct {
	Reply     string // the new text
	Quoted    string // what was taken for a quote
	Signature string // what was taken for a signature, a disclaimer or an advertisement
	Forwarded *tickets.Forwarded
}

// Split takes the text of a message apart. html is the HTML part that text stands beside or was made from; "" when
// there is none.
func Split(text, html string) Parts {
	if text == "" && html != "" {
		return HTML(html)
	}
	return Text(text)
}

// Text takes a plain text body apart.
func Text(body string) Parts {
	body = strings.ReplaceAll(body, "\r\n", "\n")
	var reply, quoted []string
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, ">") {
			quoted = append(quoted, line)
		} else {
			reply = append(reply, line)
		}
	}
	return Parts{Reply: strings.TrimSpace(strings.Join(reply, "")), Quoted: strings.Join(quoted, "")}
}

// HTML takes an HTML body apart.
func HTML(body string) Parts { return Text(htmltext.Text(body)) }
