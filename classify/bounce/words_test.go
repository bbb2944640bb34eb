package bounce

import (
	"slices"
	"strings"
	"testing"

	"supportd/tickets"
)

// TestReasonAndStatus goes from a server's words to the status code and to whether trying again can help.
func TestReasonAndStatus(t *testing.T) {
	for _, tt := range []struct {
		written, words string
		why            reason
		status         string
		hard           bool
	}{
		{"", "550 5.1.1 <bob@firm.example>: User unknown", userUnknown, "5.1.1", true},
		{"", "550-5.1.1 The email account does not exist.\n550 5.1.1 Learn more", userUnknown, "5.1.1", true},
		{"", "550 user unknown", userUnknown, "5.0.911", true},
		{"", "450 4.1.1 User unknown in virtual alias table", userUnknown, "4.1.1", true},
		{"", "450 user unknown", userUnknown, "4.0.911", true},
		{"", "Sorry, no mailbox here by that name. (#5.1.1)", userUnknown, "5.1.1", true},
		{"5.0.0", "550 #5.1.0 Address rejected.", userUnknown, "5.1.0", true},
		{"4.4.7", "450 4.7.1 Client host rejected: cannot find your hostname", requirePTR, "4.7.1", false},
		{"5.1.1", "smtp; 550 5.0.0 no", unknown, "5.1.1", true},
		{"5.2.2", "", unknown, "5.2.2", false},
		{"5.0.0", "550 not today", unknown, "5.0.0", true},
		{"", "nothing of use", unknown, "5.0.900", false},
		{"", "554 4.4.7 Message expired <421 4.4.2 Connection timed out>", expired, "4.4.2", false},
		{"", "retry timeout exceeded", expired, "4.0.947", false},
		{"", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using rbl.example", blocked, "5.7.1", false},
		{"", "553 see http://www.spamhaus.org/query/bl?ip=192.0.2.1", blocked, "5.0.971", false},
		{"", "550 5.7.1 see http://example.org/user-unknown", unknown, "5.7.1", false},
		{"", "550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", authFailure, "5.7.26", false},
		{"", "552 5.3.4 Message too big for system", tooBig, "5.3.4", false},
		{"", "host not found", hostUnknown, "5.0.912", true},
		{"4.0.0", "NXDOMAIN Domain name not found", hostUnknown, "4.0.0", false},
		{"", "this domain has no mx record", notAccepting, "5.0.932", true},
		{"", "551 user has moved", hasMoved, "5.0.916", true},
		{"", "421 4.7.0 too many connections from your host", speeding, "4.7.0", false},
		{"", "version 5.1.1.7 at 192.0.2.550", unknown, "5.0.900", false},
		{"", "250 2.1.5 Ok\n354 go\n451 4.3.0 Error: queue file write error", unknown, "4.3.0", false},
	} {
		why := reasonOf(tt.words)
		if why != tt.why {
			t.Errorf("%q: reason %q, want %q", tt.words, why, tt.why)
		}
		status := settle(tt.written, tt.words, why, false)
		if status != tt.status {
			t.Errorf("%q, %q: status %s, want %s", tt.written, tt.words, status, tt.status)
		}
		if why == unknown {
			why = reasonOfStatus(status)
		}
		if got := hard(why, status); got != tt.hard {
			t.Errorf("%q: hard %v, want %v", tt.words, got, tt.hard)
		}
	}
}

// TestReasonOfStatus holds that each code of RFC 3463 that says why is understood.
func TestReasonOfStatus(t *testing.T) {
	for status, want := range map[string]reason{
		"5.1.1": userUnknown, "5.1.2": hostUnknown, "5.1.6": hasMoved, "5.1.8": rejected, "5.1.10": notAccepting, "5.2.1": suspended,
		"5.2.2": mailboxFull, "5.2.3": tooBig, "5.3.1": systemFull, "5.3.2": notAccepting, "5.3.5": systemError, "4.4.1": network,
		"5.4.4": hostUnknown, "4.4.7": expired, "5.5.2": systemError, "5.6.1": content, "5.7.1": policy, "5.7.25": requirePTR,
		"5.7.26": authFailure, "5.0.0": unknown, "": unknown, "5.9.9": unknown,
	} {
		if got := reasonOfStatus(status); got != want {
			t.Errorf("%s: %q, want %q", status, got, want)
		}
	}
}

func TestStatusField(t *testing.T) {
	for value, want := range map[string]string{
		"5.1.1": "5.1.1", "5.2.1 (mailbox disabled)": "5.2.1", "4.4.7(x)": "4.4.7", "5.1.1000": "", "5.1": "", "9.1.1": "", "5.x.1": "", "": "", "RO": "", "5.-1.1": "",
	} {
		if got := statusField3464(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"<bob@firm.example>: no":                  "bob@firm.example",
		"bob@firm.example.":                       "bob@firm.example",
		"mailto:bob@firm.example, eve@b.c":        "bob@firm.example eve@b.c",
		"rfc822;bob@firm.example":                 "bob@firm.example",
		"orcpt=bob@firm.example":                  "bob@firm.example",
		"bounces+anna=kunde.example@firm.example": "bounces+anna=kunde.example@firm.example",
		"\"bob smith\"@firm.example":              "\"bob smith\"@firm.example",
		"'bob@firm.example'":                      "bob@firm.example",
		"bob..x.@carrier.example":                 "bob..x.@carrier.example",
		"bob@[192.0.2.1]":                         "bob@[192.0.2.1]",
		"börge@фир.example":                       "börge@фир.example",
		"あて先 bob@firm.example。":                   "bob@firm.example",
		"@ a@ @b a@.b a@-b a@b..c \"x@y":          "x@y",
		"*bob@firm.example":                       "bob@firm.example",
		strings.Repeat("x", 400) + "@a.example":   "",
	} {
		var got []string
		for _, s := range addresses(text, 10) {
			got = append(got, s.addr)
			if !strings.HasSuffix(text[:s.end], s.addr[strings.LastIndexByte(s.addr, '@'):]) {
				t.Errorf("%q: %q is not where it is said to be", text, s.addr)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestRecipients finds who was not reached in the words of notices.
func TestRecipients(t *testing.T) {
	for _, tt := range []struct {
		name, notice string
		want         []string
	}{
		{"a list", "The following addresses failed:\n\n  bob@firm.example\n  eve@firm.example\n", []string{"bob@firm.example", "eve@firm.example"}},
		{"named twice", ">>> bob@firm.example <bob@firm.example>\n550 no mailbox\n", []string{"bob@firm.example"}},
		{"in the sentence", "The message to bob@firm.example could not be delivered.\nContact postmaster@firm.example\n", []string{"bob@firm.example"}},
		{"in a transcript", ">>> RCPT To:<bob@firm.example>\n<<< 550 <bob@firm.example>... User unknown\n", []string{"bob@firm.example"}},
		{"not the sender", "Mail from support@desk.example could not be delivered to bob@firm.example\n", []string{"bob@firm.example"}},
		{"not the sender as a field", "   From:    support2@desk.example\nCould not be delivered.\nThe following recipients were affected:\n    bob@firm.example\n", []string{"bob@firm.example"}},
		{"expanded", "----- The following addresses had permanent fatal errors -----\nrobert@firm.example\n    (expanded from: bob@firm.example)\n", []string{"robert@firm.example", "bob@firm.example"}},
		{"kept secret", "The following address(es) failed:\n\n  an undisclosed address\n    (generated from bob@firm.example)\n", []string{"bob@firm.example"}},
		{"a lone address", "Sorry: user bob@firm.example.\n", []string{"bob@firm.example"}},
		{"two that nothing is said about", "bob@firm.example wrote to eve@firm.example about\n", nil},
		{"our own when there is no other", "The following address failed:\n\nsupport@desk.example:\nfull\n", []string{"support@desk.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, m := range recipients(tt.notice, []string{"Support@desk.example"}) {
				got = append(got, m.addr)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestReportInsideReport reads a report that a mail system passes on as an attachment.
func TestReportInsideReport(t *testing.T) {
	inner := "From: postmaster@firm.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.firm.example\n\nFinal-Recipient: rfc822; bob@firm.example\nAction: failed\nStatus: 5.2.2\n\n--b--\n"
	m := notice(daemon, "Undelivered Mail", "", tickets.MachinePart{Type: "message/rfc822", Data: []byte(inner)})
	r, ok := Read(m)
	if !ok || r.Bounce.Status != "5.2.2" || !slices.Equal(r.Bounce.Recipients, []string{"bob@firm.example"}) {
		t.Errorf("read %v: %+v", ok, r)
	}
}

// TestBrokenMIME reads a delivery status that arrived as plain text.
func TestBrokenMIME(t *testing.T) {
	m := notice(daemon, "Undelivered Mail", "--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: RFC822; <bob@firm.example>\nAction: failed\nStatus: 5.1.1\n")
	r, ok := Read(m)
	if !ok || r.Bounce.Status != "5.1.1" || !slices.Equal(r.Bounce.Recipients, []string{"bob@firm.example"}) {
		t.Errorf("read %v: %+v", ok, r)
	}
}

func TestUnescapeUTF8(t *testing.T) {
	for in, want := range map[string]string{
		`b\x{F6}rge`: "börge", `\x{1F600}`: "😀", `\x{D800}`: `\x{D800}`, `\x{110000}`: `\x{110000}`, `\x{A}`: `\x{A}`, `\x{zz}`: `\x{zz}`, `\x{`: `\x{`, `a\x{F6`: `a\x{F6`, `\x{000000000000F6}`: `\x{000000000000F6}`,
	} {
		if got := unescapeUTF8(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestLegible holds that a server's words can be shown anywhere.
func TestLegible(t *testing.T) {
	if got := legible("a\x1b[31m\r\n b\xff" + strings.Repeat("ü", 300)); !strings.HasPrefix(got, "a[31m b\uFFFD") || len(got) > 500 || !strings.HasSuffix(got, "ü") {
		t.Errorf("%q", got)
	}
}
