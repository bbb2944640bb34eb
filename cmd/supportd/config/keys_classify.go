package config

import (
	"regexp"
	"time"

	"supportd/tickets"
)

// The part of the key table that says what a mail is about and where it goes.

// levels are what impact and urgency can be, from the top.
const levels = "high medium low"

// prioritiesKeys say how impact and urgency make a priority.
type prioritiesKeys struct {
	section
	Matrix matrixKeys        `key:"matrix" doc:"The priority by impact, and within it by urgency. Default: high {P1 P2 P3}, medium {P2 P3 P4}, low {P3 P4 P5}."`
	Names  named[labelsKeys] `key:"names" example:"{P1: {de: Kritisch, en: Critical}}" doc:"What people read, by priority and language. Default: the names of ITIL in German and English."`
}

// matrixKeys are the rows of the matrix.
type matrixKeys struct {
	section
	High   rowKeys `key:"high" required:"yes" code:"E07" example:"{high: P1, medium: P2, low: P3}" doc:"Of high impact, by urgency."`
	Medium rowKeys `key:"medium" required:"yes" code:"E07" example:"{high: P2, medium: P3, low: P4}" doc:"Of medium impact, by urgency."`
	Low    rowKeys `key:"low" required:"yes" code:"E07" example:"{high: P3, medium: P4, low: P5}" doc:"Of low impact, by urgency."`
}

// rowKeys are a row of the matrix.
type rowKeys struct {
	section
	High   opt[string] `key:"high" kind:"enum" values:"P1 P2 P3 P4 P5" required:"yes" code:"E07" example:"P1" doc:"When the urgency is high."`
	Medium opt[string] `key:"medium" kind:"enum" values:"P1 P2 P3 P4 P5" required:"yes" code:"E07" example:"P2" doc:"When the urgency is medium."`
	Low    opt[string] `key:"low" kind:"enum" values:"P1 P2 P3 P4 P5" required:"yes" code:"E07" example:"P3" doc:"When the urgency is low."`
}

// categoryKeys are what a mail can be about.
type categoryKeys struct {
	section
	Kind     opt[string]  `key:"kind" kind:"enum" values:"incident service_request" default:"incident" example:"service_request" doc:"Whether something is broken or something is wanted."`
	Tier2    opt[string]  `key:"tier2" kind:"text" example:"network" doc:"The team that #escalate means when it names none. Default: none."`
	Name     labelsKeys   `key:"name" example:"{de: Drucker, en: Printer}" doc:"What people read, by language. Default: the category's own name."`
	Signals  weightsKeys  `key:"signals" example:"{vpn: 4, tunnel: 1, kein netz: 3}" doc:"Words and phrases that speak for it, with their weight. Each counts once; case, ä/ae and ß/ss do not matter. Default: none."`
	Examples many[string] `key:"examples" kind:"prose" example:"[VPN bricht ständig ab, cannot reach the tunnel]" doc:"Texts of this category, to learn from. Default: none."`
	Default  opt[bool]    `key:"default" kind:"bool" default:"false" example:"true" doc:"It is taken when no other is sure enough. One category has to be it."`
}

// thresholdKeys say how sure the words have to be of a category.
type thresholdKeys struct {
	section
	Score  opt[float64] `key:"score" kind:"number" default:"3" min:"0" max:"1000" example:"3" doc:"The weights of the words found add up to at least that much."`
	Margin opt[float64] `key:"margin" kind:"number" default:"2" min:"0" max:"1000" example:"2" doc:"And to that much more than those of any other category."`
}

// deriveKeys say what follows from a mail.
type deriveKeys struct {
	section
	CI      list[ciKeys]    `key:"ci" doc:"The configuration item. Service, owner and criticality follow from the table of items."`
	Impact  list[levelKeys] `key:"impact" doc:"How much is affected: high, medium or low."`
	Urgency list[levelKeys] `key:"urgency" doc:"How soon it is needed: high, medium or low."`
}

// ciKeys are one way to find the configuration item.
type ciKeys struct {
	section
	When conditionKeys `key:"when" doc:"What has to hold. The last entry has none."`
	Set  opt[string]   `key:"set" kind:"text" required:"yes" example:"{{.ci}}" doc:"An item of the table, unknown, or {{.NAME}} for what a named group (?P<NAME>…) of a regex in when has found."`
}

// levelKeys are one way to tell impact or urgency.
type levelKeys struct {
	section
	When conditionKeys `key:"when" doc:"What has to hold. The last entry has none."`
	Set  opt[string]   `key:"set" kind:"enum" values:"high medium low" required:"yes" example:"high" doc:"The value."`
}

// rootKeys are the root of the routes.
type rootKeys struct {
	section
	Name   opt[string]     `key:"name" kind:"name" default:"root" example:"root" doc:"Its name in explanations."`
	To     opt[string]     `key:"to" kind:"text" example:"service-desk" doc:"The team that gets what no route below sends elsewhere. Default: the first team of tier 1."`
	Dedup  dedupKeys       `key:"dedup" doc:"Which alerts are one."`
	Routes list[routeKeys] `key:"routes" doc:"The routes below, in the order in which they are tried."`
}

// routeKeys are one route.
type routeKeys struct {
	section
	Name     opt[string]     `key:"name" kind:"name" required:"yes" code:"E04" example:"phishing" doc:"Its name in explanations, and in reports."`
	Match    conditionKeys   `key:"match" required:"yes" example:"{category: security.phishing}" doc:"Which tickets enter it."`
	To       opt[string]     `key:"to" kind:"text" example:"security" doc:"The team that gets them, of any tier. Default: that of the route above."`
	Dedup    dedupKeys       `key:"dedup" doc:"Which alerts are one. Default: that of the route above."`
	Overlaps many[string]    `key:"overlaps" kind:"name" one:"yes" example:"[monitoring]" doc:"Earlier routes beside it that are meant to match some of the same mails; check is silent about them. Default: none."`
	Routes   list[routeKeys] `key:"routes" doc:"The routes below it."`
}

// dedupKeys say which alerts are one.
type dedupKeys struct {
	section
	Key      opt[string]        `key:"key" kind:"text" default:"{{.mail.alert_host}}/{{.mail.alert_service}}" example:"{{.mail.alert_host}}" doc:"Alerts with the same key join one ticket."`
	Recovery opt[string]        `key:"recovery" kind:"enum" values:"solve note" default:"solve" example:"note" doc:"What a recovery does: solve the ticket if no person has touched it yet, or only note it there."`
	Window   opt[time.Duration] `key:"window" kind:"duration" default:"24h" min:"1m" max:"365d" example:"24h" doc:"How long after the one before it an alert joins its ticket."`
}

// ruleKeys are one additive rule.
type ruleKeys struct {
	section
	Name  opt[string]   `key:"name" kind:"name" required:"yes" example:"vip-watch" doc:"Its name in explanations."`
	On    opt[string]   `key:"on" kind:"enum" values:"new_ticket customer_reply" default:"new_ticket" example:"customer_reply" doc:"When it applies."`
	Match conditionKeys `key:"match" example:"{customer.vip: true}" doc:"Which tickets it applies to. Default: all."`
	Add   additionsKeys `key:"add" required:"yes" example:"{tags: [vip]}" doc:"What it adds."`
	_     struct{}      `scalar:"set to team route priority impact urgency category ci tier language owner assignee state"`
}

// additionsKeys are what a rule adds.
type additionsKeys struct {
	section
	Tags      many[string] `key:"tags" kind:"name" one:"yes" example:"[vip]" doc:"Tags of the ticket."`
	Watchers  many[string] `key:"watchers" kind:"person" one:"yes" example:"[r.schroeder]" doc:"People who are told what happens: ids of people, or addresses of the staff."`
	Checklist many[string] `key:"checklist" kind:"path" one:"yes" example:"checklists/joiner.md" doc:"Files with a list of what is to be done (Markdown), relative to this file."`
	Notify    many[string] `key:"notify" kind:"recipient" one:"yes" example:"[team_lead]" doc:"Who is told once: assignee, owner, team, team_lead, admin, an id of people, or an address of the staff."`
	_         struct{}     `scalar:"set to team route priority impact urgency category ci tier language owner assignee state"`
}

// textMatchKeys look into a text.
type textMatchKeys struct {
	Words    many[string]         `key:"words" kind:"text" one:"yes" example:"[öffnungszeiten, geöffnet]" doc:"Whole words or phrases, one of which stands there. Case, ä/ae and ß/ss do not matter."`
	Contains many[string]         `key:"contains" kind:"text" one:"yes" example:"[rechnung]" doc:"Pieces of text, one of which stands there."`
	Regex    many[*regexp.Regexp] `key:"regex" kind:"regex" one:"yes" example:"'(?i)rechnung \\d+'" doc:"Regular expressions (RE2), one of which fits."`
}

// scopedMatchKeys look into one part of a mail.
type scopedMatchKeys struct {
	section
	textMatchKeys
}

// conditionKeys are a condition. All that is given has to hold.
type conditionKeys struct {
	section
	Subject scopedMatchKeys `key:"subject" doc:"Of the subject."`
	Body    scopedMatchKeys `key:"body" doc:"Of the new text."`
	textMatchKeys
	Any     list[conditionKeys]  `key:"any" doc:"Conditions, one of which holds."`
	All     list[conditionKeys]  `key:"all" doc:"Conditions that all hold."`
	Not     boxed[conditionKeys] `key:"not" doc:"A condition that does not hold."`
	Expr    opt[string]          `key:"expr" kind:"text" example:"'category == \"network.vpn\" && score > 6'" doc:"An expression (expr-lang) that is true, for what the other keys cannot say. Nothing can be proved about it."`
	Problem laterCondition       `key:"open_problem" example:"{same: [ci]}" doc:"An open problem has this in common with the mail. Not used yet: it never holds."`
	Fields  fieldTests           `open:"yes"`
}

// fieldTestKeys are the long form of a condition on one field.
type fieldTestKeys struct {
	section
	Domain  many[string]          `key:"domain" kind:"domain" one:"yes" example:"[nordwind.example]" doc:"Of addresses: the domain, or one above it."`
	Address many[tickets.Address] `key:"address" kind:"address" one:"yes" example:"[anna@nordwind.example]" doc:"Of addresses: the address itself."`
	textMatchKeys
	Exists opt[bool] `key:"exists" kind:"bool" example:"false" doc:"Whether it is there at all. Nothing else matches a field that is missing."`
}
