package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// large is the desk of the examples with a tree of 500 routes and 200 rules.
func large(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("desk.yaml")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(data), "\nroutes:\n")
	_, tail, _ := strings.Cut(rest, "\nauto_answers:\n")
	var b strings.Builder
	b.WriteString(head + "\nroutes:\n  name: root\n  to: service-desk\n  routes:\n")
	for i := range 25 {
		fmt.Fprintf(&b, "    - name: group-%d\n      match: {from: {domain: customer%d.example}}\n      routes:\n", i, i)
		for j := range 19 {
			fmt.Fprintf(&b, "        - {name: group-%d-%d, match: {mail.alert_host: host%d, subject: {words: [word%d]}}, to: server}\n", i, j, j, j)
		}
	}
	b.WriteString("rules:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  - {name: rule-%d, match: {words: [word%d, phrase %d], category: network.vpn}, add: {tags: [tag-%d]}}\n", i, i, i, i)
	}
	return []byte(b.String() + "\nauto_answers:\n" + tail)
}

func TestLargeTree(t *testing.T) {
	t.Chdir(examples(t))
	c, findings := parse("large.yaml", large(t), ".", environment)
	if c == nil || len(findings) > 0 {
		t.Fatalf("got %s", said(findings))
	}
	if n := len(routeNames(c.Routes)); n != 501 || len(c.Rules) != 200 {
		t.Errorf("%d routes and %d rules, want 501 and 200", n, len(c.Rules))
	}
}

// TestManyWarnings holds that warnings, however many, neither keep a configuration from being used nor hide an error.
func TestManyWarnings(t *testing.T) {
	t.Chdir(examples(t))
	var b strings.Builder
	b.WriteString("version: 1\nmailbox: {imap: imap.huber.example, smtp: smtp.huber.example, user: hilfe, password_file: hilfe.pw, trusted: true}\n" +
		"from: Huber <hilfe@huber.example>\nteam: [max@huber.example]\ncategories:\n  other: {default: true}\n")
	for i := range 500 {
		fmt.Fprintf(&b, "  c%d: {kind: incident}\n", i)
	}
	c, findings := parse("many.yaml", []byte(b.String()), ".", environment)
	if c == nil || len(findings) != maxWarnings+1 || !strings.Contains(findings[maxWarnings].What, "400 more warnings") {
		t.Errorf("usable: %t, %d findings, the last: %v", c != nil, len(findings), findings[len(findings)-1])
	}
	c, findings = parse("many.yaml", []byte(b.String()+"langauge: de\n"), ".", environment)
	if c != nil || findings.Errors() != 1 {
		t.Errorf("usable: %t, %d errors, want 1", c != nil, findings.Errors())
	}
}

func BenchmarkLoadLargeTree(b *testing.B) {
	b.Chdir(examples(b))
	data := large(b)
	for b.Loop() {
		if c, _ := parse("large.yaml", data, ".", environment); c == nil {
			b.Fatal("does not load")
		}
	}
}
