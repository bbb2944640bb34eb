package config

import (
	"slices"
	"strings"

	"supportd/tickets/handover"
)

// handover settles what a packet needs. Fields that are built in stand as they are, unless the file says otherwise.
func (r *resolver) handover(k *fileKeys) {
	h, hk := handover.Default(len(r.cfg.CMDB) > 0), k.Handover
	for _, e := range hk.Fields.entries {
		f := r.handoverField(e)
		i := slices.IndexFunc(h.Fields, func(old handover.Field) bool { return old.Name == f.Name })
		if i < 0 {
			h.Fields = append(h.Fields, f)
			continue
		}
		h.Fields[i] = f
	}
	if hk.ToTier2.given {
		h.Tier2 = r.required(hk.ToTier2.Require, h)
		if !hk.ToTier3.given { // what the file leaves out of tier 2 is not asked for one tier further up
			h.Tier3 = slices.DeleteFunc(h.Tier3, func(name string) bool {
				return !slices.Contains([]string{handover.Diagnosis, handover.Reproduction, handover.Logs}, name)
			})
			h.Tier3 = append(slices.Clone(h.Tier2), slices.DeleteFunc(h.Tier3, func(name string) bool { return slices.Contains(h.Tier2, name) })...)
		}
	}
	if hk.ToTier3.given {
		h.Tier3 = r.required(hk.ToTier3.Require, h)
	}
	h.Ask, h.OwnerStays = hk.Incomplete.val == "ask", hk.OwnerStays.val
	if hk.PassAndAsk.given {
		h.PassAndAsk = r.unique(hk.PassAndAsk.items, strings.ToUpper)
	}
	h.Return = handover.Return{Once: hk.Return.Allowed.val == "once_per_team", NeedsReason: hk.Return.NeedsReason.val, TellLeads: hk.Return.Then.val == "notify_leads"}
	r.cfg.Handover = h
}

// handoverField settles one field, and refuses one that asks for two kinds of value at once.
func (r *resolver) handoverField(e entry[handoverFieldKeys]) handover.Field {
	k := e.keys
	f := handover.Field{Name: strings.ToLower(e.name), MinWords: k.MinWords.val, MinItems: k.MinItems.val, OneOf: r.unique(k.OneOf.items, strings.ToLower),
		In: k.In.val, Or: k.Or.val, Attachment: k.Attachment.val, Optional: k.Optional.val}
	kinds := 0
	for _, asks := range []bool{f.MinWords > 0, f.MinItems > 0, len(f.OneOf) > 0, f.In != "", f.Attachment} {
		if asks {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		r.report("", e.at, "keep one of min_words, min_items, one_of, in and attachment", "asks for two kinds of value at once")
	case f.In == handover.InCMDB && len(r.cfg.CMDB) == 0:
		r.report("E03", k.In.at, "name the table in organisation.cmdb, or write min_words: 1", "there are no configuration items to choose from")
	case f.Or != "" && f.Optional:
		r.report("", k.Or.at, "delete it", "a field that is optional needs no way out")
	}
	return f
}

// required checks the names of the fields that a tier needs.
func (r *resolver) required(k many[string], h handover.Rules) []string {
	var names []string
	for _, f := range h.Fields {
		names = append(names, f.Name)
	}
	for _, item := range k.items {
		f, ok := h.Field(item.val)
		switch {
		case !ok && item.val == handover.CI:
			r.report("E03", item.at, "name the table in organisation.cmdb, or write fields: {affected_ci: {min_words: 1}}", "there are no configuration items to choose from")
		case !ok:
			r.report("E03", item.at, didYouMean(item.val, names), "there is no field %q", clip(item.val))
		case f.Optional:
			r.report("", item.at, "delete it here, or optional: true there", "%s is optional", item.val)
		}
	}
	return r.unique(k.items, strings.ToLower)
}

// vendors settles the third parties, and who is told when they are late.
func (r *resolver) vendors(k *fileKeys) {
	c := r.cfg
	calendars := namesIn(c.Calendars, func(cal Calendar) string { return cal.Name })
	addresses := map[string]string{}
	for _, e := range k.Vendors.entries {
		v := Vendor{Name: e.name, To: e.keys.To.val, Contract: e.keys.Contract.val, Until: e.keys.Until.val, Language: e.keys.Language.val,
			Calendar: e.keys.Calendar.val, Respond: e.keys.Respond.val, For: r.unique(e.keys.For.items, strings.ToLower)}
		r.vendorAddress(e, addresses)
		if v.Language == "" {
			v.Language = c.Languages[0]
		} else if !slices.Contains(c.Languages, v.Language) {
			r.report("E03", e.keys.Language.at, "add it to languages, or choose one of them", "%q is not among languages (%s)", v.Language, strings.Join(c.Languages, ", "))
		}
		if v.Calendar == "" {
			v.Calendar = c.Calendar
		} else if !slices.Contains(calendars, v.Calendar) {
			r.report("E03", e.keys.Calendar.at, didYouMean(v.Calendar, calendars), "there is no calendar %q", clip(v.Calendar))
		}
		if re := e.keys.Reference.val; re != nil {
			if v.Reference = re.String(); re.NumSubexp() != 1 {
				r.report("E12", e.keys.Reference.at, "put the number in brackets, and write (?:…) for others", "has %d groups, and exactly one has to be their number", re.NumSubexp())
			}
		}
		r.vendorSkills(e)
		c.Vendors = append(c.Vendors, v)
	}
	r.vendorDefaults(k)
	r.vendorColumn(k)
	if m, ok := r.person(k.ServiceManager); ok {
		if c.ServiceManager = m; !r.isStaff(bare(m)) {
			r.report("E03", k.ServiceManager.at, "name a member, lead or address of a team, or admin", "%s is nobody of this desk", bare(m))
		}
	}
}

// vendorAddress refuses addresses that are the desk's, of the staff, or another third party's: mail from there could not
// be told apart.
func (r *resolver) vendorAddress(e entry[vendorKeys], seen map[string]string) {
	to := bare(e.keys.To.val)
	if to == "" {
		return // reported as missing
	}
	r.notOwn(e.keys.To.at, to, "requests")
	if other, twice := seen[to]; twice {
		r.report("E02", e.keys.To.at, "make one of the two", "%s is the address of %s already", to, other)
	}
	if r.isStaff(to) {
		r.report("E03", e.keys.To.at, "write the third party's address", "%s belongs to the staff", to)
	}
	seen[to] = e.name
}

// vendorSkills warns of skills that no team has: nobody would be offered that third party.
func (r *resolver) vendorSkills(e entry[vendorKeys]) {
	var skills []string
	for _, t := range r.cfg.Teams {
		skills = append(skills, t.Skills...)
	}
	for _, s := range e.keys.For.items {
		if !slices.ContainsFunc(skills, func(have string) bool { return strings.EqualFold(have, s.val) }) {
			r.warn("W24", s.at, didYouMean(s.val, skills), "no team has the skill %q", clip(s.val))
		}
	}
}

func (r *resolver) vendorDefaults(k *fileKeys) {
	c, d := r.cfg, k.VendorDefaults
	c.Redact = r.unique(d.Redact.items, strings.ToLower)
	if !d.Redact.given {
		c.Redact = []string{"phone", "private_address", "credentials"}
	}
	if !d.Remind.given {
		c.VendorRemind = []Step{{Percent: 75, Notify: []string{"assignee"}}, {Percent: 100, Notify: []string{"assignee", "team_lead"}}}
		return
	}
	for _, s := range d.Remind.steps {
		step := Step{Percent: s.percent}
		for _, who := range s.notify {
			if name, ok := r.staff(who); ok {
				step.Notify = append(step.Notify, name)
			}
		}
		c.VendorRemind = append(c.VendorRemind, step)
	}
}

// vendorColumn checks the column vendor of the table of items, once the file says who there is.
func (r *resolver) vendorColumn(k *fileKeys) {
	if !k.Vendors.given {
		return
	}
	names := namesIn(r.cfg.Vendors, func(v Vendor) string { return v.Name })
	for _, c := range r.vendorCells {
		if !slices.Contains(names, c.text) {
			r.report("E03", c.at, didYouMean(c.text, names), "there is no vendor %q", clip(c.text))
		}
	}
}
