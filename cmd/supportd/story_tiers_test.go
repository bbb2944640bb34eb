package main

import (
	"fmt"
	"strings"
	"testing"

	"supportd/tickets"
)

// The people of the tiers beside those of the other stories: nora is of the second tier, otto of the third, and tac is a
// third party.
const (
	nora = "nora@nordwind.example"
	otto = "otto@nordwind.example"
	tac  = "tac@vendor.example"
)

const tiersFile = `version: 1
organisation: {name: Nordwind Service, timezone: Europe/Berlin, languages: [de, en], cmdb: cmdb.csv}
mailboxes: {hilfe: {imap: %q, user: hilfe, password_file: hilfe.pw, tls: none, trusted: true, poll: 10s, addresses: [%s]}}
brands: {nordwind: {from: Nordwind Service <%s>, smtp: {server: %q, user: hilfe, password_file: hilfe.pw, tls: none, retry: [1s]}, ticket_prefix: NW}}
calendars: {standard: {hours: 24/7}}
teams:
  desk: {tier: 1, members: [Anna Berg <%s>], lead: %s}
  network: {tier: 2, members: [Nora Netz <%s>], skills: [vpn, firewall], lead: %s}
  code: {tier: 3, members: [Otto Code <%s>]}
vendors:
  tac: {to: %s, contract: FC-10-882, language: de, respond: 2h, reference: '(?i)case (\d{4,})', for: [firewall]}
undo: 0s
`

// From the first tier to the second, the third, and a third party, and back as what the first tier learns: the customer has
// one address and one thread all the way, and sees nothing of what is inside.
func TestStoryTiers(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.write("cmdb.csv", "ci,name,owner_team,vendor\nFW-1,Firewall Halle,network,tac\nNB-7,Notebook,desk,\n", 0o600)
		w.write("supportd.yaml", fmt.Sprintf(tiersFile, w.imapAddr(), deskAddress, deskAddress, w.smtpAddr(), anna, anna, nora, nora, otto, tac), 0o600)
		w.start()
		w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, "Subject: VPN bricht ab\nContent-Type: text/plain; charset=utf-8\n\nGuten Tag,\n\nseit heute früh bricht der Tunnel in der Halle nach dreißig Sekunden ab, und kein Kollege kann dort noch arbeiten oder etwas drucken.\n\nSabine Krause\n")
		number := numberPattern.FindString(w.next("sabine").subject())
		notice := w.next("anna")

		w.answer(anna, notice, "#escalate network Fachwissen")
		form := w.next("anna")
		for _, part := range []string{"bleibt intern", ">>>", "Vorschläge: 1) FW-1", "Tunnel in der Halle"} {
			if !strings.Contains(form.text, part) {
				t.Errorf("the form lacks %q:\n%s", part, form.text)
			}
		}
		w.answer(anna, form, "1\nAuswirkung: mittel\nDringlichkeit: mittel\n- Neustart -> keine Änderung\n- anderes Netz -> keine Änderung")
		packet := w.next("nora")
		for _, part := range []string{"Fachwissen", "FW-1", "anderes Netz", "Übergeben von"} {
			if !strings.Contains(packet.text, part) {
				t.Errorf("the packet lacks %q:\n%s", part, packet.text)
			}
		}
		if !strings.Contains(packet.raw, ".eml") {
			t.Errorf("the packet does not carry the thread")
		}
		w.next("anna") // the receipt
		told := w.next("sabine")
		if !strings.Contains(told.text, "Fachteam") || strings.Contains(strings.ToLower(told.text), "tier") {
			t.Errorf("the customer reads:\n%s", told.text)
		}
		w.awaitState(number, tickets.StateHandedOver)

		w.answer(nora, packet, "#accept 3")
		if accepted := w.next("anna"); !strings.Contains(accepted.text, "3 von 3") {
			t.Errorf("the owner reads:\n%s", accepted.text)
		}
		w.next("nora")
		w.awaitState(number, tickets.StateOpen)

		w.answer(nora, packet, "#vendor tac\nBitte prüfen Sie die Firmware. Rückruf unter 040 1234567, Passwort: geheim, Frau Krause weiß Bescheid.")
		draft := w.next("nora")
		if !strings.Contains(draft.text, "[Telefonnummer]") || strings.Contains(draft.text, "Passwort: geheim") {
			t.Errorf("the draft:\n%s", draft.text)
		}
		w.answer(nora, draft, "#ok")
		request := w.next("tac")
		for _, secret := range []string{"1234567", "geheim", "Krause", sabine, nora} {
			if strings.Contains(request.raw, secret) || strings.Contains(request.text, secret) {
				t.Errorf("the third party reads %q:\n%s", secret, request.text)
			}
		}
		if !strings.Contains(request.text, "FC-10-882") || !strings.Contains(request.text, "Firmware") {
			t.Errorf("the request:\n%s", request.text)
		}
		if with := w.next("sabine"); !strings.Contains(with.text, "Hersteller") {
			t.Errorf("the customer reads:\n%s", with.text)
		}
		w.next("nora")
		w.awaitState(number, tickets.StateWaitingVendor)

		w.answer(tac, request, "Case 471122: Bitte Firmware 7.4.4 einspielen, das ist VERTRAULICH.")
		if reply := w.next("nora"); !strings.Contains(reply.text, "7.4.4") || !strings.Contains(reply.text, "471122") {
			t.Errorf("the answer of the third party:\n%s", reply.text)
		}
		w.awaitState(number, tickets.StateOpen)

		w.answer(nora, packet, "#tier 3 Programmänderung\nDiagnose: Die Firewall verwirft Pakete der zweiten Phase, sobald mehr als zwanzig Einwahlen zugleich offen sind, auch mit der neuen Firmware des Herstellers.\nReproduktion: nicht reproduzierbar\nLogs: keine: abgeschaltet")
		w.next("nora")
		packet = w.next("otto")
		w.next("sabine")
		w.answer(otto, packet, "#take #solve #t1able\nDer Zeitgeber in der Halle war falsch gestellt. Jetzt hält der Tunnel.")
		solved := w.next("sabine")
		if !strings.Contains(solved.text, "Zeitgeber") || strings.Contains(solved.raw, otto) || strings.Contains(solved.text, "VERTRAULICH") {
			t.Errorf("the customer reads:\n%s", solved.raw)
		}
		w.next("otto")
		w.awaitState(number, tickets.StateSolved)
		w.next("anna") // that the third tier has accepted it
		learnt := w.next("anna")
		if !strings.Contains(learnt.text, "Zeitgeber") || !strings.Contains(learnt.text, "Stufe 1") {
			t.Errorf("the owner learns:\n%s", learnt.text)
		}
		w.settled(9)
		if n := w.unread("sabine"); n != 0 {
			t.Errorf("the customer got %d mails too many", n)
		}
		w.healthy()
	})
}
