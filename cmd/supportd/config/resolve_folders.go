package config

import (
	"slices"
	"strings"

	"supportd/classify"
	"supportd/tickets"
)

// folders settles what a mailbox does with the folders beside the one it follows.
func (r *resolver) folders(m *Mailbox, k mailboxCommonKeys) {
	m.Sent, m.SentCopies = k.Sent.val, k.Copies.val
	if m.SentCopies && m.Sent == "" {
		r.report("", k.Copies.at, `write sent: Sent, or sent: "\\Sent"`, "needs a folder to put them into")
	}
	if m.Claim = k.Claim.val; m.Claim == "none" {
		m.Claim = ""
	}
	switch {
	case m.Claim != "" && (strings.EqualFold(m.Claim, m.Folder) || m.Claim == m.MoveTo || m.Claim == m.Sent):
		r.report("", k.Claim.at, "choose a folder for nothing else, or leave it out", "is a folder for mail")
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

// moves settles the folders in which moving is an action; they name teams and people.
func (r *resolver) moves(k *fileKeys) {
	i := 0
	if k.Mailbox.given {
		r.mailboxMoves(&r.cfg.Mailboxes[i], k.Mailbox.Actions)
		r.mirror(&r.cfg.Mailboxes[i], k.Mailbox.Mirror)
		i++
	}
	for _, e := range k.Mailboxes.entries {
		r.mailboxMoves(&r.cfg.Mailboxes[i], e.keys.Actions)
		r.mirror(&r.cfg.Mailboxes[i], e.keys.Mirror)
		i++
	}
	for j, e := range k.Mailboxes.entries {
		r.othersFolders(r.cfg.Mailboxes[i-len(k.Mailboxes.entries)+j], e.keys.Mirror.Folders)
	}
}

func (r *resolver) mailboxMoves(m *Mailbox, list list[moveKeys]) {
	used := map[string]string{strings.ToLower(m.Folder): "new mail is read from", strings.ToLower(m.Sent): "sent mail stands in", strings.ToLower(m.MoveTo): "mails are moved to by move_to"}
	for _, k := range list.items {
		move := Move{Folder: k.Folder.val, Do: k.Do.val, Team: k.Team.val}
		if what, taken := used[strings.ToLower(move.Folder)]; taken && move.Folder != "" {
			r.report("E02", k.Folder.at, "choose another folder", "%q is the folder that %s", clip(move.Folder), what)
		}
		used[strings.ToLower(move.Folder)] = "has an action already"
		switch {
		case move.Do == "team" && move.Team == "":
			r.report("", k.Do.at, "write team: NAME beside it", "needs to know which team")
		case move.Do != "team" && k.Team.given:
			r.report("", k.Team.at, "write do: team or delete team", "has no effect, as do is %s", move.Do)
		case move.Team != "" && !slices.ContainsFunc(r.cfg.Teams, func(t Team) bool { return t.Name == move.Team }):
			r.report("E03", k.Team.at, didYouMean(move.Team, namesIn(r.cfg.Teams, func(t Team) string { return t.Name })), "there is no team %q", clip(move.Team))
		case move.Do == "take" && !k.By.given:
			r.report("", k.Do.at, "write by: ADDRESS beside it, with a folder for each person", "needs to know who takes the ticket")
		}
		if who, ok := r.person(k.By); ok {
			move.By = bare(who)
			if !r.isAgent(move.By) {
				r.report("E03", k.By.at, "name a member of a team", "%s is nobody who works on tickets", move.By)
			}
		}
		m.Moves = append(m.Moves, move)
	}
}

// isAgent reports whether an address is that of somebody who may work on tickets.
func (r *resolver) isAgent(address string) bool {
	return slices.ContainsFunc(r.cfg.People, func(p classify.Person) bool { return p.Mail == address }) ||
		slices.ContainsFunc(r.cfg.Teams, func(t Team) bool {
			return slices.ContainsFunc(t.Members, func(a tickets.Address) bool { return strings.EqualFold(a.Mail, address) })
		})
}
