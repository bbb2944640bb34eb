package imaptest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"supportd/mailin/imaptest"
)

const user, password = "desk@example.net", "secret"

func start(t *testing.T, o imaptest.Options) *imaptest.Server {
	t.Helper()
	s, err := imaptest.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.AddUser(user, password)
	return s
}

func put(t *testing.T, s *imaptest.Server, subject string, flags ...string) uint32 {
	t.Helper()
	raw := fmt.Sprintf("From: a@example.org\r\nSubject: %s\r\nDate: Tue, 3 Mar 2026 10:00:00 +0000\r\n\r\nHello World\r\n", subject)
	uid, err := s.Append(user, "inbox", []byte(raw), flags, time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return uid
}

// openInbox is a client that has a folder open.
func openInbox(t *testing.T, s *imaptest.Server, handler *imapclient.UnilateralDataHandler) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(s.Addr(), &imapclient.Options{UnilateralDataHandler: handler})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSearch(t *testing.T) {
	s := start(t, imaptest.Options{})
	put(t, s, "Printer on fire", `\Seen`)
	put(t, s, "Password lost", `\Seen`, "$Done")
	put(t, s, "printer again")
	c := openInbox(t, s, nil)
	day := func(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }
	for name, k := range map[string]struct {
		criteria imap.SearchCriteria
		want     string
	}{
		"all":      {imap.SearchCriteria{}, "1:3"},
		"flag":     {imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}, "1:2"},
		"not flag": {imap.SearchCriteria{NotFlag: []imap.Flag{"$DONE"}}, "1,3"},
		"header":   {imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: "PRINTER"}}}, "1,3"},
		"body":     {imap.SearchCriteria{Body: []string{"hello"}}, "1:3"},
		"not body": {imap.SearchCriteria{Body: []string{"printer"}}, ""},
		"text":     {imap.SearchCriteria{Text: []string{"lost"}}, "2"},
		"since":    {imap.SearchCriteria{Since: day(3)}, "1:3"},
		"since 4":  {imap.SearchCriteria{Since: day(4)}, ""},
		"before":   {imap.SearchCriteria{Before: day(3)}, ""},
		"sent":     {imap.SearchCriteria{SentSince: day(3), SentBefore: day(4)}, "1:3"},
		"uid":      {imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 2, Stop: 0}}}}, "2:3"},
		"beyond":   {imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 9, Stop: 0}}}}, "3"},
		"seq":      {imap.SearchCriteria{SeqNum: []imap.SeqSet{{{Start: 1, Stop: 2}}}}, "1:2"},
		"not":      {imap.SearchCriteria{Not: []imap.SearchCriteria{{Text: []string{"lost"}}}}, "1,3"},
		"or":       {imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{{Text: []string{"lost"}}, {Text: []string{"fire"}}}}}, "1:2"},
		"larger":   {imap.SearchCriteria{Larger: 10000}, ""},
		"smaller":  {imap.SearchCriteria{Smaller: 10000}, "1:3"},
	} {
		data, err := c.UIDSearch(&k.criteria, nil).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if got := data.All.String(); got != k.want {
			t.Errorf("%s: %q, want %q", name, got, k.want)
		}
	}
}

func TestClientCommands(t *testing.T) {
	s := start(t, imaptest.Options{})
	if err := s.CreateFolder(user, "Spam", `\Junk`); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		put(t, s, fmt.Sprint("mail ", i+1))
	}
	c := openInbox(t, s, nil)
	wait := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	wait("create", c.Create("Done", nil).Wait())
	wait("rename", c.Rename("Done", "Finished", nil).Wait())
	wait("subscribe", c.Subscribe("Finished").Wait())
	list, err := c.List("", "*", &imap.ListOptions{ReturnSpecialUse: true, ReturnStatus: &imap.StatusOptions{NumMessages: true}}).Collect()
	wait("list", err)
	if len(list) != 3 || list[2].Mailbox != "Spam" || !slices.Contains(list[2].Attrs, imap.MailboxAttrJunk) || *list[1].Status.NumMessages != 4 {
		t.Errorf("list: %+v", list)
	}
	_, err = c.Move(imap.UIDSetNum(1), "Finished").Wait()
	wait("move", err)
	copied, err := c.Copy(imap.UIDSetNum(2), "Finished").Wait()
	wait("copy", err)
	if copied.DestUIDs.String() != "2" {
		t.Errorf("copied to %v", copied.DestUIDs)
	}
	wait("store", c.Store(imap.UIDSetNum(3), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
	wait("expunge", c.UIDExpunge(imap.UIDSetNum(2, 3)).Close())
	fetched, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, Envelope: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
		BodySection: []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader}},
	}).Collect()
	wait("fetch", err)
	if len(fetched) != 2 || fetched[0].UID != 2 || fetched[1].UID != 4 || fetched[1].Envelope.Subject != "mail 4" || fetched[1].BodyStructure.MediaType() != "text/plain" {
		t.Errorf("fetched %+v", fetched)
	}
	got, err := s.Messages(user, "INBOX")
	wait("messages", err)
	if len(got) != 2 || !slices.Equal(got[0].Flags, []string{`\Seen`}) {
		t.Errorf("messages %+v: BODY[] without PEEK sets \\Seen", got)
	}
	wait("delete", c.Delete("Finished").Wait())
	if folders, _ := s.Folders(user); !slices.Equal(folders, []string{"INBOX", "Spam"}) {
		t.Errorf("folders %v", folders)
	}
}

// TestCapabilities: a server without MOVE, UIDPLUS and IDLE says so.
func TestCapabilities(t *testing.T) {
	for _, o := range []imaptest.Options{{}, {NoMove: true}, {NoPlus: true}, {NoIdle: true}, {NoMove: true, NoPlus: true, NoIdle: true}} {
		caps := openInbox(t, start(t, o), nil).Caps()
		if caps.Has(imap.CapMove) == o.NoMove || caps.Has(imap.CapUIDPlus) == o.NoPlus || caps.Has(imap.CapIdle) == o.NoIdle {
			t.Errorf("%+v: %v", o, caps)
		}
	}
}

// TestIdleLosesNothing: mail that comes at the moment IDLE begins is told.
func TestIdleLosesNothing(t *testing.T) {
	s := start(t, imaptest.Options{})
	news := make(chan uint32, 10)
	c := openInbox(t, s, &imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
		if d.NumMessages != nil {
			news <- *d.NumMessages
		}
	}})
	for i := range uint32(300) {
		go s.Append(user, "INBOX", []byte("Subject: x\r\n\r\n"), nil, time.Time{})
		idle, err := c.Idle()
		if err != nil {
			t.Fatal(err)
		}
		select {
		case n := <-news:
			if n != i+1 {
				t.Fatalf("told of %d messages, want %d", n, i+1)
			}
		case <-time.After(time.Minute):
			t.Fatalf("mail %d was not told", i+1)
		}
		if err := idle.Close(); err != nil {
			t.Fatal(err)
		}
		if err := idle.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAppendWhileFetchIsStuck: a client that does not read what it asked for stops nobody.
func TestAppendWhileFetchIsStuck(t *testing.T) {
	s := start(t, imaptest.Options{})
	big := []byte("Subject: big\r\n\r\n" + strings.Repeat("x", 8<<20))
	for range 4 {
		if _, err := s.Append(user, "INBOX", big, nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "a LOGIN %s %s\r\nb SELECT INBOX\r\nc FETCH 1:* (BODY.PEEK[])\r\n", user, password)
	br := bufio.NewReader(conn)
	for line := ""; !strings.Contains(line, "BODY[]"); {
		if line, err = br.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.Append(user, "INBOX", big, nil, time.Time{})
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Append waits for a client that does not read")
	}
	if _, err := io.CopyN(io.Discard, br, 1<<20); err != nil {
		t.Errorf("the FETCH did not go on: %v", err)
	}
}

func TestErrors(t *testing.T) {
	s := start(t, imaptest.Options{})
	for name, err := range map[string]error{
		"append":  second(s.Append("nobody", "INBOX", nil, nil, time.Time{})),
		"folder":  second(s.Messages(user, "Nowhere")),
		"folders": second(s.Folders("nobody")),
		"create":  s.CreateFolder(user, "inbox", ""),
		"remove":  s.Remove(user, "INBOX", 5),
		"flags":   s.AddFlags(user, "INBOX", 5, `\Seen`),
		"swap":    s.Swap(user, "INBOX", 5, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }
