// Package bounce reads delivery reports: the standard ones (RFC 3464, RFC 6522, internationalised by RFC 6533) and what
// servers wrote before and beside them. It says whom a mail did not reach, with which status code, whether trying again
// can help, and which mail it was. It does not decide what a message is when it is no delivery report, does no I/O and
// trusts nothing it reads: whoever acts on a report has to know the mail it is about.
package bounce

import (
	"strings"

	"supportd/tickets"
)

// Outcome is what a report says became of the mail.
type Outcome int

const (
	Failed    Outcome = iota // given up
	Delayed                  // the server goes on trying
	Delivered                // it arrived, or was handed to a server that does not report (RFC 3464 §2.3.3)
)

// Report is one delivery report.
type Report struct {
	Outcome Outcome
	Bounce  tickets.Bounce
	Why     string // what it was recognised by
}

// maxRecipients bounds how many recipients of one report are kept.
const maxRecipients = 200

// Read reads a message as a delivery report; ok is false when it is none.
func Read(m *tickets.Message) (r Report, ok bool) {
	s := look(m)
	if s.json != nil {
		return *s.json, true
	}
	if s.structured {
		if r, ok := fromGroups(m, s); ok {
			return r, true
		}
	}
	if !s.convinced() {
		return Report{}, false
	}
	return fromText(m, s), true
}

// fromGroups reads the fields of a delivery status; ok is false when they say nothing about any recipient.
func fromGroups(m *tickets.Message, s signs) (Report, bool) {
	r := Report{Outcome: Failed, Why: s.why()}
	var first group // decides: the first recipient that failed, else the first that waits, else any
	var firstOutcome Outcome
	seen := make(map[string]bool)
	for _, g := range s.groups {
		if !g.isRecipient() {
			continue
		}
		o := outcomeOf(g)
		if first == nil || rank(o) < rank(firstOutcome) {
			if first != nil && rank(o) < rank(firstOutcome) {
				r.Bounce.Recipients, seen = nil, make(map[string]bool)
			}
			first, firstOutcome = g, o
		}
		if rank(o) > rank(firstOutcome) {
			continue
		}
		if a := recipientOf(g); a != "" && !seen[strings.ToLower(a)] && len(r.Bounce.Recipients) < maxRecipients {
			seen[strings.ToLower(a)] = true
			r.Bounce.Recipients = append(r.Bounce.Recipients, a)
		}
	}
	if first == nil {
		return Report{}, false
	}
	r.Outcome = firstOutcome
	r.Bounce.Delayed = r.Outcome == Delayed
	found := recipients(s.notice, s.own)
	if len(r.Bounce.Recipients) == 0 {
		r.Bounce.Recipients = fallbackRecipients(m, s, found)
	}
	written := statusField3464(first.get("status"))
	_, words := typed(first.get("diagnostic-code"))
	if words == "" || onlyNumber(words) {
		words = strings.TrimSpace(words + " " + wordsFor(s.notice, found))
	}
	why := reasonOf(words + " " + commentOf(first.get("status")))
	if why == unknown {
		why = reasonOf(wordsFor(s.notice, found))
	}
	finish(&r, m, s, written, words, why)
	return r, true
}

// rank orders outcomes by how much they matter to the sender.
func rank(o Outcome) int {
	switch o {
	case Failed:
		return 0
	case Delayed:
		return 1
	}
	return 2
}

// outcomeOf reads Action, or the status code where there is none (RFC 3464 §2.3.3: Action decides).
func outcomeOf(g group) Outcome {
	action, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(g.get("action"))), " ")
	status := g.get("status")
	switch strings.Trim(action, ",;()") {
	case "failed", "failure", "fail", "bounced", "error":
		return Failed
	case "delayed", "deferred", "delay":
		return Delayed
	case "delivered", "relayed", "expanded", "deliverable":
		if strings.HasPrefix(status, "4") || strings.HasPrefix(status, "5") {
			return Failed
		}
		return Delivered
	}
	if strings.HasPrefix(status, "2") {
		return Delivered
	}
	return Failed
}

func recipientOf(g group) string {
	final, original := g.get("final-recipient"), g.get("original-recipient")
	a, b := recipientField(final), recipientField(original)
	switch {
	case complete(a) && !routed(final):
		return a
	case complete(b):
		return b
	case a != "":
		return a
	}
	return b
}

// routed reports whether an address is no plain mailbox: a source route, a pipe or a file.
func routed(value string) bool {
	_, rest := typed(value)
	rest = strings.TrimLeft(rest, "<\" ")
	return strings.HasPrefix(rest, "@") || strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "|")
}

func onlyNumber(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) > 0 && len(s) < 4 && strings.Trim(s, "0123456789") == ""
}

// commentOf gives what stands in brackets behind a status code; some servers put the reason there.
func commentOf(status string) string {
	_, c, ok := strings.Cut(status, "(")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSpace(c), ")")
}

// fromText reads a report that has no machine-readable part.
func fromText(m *tickets.Message, s signs) Report {
	r := Report{Outcome: Failed, Why: s.why()}
	switch {
	case s.arrived:
		r.Outcome = Delivered
	case s.delayed:
		r.Outcome = Delayed
		r.Bounce.Delayed = true
	}
	found := recipients(s.notice, s.own)
	r.Bounce.Recipients = fallbackRecipients(m, s, found)
	words := wordsFor(s.notice, found)
	why := reasonOf(words)
	if why == unknown {
		why = reasonOf(s.notice)
	}
	if status, reply, _ := codes(words); status == "" && reply == "" {
		if status, reply, _ = codes(s.notice); status != "" || reply != "" || reasonOf(words) == unknown {
			words = s.notice
		}
	}
	finish(&r, m, s, "", words, why)
	return r
}

// fallbackRecipients says who was not reached when no field of a delivery status does: the header that Exim and Gmail
// write, the notice, and at last whom the returned mail was addressed to.
func fallbackRecipients(m *tickets.Message, s signs, found []mention) []string {
	var list []string
	for _, v := range m.Field("X-Failed-Recipients") {
		for _, a := range addresses(v, maxRecipients) {
			list = append(list, a.addr)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, f := range found {
		if len(list) < maxRecipients {
			list = append(list, f.addr)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, name := range [...]string{"final-recipient", "original-recipient"} {
		if a := recipientField(m.FirstField(name)); a != "" {
			return []string{a}
		}
	}
	if s.machine >= 3 {
		from := firstAddress(m.FirstField("From"))
		if a := nakedRecipient(s.notice, strings.ToLower(from[strings.LastIndexByte(from, '@')+1:])); a != "" {
			return []string{a}
		}
	}
	header := returnedHeader(m, s.returned)
	for _, name := range [...]string{"to", "cc"} {
		if all := addresses(headerField(header, name), 2); len(all) == 1 {
			return []string{all[0].addr}
		}
	}
	return nil
}

// finish fills in what follows from the server's words.
func finish(r *Report, m *tickets.Message, s signs, written, words string, why reason) {
	b := &r.Bounce
	if why == userUnknown && knownAfterAll(s.notice+" "+words, written) {
		why = filtered
	}
	if r.Outcome != Delivered || written != "" {
		b.Status = settle(written, words, why, b.Delayed)
	}
	if why == unknown {
		why = reasonOfStatus(b.Status)
	}
	b.Hard = r.Outcome == Failed && hard(why, b.Status)
	b.Diagnostic = legible(words)
	b.OriginalID = originalID(m, s)
}

// hard reports whether trying again cannot help. A server that answers 4xx says that it may, except about a mailbox: no
// waiting makes an unknown one appear. What is refused for good without a reason that is known is refused for good.
func hard(why reason, status string) bool {
	if why == unknown {
		return strings.HasPrefix(status, "5.") && !strings.HasSuffix(status, ".0.900")
	}
	return reasonTraits[why].hard && (strings.HasPrefix(status, "5") || why == userUnknown)
}

// knownAfterAll reports whether a server that says "user unknown" knows the user. One that says so only after the whole
// mail was sent does: carriers answer that way for their customers' filters. So does one whose status code is about the
// mailbox or the mail system (RFC 3463 §3.3, §3.4), unless it refused the address itself.
func knownAfterAll(words, written string) bool {
	low := strings.ToLower(words)
	if strings.Contains(low, "account") {
		return false
	}
	if strings.Contains(low, "end of data") || strings.Contains(low, "end of message") {
		return true
	}
	return len(written) > 2 && (written[2:4] == "2." || written[2:4] == "3.") && !strings.Contains(low, "rcpt")
}

// originalID is the Message-ID of the mail that the report is about: that of the returned copy, else the one that the
// report answers.
func originalID(m *tickets.Message, s signs) string {
	if id := messageID(headerField(returnedHeader(m, s.returned), "message-id")); id != "" {
		return id
	}
	if id := messageID(m.FirstField("X-Original-Message-ID")); id != "" {
		return id
	}
	if len(m.InReplyTo) > 0 {
		return m.InReplyTo[0]
	}
	if len(m.References) > 0 {
		return m.References[len(m.References)-1]
	}
	return ""
}

// cut shortens s to at most n octets without cutting a character in two.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
