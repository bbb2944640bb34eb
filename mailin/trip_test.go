package mailin_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
)

func tripMail(id string) []byte {
	return fmt.Appendf(nil, "From: desk@desk.example\r\nTo: desk@desk.example\r\nMessage-ID: <%s>\r\nSubject: test\r\nX-Canary: yes\r\n\r\ntext\r\n", id)
}

// A trip sees its own mails in the folders that are named, and removes them and nothing else.
func TestTripRemovesOnlyItsOwn(t *testing.T) {
	onServers(t, func(t *testing.T, s imapServer) {
		s.createFolder(t, "Spam")
		ids := []string{"aaaaaaaaaaaa.one@desk.example", "aaaaaaaaaaaa.two@desk.example"}
		s.deliver(t, tripMail("other@desk.example"))
		s.deliver(t, tripMail(ids[0]))
		s.deliver(t, tripMail("x"+ids[0])) // contains the id, and is another
		s.deliver(t, tripMail(ids[1]))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		told := 0
		seen, err := mailin.Trip{Mailbox: s.config(), IDs: ids, Folders: []string{"Spam", "Nowhere"}}.Await(ctx, func(mailin.Sighting) { told++ })
		if err != nil || len(seen) != 2 || told != 2 {
			t.Fatalf("seen %+v, told %d, %v", seen, told, err)
		}
		for i, x := range seen {
			if x.ID != ids[i] || x.Folder != "INBOX" || x.Left != "" || !strings.Contains(string(x.Header), "X-Canary: yes") || time.Since(x.Arrived) > time.Minute {
				t.Errorf("sighting %+v", x)
			}
		}
		left := s.messages(t, "INBOX")
		if len(left) != 2 {
			t.Fatalf("%d mails are left, want the two that are not ours", len(left))
		}
		for _, m := range left {
			if len(m.Flags) > 0 {
				t.Errorf("flags %v on somebody else's mail", m.Flags)
			}
		}
	})
}

// A mail that the desk has not read stays; one that does not come ends the wait without an error.
func TestTripWaits(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if _, err := s.Append(testUser, "INBOX", tripMail("one@desk.example"), nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	asked := 0
	trip := mailin.Trip{Mailbox: config(s.Port()), IDs: []string{"one@desk.example", "two@desk.example"}, Settled: func(_ context.Context, uid uint32) bool {
		if asked++; asked == 2 {
			cancel()
		}
		return false
	}}
	seen, err := trip.Await(ctx, func(mailin.Sighting) {})
	if err != nil || len(seen) != 1 || !strings.Contains(seen[0].Left, "the running desk has not read it yet") || asked < 2 {
		t.Errorf("seen %+v, asked %d times, %v", seen, asked, err)
	}
	if n := len(messages(t, s, "INBOX")); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// Without UIDPLUS nothing is expunged: others may have marked mails as deleted.
func TestTripWithoutUIDPlus(t *testing.T) {
	s := startServer(t, imaptest.Options{NoPlus: true, NoMove: true})
	for _, id := range []string{"mine@desk.example", "other@desk.example"} {
		if _, err := s.Append(testUser, "INBOX", tripMail(id), nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddFlags(testUser, "INBOX", 2, `\Deleted`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen, err := mailin.Trip{Mailbox: config(s.Port()), IDs: []string{"mine@desk.example"}}.Await(ctx, func(mailin.Sighting) {})
	if err != nil || len(seen) != 1 || !strings.Contains(seen[0].Left, "marked as deleted") {
		t.Errorf("seen %+v, %v", seen, err)
	}
	if n := len(messages(t, s, "INBOX")); n != 2 {
		t.Errorf("%d mails are left, want 2", n)
	}
}

func TestTripLoginRefused(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	cfg := config(s.Port())
	cfg.Password = func() (string, error) { return "wrong-Canary", nil }
	_, err := mailin.Trip{Mailbox: cfg, IDs: []string{"x@y"}}.Await(t.Context(), func(mailin.Sighting) {})
	if err == nil || !strings.Contains(err.Error(), "check user and password") || strings.Contains(err.Error(), "Canary") {
		t.Errorf("error %v", err)
	}
}

// A server with QUOTA tells how full the mailbox is (RFC 9208).
func TestProbeTellsQuota(t *testing.T) {
	if ok, err := imaptest.Available(); !ok {
		if os.Getenv("SUPPORTD_REAL_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Log(err)
		return
	}
	s := newDovecot(t, imaptest.DovecotOptions{Settings: []string{
		"mail_plugins = quota", "protocol imap {", "  mail_plugins = quota imap_quota", "}", "plugin {", "  quota = maildir:User quota", "  quota_rule = *:storage=10M", "}",
	}})
	s.deliver(t, tripMail("one@desk.example"))
	r, err := probe(t, s.config())
	if err != nil || r.QuotaLimit != 10<<20 || r.QuotaUsed < 0 || r.QuotaUsed > 10<<10 {
		t.Errorf("quota %d of %d, %v", r.QuotaUsed, r.QuotaLimit, err)
	}
}

// A desk may move a mail at the very moment before it is removed; it is found again and removed where it is then, also
// when it was marked as deleted on the way.
func TestTripFindsWhatIsMovedMeanwhile(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if err := s.CreateFolder(testUser, "Done", ""); err != nil {
		t.Fatal(err)
	}
	mail := tripMail("one@desk.example")
	uid, err := s.Append(testUser, "INBOX", mail, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	moved := false
	cfg := config(s.Port())
	cfg.MoveTo = "Done"
	trip := mailin.Trip{Mailbox: cfg, IDs: []string{"one@desk.example"}, Settled: func(_ context.Context, seen uint32) bool {
		if !moved && seen == uid {
			moved = true
			if err := s.Remove(testUser, "INBOX", uid); err != nil {
				t.Error(err)
			}
			if _, err := s.Append(testUser, "Done", mail, []string{`\Deleted`}, time.Time{}); err != nil {
				t.Error(err)
			}
		}
		return true
	}}
	seen, err := trip.Await(t.Context(), func(mailin.Sighting) {})
	if err != nil || !moved || len(seen) != 1 || seen[0].Left != "" || seen[0].Folder != "Done" {
		t.Errorf("seen %+v, %v", seen, err)
	}
	if n := len(messages(t, s, "INBOX")) + len(messages(t, s, "Done")); n != 0 {
		t.Errorf("%d mails are left", n)
	}
}
