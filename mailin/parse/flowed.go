package parse

import "strings"

// unflow joins the lines of format=flowed text (RFC 3676 §4). delSp deletes the space at the end of a flowed line.
// Quoted lines keep their ">".
func unflow(text string, delSp bool) string {
	var out strings.Builder
	out.Grow(len(text))
	open, depth := false, 0 // a paragraph is open, and how deep it is quoted
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		quotes := 0
		for quotes < len(line) && line[quotes] == '>' {
			quotes++
		}
		body := line[quotes:]
		body = strings.TrimPrefix(body, " ") // space-stuffed, §4.4
		signature := body == "-- "
		if open && (quotes != depth || signature) {
			out.WriteByte('\n')
			open = false
		}
		if !open && quotes > 0 {
			out.WriteString(line[:quotes])
			if body != "" {
				out.WriteByte(' ')
			}
		}
		flowed := strings.HasSuffix(body, " ") && !signature
		if flowed && delSp {
			body = body[:len(body)-1]
		}
		out.WriteString(body)
		if open, depth = flowed, quotes; !open {
			out.WriteByte('\n')
		}
	}
	if open {
		out.WriteByte('\n')
	}
	return out.String()
}
