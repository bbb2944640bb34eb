package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// shown waits until nothing is owed to the mailbox, and returns how that is.
func (w *world) shown() mirrorView {
	w.t.Helper()
	var m mirrorView
	w.await("the mailbox to show its tickets", func() bool {
		v, err := w.daemon.status()
		if err != nil || len(v.Mirrors) != 1 || v.Outbox.Due != 0 {
			return false
		}
		m = v.Mirrors[0]
		return m.Waiting == 0 && m.Error == ""
	})
	return m
}

// flagsOf are the flags of the only message in a folder, in lower case, without \Recent and \Seen.
func (w *world) flagsOf(folder string) string {
	w.t.Helper()
	list := w.in(folder)
	if len(list) != 1 {
		return fmt.Sprintf("%d messages", len(list))
	}
	var flags []string
	for _, f := range list[0].Flags {
		if f = strings.ToLower(f); f != `\recent` && f != `\seen` {
			flags = append(flags, f)
		}
	}
	slices.Sort(flags)
	return strings.Join(flags, " ")
}

// Every mail client shows how tickets stand: keywords, an answered mark, and folders that the mails move to, also when the
// desk was down in between. What a person moves elsewhere is left there, until they move it where the desk looks; no move of
// the desk's own is taken for anybody's action or for new mail.
func TestStoryMirror(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		for _, name := range []string{"Fertig", "Wartet", "Anna", "Ablage"} {
			w.folder(name)
		}
		w.mailbox(fmt.Sprintf("actions: [{folder: Anna, do: take, by: %s}], mirror: {answered: true, keywords: [state, assignee], "+
			"folders: [{folder: Fertig, state: solved}, {folder: Wartet, state: waiting_customer}]}", anna))
		w.start()
		w.await("the folders to be followed", func() bool {
			v, err := w.daemon.status()
			return err == nil && len(v.Folders) == 1 && !v.Folders[0].LastPoll.IsZero()
		})
		question := customerMail(sabine, "Drucker", "Er druckt nicht.")
		if err := w.put("hilfe", question, time.Time{}); err != nil {
			t.Fatal(err)
		}
		number := numberPattern.FindString(w.next("sabine").text)
		notice := w.next("anna")
		w.next("ben")
		w.shown()
		if got := w.flagsOf("INBOX"); got != "$sd-new" {
			t.Errorf("a new ticket: %s", got)
		}
		move := func(from, to string) {
			t.Helper()
			list := w.in(from)
			if err := w.client().Move(from, list[len(list)-1].UID, to); err != nil {
				t.Fatal(err)
			}
			if err := w.daemon.wake(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		// Moving it is an action, and it shows what became of the ticket where it stands.
		move("INBOX", "Anna")
		w.await("Anna to have it", func() bool { return w.ticket(number).Assignee == anna })
		w.next("ben")
		w.await("the keywords", func() bool { return w.flagsOf("Anna") == "$sd-assignee-anna $sd-open" })

		w.answer(anna, notice, "#solve\n\nBitte neu starten.")
		w.awaitState(number, "solved")
		solved := w.next("sabine")
		w.await("the mail to be put aside", func() bool {
			return len(w.in("Fertig")) > 0 && len(w.in("Anna")) == 0 && strings.Contains(flagsIn(w, "Fertig", question), `\answered`)
		})
		w.shown()
		if got := flagsIn(w, "Fertig", question); got != `$sd-assignee-anna $sd-solved \answered` {
			t.Errorf("a solved ticket: %s", got)
		}
		// A person puts it elsewhere: it is left there, whatever becomes of the ticket.
		w.await("all mails of the ticket", func() bool { return len(w.in("INBOX")) == 0 })
		if err := w.client().Move("Fertig", uidIn(w, "Fertig", question), "Ablage"); err != nil {
			t.Fatal(err)
		}
		w.answer(sabine, solved, "Das hilft leider nicht.")
		w.awaitState(number, "open")
		w.await("the lost mail to be told", func() bool { return w.shown().Lost == 1 })
		if got := w.flagsOf("Ablage"); got != `$sd-assignee-anna $sd-solved \answered` {
			t.Errorf("what a person put aside: %s", got)
		}
		w.await("the other mails to come back", func() bool { return len(w.in("Fertig")) == 0 })
		w.shown()
		// They bring it back while the desk is down.
		w.stopDesk()
		if err := w.client().Move("Ablage", w.in("Ablage")[0].UID, "INBOX"); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.await("what came back to show the ticket", func() bool {
			return flagsIn(w, "INBOX", question) == `$sd-assignee-anna $sd-open \answered` && w.shown().Lost == 0
		})
		if v, err := w.daemon.status(); err != nil || v.Books.Created != 1 || v.Books.Seen != v.Books.Created+v.Books.Appended+v.Books.Duplicates {
			t.Errorf("books %+v, %v", v.Books, err)
		}
		w.healthy()
	})
}

// flagsIn are the flags of a message in a folder, as flagsOf; "" when it does not stand there.
func flagsIn(w *world, folder string, raw []byte) string {
	w.t.Helper()
	id := w.read(raw).Header.Get("Message-ID")
	for _, m := range w.in(folder) {
		if w.read(m.Raw).Header.Get("Message-ID") != id {
			continue
		}
		var flags []string
		for _, f := range m.Flags {
			if f = strings.ToLower(f); f != `\recent` && f != `\seen` {
				flags = append(flags, f)
			}
		}
		slices.Sort(flags)
		return strings.Join(flags, " ")
	}
	return ""
}

// uidIn is the UID of a message in a folder.
func uidIn(w *world, folder string, raw []byte) uint32 {
	w.t.Helper()
	id := w.read(raw).Header.Get("Message-ID")
	for _, m := range w.in(folder) {
		if w.read(m.Raw).Header.Get("Message-ID") == id {
			return m.UID
		}
	}
	w.t.Fatalf("the mail does not stand in %s", folder)
	return 0
}
