package templates

import (
	"fmt"
	"slices"
	"strings"

	"supportd/tickets"
)

// audience says who reads a template.
type audience string

const (
	audiencePublic   audience = "public"
	audienceInternal audience = "internal"
	audienceVendor   audience = "vendor"
)

// spec is what the desk expects of a template.
type spec struct {
	name     string
	audience audience
	textOnly bool     // automatic answers are text/plain (RFC 3834)
	marker   bool     // has to hold the line above which people answer
	only     []string // the only variables it may use; nil: all of its audience
}

// specs lists every template that the desk asks for.
func specs() []spec {
	return []spec{
		{name: tickets.TemplateAckNew, audience: audiencePublic, textOnly: true},
		{name: tickets.TemplateAckFollowUp, audience: audiencePublic, textOnly: true},
		// Whoever forged the sender chose every word of that mail: none of them goes to the one who was forged (S-065).
		{name: tickets.TemplateAckGeneric, audience: audiencePublic, textOnly: true,
			only: []string{"desk", "desk_address", "informal", "language", "number", "promised_by", "footer"}},
		{name: tickets.TemplateAckPhone, audience: audiencePublic},
		{name: tickets.TemplateAgentReply, audience: audiencePublic, marker: true},
		{name: tickets.TemplateSolved, audience: audiencePublic},
		{name: tickets.TemplateAutoAnswer, audience: audiencePublic, textOnly: true},
		{name: tickets.TemplateAppointment, audience: audiencePublic, marker: true},
		{name: tickets.TemplateAppointmentNow, audience: audienceInternal, marker: true},
		{name: tickets.TemplateMerged, audience: audiencePublic},
		{name: tickets.TemplateStatus, audience: audiencePublic, textOnly: true},
		{name: tickets.TemplateReminder, audience: audiencePublic},
		{name: tickets.TemplateNoResponse, audience: audiencePublic},
		{name: tickets.TemplateHandedOver, audience: audiencePublic},
		{name: tickets.TemplateWithVendor, audience: audiencePublic},
		{name: tickets.TemplateVendorRequest, audience: audienceVendor},
		{name: tickets.TemplateHandoverGaps, audience: audienceInternal, marker: true},
		{name: tickets.TemplateHandoverAsked, audience: audienceInternal, marker: true},
		{name: tickets.TemplateHandoverPacket, audience: audienceInternal, marker: true},
		{name: tickets.TemplateHandoverAccepted, audience: audienceInternal, marker: true},
		{name: tickets.TemplateHandoverReturned, audience: audienceInternal, marker: true},
		{name: tickets.TemplateHandoverDispute, audience: audienceInternal, marker: true},
		{name: tickets.TemplateConsultQuestion, audience: audienceInternal, marker: true},
		{name: tickets.TemplateConsultAnswer, audience: audienceInternal, marker: true},
		{name: tickets.TemplateLearnBack, audience: audienceInternal, marker: true},
		{name: tickets.TemplateVendorDraft, audience: audienceInternal, marker: true},
		{name: tickets.TemplateVendorReplied, audience: audienceInternal, marker: true},
		{name: tickets.TemplateAssigneeAbsent, audience: audienceInternal, marker: true},
		{name: tickets.TemplateTicketToTeam, audience: audienceInternal, marker: true},
		{name: tickets.TemplateCustomerReplied, audience: audienceInternal, marker: true},
		{name: tickets.TemplateReceipt, audience: audienceInternal, marker: true},
		{name: tickets.TemplateRefused, audience: audienceInternal, marker: true},
		{name: tickets.TemplateEscalation, audience: audienceInternal, marker: true},
		{name: tickets.TemplateTimeBox, audience: audienceInternal, marker: true},
		{name: tickets.TemplateSafety, audience: audienceInternal, marker: true},
		{name: tickets.TemplateMajorIncident, audience: audienceInternal, marker: true},
		{name: tickets.TemplatePersonal, audience: audienceInternal},
		{name: tickets.TemplateLead, audience: audienceInternal},
		{name: tickets.TemplateMany, audience: audienceInternal},
		{name: tickets.TemplateGathered, audience: audienceInternal},
		{name: tickets.TemplateUndelivered, audience: audienceInternal, marker: true},
		{name: tickets.TemplateHeld, audience: audienceInternal, marker: true},
		{name: tickets.TemplateNote, audience: audienceInternal, marker: true},
		{name: tickets.TemplateAssigned, audience: audienceInternal, marker: true},
		{name: tickets.TemplateHealth, audience: audienceInternal},
	}
}

func specOf(name string) (spec, bool) {
	all := specs()
	i := slices.IndexFunc(all, func(s spec) bool { return s.name == name })
	if i < 0 {
		return spec{}, false
	}
	return all[i], true
}

// lookup finds a template for its readers; the wrong readers are an error, so that no staff text can leave the house.
func lookup(name string, who audience) (spec, error) {
	sp, ok := specOf(name)
	switch {
	case !ok:
		return sp, fmt.Errorf("render template %q: there is no such template%s", name, suggest(name, specNames()))
	case sp.audience != who:
		return sp, fmt.Errorf("render template %s: it is %s, and was asked for as %s", name, sp.audience, who)
	}
	return sp, nil
}

// lookup does the same, without going through all of them when the template is one of the set's.
func (s *Set) lookup(name string, who audience) (spec, error) {
	if c := s.texts[s.languages[0]][name]; c != nil && c.spec.name == name && c.spec.audience == who {
		return c.spec, nil
	}
	return lookup(name, who)
}

func specNames() []string {
	var names []string
	for _, s := range specs() {
		names = append(names, s.name)
	}
	return names
}

// suggest gives `; did you mean "x"?` for the nearest of the names, or "".
func suggest(name string, names []string) string {
	best, at := "", max(2, len(name)/3)+1
	for _, n := range names {
		if d := distance(name, n); d < at || (strings.HasPrefix(n, name) && best == "" && name != "") {
			best, at = n, min(d, at)
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the Levenshtein distance of two short names; long ones are never near.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}
