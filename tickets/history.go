package tickets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Past is a message that the desk took in, with what it knew when it decided about it: enough to decide once more, under
// these rules or others. What only the moment knew is left out: how many automatic answers somebody had got in that
// hour, and which other ticket the message might have belonged to.
type Past struct {
	Stored Stored `json:"stored"`
	Raw    []byte `json:"raw,omitempty"` // nil for what was never fetched
	// Unreadable says why Raw is missing although the message was fetched.
	Unreadable string `json:"unreadable,omitempty"`

	Ticket *Ticket `json:"ticket,omitempty"` // the one it continued, as it was before; nil when it continued none
	By     string  `json:"by,omitempty"`     // what said that it continues Ticket
	Agent  bool    `json:"agent,omitempty"`  // an agent's answer, note or command on a ticket
	Ended  *Ended  `json:"ended,omitempty"`  // the ticket that it made or joined, as it is now
}

// Ended is what became of a ticket: people's word on what the desk had decided.
type Ended struct {
	ID       TicketID `json:"id"`
	Number   string   `json:"number"`
	State    State    `json:"state"`
	Category string   `json:"category,omitempty"`
	Priority string   `json:"priority,omitempty"`
	Team     string   `json:"team"`
	Tier     int      `json:"tier"`
	// Worked: an agent took it, answered or solved it, so that what it says is more than the desk's own guess.
	Worked bool `json:"worked,omitempty"`
}

// Known is what the desk knew about the message, for Decide under any rules.
func (p *Past) Known(r *Rules) *Known {
	k := Unknown(r, p.Stored.Source.Mailbox)
	k.Own = p.Stored.Kind == KindOwn
	k.Admitted = strings.HasPrefix(p.Stored.Why, releasedBy)
	if p.Ended != nil && p.Stored.Result == Created {
		k.NextID = p.Ended.ID
		if n, err := strconv.ParseUint(p.Ended.Number[strings.LastIndexByte(p.Ended.Number, '-')+1:], 10, 64); err == nil {
			k.NextCount = n
		}
	}
	if p.Ticket != nil && p.By == byAlert {
		k.Alert = &AlertBefore{Ticket: p.Ticket.clone(), Touched: p.Ticket.touched()}
	} else if p.Ticket != nil {
		k.Ticket, k.By = p.Ticket.clone(), p.By
		k.Token = Token{Purpose: PurposeCustomer, Ticket: p.Ticket.ID}
	}
	return k
}

// releasedBy begins the reason of a message that a person let in.
const releasedBy = "released by "

// Incoming is the message as it came in, read anew.
func (p *Past) Incoming(read func(raw []byte, arrived time.Time) *Message) *Incoming {
	in := &Incoming{Source: p.Stored.Source, Arrived: p.Stored.Arrived, Size: p.Stored.Size, Raw: p.Raw, Absent: p.Stored.Absent}
	if p.Raw != nil {
		if in.Message = read(p.Raw, p.Stored.Arrived); in.Message != nil {
			in.Message.Signatures = p.Stored.Signatures
		}
	}
	return in
}

// HistoryPage is a run of stored messages. Next is what to ask for to get those after them; 0 when there are no more.
type HistoryPage struct {
	Messages []Past `json:"messages"`
	Next     uint64 `json:"next,omitempty"`
}

// A page ends after so many messages or octets of raw mail, whichever comes first.
const (
	pageMessages = 512
	pageOctets   = 4 << 20
)

// History returns the messages with that key or a later one that were stored at or after since, in the order in which
// they were stored. It changes nothing, and holds up nobody for longer than a page takes to be read.
func (s *Store) History(from uint64, since time.Time) (HistoryPage, error) {
	var p HistoryPage
	err := s.View(func(tx *Tx) error {
		h := history{tx: tx, at: map[TicketID]*Ticket{}}
		var octets int64
		c := tx.btx.Bucket(bucketMessages).Cursor()
		for k, v := c.Seek(key64(from)); k != nil; k, v = c.Next() {
			if len(p.Messages) >= pageMessages || octets >= pageOctets {
				p.Next = binary.BigEndian.Uint64(k)
				return nil
			}
			var m Stored
			if err := decodeRecord(v, &m); err != nil {
				return fmt.Errorf("message %d: %w", binary.BigEndian.Uint64(k), err)
			}
			if m.Stored.Before(since) {
				continue
			}
			past, err := h.past(m)
			if err != nil {
				return err
			}
			p.Messages = append(p.Messages, past)
			octets += m.Size
		}
		return nil
	})
	if err == nil {
		err = s.mail.fill(p.Messages)
	}
	return p, err
}

// Recall returns single messages: those of a ticket by its number, oldest first, or the one with that key, written
// message:12, or with that Message-ID. It fails with ErrNotFound when there is none.
func (s *Store) Recall(name string) ([]Past, error) {
	var found []Past
	err := s.View(func(tx *Tx) error {
		h := history{tx: tx, at: map[TicketID]*Ticket{}}
		stored, err := h.named(strings.Trim(strings.TrimSpace(name), "<>"))
		if err != nil {
			return err
		}
		for _, m := range stored {
			past, err := h.past(m)
			if err != nil {
				return err
			}
			found = append(found, past)
		}
		return nil
	})
	if err == nil {
		err = s.mail.fill(found)
	}
	return found, err
}

// history reads what was.
type history struct {
	tx *Tx
	at map[TicketID]*Ticket // tickets as far as their entries were replayed
}

// named finds messages by what people call them: a ticket's number, message:12, or a Message-ID.
func (h *history) named(name string) ([]Stored, error) {
	if rest, ok := strings.CutPrefix(name, "message:"); ok {
		key, err := strconv.ParseUint(rest, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("message:%s: want a number, as supportd ticket show --json lists it", rest)
		}
		m, err := h.tx.Stored(key)
		if err != nil {
			return nil, err
		}
		return []Stored{*m}, nil
	}
	if strings.Contains(name, "@") {
		return h.byMessageID(name)
	}
	t, err := h.tx.TicketByNumber(name)
	if err != nil {
		return nil, err
	}
	list, err := h.tx.TicketMessages(t.ID)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("messages of ticket %s: %w", t.Number, ErrNotFound)
	}
	return list, err
}

// byMessageID looks through the messages, the newest first: nothing but people asks for one by its Message-ID.
func (h *history) byMessageID(id string) ([]Stored, error) {
	c := h.tx.btx.Bucket(bucketMessages).Cursor()
	for k, v := c.Last(); k != nil; k, v = c.Prev() {
		var m Stored
		if err := decodeRecord(v, &m); err != nil {
			return nil, fmt.Errorf("message %d: %w", binary.BigEndian.Uint64(k), err)
		}
		if m.MessageID == id {
			return []Stored{m}, nil
		}
	}
	return nil, fmt.Errorf("message <%s>: %w", id, ErrNotFound)
}

// past adds to a message what the desk knew about it.
func (h *history) past(m Stored) (Past, error) {
	p := Past{Stored: m}
	if m.Ticket == 0 {
		return p, nil
	}
	t, err := h.tx.Ticket(m.Ticket)
	if errors.Is(err, ErrNotFound) {
		return p, nil // erased since
	} else if err != nil {
		return p, err
	}
	p.Ended = &Ended{ID: t.ID, Number: t.Number, State: t.State, Category: t.Category, Priority: t.Priority, Team: t.Team, Tier: t.Tier,
		Worked: t.State != StateNew || t.Assignee != ""}
	for _, r := range m.Reasons {
		if by, ok := strings.CutPrefix(r.Why, "by its "); ok && r.What == "thread" {
			p.By = by
		}
	}
	if m.Result != Created {
		var first *Entry
		p.Ticket, first, err = h.before(t.ID, m.Key)
		p.Agent = first != nil && first.Actor.Kind == ActorAgent
		return p, err
	}
	if t.FollowUpOf != 0 {
		p.Ticket, err = h.until(t.FollowUpOf, m.Stored)
	}
	return p, err
}

// before replays a ticket up to what a message brought about, and returns the first entry of that. Later messages of
// the same ticket go on from there.
func (h *history) before(id TicketID, message uint64) (*Ticket, *Entry, error) {
	cause := messageCause(message)
	for range 2 {
		t := h.at[id]
		if t == nil {
			t = &Ticket{ID: id}
			h.at[id] = t
		}
		var first *Entry
		err := h.each(id, t.Entries+1, func(e *Entry) (bool, error) {
			if e.Cause == cause {
				first = e
				return false, nil
			}
			return true, t.apply(*e)
		})
		if err != nil {
			return nil, nil, err
		}
		if first != nil && t.Number != "" {
			return t.clone(), first, nil
		}
		delete(h.at, id) // the message stands before where the last one was: once more from the start
	}
	return nil, nil, nil
}

// until replays a ticket up to an instant; nil when it was not there yet.
func (h *history) until(id TicketID, at time.Time) (*Ticket, error) {
	t := &Ticket{ID: id}
	err := h.each(id, 1, func(e *Entry) (bool, error) {
		if !e.At.Before(at) {
			return false, nil
		}
		return true, t.apply(*e)
	})
	if t.Number == "" {
		return nil, err
	}
	return t, err
}

// each calls fn for the entries of a ticket from seq on, until it returns false.
func (h *history) each(id TicketID, seq uint64, fn func(*Entry) (bool, error)) error {
	prefix := string(key64(uint64(id)))
	c := h.tx.btx.Bucket(bucketEntries).Cursor()
	for k, v := c.Seek(entryKey(id, seq)); k != nil && strings.HasPrefix(string(k), prefix); k, v = c.Next() {
		var e Entry
		if err := decodeRecord(v, &e); err != nil {
			return fmt.Errorf("entries of ticket %d: %w", id, err)
		}
		if more, err := fn(&e); err != nil || !more {
			return err
		}
	}
	return nil
}

// messageCause is what an entry says of the message that brought it about.
func messageCause(key uint64) string { return "message " + strconv.FormatUint(key, 10) }

// fill reads the raw bytes of messages, each month in one go. What cannot be read is said at the message: one damaged
// mail must not hide the others.
func (a *archive) fill(list []Past) error {
	for done := 0; done < len(list); {
		month := list[done].Stored.Raw.Month
		end := done + 1
		for end < len(list) && list[end].Stored.Raw.Month == month {
			end++
		}
		run := list[done:end]
		done = end
		if month == "" {
			continue
		}
		err := a.view(month, func(db *bolt.DB) error {
			for i := range run {
				raw, err := getRaw(db, run[i].Stored.Raw)
				if err != nil {
					run[i].Unreadable = err.Error()
					continue
				}
				run[i].Raw = raw
			}
			return nil
		})
		if err != nil {
			for i := range run {
				run[i].Unreadable = err.Error()
			}
		}
	}
	return nil
}
