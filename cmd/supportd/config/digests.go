package config

import (
	"slices"
	"time"
)

// digests settles who gets which overview when.
func (r *resolver) digests(k *fileKeys) {
	p, l := k.Digests.Personal, k.Digests.Leads
	r.cfg.Digests = Digests{
		Personal: Digest{On: p.On.val, At: p.At.val, NotFor: r.notFor(p.NotFor)},
		Leads:    Digest{On: l.On.val, At: l.At.val, NotFor: r.notFor(l.NotFor)},
	}
	if n := k.Notices; n.Together.val {
		r.cfg.Notices = Notices{AtMost: 10, Within: 5 * time.Minute}
		if n.AtMost.given {
			r.cfg.Notices = Notices{n.AtMost.val.n, n.AtMost.val.per}
		}
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

// expandNotices writes when notices are collected.
func (c *Config) expandNotices() *node {
	n := block().add("together", truth(c.Notices.AtMost > 0))
	if c.Notices.AtMost > 0 {
		n.add("at_most", text(rate{c.Notices.AtMost, c.Notices.Within}.String()))
	}
	return n
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
