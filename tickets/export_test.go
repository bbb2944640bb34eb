package tickets

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// What a person gets is theirs: what they wrote and were sent, no note, nobody of the desk, nothing that others wrote
// before they took part (GDPR Art. 15; S-105).
func TestExportPerson(t *testing.T) {
	k, own, _, _ := sabinesDesk(t)
	k.clock.move(time.Minute)
	k.deliver()
	late := k.mail(strings.ToLower(sabine), "Noch eins", "Dies ist mein zweites Anliegen.", bySabine)
	out := k.receive(late)
	k.receive(k.reply(mailTo(t, k.deliver(), anna, TemplateTicketToTeam), anna, "#note Sie ist etwas schwierig."))
	data, err := k.desk.ExportPerson(Person{Address: sabine})
	if err != nil {
		t.Fatal(err)
	}
	if len(data.Tickets) != 3 || data.Names[0] != sabineName || len(data.Mails) != 5 || len(data.Sent) == 0 || len(data.OnFile) == 0 {
		t.Errorf("%d tickets, names %v, %d mails, %d sent, %v", len(data.Tickets), data.Names, len(data.Mails), len(data.Sent), data.OnFile)
	}
	for _, m := range data.Mails {
		if len(m.Raw) == 0 {
			t.Errorf("mail %d has no raw bytes", m.Key)
		}
	}
	b, err := json.Marshal(data.Tickets)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, want := range []string{sabineLine, "Bitte lüften.", "Und noch etwas von mir"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
	for _, never := range []string{anna, "schwierig", "Sabine hat recht", kollegin, stranger} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in %s", never, text)
		}
	}
	for _, got := range data.Tickets {
		mine := got.Number == k.ticket(own).Number || got.Number == k.ticket(out.Ticket).Number
		if (got.Role == "requester") != mine {
			t.Errorf("ticket %s as %s", got.Number, got.Role)
		}
	}
	if _, err := k.desk.ExportPerson(Person{Address: "nobody@customer.example"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
}

// All tickets come out page by page, each with its entries and messages.
func TestExportPages(t *testing.T) {
	k := newKit(t)
	for i := range pageTickets + 3 {
		k.receive(k.mail(kunde, "Nummer "+itoa(i), "Text der Nummer "+itoa(i)))
	}
	n := 0
	for from := TicketID(1); from != 0; {
		p, err := k.store.Export(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Tickets {
			if n++; e.Ticket.ID != TicketID(n) || len(e.Entries) < 2 || len(e.Messages) != 1 {
				t.Fatalf("ticket %d: %+v", n, e)
			}
		}
		from = p.Next
	}
	if n != pageTickets+3 {
		t.Errorf("%d tickets", n)
	}
}
