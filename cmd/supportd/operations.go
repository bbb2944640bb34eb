package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
)

// operator answers what people ask of a desk. The running daemon and a command that opened the store itself use the
// same one, so they cannot disagree.
type operator struct {
	desk   *tickets.Desk
	daemon *Daemon        // nil when no daemon runs
	config *config.Config // without a daemon; nil when there is none that can be read
}

// operation is one thing that can be asked for by name, with its arguments and answer as JSON.
type operation func(o *operator, ctx context.Context, args json.RawMessage) (any, error)

// operations lists all there are.
func operations() map[string]operation {
	return map[string]operation{
		"ticket.list":        with((*operator).ticketList),
		"due":                with((*operator).due),
		"sla.rebase":         with((*operator).rebase),
		"ticket.show":        with((*operator).ticketShow),
		"ticket.search":      with((*operator).ticketSearch),
		"explain":            with((*operator).recall),
		"history":            with((*operator).history),
		"outbox.list":        with((*operator).outboxList),
		"outbox.retry":       with((*operator).outboxRetry),
		"outbox.release":     with((*operator).outboxRelease),
		"quarantine.list":    with((*operator).quarantineList),
		"quarantine.release": with((*operator).quarantineRelease),
		"quarantine.drop":    with((*operator).quarantineDrop),
		"config.history":     with((*operator).configHistory),
		"doctor":             with((*operator).doctor),
		"backup":             with((*operator).backup),
		"erase":              with((*operator).erase),
		"retention":          with((*operator).retention),
		"export.tickets":     with((*operator).exportTickets),
		"export.person":      with((*operator).exportPerson),
		"reload":             with((*operator).reload),
		"status":             with((*operator).status),
		"key.list":           with((*operator).keyList),
		"key.add":            with((*operator).keyAdd),
		"key.revoke":         with((*operator).keyRevoke),
		"claim":              with((*operator).claim),
		"wake":               with((*operator).wake),
		"train":              with((*operator).train),
		"eval":               with((*operator).measure),
	}
}

// with decodes the arguments of an operation.
func with[A, R any](fn func(*operator, context.Context, A) (R, error)) operation {
	return func(o *operator, ctx context.Context, raw json.RawMessage) (any, error) {
		var args A
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &args); err != nil {
				return nil, fmt.Errorf("arguments: %w", err)
			}
		}
		return fn(o, ctx, args)
	}
}

// ── tickets ──

type ticketArgs struct {
	All    bool   `json:"all,omitempty"`
	Number string `json:"number,omitempty"`
	Query  string `json:"query,omitempty"`
	Limit  int    `json:"limit,omitempty"`
}

// ticketView is a ticket as other programs may rely on it.
type ticketView struct {
	Number        string      `json:"number"`
	State         string      `json:"state"`
	Subject       string      `json:"subject"`
	Requester     string      `json:"requester"`
	RequesterName string      `json:"requester_name"`
	Team          string      `json:"team"`
	Tier          int         `json:"tier"`
	Owner         string      `json:"owner"`
	Assignee      string      `json:"assignee"`
	Category      string      `json:"category"`
	Priority      string      `json:"priority"`
	Impact        string      `json:"impact"`
	Urgency       string      `json:"urgency"`
	Language      string      `json:"language"`
	Created       time.Time   `json:"created"`
	Updated       time.Time   `json:"updated"`
	Clocks        []clockView `json:"clocks"`
	Tags          []string    `json:"tags"`
	FollowUpOf    string      `json:"follow_up_of,omitempty"`

	Entries  []tickets.Entry `json:"entries,omitempty"`
	Messages []messageView   `json:"messages,omitempty"`
}

type clockView struct {
	Kind  string    `json:"kind"`
	Due   time.Time `json:"due"`
	State string    `json:"state"`
}

type messageView struct {
	ID        uint64    `json:"id"`
	MessageID string    `json:"message_id"`
	From      string    `json:"from"`
	Subject   string    `json:"subject"`
	Arrived   time.Time `json:"arrived"`
	Kind      string    `json:"kind"`
	Result    string    `json:"result"`
	Why       string    `json:"why"`
}

func viewTicket(t *tickets.Ticket, now time.Time) ticketView {
	v := ticketView{
		Number: t.Number, State: string(t.State), Subject: t.Subject, Requester: t.Requester.Mail, RequesterName: t.Requester.Name,
		Team: t.Team, Tier: t.Tier, Owner: t.Owner, Assignee: t.Assignee, Category: t.Category, Priority: t.Priority,
		Impact: t.Impact, Urgency: t.Urgency, Language: t.Language, Created: t.Created, Updated: t.Updated,
		Clocks: []clockView{}, Tags: append([]string{}, t.Tags...),
	}
	for _, c := range t.Clocks {
		if c.Target <= 0 {
			continue // counted, and nothing is promised
		}
		v.Clocks = append(v.Clocks, clockView{Kind: string(c.Kind), Due: c.Due, State: c.State(now)})
	}
	return v
}

func (o *operator) ticketList(_ context.Context, a ticketArgs) ([]ticketView, error) {
	list := []ticketView{}
	err := o.desk.Store.View(func(tx *tickets.Tx) error {
		return tx.Tickets(a.All, func(t *tickets.Ticket) (bool, error) {
			list = append(list, viewTicket(t, o.desk.Now()))
			return a.Limit == 0 || len(list) < a.Limit, nil
		})
	})
	return list, err
}

func (o *operator) ticketShow(_ context.Context, a ticketArgs) (ticketView, error) {
	var v ticketView
	err := o.desk.Store.View(func(tx *tickets.Tx) error {
		t, err := tx.TicketByNumber(a.Number)
		if err != nil {
			return err
		}
		v = viewTicket(t, o.desk.Now())
		if t.FollowUpOf != 0 {
			if old, err := tx.Ticket(t.FollowUpOf); err == nil {
				v.FollowUpOf = old.Number
			}
		}
		if v.Entries, err = tx.Entries(t.ID); err != nil {
			return err
		}
		messages, err := tx.TicketMessages(t.ID)
		for _, m := range messages {
			v.Messages = append(v.Messages, messageView{ID: m.Key, MessageID: m.MessageID, From: m.From.Mail, Subject: m.Subject,
				Arrived: m.Arrived, Kind: string(m.Kind), Result: string(m.Result), Why: m.Why})
		}
		return err
	})
	return v, err
}

// ticketSearch finds tickets that have every word of the query in number, subject, requester or texts.
func (o *operator) ticketSearch(_ context.Context, a ticketArgs) ([]ticketView, error) {
	words := strings.Fields(strings.ToLower(a.Query))
	if len(words) == 0 {
		return nil, errors.New("ticket search wants at least one word to look for")
	}
	list := []ticketView{}
	err := o.desk.Store.View(func(tx *tickets.Tx) error {
		return tx.Tickets(true, func(t *tickets.Ticket) (bool, error) {
			text := strings.ToLower(strings.Join([]string{t.Number, t.Subject, t.Requester.Mail, t.Requester.Name}, "\n"))
			if !containsAll(text, words) {
				entries, err := tx.Entries(t.ID)
				if err != nil {
					return false, err
				}
				for _, e := range entries {
					text += "\n" + strings.ToLower(e.Text)
				}
			}
			if containsAll(text, words) {
				list = append(list, viewTicket(t, o.desk.Now()))
			}
			return a.Limit == 0 || len(list) < a.Limit, nil
		})
	})
	return list, err
}

func containsAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// ── outbox and quarantine ──

type idArgs struct {
	ID  uint64 `json:"id,omitempty"`
	All bool   `json:"all,omitempty"`
	By  string `json:"by,omitempty"`
}

type mailView struct {
	ID       uint64    `json:"id"`
	To       string    `json:"to,omitempty"`
	From     string    `json:"from,omitempty"`
	Subject  string    `json:"subject"`
	Reason   string    `json:"reason"`
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts"`
	State    string    `json:"state,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	Ticket   string    `json:"ticket,omitempty"`
	InDoubt  int       `json:"in_doubt,omitempty"`
}

func (o *operator) outboxList(_ context.Context, a idArgs) ([]mailView, error) {
	list := []mailView{}
	err := o.desk.Store.View(func(tx *tickets.Tx) error {
		mails, err := tx.Outbox(a.All)
		for _, m := range mails {
			list = append(list, mailView{ID: uint64(m.ID), To: m.Recipient, Subject: m.Subject, Reason: cmp.Or(m.LastError, string(m.State)),
				Since: m.Created, Attempts: m.Attempts, State: string(m.State), Next: m.Next, Ticket: number(tx, m.Ticket), InDoubt: m.InDoubt})
		}
		return err
	})
	return list, err
}

func number(tx *tickets.Tx, id tickets.TicketID) string {
	if id == 0 {
		return ""
	}
	t, err := tx.Ticket(id)
	if err != nil {
		return ""
	}
	return t.Number
}

// done counts what a command changed.
type done struct {
	Done   int    `json:"done"`
	Result string `json:"result,omitempty"`
	Ticket string `json:"ticket,omitempty"`
}

func (o *operator) outboxRetry(ctx context.Context, a idArgs) (done, error) {
	ids := []tickets.OutgoingID{tickets.OutgoingID(a.ID)}
	if a.All {
		ids = nil
		err := o.desk.Store.View(func(tx *tickets.Tx) error {
			mails, err := tx.Outbox(false)
			for _, m := range mails {
				if m.State == tickets.Deferred || m.State == tickets.GivenUp {
					ids = append(ids, m.ID)
				}
			}
			return err
		})
		if err != nil {
			return done{}, err
		}
	}
	for _, id := range ids {
		if err := o.desk.RetryOutgoing(ctx, id); err != nil {
			return done{}, err
		}
	}
	return done{Done: len(ids)}, nil
}

func (o *operator) outboxRelease(ctx context.Context, _ idArgs) (done, error) {
	n, err := o.desk.ReleaseOutbox(ctx)
	return done{Done: n}, err
}

func (o *operator) quarantineList(context.Context, idArgs) ([]mailView, error) {
	list := []mailView{}
	err := o.desk.Store.View(func(tx *tickets.Tx) error {
		held, err := tx.HeldMails()
		for _, h := range held {
			list = append(list, mailView{ID: h.ID, From: h.From, Subject: h.Subject, Reason: h.Reason, Since: h.Since, Ticket: number(tx, h.Ticket)})
		}
		return err
	})
	return list, err
}

func (o *operator) quarantineRelease(ctx context.Context, a idArgs) (done, error) {
	out, err := o.desk.Release(ctx, a.ID, cmp.Or(a.By, "the command line"))
	if err != nil {
		return done{}, err
	}
	d := done{Done: 1, Result: string(out.Result)}
	err = o.desk.Store.View(func(tx *tickets.Tx) error { d.Ticket = number(tx, out.Ticket); return nil })
	return d, err
}

func (o *operator) quarantineDrop(ctx context.Context, a idArgs) (done, error) {
	return done{Done: 1}, o.desk.Drop(ctx, a.ID, cmp.Or(a.By, "the command line"))
}

// ── the desk itself ──

type noArgs struct{}

func (o *operator) doctor(ctx context.Context, _ noArgs) (tickets.Diagnosis, error) {
	return o.desk.Doctor(ctx)
}

type backupArgs struct {
	File string `json:"file"`
}

func (o *operator) backup(ctx context.Context, a backupArgs) (tickets.BackupReport, error) {
	return o.desk.Store.Backup(ctx, a.File, o.desk.Now())
}

func (o *operator) reload(context.Context, noArgs) (map[string]string, error) {
	if o.daemon == nil {
		return nil, errors.New("no supportd runs on this state directory; there is nothing to reload")
	}
	if err := o.daemon.Reload(); err != nil {
		return nil, err
	}
	return map[string]string{"config_rev": o.daemon.config.Load().Rev}, nil
}

func (o *operator) wake(ctx context.Context, _ noArgs) (struct{}, error) {
	if o.daemon == nil {
		return struct{}{}, nil // who starts next looks anyway
	}
	return struct{}{}, o.daemon.wake(ctx)
}

func (o *operator) status(context.Context, noArgs) (statusView, error) {
	if o.daemon == nil {
		return statusView{}, errNotRunning
	}
	return o.daemon.status()
}

var errNotRunning = errors.New("no supportd runs on this state directory; start it with supportd run")
