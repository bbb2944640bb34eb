package tickets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/tickets/calendar"
	"supportd/tickets/clock"
)

// officeHours is 08–18 UTC on weekdays. The kit's clock begins on Monday, 2 March 2026, 09:00.
func officeHours(t testing.TB) Calendar {
	s := calendar.Schedule{Name: "office", Zone: time.UTC, Hours: map[time.Weekday][]calendar.Interval{}}
	for d := time.Monday; d <= time.Friday; d++ {
		s.Hours[d] = []calendar.Interval{{From: 8 * 60, To: 18 * 60}}
	}
	c, err := calendar.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func only(kind clock.Kind, target time.Duration, steps ...Step) func(*Rules) {
	return func(r *Rules) {
		r.Levels = map[string]Level{"standard": {Name: "standard", Targets: map[string]Targets{"": {Times: map[clock.Kind]time.Duration{kind: target}}}}}
		r.Escalations = []Escalation{{Name: "default", Steps: map[clock.Kind][]Step{kind: steps}}}
	}
}

func (k *kit) sentTo(sent []delivered, template string) (to []string) {
	for _, d := range sent {
		if d.Template == template {
			to = append(to, d.Recipient)
		}
	}
	return sorted(to)
}

// Repeats happen so often and no more, each once, and what was missed while the desk was down is one mail (S28).
func TestRepeats_S171_S173(t *testing.T) {
	rules := only(clock.Resolve, 10*time.Hour, Step{Percent: 100, Notify: []string{"team_lead"}, Repeat: 4 * time.Hour, Max: 3})
	k := newKit(t, rules)
	k.opened(kunde, "Drucker", "kaputt")
	var hours []int
	for h := range 40 {
		k.clock.move(time.Hour)
		k.tick()
		if len(k.deliver()) > 0 {
			hours = append(hours, h+1)
		}
	}
	if want := []int{10, 14, 18, 22}; !slices.Equal(hours, want) {
		t.Errorf("told after %v hours, want %v", hours, want)
	}
	k = newKit(t, rules)
	id, _ := k.opened(kunde, "Drucker", "kaputt")
	k.clock.move(19 * time.Hour)
	k.reopen()
	k.tick()
	if to := k.sentTo(k.deliver(), TemplateEscalation); !slices.Equal(to, []string{lea}) {
		t.Errorf("19 hours down: told %v, want the lead once", to)
	}
	k.clock.move(2 * time.Hour)
	k.tick()
	if n := len(k.deliver()); n != 0 {
		t.Errorf("%d mails before the next repeat", n)
	}
	k.clock.move(time.Hour)
	k.tick()
	if n := len(k.deliver()); n != 1 {
		t.Errorf("%d mails at the next repeat, want 1", n)
	}
	c, _ := k.ticket(id).clock(clock.Resolve, nil)
	if c.Fired("default/100").Times != 4 {
		t.Errorf("%+v", c.Steps)
	}
	k.healthy()
}

// Recipients are looked up when a step happens; when nobody is it, the next higher is told, and the entry says so (S30).
func TestRecipients(t *testing.T) {
	k := newKit(t, only(clock.Resolve, 10*time.Hour,
		Step{Percent: 10, Notify: []string{"service_manager"}}, Step{Percent: 20, Notify: []string{"on_call"}}, Step{Percent: 30, Notify: []string{"assignee"}},
		Step{Percent: 40, Notify: []string{"owner", "watchers"}}, Step{Percent: 50, Notify: []string{ben}}), func(r *Rules) {
		r.OnCall = map[string]OnCall{"core": {Members: []string{ben, lea}, From: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Every: 7 * 24 * time.Hour, Zone: time.UTC}}
		team := r.Teams["first"]
		team.OnCall = "core"
		r.Teams["first"] = team
	})
	id, _ := k.opened(kunde, "Drucker", "kaputt")
	for _, want := range []string{admin, ben, anna + " " + ben + " " + teamCopy, anna + " " + ben + " " + teamCopy, ben} {
		k.clock.move(time.Hour)
		k.tick()
		if to := strings.Join(k.sentTo(k.deliver(), TemplateEscalation), " "); to != want {
			t.Errorf("told %s, want %s", to, want)
		}
	}
	var details []string
	for _, e := range k.entries(id) {
		if e.Kind == EntryClock {
			details = append(details, e.Detail+" → "+strings.Join(e.To, " "))
		}
	}
	if all := strings.Join(details, "\n"); !strings.Contains(all, "nobody is service_manager: admin is told") || !strings.Contains(all, "nobody is assignee: team is told") {
		t.Errorf("the entries do not say who was told instead:\n%s", all)
	}
}

// Turns end by the clock on the wall, over changes to summer time too.
func TestOnCallTurns(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	o := OnCall{Members: []string{"a", "b", "c"}, From: time.Date(2026, 3, 16, 8, 0, 0, 0, zone), Every: 7 * 24 * time.Hour, Zone: zone}
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 3, 1, 0, 0, 0, 0, zone), "a"}, {time.Date(2026, 3, 23, 7, 59, 0, 0, zone), "a"}, {time.Date(2026, 3, 23, 8, 0, 0, 0, zone), "b"},
		{time.Date(2026, 3, 30, 7, 59, 0, 0, zone), "b"}, {time.Date(2026, 3, 30, 8, 0, 0, 0, zone), "c"}, {time.Date(2026, 4, 6, 8, 0, 0, 0, zone), "a"},
		{time.Date(2027, 3, 15, 8, 0, 0, 0, zone), "b"},
	} {
		if got := o.On(c.at); got != c.want {
			t.Errorf("%s: %s is on call, want %s", c.at, got, c.want)
		}
	}
	if (OnCall{}).On(time.Now()) != "" {
		t.Error("nobody is on call, and somebody is named")
	}
}

// Outside their working time people are told when it begins, of everything at once; sets that say send, and who is on
// call, do not wait (S31).
func TestDeferredNoticesAreGathered(t *testing.T) {
	k := newKit(t, only(clock.FirstResponse, 20*time.Hour, Step{Percent: 50, Notify: []string{"team_lead"}}), func(r *Rules) {
		for _, name := range []string{"first", "second"} {
			team := r.Teams[name]
			team.Hours = officeHours(t)
			r.Teams[name] = team
		}
	})
	k.clock.move(3 * time.Hour) // 12:00; half of 20 hours is at 22:00
	first, _ := k.opened(kunde, "Drucker", "kaputt")
	second, _ := k.opened(kollegin, "VPN", "geht nicht")
	third, _ := k.opened("wer@customer.example", "Maus", "weg")
	k.clock.move(11 * time.Hour)
	k.tick()
	if sent := k.deliver(); len(sent) != 0 {
		t.Fatalf("told at night: %s", summary(sent))
	}
	k.reopen()
	// One of them is solved before anybody is told of it.
	k.update(func(tx *Tx) error {
		tk, err := tx.Ticket(third)
		if err != nil {
			return err
		}
		return tx.append(tk, Entry{At: k.clock.Now(), Kind: EntryChanged, Changes: []Change{{Field: fieldState, Before: string(StateNew), After: string(StateSolved)}}})
	})
	k.clock.move(9*time.Hour + 2*time.Minute) // Tuesday, 08:02
	k.tick()
	sent := k.deliver()
	if to := k.sentTo(sent, TemplateGathered); !slices.Equal(to, []string{lea}) || len(sent) != 1 {
		t.Fatalf("told %s, want the lead once of both", summary(sent))
	}
	body := string(sent[0].Bytes)
	for _, id := range []TicketID{first, second} {
		if !strings.Contains(body, k.ticket(id).Number) {
			t.Errorf("nothing of %s in %s", k.ticket(id).Number, body)
		}
	}
	if strings.Contains(body, k.ticket(third).Number) {
		t.Error("told of a ticket that is solved")
	}
	k.tick()
	if n := len(k.deliver()); n != 0 {
		t.Errorf("%d mails once more", n)
	}
	if got := k.fired(first); got["first_response: 50 %"] != 1 {
		t.Errorf("%v", got)
	}
	k.healthy()
}

func TestSendDoesNotWait(t *testing.T) {
	k := newKit(t, only(clock.FirstResponse, 20*time.Hour, Step{Percent: 50, Notify: []string{"team_lead"}}), func(r *Rules) {
		team := r.Teams["first"]
		team.Hours = officeHours(t)
		r.Teams["first"] = team
		r.Teams["second"] = Team{Name: "second", Tier: 2, Members: []string{lea}, Hours: officeHours(t)}
		r.Escalations[0].Send = true
	})
	k.clock.move(3 * time.Hour)
	k.opened(kunde, "Drucker", "kaputt")
	k.clock.move(11 * time.Hour)
	k.tick()
	if to := k.sentTo(k.deliver(), TemplateEscalation); !slices.Equal(to, []string{lea}) {
		t.Errorf("told %v at night, want the lead", to)
	}
}

// The first set that fits holds for a kind of clock; kinds that it does not name are left to the default (S29).
func TestSetsOfSteps(t *testing.T) {
	k := newKit(t, func(r *Rules) {
		critical := Escalation{Name: "critical", Match: func(t *Ticket) bool { return t.Priority == "P1" },
			Steps: map[clock.Kind][]Step{clock.FirstResponse: {{Percent: 0, Notify: []string{"admin"}}}}}
		r.Escalations = append([]Escalation{critical}, r.Escalations...)
	})
	for _, c := range []struct{ priority, first string }{{"P1", "critical/[0]"}, {"P2", "default/[75 100]"}} {
		tk := &Ticket{Priority: c.priority}
		set, steps := k.rules.steps(tk, clock.FirstResponse)
		var percents []int
		for _, s := range steps {
			percents = append(percents, s.Percent)
		}
		if got := fmt.Sprintf("%s/%v", set.Name, percents); got != c.first {
			t.Errorf("%s: %s, want %s", c.priority, got, c.first)
		}
		if set, _ := k.rules.steps(tk, clock.Resolve); set.Name != "default" {
			t.Errorf("%s: resolve by %s", c.priority, set.Name)
		}
	}
}

// Tickets that nobody has, or that nobody touches, are told of once for each time that they come to be so.
func TestSafetyNet(t *testing.T) {
	k := newKit(t, only(clock.Resolve, 1000*time.Hour), func(r *Rules) { r.SafetyNet = DefaultSafetyNet() })
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for range 30 {
		k.clock.move(5 * time.Minute)
		k.tick()
	}
	if to := k.sentTo(k.deliver(), TemplateSafety); !slices.Equal(to, []string{lea}) {
		t.Errorf("nobody has it for two hours: told %v, want the lead once", to)
	}
	k.receive(k.reply(notice, anna, "#take"))
	k.deliver()
	k.clock.move(39 * time.Hour)
	k.tick()
	if sent := k.deliver(); len(sent) != 0 {
		t.Errorf("told before the time: %s", summary(sent))
	}
	k.clock.move(2 * time.Hour)
	k.tick()
	k.tick()
	if to := k.sentTo(k.deliver(), TemplateSafety); !slices.Equal(to, []string{anna, lea}) {
		t.Errorf("nobody touches it: told %v", to)
	}
	k.receive(k.reply(notice, anna, "#release"))
	k.deliver()
	k.clock.move(3 * time.Hour)
	k.tick()
	if to := k.sentTo(k.deliver(), TemplateSafety); !slices.Equal(to, []string{lea}) {
		t.Errorf("nobody has it again: told %v", to)
	}
	k.expectState(id, StateOpen)
	k.healthy()
}

// Once a day, and in one mail, the lead hears of tickets that nobody has and that wait for nothing.
func TestNoNextStep(t *testing.T) {
	k := newKit(t, func(r *Rules) {
		r.Levels, r.Escalations, r.SafetyNet = nil, nil, SafetyNet{NoNextStep: true}
	})
	k.opened(kunde, "Drucker", "kaputt")
	k.opened(kollegin, "VPN", "geht nicht")
	var mails []string
	for range 3 * 24 * 4 {
		k.clock.move(15 * time.Minute)
		k.tick()
		mails = append(mails, k.sentTo(k.deliver(), TemplateGathered)...)
	}
	if want := []string{lea, lea}; !slices.Equal(mails, want) { // the third gathers until a minute after
		t.Errorf("%v in three days, want one mail to the lead each day", mails)
	}
	k.healthy()
}

// Whoever was told and acts is not told again until the next part of the time is used up; others are no substitute (S32).
func TestAcknowledge(t *testing.T) {
	k := newKit(t, only(clock.Resolve, 10*time.Hour, Step{Percent: 50, Notify: []string{"team"}, Repeat: time.Hour, Max: 3}, Step{Percent: 100, Notify: []string{"team_lead"}, Repeat: time.Hour, Max: 3}))
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	told := func(after time.Duration) int {
		k.clock.move(after)
		k.tick()
		return len(k.sentTo(k.deliver(), TemplateEscalation))
	}
	k.receive(k.reply(notice, anna, "#ack"))
	if to := mailTo(t, k.deliver(), anna, TemplateRefused); !strings.Contains(string(to.Bytes), "refused.ack") {
		t.Error("there was something to acknowledge before anything happened")
	}
	if n := told(5 * time.Hour); n != 3 {
		t.Errorf("%d notices at half of the time, want 3", n)
	}
	k.receive(k.reply(notice, anna, "#ack"))
	if to := mailTo(t, k.deliver(), anna, TemplateReceipt); !strings.Contains(string(to.Bytes), "did.ack") {
		t.Errorf("%s", to.Bytes)
	}
	before, _ := k.ticket(id).clock(clock.Resolve, nil)
	if n := told(3 * time.Hour); n != 0 {
		t.Errorf("%d notices after it was acknowledged", n)
	}
	if after, _ := k.ticket(id).clock(clock.Resolve, nil); !after.Due.Equal(before.Due) {
		t.Error("a promise moved")
	}
	if n := told(2 * time.Hour); n != 1 {
		t.Errorf("%d notices at the end of the time, want the lead's", n)
	}
	k.receive(k.reply(notice, anna, "#note\nIch warte noch."))
	k.deliver()
	if n := told(time.Hour); n != 1 {
		t.Errorf("%d notices: a note of somebody else silences the lead's", n)
	}
	k.healthy()
}

// A team that needs longer says so, and why; it is asked again when that is over.
func TestMoreTime(t *testing.T) {
	k := newKit(t, func(r *Rules) {
		r.Escalations = []Escalation{{Name: "default", Steps: map[clock.Kind][]Step{clock.TimeBox: {{Percent: 100, Notify: []string{"assignee"}, Do: DoPropose}}}}}
		team := r.Teams["first"]
		team.OLA.TimeBox = map[string]time.Duration{"": 2 * time.Hour}
		r.Teams["first"] = team
	})
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#take"))
	k.deliver()
	asked := func(after time.Duration) int {
		k.clock.move(after)
		k.tick()
		return len(k.sentTo(k.deliver(), TemplateTimeBox))
	}
	if n := asked(2 * time.Hour); n != 1 {
		t.Errorf("asked %d times when the time was over", n)
	}
	for text, want := range map[string]string{"#more 30m": "refused.args", "#more bald Grund": "refused.args", "#more 300h weil": "refused.args"} {
		k.receive(k.reply(notice, anna, text))
		if to := mailTo(t, k.deliver(), anna, TemplateRefused); !strings.Contains(string(to.Bytes), want) {
			t.Errorf("%s: %s", text, to.Bytes)
		}
	}
	k.receive(k.reply(notice, anna, "#more 30m Ersatzteil kommt gleich"))
	k.deliver()
	if n := asked(29 * time.Minute); n != 0 {
		t.Errorf("asked %d times too early", n)
	}
	if n := asked(time.Minute); n != 1 {
		t.Errorf("asked %d times when that was over", n)
	}
	k.receive(k.reply(notice, anna, "#solve\nToner"))
	k.expectState(id, StateSolved)
	k.healthy()
}
