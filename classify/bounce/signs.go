package bounce

import (
	"slices"
	"strings"

	"supportd/tickets"
)

// signs are what speaks for a message being a delivery report. A report is sent by a machine and says that a mail did
// not arrive; people who write about such a mail, quote it or pass it on are not machines. So both sides have to be
// there, and together they have to weigh enough.
type signs struct {
	machine int  // of the sender being a mail system
	surely  bool // one of them is what only mail systems have
	failure int  // of a mail that did not arrive
	against int  // of a person

	structured bool    // a delivery status stands where a report has it
	groups     []group // of that status
	json       *Report

	notice   string // the text above the returned mail
	returned string // the text from there on
	own      []string
	delayed  bool
	arrived  bool     // a report of success
	copied   bool     // the mail, or a part of it, is returned
	named    bool     // the notice says of an address that it failed
	seen     []string // the signs, in words
}

// convinced reports whether a message without a readable delivery status is a report all the same.
//
// "Your parcel could not be delivered" comes from machines as well. So from senders that are not surely mail systems
// there has to be the mail itself, or the address of who did not get it.
func (s *signs) convinced() bool {
	if s.machine == 0 || s.failure == 0 || s.machine+s.failure-s.against < 5 {
		return false
	}
	return s.surely || s.copied || s.named
}

func (s *signs) why() string { return strings.Join(s.seen, ", ") }

func (s *signs) saw(what string) { s.seen = append(s.seen, what) }

// look gathers the signs of a message.
func look(m *tickets.Message) signs {
	var s signs
	s.sender(m)
	if s.machine == 0 && !mayReport(m) {
		return s // a person's mail; most are
	}
	s.notice, s.returned = split(m.Text)
	for _, a := range m.To {
		s.own = append(s.own, a.Mail)
	}
	s.subject(m)
	s.body(m)
	s.person(m)
	s.status(m)
	if s.machine > 0 {
		s.json = fromJSON(m.Text)
	}
	return s
}

// mayReport reports whether a message has the form of a delivery report.
func mayReport(m *tickets.Message) bool {
	contentType := strings.ToLower(m.FirstField("Content-Type"))
	if strings.HasPrefix(contentType, "multipart/report") || strings.Contains(contentType, "delivery-status") {
		return true
	}
	return slices.ContainsFunc(m.Machine, isStatus)
}

func isStatus(p tickets.MachinePart) bool {
	return p.Type == "message/delivery-status" || p.Type == "message/global-delivery-status"
}

// daemons are local parts that only mail systems send from; offices are those that people may use as well.
var (
	daemons = []string{
		"mailer-daemon", "mailer_daemon", "mailerdaemon", "mdaemon", "mail-daemon", "mail.delivery.system",
		"maildelivery", "mail-delivery", "delivery-status", "deliverysubsystem",
	}
	offices = []string{
		"no-reply", "noreply", "no_reply", "donotreply", "do-not-reply", "bounce", "administrator", "admin",
		"antivirus", "gateway", "daemon", "listserv", "majordomo", "mailmaster", "amavis", "virusscanner",
	}
	systems = []string{
		"mail delivery", "delivery subsystem", "mail deliver system", "mail system", "mail administrator",
		"system administrator", "mailer daemon", "mailer-daemon", "delivery system", "microsoft outlook", "interscan",
		"automated response",
	}
)

func (s *signs) sender(m *tickets.Message) {
	from := strings.ToLower(m.FirstField("From"))
	local := from
	if a := firstAddress(from); a != "" {
		local = a[:strings.LastIndexByte(a, '@')]
	}
	switch {
	case hasAny(local, daemons):
		s.weigh(3, true, "sent by a mail system")
	case strings.HasPrefix(local, "postmaster") || strings.HasPrefix(local, "post_master") || strings.HasPrefix(local, "post-master"):
		s.weigh(3, false, "sent by the postmaster")
	case hasAny(local, offices):
		s.weigh(1, false, "sent by an office address")
	}
	if hasAny(from, systems) {
		s.weigh(2, true, "the sender calls itself a mail system")
	}
	if strings.TrimSpace(from) == "" || strings.Contains(from, "<>") {
		s.weigh(2, true, "no sender")
	}
	path := strings.ToLower(m.ReturnPath)
	switch {
	case path == "<>" || strings.Contains(path, "mailer-daemon"):
		s.weigh(2, true, "null return path")
	case strings.TrimSpace(m.FirstField("X-Envelope-From")) == "<>":
		s.weigh(2, true, "null envelope sender")
	case path != "" && path == strings.ToLower(m.Author) && (strings.HasPrefix(local, "post") || strings.HasPrefix(local, "admin")):
		s.against += 2 // people write under these addresses
	}
	if m.FirstField("X-Failed-Recipients") != "" {
		s.weigh(2, true, "X-Failed-Recipients")
		s.failure += 2
	}
	if m.FirstField("X-MLServer") != "" || m.FirstField("X-MS-Embedded-Report") != "" {
		s.weigh(1, true, "sent by a list or mail server")
	}
	if m.FirstField("List-Id") != "" {
		return // the list's own marks, not the sender's
	}
	if a := strings.ToLower(m.FirstField("Auto-Submitted")); a != "" && !strings.HasPrefix(a, "no") {
		s.machine++
	}
	// Lists mark people's mail as bulk, so that alone shows no machine.
	if p := strings.ToLower(m.FirstField("Precedence")); s.machine > 0 && (p == "bulk" || p == "junk" || p == "auto_reply") {
		s.machine++
	}
	if m.FirstField("X-Autogenerated") != "" {
		s.machine++
	}
}

// weigh counts a sign of a machine.
func (s *signs) weigh(n int, surely bool, what string) {
	s.machine += n
	s.surely = s.surely || surely
	s.saw(what)
}

// subjects of delivery reports, lower case.
var subjects = []string{
	"undeliver", "unzustellbar", "delivery status", "delivery failure", "delivery failed", "delivery has failed",
	"failure notice", "failure delivery", "returned mail", "returned to sender", "mail delivery",
	"delivery notification", "non-delivery", "non delivery", "nondeliver", "not delivered", "could not be delivered",
	"couldn't be delivered", "cannot be delivered", "delivery problem", "delivery error", "delivery report",
	"failed mail", "error sending your mail", "mail system error", "mail failure", "user unknown", "unknown user",
	"message delayed", "mail delayed", "delayed mail", "delivery delay", "delivery has been delayed",
	"warning: message", "could not send message",
	"permanent delivery", "processing error", "message delivery", "delivery unsuccessful", "unable to deliver",
	"failed delivery", "message rejected", "mail rejected", "returning message", "bounced mail",
	"bounce notification", "mail error", "nameserver error", "loop alert", "mail loop",
	"zustellung", "nicht zugestellt", "nicht zustellbar", "unzustell", "échec de la remise", "non remis",
	"non distribu", "échec de remise", "retour de courrier", "no se puede entregar", "no se pudo entregar",
	"no entregado", "correo devuelto", "mancata consegna", "mancato recapito", "onbestelbaar", "niet bezorgd",
	"не доставлен", "недоставлен", "não entregue", "falha na entrega", "não foi entregue", "kunde inte leverera",
	"olevererbar", "kan ikke leveres", "nie dostarczon", "niedostarczaln", "nedoručiteln", "メールエラー", "配信エラー",
	"送信エラー", "送信できません", "配信不能", "宛先不明", "退信", "投递失败", "无法投递", "未送达", "邮件被退回", "반송", "awaits moderator",
}

func (s *signs) subject(m *tickets.Message) {
	subject := strings.ToLower(m.Subject)
	if hasAny(subject, subjects) {
		s.failure += 2
		s.saw("subject of a delivery report")
	}
	if hasAny(subject, []string{"delay", "warning: message", "still being retried", "verzöger", "could not send message for past"}) {
		s.delayed = true
	}
	if hasAny(subject, []string{"(success)", "successful mail delivery", "successfully delivered", "delivered:", "(relay)", "relayed:"}) {
		s.arrived = true
	}
	if answers(subject) {
		s.against += 2
	}
}

// answers reports whether a subject (lower case) says that a person answers or passes something on.
func answers(subject string) bool {
	subject = strings.TrimLeft(subject, " ")
	for _, p := range [...]string{"re:", "aw:", "fw:", "fwd:", "wg:", "sv:", "tr:", "rv:", "antw:"} {
		if strings.HasPrefix(subject, p) {
			return true
		}
	}
	return false
}

// notices are openings and sentences of delivery reports, beyond what failing has; lower case.
var notices = []string{
	"this is the qmail-send program", "this is the mail system at host", "this is the postfix program",
	"this is the mailer-daemon", "this is the mail delivery agent", "transcript of session follows",
	"the original message was received at",
	"created automatically by mail delivery software", "automatically generated delivery status notification",
	"delivery status notification", "non-delivery report", "the following addresses had", "permanent fatal errors",
	"permanent error", "smtp error from remote",
	"technical details of permanent failure", "technical details of temporary failure", "remote host said",
	"this is a permanent error", "could not send", "error message below", "mail delivery system", "user unknown",
	"unknown user", "no such user", "mailbox is full",
	"the recipient server did not accept", "duplicated message-id", "did not exactly match",
	"group you tried to contact", "there was a problem delivering", "wasn't found at", "couldn't be found",
	"full mailbox", "account is disabled", "delivery report",
}

// waiting are sentences of a warning: the server goes on trying.
var waiting = []string{
	"warning message only", "has been delayed", "delivery is delayed", "not been delivered yet",
	"hasn't been delivered yet", "is delayed for more than", "will be retried", "still being retried",
	"not yet been delivered", "delivery attempts will continue", "will keep trying", "will continue to try",
	"temporarily delayed", "message is delayed", "do not need to resend", "it is just a warning", "still trying",
	"retry for", "will be returned to you if",
	"wird weiter versucht", "weitere zustellversuche", "noch nicht zugestellt",
}

func (s *signs) body(m *tickets.Message) {
	head := strings.ToLower(unquoted(cut(s.notice, 6000)))
	switch {
	case hasAny(head, notices):
		s.failure += 2
		s.saw("text of a delivery report")
	case hasAny(head, failing):
		s.arrived = false
		s.failure += 2
		s.saw("text says that a mail was not delivered")
	}
	if status, reply, _ := codes(head); status != "" || reply != "" {
		s.failure++
		s.saw("SMTP code in the text")
	}
	for _, p := range m.Machine {
		s.copied = s.copied || isReturned(p.Type)
	}
	if s.returned != "" {
		s.copied = true
	}
	if s.copied {
		s.failure++
		s.saw("a returned mail")
	}
	if strings.Contains(head, "mail from:") && strings.Contains(head, "rcpt to:") {
		s.failure++
		s.saw("an SMTP envelope in the text")
	}
	for _, f := range recipients(s.notice, s.own) {
		s.named = s.named || f.told
	}
	if hasAny(head, waiting) {
		s.delayed = true
	}
}

// unquoted drops the lines that are marked as quotes: what people quote is not what they say.
func unquoted(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimLeft(line, " \t"), ">") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// closings end people's mails; absences are what automatic replies of people say. Lower case.
var (
	closings = []string{
		"best regards", "kind regards", "warm regards", "mit freundlichen grüßen", "mit freundlichen gruessen",
		"viele grüße", "freundliche grüße", "beste grüße", "liebe grüße", "\ncheers", "cordialement", "saludos",
	}
	absences = []string{
		"out of office", "out of the office", "on vacation", "on leave", "abwesend", "im urlaub", "nicht im büro",
		"i am away", "i'm away", "en vacances", "absent", "annual leave", "back in the office", "wieder erreichbar",
	}
)

// agents are programs that people write mail with, as they name themselves; lower case.
var agents = []string{
	"thunderbird", "outlook", "apple mail", "iphone", "ipad", "mutt", "k-9", "evolution", "kmail", "roundcube", "horde",
	"squirrelmail", "mailmate", "airmail", "gnus", "claws", "the bat",
}

// person weighs what only people's mail has.
func (s *signs) person(m *tickets.Message) {
	head := strings.ToLower(cut(s.notice, 6000))
	if hasAny(head, closings) {
		s.against += 2
	}
	if hasAny(head, absences) && !s.copied {
		s.against += 2
	}
	if hasAny(strings.ToLower(m.FirstField("X-Mailer")+m.FirstField("User-Agent")), agents) {
		s.against += 4
	}
}

// status looks for a delivery status: as a part of the message, or inside a report that is itself passed on whole by
// a mail system.
func (s *signs) status(m *tickets.Message) {
	contentType := strings.ToLower(m.FirstField("Content-Type"))
	report := strings.HasPrefix(contentType, "multipart/report") &&
		!hasAny(contentType, []string{"disposition-notification", "feedback-report", "tlsrpt"})
	named := strings.Contains(contentType, "delivery-status")
	for _, p := range m.Machine {
		switch {
		case isStatus(p):
			s.groups = append(s.groups, readGroups(string(p.Data))...)
		case isReturned(p.Type) && len(s.groups) == 0 && s.machine >= 2:
			s.groups = append(s.groups, nestedGroups(string(p.Data))...)
		}
	}
	if report || named {
		s.machine += 2
		s.failure += 2
		s.saw("multipart/report")
	}
	if len(s.groups) == 0 {
		text := cut(m.Text, 4*maxNotice)
		if at := indexFold(text, "\nfinal-recipient:"); at >= 0 && (report || s.machine >= 3 && s.failure >= 2) {
			s.groups = readGroups(text[at+1:])
		}
	}
	if len(s.groups) > 0 {
		s.structured = report || named || s.machine > 0 && s.failure+s.machine-s.against >= 4
		s.saw("delivery status")
	}
}

// nestedGroups reads the delivery status inside a report that came as a message/rfc822.
func nestedGroups(raw string) []group {
	if indexFold(raw, "multipart/report") < 0 {
		return nil
	}
	at := indexFold(raw, "\nfinal-recipient:")
	if at < 0 {
		return nil
	}
	end := strings.Index(raw[at:], "\n--")
	if end < 0 {
		end = len(raw) - at
	}
	return readGroups(raw[at : at+end])
}

// indexFold is strings.Index without regard to the case of ASCII letters; sub is lower case.
func indexFold(s, sub string) int {
	lower := func(c byte) byte {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}
	first := sub[0]
	for i := 0; i+len(sub) <= len(s); i++ {
		if lower(s[i]) != first {
			continue
		}
		n := 1
		for n < len(sub) && lower(s[i+n]) == sub[n] {
			n++
		}
		if n == len(sub) {
			return i
		}
	}
	return -1
}
