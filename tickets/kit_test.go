package tickets

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"supportd/tickets/clock"
)

// The kit: a desk on a real store in a temporary directory, with a clock that only tests move, and with fakes at the
// three places where other rooms come in. The fakes put every field of what they are given into the mail, so that a
// canary that is missing from a mail was missing from the view.

const (
	deskAddress = "support@desk.example"
	anna        = "anna@staff.example"
	ben         = "ben@staff.example"
	lea         = "lea@staff.example"
	admin       = "admin@staff.example"
	teamCopy    = "first@staff.example"
	kunde       = "kunde@customer.example"
	kollegin    = "kollegin@customer.example"
	stranger    = "fremd@elsewhere.example"
)

func isStaff(address string) bool { return strings.HasSuffix(address, "@staff.example") }

func testRules() *Rules {
	agents := map[string]Agent{
		anna: {Address: anna, Name: "Anna Agentin", Language: "de"},
		ben:  {Address: ben, Name: "Ben Agent", Language: "en"},
		lea:  {Address: lea, Name: "Lea Leiterin", Language: "de"},
	}
	return &Rules{
		Rev: "rev1", Zone: time.UTC, Languages: []string{"de", "en"},
		Brands:    map[string]Brand{"nordwind": {Name: "nordwind", Desk: "Nordwind Service", From: Address{Name: "Nordwind Service", Mail: deskAddress}, Server: "smtp", Prefix: "NW", Plus: true}},
		Mailboxes: map[string]Intake{"support": {Brand: "nordwind", MaxSize: 25 << 20}},
		Teams: map[string]Team{
			"first":  {Name: "first", Tier: 1, Lead: lea, Address: teamCopy, Members: []string{anna, ben}},
			"second": {Name: "second", Tier: 2, Members: []string{lea}},
		},
		Agents: agents, DefaultTeam: "first", Admin: admin,
		CloseAfter: 7 * 24 * time.Hour, ReopenWithin: 14 * 24 * time.Hour, Undo: 10 * time.Second, Limits: DefaultLimits(),
		SLA: DefaultSLA(), DefaultLevel: "standard",
		Levels: map[string]Level{"standard": {Name: "standard", Targets: map[string]Targets{"": {Times: map[clock.Kind]time.Duration{
			clock.FirstResponse: 4 * time.Hour, clock.Resolve: 24 * time.Hour}}}}},
		Escalations: []Escalation{{Name: "default", Steps: map[clock.Kind][]Step{
			clock.FirstResponse: {{Percent: 75, Notify: []string{"team"}}, {Percent: 100, Notify: []string{"team_lead"}}},
			clock.Resolve:       {{Percent: 50, Notify: []string{"assignee"}}, {Percent: 150, Notify: []string{"admin"}}},
		}}},
		Calendar:   AroundTheClock{},
		Answers:    map[string]Answer{"vpn": {Name: "vpn", Text: map[string]string{"de": "So geht das VPN.", "": "This is how the VPN works."}}},
		Classifier: fakeClassifier{}, Renderer: fakeRenderer{}, Composer: fakeComposer{},
	}
}

// kit is one desk and what tests do with it.
type kit struct {
	testing.TB
	dir   string
	clock *fakeClock
	rules *Rules
	store *Store
	desk  *Desk
	files map[string][]File // by Message-ID: what Desk.Files returns
	uid   uint32
	made  int
}

const testValidity = 7

func newKit(t testing.TB, change ...func(*Rules)) *kit {
	t.Helper()
	k := &kit{TB: t, dir: t.TempDir(), clock: &fakeClock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}, rules: testRules(), files: map[string][]File{}}
	for _, c := range change {
		c(k.rules)
	}
	k.open()
	t.Cleanup(func() { k.store.Close() })
	k.place(testValidity)
	return k
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (k *kit) options() Options { return Options{Now: k.clock.Now, Random: testRandom(1)} }

func (k *kit) open() {
	k.Helper()
	var err error
	if k.store, err = OpenStore(k.dir, k.options()); err != nil {
		k.Fatalf("open the store: %v", err)
	}
	k.desk = NewDesk(k.store, k.rules, k.clock.Now, quiet())
	k.desk.Read = readTestMessage
	k.desk.Files = func(raw []byte) []File {
		if m := readTestMessage(raw, time.Time{}); m != nil {
			return k.files[m.ID]
		}
		return nil
	}
}

// reopen closes the store and opens it again, as a restart does.
func (k *kit) reopen() {
	k.Helper()
	if err := k.store.Close(); err != nil {
		k.Fatalf("close the store: %v", err)
	}
	k.open()
}

func (k *kit) place(validity uint32) Place {
	k.Helper()
	p, err := k.desk.Place(context.Background(), "support", validity)
	if err != nil {
		k.Fatalf("place: %v", err)
	}
	return p
}

// readTestMessage reads what rawOf wrote.
func readTestMessage(raw []byte, _ time.Time) *Message {
	var m Message
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil
	}
	return &m
}

func rawOf(m *Message) []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// mail makes a person's mail to the desk, authenticated and with a return path.
func (k *kit) mail(from, subject, text string, change ...func(*Message)) *Message {
	k.made++
	m := &Message{
		ID: fmt.Sprintf("m%d@%s", k.made, from[strings.LastIndexByte(from, '@')+1:]), From: []Address{{Name: "Name of " + from, Mail: from}}, Author: from,
		To: []Address{{Mail: deskAddress}}, ReturnPath: from, Subject: subject, Date: k.clock.Now(),
		Text: text, Reply: text, Language: Language{Code: "de", Confidence: 1},
	}
	for _, c := range change {
		c(m)
	}
	m.Identity = sha256.Sum256(fmt.Append(nil, m.ID, m.From, m.Subject, m.Text, m.Date.Unix()))
	m.Size = int64(len(text))
	return m
}

// with adds a header field.
func with(name, value string) func(*Message) {
	return func(m *Message) { m.Fields = append(m.Fields, Field{name, value}) }
}

func unauthenticated(m *Message) { with(fieldAuth, string(AuthNone))(m) }
func itoa(n int) string          { return strconv.Itoa(n) }

func forged(m *Message)    { with(fieldAuth, string(AuthFail))(m) }
func autoReply(m *Message) { with(fieldKind, string(KindAutoReply))(m) }

// incoming gives a message the next UID.
func (k *kit) incoming(m *Message) Incoming {
	k.uid++
	return Incoming{Source: Source{"support", testValidity, k.uid}, Arrived: k.clock.Now(), Size: m.Size, Raw: rawOf(m), Message: m}
}

func (k *kit) receive(m *Message) Outcome {
	k.Helper()
	return k.receiveAll(k.incoming(m))[0]
}

func (k *kit) receiveAll(in ...Incoming) []Outcome {
	k.Helper()
	out, err := k.desk.Receive(context.Background(), batchOf(in...))
	if err != nil {
		k.Fatalf("receive: %v", err)
	}
	return out
}

func batchOf(in ...Incoming) Batch {
	last := in[len(in)-1].Source
	return Batch{Mailbox: last.Mailbox, UIDValidity: last.UIDValidity, Messages: in, Through: last.UID}
}

// delivered is one mail that left the desk.
type delivered struct {
	Outgoing
	Letter Letter
}

// deliver sends everything that is due now, and returns it.
func (k *kit) deliver() []delivered {
	k.Helper()
	var all []delivered
	ctx := context.Background()
	for {
		due, _, err := k.desk.Due(ctx, k.clock.Now(), 50)
		if err != nil {
			k.Fatalf("due: %v", err)
		}
		if len(due) == 0 {
			return all
		}
		var attempts []Attempt
		var ends []Delivery
		for _, o := range due {
			d := delivered{Outgoing: o}
			if err := json.Unmarshal(o.Bytes, &d.Letter); err != nil {
				k.Fatalf("mail %d in the outbox cannot be read: %v", o.ID, err)
			}
			all = append(all, d)
			attempts = append(attempts, Attempt{ID: o.ID, At: k.clock.Now(), Next: k.clock.Now().Add(time.Hour)})
			ends = append(ends, Delivery{ID: o.ID, At: k.clock.Now(), Result: ResultSent})
		}
		if err := k.desk.Attempt(ctx, attempts); err != nil {
			k.Fatalf("attempt: %v", err)
		}
		if err := k.desk.Settle(ctx, ends); err != nil {
			k.Fatalf("settle: %v", err)
		}
	}
}

// afterUndo lets the undo window pass and delivers.
func (k *kit) afterUndo() []delivered {
	k.Helper()
	k.clock.move(k.rules.Undo)
	return k.deliver()
}

// mailTo returns the one mail to the address with that template.
func mailTo(t testing.TB, all []delivered, address, template string) delivered {
	t.Helper()
	var found []delivered
	for _, d := range all {
		if d.Recipient == address && d.Template == template {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d mails %q to %s, want 1, of: %s", len(found), template, address, summary(all))
	}
	return found[0]
}

// to returns all mails to an address.
func to(all []delivered, address string) []delivered {
	return slices.DeleteFunc(slices.Clone(all), func(d delivered) bool { return d.Recipient != address })
}

// outside returns the mails that leave the house.
func outside(all []delivered) []delivered {
	return slices.DeleteFunc(slices.Clone(all), func(d delivered) bool { return isStaff(d.Recipient) })
}

func summary(all []delivered) string {
	var s []string
	for _, d := range all {
		s = append(s, d.Template+" to "+d.Recipient)
	}
	return strings.Join(s, "; ")
}

// reply answers a mail of the desk as a mail client does: to its Reply-To, with its Message-ID in the threading fields.
func (k *kit) reply(d delivered, from, text string, change ...func(*Message)) *Message {
	return k.mail(from, "Re: "+d.Letter.Subject, text, append([]func(*Message){func(m *Message) {
		m.To = []Address{d.Letter.ReplyTo}
		m.InReplyTo = []string{d.Letter.MessageID}
		m.References = append(slices.Clone(d.Letter.References), d.Letter.MessageID)
	}}, change...)...)
}

func (k *kit) ticket(id TicketID) *Ticket {
	k.Helper()
	var t *Ticket
	if err := k.store.View(func(tx *Tx) (err error) { t, err = tx.Ticket(id); return err }); err != nil {
		k.Fatalf("ticket %d: %v", id, err)
	}
	return t
}

func (k *kit) entries(id TicketID) []Entry {
	k.Helper()
	var e []Entry
	if err := k.store.View(func(tx *Tx) (err error) { e, err = tx.Entries(id); return err }); err != nil {
		k.Fatalf("entries of ticket %d: %v", id, err)
	}
	return e
}

func (k *kit) held() []HeldMail {
	k.Helper()
	var h []HeldMail
	if err := k.store.View(func(tx *Tx) (err error) { h, err = tx.HeldMails(); return err }); err != nil {
		k.Fatalf("held mail: %v", err)
	}
	return h
}

func (k *kit) books() Books {
	k.Helper()
	var b Books
	if err := k.store.View(func(tx *Tx) error { b = tx.Books(); return nil }); err != nil {
		k.Fatalf("books: %v", err)
	}
	return b
}

func (k *kit) ticketCount() uint64 {
	k.Helper()
	var n uint64
	if err := k.store.View(func(tx *Tx) error { n = tx.counter("tickets"); return nil }); err != nil {
		k.Fatalf("count tickets: %v", err)
	}
	return n
}

// healthy fails the test when doctor finds something.
func (k *kit) healthy() {
	k.Helper()
	healthy(k.TB, k.store)
}

// waits fails the test when a ticket waits for something that no timer says.
func (k *kit) waits() {
	k.Helper()
	c := &checkup{}
	err := k.store.View(func(tx *Tx) error { c.tx = tx; return c.timers(k.desk.Rules(), k.clock.Now().UTC()) })
	if err != nil || len(c.problems) > 0 {
		k.Fatalf("timers: %v\n%s", err, strings.Join(c.problems, "\n"))
	}
}

func healthy(t testing.TB, s *Store) {
	t.Helper()
	d, err := s.Doctor(context.Background())
	if err != nil {
		t.Fatalf("doctor: %v", err)
	}
	if !d.OK {
		t.Fatalf("doctor found:\n%s", strings.Join(d.Problems, "\n"))
	}
}

func (k *kit) tick() {
	k.Helper()
	if _, err := k.desk.Tick(context.Background()); err != nil {
		k.Fatalf("tick: %v", err)
	}
}

// opened makes a ticket of a customer's mail and returns it with what was sent.
func (k *kit) opened(from, subject, text string) (TicketID, []delivered) {
	k.Helper()
	out := k.receive(k.mail(from, subject, text))
	if out.Result != Created {
		k.Fatalf("%s: %s (%s), want a ticket", subject, out.Result, out.Why)
	}
	return out.Ticket, k.deliver()
}

// expect fails the test unless a message ended as wanted.
func (k *kit) expect(out Outcome, result Result, ticket TicketID) {
	k.Helper()
	if out.Result != result || out.Ticket != ticket {
		k.Fatalf("%s on ticket %d (%s), want %s on ticket %d", out.Result, out.Ticket, out.Why, result, ticket)
	}
}

// expectState fails the test unless the ticket is in the state.
func (k *kit) expectState(id TicketID, s State) {
	k.Helper()
	if got := k.ticket(id).State; got != s {
		k.Fatalf("ticket %d is %s, want %s", id, got, s)
	}
}

// absentFrom fails the test when a canary stands in a mail.
func absentFrom(t testing.TB, all []delivered, canary string) {
	t.Helper()
	for _, d := range all {
		if strings.Contains(strings.ToLower(string(d.Bytes)), strings.ToLower(canary)) {
			t.Errorf("%q stands in the mail %q to %s: %s", canary, d.Template, d.Recipient, d.Bytes)
		}
	}
}
