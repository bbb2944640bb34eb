package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"supportd/classify"
	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
)

// deskConfig loads the service desk of forty agents from the examples.
func deskConfig(t *testing.T) *config.Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/config")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"service.pw", "alerts.pw"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KONTOR_PASSWORD", "not-a-real-password")
	c, findings := config.Load(filepath.Join(dir, "desk.yaml"))
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPeopleOfTheTableAreAgents(t *testing.T) {
	c := deskConfig(t)
	r, err := buildRules(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Agents) != 40 || len(c.People) != 40 {
		t.Errorf("%d agents of %d people, want 40", len(r.Agents), len(c.People))
	}
	if got := r.Agents["k.brandt@nordwind.example"]; got.Name != "Kim Brandt" || got.Language != "de" {
		t.Errorf("got %+v", got)
	}
	desk, network := r.Teams["service-desk"], r.Teams["network"]
	if !slices.Contains(desk.Members, "k.brandt@nordwind.example") || len(desk.Members) != 12 || desk.Tier != 1 || desk.Lead != "k.brandt@nordwind.example" {
		t.Errorf("service-desk is %+v", desk)
	}
	if !slices.Contains(network.Members, "j.petersen@nordwind.example") || len(network.Members) != 4 || network.Tier != 2 || network.Lead != "j.petersen@nordwind.example" {
		t.Errorf("network is %+v", network)
	}
	if r.DefaultTeam != "service-desk" || !r.Mailboxes["alerts"].Monitoring {
		t.Errorf("default team %q, alerts %+v", r.DefaultTeam, r.Mailboxes["alerts"])
	}
}

// TestDeskDecides holds that the example does what its file says: category, derived values, priority, route and rules.
func TestDeskDecides(t *testing.T) {
	r, err := buildRules(deskConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, mailbox, mail string
		category, ci        string
		impact, urgency     string
		priority, team      string
		route               []string
		tags, watchers      []string
	}{
		{"VPN on a critical item", "service", "From: a@sachs.example\nSubject: VPN bricht ab\n\nSeit heute früh bricht der VPN Tunnel ab.\n",
			"network.vpn", "SVC-VPN", "low", "high", "P3", "service-desk", []string{"root"}, nil, nil},
		{"phishing", "service", "From: a@sachs.example\nSubject: Phishing\n\nIch habe eine verdächtige Mail bekommen, Phishing?\n",
			"security.phishing", "unknown", "low", "high", "P3", "security", []string{"root", "phishing"}, nil, nil},
		{"a VIP of gold", "service", "From: p@senat.example\nSubject: Drucker: Totalausfall\n\nDer Drucker SRV-4711 hat Papierstau, das betrifft alle hier bei uns im Haus.\n",
			"hardware.printer", "SRV-4711", "high", "high", "P1", "service-desk", []string{"root"}, []string{"vip"},
			[]string{"k.brandt@nordwind.example", "r.schroeder@nordwind.example"}},
		{"wishes of the other brand", "kontor", "From: a@elsewhere.example\nSubject: Passwort\n\nIch habe mein Passwort vergessen und das Konto ist gesperrt.\n",
			"access.password", "unknown", "low", "low", "P5", "service-desk", []string{"root", "kontorsoft", "kontorsoft-howto"}, nil, nil},
		{"English", "service", "From: a@elsewhere.example\nSubject: A question about the invoice\n\nHello, could you please tell me when the next invoice is going to be sent to us? Thank you very much.\n",
			"other", "unknown", "low", "low", "P5", "service-desk-en", []string{"root", "english"}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := []byte("To: service@nordwind.example\nDate: Mon, 23 Nov 2026 09:00:00 +0100\nMessage-ID: <x@y.example>\nContent-Type: text/plain; charset=utf-8\n" + c.mail)
			v := r.Classifier.Classify(mailin.Parse(raw, time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)), tickets.Hints{Mailbox: c.mailbox})
			slices.Sort(v.Watchers)
			got := []string{v.Category.Name, v.CI, v.Impact, v.Urgency, v.Priority, v.Team}
			if want := []string{c.category, c.ci, c.impact, c.urgency, c.priority, c.team}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if !slices.Equal(v.Route, c.route) || !slices.Equal(v.Tags, c.tags) || !slices.Equal(v.Watchers, c.watchers) {
				t.Errorf("route %q, tags %q, watchers %q; want %q, %q, %q", v.Route, v.Tags, v.Watchers, c.route, c.tags, c.watchers)
			}
		})
	}
}

// TestVerdictFields holds that each filter field that the configuration can name holds mail, so that naming it says
// what happens (S-067).
func TestVerdictFields(t *testing.T) {
	k, err := classify.New(deskConfig(t).Classification())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"X-Spam-Flag": "YES", "X-Spam-Status": "Yes, score=9", "X-Spam": "Yes", "X-Rspamd-Action": "add header", "X-Bogosity": "Spam", "X-DSPAM-Result": "Spam",
		"X-Forefront-Antispam-Report": "SFV:SPM;", "X-Microsoft-Antispam-Mailbox-Delivery": "dest:J;", "X-Virus-Status": "Infected", "X-Virus-Flag": "YES", "X-Amavis-Alert": "INFECTED",
	} {
		for _, f := range []struct {
			value string
			held  bool
		}{{value, true}, {"No", false}} {
			m := mailin.Parse([]byte("From: a@b.example\nSubject: x\n"+name+": "+f.value+"\n\ntext\n"), time.Time{})
			if v := k.Classify(m, tickets.Hints{Mailbox: "service"}); (v.Quarantine != "") != f.held {
				t.Errorf("%s: %s: quarantine %q, want held %t", name, f.value, v.Quarantine, f.held)
			}
		}
	}
}
