package tickets

import (
	"encoding/json"
	"slices"
	"strings"

	"supportd/tickets/command"
)

// Who takes part in a ticket, who is told of it, and what of an agent's mail is sent.

// people has the commands about who takes part and who gets what.
func people() map[string]handler {
	return map[string]handler{
		"queue":     (*operation).queue,
		"requester": (*operation).requester,
		"cc":        func(op *operation, c command.Command) bool { return op.copies(c, false) },
		"delcc":     func(op *operation, c command.Command) bool { return op.copies(c, true) },
		"watch":     (*operation).watch,
		"mute":      (*operation).mute,
		"nocc":      (*operation).onlyRequester,
		"noreply":   func(op *operation, _ command.Command) bool { return op.did("did.noreply", nil) },
		"quiet":     func(*operation, command.Command) bool { return true },
		"post":      (*operation).post,
	}
}

// queue gives the ticket to a team; nobody in it works on it yet.
func (op *operation) queue(c command.Command) bool {
	var list []choice
	for _, name := range sorted(mapKeys(op.r.Teams)) {
		list = append(list, choice{value: name, names: []string{name}})
	}
	name, ok := op.choose(c, list)
	return ok && op.toQueue(c, op.r.Teams[name])
}

func (op *operation) toQueue(c command.Command, team Team) bool {
	e := &op.entry
	op.t.set(&e.Changes, fieldTeam, team.Name)
	op.t.set(&e.Changes, fieldTier, formatInt(team.Tier))
	op.t.set(&e.Changes, fieldAssignee, "")
	op.later = append(op.later, func() {
		op.tell(op.team(), TemplateTicketToTeam, op.t.noticePurpose(), false, func(v *InternalView) {
			v.Text, v.TextFrom, v.TextAt, v.Verified = op.t.LastCustomer, op.t.Requester.Mail, op.t.Created, op.t.Verified
			v.Attachments, v.Warnings = nil, nil
		})
	})
	return op.transit(c, eventRelease, Line{OK: true, Key: "did.team", Args: map[string]string{"team": team.Name}})
}

// address reads the one address behind a command: bare, in angle brackets, or with a name before it.
func (op *operation) address(c command.Command, s string) (Address, bool) {
	a := Address{Mail: strings.Trim(strings.TrimSpace(s), "<>")}
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		a = Address{Name: strings.Trim(strings.TrimSpace(s[:i]), `"'`), Mail: strings.TrimRight(s[i+1:], "> ")}
	}
	a.Mail, _ = strings.CutPrefix(a.Mail, "mailto:")
	switch {
	case checkAddress(a.Mail) != nil, strings.Count(a.Mail, "@") != 1:
		return a, op.refuse(Line{Key: "refused.address", Args: map[string]string{"word": "#" + c.Word, "name": oneLine(s)}})
	case op.r.isOwn(a.Mail):
		return a, op.refuse(Line{Key: "refused.own_address", Args: map[string]string{"name": oneLine(a.Mail)}})
	}
	local, domain, _ := cutAddress(a.Mail)
	a.Mail = local + "@" + domain
	return a, true
}

// requester makes somebody else the ticket's customer. Who it was before takes no part any more (S-094: only an agent's
// word does this).
func (op *operation) requester(c command.Command) bool {
	a, ok := op.address(c, c.Args)
	if !ok {
		return false
	}
	from := op.t.Requester.Mail
	if strings.EqualFold(from, a.Mail) {
		return op.did("did.requester", map[string]string{"to": a.Mail})
	}
	op.t.set(&op.entry.Changes, fieldRequester, formatJSON(a))
	if before := op.t.Requester.Mail; !strings.EqualFold(before, a.Mail) {
		op.t.set(&op.entry.Changes, fieldLastCustomer, "") // what the one before wrote is never quoted to another
	}
	op.t.set(&op.entry.Changes, fieldVerified, "")
	op.t.set(&op.entry.Changes, fieldOrganisation, "")
	op.setPeople(op.without(a.Mail))
	op.t.set(&op.entry.Changes, fieldCopies, strings.Join(slices.DeleteFunc(slices.Clone(op.t.Copies), func(s string) bool { return s == a.Mail }), " "))
	op.did("did.requester", map[string]string{"to": a.Mail})
	return op.did("did.requester_before", map[string]string{"from": from, "suggestion": "#cc +" + from})
}

// maxPeople bounds who may get copies of a ticket's answers.
const maxPeople = 20

// copies adds people who get answers and may write, and takes them off.
func (op *operation) copies(c command.Command, off bool) bool {
	for _, s := range signed(c.Args) {
		a, ok := op.address(c, s.name)
		if !ok {
			return false
		}
		there := len(op.without(a.Mail)) < len(op.withPeople()) || slices.Contains(op.withCopies(), a.Mail)
		switch _, agent := op.r.agent(a.Mail); {
		case (off || s.minus) && !there:
			return op.refuse(Line{Key: "refused.not_there", Args: map[string]string{"name": a.Mail}})
		case off || s.minus:
			op.setPeople(op.without(a.Mail))
			op.setCopies(slices.DeleteFunc(op.withCopies(), func(s string) bool { return s == a.Mail }))
			op.did("did.uncc", map[string]string{"who": a.Mail})
		case agent:
			return op.refuse(Line{Key: "refused.agent_cc", Args: map[string]string{"name": a.Mail, "suggestion": "#watch " + a.Mail}})
		case strings.EqualFold(op.t.Requester.Mail, a.Mail):
			op.did("did.cc", map[string]string{"who": a.Mail})
		case len(op.withPeople())+len(op.withCopies()) >= maxPeople:
			return op.refuse(Line{Key: "refused.too_many", Args: map[string]string{"word": "#cc", "count": formatInt(maxPeople)}})
		default:
			op.setPeople(append(op.without(a.Mail), a))
			op.setCopies(slices.DeleteFunc(op.withCopies(), func(s string) bool { return s == a.Mail }))
			op.did("did.cc", map[string]string{"who": a.Mail})
		}
	}
	return true
}

func (op *operation) withPeople() []Address {
	return participantsOf(op.t.value(fieldParticipants, op.entry.Changes))
}

func (op *operation) without(mail string) []Address {
	return slices.DeleteFunc(op.withPeople(), func(p Address) bool { return strings.EqualFold(p.Mail, mail) })
}

func (op *operation) setPeople(list []Address) {
	value := ""
	if len(list) > 0 {
		value = formatJSON(list)
	}
	op.t.set(&op.entry.Changes, fieldParticipants, value)
}

func (op *operation) withCopies() []string {
	return strings.Fields(op.t.value(fieldCopies, op.entry.Changes))
}

func (op *operation) setCopies(list []string) {
	op.t.set(&op.entry.Changes, fieldCopies, strings.Join(list, " "))
}

// watch has somebody told of everything about the ticket: the agent, or whom they name.
func (op *operation) watch(c command.Command) bool {
	who := []Agent{op.agent}
	if c.Args != "" && !isMe(c.Args) {
		if who = op.r.findAgent(strings.TrimPrefix(c.Args, "@")); len(who) != 1 {
			return op.refuseNames(c.Args, who)
		}
	}
	address := strings.ToLower(who[0].Address)
	e := &op.entry
	op.t.set(&e.Changes, fieldWatchers, strings.Join(union(strings.Fields(op.t.value(fieldWatchers, e.Changes)), []string{address}), " "))
	op.unmute(address)
	return op.did("did.watch", map[string]string{"who": address})
}

func (op *operation) unmute(address string) {
	e := &op.entry
	op.t.set(&e.Changes, fieldMuted, strings.Join(slices.DeleteFunc(strings.Fields(op.t.value(fieldMuted, e.Changes)), func(s string) bool { return s == address }), " "))
}

// mute spares the agent further mails about the ticket, as long as they do not work on it.
func (op *operation) mute(command.Command) bool {
	address := strings.ToLower(op.agent.Address)
	e := &op.entry
	op.t.set(&e.Changes, fieldWatchers, strings.Join(slices.DeleteFunc(strings.Fields(op.t.value(fieldWatchers, e.Changes)), func(s string) bool { return s == address }), " "))
	op.t.set(&e.Changes, fieldMuted, strings.Join(union(strings.Fields(op.t.value(fieldMuted, e.Changes)), []string{address}), " "))
	return op.did("did.mute", nil)
}

// hearing are those of a list who have not muted the ticket; all of them when nobody else would hear of it.
func (t *Ticket) hearing(to []string) []string {
	left := slices.DeleteFunc(slices.Clone(to), func(a string) bool { return slices.Contains(t.Muted, a) })
	if len(left) == 0 {
		return to
	}
	return left
}

// onlyRequester leaves copies off this answer.
func (op *operation) onlyRequester(c command.Command) bool {
	if !op.answer && !op.has("solve") && !op.has("post") {
		return op.refuse(Line{Key: "refused.needs_text", Args: map[string]string{"word": "#" + c.Word}})
	}
	return op.did("did.nocc", nil)
}

// post sends the text of the agent's mail that was refused last, with its attachments. Its commands stay undone. What would hand out a reply
// address is not sent in any case.
func (op *operation) post(command.Command) bool {
	var refused *Entry
	for _, e := range op.k.Recent {
		if !strings.EqualFold(e.Actor.Name, op.agent.Address) || e.Kind == EntryQueued {
			continue
		}
		if e.Kind == EntryRefused {
			refused = &e
		}
		break
	}
	switch {
	case op.entry.Kind != "":
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#post", "other": "text"}})
	case refused == nil || refused.Public == "":
		return op.refuse(Line{Key: "refused.post", Args: map[string]string{}})
	case op.handsOut(refused.Public):
		return op.refuse(Line{Key: "refused.leak", Args: map[string]string{"suggestion": ""}})
	}
	op.posted = refused
	op.entry.Attached = op.attached()
	return op.answerWith(refused.Public) && op.did("did.post", map[string]string{"to": op.t.Requester.Mail})
}

// postable is what #post would send of a mail that is refused: only what was on its way to the customer.
func (op *operation) postable() string {
	if !op.public || op.has("note") || op.has("noreply") || op.text.Note != "" {
		return ""
	}
	return command.Body(op.newText())
}

func (op *operation) refuseNames(name string, found []Agent) bool {
	if len(found) == 0 {
		return op.refuse(Line{Key: "refused.person", Args: map[string]string{"name": oneLine(name), "suggestion": ""}})
	}
	var names []string
	for _, a := range found {
		names = append(names, a.Address)
	}
	return op.refuse(Line{Key: "refused.ambiguous", Args: map[string]string{"name": oneLine(name), "candidates": strings.Join(sorted(names), ", ")}})
}

func isMe(name string) bool {
	return slices.Contains([]string{"me", "myself", "ich", "mir", "mich"}, strings.ToLower(strings.TrimPrefix(name, "@")))
}

// teamNamed is the team with that name, or the only one whose name begins so.
func (op *operation) teamNamed(name string, beginning bool) (Team, bool) {
	want := strings.ToLower(strings.TrimSpace(name))
	var found []Team
	for key, team := range op.r.Teams {
		switch key = strings.ToLower(key); {
		case key == want:
			return team, true
		case beginning && want != "" && strings.HasPrefix(key, want):
			found = append(found, team)
		}
	}
	if len(found) != 1 {
		return Team{}, false
	}
	return found[0], true
}

// inCopy are those who get answers beside the requester.
func (t *Ticket) inCopy() []Address {
	list := slices.Clone(t.Participants)
	for _, mail := range t.Copies {
		list = append(list, Address{Mail: mail})
	}
	return list
}

func participantsOf(value string) (list []Address) {
	if value == "" || json.Unmarshal([]byte(value), &list) != nil {
		return nil
	}
	return list
}

// resolutionCode is the code of how a ticket ended, for the word behind #solve.
func resolutionCode(word string) string {
	switch word = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(word)); word {
	case "implemented":
		return "fixed"
	case "wontfix", "bydesign":
		return "by_design"
	case "notreproducible":
		return "not_reproducible"
	}
	return word
}
