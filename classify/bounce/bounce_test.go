package bounce

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"supportd/tickets"
)

// notice makes the message that a mail system sends about an undelivered mail.
func notice(from, subject, text string, parts ...tickets.MachinePart) *tickets.Message {
	m := &tickets.Message{
		ReturnPath: "<>",
		Subject:    subject,
		Text:       text,
		To:         []tickets.Address{{Mail: "support@desk.example"}},
		Machine:    parts,
		Fields:     []tickets.Field{{Name: "From", Value: from}, {Name: "Subject", Value: subject}},
	}
	contentType := "text/plain"
	for _, p := range parts {
		contentType = "multipart/mixed; boundary=x"
		if strings.HasSuffix(p.Type, "delivery-status") {
			contentType = "multipart/report; report-type=delivery-status; boundary=x"
			break
		}
	}
	m.Fields = append(m.Fields, tickets.Field{Name: "Content-Type", Value: contentType})
	return m
}

func status(lines string) tickets.MachinePart {
	return tickets.MachinePart{Type: "message/delivery-status", Data: []byte("Reporting-MTA: dns; mx.desk.example\n\n" + lines)}
}

func returned(mediaType string) tickets.MachinePart {
	return tickets.MachinePart{Type: mediaType, Data: []byte("Received: from a by b; now\nMessage-ID:\n <our.1@desk.example>\nTo: Bob <bob@firm.example>\nSubject: Answer\n\nHello")}
}

const daemon = "Mail Delivery System <MAILER-DAEMON@mx.desk.example>"

// TestRead reads the shapes of reports that are in use (S-046): what RFC 3464 asks for, and what servers write instead.
func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name    string
		m       *tickets.Message
		outcome Outcome
		want    tickets.Bounce
	}{
		{"Postfix", notice(daemon, "Undelivered Mail Returned to Sender", "This is the mail system at host mx.desk.example.\n\n<bob@firm.example>: host mx.firm.example[192.0.2.1] said: 550 5.1.1\n    <bob@firm.example>: Recipient address rejected: User unknown (in reply to RCPT TO\n    command)\n",
			status("Final-Recipient: rfc822; bob@firm.example\nOriginal-Recipient: rfc822;bob@firm.example\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.firm.example\nDiagnostic-Code: smtp; 550 5.1.1 <bob@firm.example>: Recipient address\n    rejected: User unknown\n"), returned("message/rfc822")),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.1.1", Hard: true, OriginalID: "our.1@desk.example"}},
		{"Postfix, delayed", notice(daemon, "Delayed Mail (still being retried)", "THIS IS A WARNING ONLY.\n\n<bob@firm.example>: connect to mx.firm.example: Connection timed out\n",
			status("Final-Recipient: rfc822; bob@firm.example\nAction: delayed\nStatus: 4.4.1\nDiagnostic-Code: X-Postfix; connect to mx.firm.example: Connection timed out\nWill-Retry-Until: Sat, 1 Aug 2026 00:00:00 +0000\n"), returned("text/rfc822-headers")),
			Delayed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "4.4.1", Delayed: true, OriginalID: "our.1@desk.example"}},
		{"Exchange Online", notice("Microsoft Outlook <postmaster@firm.example>", "Undeliverable: Answer", "Your message to bob@firm.example couldn't be delivered.\nbob wasn't found at firm.example.\n",
			status("Final-Recipient: rfc822;bob@firm.example\nAction: failed\nStatus: 5.1.10\nDiagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@firm.example not found by SMTP address lookup\n"), returned("message/rfc822")),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.1.10", Hard: true, OriginalID: "our.1@desk.example"}},
		{"the server's own code beats the reporter's", notice(daemon, "Undelivered Mail", "",
			status("Final-Recipient: rfc822; bob@firm.example\nAction: failed\nStatus: 5.0.0 (permanent failure)\nDiagnostic-Code: smtp; 552-5.2.2 The mailbox is over quota\n")),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.2.2"}},
		{"internationalised", notice(daemon, "Undelivered Mail", "",
			tickets.MachinePart{Type: "message/global-delivery-status", Data: []byte("Reporting-MTA: dns; x\n\nFinal-Recipient: utf-8; b\\x{F6}rge@\\x{444}\\x{438}\\x{440}.example\nAction: failed\nStatus: 5.1.1\n")}, returned("message/global")),
			Failed, tickets.Bounce{Recipients: []string{"börge@фир.example"}, Status: "5.1.1", Hard: true, OriginalID: "our.1@desk.example"}},
		{"two recipients, no blank line between", notice(daemon, "Undelivered Mail", "",
			status("Final-Recipient: rfc822; bob@firm.example\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; eve@firm.example\nAction: failed\nStatus: 5.2.2\n")),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example", "eve@firm.example"}, Status: "5.1.1", Hard: true}},
		{"one arrived, one did not", notice(daemon, "Delivery report", "",
			status("Final-Recipient: rfc822; bob@firm.example\nAction: delivered\nStatus: 2.1.5\n\nFinal-Recipient: rfc822; eve@firm.example\nAction: failed\nStatus: 5.1.1\n")),
			Failed, tickets.Bounce{Recipients: []string{"eve@firm.example"}, Status: "5.1.1", Hard: true}},
		{"delivered", notice(daemon, "Delivery report", "",
			status("Final-Recipient: rfc822; bob@firm.example\nAction: delivered\nStatus: 2.1.5\n")),
			Delivered, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "2.1.5"}},
		{"delivered, in words only", notice(daemon, "Delivery Status Notification (Success)", "This is an automatically generated Delivery Status Notification.\n\nYour message has been successfully relayed to the following recipients.\n\n       bob@firm.example\n"),
			Delivered, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: ""}},
		{"a pipe for a recipient", notice(daemon, "Undelivered Mail", "",
			status("Final-Recipient: rfc822;|/usr/bin/filter bob\nOriginal-Recipient: rfc822;bob@firm.example\nAction: failed\nStatus: 5.3.0\n")),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.3.0"}},
		{"Exim", withField(notice(daemon, "Mail delivery failed: returning message to sender", "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  bob@firm.example\n    host mx.firm.example [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<bob@firm.example>:\n    550 no such user here\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <support@desk.example>\nMessage-Id: <our.2@desk.example>\nTo: bob@firm.example\n"), "X-Failed-Recipients", "bob@firm.example"),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.0.911", Hard: true, OriginalID: "our.2@desk.example"}},
		{"Exim, delayed", notice(daemon, "Warning: message 1abc delayed 24 hours", "A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.desk.example.\n\nThe address to which the message has not yet been delivered is:\n\n  bob@firm.example\n    Delay reason: Connection timed out\n"),
			Delayed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "4.0.947", Delayed: true}},
		{"qmail", notice("MAILER-DAEMON@mx.desk.example", "failure notice", "Hi. This is the qmail-send program at mx.desk.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<bob@firm.example>:\nSorry, I couldn't find any host named firm.example. (#5.1.2)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <support@desk.example>\nMessage-ID: <our.3@desk.example>\nTo: bob@firm.example\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.1.2", Hard: true, OriginalID: "our.3@desk.example"}},
		{"Sendmail", notice("Mail Delivery Subsystem <MAILER-DAEMON@mx.desk.example>", "Returned mail: see transcript for details", "The original message was received at Mon, 1 Jun 2026 10:00:00 +0200\nfrom localhost\n\n   ----- The following addresses had permanent fatal errors -----\n<bob@firm.example>\n    (reason: 552 5.2.2 Mailbox full)\n\n   ----- Transcript of session follows -----\n... while talking to mx.firm.example.:\n>>> DATA\n<<< 552 5.2.2 Mailbox full\n554 5.0.0 Service unavailable\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.2.2"}},
		{"Exchange 2003", notice("System Administrator <postmaster@firm.example>", "Undeliverable: Answer", "Your message\n\n  To:      bob@firm.example\n  Subject: Answer\n  Sent:    Mon, 1 Jun 2026 10:00:00 +0200\n\ndid not reach the following recipient(s):\n\nrobert@firm.example on Mon, 1 Jun 2026 10:00:05 +0200\n    The recipient name is not recognized\n    MSEXCH:IMS:FIRM:SITE:HOST 0 (000C05A6) Unknown Recipient\n"),
			Failed, tickets.Bounce{Recipients: []string{"robert@firm.example"}, Status: "5.0.911", Hard: true}},
		{"Notes", notice("postmaster@firm.example", "Undeliverable message", "------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\nbob@firm.example\n\n------- Returned Message --------\nMessage-ID: <our.4@desk.example>\nFrom: support@desk.example\nTo: bob@firm.example\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.0.911", Hard: true, OriginalID: "our.4@desk.example"}},
		{"Gmail", notice("Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)", "Delivery to the following recipient failed permanently:\n\n     bob@firm.example\n\nTechnical details of permanent failure:\nGoogle tried to deliver your message, but it was rejected. The error was: 550 550 5.1.1 unknown user (state 14).\n\n----- Original message -----\n\nMessage-ID: <our.5@desk.example>\nSubject: Answer\nTo: bob@firm.example\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.1.1", Hard: true, OriginalID: "our.5@desk.example"}},
		{"Yahoo", notice("MAILER-DAEMON@yahoo.com", "Failure Notice", "Sorry, we were unable to deliver your message to the following address.\n\n<bob@firm.example>:\nNo mx record found for domain=firm.example\n\n--- Below this line is a copy of the message.\n\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.0.932", Hard: true}},
		{"a provider about its own customer", notice("Mail Delivery Subsystem <MAILER-DAEMON@provider.example>", "Mail Delivery Problem", "Your mail to the following recipients could not be delivered because\nthey are not accepting mail from support@desk.example:\n\tbob\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@provider.example"}, Status: "5.0.918"}},
		{"OpenSMTPD", notice("Mailer Daemon <MAILER-DAEMON@mx.desk.example>", "Delivery status notification: error", "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\nbob@firm.example: 550 5.2.1 Account is disabled\n\n    Below is a copy of the original message:\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.2.1"}},
		{"a carrier, in Japanese", notice("Postmaster@carrier.example", "Mail System Error - Returned Mail", "次のあて先へのメッセージはエラーのため送信できませんでした。\n\nThe user(s) account is disabled.\n\n<bob@carrier.example>\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@carrier.example"}, Status: "5.0.921"}},
		{"a filter that answers after the mail", notice(daemon, "Undelivered Mail", "<bob@firm.example>: host mx.firm.example said: 550 user unknown (in reply to end of DATA command)\n", returned("message/rfc822")),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.0.910", OriginalID: "our.1@desk.example"}},
		{"German", notice("Mail Delivery System <mailer-daemon@provider.example>", "Unzustellbar: Antwort", "Ihre Nachricht konnte nicht zugestellt werden an:\n\n  bob@firm.example\n\nPostfach voll\n", returned("message/rfc822")),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.0.922", OriginalID: "our.1@desk.example"}},
		{"only the returned mail names the recipient", notice(daemon, "Returned mail", "Your mail could not be delivered. It is attached.\n", returned("message/rfc822")),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.0.900", OriginalID: "our.1@desk.example"}},
		{"quoted copy", notice("Postmaster@firm.example", "Mail Delivery Failure", "Delivery of email to this address\n\n\"bob@firm.example\"\n\nhas failed due to a full mailbox.\n\nThe first 50 lines of your original message follow:\n> Received: from a by b\n> Message-Id: <our.6@desk.example>\n> To: bob@firm.example\n"),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.0.922", OriginalID: "our.6@desk.example"}},
		{"Amazon SES", notice("no-reply@sns.amazonaws.com", "AWS Notification Message", `{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"bob@firm.example","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{"headers":[{"name":"Message-ID","value":"<our.7@desk.example>"}]}}`),
			Failed, tickets.Bounce{Recipients: []string{"bob@firm.example"}, Status: "5.1.1", Hard: true, OriginalID: "our.7@desk.example"}},
		{"Amazon SES, delivered", notice("no-reply@sns.amazonaws.com", "AWS Notification Message", `{"Type":"Notification","Message":"{\"notificationType\":\"Delivery\",\"delivery\":{\"recipients\":[\"bob@firm.example\"],\"smtpResponse\":\"250 ok\"}}"}`),
			Delivered, tickets.Bounce{Recipients: []string{"bob@firm.example"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := Read(tt.m)
			if !ok {
				t.Fatal("not read as a delivery report")
			}
			if r.Outcome != tt.outcome {
				t.Errorf("outcome %d, want %d", r.Outcome, tt.outcome)
			}
			got := r.Bounce
			got.Diagnostic = ""
			if !slices.Equal(got.Recipients, tt.want.Recipients) || got.Status != tt.want.Status || got.Hard != tt.want.Hard || got.Delayed != tt.want.Delayed || got.OriginalID != tt.want.OriginalID {
				t.Errorf("got  %+v\nwant %+v\nwords %q", got, tt.want, r.Bounce.Diagnostic)
			}
			if r.Why == "" {
				t.Error("no reason why it is a report")
			}
		})
	}
}

func withField(m *tickets.Message, name, value string) *tickets.Message {
	m.Fields = append(m.Fields, tickets.Field{Name: name, Value: value})
	return m
}

// TestOriginalIDFromAnsweredMail takes In-Reply-To where nothing is returned.
func TestOriginalIDFromAnsweredMail(t *testing.T) {
	m := notice(daemon, "Undelivered Mail", "<bob@firm.example> could not be delivered: user unknown")
	m.InReplyTo = []string{"our.8@desk.example"}
	r, ok := Read(m)
	if !ok || r.Bounce.OriginalID != "our.8@desk.example" {
		t.Errorf("read %v, original %q", ok, r.Bounce.OriginalID)
	}
}

// TestReadOrdinaryMail holds that nobody's own mail is taken for a report.
func TestReadOrdinaryMail(t *testing.T) {
	person := func(subject, text string, fields ...tickets.Field) *tickets.Message {
		return &tickets.Message{Author: "anna@kunde.example", ReturnPath: "anna@kunde.example", Subject: subject, Text: text,
			Fields: append([]tickets.Field{{Name: "From", Value: "Anna <anna@kunde.example>"}}, fields...)}
	}
	for name, m := range map[string]*tickets.Message{
		"asks":       person("Undelivered mail", "My mail to <bob@firm.example> could not be delivered:\n550 5.1.1 user unknown"),
		"forwards":   person("Fwd: Returned mail: see transcript for details", "   ----- The following addresses had permanent fatal errors -----\n<bob@firm.example>\n"),
		"on a list":  person("Undelivered Mail Returned to Sender", "<bob@firm.example>: host said: 550 5.1.1", tickets.Field{Name: "List-Id", Value: "<users.lists.example>"}, tickets.Field{Name: "Precedence", Value: "bulk"}),
		"in an auto": person("Delivery failed", "Your parcel could not be delivered.", tickets.Field{Name: "Auto-Submitted", Value: "auto-generated"}),
		"empty":      {},
		"away":       {ReturnPath: "<>", Subject: "Abwesend", Text: "Ich bin im Urlaub. Ihre Mail wurde nicht zugestellt an meine Vertretung.", Fields: []tickets.Field{{Name: "From", Value: "Bob <bob@firm.example>"}, {Name: "Auto-Submitted", Value: "auto-replied"}}},
	} {
		if r, ok := Read(m); ok {
			t.Errorf("%s: read as a report: %s", name, r.Why)
		}
	}
}

var statusForm = regexp.MustCompile(`^(?:|[245]\.[0-9]{1,3}\.[0-9]{1,3})$`)

func check(t *testing.T, r Report) {
	t.Helper()
	if !statusForm.MatchString(r.Bounce.Status) {
		t.Errorf("status %q", r.Bounce.Status)
	}
	if len(r.Bounce.Recipients) > maxRecipients {
		t.Errorf("%d recipients", len(r.Bounce.Recipients))
	}
	for _, s := range append(r.Bounce.Recipients, r.Bounce.Diagnostic) {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x00") {
			t.Errorf("%q is not fit to be shown", s)
		}
	}
	for _, a := range r.Bounce.Recipients {
		if !strings.Contains(a, "@") || len(a) > maxAddress {
			t.Errorf("recipient %q", a)
		}
	}
}

func FuzzDSN(f *testing.F) {
	f.Add("Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n", "could not be delivered to <a@b.example>: 550 5.1.1")
	f.Add("Final-Recipient: utf-8; \\x{F6}@\\x{110000}\\x{\nStatus: 9.9.9\nDiagnostic-Code: \xff\x00", "--- Below this line is a copy\nMessage-ID: <x")
	f.Add("", `{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"\u0000"}]}}`)
	f.Add("0", "\"\x00\"@0")
	f.Add("0", "550 <a@[\x01]> unknown")
	f.Add("Original-Recipient:\n\t;;@\n", "RCPT To:<\"a b\"@[192.0.2.1]>\n<<< 550")
	f.Fuzz(func(t *testing.T, data, text string) {
		text = strings.ToValidUTF8(text, "")
		m := notice(daemon, "Undelivered Mail", text, tickets.MachinePart{Type: "message/delivery-status", Data: []byte(data)}, tickets.MachinePart{Type: "message/rfc822", Data: []byte(text)})
		if r, ok := Read(m); ok {
			check(t, r)
		}
		if r, ok := Read(notice(daemon, "Undelivered Mail", text)); ok {
			check(t, r)
		}
	})
}
