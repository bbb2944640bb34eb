package bounce

import "strings"

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
	// server wrote. The numbers are the ones that sisimai made customary.
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

// A wording is a phrase of servers' diagnostics, lower case with single blanks, and what it means.
type wording struct {
	phrase string
	means  reason
}

// wordings is searched from top to bottom; the first phrase that stands in a diagnostic decides. What is said about
// the sender comes before what is said about the recipient, because "550 user unknown, see blocklist" is about the
// sender; full comes before unknown, because "mailbox unavailable: over quota" is full.
var wordings = []wording{
	// Who sends, and from where.
	{"dmarc", authFailure}, {"spf record", authFailure}, {"spf check", authFailure}, {"spf fail", authFailure},
	{"spf validation", authFailure}, {"dkim", authFailure}, {"sender is unauthenticated", authFailure},
	{"unauthenticated email", authFailure}, {"unauthenticated mail", authFailure}, {"sender policy framework", authFailure},
	{"does not pass authentication", authFailure}, {"spf.pobox.com", authFailure}, {"openspf", authFailure}, {"(spf)", authFailure},
	{"reverse dns", requirePTR}, {"ptr record", requirePTR}, {"no ptr", requirePTR}, {"reverse hostname", requirePTR},
	{"reverse name", requirePTR}, {"reverse lookup", requirePTR}, {"rdns", requirePTR}, {"fcrdns", requirePTR},
	{"cannot find your hostname", requirePTR}, {"unresolvable relay host", requirePTR}, {"mismatches client ip", requirePTR},
	{"unverifyable sending ip", requirePTR}, {"unverifiable sending ip", requirePTR}, {"cannot resolve your address", requirePTR},
	{"hostname is not resolvable", requirePTR}, {"ip name lookup failed", requirePTR},
	{"forward dns", requirePTR}, {"bad-ptr", requirePTR}, {"missing a reverse", requirePTR},
	{"low reputation", badReputation}, {"poor reputation", badReputation}, {"bad reputation", badReputation},
	{"reputation", badReputation}, {"senderscore", badReputation},

	// What is in it.
	{"virus", virus}, {"malware", virus}, {"infected", virus}, {"trojan", virus},
	{"message filtered", filtered}, {"unsolicited", spam}, {"spam message", spam}, {"looks like spam", spam}, {"detected as spam", spam},
	{"is spam", spam}, {"as spam", spam}, {"spam detected", spam}, {"spam content", spam}, {"spamassassin", spam}, {"spam score", spam},
	{"considered spam", spam}, {"identified as spam", spam}, {"content rejected", spam}, {"message content", spam}, {"probable spam", spam},
	{"possible spam", spam}, {"high probability of spam", spam}, {"appears to be spam", spam}, {"spam mail", spam}, {"suspected spam", spam},
	{"classified as spam", spam}, {"junk mail", spam}, {"ube, id", spam}, {"rejected by content", spam}, {"blocked by our bulk", spam},
	{"contains a url", spam}, {"message rejected as", spam}, {"spamming not allowed", spam},
	{"no spam", spam}, {"anti-spam", spam}, {"antispam", spam}, {"spam filter", spam}, {"spam block", spam},
	{"too many recipients this hour", speeding}, {"receiving mail at a rate", speeding}, {"rate limit", speeding}, {"receiving mail too quickly", speeding},
	{"too many messages", speeding}, {"throttl", speeding}, {"too fast", speeding}, {"too many connections", speeding},
	{"sending rate", speeding}, {"exceeded the rate", speeding},
	{"unexpected volume or user complaints", rejected},

	// Who may not send.
	{"blacklist", rejected}, {"black list", rejected}, {"relay access denied", noRelaying}, {"relaying denied", noRelaying},
	{"not configured to relay", noRelaying}, {"relay not permitted", noRelaying}, {"not permitted to relay", noRelaying},
	{"relaying is not allowed", noRelaying}, {"we do not relay", noRelaying}, {"no relaying allowed", noRelaying},
	{"unable to relay", noRelaying}, {"relaying prohibited", noRelaying}, {"relaying mail to", noRelaying}, {"relay denied", noRelaying}, {"relaying to", noRelaying},
	{"insecure mail relay", noRelaying}, {"not a gateway", noRelaying}, {"that domain isn't in my list of allowed rcpthosts", noRelaying},
	{"isn't in my list of allowed", noRelaying},
	{"spamhaus", blocked}, {"blocked using", blocked}, {"client host rejected", blocked}, {"client host blocked", blocked}, {"barracudacentral", blocked},
	{"spamcop", blocked}, {"rbl", blocked}, {"dnsbl", blocked}, {"block list", blocked}, {"blocklist", blocked}, {"banned sending ip", blocked},
	{"listed at", blocked}, {"listed in", blocked}, {"your ip", blocked}, {"no access from mail server", blocked},
	{"service refused", blocked}, {"ip address has been blocked", blocked}, {"connection refused by", blocked},
	{"refused to talk to me", blocked}, {"not allowed to connect", blocked}, {"connections from this host", blocked},
	{"access from ip", blocked}, {"mail server ip", blocked}, {"bad sender ip", blocked}, {"(bl)", blocked}, {"dynamic ip", blocked},
	{"ip=", blocked}, {"blocked for abuse", blocked}, {"blocked - see", blocked}, {"open relay", blocked}, {"rejected by rbl", blocked},
	{"message was blocked because its content", policy}, {"policy violation", policy}, {"violates policy", policy},
	{"by policy", policy}, {"policy reasons", policy}, {"local policy", policy}, {"for policy", policy}, {"policy reject", policy}, {"site policy", policy},
	{"security policy", policy}, {"mail rejected for policy", policy}, {"header error", policy},
	{"prohibited attachment", policy}, {"attachment type", policy}, {"file extension", policy}, {"banned attachment", policy},
	{"blocked extension", policy}, {"potential security", policy}, {"executable attachment", policy},
	{"sender rejected", rejected}, {"sender address rejected", rejected}, {"sender denied", rejected}, {"sender refused", rejected},
	{"sender verify failed", rejected}, {"sender domain", rejected}, {"domain of sender", rejected}, {"sender's domain", rejected},
	{"from address", rejected}, {"invalid sender", rejected}, {"bad sender", rejected}, {"unresolvable sender", rejected},
	{"purported responsible", rejected}, {"you have been blocked by the recipient", rejected}, {"blocked by recipient", rejected},
	{"permission to post", rejected}, {"not allowed to post", rejected}, {"only accepts messages from", rejected},
	{"not have permission", rejected}, {"restricted to", rejected}, {"not authorized to send", rejected}, {"is not authorised", rejected},
	{"the group", rejected}, {"could not verify sender", rejected}, {"does not exist in sender", rejected}, {"sender not", rejected},
	{"rejected for this sender", rejected}, {"mail from domain", rejected}, {"mail from:", rejected}, {"backscatter", rejected},
	{"rule imposed", rejected}, {"not on the allowed", rejected}, {"not accepting mail from", rejected}, {"refuses to accept", rejected},
	{"domain does not exist: ", rejected}, {"does not accept mail from", rejected}, {"messages from your", rejected},

	// What is wrong with the mail.
	{"too big", tooBig}, {"too large", tooBig}, {"message size", tooBig}, {"size limit", tooBig}, {"maximum size", tooBig}, {"exceeds size", tooBig},
	{"message length exceeds", tooBig}, {"larger than", tooBig}, {"max message size", tooBig}, {"exceeds maximum", tooBig}, {"line limit", tooBig},
	{"line is too long", tooBig},
	{"8-bit data", content}, {"bare lf", content}, {"bare newline", content}, {"malformed", content}, {"mime error", content},
	{"improper use", content}, {"duplicate header", content}, {"not rfc", content}, {"no message-id", content}, {"missing required header", content},
	{"rfc 5322", content}, {"rfc 2822", content}, {"conversion", content}, {"charset not supported", content}, {"content error", content},

	// How full.
	{"over quota", mailboxFull}, {"quota exceeded", mailboxFull}, {"mailbox full", mailboxFull}, {"mailbox is full", mailboxFull},
	{"exceeded storage", mailboxFull}, {"exceeds quota", mailboxFull}, {"overquota", mailboxFull}, {"full mailbox", mailboxFull}, {"mail box full", mailboxFull},
	{"out of space", mailboxFull}, {"storage allocation", mailboxFull}, {"over its quota", mailboxFull}, {"over the allowed quota", mailboxFull},
	{"disk quota", mailboxFull}, {"exceeded quota", mailboxFull}, {"exceeded the quota", mailboxFull}, {"quota violation", mailboxFull}, {"inbox is full", mailboxFull},
	{"inbox full", mailboxFull}, {"mailfolder is full", mailboxFull}, {"would exceed", mailboxFull}, {"account is full", mailboxFull}, {"user is full", mailboxFull},
	{"has exceeded its disk", mailboxFull}, {"mailbox size limit", mailboxFull}, {"enough space", mailboxFull}, {"exceed mailbox", mailboxFull}, {"recipient overquota", mailboxFull},
	{"exceeded the space limit", mailboxFull}, {"maildir over", mailboxFull}, {"postfach voll", mailboxFull}, {"mailbox voll", mailboxFull}, {"postfach ist voll", mailboxFull},
	{"speicherplatz", mailboxFull}, {"quota dépassé", mailboxFull}, {"boîte pleine", mailboxFull}, {"почтовый ящик переполнен", mailboxFull}, {"exceeded email quota", mailboxFull},
	{"using up too much disk space", mailboxFull}, {"user's disk quota", mailboxFull}, {"mailbox exceeds", mailboxFull}, {"over disk quota", mailboxFull}, {"mailbox for user", mailboxFull},
	{"メールボックスが一杯", mailboxFull}, {"メールボックスに空き", mailboxFull}, {"exceeded its mailbox", mailboxFull}, {"quota full", mailboxFull}, {"exceed its quota", mailboxFull}, {"quota limit", mailboxFull},
	{"insufficient disk", systemFull}, {"insufficient system storage", systemFull}, {"no space left", systemFull}, {"system storage", systemFull}, {"disk full", systemFull},
	{"mail system full", systemFull}, {"insufficient system resources", systemFull},

	// Whether the mailbox is there, and open.
	{"disabled or discontinued", suspended}, {"account is disabled", suspended}, {"account has been disabled", suspended}, {"account that you tried to reach is disabled", suspended},
	{"is disabled", suspended}, {"mailbox disabled", suspended}, {"tried to reach is inactive", suspended}, {"account is inactive", suspended}, {"account disabled", suspended},
	{"suspended", suspended}, {"suspension", suspended}, {"mailbox is frozen", suspended}, {"temporary locked", suspended}, {"temporarily locked", suspended}, {"account is locked", suspended},
	{"account is blocked", suspended}, {"recipient account is", suspended}, {"mailbox currently suspended", suspended}, {"not currently active", suspended}, {"mailbox unavailable or access denied", suspended},
	{"mailbox is inactive", suspended}, {"inactive user", suspended}, {"user inactive", suspended}, {"mailbox is blocked", suspended}, {"account expired", suspended}, {"account deactivated", suspended},
	{"deactivated", suspended}, {"has been disabled", suspended}, {"this account is not active", suspended}, {"extended inactivity", suspended}, {"dormant", suspended}, {"mailbox blocked", suspended},
	{"user has moved", hasMoved}, {"no longer on server", hasMoved}, {"has moved", hasMoved}, {"address changed", hasMoved}, {"not our customer", hasMoved}, {"has been replaced by", hasMoved},
	{"user unknown", userUnknown}, {"unknown user", userUnknown}, {"no such user", userUnknown}, {"unknown recipient", userUnknown}, {"recipient unknown", userUnknown},
	{"user not found", userUnknown}, {"no such mailbox", userUnknown}, {"no mailbox here", userUnknown}, {"mailbox not found", userUnknown}, {"recipientnotfound", userUnknown}, {"adr.exrecipnotfound", userUnknown}, {"adr.recipnotfound", userUnknown},
	{"recipient not found", userUnknown}, {"invalid recipient", userUnknown}, {"invalid user", userUnknown}, {"invalid mailbox", userUnknown}, {"no such recipient", userUnknown}, {"user not exist", userUnknown},
	{"no such address", userUnknown}, {"does not exist", userUnknown}, {"doesn't exist", userUnknown}, {"not exist", userUnknown}, {"doesn't have a", userUnknown}, {"does not have an", userUnknown},
	{"user invalid", userUnknown}, {"unknown address", userUnknown}, {"unknown e-mail", userUnknown}, {"unknown email", userUnknown}, {"address unknown", userUnknown}, {"unknown local", userUnknown}, {"unknown account", userUnknown},
	{"not a known user", userUnknown}, {"not known at", userUnknown}, {"no account", userUnknown}, {"unrouteable address", hostUnknown}, {"unroutable address", hostUnknown}, {"not recognized", userUnknown}, {"not recognised", userUnknown},
	{"nicht erkannt", userUnknown}, {"nicht gefunden", userUnknown}, {"unbekannter empfänger", userUnknown}, {"empfänger unbekannt", userUnknown}, {"benutzer unbekannt", userUnknown}, {"destinataire invalide", userUnknown}, {"utilisateur inconnu", userUnknown}, {"inconnu", userUnknown},
	{"usuario desconocido", userUnknown}, {"not listed in", userUnknown}, {"no mail-box", userUnknown}, {"no longer valid", userUnknown}, {"no longer available", userUnknown}, {"no longer exists", userUnknown}, {"no longer employed", userUnknown}, {"address rejected", userUnknown},
	{"not our user", userUnknown}, {"no user", userUnknown}, {"user does not", userUnknown}, {"mailbox unavailable", userUnknown}, {"unavailable mailbox", userUnknown}, {"not a valid", userUnknown}, {"invalid address", userUnknown}, {"mailbox is unavailable", userUnknown}, {"account closed", userUnknown},
	{"not in my domain", userUnknown}, {"recipient rejected", userUnknown}, {"bad destination mailbox", userUnknown}, {"recipient address", userUnknown}, {"addressee unknown", userUnknown}, {"not registered", userUnknown}, {"cannot find user", userUnknown}, {"can't find user", userUnknown}, {"inactive email", userUnknown},
	{"couldn't be found", userUnknown}, {"could not be found", userUnknown}, {"wasn't found", userUnknown}, {"was not found", userUnknown}, {"not found in", userUnknown}, {"not found by", userUnknown}, {"ユーザが見つかりません", userUnknown}, {"宛先が見つかりません", userUnknown}, {"メールアドレスが存在しません", userUnknown}, {"not our customers", userUnknown}, {"exact match", userUnknown}, {"did not exactly match", userUnknown},
	{"directory entry", userUnknown}, {"ambiguous", userUnknown}, {"no existe", userUnknown}, {"nav atrasts", userUnknown}, {"não existe", userUnknown}, {"non esiste", userUnknown}, {"the user you are trying to contact", suspended},

	// Whether the host is there.
	{"host unknown", hostUnknown}, {"unknown host", hostUnknown}, {"host not found, try again", network}, {"host not found", hostUnknown}, {"no such domain", hostUnknown}, {"domain not found", hostUnknown}, {"domain is not reachable", hostUnknown}, {"could not find a gateway", hostUnknown},
	{"couldn't find any host", hostUnknown}, {"name or service not known", hostUnknown}, {"unknown domain", hostUnknown}, {"nxdomain", hostUnknown}, {"no such host", hostUnknown}, {"invalid domain", hostUnknown}, {"bad destination host", hostUnknown}, {"name or domain", hostUnknown}, {"domain name not found", hostUnknown},
	{"null mx", notAccepting}, {"no smtp service", notAccepting}, {"does not accept mail", notAccepting}, {"no mx record", notAccepting}, {"no mail server", notAccepting}, {"smtp protocol is not", notAccepting}, {"domain is not receiving", notAccepting}, {"no mail exchanger", notAccepting}, {"does not receive mail", notAccepting},
	{"couldn't find a mail exchanger", notAccepting}, {"no mx", notAccepting}, {"malformed or unexpected name server reply", notAccepting}, {"nullmx", notAccepting}, {"no mail hosts", notAccepting}, {"invalid mx", notAccepting}, {"doesn't accept mail", notAccepting}, {"does not accept any mail", notAccepting},

	// How the way was.
	{"timed out", expired}, {"timeout", expired}, {"time out", expired}, {"too old", expired}, {"retry time", expired}, {"been in the queue too long", expired}, {"failing for a long time", expired}, {"expired", expired}, {"could not be delivered for", expired}, {"has been in queue", expired}, {"queue too long", expired},
	{"not responding", expired}, {"did not respond", expired}, {"delivery time", expired}, {"did not accept our requests to connect", expired}, {"unable to deliver this message after", expired}, {"within", expired}, {"retried for", expired}, {"delivery attempts", expired}, {"could not be reached", expired}, {"not reachable", expired}, {"host unreachable", expired}, {"giving up", expired},
	{"connection refused", network}, {"no route to host", network}, {"network is unreachable", network}, {"lost connection", network}, {"connection reset", network}, {"connection dropped", network}, {"connection lost", network}, {"name service error", network}, {"dns error", network}, {"name server", network}, {"loop", network}, {"hop count", network},
	{"too many hops", network}, {"name lookup failure", network}, {"host name lookup", network}, {"temporary lookup failure", network}, {"could not connect", network}, {"couldn't connect", network}, {"unable to connect", network}, {"cannot connect", network}, {"connection was", network}, {"socket error", network}, {"domain error", network}, {"dns problem", network},
	{"duplicated message-id", systemError}, {"greylist", onHold}, {"graylist", onHold}, {"recipient error", onHold}, {"try again later", onHold}, {"access denied", rejected},
	{"command not", syntax}, {"syntax error", syntax}, {"parameter not implemented", syntax}, {"bad sequence", syntax}, {"unrecognized", syntax}, {"protocol error", syntax}, {"not implemented", syntax},
	{"pipe to", mailerError}, {"exit", mailerError}, {"mailer", mailerError}, {"child process", mailerError}, {"command died", mailerError}, {"procmail", mailerError}, {"x-unix;", mailerError}, {"local delivery failed", mailerError}, {"return code", mailerError},
	{"internal error", systemError}, {"system error", systemError}, {"server error", systemError}, {"temporary failure", systemError}, {"configuration error", systemError}, {"config error", systemError}, {"service unavailable", systemError}, {"transaction failed", systemError}, {"local error", systemError}, {"server configuration", systemError}, {"resources", systemError}, {"out of memory", systemError},
	{"security", security}, {"starttls", security}, {"tls", security}, {"encryption", security}, {"authentication required", security}, {"rejected", rejected}, {"not accepted", rejected}, {"denied", rejected}, {"refused", rejected}, {"blocked", blocked}, {"unknown", userUnknown},
}

// maxDiagnostic bounds how much of a diagnostic is read for its reason.
const maxDiagnostic = 8 << 10

// reasonOf tells the reason from a server's words.
func reasonOf(words string) reason {
	if len(words) > maxDiagnostic {
		words = words[:maxDiagnostic]
	}
	words = squeeze(strings.ToLower(words))
	for _, w := range wordings {
		if strings.Contains(words, w.phrase) {
			return w.means
		}
	}
	return unknown
}

// reasonOfStatus tells the reason from a status code that a server wrote (RFC 3463 §3), where its words say nothing.
func reasonOfStatus(status string) reason {
	_, sub, ok := strings.Cut(status, ".")
	if !ok {
		return unknown
	}
	switch sub {
	case "1.0", "1.1", "1.3", "1.4", "5.1.10":
		return userUnknown
	case "1.10":
		return notAccepting
	case "1.2":
		return hostUnknown
	case "1.6":
		return hasMoved
	case "1.7", "1.8", "1.9":
		return rejected
	case "2.1":
		return suspended
	case "2.2":
		return mailboxFull
	case "2.3", "3.4":
		return tooBig
	case "3.1":
		return systemFull
	case "3.2":
		return notAccepting
	case "3.0", "3.5":
		return systemError
	case "4.1", "4.2", "4.3", "4.5", "4.6":
		return network
	case "4.4":
		return hostUnknown
	case "4.7":
		return expired
	case "6.0", "6.1", "6.9":
		return content
	case "7.1":
		return rejected
	case "7.20", "7.23", "7.26":
		return authFailure
	case "7.25":
		return requirePTR
	}
	return unknown
}

// squeeze turns every run of white space into one blank.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
