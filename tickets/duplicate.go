package tickets

import (
	"bytes"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
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
	recent, err := tx.begun(m.Author, 5)
	if err != nil {
		return err
	}
	if len(recent) == 0 {
		return nil
	}
	text, subject := wordingOf(m.NewText()), bareSubject(m.Subject)
	var near *glimpse
	for _, g := range recent {
		if !g.state.Live() || len(text.words) == 0 {
			continue
		}
		if r.Duplicates.Within > 0 && now.Sub(g.created) <= r.Duplicates.Within && text.same(g.said) && g.subject == subject {
			t, err := g.ticket()
			if err != nil {
				return err
			}
			k.By = bySameText
			return tx.knowTicket(k, t, now)
		}
		if near == nil && k.Suggestion == nil && r.Duplicates.Similar > 0 && text.likeness(g.said) >= r.Duplicates.Similar {
			near = g
		}
	}
	for _, g := range recent {
		if near == nil && k.Suggestion == nil && g.state != StateClosed && g.state != StateMerged && subject != "" && g.subject == subject {
			near = g
		}
	}
	if near != nil {
		k.Suggestion, err = near.ticket()
	}
	return err
}

// maxLikenessWords bounds what of a text is compared.
const maxLikenessWords = 400

// wording is a text as it is compared with others: without marks, and with its words folded.
type wording struct {
	words  []byte   // each with a blank after it
	hashes []uint64 // of the words
	runs   []uint64 // hashes of its runs of three words, each once, in ascending order; filled when it is first asked for
}

// wordingOf reads the words of a text, up to the bound.
func wordingOf(s string) *wording {
	w := &wording{words: make([]byte, 0, min(len(s)+len(s)/8+1, 4<<10))}
	start := 0
	end := func() {
		if len(w.words) > start {
			w.hashes = append(w.hashes, fnv64(w.words[start:]))
			w.words = append(w.words, ' ')
			start = len(w.words)
		}
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			w.words = append(w.words, byte(r))
			continue
		case r >= 'A' && r <= 'Z':
			w.words = append(w.words, byte(r)|0x20)
			continue
		case r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			w.words = appendFolded(w.words, unicode.ToLower(r))
			continue
		}
		if end(); len(w.hashes) == maxLikenessWords {
			return w
		}
	}
	end()
	return w
}

// appendFolded appends a lower-case letter as foldText writes it.
func appendFolded(b []byte, r rune) []byte {
	switch r {
	case 'ä':
		return append(b, "ae"...)
	case 'ö':
		return append(b, "oe"...)
	case 'ü':
		return append(b, "ue"...)
	case 'ß':
		return append(b, "ss"...)
	}
	return utf8.AppendRune(b, r)
}

// fnv64 is the hash FNV-1a.
func fnv64(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// same reports whether two texts have the same words.
func (w *wording) same(v *wording) bool { return bytes.Equal(w.words, v.words) }

// likeness is the share of runs of three words that two texts have in common (Broder 1997, w-shingling, w = 3). Runs are
// told apart by their hashes: it decides about a mention to the team, no more.
func (w *wording) likeness(v *wording) float64 {
	a, b := w.shingles(), v.shingles()
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	common, all := 0, len(a)+len(b)
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			common++
			a, b = a[1:], b[1:]
		}
	}
	return float64(common) / float64(all-common)
}

func (w *wording) shingles() []uint64 {
	if w.runs == nil && len(w.hashes) >= 3 {
		w.runs = make([]uint64, 0, len(w.hashes)-2)
		for i := 0; i+3 <= len(w.hashes); i++ {
			const mix = 0x9e3779b97f4a7c15 // odd, so that the order of the words counts
			w.runs = append(w.runs, (w.hashes[i]*mix^w.hashes[i+1])*mix^w.hashes[i+2])
		}
		slices.Sort(w.runs)
		w.runs = slices.Compact(w.runs)
	}
	return w.runs
}
