package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// diffReport is what `supportd diff --json` prints; other programs rely on the names.
type diffReport struct {
	Old       diffSide          `json:"old"`
	New       diffSide          `json:"new"`
	Since     time.Time         `json:"since,omitzero"` // absent: everything
	Messages  int               `json:"messages"`       // decided about twice
	Tickets   int               `json:"tickets"`        // new tickets among them, by the old configuration
	Skipped   map[string]int    `json:"skipped"`        // agents, absent, unreadable
	Changed   int               `json:"changed"`        // messages about which the two differ
	Result    []diffMove        `json:"result"`
	Team      []diffMove        `json:"team"`
	Route     []diffMove        `json:"route"`
	Category  []diffMove        `json:"category"`
	Priority  []diffMove        `json:"priority"`
	Deadlines []diffDeadline    `json:"deadlines"`
	Mails     []diffMail        `json:"mails"`
	Accuracy  []diffAccuracy    `json:"accuracy"`
	Differ    []diffDisagreeing `json:"differ"`
}

type diffSide struct {
	Config string `json:"config"`
	Rev    string `json:"rev"`
}

// diffMove counts the messages for which a value becomes another.
type diffMove struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int    `json:"count"`
	Right int    `json:"right"` // of them, those where the new value is the agents' last word
	Wrong int    `json:"wrong"` // of them, those where the old value was
}

// diffDeadline sums up how the deadlines of one clock move.
type diffDeadline struct {
	Clock      string `json:"clock"`
	Earlier    int    `json:"earlier"`
	Later      int    `json:"later"`
	MaxEarlier string `json:"max_earlier"` // a duration, such as 16h0m0s
	MaxLater   string `json:"max_later"`
	Added      int    `json:"added"`   // promised by the new configuration only
	Removed    int    `json:"removed"` // promised by the old one only

	maxEarlier, maxLater time.Duration
}

// diffMail counts an automatic mail.
type diffMail struct {
	Mail string `json:"mail"`
	Old  int    `json:"old"`
	New  int    `json:"new"`
}

// diffAccuracy says how often each configuration says what the ticket said in the end. Tickets that no agent worked on are
// left out: nobody has had a word there.
type diffAccuracy struct {
	What    string  `json:"what"` // category or team
	Tickets int     `json:"tickets"`
	Old     float64 `json:"old"` // share of Tickets, 0 to 1
	New     float64 `json:"new"`
	Margin  float64 `json:"margin"` // half of the 95 % Wilson interval of New
}

// diffDisagreeing is one message about which the two differ.
type diffDisagreeing struct {
	Message   uint64         `json:"message"`
	MessageID string         `json:"message_id"`
	Ticket    string         `json:"ticket"`
	Differ    []disagreement `json:"differ"`
}

// report adds up what was decided.
func (r *replay) report(since time.Time) diffReport {
	d := diffReport{
		Old: diffSide{r.old.config.Path, r.old.rules.Rev}, New: diffSide{r.fresh.config.Path, r.fresh.rules.Rev}, Since: since,
		Skipped: map[string]int{}, Result: []diffMove{}, Team: []diffMove{}, Route: []diffMove{}, Category: []diffMove{}, Priority: []diffMove{},
		Deadlines: []diffDeadline{}, Mails: []diffMail{}, Accuracy: []diffAccuracy{}, Differ: []diffDisagreeing{},
	}
	mails := [2]map[string]int{{}, {}}
	category, team := tally{what: "category"}, tally{what: "team"}
	for _, t := range r.twice {
		if t.skipped != "" {
			d.Skipped[t.skipped]++
			continue
		}
		d.Messages++
		if t.opened {
			d.Tickets++
			if e := t.ended; e != nil && e.Worked {
				category.add(t.category, e.Category)
				team.add(t.team, e.Team)
			}
		}
		for side, counts := range t.mails {
			for name, n := range counts {
				mails[side][name] += n
			}
		}
		if len(t.differ) > 0 {
			d.add(t)
		}
	}
	for _, name := range sortedUnion(mails[0], mails[1]) {
		d.Mails = append(d.Mails, diffMail{name, mails[0][name], mails[1][name]})
	}
	for _, a := range []tally{category, team} {
		if a.n > 0 {
			d.Accuracy = append(d.Accuracy, a.share())
		}
	}
	for _, moves := range [][]diffMove{d.Result, d.Team, d.Route, d.Category, d.Priority} {
		slices.SortFunc(moves, func(a, b diffMove) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
		})
	}
	slices.SortFunc(d.Deadlines, func(a, b diffDeadline) int { return cmp.Compare(a.Clock, b.Clock) })
	for i := range d.Deadlines {
		c := &d.Deadlines[i]
		c.MaxEarlier, c.MaxLater = c.maxEarlier.String(), c.maxLater.String()
	}
	return d
}

// add counts a message about which the two differ.
func (d *diffReport) add(t twice) {
	d.Changed++
	item := diffDisagreeing{Message: t.key, MessageID: t.messageID, Differ: t.differ}
	var lastCategory, lastTeam string
	if e := t.ended; e != nil {
		item.Ticket = e.Number
		if e.Worked {
			lastCategory, lastTeam = e.Category, e.Team
		}
	}
	d.Differ = append(d.Differ, item)
	for _, c := range t.differ {
		switch what, clock, _ := strings.Cut(c.What, ":"); what {
		case "result":
			countMove(&d.Result, c, "")
		case "team":
			countMove(&d.Team, c, lastTeam)
		case "route":
			countMove(&d.Route, c, "")
		case "category":
			countMove(&d.Category, c, lastCategory)
		case "priority":
			countMove(&d.Priority, c, "")
		case "due":
			d.deadline(clock, c)
		}
	}
}

// countMove adds a message to the move that it makes. last is the agents' last word, or "".
func countMove(moves *[]diffMove, c disagreement, last string) {
	at := slices.IndexFunc(*moves, func(m diffMove) bool { return m.From == c.Old && m.To == c.New })
	if at < 0 {
		at = len(*moves)
		*moves = append(*moves, diffMove{From: c.Old, To: c.New})
	}
	m := &(*moves)[at]
	m.Count++
	switch {
	case last == "":
	case last == c.New:
		m.Right++
	case last == c.Old:
		m.Wrong++
	}
}

func (d *diffReport) deadline(clock string, c disagreement) {
	at := slices.IndexFunc(d.Deadlines, func(m diffDeadline) bool { return m.Clock == clock })
	if at < 0 {
		at = len(d.Deadlines)
		d.Deadlines = append(d.Deadlines, diffDeadline{Clock: clock})
	}
	m := &d.Deadlines[at]
	old, err := time.Parse(time.RFC3339, c.Old)
	if err != nil {
		m.Added++
		return
	}
	fresh, err := time.Parse(time.RFC3339, c.New)
	if err != nil {
		m.Removed++
		return
	}
	if by := fresh.Sub(old); by < 0 {
		m.Earlier, m.maxEarlier = m.Earlier+1, max(m.maxEarlier, -by)
	} else {
		m.Later, m.maxLater = m.Later+1, max(m.maxLater, by)
	}
}

// tally counts how often each side says what people said in the end.
type tally struct {
	what  string
	n     int
	right [2]int
}

func (a *tally) add(said [2]string, last string) {
	if last == "" {
		return
	}
	a.n++
	for side := range said {
		if said[side] == last {
			a.right[side]++
		}
	}
}

// share is the accuracy of both sides, with the half width of the 95 % Wilson score interval of the new one.
func (a *tally) share() diffAccuracy {
	const z = 1.96
	n, p := float64(a.n), float64(a.right[1])/float64(a.n)
	margin := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return diffAccuracy{What: a.what, Tickets: a.n, Old: float64(a.right[0]) / n, New: p, Margin: math.Round(margin*10000) / 10000}
}

// ── text ──

// writeDiff shows the report to people; only lists every message that differs in one thing.
func writeDiff(w io.Writer, d diffReport, only string) {
	since := ""
	if !d.Since.IsZero() {
		since = " since " + d.Since.Format(time.DateOnly)
	}
	fmt.Fprintf(w, "%s → %s: %d mails%s, %d new tickets\n", d.Old.Rev, d.New.Rev, d.Messages, since, d.Tickets)
	if n := d.Skipped[skipAgent] + d.Skipped[skipAbsent] + d.Skipped[skipUnreadable]; n > 0 {
		fmt.Fprintf(w, "left out   %d of agents, %d never fetched, %d unreadable\n", d.Skipped[skipAgent], d.Skipped[skipAbsent], d.Skipped[skipUnreadable])
	}
	writeMoves(w, "result", "messages end otherwise", d.Result)
	writeMoves(w, "team", "tickets change team", d.Team)
	writeMoves(w, "route", "take another route", d.Route)
	writeMoves(w, "category", "change", d.Category)
	writeMoves(w, "priority", "change", d.Priority)
	for _, c := range d.Deadlines {
		fmt.Fprintf(w, "%-10s %4d change              %s: %s\n", "deadlines", c.Earlier+c.Later+c.Added+c.Removed, c.Clock, deadlineWords(c))
	}
	for _, m := range d.Mails {
		if m.Old != m.New {
			fmt.Fprintf(w, "%-10s %s: %d → %d\n", "mails", printable(m.Mail), m.Old, m.New)
		}
	}
	for _, a := range d.Accuracy {
		fmt.Fprintf(w, "%-10s %s as in the end, on %d tickets that agents worked on: %.1f %% → %.1f %% [Wilson ±%.1f]\n",
			"accuracy", a.What, a.Tickets, 100*a.Old, 100*a.New, 100*a.Margin)
	}
	if d.Changed == 0 {
		fmt.Fprintln(w, "nothing would change")
	}
	writeOnly(w, d, only)
}

func writeMoves(w io.Writer, what, does string, moves []diffMove) {
	if len(moves) == 0 {
		return
	}
	total := 0
	var parts []string
	for _, m := range moves {
		total += m.Count
		part := fmt.Sprintf("%s → %s %d", cmp.Or(m.From, "none"), cmp.Or(m.To, "none"), m.Count)
		if m.Right+m.Wrong > 0 {
			part += fmt.Sprintf(" (by agents' last word %d right, %d wrong)", m.Right, m.Wrong)
		}
		parts = append(parts, part)
	}
	const most = 8
	if n := len(parts) - most; n > 0 {
		parts = append(parts[:most], fmt.Sprintf("and %d more kinds", n))
	}
	fmt.Fprintf(w, "%-10s %4d %-19s %s", what, total, does, printable(strings.Join(parts, ", ")))
	fmt.Fprintf(w, "   list: --only %s\n", what)
}

func deadlineWords(c diffDeadline) string {
	var parts []string
	if c.Earlier > 0 {
		parts = append(parts, fmt.Sprintf("%d earlier (max −%s)", c.Earlier, shortDuration(c.maxEarlier)))
	}
	if c.Later > 0 {
		parts = append(parts, fmt.Sprintf("%d later (max +%s)", c.Later, shortDuration(c.maxLater)))
	}
	if c.Added > 0 {
		parts = append(parts, strconv.Itoa(c.Added)+" newly promised")
	}
	if c.Removed > 0 {
		parts = append(parts, strconv.Itoa(c.Removed)+" no longer promised")
	}
	return strings.Join(parts, ", ")
}

func writeOnly(w io.Writer, d diffReport, only string) {
	if only == "" {
		return
	}
	prefix := map[string]string{"deadlines": "due:", "mails": "mail:"}[only]
	for _, m := range d.Differ {
		for _, c := range m.Differ {
			if c.What == only || prefix != "" && strings.HasPrefix(c.What, prefix) {
				fmt.Fprintf(w, "%-16s message:%-7d %s: %s → %s\n", cmp.Or(m.Ticket, "no ticket"), m.Message, c.What, printable(cmp.Or(c.Old, "none")), printable(cmp.Or(c.New, "none")))
			}
		}
	}
}
