package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
)

// parley is a random conversation of everybody with a desk that has tiers, a third party, standard answers and the real
// parser, texts and composer. Each text holds a sentence that nobody else writes; what leaves is decoded and searched for
// those that its reader must not know.
type parley struct {
	t       *testing.T
	rnd     *rand.Rand
	desk    *tickets.Desk
	now     time.Time
	uid     uint32
	serial  int
	mails   []leftMail
	secrets []secret
	pasted  int // answers with somebody else's sentence
	refused int // of them
}

// leftMail is a mail that left the desk.
type leftMail struct {
	tickets.Outgoing
	message *tickets.Message
	letter  letter
}

// secret is a sentence, and who may read it outside.
type secret struct {
	text    string
	word    string // of it that stands nowhere else
	readers []string
	answer  bool // an agent wrote it to a customer: what one was told, another may be told
}

const parleyFile = `version: 1
organisation: {name: Nordwind Service, timezone: Europe/Berlin, languages: [de, en], cmdb: cmdb.csv}
mailboxes: {hilfe: {imap: "127.0.0.1:1143", user: hilfe, password_file: hilfe.pw, tls: none, trusted: true, addresses: [%s]}}
brands: {nordwind: {from: Nordwind Service <%s>, smtp: {server: "127.0.0.1:1025", user: hilfe, password_file: hilfe.pw, tls: none}, ticket_prefix: NW}}
calendars: {standard: {hours: 24/7}}
standard_answers: answers
teams:
  desk: {tier: 1, members: [Anna Berg <anna@innen.example>, Ben Cohn <ben@innen.example>], lead: anna@innen.example}
  network: {tier: 2, members: [Nora Netz <nora@innen.example>], skills: [vpn, firewall], lead: nora@innen.example}
  code: {tier: 3, members: [Otto Code <otto@innen.example>]}
vendors:
  tac: {to: tac@vendor.example, contract: FC-10-882, language: de, respond: 2h, reference: '(?i)case (\d{4,})', for: [firewall]}
undo: 0s
`

func parleyStaff() []string {
	return []string{"anna@innen.example", "ben@innen.example", "nora@innen.example", "otto@innen.example"}
}

func parleyCustomers() []string {
	return []string{"alina@eins.example", "bodo@zwei.example", "cleo@drei.example", "dirk@drei.example"}
}

func newParley(t *testing.T, seed uint64) *parley {
	dir := t.TempDir()
	for name, text := range map[string]string{"supportd.yaml": fmt.Sprintf(parleyFile, deskAddress, deskAddress), "hilfe.pw": "x", "cmdb.csv": "ci,name,owner_team,vendor\nFW-1,Firewall Halle,network,tac\n",
		"answers/vpn.de.md": "{{.greeting}}\n\nbitte schalten Sie das Gerät einmal aus, warten Sie eine volle Minute, und schalten Sie es danach wieder ein.\n"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, findings := config.Load(filepath.Join(dir, "supportd.yaml"))
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	rules, err := buildRules(c)
	if err != nil {
		t.Fatal(err)
	}
	g := &parley{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return g.now }
	var random [32]byte
	random[0] = byte(seed)
	store, err := tickets.OpenStore(filepath.Join(dir, "state"), tickets.Options{Now: clock, Random: rand.NewChaCha8(random)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	g.desk = newDesk(store, rules, clock, slog.New(slog.DiscardHandler))
	if _, err := g.desk.Place(t.Context(), "hilfe", 7); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *parley) one(list []string) string { return list[g.rnd.IntN(len(list))] }

// sentence is one that nobody else writes, with a word that stands nowhere else.
func (g *parley) sentence(readers ...string) string {
	g.serial++
	words := []string{"Drucker", "Kabel", "Fenster", "gestern", "morgen", "Werkstatt", "leider", "kaputt", "neun", "Kollege", "Rechnung", "Anlage", "blau", "Treppe", "wieder", "langsam", "Schlüssel", "Halle", "Nachricht", "Motor"}
	word := fmt.Sprintf("kanarie%dx", g.serial)
	text := "Es ist " + word
	for range 14 {
		text += " " + words[g.rnd.IntN(len(words))]
	}
	g.secrets = append(g.secrets, secret{text: text + ".", word: word, readers: readers})
	return text + "."
}

// send hands a mail to the desk as a mailbox would show it.
func (g *parley) send(from, to, subject, extra, body string) {
	g.t.Helper()
	g.uid++
	if !strings.HasPrefix(body, "Content-Type:") {
		body = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + body
	}
	raw := fmt.Sprintf("Return-Path: <%s>\nFrom: %s\nTo: %s\nSubject: %s\nMessage-ID: <g%d@%s>\nDate: %s\n%sMIME-Version: 1.0\n%s\n", bare(from), from, to, mime.QEncoding.Encode("utf-8", subject),
		g.uid, strings.SplitN(bare(from), "@", 2)[1], g.now.Format(time.RFC1123Z), extra, body)
	b := []byte(strings.ReplaceAll(raw, "\n", "\r\n"))
	in := tickets.Incoming{Source: tickets.Source{Mailbox: "hilfe", UIDValidity: 7, UID: g.uid}, Arrived: g.now, Size: int64(len(b)), Raw: b, Message: mailin.Parse(b, g.now)}
	if _, err := g.desk.Receive(g.t.Context(), tickets.Batch{Mailbox: "hilfe", UIDValidity: 7, Messages: []tickets.Incoming{in}, Through: g.uid}); err != nil {
		g.t.Fatal(err)
	}
}

// had is one of the newest mails that somebody got.
func (g *parley) had(who string) (leftMail, bool) {
	var found []leftMail
	for _, m := range g.mails {
		if m.Recipient == who && m.Ticket != 0 {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return leftMail{}, false
	}
	return found[max(0, len(found)-1-g.rnd.IntN(12))], true
}

// answer replies in the shape of some client.
func (g *parley) answer(from string, m leftMail, text, extra string) {
	g.t.Helper()
	to, err := mail.ParseAddress(m.letter.Header.Get("Reply-To"))
	if err != nil {
		g.t.Fatal(err)
	}
	body, names := "", slices.Sorted(func(yield func(string) bool) {
		for name := range shapes {
			if !yield(name) {
				return
			}
		}
	})
	body = shapes[names[g.rnd.IntN(len(names))]](text, m.letter, to.Address)
	id := m.letter.Header.Get("Message-ID")
	g.send(from, to.Address, "Re: "+m.letter.subject(), fmt.Sprintf("In-Reply-To: %s\nReferences: %s\n%s", id, strings.TrimSpace(m.letter.Header.Get("References")+" "+id), extra), body)
}

// others are the sentences that somebody of the desk has read and nobody of a ticket's customers may read. What an agent
// wrote in a mail that was refused is none: they may well have meant it for the customer, and write it again.
func (g *parley) others(who string, m leftMail) []int {
	allowed := g.participants(m.Ticket)
	var list []int
	for i, s := range g.secrets {
		if !s.answer && !slices.ContainsFunc(s.readers, func(r string) bool { return slices.Contains(allowed, r) }) && slices.ContainsFunc(g.mails, func(m leftMail) bool {
			return m.Recipient == who && m.Template != tickets.TemplateRefused && m.Template != tickets.TemplateHeld && strings.Contains(m.letter.text, s.word)
		}) {
			list = append(list, i)
		}
	}
	return list
}

func (g *parley) participants(id tickets.TicketID) (list []string) {
	err := g.desk.Store.View(func(tx *tickets.Tx) error {
		t, err := tx.Ticket(id)
		if err != nil {
			return err
		}
		list = append(list, strings.ToLower(t.Requester.Mail))
		for _, p := range t.Participants {
			list = append(list, strings.ToLower(p.Mail))
		}
		list = append(list, t.Copies...)
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return list
}

// agentWrites is what an agent answers a notice with.
func (g *parley) agentWrites(who string, m leftMail) {
	public := func() string {
		text := g.sentence(g.participants(m.Ticket)...)
		g.secrets[len(g.secrets)-1].answer = true
		return text
	}
	note := func() string { return g.sentence() }
	number := func() string { return fmt.Sprint(1 + g.rnd.IntN(6)) }
	extra := ""
	if g.rnd.IntN(4) == 0 {
		extra = "Cc: " + g.one(parleyCustomers()) + ", " + g.one(parleyStaff()) + "\n" // reply to all
	}
	texts := []func() string{
		public, public, public,
		func() string { return public() + "\n\n-- \nMit Gruß\n" + who },
		func() string { return "#note\n" + note() },
		func() string { return "#note " + note() },
		func() string { return "#noet\n" + note() },
		func() string { return "/note\n" + note() },
		func() string { return "#take #solve\n" + public() },
		func() string { return "#solve" },
		func() string { return "#wait\n" + public() },
		func() string { return "#noreply\n" + note() },
		func() string { return "#send vpn" },
		func() string { return "#send vpn\n" + public() },
		func() string { return "#escalate network Fachwissen\n" + note() },
		func() string {
			return "#escalate network\nBeschreibung: " + note() + "\nAuswirkung: mittel\nDringlichkeit: mittel\nGrund: Fachwissen\nCI: FW-1\n- Neustart -> nichts\n- Kabel -> nichts"
		},
		func() string { return "#escalate! network eilt" },
		func() string { return "#return passt nicht\n" + note() },
		func() string { return "#ask nora\n" + note() },
		func() string { return "#merge " + number() },
		func() string { return "#split\n" + note() },
		func() string { return "#link " + number() + "\n#note\n" + note() },
		func() string { return "#unmerge" },
		func() string { return "#cc " + g.one(parleyCustomers()) },
		func() string { return "#requester " + g.one(parleyCustomers()) },
		func() string { return "#show\n#list all\n#search kanarie" },
		func() string { return "#undo" },
		func() string { return "#schedule morgen 14:00\n" + public() },
		func() string { return "#reopen\n" + public() },
		func() string { return "#call 5m\n" + note() },
		func() string { return "#admit " + number() },
	}
	text := texts[g.rnd.IntN(len(texts))]()
	if paste := g.others(who, m); g.rnd.IntN(4) == 0 && len(paste) > 0 {
		text = public()
		switch i := paste[len(paste)-1-g.rnd.IntN(min(len(paste), 8))]; g.rnd.IntN(4) {
		case 0:
			text += "\n\n" + g.secrets[i].text
		case 1: // wrapped anew
			text = "Dazu:\n" + strings.ReplaceAll(g.secrets[i].text, " ", "\n") + "\n" + text
		case 2: // a whole notice of another ticket, without any mark of a quote
			if other, ok := g.had(who); ok {
				text += "\n\n" + other.letter.text
			}
		case 3: // the middle of a notice, in marks of a quote
			if other, ok := g.had(who); ok {
				lines := strings.Split(strings.ReplaceAll(other.letter.text, "\r", ""), "\n")
				text += "\n\n> " + strings.Join(lines[len(lines)/4:], "\n> ")
			}
		}
		g.pasted++
	}
	g.answer(who, m, text, extra)
}

func (g *parley) step() {
	switch n := g.rnd.IntN(20); {
	case n < 3:
		from, cc, readers := g.one(parleyCustomers()), "", []string{}
		readers = append(readers, from)
		if g.rnd.IntN(4) == 0 {
			cc = "Cc: dirk@drei.example\n"
			readers = append(readers, "dirk@drei.example")
		}
		g.send("Name Von <"+from+">", deskAddress, fmt.Sprintf("Störung %d", g.serial), cc, "Guten Tag,\n\n"+g.sentence(readers...)+"\n\nGruß\n")
	case n < 6:
		from := g.one(parleyCustomers())
		if m, ok := g.had(from); ok {
			g.answer(from, m, g.sentence(g.participants(m.Ticket)...), "")
		}
	case n == 6: // a stranger, or an agent's address at home, with a mail of somebody else's
		from := g.one([]string{"fremd@anders.example", "anna@zuhause.example", g.one(parleyCustomers())})
		if m, ok := g.had(g.one(append(parleyCustomers(), parleyStaff()...))); ok {
			g.answer(from, m, g.sentence(from), "")
		}
	case n < 15:
		who := g.one(parleyStaff())
		if m, ok := g.had(who); ok {
			g.agentWrites(who, m)
		}
	case n == 15:
		who := g.one(parleyStaff())
		if m, ok := g.had(who); ok {
			g.answer(who, m, "#vendor tac "+g.sentence("tac@vendor.example"), "")
			g.deliver()
			if draft, ok := g.had(who); ok && draft.Template == tickets.TemplateVendorDraft {
				g.answer(who, draft, "#ok", "")
			}
		}
	case n == 16:
		if m, ok := g.had("tac@vendor.example"); ok {
			g.answer("tac@vendor.example", m, "Case 4711222\n"+g.sentence("tac@vendor.example"), "")
		}
	case n == 17:
		who, caller := g.one(parleyStaff()), g.one(parleyCustomers())
		g.send(who, deskAddress, "Anruf", "", g.one([]string{"#for " + g.one(parleyCustomers()) + "\n#note\n" + g.sentence(), "#ticket 1\n#note\n" + g.sentence(), "#list all", "#for " + caller + " #noreply\n" + g.sentence(caller)}))
	case n == 18:
		if m, ok := g.had(g.one(parleyCustomers())); ok && m.EnvelopeFrom != "" {
			g.send("MAILER-DAEMON@mx.example", m.EnvelopeFrom, "Undelivered", "Auto-Submitted: auto-replied\n", "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nno such user\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; "+
				m.Recipient+"\nAction: failed\nStatus: 5.1.1\n\n--b--\n")
		}
	default:
		g.now = g.now.Add([]time.Duration{time.Minute, 5 * time.Hour, 26 * time.Hour, 9 * 24 * time.Hour}[g.rnd.IntN(4)])
		if _, err := g.desk.Tick(g.t.Context()); err != nil {
			g.t.Fatal(err)
		}
	}
	g.now = g.now.Add(7 * time.Second)
	g.deliver()
}

var privateWord = regexp.MustCompile(`kanarie\d+x`)

// deliver takes what is owed, and looks into what goes outside.
func (g *parley) deliver() {
	g.t.Helper()
	ctx := context.Background()
	for {
		due, _, err := g.desk.Due(ctx, g.now, 50)
		if err != nil {
			g.t.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		var attempts []tickets.Attempt
		var ends []tickets.Delivery
		for _, o := range due {
			m := leftMail{Outgoing: o, message: mailin.Parse(o.Bytes, g.now)}
			parsed, err := mail.ReadMessage(strings.NewReader(string(o.Bytes)))
			if err != nil {
				g.t.Fatal(err)
			}
			m.letter = letter{Message: parsed, raw: string(o.Bytes), text: m.message.Text}
			if slices.Contains(parleyStaff(), o.Recipient) {
				if o.Template == tickets.TemplateRefused && strings.Contains(m.letter.text, "#post") {
					g.refused++
				}
				if to := m.letter.Header.Get("To") + m.letter.Header.Get("Cc") + m.letter.Header.Get("Reply-To"); slices.ContainsFunc(parleyCustomers(), func(c string) bool { return strings.Contains(to, c) }) {
					g.t.Errorf("S-103: a notice names a customer as its reader: %s", to)
				}
			} else {
				g.search(m)
			}
			g.mails = append(g.mails, m)
			attempts = append(attempts, tickets.Attempt{ID: o.ID, At: g.now, Next: g.now.Add(time.Hour)})
			ends = append(ends, tickets.Delivery{ID: o.ID, At: g.now, Result: tickets.ResultSent})
		}
		if err := g.desk.Attempt(ctx, attempts); err != nil {
			g.t.Fatal(err)
		}
		if err := g.desk.Settle(ctx, ends); err != nil {
			g.t.Fatal(err)
		}
	}
}

// search looks for what the reader of a mail outside must not know: in its octets, and in every part and header decoded.
func (g *parley) search(m leftMail) {
	g.t.Helper()
	all := string(m.Bytes) + "\n" + m.message.Text + "\n" + m.message.HTML
	for _, values := range m.letter.Header {
		for _, v := range values {
			if decoded, err := new(mime.WordDecoder).DecodeHeader(v); err == nil {
				all += "\n" + decoded
			}
		}
	}
	for _, f := range mailin.Files(m.Bytes) {
		all += "\n" + f.Name + "\n" + string(f.Data)
	}
	for _, never := range []string{"innen.example", "zuhause.example", "#note", "#solve", "#take", "#escalate", "#vendor", "#noet", "#send", "Zuletzt:", "Befehle, als", "bleibt intern", "geht an den Kunden"} {
		if i := strings.Index(all, never); i >= 0 {
			g.t.Errorf("%q leaves in %s to %s: …%s…", never, m.Template, m.Recipient, all[max(0, i-80):min(len(all), i+80)])
		}
	}
	for _, word := range privateWord.FindAllString(all, -1) {
		i := slices.IndexFunc(g.secrets, func(s secret) bool { return s.word == word })
		if i < 0 {
			g.t.Errorf("%s leaves, and nobody wrote it", word)
			continue
		}
		s := g.secrets[i]
		if !slices.Contains(s.readers, m.Recipient) && !slices.ContainsFunc(g.participants(m.Ticket), func(p string) bool { return slices.Contains(s.readers, p) }) {
			g.t.Errorf("%s leaves in %s to %s; it is for %v, and stands in %s:\n%s", s.text, m.Template, m.Recipient, s.readers, g.places(s.word), m.letter.text)
			return
		}
	}
}

// places are the entries that a word stands in.
func (g *parley) places(word string) (found []string) {
	err := g.desk.Store.View(func(tx *tickets.Tx) error {
		return tx.Tickets(true, func(t *tickets.Ticket) (bool, error) {
			entries, err := tx.Entries(t.ID)
			for _, e := range entries {
				if strings.Contains(fmt.Sprintf("%+v", e), word) {
					found = append(found, fmt.Sprintf("%s (%s) entry %d: %s %s by %s", t.Number, t.State, e.Seq, e.Kind, e.Detail, e.Actor.Name))
				}
			}
			return true, err
		})
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return found
}

// S-100, S-103, S-104, S-105, S-106: whatever everybody writes, pastes and gets wrong, nobody outside reads what is not
// meant for them.
func TestNothingLeaksInAnyConversation_S100_S103_S104_S105_S106(t *testing.T) {
	day := sha256.Sum256([]byte(t.Name()))
	pasted, refused := 0, 0
	for i := range 6 {
		seed := uint64(day[i])<<8 | uint64(i)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			g := newParley(t, seed)
			for n := range 150 {
				if g.step(); t.Failed() {
					t.Fatalf("seed %d, step %d", seed, n)
				}
			}
			outside := 0
			for _, m := range g.mails {
				if !slices.Contains(parleyStaff(), m.Recipient) {
					outside++
				}
			}
			t.Logf("seed %d: %d mails left, %d of them outside; %d sentences; %d answers with pasted text, %d refused with a way out", seed, len(g.mails), outside, len(g.secrets), g.pasted, g.refused)
			if outside < 10 {
				t.Errorf("a dull conversation: %d mails outside", outside)
			}
			pasted, refused = pasted+g.pasted, refused+g.refused
		})
	}
	if pasted < 20 || refused < 10 {
		t.Errorf("dull conversations: %d answers with pasted text, %d refused", pasted, refused)
	}
}
