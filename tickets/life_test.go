package tickets

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// life is a random life of a desk: people, machines, attackers, crashes and time, in any order. What must never happen
// is looked for in every byte that leaves.
type life struct {
	*kit
	pick   func(n int) int
	mails  []delivered // that left, newest last
	past   []Incoming
	serial int
	admits int
}

var (
	customers = []string{"alina@eins.example", "bodo@zwei.example", "cleo@drei.example"}
	agents    = []string{anna, ben, lea}
	// agentTexts hold %d where a canary's number stands: NOTE canaries must never leave the house.
	agentTexts = []string{
		"Antwort %d", "#solve\nLösung %d", "#solve", "#wait\nFrage %d?", "#note NOTE%dX", "#note\nNOTE%dX", "#reply\n#note\nNOTE%dX", "#note #reply NOTE%dX", "#take", "#take #solve\nLösung %d",
		"#release", "#assign ben", "#assign lea\nIch gebe das weiter, Antwort %d", "#assign nobody\nNOTE%dX", "#frobnicate\nNOTE%dX", "#solve #reopen\nLösung %d",
		"#reopen", "#reopen #solve\nDoch %d", "#undo", "#undo\nNOTE%dX", "#show", "#help", "#take\n#frobnicate\nNOTE%dX", "#reply #solve\nLösung %d", "#note #solve\nNOTE%dX", "", "#reply",
		"#merge @T", "#merge @T #take", "#duplicate @T", "#link @T", "#unmerge", "#unmerge @T", "#split", "#split Neues Thema", "#spam", "#release", "#schedule morgen 14:00\nTermin %d", "#termin 2h",
		"#tag vpn -netz #due 2h\nAntwort %d", "#snooze 2h", "#hold", "#subject Anderes %d", "#time 15m #note NOTE%dX", "#cc +kim@vier.example\nAntwort %d", "#delcc kim@vier.example", "#watch", "#mute",
		"#queue second", "#noreply #solve\nNOTE%dX", "#nocc\nAntwort %d", "#call 5m\nNOTE%dX", "#quiet #solve workaround\nLösung %d", "#lang en", "#list all", "#search Betreff", "#show @T", "#figures", "#report",
		"#requester neu@fuenf.example", "#sla standard", "#set tag=neu", "#status solved", "#assign second\nAntwort %d", "Status: resolved", "@@close\nNOTE%dX", "#high\n#note NOTE%dX",
		"#merge @T\nNOTE%dX", "#split\nNOTE%dX", "#wait\nFrage %d?", "#take #wait\nFrage %d?",
	}
	// newTexts are what agents write of their own accord.
	newTexts = []string{"#for kim@vier.example\nAnruf %d", "#for kim@vier.example #call #take\n#note NOTE%dX", "#ticket @T #tag neu #take", "#ticket @T\n#note NOTE%dX", "#for @T @T\nNOTE%dX", "#ticket @T\n#solve\nNOTE%dX",
		"#list all", "#show @T", "#search Betreff", "#fwd\nNOTE%dX", "#help", "#solve\nNOTE%dX", "#for\nNOTE%dX"}
	customerTexts = []string{"TEXTVON%s Es geht nicht.", "Danke! TEXTVON%s", "Danke", "TEXTVON%s Noch eine Frage?", "", "Status", "gelöst", "Ja"}
)

// patient makes the rules remind customers, and give up.
func patient(r *Rules) {
	r.Waiting = Waiting{Remind: []time.Duration{20 * time.Hour, 50 * time.Hour}, After: 80 * time.Hour}
}

// word is a customer's own canary.
func word(address string) string { return strings.ToUpper(address[:strings.IndexByte(address, '@')]) }

func (l *life) customerText(from string) string {
	s := customerTexts[l.pick(len(customerTexts))]
	if strings.Contains(s, "%s") {
		s = fmt.Sprintf(s, word(from))
	}
	l.serial++
	if s != "" && !strings.Contains(s, " ") {
		return s // a word that the desk understands by itself
	}
	return strings.TrimSpace(s + " " + itoa(l.serial))
}

func (l *life) agentText(texts []string) string {
	s := texts[l.pick(len(texts))]
	if strings.Contains(s, "%d") {
		l.serial++
		s = fmt.Sprintf(s, l.serial)
	}
	if strings.Contains(s, "@T") {
		number := "NW-1"
		if n := int(l.ticketCount()); n > 0 {
			number = l.ticket(TicketID(1 + l.pick(n))).Number
		}
		s = strings.ReplaceAll(s, "@T", number)
	}
	return s
}

// some is one of the mails that left to a person that the filter takes.
func (l *life) some(keep func(delivered) bool) (delivered, bool) {
	var found []delivered
	for _, d := range l.mails {
		if keep(d) {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return delivered{}, false
	}
	return found[max(0, len(found)-1-l.pick(20))], true
}

func (l *life) take(m *Message) {
	in := l.incoming(m)
	l.past = append(l.past, in)
	l.receiveAll(in)
}

func (l *life) step() {
	doubt := func(m *Message) {
		switch l.pick(8) {
		case 0:
			unauthenticated(m)
		case 1:
			forged(m)
		}
	}
	switch l.pick(17) {
	case 0, 1:
		from := customers[l.pick(len(customers))]
		l.take(l.mail(from, "Betreff "+itoa(l.pick(3)), l.customerText(from), doubt))
	case 2, 3, 4:
		from := customers[l.pick(len(customers))]
		if d, ok := l.some(func(d delivered) bool { return d.Recipient == from }); ok {
			l.take(l.reply(d, from, l.customerText(from), doubt))
		}
	case 5, 6, 7, 8:
		from := agents[l.pick(len(agents))]
		if d, ok := l.some(func(d delivered) bool { return d.Recipient == from && d.Ticket != 0 }); ok {
			l.take(l.reply(d, from, l.agentText(agentTexts), doubt))
		}
	case 9: // somebody with an address that is not theirs
		l.serial++
		from := append(slices.Clone(agents), "fremd"+itoa(l.pick(4))+"@anders.example", deskAddress)[l.pick(5)]
		if d, ok := l.some(func(d delivered) bool { return d.Recipient != from }); ok {
			l.take(l.reply(d, from, fmt.Sprintf("HELD%dX", l.serial), doubt))
		}
	case 10:
		if d, ok := l.some(func(delivered) bool { return true }); ok {
			l.take(l.reply(d, d.Recipient, "Bin im Urlaub "+itoa(l.serial), autoReply))
		}
	case 11:
		l.bounce()
	case 12:
		l.settleHeldMail()
	case 13:
		if len(l.past) > 0 { // the answer was lost, or the mailbox is read again
			in := l.past[l.pick(len(l.past))]
			if l.pick(2) == 0 {
				l.uid++
				in.Source.UID = l.uid
			}
			b := batchOf(in)
			if _, err := l.desk.Receive(context.Background(), b); err != nil {
				l.Fatalf("receive again: %v", err)
			}
		}
	case 14:
		l.clock.move([]time.Duration{time.Second, time.Minute, 3 * time.Hour, 26 * time.Hour, 8 * 24 * time.Hour, 20 * 24 * time.Hour, -time.Hour}[l.pick(7)])
		l.tick()
	case 16:
		from := agents[l.pick(len(agents))]
		l.take(l.mail(from, "Neues "+itoa(l.serial), l.agentText(newTexts), doubt, func(m *Message) {
			if l.pick(3) == 0 {
				m.Forwarded = &Forwarded{From: Address{Mail: "weiter@sechs.example"}, Subject: "Weitergeleitet", Text: "Text der weitergeleiteten Mail"}
			}
		}))
	case 15:
		if l.pick(3) == 0 {
			l.reopen()
		}
	}
	if l.pick(3) > 0 {
		l.clock.move(time.Duration(l.pick(15)) * time.Second)
		l.collect()
	}
}

func (l *life) bounce() {
	d, ok := l.some(func(d delivered) bool { return d.EnvelopeFrom != "" })
	if !ok {
		return
	}
	l.serial++
	b, err := json.Marshal(Bounce{Recipients: []string{d.Recipient}, Status: "5.1.1", Hard: true, Delayed: l.pick(2) == 0, Diagnostic: "gone"})
	if err != nil {
		l.Fatal(err)
	}
	l.take(l.mail("mailer-daemon@mx.example", "Undelivered", itoa(l.serial), with(fieldKind, string(KindBounce)), with(fieldBounce, string(b)),
		func(m *Message) { m.To, m.ReturnPath = []Address{{Mail: d.EnvelopeFrom}}, "<>" }))
}

func (l *life) settleHeldMail() {
	held := l.held()
	if len(held) == 0 {
		return
	}
	h := held[l.pick(len(held))]
	if d, ok := l.some(func(d delivered) bool { return slices.Contains(agents, d.Recipient) && d.Ticket == h.Ticket }); ok && h.Ticket != 0 {
		l.admits++
		l.take(l.reply(d, d.Recipient, fmt.Sprintf("%s %d", []string{"#admit", "#reject", "#release"}[l.pick(3)], h.ID)))
		return
	}
	if l.pick(2) == 0 {
		l.desk.Drop(context.Background(), h.ID, admin)
	} else if _, err := l.desk.Release(context.Background(), h.ID, admin); err != nil && !h.Final && !strings.Contains(err.Error(), "cannot be released") {
		l.Fatalf("release %+v: %v", h, err)
	}
}

// collect delivers, and looks into what leaves.
func (l *life) collect() {
	sent := l.deliver()
	for _, d := range outside(sent) {
		body := string(d.Bytes)
		for _, never := range []string{"NOTE", "staff.example", "#solve", "#take", "#note", "#wait", "#reply", "#assign", "#release", "#undo", "#frobnicate", "#merge", "#link", "#split", "#spam", "#schedule", "#termin", "#tag", "#for", "#ticket", "#cc", "#noreply", "#call", "@@close"} {
			if i := strings.Index(body, never); i >= 0 {
				l.Errorf("%q leaves in %q to %s: …%s…", never, d.Template, d.Recipient, body[max(0, i-60):min(len(body), i+60)])
			}
		}
		for _, c := range customers { // S-093: nobody reads the text of a customer whose ticket they have no part in
			if strings.Contains(body, "TEXTVON"+word(c)) && d.Recipient != c && (slices.Contains(customers, d.Recipient) || !l.ticket(d.Ticket).participant(d.Recipient)) {
				l.Errorf("the text of %s leaves to %s", c, d.Recipient)
			}
		}
	}
	for _, d := range sent {
		if isStaff(d.Recipient) && (len(d.Letter.To) != 1 || len(d.Letter.Cc) > 0) {
			l.Errorf("S-103: a notice to %v, Cc %v", d.Letter.To, d.Letter.Cc)
		}
	}
	l.mails = append(l.mails, sent...)
}

// check holds everything that has to be true at the end of any life.
func (l *life) check() {
	l.clock.move(time.Minute)
	l.collect()
	l.healthy()
	l.waits()
	err := l.store.View(func(tx *Tx) error {
		counts := map[State]int{}
		err := tx.Tickets(true, func(t *Ticket) (bool, error) {
			counts[t.State]++
			entries, err := tx.Entries(t.ID)
			if err != nil {
				return false, err
			}
			again, err := Replay(entries)
			if err != nil || !sameTicket(t, again) {
				l.Errorf("ticket %s is not what its entries add up to: %v", t.Number, err)
			}
			for _, e := range entries {
				for _, c := range e.Changes {
					if c.Field == fieldState && !strings.HasPrefix(e.Detail, "#undo") && !reachable(State(c.Before), State(c.After)) {
						l.Errorf("ticket %s, entry %d: from %q to %q", t.Number, e.Seq, c.Before, c.After)
					}
				}
			}
			return true, nil
		})
		for _, s := range States() {
			if n := tx.StateCounts()[s]; n != counts[s] {
				l.Errorf("%d tickets are %s, the counter says %d", counts[s], s, n)
			}
		}
		if err != nil {
			return err
		}
		return tx.each(bucketMessages, nil, func(_, v []byte) (bool, error) {
			var m Stored
			if err := decodeRecord(v, &m); err != nil {
				return false, err
			}
			if m.Result != Quarantined && m.Result != Filed {
				return true, nil
			}
			raw, err := l.desk.Raw(&m)
			if err != nil {
				return false, err
			}
			if text := readTestMessage(raw, time.Time{}).Reply; strings.HasPrefix(text, "HELD") {
				absentFrom(l.TB, outside(l.mails), text)
			}
			return true, nil
		})
	})
	if err != nil {
		l.Fatal(err)
	}
}

// reachable reports whether the table has a way from one state to the other; one mail may go two steps.
func reachable(from, to State) bool {
	if from == "" {
		return to == StateNew
	}
	for e := range transitions {
		for _, before := range States() {
			if n, ok := next(from, before, e); ok && n == to {
				return true
			}
		}
	}
	return false
}

// S-100, S-103, S-104: short lives, which shrink when one goes wrong. More with -rapid.checks=N.
func TestShortLives_S100_S103_S104(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := newKit(t, patient)
		l := &life{kit: k, pick: func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "pick") }}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			l.step()
		}
		l.check()
		k.store.Close()
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// One long life.
func TestLongLife_S100(t *testing.T) {
	const seed, steps = 100, 1000
	rnd := rand.New(rand.NewPCG(seed, 0))
	l := &life{kit: newKit(t, patient), pick: rnd.IntN}
	for i := range steps {
		if l.step(); t.Failed() {
			t.Fatalf("seed %d, step %d", seed, i)
		}
		if i%250 == 249 {
			l.check()
		}
	}
	l.check()
	t.Logf("seed %d: %d steps, %d tickets, %d mails left, books %+v", seed, steps, l.ticketCount(), len(l.mails), l.books())
	if b := l.books(); b.Created < 30 || b.Appended < 200 || b.Quarantined+b.Filed < 50 || l.admits < 10 {
		t.Errorf("seed %d: a dull life: %+v, %d admissions", seed, b, l.admits)
	}
}
