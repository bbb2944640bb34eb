package mailin

import (
	"supportd/mailin/htmltext"
	"supportd/mailin/language"
	"supportd/mailin/parse"
	"supportd/mailin/reply"
	"supportd/tickets"
)

// Files takes the attachments out of a raw message, with their data, in the order of Message.Attachments.
func Files(raw []byte) []tickets.File { return parse.Files(raw) }

// ParseBody reads a bare body, plain or HTML, as if it stood in a message of its own.
func ParseBody(body string, html bool) *tickets.Message {
	m := &tickets.Message{Text: body, TextFrom: "text/plain", Size: int64(len(body))}
	var parts reply.Parts
	if html {
		m.HTML, m.TextFrom, m.Text = body, "text/html", htmltext.Text(body)
		parts = reply.HTML(body)
	} else {
		parts = reply.Text(body)
	}
	m.Reply, m.Quoted, m.Signature, m.Forwarded = parts.Reply, parts.Quoted, parts.Signature, parts.Forwarded
	m.Language = language.Detect(m.Reply)
	return m
}
