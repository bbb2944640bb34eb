package classify

import (
	"slices"
	"strings"

	"supportd/tickets"
)

// tables are the facts of a configuration, ready to be looked up.
type tables struct {
	mailboxes map[string]*Mailbox
	addresses map[string]*Customer // lower case
	domains   map[string]*Customer // lower case
	people    map[string]*Person   // by lower-case address
	ids       map[string]*Person   // by lower-case id
	cis       map[string]*CI       // by lower-case ID
	teams     map[string]*Team
}

func (cp *compiler) tables() tables {
	c := cp.config
	t := tables{mailboxes: map[string]*Mailbox{}, addresses: map[string]*Customer{}, domains: map[string]*Customer{},
		people: map[string]*Person{}, ids: map[string]*Person{}, cis: map[string]*CI{}, teams: map[string]*Team{}}
	for i := range c.Mailboxes {
		t.mailboxes[c.Mailboxes[i].Name] = &c.Mailboxes[i]
	}
	for i := range c.People {
		p := &c.People[i]
		t.people[strings.ToLower(p.Mail)], t.ids[strings.ToLower(p.ID)] = p, p
	}
	for i := range c.Teams {
		t.teams[c.Teams[i].Name] = &c.Teams[i]
	}
	for i := range c.CMDB {
		ci := &c.CMDB[i]
		if _, twice := t.cis[strings.ToLower(ci.ID)]; twice {
			cp.lint("E02", "organisation.cmdb["+ci.ID+"]", "the configuration item %q stands there twice", ci.ID)
		}
		t.cis[strings.ToLower(ci.ID)] = ci
	}
	for i := range c.Customers {
		cu := &c.Customers[i]
		for _, list := range []struct {
			of    map[string]*Customer
			names []string
		}{{t.domains, cu.Domains}, {t.addresses, cu.Addresses}} {
			for _, name := range list.names {
				name = strings.ToLower(strings.Trim(strings.TrimSpace(name), "@."))
				if other := list.of[name]; other != nil && other != cu {
					cp.lint("E20", "organisation.customers["+cu.Organisation+"]", "%s belongs to %s already; one organisation can have it", name, other.Organisation)
				}
				list.of[name] = cu
			}
		}
	}
	for _, ci := range c.CMDB {
		for _, on := range ci.DependsOn {
			if t.cis[strings.ToLower(on)] == nil {
				cp.lint("E03", "organisation.cmdb["+ci.ID+"]", "depends on %q, which is not in the cmdb", on)
			}
		}
	}
	return t
}

// customer finds whom an address belongs to: by the address, else by the domain or the nearest one above it.
func (t *tables) customer(address string) (*Customer, string) {
	address = strings.ToLower(address)
	if c := t.addresses[address]; c != nil {
		return c, address
	}
	_, domain, ok := cutLast(address, "@")
	for ok {
		if c := t.domains[domain]; c != nil {
			return c, domain
		}
		_, domain, ok = strings.Cut(domain, ".")
	}
	return nil, ""
}

// needs lists the items that one needs, all the way down, without itself. Circles end.
func (t *tables) needs(ci *CI) []string {
	var list []string
	seen := map[string]bool{strings.ToLower(ci.ID): true}
	for todo := ci.DependsOn; len(todo) > 0; todo = todo[1:] {
		key := strings.ToLower(todo[0])
		on := t.cis[key]
		if on == nil || seen[key] {
			continue
		}
		seen[key] = true
		list = append(list, on.ID)
		todo = slices.Concat(todo[:1], todo[1:], on.DependsOn)
	}
	return list
}

// intake fills in the facts that the mail and the tables give.
func (s *state) intake(h tickets.Hints) {
	m, v := s.m, s.v
	s.put(slotMailbox, h.Mailbox)
	if mb := s.k.tables.mailboxes[h.Mailbox]; mb != nil {
		s.put(slotBrand, mb.Brand)
	}
	s.put(slotSenderKind, string(v.Kind))
	s.put(slotAuth, string(v.Auth))
	s.put(slotLanguage, v.Language)
	from := m.Author
	if from == "" && len(m.From) > 0 {
		from = strings.ToLower(m.From[0].Mail)
	}
	s.put(slotFrom, from)
	if len(m.To)+len(m.Cc) > 0 {
		var to []string
		for _, a := range slices.Concat(m.To, m.Cc) {
			to = append(to, a.Mail)
		}
		s.putMany(slotTo, to)
	}
	s.put(slotImportance, importance(m))
	s.putNumber(slotSize, float64(m.Size), "")
	if len(m.Attachments) > 0 {
		var names []string
		for _, a := range m.Attachments {
			names = append(names, a.Name)
		}
		s.putMany(slotAttachment, names)
	}
	if a := v.Alert; a != nil {
		s.put(slotAlertSystem, a.System)
		s.put(slotAlertHost, a.Host)
		s.put(slotAlertService, a.Service)
		s.put(slotAlertState, map[bool]string{true: "problem", false: "recovery"}[a.Problem])
	}
	s.whose()
}

// whose fills in which customer or colleague wrote. Forged senders are nobody's.
func (s *state) whose() {
	m, v := s.m, s.v
	s.putYesNo(slotVIP, false)
	if m.Author == "" || v.Auth == tickets.AuthFail {
		return
	}
	if p := s.k.tables.people[m.Author]; p != nil {
		s.put(slotPerson, p.ID)
		s.put(slotPersonRole, p.Role)
		s.putMany(slotPersonTeam, p.Teams)
		s.putMany(slotPersonSkill, p.Skills)
	}
	c, by := s.k.tables.customer(m.Author)
	if c == nil {
		return
	}
	vip := c.VIP || slices.ContainsFunc(c.VIPs, func(a string) bool { return strings.EqualFold(a, m.Author) })
	v.Customer = tickets.Customer{Organisation: c.Organisation, ServiceLevel: c.ServiceLevel, Region: c.Region, Brand: c.Brand, Contact: c.Contact, VIP: vip}
	s.put(slotOrganisation, c.Organisation)
	s.put(slotServiceLevel, c.ServiceLevel)
	s.put(slotRegion, c.Region)
	s.put(slotCustomerBrand, c.Brand)
	s.put(slotContact, c.Contact)
	s.putYesNo(slotVIP, vip)
	why := "by " + by
	if v.Auth != tickets.AuthPass {
		why += ", though nobody vouches for the sender"
	}
	s.because("customer", c.Organisation, why, "customers")
	if c.ServiceLevel != "" {
		s.because("service_level", c.ServiceLevel, "of the customer "+c.Organisation, "customers")
	}
}

// importance reads what the sender says of the mail: Importance (RFC 2156 §5.3.4), X-Priority, Priority.
func importance(m *tickets.Message) string {
	switch strings.ToLower(strings.TrimSpace(m.FirstField("Importance"))) {
	case "high":
		return "high"
	case "low":
		return "low"
	}
	switch p := strings.TrimSpace(m.FirstField("X-Priority")); {
	case strings.HasPrefix(p, "1"), strings.HasPrefix(p, "2"):
		return "high"
	case strings.HasPrefix(p, "4"), strings.HasPrefix(p, "5"):
		return "low"
	}
	switch strings.ToLower(strings.TrimSpace(m.FirstField("Priority"))) {
	case "urgent":
		return "high"
	case "non-urgent":
		return "low"
	}
	return "normal"
}
