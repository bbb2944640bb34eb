package tickets

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// asked makes a ticket whose third party was asked, and returns the request that left.
func (k *kit) askedVendor(t *testing.T) (TicketID, delivered, []delivered) {
	t.Helper()
	id, sent := k.opened(kunde, "VPN von Frau Kunde", words20)
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#vendor tac Bitte prüfen, Kunde erreichbar unter 040 1234567, "+kunde+", Passwort: geheim"))
	out := k.afterUndo()
	if len(to(out, vendor)) != 0 || len(to(out, kunde)) != 0 {
		t.Fatalf("before #ok: %s", summary(out))
	}
	draft := mailTo(t, out, anna, TemplateVendorDraft)
	k.expectState(id, StateNew)
	k.receive(k.reply(draft, anna, "#ok"))
	out = k.afterUndo()
	k.expectState(id, StateWaitingVendor)
	return id, mailTo(t, out, vendor, TemplateVendorRequest), out
}

// A request is shown first, redacted; #ok sends it; the customer is told once; the third party's answer stays inside.
func TestVendorRequestAndAnswer(t *testing.T) {
	k := newKit(t, tiered)
	id, request, out := k.askedVendor(t)
	for _, secret := range []string{"1234567", kunde, "geheim", anna, "Name of"} {
		absentFrom(t, []delivered{request}, secret)
	}
	if !strings.Contains(request.Letter.Text, "Bitte prüfen") || request.Letter.Class != ClassAnswer {
		t.Errorf("the request: %s", request.Letter.Text)
	}
	mailTo(t, out, kunde, TemplateWithVendor)
	if text := mailTo(t, out, kunde, TemplateWithVendor).Letter.Text; strings.Contains(text, "tac") {
		t.Errorf("the customer learns who it is: %s", text)
	}
	answer := k.reply(request, "jane@eu.vendor.example", "CANARYVENDOR Case 471122: bitte Firmware tauschen.")
	k.expect(k.receive(answer), Appended, id)
	out = k.afterUndo()
	k.expectState(id, StateOpen)
	mailTo(t, out, anna, TemplateVendorReplied)
	absentFrom(t, outside(out), "CANARYVENDOR")
	tk := k.ticket(id)
	if len(tk.VendorCases) != 1 || tk.VendorCases[0].Reference != "471122" || tk.VendorCases[0].AnsweredAt.IsZero() || tk.LastCustomer != words20 {
		t.Errorf("cases %+v, last words of the customer %q", tk.VendorCases, tk.LastCustomer)
	}
	// Their number alone binds a mail of theirs; a stranger's or an unauthenticated one does not.
	again := k.mail("robot@vendor.example", "Update on case 471122", "CANARYVENDOR zwei")
	k.expect(k.receive(again), Appended, id)
	for name, m := range map[string]*Message{
		"a stranger":        k.mail(stranger, "Update on case 471122", "CANARYVENDOR drei"),
		"nobody vouches":    k.mail("robot@vendor.example", "Update on case 471122", "CANARYVENDOR vier", unauthenticated),
		"forged":            k.mail("robot@vendor.example", "Update on case 471122", "CANARYVENDOR fünf", forged),
		"a stranger's copy": k.reply(request, stranger, "CANARYVENDOR sechs"),
	} {
		before := k.ticket(id).Entries
		result := k.receive(m)
		if result.Ticket == id && result.Result == Appended {
			t.Errorf("%s: %+v", name, result)
		}
		if name != "a stranger's copy" && name != "forged" && name != "nobody vouches" && k.ticket(id).Entries != before {
			t.Errorf("%s: the ticket changed", name)
		}
	}
	absentFrom(t, to(k.afterUndo(), kunde), "CANARYVENDOR")
	k.healthy()
}

// An automatic reply of theirs is noted only, and names their number; a second request goes into the same thread.
func TestVendorAutomaticReply(t *testing.T) {
	k := newKit(t, tiered)
	id, request, _ := k.askedVendor(t)
	k.expect(k.receive(k.reply(request, vendor, "We have received your request. Case 4711.", autoReply)), Filed, id)
	k.expectState(id, StateWaitingVendor)
	if c := k.ticket(id).VendorCases[0]; c.Reference != "4711" || !c.AnsweredAt.IsZero() {
		t.Errorf("case %+v", c)
	}
	k.healthy()
}

// #undo takes a request back as long as it has not left.
func TestUndoVendorRequest(t *testing.T) {
	k := newKit(t, tiered)
	id, sent := k.opened(kunde, "VPN", words20)
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#vendor tac bitte prüfen"))
	k.deliver()
	k.receive(k.reply(notice, anna, "#ok"))
	k.receive(k.reply(notice, anna, "#undo"))
	out := k.afterUndo()
	if len(to(out, vendor)) != 0 || len(to(out, kunde)) != 0 {
		t.Errorf("left: %s", summary(out))
	}
	k.expectState(id, StateNew)
	if c := k.ticket(id).VendorCases; len(c) != 1 || c[0].Draft == nil || c[0].Sent != 0 {
		t.Errorf("cases %+v", c)
	}
	k.healthy()
}

func TestVendorCommandsRefused(t *testing.T) {
	k := newKit(t, tiered)
	_, sent := k.opened(kunde, "VPN", words20)
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	for _, text := range []string{"#ok", "#vendor nobody CANARY", "#vendor"} {
		k.receive(k.reply(notice, anna, text))
		out := k.afterUndo()
		mailTo(t, out, anna, TemplateRefused)
		absentFrom(t, outside(out), "CANARY")
	}
	k.healthy()
}

// S-100, P5: whatever staff and third parties do with a ticket, nothing of notes, packets, questions and third parties'
// mail is in any mail to the customer, and nothing of the customer's side in any mail to a third party.
func TestNothingLeaks_S100(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 12 {
		k := newKit(t, tiered)
		_, all := k.opened(kunde, "VPN", words20+" CUSTOMERCANARY")
		n := 0
		for range 25 {
			var mails []delivered
			for _, d := range all {
				if isStaff(d.Recipient) && d.Recipient != teamCopy && d.Recipient != admin || d.Recipient == vendor {
					mails = append(mails, d)
				}
			}
			d := mails[rnd.IntN(len(mails))]
			n++
			secret := fmt.Sprintf("INSIDECANARY%d", n)
			texts := []string{"#escalate second\n" + packetLines + "Diagnose: PACKET" + secret[6:], "#escalate third " + secret, "#ask second\n" + secret, "#ask anna " + secret,
				"#note " + secret, "#return " + secret, "#accept 2\n#note " + secret, "#take", "#vendor tac\nbitte prüfen", "#ok", "Eine Antwort für den Kunden.",
				"#solve\nJetzt geht es.", "#tier 3\n" + packetLines + "Diagnose: PACKET" + secret[6:], "#reopen", "Grund: Kapazität\n- PACKET" + secret[6:], "#t1able\n#note " + secret}
			text := texts[rnd.IntN(len(texts))]
			if d.Recipient == vendor || d.Letter.ReplyTo.Mail == deskAddress {
				text = "VENDORCANARY Case 4711: " + secret
			}
			if d.Template == TemplateConsultQuestion {
				text = secret
			}
			plain := !strings.HasPrefix(text, "#") && strings.Contains(text, "CANARY")
			if plain && isStaff(d.Recipient) && d.Template != TemplateConsultQuestion && !strings.HasPrefix(d.Template, "handover-incomplete") && d.Template != TemplateHandoverAsked {
				continue // a person's own answer to the customer
			}
			if strings.HasPrefix(text, "Grund") && d.Template != TemplateHandoverGaps && d.Template != TemplateHandoverAsked {
				continue
			}
			from := d.Recipient
			if from == vendor {
				from = "jane@vendor.example"
			}
			k.receive(k.reply(d, from, text))
			all = append(all, k.afterUndo()...)
		}
		absentFrom(t, to(all, kunde), "INSIDECANARY")
		absentFrom(t, to(all, kunde), "VENDORCANARY")
		absentFrom(t, to(all, kunde), "PACKETCANARY") // a third party may get it: the agent is shown it first
		absentFrom(t, to(all, vendor), "INSIDECANARY")
		absentFrom(t, to(all, vendor), kunde)
		k.healthy()
	}
}
