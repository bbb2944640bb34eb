package tickets

import (
	"regexp"
	"strings"
)

// tagPattern is a ticket number in brackets, as our subjects carry it.
var tagPattern = regexp.MustCompile(`\[([A-Z][A-Z0-9]{0,9}-\d{4}-\d{6,9})\]`)

// subjectTag returns the ticket number in a subject, or "".
func subjectTag(subject string) string {
	if m := tagPattern.FindStringSubmatch(subject); m != nil {
		return m[1]
	}
	return ""
}

// replyPrefix is what clients put before the subject of answers and forwarded mail, in many languages.
var replyPrefix = regexp.MustCompile(`(?i)^\s*(re|aw|antw|antwort|wg|fw|fwd|sv|vs|rif|res|tr|odp|ynt|vá|回复|答复|转发)(\[\d+\])?\s*[:：]\s*`)

// cleanSubject takes prefixes and our tags off a subject: what the requester wrote.
func cleanSubject(subject string) string {
	s := strings.TrimSpace(tagPattern.ReplaceAllString(subject, ""))
	for range 20 {
		short := replyPrefix.ReplaceAllString(s, "")
		if short == s {
			break
		}
		s = short
	}
	return strings.Join(strings.Fields(s), " ")
}

// bareSubject is for comparing.
func bareSubject(subject string) string { return strings.ToLower(cleanSubject(subject)) }
