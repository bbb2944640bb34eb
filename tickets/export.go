package tickets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ExportedTicket is a ticket with everything that is stored of it but the raw mail.
type ExportedTicket struct {
	Ticket   Ticket   `json:"ticket"`
	Entries  []Entry  `json:"entries"`
	Messages []Stored `json:"messages"`
}

// ExportPage is a run of tickets. Next is what to ask for to get those after them; 0 when there are no more.
type ExportPage struct {
	Tickets []ExportedTicket `json:"tickets"`
	Next    TicketID         `json:"next,omitempty"`
}

const pageTickets = 200

// Export returns the tickets with that ID or a later one, in the order in which they were made.
func (s *Store) Export(from TicketID) (ExportPage, error) {
	p := ExportPage{Tickets: []ExportedTicket{}}
	err := s.View(func(tx *Tx) error {
		c := tx.btx.Bucket(bucketTickets).Cursor()
		for k, _ := c.Seek(key64(uint64(from))); k != nil; k, _ = c.Next() {
			id := TicketID(binary.BigEndian.Uint64(k))
			if len(p.Tickets) == pageTickets {
				p.Next = id
				return nil
			}
			t, err := tx.exported(id)
			if err != nil {
				return err
			}
			p.Tickets = append(p.Tickets, *t)
		}
		return nil
	})
	return p, err
}

func (tx *Tx) exported(id TicketID) (*ExportedTicket, error) {
	t, err := tx.Ticket(id)
	if err != nil {
		return nil, err
	}
	e := &ExportedTicket{Ticket: *t}
	if e.Entries, err = tx.Entries(id); err == nil {
		e.Messages, err = tx.TicketMessages(id)
	}
	return e, err
}

// PersonData is what is stored about a person, for them (GDPR Art. 15): what they wrote and were written, and where their
// address stands. What others wrote among themselves, and the desk's people, are not in it.
type PersonData struct {
	Address string         `json:"address"`
	Names   []string       `json:"names"`
	At      time.Time      `json:"at"`
	Tickets []PersonTicket `json:"tickets"`
	Mails   []PersonMail   `json:"mails"`    // that they sent
	Sent    []PersonSent   `json:"sent"`     // by the desk, to them
	OnFile  []string       `json:"kept_for"` // what their address is kept for beside that
}

// PersonTicket is a ticket that the person opened or takes part in, as far as it concerns them.
type PersonTicket struct {
	Number   string        `json:"number"`
	Role     string        `json:"role"` // requester or participant
	State    State         `json:"state"`
	Subject  string        `json:"subject"`
	Category string        `json:"category,omitempty"`
	Created  time.Time     `json:"created"`
	ClosedAt time.Time     `json:"closed_at,omitzero"`
	Entries  []PersonEntry `json:"entries"`
}

// PersonEntry is a message of a ticket that the person wrote, was sent, or may see as its requester.
type PersonEntry struct {
	At       time.Time `json:"at"`
	Kind     EntryKind `json:"kind"`
	From     string    `json:"from,omitempty"` // "" for the desk
	Text     string    `json:"text,omitempty"`
	Attached []string  `json:"attached,omitempty"`
}

// PersonMail is a mail of the person, raw.
type PersonMail struct {
	Key       uint64    `json:"key"`
	Arrived   time.Time `json:"arrived"`
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id,omitempty"`
	Result    Result    `json:"result"`
	Raw       []byte    `json:"raw,omitempty"` // nil: it is not kept
}

// PersonSent is a mail of the desk to the person.
type PersonSent struct {
	At      time.Time     `json:"at"`
	Subject string        `json:"subject"`
	State   DeliveryState `json:"state"`
}

// ExportPerson collects what is stored about a person. It fails with ErrNotFound when that is nothing.
func (d *Desk) ExportPerson(p Person) (PersonData, error) {
	address := strings.ToLower(strings.TrimSpace(p.Address))
	data := PersonData{Address: address, Names: slices.Clone(p.Names), At: d.Now().UTC(), Tickets: []PersonTicket{}, Mails: []PersonMail{}, Sent: []PersonSent{}, OnFile: []string{}}
	if err := checkAddress(address); err != nil {
		return data, err
	}
	var stored []Stored
	err := d.Store.View(func(tx *Tx) (err error) {
		for _, collect := range []func(*Desk, *Tx) error{data.tickets, data.sent, data.onFile} {
			if err := collect(d, tx); err != nil {
				return err
			}
		}
		stored, err = tx.messagesFrom(address)
		return err
	})
	for i := 0; err == nil && i < len(stored); i++ {
		m := &stored[i]
		data.addName(m.From.Name)
		mail := PersonMail{Key: m.Key, Arrived: m.Arrived, Subject: m.Subject, MessageID: m.MessageID, Result: m.Result}
		if m.Raw.Month != "" {
			if mail.Raw, err = d.Raw(m); errors.Is(err, ErrNotFound) {
				err = nil
			}
		}
		data.Mails = append(data.Mails, mail)
	}
	if err == nil && len(data.Tickets)+len(data.Mails)+len(data.Sent)+len(data.OnFile) == 0 {
		err = fmt.Errorf("anything about %s: %w", address, ErrNotFound)
	}
	return data, err
}

func (p *PersonData) addName(name string) {
	if name != "" && !slices.Contains(p.Names, name) {
		p.Names = append(p.Names, name)
	}
}

func (tx *Tx) messagesFrom(address string) (found []Stored, err error) {
	err = tx.each(bucketMessages, nil, func(k, v []byte) (bool, error) {
		var m Stored
		if err := decodeRecord(v, &m); err != nil {
			return false, fmt.Errorf("message %x: %w", k, err)
		}
		if strings.EqualFold(m.From.Mail, address) {
			found = append(found, m)
		}
		return true, nil
	})
	return found, err
}

// tickets collects the tickets that the person opened or takes part in.
func (p *PersonData) tickets(d *Desk, tx *Tx) error {
	return tx.Tickets(true, func(t *Ticket) (bool, error) {
		if !t.participant(p.Address) {
			return true, nil
		}
		role := "participant"
		if strings.EqualFold(t.Requester.Mail, p.Address) {
			role = "requester"
			p.addName(t.Requester.Name)
		}
		entries, err := tx.Entries(t.ID)
		if err != nil {
			return false, err
		}
		out := PersonTicket{Number: t.Number, Role: role, State: t.State, Subject: t.Subject, Category: t.Category, Created: t.Created, ClosedAt: t.ClosedAt, Entries: []PersonEntry{}}
		for i := range entries {
			if e, ok := p.entry(d.Rules(), &entries[i], role == "requester"); ok {
				out.Entries = append(out.Entries, e)
			}
		}
		p.Tickets = append(p.Tickets, out)
		return true, nil
	})
}

// entry is an entry as the person may see it; ok is false when it is none of theirs.
func (p *PersonData) entry(r *Rules, e *Entry, requester bool) (PersonEntry, bool) {
	theirs := strings.EqualFold(e.From, p.Address)
	told := slices.ContainsFunc(e.To, func(to string) bool { return strings.EqualFold(to, p.Address) })
	switch e.Kind {
	case EntryReceived, EntryAutomatic:
		if !theirs && !told && !requester {
			return PersonEntry{}, false
		}
	case EntryAnswered:
		if !requester && !told {
			return PersonEntry{}, false
		}
	default:
		return PersonEntry{}, false // notes, commands and what the desk did by itself
	}
	out := PersonEntry{At: e.At, Kind: e.Kind, From: e.From, Text: e.Text}
	if _, agent := r.agent(e.From); agent || r.isOwn(e.From) || e.Kind == EntryAnswered {
		out.From = "" // the desk's people are known by the desk's name only
	}
	for _, a := range e.Attached {
		out.Attached = append(out.Attached, a.Name)
	}
	return out, true
}

// sent collects the mails to the person.
func (p *PersonData) sent(_ *Desk, tx *Tx) error {
	return tx.each(bucketOutbox, nil, func(k, v []byte) (bool, error) {
		var o Outgoing
		if err := decodeRecord(v, &o); err != nil {
			return false, fmt.Errorf("outbox %x: %w", k, err)
		}
		if strings.EqualFold(o.Recipient, p.Address) {
			p.Sent = append(p.Sent, PersonSent{At: o.Created, Subject: o.Subject, State: o.State})
		}
		return true, nil
	})
}

// onFile collects what else the address is kept for.
func (p *PersonData) onFile(_ *Desk, tx *Tx) error {
	if tx.btx.Bucket(bucketPrincipals).Get([]byte(p.Address)) != nil {
		p.OnFile = append(p.OnFile, "a number that stands for the address in reply addresses")
	}
	n, err := tx.answersSince(p.Address, time.Unix(0, 0))
	if n > 0 {
		p.OnFile = append(p.OnFile, fmt.Sprintf("the times of %d automatic answers, so that there are not too many", n))
	}
	return err
}
