package templates

// aroundKeys are what notices say beside a customer's mail.
func aroundKeys() []LineKey {
	return []LineKey{
		key("suggest.category", "what the desk takes a mail to be about, how sure it is, and who gets it on escalation", "name", "percent", "other", "team"),
		key("suggest.team", "a team of a higher tier has solved similar tickets", "team", "count"),
		key("suggest.answer", "a standard answer may fit", "name", "title"),
		key("similar.open", "a similar ticket is open", "team"),
		key("similar.solved", "a similar ticket was solved lately", "team", "since", "text"),
	}
}
