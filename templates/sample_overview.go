package templates

import (
	"time"

	"supportd/tickets"
)

// sampleOverview is an overview of the day: three tickets of an agent, or of a lead's teams.
func sampleOverview(template string, v tickets.InternalView, p tickets.PublicView) tickets.InternalView {
	line := func(key string, args map[string]string) tickets.Line { return tickets.Line{Key: key, Args: args} }
	at := func(days int) string { return p.QuoteAt.AddDate(0, 0, days).Format(time.RFC3339) }
	from := line("overview.from", map[string]string{"from": "Kim Krause"})
	one := tickets.Listed{Number: v.Number, Subject: p.Subject, State: tickets.StateOpen, Priority: "P2", Assignee: v.Assignee,
		Lines: []tickets.Line{line("overview.was_due", map[string]string{"clock": "resolve", "due": at(-1)}), from}, Reply: "service+7k2q4m5n@nordwind.example"}
	two := tickets.Listed{Number: "NW-2026-004712", Subject: "VPN", State: tickets.StateNew, Lines: []tickets.Line{line("overview.due", map[string]string{"clock": "first_response", "due": at(0)}), from}}
	three := tickets.Listed{Number: "NW-2026-004402", Subject: "PRN-0042", State: tickets.StateHandedOver, Lines: []tickets.Line{line("overview.since", map[string]string{"since": at(-9)})}}
	groups := []tickets.Group{{Key: "overview.over", Tickets: []tickets.Listed{one}}, {Key: "overview.today", Tickets: []tickets.Listed{two}}, {Key: "overview.open", Tickets: []tickets.Listed{three}}}
	var lines []tickets.Line
	if template == tickets.TemplateLead {
		three.Lines = append(three.Lines, line("overview.lacks", map[string]string{"team": "network", "fields": "logs"}))
		reason := map[bool]string{true: "Es fehlen Protokolle", false: "The logs are missing"}[v.Language == "de"]
		two.Lines = []tickets.Line{line("overview.came_back", map[string]string{"team": "network", "reason": reason})}
		groups = []tickets.Group{{Key: "overview.over", Tickets: []tickets.Listed{one}}, {Key: "overview.returned", Tickets: []tickets.Listed{two}},
			{Key: "overview.gaps", Tickets: []tickets.Listed{three}}, {Key: "overview.aging", Tickets: []tickets.Listed{three}}}
		lines = []tickets.Line{line("overview.absent", map[string]string{"who": "Jan Petersen", "until": at(3)})}
	}
	return tickets.InternalView{Language: v.Language, Desk: v.Desk, DeskAddress: v.DeskAddress, Requester: v.Requester, Mode: v.Mode, Groups: groups, Lines: lines, Zone: v.Zone}
}

// sampleMany is what was collected: two new tickets and an answer.
func sampleMany(v tickets.InternalView, p tickets.PublicView) tickets.InternalView {
	lines := []tickets.Line{{Key: "overview.from", Args: map[string]string{"from": "Kim Krause"}}, {Key: "many.begins", Args: map[string]string{"text": p.Subject + " …"}}}
	one := tickets.Listed{Number: v.Number, Subject: p.Subject, State: tickets.StateNew, Priority: "P3", Lines: lines, Reply: "service+7k2q4m5n@nordwind.example"}
	two, three := one, one
	two.Number, three.Number, three.State, three.Reply = "NW-2026-004712", "NW-2026-004402", tickets.StateSolved, ""
	return tickets.InternalView{Language: v.Language, Desk: v.Desk, DeskAddress: v.DeskAddress, Requester: v.Requester, Mode: v.Mode, Zone: v.Zone, Count: 3,
		Groups: []tickets.Group{{Key: "many.new", Tickets: []tickets.Listed{one, two}}, {Key: "many.replied", Tickets: []tickets.Listed{three}}}}
}
