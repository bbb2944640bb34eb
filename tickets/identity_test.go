package tickets

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// S-107: whatever goes wrong inside, customers read nothing of it: no text of an error, no path, no host name. What goes
// wrong is one mail's trouble; the next one is answered.
func TestNoInternalsToCustomers_S107(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	k := newKit(t)
	_, first := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, first, anna, TemplateTicketToTeam)
	sent := outside(first)
	words := []string{panicRender, panicCompose, refuseCompose}
	for i := range 20 {
		word := words[i%len(words)]
		if i%2 == 0 {
			k.receive(k.mail(fmt.Sprintf("k%d@customer.example", i), "Anfrage "+word, "Text "+word))
		} else {
			k.receive(k.reply(notice, anna, "Antwort "+word))
		}
		k.receive(k.mail(fmt.Sprintf("m%d@customer.example", i), "Anfrage", "classify", with(fieldPanic, "classify")))
		sent = append(sent, outside(k.afterUndo())...)
	}
	k.receive(k.reply(notice, anna, "Nun geht es wieder."))
	after := outside(k.afterUndo())
	mailTo(t, after, kunde, TemplateAgentReply)
	for _, m := range append(sent, after...) {
		for _, bad := range []string{"panic", "goroutine", "internal error", ".go:", "runtime", "asked to", k.dir, host} {
			if strings.Contains(string(m.Bytes), bad) {
				t.Errorf("%s to %s says %q: %s", m.Template, m.Recipient, bad, m.Bytes)
			}
		}
	}
}

// S-111: no Message-ID of the desk comes twice, in a million; and they are dated when they are made.
func TestMessageIDsAreUnique_S111(t *testing.T) {
	k := newKit(t)
	const each = 250_000
	seen := make(map[string]struct{}, 4*each)
	for _, purpose := range []Purpose{PurposeCustomer, PurposeAnswer, PurposeNote, PurposeCopy} {
		for n := range each {
			id := k.store.keys.Sign(Token{Purpose: purpose | purposeID, Ticket: TicketID(n % 1000), Outgoing: OutgoingID(n + 1)})
			if _, again := seen[id]; again {
				t.Fatalf("%s comes twice", id)
			}
			seen[id] = struct{}{}
		}
	}
	_, sent := k.opened(kunde, "Drucker", "kaputt")
	ids := map[string]bool{}
	for _, m := range sent {
		if ids[m.Letter.MessageID] || m.Letter.MessageID == "" {
			t.Errorf("%s comes twice", m.Letter.MessageID)
		}
		ids[m.Letter.MessageID] = true
		if !m.Letter.Date.Equal(k.clock.Now()) {
			t.Errorf("dated %s", m.Letter.Date)
		}
	}
}
