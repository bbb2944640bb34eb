package tickets

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// S-071, S-078, S-086: of all combinations of (configured agent, authenticated, address given to this agent for this
// ticket) only the one with all three acts; nothing of the others reaches the customer.
func TestOnlyOneRowActs_S071_S078_S086(t *testing.T) {
	for row := range 8 {
		agent, auth, token := row&1 != 0, row&2 != 0, row&4 != 0
		k := newKit(t)
		id, sent := k.opened(kunde, "Drucker", "kaputt")
		from := stranger
		if agent {
			from = anna
		}
		d := mailTo(t, sent, anna, TemplateTicketToTeam)
		if !token {
			d = mailTo(t, sent, ben, TemplateTicketToTeam) // another agent's
		}
		m := k.reply(d, from, "#solve\nCANARYanswer")
		if !auth {
			unauthenticated(m)
		}
		out := k.receive(m)
		sent = k.afterUndo()
		acted := len(outside(sent)) > 0 || k.ticket(id).State != StateNew
		if want := row == 7; acted != want {
			t.Errorf("agent %v, authenticated %v, token %v: acted %v (%+v), sent %s", agent, auth, token, acted, out, summary(sent))
		}
		if row != 7 {
			if out.Result != Quarantined {
				t.Errorf("row %d: %+v, want it held", row, out)
			}
			absentFrom(t, outside(sent), "CANARY")
		}
		k.healthy()
	}
}

// What else gives an agent's mail no right, each with the other conditions met.
func TestAddressesThatGiveNoRight_S078(t *testing.T) {
	for _, c := range []struct {
		name string
		mail func(k *kit, sent []delivered) *Message
	}{
		{"the team's copy", func(k *kit, sent []delivered) *Message {
			return k.reply(mailTo(k, sent, teamCopy, TemplateTicketToTeam), anna, "CANARY")
		}},
		{"the customer's address", func(k *kit, sent []delivered) *Message {
			return k.reply(mailTo(k, sent, kunde, TemplateAckNew), anna, "CANARY")
		}},
		{"the Message-ID alone", func(k *kit, sent []delivered) *Message {
			return k.reply(mailTo(k, sent, anna, TemplateTicketToTeam), anna, "CANARY", func(m *Message) { m.To = []Address{{Mail: deskAddress}} })
		}},
		{"the number alone", func(k *kit, sent []delivered) *Message {
			return k.mail(anna, "Re: ["+k.ticket(1).Number+"] Drucker", "CANARY")
		}},
		{"forged", func(k *kit, sent []delivered) *Message {
			return k.reply(mailTo(k, sent, anna, TemplateTicketToTeam), anna, "CANARY", forged)
		}},
		{"S-081 no agent any more", func(k *kit, sent []delivered) *Message {
			r := *k.rules
			r.Agents = map[string]Agent{ben: r.Agents[ben]}
			k.desk.SetRules(&r)
			return k.reply(mailTo(k, sent, anna, TemplateTicketToTeam), anna, "CANARY")
		}},
		{"S-088 a similar address", func(k *kit, sent []delivered) *Message {
			return k.reply(mailTo(k, sent, anna, TemplateTicketToTeam), "аnna@staff.example", "CANARY") // the first letter is Cyrillic
		}},
		{"S-088 plus", func(k *kit, sent []delivered) *Message {
			return k.reply(mailTo(k, sent, anna, TemplateTicketToTeam), "anna+x@staff.example", "CANARY")
		}},
		{"S-079 a token of a removed key", func(k *kit, sent []delivered) *Message {
			key := &k.store.keys.Keys[0]
			key.ID++
			return k.reply(mailTo(k, sent, anna, TemplateTicketToTeam), anna, "CANARY")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			id, sent := k.opened(kunde, "Drucker", "kaputt")
			out := k.receive(c.mail(k, sent))
			sent = k.afterUndo()
			for _, d := range sent {
				if d.Recipient == kunde {
					t.Errorf("%+v; sent %s", out, summary(sent))
				}
			}
			if s := k.ticket(id).State; s != StateNew {
				t.Errorf("the ticket is %s", s)
			}
			absentFrom(t, to(sent, kunde), "CANARY")
		})
	}
}

// Without sub-addressing the signed Message-ID of the notice stands for the reply address.
func TestAgentWithoutSubaddressing(t *testing.T) {
	k := newKit(t, func(r *Rules) {
		b := r.Brands["nordwind"]
		b.Plus = false
		r.Brands["nordwind"] = b
	})
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	if notice.Letter.ReplyTo.Mail != deskAddress {
		t.Fatalf("reply to %s", notice.Letter.ReplyTo.Mail)
	}
	k.expect(k.receive(k.reply(notice, ben, "CANARY")), Quarantined, id)
	k.expect(k.receive(k.reply(notice, anna, "Welcher Drucker?")), Appended, id)
	sent = k.afterUndo()
	absentFrom(t, to(sent, kunde), "CANARY")
	k.expect(k.receive(k.reply(mailTo(t, sent, kunde, TemplateAgentReply), kunde, "Der im Flur.")), Appended, id)
	k.healthy()
}

// S-101, S-102: a reply to a note's notification stays inside, also when the customer stands in Cc and when the public
// address stands beside the note's.
func TestNoteStaysInside_S101_S102(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.expect(k.receive(k.reply(mailTo(t, sent, ben, TemplateTicketToTeam), ben, "#take")), Appended, id)
	k.deliver()
	k.expect(k.receive(k.reply(notice, anna, "#note CANARY1 unter uns")), Appended, id)
	sent = k.afterUndo()
	noted := mailTo(t, sent, ben, TemplateNote)
	if len(outside(sent)) > 0 {
		t.Errorf("sent: %s", summary(sent))
	}
	for _, m := range []*Message{
		k.reply(noted, ben, "CANARY2 verstanden"),
		k.reply(noted, ben, "CANARY3", func(m *Message) { m.Cc = []Address{{Mail: kunde}} }),
		k.reply(noted, ben, "CANARY4", func(m *Message) {
			m.To = append(m.To, Address{Mail: "support+" + k.store.keys.Sign(Token{Purpose: PurposeAnswer, Ticket: id, Principal: 3}) + "@desk.example"})
		}),
		k.reply(notice, anna, "#note\nCANARY5"), k.reply(notice, anna, "#reply\n#note\nCANARY6"), k.reply(notice, anna, "#note #reply CANARY7"),
		k.reply(notice, anna, "#take\n#note CANARY8"),
	} {
		k.expect(k.receive(m), Appended, id)
		sent = k.afterUndo()
		if len(outside(sent)) > 0 {
			t.Errorf("%q sent %s", m.Reply, summary(sent))
		}
	}
	notes := 0
	for _, e := range k.entries(id) {
		if e.Kind == EntryNoted {
			notes++
		}
	}
	if notes != 8 {
		t.Errorf("%d notes, want 8", notes)
	}
	// #reply from a note's address has no right to it.
	k.receive(k.reply(noted, ben, "#reply\nCANARY9"))
	sent = k.afterUndo()
	mailTo(t, sent, ben, TemplateRefused)
	absentFrom(t, outside(sent), "CANARY")
	// Nor do notes stand in what the customer is sent later.
	k.receive(k.reply(notice, anna, "#solve\nEs geht wieder."))
	absentFrom(t, outside(k.afterUndo()), "CANARY")
	k.healthy()
}

// S-103: a notice to staff has nobody else in it, and its reply address is the desk's.
func TestNoticesListNobodyElse_S103(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	for _, d := range sent {
		l := d.Letter
		if len(l.To) != 1 || l.To[0].Mail != d.Recipient || len(l.Cc) > 0 || !strings.HasPrefix(l.ReplyTo.Mail, "support+") || l.From.Mail != deskAddress {
			t.Errorf("%s: To %v Cc %v Reply-To %v", d.Template, l.To, l.Cc, l.ReplyTo)
		}
	}
}

// S-104: an answer leaves as the desk's own mail: nothing of the agent's address or header is in it.
func TestAnswerIsTheDesksOwn_S104(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	m := k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "Bitte neu starten.", with("Received", "from CANARYhost"), with("X-Originating-IP", "CANARYip"),
		with("User-Agent", "CANARYagent"), func(m *Message) {
			m.Signature, m.Quoted, m.Text = "CANARYsignature", "CANARYquoted", "Bitte neu starten.\nCANARYquoted\n-- \nCANARYsignature"
			m.HTML = "<p>CANARYhtml"
			m.Subject = "CANARYsubject"
		})
	k.expect(k.receive(m), Appended, id)
	sent = outside(k.afterUndo())
	answer := mailTo(t, sent, kunde, TemplateAgentReply)
	absentFrom(t, sent, "CANARY")
	absentFrom(t, sent, "staff.example")
	if answer.EnvelopeFrom == "" || !strings.HasPrefix(answer.EnvelopeFrom, "support+") || answer.Class != ClassAnswer {
		t.Errorf("class %s, envelope from %q", answer.Class, answer.EnvelopeFrom)
	}
	if !slices.Contains(answer.Letter.References, "m1@customer.example") {
		t.Errorf("references %q do not have the customer's own mail", answer.Letter.References)
	}
}

// S-082, S-083: commands count only at the top of an agent's own new text.
func TestCommandsElsewhereAreText_S082_S083(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "#solve\nkaputt")
	ack, notice := mailTo(t, sent, kunde, TemplateAckNew), mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, m := range []*Message{
		k.reply(ack, kunde, "#solve"),
		k.reply(ack, kunde, "x", with("X-Supportd-State", "solved"), with("X-Zammad-Ticket-State", "closed")),
		k.reply(notice, anna, "Ich sehe nach.\n#solve"),
		k.reply(notice, anna, "Ich sehe nach.", func(m *Message) { m.Quoted = "#solve" }),
		k.reply(notice, anna, "Ich sehe nach!", func(m *Message) { m.Signature, m.Text, m.HTML = "#solve", "#solve", "<p>#solve" }),
		k.reply(notice, anna, "Ich sehe mir das an.", func(m *Message) { m.Forwarded = &Forwarded{Text: "#solve"} }),
		k.reply(notice, anna, "Anbei.", func(m *Message) { m.Subject = "#solve" }),
	} {
		k.expect(k.receive(m), Appended, id)
		if s := k.ticket(id).State; s == StateSolved || s == StateClosed {
			t.Errorf("%q: the ticket is %s", m.Reply, s)
		}
	}
	k.healthy()
}

// S-084: a mail's commands are carried out all, or none of them; the agent is told once.
func TestAllOrNothing_S084(t *testing.T) {
	for _, text := range []string{
		"#take\n#assign ben\n#frobnicate\nCANARY", "#take #assign nobody\nCANARY", "#solve #wait\nCANARY", "#take\n#admit 99\nCANARY", "#note\n#undo\nCANARY",
		"#assign n\n#sovle\nCANARY", "#reply\n#help frobnicate\nCANARY", "#solve\n#reopen now\nCANARY", "#admit\nCANARY", "#admit 1\n#reject 1", "#take\n#reopen\nCANARY",
	} {
		k := newKit(t)
		id, sent := k.opened(kunde, "Drucker", "kaputt")
		k.receive(k.reply(mailTo(t, sent, kunde, TemplateAckNew), stranger, "darf ich?"))
		k.deliver()
		before := k.ticket(id)
		out := k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, text))
		sent = k.afterUndo()
		k.expect(out, Appended, id)
		refusal := mailTo(t, sent, anna, TemplateRefused)
		if len(sent) != 1 || refusal.Class != ClassReceipt {
			t.Errorf("%q: sent %s", text, summary(sent))
		}
		after := k.ticket(id)
		if after.State != before.State || after.Assignee != before.Assignee || after.LastPublic != before.LastPublic || len(k.held()) != 1 {
			t.Errorf("%q: %+v, before %+v, held %d", text, after, before, len(k.held()))
		}
		k.healthy()
	}
}

// S-085: erasing, exporting, rules, keys and configuration are never done by mail.
func TestNeverByMail_S085(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, word := range []string{"#erase " + kunde, "#export " + kunde, "#rule x", "#key new", "#config x", "#reload", "#delete", "#restore x", "#backup"} {
		k.expect(k.receive(k.reply(notice, anna, word+"\nCANARY")), Appended, id)
		sent := k.afterUndo()
		mailTo(t, sent, anna, TemplateRefused)
		if len(sent) != 1 {
			t.Errorf("%s: sent %s", word, summary(sent))
		}
	}
}

// Several held mails can be settled in one mail only when each is named once; two that exclude each other are refused.
func TestHeldMailsByCommand(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	other, sentOther := k.opened(kollegin, "Maus", "kaputt")
	ack := mailTo(t, sent, kunde, TemplateAckNew)
	for i := range 3 {
		k.receive(k.reply(ack, stranger, "darf ich? "+itoa(i)))
	}
	k.receive(k.reply(ack, deskAddress, "im Namen des Hauses")) // 4: can never be let in
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	foreign := mailTo(t, sentOther, anna, TemplateTicketToTeam)
	k.deliver()
	for _, c := range []struct {
		d       delivered
		text    string
		held    int
		refused bool
	}{
		{foreign, "#admit 1", 4, true}, // of another ticket
		{notice, "#admit 1\n#reject 1", 4, true},
		{notice, "#admit 4", 4, true},
		{notice, "#admit 1", 3, false},
		{notice, "#admit 1", 3, true},
		{notice, "#reject 2", 2, false},
		{notice, "#reject 4", 1, false},
		{notice, "#release 3", 0, false},
	} {
		out := k.receive(k.reply(c.d, anna, c.text, func(m *Message) { m.Text += itoa(k.made) }))
		if out.Result != Appended || out.Ticket != id && out.Ticket != other {
			t.Errorf("%s: %+v", c.text, out)
		}
		want := TemplateReceipt
		if c.refused {
			want = TemplateRefused
		}
		mailTo(t, k.deliver(), anna, want)
		if n := len(k.held()); n != c.held {
			t.Errorf("%s: %d held, want %d", c.text, n, c.held)
		}
		k.healthy()
	}
	// Two at once.
	k.receive(k.reply(ack, "a@elsewhere.example", "A"))
	k.receive(k.reply(ack, "b@elsewhere.example", "B"))
	k.deliver()
	k.receive(k.reply(notice, anna, "#admit 5\n#reject 6"))
	for _, h := range k.held() {
		t.Errorf("still held: %+v", h)
	}
	if p := k.ticket(id).Participants; !slices.ContainsFunc(p, func(a Address) bool { return a.Mail == "a@elsewhere.example" }) ||
		slices.ContainsFunc(p, func(a Address) bool { return a.Mail == "b@elsewhere.example" }) {
		t.Errorf("participants: %v", p)
	}
	k.healthy()
}

func TestEmptyMailsOfAgents(t *testing.T) {
	for _, text := range []string{"", "   \n\t\n"} {
		k := newKit(t)
		id, sent := k.opened(kunde, "Drucker", "kaputt")
		m := k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, text, func(m *Message) { m.Text = "> zitiert CANARY" })
		k.expect(k.receive(m), Appended, id)
		sent = k.afterUndo()
		mailTo(t, sent, anna, TemplateRefused)
		if len(outside(sent)) > 0 {
			t.Errorf("%q sent %s", text, summary(sent))
		}
		k.expectState(id, StateNew)
	}
}

func TestSolveWithoutResolution(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.expect(k.receive(k.reply(notice, anna, "#solve")), Appended, id)
	mailTo(t, k.deliver(), anna, TemplateRefused)
	k.expectState(id, StateNew)
	k.receive(k.reply(notice, anna, "Neu starten."))
	k.afterUndo()
	k.expect(k.receive(k.reply(notice, anna, "#solve", func(m *Message) { m.Text = "x" })), Appended, id)
	mailTo(t, k.afterUndo(), kunde, TemplateSolved)
	k.expectState(id, StateSolved)
	if r := k.ticket(id).Resolution; r != "Neu starten." {
		t.Errorf("resolution %q", r)
	}
	k.healthy()
}

// S-143, S-108: what agents attach goes along, but to customers nothing that could run, and nothing of a note.
func TestAttachmentsAreCarriedOn_S143_S108(t *testing.T) {
	k := newKit(t)
	m := k.mail(kunde, "Drucker", "kaputt")
	attach := func(m *Message) {
		list := []File{
			{Name: "a.pdf", Type: "application/pdf", Data: []byte("PDFDATA")}, {Name: "run.exe", Type: "application/x-msdownload", Data: []byte("EXEDATA")},
			{Name: "logo.png", Type: "image/png", Data: []byte("LOGODATA")}, {Name: "extra.exe", Type: "application/x-msdownload", Data: []byte("EXTRADATA")},
		}
		m.Attachments = nil
		for _, f := range list[:3] {
			m.Attachments = append(m.Attachments, Attachment{Name: f.Name, Type: f.Type, Size: int64(len(f.Data)), Dangerous: strings.HasSuffix(f.Name, "exe"), Inline: f.Name == "logo.png"})
		}
		k.files[m.ID] = list
	}
	attach(m)
	k.receive(m)
	sent := k.deliver()
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	if names := fileNames(notice); !slices.Contains(names, "a.pdf") || !slices.Contains(names, "logo.png") { // small screenshots are small pictures, too
		t.Errorf("the notice carries %q", names)
	}
	if names := fileNames(mailTo(t, sent, kunde, TemplateAckNew)); len(names) > 0 {
		t.Errorf("S-066: the acknowledgement carries %q", names)
	}
	answer := k.reply(notice, anna, "Siehe Anhang")
	attach(answer)
	k.receive(answer)
	if names := fileNames(mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)); !slices.Equal(names, []string{"a.pdf"}) {
		t.Errorf("the answer carries %q", names)
	}
	only := k.reply(notice, anna, "")
	attach(only)
	k.receive(only)
	if names := fileNames(mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)); !slices.Equal(names, []string{"a.pdf"}) {
		t.Errorf("an answer of attachments only carries %q", names)
	}
	note := k.reply(notice, anna, "#note intern")
	attach(note)
	k.receive(note)
	if out := outside(k.afterUndo()); len(out) > 0 {
		t.Errorf("the note sent %s", summary(out))
	}
	k.receive(k.reply(notice, anna, "Noch etwas"))
	if names := fileNames(mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)); len(names) > 0 {
		t.Errorf("a later answer carries %q", names)
	}
	k.healthy()
}

func fileNames(d delivered) []string {
	var names []string
	for _, f := range d.Letter.Attached {
		names = append(names, f.Name)
	}
	return names
}

func TestAssign(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, c := range []struct{ args, who string }{
		{"ben", ben}, {"Ben Agent", ben}, {"\"Lea Leiterin\"", lea}, {"LEA@staff.example", lea}, {"me", anna}, {"leit", lea}, {"mir", anna}, {"an", anna},
		{"nobody", ""}, {"a", ""}, {"agent", ""},
	} {
		before := k.ticket(id).Assignee
		k.receive(k.reply(notice, anna, "#assign "+c.args))
		sent := k.deliver()
		after := k.ticket(id).Assignee
		if c.who == "" {
			mailTo(t, sent, anna, TemplateRefused)
			if after != before {
				t.Errorf("#assign %s: now %s", c.args, after)
			}
			continue
		}
		if after != c.who {
			t.Errorf("#assign %s: %q, want %q", c.args, after, c.who)
		}
		if c.who != anna {
			mailTo(t, sent, c.who, TemplateAssigned)
		}
	}
	k.healthy()
}

func TestReceiptSaysWhatWasDone(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#solve\nNeuer Toner."))
	var v InternalView
	if err := json.Unmarshal([]byte(mailTo(t, k.deliver(), anna, TemplateReceipt).Letter.Text), &v); err != nil {
		t.Fatal(err)
	}
	if v.Sent != "Neuer Toner." || !slices.Equal(v.SentTo, []string{kunde}) || v.ReplyIsPublic || !slices.Contains(v.Commands, "#undo") ||
		!slices.ContainsFunc(v.Lines, func(l Line) bool { return l.Key == "did.solve" && l.OK }) {
		t.Errorf("%+v", v)
	}
}
