package bounce

import "strings"

// A wording is what servers' diagnostics say for one reason, lower case with single blanks.
type wording struct {
	means   reason
	phrases []string
}

// wordings is searched from top to bottom; the first phrase that stands in a diagnostic decides. What is said about the
// sender comes before what is said about the recipient, because "550 user unknown, see blocklist" is about the sender;
// full comes before unknown, because "mailbox unavailable: over quota" is full; what is vague comes last.
var wordings = []wording{
	{notAccepting, []string{
		"malformed or unexpected name server reply",
	}},
	{userUnknown, []string{
		"not listed in",
	}},
	{rejected, []string{
		"groups.google.com",
	}},
	{spam, []string{
		"url in message",
	}},
	{authFailure, []string{
		"multiple authentication checks failed", "dmarc", "spf record", "spf check", "spf fail", "spf validation", "dkim",
		"sender is unauthenticated", "unauthenticated email", "unauthenticated mail", "sender policy framework",
		"does not pass authentication", "spf.pobox.com", "openspf", "(spf)",
	}},
	{requirePTR, []string{
		"reverse dns", "ptr record", "no ptr", "reverse hostname", "reverse name", "reverse lookup", "rdns", "fcrdns",
		"cannot find your hostname", "unresolvable relay host", "mismatches client ip", "unverifyable sending ip",
		"unverifiable sending ip", "cannot resolve your address", "hostname is not resolvable", "ip name lookup failed",
		"forward dns", "bad-ptr", "missing a reverse",
	}},
	{badReputation, []string{
		"low reputation", "poor reputation", "bad reputation", "reputation", "senderscore",
	}},
	{virus, []string{
		"virus", "malware", "infected", "trojan",
	}},
	{filtered, []string{
		"message filtered",
	}},
	{spam, []string{
		"unsolicited", "spam message", "looks like spam", "detected as spam", "is spam", "as spam", "spam detected",
		"spam content", "spamassassin", "spam score", "considered spam", "identified as spam", "content rejected",
		"message content", "probable spam", "possible spam", "high probability of spam", "appears to be spam", "spam mail",
		"suspected spam", "classified as spam", "junk mail", "ube, id", "rejected by content", "blocked by our bulk",
		"contains a url", "message rejected as", "spamming not allowed", "no spam", "anti-spam", "antispam", "spam filter",
		"spam block",
	}},
	{speeding, []string{
		"too many recipients this hour", "receiving mail at a rate", "rate limit", "receiving mail too quickly",
		"too many messages", "throttl", "too many connections", "sending rate", "exceeded the rate",
	}},
	{rejected, []string{
		"unexpected volume or user complaints", "blacklist", "black list",
	}},
	{noRelaying, []string{
		"relay access denied", "relaying denied", "not configured to relay", "relay not permitted",
		"not permitted to relay", "relaying is not allowed", "we do not relay", "no relaying allowed", "unable to relay",
		"relaying prohibited", "relaying mail to", "relay denied", "relaying to", "insecure mail relay", "not a gateway",
		"that domain isn't in my list of allowed rcpthosts", "isn't in my list of allowed",
	}},
	{blocked, []string{
		"spamhaus", "blocked using", "client host rejected", "client host blocked", "barracudacentral", "spamcop", "dnsbl",
		"block list", " rbl", "ip=", "your ip ", "blocklist", "banned sending ip", "listed at", "listed in",
		"no access from mail server", "service refused", "ip address has been blocked", "connection refused by",
		"refused to talk to me", "not allowed to connect", "connections from this host", "mail server ip", "bad sender ip",
		"(bl)", "dynamic ip", "blocked for abuse", "blocked - see", "open relay", "rejected by rbl",
	}},
	{policy, []string{
		"message was blocked because its content", "policy violation", "violates policy", "by policy", "policy reasons",
		"local policy", "for policy", "policy reject", "site policy", "security policy", "mail rejected for policy",
		"header error", "prohibited attachment", "attachment type", "file extension", "banned attachment",
		"blocked extension", "potential security", "executable attachment",
	}},
	{rejected, []string{
		"sender rejected", "sender address rejected", "sender denied", "sender refused", "sender verify failed",
		"sender domain", "domain of sender", "sender's domain", "invalid sender", "bad sender", "unresolvable sender",
		"purported responsible", "you have been blocked by the recipient", "blocked by recipient", "permission to post",
		"not allowed to post", "only accepts messages from", "not have permission", "restricted to",
		"not authorized to send", "is not authorised", "could not verify sender", "does not exist in sender", "sender not",
		"rejected for this sender", "mail from domain", "backscatter", "rule imposed", "not on the allowed",
		"not accepting mail from", "refuses to accept", "domain does not exist: ", "does not accept mail from",
		"messages from your",
	}},
	{tooBig, []string{
		"too big", "too large", "message size", "size limit", "maximum size", "exceeds size", "message length exceeds",
		"larger than", "max message size", "exceeds maximum", "line limit", "line is too long",
	}},
	{content, []string{
		"8-bit data", "bare lf", "malformed message", "malformed header", "message is malformed", "without to:",
		"conversion prohibited", "conversion required", "bare newline", "mime error", "improper use", "duplicate header",
		"not rfc", "no message-id", "missing required header", "rfc 5322", "rfc 2822", "charset not supported",
		"content error",
	}},
	{mailboxFull, []string{
		"over quota", "recipient's mailbox exceeded", "quota exceeded", "mailbox full", "mailbox is full", "exceeded storage", "exceeds quota",
		"overquota", "full mailbox", "mail box full", "out of space", "storage allocation", "over its quota",
		"over the allowed quota", "disk quota", "exceeded quota", "exceeded the quota", "quota violation", "inbox is full",
		"inbox full", "mailfolder is full", "would exceed", "account is full", "user is full", "has exceeded its disk",
		"mailbox size limit", "enough space", "exceed mailbox", "recipient overquota", "exceeded the space limit",
		"maildir over", "postfach voll", "mailbox voll", "postfach ist voll", "speicherplatz", "quota dépassé",
		"boîte pleine", "почтовый ящик переполнен", "exceeded email quota", "using up too much disk space",
		"user's disk quota", "mailbox exceeds", "over disk quota", "mailbox for user", "メールボックスが一杯", "メールボックスに空き",
		"exceeded its mailbox", "quota full", "exceed its quota", "quota limit",
	}},
	{systemFull, []string{
		"insufficient disk", "insufficient system storage", "no space left", "system storage", "disk full",
		"mail system full", "insufficient system resources",
	}},
	{suspended, []string{
		"disabled or discontinued", "account is disabled", "account has been disabled",
		"account that you tried to reach is disabled", "is disabled", "mailbox disabled", "tried to reach is inactive",
		"account is inactive", "account disabled", "suspended", "suspension", "mailbox is frozen", "temporary locked",
		"temporarily locked", "account is locked", "account is blocked", "recipient account is",
		"mailbox currently suspended", "not currently active", "mailbox unavailable or access denied",
		"mailbox is inactive", "inactive user", "user inactive", "mailbox is blocked", "account expired",
		"account deactivated", "deactivated", "has been disabled", "this account is not active", "extended inactivity",
		"dormant", "mailbox blocked",
	}},
	{hasMoved, []string{
		"user has moved", "no longer on server", "has moved", "address changed", "not our customer",
		"has been replaced by",
	}},
	{suspended, []string{
		"disabled recipient",
	}},
	{security, []string{
		"delivery not authorized",
	}},
	{noRelaying, []string{
		"no relaying",
	}},
	{notAccepting, []string{
		"not accepting network messages",
	}},
	{hostUnknown, []string{
		"bad destination system",
	}},
	{systemError, []string{
		"internal system error",
	}},
	{mailerError, []string{
		"mailer error",
	}},
	{content, []string{
		"media error",
	}},
	{userUnknown, []string{
		"user unknown", "unknown or illegal user", "illegal user", "name & address book", "several matches found",
		"final delivery userid", "unknown user", "no such user", "unknown recipient", "recipient unknown",
		"user not found", "no such mailbox", "no mailbox here", "mailbox not found", "recipientnotfound",
		"adr.exrecipnotfound", "adr.recipnotfound", "recipient not found", "invalid recipient", "invalid user",
		"invalid mailbox", "no such recipient", "user not exist", "no such address", "does not exist", "doesn't exist",
		"doesn't have a", "does not have an", "user invalid", "unknown address", "unknown e-mail", "unknown email",
		"address unknown", "unknown local", "unknown account", "not a known user", "not known at", "no account",
	}},
	{hostUnknown, []string{
		"unrouteable address", "unrouteable mail domain", "unroutable mail domain", "unroutable address",
	}},
	{userUnknown, []string{
		"not recognized", "not recognised", "nicht erkannt", "nicht gefunden", "unbekannter empfänger",
		"empfänger unbekannt", "benutzer unbekannt", "destinataire invalide", "utilisateur inconnu", "usuario desconocido",
		"no mail-box", "no longer valid", "no longer available", "no longer exists", "no longer employed",
		"address rejected", "not our user", "user does not", "mailbox unavailable", "unavailable mailbox",
		"invalid address", "mailbox is unavailable", "account closed", "not in my domain", "recipient rejected",
		"bad destination mailbox", "recipient address", "addressee unknown", "not registered", "not a registered",
		"cannot find user", "can't find user", "inactive email", "couldn't be found", "could not be found", "wasn't found",
		"was not found", "not found in", "not found by", "ユーザが見つかりません", "宛先が見つかりません", "メールアドレスが存在しません",
		"not our customers", "exact match", "did not exactly match", "directory entry", "no existe", "nav atrasts",
		"não existe", "non esiste",
	}},
	{suspended, []string{
		"the user you are trying to contact",
	}},
	{hostUnknown, []string{
		"host unknown", "unknown host",
	}},
	{network, []string{
		"host not found, try again",
	}},
	{hostUnknown, []string{
		"host not found", "no such domain", "domain not found", "domain is not reachable", "could not find a gateway",
		"couldn't find any host", "name or service not known", "unknown domain", "nxdomain", "no such host",
		"invalid domain", "bad destination host", "name or domain", "domain name not found",
	}},
	{notAccepting, []string{
		"null mx", "no smtp service", "does not accept mail", "no mx record", "no mx found", "no mx for", "no mail server",
		"smtp protocol is not", "domain is not receiving", "no mail exchanger", "does not receive mail",
		"couldn't find a mail exchanger", "nullmx", "no mail hosts", "invalid mx", "doesn't accept mail",
		"does not accept any mail",
	}},
	{expired, []string{
		"timed out", "message expired", "envelope expired", "expired after", "within 0 days", "not delivered within",
		"timeout", "time out", "too old", "retry time", "been in the queue too long", "failing for a long time",
		"could not be delivered for", "has been in queue", "queue too long", "not responding", "did not respond",
		"did not accept our requests to connect", "unable to deliver this message after", "retried for",
		"delivery attempts", "could not be reached", "not reachable", "host unreachable", "giving up",
	}},
	{network, []string{
		"connection refused", "no route to host", "network is unreachable", "lost connection", "connection reset",
		"connection dropped", "connection lost", "name service error", "dns error", "name server", "hop count",
		"loops back", "mail loop", "routing loop", "too many hops", "name lookup failure", "host name lookup",
		"temporary lookup failure", "could not connect", "couldn't connect", "unable to connect", "cannot connect",
		"connection was", "socket error", "domain error", "dns problem",
	}},
	{systemError, []string{
		"duplicated message-id",
	}},
	{onHold, []string{
		"greylist", "graylist", "recipient error", "try again later",
	}},
	{rejected, []string{
		"access denied",
	}},
	{syntax, []string{
		"command not", "syntax error", "parameter not implemented", "bad sequence", "unrecognized", "protocol error",
		"not implemented",
	}},
	{mailerError, []string{
		"pipe to", "exit code", "exit status", "mailer \"", "child process", "command died", "procmail", "x-unix;",
		"local delivery failed", "return code",
	}},
	{systemError, []string{
		"internal error", "system error", "server error", "temporary failure", "configuration error", "config error",
		"service unavailable", "transaction failed", "local error", "server configuration", "out of memory",
	}},
	{security, []string{
		"starttls", "tls required", "requires tls",
	}},
	{rejected, []string{
		"does not advertise auth",
	}},
	{security, []string{
		"encryption", "authentication required",
	}},
	{rejected, []string{
		"rejected", "not accepted", "denied", "refused",
	}},
	{blocked, []string{
		"blocked",
	}},
}

// linked are the names in links that tell a reason by themselves.
var linked = []wording{
	{rejected, []string{"groups.google.com"}},
	{blocked, []string{"spamhaus.org", "spamcop.net", "barracudacentral.org"}},
	{authFailure, []string{"spf.pobox.com", "openspf"}},
}

// reasonOf tells the reason from a server's words. Links in them are left out: the words of a link are its owner's.
func reasonOf(words string) reason {
	if len(words) > maxDiagnostic {
		words = words[:maxDiagnostic]
	}
	words = squeeze(strings.ToLower(words))
	for _, l := range linked {
		if hasAny(words, l.phrases) {
			return l.means
		}
	}
	words = links.ReplaceAllString(words, "")
	for _, w := range wordings {
		if hasAny(words, w.phrases) {
			return w.means
		}
	}
	return unknown
}
