package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"supportd/classify"
)

// deskWith is a small desk whose staff, customers and items stand in people.csv, customers.csv and cmdb.csv.
const deskWith = `version: 1
organisation: {people: people.csv, customers: customers.csv, cmdb: cmdb.csv}
mailbox: {imap: imap.huber.example, smtp: smtp.huber.example, user: hilfe, password: "${SUPPORT_PASSWORD}", trusted: true}
from: Huber <hilfe@huber.example>
teams: {front: {lead: KIM}, back: {tier: 2, members: [zoe@huber.example]}}
rules:
  - {name: vip, match: {customer.vip: true}, add: {watchers: [kim, Zoe <zoe@huber.example>], notify: [team_lead, kim]}}
`

// TestTables reads the same tables as different spreadsheets write them.
func TestTables(t *testing.T) {
	t.Chdir(t.TempDir())
	people := [][]string{{"id", "name", "mail", "teams", "skills"}, {"kim", "Brändt, Kim", "Kim@Huber.example", "front;back", "vpn; wlan"}, {"", "", "", "", ""}}
	customers := [][]string{{"organisation", "domains", "vip", "addresses"}, {"Nord", "nord.example;Nord-2.example", "ja", ""}, {"Süd", "", "a@x.example; b@x.example", "a@x.example;b@x.example"}}
	items := [][]string{{"CI", "owner_team", "depends_on"}, {"SRV-1", "back", ""}, {"SRV-2", "front", "SRV-1"}}
	for name, write := range map[string]func([][]string) string{
		"commas":          func(rows [][]string) string { return joined(rows, ",", "\n") },
		"semicolons":      func(rows [][]string) string { return joined(rows, ";", "\r\n") },
		"tabs":            func(rows [][]string) string { return joined(rows, "\t", "\n") },
		"byte order mark": func(rows [][]string) string { return "\uFEFF" + joined(rows, ";", "\r\n") },
	} {
		for file, rows := range map[string][][]string{"people.csv": people, "customers.csv": customers, "cmdb.csv": items} {
			if err := os.WriteFile(file, []byte(write(rows)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, findings := parse("desk.yaml", []byte(deskWith), ".", environment)
		if c == nil || len(findings) > 0 {
			t.Fatalf("%s: %s", name, said(findings))
		}
		got := []any{c.People, c.Customers, c.CMDB, c.Teams[0].Lead.Mail, len(c.Teams[1].Members)}
		want := []any{
			[]classify.Person{{ID: "kim", Name: "Brändt, Kim", Mail: "kim@huber.example", Teams: []string{"front", "back"}, Skills: []string{"vpn", "wlan"}}},
			[]classify.Customer{{Organisation: "Nord", Domains: []string{"nord.example", "nord-2.example"}, VIP: true},
				{Organisation: "Süd", Addresses: []string{"a@x.example", "b@x.example"}, VIPs: []string{"a@x.example", "b@x.example"}}},
			[]classify.CI{{ID: "SRV-1", OwnerTeam: "back"}, {ID: "SRV-2", OwnerTeam: "front", DependsOn: []string{"SRV-1"}}},
			"kim@huber.example", 2}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		add := c.Classification().Rules[0].Add
		if !slices.Equal(add.Watchers, []string{"kim@huber.example", "zoe@huber.example"}) || !slices.Equal(add.Notify, []string{"team_lead", "kim@huber.example"}) {
			t.Errorf("%s: the rule adds %+v", name, add)
		}
		for _, file := range []string{"people.csv", "customers.csv", "cmdb.csv"} {
			if !slices.Contains(c.Files, file) {
				t.Errorf("%s is not watched", file)
			}
		}
	}
}

// joined writes rows as CSV, every cell that needs it in quotes.
func joined(rows [][]string, separator, end string) string {
	var b strings.Builder
	for _, row := range rows {
		for i, text := range row {
			if strings.ContainsAny(text, separator+`"`) {
				text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
			}
			if i > 0 {
				text = separator + text
			}
			b.WriteString(text)
		}
		b.WriteString(end)
	}
	return b.String()
}

// TestTablePlaces holds that a fault in a cell is told with the line and the letter at which it begins.
func TestTablePlaces(t *testing.T) {
	t.Chdir(t.TempDir())
	for table, want := range map[string]string{
		"id,name,mail,teams\nä,Öl,x@huber.example,frnt\n":                  "people.csv:2:22: teams: there is no team \"frnt\"",
		"id,name,mail,teams\nx,\"Öl, Ä\",x@huber.example,\"front;frnt\"\n": "people.csv:2:34: teams: there is no team \"frnt\"",
		"id;name;mail;teams\nx;y;x@huber.example;front;frnt\n":             "people.csv:2:27: the row has more cells than there are columns",
		"id,name,mail\nx,\"a\nb\",x@huber.example\n":                       "people.csv:2:4: name: a line break",
		"id,name,mail\nx,y\n":       "people.csv:2:1: mail: the cell is missing",
		"id,name,mail\n\n\nx,y,z\n": "people.csv:4:5: mail: \"z\" is not a mail address",
		"id,name,mail\n" + strings.Repeat("x", 2001) + ",y,x@huber.example\n": "people.csv:2:1: id: the cell holds more than 2000 letters",
	} {
		if err := os.WriteFile("people.csv", []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(deskWith, ", customers: customers.csv, cmdb: cmdb.csv", "", 1)
		_, findings := parse("desk.yaml", []byte(text), ".", environment)
		if !strings.Contains(said(findings), want) {
			t.Errorf("%q: got\n%swant %s", table, said(findings), want)
		}
	}
}

// TestTableBounds holds that tables cannot grow without bound (S-118).
func TestTableBounds(t *testing.T) {
	t.Chdir(t.TempDir())
	var rows strings.Builder
	rows.WriteString("id,name,mail\n")
	for i := range maxRows + 1 {
		fmt.Fprintf(&rows, "p%d,P,p%d@huber.example\n", i, i)
	}
	for want, table := range map[string]string{
		"the table has more than 50000 rows": rows.String(),
		"is larger than 4194304 octets":      strings.Repeat("x", maxTable+1),
	} {
		if err := os.WriteFile("people.csv", []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(deskWith, ", customers: customers.csv, cmdb: cmdb.csv", "", 1)
		if c, findings := parse("desk.yaml", []byte(text), ".", environment); c != nil || !strings.Contains(said(findings), want) {
			t.Errorf("got %s, want %s", said(findings)[:min(300, len(said(findings)))], want)
		}
	}
}

func TestLocate(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Load([]byte("a:\n  b.c:\n    - {d: 1}\n    - d: 2\n  b: {c: 3}\nlist:\n  - x: 1\nalias: &z {y: 1}\nother: *z\n"), &doc); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a.b.c[1].d": "4:7 a.b.c[1].d", "a[b.c][0]": "3:7 a.b.c[0]", "a.b.c[7].d": "2:3 a.b.c[7].d", "a[b][c]": "5:7 a.b.c",
		"list.items[0].x": "7:5 list.items[0].x", "nothing.at.all": "1:1 nothing.at.all", "other.y": "8:12 other.y", "": "1:1 ",
	} {
		at := locate(doc.Content[0], path)
		if got := fmt.Sprintf("%d:%d %s", at.line, at.col, at.path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
