package main

import (
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
)

// What says who somebody is, is replaced, the same by the same; what does not stays.
func TestAnonymiseText(t *testing.T) {
	c := &config.Config{
		Mailboxes: []config.Mailbox{{Addresses: []string{"service@nordwind.example"}}},
		CMDB:      nil,
	}
	for text, want := range map[string]string{
		"ruf 040 an, Raum 12":                            "ruf 101 an, Raum 12",
		"4711 und 4712 und 4711":                         "1001 und 1002 und 1001",
		"an service@nordwind.example":                    "an service@nordwind.example",
		"an a@x.example, b@x.example, A@X.example":       "an person-1@customer-1.example, person-2@customer-1.example, person-1@customer-1.example",
		"https://x.example/a?b=c und https://x.example/": "https://link-1.example/ und https://link-2.example/",
		"von 10.1.2.3 nach 10.1.2.3":                     "von 192.0.2.1 nach 192.0.2.1",
		"Frau Brunnen sagt, Brunnen sei da":              "Frau Muster sagt, Muster sei da",
		"Hallo Bodo Brunnen,\nBodo fehlt":                "Hallo Kim Muster,\nKim fehlt",
		"Fehler NB-88123":                                "Fehler NB-10001",
	} {
		if got := newAnonymiser(c).text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// Whatever a mail holds, what is made of it is a mail that says nothing of its author's address, and is the same each time.
func FuzzAnonymise(f *testing.F) {
	f.Add("Sabine Krause", "s.krause@muster.example", "VPN", "Guten Tag, Krause hier.\n\nMit freundlichen Grüßen\nS. Krause")
	f.Add("", "a.b@c-d.example", "Re: 4711", "a.b@c-d.example\r\nFrom: x\r\n\r\n")
	f.Add("Drucker Hotline", "x@[192.0.2.1]", "", "\x00\xff")
	f.Fuzz(func(t *testing.T, name, address, subject, text string) {
		m := &tickets.Message{From: []tickets.Address{{Name: name, Mail: address}}, ReturnPath: address, Subject: subject, Reply: text,
			Fields: []tickets.Field{{Name: "Authentication-Results", Value: "mx.example; dmarc=pass header.from=" + subject}}, Date: time.Unix(1e9, 0)}
		made := newAnonymiser(&config.Config{}).mail(m, "NW-2026-000001")
		if again := newAnonymiser(&config.Config{}).mail(m, "NW-2026-000001"); string(again) != string(made) {
			t.Fatalf("not the same twice:\n%s\n%s", made, again)
		}
		read := mailin.Parse(made, time.Unix(1e9, 0))
		if read.ID != "nw-2026-000001@fixture.example" {
			t.Fatalf("the header is broken:\n%s", made)
		}
		local, domain, ok := strings.Cut(strings.ToLower(address), "@")
		if ok && len(local) > 3 && len(domain) > 3 && strings.Contains(strings.ToLower(string(made)), "<"+local+"@"+domain+">") {
			t.Fatalf("the author's address is still there:\n%s", made)
		}
	})
}

// Whatever stands in a table, reading it ends with tests or with an error that names the file.
func FuzzTable(f *testing.F) {
	f.Add("- mail: a.eml\n  expect: {team: x, tags: [a, b]}\n")
	f.Add("- {mail: a, follows: b, at: c, mailbox: d, expect: {rules: []}}")
	f.Add("- mail: &a x\n  expect: {team: *a}\n- *a")
	f.Add("[[[")
	f.Fuzz(func(t *testing.T, text string) {
		cases, err := parseTable("t.yaml", []byte(text))
		if err != nil && !strings.HasPrefix(err.Error(), "t.yaml:") {
			t.Fatalf("the error does not say where: %v", err)
		}
		for _, c := range cases {
			if err == nil && (c.mail == "" || len(c.expect) == 0 || c.line == 0) {
				t.Fatalf("half a test: %+v", c)
			}
		}
	})
}
