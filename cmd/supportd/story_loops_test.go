package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// Correspondents that answer mail by themselves, in the ways that make desks answer each other for ever. Each gets one
// day. How much mail that may come to stands in docs/reliability.md.

// loopSeed is what the random parts of these stories go by.
const loopSeed = 20261123

// replyTo is where a mail wants its answers.
func replyTo(raw []byte) (to, subject, id string) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", "", ""
	}
	to = m.Header.Get("Reply-To")
	if to == "" {
		to = m.Header.Get("From")
	}
	return bare(to), m.Header.Get("Subject"), m.Header.Get("Message-ID")
}

// peerMail is the address of the correspondents.
const peerMail = "helpdesk@peer.example"

// peer is a kind of correspondent.
type peer struct {
	name      string
	make      func(delay time.Duration, rnd *rand.Rand) correspondent
	automatic int // mails of the desk to it within a day that no person has caused, at most
	tickets   int // that it begins, at most, with the one by which it all begins
	alerts    int // about a loop, exactly; -1: either none or one
}

// acknowledges makes a desk that answers every mail with one of its own: a new Message-ID, no reference, no mark. text and
// subject make it; it answers to the address that address picks.
func acknowledges(delay time.Duration, address func(raw []byte) string, subject func(n int, to string) string, fields func(n int, id string) string,
	text func(n int, raw []byte) string) correspondent {
	n := 0
	return func(p *post, m carried) {
		n++
		_, was, id := replyTo(m.raw)
		p.send(delay, m.to, address(m.raw), p.writeMail(m.to, address(m.raw), subject(n, was), fields(n, id), text(n, m.raw)))
	}
}

// toSender answers to the address of From, as desks do that keep their own numbers.
func toSender(raw []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	return bare(m.Header.Get("From"))
}

// toReply answers where the mail wants it.
func toReply(raw []byte) string { to, _, _ := replyTo(raw); return to }

func noFields(int, string) string { return "" }

const ackText = "Guten Tag,\n\nvielen Dank für Ihre Nachricht. Ihre Anfrage wurde unter der Nummer %d registriert.\nEin Mitarbeiter wird sich in Kürze bei Ihnen melden.\n\nIhr Helpdesk der Peer GmbH"

func counted(n int, _ []byte) string { return fmt.Sprintf(ackText, 10000+n) }

// peers are the kinds of correspondents, with what each may come to.
func peers() []peer {
	return []peer{
		{"S-061 answers everything without any mark, under a growing subject", func(delay time.Duration, _ *rand.Rand) correspondent {
			return acknowledges(delay, toSender, func(n int, was string) string { return fmt.Sprintf("[#%d] Re: %s", 10000+n, was) }, noFields, counted)
		}, 3, 3, -1},
		{"S-061 changes Message-ID and subject each time", func(delay time.Duration, rnd *rand.Rand) correspondent {
			return acknowledges(delay, toSender, func(int, string) string { return fmt.Sprintf("Vorgang %08x", rnd.Uint32()) }, noFields, counted)
		}, 3, 3, 1},
		{"S-061 acknowledges each mail and quotes it", func(delay time.Duration, _ *rand.Rand) correspondent {
			return acknowledges(delay, toSender, func(n int, was string) string { return fmt.Sprintf("AW: %s [Ticket %d]", was, n) }, noFields,
				func(n int, raw []byte) string {
					quote := "> " + strings.ReplaceAll(strings.TrimSpace(mailin.Parse(raw, firstMorning).Text), "\n", "\n> ")
					return fmt.Sprintf(ackText, n) + "\n\nAm Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Desk:\n" + quote
				})
		}, 3, 3, -1},
		{"S-060 acknowledges each mail as a reply to it", func(delay time.Duration, _ *rand.Rand) correspondent {
			return acknowledges(delay, toReply, func(_ int, was string) string { return "Re: " + was },
				func(_ int, id string) string { return "In-Reply-To: " + id + "\r\nReferences: " + id + "\r\n" }, counted)
		}, 1, 1, 0},
		{"S-058 answers with other words each time", func(delay time.Duration, rnd *rand.Rand) correspondent {
			return acknowledges(delay, toSender, func(int, string) string { return fmt.Sprintf("%08x", rnd.Uint32()) }, noFields,
				func(int, []byte) string { return babble(rnd, 40) })
		}, 20, 22, 0},
		{"S-054 is away, and says so in its header, to every mail", func(delay time.Duration, _ *rand.Rand) correspondent {
			return acknowledges(delay, toReply, func(_ int, was string) string { return "Abwesend: " + was },
				func(int, string) string { return "Auto-Submitted: auto-replied\r\n" }, func(int, []byte) string { return "Ich bin bis 30.11. im Urlaub." })
		}, 1, 1, 0},
		{"S-058 is away, and says so in its text only, once to each sender", func(delay time.Duration, _ *rand.Rand) correspondent {
			told := map[string]bool{}
			answer := acknowledges(delay, toSender, func(int, string) string { return "Bin unterwegs" }, noFields,
				func(int, []byte) string {
					return "Ich bin bis Ende des Monats unterwegs und lese keine Mails. Dringendes bitte an die Zentrale."
				})
			return func(p *post, m carried) {
				if to := toSender(m.raw); !told[to] {
					told[to] = true
					answer(p, m)
				}
			}
		}, 2, 2, 0},
		{"S-061 is away, and says so in its text only, to every mail", func(delay time.Duration, _ *rand.Rand) correspondent {
			return acknowledges(delay, toSender, func(int, string) string { return "Bin unterwegs" }, noFields,
				func(int, []byte) string {
					return "Ich bin bis Ende des Monats unterwegs und lese keine Mails. Dringendes bitte an die Zentrale."
				})
		}, 3, 3, -1},
		{"S-027 a forwarder sends everything back as it came", func(delay time.Duration, _ *rand.Rand) correspondent {
			return func(p *post, m carried) { p.send(delay, m.to, toSender(m.raw), m.raw) }
		}, 1, 1, 0},
		{"S-062 a list sends everything back under its own name", func(delay time.Duration, _ *rand.Rand) correspondent {
			return func(p *post, m carried) {
				id := fmt.Sprintf("Message-ID: <list%d@peer.example>\r\n", p.serial)
				raw := regexp.MustCompile(`(?im)^message-id:.*\r\n`).ReplaceAll(m.raw, []byte(id+"List-Id: <users.peer.example>\r\nPrecedence: list\r\n"))
				p.send(delay, "users-bounces@"+homeOf(m.to), toSender(m.raw), raw)
			}
		}, 1, 1, 0},
		{"S-055 a mail server bounces everything in a form of its own", func(delay time.Duration, _ *rand.Rand) correspondent {
			return func(p *post, m carried) {
				to := m.from
				if to == "" {
					to = toSender(m.raw) // against the rules: the null path gets no report (RFC 5321 §6.1)
				}
				from := "postmaster@" + homeOf(m.to)
				p.send(delay, from, to, p.writeMail(from, to, "Ihre Nachricht", "",
					"Ihre Nachricht konnte nicht an helpdesk zugestellt werden.\nGrund: Postfach voll (quota)\n"))
			}
		}, 2, 3, 0},
	}
}

// babble is so many words that nobody says twice.
func babble(rnd *rand.Rand, words int) string {
	var b strings.Builder
	for range words {
		for range 3 + rnd.IntN(6) {
			b.WriteByte(byte('a' + rnd.IntN(26)))
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// loopDay lets a desk and a correspondent face each other for a day, with an agent's answer in the middle, and tells what
// came of it.
func loopDay(t *testing.T, more string, c correspondent) (k *quietDesk, quiet time.Duration) {
	p := newPost(t)
	k = p.openDesk("support@desk.example", more)
	p.others["peer.example"] = c
	answered := false
	p.others["staff.desk.example"] = func(p *post, m carried) {
		if to, subject, id := replyTo(m.raw); !answered && strings.Contains(to, "+") && strings.HasPrefix(m.to, "anna@") {
			answered = true
			p.send(40*time.Minute, "anna@staff.desk.example", to, p.writeMail("anna@staff.desk.example", to, "Re: "+subject,
				"In-Reply-To: "+id+"\r\n", "Wir sehen uns das an."))
		}
	}
	p.send(0, peerMail, k.address, p.writeMail(peerMail, k.address, "Anschluss gestört", "", "Guten Tag, seit heute früh ist unser Anschluss im Lager gestört. Können Sie das prüfen?"))
	p.run(24 * time.Hour)
	return k, p.now().Sub(p.last)
}

// S-061, S-058: each kind of correspondent comes to an end within the day, in stated bounds, whether or not the desk's mail
// server vouches for it.
func TestCorrespondentsThatAnswerByThemselves_S061_S058(t *testing.T) {
	for _, c := range peers() {
		for _, way := range []struct {
			more  string
			delay time.Duration
		}{{"", 2 * time.Second}, {"", time.Hour}, {vouching, time.Minute}} {
			t.Run(fmt.Sprintf("%s, after %s", c.name, way.delay), func(t *testing.T) {
				k, quiet := loopDay(t, way.more, c.make(way.delay, rand.New(rand.NewPCG(loopSeed, 1))))
				list := k.to("peer.example")
				begun, alerts := k.results[tickets.Created], k.alerts(peerMail)
				t.Logf("%d mails to it, %d of them automatic; %d tickets, %d mails joined; %d alerts; %d mails carried; quiet for %s; seed %d", len(list),
					automatic(list), begun, k.results[tickets.Appended], alerts, k.moved, quiet, loopSeed)
				if automatic(list) > c.automatic || begun > c.tickets {
					t.Errorf("%d automatic mails and %d tickets, want at most %d and %d", automatic(list), begun, c.automatic, c.tickets)
				}
				if alerts > 1 || c.alerts >= 0 && alerts != c.alerts {
					t.Errorf("%d alerts, want %d", alerts, c.alerts)
				}
				if n := len(list) - automatic(list); n > 1 {
					t.Errorf("%d answers of a person", n)
				}
				if quiet < time.Hour {
					t.Errorf("the last mail was carried %s before the end of the day", quiet)
				}
				k.sound()
			})
		}
	}
}

// S-061: two desks of this kind that face each other, also when something between them takes every mark off the mails: each
// ends, and each admin is told.
func TestTwoDesksFacingEachOther_S061(t *testing.T) {
	marks := regexp.MustCompile(`(?im)^(auto-submitted|x-auto-response-suppress|precedence|in-reply-to|references|x-[a-z-]+|message-id):.*\r\n([ \t].*\r\n)*`)
	for _, stripped := range []bool{false, true} {
		t.Run(fmt.Sprintf("stripped %t", stripped), func(t *testing.T) {
			p := newPost(t)
			a, b := p.openDesk("support@desk.example", ""), p.openDesk("hilfe@other.example", "")
			p.between = func(m *carried) {
				if stripped && p.desks[homeOf(m.to)] != nil {
					p.serial++
					m.raw = append(fmt.Appendf(nil, "Message-ID: <gw%d@gateway.example>\r\n", p.serial), marks.ReplaceAll(m.raw, nil)...)
					m.from = toSender(m.raw)
				}
			}
			p.send(0, b.address, a.address, p.writeMail(b.address, a.address, "Anschluss gestört", "", "Guten Tag, unser Anschluss im Lager ist seit heute früh gestört."))
			p.run(24 * time.Hour)
			for _, k := range []*quietDesk{a, b} {
				other := map[*quietDesk]string{a: "other.example", b: "desk.example"}[k]
				n := automatic(k.to(other))
				t.Logf("%s: %d automatic mails, %d tickets, %d alerts; quiet for %s", k.address, n, k.results[tickets.Created], k.alerts("@"+other), p.now().Sub(p.last))
				if n > 3 || k.results[tickets.Created] > 3 {
					t.Errorf("%s: %d automatic mails, %d tickets", k.address, n, k.results[tickets.Created])
				}
				if stripped && k.alerts("@"+other) > 1 {
					t.Errorf("%s: %d alerts", k.address, k.alerts("@"+other))
				}
				k.sound()
			}
			if stripped && a.alerts("@other.example")+b.alerts("@desk.example") == 0 {
				t.Error("nobody is told")
			}
		})
	}
}

// S-061, S-058: any mix of correspondents, at any pace, on one desk, which has ordinary customers beside them: the day stays
// within the sum of what each may come to, and every customer has their ticket and one acknowledgement.
func TestMixedCorrespondents_S061_S058(t *testing.T) {
	for seed := range uint64(3) {
		rnd := rand.New(rand.NewPCG(loopSeed, seed))
		p := newPost(t)
		k := p.openDesk("support@desk.example", []string{"", vouching}[rnd.IntN(2)])
		kinds, most, begun := peers(), 0, 0
		var names []string
		for i := range 6 {
			c := kinds[rnd.IntN(len(kinds))]
			delay := time.Duration(1+rnd.IntN(3600)) * time.Second
			home := fmt.Sprintf("peer%d.example", i)
			p.others[home] = c.make(delay, rnd)
			most, begun = most+c.automatic, begun+c.tickets
			names = append(names, fmt.Sprintf("%s after %s", c.name, delay))
			from := "helpdesk@" + home
			p.send(time.Duration(rnd.IntN(3600))*time.Second, from, k.address, p.writeMail(from, k.address, "Frage "+home, "", babble(rnd, 20)))
		}
		const customers = 20
		for i := range customers {
			from := fmt.Sprintf("kunde%d@customer.example", i)
			p.send(time.Duration(rnd.IntN(86000))*time.Second, from, k.address, p.writeMail(from, k.address, fmt.Sprint("Anliegen ", i), "", babble(rnd, 20)))
		}
		p.run(24 * time.Hour)
		n := 0
		for i := range 6 {
			n += automatic(k.to(fmt.Sprintf("peer%d.example", i)))
		}
		t.Logf("seed %d: %d automatic mails to 6 correspondents, at most %d; %d tickets; %d mails carried; %s", seed, n, most, k.results[tickets.Created], p.moved, strings.Join(names, "; "))
		if n > most || k.results[tickets.Created] > begun+customers {
			t.Errorf("seed %d: %d automatic mails and %d tickets, want at most %d and %d", seed, n, k.results[tickets.Created], most, begun+customers)
		}
		if acks := k.to("customer.example"); len(acks) != customers {
			t.Errorf("seed %d: %d customers have %d acknowledgements", seed, customers, len(acks))
		}
		k.sound()
	}
}
