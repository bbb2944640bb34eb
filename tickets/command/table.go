package command

import (
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

// Table is every command there is, in the order of the handbook.
func Table() []Row {
	return []Row{
		{Word: "solve", Aliases: []string{"solved", "resolve", "resolved", "close", "closed", "done", "fixed", "geloest", "gelöst", "erledigt"}, Usage: "#solve", Help: map[string]string{
			"de": "löst das Ticket; der Text darunter geht als Lösung an den Kunden",
			"en": "solves the ticket; the text below goes to the customer as the solution"}},
		{Word: "wait", Aliases: []string{"waiting", "pending", "stalled", "warten"}, Usage: "#wait", Help: map[string]string{
			"de": "stellt dem Kunden die Frage darunter und wartet auf seine Antwort",
			"en": "asks the customer the question below and waits for the answer"}},
		{Word: "reopen", Aliases: []string{"open", "wiederoeffnen", "wiederöffnen"}, Usage: "#reopen", Help: map[string]string{
			"de": "öffnet ein gelöstes oder geschlossenes Ticket wieder",
			"en": "opens a solved or closed ticket again"}},
		{Word: "take", Aliases: []string{"mine", "me", "own", "claim", "accept", "nehmen"}, Usage: "#take", Help: map[string]string{
			"de": "übernimmt das Ticket",
			"en": "makes the ticket yours"}},
		{Word: "assign", Aliases: []string{"assignee", "owner", "a", "reassign", "zuweisen"}, Takes: Required, Usage: "#assign NAME", Help: map[string]string{
			"de": "gibt das Ticket an eine Person des Teams (Name oder Adresse, so weit er eindeutig ist)",
			"en": "gives the ticket to a person (name or address, as much of it as is unique)"}},
		{Word: "release", Aliases: []string{"unassign", "drop", "noowner", "freigeben"}, Takes: Optional, Usage: "#release", Help: map[string]string{
			"de": "gibt das Ticket an das Team zurück; mit einer Nummer: lässt die zurückgehaltene Mail N zu",
			"en": "gives the ticket back to its team; with a number: lets the held mail N in"}},
		{Word: "note", Aliases: []string{"internal", "private", "comment", "notiz"}, Takes: Text1, Usage: "#note", Help: map[string]string{
			"de": "der Text bleibt im Team; der Kunde bekommt nichts",
			"en": "the text stays inside the team; the customer gets nothing"}},
		{Word: "reply", Aliases: []string{"public", "antwort"}, Takes: Text1, Usage: "#reply", Help: map[string]string{
			"de": "der Text geht an den Kunden",
			"en": "the text goes to the customer"}},
		{Word: "admit", Aliases: []string{"zulassen"}, Takes: Required, Usage: "#admit N", Help: map[string]string{
			"de": "lässt die zurückgehaltene Mail N zum Ticket zu",
			"en": "lets the held mail N join the ticket"}},
		{Word: "reject", Aliases: []string{"ablehnen"}, Takes: Required, Usage: "#reject N", Help: map[string]string{
			"de": "verwirft die zurückgehaltene Mail N",
			"en": "drops the held mail N"}},
		{Word: "undo", Aliases: []string{"rueckgaengig", "rückgängig"}, Usage: "#undo", Help: map[string]string{
			"de": "nimmt die letzte Befehlsmail zurück, solange ihre Antwort noch nicht verschickt ist",
			"en": "takes your last command mail back, as long as its answer has not left"}},
		{Word: "show", Aliases: []string{"get", "history", "zeigen"}, Usage: "#show", Help: map[string]string{
			"de": "schickt Ihnen den Verlauf des Tickets",
			"en": "sends you the history of the ticket"}},
		{Word: "help", Aliases: []string{"refcard", "?", "hilfe"}, Usage: "#help", Help: map[string]string{
			"de": "schickt Ihnen diese Liste",
			"en": "sends you this list"}},
	}
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
