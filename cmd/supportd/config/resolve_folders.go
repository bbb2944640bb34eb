package config

import "strings"

// folders settles what a mailbox does with the folders beside the one it follows.
func (r *resolver) folders(m *Mailbox, k mailboxCommonKeys) {
	m.Sent, m.SentCopies = k.Sent.val, k.Copies.val
	if m.SentCopies && m.Sent == "" {
		r.report("", k.Copies.at, `write sent: Sent, or sent: "\\Sent"`, "needs a folder to put them into")
	}
	switch {
	case strings.HasPrefix(m.Sent, `\`) && !strings.EqualFold(m.Sent, sentUse):
		r.report("", k.Sent.at, `write \Sent, or the folder's name`, "%q is no use of a folder for sent mail", m.Sent)
	case m.Sent != "" && strings.EqualFold(m.Sent, m.Folder):
		r.report("", k.Sent.at, "name the folder that clients put sent mail into", "is the folder that new mail is read from")
	case m.Sent != "" && m.Sent == m.MoveTo:
		r.report("", k.Sent.at, "choose another folder for one of them", "is the folder that mails are moved to by move_to")
	}
}

// sentUse is what servers call the folder for sent mail (RFC 6154).
const sentUse = `\Sent`
