package model

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
)

// signals are the admin's weighted words of every category, ready for use (domain rule S9): the score of a category is the
// sum of the weights of its signals that stand in a text, each counted once.
type signals struct {
	list    []signal
	first   map[string][]int32 // by the first word of the signal
	lengths []int              // of the single words that are looked for inside others
}

type signal struct {
	text   string // normalised
	class  int32
	weight float32
}

// A signal of one word is also found in compounds and with endings: "drucker" in "laserdrucker" and "druckern". Short ones
// are not: "lan" does not stand in "landkarte".
const (
	shortestStem = 4 // letters of a signal that may have an ending
	longEnding   = 2 // letters
	shortestPart = 6 // letters of a signal that may be part of a compound
	restOfWord   = 3 // letters of the other part, at least
)

// newSignals checks the weights and makes them ready. class numbers the categories.
func newSignals(priors map[string]map[string]float64, class map[string]int32) (*signals, error) {
	s := &signals{first: map[string][]int32{}}
	for name, words := range priors {
		for text, weight := range words {
			n := fold(text)
			if n == "" {
				return nil, fmt.Errorf("read signals of category %s: %q has no letter or digit", name, text)
			}
			if math.IsNaN(weight) || math.Abs(weight) > 1000 {
				return nil, fmt.Errorf("read signals of category %s: the weight of %q has to lie between -1000 and 1000", name, text)
			}
			s.list = append(s.list, signal{n, class[name], float32(weight)})
		}
	}
	slices.SortFunc(s.list, func(a, b signal) int {
		if a.class != b.class {
			return int(a.class - b.class)
		}
		if c := strings.Compare(a.text, b.text); c != 0 {
			return c
		}
		return int(1000 * (b.weight - a.weight))
	})
	// "ß" and "ss" in two signals are one word: it counts once, with the higher weight.
	s.list = slices.CompactFunc(s.list, func(a, b signal) bool { return a.class == b.class && a.text == b.text })
	s.enter()
	return s, nil
}

// enter makes the tables of the list.
func (s *signals) enter() {
	s.first, s.lengths = map[string][]int32{}, nil
	for i, g := range s.list {
		word, _, more := strings.Cut(g.text, " ")
		s.first[word] = append(s.first[word], int32(i))
		if !more && len(word) >= shortestStem && !slices.Contains(s.lengths, len(word)) {
			s.lengths = append(s.lengths, len(word))
		}
	}
	slices.Sort(s.lengths)
}

// find calls yield for every signal that stands in the document, once for each.
func (s *signals) find(d *document, yield func(signal, int)) {
	if len(s.list) == 0 {
		return
	}
	var found []int32
	take := func(i int32, word int) {
		if !slices.Contains(found, i) {
			found = append(found, i)
			yield(s.list[i], word)
		}
	}
	for w, at := range d.words {
		word := d.text[at[0]:at[1]]
		for _, i := range s.first[string(word)] {
			g := s.list[i].text
			end := at[0] + len(g)
			if end < len(d.text) && d.text[end] == ' ' && bytes.HasPrefix(d.text[at[0]:], []byte(g)) {
				take(i, w)
			}
		}
		for _, n := range s.lengths {
			rest := len(word) - n
			if rest <= 0 {
				break
			}
			part := n >= shortestPart && rest >= restOfWord
			if part || rest <= longEnding {
				s.takeWord(word[:n], w, take)
			}
			if part {
				s.takeWord(word[rest:], w, take)
			}
		}
	}
}

// takeWord takes the signals that are just this one word.
func (s *signals) takeWord(word []byte, at int, take func(int32, int)) {
	for _, i := range s.first[string(word)] {
		if len(s.list[i].text) == len(word) {
			take(i, at)
		}
	}
}

// Thresholds of the admin's signals alone (domain rule S9).
const (
	signalScore  = 3
	signalMargin = 2
)

// decide reports whether the scores of the signals decide by themselves: enough for one category, and enough more than for
// any other.
func decide(score []float32) (best int, ok bool) {
	second := float32(0)
	top := float32(0)
	best = -1
	for k, v := range score {
		if v > top {
			best, top, second = k, v, top
		} else if v > second {
			second = v
		}
	}
	return best, best >= 0 && top >= signalScore && top-second >= signalMargin
}
