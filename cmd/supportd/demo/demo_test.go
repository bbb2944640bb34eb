package demo

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// counter counts the mails that nobody can get.
type counter struct{ lost atomic.Int64 }

func (c *counter) delivering(_, _, user string, _ []byte) {
	if user == "" {
		c.lost.Add(1)
	}
}

func (c *counter) delivered() {}

func TestComposeIsReadBack(t *testing.T) {
	office, err := openPostOffice(time.Now, &counter{})
	if err != nil {
		t.Fatal(err)
	}
	defer office.close()
	c, r := &client{office: office, now: time.Now}, newReader(office)
	text := "Grüße, € und 漢字.\n" + strings.Repeat("lang ", 400) + "Ende\n.\nFrom hier\n"
	data := bytes.Repeat([]byte{0, 1, 2, 0xff}, 500)
	if err := c.write(draft{User: "sabine", From: sabine().String(), To: anna().Address, Subject: "Käse\r\nBcc: x@y.example", Text: text,
		Attached: []tickets.File{{Name: "Übersicht.bin", Type: "application/octet-stream", Data: data}}}); err != nil {
		t.Fatal(err)
	}
	list, err := r.list("anna", inbox)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d mails, %v", len(list), err)
	}
	l := list[0]
	if got := strings.TrimSpace(strings.ReplaceAll(l.Text, "\r\n", "\n")); got != strings.TrimSpace(text) {
		t.Errorf("text:\n%q\nwant\n%q", got, text)
	}
	// What stands in a form never becomes a header field.
	if len(l.Field("Bcc")) != 0 || !strings.Contains(l.Subject, "Käse") {
		t.Errorf("subject %q, Bcc %q", l.Subject, l.Field("Bcc"))
	}
	if files := mailin.Files(l.Raw); len(files) != 1 || files[0].Name != "Übersicht.bin" || !bytes.Equal(files[0].Data, data) {
		t.Errorf("attachments: %+v", l.Attachments)
	}
	if l.ReturnPath != sabine().Address || l.Author != sabine().Address {
		t.Errorf("return path %q, author %q", l.ReturnPath, l.Author)
	}
	if sentMails, err := r.list("sabine", sent); err != nil || len(sentMails) != 1 {
		t.Errorf("%d mails in Sent, %v", len(sentMails), err)
	}

	if err := c.answer(anna(), l, "Danke\nSehr"); err != nil {
		t.Fatal(err)
	}
	back, err := r.list("sabine", inbox)
	if err != nil || len(back) != 1 {
		t.Fatalf("%d answers, %v", len(back), err)
	}
	if a := back[0]; a.Reply != "Danke\nSehr" || len(a.InReplyTo) != 1 || a.InReplyTo[0] != l.ID || len(a.References) != 1 || !strings.HasPrefix(a.Subject, "Re: Käse") {
		t.Errorf("answer: %q, in reply to %q, references %q, subject %q", a.Reply, a.InReplyTo, a.References, a.Subject)
	}
}

// A mail to nobody is reported to its envelope sender; one without is dropped, so that no report makes another.
// S-054
func TestPostOfficeReports(t *testing.T) {
	count := &counter{}
	office, err := openPostOffice(time.Now, count)
	if err != nil {
		t.Fatal(err)
	}
	defer office.close()
	c, r := &client{office: office, now: time.Now}, newReader(office)
	d := draft{User: "john", From: john().String(), To: "nobody@nowhere.example", Subject: "Hello", Text: "Anybody?"}
	if err := c.write(d); err != nil {
		t.Fatal(err)
	}
	d.Sender = "-"
	if err := c.write(d); err != nil {
		t.Fatal(err)
	}
	list, err := r.list("john", inbox)
	if err != nil || len(list) != 1 || count.lost.Load() != 2 {
		t.Fatalf("%d reports of %d lost mails, %v", len(list), count.lost.Load(), err)
	}
	if l := list[0]; l.ReturnPath != "<>" || len(l.Machine) < 2 || !strings.Contains(l.Text, "550 5.1.1") {
		t.Errorf("return path %q, %d machine parts:\n%s", l.ReturnPath, len(l.Machine), l.Text)
	}
	if err := office.send("john", john().Address, anna().Address+"\r\nRCPT TO:<x@y.example>", []byte("x")); err == nil {
		t.Error("S-053: a line end in an address was sent")
	}
}

// An outcome that is not the story's is found out.
func TestJudge(t *testing.T) {
	wrong := strings.Join(outcome{}.judge(), "\n")
	for _, want := range []string{"the doctor", "Drucker im Empfang", "0 mails are held", "Sabine Krause got 0 mails", "Ben was told 0 times"} {
		if !strings.Contains(wrong, want) {
			t.Errorf("%q is not said of nothing at all:\n%s", want, wrong)
		}
	}
	leak := outcome{boxes: map[string][]letter{"sabine": {{Raw: []byte("From: " + anna().Address), Message: &tickets.Message{Subject: "x"}}}}}
	if wrong := strings.Join(leak.judge(), "\n"); !strings.Contains(wrong, `Sabine Krause can read "anna@nordwind.example"`) {
		t.Errorf("S-104: an agent's address in a customer's mail is not found:\n%s", wrong)
	}
}

// Nothing in a mail can move the cursor or add lines to the narration; warnings of the desk are told.
// S-146
func TestTaleIsPlain(t *testing.T) {
	var out bytes.Buffer
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	tl := newTale(&out, false, func() time.Time { return start.Add(1234 * time.Millisecond) }, start)
	tl.delivering("a@b.example", anna().Address, "anna", []byte("From: Eve <eve@b.example>\r\nSubject: =?utf-8?q?a=1b[2Jb=0Ac=E2=80=AEd?=\r\n\r\nx"))
	slog.New(tl.log()).With("mailbox", "support").Warn("mailbox lost", "err", "cut")
	slog.New(tl.log()).Info("nobody reads this")
	want := []string{"  1.23s  mail    Eve writes to Anna Berg: ", "  1.23s       ·  the desk logs: mailbox lost mailbox=support err=cut"}
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], want[0]) || lines[1] != want[1] {
		t.Errorf("told:\n%q", lines)
	}
	if strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("told with controls: %q", out.String())
	}
}
