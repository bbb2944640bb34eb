package tickets

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"supportd/tickets/handover"
)

const (
	nora   = "nora@staff.example" // of the second tier
	otto   = "otto@staff.example" // of the third
	vendor = "tac@vendor.example"
)

// tiered is a desk with three tiers, items, and a third party.
func tiered(r *Rules) {
	for _, a := range []Agent{{Address: nora, Name: "Nora Netz", Language: "de"}, {Address: otto, Name: "Otto Code", Language: "de"}} {
		r.Agents[a.Address] = a
	}
	r.Teams["second"] = Team{Name: "second", Tier: 2, Lead: lea, Members: []string{nora}, Skills: []string{"network", "vpn"}}
	r.Teams["third"] = Team{Name: "third", Tier: 3, Members: []string{otto}, Skills: []string{"code"}}
	r.Handover = handover.Default(true)
	r.Items = map[string]Item{"fw-1": {ID: "FW-1", Name: "Firewall Halle", Team: "second", Vendor: "tac"}, "nb-7": {ID: "NB-7", Team: "first"}}
	r.Vendors = map[string]Vendor{"tac": {Name: "tac", To: Address{Name: "TAC", Mail: vendor}, Contract: "FC-10", Language: "de", Calendar: AroundTheClock{},
		Respond: 2 * time.Hour, Reference: regexp.MustCompile(`(?i)case (\d{4,})`), Skills: []string{"firewall"}}}
	r.Redact = []string{"phone", "private_address", "credentials"}
}

// words is a text of twenty words.
const words20 = "Seit heute früh bricht der Tunnel in der Halle nach dreißig Sekunden ab und kein Kollege kann noch arbeiten oder drucken"

const packetLines = "Versuche:\n- Neustart -> nichts\n- Update -> nichts\nCI: FW-1\nAuswirkung: niedrig\nDringlichkeit: niedrig\nGrund: Fachwissen\n"

func (k *kit) escalated(t *testing.T) (TicketID, []delivered) {
	t.Helper()
	id, sent := k.opened(kunde, "VPN", words20)
	k.expect(k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#escalate second\n"+packetLines)), Appended, id)
	out := k.afterUndo()
	k.expectState(id, StateHandedOver)
	return id, out
}

// A complete packet in the mail of #escalate itself: the team gets it, the customer one sentence, the owner stays.
func TestEscalateWithPacket(t *testing.T) {
	k := newKit(t, tiered)
	id, out := k.escalated(t)
	tk := k.ticket(id)
	if tk.Team != "second" || tk.Tier != 2 || tk.Assignee != "" || tk.Owner != anna || len(tk.Handovers) != 1 || !tk.Handovers[0].Complete {
		t.Errorf("ticket %+v", tk)
	}
	packet := mailTo(t, out, nora, TemplateHandoverPacket)
	if len(packet.Letter.Attached) != 1 || !strings.HasSuffix(packet.Letter.Attached[0].Name, ".eml") {
		t.Errorf("the thread is not attached: %+v", packet.Letter.Attached)
	}
	for _, part := range []string{"Neustart -\\u003e nichts", "FW-1", "knowledge", "Tunnel"} {
		if !strings.Contains(packet.Letter.Text, part) {
			t.Errorf("the packet lacks %q: %s", part, packet.Letter.Text)
		}
	}
	told := mailTo(t, out, kunde, TemplateHandedOver)
	absentFrom(t, outside(out), "Neustart")
	absentFrom(t, outside(out), "second")
	if told.Letter.Class != ClassNotice {
		t.Errorf("the customer's notice is of class %s", told.Letter.Class)
	}
	mailTo(t, out, anna, TemplateReceipt)
	k.healthy()
}

// What is missing is asked for, as often as it takes; the answer may be lines, items, numbers, and is German or English.
func TestIncompletePacketIsAskedFor(t *testing.T) {
	k := newKit(t, tiered)
	id, sent := k.opened(kunde, "VPN", words20+" FW-1")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#escalate network Fachwissen"))
	out := k.afterUndo()
	k.expectState(id, StateNew)
	form := mailTo(t, out, anna, TemplateHandoverGaps)
	if len(to(out, anna)) != 1 || len(outside(out)) != 0 || len(to(out, nora)) != 0 {
		t.Errorf("mails: %s", summary(out))
	}
	if gaps := k.ticket(id).Handing; gaps == nil || gaps.To != "second" || gaps.Attempts != 1 || gaps.Items[0] != "FW-1" {
		t.Fatalf("waiting: %+v", gaps)
	}
	k.expect(k.receive(k.reply(form, anna, "1\nauswirkung: hoch\n")), Appended, id)
	form = mailTo(t, k.afterUndo(), anna, TemplateHandoverGaps)
	k.expectState(id, StateNew)
	k.expect(k.receive(k.reply(form, anna, "- Neustart -> nichts\n- Kabel -> nichts\nurgency: high")), Appended, id)
	out = k.afterUndo()
	k.expectState(id, StateHandedOver)
	mailTo(t, out, nora, TemplateHandoverPacket)
	tk := k.ticket(id)
	h := tk.Handovers[0]
	if h.Complete || tk.Handing != nil || tk.Impact != "high" || tk.Urgency != "high" || tk.CI != "FW-1" || h.Packet[handover.CI].Text != "FW-1" || len(h.Packet[handover.Steps].Items) != 2 {
		t.Errorf("ticket %+v", tk)
	}
	absentFrom(t, outside(out), "Kabel")
	k.healthy()
}

// The third way out is counted: #escalate! goes after two attempts, not before.
func TestForcedHandover(t *testing.T) {
	k := newKit(t, tiered)
	id, sent := k.opened(kunde, "VPN", "geht nicht")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#escalate! eilt"))
	mailTo(t, k.afterUndo(), anna, TemplateRefused)
	for range 2 {
		k.receive(k.reply(notice, anna, "#escalate second"))
		mailTo(t, k.afterUndo(), anna, TemplateHandoverGaps)
	}
	k.receive(k.reply(notice, anna, "#escalate! der Kunde ist nicht erreichbar"))
	mailTo(t, k.afterUndo(), nora, TemplateHandoverPacket)
	if h := k.ticket(id).Handovers; len(h) != 1 || h[0].Forced != "der Kunde ist nicht erreichbar" || len(h[0].Gaps) == 0 || h[0].Complete {
		t.Errorf("handover %+v", h)
	}
	k.healthy()
}

// P1 and P2 go at once; what is missing is asked for beside, and completes the packet later.
func TestUrgentHandoverIsAskedAfter(t *testing.T) {
	k := newKit(t, tiered, func(r *Rules) { r.Handover.PassAndAsk = []string{""} })
	id, sent := k.opened(kunde, "VPN", "geht nicht")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#escalate second"))
	out := k.afterUndo()
	k.expectState(id, StateHandedOver)
	mailTo(t, out, nora, TemplateHandoverPacket)
	form := mailTo(t, out, anna, TemplateHandoverAsked)
	k.receive(k.reply(form, anna, packetLines+"Beschreibung: "+words20))
	out = k.afterUndo()
	mailTo(t, out, nora, TemplateHandoverPacket)
	if tk := k.ticket(id); tk.Handing != nil || len(tk.Handovers) != 1 || tk.Handovers[0].Packet[handover.Reason].Text != "knowledge" {
		t.Errorf("ticket %+v", tk)
	}
	k.healthy()
}

// Only the team that was asked accepts and answers; it says how good the packet was, and the owner hears of it.
func TestAcceptAndRate(t *testing.T) {
	k := newKit(t, tiered)
	id, out := k.escalated(t)
	packet := mailTo(t, out, nora, TemplateHandoverPacket)
	receipt := mailTo(t, out, anna, TemplateReceipt)
	k.receive(k.reply(receipt, anna, "#take"))
	mailTo(t, k.afterUndo(), anna, TemplateRefused)
	k.expectState(id, StateHandedOver)
	k.receive(k.reply(packet, nora, "#accept 2"))
	out = k.afterUndo()
	k.expectState(id, StateOpen)
	mailTo(t, out, anna, TemplateHandoverAccepted)
	tk := k.ticket(id)
	if tk.Assignee != nora || tk.Owner != anna || tk.Handovers[0].AcceptedBy != nora || tk.Handovers[0].Rating != 2 || tk.Handovers[0].AcceptedAt.IsZero() {
		t.Errorf("ticket %+v", tk)
	}
	// Nobody of another team answers a ticket that waits to be accepted.
	other, sent := k.opened(kunde, "Zweites", words20)
	notice := mailTo(t, sent, ben, TemplateTicketToTeam)
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#escalate second\n"+packetLines))
	k.afterUndo()
	k.receive(k.reply(notice, ben, "Ich weiß es doch."))
	out = k.afterUndo()
	mailTo(t, out, ben, TemplateRefused)
	if n := len(to(out, kunde)); n != 0 {
		t.Errorf("the customer got %d mails", n)
	}
	k.expectState(other, StateHandedOver)
	k.healthy()
}

// A team gives back once; the second time both leads are told once, with the history, and it stays.
func TestReturnOnceThenLeads(t *testing.T) {
	k := newKit(t, tiered)
	id, out := k.escalated(t)
	packet := mailTo(t, out, nora, TemplateHandoverPacket)
	k.receive(k.reply(packet, nora, "#return"))
	mailTo(t, k.afterUndo(), nora, TemplateRefused)
	k.receive(k.reply(packet, nora, "#return das ist der Drucker"))
	out = k.afterUndo()
	k.expectState(id, StateOpen)
	back := mailTo(t, out, anna, TemplateHandoverReturned)
	if tk := k.ticket(id); tk.Team != "first" || tk.Tier != 1 || tk.Assignee != anna || tk.Handovers[0].Returned != "das ist der Drucker" {
		t.Errorf("ticket %+v", tk)
	}
	k.receive(k.reply(back, anna, "#escalate second\nGrund: Zugriffsrechte"))
	out = k.afterUndo()
	k.expectState(id, StateHandedOver)
	if n := len(to(out, kunde)); n != 0 {
		t.Errorf("the customer is told of the same tier %d times more", n)
	}
	packet = mailTo(t, out, nora, TemplateHandoverPacket)
	k.receive(k.reply(packet, nora, "#return immer noch der Drucker"))
	out = k.afterUndo()
	k.expectState(id, StateHandedOver)
	dispute := mailTo(t, out, lea, TemplateHandoverDispute)
	for _, part := range []string{"das ist der Drucker", "immer noch der Drucker"} {
		if !strings.Contains(dispute.Letter.Text, part) {
			t.Errorf("the history lacks %q", part)
		}
	}
	k.receive(k.reply(packet, nora, "#return zum dritten Mal"))
	out = k.afterUndo()
	mailTo(t, out, nora, TemplateRefused)
	if n := len(to(out, lea)); n != 0 || k.ticket(id).Disagreed != 1 {
		t.Errorf("the lead got %d more mails", n)
	}
	k.healthy()
}

// The third tier wants more than the second; its solution goes back to the owner.
func TestThirdTierAndLearnBack(t *testing.T) {
	k := newKit(t, tiered)
	id, out := k.escalated(t)
	packet := mailTo(t, out, nora, TemplateHandoverPacket)
	k.receive(k.reply(packet, nora, "#take"))
	k.afterUndo()
	k.receive(k.reply(packet, nora, "#tier 3 Programmänderung"))
	form := mailTo(t, k.afterUndo(), nora, TemplateHandoverGaps)
	k.receive(k.reply(form, nora, "Diagnose: "+words20+"\nReproduktion: nicht reproduzierbar\nLogs: keine: abgeschaltet"))
	out = k.afterUndo()
	k.expectState(id, StateHandedOver)
	mailTo(t, out, kunde, TemplateHandedOver)
	packet = mailTo(t, out, otto, TemplateHandoverPacket)
	k.receive(k.reply(packet, otto, "#accept 3"))
	k.afterUndo()
	k.receive(k.reply(packet, otto, "#solve #t1able\nDer Zeitgeber war falsch gesetzt."))
	out = k.afterUndo()
	k.expectState(id, StateSolved)
	if text := mailTo(t, out, anna, TemplateLearnBack).Letter.Text; !strings.Contains(text, "Zeitgeber") || !strings.Contains(text, "learn.t1able") {
		t.Errorf("the owner learns: %s", text)
	}
	if tk := k.ticket(id); tk.Owner != anna || !tk.Level1Capable || len(tk.Handovers) != 2 || tk.Handovers[1].TierFrom != 2 {
		t.Errorf("ticket %+v", tk)
	}
	k.healthy()
}

// A question to colleagues moves nothing; its answer stays inside and goes to whoever asked.
func TestConsultStaysInside(t *testing.T) {
	k := newKit(t, tiered)
	id, sent := k.opened(kunde, "VPN", words20)
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#ask network\nCANARYQUESTION kennt ihr das?"))
	out := k.afterUndo()
	question := mailTo(t, out, nora, TemplateConsultQuestion)
	k.expect(k.receive(k.reply(question, nora, "CANARYANSWER ja, Neustart hilft.")), Appended, id)
	out = append(out, k.afterUndo()...)
	if text := mailTo(t, out, anna, TemplateConsultAnswer).Letter.Text; !strings.Contains(text, "CANARYANSWER") {
		t.Errorf("the answer: %s", text)
	}
	absentFrom(t, outside(out), "CANARY")
	tk := k.ticket(id)
	if tk.Team != "first" || tk.State != StateNew || len(tk.Consults) != 1 || tk.Consults[0].AnsweredBy != nora {
		t.Errorf("ticket %+v", tk)
	}
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "#ask niemand wer da?"))
	mailTo(t, k.afterUndo(), anna, TemplateRefused)
	k.healthy()
}

// S-100, S-102: text beside commands that hand on never reaches the customer, from whatever address it is sent.
func TestTextOfHandoversStaysInside_S100_S102(t *testing.T) {
	for _, text := range []string{"#escalate second\nCANARY", "#escalate second CANARY", "#ask second CANARY", "#ask second\nCANARY", "#vendor tac CANARY", "#vendor tac\nCANARY",
		"#tier 2\nCANARY", "#return CANARY", "#return\nCANARY", "#absent until 24.12.\nCANARY"} {
		k := newKit(t, tiered)
		_, sent := k.opened(kunde, "VPN", "x")
		k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, text))
		absentFrom(t, outside(k.afterUndo()), "CANARY")
		k.healthy()
	}
}

// What a timer asks for: the packet is proposed, passed on, or given back.
func TestHandoverByTimer(t *testing.T) {
	k := newKit(t, tiered)
	id, _ := k.opened(kunde, "VPN", words20)
	act := func(do string) []delivered {
		t.Helper()
		k.update(func(tx *Tx) error {
			tk, err := tx.Ticket(id)
			if err != nil {
				return err
			}
			d := &decider{k: &Known{Ticket: tk, Brand: k.rules.brandOf(tk.Mailbox)}, in: &Incoming{Arrived: k.clock.Now()}, r: k.rules, now: k.clock.Now()}
			d.out.Ticket = tk.clone()
			if d.k.History, err = tx.lastEntries(id, historyBack); err != nil {
				return err
			}
			d.act(do, notices{{to: anna}})
			return k.desk.carryOutTimer(&application{tx: tx, r: k.rules, in: d.in, known: d.k, dec: d.out, now: k.clock.Now()})
		})
		return k.afterUndo()
	}
	out := act(DoPropose)
	mailTo(t, out, anna, TemplateTimeBox)
	if w := k.ticket(id).Handing; w == nil || w.To != "second" || w.Attempts != 0 {
		t.Fatalf("waiting %+v", w)
	}
	k.expectState(id, StateNew)
	out = act(DoHandOver)
	k.expectState(id, StateHandedOver)
	mailTo(t, out, nora, TemplateHandoverPacket)
	mailTo(t, out, kunde, TemplateHandedOver)
	mailTo(t, out, anna, TemplateHandoverAsked)
	act(DoReturn)
	k.expectState(id, StateOpen)
	if tk := k.ticket(id); tk.Team != "first" || tk.Handovers[0].ReturnedBy != ActorTimer {
		t.Errorf("ticket %+v", tk)
	}
	k.healthy()
}

func TestTeamIn(t *testing.T) {
	r := testRules()
	tiered(r)
	r.Teams["field service"] = Team{Name: "field service", Tier: 2, Skills: []string{"vpn"}}
	for text, want := range map[string]string{
		"second because":      "second|because",
		"SECOND: because":     "second|because",
		"network":             "second|",
		"networking is hard":  "|networking is hard",
		"because of network":  "|because of network",
		`"field service" x y`: "field service|x y",
		"field service: x":    "field service|x",
		"":                    "|",
	} {
		op := &operation{decider: &decider{r: r, k: &Known{Ticket: &Ticket{}}}, t: &Ticket{Team: "first", Tier: 1}}
		team, rest, ok := op.teamIn(text)
		if got := team.Name + "|" + rest; got != want || !ok {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
