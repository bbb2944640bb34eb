package htmltext

import "strings"

// Marked reports whether something in a body may mark a quote, its introduction, a signature or a rule. When it says no,
// no line of the body has a container or stands in a block quote: that is told without reading the body as HTML.
func Marked(body string) bool {
	for _, name := range []string{
		"zmail_extra", "moz-", "gmail_attr", "divRplyFwdMsg", "OutlookMessageHeader", "appendonsend", "ignature",
	} {
		if strings.Contains(body, name) {
			return true
		}
	}
	// &#…; could spell any of them. The names of tags have no case.
	return strings.Contains(body, "&#") || containsFold(body, "quote") || containsFold(body, "<hr")
}

// containsFold reports whether a word in small letters stands in a body, in any case.
func containsFold(body, word string) bool {
	first := word[:1]
	if upper := strings.ToUpper(first); upper != first {
		first += upper
	}
	for _, c := range []byte(first) {
		for rest := body; len(rest) >= len(word); {
			i := strings.IndexByte(rest, c)
			if i < 0 || len(rest)-i < len(word) {
				break
			}
			if strings.EqualFold(rest[i:i+len(word)], word) {
				return true
			}
			rest = rest[i+1:]
		}
	}
	return false
}
