package config

import "time"

// The part of the key table that says what is promised, and who is told on the way.

// serviceLevelKeys are what one kind of customer is promised.
type serviceLevelKeys struct {
	section
	Default  opt[bool]   `key:"default" kind:"bool" default:"false" example:"true" doc:"It holds for customers who have no service level. Default: of the level called standard, or the only one, true."`
	Like     opt[string] `key:"like" kind:"text" example:"standard" doc:"Another level, whose calendar and targets hold where this one says nothing. Default: none."`
	Calendar opt[string] `key:"calendar" kind:"text" example:"contract" doc:"The calendar in which the targets are counted. Default: that of like, else the one called standard."`
	Targets  targetsKeys `key:"targets" example:"{P1: {first_response: 30m, resolve: 8h}}" doc:"What is promised, by priority. A ticket without a priority is treated like P3."`
}

// targetsKeys are the promises by priority.
type targetsKeys struct {
	section
	P1 targetKeys `key:"P1" example:"{first_response: 30m, resolve: 8h}" doc:"Of critical tickets."`
	P2 targetKeys `key:"P2" example:"{first_response: 2h, resolve: 16h}" doc:"Of tickets of high priority."`
	P3 targetKeys `key:"P3" example:"{first_response: 8h, resolve: 40h}" doc:"Of tickets of moderate priority."`
	P4 targetKeys `key:"P4" example:"{first_response: 10h, resolve: 80h}" doc:"Of tickets of low priority."`
	P5 targetKeys `key:"P5" example:"{first_response: 20h}" doc:"Of what is planned."`
}

// targetKeys are the promises of one priority.
type targetKeys struct {
	section
	FirstResponse opt[time.Duration] `key:"first_response" kind:"target" min:"1s" max:"10000h" example:"4h" doc:"Business time in which a person answers first. Default: nothing is promised, as with the next three."`
	NextResponse  opt[time.Duration] `key:"next_response" kind:"target" min:"1s" max:"10000h" example:"8h" doc:"Business time in which a person answers what the customer wrote since."`
	Update        opt[time.Duration] `key:"update" kind:"target" min:"1s" max:"10000h" example:"16h" doc:"Business time in which the customer hears of it again."`
	Resolve       opt[time.Duration] `key:"resolve" kind:"target" min:"1s" max:"10000h" example:"24h" doc:"Business time in which it is solved."`
	Calendar      opt[string]        `key:"calendar" kind:"text" example:"always" doc:"The calendar of this priority. Default: that of the level."`
}

// slaKeys say how promises meet what happens.
type slaKeys struct {
	section
	PauseOn      many[string] `key:"pause_on" kind:"enum" values:"waiting_customer waiting_vendor scheduled" one:"yes" example:"[waiting_customer]" doc:"States in which the time to the solution stands still. Default: [waiting_customer]."`
	OnPriority   opt[string]  `key:"on_priority_change" kind:"enum" values:"from_creation" default:"from_creation" example:"from_creation" doc:"Another priority brings its own targets, counted from the begin of the ticket; what was used up and the pauses stay."`
	UpgradeGrace opt[int]     `key:"upgrade_grace" kind:"percent" default:"25%" min:"0%" max:"100%" example:"25%" doc:"A deadline that comes nearer by it leaves at least this part of the new target."`
	WarnPromise  opt[bool]    `key:"warn_customer_promise" kind:"bool" default:"true" example:"true" doc:"Acknowledgements say until when somebody will answer."`
	ConfigChange opt[string]  `key:"config_change" kind:"enum" values:"pin" default:"pin" example:"pin" doc:"Clocks that run keep the target they started with when this file changes; supportd sla rebase changes them on purpose."`
}

// olaKeys are what a team promises the others.
type olaKeys struct {
	section
	Accept   opt[time.Duration] `key:"accept" kind:"target" min:"1s" max:"10000h" example:"20m" doc:"Working time of the team in which somebody takes a new ticket. Default: nothing is agreed."`
	AcceptP1 opt[time.Duration] `key:"accept_P1" kind:"target" min:"1s" max:"10000h" example:"10m" doc:"The same for P1. Default: accept; so are the next four."`
	AcceptP2 opt[time.Duration] `key:"accept_P2" kind:"target" min:"1s" max:"10000h" example:"20m" doc:"The same for P2."`
	AcceptP3 opt[time.Duration] `key:"accept_P3" kind:"target" min:"1s" max:"10000h" example:"30m" doc:"The same for P3."`
	AcceptP4 opt[time.Duration] `key:"accept_P4" kind:"target" min:"1s" max:"10000h" example:"1h" doc:"The same for P4."`
	AcceptP5 opt[time.Duration] `key:"accept_P5" kind:"target" min:"1s" max:"10000h" example:"1h" doc:"The same for P5."`
	TimeBox  timeBoxKeys        `key:"time_box" short:"all" example:"{P1: 15m, P2: 1h, P3: 4h, P4: 8h}" doc:"Working time of the team after which a ticket should be handed over: one time, or one for each priority. Default: nothing is agreed."`
}

// timeBoxKeys are times by priority.
type timeBoxKeys struct {
	section
	All opt[time.Duration] `key:"all" kind:"target" min:"1s" max:"10000h" example:"4h" doc:"Of priorities that are not named. Default: none."`
	P1  opt[time.Duration] `key:"P1" kind:"target" min:"1s" max:"10000h" example:"15m" doc:"Of P1."`
	P2  opt[time.Duration] `key:"P2" kind:"target" min:"1s" max:"10000h" example:"1h" doc:"Of P2."`
	P3  opt[time.Duration] `key:"P3" kind:"target" min:"1s" max:"10000h" example:"4h" doc:"Of P3."`
	P4  opt[time.Duration] `key:"P4" kind:"target" min:"1s" max:"10000h" example:"8h" doc:"Of P4."`
	P5  opt[time.Duration] `key:"P5" kind:"target" min:"1s" max:"10000h" example:"8h" doc:"Of P5."`
}

// onCallKeys are who is called when nobody works.
type onCallKeys struct {
	section
	Rotate  opt[string]    `key:"rotate" kind:"enum" values:"daily weekly never" default:"weekly" example:"weekly" doc:"How long a turn is. never: always the first."`
	From    opt[time.Time] `key:"from" kind:"moment" example:"\"2026-11-23 08:00\"" doc:"When the first turn began, in the organisation's time zone. Required unless there is one member."`
	Members many[string]   `key:"members" kind:"person" required:"yes" one:"yes" example:"[j.petersen, m.albers]" doc:"The people, in turn: ids of people, or addresses of the staff."`
	AlsoTo  opt[string]    `key:"also_to" kind:"mobile" example:"{{.Person.Mobile}}@sms.nordwind.example" doc:"A further address for tickets of P1, such as that of a gateway for text messages, with the column mobile of people. Default: none."`
}

// ticketMatchKeys say which tickets are meant.
type ticketMatchKeys struct {
	Priority     many[string] `key:"priority" kind:"enum" values:"P1 P2 P3 P4 P5" one:"yes" example:"P1" doc:"One of these priorities. Default: any, as with the other keys."`
	Impact       many[string] `key:"impact" kind:"enum" values:"high medium low" one:"yes" example:"high" doc:"One of these."`
	Urgency      many[string] `key:"urgency" kind:"enum" values:"high medium low" one:"yes" example:"high" doc:"One of these."`
	ServiceLevel many[string] `key:"service_level" kind:"text" one:"yes" example:"gold" doc:"One of these service levels."`
	Team         many[string] `key:"team" kind:"text" one:"yes" example:"network" doc:"One of these teams."`
	Category     many[string] `key:"category" kind:"text" one:"yes" example:"network.vpn" doc:"One of these categories."`
	Tag          many[string] `key:"tag" kind:"text" one:"yes" example:"vip" doc:"One of these tags."`
}

// setMatchKeys say which tickets a set of steps is for.
type setMatchKeys struct {
	section
	ticketMatchKeys
}

// escalationKeys are a set of steps.
type escalationKeys struct {
	section
	Match         setMatchKeys   `key:"match" example:"{priority: P1}" doc:"Which tickets it is for: all keys must hold. Default: every ticket. The first set that fits is taken, the one called default last; kinds of clocks that it does not name are left to the sets behind."`
	FirstResponse list[stepKeys] `key:"first_response" example:"[{at: 50%, notify: team}]" doc:"Steps on the way to the first answer."`
	NextResponse  list[stepKeys] `key:"next_response" example:"[{at: 75%, notify: assignee}]" doc:"Steps on the way to the next answer."`
	Update        list[stepKeys] `key:"update" example:"[{at: 75%, notify: assignee}]" doc:"Steps on the way to the next news."`
	Resolve       list[stepKeys] `key:"resolve" example:"[{at: 100%, notify: team_lead, repeat: 4h, max: 3}]" doc:"Steps on the way to the solution."`
	Accept        list[stepKeys] `key:"accept" example:"[{at: 100%, notify: team}]" doc:"Steps until somebody takes it."`
	TimeBox       list[stepKeys] `key:"time_box" example:"[{at: 100%, notify: assignee, do: propose_handover}]" doc:"Steps until it should be handed over."`
	Vendor        list[stepKeys] `key:"vendor" example:"[{at: 100%, notify: team_lead}]" doc:"Steps until a third party answers. Default: vendor_defaults.remind."`
	OutsideHours  opt[string]    `key:"outside_hours" kind:"enum" values:"defer send" default:"defer" example:"send" doc:"defer tells people when their working time begins, everything that has gathered in one mail; send tells them at once. Who is on call is always told at once."`
}

// stepKeys are one step.
type stepKeys struct {
	section
	At     opt[int]           `key:"at" kind:"percent" required:"yes" code:"E13" min:"0%" max:"400%" example:"75%" doc:"The part of the target that is used up."`
	Notify many[string]       `key:"notify" kind:"recipient" one:"yes" example:"[assignee, team_lead]" doc:"Who is told: assignee, owner, team, team_lead, service_manager, on_call, watchers, admin, an id of people, or an address of the staff. They are looked up when it happens; when nobody is it, the next higher is told."`
	Do     opt[string]        `key:"do" kind:"enum" values:"return_to_owner propose_handover handover" example:"propose_handover" doc:"What happens beside: the ticket goes back to its owner's team, whoever works on it is asked to hand it over, or it is handed over. Default: nothing."`
	Repeat opt[time.Duration] `key:"repeat" kind:"target" min:"1m" max:"1000h" example:"4h" doc:"Working time after which it happens again. Default: it happens once."`
	Max    opt[int]           `key:"max" kind:"int" min:"1" max:"100" example:"3" doc:"How often it is repeated. Default: 3."`
}

// safetyNetKeys say what is caught when no clock catches it.
type safetyNetKeys struct {
	section
	Unowned     catchKeys       `key:"unowned" example:"{after: 2h, notify: team_lead}" doc:"Tickets that nobody has. Default: {after: 2h, notify: team_lead}; team where no team has a lead."`
	Untouched   catchKeys       `key:"untouched" example:"{after: 40h, notify: [assignee, team_lead]}" doc:"Tickets that nobody does anything with. Default: {after: 40h, notify: [assignee, team_lead]}; team where no team has a lead."`
	NoNextStep  opt[string]     `key:"no_next_step" kind:"enum" values:"daily never" default:"daily" example:"daily" doc:"Once a day the lead is told of tickets that nobody has and in which no clock runs."`
	PollFailure pollFailureKeys `key:"poll_failure" doc:"Of mailboxes and servers that cannot be used."`
}

// catchKeys are one mesh of the net.
type catchKeys struct {
	section
	After  opt[time.Duration] `key:"after" kind:"target" max:"10000h" required:"yes" example:"2h" doc:"Working time of the ticket's team; 0s catches nothing."`
	Notify many[string]       `key:"notify" kind:"recipient" one:"yes" example:"team_lead" doc:"Who is told, as in escalations. Default: team_lead, or team where no team has a lead."`
}

// majorKeys say which new tickets concern so many that they are led.
type majorKeys struct {
	section
	When    majorWhenKeys      `key:"when" required:"yes" example:"{priority: P1, impact: high}" doc:"Which tickets: all keys must hold, or those of one entry of any."`
	Manager opt[string]        `key:"manager" kind:"person" example:"r.schroeder" doc:"Who leads, beside the team's lead and the service manager, who are told as well. Default: the service manager."`
	Updates opt[time.Duration] `key:"updates" kind:"target" min:"1m" max:"100h" default:"30m" example:"30m" doc:"How often those concerned should hear of it; the notice says so."`
}

// majorWhenKeys are one condition, or several of which one has to hold.
type majorWhenKeys struct {
	section
	ticketMatchKeys
	Any list[majorAnyKeys] `key:"any" example:"[{priority: P1, impact: high}]" doc:"Several conditions, of which one has to hold."`
}

// majorAnyKeys are one of several conditions.
type majorAnyKeys struct {
	section
	ticketMatchKeys
	Burst opt[bool] `key:"burst" kind:"bool" example:"true" doc:"true: more people than usual write about the same item or category within an hour, at least three."`
}
