package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
	"supportd/tickets/clock"
)

func (a *app) clockCommand() *cobra.Command {
	var s tickets.Scenario
	var at, events string
	cmd := &cobra.Command{
		Use: "clock", Short: "see what the clocks of a ticket would do, without a ticket", Args: cobra.NoArgs,
		Long: "clock lets things happen to a ticket that does not exist, and says what its clocks do: when they fall due, stand still and run\n" +
			"on, and which steps tell whom. It counts as the daemon does. Events stand one behind the other, with semicolons between\n" +
			"them: a time (or date and time), and what happens: " + strings.Join(tickets.Happenings(), ", ") + ",\n" +
			"or impact and urgency. escalate and return take a team, vendor a third party, priority and level the new one.",
		Example: "  supportd clock --level gold --priority P3 --at \"2026-11-23 15:30\" --events '15:52 reply; 16:10 reply+wait; 2026-11-24 09:20 customer'",
		RunE: func(*cobra.Command, []string) error {
			c, findings := config.Load(a.config)
			if err := findings.Err(); err != nil {
				return err
			}
			rules, err := buildRules(c)
			if err != nil {
				return err
			}
			s.At = a.now().In(c.Zone)
			if at != "" {
				if s.At, err = parseAt(at, c.Zone); err != nil {
					return fmt.Errorf("--at %w", err)
				}
			}
			if s.Events, err = parseEvents(events, s.At, c); err != nil {
				return fmt.Errorf("--events: %w", err)
			}
			moments, err := tickets.Simulate(rules, s)
			if err != nil {
				return err
			}
			l := clockListing{rules: rules, config: c}
			var lines []clockLine
			for _, m := range moments {
				lines = append(lines, l.line(m))
			}
			return a.print(lines, func(w io.Writer) {
				for _, line := range lines {
					fmt.Fprintf(w, "%s  %-16s %s\n", line.At.In(c.Zone).Format("Mon _2 Jan 15:04"), line.What, line.Text)
				}
			})
		},
	}
	cmd.Flags().StringVar(&s.Level, "level", "", "the service level (default: that of customers who have none)")
	cmd.Flags().StringVar(&s.Priority, "priority", "P3", "the priority")
	cmd.Flags().StringVar(&s.Team, "team", "", "the team that gets it, for what teams have agreed (default: none)")
	cmd.Flags().StringVar(&at, "at", "", `when it comes in, such as "2026-11-23 15:30" (default: now)`)
	cmd.Flags().StringVar(&events, "events", "", "what happens then")
	return cmd
}

// clockLine is one line of the listing.
type clockLine struct {
	At       time.Time       `json:"at"`
	What     string          `json:"what"` // state, clock or step
	Text     string          `json:"text"`
	State    tickets.State   `json:"state"`
	Priority string          `json:"priority"`
	Clocks   []simulatedView `json:"clocks"`
}

type simulatedView struct {
	Kind  clock.Kind `json:"kind"`
	Due   time.Time  `json:"due"`
	Used  string     `json:"used"`
	State string     `json:"state"`
}

var (
	eventTime = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2} )?(\d{1,2}:\d{2})\s+(\S+)\s*(.*)$`)
	arrow     = regexp.MustCompile(`\(?(?:→|->)\s*(P[1-5])\)?`)
)

// parseEvents reads what happens. A time without a date is on the day of the event before it.
func parseEvents(s string, start time.Time, c *config.Config) ([]tickets.Happening, error) {
	var list []tickets.Happening
	day := start
	for one := range strings.SplitSeq(s, ";") {
		one = strings.Join(strings.Fields(one), " ")
		if one == "" {
			continue
		}
		m := eventTime.FindStringSubmatch(one)
		if m == nil {
			return nil, fmt.Errorf("%q: write a time and what happens, such as 15:52 reply", one)
		}
		date := m[1]
		if date == "" {
			date = day.In(c.Zone).Format(time.DateOnly) + " "
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", date+m[2], c.Zone)
		if err != nil {
			return nil, fmt.Errorf("%q: %s is no time", one, m[2])
		}
		h := tickets.Happening{At: at, What: strings.ToLower(m[3]), Arg: strings.Trim(m[4], `"„“ `)}
		if h.What == "impact" || h.What == "urgency" {
			to := arrow.FindStringSubmatch(m[4])
			if to == nil {
				return nil, fmt.Errorf("%q: say which priority comes of it, such as %s high (→P2)", one, h.What)
			}
			h.What, h.Arg = "priority", to[1]
		}
		if !slices.Contains(tickets.Happenings(), h.What) {
			return nil, fmt.Errorf("%q: %s cannot happen; known are %s, impact and urgency", one, h.What, strings.Join(tickets.Happenings(), ", "))
		}
		if h.What == "priority" && !regexp.MustCompile(`^P[1-5]$`).MatchString(h.Arg) {
			return nil, fmt.Errorf("%q: a priority is P1 to P5", one)
		}
		list, day = append(list, h), at
	}
	return list, nil
}

// clockListing puts what happened into words.
type clockListing struct {
	rules  *tickets.Rules
	config *config.Config
}

func (l clockListing) line(m tickets.Moment) clockLine {
	line := clockLine{At: m.At, State: m.Ticket.State, Priority: m.Ticket.Priority, Clocks: []simulatedView{}}
	for _, c := range m.Ticket.Clocks {
		if c.Target > 0 {
			line.Clocks = append(line.Clocks, simulatedView{c.Kind, l.rules.Deadline(c, m.At), hoursMinutes(c.Used(l.rules.Hours(c), m.At)), c.State(m.At)})
		}
	}
	var texts []string
	line.What, texts = l.happened(m)
	for i, f := range m.Fired {
		if m.What == "step" && i == 0 {
			line.What = fmt.Sprintf("%s %d %%", f.Kind, f.Percent)
			texts = append(texts, strings.TrimSpace("→ "+strings.Join(l.people(m.Ticket, f.Notify), ", ")+" "+f.Do))
			continue
		}
		if m.What == "priority" && f.Kind == clock.Resolve {
			texts = append(texts, fmt.Sprintf("step %d %% fires once", f.Percent))
			continue
		}
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %d %% → %s %s", f.Kind, f.Percent, strings.Join(l.people(m.Ticket, f.Notify), ", "), f.Do)))
	}
	line.Text = strings.Join(texts, " · ")
	return line
}

// happened says what an event did, and what the line is called.
func (l clockListing) happened(m tickets.Moment) (what string, texts []string) {
	t := m.Ticket
	if m.Refused {
		return m.What, []string{fmt.Sprintf("is not allowed while the ticket is %s", t.State)}
	}
	resolve, hasResolve := find(t, clock.Resolve)
	hasResolve = hasResolve && resolve.Target > 0
	next, hasNext := l.started(m, clock.NextResponse)
	switch {
	case m.What == "new":
		return "new", []string{l.opening(m)}
	case m.What == "priority":
		return m.Before.Priority + "→" + t.Priority, l.retargeted(m)
	case t.State == tickets.StateWaitingCustomer && m.Before.State != t.State:
		if hasResolve {
			texts = append(texts, "resolve paused at "+hoursMinutes(resolve.Used(l.rules.Hours(resolve), m.At)))
		}
		return string(t.State), texts
	case m.Before.State == tickets.StateSolved && t.State == tickets.StateOpen, m.Before.State == tickets.StateClosed && t.State == tickets.StateOpen:
		if hasResolve {
			texts = append(texts, "resolve continues, due "+l.long(m.At, l.rules.Deadline(resolve, m.At)))
		}
		return "reopened", texts
	case m.What == "customer" || m.What == "thanks":
		if before, _ := find(m.Before, clock.Resolve); hasResolve && before.Paused() && resolve.Running() {
			texts = append(texts, fmt.Sprintf("resolve runs; pause was %s h of %s time → due %s", hoursMinutes(resolve.Waited(l.rules.Hours(resolve), m.At)-before.Waited(l.rules.Hours(before), before.Segments[len(before.Segments)-1].From)),
				cmp.Or(resolve.Calendar, "business"), l.long(m.At, l.rules.Deadline(resolve, m.At))))
		}
		if hasNext {
			texts = append(texts, "next_response due "+l.short(m.At, l.rules.Deadline(next, m.At)))
		}
		return m.What, texts
	case m.What == "reply":
		return l.replied(m)
	case t.State == tickets.StateSolved && m.Before.State != t.State:
		if hasResolve {
			texts = append(texts, "resolve "+l.ended(resolve)+" provisional")
		}
		return "solved", texts
	case m.What == "escalate":
		if c, ok := l.started(m, clock.Accept); ok {
			texts = append(texts, fmt.Sprintf("accept due %s (%s)", l.short(m.At, l.rules.Deadline(c, m.At)), c.Calendar))
		}
	case m.What == "vendor":
		if c, ok := l.started(m, clock.Vendor); ok {
			texts = append(texts, "vendor due "+l.short(m.At, l.rules.Deadline(c, m.At)))
		}
	}
	for _, k := range []clock.Kind{clock.Accept, clock.TimeBox, clock.Vendor} {
		if c, ok := l.stopped(m, k); ok {
			texts = append(texts, fmt.Sprintf("%s %s %s", k, mark(c), hoursMinutes(c.Used(l.rules.Hours(c), m.At))))
		}
	}
	return string(t.State), texts
}

// opening lists what a new ticket is promised.
func (l clockListing) opening(m tickets.Moment) string {
	var due []string
	for _, c := range m.Ticket.Clocks {
		if c.Target <= 0 || c.Kind == clock.Update {
			continue
		}
		at := l.rules.Deadline(c, m.At)
		if c.Kind == clock.Resolve {
			due = append(due, fmt.Sprintf("resolve due %s (%s, %s)", l.long(m.At, at), shortDuration(c.Target), l.calendar(c.Calendar)))
			continue
		}
		due = append(due, fmt.Sprintf("%s due %s", c.Kind, l.short(m.At, at)))
	}
	return strings.TrimSpace(m.Ticket.Priority+" "+cmp.Or(m.Ticket.ServiceLevel, l.rules.DefaultLevel)) + "    " + strings.Join(due, " · ")
}

// replied says the most telling thing that an answer did.
func (l clockListing) replied(m tickets.Moment) (string, []string) {
	if c, ok := l.stopped(m, clock.FirstResponse); ok {
		return "first_response", []string{"stopped " + l.ofTarget(c) + " " + mark(c)}
	}
	if c, ok := l.stopped(m, clock.NextResponse); ok {
		return "reply", []string{"next_response " + mark(c) + " " + l.ofTarget(c)}
	}
	if c, ok := l.started(m, clock.Update); ok {
		return "reply", []string{"update restarts, due " + l.long(m.At, l.rules.Deadline(c, m.At))}
	}
	return "reply", nil
}

// retargeted says what another priority did to the time to the solution.
func (l clockListing) retargeted(m tickets.Moment) []string {
	c, ok := find(m.Ticket, clock.Resolve)
	if !ok || c.Target <= 0 {
		return []string{"no solution is promised"}
	}
	h := l.rules.Hours(c)
	floor := h.Add(m.At, c.Target/100*time.Duration(l.rules.SLA.UpgradeGrace))
	return []string{fmt.Sprintf("elapsed %s kept, target %s → due %s (grace floor %s)", hoursMinutes(c.Used(h, m.At)), shortDuration(c.Target),
		l.long(m.At, l.rules.Deadline(c, m.At)), l.short(m.At, floor))}
}

// ended is "7:25 of 8:00 (93 %) ✓".
func (l clockListing) ended(c tickets.Clock) string {
	used := c.Used(l.rules.Hours(c), c.Stop)
	return fmt.Sprintf("%s (%.0f %%) %s", l.ofTarget(c), 100*used.Hours()/c.Allowed().Hours(), mark(c))
}

func (l clockListing) ofTarget(c tickets.Clock) string {
	return hoursMinutes(c.Used(l.rules.Hours(c), c.Stop)) + " of " + hoursMinutes(c.Allowed())
}

// stopped is the clock of a kind that the moment ended.
func (l clockListing) stopped(m tickets.Moment, k clock.Kind) (tickets.Clock, bool) {
	before, had := find(m.Before, k)
	after, _ := find(m.Ticket, k)
	return after, had && !before.Stopped() && after.Stopped() && after.Target > 0
}

// started is the clock of a kind that began with the moment.
func (l clockListing) started(m tickets.Moment, k clock.Kind) (tickets.Clock, bool) {
	after, ok := find(m.Ticket, k)
	if !ok || after.Target <= 0 || after.Stopped() {
		return after, false
	}
	before, had := find(m.Before, k)
	return after, !had || before.Epoch != after.Epoch
}

func find(t *tickets.Ticket, k clock.Kind) (tickets.Clock, bool) {
	if t == nil {
		return tickets.Clock{}, false
	}
	i := slices.IndexFunc(t.Clocks, func(c tickets.Clock) bool { return c.Kind == k })
	if i < 0 {
		return tickets.Clock{}, false
	}
	return t.Clocks[i], true
}

func mark(c tickets.Clock) string {
	if c.Breached.IsZero() {
		return "✓"
	}
	return "✗"
}

// people are those that a step tells, by name where one person is meant.
func (l clockListing) people(t *tickets.Ticket, words []string) []string {
	var all []string
	for _, w := range words {
		address := map[string]string{"team_lead": l.rules.Teams[t.Team].Lead, "service_manager": l.rules.ServiceManager, "admin": l.rules.Admin}[w]
		local, _, _ := strings.Cut(cmp.Or(address, w), "@")
		all = append(all, local)
	}
	return all
}

// calendar is a calendar in short: contract 08–18 DE.
func (l clockListing) calendar(name string) string {
	i := slices.IndexFunc(l.config.Calendars, func(c config.Calendar) bool { return c.Name == name })
	if i < 0 {
		return cmp.Or(name, "around the clock")
	}
	c := l.config.Calendars[i]
	parts := []string{name}
	if week := c.Hours[time.Monday]; len(week) == 1 && week[0].From%60 == 0 && week[0].To%60 == 0 {
		parts = append(parts, fmt.Sprintf("%02d–%02d", week[0].From/60, week[0].To/60))
	}
	return strings.Join(append(parts, c.Holidays...), " ")
}

// long is "Thu 26 Nov 09:30".
func (l clockListing) long(_, at time.Time) string {
	return at.In(l.config.Zone).Format("Mon 2 Jan 15:04")
}

// short is "17:20" on the same day, "Tue 09:30" within six days, else as long.
func (l clockListing) short(now, at time.Time) string {
	now, at = now.In(l.config.Zone), at.In(l.config.Zone)
	switch {
	case at.Format(time.DateOnly) == now.Format(time.DateOnly):
		return at.Format("15:04")
	case at.Sub(now) < 6*24*time.Hour:
		return at.Format("Mon 15:04")
	}
	return l.long(now, at)
}

// hoursMinutes is 5:20.
func hoursMinutes(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	return fmt.Sprintf("%d:%02d", minutes/60, minutes%60)
}
