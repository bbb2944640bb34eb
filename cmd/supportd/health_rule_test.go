package main

import (
	"slices"
	"testing"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/mailout"
	"supportd/tickets"
)

// What follows from what was seen, without any server: each trouble is found alone, and what has another cause is not
// told a second time.
func TestHealthChecks(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c := &config.Config{Path: "supportd.yaml", State: "state", Health: config.Health{PollFailure: 10 * time.Minute, OutboxAfter: time.Hour, WarnBefore: 14 * 24 * time.Hour, TellOfSilence: true}}
	fine := func() vitals {
		return vitals{
			now:          now,
			status:       statusView{Mailboxes: []mailboxView{{Name: "support", Connected: true}}, Accounts: []accountView{{Name: "a", Login: "support", Expires: now.Add(time.Hour)}}},
			servers:      []mailout.ServerStatus{{Name: "default", Connected: true}},
			silences:     map[string]tickets.Silence{"support": {}},
			certificates: map[string]time.Time{"imap support": now.Add(90 * 24 * time.Hour)},
			free:         500, floor: 200, freeKnown: true,
		}
	}
	for name, test := range map[string]struct {
		see   func(*vitals)
		wrong []string // keys that are wrong, in order
		none  []string // keys about which nothing is known
	}{
		"all is well":      {func(*vitals) {}, nil, nil},
		"still connecting": {func(v *vitals) { v.status.Mailboxes[0].Connected = false; delete(v.silences, "support") }, nil, []string{"mailbox support", "silence support"}},
		"mailbox": {func(v *vitals) {
			v.status.Mailboxes[0] = mailboxView{Name: "support", Error: "refused"}
			delete(v.silences, "support")
		}, []string{"mailbox support"}, []string{"silence support"}},
		"server": {func(v *vitals) {
			v.servers[0] = mailout.ServerStatus{Name: "default", LastError: "refused"}
			v.overdue = 7
		}, []string{"smtp default"}, []string{"outbox"}},
		"server not tried": {func(v *vitals) { v.servers[0].Connected = false }, nil, []string{"smtp default"}},
		"outbox":           {func(v *vitals) { v.overdue = 7 }, []string{"outbox"}, nil},
		"given up":         {func(v *vitals) { v.givenUp = 2 }, []string{"given up"}, nil},
		"silence":          {func(v *vitals) { v.silences["support"] = tickets.Silence{Unusual: true} }, []string{"silence support"}, nil},
		"disk":             {func(v *vitals) { v.free = 199 }, []string{"disk"}, nil},
		"disk not known":   {func(v *vitals) { v.free, v.freeKnown = 0, false }, nil, nil},
		"configuration":    {func(v *vitals) { v.status.ReloadErr = "line 1\nline 2" }, []string{"configuration"}, nil},
		"certificate":      {func(v *vitals) { v.certificates["imap support"] = now.Add(13 * 24 * time.Hour) }, []string{"certificate imap support"}, nil},
		"consent":          {func(v *vitals) { v.status.Accounts[0].ConsentEnds = now.Add(24 * time.Hour) }, []string{"consent a"}, nil},
		"token":            {func(v *vitals) { v.status.Accounts[0].Error = "invalid_grant" }, []string{"tokens of a"}, nil},
		"token and servers": {func(v *vitals) {
			v.status.Accounts[0].Error = "invalid_grant"
			v.status.Mailboxes[0] = mailboxView{Name: "support", Error: "no token: invalid_grant"}
			v.servers[0] = mailout.ServerStatus{Name: "default", LastError: "no token: invalid_grant"}
			delete(v.silences, "support")
		}, []string{"smtp default", "tokens of a"}, []string{"mailbox support", "outbox", "silence support"}},
	} {
		v := fine()
		test.see(&v)
		var wrong, none []string
		for _, check := range healthChecks(c, v) {
			switch {
			case check.State == tickets.HealthWrong:
				wrong = append(wrong, check.Key)
			case check.State == tickets.HealthUnknown:
				none = append(none, check.Key)
			}
			if check.Line.Key == "" && check.State == tickets.HealthWrong {
				t.Errorf("%s: nothing to say about %s", name, check.Key)
			}
			if name == "token and servers" && check.Key == "smtp default" && now.Sub(now.AddDate(-1, 0, 0)) >= check.After {
				t.Errorf("%s: the server is told of beside the tokens", name)
			}
		}
		if !slices.Equal(wrong, test.wrong) || !slices.Equal(none, test.none) {
			t.Errorf("%s: wrong %v, want %v; not known %v, want %v", name, wrong, test.wrong, none, test.none)
		}
	}
}
