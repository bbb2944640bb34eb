package mailin

import (
	"time"
	"unicode/utf8"

	"supportd/mailin/language"
	"supportd/mailin/parse"
	"supportd/mailin/reply"
	"supportd/tickets"
)

// Parse reads one mail: its parts, its new text without quotes and signature, and the language of that. It never
// fails; what is wrong with the mail stands in Message.Defects. A Date more than a day after arrived is a defect.
func Parse(raw []byte, arrived time.Time) *tickets.Message {
	m := parse.Message(raw)
	parts := reply.Split(m.Text, m.HTML)
	m.Reply, m.Quoted, m.Signature = parts.Reply, parts.Quoted, parts.Signature
	if m.Forwarded == nil {
		m.Forwarded = parts.Forwarded
	}
	if m.Forwarded == nil && reply.IsForward(m.Subject) {
		m.Forwarded = parts.Original // some clients quote and forward with the same block
	}
	m.Language = language.Detect(start(m.Reply, languageSample))
	if !arrived.IsZero() && m.Date.After(arrived.Add(24*time.Hour)) {
		m.Defects = append(m.Defects, tickets.Defect{Where: "Date", What: "lies in the future"})
	}
	return m
}

// languageSample is how many octets of the new text its language is told by; more does not make it surer.
const languageSample = 512

// start returns the first n octets of s, or a little less: no character is cut.
func start(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
