package tickets

import (
	"strings"
	"unicode"
)

// What isThanks goes by. Folded: lower case, ä=ae, ö=oe, ü=ue, ß=ss.
var (
	gratitude = wordSet("danke dank dankeschoen merci thanks thank thx cheers")
	// success makes "wieder" and "again" good news: "geht wieder", "works again".
	success = wordSet("geht funktioniert klappt laeuft alles works working runs fine")
	// doubt makes a mail more than a thank-you.
	doubt = wordSet("aber jedoch leider trotzdem nicht nichts kein keine noch nur ausser but however still yet except " +
		"not no never unfortunately cannot can't cant doesn't doesnt isn't isnt won't wont didn't " +
		"problem probleme fehler fehlermeldung error errors issue kaputt broken fails failed bitte please")
)

func wordSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// foldText makes spellings of a German word equal: lower case, ä=ae, ö=oe, ü=ue, ß=ss.
func foldText(s string) string { return foldedLetters.Replace(strings.ToLower(s)) }

var foldedLetters = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "’", "'")

// maxThanks is how many words a thank-you may have (domain.md S38).
const maxThanks = 12

// isThanks reports whether a mail says thanks and nothing else: at most twelve words, one of gratitude among them, no
// question, no attachment, no "but". When unsure it is not: reopening is the smaller harm.
func isThanks(m *Message) bool {
	text := strings.TrimSpace(m.Reply)
	for _, a := range m.Attachments {
		if !a.Inline {
			return false
		}
	}
	if text == "" || strings.ContainsRune(text, '?') {
		return false
	}
	words := strings.FieldsFunc(foldText(text), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
	var grateful, again, works bool
	for i, w := range words {
		if doubt[w] {
			return false
		}
		grateful = grateful || gratitude[w]
		works = works || success[w]
		if w == "wieder" || w == "again" && !thanking(words[:i]) { // "thanks again" and "thank you again" are thanks
			again = true
		}
	}
	return grateful && len(words) <= maxThanks && (!again || works)
}

// thanking reports whether the words end in a thank-you.
func thanking(words []string) bool {
	n := len(words)
	if n > 0 && words[n-1] == "you" {
		n--
	}
	return n > 0 && gratitude[words[n-1]]
}
