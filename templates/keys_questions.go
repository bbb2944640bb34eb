package templates

import "supportd/tickets"

// questionKeys are what acknowledgements ask, as sentences for customers and as words for the staff.
func questionKeys() []LineKey {
	var keys []LineKey
	for _, name := range tickets.Questions() {
		keys = append(keys, key("question."+name, "a question of an acknowledgement"), key("asked."+name, "the same in a word or two, for the staff"))
	}
	return keys
}
