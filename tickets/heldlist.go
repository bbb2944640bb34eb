package tickets

import (
	"strings"

	"supportd/tickets/command"
)

// The list of what is held, and the notice of one such mail that is about no ticket, may be answered: #release N lets the
// mail N in, #reject N drops it. The answer needs what every command needs: an agent, authenticated, and the reply address
// of that very mail, which was given to this agent (S-078).

// given reports whether the message came to a reply address about no ticket that was given to its author, or refers to a
// mail of that kind where there are no reply addresses.
func (tx *Tx) given(r *Rules, k *Known, m *Message) bool {
	mine := func(t Token) bool {
		return t.Ticket == 0 && t.Purpose&^purposeID == PurposeNote && m.Author != "" && strings.EqualFold(tx.address(t.Principal), m.Author)
	}
	for _, t := range tx.addressTokens(r, m) {
		if mine(t) {
			return true
		}
	}
	if k.Brand.Plus {
		return false
	}
	for _, id := range referred(m) {
		if t := tx.signedID(r, id); t != nil && mine(*t) {
			return true
		}
	}
	return false
}

// settles reports whether the mail has nothing but commands about held mails.
func (m *agentMail) settles() bool {
	if !m.k.Given || m.text.Public != "" || m.text.Note != "" || len(m.text.Commands) == 0 {
		return false
	}
	for _, c := range m.text.Commands {
		switch c.Word {
		case "admit", "reject", "quiet":
		case "release":
			if c.Args == "" {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// settle lets held mails in and drops them: all that are named, or none (S-084).
func (m *agentMail) settle() {
	var lines []Line
	named := map[uint64]bool{}
	for _, c := range m.text.Commands {
		if c.Word == "quiet" {
			continue
		}
		h := m.k.Held[heldID(c)]
		switch {
		case h == nil || h.Final && c.Word != "reject":
			m.refuse(Line{Key: "refused.id", Args: map[string]string{"id": c.Args}})
			return
		case named[h.ID]:
			m.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#" + c.Word + " " + c.Args, "other": c.Args}})
			return
		}
		named[h.ID] = true
		lines = append(lines, m.settleOne(c, h))
	}
	m.end(Filed, "an agent's word about held mail")
	if m.has("quiet") {
		return
	}
	m.tellBack(TemplateReceipt, func(v *InternalView) { v.Lines, v.Commands = lines, []string{"#help"} })
}

func (m *agentMail) settleOne(c command.Command, h *HeldMail) Line {
	line := Line{OK: true, Key: "did.admit", Args: map[string]string{"id": strings.Trim(c.Args, "# "), "from": h.From}}
	if c.Word == "reject" {
		line.Key = "did.reject"
		m.out.Reject = append(m.out.Reject, h.ID)
		return line
	}
	if _, agent := m.r.agent(h.From); agent && h.Ticket != 0 {
		line.Key = "did.admit_note"
	}
	m.out.Admit = append(m.out.Admit, h.ID)
	return line
}
