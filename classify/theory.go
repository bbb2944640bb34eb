package classify

import (
	"slices"
	"strings"

	"supportd/tickets"
)

// theory is what holds in every world of a configuration: which values there are and how fields hang together.
type theory struct {
	fields [slots]fieldInfo
	start  world
	links  []link
}

// link ties fields together that a table fills in at once. A row has a value for each of the fields, "" for a missing
// one; the last row of an open link stands for what is not in the table.
type link struct {
	slots []slot
	rows  [][]string
	open  bool
}

// newTheory writes down what the configuration makes certain.
func newTheory(k *Classifier) *theory {
	c := &k.config
	t := &theory{fields: fieldTable()}
	t.start.theory = t
	for i := range t.start.fields {
		t.start.fields[i] = possible{missing: true, present: true, span: span{low: -infinity, high: infinity}}
	}
	closed := func(at slot, missing bool, values ...string) {
		for i := range values {
			values[i] = strings.ToLower(values[i])
		}
		t.start.fields[at].in, t.start.fields[at].missing, t.start.fields[at].present = set(values), missing, len(values) > 0
	}
	closed(slotLanguage, false, slices.Clone(c.Languages)...)
	closed(slotSenderKind, false, string(tickets.KindHuman), string(tickets.KindAutoReply), string(tickets.KindBounce), string(tickets.KindFeedbackReport),
		string(tickets.KindList), string(tickets.KindMonitoring), string(tickets.KindReport), string(tickets.KindOwn))
	closed(slotAuth, false, string(tickets.AuthPass), string(tickets.AuthFail), string(tickets.AuthNone))
	closed(slotImportance, false, "high", "normal", "low")
	closed(slotVIP, false, "true", "false")
	closed(slotAlertState, true, "problem", "recovery")
	t.start.fields[slotSize].missing = false
	t.start.fields[slotScore].missing = len(c.Categories) == 0
	t.start.fields[slotScore].present = len(c.Categories) > 0
	t.start.fields[slotProbability].missing = true
	for at, list := range map[slot][]Derivation{slotImpact: c.Derive.Impact, slotUrgency: c.Derive.Urgency} {
		var values []string
		for _, d := range list {
			values = append(values, d.Set)
		}
		closed(at, len(list) == 0, values...)
	}
	t.categories(c)
	t.tables(c)
	t.priorities(c)
	if len(c.Derive.CI) == 0 && len(c.CMDB) == 0 {
		t.start.fields[slotCI] = possible{missing: true}
	}
	for i := range t.links {
		t.start.link(&t.links[i])
	}
	return t
}

func (t *theory) categories(c *Config) {
	l := link{slots: []slot{slotCategory, slotKind}}
	for _, cat := range c.Categories {
		l.rows = append(l.rows, []string{strings.ToLower(cat.Name), strings.ToLower(cat.Kind)})
	}
	if len(l.rows) == 0 {
		l.rows = [][]string{{"", ""}}
	}
	t.links = append(t.links, l)
}

func (t *theory) tables(c *Config) {
	if len(c.Mailboxes) > 0 {
		l := link{slots: []slot{slotMailbox, slotBrand}}
		for _, m := range c.Mailboxes {
			l.rows = append(l.rows, []string{strings.ToLower(m.Name), strings.ToLower(m.Brand)})
		}
		t.links = append(t.links, l)
	}
	ci := link{slots: []slot{slotCI, slotCIName, slotCIService, slotService, slotCIOwner, slotCICriticality, slotCIVendor, slotCILocation}, open: true}
	for _, i := range c.CMDB {
		ci.rows = append(ci.rows, lowerAll(i.ID, i.Name, i.Service, i.Service, i.OwnerTeam, i.Criticality, i.Vendor, i.Location))
	}
	customer := link{slots: []slot{slotOrganisation, slotServiceLevel, slotRegion, slotCustomerBrand, slotContact}}
	customer.rows = append(customer.rows, make([]string, 5))
	for _, cu := range c.Customers {
		customer.rows = append(customer.rows, lowerAll(cu.Organisation, cu.ServiceLevel, cu.Region, cu.Brand, cu.Contact))
	}
	t.links = append(t.links, ci, customer)
}

func (t *theory) priorities(c *Config) {
	l := link{slots: []slot{slotImpact, slotUrgency, slotPriority}}
	if len(c.Matrix) == 0 || len(c.Derive.Impact) == 0 || len(c.Derive.Urgency) == 0 {
		t.start.fields[slotPriority] = possible{missing: true}
		return
	}
	for _, impact := range levels {
		for _, urgency := range levels {
			l.rows = append(l.rows, lowerAll(impact, urgency, c.Matrix[impact][urgency]))
		}
	}
	t.links = append(t.links, l)
}

func lowerAll(list ...string) []string {
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}
