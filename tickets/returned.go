package tickets

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// What an agent reads who was away: the first overview after their return says what others did about their tickets meanwhile,
// once. Where nothing happened it says nothing.

// mostAway is how long after a return that is still told: an overview that comes later has other things to say.
const mostAway = 2 * week

// maxAwayEntries is how many entries of a ticket are looked through.
const maxAwayEntries = 200

// overLeave is the absence of somebody that has ended and of which they were not told, and the end of its row.
func (tx *Tx) overLeave(who string, now time.Time) (Leave, bool, error) {
	var a Leave
	known, err := tx.get(bucketLeaves, []byte(who), &a)
	if err != nil || !known || a.Until.After(now) {
		return Leave{}, false, err
	}
	fresh := now.Sub(a.Until) <= mostAway && a.Since.Before(a.Until)
	return a, fresh, tx.btx.Bucket(bucketLeaves).Delete([]byte(who))
}

// meanwhile is what happened to one ticket of somebody while they were away.
type meanwhile struct {
	theirs bool // it was or is theirs
	wrote  int  // mails of customers
	who    []string
	other  bool // something that nobody wrote, such as that it was closed
}

// happened gathers what others did about a ticket between two instants.
func (tx *Tx) happened(t *Ticket, who string, a Leave) (m meanwhile, err error) {
	m.theirs = strings.EqualFold(t.Assignee, who)
	if t.Updated.Before(a.Since) {
		return m, nil
	}
	entries, err := tx.lastEntries(t.ID, maxAwayEntries)
	for _, e := range entries {
		if e.At.Before(a.Since) {
			break
		}
		for _, c := range e.Changes {
			m.theirs = m.theirs || c.Field == fieldAssignee && strings.EqualFold(c.Before, who)
			m.other = m.other || c.Field == fieldState
		}
		switch {
		case e.At.After(a.Until), e.Actor.Kind == ActorAgent && strings.EqualFold(e.Actor.Name, who):
		case e.Kind == EntryReceived:
			m.wrote++
		case e.Actor.Kind == ActorAgent && (e.Kind == EntryAnswered || e.Kind == EntryNoted || e.Kind == EntryChanged || e.Kind == EntryVendor):
			m.who = append(m.who, e.Actor.Name)
		}
	}
	return m, err
}

// lines say it; none when nothing happened.
func (m meanwhile) lines(r *Rules, t *Ticket, reader string) (lines []Line) {
	if m.wrote > 0 {
		lines = append(lines, Line{Key: "away.wrote", Args: map[string]string{"count": strconv.Itoa(m.wrote)}})
	}
	if len(m.who) > 0 {
		var names []string
		for _, who := range m.who {
			if agent, ok := r.agent(who); ok {
				who = firstNonEmpty(agent.Name, who)
			}
			if !slices.Contains(names, who) {
				names = append(names, who)
			}
		}
		slices.Sort(names)
		lines = append(lines, Line{Key: "away.dealt", Args: map[string]string{"who": strings.Join(names, ", ")}})
	}
	if now := t.Assignee; !strings.EqualFold(now, reader) {
		if agent, ok := r.agent(now); ok {
			now = firstNonEmpty(agent.Name, now)
		}
		lines = append(lines, Line{Key: "away.now", Args: map[string]string{"who": firstNonEmpty(now, t.Team)}})
	}
	return lines
}

// catchUp finds what happened to the reader's tickets during an absence that is over, and lists those that are theirs no more,
// or have ended.
func (o *overview) catchUp(seen *standing) (map[TicketID][]Line, error) {
	tx, r := o.a.tx, o.a.r
	a, fresh, err := tx.overLeave(o.m.to, o.a.now)
	if err != nil || !fresh {
		return nil, err
	}
	told := map[TicketID][]Line{}
	err = seen.each(tx, func(t *Ticket) error {
		m, err := tx.happened(t, o.m.to, a)
		if err != nil || !m.theirs || m.wrote == 0 && len(m.who) == 0 && !m.other {
			return err
		}
		lines := m.lines(r, t, o.m.to)
		if t.State.Live() && strings.EqualFold(t.Assignee, o.m.to) {
			told[t.ID] = append(lines, told[t.ID]...)
			return nil
		}
		return o.add("overview.away", t, lines...)
	})
	return told, err
}
