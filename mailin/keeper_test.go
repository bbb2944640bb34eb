package mailin_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

func newKeeper(s *imaptest.Server, follow ...*mailin.Followed) *mailin.Keeper {
	c := config(s.Port())
	c.Poll = 20 * time.Millisecond
	return &mailin.Keeper{Mailbox: c, Follow: follow, Timing: fast()}
}

// keep runs a Keeper until the test or what is returned ends it.
func keep(t testing.TB, k *mailin.Keeper) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("keeper ended with: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func put(t testing.TB, s *imaptest.Server, folder string, n int) {
	t.Helper()
	if _, err := s.Append(testUser, folder, mail(n), nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// TestKeeperReadsFolders: several folders on one connection; one is found by its use, and one that is missing keeps
// nobody waiting. A message that is seen twice, because the folder was numbered anew, is a duplicate.
func TestKeeperReadsFolders(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	for folder, use := range map[string]string{"Gesendete Objekte": `\Sent`, "Ordner": ""} {
		if err := s.CreateFolder(testUser, folder, use); err != nil {
			t.Fatal(err)
		}
	}
	d := newDesk()
	missing := &mailin.Followed{Name: "none", Folder: "Nirgends", To: d, Read: simpleRead}
	sent := &mailin.Followed{Name: "sent:support", Folder: `\Sent`, To: d, Read: simpleRead}
	other := &mailin.Followed{Name: "other", Folder: "Ordner", To: d, Read: simpleRead}
	if got := sent.Status(); got.Name != "sent:support" || got.Connected {
		t.Errorf("status before: %+v", got)
	}
	stop := keep(t, newKeeper(s, other, missing, sent))
	put(t, s, "Gesendete Objekte", 1)
	put(t, s, "Ordner", 2)
	d.waitFor(t, "both mails", count(2))
	eventually(t, "the missing folder to be told", func() bool {
		return strings.Contains(missing.Status().Error, `folder "Nirgends" cannot be opened`) && sent.Status().Connected
	})
	if n := s.Counts().Logins; n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	if err := s.Renumber(testUser, "Gesendete Objekte"); err != nil {
		t.Fatal(err)
	}
	s.DropConnections()
	list := d.waitFor(t, "the mail again", count(3))
	if k := list[2]; k.Result != tickets.Duplicate || k.Source.Mailbox != "sent:support" {
		t.Errorf("%v is %s, want a duplicate", k.Source, k.Result)
	}
	stop()
	if sent.Status().Connected {
		t.Error("connected after the end")
	}
}

// TestKeeperIdles: news of the last folder is heard at once.
func TestKeeperIdles(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if err := s.CreateFolder(testUser, "Sent", ""); err != nil {
		t.Fatal(err)
	}
	d := newDesk()
	k := newKeeper(s, &mailin.Followed{Name: "sent:support", Folder: "Sent", To: d, Read: simpleRead})
	k.Mailbox.Poll = time.Hour
	keep(t, k)
	for i := 1; i <= 3; i++ {
		put(t, s, "Sent", i)
		d.waitFor(t, "the mail", count(i))
	}
}

// TestLook: a look at the mailbox is over when all that was there is settled, and ends with its context while there is no
// connection.
func TestLook(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Poll = time.Hour
	run(t, p)
	for i := 1; i <= 20; i++ {
		put(t, s, "INBOX", i)
		if err := p.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(d.list()); n != i {
			t.Fatalf("after a look %d messages are settled, want %d", n, i)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := newPoller(s.Port(), d).Look(ctx); err == nil {
		t.Error("a Poller that does not run has looked")
	}
}

// TestProbeSent: what check --online says of the folder for sent mail.
func TestProbeSent(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if err := s.CreateFolder(testUser, "Gesendet", ""); err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[string]string{"Gesendet": "", `\Sent`: "write its name", "Gesendete": `or write "Gesendet"`} {
		cfg := config(s.Port())
		cfg.Sent = sent
		r, err := probe(t, cfg)
		if got := strings.Join(r.Problems, "; "); err != nil || want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("sent: %s: %q, %v; want %q", sent, got, err, want)
		}
	}
}
