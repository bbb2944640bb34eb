package mailin_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// wall is what is owed to a mailbox, in memory: one ticket for each message. What failed is due again at once.
type wall struct {
	mu     sync.Mutex
	wishes map[tickets.TicketID]tickets.Mirroring
	stands map[uint64]tickets.Stand
	due    map[tickets.TicketID]bool
	reason string
	notes  int
	failAt int // the n-th note fails, as if the process ended there; 0: none does
}

var errGone = errors.New("the process ended")

// newWall knows the messages 1 to n, which stand in INBOX under their number.
func newWall(n int) *wall {
	w := &wall{wishes: map[tickets.TicketID]tickets.Mirroring{}, stands: map[uint64]tickets.Stand{}, due: map[tickets.TicketID]bool{}}
	for i := 1; i <= n; i++ {
		one := tickets.Mirrored{Message: uint64(i), MessageID: fmt.Sprintf("m%d@example.org", i), Identity: sha256.Sum256(mail(i))}
		w.wishes[tickets.TicketID(i)] = tickets.Mirroring{Ticket: tickets.TicketID(i), Prefix: "$sd-", Folders: []string{"Wartet", "Fertig"}, Messages: []tickets.Mirrored{one}}
	}
	return w
}

// at says where the messages stand, in INBOX under their number.
func (w *wall) at(validity uint32) *wall {
	for i := range w.wishes {
		w.stands[uint64(i)] = tickets.Stand{At: tickets.Spot{UIDValidity: validity, UID: uint32(i)}}
	}
	return w
}

// want changes what is to stand at a message.
func (w *wall) want(i int, folder string, answered bool, keywords ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.wishes[tickets.TicketID(i)]
	m.Change++
	m.MirrorWish = tickets.MirrorWish{Keywords: keywords, Folder: folder}
	m.Messages[0].Answered = answered
	w.wishes[m.Ticket], w.due[m.Ticket] = m, true
}

func (w *wall) Mirrorings(_ context.Context, _ string, limit int) ([]tickets.Mirroring, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []tickets.Mirroring
	for id, due := range w.due {
		if due && len(list) < limit {
			m := w.wishes[id]
			one := m.Messages[0]
			one.Stand = w.stands[one.Message]
			m.Messages = []tickets.Mirrored{one}
			list = append(list, m)
			w.due[id] = false
		}
	}
	return list, nil
}

func (w *wall) NoteStands(_ context.Context, _ string, notes []tickets.StandNote) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.notes++; w.notes == w.failAt {
		for id := range w.due {
			w.due[id] = true
		}
		return errGone
	}
	for _, n := range notes {
		if n.Looked {
			n.Seen = tickets.Spot{}
		}
		w.stands[n.Message] = n.Stand
	}
	return nil
}

func (w *wall) MirrorDone(_ context.Context, _ string, m tickets.Mirroring) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wishes[m.Ticket].Change == m.Change {
		delete(w.due, m.Ticket)
	}
	return nil
}

func (w *wall) MirrorFailed(_ context.Context, _ string, _ tickets.Mirroring, reason string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reason = reason
	return nil
}

// again makes everything due that is not done.
func (w *wall) again() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.due {
		w.due[id] = true
	}
}

// left is how much is not done; it makes that due.
func (w *wall) left() int {
	w.again()
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.due)
}

func (w *wall) stand(i int) tickets.Stand {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stands[uint64(i)]
}

func (w *wall) failed() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reason
}

func mirrorKeeper(s *imaptest.Server, w *wall) *mailin.Keeper {
	k := newKeeper(s)
	k.Mirror, k.Read = w, simpleRead
	return k
}

// mirrorServer has the folders, and the messages 1 to n in INBOX.
func mirrorServer(t *testing.T, o imaptest.Options, n int) *imaptest.Server {
	t.Helper()
	s := startServer(t, o)
	for _, name := range []string{"Wartet", "Fertig"} {
		if err := s.CreateFolder(testUser, name, ""); err != nil {
			t.Fatal(err)
		}
	}
	appendMails(t, s, 1, n)
	return s
}

// validityOf is the UIDVALIDITY of INBOX.
func validityOf(t *testing.T, s *imaptest.Server) uint32 {
	t.Helper()
	d := newDesk()
	stop := run(t, newPoller(s.Port(), d))
	list := d.waitFor(t, "a message", count(1))
	stop()
	return list[0].Source.UIDValidity
}

// flagsIn are the flags of the message in a folder, or "none" when it does not stand there once.
func flagsIn(t *testing.T, s *imaptest.Server, folder string, n int) string {
	t.Helper()
	found := []string{}
	for _, m := range messages(t, s, folder) {
		if string(m.Raw) == string(mail(n)) {
			slices.Sort(m.Flags)
			found = append(found, strings.Join(m.Flags, " "))
		}
	}
	if len(found) != 1 {
		return "none"
	}
	return found[0]
}

// TestMirrorFlags: keywords come and go with the ticket; a flag of anybody else's is never touched, and \Answered is never
// taken away.
func TestMirrorFlags(t *testing.T) {
	s := mirrorServer(t, imaptest.Options{}, 0)
	if _, err := s.Append(testUser, "INBOX", mail(1), []string{`\Seen`, `\Flagged`, "$Forwarded", "Wichtig", "$sd-new", "$SD-tier-1"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	appendMails(t, s, 2, 3)
	w := newWall(3).at(validityOf(t, s))
	w.want(1, "", false, "$sd-open", "$sd-tier-1")
	w.want(2, "", true, "$sd-open")
	keep(t, mirrorKeeper(s, w))
	eventually(t, "the flags", func() bool { return w.left() == 0 })
	if got := flagsIn(t, s, "INBOX", 1); !strings.EqualFold(got, `$Forwarded $sd-open $SD-tier-1 Wichtig \Flagged \Seen`) && len(strings.Fields(got)) != 6 {
		t.Errorf("flags of 1: %s", got)
	}
	if got := flagsIn(t, s, "INBOX", 2); !strings.EqualFold(got, `$sd-open \Answered`) {
		t.Errorf("flags of 2: %s", got)
	}
	w.want(1, "", false)
	w.want(2, "", false, "$sd-solved")
	eventually(t, "the flags", func() bool { return w.left() == 0 })
	if got := flagsIn(t, s, "INBOX", 1); strings.Contains(strings.ToLower(got), "$sd-") || !strings.Contains(got, "Wichtig") {
		t.Errorf("flags of 1: %s", got)
	}
	if got := flagsIn(t, s, "INBOX", 2); !strings.EqualFold(got, `$sd-solved \Answered`) {
		t.Errorf("flags of 2: %s", got)
	}
	if got := flagsIn(t, s, "INBOX", 3); got != "" {
		t.Errorf("flags of 3, of which nothing is wanted: %s", got)
	}
	if put := w.stand(2).Put; put == nil || !slices.Equal(put.Keywords, []string{"$sd-solved"}) {
		t.Errorf("noted: %+v", put)
	}
}

// TestMirrorNoKeywords: a server that keeps no keywords is told of once, and gets the rest.
func TestMirrorNoKeywords(t *testing.T) {
	s := mirrorServer(t, imaptest.Options{NoKeywords: true}, 2)
	w := newWall(2).at(validityOf(t, s))
	k := mirrorKeeper(s, w)
	log := &logLines{}
	k.Log = log.logger()
	keep(t, k)
	for _, state := range []string{"$sd-open", "$sd-solved"} {
		w.want(1, "", true, state)
		w.want(2, "Fertig", false, state)
		eventually(t, "the rest", func() bool { return w.left() == 0 })
	}
	if got := flagsIn(t, s, "INBOX", 1); got != `\Answered` {
		t.Errorf("flags %s", got)
	}
	if got := flagsIn(t, s, "Fertig", 2); got != "" {
		t.Errorf("in Fertig: %s", got)
	}
	if c := k.MirrorStatus().Cannot; len(c) != 1 || !strings.Contains(c[0], "keeps no keywords") {
		t.Errorf("told: %v", c)
	}
	if n := strings.Count(log.String(), "tickets are not shown whole"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestMirrorReadOnly: a mailbox that cannot be changed fails what is owed, with the server's words, until it can be.
func TestMirrorReadOnly(t *testing.T) {
	s := mirrorServer(t, imaptest.Options{}, 2)
	w := newWall(2).at(validityOf(t, s))
	s.SetFaults(imaptest.Faults{ReadOnly: "you may only look"})
	w.want(1, "", false, "$sd-open")
	w.want(2, "Fertig", false)
	k := mirrorKeeper(s, w)
	keep(t, k)
	eventually(t, "the refusal to be told", func() bool {
		return strings.Contains(w.failed(), "you may only look")
	})
	s.SetFaults(imaptest.Faults{})
	eventually(t, "what was owed", func() bool { return w.left() == 0 && k.MirrorStatus().Error == "" })
	if flagsIn(t, s, "INBOX", 1) != "$sd-open" || flagsIn(t, s, "Fertig", 2) != "" {
		t.Error("it is not what was wanted")
	}
}

// TestMirrorMoves: messages move along with their tickets, with each way that servers have, and back; who is marked as deleted
// stays, and nothing of anybody else's is removed.
func TestMirrorMoves(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     imaptest.Options
		moves bool
	}{
		{"move", imaptest.Options{}, true},
		{"move without uidplus", imaptest.Options{NoPlus: true}, true},
		{"uidplus only", imaptest.Options{NoMove: true}, true},
		{"neither", imaptest.Options{NoMove: true, NoPlus: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mirrorServer(t, c.o, 4)
			validity := validityOf(t, s)
			for _, folder := range []string{"INBOX", "Fertig"} {
				if _, err := s.Append(testUser, folder, mail(9), []string{`\Deleted`}, time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
			w := newWall(4).at(validity)
			for i := 1; i <= 4; i++ {
				w.want(i, "Fertig", false, "$sd-solved")
			}
			w.want(4, "", false, "$sd-open")
			k := mirrorKeeper(s, w)
			keep(t, k)
			eventually(t, "the moves", func() bool { return w.left() == 0 })
			where := map[bool]string{true: "Fertig", false: "INBOX"}[c.moves]
			for i := 1; i <= 3; i++ {
				if got := flagsIn(t, s, where, i); got != "$sd-solved" {
					t.Errorf("message %d in %s: %s", i, where, got)
				}
			}
			if !c.moves {
				if list := k.MirrorStatus().Cannot; len(list) != 1 || !strings.Contains(list[0], "neither MOVE") {
					t.Errorf("told: %v", list)
				}
				return
			}
			if n := len(messages(t, s, "INBOX")); n != 2 {
				t.Errorf("%d messages left in INBOX, want 2", n)
			}
			if at := w.stand(1); at.At.Folder != "Fertig" || at.To != nil {
				t.Errorf("noted: %+v", at)
			}
			w.want(1, "", false, "$sd-open") // reopened: home
			w.want(2, "Wartet", false, "$sd-waiting_customer")
			eventually(t, "the moves back", func() bool { return w.left() == 0 })
			if flagsIn(t, s, "INBOX", 1) != "$sd-open" || flagsIn(t, s, "Wartet", 2) != "$sd-waiting_customer" || len(messages(t, s, "Fertig")) != 2 {
				t.Errorf("INBOX %v, Wartet %v, Fertig %v", uidsOf(messages(t, s, "INBOX")), uidsOf(messages(t, s, "Wartet")), uidsOf(messages(t, s, "Fertig")))
			}
			if n := s.Counts().PlainExpunges; n != 0 || flagsIn(t, s, "INBOX", 9) == "none" || flagsIn(t, s, "Fertig", 9) == "none" {
				t.Errorf("%d plain EXPUNGEs, or somebody else's mail is gone", n)
			}
		})
	}
}

// TestMirrorMissingFolder: a folder that is missing fails the moves into it and nothing else, until it is there.
func TestMirrorMissingFolder(t *testing.T) {
	s := mirrorServer(t, imaptest.Options{}, 2)
	w := newWall(2).at(validityOf(t, s))
	w.want(1, "Fehlt", false, "$sd-open")
	w.want(2, "Fertig", false, "$sd-solved")
	keep(t, mirrorKeeper(s, w))
	eventually(t, "the missing folder to be told", func() bool { return strings.Contains(w.failed(), `folder "Fehlt" cannot be opened`) })
	if err := s.CreateFolder(testUser, "Fehlt", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was owed", func() bool { return w.left() == 0 })
	if flagsIn(t, s, "Fehlt", 1) != "$sd-open" || flagsIn(t, s, "Fertig", 2) != "$sd-solved" {
		t.Error("the messages are not where they belong")
	}
}

// TestMirrorElsewhere: what a person moved is left alone, until it comes up where the desk looks; what was filed by the desk
// itself, or numbered anew, is found by its content, and no other mail with its Message-ID is taken for it.
func TestMirrorElsewhere(t *testing.T) {
	s := mirrorServer(t, imaptest.Options{}, 4)
	if err := s.CreateFolder(testUser, "Done", ""); err != nil {
		t.Fatal(err)
	}
	w := newWall(4).at(validityOf(t, s))
	client := imaptest.Client{Addr: fmt.Sprintf("127.0.0.1:%d", s.Port()), User: testUser, Password: testPassword}
	forged := []byte(strings.Replace(string(mail(1)), "Text 1", "Text 7", 1))
	if _, err := s.Append(testUser, "Done", forged, nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for uid, folder := range map[uint32]string{1: "Done", 2: "Fertig"} { // 1: as filing does; 2: as a person does
		if err := client.Move("INBOX", uid, folder); err != nil {
			t.Fatal(err)
		}
	}
	k := mirrorKeeper(s, w)
	k.Mailbox.After, k.Mailbox.MoveTo = mailin.AfterMove, "Done"
	for i := 1; i <= 3; i++ {
		w.want(i, "Wartet", false, "$sd-open")
	}
	keep(t, k)
	eventually(t, "what was owed", func() bool { return w.left() == 0 })
	if got := flagsIn(t, s, "Wartet", 1); got != "$sd-open" || len(messages(t, s, "Done")) != 1 {
		t.Errorf("what was filed: %s", got)
	}
	if got := flagsIn(t, s, "Fertig", 2); got != "" || !w.stand(2).Lost {
		t.Errorf("what a person moved: %s, %+v", got, w.stand(2))
	}
	// It comes back: the desk sees it under another UID.
	if err := client.Move("Fertig", messages(t, s, "Fertig")[0].UID, "INBOX"); err != nil {
		t.Fatal(err)
	}
	list := messages(t, s, "INBOX")
	w.mu.Lock()
	stand := w.stands[2]
	stand.Seen = tickets.Spot{UIDValidity: w.stands[4].At.UIDValidity, UID: list[len(list)-1].UID}
	w.stands[2] = stand
	w.mu.Unlock()
	w.want(2, "Wartet", false, "$sd-open")
	eventually(t, "what came back", func() bool { return w.left() == 0 })
	if got := flagsIn(t, s, "Wartet", 2); got != "$sd-open" || w.stand(2).Lost {
		t.Errorf("what came back: %s, %+v", got, w.stand(2))
	}
	// A folder is numbered anew: what stands there is found by its content.
	if err := s.Renumber(testUser, "INBOX"); err != nil {
		t.Fatal(err)
	}
	w.want(4, "", true, "$sd-open")
	eventually(t, "what was numbered anew", func() bool { return w.left() == 0 })
	if got := flagsIn(t, s, "INBOX", 4); got != `$sd-open \Answered` || w.stand(4).At.UID == 4 {
		t.Errorf("what was numbered anew: %s, %+v", got, w.stand(4))
	}
}

// TestMirrorInterrupted: wherever the connection ends, and wherever the process does, each message ends in one place, with
// what was wanted at it, and nobody else's mail is touched. S-024
func TestMirrorInterrupted(t *testing.T) {
	for name, o := range map[string]imaptest.Options{"move": {}, "move without uidplus": {NoPlus: true}, "uidplus only": {NoMove: true}} {
		t.Run(name, func(t *testing.T) {
			for n := 1; ; n++ {
				if !interrupted(t, o, n, 0) {
					if n < 10 {
						t.Errorf("only %d places to end a connection at", n)
					}
					break
				}
			}
			for n := 1; n <= 4; n++ {
				interrupted(t, o, 0, n)
			}
		})
	}
}

// interrupted ends the connection in place of the server's n-th words, or fails the n-th note. It reports false when nothing
// was left to be interrupted.
func interrupted(t *testing.T, o imaptest.Options, words, note int) bool {
	t.Helper()
	s := mirrorServer(t, o, 3)
	defer s.Close()
	if _, err := s.Append(testUser, "INBOX", mail(9), []string{`\Deleted`}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	w := newWall(3).at(validityOf(t, s))
	w.failAt = note
	for i := 1; i <= 3; i++ {
		w.want(i, "Fertig", true, "$sd-solved")
	}
	s.SetFaults(imaptest.Faults{CutWrites: words})
	stop := keep(t, mirrorKeeper(s, w))
	eventually(t, fmt.Sprintf("what was owed, interrupted at %d, %d", words, note), func() bool { return w.left() == 0 })
	stop()
	for i := 1; i <= 3; i++ {
		if got := flagsIn(t, s, "Fertig", i); got != `$sd-solved \Answered` || w.stand(i).At.Folder != "Fertig" || w.stand(i).To != nil {
			t.Errorf("interrupted at %d, %d: message %d in Fertig: %s, %+v", words, note, i, got, w.stand(i))
		}
	}
	if list := messages(t, s, "INBOX"); len(list) != 1 || s.Counts().PlainExpunges != 0 {
		t.Errorf("interrupted at %d, %d: INBOX holds %v", words, note, uidsOf(list))
	}
	return s.Counts().CutWrites > 0
}

// TestProbeMirror: what check --online says of what messages are to show.
func TestProbeMirror(t *testing.T) {
	all := &tickets.Mirror{Answered: true, Prefix: "$sd-", Show: []string{"state"}, Folders: []tickets.MirrorFolder{{State: "open", Folder: "Wartett"}, {State: "new", Folder: "Wartett"}}}
	for _, c := range []struct {
		o    imaptest.Options
		want []string
	}{
		{imaptest.Options{}, []string{`mirror: there is no folder "Wartett": create it, or write "Wartet"`}},
		{imaptest.Options{NoKeywords: true, NoMove: true, NoPlus: true}, []string{`mirror: there is no folder "Wartett": create it, or write "Wartet"`,
			"mirror: the server can neither MOVE nor expunge single messages (UIDPLUS): messages will stay in their folder",
			"mirror: the server keeps no keywords: messages will go without"}},
	} {
		s := mirrorServer(t, c.o, 1)
		cfg := config(s.Port())
		cfg.Mirrored = all
		if r, err := probe(t, cfg); err != nil || !slices.Equal(r.Problems, c.want) {
			t.Errorf("%+v: %q, %v", c.o, r.Problems, err)
		}
	}
}
