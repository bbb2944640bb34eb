package tickets

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// givenClassifier decides as a small configuration would: two categories, an item that is critical, the usual matrix, and
// a route by category. What a person has given stands.
type givenClassifier struct{ fakeClassifier }

func (c givenClassifier) Classify(m *Message, h Hints) Verdict {
	v := c.fakeClassifier.Classify(m, h)
	if h.OnTicket {
		return v
	}
	say := func(what, value, given, derived string) string {
		why := "derived"
		if given != "" {
			value, why = given, h.Given.Why()
		} else if value == "" {
			value = derived
		}
		v.Reasons = append(v.Reasons, Reason{What: what, Value: value, Why: why})
		return value
	}
	v.Category.Name = say("category", "", h.Given.Category, "other")
	v.CI = say("ci", "", h.Given.CI, "unknown")
	critical := map[bool]string{true: "high", false: "low"}[v.CI == "SRV-1"]
	v.Impact = say("impact", "", h.Given.Impact, critical)
	v.Urgency = say("urgency", "", h.Given.Urgency, critical)
	v.Service = map[bool]string{true: "mail"}[v.CI == "SRV-1"]
	v.Priority = map[string]string{"high high": "P1", "high low": "P3", "low high": "P3", "low low": "P5", "medium low": "P4", "low medium": "P4"}[v.Impact+" "+v.Urgency]
	v.Reasons = append(v.Reasons, Reason{What: "priority", Value: v.Priority, Why: "impact " + v.Impact + ", urgency " + v.Urgency})
	v.Team, v.Route = "first", []string{"root"}
	if v.Category.Name == "network.vpn" {
		v.Team, v.Route = "second", []string{"root", "network"}
	}
	v.Reasons = append(v.Reasons, Reason{What: "route", Value: strings.Join(v.Route, " › "), Why: "category"})
	if v.Priority == "P1" {
		v.Rules, v.Tags, v.Watchers = []string{"major"}, []string{"major"}, []string{lea}
	}
	return v
}

func fieldKit(t testing.TB) *kit {
	return newKit(t, func(r *Rules) {
		r.Classifier = givenClassifier{}
		r.Categories = []CategoryChoice{{Name: "network.vpn", Labels: map[string]string{"de": "Einwahl", "en": "VPN"}},
			{Name: "network.wlan", Labels: map[string]string{"de": "Funknetz"}}, {Name: "other", Labels: map[string]string{"de": "Sonstiges"}}}
		r.Items = map[string]Item{"srv-1": {ID: "SRV-1", Name: "Mailserver"}, "srv-2": {ID: "SRV-2", Name: "Druckserver"}}
		r.PriorityNames = map[string]map[string]string{"P1": {"de": "Kritisch", "en": "Critical"}, "P2": {"de": "Hoch", "en": "High"}}
	})
}

// edited opens a ticket and lets an agent write commands on it.
func (k *kit) edited(commands string) (*Ticket, Entry, []delivered) {
	k.Helper()
	k.clock.move(48 * time.Hour) // the same words soon after would join the ticket before
	id, sent := k.opened(kunde, "Einwahl", "geht nicht")
	k.receive(k.reply(mailTo(k, sent, anna, TemplateTicketToTeam), anna, commands))
	sent = k.deliver()
	entries := k.entries(id)
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.Kind == EntryChanged || e.Kind == EntryRefused })
	if i < 0 {
		k.Fatalf("%q changed nothing", commands)
	}
	return k.ticket(id), entries[i], sent
}

// S6, S15: an edit recalculates the priority and what rules add, in one entry with the reasons; the receipt names old and new.
func TestEditsRecalculate(t *testing.T) {
	for _, c := range []struct {
		commands, category, ci, impact, urgency, priority string
		given                                             string
		says                                              []string
	}{
		{"#cat einwahl", "network.vpn", "unknown", "low", "low", "P5", "category", []string{"did.category"}},
		{"#cat wlan", "network.wlan", "unknown", "low", "low", "P5", "category", []string{"did.category"}},
		{"#impact hoch\n#urgency high", "other", "unknown", "high", "high", "P1", "impact urgency", []string{"did.impact", "did.urgency", "did.priority"}},
		{"#urgency medium", "other", "unknown", "low", "medium", "P4", "urgency", []string{"did.urgency", "did.priority"}},
		{"#ci mailserver", "other", "SRV-1", "high", "high", "P1", "ci", []string{"did.ci", "did.impact", "did.urgency", "did.priority"}},
		{"#urgency low\n#ci SRV-1", "other", "SRV-1", "high", "low", "P3", "urgency ci", []string{"did.urgency", "did.ci", "did.impact", "did.priority"}},
		{"#prio P2 der Vorstand wartet", "other", "unknown", "low", "low", "P2", "", []string{"did.priority"}},
		{"#prio hoch", "other", "unknown", "low", "low", "P2", "", []string{"did.priority"}},
		{"#prio 1\n#impact high", "other", "unknown", "high", "low", "P1", "impact", []string{"did.priority", "did.impact"}},
		{"#reroute", "other", "unknown", "low", "low", "P5", "", []string{"did.reroute_stays"}},
	} {
		t.Run(c.commands, func(t *testing.T) {
			k := fieldKit(t)
			tk, e, sent := k.edited(c.commands)
			got := []string{tk.Category, tk.CI, tk.Impact, tk.Urgency, tk.Priority, strings.Join(tk.Given, " ")}
			if want := []string{c.category, c.ci, c.impact, c.urgency, c.priority, c.given}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			var said []string
			for _, l := range shown(t, mailTo(t, sent, anna, TemplateReceipt)).Lines {
				said = append(said, l.Key)
			}
			if !slices.Equal(said, c.says) {
				t.Errorf("the receipt says %q, want %q", said, c.says)
			}
			if tk.Priority != "P5" && tk.Override == nil && !slices.ContainsFunc(e.Reasons, func(r Reason) bool { return r.What == "priority" && r.Value == tk.Priority }) {
				t.Errorf("reasons %+v", e.Reasons)
			}
			if major := slices.Contains(tk.Tags, "major"); major != (tk.Priority == "P1" && tk.Override == nil) || major != slices.Contains(tk.Watchers, lea) {
				t.Errorf("tags %q, watchers %q", tk.Tags, tk.Watchers)
			}
			if major := len(tk.Watchers) > 0; major != slices.ContainsFunc(sent, func(d delivered) bool { return d.Recipient == lea }) {
				t.Errorf("told: %s", summary(sent))
			}
			if tk.CI == "SRV-1" && tk.Service != "mail" {
				t.Errorf("service %q", tk.Service)
			}
			absentFrom(t, outside(sent), "#")
			k.healthy()
		})
	}
}

// Nothing is done by halves, and what is meant is asked for.
func TestEditsRefused(t *testing.T) {
	for commands, key := range map[string]string{
		"#cat drucker":             "refused.choice",
		"#cat network":             "refused.ambiguous",
		"#impact sehr":             "refused.args",
		"#urgency high\n#ci SRV-9": "refused.choice",
		"#ci srv":                  "refused.ambiguous",
		"#prio P7":                 "refused.choice",
		"#prio auto":               "refused.no_override",
		"#cat":                     "refused.args",
	} {
		k := fieldKit(t)
		tk, _, sent := k.edited(commands)
		if lines := shown(t, mailTo(t, sent, anna, TemplateRefused)).Lines; len(lines) != 1 || lines[0].Key != key {
			t.Errorf("%q: %+v, want %s", commands, lines, key)
		}
		if tk.Category != "other" || tk.Urgency != "low" || len(tk.Given) > 0 {
			t.Errorf("%q changed the ticket: %+v", commands, tk)
		}
		k.healthy()
	}
}

// S14: a priority set by hand stays when impact changes, and says so; `auto` takes the matrix's. #undo takes it all back.
func TestPriorityByHand(t *testing.T) {
	k := fieldKit(t)
	id, sent := k.opened(kunde, "Einwahl", "geht nicht")
	write := func(text string) ([]Line, *Ticket) {
		t.Helper()
		k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, text))
		return shown(t, mailTo(t, k.deliver(), anna, TemplateReceipt)).Lines, k.ticket(id)
	}
	_, tk := write("#prio P2 der Vorstand wartet")
	if by, why := tk.overrideOf(); by != anna || why != "der Vorstand wartet" {
		t.Errorf("override %+v", tk.Override)
	}
	lines, tk := write("#impact high")
	if tk.Priority != "P2" || len(lines) != 2 || lines[1].Key != "did.override_stays" || lines[1].Args["other"] != "P3" {
		t.Errorf("%s after %+v", tk.Priority, lines)
	}
	if lines, tk = write("#prio auto"); tk.Priority != "P3" || tk.Override != nil || lines[0].Args["from"] != "P2" {
		t.Errorf("%s after %+v", tk.Priority, lines)
	}
	if _, tk = write("#undo"); tk.Priority != "P2" || tk.Override == nil {
		t.Errorf("after #undo: %s, %+v", tk.Priority, tk.Override)
	}
	k.healthy()
}

// #reroute runs the routes anew with what people have put right; the new team is told, and the customer is not.
func TestReroute(t *testing.T) {
	k := fieldKit(t)
	tk, e, sent := k.edited("#take #cat vpn #reroute")
	if tk.Team != "second" || tk.Tier != 2 || tk.Assignee != "" || tk.Category != "network.vpn" {
		t.Errorf("after #reroute: %+v", tk)
	}
	if !slices.ContainsFunc(e.Reasons, func(r Reason) bool { return r.What == "route" && r.Value == "root › network" }) {
		t.Errorf("reasons %+v", e.Reasons)
	}
	if shown(t, mailTo(t, sent, lea, TemplateTicketToTeam)).Text != "geht nicht" || len(outside(sent)) > 0 {
		t.Errorf("told: %s", summary(sent))
	}
	k.healthy()
}

// A category that an agent gives is told to whoever learns from it, after the commit, with the mail; other edits are not.
func TestCorrectionsAreTold(t *testing.T) {
	k := fieldKit(t)
	var told []Correction
	k.desk.Corrected = func(c Correction) { told = append(told, c) }
	tk, _, _ := k.edited("#cat vpn")
	if len(told) != 1 || told[0].Ticket != tk.ID || told[0].Category != "network.vpn" || told[0].Message == nil || told[0].Message.Reply != "geht nicht" {
		t.Errorf("told %+v", told)
	}
	k.edited("#impact high")
	k.edited("#cat nirgendwo")
	if len(told) != 1 {
		t.Errorf("told %+v", told)
	}
}

// shown is what a notice shows its reader.
func shown(t *testing.T, d delivered) InternalView {
	t.Helper()
	var v InternalView
	if err := json.Unmarshal([]byte(d.Letter.Text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// S14: every notice names the priority in its reader's language, and who has set it by hand and why; category, item and what is to
// be done are named as people read them.
func TestNoticesNameWhatWasDecided(t *testing.T) {
	k := fieldKit(t)
	r := *k.rules
	r.Checklists = map[string]string{"major.md": "- Lage klären"}
	k.desk.SetRules(&r)
	_, _, sent := k.edited("#cat vpn #ci druckserver #prio P1 der Vorstand wartet\n#assign ben")
	v := shown(t, mailTo(t, sent, ben, TemplateAssigned))
	if v.Priority != "P1 Critical" || v.PriorityBy != anna || v.PriorityWhy != "der Vorstand wartet" || v.Category != "VPN" || v.Item != "SRV-2 Druckserver" {
		t.Errorf("%+v", v)
	}
	if v := shown(t, mailTo(t, sent, anna, TemplateReceipt)); v.Priority != "P1 Kritisch" || v.Category != "Einwahl" {
		t.Errorf("%+v", v)
	}
	absentFrom(t, outside(sent), "Vorstand")
	var list InternalView
	r.nameFields(&list, &Ticket{Checklists: []string{"major.md", "gone.md"}, CI: "unknown"})
	if list.Checklist != "- Lage klären\n\ngone.md" || list.Item != "" {
		t.Errorf("%+v", list)
	}
}
