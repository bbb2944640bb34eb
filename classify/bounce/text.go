package bounce

import (
	"regexp"
	"strings"
)

// maxNotice bounds how much of a text is searched for recipients and codes. Notices are short; what is long is the
// returned mail.
const maxNotice = 64 << 10

// returnedMarks are how lines start below which a server puts a copy of the mail, lower case, without the dashes and
// articles before.
var returnedMarks = []string{
	"below this line is a copy of", "this is a copy of the message", "this is a copy of your message",
	"copy of the original message", "below is a copy of", "copy of your message follows",
	"original message follows", "original message --", "original mail as follows", "unsent message follows",
	"returned message --", "returned message below", "original message as received",
	"message header follows", "message headers follow", "header of the original message",
	"headers of the original message", "message text follows", "start of returned message",
	"first 50 lines of your original message", "text of your message follows", "your original message follows",
	"your message follows", "original message headers", "undelivered message follows",
	"included is a copy of the message", "body of the message is", "ursprüngliche nachricht --",
	"message d'origine --", "mensaje original --", "forwarded message --", "original message:", "original message\n",
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
	dashed := strings.TrimLeft(l, "-=*_ ")
	for _, article := range [...]string{"the ", "here is the ", "here is a ", "here are the ", "a ", "attached is the "} {
		dashed = strings.TrimPrefix(dashed, article)
	}
	for _, mark := range returnedMarks {
		if strings.HasPrefix(dashed, mark) {
			return true
		}
	}
	return false
}

// failing are the words of a line that names, in it or right below it, who did not get the mail. Lower case.
var failing = []string{
	"could not be delivered", "couldn't be delivered", "cannot be delivered", "can not be delivered",
	"can't be delivered", "was not delivered", "wasn't delivered",
	"were not delivered", "not been delivered", "not yet been delivered", "not be delivered", "unable to deliver",
	"wasn't able to deliver", "was not able to deliver",
	"could not deliver", "couldn't deliver", "can't deliver", "cannot deliver", "undeliverable",
	"failed permanently", "delivery has failed", "delivery failed", "delivery of email to",
	"delivery to the following", "did not reach", "not reached", "did not receive", "failed recipient",
	"failed address", "address(es) failed", "addresses failed", "address failed", "recipients were affected", "had delivery problems", "following recipients returned",
	"had permanent fatal errors", "had delivery errors", "had transient", "had errors", "delivery errors",
	"rejected the following", "message to the following", "delivery attempts", "has been delayed",
	"was rejected", "is not valid", "requested action not taken", "invalid user address", "invalid final delivery",
	"nicht zugestellt", "nicht erreicht", "konnte nicht zugestellt", "konnte nicht zustellen", "unzustellbar",
	"n'a pas pu être", "n'a pu être", "no se pudo", "no se ha podido", "не может быть доставлено", "не доставлено",
	"não pôde", "não foi possível", "non è stato possibile", "non recapitat", "kon niet", "kunde inte", "送信できません",
	"配信できません", "届けることができません", "无法投递", "无法发送", "未送达",
	"trouble delivering", "error sending", "failure reasons", "recipient:", "recipients:", "failed to deliver",
	"attempting to deliver", "returned to sender", "an error occurred", "addressed to", "was addressed,",
	"destination:",
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
	at   int  // where its line starts in the notice, in octets
	told bool // a line above says that something failed
}

// rcptLine is what stands before an address in an SMTP transcript or a field of a delivery status.
var rcptLine = regexp.MustCompile(`(?i)(?:rcpt to|recipient|final-recipient|original-recipient|address)\s*:?\s*(?:rfc822;)?`)

// recipients finds whom the notice says the mail did not reach, in the order in which they stand there. own are the
// addresses that the report was sent to, which are the sender's and never the failed ones when there are others.
func recipients(notice string, own []string) []mention {
	var f findings
	pos, since := 0, 1000 // lines since the last one that says that something failed
	for line := range strings.Lines(notice) {
		low := strings.ToLower(line)
		if hasAny(low, failing) {
			since = 0
		}
		for i, s := range addresses(line, 50) {
			// What a server says about an address may stand before it on the same line.
			m := mention{s.addr, pos, since < 30}
			f.add(m, line, low, s, i, since, isOwn(s.addr, own))
		}
		if strings.TrimSpace(line) != "" {
			since++
		}
		pos += len(line)
	}
	return f.best()
}

// findings sorts the addresses of a notice by how surely they are failed recipients.
type findings struct {
	listed, inline, answered, near, alias, own, rest []mention
}

func (f *findings) add(m mention, line, low string, s span, i, since int, own bool) {
	leads := i == 0 && leads(line, s, since)
	before := strings.TrimRight(strings.ToLower(line[:s.start]), " \t<\"'(")
	switch {
	case strings.HasSuffix(before, "generated from"), strings.HasSuffix(before, "generated by"):
		// Whom the mail was sent to, where the address it became is kept secret.
		f.alias = append(f.alias, m)
	case own && leads:
		f.own = append(f.own, m)
	case own:
	case leads:
		f.listed = append(f.listed, m)
	case strings.HasSuffix(before, " from"), strings.HasSuffix(before, "from:"):
		// Whose mail it was, not whom it did not reach.
	case strings.Contains(low, "contact") || strings.Contains(low, "assistance"):
	case since == 0 && !strings.Contains(low, "from"):
		f.inline = append(f.inline, m)
	case replyCode.MatchString(line[:s.start]) || rcptLine.MatchString(line[:s.start]):
		f.answered = append(f.answered, m)
	case since < 3, strings.HasSuffix(before, ":") && strings.TrimRight(line[s.end:], "> \t\r\n.\"'") == "":
		f.near = append(f.near, m)
	case !strings.Contains(low, "from"):
		f.rest = append(f.rest, m)
	}
}

// best gives the surest addresses there are. A lone address in a notice is the failed one; of several that nothing is
// said about, none is.
func (f *findings) best() []mention {
	for _, found := range [][]mention{f.listed, f.inline, f.answered, f.near, f.alias, f.own} {
		if len(found) > 0 {
			return distinct(found)
		}
	}
	if rest := distinct(f.rest); len(rest) == 1 {
		return rest
	}
	return nil
}

// nakedRecipient finds a recipient that a notice names without its domain, on a line of its own below the one that says
// that it failed; some providers write so about their own customers.
func nakedRecipient(notice, domain string) string {
	if domain == "" {
		return ""
	}
	since := 1000
	for line := range strings.Lines(notice) {
		bare := strings.TrimSpace(line)
		bare, _, _ = strings.Cut(bare, "  ")
		if since < 3 && len(bare) > 1 && len(bare) < 65 && line[0] <= ' ' && bare == strings.TrimFunc(bare, func(r rune) bool { return !localRune(r) }) && !strings.ContainsAny(bare, " \t:") {
			return bare + "@" + domain
		}
		if hasAny(strings.ToLower(line), failing) {
			since = 0
		} else if bare != "" {
			since++
		}
	}
	return ""
}

// leads reports whether a line is about the address: it starts with it, apart from brackets and bullets, and goes on
// with nothing or with what follows an address in a list.
func leads(line string, s span, since int) bool {
	before := strings.Trim(line[:s.start], " \t<>\"'*-•(#[:.")
	if strings.EqualFold(before, "expanded from") {
		return true // sendmail names the address that the mail was sent to below the one it became
	}
	if before != "" {
		switch strings.ToLower(before) {
		case "to":
			// "To:" is as well how notices quote the header of the mail.
			if since > 2 {
				return false
			}
		case "recipient", "recipient address", "address", "user", "failed recipient", "an", "rfc822;", "smtp", "mailto", "e-mail", "email":
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
	for _, p := range [...]string{"(", "[", "<", "on ", "error", "- ", "-- ", "failed", "was ", "has ", "could", "cannot", "=", "unknown", "user", "is "} {
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
