package tickets

import (
	"strings"
	"testing"
)

// An answer that cannot be made or addressed is told to the agents: they believe that it was sent.
func TestAnswerThatCannotBeMade_S051(t *testing.T) {
	for name, open := range map[string]func(k *kit) *Message{
		"requester without an address": func(k *kit) *Message {
			return k.mail(kunde, "Drucker", "kaputt", func(m *Message) { m.From, m.Author, m.ReturnPath = nil, "", "" })
		},
		"requester with a broken address": func(k *kit) *Message {
			return k.mail(kunde, "Drucker", "kaputt", func(m *Message) { m.From, m.Author = []Address{{Mail: "a b@c\r\n.example"}}, "" })
		},
		"requester with an endless address": func(k *kit) *Message {
			return k.mail(kunde, "Drucker", "kaputt", func(m *Message) {
				m.From, m.Author = []Address{{Mail: strings.Repeat("a", 40000) + "@customer.example"}}, ""
			})
		},
		"author with an endless address": func(k *kit) *Message {
			return k.mail(strings.Repeat("a", 40000)+"@customer.example", "Drucker", "kaputt")
		},
		"the composer fails": func(k *kit) *Message { return k.mail(kunde, "Drucker", "kaputt") },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			out := k.receive(open(k))
			if out.Result != Created {
				t.Fatalf("%+v", out)
			}
			notice := mailTo(t, k.deliver(), anna, TemplateTicketToTeam)
			text := "Bitte neu starten."
			if name == "the composer fails" {
				text += refuseCompose
			}
			k.expect(k.receive(k.reply(notice, anna, text)), Appended, out.Ticket)
			sent := k.afterUndo()
			if name != "the composer fails" { // whose notice would quote the word
				mailTo(t, sent, anna, TemplateUndelivered)
			}
			lastOf(t, k.entries(out.Ticket), EntryDelivery)
			k.healthy()
		})
	}
}

// One participant with an address that no mail can go to does not keep the answer from the others.
func TestBrokenParticipant_S051(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	k.receive(k.reply(mailTo(t, sent, kunde, TemplateAckNew), "x", "darf ich?", func(m *Message) { m.From, m.Author = []Address{{Mail: "a b@elsewhere.example"}}, "" }))
	sent = k.deliver()
	k.expect(k.receive(k.reply(mailTo(t, sent, anna, TemplateHeld), anna, "#admit 1")), Appended, id)
	sent = k.deliver()
	k.receive(k.reply(mailTo(t, sent, anna, TemplateCustomerReplied), anna, "An alle"))
	mailTo(t, k.afterUndo(), kunde, TemplateAgentReply)
	k.healthy()
}

// S-139, S-051: whatever breaks down over one message, the others of its batch are settled, and it is not lost.
func TestPoisonousMessages_S051_S139(t *testing.T) {
	for _, c := range []struct {
		name   string
		poison func(k *kit) *Message
		result Result
	}{
		{"classify", func(k *kit) *Message { return k.mail(kunde, "x", "y", with(fieldPanic, "classify")) }, Quarantined},
		{"render", func(k *kit) *Message { return k.mail(kunde, panicRender, "y") }, Created},
		{"compose", func(k *kit) *Message { return k.mail(kunde, panicCompose, "y") }, Created},
		{"compose refuses", func(k *kit) *Message { return k.mail(kunde, refuseCompose, "y") }, Created},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t)
			out := k.receiveAll(k.incoming(k.mail(kunde, "vorher", "x")), k.incoming(c.poison(k)), k.incoming(k.mail(kunde, "nachher", "x")))
			if out[0].Result != Created || out[2].Result != Created || out[1].Result != c.result {
				t.Errorf("%+v", out)
			}
			if p := k.place(testValidity); p.Next != 4 {
				t.Errorf("place %+v", p)
			}
			k.healthy()
		})
	}
}
