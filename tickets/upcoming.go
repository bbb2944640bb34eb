package tickets

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"
)

// Coming is something that will happen to a ticket at an instant if nothing happens to it before.
type Coming struct {
	At       time.Time `json:"at"`
	Ticket   string    `json:"ticket"`
	Subject  string    `json:"subject"`
	What     string    `json:"what"`     // in words, such as "resolve: 80 %"
	To       string    `json:"to"`       // who is told; "" when nobody is
	Template string    `json:"template"` // of the mail; "" when there is none
	Waits    time.Time `json:"waits,omitzero"`
}

// Upcoming lists what timers will do until an instant, at most so much, in the order in which it will happen. It decides
// each as the desk will, and does nothing.
func (d *Desk) Upcoming(_ context.Context, until time.Time, limit int) ([]Coming, error) {
	list := []Coming{}
	r := d.Rules()
	err := d.Store.View(func(tx *Tx) error {
		c := tx.btx.Bucket(bucketTimers).Cursor()
		for k, _ := c.First(); k != nil && len(list) < limit && !keyTime(k[:8]).After(until); k, _ = c.Next() {
			at, id, kind := keyTime(k[:8]), TicketID(binary.BigEndian.Uint64(k[8:16])), string(k[16:])
			if kind == timerPostponed {
				continue
			}
			t, err := tx.Ticket(id)
			if errors.Is(err, ErrNotFound) || errors.Is(err, errDamaged) {
				continue
			} else if err != nil {
				return err
			}
			if now := d.Now().UTC(); at.Before(now) {
				at = now
			}
			if !slices.ContainsFunc(timers(t, r, at), func(tm timer) bool { return tm.kind == kind && !tm.at.After(at) }) {
				continue // stale
			}
			dr, err := d.timerDecider(tx, t, at)
			if err != nil {
				return err
			}
			dr.onTimer(kind, at)
			list = append(list, dr.coming(at, t)...)
		}
		waiting, err := tx.postponedTo(until)
		for _, n := range waiting {
			t, err := tx.Ticket(n.Ticket)
			if err != nil || !t.State.Live() {
				continue
			}
			list = append(list, Coming{At: n.At.Add(gather), Ticket: t.Number, Subject: t.Subject, What: n.why(), To: n.To, Template: TemplateGathered})
		}
		return err
	})
	slices.SortStableFunc(list, func(a, b Coming) int { return a.At.Compare(b.At) })
	return list, err
}

// coming lists what was decided, one for each mail.
func (d *decider) coming(at time.Time, t *Ticket) (list []Coming) {
	var what []string
	for _, e := range d.out.Entries {
		what = append(what, e.Detail)
	}
	if len(what) == 0 {
		return nil
	}
	one := Coming{At: at, Ticket: t.Number, Subject: t.Subject, What: strings.Join(what, "; ")}
	for _, m := range d.out.Mails {
		one.To, one.Template = m.To.Mail, m.Template
		list = append(list, one)
	}
	for _, n := range d.out.Postponed {
		one.To, one.Template, one.Waits = n.To, TemplateEscalation, n.At
		list = append(list, one)
	}
	if len(list) == 0 {
		list = append(list, one)
	}
	return list
}
