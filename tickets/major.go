package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MajorIncident says which new tickets concern so many that they are led, and by whom.
type MajorIncident struct {
	Match   func(*Ticket) bool // nil: none
	Manager string             // lower-case address
	Burst   bool               // those too about which several people write at a time
	Updates time.Duration      // how often the manager should let people know, for the notice
}

// concerns reports whether a ticket is such.
func (m MajorIncident) concerns(t *Ticket) bool { return m.Match != nil && m.Match(t) }

// declareMajor tells the manager and the leads of a new ticket that concerns many.
func (d *decider) declareMajor() {
	m, t := d.r.Major, d.out.Ticket
	burst := d.bursts()
	if !m.concerns(t) && !burst {
		if b := d.k.Burst; m.Burst && b != nil && b.Led != "" {
			d.reason("major_incident", b.Led, "it is led already for "+b.About)
		}
		return
	}
	to := d.recipients([]string{"team_lead", "service_manager"})
	if m.Manager != "" && !slices.Contains(to, m.Manager) {
		to = append([]string{strings.ToLower(m.Manager)}, to...)
	}
	list := notices{}
	list.add(to, Line{Key: "major.declared", Args: map[string]string{"every": m.Updates.String(), "team": t.Team}}, true)
	if burst {
		b := d.k.Burst
		d.reason("major_incident", "yes", fmt.Sprintf("%d people wrote about %s within an hour; %.2g are usual", b.People, b.About, b.Expected))
		list.add(to, Line{Key: "major.burst", Args: map[string]string{"count": strconv.Itoa(b.People), "name": b.About, "number": strings.Join(b.Numbers, ", ")}}, true)
	} else {
		d.reason("major_incident", "yes", "the configuration says so of such tickets")
	}
	if m.Burst && !slices.Contains(t.Tags, tagMajor) {
		e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorSystem}, Detail: "declared a major incident"}
		t.set(&e.Changes, fieldTags, strings.Join(append(slices.Clone(t.Tags), tagMajor), " "))
		d.entry(e)
	}
	d.sendAs(TemplateMajorIncident, list)
}
