package tickets

import (
	"strings"
	"testing"
	"time"

	"supportd/tickets/clock"
)

const secretWord = "Kanarienvogel"

// secretClassifier gives what is secret to the restricted team, with somebody of another team as watcher.
type secretClassifier struct{ fakeClassifier }

func (s secretClassifier) Classify(m *Message, h Hints) Verdict {
	v := s.fakeClassifier.Classify(m, h)
	if strings.Contains(m.Subject, secretWord) && !h.OnTicket {
		v.Team, v.Watchers, v.Priority = "second", []string{anna}, "P2"
	}
	return v
}

func restricted(r *Rules) {
	tiered(r)
	t := r.Teams["second"]
	t.Restricted = true
	r.Teams["second"] = t
	r.Classifier = secretClassifier{}
	r.ServiceManager = ben
	r.Escalations[0].Steps[clock.FirstResponse] = []Step{{Percent: 50, Notify: []string{"team", "service_manager", "admin"}}}
}

// noSecret holds that no mail to anybody but those says anything of what is restricted.
func noSecret(t *testing.T, sent []delivered, but ...string) {
	t.Helper()
	for _, d := range sent {
		may := false
		for _, who := range but {
			may = may || d.Recipient == who
		}
		all := strings.ToLower(string(d.Bytes))
		if !may && (strings.Contains(all, strings.ToLower(secretWord)) || strings.Contains(all, "whistle@")) {
			t.Errorf("%s to %s tells what is restricted: %s", d.Template, d.Recipient, d.Bytes)
		}
	}
}

// What a restricted team's ticket says reaches its members and its lead, and nobody else of the staff: not by notices, escalations
// and watching, not by asking, and not beside other tickets. S-121
func TestRestrictedTeam_S121(t *testing.T) {
	const whistle = "whistle@customer.example"
	k := newKit(t, restricted)
	see := []string{nora, lea, whistle}
	text := secretWord + " im Keller: Die Buchhaltung fälscht Belege und Rechnungen"
	id, sent := k.opened(whistle, secretWord, text)
	notice := mailTo(t, sent, nora, TemplateTicketToTeam)
	watch := mailTo(t, sent, anna, TemplateTicketToTeam)
	if v := viewOf(t, watch); !v.Restricted || v.Mode != "note" || v.Number != k.ticket(id).Number || len(watch.Letter.Attached) > 0 {
		t.Errorf("the watcher got %+v", v)
	}
	noSecret(t, sent, see...)

	// A watcher's text becomes a note; the commands of theirs are refused.
	k.receive(k.reply(watch, anna, "Der Kollege war gestern hier."))
	noSecret(t, k.deliver(), see...)
	k.receive(k.reply(watch, anna, "#take"))
	out := k.deliver()
	noSecret(t, out, see...)
	if v := viewOf(t, mailTo(t, out, anna, TemplateRefused)); len(v.Lines) == 0 || v.Lines[0].Key != "refused.restricted" {
		t.Errorf("#take: %+v", v.Lines)
	}
	if got := k.ticket(id); got.Assignee != "" {
		t.Errorf("the ticket belongs to %s", got.Assignee)
	}

	// Asking tells that it is there, and no more.
	number := k.ticket(id).Number
	for _, command := range []string{"#list all", "#list second", "#search " + secretWord, "#show " + number, "#why " + number, "#ticket " + number + "\n#note hallo"} {
		k.receive(k.mail(ben, "Frage", command))
		out := k.deliver()
		noSecret(t, out, see...)
		if list := strings.HasPrefix(command, "#list") || strings.HasPrefix(command, "#show"); list && !strings.Contains(string(to(out, ben)[0].Bytes), "list.restricted") {
			t.Errorf("%s: %s", command, to(out, ben)[0].Bytes)
		}
		k.receive(k.mail(nora, "Frage", command))
		if out := k.deliver(); strings.HasPrefix(command, "#search") && !strings.Contains(string(to(out, nora)[0].Bytes), number) {
			t.Errorf("a member does not find it: %s", to(out, nora)[0].Bytes)
		}
	}

	// What reads like it stands beside no other team's ticket, and escalations name its number.
	_, sent = k.opened(kunde, "Belege", "Die Buchhaltung fälscht Belege und Rechnungen")
	noSecret(t, sent, see...)
	for _, d := range to(sent, anna) {
		if v := viewOf(t, d); len(v.Similar) > 0 {
			t.Errorf("similar: %+v", v.Similar)
		}
	}
	k.clock.move(3 * time.Hour)
	k.tick()
	out = k.deliver()
	noSecret(t, out, see...)
	named := false
	for _, d := range to(out, admin) {
		v := viewOf(t, d)
		named = named || v.Number == number && v.Restricted
	}
	if !named {
		t.Errorf("nobody was told of the escalation: %s", summary(out))
	}

	// Whom a member gives it to sees it.
	k.receive(k.reply(notice, nora, "#assign "+ben))
	if v := viewOf(t, mailTo(t, k.deliver(), ben, TemplateAssigned)); v.Restricted || !strings.Contains(v.Subject, secretWord) {
		t.Errorf("assigned: %+v", v)
	}
	k.healthy()
}
