package tickets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"supportd/tickets/clock"
)

// Postponed is a notice that waits for its reader's working time. What has gathered until then is one mail.
type Postponed struct {
	To     string    `json:"to"`
	At     time.Time `json:"at"`
	Ticket TicketID  `json:"ticket"`
	Lines  []Line    `json:"lines"`
	// Many is the template of a notice that is told with others because there are so many; "" for one that waits for working
	// time.
	Many string `json:"many,omitempty"`
}

// timerPostponed is the kind of the timer rows that belong to no ticket: notices have waited long enough.
const timerPostponed = "postponed"

var bucketPostponed = []byte("postponed") // time, ticket ID, reader → Postponed

// gather is how long notices for one instant are collected before they leave: all timers of that instant come first.
const gather = time.Minute

func (n Postponed) key() []byte {
	return append(append(timeKey(n.At), key64(uint64(n.Ticket))...), n.To...)
}

// postpone keeps a notice until its time.
func (tx *Tx) postpone(n Postponed) error {
	n.At = n.At.UTC()
	key := n.key()
	var before Postponed
	if ok, err := tx.get(bucketPostponed, key, &before); err != nil {
		return err
	} else if ok {
		n.Lines, n.Many = append(before.Lines, n.Lines...), firstNonEmpty(before.Many, n.Many)
	}
	if err := tx.put(bucketPostponed, key, n); err != nil {
		return err
	}
	row := append(append(timeKey(n.At.Add(gather)), key64(0)...), timerPostponed...)
	return tx.btx.Bucket(bucketTimers).Put(row, []byte{})
}

// sendPostponed owes everything whose time has come: one mail to each reader.
func (d *Desk) sendPostponed(tx *Tx, now time.Time) error {
	var readers []string
	waiting := map[string][]Postponed{}
	var keys [][]byte
	err := tx.each(bucketPostponed, nil, func(k, v []byte) (bool, error) {
		if keyTime(k[:8]).After(now) {
			return false, nil
		}
		var n Postponed
		if err := decodeRecord(v, &n); err != nil {
			return false, fmt.Errorf("a notice that waits, %x: %w", k, err)
		}
		keys = append(keys, bytes.Clone(k))
		if _, known := waiting[n.To]; !known {
			readers = append(readers, n.To)
		}
		waiting[n.To] = append(waiting[n.To], n)
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := tx.btx.Bucket(bucketPostponed).Delete(k); err != nil {
			return err
		}
	}
	for _, reader := range readers {
		many := slices.DeleteFunc(slices.Clone(waiting[reader]), func(n Postponed) bool { return n.Many == "" })
		if err := d.tellMany(tx, reader, many, now); err != nil {
			return err
		}
		late := slices.DeleteFunc(waiting[reader], func(n Postponed) bool { return len(n.Lines) == 0 })
		if err := d.tellPostponed(tx, reader, late, now); err != nil {
			return err
		}
	}
	return nil
}

// tellPostponed tells one reader of what has gathered, as far as somebody still has to act on it.
func (d *Desk) tellPostponed(tx *Tx, reader string, list []Postponed, now time.Time) error {
	r := d.Rules()
	var about []*Ticket
	lines := map[TicketID][]Line{}
	for _, n := range list {
		t, err := tx.Ticket(n.Ticket)
		if errors.Is(err, ErrNotFound) || err == nil && !t.State.Live() {
			continue
		} else if err != nil {
			return err
		}
		if lines[t.ID] == nil {
			about = append(about, t)
		}
		lines[t.ID] = append(lines[t.ID], n.Lines...)
	}
	if len(about) == 0 {
		return nil
	}
	if len(about) == 1 {
		t := about[0]
		dr, err := d.timerDecider(tx, t, now)
		if err != nil {
			return err
		}
		dr.send(notices{{to: reader, lines: lines[t.ID], now: true}})
		return d.carryOutTimer(&application{tx: tx, r: r, in: dr.in, known: dr.k, dec: dr.out, now: now})
	}
	agent, _ := r.agent(reader)
	brand := r.brandOf(about[0].Mailbox)
	view := InternalView{Language: r.language(agent.Language), Desk: brand.Desk, DeskAddress: brand.From.Mail, Mode: "no right", Zone: r.Zone}
	for _, t := range about {
		view.Listed = append(view.Listed, r.listedFor(t, reader, Listed{Number: t.Number, Subject: t.Subject, State: t.State, Priority: t.Priority, Assignee: t.Assignee, Lines: lines[t.ID]}))
	}
	m := Mail{To: Address{Name: agent.Name, Mail: reader}, Class: ClassNotice, Template: TemplateGathered, Purpose: PurposeCopy, NoTicket: true, Internal: &view}
	a := &application{tx: tx, r: r, in: &Incoming{Arrived: now}, known: &Known{Brand: brand}, now: now}
	tx.onCommit(d.wakeSender)
	return d.owe(a, m)
}

// timerDecider is a decision about a ticket that no message brings about.
func (d *Desk) timerDecider(tx *Tx, t *Ticket, now time.Time) (*decider, error) {
	r := d.Rules()
	dr := &decider{k: &Known{Ticket: t, Brand: r.brandOf(t.Mailbox)}, in: &Incoming{Arrived: now}, r: r, now: now}
	dr.out.Ticket = t.clone()
	var err error
	if dr.k.Absent, err = tx.leaves(now); err != nil {
		return nil, err
	}
	if _, boxed := t.clock(clock.TimeBox, nil); boxed { // the packet of a handover is made of what was tried
		if dr.k.History, err = tx.lastEntries(t.ID, historyBack); err != nil {
			return nil, err
		}
	}
	dr.k.Recent, err = tx.lastEntries(t.ID, 6)
	return dr, err
}

// postponedTo lists what waits for people's working time until an instant, for those who ask what will happen.
func (tx *Tx) postponedTo(until time.Time) ([]Postponed, error) {
	var all []Postponed
	err := tx.each(bucketPostponed, nil, func(k, v []byte) (bool, error) {
		if int64(binary.BigEndian.Uint64(k[:8])) > int64(binary.BigEndian.Uint64(timeKey(until))) {
			return false, nil
		}
		var n Postponed
		if err := decodeRecord(v, &n); err != nil {
			return false, fmt.Errorf("a notice that waits, %x: %w", k, err)
		}
		n.To = strings.ToLower(n.To)
		all = append(all, n)
		return true, nil
	})
	return all, err
}

// why is why the notice waits.
func (n Postponed) why() string {
	if n.Many != "" {
		return "a notice that is told with others: there are so many"
	}
	return "a notice that waits for working time"
}
