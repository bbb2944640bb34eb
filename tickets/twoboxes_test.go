package tickets

import (
	"context"
	"testing"
)

// S-028: a mail to two of the desk's addresses comes twice, into two mailboxes and with other trace fields. It is one ticket,
// of whichever mailbox was read first, with one acknowledgement; the other copy is booked as a duplicate.
func TestOneMailToTwoAddresses_S028(t *testing.T) {
	for _, first := range []string{"support", "sales"} {
		k := newKit(t, func(r *Rules) {
			r.Brands["kontor"] = Brand{Name: "kontor", Desk: "Kontor", From: Address{Mail: "sales@desk.example"}, Server: "smtp", Prefix: "KS", Plus: true}
			r.Mailboxes["sales"] = Intake{Brand: "kontor", MaxSize: 25 << 20}
		})
		if _, err := k.desk.Place(context.Background(), "sales", testValidity); err != nil {
			t.Fatal(err)
		}
		m := k.mail(kunde, "An beide", "Wer von Ihnen ist zuständig?", func(m *Message) {
			m.To = []Address{{Mail: deskAddress}, {Mail: "sales@desk.example"}}
		})
		order := []string{first, map[string]string{"support": "sales", "sales": "support"}[first]}
		var outs []Outcome
		for i, mailbox := range order {
			copied := *m
			copied.Fields = append([]Field{{"Delivered-To", mailbox + "@desk.example"}, {"Received", "by mx" + itoa(i)}}, m.Fields...)
			in := k.incoming(&copied)
			in.Source = Source{mailbox, testValidity, 1}
			outs = append(outs, k.receiveAll(in)...)
		}
		if outs[0].Result != Created || outs[1].Result != Duplicate || outs[1].Ticket != outs[0].Ticket {
			t.Errorf("first %s: %+v", first, outs)
		}
		if got := k.ticket(outs[0].Ticket).Mailbox; got != first {
			t.Errorf("first %s: the ticket is %s's", first, got)
		}
		if sent := outside(k.deliver()); len(sent) != 1 {
			t.Errorf("first %s: sent %s", first, summary(sent))
		}
		if b := k.books(); b.Seen != 2 || b.Balance() != 0 {
			t.Errorf("books %+v", b)
		}
		k.healthy()
	}
}
