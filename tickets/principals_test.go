package tickets

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// S-078, S-079, S-081: who an agent's mail acts for, and on what, when something about its reply address is not as it should be.
// The customers are those of tickets 1 and 2; text reaches one of them, or nobody.
func TestWhatAReplyAddressBinds_S078_S079(t *testing.T) {
	without := func(m *Message) { m.InReplyTo, m.References = nil, nil }
	for _, c := range []struct {
		name    string
		mail    func(k *kit, one, two []delivered) *Message
		reaches string // a customer, or "" for nobody
		ends    Result
	}{
		{"as it should be", func(k *kit, one, _ []delivered) *Message {
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY")
		}, kunde, Appended},
		{"a client that drops In-Reply-To and References", func(k *kit, one, _ []delivered) *Message {
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY", without)
		}, kunde, Appended},
		{"another subject", func(k *kit, one, _ []delivered) *Message {
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY", without, func(m *Message) { m.Subject = "Hallo" })
		}, kunde, Appended},
		{"the address of one ticket, the Message-ID and number of another", func(k *kit, one, two []delivered) *Message {
			other := mailTo(k, two, anna, TemplateTicketToTeam)
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY", func(m *Message) {
				m.InReplyTo, m.References, m.Subject = []string{other.Letter.MessageID}, []string{other.Letter.MessageID}, "Re: "+other.Letter.Subject
			})
		}, kunde, Appended},
		{"the addresses of two tickets", func(k *kit, one, two []delivered) *Message {
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY", func(m *Message) {
				m.Cc = []Address{mailTo(k, two, anna, TemplateTicketToTeam).Letter.ReplyTo}
			})
		}, "", Quarantined},
		{"forwarded to a colleague, who answers", func(k *kit, one, _ []delivered) *Message {
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), ben, "CANARY")
		}, "", Quarantined},
		{"a colleague's address beside one's own", func(k *kit, one, _ []delivered) *Message {
			return k.reply(mailTo(k, one, ben, TemplateTicketToTeam), anna, "CANARY", func(m *Message) {
				m.Cc = []Address{mailTo(k, one, anna, TemplateTicketToTeam).Letter.ReplyTo}
			})
		}, "", Quarantined},
		{"the envelope sender of the notice", func(k *kit, one, _ []delivered) *Message {
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY", without, func(m *Message) {
				m.To, m.Subject = []Address{{Mail: mailTo(k, one, anna, TemplateTicketToTeam).EnvelopeFrom}}, "Hallo"
			})
		}, "", Created},
		{"an address that is one's form and one's answer at once", func(k *kit, one, _ []delivered) *Message {
			form := k.store.keys.Sign(Token{Purpose: PurposeForm, Ticket: 1, Principal: k.principal(anna)})
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY", func(m *Message) {
				m.Cc = []Address{{Mail: "support+" + form + "@desk.example"}}
			})
		}, "", Appended},
		{"out of the office", func(k *kit, one, _ []delivered) *Message {
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY Ich bin nicht da", autoReply)
		}, "", Filed},
		{"no agent any more", func(k *kit, one, _ []delivered) *Message {
			k.agents(ben)
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY")
		}, "", Quarantined},
		{"an agent who left and is back", func(k *kit, one, _ []delivered) *Message {
			k.agents(ben)
			k.agents(anna, ben)
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY")
		}, kunde, Appended},
		{"a departed agent's address in the hands of a colleague", func(k *kit, one, _ []delivered) *Message {
			k.agents(ben)
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), ben, "CANARY")
		}, "", Quarantined},
		{"a customer who was sent an agent's mail", func(k *kit, one, _ []delivered) *Message {
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), stranger, "#solve\nCANARY")
		}, "", Quarantined},
		{"signed by a key that was taken out", func(k *kit, one, _ []delivered) *Message {
			fresh, err := NewKeyring(k.clock.Now(), testRandom(99))
			if err != nil {
				k.Fatal(err)
			}
			k.store.keys.Keys = fresh.Keys
			return k.reply(mailTo(k, one, anna, TemplateTicketToTeam), anna, "CANARY", func(m *Message) { m.Subject = "Hallo" })
		}, "", Created},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			_, one := k.opened(kunde, "Drucker", "kaputt")
			two, sent := k.opened(kollegin, "Maus", "kaputt")
			out := k.receive(c.mail(k, one, sent))
			if out.Result != c.ends {
				t.Errorf("%s (%s), want %s", out.Result, out.Why, c.ends)
			}
			mails := k.afterUndo()
			for _, customer := range []string{kunde, kollegin, stranger} {
				n := 0
				for _, d := range to(mails, customer) {
					if strings.Contains(string(d.Bytes), "CANARY") {
						n++
					}
				}
				if want := b2i(customer == c.reaches); n != want {
					t.Errorf("%d mails to %s, want %d: %s", n, customer, want, summary(mails))
				}
			}
			if s := k.ticket(two).State; s != StateNew {
				t.Errorf("the other ticket is %s", s)
			}
			k.healthy()
		})
	}
}

// agents makes these addresses the only agents.
func (k *kit) agents(list ...string) {
	r := *k.rules
	r.Agents = map[string]Agent{}
	for _, a := range list {
		r.Agents[a] = k.rules.Agents[a]
	}
	k.desk.SetRules(&r)
}

func (k *kit) principal(address string) (n uint32) {
	k.Helper()
	if err := k.store.View(func(tx *Tx) (err error) { n, err = tx.principal(address, false); return err }); err != nil {
		k.Fatal(err)
	}
	return n
}

// S-041, S-046: a notice that comes back from an agent's mailbox is told to the admin once a day, and to no customer; the admin's own
// makes no further mail.
func TestStaffMailThatComesBack_S046(t *testing.T) {
	k := newKit(t)
	told := func(d delivered) (n int) {
		t.Helper()
		b, _ := json.Marshal(Bounce{Recipients: []string{d.Recipient}, Status: "5.2.2", Hard: true, Diagnostic: "mailbox full"})
		k.clock.move(time.Minute)
		out := k.receive(k.mail("mailer-daemon@mx.staff.example", "Undelivered Mail", "x"+k.clock.Now().String(), with(fieldKind, string(KindBounce)), with(fieldBounce, string(b)),
			func(m *Message) { m.ReturnPath, m.To = "<>", []Address{{Mail: d.EnvelopeFrom}} }))
		if out.Result != Filed {
			t.Errorf("%+v", out)
		}
		for _, d := range k.deliver() {
			if d.Recipient != admin || d.Template != TemplateHealth || shown(t, d).Lines[0].Key != "health.staff_bounced" {
				t.Errorf("%s to %s", d.Template, d.Recipient)
			}
			n++
		}
		return n
	}
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	for i, want := range []int{1, 0} {
		if n := told(mailTo(t, sent, anna, TemplateTicketToTeam)); n != want {
			t.Errorf("report %d: told %d times, want %d", i, n, want)
		}
	}
	if n := told(mailTo(t, sent, ben, TemplateTicketToTeam)); n != 1 {
		t.Errorf("another agent's: told %d times", n)
	}
	k.clock.move(24 * time.Hour)
	_, sent = k.opened(kollegin, "Maus", "kaputt")
	if n := told(mailTo(t, sent, anna, TemplateTicketToTeam)); n != 1 {
		t.Errorf("the next day: told %d times", n)
	}
	r := *k.rules
	r.Admin = anna
	k.desk.SetRules(&r)
	k.clock.move(24 * time.Hour)
	if n := told(mailTo(t, sent, anna, TemplateTicketToTeam)); n != 0 {
		t.Errorf("the admin's own: told %d times", n)
	}
	k.healthy()
}

// S-078, S-084: the daily list of what is held is answered with one word, in either language; only by whom it was sent to, from
// its own reply address, and never in part.
func TestTheListOfHeldMailIsAnswered_S078(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Spam = SpamPolicy{ListTo: lea, ListAt: 8 * time.Hour} })
	if err := k.desk.ScheduleDaily(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		k.receive(k.mail("k"+itoa(i)+"@customer.example", "Angebot "+itoa(i), "Text "+itoa(i), with(fieldQuarantine, "marked as spam")))
	}
	k.receive(k.mail(deskAddress, "Hallo", "im Namen des Hauses")) // 7: can never be let in
	k.clock.move(24 * time.Hour)
	k.tick()
	list := mailTo(t, k.deliver(), lea, TemplateHealth)
	for _, c := range []struct {
		name, text string
		from       string
		change     func(*Message)
		held       int
		line       string
	}{
		{"somebody else", "#release 1", anna, nil, 7, "refused.which_ticket"},
		{"nobody vouches", "#release 1", lea, unauthenticated, 7, ""},
		{"forged", "#release 1", lea, forged, 7, ""},
		{"not to the reply address", "#release 1", lea, func(m *Message) { m.To = []Address{{Mail: deskAddress}} }, 7, "refused.which_ticket"},
		{"one that is not there", "#release 1\n#release 99", lea, nil, 7, "refused.id"},
		{"the same twice", "#release 1\n#reject 1", lea, nil, 7, "refused.conflict"},
		{"one in the desk's own name", "#release 7", lea, nil, 7, "refused.id"},
		{"English", "#release 1", lea, nil, 6, "did.admit"},
		{"German", "#freigeben 2", lea, nil, 5, "did.admit"},
		{"German, too", "#zulassen 3", lea, nil, 4, "did.admit"},
		{"several", "#ablehnen 4\n#admit 5", lea, nil, 2, "did.reject did.admit"},
		{"what was let in", "#release 1", lea, nil, 2, "refused.id"},
		{"dropping what cannot be let in", "#reject 7\n#quiet", lea, nil, 1, ""},
	} {
		var change []func(*Message)
		if c.change != nil {
			change = append(change, c.change)
		}
		before := k.ticketCount()
		k.receive(k.reply(list, c.from, c.text, change...))
		var keys []string
		for _, d := range to(k.deliver(), c.from) {
			if d.Template == TemplateReceipt || d.Template == TemplateRefused {
				for _, l := range linesOf(t, d) {
					keys = append(keys, l.Key)
				}
			}
		}
		held := 0
		for _, h := range k.held() {
			if isStaff(h.From) {
				continue // the refused mail itself, when nobody vouched for it
			}
			held++
		}
		if got := strings.Join(keys, " "); got != c.line || held != c.held {
			t.Errorf("%s: %q and %d held, want %q and %d", c.name, got, held, c.line, c.held)
		}
		if let := strings.Count(c.line, "did.admit"); k.ticketCount() != before+uint64(let) {
			t.Errorf("%s: %d tickets more", c.name, k.ticketCount()-before)
		}
		k.healthy()
	}
	if why := k.held()[0]; why.ID != 6 {
		t.Errorf("left: %+v", why)
	}
}
