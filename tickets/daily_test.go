package tickets

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// workdays is Monday to Friday, all day, in a zone.
type workdays struct{ zone *time.Location }

func (w workdays) Add(start time.Time, d time.Duration) time.Time {
	for day := start.In(w.zone).Weekday(); day == time.Saturday || day == time.Sunday; day = start.In(w.zone).Weekday() {
		local := start.In(w.zone)
		start = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, w.zone)
	}
	return start.Add(d)
}

func (w workdays) Between(from, to time.Time) time.Duration { return to.Sub(from) }

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func overviews(zone *time.Location) func(*Rules) {
	return func(r *Rules) {
		r.Zone, r.Calendar = zone, workdays{zone}
		r.Overviews = Overviews{Personal: Daily{On: true, At: 7*time.Hour + 30*time.Minute}, Leads: Daily{On: true, At: 8 * time.Hour}}
		r.Escalations = nil
	}
}

func personalOnly(r *Rules) { r.Overviews.Leads.On = false }

// at moves the clock to a moment of the zone's wall clock.
func (k *kit) at(day string) {
	k.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", day, k.rules.Zone)
	if err != nil {
		k.Fatal(err)
	}
	k.clock.mu.Lock()
	k.clock.now = at
	k.clock.mu.Unlock()
}

func (k *kit) scheduleDaily() {
	k.Helper()
	if err := k.desk.ScheduleDaily(k.Context()); err != nil {
		k.Fatal(err)
	}
}

// digests are the overviews that leave now, by recipient and template.
func (k *kit) digests() (got []string, mails []delivered) {
	k.Helper()
	k.tick()
	for _, d := range k.deliver() {
		if d.Template == TemplatePersonal || d.Template == TemplateLead {
			got, mails = append(got, d.Template+" "+d.Recipient), append(mails, d)
		}
	}
	return sorted(got), mails
}

func groupsOf(t *testing.T, d delivered) (all []string) {
	t.Helper()
	for _, g := range viewOf(t, d).Groups {
		for _, l := range g.Tickets {
			all = append(all, strings.TrimPrefix(g.Key, "overview.")+" "+strings.TrimLeft(l.Number[8:], "0"))
		}
	}
	return all
}

func TestPersonalOverview(t *testing.T) {
	k := newKit(t, overviews(berlin(t)), func(r *Rules) { r.Levels = nil })
	k.at("2026-03-02 09:00") // a Monday
	k.scheduleDaily()
	var notices []delivered
	for range 4 {
		_, mails := k.opened(kunde, "Anliegen "+itoa(k.made), "Text Nummer "+itoa(k.made)+" zu einem ganz anderen Thema "+strings.Repeat("x", k.made))
		notices = append(notices, mailTo(t, mails, anna, TemplateTicketToTeam))
	}
	for i, text := range []string{"#take #due tomorrow 15:00", "#take #due today 18:00", "#take"} {
		k.receive(k.reply(notices[i], anna, text))
	}
	k.deliver()
	if got, _ := k.digests(); len(got) != 0 {
		t.Errorf("on the first day, past the time: %q", got)
	}
	k.at("2026-03-03 07:29")
	if got, _ := k.digests(); len(got) != 0 {
		t.Errorf("before the time: %q", got)
	}
	k.at("2026-03-03 07:30")
	got, mails := k.digests()
	if want := []string{TemplatePersonal + " " + anna, TemplatePersonal + " " + ben}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q; lea has nothing to do", got, want)
	}
	all := groupsOf(t, mailTo(t, mails, anna, TemplatePersonal))
	if want := []string{"today 1", "open 2", "open 3", "free 4"}; !slices.Equal(all, want) {
		t.Errorf("Anna is told of %q, want %q", all, want)
	}
	d := mailTo(t, mails, anna, TemplatePersonal)
	if !d.Letter.Bulk || d.Letter.ListID != "digest.desk.desk.example" || d.Letter.Ticket != "" {
		t.Errorf("bulk %v, list %q, ticket %q", d.Letter.Bulk, d.Letter.ListID, d.Letter.Ticket)
	}

	// What stands beside a ticket is an address that answers it, for her alone.
	reply := viewOf(t, d).Groups[0].Tickets[0].Reply
	k.receive(k.mail(anna, "Antwort", "Es wird heute fertig.", func(m *Message) { m.To = []Address{{Mail: reply}} }))
	if sent := mailTo(t, k.afterUndo(), kunde, TemplateAgentReply); !strings.Contains(sent.Letter.Text, "heute fertig") {
		t.Errorf("the customer got %s", sent.Letter.Text)
	}
	k.receive(k.mail(ben, "Antwort", "Von einem anderen.", func(m *Message) { m.To = []Address{{Mail: reply}} }))
	if sent := outside(k.afterUndo()); len(sent) != 0 {
		t.Errorf("the address works for somebody else: %s", summary(sent))
	}
	k.healthy()
}

func TestOverviewsComeOncePerDay(t *testing.T) {
	zone := berlin(t)
	k := newKit(t, overviews(zone), personalOnly)
	k.at("2026-03-27 06:00") // Friday; on Sunday the clocks go forward
	k.scheduleDaily()
	_, mails := k.opened(kunde, "Drucker", "Er druckt nicht.")
	k.receive(k.reply(mailTo(t, mails, anna, TemplateTicketToTeam), anna, "#take"))
	k.deliver()
	count := func(moment string, want int) {
		t.Helper()
		k.at(moment)
		if got, _ := k.digests(); len(got) != want {
			t.Errorf("at %s: %q, want %d", moment, got, want)
		}
	}
	count("2026-03-27 07:31", 1)
	k.reopen()
	k.scheduleDaily()
	count("2026-03-27 07:40", 0) // after a restart
	k.at("2026-03-27 07:00")     // the clock was set back
	k.scheduleDaily()
	count("2026-03-27 07:35", 0)
	count("2026-03-28 09:00", 0) // Saturday
	count("2026-03-29 12:00", 0) // Sunday
	count("2026-03-30 07:29", 0)
	count("2026-03-30 07:30", 1)
	r := *k.rules
	r.Overviews.Personal.At = 10 * time.Hour
	k.desk.SetRules(&r)
	k.scheduleDaily()
	count("2026-03-30 10:00", 0) // another time, the same day
	count("2026-03-31 07:30", 0)
	k.reopen()
	k.desk.SetRules(&r)
	count("2026-03-31 15:00", 1) // the desk was down at ten
	count("2026-04-03 15:00", 1) // and for some days: one mail
	k.healthy()
}

// A moment that the change of the clocks leaves out, or repeats, makes one mail.
func TestOverviewAtChangeOfClocks(t *testing.T) {
	zone := berlin(t)
	for _, c := range []struct{ from, to string }{{"2026-03-28 12:00", "2026-03-29 12:00"}, {"2026-10-24 12:00", "2026-10-25 12:00"}} {
		k := newKit(t, overviews(zone), func(r *Rules) {
			r.Calendar, r.Overviews.Leads.On = AroundTheClock{}, false
			r.Overviews.Personal.At = 2*time.Hour + 30*time.Minute
		})
		k.at(c.from)
		k.scheduleDaily()
		_, mails := k.opened(kunde, "Drucker", "Er druckt nicht.")
		k.receive(k.reply(mailTo(t, mails, anna, TemplateTicketToTeam), anna, "#take"))
		k.deliver()
		end, err := time.ParseInLocation("2006-01-02 15:04", c.to, zone)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; !k.clock.Now().After(end); k.clock.move(15 * time.Minute) {
			got, _ := k.digests()
			n += len(got)
		}
		if n != 1 {
			t.Errorf("between %s and %s: %d mails", c.from, c.to, n)
		}
	}
}

func TestLeadOverview(t *testing.T) {
	k := newKit(t, overviews(berlin(t)), func(r *Rules) { r.Overviews.Personal.On = false })
	k.at("2026-03-02 09:00")
	k.scheduleDaily()
	taken, mails := k.opened(kunde, "Alt", "Das dauert wohl länger als gedacht.")
	k.receive(k.reply(mailTo(t, mails, anna, TemplateTicketToTeam), anna, "#take #due 2026-04-01 12:00"))
	k.deliver()
	k.at("2026-03-02 18:00")
	k.opened(stranger, "Neu", "Noch hat es niemand.")
	k.at("2026-03-03 08:00")
	_, mails = k.digests()
	first := mailTo(t, mails, lea, TemplateLead)
	if got, want := groupsOf(t, first), []string{"over 1", "over 2"}; !slices.Equal(got, want) {
		t.Errorf("told of %q, want %q", got, want)
	}
	r := *k.rules
	r.SLA, r.Levels = SLA{}, nil
	k.desk.SetRules(&r)
	_, mails = k.opened("x@elsewhere.example", "Neuer", "Auch noch frei, ohne Frist.")
	k.receive(k.reply(mailTo(t, mails, anna, TemplateTicketToTeam), anna, "#absent until 20.03.2026"))
	k.at("2026-03-04 08:00")
	_, mails = k.digests()
	v := viewOf(t, mailTo(t, mails, lea, TemplateLead))
	if got := groupsOf(t, mails[0]); !slices.Contains(got, "unowned 3") {
		t.Errorf("told of %q", got)
	}
	if len(v.Lines) != 1 || v.Lines[0].Key != "overview.absent" || v.Lines[0].Args["who"] != "Anna Agentin" {
		t.Errorf("absences: %+v", v.Lines)
	}
	if k.ticket(taken).Assignee != anna {
		t.Error("an overview changed a ticket")
	}
}

// #digest off is the reader's word, until #digest on; not_for is the admin's.
func TestOverviewsCanBeRefused(t *testing.T) {
	k := newKit(t, overviews(berlin(t)), func(r *Rules) { r.Overviews.Leads.On, r.Overviews.Personal.NotFor = false, []string{ben} })
	k.at("2026-03-02 06:00")
	k.scheduleDaily()
	k.opened(kunde, "Drucker", "Er druckt nicht.")
	k.at("2026-03-02 07:30")
	got, mails := k.digests()
	if want := []string{TemplatePersonal + " " + anna}; !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
	k.receive(k.reply(mails[0], anna, "#digest off"))
	if r := mailTo(t, k.deliver(), anna, TemplateReceipt); viewOf(t, r).Lines[0].Key != "did.digest_off" {
		t.Errorf("the receipt says %+v", viewOf(t, r).Lines)
	}
	k.at("2026-03-03 07:30")
	if got, _ := k.digests(); len(got) != 0 {
		t.Errorf("after #digest off: %q", got)
	}
	k.receive(k.mail(anna, "", "#digest an"))
	k.deliver()
	k.at("2026-03-04 07:30")
	if got, _ := k.digests(); len(got) != 1 {
		t.Errorf("after #digest on: %q", got)
	}
	k.receive(k.mail(anna, "", "#digest vielleicht"))
	if r := mailTo(t, k.deliver(), anna, TemplateRefused); viewOf(t, r).Lines[0].Key != "refused.args" {
		t.Errorf("refused with %+v", viewOf(t, r).Lines)
	}
}

// What waited for an agent's working time stands in the overview, and comes no second time.
func TestOverviewTakesWhatWaited(t *testing.T) {
	k := newKit(t, overviews(berlin(t)), personalOnly)
	k.at("2026-03-02 06:00")
	k.scheduleDaily()
	id, _ := k.opened(kunde, "Drucker", "Er druckt nicht.")
	line := Line{Key: "clock.unowned", Args: map[string]string{"age": "2h0m0s"}}
	for _, who := range []string{anna, ben} {
		n := Postponed{To: who, At: time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC), Ticket: id, Lines: []Line{line}}
		if err := k.store.Update(t.Context(), func(tx *Tx) error { return tx.postpone(n) }); err != nil {
			t.Fatal(err)
		}
	}
	k.at("2026-03-02 07:30")
	_, mails := k.digests()
	d := mailTo(t, mails, anna, TemplatePersonal)
	if got := groupsOf(t, d); !slices.Equal(got, []string{"told 1"}) || !strings.Contains(d.Letter.Text, "clock.unowned") {
		t.Errorf("told of %q", got)
	}
	k.at("2026-03-02 12:00")
	k.tick()
	if more := k.deliver(); len(more) != 0 {
		t.Errorf("told once more: %s", summary(more))
	}
}
