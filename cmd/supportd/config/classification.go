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
