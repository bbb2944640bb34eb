package tickets

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func atMostThree(r *Rules) {
	r.Notices, r.Escalations = Notices{AtMost: 3, Within: 5 * time.Minute}, nil
}

// Beyond so many notices in a while the further ones come in one mail, which names every ticket; it comes once, also when
// the desk is started anew meanwhile.
func TestManyNoticesAreOneMail(t *testing.T) {
	k := newKit(t, atMostThree)
	var want []string
	count := 0
	for i := range 7 {
		id, mails := k.opened("p"+itoa(i)+"@customer.example", "Anliegen "+itoa(i), "Text "+itoa(i))
		if singles := len(to(mails, anna)); i < 3 && singles != 1 || i >= 3 && singles != 0 {
			t.Errorf("of ticket %d Anna got %d notices", i, singles)
		}
		if i >= 3 {
			want = append(want, k.ticket(id).Number)
		}
		if acks := len(outside(mails)); acks != 1 {
			t.Errorf("customer %d got %d mails", i, acks)
		}
		k.clock.move(10 * time.Second)
	}
	k.reopen()
	k.clock.move(4 * time.Minute)
	k.tick()
	if early := k.deliver(); len(early) != 0 {
		t.Errorf("before the time: %s", summary(early))
	}
	k.clock.move(5 * time.Minute)
	k.tick()
	mails := k.deliver()
	for _, who := range []string{anna, ben, teamCopy} {
		d := mailTo(t, mails, who, TemplateMany)
		v := viewOf(t, d)
		var got []string
		for _, l := range v.Groups[0].Tickets {
			got = append(got, l.Number)
			if (l.Reply == "") != (who == teamCopy) {
				t.Errorf("%s gets the address %q", who, l.Reply)
			}
		}
		if !slices.Equal(got, want) || v.Count != 4 || len(v.Groups) != 1 || v.Groups[0].Key != "many.new" {
			t.Errorf("%s is told of %q (%d), want %q", who, got, v.Count, want)
		}
		count++
	}
	if len(mails) != count {
		t.Errorf("%d mails: %s", len(mails), summary(mails))
	}
	reply := viewOf(t, mailTo(t, mails, anna, TemplateMany)).Groups[0].Tickets[2].Reply
	k.receive(k.mail(anna, "x", "Das ist erledigt.", func(m *Message) { m.To = []Address{{Mail: reply}} }))
	mailTo(t, k.afterUndo(), "p5@customer.example", TemplateAgentReply)

	k.tick()
	if more := k.deliver(); len(more) != 0 {
		t.Errorf("once more: %s", summary(more))
	}
	if _, mails := k.opened(kunde, "Wieder ruhig", "Noch etwas."); len(to(mails, anna)) != 1 {
		t.Errorf("when it is quiet again: %s", summary(mails))
	}
	k.healthy()
}

// What is most urgent, and what somebody did, is never collected. A single collected notice is one as ever.
func TestWhatIsNeverCollected(t *testing.T) {
	k := newKit(t, atMostThree, func(r *Rules) { r.Classifier = urgent{} })
	for i := range 6 {
		if _, mails := k.opened("p"+itoa(i)+"@customer.example", "dringend "+itoa(i), "Alles steht "+itoa(i)); len(to(mails, anna)) != 1 {
			t.Errorf("of urgent ticket %d: %s", i, summary(to(mails, anna)))
		}
	}
	var last delivered
	for i := range 3 {
		_, mails := k.opened(kunde, "Frage "+itoa(i), "Etwas anderes "+itoa(i))
		last = mailTo(t, mails, anna, TemplateTicketToTeam)
	}
	if _, mails := k.opened(kunde, "Eine vierte", "Die vierte Frage."); len(to(mails, anna)) != 0 {
		t.Errorf("the fourth comes singly: %s", summary(mails))
	}
	k.receive(k.reply(last, anna, "#assign ben"))
	mails := k.deliver()
	mailTo(t, mails, ben, TemplateAssigned)
	mailTo(t, mails, anna, TemplateReceipt)
	k.clock.move(7 * time.Minute)
	k.tick()
	d := mailTo(t, k.deliver(), anna, TemplateTicketToTeam)
	if v := viewOf(t, d); v.Text != "Die vierte Frage." || !v.ReplyIsPublic {
		t.Errorf("the one that was collected says %q, public %v", v.Text, v.ReplyIsPublic)
	}
}

// urgent gives the highest priority to what says so.
type urgent struct{ fakeClassifier }

func (u urgent) Classify(m *Message, h Hints) Verdict {
	v := u.fakeClassifier.Classify(m, h)
	if strings.HasPrefix(m.Subject, "dringend") {
		v.Priority = topPriority
	}
	return v
}

// However many they are, each is named.
func TestEveryCollectedTicketIsNamed(t *testing.T) {
	k := newKit(t, atMostThree)
	const n = 100
	var all []Incoming
	for i := range n {
		all = append(all, k.incoming(k.mail("p"+itoa(i)+"@customer.example", "Anliegen "+itoa(i), "Text "+itoa(i))))
	}
	k.receiveAll(all...)
	k.clock.move(7 * time.Minute)
	k.tick()
	named := map[string]int{}
	for _, d := range to(k.deliver(), anna) {
		switch d.Template {
		case TemplateTicketToTeam:
			named[d.Letter.Ticket]++
		case TemplateMany:
			for _, l := range viewOf(t, d).Groups[0].Tickets {
				named[l.Number]++
			}
		}
	}
	if len(named) != n {
		t.Errorf("%d tickets are named, want %d", len(named), n)
	}
	for number, times := range named {
		if times != 1 {
			t.Errorf("%s is named %d times", number, times)
		}
	}
}
