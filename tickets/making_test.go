package tickets

import (
	"testing"
)

// A mail that is still being made when a later message of the same batch takes it back does not go out.
func TestUndoInTheBatchOfItsAnswer(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	out := k.receiveAll(k.incoming(k.reply(notice, anna, "CANARY")), k.incoming(k.reply(notice, anna, "#undo")))
	for _, o := range out {
		k.expect(o, Appended, id)
	}
	sent = k.afterUndo()
	mailTo(t, sent, anna, TemplateReceipt)
	absentFrom(t, outside(sent), "CANARY")
	k.healthy()
}

// S-051, S-139: one mail of a batch that cannot be made stops neither the others nor the message that calls for it, and
// stands on the ticket once; the batch is as one that came message by message.
func TestOneMailOfABatchCannotBeMade(t *testing.T) {
	texts := []string{"Drucker", panicRender, "Maus", panicCompose, "Tastatur", refuseCompose, "Netz"}
	var want string
	for _, together := range []bool{false, true} {
		k := newKit(t)
		var in []Incoming
		for i, text := range texts {
			in = append(in, k.incoming(k.mail("kunde"+itoa(i)+"@customer.example", "Meldung "+itoa(i), text)))
		}
		var outcomes []Outcome
		if together {
			outcomes = k.receiveAll(in...)
		} else {
			for _, one := range in {
				outcomes = append(outcomes, k.receiveAll(one)...)
			}
		}
		have := formatJSON(outcomes)
		for _, o := range outcomes {
			if o.Result != Created {
				t.Fatalf("together %v: %+v", together, outcomes)
			}
			failed := 0
			for _, e := range k.entries(o.Ticket) {
				have += "\n" + string(e.Kind) + " " + e.Template + " " + e.MessageID + " " + e.Detail
				if e.Kind == EntryDelivery {
					failed++
				}
			}
			if bad := o.Ticket%2 == 0; bad != (failed > 0) {
				t.Errorf("together %v: ticket %d has %d mails that could not be made", together, o.Ticket, failed)
			}
		}
		have += "\n" + summary(k.deliver())
		k.healthy()
		if want == "" {
			want = have
		}
		if have != want {
			t.Errorf("together:\n%s\none by one:\n%s", have, want)
		}
	}
}
