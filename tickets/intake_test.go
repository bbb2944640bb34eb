package tickets

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewTicketIsAcknowledgedAndToldOnce(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "Der Drucker druckt nicht.")
	k.expectState(id, StateNew)
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	if ack.EnvelopeFrom != "" || ack.Class != ClassAuto {
		t.Errorf("the acknowledgement is %s from %q, want %s from <>", ack.Class, ack.EnvelopeFrom, ClassAuto)
	}
	for _, a := range []string{anna, ben, teamCopy} {
		mailTo(t, sent, a, TemplateTicketToTeam)
	}
	if len(sent) != 4 {
		t.Errorf("sent: %s", summary(sent))
	}
	if tk := k.ticket(id); tk.Number != "NW-2026-000001" || tk.Requester.Mail != kunde || !tk.Verified || tk.Team != "first" {
		t.Errorf("ticket: %+v", tk)
	}
	k.healthy()
}

// S-029: the same content under two UIDs is one message and one acknowledgement.
func TestSameContentTwice_S029(t *testing.T) {
	k := newKit(t)
	m := k.mail(kunde, "Drucker", "Text")
	first := k.receive(m)
	again := k.receive(m)
	k.expect(again, Duplicate, first.Ticket)
	if !strings.Contains(again.Why, "UID 1 ") {
		t.Errorf("why %q does not say where it was seen before", again.Why)
	}
	// In one batch, too, and in another mailbox state.
	n := k.mail(kunde, "Maus", "Text")
	out := k.receiveAll(k.incoming(n), k.incoming(n))
	if out[0].Result != Created || out[1].Result != Duplicate || out[1].Ticket != out[0].Ticket {
		t.Errorf("one batch: %+v", out)
	}
	if acks := to(k.deliver(), kunde); len(acks) != 2 {
		t.Errorf("acknowledgements: %s", summary(acks))
	}
	k.healthy()
}

// S-030, S-031: one Message-ID, or none, with different contents: everything is kept.
func TestSameMessageIDOtherContent_S030_S031(t *testing.T) {
	k := newKit(t)
	same := func(m *Message) { m.ID = "same@elsewhere.example" }
	none := func(m *Message) { m.ID = "" }
	for _, m := range []*Message{
		k.mail(stranger, "Rechnung", "eins", same), k.mail(kunde, "Rechnung", "zwei", same),
		k.mail(kunde, "Ohne", "drei", none), k.mail(kunde, "Ohne", "vier", none),
	} {
		if out := k.receive(m); out.Result != Created {
			t.Errorf("%q: %+v, want a ticket", m.Text, out)
		}
	}
	k.healthy()
}

// S-032: trace fields are not part of what identifies a message.
func TestTraceFieldsDoNotMakeAnotherMessage_S032(t *testing.T) {
	k := newKit(t)
	m := k.mail(kunde, "Liste", "Text")
	k.receive(m)
	copied := *m
	copied.Fields = append([]Field{{"List-Id", "<l.example>"}, {"Received", "from elsewhere"}}, m.Fields...)
	if out := k.receive(&copied); out.Result != Duplicate {
		t.Errorf("the list's copy: %+v", out)
	}
}

// After a lost answer the same call is made again: nothing is done twice, and the answer is the same.
func TestReceiveIsIdempotent_S033(t *testing.T) {
	k := newKit(t)
	in := []Incoming{k.incoming(k.mail(kunde, "Eins", "1")), k.incoming(k.mail(kollegin, "Zwei", "2"))}
	first := k.receiveAll(in...)
	k.deliver()
	before := k.books()
	second := k.receiveAll(in...)
	for i := range first {
		if first[i].Result != second[i].Result || first[i].Ticket != second[i].Ticket {
			t.Errorf("answer %d: first %+v, then %+v", i, first[i], second[i])
		}
	}
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("the second call sent: %s", summary(sent))
	}
	if after := k.books(); after != before {
		t.Errorf("books before %+v, after %+v", before, after)
	}
	k.reopen()
	k.receiveAll(in...)
	if after := k.books(); after != before {
		t.Errorf("books before %+v, after a restart %+v", before, after)
	}
	k.healthy()
}

// S-005: a new UIDVALIDITY starts the mailbox anew; known mail is known by its content.
func TestNewUIDValidity_S005(t *testing.T) {
	k := newKit(t)
	m := k.mail(kunde, "Drucker", "Text")
	id := k.receive(m).Ticket
	k.deliver()
	p := k.place(99)
	if p.UIDValidity != 99 || p.Next != 1 || p.Started.IsZero() {
		t.Errorf("place after the change: %+v", p)
	}
	// A batch of before the change is refused whole, and can be repeated under the new number.
	if _, err := k.desk.Receive(context.Background(), batchOf(k.incoming(k.mail(kunde, "Alt", "x")))); err == nil {
		t.Error("a batch with the old UIDVALIDITY was taken")
	}
	out := k.receiveAll(Incoming{Source: Source{"support", 99, 1}, Arrived: k.clock.Now(), Raw: rawOf(m), Message: m})
	k.expect(out[0], Duplicate, id)
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	if p := k.place(99); p.Next != 2 {
		t.Errorf("place: %+v", p)
	}
	k.healthy()
}

func TestPlaceAndHoles(t *testing.T) {
	k := newKit(t)
	ctx := context.Background()
	for i := 1; i <= 3; i++ {
		h, err := k.desk.Missed(ctx, Source{"support", testValidity, 5}, "NO [UNAVAILABLE]")
		if err != nil || h.Attempts != i || h.Since.IsZero() {
			t.Fatalf("attempt %d: %+v, %v", i, h, err)
		}
	}
	k.uid = 9
	k.receive(k.mail(kunde, "Zehn", "x"))
	p := k.place(testValidity)
	if p.Next != 11 || len(p.Holes) != 1 || p.Holes[5].Reason != "NO [UNAVAILABLE]" {
		t.Fatalf("place: %+v", p)
	}
	k.reopen()
	if p = k.place(testValidity); p.Holes[5].Attempts != 3 {
		t.Fatalf("place after a restart: %+v", p)
	}
	k.uid = 4
	in := k.incoming(k.mail(kunde, "Fünf", "y"))
	b := batchOf(in)
	b.Through = 0
	if _, err := k.desk.Receive(ctx, b); err != nil {
		t.Fatal(err)
	}
	if p = k.place(testValidity); p.Next != 11 || len(p.Holes) != 0 {
		t.Fatalf("place after the hole was closed: %+v", p)
	}
	settled, err := k.desk.Settled(ctx, "support", testValidity, []uint32{1, 5, 10, 11})
	if err != nil || len(settled) != 2 || settled[0] != (Settled{UID: 5, Result: Created}) || settled[1].UID != 10 {
		t.Errorf("settled: %+v, %v", settled, err)
	}
	if _, err := k.desk.Missed(ctx, Source{"support", 1, 5}, "x"); err == nil {
		t.Error("a hole of another UIDVALIDITY was recorded")
	}
	k.healthy()
}

func TestAbsentMessages(t *testing.T) {
	k := newKit(t)
	prefix := k.mail(kunde, "Riesig", "Anfang")
	for _, c := range []struct {
		in     Incoming
		result Result
		mails  int
	}{
		{Incoming{Absent: TooOld}, Filed, 0},
		{Incoming{Absent: Vanished}, Failed, 0},
		{Incoming{Absent: Unfetchable, Detail: "NO broken"}, Failed, 1},
		{Incoming{Absent: Oversize, Raw: rawOf(prefix), Message: prefix, Size: 1 << 30}, Quarantined, 1},
		{Incoming{}, Failed, 0},
	} {
		k.uid++
		c.in.Source, c.in.Arrived = Source{"support", testValidity, k.uid}, k.clock.Now()
		out := k.receiveAll(c.in)[0]
		sent := k.deliver()
		if out.Result != c.result || len(sent) != c.mails || len(outside(sent)) > 0 {
			t.Errorf("%q: %s (%s), sent %s; want %s and %d mails", c.in.Absent, out.Result, out.Why, summary(sent), c.result, c.mails)
		}
		for _, d := range sent {
			if d.Recipient != admin || d.Template != TemplateHealth {
				t.Errorf("%q: sent %s", c.in.Absent, summary(sent))
			}
		}
	}
	k.healthy()
}

// A mail of no octets at all is a message, too.
func TestEmptyRawMessage(t *testing.T) {
	k := newKit(t)
	in := k.incoming(&Message{})
	in.Raw, in.Size = []byte{}, 0
	out := k.receiveAll(in)[0]
	if out.Result == "" || k.books().Seen != 1 {
		t.Errorf("outcome %+v, books %+v", out, k.books())
	}
	k.healthy()
}

// S-027: a mail of ours that comes back is filed, whoever sends it on.
func TestOwnMailComesBack_S027(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "x")
	for i, d := range sent {
		m := k.mail(stranger, d.Letter.Subject, "zurück", func(m *Message) { m.ID = d.Letter.MessageID })
		if out := k.receive(m); out.Result != Filed {
			t.Errorf("mail %d (%s): %+v", i, d.Template, out)
		}
	}
	if again := k.deliver(); len(again) > 0 {
		t.Errorf("sent: %s", summary(again))
	}
	k.healthy()
}

// S-062: nobody writes to the desk as the desk.
func TestOwnAddressAsAuthor_S062(t *testing.T) {
	k := newKit(t)
	for _, from := range []string{deskAddress, "SUPPORT@desk.example", "support+x@desk.example"} {
		m := k.mail(from, "Hallo", "x", func(m *Message) { m.Author = strings.ToLower(from) })
		if out := k.receive(m); out.Result != Quarantined {
			t.Errorf("from %s: %+v", from, out)
		}
	}
	if sent := k.deliver(); len(sent) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.healthy()
}

// S-057, S-065 and what else decides whether an automatic answer goes out, and where to.
func TestAcknowledgement_S057_S064_S065(t *testing.T) {
	returnPath := func(p string) func(*Message) { return func(m *Message) { m.ReturnPath = p } }
	for _, c := range []struct {
		name   string
		change []func(*Message)
		to     string // "": no answer
		tmpl   string
		result Result
	}{
		{"plain", nil, kunde, TemplateAckNew, Created},
		{"S-057 no return path", []func(*Message){returnPath("")}, "", "", Created},
		{"S-057 null return path", []func(*Message){returnPath("<>")}, "", "", Created},
		{"S-057 foreign return path", []func(*Message){returnPath("opfer@elsewhere.example")}, "", "", Created},
		{"S-057 return path below the author's domain", []func(*Message){returnPath("b@mail.customer.example")}, "b@mail.customer.example", TemplateAckNew, Created},
		{"S-057 lookalike domain", []func(*Message){returnPath("b@notcustomer.example")}, "", "", Created},
		{"S-057 own return path", []func(*Message){returnPath(deskAddress)}, "", "", Created},
		{"S-057 never Reply-To", []func(*Message){func(m *Message) { m.ReplyTo = []Address{{Mail: "opfer@elsewhere.example"}} }}, kunde, TemplateAckNew, Created},
		{"S-053 return path with a line break", []func(*Message){returnPath("a\r\nRCPT TO:<x@y>@customer.example")}, "", "", Created},
		{"S-076 author not certain", []func(*Message){func(m *Message) { m.Author = "" }}, "", "", Created},
		{"S-054 classified as not to be answered", []func(*Message){with(fieldNoAnswer, "Auto-Submitted")}, "", "", Created},
		{"S-065 unauthenticated", []func(*Message){unauthenticated}, kunde, TemplateAckGeneric, Created},
		{"S-064 forged", []func(*Message){forged}, "", "", Quarantined},
		{"S-063 suspicious", []func(*Message){with(fieldQuarantine, "too many Received fields")}, "", "", Quarantined},
		{"automatic answer", []func(*Message){with(fieldAutoAnswer, "vpn")}, kunde, TemplateAutoAnswer, Created},
		{"automatic answer, unauthenticated", []func(*Message){with(fieldAutoAnswer, "vpn"), unauthenticated}, kunde, TemplateAckGeneric, Created},
		{"automatic reply", []func(*Message){autoReply}, "", "", Filed},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			out := k.receive(k.mail(kunde, "Betreff", "Text", c.change...))
			if out.Result != c.result {
				t.Errorf("%+v, want %s", out, c.result)
			}
			sent := outside(k.deliver())
			switch {
			case c.to == "" && len(sent) > 0:
				t.Errorf("sent: %s", summary(sent))
			case c.to != "":
				if d := mailTo(t, sent, c.to, c.tmpl); len(sent) != 1 || d.EnvelopeFrom != "" {
					t.Errorf("sent: %s, envelope from %q", summary(sent), d.EnvelopeFrom)
				}
			}
			k.healthy()
		})
	}
}

// S-065: whoever may be forged gets none of the mail back: no subject, name, text or file.
func TestGenericAcknowledgementHasNoneOfTheirText_S065(t *testing.T) {
	k := newKit(t)
	m := k.mail(kunde, "CANARYsubject", "CANARYtext", unauthenticated, func(m *Message) {
		m.From[0].Name = "CANARYname"
		m.Attachments = []Attachment{{Name: "CANARYfile", Type: "text/plain", Size: 5}}
	})
	k.files[m.ID] = []File{{Name: "CANARYfile", Type: "text/plain", Data: []byte("CANARYdata")}}
	k.receive(m)
	sent := outside(k.deliver())
	mailTo(t, sent, kunde, TemplateAckGeneric)
	absentFrom(t, sent, "CANARY")
}

// S-064: forged mail that someone lets in is still not answered: the answer would go to the victim.
func TestReleasedForgedMailIsNotAnswered_S064(t *testing.T) {
	k := newKit(t)
	k.receive(k.mail(kunde, "Betreff", "Text", forged))
	held := k.held()
	if len(held) != 1 {
		t.Fatalf("held: %+v", held)
	}
	out, err := k.desk.Release(context.Background(), held[0].ID, admin)
	if err != nil || out.Result != Created {
		t.Fatalf("release: %+v, %v", out, err)
	}
	if sent := outside(k.deliver()); len(sent) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	k.healthy()
}

// S-058: the caps on automatic answers, per hour and per day, also for mail from beside the address.
// S-058: a ticket gets an automatic answer of one kind once, however long its customer goes on writing, and also when a
// solution opens it anew.
func TestOneAutomaticAnswerATicketAndTemplate_S058(t *testing.T) {
	k := newKit(t)
	id, first := k.opened(kunde, "Drucker", "Er druckt nicht.")
	ack, notice := mailTo(t, first, kunde, TemplateAckNew), mailTo(t, first, anna, TemplateTicketToTeam)
	sent := slices.Clone(first)
	for i := range 12 {
		k.clock.move(50 * time.Hour) // beyond every limit of an hour or a day
		if i%4 == 3 {
			k.receive(k.reply(notice, anna, "#solve\nDas Papier fehlte."))
			sent = append(sent, k.afterUndo()...)
		}
		k.expect(k.receive(k.reply(ack, kunde, "Und noch etwas, Nummer "+itoa(i))), Appended, id)
		sent = append(sent, k.deliver()...)
	}
	counts := map[string]int{}
	for _, d := range outside(sent) {
		if d.Class == ClassAuto {
			counts[d.Template]++
		}
	}
	if counts[TemplateAckNew] != 1 {
		t.Errorf("automatic answers: %v", counts)
	}
	for template, n := range counts {
		if n > 1 {
			t.Errorf("%d times %q on one ticket", n, template)
		}
	}
	k.healthy()
}

func TestCapsOnAutomaticAnswers_S058(t *testing.T) {
	k := newKit(t)
	answers := 0
	for i := range 100 {
		if out := k.receive(k.mail(kunde, "Nummer "+itoa(i), "Text "+itoa(i))); out.Result != Created {
			t.Fatalf("%+v", out)
		}
		answers += len(outside(k.deliver()))
		if i == 30 && answers != 5 {
			t.Errorf("%d answers in the first hour, want 5", answers)
		}
		if i%31 == 30 {
			k.clock.move(61 * time.Minute)
		}
	}
	if answers != 20 {
		t.Errorf("%d answers in four hours, want 20", answers)
	}
	for range 5 {
		k.clock.move(61 * time.Minute)
		k.receive(k.mail(kunde, "Später "+k.clock.Now().String(), "x"))
	}
	if n := len(outside(k.deliver())); n != 0 {
		t.Errorf("%d answers more on the same day", n)
	}
	k.clock.move(24 * time.Hour)
	k.receive(k.mail(kunde, "Am nächsten Tag", "x"))
	if n := len(outside(k.deliver())); n != 1 {
		t.Errorf("%d answers on the next day, want 1", n)
	}
	k.receive(k.mail(kollegin, "Jemand anders", "x"))
	if n := len(outside(k.deliver())); n != 1 {
		t.Errorf("%d answers to somebody else, want 1", n)
	}
	k.healthy()
}

// S-060: what refers to an automatic mail of ours is never answered automatically.
func TestReferringToAutomaticMail_S060(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "x")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	// From somebody else, so that it opens a ticket of its own once it is let in; and from a peer desk that refers in References only.
	m := k.mail("desk@peer.example", "Ihre Anfrage", "Danke für Ihre Anfrage", func(m *Message) {
		m.References = []string{"x@peer.example", ack.Letter.MessageID}
	})
	k.receive(m)
	if out := outside(k.deliver()); len(out) > 0 {
		t.Errorf("sent: %s", summary(out))
	}
	for _, h := range k.held() {
		if _, err := k.desk.Release(context.Background(), h.ID, admin); err != nil {
			t.Errorf("release: %v", err)
		}
	}
	if out := outside(k.deliver()); len(out) > 0 {
		t.Errorf("sent after the release: %s", summary(out))
	}
	k.healthy()
}

// S-174: neither the Date field nor a server's strange idea of the arrival drives a clock or stops the desk.
func TestStrangeTimes_S174(t *testing.T) {
	k := newKit(t)
	for i, at := range []time.Time{
		{}, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("west", -14*3600)), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		for _, inDate := range []bool{true, false} {
			m := k.mail(kunde, "Zeit "+itoa(i), "x"+at.String())
			in := k.incoming(m)
			if inDate {
				m.Date = at
				in.Raw = []byte("raw " + at.String())
			} else {
				in.Arrived = at
			}
			out := k.receiveAll(in)[0]
			if out.Result != Created {
				t.Fatalf("%s: %+v", at, out)
			}
			for _, c := range k.ticket(out.Ticket).Clocks {
				if c.Start().After(k.clock.Now()) || c.Due.After(k.clock.Now().Add(25*time.Hour)) {
					t.Errorf("%s: clock %s runs from %s to %s", at, c.Kind, c.Start(), c.Due)
				}
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	next, err := k.desk.Tick(ctx)
	if err != nil {
		t.Fatalf("tick: %v", err)
	}
	if next.IsZero() || next.Before(k.clock.Now()) {
		t.Errorf("next timer at %s", next)
	}
	k.healthy()
}
