//go:build linux && crash

package crash

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"time"

	"supportd/tickets"
)

// Snapshot is all of a desk that the oracle looks at, read from its state directory while no desk runs there.
type Snapshot struct {
	OpenError string // why it cannot be opened; the rest is empty then
	Doctor    tickets.Diagnosis
	Tickets   []TicketView
	Messages  []MessageView
	Outbox    []MailView
	Places    map[string]tickets.Place // by mailbox; of the mailboxes that have messages
	Problems  []string                 // found while reading
}

// TicketView is one ticket.
type TicketView struct {
	ID     tickets.TicketID
	Number string
	State  tickets.State
	Times  []time.Time // of its entries
	Steps  []string    // clock steps that were told, such as "first_response: 100 %"
	Texts  []string    // texts of its entries
}

// MessageView is one message record.
type MessageView struct {
	Source tickets.Source
	Serial string // of the X-Oracle field of its raw message; "" when there is none
	Result tickets.Result
	Absent tickets.Absence
	Ticket tickets.TicketID
	Why    string
}

// MailView is one mail of the outbox.
type MailView struct {
	ID        tickets.OutgoingID
	Ticket    tickets.TicketID
	Template  string
	Recipient string
	MessageID string
	State     tickets.DeliveryState
	Attempts  int
	InDoubt   int
	SHA256    tickets.Digest
}

// Inspect reads a state directory. It opens the store as supportd does, so it may create what supportd would create.
func Inspect(dir string) (s Snapshot) {
	store, err := tickets.OpenStore(dir, tickets.Options{Now: time.Now, Random: rand.Reader})
	if err != nil {
		s.OpenError = err.Error()
		return s
	}
	defer func() {
		if err := store.Close(); err != nil {
			s.Problems = append(s.Problems, "close: "+err.Error())
		}
	}()
	if s.Doctor, err = store.Doctor(context.Background()); err != nil {
		s.Problems = append(s.Problems, "doctor: "+err.Error())
	}
	desk := tickets.NewDesk(store, &tickets.Rules{Calendar: tickets.AroundTheClock{}}, time.Now, slog.New(slog.DiscardHandler))
	if err := store.View(func(tx *tickets.Tx) error { return s.read(tx, desk) }); err != nil {
		s.Problems = append(s.Problems, "read: "+err.Error())
	}
	if err := s.places(desk); err != nil {
		s.Problems = append(s.Problems, "places: "+err.Error())
	}
	return s
}

func (s *Snapshot) read(tx *tickets.Tx, desk *tickets.Desk) error {
	err := tx.Tickets(true, func(t *tickets.Ticket) (bool, error) {
		entries, err := tx.Entries(t.ID)
		v := TicketView{ID: t.ID, Number: t.Number, State: t.State}
		for _, e := range entries {
			v.Times = append(v.Times, e.At)
			v.Texts = append(v.Texts, e.Text)
			if e.Kind == tickets.EntryClock && e.Actor.Kind == tickets.ActorTimer {
				v.Steps = append(v.Steps, e.Detail)
			}
		}
		s.Tickets = append(s.Tickets, v)
		return true, err
	})
	if err != nil {
		return err
	}
	for key := uint64(1); ; key++ {
		m, err := tx.Stored(key)
		if errors.Is(err, tickets.ErrNotFound) {
			break
		} else if err != nil {
			return err
		}
		v := MessageView{Source: m.Source, Result: m.Result, Absent: m.Absent, Ticket: m.Ticket, Why: m.Why}
		if m.Raw.Month != "" {
			raw, err := desk.Raw(m)
			if err != nil {
				return err
			}
			v.Serial = serialOf(raw)
		}
		s.Messages = append(s.Messages, v)
	}
	outbox, err := tx.Outbox(true)
	for _, o := range outbox {
		s.Outbox = append(s.Outbox, MailView{ID: o.ID, Ticket: o.Ticket, Template: o.Template, Recipient: o.Recipient,
			MessageID: o.MessageID, State: o.State, Attempts: o.Attempts, InDoubt: o.InDoubt, SHA256: o.SHA256})
	}
	return err
}

// places reads how far each mailbox was read, and looks whether all below is settled.
func (s *Snapshot) places(desk *tickets.Desk) error {
	s.Places = map[string]tickets.Place{}
	ctx := context.Background()
	for i := len(s.Messages) - 1; i >= 0; i-- {
		src := s.Messages[i].Source
		if _, ok := s.Places[src.Mailbox]; ok {
			continue
		}
		p, err := desk.Place(ctx, src.Mailbox, src.UIDValidity)
		if err != nil {
			return err
		}
		s.Places[src.Mailbox] = p
		var uids []uint32
		for uid := uint32(1); uid < p.Next; uid++ {
			if _, hole := p.Holes[uid]; !hole {
				uids = append(uids, uid)
			}
		}
		settled, err := desk.Settled(ctx, src.Mailbox, src.UIDValidity, uids)
		if err != nil {
			return err
		}
		if len(settled) != len(uids) {
			s.Problems = append(s.Problems, fmt.Sprintf("mailbox %q: the place is before UID %d, and %d of the %d below are settled",
				src.Mailbox, p.Next, len(settled), len(uids)))
		}
	}
	return nil
}

// serialOf reads the number that the generator gave a message.
func serialOf(raw []byte) string {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	m, err := mail.ReadMessage(bytes.NewReader(append(bytes.Clone(head), "\r\n\r\n"...)))
	if err != nil {
		for line := range bytes.SplitSeq(head, []byte("\r\n")) {
			if v, ok := bytes.CutPrefix(line, []byte("X-Oracle: ")); ok {
				return string(v)
			}
		}
		return ""
	}
	return m.Header.Get("X-Oracle")
}

// faults lists what is wrong with a desk by itself.
func (s *Snapshot) faults() []string {
	if s.OpenError != "" {
		return []string{"it cannot be opened: " + s.OpenError}
	}
	return append(append([]string{}, s.Doctor.Problems...), s.Problems...)
}
