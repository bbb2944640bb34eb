package tickets

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Mails that come once a day: the agents' and leads' overviews, and the list of what is held. Of each the store keeps the
// last day on which it was due, so that it comes once on every day of its reader's calendar, over restarts, reloads and
// changes of the clocks. One that fell due while the desk was down comes late on the same day, and not on a later one.

// Daily is when a mail comes that comes once a day.
type Daily struct {
	On bool
	At time.Duration // since midnight, by the clock on the wall
	// NotFor are the lower-case addresses and the teams that get none.
	NotFor []string
}

// Overviews are the mails that say each morning how things stand.
type Overviews struct {
	Personal Daily // of each agent's own tickets, on their working days
	Leads    Daily // of their teams, on their working days
}

// dailyMail is one mail that comes once a day.
type dailyMail struct {
	kind  string // one of those below
	to    string // lower-case address
	at    time.Duration
	zone  *time.Location
	hours bool // only on days on which the reader works
}

// The kinds of daily mails, as they are named in the store.
const (
	dailyPersonal = "personal"
	dailyLead     = "lead"
	dailyHeld     = "held"
)

// timerDaily is the kind of the timer row of the next daily mail; it belongs to no ticket. Older versions wrote timerHeldList.
const (
	timerDaily    = "daily"
	timerHeldList = "held list"
)

// dailyMark says which daily mails a reader has had.
type dailyMark struct {
	Day string `json:"day"`           // the last day on which it was due, such as 2026-11-27
	Off bool   `json:"off,omitempty"` // the reader wants none
}

func (m dailyMail) key() []byte { return []byte("daily:" + m.kind + " " + m.to) }

// dailies lists all of them, in order.
func (r *Rules) dailies() (list []dailyMail) {
	if r.Spam.ListTo != "" {
		list = append(list, dailyMail{kind: dailyHeld, to: r.Spam.ListTo, at: r.Spam.ListAt, zone: r.zone()})
	}
	if o := r.Overviews.Personal; o.On {
		for _, who := range sorted(mapKeys(r.Agents)) {
			teams := r.teamsOf(who)
			if !slices.Contains(o.NotFor, who) && len(teams) > 0 && slices.ContainsFunc(teams, func(t string) bool { return !slices.Contains(o.NotFor, t) }) {
				list = append(list, dailyMail{dailyPersonal, who, o.At, r.zoneOf(teams[0]), true})
			}
		}
	}
	if o := r.Overviews.Leads; o.On {
		var leads []string
		for _, name := range sortedTeams(r) {
			if who := r.Teams[name].Lead; who != "" && !slices.Contains(leads, who) && !slices.Contains(o.NotFor, who) && !slices.Contains(o.NotFor, name) {
				leads = append(leads, who)
				list = append(list, dailyMail{dailyLead, who, o.At, r.zoneOf(name), true})
			}
		}
	}
	return list
}

// teamsOf are the teams of which somebody is a member, by name.
func (r *Rules) teamsOf(who string) (names []string) {
	for _, name := range sortedTeams(r) {
		if slices.Contains(r.Teams[name].Members, who) {
			names = append(names, name)
		}
	}
	return names
}

func (r *Rules) zoneOf(team string) *time.Location {
	if z := r.Teams[team].Zone; z != nil {
		return z
	}
	return r.zone()
}

// due is when the mail comes next, and the day that it is for. A moment in the past means now: today's is owed.
func (m dailyMail) due(r *Rules, mark dailyMark, now time.Time) (at time.Time, day string) {
	today := now.In(m.zone)
	for i := range 40 {
		midnight := time.Date(today.Year(), today.Month(), today.Day()+i, 0, 0, 0, 0, m.zone)
		at = time.Date(today.Year(), today.Month(), today.Day()+i, int(m.at.Hours()), int(m.at.Minutes())%60, 0, 0, m.zone)
		day = midnight.Format(time.DateOnly)
		if !mark.covers(midnight) && (!m.hours || r.opens(m.to, midnight).Before(midnight.AddDate(0, 0, 1))) {
			break
		}
	}
	return at.UTC(), day
}

// covers reports whether a day's mail has been due. A mark that lies further ahead than a day is of a clock that was
// wrong, and covers nothing.
func (k dailyMark) covers(midnight time.Time) bool {
	return k.Day >= midnight.Format(time.DateOnly) && k.Day <= midnight.AddDate(0, 0, 1).Format(time.DateOnly)
}

// ScheduleDaily sets the timer of the daily mails anew: at the start, and after a change of the configuration. What somebody gets
// for the first time begins at its next moment, not with one that has passed.
func (d *Desk) ScheduleDaily(ctx context.Context) error {
	return d.Store.Update(ctx, func(tx *Tx) error {
		r, now := d.Rules(), d.Now().UTC()
		for _, m := range r.dailies() {
			mark, known, err := tx.dailyMark(m)
			if err != nil {
				return err
			}
			if at, day := m.due(r, mark, now); !known || mark.Day == "" {
				if mark.Day = now.In(m.zone).AddDate(0, 0, -1).Format(time.DateOnly); !at.After(now) {
					mark.Day = day
				}
				if err := tx.put(bucketMeta, m.key(), mark); err != nil {
					return err
				}
			}
		}
		tx.onCommit(func() { kick(d.tick) })
		return tx.scheduleDaily(r, now)
	})
}

func (tx *Tx) dailyMark(m dailyMail) (mark dailyMark, known bool, err error) {
	known, err = tx.get(bucketMeta, m.key(), &mark)
	return mark, known, err
}

// scheduleDaily writes the timer of the next one.
func (tx *Tx) scheduleDaily(r *Rules, now time.Time) error {
	var next time.Time
	for _, m := range r.dailies() {
		mark, _, err := tx.dailyMark(m)
		if err != nil {
			return err
		}
		if at, _ := m.due(r, mark, now); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.IsZero() {
		return nil
	}
	return tx.btx.Bucket(bucketTimers).Put(append(append(timeKey(latest(next, now)), key64(0)...), timerDaily...), []byte{})
}

// sendDaily owes every daily mail whose time has come, marks its day, and sets the next timer. Who is away, or wants none,
// gets none, and no mail says that there is nothing to say.
func (d *Desk) sendDaily(tx *Tx, now time.Time) error {
	r := d.Rules()
	var seen *standing
	for _, m := range r.dailies() {
		mark, _, err := tx.dailyMark(m)
		if err != nil {
			return err
		}
		at, day := m.due(r, mark, now)
		if at.After(now) {
			continue
		}
		before := mark.Day
		mark.Day = day
		if err := tx.put(bucketMeta, m.key(), mark); err != nil {
			return err
		}
		switch {
		case m.kind == dailyHeld:
			err = d.sendHeldList(tx, r, now)
		case !mark.Off:
			if seen == nil {
				if seen, err = tx.standing(now); err != nil {
					return err
				}
			}
			err = d.sendOverview(tx, r, m, seen, before, now)
		}
		if err != nil {
			return err
		}
	}
	return tx.scheduleDaily(r, now)
}

// wantDaily is an agent's word about their own overviews.
type wantDaily struct {
	who string
	off bool
}

// keepWish notes whether somebody wants overviews.
func (tx *Tx) keepWish(w wantDaily) error {
	for _, kind := range []string{dailyPersonal, dailyLead} {
		m := dailyMail{kind: kind, to: strings.ToLower(w.who)}
		mark, _, err := tx.dailyMark(m)
		if err != nil {
			return err
		}
		mark.Off = w.off
		if err := tx.put(bucketMeta, m.key(), mark); err != nil {
			return err
		}
	}
	return nil
}
