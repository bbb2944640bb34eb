package tickets

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

const nagios = "nagios@mon.example"

// verdictField carries, as JSON, what the classifier of these tests adds to the verdict.
const verdictField = "X-Test-Verdict"

type alertClassifier struct{ fakeClassifier }

func (c alertClassifier) Classify(m *Message, h Hints) Verdict {
	v := c.fakeClassifier.Classify(m, h)
	if s := m.FirstField(verdictField); s != "" && !h.OnTicket {
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			panic(err)
		}
	}
	if h.OnTicket && strings.Contains(m.Reply, "Beschwerde") {
		v.Tags, v.Watchers, v.Notify, v.Rules = []string{"complaint"}, []string{lea}, []string{"team_lead"}, []string{"says-complaint"}
		v.Reasons = append(v.Reasons, Reason{What: "rule", Value: "says-complaint", Why: "the word", Place: "rules[0]"})
	}
	return v
}

func alertKit(t testing.TB) *kit {
	return newKit(t, func(r *Rules) { r.Classifier = alertClassifier{} })
}

func verdict(v Verdict) func(*Message) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return with(verdictField, string(b))
}

// alert is a monitoring mail.
func alert(problem bool, change ...func(*Verdict)) func(*Message) {
	v := Verdict{Kind: KindMonitoring, Auth: AuthPass, Team: "first", Language: "de", NoAnswer: "no person's mail", Priority: "P2", CI: "SRV-1",
		Alert: &Alert{System: "nagios", Host: "srv-1", Service: "HTTP", Problem: problem, State: "CRITICAL", Key: "srv-1/http", Window: 24 * time.Hour}}
	if !problem {
		v.Alert.State = "OK"
	}
	for _, c := range change {
		c(&v)
	}
	return verdict(v)
}

func key(s string) func(*Verdict) { return func(v *Verdict) { v.Alert.Key = s } }

func auth(a Authentication) func(*Verdict) { return func(v *Verdict) { v.Auth = a } }

func (k *kit) alarm(problem bool, change ...func(*Verdict)) Outcome {
	k.Helper()
	return k.receive(k.mail(nagios, "** PROBLEM **", "CRITICAL - Socket timeout", alert(problem, change...)))
}

// An alert makes a ticket, the next one with its key joins it, and the end of the problem solves it; nothing goes out.
func TestAlertsAreOneTicket(t *testing.T) {
	k := alertKit(t)
	first := k.alarm(true)
	if first.Result != Created {
		t.Fatalf("%+v", first)
	}
	told := k.deliver()
	if mailTo(t, told, anna, TemplateTicketToTeam).Letter.Template == "" || len(outside(told)) > 0 {
		t.Errorf("told: %s", summary(told))
	}
	k.clock.move(10 * time.Minute)
	if again := k.alarm(true); again.Result != Appended || again.Ticket != first.Ticket {
		t.Errorf("the same alert again: %+v", again)
	}
	if other := k.alarm(true, key("srv-1/disk")); other.Ticket == first.Ticket {
		t.Error("another key joined")
	}
	if all := to(k.deliver(), anna); len(all) != 1 || all[0].Template != TemplateTicketToTeam {
		t.Errorf("a repetition was told: %s", summary(all))
	}
	k.clock.move(10 * time.Minute)
	if over := k.alarm(false); over.Result != Appended || over.Ticket != first.Ticket {
		t.Errorf("recovery: %+v", over)
	}
	tk := k.ticket(first.Ticket)
	if tk.State != StateSolved || tk.Resolution != "recovered: OK" || tk.Priority != "P2" || tk.CI != "SRV-1" {
		t.Errorf("after the recovery: %+v", tk)
	}
	for _, c := range tk.Clocks {
		if c.Stop.IsZero() {
			t.Errorf("clock %s runs on", c.Kind)
		}
	}
	if all := k.deliver(); len(outside(all)) > 0 || mailTo(t, all, anna, TemplateCustomerReplied).Letter.Template == "" {
		t.Errorf("recovery told to %s", summary(all))
	}
	k.clock.move(time.Hour)
	if back := k.alarm(true); back.Ticket != first.Ticket {
		t.Errorf("the problem back within the window: %+v", back)
	}
	if tk := k.ticket(first.Ticket); tk.State != StateNew || tk.Reopened != 1 {
		t.Errorf("after the problem came back: %s, reopened %d", tk.State, tk.Reopened)
	}
	k.clock.move(25 * time.Hour)
	if late := k.alarm(true); late.Result != Created || late.Ticket == first.Ticket {
		t.Errorf("after the window: %+v", late)
	}
	k.healthy()
}

// What no ticket is about is filed; what cannot be believed solves nothing.
func TestRecoveryThatSolvesNothing(t *testing.T) {
	k := alertKit(t)
	if out := k.alarm(false); out.Result != Filed || out.Ticket != 0 {
		t.Errorf("a recovery of nothing: %+v", out)
	}
	if out := k.alarm(true, auth(AuthFail)); out.Result != Quarantined {
		t.Errorf("S-064 forged: %+v", out)
	}
	for _, tt := range []struct {
		name     string
		recovery func() Outcome
		act      func(id TicketID, told []delivered)
	}{
		{"noted by a person", func() Outcome { return k.alarm(false) }, func(_ TicketID, told []delivered) {
			k.receive(k.reply(mailTo(t, told, anna, TemplateTicketToTeam), anna, "Ich schaue es mir an."))
		}},
		{"taken", func() Outcome { return k.alarm(false) }, func(_ TicketID, told []delivered) {
			k.receive(k.reply(mailTo(t, told, anna, TemplateTicketToTeam), anna, "#take"))
		}},
		{"to be noted only", func() Outcome { return k.alarm(false, func(v *Verdict) { v.Alert.NoteOnly = true }) }, nil},
		{"not vouched for", func() Outcome { return k.alarm(false, auth(AuthNone)) }, nil},
		{"a remark", func() Outcome { return k.alarm(false, func(v *Verdict) { v.Alert.Notice = true }) }, nil},
		{"forged", func() Outcome { return k.alarm(false, auth(AuthFail)) }, nil},
		{"from another domain", func() Outcome {
			return k.receive(k.mail("nagios@evil.example", "** RECOVERY **", "OK", alert(false)))
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k.clock.move(48 * time.Hour)
			out := k.alarm(true)
			told := k.deliver()
			if tt.act != nil {
				tt.act(out.Ticket, told)
			}
			tt.recovery()
			if tk := k.ticket(out.Ticket); !tk.State.Live() {
				t.Errorf("solved: %+v", tk)
			}
			if all := outside(k.afterUndo()); len(all) > 0 {
				t.Errorf("mails to the outside: %s", summary(all))
			}
		})
	}
	k.healthy()
}

// What comes and goes makes one ticket and few mails a day, and stays open until a person says otherwise.
func TestFlappingIsBounded(t *testing.T) {
	k := alertKit(t)
	first := k.alarm(true)
	mails := len(to(k.deliver(), anna))
	for range 40 {
		for _, problem := range []bool{false, true} {
			k.clock.move(10 * time.Minute)
			if out := k.alarm(problem); out.Ticket != first.Ticket {
				t.Fatalf("%+v", out)
			}
			mails += len(slices.DeleteFunc(to(k.deliver(), anna), func(d delivered) bool { return d.Template == TemplateEscalation }))
		}
	}
	k.clock.move(10 * time.Minute)
	k.alarm(false)
	tk := k.ticket(first.Ticket)
	if !tk.State.Live() || !slices.Contains(tk.Tags, tagFlaps) || !tk.Alert.Flapping() || len(tk.Alert.Turns) > maxTurns {
		t.Errorf("ticket %+v %+v", tk, tk.Alert)
	}
	if mails > flapTurns+1 {
		t.Errorf("%d mails to one agent about one flapping service", mails)
	}
	if b := k.books(); b.Created != 1 {
		t.Errorf("books %+v", b)
	}
	k.healthy()
}

// While a P1 is open on what an item needs, its alerts make tickets and no mails.
func TestOutageSilencesDependents(t *testing.T) {
	k := alertKit(t)
	p1 := k.alarm(true, key("fw-1/"), func(v *Verdict) { v.Priority, v.CI = "P1", "FW-1" })
	k.deliver()
	needs := func(v *Verdict) { v.DependsOn = []string{"SW-9", "fw-1"} }
	silent := k.alarm(true, key("srv-1/ping"), needs)
	if all := k.deliver(); silent.Result != Created || len(all) > 0 {
		t.Errorf("%+v, told: %s", silent, summary(all))
	}
	var why string
	if err := k.store.View(func(tx *Tx) error {
		list, err := tx.TicketMessages(silent.Ticket)
		for _, r := range list[0].Reasons {
			if r.What == "notices" {
				why = r.Why
			}
		}
		return err
	}); err != nil || !strings.Contains(why, k.ticket(p1.Ticket).Number) {
		t.Errorf("why %q, %v", why, err)
	}
	if unrelated := k.alarm(true, key("srv-2/ping")); unrelated.Result != Created || len(k.deliver()) == 0 {
		t.Error("an alert of another item was silenced")
	}
	k.alarm(false, key("fw-1/"))
	k.deliver()
	if k.alarm(true, key("srv-3/ping"), needs); len(k.deliver()) == 0 {
		t.Error("the outage is over and still silences")
	}
	k.healthy()
}

// A plain reply to a notice about an alert stays inside, and solving one tells the monitoring system nothing.
func TestMonitoringGetsNoMail(t *testing.T) {
	k := alertKit(t)
	out := k.alarm(true)
	k.receive(k.reply(mailTo(t, k.deliver(), ben, TemplateTicketToTeam), ben, "#solve\nNetzteil getauscht"))
	if all := outside(k.afterUndo()); len(all) > 0 {
		t.Errorf("mails to the outside: %s", summary(all))
	}
	if tk := k.ticket(out.Ticket); tk.State != StateSolved || tk.Resolution != "Netzteil getauscht" {
		t.Errorf("ticket %+v", tk)
	}
	k.clock.move(time.Hour)
	k.alarm(true)
	if tk := k.ticket(out.Ticket); tk.State != StateOpen {
		t.Errorf("a solved problem that is back is %s, want open: a person had it", tk.State)
	}
	k.healthy()
}

// What the classifier decides stands on the ticket; rules on replies add to it, and watchers are told without a right to
// answer the customer.
func TestVerdictStandsOnTheTicket(t *testing.T) {
	k := alertKit(t)
	v := Verdict{Kind: KindHuman, Auth: AuthPass, Language: "de", Team: "second", Category: Category{Name: "network.vpn"}, CI: "SVC-VPN", Service: "vpn",
		Impact: "high", Urgency: "medium", Priority: "P2", Customer: Customer{Organisation: "Kunde AG"}, Tags: []string{"gold"},
		Watchers: []string{anna}, Checklists: []string{"a b.md"}}
	v.Customer.ServiceLevel = "gold"
	out := k.receive(k.mail(kunde, "VPN", "geht nicht", verdict(v)))
	tk := k.ticket(out.Ticket)
	if tk.Category != "network.vpn" || tk.CI != "SVC-VPN" || tk.Service != "vpn" || tk.Impact != "high" || tk.Urgency != "medium" || tk.Priority != "P2" ||
		tk.Organisation != "Kunde AG" || tk.ServiceLevel != "gold" || !slices.Equal(tk.Tags, []string{"gold"}) || !slices.Equal(tk.Watchers, []string{anna}) ||
		!slices.Equal(tk.Checklists, []string{"a b.md"}) || tk.Team != "second" || tk.Tier != 2 {
		t.Errorf("ticket %+v", tk)
	}
	all := k.deliver()
	if watcher := mailTo(t, all, anna, TemplateTicketToTeam); !strings.Contains(watcher.Letter.Text, `"ReplyIsPublic":false`) {
		t.Errorf("a watcher's reply goes to the customer: %s", watcher.Letter.Text)
	}
	k.receive(k.reply(mailTo(t, all, kunde, TemplateAckNew), kunde, "Das wird eine Beschwerde!"))
	tk = k.ticket(out.Ticket)
	if !slices.Equal(tk.Tags, []string{"gold", "complaint"}) || !slices.Equal(tk.Watchers, []string{anna, lea}) || tk.Priority != "P2" {
		t.Errorf("after the complaint: tags %v, watchers %v, priority %s", tk.Tags, tk.Watchers, tk.Priority)
	}
	told := k.deliver()
	if len(to(told, lea)) != 1 || len(to(told, anna)) != 1 {
		t.Errorf("told: %s", summary(told))
	}
	k.healthy()
}

// A store of the first schema gets the index of alerts when it is opened.
func TestMigrationToAlerts(t *testing.T) {
	k := alertKit(t)
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(k.dir+"/"+deskFile, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(btx *bolt.Tx) error {
		if err := btx.DeleteBucket(bucketAlerts); err != nil {
			return err
		}
		return btx.Bucket(bucketMeta).Put(keySchema, key64(1))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	k.open()
	if out := k.alarm(true); out.Result != Created {
		t.Errorf("%+v", out)
	}
	k.healthy()
}
