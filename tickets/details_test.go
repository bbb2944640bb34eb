package tickets

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// did answers the notice with a text and returns the lines of the receipt or the refusal, with what was sent.
func (k *kit) did(notice delivered, from, text string, change ...func(*Message)) (lines string, sent []delivered) {
	k.Helper()
	k.receive(k.reply(notice, from, text, change...))
	sent = k.afterUndo()
	for _, d := range to(sent, from) {
		if d.Template == TemplateReceipt || d.Template == TemplateRefused {
			for _, l := range linesOf(k, d) {
				lines += " " + l.Key
			}
		}
	}
	return strings.TrimSpace(lines), sent
}

func TestDetails(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, c := range []struct {
		text, lines string
		holds       func(*Ticket) bool
	}{
		{"#tag VPN, drucker", "did.tag", func(t *Ticket) bool { return strings.Join(t.Tags, " ") == "drucker vpn" }},
		{"#tag +flur -vpn", "did.tag", func(t *Ticket) bool { return strings.Join(t.Tags, " ") == "drucker flur" }},
		{"#tag - drucker flur", "did.tag", func(t *Ticket) bool { return len(t.Tags) == 0 }},
		{"/label ~netz", "did.tag", func(t *Ticket) bool { return strings.Join(t.Tags, " ") == "netz" }},
		{"#untag netz", "did.tag", func(t *Ticket) bool { return len(t.Tags) == 0 }},
		{"#tag <script>", "refused.tag", func(t *Ticket) bool { return len(t.Tags) == 0 }},
		{"#tag " + strings.Repeat("a b c d e f g h i j ", 6) + strings.Join(strings.Split("abcdefghijklmnopqrstuvwxyz", ""), "1 ") + " " + strings.Join(strings.Split("abcdefghijklmnopqrstuvwxyz", ""), "2 "), "refused.too_many", func(t *Ticket) bool { return len(t.Tags) == 0 }},
		{"#subject Drucker im Flur", "did.subject", func(t *Ticket) bool { return t.Subject == "Drucker im Flur" }},
		{"#subject Re: [NW-2026-000001]", "refused.args", func(t *Ticket) bool { return t.Subject == "Drucker im Flur" }},
		{"#time 15m", "did.time", func(t *Ticket) bool { return t.Spent == "15m0s" }},
		{"#spend 1:30", "did.time", func(t *Ticket) bool { return t.Spent == "1h45m0s" }},
		{"#time 10", "did.time", func(t *Ticket) bool { return t.Spent == "1h55m0s" }},
		{"#time bald", "refused.args", func(t *Ticket) bool { return t.Spent == "1h55m0s" }},
		{"#lang en", "did.lang", func(t *Ticket) bool { return t.Language == "en" }},
		{"#lang deutsch", "did.lang", func(t *Ticket) bool { return t.Language == "de" }},
		{"#lang fr", "refused.choice", func(t *Ticket) bool { return t.Language == "de" }},
		{"#due 2h", "did.due", func(t *Ticket) bool { return !t.Due.IsZero() }},
		{"#due none", "did.due_off", func(t *Ticket) bool { return t.Due.IsZero() }},
		{"#snooze gestern", "refused.when", func(t *Ticket) bool { return t.Snoozed.IsZero() }},
		{"#due 2020-01-01", "refused.when_past", func(t *Ticket) bool { return t.Due.IsZero() }},
		{"#due 1.1.2099", "refused.when_far", func(t *Ticket) bool { return t.Due.IsZero() }},
		{"#hold", "did.snooze", func(t *Ticket) bool {
			return t.Snoozed.Equal(time.Date(2026, 3, 5, 9, 3, 0, 0, time.UTC)) && t.SnoozedBy == anna
		}},
		{"#hold none", "did.snooze_off", func(t *Ticket) bool { return t.Snoozed.IsZero() && t.SnoozedBy == "" }},
		{"#set tag=vpn", "did.tag", func(t *Ticket) bool { return strings.Join(t.Tags, " ") == "vpn" }},
	} {
		lines, sent := k.did(notice, anna, c.text)
		if tk := k.ticket(id); lines != c.lines || !c.holds(tk) {
			t.Errorf("%s: %q, want %q: %+v", c.text, lines, c.lines, tk)
		}
		if out := outside(sent); len(out) > 0 {
			t.Errorf("%s sent %s", c.text, summary(out))
		}
	}
	k.healthy()
}

// What was put aside comes back once, to whom put it aside; the due date tells whoever works on the ticket. Neither
// outlives the ticket.
func TestTicketsComeBack(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Levels, r.Escalations, r.SafetyNet = nil, nil, SafetyNet{} })
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	annas, bens := mailTo(t, sent, anna, TemplateTicketToTeam), mailTo(t, sent, ben, TemplateTicketToTeam)
	k.did(annas, anna, "#take #due 3h")
	k.did(bens, ben, "#snooze 2h")
	k.tick()
	if late := k.deliver(); len(late) > 0 {
		t.Errorf("too early: %s", summary(late))
	}
	k.clock.move(2 * time.Hour)
	k.reopen()
	k.tick()
	mailTo(t, k.deliver(), ben, TemplateEscalation)
	k.clock.move(time.Hour)
	k.tick()
	sent = k.deliver()
	mailTo(t, sent, anna, TemplateEscalation)
	if len(sent) != 1 {
		t.Errorf("sent %s", summary(sent))
	}
	k.did(bens, ben, "#snooze 2h")
	k.did(annas, anna, "#solve\nfertig")
	k.clock.move(3 * time.Hour)
	k.tick()
	if late := to(k.deliver(), ben); len(late) > 0 {
		t.Errorf("a solved ticket comes back: %s", summary(late))
	}
	if lines, _ := k.did(bens, ben, "#snooze 2h"); lines != "refused.state" {
		t.Errorf("snoozing a solved ticket: %s", lines)
	}
	k.expectState(id, StateSolved)
	k.healthy()
}

func TestPeople(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	cc := func(t *Ticket) string {
		var list []string
		for _, p := range t.inCopy() {
			list = append(list, p.Mail)
		}
		return strings.Join(list, " ")
	}
	for _, c := range []struct {
		text, lines string
		holds       func(*Ticket) bool
	}{
		{"#cc " + kollegin, "did.cc", func(t *Ticket) bool { return cc(t) == kollegin }},
		{"#cc +" + stranger + " -" + kollegin, "did.cc did.uncc", func(t *Ticket) bool { return cc(t) == stranger }},
		{"#delcc " + stranger, "did.uncc", func(t *Ticket) bool { return cc(t) == "" }},
		{"#delcc " + stranger, "refused.not_there", func(t *Ticket) bool { return cc(t) == "" }},
		{"#cc " + ben, "refused.agent_cc", func(t *Ticket) bool { return cc(t) == "" }},
		{"#cc " + deskAddress, "refused.own_address", func(t *Ticket) bool { return cc(t) == "" }},
		{"#cc support+abc@desk.example", "refused.own_address", func(t *Ticket) bool { return cc(t) == "" }},
		{"#cc kim", "refused.address", func(t *Ticket) bool { return cc(t) == "" }},
		{"#cc " + kollegin + "\n#cc nobody", "refused.address", func(t *Ticket) bool { return cc(t) == "" }},
		{"#watch", "did.watch", func(t *Ticket) bool { return strings.Join(t.Watchers, " ") == anna }},
		{"#watch lea", "did.watch", func(t *Ticket) bool { return strings.Join(t.Watchers, " ") == anna+" "+lea }},
		{"#watch niemand", "refused.person", func(t *Ticket) bool { return len(t.Watchers) == 2 }},
		{"#mute", "did.mute", func(t *Ticket) bool {
			return strings.Join(t.Watchers, " ") == lea && strings.Join(t.Muted, " ") == anna
		}},
		{"#watch me", "did.watch", func(t *Ticket) bool { return len(t.Watchers) == 2 && len(t.Muted) == 0 }},
		{"#queue sec", "did.team", func(t *Ticket) bool { return t.Team == "second" && t.Tier == 2 && t.Assignee == "" }},
		{"#assign first", "did.team", func(t *Ticket) bool { return t.Team == "first" && t.Tier == 1 }},
		{"#queue third", "refused.choice", func(t *Ticket) bool { return t.Team == "first" }},
		{"#take", "did.take did.state", func(t *Ticket) bool { return t.Assignee == anna }},
		{"#assign none", "did.release", func(t *Ticket) bool { return t.Assignee == "" }},
		{"/assign @ben", "did.assign", func(t *Ticket) bool { return t.Assignee == ben }},
		{"#requester Kim <" + kollegin + ">", "did.requester did.requester_before", func(t *Ticket) bool { return t.Requester == Address{"Kim", kollegin} && !t.Verified }},
		{"#requester " + deskAddress, "refused.own_address", func(t *Ticket) bool { return t.Requester.Mail == kollegin }},
	} {
		lines, _ := k.did(notice, anna, c.text)
		if tk := k.ticket(id); lines != c.lines || !c.holds(tk) {
			t.Errorf("%s: %q, want %q: %+v", c.text, lines, c.lines, tk)
		}
	}
	// Answers go to the new customer; the old one is a stranger now, and the new one finds the ticket by its number.
	_, sent = k.did(notice, anna, "#nocc\nNeuer Text")
	out := outside(sent)
	mailTo(t, out, kollegin, TemplateAgentReply)
	if len(out) != 1 {
		t.Errorf("sent %s", summary(out))
	}
	k.expect(k.receive(k.mail(kollegin, "Re: ["+k.ticket(id).Number+"] Drucker", "Danke schön, es geht aber noch nicht")), Appended, id)
	k.healthy()
}

// #noreply sends nothing at all, #nocc no copies, #quiet no receipt.
func TestWhatOfAMailIsSent(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.did(notice, anna, "#cc "+kollegin)
	_, sent = k.did(notice, anna, "Welcher?")
	mailTo(t, sent, kollegin, TemplateAgentReply)
	_, sent = k.did(notice, anna, "#nocc\nNur für Sie.")
	mailTo(t, sent, kunde, TemplateAgentReply)
	if len(to(sent, kollegin)) > 0 {
		t.Errorf("a copy went out: %s", summary(sent))
	}
	if lines, _ := k.did(notice, anna, "#nocc"); lines != "refused.needs_text" {
		t.Errorf("#nocc without a text: %s", lines)
	}
	_, sent = k.did(notice, anna, "#quiet #take")
	if len(sent) > 0 {
		t.Errorf("#quiet: %s", summary(sent))
	}
	lines, sent := k.did(notice, anna, "#noreply #solve workaround\nCANARY nur für uns")
	if lines != "did.noreply did.solve did.note did.state" || len(outside(sent)) > 0 {
		t.Errorf("#noreply: %s, sent %s", lines, summary(sent))
	}
	k.expectState(id, StateSolved)
	if code := k.ticket(id).ResolutionCode; code != "workaround" {
		t.Errorf("resolution code %q", code)
	}
	k.healthy()
}

// A text that was refused goes out with #post from the refusal, once, without the commands that stood above it; never one
// that was to stay inside, and never with a reply address in it.
func TestPost(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"#sovle\nGuten Tag, es geht.", "Guten Tag, es geht."},
		{"#sovle\n#take #high\nGuten Tag.", "Guten Tag."},
		{"#take\n#frobnicate\n\nGuten Tag.\n#1 ist fertig", "Guten Tag.\n#1 ist fertig"},
		{"@@close\nGuten Tag.", "@@close\nGuten Tag."},
		{"#take #reopen\nGuten Tag.", "Guten Tag."},
		{"#sovle\n#reply Guten Tag.\nGruß", "Guten Tag.\nGruß"},
		{"#sovle\n#note\nCANARY", ""}, {"#note\n#sovle\nCANARY", ""}, {"#note #sovle\nCANARY", ""}, {"#sovle\n#take #note CANARY", ""}, {"#sovle\n#noreply\nCANARY", ""}, {"#sovle", ""},
	} {
		k := newKit(t)
		id, sent := k.opened(kunde, "Drucker", "kaputt")
		k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, c.text))
		refusal := mailTo(t, k.afterUndo(), anna, TemplateRefused)
		lines, sent := k.did(refusal, anna, "#post")
		out := outside(sent)
		absentFrom(t, out, "CANARY")
		if c.want == "" {
			if lines != "refused.post" || len(out) > 0 {
				t.Errorf("%q: %s, sent %s", c.text, lines, summary(out))
			}
			continue
		}
		mailTo(t, out, kunde, TemplateAgentReply)
		if got := k.ticket(id).LastPublic; got != c.want {
			t.Errorf("%q posts %q, want %q", c.text, got, c.want)
		}
		if lines, _ = k.did(refusal, anna, "#post"); lines != "refused.post" {
			t.Errorf("%q goes out twice: %s", c.text, lines)
		}
		k.healthy()
	}
	// S-105: a line of a note may be posted by whoever insists; a reply address never leaves.
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.did(notice, anna, "#note Die Wartung ist seit drei Monaten nicht bezahlt.")
	k.did(notice, anna, "Guten Tag,\nDie Wartung ist seit drei Monaten nicht bezahlt.")
	if lines, sent := k.did(notice, anna, "#post"); lines != "did.reply_later did.post did.state" || len(outside(sent)) != 1 {
		t.Errorf("%s, sent %s", lines, summary(sent))
	}
	k.did(notice, anna, "Bitte an "+notice.Letter.ReplyTo.Mail+" schreiben.")
	if lines, sent := k.did(notice, anna, "#post"); lines != "refused.leak" || len(outside(sent)) > 0 {
		t.Errorf("%s, sent %s", lines, summary(sent))
	}
	// From a note's address nothing was on its way to the customer.
	k.receive(k.reply(notice, ben, "#post"))
	if out := outside(k.afterUndo()); len(out) > 0 {
		t.Errorf("sent %s", summary(out))
	}
	k.healthy()
}

// linesOf are the lines of the view that a mail of the fake renderer shows.
func linesOf(t testing.TB, d delivered) []Line {
	t.Helper()
	var v InternalView
	if err := json.Unmarshal([]byte(d.Letter.Text), &v); err != nil {
		t.Fatalf("the mail %q is no view: %v", d.Template, err)
	}
	return v.Lines
}
