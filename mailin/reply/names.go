package reply

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a line of a signature looks like.

// isSentence reports whether a line is running text.
func isSentence(text string) bool {
	n := strings.Count(text, " ")
	r, _ := utf8.DecodeLastRuneInString(text)
	return n > 8 || n > 2 && (r == '.' || r == '!' || r == '?' || r == '…') || r == '。' || r == '？'
}

// isProse reports whether a line has the many small words of running text, even if it is not a whole sentence.
func isProse(text string) bool {
	small, all := 0, 0
	for word := range strings.FieldsSeq(text) {
		r, _ := utf8.DecodeRuneInString(word)
		all++
		if unicode.IsLower(r) {
			small++
		}
	}
	return all > 5 && 2*small > all
}

// isContact reports whether a line tells how to reach someone: a telephone number, an address, a web site.
func isContact(text string) bool {
	if len(text) > 160 || isSentence(text) && strings.Count(text, " ") > 10 {
		return false
	}
	s := strings.ToLower(text)
	for _, mark := range []string{"www.", "http://", "https://", "@"} {
		if strings.Contains(s, mark) && strings.Count(s, " ") <= 8 {
			return true
		}
	}
	return phoneLike(s)
}

// phoneLike reports whether a line is mostly a telephone number, an extension or a post code with its town.
func phoneLike(s string) bool {
	digits, letters := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	if strings.ContainsAny(s, "=€$%") {
		return false
	}
	return digits >= 4 && letters <= 24 && strings.Count(s, " ") <= 8
}

// nameWithContact reports whether a line is a name followed by a number: "Ada Lovelace - 555-1234".
func nameWithContact(text string) bool {
	i := digitOf(text)
	if i >= len(text) || i < 2 || len(text) > signWidth || !phoneLike(strings.ToLower(text)) {
		return false
	}
	name := strings.TrimRight(text[:i], " \t-–,:#(+/xX.")
	return isName(name) && strings.Count(name, " ") < 3
}

// isName reports whether a line can be a person's name: one to three capitalised words, initials and titles not
// counted.
func isName(text string) bool {
	if text == "" || len(text) > 48 || strings.ContainsAny(text, "\t:;=<>@_|()[]{}\"!?*#") || strings.Contains(text, "  ") {
		return false
	}
	names := 0
	for _, role := range [...]string{"i.A. ", "i. A. ", "i.V. ", "i. V. ", "ppa. ", "gez. ", "p.p. ", "p.o. "} {
		text = strings.TrimPrefix(text, role)
	}
	for word := range strings.FieldsSeq(text) {
		bare := strings.Trim(word, ".,")
		r, size := utf8.DecodeRuneInString(bare)
		switch {
		case bare == "&" || bare == "/":
		case bare == "":
			return false
		case isParticle(bare):
		case strings.ContainsAny(bare, "0123456789./\\"):
			return false
		case unspaced(r):
			return utf8.RuneCountInString(text) <= 6
		case !unicode.IsUpper(r):
			return false
		case strings.Contains(text, " ") && (size == len(bare) || strings.HasSuffix(word, ".") && len(bare) <= 5):
			// An initial or a title.
		default:
			names++
		}
	}
	return names >= 1 && names <= 3 && !notName(text)
}

func isParticle(s string) bool {
	switch s {
	case "von", "van", "der", "den", "de", "da", "di", "du", "la", "le", "del", "dos", "zu", "und", "and", "y", "et", "e", "og", "och", "ja", "al", "bin", "ter", "II", "III", "Jr":
		return true
	}
	return false
}

// notName knows words that often stand alone at the end of a mail and are no names.
func notName(text string) bool {
	switch fold(strings.Trim(text, " .,")) {
	case "ok", "okay", "yes", "no", "ja", "nein", "oui", "non", "si", "no.", "fyi", "done", "erledigt", "test", "danke",
		"thanks", "hello", "hallo", "hi", "regards", "asap", "n/a", "pdf", "the end", "end", "ende":
		return true
	}
	return words.closing.has(fold(strings.Trim(text, " .,")))
}
