package tickets

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"supportd/tickets/clock"
	"supportd/tickets/command"
)

// What agents ask of the desk by mail. The answers stand in the receipt.

// asking has the commands that ask. They may stand in an answer and in a new mail.
func asking() map[string]handler {
	return map[string]handler{
		"show": (*operation).show, "list": (*operation).list, "search": (*operation).search, "help": (*operation).help,
		"figures": (*operation).figures, "report": (*operation).report, "why": (*operation).why, "digest": (*operation).digest,
	}
}

const (
	maxScanned = 5000 // tickets that a list or a search looks at, the newest
	maxShown   = 40   // tickets that a list names
)

// asked is what the store knows for the questions of one mail.
type asked struct {
	live    []*Ticket // that are not closed, newest first
	all     []*Ticket // newest first
	cut     bool      // there are more of them than were looked at
	entries map[string][]Entry
	why     []Reason // of what was decided about the ticket that #why is about, oldest first
}

// knowAsked gathers what a question needs.
func (tx *Tx) knowAsked(k *Known, c command.Command) error {
	scan := func(all bool, list *[]*Ticket) error {
		if len(*list) > 0 {
			return nil
		}
		return tx.Tickets(all, func(t *Ticket) (bool, error) {
			k.asks.cut = k.asks.cut || len(*list) == maxScanned
			if len(*list) < maxScanned {
				*list = append(*list, t)
			}
			return len(*list) < maxScanned, nil
		})
	}
	switch c.Word {
	case "list":
		return scan(false, &k.asks.live)
	case "search", "figures", "report":
		return scan(true, &k.asks.all)
	case "why":
		if err := tx.knowNamed(k, c); err != nil {
			return err
		}
		t := firstTicket(k.Named[ticketRef(c.Args)], k.Ticket)
		if t == nil {
			return nil
		}
		entries, err := tx.Entries(t.ID)
		for _, e := range entries {
			k.asks.why = append(k.asks.why, e.Reasons...)
		}
		return err
	case "show":
		if err := tx.knowNamed(k, c); err != nil {
			return err
		}
		t := k.Named[ticketRef(c.Args)]
		if t == nil {
			return nil
		}
		entries, err := tx.lastEntries(t.ID, 30)
		if k.asks.entries == nil {
			k.asks.entries = map[string][]Entry{}
		}
		k.asks.entries[t.Number] = entries
		return err
	}
	return nil
}

// show sends the history of this ticket, or of the one that is named.
func (op *operation) show(c command.Command) bool {
	if c.Args == "" {
		if op.apart {
			return op.refuse(Line{Key: "refused.which_ticket", Args: map[string]string{"usage": "#show NUMBER"}})
		}
		op.tells = append(op.tells, func(v *InternalView) { op.history(v, append(reversed(op.out.Entries), op.k.Recent...)) })
		return true
	}
	if op.tellHidden(c) {
		return true
	}
	t := op.k.Named[ticketRef(c.Args)]
	if t == nil {
		return op.refuse(Line{Key: "refused.ticket", Args: map[string]string{"number": oneLine(c.Args)}})
	}
	op.tells = append(op.tells, func(v *InternalView) {
		v.Lines = append(v.Lines, op.listed(t))
		op.history(v, op.k.asks.entries[t.Number])
	})
	return true
}

// firstTicket is the one that a command names, else the one its mail is about.
func firstTicket(named, about *Ticket) *Ticket {
	if named != nil {
		return named
	}
	return about
}

// maxReasons bounds how many steps of a decision #why tells.
const maxReasons = 40

// why tells why the desk decided as it did about this ticket, or the one that is named: each value with its reason and its
// place in the configuration.
func (op *operation) why(c command.Command) bool {
	if op.tellHidden(c) {
		return true
	}
	if c.Args != "" && op.k.Named[ticketRef(c.Args)] == nil {
		return op.refuse(Line{Key: "refused.ticket", Args: map[string]string{"number": oneLine(c.Args)}})
	}
	if c.Args == "" && op.apart {
		return op.refuse(Line{Key: "refused.which_ticket", Args: map[string]string{"usage": "#why NUMBER"}})
	}
	t := firstTicket(op.k.Named[ticketRef(c.Args)], op.t)
	op.tells = append(op.tells, func(v *InternalView) {
		v.Lines = append(v.Lines, op.listed(t))
		for _, r := range op.k.asks.why[:min(len(op.k.asks.why), maxReasons)] {
			place := ""
			if r.Place != "" {
				place = " (" + r.Place + ")"
			}
			v.Lines = append(v.Lines, Line{OK: true, Key: "why.reason", Args: map[string]string{"what": r.What, "value": oneLine(r.Value), "reason": oneLine(r.Why + place)}})
		}
	})
	return true
}

func (op *operation) history(v *InternalView, entries []Entry) {
	v.Recent = nil
	for _, e := range entries {
		if r := recentEntry(e); r.What != "" {
			v.Recent = append(v.Recent, r)
		}
	}
}

// list names live tickets: mine, unassigned, overdue, or those of a team.
func (op *operation) list(c command.Command) bool {
	want := strings.ToLower(firstNonEmpty(c.Args, "mine"))
	me := strings.ToLower(op.agent.Address)
	fits := map[string]func(*Ticket) bool{
		"mine":       func(t *Ticket) bool { return strings.EqualFold(t.Assignee, me) },
		"unassigned": func(t *Ticket) bool { return t.Assignee == "" },
		"overdue":    func(t *Ticket) bool { return op.overdue(t) },
		"all":        func(*Ticket) bool { return true },
	}
	for word, same := range map[string]string{"me": "mine", "meine": "mine", "ich": "mine", "frei": "unassigned", "offen": "all", "open": "all", "alle": "all", "überfällig": "overdue",
		"ueberfaellig": "overdue", "unowned": "unassigned", "nicht zugewiesen": "unassigned", "late": "overdue"} {
		fits[word] = fits[same]
	}
	fit := fits[want]
	if fit == nil {
		for _, word := range []string{"queue ", "team ", "group "} {
			want = strings.TrimPrefix(want, word)
		}
		team, ok := op.teamNamed(want, true)
		if !ok {
			return op.refuse(Line{Key: "refused.choice", Args: map[string]string{"word": "#list", "name": oneLine(c.Args),
				"candidates": "mine, unassigned, overdue, all, " + strings.Join(sorted(mapKeys(op.r.Teams)), ", ")}})
		}
		fit = func(t *Ticket) bool { return t.Team == team.Name }
	}
	var found []*Ticket
	for _, t := range op.k.asks.live {
		if t.State.Live() && fit(t) {
			found = append(found, t)
		}
	}
	slices.SortStableFunc(found, func(a, b *Ticket) int { return cmp.Compare(dueOrder(a, op.now), dueOrder(b, op.now)) })
	op.tellTickets(found)
	return true
}

// dueOrder sorts by what is due first; what has no deadline comes last.
func dueOrder(t *Ticket, now time.Time) int64 {
	if at := nextDeadline(t, now); !at.Due.IsZero() {
		return at.Due.Unix()
	}
	return 1 << 62
}

// nextDeadline is the promise of a ticket that falls due first.
func nextDeadline(t *Ticket, now time.Time) (next Deadline) {
	var v InternalView
	fillTicketView(&v, t, now)
	for _, d := range v.Deadlines {
		if next.Due.IsZero() || d.Due.Before(next.Due) {
			next = d
		}
	}
	return next
}

func (op *operation) overdue(t *Ticket) bool {
	d := nextDeadline(t, op.now)
	return !d.Due.IsZero() && d.Due.Before(op.now) || !t.Due.IsZero() && t.Due.Before(op.now)
}

// search names the tickets that have every word in number, subject, people, tags or the last texts.
func (op *operation) search(c command.Command) bool {
	words := strings.Fields(strings.ToLower(c.Args))
	var found []*Ticket
	for _, t := range op.k.asks.all {
		text := strings.ToLower(strings.Join([]string{t.Number, t.Subject, t.Requester.Mail, t.Requester.Name, t.Organisation, t.CI, t.Category, strings.Join(t.Tags, " "),
			t.LastCustomer, t.LastPublic, t.Resolution}, "\n"))
		if op.r.sees(t, op.agent.Address) && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			found = append(found, t)
		}
	}
	op.tellTickets(found)
	return true
}

// tellTickets puts a list of tickets into the receipt.
func (op *operation) tellTickets(found []*Ticket) {
	op.tells = append(op.tells, func(v *InternalView) {
		if len(found) == 0 {
			v.Lines = append(v.Lines, Line{OK: true, Key: "list.none", Args: map[string]string{}})
		}
		for _, t := range found[:min(len(found), maxShown)] {
			v.Lines = append(v.Lines, op.listed(t))
		}
		if more := len(found) - maxShown; more > 0 {
			v.Lines = append(v.Lines, Line{OK: true, Key: "list.more", Args: map[string]string{"count": formatInt(more)}})
		}
		if op.k.asks.cut {
			v.Lines = append(v.Lines, Line{OK: true, Key: "list.cut", Args: map[string]string{"count": formatInt(maxScanned)}})
		}
	})
}

// listed is one ticket on a line.
func (op *operation) listed(t *Ticket) Line {
	if !op.r.sees(t, op.agent.Address) {
		return restrictedLine(t)
	}
	args := map[string]string{"number": t.Number, "subject": excerpt(t.Subject), "who": firstNonEmpty(t.Assignee, t.Team), "state": string(t.State), "from": t.Requester.Mail}
	if d := nextDeadline(t, op.now); !d.Due.IsZero() {
		args["due"] = formatTime(d.Due)
	}
	return Line{OK: true, Key: "list.ticket", Args: args}
}

// help sends all commands, or what one of them does.
func (op *operation) help(c command.Command) bool {
	word := strings.TrimLeft(c.Args, "#!/")
	rows := command.Table()
	if word != "" {
		row, ok := command.Find(word)
		if !ok {
			return op.refuse(Line{Key: "refused.unknown", Args: map[string]string{"word": "#" + oneLine(word), "suggestion": strings.Join(command.Near(word), ", ")}})
		}
		rows = []command.Row{row}
	}
	op.tells = append(op.tells, func(v *InternalView) {
		v.Commands = nil
		for _, row := range rows {
			line := row.Usage + " – " + firstNonEmpty(row.Help[v.Language], row.Help["en"])
			if word != "" && len(row.Aliases) > 0 {
				line += " (= #" + strings.Join(row.Aliases, " #") + ")"
			}
			v.Commands = append(v.Commands, line)
		}
	})
	return true
}

// week is how far back figures look.
const week = 7 * 24 * time.Hour

// figures tells the agent their own numbers, and nobody else's.
func (op *operation) figures(command.Command) bool {
	me := strings.ToLower(op.agent.Address)
	op.count(func(t *Ticket) bool { return strings.EqualFold(t.Assignee, me) })
	return true
}

// report tells the numbers of the desk, or of a team.
func (op *operation) report(c command.Command) bool {
	name := strings.ToLower(c.Args)
	if name == "" || name == "week" || name == "woche" {
		op.count(func(*Ticket) bool { return true })
		return true
	}
	team, ok := op.teamNamed(name, true)
	if !ok {
		return op.refuse(Line{Key: "refused.choice", Args: map[string]string{"word": "#report", "name": oneLine(c.Args), "candidates": "week, " + strings.Join(sorted(mapKeys(op.r.Teams)), ", ")}})
	}
	op.count(func(t *Ticket) bool { return t.Team == team.Name })
	return true
}

// count puts the numbers of the tickets that fit into the receipt.
func (op *operation) count(fits func(*Ticket) bool) {
	n := map[string]int{}
	for _, t := range op.k.asks.all {
		if !fits(t) {
			continue
		}
		since := func(at time.Time) bool { return !at.IsZero() && op.now.Sub(at) <= week }
		for name, counts := range map[string]bool{
			"live": t.State.Live(), "waiting": t.State == StateWaitingCustomer || t.State == StateWaitingVendor, "unassigned": t.State.Live() && t.Assignee == "",
			"overdue": t.State.Live() && op.overdue(t), "opened": since(t.Created), "solved": since(t.SolvedAt), "reopened": t.Reopened > 0 && since(t.Updated),
		} {
			if counts {
				n[name]++
			}
		}
		for _, c := range t.Clocks {
			if c.Kind == clock.FirstResponse && since(t.Created) && c.State(op.now) == "missed" {
				n["late"]++
			}
		}
	}
	op.tells = append(op.tells, func(v *InternalView) {
		for _, name := range []string{"live", "unassigned", "waiting", "overdue", "opened", "solved", "reopened", "late"} {
			v.Lines = append(v.Lines, Line{OK: true, Key: "figure." + name, Args: map[string]string{"count": itoaZero(n[name])}})
		}
		if op.k.asks.cut {
			v.Lines = append(v.Lines, Line{OK: true, Key: "list.cut", Args: map[string]string{"count": formatInt(maxScanned)}})
		}
	})
}

func itoaZero(n int) string {
	if n == 0 {
		return "0"
	}
	return formatInt(n)
}

// answer answers a new mail that only asks.
func (m *agentMail) answer() {
	op := &operation{decider: m.decider, agent: m.agent, text: m.text, apart: true}
	for _, c := range m.text.Commands {
		if c.Word == "quiet" {
			continue
		}
		if !op.do(c) {
			m.refuse(*op.refused)
			return
		}
	}
	m.end(Filed, "an agent's questions")
	m.tellBack(TemplateReceipt, func(v *InternalView) {
		v.Commands = []string{"#show NUMBER", "#list overdue", "#help"}
		for _, tell := range op.tells {
			tell(v)
		}
	})
}
