package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
	"supportd/tickets/calendar"
)

// buildTiers adds to the rules how tickets are handed to the next tier and to third parties.
func buildTiers(c *config.Config, r *tickets.Rules) error {
	r.Handover, r.Redact, r.ServiceManager = c.Handover, c.Redact, strings.ToLower(c.ServiceManager.Mail)
	r.SecondTier, r.Items, r.Vendors = map[string]string{}, map[string]tickets.Item{}, map[string]tickets.Vendor{}
	for _, k := range c.Categories {
		if k.Tier2 != "" {
			r.SecondTier[k.Name] = k.Tier2
		}
	}
	for _, i := range c.CMDB {
		r.Items[strings.ToLower(i.ID)] = tickets.Item{ID: i.ID, Name: i.Name, Team: i.OwnerTeam, Vendor: i.Vendor}
	}
	for _, s := range c.VendorRemind {
		r.VendorRemind = append(r.VendorRemind, tickets.Step{Percent: s.Percent, Notify: s.Notify})
	}
	var wrong []error
	for _, v := range c.Vendors {
		one := tickets.Vendor{Name: v.Name, To: v.To, Contract: v.Contract, Language: v.Language, Respond: v.Respond, Skills: v.For}
		var err error
		if one.Calendar, err = calendarNamed(c, v.Calendar); err != nil {
			wrong = append(wrong, err)
		}
		if v.Reference != "" {
			if one.Reference, err = regexp.Compile(v.Reference); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: vendors.%s.reference: %w", c.Path, v.Name, err))
			}
		}
		r.Vendors[v.Name] = one
	}
	return errors.Join(wrong...)
}

// calendarNamed is the working time of one calendar of the configuration.
func calendarNamed(c *config.Config, name string) (tickets.Calendar, error) {
	for _, one := range c.Calendars {
		if one.Name == name {
			built, err := calendar.New(schedule(one))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Path, err)
			}
			return built, nil
		}
	}
	return nil, fmt.Errorf("%s: there is no calendar %q", c.Path, name)
}

// contractNotice is how long before its end check warns of a contract.
const contractNotice = 60 * 24 * time.Hour

// contractsEnding warns of third parties whose contract ends soon or has ended (W33).
func contractsEnding(file string, c *config.Config, now time.Time) config.Findings {
	var list config.Findings
	for _, v := range c.Vendors {
		last, err := time.ParseInLocation(time.DateOnly, v.Until, c.Zone)
		if err != nil {
			continue // no end, or the decoder has reported it
		}
		end := last.AddDate(0, 0, 1)
		what := fmt.Sprintf("the contract ends on %s", v.Until)
		switch {
		case end.Sub(now) > contractNotice:
			continue
		case !end.After(now):
			what = fmt.Sprintf("the contract ended on %s: requests may not be answered", v.Until)
		}
		list = append(list, config.Finding{File: file, Code: "W33", Path: "vendors." + v.Name + ".until", Warning: true,
			What: what, Fix: "renew it and write the new date, or delete the vendor"})
	}
	return list
}
