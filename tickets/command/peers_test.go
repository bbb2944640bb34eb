package command

import (
	"strings"
	"testing"
)

// What agents bring along in their fingers from fourteen other desks, with the number of the ticket left out where the
// reply address says it. In the marks that are read here, nineteen of twenty lines do what they did there; whatever the
// mark, none goes to a customer.
func TestPeersCommands(t *testing.T) {
	lines := []struct{ line, want string }{
		// Keys with values.
		{"#Status: resolved", "solve"}, {"#Status: open", "reopen"}, {"#Status: stalled", "pending"}, {"#Status: deleted", "spam"}, {"#Owner: ben", "assign ben"}, {"#Queue: network", "queue network"},
		{"#Priority: 50", "priority 50"}, {"#Subject: Drucker im Flur", "subject Drucker im Flur"}, {"#Requestor: kim@customer.example", "requester kim@customer.example"}, {"#AddCc: kim@customer.example", "cc kim@customer.example"},
		{"#DelCc: kim@customer.example", "delcc kim@customer.example"}, {"#AddAdminCc: ben", "watch ben"}, {"#TimeWorked: 15m", "time 15m"}, {"#Due: 2026-12-02", "due 2026-12-02"}, {"#RefersTo: 12", "link 12"},
		{"#DependsOn: 12", "link 12"}, {"#MemberOf: 12", "link 12"}, {"#CF subject: Flur", "subject Flur"},
		// Verbs.
		{"#close", "solve"}, {"#reopen", "reopen"}, {"#tags + vpn - drucker", "tag + vpn - drucker"}, {"#tag moreinfo", "tag moreinfo"}, {"#owner ben@staff.example", "assign ben@staff.example"}, {"#noowner", "release"},
		{"#reassign network", "assign network"}, {"#severity important", "priority important"}, {"#retitle Drucker", "subject Drucker"}, {"#submitter kim@customer.example", "requester kim@customer.example"},
		{"#merge 12", "merge 12"}, {"#forcemerge 12", "merge 12"}, {"#unmerge", "unmerge"}, {"#block 12", "link 12"}, {"#index", "list"}, {"#refcard", "help"}, {"#help", "help"}, {"#maintonly x", "note"}, {"#subscribe", "watch"},
		// Words with a #.
		{"#solved", "solve"}, {"#status solved", "solve"}, {"#open", "reopen"}, {"#pending", "pending"}, {"#status pending", "pending"}, {"#assignee ben@staff.example", "assign ben@staff.example"}, {"#group network", "queue network"},
		{"#priority high", "priority high"}, {"#tags vpn drucker", "tag vpn drucker"}, {"#requester kim@customer.example", "requester kim@customer.example"}, {"#public x", "reply"}, {"#note x", "note"},
		// Words with a !.
		{"!resolve fixed", "solve fixed"}, {"!resolved fixed", "solve fixed"}, {"!reopen", "reopen"}, {"!assign ben", "assign ben"}, {"!label vpn", "tag vpn"}, {"!unlabel vpn", "untag vpn"},
		// Words with a /.
		{"/close", "solve"}, {"/reopen", "reopen"}, {"/assign @ben", "assign @ben"}, {"/reassign @ben", "assign @ben"}, {"/assign me", "assign me"}, {"/unassign", "release"}, {"/move network", "queue network"},
		{"/label ~vpn", "tag ~vpn"}, {"/unlabel ~vpn", "untag ~vpn"}, {"/relabel ~vpn", "tag ~vpn"}, {"/title Drucker", "subject Drucker"}, {"/convert_to_ticket kim@customer.example", "requester kim@customer.example"},
		{"/invite_email kim@customer.example", "cc kim@customer.example"}, {"/subscribe", "watch"}, {"/unsubscribe", "mute"}, {"/confidential", "note"}, {"/duplicate #12", "duplicate #12"}, {"/relate #12", "link #12"},
		{"/due in 2 days", "due in 2 days"}, {"/spend 15m", "time 15m"},
		// Words of forums.
		{"#mute", "mute"}, {"#track", "watch"}, {"#watch", "watch"}, {"#unsubscribe", "mute"},
		// A blank behind the mark, and codes.
		{"# resolve", "solve"}, {"#resolve", "solve"}, {"# resolve #close", "solve, solve"}, {"#status resolved", "solve"}, {"# assign ben", "assign ben"}, {"#a:ben", "assign ben"}, {"# mine", "take"}, {"# assign none", "assign none"},
		{"#unassign", "release"}, {"# queue network", "queue network"}, {"# notify ben", "watch ben"}, {"#addcontact kim@customer.example", "cc kim@customer.example"}, {"# ignore", "mute"}, {"# internal", "note"},
		{"#reply x", "reply"}, {"#noreply", "noreply"}, {"#replyonly x", "reply"}, {"# spam", "spam"}, {"# delete", "spam"}, {"#keyword +vpn", "tag +vpn"}, {"#assignedto ben", "assign ben"}, {"#nosy +kim@customer.example", "cc +kim@customer.example"},
	}
	right := 0
	for _, c := range lines {
		p := Parse(c.line + "\nCUSTOMERTEXT")
		var got []string
		for _, one := range p.Commands {
			got = append(got, strings.TrimSpace(one.Word+" "+one.Args))
		}
		if s := strings.Join(got, ", "); s == c.want {
			right++
		} else {
			t.Logf("%s is %q %v, want %q", c.line, s, p.Problem, c.want)
		}
		if p.Problem == nil && strings.Contains(p.Public, strings.Fields(c.line)[0]) {
			t.Errorf("%s: the customer would get %q", c.line, p.Public)
		}
	}
	t.Logf("%d of %d lines are what they were meant for", right, len(lines))
	if right*100 < len(lines)*95 {
		t.Errorf("%d of %d lines are what they were meant for, want 95 %%", right, len(lines))
	}
	// In the other marks nothing is done, nothing is sent, and the right word is suggested.
	for line, suggest := range map[string]string{
		"Status: resolved": "#status", "Status: open": "#status", "Status: deleted": "#status", "Owner: ben": "#assign", "Queue: network": "#queue", "Priority: 50": "#priority", "AddCc: kim@customer.example": "#cc",
		"DelCc: kim@customer.example": "#delcc", "AddAdminCc: ben": "#watch", "Requestor: kim@customer.example": "#requester", "TimeWorked: 15": "#time", "Due: 2026-12-02": "#due", "DependsOn: 12": "#link", "RefersTo: 12": "#link",
		"MemberOf: 12": "#link", "CF.{Raum}: 12": "", "close 12": "#solve", "reopen 12": "#reopen", "reopen 12 =": "#reopen", "owner 12 ben@staff.example": "#assign", "noowner 12": "#release", "reassign 12 network": "#assign",
		"severity 12 important": "#priority", "tags 12 + moreinfo": "#tag", "retitle 12 Drucker": "#subject", "submitter 12 kim@customer.example": "#requester", "merge 12 13": "#merge", "forcemerge 12 13": "#merge",
		"unmerge 12": "#unmerge", "block 12 by 13": "#link", "forwarded 12 vendor@vendor.example": "", "@@close": "#solve", "@@assign": "#assign", "@@me": "#take", "[status=resolved]": "#status",
		"[assignedto=ben]": "#assign", "[keyword=+vpn]": "#tag", "[nosy=+kim,-ben]": "#cc", "[deadline=2026-12-02]": "#due", "mute": "#mute", "track": "#watch", "watch": "#watch", "+1": "", "unsubscribe": "#mute",
	} {
		p := Parse(line).Problem
		if p == nil {
			t.Errorf("%s: the customer would get it", line)
		} else if suggest != "" && (len(p.Suggest) == 0 || p.Suggest[0] != suggest) {
			t.Errorf("%s: suggested is %v, want %s", line, p.Suggest, suggest)
		}
	}
}
