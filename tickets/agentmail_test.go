package tickets

import (
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/tickets/clock"
)

// asks sends a new mail of an agent to the desk and returns its outcome, the lines that came back, and what was sent.
func (k *kit) asks(from, subject, text string, change ...func(*Message)) (Outcome, string, []delivered) {
	k.Helper()
	out := k.receive(k.mail(from, subject, text, change...))
	sent := k.afterUndo()
	var keys []string
	for _, d := range to(sent, from) {
		if d.Template == TemplateReceipt || d.Template == TemplateRefused {
			for _, l := range linesOf(k, d) {
				keys = append(keys, l.Key)
			}
		}
	}
	return out, strings.Join(keys, " "), sent
}

func forwarding(from Address, subject, text string) func(*Message) {
	return func(m *Message) { m.Forwarded = &Forwarded{From: from, Subject: subject, Text: text} }
}

// D03: a call becomes a ticket in the customer's name, who is told; the clocks start when the call was.
func TestTicketForSomebody(t *testing.T) {
	k := newKit(t)
	out, lines, sent := k.asks(anna, "Anruf Kim", "#for Kim Krause <"+kunde+">\n#call 12min #at 8:05 #take #tag vpn\nDas VPN geht nicht. Bitte an "+anna+".")
	if out.Result != Created || lines != "did.opened did.time did.take did.tag did.acknowledged" {
		t.Fatalf("%+v: %s", out, lines)
	}
	tk := k.ticket(out.Ticket)
	if tk.Requester != (Address{"Kim Krause", kunde}) || tk.Verified || tk.Channel != "phone" || tk.Spent != "12m0s" || tk.Assignee != anna || !slices.Contains(tk.Tags, "vpn") || tk.LastCustomer == "" {
		t.Errorf("%+v", tk)
	}
	want := time.Date(2026, 3, 2, 8, 5, 0, 0, time.UTC)
	for _, c := range tk.Clocks {
		if c.Kind == clock.FirstResponse && !c.Start().Equal(want) {
			t.Errorf("the clock starts at %s", c.Start())
		}
	}
	ack := mailTo(t, sent, kunde, TemplateAckPhone)
	absentFrom(t, outside(sent), "#take")
	absentFrom(t, outside(sent), anna)
	if !strings.Contains(ack.Letter.Text, "Das VPN geht nicht.") || ack.Class != ClassNotice {
		t.Errorf("%s %s", ack.Class, ack.Letter.Text)
	}
	// The customer answers the acknowledgement, the agent the notice: it is a ticket like any other.
	k.expect(k.receive(k.reply(ack, kunde, "Noch etwas.")), Appended, out.Ticket)
	k.expect(k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#solve\nEs geht.")), Appended, out.Ticket)
	mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	k.healthy()
}

func TestForwardedMailBecomesATicket(t *testing.T) {
	kim := Address{"Kim Krause", kunde}
	for _, c := range []struct {
		name, text string
		from       Address
		requester  string
		acked      bool
		note       string
	}{
		{"as it is", "", kim, kunde, false, ""},
		{"with a word", "CANARY der ruft dauernd an", kim, kunde, false, "CANARY der ruft dauernd an"},
		{"#fwd", "#fwd #take\nCANARY intern", kim, kunde, true, "CANARY intern"},
		{"of a machine", "#fwd", Address{"", "no-reply@machine.example"}, "no-reply@machine.example", false, ""},
		{"of a colleague", "siehe unten", Address{"Ben", ben}, anna, false, ""},
		{"of our own", "siehe unten", Address{"", deskAddress}, anna, false, ""},
	} {
		k := newKit(t)
		out, lines, sent := k.asks(anna, "Fwd: Drucker", c.text, forwarding(c.from, "Drucker kaputt", "Der Drucker raucht."))
		tk := k.ticket(out.Ticket)
		if out.Result != Created || tk.Requester.Mail != c.requester {
			t.Errorf("%s: %+v %+v (%s)", c.name, out, tk, lines)
			continue
		}
		acked := false
		for _, d := range to(sent, c.requester) {
			acked = acked || d.Template == TemplateAckPhone
		}
		if acked != c.acked {
			t.Errorf("%s: acknowledged %v: %s", c.name, acked, summary(sent))
		}
		absentFrom(t, outside(sent), "CANARY")
		if c.requester == anna {
			continue
		}
		if tk.LastCustomer != "Der Drucker raucht." || tk.Subject != "Drucker kaputt" || tk.Verified {
			t.Errorf("%s: %+v", c.name, tk)
		}
		noted := ""
		for _, e := range k.entries(out.Ticket) {
			if e.Kind == EntryNoted {
				noted = e.Text
			}
		}
		if noted != c.note {
			t.Errorf("%s: the note is %q", c.name, noted)
		}
		k.healthy()
	}
}

// What is wrong in a new mail is told, and opens nothing; what says nothing special opens a ticket of the agent's own.
func TestNewMailsRefused(t *testing.T) {
	for _, c := range []struct{ text, lines string }{
		{"#for niemand\nx", "refused.ticket"}, {"#for a@b@c\nx", "refused.address"}, {"#for " + kunde + "\n#tag x #frobnicate\nx", "refused.tag"}, {"#for " + deskAddress + "\nx", "refused.own_address"}, {"#for " + kunde, "refused.needs_text"},
		{"#for " + kunde + " #at morgen\nx", "refused.when"}, {"#for " + kunde + " #at 23:50\nx", "refused.when_not_past"}, {"#for " + kunde + "\n#wait\nx", "refused.conflict"},
		{"#for " + kunde + "\n#assign niemand\nx", "refused.person"}, {"#fwd", "refused.no_forward"}, {"#call\nx", "refused.needs_for"}, {"#at 8:00\nx", "refused.needs_for"}, {"#solve", "refused.which_ticket"},
		{"#take", "refused.which_ticket"}, {"#sovle\nx", "refused.unknown"}, {"#ticket NW-2026-000099\n#take", "refused.ticket"}, {"#ticket 99 #take", "refused.ticket"}, {"#show", "refused.which_ticket"},
		{"#show NW-2026-000099", "refused.ticket"}, {"#list niemand", "refused.choice"}, {"#help frobnicate", "refused.unknown"},
	} {
		k := newKit(t)
		out, lines, sent := k.asks(anna, "Befehle", c.text)
		if out.Result != Filed || lines != c.lines || k.ticketCount() != 0 || len(sent) != 1 {
			t.Errorf("%q: %s %q, want %q; %d tickets; %s", c.text, out.Result, lines, c.lines, k.ticketCount(), summary(sent))
		}
		k.healthy()
	}
	for _, text := range []string{"Mein Rechner ist kaputt.", "#high\nMein Rechner ist kaputt.", "Status: mein Rechner ist kaputt"} {
		k := newKit(t)
		out, _, sent := k.asks(anna, "Rechner", text)
		if tk := k.ticket(out.Ticket); out.Result != Created || tk.Requester.Mail != anna || len(outside(sent)) > 0 {
			t.Errorf("%q: %+v %+v", text, out, tk)
		}
	}
}

// S-071: nobody but an authenticated agent opens tickets for others or reaches any by number.
func TestNewMailNeedsAnAuthenticatedAgent_S071(t *testing.T) {
	for name, c := range map[string]struct {
		from   string
		change func(*Message)
	}{
		"nobody vouches": {anna, unauthenticated}, "a customer": {stranger, func(*Message) {}}, "a similar address": {"anna@staff.example.evil.example", func(*Message) {}},
		"a machine": {anna, autoReply},
	} {
		for _, text := range []string{"#for " + kollegin + "\nCANARY", "#ticket NW-2026-000001\n#take #tag evil", "#list all", "#show NW-2026-000001", "#search Drucker"} {
			k := newKit(t)
			id, _ := k.opened(kunde, "Drucker", "kaputt")
			before := k.ticket(id)
			_, lines, sent := k.asks(c.from, "x", text, c.change)
			after := k.ticket(id)
			if lines != "" || len(to(sent, kollegin)) > 0 || after.Assignee != before.Assignee || len(after.Tags) > 0 {
				t.Errorf("%s, %q: %s; %s; %+v", name, text, lines, summary(sent), after)
			}
			k.healthy()
		}
	}
}

// Commands by number: on all tickets or on none (S-084), and never anything that reaches a customer (S-078).
func TestControlMail_S078_S084(t *testing.T) {
	k := newKit(t)
	one, _ := k.opened(kunde, "Drucker", "kaputt")
	two, _ := k.opened(kollegin, "Telefon", "stumm")
	number := func(id TicketID) string { return k.ticket(id).Number }
	out, lines, sent2 := k.asks(anna, "x", "#ticket "+number(one)+" #take #tag flur")
	if out.Result != Filed || lines != "did.ticket did.take did.tag" || k.ticket(one).Assignee != anna || len(outside(sent2)) > 0 {
		t.Errorf("%+v %s %+v; %s", out, lines, k.ticket(one), summary(sent2))
	}
	_, lines, _ = k.asks(anna, "x", "#for 1 "+strings.ToLower(number(two))+"\n#tag beide\n#note CANARY unter uns")
	if lines != "did.ticket did.tag did.note did.ticket did.tag did.note" || !slices.Contains(k.ticket(one).Tags, "beide") || !slices.Contains(k.ticket(two).Tags, "beide") {
		t.Errorf("%s", lines)
	}
	before := []*Ticket{k.ticket(one), k.ticket(two)}
	for _, text := range []string{"#tag neu #assign niemand", "#tag neu #frobnicate", "#tag neu #due gestern", "#undo", "#merge 2", "#show", "#tag neu #spam"} {
		_, lines, sent := k.asks(anna, "x", "#for 1 2\n"+text)
		for i, id := range []TicketID{one, two} {
			if after := k.ticket(id); strings.Join(after.Tags, " ") != strings.Join(before[i].Tags, " ") || after.Assignee != before[i].Assignee || after.State != before[i].State {
				t.Errorf("%q: %+v", text, after)
			}
		}
		if !strings.HasPrefix(lines, "refused.") || len(outside(sent)) > 0 {
			t.Errorf("%q: %s; %s", text, lines, summary(sent))
		}
	}
	for _, text := range []string{"#solve\nCANARY fertig", "CANARY Guten Tag", "#take\nCANARY Guten Tag", "#requester " + stranger, "#cc " + stranger, "#wait\nCANARY?", "#reply CANARY", "#post"} {
		_, lines, sent := k.asks(anna, "x", "#ticket 1\n"+text)
		if lines != "refused.reaches" || len(outside(sent)) > 0 || k.ticket(one).State != before[0].State {
			t.Errorf("%q: %s; %s", text, lines, summary(sent))
		}
		offer := mailTo(t, sent, anna, TemplateEscalation)
		if l := linesOf(t, offer); len(l) != 1 || l[0].Key != "offer.answer_this" {
			t.Errorf("%q: %+v", text, l)
		}
		sent2 = sent
	}
	// From the mail that is offered it works, for this agent and this ticket only.
	offer := mailTo(t, sent2, anna, TemplateEscalation)
	k.expect(k.receive(k.reply(offer, ben, "CANARY")), Quarantined, one)
	k.expect(k.receive(k.reply(offer, anna, "#solve\nEs geht.")), Appended, one)
	sent := k.afterUndo()
	mailTo(t, sent, kunde, TemplateAgentReply)
	absentFrom(t, outside(sent), "CANARY")
	k.healthy()
}

func TestAsking(t *testing.T) {
	k := newKit(t)
	one, sent := k.opened(kunde, "Drucker im Flur", "kaputt")
	k.opened(kollegin, "Telefon", "stumm")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.did(notice, anna, "#take")
	lists := func(text string) (numbers string) {
		t.Helper()
		_, _, sent := k.asks(anna, "Frage", text)
		for _, d := range to(sent, anna) {
			for _, l := range linesOf(t, d) {
				numbers += " " + firstNonEmpty(strings.TrimPrefix(l.Args["number"], "NW-2026-00000"), l.Key+l.Args["count"])
			}
		}
		if k.ticketCount() != 2 || len(outside(sent)) > 0 {
			t.Errorf("%s: %d tickets; %s", text, k.ticketCount(), summary(sent))
		}
		return strings.TrimSpace(numbers)
	}
	for text, want := range map[string]string{
		"#list": "1", "#list mine": "1", "#list meine": "1", "#list unassigned": "2", "#list all": "2 1", "#index": "1", "#list first": "2 1", "#list queue first": "2 1", "#list second": "list.none",
		"#list overdue": "list.none", "#search drucker flur": "1", "#search CUSTOMER.example": "2 1", "#search nirgends": "list.none", "#show NW-2026-000001": "1", "#show 2": "2", "#help": "", "#help solve": "",
		"#list\n#search telefon": "1 2",
		"#figures":               "figure.live1 figure.unassigned0 figure.waiting0 figure.overdue0 figure.opened1 figure.solved0 figure.reopened0 figure.late0",
		"#report":                "figure.live2 figure.unassigned1 figure.waiting0 figure.overdue0 figure.opened2 figure.solved0 figure.reopened0 figure.late0",
		"#report second":         "figure.live0 figure.unassigned0 figure.waiting0 figure.overdue0 figure.opened0 figure.solved0 figure.reopened0 figure.late0",
	} {
		if got := lists(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	k.clock.move(30 * time.Hour)
	if got := lists("#list overdue"); got != "1 2" && got != "2 1" {
		t.Errorf("overdue: %q", got)
	}
	// The answer to a list may be answered with the next question; and questions may stand in an answer on a ticket.
	_, _, sent = k.asks(anna, "Frage", "#list")
	out := k.receive(k.reply(mailTo(t, sent, anna, TemplateReceipt), anna, "#show 2"))
	if out.Result != Filed || len(linesOf(t, mailTo(t, k.afterUndo(), anna, TemplateReceipt))) != 1 {
		t.Errorf("%+v", out)
	}
	if lines, sent := k.did(notice, anna, "#list all\nGuten Tag"); !strings.Contains(lines, "list.ticket list.ticket") || len(outside(sent)) != 1 {
		t.Errorf("%s; %s", lines, summary(sent))
	}
	k.expectState(one, StateOpen)
	k.healthy()
}
