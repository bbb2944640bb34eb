package config

import (
	"slices"
	"strings"
	"time"

	"supportd/tickets"
)

// teams settles the teams of either form, and the one that gets new tickets.
func (r *resolver) teams(k *fileKeys) {
	c := r.cfg
	switch {
	case k.Team.given && !k.Teams.given:
		c.Teams = []Team{{Name: ShortTeam, Tier: 1, Members: r.members(ShortTeam, k.Team), Calendars: []string{c.Calendar}}}
	case !k.Team.given && !k.Teams.given:
		r.report("", place{path: "team", line: 1, col: 1}, "write team: [max@huber.example] with the addresses of the people who answer", "is missing")
	}
	var names []string
	for _, cal := range c.Calendars {
		names = append(names, cal.Name)
	}
	for _, e := range k.Teams.entries {
		t := Team{Name: e.name, Tier: e.keys.Tier.val, Members: r.members(e.name, e.keys.Members), Address: bare(e.keys.Address.val), Skills: r.unique(e.keys.Skills.items, strings.ToLower), Calendars: r.unique(e.keys.Calendar.items, strings.ToLower)}
		t.Lead, _ = r.person(e.keys.Lead)
		for _, cal := range e.keys.Calendar.items {
			if !slices.Contains(names, cal.val) {
				r.report("E03", cal.at, didYouMean(cal.val, names), "there is no calendar %q", clip(cal.val))
			}
		}
		if len(t.Calendars) == 0 {
			t.Calendars = []string{c.Calendar}
		}
		switch {
		case len(t.Members) > 0 || e.keys.Members.given:
		case t.Address == "":
			r.report("", e.at, "write members: [name@domain]", "the team has neither members nor an address: nobody would be told of its tickets")
		default:
			r.warn("W24", e.at, "write members: [name@domain]", "the team has no members: %s is told of its tickets, but nobody may answer them", t.Address)
		}
		c.Teams = append(c.Teams, t)
	}
	r.oneName()
	if to := k.Routes.To; to.val != "" {
		c.Intake = to.val // whether there is such a team is the routes' to say
		return
	}
	for _, t := range c.Teams {
		if t.Tier == 1 {
			c.Intake = t.Name
			return
		}
	}
	if len(c.Teams) > 0 {
		r.report("", k.Teams.at, "give the team that takes in the mail tier: 1, or name one in routes.to", "no team is of tier 1, so nobody would get new tickets")
	}
}

// members settles the people of a team: those whom it names, and those whom the table of people puts in it.
func (r *resolver) members(team string, k many[tickets.Address]) []tickets.Address {
	var all, tabled []tickets.Address
	for _, p := range r.cfg.People {
		if slices.Contains(p.Teams, team) {
			tabled = append(tabled, tickets.Address{Name: p.Name, Mail: p.Mail})
		}
	}
	for _, m := range k.items {
		if slices.ContainsFunc(tabled, func(a tickets.Address) bool { return a.Mail == bare(m.val) }) {
			r.report("E02", m.at, "delete it here", "%s is in the team by %s already", bare(m.val), r.cfg.PeopleFile)
			continue
		}
		if slices.ContainsFunc(all, func(a tickets.Address) bool { return bare(a) == bare(m.val) }) {
			r.report("E02", m.at, "keep one of them", "%s stands here twice", bare(m.val))
			continue
		}
		all = append(all, m.val)
	}
	return append(all, tabled...)
}

// oneName gives people who stand in several teams the same display name in all of them.
func (r *resolver) oneName() {
	names := map[string]string{}
	for _, p := range r.cfg.People {
		names[p.Mail] = p.Name
	}
	each := func(do func(*tickets.Address)) {
		for i := range r.cfg.Teams {
			do(&r.cfg.Teams[i].Lead)
			for j := range r.cfg.Teams[i].Members {
				do(&r.cfg.Teams[i].Members[j])
			}
		}
	}
	each(func(a *tickets.Address) {
		if a.Name != "" && names[bare(*a)] == "" {
			names[bare(*a)] = a.Name
		}
	})
	each(func(a *tickets.Address) { a.Name = names[bare(*a)] })
}

// ownAddresses refuses the desk's own addresses where people belong: mails to them would come back as new mail (E17).
func (r *resolver) ownAddresses(k *fileKeys) {
	owner := map[string]string{}
	for _, m := range r.cfg.Mailboxes {
		for _, a := range m.Addresses {
			if other, twice := owner[a]; twice && other != m.Name {
				r.report("E02", r.addressesAt(k, m.Name), "leave it to one of them", "%s belongs to mailbox %s already", a, other)
			}
			owner[a] = m.Name
		}
	}
	check := func(at place, a tickets.Address, what string) { r.notOwn(at, bare(a), what) }
	for _, m := range k.Team.items {
		check(m.at, m.val, "its notices")
	}
	for _, e := range k.Teams.entries {
		for _, m := range e.keys.Members.items {
			check(m.at, m.val, "its notices")
		}
		if strings.Contains(e.keys.Lead.val, "@") { // people of the table are checked there
			lead, _ := r.person(e.keys.Lead)
			check(e.keys.Lead.at, lead, "its notices")
		}
		check(e.keys.Address.at, e.keys.Address.val, "its notices")
	}
	check(k.Admin.at, k.Admin.val, "its notices")
}

// addressesAt is where a mailbox of the full form has its addresses.
func (r *resolver) addressesAt(k *fileKeys, name string) place {
	for _, e := range k.Mailboxes.entries {
		if e.name == name {
			return e.at.or(e.keys.Addresses.at, e.keys.Addresses.given)
		}
	}
	return k.Mailbox.at
}

// longestAnswerLimit is how long automatic answers are counted.
const longestAnswerLimit = 48 * time.Hour

// answers settles the automatic answers.
func (r *resolver) answers(k *fileKeys) {
	r.cfg.Standard = r.texts(k.Standard, "no standard answers")
	if limit := k.AutoAnswers.Limit.PerSender; limit.given {
		r.cfg.AnswerLimit = Rate{limit.val.n, limit.val.per}
		if limit.val.per > longestAnswerLimit {
			r.report("", limit.at, "write at most 48h", "answers are counted for 48 hours only")
		}
	}
	first := map[string]int{}
	for _, a := range k.AutoAnswers.Answers.items {
		if line, twice := first[strings.ToLower(a.Name.val)]; twice && a.Name.val != "" {
			r.report("E02", a.Name.at, "give it another name", "there is an answer called %q in %s already", a.Name.val, r.told(line, a.Name.at))
		}
		first[strings.ToLower(a.Name.val)] = a.Name.at.line
		answer := Answer{Name: a.Name.val, Solves: !a.KeepOpen.val}
		r.unusedCaptures(&a.Match, nil)
		if m := r.match(&a.Match); m != nil {
			answer.Match = *m
		}
		if laterText.MatchString(a.Send.val) {
			r.warn("", a.Send.at, "name a file, or leave it for later versions", "%q is not used yet, so this answer is never sent", clip(a.Send.val))
			continue
		}
		if a.Send.val != "" {
			answer.File = r.path(a.Send.val)
			if data, ok := r.file(a.Send.at, a.Send.val, maxText, false); ok {
				answer.Text = r.answerText(a.Send.at, answer.File, data)
			}
		}
		r.cfg.Answers = append(r.cfg.Answers, answer)
	}
}

func (r *resolver) answerText(at place, file string, data []byte) string {
	text := strings.ToValidUTF8(string(data), "\uFFFD")
	switch {
	case text != string(data):
		r.report("", at, "save it as UTF-8", "%s is not UTF-8 text", file)
	case strings.TrimSpace(text) == "":
		r.report("", at, "write the answer into it", "%s is empty", file)
	}
	return strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(text, "\uFEFF"), "\r\n", "\n")) + "\n"
}
