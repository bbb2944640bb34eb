package main

import (
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
)

// W33: a contract is told of from 60 days before its end, by the desk's own days.
func TestContractsEnding(t *testing.T) {
	c := &config.Config{Zone: time.FixedZone("", 3600), Vendors: []config.Vendor{
		{Name: "open"}, {Name: "soon", Until: "2026-12-31"}, {Name: "later", Until: "2027-06-30"}, {Name: "over", Until: "2026-10-31"}}}
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var said []string
	for _, f := range contractsEnding("desk.yaml", c, now) {
		said = append(said, f.Code+" "+f.Path+": "+f.What)
	}
	want := "W33 vendors.soon.until: the contract ends on 2026-12-31\nW33 vendors.over.until: the contract ended on 2026-10-31: requests may not be answered"
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	c.Vendors = []config.Vendor{{Name: "today", Until: "2026-11-22"}}
	if f := contractsEnding("desk.yaml", c, now); len(f) != 1 || strings.Contains(f[0].What, "ended") {
		t.Errorf("on its last day a contract is over: %v", f)
	}
}

// What the configuration says of tiers and third parties arrives in the rules.
func TestTiersOfTheRules(t *testing.T) {
	c := &config.Config{Calendars: []config.Calendar{{Name: "always", Zone: time.UTC, Hours: map[time.Weekday][]config.Interval{}}}}
	for day := time.Sunday; day <= time.Saturday; day++ {
		c.Calendars[0].Hours[day] = []config.Interval{{From: 0, To: 24 * 60}}
	}
	c.Calendar = "always"
	c.Vendors = []config.Vendor{{Name: "pg", Calendar: "always", Reference: `\[PGP-(\d+)\]`, Respond: time.Hour}}
	rules := &tickets.Rules{}
	if err := buildTiers(c, rules); err != nil {
		t.Fatal(err)
	}
	v := rules.Vendors["pg"]
	if m := v.Reference.FindStringSubmatch("Re: [PGP-4711] x"); len(m) != 2 || m[1] != "4711" || v.Calendar == nil {
		t.Errorf("vendor %+v", v)
	}
	c.Vendors[0].Calendar = "none"
	if err := buildTiers(c, rules); err == nil {
		t.Error("a calendar that is not there is taken")
	}
}
