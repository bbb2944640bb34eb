package tickets

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// A file that does not go to the customer is named to the agent, also when the mail had no command; the others go.
func TestLeftOutAttachmentsAreTold_S143(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	attach := func(files ...File) func(*Message) {
		return func(m *Message) {
			for _, f := range files {
				m.Attachments = append(m.Attachments, Attachment{Name: f.Name, Type: f.Type, Size: int64(len(f.Data)), Dangerous: strings.HasSuffix(f.Name, ".exe")})
			}
			k.files[m.ID] = files
		}
	}
	manual := File{Name: "manual.pdf", Type: "application/pdf", Data: make([]byte, maxCarried/2+1)}
	tool := File{Name: "tool.exe", Type: "application/octet-stream", Data: []byte("MZ")}
	small := File{Name: "small.pdf", Type: "application/pdf", Data: []byte("%PDF")}

	k.expect(k.receive(k.reply(notice, anna, "Siehe Anhang.", attach(manual, tool, small))), Appended, id)
	sent = k.afterUndo()
	if names := fileNames(mailTo(t, sent, kunde, TemplateAgentReply)); !slices.Equal(names, []string{"small.pdf"}) {
		t.Errorf("the answer carries %q", names)
	}
	if told := mailTo(t, sent, anna, TemplateReceipt).Letter.Text; !strings.Contains(told, "did.left_out") || !strings.Contains(told, "manual.pdf, tool.exe") {
		t.Errorf("the agent was told:\n%s", told)
	}

	k.expect(k.receive(k.reply(notice, anna, "", attach(tool))), Appended, id)
	sent = k.afterUndo()
	if out := outside(sent); len(out) > 0 {
		t.Errorf("an answer without anything in it went out: %s", summary(out))
	}
	if told := mailTo(t, sent, anna, TemplateRefused).Letter.Text; !strings.Contains(told, "did.left_out") {
		t.Errorf("the agent was told:\n%s", told)
	}

	k.expect(k.receive(k.reply(notice, anna, "Nur ein Blatt.", attach(small))), Appended, id)
	for _, d := range k.afterUndo() {
		if d.Template == TemplateReceipt {
			t.Error("a plain answer whose files all go has a receipt")
		}
	}
	k.healthy()
}

// What is sent after all goes with its files, as far as a customer may get them.
func TestPostSendsAttachments_S143(t *testing.T) {
	k := newKit(t)
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.did(notice, anna, "#note\nDer Kunde hat die Wartung seit drei Monaten nicht bezahlt.")
	files := []File{{Name: "tool.exe", Type: "application/octet-stream", Data: []byte("MZ")}, {Name: "plan.pdf", Type: "application/pdf", Data: []byte("%PDF")}}
	k.receive(k.reply(notice, anna, "Der Kunde hat die Wartung seit drei Monaten nicht bezahlt.", func(m *Message) {
		for _, f := range files {
			m.Attachments = append(m.Attachments, Attachment{Name: f.Name, Type: f.Type, Size: int64(len(f.Data)), Dangerous: strings.HasSuffix(f.Name, ".exe")})
		}
		k.files[m.ID] = files
	}))
	refusal := mailTo(t, k.afterUndo(), anna, TemplateRefused)
	more := []File{{Name: "more.txt", Type: "text/plain", Data: []byte("x")}}
	lines, sent := k.did(refusal, anna, "#post", func(m *Message) {
		m.Attachments = []Attachment{{Name: "more.txt", Type: "text/plain", Size: 1}}
		k.files[m.ID] = more
	})
	if names := fileNames(mailTo(t, sent, kunde, TemplateAgentReply)); !slices.Equal(names, []string{"plan.pdf", "more.txt"}) {
		t.Errorf("the answer carries %q", names)
	}
	if !strings.Contains(lines, "did.left_out") {
		t.Errorf("what stays behind is not told: %s", lines)
	}
	k.healthy()
}

// S-104: the address of an agent, as it stands in their signature, is the desk's when the customer reads it.
func TestOwnAddressInAnAnswer_S104(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Anna Berg <anna@staff.example>", "Anna Berg <d@desk.example>"},
		{"ANNA@Staff.Example.", "d@desk.example."},
		{"mailto:anna@staff.example, anna@staff.example", "mailto:d@desk.example, d@desk.example"},
		{"joanna@staff.example jo.anna@staff.example anna@staff.example.org anna@staff.examples", "joanna@staff.example jo.anna@staff.example anna@staff.example.org anna@staff.examples"},
		{"", ""},
	} {
		if got := replaceAddress(c.text, "anna@staff.example", "d@desk.example"); got != c.want {
			t.Errorf("%q became %q, want %q", c.text, got, c.want)
		}
	}
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.expect(k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "Neu starten.\n\nAnna · "+anna)), Appended, id)
	absentFrom(t, outside(k.afterUndo()), anna)
	k.healthy()
}

// An agent's held mail becomes a note when it is let in, and the one who lets it in is told so.
func TestAdmittedMailOfAnAgentIsANote(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.expect(k.receive(k.reply(notice, ben, "Ich habe die Antwort.")), Quarantined, id)
	k.deliver()
	k.expect(k.receive(k.reply(notice, anna, "#admit 1")), Appended, id)
	sent = k.afterUndo()
	if out := outside(sent); len(out) > 0 {
		t.Errorf("sent %s", summary(out))
	}
	if told := mailTo(t, sent, anna, TemplateReceipt).Letter.Text; !strings.Contains(told, "did.admit_note") {
		t.Errorf("the agent was told:\n%s", told)
	}
	k.healthy()
}

// S-177: what servers and people write of addresses does not get into the log.
func TestLogNamesNoCustomer_S177(t *testing.T) {
	k := newKit(t)
	var log bytes.Buffer
	k.desk.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "Neu starten."))
	k.clock.move(k.rules.Undo)
	due, _, err := k.desk.Due(t.Context(), k.clock.Now(), 1)
	if err != nil || len(due) != 1 {
		t.Fatalf("due: %v, %v", due, err)
	}
	if err := k.desk.Settle(t.Context(), []Delivery{{ID: due[0].ID, At: k.clock.Now(), Result: ResultPermanent, Detail: "550 5.1.1 <" + kunde + "> unknown"}}); err != nil {
		t.Fatal(err)
	}
	mailTo(t, k.deliver(), anna, TemplateUndelivered)
	k.receive(k.mail("canary <x>@customer.example", "Fax", "kaputt"))
	if s := log.String(); !strings.Contains(s, "mail given up") || strings.Contains(s, kunde) || strings.Contains(s, "canary") {
		t.Errorf("the log:\n%s", s)
	}
	k.healthy()
}
