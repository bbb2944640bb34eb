package tickets

import (
	"slices"
	"strings"
	"time"
)

// MajorIncident says which new tickets concern so many that they are led, and by whom.
type MajorIncident struct {
	Match   func(*Ticket) bool // nil: none
	Manager string             // lower-case address
	Updates time.Duration      // how often the manager should let people know, for the notice
}

// concerns reports whether a ticket is such.
func (m MajorIncident) concerns(t *Ticket) bool { return m.Match != nil && m.Match(t) }

// declareMajor tells the manager and the leads of a new ticket that concerns many.
func (d *decider) declareMajor() {
	m, t := d.r.Major, d.out.Ticket
	if !m.concerns(t) {
		return
	}
	to := d.recipients([]string{"team_lead", "service_manager"})
	if m.Manager != "" && !slices.Contains(to, m.Manager) {
		to = append([]string{strings.ToLower(m.Manager)}, to...)
	}
	d.reason("major_incident", "yes", "the configuration says so of such tickets")
	list := notices{}
	list.add(to, Line{Key: "major.declared", Args: map[string]string{"every": m.Updates.String(), "team": t.Team}}, true)
	d.sendAs(TemplateMajorIncident, list)
}
