package reply

import "strings"

// separator says what a line is that stands between a mail and the one below it.
type separator uint8

const (
	noSeparator  separator = iota
	sepOriginal            // "-----Original Message-----"
	sepForwarded           // "---------- Forwarded message ---------", "Begin forwarded message:"
	sepMarker              // our own "--- Please reply above this line ---"
)

// readSeparator tells what a line is.
func readSeparator(text string) separator {
	if len(text) < 4 || len(text) > 200 || !decorated(text) {
		return noSeparator
	}
	s := fold(text)
	bare := strings.Trim(s, "-_*=~<>|#+ \t:")
	marks := len(s) - len(bare)
	if marks == 0 || bare == "" {
		return noSeparator
	}
	switch dashes := strings.Count(s, "-") + strings.Count(s, "_") + strings.Count(s, "=") + strings.Count(s, "*"); {
	case words.marker[bare] && marks >= 2:
		return sepMarker
	case dashes < 2 && !strings.HasSuffix(s, ":"):
		return noSeparator
	case words.forwarded.has(bare):
		return sepForwarded
	case words.original.has(bare) && (dashes >= 4 || strings.HasSuffix(s, ":")):
		return sepOriginal
	}
	return noSeparator
}

// decorated reports whether a line starts or ends with a mark. It is asked for every line, so it is cheap.
func decorated(text string) bool {
	switch text[0] {
	case '-', '_', '*', '=', '~', '<', '|', '#', '+', 0xE2: // 0xE2 starts the long dashes
		return true
	}
	switch text[len(text)-1] {
	case ':', '-', '_', '*', '=', 0x9A: // 0x9A ends the wide colon
		return true
	}
	return false
}

// ruled reports whether a line is nothing but a rule: at least n of the same mark, with or without blanks.
func ruled(text string, n int) bool {
	count := 0
	var mark rune
	for _, r := range text {
		switch r {
		case ' ':
			continue
		case '-', '_', '=', '*', '~', '+', '#', '—', '–', '─', '━':
		default:
			return false
		}
		if mark != 0 && r != mark {
			return false
		}
		mark = r
		count++
	}
	return count >= n
}
