package main

import (
	"strings"
	"testing"

	"supportd/tickets"
)

// The whole conversation: a customer's mail becomes an acknowledged, answered, solved ticket; thanks keep it solved,
// a real answer opens it again.
func TestStoryConversation(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.start()
		w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, "Subject: Drucker im Empfang druckt nur leere Seiten\nContent-Type: text/plain; charset=utf-8\n\nGuten Tag,\n\nunser Drucker im Empfang druckt seit heute nur leere Seiten.\n\nViele Grüße\nSabine Krause\n")

		ack := w.next("sabine")
		number := numberPattern.FindString(ack.subject())
		if number == "" {
			t.Fatalf("the acknowledgement's subject has no ticket number: %q", ack.subject())
		}
		if ack.Header.Get("Auto-Submitted") != "auto-replied" || ack.Header.Get("Return-Path") != "<>" {
			t.Errorf("the acknowledgement is not marked as automatic (RFC 3834): %q %q", ack.Header.Get("Auto-Submitted"), ack.Header.Get("Return-Path"))
		}
		if !strings.Contains(ack.text, "angekommen") {
			t.Errorf("the acknowledgement is not in German:\n%s", ack.text)
		}

		notice := w.next("anna")
		w.next("ben")
		if !strings.Contains(notice.text, "druckt seit heute nur leere Seiten") {
			t.Errorf("the notice does not show the customer's text:\n%s", notice.text)
		}
		for _, h := range []string{"To", "Cc", "Reply-To"} {
			if strings.Contains(notice.Header.Get(h), sabine) {
				t.Errorf("S-103: the notice has the customer in %s", h)
			}
		}

		w.answer(anna, notice, "Guten Tag Frau Krause,\n\nbitte tauschen Sie die Patrone und drucken Sie eine Testseite.\n\nAnna Berg")
		reply := w.next("sabine")
		if !strings.Contains(reply.text, "tauschen Sie die Patrone") || !strings.Contains(reply.Header.Get("From"), deskAddress) {
			t.Errorf("the answer did not come from the desk:\nFrom: %s\n%s", reply.Header.Get("From"), reply.text)
		}
		if strings.Contains(reply.raw, anna) {
			t.Errorf("S-104: the agent's own address stands in the mail to the customer:\n%s", reply.raw)
		}
		if reply.Header.Get("Auto-Submitted") != "" {
			t.Errorf("a person's answer is marked as automatic: %q", reply.Header.Get("Auto-Submitted"))
		}
		if !strings.Contains(reply.Header.Get("References"), ack.Header.Get("Message-ID")) {
			t.Errorf("the answer does not thread below the acknowledgement: References %q", reply.Header.Get("References"))
		}
		if v := w.ticket(number); v.State != "open" || v.Assignee != anna {
			t.Errorf("after the answer the ticket is %s, assigned to %q", v.State, v.Assignee)
		}

		w.answer("Sabine Krause <"+sabine+">", reply, "Die Patrone ist neu, es bleibt leer. Was nun?")
		again := w.next("anna")
		if !strings.Contains(again.text, "es bleibt leer") {
			t.Errorf("the customer's answer did not reach the assignee:\n%s", again.text)
		}

		w.answer(anna, again, "#solve\nWir haben den Treiber erneuert, jetzt druckt er wieder.")
		solved := w.next("sabine")
		if !strings.Contains(solved.text, "Treiber erneuert") || strings.Contains(solved.text, "#solve") {
			t.Errorf("the solution is not what was written:\n%s", solved.text)
		}
		receipt := w.next("anna")
		if receipt.Header.Get("Auto-Submitted") != "auto-replied" {
			t.Errorf("the receipt is not marked as automatic")
		}
		w.awaitState(number, tickets.StateSolved)

		w.answer("Sabine Krause <"+sabine+">", solved, "Danke, jetzt geht es wieder!")
		w.settled(5)
		if v := w.ticket(number); v.State != "solved" {
			t.Errorf("a thank-you made the ticket %s", v.State)
		}
		w.answer("Sabine Krause <"+sabine+">", solved, "Leider druckt er heute schon wieder leere Seiten.")
		reopened := w.next("anna")
		if !strings.Contains(reopened.text, "schon wieder leere Seiten") {
			t.Errorf("the reopening did not reach the assignee:\n%s", reopened.text)
		}
		w.awaitState(number, tickets.StateOpen)
		w.settled(6)
		if n := w.unread("ben"); n != 0 {
			t.Errorf("ben got %d mails about a ticket that anna works on", n)
		}
		if n := w.unread("sabine"); n != 0 {
			t.Errorf("the customer got %d mails too many", n)
		}
		w.healthy()
	})
}
