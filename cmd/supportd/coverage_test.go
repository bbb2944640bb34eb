package main

import "testing"

// TestPromisedUnstaffed is W21.
func TestPromisedUnstaffed(t *testing.T) {
	const before = `calendars: {standard: {hours: 24/7}, office: {hours: {mo-fr: "08:00-18:00"}, holidays: [DE-HH]}, longer: {hours: {mo-fr: "08:00-20:00"}}}
service_levels: {standard: {calendar: `
	const after = `, targets: {P3: {first_response: 8h}}}}
teams: {desk: {members: [anna@nordwind.example], calendar: office`
	for _, c := range []struct{ name, calendar, team, want string }{
		{"around the clock", "standard", "}}\n", "desk.yaml: warning: calendars.standard: the service level standard counts in it, and in 118 hours of its week no team works and nobody is on call; promise in the hours of the teams, or name on_call in a team"},
		{"two hours a day", "longer", "}}\n", "desk.yaml: warning: calendars.longer: the service level standard counts in it, and in 10 hours of its week no team works and nobody is on call; promise in the hours of the teams, or name on_call in a team"},
		{"the same hours", "office", "}}\n", ""},
		{"on call", "standard", ", on_call: core}}\non_call: {core: {members: [anna@nordwind.example]}}\n", ""},
	} {
		got := ""
		for _, f := range promisedUnstaffed("desk.yaml", load(t, before+c.calendar+after+c.team), 2027) {
			got += f.String()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
