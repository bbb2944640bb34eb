package classify

import (
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
