// Package language tells which language a text is written in, with a confidence. It knows nothing of mail headers and
// does not decide what a desk answers in.
package language

import (
	"github.com/abadojack/whatlanggo"

	"supportd/tickets"
)

// Detect returns the ISO 639-1 code of the language of text and how sure that is. Code is "" when it cannot be told.
func Detect(text string) tickets.Language {
	info := whatlanggo.Detect(text)
	return tickets.Language{Code: info.Lang.Iso6391(), Confidence: info.Confidence}
}
