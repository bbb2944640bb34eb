package tickets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Alerts of monitoring systems (domain.md S41). Those with the same key are about the same thing: within the window
// they join one ticket, the end of the problem solves it unless a person has acted, and what comes and goes all the time
// stays one ticket that is told about once. While a ticket of the highest priority is open on an item, tickets about
// items that need it are made without telling anybody.

// AlertState is what a ticket remembers of the alerts that it is about.
type AlertState struct {
	Key     string    `json:"key"`
	Problem bool      `json:"problem"` // what the last one said; false: it is over
	Last    time.Time `json:"last"`    // when that was
	// Turns are the instants of the last 24 hours at which a problem ended or came back, oldest first.
	Turns []time.Time `json:"turns,omitempty"`
}

// Flapping reports whether the thing comes and goes so often that people are told no more.
func (a *AlertState) Flapping() bool { return a != nil && len(a.Turns) >= flapTurns }

const (
	flapTurns  = 5 // as many turns within flapWindow are flapping: the third problem after two recoveries
	flapWindow = 24 * time.Hour
	maxTurns   = 20
	tagFlaps   = "flapping"
)

// topPriority is what silences the alerts of items that need this one.
const topPriority = "P1"

// AlertBefore is the ticket that alerts with a message's key joined last.
type AlertBefore struct {
	Ticket  *Ticket
	Touched bool    // a person has acted on it
	Recent  []Entry // of Ticket, newest first
}

// byAlert is what says that an alert joins a ticket.
const byAlert = "alert key"

// next is the state after one more alert.
func (a AlertState) next(problem bool, now time.Time) AlertState {
	turns := slices.DeleteFunc(slices.Clone(a.Turns), func(t time.Time) bool { return now.Sub(t) > flapWindow })
	if problem != a.Problem {
		turns = append(turns, now.UTC())
	}
	turns = turns[max(len(turns)-maxTurns, 0):]
	return AlertState{Key: a.Key, Problem: problem, Last: now.UTC(), Turns: turns}
}

// alert settles an alert that can be read.
func (d *decider) alert() {
	v, before := &d.out.Verdict, d.k.Alert
	switch {
	case v.Auth == AuthFail && !d.k.Admitted:
		d.newTicket() // which holds it
	case before != nil && d.joins(before.Ticket):
		d.join(before)
	case v.Alert.Problem:
		if o := d.k.Outage; o != nil {
			d.reason("notices", "none", fmt.Sprintf("%s is open on %s, which %s needs", o.Number, o.CI, v.CI))
		}
		d.newTicket()
	default:
		d.end(Filed, fmt.Sprintf("an alert that ends or remarks something no ticket is about: %s", oneLine(v.Alert.Key)))
	}
}

// joins reports whether an alert belongs to the ticket of the one before it.
func (d *decider) joins(t *Ticket) bool {
	window := d.out.Verdict.Alert.Window
	return t != nil && t.Alert != nil && t.State != StateClosed && d.now.Sub(t.Alert.Last) <= window
}

// join adds an alert to the ticket of the one before it.
func (d *decider) join(before *AlertBefore) {
	a, v := d.out.Verdict.Alert, &d.out.Verdict
	t := before.Ticket.clone()
	d.out.Ticket = t
	d.k.Ticket, d.k.Recent = before.Ticket, before.Recent // it continues that one, as it turns out
	d.reason("thread", t.Number, "by its "+byAlert)
	e := Entry{Kind: EntryAutomatic, Actor: Actor{Kind: ActorSystem, Name: a.System}, From: d.from().Mail, Text: excerpt(d.alertText()),
		MessageID: d.m.ID, Verified: v.Auth == AuthPass}
	defer func() {
		d.end(Appended, "on "+t.Number+", by its "+byAlert)
	}()
	if a.Notice {
		e.Detail = "a remark of the monitoring: " + a.State
		d.entry(e)
		return
	}
	was := *t.Alert
	state := was.next(a.Problem, d.now)
	t.set(&e.Changes, fieldAlert, formatJSON(state))
	begins := state.Flapping() && !was.Flapping()
	if state.Flapping() && !slices.Contains(t.Tags, tagFlaps) {
		t.set(&e.Changes, fieldTags, strings.Join(append(slices.Clone(t.Tags), tagFlaps), " "))
	}
	tell := a.Problem != was.Problem && (!state.Flapping() || begins) && !d.silenced()
	if a.Problem {
		e.Detail = "the problem again: " + a.State
		d.again(t, &e, before.Touched)
	} else {
		d.recovered(t, &e, before, state)
	}
	if begins {
		e.Detail += fmt.Sprintf("; it came and went %d times within a day: nobody is told of the next ones", len(state.Turns))
	}
	d.entry(e)
	if tell {
		d.tell(d.audience(), TemplateCustomerReplied, PurposeNote, false, nil)
	}
}

// again brings a ticket back whose problem was over.
func (d *decider) again(t *Ticket, e *Entry, touched bool) {
	ev := eventAlarmUntouched
	if touched {
		ev = eventAlarm
	}
	detail := e.Detail
	if d.move(t, e, ev); e.Detail != detail {
		e.Detail = detail + "; " + e.Detail
	}
}

// recovered notes the end of a problem, and solves the ticket when nothing speaks against it.
func (d *decider) recovered(t *Ticket, e *Entry, before *AlertBefore, state AlertState) {
	a := d.out.Verdict.Alert
	e.Detail = "it is over: " + a.State
	switch {
	case before.Touched:
		e.Detail += "; a person works on the ticket, so it stays as it is"
	case a.NoteOnly:
		e.Detail += "; a recovery is only noted here"
	case state.Flapping():
		e.Detail += "; it may come back, so the ticket stays open"
	case t.Verified && d.out.Verdict.Auth != AuthPass:
		e.Detail += "; nobody vouches for the sender, so the ticket stays open"
	default:
		d.move(t, e, eventRecovery)
		if State(t.value(fieldState, e.Changes)) == StateSolved {
			t.set(&e.Changes, fieldResolution, "recovered: "+a.State)
		}
	}
}

// silenced reports whether nobody is told: a ticket of the highest priority is open on what this item needs.
func (d *decider) silenced() bool { return d.out.Verdict.Alert != nil && d.k.Outage != nil }

func (d *decider) alertText() string {
	if d.m.Reply != "" {
		return d.m.Reply
	}
	return d.m.Text
}

// noticePurpose is what a plain reply to a notice about the ticket does: a monitoring system reads no answers.
func (t *Ticket) noticePurpose() Purpose {
	if t != nil && t.Alert != nil {
		return PurposeNote
	}
	return PurposeAnswer
}

// ── what the store knows ──

// bucketAlerts finds tickets for alerts: "k" sender's domain, 0, key → ticket ID; "p" item, 0, ticket ID, of live
// tickets of the highest priority.
var bucketAlerts = []byte("alerts")

func alertKey(sender, key string) []byte {
	_, domain, _ := cutAddress(sender)
	return append(append(append([]byte("k"), domain...), 0), key...)
}

func outageKey(ci string) []byte {
	return append(append([]byte("p"), strings.ToLower(ci)...), 0)
}

// indexAlert keeps a ticket findable for alerts, as it is now.
func (tx *Tx) indexAlert(t *Ticket) error {
	b := tx.btx.Bucket(bucketAlerts)
	if t.Alert != nil {
		key := alertKey(t.Requester.Mail, t.Alert.Key)
		if have := b.Get(key); len(have) != 8 || binary.BigEndian.Uint64(have) <= uint64(t.ID) {
			if err := b.Put(key, key64(uint64(t.ID))); err != nil {
				return err
			}
		}
	}
	if t.CI == "" {
		return nil
	}
	key := append(outageKey(t.CI), key64(uint64(t.ID))...)
	if t.Priority == topPriority && t.State.Live() {
		return b.Put(key, []byte{})
	}
	return b.Delete(key)
}

// knowAlert asks the classifier, and gathers what the store knows about the same thing when the message is an alert.
func (tx *Tx) knowAlert(k *Known, r *Rules, in *Incoming) error {
	h := k.hints(in)
	v := r.Classifier.Classify(in.Message, h)
	k.Verdict, k.asked = &v, h
	if v.Alert == nil || k.Ticket != nil {
		return nil
	}
	for _, ci := range v.DependsOn {
		t, err := tx.outageOn(ci)
		if err != nil {
			return err
		}
		if t != nil {
			k.Outage = t
			break
		}
	}
	sender := in.Message.Author
	if sender == "" && len(in.Message.From) > 0 {
		sender = in.Message.From[0].Mail
	}
	b := tx.btx.Bucket(bucketAlerts).Get(alertKey(sender, v.Alert.Key))
	if len(b) != 8 {
		return nil
	}
	t, err := tx.Ticket(TicketID(binary.BigEndian.Uint64(b)))
	if errors.Is(err, ErrNotFound) {
		return nil // erased since
	} else if err != nil {
		return err
	}
	k.Alert = &AlertBefore{Ticket: t, Touched: t.touched()}
	if k.Alert.Recent, err = tx.lastEntries(t.ID, 12); err != nil {
		return err
	}
	if !k.Alert.Touched && !v.Alert.Problem {
		k.Alert.Touched, err = tx.noted(t.ID)
	}
	return err
}

// touched reports whether the ticket itself shows that a person has acted on it.
func (t *Ticket) touched() bool {
	return t.Assignee != "" || t.LastPublic != "" || t.State == StateOpen || t.State == StateWaitingCustomer
}

// noted reports whether a person has left anything on the ticket, a note for instance.
func (tx *Tx) noted(id TicketID) (bool, error) {
	found := false
	err := tx.each(bucketEntries, key64(uint64(id)), func(_, v []byte) (bool, error) {
		var e Entry
		if err := decodeRecord(v, &e); err != nil {
			return false, err
		}
		found = e.Actor.Kind == ActorAgent || e.Actor.Kind == ActorAdmin
		return !found, nil
	})
	return found, err
}

// outageOn returns a live ticket of the highest priority on an item, or nil.
func (tx *Tx) outageOn(ci string) (found *Ticket, err error) {
	err = tx.each(bucketAlerts, outageKey(ci), func(k, _ []byte) (bool, error) {
		t, err := tx.Ticket(TicketID(binary.BigEndian.Uint64(k[len(k)-8:])))
		switch {
		case errors.Is(err, ErrNotFound):
			return true, nil
		case err != nil:
			return false, err
		case t.State.Live() && t.Priority == topPriority:
			found = t
		}
		return found == nil, nil
	})
	return found, err
}
