package command

import (
	"maps"
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
	Group   string            // heading in the handbook; filled by Table

	// Choices are the only arguments that it takes, folded as words are; none: any.
	Choices []string
	// Short are words that stand for this one with an argument: #high for #priority high.
	Short map[string]string
	// Means are arguments that stand for another command: #status solved is #solve.
	Means map[string]string
	// Sets says that its argument is a field and a value, which have a command of their own: #set priority=high.
	Sets bool
	// Reaches says that it sends something out of the house, to the customer's side or a third party, or changes who gets
	// that.
	Reaches bool
	// Anywhere says that it asks or opens something, and needs no ticket.
	Anywhere bool
}

// Table is every command there is, in the order of the handbook. Each group stands in a file of its own beside this one.
func Table() []Row {
	return slices.Concat(
		group("conversation", conversation()),
		group("structure", structure()),
		group("scheduling", scheduling()),
		group("fields", fields()),
		group("details", details()),
		group("clocks", clocks()),
		group("people", people()),
		group("tiers", tiers()),
		group("new mail", newMail()),
		group("standard", standard()),
		group("asking", asking()),
	)
}

func group(name string, rows []Row) []Row {
	for i := range rows {
		rows[i].Group = name
	}
	return rows
}

// fold makes spellings equal that people take for equal: case, hyphens and underscores do not count.
func fold(word string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(word))
}

// lookup finds the row of a word. The word that is short for one with an argument brings the argument along.
func lookup(word string) (row Row, short string, ok bool) {
	folded := fold(word)
	for _, row := range Table() {
		if row.Word == folded || slices.Contains(row.Aliases, folded) {
			return row, "", true
		}
		if value, ok := row.Short[folded]; ok {
			return row, value, true
		}
	}
	return Row{}, "", false
}

// Find returns the command that a word stands for, in any of its spellings.
func Find(word string) (Row, bool) {
	row, _, ok := lookup(word)
	return row, ok
}

// Near returns the words that somebody may have meant, as one types them.
func Near(word string) []string { return nearest(word) }

// known reports whether a word is one of a command.
func known(word string) bool {
	_, _, ok := lookup(word)
	return ok
}

// nearest returns the canonical words that are at most two letters away, nearest first.
func nearest(word string) []string {
	folded := fold(word)
	best := map[string]int{}
	for _, row := range Table() {
		for _, w := range slices.Concat([]string{row.Word}, row.Aliases, slices.Collect(maps.Keys(row.Short))) {
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

// nearestValues returns the arguments that somebody may have meant, as one types them.
func nearestValues(row Row, value string) []string {
	var list []string
	for _, known := range slices.Sorted(maps.Keys(row.Means)) {
		if distance(fold(value), known) <= 2 {
			list = append(list, "#"+row.Word+" "+known)
		}
	}
	return list[:min(len(list), 3)]
}

// distance is how many letters differ, in runes: one that is missing, too many or another, and two that are swapped, count
// one each. Words longer than any command are far from all of them.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 40 {
		return len(x)
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
