package tickets

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"supportd/tickets/command"
)

// Undoable is an agent's last mail on a ticket, or the last move of one of its messages, as far as it can be taken back.
type Undoable struct {
	Entries []Entry      // that it made, newest first
	Waiting []OutgoingID // its mails to the customer that have not left
	Gone    bool         // one of them has left, or is on its way
}

// knowCommands looks up what the commands of an agent's mail name.
func (tx *Tx) knowCommands(k *Known, r *Rules, m *Message) error {
	if _, ok := r.agent(m.Author); !ok {
		return nil
	}
	if err := tx.knowElsewhere(k, r, m); err != nil {
		return err
	}
	commands := command.Parse(strings.TrimSpace(m.Reply)).Commands
	k.Given = len(commands) > 0 && tx.given(r, k, m)
	if err := tx.knowHistory(k, commands); err != nil {
		return err
	}
	for _, c := range commands {
		if k.Ticket == nil && !slices.Contains([]string{"ticket", "for", "show", "list", "search", "figures", "report", "why", "admit", "reject", "release"}, c.Word) {
			continue
		}
		switch c.Word {
		case "show", "list", "search", "figures", "report", "why":
			if err := tx.knowAsked(k, c); err != nil {
				return err
			}
		case "ticket", "for":
			if err := tx.knowNumbers(k, c); err != nil {
				return err
			}
		case "admit", "reject", "release":
			if h, err := tx.HeldMail(heldID(c)); err == nil {
				if k.Held == nil {
					k.Held = map[uint64]*HeldMail{}
				}
				k.Held[h.ID] = h
			}
		case "merge", "duplicate", "unmerge", "link":
			if err := tx.knowNamed(k, c); err != nil {
				return err
			}
		case "undo":
			if err := tx.knowUndo(k, r, strings.ToLower(m.Author)); err != nil {
				return err
			}
		}
	}
	return nil
}

// heldID is the number of a held mail that a command names, or 0.
func heldID(c command.Command) uint64 {
	id, err := strconv.ParseUint(strings.Trim(c.Args, "# "), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// maxUndoBack is how many entries back an agent's last mail is looked for.
const maxUndoBack = 200

// knowUndo finds the agent's last mail on the ticket and what became of its answer.
func (tx *Tx) knowUndo(k *Known, r *Rules, agent string) error {
	recent, err := tx.lastEntries(k.Ticket.ID, maxUndoBack)
	if err != nil {
		return err
	}
	cause := ""
	for _, e := range recent {
		if cause == "" && strings.HasPrefix(e.Detail, "#undo") {
			return nil // taken back already
		}
		theirs := strings.EqualFold(e.Actor.Name, agent) || movedFolder(e) != "" && !strings.Contains(e.Actor.Name, "@") // nobody can tell who moved it
		if cause != "" || e.Actor.Kind != ActorAgent || !theirs {
			continue
		}
		if len(e.Changes) > 0 {
			cause = e.Cause
		} else if e.Kind == EntryNoted {
			return nil // a note is only ever added; what was before it is not the last mail any more
		}
	}
	if cause == "" {
		return nil
	}
	u := &Undoable{}
	for _, e := range recent {
		if e.Cause != cause {
			continue
		}
		if e.Kind == EntryCreated {
			return nil // a ticket that was opened cannot be as if it never was
		}
		u.Entries = append(u.Entries, e)
		if e.Kind != EntryQueued || !k.Ticket.outside(r, firstOf(e.To)) {
			continue
		}
		if err := tx.knowCopies(u, e); err != nil {
			return err
		}
	}
	k.Undo = u
	return nil
}

// knowCopies finds what became of an answer that was queued: it has a row for each recipient, one after the other.
func (tx *Tx) knowCopies(u *Undoable, e Entry) error {
	for id := e.Outgoing; ; id++ {
		o, err := tx.Outgoing(id)
		if id > e.Outgoing && (errors.Is(err, ErrNotFound) || err == nil && o.MessageID != e.MessageID) {
			return nil
		}
		if err != nil {
			return err
		}
		if o.State == Queued && o.Attempts == 0 {
			u.Waiting = append(u.Waiting, o.ID)
		} else {
			u.Gone = true
		}
	}
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// undo takes the agent's last mail back: its answer does not leave, and every change it made is reversed.
func (op *operation) undo() bool {
	u := op.k.Undo
	switch {
	case len(op.text.Commands) > 1 || op.entry.Text != "":
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#undo", "other": firstNonEmpty(otherCommand(op.text.Commands), "text")}})
	case u == nil || len(u.Entries) == 0, u.Gone:
		return op.refuse(Line{Key: "refused.undo", Args: map[string]string{"until": ""}})
	}
	for _, e := range u.Entries {
		if slices.ContainsFunc(e.Changes, Change.bindsOthers) {
			return op.refuse(Line{Key: "refused.undo_structure"})
		}
	}
	for _, e := range u.Entries {
		for _, c := range slices.Backward(e.Changes) {
			if c.Field == fieldThread || c.Field == fieldTouched || c.Field == fieldClock && c.Before == "" || !op.t.stands(c, op.entry.Changes) {
				continue // what others changed since is theirs
			}
			op.entry.Changes = append(op.entry.Changes, Change{Field: c.Field, Before: c.After, After: c.Before})
		}
	}
	op.out.Cancel = u.Waiting
	done := Line{OK: true, Key: "did.undo", Args: map[string]string{"what": oneLine(u.what())}}
	for _, e := range u.Entries {
		if folder := movedFolder(e); folder != "" {
			done = Line{OK: true, Key: "did.undo_move", Args: map[string]string{"folder": folder}}
		}
	}
	op.lines = append(op.lines, done)
	return true
}

// what names the mail that is taken back: its commands, or the beginning of its text.
func (u *Undoable) what() string {
	for _, e := range u.Entries {
		if e.Kind != EntryQueued {
			return firstNonEmpty(e.Detail, excerpt(e.Text))
		}
	}
	return ""
}

func otherCommand(commands []command.Command) string {
	for _, c := range commands {
		if c.Word != "undo" {
			return "#" + c.Word
		}
	}
	return ""
}
