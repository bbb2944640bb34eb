package classify

import (
	"fmt"
	"strings"
	"testing"

	"supportd/tickets"
)

func BenchmarkClassify(b *testing.B) {
	k := newClassifier(b, Config{AuthservID: []string{"mx.desk.example"}, Answers: []Answer{
		{Name: "hours", Match: Match{Text: Text{Words: []string{"opening hours"}}}},
	}})
	header := "Authentication-Results: mx.desk.example; dmarc=pass header.from=kunde.example; dkim=pass header.d=kunde.example\n" + arrived + customer
	report := letter(b, "Return-Path: <>\nFrom: MAILER-DAEMON@mx.desk.example\nSubject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\n",
		"<bob@firm.example>: host mx.firm.example said: 550 5.1.1 User unknown (in reply to RCPT TO command)\n")
	report.Machine = []tickets.MachinePart{{Type: "message/delivery-status", Data: []byte("Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; bob@firm.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n")}}
	for _, bb := range []struct {
		name string
		m    *tickets.Message
	}{
		{"customer", letter(b, header, strings.Repeat("The printer does not print any more since Monday.\n", 20))},
		{"report", report},
		{"1MiB", letter(b, header, strings.Repeat("could not be delivered to <x@y.example>: 550 5.1.\n", 20000))},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				k.Classify(bb.m, tickets.Hints{})
			}
		})
	}
}

// BenchmarkRules measures what 500 routes and 200 rules cost a message, beside the same message without them.
func BenchmarkRules(b *testing.B) {
	text := strings.Repeat("Seit Montag druckt der Netzwerkdrucker im zweiten Stock nicht mehr, bitte um Hilfe. ", 12)
	m := letter(b, customer, text)
	m.Language = tickets.Language{Code: "de", Confidence: 1}
	for _, bb := range []struct {
		name string
		c    Config
	}{{"none", Config{Team: "desk"}}, {"500 routes 200 rules", large()}} {
		b.Run(bb.name, func(b *testing.B) {
			k := newClassifier(b, bb.c)
			b.ReportAllocs()
			for b.Loop() {
				k.Classify(m, tickets.Hints{Mailbox: "service"})
			}
		})
	}
}

// large is a desk with 500 routes and 200 rules of all sorts, of which the last route matches.
func large() Config {
	c := serviceDesk()
	c.Routes = Route{Name: "root", To: "service-desk"}
	for i := range 499 {
		r := Route{Name: fmt.Sprintf("route-%d", i), To: "server"}
		switch i % 5 {
		case 0:
			r.Match = when(is1("mailbox", fmt.Sprintf("box-%d", i)))
		case 1:
			r.Match = subjectWords(fmt.Sprintf("word%d", i), fmt.Sprintf("two words%d", i))
		case 2:
			r.Match = &Match{Fields: []FieldMatch{is1("language", "de"), {Field: "from", Domain: []string{fmt.Sprintf("firm%d.example", i)}}}}
		case 3:
			r.Match = &Match{Fields: []FieldMatch{is1("category", "network.vpn", "hardware.client")}, Body: Text{Contains: []string{fmt.Sprintf("part%d", i)}}}
		default:
			r.Match = &Match{Any: []Match{*words(fmt.Sprintf("alpha%d", i)), *when(is1("ci.owner_team", fmt.Sprintf("team%d", i)))}}
		}
		c.Routes.Routes = append(c.Routes.Routes, r)
	}
	c.Routes.Routes = append(c.Routes.Routes, Route{Name: "last", To: "network", Match: when(is1("language", "de"))})
	for i := range 200 {
		r := Rule{Name: fmt.Sprintf("rule-%d", i), Add: Additions{Tags: []string{fmt.Sprintf("tag%d", i)}}}
		switch i % 4 {
		case 0:
			r.Match = words(fmt.Sprintf("beta%d", i))
		case 1:
			r.Match = when(is1("priority", "P1"), is1("service_level", fmt.Sprintf("level%d", i)))
		case 2:
			r.Match = &Match{Body: Text{Contains: []string{fmt.Sprintf("gamma%d", i)}}}
		default:
			r.Match = &Match{Body: Text{Regex: fmt.Sprintf(`(?i)\bdelta%d-(\d+)\b`, i)}}
		}
		c.Rules = append(c.Rules, r)
	}
	return c
}
