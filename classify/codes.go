package classify

import (
	"regexp"
	"strings"

	"supportd/tickets"
)

// Codes and links by which services make sure that whoever registers with an address can read its mail. Whoever is shown one
// that came to the desk can pass for the desk elsewhere, and a stranger may have asked for it to be sent into a ticket of
// theirs. Such mail is held: it joins no ticket, and no mail says what stands in it (S-189).

// sentByNobody are local parts, or their beginnings, of senders that no person reads.
var sentByNobody = regexp.MustCompile(`^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|nicht[-_.]?antworten|keine[-_.]?antwort|noreply|security|verify|verification|verifizierung|account(?:s|-security)?|login|signin|auth|otp|2fa|mfa|id|identity|notifications?|mailer|bounces?)(?:[-_.+0-9].*)?$`)

// codeWords are what such mails say, in German and English.
var codeWords = regexp.MustCompile(`(?i)\b(?:` +
	`(?:verification|security|confirmation|authentication|log-?in|sign-?in|sign-?up|access|one[- ]time|single[- ]use|two[- ]factor|2fa|otp)[- ](?:pass)?(?:code|pin|password|passcode|link)|` +
	`(?:verify|confirm|activate|validate) (?:your|this|the) (?:e-?mail|account|address|identity|sign-?in|login)|` +
	`magic link|(?:reset|forgot|change) your password|password reset|your (?:otp|pin|passcode)|` +
	`(?:bestätigungs|verifizierungs|sicherheits|anmelde|einmal|freischalt|zugangs|aktivierungs|login-?)(?:code|kennwort|passwort|pin|link|schlüssel)|` +
	`bestätigen sie (?:ihre|diese) (?:e-?mail|mail|adresse|anmeldung|registrierung|identität)|` +
	`(?:passwort|kennwort) (?:zurücksetzen|zurückzusetzen|vergessen))`)

// codeOrLink is what one gets in by: digits that stand alone, perhaps in two groups, or an address.
var codeOrLink = regexp.MustCompile(`(?:^|[^0-9A-Za-z])(?:[0-9]{4,8}|[0-9]{3}[- ][0-9]{3}|[A-Z]{1,3}-[0-9]{4,8})(?:$|[^0-9A-Za-z])|https?://`)

// loginCode reports whether a mail hands out a code or a link to log in or to prove an address with.
func loginCode(m *tickets.Message) bool {
	from := m.Author
	if from == "" && len(m.From) > 0 {
		from = strings.ToLower(m.From[0].Mail)
	}
	local, _, ok := cutLast(from, "@")
	if !ok || !sentByNobody.MatchString(local) {
		return false
	}
	text := cut(m.Subject) + "\n" + cut(m.Text)
	return codeWords.MatchString(text) && codeOrLink.MatchString(text)
}
