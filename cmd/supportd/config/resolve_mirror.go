package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"supportd/tickets"
)

// mirror settles what the messages of a mailbox show of their tickets; it names teams.
func (r *resolver) mirror(m *Mailbox, k mirrorKeys) {
	if !k.given {
		return
	}
	mirror := &tickets.Mirror{Answered: k.Answered.val, Prefix: k.Prefix.val, Home: m.MoveTo}
	for _, word := range k.Keywords.items {
		if slices.Contains(mirror.Show, word.val) {
			r.report("E02", word.at, "keep one of them", "%q stands here twice", word.val)
			continue
		}
		mirror.Show = append(mirror.Show, word.val)
	}
	used := map[string]string{
		strings.ToLower(m.Folder): "new mail is read from; messages stand there anyway when no folder fits",
		strings.ToLower(m.MoveTo): "mails are moved to by move_to; messages stand there anyway when no folder fits",
		strings.ToLower(m.Sent):   "sent mail stands in",
		strings.ToLower(m.Claim):  "the desk notes in that it reads the mailbox",
	}
	for _, move := range m.Moves {
		used[strings.ToLower(move.Folder)] = "has an action: what the desk moves there would be taken for a person's"
	}
	for _, f := range k.Folders.items {
		folder := tickets.MirrorFolder{Folder: f.Folder.val, State: tickets.State(f.State.val), Team: f.Team.val}
		if what, taken := used[strings.ToLower(folder.Folder)]; taken && folder.Folder != "" {
			r.report("E02", f.Folder.at, "choose another folder", "%q is the folder that %s", clip(folder.Folder), what)
		}
		switch {
		case !f.State.given && !f.Team.given:
			r.report("", f.at, "write state: STATE or team: NAME beside it", "needs to know whose messages")
			continue
		case folder.Team != "" && !slices.ContainsFunc(r.cfg.Teams, func(t Team) bool { return t.Name == folder.Team }):
			r.report("E03", f.Team.at, didYouMean(folder.Team, namesIn(r.cfg.Teams, func(t Team) string { return t.Name })), "there is no team %q", clip(folder.Team))
		case slices.ContainsFunc(mirror.Folders, func(o tickets.MirrorFolder) bool {
			return (o.State == "" || o.State == folder.State) && (o.Team == "" || o.Team == folder.Team)
		}):
			r.report("E02", f.at, "put it first, or delete it", "never counts: a folder above it fits the same tickets")
		}
		mirror.Folders = append(mirror.Folders, folder)
	}
	if !mirror.Answered && len(mirror.Show) == 0 && len(k.Folders.items) == 0 {
		r.report("", k.at, "write answered: true, keywords: [state] or folders, or delete it", "shows nothing")
	}
	m.Mirror = mirror
}

// othersFolders refuses folders that another mailbox of the same account uses: each would undo what the other does.
func (r *resolver) othersFolders(own Mailbox, list list[mirrorFolderKeys]) {
	told := map[string]bool{}
	for _, m := range r.cfg.Mailboxes {
		if m.Name == own.Name || !strings.EqualFold(m.Host, own.Host) || m.Port != own.Port || m.User != own.User {
			continue
		}
		folders := []string{m.Folder, m.MoveTo, m.Sent, m.Claim}
		for _, move := range m.Moves {
			folders = append(folders, move.Folder)
		}
		if m.Mirror != nil {
			for _, f := range m.Mirror.Folders {
				folders = append(folders, f.Folder)
			}
		}
		for _, f := range list.items {
			if f.Folder.val != "" && !told[f.Folder.val] && slices.ContainsFunc(folders, func(name string) bool { return strings.EqualFold(name, f.Folder.val) }) {
				told[f.Folder.val] = true
				r.report("E02", f.Folder.at, "choose another folder", "%q is a folder of mailbox %s, too", clip(f.Folder.val), m.Name)
			}
		}
	}
}

// addMirror adds what the messages of a mailbox show.
func (n *node) addMirror(m *tickets.Mirror) {
	if m == nil {
		return
	}
	own := block()
	if m.Answered {
		own.add("answered", plain("true", "!!bool"))
	}
	own.addTexts("keywords", m.Show)
	own.add("prefix", text(m.Prefix))
	if len(m.Folders) > 0 {
		folders := &node{Kind: yaml.SequenceNode}
		for _, f := range m.Folders {
			one := block().add("folder", text(f.Folder))
			one.addText("state", string(f.State))
			one.addText("team", f.Team)
			folders.Content = append(folders.Content, one.yaml())
		}
		own.add("folders", folders)
	}
	n.add("mirror", own)
}

// keywordPattern is how keywords can begin: with no more than is an atom (RFC 9051 §9), and with an end that no keyword of
// anybody else has.
const keywordPattern = `^\$?[A-Za-z][A-Za-z0-9]{0,14}[-_.]$`

var keywordStart = regexp.MustCompile(keywordPattern)

func parseKeyword(s string) (any, error) {
	if !keywordStart.MatchString(s) {
		return nil, &fault{what: fmt.Sprintf("wants the beginning of keywords such as $sd-: letters and digits, and a dash, dot or underscore at the end; got %q", clip(s))}
	}
	return s, nil
}
