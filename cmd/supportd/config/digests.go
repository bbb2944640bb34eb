package config

import "slices"

// digests settles who gets which overview when.
func (r *resolver) digests(k *fileKeys) {
	p, l := k.Digests.Personal, k.Digests.Leads
	r.cfg.Digests = Digests{
		Personal: Digest{On: p.On.val, At: p.At.val, NotFor: r.notFor(p.NotFor)},
		Leads:    Digest{On: l.On.val, At: l.At.val, NotFor: r.notFor(l.NotFor)},
	}
}

// notFor are teams, and people by their addresses.
func (r *resolver) notFor(list many[string]) (all []string) {
	var teams []string
	for _, t := range r.cfg.Teams {
		teams = append(teams, t.Name)
	}
	for _, one := range list.items {
		if slices.Contains(teams, one.val) {
			all = append(all, one.val)
		} else if who, ok := r.person(one, teams...); ok {
			all = append(all, bare(who))
		}
	}
	return all
}

// expandDigests writes both overviews.
func (c *Config) expandDigests() *node {
	one := func(d Digest) *node {
		n := block().add("on", truth(d.On)).add("at", quoted(d.At))
		n.addTexts("not_for", d.NotFor)
		return n
	}
	return block().add("personal", one(c.Digests.Personal)).add("leads", one(c.Digests.Leads))
}
