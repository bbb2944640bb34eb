package tickets

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"supportd/tickets/clock"
	"supportd/tickets/command"
)

// The overviews: what an agent has to do today (T36), and what a lead has to look at (T37).

// aging is how old a ticket is that leads are told of as old.
const aging = 7 * 24 * time.Hour

// Group is a heading of an overview and the tickets below it.
type Group struct {
	Key     string // names the heading, translated by the templates
	Tickets []Listed
}

// standing is how all tickets stand, read once for all overviews of an instant.
type standing struct {
	live    []*Ticket // what falls due first comes first
	waiting map[string][]Postponed
	absent  map[string]Leave
	ended   []TicketID // those that are not live and changed within mostAway
}

// each goes through all of them.
func (s *standing) each(tx *Tx, f func(*Ticket) error) error {
	for _, t := range s.live {
		if err := f(t); err != nil {
			return err
		}
	}
	for _, id := range s.ended {
		t, err := tx.Ticket(id)
		if err == nil {
			err = f(t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) standing(now time.Time) (*standing, error) {
	s := &standing{waiting: map[string][]Postponed{}}
	err := tx.Tickets(false, func(t *Ticket) (bool, error) {
		if t.State.Live() {
			s.live = append(s.live, t)
		} else if now.Sub(t.Updated) < 4*mostAway {
			s.ended = append(s.ended, t.ID)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(s.live, func(a, b *Ticket) int {
		return cmp.Or(cmp.Compare(dueBy(a, now).Unix(), dueBy(b, now).Unix()), cmp.Compare(a.ID, b.ID))
	})
	if s.absent, err = tx.leaves(now); err != nil {
		return nil, err
	}
	waiting, err := tx.postponedTo(now.Add(12 * time.Hour))
	for _, n := range waiting {
		if n.Many != "" {
			continue // it comes at its time
		}
		s.waiting[n.To] = append(s.waiting[n.To], n)
	}
	return s, err
}

// dueBy is when a ticket has to be dealt with: the first of its promises, or the date that an agent has set. What has
// none is due after all others.
func dueBy(t *Ticket, now time.Time) time.Time {
	at := time.Date(noYear, 1, 1, 0, 0, 0, 0, time.UTC)
	if d := nextDeadline(t, now); !d.Due.IsZero() {
		at = d.Due
	}
	if !t.Due.IsZero() && t.Due.Before(at) {
		at = t.Due
	}
	return at
}

// noYear is later than all that falls due.
const noYear = 9999

// overview is one mail that is being made.
type overview struct {
	d      *Desk
	a      *application
	m      dailyMail
	view   *InternalView
	groups map[string][]Listed
	about  map[TicketID]bool
}

// sendOverview owes one reader's overview, when there is something to say.
func (d *Desk) sendOverview(tx *Tx, r *Rules, m dailyMail, seen *standing, before string, now time.Time) error {
	if _, away := seen.absent[m.to]; away {
		return nil
	}
	agent, ok := r.agent(m.to)
	if !ok {
		agent = Agent{Address: m.to}
	}
	brand := r.brandOf("")
	a := &application{tx: tx, r: r, in: &Incoming{Arrived: now}, known: &Known{Brand: brand}, now: now}
	o := &overview{d: d, a: a, m: m, groups: map[string][]Listed{}, about: map[TicketID]bool{},
		view: &InternalView{Language: r.language(agent.Language), Desk: brand.Desk, DeskAddress: brand.From.Mail, Mode: "command", Zone: m.zone}}
	template, order := TemplatePersonal, []string{"overview.over", "overview.today", "overview.away", "overview.answered", "overview.told", "overview.open", "overview.free"}
	var err error
	if m.kind == dailyLead {
		template, order = TemplateLead, []string{"overview.over", "overview.unowned", "overview.returned", "overview.gaps", "overview.aging"}
		since, wrong := time.ParseInLocation(time.DateOnly, before, m.zone)
		if wrong != nil {
			since = now.AddDate(0, 0, -1)
		}
		err = o.ofTeams(seen, since.Add(m.at))
	} else {
		err = o.ofAgent(seen)
	}
	if err != nil {
		return err
	}
	for _, key := range order {
		if list := o.groups[key]; len(list) > 0 {
			o.view.Groups = append(o.view.Groups, Group{key, list})
		}
	}
	if len(o.view.Groups) == 0 && len(o.view.Lines) == 0 {
		return nil
	}
	tx.onCommit(d.wakeSender)
	return d.owe(a, Mail{To: Address{Name: agent.Name, Mail: agent.Address}, Class: ClassNotice, Template: template, Purpose: PurposeCopy,
		NoTicket: true, Bulk: true, Internal: o.view})
}

// add lists a ticket below a heading, once in a mail.
func (o *overview) add(key string, t *Ticket, lines ...Line) error {
	if o.about[t.ID] {
		return nil
	}
	o.about[t.ID] = true
	reply, err := o.a.replyOf(t, o.m.to)
	if err != nil {
		return err
	}
	o.groups[key] = append(o.groups[key], o.a.r.listedFor(t, o.m.to, Listed{Number: t.Number, Subject: t.Subject, State: t.State, Priority: t.Priority, Assignee: t.Assignee,
		Lines: append(lines, Line{Key: "overview.from", Args: map[string]string{"from": firstNonEmpty(t.Requester.Name, t.Requester.Mail)}}), Reply: reply}))
	return nil
}

// replyOf is the address by which one agent answers a ticket, for mails about several; "" for who is no agent, and where
// addresses cannot carry that.
func (a *application) replyOf(t *Ticket, who string) (string, error) {
	if _, ok := a.r.agent(who); !ok || !a.brand(t).Plus {
		return "", nil
	}
	principal, err := a.tx.principal(strings.ToLower(who), true)
	if err != nil {
		return "", storeError{err}
	}
	return a.brand(t).withToken(a.sign(Token{Purpose: t.noticePurpose(), Ticket: t.ID, Principal: principal})), nil
}

// ofAgent gathers what an agent has to do. What waits for their working time is told with it, and not once more.
func (o *overview) ofAgent(seen *standing) error {
	now := o.a.now
	told := map[TicketID][]Line{}
	for _, n := range seen.waiting[o.m.to] {
		told[n.Ticket] = append(told[n.Ticket], n.Lines...)
		if err := o.a.tx.btx.Bucket(bucketPostponed).Delete(n.key()); err != nil {
			return err
		}
	}
	meanwhile, err := o.catchUp(seen)
	if err != nil {
		return err
	}
	teams := o.a.r.teamsOf(o.m.to)
	midnight := now.In(o.m.zone)
	midnight = time.Date(midnight.Year(), midnight.Month(), midnight.Day()+1, 0, 0, 0, 0, o.m.zone)
	for _, t := range seen.live {
		at := dueBy(t, now)
		key := ""
		switch {
		case strings.EqualFold(t.Assignee, o.m.to):
			switch {
			case at.Before(now):
				key = "overview.over"
			case at.Before(midnight):
				key = "overview.today"
			case meanwhile[t.ID] != nil:
				key = "overview.away"
			case customerWaits(t):
				key = "overview.answered"
			case told[t.ID] != nil:
				key = "overview.told"
			default:
				key = "overview.open"
			}
		case told[t.ID] != nil:
			key = "overview.told"
		case t.Assignee == "" && slices.Contains(teams, t.Team) && !slices.Contains(t.Muted, o.m.to) && (t.State == StateNew || t.State == StateOpen || t.State == StateHandedOver):
			key = "overview.free"
		default:
			continue
		}
		if err := o.add(key, t, slices.Concat(o.dueLines(t, at), meanwhile[t.ID], told[t.ID])...); err != nil {
			return err
		}
	}
	return nil
}

// dueLines says when a ticket falls due.
func (o *overview) dueLines(t *Ticket, at time.Time) []Line {
	if at.Year() == noYear {
		return nil
	}
	args := map[string]string{"due": formatTime(at)}
	if d := nextDeadline(t, o.a.now); d.Due.Equal(at) {
		args["clock"] = d.Clock
	}
	if at.Before(o.a.now) {
		return []Line{{Key: "overview.was_due", Args: args}}
	}
	return []Line{{Key: "overview.due", Args: args}}
}

// customerWaits reports whether a customer has written since somebody last did something.
func customerWaits(t *Ticket) bool {
	if c, ok := t.clock(clock.NextResponse, nil); ok && c.Running() {
		return true
	}
	return t.State == StateOpen && t.StateSince.After(t.Touched)
}

// ofTeams gathers what the lead of some teams has to look at. since is when they were last told.
func (o *overview) ofTeams(seen *standing, since time.Time) error {
	r, now := o.a.r, o.a.now
	var teams []string
	for _, name := range sortedTeams(r) {
		if r.Teams[name].Lead == o.m.to {
			teams = append(teams, name)
		}
	}
	if !since.Before(now) || now.Sub(since) > week {
		since = now.AddDate(0, 0, -1)
	}
	var old []*Ticket
	for _, t := range seen.live {
		returned, gaps := o.handovers(t, teams, since)
		var err error
		switch mine, at := slices.Contains(teams, t.Team), dueBy(t, now); {
		case mine && at.Before(now):
			err = o.add("overview.over", t, o.dueLines(t, at)...)
		case returned != nil:
			err = o.add("overview.returned", t, *returned)
		case gaps != nil:
			err = o.add("overview.gaps", t, *gaps)
		case mine && t.Assignee == "" && (t.State == StateNew || t.State == StateOpen || t.State == StateHandedOver):
			err = o.add("overview.unowned", t, o.age(t))
		case mine && now.Sub(t.Created) > aging:
			old = append(old, t)
		}
		if err != nil {
			return err
		}
	}
	slices.SortStableFunc(old, func(a, b *Ticket) int { return a.Created.Compare(b.Created) })
	for _, t := range old {
		if err := o.add("overview.aging", t, o.age(t)); err != nil {
			return err
		}
	}
	for _, who := range sorted(mapKeys(seen.absent)) {
		if slices.ContainsFunc(r.teamsOf(who), func(t string) bool { return slices.Contains(teams, t) }) {
			agent, _ := r.agent(who)
			o.view.Lines = append(o.view.Lines, Line{Key: "overview.absent", Args: map[string]string{"who": firstNonEmpty(agent.Name, who), "until": formatTime(seen.absent[who].Until)}})
		}
	}
	return nil
}

func (o *overview) age(t *Ticket) Line {
	return Line{Key: "overview.since", Args: map[string]string{"since": formatTime(t.Created)}}
}

// handovers says of a ticket that it came back to or from one of the teams since then, or that it went with gaps.
func (o *overview) handovers(t *Ticket, teams []string, since time.Time) (returned, gaps *Line) {
	for _, h := range t.Handovers {
		if !slices.Contains(teams, h.From) && !slices.Contains(teams, h.To) {
			continue
		}
		if h.ReturnedAt.After(since) {
			returned = &Line{Key: "overview.came_back", Args: map[string]string{"team": h.To, "reason": oneLine(h.Returned)}}
		}
		if h.At.After(since) && len(h.Gaps) > 0 && h.ReturnedAt.IsZero() {
			gaps = &Line{Key: "overview.lacks", Args: map[string]string{"team": h.To, "fields": strings.Join(h.Gaps, ", ")}}
		}
	}
	return returned, gaps
}

// digest is #digest on and #digest off: whether the sender gets overviews.
func (op *operation) digest(c command.Command) bool {
	off, ok := map[string]bool{"off": true, "aus": true, "nein": true, "no": true, "on": false, "an": false, "ein": false, "ja": false, "yes": false}[strings.ToLower(oneLine(c.Args))]
	if !ok {
		return op.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#digest", "usage": "#digest on|off"}})
	}
	op.out.Wish = &wantDaily{who: op.agent.Address, off: off}
	key := "did.digest_on"
	if off {
		key = "did.digest_off"
	}
	op.tells = append(op.tells, func(v *InternalView) { v.Lines = append(v.Lines, Line{OK: true, Key: key, Args: map[string]string{}}) })
	return true
}
