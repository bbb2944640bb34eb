package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is said of agents and overviews names somebody of the desk, once, and faults say where.
func TestAgentsAndOverviews(t *testing.T) {
	with := func(more string) string {
		return "version: 1\nmailbox: {imap: imap.huber.example, smtp: smtp.huber.example, user: hilfe, password_file: hilfe.pw, trusted: true}\n" +
			"from: Hilfe <hilfe@huber.example>\nteam: [Eva Huber <eva@huber.example>]\n" + more
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hilfe.pw"), []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, findings := Parse("c.yaml", []byte(with("agents: [{who: eva@huber.example, signature: {de: \"Eva\\nWerkstatt\"}}]\ndigests: {personal: {at: \"06:45\", not_for: support}, leads: {on: false}}\nnotices: {together: false}\n")), dir)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	if len(c.Agents) != 1 || c.Agents[0].Signature["de"] != "Eva\nWerkstatt" {
		t.Errorf("agents: %+v", c.Agents)
	}
	if d := c.Digests; d.Personal.At != "06:45" || len(d.Personal.NotFor) != 1 || d.Personal.NotFor[0] != ShortTeam || d.Leads.On {
		t.Errorf("digests: %+v", d)
	}
	if c.Notices.AtMost != 0 {
		t.Errorf("notices: %+v", c.Notices)
	}
	for more, want := range map[string]string{
		"agents: [{who: x@elsewhere.example, signature: {de: x}}]\n":                               "5:11: agents[0].who: x@elsewhere.example is nobody of this desk",
		"agents: [{who: eva@huber.example}, {who: Eva@huber.example}]\n":                           "5:37: agents[1].who: eva@huber.example stands here a second time",
		"agents: [{who: eva@huber.example, signature: {de: " + strings.Repeat("a", 1001) + "}}]\n": "5:47: agents[0].signature.de: is 1001 octets long",
		"digests: {personal: {not_for: nobody}}\n":                                                 "5:22: digests.personal.not_for",
		"digests: {leads: {at: \"25:00\"}}\n":                                                      "5:19: digests.leads.at",
		"notices: {at_most: viele}\n":                                                              "5:11: notices.at_most",
	} {
		_, findings := Parse("c.yaml", []byte(with(more)), dir)
		if err := findings.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", more, err, want)
		}
	}
}
