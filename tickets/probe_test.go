package tickets

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A test mail is filed with its reason, makes no ticket and no quarantine record, and nobody else can make one.
func TestProbeIsFiled(t *testing.T) {
	k := newKit(t)
	p, err := k.store.Keys().NewProbe("desk.example", testRandom(1))
	if err != nil {
		t.Fatal(err)
	}
	q, err := k.store.Keys().NewProbe("desk.example", testRandom(2))
	if err != nil || q.MessageID == p.MessageID || q.Token == p.Token {
		t.Fatalf("two test mails: %+v, %+v, %v", p, q, err)
	}
	other, err := NewKeyring(time.Unix(0, 0), testRandom(3))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.NewProbe("desk.example", testRandom(4))
	if err != nil {
		t.Fatal(err)
	}
	own := func(id, to string) func(*Message) {
		return func(m *Message) {
			m.ID, m.From, m.Author, m.To = id, []Address{{Mail: deskAddress}}, deskAddress, []Address{{Mail: to}}
		}
	}
	for name, c := range map[string]struct {
		change func(*Message)
		result Result
		why    string
	}{
		"to the desk":             {own(p.MessageID, deskAddress), Filed, "a test mail of check --online"},
		"to a sub-address":        {own(q.MessageID, "support+"+q.Token+"@desk.example"), Filed, "a test mail of check --online"},
		"signed by somebody else": {own(foreign.MessageID, deskAddress), Quarantined, "it claims to come from one of the desk's own addresses"},
	} {
		if o := k.receive(k.mail("kunde@kunde.example", "Test", "Test", c.change)); o.Result != c.result || o.Why != c.why {
			t.Errorf("%s: %s, %q; want %s, %q", name, o.Result, o.Why, c.result, c.why)
		}
	}
	if n := k.books().Created; n != 0 {
		t.Errorf("%d tickets", n)
	}
}

// A delivery report about a test mail is filed: nobody has to look at it.
func TestReportAboutProbeIsFiled(t *testing.T) {
	k := newKit(t)
	p, err := k.store.Keys().NewProbe("desk.example", testRandom(1))
	if err != nil {
		t.Fatal(err)
	}
	o := k.receive(k.mail("mailer-daemon@desk.example", "Undelivered", "No such user", with(fieldKind, string(KindBounce)), with(fieldBounce, `{"recipients":["support+x@desk.example"],"status":"5.1.1","hard":true}`),
		func(m *Message) {
			m.Machine = []MachinePart{{Type: "message/rfc822", Data: []byte("From: support@desk.example\r\nMessage-ID: <" + p.MessageID + ">\r\n\r\ntext\r\n")}}
		}))
	if o.Result != Filed || o.Why != "a delivery report about a test mail of check --online" {
		t.Errorf("%s, %q", o.Result, o.Why)
	}
}

func TestReadKeysAndFreeBytes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	if k, err := ReadKeys(dir); k != nil || err != nil {
		t.Errorf("no desk: %v, %v", k, err)
	}
	if n, err := FreeBytes(dir); n == 0 || err != nil {
		t.Errorf("free: %d, %v", n, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKeys(dir); err == nil {
		t.Error("a damaged keyring is read")
	}
}
