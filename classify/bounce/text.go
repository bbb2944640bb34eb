package bounce

import (
	"regexp"
	"strings"
)

// maxNotice bounds how much of a text is searched for recipients and codes. Notices are short; what is long is the
// returned mail.
const maxNotice = 64 << 10

// returnedMarks are the lines below which a server puts a copy of the mail, lower case.
var returnedMarks = []string{
	"below this line is a copy of the message", "this is a copy of the message", "this is a copy of your message", "copy of the original message",
	"original message follows", "original message ---", "-- original message", "original mail as follows", "unsent message follows", "returned message ---",
	"original message as received", "message header follows", "message headers follow", "message text follows", "message follows", "message is attached below",
	"your original message follow", "original message headers", "copy of your message", "the header of the original", "headers of the original",
	"start of returned message", "returned message below", "original message:", "included below", "undelivered message follows", "the text of the message",
	"ursprüngliche nachricht", "originalnachricht", "message d'origine", "mensaje original", "-- forwarded message",
}

// split cuts a text into the server's notice and the returned mail below it; returned is "" when there is none.
func split(text string) (notice, returned string) {
	pos := 0
	for line := range strings.Lines(text) {
		if pos > maxNotice {
			break
		}
		if pos > 0 && startsReturned(line) {
			return text[:pos], text[pos:]
		}
		pos += len(line)
	}
	if len(text) > maxNotice {
		return text[:maxNotice], text[maxNotice:]
	}
	return text, ""
}

func startsReturned(line string) bool {
	if len(line) > 300 {
		return false
	}
	l := strings.ToLower(strings.TrimLeft(line, "> \t"))
	for _, mark := range [...]string{"received: ", "received:from", "return-path:", "dkim-signature:", "x-originating-ip:"} {
		if strings.HasPrefix(l, mark) {
			return true
		}
	}
	for _, mark := range returnedMarks {
		if strings.Contains(l, mark) && len(l) < len(mark)+60 {
			return true
		}
	}
	return false
}

// failing are the words of a line that names, in it or right below it, who did not get the mail. Lower case.
var failing = []string{
	"could not be delivered", "couldn't be delivered", "cannot be delivered", "can not be delivered", "can't be delivered", "was not delivered", "wasn't delivered",
	"were not delivered", "not been delivered", "not yet been delivered", "not be delivered", "unable to deliver", "wasn't able to deliver", "was not able to deliver",
	"could not deliver", "couldn't deliver", "can't deliver", "cannot deliver", "undeliverable", "failed permanently", "delivery has failed", "delivery failed", "delivery of email to",
	"delivery to the following", "did not reach", "not reached", "did not receive", "failed recipient", "failed address", "address(es) failed", "addresses failed", "following recipients returned",
	"had permanent fatal errors", "had delivery errors", "had transient", "had errors", "delivery errors", "rejected the following", "message to the following", "delivery attempts", "has been delayed",
	"was rejected", "is not valid", "nicht zugestellt", "nicht erreicht", "konnte nicht", "unzustellbar", "n'a pas pu être", "n'a pu être", "no se pudo", "no se ha podido", "не может быть доставлено", "не доставлено",
	"não pôde", "não foi possível", "non è stato possibile", "non recapitat", "kon niet", "kunde inte", "送信できません", "配信できません", "届けることができません", "无法投递", "无法发送", "未送达",
	"trouble delivering", "error sending", "failure reasons", "recipient:", "recipients:", "failed to deliver", "attempting to deliver", "returned to sender", "an error occurred", "addressed to", "was addressed,", "destination:",
}

func hasAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// A mention is a failed recipient as a notice names it.
type mention struct {
	addr string
	at   int // octet offset in the notice
}

// rcptLine is a command of an SMTP transcript; said is a line that starts with a server's answer about an address.
var rcptLine = regexp.MustCompile(`(?i)(?:rcpt to|recipient|final-recipient|original-recipient|address)\s*:?\s*(?:rfc822;)?`)

// recipients finds whom the notice says the mail did not reach, in the order in which they stand there. own are the
// addresses that the report was sent to, which are the sender's and never the failed ones when there are others.
func recipients(notice string, own []string) []mention {
	var listed, inline, answered, others []mention
	pos, since := 0, 1000 // lines since the last one that says that something failed
	for line := range strings.Lines(notice) {
		low := strings.ToLower(line)
		if hasAny(low, failing) {
			since = 0
		}
		for i, s := range addresses(line, 50) {
			m := mention{s.addr, pos + s.start}
			switch {
			case isOwn(s.addr, own):
				continue
			case i == 0 && leads(line, s):
				listed = append(listed, m)
			case since == 0 && !strings.Contains(low, "contact") && !strings.Contains(low, "from"):
				inline = append(inline, m)
			case replyCode.MatchString(line[:s.start]) || rcptLine.MatchString(line[:s.start]):
				answered = append(answered, m)
			case since < 3:
				others = append(others, m)
			}
		}
		if strings.TrimSpace(line) != "" {
			since++
		}
		pos += len(line)
	}
	for _, found := range [][]mention{listed, inline, answered, others} {
		if len(found) > 0 {
			return distinct(found)
		}
	}
	return nil
}

// leads reports whether a line is about the address: it starts with it, apart from brackets and bullets, and goes on
// with nothing or with what follows an address in a list.
func leads(line string, s span) bool {
	before := strings.Trim(line[:s.start], " \t<>\"'*-•(#[:.")
	if before != "" {
		switch strings.ToLower(before) {
		case "to", "recipient", "recipient address", "address", "user", "failed recipient", "an", "rfc822;", "smtp", "mailto", "e-mail", "email":
		default:
			return false
		}
	}
	after := strings.TrimLeft(line[s.end:], ">\"'")
	after = strings.TrimRight(after, " \t\r\n")
	switch {
	case after == "", strings.HasPrefix(after, ":"), strings.HasPrefix(after, ","), strings.HasPrefix(after, ";"), strings.HasPrefix(after, "..."):
		return true
	}
	low := strings.ToLower(strings.TrimLeft(after, " \t"))
	for _, p := range [...]string{"(", "[", "on ", "error", "- ", "-- ", "failed", "was ", "has ", "could", "cannot", "=", "unknown", "user", "is "} {
		if strings.HasPrefix(low, p) {
			return true
		}
	}
	return false
}

func isOwn(addr string, own []string) bool {
	for _, o := range own {
		if sameAddress(addr, o) {
			return true
		}
	}
	return false
}

func distinct(found []mention) []mention {
	seen := make(map[string]bool, len(found))
	kept := found[:0]
	for _, m := range found {
		key := strings.ToLower(m.addr)
		if !seen[key] {
			seen[key] = true
			kept = append(kept, m)
		}
	}
	return kept
}

// wordsFor returns what a notice says about its first recipient: from where it is named to where the next one is.
func wordsFor(notice string, found []mention) string {
	if len(found) == 0 {
		return notice
	}
	end := len(notice)
	if len(found) > 1 {
		end = found[1].at
	}
	return notice[found[0].at:end]
}
