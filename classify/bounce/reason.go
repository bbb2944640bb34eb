package bounce

import (
	"regexp"
	"strings"
	"unicode"
)

// A reason is why a server refused a mail, as far as desks have to tell reasons apart.
type reason string

const (
	unknown       reason = ""
	authFailure   reason = "authentication"    // SPF, DKIM or DMARC of the sender
	badReputation reason = "reputation"        // of the sending address
	blocked       reason = "blocked"           // the sending host is on a list
	content       reason = "content"           // the mail is malformed
	expired       reason = "expired"           // tried for too long
	filtered      reason = "filtered"          // a filter of the recipient answers like an unknown mailbox
	hasMoved      reason = "moved"             // the mailbox is elsewhere
	hostUnknown   reason = "host unknown"      // the domain does not exist
	mailboxFull   reason = "mailbox full"      //
	mailerError   reason = "mailer error"      // a program that was to take the mail failed
	tooBig        reason = "too big"           //
	network       reason = "network"           // no way to the host
	noRelaying    reason = "relaying denied"   //
	notAccepting  reason = "takes no mail"     // the host or domain takes no mail at all
	onHold        reason = "on hold"           //
	policy        reason = "policy"            //
	rejected      reason = "sender rejected"   //
	requirePTR    reason = "no reverse name"   // the sending host has none
	security      reason = "security"          //
	spam          reason = "spam"              //
	speeding      reason = "too many mails"    //
	suspended     reason = "mailbox suspended" //
	syntax        reason = "syntax"            //
	systemError   reason = "system error"      //
	systemFull    reason = "system full"       //
	userUnknown   reason = "mailbox unknown"   //
	virus         reason = "virus"             //
)

// A traits row says what follows from a reason.
type traits struct {
	// detail is the third number of the status code of a report that gives none. It is taken from x.0.900 to x.0.999,
	// where RFC 3463 and IANA define nothing: a code that was derived from words can never be taken for one that a
	// server wrote. The numbers are the ones that readers of bounces have made customary.
	detail int
	hard   bool // the address is no good: trying again cannot help
	soft   bool // the first digit is 4 unless something says otherwise
}

var reasonTraits = map[reason]traits{
	unknown:       {detail: 900},
	authFailure:   {detail: 990},
	badReputation: {detail: 975},
	blocked:       {detail: 971},
	content:       {detail: 960},
	expired:       {detail: 947, soft: true},
	filtered:      {detail: 910},
	hasMoved:      {detail: 916, hard: true},
	hostUnknown:   {detail: 912, hard: true},
	mailboxFull:   {detail: 922},
	mailerError:   {detail: 939},
	tooBig:        {detail: 934},
	network:       {detail: 944},
	noRelaying:    {detail: 909},
	notAccepting:  {detail: 932, hard: true},
	onHold:        {detail: 901},
	policy:        {detail: 972},
	rejected:      {detail: 918},
	requirePTR:    {detail: 973},
	security:      {detail: 970},
	spam:          {detail: 980},
	speeding:      {detail: 945},
	suspended:     {detail: 921},
	syntax:        {detail: 902},
	systemError:   {detail: 930},
	systemFull:    {detail: 931},
	userUnknown:   {detail: 911, hard: true},
	virus:         {detail: 971},
}

// links are the addresses of web pages in a diagnostic.
var links = regexp.MustCompile(`https?://[^\s>"')\]]+`)

// maxDiagnostic bounds how much of a diagnostic is read for its reason.
const maxDiagnostic = 8 << 10

// reasonOfStatus tells the reason from a status code that a server wrote (RFC 3463 §3), where its words say nothing.
func reasonOfStatus(status string) reason {
	_, sub, ok := strings.Cut(status, ".")
	if !ok {
		return unknown
	}
	switch sub {
	case "1.0", "1.1", "1.3", "1.4":
		return userUnknown
	case "1.2", "4.4":
		return hostUnknown
	case "1.6":
		return hasMoved
	case "1.7", "1.8", "1.9":
		return rejected
	case "1.10", "3.2":
		return notAccepting
	case "2.2":
		return mailboxFull
	case "2.3", "3.4":
		return tooBig
	case "3.1":
		return systemFull
	case "4.7":
		return expired
	case "7.20", "7.23", "7.26":
		return authFailure
	case "7.25":
		return requirePTR
	case "0.0":
		return unknown
	}
	switch sub[0] { // the subject (RFC 3463 §3)
	case '2':
		return suspended
	case '3', '5':
		return systemError
	case '4':
		return network
	case '6':
		return content
	case '7':
		return policy
	}
	return unknown
}

// squeeze turns every run of white space into one blank.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// legible makes words fit to be shown: valid UTF-8 on one line, without control characters.
func legible(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(squeeze(s), 500)
}
