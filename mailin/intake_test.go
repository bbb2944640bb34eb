package mailin_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

func messages(t testing.TB, s *imaptest.Server, folder string) []imaptest.Message {
	t.Helper()
	list, err := s.Messages(testUser, folder)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func uidsOf(list []imaptest.Message) []uint32 {
	var uids []uint32
	for _, m := range list {
		uids = append(uids, m.UID)
	}
	return uids
}

// eventually waits for something on the server that no receiver hears of.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after a minute", what)
		}
		<-time.After(2 * time.Millisecond) // the server has no event to wait on
	}
}

// TestSeenIsNotRead: S-002, S-003. Mail that another client has read is new to us; the flags stay as they are.
func TestSeenIsNotRead(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 3)
	if err := s.AddFlags(testUser, "INBOX", 2, `\Seen`, "$Important"); err != nil {
		t.Fatal(err)
	}
	d := newDesk()
	run(t, newPoller(s.Port(), d))
	d.waitFor(t, "messages", count(3))
	for i, want := range []string{"", `$Important \Seen`, ""} {
		if got := strings.Join(messages(t, s, "INBOX")[i].Flags, " "); got != want {
			t.Errorf("flags of UID %d: %q, want %q", i+1, got, want)
		}
	}
}

// TestTwoMailboxes: S-004. Two mailboxes with the same UIDVALIDITY and UIDs are two mailboxes; one that is dead does
// not delay the other.
func TestTwoMailboxes(t *testing.T) {
	a, b, dead := startServer(t, imaptest.Options{}), startServer(t, imaptest.Options{}), startServer(t, imaptest.Options{})
	dead.Close()
	d := newDesk()
	for i, s := range []*imaptest.Server{a, b, dead} {
		p := newPoller(s.Port(), d)
		p.Mailbox.Name = fmt.Sprint("box", i)
		if s != dead {
			if _, err := s.Append(testUser, "INBOX", mail(i), nil, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		run(t, p)
	}
	list := d.waitFor(t, "both", count(2))
	if list[0].Source.UID != 1 || list[1].Source.UID != 1 || list[0].Source.UIDValidity != list[1].Source.UIDValidity {
		t.Fatalf("not the case meant: %v %v", list[0].Source, list[1].Source)
	}
}

// TestNewUIDValidity: S-005, S-006. After a change everything is read again; known mail is known by content, and other
// mail under a known number is new.
func TestNewUIDValidity(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 500)
	d := newDesk()
	run(t, newPoller(s.Port(), d))
	d.waitFor(t, "first", count(500))
	if err := s.Remove(testUser, "INBOX", 1); err != nil {
		t.Fatal(err)
	}
	appendMails(t, s, 501, 501)
	d.waitFor(t, "501", count(501))
	if err := s.Renumber(testUser, "INBOX"); err != nil {
		t.Fatal(err)
	}
	list := d.waitFor(t, "second", count(1001))
	created := 0
	for _, k := range list {
		if k.Result == tickets.Created {
			created++
		}
	}
	if created != 501 {
		t.Errorf("created %d, want 501", created)
	}
	// S-006: under the new UIDVALIDITY, UID 1 is what was UID 2.
	if k := list[501]; k.Source.UID != 1 || string(k.Raw) != string(mail(2)) || k.Source.UIDValidity == list[0].Source.UIDValidity {
		t.Errorf("first message after the change: %v", k.Source)
	}
}

// TestLyingServer: S-007. A server that puts another message under a settled UID is found out at the next connection;
// both messages are there, and an alarm.
func TestLyingServer(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 10)
	d := newDesk()
	var log logLines
	p := newPoller(s.Port(), d)
	p.Log = log.logger()
	run(t, p)
	d.waitFor(t, "first", count(10))
	if err := s.Swap(testUser, "INBOX", 10, mail(11)); err != nil {
		t.Fatal(err)
	}
	s.DropConnections()
	list := d.waitFor(t, "again", count(20))
	created := 0
	for _, k := range list {
		if k.Result == tickets.Created {
			created++
		}
	}
	if created != 11 {
		t.Errorf("created %d, want 11", created)
	}
	if !log.has("server changed a message under its uid") {
		t.Error("no alarm")
	}
}

// TestHoles: S-009, S-010. A message that the server refuses delays nobody, is tried again, is settled as unfetchable
// after five attempts, and comes in when the server lets go of it in time.
func TestHoles(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 10)
	s.SetFaults(imaptest.Faults{Refuse: map[uint32]string{5: "disk error", 8: "disk error"}})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Timing.Retry = 20 * time.Millisecond
	p.Timing.GiveUp = 300 * time.Millisecond
	run(t, p)
	d.waitFor(t, "others", count(8))
	if h := d.holes("support"); h[5].Attempts == 0 || h[8].Attempts == 0 {
		t.Errorf("holes: %v", h)
	}
	s.SetFaults(imaptest.Faults{Refuse: map[uint32]string{5: "disk error"}})
	list := d.waitFor(t, "all", count(10))
	var uids []uint32
	for _, k := range list {
		uids = append(uids, k.Source.UID)
		if (k.Source.UID == 5) != (k.Absent == tickets.Unfetchable) {
			t.Errorf("UID %d: absent %q", k.Source.UID, k.Absent)
		}
		if k.Source.UID == 5 && (k.Result != tickets.Failed || !strings.Contains(k.Detail, "disk error")) {
			t.Errorf("UID 5: %s, %q", k.Result, k.Detail)
		}
	}
	if slices.Sort(uids); !slices.Equal(uids, []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Errorf("settled %v", uids)
	}
	if h := d.holes("support"); len(h) != 0 {
		t.Errorf("holes left: %v", h)
	}
}

// TestVanished: a message that is listed once and then never again is settled as vanished, and found if it comes back
// before.
func TestVanished(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 3)
	s.SetFaults(imaptest.Faults{Refuse: map[uint32]string{2: "try later"}})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Timing.GiveUp = 100 * time.Millisecond
	run(t, p)
	d.waitFor(t, "others", count(2))
	if err := s.Remove(testUser, "INBOX", 2); err != nil {
		t.Fatal(err)
	}
	list := d.waitFor(t, "vanished", count(3))
	if k := list[2]; k.Source.UID != 2 || k.Absent != tickets.Vanished {
		t.Errorf("settled %v as %q", k.Source, k.Absent)
	}
}

// TestReconcile: S-011. A message that the server hid, below the place, is found by the comparison.
func TestReconcile(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 10)
	s.SetFaults(imaptest.Faults{Hide: []uint32{7}})
	d := newDesk()
	p := newPoller(s.Port(), d)
	wake := make(chan struct{})
	p.Wake = wake
	p.Timing.Reconcile = time.Nanosecond
	run(t, p)
	d.waitFor(t, "others", count(9))
	for range 3 {
		wake <- struct{}{}
	}
	s.SetFaults(imaptest.Faults{})
	wake <- struct{}{}
	list := d.waitFor(t, "hidden one", count(10))
	if list[9].Source.UID != 7 {
		t.Errorf("last settled %v", list[9].Source)
	}
}

// TestQuietMailbox: S-012. The server answers n:* with its last message when there is nothing from n on.
func TestQuietMailbox(t *testing.T) {
	s := startServer(t, imaptest.Options{NoIdle: true})
	appendMails(t, s, 1, 3)
	d := newDesk()
	p := newPoller(s.Port(), d)
	wake := make(chan struct{})
	p.Wake = wake
	run(t, p)
	d.waitFor(t, "messages", count(3))
	for range 100 {
		wake <- struct{}{}
	}
	if list := d.list(); len(list) != 3 {
		t.Errorf("settled %d, want 3", len(list))
	}
	if n := s.Counts().Bodies; n != 3 {
		t.Errorf("%d bodies were fetched, want 3", n)
	}
}

// TestPollWithoutIdle: S-019. Without IDLE the mailbox is looked at in the interval.
func TestPollWithoutIdle(t *testing.T) {
	s := startServer(t, imaptest.Options{NoIdle: true})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Poll = 10 * time.Millisecond
	run(t, p)
	for i := 1; i <= 5; i++ {
		appendMails(t, s, i, i)
		d.waitFor(t, "mail", count(i))
	}
}

// TestCutLiteral: S-017 and rule 5. A connection that ends inside a body hands nothing over; in the end each message is
// there once, whole.
func TestCutLiteral(t *testing.T) {
	big := append(mail(1), strings.Repeat("0123456789abcde\n", 4096)...) // 64 KiB
	for at := 0; at < len(big); at += 1024 {
		s := startServer(t, imaptest.Options{})
		if _, err := s.Append(testUser, "INBOX", big, nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
		appendMails(t, s, 2, 3)
		s.SetFaults(imaptest.Faults{CutLiteral: at, Cuts: 1})
		d := newDesk()
		stop := run(t, newPoller(s.Port(), d))
		list := d.waitFor(t, fmt.Sprintf("cut at %d", at), count(3))
		stop()
		if len(list) != 3 || string(list[0].Raw) != string(big) {
			t.Fatalf("cut at %d: settled %s, first has %d octets", at, describe(list), len(list[0].Raw))
		}
		s.Close()
	}
}

// TestOversize: S-018. Of a message over max_size the header and a prefix are handed over; the original stays, also
// where settled mail is moved.
func TestOversize(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if err := s.CreateFolder(testUser, "Done", ""); err != nil {
		t.Fatal(err)
	}
	appendMails(t, s, 1, 1)
	huge := append(mail(2), strings.Repeat("x", 3<<20)...)
	if _, err := s.Append(testUser, "INBOX", huge, nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	appendMails(t, s, 3, 3)
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.MaxSize = 1 << 20
	p.Mailbox.After, p.Mailbox.MoveTo = mailin.AfterMove, "Done"
	run(t, p)
	list := d.waitFor(t, "all", count(3))
	k := list[1]
	if k.Absent != tickets.Oversize || k.Size != int64(len(huge)) || len(k.Raw) != 256<<10 || !strings.HasPrefix(string(huge), string(k.Raw)) {
		t.Errorf("oversize: %q, size %d, %d octets", k.Absent, k.Size, len(k.Raw))
	}
	eventually(t, "others moved", func() bool { return len(messages(t, s, "Done")) == 2 })
	if uids := uidsOf(messages(t, s, "INBOX")); !slices.Equal(uids, []uint32{2}) {
		t.Errorf("inbox has %v, want the oversize one", uids)
	}
}

// TestTooOld: S-026. Mail from before `since` is settled without its body being read, and stays where it is.
func TestTooOld(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := 1; i <= 2000; i++ {
		if _, err := s.Append(testUser, "INBOX", mail(i), nil, old.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	appendMails(t, s, 2001, 2001)
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.After = mailin.AfterFlag
	run(t, p)
	list := d.waitFor(t, "all", count(2001))
	for _, k := range list[:2000] {
		if k.Absent != tickets.TooOld || k.Raw != nil || k.Arrived.Year() > 2021 {
			t.Fatalf("%v: %q, %d octets, arrived %v", k.Source, k.Absent, len(k.Raw), k.Arrived)
		}
	}
	if n := s.Counts().Bodies; n != 1 {
		t.Errorf("%d bodies were fetched, want 1", n)
	}
	eventually(t, "flagged", func() bool { return len(messages(t, s, "INBOX")[2000].Flags) == 1 })
	if f := messages(t, s, "INBOX")[0].Flags; len(f) != 0 {
		t.Errorf("old mail was flagged: %v", f)
	}
}

// TestSinceInTheFuture: a typing error in `since` would pass over every mail in silence.
func TestSinceInTheFuture(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 1)
	d, log := newDesk(), new(logLines)
	p := newPoller(s.Port(), d)
	p.Log, p.Mailbox.Since = log.logger(), time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
	run(t, p)
	if k := d.waitFor(t, "the mail", count(1))[0]; k.Absent != tickets.TooOld {
		t.Errorf("settled as %q", k.Absent)
	}
	if !log.has("mail is passed over until the time in since") {
		t.Errorf("the log says nothing of it:\n%s", log)
	}
}

// TestFolderGone: S-022. A folder that is gone is an error state; it is not created, and found again when it is back.
func TestFolderGone(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	if err := s.CreateFolder(testUser, "Support", ""); err != nil {
		t.Fatal(err)
	}
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Folder = "Support"
	run(t, p)
	eventually(t, "connected", func() bool { return p.Status().Connected })
	if err := s.RenameFolder(testUser, "Support", "Elsewhere"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "error", func() bool {
		return strings.Contains(p.Status().Error, `folder "Support" cannot be opened`) && !p.Status().Connected
	})
	if folders, _ := s.Folders(testUser); !slices.Equal(folders, []string{"Elsewhere", "INBOX"}) {
		t.Errorf("folders: %v", folders)
	}
	if err := s.RenameFolder(testUser, "Elsewhere", "Support"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(testUser, "Support", mail(1), nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	d.waitFor(t, "mail after the folder is back", count(1))
}

// TestStoreStopped: only an error that says the store takes nothing any more ends Run.
func TestStoreStopped(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 1)
	d := newDesk()
	d.fail = fmt.Errorf("write: %w", tickets.ErrStopped)
	p := newPoller(s.Port(), d)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Run(ctx); err == nil || !strings.Contains(err.Error(), "stopped after a write error") {
		t.Errorf("Run: %v", err)
	}
}

// TestPanicInRead: a message that cannot be read is handed over all the same, and the next ones as ever.
func TestPanicInRead(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	appendMails(t, s, 1, 1)
	if _, err := s.Append(testUser, "INBOX", []byte("poison \xff\x00\x1b[31m text"), nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	appendMails(t, s, 3, 3)
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Read = func(raw []byte, at time.Time) *tickets.Message {
		if strings.HasPrefix(string(raw), "poison") {
			panic("index out of range")
		}
		return simpleRead(raw, at)
	}
	run(t, p)
	m := d.waitFor(t, "all", count(3))[1].Message
	if m.Text != "poison \uFFFD[31m text" || len(m.Defects) != 1 || !strings.Contains(m.Defects[0].What, "index out of range") || m.Identity.IsZero() {
		t.Errorf("message: %q %v", m.Text, m.Defects)
	}
}

// TestIdleLatency: mail that comes while the mailbox is quiet is seen at once, every time.
func TestIdleLatency(t *testing.T) {
	s := startServer(t, imaptest.Options{})
	d := newDesk()
	p := newPoller(s.Port(), d)
	p.Mailbox.Poll = time.Hour // only IDLE can tell
	run(t, p)
	for i := 1; i <= 300; i++ {
		appendMails(t, s, i, i)
		d.waitFor(t, "mail", count(i))
	}
}
