package tickets

import (
	"slices"
	"strings"

	"supportd/tickets/command"
)

// Restricted teams, such as security or personnel: what their tickets say is for their members only. Everybody else is told that
// there is a ticket, by its number, its state and what is due, and never its subject, its sender or its text. What they write about
// it is kept as a note, and their commands are refused. Whom a member gives the ticket to sees it.

// sees reports whether somebody may read what a ticket says.
func (r *Rules) sees(t *Ticket, who string) bool {
	team := r.Teams[t.Team]
	who = strings.ToLower(who)
	return !team.Restricted || slices.Contains(team.Members, who) || who == team.Lead || who == strings.ToLower(team.Address) ||
		who == strings.ToLower(t.Assignee)
}

// tellable are the arguments of lines that say nothing of what a ticket is about, or of whom.
var tellable = []string{"number", "team", "due", "clock", "percent", "age", "count", "since", "until", "every", "who", "tier", "priority", "state", "word", "at", "over"}

// shut takes out of a notice what its reader may not see.
func (a *application) shut(m Mail) Mail {
	if m.Internal == nil || m.NoTicket || a.ticket == nil || a.r.sees(a.ticket, m.To.Mail) {
		return m
	}
	v, t := m.Internal, a.ticket
	out := InternalView{Language: v.Language, Desk: v.Desk, DeskAddress: v.DeskAddress, Zone: v.Zone, Number: t.Number, State: v.State, Team: v.Team,
		Tier: v.Tier, Priority: v.Priority, Assignee: v.Assignee, Deadlines: v.Deadlines, Mode: v.Mode, Restricted: true}
	if v.Mode == "" {
		out.Mode = "note" // what they answer stays inside
	}
	if m.Template == TemplateConsultQuestion || strings.EqualFold(v.TextFrom, m.To.Mail) {
		out.Text, out.TextFrom, out.TextAt, out.Verified = v.Text, v.TextFrom, v.TextAt, v.Verified // a member's question, or their own words
	}
	out.Lines = append(shutLines(v.Lines), Line{Key: "restricted.why", Args: map[string]string{"team": t.Team}})
	if m.Template == TemplateTicketToTeam { // which has no lines
		out.Suggestions = out.Lines
	}
	m.Internal, m.Attach, m.Earlier, m.Files, m.Thread, m.Invite = &out, false, nil, nil, false, false
	if m.Purpose == PurposeAnswer {
		m.Purpose = PurposeNote
	}
	return m
}

// shutLines leaves the lines that say nothing of a ticket's content.
func shutLines(lines []Line) (left []Line) {
	for _, l := range lines {
		tells := !strings.HasPrefix(l.Key, "refused.") && slices.ContainsFunc(mapKeys(l.Args), func(name string) bool { return !slices.Contains(tellable, name) })
		if !tells {
			left = append(left, l)
		}
	}
	return left
}

// listedFor is a ticket in a mail about several, as its reader may see it.
func (r *Rules) listedFor(t *Ticket, reader string, l Listed) Listed {
	if !r.sees(t, reader) {
		l.Subject, l.Restricted, l.Reply, l.Lines = "", true, "", shutLines(l.Lines)
	}
	return l
}

// shutOut says why an agent's mail about a ticket is refused whose content they may not see; ok is false when it is not.
func (op *operation) shutOut() (line Line, ok bool) {
	if op.r.sees(op.t, op.agent.Address) {
		return Line{}, false
	}
	op.public = false
	for _, c := range op.text.Commands {
		if !slices.Contains([]string{"note", "help", "quiet"}, c.Word) {
			return Line{Key: "refused.restricted", Args: map[string]string{"word": "#" + c.Word, "team": op.t.Team}}, true
		}
	}
	return Line{}, false
}

// hideNamed takes the tickets away that an agent names in a mail and may not see.
func (d *decider) hideNamed(a Agent) {
	seen := map[string]*Ticket{}
	for number, t := range d.k.Named {
		if d.r.sees(t, a.Address) {
			seen[number] = t
			continue
		}
		if d.k.hidden == nil {
			d.k.hidden = map[string]*Ticket{}
		}
		d.k.hidden[number] = t
	}
	d.k.Named = seen
}

// tellHidden puts the line into the receipt that is all an agent is told of a ticket they may not see; it reports whether a command
// names such a one.
func (op *operation) tellHidden(c command.Command) bool {
	t := op.k.hidden[ticketRef(c.Args)]
	if t == nil {
		return false
	}
	op.tells = append(op.tells, func(v *InternalView) { v.Lines = append(v.Lines, op.listed(t)) })
	return true
}

// restrictedLine is a ticket on a line for who may not see it.
func restrictedLine(t *Ticket) Line {
	return Line{OK: true, Key: "list.restricted", Args: map[string]string{"number": t.Number, "team": t.Team, "state": string(t.State)}}
}

// tellableSimilar leaves out tickets of restricted teams, unless the new ticket is of the same team.
func (r *Rules) tellableSimilar(list []Similar, t *Ticket) []Similar {
	return slices.DeleteFunc(slices.Clone(list), func(s Similar) bool { return r.Teams[s.Team].Restricted && s.Team != t.Team })
}
