package config

import (
	"time"

	"supportd/tickets"
)

// The types of this file are the key table. The decoder, the schema, the reference in docs/config.md and the defaults
// are all made from their tags:
//
//	key          the key's name in the file
//	kind         what its value is, see the table kinds; of a list, what each value is
//	values       of kind enum: the words that are allowed
//	default      the value that stands when the key is absent, as one would write it
//	min, max     the smallest and largest value allowed
//	one          of a list of values: a single one needs no brackets
//	short        a value that is no map is taken for this sub-key
//	required     the key must be given
//	example      a value as one would write it
//	doc          what it means
//	code         number of the check that misses a required key
//	open         takes the keys that no other field names
//	scalar       on a blank field: keys with a single value, where only additions are allowed (E14)

// fileKeys is the root of the file.
type fileKeys struct {
	section
	Version       opt[int]              `key:"version" kind:"int" required:"yes" example:"1" doc:"Version of the file format. Always 1."`
	Organisation  organisationKeys      `key:"organisation" doc:"Who runs the desk."`
	Mailbox       shortMailboxKeys      `key:"mailbox" doc:"Short form: the one mailbox of the desk, and the server that takes its mails. It is called support in the full form."`
	From          opt[tickets.Address]  `key:"from" kind:"address" example:"Tischlerei Huber <hilfe@huber.example>" doc:"Short form: the address customers write to and get answers from."`
	Language      opt[string]           `key:"language" kind:"language" example:"de" doc:"Short form: the language of mails to people whose own language could not be told. Default: the first of languages."`
	Languages     many[string]          `key:"languages" kind:"language" example:"[de, en]" doc:"Short form: the languages the desk answers in. Default: [de, en]."`
	Timezone      opt[*time.Location]   `key:"timezone" kind:"zone" example:"Europe/Berlin" doc:"Short form: the time zone of the hours, and of times in mails. Default: UTC."`
	Hours         hoursKeys             `key:"hours" doc:"Short form: when the desk works. Default: 24/7."`
	Holidays      many[string]          `key:"holidays" kind:"region" one:"yes" example:"[DE-BY, DE-BY-KATH]" doc:"Short form: regions whose public holidays the desk keeps. Default: none."`
	Team          many[tickets.Address] `key:"team" kind:"address" example:"[max@huber.example, eva@huber.example]" doc:"Short form: the people who answer. They are team support, tier 1, in the full form."`
	FirstResponse opt[time.Duration]    `key:"first_response" kind:"target" min:"1s" max:"10000h" example:"4h" doc:"Business time in which a person answers first. Default: nothing is promised."`
	Resolve       opt[time.Duration]    `key:"resolve" kind:"target" min:"1s" max:"10000h" example:"24h" doc:"Business time in which a ticket is solved. Default: nothing is promised."`
	Remind        remindKeys            `key:"remind" doc:"Who is told at which part of a target, such as {75%: assignee, 100%: [team, team_lead]}. Default: {75%: assignee, 100%: team}."`
	Standard      opt[string]           `key:"standard_answers" kind:"path" example:"answers" doc:"Folder with texts that agents send with #send NAME: NAME.de.md and NAME.en.md, or NAME.md, in Markdown with the variables of mails to customers. The first lines may be a front matter with title, solve: yes, and attach: FILE. Default: none."`
	AutoAnswers   answersKeys           `key:"auto_answers" short:"answers" doc:"Answers that are sent without a person. A list, or a map with answers."`
	DKIM          list[dkimKeys]        `key:"dkim" one:"yes" doc:"Short form of brands.NAME.dkim."`
	TrustAuth     many[string]          `key:"trust_auth_results_from" kind:"host" one:"yes" example:"mx.huber.example" doc:"Short form of spam.trust_auth_results_from."`

	Mailboxes named[mailboxKeys]  `key:"mailboxes" doc:"The mailboxes that are followed, by name."`
	Brands    named[brandKeys]    `key:"brands" doc:"The faces of the desk, by name: sender, server, texts."`
	Teams     named[teamKeys]     `key:"teams" doc:"The teams, by name. The first of tier 1 gets new tickets."`
	Calendars named[calendarKeys] `key:"calendars" doc:"When people work, by name. Targets are counted in the one called standard, or in the only one there is; so do teams without a calendar of their own work."`
	Lifecycle lifecycleKeys       `key:"lifecycle" doc:"How tickets end."`

	Priorities        prioritiesKeys      `key:"priorities" doc:"How impact and urgency make a priority."`
	Categories        named[categoryKeys] `key:"categories" doc:"What mails are about, by name. Their order does not matter."`
	CategoryThreshold thresholdKeys       `key:"category_threshold" doc:"How sure the words have to be of a category; below, the default one is taken."`
	Derive            deriveKeys          `key:"derive" doc:"Configuration item, impact and urgency of a mail, in this order. Of each list the first entry that matches is taken; the last one has no when."`
	Routes            rootKeys            `key:"routes" doc:"Which team gets a new ticket: a tree. Beginning at its root, the first child that matches is entered, again and again; the deepest route entered decides, and what it leaves open is its parent's. Default: {name: root, to: the first team of tier 1}."`
	Rules             list[ruleKeys]      `key:"rules" doc:"What is added to tickets. All rules that match apply, in no particular order."`
	Digests           digestsKeys         `key:"digests" doc:"The overviews that agents and leads get in the morning."`
	Agents            list[agentKeys]     `key:"agents" doc:"What differs for single agents."`
	Notices           noticesKeys         `key:"notices" doc:"When one mail tells of many tickets."`
	Spam              spamKeys            `key:"spam" doc:"Who is believed, and what is held."`
	Retention         retentionKeys       `key:"retention" doc:"How long things are kept. Without it, for ever."`

	Handover       handoverKeys       `key:"handover" doc:"What the next tier is told before a ticket is handed to it."`
	Vendors        named[vendorKeys]  `key:"vendors" doc:"Third parties, by name. What they write reaches nobody but the team."`
	VendorDefaults vendorDefaultsKeys `key:"vendor_defaults" doc:"What holds for all third parties."`
	ServiceManager opt[string]        `key:"service_manager" kind:"person" example:"r.schroeder" doc:"Gets what is for service_manager: an address of the staff, or an id of people. Default: nobody."`

	ServiceLevels named[serviceLevelKeys] `key:"service_levels" doc:"What customers are promised, by name; customers.csv says who has which."`
	SLA           slaKeys                 `key:"sla" doc:"How promises meet what happens."`
	OnCall        named[onCallKeys]       `key:"on_call" doc:"Who is called when nobody works, by name."`
	Escalations   named[escalationKeys]   `key:"escalations" doc:"Who is told on the way to a deadline, by name. Default: one set called default, made of remind."`
	SafetyNet     safetyNetKeys           `key:"safety_net" doc:"What is caught when no clock catches it."`
	Major         majorKeys               `key:"major_incident" doc:"Which new tickets concern so many that they are led. Default: none."`

	State     opt[string]          `key:"state" kind:"path" default:"state" example:"/var/lib/supportd" doc:"Directory of the store, relative to this file."`
	Listen    opt[string]          `key:"listen" kind:"listen" example:"127.0.0.1:8025" doc:"Address of the status page, health check and metrics. Default: none."`
	Undo      opt[time.Duration]   `key:"undo" kind:"duration" default:"10s" max:"1h" example:"10s" doc:"How long an agent's answer waits so that #undo can stop it. 0 sends at once."`
	DiskFloor opt[int64]           `key:"disk_floor" kind:"size" default:"200MB" min:"1MB" example:"200MB" doc:"Free space below which no more mail is taken in."`
	Health    healthKeys           `key:"health" doc:"Of the mails about the desk's own health. They go to admin."`
	Admin     opt[tickets.Address] `key:"admin" kind:"address" example:"admin@huber.example" doc:"Gets the desk's mails about its own health. Default: the lead, else the first member, of the first team that has any."`

	Questions questionsKeys `key:"questions" example:"{network.vpn: [device, error_text, since_when]}" doc:"What the acknowledgement of a new ticket asks, by category, as far as the mail does not say it: affected, deadline, device, error_text, location, phone, screenshot, since_when, steps, version. At most four are asked, the first. Default: nothing."`

	Knowledge   laterKeys `key:"knowledge" doc:"Articles. Not used yet."`
	Feedback    laterKeys `key:"feedback" doc:"What customers and staff are asked about the service. Not used yet."`
	Trends      laterKeys `key:"trends" doc:"When more mails than usual are noticed. Not used yet."`
	Checks      laterKeys `key:"scheduled_checks" doc:"Tickets that come by themselves. Not used yet."`
	Reports     laterKeys `key:"reports" doc:"Reports by mail. Not used yet."`
	CostPerHour laterKeys `key:"cost_per_hour" doc:"Of each tier, for reports. Not used yet."`
	Privacy     laterKeys `key:"privacy" doc:"What reports may say of persons. Not used yet."`

	Include many[string] `key:"include" kind:"path" one:"yes" example:"[teams.yaml, routes.yaml]" doc:"Further files of the same language, relative to the folder of the first one, as are all paths in them. Their keys count as if they stood here: maps of the same name come together, anything else stands in one of the files only. They may include others. Default: none."`
}

// organisationKeys says who runs the desk.
type organisationKeys struct {
	section
	Name         opt[string]         `key:"name" kind:"text" example:"Nordwind IT-Services GmbH" doc:"The desk's name in mails. Default: the display name of the first brand's from, else its domain."`
	Timezone     opt[*time.Location] `key:"timezone" kind:"zone" example:"Europe/Berlin" doc:"The time zone of times in mails, and the calendars' default. Default: UTC."`
	Languages    many[string]        `key:"languages" kind:"language" example:"[de, en]" doc:"The languages the desk answers in; the first is used when a customer's language could not be told. Default: [de, en]."`
	StaffDomains many[string]        `key:"staff_domains" kind:"domain" one:"yes" example:"[nordwind.example]" doc:"Domains of one's own people. Default: none."`
	People       opt[string]         `key:"people" kind:"path" example:"people.csv" doc:"CSV file of the staff: id, name, mail, language, teams, role, skills. Default: only the members of the teams."`
	Customers    opt[string]         `key:"customers" kind:"path" example:"customers.csv" doc:"CSV file of the customers: organisation, domains, service_level, brand, region, contact, vip. Default: nobody is known."`
	CMDB         opt[string]         `key:"cmdb" kind:"path" example:"cmdb.csv" doc:"CSV file of the configuration items: ci, name, service, owner_team, criticality, vendor, location. Default: none."`
}

// loginKeys are what every server with a login has.
type loginKeys struct {
	User         opt[string]  `key:"user" kind:"text" example:"service" doc:"The account's name."`
	PasswordFile opt[string]  `key:"password_file" kind:"path" example:"service.pw" doc:"File with the account's password, relative to this file, readable for its owner only."`
	Password     opt[envName] `key:"password" kind:"env" example:"${SUPPORT_PASSWORD}" doc:"Instead of password_file: the name of an environment variable, written ${NAME}. Never the password itself."`
	OAuth2       oauthKeys    `key:"oauth2" doc:"Instead of a password: log in with access tokens (OAuth2). Two logins with the same user and client share what a person agreed to."`
	TLS          opt[string]  `key:"tls" kind:"enum" values:"implicit starttls none" default:"implicit" example:"starttls" doc:"implicit speaks TLS from the first byte, starttls changes to it. none is for servers on this machine only."`
	CAFile       opt[string]  `key:"ca_file" kind:"path" example:"ca.pem" doc:"Certificates (PEM) that are trusted beside the system's."`
}

// mailboxCommonKeys are what a mailbox has in the short and the full form.
type mailboxCommonKeys struct {
	IMAP opt[server] `key:"imap" kind:"server" required:"yes" example:"imap.nordwind.example" doc:"The IMAP server, host or host:port. Default port: 993, with starttls or none 143."`
	loginKeys
	folderKeys
	Folder     opt[string]           `key:"folder" kind:"text" default:"INBOX" example:"INBOX" doc:"The folder that is followed."`
	Poll       opt[time.Duration]    `key:"poll" kind:"duration" default:"60s" min:"1s" max:"1h" example:"60s" doc:"How often to look for mail that the server did not announce."`
	After      opt[string]           `key:"after" kind:"enum" values:"leave flag move" default:"leave" example:"move" doc:"What happens on the server to a mail that is stored: nothing, a flag, or it is moved."`
	MoveTo     opt[string]           `key:"move_to" kind:"text" example:"Erledigt" doc:"The folder for after: move."`
	Since      opt[string]           `key:"since" kind:"date" example:"2026-11-01" doc:"Older mail makes no tickets. A date, or date and time as in 2026-11-01T08:00:00+01:00. Default: the first start."`
	MaxSize    opt[int64]            `key:"max_size" kind:"size" default:"25MB" min:"64kB" max:"1GB" example:"25MB" doc:"Of larger mails only the beginning is read; the mail stays on the server."`
	Addresses  many[tickets.Address] `key:"addresses" kind:"address" one:"yes" example:"[service@nordwind.example]" doc:"What people write to. Default: the address in from."`
	Plus       opt[bool]             `key:"plus_addresses" kind:"bool" default:"true" example:"false" doc:"The server delivers name+anything@domain to this mailbox. With false, answers are matched by the message they refer to only."`
	Trusted    opt[bool]             `key:"trusted" kind:"bool" default:"false" example:"true" doc:"true: only people who logged in can write to this mailbox, so senders are who they say. Never true for a mailbox that gets mail from the Internet."`
	SenderKind opt[string]           `key:"sender_kind" kind:"enum" values:"monitoring" example:"monitoring" doc:"monitoring: machines write here, and nothing is answered automatically."`
}

// shortMailboxKeys are the mailbox of the short form.
type shortMailboxKeys struct {
	section
	mailboxCommonKeys
	SMTP smtpKeys `key:"smtp" short:"server" required:"yes" example:"smtp.huber.example" doc:"The server that takes the desk's mails, host or host:port, or a map as in brands.NAME.smtp. User with its password or oauth2, tls and ca_file are the mailbox's unless given."`
}

// mailboxKeys are a mailbox of the full form.
type mailboxKeys struct {
	section
	mailboxCommonKeys
	Brand opt[string] `key:"brand" kind:"text" example:"nordwind" doc:"The brand that answers. Default: the only one there is."`
}

// brandKeys are one face of the desk.
type brandKeys struct {
	section
	From         opt[tickets.Address] `key:"from" kind:"address" required:"yes" example:"Nordwind Service <service@nordwind.example>" doc:"Who mails come from: an address of one of the brand's mailboxes."`
	AgentFrom    opt[string]          `key:"agent_from" kind:"text" example:"{{.Agent.FirstName}} – Nordwind Service" doc:"Display name of a person's answers, with {{.Agent.Name}} and {{.Agent.FirstName}}. The address stays that of from. Default: the display name of from."`
	SMTP         smtpKeys             `key:"smtp" short:"server" required:"yes" example:"smtp.nordwind.example" doc:"The server that takes the brand's mails."`
	DKIM         list[dkimKeys]       `key:"dkim" one:"yes" doc:"Keys that sign the brand's mails (DKIM), for when the server that takes them does not sign. Default: none."`
	TicketPrefix opt[string]          `key:"ticket_prefix" kind:"prefix" default:"T" example:"NW" doc:"Start of the ticket numbers, as in NW-2026-000042."`
	Templates    opt[string]          `key:"templates" kind:"path" example:"templates/nordwind" doc:"Folder with texts of one's own, one folder a language. What is missing in it is built in. Default: the built-in texts."`
	AddressForm  addressFormKeys      `key:"address_form" doc:"How customers are addressed."`
}

// addressFormKeys say how customers are addressed.
type addressFormKeys struct {
	section
	German  opt[string] `key:"de" kind:"enum" values:"sie du" default:"sie" example:"du" doc:"In German mails."`
	English opt[string] `key:"en" kind:"enum" values:"last_name first_name" default:"last_name" example:"first_name" doc:"In English mails."`
}

// smtpKeys are a server that takes mails.
type smtpKeys struct {
	section
	Server opt[server] `key:"server" kind:"server" required:"yes" example:"smtp.nordwind.example" doc:"The SMTP server, host or host:port. Default port: 465, with starttls 587, with none 25."`
	loginKeys
	Retry       many[time.Duration] `key:"retry" kind:"duration" min:"1s" max:"7d" example:"[1m, 5m, 15m, 1h, 4h]" doc:"How long to wait after each refusal for now; the last one repeats. Default: [1m, 5m, 15m, 1h, 4h]."`
	GiveUp      opt[time.Duration]  `key:"give_up" kind:"duration" default:"5d" min:"1m" max:"30d" example:"5d" doc:"How long a mail is tried."`
	Connections opt[int]            `key:"connections" kind:"int" default:"4" min:"1" max:"50" example:"4" doc:"How many connections are open at a time."`
}

// teamKeys are a team.
type teamKeys struct {
	section
	Tier       opt[int]              `key:"tier" kind:"int" default:"1" min:"1" max:"3" example:"2" doc:"1 takes the mails in, 2 and 3 know more."`
	Members    many[tickets.Address] `key:"members" kind:"address" one:"yes" example:"[Jana Petersen <j.petersen@nordwind.example>]" doc:"The people of the team, beside those whom people puts in it. Each gets mails to answer from."`
	Address    opt[tickets.Address]  `key:"address" kind:"address" example:"t2-network@nordwind.example" doc:"Gets a copy of the team's notices. Answers from it have no right. Default: none."`
	Lead       opt[string]           `key:"lead" kind:"person" example:"j.petersen" doc:"Gets what is for team_lead: an address, or an id of people. Default: nobody."`
	Calendar   many[string]          `key:"calendar" kind:"text" one:"yes" example:"t2-hamburg" doc:"When the team works: a calendar or a list of them, whose hours are added up. Default: the calendar of the targets."`
	Skills     many[string]          `key:"skills" kind:"text" one:"yes" example:"[network, vpn]" doc:"What the team knows; #escalate finds it by these words. Default: none."`
	OLA        olaKeys               `key:"ola" example:"{accept: 20m, time_box: {P1: 15m, P2: 1h}}" doc:"What the team promises the others. Default: nothing."`
	OnCall     opt[string]           `key:"on_call" kind:"text" example:"core" doc:"Who is called for the team: a name of on_call. Default: nobody."`
	Restricted opt[bool]             `key:"restricted" kind:"bool" default:"false" example:"true" doc:"true: only the members, the lead, the team's address and whom a member gives a ticket to see what its tickets say. Others are told the number and that it is restricted, and can add notes."`
}

// calendarKeys are a calendar.
type calendarKeys struct {
	section
	Timezone opt[*time.Location] `key:"timezone" kind:"zone" example:"Europe/London" doc:"Time zone of the hours. Default: the organisation's."`
	Hours    hoursKeys           `key:"hours" required:"yes" example:"{mo-do: \"08:00-17:00\", fr: \"08:00-14:00\"}" doc:"Hours by day (mo tu we th fr sa su, or mo di mi do fr sa so) or span of days (mo-fr), in quotes: \"08:00-17:00\", or a list of such, or closed. 24/7 is always."`
	Holidays many[string]        `key:"holidays" kind:"region" one:"yes" example:"[DE-HH]" doc:"Regions whose public holidays are closed, such as DE-HH, DE-BY-KATH, AT, CH-ZH or GB-SCT; calendars.md lists them all. Default: none."`
	Days     daysKeys            `key:"days" example:"{\"12-24\": \"07:00-12:00\", \"2026-12-28..2027-01-01\": closed}" doc:"Days that differ: \"12-24\" is every year, \"2026-12-24\" once, \"A..B\" a span. They win over holidays. Default: none."`
	ICS      opt[string]         `key:"holidays_ics" kind:"path" example:"uk.ics" doc:"Calendar file (iCalendar) whose all-day events are closed as well, once or every year; check warns 90 days before it ends. Default: none."`
}

// lifecycleKeys say how tickets end.
type lifecycleKeys struct {
	section
	Waiting    waitingKeys    `key:"waiting_customer" doc:"Of tickets that wait for a customer's answer. Times are working time."`
	Solved     solvedKeys     `key:"solved" doc:"Of solved tickets."`
	Reopen     reopenKeys     `key:"reopen" doc:"Of replies to solved and closed tickets."`
	Duplicates duplicatesKeys `key:"duplicates" doc:"Of mails that say what another one said."`
	Merge      mergeKeys      `key:"merge" doc:"Of #merge."`
}

// duplicatesKeys are about mails that say the same.
type duplicatesKeys struct {
	section
	SameID   opt[string]  `key:"same_message_id" kind:"enum" values:"drop" default:"drop" example:"drop" doc:"What becomes of a mail that came before. Its content decides: the same Message-ID with another content is kept."`
	SameText sameTextKeys `key:"same_sender_same_text" doc:"Of a mail with the sender, subject and text of a live ticket."`
	Similar  similarKeys  `key:"similar" doc:"Of a mail that says nearly what a live ticket of the same sender says."`
}

// sameTextKeys are about mails with the same text.
type sameTextKeys struct {
	section
	Within opt[time.Duration] `key:"within" kind:"duration" default:"24h" max:"365d" example:"24h" doc:"How long after the first one."`
	Do     opt[string]        `key:"do" kind:"enum" values:"merge nothing" default:"merge" example:"merge" doc:"merge: it joins the ticket; nothing: it makes one of its own."`
}

// similarKeys are about mails that are nearly the same.
type similarKeys struct {
	section
	Threshold opt[float64] `key:"threshold" kind:"number" default:"0.8" min:"0" max:"1" example:"0.8" doc:"The share of runs of three words that both have."`
	Do        opt[string]  `key:"do" kind:"enum" values:"suggest nothing" default:"suggest" example:"suggest" doc:"suggest: the notice to the team names the other ticket."`
}

// mergeKeys are about merging tickets.
type mergeKeys struct {
	section
	Different opt[string] `key:"different_requesters" kind:"enum" values:"link_only" default:"link_only" example:"link_only" doc:"Two customers are never merged into one conversation; #duplicate links their tickets."`
}

// waitingKeys are about tickets that wait for their customers.
type waitingKeys struct {
	section
	Remind   many[time.Duration] `key:"remind" kind:"target" one:"yes" example:"[20h, 50h]" doc:"How long after the question the customer is reminded of it, once for each time. Default: 20h and 50h, which are two and five days of ten hours, and 48h and 120h when there are no hours; [] is no reminder."`
	Then     opt[string]         `key:"then" kind:"enum" values:"solve nothing" default:"solve" example:"solve" doc:"What becomes of the ticket when the customer stays silent."`
	After    opt[time.Duration]  `key:"after" kind:"target" min:"1s" max:"10000h" example:"80h" doc:"How long after the question that is. Default: 80h; 192h when there are no hours."`
	Calendar opt[string]         `key:"calendar" kind:"text" example:"contract" doc:"The calendar whose hours count, best the customers'. Default: the one of the targets."`
}

// solvedKeys are about solved tickets.
type solvedKeys struct {
	section
	CloseAfter opt[time.Duration] `key:"close_after" kind:"duration" default:"7d" min:"1s" max:"365d" example:"7d" doc:"How long after its solution a ticket is closed."`
}

// reopenKeys are about replies to solved tickets.
type reopenKeys struct {
	section
	Within opt[time.Duration] `key:"within" kind:"duration" default:"14d" max:"365d" example:"14d" doc:"How long after the solution a reply opens the ticket again; later ones make a new ticket that names the old one."`
	After  opt[string]        `key:"after_that" kind:"enum" values:"new_linked_ticket" default:"new_linked_ticket" example:"new_linked_ticket" doc:"What a later reply becomes."`
	Thanks opt[bool]          `key:"thanks_does_not_reopen" kind:"bool" default:"true" example:"true" doc:"A reply that says thanks and nothing more leaves a ticket solved."`
	Limit  opt[rate]          `key:"limit" kind:"rate" example:"5/24h" doc:"How often replies open one ticket again within 24 hours; beyond that it is left alone, and people are told. Default: 5/24h."`
}

// spamKeys say who is believed and what is held.
type spamKeys struct {
	section
	TrustAuth    many[string]   `key:"trust_auth_results_from" kind:"host" one:"yes" example:"mx.nordwind.example" doc:"The name with which one's own mail server begins its Authentication-Results fields. Without it, and without verify_dkim, nobody is authenticated, and agents' answers are held (unless the mailbox is trusted)."`
	TrustedHosts many[string]   `key:"trusted_hosts" kind:"host" one:"yes" example:"[mx.nordwind.example]" doc:"Hosts whose Received fields are one's own. Default: the names in trust_auth_results_from."`
	VerifyDKIM   opt[bool]      `key:"verify_dkim" kind:"bool" default:"false" example:"true" doc:"true: where no server of trust_auth_results_from has said anything on a mail, the desk checks its DKIM signatures itself, as the mail comes in. It asks the name service for the signers' keys."`
	Quarantine   quarantineKeys `key:"quarantine" doc:"What is held until somebody looks at it."`
	NeverAnswer  many[string]   `key:"never_answer" kind:"enum" values:"bulk list auto_submitted null_sender quarantined" one:"yes" example:"[bulk, list, auto_submitted, null_sender, quarantined]" doc:"What gets no automatic answer. It is all of these whatever stands here (RFC 3834)."`
	Allow        many[string]   `key:"allow" kind:"enum" values:"customers vendors staff_domains" one:"yes" example:"[customers, vendors, staff_domains]" doc:"Whose authenticated mail is not held for the filter's score. Default: nobody's."`
	RateLimit    rateLimitKeys  `key:"rate_limit" doc:"What happens when one sender begins too much. Default: every mail that starts something new makes a ticket."`
	Digest       digestKeys     `key:"digest" doc:"A daily list of what is held, by mail. Default: none."`
	Blocked      many[string]   `key:"blocked_attachments" kind:"name" one:"yes" example:"[exe, scr, js, iso, lnk]" doc:"Endings of files that are named in mails and never passed on. Default: none; types that are dangerous anyway never go to customers."`
}

// rateLimitKeys bound what one sender can write.
type rateLimitKeys struct {
	section
	PerSender opt[rate]   `key:"per_sender" kind:"rate" required:"yes" example:"20/1h" doc:"How many tickets one sender can begin in which time."`
	OnExceed  opt[string] `key:"on_exceed" kind:"enum" values:"one_ticket" default:"one_ticket" example:"one_ticket" doc:"Further mails join the newest of these tickets, and nobody is told of them."`
}

// digestKeys are a daily list.
type digestKeys struct {
	section
	To opt[string] `key:"to" kind:"person" required:"yes" example:"k.brandt" doc:"Who gets it: an id of people, or an address of the staff."`
	At opt[string] `key:"at" kind:"clock" required:"yes" example:"\"08:30\"" doc:"When, in quotes."`
}

// digestsKeys are the overviews.
type digestsKeys struct {
	section
	Personal overviewKeys `key:"personal" example:"{at: \"07:30\"}" doc:"To each agent on their working days: what is overdue, due today, waits for an answer or is open of their own, what came up outside their working time, and what nobody in their teams has. Without anything to say there is no mail."`
	Leads    leadsKeys    `key:"leads" example:"{at: \"08:00\", not_for: [network]}" doc:"To the lead of each team on its working days: what is overdue, with nobody, returned, handed on with gaps or older than seven days, and who is away."`
}

// agentKeys are what differs for one agent.
type agentKeys struct {
	section
	Who       opt[string]   `key:"who" kind:"person" required:"yes" example:"j.petersen" doc:"An agent: an id of people, or an address of the staff."`
	Signature signatureKeys `key:"signature" example:"{de: Jan Petersen – Netzwerk, en: Jan Petersen – Network}" doc:"Stands below their answers to customers, standard answers, solutions and appointments too, in place of their name and the desk's. In a language without one those stand."`
}

// signatureKeys are a signature.
type signatureKeys struct {
	section
	German  opt[string] `key:"de" kind:"prose" example:"Jan Petersen – Netzwerk" doc:"In German answers; several lines are kept."`
	English opt[string] `key:"en" kind:"prose" example:"Jan Petersen – Network" doc:"In English answers; several lines are kept."`
}

// noticesKeys say when notices are collected.
type noticesKeys struct {
	section
	Together opt[bool] `key:"together" kind:"bool" default:"true" example:"false" doc:"Whether one mail tells of many new tickets and answers. false: every notice comes singly."`
	AtMost   opt[rate] `key:"at_most" kind:"rate" example:"10/5m" doc:"Beyond so many notices of new tickets and customers' answers to one reader in that time, the further ones are collected for as long, and come in one mail that names every ticket. P1, escalations, handovers and what somebody has done always come singly. Default: 10/5m."`
}

// overviewKeys are one of them.
type overviewKeys struct {
	section
	At opt[string] `key:"at" kind:"clock" default:"07:30" example:"\"07:30\"" doc:"When, in quotes, in the time zone of the reader's first team."`
	overviewReaderKeys
}

// leadsKeys are the leads' one.
type leadsKeys struct {
	section
	At opt[string] `key:"at" kind:"clock" default:"08:00" example:"\"08:00\"" doc:"When, in quotes, in the time zone of the lead's first team."`
	overviewReaderKeys
}

// overviewReaderKeys say who gets one.
type overviewReaderKeys struct {
	On     opt[bool]    `key:"on" kind:"bool" default:"true" example:"false" doc:"false: nobody gets it."`
	NotFor many[string] `key:"not_for" kind:"person" one:"yes" example:"[network, k.brandt]" doc:"Teams, and people by address or id, who get none. An agent can refuse it too, with #digest off. Default: nobody."`
}

// quarantineKeys say what is held.
type quarantineKeys struct {
	section
	ScoreAtLeast opt[float64] `key:"score_at_least" kind:"number" min:"0" max:"1000" example:"6" doc:"The filter's score from which a mail is held. Default: no score counts."`
	OwnScore     opt[float64] `key:"own_score" kind:"number" min:"0.5" max:"1" example:"0.99" doc:"From which probability on a mail that begins something new is held because it reads like spam to the desk itself, which learns from tickets set aside with #spam. Default: never."`
	DMARC        opt[string]  `key:"dmarc" kind:"enum" values:"fail" default:"fail" example:"fail" doc:"Mail whose author is forged (dmarc=fail) is always held; the only value is fail."`
	SpamHeader   many[string] `key:"spam_header" kind:"header" one:"yes" example:"[X-Spam-Flag, X-Rspamd-Action]" doc:"Fields by which the filter says that a mail is spam. All that supportd knows count whatever stands here."`
}

// answersKeys are the automatic answers.
type answersKeys struct {
	section
	Answers list[answerKeys] `key:"answers" required:"yes" doc:"The answers. The first that fits is sent."`
	Limit   answerLimitKeys  `key:"limit" example:"{per_sender: 3/24h}" doc:"How many are sent. Beyond it tickets are acknowledged as ever."`
}

// answerLimitKeys bound the automatic answers.
type answerLimitKeys struct {
	section
	PerSender opt[rate] `key:"per_sender" kind:"rate" example:"3/24h" doc:"How many of these answers one sender gets in which time, at most 48h. Default: no bound but that on all automatic mail, five an hour and 20 a day to one address."`
	PerTicket opt[int]  `key:"per_ticket" kind:"int" default:"1" min:"1" max:"1" example:"1" doc:"How many of them a ticket gets: always one."`
}

// answerKeys are one automatic answer.
type answerKeys struct {
	section
	Name        opt[string]   `key:"name" kind:"text" required:"yes" example:"oeffnungszeiten" doc:"Its name in tickets and reports."`
	Match       conditionKeys `key:"match" required:"yes" example:"{subject: {words: [öffnungszeiten]}}" doc:"Which mails it answers. All keys must hold."`
	Send        opt[string]   `key:"send" kind:"path" required:"yes" example:"kb/oeffnungszeiten.md" doc:"File with the text (Markdown), relative to this file."`
	KeepOpen    opt[bool]     `key:"keep_open" kind:"bool" default:"true" example:"true" doc:"true: a person looks at the ticket as well. false: the answer solves the ticket, and nobody is told of it until the customer answers; P1 and major incidents stay open all the same."`
	LinkProblem laterKeys     `key:"link_problem" doc:"Not used yet."`
}
