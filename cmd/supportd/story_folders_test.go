package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"supportd/mailin/imaptest"
)

// Stories of the folders beside the inbox.

// client is the mail client of whoever has the desk's mailbox open.
func (w *world) client() imaptest.Client {
	return imaptest.Client{Addr: w.imapAddr(), User: "hilfe", Password: "secret"}
}

// folder makes a folder in the desk's mailbox.
func (w *world) folder(name string) {
	w.t.Helper()
	if err := w.client().Create(name); err != nil {
		w.t.Fatal(err)
	}
}

// in returns what stands in a folder of the desk's mailbox.
func (w *world) in(folder string) []imaptest.Message {
	w.t.Helper()
	list, err := w.client().Messages(folder)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// mailbox puts more keys into the mailbox of the configuration.
func (w *world) mailbox(keys string) {
	w.t.Helper()
	w.login = "password_file: hilfe.pw, " + keys
	w.configure("")
}

// replyByHand answers a customer's mail from the desk's mailbox with another client, which keeps a copy in Sent.
func (w *world) replyByHand(m letter, to, id, text string) {
	w.t.Helper()
	raw := fmt.Sprintf("Message-ID: <%s>\nSubject: Re: %s\nIn-Reply-To: %s\nReferences: %[3]s\nContent-Type: text/plain; charset=utf-8\n\n%s\n",
		id, m.subject(), m.Header.Get("Message-ID"), text)
	w.mailFrom(deskAddress, to, raw)
	raw = fmt.Sprintf("From: %s\nTo: %s\nDate: %s\nMIME-Version: 1.0\n", deskAddress, to, time.Now().Format(time.RFC1123Z)) + raw
	if err := w.client().Append("Sent", []byte(strings.ReplaceAll(raw, "\n", "\r\n")), `\Seen`); err != nil {
		w.t.Fatal(err)
	}
}

// An answer that somebody sends from the shared mailbox with another client is noted on the ticket, however long the desk
// was away, and nobody gets a mail because of it; the customer's answer to it joins the ticket.
func TestStoryAnsweredByHand(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.folder("Sent")
		if err := w.client().Append("Sent", customerMail(deskAddress, "Alt", "Von früher."), `\Seen`); err != nil {
			t.Fatal(err)
		}
		w.mailbox("sent: Sent")
		w.start()
		w.mailFrom(sabine, deskAddress, "Subject: Drucker\n\nEr druckt nicht.\n")
		number := numberPattern.FindString(w.next("sabine").text)
		w.next("anna")
		w.next("ben")
		question := w.read(w.in("INBOX")[0].Raw)
		w.replyByHand(question, sabine, "hand-1@nordwind.example", "Bitte neu starten.")
		w.awaitState(number, "open")
		reply := w.next("sabine")
		w.stopDesk()

		// A question and its answer come while the desk is down: the question is a ticket before the answer is looked at.
		w.mailFrom(john, deskAddress, "Subject: Printer\n\nIt does not print.\n")
		w.await("the question", func() bool { return len(w.in("INBOX")) == 2 })
		w.replyByHand(w.read(w.in("INBOX")[1].Raw), john, "hand-2@nordwind.example", "Please restart it.")
		w.next("john")
		w.start()
		w.await("the second answer to be noted", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Books.Appended == 2
		})
		w.answer(sabine, reply, "Danke, aber es geht noch nicht.")
		w.await("the customer's answer", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Books.Appended == 3 && v.Outbox.Due == 0
		})
		entries := w.ticket(number).Entries
		answered := 0
		for _, e := range entries {
			if e.Kind == "answered" {
				answered++
				if e.Actor.String() != "agent mailbox support" || e.Text != "Bitte neu starten." {
					t.Errorf("answered by %q: %q", e.Actor, e.Text)
				}
			}
		}
		if answered != 1 {
			t.Errorf("%d answers on the ticket, want 1", answered)
		}
		if v, err := w.daemon.status(); err != nil || v.Books.Created != 2 || len(v.Folders) != 1 || !v.Folders[0].Connected {
			t.Errorf("books %+v, folders %+v, %v", v.Books, v.Folders, err)
		}
		w.next("john") // the acknowledgement of the question, which the desk saw late
		for _, user := range []string{"sabine", "john"} {
			if n := w.unread(user); n != 0 {
				t.Errorf("%s got %d mails too many", user, n)
			}
		}
		w.healthy()
	})
}

// A folder for sent mail that is missing is told, and the mailbox is followed all the same.
func TestStorySentMissing(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.mailbox("sent: Gesendet")
	w.start()
	w.mailFrom(sabine, deskAddress, "Subject: Drucker\n\nEr druckt nicht.\n")
	w.next("sabine")
	w.await("the missing folder to be told", func() bool {
		v, err := w.daemon.status()
		return err == nil && v.Ready && len(v.Folders) == 1 && strings.Contains(v.Folders[0].Error, `folder "Gesendet" cannot be opened`)
	})
	w.folder("Gesendet")
	if err := w.daemon.wake(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.await("the folder to be read", func() bool {
		v, err := w.daemon.status()
		return err == nil && v.Folders[0].Connected && v.Folders[0].Error == ""
	})
	w.healthy()
}

// What the desk sends to customers stands in the folder for sent mail, once, as if somebody had sent it by hand; the desk
// does not take its own mail for somebody's. A folder that is missing holds nothing up.
func TestStorySentCopies(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.mailbox("sent: Gesendet, sent_copies: true")
		w.start()
		w.mailFrom(sabine, deskAddress, "Subject: Drucker\n\nEr druckt nicht.\n")
		ack := w.next("sabine")
		w.next("anna")
		w.next("ben")
		w.await("the copy to wait", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Folders[0].Waiting == 1 && strings.Contains(v.Folders[0].CopyError, `folder "Gesendet" cannot be opened`)
		})
		w.stopDesk()
		w.folder("Gesendet")
		later := time.Now().Add(2 * time.Minute)
		w.now = func() time.Time { return later }
		w.start()
		w.await("the copy", func() bool { return len(w.in("Gesendet")) == 1 })
		w.mailFrom(john, deskAddress, "Subject: Printer\n\nIt does not print.\n")
		w.next("john")
		w.next("anna")
		w.next("ben")
		w.await("the second copy", func() bool { return len(w.in("Gesendet")) == 2 })
		w.await("both to be known as the desk's own", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Books.Filed == 2 && v.Folders[0].Waiting == 0
		})
		if copied := w.read(w.in("Gesendet")[0].Raw); copied.Header.Get("Message-ID") != ack.Header.Get("Message-ID") || copied.text != ack.text {
			t.Errorf("the copy is %q, want the acknowledgement", copied.raw)
		}
		for _, m := range w.in("Gesendet") {
			if !strings.Contains(strings.Join(m.Flags, " "), `\Seen`) {
				t.Errorf("flags of a copy: %v", m.Flags)
			}
		}
		if v, err := w.daemon.status(); err != nil || v.Books.Created != 2 || v.Books.Seen != 4 {
			t.Errorf("books %+v, %v", v.Books, err)
		}
		w.healthy()
	})
}

// Whoever has the mailbox open works on tickets by moving mails into folders; what the desk does not know, and what stood
// there before, is left alone.
func TestStoryMovedMail(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		for _, name := range []string{"Anna", "Fertig"} {
			w.folder(name)
		}
		old := customerMail(sabine, "Drucker", "Er druckt nicht.")
		if err := w.client().Append("Anna", old); err != nil {
			t.Fatal(err)
		}
		w.mailbox(fmt.Sprintf("actions: [{folder: Anna, do: take, by: %s}, {folder: Fertig, do: solve}]", anna))
		w.start()
		w.await("the folders to be followed", func() bool {
			v, err := w.daemon.status()
			return err == nil && len(v.Folders) == 2 && !v.Folders[0].LastPoll.IsZero() && !v.Folders[1].LastPoll.IsZero()
		})
		if err := w.put("hilfe", old, time.Time{}); err != nil { // the same mail: what stands in the folder means nothing
			t.Fatal(err)
		}
		number := numberPattern.FindString(w.next("sabine").text)
		notice := w.next("anna")
		w.next("ben")
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
		if got := w.ticket(number); got.Assignee != "" {
			t.Fatalf("assignee %q before anybody moved anything", got.Assignee)
		}
		move("INBOX", "Anna")
		w.await("Anna to have it", func() bool { return w.ticket(number).Assignee == anna })
		told := w.next("ben")
		if !strings.Contains(told.text, "Ordner „Anna“") {
			t.Errorf("Ben is told:\n%s", told.text)
		}
		w.answer(anna, notice, "Bitte neu starten.")
		w.next("sabine")
		move("Anna", "Fertig")
		w.awaitState(number, "solved")
		if told := w.next("anna"); !strings.Contains(told.text, "Ordner „Fertig“") {
			t.Errorf("Anna is told:\n%s", told.text)
		}
		if err := w.client().Append("Fertig", customerMail(john, "Fremd", "Nie gesehen.")); err != nil {
			t.Fatal(err)
		}
		if err := w.daemon.wake(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.await("the stranger's mail to be looked at", func() bool {
			v, err := w.daemon.status()
			return err == nil && v.Books.Filed == 1 && v.Outbox.Due == 0
		})
		if n := len(w.in("Fertig")); n != 2 {
			t.Errorf("%d mails in the folder, want 2", n)
		}
		if n := w.unread("sabine") + w.unread("john"); n != 0 {
			t.Errorf("customers got %d mails", n)
		}
		w.healthy()
	})
}
