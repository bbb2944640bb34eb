package tickets

import (
	"maps"
	"slices"
	"strings"
)

// Mirror says what of its tickets stands at the messages in a mailbox, where every mail client shows it. What is to stand
// there follows from the ticket alone: see wish.
type Mirror struct {
	Answered bool           `json:"answered,omitempty"` // \Answered, once a person's answer has left
	Prefix   string         `json:"prefix,omitempty"`   // of every keyword; nothing else is ever taken away
	Show     []string       `json:"show,omitempty"`     // what there are keywords for: ShowState, …
	Folders  []MirrorFolder `json:"folders,omitempty"`  // the first that fits is where a ticket's messages stand
	Home     string         `json:"home,omitempty"`     // where they stand whose ticket fits none; "": the folder that is followed
}

// What there can be keywords for.
const (
	ShowState    = "state"
	ShowTier     = "tier"
	ShowTeam     = "team"
	ShowOwner    = "owner"
	ShowAssignee = "assignee"
	ShowPriority = "priority"
)

// MirrorFolder is a folder for the messages of some tickets.
type MirrorFolder struct {
	State  State  `json:"state,omitempty"` // "" fits all
	Team   string `json:"team,omitempty"`  // "" fits all
	Folder string `json:"folder"`
}

// MirrorWish is what is to stand at a ticket's messages.
type MirrorWish struct {
	Keywords []string `json:"keywords,omitempty"` // sorted
	Folder   string   `json:"folder,omitempty"`   // "": none is for this ticket
}

func (w MirrorWish) equal(o MirrorWish) bool {
	return slices.Equal(w.Keywords, o.Keywords) && w.Folder == o.Folder
}

// mirrorSettings are a Mirror, and the names that stand for the agents in its keywords.
type mirrorSettings struct {
	Mirror
	Names map[string]string `json:"names,omitempty"`
}

// mirrorOf is how a mailbox is mirrored; nil when it is not.
func (r *Rules) mirrorOf(mailbox string) *mirrorSettings {
	m := r.Mailboxes[mailbox].Mirror
	if m == nil {
		return nil
	}
	s := &mirrorSettings{Mirror: *m}
	if slices.Contains(m.Show, ShowOwner) || slices.Contains(m.Show, ShowAssignee) {
		s.Names = keywordNames(slices.Collect(maps.Keys(r.Agents)))
	}
	return s
}

// wish is what is to stand at the messages of a ticket. Of one that another has taken in it is the other's.
func (s *mirrorSettings) wish(t *Ticket) MirrorWish {
	var w MirrorWish
	add := func(name, value string) {
		if value != "" && slices.Contains(s.Show, name) {
			if name != ShowState {
				value = name + "-" + value
			}
			w.Keywords = append(w.Keywords, keyword(s.Prefix, value))
		}
	}
	add(ShowState, string(t.State))
	if t.Tier > 0 {
		add(ShowTier, formatInt(t.Tier))
	}
	add(ShowTeam, t.Team)
	add(ShowOwner, s.person(t.Owner))
	add(ShowAssignee, s.person(t.Assignee))
	add(ShowPriority, t.Priority)
	slices.Sort(w.Keywords)
	if w.Folder = s.folder(t.State, t.Team); w.Folder == "" && t.State == StateClosed {
		w.Folder = s.folder(StateSolved, t.Team) // what was put aside stays there
	}
	return w
}

func (s *mirrorSettings) folder(state State, team string) string {
	for _, f := range s.Folders {
		if (f.State == "" || f.State == state) && (f.Team == "" || f.Team == team) {
			return f.Folder
		}
	}
	return ""
}

// person is what stands for somebody in a keyword.
func (s *mirrorSettings) person(address string) string {
	if name := s.Names[strings.ToLower(address)]; name != "" {
		return name
	}
	return strings.ToLower(address)
}

// maxKeyword is how long a keyword can be on every server that is known; Dovecot keeps no longer one.
const maxKeyword = 50

// keyword makes a keyword of a name: an atom (RFC 9051 §9) in lower case, as some clients keep no other.
func keyword(prefix, name string) string {
	k := prefix + atom(name)
	return strings.TrimRight(k[:min(len(k), maxKeyword)], "-")
}

var plainLetters = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "é", "e", "è", "e", "ê", "e", "á", "a", "à", "a", "â", "a",
	"ó", "o", "ò", "o", "ô", "o", "í", "i", "ú", "u", "ñ", "n", "ç", "c", "ø", "o", "å", "a", "æ", "ae", "ł", "l", "ś", "s", "š", "s", "ž", "z", "č", "c")

// atom writes a name in letters, digits, and the signs that no server or client minds.
func atom(name string) string {
	var b strings.Builder
	for _, r := range plainLetters.Replace(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '.':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// keywordNames gives each address a name of its own: what stands before the @ where that is one person's, else all of it.
func keywordNames(addresses []string) map[string]string {
	short := func(address string) string {
		local, _, _ := strings.Cut(address, "@")
		return atom(local)
	}
	used := map[string]int{}
	for _, a := range addresses {
		used[short(a)]++
	}
	names := map[string]string{}
	for _, a := range addresses {
		if names[a] = short(a); used[names[a]] > 1 {
			names[a] = atom(a)
		}
	}
	return names
}

// face is what of a ticket can be seen in a mailbox.
type face struct {
	state                           State
	tier                            int
	team, owner, assignee, priority string
	into                            TicketID
}

func (t *Ticket) face() face {
	return face{t.State, t.Tier, t.Team, t.Owner, t.Assignee, t.Priority, t.MergedInto}
}
