package tickets

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// The desk's own health: what is wrong with it begins and ends, and the admin is told once of each. Whoever looks at
// servers, disk and files brings HealthChecks; what follows from them is decided here, and what was told is kept in the
// store, so that a restart tells nothing twice.

// HealthState is how one thing was found.
type HealthState int

// The states of a thing. What is unknown changes nothing: a mailbox that is still connecting is neither well nor ill.
const (
	HealthUnknown HealthState = iota
	HealthFine
	HealthWrong
)

// HealthCheck is what was found of one thing that can be wrong with the desk itself.
type HealthCheck struct {
	Key    string // names the thing among all, such as "mailbox support"
	State  HealthState
	Since  time.Time     // when it went wrong, as far as is known
	After  time.Duration // how long it has to be wrong before anybody is told
	Settle time.Duration // how long it has to be fine before that is told
	Grade  int           // rises as it gets worse: the admin is told again
	// Counts says that Grade counts things that happened: what is told is how many, and when more happen they are told
	// an hour later at the earliest. It never ends.
	Counts bool
	Server string // the SMTP server that it is about; "" for none
	Line   Line   // what is told; Args are completed with since
	Over   Line   // what is told when it is over; without a key nothing is
}

// Trouble is something that is wrong with the desk itself, from when it was first seen until it was told as over.
type Trouble struct {
	Key    string    `json:"key"`
	Since  time.Time `json:"since"`
	Told   time.Time `json:"told,omitzero"` // when the admin was told last; zero: not yet
	Grade  int       `json:"grade,omitempty"`
	Fine   time.Time `json:"fine,omitzero"` // since when it is fine again; zero: it is wrong
	Counts bool      `json:"counts,omitempty"`
	Line   Line      `json:"line"`
}

// countAgain is how long things that happen again and again are gathered before the next mail.
const countAgain = time.Hour

// weigh decides what follows from checks: which troubles there are from now on, and what the admin is told. Troubles of
// things that nobody checks any more, such as a mailbox that was taken out, end without a word.
func weigh(open map[string]Trouble, checks []HealthCheck, now time.Time) (next map[string]Trouble, say []Line) {
	next = map[string]Trouble{}
	for _, c := range checks {
		t, was := open[c.Key]
		switch {
		case c.State == HealthUnknown && !was, c.State == HealthFine && !was:
			continue
		case c.State == HealthWrong:
			var line *Line
			if t, line = t.worsen(c, was, now); line != nil {
				say = append(say, *line)
			}
		case c.State == HealthFine:
			var over *Line
			if t, over = t.mend(c, now); t.Key == "" {
				if over != nil {
					say = append(say, *over)
				}
				continue
			}
		}
		next[c.Key] = t
	}
	return next, say
}

// worsen is the trouble after it was found again, or first, and what is to be told of it.
func (t Trouble) worsen(c HealthCheck, was bool, now time.Time) (Trouble, *Line) {
	if !was {
		t = Trouble{Key: c.Key, Since: earliest(c.Since, now), Counts: c.Counts}
	}
	t.Fine = time.Time{}
	first := t.Told.IsZero() && now.Sub(t.Since) >= c.After
	again := !t.Told.IsZero() && c.Grade > t.Grade && (!c.Counts || now.Sub(t.Told) >= countAgain)
	line := c.Line.with("since", formatTime(t.Since))
	if c.Counts {
		line = c.Line.with("count", strconv.Itoa(c.Grade-t.Grade))
	}
	if !first && !again {
		if t.Told.IsZero() {
			t.Line = line
		}
		return t, nil
	}
	t.Told, t.Grade, t.Line = now, c.Grade, line
	return t, &line
}

// mend is the trouble after it was found to be over: without a key when nothing more is to be said about it.
func (t Trouble) mend(c HealthCheck, now time.Time) (Trouble, *Line) {
	switch {
	case t.Told.IsZero():
		return Trouble{}, nil // it was over before anybody was told
	case t.Fine.IsZero() && c.Settle > 0:
		t.Fine = now
		return t, nil
	case now.Sub(t.Fine) < c.Settle:
		return t, nil
	case c.Over.Key == "":
		return Trouble{}, nil
	}
	over := c.Over.with("since", formatTime(t.Since))
	over.OK = true
	return Trouble{}, &over
}

func earliest(t, now time.Time) time.Time {
	if t.IsZero() || t.After(now) {
		return now
	}
	return t
}

// with is the line with one more argument, unless it is there already.
func (l Line) with(name, value string) Line {
	args := maps.Clone(l.Args)
	if args == nil {
		args = map[string]string{}
	}
	args[name] = cmp.Or(args[name], value)
	l.Args = args
	return l
}

// ExpiryGrade is how near the end of something is that ends on a day: 0 while it is far, then 1 from warn before its end
// on, 2 from half of that, and 3 from the last day on.
func ExpiryGrade(ends, now time.Time, warn time.Duration) int {
	grade := 0
	for i, before := range []time.Duration{warn, warn / 2, min(warn/2, 24*time.Hour)} {
		if !now.Before(ends.Add(-before)) {
			grade = i + 1
		}
	}
	return grade
}

// healthBrand is who tells the admin, and by which server: the first brand, unless its server cannot be used; then the
// second way out, else another brand whose server can be used.
func (r *Rules) healthBrand(down map[string]bool) Brand {
	names := slices.Sorted(maps.Keys(r.Brands))
	if len(names) == 0 {
		return Brand{}
	}
	first := r.Brands[names[0]]
	if !down[first.Server] {
		return first
	}
	if r.HealthServer != "" && !down[r.HealthServer] {
		b := first
		b.Server = r.HealthServer
		return b
	}
	for _, name := range names[1:] {
		if b := r.Brands[name]; !down[b.Server] {
			return b
		}
	}
	return first
}
