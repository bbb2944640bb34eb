package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const digestsFile = `version: 1
organisation: {name: Nordwind Service, timezone: Europe/Berlin, languages: [de, en]}
mailboxes: {hilfe: {imap: %q, user: hilfe, password_file: hilfe.pw, tls: none, trusted: true, poll: 10s, since: 2020-01-01, addresses: [%s]}}
brands: {nordwind: {from: Nordwind Service <%s>, smtp: {server: %q, user: hilfe, password_file: hilfe.pw, tls: none, retry: [1s]}, ticket_prefix: NW}}
calendars: {standard: {hours: 24/7}}
teams:
  desk: {tier: 1, members: [Anna Berg <%s>, Ben Cohn <%s>], lead: %s}
notices: {at_most: 3/5m}
undo: 0s
`

// nextOf passes over somebody's mails until one of that template comes.
func (w *world) nextOf(user, template string) letter {
	w.t.Helper()
	for {
		if l := w.next(user); l.Header.Get("X-Desk-Template") == template {
			return l
		}
	}
}

// later moves the desk's clock to a time of a day and lets it do what is due by then.
func (w *world) later(ahead *atomic.Int64, at time.Time) {
	w.t.Helper()
	ahead.Add(int64(at.Sub(w.now())))
	if _, err := w.daemon.desk.Tick(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.await("the outbox to be empty", func() bool {
		v, err := w.daemon.status()
		return err == nil && v.Outbox.Due == 0
	})
}

// The mails that come by the clock, on every kind of servers: notices that are collected, the overviews of agents and leads,
// #digest off and on, and what somebody reads who was away.
func TestStoryDigests(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	everywhere(t, func(t *testing.T, w *world) {
		today := time.Now().In(zone)
		day := func(n, hour, minute int) time.Time {
			return time.Date(today.Year(), today.Month(), today.Day()+1+n, hour, minute, 0, 0, zone)
		}
		ahead := new(atomic.Int64)
		w.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		ahead.Store(int64(time.Until(day(0, 6, 0))))
		w.write("supportd.yaml", fmt.Sprintf(digestsFile, w.imapAddr(), deskAddress, deskAddress, w.smtpAddr(), anna, ben, nora), 0o600)
		w.start()

		// Five tickets at once: three notices, and one mail that names the others.
		for i, text := range []string{"Der Drucker im Erdgeschoss druckt nicht.", "Das Telefon in Halle drei klingelt nie.", "Mein Kennwort ist seit gestern abgelaufen.",
			"Wo finde ich die Rechnung vom letzten Monat?", "Der Bildschirm am Empfang flackert stark."} {
			w.mailFrom([]string{sabine, john}[i%2], deskAddress, "Subject: "+strings.Join(strings.Fields(text)[:2], " ")+"\nContent-Type: text/plain; charset=utf-8\n\n"+text+"\n")
		}
		w.settled(5)
		notice := w.next("anna")
		number := numberPattern.FindString(notice.subject())
		customer := map[bool]string{true: "sabine", false: "john"}[strings.Contains(notice.text, sabine)]
		address := map[string]string{"sabine": sabine, "john": john}[customer]
		w.next("anna")
		w.next("anna")
		if n := w.unread("anna"); n != 0 {
			t.Errorf("%d notices too many", n)
		}
		w.later(ahead, day(0, 6, 10))
		if many := w.next("anna"); many.Header.Get("X-Desk-Template") != "more-tickets" || len(numberPattern.FindAllString(many.text, -1)) != 2 || strings.Count(many.text, "  hilfe+") != 2 {
			t.Errorf("collected:\n%s", many.text)
		}
		w.answer(anna, notice, "#take")
		w.awaitState(number, "open")
		ack := w.next(customer)
		for numberPattern.FindString(ack.subject()) != number {
			ack = w.next(customer)
		}

		// The overviews: Anna's of her ticket and what is free, and the lead's.
		w.later(ahead, day(0, 7, 31))
		own := w.nextOf("anna", "personal-digest")
		if !strings.Contains(own.text, number) || !strings.Contains(own.text, "Noch bei niemandem (4)") || own.Header.Get("Precedence") != "bulk" || own.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("Anna's overview:\n%s", own.raw)
		}
		bens := w.nextOf("ben", "personal-digest")
		w.later(ahead, day(0, 8, 1))
		if lead := w.nextOf("nora", "lead-digest"); !strings.Contains(lead.text, "Bei niemandem (4)") {
			t.Errorf("the lead's overview:\n%s", lead.text)
		}
		w.answer(ben, bens, "#digest off")
		if receipt := w.nextOf("ben", "command-receipt"); !strings.Contains(receipt.text, "keinen täglichen Überblick mehr") {
			t.Errorf("the receipt:\n%s", receipt.text)
		}

		// Anna is away; the customer writes, and Ben answers.
		w.answer(anna, notice, "#absent until "+day(2, 0, 0).Format("02.01.2006"))
		w.nextOf("anna", "command-receipt")
		w.later(ahead, day(0, 12, 0))
		w.answer(address, ack, "Geht es voran?")
		w.answer(ben, w.nextOf("ben", "customer-replied"), "Heute noch.")
		w.await("Ben's answer", func() bool { return strings.Contains(w.next(customer).text, "Heute noch.") })
		w.later(ahead, day(1, 7, 31))
		for _, user := range []string{"anna", "ben"} {
			for w.unread(user) > 0 {
				if l := w.next(user); l.Header.Get("X-Desk-Template") == "personal-digest" {
					t.Errorf("%s is away, or wants none, and reads:\n%s", user, l.text)
				}
			}
		}
		w.answer(ben, bens, "#digest on")
		w.nextOf("ben", "command-receipt")

		// She is back: once she reads what happened.
		w.later(ahead, day(3, 7, 31))
		back := w.nextOf("anna", "personal-digest")
		if flat := strings.Join(strings.Fields(back.text), " "); !strings.Contains(flat, "Mails vom Kunden: 1 · bearbeitet von Ben Cohn") {
			t.Errorf("after her absence Anna reads:\n%s", back.text)
		}
		w.nextOf("ben", "personal-digest")
		w.later(ahead, day(4, 7, 31))
		if again := w.nextOf("anna", "personal-digest"); strings.Contains(again.text, "bearbeitet von") {
			t.Errorf("the next day she reads it again:\n%s", again.text)
		}
		w.healthy()
	})
}
