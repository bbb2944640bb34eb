package tickets

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Retention says how long things are kept. The zero value keeps everything for ever.
type Retention struct {
	Spam        Period          // mail that is held, or was filed without a ticket, and tickets that were set aside
	Tickets     Keep            // closed tickets
	Categories  map[string]Keep // of tickets of a category, instead
	Delete      bool            // tickets whose time is over go; otherwise they are pseudonymised
	Attachments Period          // raw mail with attachments, of closed tickets whose category has no time of its own
	Audit       Period          // what the desk's log says
	Hold        []string        // numbers of tickets of which nothing is removed
}

// Keep is how long closed tickets are kept.
type Keep struct {
	For     Period
	YearEnd bool // counted from the end of the calendar year in which the ticket was closed
}

// Period is a time by the calendar. The zero value is for ever.
type Period struct{ Years, Months, Days int }

// IsZero reports whether the period has no end.
func (p Period) IsZero() bool { return p == Period{} }

// After is when the period is over that begins at an instant.
func (p Period) After(start time.Time) time.Time {
	t := start.AddDate(p.Years, p.Months, p.Days)
	if want := (int(start.Month()) - 1 + p.Months) % 12; p.Days == 0 && int(t.Month())-1 != want {
		t = t.AddDate(0, 0, -t.Day()) // 31 January and a month is the end of February
	}
	return t
}

// over reports whether the time since start has passed; never for a zero period.
func (p Period) over(start, now time.Time) bool {
	return !p.IsZero() && !start.IsZero() && !p.After(start).After(now)
}

// RetentionReport is what was removed because its time is over, or would be.
type RetentionReport struct {
	At            time.Time      `json:"at"`
	Preview       bool           `json:"preview"`
	Pseudonymised map[string]int `json:"pseudonymised"` // tickets by category
	Deleted       map[string]int `json:"deleted"`
	Spam          int            `json:"spam"`        // mails
	SetAside      int            `json:"set_aside"`   // quarantined tickets
	Attachments   int            `json:"attachments"` // raw mails
	Log           int            `json:"log"`         // entries
	Hold          int            `json:"hold"`        // tickets whose time is over and that are on hold
	Tickets       []string       `json:"ticket_numbers"`
	Rewritten     []Compacted    `json:"files_rewritten"`
}

// Total is how many things it is about.
func (r *RetentionReport) Total() int {
	n := r.Spam + r.SetAside + r.Attachments + r.Log
	for _, c := range r.Pseudonymised {
		n += c
	}
	for _, c := range r.Deleted {
		n += c
	}
	return n
}

// tagPseudonymised is on tickets that say nothing of anybody any more.
const tagPseudonymised = "pseudonymised"

// expired is what a retention run found.
type expired struct {
	tickets     []TicketID // closed
	setAside    []TicketID
	spam        []uint64 // messages
	attachments []uint64 // messages
	log         []uint64
}

// Retain removes what was kept long enough, or says what would be removed. Intake goes on meanwhile.
func (d *Desk) Retain(ctx context.Context, preview bool) (RetentionReport, error) {
	r, now := d.Rules().Retention, d.Now().UTC()
	report := RetentionReport{At: now, Preview: preview, Pseudonymised: map[string]int{}, Deleted: map[string]int{}, Tickets: []string{}, Rewritten: []Compacted{}}
	var found expired
	err := d.Store.View(func(tx *Tx) (err error) {
		found, err = tx.expired(&r, d.Rules().location(), now, &report)
		return err
	})
	if err != nil || preview || report.Total() == 0 {
		return report, err
	}
	if err := d.retain(ctx, &r, found, now); err != nil {
		return report, err
	}
	Failpoint("retention.rows")
	report.Rewritten, err = d.Store.Rewrite(ctx)
	return report, err
}

// location is the zone in which years end.
func (r *Rules) location() *time.Location {
	if r.Zone != nil {
		return r.Zone
	}
	return time.UTC
}

// expired finds everything whose time is over.
func (tx *Tx) expired(r *Retention, zone *time.Location, now time.Time, report *RetentionReport) (found expired, err error) {
	kept := map[TicketID]Period{} // how long the attachments of closed tickets are kept
	err = tx.Tickets(true, func(t *Ticket) (bool, error) {
		hold := slices.Contains(r.Hold, t.Number)
		switch {
		case t.State == StateQuarantined && r.Spam.over(t.StateSince, now):
			if hold {
				report.Hold++
			} else {
				found.setAside = append(found.setAside, t.ID)
				report.SetAside++
			}
		case t.State == StateClosed || t.State == StateMerged:
			keep, special := r.Categories[t.Category]
			if !special {
				keep = r.Tickets
				if !hold {
					kept[t.ID] = r.Attachments
				}
			}
			if slices.Contains(t.Tags, tagPseudonymised) && !r.Delete || !keep.over(t, zone, now) {
				return true, nil
			}
			if hold {
				report.Hold++
				return true, nil
			}
			found.tickets = append(found.tickets, t.ID)
			report.Tickets = append(report.Tickets, t.Number)
			delete(kept, t.ID)
			if r.Delete {
				report.Deleted[t.Category]++
			} else {
				report.Pseudonymised[t.Category]++
			}
		}
		return true, nil
	})
	if err == nil {
		err = tx.expiredMessages(r, kept, now, &found)
	}
	if err == nil {
		err = tx.expiredLog(r, now, &found)
	}
	report.Spam, report.Attachments, report.Log = len(found.spam), len(found.attachments), len(found.log)
	return found, err
}

// over reports whether a closed ticket was kept long enough.
func (k Keep) over(t *Ticket, zone *time.Location, now time.Time) bool {
	end := t.ClosedAt
	if end.IsZero() {
		end = t.StateSince
	}
	if k.YearEnd {
		end = time.Date(end.In(zone).Year()+1, 1, 1, 0, 0, 0, 0, zone)
	}
	return k.For.over(end.In(zone), now)
}

func (tx *Tx) expiredMessages(r *Retention, kept map[TicketID]Period, now time.Time, found *expired) error {
	if r.Spam.IsZero() && r.Attachments.IsZero() {
		return nil
	}
	return tx.each(bucketMessages, nil, func(k, v []byte) (bool, error) {
		var m Stored
		if err := decodeRecord(v, &m); err != nil {
			return false, fmt.Errorf("message %x: %w", k, err)
		}
		switch {
		case m.Erased:
		case m.Result == Quarantined || m.Result == Filed && m.Ticket == 0:
			if r.Spam.over(m.Stored, now) {
				found.spam = append(found.spam, m.Key)
			}
		case m.Raw.Month != "" && kept[m.Ticket].over(m.Arrived, now):
			attached, err := tx.hasAttachments(m.Ticket, m.Key)
			if attached {
				found.attachments = append(found.attachments, m.Key)
			}
			return err == nil, err
		}
		return true, nil
	})
}

// hasAttachments reports whether a message of a ticket came with files.
func (tx *Tx) hasAttachments(id TicketID, message uint64) (found bool, err error) {
	err = tx.each(bucketEntries, key64(uint64(id)), func(_, v []byte) (bool, error) {
		var e Entry
		if err := decodeRecord(v, &e); err != nil {
			return false, fmt.Errorf("entries of ticket %d: %w", id, err)
		}
		found = e.Message == message && len(e.Attached) > 0
		return !found, nil
	})
	return found, err
}

func (tx *Tx) expiredLog(r *Retention, now time.Time, found *expired) error {
	if r.Audit.IsZero() {
		return nil
	}
	return tx.each(bucketLog, nil, func(k, v []byte) (bool, error) {
		var e LogEntry
		if err := decodeRecord(v, &e); err != nil {
			return false, fmt.Errorf("log %x: %w", k, err)
		}
		if !r.Audit.over(e.At, now) {
			return false, nil // they stand in the order of time
		}
		if e.Detail != "" {
			found.log = append(found.log, binary.BigEndian.Uint64(k))
		}
		return true, nil
	})
}

// retainTickets is how many tickets are removed in one transaction.
const retainTickets = 1000

// retain removes what was found.
func (d *Desk) retain(ctx context.Context, r *Retention, found expired, now time.Time) error {
	first := true
	for part := range slices.Chunk(append([]TicketID{0}, found.tickets...), retainTickets) {
		err := d.Store.Update(ctx, func(tx *Tx) error {
			rm := newRemoval(tx, d.Rules(), "its time was over (retention)")
			for _, id := range part {
				if id == 0 {
					continue
				}
				if r.Delete {
					if _, err := tx.Ticket(id); err == nil {
						rm.tickets[id] = true
					}
				} else if err := d.pseudonymise(tx, rm, id, now); err != nil && !errors.Is(err, ErrNotFound) {
					return err
				}
			}
			if first {
				if err := rm.expired(found); err != nil {
					return err
				}
			}
			if err := rm.carryOut(); err != nil {
				return err
			}
			return tx.logRemoval(now, "retention.removed", "kept long enough", rm.done)
		})
		if err != nil {
			return err
		}
		first = false
	}
	return nil
}

// expired adds to a removal what belongs to no ticket, and what the tickets can do without.
func (r *removal) expired(found expired) error {
	for _, id := range found.setAside {
		if _, err := r.tx.Ticket(id); err == nil {
			r.tickets[id] = true
		}
	}
	for _, key := range found.spam {
		r.messages[key] = true
	}
	r.clear = append(r.clear, found.attachments...)
	for _, n := range found.log {
		var e LogEntry
		if _, err := r.tx.get(bucketLog, key64(n), &e); err != nil {
			return err
		}
		e.Detail = ""
		if err := r.tx.redact(bucketLog, key64(n), e); err != nil {
			return err
		}
		r.done.Redacted++
	}
	return r.forgetAnswers()
}

// forgetAnswers removes the addresses of automatic answers that count for no cap any more.
func (r *removal) forgetAnswers() error {
	var newest time.Time
	err := r.tx.each(bucketAnswers, nil, func(k, _ []byte) (bool, error) {
		if at := answerTime(k); at.After(newest) {
			newest = at
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return r.deleteWhere(bucketAnswers, func(k, _ []byte) bool { return newest.Sub(answerTime(k)) > 48*time.Hour })
}

// answerTime is when an automatic answer was sent: a row ends with it and the mail's number.
func answerTime(k []byte) time.Time {
	if len(k) < 16 {
		return time.Time{}
	}
	return keyTime(k[len(k)-16:])
}

// pseudonymise takes everything out of a ticket that says something of a person. When what happened, to which team and
// category it belonged and how long it took stays.
func (d *Desk) pseudonymise(tx *Tx, rm *removal, id TicketID, now time.Time) error {
	t, err := tx.Ticket(id)
	if err != nil {
		return err
	}
	if t.Alert != nil {
		k := alertKey(t.Requester.Mail, t.Alert.Key)
		if have := tx.btx.Bucket(bucketAlerts).Get(k); string(have) == string(key64(uint64(id))) {
			if err := tx.btx.Bucket(bucketAlerts).Delete(k); err != nil {
				return err
			}
		}
	}
	n, err := tx.rewriteEntries(id, func(e *Entry) (bool, error) { *e = e.withoutPeople(); return true, nil })
	if err != nil {
		return err
	}
	rm.done.Redacted += n
	rm.mailsOf[id] = true
	rm.people(t)
	messages, err := tx.TicketMessages(id)
	for _, m := range messages {
		rm.messages[m.Key] = true
	}
	if err != nil {
		return err
	}
	if t, err = tx.Ticket(id); err != nil {
		return err
	}
	e := Entry{At: now, Rev: d.Rules().Rev, Kind: EntryChanged, Actor: Actor{Kind: ActorTimer, Name: "retention"}, Detail: "pseudonymised: its time was over"}
	t.set(&e.Changes, fieldTags, strings.Join(union(t.Tags, []string{tagPseudonymised}), " "))
	return tx.append(t, e)
}

// withoutPeople is an entry without texts, addresses and names. The desk's own people stay: figures are made by team.
func (e *Entry) withoutPeople() Entry {
	kept := Entry{Ticket: e.Ticket, Seq: e.Seq, At: e.At, Kind: e.Kind, Actor: e.Actor, Cause: e.Cause, Rev: e.Rev,
		Message: e.Message, Verified: e.Verified, Outgoing: e.Outgoing, Template: e.Template}
	if e.Actor.Kind == ActorCustomer {
		kept.Actor.Name = ""
	}
	for _, c := range e.Changes {
		switch {
		case c.Field == fieldSubject:
			kept.Changes = append(kept.Changes, Change{Field: fieldSubject, After: "(pseudonymised)"})
		case slices.Contains(impersonal(), c.Field):
			kept.Changes = append(kept.Changes, c)
		}
	}
	return kept
}

// impersonal lists the fields that say nothing of a customer.
func impersonal() []string {
	return []string{fieldNumber, fieldState, fieldStateBefore, fieldLanguage, fieldMailbox, fieldVerified, fieldTeam, fieldTier, fieldOwner,
		fieldAssignee, fieldPriority, fieldTags, fieldCategory, fieldImpact, fieldUrgency, fieldCI, fieldService, fieldOrganisation,
		fieldServiceLevel, fieldSolvedAt, fieldClosedAt, fieldReopened, fieldFollowUpOf, fieldConfirmed, fieldResolutionCode, fieldClock, fieldMergedInto, fieldMergedFrom, fieldLinks, fieldSpent, fieldTouched}
}
