package tickets

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"supportd/tickets/command"
)

// Folders in which moving is an action: a person who moves a message into one of them says what is to become of its
// ticket. A message is recognised by its content; what the desk does not know is left alone. What is done stays inside: no
// mail goes to a customer because of it.

// movedPrefix begins the mailbox of the Source of a message that was moved into such a folder.
const movedPrefix = "moved:"

// moveCause begins the cause of the entries that moving a message made.
const moveCause = "move of "

// movedDetail says in an entry what was done; movedFolder reads it again.
const movedDetail = "moved into %q in the mailbox"

// movedFolder is the folder into which a message was moved, when the entry says so; else "".
func movedFolder(e Entry) (folder string) {
	if i := strings.Index(e.Detail, "moved into "); i >= 0 && strings.HasPrefix(e.Cause, moveCause) { // behind the command that it stood for
		if _, err := fmt.Sscanf(e.Detail[i:], movedDetail, &folder); err != nil {
			return ""
		}
	}
	return folder
}

// MovedTo is the mailbox of the Source of what was moved into a folder of a mailbox, and its key in Rules.Mailboxes.
func MovedTo(mailbox, folder string) string { return movedPrefix + mailbox + "/" + folder }

// What moving a message into a folder may mean.
const (
	MoveTake    = "take"
	MoveSolve   = "solve"
	MoveSpam    = "spam"
	MoveNotSpam = "not_spam"
	MoveTeam    = "team"
)

// FolderAction is what is done when a message is moved into a folder.
type FolderAction struct {
	Mailbox string // in the configuration
	Folder  string
	Do      string
	Team    string // of MoveTeam
	Agent   string // lower-case address of who acts; "" when nobody can tell
}

// command is the command that says the same.
func (f FolderAction) command() command.Command {
	switch f.Do {
	case MoveTeam:
		return command.Command{Word: "queue", Args: f.Team}
	case MoveNotSpam:
		return command.Command{Word: "release"}
	}
	return command.Command{Word: f.Do}
}

// actor is who stands in the ticket's entries.
func (f FolderAction) actor() Actor {
	if f.Agent != "" {
		return Actor{Kind: ActorAgent, Name: f.Agent}
	}
	return Actor{Kind: ActorAgent, Name: mailboxActor(f.Mailbox)}
}

// decideMoved is the desk's judgement about a message that was moved into a folder: what changes about its ticket, and
// who is told. What is so already changes nothing.
func decideMoved(k *Known, f FolderAction, in *Incoming, r *Rules, now time.Time) Decision {
	d := &decider{k: k, in: in, r: r, now: now}
	t := k.Ticket.clone()
	d.out.Ticket = t
	agent, known := r.agent(f.Agent)
	c := f.command()
	op := &operation{decider: d, agent: agent, text: command.Text{Commands: []command.Command{c}}, t: t, apart: true}
	op.entry = Entry{Kind: EntryChanged, Actor: f.actor(), Verified: true, Detail: fmt.Sprintf(movedDetail, f.Folder)}
	before := d.audience()
	where := Line{Key: "moved.into", Args: map[string]string{"folder": f.Folder}}
	if known {
		where.Args["who"] = agent.Address
	}
	if f.Do == MoveNotSpam && t.State != StateQuarantined {
		d.end(Duplicate, t.Number+" is no spam anyway")
		return d.out
	}
	if !op.do(c) {
		d.out.Mails, d.out.Ticket = nil, k.Ticket.clone()
		d.entry(Entry{Kind: EntryRefused, Actor: f.actor(), Detail: fmt.Sprintf("%s (%s)", op.refused.Key, op.entry.Detail)})
		to := before
		if known {
			to = []string{agent.Address}
		}
		d.tellMoved(to, TemplateRefused, where, *op.refused)
		d.end(Duplicate, "refused: "+op.refused.Key+", on "+t.Number)
		return d.out
	}
	if len(op.entry.Changes) == 0 {
		d.end(Duplicate, t.Number+" is so already")
		return d.out
	}
	op.write()
	op.tellOthers(false)
	if to := slices.DeleteFunc(before, func(a string) bool { return strings.EqualFold(a, agent.Address) }); len(to) > 0 {
		d.tellMoved(to, TemplateEscalation, append([]Line{where}, op.lines...)...)
	}
	d.end(Duplicate, "#"+c.Word+" on "+t.Number)
	return d.out
}

// tellMoved says what became of a move.
func (d *decider) tellMoved(to []string, template string, lines ...Line) {
	d.tell(to, template, PurposeNote, false, func(v *InternalView) {
		v.Lines = lines
		v.Commands = []string{"#undo", "#show", "#help"}
	})
}

// MovedIntake takes in what was moved into the folders of Rules.Mailboxes that have an Action.
type MovedIntake struct{ *Desk }

// Begin puts the place of a folder that is new, or numbered anew, at the UID that the next message gets: what stands in it
// already was moved there before, and means nothing.
func (d MovedIntake) Begin(ctx context.Context, mailbox string, uidValidity, next uint32) error {
	return d.Store.Update(ctx, func(tx *Tx) error {
		p, err := tx.place(mailbox)
		if err != nil || p.UIDValidity == uidValidity && !p.Started.IsZero() {
			return err
		}
		now := d.Now().UTC()
		if p.UIDValidity != 0 {
			detail := fmt.Sprintf("folder %q: UIDVALIDITY changed from %d to %d; what stands in it is passed over", strings.TrimPrefix(mailbox, movedPrefix), p.UIDValidity, uidValidity)
			if err := tx.log(now, "mailbox.new_uidvalidity", detail); err != nil {
				return err
			}
		}
		if p.Started.IsZero() {
			p.Started = now
		}
		return tx.put(bucketPlaces, []byte(mailbox), placeRecord{UIDValidity: uidValidity, Next: next, Started: p.Started})
	})
}

// Receive carries out what moving the messages means, each once, in one transaction with the folder's place. A move that
// cannot be carried out is logged, and stops no other.
func (d MovedIntake) Receive(ctx context.Context, b Batch) ([]Outcome, error) {
	outcomes, err := d.carryOutMoves(ctx, b)
	if err != nil && !endsWork(ctx, err) {
		outcomes, err = d.carryOutSingly(ctx, b)
	}
	if err != nil {
		return nil, err
	}
	for i, out := range outcomes {
		d.Log.Info("message moved", "mailbox", b.Mailbox, "uid", b.Messages[i].Source.UID, "ticket", out.Ticket, "why", out.Why)
	}
	return outcomes, nil
}

func (d MovedIntake) carryOutMoves(ctx context.Context, b Batch) ([]Outcome, error) {
	rules := d.Rules()
	var outcomes []Outcome
	err := d.Store.Update(ctx, func(tx *Tx) error {
		outcomes = nil
		now := d.Now().UTC()
		for i := range b.Messages {
			out, err := d.receiveMoved(tx, rules, &b.Messages[i], now)
			if err != nil {
				return fmt.Errorf("receive %s: %w", b.Messages[i].Source, err)
			}
			outcomes = append(outcomes, out)
		}
		return tx.advance(b)
	})
	return outcomes, err
}

// carryOutSingly carries out each move in a transaction of its own, and passes over those that cannot be.
func (d MovedIntake) carryOutSingly(ctx context.Context, b Batch) ([]Outcome, error) {
	var outcomes []Outcome
	for i := range b.Messages {
		one := Batch{Mailbox: b.Mailbox, UIDValidity: b.UIDValidity, Messages: b.Messages[i : i+1]}
		out, err := d.carryOutMoves(ctx, one)
		if err != nil && !endsWork(ctx, err) {
			d.Log.Error("move passed over: it cannot be carried out", "mailbox", b.Mailbox, "uid", one.Messages[0].Source.UID, "err", err)
			out = []Outcome{{Result: Filed, Why: "moved, and it cannot be carried out: " + oneLine(err.Error())}}
			err = d.Store.Update(ctx, func(tx *Tx) error { return tx.settle(one.Messages[0].Source, settledRecord{Result: Filed}) })
		}
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, out...)
	}
	_, err := d.carryOutMoves(ctx, Batch{Mailbox: b.Mailbox, UIDValidity: b.UIDValidity, Through: b.Through})
	return outcomes, err
}

func (d MovedIntake) receiveMoved(tx *Tx, r *Rules, in *Incoming, now time.Time) (Outcome, error) {
	if rec, ok, err := tx.settledAs(in.Source); err != nil {
		return Outcome{}, err
	} else if ok {
		return tx.outcomeOf(rec)
	}
	out := Outcome{Result: Filed, Why: "moved, and no message of this desk"}
	rec := settledRecord{Result: Filed}
	f := r.Mailboxes[in.Source.Mailbox].Action
	if in.Message != nil && f != nil {
		stored, err := tx.byIdentity(in.Message.Identity)
		if err != nil {
			return out, err
		}
		if stored != nil {
			out = Outcome{Result: Duplicate, Ticket: stored.Ticket, Why: "moved, and about no ticket"}
			rec = settledRecord{Result: Duplicate, Message: stored.Key}
			stand, err := tx.stand(stored)
			if err == nil && stand.To != nil && stand.To.Folder == f.Folder {
				out.Why = "moved by the desk itself"
				return out, tx.settle(in.Source, rec)
			}
			if err != nil {
				return out, err
			}
			if err := tx.sighted(stored, f.Mailbox, Spot{Folder: f.Folder, UIDValidity: in.Source.UIDValidity, UID: in.Source.UID}); err != nil {
				return out, err
			}
			if out.Why, err = d.moveStored(tx, r, *f, in, stored, now); err != nil {
				return out, err
			}
		}
	}
	return out, tx.settle(in.Source, rec)
}

// moveStored carries out a move of a message that the desk has, and says what it did.
func (d *Desk) moveStored(tx *Tx, r *Rules, f FolderAction, in *Incoming, stored *Stored, now time.Time) (string, error) {
	if h, err := tx.heldMessage(stored.Key); err != nil || h != nil {
		return d.moveHeld(tx, r, f, h, err)
	}
	if stored.Ticket == 0 {
		return "moved, and about no ticket", nil
	}
	t, err := tx.Ticket(stored.Ticket)
	if err != nil {
		return "", err
	}
	k := &Known{Brand: r.brandOf(t.Mailbox)}
	if err := tx.knowTaker(k, t); err != nil {
		return "", err
	}
	if k.Recent, err = tx.lastEntries(k.Ticket.ID, 12); err != nil {
		return "", err
	}
	if k.Absent, err = tx.leaves(now); err != nil {
		return "", err
	}
	dec := decideMoved(k, f, &Incoming{Source: in.Source, Arrived: now}, r, now)
	if len(dec.Entries) == 0 {
		return dec.Why, nil
	}
	return dec.Why, d.carryOutTimer(&application{tx: tx, r: r, in: in, known: k, dec: dec, now: now})
}

// moveHeld settles a message that is held: not_spam lets it in, spam drops it. Everything else leaves it held.
func (d *Desk) moveHeld(tx *Tx, r *Rules, f FolderAction, h *HeldMail, err error) (string, error) {
	if err != nil {
		return "", err
	}
	by := f.actor().String()
	switch {
	case f.Do == MoveNotSpam && !h.Final:
		_, err := d.admit(tx, r, h.ID, by)
		return fmt.Sprintf("held mail %d let in", h.ID), err
	case f.Do == MoveSpam:
		return fmt.Sprintf("held mail %d dropped", h.ID), d.reject(tx, h.ID, by)
	}
	return fmt.Sprintf("held mail %d stays held", h.ID), nil
}

// heldMessage is the held mail that a message is, or nil.
func (tx *Tx) heldMessage(key uint64) (*HeldMail, error) {
	all, err := tx.HeldMails()
	for i := range all {
		if all[i].Message == key {
			return &all[i], err
		}
	}
	return nil, err
}
