package tickets

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// Duplicates says what becomes of mails that say what another one said (domain.md S39).
type Duplicates struct {
	// Within is how long a mail of the same sender with the same text joins the ticket of the first; 0: it never does.
	Within time.Duration
	// Similar is from which likeness on, between 0 and 1, a ticket of the same sender is mentioned to the team; 0: never.
	Similar float64
}

// bySameText is what says that a message joins a ticket.
const bySameText = "text, which is that of the ticket"

// knowLikeness looks for a live ticket of the author that says the same, or nearly.
func (tx *Tx) knowLikeness(k *Known, r *Rules, m *Message, now time.Time) error {
	recent, err := tx.ticketsOf(m.Author, 5)
	if err != nil {
		return err
	}
	text := textWords(m.NewText())
	for _, t := range recent {
		if !t.State.Live() || len(text) == 0 {
			continue
		}
		theirs := textWords(t.LastCustomer)
		if r.Duplicates.Within > 0 && now.Sub(t.Created) <= r.Duplicates.Within && slices.Equal(text, theirs) && bareSubject(t.Subject) == bareSubject(m.Subject) {
			k.By = bySameText
			return tx.knowTicket(k, t, now)
		}
		if k.Suggestion == nil && r.Duplicates.Similar > 0 && likeness(text, theirs) >= r.Duplicates.Similar {
			k.Suggestion = t
		}
	}
	for _, t := range recent {
		if k.Suggestion == nil && t.State != StateClosed && t.State != StateMerged && bareSubject(t.Subject) == bareSubject(m.Subject) && bareSubject(m.Subject) != "" {
			k.Suggestion = t
		}
	}
	return nil
}

// maxLikenessWords bounds what of a text is compared.
const maxLikenessWords = 400

// textWords are the words of a text, folded, without marks.
func textWords(s string) []string {
	words := strings.FieldsFunc(foldText(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return words[:min(len(words), maxLikenessWords)]
}

// likeness is the share of runs of three words that two texts have in common (Broder 1997, w-shingling, w = 3).
func likeness(a, b []string) float64 {
	x, y := shingles(a), shingles(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	common := 0
	for s := range x {
		if y[s] {
			common++
		}
	}
	return float64(common) / float64(len(x)+len(y)-common)
}

func shingles(words []string) map[[3]string]bool {
	set := map[[3]string]bool{}
	for i := 0; i+3 <= len(words); i++ {
		set[[3]string{words[i], words[i+1], words[i+2]}] = true
	}
	return set
}
