package tickets

import (
	"strings"
	"unicode/utf8"

	"supportd/tickets/command"
)

// What an answer must not carry though an agent put it there (P5): sentences from a ticket of somebody else's, or from a
// note, and the desk's own words around them in a notice. Agents paste, and have the wrong mail open. Whoever means it
// says #post.
//
// A passage is a run of words. What the customer of the ticket has read or written is no secret, nor is what any customer
// was answered: standard answers and the phrases of an agent stand there. What several customers write is a phrase too.

const (
	passageWords   = 10
	passageOctets  = 50  // a run of words that is shorter is a phrase
	maxElsewhere   = 100 // live tickets that are looked at, the newest
	entriesBack    = 40  // of each of them, beside what its customer wrote last
	ownEntriesBack = 200 // of the ticket that is answered
)

// origin is where a passage of an answer stands.
type origin struct {
	number string
	who    string // who wrote it, lower-case address; "" for a note
}

// passages are the runs of words of a text, by hash.
func (w *wording) passages() map[uint64]bool {
	found := map[uint64]bool{}
	ends := make([]int, 1, len(w.hashes)+1) // where the words end, each with the blank behind it
	for i, c := range w.words {
		if c == ' ' {
			ends = append(ends, i+1)
		}
	}
	for i := 0; i+passageWords <= len(w.hashes); i++ {
		if ends[i+passageWords]-ends[i] < passageOctets {
			continue
		}
		h := uint64(passageWords)
		for _, word := range w.hashes[i : i+passageWords] {
			const mix = 0x9e3779b97f4a7c15 // odd, so that the order of the words counts
			h = (h ^ word) * mix
		}
		found[h] = true
	}
	return found
}

// knowElsewhere finds where the passages of an agent's text stand, when they may become an answer: in notes of any ticket,
// and in what other customers wrote.
func (tx *Tx) knowElsewhere(k *Known, r *Rules, m *Message) error {
	text := command.Parse(strings.TrimSpace(m.Reply)).Public
	if text == "" {
		return nil
	}
	mine := wordingOf(text).passages()
	if len(mine) == 0 {
		return nil
	}
	found := map[uint64]map[origin]bool{}
	look := func(text string, f func(hash uint64)) {
		if utf8.RuneCountInString(text) < passageOctets {
			return
		}
		for h := range wordingOf(text).passages() {
			if mine[h] {
				f(h)
			}
		}
	}
	known := func(h uint64) { delete(mine, h) }
	if t := k.Ticket; t != nil {
		for _, text := range []string{t.LastCustomer, t.LastPublic, t.Subject} {
			look(text, known)
		}
	}
	place := func(text string, o origin) {
		look(text, func(h uint64) {
			if found[h] == nil {
				found[h] = map[origin]bool{}
			}
			found[h][o] = true
		})
	}
	read := func(t *Ticket, back int) error {
		entries, err := tx.lastEntries(t.ID, back)
		theirs := k.Ticket != nil && (t.ID == k.Ticket.ID || k.Ticket.participant(t.Requester.Mail))
		if who := strings.ToLower(t.Requester.Mail); !theirs {
			place(t.LastCustomer, origin{t.Number, who})
		}
		for _, e := range entries {
			switch {
			case e.Kind == EntryAnswered, e.Kind == EntryReceived && theirs:
				look(e.Text, known)
			case e.Kind == EntryNoted, e.Kind == EntryVendor, e.Kind == EntryChanged:
				place(e.Text, origin{t.Number, ""})
				place(e.Detail, origin{t.Number, ""}) // what stands behind a command
			case e.Kind == EntryReceived:
				place(e.Text, origin{t.Number, strings.ToLower(t.Requester.Mail)})
			}
		}
		return err
	}
	if k.Ticket != nil {
		if err := read(k.Ticket, ownEntriesBack); err != nil {
			return err
		}
	}
	n := 0
	err := tx.Tickets(false, func(t *Ticket) (bool, error) {
		if n++; n > maxElsewhere || len(mine) == 0 {
			return false, nil
		}
		if k.Ticket != nil && t.ID == k.Ticket.ID {
			return true, nil
		}
		return true, read(t, entriesBack)
	})
	k.Elsewhere = elsewhereOf(mine, found)
	return err
}

// elsewhereOf is the ticket that most of the passages stand in, of those that are somebody's; "" for none.
func elsewhereOf(mine map[uint64]bool, found map[uint64]map[origin]bool) string {
	count := map[string]int{}
	for h := range mine {
		writers, note := map[string]bool{}, false
		for o := range found[h] {
			writers[o.who] = true
			note = note || o.who == ""
		}
		if len(writers) > 1 && !note {
			continue // several customers say so
		}
		for o := range found[h] {
			count[o.number]++
		}
	}
	best := ""
	for number, n := range count {
		if best == "" || n > count[best] || n == count[best] && number < best {
			best = number
		}
	}
	return best
}

// Marks are the desk's own words in a notice, by which one is known that was pasted into an answer.
type Marks struct {
	Sentences []string // one of them is enough
	Labels    []string // of facts that no customer is told; three lines that begin with them are the table of a notice
}

// fromNotice reports whether a text holds the desk's own words of a notice.
func (m Marks) fromNotice(text string) bool {
	flat := strings.Join(strings.Fields(text), " ")
	for _, s := range m.Sentences {
		if strings.Contains(flat, s) {
			return true
		}
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimLeft(line, "> \t*|")
		for _, label := range m.Labels {
			rest, ok := strings.CutPrefix(line, label)
			if rest = strings.TrimRight(rest, "\r"); ok && (rest == "" || strings.HasPrefix(strings.TrimLeft(rest, " *"), ":") || strings.HasPrefix(rest, "\t") || strings.HasPrefix(rest, "  ")) {
				seen[label] = true // in a table of HTML there is no colon
			}
		}
	}
	return len(seen) >= 3
}
