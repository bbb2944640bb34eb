package config

import (
	"slices"
	"strings"

	"supportd/classify"
)

// Classification is what the classifier obeys. People are named by their addresses in it.
func (c *Config) Classification() classify.Config {
	cc := classify.Config{
		Languages: c.Languages, AuthservID: c.AuthservIDs, OwnCheck: c.VerifyDKIM, TrustedHosts: c.TrustedHosts, ScoreAtLeast: c.ScoreAtLeast, SpamAtLeast: c.Spam.OwnScore,
		Customers: c.Customers, People: c.People, CMDB: c.CMDB, Categories: c.Categories, Threshold: c.Threshold,
		Derive: c.Derive, Matrix: c.Matrix, Team: c.Intake, Routes: c.Routes,
	}
	cc.Domains = c.domains()
	for _, who := range c.Spam.Allow {
		switch who {
		case "customers":
			cc.Allow.Customers = true
		case "staff_domains":
			cc.Allow.Domains = c.StaffDomains
		case "vendors":
			for _, v := range c.Vendors {
				cc.Allow.Addresses = append(cc.Allow.Addresses, v.To.Mail)
			}
		}
	}
	for _, m := range c.Mailboxes {
		cc.Mailboxes = append(cc.Mailboxes, classify.Mailbox{Name: m.Name, Brand: m.Brand, Monitoring: m.SenderKind == "monitoring"})
	}
	for _, t := range c.Teams {
		cc.Teams = append(cc.Teams, classify.Team{Name: t.Name, Tier: t.Tier})
	}
	for _, rule := range c.Rules {
		rule.Add.Watchers = c.addresses(rule.Add.Watchers)
		rule.Add.Notify = c.addresses(rule.Add.Notify)
		cc.Rules = append(cc.Rules, rule)
	}
	for _, a := range c.Answers {
		cc.Answers = append(cc.Answers, classify.Answer{Name: a.Name, Match: a.Match})
	}
	return cc
}

// domains are those of the desk and its people, each once.
func (c *Config) domains() []string {
	all := slices.Clone(c.StaffDomains)
	add := func(address string) {
		if _, d, ok := strings.Cut(strings.ToLower(address), "@"); ok && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	for _, m := range c.Mailboxes {
		for _, a := range m.Addresses {
			add(a)
		}
	}
	for _, b := range c.Brands {
		add(b.From.Mail)
	}
	for _, p := range c.People {
		add(p.Mail)
	}
	for _, t := range c.Teams {
		for _, m := range t.Members {
			add(m.Mail)
		}
	}
	return all
}

// addresses replaces ids of people by their addresses; words such as team_lead stay.
func (c *Config) addresses(names []string) []string {
	var all []string
	for _, name := range names {
		if i := slices.IndexFunc(c.People, func(p classify.Person) bool { return strings.EqualFold(p.ID, name) }); i >= 0 {
			name = c.People[i].Mail
		} else if v, err := parseAddress(name); err == nil {
			name = bare(v)
		}
		all = append(all, name)
	}
	return all
}
