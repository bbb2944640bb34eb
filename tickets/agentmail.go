package tickets

import (
	"slices"
	"strings"

	"supportd/tickets/command"
)

// New mail by agents: mail from an agent that answers none of the desk's and carries no reply address of it. Nothing binds
// it to a ticket, so it may do less than an answer: open tickets in somebody's name, ask, and change tickets by their
// numbers as far as no customer gets anything by it. Whoever wants more gets a mail about the ticket to answer, whose reply
// address is bound as ever (S-078). The sender has to be authenticated in any case.

// newMail has the commands that say what a new mail is about. By the time that commands are carried out they are settled;
// on a ticket most of them make no sense.
func newMail() map[string]handler {
	apart := func(op *operation, c command.Command) bool {
		return op.apart || op.refuse(Line{Key: "refused.new_mail", Args: map[string]string{"word": "#" + c.Word}})
	}
	return map[string]handler{"for": apart, "fwd": apart, "channel": apart, "at": apart, "ticket": apart, "call": (*operation).call}
}

// call notes a phone call: what stands below it stays inside, and how long it took counts.
func (op *operation) call(c command.Command) bool {
	if !op.apart && op.entry.Text == "" {
		return op.refuse(Line{Key: "refused.needs_text", Args: map[string]string{"word": "#call"}})
	}
	return c.Args == "" || op.spend(command.Command{Word: "time", Args: c.Args, Line: c.Line})
}

// agentMail is an agent's new mail that is being carried out.
type agentMail struct {
	*decider
	agent Agent
	text  command.Text
}

// byAgent settles a new mail of an authenticated agent that says what it wants, and reports whether it did. Agents are
// customers of their own desk too: what has no command and forwards nothing opens a ticket of theirs.
func (d *decider) byAgent() bool {
	a, ok := d.r.agent(d.m.Author)
	v := d.out.Verdict
	if !ok || v.Kind != KindHuman || d.k.Admitted || d.k.Intake.Monitoring {
		return false
	}
	d.hideNamed(a)
	m := &agentMail{decider: d, agent: a, text: command.Parse(d.newText())}
	sender, forwarded := m.forwarded()
	p := m.text.Problem
	if len(m.text.Commands) == 0 && (p == nil || p.Key == "foreign") && !forwarded {
		return false
	}
	if v.Auth == AuthFail {
		return false // a new ticket is held as well, and says so
	}
	if v.Auth != AuthPass {
		d.hold("it has an agent's commands, but nobody vouches for the sender", "held.agent")
		return true
	}
	to, named := m.named("for")
	switch {
	case p != nil && p.Key != "foreign":
		m.refuse(problemLine(p))
	case m.settles():
		m.settle()
	case m.has("ticket"), named && !strings.Contains(to, "@"):
		m.control()
	case named:
		m.openFor(to)
	case forwarded:
		m.openForwarded(sender)
	case m.has("fwd"):
		m.refuse(Line{Key: "refused.no_forward"})
	case m.has("call"), m.has("channel"), m.has("at"):
		m.refuse(Line{Key: "refused.needs_for", Args: map[string]string{"usage": "#for " + kundeExample}})
	case m.text.Public == "" && m.text.Note == "" && m.onlyAsks():
		m.answer()
	case m.text.Public == "" && m.text.Note == "":
		m.refuse(Line{Key: "refused.which_ticket", Args: map[string]string{"usage": "#ticket NUMBER"}})
	default:
		m.open(Address{Name: a.Name, Mail: strings.ToLower(a.Address)}, newCase{text: m.text.Public, note: m.text.Note, own: true})
	}
	return true
}

// kundeExample stands for a customer where a refusal shows how to write it.
const kundeExample = "kim@customer.example"

func problemLine(p *command.Problem) Line {
	return Line{Key: "refused." + p.Key, Args: map[string]string{"word": p.Word, "usage": p.Usage, "suggestion": strings.Join(p.Suggest, ", ")}}
}

// named is what stands behind a command.
func (m *agentMail) named(word string) (args string, ok bool) {
	for _, c := range m.text.Commands {
		if c.Word == word {
			return c.Args, true
		}
	}
	return "", false
}

func (m *agentMail) has(word string) bool { _, ok := m.named(word); return ok }

// onlyAsks reports whether every command asks for something that the desk can tell without a ticket.
func (m *agentMail) onlyAsks() bool {
	return !slices.ContainsFunc(m.text.Commands, func(c command.Command) bool { return asking()[c.Word] == nil && c.Word != "quiet" })
}

// forwarded is whose mail this one forwards.
func (m *agentMail) forwarded() (Address, bool) {
	f := m.m.Forwarded
	if f == nil || checkAddress(f.From.Mail) != nil || m.r.isOwn(f.From.Mail) {
		return Address{}, false
	}
	_, agent := m.r.agent(f.From.Mail)
	return f.From, !agent
}

// refuse answers the mail with the reason; nothing of it is done.
func (m *agentMail) refuse(line Line) {
	verdict := m.out.Verdict
	reasons := m.out.Reasons
	m.out = Decision{Verdict: verdict, Reasons: reasons}
	m.end(Filed, "an agent's mail, refused: "+line.Key)
	m.tellBack(TemplateRefused, func(v *InternalView) {
		v.Text, v.TextFrom = m.newText(), m.agent.Address
		v.Lines = []Line{line}
		v.Commands = []string{"#help", "#for ADDRESS", "#ticket NUMBER"}
	})
}

// tellBack answers the agent. A reply to it is a new mail once more: its address is bound to the agent and to no ticket.
func (m *agentMail) tellBack(template string, fill func(*InternalView)) {
	view := m.internalView(m.agent, PurposeNote)
	view.Mode, view.Text, view.TextFrom, view.Attachments, view.Warnings = "command", "", "", nil, nil
	fill(&view)
	m.out.Mails = append(m.out.Mails, Mail{To: Address{Name: m.agent.Name, Mail: m.agent.Address}, Class: ClassReceipt, Template: template,
		Internal: &view, Purpose: PurposeNote, NoTicket: true})
}
