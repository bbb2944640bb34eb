package tickets

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// everything reads the whole history, page by page.
func everything(t *testing.T, s *Store, since time.Time) []Past {
	t.Helper()
	var all []Past
	for from := uint64(1); from != 0; {
		page, err := s.History(from, since)
		if err != nil {
			t.Fatal(err)
		}
		if page.Next != 0 && page.Next <= from {
			t.Fatalf("the page from %d leads to %d", from, page.Next)
		}
		all, from = append(all, page.Messages...), page.Next
	}
	return all
}

// What the desk knew of a message leads to the same decision again, also after the tickets have gone on and after the
// record has been through JSON.
func TestHistoryDecidesAgain(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	ack, notice := mailTo(t, sent, kunde, TemplateAckNew), mailTo(t, sent, anna, TemplateTicketToTeam)
	k.clock.move(time.Minute)
	k.expect(k.receive(k.reply(ack, kunde, "immer noch")), Appended, id)
	k.clock.move(time.Minute)
	k.expect(k.receive(k.reply(ack, stranger, "Und bei mir?")), Quarantined, id)
	if out, err := k.desk.Release(t.Context(), k.held()[0].ID, anna); err != nil || out.Ticket != id {
		t.Fatalf("release: %+v %v", out, err)
	}
	k.expect(k.receive(k.reply(notice, anna, "#solve\nneu gestartet")), Appended, id)
	k.afterUndo()
	k.clock.move(time.Minute)
	k.expect(k.receive(k.reply(ack, kunde, "Danke!")), Appended, id)
	k.clock.move(20 * 24 * time.Hour)
	k.tick()
	late := k.receive(k.reply(ack, kunde, "geht wieder nicht"))
	if late.Result != Created {
		t.Fatalf("an answer after %s: %+v, want a new ticket", 20*24*time.Hour, late)
	}
	k.receive(k.mail(kunde, "abwesend", "bin nicht da", autoReply))
	k.receive(k.mail(kunde, "Werbung", "kaufen", with(fieldQuarantine, "spam")))
	same := k.mail(kunde, "doppelt", "zweimal")
	k.receive(same)
	k.receive(same)

	all := everything(t, k.store, time.Time{})
	if len(all) != 9 {
		t.Fatalf("%d messages, want 9: duplicates have no record of their own", len(all))
	}
	for _, p := range all {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var again Past
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		if p.Agent != (p.Stored.From.Mail == anna) {
			t.Errorf("message %d from %s: agent %v", p.Stored.Key, p.Stored.From.Mail, p.Agent)
		}
		if p.Agent {
			continue // commands are not decided again: they were given once
		}
		d := Decide(again.Known(k.rules), again.Incoming(readTestMessage), k.rules, again.Stored.Stored)
		why := d.Why
		if again.Known(k.rules).Admitted {
			why = p.Stored.Why // the name of who let it in stands before it
		}
		if d.Result != p.Stored.Result || why != p.Stored.Why {
			t.Errorf("message %d: %s (%s), and it was %s (%s)", p.Stored.Key, d.Result, why, p.Stored.Result, p.Stored.Why)
		}
		if d.Ticket != nil && (p.Ended == nil || d.Ticket.Number != p.Ended.Number) {
			t.Errorf("message %d: ticket %s, and it was %+v", p.Stored.Key, d.Ticket.Number, p.Ended)
		}
	}
	if first := all[0]; first.Ended.Worked != true || first.Ticket != nil {
		t.Errorf("the first message: %+v", first)
	}
	if thanks := all[4]; thanks.Ticket == nil || thanks.Ticket.State != StateSolved || thanks.By != byAddress {
		t.Errorf("the thanks: ticket %+v by %q, want it solved, by the address", thanks.Ticket, thanks.By)
	}
	if f := all[5]; f.Ticket == nil || f.Ticket.ID != id || f.Ticket.State.Live() {
		t.Errorf("the follow-up continued %+v", f.Ticket)
	}
	k.healthy()
}

func TestHistorySince(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "alt", "alt")
	k.clock.move(48 * time.Hour)
	k.opened(kunde, "neu", "neu")
	all := everything(t, k.store, k.clock.Now().Add(-time.Hour))
	if len(all) != 1 || all[0].Stored.Subject != "neu" {
		t.Errorf("the last hour: %+v", all)
	}
}

// Pages end, and nothing is lost or doubled where they meet.
func TestHistoryPages(t *testing.T) {
	k := newKit(t)
	var in []Incoming
	for i := range pageMessages + 3 {
		in = append(in, k.incoming(k.mail(kunde, fmt.Sprintf("Meldung %d", i), "x")))
	}
	k.receiveAll(in...)
	page, err := k.store.History(1, time.Time{})
	if err != nil || len(page.Messages) != pageMessages || page.Next != pageMessages+1 {
		t.Fatalf("%d messages, next %d, %v", len(page.Messages), page.Next, err)
	}
	for i, p := range everything(t, k.store, time.Time{}) {
		if p.Stored.Key != uint64(i+1) || string(p.Raw) != string(in[i].Raw) {
			t.Fatalf("place %d holds message %d", i, p.Stored.Key)
		}
	}
}

func TestRecall(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, kunde, TemplateAckNew), kunde, "immer noch"))
	for name, want := range map[string]int{k.ticket(id).Number: 2, "1": 2, "message:2": 1, "m1@customer.example": 1, "<m1@customer.example>": 1} {
		if found, err := k.store.Recall(name); err != nil || len(found) != want || found[0].Raw == nil {
			t.Errorf("%q: %d messages, %v, want %d with their raw mail", name, len(found), err, want)
		}
	}
	for _, name := range []string{"NW-2026-000099", "message:99", "message:x", "nobody@nowhere.example", ""} {
		if found, err := k.store.Recall(name); err == nil {
			t.Errorf("%q: %d messages", name, len(found))
		}
	}
	if _, err := k.store.Recall("message:99"); !errors.Is(err, ErrNotFound) {
		t.Errorf("message 99: %v, want ErrNotFound", err)
	}
}

// A mail archive that is gone is said at the messages that stood in it; the others are there.
func TestHistoryWithoutItsArchive(t *testing.T) {
	k := newKit(t)
	k.opened(kunde, "alt", "alt")
	k.clock.move(31 * 24 * time.Hour)
	k.opened(kunde, "neu", "neu")
	if err := os.Remove(filepath.Join(k.dir, mailDir, "2026-03.db")); err != nil {
		t.Fatal(err)
	}
	all := everything(t, k.store, time.Time{})
	if len(all) != 2 || all[0].Raw != nil || all[0].Unreadable == "" || all[1].Raw == nil || all[1].Unreadable != "" {
		t.Errorf("%+v", all)
	}
}
