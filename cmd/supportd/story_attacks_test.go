package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// Attacks on help desks that worked elsewhere, as the mails they consist of, on a whole desk whose mail server tells who is
// authenticated. Nobody outside reads what is not theirs, and nothing is done in anybody's name.

const (
	attacker   = "eve@evil.example"
	victim     = "geschaeftsfuehrung@kunde.example"
	thirdParty = "feedback@slack.example"
)

// attacked is a desk with mailboxes of everybody outside.
func attacked(t *testing.T) (*post, *quietDesk) {
	p := newPost(t)
	return p, p.openDesk("support@desk.example", vouching)
}

// mailTo returns the desk's mails to an address, and fails when there is none.
func (k *quietDesk) lastTo(address string) sentMail {
	k.Helper()
	for i := len(k.sent) - 1; i >= 0; i-- {
		if strings.EqualFold(k.sent[i].Recipient, address) {
			return k.sent[i]
		}
	}
	k.Fatalf("nothing was sent to %s", address)
	return sentMail{}
}

// reads fails the test when an address outside has been sent the words.
func (k *quietDesk) neverRead(address string, words ...string) {
	k.Helper()
	for _, m := range k.sent {
		if !strings.EqualFold(m.Recipient, address) {
			continue
		}
		parsed := mailin.Parse(m.raw, m.at)
		for _, w := range words {
			if strings.Contains(string(m.raw), w) || strings.Contains(parsed.Text, w) || strings.Contains(parsed.Subject, w) {
				k.Errorf("%s was sent %q in %q", address, w, m.Template)
			}
		}
	}
}

// arrive carries a mail, and says how it ended.
func (k *quietDesk) arrive(envelope, to string, raw []byte) tickets.Outcome {
	k.Helper()
	k.set(k.now().Add(time.Minute))
	return k.receive(carried{from: envelope, to: to, raw: raw})
}

// S-090: whoever knows an address of the desk cannot read what a third party sends there (the Ticket Trick): the mail that
// proves an account's owner is held, and none of it reaches the attacker.
func TestTicketTrick_S090(t *testing.T) {
	p, k := attacked(t)
	if out := k.arrive(attacker, k.address, p.writeMail(attacker, k.address, "Frage", "", "Wie sind Ihre Öffnungszeiten?")); out.Result != tickets.Created {
		t.Fatalf("%+v", out)
	}
	to, _, id := replyTo(k.lastTo(attacker).raw)
	if !strings.Contains(to, "+") {
		t.Fatalf("the reply address is %q", to)
	}
	// The attacker signs up at a third party with the ticket's own address.
	confirm := "Confirm your address: https://slack.example/verify/SECRETLINK code 424242"
	for _, fields := range []string{"", "In-Reply-To: " + id + "\r\n"} {
		out := k.arrive(thirdParty, to, p.writeMail(thirdParty, to, "Confirm SECRETSUBJECT", fields, confirm))
		if out.Result != tickets.Quarantined {
			t.Errorf("the third party's mail: %+v", out)
		}
	}
	// … and with the desk's plain address: it is a ticket of the third party's own.
	k.arrive(thirdParty, k.address, p.writeMail(thirdParty, k.address, "Confirm SECRETSUBJECT", "", confirm))
	p.run(48 * time.Hour)
	k.neverRead(attacker, "SECRET", "424242")
	k.sound()
}

// S-091: the third party that was put in Cc first takes no part by that, nor does the attacker in its ticket.
func TestThirdPartyInCopyFirst_S091(t *testing.T) {
	p, k := attacked(t)
	k.arrive(attacker, k.address, p.writeMail(attacker, k.address, "Frage", "Cc: "+thirdParty+"\r\n", "Mit meinem Kollegen in Kopie."))
	to, _, id := replyTo(k.lastTo(attacker).raw)
	out := k.arrive(thirdParty, to, p.writeMail(thirdParty, to, "Confirm", "In-Reply-To: "+id+"\r\n", "https://slack.example/verify/SECRETLINK"))
	if out.Result == tickets.Created {
		t.Errorf("%+v", out)
	}
	p.run(48 * time.Hour)
	k.neverRead(attacker, "SECRET")
	k.sound()
}

// S-092: a mail in the victim's name, with the attacker in Cc, to a guessed number and to a guessed address, adds nobody and
// shows nothing of what was before (CVE-2024-49193).
func TestForgedRequesterWithCopy_S092(t *testing.T) {
	p, k := attacked(t)
	if out := k.arrive(victim, k.address, p.writeMail(victim, k.address, "Vertrag", "", "SECRETHISTORY: unser Angebot an die Bank.")); out.Result != tickets.Created {
		t.Fatalf("%+v", out)
	}
	number := numberPattern.FindString(string(k.lastTo("anna@staff.desk.example").raw))
	for _, to := range []string{k.address, "support+1@desk.example", "support+id1@desk.example", "support+" + strings.ToLower(number) + "@desk.example"} {
		for _, envelope := range []string{attacker, ""} {
			k.arrive(envelope, to, p.writeMail(victim, to, "Re: Vertrag ["+number+"]", "Cc: "+attacker+"\r\n", "Bitte nehmt Eve dazu."))
		}
	}
	// An agent answers what there is.
	notice := k.lastTo("anna@staff.desk.example")
	to, subject, id := replyTo(notice.raw)
	k.arrive("anna@staff.desk.example", to, p.writeMail("anna@staff.desk.example", to, "Re: "+subject, "In-Reply-To: "+id+"\r\n", "Das Angebot ist geprüft."))
	p.run(48 * time.Hour)
	k.neverRead(attacker, "SECRETHISTORY", "Angebot", "Vertrag")
	if n := len(k.to("evil.example")); n > 0 {
		t.Errorf("the attacker got %d mails", n)
	}
	k.sound()
}

// S-086, S-080: mails in an agent's name, to Message-IDs and addresses as other desks make them or with the agent's own,
// reach no customer (CVE-2026-47123): what nobody vouches for is held.
func TestForgedAgent_S086_S080(t *testing.T) {
	p, k := attacked(t)
	const agent = "anna@staff.desk.example"
	k.arrive(victim, k.address, p.writeMail(victim, k.address, "Vertrag", "", "Bitte prüfen."))
	notice := k.lastTo(agent)
	to, _, id := replyTo(notice.raw)
	before := len(k.to("kunde.example"))
	for i, at := range []struct{ to, id string }{
		{to, id}, // the agent's own reply address has leaked
		{k.address, id},
		{k.address, "<notify-1-1@desk.example>"},
		{k.address, "<reply-1-1-abcdef@desk.example>"},
		{"support+1-1@desk.example", ""},
	} {
		fields := ""
		if at.id != "" {
			fields = "In-Reply-To: " + at.id + "\r\nReferences: " + at.id + "\r\n"
		}
		for _, text := range []string{"Überweisen Sie an FALSCHEKONTO.", "#solve\nFALSCHEKONTO", "#note FALSCHEKONTO", "#assign ben"} {
			out := k.arrive(attacker, at.to, p.writeMail(agent, at.to, fmt.Sprintf("Re: Vertrag %d", i), fields, text))
			if out.Result == tickets.Appended {
				t.Errorf("%d, %q: %+v", i, text, out)
			}
		}
	}
	p.run(time.Hour)
	if n := len(k.to("kunde.example")); n != before {
		t.Errorf("the customer got %d mails more", n-before)
	}
	k.neverRead(victim, "FALSCHEKONTO")
	err := k.desk.Store.View(func(tx *tickets.Tx) error {
		tk, err := tx.Ticket(1)
		if err == nil && (tk.State != tickets.StateNew || tk.Assignee != "") {
			t.Errorf("the ticket is %s, of %q", tk.State, tk.Assignee)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	k.sound()
}

// S-064: a thousand mails in a victim's name bring the victim nothing.
func TestBackscatter_S064(t *testing.T) {
	p, k := attacked(t)
	for i := range 200 {
		k.arrive(attacker, k.address, p.writeMail(victim, k.address, fmt.Sprintf("Gewinn %d https://evil.example", i), "", babbleOf(i)))
	}
	p.run(24 * time.Hour)
	if n := len(k.to("kunde.example")); n != 0 {
		t.Errorf("the victim got %d mails", n)
	}
	k.sound()
}

func babbleOf(i int) string { return strings.Repeat(fmt.Sprintf("wort%d ", i), 5) }

// S-202: international addresses and raw UTF-8 in the header come in (RFC 6532), and answers go back to those addresses, with
// everything read as it was written. An address whose local part is not ASCII is nobody's for certain, so it gets no
// automatic answer. Sending over SMTPUTF8 is tried in mailout.
func TestInternationalMail_S202(t *testing.T) {
	for _, c := range []struct {
		from, back   string
		acknowledged bool
	}{{"info@müller.example", "info@xn--mller-kva.example", true}, {"jürgen@müller.example", "jürgen@müller.example", false}} {
		p, k := attacked(t)
		raw := p.writeMail("Jürgen Müller <"+c.from+">", k.address, "Größe der Räume", "", "Wie groß sind die Räume?")
		raw = append([]byte("Return-Path: <"+c.from+">\r\nDelivered-To: support@desk.example\r\nAuthentication-Results: mx.desk.example; dmarc=pass header.from=müller.example\r\n"+
			"Received: from relay by mx.desk.example; Mon, 23 Nov 2026 09:00:00 +0100\r\n"), raw...)
		if out := k.take(raw); out.Result != tickets.Created {
			t.Fatalf("%+v", out)
		}
		const agent = "anna@staff.desk.example"
		to, subject, id := replyTo(k.lastTo(agent).raw)
		k.arrive(agent, to, p.writeMail(agent, to, "Re: "+subject, "In-Reply-To: "+id+"\r\n", "Es sind 40 m²."))
		p.run(time.Minute)
		count := map[tickets.Class]int{}
		for _, m := range k.sent {
			if homeOf(m.Recipient) == "staff.desk.example" {
				continue
			}
			count[m.Class]++
			parsed := mailin.Parse(m.raw, m.at)
			if m.Recipient != c.back || len(parsed.To) != 1 || !strings.EqualFold(parsed.To[0].Mail, c.back) || !strings.Contains(parsed.Subject, "Größe der Räume") && m.Class == tickets.ClassAnswer {
				t.Errorf("%s: to %q, read back as %+v %q, defects %v", c.from, m.Recipient, parsed.To, parsed.Subject, parsed.Defects)
			}
		}
		if count[tickets.ClassAnswer] != 1 || count[tickets.ClassAuto] != map[bool]int{true: 1}[c.acknowledged] {
			t.Errorf("%s: %v", c.from, count)
		}
		k.sound()
	}
}

// S-121: what rules and escalations mail goes to the staff; anybody else is an error with its place. Rules only ever add, each
// is looked at once, and two that call for each other end.
func TestRulesMailNobodyOutside_S121(t *testing.T) {
	p := newPost(t)
	k := p.openDesk("support@desk.example", `rules:
  - {name: a, match: {words: [drucker]}, add: {tags: [one], watchers: [anna@staff.desk.example], notify: [team]}}
  - {name: b, match: {tags: one}, add: {tags: [two]}}
  - {name: c, match: {tags: two}, add: {tags: [one]}}
`)
	k.arrive(victim, k.address, p.writeMail(victim, k.address, "Drucker", "", "Der Drucker druckt nicht."))
	p.run(72 * time.Hour)
	for _, m := range k.sent {
		if home := homeOf(m.Recipient); home != "staff.desk.example" && m.Recipient != victim {
			t.Errorf("%q went to %s", m.Template, m.Recipient)
		}
	}
	k.sound()
}

// S-196: the zones of the world are part of the program: what it is built from has them.
func TestZonesComeWithTheProgram_S196(t *testing.T) {
	out, err := exec.CommandContext(context.Background(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, []byte("\ntime/tzdata\n")) {
		t.Error("the program does not have time/tzdata")
	}
}
