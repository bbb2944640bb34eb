package tickets

import (
	"slices"
	"strings"
	"testing"
)

// Who comes back is told once, in the first overview, what others did about their tickets meanwhile.
func TestOverviewAfterAbsence(t *testing.T) {
	k := newKit(t, overviews(berlin(t)), personalOnly, func(r *Rules) { r.Levels, r.SLA = nil, SLA{} })
	k.at("2026-03-02 09:00") // a Monday
	k.scheduleDaily()
	var ids []TicketID
	var notices, acks []delivered
	for _, text := range []string{"Der Drucker im Erdgeschoss druckt nicht.", "Das Telefon in Halle drei klingelt nie.", "Mein Kennwort ist seit gestern abgelaufen."} {
		id, mails := k.opened(kunde, text[:12], text)
		ids, notices, acks = append(ids, id), append(notices, mailTo(t, mails, anna, TemplateTicketToTeam)), append(acks, mailTo(t, mails, kunde, TemplateAckNew))
		k.receive(k.reply(notices[len(notices)-1], anna, "#take"))
	}
	k.at("2026-03-02 10:00")
	k.receive(k.reply(notices[0], anna, "#absent until 09.03.2026"))
	k.afterUndo()
	k.at("2026-03-04 10:00")
	k.receive(k.reply(acks[0], kunde, "Geht es voran?"))
	answered := mailTo(t, k.deliver(), ben, TemplateCustomerReplied)
	k.receive(k.reply(answered, ben, "#note Ich sehe es mir an."))
	k.receive(k.reply(answered, ben, "Es geht voran."))
	k.receive(k.reply(acks[1], kunde, "Und bei mir?"))
	k.receive(k.reply(mailTo(t, k.afterUndo(), ben, TemplateCustomerReplied), ben, "#take #solve\nJetzt klingelt es."))
	k.afterUndo()
	k.at("2026-03-09 07:30")
	if got, _ := k.digests(); slices.Contains(got, TemplatePersonal+" "+anna) {
		t.Errorf("still away, and got %q", got)
	}
	k.at("2026-03-10 07:30")
	_, mails := k.digests()
	d := mailTo(t, mails, anna, TemplatePersonal)
	if got := groupsOf(t, d); !slices.Equal(got, []string{"away 2", "away 1", "open 3"}) {
		t.Errorf("told of %q", got)
	}
	said := map[string]string{}
	for _, g := range viewOf(t, d).Groups {
		for _, one := range g.Tickets {
			for _, l := range one.Lines {
				if l.Key != "overview.from" {
					said[one.Number] += strings.TrimPrefix(l.Key, "away.") + " " + l.Args["count"] + l.Args["who"] + ";"
				}
			}
		}
	}
	for i, want := range []string{"wrote 1;dealt Ben Agent;", "wrote 1;dealt Ben Agent;now Ben Agent;", ""} {
		if got := said[k.ticket(ids[i]).Number]; got != want {
			t.Errorf("of ticket %d it says %q, want %q", i+1, got, want)
		}
	}
	k.at("2026-03-11 07:30")
	_, mails = k.digests()
	if got := groupsOf(t, mailTo(t, mails, anna, TemplatePersonal)); slices.Contains(got, "away 1") || len(got) != 2 {
		t.Errorf("told once more: %q", got)
	}
	k.healthy()
}

// Nothing happened: nothing is said. #back ends an absence, and the next overview tells of it.
func TestOverviewAfterBack(t *testing.T) {
	k := newKit(t, overviews(berlin(t)), personalOnly, func(r *Rules) { r.Levels, r.SLA = nil, SLA{} })
	k.at("2026-03-02 09:00")
	k.scheduleDaily()
	_, mails := k.opened(kunde, "Drucker", "Der Drucker druckt nicht.")
	notice, ack := mailTo(t, mails, anna, TemplateTicketToTeam), mailTo(t, mails, kunde, TemplateAckNew)
	k.receive(k.reply(notice, anna, "#take"))
	say := func(moment, text string) {
		t.Helper()
		k.at(moment)
		k.receive(k.reply(notice, anna, text))
		k.afterUndo()
	}
	groups := func(moment string) []string {
		t.Helper()
		k.at(moment)
		_, mails := k.digests()
		return groupsOf(t, mailTo(t, mails, anna, TemplatePersonal))
	}
	say("2026-03-02 10:00", "#absent until 20.03.2026")
	say("2026-03-03 10:00", "#back")
	if got := groups("2026-03-04 07:30"); !slices.Equal(got, []string{"open 1"}) {
		t.Errorf("nothing happened, and it says %q", got)
	}
	say("2026-03-04 10:00", "#absent until 20.03.2026")
	k.receive(k.reply(ack, kunde, "Geht es voran?"))
	say("2026-03-05 10:00", "#absent until 27.03.2026") // longer: it began before
	say("2026-03-06 10:00", "#back")
	say("2026-03-06 10:05", "#back") // again, and was not away
	if got := groups("2026-03-09 07:30"); !slices.Equal(got, []string{"away 1"}) {
		t.Errorf("after a second absence it says %q", got)
	}
	k.healthy()
}
