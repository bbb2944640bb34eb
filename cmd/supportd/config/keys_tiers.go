package config

import (
	"regexp"
	"time"

	"supportd/tickets"
)

// The part of the key table that says how tickets are handed to the next tier and to third parties.

// handoverKeys say what a team is told when a ticket is handed to it.
type handoverKeys struct {
	section
	Fields     named[handoverFieldKeys] `key:"fields" doc:"What each field of the packet has to be, by name. Fields that are built in and do not stand here are as they are built in; other names may be added."`
	ToTier2    requireKeys              `key:"to_tier2" doc:"What a team of tier 2 needs."`
	ToTier3    requireKeys              `key:"to_tier3" doc:"What a team of tier 3 needs."`
	Incomplete opt[string]              `key:"incomplete" kind:"enum" values:"ask pass" default:"ask" example:"ask" doc:"What becomes of a packet that lacks something: ask keeps the ticket and asks the agent for the gaps; pass hands it over and asks beside."`
	PassAndAsk many[string]             `key:"pass_and_ask" kind:"enum" values:"P1 P2 P3 P4 P5" one:"yes" example:"[P1, P2]" doc:"Tickets of these priorities are handed over at once, and the gaps are asked for beside. Default: [P1, P2]."`
	OwnerStays opt[bool]                `key:"owner_stays" kind:"bool" default:"true" example:"true" doc:"The owner answers for the ticket to its end, whoever works on it. With false, whoever accepts it becomes the owner."`
	Return     returnKeys               `key:"return" doc:"How a team gives a ticket back."`
}

// handoverFieldKeys say when a field is good enough.
type handoverFieldKeys struct {
	section
	MinWords   opt[int]     `key:"min_words" kind:"int" min:"1" max:"500" example:"20" doc:"A text of at least so many words."`
	MinItems   opt[int]     `key:"min_items" kind:"int" min:"1" max:"20" example:"2" doc:"A list of at least so many items."`
	OneOf      many[string] `key:"one_of" kind:"name" example:"[high, medium, low]" doc:"One of these words."`
	In         opt[string]  `key:"in" kind:"enum" values:"cmdb" example:"cmdb" doc:"cmdb: a configuration item of the table."`
	Or         opt[string]  `key:"or" kind:"enum" values:"unknown_with_reason none_with_reason not_reproducible" example:"unknown_with_reason" doc:"What may stand instead: unknown or none, each with the reason, or that it cannot be reproduced."`
	Attachment opt[bool]    `key:"attachment" kind:"bool" example:"true" doc:"A file does, and so does a text."`
	Optional   opt[bool]    `key:"optional" kind:"bool" example:"true" doc:"It is never asked for."`
}

// requireKeys list the fields that a tier needs.
type requireKeys struct {
	section
	Require many[string] `key:"require" kind:"name" required:"yes" example:"[description, steps_tried, reason]" doc:"Names of fields."`
}

// returnKeys say how a team gives a ticket back.
type returnKeys struct {
	section
	Allowed     opt[string] `key:"allowed" kind:"enum" values:"once_per_team always" default:"once_per_team" example:"once_per_team" doc:"How often a team may give the same ticket back."`
	NeedsReason opt[bool]   `key:"needs_reason" kind:"bool" default:"true" example:"true" doc:"#return wants to be told why."`
	Then        opt[string] `key:"then" kind:"enum" values:"notify_leads refuse" default:"notify_leads" example:"notify_leads" doc:"What happens instead of one return too many: the leads of both teams get one mail with the history, or it is only refused."`
}

// vendorKeys are a third party.
type vendorKeys struct {
	section
	To        opt[tickets.Address] `key:"to" kind:"address" required:"yes" code:"E03" example:"tac@fortinet.example" doc:"Where requests go, and whose mail is theirs: this address, and others of its domain in answer to a request."`
	Contract  opt[string]          `key:"contract" kind:"text" example:"FC-10-882" doc:"Number of the contract, named in requests. Default: none."`
	Until     opt[string]          `key:"until" kind:"date" example:"\"2027-02-28\"" doc:"Last day of the contract; check warns 60 days before. Default: no end."`
	Language  opt[string]          `key:"language" kind:"language" example:"en" doc:"Language of requests. Default: the first of languages."`
	Calendar  opt[string]          `key:"calendar" kind:"text" example:"always" doc:"When the third party works. Default: the calendar of the targets."`
	Respond   opt[time.Duration]   `key:"respond" kind:"target" min:"1s" max:"10000h" example:"2h" doc:"In which business time it answers. Default: nothing was agreed."`
	Reference opt[*regexp.Regexp]  `key:"reference" kind:"regex" example:"'(?i)ticket (\\d{7,})'" doc:"Where their number for a case stands in their mail: a pattern with one group. Default: they have none."`
	For       many[string]         `key:"for" kind:"text" one:"yes" example:"[firewall, vpn]" doc:"Skills of the teams that they stand behind; it says whom #vendor offers. Default: none."`
}

// vendorDefaultsKeys hold for all third parties.
type vendorDefaultsKeys struct {
	section
	Remind remindKeys   `key:"remind" example:"{75%: assignee, 100%: [assignee, team_lead]}" doc:"Who is told at which part of the time in which a third party answers. Default: {75%: assignee, 100%: [assignee, team_lead]}."`
	Redact many[string] `key:"redact" kind:"enum" values:"phone private_address credentials" one:"yes" example:"[phone, private_address, credentials]" doc:"What is taken out of requests. The customer's name and mail address always are. Default: all three."`
}
