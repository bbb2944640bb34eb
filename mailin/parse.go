package mailin

import (
	"time"

	"supportd/mailin/language"
	"supportd/mailin/parse"
	"supportd/mailin/reply"
	"supportd/tickets"
)

// Parse reads one mail: its parts, its new text without quotes and signature, and the language of that. It never
// fails; what is wrong with the mail stands in Message.Defects. A Date more than a day after arrived is a defect.
func Parse(raw []byte, arrived time.Time) *tickets.Message {
	m := parse.Message(raw)
	parts := reply.Split(m.Text, htmlOf(m))
	m.Reply, m.Quoted, m.Signature = parts.Reply, parts.Quoted, parts.Signature
	if m.Forwarded == nil {
		m.Forwarded = parts.Forwarded
	}
	m.Language = language.Detect(m.Reply)
	if !arrived.IsZero() && m.Date.After(arrived.Add(24*time.Hour)) {
		m.Defects = append(m.Defects, tickets.Defect{Where: "Date", What: "lies in the future"})
	}
	return m
}

// htmlOf gives the HTML that a message's text stands beside, for its containers of quotes.
func htmlOf(m *tickets.Message) string { return m.HTML }
