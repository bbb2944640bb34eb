package command

import (
	"slices"
	"sort"
	"strings"
)

// Takes says what may follow a command word.
type Takes int

const (
	Nothing  Takes = iota // no argument
	Optional              // an argument may follow
	Required              // an argument must follow
	Text1                 // the rest of the line is the first line of the text
)

// Row is one command: its word, what else people type for it, and its help.
type Row struct {
	Word    string
	Aliases []string
	Takes   Takes
	Usage   string            // as one types it
	Help    map[string]string // language → one sentence
}

// Table is every command there is, in the order of the handbook. Each group stands in a file of its own beside this one.
func Table() []Row {
	return slices.Concat(
		conversation(),
		structure(),
		fields(),
		asking(),
	)
}

// fold makes spellings equal that people take for equal: case, hyphens and underscores do not count.
func fold(word string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(word))
}

func lookup(word string) (Row, bool) {
	folded := fold(word)
	for _, row := range Table() {
		if row.Word == folded {
			return row, true
		}
		for _, a := range row.Aliases {
			if a == folded {
				return row, true
			}
		}
	}
	return Row{}, false
}

// nearest returns the canonical words that are at most two letters away, nearest first.
func nearest(word string) []string {
	folded := fold(word)
	best := map[string]int{}
	for _, row := range Table() {
		for _, w := range append([]string{row.Word}, row.Aliases...) {
			if d := distance(folded, w); d <= 2 && d < len(w) {
				if old, ok := best[row.Word]; !ok || d < old {
					best[row.Word] = d
				}
			}
		}
	}
	words := make([]string, 0, len(best))
	for w := range best {
		words = append(words, w)
	}
	sort.Slice(words, func(i, j int) bool {
		if best[words[i]] != best[words[j]] {
			return best[words[i]] < best[words[j]]
		}
		return words[i] < words[j]
	})
	for i, w := range words {
		words[i] = "#" + w
	}
	return words[:min(len(words), 3)]
}

// distance is Levenshtein's, in runes; words longer than any command are far from all of them.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 40 {
		return len(x)
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := diagonal
			if x[i-1] != y[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(y)]
}
