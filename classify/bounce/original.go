package bounce

import (
	"strings"

	"supportd/tickets"
)

// maxHeader bounds how much of a returned mail is read for its header.
const maxHeader = 64 << 10

// returnedHeader finds the header of the mail that a report is about: in a part of its own, else below the notice.
func returnedHeader(m *tickets.Message, below string) string {
	for _, p := range m.Machine {
		if isReturned(p.Type) {
			return headerOf(string(p.Data[:min(len(p.Data), maxHeader)]))
		}
	}
	return headerOf(below[:min(len(below), maxHeader)])
}

func isReturned(mediaType string) bool {
	switch mediaType {
	case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "message/rfc822-headers":
		return true
	}
	return false
}

// headerOf cuts a text to the first block of lines that has header fields, and takes quote marks and indentation away.
// Folded lines are joined.
func headerOf(text string) string {
	var b strings.Builder
	fields := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		bare := strings.TrimLeft(line, "> \t")
		if strings.TrimSpace(bare) == "" {
			if fields > 2 {
				break
			}
			continue
		}
		if name, value, ok := strings.Cut(bare, ":"); ok && fieldName(name) && (bare == line || known(name)) {
			fields++
			b.WriteString("\n" + strings.ToLower(strings.TrimSpace(name)) + ": " + strings.TrimSpace(value))
		} else if fields > 0 {
			b.WriteString(" " + bare)
		}
	}
	return b.String()
}

func fieldName(s string) bool {
	s = strings.TrimRight(s, " \t")
	if s == "" || len(s) > 60 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// known are the fields that are looked for; in quoted or indented copies only they count as fields, so that a folded
// line with a colon in it is not taken for one.
func known(name string) bool {
	switch strings.ToLower(strings.TrimRight(name, " \t")) {
	case "message-id", "to", "from", "subject", "date", "received", "return-path", "references", "in-reply-to", "mime-version", "content-type", "sender", "cc":
		return true
	}
	return false
}

// headerField returns the first field with that lower-case name of what headerOf gave, or "".
func headerField(header, name string) string {
	_, rest, ok := strings.Cut(header, "\n"+name+": ")
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// messageID takes the msg-id out of a Message-ID field, without angle brackets (RFC 5322 §3.6.4).
func messageID(value string) string {
	_, rest, ok := strings.Cut(value, "<")
	if !ok {
		if id := strings.TrimSpace(value); strings.Contains(id, "@") && !strings.ContainsAny(id, " \t") {
			return id
		}
		return ""
	}
	id, _, ok := strings.Cut(rest, ">")
	if !ok {
		return ""
	}
	return strings.TrimSpace(id)
}
