package tickets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// printers takes every mail for one about printers.
type printers struct{ fakeClassifier }

func (p printers) Classify(m *Message, h Hints) Verdict {
	v := p.fakeClassifier.Classify(m, h)
	v.Category = Category{Name: "hardware.printer", Probability: 0.917, Score: 6, RunnerUp: "other", RunnerUpScore: 1}
	v.Customer = Customer{Organisation: "Krause & Partner", ServiceLevel: "gold", VIP: true}
	return v
}

func printerRules(r *Rules) {
	r.Classifier = printers{}
	r.Categories = []CategoryChoice{{Name: "hardware.printer", Labels: map[string]string{"de": "Drucker", "en": "Printer"}}}
	r.SecondTier = map[string]string{"hardware.printer": "second"}
	r.Standard = map[string]*StandardAnswer{
		"toner":    {Name: "toner", Title: map[string]string{"de": "Toner tauschen", "en": "Changing toner"}},
		"password": {Name: "password", Title: map[string]string{"de": "Kennwort vergessen", "en": "Forgotten password"}},
	}
}

func viewOf(t *testing.T, d delivered) InternalView {
	t.Helper()
	var v InternalView
	if err := json.Unmarshal([]byte(d.Letter.Text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNewTicketSaysWhatIsKnown(t *testing.T) {
	k := newKit(t, printerRules)
	k.receive(k.mail(kunde, "Drucker im Empfang", "Der Drucker im Empfang druckt nur leere Seiten, der Toner ist neu.", func(m *Message) {
		m.Signature = "Kim Krause\nTelefax: +49 40 999999\nTel.: +49 (40) 12 34 56-78\nkunde@customer.example"
	}))
	mails := k.deliver()
	v := viewOf(t, mailTo(t, mails, anna, TemplateTicketToTeam))
	if v.Organisation != "Krause & Partner" || !v.VIP || v.Level != "gold" || v.Speaks != "de" || v.Phone != "+49 (40) 12 34 56-78" {
		t.Errorf("the customer is %q, VIP %v, %q, speaks %q, %q", v.Organisation, v.VIP, v.Level, v.Speaks, v.Phone)
	}
	want := []Line{
		{Key: "suggest.category", Args: map[string]string{"name": "Drucker", "percent": "92", "team": "second"}},
		{Key: "suggest.answer", Args: map[string]string{"name": "toner", "title": "Toner tauschen"}},
	}
	if formatJSON(v.Suggestions) != formatJSON(want) {
		t.Errorf("suggested is %s, want %s", formatJSON(v.Suggestions), formatJSON(want))
	}
	if got := viewOf(t, mailTo(t, mails, ben, TemplateTicketToTeam)).Suggestions[0].Args["name"]; got != "Printer" {
		t.Errorf("the category is called %q to somebody who reads English", got)
	}
	if want := []string{"#take", "#send toner", "#solve"}; !slices.Equal(v.Commands, want) {
		t.Errorf("commands %q, want %q", v.Commands, want)
	}
	if len(v.Similar) != 0 {
		t.Errorf("a first ticket is like %v", v.Similar)
	}
	for _, d := range outside(mails) {
		for _, secret := range []string{"hardware.printer", "#send", "gold", "12 34 56"} {
			if strings.Contains(d.Letter.Text, secret) {
				t.Errorf("%q stands in a mail to %s", secret, d.Recipient)
			}
		}
	}

	k.receive(k.reply(mailTo(t, mails, kunde, TemplateAckNew), kunde, "Er druckt wieder nicht."))
	v = viewOf(t, mailTo(t, k.deliver(), anna, TemplateCustomerReplied))
	if !v.VIP || len(v.Recent) < 2 || len(v.Suggestions) != 0 {
		t.Errorf("a customer's answer: VIP %v, %d last entries, %d suggestions", v.VIP, len(v.Recent), len(v.Suggestions))
	}
}

func TestSimilarTicketsAreNamed(t *testing.T) {
	k := newKit(t, printerRules)
	var numbers []string
	for i := range 3 {
		out := k.receive(k.mail(fmt.Sprintf("p%d@customer.example", i), "VPN bricht ab", "Die Einwahl ueber VPN bricht nach fuenf Minuten ab, Meldung Zertifikat abgelaufen."))
		numbers = append(numbers, k.ticket(out.Ticket).Number)
		if i > 0 {
			continue
		}
		for range 4 { // the others have nothing to do with it
			k.receive(k.mail(stranger, fmt.Sprintf("Bestellung %d", k.made), fmt.Sprintf("Wann kommt die Lieferung %d mit den Monitoren?", k.made)))
		}
	}
	all := k.deliver()
	k.receive(k.mail(kunde, "VPN", "Meine VPN Einwahl bricht ab: Zertifikat abgelaufen"))
	mails := k.deliver()
	all = append(all, mails...)
	v := viewOf(t, mailTo(t, mails, anna, TemplateTicketToTeam))
	got := []string{}
	for _, s := range v.Similar {
		got = append(got, s.Number)
	}
	slices.Reverse(got)
	if !slices.Equal(got, numbers) {
		t.Errorf("similar are %q, want the three before it, newest first: %q", got, numbers)
	}

	// After a restart the same ones are found; what was solved long ago is not.
	k.reopen()
	k.receive(k.mail("p8@customer.example", "VPN", "Einwahl bricht ab, VPN Zertifikat abgelaufen"))
	mails = k.deliver()
	all = append(all, mails...)
	if v := viewOf(t, mailTo(t, mails, anna, TemplateTicketToTeam)); len(v.Similar) != maxAlike {
		t.Errorf("after a restart %d are similar", len(v.Similar))
	}
	for _, d := range to(all, anna) {
		k.receive(k.reply(d, anna, "#solve\nDas Zertifikat ist erneuert."))
	}
	k.afterUndo()
	k.receive(k.mail("p9@customer.example", "VPN", "Einwahl bricht ab, VPN Zertifikat abgelaufen"))
	v = viewOf(t, mailTo(t, k.deliver(), anna, TemplateTicketToTeam))
	if len(v.Similar) != maxAlike || v.Similar[0].Lines[0].Key != "similar.solved" || !strings.Contains(v.Similar[0].Lines[0].Args["text"], "erneuert") {
		t.Errorf("solved ones are named as %s", formatJSON(v.Similar))
	}
	k.clock.move(lately + time.Hour)
	k.receive(k.mail("p7@customer.example", "VPN", "Einwahl bricht ab, VPN Zertifikat abgelaufen"))
	if v := viewOf(t, mailTo(t, k.deliver(), anna, TemplateTicketToTeam)); len(v.Similar) != 1 {
		t.Errorf("a month later %d are similar, want the one that is open", len(v.Similar))
	}
}

func TestHigherTierThatSolvedSuchTickets(t *testing.T) {
	now := time.Now()
	list := []Similar{{Team: "second", Tier: 2, State: StateSolved, SolvedAt: now}, {Team: "second", Tier: 2, State: StateClosed, SolvedAt: now}, {Team: "first", Tier: 1, State: StateSolved, SolvedAt: now}}
	if team, n := solvers(list, &Ticket{Tier: 1}); team != "second" || n != 2 {
		t.Errorf("%q solved %d", team, n)
	}
	if team, _ := solvers(list[1:], &Ticket{Tier: 1}); team != "" {
		t.Errorf("one ticket is enough for %q", team)
	}
	if team, _ := solvers(list, &Ticket{Tier: 2}); team != "" {
		t.Errorf("%q is suggested to its own tier", team)
	}
}

func TestIndexOfSimilarTicketsIsBounded(t *testing.T) {
	x := &alike{filled: true, byID: map[TicketID]*remembered{}, with: map[uint32][]*remembered{}}
	for i := range 3 * maxRemembered {
		x.note(&Ticket{ID: TicketID(i + 1), State: StateNew, Subject: fmt.Sprintf("one%d two%d three%d four%d", i, i, i, i/2)})
	}
	if len(x.ring) != maxRemembered || len(x.byID) != maxRemembered {
		t.Errorf("%d tickets are remembered, %d by number", len(x.ring), len(x.byID))
	}
	words := 0
	for _, list := range x.with {
		words += len(list)
	}
	if words != 4*maxRemembered {
		t.Errorf("%d words are remembered, want %d", words, 4*maxRemembered)
	}
	last := 3*maxRemembered - 1
	text := unusualWords(fmt.Sprintf("three%d TWO%d one%d", last, last, last))
	if got := x.like(text, time.Now()); len(got) != 1 || got[0].ID != TicketID(last+1) {
		t.Errorf("found %v", got)
	}
	if got := x.like(unusualWords("one0 two0 three0 four0"), time.Now()); len(got) != 0 {
		t.Errorf("a ticket that was pushed out is found: %v", got)
	}
	x.forget()
	if x.filled || len(x.with) != 0 {
		t.Error("something is left after forgetting")
	}
}

func TestPhoneInSignature(t *testing.T) {
	for text, want := range map[string]string{
		"Tel. 040 / 123 456-78": "040 / 123 456-78", "Phone: +44 20 7946 0018": "+44 20 7946 0018", "Mobil +49 171 5550123\n": "+49 171 5550123",
		"Fax: 040 123456": "", "HRB 123456": "", "22767 Hamburg": "", "+49 40 123456": "+49 40 123456", "": "", "Kd.-Nr. 0012-3456-78x": "",
	} {
		if got := phoneIn(text); got != want {
			t.Errorf("in %q: %q, want %q", text, got, want)
		}
	}
}
