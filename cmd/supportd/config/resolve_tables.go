package config

import (
	"slices"
	"strings"

	"supportd/classify"
	"supportd/tickets"
)

// unknownCI is what derive sets when no configuration item can be told.
const unknownCI = "unknown"

func peopleColumns() tableColumns {
	return tableColumns{required: []string{"id", "name", "mail"}, optional: []string{"language", "teams", "role", "skills", "mobile"}}
}

func customerColumns() tableColumns {
	return tableColumns{required: []string{"organisation"},
		optional: []string{"domains", "addresses", "service_level", "brand", "region", "contact", "vip"}}
}

func itemColumns() tableColumns {
	return tableColumns{required: []string{"ci"},
		optional: []string{"name", "service", "owner_team", "criticality", "vendor", "location", "depends_on"}}
}

// people reads the staff. Team names are known already; the teams themselves are made of this.
func (r *resolver) people(k *fileKeys) {
	c := r.cfg
	t := r.table(k.Organisation.People, peopleColumns())
	if t == nil {
		return
	}
	c.PeopleFile = t.file
	teams := []string{ShortTeam}
	if k.Teams.given {
		teams = namesIn(k.Teams.entries, func(e entry[teamKeys]) string { return e.name })
	}
	ids, mails := map[string]int{}, map[string]int{}
	for _, w := range t.rows {
		p := classify.Person{Name: w.get("name").text, Role: w.get("role").text, Mobile: digits(w.get("mobile").text)}
		if v, ok := r.cellValue(w.get("id"), "name"); ok {
			p.ID = v.(string)
			r.once(ids, w.get("id"), strings.ToLower(p.ID))
			if slices.Contains(recipients, p.ID) {
				r.report("E02", w.get("id").at, "give them another id", "%q stands for whoever that is when mails are sent", p.ID)
			}
		}
		if v, ok := r.cellValue(w.get("mail"), "address"); ok {
			p.Mail = bare(v)
			r.once(mails, w.get("mail"), p.Mail)
			r.notOwn(w.get("mail").at, p.Mail, "notices to "+p.ID)
		}
		if v, ok := r.cellValue(w.get("language"), "language"); ok {
			p.Language = v.(string)
			if !slices.Contains(c.Languages, p.Language) {
				r.report("E03", w.get("language").at, "add it to languages, or choose one of them", "%q is not among languages (%s)", p.Language, strings.Join(c.Languages, ", "))
			}
		}
		p.Teams = r.names(w.get("teams").many(), teams, "team")
		for _, s := range w.get("skills").many() {
			if slices.Contains(p.Skills, s.text) {
				r.report("E02", s.at, "keep one of them", "%q stands here twice", clip(s.text))
				continue
			}
			p.Skills = append(p.Skills, s.text)
		}
		c.People = append(c.People, p)
	}
}

// digits are those of a telephone number, as it stands before the @ of a gateway.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.Replace(s, "+", "00", 1))
}

// names reads the names of a cell, which all have to be known.
func (r *resolver) names(cells []cell, known []string, what string) []string {
	var all []string
	for _, c := range cells {
		switch {
		case !slices.Contains(known, c.text):
			r.report("E03", c.at, didYouMean(c.text, known), "there is no %s %q", what, clip(c.text))
		case slices.Contains(all, c.text):
			r.report("E02", c.at, "keep one of them", "%q stands here twice", clip(c.text))
		default:
			all = append(all, c.text)
		}
	}
	return all
}

// once reports a value that stands in an earlier row already.
func (r *resolver) once(lines map[string]int, c cell, value string) {
	if line, twice := lines[value]; twice {
		r.report("E02", c.at, "keep one of them", "%q stands in line %d already", clip(c.text), line)
		return
	}
	lines[value] = c.at.line
}

// notOwn refuses the desk's own addresses where people belong (E17).
func (r *resolver) notOwn(at place, mail, what string) {
	local, domain, _ := strings.Cut(mail, "@")
	base, _, _ := strings.Cut(local, "+")
	for _, m := range r.cfg.Mailboxes {
		if slices.Contains(m.Addresses, mail) || slices.Contains(m.Addresses, base+"@"+domain) {
			r.report("E17", at, "write the person's own address", "%s is the desk's own address: %s would come back as new mail", mail, what)
			return
		}
	}
}

// customers reads the customers.
func (r *resolver) customers(k *fileKeys) {
	c := r.cfg
	t := r.table(k.Organisation.Customers, customerColumns())
	if t == nil {
		return
	}
	c.CustomersFile = t.file
	brands := namesIn(c.Brands, func(b Brand) string { return b.Name })
	levels := namesIn(k.ServiceLevels.entries, func(e entry[serviceLevelKeys]) string { return e.name })
	organisations := map[string]int{}
	domains, addresses := map[string]string{}, map[string]string{}
	for _, w := range t.rows {
		o := classify.Customer{Organisation: w.get("organisation").text, Region: w.get("region").text}
		r.once(organisations, w.get("organisation"), strings.ToLower(o.Organisation))
		for _, d := range w.get("domains").many() {
			if v, ok := r.cellValue(d, "domain"); ok && r.claim(domains, d, v.(string), o.Organisation, "domain") {
				o.Domains = append(o.Domains, v.(string))
			}
		}
		for _, a := range w.get("addresses").many() {
			if v, ok := r.cellValue(a, "address"); ok && r.claim(addresses, a, bare(v), o.Organisation, "address") {
				o.Addresses = append(o.Addresses, bare(v))
			}
		}
		if w.get("domains").text+w.get("addresses").text == "" {
			r.report("", w.get("domains").at, "write the domain of its addresses, or single ones in the column addresses", "nobody would be taken for %q: it has neither domains nor addresses", clip(o.Organisation))
		}
		if v, ok := r.cellValue(w.get("service_level"), "name"); ok {
			o.ServiceLevel = v.(string)
			if k.ServiceLevels.given {
				r.names(w.get("service_level").one(), levels, "service level")
			}
		}
		if brand := r.names(w.get("brand").one(), brands, "brand"); len(brand) > 0 {
			o.Brand = brand[0]
		}
		if v, ok := r.cellValue(w.get("contact"), "address"); ok {
			o.Contact = bare(v)
		}
		r.vip(w.get("vip"), &o)
		c.Customers = append(c.Customers, o)
	}
}

// claim notes that a domain or address belongs to an organisation, and refuses a second one (E20).
func (r *resolver) claim(owners map[string]string, c cell, value, organisation, what string) bool {
	owner, taken := owners[value]
	switch {
	case taken && owner == organisation:
		r.report("E02", c.at, "keep one of them", "%q stands here twice", clip(c.text))
	case taken:
		r.report("E20", c.at, "leave it to one of them, or name single people in the column addresses", "the %s %s belongs to %q already", what, value, clip(owner))
	default:
		owners[value] = organisation
	}
	return !taken
}

// vip reads who of a customer is important: everybody, nobody, or some addresses.
func (r *resolver) vip(c cell, o *classify.Customer) {
	if yes, ok := yesNo(c.text); ok {
		o.VIP = yes
		return
	}
	for _, a := range c.many() {
		v, err := parseAddress(a.text)
		if err != nil {
			r.report("", a.at, "write yes, no, or the addresses of those who are", "%q is neither yes nor no nor a mail address", clip(a.text))
			continue
		}
		o.VIPs = append(o.VIPs, bare(v))
	}
}

// items reads the configuration items.
func (r *resolver) items(k *fileKeys) {
	c := r.cfg
	t := r.table(k.Organisation.CMDB, itemColumns())
	if t == nil {
		return
	}
	c.CMDBFile = t.file
	teams := namesIn(c.Teams, func(t Team) string { return t.Name })
	lines := map[string]int{}
	var ids []string
	for _, w := range t.rows {
		ids = append(ids, w.get("ci").text)
	}
	for _, w := range t.rows {
		i := classify.CI{Name: w.get("name").text, Service: w.get("service").text, Vendor: w.get("vendor").text, Location: w.get("location").text}
		if v, ok := r.cellValue(w.get("ci"), "name"); ok {
			i.ID = v.(string)
			r.once(lines, w.get("ci"), strings.ToLower(i.ID))
			if strings.EqualFold(i.ID, unknownCI) {
				r.report("", w.get("ci").at, "give it another name", "%q stands for mails whose item cannot be told", i.ID)
			}
		}
		owner := w.get("owner_team")
		if names := r.names(owner.one(), teams, "team"); len(names) > 0 {
			i.OwnerTeam = names[0]
		} else if owner.text == "" && i.ID != "" {
			r.warn("", owner.at, "name the team that answers for it", "%s has no owner", i.ID)
		}
		r.vendorCells = append(r.vendorCells, w.get("vendor").one()...)
		if v, ok := r.cellValue(w.get("criticality"), "name"); ok {
			i.Criticality = v.(string)
		}
		for _, d := range w.get("depends_on").many() {
			switch {
			case !slices.Contains(ids, d.text):
				r.report("E03", d.at, suggest(d.text, ids), "there is no configuration item %q", clip(d.text))
			case d.text == i.ID:
				r.report("", d.at, "delete it", "%s depends on itself", i.ID)
			default:
				i.DependsOn = append(i.DependsOn, d.text)
			}
		}
		c.CMDB = append(c.CMDB, i)
	}
}

// person finds who is meant by an id of people or an address. words are what else could have been meant.
func (r *resolver) person(k opt[string], words ...string) (tickets.Address, bool) {
	if k.val == "" {
		return tickets.Address{}, false
	}
	if strings.Contains(k.val, "@") {
		v, err := parseAddress(k.val)
		if err != nil {
			return tickets.Address{}, false // its kind has reported it
		}
		return v.(tickets.Address), true
	}
	for _, p := range r.cfg.People {
		if strings.EqualFold(p.ID, k.val) {
			return tickets.Address{Name: p.Name, Mail: p.Mail}, true
		}
	}
	ids := namesIn(r.cfg.People, func(p classify.Person) string { return p.ID })
	fix := didYouMean(k.val, append(slices.Clone(words), ids...))
	if fix == "" && len(ids) == 0 {
		fix = "write name@domain, or name the file of the staff in organisation.people"
	}
	r.report("E03", k.at, fix, "nobody is called %q", clip(k.val))
	return tickets.Address{}, false
}

// busFactor warns of skills that a single member of a team has (W24).
func (r *resolver) busFactor(k *fileKeys) {
	for _, e := range k.Teams.entries {
		t, ok := r.cfg.Team(e.name)
		if !ok || len(t.Members) < 2 {
			continue
		}
		for _, skill := range e.keys.Skills.items {
			var able []string
			told := false
			for _, p := range r.cfg.People {
				if slices.Contains(p.Teams, t.Name) {
					told = told || len(p.Skills) > 0
					if slices.ContainsFunc(p.Skills, func(s string) bool { return strings.EqualFold(s, skill.val) }) {
						able = append(able, p.ID)
					}
				}
			}
			switch {
			case !told:
			case len(able) == 0:
				r.warn("W24", skill.at, "write it in the column skills of "+r.cfg.PeopleFile+", or delete it", "nobody of team %s has the skill %q", t.Name, skill.val)
			case len(able) == 1:
				r.warn("W24", skill.at, "train a second person, or write who else knows it in the column skills", "only %s of team %s has the skill %q", able[0], t.Name, skill.val)
			}
		}
	}
}
