package tickets

import (
	"slices"
	"strings"
	"time"

	"supportd/tickets/command"
)

// agentWrote deals with the mail of someone who may answer customers: it is carried out whole, or refused whole.
func (d *decider) agentWrote(a Agent) {
	if why, line := d.agentRight(a); why != "" {
		d.hold(why, line)
		return
	}
	d.hideNamed(a)
	op := &operation{decider: d, agent: a, text: command.Parse(d.newText()), t: d.out.Ticket}
	op.public = d.k.Token.Purpose&^purposeID == PurposeAnswer
	op.run()
}

// newText is what the agent wrote; nothing that was quoted, and never the whole mail when the new text is empty.
func (d *decider) newText() string {
	text := strings.TrimSpace(d.m.Reply)
	if d.m.Quoted == "" && nothingNew(text) {
		return ""
	}
	return text
}

// agentRight says why a mail from an agent's address may not act as the agent, or "" when it may (S-078): the address
// is configured, the sender is authenticated, and the reply address was given to this agent for this ticket.
func (d *decider) agentRight(a Agent) (why, line string) {
	purpose := d.k.Token.Purpose &^ purposeID
	switch {
	case d.out.Verdict.Auth != AuthPass:
		return "it comes from an agent's address, but nobody vouches for the sender", "held.agent"
	case purpose != PurposeAnswer && purpose != PurposeNote && purpose != PurposeForm, d.k.By == byID && d.k.Brand.Plus:
		return "it comes from an agent, but not to the reply address that this agent was given", "held.token"
	case !strings.EqualFold(d.k.TokenOwner, a.Address):
		return "it comes from an agent, but to a reply address that was given to someone else", "held.token"
	}
	return "", ""
}

// operation is one agent's mail being carried out on one ticket.
type operation struct {
	*decider
	agent  Agent
	text   command.Text
	t      *Ticket
	public bool // a plain reply goes to the customer

	entry  Entry
	answer bool // the text goes to the customer
	// appointment: the customer is sent a date, with the text if there is one.
	appointment bool
	standard    *StandardAnswer // goes to the customer
	own         string          // what the agent wrote above it
	posted      *Entry          // the mail that was refused and is sent after all
	short       bool            // without some of the attachments
	lines       []Line          // of the receipt
	ask         []askFor
	edit        edit
	formed      bool                  // the mail is answered by a form, not by a receipt
	wanted      bool                  // a receipt is wanted though there are no commands
	rating      int                   // of a handover's packet
	later       []func()              // tells people, once the entry is written
	tells       []func(*InternalView) // what was asked for, for the receipt
	apart       bool                  // the mail answers none of the desk's: what it refuses is told by whoever runs the operation
	refused     *Line                 // apart only
	sent        string
	sentTo      []string
}

type askFor string

func (op *operation) run() {
	op.entry = Entry{Actor: Actor{Kind: ActorAgent, Name: op.agent.Address}, From: op.agent.Address, MessageID: op.m.ID, Attached: op.m.Attachments, Verified: true}
	if p := op.text.Problem; p != nil {
		op.refuse(problemLine(p))
		return
	}
	if line, ok := op.shutOut(); ok {
		op.refuse(line)
		return
	}
	body, isNote := op.body()
	if body == "" && len(op.text.Commands) == 0 && len(op.m.Attachments) == 0 {
		op.refuse(Line{Key: "did.nothing"})
		return
	}
	if line, nothing, ok := op.leftOut(); ok && nothing && body == "" && !isNote && len(op.text.Commands) == 0 {
		op.refuse(line)
		return
	}
	if body != "" || len(op.m.Attachments) > 0 && !isNote && len(op.text.Commands) == 0 {
		if !op.say(body, isNote) {
			return
		}
	}
	for _, c := range answersFirst(op.text.Commands) {
		if !op.do(c) {
			return
		}
	}
	if !op.form() {
		return
	}
	op.commit(isNote)
}

// body is the text of the mail, and whether it stays inside. When in doubt it does (S-101).
func (op *operation) body() (text string, note bool) {
	if op.text.Note != "" {
		return op.text.Note, true
	}
	return op.text.Public, !op.public || op.has("note") || op.has("noreply") || op.has("call") || op.staysInside()
}

func (op *operation) has(word string) bool {
	for _, c := range op.text.Commands {
		if c.Word == word {
			return true
		}
	}
	return false
}

// say makes the text a note or an answer.
func (op *operation) say(body string, note bool) bool {
	op.entry.Text = body
	if note {
		op.entry.Kind = EntryNoted
		return true
	}
	if line, ok := op.leaks(body); ok {
		return op.refuse(line)
	}
	return op.answerWith(body)
}

// answerWith makes a text the answer to the customer.
func (op *operation) answerWith(body string) bool {
	body = op.forCustomer(body)
	op.entry.Text = body
	op.entry.Kind = EntryAnswered
	op.answer = true
	if !op.has("solve") && !op.has("pending") && !op.has("reopen") && !op.has("schedule") && !op.move(op.t, &op.entry, op.replying()) {
		return op.mayWork(op.agent.Address) && op.refuseState("reply")
	}
	op.t.set(&op.entry.Changes, fieldLastPublic, body)
	if op.t.Assignee == "" {
		op.t.set(&op.entry.Changes, fieldAssignee, op.agent.Address)
	}
	if op.t.Owner == "" {
		op.t.set(&op.entry.Changes, fieldOwner, op.agent.Address)
	}
	return true
}

// do carries out one command within the operation; false means that the whole mail is refused.
func (op *operation) do(c command.Command) bool {
	for _, group := range []map[string]handler{
		conversation(),
		structure(),
		scheduling(),
		fields(),
		details(),
		clockCommands(),
		people(),
		tiers(),
		newMail(),
		asking(),
		standard(),
	} {
		if carryOut, ok := group[c.Word]; ok {
			return carryOut(op, c)
		}
	}
	return op.refuse(Line{Key: "refused.unknown", Args: map[string]string{"word": "#" + c.Word}})
}

// handler carries out one command within an operation; false means that the whole mail is refused. It may be carried
// out before a later command of the same mail is refused: everything it does stands in the operation and its decision,
// which refuse drops.
type handler func(op *operation, c command.Command) bool

// conversation has the commands that an answer to a customer needs; rows of the same words stand in the command table.
func conversation() map[string]handler {
	return map[string]handler{
		"note": func(*operation, command.Command) bool { return true }, // the body says it all
		"reply": func(op *operation, _ command.Command) bool {
			return op.public || op.refuse(Line{Key: "refused.right", Args: map[string]string{"word": "#reply"}})
		},
		"solve":   (*operation).solve,
		"pending": (*operation).wait,
		"reopen": func(op *operation, c command.Command) bool {
			return op.transit(c, eventReopen, Line{OK: true, Key: "did.reopen"})
		},
		"take":    (*operation).take,
		"assign":  (*operation).assign,
		"release": (*operation).release,
		"admit":   func(op *operation, c command.Command) bool { return op.held(c, &op.out.Admit, "did.admit") },
		"reject":  func(op *operation, c command.Command) bool { return op.held(c, &op.out.Reject, "did.reject") },
		"undo":    func(op *operation, _ command.Command) bool { return op.undo() },
	}
}

func (op *operation) wait(c command.Command) bool {
	if !op.answer {
		return op.refuse(Line{Key: "refused.needs_text", Args: map[string]string{"word": "#" + c.Word}})
	}
	op.asked(op.t, &op.entry)
	return op.transit(c, eventWait, Line{OK: true, Key: "did.wait"})
}

func (op *operation) take(c command.Command) bool {
	if !op.mayWork(op.agent.Address) {
		return false
	}
	op.t.set(&op.entry.Changes, fieldAssignee, op.agent.Address)
	return op.transit(c, eventTake, Line{OK: true, Key: "did.take", Args: map[string]string{"who": op.agent.Address}})
}

func (op *operation) release(c command.Command) bool {
	if c.Args != "" {
		return op.held(c, &op.out.Admit, "did.admit")
	}
	if op.t.State == StateQuarantined {
		return op.transit(c, eventAdmit, Line{OK: true, Key: "did.unspam"})
	}
	op.t.set(&op.entry.Changes, fieldAssignee, "")
	return op.transit(c, eventRelease, Line{OK: true, Key: "did.release", Args: map[string]string{"team": op.t.Team}})
}

func (op *operation) transit(c command.Command, ev event, done Line) bool {
	if !op.move(op.t, &op.entry, ev) {
		return op.refuseState(c.Word)
	}
	op.lines = append(op.lines, done)
	return true
}

// solve needs a resolution: the text of this mail, else the last public answer. Without any it asks.
func (op *operation) solve(c command.Command) bool {
	resolution := op.t.value(fieldLastPublic, op.entry.Changes)
	if op.entry.Kind == EntryNoted && resolution == "" {
		resolution = op.entry.Text
	}
	if resolution == "" {
		return op.refuse(Line{Key: "refused.needs_resolution", Args: map[string]string{"word": "#solve"}})
	}
	op.t.set(&op.entry.Changes, fieldResolution, resolution)
	if c.Args != "" {
		op.t.set(&op.entry.Changes, fieldResolutionCode, resolutionCode(c.Args))
	}
	if op.t.Assignee == "" {
		op.t.set(&op.entry.Changes, fieldAssignee, op.agent.Address)
	}
	return op.transit(c, op.solving(), Line{OK: true, Key: "did.solve",
		Args: map[string]string{"until": formatTime(op.now.Add(op.r.ReopenWithin))}})
}

func (op *operation) assign(c command.Command) bool {
	to := op.agent
	if name := strings.TrimPrefix(c.Args, "@"); !isMe(name) {
		matches := op.r.findAgent(name)
		switch team, ok := op.teamNamed(name, len(matches) == 0); {
		case slices.Contains([]string{"none", "-", "keiner"}, strings.ToLower(name)):
			return op.release(command.Command{Word: "release", Line: c.Line})
		case ok:
			return op.toQueue(c, team)
		case len(matches) != 1:
			return op.refuseNames(name, matches)
		}
		to = matches[0]
	}
	if !op.mayWork(to.Address) {
		return false
	}
	op.t.set(&op.entry.Changes, fieldAssignee, to.Address)
	if !strings.EqualFold(to.Address, op.agent.Address) {
		op.ask = append(op.ask, askFor("assigned "+to.Address))
	}
	return op.transit(c, eventTake, Line{OK: true, Key: "did.assign", Args: map[string]string{"to": to.Address}})
}

// commit writes the operation's entry and mails.
func (op *operation) commit(isNote bool) {
	e := &op.entry
	if e.Kind == "" {
		e.Kind = EntryChanged
	}
	op.write()
	op.end(Appended, "on "+op.t.Number+", by an agent")
	if op.appointment {
		op.answerCustomer(TemplateAppointment, e.Text)
	} else if op.standard != nil {
		op.answerCustomer(TemplateStandard+op.standard.Name, op.own)
	} else if op.answer {
		op.answerCustomer(TemplateAgentReply, e.Text)
	} else if op.t.State == StateSolved && op.has("solve") && !op.has("noreply") && op.t.Alert == nil {
		op.answerCustomer(TemplateSolved, "")
	}
	op.tellOthers(isNote)
	op.receipt()
}

// write appends the operation's entry to the ticket.
func (op *operation) write() {
	op.entry.Detail = describe(op.text.Commands, op.entry.Detail)
	op.settleHandover()
	op.recalculate()
	op.decider.entry(op.entry)
}

// tellOthers tells the agents whom the operation concerns, once its entry is written.
func (op *operation) tellOthers(isNote bool) {
	if isNote && op.entry.Kind == EntryNoted {
		op.lines = append(op.lines, Line{OK: true, Key: "did.note"})
		if op.t.Assignee != "" && !strings.EqualFold(op.t.Assignee, op.agent.Address) {
			op.tell([]string{strings.ToLower(op.t.Assignee)}, TemplateNote, PurposeNote, true, nil)
		}
	}
	for _, ask := range op.ask {
		if to, ok := strings.CutPrefix(string(ask), "assigned "); ok {
			op.tell([]string{strings.ToLower(to)}, TemplateAssigned, PurposeAnswer, false, func(v *InternalView) {
				v.Text, v.TextFrom = op.t.LastCustomer, op.t.Requester.Mail
			})
		}
	}
	op.tellEdited()
	for _, tell := range op.later {
		tell()
	}
	op.learnBack()
}

// describe is what an entry says of the commands it stands for.
func describe(commands []command.Command, detail string) string {
	var words []string
	for _, c := range commands {
		words = append(words, strings.TrimSpace("#"+c.Word+" "+c.Args))
	}
	if detail != "" {
		words = append(words, "("+detail+")")
	}
	return strings.Join(words, " ")
}

// separately makes of an answer to the requester one that those who take part see each other in, and one more for each who
// only gets copies: they and the others learn nothing of each other from it (S-106).
func (op *operation) separately(m Mail) []Mail {
	if op.has("nocc") {
		return []Mail{m}
	}
	mails := []Mail{m}
	mails[0].Cc = slices.Clone(op.t.Participants)
	for _, address := range op.t.Copies {
		m.To = Address{Mail: address}
		mails = append(mails, m)
	}
	return mails
}

// answerCustomer owes the requester a mail from the desk's address.
func (op *operation) answerCustomer(template, text string) {
	v := op.publicView(op.t)
	v.Agent, v.Signature, v.Text = op.agent.Name, op.agent.Signature[v.Language], text
	v.Quote, v.QuoteFrom = op.lastCustomerText()
	if template == TemplateSolved || op.t.State == StateSolved {
		v.ReopenUntil = op.now.Add(op.r.ReopenWithin)
	}
	op.sent, op.sentTo = text, nil
	for _, m := range op.separately(Mail{
		To: op.t.Requester, Class: ClassAnswer, Template: template, Public: &v,
		Purpose: PurposeCustomer, NotBefore: op.now.Add(op.r.Undo), Attach: template == TemplateAgentReply || op.appointment && op.answer,
		Agent: op.agent, Invite: op.appointment, Files: op.standard.files(), Earlier: op.posted,
	}) {
		op.out.Mails = append(op.out.Mails, m)
		for _, a := range append([]Address{m.To}, m.Cc...) {
			op.sentTo = append(op.sentTo, a.Mail)
		}
	}
	key := "did.reply"
	if op.r.Undo > 0 {
		key = "did.reply_later"
	}
	args := map[string]string{"to": strings.Join(op.sentTo, ", "), "until": formatTime(op.now.Add(op.r.Undo))}
	lines := []Line{{OK: true, Key: key, Args: args}}
	if line, _, ok := op.leftOut(); ok && (template == TemplateAgentReply || op.appointment && op.answer) {
		lines, op.short = append(lines, line), true
	}
	op.lines = append(lines, op.lines...)
}

func (op *operation) lastCustomerText() (text, from string) {
	return op.t.LastCustomer, firstNonEmpty(op.t.Requester.Name, op.t.Requester.Mail)
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// receipt answers a mail that had commands; a plain answer needs none, unless something of it was left out.
func (op *operation) receipt() {
	if (len(op.text.Commands) == 0 || op.has("quiet")) && !op.short && !op.wanted || op.formed && len(op.text.Commands) <= 1 {
		return
	}
	op.consequences()
	op.tell([]string{op.agent.Address}, TemplateReceipt, PurposeNote, false, func(v *InternalView) {
		v.Mode = "command"
		v.Lines, v.Sent, v.SentTo = op.lines, op.sent, op.sentTo
		v.Text, v.TextFrom, v.Attachments, v.Warnings = "", "", nil, nil
		v.Commands = []string{"#undo", "#show", "#help"}
		for _, tell := range op.tells {
			tell(v)
		}
	})
	op.lastMailIsReceipt()
}

// consequences adds to the receipt what followed from the commands: another state, and promises
// that moved. What is due stands among the facts of the ticket.
func (op *operation) consequences() {
	before := op.k.Ticket
	if before.State != op.t.State {
		op.did("did.state", map[string]string{"from": string(before.State), "to": string(op.t.State)})
	}
	due := map[string]time.Time{}
	for _, c := range before.Clocks {
		if c.State(op.now) != "paused" && c.State(op.now) != "met" {
			due[string(c.Kind)] = c.Due
		}
	}
	var v InternalView
	fillTicketView(&v, op.t, op.now)
	for _, d := range v.Deadlines {
		if was, ok := due[d.Clock]; ok && !was.Equal(d.Due) {
			op.did("did.moved", map[string]string{"clock": d.Clock, "since": formatTime(was), "due": formatTime(d.Due)})
		}
	}
}

func (op *operation) lastMailIsReceipt() {
	op.out.Mails[len(op.out.Mails)-1].Class = ClassReceipt
}

// state is the ticket's before the mail.
func (op *operation) state() State {
	if op.k.Ticket == nil {
		return op.t.State
	}
	return op.k.Ticket.State
}

func (op *operation) refuseState(word string) bool {
	return op.refuse(Line{Key: "refused.state", Args: map[string]string{"word": "#" + word, "state": string(op.state())}})
}

// refuse answers the mail with the reason, and drops everything that was prepared. It returns false for its callers.
func (op *operation) refuse(line Line) bool {
	if op.apart {
		op.refused = &line
		return false
	}
	op.t = op.k.Ticket.clone()
	op.out.Ticket = op.t
	op.out.Entries, op.out.Mails, op.out.Admit, op.out.Reject, op.out.Cancel, op.out.Beside = nil, nil, nil, nil, nil, nil
	op.out.Leave, op.out.Wish, op.after = nil, nil, nil
	op.decider.entry(Entry{Kind: EntryRefused, Actor: Actor{Kind: ActorAgent, Name: op.agent.Address}, MessageID: op.m.ID, Text: op.newText(), Public: op.postable(), Attached: op.m.Attachments, Detail: line.Key})
	op.end(Appended, "refused: "+line.Key+", on "+op.t.Number)
	op.tell([]string{op.agent.Address}, TemplateRefused, PurposeNote, false, func(v *InternalView) {
		v.Mode = "command"
		v.ReplyIsPublic = false
		v.Text, v.TextFrom = op.newText(), op.agent.Address
		v.Lines = []Line{line}
		v.Commands = []string{"#help"}
	})
	op.lastMailIsReceipt()
	return false
}
